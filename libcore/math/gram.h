/*
 * gram: X^T W X of a sparse X (users x items), into a dense triangle or row by row.
 *
 * It costs one addition a pair of items that a user has, and nothing else: entry (i, j)
 * is summed over the users of i, each of whom is walked from the last item down to i. So
 * items that are often there should have low numbers (pz_csr_by_size): what is added to
 * most stays together. Sums run over users in ascending order, by one thread a row:
 * results do not depend on the number of threads.
 */
#ifndef PZ_MATH_GRAM_H
#define PZ_MATH_GRAM_H

#include "math/csr.h"

struct pz_gram {
    const struct pz_csr *by_row, *by_col; // X and its transpose, borrowed
    const float *weight;                  // W's diagonal, n_rows; NULL: 1
};

/* out[i*ld + j] for i <= j < n_cols, overwritten; the rest is left alone. */
int pz_gram_dense(const struct pz_gram *g, float *out, size_t ld, int threads,
                  struct pz_err *err);

/* Scratch memory for rows; one a thread. */
struct pz_gram_work {
    float *sum;        // of each column; 0 where the row does not reach
    uint32_t *touched; // the columns that it reaches, as they were met
    uint8_t *mark;     // of a column: is it among them
};

/* An array of n. */
int pz_gram_work_new(struct pz_gram_work **w, uint32_t n_cols, int n, struct pz_err *err);
void pz_gram_work_free(struct pz_gram_work *w, int n); // accepts NULL

/* Row i, all columns; returns the number of columns touched. The work must be clear. */
size_t pz_gram_row(const struct pz_gram *g, uint32_t i, struct pz_gram_work *w);
void pz_gram_row_clear(struct pz_gram_work *w, size_t n_touched);

#endif
