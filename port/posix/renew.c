/* renew.c - the verb `renew`, for one certificate or for all there are. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "adopt.h"
#include "check.h"
#include "child.h"
#include "due.h"
#include "kept.h"
#include "look.h"
#include "program.h"
#include "renew.h"

static uint64_t bit(enum acme_config_key key)
{
    return (uint64_t)1 << key;
}

bool acme_renew_by_file(const struct acme_config *config, char name[254])
{
    bool named = (config->in_file & ~config->by_flag & bit(ACME_KEY_NAMES)) != 0 && config->names.count > 0 &&
                 acme_check_name(name, config->names.at[0]) == NULL;
    if (named) {
        acme_small_letters(name);
    }
    return named;
}

static struct acme_look look;

/* Names of the pair in use, the certificate's own name first. Returns false when there is no pair that can be read. */
static bool names_of_pair(struct acme_config *own, const char *name)
{
    static char texts[ACME_NAMES_MAX][254];
    struct acme_der names, each;
    uint8_t tag;

    acme_look(&look, own, name);
    names = look.leaf.names;
    (void)snprintf(texts[0], sizeof texts[0], "%s", name);
    own->names.count = 1;
    own->names.at[0] = texts[0];
    while (look.wrong == NULL && acme_der_next(&names, &tag, &each)) {
        size_t n = own->names.count;
        if (tag == ACME_DER_IP_ADDRESS && n < ACME_NAMES_MAX && n < ACME_CONFIG_WORDS) {
            acme_address_text(each.at, each.len, texts[n]);
            if (texts[n][0] != '\0' && strcmp(texts[n], name) != 0) {
                own->names.at[own->names.count++] = texts[n];
            }
        }
        if (tag == ACME_DER_DNS_NAME && each.len < sizeof texts[0] && n < ACME_NAMES_MAX && n < ACME_CONFIG_WORDS &&
            !acme_slice_is_word(acme_slice((const char *)each.at, each.len), name)) {
            (void)snprintf(texts[n], sizeof texts[n], "%.*s", (int)each.len, (const char *)each.at);
            own->names.at[own->names.count++] = texts[n];
        }
    }
    return look.wrong == NULL;
}

int acme_renew_setup(struct acme_config *own, const struct acme_config *base, int state, const char *name, int *keep)
{
    char by_file[254];
    bool in_file = acme_renew_by_file(base, by_file) && strcmp(by_file, name) == 0;
    int kept;

    *own = *base;
    own->pool_len = 0;
    if (!in_file) { /* of another certificate, or the word that chose this one */
        own->names.count = 0;
        own->by_flag &= ~bit(ACME_KEY_NAMES);
        own->in_file &= ~bit(ACME_KEY_NAMES);
    }
    kept = state >= 0 ? acme_kept_read(own, state, name) : 0;
    if (kept < 0) {
        acme_report_error("%s", own->error);
        return ACME_EXIT_CONFIG;
    }
    *keep =
        in_file ? ACME_KEEPS_ALL : ACME_KEEPS_NEW; /* what counts more in one run is kept when it has proved itself */
    if (kept > 0 || in_file) {
        return 0;
    }
    if (!names_of_pair(own, name)) {
        acme_report_error("there is no certificate, and no setup is kept for one: issue it");
        return ACME_EXIT_CURRENT;
    }
    if (((own->by_flag | own->in_file) & bit(ACME_KEY_DIRECTORY_URL)) == 0 && acme_due_other(&look, own)) {
        acme_report_error(
            "its setup is lost, and it was issued with another than flags and -c say: issue it once more with "
            "its own");
        return ACME_EXIT_CONFIG;
    }
    if (!own->quiet) {
        acme_report_error(
            "no setup is kept beside it, as by an earlier nanoacme: it goes by the flags and -c alone; issue "
            "it once more with its own, and they are kept");
    }
    return 0;
}

static int renew(const struct acme_config *base, int state, const char *name, const char *about)
{
    static struct acme_config own;
    int keep = ACME_KEEPS_NOTHING;
    int code = acme_renew_setup(&own, base, state, name, &keep);
    struct acme_run_how how = {
        .when = own.force ? ACME_NOW : ACME_KEEP, .verb = "renew", .about = about, .once = true};

    if (code != 0) {
        return code;
    }
    how.keep = keep == ACME_KEEPS_ALL ? ACME_KEEPS_ALL : ACME_KEEPS_NEW;
    return acme_run_or_try(&own, &how);
}

int acme_renew_work(void *job)
{
    const struct acme_renew_job *j = job;
    acme_line_about(j->name);
    return renew(j->base, j->state, j->name, j->name);
}

/* The worst of all: a failure, then something new, then nothing due. */
static int worse(int a, int b)
{
    b = b == ACME_EXIT_NEW || b == ACME_EXIT_CURRENT ? b : ACME_EXIT_FAILED;
    return a == ACME_EXIT_FAILED || b == ACME_EXIT_FAILED ? ACME_EXIT_FAILED
           : a == ACME_EXIT_NEW || b == ACME_EXIT_NEW     ? ACME_EXIT_NEW
                                                          : ACME_EXIT_CURRENT;
}

/* Does the work on one certificate in a process of its own and waits for it. */
static int do_apart(const struct acme_renew_job *job, int (*work)(void *job))
{
    pid_t child = acme_child_start(work, (void *)(uintptr_t)job);
    bool told = false;
    int code;

    if (child < 0) {
        acme_report_error("%s: cannot start a process: %s", job->name, strerror(errno));
        return ACME_EXIT_FAILED;
    }
    while (!acme_child_ended(child, &code)) {
        if (acme_child_stop && !told) {
            (void)kill(child, SIGTERM);
            told = true;
        }
        acme_child_pause(60000);
    }
    if (code > 128) {
        acme_report_error("%s: ended by signal %d", job->name, code - 128);
    }
    return code;
}

int acme_renew_each(const struct acme_config *config, const struct acme_list *list, int (*work)(void *job))
{
    int code = ACME_EXIT_CURRENT;

    acme_child_begin(false);
    for (size_t i = 0; i < list->count && !acme_child_stop; i++) {
        const struct acme_renew_job job = {.base = config, .name = acme_list_name(list, i), .state = list->folder};
        code = worse(code, do_apart(&job, work));
    }
    if (list->more) {
        acme_report_error("more than %zu certificates in %s: name them", list->count, config->state);
    }
    return acme_child_stop || list->more ? ACME_EXIT_FAILED : code;
}

/* The names on the command line, each a certificate. Returns 0 or an exit code. */
static int list_named(const struct acme_config *config, struct acme_list *list)
{
    char name[254];

    list->folder = acme_posix_folder(config->state, NULL);
    for (size_t i = 0; i < config->names.count; i++) {
        int code = acme_check_stored(name, config->names.at[i]);
        if (code != 0) {
            return code;
        }
        acme_list_add(list, name);
    }
    return 0;
}

int acme_program_renew(const struct acme_config *config)
{
    static struct acme_list list;
    char name[254];
    int code;

    if ((config->by_flag & bit(ACME_KEY_NAMES)) != 0) {
        code = list_named(config, &list);
        return code != 0         ? code
               : list.count == 1 ? renew(config, list.folder, acme_list_name(&list, 0), NULL)
                                 : acme_renew_each(config, &list, acme_renew_work);
    }
    code = acme_list_open(&list, config->state);
    if (code != 0 && code != ENOENT) {
        acme_report_error("cannot read %s: %s", config->state, strerror(code));
        return ACME_EXIT_FAILED;
    }
    if (acme_renew_by_file(config, name)) {
        acme_list_add(&list, name);
    }
    if (list.count == 0 && !config->quiet) {
        acme_report_error("no certificates in %s", config->state);
    }
    return acme_renew_each(config, &list, acme_renew_work);
}
