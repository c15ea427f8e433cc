/* conformance_stores.c - the conformance run of port/stores on media in memory: conformance_stores replacing|names|values. The rest of
 * the port is POSIX's. */
#include <stdio.h>
#include <string.h>

#include "conformance.h"
#include "fake/media.h"
#include "posix.h"

static struct acme_posix_net net;
static struct acme_posix_listener listener;
static struct media media;
static struct acme_files_store files;
static struct acme_kv_store kv;

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
    media_on(&media);
    acme_files_init(&files, &media.files);
    (void)acme_kv_init(&kv, &media.kv);
}

static void say(const char *line)
{
    puts(line);
}

int main(int argc, char **argv)
{
    struct conformance_port port = {
        .net = &net.tcp.net,
        .listener = &listener.listener,
        .sys = &acme_posix_sys,
        .store = &files.store,
        .address = "127.0.0.1",
        .listening = listening,
        .now_ms = acme_posix_now_ms,
        .wait = wait_a_little,
        .reset = reset,
        .say = say,
    };

    if (argc != 2) {
        fprintf(stderr, "usage: conformance_stores replacing|names|values\n");
        return 64;
    }
    acme_posix_net_init(&net);
    acme_posix_listener_init(&listener, "127.0.0.1", 0);
    media_new(&media, strcmp(argv[1], "replacing") == 0);
    reset();
    if (strcmp(argv[1], "values") == 0) {
        port.store = &kv.store;
    }
    return conformance_run(&port) == 0 && media.misused == 0 ? 0 : 1;
}
