/* judge_v1.h - what a request of ACME v1 has to be like: HTTP, signature, nonce, payload; by jansson and OpenSSL. */
#ifndef TESTS_DIALOGUE_JUDGE_V1_H
#define TESTS_DIALOGUE_JUDGE_V1_H

#include "boulder.h"

/* Reads and judges what the engine has sent. Fails the test where anything is wrong. */
void judge_v1(struct boulder *b, const struct engine *e, struct v1_request *q);
void judge_v1_free(struct v1_request *q);

/* The request says what the recorded one says, member by member. */
void judge_v1_same(const struct boulder *b, const struct v1_request *q, const struct exchange *x);

#endif
