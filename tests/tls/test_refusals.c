/* test_refusals.c - what TLS refuses, and as what.
 *
 * One line is one case: what is wrong, our error, BearSSL's number (0: none, the error is our own or the network's),
 * how it is made bad, and its twin: how the same thing is made good. A case counts when the bad server is refused with
 * exactly these numbers before one byte of application data has gone out, and the twin is talked to.
 *
 * Several cases share both numbers where BearSSL has one number for them. */
#include "trial.h"

#include <string.h>

#define T                trial
#define C                trial.cert
#define KEY(k)           trial_key(k)
#define WITH(c, ...)     memcpy(C[c].more, ((const char *[3]){__VA_ARGS__}), sizeof C[c].more)
#define LEAF_NAMED(san_) C[LEAF].spec.san = (san_)
#define LEAF_IS_CA       (C[LEAF].spec.ca = MAKER_CA_ABSENT, WITH(LEAF, "basicConstraints=critical,CA:TRUE"))
#define INTER_WITH(...)  (C[INTER].spec.ca = MAKER_CA_ABSENT, WITH(INTER, __VA_ARGS__))
#define DEEP             (C[LEAF].by = SUB, T.sent = "LSI")
/* SUB as a leaf of its own is sent in the leaf's place. */
#define SWAPPED(how)     (C[SUB] = C[LEAF], (void)(how), swap())
#define DER              (5 + 4 + 3 + 3) /* headers of record, message, list and entry */
#define SERIAL           (DER + 16)      /* its last byte */
#define HELLO_SUITE      (5 + 4 + 2 + 32 + 33)
#define SUITE(high, low) (put(SERVER_HELLO, HELLO_SUITE, high), put(SERVER_HELLO, HELLO_SUITE + 1, low))
#define POINT            (5 + 4 + 4)
#define NAME_BYTES(text) (C[LEAF].spec.san = NULL, C[LEAF].dns = (text), C[LEAF].dns_len = sizeof(text) - 1)
#define CHAIN(what)      BR_ERR_X509_##what
#define ENGINE(what)     BR_ERR_##what
#define ALERT(n)         (BR_ERR_RECV_FATAL_ALERT + (n))
#define NONE             0
#define BYTES(text)      (text), sizeof(text) - 1

static unsigned cases, refused, twins, missed;

static bool edits_done(void)
{
    for (size_t i = 0; i < trial.edits_len; i++) {
        if (!trial.edits[i].done) {
            return false;
        }
    }
    return true;
}

static void case_is_refused(const char *section, const char *name, int error, int code)
{
    int done = trial_run();

    cases++;
    if (done < 0) { /* whatever it is refused as */
        assert_true(trial.application == 0 && trial.served == 0);
    }
    if (trial_client_refuses(section, name, edits_done() ? done : 1, error, code)) {
        refused++;
    } else {
        missed++;
        print_error("# %s: error %d, TLS code %d in the place of %d, %d\n", name, done, trial.tls_code, error, code);
    }
}

static void twin_is_accepted(const char *section, const char *name)
{
    bool accepted = trial_run() == 1 && edits_done() && trial.application > 0 && trial.served > 0 && trial.read == 48;

    if (trial_client_accepts(section, name, accepted)) {
        twins++;
    } else {
        missed++;
        print_error("# the twin of %s is refused: TLS code %d\n", name, trial.tls_code);
    }
}

static int all_of_them(void **state)
{
    bool none = missed == 0;

    missed = 0; /* the next section is judged by itself */
    return none ? 0 : -1;
}

#define REFUSES(name, error, code, bad, good)                                                                        \
    do {                                                                                                             \
        trial_begin();                                                                                               \
        (void)(bad);                                                                                                 \
        case_is_refused(__func__, name, error, code);                                                                \
        trial_begin();                                                                                               \
        (void)(good);                                                                                                \
        twin_is_accepted(__func__, name);                                                                            \
    } while (0)

/* clang-format off */

static void names(void **state)
{
    REFUSES("another host", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), LEAF_NAMED("DNS:other.example"), LEAF_NAMED("DNS:other.example,DNS:CA.Example"));
    REFUSES("no name asked for", ACME_E_TLS_NAME, NONE, T.host = "", T.host = TRIAL_HOST);
    REFUSES("common name only", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (C[LEAF].spec.name = TRIAL_HOST, LEAF_NAMED(NULL)), C[LEAF].spec.name = TRIAL_HOST);
    REFUSES("common name beside another name", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (C[LEAF].spec.name = TRIAL_HOST, LEAF_NAMED("DNS:other.example")), C[LEAF].spec.name = TRIAL_HOST);
    REFUSES("common name beside an address", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (C[LEAF].spec.name = TRIAL_HOST, LEAF_NAMED("IP:10.0.0.1")), LEAF_NAMED("IP:10.0.0.1,DNS:" TRIAL_HOST));
    REFUSES("common name beside an e-mail address", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (C[LEAF].spec.name = TRIAL_HOST, LEAF_NAMED("email:a@ca.example")), LEAF_NAMED("email:a@ca.example,DNS:" TRIAL_HOST));
    REFUSES("host as URI", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), LEAF_NAMED("URI:https://ca.example/,DNS:x"), LEAF_NAMED("URI:https://ca.example/,DNS:" TRIAL_HOST));
    REFUSES("name as another kind", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), LEAF_NAMED("email:ca.example,DNS:x"), LEAF_NAMED("email:ca.example,DNS:" TRIAL_HOST));
    REFUSES("name asked for, address in the certificate", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), LEAF_NAMED("IP:10.0.0.1"), LEAF_NAMED("IP:10.0.0.1,DNS:" TRIAL_HOST));
    REFUSES("wildcard one label too deep", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), LEAF_NAMED("DNS:*.ca.example"), (T.host = "a.ca.example", LEAF_NAMED("DNS:*.ca.example")));
    REFUSES("wildcard over two labels", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (T.host = "a.b.example", LEAF_NAMED("DNS:*.example")), (T.host = "a.b.example", LEAF_NAMED("DNS:*.b.example")));
    REFUSES("wildcard within a label", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), LEAF_NAMED("DNS:c*.example"), LEAF_NAMED("DNS:*.example"));
    REFUSES("wildcard behind a label", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), LEAF_NAMED("DNS:ca.*"), LEAF_NAMED("DNS:ca.*,DNS:" TRIAL_HOST));
    REFUSES("wildcard alone", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), LEAF_NAMED("DNS:*"), LEAF_NAMED("DNS:*,DNS:" TRIAL_HOST));
    REFUSES("two wildcards", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), LEAF_NAMED("DNS:*.*"), LEAF_NAMED("DNS:*.*,DNS:" TRIAL_HOST));
    REFUSES("NUL behind the name", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), NAME_BYTES("ca.example\0"), NAME_BYTES("ca.example"));
    REFUSES("NUL and another name behind the name", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), NAME_BYTES("ca.example\0.evil.example"), NAME_BYTES("ca.example"));
    REFUSES("empty name", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), NAME_BYTES(""), NAME_BYTES("ca.example"));
    REFUSES("name behind a blank", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), NAME_BYTES(" ca.example"), NAME_BYTES("ca.example"));
    REFUSES("name that is no text", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), NAME_BYTES("ca.ex\xff" "mple"), NAME_BYTES("ca.example"));
    REFUSES("parent domain", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), LEAF_NAMED("DNS:example"), LEAF_NAMED("DNS:example,DNS:" TRIAL_HOST));
    REFUSES("one label more", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), LEAF_NAMED("DNS:ca.example.org"), LEAF_NAMED("DNS:ca.example.org,DNS:" TRIAL_HOST));
    REFUSES("same end", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), LEAF_NAMED("DNS:xca.example"), LEAF_NAMED("DNS:xca.example,DNS:" TRIAL_HOST));
    REFUSES("full stop at the end of its name", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), LEAF_NAMED("DNS:ca.example."), LEAF_NAMED("DNS:ca.example"));
    REFUSES("full stop at the end of the name asked for", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), T.host = "ca.example.", T.host = "ca.example");
}

#define V4           "10.0.0.1"
#define V6           "2001:db8::1"
#define AT(host_)    (T.host = (host_))
#define NAMES(bytes) (LEAF_NAMED(NULL), WITH(LEAF, "2.5.29.17=DER:" bytes))
#define SENT(...)    SWAPPED((C[SUB].spec.san = NULL, WITH(SUB, __VA_ARGS__)))
#define V4_NAME      "87040a000001"
#define V6_NAME      "871020010db8000000000000000000000001"

static void addresses(void **state)
{
    if (!trial_client_knows_addresses()) {
        return;
    }
    REFUSES("another address", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (AT(V4), LEAF_NAMED("IP:10.0.0.2")), (AT(V4), LEAF_NAMED("IP:10.0.0.2,IP:10.0.0.1")));
    REFUSES("another IPv6 address", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (AT(V6), LEAF_NAMED("IP:2001:db8::1:1")), (AT(V6), LEAF_NAMED("IP:2001:db8::1:1,IP:2001:db8::1")));
    REFUSES("address in another text", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (AT("2001:DB8:0::2"), LEAF_NAMED("IP:2001:db8::1")), (AT("2001:DB8:0::1"), LEAF_NAMED("IP:2001:db8::1")));
    REFUSES("address as a DNS name", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (AT(V4), LEAF_NAMED("DNS:10.0.0.1")), (AT(V4), LEAF_NAMED("DNS:10.0.0.1,IP:10.0.0.1")));
    REFUSES("IPv6 address as a DNS name", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (AT(V6), NAMES("300d820b323030313a6462383a3a31")), (AT(V6), NAMES("3012" V6_NAME)));
    REFUSES("wildcard for an address", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (AT(V4), LEAF_NAMED("DNS:*.0.0.1")), (AT(V4), LEAF_NAMED("DNS:*.0.0.1,IP:10.0.0.1")));
    REFUSES("address as common name", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (AT(V4), C[LEAF].spec.name = V4, LEAF_NAMED(NULL)), (AT(V4), C[LEAF].spec.name = V4, LEAF_NAMED("IP:10.0.0.1")));
    REFUSES("address as common name beside a DNS name", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (AT(V4), C[LEAF].spec.name = V4), (AT(V4), LEAF_NAMED("IP:10.0.0.1,DNS:" TRIAL_HOST)));
    REFUSES("address as text in an iPAddress", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (AT(V4), NAMES("300a870831302e302e302e31")), (AT(V4), NAMES("3006" V4_NAME)));
    REFUSES("address as another kind of name", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (AT(V4), LEAF_NAMED("URI:https://10.0.0.1/,email:10.0.0.1")), (AT(V4), LEAF_NAMED("URI:https://10.0.0.1/,IP:10.0.0.1")));
    REFUSES("IPv4 address mapped to IPv6", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (AT(V4), LEAF_NAMED("IP:::ffff:a00:1")), (AT(V4), LEAF_NAMED("IP:::ffff:a00:1,IP:10.0.0.1")));
    REFUSES("IPv4 address for one mapped to IPv6", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (AT("::ffff:a00:1"), LEAF_NAMED("IP:10.0.0.1")), (AT("::ffff:a00:1"), LEAF_NAMED("IP:::ffff:a00:1")));
    REFUSES("truncated address", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (AT("10.0.0.0"), NAMES("300587030a0000")), (AT("10.0.0.0"), NAMES("300687040a000000")));
    REFUSES("truncated IPv6 address", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (AT("2001:db8::"), NAMES("3011870f20010db80000000000000000000000")), (AT("2001:db8::"), NAMES("3012871020010db8000000000000000000000000")));
    REFUSES("address with more behind it", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (AT(V4), NAMES("300787050a00000100")), (AT(V4), NAMES("300d87050a00000100" V4_NAME)));
    REFUSES("IPv6 address with more behind it", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (AT(V6), NAMES("3013871120010db800000000000000000000000100")), (AT(V6), NAMES("3012" V6_NAME)));
    REFUSES("address with its mask", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (AT(V4), NAMES("300a87080a000001ffffffff")), (AT(V4), NAMES("301087080a000001ffffffff" V4_NAME)));
    REFUSES("iPAddress of no bytes", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (AT(V4), NAMES("30028700")), (AT(V4), NAMES("30088700" V4_NAME)));
    REFUSES("address within another kind of name", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (AT(V4), NAMES("3008a306" V4_NAME)), (AT(V4), NAMES("300ea306" V4_NAME V4_NAME)));
    REFUSES("address within what is no name", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (AT(V4), SENT("2.5.29.17=DER:30083006" V4_NAME)), (AT(V4), NAMES("3006" V4_NAME)));
    REFUSES("address without a list", ACME_E_TLS_CERT, CHAIN(UNEXPECTED), (AT(V4), SENT("2.5.29.17=DER:" V4_NAME)), (AT(V4), NAMES("3006" V4_NAME)));
    REFUSES("address behind the list", ACME_E_TLS_CERT, CHAIN(EXTRA_ELEMENT), (AT(V4), NAMES("30028200" V4_NAME)), (AT(V4), NAMES("30088200" V4_NAME)));
    REFUSES("address in the issuer's other names", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (AT(V4), WITH(LEAF, "2.5.29.18=DER:3006" V4_NAME)), (AT(V4), NAMES("3006" V4_NAME)));
    REFUSES("address of an intermediate", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (AT(V4), C[INTER].spec.san = "IP:10.0.0.1"), (AT(V4), LEAF_NAMED("IP:10.0.0.1")));
    REFUSES("two lists of names", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (AT(V4), SENT("2.5.29.17=DER:3006" V4_NAME, "2.5.29.17=DER:300687040a000002")), (AT(V4), LEAF_NAMED("IP:10.0.0.2,IP:10.0.0.1")));
    REFUSES("critical list of other names", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (AT(V4), LEAF_NAMED("critical,IP:10.0.0.2")), (AT(V4), LEAF_NAMED("critical,IP:10.0.0.1")));
    REFUSES("session of another address", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (T.first_host = V4, AT("10.0.0.2"), LEAF_NAMED("IP:10.0.0.1")), (T.first_host = V4, AT(V4), LEAF_NAMED("IP:10.0.0.1")));
    REFUSES("session of a name", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (T.first_host = TRIAL_HOST, AT(V4)), (T.first_host = TRIAL_HOST, AT(V4), LEAF_NAMED("DNS:" TRIAL_HOST ",IP:10.0.0.1")));
    REFUSES("session of an address", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (T.first_host = V4, LEAF_NAMED("IP:10.0.0.1")), (T.first_host = V4, LEAF_NAMED("DNS:" TRIAL_HOST ",IP:10.0.0.1")));
    REFUSES("address by a root that is limited to names", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), (AT(V4), LEAF_NAMED("IP:10.0.0.1"), WITH(ANCHOR, "nameConstraints=critical,permitted;DNS:example")), (AT(V4), LEAF_NAMED("IP:10.0.0.1")));
    REFUSES("address by a root that is limited to others", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), (AT(V4), LEAF_NAMED("IP:10.0.0.1"), WITH(ANCHOR, "nameConstraints=critical,excluded;IP:10.0.0.0/255.0.0.0")), (AT(V4), LEAF_NAMED("IP:10.0.0.1")));
}

/* Dates that openssl would not write. */
static void thirteenth_month(X509 *x) { ASN1_STRING_set(X509_getm_notBefore(x), "261301000000Z", 13); }
static void first_month(X509 *x) { ASN1_STRING_set(X509_getm_notBefore(x), "260101000000Z", 13); }
static void no_zone(X509 *x) { ASN1_STRING_set(X509_getm_notAfter(x), "2701010000000", 13); }
static void with_zone(X509 *x) { ASN1_STRING_set(X509_getm_notAfter(x), "270101000000Z", 13); }

static void dates(void **state)
{
    REFUSES("leaf expired", ACME_E_TLS_DATES, CHAIN(EXPIRED), C[LEAF].spec.to = MAKER_NOW - 1, C[LEAF].spec.to = MAKER_NOW);
    REFUSES("leaf not yet valid", ACME_E_TLS_EARLY, CHAIN(EXPIRED), C[LEAF].spec.from = MAKER_NOW + 1, C[LEAF].spec.from = MAKER_NOW);
    REFUSES("intermediate expired", ACME_E_TLS_DATES, CHAIN(EXPIRED), C[INTER].spec.to = MAKER_NOW - 1, C[INTER].spec.to = MAKER_NOW);
    REFUSES("intermediate not yet valid", ACME_E_TLS_EARLY, CHAIN(EXPIRED), C[INTER].spec.from = MAKER_NOW + 1, C[INTER].spec.from = MAKER_NOW);
    REFUSES("never valid", ACME_E_TLS_DATES, CHAIN(EXPIRED), (C[LEAF].spec.from = MAKER_NOW - 10, C[LEAF].spec.to = MAKER_NOW - 20), C[LEAF].spec.from = MAKER_NOW - 10);
    REFUSES("our clock years ahead", ACME_E_TLS_DATES, CHAIN(EXPIRED), T.utc = MAKER_NOW + 400 * MAKER_DAY, T.utc = MAKER_NOW + 80 * MAKER_DAY);
    REFUSES("our clock days behind", ACME_E_TLS_EARLY, CHAIN(EXPIRED), T.utc = MAKER_NOW - 2 * MAKER_DAY, T.utc = MAKER_NOW - MAKER_DAY);
    REFUSES("our clock not set", ACME_E_CLOCK, NONE, T.utc_answer = 0, T.utc_answer = 1);
    REFUSES("our clock before this program was written", ACME_E_CLOCK, NONE, T.utc = ACME_UTC_FLOOR - 1, T.utc = MAKER_NOW);
    REFUSES("month 13", ACME_E_TLS_CERT, CHAIN(BAD_TIME), C[LEAF].alter = thirteenth_month, C[LEAF].alter = first_month);
    REFUSES("time without zone", ACME_E_TLS_CERT, CHAIN(BAD_TIME), C[LEAF].alter = no_zone, C[LEAF].alter = with_zone);
}

static void trust(void **state)
{
    REFUSES("self-signed leaf", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), (C[LEAF].by = LEAF, T.sent = "L"), (C[LEAF].by = ROOT, T.sent = "L"));
    REFUSES("self-signed leaf that says it is a CA", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), (C[LEAF].by = LEAF, LEAF_IS_CA, T.sent = "L"), (C[LEAF].by = ROOT, LEAF_IS_CA, T.sent = "L"));
    REFUSES("self-signed leaf of the root's name", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), (C[LEAF].by = LEAF, C[LEAF].spec.name = "Root", T.sent = "L"), (C[LEAF].by = ROOT, C[LEAF].spec.name = "Root", T.sent = "L"));
    REFUSES("root not known", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), (C[ANCHOR].spec.name = "Other", C[ANCHOR].spec.key = KEY(K_OTHER)), C[ANCHOR].spec.name = "Root");
    REFUSES("root not known, but sent", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), (T.sent = "LIR", C[ANCHOR].spec.name = "Other", C[ANCHOR].spec.key = KEY(K_OTHER)), T.sent = "LIR");
    REFUSES("root of the same name, other key", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), C[ANCHOR].spec.key = KEY(K_OTHER), C[ANCHOR].spec.key = KEY(K_ROOT));
    REFUSES("root of the same name, other kind of key", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), C[ANCHOR].spec.key = KEY(K_RSA), C[ANCHOR].spec.key = KEY(K_ROOT));
    REFUSES("root of the same key, other name", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), C[ANCHOR].spec.name = "root", C[ANCHOR].spec.name = "Root");
    REFUSES("root that is no CA", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), C[ANCHOR].spec.ca = MAKER_CA_FALSE, C[ANCHOR].spec.ca = MAKER_CA);
    REFUSES("no root at all", ACME_E_ANCHORS, NONE, T.no_anchors = true, T.no_anchors = false);
    REFUSES("intermediate not sent", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), T.sent = "L", T.sent = "LI");
    REFUSES("lower intermediate not sent", ACME_E_TLS_CERT, CHAIN(DN_MISMATCH), (C[LEAF].by = SUB, T.sent = "LI"), (C[LEAF].by = SUB, T.sent = "LSI"));
    REFUSES("intermediates in the wrong order", ACME_E_TLS_CERT, CHAIN(DN_MISMATCH), (C[LEAF].by = SUB, T.sent = "LIS"), (C[LEAF].by = SUB, T.sent = "LSI"));
    REFUSES("leaf behind its issuer", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (C[SUB] = C[INTER], T.sent = "LL", swap()), T.sent = "LI");
    REFUSES("leaf twice", ACME_E_TLS_CERT, CHAIN(DN_MISMATCH), T.sent = "LLI", T.sent = "LII");
    REFUSES("a stranger in between", ACME_E_TLS_CERT, CHAIN(DN_MISMATCH), T.sent = "LXI", T.sent = "LIX");
    REFUSES("a leaf that plays the CA", ACME_E_TLS_CERT, CHAIN(NOT_CA), (C[LEAF].by = SUB, C[SUB].spec.ca = MAKER_CA_FALSE, T.sent = "LSI"), (C[LEAF].by = SUB, T.sent = "LSI"));
    REFUSES("no certificate", ACME_E_TLS_RECORD, ENGINE(UNEXPECTED), (drop(CERTIFICATE), before(CERTIFICATE, BYTES("\x16\3\3\0\7\x0b\0\0\3\0\0\0"))), (void)0);
}


static void ca_rules(void **state)
{
    REFUSES("intermediate that is no CA", ACME_E_TLS_CERT, CHAIN(NOT_CA), C[INTER].spec.ca = MAKER_CA_FALSE, C[INTER].spec.ca = MAKER_CA);
    REFUSES("intermediate that does not say", ACME_E_TLS_CERT, CHAIN(NOT_CA), INTER_WITH("keyUsage=critical,keyCertSign"), INTER_WITH("basicConstraints=CA:TRUE"));
    REFUSES("intermediate with empty constraints", ACME_E_TLS_CERT, CHAIN(NOT_CA), INTER_WITH("2.5.29.19=critical,DER:3000"), INTER_WITH("2.5.29.19=critical,DER:30030101ff"));
    REFUSES("intermediate that may sign lists only", ACME_E_TLS_CERT, CHAIN(FORBIDDEN_KEY_USAGE), INTER_WITH("basicConstraints=critical,CA:TRUE", "keyUsage=critical,cRLSign"), INTER_WITH("basicConstraints=critical,CA:TRUE", "keyUsage=critical,cRLSign,keyCertSign"));
    REFUSES("intermediate with an empty usage", ACME_E_TLS_CERT, CHAIN(FORBIDDEN_KEY_USAGE), INTER_WITH("basicConstraints=CA:TRUE", "2.5.29.15=DER:030100"), INTER_WITH("basicConstraints=CA:TRUE", "2.5.29.15=DER:03020204"));
    REFUSES("path longer than an intermediate allows", ACME_E_TLS_CERT, CHAIN(NOT_CA), (DEEP, INTER_WITH("basicConstraints=critical,CA:TRUE,pathlen:0")), (DEEP, INTER_WITH("basicConstraints=critical,CA:TRUE,pathlen:1")));
    REFUSES("unknown critical extension in the leaf", ACME_E_TLS_CERT, CHAIN(CRITICAL_EXTENSION), WITH(LEAF, "1.2.3.4=critical,DER:0500"), WITH(LEAF, "1.2.3.4=DER:0500"));
    REFUSES("unknown critical extension in an intermediate", ACME_E_TLS_CERT, CHAIN(CRITICAL_EXTENSION), WITH(INTER, "1.2.3.4=critical,DER:0500"), WITH(INTER, "1.2.3.4=DER:0500"));
    REFUSES("critical name constraints", ACME_E_TLS_CERT, CHAIN(CRITICAL_EXTENSION), WITH(INTER, "nameConstraints=critical,excluded;DNS:example"), WITH(INTER, "subjectKeyIdentifier=hash"));
    REFUSES("critical policy constraints", ACME_E_TLS_CERT, CHAIN(CRITICAL_EXTENSION), WITH(INTER, "policyConstraints=critical,requireExplicitPolicy:0"), WITH(INTER, "policyConstraints=requireExplicitPolicy:0"));
    REFUSES("critical policy with a notice", ACME_E_TLS_CERT, CHAIN(CRITICAL_EXTENSION), WITH(LEAF, "2.5.29.32=critical,DER:3016301406032a0304300d300b06082b060105050702023000"), WITH(LEAF, "2.5.29.32=critical,DER:3007300506032a0304"));
    REFUSES("critical usage: clients only", ACME_E_TLS_CERT, CHAIN(CRITICAL_EXTENSION), WITH(LEAF, "extendedKeyUsage=critical,clientAuth"), WITH(LEAF, "extendedKeyUsage=serverAuth"));
    REFUSES("EC leaf that may not sign", ACME_E_TLS_CERT, ENGINE(WRONG_KEY_USAGE), SWAPPED(WITH(SUB, "keyUsage=critical,keyAgreement")), WITH(LEAF, "keyUsage=critical,digitalSignature"));
    REFUSES("RSA leaf that may not sign", ACME_E_TLS_CERT, ENGINE(WRONG_KEY_USAGE), SWAPPED((C[LEAF].spec.key = C[SUB].spec.key = KEY(K_RSA), WITH(SUB, "keyUsage=critical,keyEncipherment"))), (C[LEAF].spec.key = KEY(K_RSA), WITH(LEAF, "keyUsage=critical,digitalSignature")));
}

/* A bit of the signature; the signed part of the certificate once it is signed. */
static void wrong_signature(X509 *x)
{
    const ASN1_BIT_STRING *sig;

    X509_get0_signature(&sig, NULL, x);
    sig->data[sig->length - 1] ^= 1;
}

static void wrong_algorithm(X509 *x)
{
    const X509_ALGOR *algorithm;

    X509_get0_signature(NULL, &algorithm, x);
    X509_ALGOR_set0((X509_ALGOR *)(uintptr_t)algorithm, OBJ_nid2obj(NID_sha256WithRSAEncryption), V_ASN1_NULL, NULL);
}

static void signatures(void **state)
{
    REFUSES("leaf: a bit of the signature", ACME_E_TLS_SIGNATURE, CHAIN(BAD_SIGNATURE), C[LEAF].damage = wrong_signature, (void)0);
    REFUSES("leaf: a bit of an RSA signature", ACME_E_TLS_SIGNATURE, CHAIN(BAD_SIGNATURE), (C[INTER].spec.key = KEY(K_RSA), C[LEAF].damage = wrong_signature), C[INTER].spec.key = KEY(K_RSA));
    REFUSES("leaf: a bit of what was signed", ACME_E_TLS_SIGNATURE, CHAIN(BAD_SIGNATURE), put(CERTIFICATE, SERIAL, 0), put(CERTIFICATE, SERIAL - 2, 2));
    REFUSES("leaf: signed by another key", ACME_E_TLS_SIGNATURE, CHAIN(BAD_SIGNATURE), C[LEAF].signer = KEY(K_OTHER), C[LEAF].signer = KEY(K_INTER));
    REFUSES("leaf: signed by another RSA key", ACME_E_TLS_SIGNATURE, CHAIN(BAD_SIGNATURE), (C[INTER].spec.key = KEY(K_RSA), C[LEAF].signer = KEY(K_RSA_OTHER)), C[INTER].spec.key = KEY(K_RSA));
    REFUSES("leaf: signed by a key of another curve", ACME_E_TLS_SIGNATURE, CHAIN(BAD_SIGNATURE), C[LEAF].signer = KEY(K_P384), (C[INTER].spec.key = C[LEAF].signer = KEY(K_P384)));
    REFUSES("leaf: signed by a key of another kind", ACME_E_TLS_SIGNATURE, CHAIN(WRONG_KEY_TYPE), C[LEAF].signer = KEY(K_RSA), (C[INTER].spec.key = C[LEAF].signer = KEY(K_RSA)));
    REFUSES("leaf: ECDSA said to be RSA", ACME_E_TLS_SIGNATURE, CHAIN(WRONG_KEY_TYPE), C[LEAF].damage = wrong_algorithm, (void)0);
    REFUSES("leaf: signed by itself in the issuer's name", ACME_E_TLS_SIGNATURE, CHAIN(BAD_SIGNATURE), C[LEAF].signer = KEY(K_LEAF), C[LEAF].signer = KEY(K_INTER));
    REFUSES("intermediate: a bit of the signature", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), C[INTER].damage = wrong_signature, (void)0);
    REFUSES("intermediate: signed by another key", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), C[INTER].signer = KEY(K_OTHER), C[INTER].signer = KEY(K_ROOT));
    REFUSES("lower intermediate: signed by another key", ACME_E_TLS_SIGNATURE, CHAIN(BAD_SIGNATURE), (DEEP, C[SUB].signer = KEY(K_OTHER)), (DEEP, C[SUB].signer = KEY(K_INTER)));
    REFUSES("leaf: SHA-1", ACME_E_TLS_CERT, CHAIN(UNSUPPORTED), C[LEAF].spec.digest = EVP_sha1(), C[LEAF].spec.digest = EVP_sha512());
    REFUSES("leaf: RSA with SHA-1", ACME_E_TLS_CERT, CHAIN(UNSUPPORTED), (C[INTER].spec.key = KEY(K_RSA), C[LEAF].spec.digest = EVP_sha1()), (C[INTER].spec.key = KEY(K_RSA), C[LEAF].spec.digest = EVP_sha384()));
    REFUSES("leaf: RSA with MD5", ACME_E_TLS_CERT, CHAIN(UNSUPPORTED), (C[INTER].spec.key = KEY(K_RSA), C[LEAF].spec.digest = EVP_md5()), C[INTER].spec.key = KEY(K_RSA));
    REFUSES("leaf: RSA-PSS", ACME_E_TLS_CERT, CHAIN(UNSUPPORTED), (C[INTER].spec.key = KEY(K_RSA), C[LEAF].pss = true), C[INTER].spec.key = KEY(K_RSA));
    REFUSES("intermediate: SHA-1", ACME_E_TLS_CERT, CHAIN(UNSUPPORTED), C[INTER].spec.digest = EVP_sha1(), C[INTER].spec.digest = EVP_sha384());
}

static void keys(void **state)
{
    REFUSES("leaf: RSA of 1024 bits", ACME_E_TLS_WEAK, CHAIN(WEAK_PUBLIC_KEY), C[LEAF].spec.key = KEY(K_RSA1024), C[LEAF].spec.key = KEY(K_RSA));
    REFUSES("leaf: RSA of 512 bits", ACME_E_TLS_WEAK, CHAIN(WEAK_PUBLIC_KEY), SWAPPED(C[SUB].spec.key = KEY(K_RSA512)), C[LEAF].spec.key = KEY(K_RSA));
    REFUSES("intermediate: RSA of 1024 bits", ACME_E_TLS_WEAK, CHAIN(WEAK_PUBLIC_KEY), C[INTER].spec.key = KEY(K_RSA1024), C[INTER].spec.key = KEY(K_RSA));
    REFUSES("intermediate: RSA of 8192 bits", ACME_E_TLS_CERT, CHAIN(LIMIT_EXCEEDED), C[INTER].spec.key = KEY(K_HUGE), C[INTER].spec.key = KEY(K_RSA));
    REFUSES("leaf: Ed25519", ACME_E_TLS_CERT, CHAIN(UNSUPPORTED), SWAPPED(C[SUB].spec.key = KEY(K_ED25519)), C[LEAF].spec.key = KEY(K_P384));
    REFUSES("leaf: secp256k1", ACME_E_TLS_CERT, CHAIN(UNSUPPORTED), SWAPPED(C[SUB].spec.key = KEY(K_K256)), C[LEAF].spec.key = KEY(K_P384));
    REFUSES("leaf: P-521", ACME_E_TLS_SIGNATURE, ENGINE(BAD_SIGNATURE), SWAPPED(C[SUB].spec.key = KEY(K_P521)), C[LEAF].spec.key = KEY(K_P384));
    REFUSES("leaf: the key of somebody else", ACME_E_TLS_SIGNATURE, ENGINE(BAD_SIGNATURE), SWAPPED(C[SUB].spec.key = KEY(K_OTHER)), C[LEAF].spec.key = KEY(K_OTHER));
    REFUSES("intermediate: P-521", ACME_E_TLS_SIGNATURE, CHAIN(BAD_SIGNATURE), C[INTER].spec.key = KEY(K_P521), C[INTER].spec.key = KEY(K_P384));
    REFUSES("intermediate: Ed25519", ACME_E_TLS_CERT, CHAIN(UNSUPPORTED), C[INTER].spec.key = KEY(K_ED25519), C[INTER].spec.key = KEY(K_P384));
    REFUSES("intermediate: secp256k1", ACME_E_TLS_CERT, CHAIN(UNSUPPORTED), C[INTER].spec.key = KEY(K_K256), C[INTER].spec.key = KEY(K_P384));
    REFUSES("leaf: EC key for an RSA suite", ACME_E_TLS_CERT, ENGINE(WRONG_KEY_USAGE), (put(SERVER_HELLO, HELLO_SUITE, 0xc0), put(SERVER_HELLO, HELLO_SUITE + 1, 0x2f)), (void)0);
}

static void point_as(X509 *x, const char *format)
{
    EVP_PKEY *key = EVP_PKEY_dup(KEY(K_INTER));

    assert_int_equal(EVP_PKEY_set_utf8_string_param(key, "point-format", format), 1);
    X509_set_pubkey(x, key);
    EVP_PKEY_free(key);
}

static void compressed(X509 *x) { point_as(x, "compressed"); }
static void uncompressed(X509 *x) { point_as(x, "uncompressed"); }

/* Bytes of the leaf as it passes by. */
static void encodings(void **state)
{
    REFUSES("no sequence", ACME_E_TLS_CERT, CHAIN(UNEXPECTED), put(CERTIFICATE, DER, 0x31), put(CERTIFICATE, DER, 0x30));
    REFUSES("tag of another class", ACME_E_TLS_CERT, CHAIN(UNEXPECTED), put(CERTIFICATE, DER, 0xb0), put(CERTIFICATE, DER, 0x30));
    REFUSES("sequence not constructed", ACME_E_TLS_CERT, CHAIN(NOT_CONSTRUCTED), put(CERTIFICATE, DER, 0x10), put(CERTIFICATE, DER, 0x30));
    REFUSES("serial number constructed", ACME_E_TLS_CERT, CHAIN(NOT_PRIMITIVE), put(CERTIFICATE, SERIAL - 3, 0x22), put(CERTIFICATE, SERIAL - 3, 2));
    REFUSES("serial number of another type", ACME_E_TLS_CERT, CHAIN(UNEXPECTED), put(CERTIFICATE, SERIAL - 3, 4), put(CERTIFICATE, SERIAL - 3, 2));
    REFUSES("indefinite length", ACME_E_TLS_CERT, CHAIN(INDEFINITE_LENGTH), put(CERTIFICATE, DER + 1, 0x80), put(CERTIFICATE, DER + 1, 0x82));
    REFUSES("inner length beyond the outer", ACME_E_TLS_CERT, CHAIN(INNER_TRUNC), put(CERTIFICATE, DER + 6, 0x7f), put(CERTIFICATE, DER + 6, 1));
    REFUSES("length of five bytes", ACME_E_TLS_CERT, CHAIN(INNER_TRUNC), put(CERTIFICATE, DER + 1, 0x85), put(CERTIFICATE, DER + 1, 0x82));
    REFUSES("version 4", ACME_E_TLS_CERT, CHAIN(UNSUPPORTED), put(CERTIFICATE, DER + 12, 3), put(CERTIFICATE, DER + 12, 2));
    REFUSES("truncated", ACME_E_TLS_CERT, CHAIN(INNER_TRUNC), splice(CERTIFICATE, DER + 100, 1, "", 0), splice(CERTIFICATE, DER, 1, "0", 1));
    REFUSES("a byte behind the end", ACME_E_TLS_CERT, CHAIN(EXTRA_ELEMENT), splice(CERTIFICATE, SIZE_MAX, 0, "", 1), (void)0);
    REFUSES("empty", ACME_E_TLS_CERT, CHAIN(TRUNCATED), (drop(CERTIFICATE), before(CERTIFICATE, BYTES("\x16\3\3\0\x0a\x0b\0\0\6\0\0\3\0\0\0"))), (void)0);
    REFUSES("one byte", ACME_E_TLS_CERT, CHAIN(INNER_TRUNC), (drop(CERTIFICATE), before(CERTIFICATE, BYTES("\x16\3\3\0\x0b\x0b\0\0\7\0\0\4\0\0\1\x30"))), (void)0);
    REFUSES("boolean of two bytes", ACME_E_TLS_CERT, CHAIN(BAD_BOOLEAN), patch(CERTIFICATE, BYTES("\x06\x03\x55\x1d\x13\x01"), 0, 2), patch(CERTIFICATE, BYTES("\x06\x03\x55\x1d\x13\x01"), 0, 1));
    REFUSES("key with bits left over", ACME_E_TLS_CERT, CHAIN(PARTIAL_BYTE), patch(CERTIFICATE, BYTES("\x03\x42"), 0, 4), patch(CERTIFICATE, BYTES("\x03\x42"), 0, 0));
    REFUSES("point compressed", ACME_E_TLS_SIGNATURE, CHAIN(BAD_SIGNATURE), C[INTER].alter = compressed, C[INTER].alter = uncompressed);
}

static void versions(void **state)
{
    REFUSES("server of TLS 1.1", ACME_E_TLS_VERSION, ALERT(40), T.last = TLS1_1_VERSION, T.last = TLS1_2_VERSION);
    REFUSES("server of TLS 1.0", ACME_E_TLS_VERSION, ALERT(40), T.last = TLS1_VERSION, T.last = TLS1_2_VERSION);
    REFUSES("server of TLS 1.3 only", ACME_E_TLS_VERSION, ALERT(70), T.least = T.last = TLS1_3_VERSION, T.last = TLS1_3_VERSION);
    REFUSES("hello of TLS 1.1", ACME_E_TLS_VERSION, ENGINE(UNSUPPORTED_VERSION), put(SERVER_HELLO, 10, 2), put(SERVER_HELLO, 10, 3));
    REFUSES("hello of TLS 1.0", ACME_E_TLS_VERSION, ENGINE(UNSUPPORTED_VERSION), (put(SERVER_HELLO, 2, 1), put(SERVER_HELLO, 10, 1)), put(SERVER_HELLO, 10, 3));
    REFUSES("hello of SSL 3", ACME_E_TLS_VERSION, ENGINE(UNSUPPORTED_VERSION), (put(SERVER_HELLO, 2, 0), put(SERVER_HELLO, 10, 0)), put(SERVER_HELLO, 10, 3));
    REFUSES("hello of TLS 1.3 as in its drafts", ACME_E_TLS_VERSION, ENGINE(UNSUPPORTED_VERSION), put(SERVER_HELLO, 10, 4), put(SERVER_HELLO, 10, 3));
    REFUSES("record of another version", ACME_E_TLS_RECORD, ENGINE(BAD_VERSION), put(SERVER_HELLO, 2, 1), put(SERVER_HELLO, 2, 3));
    REFUSES("version changes later", ACME_E_TLS_RECORD, ENGINE(BAD_VERSION), put(KEY_EXCHANGE, 2, 1), put(KEY_EXCHANGE, 2, 3));
    REFUSES("version of no TLS", ACME_E_TLS_RECORD, ENGINE(UNSUPPORTED_VERSION), put(SERVER_HELLO, 1, 2), put(SERVER_HELLO, 1, 3));
    REFUSES("no suite in common: RSA key exchange", ACME_E_TLS_VERSION, ALERT(40), (C[LEAF].spec.key = KEY(K_RSA), T.suites = "AES128-GCM-SHA256"), (C[LEAF].spec.key = KEY(K_RSA), T.suites = "ECDHE-RSA-AES128-GCM-SHA256"));
    REFUSES("no suite in common: CBC", ACME_E_TLS_VERSION, ALERT(40), T.suites = "ECDHE-ECDSA-AES128-SHA256", T.suites = "ECDHE-ECDSA-AES128-GCM-SHA256");
    REFUSES("no suite in common: DHE", ACME_E_TLS_VERSION, ALERT(40), (C[LEAF].spec.key = KEY(K_RSA), T.suites = "DHE-RSA-AES128-GCM-SHA256"), C[LEAF].spec.key = KEY(K_RSA));
    REFUSES("no curve in common", ACME_E_TLS_VERSION, ALERT(40), T.groups = "P-521", T.groups = "P-384");
}

/* What a server may not choose or say in its hello. */
static void hellos(void **state)
{
    REFUSES("suite not offered: CBC", ACME_E_TLS, ENGINE(BAD_CIPHER_SUITE), SUITE(0xc0, 0x23), SUITE(0xcc, 0xa9));
    REFUSES("suite not offered: RSA key exchange", ACME_E_TLS, ENGINE(BAD_CIPHER_SUITE), SUITE(0, 0x9c), SUITE(0xcc, 0xa9));
    REFUSES("suite without cipher", ACME_E_TLS, ENGINE(BAD_CIPHER_SUITE), SUITE(0, 0), SUITE(0xcc, 0xa9));
    REFUSES("suite of TLS 1.3", ACME_E_TLS, ENGINE(BAD_CIPHER_SUITE), SUITE(0x13, 1), SUITE(0xcc, 0xa9));
    REFUSES("compression", ACME_E_TLS, ENGINE(BAD_COMPRESSION), put(SERVER_HELLO, HELLO_SUITE + 2, 1), put(SERVER_HELLO, HELLO_SUITE + 2, 0));
    REFUSES("session id of 33 bytes", ACME_E_TLS, ENGINE(OVERSIZED_ID), put(SERVER_HELLO, HELLO_SUITE - 33, 33), put(SERVER_HELLO, HELLO_SUITE - 33, 32));
    REFUSES("extension not offered", ACME_E_TLS, ENGINE(EXTRA_EXTENSION), extension(BYTES("\0\x23\0\0")), (void)0);
    REFUSES("extension twice", ACME_E_TLS, ENGINE(EXTRA_EXTENSION), extension(BYTES("\xff\1\0\1\0")), (void)0);
    REFUSES("extension cut short", ACME_E_TLS, ENGINE(BAD_PARAM), extension(BYTES("\0\x0a\0\2")), (void)0);
    REFUSES("renegotiation of a session there never was", ACME_E_TLS, ENGINE(BAD_SECRENEG), patch(SERVER_HELLO, BYTES("\xff\1\0\1"), 0, 1), patch(SERVER_HELLO, BYTES("\xff\1\0\1"), 0, 0));
    REFUSES("application protocol not offered", ACME_E_TLS_RECORD, ENGINE(UNEXPECTED), T.protocol = "h2", T.protocol = "http/1.1");
    REFUSES("hello longer than its contents", ACME_E_TLS, ENGINE(BAD_PARAM), put(SERVER_HELLO, 8, 255), (void)0);
    REFUSES("hello shorter than its contents", ACME_E_TLS, ENGINE(BAD_PARAM), put(SERVER_HELLO, 8, 20), (void)0);
    REFUSES("another fragment length than a small buffer asked for", ACME_E_TLS, ENGINE(BAD_FRAGLEN), (T.buffer_len = 1000, patch(SERVER_HELLO, BYTES("\0\1\0\1"), 0, 4)), (T.buffer_len = 1000, patch(SERVER_HELLO, BYTES("\0\1\0\1"), 0, 1)));
}

static void key_exchanges(void **state)
{
    REFUSES("a bit of the signature", ACME_E_TLS_SIGNATURE, ENGINE(BAD_SIGNATURE), spoil(KEY_EXCHANGE, POINT + 65 + 4 + 30), put(KEY_EXCHANGE, POINT + 65, 4));
    REFUSES("a byte of the point", ACME_E_TLS_SIGNATURE, ENGINE(BAD_SIGNATURE), spoil(KEY_EXCHANGE, POINT + 30), put(KEY_EXCHANGE, POINT, 4));
    REFUSES("signed for another server random", ACME_E_TLS_SIGNATURE, ENGINE(BAD_SIGNATURE), spoil(SERVER_HELLO, 20), (void)0);
    REFUSES("curve by its parameters", ACME_E_TLS, ENGINE(INVALID_ALGORITHM), put(KEY_EXCHANGE, 9, 1), put(KEY_EXCHANGE, 9, 3));
    REFUSES("curve P-521", ACME_E_TLS, ENGINE(INVALID_ALGORITHM), put(KEY_EXCHANGE, 11, 25), put(KEY_EXCHANGE, 11, 23));
    REFUSES("curve X25519", ACME_E_TLS, ENGINE(INVALID_ALGORITHM), put(KEY_EXCHANGE, 11, 29), put(KEY_EXCHANGE, 11, 23));
    REFUSES("curve of a number far away", ACME_E_TLS, ENGINE(INVALID_ALGORITHM), put(KEY_EXCHANGE, 10, 1), put(KEY_EXCHANGE, 10, 0));
    REFUSES("signed by MD5", ACME_E_TLS, ENGINE(INVALID_ALGORITHM), put(KEY_EXCHANGE, POINT + 65, 1), put(KEY_EXCHANGE, POINT + 65, 4));
    REFUSES("signed by SHA-1, which we lack", ACME_E_TLS, ENGINE(INVALID_ALGORITHM), put(KEY_EXCHANGE, POINT + 65, 2), put(KEY_EXCHANGE, POINT + 65, 4));
    REFUSES("signed by another algorithm than the suite's", ACME_E_TLS, ENGINE(INVALID_ALGORITHM), put(KEY_EXCHANGE, POINT + 66, 1), put(KEY_EXCHANGE, POINT + 66, 3));
    REFUSES("signature too long", ACME_E_TLS, ENGINE(LIMIT_EXCEEDED), put(KEY_EXCHANGE, POINT + 67, 3), put(KEY_EXCHANGE, POINT + 67, 0));
    REFUSES("bytes behind the signature", ACME_E_TLS, ENGINE(BAD_PARAM), splice(KEY_EXCHANGE, SIZE_MAX, 0, "", 1), (void)0);
}

/* Messages that come too early, too late, twice or never. */
static void orders(void **state)
{
    REFUSES("no hello", ACME_E_TLS_RECORD, ENGINE(UNEXPECTED), drop(SERVER_HELLO), (void)0);
    REFUSES("hello twice", ACME_E_TLS_RECORD, ENGINE(UNEXPECTED), again(SERVER_HELLO), (void)0);
    REFUSES("certificate left out", ACME_E_TLS_RECORD, ENGINE(UNEXPECTED), drop(CERTIFICATE), (void)0);
    REFUSES("key exchange left out", ACME_E_TLS_RECORD, ENGINE(UNEXPECTED), drop(KEY_EXCHANGE), (void)0);
    REFUSES("key exchange twice", ACME_E_TLS_RECORD, ENGINE(UNEXPECTED), again(KEY_EXCHANGE), (void)0);
    REFUSES("hello done early", ACME_E_TLS_RECORD, ENGINE(UNEXPECTED), before(KEY_EXCHANGE, BYTES("\x16\3\3\0\4\x0e\0\0\0")), (void)0);
    REFUSES("hello done with contents", ACME_E_TLS, ENGINE(BAD_HELLO_DONE), splice(HELLO_DONE, 9, 0, "x", 1), (void)0);
    REFUSES("something in one record with hello done", ACME_E_TLS_RECORD, ENGINE(UNEXPECTED), (drop(HELLO_DONE), before(HELLO_DONE, BYTES("\x16\3\3\0\5\x0e\0\0\0\x16"))), (void)0);
    REFUSES("finished in clear", ACME_E_TLS_RECORD, ENGINE(UNEXPECTED), before(KEY_EXCHANGE, BYTES("\x16\3\3\0\x10\x14\0\0\x0c" "123456789012")), (void)0);
    REFUSES("change of cipher in the place of the hello", ACME_E_TLS_RECORD, ENGINE(UNEXPECTED), before(SERVER_HELLO, BYTES("\x14\3\3\0\1\1")), (void)0);
    REFUSES("change of cipher before the key exchange", ACME_E_TLS_RECORD, ENGINE(UNEXPECTED), before(KEY_EXCHANGE, BYTES("\x14\3\3\0\1\1")), (void)0);
    REFUSES("change of cipher before hello done", ACME_E_TLS_RECORD, ENGINE(UNEXPECTED), before(HELLO_DONE, BYTES("\x14\3\3\0\1\1")), (void)0);
    REFUSES("application data in the place of the hello", ACME_E_TLS_RECORD, ENGINE(UNEXPECTED), before(SERVER_HELLO, BYTES("\x17\3\3\0\4HTTP")), (void)0);
    REFUSES("application data before the key exchange", ACME_E_TLS_RECORD, ENGINE(UNEXPECTED), before(KEY_EXCHANGE, BYTES("\x17\3\3\0\4HTTP")), (void)0);
    REFUSES("application data before finished", ACME_E_TLS_RECORD, ENGINE(UNEXPECTED), before(CCS, BYTES("\x17\3\3\0\4HTTP")), (void)0);
    REFUSES("handshake message before the change of cipher", ACME_E_TLS_RECORD, ENGINE(UNEXPECTED), before(CCS, BYTES("\x16\3\3\0\4\x0e\0\0\0")), (void)0);
    REFUSES("hello request with contents", ACME_E_TLS, ENGINE(BAD_HANDSHAKE), before(SERVER_HELLO, BYTES("\x16\3\3\0\5\0\0\0\1x")), (void)0);
    REFUSES("certificate status not asked for", ACME_E_TLS_RECORD, ENGINE(UNEXPECTED), before(KEY_EXCHANGE, BYTES("\x16\3\3\0\4\x16\0\0\0")), (void)0);
    REFUSES("change of cipher of value 2", ACME_E_TLS, ENGINE(BAD_CCS), put(CCS, 5, 2), put(CCS, 5, 1));
    REFUSES("change of cipher left out", ACME_E_TLS_RECORD, ENGINE(UNEXPECTED), drop(CCS), (void)0);
    REFUSES("change of cipher twice", ACME_E_TLS_RECORD, ENGINE(BAD_LENGTH), again(CCS), (void)0);
}

static void finishes(void **state)
{
    REFUSES("session id changed on the way, as only finished tells", ACME_E_TLS_ALERT, ALERT(51), spoil(SERVER_HELLO, HELLO_SUITE - 5), (void)0);
    REFUSES("a byte of finished", ACME_E_TLS_RECORD, ENGINE(BAD_MAC), spoil(FINISHED, 10), (void)0);
    REFUSES("the last byte of finished's tag", ACME_E_TLS_RECORD, ENGINE(BAD_MAC), splice(FINISHED, 36, 1, "\x55", 1), (void)0);
    REFUSES("finished of another type", ACME_E_TLS_RECORD, ENGINE(BAD_MAC), put(FINISHED, 0, 23), put(FINISHED, 0, 22));
    REFUSES("finished shorter than a tag", ACME_E_TLS_RECORD, ENGINE(BAD_LENGTH), put(FINISHED, 4, 8), (void)0);
    REFUSES("finished for another hello in a session that goes on", ACME_E_TLS_RECORD, ENGINE(BAD_FINISHED), (T.first_host = TRIAL_HOST, extension(BYTES("\0\x0a\0\0"))), T.first_host = TRIAL_HOST);
    REFUSES("session that goes on with another suite", ACME_E_TLS, ENGINE(RESUME_MISMATCH), (T.first_host = TRIAL_HOST, SUITE(0xc0, 0x2b)), (T.first_host = TRIAL_HOST, SUITE(0xcc, 0xa9)));
    REFUSES("session whose certificate has ended since", ACME_E_TLS_DATES, CHAIN(EXPIRED), (T.first_host = TRIAL_HOST, T.later = 91 * MAKER_DAY), (T.first_host = TRIAL_HOST, T.later = 89 * MAKER_DAY));
    REFUSES("session whose certificate has ended within the day", ACME_E_TLS_DATES, CHAIN(EXPIRED), (T.first_host = TRIAL_HOST, C[LEAF].spec.to = MAKER_NOW + 100, T.later = 101), (T.first_host = TRIAL_HOST, C[LEAF].spec.to = MAKER_NOW + 100, T.later = 100));
    REFUSES("session whose intermediate has ended within the day", ACME_E_TLS_DATES, CHAIN(EXPIRED), (T.first_host = TRIAL_HOST, C[INTER].spec.to = MAKER_NOW + 100, T.later = 101), (T.first_host = TRIAL_HOST, C[INTER].spec.to = MAKER_NOW + 100, T.later = 100));
    REFUSES("session of a time before its certificate", ACME_E_TLS_EARLY, CHAIN(EXPIRED), (T.first_host = TRIAL_HOST, T.later = -2 * MAKER_DAY), (T.first_host = TRIAL_HOST, T.later = -10));
    REFUSES("session of another host", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (T.first_host = TRIAL_HOST, T.host = "other.example"), (T.first_host = TRIAL_HOST, T.host = TRIAL_HOST));
}

static void alerts(void **state)
{
    REFUSES("internal error", ACME_E_TLS_ALERT, ALERT(80), before(SERVER_HELLO, BYTES("\x15\3\3\0\2\2\x50")), before(SERVER_HELLO, BYTES("\x15\3\3\0\2\1\x50")));
    REFUSES("name not recognized", ACME_E_TLS_ALERT, ALERT(112), before(SERVER_HELLO, BYTES("\x15\3\3\0\2\2\x70")), before(SERVER_HELLO, BYTES("\x15\3\3\0\2\1\x70")));
    REFUSES("handshake failure", ACME_E_TLS_VERSION, ALERT(40), before(SERVER_HELLO, BYTES("\x15\3\3\0\2\2\x28")), before(SERVER_HELLO, BYTES("\x15\3\3\0\2\1\x28")));
    REFUSES("of a level there is not", ACME_E_TLS_ALERT, ALERT(80), before(KEY_EXCHANGE, BYTES("\x15\3\3\0\2\x07\x50")), before(KEY_EXCHANGE, BYTES("\x15\3\3\0\2\1\x50")));
    REFUSES("before the key exchange", ACME_E_TLS_ALERT, ALERT(49), before(KEY_EXCHANGE, BYTES("\x15\3\3\0\2\2\x31")), (void)0);
    REFUSES("before finished", ACME_E_TLS_ALERT, ALERT(20), before(CCS, BYTES("\x15\3\3\0\2\2\x14")), (void)0);
    REFUSES("no renegotiation, as a warning", ACME_E_TLS_ALERT, ALERT(100), before(SERVER_HELLO, BYTES("\x15\3\3\0\2\1\x64")), (void)0);
    REFUSES("farewell before the hello", ACME_E_CLOSED, NONE, before(SERVER_HELLO, BYTES("\x15\3\3\0\2\1\0")), (void)0);
    REFUSES("farewell before the key exchange", ACME_E_CLOSED, NONE, before(KEY_EXCHANGE, BYTES("\x15\3\3\0\2\1\0")), (void)0);
    REFUSES("farewell before finished", ACME_E_CLOSED, NONE, before(CCS, BYTES("\x15\3\3\0\2\1\0")), (void)0);
}

static void not_tls(void **state)
{
    REFUSES("HTTP", ACME_E_TLS_RECORD, ENGINE(UNSUPPORTED_VERSION), raw(BYTES("HTTP/1.1 400 Bad Request\r\n\r\n")), (void)0);
    REFUSES("SMTP", ACME_E_TLS_RECORD, ENGINE(UNSUPPORTED_VERSION), raw(BYTES("220 mail.example ESMTP\r\n")), (void)0);
    REFUSES("SSH", ACME_E_TLS_RECORD, ENGINE(UNSUPPORTED_VERSION), raw(BYTES("SSH-2.0-OpenSSH_9.2\r\n")), (void)0);
    REFUSES("zeros", ACME_E_TLS_RECORD, ENGINE(UNSUPPORTED_VERSION), raw(BYTES("\0\0\0\0\0\0\0\0")), (void)0);
    REFUSES("ones", ACME_E_TLS_RECORD, ENGINE(UNSUPPORTED_VERSION), raw(BYTES("\xff\xff\xff\xff\xff\xff")), (void)0);
    REFUSES("hello of SSL 2", ACME_E_TLS_RECORD, ENGINE(UNSUPPORTED_VERSION), raw(BYTES("\x80\x0b\4\0\1\0\2\0\0\0\0\0\0")), (void)0);
    REFUSES("our own words", ACME_E_TLS_RECORD, ENGINE(UNEXPECTED), raw(BYTES("\x16\3\3\0\4\1\0\0\0")), (void)0);
    REFUSES("record of a type there is not", ACME_E_TLS_RECORD, ENGINE(UNEXPECTED), before(SERVER_HELLO, BYTES("\x18\3\3\0\1x")), (void)0);
    REFUSES("record of 16385 bytes", ACME_E_TLS_RECORD, ENGINE(BAD_LENGTH), raw(BYTES("\x16\3\3\x40\1\2")), (void)0);
    REFUSES("nothing", ACME_E_CLOSED, NONE, raw("", 0), (void)0);
}

/* FIN, RST and silence, between two records and within one. */
static void ends(void **state)
{
    REFUSES("FIN in the hello's header", ACME_E_TLS_RECORD, NONE, cut(SERVER_HELLO, 3, ACME_E_CLOSED), (void)0);
    REFUSES("FIN in the hello", ACME_E_TLS_RECORD, NONE, cut(SERVER_HELLO, 30, ACME_E_CLOSED), (void)0);
    REFUSES("FIN before the certificate", ACME_E_CLOSED, NONE, cut(CERTIFICATE, 0, ACME_E_CLOSED), (void)0);
    REFUSES("FIN in the certificate", ACME_E_TLS_RECORD, NONE, cut(CERTIFICATE, 100, ACME_E_CLOSED), (void)0);
    REFUSES("FIN before hello done", ACME_E_CLOSED, NONE, cut(HELLO_DONE, 0, ACME_E_CLOSED), (void)0);
    REFUSES("FIN in the key exchange", ACME_E_TLS_RECORD, NONE, cut(KEY_EXCHANGE, 20, ACME_E_CLOSED), (void)0);
    REFUSES("FIN before the change of cipher", ACME_E_CLOSED, NONE, cut(CCS, 0, ACME_E_CLOSED), (void)0);
    REFUSES("FIN before finished", ACME_E_CLOSED, NONE, cut(FINISHED, 0, ACME_E_CLOSED), (void)0);
    REFUSES("FIN in finished", ACME_E_TLS_RECORD, NONE, cut(FINISHED, 36, ACME_E_CLOSED), (void)0);
    REFUSES("RST in the hello", ACME_E_NET, NONE, cut(SERVER_HELLO, 30, ACME_E_NET), (void)0);
    REFUSES("RST before hello done", ACME_E_NET, NONE, cut(HELLO_DONE, 0, ACME_E_NET), (void)0);
    REFUSES("RST before finished", ACME_E_NET, NONE, cut(FINISHED, 0, ACME_E_NET), (void)0);
    REFUSES("silence before the hello", ACME_E_TIMEOUT, NONE, cut(SERVER_HELLO, 0, 0), (void)0);
    REFUSES("silence in the certificate", ACME_E_TIMEOUT, NONE, cut(CERTIFICATE, 100, 0), (void)0);
    REFUSES("silence before finished", ACME_E_TIMEOUT, NONE, cut(FINISHED, 0, 0), (void)0);
}

/* A server that is trusted, and whose first words come damaged. */
static void data(void **state)
{
    REFUSES("a byte", ACME_E_TLS_RECORD, ENGINE(BAD_MAC), spoil(DATA, 10), (void)0);
    REFUSES("a byte of the tag", ACME_E_TLS_RECORD, ENGINE(BAD_MAC), spoil(DATA, 44), (void)0);
    REFUSES("a byte of the second record", ACME_E_TLS_RECORD, ENGINE(BAD_MAC), spoil(DATA2, 10), (void)0);
    REFUSES("record dropped", ACME_E_TLS_RECORD, ENGINE(BAD_MAC), drop(DATA), (void)0);
    REFUSES("record twice", ACME_E_TLS_RECORD, ENGINE(BAD_MAC), again(DATA), (void)0);
    REFUSES("record of another type", ACME_E_TLS_RECORD, ENGINE(BAD_MAC), put(DATA, 0, 22), put(DATA, 0, 23));
    REFUSES("record of another version", ACME_E_TLS_RECORD, ENGINE(BAD_VERSION), put(DATA, 2, 2), put(DATA, 2, 3));
    REFUSES("words in clear", ACME_E_TLS_RECORD, ENGINE(BAD_LENGTH), before(DATA, BYTES("\x17\3\3\0\4HTTP")), (void)0);
    REFUSES("words in clear, as long as a tag", ACME_E_TLS_RECORD, ENGINE(BAD_MAC), before(DATA, BYTES("\x17\3\3\0\x18HTTP/1.1 200 OK\r\n\r\nhello")), (void)0);
    REFUSES("alert in clear", ACME_E_TLS_RECORD, ENGINE(BAD_LENGTH), before(DATA, BYTES("\x15\3\3\0\2\1\0")), (void)0);
    REFUSES("change of cipher in clear", ACME_E_TLS_RECORD, ENGINE(BAD_LENGTH), before(DATA, BYTES("\x14\3\3\0\1\1")), (void)0);
    REFUSES("record longer than TLS allows", ACME_E_TLS_RECORD, ENGINE(BAD_LENGTH), put(DATA, 3, 0x50), (void)0);
    REFUSES("record longer than the buffer", ACME_E_TLS_RECORD_BIG, ENGINE(TOO_LARGE), (T.buffer_len = 1000, put(DATA, 3, 0x10)), T.buffer_len = 1000);
    REFUSES("FIN before it", ACME_E_CLOSED, NONE, cut(DATA, 0, ACME_E_CLOSED), (void)0);
    REFUSES("FIN within", ACME_E_TLS_RECORD, NONE, cut(DATA, 20, ACME_E_CLOSED), (void)0);
    REFUSES("RST within", ACME_E_NET, NONE, cut(DATA, 20, ACME_E_NET), (void)0);
    REFUSES("silence within", ACME_E_TIMEOUT, NONE, cut(DATA, 20, 0), (void)0);
}

static void big_leaf(void)
{
    static char comment[6100] = "1.2.3.4=DER:04820bb8";

    memset(comment + 20, '0', 6000);
    WITH(LEAF, comment);
    C[LEAF].more[1] = C[LEAF].more[2] = comment;
}

/* What is accepted, on purpose: core/DESIGN.md says why. A change of mind must be seen here. */
#define ACCEPTS(name, how) (trial_begin(), (void)(how), twins--, twin_is_accepted(__func__, name), twins++)
#define LEAF_FOR(list)   WITH(LEAF, "extendedKeyUsage=" list)
#define INTER_FOR(list)  WITH(INTER, "extendedKeyUsage=" list)

/* The last extension's value without a byte. */
static void no_usage(X509 *x)
{
    ASN1_STRING_set(X509_EXTENSION_get_data(X509_get_ext(x, X509_get_ext_count(x) - 1)), "", 0);
}

/* What a certificate may be used for (RFC 5280, 4.2.1.12). Whoever is a CA for mail only has looked at no host name. */
static void purposes(void **state)
{
    REFUSES("leaf for clients only", ACME_E_TLS_CERT, CHAIN(FORBIDDEN_KEY_USAGE), LEAF_FOR("clientAuth"), LEAF_FOR("clientAuth,serverAuth"));
    REFUSES("leaf for mail and code", ACME_E_TLS_CERT, CHAIN(FORBIDDEN_KEY_USAGE), LEAF_FOR("emailProtection,codeSigning"), LEAF_FOR("emailProtection,anyExtendedKeyUsage"));
    REFUSES("leaf directly trusted, for clients only", ACME_E_ANCHORS, NONE, (T.trusted = "L", LEAF_FOR("clientAuth")), (T.trusted = "L", LEAF_FOR("serverAuth")));
    REFUSES("intermediate for mail", ACME_E_TLS_CERT, CHAIN(FORBIDDEN_KEY_USAGE), INTER_FOR("emailProtection"), INTER_FOR("emailProtection,serverAuth"));
    REFUSES("intermediate for code", ACME_E_TLS_CERT, CHAIN(FORBIDDEN_KEY_USAGE), INTER_FOR("codeSigning"), INTER_FOR("codeSigning,anyExtendedKeyUsage"));
    REFUSES("intermediate for clients", ACME_E_TLS_CERT, CHAIN(FORBIDDEN_KEY_USAGE), INTER_FOR("clientAuth"), INTER_FOR("serverAuth"));
    REFUSES("intermediate for mail, leaf for servers", ACME_E_TLS_CERT, CHAIN(FORBIDDEN_KEY_USAGE), (INTER_FOR("emailProtection"), LEAF_FOR("serverAuth")), (INTER_FOR("serverAuth"), LEAF_FOR("serverAuth")));
    REFUSES("intermediate for servers, leaf for mail", ACME_E_TLS_CERT, CHAIN(FORBIDDEN_KEY_USAGE), (INTER_FOR("serverAuth"), LEAF_FOR("emailProtection")), INTER_FOR("serverAuth"));
    REFUSES("upper intermediate for time stamps", ACME_E_TLS_CERT, CHAIN(FORBIDDEN_KEY_USAGE), (DEEP, INTER_FOR("timeStamping")), (DEEP, INTER_FOR("serverAuth")));
    REFUSES("lower intermediate for time stamps", ACME_E_TLS_CERT, CHAIN(FORBIDDEN_KEY_USAGE), (DEEP, WITH(SUB, "extendedKeyUsage=timeStamping")), (DEEP, WITH(SUB, "extendedKeyUsage=serverAuth")));
    REFUSES("usage that only begins as servers' does", ACME_E_TLS_CERT, CHAIN(FORBIDDEN_KEY_USAGE), INTER_FOR("1.3.6.1.5.5.7.3.1.1"), INTER_FOR("1.3.6.1.5.5.7.3.1.1,1.3.6.1.5.5.7.3.1"));
    REFUSES("usage one number off", ACME_E_TLS_CERT, CHAIN(FORBIDDEN_KEY_USAGE), INTER_FOR("1.3.6.1.5.5.7.3.17"), INTER_FOR("1.3.6.1.5.5.7.3.17,serverAuth"));
    REFUSES("usage that only begins as any does", ACME_E_TLS_CERT, CHAIN(FORBIDDEN_KEY_USAGE), INTER_FOR("2.5.29.37.0.1"), INTER_FOR("2.5.29.37.0.1,2.5.29.37.0"));
    REFUSES("no usage in the list", ACME_E_TLS_CERT, CHAIN(FORBIDDEN_KEY_USAGE), WITH(INTER, "2.5.29.37=DER:3000"), WITH(INTER, "2.5.29.37=DER:300a06082b06010505070301"));
    REFUSES("nothing in the extension", ACME_E_TLS_CERT, CHAIN(FORBIDDEN_KEY_USAGE), (WITH(INTER, "2.5.29.37=DER:0500"), C[INTER].alter = no_usage), WITH(INTER, "2.5.29.37=DER:300a06082b06010505070301"));
    REFUSES("two usages, the first without servers", ACME_E_TLS_CERT, CHAIN(FORBIDDEN_KEY_USAGE), WITH(INTER, "2.5.29.37=DER:300a06082b06010505070303", "2.5.29.37=DER:300a06082b06010505070301"), WITH(INTER, "2.5.29.37=DER:300a06082b06010505070301"));
    REFUSES("usages that are no list", ACME_E_TLS_CERT, CHAIN(FORBIDDEN_KEY_USAGE), WITH(INTER, "2.5.29.37=DER:0c0a06082b06010505070301"), WITH(INTER, "2.5.29.37=DER:300a06082b06010505070301"));
    REFUSES("usages longer than their extension", ACME_E_TLS_CERT, CHAIN(FORBIDDEN_KEY_USAGE), WITH(INTER, "2.5.29.37=DER:3082ffff0682ffff"), WITH(INTER, "2.5.29.37=DER:30810a06082b06010505070301"));
    REFUSES("servers named in another extension", ACME_E_TLS_CERT, CHAIN(FORBIDDEN_KEY_USAGE), WITH(INTER, "extendedKeyUsage=codeSigning", "1.2.3.4=DER:300a06082b06010505070301"), WITH(INTER, "1.2.3.4=DER:300a06082b06010505070303", "extendedKeyUsage=serverAuth"));
    REFUSES("two usages, one without servers", ACME_E_TLS_CERT, CHAIN(FORBIDDEN_KEY_USAGE), WITH(INTER, "2.5.29.37=DER:300a06082b06010505070301", "2.5.29.37=DER:300a06082b06010505070303"), WITH(INTER, "2.5.29.37=DER:300a06082b06010505070301", "2.5.29.37=DER:300a06082b06010505070301"));
    REFUSES("critical usage of an intermediate", ACME_E_TLS_CERT, CHAIN(CRITICAL_EXTENSION), INTER_FOR("critical,serverAuth"), INTER_FOR("serverAuth"));
}

#define ROOT_WITH(...)   WITH(ANCHOR, __VA_ARGS__)
#define LIMITED(list)    ROOT_WITH("nameConstraints=critical," list)

/* What a root says of itself: one that may not vouch for the host, or for nobody. The host is ca.example. */
static void limited_roots(void **state)
{
    REFUSES("root for mail", ACME_E_ANCHORS, NONE, ROOT_WITH("extendedKeyUsage=emailProtection"), ROOT_WITH("extendedKeyUsage=emailProtection,serverAuth"));
    REFUSES("root that may sign lists only", ACME_E_ANCHORS, NONE, (C[ANCHOR].spec.ca = MAKER_CA_ABSENT, ROOT_WITH("basicConstraints=critical,CA:TRUE", "keyUsage=critical,cRLSign")), (C[ANCHOR].spec.ca = MAKER_CA_ABSENT, ROOT_WITH("basicConstraints=critical,CA:TRUE", "keyUsage=critical,cRLSign,keyCertSign")));
    REFUSES("unknown critical extension in the root", ACME_E_ANCHORS, NONE, ROOT_WITH("1.2.3.4=critical,DER:0500"), ROOT_WITH("1.2.3.4=DER:0500"));
    REFUSES("unknown critical extension near those of X.509", ACME_E_ANCHORS, NONE, ROOT_WITH("2.5.29.63=critical,DER:0500"), ROOT_WITH("2.5.29.63=DER:0500"));
    REFUSES("root for another domain", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), LIMITED("permitted;DNS:lab.example"), LIMITED("permitted;DNS:example"));
    REFUSES("root for another domain, not critical", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), ROOT_WITH("nameConstraints=permitted;DNS:lab.example"), ROOT_WITH("nameConstraints=permitted;DNS:CA.Example"));
    REFUSES("root for a domain below the host", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), LIMITED("permitted;DNS:a.ca.example"), LIMITED("permitted;DNS:ca.example"));
    REFUSES("root for a domain that only ends alike", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), LIMITED("permitted;DNS:a.example"), LIMITED("permitted;DNS:a.example,permitted;DNS:example"));
    REFUSES("root for two other domains", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), LIMITED("permitted;DNS:lab.example,permitted;DNS:plant.example"), LIMITED("permitted;DNS:lab.example,permitted;DNS:ca.example"));
    REFUSES("root for what is below the host, full stop first", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), LIMITED("permitted;DNS:.ca.example"), LIMITED("permitted;DNS:.example"));
    REFUSES("root for all but the host", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), LIMITED("excluded;DNS:ca.example"), LIMITED("excluded;DNS:a.example"));
    REFUSES("root for all but the host's domain", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), LIMITED("excluded;DNS:EXAMPLE"), LIMITED("excluded;DNS:a.ca.example"));
    REFUSES("root for all but a domain, full stop first", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), LIMITED("excluded;DNS:.ca.example"), LIMITED("excluded;DNS:.a.ca.example"));
    REFUSES("root for no host", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), ROOT_WITH("2.5.29.30=critical,DER:3006a10430028200"), ROOT_WITH("2.5.29.30=critical,DER:3006a00430028200"));
    REFUSES("root for a domain but the host", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), LIMITED("permitted;DNS:example,excluded;DNS:ca.example"), LIMITED("permitted;DNS:example,excluded;DNS:lab.example"));
    REFUSES("root for addresses and another domain", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), LIMITED("permitted;IP:10.0.0.0/255.0.0.0,permitted;DNS:lab.example"), LIMITED("permitted;IP:10.0.0.0/255.0.0.0,permitted;email:lab.example"));
    REFUSES("root for a wildcard", ACME_E_ANCHORS, NONE, LIMITED("permitted;DNS:*.example"), LIMITED("permitted;DNS:example"));
    REFUSES("root for all but a wildcard", ACME_E_ANCHORS, NONE, LIMITED("excluded;DNS:*.example"), LIMITED("excluded;DNS:a.example"));
    REFUSES("root for a domain with a minimum", ACME_E_ANCHORS, NONE, ROOT_WITH("2.5.29.30=critical,DER:3010a00e300c82076578616d706c65800100"), ROOT_WITH("2.5.29.30=critical,DER:300da00b300982076578616d706c65"));
    REFUSES("constraints with something behind", ACME_E_ANCHORS, NONE, ROOT_WITH("2.5.29.30=critical,DER:300fa00b300982076578616d706c650500"), ROOT_WITH("2.5.29.30=critical,DER:300da00b300982076578616d706c65"));
    REFUSES("constraints twice", ACME_E_ANCHORS, NONE, ROOT_WITH("nameConstraints=permitted;DNS:example", "2.5.29.30=DER:300da00b300982076578616d706c65"), ROOT_WITH("nameConstraints=permitted;DNS:example"));
    REFUSES("constrained intermediate as anchor, for another domain", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), (T.trusted = "I", WITH(INTER, "nameConstraints=critical,permitted;DNS:lab.example")), (T.trusted = "I", WITH(INTER, "nameConstraints=critical,permitted;DNS:example")));
    REFUSES("constrained intermediate below its root", ACME_E_TLS_CERT, CHAIN(CRITICAL_EXTENSION), WITH(INTER, "nameConstraints=critical,permitted;DNS:example"), (T.trusted = "AI", WITH(INTER, "nameConstraints=critical,permitted;DNS:example")));
    REFUSES("two roots of one name, one for another domain", ACME_E_TLS_UNTRUSTED, CHAIN(NOT_TRUSTED), (T.trusted = "RA", LIMITED("permitted;DNS:lab.example")), (T.trusted = "RA", LIMITED("permitted;DNS:example")));
    REFUSES("own certificate of another host", ACME_E_TLS_HOST, CHAIN(BAD_SERVER_NAME), (T.trusted = "L", LEAF_NAMED("DNS:other.example")), T.trusted = "L");
}

static void accepted(void **state)
{
    ACCEPTS("expired root", (C[ANCHOR].spec.from = MAKER_NOW - 200, C[ANCHOR].spec.to = MAKER_NOW - 100));
    ACCEPTS("root whose own signature is SHA-1", C[ANCHOR].spec.digest = EVP_sha1());
    ACCEPTS("usages of a root that is sent along", (T.sent = "LIR", WITH(ROOT, "extendedKeyUsage=emailProtection")));
    ACCEPTS("usages of what comes behind the chain", (T.sent = "LIX", WITH(STRANGER, "extendedKeyUsage=emailProtection")));
    ACCEPTS("constraints of an anchor that has no part in it", (T.trusted = "AX", WITH(STRANGER, "nameConstraints=critical,permitted;DNS:lab.example")));
    ACCEPTS("constraints of a root in subjects' names only", ROOT_WITH("2.5.29.30=critical,DER:3017a0153013a411300f310d300b060355040a0c044c616273"));
    ACCEPTS("empty constraints", ROOT_WITH("2.5.29.30=critical,DER:3000"));
    ACCEPTS("policies of a root, critical", ROOT_WITH("policyConstraints=critical,requireExplicitPolicy:0", "inhibitAnyPolicy=critical,0"));
    ACCEPTS("path length of a root", (C[ANCHOR].spec.ca = MAKER_CA_ABSENT, DEEP, ROOT_WITH("basicConstraints=critical,CA:TRUE,pathlen:0")));
    ACCEPTS("the server's own certificate as anchor", (C[LEAF].by = LEAF, T.sent = "L", T.trusted = "L"));
    ACCEPTS("the server's own certificate as anchor, for signatures", (T.trusted = "L", WITH(LEAF, "keyUsage=critical,digitalSignature")));
    ACCEPTS("name constraints, not critical", WITH(INTER, "nameConstraints=excluded;DNS:example"));
    ACCEPTS("wildcard right below a top domain", LEAF_NAMED("DNS:*.example"));
    ACCEPTS("certificates nobody asked for, behind the chain", T.sent = "LIXRX");
    ACCEPTS("leaf of 9 KB", big_leaf());
    ACCEPTS("leaf that ends in 2060", C[LEAF].spec.to = 2840140800);
    ACCEPTS("leaf that says it is a CA", (LEAF_IS_CA, C[LEAF].by = ROOT, T.sent = "L"));
    ACCEPTS("leaf without usages and constraints", C[LEAF].spec.ca = MAKER_CA_ABSENT);
    ACCEPTS("empty records before the hello", before(SERVER_HELLO, BYTES("\x16\3\3\0\0\x16\3\3\0\0\x16\3\3\0\0")));
}

/* clang-format on */

static void all(void **state)
{
    print_message(
        "# TLS: %u of %u bad servers and %u of their twins met as they should be, 0 bytes of HTTP to the bad ones\n",
        refused, cases, twins);
    assert_int_equal(refused, cases);
    assert_int_equal(twins, cases);
    assert_in_range(cases, 60, 1000);
}

static int serial_len;

static void long_serial(X509 *x)
{
    uint8_t bytes[256];

    memset(bytes, 1, sizeof bytes);
    ASN1_STRING_set(X509_get_serialNumber(x), bytes, serial_len);
}

/* BearSSL decodes a certificate in pieces of 256 bytes, and a date may end anywhere in one. */
static void dates_anywhere(void **state)
{
    for (serial_len = 170; serial_len < 220; serial_len++) {
        for (int early = 0; early <= 1; early++) {
            trial_begin();
            trial.cert[LEAF].alter = long_serial;
            trial.utc = MAKER_NOW + (early ? -2 : 200) * MAKER_DAY;
            assert_int_equal(trial_run(), early ? ACME_E_TLS_EARLY : ACME_E_TLS_DATES);
        }
    }
}

static int set_up(void **state)
{
    trial_set_up();
    return 0;
}

static int tear_down(void **state)
{
    trial_tear_down();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(names, all_of_them),         cmocka_unit_test_teardown(addresses, all_of_them),
        cmocka_unit_test_teardown(dates, all_of_them),         cmocka_unit_test_teardown(trust, all_of_them),
        cmocka_unit_test_teardown(ca_rules, all_of_them),      cmocka_unit_test_teardown(signatures, all_of_them),
        cmocka_unit_test_teardown(keys, all_of_them),          cmocka_unit_test_teardown(encodings, all_of_them),
        cmocka_unit_test_teardown(versions, all_of_them),      cmocka_unit_test_teardown(hellos, all_of_them),
        cmocka_unit_test_teardown(key_exchanges, all_of_them), cmocka_unit_test_teardown(orders, all_of_them),
        cmocka_unit_test_teardown(finishes, all_of_them),      cmocka_unit_test_teardown(alerts, all_of_them),
        cmocka_unit_test_teardown(not_tls, all_of_them),       cmocka_unit_test_teardown(ends, all_of_them),
        cmocka_unit_test_teardown(data, all_of_them),          cmocka_unit_test_teardown(purposes, all_of_them),
        cmocka_unit_test_teardown(limited_roots, all_of_them), cmocka_unit_test(all),
        cmocka_unit_test_teardown(accepted, all_of_them),      cmocka_unit_test(dates_anywhere),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
