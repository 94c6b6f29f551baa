/*
 * kernels: the loops over floats where pz spends its time.
 *
 * One table of functions per instruction set, all written over the same sixteen lanes
 * (simd.h) with the same order of operations, so that every table gives the same bits.
 *
 * Vectors have d floats, d a multiple of 16; callers pad with zeros. A panel is n_rows x
 * d floats, row-major, without gaps. Matrices are d x d, row-major. Nothing needs to be
 * aligned (64 bytes are faster). Functions write only through their non-const pointers.
 */
#ifndef PZ_MATH_KERNELS_H
#define PZ_MATH_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"

enum {
    PZ_LANES = 16,
    PZ_MAX_D = 512, // greatest d that chol and solve take
    PZ_PACK = 32,   // rows of a packed block
};

/*
 * A half is a float without its lower 16 bits (bfloat16), rounded to nearest, ties to
 * even: 8 bits that count, and the range of floats.
 */
uint16_t pz_half(float f);
float pz_half_float(uint16_t half);

/* n rounded up to whole lanes. */
#define PZ_PAD(n) (((size_t)(n) + PZ_LANES - 1) / PZ_LANES * PZ_LANES)

/*
 * A step of Adam: mean and square move to the slope and its square by 1 - keep of what is
 * missing, then w -= rate * mean * grow_mean / (root(square * grow_square) + floor), with
 * grow = 1 / (1 - keep^steps). The slope becomes 0.
 */
struct pz_adam {
    float rate, keep_mean, keep_square, grow_mean, grow_square, floor;
};

struct pz_kernels {
    enum pz_cpu cpu;

    float (*dot)(const float *a, const float *b, size_t d);
    void (*axpy)(float *y, float a, const float *x, size_t d); // y += a*x
    void (*xpay)(float *y, float a, const float *x, size_t d); // y = x + a*y
    /* y += a * x * z, element by element */
    void (*axzpy)(float *y, float a, const float *x, const float *z, size_t d);

    /*
     * Copies rows row[0..n) of `table`, row r times scale[r] (NULL: 1), to panel, which
     * has room for PZ_PAD(n) rows; the rest becomes zero. row[n..ahead) are fetched into
     * the cache as far as it helps: they are what the caller gathers next (ahead >= n).
     */
    void (*gather)(float *panel, const float *table, const uint32_t *row,
                   const float *scale, size_t n, size_t ahead, size_t d);
    /* a += panel^T panel in the 16 x 16 tiles on and right of the diagonal, no others. */
    void (*gram)(float *a, const float *panel, size_t n, size_t d);
    /* out += sum of coef[r] * row r. */
    void (*combine)(float *out, const float *panel, const float *coef, size_t n,
                    size_t d);
    /* out += sum of coef[r] * row row[r] of a table of halves (below) whose rows lie ld
     * apart. */
    void (*add_halves)(float *out, const uint16_t *table, size_t ld, const uint32_t *row,
                       const float *coef, size_t n, size_t d);
    /* out[0..16) = the sum of rows row[0..n) of a table whose rows have 16 floats. */
    void (*sum16)(float *out, const float *table, const uint32_t *row, size_t n);
    /*
     * For a panel of PZ_PAD(n) rows (zero rows behind n): with q_r = row r . p,
     *   apply:    out += sum of q_r * row r
     *   residual: out += sum of (s[r] - q_r) * row r
     * and both return sum of s[r]*q_r. s NULL: 1 (0 behind n is then implied).
     */
    float (*apply)(float *out, const float *panel, size_t n, size_t d, const float *p,
                   const float *s);
    float (*residual)(float *out, const float *panel, size_t n, size_t d, const float *p,
                      const float *s);

    /*
     * Cholesky: the tiles of `a` that gram writes become U with U^T U = a; inverse[k] is
     * 1/U[k][k]. False when a is not positive definite. Needs d <= PZ_MAX_D.
     */
    bool (*chol)(float *a, float *inverse, size_t d);
    /* x := a^-1 x with what chol left. */
    void (*solve)(const float *u, const float *inverse, float *x, size_t d);

    /*
     * Packs n <= PZ_PACK rows of `table` (rows row[0..n), or 0..n when row is NULL) as d
     * x 32 floats, item lanes side by side; lanes behind n are zero.
     */
    void (*pack)(float *packed, const float *table, const uint32_t *row, size_t n,
                 size_t d);
    /* Lays out n_x vectors (n_x x d) for score; tiled has the same size. */
    void (*tile)(float *tiled, const float *x, size_t n_x, size_t d);
    /*
     * out[v*stride + lane] = x_v . (packed row lane), v < n_x, lane < 32. Each is the sum
     * over k in order in one accumulator, so that it does not depend on n_x or on the
     * place in the block.
     */
    void (*score)(float *out, size_t stride, const float *packed, const float *tiled,
                  size_t n_x, size_t d);

    /*
     * The tile of matrix products (math/dense.h): c, mr x nr with rows ldc apart, becomes
     * alpha * A B, plus what it was with `keep`. a holds depth times mr floats (a column
     * of A each), b depth times nr (a row of B). Each element is summed over depth in
     * order in one accumulator, so that mr and nr, which differ between levels, do not
     * show. alpha is 1 or -1.
     */
    size_t mr, nr;
    void (*product)(float *c, size_t ldc, const float *a, const float *b, size_t depth,
                    float alpha, bool keep);
    /* out (16 x 16, without gaps) is the transpose of n <= 16 rows of 16 floats, ld
     * apart; the columns behind n are zero. */
    void (*turn)(float *out, const float *in, size_t ld, size_t n);

    /* The four below take n, a multiple of 16; pad with -INFINITY. */
    float (*greatest)(const float *s, size_t n);
    /* Sum of exp((s - top) * rate), with rate > 0 and s <= top. */
    float (*sum_exp)(const float *s, size_t n, float top, float rate);
    /* s := exp(s - top), with s <= top; their sum. */
    float (*exps)(float *s, size_t n, float top);
    /* The positions where s > threshold, ascending, into hit (room for n); their number.
     */
    size_t (*above)(uint32_t *hit, const float *s, size_t n, float threshold);
    /* The same where s + reach*scale > threshold: of scores that may be off by so much.
     */
    size_t (*reaches)(uint32_t *hit, const float *s, const float *scale, float reach,
                      size_t n, float threshold);

    /* One step of Adam (Kingma and Ba 2015) for n weights, a multiple of 16. */
    void (*adam)(float *w, float *mean, float *square, float *slope, size_t n,
                 const struct pz_adam *step);
};

/* The table of the level in force (base/cpu.h). */
const struct pz_kernels *pz_kernels(void);

extern const struct pz_kernels pz_kernels_scalar;
#if defined(__x86_64__)
extern const struct pz_kernels pz_kernels_avx2;
extern const struct pz_kernels pz_kernels_avx512;
#endif

#endif
