/* server.h - the CA of fuzz_conversation.c: answers the scripted CA (tests/fake) gave in an honest run, changed as the
 * input says. It knows what the client is about by looking at the client, so it can be honest about any URL it was made
 * to give out. */
#ifndef TESTS_FUZZ_SERVER_H
#define TESTS_FUZZ_SERVER_H

#include "fake/device.h"

struct server {
    const uint8_t *at, *end; /* what is left of the input; without any the server is honest */

    /* what it knows */
    bool finalized;
    uint8_t responded, valid; /* bits: authorizations */
    unsigned nonces;

    /* what else the last answer's bytes have ordered */
    size_t piece;         /* bytes of the answer that come at once                   */
    int ending;           /* what the connection says behind them; 0: it stays open  */
    unsigned refusals;    /* connections that cannot be opened                       */
    unsigned store_fails; /* calls of the store that fail                            */
    unsigned cut_in;      /* ticks until the power goes; 0: it does not              */

    size_t len;
    char answer[FUZZ_LEN_MAX * 2];
};

/* Keeps an answer of the honest run, as what is to be said where the client stands. */
void server_learn(const struct acme_client *client, struct ca_answer answer);

/* The next bytes of the input; zeros when there are none. */
uint8_t server_byte(struct server *s);

/* Makes the answer to what the client has sent. */
void server_answer(struct server *s, const struct acme_client *client);

#endif
