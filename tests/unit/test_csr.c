/* test_csr.c - certificate requests: OpenSSL reads, verifies and lists the names; every buffer size. */
#include "maker.h"

#include <ctype.h>
#include <string.h>

#include "x509/csr.h"

static struct acme_key_p256 memory;
static const struct acme_key key = {&acme_key_p256_ops, &memory};

static int make_key(void **state)
{
    return acme_key_p256_ops.generate(&memory, &maker_sys);
}

static void judge(const uint8_t *der, size_t len, const char *const *names, size_t count)
{
    const uint8_t *at = der;
    X509_REQ *req = d2i_X509_REQ(NULL, &at, (long)len);
    EVP_PKEY *ours = maker_public(memory.point);
    STACK_OF(X509_EXTENSION) * extensions;
    GENERAL_NAMES *list;

    assert_non_null(req);
    assert_ptr_equal(at, der + len);
    assert_int_equal(X509_REQ_verify(req, X509_REQ_get0_pubkey(req)), 1);
    assert_int_equal(EVP_PKEY_eq(ours, X509_REQ_get0_pubkey(req)), 1);
    assert_int_equal(X509_REQ_get_version(req), 0);
    assert_int_equal(X509_NAME_entry_count(X509_REQ_get_subject_name(req)), 0);
    assert_int_equal(X509_REQ_get_signature_nid(req), NID_ecdsa_with_SHA256);
    assert_int_equal(X509_REQ_get_attr_count(req), 1);
    extensions = X509_REQ_get_extensions(req);
    assert_int_equal(sk_X509_EXTENSION_num(extensions), 1);
    list = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
    assert_int_equal(sk_GENERAL_NAME_num(list), count);
    for (size_t i = 0; i < count; i++) {
        int type;
        const ASN1_IA5STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(list, (int)i), &type);
        ASN1_OCTET_STRING *address = a2i_IPADDRESS(names[i]);
        if (address != NULL) {
            assert_int_equal(type, GEN_IPADD);
            assert_int_equal(ASN1_OCTET_STRING_cmp(value, address), 0);
            ASN1_OCTET_STRING_free(address);
            continue;
        }
        assert_int_equal(type, GEN_DNS);
        assert_int_equal(value->length, strlen(names[i]));
        for (int c = 0; c < value->length; c++) {
            assert_int_equal(value->data[c], tolower(names[i][c]));
        }
    }
    GENERAL_NAMES_free(list);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    EVP_PKEY_free(ours);
    X509_REQ_free(req);
}

/* All buffers from nothing to more than enough: refused or right, and never a byte outside. */
static void every_buffer(const char *const *names, size_t count)
{
    static uint8_t buf[4096];
    size_t refused = 0;
    size_t start;

    for (size_t cap = 0, fits = 0; fits < 12; cap++) {
        int err;
        memset(buf, '#', sizeof buf);
        err = acme_csr_write(buf + 16, cap, &start, &key, names, count);
        assert_memory_equal(buf, "################", 16);
        assert_memory_equal(buf + 16 + cap, "################", 16);
        if (err == 0) {
            assert_in_range(start, 0, cap - 1);
            if (fits == 0 || fits == 11) {
                judge(buf + 16 + start, cap - start, names, count);
            }
            assert_int_equal(start, fits); /* deterministic signature: the first that fits is filled */
            fits++;
        } else {
            assert_int_equal(err, ACME_E_REQUEST_BIG);
            assert_int_equal(fits, 0);
            refused++;
        }
    }
    assert_true(refused > 200);
}

TEST(one_name)
{
    static const char *const names[] = {"gateway.example.org"};
    every_buffer(names, 1);
}

TEST(capitals)
{
    static const char *const names[] = {"GateWay.EXAMPLE.org", "xn--NXASMQ6B.Example"};
    every_buffer(names, 2);
}

TEST(eight_names)
{
    static const char *const names[] = {"a.example", "b.example", "c.example", "d.example",
                                        "e.example", "f.example", "g.example", "h.example"};
    every_buffer(names, 8);
}

/* In the order they are given in, which the CA compares. */
TEST(addresses)
{
    static const char *const names[] = {"192.0.2.200", "2001:db8::1", "b.example", "10.0.0.1", "::"};
    every_buffer(names, 1);
    every_buffer(names, 5);
}

TEST(longest_name)
{
    static char name[254];
    const char *names[] = {"a.example", name};

    memset(name, 'x', 253);
    for (int i = 63; i < 253; i += 64) {
        name[i] = '.';
    }
    every_buffer(names, 2);
}

static int no_point(void *handle, uint8_t point[65])
{
    (void)handle, (void)point;
    return ACME_E_KEY;
}

static int some_point(void *handle, uint8_t point[65])
{
    memset(point, 4, 65);
    return 0;
}

static int no_sign(void *handle, const uint8_t digest[32], uint8_t signature[64])
{
    (void)handle, (void)digest, (void)signature;
    return ACME_E_KEY;
}

TEST(key_fails)
{
    static const char *const names[] = {"a.example"};
    const struct acme_key_ops pointless = {no_point, no_sign, NULL, NULL, NULL};
    const struct acme_key_ops signless = {some_point, no_sign, NULL, NULL, NULL};
    const struct acme_key keys[] = {{&pointless, NULL}, {&signless, NULL}};
    uint8_t buf[512];
    size_t start;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(acme_csr_write(buf, sizeof buf, &start, &keys[i], names, 1), ACME_E_KEY);
    }
}

AROUND(make_key, NULL, NULL, NULL);
