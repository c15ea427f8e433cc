/* many.c - several clients in one program, ticked in turn: they share nothing but the port of http-01, for which each
 * waits until the one before has finished.
 *
 * many DIRECTORY CA.pem STATE PORT NAME...: one client and one certificate for each name. Says how many were issued. The keys of
 * every second client live elsewhere, here in OpenSSL: the core has only their public points and asks for signatures. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include "acme.h"
#include "posix.h"
#include "protocol/challenge_http01.h"
#include "roots/roots.h"
#include "secure/key_p256.h"

#define CLIENTS_MAX 8

static struct world {
    struct acme_client client;
    struct acme_setup setup;
    struct acme_posix_net net;
    struct acme_posix_listener listener;
    struct acme_posix_store store;
    struct acme_http01 http01;
    struct acme_solver solver;
    const struct acme_solver *solvers[1];
    struct acme_key_p256 account_key, certificate_key;
    struct acme_tls tls;
    unsigned char records[ACME_TLS_BUFFER_MIN];
    unsigned char work[4096];
    char state[256];
    const char *name;
    enum acme_progress progress;
} worlds[CLIENTS_MAX];

/* A key that cannot be taken out: no generate, load, save. */

static int elsewhere_point(void *handle, uint8_t point[65])
{
    size_t len = 0;
    return EVP_PKEY_get_octet_string_param(handle, OSSL_PKEY_PARAM_PUB_KEY, point, 65, &len) == 1 && len == 65
               ? 0
               : ACME_E_KEY;
}

static int elsewhere_sign(void *handle, const uint8_t digest[32], uint8_t signature[64])
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(handle, NULL);
    unsigned char der[80];
    const unsigned char *at = der;
    size_t len = sizeof der;
    int signed_it = EVP_PKEY_sign_init(ctx) == 1 && EVP_PKEY_sign(ctx, der, &len, digest, 32) == 1;
    EVP_PKEY_CTX_free(ctx);
    ECDSA_SIG *sig = signed_it ? d2i_ECDSA_SIG(NULL, &at, (long)len) : NULL;
    if (sig == NULL) {
        return ACME_E_KEY;
    }
    (void)BN_bn2binpad(ECDSA_SIG_get0_r(sig), signature, 32);
    (void)BN_bn2binpad(ECDSA_SIG_get0_s(sig), signature + 32, 32);
    ECDSA_SIG_free(sig);
    return 0;
}

static const struct acme_key_ops elsewhere_ops = {.point = elsewhere_point, .sign = elsewhere_sign};

static struct world *presenting; /* whose turn at the port it is; NULL: anybody's */

static int present(void *ctx, struct acme_challenge *challenge)
{
    struct world *w = ctx;
    if (presenting != NULL && presenting != w) {
        return 0;
    }
    presenting = w;
    return w->http01.solver.present(&w->http01, challenge);
}

static void withdraw(void *ctx, struct acme_challenge *challenge)
{
    struct world *w = ctx;
    if (presenting == w) {
        w->http01.solver.withdraw(&w->http01, challenge);
        presenting = w->http01.live != NULL ? w : NULL;
    }
}

static bool tick(void *ctx, uint32_t now_ms)
{
    struct world *w = ctx;
    return presenting == w && w->http01.solver.tick(&w->http01, now_ms);
}

static void begin(struct world *w, const char *directory, const struct acme_trust *trust, uint16_t port)
{
    acme_posix_net_init(&w->net);
    acme_posix_listener_init(&w->listener, "127.0.0.1", port);
    acme_posix_store_init(&w->store, w->state, w->name);
    acme_http01_init(&w->http01, &w->listener.listener);
    w->solver =
        (struct acme_solver){.ctx = w, .type = "http-01", .present = present, .withdraw = withdraw, .tick = tick};
    w->solvers[0] = &w->solver;
    w->setup = (struct acme_setup){.net = &w->net.tcp.net,
                                   .sys = &acme_posix_sys,
                                   .store = &w->store.store,
                                   .ca = {.directory_url = directory, .trust = trust},
                                   .account_key = {&acme_key_p256_ops, &w->account_key},
                                   .certificate_key = {&acme_key_p256_ops, &w->certificate_key},
                                   .names = &w->name,
                                   .name_count = 1,
                                   .accept_terms = true,
                                   .solvers = w->solvers,
                                   .solver_count = 1,
                                   .work = w->work,
                                   .work_len = sizeof w->work,
                                   .tls = &w->tls,
                                   .tls_buffer = w->records,
                                   .tls_buffer_len = sizeof w->records};
    if ((w - worlds) % 2 == 1) {
        w->setup.account_key = (struct acme_key){&elsewhere_ops, EVP_EC_gen("P-256")};
        w->setup.certificate_key = (struct acme_key){&elsewhere_ops, EVP_EC_gen("P-256")};
    }
    w->progress = ACME_BUSY;
    if (acme_posix_store_make(&w->store) != 0 || acme_init(&w->client, &w->setup) != 0 ||
        acme_start(&w->client, ACME_IF_DUE, acme_posix_now_ms()) != 0) {
        exit(1);
    }
}

int main(int argc, char **argv)
{
    static struct acme_trust_reader reader;
    static unsigned char anchors[8192];
    static char pem[16384];
    struct acme_trust trust;
    unsigned count = (unsigned)(argc > 5 ? argc - 5 : 0), running = count, issued = 0;

    if (count == 0 || count > CLIENTS_MAX) {
        return 64;
    }
    int fd = open(argv[2], O_RDONLY);
    ssize_t len = read(fd, pem, sizeof pem);
    acme_trust_begin(&reader, anchors, sizeof anchors);
    acme_trust_add(&reader, pem, len > 0 ? (size_t)len : 0);
    if (acme_trust_end(&reader, &trust) < 1) {
        return 1;
    }
    for (unsigned i = 0; i < count; i++) {
        worlds[i].name = argv[5 + i];
        (void)snprintf(worlds[i].state, sizeof worlds[i].state, "%s-%u", argv[3], i);
        begin(&worlds[i], argv[1], &trust, (uint16_t)atoi(argv[4]));
    }
    while (running > 0) {
        bool idle = true;
        running = 0;
        for (unsigned i = 0; i < count; i++) {
            worlds[i].progress = acme_tick(&worlds[i].client, acme_posix_now_ms());
            running += !acme_is_over(worlds[i].progress);
            idle = idle && worlds[i].progress != ACME_BUSY;
        }
        if (idle) {
            (void)poll(NULL, 0, 1); /* what each waits for is not worth telling apart in a test */
        }
    }
    for (unsigned i = 0; i < count; i++) {
        issued += worlds[i].progress == ACME_ISSUED;
        if (worlds[i].progress != ACME_ISSUED) {
            printf("%s: error %d at step %d: %s\n", worlds[i].name, acme_failure(&worlds[i].client)->error,
                   (int)acme_failure(&worlds[i].client)->step, acme_failure(&worlds[i].client)->detail);
        }
    }
    printf("%u issued\n", issued);
    return issued == count ? 0 : 1;
}
