#include "serve/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- files ---- */

/* Rights that headers of Debian 12 lack; which ones the kernel knows is asked of it. */
enum {
    RIGHT_REFER = 1 << 13,
    RIGHT_TRUNCATE = 1 << 14,
    RIGHT_IOCTL = 1 << 15,
    RIGHTS_1 = (1 << 13) - 1, // of the first version
};

#define READ_RIGHTS                                                                      \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |                         \
     LANDLOCK_ACCESS_FS_READ_DIR)
#define FILE_RIGHTS                                                                      \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |                        \
     LANDLOCK_ACCESS_FS_READ_FILE | RIGHT_TRUNCATE)

/* What the tools that are started need to run, and nothing that is anybody's. */
static const char *const readable[] = {
    "/usr",
    "/lib",
    "/lib64",
    "/bin",
    "/opt",
    "/nix",
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/etc/alternatives",
    "/proc",
    "/sys/devices/system",
    "/sys/fs/cgroup",
};
static const char *const writable[] = {"/dev/null",    "/dev/zero",   "/dev/full",
                                       "/dev/urandom", "/dev/random", "/dev/shm"};

/* What is not there needs no rule. */
static int
allow(int rules, const char *path, uint64_t rights, struct pz_err *err)
{
    struct stat st;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? PZ_OK
                   : pz_err_sys(err, "sandbox: cannot open '%s'", path);
    if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
        rights &= FILE_RIGHTS;
    struct landlock_path_beneath_attr below = {.allowed_access = rights, .parent_fd = fd};
    if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &below, 0))
        pz_err_sys(err, "sandbox: cannot allow '%s'", path);
    close(fd);
    return err->status;
}

/* The folder of the running program: its siblings are started from there. */
static int
allow_siblings(int rules, struct pz_err *err)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0)
        return PZ_OK;
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return PZ_OK;
    *slash = '\0';
    return allow(rules, path, READ_RIGHTS, err);
}

static int
allow_recipes(int rules, const char *list, struct pz_err *err)
{
    char path[4096];
    while (list && *list && !err->status) {
        size_t n = strcspn(list, ":");
        if (n && n < sizeof path) {
            memcpy(path, list, n);
            path[n] = '\0';
            allow(rules, path, READ_RIGHTS, err);
        }
        list += n + (list[n] == ':');
    }
    return err->status;
}

static int
limit_files(bool *done, const char *const *root, size_t n, const char *recipes,
            struct pz_err *err)
{
    long version =
        syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1) // not built in, or not switched on
        return PZ_OK;
    uint64_t all = RIGHTS_1;
    all |= version >= 2 ? RIGHT_REFER : 0;
    all |= version >= 3 ? RIGHT_TRUNCATE : 0;
    all |= version >= 5 ? RIGHT_IOCTL : 0;
    struct landlock_ruleset_attr attr = {.handled_access_fs = all};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    if (rules < 0)
        return pz_err_sys(err, "sandbox: cannot make rules");
    for (size_t i = 0; i < n && !err->status; i++)
        allow(rules, root[i], all & ~(uint64_t)RIGHT_IOCTL, err);
    for (size_t i = 0; i < sizeof readable / sizeof *readable && !err->status; i++)
        allow(rules, readable[i], READ_RIGHTS, err);
    for (size_t i = 0; i < sizeof writable / sizeof *writable && !err->status; i++)
        allow(rules, writable[i], all & ~(uint64_t)RIGHT_IOCTL, err);
    if (!err->status && !allow_siblings(rules, err) &&
        !allow_recipes(rules, recipes, err) &&
        syscall(SYS_landlock_restrict_self, rules, 0))
        pz_err_sys(err, "sandbox: cannot give up files");
    close(rules);
    *done = !err->status;
    return err->status;
}

/* ---- system calls ---- */

#if defined __x86_64__
#define ARCH AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCH AUDIT_ARCH_AARCH64
#endif

/* No tool of pz makes these. */
static const int refused[] = {
    SYS_socket,
    SYS_socketpair,
    SYS_connect,
    SYS_bind,
    SYS_listen,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_setns,
    SYS_unshare,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    SYS_io_uring_setup,
    SYS_personality,
    SYS_acct,
    SYS_quotactl,
    SYS_sethostname,
};
enum { N_REFUSED = sizeof refused / sizeof *refused };

static int
limit_syscalls(bool *done, struct pz_err *err)
{
#ifdef ARCH
    struct sock_filter code[N_REFUSED + 8];
    unsigned short n = 0;
    code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                             offsetof(struct seccomp_data, arch));
    code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                             offsetof(struct seccomp_data, nr));
    for (int i = 0; i < N_REFUSED; i++)
        code[n++] =
            (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)refused[i],
                                         (unsigned char)(N_REFUSED - i + 1), 0);
#ifdef __x86_64__
    // The numbers of the x32 ABI mean the same calls.
    code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 1, 0);
#else
    code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JA, 0, 0, 0);
#endif
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    struct sock_fprog program = {.len = n, .filter = code};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0)
        *done = true;
    else if (errno != EINVAL && errno != ENOSYS)
        return pz_err_sys(err, "sandbox: cannot give up system calls");
#else
    (void)done;
#endif
    return err->status;
}

int
pz_sandbox_enter(struct pz_sandbox *out, const char *const *root, size_t n,
                 const char *recipes, struct pz_err *err)
{
    *out = (struct pz_sandbox){false, false};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return pz_err_sys(err, "sandbox: cannot give up privileges");
    return limit_files(&out->files, root, n, recipes, err) ||
                   limit_syscalls(&out->syscalls, err)
               ? err->status
               : PZ_OK;
}
