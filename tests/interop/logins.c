/* logins.c - a PKCS #11 module that passes all on to another one, LOGINS_MODULE, and adds a byte to the file LOGINS_FILE for each
 * login and each signature: L, S. LOGINS_DO: slow, each signature takes 300 ms; crash, the fourth ends the process; gone, there is no
 * token any more behind the third. */
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cryptoki.h"

static struct ck_functions ours, *theirs;
static unsigned signatures;

static int does(const char *what)
{
    const char *word = getenv("LOGINS_DO");
    return word != NULL && strcmp(word, what) == 0;
}

static void count(char what)
{
    int fd = open(getenv("LOGINS_FILE"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0 || write(fd, &what, 1) != 1 || close(fd) != 0) {
        abort();
    }
}

static ck_ulong login(ck_ulong session, ck_ulong user, ck_byte *pin, ck_ulong len)
{
    count('L');
    return theirs->login(session, user, pin, len);
}

static ck_ulong sign(ck_ulong session, ck_byte *data, ck_ulong len, ck_byte *signature, ck_ulong *signature_len)
{
    count('S');
    signatures++;
    if (does("slow")) {
        (void)poll(NULL, 0, 300);
    } else if (does("crash") && signatures == 4) {
        abort();
    } else if (does("gone") && signatures > 3) {
        return CK_DEVICE_REMOVED;
    }
    return theirs->sign(session, data, len, signature, signature_len);
}

static ck_ulong get_slot_list(ck_byte present, ck_ulong *slots, ck_ulong *len)
{
    ck_ulong answer = theirs->get_slot_list(present, slots, len);
    *len = does("gone") && signatures > 3 ? 0 : *len;
    return answer;
}

ck_ulong C_GetFunctionList(struct ck_functions **list)
{
    void *module = dlopen(getenv("LOGINS_MODULE"), RTLD_NOW);
    ck_get_function_list *get = NULL;
    void *symbol = dlsym(module, "C_GetFunctionList");
    ck_ulong answer;

    memcpy(&get, &symbol, sizeof get);
    answer = get(&theirs);
    memcpy(&ours, theirs, sizeof ours);
    ours.login = login;
    ours.sign = sign;
    ours.get_slot_list = get_slot_list;
    *list = &ours;
    return answer;
}
