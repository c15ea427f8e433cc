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

/* Answers the question it gets: localnet.test is 127.0.0.1, anything else does not exist. */
static void on_question(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from, u16_t port)
{
    static const uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1};
    static const char known[] = "\x08localnet\x04test";
    uint8_t message[300] = {0};
    u16_t len = pbuf_copy_partial(p, message, 200, 0);
    bool found = len > 12 + sizeof known && memcmp(message + 12, known, sizeof known) == 0;

    (void)arg;
    (void)pbuf_free(p);
    message[2] = 0x81; /* an answer */
    message[3] = found ? 0x80 : 0x83;
    message[7] = found;
    if (found) {
        memcpy(message + len, record, sizeof record);
        len = (u16_t)(len + sizeof record);
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

int main(void)
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
    return conformance_run(&port) == 0 && flash.misused == 0 ? 0 : 1;
}
