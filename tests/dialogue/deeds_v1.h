/* deeds_v1.h - what is done beside issuing, in ACME v1: a certificate revoked, an account ended, its key changed. The part
 * of boulder.h and judge_v1.h that is about it. */
#ifndef TESTS_DIALOGUE_DEEDS_V1_H
#define TESTS_DIALOGUE_DEEDS_V1_H

#include "boulder.h"

/* What acme.h calls a request of this kind. ACME_NOW: it belongs to issuing. */
enum acme_task deeds_v1_of(enum v1_kind kind);

/* The payload of a request while b->deed is under way. */
void deeds_v1_judge(const struct boulder *b, const struct engine *e, const struct v1_request *q);

/* Our request means the recorded one: another certificate, another key. */
bool deeds_v1_same(const struct v1_request *q, const struct exchange *x);

/* The server's own answer while b->deed is under way; false: that of issuing will do. */
bool deeds_v1_answer(struct boulder *b, const struct v1_request *q, struct boulder_said *a);

/* A good recorded answer becomes true. */
void deeds_v1_adopt(struct boulder *b, const struct v1_request *q, const struct exchange *x);

/* Begins the deed a recorded exchange is about: reason, next key and path as there. At its end: judges that it is done
 * if the server said so, and not otherwise. */
void deeds_v1_begin(struct boulder *b, struct engine *e, const struct exchange *x);
void deeds_v1_end(const struct boulder *b, struct engine *e);

#endif
