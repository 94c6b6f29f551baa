/*
 * lately: what became of items since a model was trained, for answers that explore
 * (recipe/explore.h): the events in the store behind those that it learned, and what they
 * say was shown.
 *
 * A list counts as in training, once where it stands in successive events of a user (as
 * far as it is remembered: LISTS users at a time), but for the item of the event alone:
 * what else a user had, the next training tells.
 */
#ifndef PZ_INFER_LATELY_H
#define PZ_INFER_LATELY_H

#include "recipe/recipe.h"
#include "store/estore.h"

struct pz_lately_count;
/* Counts what has a seq above `seq` and is newer than `time`. */
int pz_lately_new(struct pz_lately_count **c, const struct pz_ids *items, int64_t seq,
                  int64_t time, struct pz_err *err);
void pz_lately_free(struct pz_lately_count *c); // accepts NULL
/*
 * Counts what was put since the last call, at most once a second: about half a
 * microsecond for each event of the store. *out is NULL when there is nothing, else valid
 * until the next call.
 */
int pz_lately_look(struct pz_lately_count *c, struct pz_estore *store,
                   const struct pz_lately **out, struct pz_err *err);

#endif
