/* Whole conversations, in virtual time, in which the input is the CA (server.h), the network and the store's mishaps. What
 * must hold: only the CA's host is talked to; no nonce is used twice unless it was given out twice; a request says in its
 * signed part where it goes; work is done or there is a time to sleep; ticks and requests are bounded; what is told to the
 * trace is printable; what is put in use is for our key and names. And when the input is used up and everybody is honest
 * again, a certificate comes within 48 hours. */
#define _GNU_SOURCE /* memmem */
#include "fuzz.h"
#include "server.h"

#include "fault/fastkey.h"
#include "fault/judge.h"

#define TICKS_MAX    100000u
#define REQUESTS_MAX 3000u
#define HOURS(n)     ((uint64_t)(n)*3600u * 1000u)

static const struct ca_plan plan = {.names = {"a.example", "b.example"}, .name_count = 2, .processing = 1};

static struct device d;
static struct server server;

/* The honest run's: keys and records. */
static struct {
    struct acme_key_p256 key[2]; /* the account's, the certificate's */
    struct {
        char data[2500];
        size_t len;
    } record[DEVICE_RECORDS];
} kept;

static struct {
    uint64_t virtual_ms, honest_ms; /* so far; when the input was used up */
    unsigned ticks, requests, commits;
    bool honest, tell; /* TELL in the environment: what happens goes to standard error */
    unsigned used_count;
    char used[64][24]; /* nonces, the last ones */
} run;

/* --- keys without arithmetic: always the same ones; nobody verifies a signature here --- */

static struct acme_key_p256 *kept_key(void *handle)
{
    return &kept.key[handle == &d.certificate];
}

static int key_point(void *handle, uint8_t point[65])
{
    const struct acme_key_p256 *key = handle;
    memcpy(point, key->point, 65);
    return key->ready ? 0 : ACME_E_KEY;
}

static int key_sign(void *handle, const uint8_t digest[32], uint8_t signature[64])
{
    const struct acme_key_p256 *key = handle;
    d.operations++;
    memcpy(signature, digest, 32);
    memset(signature + 32, 1, 32);
    return key->ready ? 0 : ACME_E_KEY;
}

static int key_generate(void *handle, const struct acme_sys *sys)
{
    (void)sys;
    d.operations++;
    *(struct acme_key_p256 *)handle = *kept_key(handle);
    return 0;
}

static int key_export(void *handle, void *record, size_t cap)
{
    unsigned which = handle == &d.certificate ? ACME_RECORD_KEY : ACME_RECORD_ACCOUNT_KEY;
    MUST(kept.record[which].len <= cap);
    memcpy(record, kept.record[which].data, kept.record[which].len);
    return (int)kept.record[which].len;
}

static int key_import(void *handle, const void *record, size_t len)
{
    unsigned which = handle == &d.certificate ? ACME_RECORD_KEY : ACME_RECORD_ACCOUNT_KEY;
    d.operations++;
    MUST(len == kept.record[which].len && memcmp(record, kept.record[which].data, len) == 0);
    *(struct acme_key_p256 *)handle = *kept_key(handle);
    return 0;
}

static const struct acme_key_ops key_ops = {key_point, key_sign, key_generate, key_import, key_export};

/* --- what must hold of a request --- */

static size_t from_b64url(const char *text, size_t len, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t bits = 0;
    size_t out_len = 0;
    for (size_t i = 0; i < len; i++) {
        const char *digit = memchr(digits, text[i], 64);
        MUST(digit != NULL);
        bits = bits << 6 | (uint32_t)(digit - digits);
        if (i % 4 != 0) {
            out[out_len++] = (char)(bits >> (6 - 2 * (i % 4)));
        }
    }
    return out_len;
}

static const char *member(const char *json, const char *name, size_t *len)
{
    const char *at = strstr(json, name);
    MUST(at != NULL);
    at += strlen(name);
    *len = strcspn(at, "\"");
    return at;
}

static void judge_nonce(const char *nonce, size_t len)
{
    char start[24] = "";
    memcpy(start, nonce, len < 23 ? len : 23);
    for (unsigned i = 0; i < 64; i++) {
        MUST(run.used[i][0] == '\0' || strcmp(run.used[i], start) != 0);
    }
    memcpy(run.used[run.used_count++ % 64], start, sizeof start);
}

/* An answer that gives out a used nonce once more may have it used once more. */
static void forgive_nonces(void)
{
    for (unsigned i = 0; i < 64; i++) {
        if (run.used[i][0] != '\0' && memmem(server.answer, server.len, run.used[i], strlen(run.used[i])) != NULL) {
            run.used[i][0] = '\0';
        }
    }
}

static void judge_request(void)
{
    static char text[sizeof d.request + 1], json[sizeof d.request];
    char wanted[600];
    size_t len;

    MUST(ca_whole(d.request, d.request_len) && d.request_len < sizeof d.request);
    memcpy(text, d.request, d.request_len);
    text[d.request_len] = '\0';
    if (strncmp(text, "POST ", 5) != 0) {
        MUST(strncmp(text, "GET /", 5) == 0 || strncmp(text, "HEAD /", 6) == 0);
        return;
    }
    const char *part = member(text, "{\"protected\":\"", &len);
    json[from_b64url(part, len, json)] = '\0';
    MUST((strstr(json, "\"kid\":\"") == NULL) != (strstr(json, "\"jwk\":{") == NULL));
    part = member(json, "\"nonce\":\"", &len);
    judge_nonce(part, len);
    part = member(json, "\"url\":\"", &len); /* it says where it goes */
    const char *path = text + 5;
    size_t path_len = strcspn(path, " ");
    snprintf(wanted, sizeof wanted, "%.*s", (int)len, part);
    MUST(len >= path_len && (memcmp(part + len - path_len, path, path_len) == 0 || path_len == 1 || path[1] == '?'));
    MUST(strncasecmp(wanted, CA_URL, strlen(CA_URL)) == 0);
}

static void printable(struct acme_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        MUST(s.at[i] >= ' ' && s.at[i] <= '~');
    }
}

static void trace(void *ctx, const struct acme_event *event)
{
    (void)ctx;
    printable(event->name);
    printable(event->text);
    printable(event->detail);
    if (run.tell) {
        fprintf(stderr, "%10llu ms: event %d step %d http %u error %d wait %u: %.*s %.*s\n",
                (unsigned long long)run.virtual_ms, event->kind, event->step, event->http_status, event->error,
                event->wait_ms, (int)event->text.len, event->text.at, (int)event->detail.len, event->detail.at);
    }
}

/* The certificate in use, decoded here: our key and our names are in it. */
static void judge_pair(void)
{
    static char der[sizeof d.record[0].data];
    const char *at = d.record[ACME_RECORD_CHAIN].data;
    const char *end = memmem(at, d.record[ACME_RECORD_CHAIN].len, "-----END", 8);
    char base64[sizeof der];
    size_t len = 0;

    MUST(end != NULL && strncmp(at, "-----BEGIN CERTIFICATE-----\n", 28) == 0);
    for (at += 28; at < end; at++) {
        if (*at != '\n' && *at != '=') {
            base64[len++] = *at == '+' ? '-' : *at == '/' ? '_' : *at;
        }
    }
    len = from_b64url(base64, len, der);
    MUST(memmem(der, len, kept.key[1].point, 65) != NULL);
    for (unsigned i = 0; i < plan.name_count; i++) {
        bool there = false;
        for (size_t k = 0; k + strlen(plan.names[i]) <= len; k++) {
            there = there || strncasecmp(der + k, plan.names[i], strlen(plan.names[i])) == 0;
        }
        MUST(there);
    }
    MUST(d.record[ACME_RECORD_KEY].len == kept.record[ACME_RECORD_KEY].len);
}

/* --- seams --- */

static int on_flush(void)
{
    MUST(++run.requests <= REQUESTS_MAX);
    judge_request();
    server_answer(&server, &d.client);
    forgive_nonces();
    d.answer = (struct ca_answer){.at = server.answer, .len = server.len, .close = server.ending != 0};
    d.answer_at = 0;
    d.unclean = server.ending == 1;
    if (run.tell) {
        fprintf(stderr, "%.*s\n", (int)server.len, server.answer);
    }
    return 1;
}

static int on_recv(size_t *len)
{
    if (d.answer_at < d.answer.len) {
        *len = *len < server.piece ? *len : server.piece;
        return DEVICE_GO;
    }
    if (server.ending == 0 || server.ending == ACME_E_TIMEOUT) {
        d.now_ms += ACME_NET_TIMEOUT_MS;
        run.virtual_ms += ACME_NET_TIMEOUT_MS;
    }
    return server.ending < 0 && server.ending != ACME_E_CLOSED ? server.ending : DEVICE_GO;
}

static int on_seam(struct device *device, enum device_seam seam, enum acme_record record, size_t *len)
{
    (void)record;
    switch (seam) {
    case DEVICE_OPEN:
        if (server.refusals > 0) {
            server.refusals--;
            return ACME_E_REFUSED;
        }
        return DEVICE_GO;
    case DEVICE_FLUSH:
        return on_flush();
    case DEVICE_RECV:
        return on_recv(len);
    case DEVICE_APPEND:
        if (device->incoming.len + *len > sizeof device->incoming.data) {
            return ACME_E_STORE_WRITE; /* it is full */
        }
        break;
    case DEVICE_GET:
    case DEVICE_PUT:
    case DEVICE_COMMIT:
        break;
    default:
        return DEVICE_GO;
    }
    if (server.store_fails > 0) {
        server.store_fails--;
        return seam == DEVICE_GET ? ACME_E_STORE_READ : ACME_E_STORE_WRITE;
    }
    return DEVICE_GO;
}

/* --- the honest run, once --- */

static int on_learning(struct device *device, enum device_seam seam, enum acme_record record, size_t *len)
{
    (void)record;
    (void)len;
    if (seam == DEVICE_FLUSHED) {
        server_learn(&device->client, device->answer);
    }
    return DEVICE_GO;
}

static void learn(void)
{
    enum acme_progress progress = ACME_BUSY;
    dice_seed(1);
    maker_serial = 1000;
    device_new(&d, &plan);
    d.hook = on_learning;
    MUST(device_boot(&d) == 0);
    d.setup.account_key.ops = d.setup.certificate_key.ops = &fastkey_ops;
    MUST(acme_start(&d.client, ACME_IF_DUE, d.now_ms) == 0);
    while (!acme_is_over(progress)) {
        progress = device_tick(&d);
    }
    MUST(progress == ACME_ISSUED);
    kept.key[0] = d.account;
    kept.key[1] = d.certificate;
    for (unsigned i = 0; i < DEVICE_RECORDS; i++) {
        MUST(d.record[i].len <= sizeof kept.record[i].data);
        kept.record[i].len = d.record[i].len;
        memcpy(kept.record[i].data, d.record[i].data, d.record[i].len);
    }
    d.hook = on_seam;
}

/* --- a run --- */

static void boot(size_t work_len)
{
    MUST(device_boot(&d) == 0);
    d.setup.account_key.ops = d.setup.certificate_key.ops = &key_ops;
    d.setup.trace = trace;
    d.setup.work_len = work_len;
    MUST(acme_init(&d.client, &d.setup) == 0);
    MUST(acme_start(&d.client, ACME_IF_DUE, d.now_ms) == 0);
}

static void begin(const uint8_t *data, size_t len, bool renewal)
{
    memset(&run, 0, sizeof run);
    run.tell = getenv("TELL") != NULL;
    memset(&server, 0, offsetof(struct server, answer));
    server.at = data;
    server.end = data + len;
    for (unsigned i = 0; i < DEVICE_RECORDS; i++) {
        d.record[i].len = renewal ? kept.record[i].len : 0;
        memcpy(d.record[i].data, kept.record[i].data, d.record[i].len);
    }
    d.incoming.len = 0;
    d.now_ms = 0xffff0000u;
    d.utc = MAKER_NOW + (renewal ? 61 * MAKER_DAY : 0);
    d.commits = 0;
    d.answer.len = d.answer_at = 0;
    d.unclean = false;
}

static void pass(uint32_t ms)
{
    d.now_ms += ms;
    d.utc += ms / 1000;
    run.virtual_ms += ms;
}

static void judge_time(int64_t latest_utc)
{
    if (server.at == server.end && server.cut_in == 0) {
        run.honest_ms = run.honest ? run.honest_ms : run.virtual_ms;
        run.honest = true;
        MUST(run.virtual_ms - run.honest_ms < HOURS(96));
    } else if (d.utc > latest_utc) {
        d.utc = latest_utc; /* the certificate that is handed out must not expire meanwhile */
    }
    MUST(++run.ticks <= TICKS_MAX);
}

/* True when a failed run may be the end of it: there is little memory, and it said so. */
static bool out_of_room(int error, size_t work_len)
{
    return work_len < 4096 && (error == ACME_E_REQUEST_BIG || error == ACME_E_BODY_BIG ||
                               error == ACME_E_JSON_TOKENS || error == ACME_E_CERT_BIG);
}

/* After the end of a run. Returns false when nothing is left to be seen. */
static bool go_on(enum acme_progress progress, size_t work_len)
{
    const struct acme_failure *failure = acme_failure(&d.client);
    MUST(d.ca.published == NULL);
    if (progress == ACME_FAILED) {
        MUST(failure->error < 0);
        printable(acme_slice_of(failure->type));
        printable(acme_slice_of(failure->detail));
        printable(acme_slice_of(failure->name));
        if (run.honest && out_of_room(failure->error, work_len)) {
            return false;
        }
        pass((failure->retry_s > 60 ? failure->retry_s : 60) * 1000u);
        MUST(acme_start(&d.client, ACME_IF_DUE, d.now_ms) == 0);
        return true;
    }
    MUST(failure->error == 0);
    judge_pair();
    MUST(acme_start(&d.client, ACME_NOW, d.now_ms) == 0);
    return !run.honest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static bool learned;
    if (len < 1) {
        return 0;
    }
    if (setjmp(judge_end) != 0) {
        fprintf(stderr, "%s\n", judge_words);
        abort();
    }
    if (!learned) {
        learn();
        learned = true;
    }
    bool renewal = data[0] & 1;
    size_t work_len = data[0] >= 128 ? ACME_WORK_MIN + (data[0] & 0x7fu) * 16u : sizeof d.work - DEVICE_CANARY;
    begin(data + 1, len - 1, renewal);
    boot(work_len);
    for (bool going = true; going;) {
        uint32_t before_ms = d.now_ms;
        enum acme_progress progress = device_tick(&d);
        run.virtual_ms += (uint32_t)(d.now_ms - before_ms);
        if (server.cut_in > 0 && --server.cut_in == 0) {
            boot(work_len);
            progress = ACME_BUSY;
        }
        judge_time(MAKER_NOW + 80 * MAKER_DAY);
        if (acme_is_over(progress)) {
            going = go_on(progress, work_len);
        }
    }
    acme_stop(&d.client);
    return 0;
}
