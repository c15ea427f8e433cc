/* trace.h - telling the caller what happens. */
#ifndef ACME_PROTOCOL_TRACE_H
#define ACME_PROTOCOL_TRACE_H

#include "../acme_setup.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Hands the event on, when somebody listens. */
void acme_trace(const struct acme_setup *setup, const struct acme_event *event);

#ifdef __cplusplus
}
#endif

#endif
