/* test_address.c - addresses as text, judged against what the C library makes of them. */
#include <stdio.h>
#include <stdlib.h>
#include <arpa/inet.h>
#include "unit.h"

#include "wire/address.h"

static int parse(const char *text, uint8_t *address)
{
    /* of its own size, so that a look past its end is noticed */
    size_t len = strlen(text);
    char *copy = malloc(len > 0 ? len : 1);

    assert_non_null(copy);
    memcpy(copy, text, len);
    int got = acme_address_parse(acme_slice(copy, len), address);
    free(copy);
    return got;
}

TEST(canonical_text_is_read)
{
    static const char *const v4[] = {"0.0.0.0",         "127.0.0.1",   "192.0.2.1",
                                     "255.255.255.255", "10.20.30.40", "1.2.3.100"};
    static const char *const v6[] = {
        "::",
        "::1",
        "1::",
        "2001:db8::1",
        "2001:db8:0:1:1:1:1:1", /* one zero group stays */
        "2001:0:0:1::1",        /* the longer of two runs */
        "2001:db8::1:0:0:1",    /* the first of two equal ones */
        "1:0:0:2::",            /* the longer one at the end */
        "0:1:2:3:4:5:6:7",      /* at the beginning */
        "1:2:3:4:5:6:7:0",      /* and at the end */
        "1:2:3:4:5:6:7:8",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "::2:3:4:5:6:7",
        "1:2:3:4:5:6::",
        "fe80::a:b:c:d",
        "64:ff9b::c000:201",
        "::ffff:0:102:304",
    };
    uint8_t got[ACME_ADDRESS_MAX], want[ACME_ADDRESS_MAX];

    for (size_t i = 0; i < sizeof v4 / sizeof v4[0]; i++) {
        assert_int_equal(inet_pton(AF_INET, v4[i], want), 1);
        assert_int_equal(parse(v4[i], got), 4);
        assert_memory_equal(got, want, 4);
    }
    for (size_t i = 0; i < sizeof v6 / sizeof v6[0]; i++) {
        assert_int_equal(inet_pton(AF_INET6, v6[i], want), 1);
        if (parse(v6[i], got) != 16) {
            fail_msg("\"%s\"", v6[i]);
        }
        assert_memory_equal(got, want, 16);
    }
}

TEST(other_text_is_not)
{
    static const char *const texts[] = {
        "",
        ".",
        ":",
        ":::",
        "example.org",
        "1",
        "1.2.3",
        "1.2.3.",
        ".1.2.3",
        "1..2.3",
        "1.2.3.4.",
        "1.2.3.4.5",
        "1.2.3.4x",
        " 1.2.3.4",
        "1.2.3.256",
        "1.2.3.1000",
        "1.2.3.4294967297",
        "01.2.3.4",
        "1.2.3.00",
        "0x1.2.3.4",
        "a.2.3.4",
        "1:2.3.4",
        "[::1]",
        "::1%eth0",
        "::1/128",
        "::A", /* capitals */
        "2001:DB8::1",
        "2001:0db8::1", /* leading zeros */
        "2001:db8::00",
        "::0",
        "1::0",
        "0::1",
        "0:0:0:0:0:0:0:0",
        "2001:db8:0:0:1:1:1:1", /* no "::" though two are together */
        "2001:db8::1:1:1:1:1",  /* one group */
        "2001::1:0:0:0:1",      /* the shorter run */
        "2001:db8:0:0:1::1",    /* the second of two equal ones */
        "1::2::3",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:",
        "1:2:3:4:5:6:7:8::",
        "1:2:3:4:5:6:7:8:9",
        "1::2:3:4:5:6:7:8",
        "1::2:3:4:5:6:7:8:9",
        ":1:2:3:4:5:6:7",
        ":1::",
        "1:",
        "1::2:",
        "1 2::",
        "12345::",
        "g::",
        "::g",
        "::ffff:1.2.3.4",
        "::ffff:102:304",
        "::1.2.3.4",
        "1:2:3:4:5:6:1.2.3.4",
    };
    uint8_t address[ACME_ADDRESS_MAX];

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (parse(texts[i], address) != 0) {
            fail_msg("\"%s\"", texts[i]);
        }
    }
    assert_int_equal(acme_address_parse(acme_slice(NULL, 0), address), 0);
    assert_int_equal(acme_address_parse(acme_slice("1.2.3.4\0", 8), address), 0);
    assert_int_equal(acme_address_parse(acme_slice("::1\0", 4), address), 0);
}

/* Every pattern of zero and other groups, with a run at every place: only the one the C library writes is read. */
TEST(every_pattern_of_zeros)
{
    for (unsigned zeros = 0; zeros < 256; zeros++) {
        uint8_t want[ACME_ADDRESS_MAX], got[ACME_ADDRESS_MAX];
        char canonical[INET6_ADDRSTRLEN];

        for (unsigned i = 0; i < 8; i++) {
            want[2 * i] = 0;
            want[2 * i + 1] = (zeros >> i & 1) != 0 ? 0 : (uint8_t)(i + 1);
        }
        if ((zeros & 0x3f) == 0x3f && zeros != 0xff) {
            continue; /* the C library still writes these with an IPv4 address in them */
        }
        assert_non_null(inet_ntop(AF_INET6, want, canonical, sizeof canonical));
        assert_int_equal(parse(canonical, got), 16);
        assert_memory_equal(got, want, 16);
        for (unsigned from = 0; from <= 8; from++) {
            for (unsigned len = 0; from + len <= 8; len++) {
                char text[64] = "";

                for (unsigned i = 0; i < 8; i++) {
                    if (len > 0 && i == from) {
                        strcat(text, "::");
                    }
                    if (i < from || i >= from + len) {
                        bool joined = i == 0 || (len > 0 && i == from + len);
                        sprintf(text + strlen(text), "%s%x", joined ? "" : ":", want[2 * i + 1]);
                    }
                }
                if (inet_pton(AF_INET6, text, got) == 1 && memcmp(got, want, 16) == 0) {
                    assert_int_equal(parse(text, got), strcmp(text, canonical) == 0 ? 16 : 0);
                }
            }
        }
    }
}

/* What a CA writes is compared as bytes. */
TEST(same_names)
{
    static const struct {
        const char *theirs, *ours;
        bool same;
    } rows[] = {
        {"a.example", "A.Example", true},        {"a.example", "b.example", false},
        {"10.0.0.1", "10.0.0.1", true},          {"10.0.0.01", "10.0.0.1", true},
        {"10.0.0.2", "10.0.0.1", false},         {"a.example", "10.0.0.1", false},
        {"10.0.0.1", "a.example", false},        {"2001:db8::1", "2001:db8::1", true},
        {"2001:DB8::1", "2001:db8::1", true},    {"2001:0db8:0:0:0:0:0:1", "2001:db8::1", true},
        {"2001:db8::2", "2001:db8::1", false},   {"2001:db8::1", "2001:DB8:0::1", true}, /* what was not checked */
        {"2001:DB8::2", "2001:DB8:0::1", false}, {"10.0.0.1", "2001:DB8:0::1", false},
        {"::ffff:a00:1", "10.0.0.1", false},     {"::", "2001:db8::1", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (acme_name_is(acme_slice_of(rows[i].theirs), rows[i].ours) != rows[i].same) {
            fail_msg("\"%s\" and \"%s\"", rows[i].theirs, rows[i].ours);
        }
    }
    assert_true(acme_is_address("::1") && acme_is_address("1.2.3.4"));
    assert_false(acme_is_address("0::1") || acme_is_address("a.example") || acme_is_address(""));
}
