/*
 * exam: a model answers the questions of a split, and the answers become values.
 *
 * Every item of the catalogue (or every candidate) takes part. Only the first K+1 places
 * are asked for, K being the greatest: with one more place it is known of each rank up to
 * K whether other items share its score.
 *
 * Ties count against the model: an item's rank is the number of items with a greater or
 * an equal score. Items without a score (NaN) that follow all scored ones stand by their
 * place: they are popular items that complete a list. A NaN before a score, and a list
 * of NaN alone that is no fallback of a recipe with scores, is damage: no hits.
 */
#ifndef PZ_EVAL_EXAM_H
#define PZ_EVAL_EXAM_H

#include "eval/metrics.h"
#include "eval/split.h"
#include "recipe/model.h"

/* What was answered to the cases of a split. */
struct pz_answers {
    uint32_t n_cases;
    uint32_t room;    // items kept an answer
    uint32_t *item;   // n_cases x room, best first
    uint32_t *n_item; // of each case
    uint32_t *rank;   // parallel to the split's truths; 0: not within K
};

int pz_answers_init(struct pz_answers *a, const struct pz_split *s, uint32_t room,
                    struct pz_err *err);
void pz_answers_release(struct pz_answers *a); // accepts {0}

/* The rank of the item at place `at` (from 0) of a list of n, 0: none. `scored`: the
 * recipe gives scores and this is no fallback. */
uint32_t pz_rank_of(const float *score, size_t n, size_t at, bool scored);
/* Takes the list of case c: n items (at most a->room), of which the truths get ranks up
 * to `most`. */
void pz_answer_take(struct pz_answers *a, const struct pz_split *s, uint32_t c,
                    const uint32_t *item, const float *score, size_t n, bool scored,
                    uint32_t most);

/* Case c as a recipe of this type is asked; n is left 0. Views of the split. */
struct pz_query pz_question(const struct pz_split *s, uint32_t c,
                            enum pz_recipe_type type);

/* Asks all cases on `threads` threads; the same for any number. */
int pz_exam(struct pz_answers *a, const struct pz_model *m, const struct pz_split *s,
            uint32_t most, int threads, struct pz_err *err);

/* How popular items are where a model learned, and who had them. */
struct pz_crowd {
    uint32_t n_users;  // rows
    uint32_t n_active; // users with at least one event
    uint32_t n_items;
    uint64_t *offsets; // n_items+1
    uint32_t *user;    // of each item, distinct
};

int pz_crowd_make(struct pz_crowd *c, const struct pz_events *e, struct pz_err *err);
void pz_crowd_release(struct pz_crowd *c); // accepts {0}

/*
 * The values of each case: value[case * stride + m * at->n + i] is measure m
 * (< PZ_N_USER_MEASURES) at at->k[i]. NaN where it is not defined: diversity of fewer
 * than two items, popularity, novelty and reward of an empty list; the first three
 * without a crowd; reward and rewards where the split has none, and rewards of truths
 * without any; wndcg where events have no weights.
 */
int pz_values(double *value, size_t stride, const struct pz_answers *a,
              const struct pz_split *s, const struct pz_at *at,
              const struct pz_crowd *crowd, int threads, struct pz_err *err);

/* Coverage and Gini at each K: out[0..at->n) and out[at->n..2*at->n). */
int pz_spread(double *out, const struct pz_answers *a, const struct pz_at *at,
              uint32_t n_items, struct pz_err *err);

#endif
