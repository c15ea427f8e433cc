/* Trust anchors from PEM: bounded, the same in any pieces, every certificate read or counted, and parts that lie in the
 * memory lent. The contents of blocks are found by flipping bits of DER too: the first byte chooses whether the input is
 * PEM, or DER to be wrapped. */
#include "fuzz.h"

#include "roots/constraints.h"
#include "roots/roots.h"

struct reading {
    int count;
    struct acme_trust_reader r;
    struct acme_trust trust;
};

static struct fuzz_memory lent;

static int in_lent(const void *part, size_t len)
{
    return fuzz_inside(part, len, lent.byte, sizeof lent.byte);
}

static void look_at(const br_x509_trust_anchor *a)
{
    MUST(a->dn.len > 1 && in_lent(a->dn.data, a->dn.len + acme_constraints_len(a)) && a->dn.data[0] == 0x30);
    MUST((a->flags & ~(unsigned)(BR_X509_TA_CA | ACME_ANCHOR_CONSTRAINED)) == 0);
    if (a->pkey.key_type == BR_KEYTYPE_RSA) {
        MUST(a->pkey.key.rsa.nlen >= 256 && a->pkey.key.rsa.nlen <= 512 &&
             in_lent(a->pkey.key.rsa.n, a->pkey.key.rsa.nlen));
        MUST(a->pkey.key.rsa.elen > 0 && a->pkey.key.rsa.elen <= 8 &&
             in_lent(a->pkey.key.rsa.e, a->pkey.key.rsa.elen));
    } else {
        MUST(a->pkey.key_type == BR_KEYTYPE_EC && in_lent(a->pkey.key.ec.q, a->pkey.key.ec.qlen));
        MUST(a->pkey.key.ec.qlen == (a->pkey.key.ec.curve == BR_EC_secp256r1 ? 65 : 97) && a->pkey.key.ec.q[0] == 4);
    }
    if ((a->flags & ACME_ANCHOR_CONSTRAINED) != 0) {
        const unsigned char *list = a->dn.data + a->dn.len;
        bool permits = acme_anchor_permits(a, "ca.example");
        /* A name that is excluded, or the only one permitted, is where it is named; both ways are looked at. */
        if (*list != 0 && list[1] > 0 && list[2] != '.') {
            char host[256];
            snprintf(host, sizeof host, "%.*s", list[1], (const char *)list + 2);
            MUST(*list == 1 || !acme_anchor_permits(a, host));
        }
        MUST(*list != 0 || permits);
    }
}

static void read_pem(struct reading *to, size_t cap, const char *pem, size_t len, size_t piece)
{
    static struct fuzz_memory memory;

    acme_trust_begin(&to->r, fuzz_room(&lent, cap), cap);
    for (size_t at = 0; at < len; at += piece) {
        size_t have = len - at < piece ? len - at : piece;
        acme_trust_add(&to->r, fuzz_copy(&memory, pem + at, have), have);
        MUST(to->r.error != 0 || to->r.low <= to->r.high);
    }
    to->count = acme_trust_end(&to->r, &to->trust);
    MUST((to->count > 0) == (to->trust.count > 0));
    MUST(to->count < 0 || ((size_t)to->count == to->trust.count && acme_pem_outside(&to->r.pem)));
    for (size_t i = 0; i < to->trust.count; i++) {
        look_at(&to->trust.anchors[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct reading whole, pieces;
    static char text[FUZZ_LEN_MAX];
    size_t left = 0;

    if (len < 3 || len > FUZZ_LEN_MAX / 2) {
        return 0;
    }
    size_t cap = data[1] >= 128 ? 4096 : (size_t)data[1] * 16;
    const char *pem = (const char *)data + 3;
    size_t pem_len = len - 3;
    bool wrap = (data[0] & 1) != 0;
    if (wrap) {
        struct acme_out o;
        acme_out_init(&o, text, sizeof text);
        acme_pem_write(&o, "CERTIFICATE", data + 3, len - 3);
        MUST(!o.overflow);
        pem = text;
        pem_len = o.len;
    }
    read_pem(&whole, cap, pem, pem_len, pem_len + 1);
    for (int i = 0; i < ACME_LEFT_REASONS; i++) {
        left += whole.r.left[i];
    }
    MUST(!wrap || whole.count == ACME_E_WORK_SMALL || whole.r.count + left == 1);
    read_pem(&pieces, cap, pem, pem_len, 1 + (size_t)data[2]);
    MUST(whole.count == pieces.count && memcmp(whole.r.left, pieces.r.left, sizeof whole.r.left) == 0);
    return 0;
}
