/* fence.c - no new privileges, Landlock and a seccomp filter, by plain system calls: no library is needed for them. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fence.h"

#if defined __has_include
#if __has_include(<linux/seccomp.h>) && __has_include(<linux/filter.h>) && __has_include(<linux/audit.h>)
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
/* The filter sees numbers of system calls: it must know whose. */
#if defined __x86_64__ && !defined __ILP32__
#define FENCE_ARCH AUDIT_ARCH_X86_64
#elif defined __aarch64__ && !defined __ILP32__
#define FENCE_ARCH AUDIT_ARCH_AARCH64
#elif defined __arm__ && defined __ARM_EABI__
#define FENCE_ARCH AUDIT_ARCH_ARM
#elif defined __riscv && __riscv_xlen == 64
#define FENCE_ARCH AUDIT_ARCH_RISCV64
#endif
#endif
#endif

int acme_fence_user(const char *name, int directory)
{
    errno = 0;
    const struct passwd *user = getpwnam(name);

    if (user == NULL) {
        return errno != 0 ? errno : ENOENT;
    }
    if (geteuid() == user->pw_uid && getuid() == user->pw_uid) {
        return 0;
    }
    if (directory >= 0 && fchown(directory, user->pw_uid, user->pw_gid) != 0) {
        return errno;
    }
    if (initgroups(user->pw_name, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0) {
        return errno;
    }
    /* A way back would make all of it worthless. */
    return user->pw_uid != 0 && setuid(0) == 0 ? EBUSY : 0;
}

#ifdef SYS_landlock_create_ruleset

/* From the kernel's linux/landlock.h, which a C library need not have. */
enum {
    EXECUTE = 1 << 0,
    WRITE_FILE = 1 << 1,
    REMOVE_DIR = 1 << 4,
    REMOVE_FILE = 1 << 5,
    MAKE_CHAR = 1 << 6,
    MAKE_DIR = 1 << 7,
    MAKE_REG = 1 << 8,
    MAKE_SOCK = 1 << 9,
    MAKE_FIFO = 1 << 10,
    MAKE_BLOCK = 1 << 11,
    MAKE_SYM = 1 << 12,
    REFER = 1 << 13,   /* second version */
    TRUNCATE = 1 << 14 /* third version  */
};

struct rules {
    uint64_t handled;
};

struct rule {
    uint64_t allowed;
    int32_t directory;
} __attribute__((packed));

static void fence_files(const struct acme_fence *fence)
{
    const uint64_t ours = WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SYM | REFER;
    struct rules rules = {.handled = ours | MAKE_CHAR | MAKE_SOCK | MAKE_FIFO | MAKE_BLOCK};
    struct rule rule = {.allowed = ours, .directory = -1};
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
    long set;
    bool whole = true;

    if (version < 2) {
        return; /* the first one forbids every rename from one directory to another */
    }
    rules.handled |= (version >= 3 ? TRUNCATE : 0) | (fence->programs ? 0 : EXECUTE);
    rule.allowed |= version >= 3 ? TRUNCATE : 0;
    set = syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
    for (size_t i = 0; set >= 0 && i < fence->count; i++) {
        rule.directory = fence->writable[i];
        whole = syscall(SYS_landlock_add_rule, (int)set, 1, &rule, 0) == 0 && whole;
    }
    if (set >= 0) {
        if (whole) {
            (void)syscall(SYS_landlock_restrict_self, (int)set, 0);
        }
        (void)close((int)set);
    }
}

#else

static void fence_files(const struct acme_fence *fence)
{
    (void)fence;
}

#endif

#ifdef FENCE_ARCH

/* What nothing here does, and a fault would like to. */
static const uint16_t forbidden[] = {
    SYS_execve,
    SYS_execveat,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_unshare,
    SYS_setns,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_bpf,
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    SYS_perf_event_open,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_sethostname,
    SYS_open_by_handle_at,
    SYS_process_vm_writev,
};

#define FORBIDDEN (sizeof forbidden / sizeof *forbidden)

static void fence_calls(const struct acme_fence *fence)
{
    static struct sock_filter code[FORBIDDEN + 8];
    struct sock_fprog program = {.len = 0, .filter = code};
    const struct sock_filter head[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FENCE_ARCH, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM), /* calls of another architecture: none is made here */
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, FORBIDDEN + 1, 0), /* x86-64's second set of numbers */
    };
    const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    const struct sock_filter refuse = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);

    for (size_t i = 0; i < sizeof head / sizeof *head; i++) {
        code[program.len++] = head[i];
    }
    for (size_t i = 0; i < FORBIDDEN; i++) {
        bool start = forbidden[i] == SYS_execve || forbidden[i] == SYS_execveat;
        uint8_t to_refuse = (uint8_t)(FORBIDDEN - i);
        const struct sock_filter test =
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, forbidden[i], fence->programs && start ? 0 : to_refuse, 0);
        code[program.len++] = test;
    }
    code[program.len++] = allow;
    code[program.len++] = refuse;
    (void)prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

#else

static void fence_calls(const struct acme_fence *fence)
{
    (void)fence;
}

#endif

void acme_fence_up(const struct acme_fence *fence)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) {
        fence_files(fence);
        fence_calls(fence);
    }
}
