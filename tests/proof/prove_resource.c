/* prove_resource.c - keeping a URL, a status word, an order's sorted list: any text. */
#include "any.h"
#include "../../core/protocol/resource.c"

int main(void)
{
    static struct acme_hosts hosts;
    static char kept[ACME_URL_MAX + 1];
    size_t len;
    const char *text = any_text(&len);

    if (any_below(2) == 0) {
        return acme_status_of(acme_slice(text, len)) == ACME_STATUS_VALID;
    }
    hosts.directory.host = acme_slice_of("ca.example");
    hosts.directory.port = 443;
    must(acme_url_keep(kept, acme_slice(text, len), &hosts) != 0 || kept[len] == '\0');
    return 0;
}
