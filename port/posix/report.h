/* report.h - what the program says: a line for each thing that happens, for people or as JSON. */
#ifndef ACME_POSIX_REPORT_H
#define ACME_POSIX_REPORT_H

#include "acme.h"
#include "posix.h"
#include "protocol/challenge_http01.h"
#include "protocol/challenge_tlsalpn01.h"

/* How to say it, and what is needed for saying where. */
struct acme_report {
    bool json, verbose, quiet;
    const char *waits; /* what is due has to wait: until when and why, as has been told; NULL: nothing has to */
    bool trial;        /* what was issued will not be used */
    const char *about; /* one of several certificates: one line tells of it; NULL: it is the only one */
    bool terminal;     /* standard output is one that can erase: it shows which step is under way */
    const struct acme_config *config;
    const struct acme_client *client;
    struct acme_posix_net *net;
    struct acme_posix_store *store;
    struct acme_posix_listener *listener;
    struct acme_posix_listener *tls_listener; /* NULL: tls-alpn-01 is not in use */
    const struct acme_webroot *webroot;       /* NULL: not in use */
    uint32_t longest_tick_us;
    size_t anchors_len; /* bytes of memory the trust anchors take */
    bool problem_said;  /* the CA's problem with the last request is on the screen, in full */

    /* What a failure is told with, beside struct acme_failure, which keeps 256 bytes of the CA's words. */
    struct acme_told {
        int64_t until_utc; /* of a wait that is stored; 0 none */
        int error;         /* what the wait is for             */
        char type[256], detail[8192];
    } told;             /* the CA's words about the last request, or those that go with the stored wait    */
    bool held_back;     /* nobody was asked: a wait is stored                                              */
    const char *signer; /* how a key in a token has failed; empty: it has not, NULL: there is none              */
    const char *deploy; /* how the deploy hook has failed; NULL: it has not                                   */
    bool paid;          /* the wait in hand is for a certificate that may have been made, its answer lost */
    char shown[800];    /* what of a refused answer is worth showing; empty: nothing                       */
    char host[300];     /* a host that is not allowed, as --more-host wants it                             */
};

/* struct acme_setup's trace; ctx is a struct acme_report. */
void acme_report_event(void *ctx, const struct acme_event *event);

/* The end of a run: the pair and its dates, or why there is none, and with --json or -v the figures.
 * `stopped`: by a signal. */
void acme_report_end(struct acme_report *r, enum acme_progress result, bool stopped);

/* One line on standard error, after "nanoacme: ". */
void acme_report_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Words for an error: its name, meaning, usual cause; and whether a later run may help. */
struct acme_error_text {
    const char *name, *meaning, *cause;
    bool retry;
};
struct acme_error_text acme_error_text(int error);

/* Why the run failed, in one sentence: place, meaning, usual cause, the CA's words unless they have been said,
 * when to try again. */
void acme_explain(const struct acme_report *r, struct acme_out *o);

/* The likely cause alone. */
void acme_hint(const struct acme_report *r, struct acme_out *o);

/* Whether a later run may succeed when nobody changes anything. */
bool acme_retry_helps(const struct acme_report *r);

/* Looks at an answer that is refused, while it is still there. */
void acme_evidence_look(struct acme_report *r, const struct acme_event *event);

/* After a run: a Location of what was no good answer, such as a redirect. */
void acme_evidence_late(struct acme_report *r);

/* Names of the certificate that is not for those asked for. Returns false when it cannot be read any more. */
bool acme_evidence_names(const struct acme_client *c, struct acme_out *o);

/* Why later runs are held back (told.c): a small file beside the order, a cache. acme_told_keep() writes or removes it
 * at the end of a run, acme_told_recall() fills `told` when this run was held back. */
void acme_told_keep(struct acme_report *r, bool failed);
void acme_told_recall(struct acme_report *r);

/* Reads that file; all is empty when it is not there or belongs to another wait. Returns whether it does. */
bool acme_told_read(struct acme_posix_store *s, int64_t until_utc, struct acme_told *t);

/* Reads it whatever it is about. Returns when it was written, or 0: there is none. */
int64_t acme_told_last(struct acme_posix_store *s, struct acme_told *t);

/* The time now, by the client's clock; 0 when it does not know. */
int64_t acme_report_utc(const struct acme_report *r);

/* The listener that failed. */
static inline const struct acme_posix_listener *acme_report_listener(const struct acme_report *r)
{
    return r->tls_listener != NULL && r->tls_listener->error != 0 ? r->tls_listener : r->listener;
}

/* Where a record is: its path, or the URI of a key that is in a token. */
const char *acme_report_key(const struct acme_report *r, enum acme_record record);

/* Words for enums. */
const char *acme_step_word(enum acme_step step);
const char *acme_status_word(enum acme_status status);
const char *acme_record_word(enum acme_record record);

/* Appends "2026-11-24 07:00" (UTC). */
void acme_say_date(struct acme_out *o, int64_t utc);

/* Lines. The text of a line is put together in one static buffer: one at a time. */
struct acme_out *acme_line(void);
struct acme_out *acme_line_now(void); /* the one that is being put together */
void acme_line_end(int fd);

/* Whole lines that were put together elsewhere. */
void acme_lines_write(int fd, const struct acme_out *lines);

/* Shows a word on a terminal until there is a line to say. */
void acme_line_hold(const char *text);

/* Members of a JSON object: acme_line_object() opens it with its first member, acme_line_end() needs the "}"
 * of acme_line_close(). */
void acme_line_object(struct acme_out *o, const char *event);
void acme_line_text(struct acme_out *o, const char *member, struct acme_slice value);
void acme_line_number(struct acme_out *o, const char *member, int64_t value);
void acme_line_close(struct acme_out *o);

/* From now on each message of acme_report_error() begins with this name. */
void acme_line_about(const char *name);

/* With --json: the last object, if there was none with "event":"end" yet, with the last message when it failed. */
void acme_line_way_out(const char *result);

#endif
