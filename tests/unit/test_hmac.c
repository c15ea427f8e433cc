/* test_hmac.c - HMAC-SHA256: RFC 4231's vectors, and keys of every length with OpenSSL as the judge. */
#include "maker.h"

#include <stdio.h>
#include <string.h>

#include <openssl/hmac.h>

#include "secure/hmac.h"

TEST(vectors)
{
    static const char *const told[2] = {"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
                                        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"};
    struct acme_slice text[2] = {acme_slice_of("what do ya want "), acme_slice_of("for nothing?")};
    struct acme_slice larger = acme_slice_of("Test Using Larger Than Block-Size Key - Hash Key First");
    char block[131], hex[65];
    uint8_t mac[2][32];

    memset(block, 0xaa, sizeof block);
    acme_hmac_sha256(acme_slice_of("Jefe"), text, 2, mac[0]);
    acme_hmac_sha256(acme_slice(block, sizeof block), &larger, 1, mac[1]);
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < 32; k++) {
            snprintf(hex + 2 * k, 3, "%02x", mac[i][k]);
        }
        assert_string_equal(hex, told[i]);
    }
}

/* Around the block of 64 bytes the key is padded, or hashed first. */
TEST(keys_of_every_length)
{
    char key[200], text[150];
    uint8_t ours[32], theirs[32];

    for (size_t i = 0; i < sizeof key; i++) {
        key[i] = (char)(i * 7 + 1);
    }
    memset(text, 0x5c, sizeof text);
    for (size_t len = 0; len < sizeof key; len++) {
        size_t cut = len % sizeof text;
        struct acme_slice parts[3] = {acme_slice(text, cut), acme_slice(NULL, 0),
                                      acme_slice(text, sizeof text - cut)};
        acme_hmac_sha256(acme_slice(key, len), parts, 3, ours);
        assert_non_null(HMAC(EVP_sha256(), key, (int)len, (unsigned char *)text, sizeof text, theirs, NULL));
        assert_memory_equal(ours, theirs, sizeof ours);
    }
}
