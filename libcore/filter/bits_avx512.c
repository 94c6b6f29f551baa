/*
 * bits_avx512: two-byte codes looked up in registers, with AVX-512 VBMI: a
 * shuffle of two registers finds a byte in 128, which hold the bits of 1,024 codes.
 */
#ifdef __x86_64__

#include <immintrin.h>

#include "base/cpu.h"
#include "filter/bits.h"

/* So many pages take about as long as looking up bytes. */
enum { PAGES = 16 };

static const uint8_t evens[64] = {
    0,  2,  4,   6,   8,   10,  12,  14,  16,  18,  20,  22,  24,  26,  28,  30,
    32, 34, 36,  38,  40,  42,  44,  46,  48,  50,  52,  54,  56,  58,  60,  62,
    64, 66, 68,  70,  72,  74,  76,  78,  80,  82,  84,  86,  88,  90,  92,  94,
    96, 98, 100, 102, 104, 106, 108, 110, 112, 114, 116, 118, 120, 122, 124, 126};

#define VBMI __attribute__((target(PZ_AVX512_FEATURES ",avx512vbmi")))

VBMI static uint64_t
pages64(const __m512i *p, const struct pz_bits_table *t)
{
    const __m512i bit = _mm512_set1_epi64((long long)0x8040201008040201u);
    const __m512i a = _mm512_loadu_si512(p), b = _mm512_loadu_si512(p + 1);
    // The even bytes of two registers, and the odd ones.
    const __m512i even = _mm512_loadu_si512(evens);
    const __m512i odd = _mm512_or_si512(even, _mm512_set1_epi8(1));
    __m512i byte =
        _mm512_permutex2var_epi8(_mm512_srli_epi16(a, 3), even, _mm512_srli_epi16(b, 3));
    __m512i page = _mm512_and_si512(
        _mm512_srli_epi16(_mm512_permutex2var_epi8(a, odd, b), 2), _mm512_set1_epi8(63));
    __m512i mask = _mm512_shuffle_epi8(
        bit, _mm512_and_si512(_mm512_permutex2var_epi8(a, even, b), _mm512_set1_epi8(7)));
    __m512i found = _mm512_set1_epi8(t->base ? -1 : 0);
    for (uint32_t k = 0; k < t->n_pages; k++) {
        const __m512i *table = (const __m512i *)(const void *)t->bit + 2 * t->page[k];
        __mmask64 own = _mm512_cmpeq_epi8_mask(page, _mm512_set1_epi8((char)t->page[k]));
        __m512i bits = _mm512_permutex2var_epi8(_mm512_loadu_si512(table), byte,
                                                _mm512_loadu_si512(table + 1));
        found = _mm512_mask_mov_epi8(found, own, bits);
    }
    return _mm512_test_epi8_mask(found, mask);
}

VBMI void
pz_bits_u16_vbmi(const void *rows, size_t n, const struct pz_bits_table *t, uint64_t *out)
{
    if (t->listed || t->n_pages > PAGES) {
        pz_bits_avx2.codes_u16(rows, n, t, out);
        return;
    }
    for (size_t k = 0; k < n; k++)
        out[k] = pages64((const __m512i *)rows + 2 * k, t);
}

#else
extern int pz_bits_avx512_unused; // a translation unit must not be empty
#endif
