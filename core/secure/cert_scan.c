/* cert_scan.c - see cert_scan.h. */
#include "cert_scan.h"

#include <string.h>

#include "../acme_config.h"
#include "../wire/date.h"
#include "../wire/der.h"

enum state { TAG, LENGTH, MORE_LENGTH, CONTENTS };

/* The SEQUENCEs on the way to the extensions, in their order; the others are passed over. */
enum { CERTIFICATE, TBS, ALGORITHM, ISSUER, VALIDITY, LATER };

void acme_cert_scan_begin(struct acme_cert_scan *s)
{
    memset(s, 0, sizeof *s);
    s->not_after = ACME_DATE_NONE;
}

#if ACME_CFG_ADDRESSES

/* How far into subjectAltName it is: behind its object identifier, in its value, in the list there. */
enum { NO_NAMES, NAMES_NEXT, NAMES_VALUE, NAMES };

static void identify_names(struct acme_cert_scan *s)
{
    s->names = s->wanted != NULL && memcmp(s->text, "\3\x55\x1d\x11", 4) == 0 ? NAMES_NEXT : NO_NAMES;
}

/* Decides for elements of subjectAltName, of which only the list is entered. Returns false for all others. */
static bool names_element(struct acme_cert_scan *s, bool *enter)
{
    if (s->names == NAMES_NEXT && s->tag == ACME_DER_OCTET_STRING) {
        s->usage = s->len + 1; /* this byte counts */
        s->names = NAMES_VALUE;
        s->has_wanted = false; /* where there are two, BearSSL takes the last */
        *enter = true;
    } else if (s->names == NAMES_VALUE) {
        *enter = s->tag == ACME_DER_SEQUENCE;
        s->names = *enter ? NAMES : NO_NAMES;
    } else if (s->names != NAMES) {
        return false;
    }
    return true;
}

/* A name is over, when this is one. */
static bool name_end(struct acme_cert_scan *s)
{
    if (s->names == NAMES && s->tag == ACME_DER_IP_ADDRESS && memcmp(s->text, s->wanted, 1u + s->wanted[0]) == 0) {
        s->has_wanted = true;
    }
    return s->names == NAMES;
}

static void names_end(struct acme_cert_scan *s)
{
    s->names = NO_NAMES;
}

#else
#define identify_names(s)       ((void)0)
#define names_element(s, enter) false
#define name_end(s)             false
#define names_end(s)            ((void)0)
#endif

/* An object identifier is over: the name of an extension, a purpose, or an attribute of the issuer. */
static void identified(struct acme_cert_scan *s)
{
    if (s->in_issuer) {
        bool common = memcmp(s->text, "\3\x55\x04\x03", 4) == 0;
        s->in_name = common || (memcmp(s->text, "\3\x55\x04\x0a", 4) == 0 && s->issuer_len == 0);
        s->issuer_len = common ? 0 : s->issuer_len;
    } else if (s->usage == 0) {
        s->is_usage = memcmp(s->text, "\3\x55\x1d\x25", 4) == 0;
        identify_names(s);
    } else if (memcmp(s->text, "\x08\x2b\x06\x01\x05\x05\x07\x03\x01", 9) == 0 ||
               memcmp(s->text, "\4\x55\x1d\x25", 5) == 0) {
        s->unserved = false;
    }
}

/* The contents of an element are over. */
static void element_end(struct acme_cert_scan *s)
{
    s->state = TAG;
    if (name_end(s)) {
        return;
    }
    if (s->tag == ACME_DER_OID) {
        identified(s);
    } else if (s->in_issuer) {
        s->in_name = false;
    } else if (ACME_CFG_RESUME && s->sequences == LATER && ++s->times == 2) { /* notBefore, and this */
        s->not_after = acme_date_der(acme_slice(s->text + 1, s->text[0]), s->tag == ACME_DER_UTC_TIME);
    }
}

/* Tag and length are known: decides whether the contents are elements to look at, too. */
static void element(struct acme_cert_scan *s)
{
    bool enter = false;

    s->text[0] = 0;
    if (names_element(s, &enter)) {
        /* decided */
    } else if (s->tag == ACME_DER_SEQUENCE) {
        enter = s->in_extensions || s->in_issuer || s->sequences <= TBS || s->sequences == VALIDITY;
        if (s->sequences == ISSUER && !s->in_issuer) {
            enter = s->in_issuer = true;
            s->usage = s->len + 1; /* this byte counts */
        } else if (!s->in_issuer) {
            s->sequences = (uint8_t)(s->sequences < LATER ? s->sequences + 1 : LATER);
        }
    } else if (s->in_issuer && s->tag == ACME_DER_SET) {
        enter = true;
    } else if (s->tag == ACME_DER_CONTEXT_0 + 3) {
        enter = s->in_extensions = true;
    } else if (s->tag == ACME_DER_OCTET_STRING && s->is_usage) {
        s->is_usage = false;
        s->unserved = true;
        s->usage = s->len + 1; /* this byte counts */
        enter = true;
    }
    s->state = enter ? TAG : CONTENTS;
    if (!enter && s->len == 0) {
        element_end(s);
    }
}

static void contents(struct acme_cert_scan *s, uint8_t byte)
{
    if (s->text[0] < sizeof s->text - 1) {
        s->text[++s->text[0]] = byte;
    }
    if (s->in_name && byte >= ' ' && byte <= '~' && s->issuer_len < ACME_ISSUER_MAX) {
        s->issuer[s->issuer_len++] = (char)byte;
        s->issuer[s->issuer_len] = '\0';
    }
    if (--s->len == 0) {
        element_end(s);
    }
}

void acme_cert_scan(struct acme_cert_scan *s, const uint8_t *der, size_t len)
{
    for (; len > 0; der++, len--) {
        if (s->state == TAG) {
            s->tag = *der;
            s->state = LENGTH;
        } else if (s->state == LENGTH) {
            s->more = (uint8_t)(*der > 0x80 ? *der - 0x80 : 0);
            s->len = s->more > 0 ? 0 : *der & 0x7fu;
            s->state = MORE_LENGTH;
        } else if (s->state == MORE_LENGTH) {
            s->len = s->len << 8 | *der;
            s->more--;
        } else {
            contents(s, *der);
        }
        if (s->state == MORE_LENGTH && s->more == 0) {
            element(s);
        }
        /* Whatever is in there, what comes next is behind it. */
        if (s->usage > 0 && --s->usage == 0) {
            s->state = TAG;
            names_end(s);
            if (s->in_issuer) {
                s->in_issuer = s->in_name = false;
                s->sequences = VALIDITY;
            } else if (s->unserved) {
                s->other_use = true;
            }
        }
    }
}
