#include "keeper.h"

#include "../protocol/trace.h"
#include "../secure/wipe.h"
#include "../wire/date.h"
#include "../wire/pem.h"
#include "../x509/leaf.h"

#define KEY_RECORD_MAX  512  /* written by save: PEM of a P-256 key */
#define KEY_RECORD_READ 4096 /* read: the operator's files may hold comments */

static int blame(struct acme_keeper *k, enum acme_record record, int error)
{
    k->blamed = record;
    return error;
}

static void tell_stored(const struct acme_keeper *k, enum acme_record record)
{
    struct acme_event event = {.kind = ACME_EVENT_STORED, .record = record};
    acme_trace(k->setup, &event);
}

static int get(struct acme_keeper *k, enum acme_record record, void *buf, size_t cap)
{
    int len = k->setup->store->get(k->setup->store->ctx, record, buf, cap);
    return len < 0 ? blame(k, record, len) : len;
}

static int put(struct acme_keeper *k, enum acme_record record, const void *data, size_t len)
{
    int error = k->setup->store->put(k->setup->store->ctx, record, data, len);
    if (error != 0) {
        return blame(k, record, error);
    }
    k->writes++;
    if (len > 0) {
        tell_stored(k, record);
    }
    return 1;
}

/* --- keys --- */

int acme_keeper_load_key(struct acme_keeper *k, enum acme_record record, const struct acme_key *key)
{
    char *work = k->setup->work;
    if (key->ops->load == NULL) {
        return 1;
    }
    int len = get(k, record, work, k->setup->work_len);
    if (len <= 0) {
        return len;
    }
    bool whole = len <= KEY_RECORD_READ && (size_t)len <= k->setup->work_len;
    int error = whole ? key->ops->load(key->handle, work, (size_t)len) : ACME_E_KEY_CORRUPT;
    acme_wipe(work, k->setup->work_len);
    return error < 0 ? blame(k, record, error) : 1 + error;
}

/* Has the key in the handle stored. Returns 1 or an error. */
static int save_key(struct acme_keeper *k, enum acme_record record, const struct acme_key *key)
{
    char *work = k->setup->work;
    int len = key->ops->save(key->handle, work, KEY_RECORD_MAX);
    if (len < 0) {
        return len;
    }
    int done = put(k, record, work, (size_t)len);
    acme_wipe(work, (size_t)len);
    return done;
}

int acme_keeper_make_key(struct acme_keeper *k, enum acme_record record, const struct acme_key *key)
{
    int error = key->ops->generate(key->handle, k->setup->sys);
    if (error != 0) {
        return error < 0 ? error : ACME_KEEPER_AGAIN;
    }
    k->keys++;
    return save_key(k, record, key);
}

#if ACME_CFG_REUSE_KEY
int acme_keeper_next_key(struct acme_keeper *k, const struct acme_key *key)
{
    int done = k->setup->reuse_key ? acme_keeper_load_key(k, ACME_RECORD_KEY, key) : 0;
    return done < 0 || done == ACME_KEEPER_AGAIN ? done
           : done == 0                           ? acme_keeper_make_key(k, ACME_RECORD_KEY_NEXT, key)
                                                 : save_key(k, ACME_RECORD_KEY_NEXT, key);
}
#endif

/* --- account and order --- */

/* As get(), of a record that is only a cache: one that cannot be read is as good as none, and is written anew. */
static size_t get_cached(struct acme_keeper *k, enum acme_record record)
{
    int len = k->setup->store->get(k->setup->store->ctx, record, k->setup->work, k->setup->work_len);
    if (len < 0) {
        struct acme_event event = {.kind = ACME_EVENT_UNREADABLE, .record = record, .error = len};
        acme_trace(k->setup, &event);
    }
    return len < 0 ? 0 : (size_t)len;
}

/* A record as text in the work buffer. One that does not fit is none of ours. */
static struct acme_slice get_text(struct acme_keeper *k, enum acme_record record)
{
    size_t len = get_cached(k, record);
    return acme_slice(k->setup->work, len <= k->setup->work_len ? len : 0);
}

void acme_keeper_recall(struct acme_keeper *k, struct acme_flow *flow, uint32_t *retry_utc)
{
    (void)acme_record_account_read(flow, get_text(k, ACME_RECORD_ACCOUNT));
    (void)acme_record_order_read(flow, get_text(k, ACME_RECORD_ORDER), retry_utc);
    /* The key is made just before finalize. Without its order it is of no use. */
    bool order = flow->order.url[0] != '\0';
    bool key = k->setup->store->get(k->setup->store->ctx, ACME_RECORD_KEY_NEXT, NULL, 0) != 0;
    flow->finalized = order && (key || k->setup->certificate_key.ops->load == NULL);
    flow->drop_key = key && !order;
}

/* What does not fit was cut, and must not be taken for the whole. */
static int put_text(struct acme_keeper *k, enum acme_record record, const struct acme_out *o)
{
    return o->overflow ? blame(k, record, ACME_E_WORK_SMALL) : put(k, record, o->at, o->len);
}

int acme_keeper_retry(struct acme_keeper *k, const struct acme_flow *flow, uint32_t retry_utc)
{
    struct acme_out o;
    acme_out_init(&o, k->setup->work, k->setup->work_len);
    acme_record_order_write(&o, flow, retry_utc);
    return put_text(k, ACME_RECORD_ORDER, &o);
}

static int put_account(struct acme_keeper *k, const struct acme_flow *flow)
{
    struct acme_out o;
    acme_out_init(&o, k->setup->work, k->setup->work_len);
    acme_record_account_write(&o, flow);
    return put_text(k, ACME_RECORD_ACCOUNT, &o);
}

int acme_keeper_forget(struct acme_keeper *k)
{
    return put(k, ACME_RECORD_ORDER, NULL, 0);
}

/* --- beside issuing --- */

#if ACME_CFG_MANAGE

int acme_keeper_next_account_key(struct acme_keeper *k, bool make)
{
    const struct acme_key *key = &k->setup->certificate_key;
    if (key->ops->load == NULL || key->ops != k->setup->account_key.ops) {
        return 0; /* there can be none */
    }
    int done = acme_keeper_load_key(k, ACME_RECORD_ACCOUNT_KEY_NEXT, key);
    return done == 0 && make ? acme_keeper_make_key(k, ACME_RECORD_ACCOUNT_KEY_NEXT, key) : done;
}

/* The next key's record becomes the account key's. */
static int copy_next_account_key(struct acme_keeper *k)
{
    char *work = k->setup->work;
    int len = get(k, ACME_RECORD_ACCOUNT_KEY_NEXT, work, k->setup->work_len);
    if (len <= 0) {
        return len < 0 ? len : blame(k, ACME_RECORD_ACCOUNT_KEY_NEXT, ACME_E_KEY_CORRUPT);
    }
    int done = put(k, ACME_RECORD_ACCOUNT_KEY, work, (size_t)len); /* it has been read as a key: it fits */
    acme_wipe(work, (size_t)len);
    return done;
}

/* Part of acme_keeper_flow(). */
static int keep_managed(struct acme_keeper *k, struct acme_flow *flow)
{
    struct acme_manage *m = &flow->manage;
    if (m->promote) {
        m->promote = false;
        m->promoted = true;
        return copy_next_account_key(k);
    }
    if (m->promoted) {
        int done = acme_keeper_load_key(k, ACME_RECORD_ACCOUNT_KEY, &k->setup->account_key);
        if (done == ACME_KEEPER_AGAIN) {
            return done;
        }
        m->promoted = m->by_next = m->next = false;
        m->drop_next = true;
        flow->save_account = m->what != ACME_DEACTIVATE;
        return done == 0 ? blame(k, ACME_RECORD_ACCOUNT_KEY, ACME_E_KEY_CORRUPT) : done;
    }
    if (m->drop_next) {
        m->drop_next = false;
        return put(k, ACME_RECORD_ACCOUNT_KEY_NEXT, NULL, 0);
    }
    if (m->drop_account) {
        m->drop_account = false;
        return put(k, ACME_RECORD_ACCOUNT, NULL, 0);
    }
    return 0;
}

#else
#define keep_managed(k, flow) 0
#endif

int acme_keeper_flow(struct acme_keeper *k, struct acme_flow *flow, uint32_t utc)
{
    int managed = keep_managed(k, flow);
    if (managed != 0) {
        return managed;
    }
    if (flow->drop_order) { /* the key goes after it: without its order it is dropped at the next start anyway */
        flow->drop_order = false;
        flow->drop_key = true;
        return acme_keeper_forget(k);
    }
    if (flow->drop_key) {
        flow->drop_key = false;
        return put(k, ACME_RECORD_KEY_NEXT, NULL, 0);
    }
    if (flow->save_account) {
        flow->save_account = false;
        return put_account(k, flow);
    }
    if (flow->save_order) {
        flow->save_order = false;
        flow->since = flow->since == 0 ? utc : flow->since;
        return acme_keeper_retry(k, flow, 0);
    }
    return 0;
}

/* --- the pair in use --- */

/* Decodes the first certificate of a chain over its own text. */
static bool read_leaf(struct acme_leaf *leaf, struct acme_pem *pem, char *text, size_t len)
{
    acme_pem_init(pem, text, len);
    for (size_t at = 0; at < len;) {
        size_t used = 0;
        int event = acme_pem_read(pem, text + at, len - at, &used);
        at += used;
        if (event == ACME_PEM_END) {
            return acme_leaf_parse(leaf, pem->der, pem->len) == 0 && acme_leaf_has_key(leaf);
        }
        if (event <= 0) {
            return false;
        }
    }
    return false;
}

#if ACME_CFG_RENEWAL
static void mark(struct acme_pair *pair, const struct acme_leaf *leaf, const struct acme_pem *pem,
                 struct acme_flow *flow)
{
    struct acme_out id;
    pair->mark = acme_mark_of_leaf(pem->der, pem->len);
    acme_out_init(&id, flow->info.certid, sizeof(flow->info.certid));
    acme_certid_write(&id, leaf);
    acme_out_bytes(&id, "", 1);
}
#else
#define mark(pair, leaf, pem, flow) ((void)(flow))
#endif

int acme_keeper_pair(struct acme_keeper *k, struct acme_pair *pair, struct acme_flow *flow)
{
    char *work = k->setup->work;
    struct acme_leaf leaf;
    struct acme_pem pem;
    size_t len = get_cached(k, ACME_RECORD_CHAIN); /* the CA can be asked for another */
    size_t have = len < k->setup->work_len ? len : k->setup->work_len;
    if (!read_leaf(&leaf, &pem, work, have)) {
        return have < len ? blame(k, ACME_RECORD_CHAIN, ACME_E_CERT_BIG) : 0;
    }
    pair->not_before = acme_moment(leaf.not_before);
    pair->not_after = acme_moment(leaf.not_after);
    pair->same_names = acme_leaf_names_are(&leaf, k->setup->names, k->setup->name_count, k->setup->more_names);
    acme_leaf_key(&leaf, pair->point);
    mark(pair, &leaf, &pem, flow);
    return 1;
}

#if ACME_CFG_RENEWAL

void acme_keeper_renewal(struct acme_keeper *k, struct acme_renewal *renewal)
{
    acme_renewal_read(renewal, get_text(k, ACME_RECORD_RENEWAL));
}

int acme_keeper_keep_renewal(struct acme_keeper *k, const struct acme_renewal *renewal)
{
    struct acme_out o;
    size_t half = k->setup->work_len / 2; /* the record so far lies in the other one */
    char *before = (char *)k->setup->work + half;
    int len = k->setup->store->get(k->setup->store->ctx, ACME_RECORD_RENEWAL, before, half);
    acme_out_init(&o, k->setup->work, half);
    acme_renewal_write(&o, renewal, acme_slice(before, len > 0 && (size_t)len <= half ? (size_t)len : 0));
    return put_text(k, ACME_RECORD_RENEWAL, &o);
}

#endif

#if ACME_CFG_MANAGE
int acme_keeper_leaf(struct acme_keeper *k, size_t *der_len)
{
    char *work = k->setup->work;
    size_t cap = k->setup->work_len;
    struct acme_leaf leaf;
    struct acme_pem pem;
    int len = get(k, ACME_RECORD_CHAIN, work, cap);
    if (len < 0) {
        return len;
    }
    size_t have = (size_t)len < cap ? (size_t)len : cap;
    if (!read_leaf(&leaf, &pem, work, have)) {
        return blame(k, ACME_RECORD_CHAIN, have < (size_t)len ? ACME_E_CERT_BIG : ACME_E_NO_CERT);
    }
    memmove(work + cap - pem.len, work, pem.len); /* the end of the buffer is where requests are made from */
    *der_len = pem.len;
    return 0;
}
#endif

int acme_keeper_append(struct acme_keeper *k, const void *data, size_t len)
{
    int error = k->setup->store->append(k->setup->store->ctx, data, len);
    return error != 0 ? blame(k, ACME_RECORD_CHAIN, error) : 0;
}

int acme_keeper_commit(struct acme_keeper *k)
{
    int error = k->setup->store->commit(k->setup->store->ctx);
    if (error != 0) {
        return blame(k, ACME_RECORD_CHAIN, error);
    }
    k->writes++;
    tell_stored(k, ACME_RECORD_CHAIN);
    return 0;
}
