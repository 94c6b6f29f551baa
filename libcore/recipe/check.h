/* check: is a model file sound beyond its hashes, as far as answers depend on it? */
#ifndef PZ_RECIPE_CHECK_H
#define PZ_RECIPE_CHECK_H

#include "recipe/model.h"

/*
 * Reads ids and their tables, histories and what the recipe stores for each item, as
 * answers would: O(ids + events + the recipe's rows). PZ_FORMAT naming the tensor.
 */
int pz_model_check(const struct pz_model *m, struct pz_err *err);
/* The same of a file. */
int pz_model_check_file(const char *path, struct pz_err *err);

#endif
