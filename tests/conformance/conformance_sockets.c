/* conformance_sockets.c - the conformance run of port/sockets on this machine: conformance_sockets DIRECTORY. Records, random numbers and
 * the clock are port/posix's. */
#define _GNU_SOURCE 1
#include <netinet/in.h>
#include <stdio.h>
#include <time.h>

#include "acme_sockets.h"
#include "conformance.h"
#include "posix.h"

static struct acme_sockets_found found;
static struct acme_sockets_net net;
static struct acme_sockets_listener listener;
static struct acme_posix_store store;

static uint16_t listening(void)
{
    struct sockaddr_in at;
    socklen_t len = sizeof at;
    return listener.fd >= 0 && getsockname(listener.fd, (struct sockaddr *)&at, &len) == 0 ? ntohs(at.sin_port) : 0;
}

static void wait_a_little(void)
{
    struct timespec little = {0, 200000};
    (void)nanosleep(&little, NULL); /* lint: polls */
}

static void reset(void)
{
    acme_posix_store_init(&store, store.state, "conformance.example");
}

static void say(const char *line)
{
    puts(line);
}

int main(int argc, char **argv)
{
    static const struct conformance_port port = {
        .net = &net.net,
        .listener = &listener.listener,
        .sys = &acme_posix_sys,
        .store = &store.store,
        .address = "127.0.0.1",
        .name = "localhost",
        .unknown = "unknown.invalid",
        .listening = listening,
        .now_ms = acme_posix_now_ms,
        .wait = wait_a_little,
        .reset = reset,
        .say = say,
    };

    if (argc != 2 || acme_sockets_listener_init(&listener, "name.example", 0) != ACME_E_LISTEN ||
        acme_sockets_listener_init(&listener, "127.0.0.1", 0) != 0) {
        return 64;
    }
    acme_sockets_net_init(&net, acme_posix_now_ms, acme_sockets_lookup, &found);
    acme_posix_store_init(&store, argv[1], "conformance.example");
    return acme_posix_store_make(&store) == 0 && conformance_run(&port) == 0 ? 0 : 1;
}
