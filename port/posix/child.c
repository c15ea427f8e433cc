/* child.c - processes for one piece of work each. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"

volatile sig_atomic_t acme_child_stop, acme_child_again;

static const int ours[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
static sigset_t before;
static bool hup_is_again;

static void on_signal(int signal)
{
    if (signal == SIGHUP && hup_is_again) {
        acme_child_again = 1;
    } else if (signal != SIGCHLD) {
        acme_child_stop = 1;
    }
}

void acme_child_begin(bool again)
{
    struct sigaction action, was;
    sigset_t held;

    hup_is_again = again;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    (void)sigemptyset(&held);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        (void)sigaddset(&held, ours[i]);
        /* What whoever started us has had ignored stays so, as nohup wants it; but a daemon's SIGHUP means something else. */
        if (ours[i] == SIGCHLD || (ours[i] == SIGHUP && again) ||
            (sigaction(ours[i], NULL, &was) == 0 && was.sa_handler != SIG_IGN)) {
            (void)sigaction(ours[i], &action, NULL);
        }
    }
    (void)sigprocmask(SIG_BLOCK, &held, &before);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        (void)sigdelset(&before, ours[i]);
    }
}

pid_t acme_child_start(int (*work)(void *ctx), void *ctx)
{
    pid_t parent = getpid(), child = fork();

    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        (void)signal(SIGCHLD, SIG_DFL);
        acme_child_stop = getppid() != parent;
        (void)sigprocmask(SIG_SETMASK, &before, NULL);
        _exit(acme_child_stop ? 1 : work(ctx));
    }
    return child;
}

void acme_child_pause(uint32_t ms)
{
    const struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    (void)ppoll(NULL, 0, &time, &before);
}

bool acme_child_ended(pid_t child, int *code)
{
    int status;
    if (waitpid(child, &status, WNOHANG) != child) {
        return false;
    }
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
}

void acme_child_keep_only(int fd)
{
    long most = sysconf(_SC_OPEN_MAX);

    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
#ifdef SYS_close_range
    if ((fd == 3 || syscall(SYS_close_range, 3U, (unsigned)fd - 1U, 0) == 0) &&
        syscall(SYS_close_range, (unsigned)fd + 1U, ~0U, 0) == 0) {
        return;
    }
#endif
    for (int i = 3; i < (most > 0 && most < 4096 ? most : 4096); i++) {
        if (i != fd) {
            (void)close(i);
        }
    }
}
