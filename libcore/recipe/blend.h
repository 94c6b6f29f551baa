/*
 * blend: several parts (recipe/part.h) under one score, chosen and weighed by what they
 * foretell.
 *
 *   score(i) = sum over parts p of  weight_p * s_p(i) / sd_p  +  repeat(i)
 *
 * s_p are the part's scores for the history, sd_p their standard deviation over all items
 * (a part that knows nothing of the history is left out). repeat(i) is 0 for items that
 * are not in the history, else what a table has for
 *
 *   - how many events lie behind the item's last one (0, 1, 2-3, 4-7, ... 128 and more),
 *   - how often it is in the history (1, 2, 3, 4 and more),
 *   - what share of the user's events were repeats (none, < 0.1, < 0.3, < 0.6, more):
 *
 * repeat = slope * log(share of such items that were the next event) + offset. Scores are
 * shown as exp(score/T) / sum over all items of the same.
 *
 * Training holds out the last event (or any) of some users and trains each part on the
 * rest. Then weights, slope and offset are searched for the greatest NDCG at 25 of the
 * held-out events (recipe/blend_fit.h); parts that add less than a 300th are dropped; T
 * is where the held-out events are likeliest. The parts that stay are trained again on
 * everything. Which parts are tried at all follows from their cost and `budget`, not from
 * a clock: the same data, seed and version give the same model for any number of threads.
 *
 * A part that can learn nothing from the rest (pz_part.learns) is left out. Where no
 * other may take its place (one part, or weights that are given) nothing is held out,
 * slope and offset are 0 and T is 1 unless it is given.
 *
 * Weights can be given instead: all parts are then tried and kept as they are; slope,
 * offset and T are found for them, in the same way. Where nothing is to be found out (one
 * part, or weights that are given; no repeats; T given), nothing is held out and each
 * part is trained once.
 *
 * A model holds the parts' tensors, repeat F32 [180] and as metadata train.parts
 * ("next,rules"), train.weight.PART, train.weights ("found" or "given"),
 * train.temperature and, for people,
 * train.validation.PART and train.validation (NDCG at 25 of the held-out events, of each
 * part alone and of the whole) and train.validation.events.
 */
#ifndef PZ_RECIPE_BLEND_H
#define PZ_RECIPE_BLEND_H

#include "recipe/part.h"

enum { PZ_BLEND_PARTS = 10 };
#define PZ_BLEND_COLDEST 1e-6

struct pz_blend_config {
    const struct pz_part *const *part; // in the order in which they are tried
    size_t n_parts;                    // 1..PZ_BLEND_PARTS
    double budget; // seconds (pz_part.cost) for training all parts twice; the cheapest
                   // that is not impersonal is always tried
    double temperature;   // PZ_BLEND_COLDEST or more: given; 0: where held-out events are
                          // likeliest
    double cold;          // gain of recipe/cold.h; 0: items without events get nothing
    const double *weight; // of each part, above 0: given, not found. NULL: by validation
    bool repeats;         // learn how readily people come back
    bool any;             // hold out any event, not the last: the order means nothing
};

/* Registered parts by name; NULL: none of that name. */
const struct pz_part *pz_part_find(const char *name);

int pz_blend_train(const struct pz_train *t, const struct pz_blend_config *c,
                   struct pz_err *err);

/*
 * Learns t->before, a blend, on: its parts, their weights and its temperature stay as
 * they are, without validation. Parts that take no longer than a sixtieth of the budget
 * are learned anew, those that are dear keep what they have (pz_part.keep). Metadata
 * "update.kept" says which: "next,ease".
 */
int pz_blend_update(const struct pz_train *t, const struct pz_blend_config *c,
                    struct pz_err *err);
/* The part alone, where it can be kept. */
int pz_part_update(const struct pz_part *part, const struct pz_train *t,
                   struct pz_err *err);

/* The functions of a recipe (recipe/recipe.h). */
int pz_blend_open(void **state, const struct pz_model *model, struct pz_err *err);
void pz_blend_close(void *state);
int pz_blend_rank(const void *state, const struct pz_query *q, size_t n,
                  struct pz_ranked *out, struct pz_err *err);
int pz_blend_explain(const void *state, const struct pz_query *q, uint32_t item,
                     struct pz_explained *out, struct pz_err *err);

#endif
