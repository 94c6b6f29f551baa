/*
 * item_codes: the bytes of math/quant.h for item.factor in a model file, so that a
 * process that answers one request maps and reads a quarter of the factors.
 *
 * item.code U8 [groups, d/4, 16, 4] and item.scale F32 [groups*16] are in files of models
 * with PZ_CODED_ITEMS items or more; fewer are scanned in no time. Files without them
 * open all the same.
 */
#ifndef PZ_RECIPE_ITEM_CODES_H
#define PZ_RECIPE_ITEM_CODES_H

#include "math/topn.h"
#include "recipe/model.h"

enum { PZ_CODED_ITEMS = 16384 };

/* Adds the two tensors where the table (n_items x d) is big enough and can be coded. */
int pz_item_codes_put(struct pz_builder *b, const float *table, uint32_t n_items,
                      size_t d, struct pz_err *err);
/* Fills table->quant from the file, or with NULLs. The rest of *table is given. */
int pz_item_codes_get(const struct pz_model *m, struct pz_topn_table *table,
                      struct pz_err *err);

#endif
