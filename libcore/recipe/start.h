/*
 * start: what somebody is offered of whom nothing is known: what people begin with, and
 * what is had lately, as far as either foretells it.
 *
 *   score(i) = log(1 + sum over the users of i of 2^(-k/f) 2^(-a/h))
 *
 * k being how many other items the user had had before, and a the age of the user's first
 * event with i beside the newest event of all. f (0.5, 2, 8 or no end) and h (1/16, 1/4,
 * 1, 4 times the time in which the newest tenth of the events happened, or no end) are
 * those under which the events before some time best foretell the first five items of the
 * newest users, a tenth of all and a thousand at most: the greatest NDCG at 25, of equals
 * the one nearer to plain popularity, which it is with fewer than 20 users to try it on.
 *
 * A model holds start.item U32 [k], best first (ties by item), start.score F32 [k], the
 * items that anybody has, and as metadata train.start.early and train.start.halflife (f
 * and h in seconds, "none" without end), train.start.users, and, of as many,
 * train.start.validation and train.start.popularity: the NDCG, and that of popularity.
 */
#ifndef PZ_RECIPE_START_H
#define PZ_RECIPE_START_H

#include "recipe/model.h"

struct pz_start {
    const uint32_t *item;
    const float *score;
    uint64_t n; // 0: the model has none of it
};

/* O(20 events). */
int pz_start_train(const struct pz_train *t, struct pz_err *err);
/* PZ_FORMAT: damaged. */
int pz_start_open(struct pz_start *s, const struct pz_model *m, struct pz_err *err);

#endif
