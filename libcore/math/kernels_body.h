/*
 * kernels_body: the kernels, over v16 (simd.h); included once per instruction set by
 * kernels_*.c, which name the level and the table. The order of operations is part of
 * the contract: register tiles may differ between levels, the order in which one element
 * is summed may not.
 */
#include "math/kernels.h"
#include "math/simd.h"

/* How many v16 accumulators a level holds in registers, and the tiles that fit. */
#if PZ_SIMD == PZ_SIMD_AVX512
enum { TILE_ROWS = 16, DOT_ROWS = 16, SCORE_X = 12, SCORE_HALVES = 2 };
enum { MUL_ROWS = 14, MUL_HALVES = 2, HALVES_WIDTH = 16 };
#else
enum { TILE_ROWS = 4, DOT_ROWS = 4, SCORE_X = 6, SCORE_HALVES = 1 };
enum { MUL_ROWS = 6, MUL_HALVES = 1, HALVES_WIDTH = 4 };
#endif

enum {
    AHEAD = 16,  // rows of prefetch distance in gather: latency times parallelism
    X_TILE = 12, // vectors in a tile of score, then 4, then 1
    X_SMALL = 4,
};

KERNEL float
dot(const float *a, const float *b, size_t d)
{
    v16 s = v_zero();
    for (size_t c = 0; c < d; c += 16)
        s = v_fma(v_load(a + c), v_load(b + c), s);
    return v_sum(s);
}

KERNEL void
axpy(float *y, float a, const float *x, size_t d)
{
    v16 f = v_set(a);
    for (size_t c = 0; c < d; c += 16)
        v_store(y + c, v_fma(f, v_load(x + c), v_load(y + c)));
}

KERNEL void
xpay(float *y, float a, const float *x, size_t d)
{
    v16 f = v_set(a);
    for (size_t c = 0; c < d; c += 16)
        v_store(y + c, v_fma(f, v_load(y + c), v_load(x + c)));
}

KERNEL void
axzpy(float *y, float a, const float *x, const float *z, size_t d)
{
    v16 f = v_set(a);
    for (size_t i = 0; i < d; i += 16) {
        v16 p = v_mul(f, v_load(x + i));
        v_store(y + i, v_fma(p, v_load(z + i), v_load(y + i)));
    }
}

/* ---- gather ---- */

KERNEL void
gather(float *panel, const float *table, const uint32_t *row, const float *scale,
       size_t n, size_t ahead, size_t d)
{
    for (size_t r = 0; r < n; r++) {
        if (r + AHEAD < ahead) {
            const float *next = table + (size_t)row[r + AHEAD] * d;
            for (size_t c = 0; c < d; c += 16)
                __builtin_prefetch(next + c);
        }
        const float *from = table + (size_t)row[r] * d;
        float *to = panel + r * d;
        if (scale) {
            v16 f = v_set(scale[r]);
            for (size_t c = 0; c < d; c += 16)
                v_store(to + c, v_mul(f, v_load(from + c)));
        } else {
            for (size_t c = 0; c < d; c += 16)
                v_store(to + c, v_load(from + c));
        }
    }
    memset(panel + n * d, 0, (PZ_PAD(n) - n) * d * sizeof *panel);
}

/* ---- panel^T panel ---- */

/* One 16 x 16 tile: a[i][j] +- sum over r of left[r][i] * right[r][j]. */
FN void
tile16(float *a, size_t d, const float *left, const float *right, size_t n, bool minus)
{
    for (int part = 0; part < 16; part += TILE_ROWS) {
        v16 acc[TILE_ROWS];
        UNROLL
        for (int i = 0; i < TILE_ROWS; i++)
            acc[i] = v_zero();
        const float *x = left + part, *y = right;
        for (size_t r = 0; r < n; r++, x += d, y += d) {
            v16 v = v_load(y);
            UNROLL
            for (int i = 0; i < TILE_ROWS; i++)
                acc[i] = v_fma(v_set(x[i]), v, acc[i]);
        }
        float *to = a + (size_t)part * d;
        UNROLL
        for (int i = 0; i < TILE_ROWS; i++) {
            v16 old = v_load(to + (size_t)i * d);
            v_store(to + (size_t)i * d, minus ? v_sub(old, acc[i]) : v_add(old, acc[i]));
        }
    }
}

KERNEL void
gram(float *a, const float *panel, size_t n, size_t d)
{
    for (size_t i = 0; i < d; i += 16)
        for (size_t j = i; j < d; j += 16)
            tile16(a + i * d + j, d, panel + i, panel + j, n, false);
}

/* ---- sums of rows ---- */

/*
 * out[0..16*W) += sum of coef[r] * row r. Even and odd rows have sums of their own, added
 * at the end, so that enough multiplications are under way at once.
 */
FN void
combine_strip(float *out, const float *panel, const float *coef, size_t n, size_t d,
              const int W)
{
    v16 even[4], odd[4];
    UNROLL
    for (int c = 0; c < W; c++)
        even[c] = odd[c] = v_zero();
    size_t r = 0;
    for (; r + 2 <= n; r += 2) {
        const float *y = panel + r * d;
        v16 f = v_set(coef[r]), g = v_set(coef[r + 1]);
        UNROLL
        for (int c = 0; c < W; c++) {
            even[c] = v_fma(f, v_load(y + 16 * c), even[c]);
            odd[c] = v_fma(g, v_load(y + d + 16 * c), odd[c]);
        }
    }
    if (r < n) {
        UNROLL
        for (int c = 0; c < W; c++)
            even[c] = v_fma(v_set(coef[r]), v_load(panel + r * d + 16 * c), even[c]);
    }
    UNROLL
    for (int c = 0; c < W; c++) {
        v16 sum = v_add(even[c], odd[c]);
        v_store(out + 16 * c, v_add(v_load(out + 16 * c), sum));
    }
}

/* Rows are d apart; `width` floats of each count. */
FN void
combine_rows(float *out, const float *panel, const float *coef, size_t n, size_t d,
             size_t width)
{
    size_t c = 0;
    for (; c + 64 <= width; c += 64)
        combine_strip(out + c, panel + c, coef, n, d, 4);
    if (c + 32 <= width) {
        combine_strip(out + c, panel + c, coef, n, d, 2);
        c += 32;
    }
    if (c < width)
        combine_strip(out + c, panel + c, coef, n, d, 1);
}

KERNEL void
combine(float *out, const float *panel, const float *coef, size_t n, size_t d)
{
    combine_rows(out, panel, coef, n, d, d);
}

KERNEL void
sum16(float *out, const float *table, const uint32_t *row, size_t n)
{
    v16 even = v_zero(), odd = v_zero();
    size_t r = 0;
    for (; r + 2 <= n; r += 2) {
        if (r + AHEAD + 1 < n) {
            __builtin_prefetch(table + (size_t)row[r + AHEAD] * 16);
            __builtin_prefetch(table + (size_t)row[r + AHEAD + 1] * 16);
        }
        even = v_add(even, v_load(table + (size_t)row[r] * 16));
        odd = v_add(odd, v_load(table + (size_t)row[r + 1] * 16));
    }
    if (r < n)
        even = v_add(even, v_load(table + (size_t)row[r] * 16));
    v_store(out, v_add(even, odd));
}

/* Lane r: row r of sixteen rows times p. */
FN v16
dots16(const float *panel, const float *p, size_t d)
{
    v16 s[16];
    UNROLL
    for (int part = 0; part < 16; part += DOT_ROWS) {
        v16 acc[DOT_ROWS];
        UNROLL
        for (int r = 0; r < DOT_ROWS; r++)
            acc[r] = v_zero();
        const float *y = panel + (size_t)part * d;
        for (size_t c = 0; c < d; c += 16) {
            v16 f = v_load(p + c);
            UNROLL
            for (int r = 0; r < DOT_ROWS; r++)
                acc[r] = v_fma(v_load(y + (size_t)r * d + c), f, acc[r]);
        }
        UNROLL
        for (int r = 0; r < DOT_ROWS; r++)
            s[part + r] = acc[r];
    }
    return v_sums(s);
}

/* Blocks of sixteen rows pass twice while they are in the first-level cache. */
FN float
product(float *out, const float *panel, size_t n, size_t d, const float *p,
        const float *s, bool residual)
{
    v16 sum = v_zero();
    for (size_t r = 0; r < n; r += 16) {
        float coef[16];
        v16 q = dots16(panel + r * d, p, d);
        v16 weight = s ? v_load(s + r) : v_set(1);
        sum = v_fma(weight, q, sum);
        v_store(coef, residual ? v_sub(weight, q) : q);
        combine_rows(out, panel + r * d, coef, 16, d, d);
    }
    return v_sum(sum);
}

KERNEL float
apply(float *out, const float *panel, size_t n, size_t d, const float *p, const float *s)
{
    return product(out, panel, n, d, p, s, false);
}

KERNEL float
residual(float *out, const float *panel, size_t n, size_t d, const float *p,
         const float *s)
{
    return product(out, panel, n, d, p, s, true);
}

/* ---- Cholesky ---- */

/*
 * Factors the 16 x 16 tile at a; below its diagonal it becomes zero, which lets the
 * triangular solves work on whole lanes.
 */
FN bool
chol_tile(float *a, float *inverse, size_t d)
{
    v16 t[16];
    UNROLL
    for (int r = 0; r < 16; r++)
        t[r] = v_load(a + (size_t)r * d);
    bool ok = true;
    UNROLL
    for (int k = 0; k < 16; k++) {
        float *row = a + (size_t)k * d;
        v_store(row, t[k]);
        float pivot = row[k];
        ok = ok && pivot > 0 && pivot < INFINITY;
        inverse[k] = 1.0f / sqrtf(ok ? pivot : 1.0f);
        t[k] = v_mul(t[k], v_set(inverse[k]));
        v_store(row, t[k]);
        UNROLL
        for (int l = k + 1; l < 16; l++)
            t[l] = v_fnma(v_set(row[l]), t[k], t[l]);
        for (int l = 0; l < k; l++)
            row[l] = 0;
    }
    return ok;
}

/* The tile at b, right of the factored tile u: b := u^-T b. */
FN void
chol_right(float *b, const float *u, const float *inverse, size_t d)
{
    v16 t[16];
    UNROLL
    for (int r = 0; r < 16; r++)
        t[r] = v_load(b + (size_t)r * d);
    UNROLL
    for (int k = 0; k < 16; k++) {
        t[k] = v_mul(t[k], v_set(inverse[k]));
        v_store(b + (size_t)k * d, t[k]);
        UNROLL
        for (int l = k + 1; l < 16; l++)
            t[l] = v_fnma(v_set(u[(size_t)k * d + l]), t[k], t[l]);
    }
}

KERNEL bool
chol(float *a, float *inverse, size_t d)
{
    for (size_t k = 0; k < d; k += 16) {
        float *top = a + k * d;
        if (!chol_tile(top + k, inverse + k, d))
            return false;
        for (size_t j = k + 16; j < d; j += 16)
            chol_right(top + j, top + k, inverse + k, d);
        for (size_t i = k + 16; i < d; i += 16)
            for (size_t j = i; j < d; j += 16)
                tile16(a + i * d + j, d, top + i, top + j, 16, true);
    }
    return true;
}

/* U^T z = x for the sixteen unknowns at the tile u, into z. */
FN void
solve_lower(const float *u, const float *inverse, float *x, size_t d)
{
    v16 rest = v_load(x);
    float now[16];
    for (int k = 0; k < 16; k++) {
        v_store(now, rest);
        float z = now[k] * inverse[k];
        x[k] = z;
        rest = v_fnma(v_set(z), v_load(u + (size_t)k * d), rest);
    }
}

/* U x = z for the sixteen unknowns at the tile u. */
FN void
solve_upper(const float *u, const float *inverse, float *x, size_t d)
{
    v16 column[16];
    UNROLL
    for (int r = 0; r < 16; r++)
        column[r] = v_load(u + (size_t)r * d);
    v_transpose(column);
    v16 rest = v_load(x);
    float now[16];
    UNROLL
    for (int k = 15; k >= 0; k--) {
        v_store(now, rest);
        float z = now[k] * inverse[k];
        x[k] = z;
        rest = v_fnma(v_set(z), column[k], rest);
    }
}

KERNEL void
solve(const float *u, const float *inverse, float *x, size_t d)
{
    for (size_t k = 0; k < d; k += 16) {
        const float *top = u + k * d;
        solve_lower(top + k, inverse + k, x + k, d);
        float minus[16];
        for (int r = 0; r < 16; r++)
            minus[r] = -x[k + (size_t)r];
        if (k + 16 < d)
            combine_rows(x + k + 16, top + k + 16, minus, 16, d, d - k - 16);
    }
    for (size_t k = d; k > 0; k -= 16) {
        size_t at = k - 16;
        const float *top = u + at * d;
        v16 s[16];
        UNROLL
        for (int r = 0; r < 16; r++)
            s[r] = v_zero();
        for (size_t j = k; j < d; j += 16) {
            v16 v = v_load(x + j);
            UNROLL
            for (int r = 0; r < 16; r++)
                s[r] = v_fma(v_load(top + (size_t)r * d + j), v, s[r]);
        }
        v_store(x + at, v_sub(v_load(x + at), v_sums(s)));
        solve_upper(top + at, inverse + at, x + at, d);
    }
}

/* ---- scores ---- */

KERNEL void
pack(float *packed, const float *table, const uint32_t *row, size_t n, size_t d)
{
    for (size_t half = 0; half < 2; half++) {
        for (size_t c = 0; c < d; c += 16) {
            v16 t[16];
            UNROLL
            for (int r = 0; r < 16; r++) {
                size_t at = half * 16 + (size_t)r;
                t[r] = at < n ? v_load(table + (row ? row[at] : at) * d + c) : v_zero();
            }
            v_transpose(t);
            UNROLL
            for (int k = 0; k < 16; k++)
                v_store(packed + (c + (size_t)k) * PZ_PACK + half * 16, t[k]);
        }
    }
}

/* How many vectors the next tile takes when n are left. */
FN size_t
tile_size(size_t n)
{
    return n >= X_TILE ? X_TILE : n >= X_SMALL ? X_SMALL : 1;
}

KERNEL void
tile(float *tiled, const float *x, size_t n_x, size_t d)
{
    for (size_t v = 0; v < n_x;) {
        size_t size = tile_size(n_x - v);
        for (size_t k = 0; k < d; k++)
            for (size_t t = 0; t < size; t++)
                *tiled++ = x[(v + t) * d + k];
        v += size;
    }
}

/* X vectors of a tile of `size` against H times 16 lanes. */
FN void
score_part(float *out, size_t stride, const float *packed, const float *tiled,
           size_t size, size_t d, const int X, const int H)
{
    v16 acc[SCORE_X * SCORE_HALVES];
    UNROLL
    for (int i = 0; i < X * H; i++)
        acc[i] = v_zero();
    for (size_t k = 0; k < d; k++, packed += PZ_PACK, tiled += size) {
        v16 y[SCORE_HALVES];
        UNROLL
        for (int h = 0; h < H; h++)
            y[h] = v_load(packed + 16 * h);
        UNROLL
        for (int t = 0; t < X; t++) {
            v16 f = v_set(tiled[t]);
            UNROLL
            for (int h = 0; h < H; h++)
                acc[t * H + h] = v_fma(f, y[h], acc[t * H + h]);
        }
    }
    UNROLL
    for (int t = 0; t < X; t++) {
        UNROLL
        for (int h = 0; h < H; h++)
            v_store(out + (size_t)t * stride + 16 * h, acc[t * H + h]);
    }
}

KERNEL void
score(float *out, size_t stride, const float *packed, const float *tiled, size_t n_x,
      size_t d)
{
    for (size_t v = 0; v < n_x;) {
        size_t size = tile_size(n_x - v);
        for (int h = 0; h < 2; h += SCORE_HALVES) {
            float *to = out + v * stride + 16 * h;
            const float *from = packed + 16 * h;
            if (size == X_TILE) {
                for (int t = 0; t < X_TILE; t += SCORE_X)
                    score_part(to + (size_t)t * stride, stride, from, tiled + t, size, d,
                               SCORE_X, SCORE_HALVES);
            } else if (size == X_SMALL) {
                score_part(to, stride, from, tiled, size, d, X_SMALL, SCORE_HALVES);
            } else {
                score_part(to, stride, from, tiled, size, d, 1, SCORE_HALVES);
            }
        }
        v += size;
        tiled += size * d;
    }
}

/* ---- matrix products ---- */

KERNEL void
product_tile(float *c, size_t ldc, const float *a, const float *b, size_t depth,
             float alpha, bool keep)
{
    v16 acc[MUL_ROWS * MUL_HALVES];
    float *row = c;
    for (int i = 0; i < MUL_ROWS; i++, row += ldc) {
        __builtin_prefetch(row, 1);
        __builtin_prefetch(row + 16 * MUL_HALVES - 1, 1);
    }
    UNROLL
    for (int i = 0; i < MUL_ROWS * MUL_HALVES; i++)
        acc[i] = v_zero();
    for (size_t k = 0; k < depth; k++, a += MUL_ROWS, b += 16 * MUL_HALVES) {
        v16 y[MUL_HALVES];
        UNROLL
        for (int h = 0; h < MUL_HALVES; h++)
            y[h] = v_load(b + 16 * h);
        UNROLL
        for (int i = 0; i < MUL_ROWS; i++) {
            v16 f = v_set(a[i]);
            UNROLL
            for (int h = 0; h < MUL_HALVES; h++)
                acc[i * MUL_HALVES + h] = v_fma(f, y[h], acc[i * MUL_HALVES + h]);
        }
    }
    v16 sign = v_set(alpha);
    UNROLL
    for (int i = 0; i < MUL_ROWS; i++) {
        UNROLL
        for (int h = 0; h < MUL_HALVES; h++) {
            float *to = c + (size_t)i * ldc + 16 * h;
            v16 old = keep ? v_load(to) : v_zero();
            v_store(to, v_fma(sign, acc[i * MUL_HALVES + h], old));
        }
    }
}

KERNEL void
turn(float *out, const float *in, size_t ld, size_t n)
{
    v16 t[16];
    UNROLL
    for (int r = 0; r < 16; r++)
        t[r] = (size_t)r < n ? v_load(in + (size_t)r * ld) : v_zero();
    v_transpose(t);
    UNROLL
    for (int r = 0; r < 16; r++)
        v_store(out + 16 * r, t[r]);
}

/* `width` times sixteen columns of all rows; width is a constant. */
FN void
add_halves_part(float *out, const uint16_t *table, size_t ld, const uint32_t *row,
                const float *coef, size_t n, int width)
{
    v16 acc[HALVES_WIDTH];
    UNROLL
    for (int i = 0; i < width; i++)
        acc[i] = v_load(out + 16 * i);
    for (size_t r = 0; r < n; r++) {
        const uint16_t *from = table + row[r] * ld;
        v16 f = v_set(coef[r]);
        UNROLL
        for (int i = 0; i < width; i++)
            acc[i] = v_fma(f, v_load_halves(from + 16 * i), acc[i]);
    }
    UNROLL
    for (int i = 0; i < width; i++)
        v_store(out + 16 * i, acc[i]);
}

KERNEL void
add_halves(float *out, const uint16_t *table, size_t ld, const uint32_t *row,
           const float *coef, size_t n, size_t d)
{
    size_t c = 0;
    for (; c + HALVES_WIDTH * 16 <= d; c += HALVES_WIDTH * 16)
        add_halves_part(out + c, table + c, ld, row, coef, n, HALVES_WIDTH);
    for (; c < d; c += 16)
        add_halves_part(out + c, table + c, ld, row, coef, n, 1);
}

KERNEL float
greatest(const float *s, size_t n)
{
    v16 m = v_set(-INFINITY);
    for (size_t i = 0; i < n; i += 16)
        m = v_max(v_load(s + i), m);
    return v_greatest(m);
}

KERNEL float
sum_exp(const float *s, size_t n, float top, float rate)
{
    v16 sum = v_zero(), t = v_set(top), f = v_set(rate);
    for (size_t i = 0; i < n; i += 16)
        sum = v_add(sum, v_exp(v_mul(v_sub(v_load(s + i), t), f)));
    return v_sum(sum);
}

KERNEL float
exps(float *s, size_t n, float top)
{
    v16 sum = v_zero(), t = v_set(top);
    for (size_t i = 0; i < n; i += 16) {
        v16 e = v_exp(v_sub(v_load(s + i), t));
        v_store(s + i, e);
        sum = v_add(sum, e);
    }
    return v_sum(sum);
}

KERNEL size_t
above(uint32_t *hit, const float *s, size_t n, float threshold)
{
    size_t n_hits = 0;
    v16 t = v_set(threshold);
    for (size_t i = 0; i < n; i += 16) {
        uint32_t bits = v_gt(v_load(s + i), t);
        for (; bits; bits &= bits - 1)
            hit[n_hits++] = (uint32_t)i + (uint32_t)__builtin_ctz(bits);
    }
    return n_hits;
}

KERNEL size_t
reaches(uint32_t *hit, const float *s, const float *scale, float reach, size_t n,
        float threshold)
{
    size_t n_hits = 0;
    v16 t = v_set(threshold), f = v_set(reach);
    for (size_t i = 0; i < n; i += 16) {
        uint32_t bits = v_gt(v_fma(f, v_load(scale + i), v_load(s + i)), t);
        for (; bits; bits &= bits - 1)
            hit[n_hits++] = (uint32_t)i + (uint32_t)__builtin_ctz(bits);
    }
    return n_hits;
}

/* ---- gradient descent ---- */

KERNEL void
adam(float *w, float *mean, float *square, float *slope, size_t n,
     const struct pz_adam *step)
{
    v16 keep_m = v_set(step->keep_mean), keep_s = v_set(step->keep_square);
    v16 rate = v_set(step->rate * step->grow_mean), grow = v_set(step->grow_square);
    v16 floor = v_set(step->floor);
    for (size_t i = 0; i < n; i += 16) {
        v16 g = v_load(slope + i), s = v_mul(g, g);
        v16 m = v_fma(keep_m, v_sub(v_load(mean + i), g), g);
        s = v_fma(keep_s, v_sub(v_load(square + i), s), s);
        v16 size = v_add(v_root(v_mul(s, grow)), floor);
        v_store(mean + i, m);
        v_store(square + i, s);
        v_store(slope + i, v_zero());
        v_store(w + i, v_fnma(rate, v_div(m, size), v_load(w + i)));
    }
}

const struct pz_kernels PZ_TABLE = {
    .cpu = PZ_TABLE_CPU,
    .dot = dot,
    .axpy = axpy,
    .xpay = xpay,
    .axzpy = axzpy,
    .gather = gather,
    .gram = gram,
    .combine = combine,
    .add_halves = add_halves,
    .sum16 = sum16,
    .apply = apply,
    .residual = residual,
    .chol = chol,
    .solve = solve,
    .pack = pack,
    .tile = tile,
    .score = score,
    .mr = MUL_ROWS,
    .nr = 16 * MUL_HALVES,
    .product = product_tile,
    .turn = turn,
    .greatest = greatest,
    .sum_exp = sum_exp,
    .exps = exps,
    .above = above,
    .reaches = reaches,
    .adam = adam,
};
