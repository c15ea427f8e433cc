/* trace.h - telling the caller what happens. */
#ifndef ACME_PROTOCOL_TRACE_H
#define ACME_PROTOCOL_TRACE_H

#include "../acme_setup.h"

static inline void acme_trace(const struct acme_setup *setup, const struct acme_event *event)
{
    if (setup->trace != NULL) {
        setup->trace(setup->trace_ctx, event);
    }
}

#endif
