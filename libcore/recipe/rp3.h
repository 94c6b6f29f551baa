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

/* The part "rp3beta"; parameters as below, where the recipe's table has them. */
extern const struct pz_part pz_part_rp3beta;

/* clang-format off */
#define PZ_PARAMS_RP3                                                                    \
    {.name = "rp3_alpha", .kind = PZ_PARAM_REAL, .place = PZ_PLACE_OURS,                 \
     .def = 0.8, .min = 0, .max = 2, .tunable = true,                                    \
     .help = "of RP3beta: how much less an active user and a popular item hand on"},     \
    {.name = "rp3_beta", .kind = PZ_PARAM_REAL, .place = PZ_PLACE_OURS,                  \
     .def = 0.3, .min = 0, .max = 2, .tunable = true,                                    \
     .help = "of RP3beta: how much less a popular item gets"},                           \
    {.name = "rp3_keep", .kind = PZ_PARAM_INT, .place = PZ_PLACE_OURS,                   \
     .def = 350, .min = 1, .max = 100000,                                                \
     .help = "of RP3beta: greatest weights of an item that the model keeps"}
/* clang-format on */

#endif
