/*
 * parts: those that learn from the order or the times of events. The first two are
 * item-to-item weights (recipe/linear.h) applied to a history in which older events count
 * less, the others are the same for every history.
 *
 *   next   the decayed closed form of recipe/decay.h, a weight matrix "next0", "next1",
 *          ... a scale of time
 *   rules  how often item j came after item i: with n_ij = sum over pairs of events of i
 *          and j that are d <= window events apart, in this order, of d^-1/2,
 *
 *            B_ij = n_ij / ((10 + n_i.)^1/2 (10 + n_.j)^0.3)
 *
 *          n_i. and n_.j being sums of a row and of a column: what follows everything
 *          anyway counts less.
 *
 *   popular  log(1 + users), the users of an item counted once each
 *   recent   log(1 + sum over its events of weight 2^(-age / h)); the age is that beside
 *            the newest event of all, and h the age of the newest tenth of the events: h
 *            seconds back there are as many. Events without times are all as new.
 *
 * The last two are known for every history that is not empty; their tensors are
 * popular.score and recent.score, F32 [n_items].
 */
#ifndef PZ_RECIPE_PARTS_H
#define PZ_RECIPE_PARTS_H

#include "recipe/part.h"

/* Has an item 30 events or more on average, of the items that somebody had? What models
 * are made like goes by that. O(events). */
bool pz_is_thick(const struct pz_events *e);

/*
 * Halflife of a history, in events, for parts that learn without an order: past_halflife
 * where the recipe has it, 0 of it standing for what the data suggest (without
 * recency_mask: none), else 0.
 */
double pz_past_halflife(const struct pz_train *t);

extern const struct pz_part pz_part_next;
extern const struct pz_part pz_part_rules;
extern const struct pz_part pz_part_popular;
extern const struct pz_part pz_part_recent;

#endif
