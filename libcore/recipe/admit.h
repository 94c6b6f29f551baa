/*
 * admit: may a query have this item? Its `allow` bits and its `exclude` list as one test
 * that needs no memory beside the stack.
 */
#ifndef PZ_RECIPE_ADMIT_H
#define PZ_RECIPE_ADMIT_H

#include "recipe/recipe.h"

struct pz_admit {
    const struct pz_query *q;
    // A hashed sketch of the exclude list: most items are told apart without reading the
    // list.
    uint64_t sketch[512];
};

void pz_admit_init(struct pz_admit *a, const struct pz_query *q);
bool pz_admits(const struct pz_admit *a, uint32_t item);

#endif
