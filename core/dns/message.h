/* message.h - DNS messages (RFC 1035, 4), written and read. Names are kept in wire form, in small letters, uncompressed. */
#ifndef ACME_DNS_MESSAGE_H
#define ACME_DNS_MESSAGE_H

#include <stdint.h>

#include "../wire/out.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACME_DNS_HEAD     12
#define ACME_DNS_NAME_MAX 255 /* of a name in wire form, with its root */

enum { ACME_DNS_CNAME = 5, ACME_DNS_SOA = 6, ACME_DNS_TXT = 16, ACME_DNS_TSIG = 250 }; /* types */
enum { ACME_DNS_IN = 1, ACME_DNS_NONE = 254, ACME_DNS_ANY = 255 };                     /* classes */
enum { ACME_DNS_QUERY = 0, ACME_DNS_UPDATE = 5 };                                      /* kinds of messages */

/* What an answer's head says (RFC 1035, 4.1.1; RFC 2136, 2.2). */
enum {
    ACME_DNS_NOERROR = 0,
    ACME_DNS_NXDOMAIN = 3,
    ACME_DNS_REFUSED = 5,
    ACME_DNS_NOTAUTH = 9,
    ACME_DNS_NOTZONE = 10
};

struct acme_dns_name {
    uint8_t at[ACME_DNS_NAME_MAX];
    size_t len;
};

static inline uint16_t acme_dns_get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

void acme_dns_put16(struct acme_out *o, unsigned value);

/* Appends type and class, or any two of such numbers. */
void acme_dns_put32(struct acme_out *o, unsigned high, unsigned low);

/* Makes a name of text, with a dot at its end or without. False: a label or the name is empty or too long. */
bool acme_dns_name_make(struct acme_dns_name *name, const char *before, const char *text);

/* Where in `name` the domain begins that it is in; name->len: it is in another. */
size_t acme_dns_within(const struct acme_dns_name *name, const struct acme_dns_name *domain);

static inline bool acme_dns_same(const struct acme_dns_name *a, const struct acme_dns_name *b)
{
    return acme_dns_within(a, b) == 0;
}

/* Appends wire form as text, for people: printable ASCII, whatever is in it. */
void acme_dns_out_text(struct acme_out *o, const uint8_t *name);

/* A message being read. */
struct acme_dns_reader {
    const uint8_t *message;
    size_t len, at;
};

struct acme_dns_record {
    struct acme_dns_name owner;
    size_t start; /* of the record in the message */
    uint16_t type, class_;
    size_t data, data_len; /* in the message               */
};

/* Reads a name; only pointers back are followed. False: it is malformed, or the message ends. */
bool acme_dns_read_name(struct acme_dns_reader *r, struct acme_dns_name *name);

/* Passes over the questions, to the first record. */
bool acme_dns_read_questions(struct acme_dns_reader *r);

/* Reads the next record. */
bool acme_dns_read_record(struct acme_dns_reader *r, struct acme_dns_record *record);

#ifdef __cplusplus
}
#endif

#endif
