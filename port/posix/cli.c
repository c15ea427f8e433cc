/* cli.c - verbs and flags. */
#define _GNU_SOURCE 1
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "program.h"
#include "report.h"

static const struct verb {
    const char *word, *names, *help;
    int (*run)(const struct acme_config *config);
} verbs[] = {
    {"issue", "NAME...", "get a certificate for the names, or renew a due one", acme_program_issue},
    {"renew", "[NAME...]", "renew what is due, each as it was issued", acme_program_renew},
    {"daemon", "", "keep all certificates renewed, for ever", acme_program_daemon},
    {"check", "[NAME...]", "try what a certificate needs, and ask for none", acme_program_check},
    {"dns-record", "NAME...", "print the record to put into the DNS for dns-persist-01", acme_program_dns_record},
    {"status", "[NAME...]", "show the certificates in the state directory", acme_program_status},
#if ACME_CFG_MANAGE
    {"revoke", "NAME", "revoke the certificate that is stored under the name", acme_program_revoke},
    {"account", "[update]", "show the account, or tell the CA its contacts anew", acme_program_account},
    {"change-key", "", "give the account a new key", acme_program_change_key},
    {"deactivate", "", "end the account for good; wants --yes", acme_program_deactivate},
#endif
    {"remove", "NAME", "take a certificate away; wants --yes", acme_program_remove},
    {"version", "", "show the version", acme_program_version},
};

static bool as_json;

/* A line of the help. */
static void say_text(const char *text)
{
    struct acme_out *o = acme_line();
    if (as_json) {
        acme_line_object(o, "help");
        acme_line_text(o, "text", acme_slice_of(text));
        acme_line_close(o);
    } else {
        acme_out_text(o, text);
    }
    acme_line_end(STDOUT_FILENO);
}

static void say_line(const char *a, const char *b, const char *c)
{
    char left[64];
    char text[192];
    (void)snprintf(left, sizeof left, "%s%s%s", a, b != NULL ? " " : "", b != NULL ? b : "");
    (void)snprintf(text, sizeof text, "  %-23s %s", left, c);
    say_text(text);
}

static void say_flags(bool in_file)
{
    for (unsigned i = 0; i < ACME_KEY_COUNT; i++) {
        enum acme_config_key key = (enum acme_config_key)i;
        if (acme_config_help(key, in_file) != NULL) {
            say_line(acme_config_flag_name(key), acme_config_argument(key), acme_config_help(key, in_file));
        }
    }
}

static int say_help(void)
{
    say_text("usage: nanoacme [-c FILE] [FLAG...] VERB [NAME...]");
    say_text("verbs:");
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        say_line(verbs[i].word, verbs[i].names, verbs[i].help);
    }
    say_text("flags that are keys of the config file too:");
    say_flags(true);
    say_text("flags for the command line only:");
    say_flags(false);
    say_line("-c", "FILE", "the config file");
    say_line("-h,", "--help", "this text; man nanoacme has more");
    say_line("--version", NULL, "as the verb");
    say_text("exit: 0 new certificate, or done; 1 failed; 2 nothing to do; 64 usage; 78 config");
    return 0;
}

int acme_program_version(const struct acme_config *config)
{
    struct acme_out *o = acme_line();
    if (config->json) {
        acme_line_object(o, "version");
        acme_line_text(o, "version", acme_slice_of(ACME_VERSION));
        acme_line_close(o);
    } else {
        acme_out_text(o, "nanoacme " ACME_VERSION);
    }
    acme_line_end(STDOUT_FILENO);
    return 0;
}

static int usage(const char *what, const char *text)
{
    acme_report_error("%s%s; see nanoacme --help", what, text);
    return ACME_EXIT_USAGE;
}

/* What stands on the command line. */
struct words {
    int argc, at;
    char **argv;
    const struct verb *verb;
    const char *file;
    bool version, help, only_names;
};

/* Takes the flag at w->at and its value. */
static int take_flag(struct acme_config *c, struct words *w)
{
    const char *flag = w->argv[w->at];
    const char *equals = strncmp(flag, "--", 2) == 0 ? strchr(flag, '=') : NULL;
    size_t len = equals != NULL ? (size_t)(equals - flag) : strlen(flag);
    enum acme_config_key key = acme_config_flag(flag, len);
    bool file = strcmp(flag, "-c") == 0;
    const char *value = equals != NULL ? equals + 1 : NULL;

    if (!file && key == ACME_KEY_COUNT) {
        return usage("unknown flag ", flag);
    }
    if ((file || acme_config_argument(key) != NULL) && value == NULL && w->at + 1 < w->argc) {
        value = w->argv[++w->at];
    } else if (!file && acme_config_argument(key) == NULL && value != NULL) {
        return usage("no value belongs to ", acme_config_flag_name(key));
    }
    if (file) {
        w->file = value;
        return value != NULL ? 0 : usage("-c needs a value", "");
    }
    return acme_config_take(c, key, value) == 0 ? 0 : usage(c->error, "");
}

static int take_word(struct acme_config *c, struct words *w)
{
    const char *word = w->argv[w->at];

    if (!w->only_names && word[0] == '-') {
        w->only_names = strcmp(word, "--") == 0;
        w->version = w->version || strcmp(word, "--version") == 0;
        w->help = w->help || strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0;
        return w->only_names || w->version || w->help ? 0 : take_flag(c, w);
    }
    if (w->verb != NULL) {
        return acme_config_take(c, ACME_KEY_NAMES, word) == 0 ? 0 : usage(c->error, "");
    }
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(verbs[i].word, word) == 0) {
            w->verb = &verbs[i];
            return 0;
        }
    }
    return usage("unknown verb ", word);
}

/* Whether one of the words is --json: what is wrong before it is read has to be told that way too. */
static bool wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            return true;
        }
    }
    return false;
}

static int given_count;
static char **given;

static int configure(struct acme_config *config, struct words *w);

static int configure_again(struct acme_config *config)
{
    struct words w = {.argc = given_count, .at = 1, .argv = given};
    return configure(config, &w);
}

/* Flags, then the config file, then both. Returns 0 or an exit code; the messages have been given. */
static int configure(struct acme_config *config, struct words *w)
{
    int code = 0;

    acme_config_init(config);
    config->again = configure_again;
    for (; code == 0 && w->at < w->argc; w->at++) {
        code = take_word(config, w);
    }
    if (code != 0 || w->help || w->version) {
        return code;
    }
    if (w->verb == NULL) {
        return usage("a verb is missing", "");
    }
    if (w->verb->names[0] == '\0' && config->names.count > 0) {
        return usage(w->verb->word, " takes no names");
    }
    if (strcmp(w->verb->names, "NAME") == 0 && config->names.count > 1) {
        return usage(w->verb->word, " takes one NAME, the first of the certificate");
    }
    code = w->file != NULL ? acme_config_read(config, w->file) : 0;
    code = code != 0 ? code : acme_config_check(config);
    if (code != 0) {
        acme_report_error("%s", config->error);
    }
    return code;
}

static int run(struct acme_config *config, int argc, char **argv)
{
    struct words w = {.argc = argc, .at = 1, .argv = argv};
    int code = configure(config, &w);

    given_count = argc;
    given = argv;
    return code != 0 ? code : w.help ? say_help() : w.version ? acme_program_version(config) : w.verb->run(config);
}

int acme_program_run(struct acme_config *config, int argc, char **argv)
{
    as_json = wants_json(argc, argv);
    int code = run(config, argc, argv);
    if (as_json) {
        acme_line_way_out(code == ACME_EXIT_NEW ? "done" : code == ACME_EXIT_CURRENT ? "current" : "failed");
    }
    return code;
}
