/* ethernet.c - virtio network, polled: four buffers for what comes, one for what goes. */
#include <string.h>

#include "lwip/pbuf.h"

#include "board.h"
#include "ethernet.h"
#include "virtio.h"

#define VIRTIO_HEADER 12

static struct virtq rx, tx;
static uint8_t rx_buffer[VIRTQ_LEN][VIRTIO_HEADER + ETHERNET_FRAME_MAX],
    tx_buffer[VIRTIO_HEADER + ETHERNET_FRAME_MAX];
static bool sending;

static err_t output(struct netif *netif, struct pbuf *p)
{
    uint16_t slot, len = (uint16_t)(p->tot_len - ETH_PAD_SIZE);
    uint32_t unused;

    (void)netif;
    if (virtio_take(&tx, &slot, &unused)) {
        sending = false;
    }
    if (sending || len > ETHERNET_FRAME_MAX) {
        return ERR_MEM; /* TCP sends it again */
    }
    memset(tx_buffer, 0, VIRTIO_HEADER);
    (void)pbuf_copy_partial(p, tx_buffer + VIRTIO_HEADER, len, ETH_PAD_SIZE);
    virtio_give(&tx, 0, tx_buffer, VIRTIO_HEADER + len, false);
    sending = true;
    return ERR_OK;
}

bool board_netif_poll(struct netif *netif)
{
    uint16_t slot;
    uint32_t len;
    struct pbuf *p = NULL;

    if (!virtio_take(&rx, &slot, &len)) {
        return false;
    }
    if (len >= VIRTIO_HEADER + ETHERNET_HEADER && len <= VIRTIO_HEADER + ETHERNET_FRAME_MAX) {
        uint16_t frame = (uint16_t)(len - VIRTIO_HEADER);
        p = pbuf_alloc(PBUF_RAW, (uint16_t)(frame + ETH_PAD_SIZE), PBUF_POOL);
        if (p != NULL) {
            (void)pbuf_take_at(p, rx_buffer[slot] + VIRTIO_HEADER, frame, ETH_PAD_SIZE);
        }
    }
    virtio_give(&rx, slot, rx_buffer[slot], sizeof rx_buffer[slot], true);
    ethernet_give(netif, p);
    return true;
}

err_t board_netif_init(struct netif *netif)
{
    static const uint8_t mac[] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x58};
    uint32_t registers = virtio_find(VIRTIO_NET);

    ethernet_begin(netif, mac, output);
    if (registers == 0 || !virtio_agree(registers)) {
        return ERR_IF;
    }
    virtio_queue(&rx, registers, 0);
    virtio_queue(&tx, registers, 1);
    virtio_go(registers);
    for (uint16_t slot = 0; slot < VIRTQ_LEN; slot++) {
        virtio_give(&rx, slot, rx_buffer[slot], sizeof rx_buffer[slot], true);
    }
    return ERR_OK;
}
