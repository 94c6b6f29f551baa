/*
 * rp3: item-to-item weights by a random walk of three steps, item to user to item
 * (RP3beta, Paudel et al. 2017):
 *
 *   B_ij = n_i^-alpha n_j^-beta sum over users u of both of n_u^-alpha        B_ii = 0
 *
 * n_i: users of item i, n_u: items of user u; with event weights the pair counts w_ui
 * w_uj. beta above 0 takes from items that everybody has anyway.
 */
#ifndef PZ_RECIPE_RP3_H
#define PZ_RECIPE_RP3_H

#include "recipe/linear.h"
#include "recipe/pairs.h"

struct pz_rp3_config {
    double alpha, beta; // >= 0
    size_t keep;        // greatest weights of a row that stay, at least 1
    int threads;
};

/* One addition a pair of items that a user has: sum over users of n_u^2. */
int pz_rp3_train(struct pz_linear_made *out, const struct pz_pairs *pairs,
                 const struct pz_rp3_config *c, struct pz_err *err);

#endif
