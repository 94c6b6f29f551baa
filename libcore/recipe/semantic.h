/*
 * semantic: what aws-semantic-similarity tells of its answers, for those who measure it.
 */
#ifndef PZ_RECIPE_SEMANTIC_H
#define PZ_RECIPE_SEMANTIC_H

#include "recipe/model.h"

enum { PZ_TRAIT_POPULARITY, PZ_TRAIT_FRESHNESS, PZ_TRAIT_SIMILARITY, PZ_N_TRAITS };

/*
 * Adds to sum the popularity and freshness of n items and their cosine with `item`,
 * whatever the influences are. `state` is that of an opened model of the recipe.
 * PZ_FORMAT: a damaged model.
 */
int pz_semantic_add_traits(const void *state, uint32_t item, const uint32_t *similar,
                           size_t n, double sum[PZ_N_TRAITS], struct pz_err *err);

#endif
