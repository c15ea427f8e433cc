/* prove_url.c - URLs, and names for certificates. */
#include "any.h"
#include "wire/url.h"

static const char root[] = "https://";

int main(void)
{
    size_t len;
    char *text = any_text(&len);
    struct acme_url url;

    if (any_below(2) == 0) {
        return acme_dns_name_ok(acme_slice(text, len));
    }
    if (any_below(2) == 0 && len >= sizeof root - 1) { /* past the scheme, which Eva would else hardly guess */
        memcpy(text, root, sizeof root - 1);
    }
    return acme_url_parse(&url, acme_slice(text, len)) == 0 && url.port == 443;
}
