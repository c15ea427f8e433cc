/* challenge_http01.h - http-01 (RFC 8555, 8.3): a responder on the port's listener, or nothing but a solver
 * of yours. */
#ifndef ACME_PROTOCOL_CHALLENGE_HTTP01_H
#define ACME_PROTOCOL_CHALLENGE_HTTP01_H

#include "../acme_setup.h"

struct acme_http01_slot {
    enum { ACME_SLOT_FREE, ACME_SLOT_READING, ACME_SLOT_ANSWERING } state;
    uint32_t since_ms;  /* opened                            */
    uint32_t silent_ms; /* last byte moved                   */
    uint8_t line_state;
    bool head_request;
    bool found;       /* the path is the live one          */
    uint16_t matched; /* characters of the path that match */
    uint16_t sent;    /* bytes of the answer that are out  */
    uint8_t blank;    /* line ends in a row                */
    uint16_t head_bytes;
};

/* Serves one live answer to any number of validators, ACME_HTTP01_SLOTS at a time; listens only while one is
 * live. Compares the path byte by byte as it arrives: nothing of a request is stored, no file is looked at,
 * everything but the live path is 404. One request a connection. Caller's memory, contents private. */
struct acme_http01 {
    const struct acme_listener *listener;
    const struct acme_challenge *live;
    struct acme_solver solver; /* give &http01.solver to acme_setup::solvers */
    struct acme_http01_slot slots[ACME_HTTP01_SLOTS];
    uint32_t answered; /* times the live answer was given, since init */
};

/* Makes the solver. `listener` is borrowed for good. */
void acme_http01_init(struct acme_http01 *h, const struct acme_listener *listener);

#endif
