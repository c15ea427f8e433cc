/* answers.h - the answers of the CA, taken apart, changed and put together again: what the dimensions of faults_answer.c,
 * faults_header.c and faults_member.c share. */
#ifndef TESTS_FAULT_ANSWERS_H
#define TESTS_FAULT_ANSWERS_H

#include "trial.h"

/* One answer. The body is without its chunks. */
struct answer {
    enum ca_kind kind;
    char text[4096]; /* as it was sent           */
    size_t len;
    size_t head_len; /* with the blank line      */
    char body[4096];
    size_t body_len;
    bool chunked;
    bool close; /* the connection ends behind it */
};

/* A changed one. */
struct changed {
    char text[49152];
    size_t len;
    bool close;
};

void put(struct changed *c, const char *bytes, size_t len);
void put_text(struct changed *c, const char *text);
void put_many(struct changed *c, const char *text, unsigned times);

/* The answer with this body, and all that frames it. */
void put_answer(struct changed *c, const struct answer *a, const char *body, size_t body_len);

/* How a dimension changes answers. An item is a byte, a line, a member: what can be changed in so many ways. Even kinds
 * change that answer only; odd ones all later answers to requests of its kind as well, until the run gives up. */
struct mutation {
    unsigned (*items)(const struct answer *a);
    bool (*change)(const struct answer *a, unsigned item, unsigned way, struct changed *c); /* false: no such item */
    unsigned ways; /* kinds are twice as many                                                       */
    /* The last scene in which all ways are gone, and with ROUGH in the first of ACME v1; in others an item is changed once. */
    enum scene_name whole;
};

/* For the struct dimension of a mutation: its size, what its prepare does, and its hook. */
unsigned answers_points(const struct mutation *m, const struct honest *honest);
void answers_prepare(struct trial *t, const struct mutation *m);
int answers_hook(struct trial *t, enum device_seam seam, size_t *len);

#endif
