/* prove_date.c - dates in all forms, Retry-After. */
#include "any.h"
#include "wire/date.h"

int main(void)
{
    size_t len;
    struct acme_slice text = acme_slice(any_text(&len), len);
    int64_t utc = ACME_DATE_NONE;

    switch (any_below(5)) {
    case 0:
        utc = acme_date_http(text);
        break;
    case 1:
        utc = acme_date_der(text, true);
        break;
    case 2:
        utc = acme_date_rfc3339(text);
        break;
    case 3:
        utc = acme_date_der(text, false);
        break;
    default:
        return acme_retry_after_s(text, acme_slice("Sat, 01 Jan 2000 00:00:00 GMT", 29), any_number()) < -1;
    }
    return utc == 0;
}
