/* ethernet.c - LAN9118, polled. Two bytes are put in front of what is received, as lwIP's ETH_PAD_SIZE wants. */
#include "lwip/pbuf.h"

#include "board.h"
#include "ethernet.h"

#define REG(offset) (*(volatile uint32_t *)(0x40200000u + (offset)))
enum {
    RX_DATA = 0x00,
    TX_DATA = 0x20,
    RX_STATUS = 0x40,
    TX_STATUS = 0x48,
    RX_CFG = 0x6c,
    TX_CFG = 0x70,
    HW_CFG = 0x74,
    RX_FIFO_INF = 0x7c,
    TX_FIFO_INF = 0x80,
    MAC_CSR_CMD = 0xa4,
    MAC_CSR_DATA = 0xa8
};
enum { MAC_CR = 1, ADDRH = 2, ADDRL = 3 };

#define BUSY       0x80000000u
#define WHOLE      0x3000u /* first and last segment */
#define CRC_LEN    4
#define FRAMES_NOW 4

static void mac_write(uint32_t number, uint32_t value)
{
    while (REG(MAC_CSR_CMD) & BUSY) {
    }
    REG(MAC_CSR_DATA) = value;
    REG(MAC_CSR_CMD) = BUSY | number;
}

static err_t output(struct netif *netif, struct pbuf *p)
{
    uint32_t len = p->tot_len - ETH_PAD_SIZE, word = 0;
    unsigned count = 0;

    (void)netif;
    while (REG(TX_FIFO_INF) & 0xff0000) { /* how frames before went does not matter, but it takes room */
        (void)REG(TX_STATUS);
    }
    if ((REG(TX_FIFO_INF) & 0xffff) < len + 16) {
        return ERR_MEM; /* TCP sends it again */
    }
    REG(TX_DATA) = WHOLE | len;
    REG(TX_DATA) = len;
    for (struct pbuf *q = p; q != NULL; q = q->next) {
        const uint8_t *from = q->payload;
        for (u16_t i = q == p ? ETH_PAD_SIZE : 0; i < q->len; i++) {
            word |= (uint32_t)from[i] << 8 * count;
            if (++count == 4) {
                REG(TX_DATA) = word;
                word = count = 0;
            }
        }
    }
    if (count > 0) {
        REG(TX_DATA) = word;
    }
    return ERR_OK;
}

/* Takes one frame out of the FIFO, every word of it even when there is no room. */
static struct pbuf *input(void)
{
    uint32_t status = REG(RX_STATUS), total = status >> 16 & 0x3fff; /* with the CRC */
    uint32_t len = total > CRC_LEN ? total - CRC_LEN + ETH_PAD_SIZE : 0;
    bool sane =
        !(status & 0x8000) && len >= ETHERNET_HEADER + ETH_PAD_SIZE && len <= ETHERNET_FRAME_MAX + ETH_PAD_SIZE;
    struct pbuf *p = sane ? pbuf_alloc(PBUF_RAW, (u16_t)len, PBUF_POOL) : NULL;
    struct ethernet_place at = {p, 0};

    for (uint32_t left = (total + ETH_PAD_SIZE + 3) / 4; left > 0; left--) {
        uint32_t word = REG(RX_DATA);
        ethernet_fill(&at, word);
    }
    return p;
}

bool board_netif_poll(struct netif *netif)
{
    unsigned frames = 0;

    while (frames < FRAMES_NOW && (REG(RX_FIFO_INF) & 0xff0000)) {
        ethernet_give(netif, input());
        frames++;
    }
    return frames > 0;
}

err_t board_netif_init(struct netif *netif)
{
    static const uint8_t mac[] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x57};

    ethernet_begin(netif, mac, output);
    REG(HW_CFG) = 1; /* reset */
    while (REG(HW_CFG) & 1) {
    }
    REG(HW_CFG) = 0x50000; /* 5 KiB for sending */
    REG(RX_CFG) = ETH_PAD_SIZE << 8;
    REG(TX_CFG) = 2;
    mac_write(ADDRL, mac[0] | (uint32_t)mac[1] << 8 | (uint32_t)mac[2] << 16 | (uint32_t)mac[3] << 24);
    mac_write(ADDRH, mac[4] | (uint32_t)mac[5] << 8);
    mac_write(MAC_CR, 0x0c); /* send and receive */
    return ERR_OK;
}
