/* player.h - plays a script: whole, a byte at a time, and with every answer and every request cut in two at every byte. */
#ifndef TESTS_DIALOGUE_PLAYER_H
#define TESTS_DIALOGUE_PLAYER_H

#include "script.h"

/* Plays every variant of a script; fails the running test when something is not as it has to be. */
void player_play(struct script *s);

/* After a failure: where it was, and what was said last. */
void player_tell(const struct script *s);

/* What has been played so far. */
struct player_counts {
    unsigned runs;
    unsigned long splits; /* answers and requests cut in two */
};
extern struct player_counts player_counts;

#endif
