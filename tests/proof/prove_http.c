/* prove_http.c - the answer reader. Not a run of so many bytes but one step: from any state that fits the invariant
 * below, any byte is read without harm into a state that fits it. So it holds for answers of any length. */
#include "any.h"
#include "../../core/wire/http.c"

#ifndef VALUE_MOST
#define VALUE_MOST 8
#endif

static bool is_sound(const struct acme_http_reader *r)
{
    static const uint8_t most[] = {
        [STATUS_LINE] = 12, [NAME] = sizeof((struct acme_http_reader *)0)->name, [CHUNK_SIZE] = CHUNK_DIGITS_MAX};

    return r->state <= DEAD && r->field <= FIELDS && (r->state > CHUNK_SIZE || r->name_len <= most[r->state]) &&
           (r->field == FIELDS || r->value_len <= fields[r->field].cap);
}

/* A reader in any sound state; of the value's lengths the short ones and the longest, which are all alike. */
static void any_reader(struct acme_http_reader *r)
{
    Frama_C_make_unknown((char *)r, sizeof *r);
    r->state = (uint8_t)any_below(DEAD + 1);
    //@ split r->state;
    r->field = (uint8_t)any_below(FIELDS + 1);
    //@ split r->field;
    r->name_len = (uint8_t)any_below(sizeof r->name + 1);
    //@ split r->name_len;
    r->value_len = (uint16_t)any_below(VALUE_MOST + 1);
    if (r->field < FIELDS && any_below(2) == 0) {
        r->value_len = (uint16_t)(fields[r->field].cap - any_below(2));
    }
    //@ split r->value_len;
    r->is_head_request = any_below(2);
    r->carriage_return = any_below(2);
    r->http10 = any_below(2);
    r->keep_alive = any_below(2);
    r->answer.close = any_below(2);
    r->answer.location_long = any_below(2);
}

int main(void)
{
    static struct acme_http_reader r;
    struct acme_slice body;
    char in[3];
    size_t used;

    acme_http_reader_init(&r, false);
    must(is_sound(&r));
    any_reader(&r);
    if (is_sound(&r)) {
        Frama_C_make_unknown(in, sizeof in);
        (void)acme_http_read(&r, in, r.state < LENGTH_BODY ? 1 : sizeof in, &used, &body);
        must(is_sound(&r) && used <= sizeof in && body.len <= used);
        return acme_http_eof(&r, any_below(2) == 0);
    }
    return 0;
}
