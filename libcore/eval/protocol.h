/*
 * protocol: how a recipe is put to the test.
 *
 * aws: a tenth of the users with at least two events, drawn by seed, is kept from
 * training. The oldest nine tenths of a test user's events are given as history (for
 * RELATED_ITEMS the last of them is the item asked about), the newest max(1, round(n/10))
 * are the truth. 25 items are asked for; items that the user has seen may be among them.
 */
#ifndef PZ_EVAL_PROTOCOL_H
#define PZ_EVAL_PROTOCOL_H

#include "eval/metrics.h"
#include "recipe/world.h"

struct pz_eval {
    const struct pz_recipe *recipe;
    const struct pz_world *world;
    const struct pz_events
        *events; // of the world, not cut: the protocol cuts what it trains on
    const struct pz_params *params;
    uint64_t seed; // of the draw and of the recipe
    int threads;
};

/* The same for any number of threads. n_users 0 when there are too few users to test. */
int pz_eval_aws(const struct pz_eval *e, struct pz_metrics *out, struct pz_err *err);

/* Which users the draw takes: n_users flags, new memory in *test; returns their number in
 * *n. */
int pz_eval_draw(const struct pz_events *e, uint64_t seed, uint8_t **test, uint32_t *n,
                 struct pz_err *err);

#endif
