/* record.c - see record.h. A run is a line "run LENGTH NAME" and LENGTH bytes of items; an item is a line "WORD LENGTH",
 * LENGTH bytes and a line end. tests/target/README.md lists the words. */
#include "record.h"
#include "outcome.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *run; /* into memory */
static char *items;
static size_t items_len;
static char name[1000];

bool record_wanted(void)
{
    return getenv("RECORD") != NULL;
}

static void put(const char *word, const void *data, size_t len)
{
    fprintf(run, "%s %zu\n", word, len);
    fwrite(data, 1, len, run);
    fputc('\n', run);
}

static void put_text(const char *word, const char *text)
{
    put(word, text, strlen(text));
}

/* Signatures as the core makes them, for the bytes have to be the same everywhere; remembered, for runs are alike. */
static int sign(void *handle, const uint8_t digest[32], uint8_t signature[64])
{
    static struct {
        uint8_t scalar[32], digest[32], signature[64];
    } made[16384];
    const struct acme_key_p256 *key = handle;
    unsigned slot = (unsigned)(digest[0] << 8 | digest[1]) % 16384;
    int error = 0;
    if (memcmp(made[slot].scalar, key->scalar, 32) != 0 || memcmp(made[slot].digest, digest, 32) != 0) {
        error = acme_key_p256_ops.sign(handle, digest, made[slot].signature);
        memcpy(made[slot].scalar, key->scalar, 32);
        memcpy(made[slot].digest, digest, 32);
    }
    memcpy(signature, made[slot].signature, 64);
    return error;
}

static void put_key(struct acme_key_p256 *key)
{
    char pem[ACME_KEY_P256_RECORD_MAX];
    int len = acme_key_p256_ops.save(key, pem, sizeof pem);
    assert_true(len > 0);
    put("key", pem, (size_t)len);
}

static void begun(struct engine *e)
{
    const struct engine_way *w = e->way;
    char flags[80];
    snprintf(flags, sizeof flags, "%d %d %d %d %u %zu %d %d %d %d %d %d %d %d", w->unclean, w->no_terms, w->judged,
             e->ca.plan->mute, w->down_after, e->setup.work_len, e->ca.plan->v1, w->unanswered, w->finalized,
             w->known, w->optional, e->ca.plan->ari, w->old_key, w->tidy);
    put_text("way", flags);
    for (size_t i = 0; i < e->setup.name_count; i++) {
        put_text("name", e->setup.names[i]);
    }
    for (size_t i = 0; i < w->more_host_count; i++) {
        put_text("more", w->more_hosts[i]);
    }
    put_text("directory", w->directory_url != NULL ? w->directory_url : "");
    put_text("resumed", w->resumed != NULL ? w->resumed : "");
    put_text("contact", w->contact != NULL ? w->contact : "");
    put_text("certid", w->certid != NULL ? w->certid : "");
    put_text("profile", w->profile != NULL ? w->profile : "");
    put_text("prefers", w->prefers != NULL ? w->prefers : "");
    put_text("told", w->told != NULL ? w->told : "");
    put_text("kid", w->eab_kid != NULL ? w->eab_kid : "");
    put_text("secret", w->eab_secret != NULL ? w->eab_secret : "");
    put_key(&e->account);
    put_key(&e->certificate);
    outcome_watch(e);
}

static void asked(struct engine *e)
{
    char end[40];
    put_text("host", e->host);
    put_text("shown", e->ca.published != NULL ? e->ca.published : "");
    put("request", e->request, e->request_len);
    put("answer", e->answer.at, e->answer.len);
    snprintf(end, sizeof end, "%d %d", (int)e->ca.last, e->answer.close);
    put_text("end", end);
}

void record_begin(struct script *s, struct acme_key_ops *keys, bool write)
{
    keys->sign = sign;
    s->way.begun = write ? begun : NULL;
    s->way.asked = write ? asked : NULL;
    if (write) {
        snprintf(name, sizeof name, "%s %s", s->path, s->variant);
        name[strcspn(name, "\n")] = '\0';
        run = open_memstream(&items, &items_len);
        assert_non_null(run);
    }
}

void record_end(const struct engine *e)
{
    static FILE *file;
    put_text("outcome", outcome_text(e));
    fclose(run);
    if (file == NULL) {
        file = fopen(getenv("RECORD"), "w");
    }
    assert_non_null(file);
    fprintf(file, "run %zu %s\n", items_len, name);
    assert_int_equal(fwrite(items, 1, items_len, file), items_len);
    assert_int_equal(fflush(file), 0);
    free(items);
}
