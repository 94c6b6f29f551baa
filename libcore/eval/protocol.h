/*
 * protocol: the offline test that pz-train(1) does with every training: protocol aws of
 * eval/split.h, 25 items asked for, seen ones among them, and for RELATED_ITEMS the last
 * item of the history as the one asked about.
 */
#ifndef PZ_EVAL_PROTOCOL_H
#define PZ_EVAL_PROTOCOL_H

#include "eval/metrics.h"
#include "eval/split.h"
#include "recipe/model.h"

struct pz_eval {
    const struct pz_recipe *recipe;
    const struct pz_world *world;
    const struct pz_events
        *events; // of the world, not cut: the protocol cuts what it trains on
    const struct pz_params *params;
    const struct pz_objective *objective; // opened; NULL: none. Recipes that it does not
                                          // fit are measured by it alone
    uint64_t seed;                        // of the draw and of the recipe
    int threads;
};

/* The same for any number of threads. n_users 0 when there are too few users to test. */
int pz_eval_aws(const struct pz_eval *e, struct pz_metrics *out, struct pz_err *err);

/* The same on a split that is there, of which only what `train` holds is learned. */
int pz_eval_split(const struct pz_eval *e, const struct pz_split *split,
                  const struct pz_events *train, struct pz_metrics *out,
                  struct pz_err *err);

#endif
