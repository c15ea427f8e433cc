/* acme_lwip.h - struct acme_net and struct acme_listener over lwIP's raw API (2.1 or later).
 *
 * The same files serve both kinds of system. With NO_SYS=1 everything runs in the main loop, and nothing here may be
 * called while lwIP itself is at work. With NO_SYS=0 the functions take lwIP's core lock (LWIP_TCPIP_CORE_LOCKING=1)
 * and are called by the one task that ticks the client; lwIP's callbacks only note what came, so the core is never
 * entered from them.
 *
 * lwipopts_acme.h has the options of lwIP that matter for safety; README.md is the page for your firmware. */
#ifndef ACME_LWIP_H
#define ACME_LWIP_H

#include "lwip/opt.h"

/* Without these it does not work, or not for long: said here, whether or not lwipopts_acme.h has been included. */
#if !NO_SYS && !LWIP_TCPIP_CORE_LOCKING
#error "port/lwip needs LWIP_TCPIP_CORE_LOCKING=1"
#endif
#if !LWIP_TCP
#error "port/lwip needs LWIP_TCP=1"
#endif
#if !LWIP_DNS
#error "port/lwip needs LWIP_DNS=1"
#endif
#if !TCP_LISTEN_BACKLOG
#error "port/lwip needs TCP_LISTEN_BACKLOG=1: visitors beyond the slots would be reset, the CA's among them"
#endif
#if !SO_REUSE
#error "port/lwip needs SO_REUSE=1: the http-01 listener could not start again for two minutes"
#endif
#ifndef LWIP_RAND
#error "port/lwip needs LWIP_RAND() upon the hardware generator: DNS and TCP can be forged otherwise"
#endif
#ifdef LWIP_HOOK_FILENAME /* hooks of a file of their own are seen by lwIP's sources alone */
#include LWIP_HOOK_FILENAME
#endif
#ifndef LWIP_HOOK_TCP_ISN
#error                                                                                                               \
    "port/lwip needs LWIP_HOOK_TCP_ISN(), or lwipopts_acme.h: the same sequence numbers after every reset otherwise"
#endif
#if !MEMP_MEM_MALLOC && TCP_WND >= PBUF_POOL_SIZE * PBUF_POOL_BUFSIZE
#error "TCP_WND must be smaller than the buffer pool: what is received waits there until the client reads it"
#endif
#if defined(ACME_LWIP_SNTP) && LWIP_TIMERS && !MEMP_MEM_MALLOC &&                                                    \
    MEMP_NUM_SYS_TIMEOUT <= LWIP_NUM_SYS_TIMEOUT_INTERNAL
#error                                                                                                               \
    "port/lwip needs MEMP_NUM_SYS_TIMEOUT of LWIP_NUM_SYS_TIMEOUT_INTERNAL + 1: SNTP would take the place of TCP's timer"
#endif

#include "lwip/ip_addr.h"
#include "lwip/pbuf.h"
#include "lwip/tcp.h"
#include "lwip/udp.h"

#include "acme_clock.h"
#include "acme_config.h"
#include "acme_port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One TCP connection. What is received stays in lwIP's own buffers until it is read, and only then may the peer send
 * more: the window is the back-pressure. */
struct acme_lwip_conn {
    struct tcp_pcb *pcb;   /* NULL: none, or it has ended by itself */
    struct pbuf *received; /* not read yet                          */
    int error;             /* why it ended; 0 it has not            */
    bool connected;
    bool waiting; /* of a listener: not accepted yet       */
    bool spoke;   /* something was sent                    */
};

enum acme_lwip_state { ACME_LWIP_OFF, ACME_LWIP_LOOKUP, ACME_LWIP_FOUND, ACME_LWIP_NOT_FOUND, ACME_LWIP_CONNECTING };

struct acme_lwip_net {
    struct acme_net net; /* give &this.net to acme_setup::net */
    struct acme_lwip_conn conn;
    enum acme_lwip_state state;
    bool other;       /* IPv4 or IPv6 first: not lwIP's choice, which has failed; one of them only: no matter */
    const char *host; /* being looked up; valid in that state */
    ip_addr_t address;
};

struct acme_lwip_listener {
    struct acme_listener listener; /* give &this.listener to acme_http01_init() */
    struct tcp_pcb *pcb;           /* NULL: not listening                       */
    uint16_t port;
    uint8_t slots;
    struct acme_lwip_conn conns[ACME_HTTP01_SLOTS];
};

/* Datagrams, for dns/rfc2136.h. */
struct acme_lwip_udp {
    struct acme_udp udp; /* give &this.udp to struct acme_rfc2136_zone */
    struct udp_pcb *pcb;
    struct pbuf *received; /* not read yet                      */
    enum acme_lwip_state state;
    const char *host; /* being looked up; valid in that state */
    ip_addr_t address;
};

/* Prepares it. Caller's memory, for good, and errors, as for the connection below. */
#define acme_lwip_udp_init(u) acme_lwip_udp_init_sized((u), sizeof(struct acme_lwip_udp))
int acme_lwip_udp_init_sized(struct acme_lwip_udp *u, size_t size);

/* Prepares the connection. Caller's memory, for good: a name lookup cannot be called back. lwIP gives one address of a
 * name. Each attempt asks for the name anew (DNS_MAX_TTL of lwipopts_acme.h) and takes that of the answer; after one
 * that failed, the other of IPv4 and IPv6 goes first where lwIP has both. Returns 0, or ACME_E_SIZE: these files were
 * compiled with other options, ours or lwIP's, than the caller. */
#define acme_lwip_net_init(n) acme_lwip_net_init_sized((n), sizeof(struct acme_lwip_net))
int acme_lwip_net_init_sized(struct acme_lwip_net *n, size_t size);

/* Prepares a listener on `port` with 1..ACME_HTTP01_SLOTS slots. More connections than that wait in SYN: lwIP does not
 * answer them, so they come again. Returns 0 or ACME_E_SIZE, as above. */
#define acme_lwip_listener_init(l, port, slots)                                                                      \
    acme_lwip_listener_init_sized((l), sizeof(struct acme_lwip_listener), (port), (slots))
int acme_lwip_listener_init_sized(struct acme_lwip_listener *l, size_t size, uint16_t port, uint8_t slots);

/* Somebody is connected and not accepted yet. */
bool acme_lwip_listener_awaited(const struct acme_lwip_listener *l);

/* Time from lwIP's SNTP client: prepare a clock with acme_clock_init(), make it the one that is fed, start the client
 * (sntp_setserver(), sntp_init()), and call acme_lwip_utc with the clock as its ctx from struct acme_sys. What lwIP
 * believes is believed here, above the clock's floor: it drops answers of stratum 0, but does not look at the leap
 * indicator, by which a server says that it is not synchronised, nor at a stratum beyond 15 (RFC 4330, 5), and its hook
 * has the seconds only. So ask a server of which you know that it does not answer before it knows the time; README.md
 * shows what to do when it did. It is asked every hour, and every 15 seconds until an answer is believed. */
void acme_lwip_sntp_feeds(struct acme_clock *c);
int acme_lwip_utc(void *ctx, int64_t *utc);

/* The rest is for the files above it. */

#if NO_SYS
#define ACME_LWIP_LOCK()
#define ACME_LWIP_UNLOCK()
#else
#include "lwip/tcpip.h"
#define ACME_LWIP_LOCK()   LOCK_TCPIP_CORE()
#define ACME_LWIP_UNLOCK() UNLOCK_TCPIP_CORE()
#endif

/* Called by lwIP's callbacks, with its lock held: a task that sleeps may look again. Define it in lwipopts.h. */
#ifndef ACME_LWIP_WAKE
#define ACME_LWIP_WAKE()
#endif

/* Makes the connection the pcb's; the lock is held. */
void acme_lwip_conn_take(struct acme_lwip_conn *c, struct tcp_pcb *pcb);

/* As in acme_port.h; they take the lock. */
int acme_lwip_conn_send(struct acme_lwip_conn *c, const void *data, size_t len);
int acme_lwip_conn_recv(struct acme_lwip_conn *c, void *data, size_t cap);

/* Ends it, after what was sent has gone out; the lock is held. */
void acme_lwip_conn_drop(struct acme_lwip_conn *c);

/* The same for one that came in. When nothing was sent it is forgotten without a word, and the peer hears a reset when he speaks
 * next: there are few places, and who was sent away would be back in one at once. The lock is held. */
void acme_lwip_conn_shed(struct acme_lwip_conn *c);

#ifdef __cplusplus
}
#endif

#endif
