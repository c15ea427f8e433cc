/* link.c - see link.h. */
#include "link.h"

#include "../acme_config.h"

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
