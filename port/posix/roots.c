/* roots.c - see roots.h. */
#include "roots.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const reasons[] = {
    [ACME_LEFT_KEY] = "for the kind or size of the key (P-256, P-384 and RSA of 2048 to 4096 bits can be used)",
    [ACME_LEFT_DAMAGED] = "damaged",
    [ACME_LEFT_USE] = "not for certificates of TLS servers (key usage)",
    [ACME_LEFT_CRITICAL] = "with a critical extension or name constraints that cannot be applied",
    [ACME_LEFT_FORM] = "as TRUSTED CERTIFICATE or PKCS #7 (wanted: CERTIFICATE)",
};

static void add(char *text, size_t *len, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void add(char *text, size_t *len, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    /* The longest of all is about 350 bytes. */
    *len += (size_t)vsnprintf(text + *len, ACME_ROOTS_WORDS - *len, format, list);
    va_end(list);
}

size_t acme_roots_words(const struct acme_trust_reader *r, char text[ACME_ROOTS_WORDS])
{
    size_t left = 0, len = 0;

    for (int i = 0; i < ACME_LEFT_REASONS; i++) {
        left += r->left[i];
    }
    if (r->count + left == 0) {
        add(text, &len, "no certificate in PEM form found (an empty file? DER, PKCS #12 and UTF-16 are not read)");
        return 0;
    }
    add(text, &len, "%zu certificate%s found, %zu read", r->count + left, r->count + left == 1 ? "" : "s", r->count);
    if (r->not_ca > 0) {
        add(text, &len, " (%zu no CA: trusted as a server's own only)", r->not_ca);
    }
    const char *before = "; left out:";
    for (int i = 0; i < ACME_LEFT_REASONS; i++) {
        if (r->left[i] > 0) {
            add(text, &len, "%s %zu %s", before, r->left[i], reasons[i]);
            before = ",";
        }
    }
    return left;
}

const char *acme_roots_trouble(const struct acme_trust_reader *r)
{
    return r->error == ACME_E_WORK_SMALL ? "; there is not enough memory for all of them"
           : acme_pem_outside(&r->pem)   ? ""
                                         : "; it ends within a certificate (cut off?)";
}
