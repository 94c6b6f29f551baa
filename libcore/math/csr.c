#include "math/csr.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
pz_csr_release(struct pz_csr *m)
{
    free(m->offsets);
    free(m->col);
    free(m->value);
    *m = (struct pz_csr){0};
}

/* Room for n entries; offsets zeroed. */
static int
csr_alloc(struct pz_csr *m, uint32_t n_rows, uint32_t n_cols, uint64_t n, bool values,
          struct pz_err *err)
{
    *m = (struct pz_csr){.n_rows = n_rows, .n_cols = n_cols};
    int status =
        pz_new(&m->offsets, (size_t)n_rows + 1, sizeof *m->offsets, "a matrix", err);
    if (!status)
        status = pz_new_aligned(&m->col, n, sizeof *m->col, "a matrix", err);
    if (!status && values)
        status = pz_new_aligned(&m->value, n, sizeof *m->value, "a matrix", err);
    if (status)
        pz_csr_release(m);
    return status;
}

/*
 * Transposes lists by row into *out, so that each of its rows is ascending. row_of and
 * col_of (NULL: the same) renumber: source row row_order[k] becomes number k.
 */
static int
transpose(struct pz_csr *out, uint32_t n_rows, uint32_t n_cols, const uint64_t *offsets,
          const uint32_t *col, const float *value, const uint32_t *row_order,
          const uint32_t *col_new, struct pz_err *err)
{
    uint64_t n = offsets[n_rows];
    int status = csr_alloc(out, n_cols, n_rows, n, value != NULL, err);
    if (status)
        return status;
    uint64_t *at =
        out->offsets; // at[c+1] counts, then is where column c's next entry goes
    for (uint64_t e = 0; e < n; e++)
        at[(col_new ? col_new[col[e]] : col[e]) + 1]++;
    uint64_t sum = 0;
    for (uint32_t c = 0; c < n_cols; c++) {
        uint64_t count = at[c + 1];
        at[c + 1] = sum;
        sum += count;
    }
    for (uint32_t k = 0; k < n_rows; k++) {
        uint32_t r = row_order ? row_order[k] : k;
        for (uint64_t e = offsets[r]; e < offsets[r + 1]; e++) {
            uint64_t to = at[(col_new ? col_new[col[e]] : col[e]) + 1]++;
            out->col[to] = k;
            if (value)
                out->value[to] = value[e];
        }
    }
    return PZ_OK;
}

/* Entries of a row with the same column become one; they stand side by side. */
static int
merge(struct pz_csr *m, bool once, struct pz_err *err)
{
    uint64_t n = m->offsets[m->n_rows], distinct = 0, start = 0;
    for (uint32_t r = 0; r < m->n_rows; r++)
        for (uint64_t e = m->offsets[r]; e < m->offsets[r + 1]; e++)
            distinct += e == m->offsets[r] || m->col[e] != m->col[e - 1];
    if (distinct == n)
        return PZ_OK;
    if (!m->value && !once) {
        int status = pz_new_aligned(&m->value, n, sizeof *m->value, "a matrix", err);
        if (status)
            return status;
        for (uint64_t e = 0; e < n; e++)
            m->value[e] = 1;
    }
    uint64_t to = 0;
    for (uint32_t r = 0; r < m->n_rows; r++) {
        uint64_t end = m->offsets[r + 1], first = to;
        for (uint64_t e = start; e < end; e++) {
            bool again = to > first && m->col[to - 1] == m->col[e];
            if (!again) {
                m->col[to] = m->col[e];
                if (m->value)
                    m->value[to] = m->value[e];
                to++;
            } else if (m->value && once) {
                if (m->value[e] > m->value[to - 1])
                    m->value[to - 1] = m->value[e];
            } else if (m->value) {
                m->value[to - 1] += m->value[e];
            }
        }
        start = end;
        m->offsets[r + 1] = to;
    }
    return PZ_OK;
}

int
pz_csr_make(struct pz_csr *by_row, struct pz_csr *by_col, uint32_t n_rows,
            uint32_t n_cols, const uint64_t *offsets, const uint32_t *col,
            const float *value, bool once, struct pz_err *err)
{
    *by_row = *by_col = (struct pz_csr){0};
    int status = transpose(by_col, n_rows, n_cols, offsets, col, value, NULL, NULL, err);
    if (!status)
        status = merge(by_col, once, err);
    if (!status)
        status = transpose(by_row, n_cols, n_rows, by_col->offsets, by_col->col,
                           by_col->value, NULL, NULL, err);
    if (status) {
        pz_csr_release(by_row);
        pz_csr_release(by_col);
    }
    return status;
}

/* *old[k] is the row with the k-th most entries. */
static int
rank_rows(const struct pz_csr *m, uint32_t **old, struct pz_err *err)
{
    uint64_t most = 0;
    for (uint32_t r = 0; r < m->n_rows; r++) {
        uint64_t n = m->offsets[r + 1] - m->offsets[r];
        most = n > most ? n : most;
    }
    uint64_t *at = NULL;
    *old = NULL;
    int status = pz_new(&at, most + 2, sizeof *at, "an order", err);
    if (!status)
        status = pz_new(old, m->n_rows, sizeof **old, "an order", err);
    if (!status) {
        for (uint32_t r = 0; r < m->n_rows; r++)
            at[most - (m->offsets[r + 1] - m->offsets[r]) + 1]++;
        for (uint64_t n = 0; n < most; n++)
            at[n + 1] += at[n];
        for (uint32_t r = 0; r < m->n_rows; r++)
            (*old)[at[most - (m->offsets[r + 1] - m->offsets[r])]++] = r;
    }
    free(at);
    return status;
}

int
pz_csr_by_size(struct pz_csr *by_row, struct pz_csr *by_col, uint32_t **row_old,
               uint32_t **col_old, struct pz_err *err)
{
    struct pz_csr rows = {0}, cols = {0};
    uint32_t *col_new = NULL;
    *row_old = *col_old = NULL;
    int status = rank_rows(by_row, row_old, err);
    if (!status)
        status = rank_rows(by_col, col_old, err);
    if (!status)
        status = pz_new(&col_new, by_col->n_rows, sizeof *col_new, "an order", err);
    if (status)
        goto fail;
    // Rows with their new numbers under old columns, then back under the new columns.
    for (uint32_t c = 0; c < by_col->n_rows; c++)
        col_new[(*col_old)[c]] = c;
    status = transpose(&cols, by_row->n_rows, by_row->n_cols, by_row->offsets,
                       by_row->col, by_row->value, *row_old, col_new, err);
    if (status)
        goto fail;
    pz_csr_release(by_row);
    pz_csr_release(by_col);
    status = transpose(&rows, cols.n_rows, cols.n_cols, cols.offsets, cols.col,
                       cols.value, NULL, NULL, err);
    if (status)
        goto fail;
    *by_row = rows;
    *by_col = cols;
    free(col_new);
    return PZ_OK;
fail:
    pz_csr_release(&cols);
    free(col_new);
    free(*row_old);
    free(*col_old);
    *row_old = *col_old = NULL;
    return status;
}
