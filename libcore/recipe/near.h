/*
 * near: how close to each other two items come in the histories of users.
 *
 * Of a user's events the first of each item counts. Items of one time belong to one
 * moment, such as a basket; d is how many moments lie from one item to the other. For an
 * item r and another j of the same moment or later the pair (r, j) gains 2^(-d/halflife);
 * where j came first, half of that: what follows an item says more of what goes with it
 * next. Beyond three halflives nothing is gained, nor from moments of more than 64 items,
 * which have no order to speak of.
 */
#ifndef PZ_RECIPE_NEAR_H
#define PZ_RECIPE_NEAR_H

#include "recipe/cooc.h"

struct pz_near {
    const struct pz_cooc *cooc;
    uint32_t *seq;    // n_pairs: the ranks of each user in the order of first events
    uint32_t *moment; // n_pairs: their moments
    uint32_t *place;  // n_pairs: where in that list each entry of cooc->item_user stands
    uint32_t reach;
    float *weight; // reach+1
};

/* `e` is what the cooc was built from. 12 bytes a pair of user and item. */
int pz_near_build(struct pz_near *n, const struct pz_cooc *c, const struct pz_events *e,
                  double halflife, struct pz_err *err);
void pz_near_release(struct pz_near *n); // accepts {0}

/*
 * Adds to row[j] the gains of (r, j) over all users, and to column[j], unless it is NULL,
 * those of (j, r), for all ranks j; always in the order of the users. An addition for
 * each item within reach, for each user of r.
 */
void pz_near_add(const struct pz_near *n, uint32_t r, float *row, float *column);
/* Sets to 0 what pz_near_add touched. */
void pz_near_clear(const struct pz_near *n, uint32_t r, float *row, float *column);

#endif
