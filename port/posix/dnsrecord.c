/* dnsrecord.c - the verb `dns-record`: what an administrator puts into the DNS, once, for dns-persist-01. Nothing is written, and of the
 * CA only its directory is asked for. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "account.h"
#include "kept.h"
#include "program.h"
#include "reach.h"
#include "protocol/challenge_dnspersist01.h"
#include "wire/address.h"
#include "wire/date.h"
#include "wire/json.h"

#define STRING_MAX 255 /* of one string of a TXT record (RFC 1035, 3.3.14) */

static struct acme_run run;
static struct acme_account account;

/* Reads the account's record. Returns 0 or an exit code. */
static int read_account(const struct acme_config *c, struct acme_dnspersist01 *record)
{
    bool known = acme_account_read(&account, &run.store);

    record->account = account.url;
    record->thumbprint = account.thumbprint;
    if (!known) {
        acme_report_error("no account in %s yet, and the record names it: first run issue with --challenge "
                          "dns-persist-01, which makes the account and then fails for want of the record",
                          c->state);
        return ACME_EXIT_FAILED;
    }
    if (strcmp(account.directory, c->directory_url) != 0) {
        acme_report_error("the account in %s is one of %s, not of %s: --directory, or another --state", c->state,
                          account.directory, c->directory_url);
        return ACME_EXIT_FAILED;
    }
    return 0;
}

/* Reads what the directory says of records. Returns 0 or an exit code. */
static int read_directory(const struct acme_config *c, struct acme_dnspersist01 *record)
{
    static uint8_t tokens[16 * 1024];
    static struct acme_reached r;
    static char issuer[254];
    struct acme_json json;
    int error;

    acme_reach_ca(&run, &r);
    error = r.error != 0 ? r.error
            : r.http_status != 200 || !r.is_directory
                ? ACME_E_HTTP_STATUS
                : acme_json_parse(&json, (char *)run.work, r.bytes, tokens, sizeof tokens);
    if (error != 0) {
        acme_report_error("%s: %s; %s", c->directory_url, acme_error_text(error).meaning,
                          acme_error_text(error).cause);
        return ACME_EXIT_FAILED;
    }
    acme_json_value meta = acme_json_member(&json, 0, "meta");
    acme_json_value list = acme_json_member(&json, meta, "issuerDomainNames");
    list = list != ACME_JSON_NONE ? list : acme_json_member(&json, meta, "caaIdentities");
    record->hashed = acme_json_text(&json, meta, "accountHashPrefix");
    if (c->issuer != NULL) {
        const char *wrong = acme_check_name(issuer, c->issuer);
        if (wrong != NULL) {
            acme_report_error("--issuer %.260s: %s", c->issuer, wrong);
            return ACME_EXIT_USAGE;
        }
        acme_small_letters(issuer);
        record->issuer = acme_slice_of(issuer);
    } else if (acme_dnspersist01_issuers(&json, list, &record->issuer) == 0) {
        acme_report_error(
            "the CA's directory does not say by which name records are to call it%s: --issuer NAME, the "
            "one its documentation has for CAA records",
            list != ACME_JSON_NONE ? ", or says it wrongly" : "");
        return ACME_EXIT_FAILED;
    }
    return 0;
}

/* The last second of the day that was named. Returns 0 or an exit code. */
static int read_until(const struct acme_config *c, struct acme_dnspersist01 *record)
{
    char text[40];
    int64_t at, now = 0;

    if (c->until == NULL) {
        return 0;
    }
    (void)snprintf(text, sizeof text, "%.20sT23:59:59Z", c->until);
    at = acme_date_rfc3339(acme_slice_of(text));
    (void)acme_posix_sys.utc(acme_posix_sys.ctx, &now);
    if (at == ACME_DATE_NONE || at > UINT32_MAX || at <= now) {
        acme_report_error("--until %.40s: not a day to come, as 2027-12-31", c->until);
        return ACME_EXIT_USAGE;
    }
    record->until = (uint32_t)at;
    return 0;
}

/* As a line of a zone file; a text that is too long for one string is several, which are read as one. */
static void say(const struct acme_config *c, const char *name, struct acme_slice value)
{
    struct acme_out *o = acme_line();

    if (c->json) {
        char whole[300];
        (void)snprintf(whole, sizeof whole, "%s%s", ACME_DNSPERSIST01_LABEL, name);
        acme_line_object(o, "dns-record");
        acme_line_text(o, "name", acme_slice_of(whole));
        acme_line_text(o, "type", acme_slice_of("TXT"));
        acme_line_text(o, "value", value);
        acme_line_close(o);
    } else {
        acme_out_text(o, ACME_DNSPERSIST01_LABEL);
        acme_out_text(o, name);
        acme_out_text(o, ". IN TXT");
        while (value.len > 0) {
            size_t len = value.len < STRING_MAX ? value.len : STRING_MAX;
            acme_out_text(o, " \"");
            acme_out_bytes(o, value.at, len);
            acme_out_text(o, "\"");
            value = acme_slice(value.at + len, value.len - len);
        }
    }
    acme_line_end(STDOUT_FILENO);
}

/* One that is for all names below it is for itself too. */
static bool is_covered(const char *name)
{
    for (size_t i = 0; i < run.checked.name_count; i++) {
        const char *other = run.checked.names[i];
        if (strncmp(other, "*.", 2) == 0 && strcasecmp(other + 2, name) == 0) {
            return true;
        }
    }
    return false;
}

static int print(const struct acme_config *c, struct acme_dnspersist01 *record)
{
    char text[2 * ACME_URL_MAX + 512];

    for (size_t i = 0; i < run.checked.name_count; i++) {
        char name[254];
        struct acme_out o;
        int error;

        (void)snprintf(name, sizeof name, "%s", run.checked.names[i]);
        if (is_covered(name)) {
            continue;
        }
        record->wildcard = strncmp(name, "*.", 2) == 0;
        record->name = record->wildcard ? name + 2 : name;
        for (char *at = name; *at != '\0'; at++) { /* not acme_small_letters(): the star of a wildcard stays */
            *at = acme_lower(*at);
        }
        acme_out_init(&o, text, sizeof text);
        error = acme_dnspersist01_value(&o, record);
        if (error != 0 || o.overflow) {
            acme_report_error("the CA's URL of the account cannot stand in a record: %.300s", record->account);
            return ACME_EXIT_FAILED;
        }
        say(c, record->name, acme_slice(text, o.len));
    }
    return 0;
}

static int print_for(const struct acme_config *c)
{
    struct acme_dnspersist01 record;
    int code = acme_check(&run.checked, c, "dns-record");

    memset(&record, 0, sizeof record);
    for (size_t i = 0; code == 0 && i < run.checked.name_count; i++) {
        if (acme_is_address(run.checked.names[i])) {
            acme_report_error("%s is an address, which has no place in the DNS", run.checked.names[i]);
            code = ACME_EXIT_USAGE;
        }
    }
    code = code != 0 ? code : read_until(c, &record);
    code = code != 0 ? code : acme_run_roots(&run, c);
    if (code == 0) {
        acme_run_fill(&run, c);
        acme_catch_signals();
        code = read_account(c, &record);
    }
    code = code != 0 ? code : read_directory(c, &record);
    return code != 0 ? code : print(c, &record);
}

int acme_program_dns_record(const struct acme_config *config)
{
    static struct acme_config own;
    char name[254];
    int state;

    own = *config;
    own.pool_len = 0;
    state = acme_posix_folder(config->state, NULL);
    if (state >= 0 && own.names.count > 0 && acme_check_name(name, own.names.at[0]) == NULL) {
        acme_small_letters(name);
        if (acme_kept_read(&own, state, name) < 0) {
            acme_report_error("%s", own.error);
            return ACME_EXIT_CONFIG;
        }
    }
    return print_for(&own);
}
