/*
 * ials_history: a user's events as the equations of recipe/ials.h take them, and the
 * temperature at which scores are shown as probabilities.
 */
#ifndef PZ_RECIPE_IALS_HISTORY_H
#define PZ_RECIPE_IALS_HISTORY_H

#include "recipe/bag.h"
#include "recipe/ials.h"

/*
 * Takes a user's n events, oldest first, weight NULL: all 1, as the distinct items that
 * the equations know, newest first: as pz_bag_take(), without items that training never
 * saw.
 */
int pz_ials_take(struct pz_bag *b, const struct pz_ials_side *side,
                 const struct pz_bag_rule *rule, const uint32_t *item,
                 const float *weight, size_t n, struct pz_err *err);

/* Every user's vector from the user's events, n_users x d, new memory; zero where nothing
 * is known. */
int pz_ials_users(float **user, const struct pz_ials_side *side,
                  const struct pz_bag_rule *rule, const struct pz_events *events,
                  int threads, struct pz_err *err);

/*
 * How scores become probabilities: item i has exp(score/temperature) over the sum of
 * that, where the score of an item of the user's history is raised by `repeat` (negative
 * where people rarely come back to what they had).
 */
struct pz_ials_softmax {
    double temperature, repeat;
};

/*
 * Fits both: for a sample of users the newest fifth of the events is taken as unknown,
 * the vector made from the rest, and the mean of -log probability minimised, with a weak
 * prior for no repeat effect. Deterministic. {1, 0} when no user has two events.
 */
int pz_ials_softmax_fit(const struct pz_ials_side *side, const struct pz_bag_rule *rule,
                        const struct pz_events *events, uint64_t seed,
                        struct pz_ials_softmax *out, struct pz_err *err);

#endif
