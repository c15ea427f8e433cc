/* replay_story.c - see replay_story.h. */
#include "replay_story.h"

#include <stdio.h>
#include <string.h>

#include "deeds_v1.h"
#include "judge_v1.h"

struct replay_run replay;
bool replay_early[RECORDING_MAX];

bool replay_object_id(const char *path, char *id, size_t cap)
{
    static const char *const folders[] = {"/acme/authz/", "/acme/challenge/"};
    for (unsigned i = 0; i < 2; i++) {
        size_t n = strlen(folders[i]);
        if (strncmp(path, folders[i], n) == 0) {
            snprintf(id, cap, "%.*s", (int)strcspn(path + n, "/"), path + n);
            return true;
        }
    }
    return false;
}

static long *object_at(const char *id)
{
    unsigned i = 0;
    while (i < replay.object_count && strcmp(replay.object[i].id, id) != 0) {
        i++;
    }
    if (i == replay.object_count) {
        assert_true(i < BOULDER_AUTHZ);
        snprintf(replay.object[i].id, sizeof replay.object[0].id, "%s", id);
        replay.object[replay.object_count++].at = -1;
    }
    return &replay.object[i].at;
}

bool replay_same_object(const struct exchange *x, const char *id)
{
    char other[600];
    return replay_object_id(x->path, other, sizeof other) && strcmp(other, id) == 0;
}

bool replay_same_account(const struct exchange *x)
{
    return v1_resource(x->kind) == NULL || (replay.account != NULL && json_equal(x->jwk, replay.account));
}

static bool same_member(const struct v1_request *q, const struct exchange *x, const char *name)
{
    const json_t *ours = json_object_get(q->payload, name), *theirs = json_object_get(x->payload, name);
    return ours == NULL || theirs == NULL ? ours == theirs : json_equal(ours, theirs);
}

static bool same_token(const struct v1_request *q, const struct exchange *x)
{
    const char *ours = json_string_value(json_object_get(q->payload, "keyAuthorization"));
    const char *theirs = json_string_value(json_object_get(x->payload, "keyAuthorization"));
    return strncmp(ours, theirs, strcspn(theirs, ".") + 1) == 0;
}

/* Whether the recorded request says what ours says, leaving out what the judge looks at. */
static bool fits(const struct v1_request *q, const struct exchange *x)
{
    if (x->kind != q->kind || x->not_ours != NULL || !x->answered || !replay_same_account(x)) {
        return false;
    }
    if (replay_early[x - replay.recording->exchange]) { /* the judge would have seen if ours were too early as well */
        return false;
    }
    if (q->kind == V1_NEW_AUTHZ || q->kind == V1_NEW_CERT) {
        return v1_same_names(&q->names, &x->names);
    }
    if (q->kind == V1_REVOKE && (x->issued != replay.deed->issued || !same_member(q, x, "reason"))) {
        return false;
    }
    if (q->kind == V1_KEY_CHANGE && strcmp(x->account, replay.deed->account) != 0) {
        return false;
    }
    return strcmp(q->path, x->path) == 0 && (q->kind != V1_NEW_REG || same_member(q, x, "contact")) &&
           (q->kind != V1_REG || same_member(q, x, "agreement")) && (q->kind != V1_CHALLENGE || same_token(q, x));
}

/* The first exchange from which on a request may be answered. */
static long earliest(const struct v1_request *q)
{
    char id[600];
    if (replay.deed != NULL) {
        return replay.deed - replay.recording->exchange;
    }
    if (replay_object_id(q->path, id, sizeof id)) {
        return *object_at(id) + 1;
    }
    if (q->kind == V1_NEW_AUTHZ) {
        bool first = replay.x != NULL && replay.x->kind == V1_NEW_AUTHZ && v1_same_names(&q->names, &replay.x->names);
        long start = first ? replay.x - replay.recording->exchange : 0;
        return start > replay.account_at ? start : replay.account_at + 1;
    }
    return q->kind == V1_NEW_CERT ? replay.furthest + 1 : q->kind == V1_REG ? replay.account_at + 1 : 0;
}

/* Whether the challenge of an authorization has been answered by our client. */
static bool has_answered(const char *id)
{
    for (unsigned i = 0; i < replay.recording->count; i++) {
        const struct exchange *x = &replay.recording->exchange[i];
        if (replay.had[i] && x->kind == V1_CHALLENGE && replay_same_object(x, id)) {
            return true;
        }
    }
    return false;
}

/* Whether an exchange changed the object, in a way our client has not: what was seen later is not for it. A challenge
 * that is answered again changes nothing. */
static bool changes(const struct exchange *x, const char *id)
{
    bool done = strcmp(x->method, "POST") == 0 && x->status / 100 == 2 && replay_same_object(x, id);
    return done && !(x->kind == V1_CHALLENGE && has_answered(id));
}

static void take(long i, const struct v1_request *q)
{
    const struct exchange *x = &replay.recording->exchange[i];
    const char *location = exchange_header(x, "Location");
    const char *path = q->kind != V1_NEW_AUTHZ ? q->path : location != NULL ? strstr(location, "/acme/") : NULL;
    char id[600];
    replay.had[i] = true;
    replay.furthest = i > replay.furthest ? i : replay.furthest;
    if (q->kind == V1_NEW_REG || q->kind == V1_REG) {
        replay.account_at = i;
    }
    if (q->kind == V1_KEY_CHANGE && x->status / 100 == 2) {
        replay.account = x->new_key;
    }
    if (path != NULL && replay_object_id(path, id, sizeof id)) {
        *object_at(id) = i;
    }
}

/* Before a deed a client issues, with what was recorded of that: a certificate to be revoked; else the account is all. */
static bool belongs(const struct exchange *x)
{
    enum acme_task deed = replay.x != NULL ? deeds_v1_of(x->kind) : ACME_NOW;
    bool later = replay.x != NULL && deeds_v1_of(replay.x->kind) != ACME_NOW;
    if (replay.deed != NULL || !later) {
        return (replay.deed != NULL) == (deed != ACME_NOW);
    }
    if (replay.x->kind != V1_REVOKE) {
        return x < replay.x && (x->kind == V1_NEW_REG || x->kind == V1_REG);
    }
    return x < replay.x && (x->kind != V1_NEW_CERT || x == replay.x->issued);
}

const struct exchange *replay_next(void *ctx, const struct v1_request *q)
{
    const struct recording *r = ctx;
    char id[600];
    bool look = q->kind == V1_AUTHZ && replay_object_id(q->path, id, sizeof id);
    for (long i = earliest(q); i < (long)r->count; i++) {
        const struct exchange *x = &r->exchange[i];
        if (look && changes(x, id)) {
            return NULL;
        }
        if (!replay.had[i] && belongs(x) && fits(q, x)) {
            judge_v1_same(replay.boulder, q, x);
            take(i, q);
            return x;
        }
    }
    return NULL;
}

const struct exchange *replay_next_deed(void)
{
    const struct recording *r = replay.recording;
    bool wanted = replay.x != NULL && deeds_v1_of(replay.x->kind) != ACME_NOW;
    if (replay.deed == NULL || replay.how != REPLAY_STORY) {
        return replay.deed == NULL && wanted ? replay.x : NULL;
    }
    for (long i = replay.deed - r->exchange; i < (long)r->count; i++) {
        const struct exchange *x = &r->exchange[i];
        bool good = deeds_v1_of(x->kind) != ACME_NOW && x->not_ours == NULL && x->answered && replay_same_account(x);
        if (good && !replay.had[i] && (x->kind != V1_REVOKE || x->issued == replay.x->issued)) {
            return x;
        }
    }
    return NULL;
}
