/* link.c - see link.h. */
#include "link.h"

#if ACME_CFG_V1

/* The relation that parameters such as `;rel="up"` tell. */
static enum acme_rel rel_of(struct acme_slice parameters)
{
    while (parameters.len > 0) {
        struct acme_slice value = acme_slice_cut(&parameters, ';');
        struct acme_slice name = acme_slice_cut(&value, '=');
        acme_slice_trim(&name);
        if (!acme_slice_is_word(name, "rel")) {
            continue;
        }
        value = acme_slice_cut(&value, ','); /* where another link begins */
        acme_slice_trim(&value);
        if (value.len >= 2 && value.at[0] == '"') {
            value = acme_slice(value.at + 1, value.len - 2);
        }
        if (acme_slice_is_word(value, "up")) {
            return ACME_REL_UP;
        }
        return acme_slice_is_word(value, "terms-of-service") ? ACME_REL_TERMS : ACME_REL_NONE;
    }
    return ACME_REL_NONE;
}

static bool is_target(struct acme_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!acme_is_visible(text.at[i], "\"<>\\^`{|}")) {
            return false;
        }
    }
    return text.len > 0;
}

enum acme_rel acme_link_find(struct acme_slice line, struct acme_slice *target)
{
    while (line.len > 0) {
        (void)acme_slice_cut(&line, '<');
        *target = acme_slice_cut(&line, '>');
        enum acme_rel rel = rel_of(acme_slice(line.at, acme_slice_find(line, '<')));
        if (rel != ACME_REL_NONE && is_target(*target)) {
            return rel;
        }
    }
    return ACME_REL_NONE;
}

#endif

#if ACME_CFG_ALTERNATE

enum { OUTSIDE, TARGET, PARAMETERS };
enum { REL_NOT_SAID, REL_OTHER, REL_ALTERNATE };

void acme_links_init(struct acme_links *l, char *text, size_t cap)
{
    memset(l, 0, sizeof *l);
    l->text = text;
    l->cap = (uint16_t)cap;
}

/* A parameter has ended. The first rel counts (RFC 8288, 3.3), and may hold several relations. */
static void parameter_done(struct acme_links *l)
{
    struct acme_slice value = acme_slice(l->word, l->word_len);
    struct acme_slice name = acme_slice_cut(&value, '=');

    acme_slice_trim(&name);
    if (l->rel == REL_NOT_SAID && l->word_len < sizeof l->word && acme_slice_is_word(name, "rel")) {
        l->rel = REL_OTHER;
        while (value.len > 0) {
            name = acme_slice_cut(&value, ' ');
            acme_slice_trim(&name);
            l->rel = acme_slice_is_word(name, "alternate") ? REL_ALTERNATE : l->rel;
        }
    }
    l->word_len = 0;
}

static void link_done(struct acme_links *l)
{
    if (l->rel == REL_ALTERNATE && l->end < l->cap && l->count < ACME_ALTERNATES_MAX) {
        l->text[l->end] = '\0';
        l->len = (uint16_t)(l->end + 1);
        l->count++;
    }
}

static void parameter_byte(struct acme_links *l, char c)
{
    bool over = c == '\n' || (c == ',' && !l->quoted);

    if (over || (c == ';' && !l->quoted)) {
        parameter_done(l);
    } else if (c == '"' && !l->escaped) {
        l->quoted = !l->quoted;
    } else if (l->word_len < sizeof l->word) {
        l->word[l->word_len++] = c;
    }
    l->escaped = l->quoted && c == '\\' && !l->escaped;
    if (over) {
        link_done(l);
        l->state = OUTSIDE;
    }
}

void acme_links_read(struct acme_links *l, char c)
{
    if (l->state == PARAMETERS) {
        parameter_byte(l, c);
    } else if (c == (l->state == OUTSIDE ? '<' : '>')) {
        l->state++;
        l->end = l->state == TARGET ? l->len : l->end;
        l->rel = REL_NOT_SAID;
        l->word_len = 0;
        l->quoted = l->escaped = false;
    } else if (c == '\n') {
        l->state = OUTSIDE;
    } else if (l->state == TARGET && l->end < l->cap) {
        l->text[l->end++] = c;
    }
}

#endif
