/* acme_port.h - what a port gives to the core: small structs of function pointers. (Where the platform has TLS as
 * well, acme_secure_net.h has one in the place of the first.)
 *
 * Rules for all of them
 *   - Nothing blocks. A function that cannot finish now says so and is called again on a later tick.
 *   - In calls that move bytes, > 0 is a count and 0 always means "not now", never "closed": an ended
 *     connection is ACME_E_CLOSED. In calls that start something, 1 means done and 0 "not yet".
 *   - Errors are negative values of enum acme_error.
 *   - The core never calls a port from an interrupt, never from two contexts, and never keeps a pointer that
 *     it was given by one.
 *   - `ctx` is the port's own; the core only passes it back.
 *
 * port/README.md tells how to write one; port/template is the place to start. */
#ifndef ACME_PORT_H
#define ACME_PORT_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

#include "acme_config.h"
#include "acme_error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One outgoing TCP connection. */
struct acme_net {
    void *ctx;

    /* Connects to host:port; called on every tick until it answers other than 0. `host` is a DNS name or an
     * IP address without brackets, NUL-terminated, and stays the same between the calls. Resolves the name
     * and tries each address in turn; where the stack tells only one, asks anew whenever it starts afresh. Returns 1 connected, 0 not yet, ACME_E_HOST, ACME_E_REFUSED,
     * ACME_E_UNREACHABLE, ACME_E_TIMEOUT or ACME_E_NET. After an error the next call starts afresh. */
    int (*open)(void *ctx, const char *host, uint16_t port);

    /* Takes up to len bytes. Returns how many, 0 not now, ACME_E_CLOSED, ACME_E_NET. */
    int (*send)(void *ctx, const void *data, size_t len);

    /* Gives up to cap bytes. Returns how many, 0 not now, ACME_E_CLOSED (the peer has finished and all its
     * bytes have been given), ACME_E_NET. */
    int (*recv)(void *ctx, void *data, size_t cap);

    /* Ends the connection or the attempt; allowed at any time, also when nothing is open. */
    void (*close)(void *ctx);
};

/* Incoming TCP connections for http-01 or tls-alpn-01, in slots 0..ACME_HTTP01_SLOTS-1. Listens only between start and stop. */
struct acme_listener {
    void *ctx;

    /* Begins to listen. Returns 1 listening (also when it already is), 0 not yet, ACME_E_LISTEN. */
    int (*start)(void *ctx);

    /* Puts the next waiting connection into the free slot. Returns 1 done, 0 none waiting, ACME_E_NET. */
    int (*accept)(void *ctx, unsigned slot);

    /* As in struct acme_net, for one slot. */
    int (*recv)(void *ctx, unsigned slot, void *data, size_t cap);
    int (*send)(void *ctx, unsigned slot, const void *data, size_t len);

    /* Ends one connection after what was sent has gone out. */
    void (*close)(void *ctx, unsigned slot);

    /* Stops listening. The core has closed every slot before. */
    void (*stop)(void *ctx);
};

/* Datagrams to one address and from there, for dns/rfc2136.h; who has no such solver needs none. */
struct acme_udp {
    void *ctx;

    /* Makes that address host:port's, with a port of our own that nobody can guess; called on every tick until it answers other
     * than 0. As in struct acme_net, but nothing is sent: 1 says no more than that there is an address. Where a name has
     * several, the next one each time it is opened. */
    int (*open)(void *ctx, const char *host, uint16_t port);

    /* Sends one datagram. Returns len, 0 not now, or an error, as ACME_E_NET also when nothing is open. */
    int (*send)(void *ctx, const void *data, size_t len);

    /* Gives the next datagram. One that is longer than cap, or is from elsewhere, is dropped. Returns its length, 0 none, or an
     * error: ACME_E_REFUSED when the host says that nobody is there. */
    int (*recv)(void *ctx, void *data, size_t cap);

    /* Ends it; allowed at any time, also when nothing is open. */
    void (*close)(void *ctx);
};

/* The system: entropy and time. */
struct acme_sys {
    void *ctx;

    /* Fills all of buf with bytes of cryptographic quality. Returns 0, or ACME_E_RANDOM: there is no weaker
     * substitute, the core then makes no key and opens no connection. */
    int (*random)(void *ctx, void *buf, size_t len);

    /* Seconds since 1970-01-01 UTC in *utc. Returns 1 known, 0 not known yet (the core waits), or
     * ACME_E_CLOCK: it will not become known. A time before ACME_UTC_FLOOR counts as not known. */
    int (*utc)(void *ctx, int64_t *utc);
};

/* What outlives a reset. Every record is text, so that a person can look at it.
 * Sizes: keys about 230 bytes, ACCOUNT below 5 * ACME_URL_MAX + 256, ORDER below 2 * ACME_URL_MAX + 256 (with ACME_CFG_V1
 * ACME_NAMES_MAX * ACME_NAME_TEXT more, and never more than the work buffer holds), RENEWAL below 1 KiB, the chain a few KiB. */
enum acme_record {
    ACME_RECORD_ACCOUNT_KEY,      /* account private key, PEM: put once; replaced only by one the CA agreed to */
    ACME_RECORD_ACCOUNT,          /* account URL and the CA's directory: a cache, may be lost                  */
    ACME_RECORD_ORDER,            /* the order in progress                                                     */
    ACME_RECORD_KEY_NEXT,         /* certificate private key of that order, PEM                                */
    ACME_RECORD_KEY,              /* certificate private key in use, PEM: get only                             */
    ACME_RECORD_CHAIN,            /* certificate chain in use, PEM, leaf first: get only                       */
    ACME_RECORD_ACCOUNT_KEY_NEXT, /* ACME_CFG_MANAGE: the account's next private key, PEM, while it is being changed */
    ACME_RECORD_RENEWAL /* ACME_CFG_RENEWAL: attempts, when the CA suggests to renew: a cache, may be lost */
};
enum { ACME_RECORD_COUNT = ACME_RECORD_RENEWAL + 1 }; /* how many, with the options or without */

struct acme_store {
    void *ctx;

    /* Reads the first min(cap, length) bytes of a record (cap 0, buf NULL: only its length). Returns the record's
     * whole length, 0 when there is no such record, ACME_E_STORE_READ when it cannot be told. */
    int (*get)(void *ctx, enum acme_record record, void *buf, size_t cap);

    /* Replaces a record (of at most ACME_WORK_MIN bytes) so that a loss of power at any moment leaves the old
     * or the new one; len 0 removes it, and data may then be NULL. Returns 0 when it is durable, or ACME_E_STORE_WRITE. */
    int (*put)(void *ctx, enum acme_record record, const void *data, size_t len);

    /* Adds bytes to the chain being received, a line of PEM a call and several calls a tick; len 0 (data may be NULL)
     * starts it anew and drops what was there. The chain in use is not touched. Returns 0, or ACME_E_STORE_WRITE. */
    int (*append)(void *ctx, const void *data, size_t len);

    /* Makes KEY_NEXT and the received chain the ones in use, both at one atomic moment, then removes ORDER, and
     * KEY_NEXT after it. Without a KEY_NEXT, and when none was ever put in use (a key in a secure element), the chain
     * alone.
     * Returns 0 when it is durable, or ACME_E_STORE_WRITE: the old pair is then still in use. */
    int (*commit)(void *ctx);
};

#ifdef __cplusplus
}
#endif

#endif
