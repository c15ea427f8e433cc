/* test_kept.c - the setup that is kept beside a certificate, metrics of it, and the words for when it is renewed. */
#define _GNU_SOURCE 1
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "due.h"
#include "kept.h"
#include "list.h"
#include "metrics.h"

static char state[64];
static struct acme_posix_store store;
static struct acme_config c;
static char error[512];
static const char *const names[] = {"gw.example.org", "www.example.org"};

static int set_up(void **unused)
{
    strcpy(state, "/tmp/nanoacme-kept-XXXXXX");
    acme_config_init(&c);
    c.state = state;
    return mkdtemp(state) == NULL || chdir("/tmp") != 0;
}

static int tear_down(void **unused)
{
    char command[100];
    acme_posix_store_close(&store);
    snprintf(command, sizeof command, "rm -rf %s", state);
    return system(command);
}

static void open_store(void)
{
    acme_posix_store_init(&store, state, "gw.example.org");
    assert_int_equal(acme_posix_store_open(&store), 0);
}

static void write_file(const char *name, const char *text, mode_t mode)
{
    int fd = openat(store.dir, name, O_WRONLY | O_CREAT | O_TRUNC, mode);
    assert_true(fd >= 0 && fchmod(fd, mode) == 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
}

static const char *read_file(const char *name)
{
    static char text[9000];
    int fd = openat(store.dir, name, O_RDONLY);
    ssize_t len = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    text[len > 0 ? len : 0] = '\0';
    (void)close(fd);
    return text;
}

/* Everything that can be said comes back as it was. */
TEST_WITH(test_round, set_up, tear_down)
{
    static struct acme_config back;
    open_store();
    c.directory_url = "https://ca.example/dir";
    c.ca_file = "roots #1.pem"; /* relative, and with what would begin a comment elsewhere */
    assert_int_equal(acme_kept_write(&c, names, 2, &store, error), -1);
    c.ca_file = "roots.pem";
    c.http_port = 8080;
    c.user = NULL;
    c.profile = "shortlived";
    c.profile_optional = c.accept_terms = c.more_names = c.reuse_key = true;
    c.contacts.count = 2;
    c.contacts.at[0] = "me@example.org";
    c.contacts.at[1] = "mailto:you@example.org";
    c.tls_name = "ca.test";
    c.more_hosts.count = 1;
    c.more_hosts.at[0] = "other.example:444";
    c.product = "gateway/3.1 beta";
    c.force = c.verbose = c.json = true; /* of this run only */
    assert_int_equal(acme_kept_write(&c, names, 2, &store, error), 0);
    acme_config_init(&back);
    assert_int_equal(acme_kept_read(&back, store.dir, "gw.example.org"), 1);
    assert_string_equal(back.directory_url, c.directory_url);
    assert_string_equal(back.ca_file, "/tmp/roots.pem");
    assert_int_equal(back.http_port, 8080);
    assert_string_equal(back.profile, "shortlived");
    assert_true(back.profile_optional && back.accept_terms && back.more_names && back.reuse_key);
    assert_false(back.force || back.verbose || back.json);
    assert_int_equal(back.contacts.count, 2);
    assert_string_equal(back.contacts.at[1], "mailto:you@example.org");
    assert_string_equal(back.tls_name, "ca.test");
    assert_string_equal(back.more_hosts.at[0], "other.example:444");
    assert_string_equal(back.product, "gateway/3.1 beta");
    assert_int_equal(back.names.count, 2);
    assert_string_equal(back.names.at[1], "www.example.org");
    assert_int_equal(acme_config_blame(&back, ACME_KEY_CONTACT), ACME_EXIT_CONFIG);
}

/* Written when it says something else, and only then. */
TEST_WITH(test_once, set_up, tear_down)
{
    struct stat was, is;
    open_store();
    assert_int_equal(acme_kept_write(&c, names, 1, &store, error), 0);
    assert_int_equal(fstatat(store.dir, ".gw.example.org.conf", &was, 0), 0);
    assert_int_equal(was.st_mode & 0777, 0600);
    assert_int_equal(acme_kept_write(&c, names, 1, &store, error), 0);
    assert_int_equal(fstatat(store.dir, ".gw.example.org.conf", &is, 0), 0);
    assert_int_equal(is.st_ino, was.st_ino);
    write_file(".gw.example.org.conf", "# by hand\nnames=gw.example.org\nhttp_port = 80\n", 0600);
    assert_int_equal(acme_kept_write(&c, names, 1, &store, error), 0);
    assert_memory_equal(read_file(".gw.example.org.conf"), "# by hand\n", 10);
    assert_int_equal(acme_kept_write(&c, names, 2, &store, error), 0);
    assert_non_null(strstr(read_file(".gw.example.org.conf"), "names = gw.example.org www.example.org\n"));
    assert_int_equal(acme_kept_remove(&store), 0);
    assert_int_equal(acme_kept_read(&c, store.dir, "gw.example.org"), 0);
}

/* What no config file can hold is told, and nothing is written. */
TEST_WITH(test_cannot, set_up, tear_down)
{
    static const char *const values[] = {"/a\nnames = evil.example.org", "/a ", " /a", "\"/a\"", "/a #b", "/a\rb"};
    open_store();
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        c.webroot = values[i];
        assert_int_equal(acme_kept_write(&c, names, 1, &store, error), -1);
        assert_non_null(strstr(error, "webroot"));
        assert_int_equal(faccessat(store.dir, ".gw.example.org.conf", F_OK, 0), -1);
    }
    c.webroot = NULL;
    c.contacts.count = 1;
    c.contacts.at[0] = "a b@example.org";
    assert_int_equal(acme_kept_write(&c, names, 1, &store, error), -1);
}

static void refused(const char *words)
{
    static struct acme_config back;
    acme_config_init(&back);
    back.state = state;
    assert_int_equal(acme_kept_read(&back, store.dir, "gw.example.org"), -1);
    if (strstr(back.error, words) == NULL) {
        fail_msg("%s: not in: %s", words, back.error);
    }
}

TEST_WITH(test_refused, set_up, tear_down)
{
    static const char conf[] = ".gw.example.org.conf", good[] = "names = gw.example.org\n";
    open_store();
    write_file(conf, good, 0620);
    refused("others may write");
    write_file(conf, good, 0602);
    refused("others may write");
    write_file(conf, "names = other.example.org gw.example.org\n", 0600);
    refused("must begin with gw.example.org");
    write_file(conf, "names = *\n", 0600);
    refused("must begin with");
    write_file(conf, "", 0600);
    refused("no names");
    write_file(conf, "format = 2\nwhatever\nnames = gw.example.org\n", 0600);
    refused("later nanoacme");
    write_file(conf, "format = x\n", 0600);
    refused("not a number");
    write_file(conf, good, 0600);
    assert_int_equal(linkat(store.dir, conf, store.dir, "other", 0), 0);
    refused("another name elsewhere");
    assert_int_equal(unlinkat(store.dir, "other", 0), 0);
    write_file(".GW.example.org.conf", good, 0600);
    refused("two config files for one name");
    assert_int_equal(unlinkat(store.dir, conf, 0), 0);
    refused("has to be called");
    assert_int_equal(unlinkat(store.dir, ".GW.example.org.conf", 0), 0);
    assert_int_equal(symlinkat("/dev/null", store.dir, conf), 0);
    refused("a link");
    assert_int_equal(unlinkat(store.dir, conf, 0), 0);
    assert_int_equal(mkdirat(store.dir, conf, 0700), 0);
    refused("not a file");
    assert_int_equal(unlinkat(store.dir, conf, AT_REMOVEDIR), 0);
}

/* Another user's file: not ours to believe; for root it counts with that user's rights, whatever it says. */
TEST_WITH(test_owner, set_up, tear_down)
{
    static struct acme_config back;
    static const char conf[] = ".gw.example.org.conf";
    if (geteuid() != 0) {
        skip();
    }
    open_store();
    write_file(conf, "names = gw.example.org\n", 0600);
    assert_int_equal(fchownat(store.dir, conf, 65534, 65534, 0), 0);
    acme_config_init(&back);
    assert_int_equal(acme_kept_read(&back, store.dir, "gw.example.org"), 1);
    assert_string_equal(back.user, "nobody");
    write_file(conf, "names = gw.example.org\nuser = root\n", 0600);
    refused("belongs to nobody");
    assert_int_equal(fchownat(store.dir, conf, 54321, 54321, 0), 0);
    refused("nobody known here");
    assert_int_equal(fchmod(store.dir, 0755), 0);
    assert_int_equal(fchownat(store.dir, conf, 0, 0, 0), 0);
}

/* What counts more chooses how to answer. */
TEST_WITH(test_levels, set_up, tear_down)
{
    static struct acme_config own;
    open_store();
    c.webroot = "/srv/www";
    assert_int_equal(acme_kept_write(&c, names, 1, &store, error), 0);
    acme_config_init(&own);
    assert_int_equal(acme_config_take(&own, ACME_KEY_HTTP_PORT, "8080"), 0);
    assert_int_equal(acme_kept_read(&own, store.dir, "gw.example.org"), 1);
    assert_null(own.webroot);
    assert_int_equal(own.http_port, 8080);
    acme_config_init(&own);
    assert_int_equal(acme_config_take(&own, ACME_KEY_CONTACT, "x@example.org"), 0);
    assert_int_equal(acme_kept_read(&own, store.dir, "gw.example.org"), 1);
    assert_string_equal(own.webroot, "/srv/www");
    assert_int_equal(own.contacts.count, 1);
    acme_config_init(&own);
    assert_int_equal(acme_config_take(&own, ACME_KEY_TLS_PORT, "443"), 0);
    assert_int_equal(acme_kept_write(&own, names, 1, &store, error), 0);
    assert_null(strstr(read_file(".gw.example.org.conf"), "http_port"));
    acme_config_init(&own);
    assert_int_equal(acme_kept_read(&own, store.dir, "gw.example.org"), 1);
    assert_int_equal(own.tls_port, 443);
    assert_null(own.webroot);
    own.tls_port = 0;
    own.webroot = "/srv/www";
    assert_int_equal(acme_kept_write(&own, names, 1, &store, error), 0);
    acme_config_init(&own);
    assert_int_equal(acme_config_take(&own, ACME_KEY_STAGING, NULL), 0);
    assert_int_equal(acme_config_check(&own), 0);
    assert_int_equal(acme_kept_read(&own, store.dir, "gw.example.org"), 1);
    assert_non_null(strstr(own.directory_url, "staging"));
}

/* Each name once, in order, whatever is there for it. */
TEST_WITH(test_list, set_up, tear_down)
{
    static struct acme_list l;
    static const char *const want[] = {"a.example.org", "b", "c.example.org", "d.example.org"};
    open_store();
    write_file(".d.example.org.order", "x", 0600);
    write_file(".C.example.org.conf", "x", 0600);
    assert_int_equal(mkdirat(store.dir, ".c.example.org.a", 0700), 0);
    assert_int_equal(symlinkat(".b.a", store.dir, "b"), 0);
    assert_int_equal(mkdirat(store.dir, "a.example.org", 0700), 0);
    write_file("account", "x", 0600);
    write_file("account.pem", "x", 0600);
    write_file(".lock", "", 0600);
    write_file(".conf", "", 0600);
    write_file(".a_b.conf", "", 0600);
    assert_int_equal(mkdirat(store.dir, ".dry-run", 0700), 0);
    assert_int_equal(acme_list_open(&l, state), 0);
    assert_int_equal(l.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(acme_list_name(&l, i), want[i]);
    }
    for (unsigned i = 0; i < ACME_LIST_MAX + 5; i++) {
        char name[32];
        snprintf(name, sizeof name, "n%u", i);
        acme_list_add(&l, name);
    }
    assert_true(l.more && l.count <= ACME_LIST_MAX);
    acme_list_close(&l);
    assert_int_equal(acme_list_open(&l, "/nowhere/at/all"), ENOENT);
}

static void said(const struct acme_plan *p, const char *words)
{
    char text[300];
    struct acme_out o;
    acme_out_init(&o, text, sizeof text - 1);
    acme_due_say(&o, p);
    text[o.len] = '\0';
    assert_string_equal(text, words);
}

static void held(const struct acme_plan *p, int64_t now, const char *words)
{
    char text[300];
    struct acme_out o;
    acme_out_init(&o, text, sizeof text - 1);
    assert_int_equal(acme_due_say_hold(&o, p, now), words[0] != '\0');
    text[o.len] = '\0';
    assert_string_equal(text, words);
}

TEST(test_words)
{
    const int64_t day = 86400, start = 1798934400; /* 2027-01-03 00:00 */
    struct acme_plan p = {.due = start, .not_before = start - 60 * day, .not_after = start + 30 * day};
    said(&p, "from 2027-01-03 00:00 UTC: a third of its life left");
    p.not_before = start - 3 * day;
    p.not_after = start + 3 * day;
    said(&p, "from 2027-01-03 00:00 UTC: half of its life left");
    p.why = ACME_WHY_WINDOW;
    p.start = start;
    p.end = start + 2 * day;
    p.chosen = p.due = start + day + 7 * 3600 + 12 * 60;
    said(&p, "from 2027-01-04 07:12 UTC: ARI window 2027-01-03..05, chosen 2027-01-04 07:12");
    p.end = start + 3 * 3600;
    p.chosen = p.due = start + 3600;
    said(&p, "from 2027-01-03 01:00 UTC: ARI window 2027-01-03 00:00..03:00, chosen 2027-01-03 01:00");
    p.start = start - 4 * day;
    p.end = start + 40 * day;
    p.why = ACME_WHY_BACKSTOP;
    said(&p, "from 2027-01-03 01:00 UTC: ARI window 2026-12-30..2027-02-12 reaches beyond what is safe");
    p.due = ACME_TIME_NOW;
    for (p.why = ACME_WHY_ORDER; p.why <= ACME_WHY_SETUP; p.why++) {
        char text[300];
        struct acme_out o;
        acme_out_init(&o, text, sizeof text);
        acme_due_say(&o, &p);
        assert_true(o.len > 10 && memcmp(text, "now: ", 5) == 0);
        assert_true(strlen(acme_due_word(p.why)) > 3);
    }
    held(&p, start, "");
    p.hold = ACME_HOLD_FAILURES;
    p.hold_until = start + 600;
    held(&p, start, "not before 2027-01-03 00:10 UTC: the attempts before have failed");
    held(&p, start + 600, "");
    p.hold = ACME_HOLD_CA;
    held(&p, start, "not before 2027-01-03 00:10 UTC: the CA wants to be left alone until then");
    p.hold = ACME_HOLD_STOPPED;
    p.hold_until = ACME_TIME_NEVER;
    p.error = ACME_E_TERMS;
    held(&p, start,
         "not again by itself: the CA's terms of service must be accepted; goes on when the setup has changed, or "
         "with --force");
}

TEST(test_health)
{
    const int64_t day = 86400;
    struct acme_look l = {.plan = {.not_before = day, .not_after = 91 * day, .due = 61 * day}};
    assert_int_equal(acme_look_health(&l, 50 * day), ACME_HEALTH_OK);
    assert_int_equal(acme_look_health(&l, 65 * day), ACME_HEALTH_OK);
    assert_int_equal(acme_look_health(&l, 71 * day), ACME_HEALTH_LATE);
    assert_int_equal(acme_look_health(&l, 91 * day), ACME_HEALTH_EXPIRED);
    l.plan.due = ACME_TIME_NOW;
    assert_int_equal(acme_look_health(&l, 50 * day), ACME_HEALTH_OK);
    l.plan.failures = 1;
    assert_int_equal(acme_look_health(&l, 50 * day), ACME_HEALTH_FAILING);
    l.running = true; /* the one under way */
    assert_int_equal(acme_look_health(&l, 50 * day), ACME_HEALTH_OK);
    l.running = false;
    l.plan.failures = 0;
    l.revoked = true;
    assert_int_equal(acme_look_health(&l, 50 * day), ACME_HEALTH_EXPIRED);
    l.revoked = false;
    l.wrong = "no certificate";
    assert_int_equal(acme_look_health(&l, 50 * day), ACME_HEALTH_NONE);
    l.plan.failures = 2;
    assert_int_equal(acme_look_health(&l, 50 * day), ACME_HEALTH_FAILING);
    l.damaged = true;
    assert_int_equal(acme_look_health(&l, 50 * day), ACME_HEALTH_EXPIRED);
}

TEST(test_label)
{
    char text[100];
    struct acme_out o;
    acme_out_init(&o, text, sizeof text - 1);
    acme_metrics_label(&o, "a\"b\\c\nd{}=,");
    text[o.len] = '\0';
    assert_string_equal(text, "a\\\"b\\\\c\\nd{}=,");
}
