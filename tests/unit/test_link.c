/* Unit tests of wire/link: which link of a line counts, and which is none. */
#include "unit.h"

#include "check.h"
#include <stdlib.h>
#include <string.h>

#include "wire/link.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *line;
    enum acme_rel rel;
    const char *target;
} rows[] = {
    {"<https://ca.test/issuer>;rel=\"up\"", ACME_REL_UP, "https://ca.test/issuer"},
    {"</issuer>;rel=\"up\"", ACME_REL_UP, "/issuer"},
    {"</issuer> ; rel = up", ACME_REL_UP, "/issuer"},
    {"</issuer>;REL=\"UP\"", ACME_REL_UP, "/issuer"},
    {"</issuer>;title=\"a\";rel=\"up\";x=y", ACME_REL_UP, "/issuer"},
    {"</a>;rel=\"next\", </b>;rel=\"up\"", ACME_REL_UP, "/b"},
    {"</a>;rel=\"next\",</b>;rel=\"terms-of-service\",</c>;rel=\"up\"", ACME_REL_TERMS, "/b"},
    {"</a>;rel=up, </b>;rel=\"next\"", ACME_REL_UP, "/a"},
    {"</a;b=c>;rel=\"up\"", ACME_REL_UP, "/a;b=c"},
    {"<a b>;rel=\"up\", </c>;rel=\"up\"", ACME_REL_UP, "/c"},
    {"<>;rel=\"up\", </c>;rel=\"up\"", ACME_REL_UP, "/c"},
    {"", ACME_REL_NONE, NULL},
    {"<", ACME_REL_NONE, NULL},
    {"<>", ACME_REL_NONE, NULL},
    {"</a", ACME_REL_NONE, NULL},
    {"</a>", ACME_REL_NONE, NULL},
    {"</a>;rel", ACME_REL_NONE, NULL},
    {"</a>;rel=", ACME_REL_NONE, NULL},
    {"</a>;rel=\"", ACME_REL_NONE, NULL},
    {"</a>;rel=x", ACME_REL_NONE, NULL},
    {"</a>;rel=\"\"", ACME_REL_NONE, NULL},
    {"</a>;rel=\"next\";rel=\"up\"", ACME_REL_NONE, NULL}, /* RFC 8288, 3.3: the first counts */
    {"</a>;rev=\"up\"", ACME_REL_NONE, NULL},
    {"</a>;title=\"rel=up\"", ACME_REL_NONE, NULL},
    {"</a>;xrel=\"up\"", ACME_REL_NONE, NULL},
    {"</a\"b>;rel=\"up\"", ACME_REL_NONE, NULL},
    {"</a\\b>;rel=\"up\"", ACME_REL_NONE, NULL},
    {"</a\x7f>;rel=\"up\"", ACME_REL_NONE, NULL},
    {"</\xc3\xa9>;rel=\"up\"", ACME_REL_NONE, NULL},
    {"</a\n>;rel=\"up\"", ACME_REL_NONE, NULL},
    {"< /a>;rel=\"up\"", ACME_REL_NONE, NULL},
    {"<\"a>;rel=\"up\"", ACME_REL_NONE, NULL},
    {"rel=\"up\"", ACME_REL_NONE, NULL},
};

TEST(the_first_link_that_counts)
{
    for (size_t i = 0; i < LEN(rows); i++) {
        struct acme_slice target = {NULL, 0};
        enum acme_rel rel = acme_link_find(acme_slice_of(rows[i].line), &target);
        if (rel != rows[i].rel) {
            fail_msg("%s: %d", rows[i].line, rel);
        }
        if (rel != ACME_REL_NONE && !acme_slice_is(target, rows[i].target)) {
            fail_msg("%s: %.*s", rows[i].line, (int)target.len, target.at);
        }
    }
}

/* A line that ends anywhere is read within its bytes. */
TEST(any_start_of_a_line)
{
    for (size_t i = 0; i < LEN(rows); i++) {
        for (size_t len = 0; len < strlen(rows[i].line); len++) {
            char *line = malloc(len + 1);
            memcpy(line, rows[i].line, len);
            struct acme_slice target;
            enum acme_rel rel = acme_link_find(acme_slice(line, len), &target);
            assert_true(rel == ACME_REL_NONE || (target.at >= line && target.at + target.len <= line + len));
            free(line);
        }
    }
}
