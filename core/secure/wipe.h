/* wipe.h - overwriting secrets in a way the compiler keeps. */
#ifndef ACME_SECURE_WIPE_H
#define ACME_SECURE_WIPE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Overwrites memory with zeros although nobody reads it afterwards. Work: len. */
void acme_wipe(void *memory, size_t len);

#ifdef __cplusplus
}
#endif

#endif
