/*
 * metrics: how good a ranked list is, by the ranks at which the relevant items stand.
 *
 * The ranks of one answer are ascending and start at 1; an item that is not found has
 * none. With R relevant items, and gain(r) = 1 / log2(1 + r):
 *
 *   hr         1 when a rank <= K is there, else 0
 *   precision  ranks <= K, over K even where the list is shorter
 *   recall     ranks <= K, over R
 *   crecall    ranks <= K, over min(K, R)
 *   mrr        1 / the first rank, when that is <= K, else 0
 *   ndcg       sum of gain over the ranks <= K, over that of the ranks 1..min(K, R)
 *   map        mean over min(K, R) of i / r_i, r_i being the i-th rank, those <= K
 *
 * Of the first K items of a list, whether they are relevant or not (n_i: users of item i
 * among the U users that training knew):
 *
 *   popularity mean of n_i / U
 *   novelty    mean of -log2(max(n_i, 1) / U), in bits
 *   diversity  1 - the mean over all pairs of the cosine between the sets of users
 *   reward     mean of the objective's column (recipe/objective.h)
 *
 * Where the relevant items have a worth of their own:
 *
 *   rewards    the objective's column summed over those with a rank <= K, over its sum
 *              over all R; values below 0 count as 0
 *   wndcg      ndcg with each item's gain times the greatest weight of its events; the
 *              ideal list has the heaviest items first
 *
 * And of all lists together:
 *
 *   coverage   distinct items in the first K, over the items of the catalogue
 *   gini       inequality of how often the catalogue's items stand there; 0: all alike,
 *              towards 1: a few have it all
 */
#ifndef PZ_EVAL_METRICS_H
#define PZ_EVAL_METRICS_H

#include <stdint.h>

#include "base/buf.h"

enum pz_measure {
    PZ_M_HIT_RATE,
    PZ_M_PRECISION,
    PZ_M_RECALL,
    PZ_M_CAPPED_RECALL,
    PZ_M_MRR,
    PZ_M_NDCG,
    PZ_M_MAP,
    PZ_N_RANK_MEASURES, // from the ranks
    PZ_M_POPULARITY = PZ_N_RANK_MEASURES,
    PZ_M_NOVELTY,
    PZ_M_DIVERSITY,
    PZ_M_REWARD,
    PZ_M_REWARDS,
    PZ_M_WEIGHTED_NDCG,
    PZ_N_USER_MEASURES, // means over users
    PZ_M_COVERAGE = PZ_N_USER_MEASURES,
    PZ_M_GINI,
    PZ_N_MEASURES,
};

const char *pz_measure_name(enum pz_measure m); // "ndcg"
/* Amazon's name where it has one: "normalized_discounted_cumulative_gain_at_10". */
void pz_measure_long_name(struct pz_buf *out, enum pz_measure m, uint32_t k);
/* PZ_USAGE listing the right names, those of single recipes (eval/special.h) too. */
int pz_measure_parse(enum pz_measure *m, const char *name, size_t n, struct pz_err *err);

#define PZ_MAX_AT 16
#define PZ_MAX_K  10000

/* The K's of the measures, with what the computation needs of them. */
struct pz_at {
    uint32_t k[PZ_MAX_AT]; // ascending
    size_t n;
    uint32_t most; // the greatest
    double *gain;  // most+1: gain[r]
    double *ideal; // most+1: sum of gain[1..i]
};

/* "5,10,25" in any order; PZ_USAGE. */
int pz_at_parse(struct pz_at *at, const char *text, struct pz_err *err);
int pz_at_init(struct pz_at *at, const uint32_t *k, size_t n, struct pz_err *err);
void pz_at_release(struct pz_at *at); // accepts {0}

/* A measure before PZ_N_RANK_MEASURES at K; n ranks, ascending; n_relevant at least 1. */
double pz_measure(const struct pz_at *at, enum pz_measure m, uint32_t k,
                  const uint32_t *rank, size_t n, size_t n_relevant);

/* Gini's coefficient of n counts; sorts them. 0 when all are 0. */
double pz_gini(uint32_t *count, size_t n);

/* ---- those of Amazon Personalize, by its names ---- */

enum pz_metric {
    PZ_COVERAGE,
    PZ_MRR_25,
    PZ_NDCG_5,
    PZ_NDCG_10,
    PZ_NDCG_25,
    PZ_PRECISION_5,
    PZ_PRECISION_10,
    PZ_PRECISION_25,
    // Of some trainings only; NaN in the others.
    PZ_REWARD_25, // with an objective; this one has no name at Amazon
    PZ_REWARDS,
    PZ_WEIGHTED_NDCG_5, // with weights of events
    PZ_WEIGHTED_NDCG_10,
    PZ_WEIGHTED_NDCG_25,
    PZ_TREND_ACCURACY, // of single recipes: eval/special.h
    PZ_ITEM_POPULARITY,
    PZ_ITEM_FRESHNESS,
    PZ_ITEM_SIMILARITY,
    PZ_N_METRICS,
    PZ_FIRST_SPECIAL = PZ_TREND_ACCURACY,
    PZ_N_SPECIAL = PZ_N_METRICS - PZ_FIRST_SPECIAL,
};
#define PZ_METRICS_LIST 25 // items that are asked for

struct pz_metrics {
    double value[PZ_N_METRICS]; // means over the users; NaN: not measured
    uint64_t n_users;           // 0: nothing could be asked for users; no value then
};

struct pz_metrics pz_metrics_none(void);      // nothing was measured
const char *pz_metric_name(enum pz_metric m); // "mean_reciprocal_rank_at_25"
/* Which measure it is, and at which K; PZ_N_MEASURES: none. */
enum pz_measure pz_metric_measure(enum pz_metric m, uint32_t *k);

/* {"coverage":0.27,...}, full precision, of what was measured. */
void pz_metrics_json(const struct pz_metrics *m, struct pz_buf *out);

#endif
