/* reach.c - small fetchers on top of the core's channel and the port's sockets. */
#define _GNU_SOURCE 1
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "reach.h"
#include "secure/channel.h"
#include "wire/date.h"
#include "wire/http.h"

#define WHOLE_MS  60000U
#define ANSWER_MS 10000U
#define REDIRECTS 3

/* --- we reach the CA */

static bool late(uint32_t since_ms, uint32_t limit_ms)
{
    return acme_posix_now_ms() - since_ms > limit_ms;
}

/* Sends the request for a URL that the channel leads to. Returns 0 or an error. */
static int ask(struct acme_run *run, struct acme_channel *c, const struct acme_url *url, uint32_t since)
{
    const struct acme_http_request request = {.method = "GET", .url = url};
    struct acme_out o;
    int n = 0;

    acme_out_init(&o, run->work, sizeof run->work);
    acme_http_write(&o, &request);
    for (size_t sent = 0; n >= 0 && sent < o.len; sent += (size_t)(n > 0 ? n : 0)) {
        n = late(since, WHOLE_MS) ? ACME_E_TIMEOUT
                                  : acme_channel_send(c, o.at + sent, o.len - sent, true, acme_posix_now_ms());
        acme_posix_wait(&run->net, NULL, n > 0 ? 0 : 50, NULL);
    }
    for (int out = 0; n >= 0 && out == 0;) {
        out = late(since, WHOLE_MS) ? ACME_E_TIMEOUT : acme_channel_flush(c, acme_posix_now_ms());
        acme_posix_wait(&run->net, NULL, out != 0 ? 0 : 50, NULL);
        n = out < 0 ? out : n;
    }
    return n < 0 ? n : 0;
}

/* Reads the answer; of its body what fits into run->work. Returns how much of it, or an error. */
static int read_answer(struct acme_run *run, struct acme_channel *c, struct acme_http_reader *h, uint32_t since)
{
    char piece[1024];
    size_t have = 0;
    int event = ACME_HTTP_MORE;

    acme_http_reader_init(h, false);
    while (event >= 0 && event != ACME_HTTP_END) {
        bool clean = false;
        int n = late(since, WHOLE_MS) ? ACME_E_TIMEOUT
                                      : acme_channel_recv(c, piece, sizeof piece, &clean, acme_posix_now_ms());
        event = n == ACME_E_CLOSED ? acme_http_eof(h, clean) : n < 0 ? n : ACME_HTTP_MORE;
        for (size_t at = 0, used; event >= 0 && event != ACME_HTTP_END && n > 0;) {
            struct acme_slice body = {NULL, 0};
            event = acme_http_read(h, piece + at, (size_t)n - at, &used, &body);
            at += used;
            size_t take = event != ACME_HTTP_BODY              ? 0
                          : body.len < sizeof run->work - have ? body.len
                                                               : sizeof run->work - have;
            memcpy(run->work + have, take > 0 ? body.at : "", take);
            have += take;
            if (event == ACME_HTTP_MORE) {
                break;
            }
        }
        acme_posix_wait(&run->net, NULL, n != 0 ? 0 : 50, NULL);
    }
    return event < 0 ? event : (int)have;
}

/* One fetch. Returns bytes of the body, or an error. */
static int fetch(struct acme_run *run, struct acme_channel *c, const char *text, struct acme_http_reader *h)
{
    const struct acme_ca *ca = &run->setup.ca;
    uint32_t since = acme_posix_now_ms();
    struct acme_url url, first;
    int done = acme_url_parse(&url, acme_slice_of(text));

    if (done != 0 || acme_url_parse(&first, acme_slice_of(ca->directory_url)) != 0) {
        return done;
    }
    c->tls_name = acme_slice_is_nocase(url.host, first.host) ? ca->tls_name : NULL;
    while (done == 0) {
        done = late(since, WHOLE_MS) ? ACME_E_TIMEOUT : acme_channel_open(c, &url, acme_posix_now_ms());
        acme_posix_wait(&run->net, NULL, done != 0 || c->moved ? 0 : 50, NULL);
    }
    done = done < 0 ? done : ask(run, c, &url, since);
    return done < 0 ? done : read_answer(run, c, h, since);
}

static bool contains(const void *text, size_t len, const char *word)
{
    return memmem(text, len, word, strlen(word)) != NULL;
}

void acme_reach_ca(struct acme_run *run, struct acme_reached *r)
{
    static struct acme_http_reader h;
    static struct acme_channel c;
    static char url[ACME_URL_MAX + 1];
    const struct acme_setup *s = &run->setup;
    int len = 0;

    memset(r, 0, sizeof *r);
    memset(&c, 0, sizeof c);
    c.net = s->net;
    c.sys = s->sys;
    c.trust = s->ca.trust;
    c.tls = s->tls;
    c.buffer = s->tls_buffer;
    c.buffer_len = s->tls_buffer_len;
    (void)snprintf(url, sizeof url, "%s", s->ca.directory_url);
    for (int i = 0; i <= REDIRECTS; i++) {
        struct acme_url to;
        len = fetch(run, &c, url, &h);
        if (len < 0 || h.answer.status < 300 || h.answer.status >= 400 || h.answer.location[0] == '\0' ||
            acme_url_parse(&to, acme_slice_of(h.answer.location)) != 0) {
            break;
        }
        (void)snprintf(url, sizeof url, "%s", h.answer.location);
    }
    r->error = len < 0 ? len : 0;
    if (len >= 0) {
        r->bytes = (uint32_t)len;
        r->http_status = h.answer.status;
        r->is_directory =
            contains(run->work, (size_t)len, "newOrder") || contains(run->work, (size_t)len, "new-cert");
        r->date = acme_date_http(acme_slice_of(h.answer.date));
        r->date = r->date > 0 ? r->date : 0;
        (void)snprintf(r->location, sizeof r->location, "%s", h.answer.location);
    }
    (void)snprintf(r->host, sizeof r->host, "%s", c.host);
    acme_channel_close(&c);
}

/* --- the CA reaches us */

/* Looks the name up. Returns 1 or an error. */
static int look_up(struct acme_run *run, const char *name)
{
    int found = 0;
    while (found == 0) {
        found = acme_posix_lookup(&run->net.lookup, name, 80);
        acme_posix_wait(&run->net, NULL, found != 0 ? 0 : 1000, NULL);
    }
    return found;
}

/* What the first bytes of an answer say. */
static void judge(struct acme_reach_at *at, const char *answer, size_t len, const char *wanted)
{
    const char *location = strcasestr(answer, "\nlocation:");
    bool moved = len > 9 && memcmp(answer, "HTTP/1.", 7) == 0 && answer[9] == '3';

    if (contains(answer, len, wanted)) {
        at->what = ACME_REACH_OK;
        return;
    }
    at->what = len == 0 ? ACME_REACH_SILENT : moved && location != NULL ? ACME_REACH_REDIRECT : ACME_REACH_OTHER;
    location = at->what == ACME_REACH_REDIRECT ? location + 10 + strspn(location + 10, " ") : answer;
    (void)snprintf(at->text, sizeof at->text, "%.*s", (int)strcspn(location, "\r\n"), location);
    for (char *c = at->text; *c != '\0'; c++) {
        *c = *c < ' ' || *c > '~' ? '?' : *c;
    }
}

/* The certificate comes in clear, its key in the first record. */
static void judge_certificate(struct acme_reach_at *at, const char *answer, size_t len, const uint8_t point[65])
{
    at->what = len == 0                                 ? ACME_REACH_SILENT
               : memmem(answer, len, point, 65) != NULL ? ACME_REACH_OK
                                                        : ACME_REACH_OTHER;
    (void)snprintf(at->text, sizeof at->text, "%s",
                   len > 0 && answer[0] == 0x16    ? "another certificate"
                   : len == 7 && answer[0] == 0x15 ? "a TLS alert"
                                                   : "no TLS 1.2");
}

static void put16(struct acme_out *o, size_t number)
{
    const uint8_t bytes[] = {(uint8_t)(number >> 8), (uint8_t)number};
    acme_out_bytes(o, bytes, sizeof bytes);
}

/* What a validator of tls-alpn-01 says first, by whom it is not told from one: TLS 1.2 with the one suite, curve and signature
 * that are needed. Returns its length. */
static size_t write_hello(char *to, size_t cap, const char *name)
{
    static const uint8_t version_and_random[2 + 32 + 1] = {3, 3}, suites[] = {0, 2, 0xc0, 0x2b, 1, 0},
                                                     rest[] = {0, 10, 0, 4, 0, 2, 0,  23, 0,  13, 0,
                                                               4, 0,  2, 4, 3, 0, 16, 0,  13, 0,  11};
    static const char protocol[] = "\nacme-tls/1";
    char text[ACME_ARPA_MAX];
    const struct acme_slice host = acme_tlsalpn01_host(text, name);
    const size_t len = host.len, extensions = len + 9 + sizeof rest + sizeof protocol - 1,
                 body = sizeof version_and_random + sizeof suites + 2 + extensions;
    struct acme_out o;

    acme_out_init(&o, to, cap);
    acme_out_bytes(&o, "\x16\3\1", 3);
    put16(&o, body + 4);
    put16(&o, 0x0100); /* ClientHello */
    put16(&o, body);
    acme_out_bytes(&o, version_and_random, sizeof version_and_random);
    acme_out_bytes(&o, suites, sizeof suites);
    put16(&o, extensions);
    put16(&o, 0);
    put16(&o, len + 5);
    put16(&o, len + 3);
    acme_out_bytes(&o, "", 1);
    put16(&o, len);
    acme_out_slice(&o, host);
    acme_out_bytes(&o, rest, sizeof rest);
    acme_out_text(&o, protocol);
    return o.len;
}

static size_t write_request(char *to, size_t cap, const struct acme_challenge *challenge)
{
    bool v6 = strchr(challenge->name, ':') != NULL;
    int len = snprintf(to, cap,
                       "GET /.well-known/acme-challenge/%s HTTP/1.1\r\nHost: %s%s%s\r\nUser-Agent: nanoacme check\r\n"
                       "Connection: close\r\n\r\n",
                       challenge->token, v6 ? "[" : "", challenge->name, v6 ? "]" : "");
    return len > 0 && (size_t)len < cap ? (size_t)len : 0;
}

/* Fetches the answer from one address, and serves it meanwhile. */
static void try_address(struct acme_run *run, const struct acme_challenge *challenge, struct acme_reach_at *at)
{
    static struct acme_posix_net other;
    const struct acme_net *net = &other.tcp.net;
    char text[2048], wanted[ACME_KEY_AUTHORIZATION_MAX + 1];
    size_t have = 0, sent = 0;
    uint32_t since = acme_posix_now_ms();
    const bool tls = run->solver == &run->tlsalpn01.solver;
    size_t ask_len =
        tls ? write_hello(text, sizeof text, challenge->name) : write_request(text, sizeof text, challenge);
    int open = 0, n = 0;
    bool seen = false;

    acme_posix_net_init(&other);
    while (n >= 0 && have < sizeof text - 1 && !late(since, ANSWER_MS) && !acme_signalled && !seen) {
        bool moved = run->solver->tick != NULL && run->solver->tick(run->solver->ctx, acme_posix_now_ms());
        open = open != 0 ? open : net->open(net->ctx, at->address, tls ? 443 : 80);
        n = open <= 0        ? open
            : sent < ask_len ? net->send(net->ctx, text + sent, ask_len - sent)
                             : net->recv(net->ctx, text + have, sizeof text - 1 - have);
        moved = moved || n > 0;
        have += n > 0 && sent == ask_len ? (size_t)n : 0;
        sent += n > 0 && sent < ask_len ? (size_t)n : 0;
        if (tls) { /* a server waits for more words of ours then */
            judge_certificate(at, text, have, run->tlsalpn01.key.point);
            seen = at->what == ACME_REACH_OK;
        }
        acme_posix_wait(&other, run->setup.solver_count > 0 ? acme_run_listener(run) : NULL, moved ? 0 : 100, NULL);
    }
    net->close(net->ctx);
    at->error = open < 0 ? open : open == 0 ? ACME_E_TIMEOUT : 0;
    at->what = at->error != 0 ? ACME_REACH_NOT : at->what;
    if (at->error == 0 && !tls) {
        text[have] = '\0';
        (void)snprintf(wanted, sizeof wanted, "%s.%s", challenge->token, challenge->thumbprint);
        judge(at, text, have, wanted);
    }
}

int acme_reach_us(struct acme_run *run, const char *name, struct acme_reach_at *at, size_t max)
{
    static char token[33];
    struct acme_challenge challenge = {.name = name, .token = token, .thumbprint = "nanoacme-check"};
    uint8_t random[16];
    size_t count = 0;
    int done = look_up(run, name);

    done = done < 0 ? done : acme_posix_sys.random(acme_posix_sys.ctx, random, sizeof random);
    if (done < 0) {
        return done;
    }
    for (size_t i = 0; i < sizeof random; i++) {
        (void)snprintf(token + 2 * i, 3, "%02x", random[i]);
    }
    for (done = 0; done == 0 && !acme_signalled;) {
        done = run->solver->present(run->solver->ctx, &challenge);
        acme_posix_wait(&run->net, acme_run_listener(run), done != 0 ? 0 : 50, NULL);
        if (run->solver->tick != NULL) { /* a key may have to be made first */
            (void)run->solver->tick(run->solver->ctx, acme_posix_now_ms());
        }
    }
    for (unsigned i = 0; done == 1 && i < run->net.lookup.count && count < max; i++) {
        const struct acme_sockets_address *a = &run->net.lookup.addresses[i];
        if (getnameinfo((const struct sockaddr *)&a->at, a->len, at[count].address, sizeof at[count].address, NULL, 0,
                        NI_NUMERICHOST) == 0) {
            try_address(run, &challenge, &at[count++]);
        }
    }
    run->solver->withdraw(run->solver->ctx, &challenge);
    return done < 0 ? done : (int)count;
}
