/* conformance_posix.c - the conformance run of the POSIX port: conformance_posix DIRECTORY (empty or missing). */
#include <stdio.h>

#include "conformance.h"
#include "posix.h"

static struct acme_posix_net net;
static struct acme_posix_listener listener;
static struct acme_posix_store store;

static uint16_t listening(void)
{
    return acme_posix_listener_port(&listener);
}

static void wait_a_little(void)
{
    acme_posix_wait(&net, &listener, 10, NULL);
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
        .net = &net.tcp.net,
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

    if (argc != 2) {
        fprintf(stderr, "usage: conformance_posix DIRECTORY\n");
        return 64;
    }
    acme_posix_net_init(&net);
    acme_posix_listener_init(&listener, "127.0.0.1", 0);
    acme_posix_store_init(&store, argv[1], "conformance.example");
    if (acme_posix_store_make(&store) != 0) {
        fprintf(stderr, "cannot make %s\n", argv[1]);
        return 1;
    }
    return conformance_run(&port) == 0 ? 0 : 1;
}
