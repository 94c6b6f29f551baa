/*
 * intensity: how many events are to be expected of each user.
 *
 * With the events of user u at times t_1..t_n, seen at time T, the rate a day is
 *
 *   I_u(T) = a_0 m + a_1 n_u / span + sum over k of a_k sum_i exp(-(T - t_i)/tau_k) /
 * tau_k
 *
 * m is the mean rate of all users, the second term the user's own over the whole span of
 * the data, the others rates over the last tau_k days: a Hawkes process (Hawkes 1971)
 * whose kernel is a sum of exponentials. The shares a >= 0 maximise the Poisson
 * likelihood of what users did in the last part of the data, given what was before it;
 * found by expectation maximisation, which keeps them positive.
 */
#ifndef PZ_RECIPE_INTENSITY_H
#define PZ_RECIPE_INTENSITY_H

#include "recipe/recipe.h"

enum {
    PZ_INTENSITY_TERMS = 5, // all users, own, three of the last days
    PZ_INTENSITY_DAYS = 30, // what data whose times say nothing is taken to span
};
enum pz_intensity_kind {
    PZ_INTENSITY_FIT,   // as above
    PZ_INTENSITY_COUNT, // n_u / span
    PZ_INTENSITY_EVEN,  // the same for all users
};

struct pz_intensity {
    double share[PZ_INTENSITY_TERMS];
    double days[PZ_INTENSITY_TERMS]; // tau_k; 0 for the first two
    double span;                     // days, at least 1
    int64_t end;                     // T, Unix seconds: the newest event
};

/*
 * Fits; COUNT where the last part of the data lasts less than an hour. Data of less than
 * a day says nothing of rates: it is taken to span PZ_INTENSITY_DAYS. The same for any
 * number of threads. Users without events do not count.
 */
int pz_intensity_fit(struct pz_intensity *out, const struct pz_events *e,
                     enum pz_intensity_kind kind, struct pz_err *err);
/* Events a day of each user at T, n_users floats, new memory; 0 without events. */
int pz_intensity_users(float **rate, const struct pz_intensity *in,
                       const struct pz_events *e, struct pz_err *err);

#endif
