/* main.c - nanoacme, the program for a gateway. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program.h"

/* Whoever started us may have closed standard input, output or error: what is opened next must not take their numbers, or
 * lines would go into a key's file or to the CA. */
static bool three_are_open(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO) {
        (void)close(fd);
    }
    return fd >= 0 || (fcntl(STDIN_FILENO, F_GETFD) >= 0 && fcntl(STDOUT_FILENO, F_GETFD) >= 0 &&
                       fcntl(STDERR_FILENO, F_GETFD) >= 0);
}

int main(int argc, char **argv)
{
    static struct acme_config config;
    (void)umask(umask(0) & 077); /* our own right to what we make nobody can want to take away */
    return three_are_open() ? acme_program_run(&config, argc, argv) : ACME_EXIT_FAILED;
}
