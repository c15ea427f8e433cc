/* scan.h - looks for private keys in bytes: 8 bytes of one in a row, raw, in hexadecimal, in base64 or base64url. */
#ifndef TESTS_FAKE_SCAN_H
#define TESTS_FAKE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From here on this key is looked for; known ones cost nothing. */
void scan_learn(const uint8_t scalar[32]);

/* True when any 8 bytes in a row of a key are in there, wherever they begin and however the text is aligned. */
bool scan_finds(const void *bytes, size_t len);

void scan_forget(void);

#endif
