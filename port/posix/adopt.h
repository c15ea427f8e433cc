/* adopt.h - pairs that a copy or a restore has left beside the place they belong in. */
#ifndef ACME_POSIX_ADOPT_H
#define ACME_POSIX_ADOPT_H

#include "posix.h"
#include "x509/leaf.h"

/* Reads the first certificate of FOLDER/fullchain.pem; `leaf` leads into static memory, until the next call. Returns NULL, or
 * what is wrong with it. */
const char *acme_adopt_leaf(int folder, struct acme_leaf *leaf);

/* The certificate that acme_adopt_leaf() has read last, DER. */
struct acme_der acme_adopt_der(void);

/* True when a folder holds a private key and a certificate that belong together; where the key is elsewhere, the certificate for it
 * and no key. */
bool acme_adopt_whole(const struct acme_posix_store *s, int folder, struct acme_leaf *leaf);

/* Puts STATE/NAME in order, which is a link to a slot: a folder of that name with a whole pair in it (a copy that has
 * followed links) becomes the pair in use, so does a whole pair in a slot nothing leads to, and a link that leads to our own
 * slot in another way is written anew. At every moment there is a whole pair at STATE/NAME if there was one before, and a
 * loss of power is made good by the next call. Returns 1 when something was put in order, 0 when nothing was to be, or
 * -errno: s->path. EEXIST: something is there that is not ours to judge. */
int acme_adopt(struct acme_posix_store *s);

#endif
