/* test_challenge_hook.c - a program that publishes answers: what it is told, in which order, and what each of its ends means. */
#define _GNU_SOURCE 1
#include "unit.h"

/* The program's files are in no library. */
#include "challenge_hook.c"
#include "hook.c"

static char home[64], path[96], told[96];
static struct acme_challenge_hook hook;
static const char *names[] = {"a.example", "*.a.example"};

static int set_up(void **unused)
{
    strcpy(home, "/tmp/nanoacme-hook-XXXXXX");
    assert_non_null(mkdtemp(home));
    snprintf(path, sizeof path, "%s/hook", home);
    snprintf(told, sizeof told, "%s/told", home);
    return 0;
}

static int tear_down(void **unused)
{
    char command[100];
    acme_hook_close(&hook.hook);
    snprintf(command, sizeof command, "rm -rf '%s'", home);
    return system(command);
}

/* Starts a hook of these lines, behind one that notes its words. */
static void begin(const char *lines, unsigned limit_s)
{
    const struct acme_hook_about about = {path, home, "a.example", names, 2, limit_s, true, NULL};
    FILE *file = fopen(path, "w");
    fprintf(file, "#!/bin/sh\necho \"$*\" >>%s\n%s\n", told, lines);
    fclose(file);
    assert_int_equal(chmod(path, 0700), 0);
    acme_challenge_hook_init(&hook);
    assert_int_equal(acme_hook_start(&hook.hook, &about), 0);
}

static struct acme_challenge challenge(const char *type, const char *token)
{
    return (struct acme_challenge){.name = "a.example", .token = token, .thumbprint = "thumb", .type = type};
}

static int present_all(const struct acme_solver *s, struct acme_challenge *c)
{
    int done;
    while ((done = s->present(s->ctx, c)) == 0) {
        (void)poll(NULL, 0, 2);
    }
    return done;
}

static void clear_all(void)
{
    while (hook.dns01.clearing(&hook)) {
        (void)hook.dns01.tick(&hook, 0);
        (void)poll(NULL, 0, 2);
    }
}

/* What it was told: these lines, no others. */
static void assert_told(const char *lines)
{
    char text[2048] = "";
    FILE *file = fopen(told, "r");
    if (file != NULL) {
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        fclose(file);
    }
    assert_string_equal(text, lines);
}

/* Where a record of a dns type is; what is no type of its, or no label, starts nothing. */
TEST(the_name_of_the_record)
{
    struct acme_challenge http = challenge("http-01", "token1"), dns = challenge("dns-01", "token2"),
                          account = challenge("dns-account-01", "token3");
    char lines[200];
    account.account = "https://example.com/acme/acct/ExampleAccount";
    snprintf(lines, sizeof lines, "echo \"$2 $NANOACME_RECORD.\" >%s; exit 0", told);
    begin(lines, 0);
    assert_int_equal(present_all(&hook.http01, &http), 1);
    assert_told("http-01 .\n");
    assert_int_equal(present_all(&hook.dns01, &dns), 1);
    assert_told("dns-01 _acme-challenge.a.example.\n");
    assert_int_equal(present_all(&hook.dns_account01, &account), 1);
    assert_told("dns-account-01 _ujmmovf2vn55tgye._acme-challenge.a.example.\n");
    assert_true(hook.dns_account01.wildcards);
    strcpy(hook.all[0].go.label, "$(id)");
    hook.all[0].number = 0;
    http.valid = true;
    hook.http01.withdraw(&hook, &http);
    hook.dns01.withdraw(&hook, &dns);
    hook.dns_account01.withdraw(&hook, &account);
    clear_all();
    assert_string_equal(hook.words, "hook done: cannot be started: File name too long");
    assert_told("dns-account-01 _ujmmovf2vn55tgye._acme-challenge.a.example.\n");
}

/* Hooks compare the name with zones and files, whatever a person has typed. */
TEST(a_name_in_small_letters)
{
    struct acme_challenge dns = challenge("dns-01", "token2");
    const char *before = names[0];
    char lines[200];
    snprintf(lines, sizeof lines, "echo \"$3 $NANOACME_RECORD\" >%s; exit 0", told);
    names[0] = dns.name = "A.Example";
    begin(lines, 0);
    assert_int_equal(present_all(&hook.dns01, &dns), 1);
    assert_told("a.example _acme-challenge.a.example\n");
    names[0] = before;
}

TEST(test_words)
{
    struct acme_challenge http = challenge("http-01", "token1"), dns = challenge("dns-01", "token2");
    begin("exit 0", 0);
    assert_int_equal(present_all(&hook.http01, &http), 1);
    assert_int_equal(present_all(&hook.dns01, &dns), 1);
    assert_false(hook.dns01.clearing(&hook));
    http.valid = true;
    hook.http01.withdraw(&hook, &http);
    hook.dns01.withdraw(&hook, &dns);
    assert_true(hook.dns01.clearing(&hook));
    clear_all();
    /* printf token2.thumb | openssl sha256 -binary | basenc --base64url */
    assert_told("begin http-01 a.example token1 token1.thumb\n"
                "begin dns-01 a.example token2 Nf9FUqV41WeMAa8yXAOZ56yow2YwCwwir0OgSVgbkls\n"
                "done http-01 a.example token1 token1.thumb\n"
                "failed dns-01 a.example token2 Nf9FUqV41WeMAa8yXAOZ56yow2YwCwwir0OgSVgbkls\n");
}

TEST(test_declines)
{
    struct acme_challenge c = challenge("tls-alpn-01", "t");
    begin("exit 1", 0);
    assert_int_equal(present_all(&hook.tls_alpn01, &c), ACME_E_DECLINED);
    assert_string_equal(hook.dns01.words(&hook), "");
    hook.tls_alpn01.withdraw(&hook, &c);
    assert_false(hook.dns01.clearing(&hook)); /* there is nothing to take away */
}

TEST(test_fails)
{
    struct acme_challenge c = challenge("http-01", "t");
    begin("[ \"$1\" != begin ] || exit 2", 0);
    assert_int_equal(present_all(&hook.http01, &c), ACME_E_SOLVER);
    assert_string_equal(hook.dns01.words(&hook), "hook begin: exit status 2");
    hook.http01.withdraw(&hook, &c);
    clear_all(); /* it may have done half of it */
    assert_told("begin http-01 a.example t t.thumb\nfailed http-01 a.example t t.thumb\n");
}

TEST(test_hangs)
{
    struct acme_challenge c = challenge("http-01", "t");
    begin("[ \"$1\" != begin ] || exec tail -f /dev/null", 1);
    assert_int_equal(present_all(&hook.http01, &c), ACME_E_SOLVER);
    assert_non_null(strstr(hook.dns01.words(&hook), "not done after 1 s"));
    hook.http01.withdraw(&hook, &c);
    clear_all();
}

/* Withdrawn in the middle, and before its turn: what may have been published is taken away, what was not begun is not. */
TEST(test_withdrawn_early)
{
    struct acme_challenge first = challenge("http-01", "t1"), second = challenge("http-01", "t2");
    begin("exit 0", 0);
    (void)hook.http01.present(&hook, &first);
    (void)hook.http01.present(&hook, &second);
    hook.http01.withdraw(&hook, &second);
    hook.http01.withdraw(&hook, &first);
    clear_all();
    assert_told("begin http-01 a.example t1 t1.thumb\nfailed http-01 a.example t1 t1.thumb\n");
}

/* One that declines when nobody asks any more has nothing to take away. */
TEST(test_declines_late)
{
    struct acme_challenge c = challenge("http-01", "t");
    begin("exit 1", 0);
    (void)hook.http01.present(&hook, &c);
    hook.http01.withdraw(&hook, &c);
    clear_all();
    assert_told("begin http-01 a.example t t.thumb\n");
}

/* An earlier run was switched off: it is withdrawn without having been presented. */
TEST(test_left_behind)
{
    struct acme_challenge c = challenge("http-01", "t");
    begin("exit 0", 0);
    hook.http01.withdraw(&hook, &c);
    clear_all();
    assert_told("failed http-01 a.example t t.thumb\n");
}

/* More than there is room for wait, and none is lost. */
TEST(test_many)
{
    struct acme_challenge all[2 * ACME_NAMES_MAX + 2];
    char tokens[2 * ACME_NAMES_MAX + 2][8], last[200];
    size_t n = sizeof all / sizeof *all;
    begin("exit 0", 0);
    for (size_t i = 0; i < n; i++) {
        snprintf(tokens[i], sizeof tokens[i], "t%zu", i);
        all[i] = challenge("http-01", tokens[i]);
        if (i + 2 < n) {
            assert_int_equal(present_all(&hook.http01, &all[i]), 1);
        }
    }
    assert_int_equal(hook.http01.present(&hook, &all[n - 2]), 0);
    hook.http01.withdraw(&hook, &all[n - 1]); /* no room: what an earlier run has left stays */
    for (size_t i = 0; i + 2 < n; i++) {
        hook.http01.withdraw(&hook, &all[i]);
    }
    assert_int_equal(present_all(&hook.http01, &all[n - 2]), 1);
    clear_all();
    snprintf(last, sizeof last, "tail -1 %s | grep -q 'begin http-01 a.example t%zu '", told, n - 2);
    assert_int_equal(system(last), 0);
    snprintf(last, sizeof last, "[ $(wc -l <%s) = %zu ]", told, 2 * n - 3);
    assert_int_equal(system(last), 0);
}

/* Whoever has taken the run over cannot have anything else started, nor with other words. */
TEST(test_foreign_words)
{
    static const struct acme_hook_go good = {
        .verb = "begin", .type = "dns-01", .name = "a.example", .token = "t", .auth = "t.x"};
    struct acme_hook_go bad[9];
    begin("exit 0", 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bad[i] = good;
    }
    strcpy(bad[0].verb, "rm");
    strcpy(bad[1].type, "dns-02");
    strcpy(bad[2].name, "b.example");
    strcpy(bad[3].name, "*.a.example");
    strcpy(bad[4].token, "t.t");
    strcpy(bad[5].token, "");
    strcpy(bad[6].auth, "a;b");
    memset(bad[7].auth, 'x', sizeof bad[7].auth);
    memset(bad[8].verb, 'x', sizeof bad[8].verb);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int result;
        while ((result = acme_hook_tick(&hook.hook, &bad[i])) == 0) {
            (void)poll(NULL, 0, 2);
        }
        assert_int_equal(result, -1);
    }
    assert_told("");
}

AROUND(NULL, NULL, set_up, tear_down);
