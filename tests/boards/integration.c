/* integration.c - a firmware around the lines of port/lwip/README.md: integration.py copies this file and puts them into
 * lines.h beside it. */
#include "lwip/sys.h"

#include "board.h"
#include "firmware.h"
#include "say.h"
#include "system.h"
#include "words.h"

#define my_flash board_flash

static const struct acme_sys my_sys = {NULL, board_random, board_utc};
static struct acme_client client;
static struct acme_tls tls;
static uint8_t records[ACME_TLS_BUFFER_MIN];
static char work[3072];
static struct acme_key_p256 account_key, certificate_key;
static struct acme_setup setup;

void certificate_init(void);
#include "lines.h"

static const struct acme_solver *const solvers[] = {&http01.solver};
static struct acme_setup setup = {.account_key = {&acme_key_p256_ops, &account_key},
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

static void firmware_task(void)
{
    enum acme_progress progress;
    int error;

    setup.ca.directory_url = firmware_site.directory_url;
    setup.ca.tls_name = firmware_site.tls_name;
    setup.ca.trust = firmware_site.trust;
    setup.names = firmware_site.names;
    setup.name_count = firmware_site.name_count;
    setup.trace = say_event;
    system_begin_network();
    (void)board_flash_init();
    certificate_init();
    error = acme_start(&client, ACME_IF_DUE, board_now_ms());
    if (error != 0) {
        say("cannot begin: ", words_error(error));
        board_exit(4);
    }
    do {
        bool moved = system_poll();
        progress = acme_tick(&client, board_now_ms());
        if (progress == ACME_IDLE && !moved) {
            system_wait(acme_idle_ms(&client, board_now_ms()));
        }
    } while (!acme_is_over(progress));
    say(progress == ACME_ISSUED    ? "a new certificate is in use"
        : progress == ACME_CURRENT ? "the certificate in use is not due"
                                   : "failed",
        "");
    board_exit(progress == ACME_ISSUED ? 0 : 1);
}

int main(void)
{
    board_init();
    if (firmware_random_init() != 0) {
        board_exit(3);
    }
    system_run(firmware_task);
}
