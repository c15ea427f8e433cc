/* anchor_table.h - trust anchors that the vendor of a device can change without an update of its image.
 *
 * The update that brings a new root must not need that root. So a device may have, beside the table that is compiled in, one
 * that is stored and signed with the vendor's key. It is made by `make anchors PEM=roots.pem KEY=vendor.pem SERIAL=2
 * OUT=table`, and may come over any channel, plain http or a serial line too: its signature is what counts. It adds to the
 * built-in anchors, or takes their place when the vendor said so (REPLACE=1).
 *
 * The caller stores it, in two slots: acme_anchor_table_accept() judges what has come; the caller writes it to the slot that
 * is not in use; acme_anchor_table_choose() takes the newest one that is good, at each start. Where power is cut while a slot is
 * written, the other one goes on to count, or the built-in table.
 *
 * Form, numbers big-endian: "acmeROOT", 1 (version), flags (1: replaces), count of anchors (2 bytes), serial (4), length of
 * the whole (4); the anchors; ECDSA signature with SHA-256 over all before it, on P-256, r and s (64). An anchor is: flags (1:
 * a CA), 1 (RSA) or 23, 24 (P-256, P-384), lengths (2 each) of name, constraints, key, and exponent; then these: the name in
 * DER, its constraints as in constraints.h, n or the point, the RSA exponent. */
#ifndef ACME_ROOTS_ANCHOR_TABLE_H
#define ACME_ROOTS_ANCHOR_TABLE_H

#include "../acme_error.h"
#include "../secure/anchors.h"
#include "../wire/slice.h"

#if ACME_CFG_SIGNED_ANCHORS

#ifdef __cplusplus
extern "C" {
#endif

#define ACME_VENDOR_KEY_LEN 65

/* What an image is born with. */
struct acme_anchor_origin {
    const struct acme_trust *trust; /* the anchors that are compiled in                                       */
    uint32_t serial;                /* of these: a signed table has to be newer than the image; or 0           */
    const uint8_t *key;             /* the vendor's public key, ACME_VENDOR_KEY_LEN bytes: P-256, uncompressed */
};

/* Where a table may be: readable as memory. Nothing is wrong with an empty one: len 0, or its first byte is 0xff, as flash is
 * when it has been erased; nor with what stands behind a table. */
struct acme_anchor_slot {
    const void *at;
    size_t len;
};

/* The anchors in use. */
struct acme_anchor_choice {
    struct acme_trust trust; /* for acme_ca::trust                                                   */
    uint32_t serial;         /* of the table in use; the origin's, when these are the built-in anchors */
    int slot;                /* where it is; -1: they are the built-in ones                          */
    int error;  /* why a slot cannot be used: what acme_anchor_table_accept() says, but for older ones; 0: none */
    size_t cap; /* how many anchors there is room for                                   */
};

/* Chooses the newest good table of slots[0..count), or else the built-in anchors: in the end there are some in any case.
 * Memory: room[0..cap), 32 bytes each on a machine of 32 bits, takes the anchors, those of the image too unless the table
 * replaces them. Their names and keys stay where they are: room, slots and origin must live, and the slot in use stay as it
 * is, as long as the choice is used. So to change over, choose into another struct with room of its own and acme_init() with
 * it, or start anew. Work: one public-key operation a slot, none for an empty or older one. */
void acme_anchor_table_choose(struct acme_anchor_choice *choice, const struct acme_anchor_origin *origin,
                              const struct acme_anchor_slot *slots, size_t count, br_x509_trust_anchor *room,
                              size_t cap);

/* Judges what has come, whole, as the next choice will, before it is stored.
 * Returns 0: it is to be written to a slot other than choice->slot. Else ACME_E_TABLE, ACME_E_TABLE_SIGNATURE,
 * ACME_E_TABLE_OLD (as new a table is in use, perhaps this one), or ACME_E_WORK_SMALL (no room for so many anchors).
 * Work: one public-key operation; none when it is old or damaged in its head. */
int acme_anchor_table_accept(const struct acme_anchor_choice *choice, const struct acme_anchor_origin *origin,
                             const void *data, size_t len);

/* A table by itself. */
struct acme_anchor_table {
    struct acme_slice all; /* borrowed: without what stands behind it */
    uint32_t serial;
    size_t count;     /* of anchors, at least 1                          */
    bool replaces;    /* the built-in ones                               */
    bool constrained; /* an anchor has name constraints                  */
};

/* Reads one, whoever has signed it, if anybody: for tools and tests. room[0..t->count): its anchors, which lead into the table;
 * NULL: none. Returns 0 or ACME_E_TABLE. Work: its bytes. */
int acme_anchor_table_read(struct acme_anchor_table *t, const void *data, size_t len, br_x509_trust_anchor *room);

#ifdef __cplusplus
}
#endif

#endif

#endif
