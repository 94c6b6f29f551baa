/*
 * bits: what bits.c and its faster twins share. An operation looks at 64 rows, or 64
 * times n, and makes a word of each 64. The scalar bodies are the definition.
 */
#ifndef PZ_FILTER_BITS_H
#define PZ_FILTER_BITS_H

#include "filter/program.h"

/* A range in the column's own type, ends included. */
struct pz_blimits {
    union {
        uint8_t u8;
        uint16_t u16;
        uint32_t u32;
        int32_t i32;
        int64_t i64;
        float f32;
        double f64;
    } lo, hi;
};

typedef void (*pz_codes_fn)(const void *rows, size_t n, const struct pz_bits_table *t,
                            uint64_t *out);
typedef uint64_t (*pz_range_fn)(const void *rows, const struct pz_blimits *l);

struct pz_bits_ops {
    pz_codes_fn codes_u8, codes_u16, codes_u32; // bit of the code in the table
    uint64_t (*bytes_set)(const uint8_t *byte); // byte[i] != 0
    pz_range_fn range[PZ_N_DTYPES];             // lo <= row <= hi
};

extern const struct pz_bits_ops pz_bits_scalar;
/* Two-byte codes with t->byte. */
void pz_bits_u16_bytes(const void *rows, size_t n, const struct pz_bits_table *t,
                       uint64_t *out);
#ifdef __x86_64__
extern const struct pz_bits_ops pz_bits_avx2;
/* codes_u16 for the AVX512 level with AVX-512 VBMI besides. */
void pz_bits_u16_vbmi(const void *rows, size_t n, const struct pz_bits_table *t,
                      uint64_t *out);
#endif

#endif
