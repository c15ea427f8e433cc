/* Plays the scripts: all of tests/dialogue and tests/regress, or those named on the command line. */
#include "player.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

#define SCRIPTS_MAX 500

static struct script script;
static bool failing, covered[100];

static void play(void **state)
{
    failing = true;
    if (!script_load(&script, *state, NULL)) {
        fail_msg("%s", script.error);
    }
    for (size_t i = 0; i < sizeof covered / sizeof covered[0]; i++) {
        covered[i] = covered[i] || script.covers[i];
    }
    player_play(&script);
    failing = false;
}

static int tell(void **state)
{
    if (failing) {
        player_tell(&script);
    }
    failing = false;
    return 0;
}

/* folder/NN-name.dialogue is called folder/NN-name, without tests/. */
static const char *name_of(const char *path)
{
    static char names[SCRIPTS_MAX][120];
    static unsigned count;
    char *name = names[count++];
    snprintf(name, sizeof names[0], "%s", strncmp(path, "tests/", 6) == 0 ? path + 6 : path);
    name[strcspn(name, ".")] = '\0';
    return name;
}

int main(int argc, char **argv)
{
    static const char *const patterns[] = {"tests/dialogue/*.dialogue", "tests/dialogue/*/*.dialogue",
                                           "tests/regress/*.dialogue"};
    static struct CMUnitTest tests[SCRIPTS_MAX];
    glob_t found = {0};
    size_t n = 0;
    for (size_t i = 0; argc == 1 && i < sizeof patterns / sizeof patterns[0]; i++) {
        (void)glob(patterns[i], i > 0 ? GLOB_APPEND : 0, NULL, &found);
    }
    char **paths = argc > 1 ? argv + 1 : found.gl_pathv;
    for (; paths != NULL && paths[n] != NULL && n < SCRIPTS_MAX; n++) {
        tests[n] = (struct CMUnitTest){name_of(paths[n]), play, NULL, tell, paths[n]};
    }
    if (n == 0 || n == SCRIPTS_MAX) {
        printf("not ok - %zu scripts: start it where tests/ lies\n", n);
        return 1;
    }
    int failed = _cmocka_run_group_tests("dialogues", tests, n, NULL, NULL);
    printf("# %u runs, %lu answers and requests cut in two\n", player_counts.runs, player_counts.splits);
    printf("# behaviours:");
    for (unsigned i = 0; i < sizeof covered / sizeof covered[0]; i++) {
        if (covered[i]) {
            printf(" %u", i);
        }
    }
    printf("\n");
    globfree(&found);
    return failed;
}
