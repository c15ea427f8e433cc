/* prove_pem.c - the PEM reader, one step from any sound state, as prove_http.c has it. */
#include "any.h"
#include "../../core/wire/pem.c"

static uint8_t small[MOST];

static bool is_sound(const struct acme_pem *p)
{
    switch (p->state) {
    case OUTSIDE:
        return p->matched < sizeof begin - 1 || p->matched == TEXT_LINE ||
               (p->matched > (OF_END | (sizeof dashes - 1)) && p->matched < (OF_END | (sizeof end - 1)));
    case LABEL:
        return p->matched < sizeof dashes - 1 && p->label_len < sizeof p->label;
    default:
        return p->state <= END_LINE && p->label_len < sizeof p->label && p->len <= p->cap && p->quad < 4 &&
               p->pads <= (p->quad == 0   ? 2
                           : p->quad == 3 ? 1
                                          : 0) &&
               p->matched < sizeof end - 1 + p->label_len + sizeof dashes - 1;
    }
}

/* Only what a state looks at is followed value by value. */
static void any_reader(struct acme_pem *p)
{
    Frama_C_make_unknown((char *)p, sizeof *p);
    p->cap = MOST;
    p->der = any_below(2) == 0 ? small : NULL;
    p->len = (size_t)any_below(MOST + 1);
    p->quad = (uint8_t)any_below(4);
    p->pads = (uint8_t)any_below(3);
    p->matched = (uint8_t)any_below(256);
    p->label_len = (uint8_t)any_below(sizeof p->label);
    p->state = (uint8_t)any_below(4);
    //@ split p->state;
    if (p->state == OUTSIDE) {
        p->matched = (uint8_t)(any_below(2) == 0 ? any_below(OF_END | sizeof end) : TEXT_LINE);
        //@ split p->matched;
        p->len = 0;
    } else if (p->state == LABEL) {
        p->matched = (uint8_t)any_below(sizeof dashes - 1);
        //@ split p->matched;
        //@ split p->label_len;
        p->len = 0;
    } else if (p->state == CONTENTS) {
        //@ split p->len;
        //@ split p->quad;
        //@ split p->pads;
        p->matched = 0;
    } else {
        p->label_len =
            (uint8_t)(any_below(2) == 0 ? any_below(3) : sizeof p->label - 1); /* a long one is a long one */
        //@ split p->label_len;
        //@ split p->matched;
        p->len = 0;
    }
}

int main(void)
{
    struct acme_pem p;
    char c = any_char();
    size_t used;

    acme_pem_init(&p, small, sizeof small);
    must(is_sound(&p));
    any_reader(&p);
    if (is_sound(&p)) {
        (void)acme_pem_read(&p, &c, 1, &used); /* after an error, too */
        must(is_sound(&p) && used == 1);
    }
    return 0;
}
