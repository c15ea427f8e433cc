/* sha2.c - SHA-256, SHA-384 and SHA-512 in place of BearSSL's: the same functions, 3.1 KB smaller.
 *
 * BearSSL writes eight rounds out and has two tables; here a round stands once, and SHA-256's constants are the upper
 * halves of SHA-512's (FIPS 180-4, 4.2 and 5.3). There is no SHA-224, which nothing here asks for. Time does not depend on data. */
#include <stddef.h>
#include <string.h>

#include <bearssl.h>

static const uint64_t iv512[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                                  0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

static const uint64_t iv384[8] = {0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
                                  0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4};

static const uint64_t constants[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc, 0x3956c25bf348b538,
    0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118, 0xd807aa98a3030242, 0x12835b0145706fbe,
    0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2, 0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235,
    0xc19bf174cf692694, 0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5, 0x983e5152ee66dfab,
    0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4, 0xc6e00bf33da88fc2, 0xd5a79147930aa725,
    0x06ca6351e003826f, 0x142929670a0e6e70, 0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed,
    0x53380d139d95b3df, 0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30, 0xd192e819d6ef5218,
    0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8, 0x19a4c116b8d2d0c8, 0x1e376c085141ab53,
    0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8, 0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373,
    0x682e6ff3d6b2b8a3, 0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b, 0xca273eceea26619c,
    0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178, 0x06f067aa72176fba, 0x0a637dc5a2c898a6,
    0x113f9804bef90dae, 0x1b710b35131c471b, 0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc,
    0x431d67c49c100d4c, 0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817};

struct __attribute__((packed, may_alias)) word {
    uint32_t word;
};

/* Between numbers of `size` bytes and big-endian ones, in either direction. */
static void swap(void *to, const void *from, size_t len, size_t size)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    for (size_t i = 0; i < len / 4; i++) {
        ((struct word *)to)[i ^ (size / 4 - 1)].word = __builtin_bswap32(((const struct word *)from)[i].word);
    }
#else
    (void)size;
    memcpy(to, from, len);
#endif
}

#define ROTATE(x, n) ((x) >> (n) | (x) << (8 * sizeof(x) - (n)))

/* A block, FIPS 180-4, 6.2.2 and 6.4.2. Instead of moving a..h along, p goes down by a word each round: p[0] is a, p[7] h. */
#define COMPRESS(name, type, rounds, constant, a0, a1, a2, e0, e1, e2, s0, s1, s2, u0, u1, u2)                       \
    static void name(type *value, const uint8_t *block)                                                              \
    {                                                                                                                \
        type w[16], state[rounds + 8], *p = state + rounds;                                                          \
                                                                                                                     \
        swap(w, block, sizeof w, sizeof(type));                                                                      \
        memcpy(p, value, 8 * sizeof(type));                                                                          \
        for (unsigned i = 0; i < rounds; i++, p--) {                                                                 \
            type t = w[i % 16], s = w[(i + 1) % 16], u = w[(i + 14) % 16];                                           \
            w[i % 16] = t + w[(i + 9) % 16] + (ROTATE(s, s0) ^ ROTATE(s, s1) ^ s >> s2) +                            \
                        (ROTATE(u, u0) ^ ROTATE(u, u1) ^ u >> u2); /* for the 16th round from here */                \
            t += p[7] + (ROTATE(p[4], e0) ^ ROTATE(p[4], e1) ^ ROTATE(p[4], e2)) + (((p[5] ^ p[6]) & p[4]) ^ p[6]) + \
                 (constant);                                                                                         \
            p[3] += t;                                                                                               \
            p[-1] = t + (ROTATE(p[0], a0) ^ ROTATE(p[0], a1) ^ ROTATE(p[0], a2)) +                                   \
                    ((p[0] & p[1]) | ((p[0] | p[1]) & p[2]));                                                        \
        }                                                                                                            \
        for (unsigned i = 0; i < 8; i++) {                                                                           \
            value[i] += p[i];                                                                                        \
        }                                                                                                            \
    }

COMPRESS(compress32, uint32_t, 64, (uint32_t)(constants[i] >> 32), 2, 13, 22, 6, 11, 25, 7, 18, 3, 17, 19, 10)
COMPRESS(compress64, uint64_t, 80, constants[i], 28, 34, 39, 14, 18, 41, 1, 8, 7, 19, 61, 6)

/* The contexts of both are a pointer, a block, how many bytes there were, and the value so far. */
#define COUNT_AT(block) ((block) + 8)
typedef char small_as_told[offsetof(br_sha256_context, count) == COUNT_AT(64) ? 1 : -1];
typedef char large_as_told[offsetof(br_sha512_context, count) == COUNT_AT(128) ? 1 : -1];

static uint8_t *buffer_of(void *context)
{
    return (uint8_t *)context + sizeof(const br_hash_class *);
}

static uint64_t *count_of(void *context, size_t block)
{
    return (uint64_t *)(void *)((uint8_t *)context + COUNT_AT(block));
}

static void compress(void *context, size_t block)
{
    void *value = count_of(context, block) + 1;

    if (block == 64) {
        compress32(value, buffer_of(context));
    } else {
        compress64(value, buffer_of(context));
    }
}

static void update(void *context, size_t block, const uint8_t *data, size_t len)
{
    uint64_t *count = count_of(context, block);

    while (len > 0) {
        size_t at = (size_t)*count & (block - 1), part = len < block - at ? len : block - at;
        memcpy(buffer_of(context) + at, data, part);
        *count += part;
        data += part;
        len -= part;
        if (at + part == block) {
            compress(context, block);
        }
    }
}

/* A one, zeros, the number of bits; then the value is the digest. */
static void finish(void *copy, size_t block, void *digest, size_t len)
{
    const uint64_t *count = count_of(copy, block), bits = *count << 3;
    uint8_t *buffer = buffer_of(copy);
    size_t at = (size_t)*count & (block - 1);

    buffer[at++] = 0x80;
    memset(buffer + at, 0, block - at);
    if (at > block - block / 8) {
        compress(copy, block);
        memset(buffer, 0, block);
    }
    swap(buffer + block - sizeof bits, &bits, sizeof bits, sizeof bits);
    compress(copy, block);
    swap(digest, count + 1, len, block / 16);
}

void br_sha256_init(br_sha256_context *c)
{
    c->vtable = &br_sha256_vtable;
    c->count = 0;
    for (int i = 0; i < 8; i++) {
        c->val[i] = (uint32_t)(iv512[i] >> 32);
    }
}

void br_sha256_update(br_sha256_context *c, const void *data, size_t len)
{
    update(c, sizeof c->buf, data, len);
}

void br_sha256_out(const br_sha256_context *c, void *digest)
{
    br_sha256_context copy = *c;
    finish(&copy, sizeof c->buf, digest, br_sha256_SIZE);
}

uint64_t br_sha256_state(const br_sha256_context *c, void *state)
{
    swap(state, c->val, sizeof c->val, sizeof c->val[0]);
    return c->count;
}

void br_sha256_set_state(br_sha256_context *c, const void *state, uint64_t count)
{
    swap(c->val, state, sizeof c->val, sizeof c->val[0]);
    c->count = count;
}

static void init64(br_sha512_context *c, const br_hash_class *vtable, const uint64_t *iv)
{
    c->vtable = vtable;
    c->count = 0;
    memcpy(c->val, iv, sizeof c->val);
}

static void out64(const br_sha512_context *c, void *digest, size_t len)
{
    br_sha512_context copy = *c;
    finish(&copy, sizeof c->buf, digest, len);
}

void br_sha384_init(br_sha384_context *c)
{
    init64(c, &br_sha384_vtable, iv384);
}

void br_sha512_init(br_sha512_context *c)
{
    init64(c, &br_sha512_vtable, iv512);
}

void br_sha512_update(br_sha512_context *c, const void *data, size_t len)
{
    update(c, sizeof c->buf, data, len);
}

void br_sha384_out(const br_sha384_context *c, void *digest)
{
    out64(c, digest, br_sha384_SIZE);
}

void br_sha512_out(const br_sha512_context *c, void *digest)
{
    out64(c, digest, br_sha512_SIZE);
}

uint64_t br_sha512_state(const br_sha512_context *c, void *state)
{
    swap(state, c->val, sizeof c->val, sizeof c->val[0]);
    return c->count;
}

void br_sha512_set_state(br_sha512_context *c, const void *state, uint64_t count)
{
    swap(c->val, state, sizeof c->val, sizeof c->val[0]);
    c->count = count;
}

/* The casts are BearSSL's: each function takes its own context, of which the class is the first member. */
#define CLASS(name, state, log_block, padding)                                                                       \
    const br_hash_class br_##name##_vtable = {                                                                       \
        sizeof(br_##name##_context),                                                                                 \
        BR_HASHDESC_ID(br_##name##_ID) | BR_HASHDESC_OUT(br_##name##_SIZE) | BR_HASHDESC_STATE(state) |              \
            BR_HASHDESC_LBLEN(log_block) | BR_HASHDESC_MD_PADDING | BR_HASHDESC_MD_PADDING_BE | (padding),           \
        (void (*)(const br_hash_class **))br_##name##_init,                                                          \
        (void (*)(const br_hash_class **, const void *, size_t))br_##name##_update,                                  \
        (void (*)(const br_hash_class *const *, void *))br_##name##_out,                                             \
        (uint64_t(*)(const br_hash_class *const *, void *))br_##name##_state,                                        \
        (void (*)(const br_hash_class **, const void *, uint64_t))br_##name##_set_state}

CLASS(sha256, 32, 6, 0);
CLASS(sha384, 64, 7, BR_HASHDESC_MD_PADDING_128);
CLASS(sha512, 64, 7, BR_HASHDESC_MD_PADDING_128);
