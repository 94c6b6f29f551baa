/*
 * bits_avx2: the operations of bits.c for processors with AVX2. Narrow codes are looked
 * up in registers: the byte code/8 of the 32-byte table by two shuffles, then the bit
 * code%8.
 */
#ifdef __x86_64__

#include <immintrin.h>

#include "base/cpu.h"
#include "filter/bits.h"

PZ_TARGET_AVX2 static uint32_t
lookup32(__m256i code, __m256i low, __m256i high)
{
    const __m256i bit =
        _mm256_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128, 1, 2,
                         4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128);
    // code/8 has 5 bits: the lower four choose in a half, the fifth is the code's top
    // bit.
    __m256i byte = _mm256_and_si256(_mm256_srli_epi16(code, 3), _mm256_set1_epi8(15));
    __m256i found = _mm256_blendv_epi8(_mm256_shuffle_epi8(low, byte),
                                       _mm256_shuffle_epi8(high, byte), code);
    __m256i mask = _mm256_shuffle_epi8(bit, _mm256_and_si256(code, _mm256_set1_epi8(7)));
    __m256i hit = _mm256_cmpeq_epi8(_mm256_and_si256(found, mask), mask);
    return (uint32_t)_mm256_movemask_epi8(hit);
}

PZ_TARGET_AVX2 static uint64_t
codes_u8(const void *rows, const struct pz_bits_table *t)
{
    const __m256i *p = rows;
    const __m256i low =
        _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)t->bit));
    const __m256i high =
        _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)t->bit + 1));
    uint64_t lo = lookup32(_mm256_loadu_si256(p), low, high);
    uint64_t hi = lookup32(_mm256_loadu_si256(p + 1), low, high);
    return lo | hi << 32;
}

/* Eight codes: the 32-bit words of the table that hold their bits, moved to the sign. */
PZ_TARGET_AVX2 static uint32_t
lookup8(__m256i code, const struct pz_bits_table *t)
{
    __m256i word =
        _mm256_i32gather_epi32((const int *)t->bit, _mm256_srli_epi32(code, 5), 4);
    __m256i shift = _mm256_sub_epi32(_mm256_set1_epi32(31),
                                     _mm256_and_si256(code, _mm256_set1_epi32(31)));
    return (uint32_t)_mm256_movemask_ps(
        _mm256_castsi256_ps(_mm256_sllv_epi32(word, shift)));
}

PZ_TARGET_AVX2 static uint64_t
mask64(__m256i a, __m256i b)
{
    return (uint32_t)_mm256_movemask_epi8(a) | (uint64_t)(uint32_t)_mm256_movemask_epi8(b)
                                                   << 32;
}

/* Sixteen-bit truths to bits. Packing interleaves its arguments' halves. */
PZ_TARGET_AVX2 static uint64_t
mask64_16(const __m256i in[4])
{
    return mask64(_mm256_permute4x64_epi64(_mm256_packs_epi16(in[0], in[1]), 0xd8),
                  _mm256_permute4x64_epi64(_mm256_packs_epi16(in[2], in[3]), 0xd8));
}

PZ_TARGET_AVX2 static uint64_t
few_u16(const __m256i *p, const struct pz_bits_table *t)
{
    const __m256i a = _mm256_loadu_si256(p), b = _mm256_loadu_si256(p + 1);
    const __m256i c = _mm256_loadu_si256(p + 2), d = _mm256_loadu_si256(p + 3);
    __m256i in[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(),
                     _mm256_setzero_si256(), _mm256_setzero_si256()};
    for (uint32_t k = 0; k < t->n_few; k++) {
        __m256i code = _mm256_set1_epi16((short)t->few[k]);
        in[0] = _mm256_or_si256(in[0], _mm256_cmpeq_epi16(a, code));
        in[1] = _mm256_or_si256(in[1], _mm256_cmpeq_epi16(b, code));
        in[2] = _mm256_or_si256(in[2], _mm256_cmpeq_epi16(c, code));
        in[3] = _mm256_or_si256(in[3], _mm256_cmpeq_epi16(d, code));
    }
    uint64_t w = mask64_16(in);
    return t->inverted ? ~w : w;
}

PZ_TARGET_AVX2 static uint64_t
few_u32(const __m256i *p, const struct pz_bits_table *t)
{
    uint64_t w = 0;
    for (unsigned i = 0; i < 8; i++) {
        __m256i x = _mm256_loadu_si256(p + i), in = _mm256_setzero_si256();
        for (uint32_t k = 0; k < t->n_few; k++)
            in = _mm256_or_si256(
                in, _mm256_cmpeq_epi32(x, _mm256_set1_epi32((int)t->few[k])));
        w |= (uint64_t)(uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(in)) << 8 * i;
    }
    return w;
}

/*
 * A small table in pieces of 16 bytes, which hold the bits of 128 codes: every piece is
 * looked into, and what it says counts for the codes that are its own.
 */
enum { PIECES = 16 };

PZ_TARGET_AVX2 static uint32_t
pieces32(const __m256i *p, const struct pz_bits_table *t, unsigned n_pieces)
{
    const __m256i bit =
        _mm256_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128, 1, 2,
                         4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128);
    const __m256i a = _mm256_loadu_si256(p), b = _mm256_loadu_si256(p + 1);
    const __m256i seven = _mm256_set1_epi16(7), fifteen = _mm256_set1_epi16(15);
    __m256i byte =
        _mm256_packus_epi16(_mm256_and_si256(_mm256_srli_epi16(a, 3), fifteen),
                            _mm256_and_si256(_mm256_srli_epi16(b, 3), fifteen));
    __m256i piece = _mm256_packus_epi16(_mm256_srli_epi16(a, 7), _mm256_srli_epi16(b, 7));
    __m256i mask = _mm256_shuffle_epi8(
        bit, _mm256_packus_epi16(_mm256_and_si256(a, seven), _mm256_and_si256(b, seven)));
    __m256i known = _mm256_cmpgt_epi8(_mm256_set1_epi8((char)n_pieces), piece);
    known = _mm256_andnot_si256(_mm256_cmpgt_epi8(_mm256_setzero_si256(), piece), known);
    __m256i found = _mm256_setzero_si256();
    for (unsigned k = 0; k < n_pieces; k++) {
        __m256i bits = _mm256_broadcastsi128_si256(
            _mm_loadu_si128((const __m128i *)(const void *)t->bit + k));
        __m256i own = _mm256_cmpeq_epi8(piece, _mm256_set1_epi8((char)k));
        found = _mm256_or_si256(found,
                                _mm256_and_si256(own, _mm256_shuffle_epi8(bits, byte)));
    }
    __m256i hit = _mm256_cmpeq_epi8(_mm256_and_si256(found, mask), mask);
    if (t->beyond)
        hit = _mm256_or_si256(hit, _mm256_xor_si256(known, _mm256_set1_epi8(-1)));
    return (uint32_t)_mm256_movemask_epi8(_mm256_permute4x64_epi64(hit, 0xd8));
}

PZ_TARGET_AVX2 static uint64_t
codes_u16(const void *rows, const struct pz_bits_table *t)
{
    const __m128i *p = rows;
    uint64_t w = 0;
    if (t->listed)
        return few_u16(rows, t);
    unsigned n_pieces = t->n_words <= 2 * PIECES ? (unsigned)(t->n_words + 1) / 2 : 0;
    if (n_pieces)
        return pieces32(rows, t, n_pieces) |
               (uint64_t)pieces32((const __m256i *)rows + 2, t, n_pieces) << 32;
    for (unsigned i = 0; i < 8; i++)
        w |= (uint64_t)lookup8(_mm256_cvtepu16_epi32(_mm_loadu_si128(p + i)), t) << 8 * i;
    return w;
}

PZ_TARGET_AVX2 static uint64_t
codes_u32(const void *rows, const struct pz_bits_table *t)
{
    const __m256i *p = rows;
    uint64_t w = 0;
    if (t->listed && !t->inverted)
        return few_u32(rows, t);
    if (t->n_codes == 0 || t->n_codes > INT32_MAX)
        return pz_bits_scalar.codes_u32(rows, t);
    const __m256i last = _mm256_set1_epi32((int)(t->n_codes - 1));
    for (unsigned i = 0; i < 8; i++) {
        __m256i code = _mm256_loadu_si256(p + i);
        __m256i safe = _mm256_min_epu32(code, last);
        uint32_t in = (uint32_t)_mm256_movemask_ps(
            _mm256_castsi256_ps(_mm256_cmpeq_epi32(code, safe)));
        w |= (uint64_t)(lookup8(safe, t) & in) << 8 * i;
    }
    return w;
}

PZ_TARGET_AVX2 static uint64_t
bytes_set(const uint8_t *byte)
{
    const __m256i *p = (const __m256i *)byte;
    __m256i zero = _mm256_setzero_si256();
    return ~mask64(_mm256_cmpeq_epi8(_mm256_loadu_si256(p), zero),
                   _mm256_cmpeq_epi8(_mm256_loadu_si256(p + 1), zero));
}

PZ_TARGET_AVX2 static uint64_t
range_u8(const void *rows, const struct pz_blimits *l)
{
    const __m256i *p = rows;
    const __m256i lo = _mm256_set1_epi8((char)l->lo.u8),
                  hi = _mm256_set1_epi8((char)l->hi.u8);
    __m256i in[2];
    for (unsigned i = 0; i < 2; i++) {
        __m256i x = _mm256_loadu_si256(p + i);
        in[i] = _mm256_cmpeq_epi8(x, _mm256_max_epu8(lo, _mm256_min_epu8(hi, x)));
    }
    return mask64(in[0], in[1]);
}

PZ_TARGET_AVX2 static uint64_t
range_u16(const void *rows, const struct pz_blimits *l)
{
    const __m256i *p = rows;
    const __m256i lo = _mm256_set1_epi16((short)l->lo.u16),
                  hi = _mm256_set1_epi16((short)l->hi.u16);
    __m256i in[4];
    for (unsigned i = 0; i < 4; i++) {
        __m256i x = _mm256_loadu_si256(p + i);
        in[i] = _mm256_cmpeq_epi16(x, _mm256_max_epu16(lo, _mm256_min_epu16(hi, x)));
    }
    return mask64_16(in);
}

PZ_TARGET_AVX2 static uint64_t
range_u32(const void *rows, const struct pz_blimits *l)
{
    const __m256i *p = rows;
    const __m256i lo = _mm256_set1_epi32((int)l->lo.u32),
                  hi = _mm256_set1_epi32((int)l->hi.u32);
    uint64_t w = 0;
    for (unsigned i = 0; i < 8; i++) {
        __m256i x = _mm256_loadu_si256(p + i);
        __m256i in = _mm256_cmpeq_epi32(x, _mm256_max_epu32(lo, _mm256_min_epu32(hi, x)));
        w |= (uint64_t)(uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(in)) << 8 * i;
    }
    return w;
}

PZ_TARGET_AVX2 static uint64_t
range_i32(const void *rows, const struct pz_blimits *l)
{
    const __m256i *p = rows;
    const __m256i lo = _mm256_set1_epi32(l->lo.i32), hi = _mm256_set1_epi32(l->hi.i32);
    uint64_t w = 0;
    for (unsigned i = 0; i < 8; i++) {
        __m256i x = _mm256_loadu_si256(p + i);
        __m256i in = _mm256_cmpeq_epi32(x, _mm256_max_epi32(lo, _mm256_min_epi32(hi, x)));
        w |= (uint64_t)(uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(in)) << 8 * i;
    }
    return w;
}

PZ_TARGET_AVX2 static uint64_t
range_i64(const void *rows, const struct pz_blimits *l)
{
    const __m256i *p = rows;
    const __m256i lo = _mm256_set1_epi64x(l->lo.i64), hi = _mm256_set1_epi64x(l->hi.i64);
    uint64_t out = 0;
    for (unsigned i = 0; i < 16; i++) {
        __m256i x = _mm256_loadu_si256(p + i);
        __m256i bad =
            _mm256_or_si256(_mm256_cmpgt_epi64(lo, x), _mm256_cmpgt_epi64(x, hi));
        out |= (uint64_t)(uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(bad)) << 4 * i;
    }
    return ~out;
}

PZ_TARGET_AVX2 static uint64_t
range_f32(const void *rows, const struct pz_blimits *l)
{
    const float *x = rows;
    const __m256 lo = _mm256_set1_ps(l->lo.f32), hi = _mm256_set1_ps(l->hi.f32);
    uint64_t w = 0;
    for (unsigned i = 0; i < 8; i++) {
        __m256 v = _mm256_loadu_ps(x + 8 * i);
        __m256 in = _mm256_and_ps(_mm256_cmp_ps(v, lo, _CMP_GE_OQ),
                                  _mm256_cmp_ps(v, hi, _CMP_LE_OQ));
        w |= (uint64_t)(uint32_t)_mm256_movemask_ps(in) << 8 * i;
    }
    return w;
}

PZ_TARGET_AVX2 static uint64_t
range_f64(const void *rows, const struct pz_blimits *l)
{
    const double *x = rows;
    const __m256d lo = _mm256_set1_pd(l->lo.f64), hi = _mm256_set1_pd(l->hi.f64);
    uint64_t w = 0;
    for (unsigned i = 0; i < 16; i++) {
        __m256d v = _mm256_loadu_pd(x + 4 * i);
        __m256d in = _mm256_and_pd(_mm256_cmp_pd(v, lo, _CMP_GE_OQ),
                                   _mm256_cmp_pd(v, hi, _CMP_LE_OQ));
        w |= (uint64_t)(uint32_t)_mm256_movemask_pd(in) << 4 * i;
    }
    return w;
}

const struct pz_bits_ops pz_bits_avx2 = {
    .codes_u8 = codes_u8,
    .codes_u16 = codes_u16,
    .codes_u32 = codes_u32,
    .bytes_set = bytes_set,
    .range = {[PZ_U8] = range_u8,
              [PZ_U16] = range_u16,
              [PZ_U32] = range_u32,
              [PZ_I32] = range_i32,
              [PZ_I64] = range_i64,
              [PZ_F32] = range_f32,
              [PZ_F64] = range_f64},
};

#else
extern int pz_bits_avx2_unused; // a translation unit must not be empty
#endif
