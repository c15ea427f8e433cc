/* ethernet.c - the Stellaris Ethernet controller, polled.
 *
 * Its FIFO puts two bytes of length in front of a frame; lwIP's ETH_PAD_SIZE leaves two, so words move whole.
 * The MAC has no name of its own here: it takes the emulator's usual one. */
#include "lwip/pbuf.h"

#include "board.h"
#include "ethernet.h"

#define REG(offset) (*(volatile uint32_t *)(0x40048000u + (offset)))
enum { IM = 0x04, RCTL = 0x08, TCTL = 0x0c, DATA = 0x10, MAC0 = 0x14, MAC1 = 0x18, NP = 0x34, TR = 0x38 };

#define CRC_LEN    4
#define FRAME_MIN  60
#define FRAMES_NOW 4 /* given to lwIP in one call */

/* Collects bytes to words for the FIFO. */
struct words {
    uint32_t word;
    unsigned count;
};

static void put_byte(struct words *w, uint8_t byte)
{
    w->word |= (uint32_t)byte << 8 * w->count;
    if (++w->count == 4) {
        REG(DATA) = w->word;
        w->word = w->count = 0;
    }
}

static err_t output(struct netif *netif, struct pbuf *p)
{
    struct words w = {0, 0};
    uint32_t len = p->tot_len - ETH_PAD_SIZE, padded = len < FRAME_MIN ? FRAME_MIN : len, done = 0;

    (void)netif;
    while (REG(TR) & 1) { /* the frame before is on its way */
    }
    put_byte(&w, (uint8_t)(padded - ETHERNET_HEADER));
    put_byte(&w, (uint8_t)((padded - ETHERNET_HEADER) >> 8));
    for (struct pbuf *q = p; q != NULL; q = q->next) {
        const uint8_t *from = q->payload;
        for (u16_t i = q == p ? ETH_PAD_SIZE : 0; i < q->len; i++, done++) {
            put_byte(&w, from[i]);
        }
    }
    for (; done < padded || w.count != 0; done++) {
        put_byte(&w, 0);
    }
    REG(TR) = 1;
    return ERR_OK;
}

/* Takes one frame out of the FIFO, every word of it even when there is no room: the next one would be misread. */
static struct pbuf *input(void)
{
    uint32_t word = REG(DATA);
    uint32_t total = word & 0xffff; /* with these two bytes and the CRC */
    uint32_t len = total > CRC_LEN + ETH_PAD_SIZE ? total - CRC_LEN : 0;
    bool sane = len >= ETHERNET_HEADER + ETH_PAD_SIZE && len <= ETHERNET_FRAME_MAX + ETH_PAD_SIZE;
    struct pbuf *p = sane ? pbuf_alloc(PBUF_RAW, (u16_t)len, PBUF_POOL) : NULL;
    struct ethernet_place at = {p, 0};

    for (uint32_t left = (total + 3) / 4; left > 0; left--) {
        ethernet_fill(&at, word);
        if (left > 1) {
            word = REG(DATA);
        }
    }
    return p;
}

bool board_netif_poll(struct netif *netif)
{
    unsigned frames = 0;

    while (frames < FRAMES_NOW && REG(NP) > 0) {
        ethernet_give(netif, input());
        frames++;
    }
    return frames > 0;
}

err_t board_netif_init(struct netif *netif)
{
    static const uint8_t mac[] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

    ethernet_begin(netif, mac, output);
    REG(IM) = 0;
    REG(MAC0) = mac[0] | (uint32_t)mac[1] << 8 | (uint32_t)mac[2] << 16 | (uint32_t)mac[3] << 24;
    REG(MAC1) = mac[4] | (uint32_t)mac[5] << 8;
    REG(RCTL) = 0x10; /* empty the FIFO */
    REG(RCTL) = 3;    /* receive, multicast too */
    REG(TCTL) = 7;    /* send, padded, with CRC */
    return ERR_OK;
}
