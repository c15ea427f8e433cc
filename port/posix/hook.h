/* hook.h - programs of the administrator's: one that takes a new pair over (the deploy hook), one that publishes answers to
 * challenges (challenge_hook.h).
 *
 * Each is started by a small process of its own, forked before the run changes its user and gives up its rights (enter.h): so
 * the hook has the rights of whoever started nanoacme, and the run itself can still start nothing. That process knows the one
 * program and the certificate's names beforehand. Of a deploy hook it knows all words: the run can only tell it to go, for a
 * first pair or a later one, and until when that is valid. The words of a challenge are looked at there once more: one of
 * those names, and base64url. */
#ifndef ACME_POSIX_HOOK_H
#define ACME_POSIX_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "acme_setup.h"

#define ACME_HOOK_LIMIT_S 120 /* that long a hook may take; then it gets SIGTERM, */
#define ACME_HOOK_GRACE_S 5   /* and so much later SIGKILL, with its process group */

/* What a hook is told. Borrowed during acme_hook_start(). */
struct acme_hook_about {
    const char *path;         /* the program, absolute                        */
    const char *state;        /* the state directory                          */
    const char *name;         /* the certificate's: its pair is in STATE/NAME */
    const char *const *names; /* DNS names of the certificate                 */
    size_t name_count;
    unsigned limit_s; /* 0: ACME_HOOK_LIMIT_S                               */
    bool challenges;  /* it publishes answers to challenges; else it deploys */
};

/* What it is told each time. A deploy hook: renewed and not_after; the other: the texts, as uacme(1) has them. */
struct acme_hook_go {
    bool renewed; /* there was a pair before */
    int64_t not_after;
    char verb[8];   /* begin, done, failed */
    char type[16];  /* of the challenge    */
    char name[254]; /* without "*."        */
    char label[64]; /* of dns types: what stands in front of the name, where the record is; else empty */
    char token[ACME_TOKEN_MAX + 1];
    char auth[ACME_KEY_AUTHORIZATION_MAX +
              1]; /* what is published: of http-01 the key authorization, else its digest as base64url */
};

struct acme_hook {
    int fd; /* to the process that starts it; -1: there is none */
    pid_t starter;
    bool under_way;
    int status;      /* exit status of the last one; -1: it had none */
    char words[160]; /* of the last failure */
};

/* What is wrong with a program as a hook; NULL: nothing. It has to be an absolute path to a regular file that we may execute and
 * others may not write to. As root nobody else may be able to put another in its place, in any folder on the way. */
const char *acme_hook_check(const char *path);

/* Forks the process that will start the hook. Returns 0, or errno. To be closed. */
int acme_hook_start(struct acme_hook *h, const struct acme_hook_about *about);

/* Begins, or looks how it is getting on; to be called until it answers other than 0, and never waits. `go` is read when it
 * begins. Returns 1: it has ended with exit status 0; 0: under way; -1: failed, h->words tells how, and h->status is
 * the exit status, or -1. */
int acme_hook_tick(struct acme_hook *h, const struct acme_hook_go *go);

/* Ends it. A hook that is under way gets SIGTERM, then SIGKILL, and is waited for: 10 s at most. */
void acme_hook_close(struct acme_hook *h);

#endif
