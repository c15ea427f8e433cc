/* test_posix_net.c - what the conformance run cannot see: the order of addresses, and when a program wakes. */
#define _GNU_SOURCE 1
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "posix.h"

static struct acme_posix_net net;
static struct acme_posix_listener listener;
static uint16_t live, dead; /* ports: one is listened on, the other is not */

static int set_up(void **unused)
{
    struct acme_posix_listener other;
    acme_posix_net_init(&net);
    acme_posix_listener_init(&listener, "127.0.0.1", 0);
    acme_posix_listener_init(&other, "127.0.0.1", 0);
    if (listener.listener.start(&listener) != 1 || other.listener.start(&other) != 1) {
        return -1;
    }
    live = acme_posix_listener_port(&listener);
    dead = acme_posix_listener_port(&other);
    other.listener.stop(&other);
    return live != 0 && dead != 0 ? 0 : -1;
}

static int tear_down(void **unused)
{
    net.tcp.net.close(&net);
    listener.listener.close(&listener, 0);
    listener.listener.stop(&listener);
    return 0;
}

/* As if the name had these addresses: 127.0.0.1 at each port. */
static void found(const uint16_t *ports, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct sockaddr_in at;
        memset(&at, 0, sizeof at);
        at.sin_family = AF_INET;
        at.sin_port = htons(ports[i]);
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        memcpy(&net.lookup.addresses[i].at, &at, sizeof at);
        net.lookup.addresses[i].len = sizeof at;
    }
    net.tcp.list = net.lookup.addresses;
    net.tcp.count = count;
    net.tcp.trying = true;
    net.tcp.at = 0;
    net.tcp.failure = ACME_E_NET;
}

static int open_until(const char *host, uint16_t port)
{
    int r;
    while ((r = net.tcp.net.open(&net, host, port)) == 0) {
        acme_posix_wait(&net, NULL, 10000, NULL);
    }
    return r;
}

TEST(test_next_address)
{
    const uint16_t ports[] = {dead, dead, live};
    found(ports, 3);
    assert_int_equal(open_until("name.example", 443), 1);
    assert_int_equal(net.tcp.at, 2);
    assert_int_equal(listener.listener.accept(&listener, 0), 1);
}

TEST(test_all_refused)
{
    const uint16_t ports[] = {dead, dead};
    found(ports, 2);
    assert_int_equal(open_until("name.example", 443), ACME_E_REFUSED);
    assert_int_equal(net.tcp.error, ECONNREFUSED);
    assert_int_equal(net.tcp.fd, -1);
}

TEST(test_most_telling_error)
{
    const uint16_t ports[] = {dead, live};
    found(ports, 2);
    /* The second is an address of a family this system cannot have. */
    net.lookup.addresses[1].at.ss_family = AF_UNSPEC;
    assert_int_equal(open_until("name.example", 443), ACME_E_REFUSED);
}

TEST(test_time_limit_of_an_address)
{
    const uint16_t ports[] = {dead, live};
    int pair[2];
    /* An attempt that never ends: a socket nothing can be written to. Its time is over, so the next one has its turn. */
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    while (write(pair[0], ports, sizeof ports) > 0) {
    }
    found(ports, 2);
    net.tcp.fd = pair[0];
    net.tcp.since_ms = acme_posix_now_ms();
    assert_int_equal(net.tcp.net.open(&net, "name.example", 443), 0);
    assert_int_equal(net.tcp.at, 0);
    net.tcp.since_ms = acme_posix_now_ms() - ACME_SOCKETS_CONNECT_MS;
    assert_int_equal(open_until("name.example", 443), 1);
    assert_int_equal(net.tcp.at, 1);
    close(pair[1]);
}

/* What a reset is to NuttX: nobody is connected. An answer that was cut off is asked for again. */
TEST(test_not_connected_is_closed)
{
    char byte = 0;
    net.tcp.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(net.tcp.net.recv(&net, &byte, 1), ACME_E_CLOSED);
    assert_int_equal(net.tcp.error, ENOTCONN);
    assert_int_equal(net.tcp.net.send(&net, &byte, 1), ACME_E_CLOSED);
}

TEST(test_socket_options)
{
    int on = 0;
    socklen_t len = sizeof on;
    assert_int_equal(open_until("127.0.0.1", live), 1);
    assert_int_equal(getsockopt(net.tcp.fd, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
    assert_true(on);
    assert_true(fcntl(net.tcp.fd, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(net.tcp.fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(listener.fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(listener.listener.accept(&listener, 0), 1);
    assert_true(fcntl(listener.slots[0].fd, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(listener.slots[0].fd, F_GETFL) & O_NONBLOCK);
}

TEST(test_wakes_for_what_is_waited_for)
{
    char byte;
    uint32_t start;
    assert_int_equal(open_until("127.0.0.1", live), 1);
    assert_int_equal(listener.listener.accept(&listener, 0), 1);
    assert_int_equal(listener.listener.send(&listener, 0, "x", 1), 1);

    /* Nobody has asked for bytes yet: the wait lasts. */
    start = acme_posix_now_ms();
    acme_posix_wait(&net, &listener, 60, NULL);
    assert_in_range(acme_posix_now_ms() - start, 59, 10000);

    /* Somebody has, and found none: the next ones wake it. */
    assert_int_equal(net.tcp.net.recv(&net, &byte, 1), 1);
    assert_int_equal(net.tcp.net.recv(&net, &byte, 1), 0);
    assert_int_equal(net.tcp.armed, POLLIN);
    assert_int_equal(listener.listener.send(&listener, 0, "y", 1), 1);
    start = acme_posix_now_ms();
    acme_posix_wait(&net, &listener, 30000, NULL);
    assert_in_range(acme_posix_now_ms() - start, 0, 20000);
    assert_int_equal(net.tcp.armed, 0);

    /* Not twice for the same: what the core leaves unread does not turn its loop into a busy one. */
    start = acme_posix_now_ms();
    acme_posix_wait(&net, &listener, 60, NULL);
    assert_in_range(acme_posix_now_ms() - start, 59, 10000);
}

/* The resolver then says that there is no such name, which would send a person to look at the wrong thing. */
TEST(no_descriptor_is_left_to_look_a_name_up)
{
    struct rlimit before, low;
    int at[64], count = 0;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    low = before;
    low.rlim_cur = 64;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    while (count < 64 && (at[count] = dup(0)) >= 0) {
        count++;
    }
    for (int i = 0; i < 2; i++) { /* of the lookup's own pipe */
        (void)close(at[--count]);
    }
    assert_int_equal(open_until("localhost", live), ACME_E_NET);
    assert_int_equal(net.tcp.error, EMFILE);
    while (count > 0) {
        (void)close(at[--count]);
    }
    assert_int_equal(open_until("localhost", live), 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST(test_finished_lookup_wakes_once)
{
    uint32_t start;
    assert_int_equal(net.tcp.net.open(&net, "localhost", live), 0);
    net.tcp.net.close(&net);
    acme_posix_wait(&net, NULL, 30000, NULL);
    start = acme_posix_now_ms();
    acme_posix_wait(&net, NULL, 60, NULL);
    assert_in_range(acme_posix_now_ms() - start, 59, 10000);
    assert_int_equal(open_until("127.0.0.1", live), 1);
}

static void on_signal(int signal)
{
}

TEST(test_signal_wakes)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t alarm_set, before;
    struct itimerval soon = {.it_value = {.tv_usec = 1000}};
    uint32_t start = acme_posix_now_ms();
    /* It comes before or during the sleep; blocked until then, it ends the sleep either way. */
    sigaction(SIGALRM, &action, NULL);
    sigemptyset(&alarm_set);
    sigaddset(&alarm_set, SIGALRM);
    sigprocmask(SIG_BLOCK, &alarm_set, &before);
    setitimer(ITIMER_REAL, &soon, NULL);
    acme_posix_wait(&net, NULL, 30000, &before);
    sigprocmask(SIG_SETMASK, &before, NULL);
    assert_in_range(acme_posix_now_ms() - start, 0, 20000);
}

TEST(test_port_taken)
{
    struct acme_posix_listener other;
    acme_posix_listener_init(&other, "127.0.0.1", live);
    assert_int_equal(other.listener.start(&other), ACME_E_LISTEN);
    assert_int_equal(other.error, EADDRINUSE);
}

/* A port that is kept stays ours over times in which nobody is answered, and is shut in them. */
TEST(test_kept_port)
{
    struct acme_posix_listener kept, second;
    uint16_t port = dead;
    acme_posix_listener_init(&kept, "127.0.0.1", port);
    acme_posix_listener_keep(&kept);
    assert_true(kept.fd >= 0);
    assert_int_equal(acme_posix_listener_port(&kept), 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(kept.listener.start(&kept), 1);
        assert_int_equal(acme_posix_listener_port(&kept), port);
        assert_int_equal(open_until("127.0.0.1", port), 1);
        net.tcp.net.close(&net);
        kept.listener.stop(&kept);
        assert_int_equal(open_until("127.0.0.1", port), ACME_E_REFUSED);
        net.tcp.net.close(&net);
    }
    assert_true(kept.fd >= 0);
    close(kept.fd);
    /* What stood in the way at the time of the right is what is told, not that the right is gone. */
    acme_posix_listener_init(&second, "127.0.0.1", live);
    acme_posix_listener_keep(&second);
    assert_int_equal(second.early, EADDRINUSE);
    second.listener.stop(&second);
}

TEST(test_both_families)
{
    struct acme_posix_listener all;
    acme_posix_listener_init(&all, NULL, 0);
    assert_int_equal(all.listener.start(&all), 1);
    assert_int_equal(open_until("127.0.0.1", acme_posix_listener_port(&all)), 1);
    assert_int_equal(all.listener.accept(&all, 0), 1);
    all.listener.close(&all, 0);
    all.listener.stop(&all);
}

AROUND(NULL, NULL, set_up, tear_down);
