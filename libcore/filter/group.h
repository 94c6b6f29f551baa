/* group: the datasets of a group, opened for filters. */
#ifndef PZ_FILTER_GROUP_H
#define PZ_FILTER_GROUP_H

#include "filter/filter.h"

struct pz_filter_group {
    struct pz_dataset set[PZ_N_SETS];
    struct pz_filter_data data; // views into set; NULL where the group has none
};

/* Opens the datasets that are there; none at all is no error. *g must not move. */
int pz_filter_group_open(struct pz_filter_group *g, const char *group,
                         struct pz_err *err);
void pz_filter_group_close(struct pz_filter_group *g); // accepts {0}

/* The ids of a group that a filter is about, for counts to be shares of. NULL: none. */
const struct pz_ids *pz_filter_candidates(const struct pz_filter *f,
                                          const struct pz_filter_data *data);

#endif
