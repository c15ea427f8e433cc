/* words.c - see words.h. */
#include "words.h"

/* All meanings in one text, in the order of the errors: a pointer to each would take 0.4 KB. */
const char *words_error(int error)
{
#define VALUE(name, value, retry, meaning, cause)   value,
#define MEANING(name, value, retry, meaning, cause) meaning "\0"
    static const int8_t errors[] = {ACME_ERRORS(VALUE)};
    static const char meanings[] = ACME_ERRORS(MEANING) "unknown error";
#undef VALUE
#undef MEANING
    const char *at = meanings;

    for (size_t i = 0; i < sizeof errors && errors[i] != error; i++) {
        at += strlen(at) + 1;
    }
    return at;
}

static void two(struct acme_out *o, uint32_t value)
{
    acme_out_text(o, value < 10 ? "0" : "");
    acme_out_u32(o, value);
}

void words_date(struct acme_out *o, uint32_t utc)
{
    /* Years are counted from March, so that the leap day is the last. */
    uint32_t days = utc / 86400, rest = utc % 86400 / 60;
    uint32_t n = days + 719468, era = n / 146097, in_era = n % 146097;
    uint32_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    uint32_t in_year = in_era - (365 * year + year / 4 - year / 100), shifted = (5 * in_year + 2) / 153;
    uint32_t month = shifted < 10 ? shifted + 3 : shifted - 9;

    acme_out_u32(o, year + era * 400 + (month <= 2));
    acme_out_text(o, "-");
    two(o, month);
    acme_out_text(o, "-");
    two(o, in_year - (153 * shifted + 2) / 5 + 1);
    acme_out_text(o, " ");
    two(o, rest / 60);
    acme_out_text(o, ":");
    two(o, rest % 60);
}

const char *words_why(enum acme_why why)
{
    switch (why) {
    case ACME_WHY_LIFE:
        return "its age";
    case ACME_WHY_WINDOW:
        return "the CA's window";
    case ACME_WHY_BACKSTOP:
        return "its age, before the CA's window";
    case ACME_WHY_ORDER:
        return "an order in progress";
    case ACME_WHY_NO_PAIR:
        return "no certificate";
    case ACME_WHY_EXPIRED:
        return "its expiry";
    case ACME_WHY_NAMES:
        return "other names";
    case ACME_WHY_SETUP:
        return "another setup";
    }
    return "?";
}

static void hold(struct acme_out *o, const struct acme_plan *plan, const char *joint)
{
    if (plan->hold == ACME_HOLD_STOPPED) {
        acme_out_text(o, "; stopped until the setup changes");
        acme_out_text(o, joint);
        acme_out_text(o, words_error(plan->error));
        return;
    }
    acme_out_text(o, "; next attempt ");
    words_date(o, plan->hold_until);
    acme_out_text(o, " UTC");
    acme_out_text(o, joint);
    if (plan->hold == ACME_HOLD_FAILURES) {
        acme_out_u32(o, plan->failures);
        acme_out_text(o, plan->failures == 1 ? " failure" : " failures");
    } else {
        acme_out_text(o, plan->hold == ACME_HOLD_CA ? "the CA's wish" : "the fleet's spread");
    }
}

void words_plan(struct acme_out *o, const struct acme_plan *plan, uint32_t utc, const char *joint)
{
    if (plan->due > utc) {
        acme_out_text(o, "renews ");
        words_date(o, plan->due);
        acme_out_text(o, " UTC");
    } else {
        acme_out_text(o, "renewal is due");
    }
    acme_out_text(o, joint);
    acme_out_text(o, words_why(plan->why));
    if (plan->hold_until > plan->due && plan->hold_until > utc) {
        hold(o, plan, joint);
    }
}
