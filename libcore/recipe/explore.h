/*
 * explore: answers that try new items, whose worth nobody knows yet, a little more often
 * than their scores say.
 *
 * An item is new up to a given age beside the newest event of the data. Its birth is its
 * CREATION_TIMESTAMP, else its oldest event, else the newest event of all. With s_i the
 * scores of an answer, s their mean, n_i an item's events and h_i the times that it was
 * shown to somebody who never had it, at the training and since (pz_explore.lately), and
 * sums over the new items,
 *
 *   v_i = 1 / (1 + n_i + h_i / 10)
 *   V = sum v_i
 *   m = (sum v_i s_i + s / 10) / (V + 1/10)
 *   S_i = (s_i - m) / (max s - m)
 *
 * the order of the answer is that of
 *
 *   (1 - e) S_i                                          of items that are not new
 *   (1 - e) S_i + e (S_i + (v_i / (2 ln(2 + V)))^1/2 z_i)   of new ones
 *
 * e is the weight and z_i a draw from N(0,1). This is Thompson sampling from what S_i may
 * truly be, against established items that lose e of what they are worth; S is 0 for what
 * is known least. The logarithm keeps the greatest draw at about 1, the best item's S,
 * however many new items there are. With e = 1 established items come behind all that are
 * drawn above 0, in their own order. Where all scores are equal S is 0.
 *
 * A model holds, newest item first (ties by item) and one entry for each item of the
 * model, explore.item U32, explore.born I64 (Unix seconds), explore.events U32 (n_i) and
 * explore.shown U32 (h_i), and the time of the newest event as metadata explore.newest.
 */
#ifndef PZ_RECIPE_EXPLORE_H
#define PZ_RECIPE_EXPLORE_H

#include "recipe/model.h"

struct pz_explorer {
    const uint32_t *item, *events, *shown;
    const int64_t *born;
    uint64_t n; // 0: the model has none of it
    int64_t newest;
};

/*
 * Adds the tensors, from all interactions of t->world. What was shown stands in the
 * IMPRESSION column, item ids with '|' between, or else, of the answer that
 * RECOMMENDATION_ID names, in t->shown; equal ones that follow each other in a user's
 * rows count once. O(rows).
 */
int pz_explore_train(const struct pz_train *t, struct pz_err *err);

/* A model without the tensors explores nothing. PZ_FORMAT: damaged. */
int pz_explore_open(struct pz_explorer *x, const struct pz_model *m, struct pz_err *err);

/*
 * The q->n best of all items that q admits, with q->explore; score: of all items,
 * -INFINITY behind them up to a multiple of 16; work: room for as many, with the same
 * padding; key: as pz_mix_pick() wants it. out->score are the given scores, which need
 * not fall. Each new item that q admits costs a draw, some 30 ns.
 */
void pz_explore_pick(const struct pz_explorer *x, const struct pz_query *q,
                     const float *score, float *work, uint32_t n_items, uint64_t *key,
                     struct pz_ranked *out);

#endif
