/* resource.h - the objects of RFC 8555, 7.1, read out of JSON with every member checked. */
#ifndef ACME_PROTOCOL_RESOURCE_H
#define ACME_PROTOCOL_RESOURCE_H

#include "../acme_setup.h"
#include "../wire/json.h"
#include "../wire/url.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where the CA's URLs may lead: the directory's host and port, and those the caller listed. */
struct acme_hosts {
    struct acme_url directory;
    const char *const *more;
    size_t more_count;
};

/* Copies a URL of an allowed host, NUL-terminated; http only on the host of a directory that is http itself.
 * Returns 0, ACME_E_MEMBER (absent), ACME_E_URL*, and leaves `kept` empty on error: a URL is never cut. */
int acme_url_keep(char kept[ACME_URL_MAX + 1], struct acme_slice url, const struct acme_hosts *hosts);

/* The word as a status; unknown words are ACME_STATUS_UNKNOWN. */
enum acme_status acme_status_of(struct acme_slice word);

/* The CA's directory (7.1.1). Unknown members of any type are ignored: Boulder adds a random one on purpose. */
struct acme_directory {
    char new_nonce[ACME_URL_MAX + 1];
    char new_account[ACME_URL_MAX + 1];
    char new_order[ACME_URL_MAX + 1];
    char new_cert[ACME_V1_URL]; /* empty: RFC 8555; else the others are new-reg, twice, and new-authz */
};

/* What the directory's `meta` says; only needed while an account is made. */
struct acme_meta {
    struct acme_slice terms; /* URL of the terms of service; empty: none */
    bool account_binding;    /* externalAccountRequired                  */
};

int acme_directory_read(struct acme_directory *directory, struct acme_meta *meta, const struct acme_json *json,
                        const struct acme_hosts *hosts);

/* An order (7.1.3). url and authorizations come from newOrder (or the first look at a stored order) and are
 * kept when later answers leave them out; finalize and certificate as they appear. */
#define ACME_LONGEST_TEXT (ACME_URL_MAX + ACME_TOKEN_MAX) /* of a single name */
#define ACME_NAMES_TEXT   (ACME_NAMES_MAX * ACME_NAME_TEXT)
#define ACME_ORDER_TEXT   ((ACME_NAMES_TEXT > ACME_LONGEST_TEXT ? ACME_NAMES_TEXT : ACME_LONGEST_TEXT) + 3)

struct acme_order {
    enum acme_status status;
    uint8_t authz_count;
    uint16_t text_end; /* of what is kept in text: its last zero */
    struct {
        uint16_t url, token, challenge; /* where they begin in text, NUL-terminated; 0: not kept, and empty there */
    } authz[ACME_NAMES_MAX];
    char url[ACME_URL_MAX + 1];
    char finalize[ACME_URL_MAX + 1];
    char certificate[ACME_URL_MAX + 1];
    char text[ACME_ORDER_TEXT];
};

/* Keeps a text of an authorization where `spare` bytes are left then; *at, where it begins, may have it already. Returns false,
 * and *at is 0, when there is no room. */
bool acme_order_keep(struct acme_order *order, uint16_t *at, struct acme_slice text, size_t spare);

/* Adds an authorization, whose URL was checked. Returns 0, ACME_E_NAMES, or ACME_E_URL_LONG: there is no room for all of them. */
int acme_order_add(struct acme_order *order, const char *url);

/* The URL of one of them. */
static inline const char *acme_order_authz(const struct acme_order *order, unsigned i)
{
    return order->text + order->authz[i].url;
}

/* Takes status, and the URLs that are there. Errors: ACME_E_MEMBER (no status; no authorizations or finalize
 * where the status needs them), ACME_E_NAMES (more authorizations than ACME_NAMES_MAX), ACME_E_URL*. */
int acme_order_read(struct acme_order *order, const struct acme_json *json, const struct acme_hosts *hosts);

/* An authorization (7.1.4) with the one challenge we are interested in. Slices lead into the document. */
struct acme_authz {
    enum acme_status status;
    struct acme_slice name; /* identifier                                        */
#if ACME_CFG_CHOICE
    bool wildcard; /* it is for all names below                         */
#endif
    struct acme_slice url; /* of the challenge; at == NULL: no such challenge   */
    struct acme_slice token;
    enum acme_status challenge; /* status of the challenge                           */
    acme_json_value error;      /* the challenge's problem, or ACME_JSON_NONE; when the authorization is invalid for
                                   another challenge, that one's */
#if ACME_CFG_DNS_DRAFTS
    acme_json_value at; /* the challenge itself */
#endif
};

/* Reads status, identifier, and the challenge of `type`. Returns 0 or ACME_E_MEMBER. */
int acme_authz_read(struct acme_authz *authz, const struct acme_json *json, const char *type);

#ifdef __cplusplus
}
#endif

#endif
