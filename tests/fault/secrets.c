/* secrets.c - see secrets.h. */
#define _GNU_SOURCE /* memmem */
#include "secrets.h"

#include "fake/scan.h"

#include <stdio.h>
#include <string.h>

#define FAST "FAST PRIVATE KEY " /* tests/fault/fastkey.c */

static void learn_handle(const struct acme_key_p256 *key)
{
    static const uint8_t nothing[32];
    if (memcmp(key->scalar, nothing, 32) != 0) {
        scan_learn(key->scalar);
    }
}

/* What a device has stored before: keys that no handle holds just now. */
static void learn_record(const char *text, size_t len)
{
    uint8_t scalar[32], der[64];
    if (len == sizeof FAST + 64 && memcmp(text, FAST, sizeof FAST - 1) == 0) {
        for (unsigned i = 0; i < 32; i++) {
            unsigned byte = 0;
            (void)sscanf(text + sizeof FAST - 1 + 2 * i, "%2x", &byte);
            scalar[i] = (uint8_t)byte;
        }
        scan_learn(scalar);
    } else if (len > 200) { /* PEM of RFC 5915: the scalar is in bytes 7..39 */
        const char *line = memchr(text, '\n', len);
        if (line != NULL && EVP_DecodeBlock(der, (const unsigned char *)line + 1, 64) == 48) {
            scan_learn(der + 7);
        }
    }
}

static void learn(const struct device *d, bool records)
{
    static const enum acme_record keys[] = {ACME_RECORD_ACCOUNT_KEY, ACME_RECORD_KEY_NEXT, ACME_RECORD_KEY};
    learn_handle(&d->account);
    learn_handle(&d->certificate);
    for (unsigned i = 0; i < 3 && records; i++) {
        learn_record(d->record[keys[i]].data, d->record[keys[i]].len);
    }
}

void secrets_judge(const struct device *d, const void *bytes, size_t len)
{
    learn(d, false);
    assert_false(scan_finds(bytes, len));
}

void secrets_judge_event(struct device *d, const struct acme_event *event)
{
    secrets_judge(d, event->name.at, event->name.len);
    secrets_judge(d, event->text.at, event->text.len);
    secrets_judge(d, event->detail.at, event->detail.len);
}

void secrets_judge_memory(const struct device *d)
{
    static const enum acme_record others[] = {ACME_RECORD_ACCOUNT, ACME_RECORD_ORDER, ACME_RECORD_CHAIN};
    learn(d, true);
    secrets_judge(d, d->before, sizeof d->before);
    secrets_judge(d, d->work, sizeof d->work);
    secrets_judge(d, d->tls_buffer, sizeof d->tls_buffer);
    secrets_judge(d, &d->client, sizeof d->client);
    for (unsigned i = 0; i < 3; i++) {
        secrets_judge(d, d->record[others[i]].data, d->record[others[i]].len);
    }
    secrets_judge(d, d->incoming.data, d->incoming.len);
}
