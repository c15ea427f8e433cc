/* replay.h - plays a recording against the core's engine: as a story, and each of its answers where it hurts. */
#ifndef TESTS_DIALOGUE_REPLAY_H
#define TESTS_DIALOGUE_REPLAY_H

#include "boulder.h"

enum replay_how { REPLAY_STORY, REPLAY_ONCE, REPLAY_EVER };

struct replay_sum {
    unsigned runs, requests_most, minutes_most;
    unsigned ours;         /* exchanges of the recording that were had in a story */
    unsigned own_answers;  /* given in between by the server's own wit            */
    unsigned certificates; /* runs that ended with one                            */
    unsigned done;         /* things done beside issuing                          */
    unsigned error[256];   /* runs that ended with -n                             */
    unsigned new_certs;    /* that our client asked for                       */
    unsigned early;        /* recorded refusals of a new-cert that came early */
};

/* All stories of a recording; each answer of it, once or for ever. Both fail the test where anything is wrong. */
void replay_stories(const struct recording *r, struct replay_sum *sum);
void replay_answers(const struct recording *r, enum replay_how how, struct replay_sum *sum);

/* Prints what was being played: after a failure. */
void replay_tell(void);

#endif
