/* inside.h - what is looked at of BearSSL's insides, all of it: members its headers call private, that have no function.
 *
 * They serve one promise, that a tick does one public-key operation at most, of the client's TLS and of a visit; three words
 * for a person, early, expired, and no TLS at all; and whether something waits in a buffer. Each was read in BearSSL 0.6. It has
 * no number of its version to compare, so a change of these members is a compile error here: read them anew before it is
 * taken out. */
#ifndef ACME_SECURE_INSIDE_H
#define ACME_SECURE_INSIDE_H

#include <stdbool.h>
#include <stddef.h>

#include <bearssl.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- an engine --- */

/* Nothing of a record has come in that was not taken out. */
static inline bool acme_inside_idle_in(const br_ssl_engine_context *eng)
{
    return eng->ixa == 0;
}

/* Nothing that was given to it waits to become a record, or to go out. */
static inline bool acme_inside_idle_out(const br_ssl_engine_context *eng)
{
    return eng->oxa == eng->oxc;
}

/* close_notify has come. */
static inline bool acme_inside_ended(const br_ssl_engine_context *eng)
{
    return eng->shutdown_recv != 0;
}

/* The major version in the header of the record that came last; of what is no TLS, another byte. */
static inline unsigned char acme_inside_major(const br_ssl_engine_context *eng)
{
    return eng->ibuf[1];
}

/* --- a server --- */

/* Its ephemeral key, which is odd, was there and is wiped: what the visitor sent for it has been multiplied. */
static inline bool acme_inside_agreed(const br_ssl_server_context *server)
{
    return server->ecdhe_key_len > 0 && server->ecdhe_key[server->ecdhe_key_len - 1] == 0;
}

/* --- the judge of a chain --- */

static inline bool acme_inside_good(const br_x509_minimal_context *chain)
{
    return chain->err == 0;
}

/* It has stopped at a certificate's date, and has not been pushed on since. */
static inline bool acme_inside_expired(const br_x509_minimal_context *chain)
{
    return chain->err == BR_ERR_X509_EXPIRED;
}

/* Certificates that are over. */
static inline uint32_t acme_inside_count(const br_x509_minimal_context *chain)
{
    return chain->num_certs;
}

/* What is left of the piece it was given last; it begins where it stopped. */
static inline size_t acme_inside_left(const br_x509_minimal_context *chain)
{
    return chain->hlen;
}

static inline unsigned char acme_inside_next(const br_x509_minimal_context *chain)
{
    return chain->hbuf[0];
}

/* SHA-256 of the last issuer's name, and the host that is connected to. */
static inline const unsigned char *acme_inside_issuer(const br_x509_minimal_context *chain)
{
    return chain->saved_dn_hash;
}

static inline const char *acme_inside_host(const br_x509_minimal_context *chain)
{
    return chain->server_name;
}

/* --- they are what they were --- */

#define ACME_INSIDE(type, member) (((type *)0)->member)
#define ACME_INSIDE_CHAIN(member) ACME_INSIDE(br_x509_minimal_context, member)
#define ACME_INSIDE_END(member)   (offsetof(br_x509_minimal_context, member) + sizeof ACME_INSIDE_CHAIN(member))
#define ACME_INSIDE_ENGINE(a, b)                                                                                     \
    (offsetof(br_ssl_engine_context, b) == offsetof(br_ssl_engine_context, a) + sizeof(size_t))

/* A negative size of an array is an error in C99 as in C++. */
typedef char acme_inside_chain_as_in_0_6[sizeof ACME_INSIDE_CHAIN(err) == sizeof(int) &&
                                                 sizeof ACME_INSIDE_CHAIN(num_certs) == 4 &&
                                                 sizeof ACME_INSIDE_CHAIN(saved_dn_hash) == 64 &&
                                                 sizeof ACME_INSIDE_CHAIN(hlen) == sizeof(size_t) &&
                                                 offsetof(br_x509_minimal_context, hlen) == ACME_INSIDE_END(hbuf)
                                             ? 1
                                             : -1];
typedef char acme_inside_engine_as_in_0_6[ACME_INSIDE_ENGINE(ixa, ixb) && ACME_INSIDE_ENGINE(ixb, ixc) &&
                                                  ACME_INSIDE_ENGINE(oxa, oxb) && ACME_INSIDE_ENGINE(oxb, oxc) &&
                                                  sizeof ACME_INSIDE(br_ssl_engine_context, shutdown_recv) == 1
                                              ? 1
                                              : -1];

typedef char
    acme_inside_server_as_in_0_6[sizeof ACME_INSIDE(br_ssl_server_context, ecdhe_key) == 70 &&
                                         sizeof ACME_INSIDE(br_ssl_server_context, ecdhe_key_len) == sizeof(size_t)
                                     ? 1
                                     : -1];

#ifdef __cplusplus
}
#endif

#endif
