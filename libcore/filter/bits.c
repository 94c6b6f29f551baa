/*
 * bits: a column -> a bit per row. Sixty-four rows make a word; the last one is filled up
 * from a copy, so that the loops below always have whole words.
 */
#include "filter/bits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"

enum {
    TWO_BYTES = 65536,
    BYTE_PAGES = 16, // whose bytes stay in the first cache with all else
};

/* ---- tables ---- */

static uint64_t
table_codes(const struct pz_column *col)
{
    return col->dtype == PZ_U8 ? 256 : col->dtype == PZ_U16 ? TWO_BYTES : col->dict.n;
}

static void
set_code(struct pz_bits_table *t, uint64_t code)
{
    t->bit[code / 64] |= (uint64_t)1 << code % 64;
}

size_t
pz_bits_table_size(uint64_t n_codes)
{
    size_t bytes = n_codes == TWO_BYTES ? TWO_BYTES : 0;
    return sizeof(struct pz_bits_table) + (size_t)(n_codes / 64 + 1) * 8 + bytes;
}

/* Codes in order whose bit differs from the one before, as far as there is room. */
static void
list_bounds(struct pz_bits_table *t)
{
    uint64_t before = t->first = t->bit[0] & 1;
    t->n_bounds = 0;
    for (uint64_t i = 0; i < t->n_codes / 64; i++) {
        uint64_t turns = t->bit[i] ^ (t->bit[i] << 1 | before);
        before = t->bit[i] >> 63;
        for (; turns; turns &= turns - 1) {
            if (t->n_bounds++ == PZ_BITS_BOUNDS)
                return;
            t->bound[t->n_bounds - 1] =
                (uint16_t)(64 * i + (uint64_t)__builtin_ctzll(turns));
        }
    }
}

/* All bits alike make a page that need not be looked into; the more frequent sort is the
 * base. */
static void
list_pages(struct pz_bits_table *t)
{
    enum { WORDS = PZ_BITS_PAGE / 64 };
    enum sort { MIXED, ZEROS, ONES, N_SORTS } sort[PZ_BITS_PAGES];
    unsigned n[N_SORTS] = {0};
    for (size_t p = 0; p < PZ_BITS_PAGES; p++) {
        const uint64_t *w = t->bit + p * WORDS;
        uint64_t all = UINT64_MAX, any = 0;
        for (size_t i = 0; i < WORDS; i++) {
            all &= w[i];
            any |= w[i];
        }
        sort[p] = !any ? ZEROS : all == UINT64_MAX ? ONES : MIXED;
        n[sort[p]]++;
    }
    t->base = n[ONES] > n[ZEROS];
    t->n_pages = 0;
    for (size_t p = 0; p < PZ_BITS_PAGES; p++)
        if (sort[p] != (t->base ? ONES : ZEROS))
            t->page[t->n_pages++] = (uint8_t)p;
}

static void
make_bytes(struct pz_bits_table *t)
{
    t->byte = (uint8_t *)(t->bit + TWO_BYTES / 64 + 1);
    for (size_t i = 0; i < TWO_BYTES / 8; i++) {
        // Eight bits, each to the lowest of its byte: no two of the copies that the
        // product adds meet.
        uint64_t x = t->bit[i / 8] >> i % 8 * 8 & 0xff;
        x = ((x & 0x7f) * 0x02040810204081u & 0x0101010101010101u) | x >> 7 << 56;
        memcpy(t->byte + 8 * i, &x, 8);
    }
}

void
pz_bits_list(struct pz_bits_table *t)
{
    uint64_t ones = 0;
    for (uint64_t i = 0; i < t->n_codes / 64 + 1; i++)
        ones += (uint64_t)__builtin_popcountll(t->bit[i]);
    t->n_few = 0;
    t->inverted = ones > PZ_BITS_FEW;
    t->listed = ones <= PZ_BITS_FEW || t->n_codes - ones <= PZ_BITS_FEW;
    for (uint64_t i = 0; t->listed && i < t->n_codes / 64 + 1; i++) {
        uint64_t w = t->inverted ? ~t->bit[i] : t->bit[i];
        for (; w && 64 * i + (uint64_t)__builtin_ctzll(w) < t->n_codes; w &= w - 1)
            t->few[t->n_few++] = (uint32_t)(64 * i + (uint64_t)__builtin_ctzll(w));
    }
    t->byte = NULL;
    if (t->listed || t->n_codes != TWO_BYTES)
        return;
    list_bounds(t);
    list_pages(t);
    if (t->n_bounds > PZ_BITS_BOUNDS && t->n_pages > 1 && t->n_pages <= BYTE_PAGES)
        make_bytes(t);
}

int
pz_bits_table(struct pz_bits_table **table, const struct pz_leaf *leaf,
              const struct pz_operand *o, struct pz_err *err)
{
    const struct pz_column *col = leaf->ref.col;
    uint64_t n_codes = table_codes(col);
    struct pz_bits_table *t;
    if (pz_new(table, pz_bits_table_size(n_codes), 1, "a filter's table", err))
        return err->status;
    t = *table;
    t->n_codes = n_codes;
    if (!leaf->ref.multi && !leaf->ref.fold && !leaf->negate) {
        for (size_t i = 0; i < o->n_texts; i++) { // the few values in the many codes
            uint32_t code = pz_ids_find(&col->dict, o->text[i].s, o->text[i].n);
            if (code < n_codes)
                set_code(t, code);
        }
    } else {
        for (uint64_t code = 0; code < col->dict.n && code < n_codes; code++) {
            size_t n;
            const char *s = pz_ids_get(&col->dict, (uint32_t)code, &n);
            if (s && pz_operand_meets(o, &leaf->ref, s, n) != leaf->negate)
                set_code(t, code);
        }
    }
    // Codes that the dictionary has not are damage: as if missing.
    for (uint64_t code = col->dict.n; leaf->null == PZ_YES && code < n_codes; code++)
        set_code(t, code);
    pz_bits_list(t);
    return PZ_OK;
}

/* ---- words, one row after the other ---- */

static bool
table_bit(const struct pz_bits_table *t, uint64_t code)
{
    return t->bit[code / 64] >> code % 64 & 1;
}

/* 64 codes at p into a word. */
#define CODES(NAME, TYPE, IN)                                                            \
    static void NAME(const void *rows, size_t n, const struct pz_bits_table *t,          \
                     uint64_t *out)                                                      \
    {                                                                                    \
        const TYPE *code = rows;                                                         \
        for (size_t k = 0; k < n; k++, code += 64) {                                     \
            uint64_t w = 0;                                                              \
            for (unsigned i = 0; i < 64; i++)                                            \
                w |= (uint64_t)(IN) << i;                                                \
            out[k] = w;                                                                  \
        }                                                                                \
    }
CODES(codes_u8, uint8_t, table_bit(t, code[i]))
CODES(codes_u16, uint16_t, table_bit(t, code[i]))
CODES(codes_u32, uint32_t, code[i] < t->n_codes && table_bit(t, code[i]))

/*
 * As much time goes into reading codes as into reading their bytes, so half of the codes
 * are read by twos.
 */
static uint64_t
bytes64(const char *p, const uint8_t *byte)
{
    uint64_t w = 0;
#pragma GCC unroll 4
    for (int j = 3; j >= 0; j--) {
        uint32_t lo = 0, hi = 0;
#pragma GCC unroll 4
        for (int i = 3; i >= 0; i--) {
            uint32_t two;
            uint16_t a, b;
            memcpy(&two, p + 32 * j + 4 * i, sizeof two);
            memcpy(&a, p + 32 * j + 16 + 4 * i, sizeof a);
            memcpy(&b, p + 32 * j + 18 + 4 * i, sizeof b);
            lo = 2 * lo + byte[two >> 16];
            lo = 2 * lo + byte[two & 0xffff];
            hi = 2 * hi + byte[b];
            hi = 2 * hi + byte[a];
        }
        w = w << 16 | hi << 8 | lo;
    }
    return w;
}

void
pz_bits_u16_bytes(const void *rows, size_t n, const struct pz_bits_table *t,
                  uint64_t *out)
{
    const uint8_t *byte = t->byte;
    for (size_t k = 0; k < n; k++)
        out[k] = bytes64((const char *)rows + 128 * k, byte);
}

static uint64_t
bytes_set(const uint8_t *byte)
{
    uint64_t w = 0;
    for (unsigned i = 0; i < 64; i++)
        w |= (uint64_t)(byte[i] != 0) << i;
    return w;
}

#define RANGE(NAME, TYPE, LIMIT)                                                         \
    static uint64_t NAME(const void *rows, const struct pz_blimits *l)                   \
    {                                                                                    \
        const TYPE *x = rows;                                                            \
        uint64_t w = 0;                                                                  \
        for (unsigned i = 0; i < 64; i++)                                                \
            w |= (uint64_t)(x[i] >= l->lo.LIMIT && x[i] <= l->hi.LIMIT) << i;            \
        return w;                                                                        \
    }
RANGE(range_u8, uint8_t, u8)
RANGE(range_u16, uint16_t, u16)
RANGE(range_u32, uint32_t, u32)
RANGE(range_i32, int32_t, i32)
RANGE(range_i64, int64_t, i64)
RANGE(range_f32, float, f32)
RANGE(range_f64, double, f64)

const struct pz_bits_ops pz_bits_scalar = {
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

/* ---- ranges in the column's type ---- */

/* [lo, hi] cut to what the type holds; false: nothing is left. */
static bool
clamp(const struct pz_frange *r, int64_t min, int64_t max, int64_t *lo, int64_t *hi)
{
    *lo = r->lo > min ? r->lo : min;
    *hi = r->hi < max ? r->hi : max;
    return *lo <= *hi;
}

/* The least float >= x, the greatest <= x. */
static float
float_up(double x)
{
    float f = (float)x;
    return (double)f < x ? nextafterf(f, HUGE_VALF) : f;
}

static float
float_down(double x)
{
    float f = (float)x;
    return (double)f > x ? nextafterf(f, -HUGE_VALF) : f;
}

static bool
limits(struct pz_blimits *l, enum pz_dtype dtype, const struct pz_frange *r)
{
    int64_t lo, hi;
    switch (dtype) {
    case PZ_U8:
        if (!clamp(r, 0, UINT8_MAX, &lo, &hi))
            return false;
        l->lo.u8 = (uint8_t)lo;
        l->hi.u8 = (uint8_t)hi;
        return true;
    case PZ_U16:
        if (!clamp(r, 0, UINT16_MAX, &lo, &hi))
            return false;
        l->lo.u16 = (uint16_t)lo;
        l->hi.u16 = (uint16_t)hi;
        return true;
    case PZ_U32:
        if (!clamp(r, 0, UINT32_MAX, &lo, &hi))
            return false;
        l->lo.u32 = (uint32_t)lo;
        l->hi.u32 = (uint32_t)hi;
        return true;
    case PZ_I32:
        if (!clamp(r, INT32_MIN, INT32_MAX, &lo, &hi))
            return false;
        l->lo.i32 = (int32_t)lo;
        l->hi.i32 = (int32_t)hi;
        return true;
    case PZ_I64:
        l->lo.i64 = r->lo;
        l->hi.i64 = r->hi;
        return r->lo <= r->hi;
    case PZ_F32:
        l->lo.f32 = float_up(r->flo);
        l->hi.f32 = float_down(r->fhi);
        return true;
    default:
        l->lo.f64 = r->flo;
        l->hi.f64 = r->fhi;
        return true;
    }
}

/* ---- leaves ---- */

static const struct pz_bits_ops *
ops(void)
{
#ifdef __x86_64__
    if (pz_cpu() >= PZ_CPU_AVX2)
        return &pz_bits_avx2;
#endif
    return &pz_bits_scalar;
}

/* How codes of this type are looked up. */
static pz_codes_fn
codes_of(const struct pz_bits_ops *op, enum pz_dtype dtype)
{
#ifdef __x86_64__
    if (dtype == PZ_U16 && pz_cpu() >= PZ_CPU_AVX512 &&
        __builtin_cpu_supports("avx512vbmi"))
        return pz_bits_u16_vbmi;
#endif
    return dtype == PZ_U8    ? op->codes_u8
           : dtype == PZ_U16 ? op->codes_u16
                             : op->codes_u32;
}

/* Row `first` of the column as a pointer to 64 of them: short ends are copied. */
static const void *
rows_at(const void *data, size_t size, uint64_t first, size_t n, void *copy)
{
    const char *p = (const char *)data + first * size;
    if (n >= 64)
        return p;
    memset(copy, 0, 64 * size);
    memcpy(copy, p, n * size);
    return copy;
}

void
pz_bits_leaf(const struct pz_leaf *leaf, const struct pz_operand *o,
             const struct pz_bits_table *table, uint64_t first, size_t n, uint64_t *out)
{
    const struct pz_column *col = leaf->ref.col;
    const struct pz_bits_ops *op = ops();
    size_t size = pz_dtype_size(col->dtype), n_words = (n + 63) / 64;
    uint64_t copy[64];
    bool text = leaf->ref.class == PZ_CLASS_TEXT;
    pz_codes_fn codes = codes_of(op, col->dtype);
    struct pz_blimits few[4];
    size_t n_few = 0;
    if (o->null && leaf->op < PZ_F_IN) {
        memset(out, 0, n_words * sizeof *out);
        return;
    }
    if (text) {
        codes(rows_at(col->data, size, first, 64, copy), n / 64, table, out);
        if (n % 64)
            codes(rows_at(col->data, size, first + n / 64 * 64, n % 64, copy), 1, table,
                  out + n / 64);
    }
    bool one_pass = o->n_ranges <= sizeof few / sizeof *few;
    for (size_t k = 0; one_pass && k < o->n_ranges; k++)
        n_few += limits(&few[n_few], col->dtype, &o->range[k]);
    for (size_t i = 0; i < n_words; i++) {
        size_t left = n - i * 64;
        uint64_t w = text ? out[i] : 0, at = first + i * 64;
        if (!text) {
            struct pz_blimits l;
            const void *rows = rows_at(col->data, size, at, left, copy);
            for (size_t k = 0; k < n_few; k++)
                w |= op->range[col->dtype](rows, &few[k]);
            for (size_t k = 0; !one_pass && k < o->n_ranges; k++)
                if (limits(&l, col->dtype, &o->range[k]))
                    w |= op->range[col->dtype](rows, &l);
            if (leaf->negate)
                w = ~w;
        }
        if (col->valid) {
            uint64_t valid = op->bytes_set(rows_at(col->valid, 1, at, left, copy));
            w = (w & valid) | (leaf->null == PZ_YES ? ~valid : 0);
        }
        out[i] = left < 64 ? w & (((uint64_t)1 << left) - 1) : w;
    }
}
