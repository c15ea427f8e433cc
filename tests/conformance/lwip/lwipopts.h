/* lwipopts.h - lwIP on this machine, talking to itself; sizes as on a board. */
#ifndef CONFORMANCE_LWIPOPTS_H
#define CONFORMANCE_LWIPOPTS_H

#include <stdint.h>

#define NO_SYS               1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_SOCKET          0
#define LWIP_NETCONN         0
#define LWIP_IPV4            1
#ifndef LWIP_IPV6
#define LWIP_IPV6 1
#endif
#define LWIP_IPV6_REASS         0 /* asserts on 64-bit machines */
#define LWIP_ARP                0
#define LWIP_ETHERNET           0
#define LWIP_UDP                1
#define LWIP_STATS              0
#define LWIP_HAVE_LOOPIF        1
#define LWIP_NETIF_LOOPBACK     1
#define LWIP_LOOPBACK_MAX_PBUFS 24
#define MEM_ALIGNMENT           8
#define TCP_MSS                 1460
#define TCP_WND                 (2 * TCP_MSS)
#define TCP_SND_BUF             (2 * TCP_MSS)
#define TCP_SND_QUEUELEN        8
#define MEMP_NUM_TCP_SEG        16
#define MEMP_NUM_TCP_PCB        6
#define MEMP_NUM_TCP_PCB_LISTEN 2
#define MEMP_NUM_UDP_PCB        5
#define PBUF_POOL_SIZE          32
#define PBUF_POOL_BUFSIZE       512
#define MEM_SIZE                32768
#define DNS_TABLE_SIZE          1

uint32_t host_random(void);
#define LWIP_RAND() host_random()

#include "lwipopts_acme.h"

#endif
