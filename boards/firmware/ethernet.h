/* ethernet.h - what the boards' network drivers have in common. */
#ifndef FIRMWARE_ETHERNET_H
#define FIRMWARE_ETHERNET_H

#include "lwip/netif.h"
#include "lwip/pbuf.h"

#define ETHERNET_HEADER    14
#define ETHERNET_FRAME_MAX 1514

/* Tells lwIP what an Ethernet port is; `output` sends one frame, which begins ETH_PAD_SIZE bytes into the buffer. */
void ethernet_begin(struct netif *netif, const uint8_t mac[6], netif_linkoutput_fn output);

/* Where in a chain of buffers the next byte of a frame goes. */
struct ethernet_place {
    struct pbuf *q; /* NULL: what comes is dropped */
    u16_t at;
};

/* Puts the four bytes of a word there, the lowest first; those behind the last buffer are dropped. */
void ethernet_fill(struct ethernet_place *place, uint32_t word);

/* Gives a frame to lwIP, or drops it when lwIP does not want it; NULL: none. */
void ethernet_give(struct netif *netif, struct pbuf *p);

#endif
