/* plans.c - see plans.h. */
#include "plans.h"

const struct dimension *const dimensions[] = {
    &dimension_rxcut,      &dimension_txcut,      &dimension_rxsplit,   &dimension_txsplit,   &dimension_netfail,
    &dimension_netpair,    &dimension_storefail,  &dimension_storecut,  &dimension_tickcut,   &dimension_tickpair,
    &dimension_nonce,      &dimension_recordlost, &dimension_rngfail,   &dimension_clock,     &dimension_tickwrap,
    &dimension_storm,      &dimension_worksize,   &dimension_storetorn, &dimension_storelost, &dimension_connect,
    &dimension_offline,    &dimension_keyfail,    &dimension_seampair,  &dimension_listener,  &dimension_listencut,
    &dimension_listenlost, &dimension_listentick, &dimension_anstrunc,  &dimension_ansbyte,   &dimension_header,
    &dimension_member};
const unsigned dimension_count = sizeof dimensions / sizeof dimensions[0];
