/*
 * pairs: which user had which items, once each, as the sparse matrix that order-free
 * models learn from; items and users are numbered by how often they occur (rank 0 most).
 */
#ifndef PZ_RECIPE_PAIRS_H
#define PZ_RECIPE_PAIRS_H

#include "math/csr.h"
#include "recipe/recipe.h"

struct pz_pairs {
    uint32_t n_ranks;               // items that somebody has
    struct pz_csr by_user, by_item; // in ranks; values are weights, NULL: all 1
    uint32_t *item_of; // rank -> item; by_item.n_rows of them, those without users last
    uint32_t *user_of;
};

/* An item that a user has several times has its greatest weight. */
int pz_pairs_make(struct pz_pairs *p, const struct pz_events *e, struct pz_err *err);
/* Releases the matrices; the ranks stay. */
void pz_pairs_spend(struct pz_pairs *p);
void pz_pairs_release(struct pz_pairs *p); // accepts {0}

/* (distinct items of the user)^-power for each user rank: how much one counts when
 * active users shall not decide alone. *out is new memory, NULL for power 0. */
int pz_pairs_damp(float **out, const struct pz_pairs *p, double power,
                  struct pz_err *err);

/* What training on these events is about to meet, for the cost of a part (recipe/part.h).
 * O(events) for each two million items of the catalogue; needs no memory, so that what is
 * chosen by it does not go by what memory there is. */
struct pz_pairs_size {
    double n_items;   // that somebody has
    double n_events;  // at least the distinct pairs
    double additions; // sum over users of the square of their events
};
void pz_pairs_size(struct pz_pairs_size *s, const struct pz_events *e);

#endif
