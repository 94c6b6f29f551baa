/*
 * stats: what there is to say of a dataset's column at a glance, in one pass.
 */
#ifndef PZ_DATA_STATS_H
#define PZ_DATA_STATS_H

#include "data/dataset.h"

#define PZ_STATS_DISTINCT 1000000 // numbers are counted up to here

struct pz_stats {
    uint64_t nulls;
    uint64_t distinct; // values other than null
    bool more;         // there are more than that: counting stopped at PZ_STATS_DISTINCT
    bool has_range;    // numbers, at least one: min and max hold
    bool whole;        // they are integers: in i_min, i_max; else in f_min, f_max
    int64_t i_min, i_max;
    double f_min, f_max;
};

/* Strings cost nothing beyond the nulls; numbers one hash lookup a row. */
int pz_stats_column(const struct pz_dataset *d, const struct pz_column *c,
                    struct pz_stats *s, struct pz_err *err);

#endif
