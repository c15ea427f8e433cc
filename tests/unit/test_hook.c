/* test_hook.c - the deploy hook: every way it can end, what it is told, what it gets of ours, and who is waited for. */
#define _GNU_SOURCE 1
#include "unit.h"

#include <sys/syscall.h>

/* The program's files are in no library. */
#include "hook.c"

#define NOT_AFTER 1800000000 /* 2027-01-15 08:00:00 UTC */

static char home[64], folder[96];
static struct acme_hook hook;

static int set_up(void **unused)
{
    strcpy(home, "/tmp/nanoacme-hook-XXXXXX");
    assert_non_null(mkdtemp(home));
    snprintf(folder, sizeof folder, "%s/state", home);
    hook.fd = -1;
    return mkdir(folder, 0700);
}

static int tear_down(void **unused)
{
    char command[100];
    acme_hook_close(&hook);
    snprintf(command, sizeof command, "rm -rf '%s'", home);
    return system(command);
}

static const char *in(const char *name)
{
    static char text[4][200];
    static unsigned turn;
    turn = (turn + 1) % 4;
    snprintf(text[turn], sizeof text[turn], "%s/%s", home, name);
    return text[turn];
}

static const char *put(const char *name, const char *text, mode_t mode)
{
    int fd = open(in(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    return in(name);
}

static const char *script(const char *text)
{
    char whole[1000];
    snprintf(whole, sizeof whole, "#!/bin/sh\n%s\n", text);
    return put("hook", whole, 0700);
}

/* What a file holds, the last lines of a short one. */
static const char *read_of(const char *name)
{
    static char text[4096];
    int fd = open(in(name), O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    close(fd);
    return text;
}

static const char *const names[] = {"a.example", "www.a.example"};

static void begin(const char *path, const char *name, unsigned limit_s)
{
    const struct acme_hook_about about = {path, folder, name, names, 2, limit_s, false, NULL};
    assert_int_equal(acme_hook_start(&hook, &about), 0);
}

/* Between two looks at what another process does. */
static void look_again(void)
{
    (void)poll(NULL, 0, 2);
}

/* Ticks until it is over. Returns the result; *took_ms, if not NULL. */
static int end_of(bool renewed, int64_t *took_ms)
{
    int64_t from = now_ms();
    int result;
    while ((result = acme_hook_tick(&hook, &(struct acme_hook_go){.renewed = renewed, .not_after = NOT_AFTER})) ==
           0) {
        look_again();
    }
    if (took_ms != NULL) {
        *took_ms = now_ms() - from;
    }
    return result;
}

/* One hook from its begin to its end: it fails with these words, or succeeds (NULL). */
static void ends(const char *path, const char *words_of_it)
{
    int result;
    begin(path, "a.example", 0);
    result = end_of(false, NULL);
    if (result < 0 && (words_of_it == NULL || strstr(hook.words, words_of_it) == NULL)) {
        print_error("%s\n", hook.words);
    }
    assert_int_equal(result, words_of_it == NULL ? 1 : -1);
    if (words_of_it != NULL) {
        assert_non_null(strstr(hook.words, words_of_it));
    }
    acme_hook_close(&hook);
}

TEST(test_ends)
{
    ends(script("exit 0"), NULL);
    ends(script("exit 1"), "exit status 1");
    ends(script("exit 126"), "may not be executed");
    ends(script("exit 127"), "was not found");
    ends(script("exit 255"), "exit status 255");
    ends(script("kill -SEGV $$"), "signal 11 (Segmentation fault");
    ends(script("kill -KILL $$"), "signal 9");
    ends(put("hook", "exit 0\n", 0700), "a script begins with a line such as");
    ends(put("hook", "", 0700), "a script begins with");
    ends(put("hook", "#!/no/such/shell\n", 0700), "first line of the script names");
    ends(in("nothing"), "not there any more");
    ends(folder, "no right to execute");
    ends(put("hook", "#!/bin/sh\nexit 0\n", 0600), "no right to execute");
}

/* A hook that has failed is begun again as often as is wanted, by the same process. */
TEST(test_again)
{
    begin(script("echo run >>\"${0%/*}/runs\"; test $(wc -l <\"${0%/*}/runs\") -ge 3"), "a.example", 0);
    assert_int_equal(end_of(false, NULL), -1);
    assert_int_equal(end_of(true, NULL), -1);
    assert_int_equal(end_of(true, NULL), 1);
    assert_int_equal(end_of(true, NULL), 1);
    assert_string_equal(read_of("runs"), "run\nrun\nrun\nrun\n");
}

/* Exactly these words, in this order, whatever stands in our own environment; values with blanks and signs stay whole. */
TEST(test_words)
{
    static const char *const ours[] = {"USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "XDG_RUNTIME_DIR", NULL};
    char wanted[2000], there[200];

    for (size_t i = 0; ours[i] != NULL; i++) {
        unsetenv(ours[i]);
    }
    setenv("HOME", "/home of $(id)", 1);
    setenv("TZ", "UTC", 1);
    setenv("NOTIFY_SOCKET", "/run/x", 1);
    setenv("LD_PRELOAD_", "x", 1);
    strcpy(
        there,
        script(
            "tr '\\0' '\\n' </proc/$$/environ >\"${0%/*}/env\"; tr '\\0' '\\n' </proc/$$/cmdline >\"${0%/*}/args\"; "
            "pwd -P >\"${0%/*}/cwd\""));
    begin(there, "-x", 0);
    assert_int_equal(end_of(true, NULL), 1);
    snprintf(wanted, sizeof wanted,
             "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nHOME=/home of $(id)\nTZ=UTC\n"
             "NANOACME_NAME=-x\nNANOACME_NAMES=a.example www.a.example\nNANOACME_KEY=%s/-x/privkey.pem\n"
             "NANOACME_FULLCHAIN=%s/-x/fullchain.pem\nNANOACME_REASON=renewed\n"
             "NANOACME_NOT_AFTER=2027-01-15T08:00:00Z\nRENEWED_LINEAGE=%s/-x\n"
             "RENEWED_DOMAINS=a.example www.a.example\n",
             folder, folder, folder);
    assert_string_equal(read_of("env"), wanted);
    snprintf(wanted, sizeof wanted, "/bin/sh\n%s\ndeploy\n-x\n%s/-x/privkey.pem\n%s/-x/fullchain.pem\n", there,
             folder, folder);
    assert_string_equal(read_of("args"), wanted);
    assert_string_equal(read_of("cwd"), "/\n");
    acme_hook_close(&hook);

    /* A state directory that is named from where we are. */
    assert_int_equal(chdir(home), 0);
    strcpy(folder, "state");
    begin(there, "a.example", 0);
    assert_int_equal(end_of(false, NULL), 1);
    assert_int_equal(chdir("/"), 0);
    snprintf(wanted, sizeof wanted, "RENEWED_LINEAGE=%s/state/a.example\n", home);
    assert_non_null(strstr(read_of("env"), wanted));
    assert_non_null(strstr(read_of("env"), "NANOACME_REASON=issued\n"));
}

TEST(test_odd_paths)
{
    static const char *const odd[] = {"a b", "-x", "$(id)", "a;b", "\xc3\xa4"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        const char *path = put(odd[i], "#!/bin/sh\nexit 0\n", 0700);
        assert_null(acme_hook_check(path));
        ends(path, NULL);
    }
}

/* Every signal is ignored, also those that the C library keeps for itself: only the kernel lets that happen. Returns those
 * that it does not let a program change back, as a set of the kernel's. */
static unsigned long long ignore_all(struct sigaction before[NSIG])
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    const struct {
        void (*handler)(int);
        unsigned long rest[8];
    } raw = {SIG_IGN, {0}}; /* of Linux, on most machines; where not, it is refused */
    unsigned long long kept = 0;
    for (int i = 1; i < NSIG; i++) {
        if (sigaction(i, NULL, &before[i]) != 0) {
            kept |= 1ULL << (i - 1);
            (void)syscall(SYS_rt_sigaction, i, &raw, NULL, 8);
        } else {
            (void)sigaction(i, &ignore, NULL); /* but SIGKILL and SIGSTOP */
        }
    }
    return kept;
}

/* Nothing of ours goes along: descriptors, a signal that is ignored or held back, our terminal's input. */
TEST(test_nothing_of_ours)
{
    int open_one = open("/dev/null", O_RDONLY); /* as whoever started us may have left it */
    static struct sigaction before[NSIG];
    unsigned long long kept, blocked = 1, ignored = ~0ULL;
    sigset_t all, mask;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &mask);
    kept = ignore_all(before);
    begin(script("cd \"${0%/*}\"; for i in 3 4 5 6 7 8 9; do test ! -e /proc/$$/fd/$i || echo $i >>fds; "
                 "done; readlink /proc/$$/fd/0 >in\n"
                 "grep -E '^Sig(Blk|Ign)' /proc/$$/status | cut -f2 | tr '\\n' ' ' >signals\n"
                 "awk '{print $5 == $1}' /proc/$$/stat >group"),
          "a.example", 0);
    for (int i = 1; i < NSIG; i++) {
        (void)sigaction(i, &before[i], NULL);
    }
    sigprocmask(SIG_SETMASK, &mask, NULL);
    assert_int_equal(end_of(false, NULL), 1);
    close(open_one);
    assert_string_equal(read_of("fds"), ""); /* 10 and above are the shell's own */
    assert_string_equal(read_of("in"), "/dev/null\n");
    assert_int_equal(sscanf(read_of("signals"), "%llx %llx", &blocked, &ignored), 2);
    assert_int_equal(blocked, 0);
    assert_int_equal(ignored & ~kept, 0);
    assert_string_equal(read_of("group"), "1\n");
}

/* Only the hook itself is waited for, and what it has left running stays so. */
TEST(test_grandchild)
{
    int64_t took;
    begin(script("tail -f /dev/null & echo $! >\"${0%/*}/pid\"; exit 0"), "a.example", 0);
    assert_int_equal(end_of(false, &took), 1);
    assert_in_range(took, 0, 3000);
    acme_hook_close(&hook);
    assert_int_equal(kill(atoi(read_of("pid")), 0), 0);
    kill(atoi(read_of("pid")), SIGKILL);
}

static bool lives(const char *file)
{
    char path[64], text[64] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", atoi(read_of(file)));
    FILE *f = fopen(path, "r");
    if (f != NULL) {
        assert_int_not_equal(fread(text, 1, sizeof text - 1, f), 0);
        fclose(f);
    }
    return f != NULL && strstr(text, ") Z") == NULL; /* a zombie is somebody else's to reap */
}

/* One that obeys SIGTERM is gone at once, with all of its group, also when they do not obey. */
TEST(test_too_long)
{
    int64_t took;
    begin(script("(trap '' TERM; tail -f /dev/null) & echo $! >\"${0%/*}/pid\"; tail -f /dev/null"), "a.example", 1);
    assert_int_equal(end_of(false, &took), -1);
    assert_non_null(strstr(hook.words, "not done after 1 s"));
    assert_in_range(took, 900, 4000);
    for (int64_t until = now_ms() + 3000;
         lives("pid") && now_ms() < until;) { /* killed, but who reaps it is not us */
        look_again();
    }
    assert_false(lives("pid"));
}

TEST(test_trapped)
{
    int64_t took;
    begin(script("trap '' TERM; echo $$ >\"${0%/*}/pid\"; while :; do tail -f /dev/null; done"), "a.example", 1);
    assert_int_equal(end_of(false, &took), -1);
    assert_non_null(strstr(hook.words, "not done after 1 s"));
    assert_in_range(took, 1000 * (1 + ACME_HOOK_GRACE_S) - 500, 1000 * (1 + ACME_HOOK_GRACE_S) + 4000);
    assert_false(lives("pid"));
    /* And the next one finds nothing of it. */
    script("exit 0");
    assert_int_equal(end_of(false, NULL), 1);
}

/* The run ends while the hook is under way: so does the hook, and close() comes back when it has. */
TEST(test_closed)
{
    int64_t from;
    begin(script("echo $$ >\"${0%/*}/pid\"; tail -f /dev/null"), "a.example", 0);
    while (read_of("pid")[0] == '\0') {
        assert_int_equal(acme_hook_tick(&hook, &(struct acme_hook_go){.renewed = false}), 0);
        look_again();
    }
    from = now_ms();
    acme_hook_close(&hook);
    assert_in_range(now_ms() - from, 0, 3000);
    assert_false(lives("pid"));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* reaped */
    assert_int_equal(acme_hook_tick(&hook, &(struct acme_hook_go){.renewed = false}), -1);
    acme_hook_close(&hook);
}

/* The process that starts it is killed: an error, and no wait for ever. */
TEST(test_starter_gone)
{
    begin(script("tail -f /dev/null"), "a.example", 0);
    kill(hook.starter, SIGKILL);
    assert_int_equal(end_of(false, NULL), -1);
    assert_non_null(strstr(hook.words, "has ended"));
    assert_int_equal(end_of(false, NULL), -1);
}

static void refused(const char *path, const char *why)
{
    const char *wrong = acme_hook_check(path);
    assert_non_null(wrong);
    if (strstr(wrong, why) == NULL) {
        fail_msg("%s: %s", path, wrong);
    }
}

TEST(test_check)
{
    static const char shell[] = "#!/bin/sh\nexit 0\n";
    const char *path = put("hook", shell, 0700);
    assert_null(acme_hook_check(path));
    assert_null(acme_hook_check("/bin/true"));
    refused("hook", "not an absolute path");
    refused("./hook", "not an absolute path");
    refused("systemctl reload nginx", "not an absolute path");
    refused("", "not an absolute path");
    refused("/bin/true x", "no such file");
    refused(in("nothing"), "no such file");
    refused(folder, "not a file");
    refused("/dev/null", "not a file");
    refused(in("hook/x"), "Not a directory");
    refused(put("plain", shell, 0600), "not executable");
    refused(put("open", shell, 0707), "others");
    if (geteuid() != 0) {
        skip();
    }
    /* Root runs nothing that somebody else can change, by whatever name on the way. */
    refused(put("open", shell, 0770), "others than root");
    assert_int_equal(chown(put("foreign", shell, 0700), 4242, 0), 0);
    refused(in("foreign"), "others than root");
    assert_int_equal(mkdir(in("deep"), 0755) + mkdir(in("deep/er"), 0755), 0);
    path = put("deep/er/hook", shell, 0700);
    assert_null(acme_hook_check(path));
    assert_int_equal(symlink(path, in("link")), 0);
    assert_null(acme_hook_check(in("link")));
    assert_int_equal(chmod(in("deep"), 0775), 0);
    refused(path, "folder on the way");
    refused(in("link"), "folder on the way");
    assert_int_equal(chmod(in("deep"), 01777), 0); /* as /tmp */
    assert_null(acme_hook_check(in("deep/er/hook")));
    assert_int_equal(chmod(in("deep"), 0755) + chown(in("deep"), 4242, 0), 0);
    refused(in("deep/er/hook"), "folder on the way");
    refused(in("link"), "folder on the way");
    assert_int_equal(symlink("/bin/true", in("deep/link")), 0);
    refused(in("deep/link"), "folder on the way");
}

AROUND(NULL, NULL, set_up, tear_down);
