/* URLs and names: whatever passes lies inside its text and holds nothing that breaks a request line. */
#include <stdlib.h>

#include "wire/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void inside(struct acme_slice part, const char *text, size_t len)
{
    if (part.len > 0 && (part.at < text || part.at + part.len > text + len)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct acme_url url;
    char *text = malloc(len + 1);

    memcpy(text, data, len);
    if (acme_url_parse(&url, acme_slice(text, len)) == 0) {
        inside(url.authority, text, len);
        inside(url.host, text, len);
        inside(url.target, text, len);
        if (url.host.len == 0 || url.host.len > 253 || url.port == 0 ||
            url.authority.len + url.target.len + strlen("https://") != len) {
            abort();
        }
        for (size_t i = 0; i < len; i++) {
            if (text[i] <= ' ' || text[i] > '~' || text[i] == '#' || (text[i] == '@' && text + i < url.target.at)) {
                abort();
            }
        }
        if (!acme_url_same_origin(&url, &url)) {
            abort();
        }
    }
    if (acme_dns_name_ok(acme_slice(text, len)) && (len < 1 || len > 253 || text[0] == '-' || text[0] == '.')) {
        abort();
    }
    text[len] = '\0';
    (void)acme_url_parse(&url, acme_slice_of("https://a.example:81/"));
    (void)acme_url_at(&url, text);
    free(text);
    return 0;
}
