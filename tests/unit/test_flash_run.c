/* test_flash_run.c - a whole device in virtual time whose store is port/flash: the power goes at any unit of a run, a sector
 * is worn out, a bit fades. Every time there is a certificate within two runs, and one account. What runs cost in wear. */
#include "unit.h"

#include "fake/device.h"
#include "fake/flash.h"
#include "fault/fastkey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct ca_plan plan = {
    .names = {"a.example"}, .name_count = 1, .authz_looks = 2, .processing = 2, .shared = true, .reuse = true};

static struct device w, w_then;
static struct flash flash, flash_then;
static struct acme_flash_store s;
static struct acme_store own; /* the device's: what the flash answers has to be the same */
static unsigned writes;       /* records and commits                                     */

static int both_get(void *ctx, enum acme_record record, void *buf, size_t cap)
{
    static char text[8192];
    int len = own.get(own.ctx, record, text, cap);
    assert_int_equal(s.store.get(s.store.ctx, record, buf, cap), len);
    assert_memory_equal(buf != NULL ? buf : text, text, (size_t)len < cap ? (size_t)len : cap);
    return len;
}

static int both_put(void *ctx, enum acme_record record, const void *data, size_t len)
{
    int error = s.store.put(s.store.ctx, record, data, len);
    writes++;
    return error != 0 ? error : own.put(own.ctx, record, data, len);
}

static int both_append(void *ctx, const void *data, size_t len)
{
    int error = s.store.append(s.store.ctx, data, len);
    return error != 0 ? error : own.append(own.ctx, data, len);
}

static int both_commit(void *ctx)
{
    int error = s.store.commit(s.store.ctx);
    writes++;
    return error != 0 ? error : own.commit(own.ctx);
}

/* The power comes: what the flash has is what there is. */
static void power_on(void)
{
    flash_on(&flash);
    memset(&s, 0xa5, sizeof s);
    assert_int_equal(acme_flash_init(&s, &flash.device), 0);
    for (unsigned i = 0; i < DEVICE_RECORDS; i++) {
        int len = s.store.get(s.store.ctx, i, w.record[i].data, sizeof w.record[i].data);
        assert_true(len >= 0);
        w.record[i].len = (size_t)len;
    }
    w.keys = &fastkey_ops;
    assert_int_equal(device_boot(&w), 0);
    own = w.store;
    w.store = (struct acme_store){&w, both_get, both_put, both_append, both_commit};
}

/* A run, from boot to its end or until the power goes. */
static enum acme_progress run(enum acme_task when)
{
    enum acme_progress progress = ACME_BUSY;

    assert_int_equal(acme_start(&w.client, when, w.now_ms), 0);
    while (!acme_is_over(progress) && !flash.off) {
        progress = device_tick(&w);
    }
    return progress;
}

static void new_device(const struct ca_plan *with, uint32_t unit, bool ecc)
{
    device_new(&w, with);
    flash_new(&flash, false, 0xff);
    flash.device.prog_size = unit;
    flash.ecc = ecc;
    power_on();
}

static void keep(void)
{
    w_then = w;
    flash_then = flash;
}

/* The same world again. Chains that are made on the way are the CA's and freed with it. */
static void again(void)
{
    for (unsigned i = w_then.ca.order_count; i < w.ca.order_count; i++) {
        free(w.ca.order[i].chain);
    }
    w = w_then;
    flash = flash_then;
    power_on();
}

/* One certificate after at most two runs, one account, the pair whole; nothing was programmed twice. */
static void issues(const char *what, unsigned at)
{
    for (unsigned tries = 0; run(ACME_NOW) != ACME_ISSUED; tries++) {
        if (tries == 1) {
            fail_msg("%s %u: error %d in the second run", what, at, acme_failure(&w.client)->error);
        }
        power_on();
    }
    device_check_pair(&w);
    power_on();
    device_check_pair(&w);
    assert_int_equal(w.ca.accounts, 1);
    assert_int_equal(flash.misused, 0);
}

/* Cut at every unit and every erase of a run; which of all is cut where moves on from unit to unit. */
static unsigned cut_a_run(uint32_t unit, bool ecc, unsigned step)
{
    unsigned cuts = 0;

    for (unsigned cut = 1 + unit % step;; cut += step, cuts++) {
        again();
        flash.device.prog_size = unit;
        flash.ecc = ecc;
        flash.cut_at = cut;
        flash.how = cut / step % FLASH_CUTS;
        (void)run(ACME_NOW);
        if (!flash.off) {
            return cuts;
        }
        power_on();
        issues("cut at step", cut);
    }
}

TEST(test_cut)
{
    unsigned cuts = 0;
    for (unsigned life = 0; life < 2; life++) { /* the first certificate, and the third */
        new_device(&plan, 8, true);
        for (unsigned i = 0; i < 2 * life; i++) {
            issues("run", i);
        }
        keep();
        for (uint32_t unit = 1; unit <= 32; unit *= 2) {
            cuts += cut_a_run(unit, unit != 2, unit == 32 ? 1 : 160 / unit);
        }
    }
    printf("# %u runs cut\n", cuts);
    assert_true(cuts > 300);
}

TEST(test_worn)
{
    for (unsigned sector = 1; sector <= FLASH_SECTORS; sector++) {
        for (enum flash_wear wear = FLASH_GOOD + 1; wear < FLASH_WEARS; wear++) {
            new_device(&plan, 8, true);
            issues("first run, sector", sector);
            flash.sector_worn = sector;
            flash.wear = wear;
            for (unsigned i = 0; i < 4; i++) {
                issues("worn sector", sector);
            }
        }
    }
}

TEST(test_fading)
{
    for (unsigned ecc = 0; ecc < 2; ecc++) {
        new_device(&plan, 8, ecc);
        issues("first run", 0);
        issues("second run", 0);
        keep();
        for (uint32_t at = 0; at < FLASH_BYTES; at += 29) {
            if (!flash_then.programmed[at]) {
                continue;
            }
            again();
            flash_flip(&flash, at, at % 8);
            power_on();
            device_check_pair(&w);
            issues("bit faded at", at);
        }
    }
}

/* --- wear --- */

static unsigned most(void)
{
    unsigned worst = 0;
    for (unsigned i = 0; i < FLASH_SECTORS; i++) {
        worst = flash.erases[i] > worst ? flash.erases[i] : worst;
    }
    return worst;
}

static unsigned all(void)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < FLASH_SECTORS; i++) {
        sum += flash.erases[i];
    }
    return sum;
}

/* The client decides by itself when to come, from now on and until then or until its power goes. Returns how many rounds ended
 * so. */
static unsigned keep_until(int64_t end, enum acme_progress how)
{
    unsigned rounds = 0;

    assert_int_equal(acme_start(&w.client, ACME_KEEP, w.now_ms), 0);
    while (w.utc < end && !flash.off) {
        rounds += device_tick(&w) == how;
    }
    return rounds;
}

TEST(test_renewals)
{
    const unsigned renewals = 6; /* as many as the scripted CA has room for */
    new_device(&plan, 8, true);
    assert_int_equal(keep_until(w.utc + 3600, ACME_ISSUED), 1);
    memset(flash.erases, 0, sizeof flash.erases);
    writes = 0;
    for (unsigned i = 0; i < renewals; i++) {
        int64_t from = 0, to = 0;
        assert_true(acme_validity(&w.client, &from, &to, NULL));
        power_on();
        assert_int_equal(keep_until(to - (to - from) / 4, ACME_ISSUED), 1);
        device_check_pair(&w);
    }
    printf("# %u renewals: %u writes, %u erases, %u of the sector most used\n", renewals, writes, all(), most());
    assert_true(most() <= renewals && all() <= 2 * 3 * renewals && writes <= 8 * renewals);
}

/* Days on which every attempt fails, and the power goes each noon. */
static void fail_for_days(const struct ca_plan *with, enum flash_wear wear)
{
    const unsigned days = 12;
    unsigned first = 0, rounds = 0;

    new_device(with, 8, true);
    flash.wear = wear;
    flash.sector_worn = wear != FLASH_GOOD;
    writes = 0;
    for (unsigned day = 0; day < days; day++) {
        rounds += keep_until(w.utc + 86400, ACME_FAILED);
        if (day == 0) {
            first = rounds;
        }
        w.ca.order_count = w.ca.order_count > 3 ? 3 : w.ca.order_count;
        power_on();
    }
    printf("# %u days, %u attempts on the first, %u in all: %u writes, %u erases, %u of the sector most used\n", days,
           first, rounds, writes, all(), most());
    assert_true(first <= 5 && rounds <= first + days);
    assert_true(all() <= 2 * days && most() <= days / 3 && writes <= 6 * rounds);
    assert_int_equal(flash.misused, 0);
}

TEST(test_failing_days)
{
    static const struct ca_plan invalid = {
        .names = {"a.example"}, .name_count = 1, .authz_looks = 2, .authz_end = "invalid", .shared = true};
    fail_for_days(&invalid, FLASH_GOOD);
    fail_for_days(&invalid, FLASH_SILENT);
}
