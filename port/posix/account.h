/* account.h - what the state directory knows of the account, without a word of whether that still holds. */
#ifndef ACME_POSIX_ACCOUNT_H
#define ACME_POSIX_ACCOUNT_H

#include "posix.h"

struct acme_account {
    const char *directory, *url, *thumbprint; /* of the CA, of the account, of its key; NULL: not known */
    char text[4096];
};

/* Reads the account's record. False: there is none, or it does not tell all three. */
bool acme_account_read(struct acme_account *a, struct acme_posix_store *s);

#endif
