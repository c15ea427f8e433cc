/* virtio.h - one queue of a virtio device behind memory-mapped registers (virtio 1.0, version 2), polled. */
#ifndef RISCV_VIRTIO_H
#define RISCV_VIRTIO_H

#include <stdbool.h>
#include <stdint.h>

#define VIRTQ_LEN 4

enum { VIRTIO_NET = 1, VIRTIO_ENTROPY = 4 };

struct virtq {
    struct {
        uint64_t at;
        uint32_t len;
        uint16_t flags, next;
    } desc[VIRTQ_LEN] __attribute__((aligned(16)));
    struct {
        uint16_t flags, index, ring[VIRTQ_LEN];
    } avail;
    struct {
        uint16_t flags, index;
        struct {
            uint32_t id, len;
        } ring[VIRTQ_LEN];
    } used __attribute__((aligned(4)));
    uint16_t seen;
    uint32_t registers, number;
};

/* Finds a device by its kind and resets it. Returns its registers, 0: there is none. */
uint32_t virtio_find(uint32_t kind);

/* Agrees on no feature but version 1. False: the device does not. */
bool virtio_agree(uint32_t registers);

/* Sets up queue `number`, then the device may be started. */
void virtio_queue(struct virtq *q, uint32_t registers, uint32_t number);
void virtio_go(uint32_t registers);

/* Gives buffer `slot` to the device, to read from or to write into. */
void virtio_give(struct virtq *q, uint16_t slot, void *at, uint32_t len, bool device_writes);

/* Takes a buffer back. False: the device has none to return. */
bool virtio_take(struct virtq *q, uint16_t *slot, uint32_t *len);

#endif
