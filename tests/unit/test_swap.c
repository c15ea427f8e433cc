/* test_swap.c - the port works in somebody else's folder, whose owner swaps each name for each thing before each system call,
 * and puts it back before the next or does not. Nothing outside of the folder may be made, removed, written or given other
 * rights. The system calls are ours here: they play the owner first, then they do what they should. */
#define _GNU_SOURCE 1
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The program's files are in no library. */
#include "adopt.c"
#undef FOLDER
#include "webroot.c"

static char home[64], folder[96], outside[96];

/* --- the owner --- */

enum kind { LINK_TO_FOLDER, LINK_TO_FILE, HARD_LINK, FIFO, LINK_TO_NOTHING, NOTHING };

static const char *victim; /* the name that is swapped; NULL: none */
static enum kind kind;
static bool back;
static long calls, at_call, swaps;
static bool swapped;
static long cut_at; /* the process ends before this system call; 0: it does not */

static void in(char text[256], const char *folder_of, const char *name)
{
    if (snprintf(text, 256, "%s/%s", folder_of, name) >= 256) {
        abort();
    }
}

static int raw_rename(const char *from, const char *to)
{
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

static void swap(void)
{
    char place[256], aside[256], target[256];
    in(place, folder, victim);
    in(aside, home, "aside");
    in(target, outside, kind == LINK_TO_FOLDER ? "folder" : kind == LINK_TO_NOTHING ? "new" : "file");
    bool was = raw_rename(place, aside) == 0;
    int made = kind == NOTHING     ? 0
               : kind == HARD_LINK ? (int)syscall(SYS_linkat, AT_FDCWD, target, AT_FDCWD, place, 0)
               : kind == FIFO      ? (int)syscall(SYS_mknodat, AT_FDCWD, place, S_IFIFO | 0600, 0)
                                   : (int)syscall(SYS_symlinkat, target, AT_FDCWD, place);
    swapped = made == 0;
    swaps += swapped && (was || kind != NOTHING);
}

static void swap_back(void)
{
    char place[256], aside[256];
    in(place, folder, victim);
    in(aside, home, "aside");
    (void)syscall(SYS_unlinkat, AT_FDCWD, place, 0);
    (void)raw_rename(aside, place);
    swapped = false;
}

/* Before each system call. */
static void owner(void)
{
    int before = errno;
    calls++;
    if (calls == cut_at) {
        _exit(0);
    }
    if (victim != NULL && calls == at_call) {
        swap();
    } else if (victim != NULL && calls == at_call + 1 && swapped && back) {
        swap_back();
    }
    errno = before;
}

/* --- the system calls --- */

static mode_t mode_of(int flags, va_list list)
{
    return (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
}

int openat(int at, const char *name, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = mode_of(flags, list);
    va_end(list);
    owner();
    return (int)syscall(SYS_openat, at, name, flags, mode);
}

int open(const char *name, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = mode_of(flags, list);
    va_end(list);
    owner();
    return (int)syscall(SYS_openat, AT_FDCWD, name, flags, mode);
}

int mkdirat(int at, const char *name, mode_t mode)
{
    owner();
    return (int)syscall(SYS_mkdirat, at, name, mode);
}

int mkdir(const char *name, mode_t mode)
{
    return mkdirat(AT_FDCWD, name, mode);
}

int unlinkat(int at, const char *name, int flags)
{
    owner();
    return (int)syscall(SYS_unlinkat, at, name, flags);
}

int unlink(const char *name)
{
    return unlinkat(AT_FDCWD, name, 0);
}

int renameat(int from, const char *a, int to, const char *b)
{
    owner();
    return (int)syscall(SYS_renameat2, from, a, to, b, 0);
}

int rename(const char *a, const char *b)
{
    return renameat(AT_FDCWD, a, AT_FDCWD, b);
}

int symlinkat(const char *target, int at, const char *name)
{
    owner();
    return (int)syscall(SYS_symlinkat, target, at, name);
}

int linkat(int from, const char *a, int to, const char *b, int flags)
{
    owner();
    return (int)syscall(SYS_linkat, from, a, to, b, flags);
}

int link(const char *a, const char *b)
{
    return linkat(AT_FDCWD, a, AT_FDCWD, b, 0);
}

int fchmodat(int at, const char *name, mode_t mode, int flags)
{
    owner();
    return (int)syscall(SYS_fchmodat, at, name, mode);
}

int chmod(const char *name, mode_t mode)
{
    return fchmodat(AT_FDCWD, name, mode, 0);
}

int fchmod(int fd, mode_t mode)
{
    owner();
    return (int)syscall(SYS_fchmod, fd, mode);
}

int fchown(int fd, uid_t user, gid_t group)
{
    owner();
    return (int)syscall(SYS_fchown, fd, user, group);
}

ssize_t readlinkat(int at, const char *name, char *text, size_t cap)
{
    owner();
    return syscall(SYS_readlinkat, at, name, text, cap);
}

int fsync(int fd)
{
    (void)fd; /* nothing is lost here, and thousands of them take minutes */
    owner();
    return 0;
}

/* --- the folder, and what is outside of it --- */

static int remove_one(const char *path, const struct stat *is, int type, struct FTW *ftw)
{
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, type == FTW_DP ? AT_REMOVEDIR : 0);
}

static void put_file(const char *of, const char *name, const char *text, mode_t mode)
{
    char path[256];
    in(path, of, name);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(syscall(SYS_fchmod, fd, mode), 0);
    close(fd);
}

static void put_folder(const char *path)
{
    assert_int_equal(syscall(SYS_mkdirat, AT_FDCWD, path, 0700), 0);
}

/* Things with all the names that a path through a link would find. */
static const char *const inner[] = {"privkey.pem", "fullchain.pem", "revoked", "token", "acme-challenge", "file"};

static void make_outside(void)
{
    char path[256];
    put_folder(outside);
    put_file(outside, "file", "outside\n", 0640);
    in(path, outside, "folder");
    put_folder(path);
    for (size_t i = 0; i < sizeof inner / sizeof *inner; i++) {
        char below[256];
        if (strcmp(inner[i], "acme-challenge") == 0) {
            in(below, path, inner[i]);
            put_folder(below);
        } else {
            put_file(path, inner[i], "outside\n", 0600);
        }
    }
}

static uint64_t sum;

static int add_one(const char *path, const struct stat *is, int type, struct FTW *ftw)
{
    char text[32] = "";
    if (type == FTW_F) {
        int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_NOFOLLOW);
        assert_true(fd >= 0);
        assert_true(read(fd, text, sizeof text - 1) >= 0);
        close(fd);
    }
    uint64_t of = 1469598103934665603u;
    for (const char *c = path; *c != '\0'; c++) {
        of = (of ^ (uint8_t)*c) * 1099511628211u;
    }
    for (const char *c = text; *c != '\0'; c++) {
        of = (of ^ (uint8_t)*c) * 1099511628211u;
    }
    of = (of ^ is->st_mode ^ ((uint64_t)is->st_uid << 20) ^ ((uint64_t)is->st_gid << 36)) * 1099511628211u;
    sum += of ^ (uint64_t)is->st_size;
    return 0;
}

/* Names, contents, owners and rights of all that is outside. */
static uint64_t all_outside(void)
{
    sum = 0;
    assert_int_equal(nftw(outside, add_one, 8, FTW_PHYS), 0);
    return sum;
}

static void clean(const char *path)
{
    (void)nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Plays `work` once, with the owner as set. The folder belongs to somebody else where that can be. */
static void play(void (*prepare)(void), void (*work)(void))
{
    char aside[256];
    long was = at_call;
    const char *name = victim;
    victim = NULL;
    clean(folder);
    in(aside, home, "aside");
    clean(aside);
    put_folder(folder);
    prepare();
    if (geteuid() == 0) {
        assert_int_equal(syscall(SYS_fchownat, AT_FDCWD, folder, 4242, 4242, 0), 0);
    }
    calls = 0;
    at_call = was;
    victim = name;
    swapped = false;
    work();
}

static void play_all(void (*prepare)(void), void (*work)(void), const char *const *names, size_t count)
{
    victim = NULL;
    play(prepare, work);
    long most = calls;
    uint64_t before = all_outside();
    assert_true(most > 5);
    swaps = 0;
    for (size_t i = 0; i < count; i++) {
        for (at_call = 1; at_call <= most; at_call++) {
            for (unsigned n = 0; n < 4; n++) {
                /* The last of the four takes turns, and so does whether it is put back. */
                kind = n < 3 ? (enum kind)n : FIFO + (enum kind)(at_call % 3);
                victim = names[i];
                back = (at_call / 3 + (long)n + (long)i) % 2 == 1;
                play(prepare, work);
                if (all_outside() != before) {
                    fail_msg("%s swapped for kind %d before call %ld%s: something outside changed", names[i], kind,
                             at_call, back ? ", and back" : "");
                }
            }
        }
    }
    victim = NULL;
    assert_true(swaps > most * 3);
    printf("# %ld system calls, %ld swaps\n", most, swaps);
}

static int set_up(void **unused)
{
    strcpy(home, "/dev/shm/nanoacme-swap-XXXXXX");
    if (mkdtemp(home) == NULL) { /* in memory, if there is one */
        strcpy(home, "/tmp/nanoacme-swap-XXXXXX");
        assert_non_null(mkdtemp(home));
    }
    snprintf(folder, sizeof folder, "%s/folder", home);
    snprintf(outside, sizeof outside, "%s/outside", home);
    make_outside();
    alarm(400); /* a FIFO that is waited for is a fault as well */
    return 0;
}

static int tear_down(void **unused)
{
    alarm(0);
    clean(home);
    return 0;
}

/* --- what is played --- */

static void nothing(void)
{
}

static void webroot(void)
{
    static struct acme_webroot w;
    struct acme_challenge challenge = {.name = "a.example", .token = "token", .thumbprint = "thumbprint"};
    acme_webroot_init(&w, folder);
    int memory = (int)syscall(SYS_openat, AT_FDCWD, home, O_RDONLY | O_DIRECTORY);
    acme_webroot_sweep(&w, memory);
    (void)w.solver.present(w.solver.ctx, &challenge);
    (void)w.solver.present(w.solver.ctx, &challenge);
    w.solver.withdraw(w.solver.ctx, &challenge);
    (void)w.solver.present(w.solver.ctx, &challenge); /* killed here */
    if (w.place >= 0) {
        close(w.place);
        w.place = -1;
    }
    acme_webroot_sweep(&w, memory);
    if (w.top >= 0) {
        close(w.top);
    }
    close(memory);
}

TEST(test_webroot)
{
    static const char *const names[] = {".well-known", ".well-known/acme-challenge",
                                        ".well-known/acme-challenge/token", ".well-known/acme-challenge/.token.tmp"};
    play_all(nothing, webroot, names, sizeof names / sizeof *names);
}

static void state(void)
{
    static struct acme_posix_store s;
    static const enum acme_record records[] = {ACME_RECORD_ACCOUNT_KEY, ACME_RECORD_ACCOUNT, ACME_RECORD_ORDER,
                                               ACME_RECORD_KEY_NEXT};
    char buf[64];
    acme_posix_store_init(&s, folder, "a.example");
    (void)acme_posix_store_make(&s);
    if (s.dir >= 0) {
        int lock = acme_posix_store_lock(&s);
        if (lock >= 0) {
            close(lock);
        }
    }
    for (unsigned round = 0; round < 2; round++) {
        for (size_t i = 0; i < 4; i++) {
            (void)s.store.get(&s, records[i], buf, sizeof buf);
            (void)s.store.put(&s, records[i], "text\n", 5);
        }
        (void)s.store.append(&s, NULL, 0);
        (void)s.store.append(&s, "chain\n", 6);
        (void)s.store.append(&s, "chain\n", 6);
        (void)s.store.commit(&s);
        (void)s.store.get(&s, ACME_RECORD_KEY, buf, sizeof buf);
        (void)s.store.get(&s, ACME_RECORD_CHAIN, buf, sizeof buf);
    }
    (void)acme_posix_pair_revoke(&s);
    acme_posix_store_close(&s);
}

TEST(test_state)
{
    static const char *const names[] = {"account.pem",
                                        ".account.pem.tmp",
                                        "account",
                                        ".account.tmp",
                                        ".a.example.order",
                                        ".a.example.key",
                                        ".a.example.key.tmp",
                                        "a.example",
                                        ".a.example.link",
                                        ".a.example.a",
                                        ".a.example.b",
                                        ".lock",
                                        ".a.example.a/privkey.pem",
                                        ".a.example.a/fullchain.pem",
                                        ".a.example.a/.revoked.tmp",
                                        ".a.example.b/fullchain.pem"};
    play_all(nothing, state, names, sizeof names / sizeof *names);
}

/* Another group and mode for what is in use, for what comes next, and for the way there. */
static void rights(void)
{
    static struct acme_posix_store s;
    acme_posix_store_init(&s, folder, "a.example");
    (void)acme_posix_store_make(&s);
    s.key_group = geteuid() == 0 ? 4243 : getegid();
    s.key_mode = 0440;
    for (unsigned round = 0; round < 2; round++) {
        (void)s.store.put(&s, ACME_RECORD_KEY_NEXT, "text\n", 5);
        if (round == 0) { /* else the chain is one that an earlier run has left */
            (void)s.store.append(&s, NULL, 0);
        }
        (void)s.store.commit(&s);
        (void)acme_posix_pair_rights(&s);
    }
    acme_posix_store_close(&s);
}

static void chain_is_there(void)
{
    char path[256];
    in(path, folder, ".a.example.b");
    put_folder(path);
    put_file(path, "fullchain.pem", "chain\n", 0644);
}

TEST(test_rights)
{
    static const char *const names[] = {"a.example",
                                        ".a.example.a",
                                        ".a.example.b",
                                        ".a.example.try",
                                        ".a.example.a/privkey.pem",
                                        ".a.example.a/fullchain.pem",
                                        ".a.example.b/privkey.pem",
                                        ".a.example.b/fullchain.pem"};
    play_all(chain_is_there, rights, names, sizeof names / sizeof *names);
}

/* The folder that is given lies in somebody else's, and so may be the one above it. */
static char given[160];

static void in_an_own(void)
{
    char path[256];
    in(path, folder, "up");
    put_folder(path);
    if (geteuid() == 0) {
        assert_int_equal(syscall(SYS_fchownat, AT_FDCWD, path, 4242, 4242, 0), 0);
    }
}

static void with_both(void)
{
    in_an_own();
    put_folder(given);
}

static void given_webroot(void)
{
    static struct acme_webroot w;
    struct acme_challenge challenge = {.name = "a.example", .token = "token", .thumbprint = "thumbprint"};
    acme_webroot_init(&w, given);
    (void)w.solver.present(w.solver.ctx, &challenge);
    w.solver.withdraw(w.solver.ctx, &challenge);
    if (w.top >= 0) {
        close(w.top);
    }
}

static void given_state(void)
{
    static struct acme_posix_store s;
    acme_posix_store_init(&s, given, "a.example");
    if (acme_posix_store_make(&s) == 0) {
        if (s.made && geteuid() == 0) { /* what --user does */
            (void)syscall(SYS_fchown, s.dir, 4242, 4242);
        }
        (void)s.store.put(&s, ACME_RECORD_ORDER, "text\n", 5);
    }
    acme_posix_store_close(&s);
}

TEST(test_way)
{
    static const char *const names[] = {"up", "up/given"};
    snprintf(given, sizeof given, "%s/up/given", folder);
    play_all(with_both, given_webroot, names, 2);
    play_all(with_both, given_state, names, 2);
    play_all(in_an_own, given_state, names, 2);
}

/* What is followed and what is not. */
TEST(test_links)
{
    char own[256], others[256], first[256], second[256];
    bool made = false;
    in(own, home, "own");
    put_folder(own);
    in(first, own, "first");
    in(second, own, "second");
    assert_int_equal(syscall(SYS_symlinkat, "second/../own/second//", AT_FDCWD, first), 0);
    assert_int_equal(syscall(SYS_symlinkat, own, AT_FDCWD, second), 0);
    in(others, first, "first/new/");
    int at = acme_posix_folder(others, &made); /* links of ours: to elsewhere and back, and there it is made */
    assert_true(at >= 0 && made);
    close(at);
    at = acme_posix_folder(others, &made);
    assert_true(at >= 0);
    close(at);
    in(others, first, "new/more");
    made = true; /* where nobody else may change names it is made all the same */
    at = acme_posix_folder(others, &made);
    assert_true(at >= 0 && made);
    close(at);
    in(second, own, "round");
    assert_int_equal(syscall(SYS_symlinkat, "round", AT_FDCWD, second), 0);
    assert_int_equal(acme_posix_folder(second, NULL), -1);
    assert_int_equal(errno, EMLINK);
    in(second, own, "none");
    assert_int_equal(acme_posix_folder(second, NULL), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(acme_posix_folder("", NULL), -1);
    assert_int_equal(errno, ENOENT);
    if (geteuid() == 0) { /* the same links in somebody else's folder; in one as /tmp is, those of ours stay ours */
        in(second, own, "new");
        assert_int_equal(syscall(SYS_symlinkat, "new", AT_FDCWD, strcat(strcpy(others, own), "/link")), 0);
        assert_int_equal(syscall(SYS_fchmodat, AT_FDCWD, own, 01777), 0);
        at = acme_posix_folder(others, NULL);
        assert_true(at >= 0);
        close(at);
        assert_int_equal(syscall(SYS_fchownat, AT_FDCWD, others, 4242, 4242, AT_SYMLINK_NOFOLLOW), 0);
        assert_int_equal(acme_posix_folder(others, NULL), -1);
        assert_int_equal(errno, ELOOP);
        assert_int_equal(syscall(SYS_fchownat, AT_FDCWD, own, 4242, 4242, 0), 0);
        assert_int_equal(acme_posix_folder(first, NULL), -1);
        assert_int_equal(errno, ELOOP);
        in(others, own, "user's");
        made = true;
        assert_int_equal(acme_posix_folder(others, &made), -1);
        assert_int_equal(errno, ENOENT);
        assert_false(made);
        at = acme_posix_folder(others, &made);
        assert_true(at >= 0 && !made);
        close(at);
    }
}

static char pair_key[512], pair_chain[2048];

/* A copy that has followed links: a folder in the link's place, and the slot beside it. */
static void a_copy(void)
{
    static const char *const folders[] = {"a.example", ".a.example.a"};
    for (size_t i = 0; i < 2; i++) {
        char path[256];
        in(path, folder, folders[i]);
        put_folder(path);
        put_file(path, "privkey.pem", pair_key, 0600);
        put_file(path, "fullchain.pem", pair_chain, 0644);
    }
}

static void adoption(void)
{
    static struct acme_posix_store s;
    acme_posix_store_init(&s, folder, "a.example");
    if (acme_posix_store_make(&s) == 0) {
        (void)acme_adopt(&s);
    }
    acme_posix_store_close(&s);
}

static void read_pair(const char *file, char *text, size_t cap)
{
    char path[256];
    in(path, home, file);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    text[fread(text, 1, cap - 1, f)] = '\0';
    fclose(f);
}

static void make_pair(void)
{
    char command[600];
    snprintf(
        command, sizeof command,
        "cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -out c -subj /CN=a "
        "-addext subjectAltName=DNS:a.example 2>/dev/null",
        home);
    assert_int_equal(system(command), 0);
    read_pair("k", pair_key, sizeof pair_key);
    read_pair("c", pair_chain, sizeof pair_chain);
}

TEST(test_adoption)
{
    static const char *const names[] = {"a.example",
                                        ".a.example.a",
                                        ".a.example.link",
                                        ".a.example.old",
                                        "a.example/privkey.pem",
                                        ".a.example.a/privkey.pem",
                                        ".a.example.a/fullchain.pem"};
    char link[64] = "", path[256];
    make_pair();
    play(a_copy, adoption);
    in(path, folder, "a.example");
    assert_int_equal(syscall(SYS_readlinkat, AT_FDCWD, path, link, sizeof link), 12);
    assert_string_equal(link, ".a.example.a");
    play_all(a_copy, adoption, names, sizeof names / sizeof *names);
}

/* What a server would open there now. */
static bool pair_is_there(void)
{
    static const struct acme_posix_store its_key_is_in_a_file;
    struct acme_leaf leaf;
    char path[256];
    in(path, folder, "a.example");
    int at = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
    bool whole = at >= 0 && acme_adopt_whole(&its_key_is_in_a_file, at, &leaf);
    close(at);
    return whole;
}

/* Cut before each system call the pair is there, and the next run completes it, with nothing left over. */
TEST(test_adoption_cut)
{
    char path[256], link[64];
    struct stat is;
    make_pair();
    victim = NULL;
    play(a_copy, adoption);
    long most = calls;
    assert_true(most > 20);
    for (long n = 1; n <= most; n++) {
        play(a_copy, nothing);
        pid_t child = fork();
        if (child == 0) {
            calls = 0;
            cut_at = n;
            adoption();
            _exit(1);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_true(pair_is_there());
        adoption();
        assert_true(pair_is_there());
        in(path, folder, "a.example");
        assert_int_equal(syscall(SYS_readlinkat, AT_FDCWD, path, link, sizeof link), 12);
        in(path, folder, ".a.example.link");
        assert_int_equal(lstat(path, &is), -1);
        in(path, folder, ".a.example.old");
        assert_int_equal(lstat(path, &is), -1);
    }
}

AROUND(NULL, NULL, set_up, tear_down);
