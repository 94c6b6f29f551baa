#include "math/andcount.h"

#include <stdbool.h>

#include "base/cpu.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* The definition; the population count by halves needs no instruction of its own. */
static void
count_scalar(const uint64_t *a, const uint64_t *b, size_t stride, size_t n_words,
             uint32_t *c, size_t ldc)
{
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 4; j++) {
            const uint64_t *x = a + i * stride, *y = b + j * stride;
            uint64_t sum = 0;
            for (size_t w = 0; w < n_words; w++) {
                uint64_t v = x[w] & y[w];
                v -= v >> 1 & 0x5555555555555555u;
                v = (v & 0x3333333333333333u) + (v >> 2 & 0x3333333333333333u);
                v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fu;
                sum += v * 0x0101010101010101u >> 56;
            }
            c[i * ldc + j] += (uint32_t)sum;
        }
}

#if defined(__x86_64__)

PZ_TARGET_AVX2 static void
count_popcnt(const uint64_t *a, const uint64_t *b, size_t stride, size_t n_words,
             uint32_t *c, size_t ldc)
{
    for (size_t i = 0; i < 4; i++) {
        const uint64_t *x = a + i * stride;
        uint64_t sum[4] = {0};
        for (size_t w = 0; w < n_words; w++) {
            sum[0] += (uint64_t)__builtin_popcountll(x[w] & b[w]);
            sum[1] += (uint64_t)__builtin_popcountll(x[w] & b[stride + w]);
            sum[2] += (uint64_t)__builtin_popcountll(x[w] & b[2 * stride + w]);
            sum[3] += (uint64_t)__builtin_popcountll(x[w] & b[3 * stride + w]);
        }
        for (size_t j = 0; j < 4; j++)
            c[i * ldc + j] += (uint32_t)sum[j];
    }
}

/* 16 sums and 8 rows fill 24 of the 32 registers: a word is loaded for four pairs. */
__attribute__((target(PZ_AVX512_FEATURES ",avx512vpopcntdq"))) static void
count_vpopcnt(const uint64_t *a, const uint64_t *b, size_t stride, size_t n_words,
              uint32_t *c, size_t ldc)
{
    __m512i s[4][4];
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            s[i][j] = _mm512_setzero_si512();
    for (size_t w = 0; w < n_words; w += 8) {
        __m512i y0 = _mm512_load_si512(b + w), y1 = _mm512_load_si512(b + stride + w);
        __m512i y2 = _mm512_load_si512(b + 2 * stride + w);
        __m512i y3 = _mm512_load_si512(b + 3 * stride + w);
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
            __m512i x = _mm512_load_si512(a + (size_t)i * stride + w);
            s[i][0] =
                _mm512_add_epi64(s[i][0], _mm512_popcnt_epi64(_mm512_and_si512(x, y0)));
            s[i][1] =
                _mm512_add_epi64(s[i][1], _mm512_popcnt_epi64(_mm512_and_si512(x, y1)));
            s[i][2] =
                _mm512_add_epi64(s[i][2], _mm512_popcnt_epi64(_mm512_and_si512(x, y2)));
            s[i][3] =
                _mm512_add_epi64(s[i][3], _mm512_popcnt_epi64(_mm512_and_si512(x, y3)));
        }
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++)
            c[(size_t)i * ldc + (size_t)j] += (uint32_t)_mm512_reduce_add_epi64(s[i][j]);
}

static bool
has_vpopcnt(void)
{
    return pz_cpu() == PZ_CPU_AVX512 && __builtin_cpu_supports("avx512vpopcntdq");
}

pz_andcount_fn *
pz_andcount(void)
{
    if (has_vpopcnt())
        return count_vpopcnt;
    return pz_cpu() == PZ_CPU_SCALAR ? count_scalar : count_popcnt;
}

double
pz_andcount_cost(void)
{
    if (has_vpopcnt())
        return 0.6;
    return pz_cpu() == PZ_CPU_SCALAR ? 30 : 4;
}

#else

pz_andcount_fn *
pz_andcount(void)
{
    return count_scalar;
}

double
pz_andcount_cost(void)
{
    return 30;
}

#endif

/* ---- sums by place ---- */

typedef uint64_t vec __attribute__((vector_size(64)));

/*
 * Three rows at a time: a full adder makes of them a bit of value 1 and one of value 2,
 * which then travel up the planes. Missing rows are zeros.
 */
static inline __attribute__((always_inline)) void
bitsum(uint64_t *sum, size_t n_planes, size_t n_words, const uint64_t *bits,
       const uint32_t *row, size_t n)
{
    enum { AHEAD = 6 };
    size_t n_vecs = n_words / 8;
    vec *plane = (vec *)sum;
    for (size_t k = 0; k < n; k += 3) {
        const vec *x = (const vec *)(bits + row[k] * n_words);
        const vec *y = k + 1 < n ? (const vec *)(bits + row[k + 1] * n_words) : NULL;
        const vec *z = k + 2 < n ? (const vec *)(bits + row[k + 2] * n_words) : NULL;
        for (size_t ahead = k + AHEAD; ahead < k + AHEAD + 3 && ahead < n; ahead++)
            for (size_t w = 0; w < n_words; w += 8)
                __builtin_prefetch(bits + row[ahead] * n_words + w);
        for (size_t v = 0; v < n_vecs; v++) {
            vec a = x[v], b = y ? y[v] : a ^ a, c = z ? z[v] : a ^ a;
            vec half = a ^ b, one = half ^ c, two = (a & b) | (half & c);
            vec *p = plane + v, *end = plane + n_planes * n_vecs + v;
            vec carry = *p & one;
            *p ^= one;
            p += n_vecs;
            if (p == end)
                continue;
            half = *p ^ carry;
            vec up = (*p & carry) | (half & two);
            *p = half ^ two;
            for (p += n_vecs; p != end; p += n_vecs) {
                carry = *p & up;
                *p ^= up;
                up = carry;
            }
        }
    }
}

static void
bitsum_scalar(uint64_t *sum, size_t n_planes, size_t n_words, const uint64_t *bits,
              const uint32_t *row, size_t n)
{
    bitsum(sum, n_planes, n_words, bits, row, n);
}

#if defined(__x86_64__)
PZ_TARGET_AVX2 static void
bitsum_avx2(uint64_t *sum, size_t n_planes, size_t n_words, const uint64_t *bits,
            const uint32_t *row, size_t n)
{
    bitsum(sum, n_planes, n_words, bits, row, n);
}

PZ_TARGET_AVX512 static void
bitsum_avx512(uint64_t *sum, size_t n_planes, size_t n_words, const uint64_t *bits,
              const uint32_t *row, size_t n)
{
    bitsum(sum, n_planes, n_words, bits, row, n);
}
#endif

void
pz_bitsum_add(uint64_t *sum, size_t n_planes, size_t n_words, const uint64_t *bits,
              const uint32_t *row, size_t n)
{
#if defined(__x86_64__)
    if (pz_cpu() == PZ_CPU_AVX512)
        bitsum_avx512(sum, n_planes, n_words, bits, row, n);
    else if (pz_cpu() == PZ_CPU_AVX2)
        bitsum_avx2(sum, n_planes, n_words, bits, row, n);
    else
#endif
        bitsum_scalar(sum, n_planes, n_words, bits, row, n);
}

/* Bit i of b as byte i, 0 or 1. */
static uint64_t
spread(uint64_t b)
{
    uint64_t x = (b * 0x0101010101010101u) & 0x8040201008040201u;
    return ((x + 0x7f7f7f7f7f7f7f7fu) | x) >> 7 & 0x0101010101010101u;
}

void
pz_bitsum_read(const uint64_t *sum, size_t n_planes, size_t n_words, uint32_t *out)
{
    for (size_t w = 0; w < n_words; w++)
        for (int byte = 0; byte < 8; byte++) {
            uint32_t *to = out + w * 64 + (size_t)byte * 8;
            for (size_t p = 0; p < n_planes; p += 8) { // eight planes fill the bytes
                uint64_t bytes = 0;
                for (size_t q = p; q < n_planes && q < p + 8; q++)
                    bytes |= spread(sum[q * n_words + w] >> (byte * 8) & 0xff) << (q - p);
                for (int i = 0; i < 8; i++) {
                    uint32_t part = (uint32_t)(bytes >> (8 * i) & 0xff) << p;
                    to[i] = p ? to[i] | part : part;
                }
            }
        }
}
