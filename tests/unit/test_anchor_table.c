/* test_anchor_table.c - trust anchors that the vendor signs: what is used in the end, whatever lies in the slots. */
#include "unit.h"

#include "tls_server.h"

#include <stdlib.h>
#include <string.h>

#include "roots/constraints.h"
#include "roots/roots.h"
#include "secure/digest.h"
#include "secure/tls.h"
#include "tools/table.h"

#define HOST "ca.example"
#define HEAD 20
#define MAX  4096

enum { OLD_ROOT, NEW_ROOT, RSA_ROOT, P384_ROOT, BOUND_ROOT, SERVER, ROOTS };

static EVP_PKEY *keys[ROOTS], *vendor, *stranger, *leaf_key;
static X509 *roots[ROOTS], *leaf;
static struct acme_key_p256 vendor_key, stranger_key;
static struct acme_trust built_in;
static unsigned char built_in_memory[4096];
static struct acme_anchor_origin origin;
static br_x509_trust_anchor room[8];
static struct acme_anchor_choice choice;

struct table {
    uint8_t at[MAX];
    size_t len;
};
static struct table first, second, replacing, all_kinds;

static void write_table(struct table *t, uint32_t serial, bool replaces, X509 *const *of, size_t count,
                        struct acme_key_p256 *key)
{
    static unsigned char memory[8192];
    struct acme_trust trust;
    struct acme_out o;

    tls_server_trust(&trust, memory, sizeof memory, of, count);
    acme_out_init(&o, t->at, sizeof t->at);
    assert_int_equal(acme_table_write(&o, &trust, serial, replaces, key), 0);
    t->len = o.len;
}

/* Signs what was changed by hand: a vendor's mistake, or a table of a later tool. */
static void sign_again(struct table *t)
{
    struct acme_slice most = acme_slice(t->at, t->len - 64);
    uint8_t digest[32];

    t->at[18] = (uint8_t)(t->len >> 8);
    t->at[19] = (uint8_t)t->len;
    acme_sha256(&most, 1, digest);
    assert_int_equal(acme_key_p256_ops.sign(&vendor_key, digest, t->at + most.len), 0);
}

static X509 *make_root(int i)
{
    static const char *const names[] = {"Old", "New", "Rsa", "P384", "Bound", "server.example"};
    /* The built-in one has expired: nobody asks an anchor for its dates, but its CA will have another. */
    struct maker_spec spec = {.name = names[i],
                              .ca = i == SERVER ? MAKER_CA_ABSENT : MAKER_CA,
                              .key = keys[i],
                              .from = MAKER_NOW - 900 * MAKER_DAY};
    X509 *x;

    spec.to = i == OLD_ROOT ? MAKER_NOW - MAKER_DAY : 0;
    x = maker_certificate(&spec);
    if (i == BOUND_ROOT) {
        X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_name_constraints,
                                                "critical,permitted;DNS:example.org,excluded;DNS:x.org");
        assert_true(X509_add_ext(x, e, -1) && X509_sign(x, keys[i], EVP_sha256()) > 0);
        X509_EXTENSION_free(e);
    }
    return x;
}

static int set_up(void **state)
{
    struct maker_spec spec = {.name = HOST, .san = "DNS:" HOST, .ca = MAKER_CA_FALSE};
    static uint8_t point[65];

    for (int i = 0; i < ROOTS; i++) {
        keys[i] = i == RSA_ROOT ? maker_rsa(2048) : maker_ec(i == P384_ROOT ? "P-384" : "P-256");
        roots[i] = make_root(i);
    }
    leaf_key = spec.key = maker_ec("P-256");
    spec.issuer = roots[NEW_ROOT];
    spec.issuer_key = keys[NEW_ROOT];
    leaf = maker_certificate(&spec);
    vendor = maker_ec("P-256");
    stranger = maker_ec("P-256");
    maker_import(&vendor_key, vendor);
    maker_import(&stranger_key, stranger);
    assert_int_equal(acme_key_p256_ops.point(&vendor_key, point), 0);
    tls_server_trust(&built_in, built_in_memory, sizeof built_in_memory, roots, 1);
    origin = (struct acme_anchor_origin){&built_in, 0, point};
    write_table(&first, 1, false, &roots[RSA_ROOT], 1, &vendor_key);
    write_table(&second, 2, false, &roots[NEW_ROOT], 1, &vendor_key);
    write_table(&replacing, 3, true, &roots[NEW_ROOT], 1, &vendor_key);
    write_table(&all_kinds, 4, true, &roots[NEW_ROOT], 5, &vendor_key);
    return 0;
}

static int tear_down(void **state)
{
    for (int i = 0; i < ROOTS; i++) {
        X509_free(roots[i]);
        EVP_PKEY_free(keys[i]);
    }
    X509_free(leaf);
    EVP_PKEY_free(leaf_key);
    EVP_PKEY_free(vendor);
    EVP_PKEY_free(stranger);
    return 0;
}

/* --- what is chosen --- */

static void choose(const void *one, size_t one_len, const void *two, size_t two_len)
{
    struct acme_anchor_slot slots[] = {{one, one_len}, {two, two_len}};

    memset(room, 0x5c, sizeof room);
    acme_anchor_table_choose(&choice, &origin, slots, 2, room, sizeof room / sizeof *room);
}

static void built_in_is_used(int error)
{
    assert_ptr_equal(choice.trust.anchors, built_in.anchors);
    assert_int_equal(choice.trust.count, 1);
    assert_int_equal(choice.slot, -1);
    assert_int_equal(choice.serial, origin.serial);
    assert_int_equal(choice.error, error);
}

static void table_is_used(int slot, uint32_t serial, size_t count, int error)
{
    assert_ptr_equal(choice.trust.anchors, room);
    assert_int_equal(choice.trust.count, count);
    assert_int_equal(choice.slot, slot);
    assert_int_equal(choice.serial, serial);
    assert_int_equal(choice.error, error);
}

static int accepts(const struct table *t, size_t len)
{
    return acme_anchor_table_accept(&choice, &origin, t->at, len);
}

TEST(nothing_there)
{
    uint8_t erased[100];

    memset(erased, 0xff, sizeof erased);
    choose(NULL, 0, erased, sizeof erased);
    built_in_is_used(0);
    acme_anchor_table_choose(&choice, &origin, NULL, 0, NULL, 0);
    built_in_is_used(0);
}

/* The newest one, in whichever slot it is; in flash there is something behind it. */
TEST(newest_counts)
{
    choose(first.at, first.len, NULL, 0);
    table_is_used(0, 1, 2, 0);
    choose(first.at, sizeof first.at, second.at, sizeof second.at);
    table_is_used(1, 2, 2, 0);
    choose(second.at, second.len, first.at, first.len);
    table_is_used(0, 2, 2, 0);
    assert_memory_equal(&room[0], &built_in.anchors[0], sizeof room[0]);
    choose(second.at, second.len, replacing.at, replacing.len);
    table_is_used(1, 3, 1, 0);
}

TEST(older_is_refused)
{
    choose(second.at, second.len, NULL, 0);
    assert_int_equal(accepts(&first, first.len), ACME_E_TABLE_OLD);
    assert_int_equal(accepts(&second, second.len), ACME_E_TABLE_OLD);
    assert_int_equal(accepts(&replacing, replacing.len), 0);
    /* An image may be newer than what is stored. */
    origin.serial = 2;
    choose(second.at, second.len, first.at, first.len);
    built_in_is_used(0);
    assert_int_equal(accepts(&second, second.len), ACME_E_TABLE_OLD);
    origin.serial = 0;
}

TEST(foreign_signature)
{
    struct table t;

    write_table(&t, 9, true, &roots[NEW_ROOT], 1, &stranger_key);
    choose(t.at, t.len, second.at, second.len);
    table_is_used(1, 2, 2, ACME_E_TABLE_SIGNATURE);
    assert_int_equal(accepts(&t, t.len), ACME_E_TABLE_SIGNATURE);
    choose(t.at, t.len, NULL, 0);
    built_in_is_used(ACME_E_TABLE_SIGNATURE);
}

/* Any byte that is another one: the built-in anchors. */
TEST(changed_bytes)
{
    for (size_t i = 0; i < second.len; i++) {
        struct table t = second;
        t.at[i] ^= 1u << i % 8;
        choose(t.at, t.len, NULL, 0);
        assert_true(choice.error == ACME_E_TABLE || choice.error == ACME_E_TABLE_SIGNATURE ||
                    (choice.error == 0 && i >= 12 && i < 16)); /* an older one, it says */
        built_in_is_used(choice.error);
    }
}

/* Power is cut at any byte while a newer one is written: over nothing, over erased flash, over an older one. */
TEST(torn)
{
    for (size_t i = 0; i < replacing.len; i++) {
        struct table t;
        choose(second.at, second.len, replacing.at, i);
        table_is_used(0, 2, 2, i == 0 ? 0 : ACME_E_TABLE);
        choose(replacing.at, i, NULL, 0);
        built_in_is_used(i == 0 ? 0 : ACME_E_TABLE);
        for (int over = 0; over < 2; over++) {
            memset(t.at, 0xff, sizeof t.at);
            memcpy(t.at, first.at, over == 0 ? 0 : first.len);
            memcpy(t.at, replacing.at, i);
            if (memcmp(t.at, replacing.at, replacing.len) == 0) {
                continue; /* what was lost was there by chance */
            }
            choose(t.at, sizeof t.at, second.at, second.len);
            table_is_used(1, 2, 2, choice.error);
            assert_true(choice.error != 0 || i == 0 || over == 1);
        }
    }
}

TEST(no_room)
{
    struct acme_anchor_slot slots[] = {{second.at, second.len}, {replacing.at, replacing.len}};

    acme_anchor_table_choose(&choice, &origin, slots, 1, room, 1);
    built_in_is_used(ACME_E_WORK_SMALL);
    assert_int_equal(accepts(&second, second.len), ACME_E_WORK_SMALL);
    acme_anchor_table_choose(&choice, &origin, slots, 2, room, 1);
    table_is_used(1, 3, 1, ACME_E_WORK_SMALL);
    acme_anchor_table_choose(&choice, &origin, slots, 2, NULL, 0);
    built_in_is_used(ACME_E_WORK_SMALL);
}

/* --- what is in a table --- */

static void same_anchor(const br_x509_trust_anchor *a, const br_x509_trust_anchor *b)
{
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->dn.len, b->dn.len);
    assert_memory_equal(a->dn.data, b->dn.data, b->dn.len + acme_constraints_len(b));
    assert_int_equal(a->pkey.key_type, b->pkey.key_type);
    if (b->pkey.key_type == BR_KEYTYPE_RSA) {
        assert_int_equal(a->pkey.key.rsa.nlen, b->pkey.key.rsa.nlen);
        assert_memory_equal(a->pkey.key.rsa.n, b->pkey.key.rsa.n, b->pkey.key.rsa.nlen);
        assert_int_equal(a->pkey.key.rsa.elen, b->pkey.key.rsa.elen);
        assert_memory_equal(a->pkey.key.rsa.e, b->pkey.key.rsa.e, b->pkey.key.rsa.elen);
    } else {
        assert_int_equal(a->pkey.key.ec.curve, b->pkey.key.ec.curve);
        assert_int_equal(a->pkey.key.ec.qlen, b->pkey.key.ec.qlen);
        assert_memory_equal(a->pkey.key.ec.q, b->pkey.key.ec.q, b->pkey.key.ec.qlen);
    }
}

TEST(every_kind)
{
    static unsigned char memory[8192];
    struct acme_trust trust;
    struct acme_slice most = acme_slice(all_kinds.at, all_kinds.len - 64);
    uint8_t digest[32];

    tls_server_trust(&trust, memory, sizeof memory, &roots[NEW_ROOT], 5);
    choose(all_kinds.at, all_kinds.len, NULL, 0);
    table_is_used(0, 4, 5, 0);
    for (size_t i = 0; i < 5; i++) {
        same_anchor(&room[i], &trust.anchors[i]);
    }
    acme_sha256(&most, 1, digest);
    assert_int_equal(maker_verify(vendor, digest, all_kinds.at + most.len), 1);
}

/* An anchor's constraints come with it, and the built-in ones' stay with these. */
TEST(constrained)
{
    struct acme_trust bound = built_in;

    choose(all_kinds.at, all_kinds.len, NULL, 0);
    assert_ptr_equal(choice.trust.permits, acme_constraints_permit);
    assert_true(acme_anchor_permits(&room[3], "a.example.org") && !acme_anchor_permits(&room[3], HOST));
    choose(second.at, second.len, NULL, 0);
    assert_null(choice.trust.permits);
    bound.permits = acme_constraints_permit;
    origin.trust = &bound;
    choose(second.at, second.len, NULL, 0);
    assert_ptr_equal(choice.trust.permits, acme_constraints_permit);
    choose(replacing.at, replacing.len, NULL, 0);
    assert_null(choice.trust.permits);
    origin.trust = &built_in;
}

/* Signed all the same: a vendor's mistake, or a later tool. Of the last one byte of `second`, at: value, is it a table? */
TEST(malformed)
{
    size_t name = second.at[HEAD + 3], key = HEAD + 10 + name;
    const struct {
        size_t at;
        int value;
    } edits[] = {
        {8, 2}, /* version */
        {9, 2}, /* flags */
        {11, 0},
        {11, 2},       /* count */
        {HEAD, 2},     /* flags */
        {HEAD + 1, 0}, /* kinds of keys */
        {HEAD + 1, 1}, /* an RSA key of 65 bytes */
        {HEAD + 1, 24},
        {HEAD + 1, 25},
        {HEAD + 1, 255},
        {HEAD + 2, 1}, /* a name that is too long */
        {HEAD + 3, 0}, /* none; all behind it moves */
        {HEAD + 3, (int)name - 1},
        {HEAD + 5, 1}, /* constraints that are none */
        {HEAD + 6, 1},
        {HEAD + 7, 64},
        {HEAD + 7, 66},
        {HEAD + 9, 1}, /* an exponent */
        {key, 2},      /* a point in another form */
    };

    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        struct table t = second;
        t.at[edits[i].at] = (uint8_t)edits[i].value;
        sign_again(&t);
        choose(t.at, t.len, NULL, 0);
        built_in_is_used(ACME_E_TABLE);
        assert_int_equal(accepts(&t, t.len), ACME_E_TABLE);
    }
    struct table t = second;
    sign_again(&t);
    assert_int_equal(accepts(&t, t.len), 0);
    t.len += 1; /* a byte between anchors and signature */
    sign_again(&t);
    assert_int_equal(accepts(&t, t.len), ACME_E_TABLE);
    t.at[HEAD + 9] = 1; /* an exponent, of an EC key */
    sign_again(&t);
    assert_int_equal(accepts(&t, t.len), ACME_E_TABLE);
    t.len = HEAD + 64 + 5; /* ends within an anchor's head */
    sign_again(&t);
    assert_int_equal(accepts(&t, t.len), ACME_E_TABLE);
    t.len = second.len;
    t.at[19] = HEAD + 63; /* shorter than a table can be */
    t.at[18] = 0;
    assert_int_equal(accepts(&t, t.len), ACME_E_TABLE);
}

/* Whatever is missing at the end, whoever has signed that. */
TEST(short_bodies)
{
    struct acme_anchor_table read;

    for (int i = 0; i < ROOTS; i++) {
        struct table t;
        write_table(&t, 9, false, &roots[i], 1, &vendor_key);
        for (size_t len = t.len; len >= HEAD + 64; len--) {
            uint8_t *exact = malloc(len); /* the sanitizer sees a look past its end */
            memcpy(exact, t.at, len);
            exact[18] = (uint8_t)(len >> 8);
            exact[19] = (uint8_t)len;
            assert_int_equal(acme_anchor_table_read(&read, exact, len, room), len == t.len ? 0 : ACME_E_TABLE);
            free(exact);
            assert_int_equal(acme_anchor_table_read(&read, t.at, len - 1, NULL), ACME_E_TABLE);
        }
    }
}

/* One anchor of each kind alone, whose parts have other lengths and bytes. */
TEST(malformed_parts)
{
    static const struct {
        int root;
        int in, at, value; /* in: 0 the list, 1 the key, 2 its last bytes */
    } edits[] = {
        {BOUND_ROOT, 0, 0, 3},  {BOUND_ROOT, 0, 0, 0},  {BOUND_ROOT, 0, 1, 255},
        {BOUND_ROOT, 0, 1, 10}, {BOUND_ROOT, 1, -1, 1}, {RSA_ROOT, 2, 0, 0},
    };
    struct table t;
    struct acme_anchor_table read;

    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        write_table(&t, 9, false, &roots[edits[i].root], 1, &vendor_key);
        assert_int_equal(acme_anchor_table_read(&read, t.at, t.len, room), 0);
        const uint8_t *part = edits[i].in == 0   ? room[0].dn.data + room[0].dn.len
                              : edits[i].in == 1 ? room[0].pkey.key.ec.q
                                                 : room[0].pkey.key.rsa.n + room[0].pkey.key.rsa.nlen - 1;
        t.at[part - t.at + edits[i].at] = (uint8_t)edits[i].value;
        assert_int_equal(acme_anchor_table_read(&read, t.at, t.len, NULL), ACME_E_TABLE);
    }
    /* Lengths of an RSA key and its exponent: 255, 513, and 0, 9; what follows moves with them. */
    static const struct {
        unsigned n, e;
        int result;
    } sizes[] = {
        {256, 3, 0},           {512, 8, 0}, {255, 3, ACME_E_TABLE}, {513, 3, ACME_E_TABLE}, {256, 0, ACME_E_TABLE},
        {256, 9, ACME_E_TABLE}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        write_table(&t, 9, false, &roots[RSA_ROOT], 1, &vendor_key);
        size_t body = (size_t)HEAD + 10 + t.at[HEAD + 3];
        memset(t.at + body, 0x55, sizeof t.at - body);
        t.at[HEAD + 6] = (uint8_t)(sizes[i].n >> 8);
        t.at[HEAD + 7] = (uint8_t)sizes[i].n;
        t.at[HEAD + 9] = (uint8_t)sizes[i].e;
        t.len = body + sizes[i].n + sizes[i].e + 64;
        sign_again(&t);
        assert_int_equal(acme_anchor_table_read(&read, t.at, t.len, NULL), sizes[i].result);
    }
}

/* --- what it is for --- */

static int connect_with(const struct acme_trust *trust)
{
    static struct tls_server server;
    static struct acme_tls tls;
    static unsigned char buffer[ACME_TLS_BUFFER_MIN];
    uint32_t up = 0, down = 0;
    int err;

    tls_server_init(&server, leaf_key, &leaf, 1, NULL);
    tls_server_connect(&server);
    memset(&tls, 0, sizeof tls);
    err = acme_tls_start(&tls, trust, buffer, sizeof buffer, HOST, &maker_sys);
    for (int i = 0; i < 10000 && err >= 0 && !acme_tls_ready(&tls); i++) {
        err = acme_tls_pump(&tls, &server.net, &up, &down);
        tls_server_run(&server);
    }
    err = err < 0 ? err : acme_tls_ready(&tls);
    return err;
}

/* All built-in roots have left. A table lets the device in, and keeps letting it in when an older one is replayed. */
TEST(a_root_has_left)
{
    struct table slots[2] = {{{0}, 0}, {{0}, 0}};
    const struct table *arrives[] = {&first, &second, &first};

    choose(NULL, 0, NULL, 0);
    assert_int_equal(connect_with(&choice.trust), ACME_E_TLS_UNTRUSTED);
    for (int i = 0; i < 3; i++) {
        if (accepts(arrives[i], arrives[i]->len) == 0) {
            slots[choice.slot != 0 ? 0 : 1] = *arrives[i];
        }
        choose(slots[0].at, slots[0].len, slots[1].at, slots[1].len);
        assert_int_equal(connect_with(&choice.trust), i == 0 ? ACME_E_TLS_UNTRUSTED : 1);
    }
    table_is_used(1, 2, 2, 0);
}

/* The vendor takes a root out of the built-in ones. */
TEST(a_root_is_withdrawn)
{
    struct acme_trust trust;
    static unsigned char memory[4096];

    tls_server_trust(&trust, memory, sizeof memory, &roots[NEW_ROOT], 1);
    origin.trust = &trust;
    write_table(&replacing, 3, true, &roots[RSA_ROOT], 1, &vendor_key);
    choose(first.at, first.len, NULL, 0);
    assert_int_equal(connect_with(&choice.trust), 1);
    choose(first.at, first.len, replacing.at, replacing.len);
    assert_int_equal(connect_with(&choice.trust), ACME_E_TLS_UNTRUSTED);
    origin.trust = &built_in;
}

AROUND(set_up, tear_down, NULL, NULL);
