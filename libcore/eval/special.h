/*
 * special: metrics that only one recipe has.
 *
 * aws-trending-now: trend_prediction_accuracy. The newest ten intervals of its
 * trend_discovery_frequency, ending at the newest event, are foretold one by one: a model
 * learns from what was before an interval, and its first 25 items are looked at. The rise
 * of an item is by how much its events in the interval are more than those in the one
 * before it, 0 when they are not. The sum of the rises of those items over that of the 25
 * items that rose most, each summed over the intervals; NaN when nothing ever rose.
 *
 * aws-semantic-similarity: means over the items that it gives as similar, 25 for each
 * item (2,000 items drawn by seed, of more), popular ones that complete a list not
 * counted; NaN when there are none:
 *
 *   item_popularity   log(1 + users) / log(1 + the most users of an item)
 *   item_freshness    share of the items that were not created later
 *   item_similarity   cosine with the item that was asked about
 */
#ifndef PZ_EVAL_SPECIAL_H
#define PZ_EVAL_SPECIAL_H

#include "eval/compare.h"
#include "eval/protocol.h"

/*
 * Sets what `of` has in *m as e's recipe fares in it: that is `of` itself, or a baseline
 * beside it. of_params are the parameters of `of`. The same for any number of threads.
 */
int pz_eval_special(const struct pz_eval *e, const struct pz_recipe *of,
                    const struct pz_params *of_params, struct pz_metrics *m,
                    struct pz_err *err);

/*
 * Fills o->special for the entries of `c`, of which only what `want` names is measured:
 * trends of recipes of type POPULAR_ITEMS, those without intervals of their own by the
 * intervals of the first entry that has them; the rest of aws-semantic-similarity. Not by
 * the split: everything in c->events is learned from, as by pz-train(1). It stays NULL
 * when no entry has any. Models have no events to foretell.
 */
int pz_compare_special(struct pz_compared *o, const struct pz_compare *c,
                       const bool want[PZ_N_SPECIAL], struct pz_err *err);
/* Has some entry special metric k, 0 <= k < PZ_N_SPECIAL? */
bool pz_special_has(const struct pz_compared *o, int k);
const char *pz_special_name(int k);

#endif
