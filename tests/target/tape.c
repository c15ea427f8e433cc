/* tape.c - see tape.h. */
#include "tape.h"

#include <stdlib.h>

#include <cmocka.h>

#define RUN_MAX 2000000

bool tape_broken;

static char run[RUN_MAX + 1], name[1000];
static size_t run_len, at;

bool tape_next(FILE *file)
{
    char line[sizeof name + 40], *end;

    if (fgets(line, sizeof line, file) == NULL) {
        return false;
    }
    tape_broken = strncmp(line, "run ", 4) != 0;
    run_len = tape_broken ? 0 : strtoul(line + 4, &end, 10);
    tape_broken = tape_broken || run_len > RUN_MAX || fread(run, 1, run_len, file) != run_len;
    if (tape_broken) {
        return false;
    }
    run[run_len] = '\0';
    at = 0;
    strcpy(name, end + 1);
    name[strcspn(name, "\n")] = '\0';
    return true;
}

const char *tape_name(void)
{
    return name;
}

void tape_rewind(void)
{
    at = 0;
}

bool tape_is(const char *word)
{
    size_t len = strlen(word);
    return at + len < run_len && memcmp(run + at, word, len) == 0 && run[at + len] == ' ';
}

struct acme_slice tape_take(const char *word)
{
    char *data;
    size_t len;

    if (!tape_is(word)) {
        fail_msg("%s here, and on the host %.*s", word, (int)strcspn(run + at, "\n"), run + at);
    }
    len = strtoul(run + at + strlen(word) + 1, &data, 10);
    at = (size_t)(data + 1 - run) + len + 1;
    assert_true(at <= run_len);
    return acme_slice(data + 1, len);
}

/* Every item has a line end behind it. */
char *tape_text(const char *word)
{
    struct acme_slice text = tape_take(word);
    char *start = run + (text.at - run);
    start[text.len] = '\0';
    return start;
}

/* From a little before the first difference on. */
static void differ(const char *word, struct acme_slice want, const char *data, size_t len)
{
    size_t i = 0, from;

    while (i < want.len && i < len && want.at[i] == data[i]) {
        i++;
    }
    from = i > 40 ? i - 40 : 0;
    fail_msg("%s differs at byte %u; host: ...%.*s...; here: ...%.*s...", word, (unsigned)i,
             (int)(want.len - from > 80 ? 80 : want.len - from), want.at + from,
             (int)(len - from > 80 ? 80 : len - from), data + from);
}

void tape_same(const char *word, const char *data, size_t len)
{
    struct acme_slice want = tape_take(word);

    if (want.len != len || memcmp(want.at, data, len) != 0) {
        differ(word, want, data, len);
    }
}
