#include "trace.h"

#if ACME_CFG_TRACE

void acme_trace(const struct acme_setup *setup, const struct acme_event *event)
{
    if (setup->trace != NULL) {
        setup->trace(setup->trace_ctx, event);
    }
}

#endif
