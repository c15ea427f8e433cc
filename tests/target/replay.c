/* replay.c - plays what tests/dialogue recorded on the host: replay FILE. One TAP line a script; each of its runs in whole
 * pieces, and a byte at a time. */
#include <stdlib.h>

#include "tape.h"

#include "dialogue/outcome.h"

static struct engine e;
static struct ca_plan plan;
static struct engine_way way;
static const char *more[4];
static bool bytewise;
static unsigned keys_made;
static size_t work_len;
static struct {
    unsigned runs, requests, signatures;
} counts;

/* The recorded keys, one after the other. Most runs have the same two, so that reading them is saved. */
static int generate(void *handle, const struct acme_sys *sys)
{
    static struct {
        char pem[ACME_KEY_P256_RECORD_MAX + 1];
        struct acme_key_p256 key;
    } read[2];
    unsigned n = keys_made++ % 2;
    const char *pem = tape_text("key");

    (void)sys;
    if (strcmp(read[n].pem, pem) != 0) {
        assert_true(strlen(pem) < sizeof read[n].pem);
        assert_int_equal(acme_key_p256_ops.load(&read[n].key, pem, strlen(pem)), 0);
        strcpy(read[n].pem, pem);
    }
    *(struct acme_key_p256 *)handle = read[n].key;
    return 0;
}

/* The core's own, once for each key and digest. */
static int sign(void *handle, const uint8_t digest[32], uint8_t signature[64])
{
    static struct {
        uint8_t scalar[32], digest[32], signature[64];
    } made[8192];
    const struct acme_key_p256 *key = handle;
    unsigned slot = (unsigned)(digest[0] << 8 | digest[1]) % 8192;
    int error = 0;

    if (memcmp(made[slot].scalar, key->scalar, 32) != 0 || memcmp(made[slot].digest, digest, 32) != 0) {
        error = acme_key_p256_ops.sign(handle, digest, made[slot].signature);
        memcpy(made[slot].scalar, key->scalar, 32);
        memcpy(made[slot].digest, digest, 32);
        counts.signatures++;
    }
    memcpy(signature, made[slot].signature, 64);
    return error;
}

static const char *text_or_none(const char *word)
{
    const char *text = tape_text(word);
    return text[0] != '\0' ? text : NULL;
}

static void begun(struct engine *engine)
{
    assert_in_range(work_len, 1, sizeof engine->work);
    engine->setup.work_len = work_len;
    outcome_watch(engine);
}

static void set_up(struct acme_key_ops *keys)
{
    char *flag;

    memset(&plan, 0, sizeof plan);
    memset(&way, 0, sizeof way);
    way.unclean = strtol(tape_text("way"), &flag, 10) != 0;
    way.no_terms = strtol(flag, &flag, 10) != 0;
    way.judged = strtol(flag, &flag, 10) != 0;
    plan.mute = strtol(flag, &flag, 10) != 0;
    way.down_after = (unsigned)strtol(flag, &flag, 10);
    work_len = strtoul(flag, &flag, 10);
    plan.v1 = strtol(flag, &flag, 10) != 0;
    way.unanswered = strtol(flag, &flag, 10) != 0;
    way.finalized = strtol(flag, &flag, 10) != 0;
    way.known = strtol(flag, &flag, 10) != 0;
    way.optional = strtol(flag, &flag, 10) != 0;
    plan.ari = strtol(flag, &flag, 10) != 0;
    way.old_key = strtol(flag, &flag, 10) != 0;
    way.tidy = strtol(flag, NULL, 10) != 0;
    while (tape_is("name")) {
        plan.names[plan.name_count++] = tape_text("name");
    }
    while (tape_is("more")) {
        more[way.more_host_count++] = tape_text("more");
    }
    way.more_hosts = more;
    way.directory_url = text_or_none("directory");
    way.resumed = text_or_none("resumed");
    way.contact = text_or_none("contact");
    way.certid = text_or_none("certid");
    way.profile = text_or_none("profile");
    way.prefers = text_or_none("prefers");
    way.told = text_or_none("told");
    way.eab_kid = text_or_none("kid");
    way.eab_secret = text_or_none("secret");
    way.begun = begun;
    *keys = acme_key_p256_ops;
    keys->generate = generate;
    keys->sign = sign;
    way.keys = keys;
}

static void play(void **state)
{
    static struct acme_key_ops keys;
    const char *outcome;

    (void)state;
    tape_rewind();
    keys_made = 0;
    set_up(&keys);
    engine_run(&e, &plan, &way, bytewise);
    outcome = outcome_text(&e);
    tape_same("outcome", outcome, strlen(outcome));
    counts.runs++;
    counts.requests += e.ca.requests;
}

/* Plays the run that is in memory, both ways. Returns whether they are the same here. */
static bool run(void)
{
    bool good = true;

    for (int by_byte = 0; by_byte < 2; by_byte++) {
        bytewise = by_byte != 0;
        if (shim_try(play, NULL) != SHIM_PASSED) {
            printf("# %s%s\n", tape_name(), bytewise ? ", a byte at a time" : "");
            good = false;
        }
    }
    return good;
}

int main(int argc, char **argv)
{
    static char script[300];
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
    unsigned scripts = 0, failed = 0;
    bool good = true, more_runs = file != NULL && tape_next(file);

    while (more_runs) {
        size_t len = strcspn(tape_name(), " ");
        snprintf(script, sizeof script, "%.*s", (int)len, tape_name());
        good = run() && good;
        more_runs = tape_next(file);
        if (!more_runs || strncmp(script, tape_name(), len) != 0 || tape_name()[len] != ' ') {
            printf("%sok %u - %s\n", good ? "" : "not ", ++scripts, script);
            failed += !good;
            good = true;
        }
    }
    printf("1..%u\n# %u runs, %u requests, %u different signatures\n", scripts, counts.runs, counts.requests,
           counts.signatures);
    return failed > 0 || scripts == 0 || tape_broken;
}
