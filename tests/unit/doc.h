/* doc.h - a JSON document out of a literal, in memory of its own. */
#ifndef TESTS_UNIT_DOC_H
#define TESTS_UNIT_DOC_H

#include "unit.h"
#include <string.h>

#include "wire/json.h"

/* Valid until the next call. */
static inline struct acme_json *doc(const char *text)
{
    static char copy[4096];
    static char tokens[16384];
    static struct acme_json json;
    size_t len = strlen(text);
    assert_true(len <= sizeof copy);
    memcpy(copy, text, len);
    assert_int_equal(acme_json_parse(&json, copy, len, tokens, sizeof tokens), 0);
    return &json;
}

#endif
