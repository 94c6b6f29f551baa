/*
 * fault: a library for LD_PRELOAD that makes one call fail, or ends the process at it.
 *
 *   PZ_FAULT=malloc:N    the N-th allocation returns NULL
 *   PZ_FAULT=malloc+:N   the N-th and every later one
 *   PZ_FAULT=kill:N      SIGKILL instead of the N-th call that changes a file or folder
 *   PZ_FAULT=enospc:N    the N-th such call that needs room, and every later one, fails:
 * disk full PZ_FAULT=eio:N       the N-th such call fails once with EIO PZ_FAULT_LOG=FILE
 * at exit the number of allocations and of calls is written there
 *
 * With PZ_FAULT_AHEAD=N the time of day is N seconds ahead for who reads it, and not for
 * the kernel: as when it is set back just after it was read.
 *
 * Counting starts when the library is loaded; N starts at 1. Reads are left alone.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void *__libc_memalign(size_t align, size_t n);

static enum { NONE, MALLOC, MALLOC_ON, KILL, NOSPACE, IO } mode;
static long at;
static atomic_long n_alloc, n_call;

static const struct {
    const char *name;
    int mode;
} modes[] = {{"malloc:", MALLOC},
             {"malloc+:", MALLOC_ON},
             {"kill:", KILL},
             {"enospc:", NOSPACE},
             {"eio:", IO}};

__attribute__((constructor)) static void
begin(void)
{
    const char *text = getenv("PZ_FAULT");
    for (size_t i = 0; text && i < sizeof modes / sizeof *modes; i++)
        if (!strncmp(text, modes[i].name, strlen(modes[i].name))) {
            at = strtol(text + strlen(modes[i].name), NULL, 10);
            mode = modes[i].mode;
        }
    atomic_store(&n_alloc, 0);
    atomic_store(&n_call, 0);
}

__attribute__((destructor)) static void
end(void)
{
    const char *path = getenv("PZ_FAULT_LOG");
    char line[64];
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : -1;
    mode = NONE;
    if (fd < 0)
        return;
    int n = snprintf(line, sizeof line, "%ld %ld\n", atomic_load(&n_alloc),
                     atomic_load(&n_call));
    if (write(fd, line, (size_t)n) != n)
        _exit(99);
    close(fd);
}

/* ---- allocations ---- */

static int
alloc_fails(void)
{
    long k = atomic_fetch_add(&n_alloc, 1) + 1;
    if ((mode == MALLOC && k == at) || (mode == MALLOC_ON && k >= at)) {
        errno = ENOMEM;
        return 1;
    }
    return 0;
}

void *
malloc(size_t n)
{
    return alloc_fails() ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
    return alloc_fails() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
    return alloc_fails() ? NULL : __libc_realloc(p, n);
}

void *
aligned_alloc(size_t align, size_t n)
{
    return alloc_fails() ? NULL : __libc_memalign(align, n);
}

void *
memalign(size_t align, size_t n)
{
    return alloc_fails() ? NULL : __libc_memalign(align, n);
}

int
posix_memalign(void **out, size_t align, size_t n)
{
    void *p = alloc_fails() ? NULL : __libc_memalign(align, n);
    if (!p)
        return ENOMEM;
    *out = p;
    return 0;
}

/* ---- calls that change files ---- */

/* 1 with errno set when the call must fail; does not return when it must kill. */
static int
call_fails(int needs_room)
{
    long k = atomic_fetch_add(&n_call, 1) + 1;
    if (mode == KILL && k == at)
        raise(SIGKILL);
    if (mode == NOSPACE && k >= at && needs_room) {
        errno = ENOSPC;
        return 1;
    }
    if (mode == IO && k == at) {
        errno = EIO;
        return 1;
    }
    return 0;
}

static void *
real(const char *name)
{
    void *f = dlsym(RTLD_NEXT, name);
    if (!f)
        _exit(98);
    return f;
}

/* WRAP(returned, name, needs room, (parameters), (arguments)) */
#define WRAP(T, name, room, params, args)                                                \
    T name params;                                                                       \
    T name params                                                                        \
    {                                                                                    \
        static T(*f) params;                                                             \
        if (!f)                                                                          \
            f = (T(*) params)real(#name);                                                \
        return call_fails(room) ? (T)-1 : f args;                                        \
    }

WRAP(ssize_t, pwrite, 1, (int fd, const void *b, size_t n, off_t o), (fd, b, n, o))
WRAP(ssize_t, pwrite64, 1, (int fd, const void *b, size_t n, off_t o), (fd, b, n, o))
WRAP(int, ftruncate, 1, (int fd, off_t n), (fd, n))
WRAP(int, ftruncate64, 1, (int fd, off_t n), (fd, n))
WRAP(int, fallocate, 1, (int fd, int how, off_t o, off_t n), (fd, how, o, n))
WRAP(ssize_t, writev, 1, (int fd, const struct iovec *v, int n), (fd, v, n))
WRAP(int, fsync, 0, (int fd), (fd))
WRAP(int, fdatasync, 0, (int fd), (fd))
WRAP(int, rename, 0, (const char *a, const char *b), (a, b))
WRAP(int, renameat, 0, (int d, const char *a, int e, const char *b), (d, a, e, b))
WRAP(int, linkat, 0, (int d, const char *a, int e, const char *b, int f_),
     (d, a, e, b, f_))
WRAP(int, unlink, 0, (const char *a), (a))
WRAP(int, unlinkat, 0, (int d, const char *a, int f_), (d, a, f_))

/* Standard streams may be closed by the test's end; files begin at 3. */
ssize_t
write(int fd, const void *b, size_t n)
{
    static ssize_t (*f)(int, const void *, size_t);
    if (!f)
        f = (ssize_t(*)(int, const void *, size_t))real("write");
    if (fd > 2 && call_fails(1))
        return -1;
    return f(fd, b, n);
}

int
clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    const char *ahead = getenv("PZ_FAULT_AHEAD");
    if (!real)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int r = real(clock, now);
    if (r == 0 && ahead && clock == CLOCK_REALTIME)
        now->tv_sec += strtol(ahead, NULL, 10);
    return r;
}
