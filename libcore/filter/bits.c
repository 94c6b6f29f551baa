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

/* ---- tables ---- */

static uint64_t
table_codes(const struct pz_column *col)
{
    return col->dtype == PZ_U8 ? 256 : col->dtype == PZ_U16 ? 65536 : col->dict.n;
}

static void
set_code(struct pz_bits_table *t, uint64_t code)
{
    t->bit[code / 64] |= (uint64_t)1 << code % 64;
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
    for (uint64_t code = 0; t->listed && code < t->n_codes; code++)
        if ((t->bit[code / 64] >> code % 64 & 1) != t->inverted)
            t->few[t->n_few++] = (uint32_t)code;
    t->n_words = t->n_codes / 64;
    uint64_t last = t->n_words ? t->bit[t->n_words - 1] : 0;
    t->beyond = last == UINT64_MAX;
    if (last && !t->beyond)
        return;
    while (t->n_words && t->bit[t->n_words - 1] == last)
        t->n_words--;
}

int
pz_bits_table(struct pz_bits_table **table, const struct pz_leaf *leaf,
              const struct pz_operand *o, struct pz_err *err)
{
    const struct pz_column *col = leaf->ref.col;
    uint64_t n_codes = table_codes(col);
    struct pz_bits_table *t;
    if (pz_new(table, sizeof *t + (size_t)(n_codes / 64 + 1) * sizeof *t->bit, 1,
               "a filter's table", err))
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

static uint64_t
codes_u8(const void *rows, const struct pz_bits_table *t)
{
    const uint8_t *code = rows;
    uint64_t w = 0;
    for (unsigned i = 0; i < 64; i++)
        w |= (uint64_t)table_bit(t, code[i]) << i;
    return w;
}

static uint64_t
codes_u16(const void *rows, const struct pz_bits_table *t)
{
    const uint16_t *code = rows;
    uint64_t w = 0;
    for (unsigned i = 0; i < 64; i++)
        w |= (uint64_t)table_bit(t, code[i]) << i;
    return w;
}

static uint64_t
codes_u32(const void *rows, const struct pz_bits_table *t)
{
    const uint32_t *code = rows;
    uint64_t w = 0;
    for (unsigned i = 0; i < 64; i++)
        w |= (uint64_t)(code[i] < t->n_codes && table_bit(t, code[i])) << i;
    return w;
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
    bool one_pass = !text && o->n_ranges <= sizeof few / sizeof *few;
    for (size_t k = 0; one_pass && k < o->n_ranges; k++)
        n_few += limits(&few[n_few], col->dtype, &o->range[k]);
    for (size_t i = 0; i < n_words; i++) {
        size_t left = n - i * 64;
        uint64_t w = 0, at = first + i * 64;
        const void *rows = rows_at(col->data, size, at, left, copy);
        if (text) {
            w = codes(rows, table);
        } else {
            struct pz_blimits l;
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
