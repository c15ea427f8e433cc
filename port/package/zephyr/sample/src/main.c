/* main.c - a certificate for a device on Zephyr, for good: over plain sockets and Zephyr's Mbed TLS, kept in settings. */
#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/net/sntp.h>
#include <zephyr/random/random.h>
#include <zephyr/settings/settings.h>

#include "acme.h"
#include "acme_mbedtls.h"
#include "acme_sockets.h"
#include "protocol/challenge_http01.h"
#include "secure/key_p256.h"
#include "settings_kv.h"

LOG_MODULE_REGISTER(nanoacme, LOG_LEVEL_INF);

static const char roots_pem[] = {
#include "roots.inc"
};
static const char *const names[] = {CONFIG_SAMPLE_NAME};

static struct acme_client client;
static struct acme_sockets_found found;
static struct acme_sockets_net net;
static struct acme_sockets_listener listener;
static struct acme_http01 http01;
static struct acme_mbedtls tls;
static struct acme_kv_store store;
static struct acme_key_p256 account_key, certificate_key;
static uint8_t work[4096], arena[48 * 1024];
static int64_t booted, ask_again; /* UTC seconds, 0: not known yet; uptime in milliseconds */

static uint32_t now_ms(void)
{
    return k_uptime_get_32();
}

static int my_random(void *ctx, void *buf, size_t len)
{
    (void)ctx;
    return sys_csrand_get(buf, len) == 0 ? 0 : ACME_E_RANDOM;
}

/* By SNTP, and by the uptime from then on; a server that is silent is asked every ten seconds. An RTC would be asked instead. */
static int my_utc(void *ctx, int64_t *utc)
{
    int64_t up = k_uptime_get();
    struct sntp_time told;

    (void)ctx;
    if (booted == 0 && up >= ask_again) {
        ask_again = up + 10000;
        if (sntp_simple(CONFIG_SAMPLE_TIME_SERVER, 3000, &told) == 0) {
            booted = (int64_t)told.seconds - k_uptime_get() / 1000;
        }
    }
    *utc = booted + k_uptime_get() / 1000;
    return booted != 0;
}

static const struct acme_sys my_sys = {NULL, my_random, my_utc};
static const struct acme_solver *const solvers[] = {&http01.solver};
static const struct acme_setup setup = {
    .secure_net = &tls.secure,
    .sys = &my_sys,
    .store = &store.store,
    .ca = {.directory_url = CONFIG_SAMPLE_DIRECTORY,
           .tls_name = sizeof CONFIG_SAMPLE_TLS_NAME > 1 ? CONFIG_SAMPLE_TLS_NAME : NULL},
    .account_key = {&acme_key_p256_ops, &account_key},
    .certificate_key = {&acme_key_p256_ops, &certificate_key},
    .names = names,
    .name_count = 1,
    .accept_terms = true,
    .solvers = solvers,
    .solver_count = 1,
    .work = work,
    .work_len = sizeof work,
};

static int prepare(void)
{
    int error = settings_subsys_init();

    if (error != 0) {
        LOG_ERR("settings: %d", error);
        return ACME_E_STORE_READ;
    }
    acme_sockets_net_init(&net, now_ms, acme_sockets_lookup, &found);
    error = acme_sockets_listener_init(&listener, NULL, 80);
    error = error != 0 ? error : acme_kv_init(&store, &settings_kv);
    error = error != 0 ? error : acme_http01_init(&http01, &listener.listener);
    error = error != 0 ? error : acme_mbedtls_init(&tls, &net.net, &my_sys, arena, sizeof arena, 0);
    if (error == 0) {
        int anchors = acme_mbedtls_trust(&tls, roots_pem, sizeof roots_pem);
        error = anchors < 0 ? anchors : 0;
    }
    error = error != 0 ? error : acme_init(&client, &setup);
    return error != 0 ? error : acme_start(&client, ACME_KEEP, now_ms());
}

/* A new pair, or the one that was there: ACME_RECORD_KEY and ACME_RECORD_CHAIN, PEM, are for your server. */
static void serve(void)
{
    LOG_INF("a certificate for %s is in use, its chain has %d bytes", names[0],
            store.store.get(store.store.ctx, ACME_RECORD_CHAIN, NULL, 0));
}

int main(void)
{
    char words[96];
    int error = prepare();

    if (error != 0) {
        LOG_ERR("set-up: %d (core/acme_error.h)", error);
        return 0;
    }
    for (;;) {
        switch (acme_tick(&client, now_ms())) {
        case ACME_BUSY:
            k_yield();
            break;
        case ACME_IDLE: /* bytes do not wake it: they wait for 50 ms at most */
            k_msleep((int32_t)MIN(acme_idle_ms(&client, now_ms()), acme_resting(&client) ? 60000 : 50));
            break;
        case ACME_FAILED: /* the client comes again by itself */
            acme_mbedtls_words(&tls, words, sizeof words);
            LOG_WRN("%d %s; errno %d; TLS: %s", acme_failure(&client)->error, acme_failure(&client)->detail,
                    net.error, words);
            break;
        default:
            serve();
            break;
        }
    }
}
