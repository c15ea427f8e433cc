/* daemon.c - the verb `daemon`: keeps all certificates of a state directory renewed, for ever.
 *
 * This process talks to nobody. It asks the core's plan of each certificate, by the wall clock and at least each minute,
 * whether a moment has come that matters; then a process of its own takes that certificate through one round of ACME_KEEP
 * (renew.c), with the rights, the fence and the lock of that one. One at a time: there is one client's memory in use at most,
 * whatever the number of certificates. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "due.h"
#include "notify.h"
#include "program.h"
#include "renew.h"

#define WAKE_MS 60000U
#define HELD    256
#define HELD_S  3600 /* a round that changes nothing, as with a setup that cannot be read, is not repeated before */

static struct {
    const struct acme_config *config; /* flags and config file; in force until another could be read */
    struct acme_list list;
    struct acme_notify notify;
    /* Certificates whose last round has failed and left the plan as it was. */
    struct held {
        uint32_t mark;
        int64_t until_ms; /* monotonic */
    } held[HELD];
    char status[320];
} d;

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static uint32_t mark_of(const char *name)
{
    uint32_t mark = 2166136261U; /* FNV-1a */
    for (; *name != '\0'; name++) {
        mark = (mark ^ (unsigned char)*name) * 16777619U;
    }
    return mark;
}

static struct held *held_of(const char *name)
{
    return &d.held[mark_of(name) % HELD];
}

static bool is_held(const char *name)
{
    const struct held *h = held_of(name);
    return h->mark == mark_of(name) && h->until_ms > now_ms();
}

/* Sleeps as long as the watchdog allows, and tells it that we live. */
static void pause_for(uint32_t ms)
{
    uint64_t half = d.notify.watchdog_us / 2000;
    acme_child_pause(half > 0 && half < ms ? (uint32_t)half : ms);
    acme_notify_alive(&d.notify);
}

/* Tells it, when it is another than before. */
static void say_status(const char *about, const char *what, const char *when)
{
    char text[sizeof d.status];
    (void)snprintf(text, sizeof text, "%s%s%s", about, what, when);
    if (strcmp(text, d.status) != 0) {
        memcpy(d.status, text, sizeof text);
        acme_notify_status(&d.notify, text);
    }
}

/* When something is to be done about the certificate; ACME_TIME_NOW or earlier than `now`: at once. */
static int64_t wake_of(const char *name)
{
    static struct acme_look look;
    acme_look(&look, d.config, name);
    return look.setup_wrong != NULL ? ACME_TIME_NOW : look.plan.wake;
}

/* One round of one certificate. */
static void do_round(const char *name)
{
    const struct acme_renew_job job = {.base = d.config, .name = name, .state = d.list.folder};
    pid_t child = acme_child_start(acme_renew_work, (void *)(uintptr_t)&job);
    struct held *h = held_of(name);
    bool told = false;
    int code = ACME_EXIT_FAILED;

    say_status(name, ": at work", "");
    if (child < 0) {
        acme_report_error("%s: cannot start a process: %s", name, strerror(errno));
    }
    while (child >= 0 && !acme_child_ended(child, &code)) {
        if (acme_child_stop && !told) {
            (void)kill(child, SIGTERM);
            told = true;
        }
        pause_for(WAKE_MS);
    }
    if (wake_of(name) <= (int64_t)time(NULL) && code != ACME_EXIT_NEW) {
        h->mark = mark_of(name);
        h->until_ms = now_ms() + HELD_S * 1000;
    }
}

/* Does what is due now. Returns the milliseconds until something will be, a minute at most. */
static uint32_t look_around(void)
{
    int64_t next = ACME_TIME_NEVER, now;
    char name[254] = "", text[40] = "";
    struct acme_out o;
    int code = acme_list_open(&d.list, d.config->state);

    if (acme_renew_by_file(d.config, name)) {
        acme_list_add(&d.list, name);
    }
    if (code != 0 && code != ENOENT) {
        acme_report_error("cannot read %s: %s", d.config->state, strerror(code));
    }
    name[0] = '\0';
    for (size_t i = 0; i < d.list.count && !acme_child_stop && !acme_child_again; i++) {
        const char *each = acme_list_name(&d.list, i);
        int64_t wake = is_held(each) ? ACME_TIME_NEVER : wake_of(each);
        if (wake <= (int64_t)time(NULL)) {
            do_round(each);
            wake = is_held(each) ? ACME_TIME_NEVER : wake_of(each);
        }
        if (wake < next) {
            next = wake;
            (void)snprintf(name, sizeof name, "%s", each);
        }
    }
    acme_list_close(&d.list);
    now = (int64_t)time(NULL);
    if (next != ACME_TIME_NEVER) {
        acme_out_init(&o, text, sizeof text - 1);
        acme_say_date(&o, next > now ? next : now);
        acme_out_text(&o, " UTC");
        text[o.len] = '\0';
        say_status(name, ": next, at ", text);
    } else {
        say_status("nothing to do", "", "");
    }
    return next <= now ? 0 : next - now < WAKE_MS / 1000 ? (uint32_t)(next - now) * 1000U : WAKE_MS;
}

/* Reads the config file again; one that is wrong is told, and the old one stays in force. */
static void reload(void)
{
    static struct acme_config both[2]; /* texts of the one in force are in itself */
    struct acme_config *fresh = d.config == &both[0] ? &both[1] : &both[0];

    acme_child_again = 0;
    acme_notify_reloading(&d.notify);
    if (d.config->again(fresh) == 0) {
        d.config = fresh;
        acme_report_error("the configuration is read again");
    } else {
        acme_report_error("the configuration stays as it was");
    }
    memset(d.held, 0, sizeof d.held);
    acme_notify_ready(&d.notify);
}

int acme_program_daemon(const struct acme_config *config)
{
    int code = acme_notify_init(&d.notify);

    d.config = config;
    d.list.folder = -1;
    if (code != 0) {
        acme_report_error("NOTIFY_SOCKET cannot be used: %s", strerror(code));
    }
    acme_child_begin(true);
    acme_notify_ready(&d.notify);
    while (!acme_child_stop) {
        uint32_t rest;
        int64_t end;
        if (acme_child_again) {
            reload();
        }
        rest = look_around();
        end = now_ms() + rest;
        while (!acme_child_stop && !acme_child_again && now_ms() < end) {
            pause_for((uint32_t)(end - now_ms()));
        }
    }
    acme_notify_stopping(&d.notify);
    return 0;
}
