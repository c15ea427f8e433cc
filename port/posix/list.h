/* list.h - the certificates of a state directory, by name. */
#ifndef ACME_POSIX_LIST_H
#define ACME_POSIX_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACME_LIST_TEXT 65536
#define ACME_LIST_MAX  2048

/* Names in small letters, sorted. */
struct acme_list {
    size_t count, used;
    bool more;  /* there are more of them than fit */
    int folder; /* the state directory; -1: none   */
    uint32_t at[ACME_LIST_MAX];
    char text[ACME_LIST_TEXT];
};

/* Name number i. */
static inline const char *acme_list_name(const struct acme_list *l, size_t i)
{
    return l->text + l->at[i];
}

/* Adds a name, in its place; not one that is there. */
void acme_list_add(struct acme_list *l, const char *name);

/* Calls `each` for every entry of an open folder, in no order. Returns 0, or errno. */
int acme_list_entries(int folder, void (*each)(void *ctx, int folder, const char *entry), void *ctx);

/* Opens the state directory and lists what anything in it is there for: a pair, a kept setup, an order. Returns 0, or errno. */
int acme_list_open(struct acme_list *l, const char *state);

/* Closes the directory; the names stay. */
void acme_list_close(struct acme_list *l);

#endif
