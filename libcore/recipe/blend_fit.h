/*
 * blend_fit: weights of a blend (recipe/blend.h) from held-out events and their rivals.
 */
#ifndef PZ_RECIPE_BLEND_FIT_H
#define PZ_RECIPE_BLEND_FIT_H

#include "recipe/blend.h"
#include "recipe/repeat.h"

enum { PZ_NO_CELL = UINT16_MAX };

/* A held-out event and its rivals. */
struct pz_trial {
    uint32_t user, target;
    size_t n, own;  // rivals; which of them is the target
    bool known;     // any part knows something of the history; else the trial is lost
    float *value;   // n x n_parts: scores over their standard deviation
    uint16_t *cell; // n: of an item of the history (recipe/repeat.h), else PZ_NO_CELL
};

struct pz_trials {
    struct pz_trial *trial;
    size_t n, n_parts;
    const double *share; // of each cell, above 0
    bool repeats;        // items of the history may gain or lose
    int threads;
};

struct pz_fit {
    double weight[PZ_BLEND_PARTS]; // >= 0
    double slope, offset;
};

/* What items of a history gain: slope * log(share) + offset. */
void pz_fit_raise(const struct pz_trials *t, const struct pz_fit *f,
                  double raise[PZ_REPEAT_CELLS]);

/* NDCG at 25 of the held-out events; ties count against them. */
double pz_fit_worth(const struct pz_trials *t, const struct pz_fit *f);

/*
 * The fit that makes the held-out events likeliest among their rivals: the maximum of the
 * sum of log softmax, with a weak prior for 0, by Newton's method; weights that would be
 * negative are 0.
 */
int pz_fit_likeliest(const struct pz_trials *t, struct pz_fit *f, struct pz_err *err);

/*
 * The fit of the greatest worth that is found from the likeliest one and from the best
 * part alone, number by number; parts that add less than a 300th are then dropped,
 * one by one; never worse than the best part alone, and never without any part. alone[p]
 * is the worth of part p alone, *best that of the result.
 */
int pz_fit_search(const struct pz_trials *t, struct pz_fit *f,
                  double alone[PZ_BLEND_PARTS], double *best, struct pz_err *err);

/*
 * The fit of the weights that f holds, one of them above 0: only slope and offset are
 * searched. alone and best as above.
 */
void pz_fit_given(const struct pz_trials *t, struct pz_fit *f,
                  double alone[PZ_BLEND_PARTS], double *best);

#endif
