/* base64.c - the judge of the core's base64 where there is no OpenSSL: slow, and unlike it. */
#include <openssl/evp.h>

#include <string.h>

int EVP_EncodeBlock(unsigned char *text, const unsigned char *data, int len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    int n = (len + 2) / 3 * 4;

    memset(text, '=', (size_t)n);
    text[n] = '\0';
    for (int digit = 0; digit * 6 < len * 8; digit++) {
        unsigned value = 0;
        for (int bit = digit * 6; bit < digit * 6 + 6; bit++) {
            value = value << 1 | (bit < len * 8 ? data[bit / 8] >> (7 - bit % 8) & 1u : 0);
        }
        text[digit] = (unsigned char)digits[value];
    }
    return n;
}
