/* json.h - strict, checked access to a JSON document (RFC 8259) over jsmn's tokens.
 *
 * jsmn only cuts text into tokens and accepts most malformed documents. So acme_json_parse() first walks the
 * text with a grammar checker of its own (one root, commas, colons, numbers, literals, depth), lets jsmn
 * tokenize what passed, and then decodes every string in place, which checks its UTF-8 and escapes.
 * Afterwards every text is a plain slice and no accessor can meet a malformed document. */
#ifndef ACME_WIRE_JSON_H
#define ACME_WIRE_JSON_H

#include <stdint.h>

#include "slice.h"
#include "../acme_error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acme_json {
    char *text;         /* the document, strings decoded in place; borrowed        */
    const void *tokens; /* jsmn's tokens, in the memory lent to acme_json_parse() */
    int count;
};

/* A value of a document: 0 is the root, ACME_JSON_NONE "not there". Every accessor takes ACME_JSON_NONE and a
 * value of the wrong type and answers "not there". */
typedef int acme_json_value;
#define ACME_JSON_NONE (-1)

/* Checks, tokenizes and decodes text[0..len).
 * Memory: `text` is changed in place and borrowed; `memory` holds the tokens (16 bytes an element, any
 * alignment). Work: three passes over the text. No recursion.
 * Errors: ACME_E_JSON, ACME_E_JSON_DEPTH (ACME_JSON_DEPTH), ACME_E_JSON_TOKENS (memory too small). A document
 * must be an object or an array. */
int acme_json_parse(struct acme_json *json, char *text, size_t len, void *memory, size_t memory_len);

/* The member called `name` (case counts; of duplicates the first); NONE also when it is null. Work: the
 * object's elements. */
acme_json_value acme_json_member(const struct acme_json *json, acme_json_value object, const char *name);

/* First and next element of an array; NONE at the end. */
acme_json_value acme_json_first(const struct acme_json *json, acme_json_value array);
acme_json_value acme_json_next(const struct acme_json *json, acme_json_value array, acme_json_value element);

/* The first key of an object after `key` (ACME_JSON_NONE: the first of all), a string; NONE at the end. */
acme_json_value acme_json_key(const struct acme_json *json, acme_json_value object, acme_json_value key);

/* What the value is. */
bool acme_json_is_object(const struct acme_json *json, acme_json_value value);
bool acme_json_is_array(const struct acme_json *json, acme_json_value value);

/* The decoded text of a string; an empty slice with at == NULL when it is not a string. May hold any byte. */
struct acme_slice acme_json_string(const struct acme_json *json, acme_json_value value);

/* The decoded text of the member called `name`, as acme_json_string(). */
struct acme_slice acme_json_text(const struct acme_json *json, acme_json_value object, const char *name);

/* A non-negative integer below 2^31, or one written as a string of digits; -1 otherwise. */
int32_t acme_json_number(const struct acme_json *json, acme_json_value value);

/* True only for the literal true. */
bool acme_json_true(const struct acme_json *json, acme_json_value value);

#ifdef __cplusplus
}
#endif

#endif
