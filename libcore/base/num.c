#include "base/num.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Times and counts: 8 to 16 digits without a sign, the common case by far. */
static inline bool
parse_plain(const char *s, size_t n, int64_t *out)
{
    uint64_t v, tail;
    if (n < 8 || n > 16 || !pz_eight_digits(s, &v))
        return false;
    if (n == 16) {
        if (!pz_eight_digits(s + 8, &tail))
            return false;
        *out = (int64_t)(v * 100000000 + tail);
        return true;
    }
    for (size_t i = 8; i < n; i++) {
        unsigned d = (unsigned)(unsigned char)s[i] - '0';
        if (d > 9)
            return false;
        v = v * 10 + d;
    }
    *out = (int64_t)v;
    return true;
}

enum pz_num
pz_parse_i64(const char *s, size_t n, int64_t *out)
{
    if (n == 0)
        return PZ_NUM_EMPTY;
    if (parse_plain(s, n, out))
        return PZ_NUM_OK;
    size_t i = 0;
    bool neg = s[0] == '-';
    if (s[0] == '-' || s[0] == '+')
        i = 1;
    if (i == n)
        return PZ_NUM_GARBAGE;
    uint64_t v = 0, limit = neg ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    bool big = false;
    for (; i < n; i++) {
        unsigned d = (unsigned)(unsigned char)s[i] - '0';
        if (d > 9) {
            double f;
            enum pz_num r = pz_parse_f64(s, n, &f);
            return r == PZ_NUM_OK ? PZ_NUM_FRACTION : PZ_NUM_GARBAGE;
        }
        if (v > (limit - d) / 10)
            big = true;
        else
            v = v * 10 + d;
    }
    if (big)
        return PZ_NUM_RANGE;
    *out = neg ? (int64_t)(0 - v) : (int64_t)v;
    return PZ_NUM_OK;
}

/* Length of the decimal number at s, 0 when s does not start with one. */
static size_t
decimal_length(const char *s, size_t n)
{
    size_t i = 0, digits = 0;
    if (i < n && (s[i] == '-' || s[i] == '+'))
        i++;
    for (; i < n && s[i] >= '0' && s[i] <= '9'; i++)
        digits++;
    if (i < n && s[i] == '.')
        for (i++; i < n && s[i] >= '0' && s[i] <= '9'; i++)
            digits++;
    if (!digits)
        return 0;
    if (i < n && (s[i] == 'e' || s[i] == 'E')) {
        size_t j = i + 1;
        if (j < n && (s[j] == '-' || s[j] == '+'))
            j++;
        size_t first = j;
        while (j < n && s[j] >= '0' && s[j] <= '9')
            j++;
        if (j > first)
            i = j;
    }
    return i;
}

/*
 * Up to 15 digits and a power of ten up to 22 are exact in a double, so one division
 * or multiplication rounds correctly (Clinger's fast path); the rest goes to strtod.
 */
static bool
parse_short(const char *s, size_t n, double *out)
{
    static const double ten[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    size_t i = 0, digits = 0, after = 0;
    bool neg = false, point = false;
    uint64_t v = 0;
    if (s[0] == '-' || s[0] == '+') {
        neg = s[0] == '-';
        i = 1;
    }
    for (; i < n; i++) {
        if (s[i] == '.') {
            if (point)
                return false;
            point = true;
            continue;
        }
        unsigned d = (unsigned)(unsigned char)s[i] - '0';
        if (d > 9 || ++digits > 15)
            return false;
        after += point;
        v = v * 10 + d;
    }
    if (!digits)
        return false;
    double f = (double)v / ten[after];
    *out = neg ? -f : f;
    return true;
}

enum pz_num
pz_parse_f64(const char *s, size_t n, double *out)
{
    if (n == 0)
        return PZ_NUM_EMPTY;
    if (parse_short(s, n, out))
        return PZ_NUM_OK;
    if (decimal_length(s, n) != n)
        return PZ_NUM_GARBAGE;
    char small[64], *text = small;
    if (n >= sizeof small) {
        text = malloc(n + 1);
        if (!text)
            return PZ_NUM_RANGE;
    }
    memcpy(text, s, n);
    text[n] = 0;
    *out = strtod(text, NULL); // the tools never call setlocale: the point is '.'
    if (text != small)
        free(text);
    return isfinite(*out) ? PZ_NUM_OK : PZ_NUM_RANGE;
}

enum pz_num
pz_parse_size(const char *s, size_t n, uint64_t *out)
{
    static const char units[] = "KMGT";
    unsigned shift = 0;
    int64_t v;
    if (n > 1) {
        const char *u = memchr(units, s[n - 1] & ~0x20, 4);
        if (u && (s[n - 1] & 0x40)) {
            shift = 10 * (unsigned)(u - units + 1);
            n--;
        }
    }
    enum pz_num r = pz_parse_i64(s, n, &v);
    if (r)
        return r;
    if (v < 0 || (uint64_t)v > (UINT64_MAX >> 1) >> shift)
        return PZ_NUM_RANGE;
    *out = (uint64_t)v << shift;
    return PZ_NUM_OK;
}

const char *
pz_num_text(enum pz_num n)
{
    static const char *const text[] = {"is a number", "is empty", "is not a number",
                                       "is out of range", "is not a whole number"};
    return text[n];
}

/* Length of what may separate groups of digits at s, 0: none. */
static size_t
group_mark(const char *s, size_t n, char decimal)
{
    static const char *const marks[] = {" ", "'", "\xc2\xa0", "\xe2\x80\xaf",
                                        "\xe2\x80\x99"};
    if (n && *s == (decimal == ',' ? '.' : ','))
        return 1;
    for (size_t k = 0; k < sizeof marks / sizeof *marks; k++)
        if (n >= strlen(marks[k]) && memcmp(s, marks[k], strlen(marks[k])) == 0)
            return strlen(marks[k]);
    return 0;
}

size_t
pz_num_plain(char *out, size_t cap, const char *s, size_t n, char decimal)
{
    size_t i = 0, len = 0, group = 0; // group: digits since the last mark
    const char *mark = NULL;          // of the first group; all are the same
    size_t n_mark = 0;
    if (n >= cap)
        return 0;
    if (i < n && (s[i] == '-' || s[i] == '+'))
        out[len++] = s[i++];
    while (i < n) {
        if (s[i] >= '0' && s[i] <= '9') {
            out[len++] = s[i++];
            group++;
            continue;
        }
        size_t step = group_mark(s + i, n - i, decimal);
        if (!step)
            break;
        bool first = !mark && group >= 1 && group <= 3;
        bool next = mark && group == 3 && step == n_mark && !memcmp(s + i, mark, step);
        if (!first && !next)
            return 0;
        mark = s + i;
        n_mark = step;
        i += step;
        group = 0;
    }
    if (!group || (mark && group != 3))
        return 0;
    if (i < n && s[i] == decimal) {
        out[len++] = '.';
        for (i++; i < n && s[i] >= '0' && s[i] <= '9'; i++)
            out[len++] = s[i];
    }
    size_t rest = n - i;
    if (rest && s[i] != 'e' && s[i] != 'E')
        return 0;
    memcpy(out + len, s + i, rest);
    len += rest;
    double v;
    return pz_parse_f64(out, len, &v) == PZ_NUM_OK ? len : 0;
}

size_t
pz_format_i64(char *out, int64_t v)
{
    char digits[24];
    size_t n = 0, len = 0;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do
        digits[n++] = (char)('0' + u % 10);
    while ((u /= 10) != 0);
    if (v < 0)
        out[len++] = '-';
    while (n)
        out[len++] = digits[--n];
    out[len] = 0;
    return len;
}

size_t
pz_format_f64(char *out, double v)
{
    if (v == floor(v) && fabs(v) < 1e15)
        return pz_format_i64(out, (int64_t)v);
    int n = 0;
    for (int p = 15; p <= 17; p++) {
        n = snprintf(out, PZ_NUM_TEXT, "%.*g", p, v);
        if (p == 17 || strtod(out, NULL) == v)
            break;
    }
    return (size_t)n;
}

/*
 * Nine digits m and the decimal exponent of the first, so that a = m * 10^(*exp10 - 8)
 * to within half a unit of m, reduced to the fewest of 6, 7 or 8 digits that still read
 * back as the same f32: those that lie no further than `above` or `below` from a. A
 * double has 29 bits to spare over an f32, far more than the two roundings of the scaling
 * take; the distances are shortened by a millionth to be on the safe side of them.
 */
static uint64_t
decimal_f32(double a, double above, double below, int *exp10)
{
    static const double ten[] = {
        1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10,
        1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
        1e22, 1e23, 1e24, 1e25, 1e26, 1e27, 1e28, 1e29, 1e30, 1e31, 1e32,
        1e33, 1e34, 1e35, 1e36, 1e37, 1e38, 1e39, 1e40, 1e41, 1e42, 1e43,
        1e44, 1e45, 1e46, 1e47, 1e48, 1e49, 1e50, 1e51, 1e52, 1e53, 1e54};
    uint64_t bits;
    memcpy(&bits, &a, sizeof bits);
    int e2 = (int)(bits >> 52) - 1023;
    int d = (e2 * 1233) >> 12; // floor(e2 * log10(2)): the exponent or one less
    double scaled = d <= 8 ? a * ten[8 - d] : a / ten[d - 8];
    if (scaled >= 999999999.5) {
        d++;
        scaled = d <= 8 ? a * ten[8 - d] : a / ten[d - 8];
    }
    uint64_t m = (uint64_t)(scaled + 0.5);
    above *= 1 - 1e-6;
    below *= 1 - 1e-6;
    for (uint64_t unit = 1000; unit > 1; unit /= 10) {
        uint64_t c = (uint64_t)(scaled / (double)unit + 0.5) * unit;
        double back = d <= 8 ? (double)c / ten[8 - d] : (double)c * ten[d - 8];
        if (back - a < above && a - back < below) {
            m = c;
            break;
        }
    }
    if (m == 1000000000) {
        m = 100000000;
        d++;
    }
    *exp10 = d;
    return m;
}

size_t
pz_format_f32(char *out, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    uint32_t e = bits >> 23 & 255, fraction = bits & 0x7fffff;
    size_t len = 0;
    if (e == 255)
        return (size_t)snprintf(out, PZ_NUM_TEXT, "%g", (double)v);
    if (bits >> 31 && v != 0)
        out[len++] = '-';
    if (v == 0) {
        memcpy(out, "0", 2);
        return 1;
    }
    // Half the distance to the next f32; below a power of two they lie closer.
    double above = ldexp(1, (int)(e ? e : 1) - 151);
    double below = fraction == 0 && e > 1 ? above / 2 : above;
    int d;
    uint64_t m = decimal_f32(fabs((double)v), above, below, &d);
    char digit[9];
    size_t n = 9, i = 0;
    for (size_t k = 9; k-- > 0; m /= 10)
        digit[k] = (char)('0' + m % 10);
    while (n > 1 && digit[n - 1] == '0')
        n--;
    bool fixed = d >= -10 && d < 15;
    int whole = fixed ? d : 0; // exponent of the first digit in front of 'e'
    if (whole < 0) {
        out[len++] = '0';
        out[len++] = '.';
        for (int z = -1; z > whole; z--)
            out[len++] = '0';
    } else {
        for (int z = 0; z <= whole; z++)
            out[len++] = i < n ? digit[i++] : '0';
        if (i < n)
            out[len++] = '.';
    }
    while (i < n)
        out[len++] = digit[i++];
    if (!fixed) {
        out[len++] = 'e';
        len += pz_format_i64(out + len, d);
    }
    out[len] = 0;
    return len;
}
