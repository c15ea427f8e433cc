/* port.h - what this port gives to struct acme_setup. Rename `template` to your system. */
#ifndef ACME_TEMPLATE_PORT_H
#define ACME_TEMPLATE_PORT_H

#include "acme_port.h"

extern const struct acme_net acme_template_net;
extern const struct acme_listener acme_template_listener;
extern const struct acme_sys acme_template_sys;
extern const struct acme_store acme_template_store;

#endif
