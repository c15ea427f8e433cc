/* test_posix_store.c - the POSIX store in a directory of its own: layout, rights, what is not ours, full disk, and a cut at every step. */
#define _GNU_SOURCE
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "posix.h"

static char home[64], state[96];
static struct acme_posix_store s;

static const char *path(const char *below)
{
    static char text[512];
    snprintf(text, sizeof text, "%s/%s", state, below);
    return text;
}

static void remove_all(const char *folder)
{
    char command[240];
    snprintf(command, sizeof command, "chmod -R u+rwx '%s' && rm -rf '%s'", folder, folder);
    assert_int_equal(system(command), 0);
}

static int set_up(void **unused)
{
    strcpy(home, "/tmp/nanoacme-store-XXXXXX");
    assert_non_null(mkdtemp(home));
    snprintf(state, sizeof state, "%s/state", home);
    acme_posix_store_init(&s, state, "a.example");
    return acme_posix_store_make(&s);
}

static int tear_down(void **unused)
{
    acme_posix_store_close(&s);
    remove_all(home);
    return 0;
}

static int put(enum acme_record record, const char *text)
{
    return s.store.put(s.store.ctx, record, text, strlen(text));
}

static int append(const char *text)
{
    return s.store.append(s.store.ctx, text, strlen(text));
}

/* What a record holds; "" when there is none. */
static const char *get(enum acme_record record)
{
    static char text[256];
    int len = s.store.get(s.store.ctx, record, text, sizeof text - 1);
    assert_in_range(len, 0, sizeof text - 1);
    text[len] = '\0';
    return text;
}

static void bring(const char *key, const char *chain)
{
    assert_int_equal(put(ACME_RECORD_KEY_NEXT, key), 0);
    assert_int_equal(append(""), 0);
    assert_int_equal(append(chain), 0);
}

static void renew(const char *key, const char *chain)
{
    bring(key, chain);
    assert_int_equal(s.store.commit(&s), 0);
}

static mode_t mode(const char *below)
{
    struct stat is;
    assert_int_equal(lstat(path(below), &is), 0);
    return is.st_mode & 07777;
}

TEST(test_layout)
{
    char link[64] = "";
    assert_int_equal(put(ACME_RECORD_ACCOUNT_KEY, "account key\n"), 0);
    assert_int_equal(put(ACME_RECORD_ACCOUNT, "account\n"), 0);
    assert_int_equal(put(ACME_RECORD_ORDER, "order\n"), 0);
    bring("key 1\n", "chain 1\n");
    assert_int_equal(access(path(".a.example.order"), F_OK), 0);
    assert_int_equal(access(path(".a.example.key"), F_OK), 0);
    assert_int_equal(s.store.commit(&s), 0);
    assert_int_equal(readlink(path("a.example"), link, sizeof link), 12);
    assert_string_equal(link, ".a.example.a");
    assert_int_equal(access(path("a.example/privkey.pem"), F_OK), 0);
    assert_int_equal(access(path("a.example/fullchain.pem"), F_OK), 0);
    assert_int_equal(access(path(".a.example.order"), F_OK), -1);
    assert_int_equal(access(path(".a.example.key"), F_OK), -1);
    renew("key 2\n", "chain 2\n");
    assert_int_equal(readlink(path("a.example"), link, sizeof link), 12);
    assert_string_equal(link, ".a.example.b");
    assert_string_equal(get(ACME_RECORD_KEY), "key 2\n");
    assert_string_equal(get(ACME_RECORD_CHAIN), "chain 2\n");
    assert_string_equal(get(ACME_RECORD_ACCOUNT_KEY), "account key\n");
    assert_int_equal(put(ACME_RECORD_ACCOUNT_KEY_NEXT, "next\n"), 0);
    assert_int_equal(access(path("account-next.pem"), F_OK), 0);
    assert_string_equal(get(ACME_RECORD_ACCOUNT_KEY_NEXT), "next\n");
}

TEST(test_rights)
{
    mode_t before = umask(0);
    remove_all(state);
    acme_posix_store_close(&s);
    assert_int_equal(acme_posix_store_make(&s), 0);
    assert_int_equal(put(ACME_RECORD_ACCOUNT_KEY, "x"), 0);
    renew("key", "chain");
    umask(before);
    assert_int_equal(mode(""), 0700);
    assert_int_equal(mode("account.pem"), 0600);
    assert_int_equal(mode(".a.example.a"), 0700);
    assert_int_equal(mode("a.example/privkey.pem"), 0600);
    assert_int_equal(mode("a.example/fullchain.pem"), 0644);
}

TEST(test_two_names)
{
    struct acme_posix_store other;
    char buf[8];
    acme_posix_store_init(&other, state, "b.example");
    renew("key", "chain");
    assert_int_equal(other.store.get(&other, ACME_RECORD_KEY, buf, 8), 0);
    assert_int_equal(other.store.put(&other, ACME_RECORD_ACCOUNT, "one", 3), 0);
    assert_string_equal(get(ACME_RECORD_ACCOUNT), "one");
}

/* What somebody else has put where the pair belongs is an error, and stays. */
static void foreign(void (*make)(void))
{
    char buf[8];
    struct stat before, after;

    assert_int_equal(put(ACME_RECORD_KEY_NEXT, "key"), 0);
    make();
    assert_int_equal(lstat(path("a.example"), &before), 0);
    assert_int_equal(s.store.get(&s, ACME_RECORD_CHAIN, buf, 8), ACME_E_STORE_READ);
    assert_int_equal(s.error, EEXIST);
    assert_string_equal(s.path, path("a.example"));
    assert_int_equal(append(""), ACME_E_STORE_WRITE);
    assert_int_equal(s.store.commit(&s), ACME_E_STORE_WRITE);
    assert_int_equal(s.error, EEXIST);
    assert_int_equal(lstat(path("a.example"), &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
}

static void make_directory(void)
{
    assert_int_equal(mkdir(path("a.example"), 0755), 0);
}

static void make_file(void)
{
    assert_int_equal(close(open(path("a.example"), O_CREAT | O_WRONLY, 0644)), 0);
}

static void make_link(void)
{
    assert_int_equal(symlink(".a.example.c", path("a.example")), 0);
}

TEST(test_foreign_directory)
{
    foreign(make_directory);
}

TEST(test_foreign_file)
{
    foreign(make_file);
}

TEST(test_foreign_link)
{
    foreign(make_link);
}

static const enum acme_record all_records[] = {ACME_RECORD_ACCOUNT_KEY,     ACME_RECORD_ACCOUNT, ACME_RECORD_ORDER,
                                               ACME_RECORD_KEY_NEXT,        ACME_RECORD_KEY,     ACME_RECORD_CHAIN,
                                               ACME_RECORD_ACCOUNT_KEY_NEXT};
static const char *const all_files[] = {"account.pem",
                                        "account",
                                        ".a.example.order",
                                        ".a.example.key",
                                        ".a.example.a/privkey.pem",
                                        ".a.example.a/fullchain.pem",
                                        "account-next.pem"};

static const char *told_of;

static void told(const struct acme_posix_store *store, int code)
{
    assert_int_not_equal(code, 0);
    told_of = store->path;
}

static void damage(const char *file, unsigned how)
{
    (void)unlink(path(file));
    if (how == 0) { /* empty */
        assert_int_equal(close(open(path(file), O_CREAT | O_WRONLY, 0600)), 0);
    } else if (how == 1) {
        assert_int_equal(mkdir(path(file), 0700), 0);
    } else if (how == 2) { /* no file, and waits for a writer when it is opened the plain way */
        assert_int_equal(mkfifo(path(file), 0600), 0);
    } else { /* a link that leads to itself */
        assert_int_equal(symlink(strrchr(file, '/') != NULL ? strrchr(file, '/') + 1 : file, path(file)), 0);
    }
}

/* Every record, damaged in every way: a private key is an error and stays, a cache is absent, said, and can be put again. */
TEST(test_damaged)
{
    char buf[8];
    for (unsigned how = 0; how < 4; how++) {
        for (size_t i = 0; i < sizeof all_records / sizeof *all_records; i++) {
            enum acme_record record = all_records[i];
            struct stat before, after;
            remove_all(state);
            acme_posix_store_close(&s);
            assert_int_equal(acme_posix_store_make(&s), 0);
            s.told = told;
            told_of = NULL;
            renew("key", "chain");
            assert_int_equal(put(ACME_RECORD_ORDER, "order"), 0);
            if (record == ACME_RECORD_ORDER || record == ACME_RECORD_KEY_NEXT) {
                assert_int_equal(put(ACME_RECORD_KEY_NEXT, "next"), 0);
            }
            damage(all_files[i], how);
            bool cache = record == ACME_RECORD_ACCOUNT || record == ACME_RECORD_ORDER || record == ACME_RECORD_CHAIN;
            assert_int_equal(s.store.get(&s, record, buf, 8), cache ? 0 : ACME_E_STORE_READ);
            assert_int_not_equal(s.error, 0);
            assert_true((told_of != NULL) == cache);
            if (record < ACME_RECORD_KEY || record == ACME_RECORD_ACCOUNT_KEY_NEXT) {
                assert_string_equal(s.path, path(all_files[i]));
            }
            assert_int_equal(lstat(path(all_files[i]), &before), 0);
            if (cache && record != ACME_RECORD_CHAIN) {
                assert_int_equal(put(record, "new"), 0);
                assert_string_equal(get(record), "new");
            } else if (!cache) {
                assert_int_equal(lstat(path(all_files[i]), &after), 0);
                assert_int_equal(before.st_ino, after.st_ino);
            } else { /* the next pair goes into the other place, then into this one */
                renew("key 2", "chain 2");
                renew("key 3", "chain 3");
                assert_string_equal(get(record), "chain 3");
            }
            /* A key without an order is of no use to anybody. */
            if (record == ACME_RECORD_KEY_NEXT) {
                assert_int_equal(s.store.put(&s, ACME_RECORD_ORDER, NULL, 0), 0);
                assert_int_equal(s.store.get(&s, record, buf, 8), 0);
                assert_non_null(told_of);
                assert_int_equal(put(record, "new"), 0);
                assert_string_equal(get(record), "new");
            }
        }
    }
}

TEST(test_full_folder_in_the_way)
{
    assert_int_equal(mkdir(path("account"), 0700), 0);
    assert_int_equal(mkdir(path("account/somebody's"), 0700), 0);
    assert_int_equal(put(ACME_RECORD_ACCOUNT, "x"), ACME_E_STORE_WRITE);
    assert_int_equal(s.error, ENOTEMPTY);
    assert_string_equal(s.path, path("account"));
    assert_int_equal(access(path("account/somebody's"), F_OK), 0);
}

/* What an admin has given the pair in use, the next one has too; but never a key for everybody. */
TEST(test_rights_are_carried)
{
    struct stat is;
    gid_t group = geteuid() == 0 ? 4242 : getegid();
    renew("key 1", "chain 1");
    assert_int_equal(chown(path(".a.example.a"), (uid_t)-1, group), 0);
    assert_int_equal(chown(path("a.example/privkey.pem"), (uid_t)-1, group), 0);
    assert_int_equal(chmod(path(".a.example.a"), 0750), 0);
    assert_int_equal(chmod(path("a.example/privkey.pem"), 0644), 0);
    for (unsigned i = 0; i < 3; i++) {
        renew("key 2", "chain 2");
        assert_int_equal(mode("a.example/privkey.pem"), 0640);
        assert_int_equal(mode("a.example/"), 0750);
        assert_int_equal(stat(path("a.example/privkey.pem"), &is), 0);
        assert_int_equal(is.st_gid, group);
        assert_int_equal(stat(path("a.example"), &is), 0);
        assert_int_equal(is.st_gid, group);
    }
    /* Where others can have put what is there, nothing is carried. */
    assert_int_equal(chmod(state, 0777), 0);
    renew("key 3", "chain 3");
    assert_int_equal(mode("a.example/privkey.pem"), 0600);
}

static void expect_rights(const char *below, uid_t user, gid_t group, mode_t wanted)
{
    struct stat is;
    assert_int_equal(stat(path(below), &is), 0);
    assert_int_equal(is.st_uid, user);
    assert_int_equal(is.st_gid, group);
    assert_int_equal(is.st_mode & 07777, wanted);
}

/* A group and a mode that are told count for the pair in use at once, and for each later one. */
TEST(test_rights_are_told)
{
    gid_t group = geteuid() == 0 ? 4242 : getegid();
    assert_int_equal(acme_posix_pair_rights(&s), 0); /* nothing is told, and there is nothing */
    renew("key 1", "chain 1");
    assert_int_equal(acme_posix_pair_rights(&s), 0);
    expect_rights("a.example/privkey.pem", geteuid(), getegid(), 0600);
    expect_rights("", geteuid(), getegid(), 0700);
    s.key_group = group;
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(acme_posix_pair_rights(&s), 0);
        expect_rights("a.example/privkey.pem", geteuid(), group, 0640);
        expect_rights("a.example/fullchain.pem", geteuid(), group, 0644);
        expect_rights("a.example/", geteuid(), group, 0750);
        expect_rights("", geteuid(), getegid(), group == getegid() ? 0710 : 0701);
        renew("key 2", "chain 2");
        assert_string_equal(get(ACME_RECORD_KEY), "key 2");
    }
    assert_int_equal(access(path(".a.example.try"), F_OK), -1);
    /* A mode counts more than what was there; and what is said no longer stays. */
    s.key_mode = 0440;
    for (unsigned i = 0; i < 3; i++) {
        renew("key 3", "chain 3");
        expect_rights("a.example/privkey.pem", geteuid(), group, 0440);
        s.key_mode = 0;
        s.key_group = ACME_POSIX_NO_GROUP;
    }
    s.key_mode = 0600;
    assert_int_equal(acme_posix_pair_rights(&s), 0);
    expect_rights("a.example/privkey.pem", geteuid(), group, 0600);
    /* In a folder that others may change, what is there is left alone: it could be anything. */
    assert_int_equal(chmod(state, 0777), 0);
    s.key_mode = 0640;
    assert_int_equal(acme_posix_pair_rights(&s), 0);
    expect_rights("a.example/privkey.pem", geteuid(), group, 0600);
    renew("key 4", "chain 4");
    expect_rights("a.example/privkey.pem", geteuid(), getegid(), 0640);
}

/* A server's own user has the key as its owner. */
TEST(test_owner_is_carried)
{
    if (geteuid() != 0) {
        skip();
    }
    renew("key 1", "chain 1");
    assert_int_equal(chown(path("a.example/privkey.pem"), 4243, 4244), 0);
    assert_int_equal(chmod(path("a.example/privkey.pem"), 0400), 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(acme_posix_pair_rights(&s), 0);
        renew("key 2", "chain 2");
        expect_rights("a.example/privkey.pem", 4243, 4244, 0400);
    }
}

/* In a process that may not give files away: what is told or carried cannot be, that is known beforehand, and a commit that is
 * tried all the same leaves the old pair in use. */
static int without_chown(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct caps[2];
    int rights;

    if (syscall(SYS_capget, &head, caps) != 0) {
        return 1;
    }
    caps[0].effective &= ~(1u << CAP_CHOWN);
    if (syscall(SYS_capset, &head, caps) != 0) {
        return 2;
    }
    rights = acme_posix_pair_rights(&s);
    bring("key 2", "chain 2");
    return rights != EPERM                                                ? 3
           : s.store.commit(&s) != ACME_E_STORE_WRITE || s.error != EPERM ? 4
           : strcmp(get(ACME_RECORD_KEY), "key 1") != 0                   ? 5
           : strcmp(get(ACME_RECORD_CHAIN), "chain 1") != 0               ? 6
           : access(path(".a.example.try"), F_OK) == 0                    ? 7
                                                                          : 0;
}

static void refused(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        _exit(without_chown());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

TEST(test_rights_that_cannot_be)
{
    if (geteuid() != 0) {
        skip();
    }
    renew("key 1", "chain 1");
    s.key_group = 4242; /* told */
    refused();
    s.key_group = ACME_POSIX_NO_GROUP;
    assert_int_equal(chown(path("a.example/privkey.pem"), 0, 4242), 0); /* given by hand: a group that reads, */
    assert_int_equal(chmod(path("a.example/privkey.pem"), 0640), 0);
    refused();
    assert_int_equal(chown(path("a.example/privkey.pem"), 4243, 0), 0); /* an owner, */
    refused();
    assert_int_equal(chown(path("a.example/privkey.pem"), 0, 0), 0);
    assert_int_equal(chown(path(".a.example.a"), 0, 4242), 0); /* or the way to it */
    assert_int_equal(chmod(path(".a.example.a"), 0750), 0);
    refused();
}

TEST(test_revoked_goes_with_the_pair)
{
    assert_int_equal(acme_posix_pair_revoke(&s), ENOENT);
    renew("key 1", "chain 1");
    assert_false(acme_posix_pair_revoked(&s));
    assert_int_equal(acme_posix_pair_revoke(&s), 0);
    assert_true(acme_posix_pair_revoked(&s));
    for (unsigned i = 0; i < 2; i++) { /* the second goes into the place of the revoked one */
        renew("key 2", "chain 2");
        assert_false(acme_posix_pair_revoked(&s));
    }
}

TEST(test_full)
{
    struct rlimit before, small;
    char big[2048], old[16];
    int code, error;
    /* No file may grow beyond 1000 bytes: the write is cut there and then refused, as on a full disk. */
    memset(big, 'x', sizeof big);
    assert_int_equal(put(ACME_RECORD_ACCOUNT, "old"), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 1000;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    code = s.store.put(&s, ACME_RECORD_ACCOUNT, big, sizeof big);
    error = s.error;
    assert_int_equal(append(""), 0);
    assert_int_equal(s.store.append(&s, big, sizeof big), ACME_E_STORE_WRITE);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(code, ACME_E_STORE_WRITE);
    assert_int_equal(error, EFBIG);
    assert_int_equal(s.store.get(&s, ACME_RECORD_ACCOUNT, old, sizeof old), 3);
    assert_int_equal(access(path(".account.tmp"), F_OK), -1);
}

TEST(test_state_is_a_link)
{
    char link[96];
    /* As systemd makes it for a DynamicUser. */
    snprintf(link, sizeof link, "%s/link", home);
    assert_int_equal(symlink(state, link), 0);
    acme_posix_store_init(&s, link, "a.example");
    assert_int_equal(acme_posix_store_make(&s), 0);
    assert_int_equal(put(ACME_RECORD_ACCOUNT, "x"), 0);
    renew("key", "chain");
    assert_string_equal(get(ACME_RECORD_KEY), "key");
}

TEST(test_long_path)
{
    static char far[ACME_POSIX_PATH_MAX + 8];
    memset(far, 'd', sizeof far - 1);
    acme_posix_store_init(&s, far, "a.example");
    assert_int_equal(put(ACME_RECORD_ACCOUNT, "x"), ACME_E_STORE_WRITE);
    assert_int_equal(s.error, ENAMETOOLONG);
}

TEST(test_leftovers)
{
    /* What cut-off runs leave is in nobody's way, and is never followed. */
    assert_int_equal(symlink("/dev/full", path(".account.tmp")), 0);
    assert_int_equal(symlink("nowhere", path(".a.example.link")), 0);
    assert_int_equal(put(ACME_RECORD_ACCOUNT, "new"), 0);
    assert_string_equal(get(ACME_RECORD_ACCOUNT), "new");
    renew("key", "chain");
    assert_string_equal(get(ACME_RECORD_KEY), "key");
}

TEST(test_order_of_removal)
{
    /* Cut after the switch, before the order and its key are gone: committing the same again does no harm. */
    bring("key 1", "chain 1");
    assert_int_equal(put(ACME_RECORD_ORDER, "order"), 0);
    assert_int_equal(acme_posix_pair_commit(&s), 0);
    assert_string_equal(get(ACME_RECORD_ORDER), "order");
    assert_string_equal(get(ACME_RECORD_KEY_NEXT), "key 1");
    assert_string_equal(get(ACME_RECORD_KEY), "key 1");
    assert_int_equal(append(""), 0);
    assert_int_equal(append("chain 1"), 0);
    assert_int_equal(s.store.commit(&s), 0);
    assert_string_equal(get(ACME_RECORD_KEY), "key 1");
    assert_string_equal(get(ACME_RECORD_CHAIN), "chain 1");
    assert_string_equal(get(ACME_RECORD_ORDER), "");
}

/* The whole of a renewal, as the core does it. */
static void renewal(void)
{
    (void)put(ACME_RECORD_KEY_NEXT, "key 2");
    (void)put(ACME_RECORD_ORDER, "order 2");
    (void)append("");
    (void)append("chain ");
    (void)append("2");
    (void)s.store.commit(&s);
}

/* A child that stands before it does something, and whose system calls can be seen; -1: tracing is not allowed here. */
static pid_t traced(void (*what)(void))
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
            _exit(99);
        }
        raise(SIGSTOP);
        what();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSTOPPED(status)) {
        return -1;
    }
    assert_int_equal(ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)), 0);
    return child;
}

/* Runs the renewal in a child that is killed before its system call number `stop` (0: never). Returns how many system calls
 * it began, or 0 when it came to its end. */
static long cut_at(long stop)
{
    long count = 0;
    int status;
    pid_t child = traced(renewal);

    if (child < 0) {
        return -1;
    }
    for (bool entry = true;; entry = !entry) {
        assert_int_equal(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFSTOPPED(status)) {
            return 0;
        }
        if (entry && ++count == stop) {
            kill(child, SIGKILL);
            assert_int_equal(waitpid(child, &status, 0), child);
            return count;
        }
    }
}

TEST(test_cut_everywhere)
{
    long stop, old = 0, new = 0, order_kept = 0;
    for (stop = 1;; stop++) {
        bool is_new;
        renew("key 1", "chain 1");
        long was = cut_at(stop);
        if (was < 0) {
            skip();
        }
        /* A new process: nothing is left in RAM. */
        acme_posix_store_init(&s, state, "a.example");
        is_new = strcmp(get(ACME_RECORD_KEY), "key 2") == 0;
        assert_string_equal(get(ACME_RECORD_KEY), is_new ? "key 2" : "key 1");
        assert_string_equal(get(ACME_RECORD_CHAIN), is_new ? "chain 2" : "chain 1");
        /* An order never stands there without the key it was made for. */
        if (strcmp(get(ACME_RECORD_ORDER), "") != 0) {
            assert_string_equal(get(ACME_RECORD_ORDER), "order 2");
            assert_string_equal(get(ACME_RECORD_KEY_NEXT), "key 2");
            order_kept++;
        }
        old += !is_new;
        new += is_new;
        if (was == 0) {
            break;
        }
        /* And the next run brings the new pair whatever was left. */
        renewal();
        assert_string_equal(get(ACME_RECORD_KEY), "key 2");
        assert_string_equal(get(ACME_RECORD_CHAIN), "chain 2");
        assert_string_equal(get(ACME_RECORD_ORDER), "");
    }
    /* Both sides of the switch were met, more than once. */
    assert_true(old > 20);
    assert_true(new > 5);
    assert_true(order_kept > 5);
}

/* --- what is durable when --- */

/* What a system call does to the disk, as a letter; '\0': nothing. */
static char letter_of(unsigned long number)
{
    switch (number) {
    case SYS_write:
        return 'w';
    case SYS_fsync:
        return 'f';
#ifdef SYS_rename
    case SYS_rename:
#endif
#ifdef SYS_renameat
    case SYS_renameat:
#endif
    case SYS_renameat2:
        return 'r';
#ifdef SYS_link
    case SYS_link:
#endif
    case SYS_linkat:
        return 'l';
#ifdef SYS_symlink
    case SYS_symlink:
#endif
    case SYS_symlinkat:
        return 's';
#ifdef SYS_unlink
    case SYS_unlink:
#endif
    case SYS_unlinkat:
        return 'u';
    default:
        return '\0';
    }
}

static void put_order(void)
{
    (void)put(ACME_RECORD_ORDER, "order 2");
}

static void remove_order(void)
{
    (void)s.store.put(s.store.ctx, ACME_RECORD_ORDER, NULL, 0);
}

static void commit(void)
{
    (void)s.store.commit(&s);
}

/* Runs something in a child and notes what it does to the disk, in order; false when tracing is not allowed here. */
static bool trace_disk(void (*what)(void), char *letters, size_t cap)
{
    int status;
    size_t len = 0;
    pid_t child = traced(what);

    if (child < 0) {
        return false;
    }
    while (ptrace(PTRACE_SYSCALL, child, NULL, NULL) == 0 && waitpid(child, &status, 0) == child &&
           WIFSTOPPED(status)) {
        struct __ptrace_syscall_info info;
        memset(&info, 0, sizeof info);
        if (ptrace(PTRACE_GET_SYSCALL_INFO, child, (void *)sizeof info, &info) <= 0) {
            kill(child, SIGKILL);
            (void)waitpid(child, &status, 0);
            return false;
        }
        char letter = info.op == PTRACE_SYSCALL_INFO_ENTRY ? letter_of(info.entry.nr) : '\0';
        if (letter != '\0' && len + 1 < cap) {
            letters[len++] = letter;
        }
    }
    letters[len] = '\0';
    return true;
}

/* A write that is not followed by fsync() is not durable, nor is a name in a directory that is not: what a loss of power
 * leaves is decided by this order and nothing else. */
TEST(test_durable_before_it_counts)
{
    char letters[64];
    if (!trace_disk(put_order, letters, sizeof letters)) {
        skip();
    }
    /* what a crash left goes; contents, durable; the name, durable */
    assert_string_equal(letters, "uwfrf");
    assert_int_equal(put(ACME_RECORD_ORDER, "order 1"), 0);
    assert_true(trace_disk(remove_order, letters, sizeof letters));
    assert_string_equal(letters, "uf");
    assert_int_equal(put(ACME_RECORD_ORDER, "order 1"), 0);
    bring("key 1", "chain 1");
    assert_true(trace_disk(commit, letters, sizeof letters));
    /* the chain, durable; the key beside it, durable; both names, their directory's name, durable; then the switch, durable; only
     * then the order goes, durably, and its key */
    assert_string_equal(letters, "fuwfffusrfufuf");
}

AROUND(NULL, NULL, set_up, tear_down);
