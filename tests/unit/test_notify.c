/* test_notify.c - what a service manager is told, over a socket of each kind. */
#define _GNU_SOURCE 1
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* The program's files are in no library. */
#include "notify.c"

static struct acme_notify n;
static char heard[1024];

/* A manager's socket; `name` begins with @ for an abstract one. */
static int manager(const char *name)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    size_t len = strlen(name);
    memcpy(at.sun_path, name, len);
    if (name[0] == '@') {
        at.sun_path[0] = '\0';
    }
    assert_int_equal(bind(fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)), 0);
    return fd;
}

static const char *hear(int fd)
{
    ssize_t len = recv(fd, heard, sizeof heard - 1, 0);
    heard[len > 0 ? len : 0] = '\0';
    return heard;
}

static int begin(const char *socket, const char *usec, const char *pid)
{
    (void)(socket != NULL ? setenv("NOTIFY_SOCKET", socket, 1) : unsetenv("NOTIFY_SOCKET"));
    (void)(usec != NULL ? setenv("WATCHDOG_USEC", usec, 1) : unsetenv("WATCHDOG_USEC"));
    (void)(pid != NULL ? setenv("WATCHDOG_PID", pid, 1) : unsetenv("WATCHDOG_PID"));
    return acme_notify_init(&n);
}

static void end(int fd)
{
    (void)close(n.fd);
    (void)close(fd);
}

TEST(test_words)
{
    char name[64];
    struct timespec now;
    unsigned long long us;

    for (unsigned kind = 0; kind < 2; kind++) {
        (void)snprintf(name, sizeof name, "%s/tmp/nanoacme-notify-%u", kind == 0 ? "" : "@", (unsigned)getpid());
        int fd = manager(name);
        assert_int_equal(begin(name, "2000000", NULL), 0);
        assert_null(getenv("NOTIFY_SOCKET"));
        assert_null(getenv("WATCHDOG_USEC"));
        acme_notify_ready(&n);
        assert_string_equal(hear(fd), "READY=1\n");
        acme_notify_alive(&n);
        assert_string_equal(hear(fd), "WATCHDOG=1\n");
        acme_notify_stopping(&n);
        assert_string_equal(hear(fd), "STOPPING=1\n");
        acme_notify_reloading(&n);
        assert_int_equal(sscanf(hear(fd), "RELOADING=1\nMONOTONIC_USEC=%llu\n", &us), 1);
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        assert_true((unsigned long long)now.tv_sec * 1000000U + 1000000U > us &&
                    us + 5000000U > (unsigned long long)now.tv_sec * 1000000U);
        acme_notify_status(&n, "next\nREADY=1 \x1b[0m");
        assert_string_equal(hear(fd), "STATUS=next?READY=1 ?[0m\n");
        char text[1000];
        memset(text, 'x', sizeof text - 1);
        text[sizeof text - 1] = '\0';
        acme_notify_status(&n, text);
        assert_int_equal(strlen(hear(fd)), 7 + 500 + 1);
        end(fd);
        (void)unlink(name);
    }
}

TEST(test_nobody)
{
    assert_int_equal(begin(NULL, "1000", NULL), 0);
    assert_int_equal(n.fd, -1);
    assert_int_equal(n.watchdog_us, 0);
    acme_notify_ready(&n); /* nothing happens */
    acme_notify_alive(&n);
}

TEST(test_names)
{
    char text[200];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    text[0] = '/';
    assert_int_equal(begin(text, NULL, NULL), ENAMETOOLONG);
    assert_int_equal(begin("vsock:2:1234", NULL, NULL), EAFNOSUPPORT);
    assert_int_equal(begin("relative", NULL, NULL), EAFNOSUPPORT);
    assert_int_equal(begin("", NULL, NULL), EAFNOSUPPORT);
    assert_int_equal(begin("@", NULL, NULL), EINVAL);
    assert_int_equal(n.fd, -1);
    assert_int_equal(begin("/tmp/nanoacme-nobody-listens", NULL, NULL), 0);
    acme_notify_ready(&n); /* lost, and no more */
    (void)close(n.fd);
}

TEST(test_watchdog)
{
    static const struct {
        const char *usec, *pid;
        uint64_t want;
    } rows[] = {{"30000000", NULL, 30000000},
                {"30000000", "1", 0},
                {"0", NULL, 0},
                {"", NULL, 0},
                {"-5", NULL, 0},
                {"1e6", NULL, 0},
                {"99999999999999999999", NULL, 0},
                {NULL, NULL, 0}};
    char own[16];
    int fd = manager("@nanoacme-watchdog");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(begin("@nanoacme-watchdog", rows[i].usec, rows[i].pid), 0);
        assert_int_equal(n.watchdog_us, rows[i].want);
        acme_notify_alive(&n);
        assert_int_equal(hear(fd)[0] != '\0', rows[i].want > 0);
        (void)close(n.fd);
    }
    (void)snprintf(own, sizeof own, "%u", (unsigned)getpid());
    assert_int_equal(begin("@nanoacme-watchdog", "5", own), 0);
    assert_int_equal(n.watchdog_us, 5);
    end(fd);
}

/* A manager that does not read is not waited for without end. */
TEST(test_full)
{
    struct timespec from, to;
    int fd = manager("@nanoacme-full"), full;
    assert_int_equal(begin("@nanoacme-full", NULL, NULL), 0);
    full = fcntl(n.fd, F_GETFL);
    assert_int_equal(fcntl(n.fd, F_SETFL, full | O_NONBLOCK), 0);
    for (int i = 0; i < 2000; i++) {
        acme_notify_ready(&n);
    }
    assert_int_equal(fcntl(n.fd, F_SETFL, full), 0);
    (void)clock_gettime(CLOCK_MONOTONIC, &from);
    acme_notify_ready(&n);
    (void)clock_gettime(CLOCK_MONOTONIC, &to);
    assert_in_range(to.tv_sec - from.tv_sec, 0, 3);
    end(fd);
}
