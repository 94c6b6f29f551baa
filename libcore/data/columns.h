/*
 * columns: sorted rows -> the tensors of a dataset file (pz-dataset(5)).
 */
#ifndef PZ_DATA_COLUMNS_H
#define PZ_DATA_COLUMNS_H

#include "data/convert.h"
#include "data/rows.h"

/* The merged values of one dictionary, sorted bytewise. */
struct pz_values {
    uint64_t n;
    uint8_t *bytes;   // owned
    int64_t *offsets; // owned, n+1
};

/*
 * Writes the dataset file `path`, or fills the empty open file fd when that is not -1.
 * values[k] belongs to code k of the layout (0: ids, 1: items of interactions). prune:
 * rows went after their strings were interned, so values that no row uses are left out.
 */
int pz_columns_write(const char *path, int fd, const struct pz_schema *schema,
                     const struct pz_layout *l, const struct pz_rows *rows,
                     struct pz_values *values, bool prune, struct pz_err *err);
void pz_values_release(struct pz_values *v);

#endif
