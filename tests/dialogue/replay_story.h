/* replay_story.h - which recorded exchange comes next: part of replay.c. */
#ifndef TESTS_DIALOGUE_REPLAY_STORY_H
#define TESTS_DIALOGUE_REPLAY_STORY_H

#include "replay.h"

/* One run of the client. */
struct replay_run {
    const struct recording *recording;
    const struct boulder *boulder;
    enum replay_how how;
    const struct exchange *x; /* ONCE, EVER: the one; STORY: where it begins  */
    unsigned nth;             /* ONCE, EVER: in place of which answer of its kind */
    struct v1_names names;
    const char *contacts[4];
    size_t contact_count;

    /* a story */
    const json_t *account; /* the key of the recorded client */
    bool had[RECORDING_MAX];
    long account_at, furthest; /* exchanges in the recording; -1: none */
    unsigned object_count;
    struct {
        char id[600];
        long at;
    } object[BOULDER_AUTHZ];

    /* what comes after issuing */
    const struct exchange *deed; /* the recorded one being done; NULL: issuing */
    struct replay_sum *sum;
    unsigned requests_before;
    uint32_t elapsed_before;

    unsigned told_count;
    struct {
        char type[130], detail[600];
    } told[64];
};

extern struct replay_run replay;

/* new-certs that were refused because they came too early */
extern bool replay_early[RECORDING_MAX];

/* The recorded answer to a request of ours, in a story; NULL: none. */
const struct exchange *replay_next(void *ctx, const struct v1_request *q);

/* The next thing the recorded client did with its account, or the certificate. NULL: nothing. */
const struct exchange *replay_next_deed(void);

/* What an exchange is about: the id of an authorization. */
bool replay_object_id(const char *path, char *id, size_t cap);
bool replay_same_object(const struct exchange *x, const char *id);
bool replay_same_account(const struct exchange *x);

#endif
