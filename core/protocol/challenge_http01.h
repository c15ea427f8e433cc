/* challenge_http01.h - http-01 (RFC 8555, 8.3): a responder on the port's listener, or nothing but a solver
 * of yours. */
#ifndef ACME_PROTOCOL_CHALLENGE_HTTP01_H
#define ACME_PROTOCOL_CHALLENGE_HTTP01_H

#include "../acme_setup.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acme_http01_slot {
    enum { ACME_SLOT_FREE, ACME_SLOT_READING, ACME_SLOT_ANSWERING } state;
    uint32_t since_ms;                  /* opened                            */
    uint32_t moved_ms;                  /* a byte came or went last          */
    const struct acme_challenge *asked; /* what it asks for, as far as it has come */
    uint8_t line_state;
    uint8_t looks;    /* for bytes, so far                 */
    bool found;       /* the path of an answer on show     */
    uint16_t matched; /* characters of the line that match */
    uint16_t sent;    /* bytes of the answer that are out  */
    uint8_t blank;    /* line ends in a row                */
    uint16_t head_bytes;
};

/* Serves any number of live answers to any number of validators, ACME_HTTP01_SLOTS at a time; listens only while one is
 * live. Compares the request line byte by byte as it arrives: nothing of a request is stored, no file is looked at,
 * everything but GET of a live path is 404. One request a connection. When every slot is taken, who has not asked for a
 * live path yet loses his, however busy he looks: the more come, the sooner. Caller's memory, contents private. */
struct acme_http01 {
    const struct acme_listener *listener;
    struct acme_challenge *live; /* a list */
    struct acme_solver solver;   /* give &http01.solver to acme_setup::solvers */
    struct acme_http01_slot slots[ACME_HTTP01_SLOTS];
    uint32_t answered;    /* times the live answer was given, since init */
    uint32_t came_ms;     /* when somebody came last                     */
    uint16_t patience_ms; /* with who has not said his path yet          */
};

/* Makes the solver. `listener` is borrowed for good. Returns 0, or ACME_E_SIZE: the library was compiled with another
 * ACME_HTTP01_SLOTS, and nothing was touched. */
#define acme_http01_init(http01, listener) acme_http01_init_sized((http01), sizeof(struct acme_http01), (listener))
int acme_http01_init_sized(struct acme_http01 *http01, size_t size, const struct acme_listener *listener);

#ifdef __cplusplus
}
#endif

#endif
