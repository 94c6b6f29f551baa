/*
 * cold: scores of items that nobody has had, from items like them.
 *
 * Of the cosines of features (recipe/features.h, the 32 heaviest of an item) to the 16
 * most alike items j that have at least 5 events, and with the gain g,
 *
 *   s_i = sum_j a_ij s_j    a_ij = g cos_ij^3 / (0.2 + sum_k cos_ik^3)
 *
 * is the score of an item i without events: what a user is offered of the new is like
 * what the user is offered anyway, and what is like nothing gets nothing.
 *
 * A model holds cold.item U32 [n], ascending, cold.offsets U64 [n+1], cold.like U32 and
 * cold.weight F32: s_item = sum weight s_like.
 */
#ifndef PZ_RECIPE_COLD_H
#define PZ_RECIPE_COLD_H

#include "recipe/model.h"

struct pz_cold {
    const uint32_t *item, *like;
    const uint64_t *offsets;
    const float *weight;
    uint64_t n; // items; 0: none, or the model has none of it
};

enum { PZ_COLD_LIKE = 16 };

/*
 * Adds the tensors, from the items dataset of t->world and the counts of t->events;
 * nothing where there are no features. gain: g. Time: for each cold item one addition for
 * each item with 5 events that shares one of its features; some of those that have all
 * features in common are done at once.
 */
int pz_cold_train(const struct pz_train *t, double gain, struct pz_err *err);
/* Opens and checks: O(entries). PZ_FORMAT. */
int pz_cold_open(struct pz_cold *c, const struct pz_model *m, struct pz_err *err);
/* Changes the scores of all items. */
void pz_cold_apply(const struct pz_cold *c, float *score);
/* The place of an item in c->item; c->n: it is not cold. */
uint64_t pz_cold_find(const struct pz_cold *c, uint32_t item);

#endif
