/* The http-01 responder, over a listener of the test's own. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "protocol/challenge_http01.h"

#define SLOTS      ACME_HTTP01_SLOTS
#define TOKEN      "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"
#define THUMBPRINT "nP1qzpXGymHBrUEepNY9HCsQk7K8KhOypzEt62jcerQ"
#define KEYAUTH    TOKEN "." THUMBPRINT
#define PATH       "/.well-known/acme-challenge/" TOKEN
#define CLIENTS    240

/* A client: waits in the queue, sends what it has a few bytes at a time, takes what it gets. */
struct client {
    const char *request;
    size_t len, at;
    char answer[1024];
    size_t got;
    bool waiting, closed, broken, fast;
};

static struct {
    struct client clients[CLIENTS];
    unsigned count;
    struct client *slot[SLOTS];
    size_t in_piece, out_piece;
    bool listening, not_yet, fails;
    unsigned starts, stops;
} net;

static struct acme_http01 h;
static struct acme_challenge live = {.name = "a.example", .token = TOKEN, .thumbprint = THUMBPRINT};

static int fake_start(void *ctx)
{
    if (net.fails) {
        return ACME_E_LISTEN;
    }
    if (net.not_yet) {
        net.not_yet = false;
        return 0;
    }
    net.starts++;
    net.listening = true;
    return 1;
}

static int fake_accept(void *ctx, unsigned slot)
{
    assert_true(net.listening && slot < SLOTS && net.slot[slot] == NULL);
    for (unsigned i = 0; i < net.count; i++) {
        if (net.clients[i].waiting) {
            net.clients[i].waiting = false;
            net.slot[slot] = &net.clients[i];
            return 1;
        }
    }
    return 0;
}

static int fake_recv(void *ctx, unsigned slot, void *data, size_t cap)
{
    struct client *c = net.slot[slot];
    assert_non_null(c);
    if (c->broken) {
        return ACME_E_CLOSED;
    }
    size_t len = c->len - c->at < cap ? c->len - c->at : cap;
    len = len < net.in_piece || c->fast ? len : net.in_piece;
    memcpy(data, c->request + c->at, len);
    c->at += len;
    return (int)len;
}

static int fake_send(void *ctx, unsigned slot, const void *data, size_t len)
{
    struct client *c = net.slot[slot];
    assert_non_null(c);
    assert_true(len > 0);
    if (c->broken) {
        return ACME_E_CLOSED;
    }
    len = len < net.out_piece ? len : net.out_piece;
    assert_true(c->got + len < sizeof c->answer);
    memcpy(c->answer + c->got, data, len);
    c->got += len;
    return (int)len;
}

static void fake_close(void *ctx, unsigned slot)
{
    assert_non_null(net.slot[slot]);
    net.slot[slot]->closed = true;
    net.slot[slot] = NULL;
}

static void fake_stop(void *ctx)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        assert_null(net.slot[i]);
    }
    net.listening = false;
    net.stops++;
}

static const struct acme_listener listener = {NULL,      fake_start, fake_accept, fake_recv,
                                              fake_send, fake_close, fake_stop};

static void set_up(size_t in_piece, size_t out_piece)
{
    memset(&net, 0, sizeof net);
    net.in_piece = in_piece;
    net.out_piece = out_piece;
    assert_int_equal(acme_http01_init(&h, &listener), 0);
    assert_int_equal(h.solver.present(h.solver.ctx, &live), 1);
}

static void tear_down(void)
{
    h.solver.withdraw(h.solver.ctx, &live);
    assert_false(net.listening);
}

static struct client *connect_len(const char *request, size_t len)
{
    assert_true(net.count < CLIENTS);
    struct client *c = &net.clients[net.count++];
    *c = (struct client){.request = request, .len = len, .waiting = true};
    return c;
}

static struct client *connects(const char *request)
{
    return connect_len(request, strlen(request));
}

static void ticks(unsigned n, uint32_t *now_ms, uint32_t step_ms)
{
    for (unsigned i = 0; i < n; i++) {
        (void)h.solver.tick(h.solver.ctx, *now_ms);
        *now_ms += step_ms;
    }
}

/* A connection on which nothing comes is no work: the caller may sleep. */
TEST(silence_is_no_work)
{
    set_up(1000, 1000);
    assert_false(h.solver.tick(h.solver.ctx, 0));
    struct client *c = connects("");
    assert_true(h.solver.tick(h.solver.ctx, 1));
    assert_false(h.solver.tick(h.solver.ctx, 2));
    c->request = "GET ";
    c->len = 4;
    assert_true(h.solver.tick(h.solver.ctx, 3));
    assert_false(h.solver.tick(h.solver.ctx, 4));
    tear_down();
}

static const char *ask_len(const char *request, size_t len)
{
    uint32_t now_ms = 0xfffffff0u;
    struct client *c = connect_len(request, len);
    for (unsigned i = 0; i < 20000 && !c->closed; i++) {
        ticks(1, &now_ms, 1);
    }
    assert_true(c->closed);
    c->answer[c->got] = '\0';
    return c->answer;
}

static const char *not_found;

static void is_200(const char *answer)
{
    char wanted[400];
    snprintf(wanted, sizeof wanted, "Content-Length: %u\r\n\r\n%s", (unsigned)strlen(KEYAUTH), KEYAUTH);
    assert_memory_equal(answer, "HTTP/1.1 200 ", 13);
    assert_non_null(strstr(answer, "\r\nContent-Type: application/octet-stream\r\n"));
    assert_non_null(strstr(answer, "\r\nConnection: close\r\n"));
    assert_string_equal(strstr(answer, "Content-Length"), wanted);
}

TEST(good_requests)
{
    static const char *const requests[] = {"GET " PATH " HTTP/1.1\r\nHost: a.example\r\nUser-Agent: x\r\n\r\n",
                                           "GET " PATH " HTTP/1.0\r\n\r\n",
                                           "GET " PATH
                                           " HTTP/1.1\r\nHOST: A.EXAMPLE:80\r\nConnection: keep-alive\r\n\r\n",
                                           "GET " PATH " HTTP/1.1\nHost: a.example\n\n",
                                           "GET " PATH " HTTP/1.1\r\nHost: a.example\r\n\r\nGET / HTTP/1.1\r\n\r\n",
                                           "GET " PATH " HTTP/1.1\r\nX: y\r\n\tfolded\r\nHost: [::1]\r\n\r\n"};
    for (size_t piece = 1; piece < 70; piece += 17) {
        for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
            set_up(piece, i % 2 == 0 ? 1 : 1000);
            is_200(ask_len(requests[i], strlen(requests[i])));
            assert_int_equal(h.answered, 1);
            tear_down();
        }
    }
}

/* All the others get one and the same 404, so nobody can find out how near he was. */
TEST(everything_else_is_404)
{
    static const char *const targets[] = {"/",
                                          "*",
                                          "",
                                          "/.well-known/acme-challenge/",
                                          "/.well-known/acme-challenge",
                                          PATH "x",
                                          PATH "/",
                                          PATH "?",
                                          PATH "?a=b",
                                          PATH "#",
                                          PATH "%20",
                                          "/.well-known/acme-challenge/evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-o",
                                          "/.well-known/acme-challenge/EvaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA",
                                          "/.well-known/acme-challenge/evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oB",
                                          "/" PATH,
                                          "//a.example" PATH,
                                          "/.well-known/acme-challenge/../acme-challenge/" TOKEN,
                                          "/.well-known//acme-challenge/" TOKEN,
                                          "/%2ewell-known/acme-challenge/" TOKEN,
                                          "/.well-known/acme-challenge/%65vaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA",
                                          "/.WELL-KNOWN/acme-challenge/" TOKEN,
                                          "https://a.example" PATH,
                                          "http:/a.example" PATH,
                                          "http:" PATH,
                                          "http://a.example",
                                          "http://a.example" PATH,
                                          "httpx://a" PATH,
                                          "http://a.example?" PATH,
                                          "x" PATH,
                                          "a.example:80"};
    char request[600];
    set_up(64, 1000);
    char wanted[200];
    strcpy(wanted, ask_len("GET /x HTTP/1.1\r\n\r\n", 19));
    assert_memory_equal(wanted, "HTTP/1.1 404 ", 13);
    not_found = wanted;
    tear_down();
    for (size_t piece = 1; piece <= 64; piece += 63) {
        for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
            set_up(piece, 1000);
            snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a.example\r\n\r\n", targets[i]);
            assert_string_equal(ask_len(request, strlen(request)), wanted);
            assert_int_equal(h.answered, 0);
            tear_down();
        }
        static const char *const heads[] = {"HEAD " PATH, "get " PATH,  "POST " PATH, "GETT " PATH,
                                            "GE " PATH,   "GET\t" PATH, " GET " PATH, "PUT " PATH,
                                            "G " PATH,    "GET  " PATH, "",           "\r\nGET / "};
        for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
            set_up(piece, 1000);
            snprintf(request, sizeof request, "%s HTTP/1.1\r\nHost: a.example\r\n\r\n", heads[i]);
            assert_string_equal(ask_len(request, strlen(request)), wanted);
            tear_down();
        }
        set_up(piece, 1000);
        assert_memory_equal(ask_len("HEADER " PATH " \r\n\r\n", strlen("HEADER " PATH " \r\n\r\n")), "HTTP/1.1 404 ",
                            13);
        tear_down();
        /* a line of HTTP/0.9, a line cut by a tab, a NUL in and behind the token */
        static const char *const lines[] = {"GET " PATH "\r\n\r\n", "GET " PATH "\n\n",
                                            "GET " PATH "\tHTTP/1.1\r\n\r\n"};
        for (size_t i = 0; i < 3; i++) {
            set_up(piece, 1000);
            assert_string_equal(ask_len(lines[i], strlen(lines[i])), wanted);
            tear_down();
        }
        set_up(piece, 1000);
        assert_string_equal(ask_len("GET " PATH "\0 HTTP/1.1\r\n\r\n", 4 + strlen(PATH) + 14), wanted);
        tear_down();
        set_up(piece, 1000);
        assert_string_equal(ask_len("GET \0" PATH " HTTP/1.1\r\n\r\n", 5 + strlen(PATH) + 13), wanted);
        tear_down();
    }
    /* every path that differs in one character, or ends early */
    for (size_t i = 0; i < strlen(PATH); i++) {
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n\r\n", PATH);
        request[4 + i] = request[4 + i] == 'q' ? 'r' : 'q';
        set_up(64, 1000);
        assert_string_equal(ask_len(request, strlen(request)), wanted);
        tear_down();
        snprintf(request, sizeof request, "GET %.*s HTTP/1.1\r\n\r\n", (int)i, PATH);
        set_up(64, 1000);
        assert_string_equal(ask_len(request, strlen(request)), wanted);
        tear_down();
    }
}

TEST(long_requests)
{
    static char request[80000];
    memset(request, 'a', sizeof request);
    memcpy(request, "GET /", 5);
    set_up(64, 1000);
    assert_memory_equal(ask_len(request, sizeof request), "HTTP/1.1 404 ", 13);
    tear_down();
    /* headers without end behind the right path */
    memcpy(request, "GET " PATH " HTTP/1.1\r\nX: ", strlen("GET " PATH " HTTP/1.1\r\nX: "));
    set_up(64, 1000);
    assert_memory_equal(ask_len(request, sizeof request), "HTTP/1.1 404 ", 13);
    tear_down();
    /* but what browsers and proxies add fits */
    memcpy(request + 4000, "\r\n\r\n", 4);
    set_up(64, 1000);
    is_200(ask_len(request, 4004));
    tear_down();
    memset(request, '\r', sizeof request);
    set_up(64, 1000);
    assert_memory_equal(ask_len(request, sizeof request), "HTTP/1.1 404 ", 13);
    tear_down();
    memset(request, '\n', sizeof request);
    set_up(64, 1000);
    assert_memory_equal(ask_len(request, sizeof request), "HTTP/1.1 404 ", 13);
    tear_down();
}

static const char get[] = "GET " PATH " HTTP/1.1\r\nHost: a.example\r\n\r\n";

TEST(several_at_once)
{
    uint32_t now_ms = 0;
    set_up(8, 16);
    for (unsigned i = 0; i < 20; i++) {
        connects(i % 3 == 2 ? "GET /x HTTP/1.1\r\n\r\n" : get);
    }
    ticks(5000, &now_ms, 1);
    for (unsigned i = 0; i < 20; i++) {
        assert_true(net.clients[i].closed);
        if (i % 3 != 2) {
            assert_memory_equal(net.clients[i].answer, "HTTP/1.1 200", 12);
        } else if (net.clients[i].got > 0) { /* in haste a wrong path gets none */
            assert_memory_equal(net.clients[i].answer, "HTTP/1.1 404", 12);
        }
    }
    assert_int_equal(h.answered, 14);
    tear_down();
}

TEST(silent_clients_make_room)
{
    uint32_t now_ms = UINT32_MAX - 300;
    set_up(64, 1000);
    for (unsigned i = 0; i < 30; i++) {
        connects(i % 2 == 0 ? "" : "GET /.well-known/acme-cha"); /* never ends */
    }
    struct client *validator = connects(get);
    ticks(500, &now_ms, 100);
    assert_true(validator->closed);
    validator->answer[validator->got] = '\0';
    is_200(validator->answer);
    tear_down();
}

TEST(dripping_clients_make_room)
{
    static char drip[8000];
    uint32_t now_ms = 0;
    memset(drip, 'x', sizeof drip);
    set_up(1, 1000); /* each tick one byte, a tick in 400 ms: never silent, never done */
    for (unsigned i = 0; i < SLOTS; i++) {
        connect_len(drip, sizeof drip);
    }
    struct client *validator = connects(get);
    validator->fast = true;
    ticks(200, &now_ms, 400);
    assert_true(validator->closed);
    assert_memory_equal(validator->answer, "HTTP/1.1 200", 12);
    tear_down();
}

TEST(a_client_that_does_not_read_makes_room)
{
    uint32_t now_ms = 0;
    set_up(1000, 0); /* nobody takes a byte */
    for (unsigned i = 0; i < SLOTS; i++) {
        connects(get);
    }
    ticks(10, &now_ms, 10);
    struct client *validator = connects(get);
    ticks(10, &now_ms, 100);
    net.out_piece = 1000;
    ticks(10, &now_ms, 10);
    assert_true(validator->closed);
    assert_memory_equal(validator->answer, "HTTP/1.1 200", 12);
    tear_down();
}

TEST(compiled_with_other_limits)
{
    memset(&h, 0x5a, sizeof h);
    assert_int_equal(acme_http01_init_sized(&h, sizeof h - 1, &listener), ACME_E_SIZE);
    for (size_t i = 0; i < sizeof h; i++) {
        assert_int_equal(((const unsigned char *)&h)[i], 0x5a);
    }
}

/* Lets time pass as a program does: it sleeps when there is nothing to do. */
static void pass(uint32_t *now_ms, uint32_t ms)
{
    for (uint32_t end_ms = *now_ms + ms; (int32_t)(end_ms - *now_ms) > 0;) {
        *now_ms += h.solver.tick(h.solver.ctx, *now_ms) ? 0 : 20;
    }
}

/* How many milliseconds until so many of the clients are closed. */
static uint32_t closes_within(unsigned count)
{
    uint32_t began_ms = UINT32_MAX - 5000, now_ms = began_ms;
    for (unsigned closed = 0; closed < count;) {
        pass(&now_ms, 1);
        assert_true(now_ms - began_ms < 60000);
        closed = 0;
        for (unsigned i = 0; i < net.count; i++) {
            closed += net.clients[i].closed;
        }
    }
    return now_ms - began_ms;
}

/* When every slot is taken the first who said nothing gets half a second, who has begun to ask three times that; with each of
 * them the next ones get half of it, down to some milliseconds. Then a queue of 200 is through in seconds. */
TEST(a_crowd_is_sent_away_ever_faster)
{
    static const char *const beginnings[] = {
        "", "G", "GET /.well-known/acme-challenge/evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-o"};
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        set_up(1000, 1000);
        for (unsigned n = 0; n < 200; n++) {
            connects(beginnings[i]);
        }
        struct client *validator = connects(get);
        uint32_t ms = closes_within(201);
        assert_true(validator->closed && ms > 512 && ms < 2600 + 200 / SLOTS * 45);
        assert_memory_equal(validator->answer, "HTTP/1.1 200", 12);
        tear_down();
    }
}

/* In haste nobody stays, and a wrong path has no answer. Once nobody has come for a second, there is patience again. */
TEST(patience_comes_back)
{
    uint32_t now_ms = 0;
    set_up(1000, 1000);
    for (unsigned i = 0; i < 20 + 8 * SLOTS; i++) {
        connects(i < 20 + 4 * SLOTS ? "" : "GET /x HTTP/1.1\r\nHost: ");
    }
    pass(&now_ms, 1000 + 40 * SLOTS);
    for (unsigned i = 0; i < net.count; i++) { /* whoever has an answer is back at once */
        assert_true(net.clients[i].closed && net.clients[i].got == 0);
    }
    const unsigned before = net.count;
    pass(&now_ms, 1100);
    for (unsigned i = 0; i < SLOTS; i++) {
        connects("");
    }
    pass(&now_ms, 450);
    for (unsigned i = before; i < net.count; i++) {
        assert_false(net.clients[i].closed);
    }
    pass(&now_ms, 100);
    unsigned closed = 0;
    for (unsigned i = before; i < net.count; i++) {
        closed += net.clients[i].closed;
    }
    assert_int_equal(closed, 1);
    tear_down();
}

/* A tick may last as long as a signature: nobody is sent away who could not be heard meanwhile. */
TEST(a_long_tick_is_nobodys_fault)
{
    uint32_t now_ms = 0;
    set_up(1000, 1000);
    for (unsigned i = 0; i < SLOTS; i++) {
        connects("");
    }
    ticks(1, &now_ms, 5000);
    net.clients[0].request = get;
    net.clients[0].len = strlen(get);
    ticks(3, &now_ms, 1);
    assert_true(net.clients[0].closed);
    assert_memory_equal(net.clients[0].answer, "HTTP/1.1 200", 12);
    tear_down();
}

/* A wrong path is answered as soon as somebody else may want the slot, and in its own time otherwise. */
TEST(a_wrong_path_goes_first)
{
    uint32_t now_ms = 0;
    if (SLOTS < 2) {
        skip();
    }
    set_up(1000, 1000);
    connects("GET /x HTTP/1.1\r\nHost: ");
    for (unsigned i = 2; i < SLOTS; i++) {
        connects("");
    }
    ticks(50, &now_ms, 10);
    assert_false(net.clients[0].closed);
    struct client *last = connects("");
    ticks(3, &now_ms, 10);
    assert_true(net.clients[0].closed && !last->closed);
    assert_memory_equal(net.clients[0].answer, "HTTP/1.1 404", 12);
    tear_down();
    /* and when it does not take its answer, as fast as who says nothing */
    set_up(1000, 0);
    for (unsigned i = 0; i < 4 * SLOTS; i++) {
        connects("GET /x HTTP/1.1\r\n\r\n");
    }
    assert_true(closes_within(3 * SLOTS) < 2000);
    tear_down();
}

/* Who asked for the live path keeps his slot longer than who did not, but not for ever. */
TEST(who_asked_is_waited_for)
{
    uint32_t now_ms = 0;
    if (SLOTS < 2 || SLOTS > 4) { /* with more of them the crowd is through too soon */
        skip();
    }
    set_up(1000, 1000);
    struct client *slow = connects("GET " PATH " HTTP/1.1\r\nHost: ");
    for (unsigned i = 0; i < 30; i++) {
        connects("");
    }
    pass(&now_ms, 1300);
    assert_true(net.clients[1].closed && !slow->closed);
    slow->request = get;
    slow->at = 0;
    slow->len = strlen(get);
    pass(&now_ms, 10);
    assert_memory_equal(slow->answer, "HTTP/1.1 200", 12);
    tear_down();
    set_up(1000, 1000);
    slow = connects("GET " PATH " HTTP/1.1\r\nHost: ");
    for (unsigned i = 0; i < CLIENTS - 1 - SLOTS; i++) {
        connects("");
    }
    now_ms = 0;
    pass(&now_ms, 2900);
    assert_false(slow->closed);
    for (unsigned i = 0; i < SLOTS; i++) {
        connects("");
    }
    pass(&now_ms, 200);
    assert_true(slow->closed && slow->got == 0);
    tear_down();
}

/* Validators of several names come at once, from far away: nobody is sent away who asks for an answer and goes on to, however
 * slowly. They take turns. */
TEST(slow_validators_take_turns)
{
    uint32_t now_ms = UINT32_MAX - 5000;
    set_up(8, 8);
    for (unsigned i = 0; i < 2 * SLOTS; i++) {
        connects(get);
    }
    ticks(95, &now_ms, 100); /* each needs 4 s and more */
    for (unsigned i = 0; i < 2 * SLOTS; i++) {
        assert_true(net.clients[i].closed);
        assert_memory_equal(net.clients[i].answer, "HTTP/1.1 200", 12);
    }
    assert_int_equal(h.answered, 2 * SLOTS);
    tear_down();
}

TEST(broken_connections_free_their_slot)
{
    uint32_t now_ms = 0;
    if (SLOTS < 2) {
        skip();
    }
    set_up(64, 1);
    for (unsigned i = 0; i < SLOTS; i++) {
        connects(get)->broken = i % 2 == 0;
    }
    ticks(4, &now_ms, 1);
    net.clients[1].broken = true; /* in the middle of its answer */
    ticks(3, &now_ms, 1);
    assert_true(net.clients[0].closed && net.clients[1].closed);
    struct client *validator = connects(get);
    ticks(1000, &now_ms, 1);
    assert_memory_equal(validator->answer, "HTTP/1.1 200", 12);
    assert_int_equal(h.answered, SLOTS / 2 - 1 + 1);
    tear_down();
}

TEST(listens_only_while_something_is_live)
{
    memset(&net, 0, sizeof net);
    assert_int_equal(acme_http01_init(&h, &listener), 0);
    assert_int_equal(net.starts, 0);
    net.not_yet = true;
    assert_int_equal(h.solver.present(h.solver.ctx, &live), 0);
    assert_int_equal(h.solver.present(h.solver.ctx, &live), 1);
    assert_true(net.listening);
    uint32_t now_ms = 0;
    net.in_piece = 5;
    connects(get);
    ticks(2, &now_ms, 1);
    h.solver.withdraw(h.solver.ctx, &live); /* in the middle of a request */
    assert_true(net.clients[0].closed);
    assert_false(net.listening);
    assert_int_equal(net.stops, 1);
    net.fails = true;
    assert_int_equal(h.solver.present(h.solver.ctx, &live), ACME_E_LISTEN);
    h.solver.withdraw(h.solver.ctx, &live);
    assert_string_equal(h.solver.type, "http-01");
}

/* While the listener says "not yet", as long as it takes, nothing is accepted. */
TEST(accepts_nothing_before_it_listens)
{
    uint32_t now_ms = 0;
    memset(&net, 0, sizeof net);
    assert_int_equal(acme_http01_init(&h, &listener), 0);
    net.not_yet = true;
    assert_int_equal(h.solver.present(h.solver.ctx, &live), 0);
    ticks(3, &now_ms, 1);
    h.solver.withdraw(h.solver.ctx, &live);
}

TEST(next_challenge_in_the_same_solver)
{
    struct acme_challenge second = {.name = "b.example", .token = "zzz", .thumbprint = "key"};
    set_up(64, 1000);
    is_200(ask_len(get, strlen(get)));
    tear_down();
    memset(&net.clients, 0, sizeof net.clients);
    net.count = 0;
    assert_int_equal(h.solver.present(h.solver.ctx, &second), 1);
    assert_memory_equal(ask_len(get, strlen(get)), "HTTP/1.1 404", 12);
    const char *other = "GET /.well-known/acme-challenge/zzz HTTP/1.1\r\n\r\n";
    assert_string_equal(strstr(ask_len(other, strlen(other)), "\r\n\r\n"), "\r\n\r\nzzz.key");
    h.solver.withdraw(h.solver.ctx, &second);
    assert_false(net.listening);
}

/* The names of an order, at the same time. Tokens may begin alike, or one with the whole of another. */
TEST(several_answers_at_once)
{
    struct acme_challenge all[] = {{.name = "a", .token = "abcd", .thumbprint = "key"},
                                   {.name = "b", .token = "abc", .thumbprint = "key"},
                                   {.name = "c", .token = "abce", .thumbprint = "key"},
                                   {.name = "d", .token = "x", .thumbprint = "key"},
                                   {.name = "e", .token = "abcde", .thumbprint = "key"}};
    for (unsigned out = 0; out < 6; out++) { /* 5: none of them is withdrawn */
        memset(&net, 0, sizeof net);
        net.in_piece = out % 2 == 0 ? 1 : 1000;
        net.out_piece = 1000;
        assert_int_equal(acme_http01_init(&h, &listener), 0);
        for (unsigned i = 0; i < 10; i++) { /* the same once more is nothing new */
            assert_int_equal(h.solver.present(h.solver.ctx, &all[i % 5]), 1);
        }
        if (out < 5) {
            h.solver.withdraw(h.solver.ctx, &all[out]);
            h.solver.withdraw(h.solver.ctx, &all[out]);
        }
        assert_true(net.listening);
        for (unsigned i = 0; i < 5; i++) {
            char request[100], wanted[40];
            snprintf(request, sizeof request, "GET /.well-known/acme-challenge/%s HTTP/1.1\r\n\r\n", all[i].token);
            snprintf(wanted, sizeof wanted, "\r\n\r\n%s.key", all[i].token);
            const char *answer = ask_len(request, strlen(request));
            assert_memory_equal(answer, i == out ? "HTTP/1.1 404" : "HTTP/1.1 200", 12);
            assert_string_equal(strstr(answer, "\r\n\r\n"), i == out ? "\r\n\r\n" : wanted);
        }
        static const char near[] = "GET /.well-known/acme-challenge/ab HTTP/1.1\r\n\r\n";
        assert_memory_equal(ask_len(near, strlen(near)), "HTTP/1.1 404", 12);
        for (unsigned i = 0; i < 5; i++) {
            assert_int_equal(net.stops, i == 4 && out == 4);
            if (i != out) {
                h.solver.withdraw(h.solver.ctx, &all[i]);
            }
        }
        assert_int_equal(net.stops, 1);
    }
}

/* Who is in the middle of asking for what is taken back is sent away; who asks for another, or has not said yet, is not. */
TEST(one_is_taken_back)
{
    uint32_t now_ms = 0;
    struct acme_challenge other = {.name = "b.example", .token = "zzz", .thumbprint = "key"};
    set_up(1000, 1000);
    assert_int_equal(h.solver.present(h.solver.ctx, &other), 1);
    struct client *early = connects("GET /.well-"), *mine = connects("GET /.well-known/acme-challenge/ev");
    struct client *others = connects("GET /.well-known/acme-challenge/zz");
    ticks(2, &now_ms, 1);
    h.solver.withdraw(h.solver.ctx, &live);
    assert_true(mine->closed && !early->closed && !others->closed && net.listening);
    h.solver.withdraw(h.solver.ctx, &other);
    assert_true(early->closed && others->closed && !net.listening);
}

/* An absolute target that ends with its line: the line is over, whatever it was. */
TEST(line_without_a_path)
{
    set_up(3, 1000);
    static const char line[] = "GET http://a.example\n\n";
    assert_memory_equal(ask_len(line, strlen(line)), "HTTP/1.1 404", 12);
    assert_int_equal(h.answered, 0);
    tear_down();
}
