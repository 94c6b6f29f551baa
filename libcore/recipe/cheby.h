/*
 * cheby: a graph filter over all users and items, without training (after ChebyCF, Kim
 * et al. 2025, with a step in place of its singular vectors).
 *
 * R is users x items, 1 where the user had the item, D its degrees. With the normalized
 * R~ = D_u^-1/2 R D_i^-1/2, whose A = 2 R~^T R~ - I has its spectrum in [-1, 1], the
 * scores of a history x are
 *
 *   s = x D_i^-beta  h(A)  D_i^beta,
 *   h(t) = (1 + sign(t) |t|^phi) / 2 + pass / (1 + exp(-20 (t - cut))).
 *
 * The first term lets low frequencies (t near 1) through whole, the highest not at all,
 * and is ever flatter between them with greater phi. The second lets through once more
 * what lies above the cut, which is what a model of some hundred factors keeps. h is
 * interpolated at the Chebyshev nodes by a polynomial of degree K, and its terms come
 * from the recurrence T_k+1 = 2 A T_k - T_k-1: each costs two passes over all pairs, for
 * sixteen histories at a time.
 *
 * A model holds the pairs twice, numbered by rank (recipe/pairs.h):
 *   cheby.rank U32 [n]          the item of each rank
 *   cheby.user.offsets U64 [m+1], cheby.user.rank U32 [p]
 *   cheby.item.offsets U64 [n+1], cheby.item.user U32 [p]
 * and in its metadata train.cheby.{degree,phi,beta,pass,cut}; without the last two, as in
 * older files, pass is 0.
 */
#ifndef PZ_RECIPE_CHEBY_H
#define PZ_RECIPE_CHEBY_H

#include "recipe/bag.h"
#include "recipe/pairs.h"
#include "recipe/part.h"

enum { PZ_CHEBY_MAX_DEGREE = 64, PZ_CHEBY_LANES = 16 };

struct pz_cheby_config {
    int degree;       // K, 1..PZ_CHEBY_MAX_DEGREE
    double phi, beta; // phi > 0
    double pass, cut; // pass >= 0; cut in [-1, 1]
};

struct pz_cheby { // views
    uint32_t n_items, n_ranks, n_users;
    const uint32_t *item_of; // of a rank
    const uint64_t *user_offsets, *item_offsets;
    const uint32_t *user_rank, *item_user;
    uint64_t n_pairs;
    float coef[PZ_CHEBY_MAX_DEGREE + 1];
    double beta;
};

/* The filter over these pairs, which must outlive it. */
void pz_cheby_of(struct pz_cheby *f, const struct pz_pairs *pairs,
                 const struct pz_cheby_config *c);

/* Sets coef and beta alone. */
void pz_cheby_shape(struct pz_cheby *f, const struct pz_cheby_config *c);

/* Memory of one thread. */
struct pz_cheby_work;
int pz_cheby_work_new(struct pz_cheby_work **w, const struct pz_cheby *f,
                      struct pz_err *err);
void pz_cheby_work_free(struct pz_cheby_work *w); // accepts NULL

/*
 * Between begin and score, up to PZ_CHEBY_LANES bags are put. score writes n_items floats
 * for each to score + lane * stride. known[lane] false, and a row of 0: nobody had any of
 * the bag's items. 4 K gathered rows of 64 bytes a pair.
 */
void pz_cheby_begin(struct pz_cheby_work *w);
void pz_cheby_put(struct pz_cheby_work *w, int lane, const struct pz_bag *bag);
void pz_cheby_score(struct pz_cheby_work *w, int n, float *score, size_t stride,
                    bool *known);
/* The rank of an item; PZ_NO_ID: nobody has it. */
uint32_t pz_cheby_rank(const struct pz_cheby_work *w, uint32_t item);

/* The part "cheby"; parameters as below, where the recipe's table has them. */
extern const struct pz_part pz_part_cheby;

/* clang-format off */
#define PZ_PARAMS_CHEBY                                                                  \
    {.name = "cheby_degree", .kind = PZ_PARAM_INT, .place = PZ_PLACE_OURS,               \
     .def = 8, .min = 1, .max = 64, .tunable = true,                                     \
     .help = "of the graph filter: degree of its polynomial; answers cost as much"},     \
    {.name = "cheby_phi", .kind = PZ_PARAM_REAL, .place = PZ_PLACE_OURS,                 \
     .def = 1.5, .min = 0.1, .max = 10, .tunable = true,                                 \
     .help = "of the graph filter: how flat it is between the low and the high end"},    \
    {.name = "cheby_beta", .kind = PZ_PARAM_REAL, .place = PZ_PLACE_OURS,                \
     .def = 0.4, .min = -0.5, .max = 1, .tunable = true,                                 \
     .help = "of the graph filter: how much less popular items say; they also get as "   \
             "much more"},                                                               \
    {.name = "cheby_pass", .kind = PZ_PARAM_REAL, .place = PZ_PLACE_OURS,                \
     .def = 0, .min = 0, .max = 10, .tunable = true,                                     \
     .help = "of the graph filter: how much more it lets through above cheby_cut"},      \
    {.name = "cheby_cut", .kind = PZ_PARAM_REAL, .place = PZ_PLACE_OURS,                 \
     .def = -0.5, .min = -1, .max = 1, .tunable = true,                                  \
     .help = "of the graph filter: from where on it does; 1 is what all agree on, -1 "   \
             "what nobody does"}
/* clang-format on */

#endif
