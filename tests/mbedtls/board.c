/* board.c - a firmware with lwIP and Mbed TLS, for mps2-an385: nothing of BearSSL is in the image. A certificate, what it took, and
 * the end. QUIET: no words, no figures. BASE: the same without nanoacme, what it has anyway, so that the difference is ours. */
#include <stdlib.h>
#include <string.h>

#include "lwip/dns.h"
#include "lwip/sys.h"
#include "lwip/tcp.h"

#include "board.h"
#include "say.h"
#include "system.h"

#include <mbedtls/ecp.h>
#include <mbedtls/memory_buffer_alloc.h>
#include <mbedtls/ssl.h>

#include <psa/crypto.h>

#ifndef MAX_OPS
#define MAX_OPS 150
#endif
#ifndef ARENA
#define ARENA (36 * 1024)
#endif

static unsigned char arena[ARENA];

/* The names lwIP, its options, and Mbed TLS's default of an allocator have for it. */
u32_t sys_now(void)
{
    return board_now_ms();
}

uint32_t firmware_random32(void)
{
    uint32_t value = 0;

    (void)board_random(NULL, &value, sizeof value);
    return value;
}

uint32_t firmware_isn(const void *local_ip, uint16_t local_port, const void *remote_ip, uint16_t remote_port)
{
    (void)local_ip, (void)local_port, (void)remote_ip, (void)remote_port;
    return firmware_random32();
}

void *calloc(size_t count, size_t size)
{
    (void)count, (void)size;
    return NULL;
}

void free(void *memory)
{
    (void)memory;
}

_Noreturn void exit(int status)
{
    board_exit(status);
}

#ifdef QUIET
void say(const char *text, const char *more)
{
    (void)text, (void)more;
}
#endif

/* What a firmware calls that talks TLS to a cloud, has a web page, and signs with a key of its own: without nanoacme and, where sizes
 * are compared, beside it. */
#ifdef QUIET
typedef void (*any)(void);
static const any volatile used[] = {
    (any)mbedtls_ssl_init,
    (any)mbedtls_ssl_setup,
    (any)mbedtls_ssl_set_hostname,
    (any)mbedtls_ssl_set_bio,
    (any)mbedtls_ssl_handshake,
    (any)mbedtls_ssl_get_verify_result,
    (any)mbedtls_ssl_read,
    (any)mbedtls_ssl_write,
    (any)mbedtls_ssl_close_notify,
    (any)mbedtls_ssl_free,
    (any)mbedtls_ssl_config_init,
    (any)mbedtls_ssl_config_defaults,
    (any)mbedtls_ssl_conf_authmode,
    (any)mbedtls_ssl_conf_ca_chain,
    (any)mbedtls_ssl_conf_rng,
    (any)mbedtls_ssl_conf_alpn_protocols,
    (any)mbedtls_x509_crt_init,
    (any)mbedtls_x509_crt_parse_der,
    (any)mbedtls_x509_crt_free,
    (any)mbedtls_ecp_set_max_ops,
    (any)psa_generate_key,
    (any)psa_import_key,
    (any)psa_export_public_key,
    (any)psa_sign_hash,
    (any)psa_destroy_key,
    (any)psa_get_key_attributes,
    (any)psa_hash_setup,
    (any)psa_hash_update,
    (any)psa_hash_finish,
    (any)psa_hash_compute,
    (any)tcp_new,
    (any)tcp_connect,
    (any)tcp_bind,
    (any)tcp_listen_with_backlog,
    (any)tcp_write,
    (any)tcp_output,
    (any)tcp_close,
    (any)tcp_abort,
    (any)tcp_recved,
    (any)tcp_arg,
    (any)tcp_recv,
    (any)tcp_sent,
    (any)tcp_err,
    (any)tcp_accept,
    (any)dns_gethostbyname_addrtype,
};

static void use_what_it_has(void)
{
    for (size_t i = 0; psa_crypto_init() != 0 && i < sizeof used / sizeof used[0]; i++) {
        used[i]();
    }
}
#else
#define use_what_it_has() ((void)0)
#endif

#ifdef BASE

psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t *context, uint8_t *output,
                                             size_t output_size, size_t *output_length)
{
    (void)context;
    *output_length = output_size;
    return board_random(NULL, output, output_size) == 0 ? PSA_SUCCESS : PSA_ERROR_INSUFFICIENT_ENTROPY;
}

static void firmware_task(void)
{
    mbedtls_memory_buffer_alloc_init(arena, sizeof arena);
    system_begin_network();
    (void)board_flash_init();
    for (;;) {
        (void)system_poll();
        use_what_it_has();
    }
}

#else

#include "acme.h"
#include "acme_flash.h"
#include "acme_lwip.h"
#include "acme_mbedtls.h"
#include "key_psa.h"
#include "protocol/challenge_http01.h"
#include "secure/key_p256.h"

/* What the image is made for: a generated file. */
extern const char site_directory[], site_tls_name[], site_roots[], site_name[];

static struct acme_client client;
static struct acme_setup setup;
static struct acme_lwip_net net;
static struct acme_lwip_listener listener;
static struct acme_http01 http01;
static struct acme_flash_store store;
static struct acme_mbedtls tls;
static struct acme_key_p256 account_key, certificate_key;
static uint8_t work[3072];
static const struct acme_sys sys = {NULL, board_random, board_utc};
static const struct acme_solver *const solvers[] = {&http01.solver};
static const char *const names[] = {site_name};

static int set_up(void)
{
    if (board_flash_init() != 0 || acme_flash_init(&store, &board_flash) != 0 || acme_lwip_net_init(&net) != 0 ||
        acme_lwip_listener_init(&listener, 80, ACME_HTTP01_SLOTS) != 0 ||
        acme_http01_init(&http01, &listener.listener) != 0 ||
        acme_mbedtls_init(&tls, &net.net, &sys, arena, sizeof arena, MAX_OPS) != 0 ||
        acme_mbedtls_trust(&tls, site_roots, strlen(site_roots)) < 1) {
        return -1;
    }
#ifdef TLS12 /* and no more, with a library that has 1.3 */
    mbedtls_ssl_conf_max_tls_version(&tls.conf, MBEDTLS_SSL_VERSION_TLS1_2);
#endif
    setup.secure_net = &tls.secure;
    setup.sys = &sys;
    setup.store = &store.store;
    setup.ca.directory_url = site_directory;
    setup.ca.tls_name = site_tls_name;
    setup.account_key = (struct acme_key){&acme_key_p256_ops, &account_key};
    setup.certificate_key = (struct acme_key){&acme_key_p256_ops, &certificate_key};
    setup.names = names;
    setup.name_count = 1;
    setup.accept_terms = true;
    setup.solvers = solvers;
    setup.solver_count = 1;
    setup.work = work;
    setup.work_len = sizeof work;
    return acme_init(&client, &setup) != 0 || acme_start(&client, ACME_IF_DUE, board_now_ms()) != 0;
}

#ifdef QUIET
#define report(longest, all, shaking) ((void)(longest), (void)(all), (void)(shaking))
#else
static void report(uint32_t longest, uint32_t all, uint32_t shaking)
{
    size_t top = sizeof arena; /* the allocator takes the first place that fits, and begins with zeros */

    while (top > 0 && arena[top - 1] == 0) {
        top--;
    }
    say_figure("client", sizeof client);
    say_figure("transport", sizeof tls);
    say_figure("arena", sizeof arena);
    say_figure("stack_peak", system_stack_peak());
    say_figure("longest_tick_kilo", longest);
    say_figure("longest_tick_of_handshake_kilo", shaking);
    say_figure("all_ticks_kilo", all);
    say_figure("requests", acme_stats(&client).requests);
    say_figure("error", (uint32_t)-acme_failure(&client)->error);
    say_figure("tls_code", (uint32_t)-tls.code);
    say_figure("arena_peak", (uint32_t)top);
}
#endif

static void firmware_task(void)
{
    enum acme_progress progress;
    uint32_t longest = 0, all = 0, shaking = 0;

    system_begin_network();
    use_what_it_has();
    if (set_up() != 0) {
        board_exit(4);
    }
    do {
        bool moved = system_poll();
        uint32_t before = board_kilo(), kilo;
        progress = acme_tick(&client, board_now_ms());
        kilo = board_kilo() - before;
        if (kilo < INT32_MAX) { /* a tick of the counter may be missed */
            all += kilo;
            longest = kilo > longest ? kilo : longest;
            shaking = tls.state == ACME_MBEDTLS_SHAKING && kilo > shaking ? kilo : shaking;
        }
        if (progress == ACME_IDLE && !moved) {
            system_wait(acme_idle_ms(&client, board_now_ms()));
        }
    } while (!acme_is_over(progress));
    report(longest, all, shaking);
    board_exit(progress == ACME_ISSUED ? 0 : progress == ACME_CURRENT ? 2 : 1);
}

#endif

int main(void)
{
    board_init();
    system_run(firmware_task);
}
