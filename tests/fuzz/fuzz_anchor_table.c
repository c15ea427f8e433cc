/* A table of trust anchors, as it is read before or without a look at who signed it: bounded, the same with or without a place
 * for the anchors, and parts that lie in the table, each behind the one before. It is never one when it is cut. The first two
 * bytes: half of the inputs get the head and the lengths that make their bytes a table. */
#include "fuzz.h"

#include "roots/anchor_table.h"
#include "roots/constraints.h"
#include "roots/roots.h"

#define HEAD     20
#define SIGNED   64
#define ROOM_MAX 64

static void look_at(const br_x509_trust_anchor *a, const uint8_t *table, size_t len)
{
    MUST((a->flags & ~(unsigned)(BR_X509_TA_CA | ACME_ANCHOR_CONSTRAINED)) == 0);
    MUST(a->dn.len > 0 && fuzz_inside(a->dn.data, a->dn.len + acme_constraints_len(a), table, len));
    if (a->pkey.key_type == BR_KEYTYPE_RSA) {
        MUST(a->pkey.key.rsa.nlen >= 256 && a->pkey.key.rsa.nlen <= 512 && a->pkey.key.rsa.elen > 0 &&
             a->pkey.key.rsa.elen <= 8);
        MUST(fuzz_inside(a->pkey.key.rsa.n, a->pkey.key.rsa.nlen, table, len) &&
             fuzz_inside(a->pkey.key.rsa.e, a->pkey.key.rsa.elen, table, len));
    } else {
        MUST(a->pkey.key_type == BR_KEYTYPE_EC && fuzz_inside(a->pkey.key.ec.q, a->pkey.key.ec.qlen, table, len));
        MUST(a->pkey.key.ec.qlen == (a->pkey.key.ec.curve == BR_EC_secp256r1 ? 65 : 97) && a->pkey.key.ec.q[0] == 4);
    }
    if ((a->flags & ACME_ANCHOR_CONSTRAINED) != 0) {
        (void)acme_anchor_permits(a, "ca.example");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct fuzz_memory memory, cut;
    static br_x509_trust_anchor room[ROOM_MAX];
    struct acme_anchor_table t, again;

    if (len < 2 || len > FUZZ_LEN_MAX - 256) {
        return 0;
    }
    bool wrap = (data[0] & 1) != 0;
    size_t table_len = len - 2 + (wrap ? HEAD + SIGNED : 0);
    uint8_t *table = fuzz_room(&memory, table_len);
    if (wrap) {
        const uint8_t head[HEAD] = {'a',
                                    'c',
                                    'm',
                                    'e',
                                    'R',
                                    'O',
                                    'O',
                                    'T',
                                    1,
                                    data[0] >> 1 & 1,
                                    0,
                                    data[1] % ROOM_MAX,
                                    0,
                                    0,
                                    0,
                                    7,
                                    0,
                                    0,
                                    (uint8_t)(table_len >> 8),
                                    (uint8_t)table_len};
        memcpy(table, head, HEAD);
        memset(table + table_len - SIGNED, 0xa5, SIGNED);
    }
    if (len > 2) {
        memcpy(table + (wrap ? HEAD : 0), data + 2, len - 2);
    }
    int err = acme_anchor_table_read(&t, table, table_len, NULL);
    MUST(err == 0 || err == ACME_E_TABLE);
    if (err == 0) {
        MUST(t.count > 0 && fuzz_inside(t.all.at, t.all.len, table, table_len));
        MUST(acme_anchor_table_read(&again, fuzz_copy(&cut, table, t.all.len - 1), t.all.len - 1, NULL) ==
             ACME_E_TABLE);
    }
    if (err == 0 && t.count <= ROOM_MAX) {
        bool constrained = false;
        MUST(acme_anchor_table_read(&again, table, table_len, room) == 0 && again.count == t.count);
        for (size_t i = 0; i < t.count; i++) {
            look_at(&room[i], table, t.all.len - SIGNED);
            constrained = constrained || (room[i].flags & ACME_ANCHOR_CONSTRAINED) != 0;
        }
        MUST(constrained == t.constrained && again.constrained == constrained);
    }
    return 0;
}
