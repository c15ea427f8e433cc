/* Unit tests of wire/link: which link of a line counts, and which is none. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "wire/link.h"

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

/* --- rel="alternate" */

static const struct {
    const char *lines, *kept; /* each target with a blank behind it */
} alternates[] = {
    {"</a>;rel=\"alternate\"\n", "/a "},
    {"</a>;rel=alternate, </b>;rel=\"next\",</c> ; REL = \"next ALTERNATE\"\n", "/a /c "},
    {"</a>;rel=\"alternate\"\n</b>;rel=\"up\"\n</c>;rel=\"alternate\"\n", "/a /c "},
    {"</a>;rel=\"next\";rel=\"alternate\", </b>;rel=alternate;rel=next\n", "/b "},
    {"</a>;title=\"x, <b>;rel=alternate \\\"; \";rel=up,</c>;title=\"\\\\\";rel=alternate\n", "/c "},
    {"</a>;title=\"open, </b>;rel=alternate\n</c>;rel=alternate\n", "/c "},
    {"</a>;longer-than-any-word-that-is-known=alternate;rel=alternate\n", "/a "},
    {"</a>;rel=\"alternate and-more-than-is-kept-of-a-word\", </b>;rel=alternate\n", "/b "},
    {"</a>;xrel=alternate,</b>;rel=alternates,</c>;rel,</d>;rel=,</e>\n", ""},
    {"</a\n</b>;rel=alternate\n", "/b "},
    {"rel=alternate\n>;rel=alternate\n\n", ""},
    {"<>;rel=alternate,</a b>;rel=alternate,</<>;rel=alternate\n", " /a b /< "},
    {"</a>;rel=alternate", ""}, /* the line has not ended */
    {"<1>;rel=alternate,<2>;rel=alternate,<3>;rel=alternate,<4>;rel=alternate,<5>;rel=alternate,<6>;rel=alternate,"
     "<7>;rel=alternate,<8>;rel=alternate,<9>;rel=alternate\n",
     "1 2 3 4 5 6 7 8 "},
    {"<0123456789012345678901234567890123456789>;rel=alternate,</a>;rel=alternate\n", "/a "},
    {"<01234567890123456789>;rel=alternate,<0123456789>;rel=alternate,<012345678>;rel=alternate\n",
     "01234567890123456789 012345678 "},
};

TEST(alternates_as_their_bytes_go_by)
{
    for (size_t i = 0; i < LEN(alternates); i++) {
        struct acme_links l;
        char *text = malloc(31), kept[64] = "";
        acme_links_init(&l, text, 31);
        for (const char *at = alternates[i].lines; *at != '\0'; at++) {
            acme_links_read(&l, *at);
        }
        const char *at = text;
        for (uint8_t n = 0; n < l.count; n++, at += strlen(at) + 1) {
            strcat(strcat(kept, at), " ");
        }
        assert_int_equal(at - text, l.len);
        if (strcmp(kept, alternates[i].kept) != 0) {
            fail_msg("%s: %s", alternates[i].lines, kept);
        }
        free(text);
    }
}
