/*
 * curve: how a recipe's quality grows with the data that it learns from.
 */
#ifndef PZ_EVAL_CURVE_H
#define PZ_EVAL_CURVE_H

#include "eval/compare.h"

#define PZ_CURVE_POINTS 5

struct pz_curve {
    double share[PZ_CURVE_POINTS]; // of the users trained on: 0.1 ... 1
    double *mean;                  // entries x points, of one column
    struct pz_bounds *interval;    // entries x points
    size_t n_entries;
};

/*
 * The first draw of a comparison again, each time with a part of the users to learn from,
 * drawn by seed, and the same questions; the last point is the comparison's own. `column`
 * is one of the values of users. Costs about 1.5 trainings and four rounds of questions
 * an entry. Where an entry cannot learn from so little its values are NaN.
 */
int pz_curve_run(struct pz_curve *v, const struct pz_compared *o,
                 const struct pz_compare *c, size_t column, struct pz_err *err);
void pz_curve_release(struct pz_curve *v); // accepts {0}

#endif
