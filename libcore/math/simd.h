/*
 * simd: sixteen floats at a time, the same on every instruction set.
 *
 * A file that defines PZ_SIMD as one of the levels below and includes this one gets the
 * type v16 and the operations on it, compiled for that level: one zmm register with
 * AVX-512, two ymm with AVX2, an array without either. Each operation is the same IEEE
 * operation on each lane on all levels, sums over lanes follow one tree (8+8, 4+4, 2+2,
 * 1+1), and a*b+c is always fused; so a kernel written over v16 gives the same bits
 * everywhere. Only a NaN's payload may differ.
 *
 * FN marks helpers, KERNEL marks the functions that go into the table of kernels.
 */
#ifndef PZ_MATH_SIMD_H
#define PZ_MATH_SIMD_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cpu.h"

#define PZ_SIMD_SCALAR 0
#define PZ_SIMD_AVX2   1
#define PZ_SIMD_AVX512 2

#if PZ_SIMD == PZ_SIMD_SCALAR
#define UNROLL
#else
#define UNROLL _Pragma("GCC unroll 32") // arrays of accumulators become registers
#endif

#if PZ_SIMD == PZ_SIMD_AVX512

#include <immintrin.h>

#define FN     static inline __attribute__((always_inline, target(PZ_AVX512_FEATURES)))
#define KERNEL static PZ_TARGET_AVX512

typedef __m512 v16;

FN v16
v_zero(void)
{
    return _mm512_setzero_ps();
}

FN v16
v_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

/* Halves (kernels.h) as floats. */
FN v16
v_load_halves(const uint16_t *p)
{
    __m256i h = _mm256_loadu_si256((const __m256i *)(const void *)p);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16));
}

FN void
v_store(float *p, v16 a)
{
    _mm512_storeu_ps(p, a);
}

FN v16
v_set(float a)
{
    return _mm512_set1_ps(a);
}

FN v16
v_add(v16 a, v16 b)
{
    return _mm512_add_ps(a, b);
}

FN v16
v_sub(v16 a, v16 b)
{
    return _mm512_sub_ps(a, b);
}

FN v16
v_mul(v16 a, v16 b)
{
    return _mm512_mul_ps(a, b);
}

FN v16
v_div(v16 a, v16 b)
{
    return _mm512_div_ps(a, b);
}

FN v16
v_root(v16 a)
{
    return _mm512_sqrt_ps(a);
}

/* a > b ? a : b */
FN v16
v_max(v16 a, v16 b)
{
    return _mm512_max_ps(a, b);
}

/* a*b + c */
FN v16
v_fma(v16 a, v16 b, v16 c)
{
    return _mm512_fmadd_ps(a, b, c);
}

/* c - a*b */
FN v16
v_fnma(v16 a, v16 b, v16 c)
{
    return _mm512_fnmadd_ps(a, b, c);
}

/* Bit l: a > b in lane l. */
FN uint32_t
v_gt(v16 a, v16 b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ);
}

/* a * 2^n where t = 1.5 * 2^23 + n; the result must be a normal number. */
FN v16
v_scale2(v16 a, v16 t)
{
    __m512i shift = _mm512_slli_epi32(_mm512_castps_si512(t), 23);
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(a), shift));
}

FN __m256
v_fold8(v16 a)
{
    return _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
}

FN __m512
v_fold_pair(__m512 a, __m512 b)
{
    return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44),
                         _mm512_shuffle_f32x4(a, b, 0xee));
}

FN __m512
v_fold_quad(__m512 a, __m512 b)
{
    return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88),
                         _mm512_shuffle_f32x4(a, b, 0xdd));
}

FN __m512
v_fold_two(__m512 a, __m512 b)
{
    __m512d x = _mm512_castps_pd(a), y = _mm512_castps_pd(b);
    return _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(x, y)),
                         _mm512_castpd_ps(_mm512_unpackhi_pd(x, y)));
}

FN __m512
v_fold_one(__m512 a, __m512 b)
{
    return _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x88), _mm512_shuffle_ps(a, b, 0xdd));
}

/* Four of the rows, halved twice: rows r, r+4, r+8, r+12. */
FN __m512
v_fold_rows(const v16 *s, int r)
{
    return v_fold_quad(v_fold_pair(s[r], s[r + 4]), v_fold_pair(s[r + 8], s[r + 12]));
}

/* Lane r: the sum of the lanes of s[r]. */
FN v16
v_sums(const v16 s[16])
{
    return v_fold_one(v_fold_two(v_fold_rows(s, 0), v_fold_rows(s, 1)),
                      v_fold_two(v_fold_rows(s, 2), v_fold_rows(s, 3)));
}

/* Lane l of t[r] and lane r of t[l] change places. */
FN void
v_transpose(v16 t[16])
{
    __m512 a[16], b[16];
    UNROLL
    for (int i = 0; i < 16; i += 2) {
        a[i] = _mm512_unpacklo_ps(t[i], t[i + 1]);
        a[i + 1] = _mm512_unpackhi_ps(t[i], t[i + 1]);
    }
    UNROLL
    for (int i = 0; i < 16; i += 4) {
        UNROLL
        for (int j = 0; j < 2; j++) {
            __m512d x = _mm512_castps_pd(a[i + j]), y = _mm512_castps_pd(a[i + 2 + j]);
            b[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(x, y));
            b[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(x, y));
        }
    }
    UNROLL
    for (int j = 0; j < 4; j++) {
        __m512 x = _mm512_shuffle_f32x4(b[j], b[4 + j], 0x88);
        __m512 y = _mm512_shuffle_f32x4(b[j], b[4 + j], 0xdd);
        __m512 z = _mm512_shuffle_f32x4(b[8 + j], b[12 + j], 0x88);
        __m512 w = _mm512_shuffle_f32x4(b[8 + j], b[12 + j], 0xdd);
        t[j] = _mm512_shuffle_f32x4(x, z, 0x88);
        t[8 + j] = _mm512_shuffle_f32x4(x, z, 0xdd);
        t[4 + j] = _mm512_shuffle_f32x4(y, w, 0x88);
        t[12 + j] = _mm512_shuffle_f32x4(y, w, 0xdd);
    }
}

#elif PZ_SIMD == PZ_SIMD_AVX2

#include <immintrin.h>

#define FN     static inline __attribute__((always_inline, target(PZ_AVX2_FEATURES)))
#define KERNEL static PZ_TARGET_AVX2

typedef struct {
    __m256 lo, hi;
} v16;

FN v16
v_zero(void)
{
    return (v16){_mm256_setzero_ps(), _mm256_setzero_ps()};
}

FN v16
v_load(const float *p)
{
    return (v16){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}

FN __m256
v_load_halves8(const uint16_t *p)
{
    __m128i h = _mm_loadu_si128((const __m128i *)(const void *)p);
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16));
}

FN v16
v_load_halves(const uint16_t *p)
{
    return (v16){v_load_halves8(p), v_load_halves8(p + 8)};
}

FN void
v_store(float *p, v16 a)
{
    _mm256_storeu_ps(p, a.lo);
    _mm256_storeu_ps(p + 8, a.hi);
}

FN v16
v_set(float a)
{
    return (v16){_mm256_set1_ps(a), _mm256_set1_ps(a)};
}

FN v16
v_add(v16 a, v16 b)
{
    return (v16){_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)};
}

FN v16
v_sub(v16 a, v16 b)
{
    return (v16){_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)};
}

FN v16
v_mul(v16 a, v16 b)
{
    return (v16){_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)};
}

FN v16
v_div(v16 a, v16 b)
{
    return (v16){_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)};
}

FN v16
v_root(v16 a)
{
    return (v16){_mm256_sqrt_ps(a.lo), _mm256_sqrt_ps(a.hi)};
}

FN v16
v_max(v16 a, v16 b)
{
    return (v16){_mm256_max_ps(a.lo, b.lo), _mm256_max_ps(a.hi, b.hi)};
}

FN v16
v_fma(v16 a, v16 b, v16 c)
{
    return (v16){_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)};
}

FN v16
v_fnma(v16 a, v16 b, v16 c)
{
    return (v16){_mm256_fnmadd_ps(a.lo, b.lo, c.lo), _mm256_fnmadd_ps(a.hi, b.hi, c.hi)};
}

FN uint32_t
v_gt(v16 a, v16 b)
{
    unsigned lo = (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(a.lo, b.lo, _CMP_GT_OQ));
    unsigned hi = (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(a.hi, b.hi, _CMP_GT_OQ));
    return lo | hi << 8;
}

FN __m256
v_scale2_half(__m256 a, __m256 t)
{
    __m256i shift = _mm256_slli_epi32(_mm256_castps_si256(t), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a), shift));
}

FN v16
v_scale2(v16 a, v16 t)
{
    return (v16){v_scale2_half(a.lo, t.lo), v_scale2_half(a.hi, t.hi)};
}

FN __m256
v_fold8(v16 a)
{
    return _mm256_add_ps(a.lo, a.hi);
}

FN __m256
v_fold_pair(__m256 a, __m256 b)
{
    return _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20),
                         _mm256_permute2f128_ps(a, b, 0x31));
}

FN __m256
v_fold_two(__m256 a, __m256 b)
{
    __m256d x = _mm256_castps_pd(a), y = _mm256_castps_pd(b);
    return _mm256_add_ps(_mm256_castpd_ps(_mm256_unpacklo_pd(x, y)),
                         _mm256_castpd_ps(_mm256_unpackhi_pd(x, y)));
}

FN __m256
v_fold_one(__m256 a, __m256 b)
{
    return _mm256_add_ps(_mm256_shuffle_ps(a, b, 0x88), _mm256_shuffle_ps(a, b, 0xdd));
}

FN __m256
v_fold_rows(const v16 *s, int r)
{
    return v_fold_pair(v_fold8(s[r]), v_fold8(s[r + 4]));
}

FN __m256
v_sums_half(const v16 *s)
{
    return v_fold_one(v_fold_two(v_fold_rows(s, 0), v_fold_rows(s, 1)),
                      v_fold_two(v_fold_rows(s, 2), v_fold_rows(s, 3)));
}

FN v16
v_sums(const v16 s[16])
{
    return (v16){v_sums_half(s), v_sums_half(s + 8)};
}

FN void
v_transpose_eight(__m256 t[8])
{
    __m256 a[8], b[8];
    UNROLL
    for (int i = 0; i < 8; i += 2) {
        a[i] = _mm256_unpacklo_ps(t[i], t[i + 1]);
        a[i + 1] = _mm256_unpackhi_ps(t[i], t[i + 1]);
    }
    UNROLL
    for (int i = 0; i < 8; i += 4) {
        UNROLL
        for (int j = 0; j < 2; j++) {
            __m256d x = _mm256_castps_pd(a[i + j]), y = _mm256_castps_pd(a[i + 2 + j]);
            b[i + 2 * j] = _mm256_castpd_ps(_mm256_unpacklo_pd(x, y));
            b[i + 2 * j + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(x, y));
        }
    }
    UNROLL
    for (int j = 0; j < 4; j++) {
        t[j] = _mm256_permute2f128_ps(b[j], b[4 + j], 0x20);
        t[4 + j] = _mm256_permute2f128_ps(b[j], b[4 + j], 0x31);
    }
}

FN void
v_transpose(v16 t[16])
{
    __m256 q[4][8];
    UNROLL
    for (int i = 0; i < 8; i++) {
        q[0][i] = t[i].lo;
        q[1][i] = t[i].hi;
        q[2][i] = t[8 + i].lo;
        q[3][i] = t[8 + i].hi;
    }
    UNROLL
    for (int i = 0; i < 4; i++)
        v_transpose_eight(q[i]);
    UNROLL
    for (int i = 0; i < 8; i++) {
        t[i] = (v16){q[0][i], q[2][i]};
        t[8 + i] = (v16){q[1][i], q[3][i]};
    }
}

#else // scalar: the definition of what the others compute

#define FN     static inline
#define KERNEL static

typedef struct {
    float f[16];
} v16;

#define EACH_LANE(value)                                                                 \
    v16 out;                                                                             \
    for (int l = 0; l < 16; l++)                                                         \
        out.f[l] = (value);                                                              \
    return out

FN v16
v_set(float a)
{
    EACH_LANE(a);
}

FN v16
v_zero(void)
{
    return v_set(0);
}

FN v16
v_load(const float *p)
{
    EACH_LANE(p[l]);
}

FN float
v_float(uint16_t half)
{
    uint32_t bits = (uint32_t)half << 16;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

FN v16
v_load_halves(const uint16_t *p)
{
    EACH_LANE(v_float(p[l]));
}

FN void
v_store(float *p, v16 a)
{
    memcpy(p, a.f, sizeof a.f);
}

FN v16
v_add(v16 a, v16 b)
{
    EACH_LANE(a.f[l] + b.f[l]);
}

FN v16
v_sub(v16 a, v16 b)
{
    EACH_LANE(a.f[l] - b.f[l]);
}

FN v16
v_mul(v16 a, v16 b)
{
    EACH_LANE(a.f[l] * b.f[l]);
}

FN v16
v_div(v16 a, v16 b)
{
    EACH_LANE(a.f[l] / b.f[l]);
}

FN v16
v_root(v16 a)
{
    EACH_LANE(sqrtf(a.f[l]));
}

FN v16
v_max(v16 a, v16 b)
{
    EACH_LANE(a.f[l] > b.f[l] ? a.f[l] : b.f[l]);
}

FN v16
v_fma(v16 a, v16 b, v16 c)
{
    EACH_LANE(fmaf(a.f[l], b.f[l], c.f[l]));
}

FN v16
v_fnma(v16 a, v16 b, v16 c)
{
    EACH_LANE(fmaf(-a.f[l], b.f[l], c.f[l]));
}

FN uint32_t
v_gt(v16 a, v16 b)
{
    uint32_t bits = 0;
    for (int l = 0; l < 16; l++)
        bits |= (uint32_t)(a.f[l] > b.f[l]) << l;
    return bits;
}

FN float
v_scale2_one(float a, float t)
{
    uint32_t x, y;
    memcpy(&x, &a, 4);
    memcpy(&y, &t, 4);
    x += y << 23;
    memcpy(&a, &x, 4);
    return a;
}

FN v16
v_scale2(v16 a, v16 t)
{
    EACH_LANE(v_scale2_one(a.f[l], t.f[l]));
}

FN float
v_sum(v16 a)
{
    for (int half = 8; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            a.f[l] = a.f[l] + a.f[l + half];
    return a.f[0];
}

FN v16
v_sums(const v16 s[16])
{
    EACH_LANE(v_sum(s[l]));
}

FN void
v_transpose(v16 t[16])
{
    for (int i = 0; i < 16; i++) {
        for (int j = 0; j < i; j++) {
            float f = t[i].f[j];
            t[i].f[j] = t[j].f[i];
            t[j].f[i] = f;
        }
    }
}

#endif

#if PZ_SIMD != PZ_SIMD_SCALAR

/* The sum of the lanes. */
FN float
v_sum(v16 a)
{
    __m256 t = v_fold8(a);
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(t), _mm256_extractf128_ps(t, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_movehdup_ps(q)));
}

#endif

/* The greatest lane. */
FN float
v_greatest(v16 a)
{
    float f[16];
    v_store(f, a);
    float m = f[0];
    for (int l = 1; l < 16; l++)
        m = f[l] > m ? f[l] : m;
    return m;
}

/*
 * exp(x) for x <= 0 to about 1 ulp, 0 below -87. exp(x) = 2^n * e^r, r in +-ln(2)/2, the
 * polynomial being the Taylor series to r^7 (its error is below 2^-28 there).
 */
FN v16
v_exp(v16 x)
{
    v16 big = v_set(12582912.0f); // 1.5 * 2^23: adding it rounds to a whole number
    v16 low = v_set(-87.0f);
    uint32_t inside = v_gt(x, low);
    x = v_max(x, low);
    v16 t = v_fma(x, v_set(1.44269504f), big);
    v16 n = v_sub(t, big);
    v16 r = v_fnma(n, v_set(0.693359375f), x);
    r = v_fnma(n, v_set(-2.12194440e-4f), r);
    v16 p = v_set(1.98412698e-4f);
    p = v_fma(p, r, v_set(1.38888889e-3f));
    p = v_fma(p, r, v_set(8.33333333e-3f));
    p = v_fma(p, r, v_set(4.16666667e-2f));
    p = v_fma(p, r, v_set(1.66666667e-1f));
    p = v_fma(p, r, v_set(0.5f));
    p = v_fma(p, r, v_set(1.0f));
    p = v_fma(p, r, v_set(1.0f));
    p = v_scale2(p, t);
    if (inside != 0xffff) { // rare: most scores lie near each other
        float f[16];
        v_store(f, p);
        for (int l = 0; l < 16; l++)
            f[l] = inside >> l & 1 ? f[l] : 0;
        p = v_load(f);
    }
    return p;
}

#endif
