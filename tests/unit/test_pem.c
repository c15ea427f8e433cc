/* test_pem.c - PEM: everything servers send in any split, damage, and the writer read back by OpenSSL. */
#include "maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#include "wire/pem.h"

/* Reads text in pieces of `step` and notes what happened as "B<label>", "E<length>" with what is there of
 * the contents, "!" and the error. */
static void trace(const char *text, size_t len, size_t step, size_t cap, char *out)
{
    uint8_t der[512];
    struct acme_pem pem;
    int event = 0;

    acme_pem_init(&pem, der, cap);
    *out = '\0';
    for (size_t at = 0; at < len;) {
        size_t n = len - at < step ? len - at : step;
        char *piece = malloc(n);
        size_t used = 0;
        memcpy(piece, text + at, n);
        event = acme_pem_read(&pem, piece, n, &used);
        free(piece);
        assert_in_range(used, 1, n);
        at += used;
        if (event == ACME_PEM_BEGIN) {
            pem.der = der;
            out += sprintf(out, "B%s ", pem.label);
        } else if (event == ACME_PEM_END) {
            out += sprintf(out, "E%u:%.*s ", (unsigned)pem.len, pem.der != NULL ? (int)pem.len : 0, (char *)pem.der);
        } else if (event < 0) {
            out += sprintf(out, "!%d ", event);
        } else {
            assert_int_equal(used, n);
        }
    }
    if (!acme_pem_outside(&pem)) {
        strcpy(out, "open");
    }
}

TEST(forms)
{
    static const char *const cases[][2] = {
        {"-----BEGIN A-----\nZm9v\n-----END A-----\n", "BA E3:foo "},
        {"-----BEGIN A-----\r\nZm9v\r\n-----END A-----\r\n", "BA E3:foo "},
        {"-----BEGIN A-----\nZm9v\n-----END A-----", "BA E3:foo "},
        {"-----BEGIN A-----\n-----END A-----", "BA E0: "},
        {"text\n-----BEGIN A-----\nZ\nm9\n\nvYg==\n-----END A-----\nmore\n\n-----BEGIN B "
         "C-----\nZm8=\n-----END B C-----\n",
         "BA E4:foob BB C E2:fo "},
        {"-----BEGIN A-----  \nZm 9v\t\n-----END A-----  \n-----BEGIN A-----\nZm9v\n-----END A-----\n",
         "BA E3:foo BA E3:foo "},
        {"\xef\xbb\xbf-----BEGIN A-----\rZm9v\r-----END A-----\r", "BA E3:foo "},
        {" \t-----BEGIN A-----\n  Zm9v\n  -----END A-----\n", "BA E3:foo "},
        {"-----BEGIN A-----\nZm9v\n-----END A----------BEGIN B-----\nZm9v\n-----END B-----", "BA E3:foo BB E3:foo "},
        {"-----BEGIN A-----\nZm9v\n-----END A----- -----BEGIN B-----\nZm9v\n-----END B-----", "BA E3:foo BB E3:foo "},
        {"-----BEGIN A-----\nZm9v\n-----END A-----x-----BEGIN B-----\nZm9v\n-----END B-----\n", "BA E3:foo !-103 "},
        {"-----BEGIN A----- Zm9v -----END A-----", "BA E3:foo "},
        {"-----BEGIN A-----Zm9v-----END A-----\n", "BA E3:foo "},
        {"# -----BEGIN A-----\n# Zm9v\n# -----END A-----\n", ""},
        {"------BEGIN A-----\nZm9v\n-----END A-----\n", "BA E3:foo "},
        {"--------\n-----BEGIN A-----\nZm9v\n-----END A-----\n", "BA E3:foo "},
        /* the BEGIN line is damaged: the END line tells */
        {"x-----BEGIN A-----\nZm9v\n-----END A-----\n", "!-103 "},
        {"-----BEGIN A\nZm9v\n-----END A-----\n-----BEGIN B-----\nZm9v\n-----END B-----\n", "!-103 BB E3:foo "},
        {"-----BEGIN A---\nZm9v\n-----END A-----\n", "!-103 "},
        {"-----BEGIN A---x\nZm9v\n-----END A-----\n", "!-103 "},
        {"----BEGIN A-----\n-----END A-----\n", "!-103 "},
        {"----BEGIN A-----\n-----END\n-----ENDE A", ""},
        {"-----BEGIN A----\nZm9v\n", ""},
        {"-----BEGIN A", "open"},
        {"-----BEGIN A\nZm9v\n", ""},
        /* a label too long to keep */
        {"-----BEGIN AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB-----\nZm9v\n-----END "
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB-----\n",
         "BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA E3:foo "},
        {"-----BEGIN AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB-----\nZm9v\n-----END "
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB\n-----BEGIN B-----\nZm9v\n-----END B-----\n",
         "BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA !-103 BB E3:foo "},
        {"-----BEGIN A-----\nZm9v\n", "BA open"},
        {"-----BEGIN A-----\nZm9v\n-----END A----", "BA open"},
        {"-----BEGIN A-----\nZm9v\n-----END A----\n-----BEGIN B-----\nZm9v\n-----END B-----\n",
         "BA !-103 BB E3:foo "},
        {"-----BEGIN A-----\nZm9v\n-----END B-----\n", "BA !-103 "},
        {"-----BEGIN A-----\nZm9v\n-----END AA-----\n", "BA !-103 "},
        {"-----BEGIN A-----\nZm9\n-----END A-----\n", "BA !-103 "},
        /* the rest of a damaged block is read over, to its end */
        {"-----BEGIN A------\nZm9v\n-----END A-----\n", "BA !-103 E0: "},
        {"-----BEGIN A-----\nZ===\n-----END A-----\n", "BA !-103 E0: "},
        {"-----BEGIN A-----\nZm8=Zm9v\n-----END A-----\n", "BA !-103 E2: "},
        {"-----BEGIN A-----\nZm8==\n-----END A-----\n", "BA !-103 E2: "},
        {"-----BEGIN A-----\nZm=v\n-----END A-----\n", "BA !-103 E0: "},
        {"-----BEGIN A-----\nProc-Type: 4\n-----END A-----\n-----BEGIN B-----\nZm9v\n-----END B-----\n",
         "BA !-103 E3: BB E3:foo "},
        {"-----BEGIN A-----\nZm9_\n-----END A-----\n", "BA !-103 E0: "},
        {"-----BEGIN A-----\nZm9vZm9vZm9vZm9vZm9vZm9v\n-----END A-----\n", "BA !-104 E15: "},
        /* END is missing: the next block is read */
        {"-----BEGIN A-----\nZm9v\n-----BEGIN B-----\nZm9v\n-----END B-----\n", "BA !-103 BB E3:foo "},
        {"-----BEGIN A-----\nZm9v-----BEGIN B-----\nZm9v\n-----END B-----\n", "BA !-103 BB E3:foo "},
        {"-----BEGIN A-----\nZm9v\n-----X\n-----BEGIN B-----\nZm9v\n-----END B-----\n", "BA !-103 BB E3:foo "},
    };
    char got[300];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t step = 1; step < 40; step++) {
            trace(cases[i][0], strlen(cases[i][0]), step, 16, got);
            assert_string_equal(got, cases[i][1]);
        }
    }
}

/* A block without a buffer is read over, whatever is in it, but its end is found. */
TEST(skipped)
{
    static const char text[] =
        "-----BEGIN A-----\n!!: not base64 - and longer ---- than any buffer here\n-----END A-----\n"
        "-----BEGIN B-----\nZm9v\n-----END B-----\n";
    struct acme_pem pem;
    uint8_t der[4];
    size_t used, at = 0;

    acme_pem_init(&pem, NULL, 0);
    assert_int_equal(acme_pem_read(&pem, text, sizeof text - 1, &used), ACME_PEM_BEGIN);
    at += used;
    assert_int_equal(acme_pem_read(&pem, text + at, sizeof text - 1 - at, &used), ACME_PEM_END);
    assert_int_equal(pem.len, 0);
    at += used;
    assert_int_equal(acme_pem_read(&pem, text + at, sizeof text - 1 - at, &used), ACME_PEM_BEGIN);
    at += used;
    pem.der = der;
    pem.cap = 3;
    assert_int_equal(acme_pem_read(&pem, text + at, sizeof text - 1 - at, &used), ACME_PEM_END);
    assert_int_equal(pem.len, 3);
    assert_memory_equal(der, "foo", 3);
}

TEST(kinds)
{
    static const struct {
        const char *label;
        enum acme_pem_kind kind;
    } labels[] = {
        {"CERTIFICATE", ACME_PEM_CERTIFICATE},
        {"X509 CERTIFICATE", ACME_PEM_CERTIFICATE},
        {"X.509 CERTIFICATE", ACME_PEM_CERTIFICATE},
        {"TRUSTED CERTIFICATE", ACME_PEM_WRAPPED},
        {"ATTRIBUTE CERTIFICATE", ACME_PEM_WRAPPED},
        {"PKCS7", ACME_PEM_WRAPPED},
        {"CMS", ACME_PEM_WRAPPED},
        {"CERTIFICATE REQUEST", ACME_PEM_OTHER},
        {"X509 CRL", ACME_PEM_OTHER},
        {"PRIVATE KEY", ACME_PEM_OTHER},
        {"certificate", ACME_PEM_OTHER},
        {"ERTIFICATE", ACME_PEM_OTHER},
        {"", ACME_PEM_OTHER},
    };

    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        char text[64];
        struct acme_pem pem;
        size_t used;

        acme_pem_init(&pem, NULL, 0);
        snprintf(text, sizeof text, "-----BEGIN %s-----", labels[i].label);
        assert_int_equal(acme_pem_read(&pem, text, strlen(text), &used), ACME_PEM_BEGIN);
        assert_int_equal(acme_pem_kind(&pem), labels[i].kind);
    }
}

#ifndef NO_OPENSSL
/* Every length: what is written, OpenSSL writes byte for byte, and the reader reads. */
TEST(written)
{
    uint8_t data[200], der[200];
    char buf[600];
    struct acme_out o;
    struct acme_pem pem;
    size_t used;

    maker_sys.random(NULL, data, sizeof data);
    for (size_t len = 1; len <= sizeof data; len++) {
        BIO *bio = BIO_new(BIO_s_mem());
        char *want;
        long want_len;

        PEM_write_bio(bio, "SOME THING", "", data, (long)len);
        want_len = BIO_get_mem_data(bio, &want);
        for (size_t cap = want_len > 70 ? (size_t)want_len - 70 : 0; cap < (size_t)want_len + 2; cap++) {
            memset(buf, '#', sizeof buf);
            acme_out_init(&o, buf, cap);
            acme_pem_write(&o, "SOME THING", data, len);
            assert_int_equal(o.overflow, cap < (size_t)want_len);
            assert_int_equal(buf[cap], '#');
        }
        assert_int_equal(o.len, want_len);
        assert_memory_equal(buf, want, want_len);
        BIO_free(bio);

        acme_pem_init(&pem, der, len);
        assert_int_equal(acme_pem_read(&pem, buf, o.len, &used), ACME_PEM_BEGIN);
        assert_string_equal(pem.label, "SOME THING");
        assert_int_equal(acme_pem_read(&pem, buf + used, o.len - used, &used), ACME_PEM_END);
        assert_int_equal(pem.len, len);
        assert_memory_equal(der, data, len);
    }
}
#endif
