/* test_token.c - keys in PKCS #11 tokens, against a module that answers as it is told to: URIs, each form of a public key, each error
 * with its words, sessions that are lost. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "token.h"

/* --- a module --- */

#define PIN "1234"

static const uint8_t p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t p384[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
enum { PRIVATE = 7, PUBLIC = 8 };

static struct {
    ck_ulong tokens, flags, state, type;
    unsigned privates, publics, logins, context_logins, opened, signatures;
    const uint8_t *curve;
    size_t curve_len, id_len, signature_len, point_len;
    uint8_t point[68];
    ck_byte sign, always;
    bool point_beside; /* on the public key only                         */
    bool no_sign_attribute;
    const char *label, *found_by;
    ck_ulong slots_answer, open_answer, login_answer, find_answer, init_answer, sign_answer;
    unsigned lost; /* so many times a handle is of no use */
    ck_ulong class;
    uint8_t swapped; /* another key after a session was lost */
} m;

static ck_ulong get_slot_list(ck_byte present, ck_ulong *slots, ck_ulong *count)
{
    assert_int_equal(present, 1);
    for (ck_ulong i = 0; i < m.tokens && i < *count; i++) {
        slots[i] = 3 + i;
    }
    *count = m.tokens;
    return m.slots_answer;
}

static ck_ulong get_token_info(ck_ulong slot, struct ck_token_info *info)
{
    memset(info, ' ', sizeof *info);
    memcpy(info->label, m.label, strlen(m.label));
    memcpy(info->serial, "0001", 4);
    info->flags = m.flags;
    return slot >= 3 ? CK_OK : CK_TOKEN_NOT_PRESENT;
}

static ck_ulong open_session(ck_ulong slot, ck_ulong flags, void *application, void *notify, ck_ulong *session)
{
    assert_int_equal(slot, 3);
    assert_int_equal(flags, CK_SERIAL_SESSION);
    *session = 40 + ++m.opened;
    if (m.opened > 1) {
        m.point[m.point_len - 1] ^= m.swapped;
    }
    return m.open_answer;
}

static ck_ulong close_session(ck_ulong session)
{
    return session == 40 + m.opened ? CK_OK : CK_SESSION_HANDLE_INVALID;
}

static ck_ulong get_session_info(ck_ulong session, struct ck_session_info *info)
{
    info->state = m.state;
    return CK_OK;
}

static ck_ulong login(ck_ulong session, ck_ulong user, ck_byte *pin, ck_ulong len)
{
    bool pad = (m.flags & CK_PROTECTED_PATH) != 0;

    m.logins += user == CK_USER;
    m.context_logins += user == CK_CONTEXT_SPECIFIC;
    assert_true(pad ? pin == NULL : len == 4 && memcmp(pin, PIN, 4) == 0);
    return m.login_answer;
}

static ck_ulong find_init(ck_ulong session, struct ck_attribute *attributes, ck_ulong count)
{
    assert_int_equal(attributes[0].type, CK_A_CLASS);
    memcpy(&m.class, attributes[0].value, sizeof m.class);
    m.found_by = count == 1 ? "none" : count == 3 ? "both" : attributes[1].type == CK_A_LABEL ? "label" : "id";
    return m.find_answer;
}

static ck_ulong find(ck_ulong session, ck_ulong *objects, ck_ulong most, ck_ulong *count)
{
    unsigned there = m.class == CK_PRIVATE_KEY ? m.privates : m.publics;
    *count = there < most ? there : most;
    objects[0] = m.class == CK_PRIVATE_KEY ? PRIVATE : PUBLIC;
    return CK_OK;
}

static ck_ulong find_final(ck_ulong session)
{
    return CK_OK;
}

static ck_ulong get_attribute(ck_ulong session, ck_ulong object, struct ck_attribute *a, ck_ulong count)
{
    const struct {
        ck_ulong type;
        const void *value;
        size_t len;
        bool there;
    } all[] = {
        {CK_A_KEY_TYPE, &m.type, sizeof m.type, true},
        {CK_A_EC_PARAMS, m.curve, m.curve_len, true},
        {CK_A_SIGN, &m.sign, 1, !m.no_sign_attribute},
        {CK_A_ALWAYS_AUTHENTICATE, &m.always, 1, true},
        {CK_A_ID, "\xa1\xb2", 2, m.id_len > 0},
        {CK_A_EC_POINT, m.point, m.point_len, object == PUBLIC || !m.point_beside},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i].type == a->type && all[i].there && all[i].len <= a->len) {
            memcpy(a->value, all[i].value, all[i].len);
            a->len = all[i].len;
            return CK_OK;
        }
    }
    a->len = CK_UNAVAILABLE;
    return 0x12; /* CKR_ATTRIBUTE_TYPE_INVALID */
}

static ck_ulong sign_init(ck_ulong session, struct ck_mechanism *mechanism, ck_ulong key)
{
    assert_int_equal(mechanism->type, CK_ECDSA);
    assert_int_equal(key, PRIVATE);
    bool lost = m.lost > 0;
    m.lost -= lost;
    return lost ? m.init_answer : CK_OK;
}

static ck_ulong sign(ck_ulong session, ck_byte *data, ck_ulong len, ck_byte *signature, ck_ulong *signature_len)
{
    assert_int_equal(len, 32);
    m.signatures++;
    memset(signature, data[0], m.signature_len);
    *signature_len = m.signature_len;
    return m.sign_answer;
}

static const struct ck_functions module = {
    .version = {2, 40},
    .get_slot_list = get_slot_list,
    .get_token_info = get_token_info,
    .open_session = open_session,
    .close_session = close_session,
    .get_session_info = get_session_info,
    .login = login,
    .get_attribute = get_attribute,
    .find_init = find_init,
    .find = find,
    .find_final = find_final,
    .sign_init = sign_init,
    .sign = sign,
};

static struct acme_key_uri uri;
static struct acme_token t;
static uint8_t digest[32] = {0x5a}, signature[64];

static void uri_is(const char *path)
{
    char text[300];
    (void)snprintf(text, sizeof text, "pkcs11:%s?module-path=/m.so", path);
    assert_null(acme_key_uri_read(&uri, text));
}

/* A point whose bytes tell it, with so many bytes in front. */
static void point_is(const char *front, size_t front_len)
{
    memcpy(m.point, front, front_len);
    m.point[front_len] = 0x04;
    memset(m.point + front_len + 1, 0x11, 64);
    m.point_len = front_len + 65;
}

static void new_module(void)
{
    memset(&m, 0, sizeof m);
    memset(&t, 0, sizeof t);
    m.tokens = m.privates = m.publics = 1;
    m.label = "gw";
    m.flags = CK_LOGIN_REQUIRED;
    m.type = CK_EC;
    m.curve = p256;
    m.curve_len = sizeof p256;
    m.id_len = 2;
    m.sign = 1;
    m.signature_len = 64;
    point_is("\x04\x41", 2);
    uri_is("token=gw;object=tls");
    t.f = &module;
    t.uri = &uri;
    memcpy(t.pin, PIN, 4);
    t.pin_len = 4;
}

static void opens_with(enum acme_token_fault want, const char *words)
{
    enum acme_token_fault got = acme_token_open(&t);
    if (got != want || (want != ACME_TOKEN_OK && strstr(t.words, words) == NULL)) {
        fail_msg("%d \"%s\", wanted %d \"%s\"", got, t.words, want, words);
    }
}

static void signs_with(enum acme_token_fault want, const char *words)
{
    enum acme_token_fault got = acme_token_sign(&t, digest, signature);
    if (got != want || (want != ACME_TOKEN_OK && strstr(t.words, words) == NULL)) {
        fail_msg("%d \"%s\", wanted %d \"%s\"", got, t.words, want, words);
    }
}

/* --- URIs --- */

TEST(a_uri)
{
    assert_null(acme_key_uri_read(&uri, "pkcs11:token=My%20Token;manufacturer=a;model=b;serial=c;id=%01%fF;object=o;"
                                        "type=private?module-path=/usr/lib/m.so&pin-source=file:///etc/pin"));
    assert_string_equal(uri.token, "My Token");
    assert_string_equal(uri.manufacturer, "a");
    assert_string_equal(uri.model, "b");
    assert_string_equal(uri.serial, "c");
    assert_string_equal(uri.object, "o");
    assert_int_equal(uri.id_len, 2);
    assert_memory_equal(uri.id, "\x01\xff", 2);
    assert_string_equal(uri.module, "/usr/lib/m.so");
    assert_string_equal(uri.pin_source, "/etc/pin");
    assert_null(acme_key_uri_read(&uri, "pkcs11:serial=1;id=a?pin-source=file:/p&module-path=/m"));
    assert_string_equal(uri.pin_source, "/p");
    assert_int_equal(uri.token[0] + uri.object[0], 0);
}

TEST(each_fault_of_a_uri_has_its_words)
{
    static const char *const faults[][2] = {
        {"", "pkcs11:"},
        {"/etc/key.pem", "pkcs11:"},
        {"PKCS11:token=a", "pkcs11:"},
        {"pkcs11:", "neither token"},
        {"pkcs11:object=a?module-path=/m", "neither token"},
        {"pkcs11:token=a?module-path=/m", "neither object"},
        {"pkcs11:token=a;object=b", "no module-path"},
        {"pkcs11:token=a;object=b?pin-source=/p", "no module-path"},
        {"pkcs11:token=a;object=b?module-path=m", "absolute"},
        {"pkcs11:token=a;object=b?module-path=file:m", "absolute"},
        {"pkcs11:token=a;object=b?module-path=/m&pin-source=|cat", "names a program"},
        {"pkcs11:token=a;object=b?module-path=/m&pin-value=1234", "into a file"},
        {"pkcs11:token=a;object=b?module-path=/m&module-path=/n", "twice"},
        {"pkcs11:token=a;token=b;object=b?module-path=/m", "twice"},
        {"pkcs11:token=a;id=b;id=c?module-path=/m", "twice"},
        {"pkcs11:token=a;object=b;type=cert?module-path=/m", "not private"},
        {"pkcs11:token=a;object=b;slot-id=1?module-path=/m", "not known"},
        {"pkcs11:token=a;object=b?module-path=/m&token=c", "not known"},
        {"pkcs11:token=a;object=b;module-path=/m", "not known"},
        {"pkcs11:token=a;object=b?module-name=m", "not known"},
        {"pkcs11:token=%2;object=b?module-path=/m", "hexadecimal"},
        {"pkcs11:token=a%;object=b?module-path=/m", "hexadecimal"},
        {"pkcs11:token=a%g0;object=b?module-path=/m", "hexadecimal"},
        {"pkcs11:token=a;id=%0g?module-path=/m", "hexadecimal"},
        {"pkcs11:token=a%00b;object=b?module-path=/m", "empty"},
        {"pkcs11:token=;object=b?module-path=/m", "empty"},
        {"pkcs11:token=a;id=?module-path=/m", "empty"},
        {"pkcs11:token=a;object=b?module-path=", "empty"},
        {"pkcs11:token;object=b?module-path=/m", "word=value"},
        {"pkcs11:token=a;;object=b?module-path=/m", "word=value"},
        {"pkcs11:token=a;object=b?module-path=/m?x", NULL}, /* a path may have one */
        {"pkcs11:token=123456789012345678901234567890123;object=b?module-path=/m", "too long"},
        {"pkcs11:serial=12345678901234567;object=b?module-path=/m", "too long"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        const char *wrong = acme_key_uri_read(&uri, faults[i][0]);
        if (faults[i][1] == NULL ? wrong != NULL : wrong == NULL || strstr(wrong, faults[i][1]) == NULL) {
            fail_msg("%s: %s", faults[i][0], wrong != NULL ? wrong : "taken");
        }
    }
    char text[400] = "pkcs11:token=a;id=";
    for (size_t i = 0; i < 65; i++) {
        strcat(text, "%01");
    }
    strcat(text, "?module-path=/m");
    assert_non_null(strstr(acme_key_uri_read(&uri, text), "too long"));
}

/* --- PIN files --- */

static const char *pin_of(const char *text, size_t len, mode_t mode)
{
    char path[] = "/tmp/nanoacme-pin-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, text, len) == (ssize_t)len && fchmod(fd, mode) == 0 && close(fd) == 0);
    const char *wrong = acme_token_pin(&t, path);
    assert_int_equal(unlink(path), 0);
    return wrong;
}

TEST(a_pin_file)
{
    char much[200];
    memset(much, '1', sizeof much);
    assert_null(pin_of("1234", 4, 0600));
    assert_true(t.pin_len == 4 && memcmp(t.pin, "1234", 4) == 0);
    assert_null(pin_of("12 4\r\n", 6, 0640));
    assert_true(t.pin_len == 4 && memcmp(t.pin, "12 4", 4) == 0);
    assert_non_null(strstr(pin_of("", 0, 0600), "no PIN"));
    assert_non_null(strstr(pin_of("\n", 1, 0600), "no PIN"));
    assert_non_null(strstr(pin_of("1\n2\n", 4, 0600), "more than"));
    assert_non_null(strstr(pin_of(much, sizeof much, 0600), "more than"));
    assert_non_null(strstr(pin_of("\xef\xbb\xbf"
                                  "1234\n",
                                  8, 0600),
                           "byte order mark"));
    assert_non_null(strstr(pin_of("1234\0", 5, 0600), "control character"));
    assert_non_null(strstr(pin_of("1234\r", 5, 0600), "control character"));
    assert_int_equal(t.pin_len, 0);
    assert_null(pin_of("gr\xc3\xbc"
                       "n\n",
                       6, 0600));
    assert_non_null(strstr(pin_of("1234", 4, 0644), "chmod 600"));
    assert_int_equal(t.pin_len, 0);
    assert_string_equal(acme_token_pin(&t, "/nonexistent/pin"), strerror(ENOENT));
    assert_string_equal(acme_token_pin(&t, "/tmp"), strerror(EISDIR));
}

/* --- a token and its key --- */

TEST(the_three_forms_of_a_point)
{
    static const struct {
        const char *front;
        size_t len;
    } forms[] = {{"\x04\x41", 2}, {"", 0}, {"\x03\x42\x00", 3}};
    for (size_t i = 0; i < 3; i++) {
        for (unsigned beside = 0; beside < 2; beside++) {
            new_module();
            m.point_beside = beside == 1;
            point_is(forms[i].front, forms[i].len);
            opens_with(ACME_TOKEN_OK, "");
            assert_int_equal(t.point[0], 0x04);
            assert_int_equal(t.point[64], 0x11);
            assert_string_equal(m.found_by, beside == 1 ? "id" : "label");
        }
    }
}

TEST(a_point_that_is_none)
{
    static const struct {
        const char *front;
        size_t len, whole;
        uint8_t first;
    } forms[] = {{"\x04\x41", 2, 66, 0x04}, {"\x04\x40", 2, 67, 0x04}, {"\x03\x42\x01", 3, 68, 0x04},
                 {"", 0, 65, 0x02},         {"", 0, 33, 0x04},         {"", 0, 0, 0x04},
                 {"\x04\x41", 2, 67, 0x03}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        new_module();
        point_is(forms[i].front, forms[i].len);
        m.point[forms[i].len] = forms[i].first;
        m.point_len = forms[i].whole;
        m.point_beside = forms[i].whole == 0;
        opens_with(ACME_TOKEN_SETUP, "cannot be read");
    }
}

TEST(which_key_is_meant)
{
    new_module();
    m.point_beside = true;
    m.id_len = 0; /* the public key is found by the label then */
    opens_with(ACME_TOKEN_OK, "");
    assert_string_equal(m.found_by, "label");
    uri_is("serial=0001;id=%a1;object=tls");
    m.point_beside = false;
    opens_with(ACME_TOKEN_OK, "");
    assert_string_equal(m.found_by, "both");
    m.privates = 0;
    opens_with(ACME_TOKEN_SETUP, "no private key of that label and id in \"0001\"");
    uri_is("token=gw;id=%a1");
    opens_with(ACME_TOKEN_SETUP, "no private key of that id");
    m.privates = 3;
    opens_with(ACME_TOKEN_SETUP, "several private keys of that id in \"gw\": tell the label");
    uri_is("token=gw;object=tls");
    opens_with(ACME_TOKEN_SETUP, "several private keys of that label in \"gw\": tell the id");
    m.privates = 1;
    m.point_beside = true;
    m.publics = 0;
    opens_with(ACME_TOKEN_SETUP, "no public key");
    m.publics = 2;
    opens_with(ACME_TOKEN_SETUP, "several public keys");
    m.find_answer = CK_DEVICE_ERROR;
    opens_with(ACME_TOKEN_TROUBLE, "looking for the key");
}

TEST(which_token_is_meant)
{
    static const char *const others[] = {"token=g;object=a", "token=gw2;object=a", "token=gw;serial=2;object=a",
                                         "token=gw;model=x;object=a", "token=gw;manufacturer=x;object=a"};
    new_module();
    opens_with(ACME_TOKEN_OK, "");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        uri_is(others[i]);
        opens_with(ACME_TOKEN_TROUBLE, "there is no token");
    }
    new_module();
    m.tokens = 2;
    opens_with(ACME_TOKEN_SETUP, "2 tokens \"gw\"");
    m.tokens = 0;
    opens_with(ACME_TOKEN_TROUBLE, "there is no token \"gw\" in 0 slots");
    m.slots_answer = CK_FUNCTION_FAILED;
    opens_with(ACME_TOKEN_TROUBLE, "slots: it failed");
    new_module();
    m.open_answer = 0x1ff;
    opens_with(ACME_TOKEN_TROUBLE, "session: error 0x1ff");
    uri_is("token=a%0ab%ff;object=c");
    opens_with(ACME_TOKEN_TROUBLE, "\"a?b?\"");
}

TEST(a_key_that_cannot_be_used)
{
    new_module();
    m.curve = p384;
    m.curve_len = sizeof p384;
    opens_with(ACME_TOKEN_SETUP, "not P-256");
    new_module();
    m.type = 0; /* RSA */
    opens_with(ACME_TOKEN_SETUP, "nor on any elliptic curve");
    new_module();
    m.sign = 0;
    opens_with(ACME_TOKEN_SETUP, "not allowed to sign");
    m.no_sign_attribute = true;
    opens_with(ACME_TOKEN_OK, "");
}

/* --- PINs --- */

TEST(a_pin_is_tried_once)
{
    static const struct {
        ck_ulong answer;
        enum acme_token_fault fault;
        const char *words;
    } all[] = {{CK_PIN_INCORRECT, ACME_TOKEN_PIN, "the PIN is wrong"},
               {CK_PIN_INVALID, ACME_TOKEN_PIN, "characters"},
               {CK_PIN_LEN_RANGE, ACME_TOKEN_PIN, "too long or too short"},
               {CK_PIN_EXPIRED, ACME_TOKEN_PIN, "expired"},
               {CK_PIN_LOCKED, ACME_TOKEN_PIN, "locked"},
               {CK_PIN_NOT_INITIALIZED, ACME_TOKEN_SETUP, "ever set"},
               {CK_DEVICE_REMOVED, ACME_TOKEN_TROUBLE, "removed"},
               {CK_ALREADY_LOGGED_IN, ACME_TOKEN_OK, ""}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        new_module();
        m.login_answer = all[i].answer;
        opens_with(all[i].fault, all[i].words);
        assert_int_equal(m.logins, 1);
    }
}

TEST(when_there_is_no_login)
{
    new_module();
    m.flags |= CK_PIN_IS_LOCKED;
    opens_with(ACME_TOKEN_SETUP, "is locked");
    m.flags = CK_LOGIN_REQUIRED | CK_PIN_FINAL_TRY;
    opens_with(ACME_TOKEN_SETUP, "once more only");
    m.flags = CK_LOGIN_REQUIRED;
    t.pin_len = 0;
    opens_with(ACME_TOKEN_SETUP, "wants a PIN");
    m.flags = 0;
    opens_with(ACME_TOKEN_OK, "");
    m.flags = CK_LOGIN_REQUIRED;
    m.state = CK_STATE_USER;
    opens_with(ACME_TOKEN_OK, "");
    m.state = CK_STATE_USER_WRITE;
    opens_with(ACME_TOKEN_OK, "");
    assert_int_equal(m.logins, 0);
    m.state = 0;
    m.flags |= CK_PROTECTED_PATH; /* the PIN is typed there */
    opens_with(ACME_TOKEN_OK, "");
    assert_int_equal(m.logins, 1);
}

/* --- signatures --- */

TEST(a_signature)
{
    new_module();
    opens_with(ACME_TOKEN_OK, "");
    signs_with(ACME_TOKEN_OK, "");
    assert_int_equal(signature[63], 0x5a);
    assert_int_equal(m.context_logins, 0);
    static const size_t lengths[] = {0, 63, 65, 70, 72};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        m.signature_len = lengths[i];
        signs_with(ACME_TOKEN_SETUP, "where one of P-256 has 64");
    }
}

TEST(a_key_that_wants_the_pin_each_time)
{
    new_module();
    m.always = 1;
    opens_with(ACME_TOKEN_OK, "");
    signs_with(ACME_TOKEN_OK, "");
    signs_with(ACME_TOKEN_OK, "");
    assert_int_equal(m.logins, 1);
    assert_int_equal(m.context_logins, 2);
    m.login_answer = CK_PIN_INCORRECT;
    signs_with(ACME_TOKEN_PIN, "the PIN is wrong");
    assert_int_equal(m.signatures, 2);
}

TEST(a_handle_that_is_lost_is_sought_once)
{
    static const ck_ulong answers[] = {CK_KEY_HANDLE_INVALID, CK_OBJECT_HANDLE_INVALID, CK_SESSION_HANDLE_INVALID,
                                       CK_SESSION_CLOSED,     CK_NOT_LOGGED_IN,         CK_DEVICE_REMOVED,
                                       CK_TOKEN_NOT_PRESENT};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        new_module();
        opens_with(ACME_TOKEN_OK, "");
        m.init_answer = answers[i];
        m.lost = 1;
        signs_with(ACME_TOKEN_OK, "");
        assert_int_equal(m.opened, 2);

        m.lost = 5;
        enum acme_token_fault want = answers[i] == CK_NOT_LOGGED_IN ? ACME_TOKEN_SETUP : ACME_TOKEN_TROUBLE;
        signs_with(want, "signing: ");
        assert_int_equal(m.opened, 3);
        assert_int_equal(m.lost, 3);
    }
    new_module();
    opens_with(ACME_TOKEN_OK, "");
    m.init_answer = CK_DEVICE_REMOVED;
    m.lost = 1;
    m.tokens = 0;
    signs_with(ACME_TOKEN_TROUBLE, "there is no token");
    new_module();
    opens_with(ACME_TOKEN_OK, "");
    m.init_answer = CK_SESSION_CLOSED;
    m.lost = m.swapped = 1;
    signs_with(ACME_TOKEN_SETUP, "another key now");
}

TEST(what_a_token_refuses)
{
    static const struct {
        ck_ulong answer;
        enum acme_token_fault fault;
        const char *words;
    } all[] = {{CK_KEY_NOT_PERMITTED, ACME_TOKEN_SETUP, "not allowed to sign"},
               {CK_KEY_TYPE_INCONSISTENT, ACME_TOKEN_SETUP, "another kind"},
               {CK_MECHANISM_INVALID, ACME_TOKEN_SETUP, "no ECDSA"},
               {CK_BUFFER_TOO_SMALL, ACME_TOKEN_TROUBLE, "longer than 64"},
               {CK_DEVICE_ERROR, ACME_TOKEN_TROUBLE, "does not answer"}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        new_module();
        opens_with(ACME_TOKEN_OK, "");
        m.sign_answer = all[i].answer;
        signs_with(all[i].fault, all[i].words);
        assert_int_equal(m.opened, 1);
    }
}

/* --- modules --- */

TEST(a_file_that_is_no_module)
{
    char words[400], path[] = "/tmp/nanoacme-module-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, "text", 4) == 4 && close(fd) == 0);
    assert_null(acme_token_load(path, words));
    assert_non_null(strstr(words, "module-path: "));
    assert_int_equal(unlink(path), 0);
    assert_null(acme_token_load(path, words));
    assert_non_null(strstr(words, "No such file"));
    assert_null(acme_token_load("libc.so.6", words));
    assert_non_null(strstr(words, "C_GetFunctionList"));
}
