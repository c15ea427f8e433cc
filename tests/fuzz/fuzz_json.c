/* JSON documents: what the checker lets through, every accessor must be able to walk. */
#include <stdlib.h>

#include "acme_error.h"
#include "protocol/problem.h"
#include "protocol/resource.h"
#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void look(struct acme_json *json, acme_json_value value, size_t len)
{
    static const char *const names[] = {"status", "url", "a", "", "error"};
    struct acme_slice text = acme_json_string(json, value);

    if (text.len > 0 && (text.at < json->text || text.at + text.len > json->text + len)) {
        abort();
    }
    (void)acme_json_number(json, value);
    (void)acme_json_true(json, value);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        acme_json_value member = acme_json_member(json, value, names[i]);
        if (member != ACME_JSON_NONE && (member <= value || member >= json->count)) {
            abort();
        }
    }
    acme_json_value last = value;
    for (acme_json_value at = acme_json_first(json, value); at != ACME_JSON_NONE;
         at = acme_json_next(json, value, at)) {
        if (at <= last) {
            abort(); /* must go forward, or a loop over a list never ends */
        }
        last = at;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct acme_json json;
    struct acme_hosts hosts = {.more = NULL};
    struct acme_directory directory;
    struct acme_meta meta;
    struct acme_authz authz;
    struct acme_problem problem;

    if (len < 1) {
        return 0;
    }
    size_t room = (size_t)data[0] * 16;
    char *text = malloc(len + room);
    memcpy(text, data + 1, len - 1);
    if (acme_json_parse(&json, text, len - 1, text + len - 1, room) == 0) {
        struct acme_order *order = calloc(1, sizeof *order);
        for (acme_json_value at = ACME_JSON_NONE; at <= json.count; at++) {
            look(&json, at, len - 1);
        }
        (void)acme_url_parse(&hosts.directory, acme_slice_of("https://a/"));
        (void)acme_directory_read(&directory, &meta, &json, &hosts);
        (void)acme_order_read(order, &json, &hosts);
        (void)acme_authz_read(&authz, &json, "http-01");
        acme_problem_read(&problem, &json, 0, 400);
        free(order);
    }
    free(text);
    return 0;
}
