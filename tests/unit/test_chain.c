/* test_chain.c - chains in every form servers send them: any split, order, line ends, extra blocks; what is
 * refused. */
#include "maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/date.h"
#include "x509/chain.h"

enum { ROOT, INTER, UPPER, STRAY, LEAF, CERTS };

static struct acme_key_p256 key;
static EVP_PKEY *keys[CERTS];
static X509 *certs[CERTS];
static char *pems[CERTS];
static const char *const names[] = {"a.example", "b.example"};
static uint8_t memory[8192];
static char text[32768], stored[32768];
static size_t stored_len;
static int sink_error, sink_calls, fail_after;

static X509 *leaf_for(EVP_PKEY *k, const char *san, int64_t from, int64_t to)
{
    struct maker_spec spec = {.san = san,
                              .ca = MAKER_CA_FALSE,
                              .from = from,
                              .to = to,
                              .key = k,
                              .issuer = certs[INTER],
                              .issuer_key = keys[INTER]};
    return maker_certificate(&spec);
}

/* Root (RSA) -> upper -> intermediate -> leaf, and one that belongs to nothing. */
static int set_up(void **state)
{
    static const char *const titles[] = {"Root", "Inter", "Upper", "Stray"};
    static const int issuers[] = {ROOT, UPPER, ROOT, STRAY};
    static const int order[] = {ROOT, UPPER, INTER, STRAY};

    for (int n = 0; n < 4; n++) {
        int i = order[n];
        struct maker_spec spec = {.name = titles[i], .ca = MAKER_CA};
        keys[i] = i == ROOT ? maker_rsa(2048) : maker_ec(i == UPPER ? "P-384" : "P-256");
        spec.key = keys[i];
        spec.issuer = issuers[i] == i ? NULL : certs[issuers[i]];
        spec.issuer_key = keys[issuers[i]];
        certs[i] = maker_certificate(&spec);
        pems[i] = maker_pem(certs[i]);
    }
    assert_int_equal(acme_key_p256_ops.generate(&key, &maker_sys), 0);
    keys[LEAF] = maker_public(key.point);
    certs[LEAF] = leaf_for(keys[LEAF], "DNS:a.example,DNS:b.example", 0, 0);
    pems[LEAF] = maker_pem(certs[LEAF]);
    return 0;
}

static int tear_down(void **state)
{
    for (int i = 0; i < CERTS; i++) {
        X509_free(certs[i]);
        EVP_PKEY_free(keys[i]);
        free(pems[i]);
    }
    return 0;
}

static int sink(void *ctx, const void *data, size_t len)
{
    assert_ptr_equal(ctx, &stored);
    sink_calls++;
    assert_in_range(len, 1, 65);
    memcpy(stored + stored_len, data, len);
    stored_len += len;
    stored[stored_len] = '\0';
    return fail_after > 0 && sink_calls > fail_after ? ACME_E_STORE_WRITE : sink_error;
}

static int read_chain(const char *in, size_t len, size_t step, int64_t utc, size_t cap)
{
    struct acme_chain_want want = {.point = key.point, .names = names, .name_count = 2, .utc = utc};
    struct acme_chain chain;
    int err = 0;

    stored_len = 0;
    stored[0] = '\0';
    acme_chain_init(&chain, &want, memory, cap, sink, &stored);
    for (size_t at = 0; at < len && err == 0; at += step) {
        size_t n = len - at < step ? len - at : step;
        err = acme_chain_read(&chain, in + at, n);
    }
    if (err == 0) {
        err = acme_chain_end(&chain);
    }
    if (err == 0) {
        assert_int_equal(chain.not_before, MAKER_NOW - MAKER_DAY);
        assert_int_equal(chain.not_after, MAKER_NOW + 90 * MAKER_DAY);
    }
    return err;
}

/* Puts certificates together; `between` stands before, between and after them. */
static void put(const int *which, const char *between)
{
    strcpy(text, between);
    for (; *which >= 0; which++) {
        strcat(text, pems[*which]);
        strcat(text, between);
    }
}

static void stored_is(const int *which)
{
    static char want[32768];

    want[0] = '\0';
    for (; *which >= 0; which++) {
        strcat(want, pems[*which]);
    }
    assert_string_equal(stored, want);
}

/* Which certificates come, in which order, and which are stored. */
TEST(orders)
{
    static const int cases[][2][8] = {
        {{LEAF, -1}, {LEAF, -1}},
        {{LEAF, INTER, -1}, {LEAF, INTER, -1}},
        {{LEAF, INTER, UPPER, -1}, {LEAF, INTER, UPPER, -1}},
        {{LEAF, INTER, UPPER, ROOT, -1}, {LEAF, INTER, UPPER, ROOT, -1}},
        {{LEAF, INTER, UPPER, ROOT, STRAY, -1}, {LEAF, INTER, UPPER, ROOT, STRAY, -1}},
        {{LEAF, LEAF, INTER, -1}, {LEAF, INTER, -1}},
        {{LEAF, INTER, LEAF, UPPER, LEAF, -1}, {LEAF, INTER, UPPER, -1}},
        {{INTER, LEAF, -1}, {LEAF, INTER, -1}},
        {{INTER, UPPER, LEAF, -1}, {LEAF, INTER, UPPER, -1}},
        {{ROOT, UPPER, INTER, LEAF, -1}, {LEAF, INTER, UPPER, ROOT, -1}},
        {{UPPER, ROOT, STRAY, INTER, LEAF, -1}, {LEAF, INTER, UPPER, ROOT, -1}},
        {{STRAY, LEAF, INTER, -1}, {LEAF, INTER, -1}},
        {{INTER, LEAF, UPPER, -1}, {LEAF, INTER, UPPER, -1}},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put(cases[i][0], "");
        assert_int_equal(read_chain(text, strlen(text), 1000, MAKER_NOW, sizeof memory), 0);
        stored_is(cases[i][1]);
    }
}

/* The same chain in every clothing gives the same bytes, in any split. */
TEST(forms)
{
    static const int two[] = {LEAF, INTER, -1};
    static const char *const between[] = {
        "\n",
        "\n\n \n",
        "# a comment, with CERTIFICATE in it\n",
        "subject=/CN=x\nissuer=/CN=y\n",
        "\r\n",
        "-----BEGIN X509 CRL-----\n!!! not base64 !!!\n-----END X509 CRL-----\n",
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"};

    for (size_t i = 0; i < sizeof between / sizeof between[0]; i++) {
        put(two, between[i]);
        for (size_t step = 1; step < 200; step += step < 10 ? 1 : 37) {
            assert_int_equal(read_chain(text, strlen(text), step, MAKER_NOW, sizeof memory), 0);
            stored_is(two);
        }
    }
    put(two, "");
    assert_int_equal(read_chain(text, strlen(text) - 1, 64, MAKER_NOW, sizeof memory), 0); /* no final newline */
    stored_is(two);
}

/* Lines of 76, 1 or all characters, with LF, CRLF or CR. */
TEST(line_lengths)
{
    static const int two[] = {LEAF, INTER, -1};
    static const size_t widths[] = {1, 63, 64, 65, 76, 100000};
    static const char *const ends[] = {"\n", "\r\n", "\r"};

    for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++) {
        for (size_t e = 0; e < 3; e++) {
            char *out = text;
            for (int i = 0; two[i] >= 0; i++) {
                size_t column = 0;
                bool inside = false;
                for (const char *at = pems[two[i]]; *at != '\0'; at++) {
                    bool edge = *at == '-';
                    if (edge) {
                        if (inside && column > 0) {
                            out += sprintf(out, "%s", ends[e]);
                        }
                        at = strchr(at, '\n');
                        out += sprintf(out, "-----%s CERTIFICATE-----%s", inside ? "END" : "BEGIN", ends[e]);
                        inside = true;
                        column = 0;
                    } else if (*at != '\n') {
                        *out++ = *at;
                        if (++column == widths[w]) {
                            out += sprintf(out, "%s", ends[e]);
                            column = 0;
                        }
                    }
                }
            }
            assert_int_equal(read_chain(text, (size_t)(out - text), 50, MAKER_NOW, sizeof memory), 0);
            stored_is(two);
        }
    }
}

TEST(refused_leaves)
{
    static const struct {
        const char *san;
        int64_t from, to, utc;
        int error;
    } cases[] = {
        {"DNS:a.example", 0, 0, MAKER_NOW, ACME_E_CERT_NAMES},
        {"DNS:a.example,DNS:b.example,DNS:c.example", 0, 0, MAKER_NOW, ACME_E_CERT_NAMES},
        {"DNS:a.example,DNS:c.example", 0, 0, MAKER_NOW, ACME_E_CERT_NAMES},
        {"DNS:a.example,DNS:b.example,IP:10.0.0.1", 0, 0, MAKER_NOW, ACME_E_CERT_NAMES},
        {NULL, 0, 0, MAKER_NOW, ACME_E_CERT_NAMES},
        {"DNS:a.example,DNS:b.example", MAKER_NOW - 100, MAKER_NOW - 1, MAKER_NOW, ACME_E_CERT_DATES},
        {"DNS:a.example,DNS:b.example", MAKER_NOW - 100, MAKER_NOW, MAKER_NOW, ACME_E_CERT_DATES},
        {"DNS:a.example,DNS:b.example", MAKER_NOW + 100, MAKER_NOW + 99, MAKER_NOW, ACME_E_CERT_DATES},
        {"DNS:a.example,DNS:b.example", MAKER_NOW + 100, MAKER_NOW + 99, ACME_DATE_NONE, ACME_E_CERT_DATES},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        X509 *x = leaf_for(keys[LEAF], cases[i].san, cases[i].from, cases[i].to);
        char *pem = maker_pem(x);
        assert_int_equal(read_chain(pem, strlen(pem), 100, cases[i].utc, sizeof memory), cases[i].error);
        assert_int_equal(stored_len, 0);
        free(pem);
        X509_free(x);
    }
}

/* A start in the future, and an end before a clock that is not known: accepted. */
TEST(lenient_dates)
{
    struct acme_chain_want want = {.point = key.point, .names = names, .name_count = 2, .utc = MAKER_NOW};
    struct acme_chain chain;

    for (int i = 0; i < 3; i++) {
        int64_t from = i == 0 ? MAKER_NOW + 3600 : MAKER_NOW - 7200;
        X509 *x = leaf_for(keys[LEAF], "DNS:a.example,DNS:b.example", from, from + (i < 2 ? 3600 : 0));
        char *pem = maker_pem(x);
        want.utc = i == 0 ? MAKER_NOW : ACME_DATE_NONE;
        stored_len = 0;
        acme_chain_init(&chain, &want, memory, sizeof memory, sink, &stored);
        if (i == 2) { /* valid for no time at all */
            assert_int_equal(acme_chain_read(&chain, pem, strlen(pem)), ACME_E_CERT_DATES);
        } else {
            assert_int_equal(acme_chain_read(&chain, pem, strlen(pem)), 0);
            assert_int_equal(acme_chain_end(&chain), 0);
            assert_int_equal(chain.not_before, from);
            assert_int_equal(chain.count, 1);
            assert_string_equal(stored, pem);
        }
        free(pem);
        X509_free(x);
    }
}

TEST(no_leaf)
{
    static const int others[] = {INTER, UPPER, -1};
    EVP_PKEY *other = maker_ec("P-256");
    X509 *x = leaf_for(other, "DNS:a.example,DNS:b.example", 0, 0);
    char *pem = maker_pem(x);

    put(others, "");
    assert_int_equal(read_chain(text, strlen(text), 100, MAKER_NOW, sizeof memory), ACME_E_CERT_KEY);
    assert_int_equal(read_chain(pem, strlen(pem), 100, MAKER_NOW, sizeof memory), ACME_E_CERT_KEY);
    assert_int_equal(stored_len, 0);
    assert_int_equal(read_chain("", 0, 1, MAKER_NOW, sizeof memory), ACME_E_CERT_SYNTAX);
    assert_int_equal(read_chain("<html>no</html>", 15, 1, MAKER_NOW, sizeof memory), ACME_E_CERT_SYNTAX);
    free(pem);
    X509_free(x);
    EVP_PKEY_free(other);
}

/* Every truncation: refused, except where a whole certificate ends. */
TEST(truncated)
{
    static const int two[] = {LEAF, INTER, -1};
    size_t first = strlen(pems[LEAF]);
    size_t len;

    put(two, "");
    len = strlen(text);
    for (size_t cut = 0; cut < len; cut++) {
        int err = read_chain(text, cut, 4096, MAKER_NOW, sizeof memory);
        bool whole = (cut >= first - 1 && cut < first + strlen("-----BEGIN ")) || cut == len - 1;
        assert_int_equal(err, whole ? 0 : ACME_E_CERT_SYNTAX);
    }
}

/* A byte changed anywhere: never stored as something that is neither whole certificates nor refused. */
TEST(damaged)
{
    static const int two[] = {LEAF, INTER, -1};
    size_t len;

    put(two, "");
    len = strlen(text);
    for (size_t at = 0; at < len; at += 3) {
        char was = text[at];
        for (int way = 0; way < 4; way++) {
            text[at] = "-A\n!"[way];
            (void)read_chain(text, len, 4096, MAKER_NOW, sizeof memory);
            if (stored_len > 0) {
                assert_memory_equal(stored, "-----BEGIN CERTIFICATE-----\n", 28);
                assert_string_equal(stored + stored_len - 26, "-----END CERTIFICATE-----\n");
            }
        }
        text[at] = was;
    }
}

/* Memory from nothing to enough: too small is said, and nothing is written behind it. */
TEST(small_memory)
{
    static const int two[] = {INTER, LEAF, -1};
    static const int want[] = {LEAF, INTER, -1};
    size_t need, inter;

    free(maker_der(certs[LEAF], &need));
    free(maker_der(certs[INTER], &inter));
    need += inter;
    put(two, "");
    for (size_t cap = 0; cap < need + 5; cap += cap + 8 < need ? 7 : 1) {
        int err;
        memset(memory, '#', sizeof memory);
        err = read_chain(text, strlen(text), 4096, MAKER_NOW, cap);
        assert_int_equal(err, cap < need ? ACME_E_CERT_BIG : 0);
        assert_memory_equal(memory + cap, "########", 8);
        if (err == 0) {
            stored_is(want);
        }
    }
}

/* Two certificates that name each other as issuer, before the leaf: written once, not for ever. */
TEST(circle)
{
    struct maker_spec spec = {.name = "Inter", .ca = MAKER_CA, .key = keys[INTER], .issuer_key = keys[UPPER]};
    struct maker_spec other = {.name = "Upper", .ca = MAKER_CA, .key = keys[UPPER], .issuer_key = keys[INTER]};
    X509 *a, *b;
    char *pem_a, *pem_b;

    spec.issuer = certs[UPPER];
    a = maker_certificate(&spec);
    other.issuer = a;
    b = maker_certificate(&other);
    pem_a = maker_pem(a);
    pem_b = maker_pem(b);
    sprintf(text, "%s%s%s", pem_a, pem_b, pems[LEAF]);
    assert_int_equal(read_chain(text, strlen(text), 4096, MAKER_NOW, sizeof memory), 0);
    assert_int_equal(stored_len, strlen(text));
    free(pem_a);
    free(pem_b);
    X509_free(a);
    X509_free(b);
}

TEST(sink_fails)
{
    sink_error = ACME_E_STORE_WRITE;
    sink_calls = 0;
    assert_int_equal(read_chain(pems[LEAF], strlen(pems[LEAF]), 4096, MAKER_NOW, sizeof memory), ACME_E_STORE_WRITE);
    assert_int_equal(sink_calls, 1);
    sink_error = 0;
}

/* The store is full when the certificates that were held come after the leaf: no third one is tried. */
TEST(sink_fails_later)
{
    static const int all[] = {UPPER, INTER, LEAF, -1}, leaf[] = {LEAF, -1};

    put(leaf, "");
    sink_calls = 0;
    assert_int_equal(read_chain(text, strlen(text), 4096, MAKER_NOW, sizeof memory), 0);
    put(all, "");
    fail_after = sink_calls; /* the first line of the next certificate */
    sink_calls = 0;
    assert_int_equal(read_chain(text, strlen(text), 4096, MAKER_NOW, sizeof memory), ACME_E_STORE_WRITE);
    assert_int_equal(sink_calls, fail_after + 1);
    fail_after = 0;
}

/* A leaf that fits as it is, but not as the text it will be read back as. */
TEST(leaf_too_big_as_text)
{
    size_t len;
    uint8_t *der = maker_der(certs[LEAF], &len);

    for (size_t cap = len; cap < 2 * len; cap++) {
        int expected = cap < strlen(pems[LEAF]) ? ACME_E_CERT_BIG : 0;
        int got = read_chain(pems[LEAF], strlen(pems[LEAF]), 4096, MAKER_NOW, cap);
        if (cap < strlen(pems[LEAF]) || cap > strlen(pems[LEAF]) + 24) { /* a few bytes are lost to rounding */
            assert_int_equal(got, expected);
        }
        assert_int_equal(stored_len > 0, got == 0);
    }
    free(der);
}

AROUND(set_up, tear_down, NULL, NULL);

/* --- another chain for the same certificate */

static int lines_left;

static int keep(void *ctx, const void *data, size_t len)
{
    if (len == 0) {
        stored_len = 0;
    } else {
        memcpy(stored + stored_len, data, len);
    }
    stored_len += len;
    stored[stored_len] = '\0';
    return lines_left-- > 0 ? 0 : ACME_E_STORE_WRITE;
}

static int again(struct acme_chain *chain, const int *which)
{
    put(which, "");
    acme_chain_again(chain);
    int err = acme_chain_read(chain, text, strlen(text));
    return err != 0 ? err : acme_chain_end(chain);
}

static void first(struct acme_chain *chain, unsigned (*rank)(const void *, struct acme_slice, unsigned),
                  const void *ctx, size_t cap)
{
    static const int two[] = {LEAF, INTER, -1};
    struct acme_chain_want want = {
        .point = key.point, .names = names, .name_count = 2, .utc = MAKER_NOW, .choice = {rank, ctx}};
    stored_len = 0;
    lines_left = 10000;
    put(two, "");
    acme_chain_init(chain, &want, memory, cap, keep, NULL);
    assert_int_equal(acme_chain_read(chain, text, strlen(text)), 0);
    assert_int_equal(acme_chain_end(chain), 0);
    stored_is(two);
}

/* What is nearer to the wish takes the other's place, whole and in order; all else leaves it as it was. */
TEST(alternates)
{
    static const int none[] = {-1}, stray[] = {STRAY, LEAF, -1}, alone[] = {LEAF, -1}, two[] = {LEAF, INTER, -1};
    static const int mixed[] = {LEAF, UPPER, STRAY, INTER, -1}, three[] = {LEAF, INTER, UPPER, -1};
    struct acme_chain chain;

    first(&chain, acme_prefer_name, "Root", sizeof memory);
    assert_int_equal(chain.rank, ACME_RANK_USELESS);
    assert_int_equal(again(&chain, none), ACME_E_CERT_SYNTAX);
    assert_int_equal(again(&chain, stray), ACME_E_CERT_KEY);
    assert_int_equal(again(&chain, alone), 0);
    stored_is(two);
    assert_int_equal(chain.count, 2);
    assert_int_equal(again(&chain, mixed), 0); /* what leads nowhere is left out */
    stored_is(three);
    assert_int_equal(chain.count, 3);
    assert_int_equal(chain.rank, 0);
    assert_int_equal(again(&chain, two), 0);
    stored_is(three);
    assert_false(acme_chain_torn(&chain));
    assert_int_equal(chain.not_before, MAKER_NOW - MAKER_DAY);
    assert_int_equal(chain.not_after, MAKER_NOW + 90 * MAKER_DAY);

    first(&chain, acme_prefer_shortest, NULL, sizeof memory);
    assert_int_equal(chain.rank, 1);
    assert_int_equal(again(&chain, three), 0);
    stored_is(two);
    assert_int_equal(again(&chain, alone), 0);
    stored_is(alone);
    assert_int_equal(chain.rank, 0);
}

/* Another certificate for the same key and names is not the same leaf. */
TEST(alternates_of_another_leaf)
{
    struct acme_chain chain;
    X509 *x = leaf_for(keys[LEAF], "DNS:a.example,DNS:b.example", 0, 0);
    char *pem = maker_pem(x);

    first(&chain, acme_prefer_name, "Root", sizeof memory);
    acme_chain_again(&chain);
    assert_int_equal(acme_chain_read(&chain, pem, strlen(pem)), ACME_E_CERT_KEY);
    free(pem);
    X509_free(x);
}

/* An alternate has to fit into the memory as a whole; one that cannot be written tears what was there. */
TEST(alternates_that_go_wrong)
{
    static const int three[] = {LEAF, INTER, UPPER, -1}, two[] = {LEAF, INTER, -1};
    struct acme_chain chain;

    first(&chain, acme_prefer_name, "Root", 1100);
    assert_int_equal(again(&chain, three), ACME_E_CERT_BIG);
    stored_is(two);
    assert_false(acme_chain_torn(&chain));
    for (int lines = 0; lines < 4; lines++) {
        first(&chain, acme_prefer_name, "Root", sizeof memory);
        lines_left = lines;
        assert_int_equal(again(&chain, three), ACME_E_STORE_WRITE);
        assert_true(acme_chain_torn(&chain));
    }
    lines_left = 10000;
    assert_int_equal(again(&chain, three), 0); /* the rank is the new one's all the same */
}

/* Which issuer names have this common name: its bytes, nothing near them. */
TEST(preferred_names)
{
#define CN(tag, ...) "\x06\x03\x55\x04\x03" tag __VA_ARGS__
    static const struct {
        const char *der;
        size_t len;
        unsigned rank;
    } rows[] = {
#define ROW(text, rank) {text, sizeof text - 1, rank}
        ROW("\x31\x0d\x30\x0b" CN("\x0c\x04", "Root"), 0),
        ROW("\x31\x0d\x30\x0b" CN("\x13\x04", "Root"), 0),
        ROW("\x31\x0d\x30\x0b" CN("\x13\x04", "root"), ACME_RANK_USELESS),
        ROW("\x31\x0c\x30\x0a" CN("\x13\x03", "Roo"), ACME_RANK_USELESS),
        ROW("\x31\x0e\x30\x0c" CN("\x13\x05", "Root2"), ACME_RANK_USELESS),
        ROW("\x31\x0d\x30\x0b\x06\x03\x55\x04\x0a\x0c\x04Root", ACME_RANK_USELESS), /* organization */
        ROW("\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02XX\x31\x0d\x30\x0b" CN("\x0c\x04", "Root"), 0),
        ROW("\x31\x18\x30\x09\x06\x03\x55\x04\x06\x13\x02XX\x30\x0b" CN("\x0c\x04", "Root"), 0),
        ROW("\x31\x07\x30\x05" CN("", ""), ACME_RANK_USELESS),
        ROW("\x31\x02\x30\x00", ACME_RANK_USELESS),
        ROW("\x31\x0d\x30\x0b\x05\x03\x55\x04\x03\x0c\x04Root", ACME_RANK_USELESS),
        ROW("\x30\x0d\x30\x0b" CN("\x0c\x04", "Root"), ACME_RANK_USELESS),
        ROW("\x31\x0d\x30\x0b" CN("\x0c\x04", "Roo"), ACME_RANK_USELESS),
        ROW("", ACME_RANK_USELESS),
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(acme_prefer_name("Root", acme_slice(rows[i].der, rows[i].len), 2), rows[i].rank);
    }
}
