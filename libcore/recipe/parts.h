/*
 * parts: those that learn from the order of events. Both are item-to-item weights
 * (recipe/linear.h) applied to a history in which older events count less.
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
 */
#ifndef PZ_RECIPE_PARTS_H
#define PZ_RECIPE_PARTS_H

#include "recipe/part.h"

/*
 * Halflife of a history, in events, for parts that learn without an order: past_halflife
 * where the recipe has it, 0 of it standing for what the data suggest, else 0.
 */
double pz_past_halflife(const struct pz_train *t);

extern const struct pz_part pz_part_next;
extern const struct pz_part pz_part_rules;

#endif
