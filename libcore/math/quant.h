/*
 * quant: a table of floats in a byte each, so that a look at all of it reads a quarter.
 *
 * Row y has a scale t, its greatest magnitude over 127, and bytes c = round(y/t) + 128. A
 * vector x likewise has codes e = round(x/u) of 14 bits. Then t*u*(sum of e*c - 128 * sum
 * of e), a sum of whole numbers and so the same on every machine, is x.y but for
 * rounding:
 *
 *     |x.y - it| <= t * reach,  reach = |x|_1 / 2 + 127 |x - u e|_1 and a little
 *
 * (the row's rounding against x, and x's against the codes of the row), where the little
 * covers float arithmetic on either side, the sum in order of pz_kernels.score being one.
 * So a row whose score plus t*reach does not exceed a threshold need not be looked at.
 *
 * Rows lie in groups of 16, four columns of each side by side: byte j of row r of a group
 * in column 4k+j is at [group][k][r][j]. Rows behind the last have scale 0.
 */
#ifndef PZ_MATH_QUANT_H
#define PZ_MATH_QUANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PZ_QUANT_ROWS = 16 }; // of a group

struct pz_quant {
    const uint8_t *code; // groups x d/4 x 16 x 4
    const float *scale;  // groups x 16
};

/* Groups of n_rows. */
size_t pz_quant_groups(size_t n_rows);

/* Fills code (groups * 16 * d bytes) and scale (groups * 16) from a table of n_rows x d,
 * d a multiple of 16 up to PZ_MAX_D. False when a number in it is not finite or above
 * 1e15: it is then no table that can be coded. */
bool pz_quant_build(uint8_t *code, float *scale, const float *table, size_t n_rows,
                    size_t d);

/* The codes of four columns, as one kind of machine or the other multiplies them: e is 64
 * high + low, columns 0 and 2 are the even ones. */
struct pz_quant_four {
    int8_t high[4], low[4];
    int16_t even[2], odd[2];
};

struct pz_quant_query {
    float scale;    // u
    float reach;    // times a row's scale: how far its score may be off
    int32_t offset; // 128 * sum of the codes
    bool vague;     // beyond what can be coded (1e-15 to 1e15): its scores are 0
};

/* Codes of x (d/4 of them), and what goes with them. */
void pz_quant_query(struct pz_quant_four *code, struct pz_quant_query *q, const float *x,
                    size_t d);

/*
 * out[v*stride + i] = the score of vector v, row i of the n_groups groups from `group`
 * on. code holds n_q x d/4. Bytes read: n_groups * 16 * (d+4) for each four vectors;
 * where the machine has VNNI, two instructions multiply 64 bytes.
 */
typedef void pz_quant_score_fn(float *out, size_t stride, const struct pz_quant *t,
                               size_t group, size_t n_groups,
                               const struct pz_quant_four *code,
                               const struct pz_quant_query *q, size_t n_q, size_t d);

/* The fastest within the level in force (base/cpu.h). */
pz_quant_score_fn *pz_quant_score(void);

/* For tests: all that the machine can run, by number from 0; NULL behind the last. They
 * give the same bits. */
pz_quant_score_fn *pz_quant_score_nth(size_t i);

#if defined(__x86_64__)
pz_quant_score_fn pz_quant_score_avx2, pz_quant_score_avx512, pz_quant_score_vnni;
#endif

#endif
