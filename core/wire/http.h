/* http.h - HTTP/1.1 as a client needs it (RFC 9112): one request writer, one incremental answer reader.
 *
 * The reader takes bytes in any split, keeps only the headers this client has a use for, each in a bounded
 * field, and hands out the body in the pieces that arrived; it never buffers a line or a body. */
#ifndef ACME_WIRE_HTTP_H
#define ACME_WIRE_HTTP_H

#include <stdint.h>

#include "link.h"
#include "out.h"
#include "url.h"
#include "../acme_config.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acme_http_request {
    const char *method;         /* "GET", "HEAD" or "POST"                                   */
    const struct acme_url *url; /* where to                                                  */
    const char *content_type;   /* NULL: no body and no Content-Length                       */
    uint32_t content_length;    /* bytes of body that follow the head                        */
    struct acme_slice product;  /* the caller's part of User-Agent; may be empty             */
};

/* Writes the head of a request, blank line included. User-Agent is always sent (RFC 8555, 6.1), Host carries
 * the port as the URL wrote it. Work: the bytes written. Errors: o->overflow. */
void acme_http_write(struct acme_out *o, const struct acme_http_request *request);

/* Content-Type up to the semicolon, ASCII case ignored. */
enum acme_media {
    ACME_MEDIA_NONE,
    ACME_MEDIA_JSON,    /* application/json                  */
    ACME_MEDIA_PROBLEM, /* application/problem+json, RFC 9457 */
    ACME_MEDIA_PEM,     /* application/pem-certificate-chain */
    ACME_MEDIA_OTHER
};

/* What one call of acme_http_read() found; errors are negative. */
enum acme_http_event {
    ACME_HTTP_MORE = 0, /* all input taken, more is needed                                  */
    ACME_HTTP_HEAD = 1, /* the final status line and all headers are in                     */
    ACME_HTTP_BODY = 2, /* *body is the next piece; it points into the input                */
    ACME_HTTP_END = 3   /* the message is complete; what was not taken does not belong to it */
};

/* An answer without its body: valid from ACME_HTTP_HEAD on; texts are NUL-terminated. */
struct acme_http_answer {
    uint16_t status; /* 200..599 */
    enum acme_media media;
    bool close;                                     /* the connection ends after this answer                      */
    bool location_long;                             /* Location was there but exceeds ACME_URL_MAX                */
    char nonce[ACME_NONCE_MAX + 1];                 /* Replay-Nonce; empty: none, too long, or illegal alphabet   */
    char location[ACME_URL_MAX + 1];                /* Location as sent; empty: none                              */
    char retry_after[40];                           /* Retry-After as sent; empty: none or longer than any date   */
    char date[40];                                  /* Date as sent                                               */
    bool link_long;                                 /* a Link was there that does not fit below                   */
    enum acme_rel rel;                              /* of the first link with one of these relations              */
    char link[ACME_CFG_V1 ? ACME_URL_MAX + 65 : 1]; /* its target as sent; room for its parameters while it is read */
};

struct acme_http_reader {
    /* private: the reader's position; first, where Thumb reaches it with short instructions */
    uint8_t state;        /* what the next byte is                                        */
    uint8_t field;        /* which header the value belongs to                            */
    uint8_t seen;         /* bit set: headers met so far                                  */
    uint8_t name_len;     /* position in the status line, header name or chunk size       */
    bool is_head_request; /* no body whatever the headers say                             */
    bool carriage_return; /* the last byte was one                                        */
    bool http10;          /* the server speaks HTTP/1.0                                   */
    bool keep_alive;      /* it said so                                                   */
    uint16_t value_len;   /* of the header value being read                               */
    uint32_t head_bytes;  /* header bytes so far                                          */
    uint32_t length;      /* Content-Length, then the bytes left of the body or the chunk */
    struct acme_http_answer answer;
#if ACME_CFG_ALTERNATE
    struct acme_links *links; /* set behind the init by who wants those to alternates; lent */
#endif
    char name[20];  /* header name as sent; longer ones are of no interest        */
    char value[48]; /* values not kept in the answer: lengths, codings, media type  */
};

/* Prepares for one answer. is_head_request: the request was HEAD. */
void acme_http_reader_init(struct acme_http_reader *r, bool is_head_request);

/* Takes bytes of the answer.
 *
 * Looks at in[0..len), sets *used to what it took and returns at the first event, so call again with the
 * rest, be it empty, until it answers ACME_HTTP_MORE or ACME_HTTP_END. 1xx answers but 101 are skipped (RFC
 * 9110, 15.2). Understands Content-Length, chunked (extensions, trailers), and bodies that end with the
 * connection. Of a header repeated against the rules the first one counts. Memory: keeps nothing of `in`.
 * Work: bytes taken. Errors: ACME_E_HTTP_FRAMING for Content-Length that is not plain digits, repeated with
 * another value, 2^32 or more, or beside Transfer-Encoding; for any coding but a single `chunked`, or one
 * from HTTP/1.0; for a chunk size that is not 1..8 hex digits, or chunk data longer than its size.
 * ACME_E_HTTP_SYNTAX for any other damage, more than 64 KiB of headers, extensions and trailers, a folded
 * header line, a NUL or a bare CR (a bare LF ends a line). After an error the reader is dead. */
int acme_http_read(struct acme_http_reader *r, const char *in, size_t len, size_t *used, struct acme_slice *body);

/* Tells that the connection has ended. `clean`: with TLS close_notify, or in clear (secure/channel.h).
 * Returns ACME_HTTP_END when that is how this body ends, else ACME_E_HTTP_TRUNCATED: a body delimited by the
 * connection counts only after a clean end (RFC 9112, 9.8). */
int acme_http_eof(struct acme_http_reader *r, bool clean);

#ifdef __cplusplus
}
#endif

#endif
