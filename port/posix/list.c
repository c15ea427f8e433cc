/* list.c - which certificates there are, without a word of what they are. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"
#include "list.h"
#include "posix.h"
#include "wire/address.h"
#include "wire/url.h"

/* What getdents64 fills in; opendir() would allocate. */
struct entry {
    uint64_t inode;
    int64_t offset;
    uint16_t len;
    uint8_t type;
    char name[];
};

/* Makes the name of a file the certificate's; false: it is none. An address is there in one text only. */
static bool is_name(char *name)
{
    char text[254];
    size_t i = 0;

    if (acme_is_stored_name(name)) {
        return true;
    }
    for (; name[i] != '\0'; i++) {
        text[i] = name[i] != '_' ? name[i] : ':';
    }
    text[i] = '\0';
    if (strchr(name, ':') != NULL || !acme_is_address(text)) {
        return false;
    }
    memcpy(name, text, i + 1);
    return true;
}

/* The certificate's name that an entry of the state directory is there for, into `name`: a link or a folder of the name itself,
 * else what begins with a dot: a kept setup, an order, a slot. False: it is for none. */
static bool is_certificate(int state, const char *entry, char name[254])
{
    static const char *const ends[] = {".conf", ".order", ".a", ".b"};
    size_t len = strlen(entry);
    struct stat is;

    if (entry[0] != '.') {
        return len < 254 && memcpy(name, entry, len + 1) != NULL && is_name(name) &&
               fstatat(state, entry, &is, AT_SYMLINK_NOFOLLOW) == 0 && (S_ISLNK(is.st_mode) || S_ISDIR(is.st_mode));
    }
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t end = strlen(ends[i]);
        if (len > end + 1 && len - end <= 254 && strcmp(entry + len - end, ends[i]) == 0) {
            (void)snprintf(name, 254, "%.*s", (int)(len - end - 1), entry + 1);
            for (size_t k = 0; i == 0 && name[k] != '\0'; k++) { /* a person may have written it in capitals */
                name[k] = acme_lower(name[k]);
            }
            return is_name(name);
        }
    }
    return false;
}

void acme_list_add(struct acme_list *l, const char *name)
{
    size_t len = strlen(name) + 1, i = 0;
    int order = 1;

    while (i < l->count && (order = strcmp(acme_list_name(l, i), name)) < 0) {
        i++;
    }
    if (i < l->count && order == 0) {
        return;
    }
    if (l->count == ACME_LIST_MAX || l->used + len > sizeof l->text) {
        l->more = true;
        return;
    }
    memmove(l->at + i + 1, l->at + i, (l->count - i) * sizeof *l->at);
    memcpy(l->text + l->used, name, len);
    l->at[i] = (uint32_t)l->used;
    l->used += len;
    l->count++;
}

int acme_list_entries(int folder, void (*each)(void *ctx, int folder, const char *entry), void *ctx)
{
    static uint64_t memory[1024];
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int code = fd < 0 ? errno : 0;
    long n = 1;

    while (fd >= 0 && (n = syscall(SYS_getdents64, fd, memory, sizeof memory)) > 0) {
        for (long at = 0; at < n;) {
            const struct entry *e = (const void *)((const char *)memory + at);
            at += e->len;
            each(ctx, folder, e->name);
        }
    }
    code = n < 0 ? errno : code;
    if (fd >= 0) {
        (void)close(fd);
    }
    return code;
}

static void add_entry(void *ctx, int folder, const char *entry)
{
    char name[254];
    if (is_certificate(folder, entry, name)) {
        acme_list_add(ctx, name);
    }
}

int acme_list_open(struct acme_list *l, const char *state)
{
    int code;

    l->count = l->used = 0;
    l->more = false;
    l->folder = acme_posix_folder(state, NULL);
    code = l->folder < 0 ? errno : acme_list_entries(l->folder, add_entry, l);
    if (code != 0) {
        acme_list_close(l);
    }
    return code;
}

void acme_list_close(struct acme_list *l)
{
    if (l->folder >= 0) {
        (void)close(l->folder);
    }
    l->folder = -1;
}
