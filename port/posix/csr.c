/* csr.c - see csr.h. What is read here is an administrator's file: it is read strictly, and what is not understood is refused. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "config.h"
#include "csr.h"
#include "wire/address.h"
#include "wire/pem.h"
#include "x509/leaf.h"

/* --- its key: public only --- */

static int point(void *handle, uint8_t to[65])
{
    memcpy(to, ((struct acme_csr *)handle)->key, 65);
    return 0;
}

static int sign(void *handle, const uint8_t digest[32], uint8_t signature[64])
{
    (void)handle;
    (void)digest;
    (void)signature;
    return ACME_E_KEY;
}

static const struct acme_key_ops elsewhere = {.point = point, .sign = sign};

/* --- its names --- */

static bool take_name(struct acme_csr *csr, uint8_t tag, struct acme_der entry)
{
    char *text = csr->text[csr->name_count];

    if (csr->name_count == ACME_NAMES_MAX) {
        return false;
    }
    if (tag == ACME_DER_IP_ADDRESS && (entry.len == 4 || entry.len == 16)) {
        acme_address_text(entry.at, entry.len, text);
    } else if (tag == ACME_DER_DNS_NAME && entry.len > 0 && entry.len < 254 &&
               memchr(entry.at, '\0', entry.len) == NULL) {
        memcpy(text, entry.at, entry.len);
        text[entry.len] = '\0';
    } else {
        return false;
    }
    csr->names[csr->name_count++] = text;
    return true;
}

static const char *take_extensions(struct acme_csr *csr, struct acme_der list)
{
    static const uint8_t subject_alt_name[] = {0x55, 0x1d, 0x11};
    struct acme_der oid, value, entry;
    bool critical;
    uint8_t tag;

    while (list.len > 0) {
        if (!acme_der_extension(&list, &oid, &critical, &value)) {
            return "not a certificate request: extensions that cannot be read";
        }
        if (!acme_der_is(&oid, subject_alt_name, sizeof subject_alt_name)) {
            continue;
        }
        if (csr->name_count > 0 || !acme_der_only(&value, ACME_DER_SEQUENCE, &value)) {
            return "not a certificate request: its names cannot be read";
        }
        while (value.len > 0) {
            if (!acme_der_next(&value, &tag, &entry) || !take_name(csr, tag, entry)) {
                return "its subjectAltName has something else than DNS names and addresses, or too many";
            }
        }
    }
    return NULL;
}

static const char *take_attributes(struct acme_csr *csr, struct acme_der list)
{
    static const uint8_t extension_request[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e};
    static const uint8_t tags[] = {ACME_DER_OID, ACME_DER_SET};
    struct acme_der attribute, part[2];

    while (list.len > 0) {
        if (!acme_der_expect(&list, ACME_DER_SEQUENCE, &attribute) || !acme_der_run(&attribute, tags, 2, part)) {
            return "not a certificate request: attributes that cannot be read";
        }
        if (!acme_der_is(&part[0], extension_request, sizeof extension_request)) {
            continue;
        }
        if (!acme_der_only(&part[1], ACME_DER_SEQUENCE, &part[1])) {
            return "not a certificate request: extensions that cannot be read";
        }
        const char *why = take_extensions(csr, part[1]);
        if (why != NULL) {
            return why;
        }
    }
    return csr->name_count > 0 ? NULL : "no names in its subjectAltName; a common name alone does not count";
}

static bool has_name(const struct acme_csr *csr, struct acme_slice name)
{
    for (size_t i = 0; i < csr->name_count; i++) {
        if (acme_slice_is_nocase(name, acme_slice_of(csr->names[i]))) {
            return true;
        }
    }
    return false;
}

/* CAs take a common name for one more name. */
static const char *check_subject(const struct acme_csr *csr, struct acme_der list)
{
    static const uint8_t common_name[] = {0x55, 0x04, 0x03};
    struct acme_der set, pair, oid, text;
    uint8_t tag;

    while (acme_der_expect(&list, ACME_DER_SET, &set)) {
        while (acme_der_expect(&set, ACME_DER_SEQUENCE, &pair)) {
            if (acme_der_expect(&pair, ACME_DER_OID, &oid) && acme_der_is(&oid, common_name, sizeof common_name) &&
                acme_der_next(&pair, &tag, &text) && !has_name(csr, acme_slice(text.at, text.len))) {
                return "its common name is not among the names of its subjectAltName";
            }
        }
    }
    return list.len == 0 ? NULL : "not a certificate request: a subject that cannot be read";
}

/* --- the request (RFC 2986, 4) --- */

/* CAs find that out when all names have been validated and the order is spent. */
static bool is_short_rsa(struct acme_der spki)
{
    static const uint8_t rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
    static const uint8_t numbers[] = {ACME_DER_INTEGER, ACME_DER_INTEGER};
    struct acme_der algorithm, oid, bits, part[2];

    if (!acme_der_expect(&spki, ACME_DER_SEQUENCE, &algorithm) || !acme_der_expect(&algorithm, ACME_DER_OID, &oid) ||
        !acme_der_is(&oid, rsa, sizeof rsa) || !acme_der_expect(&spki, ACME_DER_BIT_STRING, &bits) || bits.len < 1) {
        return false;
    }
    bits.at++; /* no bits are left over */
    bits.len--;
    return acme_der_only(&bits, ACME_DER_SEQUENCE, &bits) && acme_der_run(&bits, numbers, 2, part) &&
           part[0].len < 2048 / 8;
}

static const char *take_der(struct acme_csr *csr)
{
    static const uint8_t whole[] = {ACME_DER_SEQUENCE, ACME_DER_SEQUENCE, ACME_DER_BIT_STRING};
    static const uint8_t tags[] = {ACME_DER_INTEGER, ACME_DER_SEQUENCE, ACME_DER_SEQUENCE, ACME_DER_CONTEXT_0};
    struct acme_der in = {csr->der, csr->len}, field[3], part[4], bits;
    struct acme_leaf leaf = {0};

    if (!acme_der_only(&in, ACME_DER_SEQUENCE, &in) || !acme_der_run(&in, whole, 3, field) || in.len != 0 ||
        !acme_der_run(&field[0], tags, 4, part) || field[0].len != 0) {
        return "not a certificate request";
    }
    leaf.key = part[2];
    in = part[2];
    if (!acme_der_expect(&in, ACME_DER_SEQUENCE, &bits) || !acme_der_only(&in, ACME_DER_BIT_STRING, &bits)) {
        return "not a certificate request: a key that cannot be read";
    }
    if (is_short_rsa(part[2])) {
        return "its RSA key has less than 2048 bits, which CAs do not accept";
    }
    const uint8_t *spki = part[2].at - 2; /* as acme_leaf_parse() has it */
    if (part[2].len == ACME_SPKI_P256_LEN + 65 - 2 && memcmp(spki, acme_spki_p256, ACME_SPKI_P256_LEN) == 0 &&
        spki[ACME_SPKI_P256_LEN] == 0x04) {
        leaf.point = spki + ACME_SPKI_P256_LEN;
    }
    acme_leaf_key(&leaf, csr->key);
    const char *why = take_attributes(csr, part[3]);
    return why != NULL ? why : check_subject(csr, part[1]);
}

static const char *take_pem(struct acme_csr *csr, const char *text, size_t len)
{
    struct acme_pem pem;
    size_t used;

    acme_pem_init(&pem, csr->der, sizeof csr->der);
    for (int event = 0; len > 0; text += used, len -= used) {
        event = acme_pem_read(&pem, text, len, &used);
        if (event == ACME_PEM_BEGIN && strstr(pem.label, "PRIVATE KEY") != NULL) {
            return "a private key is in it, which belongs elsewhere: give the request alone";
        }
        if (event == ACME_PEM_BEGIN) {
            pem.der = strstr(pem.label, "CERTIFICATE REQUEST") != NULL ? csr->der : NULL;
            pem.cap = sizeof csr->der;
        }
        if (event == ACME_PEM_END && pem.der != NULL) {
            csr->len = pem.len;
            return take_der(csr);
        }
        if (event < 0) {
            break;
        }
    }
    return "not a certificate request";
}

const char *acme_csr_take(struct acme_csr *csr, const void *data, size_t len)
{
    memset(csr, 0, sizeof *csr);
    csr->public_key = (struct acme_key){&elsewhere, csr};
    if (len > 0 && len <= sizeof csr->der && *(const uint8_t *)data == ACME_DER_SEQUENCE) {
        memcpy(csr->der, data, len);
        csr->len = len;
        return take_der(csr);
    }
    return take_pem(csr, data, len);
}

const char *acme_csr_read(struct acme_csr *csr, const char *path)
{
    char text[2 * ACME_CSR_MAX];
    size_t have = 0;
    ssize_t n = 1;
    int fd = acme_config_open(path);

    while (fd >= 0 && n > 0 && have < sizeof text) {
        n = read(fd, text + have, sizeof text - have);
        have += n > 0 ? (size_t)n : 0;
    }
    const char *why = fd < 0 || n < 0       ? strerror(errno)
                      : have == sizeof text ? "too long for a certificate request"
                                            : NULL;
    if (fd >= 0) {
        (void)close(fd);
    }
    return why != NULL ? why : acme_csr_take(csr, text, have);
}
