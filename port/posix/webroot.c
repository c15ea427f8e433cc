/* webroot.c - http-01 answers as files of a web server. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "webroot.h"

/* The core has checked the token; a file name made of the network's words is checked once more where it is
 * used. */
static bool token_ok(const char *token)
{
    size_t len = strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
    return len > 0 && len <= ACME_TOKEN_MAX && token[len] == '\0';
}

static int place(struct acme_webroot *w, const char *below)
{
    int need = snprintf(w->path, sizeof w->path, "%s%s", w->directory, below);
    return need < (int)sizeof w->path ? 0 : ENAMETOOLONG;
}

static int publish(struct acme_webroot *w, const struct acme_challenge *challenge)
{
    static const char *const directories[] = {"/.well-known", "/.well-known/acme-challenge"};
    char below[sizeof "/.well-known/acme-challenge/" + ACME_TOKEN_MAX];
    int code = token_ok(challenge->token) ? 0 : EINVAL;

    for (size_t i = 0; i < 2 && code == 0; i++) {
        code = place(w, directories[i]);
        if (code == 0 && mkdir(w->path, 0755) == 0) {
            (void)chmod(w->path, 0755);
        } else if (code == 0 && errno != EEXIST) {
            code = errno;
        }
    }
    if (code != 0) {
        return code;
    }
    (void)snprintf(below, sizeof below, "%s/%s", directories[1], challenge->token);
    code = place(w, below);
    if (code != 0) {
        return code;
    }
    return acme_posix_replace(w->path, 0644, challenge->key_authorization, strlen(challenge->key_authorization));
}

static int webroot_present(void *ctx, const struct acme_challenge *challenge)
{
    struct acme_webroot *w = ctx;
    w->error = publish(w, challenge);
    return w->error == 0 ? 1 : ACME_E_SOLVER;
}

static void webroot_withdraw(void *ctx)
{
    struct acme_webroot *w = ctx;
    if (w->error == 0 && w->path[0] != '\0') {
        (void)unlink(w->path);
    }
}

void acme_webroot_init(struct acme_webroot *w, const char *directory)
{
    static const struct acme_solver solver = {NULL, "http-01", webroot_present, webroot_withdraw, NULL};
    w->solver = solver;
    w->solver.ctx = w;
    w->directory = directory;
    w->path[0] = '\0';
    w->error = 0;
}
