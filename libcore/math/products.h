/*
 * products: inner products of a few vectors with all rows of a table: what every item
 * scores for each of some users.
 *
 * One is summed up in the order of its columns in one accumulator (kernels.h: score), so
 * that it does not depend on the vectors beside it. What is to be the best rows only, or
 * goes through a table too large for the answers, is math/topn.h's.
 */
#ifndef PZ_MATH_PRODUCTS_H
#define PZ_MATH_PRODUCTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Scratch of one thread. */
struct pz_products {
    size_t d;
    float *tiled, *packed; // most vectors x d; d x PZ_PACK
};

/* For up to `most` vectors at a time of d floats, d a multiple of 16. */
int pz_products_init(struct pz_products *p, size_t most, size_t d, struct pz_err *err);
void pz_products_release(struct pz_products *p); // accepts {0}

/*
 * out[v * stride + i] = x_v . row i of the table, for x of n_x vectors and i < n_rows;
 * row i is number row[i], or i when `row` is NULL. stride is at least n_rows rounded up
 * to PZ_PACK; behind n_rows stand zeros up to there. 2 d n_x n_rows flops.
 */
void pz_products(struct pz_products *p, float *out, size_t stride, const float *x,
                 size_t n_x, const float *table, const uint32_t *row, size_t n_rows);

#endif
