/* test_signer.c - the run's end of keys in tokens: the process that signs is played by what its socket gives. Nothing is waited for,
 * what was given up is passed over, and a PIN that was refused is noted. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"
#include "signer.h"

static struct acme_signer s;
static struct acme_config config;
static struct acme_signer_key *const account = &s.keys[ACME_SIGNER_ACCOUNT];
static struct acme_signer_key *const certificate = &s.keys[ACME_SIGNER_CERTIFICATE];
static int process = -1; /* its end */
static const uint8_t first[32] = {1}, second[32] = {2};
static uint8_t signature[64];

static char folder[] = "/tmp/nanoacme-signer-XXXXXX";
static int state = -1;

#define URI(object) "pkcs11:token=gw;object=" object "?module-path=/bin/sh&pin-source=/tmp/none"

static int begin(void **unused)
{
    int pair[2];

    acme_config_init(&config);
    config.account_key = URI("a");
    config.key = URI("b");
    config.by_flag = (uint64_t)1 << ACME_KEY_ACCOUNT_KEY | (uint64_t)1 << ACME_KEY_KEY;
    memset(&s, 0, sizeof s);
    assert_int_equal(acme_signer_check(&s, &config), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    s.fd = pair[0];
    process = pair[1];
    strcpy(folder + sizeof folder - 7, "XXXXXX");
    assert_non_null(mkdtemp(folder));
    state = open(folder, O_RDONLY | O_DIRECTORY);
    return state < 0;
}

static int end(void **unused)
{
    (void)unlinkat(state, ".pin-refused", 0);
    (void)close(state);
    (void)close(s.fd);
    if (process >= 0) {
        (void)close(process);
    }
    return rmdir(folder);
}

AROUND(NULL, NULL, begin, end);

/* The next task that has come; none: false. */
static bool next(struct acme_signer_task *task)
{
    return recv(process, task, sizeof *task, MSG_DONTWAIT) == (ssize_t)sizeof *task;
}

static void answer(const struct acme_signer_task *task, enum acme_token_fault fault)
{
    struct acme_signer_result r;

    memset(&r, 0, sizeof r);
    r.task = *task;
    r.fault = fault;
    r.failed = task->which;
    memset(r.signature, task->digest[0] + 16 * (int)task->which, sizeof r.signature);
    strcpy(r.words, "its words");
    assert_int_equal(send(process, &r, sizeof r, 0), sizeof r);
}

static int sign(struct acme_signer_key *key, const uint8_t digest[32])
{
    memset(signature, 0xee, sizeof signature);
    return acme_signer_ops.sign(key, digest, signature);
}

TEST(a_signature_that_takes_a_while)
{
    struct acme_signer_task task;

    for (unsigned i = 0; i < 2; i++) { /* and once more for the same digest */
        assert_int_equal(sign(account, first), 1);
        assert_true(next(&task) && !task.open && task.which == ACME_SIGNER_ACCOUNT && task.digest[0] == 1);
        assert_int_equal(sign(account, first), 1);
        assert_false(next(&task)); /* asked for once */
        answer(&(struct acme_signer_task){.which = ACME_SIGNER_ACCOUNT, .digest = {1}}, ACME_TOKEN_OK);
        assert_int_equal(sign(account, first), 0);
        assert_int_equal(signature[63], 1);
    }
}

TEST(one_that_was_given_up)
{
    struct acme_signer_task tasks[2];

    assert_int_equal(sign(account, first), 1);
    assert_int_equal(sign(account, second), 1);
    assert_true(next(&tasks[0]) && next(&tasks[1]));
    answer(&tasks[0], ACME_TOKEN_TROUBLE); /* whatever became of it */
    assert_int_equal(sign(account, second), 1);
    answer(&tasks[1], ACME_TOKEN_OK);
    assert_int_equal(sign(account, second), 0);
    assert_int_equal(signature[0], 2);
    assert_string_equal(s.words, "");
}

TEST(two_keys_at_once)
{
    struct acme_signer_task tasks[3];

    assert_int_equal(sign(certificate, first), 1);
    assert_int_equal(sign(account, first), 1);
    assert_true(next(&tasks[0]) && next(&tasks[1]));
    answer(&tasks[0], ACME_TOKEN_OK);
    answer(&tasks[1], ACME_TOKEN_OK);
    assert_int_equal(sign(account, first), 0);
    assert_int_equal(signature[0], 1);
    assert_int_equal(sign(certificate, first), 1); /* passed over: asked for again */
    assert_true(next(&tasks[2]) && tasks[2].which == ACME_SIGNER_CERTIFICATE);
    answer(&tasks[2], ACME_TOKEN_OK);
    assert_int_equal(sign(certificate, first), 0);
    assert_int_equal(signature[0], 17);
}

TEST(a_process_that_has_so_much_to_do_that_it_takes_nothing)
{
    struct acme_signer_task task;
    unsigned asked = 0;
    uint8_t digest[32] = {0};

    do {
        digest[0]++;
        digest[1] += digest[0] == 0;
        assert_int_equal(sign(account, digest), 1);
    } while (account->asked && ++asked < 10000);
    assert_false(account->asked);
    while (next(&task)) {
    }
    assert_int_equal(sign(account, digest), 1);
    assert_true(next(&task));
    answer(&task, ACME_TOKEN_OK);
    assert_int_equal(sign(account, digest), 0);
}

TEST(one_that_fails)
{
    struct acme_signer_task task;

    assert_int_equal(sign(certificate, first), 1);
    assert_true(next(&task));
    answer(&task, ACME_TOKEN_TROUBLE);
    assert_int_equal(sign(certificate, first), ACME_E_KEY);
    assert_string_equal(s.words, "key: its words");
    assert_int_equal(s.refused, -1);
    assert_int_equal(sign(certificate, first), 1); /* a later try begins anew */
}

TEST(a_process_that_ends)
{
    assert_int_equal(sign(account, first), 1);
    (void)close(process);
    process = -1;
    assert_int_equal(sign(account, first), ACME_E_KEY);
    assert_non_null(strstr(s.words, "account_key: the process that signs has ended"));
    s.words[0] = '\0';
    assert_int_equal(sign(certificate, first), ACME_E_KEY);
    assert_non_null(strstr(s.words, "key: the process that signs has ended"));
}

TEST(a_key_that_was_not_found_has_no_point)
{
    uint8_t point[65];
    assert_int_equal(acme_signer_ops.point(account, point), ACME_E_KEY);
    account->point[0] = 0x04;
    assert_int_equal(acme_signer_ops.point(account, point), 0);
}

/* --- PINs that were refused --- */

static int opens(bool force)
{
    static const volatile sig_atomic_t at_once = 1;
    config.force = force;
    return acme_signer_open(&s, &config, state, &at_once);
}

TEST(a_pin_that_was_refused_is_told_to_nobody_again)
{
    struct acme_signer_task task;
    struct stat is;

    assert_int_equal(opens(false), ACME_EXIT_FAILED); /* by the signal: it was asked for */
    assert_true(next(&task) && task.open);
    assert_int_equal(sign(account, first), 1);
    assert_true(next(&task));
    answer(&task, ACME_TOKEN_PIN);
    assert_int_equal(sign(account, first), ACME_E_KEY);
    assert_non_null(strstr(s.words, "its file is written anew"));
    acme_signer_note(&s, state);
    acme_signer_note(&s, state); /* once is enough */
    assert_true(fstatat(state, ".pin-refused", &is, 0) == 0 && is.st_size == 33 && (is.st_mode & 077) == 0);

    assert_int_equal(opens(false), ACME_EXIT_USAGE);
    assert_non_null(strstr(s.words, "not tried again"));
    assert_false(next(&task));
    assert_int_equal(opens(true), ACME_EXIT_FAILED); /* a person says so */
    assert_true(next(&task));
    account->pin_file[0] ^= 1; /* another file */
    certificate->pin_file[0] ^= 1;
    assert_int_equal(opens(false), ACME_EXIT_FAILED);
    assert_true(next(&task));
}

/* A trial works in a folder of its own within the state directory. */
TEST(a_trial_and_its_state_directory_share_what_was_refused)
{
    struct acme_signer_task task;
    int trial;

    assert_int_equal(mkdirat(state, ".dry-run", 0700), 0);
    trial = openat(state, ".dry-run", O_RDONLY | O_DIRECTORY);
    for (unsigned i = 0; i < 2; i++) {
        int noted = i == 0 ? state : trial, asked = i == 0 ? trial : state, whole = state;
        s.refused = ACME_SIGNER_ACCOUNT;
        acme_signer_note(&s, noted);
        state = asked;
        assert_int_equal(opens(false), ACME_EXIT_USAGE);
        assert_false(next(&task));
        state = whole;
        assert_int_equal(unlinkat(noted, ".pin-refused", 0), 0);
    }
    (void)close(trial);
    assert_int_equal(unlinkat(state, ".dry-run", AT_REMOVEDIR), 0);
}

TEST(the_note_does_not_grow)
{
    struct acme_signer_task task;
    struct stat is;

    s.refused = ACME_SIGNER_ACCOUNT;
    certificate->pin_file[0] = 0xff;
    for (unsigned i = 0; i < 200; i++) {
        account->pin_file[1] = (uint8_t)i;
        acme_signer_note(&s, state);
    }
    assert_true(fstatat(state, ".pin-refused", &is, 0) == 0 && is.st_size == 62 * 33);
    assert_int_equal(opens(false), ACME_EXIT_USAGE);
    account->pin_file[1] = 199 - 61;
    assert_int_equal(opens(false), ACME_EXIT_USAGE);
    account->pin_file[1] = 199 - 62;
    assert_int_equal(opens(false), ACME_EXIT_FAILED);
    assert_true(next(&task));
}

TEST(a_note_that_is_damaged_is_none)
{
    struct acme_signer_task task;
    char much[3000];
    int fd = openat(state, ".pin-refused", O_WRONLY | O_CREAT, 0600);

    memset(much, 'a', sizeof much);
    assert_int_equal(write(fd, much, sizeof much), sizeof much);
    (void)close(fd);
    assert_int_equal(opens(false), ACME_EXIT_FAILED);
    assert_true(next(&task));
    s.refused = ACME_SIGNER_CERTIFICATE;
    acme_signer_note(&s, state);
    assert_int_equal(opens(false), ACME_EXIT_USAGE);
}

TEST(without_a_state_folder_nothing_is_noted)
{
    struct acme_signer_task task;
    (void)close(state);
    state = -1;
    s.refused = ACME_SIGNER_ACCOUNT;
    acme_signer_note(&s, state);
    assert_int_equal(opens(false), ACME_EXIT_FAILED);
    assert_true(next(&task));
}
