/* conformance_host.h - what conformance runs have that use port/posix for their network: for the one file of a program. */
#ifndef TESTS_CONFORMANCE_HOST_H
#define TESTS_CONFORMANCE_HOST_H

#include <stdio.h>

#include "conformance.h"
#include "posix.h"

static struct acme_posix_net net;
static struct acme_posix_listener listener;

static uint16_t listening(void)
{
    return acme_posix_listener_port(&listener);
}

static void wait_a_little(void)
{
    acme_posix_wait(&net, &listener, 10, NULL);
}

static void say(const char *line)
{
    puts(line);
}

/* That port, over a store. */
static struct conformance_port conformance_host(const struct acme_store *store, void (*reset)(void))
{
    acme_posix_net_init(&net);
    acme_posix_listener_init(&listener, "127.0.0.1", 0);
    return (struct conformance_port){
        .net = &net.tcp.net,
        .listener = &listener.listener,
        .sys = &acme_posix_sys,
        .store = store,
        .address = "127.0.0.1",
        .listening = listening,
        .now_ms = acme_posix_now_ms,
        .wait = wait_a_little,
        .reset = reset,
        .say = say,
    };
}

#endif
