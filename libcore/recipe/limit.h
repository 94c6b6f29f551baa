/*
 * limit: the columns that a training may use (AWS: trainingDataConfig), as a world that
 * lacks the others. Filters and answers are made of the datasets themselves and keep all.
 *
 * A column is named COLUMN, or DATASET.COLUMN ("items.PRICE") where several datasets have
 * it; without case. Once columns of a dataset are included, its others are not used, the
 * reserved ones (CREATION_TIMESTAMP ...) excepted. Those can be excluded by name, but for
 * ids, TIMESTAMP and EVENT_TYPE, without which there is nothing to learn from.
 */
#ifndef PZ_RECIPE_LIMIT_H
#define PZ_RECIPE_LIMIT_H

#include "recipe/world.h"

struct pz_column_choice {
    const char *const *include, *const *exclude;
    size_t n_include, n_exclude; // both 0: all columns are used
};

struct pz_limited {
    struct pz_world world; // a view of the whole one, which must outlive it
    struct pz_dataset interactions, items, users; // views, with arrays of columns of
                                                  // their own
};

/* PZ_USAGE: no such column (lists those that are there), several, or one that is needed.
 * O(columns). */
int pz_world_limit(struct pz_limited *l, const struct pz_world *w,
                   const struct pz_column_choice *c, struct pz_err *err);
void pz_limited_release(struct pz_limited *l); // accepts {0}

/* {"include":["..."],"exclude":["..."]}, as given. */
void pz_column_choice_json(const struct pz_column_choice *c, struct pz_buf *out);

#endif
