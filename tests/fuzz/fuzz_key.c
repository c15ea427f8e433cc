/* Records of private keys: what is taken must come back the same. */
#include <stdlib.h>
#include <string.h>

#include "secure/key_p256.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const struct acme_key_ops *ops = &acme_key_p256_ops;
    struct acme_key_p256 key, again;
    char record[ACME_KEY_P256_RECORD_MAX];
    uint8_t *text = malloc(len);

    memset(&key, 0, sizeof key);
    memset(&again, 0, sizeof again);
    memcpy(text, data, len);
    if (ops->import(&key, text, len) == 0) {
        int written = ops->export(&key, record, sizeof record);
        if (written <= 0 || ops->import(&again, record, (size_t)written) != 0 ||
            memcmp(key.scalar, again.scalar, 32) != 0 || memcmp(key.point, again.point, 65) != 0) {
            abort();
        }
    } else if (key.ready) {
        abort();
    }
    free(text);
    return 0;
}
