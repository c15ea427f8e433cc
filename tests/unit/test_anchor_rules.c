/* test_anchor_rules.c - what may be an anchor: certificates put together here, as no CA writes them; and what name
 * constraints permit. */
#include "maker.h"

#include <string.h>

#include "roots/constraints.h"
#include "roots/roots.h"

#define BYTES(text) (text), sizeof(text) - 1

/* Beginnings of SubjectPublicKeyInfo's algorithm. */
#define RSA  "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"
#define P256 "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
#define P384 "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22"
#define CA   "\x30\x0f\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x05\x30\x03\x01\x01\xff"

static _Alignas(8) unsigned char memory[8192];
static char text[16384];
static struct acme_trust_reader reader;
static struct acme_trust trust;

static struct { /* of the certificate to be made */
    const char *algorithm;
    size_t algorithm_len;
    uint8_t bits[1200]; /* the key's BIT STRING, whole */
    size_t bits_len;
    const char *extensions;
    size_t extensions_len;
} spec;

static void ec_key(void)
{
    memset(&spec, 0, sizeof spec);
    spec.algorithm = P256;
    spec.algorithm_len = sizeof P256 - 1;
    spec.bits_len = 66;
    spec.bits[1] = 4;
    spec.extensions = CA;
    spec.extensions_len = sizeof CA - 1;
}

/* A key with a modulus of n bytes and an exponent of e; `behind` bytes follow in the SEQUENCE. */
static void rsa_key(size_t n, size_t e, size_t behind)
{
    static uint8_t number[600];
    struct acme_der_out o;

    ec_key();
    spec.algorithm = RSA;
    spec.algorithm_len = sizeof RSA - 1;
    memset(number, 0x81, sizeof number);
    acme_der_init(&o, spec.bits, sizeof spec.bits);
    acme_der_bytes(&o, number, behind);
    acme_der_unsigned(&o, number, e);
    acme_der_unsigned(&o, number, n);
    acme_der_wrap(&o, ACME_DER_SEQUENCE, o.cap);
    acme_der_bytes(&o, "", 1);
    assert_false(o.overflow);
    spec.bits_len = o.cap - o.start;
    memmove(spec.bits, spec.bits + o.start, spec.bits_len);
}

/* Makes the certificate, reads it with `cap` bytes of memory. Returns what the reader returns. */
static int read_it(size_t cap)
{
    static uint8_t der[2500];
    struct acme_der_out o;
    struct acme_out pem;
    size_t mark;

    acme_der_init(&o, der, sizeof der);
    acme_der_put(&o, ACME_DER_BIT_STRING, "\0s", 2);
    acme_der_put(&o, ACME_DER_SEQUENCE, "", 0);
    mark = o.start;
    if (spec.extensions_len > 0) {
        acme_der_bytes(&o, spec.extensions, spec.extensions_len);
        acme_der_wrap(&o, ACME_DER_SEQUENCE, mark);
        acme_der_wrap(&o, ACME_DER_CONTEXT_0 + 3, mark);
    }
    size_t before = o.start;
    acme_der_put(&o, ACME_DER_BIT_STRING, spec.bits, spec.bits_len);
    acme_der_put(&o, ACME_DER_SEQUENCE, spec.algorithm, spec.algorithm_len);
    acme_der_wrap(&o, ACME_DER_SEQUENCE, before);
    acme_der_put(&o, ACME_DER_SEQUENCE, "name", 4);
    for (int i = 0; i < 3; i++) {
        acme_der_put(&o, ACME_DER_SEQUENCE, "", 0);
    }
    acme_der_put(&o, ACME_DER_INTEGER, "\1", 1);
    acme_der_wrap(&o, ACME_DER_SEQUENCE, mark);
    acme_der_wrap(&o, ACME_DER_SEQUENCE, o.cap);
    assert_false(o.overflow);
    acme_out_init(&pem, text, sizeof text);
    acme_pem_write(&pem, "CERTIFICATE", der + o.start, o.cap - o.start);
    assert_false(pem.overflow);
    acme_trust_begin(&reader, memory, cap);
    acme_trust_add(&reader, text, pem.len);
    return acme_trust_end(&reader, &trust);
}

#define TAKEN()                                                                                                      \
    do {                                                                                                             \
        assert_int_equal(read_it(sizeof memory), 1);                                                                 \
        assert_int_equal(trust.anchors[0].dn.len, 6);                                                                \
        assert_memory_equal(trust.anchors[0].dn.data, "\x30\4name", 6);                                              \
    } while (0)
#define LEFT_OUT(why)                                                                                                \
    do {                                                                                                             \
        assert_int_equal(read_it(sizeof memory), ACME_E_ANCHORS);                                                    \
        assert_int_equal(reader.left[why], 1);                                                                       \
    } while (0)

TEST(keys)
{
    ec_key();
    TAKEN();
    spec.bits[0] = 1;
    LEFT_OUT(ACME_LEFT_KEY);
    spec.bits[0] = 0;
    spec.bits[1] = 6;
    LEFT_OUT(ACME_LEFT_KEY);
    ec_key();
    spec.bits_len = 98;
    LEFT_OUT(ACME_LEFT_KEY);
    spec.algorithm = P384;
    spec.algorithm_len = sizeof P384 - 1;
    TAKEN();
    spec.bits_len = 66;
    LEFT_OUT(ACME_LEFT_KEY);
    for (size_t n = 1; n <= 530; n++) {
        rsa_key(n, 3, 0);
        if (n >= 256 && n <= 512) {
            TAKEN();
            assert_int_equal(trust.anchors[0].pkey.key.rsa.nlen, n);
        } else {
            LEFT_OUT(ACME_LEFT_KEY);
        }
    }
    for (size_t e = 1; e < 12; e++) {
        rsa_key(256, e, 0);
        if (e <= 8) {
            TAKEN();
            assert_int_equal(trust.anchors[0].pkey.key.rsa.elen, e);
        } else {
            LEFT_OUT(ACME_LEFT_KEY);
        }
    }
    rsa_key(256, 3, 1);
    LEFT_OUT(ACME_LEFT_DAMAGED);
    rsa_key(256, 3, 0);
    spec.bits[0] = 1;
    LEFT_OUT(ACME_LEFT_DAMAGED);
    spec.bits_len = 0;
    LEFT_OUT(ACME_LEFT_DAMAGED);
    rsa_key(256, 3, 0);
    spec.bits[spec.bits_len - 6] ^= 1; /* an even modulus */
    LEFT_OUT(ACME_LEFT_DAMAGED);
    ec_key(); /* numbers of nothing, and of zeros */
    spec.algorithm = RSA;
    spec.algorithm_len = sizeof RSA - 1;
    memcpy(spec.bits, "\0\x30\6\2\1\0\2\1\3", 9);
    spec.bits_len = 9;
    LEFT_OUT(ACME_LEFT_DAMAGED);
    memcpy(spec.bits, "\0\x30\5\2\0\2\1\3", 8);
    spec.bits_len = 8;
    LEFT_OUT(ACME_LEFT_DAMAGED);
}

TEST(extensions)
{
    static const struct {
        const char *list;
        size_t len;
        int left; /* -1: it is taken */
        bool ca;
    } rows[] = {
        {BYTES(""), -1, false},
        {BYTES(CA), -1, true},
        {BYTES("\x30\x09\x06\x03\x55\x1d\x13\x04\x02\x30\x00"), -1, false},
        {BYTES("\x30\x0c\x06\x03\x55\x1d\x13\x04\x05\x30\x03\x01\x01\x00"), -1, false},
        {BYTES("\x30\x0c\x06\x03\x55\x1d\x13\x04\x05\x31\x03\x01\x01\xff"), ACME_LEFT_DAMAGED, false},
        {BYTES(CA CA), ACME_LEFT_DAMAGED, false},
        /* keyUsage: sign, sign not, empty, no bit string; of no CA it does not matter */
        {BYTES(CA "\x30\x0b\x06\x03\x55\x1d\x0f\x04\x04\x03\x02\x02\x04"), -1, true},
        {BYTES(CA "\x30\x0b\x06\x03\x55\x1d\x0f\x04\x04\x03\x02\x01\x02"), ACME_LEFT_USE, false},
        {BYTES(CA "\x30\x0a\x06\x03\x55\x1d\x0f\x04\x03\x03\x01\x00"), ACME_LEFT_USE, false},
        {BYTES(CA "\x30\x0a\x06\x03\x55\x1d\x0f\x04\x03\x04\x01\x00"), ACME_LEFT_DAMAGED, false},
        {BYTES("\x30\x0b\x06\x03\x55\x1d\x0f\x04\x04\x03\x02\x01\x02"), -1, false},
        /* another arc, longer, shorter: not critical, critical, critical with FALSE */
        {BYTES("\x30\x0c\x06\x08\x2b\x06\x01\x05\x05\x07\x01\x01\x04\x00"), -1, false},
        {BYTES("\x30\x0f\x06\x08\x2b\x06\x01\x05\x05\x07\x01\x01\x01\x01\xff\x04\x00"), ACME_LEFT_CRITICAL, false},
        {BYTES("\x30\x0f\x06\x08\x2b\x06\x01\x05\x05\x07\x01\x01\x01\x01\x00\x04\x00"), -1, false},
        {BYTES("\x30\x0a\x06\x03\x55\x1e\x0f\x01\x01\xff\x04\x00"), ACME_LEFT_CRITICAL, false},
        {BYTES("\x30\x0a\x06\x03\x55\x1d\x7f\x01\x01\xff\x04\x00"), ACME_LEFT_CRITICAL, false},
        {BYTES("\x30\x0a\x06\x03\x55\x1d\x0a\x01\x01\xff\x04\x00"), ACME_LEFT_CRITICAL, false},
        {BYTES("\x30\x0a\x06\x03\x55\x1d\x36\x01\x01\xff\x04\x00"), -1, false},
        {BYTES("\x30\x05\x06\x03\x55\x1d\x0f"), ACME_LEFT_DAMAGED, false},
        /* name constraints: no list; a list of one that is empty, no element, no SEQUENCE; of no CA */
        {BYTES(CA "\x30\x09\x06\x03\x55\x1d\x1e\x04\x02\x05\x00"), ACME_LEFT_DAMAGED, false},
        {BYTES(CA "\x30\x0d\x06\x03\x55\x1d\x1e\x04\x06\x30\x04\xa0\x02\x30\x00"), ACME_LEFT_CRITICAL, false},
        {BYTES(CA "\x30\x0d\x06\x03\x55\x1d\x1e\x04\x06\x30\x04\xa1\x02\x05\x00"), ACME_LEFT_CRITICAL, false},
        {BYTES(CA "\x30\x0b\x06\x03\x55\x1d\x1e\x04\x04\x30\x02\x05\x00"), ACME_LEFT_CRITICAL, false},
        {BYTES("\x30\x0d\x06\x03\x55\x1d\x1e\x04\x06\x30\x04\xa0\x02\x30\x00"), -1, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ec_key();
        spec.extensions = rows[i].list;
        spec.extensions_len = rows[i].len;
        if (rows[i].left < 0) {
            TAKEN();
            assert_int_equal(trust.anchors[0].flags, rows[i].ca ? BR_X509_TA_CA : 0);
            assert_int_equal(reader.not_ca, !rows[i].ca);
        } else {
            LEFT_OUT(rows[i].left);
        }
    }
}

/* permitted ca.example and .b.example, excluded x.ca.example */
#define LIMITS                                                                                                       \
    "\x30\x3a\x06\x03\x55\x1d\x1e\x04\x33\x30\x31\xa0\x1d\x30\x0c\x82\x0a"                                           \
    "ca.example\x30\x0d\x82\x0b.bb.example\xa1\x10\x30\x0e\x82\x0cx.ca.example"

TEST(constraints)
{
    static const struct {
        const char *host;
        bool permitted;
    } rows[] = {{"ca.example", true},
                {"CA.EXAMPLE", true},
                {"a.ca.example", true},
                {"x.ca.example", false},
                {"y.x.ca.example", false},
                {"xx.ca.example", true},
                {"aca.example", false},
                {"a.example", false},
                {"example", false},
                {"bb.example", false},
                {"a.bb.example", true},
                {"a.b.bb.example", true},
                {"abb.example", false},
                {"bb", false},
                {"", false}};
    size_t refused = 0;

    ec_key();
    assert_int_equal(acme_constraints_len(&(br_x509_trust_anchor){.flags = BR_X509_TA_CA}), 0);
    spec.extensions = CA LIMITS;
    spec.extensions_len = sizeof(CA LIMITS) - 1;
    TAKEN();
    assert_int_equal(trust.anchors[0].flags, BR_X509_TA_CA | ACME_ANCHOR_CONSTRAINED);
    assert_ptr_equal(trust.permits, acme_constraints_permit);
    assert_int_equal(acme_constraints_len(&trust.anchors[0]), 3 * 2 + 10 + 11 + 12 + 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(acme_anchor_permits(&trust.anchors[0], rows[i].host), rows[i].permitted);
    }
    for (size_t cap = 0; cap < 700; cap++) { /* memory ends anywhere */
        memset(memory, '#', 800);
        int n = read_it(cap);
        assert_true(n == 1 || n == ACME_E_WORK_SMALL);
        assert_memory_equal(memory + cap, "########", 8);
        assert_true(n < 0 || acme_anchor_permits(&trust.anchors[0], "a.ca.example"));
        refused += n < 0;
    }
    assert_in_range(refused, 300, 699);
}
