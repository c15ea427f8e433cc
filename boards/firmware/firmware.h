/* firmware.h - what the files of the firmware share. */
#ifndef FIRMWARE_H
#define FIRMWARE_H

#include <bearssl.h>

#include "acme.h"
#include "acme_flash.h"
#include "acme_lwip.h"
#include "protocol/challenge_http01.h"
#include "secure/key_p256.h"
#include "secure/tls.h"

/* What the image is built for; a generated file, site.c, has it (boards/firmware/site.sh). */
struct firmware_site {
    const char *directory_url, *tls_name, *contact;
    const char *const *names;
    size_t name_count;
    const struct acme_trust *trust;
};
extern const struct firmware_site firmware_site;

/* Small: for CAs that send small records (Pebble and Boulder do as long as answers are short). ACME_E_TLS_RECORD_BIG tells when one
 * does not. */
#ifdef FIRMWARE_SMALL
#define FIRMWARE_RECORD_BUFFER 4421
#define FIRMWARE_WORK          2176
#else
#define FIRMWARE_RECORD_BUFFER ACME_TLS_BUFFER_MIN
#define FIRMWARE_WORK          3072
#endif

/* All memory of the firmware but lwIP's. The client and the HTTPS page are never at work at the same time, so they
 * share what is large: two TLS sessions would take 7 to 20 KiB more. A run that waits for a silent CA ends when somebody
 * wants the page. */
struct firmware {
    struct acme_client client;
    struct acme_setup setup;
    struct acme_lwip_net net;
    struct acme_lwip_listener http, https;
    struct acme_sys sys;
    struct acme_flash_store store;
    struct acme_http01 http01;
    const struct acme_solver *solver;
    struct acme_key_p256 account_key, certificate_key;
    union {
        struct acme_tls client;
        br_ssl_server_context server;
    } tls;
    uint8_t record_buffer[FIRMWARE_RECORD_BUFFER];
    uint8_t work[FIRMWARE_WORK]; /* of the client; certificates for the page */
    uint32_t longest_tick;       /* thousands of instructions                */
    uint32_t instructions;       /* of all ticks of a run, in thousands      */
    int last_error;
};
extern struct firmware firmware;

int firmware_random_init(void);

/* setup.c: fills in firmware.setup but for what only some have, such as a trace; acme_init() is the caller's. Returns 0, or
 * ACME_E_SIZE. */
int firmware_set_up(void);

struct page; /* page.h */

/* status.c: fills in all of it but what page_certificate() does. */
void status_look(struct page *p);

/* https.c: serves the page with the pair in use on port 443. */
bool https_start(void); /* false: there is no pair that fits into memory */
void https_stop(void);
bool https_tick(uint32_t now_ms); /* true: something moved */
bool https_busy(void);            /* a visitor is being served */

/* acme_deploy::taken: the pair in use can be read, and is what the next visitor gets. The client is at work, so nobody is being
 * served: a visit under way has been brought to its end before. A chain that is too long for the page stays so: then there is
 * none, which no repetition changes. */
int https_take(void *ctx);

/* While it is not served: lets a visitor connect, or none any more. True: one is waiting. There must have been a pair when
 * https_start() was called last. */
bool https_knock(bool open);

/* Bytes of the image in flash and of static RAM, from the linker script. */
uint32_t firmware_flash(void);
uint32_t firmware_ram(void);

#endif
