/* Children of the control plane: pz's own tools, started beside pz-serve. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "serve/control.h"

enum { SAID_MAX = 4096, INPUT_FD = 3 };

void
pz_job_free(struct pz_job *j)
{
    if (!j)
        return;
    for (size_t i = 0; i < j->n_args; i++)
        free(j->arg[i]);
    free(j->arg);
    int fd[] = {j->in, j->out, j->err};
    for (int i = 0; i < 3; i++)
        if (fd[i] >= 0)
            close(fd[i]);
    free(j->name);
    free(j->group);
    if (j->part)
        unlink(j->part); // nothing is there when it has ended well
    free(j->target);
    free(j->part);
    pz_buf_release(&j->said);
    pz_buf_release(&j->why);
    free(j);
}

bool
pz_job_arg(struct pz_desk_call *d, struct pz_job *j, const char *fmt, ...)
{
    char text[8192];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof text)
        return !pz_err_set(&d->err, PZ_USAGE, "a setting of the request is too long");
    if (pz_grow(&j->arg, &j->cap_args, j->n_args + 2, sizeof *j->arg, "a command",
                &d->err) ||
        pz_strndup(&j->arg[j->n_args], text, (size_t)n, &d->err))
        return false;
    j->arg[++j->n_args] = NULL;
    return true;
}

/* The program of that name in the folder of the one that runs. */
static bool
add_program(struct pz_desk_call *d, struct pz_job *j, const char *tool)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0)
        return !pz_err_sys(&d->err, "cannot find the program '%s'", tool);
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    if (slash)
        slash[1] = '\0';
    return pz_job_arg(d, j, "%s%s", path, tool);
}

struct pz_job *
pz_job_new(struct pz_desk_call *d, enum pz_kind_id kind, const char *tool)
{
    struct pz_job *j;
    if (pz_new(&j, 1, sizeof *j, "a job", &d->err))
        return NULL;
    j->kind = kind;
    j->in = j->out = j->err = -1;
    if (pz_strndup(&j->name, d->name, strlen(d->name), &d->err) ||
        pz_strndup(&j->group, d->group, strlen(d->group), &d->err) ||
        !add_program(d, j, tool) || !pz_job_arg(d, j, "-q") || !pz_job_arg(d, j, "-g") ||
        !pz_job_arg(d, j, "%s", d->group)) {
        pz_job_free(j);
        return NULL;
    }
    return j;
}

/* ---- whose a job is ---- */

/* When a process began, as a number of the kernel; a number is given to another process
 * later. */
static bool
began(int64_t pid, int64_t *when)
{
    struct pz_buf b = PZ_BUF_INIT;
    struct pz_err err = PZ_ERR_INIT;
    char path[64];
    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    bool known = pz_read_all(&b, path, 4096, &err) == PZ_OK && b.data;
    const char *p = known ? strrchr(b.data, ')') : NULL; // a name may hold anything
    for (int field = 2; p && field < 22; field++)
        p = strchr(p + 1, ' ');
    known = p && pz_parse_i64(p + 1, strcspn(p + 1, " \n"), when) == 0;
    pz_buf_release(&b);
    return known;
}

void
pz_job_owner(char out[PZ_JOB_OWNER])
{
    int64_t when = 0;
    began(getpid(), &when);
    snprintf(out, PZ_JOB_OWNER, "%lld.%lld", (long long)getpid(), (long long)when);
}

bool
pz_job_owner_lives(const char *owner)
{
    int64_t pid, when, now;
    size_t n = strcspn(owner, ".");
    return owner[n] && !pz_parse_i64(owner, n, &pid) &&
           !pz_parse_i64(owner + n + 1, strlen(owner + n + 1), &when) &&
           began(pid, &now) && now == when;
}

/* ---- starting ---- */

static int
memory_file(const char *name, struct pz_err *err)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0)
        pz_err_sys(err, "cannot make a file in memory");
    return fd;
}

bool
pz_job_input(struct pz_desk_call *d, struct pz_job *j, const char *text)
{
    j->in = memory_file("input", &d->err);
    if (j->in < 0)
        return false;
    size_t n = strlen(text);
    if (write(j->in, text, n) != (ssize_t)n)
        return !pz_err_sys(&d->err, "cannot fill a file in memory");
    lseek(j->in, 0, SEEK_SET);
    return true;
}

/* What of a new process becomes the program. Only what is safe between fork and exec;
 * this process is ours to end. */
static void
become(struct pz_job *j, pid_t parent, int failed)
{
    sigset_t none;
    int in = j->reads ? j->in : open("/dev/null", O_RDONLY | O_CLOEXEC);
    // The server's end is the job's end, however it comes: the kernel sees to it from
    // here on. A server that ended just before is no longer the parent.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() != parent)
        _exit(1);
    setpgid(0, 0);
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    bool ready = in >= 0 && dup2(in, 0) == 0 && dup2(j->out, 1) == 1 &&
                 dup2(j->err, 2) == 2 && !sigprocmask(SIG_SETMASK, &none, NULL);
    if (ready && j->in >= 0 && !j->reads)
        ready = j->in == INPUT_FD ? fcntl(INPUT_FD, F_SETFD, 0) == 0
                                  : dup2(j->in, INPUT_FD) == INPUT_FD;
    if (ready)
        execv(j->arg[0], j->arg);
    int why = errno;
    if (write(failed, &why, sizeof why) != (ssize_t)sizeof why)
        _exit(2);
    _exit(1);
}

/*
 * Starts the program with its descriptors, its own process group and no signal blocked.
 * It ends when the thread that called does: that is what the kernel takes for the parent.
 * 0, or why it could not be started.
 */
static int
spawn(struct pz_job *j)
{
    int end[2], why = 0;
    pid_t parent = getpid();
    if (pipe2(end, O_CLOEXEC))
        return errno;
    // Where its standard descriptors go there must be none that it needs.
    int failed = fcntl(end[1], F_DUPFD_CLOEXEC, INPUT_FD + 1);
    pid_t pid = failed < 0 ? -1 : fork();
    if (pid == 0)
        become(j, parent, failed);
    if (pid < 0)
        why = errno;
    close(end[1]);
    if (failed >= 0)
        close(failed);
    ssize_t n;
    while (pid > 0 && (n = read(end[0], &why, sizeof why)) < 0 && errno == EINTR)
        ;
    close(end[0]);
    if (pid > 0 && why)
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    j->pid = why ? 0 : pid;
    return why;
}

static int
open_output(struct pz_job *j, struct pz_err *err)
{
    if (!j->target) {
        j->out = memory_file("output", err);
        return err->status;
    }
    return pz_hidden_open(&j->out, &j->part, j->target, err);
}

int
pz_job_start(struct pz_job *j, struct pz_err *err)
{
    j->began = pz_seconds_wall();
    if (open_output(j, err) || (j->err = memory_file("errors", err)) < 0)
        return err->status;
    errno = spawn(j);
    if (errno)
        return pz_err_sys(err, "cannot start '%s'", j->arg[0]);
    return PZ_OK;
}

static void
add_said(struct pz_buf *out, int fd)
{
    char text[SAID_MAX];
    off_t n = lseek(fd, 0, SEEK_END);
    off_t from = n > SAID_MAX ? n - SAID_MAX : 0;
    ssize_t got = pread(fd, text, sizeof text, from);
    while (got > 0 && (text[got - 1] == '\n' || text[got - 1] == ' '))
        got--;
    if (got > 0)
        pz_buf_add(out, text, (size_t)got);
}

/* A tool's last line about a mistake says where its help is: no help to who calls an API.
 */
static void
drop_hint(struct pz_buf *why)
{
    char *feed = why->len ? memrchr(why->data, '\n', why->len) : NULL;
    if (feed && strncmp(feed + 1, "Try '", 5) == 0) {
        *feed = 0;
        why->len = (size_t)(feed - why->data);
    }
}

bool
pz_job_ended(struct pz_job *j)
{
    struct pz_err err = PZ_ERR_INIT;
    int status;
    int got = waitpid(j->pid, &status, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR))
        return false;
    j->well = got > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!j->target)
        add_said(&j->said, j->out);
    if (j->target && j->well && pz_replace(j->out, j->part, j->target, &err)) {
        j->well = false;
        pz_buf_addz(&j->why, err.msg);
    }
    add_said(&j->why, j->err);
    drop_hint(&j->why);
    if (!j->well && j->why.len == 0)
        pz_buf_addf(&j->why, "%s ended with %s %d", j->arg[0],
                    got > 0 && WIFSIGNALED(status) ? "signal" : "status",
                    got > 0 && WIFSIGNALED(status) ? WTERMSIG(status) : status >> 8);
    j->pid = 0;
    j->over = true;
    j->ended = pz_seconds_wall();
    return true;
}

void
pz_job_kill(struct pz_job *j)
{
    if (j->pid > 0) {
        kill(j->pid, SIGTERM);
        j->stopped = true;
    }
}

void
pz_job_kill_now(struct pz_job *j)
{
    if (j->pid > 0)
        kill(j->pid, SIGKILL);
}
