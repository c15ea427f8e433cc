/* trial_client.c - the client on trial of tests/tls: Mbed TLS, by port/mbedtls.
 *
 * How it refuses is its own: what counts is that it does, before a byte of HTTP. What it does otherwise than BearSSL stands in
 * port/mbedtls/refusals.list with the reason: a line that is not needed, or is lacking, is a failure. */
#include "tls/trial.h"

#include <stdlib.h>
#include <string.h>

#include "acme_mbedtls.h"

#define VERSION (MBEDTLS_VERSION_NUMBER >= 0x03000000 ? "3.6" : "2.28")

static struct acme_mbedtls tls;
static unsigned char arena[128 * 1024];

static struct {
    char key[200];
    bool used;
} listed[64];
static size_t listed_len;
static unsigned refused, accepted;

static void judge_list(void)
{
    for (size_t i = 0; i < listed_len; i++) {
        if (!listed[i].used) {
            print_error("# refusals.list has a line that is not needed: %s\n", listed[i].key);
            _Exit(1);
        }
    }
    print_message("# Mbed TLS %s: %u bad servers refused, %u good ones accepted; %zu cases go otherwise, as listed\n",
                  MBEDTLS_VERSION_STRING, refused, accepted, listed_len);
}

static void read_list(void)
{
    FILE *f = fopen("port/mbedtls/refusals.list", "r");
    char line[400];

    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL) {
        char *version = strtok(line, "\t"), *key = strtok(NULL, ""), *tab;
        if (line[0] != '#' && line[0] != '\n' && (strcmp(version, "both") == 0 || strcmp(version, VERSION) == 0)) {
            tab = strrchr(key, '\t'); /* the reason is behind it */
            assert_true(tab != NULL && tab[1] != '\n' && (size_t)(tab - key) < sizeof listed[0].key &&
                        listed_len < 64);
            *tab = '\0';
            strcpy(listed[listed_len++].key, key);
        }
    }
    fclose(f);
    atexit(judge_list);
}

/* Is it as it should be, or listed as otherwise? */
static bool settle(const char *kind, const char *section, const char *name, bool good)
{
    char key[300];

    snprintf(key, sizeof key, "%s\t%s\t%s", kind, section, name);
    for (size_t i = 0; i < listed_len; i++) {
        if (strcmp(listed[i].key, key) == 0) {
            listed[i].used = !good;
            return !good;
        }
    }
    if (!good) {
        print_error("# not listed: %s (our error %d, the library's -0x%04x, flags %x)\n", key, trial.done,
                    (unsigned)-tls.code, (unsigned)tls.flags);
    }
    return good;
}

void trial_client_begin(struct acme_channel *channel, const struct acme_net *net, const struct acme_sys *sys,
                        char *const *anchors, size_t count)
{
    static bool begun;

    if (begun) {
        acme_mbedtls_free(&tls);
    } else {
        read_list();
    }
    assert_int_equal(acme_mbedtls_init(&tls, net, sys, begun ? NULL : arena, sizeof arena, 200), 0);
    begun = true;
    for (size_t i = 0; i < count; i++) { /* one that it leaves out is not there */
        (void)acme_mbedtls_trust(&tls, anchors[i], strlen(anchors[i]));
    }
    acme_channel_init(channel, &(const struct acme_setup){.secure_net = &tls.secure});
}

void trial_client_is_mute(void)
{
    assert_true(tls.secure.send(tls.secure.ctx, "GET", 3) <= 0);
    assert_true(tls.secure.recv(tls.secure.ctx, arena, 0) <= 0);
}

bool trial_client_refuses(const char *section, const char *name, int done, int error, int code)
{
    (void)error, (void)code;
    refused += done < 0;
    return settle("accepts", section, name, done < 0);
}

bool trial_client_accepts(const char *section, const char *name, bool good)
{
    accepted += good;
    return settle("refuses", section, name, good);
}

bool trial_client_knows_addresses(void)
{
    return false;
}

bool trial_client_speaks_13(void)
{
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
    return getenv("TLS13") != NULL;
#else
    return false;
#endif
}
