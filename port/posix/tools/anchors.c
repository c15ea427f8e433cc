/* anchors.c - turns PEM root certificates into a C table of trust anchors for firmware: nanoacme-anchors NAME
 * <PEM. */

#include <stdio.h>
#include <string.h>

#include "../roots.h"
#include "secure/constraints.h"

static unsigned char memory[1 << 20]; /* the largest root stores in use need about a quarter of it */

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

static int read_anchors(struct acme_trust_reader *reader, struct acme_trust *trust)
{
    char piece[4096];
    size_t len;

    acme_trust_begin(reader, memory, sizeof memory);
    while ((len = fread(piece, 1, sizeof piece, stdin)) > 0)
        acme_trust_add(reader, piece, len);
    return acme_trust_end(reader, trust);
}

int main(int argc, char **argv)
{
    static struct acme_trust_reader reader;
    struct acme_trust trust;

    if (argc != 2 || argv[1][strspn(argv[1], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] ||
        argv[1][0] == 0) {
        fprintf(stderr, "usage: nanoacme-anchors NAME <roots.pem >table.c; NAME is a C identifier\n");
        return 64;
    }
    int count = read_anchors(&reader, &trust);
    char words[ACME_ROOTS_WORDS];
    size_t left = acme_roots_words(&reader, words);
    if (count < 0) {
        fprintf(stderr, "nanoacme-anchors: no table: %s%s\n", words, acme_roots_trouble(&reader));
        return 1;
    }
    fprintf(stderr, "nanoacme-anchors: %s%s\n", left > 0 ? "warning: " : "", words);

    printf("/* %zu trust anchors, made by nanoacme-anchors: do not edit. */\n\n", trust.count);
    printf("#include <stdint.h>\n\n#include \"secure/%s.h\"\n\nextern const struct acme_trust %s;\n\n",
           reader.constrained ? "constraints" : "anchors", argv[1]);
    for (size_t i = 0; i < trust.count; i++)
        print_arrays(argv[1], i, &trust.anchors[i]);
    printf("\nstatic const br_x509_trust_anchor %s_anchors[] = {\n", argv[1]);
    for (size_t i = 0; i < trust.count; i++)
        print_anchor(argv[1], i, &trust.anchors[i]);
    printf("};\n\nconst struct acme_trust %s = {%s_anchors, %zu, %s};\n", argv[1], argv[1], trust.count,
           reader.constrained ? "acme_constraints_permit" : "NULL");
    return ferror(stdout) || fclose(stdout) ? 1 : 0;
}
