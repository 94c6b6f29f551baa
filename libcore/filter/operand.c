#include "filter/program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"

/* ---- texts ---- */

static int
compare(const char *a, size_t n_a, const char *b, size_t n_b, bool fold)
{
    size_t n = n_a < n_b ? n_a : n_b;
    int c = n == 0 ? 0 : fold ? strncasecmp(a, b, n) : memcmp(a, b, n);
    return c ? c : n_a < n_b ? -1 : n_a > n_b;
}

static int
by_bytes(const void *a, const void *b)
{
    const struct pz_text_view *x = a, *y = b;
    return compare(x->s, x->n, y->s, y->n, false);
}

static int
by_letters(const void *a, const void *b)
{
    const struct pz_text_view *x = a, *y = b;
    return compare(x->s, x->n, y->s, y->n, true);
}

/* Is the text (one value) in the set? */
static bool
has(const struct pz_operand *o, const char *s, size_t n, bool fold)
{
    size_t lo = 0, hi = o->n_texts;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = compare(s, n, o->text[mid].s, o->text[mid].n, fold);
        if (c == 0)
            return true;
        if (c < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return false;
}

bool
pz_operand_meets(const struct pz_operand *o, const struct pz_fref *ref, const char *s,
                 size_t n)
{
    if (o->any)
        return true;
    if (!ref->multi)
        return has(o, s, n, ref->fold);
    for (;;) {
        const char *bar = memchr(s, '|', n);
        size_t len = bar ? (size_t)(bar - s) : n;
        if (has(o, s, len, ref->fold))
            return true;
        if (!bar)
            return false;
        s += len + 1;
        n -= len + 1;
    }
}

/* ---- numbers ---- */

bool
pz_filter_number(struct pz_fnumber *out, const char *s, size_t n, bool time)
{
    *out = (struct pz_fnumber){0};
    if (pz_parse_i64(s, n, &out->i) == PZ_NUM_OK) {
        out->f = (double)out->i;
        return true;
    }
    out->real = true;
    if (pz_parse_f64(s, n, &out->f) == PZ_NUM_OK)
        return true;
    out->real = false;
    if (!time || pz_time_parse(s, n, &out->i))
        return false;
    out->f = (double)out->i;
    return true;
}

static const double two63 = 9223372036854775808.0;

/* Whole numbers x with (x OP v); false: none. */
static bool
int_range(struct pz_frange *r, enum pz_fop op, const struct pz_fnumber *v)
{
    int64_t floor_v = v->i;
    bool whole = !v->real;
    r->lo = INT64_MIN;
    r->hi = INT64_MAX;
    if (v->real) {
        double f = floor(v->f);
        whole = f == v->f;
        if (f >= two63)
            return op == PZ_F_LT || op == PZ_F_LE;
        if (f < -two63)
            return op == PZ_F_GT || op == PZ_F_GE;
        floor_v = (int64_t)f;
    }
    switch (op) {
    case PZ_F_LT:
        if (whole && floor_v == INT64_MIN)
            return false;
        r->hi = whole ? floor_v - 1 : floor_v;
        return true;
    case PZ_F_LE:
        r->hi = floor_v;
        return true;
    case PZ_F_GT:
        if (floor_v == INT64_MAX)
            return false;
        r->lo = floor_v + 1;
        return true;
    case PZ_F_GE:
        if (!whole && floor_v == INT64_MAX)
            return false;
        r->lo = whole ? floor_v : floor_v + 1;
        return true;
    default:
        r->lo = r->hi = floor_v;
        return whole;
    }
}

static bool
real_range(struct pz_frange *r, enum pz_fop op, const struct pz_fnumber *v)
{
    r->flo = -HUGE_VAL;
    r->fhi = HUGE_VAL;
    switch (op) {
    case PZ_F_LT:
        r->fhi = nextafter(v->f, -HUGE_VAL);
        break;
    case PZ_F_LE:
        r->fhi = v->f;
        break;
    case PZ_F_GT:
        r->flo = nextafter(v->f, HUGE_VAL);
        break;
    case PZ_F_GE:
        r->flo = v->f;
        break;
    default:
        r->flo = r->fhi = v->f;
    }
    return true;
}

/* ---- operands ---- */

void
pz_operand_release(struct pz_operand *o)
{
    free(o->memory);
    *o = (struct pz_operand){0};
}

static bool
is_text(const struct pz_text_view *v, const char *word)
{
    return v->n == strlen(word) && !strncasecmp(v->s, word, v->n);
}

static int
make_ranges(struct pz_operand *out, const struct pz_leaf *leaf,
            const struct pz_text_view *value, size_t n, struct pz_err *err)
{
    bool boolean = leaf->ref.field->type == PZ_BOOLEAN;
    struct pz_frange *range;
    if (pz_new(&range, n, sizeof *range, "values", err))
        return err->status;
    out->memory = range;
    out->range = range;
    for (size_t i = 0; i < n; i++) {
        struct pz_fnumber v = {0};
        bool ok = false;
        if (boolean && (is_text(&value[i], "true") || is_text(&value[i], "false"))) {
            v.i = is_text(&value[i], "true");
            ok = true;
        } else {
            ok = pz_filter_number(&v, value[i].s, value[i].n, leaf->ref.time);
        }
        if (!ok) {
            pz_err_set(err, PZ_DATA, "%s is %s; '%.*s' is %s", leaf->ref.field->name,
                       boolean          ? "a boolean"
                       : leaf->ref.time ? "a time in Unix seconds"
                                        : "a number",
                       (int)(value[i].n > 60 ? 60 : value[i].n), value[i].s,
                       boolean ? "neither true nor false" : "not one");
            pz_operand_release(out);
            return err->status;
        }
        bool some = leaf->ref.class == PZ_CLASS_REAL
                        ? real_range(&range[out->n_ranges], leaf->op, &v)
                        : int_range(&range[out->n_ranges], leaf->op, &v);
        out->n_ranges += some;
    }
    return PZ_OK;
}

/* The views and their bytes in one piece of memory. */
static int
make_texts(struct pz_operand *out, const struct pz_leaf *leaf,
           const struct pz_text_view *value, size_t n, struct pz_err *err)
{
    size_t bytes = 0, room;
    for (size_t i = 0; i < n; i++)
        bytes += value[i].n;
    if (!pz_size_mul(n, sizeof *value, &room) || !pz_size_add(room, bytes, &room))
        return pz_err_nomem(err, "values", SIZE_MAX);
    struct pz_text_view *view;
    if (pz_new(&view, room, 1, "values", err))
        return err->status;
    char *copy = (char *)(view + n);
    for (size_t i = 0; i < n; i++) {
        if (value[i].n)
            memcpy(copy, value[i].s, value[i].n);
        view[i] = (struct pz_text_view){copy, value[i].n};
        copy += value[i].n;
    }
    qsort(view, n, sizeof *view, leaf->ref.fold ? by_letters : by_bytes);
    for (size_t i = 0; i < n; i++)
        if (!out->n_texts || compare(view[out->n_texts - 1].s, view[out->n_texts - 1].n,
                                     view[i].s, view[i].n, leaf->ref.fold))
            view[out->n_texts++] = view[i];
    out->memory = view;
    out->text = view;
    return PZ_OK;
}

int
pz_operand_make(struct pz_operand *out, const struct pz_leaf *leaf,
                const struct pz_text_view *value, size_t n, struct pz_err *err)
{
    *out = (struct pz_operand){0};
    if (leaf->op < PZ_F_IN && n != 1)
        return pz_err_set(err, PZ_DATA, "%s is compared with one value, not %zu",
                          leaf->ref.field->name, n);
    return leaf->ref.class == PZ_CLASS_TEXT ? make_texts(out, leaf, value, n, err)
                                            : make_ranges(out, leaf, value, n, err);
}

int
pz_operand_current(struct pz_operand *out, const struct pz_leaf *leaf,
                   const struct pz_fcell *cell, struct pz_err *err)
{
    *out = (struct pz_operand){0};
    if (cell->kind == PZ_FCELL_NULL) {
        out->null = true;
        return PZ_OK;
    }
    if (leaf->ref.class == PZ_CLASS_TEXT) {
        struct pz_text_view *value = NULL;
        size_t n = 0, cap = 0;
        const char *s = cell->s;
        for (size_t left = cell->n;;) {
            const char *bar = leaf->current.multi ? memchr(s, '|', left) : NULL;
            size_t len = bar ? (size_t)(bar - s) : left;
            if (pz_grow(&value, &cap, n + 1, sizeof *value, "values", err))
                break;
            value[n++] = (struct pz_text_view){s, len};
            if (!bar)
                break;
            s += len + 1;
            left -= len + 1;
        }
        if (!err->status)
            make_texts(out, leaf, value, n, err);
        free(value);
        return err->status;
    }
    struct pz_fnumber v = {cell->kind == PZ_FCELL_REAL, cell->i,
                           cell->kind == PZ_FCELL_REAL ? cell->f : (double)cell->i};
    struct pz_frange *range;
    if (pz_new(&range, 1, sizeof *range, "values", err))
        return err->status;
    out->memory = range;
    out->range = range;
    out->n_ranges = leaf->ref.class == PZ_CLASS_REAL ? real_range(range, leaf->op, &v)
                                                     : int_range(range, leaf->op, &v);
    return PZ_OK;
}

/* ---- the text of a placeholder ---- */

static size_t
skip_blanks(const char *s, size_t n, size_t i)
{
    while (i < n && (s[i] == ' ' || s[i] == '\t'))
        i++;
    return i;
}

int
pz_filter_split(struct pz_text_view **value, size_t *n, const char *text, size_t n_text,
                bool strict, struct pz_err *err)
{
    size_t cap = 0, i = skip_blanks(text, n_text, 0);
    *value = NULL;
    *n = 0;
    if (i == n_text) // no value at all; *value is not looked at
        return PZ_OK;
    for (;;) {
        struct pz_text_view v;
        if (i < n_text && (text[i] == '"' || text[i] == '\'')) {
            const char *end = memchr(text + i + 1, text[i], n_text - i - 1);
            if (!end) {
                pz_err_set(err, PZ_DATA, "a quote is never closed");
                break;
            }
            v = (struct pz_text_view){text + i + 1, (size_t)(end - text) - i - 1};
            i = skip_blanks(text, n_text, (size_t)(end - text) + 1);
            if (i < n_text && text[i] != ',') {
                pz_err_set(err, PZ_DATA,
                           "a comma is expected behind a quoted value, as in "
                           "\"a\",\"b\"");
                break;
            }
        } else {
            const char *comma = memchr(text + i, ',', n_text - i);
            size_t end = comma ? (size_t)(comma - text) : n_text;
            v = (struct pz_text_view){text + i, end - i};
            while (v.n && (v.s[v.n - 1] == ' ' || v.s[v.n - 1] == '\t'))
                v.n--;
            struct pz_fnumber number;
            if (v.n == 0 || (strict && !pz_filter_number(&number, v.s, v.n, false))) {
                pz_err_set(err, PZ_DATA,
                           "values are quoted and separated by commas: \"a\",\"b\"");
                break;
            }
            i = end;
        }
        if (pz_grow(value, &cap, *n + 1, sizeof **value, "values", err))
            break;
        (*value)[(*n)++] = v;
        if (i == n_text)
            return PZ_OK;
        i = skip_blanks(text, n_text, i + 1);
    }
    free(*value);
    *value = NULL;
    *n = 0;
    return err->status;
}

/* ---- testing ---- */

enum pz_tri
pz_leaf_test(const struct pz_leaf *leaf, const struct pz_operand *o,
             const struct pz_fcell *cell)
{
    bool met = false;
    if (o->any) // an event of whatever type, or of none
        return leaf->negate ? PZ_NO : PZ_YES;
    if (o->null && leaf->op < PZ_F_IN)
        return PZ_UNKNOWN;
    if (cell->kind == PZ_FCELL_NULL)
        return leaf->null;
    if (leaf->ref.class == PZ_CLASS_TEXT) {
        met = cell->kind == PZ_FCELL_TEXT &&
              pz_operand_meets(o, &leaf->ref, cell->s, cell->n);
    } else if (leaf->ref.class == PZ_CLASS_INT) {
        for (size_t i = 0; i < o->n_ranges && !met; i++)
            met = cell->i >= o->range[i].lo && cell->i <= o->range[i].hi;
    } else {
        double x = cell->kind == PZ_FCELL_INT ? (double)cell->i : cell->f;
        for (size_t i = 0; i < o->n_ranges && !met; i++)
            met = x >= o->range[i].flo && x <= o->range[i].fhi;
    }
    return met != leaf->negate ? PZ_YES : PZ_NO;
}
