/*
 * reasons: the order of the reasons for an answer.
 */
#ifndef PZ_RECIPE_REASONS_H
#define PZ_RECIPE_REASONS_H

#include "recipe/recipe.h"

/* For qsort(): the greatest contribution first; ties by lower item, then by label: labels
 * of a model lie in memory in the order of its features, and no label comes first. */
int pz_reasons_order(const void *a, const void *b);
void pz_reasons_sort(struct pz_explained *e);

#endif
