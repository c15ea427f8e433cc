/* tape_ca.c - the CA of tests/fake/ca.h as a recording: a request has to be the recorded one, and is answered likewise. */
#include "tape.h"

#include <stdlib.h>

#include "fake/ca.h"

void ca_init(struct ca *ca, const struct ca_plan *plan)
{
    memset(ca, 0, sizeof *ca);
    ca->plan = plan;
}

void ca_free(struct ca *ca)
{
    (void)ca;
}

void ca_begin(struct ca *ca)
{
    (void)ca;
}

bool ca_whole(const char *request, size_t len)
{
    (void)request;
    return len > 0; /* compared as a whole */
}

struct ca_answer ca_answer(struct ca *ca, const char *host, const char *request, size_t len)
{
    struct ca_answer answer;
    struct acme_slice told;
    const char *shown = ca->published != NULL ? ca->published : "";
    char *end;

    tape_same("host", host, strlen(host));
    tape_same("shown", shown, strlen(shown));
    tape_same("request", request, len);
    told = tape_take("answer");
    answer.at = told.at;
    answer.len = told.len;
    ca->last = (enum ca_kind)strtol(tape_text("end"), &end, 10);
    answer.close = strtol(end, NULL, 10) != 0;
    ca->requests++;
    return answer;
}
