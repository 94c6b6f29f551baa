/*
 * showing: what answers showed, by their recommendationId, out of logs of pz-recommend.
 */
#ifndef PZ_DATA_SHOWING_H
#define PZ_DATA_SHOWING_H

#include <stdint.h>

#include "base/arena.h"

struct pz_showing {
    const char *id;    // recommendationId
    const char *items; // '|' between
};

struct pz_showings { // {0} is empty
    struct pz_arena arena;
    struct pz_showing *list; // sorted by id
    size_t n, cap;
};

/* Adds the lines of a log, plain, gzip or zstd. PZ_DATA: it is none; PZ_SYSTEM. */
int pz_showings_read(struct pz_showings *s, const char *path, struct pz_err *err);
/* The items of an answer; NULL: no log has it. Of two with one id either. */
const char *pz_showings_find(const struct pz_showings *s, const char *id, size_t n);
void pz_showings_release(struct pz_showings *s);

/* Is handed each line of a log, without its end. */
typedef int pz_log_line_fn(void *ctx, const char *path, uint64_t line, const char *s,
                           size_t n, struct pz_err *err);
/* A line that is still being written, or was when the machine stopped, has no end and is
 * left out. Ends with what fn returns but PZ_OK. PZ_DATA: a line beyond PZ_ROW_MAX. */
int pz_log_lines(const char *path, pz_log_line_fn *fn, void *ctx, struct pz_err *err);

#endif
