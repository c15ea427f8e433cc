/* rfc2136.h - a solver for dns-01 that writes into a zone itself, by dynamic update (RFC 2136) signed with a TSIG key (RFC 8945,
 * HMAC-SHA256). Needs ACME_CFG_CHOICE.
 *
 * It adds one TXT record a challenge and deletes exactly that again; what others have at the name stays. Zone and record are
 * found by asking the server itself for the zone's SOA, signed, since a view may be chosen by the key: aliases (CNAME) are
 * followed, eight at most. What is not signed may be anybody's and decides nothing: it is told, as a hint, when nothing
 * better has come in time. */
#ifndef ACME_DNS_RFC2136_H
#define ACME_DNS_RFC2136_H

#include "tsig.h"
#include "../protocol/challenge_dnsaccount01.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Longest message, without EDNS (RFC 1035, 4.2.1). */
#define ACME_DNS_MESSAGE_MAX 512

/* Where and how; borrowed for good. Zero means "none" for every optional member. */
struct acme_rfc2136_zone {
    const struct acme_udp *udp;
    const struct acme_sys *sys;
    const char *server; /* DNS name or address of the zone's primary                            */
    uint16_t port;      /* 0: 53                                                                */
    struct acme_tsig_key key;
    const char *zone;         /* the zone's name; NULL: it is looked for. With `record` too nothing is asked */
    const char *record;       /* written in place of _acme-challenge.NAME, for who knows where an alias leads */
    const char *const *watch; /* hosts, at the same port: servers of the zone that must show the record       */
    size_t watch_count;       /*   before the CA is told, or are named in words() after                       */
    uint32_t watch_s;         /*   that many seconds in all; 0: 60                                            */
};

/* One record, of a challenge. */
struct acme_rfc2136_entry {
    enum {
        ACME_RFC2136_FREE,
        ACME_RFC2136_WANTED,  /* to be added                              */
        ACME_RFC2136_DONE,    /* is there                                 */
        ACME_RFC2136_FAILED,  /* see `error`                              */
        ACME_RFC2136_UNWANTED /* to be deleted                           */
    } stage;
    bool sent; /* it may be there                             */
    int error;
#if ACME_CFG_DNS_DRAFTS
    bool by_account; /* dns-account-01 */
#endif
    const char *name; /* the challenge's, which is the setup's       */
    char value[ACME_DNS01_VALUE_LEN + 1];
};

enum acme_rfc2136_work { ACME_RFC2136_IDLE, ACME_RFC2136_FIND, ACME_RFC2136_CHANGE, ACME_RFC2136_WATCH };

/* Caller's memory, contents private. */
struct acme_rfc2136 {
    struct acme_solver solver; /* give &this.solver to acme_setup::solvers */
#if ACME_CFG_DNS_DRAFTS
    struct acme_solver account; /* for dns-account-01, beside it or in its place */
    bool found_account;         /* of `found`                                    */
    char label[ACME_DNSACCOUNT01_LABEL_LEN + 1];
#endif
    const struct acme_rfc2136_zone *zone;
    enum acme_rfc2136_work work; /* what is asked now                                      */
    bool sent;                   /* the question is out                                    */
    bool deleting;               /* of CHANGE                                              */
    uint8_t tries;               /* that it was asked                                      */
    uint8_t aliases;             /* followed                                               */
    uint8_t watched;             /* servers that have shown it                             */
    uint16_t id;                 /* of the question                                        */
    int hint;                    /* an unsigned answer's error; 0: none                    */
    int error; /* of what was in hand last; 0: it was done. For who tries a withdrawal: the core asks nobody */
    uint32_t now_ms, since_ms, watch_ms; /* when it was asked; when the watch began   */
    struct acme_rfc2136_entry *entry;    /* in hand                                    */
    const char *found;                   /* whose `record` and `apex` these are; NULL: nobody's */
    struct acme_dns_name record;
    size_t apex;                  /* where in it the zone's name begins                                         */
    uint8_t mac[ACME_SHA256_LEN]; /* of the question                                           */
    struct acme_rfc2136_entry entries[ACME_NAMES_MAX];
    char words[120];
    uint8_t message[ACME_DNS_MESSAGE_MAX];
};

/* Makes the solver. Returns 0, or ACME_E_SIZE: the library was compiled with another ACME_NAMES_MAX. */
#define acme_rfc2136_init(r, zone) acme_rfc2136_init_sized((r), sizeof(struct acme_rfc2136), (zone))
int acme_rfc2136_init_sized(struct acme_rfc2136 *r, size_t size, const struct acme_rfc2136_zone *zone);

#ifdef __cplusplus
}
#endif

#endif
