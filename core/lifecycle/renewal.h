/* renewal.h - what is remembered of renewing, as a text record: attempts and their back-off, the window the CA suggests.
 *
 * It is a cache: without it a pair is renewed by its life. But it has to outlive images: lines this image does not know are
 * kept when the record is written, so that neither an update nor the way back from one forgets that somebody has failed.
 *
 * An attempt is stored before its first request. That it has succeeded needs no write: the certificate in use is then
 * another than the one the attempts began with. */
#ifndef ACME_LIFECYCLE_RENEWAL_H
#define ACME_LIFECYCLE_RENEWAL_H

#include "../acme_setup.h"
#include "../wire/out.h"
#include "../x509/leaf.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACME_MARK_LEN    12   /* characters that tell one thing from another; base64url */
#define ACME_RENEWAL_MAX 1024 /* bytes of the record, lines of other images included    */

/* Tells certificates, or setups, from each other; empty: none is known. */
struct acme_mark {
    char text[ACME_MARK_LEN + 1];
};

/* Times are seconds since 1970, those of 2106 and later UINT32_MAX; 0: none. */
struct acme_renewal {
    uint32_t failures;        /* attempts in a row; the one under way counts                                */
    uint32_t urgent;          /* renewals in a row, the next one included, long before a life would ask for */
    uint32_t deploy_failures; /* in a row                                                                   */
#if ACME_CFG_CHOICE
    uint32_t
        turn; /* the solver that begins, while attempts fail: the one behind that whose answer was in vain last */
#endif
    uint32_t stopped;          /* an error, without its sign, that repetition does not change; 0: none       */
    bool deploys;              /* there is an application that takes certificates over                       */
    bool spent;                /* the CA takes no order any more that says to replace this certificate       */
    uint32_t tried;            /* when the last attempt began                                                */
    uint32_t next;             /* no attempt before                                                          */
    uint32_t start, end;       /* the window told: to renew in [start, end)                                  */
    uint32_t chosen;           /* the moment drawn in it                                                     */
    uint32_t look;             /* when to ask for it next; stored for setup->remember_looks only             */
    uint32_t deploy_next;      /* no try to have it taken over before                                        */
    struct acme_mark setup;    /* what the certificate in use was asked for with                             */
    struct acme_mark wants;    /* what the attempts were begun with                                          */
    struct acme_mark pair;     /* the certificate in use when they began; empty: none was                    */
    struct acme_mark window;   /* the certificate that start, end, chosen, look and spent are about          */
    struct acme_mark cause;    /* acme_mark_of_cause() when `stopped` was set                                */
    struct acme_mark deployed; /* the one the application has taken over                                     */
};

/* What a setup asks for, in one word: directory, names in any order, profile, kind of key. Work: their bytes. */
struct acme_mark acme_mark_of_setup(const struct acme_setup *setup);

/* What a person may change after an error that repetition does not (acme_renewal::stopped), beside that: the account's key, the
 * consent to the CA's terms, the kinds of challenges that can be answered. The account's key must be at hand. */
struct acme_mark acme_mark_of_cause(const struct acme_setup *setup);

/* A certificate in DER. Work: its bytes. */
struct acme_mark acme_mark_of_leaf(const void *der, size_t len);

/* Writes what the CA calls the certificate (RFC 9773, 4.1), at most ACME_CERTID_MAX characters; nothing when it does not tell
 * its issuer's key, or by more bytes. */
void acme_certid_write(struct acme_out *o, const struct acme_leaf *leaf);

static inline bool acme_mark_same(const struct acme_mark *a, const struct acme_mark *b)
{
    return strcmp(a->text, b->text) == 0;
}

static inline bool acme_mark_known(const struct acme_mark *mark)
{
    return mark->text[0] != '\0';
}

/* Reads a record; one that is empty, torn or of another version gives all zero. Lines may come in any order; lines of other
 * images are passed over. */
void acme_renewal_read(struct acme_renewal *r, struct acme_slice text);

/* Writes it, and the lines of `before`, the record so far, that are none of ours, as far as ACME_RENEWAL_MAX goes. */
void acme_renewal_write(struct acme_out *o, const struct acme_renewal *r, struct acme_slice before);

/* Draws what follows from the certificate in use (empty: none) and the setup: attempts that succeeded, a window that has gone
 * with its certificate, failures of another setup. To be called after reading, before anything is concluded. */
void acme_renewal_settle(struct acme_renewal *r, const struct acme_mark *leaf, const struct acme_mark *setup);

#ifdef __cplusplus
}
#endif

#endif
