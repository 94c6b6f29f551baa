/*
 * keep: the rows of a dataset that is there, packed again for the one that replaces it.
 */
#ifndef PZ_DATA_KEEP_H
#define PZ_DATA_KEEP_H

#include "data/convert.h"
#include "data/dataset.h"
#include "data/rows.h"

struct pz_keep {
    const struct pz_dataset *data;
    const struct pz_layout *layout; // of the new dataset
    struct pz_dict *dict;           // layout->n_codes: gets what the kept rows use
    struct pz_rows *rows;
    struct pz_row_list *list;
    const char *const *forget; // ids of users whose rows are left out
    size_t n_forget;
};

/*
 * Reads and checks the whole dataset (PZ_FORMAT: damage is not carried on) and appends
 * its rows, with order 0 in sets of records. *forgotten counts those left out.
 */
int pz_keep_rows(const struct pz_keep *k, uint64_t *forgotten, struct pz_err *err);

#endif
