/* acme_setup.c - is a set-up one to work with? All that can be told before anything is done. */
#include "acme_setup.h"

#include <string.h>

#include "secure/channel.h"
#include "wire/address.h"
#include "wire/url.h"

/* What could overrun memory. */
static int check_bounds(const struct acme_setup *s)
{
    if (s->work_len < ACME_WORK_MIN) {
        return ACME_E_WORK_SMALL;
    }
    return s->name_count == 0 || s->name_count > ACME_NAMES_MAX ? ACME_E_NAMES : 0;
}

#if ACME_CFG_CHECK

static bool pointers_given(const struct acme_setup *s)
{
    return s->sys != NULL && s->store != NULL && s->ca.directory_url != NULL && s->account_key.ops != NULL &&
           s->certificate_key.ops != NULL && s->names != NULL && s->solvers != NULL && s->solver_count > 0 &&
           s->work != NULL && (s->contact_count == 0 || s->contacts != NULL) &&
           (s->ca.more_host_count == 0 || s->ca.more_hosts != NULL);
}

/* Texts that go into requests as they are. */
static bool is_printable(const char *text)
{
    while (text != NULL && *text >= ' ' && *text <= '~') {
        text++;
    }
    return text == NULL || *text == '\0';
}

#if ACME_CFG_RENEWAL
#define has_good_profile(s) is_printable((s)->profile)
#else
#define has_good_profile(s) true
#endif

#if ACME_CFG_EAB
/* The key identifier goes into a request; without its key it is of no use. */
static int check_binding(const struct acme_binding *b)
{
    if (!acme_is_bound(b)) {
        return 0;
    }
    return b->mac_key == NULL || b->mac_key_len == 0 ? ACME_E_NULL : is_printable(b->kid) ? 0 : ACME_E_TEXT;
}
#define check_external(s) check_binding(&(s)->binding)
#else
#define check_external(s) 0
#endif

#if ACME_CFG_CHOICE
/* "*." is no part of a DNS name, and stands in front of one. */
static bool is_name(const char *name)
{
    bool wildcard = name[0] == '*' && name[1] == '.';
    return acme_is_address(name) ||
           (strlen(name) <= 253 && acme_dns_name_ok(acme_slice_of(wildcard ? name + 2 : name)));
}

/* One of the solvers must be good for it. */
static int check_proof(const struct acme_setup *s, const char *name)
{
    bool can = name[0] != '*';
    for (size_t i = 0; i < s->solver_count; i++) {
        can = can || s->solvers[i]->wildcards;
    }
    return can ? 0 : ACME_E_WILDCARD;
}
#else
#define is_name(name)        (acme_dns_name_ok(acme_slice_of(name)) || acme_is_address(name))
#define check_proof(s, name) 0
#endif

/* True for a DNS name or an address that was not given before. */
static bool is_new_name(const struct acme_setup *s, size_t i)
{
    if (s->names[i] == NULL || !is_name(s->names[i])) {
        return false;
    }
    for (size_t k = 0; k < i; k++) {
        if (acme_slice_is_nocase(acme_slice_of(s->names[i]), acme_slice_of(s->names[k]))) {
            return false;
        }
    }
    return true;
}

/* True when the directory is spoken to in clear, on the host that was named for it. */
#if ACME_CFG_PLAIN_HTTP
static bool is_plain(const struct acme_setup *s)
{
    struct acme_url url;

    return s->ca.plain_host != NULL && acme_url_parse(&url, acme_slice_of(s->ca.directory_url)) == 0 && url.plain &&
           acme_slice_is_word(url.host, s->ca.plain_host);
}
#else
#define is_plain(s) false
#endif

int acme_setup_check(const struct acme_setup *s)
{
    struct acme_url url;
    uint8_t address[ACME_ADDRESS_MAX];

    if (!pointers_given(s)) {
        return ACME_E_NULL;
    }
    for (size_t i = 0; i < s->solver_count; i++) {
        if (s->solvers[i] == NULL) {
            return ACME_E_NULL;
        }
    }
    if (s->account_key.ops == s->certificate_key.ops && s->account_key.handle == s->certificate_key.handle) {
        return ACME_E_KEY; /* RFC 8555, 11.1 */
    }
    int error = check_bounds(s);
    if (error != 0) {
        return error;
    }
    error = acme_channel_check(s, is_plain(s));
    if (error != 0) {
        return error;
    }
    for (size_t i = 0; i < s->name_count; i++) {
        if (!is_new_name(s, i)) {
            return ACME_E_NAMES;
        }
        error = check_proof(s, s->names[i]);
        if (error != 0) {
            return error;
        }
    }
    for (size_t i = 0; i < s->contact_count; i++) {
        if (!is_printable(s->contacts[i])) {
            return ACME_E_TEXT;
        }
    }
    if (!is_printable(s->product) || !has_good_profile(s)) {
        return ACME_E_TEXT;
    }
    error = check_external(s);
    if (error != 0) {
        return error;
    }
    if (strlen(s->ca.directory_url) > ACME_URL_MAX) {
        return ACME_E_URL_LONG;
    }
    error = acme_url_parse(&url, acme_slice_of(s->ca.directory_url));
    bool named = s->ca.tls_name != NULL && s->ca.tls_name[0] != '\0';
    if (error == 0 && acme_url_is_plain(&url)) {
        return is_plain(s) ? 0 : ACME_E_URL_SCHEME;
    }
    if (error == 0 && url.is_address && !named && acme_address_read(url.host, address) == 0) {
        error = ACME_E_TLS_NAME; /* nothing in a certificate could be compared with it */
    }
    return error;
}

#else

int acme_setup_check(const struct acme_setup *s)
{
    int error = check_bounds(s);
    return error != 0 ? error : acme_channel_check(s, false);
}

#endif
