/* trace.h - telling the caller what happens. */
#ifndef ACME_PROTOCOL_TRACE_H
#define ACME_PROTOCOL_TRACE_H

#include "../acme_setup.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Hands the event on, when somebody listens. */
#if ACME_CFG_TRACE
void acme_trace(const struct acme_setup *setup, const struct acme_event *event);
#else
#define acme_trace(setup, event) ((void)(setup), (void)(event))
#endif

#ifdef __cplusplus
}
#endif

#endif
