/*
 * reasons: the terms of an answer's score, in order and each item's once.
 */
#ifndef PZ_RECIPE_REASONS_H
#define PZ_RECIPE_REASONS_H

#include "recipe/recipe.h"

/* For qsort(): the greatest contribution first; ties by lower item, then those without a
 * label, then by label, bytewise. */
int pz_reasons_order(const void *a, const void *b);
void pz_reasons_sort(struct pz_explained *e);

/*
 * Makes out->reason, which must have room for n and may be `all` itself, of all[0..n):
 * terms of one item, and of one label where they have labels, become one, added up in the
 * order in which they stand. In the order above; `all` is sorted on the way. O(n log n).
 */
void pz_reasons_join(struct pz_reason *all, size_t n, struct pz_explained *out);

#endif
