/* Addresses: what is read is what inet_pton() reads and inet_ntop() writes, and all it writes is read. */
#include "fuzz.h"

#include <arpa/inet.h>

#include "wire/address.h"

/* True where the C library writes an IPv4 address into an IPv6 one: ::ffff:1.2.3.4, ::1.2.3.4. */
static int v4_inside(const char *text)
{
    return strchr(text, ':') != NULL && strchr(text, '.') != NULL;
}

static void written(int family, const uint8_t *bytes, int len)
{
    char text[INET6_ADDRSTRLEN];
    uint8_t address[ACME_ADDRESS_MAX];

    MUST(inet_ntop(family, bytes, text, sizeof text) != NULL);
    int got = acme_address_parse(acme_slice_of(text), address);
    MUST(got == (v4_inside(text) ? 0 : len));
    MUST(got == 0 || memcmp(address, bytes, (size_t)len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct fuzz_memory memory;
    uint8_t address[ACME_ADDRESS_MAX], want[ACME_ADDRESS_MAX];
    char text[64] = "", again[INET6_ADDRSTRLEN];

    if (len == 4 || len == 16) {
        written(len == 4 ? AF_INET : AF_INET6, data, (int)len);
    }
    if (len >= sizeof text || memchr(data, '\0', len) != NULL) {
        return 0;
    }
    memcpy(text, data, len);
    struct acme_slice copy = acme_slice(fuzz_copy(&memory, data, len), len);
    int got = acme_address_read(copy, address);
    MUST(got == 0 || got == 4 || got == 16 || got == -4 || got == -16);
    MUST(acme_is_address(text) == (got > 0));
    MUST(acme_name_is(copy, text)); /* it is itself, whatever it is */
    got = acme_address_parse(copy, address);
    int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
    if (inet_pton(family, text, want) != 1) {
        MUST(got == 0);
        return 0;
    }
    MUST(inet_ntop(family, want, again, sizeof again) != NULL);
    if (v4_inside(again)) {
        /* ::102:304 is text of ours, and none of the C library's */
        MUST(got == 0 || (strncmp(again, "::ffff:", 7) != 0 && memcmp(address, want, 16) == 0));
    } else {
        MUST(got == (strcmp(text, again) != 0 ? 0 : family == AF_INET ? 4 : 16));
        MUST(strchr(text, '.') != NULL || acme_address_read(copy, address) != 0);
        MUST(acme_name_is(copy, again) || strchr(text, '.') != NULL);
        MUST(got == 0 || memcmp(address, want, (size_t)got) == 0);
    }
    return 0;
}
