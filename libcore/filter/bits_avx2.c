/*
 * bits_avx2: the operations of bits.c for processors with AVX2. Narrow codes are looked
 * up in registers: the byte code/8 of the 32-byte table by two shuffles, then the bit
 * code%8; the same for two-byte codes, as far as one page of 1,024 tells them all.
 */
#ifdef __x86_64__

#include <immintrin.h>
#include <string.h>

#include "base/cpu.h"
#include "filter/bits.h"

// A call spills every register that its caller has.
#define FN static inline __attribute__((always_inline, target(PZ_AVX2_FEATURES)))

FN uint32_t
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

PZ_TARGET_AVX2 static void
codes_u8(const void *rows, size_t n, const struct pz_bits_table *t, uint64_t *out)
{
    const __m256i *p = rows;
    const __m256i low =
        _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)t->bit));
    const __m256i high =
        _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)t->bit + 1));
    for (size_t k = 0; k < n; k++, p += 2) {
        uint64_t lo = lookup32(_mm256_loadu_si256(p), low, high);
        uint64_t hi = lookup32(_mm256_loadu_si256(p + 1), low, high);
        out[k] = lo | hi << 32;
    }
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

/* A code is in when an odd number of turns comes before it, or an even one if code 0 is.
 */
PZ_TARGET_AVX2 static uint64_t
bounds_u16(const __m256i *p, const struct pz_bits_table *t)
{
    const __m256i sign = _mm256_set1_epi16(INT16_MIN); // makes comparisons unsigned
    const __m256i a = _mm256_xor_si256(_mm256_loadu_si256(p), sign);
    const __m256i b = _mm256_xor_si256(_mm256_loadu_si256(p + 1), sign);
    const __m256i c = _mm256_xor_si256(_mm256_loadu_si256(p + 2), sign);
    const __m256i d = _mm256_xor_si256(_mm256_loadu_si256(p + 3), sign);
    const __m256i first = _mm256_set1_epi16(t->first ? -1 : 0);
    __m256i in[4] = {first, first, first, first};
    for (uint32_t k = 0; k < t->n_bounds; k++) {
        __m256i last = _mm256_set1_epi16((short)((t->bound[k] - 1) ^ 0x8000));
        in[0] = _mm256_xor_si256(in[0], _mm256_cmpgt_epi16(a, last));
        in[1] = _mm256_xor_si256(in[1], _mm256_cmpgt_epi16(b, last));
        in[2] = _mm256_xor_si256(in[2], _mm256_cmpgt_epi16(c, last));
        in[3] = _mm256_xor_si256(in[3], _mm256_cmpgt_epi16(d, last));
    }
    return mask64_16(in);
}

FN __m256i
piece(const uint8_t *bits, unsigned k, __m256i byte)
{
    const __m128i *p = (const __m128i *)(const void *)bits;
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128(p + k)), byte);
}

/*
 * The bytes of a page by their numbers of seven bits: the lower four choose in each of
 * its eight pieces of 16, the others choose the piece.
 */
FN __m256i
page_bytes(const uint8_t *bits, __m256i byte)
{
    __m256i bit4 = _mm256_slli_epi16(byte, 3), bit5 = _mm256_slli_epi16(byte, 2);
    __m256i a = _mm256_blendv_epi8(piece(bits, 0, byte), piece(bits, 1, byte), bit4);
    __m256i b = _mm256_blendv_epi8(piece(bits, 2, byte), piece(bits, 3, byte), bit4);
    __m256i c = _mm256_blendv_epi8(piece(bits, 4, byte), piece(bits, 5, byte), bit4);
    __m256i d = _mm256_blendv_epi8(piece(bits, 6, byte), piece(bits, 7, byte), bit4);
    a = _mm256_blendv_epi8(a, b, bit5);
    c = _mm256_blendv_epi8(c, d, bit5);
    return _mm256_blendv_epi8(a, c, _mm256_slli_epi16(byte, 1));
}

/* The codes of the one page by its bits, others by the base. */
FN uint32_t
page32(const __m256i *p, const struct pz_bits_table *t)
{
    const __m256i bit = _mm256_set1_epi64x((int64_t)0x8040201008040201u);
    const __m256i seven = _mm256_set1_epi16(7), low = _mm256_set1_epi16(0x7f);
    const uint8_t *bits = (const uint8_t *)t->bit + t->page[0] * (PZ_BITS_PAGE / 8);
    const __m256i a = _mm256_loadu_si256(p), b = _mm256_loadu_si256(p + 1);
    __m256i byte = _mm256_packus_epi16(_mm256_and_si256(_mm256_srli_epi16(a, 3), low),
                                       _mm256_and_si256(_mm256_srli_epi16(b, 3), low));
    __m256i page =
        _mm256_packus_epi16(_mm256_srli_epi16(a, 10), _mm256_srli_epi16(b, 10));
    __m256i mask = _mm256_shuffle_epi8(
        bit, _mm256_packus_epi16(_mm256_and_si256(a, seven), _mm256_and_si256(b, seven)));
    __m256i own = _mm256_cmpeq_epi8(page, _mm256_set1_epi8((char)t->page[0]));
    __m256i found = _mm256_blendv_epi8(_mm256_set1_epi8(t->base ? -1 : 0),
                                       page_bytes(bits, byte), own);
    __m256i hit = _mm256_cmpeq_epi8(_mm256_and_si256(found, mask), mask);
    return (uint32_t)_mm256_movemask_epi8(_mm256_permute4x64_epi64(hit, 0xd8));
}

/* The 32-bit words of eight codes, their bits moved to the sign. Fetched one by one,
 * which is quicker than gathering: the numbers of four are cut out of 64 bits at once. */
FN __m256i
words8(const char *p, const int32_t *word)
{
    const uint64_t number = 0x07ff07ff07ff07ffu;
    uint64_t a, b;
    memcpy(&a, p, sizeof a);
    memcpy(&b, p + 8, sizeof b);
    a = a >> 5 & number;
    b = b >> 5 & number;
    __m256i found = _mm256_setr_epi32(
        word[a & 0xffff], word[a >> 16 & 0xffff], word[a >> 32 & 0xffff], word[a >> 48],
        word[b & 0xffff], word[b >> 16 & 0xffff], word[b >> 32 & 0xffff], word[b >> 48]);
    __m256i code =
        _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));
    return _mm256_sllv_epi32(found, _mm256_andnot_si256(code, _mm256_set1_epi32(31)));
}

FN uint32_t
words32(const __m256i *rows, const struct pz_bits_table *t)
{
    const int32_t *word = (const int32_t *)(const void *)t->bit;
    const char *p = (const char *)rows;
    __m256i ab = _mm256_packs_epi32(words8(p, word), words8(p + 16, word));
    __m256i cd = _mm256_packs_epi32(words8(p + 32, word), words8(p + 48, word));
    __m256i in = _mm256_packs_epi16(ab, cd); // a, b, c, d halved, by fours
    in = _mm256_permutevar8x32_epi32(in, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    return (uint32_t)_mm256_movemask_epi8(in);
}

PZ_TARGET_AVX2 static void
codes_u16(const void *rows, size_t n, const struct pz_bits_table *t, uint64_t *out)
{
    const __m256i *p = rows;
    if (t->listed) {
        for (size_t k = 0; k < n; k++)
            out[k] = few_u16(p + 4 * k, t);
    } else if (t->n_bounds <= PZ_BITS_BOUNDS) {
        for (size_t k = 0; k < n; k++)
            out[k] = bounds_u16(p + 4 * k, t);
    } else if (t->byte) {
        pz_bits_u16_bytes(rows, n, t, out);
    } else if (t->n_pages <= 1) {
        for (size_t k = 0; k < n; k++)
            out[k] = page32(p + 4 * k, t) | (uint64_t)page32(p + 4 * k + 2, t) << 32;
    } else {
        for (size_t k = 0; k < n; k++)
            out[k] = words32(p + 4 * k, t) | (uint64_t)words32(p + 4 * k + 2, t) << 32;
    }
}

/* Codes of four bytes by gathers; `last` is the greatest that the table has. */
PZ_TARGET_AVX2 static uint64_t
gather_u32(const __m256i *p, const struct pz_bits_table *t, __m256i last)
{
    uint64_t w = 0;
    for (unsigned i = 0; i < 8; i++) {
        __m256i code = _mm256_loadu_si256(p + i);
        __m256i safe = _mm256_min_epu32(code, last);
        uint32_t in = (uint32_t)_mm256_movemask_ps(
            _mm256_castsi256_ps(_mm256_cmpeq_epi32(code, safe)));
        w |= (uint64_t)(lookup8(safe, t) & in) << 8 * i;
    }
    return w;
}

PZ_TARGET_AVX2 static void
codes_u32(const void *rows, size_t n, const struct pz_bits_table *t, uint64_t *out)
{
    const __m256i *p = rows;
    if (t->listed && !t->inverted) {
        for (size_t k = 0; k < n; k++)
            out[k] = few_u32(p + 8 * k, t);
    } else if (t->n_codes == 0 || t->n_codes > INT32_MAX) {
        pz_bits_scalar.codes_u32(rows, n, t, out);
    } else {
        const __m256i last = _mm256_set1_epi32((int)(t->n_codes - 1));
        for (size_t k = 0; k < n; k++)
            out[k] = gather_u32(p + 8 * k, t, last);
    }
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
