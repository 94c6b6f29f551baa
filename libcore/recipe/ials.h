/*
 * ials: implicit-feedback matrix factorization by alternating least squares.
 *
 * Minimises (Hu, Koren, Volinsky 2008, with the regularization of Rendle et al. 2021)
 *
 *   sum over events (u,i)  w_ui (x_u.y_i - 1)^2
 *   + alpha0 sum over all u, i  (x_u.y_i)^2
 *   + lambda ( sum_u n_u^nu |x_u|^2 + sum_i n_i^nu |y_i|^2 )
 *
 * n_u = sum of w_ui over the user's items + alpha0 * number of items (n_i likewise):
 * users and items without any event do not count. One row is the solution of
 *
 *   (alpha0 Y^T Y + sum w y y^T + lambda n_u^nu I) x_u = sum w y
 *
 * found exactly (Cholesky) or by a few steps of conjugate gradients from the last value.
 * What stays are the items: a user is whatever pz_ials_fold() makes of a history.
 *
 * Vectors have d floats, the number of factors rounded up to whole lanes
 * (math/kernels.h); those behind n_factors are zero. Results do not depend on the number
 * of threads or on the instruction set.
 */
#ifndef PZ_RECIPE_IALS_H
#define PZ_RECIPE_IALS_H

#include "math/kernels.h"
#include "recipe/recipe.h"

enum pz_ials_solver { PZ_IALS_AUTO, PZ_IALS_CG, PZ_IALS_CHOLESKY };

struct pz_ials_config {
    uint32_t n_factors; // 1..PZ_MAX_D
    double alpha0;      // 0: from the data, see m->alpha0
    double lambda;      // 0: from the data, see m->lambda
    double nu;
    double init_scale;          // items start as N(0, init_scale/sqrt(n_factors))
    int iterations;             // at least 1
    double tolerance;           // stop when the loss falls by a smaller share; 0: never
    enum pz_ials_solver solver; // AUTO: the one that is cheaper for the row
    int cg_steps;
    bool once; // a repeated (user, item) has its greatest weight, not the sum
    uint64_t seed;
    int threads;
};

/* The equations of one side: what is needed to solve a user given the items. */
struct pz_ials_side {
    const float *table; // n_rows x d
    const float *gram;  // d x d, alpha0 Y^T Y, whole
    uint32_t n_rows;
    size_t d;
    double lambda, nu;
    double base; // alpha0 * number of items with events
};

struct pz_ials {
    uint32_t n_items;
    size_t d;
    float *item;   // n_items x d; zero without events, or where they say nothing
    float *gram;   // d x d, alpha0 Y^T Y
    double alpha0; // as given, or mean weight of an entry * root of the density
    double lambda; // as given, or 0.02 * fourth root of the density
    double base;   // alpha0 * number of items with events
    int n_iterations;
    double *loss; // [n_iterations] after each iteration
};

/* The density is the share of pairs, of users and items with events, that have one. */
int pz_ials_train(struct pz_ials *m, const struct pz_events *events,
                  const struct pz_ials_config *c, struct pz_err *err);
void pz_ials_release(struct pz_ials *m); // accepts {0}

/* Memory to solve rows with; one a thread. */
struct pz_ials_work;
int pz_ials_work_new(struct pz_ials_work **w, size_t d, struct pz_err *err);
void pz_ials_work_free(struct pz_ials_work *w);

/*
 * The exact vector x (d floats) of a user with these n distinct items (< n_rows) and
 * weights (NULL: 1). PZ_DATA when the equations have no solution in floats (weights or
 * lambda out of all proportion).
 */
int pz_ials_fold(const struct pz_ials_side *side, struct pz_ials_work *w,
                 const uint32_t *item, const float *weight, size_t n, float *x,
                 struct pz_err *err);

#endif
