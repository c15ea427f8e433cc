/* issue.c - a client on the POSIX port whose TLS, keys and digests are Mbed TLS's: nothing of BearSSL is linked.
 *
 * issue DIRECTORY CA.pem STATE PORT ARENA store|psa NAME...: one certificate. Keys in the store, or kept by PSA. Says requests,
 * the arena's peak, and in words why it failed. Exit code: 0 issued. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme.h"
#include "acme_mbedtls.h"
#include "key_psa.h"
#include "posix.h"
#include "protocol/challenge_http01.h"
#include "secure/key_p256.h"

#include <mbedtls/memory_buffer_alloc.h>

static struct acme_client client;
static struct acme_setup setup;
static struct acme_mbedtls tls;
static struct acme_posix_net net;
static struct acme_posix_listener listener;
static struct acme_posix_store store;
static struct acme_http01 http01;
static struct acme_key_p256 account_key, certificate_key;
static struct acme_key_psa account_id, certificate_id;
static unsigned char arena[512 * 1024], work[4096];

static psa_key_id_t make_key(void)
{
    psa_key_attributes_t a = PSA_KEY_ATTRIBUTES_INIT;
    psa_key_id_t id = 0;

    psa_set_key_type(&a, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
    psa_set_key_bits(&a, 256);
    psa_set_key_usage_flags(&a, PSA_KEY_USAGE_SIGN_HASH);
    psa_set_key_algorithm(&a, PSA_ALG_ECDSA(PSA_ALG_ANY_HASH));
    return psa_generate_key(&a, &id) == PSA_SUCCESS ? id : 0;
}

static void use_keys(const char *where)
{
    setup.account_key = (struct acme_key){&acme_key_p256_ops, &account_key};
    setup.certificate_key = (struct acme_key){&acme_key_p256_ops, &certificate_key};
    if (strcmp(where, "psa") == 0) {
        account_id.id = make_key();
        certificate_id.id = make_key();
        setup.account_key = (struct acme_key){&acme_key_psa_ops, &account_id};
        setup.certificate_key = (struct acme_key){&acme_key_psa_ops, &certificate_id};
    }
}

static int trust(const char *path)
{
    static char pem[16384];
    FILE *f = fopen(path, "r");
    size_t len = f != NULL ? fread(pem, 1, sizeof pem, f) : 0;

    if (f != NULL) {
        fclose(f);
    }
    return acme_mbedtls_trust(&tls, pem, len);
}

static int complain(const char *what, int error)
{
    char words[160];

    acme_mbedtls_words(&tls, words, sizeof words);
    printf("%s: error %d, Mbed TLS -0x%04x: %s\n", what, error, (unsigned)-tls.code, words);
    return 1;
}

static enum acme_progress run(void)
{
    enum acme_progress progress;

    do {
        progress = acme_tick(&client, acme_posix_now_ms());
        if (progress == ACME_IDLE) {
            uint32_t idle = acme_idle_ms(&client, acme_posix_now_ms());
            (void)poll(NULL, 0, idle < 5 ? (int)idle : 5);
        }
    } while (!acme_is_over(progress));
    return progress;
}

static void figures(void)
{
    size_t peak = 0, blocks = 0;
    struct acme_stats stats = acme_stats(&client);

    mbedtls_memory_buffer_alloc_max_get(&peak, &blocks);
    printf("requests %u handshakes %u arena_peak %zu context %zu\n", (unsigned)stats.requests,
           (unsigned)stats.handshakes, peak, sizeof tls);
}

int main(int argc, char **argv)
{
    static const struct acme_solver *solvers[1];
    size_t lent = argc > 7 ? strtoul(argv[5], NULL, 10) : 0;

    if (argc < 8 || lent > sizeof arena) {
        return 64;
    }
    acme_posix_net_init(&net);
    int error = acme_mbedtls_init(&tls, &net.tcp.net, &acme_posix_sys, arena, lent, 200);
    if (error == 0) {
        error = trust(argv[2]);
    }
    if (error < 0) {
        return complain("set-up", error);
    }
    acme_posix_listener_init(&listener, "127.0.0.1", (uint16_t)atoi(argv[4]));
    acme_posix_store_init(&store, argv[3], argv[7]);
    acme_http01_init(&http01, &listener.listener);
    solvers[0] = &http01.solver;
    setup.secure_net = &tls.secure;
    setup.sys = &acme_posix_sys;
    setup.store = &store.store;
    setup.ca.directory_url = argv[1];
    setup.names = (const char *const *)(argv + 7);
    setup.name_count = (size_t)argc - 7;
    setup.accept_terms = true;
    setup.solvers = solvers;
    setup.solver_count = 1;
    setup.work = work;
    setup.work_len = sizeof work;
    use_keys(argv[6]);
    if (acme_posix_store_make(&store) != 0 || acme_init(&client, &setup) != 0 ||
        acme_start(&client, ACME_IF_DUE, acme_posix_now_ms()) != 0) {
        return 1;
    }
    enum acme_progress progress = run();
    figures();
    if (progress == ACME_FAILED) {
        return complain("run", acme_failure(&client)->error);
    }
    acme_mbedtls_free(&tls);
    return progress == ACME_ISSUED ? 0 : 2;
}
