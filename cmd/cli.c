#include "cmd/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"

#define TEXT_MAX  4096
#define BAR_CELLS 30
#define BAR_EVERY 0.1 // seconds: at most 10 Hz

static const char *tool_name = "pz";

/* The bar and the lines share a terminal; libcore may speak from any thread. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool bar_shown;
static double bar_time;

void
pz_cli_begin(void)
{
    /* A file opened while 1 is closed would become 1 and take the records. What is
     * written to a closed standard output is lost, and that must show: hence it cannot be
     * written. */
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) == -1 && errno == EBADF)
            if (open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY) != fd)
                _exit(PZ_SYSTEM);
    tool_name = program_invocation_short_name;
}

void
pz_cli_name(const char *name)
{
    tool_name = name;
}

static void
erase_bar(void)
{
    if (bar_shown)
        fputs("\r\033[K", stderr);
    bar_shown = false;
}

void
pz_cli_line(const char *kind, const char *text)
{
    pthread_mutex_lock(&lock);
    erase_bar();
    fprintf(stderr, "%s: %s%s\n", tool_name, kind, text);
    pthread_mutex_unlock(&lock);
}

static void
sink_line(void *ctx, enum pz_level level, const char *text)
{
    (void)ctx;
    if (level == PZ_LOG_WARN ? pz_common.quiet : !pz_common.verbose)
        return;
    pz_cli_line(level == PZ_LOG_WARN ? "warning: " : "", text);
}

static void
draw_bar(const char *stage, uint64_t done, uint64_t total)
{
    double share = (double)done / (double)total;
    if (share > 1)
        share = 1;
    int full = (int)(share * BAR_CELLS);
    char cells[BAR_CELLS + 1];
    for (int i = 0; i < BAR_CELLS; i++)
        cells[i] = i < full ? '#' : '.';
    cells[BAR_CELLS] = '\0';
    fprintf(stderr, "\r%s: %.30s [%s] %3d%%\033[K", tool_name, stage, cells,
            (int)(share * 100));
}

static void
sink_progress(void *ctx, const char *stage, uint64_t done, uint64_t total)
{
    (void)ctx;
    double now = pz_seconds_wall();
    pthread_mutex_lock(&lock);
    if (total && done >= total) {
        erase_bar();
    } else if (now - bar_time >= BAR_EVERY) {
        if (total)
            draw_bar(stage, done, total);
        else
            fprintf(stderr, "\r%s: %.30s %llu\033[K", tool_name, stage,
                    (unsigned long long)done);
        bar_shown = true;
        bar_time = now;
    }
    pthread_mutex_unlock(&lock);
}

void
pz_cli_log(void)
{
    const char *term = getenv("TERM");
    bool bar =
        !pz_common.quiet && isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
    struct pz_log_sink sink = {sink_line, bar ? sink_progress : NULL, NULL};
    pz_log_to(&sink);
}

void
pz_warn(const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (!pz_common.quiet)
        pz_cli_line("warning: ", text);
}

void
pz_die(int status, const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    pz_cli_line("", text);
    if (status == PZ_USAGE)
        fprintf(stderr, "Try '%s --help' or 'man %s'.\n", tool_name, tool_name);
    exit(status);
}

void
pz_die_err(const struct pz_err *err)
{
    pz_die(err->status, "%s", err->msg);
}

int
pz_cli_end(int status)
{
    pthread_mutex_lock(&lock);
    erase_bar();
    pthread_mutex_unlock(&lock);
    /* ferror: an earlier write failed and its errno is gone. */
    bool failed = ferror(stdout);
    errno = 0;
    if (fflush(stdout) || fclose(stdout))
        failed = true;
    if (!failed)
        return status;
    char text[256];
    snprintf(text, sizeof text, "cannot write to standard output%s%s", errno ? ": " : "",
             errno ? strerror(errno) : "");
    pz_cli_line("", text);
    return status <= PZ_NEGATIVE ? PZ_SYSTEM : status;
}
