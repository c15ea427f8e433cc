/* lwipopts_acme.h - options of lwIP that decide about safety, with reasons. Include it at the end of your lwipopts.h;
 * what you have set before is left alone, so that a difference from this list is a decision of yours.
 *
 * Faults named here are those of lwIP 2.1.3 (2021), the version of many SDKs and of Debian 12. */
#ifndef ACME_LWIPOPTS_H
#define ACME_LWIPOPTS_H

#include <stdint.h>

/* What the port is built on. */
#ifndef LWIP_RAW
#define LWIP_RAW 0
#endif
#ifndef LWIP_TCP
#define LWIP_TCP 1
#endif
#ifndef LWIP_DNS
#define LWIP_DNS 1
#endif
#ifndef TCP_LISTEN_BACKLOG
#define TCP_LISTEN_BACKLOG 1 /* connections beyond the slots wait unanswered instead of being reset */
#endif
#ifndef SO_REUSE
#define SO_REUSE 1 /* the listener can start again while old connections wait out their two minutes */
#endif

/* Name answers are believed only with the right transaction number and port; both are random only when LWIP_RAND is,
 * so lwipopts.h must define it upon the hardware generator, before this line: one of arch/cc.h is not seen here. */
#ifndef LWIP_DNS_SECURE
#define LWIP_DNS_SECURE                                                                                              \
    (LWIP_DNS_SECURE_RAND_XID | LWIP_DNS_SECURE_NO_MULTIPLE_OUTSTANDING | LWIP_DNS_SECURE_RAND_SRC_PORT)
#endif
#ifndef LWIP_RAND
#error "define LWIP_RAND() in lwipopts.h, before the include: DNS and TCP can be forged otherwise"
#endif

/* lwIP's own initial sequence number is the same after every reset. A random one for each connection needs no more than
 * this; RFC 6528's, which also grows with time, is a hook of your own. */
#ifndef LWIP_HOOK_TCP_ISN
#define LWIP_HOOK_TCP_ISN(local_ip, local_port, remote_ip, remote_port) LWIP_RAND()
#endif

/* lwIP keeps one address of an answer, the first, for as long as the name server allows. When that host is down, only
 * another answer leads to another one: most name servers change the order each time. */
#ifndef DNS_MAX_TTL
#define DNS_MAX_TTL 1 /* second: every connection asks */
#endif

/* SNTP has a timeout of its own, for which lwIP leaves no room: the one started last gets none, which may be TCP's. */
#ifndef MEMP_NUM_SYS_TIMEOUT
#define MEMP_NUM_SYS_TIMEOUT (LWIP_NUM_SYS_TIMEOUT_INTERNAL + 1)
#endif

/* Fragments: 2.1.3 can follow a NULL pointer when memory runs out, and no ACME server sends any. */
#ifndef IP_REASSEMBLY
#define IP_REASSEMBLY 0
#endif
#ifndef IP_FRAG
#define IP_FRAG 0
#endif

/* Segments out of order: 2.1.3 can keep a broken queue; the peer sends them again. Saves RAM, too. */
#ifndef TCP_QUEUE_OOSEQ
#define TCP_QUEUE_OOSEQ 0
#endif
#ifndef LWIP_TCP_TIMESTAMPS
#define LWIP_TCP_TIMESTAMPS 0 /* wrong on big-endian machines in 2.1.3 */
#endif

/* The DHCP client writes past the table of name servers when it may take more than there is room for. */
#ifndef DNS_MAX_SERVERS
#define DNS_MAX_SERVERS 2
#endif
#ifndef LWIP_DHCP_MAX_DNS_SERVERS
#define LWIP_DHCP_MAX_DNS_SERVERS DNS_MAX_SERVERS
#endif
#if LWIP_DHCP_MAX_DNS_SERVERS > DNS_MAX_SERVERS
#error "LWIP_DHCP_MAX_DNS_SERVERS must not exceed DNS_MAX_SERVERS"
#endif

/* An SNTP answer must be to our own question: from that server and port, and with our time stamp. That stamp need not be
 * a time. lwIP's own default is zero, which anybody can guess; here it is 64 random bits. */
#ifndef SNTP_CHECK_RESPONSE
#define SNTP_CHECK_RESPONSE 2
#endif
#if !defined(SNTP_GET_SYSTEM_TIME) && !defined(SNTP_GET_SYSTEM_TIME_NTP)
#if defined(SNTP_COMP_ROUNDTRIP) && SNTP_COMP_ROUNDTRIP
#error "SNTP_COMP_ROUNDTRIP needs a SNTP_GET_SYSTEM_TIME of yours; nanoacme does not need it"
#endif
#define SNTP_GET_SYSTEM_TIME_NTP(seconds, fraction)                                                                  \
    do {                                                                                                             \
        (seconds) = (int32_t)LWIP_RAND();                                                                            \
        (fraction) = LWIP_RAND();                                                                                    \
    } while (0)
#endif
/* Answers go to lwip_time.c, which says as well when the next one is wanted. */
#if !defined(SNTP_SET_SYSTEM_TIME) && !defined(SNTP_SET_SYSTEM_TIME_US) && !defined(SNTP_SET_SYSTEM_TIME_NTP)
void acme_lwip_sntp(int32_t seconds);
#define ACME_LWIP_SNTP                              1
#define SNTP_SET_SYSTEM_TIME_NTP(seconds, fraction) acme_lwip_sntp(seconds)
#ifndef SNTP_UPDATE_DELAY
extern uint32_t acme_lwip_sntp_delay;
#define SNTP_UPDATE_DELAY acme_lwip_sntp_delay
#define SNTP_SUPPRESS_DELAY_CHECK
#endif
#endif

/* What cannot be set here is a netif's: allocate from PBUF_POOL only, and drop frames shorter than their headers
 * (2.1.3's ARP does not check). acme_lwip.h looks at all that has come of it, with lwIP's own defaults. */

#endif
