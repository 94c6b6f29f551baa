/*
 * times: how times stand in the input.
 */
#ifndef PZ_DATA_TIMES_H
#define PZ_DATA_TIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Seconds from here on, in the year 5138, are taken for milliseconds: nothing later is
 * read, so that what is stored can be exported as seconds and imported again. */
#define PZ_TIME_LIMIT INT64_C(100000000000)

static inline bool
pz_time_within(int64_t t, int64_t limit)
{
    return t > -limit && t < limit;
}

enum pz_time_unit {
    PZ_TIME_S,
    PZ_TIME_MS,
    PZ_TIME_US,
    PZ_TIME_ISO,
    PZ_TIME_FRACTION, // seconds with a fraction, which is cut off
    PZ_TIME_AUTO,     // ISO, or a number of s, ms, us or ns, by its size
    PZ_TIME_DMY,      // pz_date_parse(), the day first
    PZ_TIME_MDY,      // the month first
    PZ_TIME_FORMAT,   // strptime(3)
};

struct pz_times { // {0}: whole seconds
    enum pz_time_unit unit;
    const char *format; // of PZ_TIME_FORMAT; borrowed
};

/* A unit by its name, or a format, which has a '%'. PZ_USAGE lists the names. */
int pz_times_parse(struct pz_times *t, const char *text, struct pz_err *err);
/* s[0..n) as Unix seconds, rounded down: PZ_OK; or PZ_DATA, *why is what is wrong with
 * it, and which unit would read it. */
int pz_times_read(const struct pz_times *t, const char *s, size_t n, int64_t *out,
                  const char **why);

#endif
