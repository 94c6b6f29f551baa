/*
 * bootstrap: how far a mean over users may be off, by drawing users with putting back.
 *
 * Every system (recipe) is drawn with the same users each time, so that differences are
 * paired: a user who is hard for both weighs on neither.
 */
#ifndef PZ_EVAL_BOOTSTRAP_H
#define PZ_EVAL_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct pz_bounds {
    double low, high; // 95 %; NaN when there is nothing to draw
};

struct pz_bootstrap {
    const double *const
        *value; // n_systems pointers to n_users x n_values; NaN: not there
    size_t n_systems, n_values;
    size_t n_users;
    size_t base;    // system that the others are compared with
    uint32_t draws; // 0: 1,000
    uint64_t seed;
    int threads;
};

/*
 * mean and differ (to `base`, of the users where both have a value): n_systems x
 * n_values, from the caller. The percentile interval: of 1,000 draws the 25th and the
 * 975th. The same for any number of threads.
 */
int pz_bootstrap_run(const struct pz_bootstrap *b, struct pz_bounds *mean,
                     struct pz_bounds *differ, struct pz_err *err);

/* The mean of column v of n_users x n_values, without NaN; NaN when there is none. */
double pz_mean_of(const double *value, size_t n_users, size_t n_values, size_t v);

#endif
