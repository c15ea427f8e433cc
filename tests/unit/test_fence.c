/* test_fence.c - what a run has given up cannot be had back: tried, each in a process of its own. */
#define _GNU_SOURCE 1
#include "unit.h"

#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* The program's files are in no library. */
#include "fence.c"

static char home[64], inside[96], outside[96];

static int set_up(void **unused)
{
    strcpy(home, "/tmp/nanoacme-fence-XXXXXX");
    assert_non_null(mkdtemp(home));
    snprintf(inside, sizeof inside, "%s/in", home);
    snprintf(outside, sizeof outside, "%s/out", home);
    chmod(home, 0777);
    return mkdir(inside, 0777) + mkdir(outside, 0777);
}

static int tear_down(void **unused)
{
    char command[100];
    snprintf(command, sizeof command, "rm -rf '%s'", home);
    return system(command);
}

/* Runs `what` in a child behind a fence; it answers 0, or errno. */
static int behind(int (*what)(void), bool programs)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct acme_fence fence = {
            .writable = {open(inside, O_RDONLY | O_DIRECTORY)}, .count = 1, .programs = programs};
        acme_fence_up(&fence);
        _exit(what());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static const char *in(const char *folder, const char *name)
{
    static char text[2][128];
    static unsigned turn;
    turn = !turn;
    snprintf(text[turn], sizeof text[turn], "%s/%s", folder, name);
    return text[turn];
}

/* All that a run does in the state directory. */
static int work_in(void)
{
    int fd = open(in(inside, "a"), O_WRONLY | O_CREAT | O_EXCL, 0600);
    return fd < 0 || write(fd, "x", 1) != 1 || fchmod(fd, 0640) != 0 || mkdir(in(inside, "d"), 0700) != 0 ||
                   rename(in(inside, "a"), in(inside, "d/a")) != 0 || link(in(inside, "d/a"), in(inside, "b")) != 0 ||
                   symlink("b", in(inside, "c")) != 0 || open(in(inside, "b"), O_WRONLY | O_TRUNC) < 0 ||
                   unlink(in(inside, "d/a")) != 0 || rmdir(in(inside, "d")) != 0
               ? errno
               : 0;
}

static int make_out(void)
{
    return open(in(outside, "a"), O_WRONLY | O_CREAT, 0600) < 0 ? errno : 0;
}

static int write_out(void)
{
    return open(in(outside, "there"), O_WRONLY) < 0 ? errno : 0;
}

static int remove_out(void)
{
    return unlink(in(outside, "there")) != 0 ? errno : 0;
}

static int rename_out(void)
{
    return rename(in(inside, "b"), in(outside, "b")) != 0 ? errno : 0;
}

static int read_out(void)
{
    return open(in(outside, "there"), O_RDONLY) < 0 ? errno : 0;
}

static int start_program(void)
{
    execl("/bin/true", "true", (char *)NULL);
    return errno;
}

static int privileges(void)
{
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 99;
}

#ifdef FENCE_ARCH /* elsewhere there is no filter to meet it */
static int mount_something(void)
{
    return (int)syscall(SYS_mount, "none", inside, "tmpfs", 0, NULL) != 0 ? errno : 0;
}
#endif

TEST(test_files)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
    close(open(in(outside, "there"), O_CREAT | O_WRONLY, 0666));
    assert_int_equal(behind(work_in, false), 0);
    assert_int_equal(behind(read_out, false), 0);
    if (version < 2) {
        skip();
    }
    assert_int_equal(behind(make_out, false), EACCES);
    assert_int_equal(behind(write_out, false), EACCES);
    assert_int_equal(behind(remove_out, false), EACCES);
    assert_int_not_equal(behind(rename_out, false), 0);
    assert_int_equal(access(in(outside, "a"), F_OK), -1);
    assert_int_equal(access(in(outside, "there"), F_OK), 0);
}

TEST(test_programs)
{
    assert_int_equal(behind(privileges, false), 0);
    assert_int_not_equal(behind(start_program, false), 0);
    assert_int_equal(behind(start_program, true), 0); /* the exit code of true(1) */
#ifdef FENCE_ARCH
    assert_int_equal(behind(mount_something, true), EPERM);
#endif
}

static int as_nobody(void)
{
    if (acme_fence_user("nobody", -1) != 0) {
        return 1;
    }
    return geteuid() == 0 || getuid() == 0 || getegid() == 0 || setuid(0) == 0 || getgroups(0, NULL) > 1 ||
                   open("/etc/shadow", O_RDONLY) >= 0
               ? 2
               : 0;
}

TEST(test_user)
{
    struct stat is;
    int status, fd;
    assert_int_equal(acme_fence_user("no-such-user", -1), ENOENT);
    if (geteuid() != 0) {
        assert_int_not_equal(acme_fence_user("root", -1), 0);
        skip();
    }
    pid_t child = fork();
    if (child == 0) {
        _exit(as_nobody());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    fd = open(inside, O_RDONLY | O_DIRECTORY);
    child = fork();
    if (child == 0) {
        _exit(acme_fence_user("nobody", fd));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(fstat(fd, &is), 0);
    assert_int_not_equal(is.st_uid, 0);
    close(fd);
}

AROUND(NULL, NULL, set_up, tear_down);
