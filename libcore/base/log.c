#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

static struct pz_log_sink sink;

void
pz_log_to(const struct pz_log_sink *to)
{
    sink = *to;
}

void
pz_log(enum pz_level level, const char *fmt, ...)
{
    if (!sink.line)
        return;
    char text[2048];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    sink.line(sink.ctx, level, text);
}

void
pz_progress(const char *stage, uint64_t done, uint64_t total)
{
    if (sink.progress)
        sink.progress(sink.ctx, stage, done, total);
}
