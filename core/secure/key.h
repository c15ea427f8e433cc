/* key.h - private keys as operations on an opaque handle.
 *
 * The core never sees a private key: it asks for signatures. A key in RAM (secure/key_p256.h), in a secure
 * element or behind a PSA key id all look the same from here. All keys are P-256, all signatures ES256 (RFC
 * 7518, 3.4). */
#ifndef ACME_SECURE_KEY_H
#define ACME_SECURE_KEY_H

#include "../acme_port.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acme_key_ops {
    /* Gives the public key as an uncompressed point (0x04, x, y). Returns 0 or ACME_E_KEY.
     * Work: a copy; the point is computed when the key is made or read. */
    int (*point)(void *handle, uint8_t point[65]);

    /* Signs a SHA-256 digest; r and s, 32 bytes each, big-endian. Returns 0, ACME_E_KEY, or 1: not yet. A key that is slow, or
     * far away, begins when it is called first, and is called again with the same digest on later ticks, every 10 ms or so,
     * until it has another answer; it may be asked for another digest instead, when the request has been given up.
     * Work: one public-key operation. */
    int (*sign)(void *handle, const uint8_t digest[32], uint8_t signature[64]);

    /* The next three are NULL for a key that lives elsewhere and is always there: the core then neither makes
     * nor stores it. */

    /* Makes a new key. Returns 0, ACME_E_RANDOM, ACME_E_KEY, or 1: not yet, as `sign`; until then there is none to use.
     * Work: one public-key operation. */
    int (*generate)(void *handle, const struct acme_sys *sys);

    /* Reads a key from its stored record. Returns 0, ACME_E_KEY_CORRUPT: the handle is then empty, or 1: not yet, as `sign`, with
     * the same record.
     * Work: one public-key operation. */
    int (*load)(void *handle, const void *record, size_t len);

    /* Writes the stored record. Returns its length or ACME_E_KEY. */
    int (*save)(void *handle, void *record, size_t cap);
};

struct acme_key {
    const struct acme_key_ops *ops;
    void *handle;
};

#ifdef __cplusplus
}
#endif

#endif
