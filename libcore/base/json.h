/*
 * json: strict JSON. The only user of cJSON.
 *
 * pz_json_parse() refuses what cJSON lets pass: trailing bytes, invalid UTF-8, raw
 * control characters, \u0000, lone surrogates, duplicate keys, depth over 32, numbers
 * that do not fit a double, and number text over 63 bytes, which cJSON cannot read.
 * Numbers keep 53 bits; code that needs 64 (rows of JSON lines) uses the scanner below,
 * which hands out the text of a number. Object lookup is case-sensitive.
 */
#ifndef PZ_BASE_JSON_H
#define PZ_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct cJSON;
typedef struct cJSON pz_json; // opaque to everyone but json.c

/* Parses text[0..n); *out is freed with pz_json_free(). PZ_DATA with line and column. */
int pz_json_parse(pz_json **out, const char *text, size_t n, struct pz_err *err);
void pz_json_free(pz_json *j);

/* Views into the tree; NULL (or false) when absent or of another type. */
const pz_json *pz_json_get(const pz_json *object, const char *key);
const char *pz_json_string(const pz_json *j); // of a string value
const char *pz_json_get_string(const pz_json *object, const char *key);
bool pz_json_number(const pz_json *j, double *out); // of a number value
bool pz_json_i64(const pz_json *j, int64_t *out);   // a whole number within 2^53
bool pz_json_is_object(const pz_json *j);
bool pz_json_is_array(const pz_json *j);
bool pz_json_is_bool(const pz_json *j, bool *value);
bool pz_json_is_null(const pz_json *j);
const char *pz_json_key(const pz_json *j); // of a member of an object
/* First child and next sibling, of arrays and objects: for (c = first(j); c; c =
 * next(c)). */
const pz_json *pz_json_first(const pz_json *j);
const pz_json *pz_json_next(const pz_json *j);
size_t pz_json_count(const pz_json *j);

/* Appends s[0..n) as a quoted JSON string. Bytes that are not UTF-8 become U+FFFD. */
void pz_json_add_string(struct pz_buf *b, const char *s, size_t n);
/* A number as base/num.h writes it, or null where it is not finite. */
void pz_json_add_f64(struct pz_buf *b, double v);
void pz_json_add_f32(struct pz_buf *b, float v);
/* Appends the tree as compact JSON, members in their order. */
void pz_json_add(struct pz_buf *b, const pz_json *j);

/*
 * A pull scanner over one JSON value, without allocation, for rows and requests by the
 * million. Strings come unescaped, in the scanner's buffer when they held escapes (valid
 * until the next call), else as a view into the text; numbers come as their text. All
 * that pz_json_parse refuses is an error here too, but for duplicate keys and long
 * numbers.
 */
enum pz_tok {
    PZ_TOK_OBJECT,
    PZ_TOK_OBJECT_END,
    PZ_TOK_ARRAY,
    PZ_TOK_ARRAY_END,
    PZ_TOK_KEY,
    PZ_TOK_STRING,
    PZ_TOK_NUMBER,
    PZ_TOK_TRUE,
    PZ_TOK_FALSE,
    PZ_TOK_NULL,
    PZ_TOK_END,   // the value is complete and only blanks followed
    PZ_TOK_ERROR, // scan->error says what, scan->at where (byte offset)
};

struct pz_scan {
    const char *text; // borrowed
    size_t n, at;     // length; next byte
    const char *s;    // of the last KEY, STRING or NUMBER
    size_t len;
    size_t start;      // byte offset where the last token starts
    const char *error; // static text
    uint32_t object;   // bit per depth: is that level an object
    int depth, state;
    struct pz_buf hold; // unescaped strings; released by pz_scan_release
};

void pz_scan_init(struct pz_scan *scan);
void pz_scan_start(struct pz_scan *scan, const char *text, size_t n); // reuses hold
enum pz_tok pz_scan_next(struct pz_scan *scan);
/* Skips the value whose first token was `tok`; false on error. */
bool pz_scan_skip(struct pz_scan *scan, enum pz_tok tok);
void pz_scan_release(struct pz_scan *scan);

/* Offset of the first byte that is not UTF-8 (or n). Rejects overlongs and surrogates. */
size_t pz_utf8_valid(const char *s, size_t n);

#endif
