/*
 * metrics: Amazon Personalize's offline metrics, by its names and definitions.
 *
 * precision at K: relevant in the first K, over K even where the list is shorter.
 * mean reciprocal rank at 25: 1 / rank of the first relevant one, 0 when there is none.
 * NDCG at K: sum of 1/log2(1+rank) over the relevant, over the same sum for an ideal list
 * (the first min(K, number relevant) ranks).
 * coverage: distinct items over all answers, over the items of the catalogue.
 */
#ifndef PZ_EVAL_METRICS_H
#define PZ_EVAL_METRICS_H

#include <stdint.h>

#include "base/buf.h"

enum pz_metric {
    PZ_COVERAGE,
    PZ_MRR_25,
    PZ_NDCG_5,
    PZ_NDCG_10,
    PZ_NDCG_25,
    PZ_PRECISION_5,
    PZ_PRECISION_10,
    PZ_PRECISION_25,
    PZ_N_METRICS,
};
#define PZ_METRICS_LIST 25 // items that are asked for

struct pz_metrics {
    double value[PZ_N_METRICS]; // means over the users
    uint64_t n_users;           // 0: nothing could be tested; all values are 0 then
};

const char *pz_metric_name(enum pz_metric m); // "mean_reciprocal_rank_at_25"

/* All but coverage (left 0) for one list, best first; `relevant` is sorted, without
 * repeats. */
void pz_metrics_of(double value[PZ_N_METRICS], const uint32_t *list, size_t n_list,
                   const uint32_t *relevant, size_t n_relevant);

/* {"coverage":0.27,...}, full precision. */
void pz_metrics_json(const struct pz_metrics *m, struct pz_buf *out);

#endif
