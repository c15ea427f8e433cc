/* plans.h - the dimensions: what can go wrong, and how often. A fault begins at one point (a byte, a call, a tick) and is
 * gone at the latest when the run that it spoiled has ended; only a storm lasts longer. A new one: a struct dimension with
 * its functions in a faults_*.c, and a row in plans.c. */
#ifndef TESTS_FAULT_PLANS_H
#define TESTS_FAULT_PLANS_H

#include "trial.h"

extern const struct dimension dimension_rxcut, dimension_txcut, dimension_rxsplit, dimension_txsplit,
    dimension_netfail, dimension_netpair, dimension_storefail, dimension_storecut, dimension_tickcut,
    dimension_tickpair, dimension_nonce, dimension_recordlost, dimension_rngfail, dimension_clock, dimension_tickwrap,
    dimension_storm, dimension_worksize, dimension_storetorn, dimension_storelost, dimension_connect,
    dimension_offline, dimension_keyfail, dimension_seampair, dimension_listener, dimension_crowd,
    dimension_listencut, dimension_listenlost, dimension_listentick, dimension_anstrunc, dimension_ansbyte,
    dimension_header, dimension_member, dimension_several, dimension_v1_several, dimension_keep_tick,
    dimension_keep_store, dimension_keep_pair, dimension_keep_many, dimension_keep_torn, dimension_keep_clock,
    dimension_keep_wrap, dimension_keep_image, dimension_solver;

/* Those that are run in the scenes of ACME v1 as well stand there a second time: `v1-rxcut` beside `rxcut`; likewise
 * `solvers-rxcut`, with two solvers and a bound account. */
#define DIMENSIONS_MAX 96
extern const struct dimension *dimensions[DIMENSIONS_MAX];
extern unsigned dimension_count;

void plans_make(void);

#endif
