/* logins.c - a PKCS #11 module that passes all on to another one, LOGINS_MODULE, and adds a byte to the file LOGINS_FILE for each
 * login and each signature: L, S. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cryptoki.h"

static struct ck_functions ours, *theirs;

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
    return theirs->sign(session, data, len, signature, signature_len);
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
    *list = &ours;
    return answer;
}
