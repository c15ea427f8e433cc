/* ethernet.c - see ethernet.h. */
#include <string.h>

#include "lwip/etharp.h"

#include "ethernet.h"

void ethernet_begin(struct netif *netif, const uint8_t mac[6], netif_linkoutput_fn output)
{
    netif->name[0] = 'e';
    netif->name[1] = 'n';
    netif->mtu = 1500;
    netif->hwaddr_len = NETIF_MAX_HWADDR_LEN;
    memcpy(netif->hwaddr, mac, NETIF_MAX_HWADDR_LEN);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
    netif->output = etharp_output;
    netif->linkoutput = output;
}

void ethernet_fill(struct ethernet_place *place, uint32_t word)
{
    for (unsigned i = 0; i < 4 && place->q != NULL; i++) {
        ((uint8_t *)place->q->payload)[place->at++] = (uint8_t)(word >> 8 * i);
        if (place->at == place->q->len) {
            place->q = place->q->next;
            place->at = 0;
        }
    }
}

void ethernet_give(struct netif *netif, struct pbuf *p)
{
    if (p != NULL && netif->input(p, netif) != ERR_OK) {
        (void)pbuf_free(p);
    }
}
