/* element.c - `make firmware ELEMENT=1`, for tests: both keys are in a secure element, which takes 300 ms for a signature. It is
 * played here: its two keys are known to everybody, and its memory, element_chip, is no part of the firmware's. The page's TLS has no way to
 * it, so there is none. The linker puts these functions in the place of firmware_set_up() and https_take(). */
#include <string.h>

#include "board.h"
#include "firmware.h"
#include "secure/digest.h"
#include "secure/p256.h"
#include "secure/wipe.h"

#define SIGNS_MS 300
#define DEPTH    6144 /* of the stack that arithmetic has used: an element has one of its own */

int __wrap_firmware_set_up(void);
int __real_firmware_set_up(void);
int __wrap_https_take(void *ctx);

/* What is in the chip. */
struct element_chip {
    struct slot {
        uint8_t scalar[32], point[65];
        uint8_t digest[32], signature[64];
        uint32_t begun_ms;
        bool busy;
    } slots[2];
};
struct element_chip element_chip;

/* The numbers of signatures, and of times it was asked for one, for whoever looks at the board. */
uint32_t element_signatures, element_asked;

__attribute__((noinline)) static void clean_stack(void)
{
    uint8_t depth[DEPTH];
    acme_wipe(depth, sizeof depth);
}

/* Two keys that are the same at each boot. */
static void make_keys(void)
{
    for (uint8_t i = 0; i < 2; i++) {
        const struct acme_slice parts[] = {acme_slice_of("a secure element of a test"),
                                           acme_slice((const char *)&i, 1)};
        acme_sha256(parts, 2, element_chip.slots[i].scalar);
        if (acme_p256_public(element_chip.slots[i].scalar, element_chip.slots[i].point) != 0) {
            board_exit(5);
        }
    }
    clean_stack();
}

static int point(void *handle, uint8_t to[65])
{
    const struct slot *s = handle;
    memcpy(to, s->point, sizeof s->point);
    return 0;
}

/* Begins with a digest that is another, and is asked again until its time is over. */
static int sign(void *handle, const uint8_t digest[32], uint8_t signature[64])
{
    struct slot *s = handle;

    element_asked++;
    if (!s->busy || memcmp(s->digest, digest, sizeof s->digest) != 0) {
        memcpy(s->digest, digest, sizeof s->digest);
        s->busy = acme_p256_sign(s->scalar, digest, s->signature) == 0;
        s->begun_ms = board_now_ms();
        clean_stack();
        return s->busy ? 1 : ACME_E_KEY;
    }
    if (board_now_ms() - s->begun_ms < SIGNS_MS) {
        return 1;
    }
    s->busy = false;
    element_signatures++;
    memcpy(signature, s->signature, sizeof s->signature);
    return 0;
}

static const struct acme_key_ops element_ops = {point, sign, NULL, NULL, NULL};

int __wrap_firmware_set_up(void)
{
    int error = __real_firmware_set_up();

    make_keys();
    firmware.setup.account_key = (struct acme_key){&element_ops, &element_chip.slots[0]};
    firmware.setup.certificate_key = (struct acme_key){&element_ops, &element_chip.slots[1]};
    return error;
}

/* There is no key to be looked at. */
int __wrap_https_take(void *ctx)
{
    (void)ctx;
    return 1;
}
