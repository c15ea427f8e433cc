/* account.c - see account.h. */
#include <string.h>

#include "account.h"

/* Where in the text, whose lines are texts by now, the value of a line "word value" begins. */
static const char *value_of(const char *text, const char *word)
{
    size_t len = strlen(word);
    for (; *text != '\0'; text += strlen(text) + 1) {
        if (strncmp(text, word, len) == 0 && text[len] == ' ') {
            return text + len + 1;
        }
    }
    return NULL;
}

bool acme_account_read(struct acme_account *a, struct acme_posix_store *s)
{
    const int most = (int)sizeof a->text - 2;
    int len = acme_posix_store_open(s) == 0 ? s->store.get(s, ACME_RECORD_ACCOUNT, a->text, (size_t)most) : 0;

    len = len > 0 && len <= most ? len : 0;
    a->text[len] = a->text[len + 1] = '\0';
    for (int i = 0; i < len; i++) {
        a->text[i] = a->text[i] == '\n' ? '\0' : a->text[i];
    }
    a->directory = value_of(a->text, "directory");
    a->url = value_of(a->text, "account");
    a->thumbprint = value_of(a->text, "key");
    return a->directory != NULL && a->url != NULL && a->thumbprint != NULL;
}
