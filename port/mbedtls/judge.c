/* judge.c - what Mbed TLS does not look at in a chain, or not in every version and configuration; and its errors as ours. */
#include "acme_mbedtls.h"

#include <string.h>

#include <mbedtls/asn1.h>
#include <mbedtls/md.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#if MBEDTLS_VERSION_NUMBER < 0x04000000
#include <mbedtls/bignum.h>
#include <mbedtls/cipher.h>
#include <mbedtls/ecp.h>
#endif

#include "wire/date.h"

#define DNS_NAME (MBEDTLS_ASN1_CONTEXT_SPECIFIC | 2) /* RFC 5280, 4.2.1.6 */

static int64_t seconds_of(const mbedtls_x509_time *t)
{
    return (int64_t)acme_date_days(t->year, t->mon, t->day) * 86400 + (int64_t)t->hour * 3600 + t->min * 60 + t->sec;
}

static bool is_anchor(const struct acme_mbedtls *m, const mbedtls_x509_crt *crt)
{
    const mbedtls_x509_crt *a = &m->anchors;

    while (a != NULL && a != crt) {
        a = a->next;
    }
    return a != NULL;
}

/* The library takes the common name where there is no alternative name; RFC 9525, 6.4, does not. */
static bool has_dns_name(const mbedtls_x509_crt *crt)
{
    const mbedtls_x509_sequence *name = &crt->subject_alt_names;

    while (name != NULL && name->buf.tag != DNS_NAME) {
        name = name->next;
    }
    return name != NULL && name->buf.len > 0;
}

/* Members that later versions call private. */
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#define SIGNED(member) MBEDTLS_PRIVATE(member)
#else
#define SIGNED(member) member
#endif

static bool is_named(const mbedtls_x509_crt *crt, const mbedtls_x509_buf *name)
{
    return crt->subject_raw.len == name->len && memcmp(crt->subject_raw.p, name->p, name->len) == 0;
}

#if MBEDTLS_VERSION_NUMBER >= 0x04000000
#define verify_ext(crt, ...) mbedtls_pk_verify_ext((crt)->SIGNED(sig_pk), __VA_ARGS__)
#else
#define verify_ext(crt, ...) mbedtls_pk_verify_ext((crt)->SIGNED(sig_pk), (crt)->SIGNED(sig_opts), __VA_ARGS__)
#endif

static int verify(mbedtls_x509_crt *crt, mbedtls_x509_crt *issuer)
{
    unsigned char hash[MBEDTLS_MD_MAX_SIZE];
    const mbedtls_md_info_t *md = mbedtls_md_info_from_type(crt->SIGNED(sig_md));
    int code = md != NULL ? mbedtls_md(md, crt->tbs.p, crt->tbs.len, hash) : 0;

    return md == NULL || code != 0 ? code
                                   : verify_ext(crt, &issuer->pk, crt->SIGNED(sig_md), hash, mbedtls_md_get_size(md),
                                                crt->SIGNED(sig).p, crt->SIGNED(sig).len);
}

/* A CA that may have issued it, by all that the library looks at but the signature. */
static bool may_issue(const mbedtls_x509_crt *crt)
{
    return crt->SIGNED(ca_istrue) != 0 && crt->SIGNED(max_pathlen) == 0 &&
           mbedtls_x509_crt_check_key_usage(crt, MBEDTLS_X509_KU_KEY_CERT_SIGN) == 0;
}

/* To the library a signature for which memory was lacking is a wrong one, and so the chain untrusted: it is asked again, and one
 * that is good now was not looked at then. */
static bool lacks_memory(mbedtls_x509_crt *crt, mbedtls_x509_crt *issuers)
{
    bool lacks = false;

    for (; issuers != NULL && !lacks; issuers = issuers->next) {
        int code = is_named(issuers, &crt->issuer_raw) ? verify(crt, issuers) : MBEDTLS_ERR_X509_CERT_VERIFY_FAILED;
        lacks = acme_mbedtls_no_memory(code) || (code == 0 && may_issue(issuers));
    }
    return lacks;
}

/* It is asked from the anchor down to the server's own certificate, with what the library has found wrong in *flags. */
int acme_mbedtls_judge(void *ctx, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
    struct acme_mbedtls *m = ctx;

    /* Whether the library looks at dates, and by what clock, depends on how it was built; ours is the one of the set-up. An
     * anchor's do not count: a device whose anchors cannot be changed is not to be cut off by them. */
    *flags &= ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE);
    if (!is_anchor(m, crt)) {
        *flags |= m->now > seconds_of(&crt->valid_to) ? MBEDTLS_X509_BADCERT_EXPIRED : 0u;
        *flags |= m->now < seconds_of(&crt->valid_from) ? MBEDTLS_X509_BADCERT_FUTURE : 0u;
    }
    /* Who is a CA for mail only has looked at no host names: asked of all, the library does of the last one only. */
    if (mbedtls_x509_crt_check_extended_key_usage(crt, MBEDTLS_OID_SERVER_AUTH,
                                                  MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH)) != 0) {
        *flags |= MBEDTLS_X509_BADCERT_EXT_KEY_USAGE;
    }
    if (depth == 0) {
        m->judged = true;
        *flags |= has_dns_name(crt) ? 0u : (uint32_t)MBEDTLS_X509_BADCERT_CN_MISMATCH;
    }
    m->flags |= *flags;
    if ((*flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0 &&
        (lacks_memory(crt, &m->anchors) || (!is_named(crt, &crt->issuer_raw) && lacks_memory(crt, crt->next)))) {
        return MBEDTLS_ERR_X509_ALLOC_FAILED;
    }
    return 0;
}

#if MBEDTLS_VERSION_NUMBER >= 0x04000000

/* One number says one thing, and what PSA says is given on. */
#define BAD_SIGNATURE PSA_ERROR_INVALID_SIGNATURE
#define of_asn1(code) ((code) <= MBEDTLS_ERR_ASN1_OUT_OF_DATA && (code) >= MBEDTLS_ERR_ASN1_INVALID_DATA)

bool acme_mbedtls_no_memory(int code)
{
    return code == PSA_ERROR_INSUFFICIENT_MEMORY;
}

#else

#define BAD_SIGNATURE MBEDTLS_ERR_ECP_VERIFY_FAILED
#define of_asn1(code) false

bool acme_mbedtls_no_memory(int code)
{
    int high = ACME_MBEDTLS_MODULE(code), low = code - high;

    return high == MBEDTLS_ERR_SSL_ALLOC_FAILED || high == MBEDTLS_ERR_X509_ALLOC_FAILED ||
           high == MBEDTLS_ERR_PK_ALLOC_FAILED || high == MBEDTLS_ERR_ECP_ALLOC_FAILED ||
           high == MBEDTLS_ERR_MD_ALLOC_FAILED || high == MBEDTLS_ERR_CIPHER_ALLOC_FAILED ||
           low == MBEDTLS_ERR_MPI_ALLOC_FAILED || low == MBEDTLS_ERR_ASN1_ALLOC_FAILED;
}

#endif

/* What a person has to do first: a wrong clock makes all certificates wrong, an unknown anchor may be of another's chain. */
static int error_of_chain(uint32_t flags)
{
    static const struct {
        uint32_t flags;
        int error;
    } rows[] = {
        {MBEDTLS_X509_BADCERT_FUTURE, ACME_E_TLS_EARLY},
        {MBEDTLS_X509_BADCERT_EXPIRED, ACME_E_TLS_DATES},
        {MBEDTLS_X509_BADCERT_BAD_KEY, ACME_E_TLS_WEAK},
        {MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_KEY_USAGE |
             MBEDTLS_X509_BADCERT_EXT_KEY_USAGE | MBEDTLS_X509_BADCERT_NS_CERT_TYPE,
         ACME_E_TLS_CERT},
        {MBEDTLS_X509_BADCERT_NOT_TRUSTED, ACME_E_TLS_UNTRUSTED},
        {MBEDTLS_X509_BADCERT_CN_MISMATCH, ACME_E_TLS_HOST},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if ((flags & rows[i].flags) != 0) {
            return rows[i].error;
        }
    }
    return ACME_E_TLS_CERT;
}

int acme_mbedtls_error(int code, uint32_t flags)
{
    int high = ACME_MBEDTLS_MODULE(code);

    if (high == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) {
        return error_of_chain(flags);
    }
    if (acme_mbedtls_no_memory(code)) {
        return ACME_E_TLS;
    }
    switch (high) {
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
    case MBEDTLS_ERR_SSL_CONN_EOF:
        return ACME_E_CLOSED;
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
        return ACME_E_TLS_ALERT;
    case MBEDTLS_ERR_SSL_INVALID_MAC:
    case MBEDTLS_ERR_SSL_INVALID_RECORD:
    case MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE:
        return ACME_E_TLS_RECORD;
    case -0x6E80: /* it has had three names */
        return ACME_E_TLS_VERSION;
    case -0x7A00: /* a bad certificate, and this as well */
        return ACME_E_TLS_CERT;
    case BAD_SIGNATURE:
        return ACME_E_TLS_SIGNATURE;
    default:
        /* X.509's own, -0x2080 to -0x2980, and those of the keys in it */
        return (high <= -0x2080 && high >= -0x2980) || (high <= -0x3980 && high >= -0x3F00) || of_asn1(code)
                   ? ACME_E_TLS_CERT
                   : ACME_E_TLS;
    }
}
