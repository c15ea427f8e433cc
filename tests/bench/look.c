/* look.c - what a look at renewal information costs, over real TLS to the scripted CA, in virtual time.
 *
 * look STATE full|resumed: a certificate is obtained and looked after; then the next look comes, on a connection of its own, with the
 * session of the one before or without (as after a reset). Says how many bytes it took: up, down. Its instructions are those of
 * counted_tick() (valgrind --tool=callgrind --toggle-collect=counted_tick). */
#include "fake/ca.h"
#include "unit/tls_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme.h"
#include "posix.h"

static struct ca ca;
static struct tls_server server;
static struct acme_client client;
static int64_t utc = MAKER_NOW;
static uint32_t now_ms;
static bool reused; /* the last connection's session was one from before */

static int the_time(void *ctx, int64_t *to)
{
    *to = utc;
    return 1;
}

static int present(void *ctx, struct acme_challenge *challenge)
{
    ca_publish(&ca, challenge);
    return 1;
}

static void withdraw(void *ctx, struct acme_challenge *challenge)
{
    ca_take_back(&ca, challenge);
}

enum acme_progress counted_tick(void);
__attribute__((noinline)) enum acme_progress counted_tick(void)
{
    return acme_tick(&client, now_ms);
}

/* The CA's turn: what came in is answered. */
static void serve(void)
{
    if (server.ssl == NULL) {
        return;
    }
    tls_server_run(&server);
    reused = SSL_session_reused(server.ssl) == 1;
    if (server.request_len > 0 && ca_whole((const char *)server.request, server.request_len)) {
        ca.utc = utc;
        struct ca_answer answer = ca_answer(&ca, CA_HOST, (const char *)server.request, server.request_len);
        server.request_len = 0;
        tls_server_say(&server, answer.at, answer.len);
    }
}

/* Ticks until `looks` have been had, and the client rests. */
static void until(unsigned looks, bool counted)
{
    for (unsigned i = 0; i < 100000; i++) {
        enum acme_progress progress = counted ? counted_tick() : acme_tick(&client, now_ms);
        uint32_t idle_ms = progress == ACME_IDLE ? acme_idle_ms(&client, now_ms) : 0;
        assert_true(progress != ACME_FAILED);
        if (ca.renewal_infos >= looks && acme_resting(&client)) {
            return;
        }
        serve();
        bool waits =
            progress == ACME_IDLE && server.ssl != NULL; /* it only waits for an answer, which is there now */
        now_ms += waits ? 1 : idle_ms + 1;
        utc += waits ? 0 : (idle_ms + 500) / 1000;
    }
    fail_msg("no look");
}

int main(int argc, char **argv)
{
    static const struct ca_plan plan = {.names = {"a.example.test"},
                                        .name_count = 1,
                                        .ari = true,
                                        .ari_start = 59 * MAKER_DAY,
                                        .ari_end = 61 * MAKER_DAY,
                                        .ari_of_life = true};
    static const char *const names[] = {"a.example.test"};
    static const struct acme_solver solver = {.type = "http-01", .present = present, .withdraw = withdraw};
    static const struct acme_solver *const solvers[] = {&solver};
    static struct acme_sys sys;
    static struct acme_posix_store store;
    static struct acme_key_p256 account, certificate;
    static struct acme_tls tls;
    static unsigned char records[ACME_TLS_BUFFER_MIN], work[8192], anchors[1024];
    static struct acme_trust trust;
    struct maker_spec spec = {.name = "Root", .ca = MAKER_CA};
    X509 *chain[2];

    if (argc != 3) {
        return 64;
    }
    bool resumes = strcmp(argv[2], "resumed") == 0;
    spec.to = MAKER_NOW + 365 * MAKER_DAY;
    spec.key = maker_ec("P-256");
    chain[1] = maker_certificate(&spec);
    EVP_PKEY *leaf = maker_ec("P-256");
    spec = (struct maker_spec){
        .san = "DNS:" CA_HOST, .to = spec.to, .key = leaf, .issuer = chain[1], .issuer_key = spec.key};
    chain[0] = maker_certificate(&spec);
    tls_server_trust(&trust, anchors, sizeof anchors, &chain[1], 1);
    tls_server_init(&server, leaf, chain, 1, NULL);
    SSL_CTX_set_timeout(server.ctx, 86400);
    ca_init(&ca, &plan);
    sys = maker_sys;
    sys.utc = the_time;
    acme_posix_store_init(&store, argv[1], names[0]);
    const struct acme_setup setup = {.net = &server.net,
                                     .sys = &sys,
                                     .store = &store.store,
                                     .ca = {.directory_url = CA_URL "/dir", .trust = &trust},
                                     .account_key = {&acme_key_p256_ops, &account},
                                     .certificate_key = {&acme_key_p256_ops, &certificate},
                                     .names = names,
                                     .name_count = 1,
                                     .accept_terms = true,
                                     .solvers = solvers,
                                     .solver_count = 1,
                                     .work = work,
                                     .work_len = sizeof work,
                                     .tls = &tls,
                                     .tls_buffer = records,
                                     .tls_buffer_len = sizeof records};
    if (acme_posix_store_make(&store) != 0 || acme_init(&client, &setup) != 0 ||
        acme_start(&client, ACME_KEEP, now_ms) != 0) {
        return 1;
    }
    until(1, false);
    unsigned opens = server.opens;
    if (!resumes) {
        memset(&tls, 0, sizeof tls);
    }
    struct acme_stats before = acme_stats(&client);
    until(2, true);
    assert_int_equal(server.opens, opens + 1);
    assert_int_equal(reused, resumes);
    struct acme_stats after = acme_stats(&client);
    assert_int_equal(after.requests, before.requests + 1);
    printf("%u %u\n", (unsigned)(after.bytes_up - before.bytes_up), (unsigned)(after.bytes_down - before.bytes_down));
    return 0;
}
