/*
 * dense: symmetric positive definite matrices and the systems they make, in place.
 *
 * A matrix is row-major, rows ld >= n floats apart. Of a symmetric one the upper triangle
 * (column >= row) is read and written; what lies below the diagonal is scratch: it need
 * not hold anything and does not keep what it held.
 *
 * Everything is done by blocks of b = 32 to 512 rows (by n alone), so that nearly all of
 * the work is one tile kernel over packed panels (math/kernels.h). Memory beside the
 * arguments: 3 b n floats, from n = 4000 on below a fifth of the matrix. Results do not
 * depend on the number of threads or on the instruction set.
 *
 * Sums are in single precision: relative errors grow with the condition of the matrix
 * times 6e-8 (tests/unit/test_dense.c). lambda of a ridge is what keeps that small.
 *
 * Errors: PZ_DATA when the matrix is not positive definite in floats (its contents are
 * then lost), PZ_SYSTEM without memory. threads as in base/par.h, at least 1.
 */
#ifndef PZ_MATH_DENSE_H
#define PZ_MATH_DENSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/*
 * a := a^-1 (its upper triangle). n^3 flops, as much as Cholesky factor and inverse from
 * it together: the sweep operator (Gauss-Jordan without pivots, Beaton 1964) by blocks,
 * one symmetric update of rank b of the whole triangle for each block.
 */
int pz_dense_inverse(float *a, size_t n, size_t ld, int threads, struct pz_err *err);

/* The upper triangle of `a` becomes U with U^T U = a. n^3/3 flops. */
int pz_dense_chol(float *a, size_t n, size_t ld, int threads, struct pz_err *err);

/*
 * x := a^-1 x for n_x right-hand sides, the columns of x (n x n_x, rows ld_x apart), with
 * what pz_dense_chol left. 2 n^2 n_x flops.
 */
int pz_dense_solve(const float *u, size_t n, size_t ld, float *x, size_t n_x, size_t ld_x,
                   int threads, struct pz_err *err);

/* Below the diagonal becomes what is above it. */
void pz_dense_mirror(float *a, size_t n, size_t ld, int threads);

/*
 * Rows [first, first + count) of the whole matrix, n floats each and ld_out apart, from
 * its upper triangle. `first` is a multiple of PZ_DENSE_ROWS and count at most that: so
 * many columns fill a cache line.
 */
enum { PZ_DENSE_ROWS = 16 };
void pz_dense_rows(float *out, size_t ld_out, const float *a, size_t n, size_t ld,
                   size_t first, size_t count);

/*
 * c (m x n) := alpha * op(a) op(b), plus c with `keep`; alpha is 1 or -1. op(a) is m x
 * depth: `a` itself, or with ta the transpose of `a`, which is then depth x m; op(b) is
 * depth x n likewise. Sums run over depth in order, 512 at a time. c overlaps neither.
 */
struct pz_dense_mul {
    float *c;
    const float *a, *b;
    size_t ld_c, ld_a, ld_b;
    size_t m, n, depth;
    bool ta, tb, keep;
    float alpha;
};
int pz_dense_mul(const struct pz_dense_mul *mul, int threads, struct pz_err *err);

#endif
