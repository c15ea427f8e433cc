/* outcome.h - all that is to be seen of a run from outside, as text: two runs are the same when their texts are. */
#ifndef TESTS_DIALOGUE_OUTCOME_H
#define TESTS_DIALOGUE_OUTCOME_H

#include "fake/engine.h"

/* Counts the events from now on; for the beginning of a run, one at a time. */
void outcome_watch(struct engine *e);

/* Of the run that has ended. Valid until the next call. */
const char *outcome_text(const struct engine *e);

#endif
