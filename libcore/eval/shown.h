/*
 * shown: which measures at which K a person wants to see.
 */
#ifndef PZ_EVAL_SHOWN_H
#define PZ_EVAL_SHOWN_H

#include "eval/metrics.h"
#include "eval/split.h"

#define PZ_MAX_SHOWN (PZ_N_MEASURES * PZ_MAX_AT)

struct pz_shown {
    struct pz_at at; // all K's that are needed
    struct {
        enum pz_measure measure;
        uint32_t k;
        size_t column; // measure * at.n + place of k
    } item[PZ_MAX_SHOWN];
    size_t n;
    bool special[PZ_N_SPECIAL]; // metric PZ_FIRST_SPECIAL + i, behind the others
};

/*
 * `metrics` is "ndcg@10,mrr,...": a name alone stands for all K's of `at`, which is
 * "5,10,25". Either may be NULL: what the protocol's tables usually have, all special
 * ones, and `more` names (or NULL) at the greatest K of them where metrics is NULL.
 * PZ_USAGE, also when there is no such name for `at`.
 */
int pz_shown_init(struct pz_shown *s, const char *metrics, const char *more,
                  const char *at, enum pz_protocol protocol, struct pz_err *err);
void pz_shown_release(struct pz_shown *s); // accepts {0}

#endif
