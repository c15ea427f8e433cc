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
#define WHEN      ACME_IF_DUE
#define AN_HOUR_S 3600u /* what is not due costs no request */
#endif

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

/* Without ACME_CFG_RENEWAL a run has an end, and when the next one begins is ours to say. */
#if ACME_CFG_RENEWAL
#define again(progress) ((void)(progress))
#else
static void again(enum acme_progress progress)
{
    static uint32_t over_ms;
    uint32_t advice_s = acme_failure(&firmware.client)->retry_s;

    if (!acme_is_over(progress)) {
        over_ms = board_now_ms();
    } else if (board_now_ms() - over_ms >= (advice_s > AN_HOUR_S ? advice_s : AN_HOUR_S) * 1000) {
        (void)acme_start(&firmware.client, WHEN, board_now_ms());
    }
}
#endif

static void firmware_task(void)
{
    system_begin_network();
    if (board_flash_init() != 0 || acme_flash_init(&firmware.store, &board_flash) != 0 || firmware_set_up() != 0 ||
        acme_init(&firmware.client, &firmware.setup) != 0 ||
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
