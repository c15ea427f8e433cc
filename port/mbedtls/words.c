/* words.c - Mbed TLS's errors for a person: what is to be done, where its number alone does not tell. */
#include "acme_mbedtls.h"

#include "wire/out.h"

static const char *words_of_chain(uint32_t flags)
{
    static const struct {
        uint32_t flag;
        const char *words;
    } rows[] = {
        {MBEDTLS_X509_BADCERT_FUTURE, "the server's certificate is not valid yet: is the clock behind?"},
        {MBEDTLS_X509_BADCERT_EXPIRED, "the server's certificate has expired: is the clock ahead?"},
        {MBEDTLS_X509_BADCERT_BAD_KEY, "a key in the chain is too weak (RSA below 2048 bits), or of another curve"},
        {MBEDTLS_X509_BADCERT_BAD_MD, "a signature in the chain is by SHA-1 or MD5"},
        {MBEDTLS_X509_BADCERT_BAD_PK, "a key in the chain is of a kind that is not accepted"},
        {MBEDTLS_X509_BADCERT_EXT_KEY_USAGE, "a certificate of the chain is not for TLS servers"},
        {MBEDTLS_X509_BADCERT_KEY_USAGE, "a certificate of the chain may not do what it does there"},
        {MBEDTLS_X509_BADCERT_NOT_TRUSTED, "the server's certificate is not trusted: no anchor for its chain, a "
                                           "wrong signature in it, or a bundle's refusal"},
        {MBEDTLS_X509_BADCERT_CN_MISMATCH, "the server's certificate is for another name"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if ((flags & rows[i].flag) != 0) {
            return rows[i].words;
        }
    }
    return "the server's certificate was not judged: is the verification switched off, or another callback set?";
}

static const char *words_of(const struct acme_mbedtls *m)
{
    switch (ACME_MBEDTLS_MODULE(m->code)) {
    case 0:
        return m->code != 0      ? "PSA Crypto failed and does not say why: memory was lacking, as a rule"
               : m->left_out > 0 ? "anchors were left out: damaged, name constraints, or unknown to this library"
                                 : "";
    case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED:
        return words_of_chain(m->flags);
    case MBEDTLS_ERR_X509_FATAL_ERROR:
        return "the server's certificate is not trusted: the certificate bundle has refused it";
    case MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE:
        return "the server splits a handshake message over records, which Mbed TLS before 3.6.3 does not join";
#if defined(MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE)
    case MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE:
        return "the server's signature in the handshake is wrong, or memory was lacking for looking at it";
#endif
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
        return "the server ended TLS with an alert: no common version or cipher suite, as a rule";
    case MBEDTLS_ERR_SSL_INVALID_RECORD:
        return "a record is damaged, no TLS, or longer than MBEDTLS_SSL_IN_CONTENT_LEN";
    case MBEDTLS_ERR_SSL_CONN_EOF:
        return "the server cut the connection";
    case MBEDTLS_ERR_SSL_INTERNAL_ERROR:
        return m->net_error != 0 ? "the network failed" : "random numbers failed, or PSA Crypto was not begun";
#if MBEDTLS_VERSION_NUMBER >= 0x04000000
    case PSA_ERROR_INVALID_SIGNATURE:
        return "the server's signature in the handshake is wrong";
    case MBEDTLS_ERR_PK_INVALID_PUBKEY:
        return "a certificate's key is damaged or of a kind that is not known, or memory was lacking for it";
    case MBEDTLS_ERR_ASN1_UNEXPECTED_TAG: /* the library says nothing closer */
#endif
    case MBEDTLS_ERR_X509_INVALID_EXTENSIONS:
        return "a certificate has a critical extension that Mbed TLS does not know, as name constraints";
    default:
        return "Mbed TLS failed";
    }
}

void acme_mbedtls_words(const struct acme_mbedtls *m, char *text, size_t cap)
{
    struct acme_out o;

    if (cap == 0) {
        return;
    }
    acme_out_init(&o, text, cap - 1);
    if (acme_mbedtls_no_memory(m->code)) {
        acme_out_text(&o, "out of memory");
        if (m->arena_len > 0) {
            acme_out_text(&o, "; the arena has ");
            acme_out_u32(&o, (uint32_t)m->arena_len);
            acme_out_text(&o, " bytes");
        }
    } else {
        acme_out_text(&o, words_of(m));
    }
    text[o.len] = '\0';
}
