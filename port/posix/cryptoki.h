/* cryptoki.h - what is used of PKCS #11, version 2.40 (OASIS): its binary interface on systems other than Windows, where nothing is
 * packed. The names are ours; the numbers and the order of the functions are the standard's. */
#ifndef ACME_POSIX_CRYPTOKI_H
#define ACME_POSIX_CRYPTOKI_H

/* Answers. */
#define CK_OK                     0x000UL
#define CK_FUNCTION_FAILED        0x006UL
#define CK_DEVICE_ERROR           0x030UL
#define CK_DEVICE_REMOVED         0x032UL
#define CK_KEY_HANDLE_INVALID     0x060UL
#define CK_KEY_TYPE_INCONSISTENT  0x063UL
#define CK_KEY_NOT_PERMITTED      0x068UL
#define CK_MECHANISM_INVALID      0x070UL
#define CK_OBJECT_HANDLE_INVALID  0x082UL
#define CK_PIN_INCORRECT          0x0a0UL
#define CK_PIN_INVALID            0x0a1UL
#define CK_PIN_LEN_RANGE          0x0a2UL
#define CK_PIN_EXPIRED            0x0a3UL
#define CK_PIN_LOCKED             0x0a4UL
#define CK_SESSION_CLOSED         0x0b0UL
#define CK_SESSION_HANDLE_INVALID 0x0b3UL
#define CK_TOKEN_NOT_PRESENT      0x0e0UL
#define CK_ALREADY_LOGGED_IN      0x100UL
#define CK_NOT_LOGGED_IN          0x101UL
#define CK_PIN_NOT_INITIALIZED    0x102UL
#define CK_BUFFER_TOO_SMALL       0x150UL
#define CK_ALREADY_INITIALIZED    0x191UL

/* Flags of a token, and of a session. */
#define CK_LOGIN_REQUIRED 0x00004UL
#define CK_PROTECTED_PATH 0x00100UL /* it has a PIN pad of its own */
#define CK_PIN_FINAL_TRY  0x20000UL
#define CK_PIN_IS_LOCKED  0x40000UL
#define CK_SERIAL_SESSION 0x00004UL

#define CK_STATE_USER       1UL /* a session whose user has logged in; 3 one that may write too */
#define CK_STATE_USER_WRITE 3UL

#define CK_USER             1UL
#define CK_CONTEXT_SPECIFIC 2UL

#define CK_PUBLIC_KEY  2UL /* classes of objects */
#define CK_PRIVATE_KEY 3UL
#define CK_EC          3UL /* a type of keys     */

/* Attributes. */
#define CK_A_CLASS               0x000UL
#define CK_A_LABEL               0x003UL
#define CK_A_KEY_TYPE            0x100UL
#define CK_A_ID                  0x102UL
#define CK_A_SIGN                0x108UL
#define CK_A_EC_PARAMS           0x180UL
#define CK_A_EC_POINT            0x181UL
#define CK_A_ALWAYS_AUTHENTICATE 0x202UL

#define CK_ECDSA 0x1041UL /* the mechanism that signs a digest */

#define CK_UNAVAILABLE (~0UL) /* the length of an attribute that is not to be had */

typedef unsigned long ck_ulong;
typedef unsigned char ck_byte;

struct ck_version {
    ck_byte major, minor;
};

/* Texts are filled up with blanks and have no NUL. */
struct ck_token_info {
    ck_byte label[32], manufacturer[32], model[16], serial[16];
    ck_ulong flags;
    ck_ulong counts[10]; /* of sessions, and sizes */
    struct ck_version hardware, firmware;
    ck_byte time[16];
};

struct ck_session_info {
    ck_ulong slot, state, flags, device_error;
};

struct ck_attribute {
    ck_ulong type;
    void *value;
    ck_ulong len;
};

struct ck_mechanism {
    ck_ulong type;
    void *parameter;
    ck_ulong len;
};

/* The beginning of the list of functions; a module has more of them behind these. */
struct ck_functions {
    struct ck_version version;
    ck_ulong (*initialize)(void *arguments);
    ck_ulong (*finalize)(void *reserved);
    void (*get_info)(void);
    void (*get_function_list)(void);
    ck_ulong (*get_slot_list)(ck_byte present, ck_ulong *slots, ck_ulong *count);
    void (*get_slot_info)(void);
    ck_ulong (*get_token_info)(ck_ulong slot, struct ck_token_info *info);
    void (*mechanisms_and_set_up[5])(void); /* C_GetMechanismList to C_SetPIN */
    ck_ulong (*open_session)(ck_ulong slot, ck_ulong flags, void *application, void *notify, ck_ulong *session);
    ck_ulong (*close_session)(ck_ulong session);
    void (*close_all_sessions)(void);
    ck_ulong (*get_session_info)(ck_ulong session, struct ck_session_info *info);
    void (*states[2])(void); /* C_GetOperationState, C_SetOperationState */
    ck_ulong (*login)(ck_ulong session, ck_ulong user, ck_byte *pin, ck_ulong len);
    void (*logout)(void);
    void (*objects[4])(void); /* C_CreateObject to C_GetObjectSize */
    ck_ulong (*get_attribute)(ck_ulong session, ck_ulong object, struct ck_attribute *attributes, ck_ulong count);
    void (*set_attribute)(void);
    ck_ulong (*find_init)(ck_ulong session, struct ck_attribute *attributes, ck_ulong count);
    ck_ulong (*find)(ck_ulong session, ck_ulong *objects, ck_ulong most, ck_ulong *count);
    ck_ulong (*find_final)(ck_ulong session);
    void (*ciphers_and_digests[13])(void); /* C_EncryptInit to C_DigestFinal */
    ck_ulong (*sign_init)(ck_ulong session, struct ck_mechanism *mechanism, ck_ulong key);
    ck_ulong (*sign)(ck_ulong session, ck_byte *data, ck_ulong len, ck_byte *signature, ck_ulong *signature_len);
};

/* What a module exports as C_GetFunctionList. */
typedef ck_ulong ck_get_function_list(struct ck_functions **list);

#endif
