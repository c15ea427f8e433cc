/* Dates of HTTP and RFC 3339, and Retry-After. */
#include <stdlib.h>
#include <string.h>

#include "wire/date.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void in_range(int64_t utc)
{
    /* Years 0 to 9999, and a day for an offset. */
    if (utc != ACME_DATE_NONE && (utc < -62167219200 - 86400 || utc > 253402300800 + 86400)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *text = malloc(len);
    size_t half = len / 2;

    memcpy(text, data, len);
    in_range(acme_date_http(acme_slice(text, len)));
    in_range(acme_date_rfc3339(acme_slice(text, len)));
    for (int i = 0; i < 3; i++) {
        static const int64_t clocks[] = {ACME_DATE_NONE, 0, INT64_MAX};
        if (acme_retry_after_s(acme_slice(text, len), acme_slice(text, 0), clocks[i]) < -1 ||
            acme_retry_after_s(acme_slice(text, half), acme_slice(text + half, len - half), clocks[i]) < -1) {
            abort();
        }
    }
    free(text);
    return 0;
}
