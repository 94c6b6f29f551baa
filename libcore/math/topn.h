/*
 * topn: the rows of a table with the greatest inner products, exactly.
 *
 * Queries go through the table together, in blocks that stay in cache; what one query
 * gets does not depend on the others, on the instruction set, or on whether it came
 * alone.
 */
#ifndef PZ_MATH_TOPN_H
#define PZ_MATH_TOPN_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "math/quant.h"

struct pz_topn_table {
    const float *row; // n_rows x d, d a multiple of 16 up to PZ_MAX_D
    size_t n_rows, d;
    struct pz_quant quant; // of the same rows; code NULL: there is none
};

struct pz_topn {
    const float *x;          // d floats
    size_t n;                // rows wanted
    const uint64_t *allow;   // bit r: row r may be returned; NULL: all
    const uint32_t *exclude; // rows never to be returned; any order, may repeat
    size_t n_exclude;
    const uint32_t
        *raised;     // rows whose inner product counts as so much greater (`raise`,
    size_t n_raised; // negative: less); any order, may repeat
    float raise;
    uint32_t *row; // out: room for n; greatest first, ties by lower row
    float *score;  // out: room for n
    size_t n_out;
};

/*
 * Answers n_q queries. With `list` only its n_list rows take part (ascending, distinct).
 * rate 0: scores are the inner products s; else exp(rate*s) over the sum of that for all
 * rows (of the list), whatever may be returned.
 *
 * With table->quant (and no list) the bytes are looked at first and only those rows that
 * may be among the best are computed from their floats: rows, order and inner products
 * are the same to the bit, from a quarter of the memory. Of the sum with rate > 0, the 64
 * rows that the bytes hold for the greatest count as they are, and all others as the
 * bytes have them: their rounding errors have no direction and leave the sum right to
 * some 1e-4.
 */
int pz_topn(const struct pz_topn_table *table, const uint32_t *list, size_t n_list,
            double rate, struct pz_topn *q, size_t n_q, struct pz_err *err);

/* Makes scores, greatest first, what pz_topn() makes of them: exp(rate*(score - top)) /
 * sum. Where that is too small for a float, different scores give different shares all
 * the same, the least a float can tell apart, so that the order can be seen. */
void pz_topn_shares(float *score, size_t n, double rate, double top, double sum);

#endif
