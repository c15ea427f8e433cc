/* device.c - see device.h. */
#define _GNU_SOURCE /* memmem, timegm */
#include "device.h"
#include "words.h"

#include "lifecycle/renew.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static int ask_hook(struct device *d, enum device_seam seam, enum acme_record record, size_t *len)
{
    return d->hook == NULL ? DEVICE_GO : d->hook(d, seam, record, len);
}

/* --- the channel, in clear */

static struct device *device_of(const struct acme_channel *c)
{
    return c->net->ctx;
}

static int closed(struct acme_channel *c, int error)
{
    c->state = error < 0 ? ACME_CHANNEL_CLOSED : c->state;
    return error;
}

int acme_channel_open(struct acme_channel *c, const struct acme_url *url, uint32_t now_ms)
{
    struct device *d = device_of(c);
    char host[254];
    snprintf(host, sizeof host, "%.*s", (int)url->authority.len, url->authority.at);
    /* in whatever way the CA writes it */
    bool allowed = url->port == 443 && url->host.len == strlen(CA_HOST) &&
                   strncasecmp(url->host.at, CA_HOST, url->host.len) == 0;
    assert_true(allowed || (d->ca.plan->other_host != NULL && strcmp(host, d->ca.plan->other_host) == 0));
    int answer = ask_hook(d, DEVICE_OPEN, 0, NULL);
    if (answer != DEVICE_GO) {
        return closed(c, answer);
    }
    if (c->state == ACME_CHANNEL_OPEN && strcmp(c->host, host) == 0) {
        d->request_len = 0;
        return 1;
    }
    if (c->state != ACME_CHANNEL_CONNECTING) {
        c->state = ACME_CHANNEL_CONNECTING;
        c->moved_ms = now_ms;
        d->attempts++;
        strcpy(c->host, host);
        return 0;
    }
    answer = ask_hook(d, DEVICE_CONNECT, 0, NULL);
    if (answer != DEVICE_GO) { /* a port that cannot tell is given up, as by secure/channel.c */
        bool late = answer == 0 && now_ms - c->moved_ms >= ACME_NET_TIMEOUT_MS;
        return closed(c, late ? ACME_E_TIMEOUT : answer);
    }
    c->state = ACME_CHANNEL_OPEN;
    c->handshakes++;
    d->request_len = 0;
    return 1;
}

int acme_channel_send(struct acme_channel *c, const void *data, size_t len, bool last, uint32_t now_ms)
{
    struct device *d = device_of(c);
    if (c->state != ACME_CHANNEL_OPEN) {
        return ACME_E_CLOSED;
    }
    len = len > 300 ? 300 : len;
    int answer = ask_hook(d, DEVICE_SEND, 0, &len);
    if (answer != DEVICE_GO) {
        return closed(c, answer);
    }
    assert_true(d->request_len + len <= sizeof d->request);
    memcpy(d->request + d->request_len, data, len);
    d->request_len += len;
    c->up += (uint32_t)len;
    return (int)len;
}

static bool asks(const struct device *d, const char *path)
{
    char line[64];
    snprintf(line, sizeof line, "POST %s", path);
    return strncmp(d->request, line, strlen(line)) == 0;
}

static bool has(const struct device *d, enum acme_record record, const char *text)
{
    return d->record[record].len > 0 &&
           memmem(d->record[record].data, d->record[record].len, text, strlen(text)) != NULL;
}

/* The same of ACME v1: what was made is remembered before it is used. */
static void check_v1_records(const struct device *d)
{
    char line[300], path[200];
    bool led_astray = d->ca.tampered;
    (void)sscanf(d->request, "%*s %199s", path);
    if (asks(d, "/acme/new-authz")) {
        assert_true(has(d, ACME_RECORD_ACCOUNT, led_astray ? "account " CA_URL : CA_URL "/acme/reg/1\n"));
    }
    if (asks(d, "/acme/new-cert")) {
        assert_true(has(d, ACME_RECORD_KEY_NEXT, "KEY"));
    }
    bool authz = strncmp(path, "/acme/authz/", 12) == 0, certificate = strncmp(path, "/acme/cert/", 11) == 0;
    if (authz || certificate || asks(d, "/acme/challenge/") || asks(d, "/acme/new-cert")) {
        assert_true(has(d, ACME_RECORD_ORDER, led_astray ? "order " CA_URL : "order " CA_URL "/acme/new-cert\n"));
    }
    if ((authz || certificate) && !led_astray) {
        snprintf(line, sizeof line, "%s " CA_URL "%s\n", authz ? "authz" : "certificate", path);
        assert_true(has(d, ACME_RECORD_ORDER, line));
    }
}

/* What has to be durable before a request may go out. */
static void check_records(const struct device *d)
{
    char url[64];
    assert_true(has(d, ACME_RECORD_ACCOUNT_KEY, "KEY"));
    if (d->ca.plan->v1) {
        check_v1_records(d);
    }
    if (asks(d, "/new-order")) { /* whatever the CA seemed to have called it */
        assert_true(has(d, ACME_RECORD_ACCOUNT, d->ca.tampered ? "account " CA_URL : CA_URL "/account/1\n"));
    }
    bool given_up = acme_is_leave(d->client.flow.step) && asks(d, "/authz/");
    if ((asks(d, "/authz/") && !given_up) || asks(d, "/chall/") || asks(d, "/finalize/") || asks(d, "/cert/")) {
        unsigned order = 0;
        (void)sscanf(strchr(d->request + 6, '/') + 1, "%u", &order);
        snprintf(url, sizeof url, "order " CA_URL "/order/%u\n", order);
        assert_true(has(d, ACME_RECORD_ORDER, d->ca.tampered ? "order " CA_URL : url));
    }
    if (asks(d, "/key-change") || asks(d, "/acme/key-change")) {
        assert_true(has(d, ACME_RECORD_ACCOUNT_KEY_NEXT, "KEY"));
    }
    if (asks(d, "/finalize/") && d->setup.certificate_key.ops->load != NULL) { /* else it lives elsewhere */
        assert_true(has(d, ACME_RECORD_KEY_NEXT, "KEY"));
    }
}

int acme_channel_flush(struct acme_channel *c, uint32_t now_ms)
{
    struct device *d = device_of(c);
    if (c->state != ACME_CHANNEL_OPEN) {
        return ACME_E_CLOSED;
    }
    int answer = ask_hook(d, DEVICE_FLUSH, 0, NULL);
    if (answer != DEVICE_GO) {
        return closed(c, answer);
    }
    assert_true(ca_whole(d->request, d->request_len));
    check_records(d);
    d->ca.utc = d->utc;
    d->answer = ca_answer(&d->ca, c->host, d->request, d->request_len);
    d->answer_at = 0;
    answer = ask_hook(d, DEVICE_FLUSHED, 0, NULL);
    return closed(c, answer != DEVICE_GO ? answer : 1);
}

int acme_channel_recv(struct acme_channel *c, void *data, size_t cap, bool *clean, uint32_t now_ms)
{
    struct device *d = device_of(c);
    size_t rest = d->answer.len - d->answer_at;
    size_t len = rest < cap ? rest : cap;
    if (c->state != ACME_CHANNEL_OPEN) {
        return ACME_E_CLOSED;
    }
    int answer = ask_hook(d, DEVICE_RECV, 0, &len);
    *clean = !d->unclean;
    if (answer != DEVICE_GO) {
        return closed(c, answer);
    }
    if (rest == 0) {
        c->state = d->answer.close ? ACME_CHANNEL_CLOSED : c->state;
        return d->answer.close ? ACME_E_CLOSED : ACME_E_TIMEOUT;
    }
    memcpy(data, d->answer.at + d->answer_at, len);
    d->answer_at += len;
    c->down += (uint32_t)len;
    return (int)len;
}

void acme_channel_close(struct acme_channel *c)
{
    c->state = ACME_CHANNEL_CLOSED;
}

/* --- the store */

static int store_get(void *ctx, enum acme_record record, void *buf, size_t cap)
{
    struct device *d = ctx;
    int answer = ask_hook(d, DEVICE_GET, record, NULL);
    if (answer != DEVICE_GO) {
        return answer;
    }
    size_t len = d->record[record].len;
    if (len > 0 && cap > 0) {
        memcpy(buf, d->record[record].data, len < cap ? len : cap);
    }
    return (int)len;
}

static int stored(struct device *d, enum acme_record record)
{
    int answer = ask_hook(d, DEVICE_STORED, record, NULL);
    return answer == DEVICE_GO ? 0 : answer;
}

static int store_put(void *ctx, enum acme_record record, const void *data, size_t len)
{
    struct device *d = ctx;
    assert_true(record != ACME_RECORD_KEY && record != ACME_RECORD_CHAIN);
    assert_true(len <= ACME_WORK_MIN);
    d->puts++;
    bool account_key = record == ACME_RECORD_ACCOUNT_KEY;
    /* never replaced but by the next one, which is there */
    const size_t next = ACME_RECORD_ACCOUNT_KEY_NEXT;
    bool same = len > 0 && len == d->record[next].len && memcmp(data, d->record[next].data, len) == 0;
    assert_true(!account_key || same || (d->record[record].len == 0 && len > 0));
    int answer = ask_hook(d, DEVICE_PUT, record, &len);
    if (answer != DEVICE_GO) {
        return answer;
    }
    d->account_keys += account_key;
    if (len > 0) {
        memcpy(d->record[record].data, data, len);
    }
    d->record[record].len = len;
    return stored(d, record);
}

static int store_append(void *ctx, const void *data, size_t len)
{
    struct device *d = ctx;
    int answer = ask_hook(d, DEVICE_APPEND, ACME_RECORD_CHAIN, &len);
    if (answer != DEVICE_GO) {
        return answer;
    }
    if (len == 0) {
        d->incoming.len = 0;
    } else {
        assert_true(d->incoming.len + len <= sizeof d->incoming.data);
        memcpy(d->incoming.data + d->incoming.len, data, len);
        d->incoming.len += len;
    }
    return stored(d, ACME_RECORD_CHAIN);
}

static int store_commit(void *ctx)
{
    struct device *d = ctx;
    assert_true(d->record[ACME_RECORD_KEY_NEXT].len > 0 && d->incoming.len > 0);
    int answer = ask_hook(d, DEVICE_COMMIT, ACME_RECORD_CHAIN, NULL);
    if (answer != DEVICE_GO) {
        return answer;
    }
    d->record[ACME_RECORD_KEY] = d->record[ACME_RECORD_KEY_NEXT];
    memcpy(d->record[ACME_RECORD_CHAIN].data, d->incoming.data, d->incoming.len);
    d->record[ACME_RECORD_CHAIN].len = d->incoming.len;
    d->commits++;
    answer = ask_hook(d, DEVICE_COMMIT_ORDER, ACME_RECORD_ORDER, NULL);
    if (answer != DEVICE_GO) {
        return answer;
    }
    d->record[ACME_RECORD_ORDER].len = 0;
    answer = ask_hook(d, DEVICE_COMMIT_KEY, ACME_RECORD_KEY_NEXT, NULL);
    if (answer != DEVICE_GO) {
        return answer;
    }
    d->record[ACME_RECORD_KEY_NEXT].len = 0;
    return stored(d, ACME_RECORD_CHAIN);
}

/* --- the system, the solver */

static int sys_random(void *ctx, void *buf, size_t len)
{
    struct device *d = ctx;
    d->random_to = buf;
    int answer = ask_hook(d, DEVICE_RANDOM, 0, &len);
    return answer != DEVICE_GO ? answer : maker_sys.random(NULL, buf, len);
}

static int sys_utc(void *ctx, int64_t *utc)
{
    struct device *d = ctx;
    *utc = d->utc;
    d->utc_to = utc;
    int answer = ask_hook(d, DEVICE_UTC, 0, NULL);
    return answer != DEVICE_GO ? answer : 1;
}

static int present(void *ctx, struct acme_challenge *challenge)
{
    struct device *d = ctx;
    int answer = ask_hook(d, DEVICE_PRESENT, 0, NULL);
    if (answer != DEVICE_GO) {
        return answer;
    }
    if (d->ca.plan->zone && strcmp(challenge->name, "b.example") != 0) {
        return ACME_E_DECLINED;
    }
    if (challenge->next == NULL) { /* takes two calls */
        challenge->next = challenge;
        return 0;
    }
    ca_publish(&d->ca, challenge);
    return 1;
}

static void withdraw(void *ctx, struct acme_challenge *challenge)
{
    struct device *d = ctx;
    challenge->next = NULL;
    ca_take_back(&d->ca, challenge);
}

/* --- a zone --- */

#define PROPAGATION_MS 3000u
#define DELETION_TICKS 3u

static void value_of(const struct acme_challenge *challenge, char text[2 * ACME_TOKEN_MAX])
{
    assert_true(snprintf(text, 2 * ACME_TOKEN_MAX, "%s.%s", challenge->token, challenge->thumbprint) <
                2 * ACME_TOKEN_MAX);
}

/* Where the value is; else -1, or a free place for an empty text. */
static int place_of(const struct device *d, const char *text)
{
    for (int i = 0; i < DEVICE_ZONE; i++) {
        if (strcmp(d->zone[i].text, text) == 0) {
            return i;
        }
    }
    return -1;
}

/* It is there at once, and seen by everybody after a while. */
static int present_in_zone(void *ctx, struct acme_challenge *challenge)
{
    struct device *d = ctx;
    char text[2 * ACME_TOKEN_MAX];
    int answer = ask_hook(d, DEVICE_PRESENT, 0, NULL);
    if (answer != DEVICE_GO) {
        return answer;
    }
    value_of(challenge, text);
    if (challenge->next == NULL) {
        challenge->next = challenge;
        int place = place_of(d, text);
        place = place >= 0 ? place : place_of(d, "");
        assert_true(place >= 0);
        strcpy(d->zone[place].text, text);
        d->zone[place].leaving = 0;
        d->present_ms = d->now_ms;
    }
    if (d->now_ms - d->present_ms < PROPAGATION_MS) {
        return 0;
    }
    ca_show(&d->ca, text, true);
    return 1;
}

/* Also for what an earlier boot has published. */
static void withdraw_from_zone(void *ctx, struct acme_challenge *challenge)
{
    struct device *d = ctx;
    char text[2 * ACME_TOKEN_MAX];
    challenge->next = NULL;
    value_of(challenge, text);
    int place = place_of(d, text);
    if (place >= 0) {
        d->zone[place].leaving = DELETION_TICKS;
    }
}

static bool tick_zone(void *ctx, uint32_t now_ms)
{
    struct device *d = ctx;
    bool moved = false;
    for (unsigned i = 0; i < DEVICE_ZONE; i++) {
        moved = moved || d->zone[i].leaving > 0;
        if (d->zone[i].leaving > 0 && --d->zone[i].leaving == 0) {
            ca_show(&d->ca, d->zone[i].text, false);
            d->zone[i].text[0] = '\0';
        }
    }
    return moved;
}

static bool clears_zone(const void *ctx)
{
    const struct device *d = ctx;
    for (unsigned i = 0; i < DEVICE_ZONE; i++) {
        if (d->zone[i].leaving > 0) {
            return true;
        }
    }
    return false;
}

bool device_zone_is_clear(const struct device *d)
{
    for (unsigned i = 0; i < DEVICE_ZONE; i++) {
        if (d->zone[i].text[0] != '\0') {
            return false;
        }
    }
    return true;
}

static const struct acme_solver zone_solver = {.type = "dns-01",
                                               .present = present_in_zone,
                                               .withdraw = withdraw_from_zone,
                                               .tick = tick_zone,
                                               .wildcards = true,
                                               .lasts = true,
                                               .clearing = clears_zone};

/* What is in the zone is seen whether the device is on or off. */
static void boot_zone(struct device *d)
{
    d->dns = zone_solver;
    d->dns.ctx = d;
    d->solvers[1] = &d->dns;
    d->setup.solver_count = 2;
    for (unsigned i = 0; i < DEVICE_ZONE; i++) {
        d->zone[i].leaving = 0;
        if (d->zone[i].text[0] != '\0') {
            ca_show(&d->ca, d->zone[i].text, true);
        }
    }
}

static void trace(void *ctx, const struct acme_event *event)
{
    struct device *d = ctx;
    words_judge(event);
    if (d->heard != NULL) {
        d->heard(d, event);
    }
    if (event->kind == ACME_EVENT_REQUEST) {
        snprintf(d->asked, sizeof d->asked, "%.*s %.*s", (int)event->text.len, event->text.at, (int)event->detail.len,
                 event->detail.at);
    }
    d->stored_events += event->kind == ACME_EVENT_STORED;
    d->unreadable += event->kind == ACME_EVENT_UNREADABLE;
    d->problem_events += event->kind == ACME_EVENT_PROBLEM;
}

/* --- keys */

static struct device *counted;

static int key_fault(enum device_seam seam)
{
    return ask_hook(counted, seam, 0, NULL);
}

static int key_point(void *handle, uint8_t point[65])
{
    int answer = key_fault(DEVICE_KEY_POINT);
    return answer != DEVICE_GO ? answer : counted->keys->point(handle, point);
}

static int key_sign(void *handle, const uint8_t digest[32], uint8_t signature[64])
{
    counted->operations++;
    int answer = key_fault(DEVICE_KEY_SIGN);
    return answer != DEVICE_GO ? answer : counted->keys->sign(handle, digest, signature);
}

static int key_generate(void *handle, const struct acme_sys *sys)
{
    counted->operations++;
    int answer = key_fault(DEVICE_KEY_GENERATE);
    return answer != DEVICE_GO ? answer : counted->keys->generate(handle, sys);
}

static int key_import(void *handle, const void *record, size_t len)
{
    counted->operations++;
    int answer = key_fault(DEVICE_KEY_IMPORT);
    if (answer != DEVICE_GO) {
        memset(handle, 0, sizeof(struct acme_key_p256)); /* secure/key.h: it is then empty */
        return answer;
    }
    return counted->keys->load(handle, record, len);
}

static int key_export(void *handle, void *record, size_t cap)
{
    int answer = key_fault(DEVICE_KEY_EXPORT);
    return answer != DEVICE_GO ? answer : counted->keys->save(handle, record, cap);
}

const struct acme_key_ops device_key_ops = {key_point, key_sign, key_generate, key_import, key_export};

/* --- running */

void device_setup(struct device *d)
{
    static const br_x509_trust_anchor no_anchor;
    d->keys = d->keys != NULL ? d->keys : &acme_key_p256_ops;
    d->net = (struct acme_net){.ctx = d};
    d->sys = (struct acme_sys){d, sys_random, sys_utc};
    d->store = (struct acme_store){d, store_get, store_put, store_append, store_commit};
    d->trust = (struct acme_trust){.anchors = &no_anchor, .count = 1};
    d->solver = (struct acme_solver){.ctx = d, .type = "http-01", .present = present, .withdraw = withdraw};
    d->solvers[0] = &d->solver;
    d->setup = (struct acme_setup){.net = &d->net,
                                   .sys = &d->sys,
                                   .store = &d->store,
                                   .ca = {.directory_url = CA_URL "/dir", .trust = &d->trust},
                                   .account_key = {&device_key_ops, &d->account},
                                   .certificate_key = {&device_key_ops, &d->certificate},
                                   .names = d->ca.plan->names,
                                   .name_count = d->ca.plan->name_count,
                                   .accept_terms = true,
                                   .solvers = d->solvers,
                                   .solver_count = 1,
                                   .work = d->work,
                                   .work_len = sizeof d->work - DEVICE_CANARY,
                                   .tls = &d->tls,
                                   .tls_buffer = d->tls_buffer,
                                   .tls_buffer_len = sizeof d->tls_buffer,
                                   .trace = trace,
                                   .trace_ctx = d};
}

int device_boot(struct device *d)
{
    memset(&d->client, 0xa5, sizeof d->client);
    memset(&d->account, 0, sizeof d->account);
    memset(&d->certificate, 0, sizeof d->certificate);
    memset(d->before, DEVICE_CANARY_BYTE, sizeof d->before);
    memset(d->work, DEVICE_CANARY_BYTE, sizeof d->work);
    d->ca.published = NULL;
    memset(d->ca.shown, 0, sizeof d->ca.shown);
    counted = d;
    device_setup(d);
    if (d->ca.plan->zone) {
        boot_zone(d);
    }
    d->setup.deactivate_authz = d->ca.plan->tidy;
    if (d->ca.plan->eab_kid != NULL) {
        d->setup.binding = (struct acme_binding){d->ca.plan->eab_kid, DEVICE_SECRET, sizeof DEVICE_SECRET - 1};
    }
    return acme_init(&d->client, &d->setup);
}

void device_new(struct device *d, const struct ca_plan *plan)
{
    ca_free(&d->ca);
    memset(d, 0, sizeof *d);
    ca_init(&d->ca, plan);
    d->utc = MAKER_NOW;
    d->now_ms = 0xffffff00u;
}

static void check_canaries(const struct device *d)
{
    static const char *canary = NULL;
    static char bytes[DEVICE_CANARY];
    if (canary == NULL) {
        memset(bytes, DEVICE_CANARY_BYTE, sizeof bytes);
        canary = bytes;
    }
    assert_memory_equal(d->before, canary, DEVICE_CANARY);
    assert_memory_equal(d->work + d->setup.work_len, canary, DEVICE_CANARY);
}

enum acme_progress device_tick(struct device *d)
{
    d->puts = d->operations = 0;
    counted = d; /* several may take turns */
    enum acme_progress progress = acme_tick(&d->client, d->now_ms);
    uint32_t idle = progress == ACME_IDLE ? acme_idle_ms(&d->client, d->now_ms) : 0;
    assert_true(d->operations <= 1); /* acme.h: what one tick may do */
    /* The tick a run ends in, or has failed in and what is left is deactivated, has more to note. */
    assert_true(d->puts <= 1 || d->client.phase == ACME_PHASE_OVER || acme_is_leave(d->client.flow.step));
    assert_true(progress != ACME_IDLE || idle > 0); /* nothing to do, and no time to sleep: a program would spin */
    check_canaries(d);
    if (progress == ACME_FAILED) {
        const struct acme_failure *failure = acme_failure(&d->client);
        assert_true(words_plain(failure->name, strlen(failure->name)));
        assert_true(words_plain(failure->type, strlen(failure->type)));
        assert_true(words_plain(failure->detail, strlen(failure->detail)));
    }
    idle = idle > 0 && d->sleeps != NULL ? d->sleeps(d, idle) : idle;
    d->now_ms += idle + 1;
    d->utc += (idle + 500) / 1000;
    return progress;
}

static X509 *leaf_in_use(const struct device *d)
{
    BIO *bio = BIO_new_mem_buf(d->record[ACME_RECORD_CHAIN].data, (int)d->record[ACME_RECORD_CHAIN].len);
    X509 *leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return leaf;
}

/* A field of the certificate that the client does not read was damaged on its way, and OpenSSL does not take it: no CA
 * sends that, and the client does not verify signatures. Key and names are what it vouches for. */
static void check_damaged(const struct device *d, const uint8_t point[65])
{
    char *name, *header, entry[256];
    unsigned char *der;
    long len;
    BIO *bio = BIO_new_mem_buf(d->record[ACME_RECORD_CHAIN].data, (int)d->record[ACME_RECORD_CHAIN].len);
    assert_int_equal(PEM_read_bio(bio, &name, &header, &der, &len), 1);
    BIO_free(bio);
    assert_non_null(memmem(der, (size_t)len, point, 65));
    for (unsigned i = 0; i < d->ca.plan->name_count; i++) { /* as a dNSName */
        size_t n = (size_t)snprintf(entry, sizeof entry, "\x82%c%s", (int)strlen(d->ca.plan->names[i]),
                                    d->ca.plan->names[i]);
        assert_non_null(memmem(der, (size_t)len, entry, n));
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
}

void device_check_pair(const struct device *d)
{
    uint8_t point[65];
    X509 *leaf = leaf_in_use(d);
    assert_true(leaf != NULL || d->ca.tampered);

    /* the key, by a handle of its own */
    struct acme_key_p256 key = {.ready = false};
    assert_int_equal(d->keys->load(&key, d->record[ACME_RECORD_KEY].data, d->record[ACME_RECORD_KEY].len), 0);
    assert_int_equal(d->keys->point(&key, point), 0);
    if (leaf == NULL) {
        check_damaged(d, point);
        return;
    }
    unsigned char *of_leaf = NULL;
    size_t len = EVP_PKEY_get1_encoded_public_key(X509_get0_pubkey(leaf), &of_leaf);
    assert_int_equal(len, sizeof point);
    assert_memory_equal(of_leaf, point, sizeof point);
    OPENSSL_free(of_leaf);

    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    assert_non_null(names);
    assert_int_equal(sk_GENERAL_NAME_num(names), (int)d->ca.plan->name_count);
    for (int i = 0; i < (int)d->ca.plan->name_count; i++) {
        const ASN1_STRING *name = sk_GENERAL_NAME_value(names, i)->d.dNSName;
        assert_string_equal((const char *)ASN1_STRING_get0_data(name), d->ca.plan->names[i]);
    }
    GENERAL_NAMES_free(names);
    X509_free(leaf);
}

bool device_pair_is_due(const struct device *d)
{
    static const ASN1_TIME *(*const dates[2])(const X509 *) = {X509_get0_notBefore, X509_get0_notAfter};
    int64_t utc[2];
    X509 *leaf = leaf_in_use(d);
    if (leaf == NULL) { /* damaged: check_damaged() */
        return acme_validity(&d->client, &utc[0], &utc[1], NULL) && acme_renew_at(utc[0], utc[1]) <= d->utc;
    }
    for (unsigned i = 0; i < 2; i++) {
        struct tm date;
        assert_int_equal(ASN1_TIME_to_tm(dates[i](leaf), &date), 1);
        utc[i] = timegm(&date);
    }
    X509_free(leaf);
    return acme_renew_at(utc[0], utc[1]) <= d->utc;
}
