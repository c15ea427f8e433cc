/* port.c - a port that links and does nothing yet: fill in function by function, in this order. The contract of each
 * is in core/acme_port.h; port/README.md tells the story; tests/conformance tells when you are done. */
#include "port.h"

/* 1. The system */

static int template_random(void *ctx, void *buf, size_t len)
{
    /* Fill all of buf from the hardware generator, or from one that it has seeded. Nothing weaker: on any doubt
     * return ACME_E_RANDOM; the core then makes no key. */
    (void)ctx, (void)buf, (void)len;
    return ACME_E_RANDOM;
}

static int template_utc(void *ctx, int64_t *utc)
{
    /* Give the time of an RTC or of SNTP. Not set yet: 0, and the core waits. Never a guess: certificates are judged
     * by it. */
    (void)ctx, (void)utc;
    return 0;
}

const struct acme_sys acme_template_sys = {0, template_random, template_utc};

/* 2. The store */

static int template_get(void *ctx, enum acme_record record, void *buf, size_t cap)
{
    /* Copy at most cap bytes of the record and return its whole length, 0 when there is none. A read error is
     * ACME_E_STORE_READ, never 0: the core would take 0 as leave to make a new account key. */
    (void)ctx, (void)record, (void)buf, (void)cap;
    return 0;
}

static int template_put(void *ctx, enum acme_record record, const void *data, size_t len)
{
    /* Write a second copy, check it, then switch with one write that cannot tear (a rename, a sequence number under a
     * checksum). len 0 removes. Return 0 only when a power cut cannot undo it. */
    (void)ctx, (void)record, (void)data, (void)len;
    return ACME_E_STORE_WRITE;
}

static int template_append(void *ctx, const void *data, size_t len)
{
    /* len 0: begin an empty chain beside the one in use, dropping any other unfinished one. Else add to it. */
    (void)ctx, (void)data, (void)len;
    return ACME_E_STORE_WRITE;
}

static int template_commit(void *ctx)
{
    /* Make KEY_NEXT and the received chain durable side by side, put both in use with one atomic write, then remove
     * ORDER and KEY_NEXT. No KEY_NEXT: the chain alone if no key was ever in use, else ACME_E_STORE_WRITE. */
    (void)ctx;
    return ACME_E_STORE_WRITE;
}

const struct acme_store acme_template_store = {0, template_get, template_put, template_append, template_commit};

/* 3. One outgoing connection */

static int template_open(void *ctx, const char *host, uint16_t port)
{
    /* First call: look the name up without blocking (0 until it is known; ACME_E_HOST). Then connect to each address
     * in turn, a few seconds each (0 until one answers). 1 when connected; the error of the last address when none
     * does. */
    (void)ctx, (void)host, (void)port;
    return ACME_E_NET;
}

static int template_send(void *ctx, const void *data, size_t len)
{
    /* Hand over what the stack takes now and return how much that was: 0 when its buffers are full. */
    (void)ctx, (void)data, (void)len;
    return ACME_E_NET;
}

static int template_recv(void *ctx, void *data, size_t cap)
{
    /* Return what is there, 0 when nothing is. ACME_E_CLOSED only when the peer has ended and all was read. */
    (void)ctx, (void)data, (void)cap;
    return ACME_E_NET;
}

static void template_close(void *ctx)
{
    /* End whatever there is: a connection, an attempt, or nothing. */
    (void)ctx;
}

const struct acme_net acme_template_net = {0, template_open, template_send, template_recv, template_close};

/* 4. Incoming connections, for http-01 on port 80 */

static int template_start(void *ctx)
{
    /* Listen; 1 also when it listens already. */
    (void)ctx;
    return ACME_E_LISTEN;
}

static int template_accept(void *ctx, unsigned slot)
{
    /* Put a waiting connection into the slot, which is free. 0 when none waits. */
    (void)ctx, (void)slot;
    return 0;
}

static int template_slot_recv(void *ctx, unsigned slot, void *data, size_t cap)
{
    /* As template_recv(). */
    (void)ctx, (void)slot, (void)data, (void)cap;
    return ACME_E_NET;
}

static int template_slot_send(void *ctx, unsigned slot, const void *data, size_t len)
{
    /* As template_send(). */
    (void)ctx, (void)slot, (void)data, (void)len;
    return ACME_E_NET;
}

static void template_slot_close(void *ctx, unsigned slot)
{
    /* Finish sending, then close. A reset here can overtake the answer the CA is waiting for. */
    (void)ctx, (void)slot;
}

static void template_stop(void *ctx)
{
    /* Stop listening: the port is open only while a validation is under way. */
    (void)ctx;
}

const struct acme_listener acme_template_listener = {
    0, template_start, template_accept, template_slot_recv, template_slot_send, template_slot_close, template_stop};
