/* URLs and names: whatever passes lies inside its text, makes it up again, and holds nothing that breaks a request line.
 * The input is two texts with a line end between them. */
#include "fuzz.h"

#include "wire/url.h"

static bool one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static bool letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static void check_host(const struct acme_url *url)
{
    MUST(url->host.len > 0 && url->host.len <= 253 && url->port != 0);
    for (size_t i = 0; i < url->host.len; i++) {
        char c = url->host.at[i];
        MUST(letter_or_digit(c) || one_of(c, url->is_address ? ":." : "-_."));
    }
}

static bool parse(struct acme_url *url, const char *text, size_t len)
{
    if (acme_url_parse(url, acme_slice(text, len)) != 0) {
        return false;
    }
    MUST(fuzz_inside(url->host.at, url->host.len, url->authority.at, url->authority.len));
    MUST(url->authority.at == text + (acme_url_is_plain(url) ? 7 : 8) &&
         url->target.at == url->authority.at + url->authority.len);
    MUST(url->target.at + url->target.len == text + len);
    MUST(url->target.len == 0 || url->target.at[0] == '/' || url->target.at[0] == '?');
    for (size_t i = 0; i < len; i++) {
        MUST(text[i] > ' ' && text[i] <= '~' && !one_of(text[i], "\"#<>\\^`{|}"));
        MUST(text[i] != '@' || text + i >= url->target.at);
    }
    check_host(url);
    MUST(acme_url_same_origin(url, url));
    return true;
}

/* The rule as url.h tells it. */
static bool name_ok(const char *text, size_t len)
{
    size_t label = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '.') {
            if (label == 0 || text[i - 1] == '-') {
                return false;
            }
            label = 0;
            continue;
        }
        if ((!letter_or_digit(text[i]) && text[i] != '-') || (label == 0 && text[i] == '-') || ++label > 63) {
            return false;
        }
    }
    char last[64] = "";
    memcpy(last, text + len - label, label);
    bool hex = last[0] == '0' && (last[1] | 0x20) == 'x';
    bool number = hex ? strspn(last + 2, "0123456789abcdefABCDEF") == label - 2 : strspn(last, "0123456789") == label;
    return len <= 253 && label > 0 && text[len - 1] != '-' && !number;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct fuzz_memory memory[3];
    struct acme_url a, b;

    if (len > FUZZ_LEN_MAX - 1) {
        return 0;
    }
    const uint8_t *line = len > 0 ? memchr(data, '\n', len) : NULL;
    size_t first = line != NULL ? (size_t)(line - data) : len;
    size_t second = line != NULL ? len - first - 1 : 0;
    const char *one = fuzz_copy(&memory[0], data, first);
    const char *two = fuzz_copy(&memory[1], data + len - second, second);
    char *whole = fuzz_room(&memory[2], second + 1); /* the second with a NUL */

    memcpy(whole, two, second);
    whole[second] = '\0';
    MUST(acme_dns_name_ok(acme_slice(two, second)) == name_ok(two, second));
    bool one_ok = parse(&a, one, first), two_ok = parse(&b, two, second);
    if (one_ok && two_ok) {
        MUST(acme_url_same_origin(&a, &b) == acme_url_same_origin(&b, &a));
        MUST(!acme_url_same_origin(&a, &b) || (a.port == b.port && a.host.len == b.host.len));
    }
    if (one_ok) {
        (void)acme_url_at(&a, whole);
    }
    if (one_ok && two_ok) {
        char *authority = fuzz_room(&memory[2], b.authority.len + 1);
        memcpy(authority, b.authority.at, b.authority.len);
        authority[b.authority.len] = '\0';
        if (acme_url_is_plain(&a) == acme_url_is_plain(&b)) { /* whose standard port counts when none is written */
            MUST(acme_url_at(&a, authority) == acme_url_same_origin(&a, &b));
        }
    }
    return 0;
}
