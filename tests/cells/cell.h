/* cell.h - one cell of a product: a small dialogue with the scripted CA, and what was asked in it, and when. */
#ifndef TESTS_CELLS_CELL_H
#define TESTS_CELLS_CELL_H

#include "fake/engine.h"

#define CELL_TOKEN    128
#define CELL_REQUESTS 40 /* no cell may need more */

/* What followed a request. */
struct cell_next {
    bool asked;         /* it was made at all                                                                  */
    enum ca_kind kind;  /* of the next request, newNonce looked over; CA_KINDS: none, the run ended             */
    uint32_t waited_ms; /* between the two                                                                     */
    int reason;         /* of that wait, as the trace was told                                                 */
};

/* Plays once. `begun` may be NULL. The keys are the same in all cells and remember what they have signed: nearly all
 * requests of a product are alike. engine_free() afterwards. */
void cell_play(struct engine *e, const struct ca_plan *plan, const char *resumed, void (*begun)(struct engine *e));

/* What followed the request number nth (from 1) of a kind. */
struct cell_next cell_next(enum ca_kind kind, unsigned nth);

/* Place of that request among all, from 0; -1: it was not made. */
int cell_place(enum ca_kind kind, unsigned nth);

const char *cell_kind(enum ca_kind kind);

/* The cell at work. True when it is to be played: all are, unless the environment has CELL="token of one". */
bool cell_chosen(const char *token);

/* Notes that the cell at work does not do as is written, with what it does. */
void cell_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How many cells went wrong since the last call; all of them were printed with their tokens. */
unsigned cell_wrongs(void);

/* That so many cells were played and each rule was of use; true when the environment has asked for one cell only. Rules have a
 * member `why`, and beside them stands how often each was met. */
bool cell_all_used(unsigned played, size_t wanted, const unsigned *used, size_t count, const char *const *why,
                   size_t step);
#define CELL_ALL_USED(rules, used, played, wanted)                                                                   \
    cell_all_used(played, wanted, used, sizeof(rules) / sizeof((rules)[0]), &(rules)[0].why, sizeof((rules)[0]))

/* Teardown of a test: names the cell in which the CA itself stopped the test. */
int cell_teardown(void **state);

#endif
