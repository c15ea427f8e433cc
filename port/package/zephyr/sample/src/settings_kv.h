/* settings_kv.h - keys and values of acme_kv.h in Zephyr's settings, below "acme/". */
#ifndef SAMPLE_SETTINGS_KV_H
#define SAMPLE_SETTINGS_KV_H

#include "acme_kv.h"

extern const struct acme_kv settings_kv; /* after settings_subsys_init() */

#endif
