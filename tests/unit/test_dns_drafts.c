/* test_dns_drafts.c - dns-account-01 and dns-persist-01: label, record, what a CA may call itself, and which challenge is answered. */
#include "doc.h"
#include "unit.h"

#include "protocol/challenge_dnsaccount01.h"
#include "protocol/challenge_dnspersist01.h"
#include "protocol/tables.h"

#include <stdio.h>
#include <string.h>

#define U     "https://ca.test"
#define THUMB "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"
#define X10   "xxxxxxxxxx"
#define X60   X10 X10 X10 X10 X10 X10

/* --- dns-account-01 */

TEST(the_label_of_the_draft)
{
    char label[ACME_DNSACCOUNT01_LABEL_LEN + 1];
    acme_dnsaccount01_label("https://example.com/acme/acct/ExampleAccount", label);
    assert_string_equal(label, "_ujmmovf2vn55tgye._acme-challenge.");
    assert_int_equal(strlen(label), ACME_DNSACCOUNT01_LABEL_LEN);
}

/* --- dns-persist-01: the CA's names */

static unsigned issuers(const char *list, char *first, size_t size)
{
    char text[4000];
    struct acme_slice found = {NULL, 0};
    snprintf(text, sizeof text, "{\"list\":%s}", list);
    struct acme_json *json = doc(text);
    unsigned count = acme_dnspersist01_issuers(json, acme_json_member(json, 0, "list"), &found);
    snprintf(first, size, "%.*s", (int)found.len, found.len > 0 ? found.at : "");
    return count;
}

TEST(lists_of_issuers)
{
    static const struct {
        const char *list;
        unsigned count;
        const char *first;
    } rows[] = {
        {"[\"ca.test\"]", 1, "ca.test"},
        {"[\"ca\",\"b.test\"]", 2, "ca"},
        {"[\"xn--bcher-kva.test\",\"0.9\"]", 2, "xn--bcher-kva.test"},
        {"[\"" X60 "xxx.test\"]", 1, X60 "xxx.test"},
        {"[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\"]", 10, "a"},
        {"[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\",\"k\"]", 0, NULL},
        {"[]", 0, NULL},
        {"null", 0, NULL},
        {"7", 0, NULL},
        {"{\"a\":\"b\"}", 0, NULL},
        {"\"ca.test\"", 0, NULL},
        {"[7]", 0, NULL},
        {"[null]", 0, NULL},
        {"[[\"a\"]]", 0, NULL},
        {"[\"\"]", 0, NULL},
        {"[\"ca.test\",\"\"]", 0, NULL},
        {"[\"ca.test.\"]", 0, NULL},
        {"[\".\"]", 0, NULL},
        {"[\".ca\"]", 0, NULL},
        {"[\"ca..test\"]", 0, NULL},
        {"[\"CA.test\"]", 0, NULL},
        {"[\"ca_x.test\"]", 0, NULL},
        {"[\"ca{x.test\"]", 0, NULL},
        {"[\"-ca.test\"]", 0, NULL},
        {"[\"ca-.test\"]", 0, NULL},
        {"[\"ca.-\"]", 0, NULL},
        {"[\"*.ca.test\"]", 0, NULL},
        {"[\"b\\u00fccher.test\"]", 0, NULL},
        {"[\"ca.test; accounturi=https://evil.test/\"]", 0, NULL},
        {"[\"ca.test\\\" \\\"x\"]", 0, NULL},
        {"[\"ca.test\\n\"]", 0, NULL},
        {"[\"ca\\u0000.test\"]", 0, NULL},
        {"[\"" X60 "xxxx.test\"]", 0, NULL},
    };
    char first[300];
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(issuers(rows[i].list, first, sizeof first), rows[i].count);
        if (rows[i].count > 0) {
            assert_string_equal(first, rows[i].first);
        }
    }
}

TEST(an_issuer_of_253_bytes_and_one_more)
{
    char list[400], first[300];
    for (int len = 253; len <= 254; len++) {
        snprintf(list, sizeof list, "[\"" X60 "." X60 "." X60 "." X60 ".%.*s\"]", len - 244, X10);
        assert_int_equal(issuers(list, first, sizeof first), len == 253);
    }
}

/* --- the record */

static const char *value(const struct acme_dnspersist01 *record)
{
    static char text[600];
    struct acme_out o;
    acme_out_init(&o, text, sizeof text - 1);
    if (acme_dnspersist01_value(&o, record) != 0) {
        return "";
    }
    assert_false(o.overflow);
    text[o.len] = '\0';
    return text;
}

TEST(records)
{
    struct acme_dnspersist01 r = {.name = "example.org", .issuer = acme_slice_of("ca.test"), .account = U "/acct/1"};
    assert_string_equal(value(&r), "ca.test; accounturi=" U "/acct/1");
    r.wildcard = true;
    assert_string_equal(value(&r), "ca.test; accounturi=" U "/acct/1; policy=wildcard");
    r.until = 4294967295u;
    assert_string_equal(value(&r), "ca.test; accounturi=" U "/acct/1; policy=wildcard; persistUntil=4294967295");
    r.wildcard = false;
    r.thumbprint = THUMB;
    r.hashed = acme_slice_of("acct:");
    /* { printf '\013example.org%s%s' THUMB URL; } | openssl sha256 -binary | basenc --base64url */
    assert_string_equal(
        value(&r),
        "ca.test; accounturi=acct:sha-256/ib4gkZnxFIlc5Wt0YSe1k8SNL5GOhf_8rHymwb2b8nM; persistUntil=4294967295");
    r.hashed = acme_slice_of("a;policy=wildcard");
    assert_string_equal(value(&r), "");
    r.hashed = acme_slice("", 0);
    static const char *const bad[] = {U "/1;policy=wildcard", U "/1 2", U "/\"", U "/\\", U "/\t", U "/\xfc"};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        r.account = bad[i];
        assert_string_equal(value(&r), "");
    }
}

TEST(the_solver_has_nothing_to_do)
{
    struct acme_challenge c = {.name = "example.org"};
    assert_int_equal(acme_dnspersist01.present(NULL, &c), 1);
    acme_dnspersist01.withdraw(NULL, &c);
    assert_null(acme_dnspersist01.tick);
    assert_false(acme_dnspersist01.lasts);
    assert_true(acme_dnspersist01.wildcards);
}

/* --- which challenge is answered */

static int present(void *ctx, struct acme_challenge *challenge)
{
    return 1;
}

static void withdraw(void *ctx, struct acme_challenge *challenge)
{
}

static const struct acme_solver dns = {.type = "dns-01", .present = present, .withdraw = withdraw};
static const struct acme_solver *const both[] = {&acme_dnspersist01, &dns};
static struct acme_setup setup;
static struct acme_flow flow;

/* Reads an authorization with these challenges, when the first `count` solvers are there. */
static int reads(const char *challenges, size_t count)
{
    static const char *const names[] = {"a.example"};
    char text[3000];
    setup = (struct acme_setup){
        .ca = {.directory_url = U "/dir"}, .names = names, .name_count = 1, .solvers = both, .solver_count = count};
    memset(&flow, 0, sizeof flow);
    flow.setup = &setup;
    flow.step = ACME_STEP_AUTHZ;
    assert_int_equal(acme_url_parse(&flow.hosts.directory, acme_slice_of(setup.ca.directory_url)), 0);
    assert_int_equal(acme_order_add(&flow.order, U "/authz/1"), 0);
    snprintf(text, sizeof text,
             "{\"status\":\"pending\",\"identifier\":{\"value\":\"a.example\"},\"challenges\":[%s]}", challenges);
    struct acme_answer answer = {.json = doc(text), .location = acme_slice_of("")};
    return acme_flow_rfc8555[flow.step].read(&flow, &answer);
}

#define PERSIST(members) "{\"type\":\"dns-persist-01\",\"url\":\"" U "/p\",\"status\":\"pending\"" members "}"
#define DNS              "{\"type\":\"dns-01\",\"url\":\"" U "/d\",\"token\":\"t\"}"

TEST(a_challenge_without_a_token)
{
    static const char *const good[] = {
        PERSIST(",\"issuer-domain-names\":[\"ca.test\"]"),
        PERSIST(",\"issuerDomainNames\":[\"ca.test\"]"),
        PERSIST(",\"issuerDomainNames\":[\"ca.test\"],\"issuer-domain-names\":[]"),
        PERSIST(",\"issuer-domain-names\":[\"ca.test\"],\"token\":\"../..\""),
        PERSIST(",\"issuer-domain-names\":[\"ca.test\"],\"token\":7,\"accounturi\":[]"),
    };
    for (unsigned i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(reads(good[i], 1), ACME_STEP_PRESENT);
        assert_string_equal(flow.challenge_url, U "/p");
        assert_string_equal(flow.order.text + flow.order.authz[0].token, "");
    }
}

TEST(a_malformed_list_is_passed_over)
{
    static const char *const bad[] = {
        PERSIST(""),
        PERSIST(",\"issuer-domain-names\":[]"),
        PERSIST(",\"issuer-domain-names\":\"ca.test\""),
        PERSIST(",\"issuer-domain-names\":[\"CA.test\"]"),
        PERSIST(",\"issuerDomainNames\":[],\"issuer-domain-names\":[\"ca.test\"]"),
    };
    char text[2000];
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(reads(bad[i], 1), ACME_E_ISSUERS);
        snprintf(text, sizeof text, "%s," DNS, bad[i]);
        assert_int_equal(reads(text, 2), ACME_STEP_PRESENT);
        assert_int_equal(flow.at[0].solver, 1);
        assert_string_equal(flow.challenge_url, U "/d");
    }
    assert_int_equal(reads(DNS, 1), ACME_E_CHALLENGE_NONE);
    assert_int_equal(reads("{\"type\":\"dns-01\",\"url\":\"" U "/d\"}", 2), ACME_E_TOKEN);
}
