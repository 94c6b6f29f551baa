/*
 * ials_history: a user's events as the equations of recipe/ials.h take them, and the
 * temperature at which scores are shown as probabilities.
 */
#ifndef PZ_RECIPE_IALS_HISTORY_H
#define PZ_RECIPE_IALS_HISTORY_H

#include "recipe/ials.h"

/* How events become the weights of distinct items. */
struct pz_ials_rule {
    bool once;       // repeats count with the greatest weight, not with the sum
    double halflife; // events after which one counts half (the newest counts whole); 0:
                     // all alike
};

struct pz_ials_history {
    uint32_t *item; // distinct, all known to the model, newest first
    float *weight;
    size_t n;
    uint32_t *place; // n_items: where an item stands in the list + 1; all 0 between calls
};

/* Room for lists of up to `most` events. */
int pz_ials_history_init(struct pz_ials_history *h, uint32_t n_items, size_t most,
                         struct pz_err *err);
void pz_ials_history_release(struct pz_ials_history *h); // accepts {0}
/*
 * Takes n events (at most the room), oldest first, weight NULL: all 1. Items that
 * training never saw and events that count less than 2^-16 are left out.
 */
void pz_ials_history_take(struct pz_ials_history *h, const struct pz_ials_side *side,
                          const struct pz_ials_rule *rule, const uint32_t *item,
                          const float *weight, size_t n);

/* Every user's vector from the user's events, n_users x d, new memory; zero where nothing
 * is known. */
int pz_ials_users(float **user, const struct pz_ials_side *side,
                  const struct pz_ials_rule *rule, const struct pz_events *events,
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
int pz_ials_softmax_fit(const struct pz_ials_side *side, const struct pz_ials_rule *rule,
                        const struct pz_events *events, uint64_t seed,
                        struct pz_ials_softmax *out, struct pz_err *err);

#endif
