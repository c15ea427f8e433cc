/* metrics.h - the status of all certificates in Prometheus' text format (exposition format 0.0.4). */
#ifndef ACME_POSIX_METRICS_H
#define ACME_POSIX_METRICS_H

#include "look.h"

/* Takes one certificate in. Those beyond ACME_LIST_MAX are counted only. */
void acme_metrics_add(const struct acme_look *l, enum acme_health health);

/* Writes all of them to standard output. */
void acme_metrics_write(const char *state);

/* A label's value: backslash, quote and line feed escaped. */
void acme_metrics_label(struct acme_out *o, const char *value);

#endif
