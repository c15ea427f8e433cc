/* secrets.c - see secrets.h. */
#define _GNU_SOURCE /* memmem */
#include "secrets.h"

#include <string.h>

#define WINDOW_RAW  8
#define WINDOW_TEXT 12 /* characters that hold at least 6 bytes of the key */

static void judge(const void *bytes, size_t len, const void *secret, size_t secret_len, size_t window)
{
    static const uint8_t nothing[32];
    for (size_t at = 0; at + window <= secret_len; at += window) {
        const uint8_t *needle = (const uint8_t *)secret + at;
        assert_true(memcmp(needle, nothing, window) == 0 || memmem(bytes, len, needle, window) == NULL);
    }
}

void secrets_judge(const struct device *d, const void *bytes, size_t len)
{
    static const enum acme_record keys[] = {ACME_RECORD_ACCOUNT_KEY, ACME_RECORD_KEY_NEXT, ACME_RECORD_KEY};
    judge(bytes, len, d->account.scalar, 32, WINDOW_RAW);
    judge(bytes, len, d->certificate.scalar, 32, WINDOW_RAW);
    for (unsigned i = 0; i < 3; i++) { /* the scalar lies behind the first words of either kind of record */
        size_t have = d->record[keys[i]].len;
        const char *text = d->record[keys[i]].data;
        if (have >= 200) { /* PEM of RFC 5915: the scalar is in bytes 7..39, characters 10..52 of the second line */
            judge(bytes, len, strchr(text, '\n') + 11, 40, WINDOW_TEXT);
        } else if (have > 0) {
            judge(bytes, len, text + 17, 64, WINDOW_TEXT);
        }
    }
}

void secrets_judge_memory(const struct device *d)
{
    static const enum acme_record others[] = {ACME_RECORD_ACCOUNT, ACME_RECORD_ORDER, ACME_RECORD_CHAIN};
    secrets_judge(d, d->work, sizeof d->work);
    secrets_judge(d, &d->client, sizeof d->client);
    for (unsigned i = 0; i < 3; i++) {
        secrets_judge(d, d->record[others[i]].data, d->record[others[i]].len);
    }
}
