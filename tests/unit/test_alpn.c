/* test_alpn.c - the certificate of tls-alpn-01: byte for byte, and OpenSSL's opinion of it. */
#include "maker.h"

#include <string.h>

#include <openssl/sha.h>

#include "x509/alpn.h"

static struct acme_key_p256 memory;
static const struct acme_key key = {&acme_key_p256_ops, &memory};
static uint8_t room[16 + ACME_ALPN_CERTIFICATE_MAX + 16], *const buf = room + 16;

static int take_key(void **state)
{
    return acme_key_p256_ops.generate(&memory, &maker_sys);
}

#define TOKEN      "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"
#define THUMBPRINT "nP1qzpXGymHBrUEepNY9HCsQk7K8KhOypzEt62jcerQ"

static const uint8_t *make(const char *name, size_t *len)
{
    const struct acme_challenge challenge = {.name = name, .token = TOKEN, .thumbprint = THUMBPRINT};
    uint8_t scratch[ACME_ALPN_CERTIFICATE_MAX], signature[64];

    memset(room, '#', sizeof room);
    assert_int_equal(acme_alpn_write(scratch, &challenge, &key, signature, true), 0);
    *len = (size_t)acme_alpn_write(buf, &challenge, &key, signature, false);
    assert_memory_equal(room, "################", 16);
    assert_memory_equal(buf + ACME_ALPN_CERTIFICATE_MAX, "################", 16);
    return buf + ACME_ALPN_CERTIFICATE_MAX - *len;
}

/* What CAs look at: of Boulder and step-ca, 2026-11. */
static void judge(const uint8_t *der, size_t len, int type, const void *name, int name_len)
{
    static const uint8_t identifier[] = {0x30, 0x31, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07,
                                         0x01, 0x1f, 0x01, 0x01, 0xff, 0x04, 0x22, 0x04, 0x20};
    const uint8_t *at = der, *value;
    X509 *x = d2i_X509(NULL, &at, (long)len);
    EVP_PKEY *ours = maker_public(memory.point);
    time_t early = 946684801, late = (time_t)253402300798;
    uint8_t *extension = NULL;
    GENERAL_NAMES *names;
    uint8_t digest[32];
    int value_type;

    assert_non_null(x);
    assert_ptr_equal(at, der + len);
    assert_int_equal(X509_get_version(x), 2);
    assert_int_equal(ASN1_INTEGER_get(X509_get0_serialNumber(x)), 1);
    assert_int_equal(X509_verify(x, ours), 1);
    assert_int_equal(EVP_PKEY_eq(ours, X509_get0_pubkey(x)), 1);
    assert_int_equal(X509_NAME_cmp(X509_get_issuer_name(x), X509_get_subject_name(x)), 0);
    assert_int_equal(X509_NAME_entry_count(X509_get_subject_name(x)), 1);
    assert_true(X509_cmp_time(X509_get0_notBefore(x), &early) < 0 && X509_cmp_time(X509_get0_notAfter(x), &late) > 0);
    assert_int_equal(X509_get_ext_count(x), 2);
    names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    assert_int_equal(sk_GENERAL_NAME_num(names), 1);
    const ASN1_STRING *text = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, 0), &value_type);
    assert_int_equal(value_type, type);
    assert_int_equal(ASN1_STRING_length(text), name_len);
    assert_memory_equal(ASN1_STRING_get0_data(text), name, name_len);
    assert_int_equal(i2d_X509_EXTENSION(X509_get_ext(x, 1), &extension), 51);
    assert_memory_equal(extension, identifier, sizeof identifier);
    value = extension + sizeof identifier;
    SHA256((const unsigned char *)TOKEN "." THUMBPRINT, strlen(TOKEN "." THUMBPRINT), digest);
    assert_memory_equal(value, digest, 32);
    OPENSSL_free(extension);
    GENERAL_NAMES_free(names);
    EVP_PKEY_free(ours);
    X509_free(x);
}

/* All that is signed, but the key: any change of it has to be meant. */
TEST(golden)
{
    static const uint8_t before[] =
        "\xa0\x03\x02\x01\x02\x02\x01\x01\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
        "\x30\x0f\x31\x0d\x30\x0b\x06\x03\x55\x04\x03\x0c\x04"
        "acme"
        "\x30\x20\x17\x0d"
        "000101000000Z"
        "\x18\x0f"
        "99991231235959Z"
        "\x30\x0f\x31\x0d\x30\x0b\x06\x03\x55\x04\x03\x0c\x04"
        "acme"
        "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
    static const uint8_t behind[] = "\xa3\x53\x30\x51"
                                    "\x30\x1c\x06\x03\x55\x1d\x11\x04\x15\x30\x13\x82\x11"
                                    "device.example.ne"
                                    "\x30\x31\x06\x08\x2b\x06\x01\x05\x05\x07\x01\x1f\x01\x01\xff\x04\x22\x04\x20"
                                    "\x34\x6c\x0a\xa1\x70\x60\x09\x3f\x09\x84\x46\xb4\x6c\xae\xc0\xc1"
                                    "\xf4\xaa\x1f\x2b\xbf\x65\x67\xae\x81\x5d\x3b\x7c\xb1\x88\x56\xad"
                                    "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x03";
    size_t len;
    const uint8_t *der = make("Device.Example.NE", &len);

    assert_memory_equal(der, "\x30\x82", 2);
    assert_memory_equal(der + 4, "\x30\x82\x01", 3);
    assert_memory_equal(der + 8, before, sizeof before - 1);
    der += 8 + sizeof before - 1;
    assert_memory_equal(der, memory.point, 65);
    assert_memory_equal(der + 65, behind, sizeof behind - 1);
}

TEST(names)
{
    static const struct {
        const char *name;
        int type, len;
        const char *value;
    } rows[] = {
        {"a.example", GEN_DNS, 9, "a.example"},
        {"Dev.Example.ORG", GEN_DNS, 15, "dev.example.org"},
        {"xn--bcher-kva.example", GEN_DNS, 21, "xn--bcher-kva.example"},
        {"192.0.2.1", GEN_IPADD, 4, "\xc0\0\2\1"},
        {"2001:db8::1", GEN_IPADD, 16, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"},
    };
    size_t len;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const uint8_t *der = make(rows[i].name, &len);
        judge(der, len, rows[i].type, rows[i].value, rows[i].len);
    }
}

/* The longest name, and signatures of every length: the room does, and lengths are written in their shortest form. */
TEST(sizes)
{
    char name[254];
    size_t len, most = 0;

    memset(name, 'a', sizeof name);
    for (size_t i = 63; i < 253; i += 64) {
        name[i] = '.';
    }
    for (size_t chars = 253; chars > 9; chars -= chars > 100 ? 1 : 9) {
        name[chars] = '\0';
        name[chars - 1] = 'z';
        const uint8_t *der = make(name, &len);
        judge(der, len, GEN_DNS, name, (int)chars);
    }
    for (unsigned byte = 0; byte < 256; byte += 255) {
        const struct acme_challenge challenge = {.name = name, .token = TOKEN, .thumbprint = THUMBPRINT};
        uint8_t signature[64];
        memset(name, 'a', 253);
        name[253] = '\0';
        memset(signature, (int)byte, sizeof signature);
        len = (size_t)acme_alpn_write(buf, &challenge, &key, signature, false);
        const uint8_t *at = buf + ACME_ALPN_CERTIFICATE_MAX - len;
        X509 *x = d2i_X509(NULL, &at, (long)len);
        assert_non_null(x);
        X509_free(x);
        most = len > most ? len : most;
    }
    assert_in_range(most, ACME_ALPN_CERTIFICATE_MAX - 8, ACME_ALPN_CERTIFICATE_MAX);
}

TEST(a_key_that_does_not_answer)
{
    const struct acme_key mute = {&maker_mute_ops, NULL};
    const struct acme_challenge challenge = {.name = "a.example", .token = TOKEN, .thumbprint = THUMBPRINT};
    uint8_t signature[64];

    assert_int_equal(acme_alpn_write(buf, &challenge, &mute, signature, true), ACME_E_KEY);
}

AROUND(take_key, NULL, NULL, NULL);
