/* lwipopts.h - lwIP as small as an ACME client and a small HTTPS page allow. */
#ifndef FIRMWARE_LWIPOPTS_H
#define FIRMWARE_LWIPOPTS_H

#include <stdint.h>

#ifndef NO_SYS /* with a kernel: tests/boards/kernel/lwipopts.h */
#define NO_SYS               1
#define SYS_LIGHTWEIGHT_PROT 0
#endif
#define LWIP_SOCKET   0
#define LWIP_NETCONN  0
#define LWIP_IPV4     1
#define LWIP_IPV6     0
#define LWIP_DHCP     1
#define LWIP_UDP      1
#define LWIP_ICMP     1
#define LWIP_STATS    0
#define LWIP_NOASSERT 1

/* What one Ethernet port does without: 0.9 KB of code. */
#define LWIP_SINGLE_NETIF          1
#define IP_OPTIONS_ALLOWED         0
#define TCP_CALCULATE_EFF_SEND_MSS 0 /* TCP_MSS suits its MTU */
#define TCP_OVERSIZE               0 /* a segment may be a chain: the drivers send those */
#define LWIP_INLINE_IP_CHKSUM      0
#define LWIP_CHKSUM_ALGORITHM      1 /* the small one */

/* An address within milliseconds; nobody else is on an emulated wire. */
#define LWIP_DHCP_CHECK_LINK_UP  0
#define DHCP_DOES_ARP_CHECK      0
#define LWIP_DHCP_DOES_ACD_CHECK 0
#define ARP_QUEUEING             0

/* Memory: the pool holds what has been received and not read, the heap what is sent and not acknowledged. */
#define MEM_ALIGNMENT 4
#ifdef FIRMWARE_SMALL
#define TCP_MSS          536
#define MEMP_NUM_TCP_PCB 4
#define PBUF_POOL_SIZE   5
#define MEM_SIZE         1600
#else
#define TCP_MSS          1460
#define MEMP_NUM_TCP_PCB 6
#define PBUF_POOL_SIZE   7
#define MEM_SIZE         3200
#endif
#define TCP_WND                 (2 * TCP_MSS)
#define TCP_SND_BUF             (2 * TCP_MSS)
#define TCP_SND_QUEUELEN        8
#define MEMP_NUM_TCP_SEG        10
#define MEMP_NUM_TCP_PCB_LISTEN 2
#define MEMP_NUM_PBUF           8
#define MEMP_NUM_REASSDATA      1
#define MEMP_NUM_NETBUF         0
#define MEMP_NUM_NETCONN        0
#define PBUF_POOL_BUFSIZE       512
#define ETH_PAD_SIZE            2 /* the Ethernet chips put two bytes in front of a frame */
#define DNS_TABLE_SIZE          1
#define DNS_MAX_SERVERS         1
#define DNS_MAX_NAME_LENGTH     128
#define ARP_TABLE_SIZE          4
#define MEMP_NUM_SYS_TIMEOUT    (LWIP_NUM_SYS_TIMEOUT_INTERNAL + 1) /* SNTP's */

/* DHCP, DNS, SNTP; with DNS01=1 updates of the zone. */
#ifdef FIRMWARE_DNS01
#define MEMP_NUM_UDP_PCB 4
#else
#define MEMP_NUM_UDP_PCB 3
#endif

#define LWIP_NETIF_TX_SINGLE_PBUF 0

/* Random numbers that decide about forgery: from the board's generator (random.c). */
uint32_t firmware_random32(void);
#define LWIP_RAND() firmware_random32()
uint32_t firmware_isn(const void *local_ip, uint16_t local_port, const void *remote_ip, uint16_t remote_port);
#define LWIP_HOOK_TCP_ISN(local_ip, local_port, remote_ip, remote_port)                                              \
    firmware_isn(local_ip, local_port, remote_ip, remote_port)

/* With `make firmware SNTP=address` (option/sntp.c). */
extern const uint16_t firmware_sntp_port;
#define SNTP_PORT firmware_sntp_port

#include "lwipopts_acme.h"

#endif
