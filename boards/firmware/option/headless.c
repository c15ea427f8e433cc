/* headless.c - the firmware without a page and without a word: it keeps the pair in its store renewed, which is all an application
 * with a server of its own needs. `make firmware HEADLESS=1`; takes the place of main.c, page.c, https.c, status.c, words.c
 * and say.c. */
#include "lwip/sys.h"

#include "board.h"
#include "firmware.h"
#include "say.h"
#include "system.h"

#define LOOK_MS 1000

#if ACME_CFG_RENEWAL
#define WHEN ACME_KEEP
#else
#define WHEN    ACME_WHEN_DUE
#define AN_HOUR 3600u /* s: what is not due costs no request */
#endif

static const struct acme_sys sys = {NULL, board_random, board_utc};
static struct acme_lwip_net net;
static struct acme_lwip_listener listener;
static struct acme_flash_store store;
static struct acme_http01 http01;
static struct acme_key_p256 account_key, certificate_key;
static struct acme_tls tls;
static uint8_t records[FIRMWARE_RECORD_BUFFER], work[FIRMWARE_WORK];
static struct acme_client client;
static const struct acme_solver *const solvers[] = {&http01.solver};
static struct acme_setup setup = {.net = &net.net,
                                  .sys = &sys,
                                  .store = &store.store,
                                  .account_key = {&acme_key_p256_ops, &account_key},
                                  .certificate_key = {&acme_key_p256_ops, &certificate_key},
                                  .accept_terms = true,
                                  .solvers = solvers,
                                  .solver_count = 1,
                                  .work = work,
                                  .work_len = sizeof work,
                                  .tls = &tls,
                                  .tls_buffer = records,
                                  .tls_buffer_len = sizeof records};

/* The name lwIP has for it. */
u32_t sys_now(void)
{
    return board_now_ms();
}

/* What loop.c has to tell nobody hears. */
void say(const char *text, const char *more)
{
    (void)text;
    (void)more;
}

/* Without ACME_CFG_RENEWAL a run has an end, and when the next one begins is ours to say. */
#if ACME_CFG_RENEWAL
#define again(progress) ((void)(progress))
#else
static void again(enum acme_progress progress)
{
    static uint32_t over_ms;
    uint32_t advice_s = acme_failure(&client)->retry_s;
    uint32_t wait_s = advice_s > AN_HOUR ? advice_s : AN_HOUR;

    if (progress == ACME_IDLE || progress == ACME_BUSY) {
        over_ms = board_now_ms();
    } else if (board_now_ms() - over_ms >= wait_s * 1000) {
        (void)acme_start(&client, WHEN, board_now_ms());
    }
}
#endif

static void firmware_task(void)
{
    system_begin_network();
    setup.ca.directory_url = firmware_site.directory_url;
    setup.ca.trust = firmware_site.trust;
    setup.ca.tls_name = firmware_site.tls_name;
    setup.names = firmware_site.names;
    setup.name_count = firmware_site.name_count;
    if (board_flash_init() != 0 || acme_flash_init(&store, &board_flash) != 0 || acme_lwip_net_init(&net) != 0 ||
        acme_lwip_listener_init(&listener, 80, ACME_HTTP01_SLOTS) != 0 ||
        acme_http01_init(&http01, &listener.listener) != 0 || acme_init(&client, &setup) != 0) {
        board_exit(4);
    }
    (void)acme_start(&client, WHEN, board_now_ms());
    for (;;) {
        bool moved = system_poll();
        enum acme_progress progress = acme_tick(&client, board_now_ms());
        if (progress == ACME_IDLE && !moved) {
            uint32_t wait_ms = acme_idle_ms(&client, board_now_ms());
            system_wait(wait_ms < LOOK_MS ? wait_ms : LOOK_MS);
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
