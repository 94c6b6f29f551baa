/*
 * quant_body: pz_quant_score() over the registers of one instruction set. The file that
 * includes it defines QUANT_SCORE (the function's name), QUANT_TARGET (its features),
 * QUANT_LEVEL (one of the levels below), QUANT_X (vectors of a tile) and QUANT_U (its
 * registers of rows for each).
 */
#include <immintrin.h>

#include "math/quant.h"

#define QUANT_AVX2   1
#define QUANT_AVX512 2
#define QUANT_VNNI   3

#define FN     static inline __attribute__((always_inline, target(QUANT_TARGET)))
#define UNROLL _Pragma("GCC unroll 32")

#if QUANT_LEVEL == QUANT_AVX2

typedef __m256i lanes; // 8 rows
#define ZERO()         _mm256_setzero_si256()
#define LOAD(p)        _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define ALL(w)         _mm256_set1_epi32(w)
#define ADD(a, b)      _mm256_add_epi32(a, b)
#define EVEN_BYTES(a)  _mm256_and_si256(a, _mm256_set1_epi16(255))
#define ODD_BYTES(a)   _mm256_srli_epi16(a, 8)
#define MULTIPLY(a, b) _mm256_madd_epi16(a, b)
#define STORE(p, a, u, s)                                                                \
    _mm256_storeu_ps(                                                                    \
        p, _mm256_mul_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(a), _mm256_set1_ps(u)),        \
                         _mm256_loadu_ps(s)))

#else

typedef __m512i lanes; // 16 rows
#define ZERO()         _mm512_setzero_si512()
#define LOAD(p)        _mm512_loadu_si512(p)
#define ALL(w)         _mm512_set1_epi32(w)
#define ADD(a, b)      _mm512_add_epi32(a, b)
#define EVEN_BYTES(a)  _mm512_and_si512(a, _mm512_set1_epi16(255))
#define ODD_BYTES(a)   _mm512_srli_epi16(a, 8)
#define MULTIPLY(a, b) _mm512_madd_epi16(a, b)
#define STORE(p, a, u, s)                                                                \
    _mm512_storeu_ps(                                                                    \
        p, _mm512_mul_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(a), _mm512_set1_ps(u)),        \
                         _mm512_loadu_ps(s)))

#endif

enum { LANES = sizeof(lanes) / 4, PARTS = PZ_QUANT_ROWS / LANES, LINE = 64 };

/* Bytes that are fetched before their turn: the processor's own prefetching ends with
 * each page. */
enum { AHEAD = 8192 };

/* Registers of sums: with VNNI the high and the low codes have one each. */
enum { SUMS = QUANT_LEVEL == QUANT_VNNI ? 2 : 1 };

/* A word of a vector's codes in all lanes. */
FN lanes
word_of(const void *from)
{
    int32_t word;
    __builtin_memcpy(&word, from, sizeof word);
    return ALL(word);
}

/*
 * Adds the products of four bytes of each row with a vector's codes to acc[0..SUMS). With
 * VNNI in assembly: compilers copy the sums to and fro around the built-in function, and
 * the broadcast is free as an operand.
 */
#if QUANT_LEVEL == QUANT_VNNI
#define PRODUCTS(acc, row, word)                                                         \
    __asm__("vpdpbusd %2%{1to16%}, %1, %0"                                               \
            : "+v"(acc)                                                                  \
            : "v"(row), "m"(*(const int8_t(*)[4])(word)))
#define FOUR(acc, row, x)                                                                \
    do {                                                                                 \
        PRODUCTS((acc)[0], row, (x)->high);                                              \
        PRODUCTS((acc)[1], row, (x)->low);                                               \
    } while (0)
#define TOTAL(acc) ADD(_mm512_slli_epi32((acc)[0], 6), (acc)[1]) // 64 high + low
#else
#define FOUR(acc, row, x)                                                                \
    do {                                                                                 \
        (acc)[0] = ADD((acc)[0], MULTIPLY(EVEN_BYTES(row), word_of((x)->even)));         \
        (acc)[0] = ADD((acc)[0], MULTIPLY(ODD_BYTES(row), word_of((x)->odd)));           \
    } while (0)
#define TOTAL(acc) (acc)[0]
#endif

/* n_x vectors and n_u registers of rows, both constants; from is where the rows begin. */
FN void
tile(float *out, size_t stride, const uint8_t *from, const float *scale,
     const struct pz_quant_four *code, const struct pz_quant_query *q, size_t d, int n_x,
     int n_u)
{
    lanes acc[QUANT_X * QUANT_U * SUMS];
    UNROLL
    for (int i = 0; i < n_x * n_u * SUMS; i++)
        acc[i] = ZERO();
    for (size_t k = 0; k < d; k += 4, from += LINE, code++) {
        lanes row[QUANT_U];
        if (n_x == 1)
            __builtin_prefetch(from + AHEAD);
        UNROLL
        for (int u = 0; u < n_u; u++)
            row[u] = LOAD(from + (size_t)(u / PARTS) * PZ_QUANT_ROWS * d +
                          (size_t)(u % PARTS) * LANES * 4);
        UNROLL
        for (int v = 0; v < n_x; v++) {
            UNROLL
            for (int u = 0; u < n_u; u++)
                FOUR(acc + (v * n_u + u) * SUMS, row[u], code + (size_t)v * (d / 4));
        }
    }
    UNROLL
    for (int v = 0; v < n_x; v++) {
        UNROLL
        for (int u = 0; u < n_u; u++)
            STORE(out + (size_t)v * stride + u * LANES,
                  ADD(TOTAL(acc + (v * n_u + u) * SUMS), ALL(-q[v].offset)), q[v].scale,
                  scale + u * LANES);
    }
}

__attribute__((target(QUANT_TARGET))) void
QUANT_SCORE(float *out, size_t stride, const struct pz_quant *t, size_t group,
            size_t n_groups, const struct pz_quant_four *code,
            const struct pz_quant_query *q, size_t n_q, size_t d)
{
    const uint8_t *from = t->code + group * PZ_QUANT_ROWS * d;
    const float *scale = t->scale + group * PZ_QUANT_ROWS;
    for (size_t v = 0; v < n_q;) {
        size_t n_x = n_q - v >= QUANT_X ? QUANT_X : 1;
        const struct pz_quant_four *x = code + v * (d / 4);
        for (size_t g = 0; g < n_groups;) {
            const uint8_t *rows = from + g * PZ_QUANT_ROWS * d;
            float *to = out + v * stride + g * PZ_QUANT_ROWS;
            const float *by = scale + g * PZ_QUANT_ROWS;
            if (n_x == QUANT_X && n_groups - g >= QUANT_U / PARTS) {
                tile(to, stride, rows, by, x, q + v, d, QUANT_X, QUANT_U);
                g += QUANT_U / PARTS;
            } else if (n_x == QUANT_X) {
                tile(to, stride, rows, by, x, q + v, d, QUANT_X, PARTS);
                g++;
            } else { // memory is the limit: in the order of the bytes
                tile(to, stride, rows, by, x, q + v, d, 1, PARTS);
                g++;
            }
        }
        v += n_x;
    }
}
