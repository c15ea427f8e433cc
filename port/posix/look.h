/* look.h - what the state directory holds of one certificate. Reads only, and asks nobody. */
#ifndef ACME_POSIX_LOOK_H
#define ACME_POSIX_LOOK_H

#include "config.h"
#include "report.h"
#include "lifecycle/plan.h"
#include "x509/leaf.h"

struct acme_look {
    const char *name;
    struct acme_leaf leaf;          /* leads into static memory: until the next look         */
    const char *wrong;              /* NULL: there is a certificate, `leaf`                   */
    const char *sign;               /* NULL: it is in its place                               */
    char path[ACME_POSIX_PATH_MAX]; /* of its chain                                  */
    bool revoked, order;
    bool damaged;      /* what is there is none that can be used  */
    int64_t since;     /* when the pair was put there; 0: not known                      */
    int64_t until_utc; /* the CA is not asked before; 0: it may be               */
    struct acme_told told;
    const char *setup_wrong; /* of what is kept; NULL: nothing is wrong                */
    bool setup;              /* a setup is kept, and in `config`                       */
    const struct acme_config *config;
    struct acme_plan plan;  /* when it is renewed, and why                            */
    struct acme_mark asked; /* the setup it was issued with; empty: not known */
    bool running;           /* somebody is at work in the state directory             */
    int64_t told_at;        /* when `told` was written; 0: there is none              */
};

/* What is to be said to who watches. */
enum acme_health {
    ACME_HEALTH_OK,
    ACME_HEALTH_LATE,    /* due, and a tenth of its life beyond that   */
    ACME_HEALTH_FAILING, /* the last attempts have failed              */
    ACME_HEALTH_EXPIRED, /* of no use to anybody: also revoked, or damaged */
    ACME_HEALTH_NONE     /* there is none yet                          */
};
enum acme_health acme_look_health(const struct acme_look *l, int64_t now);
const char *acme_health_word(enum acme_health health);

/* Attempts in a row that have failed; one under way is none yet. */
uint32_t acme_look_failures(const struct acme_look *l);

/* Looks at one name. */
void acme_look(struct acme_look *l, const struct acme_config *config, const char *name);

/* Whether an order is in progress: the record of one that waits may have no order in it. */
bool acme_look_order(struct acme_posix_store *s);

/* The certificate's DNS names and addresses, each between quotes or with blanks between. */
void acme_look_names(const struct acme_leaf *leaf, struct acme_out *o, bool json);

/* The issuer's common name, else its organization. Valid until the next call. */
struct acme_slice acme_look_issuer(const struct acme_leaf *leaf);

#endif
