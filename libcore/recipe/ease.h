/*
 * ease: the linear item-to-item model that predicts each item of a user from the others
 * (EASE^R, Steck 2019), in closed form for catalogues of up to some 30,000 items and by
 * small systems of neighbours beyond.
 *
 * X is users x items, 1 or the weight of the event. B minimises
 *
 *   sum_u v_u |x_u - x_u B|^2 + sum_i l_i |B_i|^2     with B_ii = 0,
 *   v_u = (items of u)^-user_damping,   l_i = regularization + p/(1-p) G_ii,
 *
 * G = X^T V X; the second term of l_i is what leaving out a share p of a user's items in
 * training amounts to (EDLAE, Steck 2020). With P = (G + diag l)^-1, B_ij = -P_ij/P_jj.
 *
 * Beyond `dense_most` items (or with `neighbours` given) column j of B is found from its
 * best neighbours alone, those with the greatest G_ij / sqrt(G_ii): the same minimum
 * where all other weights are 0.
 */
#ifndef PZ_RECIPE_EASE_H
#define PZ_RECIPE_EASE_H

#include "recipe/linear.h"
#include "recipe/pairs.h"

struct pz_ease_config {
    double regularization; // > 0
    double dropout;        // p, 0 <= p < 1
    double user_damping;   // >= 0
    uint32_t dense_most;   // most items for the closed form
    uint32_t neighbours;   // of an item otherwise, at least 1
    size_t keep;           // entries of a row that are kept, at least 1; rows of up to
                           // dense_rows items are kept whole
    uint32_t dense_rows;
    bool spend; // pz_pairs_spend() them as soon as they are added up
    int threads;
};

/*
 * m^3 flops for m items with users (math/dense.h). Memory: half of m^2 floats, all of
 * them where rows are kept whole, and what the inverse takes beside; by neighbours, k of
 * them, m (k^3/3 + k * row of G) flops in m * keep entries. PZ_DATA when the equations
 * have no solution in floats.
 */
int pz_ease_train(struct pz_linear_made *out, struct pz_pairs *pairs,
                  const struct pz_ease_config *c, struct pz_err *err);

/*
 * The part "ease". Of a recipe's parameters it reads, where the table has them
 * (PZ_PARAMS_EASE), those below; weights of a history's items are the greatest of their
 * events.
 */
extern const struct pz_part pz_part_ease;

/* clang-format off */
#define PZ_PARAMS_EASE                                                                   \
    {.name = "ease_regularization", .kind = PZ_PARAM_REAL, .place = PZ_PLACE_OURS,       \
     .def = 0, .min = 0, .max = 1e6, .tunable = true,                                    \
     .help = "of EASE: what keeps weights between items small; 0: 30 times the root "    \
             "of an item's mean number of users"},                                       \
    {.name = "ease_dropout", .kind = PZ_PARAM_REAL, .place = PZ_PLACE_OURS,              \
     .def = 0, .min = 0, .max = 0.9, .tunable = true,                                    \
     .help = "of EASE: share of a user's items that training leaves out at random"},     \
    {.name = "ease_user_damping", .kind = PZ_PARAM_REAL, .place = PZ_PLACE_OURS,         \
     .def = 0, .min = 0, .max = 2, .tunable = true,                                      \
     .help = "of EASE: a user with n items counts n^-this; regularization goes by it"},  \
    {.name = "ease_neighbours", .kind = PZ_PARAM_INT, .place = PZ_PLACE_OURS,            \
     .def = 0, .min = 0, .max = 512,                                                     \
     .help = "of EASE: items that a weight may go to an item from; 0: all, or 200 "      \
             "where more than 30000 items have users or all would take more than 0.15 "  \
             "of the time budget"},                                  \
    {.name = "ease_keep", .kind = PZ_PARAM_INT, .place = PZ_PLACE_OURS,                  \
     .def = 500, .min = 1, .max = 100000,                                                \
     .help = "of EASE: greatest weights of an item that the model keeps when more than " \
             "4096 items have users"}
/* clang-format on */

#endif
