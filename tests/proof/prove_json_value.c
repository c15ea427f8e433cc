/* prove_json_value.c - looking into a document: any tokens that jsmn and our decoder could leave, in any order and of any
 * kind. Also what reads problems out of one. */
#include "any.h"
#include "protocol/problem.h"
#include "../../core/wire/json.c"

#define TOKENS 2

static jsmntok_t tokens[TOKENS];
static char text[MOST];

void acme_trace(const struct acme_setup *setup, const struct acme_event *event);
void acme_trace(const struct acme_setup *setup, const struct acme_event *event)
{
    (void)setup;
    must(event->text.len <= MOST && event->detail.len <= MOST);
}

static void any_token(jsmntok_t *token)
{
    static const jsmntype_t types[] = {JSMN_OBJECT, JSMN_ARRAY, JSMN_STRING, JSMN_PRIMITIVE};
    int start = any_below(MOST);
    int end = any_below(MOST + 1);

    //@ split start;
    //@ split end;
    token->type = types[any_below(4)];
    token->start = start;
    token->end = end;
    if (token->end < token->start + (token->type == JSMN_PRIMITIVE)) {
        token->end = token->start + 1;
    }
    token->size = any_below(TOKENS);
}

int main(void)
{
    struct acme_json json = {text, tokens, any_below(TOKENS + 1)};
    acme_json_value value = any_below(TOKENS + 1) - 1;
    struct acme_problem problem;

    Frama_C_make_unknown(text, sizeof text);
    //@ split json.count;
    //@ split value;
    for (int i = 0; i < TOKENS; i++) {
        any_token(&tokens[i]);
    }
    switch (any_below(5)) {
    case 0:
        return acme_json_member(&json, value, "name");
    case 1:
        return acme_json_next(&json, value, any_below(TOKENS + 1) - 1);
    case 2:
        return acme_json_number(&json, value);
    case 3:
        return acme_json_true(&json, value) || acme_json_first(&json, value) > 0;
    default:
        acme_problem_read(&problem, &json, value, 400);
        return problem.detail.len > MOST;
    }
}
