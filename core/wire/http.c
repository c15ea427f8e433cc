/* http.c - HTTP/1.1 request writer and answer reader. */
#include "http.h"

#include "../acme_error.h"
#include "../acme_version.h"
#include "base64.h"

#define HEAD_BYTES_MAX   65536u
#define CHUNK_DIGITS_MAX 8 /* what fits the 32 bits of `length` */

void acme_http_write(struct acme_out *o, const struct acme_http_request *request)
{
    const struct acme_url *url = request->url;

    acme_out_text(o, request->method);
    acme_out_text(o, " ");
    if (url->target.len == 0 || url->target.at[0] == '?') {
        acme_out_text(o, "/"); /* RFC 9112, 3.2.1: an empty path is sent as "/" */
    }
    acme_out_slice(o, url->target);
    acme_out_text(o, " HTTP/1.1\r\nHost: ");
    acme_out_slice(o, url->authority);
    acme_out_text(o, "\r\nUser-Agent: ");
    if (request->product.len > 0) {
        acme_out_slice(o, request->product);
        acme_out_text(o, " ");
    }
    acme_out_text(o, "nanoacme/" ACME_VERSION "\r\n");
    if (request->content_type != NULL) {
        acme_out_text(o, "Content-Type: ");
        acme_out_text(o, request->content_type);
        acme_out_text(o, "\r\nContent-Length: ");
        acme_out_u32(o, request->content_length);
        acme_out_text(o, "\r\n");
    }
    acme_out_text(o, "\r\n");
}

/* What the next byte belongs to. The order matters: to VALUE the head, to TRAILER lines, then pieces of the
 * body. */
enum state {
    STATUS_LINE,
    REASON,
    NAME,
    BEFORE_VALUE,
    VALUE,
    CHUNK_SIZE,
    CHUNK_EXTENSION,
    CHUNK_END,
    TRAILER,
    LENGTH_BODY,
    CHUNK_BODY,
    OPEN_BODY, /* ends with the connection */
    END,
    DEAD
};

enum field {
    NONCE,
    LOCATION,
    RETRY_AFTER,
    DATE,
    MEDIA,
    LENGTH,
    CODING,
    CONNECTION,
    LINK /* may come many times */
};

#define FIELDS (ACME_CFG_V1 || ACME_CFG_ALTERNATE ? LINK + 1 : LINK) /* how many; as a field: none of them */

#define SEEN(field) (1u << (field)) /* for those before LINK */

/* The headers of interest and where in the reader their values are gathered. */
static const struct {
    const char *name;
    uint16_t at;
    uint16_t cap;
} fields[FIELDS] = {
#define GATHER(member) offsetof(struct acme_http_reader, member), sizeof(((struct acme_http_reader *)0)->member)
    [NONCE] = {"replay-nonce", GATHER(answer.nonce)},
    [LOCATION] = {"location", GATHER(answer.location)},
    [RETRY_AFTER] = {"retry-after", GATHER(answer.retry_after)},
    [DATE] = {"date", GATHER(answer.date)},
    [MEDIA] = {"content-type", GATHER(value)},
    [LENGTH] = {"content-length", GATHER(value)},
    [CODING] = {"transfer-encoding", GATHER(value)},
    [CONNECTION] = {"connection", GATHER(value)},
#if ACME_CFG_V1 || ACME_CFG_ALTERNATE
    [LINK] = {"link", GATHER(answer.link)},
#endif
#undef GATHER
};

void acme_http_reader_init(struct acme_http_reader *r, bool is_head_request)
{
    memset(r, 0, sizeof *r);
    r->is_head_request = is_head_request;
}

static void go(struct acme_http_reader *r, enum state state)
{
    r->state = (uint8_t)state;
    r->name_len = 0;
}

/* The functions that take a byte return the state after it, or an error. */

/* Judges every byte at once, so that another protocol on this port is noticed before it has sent a line. */
static int status_byte(struct acme_http_reader *r, char c)
{
    static const char shape[] = "HTTP/1.# ### ";

    if (c == '\n' && r->name_len == sizeof shape - 2) {
        return NAME; /* some servers leave out the blank before an empty reason */
    }
    char wanted = shape[r->name_len];
    if (wanted == '#' ? !acme_is_digit(c) : c != wanted) {
        return ACME_E_HTTP_SYNTAX;
    }
    if (r->name_len < 8) {
        r->http10 = c == '0';
        r->answer.status = 0;
    } else if (wanted == '#') {
        r->answer.status = (uint16_t)(r->answer.status * 10 + (c - '0'));
    } else if (r->name_len > 8) {
        return REASON;
    }
    r->name_len++;
    return STATUS_LINE;
}

static int reason_byte(struct acme_http_reader *r, char c)
{
    (void)r;
    return c == '\n' ? NAME : REASON;
}

/* The blank line was read: decides where the body ends (RFC 9112, 6.3). */
static int head_done(struct acme_http_reader *r)
{
    struct acme_http_answer *a = &r->answer;
    bool coded = (r->seen & SEEN(CODING)) != 0;
    bool measured = (r->seen & SEEN(LENGTH)) != 0;

    /* Behind 101 another protocol begins (RFC 9110, 15.2.2), which was never asked for. */
    if (a->status < 100 || a->status == 101 || a->status > 599) {
        return ACME_E_HTTP_SYNTAX;
    }
    if (a->status < 200) {
        return STATUS_LINE;
    }
    if (coded && (measured || r->http10)) {
        return ACME_E_HTTP_FRAMING;
    }
    if (r->http10 && !r->keep_alive) {
        a->close = true;
    }
    if (r->is_head_request || a->status == 204 || a->status == 304) {
        return END;
    }
    if (coded) {
        return CHUNK_SIZE;
    }
    if (measured) {
        return r->length > 0 ? LENGTH_BODY : END;
    }
    a->close = true;
    return OPEN_BODY;
}

#if ACME_CFG_ALTERNATE
#define gathers_links(r) ((r)->links != NULL)

static void read_link(struct acme_http_reader *r, char c)
{
    if (r->field == LINK && gathers_links(r)) {
        acme_links_read(r->links, c);
    }
}
#else
#define gathers_links(r) false
#define read_link(r, c)  ((void)0)
#endif

/* The colon was read: decides whether anybody wants the value. */
static int name_done(struct acme_http_reader *r)
{
    const unsigned first_counts = SEEN(NONCE) | SEEN(LOCATION) | SEEN(RETRY_AFTER) | SEEN(DATE) | SEEN(MEDIA);
    struct acme_slice name = acme_slice(r->name, r->name_len);
    uint8_t field = 0;

    while (field < FIELDS && !acme_slice_is_word(name, fields[field].name)) {
        field++;
    }
    /* what a 1xx answer says is about itself, not about the answer to come */
    bool wanted = r->answer.status >= 200 && (r->seen & SEEN(field) & first_counts) == 0;
    if (FIELDS > LINK && field == LINK) {
        wanted = wanted && (r->answer.rel == ACME_REL_NONE || gathers_links(r));
    }
    r->field = wanted ? field : FIELDS;
    r->value_len = 0;
    return BEFORE_VALUE;
}

static int name_byte(struct acme_http_reader *r, char c)
{
    if (r->name_len == 0 && c == '\n') {
        return head_done(r);
    }
    if (r->name_len > 0 && c == ':') {
        return name_done(r);
    }
    /* only token characters (RFC 9110, 5.6.2): this refuses folded lines and blanks before the colon too */
    if (!acme_is_visible(c, "\"(),/:;<=>?@[\\]{}")) {
        return ACME_E_HTTP_SYNTAX;
    }
    if (r->name_len < sizeof r->name) {
        r->name[r->name_len++] = c;
    }
    return NAME;
}

static enum acme_media media_of(struct acme_slice value)
{
    static const char *const names[] = {"application/json", "application/problem+json",
                                        "application/pem-certificate-chain"};
    struct acme_slice type = acme_slice_cut(&value, ';');

    acme_slice_trim(&type);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (acme_slice_is_word(type, names[i])) {
            return (enum acme_media)(ACME_MEDIA_JSON + (int)i);
        }
    }
    return ACME_MEDIA_OTHER;
}

static bool length_ok(struct acme_http_reader *r, struct acme_slice value, bool again)
{
    int64_t length = acme_slice_decimal(value);

    if (length < 0 || length > UINT32_MAX || (again && length != r->length)) {
        return false;
    }
    r->length = (uint32_t)length;
    return true;
}

static void connection_done(struct acme_http_reader *r, struct acme_slice list)
{
    while (list.len > 0) {
        struct acme_slice option = acme_slice_cut(&list, ',');
        acme_slice_trim(&option);
        if (acme_slice_is_word(option, "close")) {
            r->answer.close = true;
        }
        if (acme_slice_is_word(option, "keep-alive")) {
            r->keep_alive = true;
        }
    }
}

/* Keeps the first link of interest, at the start of the buffer the line lies in. Inline, or it would be kept without
 * ACME v1 where nothing is optimized, and miss link.c. */
static inline void link_done(struct acme_http_answer *a, struct acme_slice line, bool too_long)
{
    if (too_long) {
        a->link_long = true;
        return;
    }
    struct acme_slice target;
    enum acme_rel rel = acme_link_find(line, &target);
    if (rel != ACME_REL_NONE && target.len > ACME_URL_MAX) {
        a->link_long = true; /* or the chain would end there without a word */
    } else if (rel != ACME_REL_NONE) {
        memmove(a->link, target.at, target.len);
        a->link[target.len] = '\0';
        a->rel = rel;
    }
}

/* The line of a wanted header ended. A text of `cap` bytes did not leave room for its NUL. Returns false
 * when the message has no certain length. */
static bool value_done(struct acme_http_reader *r)
{
    char *text = (char *)r + fields[r->field].at;
    bool too_long = r->value_len == fields[r->field].cap;
    struct acme_slice value = acme_slice(text, r->value_len);
    bool again = (r->seen & SEEN(r->field)) != 0;
    bool ok = true;

    acme_slice_trim(&value);
    r->seen = (uint8_t)(r->seen | SEEN(r->field));
    switch ((enum field)r->field) {
    case LENGTH:
        ok = !too_long && length_ok(r, value, again);
        break;
    case CODING:
        ok = !again && acme_slice_is_word(value, "chunked");
        break;
    case CONNECTION:
        connection_done(r, value);
        if (too_long) { /* what we could not see may be "close" */
            r->answer.close = true;
        }
        break;
    case MEDIA:
        r->answer.media = media_of(value);
        break;
    case NONCE: /* RFC 8555, 6.5.1: one with other characters must be ignored */
    case LOCATION:
    case RETRY_AFTER:
    case DATE:
        if (too_long || (r->field == NONCE && !acme_is_base64url(value))) {
            value.len = 0;
        }
        text[value.len] = '\0';
        if (too_long && r->field == LOCATION) {
            r->answer.location_long = true;
        }
        break;
    case LINK:
        if (ACME_CFG_V1) {
            link_done(&r->answer, value, too_long);
        }
        break;
    }
    return ok;
}

static int value_byte(struct acme_http_reader *r, char c)
{
    read_link(r, c);
    if (c == '\n') {
        return r->field == FIELDS || value_done(r) ? NAME : ACME_E_HTTP_FRAMING;
    }
    /* blanks at the end are not part of the value and must not make it too long */
    if (r->field != FIELDS && r->value_len < fields[r->field].cap - acme_is_blank(c)) {
        ((char *)r)[fields[r->field].at + r->value_len++] = c;
    }
    return VALUE;
}

static int before_value_byte(struct acme_http_reader *r, char c)
{
    return acme_is_blank(c) ? BEFORE_VALUE : value_byte(r, c);
}

static int chunk_begins(const struct acme_http_reader *r)
{
    return r->length > 0 ? CHUNK_BODY : TRAILER;
}

static int chunk_size_byte(struct acme_http_reader *r, char c)
{
    int digit = acme_hex_digit(c);

    if (digit >= 0 && r->name_len < CHUNK_DIGITS_MAX) {
        r->length = (r->name_len == 0 ? 0 : r->length << 4) | (uint32_t)digit;
        r->name_len++;
        return CHUNK_SIZE;
    }
    if (digit >= 0 || r->name_len == 0) {
        return ACME_E_HTTP_FRAMING;
    }
    if (c == '\n') {
        return chunk_begins(r);
    }
    if (acme_is_blank(c)) {
        r->name_len = CHUNK_DIGITS_MAX; /* no more digits may follow */
        return CHUNK_SIZE;
    }
    return c == ';' ? CHUNK_EXTENSION : ACME_E_HTTP_FRAMING;
}

static int chunk_extension_byte(struct acme_http_reader *r, char c)
{
    return c == '\n' ? chunk_begins(r) : CHUNK_EXTENSION;
}

static int chunk_end_byte(struct acme_http_reader *r, char c)
{
    (void)r;
    return c == '\n' ? CHUNK_SIZE : ACME_E_HTTP_FRAMING;
}

/* Nothing of interest may come this late (RFC 9110, 6.5.1). */
static int trailer_byte(struct acme_http_reader *r, char c)
{
    bool over = c == '\n' && r->name_len == 0;

    r->name_len = c != '\n';
    return over ? END : TRAILER;
}

static int (*const readers[])(struct acme_http_reader *r, char c) = {
    [STATUS_LINE] = status_byte,
    [REASON] = reason_byte,
    [NAME] = name_byte,
    [BEFORE_VALUE] = before_value_byte,
    [VALUE] = value_byte,
    [CHUNK_SIZE] = chunk_size_byte,
    [CHUNK_EXTENSION] = chunk_extension_byte,
    [CHUNK_END] = chunk_end_byte,
    [TRAILER] = trailer_byte,
};

/* One byte of anything but a body. */
static int line_byte(struct acme_http_reader *r, char c)
{
    /* What every chunk needs is bounded by itself and does not count, else a long body in chunks of one byte
     * would run into the limit. */
    bool counts = r->state == CHUNK_SIZE ? acme_is_blank(c) : r->state != CHUNK_END;

    if (counts && ++r->head_bytes > HEAD_BYTES_MAX) {
        return ACME_E_HTTP_SYNTAX;
    }
    if (c == '\0' || (r->carriage_return && c != '\n')) {
        return ACME_E_HTTP_SYNTAX;
    }
    r->carriage_return = c == '\r';
    if (r->carriage_return) {
        return r->state;
    }
    return readers[r->state](r, c);
}

/* Takes a byte of anything but a body. Returns the event it is. */
static int read_line_byte(struct acme_http_reader *r, char c)
{
    int next = line_byte(r, c);
    bool head = r->state == NAME && next > VALUE;

    if (next < 0) {
        r->state = DEAD;
        return next;
    }
    if (next != r->state) {
        go(r, (enum state)next);
    }
    return head ? ACME_HTTP_HEAD : ACME_HTTP_MORE;
}

/* Takes as much body as there is, at least a byte. */
static void body_piece(struct acme_http_reader *r, struct acme_slice *piece)
{
    if (r->state == OPEN_BODY) {
        return;
    }
    if (piece->len > r->length) {
        piece->len = r->length;
    }
    r->length -= (uint32_t)piece->len;
    if (r->length == 0) {
        go(r, r->state == CHUNK_BODY ? CHUNK_END : END);
    }
}

int acme_http_read(struct acme_http_reader *r, const char *in, size_t len, size_t *used, struct acme_slice *body)
{
    int event = ACME_HTTP_MORE;

    *used = 0;
    *body = acme_slice(in, 0);
    while (event == ACME_HTTP_MORE && *used < len && r->state < LENGTH_BODY) {
        event = read_line_byte(r, in[(*used)++]);
    }
    if (event != ACME_HTTP_MORE) {
        return event;
    }
    if (r->state == END) {
        return ACME_HTTP_END;
    }
    if (r->state == DEAD) {
        return ACME_E_HTTP_SYNTAX;
    }
    if (*used == len) {
        return ACME_HTTP_MORE;
    }
    *body = acme_slice(in + *used, len - *used);
    body_piece(r, body);
    *used += body->len;
    return ACME_HTTP_BODY;
}

int acme_http_eof(struct acme_http_reader *r, bool clean)
{
    if (r->state == OPEN_BODY && clean) {
        go(r, END);
    }
    return r->state == END ? ACME_HTTP_END : ACME_E_HTTP_TRUNCATED;
}
