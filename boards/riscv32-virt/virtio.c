/* virtio.c - see virtio.h. */
#include "virtio.h"

#define REG(base, offset) (*(volatile uint32_t *)((base) + (offset)))
#define FIRST             0x10001000u
#define SLOTS             8
#define MAGIC             0x74726976u
#define FENCE()           __asm__ volatile("fence iorw, iorw" ::: "memory")

enum {
    R_MAGIC = 0x00,
    R_VERSION = 0x04,
    R_DEVICE = 0x08,
    R_FEATURES_OF = 0x14, /* which 32 of the device's features */
    R_FEATURES = 0x10,
    R_TAKEN = 0x20,
    R_TAKEN_OF = 0x24,
    R_QUEUE = 0x30,
    R_QUEUE_LEN = 0x38,
    R_QUEUE_READY = 0x44,
    R_NOTIFY = 0x50,
    R_STATUS = 0x70,
    R_DESC = 0x80,
    R_AVAIL = 0x90,
    R_USED = 0xa0
};
enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8 };

uint32_t virtio_find(uint32_t kind)
{
    for (uint32_t base = FIRST; base < FIRST + SLOTS * 0x1000; base += 0x1000) {
        if (REG(base, R_MAGIC) == MAGIC && REG(base, R_VERSION) == 2 && REG(base, R_DEVICE) == kind) {
            REG(base, R_STATUS) = 0;
            REG(base, R_STATUS) = ACKNOWLEDGE;
            REG(base, R_STATUS) = ACKNOWLEDGE | DRIVER;
            return base;
        }
    }
    return 0;
}

bool virtio_agree(uint32_t registers)
{
    REG(registers, R_TAKEN_OF) = 0;
    REG(registers, R_TAKEN) = 0;
    REG(registers, R_TAKEN_OF) = 1;
    REG(registers, R_TAKEN) = 1; /* VIRTIO_F_VERSION_1 */
    REG(registers, R_STATUS) = ACKNOWLEDGE | DRIVER | FEATURES_OK;
    return (REG(registers, R_STATUS) & FEATURES_OK) != 0;
}

void virtio_queue(struct virtq *q, uint32_t registers, uint32_t number)
{
    q->registers = registers;
    q->number = number;
    REG(registers, R_QUEUE) = number;
    REG(registers, R_QUEUE_LEN) = VIRTQ_LEN;
    REG(registers, R_DESC) = (uint32_t)(uintptr_t)q->desc;
    REG(registers, R_AVAIL) = (uint32_t)(uintptr_t)&q->avail;
    REG(registers, R_USED) = (uint32_t)(uintptr_t)&q->used;
    REG(registers, R_DESC + 4) = REG(registers, R_AVAIL + 4) = REG(registers, R_USED + 4) = 0;
    REG(registers, R_QUEUE_READY) = 1;
}

void virtio_go(uint32_t registers)
{
    REG(registers, R_STATUS) = ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK;
}

void virtio_give(struct virtq *q, uint16_t slot, void *at, uint32_t len, bool device_writes)
{
    q->desc[slot].at = (uint32_t)(uintptr_t)at;
    q->desc[slot].len = len;
    q->desc[slot].flags = device_writes ? 2 : 0;
    q->avail.ring[q->avail.index % VIRTQ_LEN] = slot;
    FENCE();
    q->avail.index++;
    FENCE();
    REG(q->registers, R_NOTIFY) = q->number;
}

bool virtio_take(struct virtq *q, uint16_t *slot, uint32_t *len)
{
    volatile uint16_t *index = &q->used.index;

    if (*index == q->seen) {
        return false;
    }
    FENCE();
    *slot = (uint16_t)q->used.ring[q->seen % VIRTQ_LEN].id;
    *len = q->used.ring[q->seen % VIRTQ_LEN].len;
    q->seen++;
    return *slot < VIRTQ_LEN;
}
