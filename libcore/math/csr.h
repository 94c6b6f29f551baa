/*
 * csr: sparse matrices by row, for training.
 */
#ifndef PZ_MATH_CSR_H
#define PZ_MATH_CSR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Row r holds the columns col[offsets[r]..offsets[r+1]), ascending and distinct, with
 * their values. */
struct pz_csr {
    uint32_t n_rows, n_cols;
    uint64_t *offsets; // n_rows+1
    uint32_t *col;
    float *value; // NULL: all 1
};

void pz_csr_release(struct pz_csr *m); // accepts {0}

/*
 * From lists by row, any order of columns, value NULL: all 1. A column that a row has
 * more than once becomes one entry with the sum of the values, or, with `once`, the
 * greatest. *by_col is the transpose. Entries of value 0 stay entries.
 */
int pz_csr_make(struct pz_csr *by_row, struct pz_csr *by_col, uint32_t n_rows,
                uint32_t n_cols, const uint64_t *offsets, const uint32_t *col,
                const float *value, bool once, struct pz_err *err);

/*
 * Both matrices with rows and columns renumbered by descending number of entries (ties:
 * lower old number first), which keeps what is used often together. row_old[new] and
 * col_old[new] (new memory) lead back.
 */
int pz_csr_by_size(struct pz_csr *by_row, struct pz_csr *by_col, uint32_t **row_old,
                   uint32_t **col_old, struct pz_err *err);

#endif
