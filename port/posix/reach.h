/* reach.h - two ways to try whether somebody can be reached: we the CA, and the CA us. For the verb `check`; nothing here is part
 * of a run. */
#ifndef ACME_POSIX_REACH_H
#define ACME_POSIX_REACH_H

#include "run.h"

/* What a CA's directory answers. */
struct acme_reached {
    int error;                       /* enum acme_error; 0 none                      */
    uint16_t http_status;            /* 0: no answer                                 */
    bool is_directory;               /* it names where orders are made               */
    int64_t date;                    /* the CA's clock; 0: not told                  */
    char host[254];                  /* who answered: the last of up to 3 redirects  */
    char location[ACME_URL_MAX + 1]; /* of a redirect that was not followed */
    uint32_t bytes;
};

/* Fetches the directory, with all that a run would do for it: name, addresses, TLS, redirects. 20 s without a byte are the end
 * of it, 60 s in any case. */
void acme_reach_ca(struct acme_run *run, struct acme_reached *r);

/* What came back from one address of ours. */
enum acme_reach {
    ACME_REACH_OK,
    ACME_REACH_REDIRECT, /* CAs follow it: `text` is where to            */
    ACME_REACH_OTHER,    /* somebody else answers: `text` is how it begins */
    ACME_REACH_SILENT,   /* connected, but no answer within 10 s         */
    ACME_REACH_NOT       /* no connection: `error`                       */
};

struct acme_reach_at {
    enum acme_reach what;
    int error;
    char address[48];
    char text[200];
};

/* Puts up an answer as for a validation, and fetches it from port 80, or 443, of each address of `name`, at most `max`. Returns how many
 * addresses there are, ACME_E_HOST, or another error: the answer cannot be put up. */
int acme_reach_us(struct acme_run *run, const char *name, struct acme_reach_at *at, size_t max);

#endif
