/* page.h - the status page, in pieces, as HTML for a person or JSON for a program. It knows no board: a struct tells it all. */
#ifndef FIRMWARE_PAGE_H
#define FIRMWARE_PAGE_H

#include "acme.h"
#include "wire/out.h"

/* Every piece fits into so many bytes, with names of 253 characters and an issuer full of what has to be escaped. */
#define PAGE_PIECE_MAX 368

enum page_figure {
    PAGE_FLASH, /* bytes */
    PAGE_RAM,
    PAGE_STACK_PEAK,
    PAGE_HEAP,
    PAGE_REQUESTS, /* since the start */
    PAGE_HANDSHAKES,
    PAGE_POLLS,
    PAGE_LONGEST_TICK, /* thousands of instructions */
    PAGE_FIGURES
};

/* What is shown. Texts are borrowed. */
struct page {
    const char *board;
    const char *const *names;
    size_t name_count;
    const char *error;              /* words for what failed last; NULL: nothing has          */
    uint32_t utc;                   /* now; 0: not known                                      */
    uint32_t not_before, not_after; /* of the certificate that is served; 0: it was not read */
    char issuer[48];                /* its name; printable ASCII, not escaped                 */
    bool planned;                   /* there is a plan                                        */
    struct acme_plan plan;
    uint32_t figures[PAGE_FIGURES];
};

/* Reads dates and issuer of the certificate that is served. One that cannot be read leaves both empty. Work: its bytes. */
void page_certificate(struct page *p, const uint8_t *der, size_t len);

/* Writes piece number `piece`, from 0; false: there is none. */
bool page_piece(struct acme_out *o, const struct page *p, unsigned piece, bool json);

/* What stands in place of a page there is not, as above. */
bool page_missing(struct acme_out *o, unsigned piece);

#endif
