/* plans.c - see plans.h. */
#include "plans.h"

#include <stdio.h>

static const struct dimension *const all[] = {
    &dimension_rxcut,      &dimension_txcut,      &dimension_rxsplit,    &dimension_txsplit,    &dimension_netfail,
    &dimension_netpair,    &dimension_storefail,  &dimension_storecut,   &dimension_tickcut,    &dimension_tickpair,
    &dimension_nonce,      &dimension_recordlost, &dimension_rngfail,    &dimension_clock,      &dimension_tickwrap,
    &dimension_storm,      &dimension_worksize,   &dimension_storetorn,  &dimension_storelost,  &dimension_connect,
    &dimension_offline,    &dimension_keyfail,    &dimension_seampair,   &dimension_listener,   &dimension_crowd,
    &dimension_listencut,  &dimension_listenlost, &dimension_listentick, &dimension_anstrunc,   &dimension_ansbyte,
    &dimension_header,     &dimension_member,     &dimension_several,    &dimension_v1_several, &dimension_keep_tick,
    &dimension_keep_store, &dimension_keep_pair,  &dimension_keep_many,  &dimension_keep_torn,  &dimension_keep_clock,
    &dimension_keep_wrap,  &dimension_keep_image, &dimension_solver};
static const struct dimension *const of_v1[] = {
    &dimension_rxcut,   &dimension_txcut,    &dimension_rxsplit,    &dimension_txsplit,   &dimension_netfail,
    &dimension_netpair, &dimension_connect,  &dimension_offline,    &dimension_storefail, &dimension_storecut,
    &dimension_tickcut, &dimension_tickpair, &dimension_recordlost, &dimension_nonce,     &dimension_keyfail,
    &dimension_storm,   &dimension_worksize, &dimension_anstrunc,   &dimension_ansbyte,   &dimension_header,
    &dimension_member};

/* With two solvers and a bound account. */
static const struct dimension *const of_solvers[] = {
    &dimension_rxcut,     &dimension_txcut,     &dimension_rxsplit,  &dimension_txsplit,   &dimension_netfail,
    &dimension_netpair,   &dimension_connect,   &dimension_offline,  &dimension_storefail, &dimension_storecut,
    &dimension_storetorn, &dimension_storelost, &dimension_tickcut,  &dimension_tickpair,  &dimension_recordlost,
    &dimension_rngfail,   &dimension_clock,     &dimension_tickwrap, &dimension_nonce,     &dimension_keyfail,
    &dimension_seampair,  &dimension_storm,     &dimension_worksize, &dimension_anstrunc,  &dimension_ansbyte,
    &dimension_header,    &dimension_member};

const struct dimension *dimensions[DIMENSIONS_MAX];
unsigned dimension_count;

static void again(const struct dimension *const *list, unsigned count, const char *before, unsigned thin,
                  enum scene_name first, enum scene_name last)
{
    static struct dimension copy[DIMENSIONS_MAX];
    static char name[DIMENSIONS_MAX][32];
    for (unsigned i = 0; i < count; i++) {
        unsigned at = dimension_count++;
        snprintf(name[at], sizeof name[at], "%s-%s", before, list[i]->name);
        copy[at] = *list[i];
        copy[at].name = name[at];
        copy[at].thin = thin;
        copy[at].first_scene = first;
        copy[at].last_scene = last;
        dimensions[at] = &copy[at];
    }
}

void plans_make(void)
{
    for (unsigned i = 0; i < LEN(all); i++) {
        dimensions[dimension_count++] = all[i];
    }
    again(of_v1, LEN(of_v1), "v1", 2, V1_ISSUE, V1_DRAFT);
    again(of_solvers, LEN(of_solvers), "solvers", 5, SOLVERS, SOLVERS);
}
