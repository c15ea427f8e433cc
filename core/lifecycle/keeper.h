/* keeper.h - everything the client reads from and writes to the store: keys, records, the pair in use.
 *
 * One struct for all of it, so that each failure can say which record it was about and nothing is written in two
 * ways. The work buffer is borrowed during each call; private keys are wiped from it again. */
#ifndef ACME_LIFECYCLE_KEEPER_H
#define ACME_LIFECYCLE_KEEPER_H

#include "plan.h"
#include "record.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acme_keeper {
    const struct acme_setup *setup;
    enum acme_record blamed; /* what the last error was about       */
    uint32_t writes;         /* records and commits made durable    */
    uint32_t keys;           /* key pairs made                      */
};

/* Of the next three, and of what calls them: the key is being worked on, and all is called again on the next tick. */
#define ACME_KEEPER_AGAIN 2

/* Brings a private key into its handle. Returns 1, 0 when there is none, ACME_E_STORE_READ or ACME_E_KEY_CORRUPT.
 * A key that lives elsewhere (no load operation) is always there. Work: one public-key operation. */
int acme_keeper_load_key(struct acme_keeper *k, enum acme_record record, const struct acme_key *key);

/* Makes a private key and has it stored before anything is done with it. Returns 1 or an error.
 * Work: one public-key operation, one write. */
int acme_keeper_make_key(struct acme_keeper *k, enum acme_record record, const struct acme_key *key);

/* Makes the key of an order: with acme_setup::reuse_key a copy of the one in use, when there is one. Returns 1 or an error: one in
 * use that cannot be read is never taken as absent. Work: as acme_keeper_make_key(), one read. */
#if ACME_CFG_REUSE_KEY
int acme_keeper_next_key(struct acme_keeper *k, const struct acme_key *key);
#else
#define acme_keeper_next_key(k, key) acme_keeper_make_key((k), ACME_RECORD_KEY_NEXT, (key))
#endif

/* Puts into `flow` what is known of account and order, and into *retry_utc the time before which the CA does not want
 * to see us (0: none). What cannot be read is taken as absent, and told. A key without an order is marked to be dropped. Work: three reads. */
void acme_keeper_recall(struct acme_keeper *k, struct acme_flow *flow, uint32_t *retry_utc);

/* Makes durable what the flow has marked as learned since, one kind a call. Returns 1 when it wrote, 0 when all is
 * stored, or ACME_E_STORE_WRITE or ACME_E_WORK_SMALL; where a next account key takes the other's place also ACME_E_STORE_READ
 * or ACME_E_KEY_CORRUPT. `utc`: now, as the moment an order is stored first. */
int acme_keeper_flow(struct acme_keeper *k, struct acme_flow *flow, uint32_t utc);

/* Stores the order once more, with the time before which the CA does not want to see us. Returns 1 or an error. */
int acme_keeper_retry(struct acme_keeper *k, const struct acme_flow *flow, uint32_t retry_utc);

/* Forgets the order: it is of no more use. Returns 1 or ACME_E_STORE_WRITE. */
int acme_keeper_forget(struct acme_keeper *k);

#if ACME_CFG_MANAGE
/* Brings the account's next key into the certificate key's handle, or `make`s it. Returns 1, 0 when there is none, or an
 * error as the two above. */
int acme_keeper_next_account_key(struct acme_keeper *k, bool make);

/* Puts the certificate in use, DER, at the end of the work buffer. Returns 0, ACME_E_STORE_READ, ACME_E_NO_CERT, or
 * ACME_E_CERT_BIG. */
int acme_keeper_leaf(struct acme_keeper *k, size_t *der_len);
#endif

/* Looks at the chain in use. Returns 1, 0 when there is none that can be read, or ACME_E_CERT_BIG when the leaf exceeds the
 * work buffer. With ACME_CFG_RENEWAL the flow learns the certificate's name for the CA (RFC 9773, 4.1). */
int acme_keeper_pair(struct acme_keeper *k, struct acme_pair *pair, struct acme_flow *flow);

#if ACME_CFG_RENEWAL
/* Reads what is remembered of renewing; what cannot be read is taken as absent, and told. Work: one read. */
void acme_keeper_renewal(struct acme_keeper *k, struct acme_renewal *renewal);

/* Stores it; lines of other images stay. Returns 1, ACME_E_WORK_SMALL or ACME_E_STORE_WRITE. Work: one read, one write. */
int acme_keeper_keep_renewal(struct acme_keeper *k, const struct acme_renewal *renewal);
#endif

/* The chain being received: adds bytes (len 0: starts it), and puts it in use with the next key.
 * Return 0 or ACME_E_STORE_WRITE. */
int acme_keeper_append(struct acme_keeper *k, const void *data, size_t len);
int acme_keeper_commit(struct acme_keeper *k);

#ifdef __cplusplus
}
#endif

#endif
