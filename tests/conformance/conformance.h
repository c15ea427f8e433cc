/* conformance.h - checks a port against the contract of core/acme_port.h: the last step of port/README.md.
 *
 * The run needs nothing but the port itself: its connection talks to its own listener. It is portable C99 without a C
 * library's I/O, so it runs on a board as well. A port gives one struct conformance_port and calls conformance_run().
 */
#ifndef ACME_CONFORMANCE_H
#define ACME_CONFORMANCE_H

#include "acme_config.h"
#include "acme_port.h"

struct conformance_port {
    const struct acme_net *net;
    const struct acme_listener *listener;
    const struct acme_sys *sys;
    const struct acme_store *store; /* empty at the beginning */

    const char *address; /* IP address at which the port reaches its own listener               */
    const char *name;    /* a DNS name that leads there; NULL: not checked                      */
    const char *unknown; /* a DNS name that does not exist, e.g. "unknown.invalid"; NULL: no DNS */

    uint16_t (*listening)(void);   /* the TCP port the listener has, once it listens           */
    uint32_t (*now_ms)(void);      /* a counter of milliseconds                                */
    void (*wait)(void);            /* lets the stack work; returns within 50 ms                */
    void (*reset)(void);           /* loses all that the store has in RAM, as a reset would    */
    void (*say)(const char *line); /* puts out one line of TAP, without the line end           */
};

/* Runs every check. Returns how many failed. */
unsigned conformance_run(const struct conformance_port *port);

#endif
