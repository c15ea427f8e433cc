/* fence.h - what a run gives up once all it needs is open, so that a fault in it is worth little to anybody. */
#ifndef ACME_POSIX_FENCE_H
#define ACME_POSIX_FENCE_H

#include <stdbool.h>
#include <stddef.h>

/* Changes to the user, for good: its groups, its group, itself. The user must be root or that user already. `directory`, if
 * it is not -1, is given to that user. Returns 0, or errno; ENOENT: there is no such user. */
int acme_fence_user(const char *name, int directory);

struct acme_fence {
    int writable[4]; /* descriptors of directories below which may be written */
    size_t count;
    bool programs; /* other programs may be started */
};

/* Gives up, for the calling thread and what it starts: more privileges by way of a program that is set-user-id; with a kernel
 * that has Landlock (of its second version), to write, make, rename or remove anything outside of the directories; with one
 * that has seccomp filters, to start a program and what only administrators do. Where the kernel has it not, it is
 * silently absent. Descriptors that are open stay what they are. */
void acme_fence_up(const struct acme_fence *fence);

#endif
