/* later.h - the flash store of an image to come, which knows more kinds of records, on the same memory. Both find what the other
 * has written when they boot. */
#ifndef TESTS_FAKE_LATER_H
#define TESTS_FAKE_LATER_H

#include "acme_flash.h"

/* As acme_flash_init(). */
int later_init(struct acme_flash_store *s, const struct acme_flash_device *device);

#endif
