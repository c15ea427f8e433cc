/* sntp.c - `make firmware SNTP=address [SNTP_PORT=123]`: the time comes from a server instead of the board. The linker puts
 * these functions in the place of board_utc() and acme_tick(). */
#include "lwip/apps/sntp.h"

#include "board.h"
#include "firmware.h"
#include "say.h"
#include "wire/date.h"
#include "wire/pem.h"
#include "words.h"
#include "x509/leaf.h"

int __wrap_board_utc(void *ctx, int64_t *utc);
enum acme_progress __wrap_acme_tick(struct acme_client *client, uint32_t now_ms);
enum acme_progress __real_acme_tick(struct acme_client *client, uint32_t now_ms);

const uint16_t firmware_sntp_port = FIRMWARE_SNTP_PORT;

static struct acme_clock sntp_clock;
static bool begun, told;
static int64_t told_refused;

/* The certificate in use was signed when it began. Nothing is received yet, so the record buffer is free. */
static int64_t stored_time(void)
{
    const struct acme_store *store = &firmware.store.store;
    char *text = (char *)firmware.record_buffer;
    int len = store->get(store->ctx, ACME_RECORD_CHAIN, text, sizeof firmware.record_buffer);
    size_t have = len > 0 ? (size_t)len : 0, used = 0;
    struct acme_pem pem;
    struct acme_leaf leaf;
    int event = ACME_PEM_BEGIN;

    if (have > sizeof firmware.record_buffer) {
        have = sizeof firmware.record_buffer;
    }
    acme_pem_init(&pem, text, have); /* decodes over its own text */
    for (size_t at = 0; event == ACME_PEM_BEGIN; at += used) {
        event = acme_pem_read(&pem, text + at, have - at, &used);
    }
    return event == ACME_PEM_END && acme_leaf_parse(&leaf, pem.der, pem.len) == 0 ? leaf.not_before : 0;
}

static void begin(void)
{
    ip_addr_t server;

    begun = true;
    acme_clock_init(&sntp_clock, stored_time());
    say("no time yet: asking ", FIRMWARE_SNTP);
    if (!ipaddr_aton(FIRMWARE_SNTP, &server)) {
        return;
    }
    ACME_LWIP_LOCK();
    acme_lwip_sntp_feeds(&sntp_clock);
    sntp_setoperatingmode(SNTP_OPMODE_POLL);
    sntp_setserver(0, &server);
    sntp_init();
    ACME_LWIP_UNLOCK();
}

static void tell(const char *text, int64_t utc)
{
    struct acme_out *o = say_begin();

    acme_out_text(o, text);
    words_date(o, acme_moment(utc));
    say_end();
}

int __wrap_board_utc(void *ctx, int64_t *utc)
{
    int known;

    (void)ctx;
    if (!begun) {
        begin();
    }
    known = acme_lwip_utc(&sntp_clock, utc);
    if (known == 1 && !told) {
        told = true;
        tell("the time is ", *utc);
    }
    if (sntp_clock.refused != told_refused) {
        told_refused = sntp_clock.refused;
        tell("not believed: ", told_refused);
    }
    return known;
}

/* A round may have failed because the server had told a wrong time: SNTP begins anew. */
enum acme_progress __wrap_acme_tick(struct acme_client *client, uint32_t now_ms)
{
    enum acme_progress progress = __real_acme_tick(client, now_ms);

    ACME_LWIP_LOCK();
    if (progress == ACME_FAILED && acme_clock_doubt(&sntp_clock, acme_failure(client)->error)) {
        sntp_stop();
        sntp_init();
        told = false;
        say("the time is in doubt: asking again", "");
    }
    ACME_LWIP_UNLOCK();
    return progress;
}
