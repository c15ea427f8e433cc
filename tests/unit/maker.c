/* maker.c - see maker.h. */
#include "maker.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/rsa.h>

long maker_serial = 1000;

EVP_PKEY *maker_ec(const char *curve)
{
    EVP_PKEY *key = EVP_EC_gen(curve);
    assert_non_null(key);
    return key;
}

EVP_PKEY *maker_rsa(int bits)
{
    EVP_PKEY *key = EVP_RSA_gen((unsigned)bits);
    assert_non_null(key);
    return key;
}

static void extend(X509 *x, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *e;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(e);
    assert_true(X509_add_ext(x, e, -1));
    X509_EXTENSION_free(e);
}

X509 *maker_certificate(const struct maker_spec *spec)
{
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);
    int64_t from = spec->from != 0 ? spec->from : MAKER_NOW - MAKER_DAY;
    int64_t to = spec->to != 0 ? spec->to : MAKER_NOW + 90 * MAKER_DAY;

    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), maker_serial++);
    ASN1_TIME_set(X509_getm_notBefore(x), from);
    ASN1_TIME_set(X509_getm_notAfter(x), to);
    if (spec->name != NULL) {
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)spec->name, -1, -1, 0);
    }
    X509_set_issuer_name(x, spec->issuer != NULL ? X509_get_subject_name(spec->issuer) : name);
    X509_set_pubkey(x, spec->key);
    if (spec->ca == MAKER_CA) {
        extend(x, NID_basic_constraints, "critical,CA:TRUE");
        extend(x, NID_key_usage, "critical,keyCertSign,cRLSign");
    } else if (spec->ca == MAKER_CA_FALSE) {
        extend(x, NID_basic_constraints, "critical,CA:FALSE");
    }
    if (spec->san != NULL) {
        extend(x, NID_subject_alt_name, spec->san);
    }
    if (spec->key_id != NULL) {
        extend(x, NID_authority_key_identifier, spec->key_id);
    }
    assert_true(X509_sign(x, spec->issuer != NULL ? spec->issuer_key : spec->key,
                          spec->digest != NULL ? spec->digest : EVP_sha256()) > 0);
    return x;
}

uint8_t *maker_der(X509 *certificate, size_t *len)
{
    int n = i2d_X509(certificate, NULL);
    uint8_t *der = malloc((size_t)n);
    uint8_t *at = der;

    assert_non_null(der);
    assert_int_equal(i2d_X509(certificate, &at), n);
    *len = (size_t)n;
    return der;
}

static char *bio_text(BIO *bio)
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    char *text = malloc((size_t)len + 1);

    assert_non_null(text);
    memcpy(text, data, (size_t)len);
    text[len] = '\0';
    BIO_free(bio);
    return text;
}

char *maker_pem(X509 *certificate)
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert_true(PEM_write_bio_X509(bio, certificate));
    return bio_text(bio);
}

char *maker_key_pem(EVP_PKEY *key, int pkcs8)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (pkcs8) {
        assert_true(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL));
    } else {
        assert_true(PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL));
    }
    return bio_text(bio);
}

EVP_PKEY *maker_public(const uint8_t point[65])
{
    EC_KEY *ec = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    EVP_PKEY *key = EVP_PKEY_new();

    assert_true(EC_KEY_oct2key(ec, point, 65, NULL));
    assert_true(EVP_PKEY_assign_EC_KEY(key, ec));
    return key;
}

void maker_import(struct acme_key_p256 *ours, EVP_PKEY *theirs)
{
    char *pem = maker_key_pem(theirs, 1);
    assert_int_equal(acme_key_p256_ops.load(ours, pem, strlen(pem)), 0);
    free(pem);
}

int maker_verify(EVP_PKEY *key, const uint8_t digest[32], const uint8_t signature[64])
{
    ECDSA_SIG *sig = ECDSA_SIG_new();
    EC_KEY *ec = EVP_PKEY_get1_EC_KEY(key);
    int ok;

    ECDSA_SIG_set0(sig, BN_bin2bn(signature, 32, NULL), BN_bin2bn(signature + 32, 32, NULL));
    ok = ECDSA_do_verify(digest, 32, sig, ec);
    EC_KEY_free(ec);
    ECDSA_SIG_free(sig);
    return ok == 1;
}

struct maker_chain maker_server(const char *san)
{
    struct maker_chain c = {.root_key = maker_ec("P-256"), .leaf_key = maker_ec("P-256")};
    struct maker_spec root = {.name = "Root", .ca = MAKER_CA, .key = c.root_key};
    c.chain[1] = maker_certificate(&root);
    struct maker_spec leaf = {.san = san, .key = c.leaf_key, .issuer = c.chain[1], .issuer_key = c.root_key};
    c.chain[0] = maker_certificate(&leaf);
    return c;
}

void maker_chain_free(struct maker_chain *c)
{
    X509_free(c->chain[0]);
    X509_free(c->chain[1]);
    EVP_PKEY_free(c->root_key);
    EVP_PKEY_free(c->leaf_key);
}
