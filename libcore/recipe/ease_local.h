/* ease_local: pz_ease_train (recipe/ease.h) by systems of neighbours. */
#ifndef PZ_RECIPE_EASE_LOCAL_H
#define PZ_RECIPE_EASE_LOCAL_H

#include "math/gram.h"
#include "recipe/ease.h"

/* gram: of the items that have users, in ranks, over the matrices of `pairs`. A row of it
 * keeps its 1,024 greatest entries. */
int pz_ease_local(struct pz_linear_made *out, struct pz_pairs *pairs,
                  const struct pz_gram *gram, const struct pz_ease_config *c,
                  struct pz_err *err);

#endif
