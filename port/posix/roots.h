/* roots.h - words for what was read of a file of trust anchors; for the program and for nanoacme-anchors. */
#ifndef ACME_POSIX_ROOTS_H
#define ACME_POSIX_ROOTS_H

#include "roots/roots.h"

#define ACME_ROOTS_WORDS 400

/* Writes how many certificates became trust anchors, and how many were left out, for which reason. Returns the number of
 * those that were left out. */
size_t acme_roots_words(const struct acme_trust_reader *r, char text[ACME_ROOTS_WORDS]);

/* Says that the file ends within a certificate, or that its roots need more memory than there is; else empty. */
const char *acme_roots_trouble(const struct acme_trust_reader *r);

#endif
