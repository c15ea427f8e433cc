/* shown.c - the answers that are on show, as the scripted CA sees them. */
#include "ca.h"

#include "acme_setup.h"

#include <stdio.h>
#include <string.h>

bool ca_shows(const struct ca *ca, const char *wanted)
{
    bool found = ca->published != NULL && (wanted[0] == '\0' || strcmp(ca->published, wanted) == 0);
    for (unsigned i = 0; i < CA_SHOWN_MAX; i++) {
        found = found || (wanted[0] != '\0' && strcmp(ca->shown[i], wanted) == 0);
    }
    return found;
}

void ca_show(struct ca *ca, const char *text, bool on)
{
    char *place = NULL;
    ca->published = NULL;
    for (unsigned i = 0; i < CA_SHOWN_MAX; i++) {
        char *at = ca->shown[i];
        if (strcmp(at, text) == 0) {
            at[0] = '\0';
        }
        place = place == NULL && at[0] == '\0' ? at : place;
        ca->published = at[0] != '\0' ? at : ca->published;
    }
    if (on) {
        assert_non_null(place);
        ca->published = strcpy(place, text);
    }
}

static void show(struct ca *ca, const struct acme_challenge *challenge, bool on)
{
    char text[sizeof ca->shown[0]];
    assert_true(snprintf(text, sizeof text, "%s.%s", challenge->token, challenge->thumbprint) < (int)sizeof text);
    ca_show(ca, text, on);
}

void ca_publish(struct ca *ca, const struct acme_challenge *challenge)
{
    show(ca, challenge, true);
}

void ca_take_back(struct ca *ca, const struct acme_challenge *challenge)
{
    show(ca, challenge, false);
}
