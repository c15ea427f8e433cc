/* prove_http01.c - the validator's request, one step from any sound state, as prove_http.c has it. */
#include "any.h"
#include "../../core/protocol/challenge_http01.c"

static bool is_sound(const struct acme_http01_slot *s, size_t path_len)
{
    switch (s->line_state) {
    case LINE_METHOD:
        return s->matched <= 4;
    case LINE_TARGET:
        return s->matched == 0;
    case LINE_SCHEME:
        return s->matched < sizeof scheme - 1;
    case LINE_PATH:
        return s->matched <= path_len;
    default:
        return s->line_state <= LINE_DONE;
    }
}

int main(void)
{
    static struct acme_challenge live;
    static struct acme_http01 h;
    struct acme_http01_slot s = {.method_ok = true};
    char answer[160 + ACME_KEY_AUTHORIZATION_MAX];
    struct acme_out o;

    live.token = "token";
    live.key_authorization = "token.thumbprint";
    h.live = &live;
    must(is_sound(&s, 0));
    if (any_below(2) == 0) {
        s.found = any_below(2);
        s.head_request = any_below(2);
        acme_out_init(&o, answer, sizeof answer);
        write_answer(&h, &s, &o);
        must(!o.overflow);
        return 0;
    }
    s.line_state = (uint8_t)any_below(LINE_DONE + 1);
    //@ split s.line_state;
    s.matched = (uint16_t)any_below(64);
    //@ split s.matched;
    s.head_request = any_below(2);
    s.method_ok = any_below(2);
    s.found = any_below(2);
    s.head_bytes = (uint16_t)any_below(HEAD_BYTES_MAX);
    s.blank = (uint8_t)any_below(2);
    if (is_sound(&s, sizeof prefix - 1 + 5)) {
        read_byte(&h, &s, any_char());
        must(is_sound(&s, sizeof prefix - 1 + 5));
    }
    return 0;
}
