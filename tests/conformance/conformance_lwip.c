/* conformance_lwip.c - the conformance run of port/lwip and port/flash: lwIP built for this machine without a system,
 * talking to itself over its loopback, and a memory in RAM. The name server is a socket of the same lwIP. */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "lwip/dns.h"
#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/timeouts.h"
#include "lwip/udp.h"

#include "acme_lwip.h"
#include "conformance.h"
#include "fake/flash.h"

#define PORT 8080

static struct acme_lwip_net net;
static struct acme_lwip_listener listener;
static struct acme_flash_store store;
static struct flash flash;

/* What lwIP wants from a system. */

u32_t sys_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (u32_t)now.tv_sec * 1000 + (u32_t)(now.tv_nsec / 1000000);
}

uint32_t host_random(void)
{
    uint32_t value = 0;
    (void)getrandom(&value, sizeof value, 0);
    return value;
}

static int sys_random(void *ctx, void *buf, size_t len)
{
    (void)ctx;
    return getrandom(buf, len, 0) == (ssize_t)len ? 0 : ACME_E_RANDOM;
}

static int sys_utc(void *ctx, int64_t *utc)
{
    (void)ctx;
    *utc = time(NULL);
    return 1;
}

/* The name server's table: what exists, and what the answers to A (one after the other, and again) and AAAA hold. No
 * way leads to DEAD. */
#define DEAD "\x0a\0\0\x01"
#define HERE "\x7f\0\0\x01"
#define SIX  "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
static struct row {
    const char *name;
    const char *a[2], *aaaa;
    unsigned asked;
} rows[] = {
    {"\x08localnet\x04test", {HERE, HERE}, NULL, 0},
    {"\x05turns\x04test", {DEAD, HERE}, NULL, 0},
    {"\4both\x04test", {DEAD, DEAD}, SIX, 0},
};

static struct row *row_of(const uint8_t *question, size_t len)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t name = strlen(rows[i].name) + 1;
        if (len >= name + 4 && memcmp(question, rows[i].name, name) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

/* Answers the question it gets: one address, for a minute; anything else does not exist. */
static void on_question(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from, u16_t port)
{
    uint8_t message[300] = {0};
    u16_t len = pbuf_copy_partial(p, message, 200, 0);
    struct row *row = len > 12 ? row_of(message + 12, (size_t)len - 12) : NULL;
    bool six = row != NULL && message[len - 3] == 28;
    const char *address = row == NULL ? NULL : six ? row->aaaa : row->a[row->asked++ % 2];

    (void)arg;
    (void)pbuf_free(p);
    message[2] = 0x81; /* an answer */
    message[3] = row != NULL ? 0x80 : 0x83;
    message[7] = address != NULL;
    if (address != NULL) {
        const uint8_t record[] = {0xc0, 12, 0, six ? 28 : 1, 0, 1, 0, 0, 0, 60, 0, six ? 16 : 4};
        memcpy(message + len, record, sizeof record);
        memcpy(message + len + sizeof record, address, record[11]);
        len = (u16_t)(len + sizeof record + record[11]);
    }
    p = pbuf_alloc(PBUF_TRANSPORT, len, PBUF_RAM);
    if (p != NULL) {
        (void)pbuf_take(p, message, len);
        (void)udp_sendto(pcb, p, from, port);
        (void)pbuf_free(p);
    }
}

/* What the run wants from a port. */

static uint16_t listening(void)
{
    return PORT;
}

static void wait_a_little(void)
{
    struct timespec little = {0, 200000};
    netif_poll_all();
    sys_check_timeouts();
    (void)nanosleep(&little, NULL); /* lint: polls */
}

static void reset(void)
{
    flash_on(&flash);
    memset(&store, 0xa5, sizeof store);
    (void)acme_flash_init(&store, &flash.device);
}

static void say(const char *line)
{
    puts(line);
}

/* Until a deadline, or until the connection is open or has failed. */
static int open_until(const char *name)
{
    uint32_t start = sys_now();
    int r;

    while ((r = net.net.open(net.net.ctx, name, PORT)) == 0 && sys_now() - start < 5000) {
        wait_a_little();
    }
    return r;
}

/* A name with one address that leads nowhere: the next attempt takes another one. As the core does, after a while. */
static int addresses(void)
{
    static const char *const names[] = {"turns.test", "both.test", "turns.test"};
    unsigned good = 0, count = sizeof names / sizeof names[0];

    (void)listener.listener.start(listener.listener.ctx);
    for (unsigned i = 0; i < count; i++) {
        uint32_t start = sys_now();
        acme_lwip_net_init(&net);
        int first = open_until(names[i]);
        net.net.close(net.net.ctx);
        while (sys_now() - start < 2200) { /* two of lwIP's seconds */
            wait_a_little();
        }
        int second = open_until(names[i]);
        net.net.close(net.net.ctx);
        listener.listener.close(listener.listener.ctx, 0);
        printf("# %s: %d, %d\n", names[i], first, second);
        good += first == ACME_E_UNREACHABLE && second == 1;
    }
    return good == count ? 0 : 1;
}

/* A server that says what it hears, and notes who has asked. */
static void on_echo(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from, u16_t port)
{
    *(u16_t *)arg = port;
    (void)udp_sendto(pcb, p, from, port);
    (void)pbuf_free(p);
}

/* Waits for a datagram; 0: none has come. */
static int next_of(struct acme_lwip_udp *u, void *data, size_t cap)
{
    uint32_t start = sys_now();
    int len;
    while ((len = u->udp.recv(u->udp.ctx, data, cap)) == 0 && sys_now() - start < 100) {
        wait_a_little();
    }
    return len;
}

static int open_udp(struct acme_lwip_udp *u, const char *host)
{
    uint32_t start = sys_now();
    int r;
    while ((r = u->udp.open(u->udp.ctx, host, PORT)) == 0 && sys_now() - start < 5000) {
        wait_a_little();
    }
    return r;
}

static void say_to(struct udp_pcb *from, const ip_addr_t *here, u16_t port, u16_t len)
{
    struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, len, PBUF_RAM);
    if (p != NULL) {
        memset(p->payload, 0, len);
        (void)udp_sendto(from, p, here, port);
        (void)pbuf_free(p);
    }
}

static int datagrams(const ip_addr_t *here)
{
    static struct acme_lwip_udp u;
    static u16_t ports[3];
    char data[40];
    unsigned bad = 0;
    struct udp_pcb *echo = udp_new(), *stranger = udp_new();

    (void)udp_bind(echo, here, PORT);
    (void)udp_bind(stranger, here, PORT + 1);
    acme_lwip_udp_init(&u);
    bad += u.udp.send(&u, "x", 1) != ACME_E_NET || u.udp.recv(&u, data, sizeof data) != ACME_E_NET;
    u.udp.close(&u);
    for (unsigned i = 0; i < 3; i++) {
        udp_recv(echo, on_echo, &ports[i]);
        bad += open_udp(&u, i == 1 ? "localnet.test" : "127.0.0.1") != 1 || u.udp.open(&u, "127.0.0.1", PORT) != 1;
        bad += u.udp.recv(&u, data, sizeof data) != 0;
        bad += u.udp.send(&u, "hello", 5) != 5;
        bad += next_of(&u, data, sizeof data) != 5 || memcmp(data, "hello", 5) != 0;
        say_to(stranger, here, ports[i], 30); /* from elsewhere */
        bad += next_of(&u, data, sizeof data) != 0;
        say_to(echo, here, ports[i], 60); /* too long */
        bad += next_of(&u, data, sizeof data) != 0;
        say_to(echo, here, ports[i], 30);
        say_to(echo, here, ports[i], 30); /* one waits, the other is dropped */
        bad += next_of(&u, data, sizeof data) != 30 || next_of(&u, data, sizeof data) != 0;
        say_to(echo, here, ports[i], 30); /* not read any more */
        wait_a_little();
        u.udp.close(&u);
    }
    bad += open_udp(&u, "unknown.invalid") != ACME_E_HOST;
    bad += ports[0] < 49152 || ports[1] == ports[0] + 1;
    bad += acme_lwip_udp_init_sized(&u, 1) != ACME_E_SIZE;
    printf("# %u of the checks of datagrams have failed; ports %u, %u, %u\n", bad, ports[0], ports[1], ports[2]);
    return bad == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    static const struct acme_sys sys = {NULL, sys_random, sys_utc};
    static const struct conformance_port port = {
        .net = &net.net,
        .listener = &listener.listener,
        .sys = &sys,
        .store = &store.store,
        .address = "127.0.0.1",
        .name = "localnet.test",
        .unknown = "unknown.invalid",
        .listening = listening,
        .now_ms = sys_now,
        .wait = wait_a_little,
        .reset = reset,
        .say = say,
    };
    ip_addr_t here;
    struct udp_pcb *names;

    lwip_init();
    IP_ADDR4(&here, 127, 0, 0, 1);
    names = udp_new();
    if (names == NULL || udp_bind(names, &here, 53) != ERR_OK) {
        return 2;
    }
    udp_recv(names, on_question, NULL);
    dns_setserver(0, &here);
    acme_lwip_net_init(&net);
    acme_lwip_listener_init(&listener, PORT, ACME_HTTP01_SLOTS);
    flash_new(&flash, false, 0xff);
    reset();
    if (argc > 1 && strcmp(argv[1], "addresses") == 0) {
        return addresses();
    }
    if (argc > 1 && strcmp(argv[1], "datagrams") == 0) {
        return datagrams(&here);
    }
    return conformance_run(&port) == 0 && flash.misused == 0 ? 0 : 1;
}
