/* solvers.c - see solvers.h. */
#include <string.h>

#include "report.h"
#include "solvers.h"
#include "wire/address.h"

/* The type in this place of the list; false behind its end. */
static bool type_at(const char *list, size_t place, struct acme_slice *type)
{
    static const char between[] = ", \t";
    for (list += strspn(list, between); *list != '\0'; list += strspn(list, between)) {
        *type = acme_slice(list, strcspn(list, between));
        if (place-- == 0) {
            return true;
        }
        list += type->len;
    }
    return false;
}

/* Who names a name server, a hook or a port wants it to be used. A hook is asked for all, and may decline. */
const char *acme_solvers_list(const struct acme_config *c)
{
    return c->challenge != NULL    ? c->challenge
           : c->hook != NULL       ? "http-01,dns-01,tls-alpn-01"
           : c->dns_server != NULL ? "dns-01"
           : c->tls_port != 0      ? "tls-alpn-01"
                                   : "http-01";
}

/* One that is written into the DNS for each validation. */
static bool by_dns(struct acme_slice type)
{
    return acme_slice_is(type, "dns-01") || acme_slice_is(type, ACME_DNSACCOUNT01_TYPE);
}

/* Whether the hook answers for this type: for all but what a name server was named for, and what nobody has to answer for. */
static bool by_hook(const struct acme_config *c, struct acme_slice type)
{
    return c->hook != NULL && !acme_slice_is(type, ACME_DNSPERSIST01_TYPE) &&
           (c->dns_server == NULL || !by_dns(type));
}

static int wrong(const struct acme_config *c, enum acme_config_key key, const char *name, const char *value,
                 const char *why)
{
    acme_report_error("%s: \"%.260s\": %s", name, value, why);
    return acme_config_blame(c, key);
}

static int check_types(struct acme_solvers *s, const struct acme_config *c)
{
    static const char *const known[] = {"http-01", "dns-01", "tls-alpn-01", ACME_DNSACCOUNT01_TYPE,
                                        ACME_DNSPERSIST01_TYPE};
    bool *const ours[] = {&s->http, &s->dns, &s->tls, &s->dns, &s->persists};
    bool seen[sizeof known / sizeof *known] = {false};
    const char *list = acme_solvers_list(c);
    struct acme_slice type;
    size_t count = 0;

    s->http = s->dns = s->tls = s->hooks = s->persists = false;
    for (; type_at(list, count, &type); count++) {
        size_t k = 0;
        while (k < sizeof known / sizeof *known && !acme_slice_is(type, known[k])) {
            k++;
        }
        if (k == sizeof known / sizeof *known) {
            return wrong(c, ACME_KEY_CHALLENGE, "challenge", list,
                         "http-01, dns-01, tls-alpn-01, dns-account-01 and dns-persist-01 can be answered");
        }
        if (seen[k]) {
            return wrong(c, ACME_KEY_CHALLENGE, "challenge", list, "a type is there twice");
        }
        seen[k] = true;
        *ours[k] = *ours[k] || !by_hook(c, type);
        s->hooks = s->hooks || by_hook(c, type);
    }
    return count > 0 ? 0 : wrong(c, ACME_KEY_CHALLENGE, "challenge", list, "no type");
}

static int check_hook(const struct acme_config *c)
{
    const char *why = acme_hook_check(c->hook);
    return why == NULL ? 0 : wrong(c, ACME_KEY_HOOK, "hook", c->hook, why);
}

static int check_servers(struct acme_solvers *s, const struct acme_config *c)
{
    uint16_t port = 0;
    const char *why = acme_nameserver_split(c->dns_server, s->server, &s->zone.port);

    if (why != NULL) {
        return wrong(c, ACME_KEY_DNS_SERVER, "dns_server", c->dns_server, why);
    }
    for (size_t i = 0; i < c->dns_watch.count; i++) {
        why = acme_nameserver_split(c->dns_watch.at[i], s->watch[i], &port);
        why = why == NULL && port != 0 && port != s->zone.port ? "on another port than dns_server" : why;
        if (why != NULL) {
            return wrong(c, ACME_KEY_DNS_WATCH, "dns_watch", c->dns_watch.at[i], why);
        }
        s->watch_at[i] = s->watch[i];
    }
    return 0;
}

static int check_zone(const struct acme_config *c)
{
    struct acme_dns_name name;
    if (c->dns_zone != NULL && !acme_dns_name_make(&name, "", c->dns_zone)) {
        return wrong(c, ACME_KEY_DNS_ZONE, "dns_zone", c->dns_zone, "not a domain name");
    }
    if (c->dns_record != NULL && !acme_dns_name_make(&name, "", c->dns_record)) {
        return wrong(c, ACME_KEY_DNS_RECORD, "dns_record", c->dns_record, "not a domain name");
    }
    return 0;
}

/* An address is in no zone (RFC 8738, 7): an order for it would be in vain. */
static int check_addresses(const struct acme_config *c)
{
    const char *list = acme_solvers_list(c);
    struct acme_slice type;
    bool can = false;

    for (size_t i = 0; type_at(list, i, &type); i++) {
        can = can || !(by_dns(type) || acme_slice_is(type, ACME_DNSPERSIST01_TYPE));
    }
    for (size_t i = 0; !can && i < c->names.count; i++) {
        if (acme_is_address(c->names.at[i])) {
            return wrong(c, ACME_KEY_CHALLENGE, "challenge", list,
                         "no address is proved by the DNS: http-01 and tls-alpn-01 do");
        }
    }
    return 0;
}

int acme_solvers_check(struct acme_solvers *s, const struct acme_config *c)
{
    int code = check_types(s, c);

    code = code != 0 ? code : check_addresses(c);
    code = code == 0 && s->hooks ? check_hook(c) : code;
    if (code != 0 || !s->dns) {
        return code;
    }
    if (c->dns_server == NULL) {
        acme_report_error("%s needs --dns-server, the primary name server of the zone, or --hook",
                          strstr(acme_solvers_list(c), "dns-01") != NULL ? "dns-01" : ACME_DNSACCOUNT01_TYPE);
        return acme_config_blame(c, ACME_KEY_CHALLENGE);
    }
    if (c->tsig_key == NULL) {
        acme_report_error("dns_server: updates are signed: --tsig-key FILE is missing");
        return acme_config_blame(c, ACME_KEY_DNS_SERVER);
    }
    code = check_servers(s, c);
    code = code != 0 ? code : check_zone(c);
    return code != 0 ? code : acme_nameserver_key_read(&s->key, c->tsig_key);
}

static void fill_dns(struct acme_solvers *s, const struct acme_config *c)
{
    struct acme_rfc2136_zone *z = &s->zone;

    acme_posix_udp_init(&s->udp);
    z->udp = &s->udp.udp;
    z->sys = &acme_posix_sys;
    z->server = s->server;
    z->key.name = s->key.name;
    z->key.secret = s->key.secret;
    z->key.secret_len = s->key.secret_len;
    z->zone = c->dns_zone;
    z->record = c->dns_record;
    z->watch = s->watch_at;
    z->watch_count = c->dns_watch.count;
    acme_rfc2136_init(&s->rfc2136, z);
}

static const struct acme_solver *hooked(const struct acme_solvers *s, struct acme_slice type)
{
    return acme_slice_is(type, "http-01")                ? &s->hook.http01
           : acme_slice_is(type, "dns-01")               ? &s->hook.dns01
           : acme_slice_is(type, ACME_DNSACCOUNT01_TYPE) ? &s->hook.dns_account01
                                                         : &s->hook.tls_alpn01;
}

void acme_solvers_fill(struct acme_solvers *s, const struct acme_config *c, const struct acme_solver *http,
                       const struct acme_solver *tls)
{
    const char *list = acme_solvers_list(c);
    struct acme_slice type;

    if (s->dns) {
        fill_dns(s, c);
    }
    acme_challenge_hook_init(&s->hook);
    s->count = 0;
    for (size_t i = 0; type_at(list, i, &type); i++) {
        s->at[s->count++] = by_hook(c, type)                              ? hooked(s, type)
                            : acme_slice_is(type, "dns-01")               ? &s->rfc2136.solver
                            : acme_slice_is(type, ACME_DNSACCOUNT01_TYPE) ? &s->rfc2136.account
                            : acme_slice_is(type, ACME_DNSPERSIST01_TYPE) ? &acme_dnspersist01
                            : acme_slice_is(type, "http-01")              ? http
                                                                          : tls;
    }
}
