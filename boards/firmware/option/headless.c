/* headless.c - HEADLESS=1: a firmware that keeps its certificate and does nothing beside. No page, no word on the UART, no trace:
 * what the least takes that renews by itself. */
#include "lwip/sys.h"

#include "board.h"
#include "firmware.h"
#include "say.h"
#include "system.h"

#if ACME_CFG_RENEWAL
#define WHEN ACME_KEEP
#else
#define WHEN      ACME_WHEN_DUE
#define AN_HOUR_S 3600u /* what is not due costs no request */
#endif

struct firmware firmware;

/* The name lwIP has for it. */
u32_t sys_now(void)
{
    return board_now_ms();
}

/* What the board's loop would say: nobody listens. */
void say(const char *text, const char *more)
{
    (void)text;
    (void)more;
}

static int set_up(void)
{
    struct acme_setup *s = &firmware.setup;

    if (acme_lwip_net_init(&firmware.net) != 0 ||
        acme_lwip_listener_init(&firmware.http, 80, ACME_HTTP01_SLOTS) != 0 ||
        acme_http01_init(&firmware.http01, &firmware.http.listener) != 0) {
        return ACME_E_SIZE;
    }
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
    s->work = firmware.work;
    s->work_len = sizeof firmware.work;
    s->tls = &firmware.tls.client;
    s->tls_buffer = firmware.record_buffer;
    s->tls_buffer_len = sizeof firmware.record_buffer;
    return acme_init(&firmware.client, s);
}

/* Without ACME_CFG_RENEWAL a run has an end, and when the next one begins is ours to say. */
#if ACME_CFG_RENEWAL
#define again(progress) ((void)(progress))
#else
static void again(enum acme_progress progress)
{
    static uint32_t over_ms;
    uint32_t advice_s = acme_failure(&firmware.client)->retry_s;

    if (progress == ACME_IDLE || progress == ACME_BUSY) {
        over_ms = board_now_ms();
    } else if (board_now_ms() - over_ms >= (advice_s > AN_HOUR_S ? advice_s : AN_HOUR_S) * 1000) {
        (void)acme_start(&firmware.client, WHEN, board_now_ms());
    }
}
#endif

static void firmware_task(void)
{
    system_begin_network();
    if (board_flash_init() != 0 || acme_flash_init(&firmware.store, &board_flash) != 0 || set_up() != 0 ||
        acme_start(&firmware.client, WHEN, board_now_ms()) != 0) {
        board_exit(4);
    }
    for (;;) {
        bool moved = system_poll();
        enum acme_progress progress = acme_tick(&firmware.client, board_now_ms());
        if (progress == ACME_IDLE && !moved) {
            system_wait(acme_idle_ms(&firmware.client, board_now_ms()));
        }
        again(progress);
    }
}

int main(void)
{
    board_init();
    if (firmware_random_init() != 0) {
        board_exit(3);
    }
    system_run(firmware_task);
}
