/* Children of the control plane: pz's own tools, started beside pz-serve. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/control.h"

enum { SAID_MAX = 4096, INPUT_FD = 3 };

void
pz_job_free(struct pz_job *j)
{
    if (!j)
        return;
    for (size_t i = 0; i < j->n_args; i++)
        free(j->arg[i]);
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
    free(j);
}

bool
pz_job_arg(struct pz_desk_call *d, struct pz_job *j, const char *fmt, ...)
{
    struct pz_buf b = PZ_BUF_INIT;
    char text[8192];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (j->n_args + 1 >= PZ_JOB_ARGS || n < 0 || (size_t)n >= sizeof text)
        return !pz_err_set(&d->err, PZ_USAGE, "the request has too many settings");
    pz_buf_add(&b, text, (size_t)n);
    if (pz_buf_status(&b, "a command", &d->err)) {
        pz_buf_release(&b);
        return false;
    }
    if (!b.data && pz_strndup(&b.data, "", 0, &d->err))
        return false;
    j->arg[j->n_args++] = b.data;
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

/* Starts the program with its descriptors, its own process group and no signal blocked.
 */
static int
spawn(struct pz_job *j)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, usual;
    pid_t pid = 0;
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attr);
    int rc = j->reads
                 ? posix_spawn_file_actions_adddup2(&files, j->in, 0)
                 : posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    if (!rc)
        rc = posix_spawn_file_actions_adddup2(&files, j->out, 1);
    if (!rc)
        rc = posix_spawn_file_actions_adddup2(&files, j->err, 2);
    if (!rc && j->in >= 0 && !j->reads)
        rc = posix_spawn_file_actions_adddup2(&files, j->in, INPUT_FD);
    if (!rc)
        rc = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
                                                 POSIX_SPAWN_SETSIGDEF |
                                                 POSIX_SPAWN_SETPGROUP);
    if (!rc)
        rc = posix_spawnattr_setsigmask(&attr, &none);
    if (!rc)
        rc = posix_spawnattr_setsigdefault(&attr, &usual);
    if (!rc)
        rc = posix_spawn(&pid, j->arg[0], &files, &attr, j->arg, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    j->pid = rc ? 0 : pid;
    return rc;
}

static int
open_output(struct pz_job *j, struct pz_err *err)
{
    if (!j->target) {
        j->out = memory_file("output", err);
        return err->status;
    }
    j->out = open(j->part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    return j->out < 0 ? pz_err_sys(err, "cannot write '%s'", j->part) : PZ_OK;
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

bool
pz_job_ended(struct pz_job *j, bool *good, struct pz_buf *out, struct pz_buf *why)
{
    int status;
    int got = waitpid(j->pid, &status, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR))
        return false;
    *good = got > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!j->target)
        add_said(out, j->out);
    if (j->target && *good && (fsync(j->out) || rename(j->part, j->target))) {
        *good = false;
        pz_buf_addf(why, "cannot write '%s': %s", j->target, strerror(errno));
    }
    add_said(why, j->err);
    if (!*good && why->len == 0)
        pz_buf_addf(why, "%s ended with %s %d", j->arg[0],
                    got > 0 && WIFSIGNALED(status) ? "signal" : "status",
                    got > 0 && WIFSIGNALED(status) ? WTERMSIG(status) : status >> 8);
    j->pid = 0;
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
