/* Plays recordings: those of tests/dialogue/boulder-2016, or the files named on the command line. */
#include "replay.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "script.h"

#define FILES_MAX 100

static struct recording recording;

static void load(const char *path)
{
    if (!recording_load(&recording, path)) {
        fail_msg("%s", recording.error);
    }
}

/* "certificate 5, ACME_E_PROBLEM 2" */
static const char *ends(const struct replay_sum *sum)
{
    static char text[2000];
    size_t at = (size_t)snprintf(text, sizeof text, "certificate %u", sum->certificates);
    at += sum->done == 0 ? 0 : (size_t)snprintf(text + at, sizeof text - at, ", done %u", sum->done);
    for (int i = 0; i < 256; i++) {
        if (sum->error[i] > 0) {
            at += (size_t)snprintf(text + at, sizeof text - at, ", %s %u", script_error(-i), sum->error[i]);
        }
    }
    return text;
}

/* What is known of the recordings of the folder: else nobody would see it if no recorded answer were given any more. */
static void compare(const struct replay_sum *sum)
{
    static const struct {
        const char *name;
        unsigned ours, certificates, done;
    } known[] = {{"01-directory-and-transport", 2, 1, 0},
                 {"02-registration", 8, 6, 0},
                 {"03-issuance-happy", 15, 1, 0},
                 {"04-new-cert-before-valid", 10, 1, 0},
                 {"06-new-cert-and-csr", 12, 2, 0},
                 {"07-nonce-and-malformed", 11, 0, 0},
                 {"08-rate-limits", 21, 5, 0},
                 {"09-revoke", 17, 2, 4},
                 {"11-identifier-policy", 14, 1, 0},
                 {"account-and-key", 17, 2, 4},
                 {"challenge-fails", 22, 1, 0},
                 {"reuse-and-large", 11, 1, 0},
                 {"stalled", 15, 1, 0}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].name, recording.name) == 0) {
            assert_int_equal(sum->ours, known[i].ours);
            assert_int_equal(sum->certificates, known[i].certificates);
            assert_int_equal(sum->done, known[i].done);
        }
    }
}

static void stories(void **state)
{
    struct replay_sum sum = {0};
    load(*state);
    replay_stories(&recording, &sum);
    print_message(
        "# %s: %u exchanges, %u ours, %u not ours, %u other lines; %u stories with %u answers between: %s\n",
        recording.name, recording.count, sum.ours, recording.count - sum.ours, recording.other_lines, sum.runs,
        sum.own_answers, ends(&sum));
    compare(&sum);
}

static void answers(void **state, enum replay_how how)
{
    struct replay_sum sum = {0};
    load(*state);
    replay_answers(&recording, how, &sum);
    print_message("# %s: %u answers %s: %s; at most %u requests and %u minutes\n", recording.name, sum.runs,
                  how == REPLAY_ONCE ? "once" : "for ever", ends(&sum), sum.requests_most, sum.minutes_most);
}

static void once(void **state)
{
    answers(state, REPLAY_ONCE);
}

static void for_ever(void **state)
{
    answers(state, REPLAY_EVER);
}

/* The server of the thread this project began with: 403 at each new-cert before its body says valid, then 201. */
static void thread_of_2016(void **state)
{
    struct replay_sum sum = {0};
    load(*state);
    replay_stories(&recording, &sum);
    assert_int_equal(sum.early, 5); /* four too early, one for names that nobody had authorized */
    assert_int_equal(sum.new_certs, 1);
    assert_int_equal(sum.runs, 1);
    assert_int_equal(sum.certificates, 1);
}

static int end(void **state)
{
    replay_tell();
    recording_free(&recording);
    return 0;
}

static struct CMUnitTest tests[4 * FILES_MAX];
static size_t test_count;

/* 03-issuance-happy.jsonl gives "03-issuance-happy: as a story", ... */
static void add(const char *path, const char *what, CMUnitTestFunction function)
{
    static char names[4 * FILES_MAX][160];
    const char *slash = strrchr(path, '/');
    const char *file = slash != NULL ? slash + 1 : path;
    snprintf(names[test_count], sizeof names[0], "%.*s: %s", (int)strcspn(file, "."), file, what);
    tests[test_count] = (struct CMUnitTest){names[test_count], function, NULL, end, (void *)(uintptr_t)path};
    test_count++;
}

int main(int argc, char **argv)
{
    static const char *const patterns[] = {"tests/dialogue/boulder-2016/*.jsonl",
                                           "tests/dialogue/boulder-2016/made/*.jsonl"};
    glob_t found = {0};
    size_t n = 0;
    for (size_t i = 0; argc == 1 && i < sizeof patterns / sizeof patterns[0]; i++) {
        (void)glob(patterns[i], i > 0 ? GLOB_APPEND : 0, NULL, &found);
    }
    char **paths = argc > 1 ? argv + 1 : found.gl_pathv;
    for (; paths != NULL && paths[n] != NULL && n < FILES_MAX; n++) {
        add(paths[n], "as a story", stories);
        add(paths[n], "each answer once", once);
        add(paths[n], "each answer for ever", for_ever);
        if (argc == 1 && strstr(paths[n], "/04-new-cert-before-valid.") != NULL) {
            add(paths[n], "the client never sends the early new-cert", thread_of_2016);
        }
    }
    if (n == 0 || n == FILES_MAX) {
        printf("not ok - %zu recordings: start it where tests/ lies\n", n);
        return 1;
    }
    int failed = _cmocka_run_group_tests("recordings", tests, test_count, NULL, NULL);
    globfree(&found);
    return failed;
}
