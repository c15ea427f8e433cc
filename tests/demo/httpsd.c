/* httpsd.c - a small HTTPS server that shows a certificate in use: one page, one connection at a time.
 *
 *     httpsd PORT FULLCHAIN.PEM PRIVKEY.PEM        PORT 0: a free one. Prints "listening on PORT" when ready.
 *
 * It listens on 127.0.0.1 and ends with SIGTERM; the default action is enough, as nothing needs cleaning up.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <bearssl.h>

#include "x509/leaf.h"

enum { CERTIFICATES_MAX = 6, PEM_MAX = 32768, DER_MAX = 24576, PAGE_MAX = 2048, PATIENCE_S = 5 };

/* All memory of the server. */
static unsigned char pem[PEM_MAX];
static unsigned char der[DER_MAX]; /* the chain's certificates, one after the other */
static size_t der_len;
static bool der_full;
static br_x509_certificate chain[CERTIFICATES_MAX];
static size_t chain_len;
static br_skey_decoder_context key;
static br_ssl_server_context server;
static unsigned char records[BR_SSL_BUFSIZE_BIDI];
static char page[PAGE_MAX];

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "httpsd: %s: %s\n", what, why);
    exit(1);
}

static size_t read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fail(path, strerror(errno));
    }
    size_t len = fread(pem, 1, sizeof pem, file);
    if (ferror(file) || len == 0) {
        fail(path, "cannot be read, or empty");
    }
    if (len == sizeof pem) {
        fail(path, "too big");
    }
    fclose(file);
    return len;
}

static void der_append(void *ctx, const void *data, size_t len)
{
    (void)ctx;
    if (len > sizeof der - der_len) {
        der_full = true;
        return;
    }
    memcpy(der + der_len, data, len);
    der_len += len;
}

static void key_append(void *ctx, const void *data, size_t len)
{
    br_skey_decoder_context *decoder = ctx;
    if (decoder->err == 0) { /* BearSSL itself would go on behind what it refused */
        br_skey_decoder_push(decoder, data, len);
    }
}

/* Feeds a PEM file through BearSSL's decoder: `sink` takes the bytes of each block, `block_end` its label. */
static void each_block(const char *path, void (*sink)(void *, const void *, size_t), void *ctx,
                       void (*block_end)(const char *path, const char *label))
{
    size_t len = read_file(path), done = 0;
    br_pem_decoder_context decoder;

    br_pem_decoder_init(&decoder);
    while (done < len) {
        done += br_pem_decoder_push(&decoder, pem + done, len - done);
        switch (br_pem_decoder_event(&decoder)) {
        case BR_PEM_BEGIN_OBJ:
            br_pem_decoder_setdest(&decoder, sink, ctx);
            break;
        case BR_PEM_END_OBJ:
            block_end(path, br_pem_decoder_name(&decoder));
            break;
        case BR_PEM_ERROR:
            fail(path, "not PEM");
            break;
        default:
            break;
        }
    }
}

static void certificate_end(const char *path, const char *label)
{
    static size_t start;
    if (strcmp(label, "CERTIFICATE") != 0 || der_full || chain_len == CERTIFICATES_MAX) {
        fail(path, der_full || chain_len == CERTIFICATES_MAX ? "chain too long" : "more than certificates in it");
    }
    chain[chain_len].data = der + start;
    chain[chain_len].data_len = der_len - start;
    chain_len++;
    start = der_len;
}

static void key_end(const char *path, const char *label)
{
    const br_ec_private_key *ec = br_skey_decoder_get_ec(&key);
    if (strstr(label, "PRIVATE KEY") != NULL && (ec == NULL || ec->curve != BR_EC_secp256r1)) {
        fail(path, "not a P-256 private key");
    }
}

static void load(const char *chain_path, const char *key_path)
{
    each_block(chain_path, der_append, NULL, certificate_end);
    if (chain_len == 0) {
        fail(chain_path, "no certificate in it");
    }
    br_skey_decoder_init(&key);
    each_block(key_path, key_append, &key, key_end);
    if (br_skey_decoder_get_ec(&key) == NULL) {
        fail(key_path, "no private key in it");
    }
}

static void append(size_t *len, const char *text, size_t text_len)
{
    size_t room = sizeof page - 1 - *len;
    size_t take = text_len < room ? text_len : room;
    memcpy(page + *len, text, take);
    *len += take;
    page[*len] = '\0';
}

static void append_time(size_t *len, const char *title, int64_t utc)
{
    char line[64];
    time_t t = (time_t)utc;
    struct tm tm;
    append(len, title, strlen(title));
    if (gmtime_r(&t, &tm) != NULL) {
        append(len, line, strftime(line, sizeof line, "%Y-%m-%d %H:%M:%S UTC\n", &tm));
    }
}

/* The page tells what the certificate itself says. Returns its length. */
static size_t write_page(const char *chain_path)
{
    struct acme_leaf leaf;
    struct acme_der name;
    uint8_t tag;
    size_t len = 0;
    static const char title[] = "Hello over TLS, with the certificate issued a moment ago.\nnames:     ";

    if (acme_leaf_parse(&leaf, chain[0].data, chain[0].data_len) != 0) {
        fail(chain_path, "its first certificate cannot be decoded");
    }
    append(&len, title, sizeof title - 1);
    while (acme_der_next(&leaf.names, &tag, &name)) {
        if (tag == ACME_DER_DNS_NAME) {
            append(&len, (const char *)name.at, name.len);
            append(&len, " ", 1);
        }
    }
    append_time(&len, "\nvalid from ", leaf.not_before);
    append_time(&len, "      until ", leaf.not_after);
    return len;
}

static int socket_read(void *ctx, unsigned char *data, size_t len)
{
    ssize_t got = recv(*(int *)ctx, data, len, 0);
    return got > 0 ? (int)got : -1;
}

static int socket_write(void *ctx, const unsigned char *data, size_t len)
{
    ssize_t sent = send(*(int *)ctx, data, len, MSG_NOSIGNAL);
    return sent > 0 ? (int)sent : -1;
}

static void serve(int connection, size_t page_len)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    br_sslio_context io;
    char header[160];
    unsigned seen = 0; /* how much of the blank line that ends the request */

    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (!br_ssl_server_reset(&server)) {
        return;
    }
    br_sslio_init(&io, &server.eng, socket_read, &connection, socket_write, &connection);
    for (size_t i = 0; i < 8192 && seen < 4; i++) {
        char c;
        if (br_sslio_read(&io, &c, 1) < 0) {
            return;
        }
        seen = c == "\r\n\r\n"[seen] ? seen + 1 : c == '\r';
    }
    int len = snprintf(header, sizeof header,
                       "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
                       "Connection: close\r\n\r\n",
                       page_len);
    if (br_sslio_write_all(&io, header, (size_t)len) == 0 && br_sslio_write_all(&io, page, page_len) == 0) {
        br_sslio_close(&io);
    }
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t at_len = sizeof at;
    const int yes = 1;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 8) != 0 ||
        getsockname(listener, (struct sockaddr *)&at, &at_len) != 0) {
        fail("127.0.0.1", strerror(errno));
    }
    printf("listening on %u\n", ntohs(at.sin_port));
    fflush(stdout);
    return listener;
}

int main(int argc, char **argv)
{
    char *end = NULL;
    unsigned long port = argc == 4 ? strtoul(argv[1], &end, 10) : 65536;
    if (port > 65535 || end == argv[1] || *end != '\0') {
        fprintf(stderr, "usage: httpsd PORT FULLCHAIN.PEM PRIVKEY.PEM\n");
        return 64;
    }
    load(argv[2], argv[3]);
    size_t page_len = write_page(argv[2]);

    br_ssl_server_init_minf2g(&server, chain, chain_len, br_skey_decoder_get_ec(&key));
    br_ssl_engine_set_buffer(&server.eng, records, sizeof records, 1);

    int listener = listen_on((uint16_t)port);
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        if (connection >= 0) {
            serve(connection, page_len);
            close(connection);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            fail("accept", strerror(errno));
        }
    }
}
