/* test_webroot.c - http-01 answers as files of a web server. */
#define _GNU_SOURCE 1
#include "unit.h"

#include <stdlib.h>
#include <sys/stat.h>

/* The program's files are in no library. */
#include "webroot.c"

#define WELL_KNOWN "/.well-known/acme-challenge/"

static struct acme_webroot w;
static char root[64];

static int set_up(void **unused)
{
    strcpy(root, "/tmp/nanoacme-webroot-XXXXXX");
    if (mkdtemp(root) == NULL) {
        return -1;
    }
    acme_webroot_init(&w, root);
    return 0;
}

static int tear_down(void **unused)
{
    char command[100];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

static struct acme_challenge challenge;

static int present(const char *token)
{
    challenge = (struct acme_challenge){.name = "a.example", .token = token, .thumbprint = "thumbprint"};
    return w.solver.present(w.solver.ctx, &challenge);
}

static const char *at(const char *below)
{
    static char text[512];
    snprintf(text, sizeof text, "%s%s", root, below);
    return text;
}

static mode_t mode(const char *below)
{
    struct stat is;
    assert_int_equal(stat(at(below), &is), 0);
    return is.st_mode & 07777;
}

TEST(test_publishes)
{
    mode_t before = umask(077);
    char text[64];
    int len;
    assert_int_equal(present("to-ken_1"), 1);
    umask(before);
    assert_int_equal(acme_posix_read(AT_FDCWD, at(WELL_KNOWN "to-ken_1"), 0, text, sizeof text, &len), 0);
    assert_int_equal(len, strlen("to-ken_1.thumbprint"));
    assert_memory_equal(text, "to-ken_1.thumbprint", strlen("to-ken_1.thumbprint"));
    /* Whatever the umask: another user's server has to read it. */
    assert_int_equal(mode(WELL_KNOWN "to-ken_1"), 0644);
    assert_int_equal(mode(WELL_KNOWN), 0755);
    assert_int_equal(mode("/.well-known"), 0755);
    w.solver.withdraw(w.solver.ctx, &challenge);
    assert_int_equal(access(at(WELL_KNOWN "to-ken_1"), F_OK), -1);
    assert_int_equal(mode(WELL_KNOWN), 0755);
}

TEST(test_again)
{
    assert_int_equal(present("a"), 1);
    assert_int_equal(present("a"), 1);
    w.solver.withdraw(w.solver.ctx, &challenge);
    assert_int_equal(present("b"), 1);
    assert_int_equal(access(at(WELL_KNOWN "b"), F_OK), 0);
    assert_int_equal(access(at(WELL_KNOWN "a"), F_OK), -1);
}

TEST(test_tokens_are_no_paths)
{
    static const char *const bad[] = {"", "..", "../x", "a/b", "/etc/x", "a.b", "a b", "a%2fb", "\xc3\xa9", "a\n"};
    char longest[ACME_TOKEN_MAX + 2];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(present(bad[i]), ACME_E_SOLVER);
        assert_int_equal(w.error, EINVAL);
    }
    memset(longest, 'a', sizeof longest);
    longest[ACME_TOKEN_MAX + 1] = '\0';
    assert_int_equal(present(longest), ACME_E_SOLVER);
    longest[ACME_TOKEN_MAX] = '\0';
    assert_int_equal(present(longest), 1);
}

TEST(test_says_where)
{
    acme_webroot_init(&w, "/nonexistent/www");
    assert_int_equal(present("a"), ACME_E_SOLVER);
    assert_int_equal(w.error, ENOENT);
    assert_string_equal(w.path, "/nonexistent/www");
    /* Nothing was published, so nothing is taken away. */
    w.solver.withdraw(w.solver.ctx, &challenge);
}

static int memory(void)
{
    return open(root, O_RDONLY | O_DIRECTORY);
}

TEST(test_killed_runs_answer_goes)
{
    acme_webroot_sweep(&w, memory());
    assert_int_equal(present("left"), 1);
    /* Killed here. Nothing may be in the way of the next run, which knows nothing of it. */
    acme_webroot_init(&w, root);
    assert_int_equal(access(at(WELL_KNOWN "left"), F_OK), 0);
    acme_webroot_sweep(&w, memory());
    assert_int_equal(access(at(WELL_KNOWN "left"), F_OK), -1);
    assert_int_equal(access(at("/.answer"), F_OK), -1);
    /* A memory that is damaged, or leads elsewhere, removes nothing and goes itself. */
    static const char *const odd[] = {"../x", "", "/etc/passwd", "a\n"};
    for (size_t i = 0; i < 4; i++) {
        FILE *f = fopen(at("/.answer"), "w");
        fputs(odd[i], f);
        fclose(f);
        f = fopen(at("/.well-known/x"), "w");
        fclose(f);
        acme_webroot_sweep(&w, memory());
        assert_int_equal(access(at("/.answer"), F_OK), -1);
        assert_int_equal(access(at("/.well-known/x"), F_OK), 0);
    }
    assert_int_equal(present("next"), 1);
    w.solver.withdraw(w.solver.ctx, &challenge);
    assert_int_equal(access(at("/.answer"), F_OK), -1);
}

/* An administrator's link, as OpenWrt has it, is followed where nobody else can have put it. */
/* What root makes in somebody else's folder is that somebody's, and stays so readable for a web server of another user. */
TEST(test_owner)
{
    static const struct {
        mode_t mode;
        uid_t wanted;
    } cases[] = {{0755, 4242}, {0500, 0}};
    for (size_t i = 0; geteuid() == 0 && i < 2; i++) {
        struct stat is;
        assert_int_equal(tear_down(NULL), 0);
        assert_int_equal(mkdir(root, 0755), 0);
        acme_webroot_init(&w, root);
        assert_int_equal(chown(root, 4242, 4343), 0);
        assert_int_equal(chmod(root, cases[i].mode), 0);
        assert_int_equal(present("token"), 1);
        assert_int_equal(stat(at("/.well-known"), &is), 0);
        assert_int_equal(is.st_uid, cases[i].wanted);
        assert_int_equal(is.st_gid, cases[i].wanted == 0 ? 0 : 4343);
        assert_int_equal(is.st_mode & 07777, 0755);
        assert_int_equal(stat(at("/.well-known/acme-challenge"), &is), 0);
        assert_int_equal(is.st_uid, cases[i].wanted);
        w.solver.withdraw(w.solver.ctx, &challenge);
        close(w.top);
    }
}

TEST(test_links)
{
    assert_int_equal(mkdir(at("/run"), 0755), 0);
    assert_int_equal(mkdir(at("/.well-known"), 0755), 0);
    assert_int_equal(symlink("../run", at("/.well-known/acme-challenge")), 0);
    assert_int_equal(present("a"), 1);
    assert_int_equal(access(at("/run/a"), F_OK), 0);
    w.solver.withdraw(w.solver.ctx, &challenge);
    assert_int_equal(access(at("/run/a"), F_OK), -1);
    assert_int_equal(chmod(at("/.well-known"), 0777), 0);
    assert_int_equal(present("a"), ACME_E_SOLVER);
    assert_int_equal(w.error, ELOOP);
    assert_string_equal(w.path, at("/.well-known/acme-challenge"));
    assert_int_equal(access(at("/run/a"), F_OK), -1);
    assert_int_equal(chmod(at("/.well-known"), 0755), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(at("/.well-known"), 4242, 4242), 0);
        assert_int_equal(present("a"), ACME_E_SOLVER);
        assert_int_equal(w.error, ELOOP);
    }
}

AROUND(NULL, NULL, set_up, tear_down);
