/* lossy.c - a bad wire for a test image: `make firmware LOSSY=percent,seed`. In both directions frames get lost, and a
 * third as many come twice, and a third as many come late, behind the next one. The linker calls this in the place of
 * netif_add(). */
#include <string.h>

#include "board.h"
#include "firmware.h"
#include "say.h"

#define FRAME_MAX (1514 + ETH_PAD_SIZE)

struct netif *__real_netif_add(struct netif *netif, const ip4_addr_t *address, const ip4_addr_t *mask,
                               const ip4_addr_t *gateway, void *state, netif_init_fn init, netif_input_fn input_fn);
struct netif *__wrap_netif_add(struct netif *netif, const ip4_addr_t *address, const ip4_addr_t *mask,
                               const ip4_addr_t *gateway, void *state, netif_init_fn init, netif_input_fn input_fn);

static const uint32_t setting[] = {LOSSY};

static struct wire {
    const char *name;
    err_t (*carry)(struct netif *netif, struct pbuf *p);
    uint8_t late[FRAME_MAX]; /* a frame that waits for the next one */
    uint16_t late_len;
} in = {.name = "in"}, out = {.name = "out"};

static netif_input_fn real_input;
static netif_linkoutput_fn real_output;

/* Below 100. */
static uint32_t dice(void)
{
    static uint32_t state;

    if (state == 0) {
        state = setting[1] * 2654435761u + 1;
    }
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return (state >> 8) % 100;
}

static err_t carry_in(struct netif *netif, struct pbuf *p)
{
    if (real_input(p, netif) != ERR_OK) {
        (void)pbuf_free(p);
    }
    return ERR_OK;
}

static err_t carry_out(struct netif *netif, struct pbuf *p)
{
    err_t err = real_output(netif, p);
    (void)pbuf_free(p);
    return err;
}

static struct pbuf *copy(const void *bytes, uint16_t len)
{
    struct pbuf *p = pbuf_alloc(PBUF_RAW, len, PBUF_POOL);

    if (p != NULL) {
        (void)pbuf_take(p, bytes, len);
    }
    return p;
}

/* Takes the frame over. */
static err_t pass(struct wire *w, struct netif *netif, struct pbuf *p)
{
    static uint8_t bytes[FRAME_MAX];
    uint32_t roll = dice(), loss = setting[0];
    uint16_t len = pbuf_copy_partial(p, bytes, sizeof bytes, 0), late_len = w->late_len;
    struct pbuf *again = NULL;
    err_t err;

    if (roll < loss) {
        say("lost ", w->name);
        (void)pbuf_free(p);
        return ERR_OK;
    }
    if (roll < loss + loss / 3 && late_len == 0) {
        say("late ", w->name);
        memcpy(w->late, bytes, len);
        w->late_len = len;
        (void)pbuf_free(p);
        return ERR_OK;
    }
    err = w->carry(netif, p);
    if (roll >= 100 - loss / 3 && (again = copy(bytes, len)) != NULL) {
        say("twice ", w->name);
        (void)w->carry(netif, again);
    }
    if (late_len > 0 && (again = copy(w->late, late_len)) != NULL) {
        w->late_len = 0;
        (void)w->carry(netif, again);
    }
    return err;
}

static err_t input(struct pbuf *p, struct netif *netif)
{
    return pass(&in, netif, p);
}

static err_t output(struct netif *netif, struct pbuf *p)
{
    pbuf_ref(p); /* the caller keeps its own */
    return pass(&out, netif, p);
}

struct netif *__wrap_netif_add(struct netif *netif, const ip4_addr_t *address, const ip4_addr_t *mask,
                               const ip4_addr_t *gateway, void *state, netif_init_fn init, netif_input_fn input_fn)
{
    struct netif *added = __real_netif_add(netif, address, mask, gateway, state, init, input_fn);

    if (added != NULL) {
        say("a bad wire, for a test", "");
        in.carry = carry_in;
        out.carry = carry_out;
        real_input = added->input;
        real_output = added->linkoutput;
        added->input = input;
        added->linkoutput = output;
    }
    return added;
}
