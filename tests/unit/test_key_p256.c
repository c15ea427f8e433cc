/* test_key_p256.c - the key in RAM: published signatures, OpenSSL as reader, writer and verifier, damage. */
#include "maker.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#include "wire/der.h"

static const struct acme_key_ops *const ops = &acme_key_p256_ops;

static EVP_PKEY *openssl_key(const char *hex)
{
    EC_KEY *ec = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    EVP_PKEY *key = EVP_PKEY_new();
    BIGNUM *n = NULL;
    EC_POINT *p = EC_POINT_new(EC_KEY_get0_group(ec));

    BN_hex2bn(&n, hex);
    EC_POINT_mul(EC_KEY_get0_group(ec), p, n, NULL, NULL, NULL);
    assert_true(EC_KEY_set_private_key(ec, n));
    assert_true(EC_KEY_set_public_key(ec, p));
    EVP_PKEY_assign_EC_KEY(key, ec);
    EC_POINT_free(p);
    BN_free(n);
    return key;
}

static void unhex(const char *hex, uint8_t *out)
{
    for (size_t i = 0; hex[i] != '\0'; i += 2) {
        char two[3] = {hex[i], hex[i + 1], '\0'};
        out[i / 2] = (uint8_t)strtoul(two, NULL, 16);
    }
}

/* RFC 6979, A.2.5. */
TEST(published_signatures)
{
    static const char *const cases[][2] = {
        {"sample", "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
                   "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"},
        {"test", "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367"
                 "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083"}};
    EVP_PKEY *theirs = openssl_key("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721");
    struct acme_key_p256 ours;
    uint8_t digest[32], want[64], got[64], point[65], want_x[32];

    maker_import(&ours, theirs);
    assert_int_equal(ops->point(&ours, point), 0);
    unhex("60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6", want_x);
    assert_memory_equal(point + 1, want_x, 32);
    for (int i = 0; i < 2; i++) {
        EVP_Digest(cases[i][0], strlen(cases[i][0]), digest, NULL, EVP_sha256(), NULL);
        unhex(cases[i][1], want);
        assert_int_equal(ops->sign(&ours, digest, got), 0);
        assert_memory_equal(got, want, 64);
    }
    EVP_PKEY_free(theirs);
}

/* A thousand keys: OpenSSL verifies what each signs and reads what each exports; among them are coordinates
 * and scalars with leading zeros. */
TEST(a_thousand_keys)
{
    struct acme_key_p256 ours, again;
    uint8_t digest[32], signature[64];
    char record[ACME_KEY_P256_RECORD_MAX];
    int zero_coordinates = 0;

    for (int i = 0; i < (SLOW_MACHINE ? 100 : 1000); i++) {
        EVP_PKEY *theirs;
        BIO *bio;
        int len;

        assert_int_equal(ops->generate(&ours, &maker_sys), 0);
        zero_coordinates += ours.point[1] == 0 || ours.point[33] == 0;
        maker_sys.random(NULL, digest, sizeof digest);
        assert_int_equal(ops->sign(&ours, digest, signature), 0);
        len = ops->save(&ours, record, sizeof record);
        assert_in_range(len, 200, sizeof record);
        bio = BIO_new_mem_buf(record, len);
        theirs = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
        assert_non_null(theirs);
        assert_true(EC_KEY_check_key(EVP_PKEY_get0_EC_KEY(theirs)));
        assert_true(maker_verify(theirs, digest, signature));
        digest[i % 32] ^= 1;
        assert_false(maker_verify(theirs, digest, signature));
        assert_int_equal(ops->load(&again, record, (size_t)len), 0);
        assert_memory_equal(&again, &ours, sizeof ours);
        BIO_free(bio);
        EVP_PKEY_free(theirs);
    }
    assert_true(SLOW_MACHINE || zero_coordinates > 0);
}

TEST(edge_scalars)
{
    static const char *const good[] = {"1", "2", "FF",
                                       "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632550"};
    static const char *const bad[] = {"0000000000000000000000000000000000000000000000000000000000000000",
                                      "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551",
                                      "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632552",
                                      "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"};
    struct acme_key_p256 ours;
    uint8_t digest[32] = {7}, signature[64];

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        EVP_PKEY *theirs = openssl_key(good[i]);
        maker_import(&ours, theirs);
        assert_int_equal(ops->sign(&ours, digest, signature), 0);
        assert_true(maker_verify(theirs, digest, signature));
        EVP_PKEY_free(theirs);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        /* ECPrivateKey with nothing but version and octets: no public key that could give it away. */
        uint8_t der[39] = {0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20};
        char pem[200] = "-----BEGIN EC PRIVATE KEY-----\n";
        unhex(bad[i], der + 7);
        EVP_EncodeBlock((unsigned char *)pem + strlen(pem), der, sizeof der);
        strcat(pem, "\n-----END EC PRIVATE KEY-----\n");
        memset(&ours, 1, sizeof ours);
        assert_int_equal(ops->load(&ours, pem, strlen(pem)), ACME_E_KEY_CORRUPT);
        assert_false(ours.ready);
        assert_int_equal(ours.scalar[5], 0);
    }
}

/* What openssl ecparam, genpkey and ec write; another curve; another kind of key. */
TEST(foreign_records)
{
    static const char parameters[] = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    EVP_PKEY *theirs = maker_ec("P-256");
    EVP_PKEY *others[3];
    struct acme_key_p256 ours;
    uint8_t digest[32] = {9}, signature[64];

    others[0] = maker_ec("P-384");
    others[1] = maker_ec("secp256k1");
    others[2] = maker_rsa(2048);
    for (int pkcs8 = 0; pkcs8 < 2; pkcs8++) {
        char *pem = maker_key_pem(theirs, pkcs8);
        char text[1024];
        for (int form = 0; form < 3; form++) {
            size_t len = 0;
            snprintf(text, sizeof text, "%s%s", form == 0 ? "" : parameters, pem);
            if (form == 2) { /* CRLF, and no end of the last line */
                char crlf[1024];
                for (const char *at = text; *at != '\0'; at++) {
                    if (*at == '\n') {
                        crlf[len++] = '\r';
                    }
                    crlf[len++] = *at;
                }
                memcpy(text, crlf, len);
                len -= 2;
            }
            assert_int_equal(ops->load(&ours, text, len != 0 ? len : strlen(text)), 0);
            assert_int_equal(ops->sign(&ours, digest, signature), 0);
            assert_true(maker_verify(theirs, digest, signature));
        }
        free(pem);
        for (int i = 0; i < 3; i++) {
            pem = maker_key_pem(others[i], pkcs8);
            assert_int_equal(ops->load(&ours, pem, strlen(pem)), ACME_E_KEY_CORRUPT);
            assert_int_equal(ops->sign(&ours, digest, signature), ACME_E_KEY);
            free(pem);
        }
    }
    assert_int_equal(ops->load(&ours, parameters, strlen(parameters)), ACME_E_KEY_CORRUPT);
    assert_int_equal(ops->load(&ours, "", 0), ACME_E_KEY_CORRUPT);
    for (int i = 0; i < 3; i++) {
        EVP_PKEY_free(others[i]);
    }
    EVP_PKEY_free(theirs);
}

/* A compressed public key is compared too. */
TEST(compressed_point)
{
    EVP_PKEY *theirs = maker_ec("P-256");
    EC_KEY *ec = EVP_PKEY_get1_EC_KEY(theirs);
    struct acme_key_p256 ours;
    BIO *bio = BIO_new(BIO_s_mem());
    uint8_t der[200];
    uint8_t *at = der;
    char pem[400] = "-----BEGIN EC PRIVATE KEY-----\n";
    int len;

    EC_KEY_set_conv_form(ec, POINT_CONVERSION_COMPRESSED);
    len = i2d_ECPrivateKey(ec, &at);
    for (int damage = 0; damage < 2; damage++) {
        der[len - 1] ^= (uint8_t)damage;
        pem[31] = '\0';
        EVP_EncodeBlock((unsigned char *)pem + strlen(pem), der, len);
        strcat(pem, "\n-----END EC PRIVATE KEY-----\n");
        assert_int_equal(ops->load(&ours, pem, strlen(pem)), damage ? ACME_E_KEY_CORRUPT : 0);
    }
    BIO_free(bio);
    EC_KEY_free(ec);
    EVP_PKEY_free(theirs);
}

static int import_der(struct acme_key_p256 *ours, const char *label, const uint8_t *der, int len)
{
    char body[400], pem[500];

    EVP_EncodeBlock((unsigned char *)body, der, len);
    snprintf(pem, sizeof pem, "-----BEGIN %s-----\n%s\n-----END %s-----\n", label, body, label);
    return ops->load(ours, pem, strlen(pem));
}

/* What is wrong with a compressed point: its number of unused bits, its sign, its length. */
TEST(bad_compressed_points)
{
    EVP_PKEY *theirs = maker_ec("P-256");
    EC_KEY *ec = EVP_PKEY_get1_EC_KEY(theirs);
    struct acme_key_p256 ours;
    uint8_t der[200], *at = der;

    EC_KEY_set_conv_form(ec, POINT_CONVERSION_COMPRESSED);
    int len = i2d_ECPrivateKey(ec, &at);
    assert_int_equal(import_der(&ours, "EC PRIVATE KEY", der, len), 0);
    der[len - 34] = 1;
    assert_int_equal(import_der(&ours, "EC PRIVATE KEY", der, len), ACME_E_KEY_CORRUPT);
    der[len - 34] = 0;
    der[len - 33] ^= 1;
    assert_int_equal(import_der(&ours, "EC PRIVATE KEY", der, len), ACME_E_KEY_CORRUPT);
    der[len - 33] ^= 1;
    der[1]--, der[len - 37]--, der[len - 35]--;
    assert_int_equal(import_der(&ours, "EC PRIVATE KEY", der, len - 1), ACME_E_KEY_CORRUPT);
    EC_KEY_free(ec);
    EVP_PKEY_free(theirs);
}

/* PrivateKeyInfo around a key: version 0 or 1, the algorithm is ours, and every part is what it has to be. */
TEST(bad_wrappings)
{
    static const uint8_t start[] = {0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13};
    static const struct {
        int at;
        uint8_t byte;
        int result;
    } changes[] = {{4, 0, 0},
                   {4, 1, 0},
                   {4, 2, ACME_E_KEY_CORRUPT},
                   {0, 0x31, ACME_E_KEY_CORRUPT},
                   {2, 0x03, ACME_E_KEY_CORRUPT},
                   {25, 0x08, ACME_E_KEY_CORRUPT},
                   {28, 0x31, ACME_E_KEY_CORRUPT}};
    static const uint8_t inner[] = {0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20};
    uint8_t der[68] = {0};
    struct acme_key_p256 ours;

    memcpy(der, start, sizeof start);
    memcpy(der + 7, acme_spki_p256 + ACME_SPKI_P256_ALGORITHM, ACME_SPKI_P256_ALGORITHM_LEN);
    memcpy(der + 26, inner, sizeof inner);
    der[66] = 5;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        uint8_t was = der[changes[i].at];
        der[changes[i].at] = changes[i].byte;
        assert_int_equal(import_der(&ours, "PRIVATE KEY", der, 67), changes[i].result);
        assert_int_equal(ours.ready, changes[i].result == 0);
        der[changes[i].at] = was;
    }
    memmove(der + 5, der + 4, 63); /* a version of two bytes */
    der[1] = 0x42, der[3] = 2;
    assert_int_equal(import_der(&ours, "PRIVATE KEY", der, 68), ACME_E_KEY_CORRUPT);
}

/* Bytes behind the last field, inside and outside. */
TEST(bytes_behind)
{
    struct acme_key_p256 ours;

    for (int way = 0; way < 3; way++) {
        uint8_t der[42] = {0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20, [38] = 1, [39] = 0x05};
        char pem[200] = "-----BEGIN EC PRIVATE KEY-----\n";
        der[1] = way == 1 ? 0x27 : 0x25;
        EVP_EncodeBlock((unsigned char *)pem + strlen(pem), der, way == 0 ? 39 : 41);
        strcat(pem, "\n-----END EC PRIVATE KEY-----\n");
        assert_int_equal(ops->load(&ours, pem, strlen(pem)), way == 0 ? 0 : ACME_E_KEY_CORRUPT);
    }
}

/* Every byte of a record changed in many ways, and every truncation: refused, or a key that works. */
TEST(damaged_records)
{
    struct acme_key_p256 key, ours;
    char record[ACME_KEY_P256_RECORD_MAX];
    uint8_t digest[32] = {3}, signature[64];
    int len, refused = 0;

    assert_int_equal(ops->generate(&key, &maker_sys), 0);
    len = ops->save(&key, record, sizeof record);
    for (int at = 0; at < len; at++) {
        static const char other[] = "\n-=A z";
        for (int way = 0; way < 8 + 6; way++) {
            char was = record[at];
            record[at] = way < 8 ? (char)(was ^ 1 << way) : other[way - 8];
            if (ops->load(&ours, record, (size_t)len) == 0) {
                EVP_PKEY *public_key = maker_public(ours.point);
                assert_int_equal(ops->sign(&ours, digest, signature), 0);
                assert_true(maker_verify(public_key, digest, signature));
                EVP_PKEY_free(public_key);
            } else {
                assert_false(ours.ready);
                refused++;
            }
            record[at] = was;
        }
    }
    assert_true(refused > 12 * len);
    for (int cut = 0; cut < len - 1; cut++) {
        assert_int_equal(ops->load(&ours, record, (size_t)cut), ACME_E_KEY_CORRUPT);
    }
    assert_int_equal(ops->load(&ours, record, (size_t)len - 1), 0); /* only the line's end is missing */
}

TEST(small_buffers)
{
    struct acme_key_p256 key;
    char record[ACME_KEY_P256_RECORD_MAX + 1];
    int len;

    memset(&key, 0, sizeof key);
    assert_int_equal(ops->save(&key, record, sizeof record), ACME_E_KEY);
    assert_int_equal(ops->point(&key, (uint8_t *)record), ACME_E_KEY);
    assert_int_equal(ops->generate(&key, &maker_sys), 0);
    len = ops->save(&key, record, sizeof record);
    assert_true(len > 0);
    for (int cap = 0; cap < len; cap++) {
        record[cap] = '#';
        assert_int_equal(ops->save(&key, record, (size_t)cap), ACME_E_KEY);
        assert_int_equal(record[cap], '#');
        assert_true(cap == 0 || record[0] == 0); /* no half of a key is left */
    }
}

static int calls;
static int bad_random(void *ctx, void *buf, size_t len)
{
    const char *kind = ctx;
    calls++;
    memset(buf, kind[0] == 's' ? 0xa5 : 0, len);
    if (kind[0] == 'r') { /* repeats: each draw the same, not constant */
        ((uint8_t *)buf)[3] = 1;
    }
    if (kind[0] == 'l') { /* late: the second draw is constant */
        ((uint8_t *)buf)[3] = calls % 2;
    }
    return kind[0] == 'f' || (kind[0] == 'o' && calls == 2) ? ACME_E_RANDOM : 0;
}

TEST(bad_entropy)
{
    static const char *const kinds[] = {"stuck", "zero", "repeats", "late", "fails", "once"};
    struct acme_key_p256 key;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        char kind[16];
        struct acme_sys sys = {kind, bad_random, NULL};
        strcpy(kind, kinds[i]);
        calls = 0;
        memset(&key, 1, sizeof key);
        assert_int_equal(ops->generate(&key, &sys), ACME_E_RANDOM);
        assert_false(key.ready);
    }
}

TEST(wiped)
{
    struct acme_key_p256 key, zero;

    memset(&zero, 0, sizeof zero);
    assert_int_equal(ops->generate(&key, &maker_sys), 0);
    acme_key_p256_wipe(&key);
    assert_memory_equal(&key, &zero, sizeof key);
}
