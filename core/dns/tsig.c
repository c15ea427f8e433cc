/* tsig.c - see tsig.h. */
#include "tsig.h"

#include "../secure/hmac.h"

#define FUDGE_S 300 /* seconds that clocks may be apart (RFC 8945, 10) */

static const char algorithm[] = "\x0bhmac-sha256"; /* with its root */

/* What a TSIG record has behind its owner: type, class, TTL, length; algorithm; time, fudge; MAC; ID, error, other data. Of these
 * the MAC covers class and TTL, the algorithm, time and fudge, error and other data, in this order (RFC 8945, 4.3.3). */
enum { CLASS_AT = 2, CLASS_LEN = 6, TIME_LEN = 8, MAC_AT = TIME_LEN + 2, LEAST = MAC_AT + 6 };

static struct acme_slice key_of(const struct acme_tsig_key *key)
{
    return acme_slice(key->secret, key->secret_len);
}

void acme_tsig_sign(struct acme_out *o, const struct acme_tsig_key *key, int64_t utc, uint8_t mac[ACME_SHA256_LEN])
{
    const uint8_t variables[] = {0, 0, 0, 0}; /* error, length of other data */
    struct acme_slice message = acme_out_since(o, 0), parts[4];
    struct acme_dns_name owner;
    o->overflow = o->overflow || !acme_dns_name_make(&owner, "", key->name);
    size_t start = o->len;
    if (!o->overflow) {
        acme_out_bytes(o, owner.at, owner.len);
    }
    acme_dns_put32(o, ACME_DNS_TSIG, ACME_DNS_ANY);
    acme_dns_put32(o, 0, 0);
    acme_dns_put16(o, sizeof(algorithm) + LEAST + ACME_SHA256_LEN);
    size_t rdata = o->len;
    acme_out_bytes(o, algorithm, sizeof(algorithm));
    acme_dns_put16(o, (unsigned)(utc >> 32) & 0xffff);
    acme_dns_put32(o, (unsigned)(utc >> 16) & 0xffff, (unsigned)utc & 0xffff);
    acme_dns_put16(o, FUDGE_S);
    size_t end = o->len;
    acme_dns_put16(o, ACME_SHA256_LEN);
    acme_out_bytes(o, mac, ACME_SHA256_LEN); /* its place */
    acme_out_bytes(o, o->at, 2);             /* the ID     */
    acme_out_bytes(o, variables, sizeof(variables));
    if (o->overflow) {
        return;
    }
    parts[0] = message;
    parts[1] = acme_slice(o->at + start, owner.len);
    parts[2] = acme_slice(o->at + rdata - 10 + CLASS_AT, CLASS_LEN);
    parts[3] = acme_slice(o->at + rdata, end - rdata);
    const struct acme_slice all[] = {parts[0], parts[1], parts[2], parts[3],
                                     acme_slice(variables, sizeof(variables))};
    acme_hmac_sha256(key_of(key), all, sizeof(all) / sizeof(all[0]), mac);
    memcpy(o->at + end + 2, mac, ACME_SHA256_LEN);
    o->at[11]++; /* one additional record more: there was none */
}

/* Finds the TSIG, which is the last record. Returns 1, 0 when there is none, -1 when the message is malformed. */
static int find(const uint8_t *answer, size_t len, struct acme_dns_record *last)
{
    struct acme_dns_reader r = {answer, len, 0};
    bool good = acme_dns_read_questions(&r);
    unsigned count = 0;
    for (unsigned at = 6; good && at < ACME_DNS_HEAD; at += 2) {
        count += acme_dns_get16(answer + at);
    }
    last->type = 0;
    for (unsigned i = 0; good && i < count; i++) {
        good = acme_dns_read_record(&r, last);
    }
    if (!good || r.at != len) {
        return -1;
    }
    return last->type == ACME_DNS_TSIG && acme_dns_get16(answer + 10) > 0 ? 1 : 0;
}

static bool differs(const uint8_t *a, const uint8_t *b)
{
    uint8_t any = 0;
    for (size_t i = 0; i < ACME_SHA256_LEN; i++) { /* in a time that tells nothing */
        any |= a[i] ^ b[i];
    }
    return any != 0;
}

/* A TSIG record's parts, behind its algorithm, which is ours. */
struct parts {
    uint8_t *time, *tail; /* time, fudge; ID, error, other data */
    size_t mac_len, other_len;
};

static bool split(struct parts *p, uint8_t *data, size_t len)
{
    size_t at = 0;
    if (len < sizeof(algorithm) + LEAST) {
        return false;
    }
    while (at < sizeof(algorithm) && acme_lower((char)data[at]) == algorithm[at]) {
        at++;
    }
    len -= sizeof(algorithm) + LEAST;
    p->time = data + sizeof(algorithm);
    p->mac_len = acme_dns_get16(p->time + TIME_LEN);
    if (at < sizeof(algorithm) || p->mac_len > len) {
        return false;
    }
    p->tail = p->time + MAC_AT + p->mac_len;
    p->other_len = len - p->mac_len;
    return acme_dns_get16(p->tail + 4) == p->other_len;
}

/* A forwarder may have changed the ID in the head; and what was signed had no TSIG. */
static void restore(uint8_t *answer, const struct parts *p)
{
    unsigned additional = acme_dns_get16(answer + 10) - 1u;
    memcpy(answer, p->tail, 2);
    answer[10] = (uint8_t)(additional >> 8);
    answer[11] = (uint8_t)additional;
}

int acme_tsig_check(uint8_t *answer, size_t len, const struct acme_tsig_key *key, const uint8_t mac[ACME_SHA256_LEN],
                    struct acme_tsig_said *said)
{
    static const uint8_t mac_len[] = {0, ACME_SHA256_LEN};
    struct acme_dns_record tsig;
    struct acme_dns_name own;
    struct parts p;
    uint8_t wanted[ACME_SHA256_LEN];

    memset(said, 0, sizeof(*said));
    int found = find(answer, len, &tsig);
    if (found != 1) {
        return found;
    }
    if (!split(&p, answer + tsig.data, tsig.data_len)) {
        return -1;
    }
    said->error = acme_dns_get16(p.tail + 2);
    if (p.mac_len == 0) {
        return 0; /* who does not know the key cannot sign */
    }
    if (p.mac_len != ACME_SHA256_LEN || !acme_dns_name_make(&own, "", key->name) ||
        !acme_dns_same(&tsig.owner, &own)) {
        return -1;
    }
    restore(answer, &p);
    const struct acme_slice parts[] = {
        acme_slice(mac_len, sizeof(mac_len)),
        acme_slice(mac, ACME_SHA256_LEN),
        acme_slice(answer, tsig.start),
        acme_slice(own.at, own.len),
        acme_slice(answer + tsig.data - 10 + CLASS_AT, CLASS_LEN),
        acme_slice(algorithm, sizeof(algorithm)),
        acme_slice(p.time, TIME_LEN),
        acme_slice(p.tail + 2, 4 + p.other_len),
    };
    acme_hmac_sha256(key_of(key), parts, sizeof(parts) / sizeof(parts[0]), wanted);
    if (differs(wanted, p.time + MAC_AT)) {
        return -1;
    }
    /* That our request's MAC is covered makes it an answer to that one: its time needs no look. */
    for (size_t i = 0; said->error == ACME_TSIG_BADTIME && p.other_len == 6 && i < 6; i++) {
        said->their_utc = said->their_utc << 8 | p.tail[6 + i];
    }
    return 1;
}
