#include "data/csv_scan.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* What 64 bytes hold, bit i for byte i. */
struct masks {
    uint64_t separator; // between fields, and '\n'
    uint64_t newline;
    uint64_t special; // '"', '\\' and NUL
    uint64_t high;
};

/* ---- SWAR: eight bytes in a word ---- */

static uint64_t
load_word(const char *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

/* 0x80 in each byte of w that equals c: exact, as no carry leaves a byte. */
static uint64_t
equal_bytes(uint64_t w, unsigned char c)
{
    const uint64_t low = 0x7f7f7f7f7f7f7f7fu;
    uint64_t x = w ^ (0x0101010101010101u * c);
    return ~(((x & low) + low) | x | low);
}

/* Bit i is the top bit of byte i. */
static uint64_t
gather_bits(uint64_t tops)
{
    return ((tops >> 7) * 0x0102040810204080u) >> 56;
}

static struct masks
masks_swar(const char *p, char delimiter)
{
    struct masks m = {0, 0, 0, 0};
    for (int i = 0; i < 8; i++) {
        uint64_t w = load_word(p + 8 * i), newline = equal_bytes(w, '\n');
        m.newline |= gather_bits(newline) << 8 * i;
        m.separator |= gather_bits(newline | equal_bytes(w, (unsigned char)delimiter))
                       << 8 * i;
        uint64_t quote = equal_bytes(w, '"') | equal_bytes(w, '\\');
        m.special |= gather_bits(quote | equal_bytes(w, 0)) << 8 * i;
        m.high |= gather_bits(w & 0x8080808080808080u) << 8 * i;
    }
    return m;
}

/* ---- the index, built from masks ---- */

static inline __attribute__((always_inline)) void
add_special(struct pz_csv_index *ix, uint64_t special, unsigned at)
{
    for (; special; special &= special - 1)
        ix->special[ix->n_special++] =
            (uint16_t)(at + (unsigned)__builtin_ctzll(special));
}

static void
add_block(struct pz_csv_index *ix, struct masks m, unsigned at)
{
    ix->high |= m.high != 0;
    add_special(ix, m.special, at);
    for (; m.separator; m.separator &= m.separator - 1) {
        unsigned bit = (unsigned)__builtin_ctzll(m.separator);
        if (m.newline >> bit & 1)
            ix->row[ix->n_rows++] = (uint16_t)ix->n_fields;
        ix->begin[++ix->n_fields] = (uint16_t)(at + bit + 1);
    }
}

/* The last bytes of a batch, padded with what no mask shows: a blank separates nothing.
 */
static const char *
pad_block(char block[64], const char *data, size_t n)
{
    memset(block, ' ', 64);
    memcpy(block, data, n);
    return block;
}

static void
index_swar(struct pz_csv_index *ix, const char *data, size_t n, char delimiter)
{
    char last[64];
    unsigned at = 0;
    for (; at + 64 <= n; at += 64)
        add_block(ix, masks_swar(data + at, delimiter), at);
    if (at < n)
        add_block(ix, masks_swar(pad_block(last, data + at, n - at), delimiter), at);
}

static size_t
count_swar(const char *data, size_t n)
{
    size_t lines = 0, i = 0;
    for (; i + 8 <= n; i += 8)
        lines += (size_t)__builtin_popcountll(equal_bytes(load_word(data + i), '\n'));
    for (; i < n; i++)
        lines += data[i] == '\n';
    return lines;
}

#if defined(__x86_64__)

/* ---- AVX2 ---- */

PZ_TARGET_AVX2 static inline uint64_t
equal_avx2(__m256i lo, __m256i hi, char c)
{
    __m256i want = _mm256_set1_epi8(c);
    uint64_t a = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(lo, want));
    uint64_t b = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(hi, want));
    return a | b << 32;
}

PZ_TARGET_AVX2 static inline struct masks
masks_avx2(const char *p, char delimiter)
{
    __m256i lo = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i hi = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
    struct masks m;
    m.newline = equal_avx2(lo, hi, '\n');
    m.separator = m.newline | equal_avx2(lo, hi, delimiter);
    m.special =
        equal_avx2(lo, hi, '"') | equal_avx2(lo, hi, '\\') | equal_avx2(lo, hi, 0);
    m.high = (uint64_t)(uint32_t)_mm256_movemask_epi8(lo) |
             (uint64_t)(uint32_t)_mm256_movemask_epi8(hi) << 32;
    return m;
}

/*
 * The offsets of the bits of `bits`, plus `add`, to out. The number of separators in 64
 * bytes cannot be predicted but is seldom over `likely`: so many are stored without a
 * branch on each. Writes up to 64 entries whatever the count.
 */
PZ_TARGET_AVX2 static inline __attribute__((always_inline)) unsigned
add_bits_avx2(uint16_t *out, uint64_t bits, unsigned add, unsigned likely)
{
    unsigned n = (unsigned)__builtin_popcountll(bits);
    for (unsigned i = 0; i < likely; i++, bits = _blsr_u64(bits))
        out[i] = (uint16_t)(add + (unsigned)_tzcnt_u64(bits));
    for (unsigned i = likely; __builtin_expect(i < n, 0); i++, bits = _blsr_u64(bits))
        out[i] = (uint16_t)(add + (unsigned)_tzcnt_u64(bits));
    return n;
}

PZ_TARGET_AVX2 static inline void
add_block_avx2(struct pz_csv_index *ix, struct masks m, unsigned at)
{
    ix->high |= m.high != 0;
    if (__builtin_expect(m.special != 0, 0))
        add_special(ix, m.special, at);
    ix->n_rows += add_bits_avx2(ix->row + ix->n_rows, _pext_u64(m.newline, m.separator),
                                ix->n_fields, 4);
    ix->n_fields += add_bits_avx2(ix->begin + ix->n_fields + 1, m.separator, at + 1, 12);
}

PZ_TARGET_AVX2 static void
index_avx2(struct pz_csv_index *ix, const char *data, size_t n, char delimiter)
{
    char last[64];
    unsigned at = 0;
    for (; at + 64 <= n; at += 64)
        add_block_avx2(ix, masks_avx2(data + at, delimiter), at);
    if (at < n)
        add_block_avx2(ix, masks_avx2(pad_block(last, data + at, n - at), delimiter), at);
}

PZ_TARGET_AVX2 static size_t
count_avx2(const char *data, size_t n)
{
    size_t lines = 0, i = 0;
    const __m256i want = _mm256_set1_epi8('\n');
    for (; i + 32 <= n; i += 32) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(data + i));
        lines += (size_t)__builtin_popcount(
            (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, want)));
    }
    return lines + count_swar(data + i, n - i);
}

/* ---- AVX-512 ---- */

#define TARGET_VBMI2 __attribute__((target(PZ_AVX512_FEATURES ",avx512vbmi2")))

TARGET_VBMI2 static inline struct masks
masks_avx512(const char *p, char delimiter)
{
    __m512i v = _mm512_loadu_si512(p);
    struct masks m;
    m.newline = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\n'));
    m.separator = m.newline | _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(delimiter));
    __mmask64 quote = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('"'));
    __mmask64 slash = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\\'));
    m.special = quote | slash | _mm512_testn_epi8_mask(v, v);
    m.high = _mm512_movepi8_mask(v);
    return m;
}

static const uint8_t ramp[64] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
                                 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
                                 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38,
                                 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51,
                                 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};

/* As add_bits_avx2: the numbers 0 to 63 are compressed by the mask. */
TARGET_VBMI2 static inline unsigned
add_bits_avx512(uint16_t *out, uint64_t bits, unsigned add)
{
    unsigned n = (unsigned)__builtin_popcountll(bits);
    __m512i offset = _mm512_maskz_compress_epi8(bits, _mm512_loadu_si512(ramp));
    __m512i base = _mm512_set1_epi16((short)add);
    __m512i lo = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(offset));
    _mm512_storeu_si512(out, _mm512_add_epi16(lo, base));
    if (__builtin_expect(n > 32, 0)) {
        __m512i hi = _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(offset, 1));
        _mm512_storeu_si512(out + 32, _mm512_add_epi16(hi, base));
    }
    return n;
}

TARGET_VBMI2 static inline void
add_block_avx512(struct pz_csv_index *ix, struct masks m, unsigned at)
{
    ix->high |= m.high != 0;
    if (__builtin_expect(m.special != 0, 0))
        add_special(ix, m.special, at);
    ix->n_rows += add_bits_avx512(ix->row + ix->n_rows, _pext_u64(m.newline, m.separator),
                                  ix->n_fields);
    ix->n_fields += add_bits_avx512(ix->begin + ix->n_fields + 1, m.separator, at + 1);
}

TARGET_VBMI2 static void
index_avx512(struct pz_csv_index *ix, const char *data, size_t n, char delimiter)
{
    char last[64];
    unsigned at = 0;
    for (; at + 64 <= n; at += 64)
        add_block_avx512(ix, masks_avx512(data + at, delimiter), at);
    if (at < n)
        add_block_avx512(ix, masks_avx512(pad_block(last, data + at, n - at), delimiter),
                         at);
}

PZ_TARGET_AVX512 static size_t
count_avx512(const char *data, size_t n)
{
    size_t lines = 0, i = 0;
    const __m512i want = _mm512_set1_epi8('\n');
    for (; i + 64 <= n; i += 64)
        lines += (size_t)__builtin_popcountll(
            _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(data + i), want));
    return lines + count_swar(data + i, n - i);
}

/* Byte compression is younger than the rest of the level. */
static bool
has_vbmi2(void)
{
    return __builtin_cpu_supports("avx512vbmi2");
}

#endif

/* ---- choice ---- */

void
pz_csv_index(struct pz_csv_index *ix, const char *data, size_t n, char delimiter,
             enum pz_cpu cpu)
{
    ix->n_fields = ix->n_rows = ix->n_special = 0;
    ix->high = false;
    ix->begin[0] = 0;
#if defined(__x86_64__)
    if (cpu == PZ_CPU_AVX512 && has_vbmi2())
        index_avx512(ix, data, n, delimiter);
    else if (cpu >= PZ_CPU_AVX2)
        index_avx2(ix, data, n, delimiter);
    else
#endif
        index_swar(ix, data, n, delimiter);
    (void)cpu;
    ix->special[ix->n_special] = UINT16_MAX;
}

size_t
pz_count_lines(const char *data, size_t n, enum pz_cpu cpu)
{
#if defined(__x86_64__)
    if (cpu == PZ_CPU_AVX512)
        return count_avx512(data, n);
    if (cpu >= PZ_CPU_AVX2)
        return count_avx2(data, n);
#endif
    (void)cpu;
    return count_swar(data, n);
}
