/*
 * near: how close to each other two items come in the histories of users.
 *
 * Of a user's events, those that count in recipe/cooc.h, the first of each item counts.
 * Items of one time belong to one moment, such as a basket; d is how many moments lie
 * from one item to the other. For an item r and another j of the same moment or later the
 * pair (r, j) gains 2^(-d/halflife); where j came first, half of that: what follows an
 * item says more of what goes with it next. Beyond two halflives nothing is gained, nor
 * from moments of more than 64 items, which have no order to speak of.
 */
#ifndef PZ_RECIPE_NEAR_H
#define PZ_RECIPE_NEAR_H

#include "recipe/cooc.h"

struct pz_near {
    const struct pz_cooc *cooc;
    struct pz_near_at {
        uint32_t rank, moment; // moments of different users are out of each other's reach
    } * seq; // n_pairs, user by user in the order of first events, and one at each end
    uint64_t *place; // n_pairs: where in seq each entry of cooc->item_user stands
    uint32_t reach;
    float *weight; // 2 reach + 1: of an item from `reach` moments before to as many after
};

/* `e` is what the cooc was built from. 16 bytes a pair of user and item. */
int pz_near_build(struct pz_near *n, const struct pz_cooc *c, const struct pz_events *e,
                  double halflife, struct pz_err *err);
void pz_near_release(struct pz_near *n); // accepts {0}

/* What a rank gains with each other; each thread has its own. */
struct pz_near_row {
    float *gain;       // n_ranks: of the pairs (r, j)
    float *back;       // n_ranks: of the pairs (j, r), if `both`
    uint32_t *touched; // the n_touched ranks that are over 0, and room for one
    uint32_t n_touched;
};

int pz_near_row_new(struct pz_near_row *row, const struct pz_cooc *c, struct pz_err *err);
void pz_near_row_release(struct pz_near_row *row); // accepts {0}
/*
 * Sums up rank r over all users, in their order; the row must be clear. The rank gains
 * with itself, too. An addition, or two with `both`, for each item within reach, for each
 * user of r.
 */
void pz_near_row_add(struct pz_near_row *row, const struct pz_near *n, uint32_t r,
                     bool both);
void pz_near_row_clear(struct pz_near_row *row);

#endif
