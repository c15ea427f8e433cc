/* plans.c - see plans.h. */
#include "plans.h"

#include <stdio.h>

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static const struct dimension *const all[] = {
    &dimension_rxcut,      &dimension_txcut,      &dimension_rxsplit,    &dimension_txsplit,    &dimension_netfail,
    &dimension_netpair,    &dimension_storefail,  &dimension_storecut,   &dimension_tickcut,    &dimension_tickpair,
    &dimension_nonce,      &dimension_recordlost, &dimension_rngfail,    &dimension_clock,      &dimension_tickwrap,
    &dimension_storm,      &dimension_worksize,   &dimension_storetorn,  &dimension_storelost,  &dimension_connect,
    &dimension_offline,    &dimension_keyfail,    &dimension_seampair,   &dimension_listener,   &dimension_crowd,
    &dimension_listencut,  &dimension_listenlost, &dimension_listentick, &dimension_anstrunc,   &dimension_ansbyte,
    &dimension_header,     &dimension_member,     &dimension_several,    &dimension_v1_several, &dimension_keep_tick,
    &dimension_keep_store, &dimension_keep_pair,  &dimension_keep_many,  &dimension_keep_torn,  &dimension_keep_clock,
    &dimension_keep_wrap,  &dimension_keep_image};
static const struct dimension *const of_v1[] = {
    &dimension_rxcut,   &dimension_txcut,    &dimension_rxsplit,    &dimension_txsplit,   &dimension_netfail,
    &dimension_netpair, &dimension_connect,  &dimension_offline,    &dimension_storefail, &dimension_storecut,
    &dimension_tickcut, &dimension_tickpair, &dimension_recordlost, &dimension_nonce,     &dimension_keyfail,
    &dimension_storm,   &dimension_worksize, &dimension_anstrunc,   &dimension_ansbyte,   &dimension_header,
    &dimension_member};

const struct dimension *dimensions[DIMENSIONS_MAX];
unsigned dimension_count;

void plans_make(void)
{
    static struct dimension copy[LEN(of_v1)];
    static char name[LEN(of_v1)][32];
    for (unsigned i = 0; i < LEN(all); i++) {
        dimensions[dimension_count++] = all[i];
    }
    for (unsigned i = 0; i < LEN(of_v1); i++) {
        snprintf(name[i], sizeof name[i], "v1-%s", of_v1[i]->name);
        copy[i] = *of_v1[i];
        copy[i].name = name[i];
        copy[i].first_scene = V1_ISSUE;
        copy[i].last_scene = V1_DRAFT;
        dimensions[dimension_count++] = &copy[i];
    }
}
