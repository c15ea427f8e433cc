/* main.c - the firmware: runs of the client, and the HTTPS page between them. */
#include <string.h>

#include "lwip/sys.h"

#include "board.h"
#include "firmware.h"
#include "say.h"
#include "system.h"

#define AGAIN_MS (12u * 3600 * 1000) /* looks at the pair in use twice a day */
#define RETRY_S  60                  /* at least, after a failed run         */
#define LOOK_MS  1000                /* a silent visitor of the page is noticed as late as that */

struct firmware firmware;

/* The name lwIP has for it. */
u32_t sys_now(void)
{
    return board_now_ms();
}

static int set_up(void)
{
    struct acme_setup *s = &firmware.setup;

    acme_lwip_net_init(&firmware.net);
    acme_lwip_listener_init(&firmware.http, 80, ACME_HTTP01_SLOTS);
    acme_lwip_listener_init(&firmware.https, 443, 2); /* one is served; one that comes meanwhile need not ask again */
    acme_http01_init(&firmware.http01, &firmware.http.listener);
    firmware.solver = &firmware.http01.solver;
    firmware.sys = (struct acme_sys){NULL, board_random, board_utc};
    s->net = &firmware.net.net;
    s->sys = &firmware.sys;
    s->store = &firmware.store.store;
    s->ca.directory_url = firmware_site.directory_url;
    s->ca.trust = firmware_site.trust;
    s->ca.tls_name = firmware_site.tls_name;
    s->account_key = (struct acme_key){&acme_key_p256_ops, &firmware.account_key};
    s->certificate_key = (struct acme_key){&acme_key_p256_ops, &firmware.certificate_key};
    s->names = firmware_site.names;
    s->name_count = firmware_site.name_count;
    s->accept_terms = true;
    s->solvers = &firmware.solver;
    s->solver_count = 1;
    s->product = board_name;
    s->work = firmware.work;
    s->work_len = sizeof firmware.work;
    s->tls = &firmware.tls.client;
    s->tls_buffer = firmware.record_buffer;
    s->tls_buffer_len = sizeof firmware.record_buffer;
    s->trace = say_event;
    return acme_init(&firmware.client, s);
}

static void report(uint32_t took_ms)
{
    const struct acme_stats stats = acme_stats(&firmware.client);

    say_figure("flash", firmware_flash());
    say_figure("ram", firmware_ram());
    say_figure("ram_client", sizeof firmware.client);
    say_figure("ram_tls", sizeof firmware.tls);
    say_figure("ram_record_buffer", sizeof firmware.record_buffer);
    say_figure("ram_work", sizeof firmware.work);
    say_figure("stack_peak", system_stack_peak());
    say_figure("stack_size", system_stack_size());
    say_figure("longest_tick_kilo", firmware.longest_tick);
    say_figure("requests", stats.requests);
    say_figure("handshakes", stats.handshakes);
    say_figure("bytes_up", stats.bytes_up);
    say_figure("bytes_down", stats.bytes_down);
    say_figure("polls", stats.polls);
    say_figure("milliseconds", took_ms);
    system_report();
}

/* One run of the client, start to end. */
static enum acme_progress run(void)
{
    enum acme_progress progress = ACME_FAILED;
    uint32_t began = board_now_ms();
    int error = acme_start(&firmware.client, ACME_WHEN_DUE, began);

    while (error == 0) {
        uint32_t before, kilo;
        bool moved = system_poll();

        before = board_kilo();
        progress = acme_tick(&firmware.client, board_now_ms());
        kilo = board_kilo() - before;
        if (kilo > firmware.longest_tick && kilo < INT32_MAX) { /* a tick of the counter may be missed */
            firmware.longest_tick = kilo;
        }
        if (progress != ACME_IDLE && progress != ACME_BUSY) {
            break;
        }
        if (progress == ACME_IDLE && !moved) {
            system_wait(acme_idle_ms(&firmware.client, board_now_ms()));
        }
    }
    firmware.last_error = acme_failure(&firmware.client)->error;
    switch (progress) {
    case ACME_ISSUED:
        say("a new certificate is in use", "");
        break;
    case ACME_CURRENT:
        say("the certificate in use is not due", "");
        break;
    default:
        say_failure(acme_failure(&firmware.client));
        break;
    }
    report(board_now_ms() - began);
    return progress;
}

/* Serves the page until the next run is due. */
static void serve(uint32_t for_ms)
{
    uint32_t began = board_now_ms();

    say(https_start() ? "the page is on port 443" : "no page: there is no pair in use", "");
    while (board_now_ms() - began < for_ms) {
        bool moved = system_poll();
        if (!https_tick(board_now_ms()) && !moved) {
            system_wait(LOOK_MS);
        }
    }
    https_stop();
}

static void firmware_task(void)
{
    int error;

    system_begin_network();
    error = board_flash_init() != 0 ? ACME_E_STORE_READ : acme_flash_init(&firmware.store, &board_flash);
    if (error == 0) {
        error = set_up();
    }
    if (error != 0) {
        say("cannot begin: ", say_error(error));
        board_exit(4);
    }
    for (;;) {
        enum acme_progress progress = run();
        uint32_t retry_s = acme_failure(&firmware.client)->retry_s;
        if (retry_s < RETRY_S) {
            retry_s = RETRY_S;
        }
        serve(progress == ACME_FAILED && retry_s < AGAIN_MS / 1000 ? retry_s * 1000 : AGAIN_MS);
    }
}

int main(void)
{
    board_init();
    say("nanoacme " ACME_VERSION " on ", board_name);
    say(board_notice, "");
    if (firmware_random_init() != 0) {
        say(say_error(ACME_E_RANDOM), ": nothing is done without it");
        board_exit(3);
    }
    system_run(firmware_task);
}
