/*
 * andcount: how many bits two sets have in common, for many pairs of sets at once; and
 * how many of many sets have each bit.
 */
#ifndef PZ_MATH_ANDCOUNT_H
#define PZ_MATH_ANDCOUNT_H

#include <stddef.h>
#include <stdint.h>

/*
 * c[i * ldc + j] += popcount(a[i] & b[j]) for i, j in 0..3. a[i] and b[j] are the n_words
 * (a multiple of 8) 64-bit words at a + i * stride and b + j * stride, aligned to 64
 * bytes.
 */
typedef void pz_andcount_fn(const uint64_t *a, const uint64_t *b, size_t stride,
                            size_t n_words, uint32_t *c, size_t ldc);

/* The kernel for the instruction set in force (base/cpu.h); every one gives the same
 * counts. */
pz_andcount_fn *pz_andcount(void);
/*
 * Adds up bits by place: plane p of sum (n_planes x n_words, n_words a multiple of 8)
 * holds the bits of value 2^p, and the n rows bits + row[k] * n_words are added to it.
 * The caller clears the planes and gives enough of them for what the sums can reach.
 */
void pz_bitsum_add(uint64_t *sum, size_t n_planes, size_t n_words, const uint64_t *bits,
                   const uint32_t *row, size_t n);
/* The sums as numbers: out[0..64*n_words). */
void pz_bitsum_read(const uint64_t *sum, size_t n_planes, size_t n_words, uint32_t *out);

/* About how many sparse additions cost as much as 512 bits of one pair. */
double pz_andcount_cost(void);

#endif
