/* main.c - the firmware: rounds of the client, and the HTTPS page between them. */
#include <string.h>

#include "lwip/sys.h"

#include "board.h"
#include "firmware.h"
#include "say.h"
#include "system.h"
#include "words.h"
#include "wire/date.h"

#if !ACME_CFG_RENEWAL || !ACME_CFG_TRACE
#error "the page and the UART tell when the client comes again, and what it does: HEADLESS=1 is without them"
#endif

#define LOOK_MS   1000   /* a silent visitor of the page, or a silent CA, is noticed as late as that */
#define SILENT_MS 5000u  /* the CA: then a visitor of the page comes first                           */
#define VISITS_MS 60000u /* so long it is served where nobody knows when the client comes again         */

/* The name lwIP has for it. */
u32_t sys_now(void)
{
    return board_now_ms();
}

/* Beside what every firmware has: the page, and words. */
static int set_up(void)
{
    int error = firmware_set_up();

    /* Of port 443 one is served, and the others wait for their turns. */
    if (error == 0 && acme_lwip_listener_init(&firmware.https, 443, ACME_HTTP01_SLOTS) != 0) {
        error = ACME_E_SIZE;
    }
    firmware.setup.product = board_name;
    firmware.setup.trace = say_event;
    firmware.setup.deploy.taken = https_take;
    return error != 0 ? error : acme_init(&firmware.client, &firmware.setup);
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
    say_figure("all_ticks_kilo", firmware.instructions);
    say_figure("requests", stats.requests);
    say_figure("handshakes", stats.handshakes);
    say_figure("bytes_up", stats.bytes_up);
    say_figure("bytes_down", stats.bytes_down);
    say_figure("polls", stats.polls);
    say_figure("milliseconds", took_ms);
    system_report();
}

/* Somebody wants the page, and the CA has been silent for a while and is not looking at our answer just now. *heard_ms is
 * when it was heard last, *heard how much there was. Behind attempts that failed it may be silent for longer: else visitors
 * who come again and again would keep the certificate from being renewed. */
static bool page_comes_first(uint32_t *heard_ms, uint32_t *heard)
{
    uint32_t now_ms = board_now_ms(), down = acme_stats(&firmware.client).bytes_down;
    struct acme_plan plan;
    unsigned patience = 0;

    if (*heard != down || firmware.http01.live != NULL) {
        *heard = down;
        *heard_ms = now_ms;
    }
    if (acme_plan(&firmware.client, &plan) && plan.failures > 1) {
        patience = plan.failures < 5 ? plan.failures - 1 : 4;
    }
    return https_knock(now_ms - *heard_ms >= SILENT_MS << patience);
}

/* When the client comes again, and why. */
static void tell_plan(void)
{
    struct acme_plan plan;
    struct acme_out *o;
    int64_t utc = 0;

    if (acme_plan(&firmware.client, &plan) && board_utc(NULL, &utc) == 1) {
        o = say_begin();
        words_plan(o, &plan, acme_moment(utc), ": ");
        say_end();
    }
}

/* A round is over. What failed last is told until nothing is wrong any more. */
static void tell_end(enum acme_progress progress, uint32_t took_ms)
{
    struct acme_plan plan;

    switch (progress) {
    case ACME_ISSUED:
        say("a new certificate is in use", "");
        break;
    case ACME_CURRENT:
        say("there is nothing to do now", "");
        break;
    default:
        say_failure(acme_failure(&firmware.client));
        break;
    }
    if (progress != ACME_CURRENT || !acme_plan(&firmware.client, &plan) || plan.failures == 0) {
        firmware.last_error = acme_failure(&firmware.client)->error;
    }
    report(took_ms);
}

static enum acme_progress tick(void)
{
    uint32_t before = board_kilo(), kilo;
    enum acme_progress progress = acme_tick(&firmware.client, board_now_ms());

    kilo = board_kilo() - before;
    if (kilo < INT32_MAX) { /* a tick of the counter may be missed */
        firmware.instructions += kilo;
        firmware.longest_tick = kilo > firmware.longest_tick ? kilo : firmware.longest_tick;
    }
    return progress;
}

/* Rounds of the client, until it rests. When the page comes first the attempt, which is stored, is given up: another round
 * tells how long it has to wait. Where that cannot be told, without the time for one, the page is served all the same.
 * Returns for how long. */
static uint32_t run(void)
{
    uint32_t began = board_now_ms(), heard_ms = began, heard = 0;
    bool given_up = false;

    firmware.instructions = 0;
    do {
        bool moved = system_poll();
        enum acme_progress progress = tick();

        if (acme_is_over(progress)) {
            tell_end(progress, board_now_ms() - began);
        } else if (progress == ACME_IDLE && !acme_resting(&firmware.client)) {
            if (page_comes_first(&heard_ms, &heard)) {
                (void)acme_start(&firmware.client, ACME_KEEP, board_now_ms());
                if (given_up) {
                    return VISITS_MS;
                }
                given_up = true;
                firmware.last_error = ACME_E_TIMEOUT;
                say("the CA is silent, and somebody wants the page: later", "");
            } else if (!moved) {
                uint32_t wait_ms = acme_idle_ms(&firmware.client, board_now_ms());
                system_wait(wait_ms < LOOK_MS ? wait_ms : LOOK_MS);
            }
        }
    } while (!acme_resting(&firmware.client));
    tell_plan();
    return 0;
}

/* Serves the page until the next round is due, and so long at least. A visit under way is brought to its end: only then is
 * there another pair, and the next visitor gets it. */
static void serve(uint32_t least_ms)
{
    uint32_t began = board_now_ms();
    bool due = false;

    say(https_start() ? "the page is on port 443" : "no page: there is no pair in use", "");
    while (!due || https_busy()) {
        bool moved = system_poll();
        if (!https_tick(board_now_ms()) && !moved) {
            system_wait(LOOK_MS);
        }
        due = board_now_ms() - began >= least_ms && acme_idle_ms(&firmware.client, board_now_ms()) == 0;
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
        say("cannot begin: ", words_error(error));
        board_exit(4);
    }
    (void)https_start(); /* it finds out whether there is a pair; nobody is served yet */
    https_stop();
    (void)acme_start(&firmware.client, ACME_KEEP, board_now_ms());
    for (;;) {
        serve(run());
    }
}

int main(void)
{
    board_init();
    say("nanoacme " ACME_VERSION " on ", board_name);
    say(board_notice, "");
    if (firmware_random_init() != 0) {
        say(words_error(ACME_E_RANDOM), ": nothing is done without it");
        board_exit(3);
    }
    system_run(firmware_task);
}
