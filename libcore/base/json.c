/*
 * cJSON behind the scanner. cJSON is lenient and this is not, so the text is read
 * twice: the scanner decides whether it is JSON as json.h has it, then cJSON, which
 * accepts all that is left, builds the tree.
 */
#include "base/json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"

/* cJSON reads a number through a buffer of 64 bytes and refuses longer ones. */
#define NUMBER_MAX 63

/* The keys of the objects that are open, for finding a key that comes twice. */
struct key {
    size_t offset, len; // in keys.bytes
    size_t start;       // in the text
};

struct keys {
    struct key *key;
    size_t n, cap;
    struct pz_buf bytes;
    size_t first[33]; // of each depth, its first key
};

/* PZ_DATA with the line and column (in bytes, from 1) of offset `at`. */
static int
error_at(const char *text, size_t at, const char *what, struct pz_err *err)
{
    size_t line = 1, from = 0;
    for (size_t i = 0; i < at; i++)
        if (text[i] == '\n') {
            line++;
            from = i + 1;
        }
    return pz_err_set(err, PZ_DATA, "line %zu, column %zu: %s", line, at - from + 1,
                      what);
}

static int
compare_keys(const void *a, const void *b, void *bytes)
{
    const struct key *x = a, *y = b;
    const char *text = bytes;
    if (x->len != y->len)
        return x->len < y->len ? -1 : 1;
    int c = memcmp(text + x->offset, text + y->offset, x->len);
    return c ? c : (x->start > y->start) - (x->start < y->start);
}

/* At the end of the object at `depth`: each of its keys came once. Forgets them. */
static int
close_object(struct keys *k, const char *text, int depth, struct pz_err *err)
{
    size_t n = k->n - k->first[depth];
    if (n == 0)
        return PZ_OK;
    struct key *key = k->key + k->first[depth];
    size_t bytes = key[0].offset;
    const char *s = k->bytes.data;
    qsort_r(key, n, sizeof *key, compare_keys, k->bytes.data);
    const struct key *twice = NULL;
    for (size_t i = 1; i < n; i++)
        if (key[i].len == key[i - 1].len &&
            memcmp(s + key[i].offset, s + key[i - 1].offset, key[i].len) == 0 &&
            (!twice || key[i].start < twice->start))
            twice = &key[i];
    if (twice) {
        char what[256];
        int shown = twice->len > 150 ? 150 : (int)twice->len;
        snprintf(what, sizeof what, "the key '%.*s' is given twice", shown,
                 s + twice->offset);
        return error_at(text, twice->start, what, err);
    }
    k->n = k->first[depth];
    k->bytes.len = bytes;
    return PZ_OK;
}

static int
add_key(struct keys *k, const struct pz_scan *scan, struct pz_err *err)
{
    if (pz_grow(&k->key, &k->cap, k->n + 1, sizeof *k->key, "JSON keys", err))
        return err->status;
    k->key[k->n++] = (struct key){k->bytes.len, scan->len, scan->start};
    pz_buf_add(&k->bytes, scan->s, scan->len);
    return pz_buf_status(&k->bytes, "JSON keys", err);
}

static int
check_token(struct keys *k, const struct pz_scan *scan, enum pz_tok tok,
            struct pz_err *err)
{
    switch (tok) {
    case PZ_TOK_ERROR:
        if (scan->hold.failed)
            return pz_err_nomem(err, "a JSON string", scan->n);
        return error_at(scan->text, scan->at, scan->error, err);
    case PZ_TOK_OBJECT:
        k->first[scan->depth] = k->n;
        return PZ_OK;
    case PZ_TOK_KEY:
        return add_key(k, scan, err);
    case PZ_TOK_OBJECT_END:
        return close_object(k, scan->text, scan->depth + 1, err);
    case PZ_TOK_NUMBER:
        if (scan->len > NUMBER_MAX)
            return error_at(scan->text, scan->start,
                            "a number of more than 63 characters", err);
        return PZ_OK;
    default:
        return PZ_OK;
    }
}

int
pz_json_parse(pz_json **out, const char *text, size_t n, struct pz_err *err)
{
    struct pz_scan scan;
    struct keys keys = {0};
    enum pz_tok tok;
    int status;
    pz_scan_init(&scan);
    pz_scan_start(&scan, text, n);
    do {
        tok = pz_scan_next(&scan);
        status = check_token(&keys, &scan, tok, err);
    } while (!status && tok != PZ_TOK_END);
    pz_scan_release(&scan);
    pz_buf_release(&keys.bytes);
    free(keys.key);
    if (status)
        return status;
    *out = cJSON_ParseWithLengthOpts(text, n, NULL, 0);
    if (!*out) // the text is right, so that only memory can have been missing
        return pz_err_nomem(err, "a JSON document", n);
    return PZ_OK;
}

void
pz_json_free(pz_json *j)
{
    cJSON_Delete(j);
}

const pz_json *
pz_json_get(const pz_json *object, const char *key)
{
    if (!cJSON_IsObject(object))
        return NULL;
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

const char *
pz_json_string(const pz_json *j)
{
    return cJSON_IsString(j) ? j->valuestring : NULL;
}

const char *
pz_json_get_string(const pz_json *object, const char *key)
{
    return pz_json_string(pz_json_get(object, key));
}

bool
pz_json_number(const pz_json *j, double *out)
{
    if (!cJSON_IsNumber(j))
        return false;
    *out = j->valuedouble;
    return true;
}

bool
pz_json_i64(const pz_json *j, int64_t *out)
{
    double v;
    if (!pz_json_number(j, &v) || fabs(v) > 0x1p53 - 1 || v != floor(v))
        return false;
    *out = (int64_t)v;
    return true;
}

bool
pz_json_is_object(const pz_json *j)
{
    return cJSON_IsObject(j);
}

bool
pz_json_is_array(const pz_json *j)
{
    return cJSON_IsArray(j);
}

bool
pz_json_is_bool(const pz_json *j, bool *value)
{
    if (!cJSON_IsBool(j))
        return false;
    *value = cJSON_IsTrue(j);
    return true;
}

bool
pz_json_is_null(const pz_json *j)
{
    return cJSON_IsNull(j);
}

const char *
pz_json_key(const pz_json *j)
{
    return j ? j->string : NULL;
}

const pz_json *
pz_json_first(const pz_json *j)
{
    return cJSON_IsObject(j) || cJSON_IsArray(j) ? j->child : NULL;
}

const pz_json *
pz_json_next(const pz_json *j)
{
    return j ? j->next : NULL;
}

size_t
pz_json_count(const pz_json *j)
{
    size_t n = 0;
    for (const pz_json *c = pz_json_first(j); c; c = c->next)
        n++;
    return n;
}

/* Appends s[0..n), which is UTF-8, with the escapes that a JSON string needs. */
static void
add_escaped(struct pz_buf *b, const char *s, size_t n)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    size_t done = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        pz_buf_add(b, s + done, i - done);
        const char *p = memchr(from, c, sizeof from - 1);
        if (p) {
            char escape[2] = {'\\', to[p - from]};
            pz_buf_add(b, escape, 2);
        } else {
            pz_buf_addf(b, "\\u%04x", c);
        }
        done = i + 1;
    }
    pz_buf_add(b, s + done, n - done);
}

void
pz_json_add_string(struct pz_buf *b, const char *s, size_t n)
{
    pz_buf_addc(b, '"');
    while (n) {
        size_t good = pz_utf8_valid(s, n);
        add_escaped(b, s, good);
        if (good < n) {
            pz_buf_addz(b, "\xEF\xBF\xBD");
            good++;
        }
        s += good;
        n -= good;
    }
    pz_buf_addc(b, '"');
}

void
pz_json_add_f64(struct pz_buf *b, double v)
{
    char text[PZ_NUM_TEXT];
    if (isfinite(v))
        pz_buf_add(b, text, pz_format_f64(text, v));
    else
        pz_buf_addz(b, "null");
}

void
pz_json_add_f32(struct pz_buf *b, float v)
{
    char text[PZ_NUM_TEXT];
    if (isfinite(v))
        pz_buf_add(b, text, pz_format_f32(text, v));
    else
        pz_buf_addz(b, "null");
}

static void
add_members(struct pz_buf *b, const pz_json *j)
{
    bool object = cJSON_IsObject(j);
    pz_buf_addc(b, object ? '{' : '[');
    for (const pz_json *c = j->child; c; c = c->next) {
        if (c != j->child)
            pz_buf_addc(b, ',');
        if (object) {
            pz_json_add_string(b, c->string, strlen(c->string));
            pz_buf_addc(b, ':');
        }
        pz_json_add(b, c);
    }
    pz_buf_addc(b, object ? '}' : ']');
}

/* Recursive: a tree from pz_json_parse is at most 32 deep. */
void
pz_json_add(struct pz_buf *b, const pz_json *j)
{
    char number[PZ_NUM_TEXT];
    if (cJSON_IsObject(j) || cJSON_IsArray(j))
        add_members(b, j);
    else if (cJSON_IsString(j))
        pz_json_add_string(b, j->valuestring, strlen(j->valuestring));
    else if (cJSON_IsNumber(j))
        pz_buf_add(b, number, pz_format_f64(number, j->valuedouble));
    else
        pz_buf_addz(b, cJSON_IsTrue(j) ? "true" : cJSON_IsFalse(j) ? "false" : "null");
}
