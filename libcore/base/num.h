/*
 * num: strict numbers. Every number that enters or leaves pz as text passes here, so
 * that trailing garbage, overflow, NaN and locales are decided in one place.
 */
#ifndef PZ_BASE_NUM_H
#define PZ_BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PZ_NUM_TEXT 32 // room for any formatted number and its NUL

enum pz_num {
    PZ_NUM_OK = 0,
    PZ_NUM_EMPTY,    // no characters
    PZ_NUM_GARBAGE,  // not a number, or something behind it
    PZ_NUM_RANGE,    // does not fit
    PZ_NUM_FRACTION, // a number, but not a whole one (pz_parse_i64 only)
};

/* The whole of s[0..n), optional sign, decimal digits only. */
enum pz_num pz_parse_i64(const char *s, size_t n, int64_t *out);

/*
 * Eight digits at once: pairs, then fours, then all are combined by multiplications whose
 * partial products stand side by side in one 64-bit word. False when one is no digit.
 */
static inline bool
pz_eight_digits(const char *s, uint64_t *out)
{
    uint64_t x;
    memcpy(&x, s, 8);
    x -= 0x3030303030303030u;
    if ((x | (x + 0x7676767676767676u)) & 0x8080808080808080u)
        return false;
    x = (x * 10 + (x >> 8)) & 0x00ff00ff00ff00ffu;
    x = (x * 100 + (x >> 16)) & 0x0000ffff0000ffffu;
    *out = (x * 10000 + (x >> 32)) & 0xffffffffu;
    return true;
}

/* Decimal with optional fraction and exponent; finite; no hexadecimal, no "nan", no
 * "inf". */
enum pz_num pz_parse_f64(const char *s, size_t n, double *out);

/*
 * A number as people write it, as the functions above read it, into out; the length of
 * that, 0 when it is none or does not fit. `decimal` is '.' or ',' and stands before the
 * fraction; the other one, an apostrophe, or a blank (U+0020, U+00A0, U+202F) may stand
 * between groups of three digits.
 */
size_t pz_num_plain(char *out, size_t cap, const char *s, size_t n, char decimal);

/* Bytes: digits and an optional K, M, G or T (powers of 1024). */
enum pz_num pz_parse_size(const char *s, size_t n, uint64_t *out);

/* "is empty", "is not a number", ... for messages. */
const char *pz_num_text(enum pz_num n);

/* Each writes at most PZ_NUM_TEXT bytes with NUL and returns the length. */
size_t pz_format_i64(char *out, int64_t v);
size_t pz_format_f64(char *out, double v); // shortest text that reads back as v
/* The same for f32; not always the shortest below 1e-38 or above 2^24. No exponent from
 * 1e-10 to 1e15. */
size_t pz_format_f32(char *out, float v);

#endif
