/*
 * decay: a linear model of the next item, in closed form, from histories in which what
 * lies back counts less.
 *
 * Let i_1 .. i_T be a user's items, oldest first, with weights w. Before each event j > 1
 * the user is described by one vector over the items for each scale s,
 *
 *   x_js = sum over k < j of  w_k keep_s^(j-1-k) e(i_k)
 *
 * so that the last event counts whole, the one before it keep_s, and so on. B minimises
 *
 *   sum over users and j of  w_j | e(i_j) - sum_s x_js B_s |^2  +  sum_s lambda_s |B_s|^2
 *
 * which is a linear recurrent network with fixed memories, trained to its optimum:
 * (G + lambda) B = C with G = sum w x x^T and C = sum w x e^T over all scales at once
 * (the family of EASE^R, SLIST and TALE; several scales let each pair of items have its
 * own mixture of short and long memory).
 *
 * G needs no vector x: with M_st(l) = sum over j > l of w_j (keep_s keep_t)^(j-1-l), a
 * recursion from the end of the history, a pair of events k <= l adds
 * w_k w_l keep_s^(l-k) M_st(l) to G at (s, i_k), (t, i_l). Pairs further apart than
 * `window` events, or where keep^distance falls below 1/1000, are left out.
 *
 * While the equations fit into dense_bytes they are solved as a whole; else column j of B
 * is found from the `neighbours` inputs with the greatest |C_ij| / sqrt(G_ii + lambda_i)
 * alone, if C_ij is not 0: the same minimum where all other weights are 0.
 */
#ifndef PZ_RECIPE_DECAY_H
#define PZ_RECIPE_DECAY_H

#include "recipe/linear.h"

enum { PZ_DECAY_SCALES = 4 };

struct pz_decay_config {
    uint32_t n_scales;                      // 1..PZ_DECAY_SCALES
    double keep[PZ_DECAY_SCALES];           // 0 < keep <= 1
    double regularization[PZ_DECAY_SCALES]; // > 0
    uint32_t window;                        // events, at least 1
    size_t dense_bytes;                     // G and C for the closed form
    uint32_t neighbours;                    // else, 1..PZ_MAX_D
    size_t entries;      // of a row that are kept when rows are sparse, at least 1
    uint32_t dense_rows; // catalogues of up to so many items keep whole rows
    int threads;
};

/*
 * B_s of every scale into out[0..n_scales). Items are those with events. With n events, W
 * the mean reach of a scale and m items: n W n_scales^2 additions; (n_scales m)^3 / 3 + 2
 * (n_scales m)^2 m flops, or m neighbours^3 / 3. Results do not depend on the number of
 * threads. Where the equations are not positive definite in floats (the window cuts a
 * long memory off), the diagonal is raised until they are, by a hundredth, 4 hundredths
 * and so on. PZ_DATA when there are no events, or no solution even so.
 */
int pz_decay_train(struct pz_linear_made *out, const struct pz_events *events,
                   const struct pz_decay_config *c, struct pz_err *err);

/* The halflife of a bag (recipe/bag.h) that decays by `keep` an event; 0 for 1. */
double pz_decay_halflife(double keep);

#endif
