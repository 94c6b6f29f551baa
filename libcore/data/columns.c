#include "data/columns.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/pz.h"

/* What one walk over the rows learns about a field, and how the field is then written. */
struct column {
    const struct pz_layout *layout;
    const struct pz_rows *rows;
    const struct pz_pack_field *field;
    int64_t min, max;      // of integers that are not null
    bool any, nulls, wide; // a value; a null; a real that f32 cannot hold
    enum pz_dtype dtype;
    uint32_t *recode; // strings: new code of each value, after pruning; NULL: as it is
    struct pz_sink *sink; // while writing
};

enum { CHUNK = 4096 };

void
pz_values_release(struct pz_values *v)
{
    free(v->bytes);
    free(v->offsets);
    *v = (struct pz_values){0};
}

/* ---- learning ---- */

static void
learn(struct column *c, const char *row)
{
    if (pz_pack_null(c->layout, c->field, row)) {
        c->nulls = true;
        return;
    }
    if (c->field->kind == PZ_PACK_INT) {
        int64_t v = pz_pack_i64(c->field, row);
        c->min = !c->any || v < c->min ? v : c->min;
        c->max = !c->any || v > c->max ? v : c->max;
    } else if (c->field->kind == PZ_PACK_REAL) {
        double v;
        memcpy(&v, row + c->field->at, sizeof v);
        c->wide |= (double)(float)v != v;
    } else if (c->recode) {
        c->recode[pz_row_u32(row, c->field->at)] = 1;
    }
    c->any = true;
}

static bool
may_be_null(const struct column *c)
{
    return c->layout->seen_null[c->field - c->layout->field];
}

/* Is there nothing to learn by looking at rows? */
static bool
known(const struct column *c)
{
    bool flat = c->field->kind == PZ_PACK_CODE || c->field->kind == PZ_PACK_BOOL;
    return c->field->kind == PZ_PACK_ORDER || (flat && !c->recode && !may_be_null(c));
}

struct all {
    struct column *column;
    size_t n;
    size_t width;
};

/* The range of an integer field that is never null. */
static void
learn_range(struct column *c, const char *row, size_t n, size_t width)
{
    const struct pz_pack_field *f = c->field;
    int64_t min = c->any ? c->min : pz_pack_i64(f, row), max = c->any ? c->max : min;
    for (size_t k = 0; k < n; k++) {
        int64_t v = pz_pack_i64(f, row + k * width);
        min = v < min ? v : min;
        max = v > max ? v : max;
    }
    c->min = min;
    c->max = max;
    c->any = true;
}

static int
learn_run(void *ctx, const char *row, size_t n, struct pz_err *err)
{
    struct all *a = ctx;
    (void)err;
    for (size_t f = 0; f < a->n; f++) {
        struct column *c = &a->column[f];
        if (known(c))
            continue;
        if (c->field->kind == PZ_PACK_INT && !may_be_null(c)) {
            learn_range(c, row, n, a->width);
            continue;
        }
        for (size_t k = 0; k < n; k++)
            learn(c, row + k * a->width);
    }
    return PZ_OK;
}

static enum pz_dtype
narrowest(int64_t min, int64_t max)
{
    if (min >= 0)
        return max <= UINT8_MAX    ? PZ_U8
               : max <= UINT16_MAX ? PZ_U16
               : max <= UINT32_MAX ? PZ_U32
                                   : PZ_I64;
    return min >= INT32_MIN && max <= INT32_MAX ? PZ_I32 : PZ_I64;
}

/* Drops the values that no row uses; recode[v] becomes the new code of value v. */
static void
prune_values(struct column *c, struct pz_values *v)
{
    uint64_t n = 0;
    int64_t end = 0;
    for (uint64_t i = 0; i < v->n; i++) {
        if (!c->recode[i])
            continue;
        int64_t from = v->offsets[i], len = v->offsets[i + 1] - from;
        memmove(v->bytes + end, v->bytes + from, (size_t)len);
        c->recode[i] = (uint32_t)n;
        v->offsets[n++] = end; // n <= i: the old offsets behind are still there
        end += len;
    }
    v->offsets[n] = end;
    v->n = n;
}

/* ---- writing ---- */

/* n integers, narrowed to dtype t; in place: a narrower one never overtakes the wide. */
static void
narrow(enum pz_dtype t, int64_t *v, size_t n)
{
    uint8_t *u8 = (uint8_t *)v;
    for (size_t k = 0; t == PZ_U8 && k < n; k++)
        u8[k] = (uint8_t)v[k];
    for (size_t k = 0; t == PZ_U16 && k < n; k++) {
        uint16_t x = (uint16_t)v[k];
        memcpy(u8 + 2 * k, &x, sizeof x);
    }
    for (size_t k = 0; (t == PZ_U32 || t == PZ_I32) && k < n; k++) {
        uint32_t x = (uint32_t)v[k];
        memcpy(u8 + 4 * k, &x, sizeof x);
    }
}

/* A field's codes, integers or booleans of n rows. */
static void
gather_integers(const struct column *c, const char *row, size_t n, int64_t *to)
{
    const struct pz_pack_field *f = c->field;
    size_t width = c->rows->width;
    if (f->kind == PZ_PACK_INT || f->kind == PZ_PACK_ORDER) {
        for (size_t k = 0; k < n; k++)
            to[k] = pz_pack_i64(f, row + k * width);
    } else if (f->kind == PZ_PACK_BOOL) {
        for (size_t k = 0; k < n; k++)
            to[k] = row[k * width + f->at];
    } else {
        for (size_t k = 0; k < n; k++) {
            uint32_t code = pz_row_u32(row + k * width, f->at);
            if (code == UINT32_MAX && !f->is_id)
                code = 0; // null
            else if (c->recode)
                code = c->recode[code];
            to[k] = code;
        }
    }
}

/* A field's reals of n rows, in the width they are written in. */
static void
gather_reals(const struct column *c, const char *row, size_t n, void *to)
{
    for (size_t k = 0; k < n; k++) {
        double v;
        memcpy(&v, row + k * c->rows->width + c->field->at, sizeof v);
        if (c->dtype == PZ_F32)
            ((float *)to)[k] = (float)v;
        else
            ((double *)to)[k] = v;
    }
}

/* Codes and times to 16 or 32 bits in one step: what most of a dataset consists of. */
static bool
gather_short(const struct column *c, const char *row, size_t n, void *to)
{
    const struct pz_pack_field *f = c->field;
    size_t width = c->rows->width;
    bool codes = f->kind == PZ_PACK_CODE && !c->nulls && !c->recode;
    if (codes && c->dtype == PZ_U16) {
        uint16_t *u16 = to;
        for (size_t k = 0; k < n; k++)
            u16[k] = (uint16_t)pz_row_u32(row + k * width, f->at);
        return true;
    }
    uint32_t *u32 = to;
    if (codes && c->dtype == PZ_U32) {
        for (size_t k = 0; k < n; k++)
            u32[k] = pz_row_u32(row + k * width, f->at);
        return true;
    }
    if (f->kind == PZ_PACK_ORDER && c->dtype == PZ_U32) {
        for (size_t k = 0; k < n; k++)
            u32[k] = (uint32_t)pz_row_order(row + k * width);
        return true;
    }
    return false;
}

static int
fill_run(void *ctx, const char *row, size_t n, struct pz_err *err)
{
    struct column *c = ctx;
    int64_t to[CHUNK];
    for (size_t done = 0; done < n; done += CHUNK) {
        size_t m = n - done < CHUNK ? n - done : CHUNK;
        const char *from = row + done * c->rows->width;
        if (c->field->kind == PZ_PACK_REAL) {
            gather_reals(c, from, m, to);
        } else if (!gather_short(c, from, m, to)) {
            gather_integers(c, from, m, to);
            narrow(c->dtype, to, m);
        }
        int r = pz_sink_write(c->sink, to, m * pz_dtype_size(c->dtype), err);
        if (r)
            return r;
    }
    return PZ_OK;
}

static int
fill(void *ctx, struct pz_sink *sink, struct pz_err *err)
{
    struct column *c = ctx;
    c->sink = sink;
    return pz_rows_walk(c->rows, fill_run, c, err);
}

static int
valid_run(void *ctx, const char *row, size_t n, struct pz_err *err)
{
    struct column *c = ctx;
    uint8_t to[CHUNK];
    for (size_t done = 0; done < n; done += CHUNK) {
        size_t m = n - done < CHUNK ? n - done : CHUNK;
        for (size_t k = 0; k < m; k++)
            to[k] = !pz_pack_null(c->layout, c->field, row + (done + k) * c->rows->width);
        int r = pz_sink_write(c->sink, to, m, err);
        if (r)
            return r;
    }
    return PZ_OK;
}

static int
fill_valid(void *ctx, struct pz_sink *sink, struct pz_err *err)
{
    struct column *c = ctx;
    c->sink = sink;
    return pz_rows_walk(c->rows, valid_run, c, err);
}

static int
add_column(struct pz_builder *b, struct column *c, const struct pz_values *values,
           struct pz_err *err)
{
    char name[256];
    const char *field = c->field->field->name;
    uint64_t n = c->rows->n;
    int r = PZ_OK;
    snprintf(name, sizeof name, "col.%s", field);
    pz_builder_stream(b, name, c->dtype, 1, &n, fill, c);
    if (c->nulls) {
        snprintf(name, sizeof name, "col.%s.valid", field);
        pz_builder_stream(b, name, PZ_BOOL, 1, &n, fill_valid, c);
    }
    if (c->field->kind == PZ_PACK_CODE) {
        const struct pz_values *v = &values[c->field->code];
        snprintf(name, sizeof name, "dict.%s", field);
        r = pz_ids_add(b, name, v->n, v->bytes, v->offsets, false, err);
    }
    return r;
}

static int
add_ids(struct pz_builder *b, const struct pz_schema *schema, const struct pz_layout *l,
        const struct pz_rows *rows, const struct pz_values *values, struct column *item,
        struct pz_err *err)
{
    bool people = schema->at[PZ_ROLE_USER] >= 0;
    int r = pz_ids_add(b, people ? "user" : "item", values[0].n, values[0].bytes,
                       values[0].offsets, true, err);
    if (r || !l->events)
        return r;
    r = pz_ids_add(b, "item", values[1].n, values[1].bytes, values[1].offsets, true, err);
    uint64_t n = rows->n_ids + 1;
    pz_builder_borrow(b, "row.offsets", PZ_U64, 1, &n, rows->offsets);
    item->dtype = narrowest(0, (int64_t)values[1].n - 1);
    pz_builder_stream(b, "row.item", item->dtype, 1, &rows->n, fill, item);
    return r;
}

static int
describe(struct pz_builder *b, const struct pz_schema *schema, struct pz_err *err)
{
    struct pz_buf text = PZ_BUF_INIT;
    static const char *const domain[] = {"", "ECOMMERCE", "VIDEO_ON_DEMAND"};
    pz_schema_text(schema, &text);
    int r = pz_buf_status(&text, "the schema", err);
    if (r == PZ_OK) {
        pz_builder_meta(b, "pz.kind", "dataset");
        pz_builder_meta(b, "pz.format", PZ_FORMAT_VERSION);
        pz_builder_meta(b, "dataset", pz_set_name(schema->set));
        pz_builder_meta(b, "domain", domain[schema->domain]);
        pz_builder_meta(b, "schema", text.data);
    }
    pz_buf_release(&text);
    return r;
}

/* Learns what the columns hold, in one walk when it is needed at all. */
static int
learn_columns(struct column *column, size_t n, const struct pz_rows *rows,
              struct pz_values *values, bool prune, struct pz_err *err)
{
    struct all all = {column, n, rows->width};
    bool walk = false;
    int r = PZ_OK;
    for (size_t f = 0; f < n && r == PZ_OK && prune; f++)
        if (column[f].field->kind == PZ_PACK_CODE)
            r = pz_new(&column[f].recode, values[column[f].field->code].n,
                       sizeof *column[f].recode, "values in use", err);
    for (size_t f = 0; f < n; f++)
        walk |= !known(&column[f]);
    if (r == PZ_OK && walk)
        r = pz_rows_walk(rows, learn_run, &all, err);
    for (size_t f = 0; f < n && r == PZ_OK; f++) {
        struct column *c = &column[f];
        if (c->recode)
            prune_values(c, &values[c->field->code]);
        switch (c->field->kind) {
        case PZ_PACK_CODE:
            c->dtype = narrowest(0, (int64_t)values[c->field->code].n - 1);
            break;
        case PZ_PACK_INT:
            c->dtype = narrowest(c->nulls && c->min > 0 ? 0 : c->min, c->max);
            break;
        case PZ_PACK_ORDER:
            c->dtype = narrowest(rows->least, rows->greatest);
            break;
        case PZ_PACK_REAL:
            c->dtype = c->wide ? PZ_F64 : PZ_F32;
            break;
        case PZ_PACK_BOOL:
            c->dtype = PZ_U8;
            break;
        }
    }
    return r;
}

int
pz_columns_write(const char *path, int fd, const struct pz_schema *schema,
                 const struct pz_layout *l, const struct pz_rows *rows,
                 struct pz_values *values, bool prune, struct pz_err *err)
{
    struct pz_builder *b = NULL;
    struct column *column = NULL, item = {.layout = l, .rows = rows, .dtype = PZ_U32};
    size_t n = 0;
    int r = pz_new(&column, l->n_fields, sizeof *column, "columns", err);
    if (r)
        return r;
    for (size_t f = 0; f < l->n_fields; f++) {
        const struct pz_pack_field *p = &l->field[f];
        if (p->is_id && p->at == PZ_ROW_ITEM)
            item.field = p;
        else if (!p->is_id)
            column[n++] = (struct column){.layout = l, .rows = rows, .field = p};
    }
    r = learn_columns(column, n, rows, values, prune, err);
    if (r == PZ_OK)
        r = pz_builder_new(&b, err);
    if (r == PZ_OK)
        r = describe(b, schema, err);
    if (r == PZ_OK)
        r = add_ids(b, schema, l, rows, values, &item, err);
    for (size_t f = 0; f < n && r == PZ_OK; f++)
        r = add_column(b, &column[f], values, err);
    if (r == PZ_OK)
        r = fd < 0 ? pz_builder_write(b, path, err) : pz_builder_write_fd(b, fd, err);
    pz_builder_free(b);
    for (size_t f = 0; f < n; f++)
        free(column[f].recode);
    free(column);
    return r;
}
