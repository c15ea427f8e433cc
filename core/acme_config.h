/* acme_config.h - every limit of the core.
 *
 * Each option may be set on the compiler's command line or in a file of your own named by ACME_CONFIG_FILE
 * (-DACME_CONFIG_FILE='"my_limits.h"'). All objects of one image must see the same values: acme_init(), and
 * every other function that prepares a struct whose size they decide, compares the size it was compiled with against the
 * caller's and refuses a mismatch with ACME_E_SIZE. */
#ifndef ACME_CONFIG_H
#define ACME_CONFIG_H

#include <limits.h>

#ifdef ACME_CONFIG_FILE
#include ACME_CONFIG_FILE
#endif

#if INT_MAX < 2147483647
#error "nanoacme needs an int of 32 bits"
#endif

/* DNS names in one certificate. RAM: ACME_NAME_TEXT + 30 bytes each. Too small: ACME_E_NAMES from acme_init(). */
#ifndef ACME_NAMES_MAX
#define ACME_NAMES_MAX 8
#endif

/* Texts of an authorization that are kept, in bytes, on the average of ACME_NAMES_MAX: its URL and token, and its challenge's URL.
 * RAM: ACME_NAMES_MAX of these. Too small: a request more for each name whose challenge's URL was not kept; where URLs and tokens
 * alone do not fit, ACME_E_URL_LONG. Boulder's come to 210. */
#ifndef ACME_NAME_TEXT
#define ACME_NAME_TEXT 216
#endif

/* Longest URL kept, in bytes. RAM: 10 of these. Too small: ACME_E_URL_LONG, never a cut URL.
 * Boulder's are about 70 bytes, step-ca's about 120. */
#ifndef ACME_URL_MAX
#define ACME_URL_MAX 256
#endif

/* Longest nonce kept, in bytes. RAM: one. Too small: ACME_E_NONCE, nothing can be signed.
 * Boulder's have 51 characters. */
#ifndef ACME_NONCE_MAX
#define ACME_NONCE_MAX 128
#endif

/* Longest challenge token, in bytes. RAM: none.
 * Too small: ACME_E_TOKEN. Boulder's have 43 characters, all that RFC 8555, 8.1 asks for. */
#ifndef ACME_TOKEN_MAX
#define ACME_TOKEN_MAX 128
#endif

/* Bytes of the CA's own words kept in struct acme_failure. RAM: one. Too small: the text ends early there;
 * the PROBLEM event always carries it whole. */
#ifndef ACME_DETAIL_MAX
#define ACME_DETAIL_MAX 256
#endif

/* Smallest work buffer acme_init() accepts, in bytes. One buffer holds a request or an answer, never both.
 * Too small: ACME_E_BODY_BIG or ACME_E_REQUEST_BIG at run time; 4096 serves every CA known in 2026. */
#ifndef ACME_WORK_MIN
#define ACME_WORK_MIN 2048
#endif

/* Nesting of JSON answers. RAM: none. Too small: ACME_E_JSON_DEPTH. */
#ifndef ACME_JSON_DEPTH
#define ACME_JSON_DEPTH 16
#endif

/* First wait before a poll and the longest one, in milliseconds; the wait doubles in between and the CA's
 * Retry-After is a lower bound. Too small: more requests. Too large: slower issuance. */
#ifndef ACME_POLL_FIRST_MS
#define ACME_POLL_FIRST_MS 500
#endif
#ifndef ACME_POLL_MAX_MS
#define ACME_POLL_MAX_MS 10000
#endif

/* Longest Retry-After, in seconds, waited out inside one run. A longer one ends a poll's wait here, and ends
 * the run with ACME_E_RATE_LIMITED when the CA is throttling; acme_failure::retry_s then has the CA's value. */
#ifndef ACME_RETRY_AFTER_MAX_S
#define ACME_RETRY_AFTER_MAX_S 300
#endif

/* Time one step may take in all, in seconds. Too small: slow CAs end in ACME_E_BUDGET; nothing is lost, the
 * next run resumes the same order. */
#ifndef ACME_STEP_BUDGET_S
#define ACME_STEP_BUDGET_S 1800
#endif

/* Times a request is signed again in a row after badNonce before the engine backs off (5 s, doubling).
 * Too small: slower issuance at a CA whose nodes do not share their nonces. */
#ifndef ACME_NONCE_TRIES
#define ACME_NONCE_TRIES 6
#endif

/* Repetitions of a request that the network or a failing server (5xx) swallowed: after 1 s, 2 s, 4 s ...
 * Too small: a run ends where a moment's patience would have done; the next one resumes the same order. */
#ifndef ACME_FAULT_TRIES
#define ACME_FAULT_TRIES 4
#endif

/* Silence after which a connection counts as dead, in milliseconds: ACME_E_TIMEOUT. Some CAs answer finalize only with
 * the certificate, which must fit; so must all addresses a port tries. */
#ifndef ACME_NET_TIMEOUT_MS
#define ACME_NET_TIMEOUT_MS 45000
#endif

/* Connections the http-01 responder serves at once. RAM: about 28 bytes each, beside what the
 * port needs. Too small: the CA's parallel validators (Pebble opens 3) wait for each other. */
#ifndef ACME_HTTP01_SLOTS
#define ACME_HTTP01_SLOTS 4
#endif

/* Connections the tls-alpn-01 responder serves at once, of those of the listener. RAM: about 5 KB each, beside what the
 * port needs. Too small: validators wait for each other; who has nothing to say makes room for them. */
#ifndef ACME_TLSALPN01_SLOTS
#define ACME_TLSALPN01_SLOTS 1
#endif

/* Earliest time believed, in seconds since 1970 (2026-01-01): a clock before it has not been set. */
#ifndef ACME_UTC_FLOOR
#define ACME_UTC_FLOOR 1767225600
#endif

/* 1: ACME v1 as well, as Boulder spoke it in December 2016 (protocol/flow_v1.c), chosen by what the directory says.
 * Flash: about 3 KB. RAM: three URLs. 0: such a directory is ACME_E_MEMBER. */
#ifndef ACME_CFG_V1
#define ACME_CFG_V1 0
#endif
#define ACME_V1_URL (ACME_CFG_V1 ? ACME_URL_MAX + 1 : 1) /* bytes for a URL that only ACME v1 has */

/* 1: 15-bit BearSSL engines, for cores whose multiplier is small (Cortex-M0) or takes data-dependent time
 * (Cortex-M3, when private-key timing matters). 0: the 31-bit ones. */
#ifndef ACME_BEARSSL_I15
#define ACME_BEARSSL_I15 0
#endif

/* 1: P-256 by the general code that P-384 needs anyway: its operations, and the ticks they fill, take two to three times as long,
 * none longer than P-384's take as it is. Flash: 5.7 KB less. 0: by its own fast code. */
#ifndef ACME_BEARSSL_ONE_EC
#define ACME_BEARSSL_ONE_EC 0
#endif

/* 1: BearSSL's headers are there, and acme.h shows struct acme_tls. 0: for an image with port/secure and port/mbedtls, which
 * has nothing of BearSSL: its headers are not looked for. No code depends on it. */
#ifndef ACME_CFG_BEARSSL
#define ACME_CFG_BEARSSL 1
#endif

/* 1: http:// URLs are understood, without TLS, for the one host acme_ca::plain_host names: a CA under test on the same
 * machine. 0: there is no code that could talk to a CA in clear. */
#ifndef ACME_CFG_PLAIN_HTTP
#define ACME_CFG_PLAIN_HTTP 0
#endif

/* 1: the client decides itself when to come again (ACME_KEEP): by the CA's renewal information (RFC 9773) or the certificate's
 * life, with a back-off that outlives a reset; certificate profiles; the application is asked before a new pair counts and
 * told until it has taken it. 0: acme_start() begins one run, and when to run again is the caller's. */
#ifndef ACME_CFG_RENEWAL
#define ACME_CFG_RENEWAL 1
#endif

/* 1: what an operator does beside issuing: a certificate is revoked, the account deactivated, given another key or other contacts
 * (protocol/manage.c). Flash: about 3 KB. RAM: one URL. 0: acme_start() issues, and nothing else. */
#ifndef ACME_CFG_MANAGE
#define ACME_CFG_MANAGE 0
#endif

/* 1: a new account may be bound to one the operator has with the CA (RFC 8555, 7.3.4; protocol/binding.c), as ZeroSSL, Google and
 * company CAs want it. Flash: about 0.6 KB. 0: such a CA is ACME_E_EAB. */
#ifndef ACME_CFG_EAB
#define ACME_CFG_EAB 0
#endif

/* 1: dns-account-01 and dns-persist-01, which are drafts: their form may change (protocol/challenge_dnsaccount01.h,
 * challenge_dnspersist01.h). Needs ACME_CFG_CHOICE. Flash: about 0.4 KB, 1 KB with their solvers. */
#ifndef ACME_CFG_DNS_DRAFTS
#define ACME_CFG_DNS_DRAFTS 0
#endif

/* 1: what happens is told to acme_setup::trace. 0: that is never called, for devices nobody listens to; errors are told as
 * before (acme_failure()). Flash: about 0.6 KB. */
#ifndef ACME_CFG_TRACE
#define ACME_CFG_TRACE 1
#endif

/* 1: a set-up is looked at as a whole before anything is done: pointers, names, texts, URLs. Flash: about 0.4 KB. 0: for a device
 * whose set-up is constant, and was run with 1 before. What could overrun memory is looked at all the same. */
#ifndef ACME_CFG_CHECK
#define ACME_CFG_CHECK 1
#endif

/* 1: a TLS session with the CA's server goes on for a day (secure/tls.h): what looks at renewal information cost no handshake
 * each then. Flash: about 0.2 KB. 0: each connection shakes hands; a run has one. */
#ifndef ACME_CFG_RESUME
#define ACME_CFG_RESUME ACME_CFG_RENEWAL
#endif

/* 1: several solvers (acme_setup::solvers): one may decline, the next order after a failed validation begins with the next, what
 * is published elsewhere than in this device is taken back after a reset as well; and wildcard names, by solvers that are good for
 * them (protocol/choice.c). Flash: about 1.1 KB. 0: the first solver whose challenge the CA offers is the one. */
#ifndef ACME_CFG_CHOICE
#define ACME_CFG_CHOICE 0
#endif

/* 1: a table of trust anchors that is stored and signed by the device's vendor may add to the built-in ones, or take their place
 * (roots/anchor_table.h). Flash: about 1.4 KB, with name constraints. RAM: 32 bytes an anchor, the caller's. 0: no such
 * code. */
#ifndef ACME_CFG_SIGNED_ANCHORS
#define ACME_CFG_SIGNED_ANCHORS 0
#endif

/* 1: acme_setup::reuse_key is looked at: a renewal may be for the key in use, as who pins it wants. Flash: about 0.1 KB. 0: each
 * certificate has a new key. */
#ifndef ACME_CFG_REUSE_KEY
#define ACME_CFG_REUSE_KEY 0
#endif

/* 1: acme_setup::deactivate_authz is looked at: of an order that is given up the authorizations that are not valid are deactivated
 * (protocol/leave.c), a request each, so that they do not count as pending at the CA. Flash: about 0.4 KB. 0: the CA forgets them
 * by itself. */
#ifndef ACME_CFG_DEACTIVATE_AUTHZ
#define ACME_CFG_DEACTIVATE_AUTHZ 0
#endif

/* 1: of several chains for one certificate the one that is wished for is taken (acme_setup::chain, protocol/alternate.c). Flash:
 * about 1 KB. RAM: about 150 bytes. 0: the CA's own choice, whatever others it offers. */
#ifndef ACME_CFG_ALTERNATE
#define ACME_CFG_ALTERNATE 0
#endif

/* 1: acme_setup::csr is looked at: the certificate may be for a request that was made elsewhere, whose key is of any kind and never
 * comes here. Flash: about 0.2 KB. 0: requests are our own. */
#ifndef ACME_CFG_CSR
#define ACME_CFG_CSR 0
#endif

/* 1: names may be IP addresses, v4 and v6 (RFC 8738), and the CA's server at an address may have that in its certificate. Flash:
 * about 1.1 KB. RAM: 24 bytes of struct acme_tls. 0: DNS names only. */
#ifndef ACME_CFG_ADDRESSES
#define ACME_CFG_ADDRESSES 0
#endif

#if ACME_NAMES_MAX < 1 || ACME_NAMES_MAX > 100 || ACME_URL_MAX < 64 || ACME_NONCE_MAX < 32 || ACME_TOKEN_MAX < 43 || \
    ACME_WORK_MIN < 1024 || ACME_WORK_MIN < 5 * ACME_URL_MAX + 256 || ACME_JSON_DEPTH < 4 ||                         \
    ACME_HTTP01_SLOTS < 1 || ACME_NONCE_TRIES < 1 || ACME_TLSALPN01_SLOTS < 1 ||                                     \
    ACME_TLSALPN01_SLOTS > ACME_HTTP01_SLOTS || ACME_NAME_TEXT > 650
#error "a limit is too small to issue a certificate, or too large for its type"
#endif

#endif
