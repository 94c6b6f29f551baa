/*
 * The pull scanner of json.h: a state machine over the grammar of RFC 8259 that reads the
 * text once and copies only strings with escapes. Strings are passed over eight bytes
 * at a time; pz.h refuses machines that are not little-endian, which makes the lowest set
 * bit of a match the first byte in the text.
 */
#include "base/json.h"

#include <string.h>

#include "base/num.h"
#include "base/pz.h"

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
#define HIGH       EACH(0x80)

enum state {
    WANT_VALUE,        // at the start, behind ':' and behind ',' in an array
    WANT_VALUE_OR_END, // behind '['
    WANT_KEY,          // behind ',' in an object
    WANT_KEY_OR_END,   // behind '{'
    WANT_COMMA,        // behind a value
    FINISHED,
    FAILED,
};

#define MAX_DEPTH 32 // bits of pz_scan.object

/*
 * Length of the UTF-8 sequence at s, whose first byte is not ASCII; 0 when it is none.
 * The second byte's range depends on the first (RFC 3629, 4): that is what refuses
 * overlong forms, surrogates and code points above U+10FFFF.
 */
static size_t
sequence(const unsigned char *s, size_t n)
{
    unsigned char lead = s[0], low = 0x80, high = 0xBF;
    size_t len;
    if (lead >= 0xC2 && lead <= 0xDF)
        len = 2;
    else if (lead >= 0xE0 && lead <= 0xEF)
        len = 3;
    else if (lead >= 0xF0 && lead <= 0xF4)
        len = 4;
    else
        return 0;
    if (n < len)
        return 0;
    if (lead == 0xE0)
        low = 0xA0;
    else if (lead == 0xED)
        high = 0x9F;
    else if (lead == 0xF0)
        low = 0x90;
    else if (lead == 0xF4)
        high = 0x8F;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    return len;
}

size_t
pz_utf8_valid(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n) {
        uint64_t word;
        while (n - i >= sizeof word) {
            memcpy(&word, s + i, sizeof word);
            if (word & HIGH) {
                i += (size_t)__builtin_ctzll(word & HIGH) / 8;
                break;
            }
            i += sizeof word;
        }
        if (i == n)
            break;
        if (!((unsigned char)s[i] & 0x80)) {
            i++;
            continue;
        }
        size_t len = sequence((const unsigned char *)s + i, n - i);
        if (!len)
            break;
        i += len;
    }
    return i;
}

void
pz_scan_init(struct pz_scan *scan)
{
    *scan = (struct pz_scan){0};
}

void
pz_scan_release(struct pz_scan *scan)
{
    pz_buf_release(&scan->hold);
    *scan = (struct pz_scan){0};
}

void
pz_scan_start(struct pz_scan *scan, const char *text, size_t n)
{
    struct pz_buf hold = scan->hold;
    *scan = (struct pz_scan){.text = text, .n = n, .state = WANT_VALUE, .hold = hold};
}

static enum pz_tok
fail(struct pz_scan *scan, size_t at, const char *error)
{
    scan->at = at;
    scan->error = error;
    scan->state = FAILED;
    return PZ_TOK_ERROR;
}

static inline size_t
skip_blanks(const char *t, size_t i, size_t n)
{
    while (i < n && (t[i] == ' ' || t[i] == '\n' || t[i] == '\r' || t[i] == '\t'))
        i++;
    return i;
}

/* Offset of the first quote, backslash, control character or byte over 0x7F, or n. */
static inline size_t
skip_plain(const char *t, size_t i, size_t n)
{
    uint64_t x;
    while (n - i >= sizeof x) {
        memcpy(&x, t + i, sizeof x);
        uint64_t quote = x ^ EACH('"'), slash = x ^ EACH('\\');
        uint64_t hit = ((quote - EACH(1)) & ~quote) | ((slash - EACH(1)) & ~slash) |
                       ((x - EACH(0x20)) & ~x) | x;
        if (hit & HIGH)
            return i + (size_t)__builtin_ctzll(hit & HIGH) / 8;
        i += sizeof x;
    }
    for (; i < n; i++) {
        unsigned char c = (unsigned char)t[i];
        if (c == '"' || c == '\\' || c < 0x20 || c >= 0x80)
            break;
    }
    return i;
}

/* Four hexadecimal digits at t[i..]; -1 when they are not. */
static int32_t
hex4(const char *t, size_t i, size_t n)
{
    int32_t v = 0;
    if (n - i < 4)
        return -1;
    for (size_t end = i + 4; i < end; i++) {
        int c = t[i], lower = c | 0x20;
        if (c >= '0' && c <= '9')
            v = v * 16 + (c - '0');
        else if (lower >= 'a' && lower <= 'f')
            v = v * 16 + (lower - 'a' + 10);
        else
            return -1;
    }
    return v;
}

static void
add_code_point(struct pz_buf *b, uint32_t c)
{
    char u[4];
    size_t n;
    if (c < 0x80) {
        u[0] = (char)c;
        n = 1;
    } else if (c < 0x800) {
        u[0] = (char)(0xC0 | c >> 6);
        n = 2;
    } else if (c < 0x10000) {
        u[0] = (char)(0xE0 | c >> 12);
        n = 3;
    } else {
        u[0] = (char)(0xF0 | c >> 18);
        n = 4;
    }
    for (size_t i = 1; i < n; i++)
        u[i] = (char)(0x80 | (c >> 6 * (n - 1 - i) & 0x3F));
    pz_buf_add(b, u, n);
}

/* Appends what the escape at t[i] (a backslash) stands for; the offset behind it, 0 on
 * error. */
static size_t
unescape(struct pz_scan *scan, size_t i)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *t = scan->text;
    size_t n = scan->n;
    if (n - i < 2) {
        fail(scan, n, "the string has no end");
        return 0;
    }
    if (t[i + 1] != 'u') {
        const char *p = memchr(from, t[i + 1], sizeof from - 1);
        if (!p) {
            fail(scan, i,
                 "unknown escape; known: \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX");
            return 0;
        }
        pz_buf_addc(&scan->hold, to[p - from]);
        return i + 2;
    }
    int32_t c = hex4(t, i + 2, n);
    const char *error = NULL;
    size_t end = i + 6;
    if (c < 0)
        error = "\\u without four hexadecimal digits";
    else if (c == 0)
        error = "\\u0000 cannot stand in a string";
    else if (c >= 0xDC00 && c <= 0xDFFF)
        error = "a low surrogate without a high one before it";
    else if (c >= 0xD800 && c <= 0xDBFF) {
        int32_t low = -1;
        if (n - end >= 6 && t[end] == '\\' && t[end + 1] == 'u')
            low = hex4(t, end + 2, n);
        if (low >= 0xDC00 && low <= 0xDFFF)
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        else
            error = "a high surrogate without a low one behind it";
        end += 6;
    }
    if (error) {
        fail(scan, i, error);
        return 0;
    }
    add_code_point(&scan->hold, (uint32_t)c);
    return end;
}

/* The string whose opening quote is at scan->at, into s and len; at goes behind it. */
static bool
read_string(struct pz_scan *scan)
{
    const char *t = scan->text;
    size_t n = scan->n, i = scan->at + 1, from = i;
    bool held = false;
    for (;;) {
        i = skip_plain(t, i, n);
        while (i < n && (unsigned char)t[i] >= 0x80) {
            size_t len = sequence((const unsigned char *)t + i, n - i);
            if (!len) {
                fail(scan, i, "bytes that are not UTF-8");
                return false;
            }
            i += len;
        }
        if (i == n) {
            fail(scan, n, "the string has no end");
            return false;
        }
        if (t[i] == '"')
            break;
        if (t[i] == '\\') {
            if (!held)
                pz_buf_clear(&scan->hold);
            held = true;
            pz_buf_add(&scan->hold, t + from, i - from);
            from = i = unescape(scan, i);
            if (!i)
                return false;
        } else if ((unsigned char)t[i] < 0x20) {
            fail(scan, i, "a raw control character in a string; write it as an escape");
            return false;
        }
    }
    scan->s = t + from;
    scan->len = i - from;
    if (held) {
        pz_buf_add(&scan->hold, t + from, i - from);
        if (scan->hold.failed) {
            fail(scan, i, "out of memory for a string");
            return false;
        }
        scan->s = scan->hold.data;
        scan->len = scan->hold.len;
    }
    scan->at = i + 1;
    return true;
}

static inline size_t
skip_digits(const char *t, size_t i, size_t n)
{
    while (i < n && t[i] >= '0' && t[i] <= '9')
        i++;
    return i;
}

static enum pz_tok
read_number(struct pz_scan *scan)
{
    const char *t = scan->text;
    size_t n = scan->n, start = scan->at, i = start, first;
    bool exponent = false;
    if (t[i] == '-')
        i++;
    first = i;
    i = skip_digits(t, i, n);
    if (i == first)
        return fail(scan, i, "a number needs a digit here");
    if (t[first] == '0' && i > first + 1)
        return fail(scan, first, "a number must not start with 0");
    if (i < n && t[i] == '.') {
        first = ++i;
        i = skip_digits(t, i, n);
        if (i == first)
            return fail(scan, i, "a number needs a digit behind the point");
    }
    if (i < n && (t[i] == 'e' || t[i] == 'E')) {
        exponent = true;
        i++;
        if (i < n && (t[i] == '-' || t[i] == '+'))
            i++;
        first = i;
        i = skip_digits(t, i, n);
        if (i == first)
            return fail(scan, i, "a number needs a digit in its exponent");
    }
    scan->s = t + start;
    scan->len = i - start;
    if (exponent || scan->len > 300) { // no other can exceed a double
        double ignored;
        if (pz_parse_f64(scan->s, scan->len, &ignored))
            return fail(scan, start, "a number beyond the range of a double");
    }
    scan->at = i;
    scan->state = WANT_COMMA;
    return PZ_TOK_NUMBER;
}

static enum pz_tok
read_word(struct pz_scan *scan, const char *word, size_t n, enum pz_tok tok)
{
    if (scan->n - scan->at < n || memcmp(scan->text + scan->at, word, n) != 0)
        return fail(scan, scan->at, "a value is expected here");
    scan->at += n;
    scan->state = WANT_COMMA;
    return tok;
}

static enum pz_tok
open_level(struct pz_scan *scan, bool object)
{
    if (scan->depth == MAX_DEPTH)
        return fail(scan, scan->at, "more than 32 levels of objects and arrays");
    uint32_t bit = UINT32_C(1) << scan->depth;
    scan->object = object ? scan->object | bit : scan->object & ~bit;
    scan->depth++;
    scan->at++;
    scan->state = object ? WANT_KEY_OR_END : WANT_VALUE_OR_END;
    return object ? PZ_TOK_OBJECT : PZ_TOK_ARRAY;
}

static enum pz_tok
close_level(struct pz_scan *scan, enum pz_tok tok)
{
    scan->depth--;
    scan->at++;
    scan->state = WANT_COMMA;
    return tok;
}

static enum pz_tok
read_value(struct pz_scan *scan)
{
    if (scan->at == scan->n)
        return fail(scan, scan->at,
                    scan->n ? "the text ends too early" : "the text is empty");
    switch (scan->text[scan->at]) {
    case '{':
        return open_level(scan, true);
    case '[':
        return open_level(scan, false);
    case '"':
        scan->state = WANT_COMMA;
        return read_string(scan) ? PZ_TOK_STRING : PZ_TOK_ERROR;
    case 't':
        return read_word(scan, "true", 4, PZ_TOK_TRUE);
    case 'f':
        return read_word(scan, "false", 5, PZ_TOK_FALSE);
    case 'n':
        return read_word(scan, "null", 4, PZ_TOK_NULL);
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return read_number(scan);
    }
    if (scan->n - scan->at >= 3 && memcmp(scan->text + scan->at, "\xEF\xBB\xBF", 3) == 0)
        return fail(scan, scan->at, "a byte order mark, which JSON does not have");
    return fail(scan, scan->at, "a value is expected here");
}

static enum pz_tok
read_key(struct pz_scan *scan)
{
    const char *t = scan->text;
    if (scan->at == scan->n)
        return fail(scan, scan->at, "the text ends too early");
    if (t[scan->at] != '"')
        return fail(scan, scan->at, "a key in double quotes is expected here");
    if (!read_string(scan))
        return PZ_TOK_ERROR;
    size_t i = skip_blanks(t, scan->at, scan->n);
    if (i == scan->n || t[i] != ':')
        return fail(scan, i, "':' is expected behind a key");
    scan->at = i + 1;
    scan->state = WANT_VALUE;
    return PZ_TOK_KEY;
}

/* Behind a value: the end of its level, or the next member. */
static enum pz_tok
after_value(struct pz_scan *scan)
{
    size_t at = scan->at;
    if (scan->depth == 0) {
        if (at < scan->n)
            return fail(scan, at, "more text behind the value");
        scan->state = FINISHED;
        return PZ_TOK_END;
    }
    bool object = scan->object >> (scan->depth - 1) & 1;
    char c = at < scan->n ? scan->text[at] : 0;
    if (c == (object ? '}' : ']'))
        return close_level(scan, object ? PZ_TOK_OBJECT_END : PZ_TOK_ARRAY_END);
    if (c != ',')
        return fail(scan, at,
                    at == scan->n ? "the text ends too early"
                    : object      ? "',' or '}' is expected here"
                                  : "',' or ']' is expected here");
    scan->at = scan->start = skip_blanks(scan->text, at + 1, scan->n);
    return object ? read_key(scan) : read_value(scan);
}

enum pz_tok
pz_scan_next(struct pz_scan *scan)
{
    if (scan->state == FAILED)
        return PZ_TOK_ERROR;
    scan->at = scan->start = skip_blanks(scan->text, scan->at, scan->n);
    bool more = scan->at < scan->n;
    switch ((enum state)scan->state) {
    case WANT_COMMA:
        return after_value(scan);
    case WANT_VALUE_OR_END:
        if (more && scan->text[scan->at] == ']')
            return close_level(scan, PZ_TOK_ARRAY_END);
        return read_value(scan);
    case WANT_VALUE:
        return read_value(scan);
    case WANT_KEY_OR_END:
        if (more && scan->text[scan->at] == '}')
            return close_level(scan, PZ_TOK_OBJECT_END);
        return read_key(scan);
    case WANT_KEY:
        return read_key(scan);
    case FINISHED:
    case FAILED:
        break;
    }
    return PZ_TOK_END;
}

bool
pz_scan_skip(struct pz_scan *scan, enum pz_tok tok)
{
    if (tok == PZ_TOK_OBJECT || tok == PZ_TOK_ARRAY)
        for (int outside = scan->depth - 1; scan->depth > outside;)
            if (pz_scan_next(scan) == PZ_TOK_ERROR)
                return false;
    return tok != PZ_TOK_ERROR;
}
