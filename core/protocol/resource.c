#include "resource.h"

static bool hosts_allow(const struct acme_hosts *hosts, const struct acme_url *url)
{
    if (acme_url_same_origin(url, &hosts->directory)) {
        return true;
    }
    for (size_t i = 0; i < hosts->more_count; i++) {
        if (acme_url_at(url, hosts->more[i])) {
            return true;
        }
    }
    return false;
}

/* In clear only on the directory's own host, and only when the directory is: TLS is never given up on the way. */
static bool scheme_ok(const struct acme_hosts *hosts, const struct acme_url *url)
{
    const struct acme_url *directory = &hosts->directory;
    return !acme_url_is_plain(url) ||
           (acme_url_is_plain(directory) && acme_slice_is_nocase(url->host, directory->host));
}

int acme_url_keep(char kept[ACME_URL_MAX + 1], struct acme_slice text, const struct acme_hosts *hosts)
{
    struct acme_url url;
    kept[0] = '\0';
    if (text.len == 0) {
        return ACME_E_MEMBER;
    }
    if (text.len > ACME_URL_MAX) {
        return ACME_E_URL_LONG;
    }
    int error = acme_url_parse(&url, text);
    if (error != 0) {
        return error;
    }
    if (!scheme_ok(hosts, &url)) {
        return ACME_E_URL_SCHEME;
    }
    if (!hosts_allow(hosts, &url)) {
        return ACME_E_URL_HOST;
    }
    memcpy(kept, text.at, text.len);
    kept[text.len] = '\0';
    return 0;
}

enum acme_status acme_status_of(struct acme_slice word)
{
    static const char *const known[] = {
        [ACME_STATUS_PENDING] = "pending", [ACME_STATUS_PROCESSING] = "processing",
        [ACME_STATUS_READY] = "ready",     [ACME_STATUS_VALID] = "valid",
        [ACME_STATUS_INVALID] = "invalid", [ACME_STATUS_DEACTIVATED] = "deactivated",
        [ACME_STATUS_EXPIRED] = "expired", [ACME_STATUS_REVOKED] = "revoked",
    };
    if (word.at == NULL) {
        return ACME_STATUS_NONE;
    }
    for (size_t i = ACME_STATUS_PENDING; i < sizeof(known) / sizeof(known[0]); i++) {
        if (acme_slice_is(word, known[i])) {
            return (enum acme_status)i;
        }
    }
    return ACME_STATUS_UNKNOWN;
}

int acme_directory_read(struct acme_directory *directory, struct acme_meta *meta, const struct acme_json *json,
                        const struct acme_hosts *hosts)
{
    static const char *const rfc8555[] = {"newNonce", "newAccount", "newOrder"};
    static const char *const v1[] = {"new-reg", "new-reg", "new-authz"}; /* a nonce comes with any answer */
    acme_json_value about = acme_json_member(json, 0, "meta");
    meta->terms = acme_json_text(json, about, "termsOfService");
    meta->account_binding = acme_json_true(json, acme_json_member(json, about, "externalAccountRequired"));

    struct acme_slice new_cert = acme_slice(NULL, 0);
    if (ACME_CFG_V1 && acme_json_text(json, 0, "newOrder").at == NULL) {
        new_cert = acme_json_text(json, 0, "new-cert");
    }
    const char *const *member = new_cert.at != NULL ? v1 : rfc8555;
    int error = acme_url_keep(directory->new_nonce, acme_json_text(json, 0, member[0]), hosts);
    if (error == 0) {
        error = acme_url_keep(directory->new_account, acme_json_text(json, 0, member[1]), hosts);
    }
    if (error == 0) {
        error = acme_url_keep(directory->new_order, acme_json_text(json, 0, member[2]), hosts);
    }
    if (error == 0) {
        directory->new_cert[0] = '\0';
        error = new_cert.at != NULL ? acme_url_keep(directory->new_cert, new_cert, hosts) : 0;
    }
    return error;
}

bool acme_order_keep(struct acme_order *order, uint16_t *at, struct acme_slice text, size_t spare)
{
    if (acme_slice_is(text, order->text + *at)) {
        return true;
    }
    size_t end = order->text_end + 1u + text.len;
    *at = 0;
    if (end + spare >= sizeof(order->text)) {
        return false;
    }
    *at = (uint16_t)(order->text_end + 1);
    memcpy(order->text + *at, text.at, text.len);
    order->text[end] = '\0';
    order->text_end = (uint16_t)end;
    return true;
}

int acme_order_add(struct acme_order *order, const char *url)
{
    if (order->authz_count == ACME_NAMES_MAX) {
        return ACME_E_NAMES;
    }
    order->authz[order->authz_count].url = 0;
    if (!acme_order_keep(order, &order->authz[order->authz_count].url, acme_slice_of(url), 0)) {
        return ACME_E_URL_LONG;
    }
    order->authz_count++;
    return 0;
}

/* One that is listed twice is taken once, or it would be answered twice. */
static int add_sorted(struct acme_order *order, const char *url)
{
    uint8_t at = order->authz_count;
    int differs = 1;
    while (at > 0 && (differs = strcmp(acme_order_authz(order, at - 1u), url)) > 0) {
        at--;
    }
    if (differs == 0) {
        return 0;
    }
    int error = acme_order_add(order, url);
    if (error == 0) {
        uint16_t added = order->authz[order->authz_count - 1].url;
        for (uint8_t i = (uint8_t)(order->authz_count - 1); ACME_NAMES_MAX > 1 && i > at; i--) {
            order->authz[i].url = order->authz[i - 1].url;
        }
        order->authz[at].url = added;
    }
    return error;
}

/* The list is kept sorted: Pebble and Boulder shuffle it, and a client that was reset while the CA validated one name
 * must come back to that one first, or the CA finds no answer there. */
static int authorizations_read(struct acme_order *order, const struct acme_json *json, const struct acme_hosts *hosts)
{
    acme_json_value list = acme_json_member(json, 0, "authorizations");
    char url[ACME_URL_MAX + 1];
    int error = 0;
    for (acme_json_value at = acme_json_first(json, list); error == 0 && at != ACME_JSON_NONE;
         at = acme_json_next(json, list, at)) {
        error = acme_url_keep(url, acme_json_string(json, at), hosts);
        error = error == 0 ? add_sorted(order, url) : error;
    }
    if (error != 0) {
        order->authz_count = 0;
        order->text_end = 0;
    }
    return error;
}

int acme_order_read(struct acme_order *order, const struct acme_json *json, const struct acme_hosts *hosts)
{
    order->status = acme_status_of(acme_json_text(json, 0, "status"));
    if (order->status == ACME_STATUS_NONE) {
        return ACME_E_MEMBER;
    }
    /* The list is taken once and kept: later answers may lack it. What is past needing a member may lack it from the
     * first look on, as an order taken up after a reset can be. */
    int error = order->authz_count == 0 ? authorizations_read(order, json, hosts) : 0;
    if (error == 0 && order->authz_count == 0 && order->status == ACME_STATUS_PENDING) {
        error = ACME_E_MEMBER;
    }
    bool open = order->status == ACME_STATUS_PENDING || order->status == ACME_STATUS_READY;
    struct acme_slice finalize = acme_json_text(json, 0, "finalize");
    if (error == 0 && (finalize.len != 0 || (open && order->finalize[0] == '\0'))) {
        error = acme_url_keep(order->finalize, finalize, hosts);
    }
    struct acme_slice certificate = acme_json_text(json, 0, "certificate");
    if (error == 0 && certificate.len != 0) {
        error = acme_url_keep(order->certificate, certificate, hosts);
    }
    return error;
}

#if ACME_CFG_CHOICE
static void read_wildcard(struct acme_authz *authz, const struct acme_json *json)
{
    authz->wildcard = acme_json_true(json, acme_json_member(json, 0, "wildcard"));
}
#else
#define read_wildcard(authz, json) ((void)0)
#endif

#if ACME_CFG_DNS_DRAFTS
static void keep_place(struct acme_authz *authz, acme_json_value at)
{
    authz->at = at;
}
#else
#define keep_place(authz, at) ((void)0)
#endif

int acme_authz_read(struct acme_authz *authz, const struct acme_json *json, const char *type)
{
    acme_json_value identifier = acme_json_member(json, 0, "identifier");
    acme_json_value list = acme_json_member(json, 0, "challenges");

    memset(authz, 0, sizeof(*authz));
    authz->error = ACME_JSON_NONE;
    authz->status = acme_status_of(acme_json_text(json, 0, "status"));
    authz->name = acme_json_text(json, identifier, "value");
    read_wildcard(authz, json);
    bool bare = authz->status == ACME_STATUS_PENDING && list == ACME_JSON_NONE; /* there is always something to do */
    if (authz->status == ACME_STATUS_NONE || authz->name.len == 0 || bare) {
        return ACME_E_MEMBER;
    }
    for (acme_json_value at = acme_json_first(json, list); at != ACME_JSON_NONE;
         at = acme_json_next(json, list, at)) {
        bool ours = authz->url.at == NULL && acme_slice_is(acme_json_text(json, at, "type"), type);
        acme_json_value error = acme_json_member(json, at, "error");
        if (ours) {
            authz->url = acme_json_text(json, at, "url");
            if (ACME_CFG_V1 && authz->url.at == NULL) {
                authz->url = acme_json_text(json, at, "uri");
            }
            authz->token = acme_json_text(json, at, "token");
            keep_place(authz, at);
            authz->challenge = acme_status_of(acme_json_text(json, at, "status"));
        }
        /* Another client of the account may have answered another challenge: then the reason stands there. */
        bool open = authz->status != ACME_STATUS_INVALID;
        if (error != ACME_JSON_NONE && (ours || (authz->error == ACME_JSON_NONE && !open))) {
            authz->error = error;
        }
    }
    return 0;
}
