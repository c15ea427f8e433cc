/* anchors.c - turns PEM root certificates into trust anchors for firmware: a C table that is compiled in, or one that is
 * stored and signed by the vendor (secure/anchor_table.h). */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../roots.h"
#include "roots/constraints.h"
#include "secure/digest.h"
#include "table.h"
#include "wire/der.h"

#define USAGE                                                                                                        \
    "usage: nanoacme-anchors NAME <roots.pem >roots.c\n"                                                             \
    "       nanoacme-anchors --sign VENDOR.pem SERIAL [replace] <roots.pem >table\n"                                 \
    "       nanoacme-anchors --key VENDOR.pem NAME >key.c\n"                                                         \
    "NAME is a C identifier, SERIAL a number from 1 that grows with each table, VENDOR.pem a private key on P-256\n"

#define ANCHORS_MAX 8192

static unsigned char memory[1 << 20]; /* the largest root stores in use need about a quarter of it */

/* What a person wants to know of an anchor, and the device does not. */
static struct note {
    char name[96], from[11], to[11];
    uint8_t fingerprint[ACME_SHA256_LEN];
} notes[ANCHORS_MAX];

static void print_bytes(const char *name, size_t root, const char *what, const unsigned char *data, size_t len)
{
    printf("static const unsigned char %s_%zu_%s[] = {", name, root, what);
    for (size_t i = 0; i < len; i++)
        printf("%s0x%02x%s", i % 16 == 0 ? "\n    " : " ", data[i], i + 1 < len ? "," : "");
    printf("\n};\n");
}

/* What an anchor is constrained to lies behind its name: secure/constraints.h. */
static void print_name(const char *name, size_t root, const br_x509_trust_anchor *a)
{
    print_bytes(name, root, "dn", a->dn.data, a->dn.len + acme_constraints_len(a));
}

/* BearSSL's struct wants pointers to writable bytes, though it only reads them. Going through uintptr_t lets
 * the bytes stay in flash without a warning about the lost const. */
static void print_pointer(const char *name, size_t root, const char *what)
{
    printf("(unsigned char *)(uintptr_t)%s_%zu_%s, sizeof %s_%zu_%s", name, root, what, name, root, what);
}

static void print_arrays(const char *name, size_t root, const br_x509_trust_anchor *a)
{
    print_name(name, root, a);
    if (a->pkey.key_type == BR_KEYTYPE_RSA) {
        print_bytes(name, root, "n", a->pkey.key.rsa.n, a->pkey.key.rsa.nlen);
        print_bytes(name, root, "e", a->pkey.key.rsa.e, a->pkey.key.rsa.elen);
    } else {
        print_bytes(name, root, "q", a->pkey.key.ec.q, a->pkey.key.ec.qlen);
    }
}

static void print_anchor(const char *name, size_t root, const br_x509_trust_anchor *a)
{
    printf("    {\n        {");
    printf("(unsigned char *)(uintptr_t)%s_%zu_dn, %zu},\n        %s%s,\n", name, root, a->dn.len,
           (a->flags & BR_X509_TA_CA) ? "BR_X509_TA_CA" : "0",
           (a->flags & ACME_ANCHOR_CONSTRAINED) ? " | ACME_ANCHOR_CONSTRAINED" : "");
    if (a->pkey.key_type == BR_KEYTYPE_RSA) {
        printf("        {BR_KEYTYPE_RSA, {.rsa = {");
        print_pointer(name, root, "n");
        printf(",\n            ");
        print_pointer(name, root, "e");
    } else {
        printf("        {BR_KEYTYPE_EC, {.ec = {%d, ", a->pkey.key.ec.curve);
        print_pointer(name, root, "q");
    }
    printf("}}}\n    },\n");
}

/* --- what is said of each --- */

/* Copies what may stand in a comment. */
static void note_text(char *to, size_t cap, struct acme_der text)
{
    static const char plain[] = " -.,()&'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    size_t len = 0;

    for (size_t i = 0; i < text.len && len < cap - 1; i++)
        if (memchr(plain, text.at[i], sizeof plain - 1) != NULL)
            to[len++] = (char)text.at[i];
    to[len] = '\0';
}

/* The common name, or else the organization, of a subject's contents. */
static void note_name(struct note *note, struct acme_der subject)
{
    struct acme_der set, pair, oid, value;
    uint8_t tag;

    while (acme_der_expect(&subject, ACME_DER_SET, &set)) {
        if (acme_der_expect(&set, ACME_DER_SEQUENCE, &pair) && acme_der_expect(&pair, ACME_DER_OID, &oid) &&
            acme_der_next(&pair, &tag, &value) &&
            (acme_der_is(&oid, "\x55\x04\x03", 3) || (acme_der_is(&oid, "\x55\x04\x0a", 3) && note->name[0] == '\0')))
            note_text(note->name, sizeof note->name, value);
    }
}

static void note_date(char date[11], struct acme_der *validity)
{
    struct acme_der text;
    uint8_t tag;
    int year = 0;

    if (acme_der_next(validity, &tag, &text) && text.len >= 8) {
        if (tag == ACME_DER_UTC_TIME) /* RFC 5280, 4.1.2.5.1 */
            year = text.at[0] >= '5' ? 19 : 20;
        const char *rest = (const char *)text.at + (year != 0 ? 2 : 4);
        if (year != 0)
            snprintf(date, 11, "%d%.2s-%.2s-%.2s", year, (const char *)text.at, rest, rest + 2);
        else
            snprintf(date, 11, "%.4s-%.2s-%.2s", (const char *)text.at, rest, rest + 2);
    }
}

static void note_certificate(struct note *note, struct acme_der der)
{
    struct acme_der part[ACME_CERT_PARTS], extensions;
    struct acme_slice whole = acme_slice(der.at, der.len);

    acme_sha256(&whole, 1, note->fingerprint);
    if (acme_der_certificate(der, part, &extensions)) { /* it was read just now */
        note_name(note, part[ACME_CERT_SUBJECT]);
        note_date(note->from, &part[ACME_CERT_VALIDITY]);
        note_date(note->to, &part[ACME_CERT_VALIDITY]);
    }
}

static void print_notes(size_t count)
{
    printf("/* %zu trust anchors, made by nanoacme-anchors: do not edit.\n *\n", count);
    for (size_t i = 0; i < count; i++) {
        printf(" * %zu: %s, %s to %s, SHA-256\n *    ", i, notes[i].name, notes[i].from, notes[i].to);
        for (size_t k = 0; k < ACME_SHA256_LEN; k++)
            printf("%02x", notes[i].fingerprint[k]);
        printf("\n");
    }
    printf(" */\n\n");
}

/* --- in and out --- */

/* Returns false, and says so, when there are none. */
static bool read_anchors(struct acme_trust_reader *reader, struct acme_trust *trust)
{
    char words[ACME_ROOTS_WORDS];
    int c;

    acme_trust_begin(reader, memory, sizeof memory);
    while ((c = getchar()) != EOF) {
        char byte = (char)c;
        size_t before = reader->count;
        acme_trust_add(reader, &byte, 1);
        if (reader->count > before && before < ANCHORS_MAX) /* its certificate is still there */
            note_certificate(&notes[before], (struct acme_der){reader->pem.der, reader->pem.len});
    }
    int count = acme_trust_end(reader, trust);
    size_t left = acme_roots_words(reader, words);
    if (count < 0 || count > ANCHORS_MAX) {
        fprintf(stderr, "nanoacme-anchors: no table: %s%s\n", words, acme_roots_trouble(reader));
        return false;
    }
    fprintf(stderr, "nanoacme-anchors: %s%s\n", left > 0 ? "warning: " : "", words);
    return true;
}

static bool is_identifier(const char *name)
{
    return name[0] != '\0' && strchr("0123456789", name[0]) == NULL &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] == '\0';
}

/* Returns false, and says so, when the file holds no key. */
static bool read_key(const char *path, struct acme_key_p256 *key)
{
    char record[4096];
    FILE *f = fopen(path, "rb");
    size_t len = f != NULL ? fread(record, 1, sizeof record, f) : 0;
    bool good = acme_key_p256_ops.load(key, record, len) == 0;

    if (f != NULL)
        fclose(f);
    memset(record, 0, sizeof record);
    if (!good)
        fprintf(stderr, "nanoacme-anchors: %s: no private key on P-256 in PEM form, without a passphrase\n", path);
    return good;
}

static int written(void)
{
    return ferror(stdout) || fclose(stdout) ? 1 : 0;
}

/* --- what it can do --- */

static int make_source(const char *name)
{
    static struct acme_trust_reader reader;
    struct acme_trust trust;

    if (!read_anchors(&reader, &trust))
        return 1;
    print_notes(trust.count);
    printf("#include <stdint.h>\n\n#include \"%s.h\"\n\nextern const struct acme_trust %s;\n\n",
           reader.constrained ? "roots/constraints" : "secure/anchors", name);
    for (size_t i = 0; i < trust.count; i++)
        print_arrays(name, i, &trust.anchors[i]);
    printf("\nstatic const br_x509_trust_anchor %s_anchors[] = {\n", name);
    for (size_t i = 0; i < trust.count; i++)
        print_anchor(name, i, &trust.anchors[i]);
    printf("};\n\nconst struct acme_trust %s = {%s_anchors, %zu, %s};\n", name, name, trust.count,
           reader.constrained ? "acme_constraints_permit" : "NULL");
    return written();
}

static int make_table(const char *path, uint32_t serial, bool replaces)
{
    static struct acme_trust_reader reader;
    static char table[sizeof memory];
    struct acme_key_p256 key;
    struct acme_trust trust;
    struct acme_out o;

    acme_out_init(&o, table, sizeof table);
    if (!read_key(path, &key) || !read_anchors(&reader, &trust))
        return 1;
    int err = acme_table_write(&o, &trust, serial, replaces, &key);
    acme_key_p256_wipe(&key);
    if (err != 0) {
        fprintf(stderr, "nanoacme-anchors: no table: error %d\n", err);
        return 1;
    }
    for (size_t i = 0; i < trust.count; i++)
        fprintf(stderr, "  %s, %s to %s\n", notes[i].name, notes[i].from, notes[i].to);
    fprintf(stderr, "nanoacme-anchors: table %lu, %zu bytes, %s the built-in anchors\n", (unsigned long)serial, o.len,
            replaces ? "replaces" : "adds to");
    fwrite(o.at, 1, o.len, stdout);
    return written();
}

static int make_key(const char *path, const char *name)
{
    struct acme_key_p256 key;

    if (!read_key(path, &key))
        return 1;
    printf("/* The vendor's public key, made by nanoacme-anchors: do not edit. */\n\n#include <stdint.h>\n\n"
           "extern const uint8_t %s[%zu];\n\nconst uint8_t %s[] = {",
           name, sizeof key.point, name);
    for (size_t i = 0; i < sizeof key.point; i++)
        printf("%s0x%02x%s", i % 16 == 0 ? "\n    " : " ", key.point[i], i + 1 < sizeof key.point ? "," : "");
    printf("\n};\n");
    acme_key_p256_wipe(&key);
    return written();
}

int main(int argc, char **argv)
{
    bool sign = argc >= 4 && strcmp(argv[1], "--sign") == 0;
    bool replaces = argc == 5 && strcmp(argv[4], "replace") == 0;
    char *end = NULL;
    unsigned long serial = sign ? strtoul(argv[3], &end, 10) : 0;

    /* Not the last number there is: no table could follow it. */
    if (sign && (argc == 4 || replaces) && argv[3][0] >= '0' && argv[3][0] <= '9' && *end == '\0' && serial > 0 &&
        serial < UINT32_MAX)
        return make_table(argv[2], (uint32_t)serial, replaces);
    if (argc == 4 && strcmp(argv[1], "--key") == 0 && is_identifier(argv[3]))
        return make_key(argv[2], argv[3]);
    if (argc == 2 && is_identifier(argv[1]))
        return make_source(argv[1]);
    fputs(USAGE, stderr);
    return 64;
}
