/* visitors.h - who comes to the client's http-01 responder: the CA's validators, and anybody else. A listener of acme_port.h
 * in virtual time; the real responder (protocol/challenge_http01.h) sits on it. */
#ifndef TESTS_FAULT_VISITORS_H
#define TESTS_FAULT_VISITORS_H

#include "fake/device.h"

struct manner {
    size_t piece;      /* bytes that come, and are taken, at a time                          */
    uint32_t pause_ms; /* between two of them                                                */
    bool deaf;         /* never takes a byte                                                  */
    bool leaves;       /* closes when all is said, without a look at the answer               */
    size_t silent_at;  /* says no more behind so many bytes; 0: never                         */
    size_t burst;      /* bytes it begins with, all at once                                   */
};

/* What happens at one place in what all validators say and hear. */
enum visit_end { VISIT_GOES_ON, VISIT_RST, VISIT_FIN, VISIT_STALL, VISIT_PAUSE };

struct crowd {
    unsigned validators; /* each must be answered                                            */
    struct manner validator;
    unsigned strangers; /* there before them                                                 */
    struct manner stranger;
    bool hot;                   /* a stranger that was sent away is back in a millisecond              */
    uint32_t spread_ms;         /* validators come over so long                                        */
    const char *const *sayings; /* of the strangers, in turn; %s is the live path, %t not quite */
    unsigned saying_count, seed;
    unsigned end_at; /* a place: see visitors_places()                                       */
    enum visit_end end;
    bool strict; /* a validation that failed once has failed                                 */
};

/* Puts the responder in the place of the device's solver; nobody is there. To be called after a boot. */
void visitors_boot(struct device *d);
void visitors_invite(const struct crowd *crowd);

/* The CA has just taken a challenge response, maybe: its validators come. */
void visitors_called(struct device *d);

/* Places in the validators' streams so far, in either direction. */
unsigned visitors_places(void);

/* The longest it took from a challenge response until a validator had its answer. */
uint32_t visitors_waited_ms(void);

/* The longest a validator that got its answer was there for it. */
uint32_t visitors_stayed_ms(void);

#endif
