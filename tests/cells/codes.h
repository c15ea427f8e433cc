/* codes.h - three sides of the products of statuses: what an authorization may be said to be, HTTP codes, and forms of
 * Retry-After. */
#ifndef TESTS_CELLS_CODES_H
#define TESTS_CELLS_CODES_H

#include "cell.h"

#include <stdio.h>

#define BIT(n)  (1u << (n))
#define A_DAY_S 86400

enum { A_PENDING, A_PROCESSING, A_VALID, A_INVALID, A_DEACTIVATED, A_EXPIRED, A_REVOKED, A_UNKNOWN, AUTHZS };
enum { C_200, C_201, C_202, C_204, C_30X, C_400, C_401, C_403, C_404, C_409, C_429, C_500, C_503, CODES };
enum { R_NONE, R_0, R_3, R_3600, R_1E12, R_NEGATIVE, R_LATER, R_PAST, R_GARBAGE, RETRIES };

static const char *const authzs[AUTHZS] = {"pending",     "processing", "valid",   "invalid",
                                           "deactivated", "expired",    "revoked", "unknown"};
static const char *const codes[CODES] = {"200", "201", "202", "204", "30x", "400", "401",
                                         "403", "404", "409", "429", "500", "503"};

/* The CA's clock is an hour ahead of ours: a date means what it says beside the answer's own Date. */
#define DATE "Date: Mon, 21 Sep 2026 15:13:20 GMT\r\n"
static const struct {
    const char *name, *line;
    int64_t seconds; /* what it means; -1: nothing */
} retries[RETRIES] = {
    {"none", "", -1},
    {"0", "Retry-After: 0\r\n", 0},
    {"3", "Retry-After: 3\r\n", 3},
    {"3600", "Retry-After: 3600\r\n", 3600},
    {"1e12", "Retry-After: 1000000000000\r\n", 1000000000000},
    {"negative", "Retry-After: -5\r\n", -1},
    {"later", "Retry-After: Mon, 21 Sep 2026 15:15:20 GMT\r\n", 120},
    {"past", "Retry-After: Mon, 21 Sep 2026 15:11:20 GMT\r\n", 0},
    {"garbage", "Retry-After: in a while\r\n", -1},
};

#define ANY     0xffffu
#define GOOD    (BIT(C_200) | BIT(C_201) | BIT(C_202))
#define REFUSED (BIT(C_400) | BIT(C_401) | BIT(C_403) | BIT(C_404) | BIT(C_409))
#define SHORT   (BIT(R_0) | BIT(R_3) | BIT(R_LATER) | BIT(R_PAST))
#define LONG    (BIT(R_3600) | BIT(R_1E12))
#define SILENT  (BIT(R_NONE) | BIT(R_NEGATIVE) | BIT(R_GARBAGE))
#define A_OPEN  (BIT(A_PENDING) | BIT(A_PROCESSING) | BIT(A_UNKNOWN))
#define A_BAD   (BIT(A_INVALID) | BIT(A_DEACTIVATED) | BIT(A_EXPIRED) | BIT(A_REVOKED))

/* The head of an answer of a cell. */
static inline void put_head(char *text, size_t cap, unsigned code, unsigned retry)
{
    const char *word = code != C_30X ? codes[code] : retry % 2 == 0 ? "301" : "302";
    snprintf(text, cap, "HTTP/1.1 %s Told\r\nContent-Type: application/json\r\n%s" DATE "%s", word,
             code == C_30X ? "Location: " CA_URL "/elsewhere\r\n" : "", retries[retry].line);
}

#endif
