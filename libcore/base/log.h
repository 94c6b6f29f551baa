/*
 * log: how libcore speaks to the person at the terminal without printing.
 *
 * A tool installs one sink before it starts threads; without one everything is dropped.
 * Progress is a share of a stage; the sink draws a bar on a terminal and nothing in cron.
 */
#ifndef PZ_BASE_LOG_H
#define PZ_BASE_LOG_H

#include <stdint.h>

enum pz_level { PZ_LOG_WARN, PZ_LOG_NOTE, PZ_LOG_DEBUG };

struct pz_log_sink {
    void (*line)(void *ctx, enum pz_level level, const char *text);
    void (*progress)(void *ctx, const char *stage, uint64_t done, uint64_t total);
    void *ctx;
};

void pz_log_to(const struct pz_log_sink *sink);
void pz_log(enum pz_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* total 0: unknown. done == total ends the stage. Callable from any thread. */
void pz_progress(const char *stage, uint64_t done, uint64_t total);

#endif
