#include "data/export.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"

#define PIECE (1u << 20) // bytes gathered for a write

/* Where a field's values come from. */
struct source {
    const struct pz_field *field;
    const struct pz_column *column; // NULL: an id
    const struct pz_ids *ids;
    bool owner; // an id that rows are grouped by, else row_item's
};

/* One value: text (id or string), or a number's text, or null. */
struct value {
    const char *s;
    size_t n;
    bool null, text;
    char number[PZ_NUM_TEXT];
};

void
pz_export_cell(struct pz_buf *b, const char *s, size_t n)
{
    bool quote = n && s[0] == '"';
    for (size_t i = 0; i < n && !quote; i++)
        quote = s[i] == ',' || s[i] == '\n' || s[i] == '\r';
    if (!quote) {
        pz_buf_add(b, s, n);
        return;
    }
    /*
     * Inside quotes pz-import, like other readers of this world's files, takes a
     * backslash before a quote or another backslash as an escape. So there it is doubled;
     * elsewhere it stays, and the cell is what RFC 4180 says.
     */
    pz_buf_addc(b, '"');
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '"') {
            pz_buf_addc(b, '"');
        } else if (s[i] == '\\') {
            size_t run = 1;
            while (i + run < n && s[i + run] == '\\')
                run++;
            bool escapes = run > 1 || i + run == n || s[i + run] == '"';
            for (size_t k = 0; k < run * (escapes ? 2 : 1); k++)
                pz_buf_addc(b, '\\');
            i += run - 1;
            continue;
        }
        pz_buf_addc(b, s[i]);
    }
    pz_buf_addc(b, '"');
}

static int
bad_value(const struct pz_dataset *d, const struct source *src, uint64_t row,
          struct pz_err *err)
{
    return pz_err_set(err, PZ_FORMAT, "%s: damaged: row %llu has no value for '%s'",
                      d->file.path, (unsigned long long)row, src->field->name);
}

static int
get_value(const struct pz_dataset *d, const struct source *src, uint64_t owner,
          uint64_t row, struct value *v, struct pz_err *err)
{
    v->null = false;
    v->text = !src->column || src->field->type == PZ_STRING;
    if (!src->column) {
        uint64_t id = src->owner ? owner : pz_dataset_item(d, row);
        v->s = id < src->ids->n ? pz_ids_get(src->ids, (uint32_t)id, &v->n) : NULL;
        return v->s ? PZ_OK : bad_value(d, src, row, err);
    }
    v->null = src->column->valid && !src->column->valid[row];
    if (v->null)
        return PZ_OK;
    if (v->text) {
        v->s = pz_column_text(src->column, row, &v->n);
        return v->s ? PZ_OK : bad_value(d, src, row, err);
    }
    int64_t whole;
    double real = 0;
    v->s = v->number;
    if (!pz_column_i64(src->column, row, &whole)) {
        /* As double even where it is stored as F32: the import reads doubles. */
        pz_column_f64(src->column, row, &real);
        v->n = pz_format_f64(v->number, real);
    } else if (src->field->type == PZ_BOOLEAN) {
        v->s = whole ? "true" : "false";
        v->n = whole ? 4 : 5;
    } else {
        v->n = pz_format_i64(v->number, whole);
    }
    return PZ_OK;
}

static void
add_csv(struct pz_buf *b, size_t f, const struct value *v)
{
    if (f)
        pz_buf_addc(b, ',');
    if (v->null)
        return;
    if (v->text)
        pz_export_cell(b, v->s, v->n);
    else
        pz_buf_add(b, v->s, v->n);
}

static void
add_json(struct pz_buf *b, size_t f, const char *name, const struct value *v)
{
    pz_buf_addc(b, f ? ',' : '{');
    pz_json_add_string(b, name, strlen(name));
    pz_buf_addc(b, ':');
    if (v->null)
        pz_buf_addz(b, "null");
    else if (v->text)
        pz_json_add_string(b, v->s, v->n);
    else
        pz_buf_add(b, v->s, v->n);
}

/* The sources of all fields, in the schema's order. */
static int
find_sources(const struct pz_dataset *d, struct source *src, struct pz_err *err)
{
    for (size_t f = 0; f < d->schema.n_fields; f++) {
        const struct pz_field *field = &d->schema.field[f];
        src[f] = (struct source){.field = field};
        if (field->role == PZ_ROLE_USER) {
            src[f].ids = &d->user;
            src[f].owner = true;
        } else if (field->role == PZ_ROLE_ITEM || field->role == PZ_ROLE_ACTION) {
            src[f].ids = &d->item;
            src[f].owner = !d->row_item;
        } else {
            src[f].column = pz_dataset_column(d, field->name);
        }
        if (!src[f].column && (!src[f].ids || !src[f].ids->offsets))
            return pz_err_set(err, PZ_FORMAT, "%s: no column '%s'", d->file.path,
                              field->name);
    }
    return PZ_OK;
}

/* Writes what is gathered once it is much, or at the end. */
static int
flush(struct pz_buf *b, size_t least, pz_export_write write, void *ctx,
      struct pz_err *err)
{
    if (b->len < least && !b->failed)
        return PZ_OK;
    int status = pz_buf_status(b, "a row", err);
    if (!status && b->len)
        status = write(ctx, b->data, b->len, err);
    pz_buf_clear(b);
    return status;
}

int
pz_export(const struct pz_dataset *d, enum pz_format format, pz_export_write write,
          void *ctx, struct pz_err *err)
{
    size_t n_fields = d->schema.n_fields;
    struct pz_buf b = PZ_BUF_INIT;
    struct source *src;
    struct value v;
    uint64_t owner = 0;
    int status = pz_new(&src, n_fields, sizeof *src, "columns", err);
    if (status)
        return status;
    status = find_sources(d, src, err);
    for (size_t f = 0; f < n_fields && format == PZ_CSV; f++) {
        const char *name = d->schema.field[f].name;
        add_csv(&b, f, &(struct value){.s = name, .n = strlen(name), .text = true});
    }
    if (format == PZ_CSV)
        pz_buf_addc(&b, '\n');
    for (uint64_t r = 0; r < d->n_rows && !status; r++) {
        if (!d->row_offsets)
            owner = r;
        while (d->row_offsets && owner < d->user.n && r >= d->row_offsets[owner + 1])
            owner++;
        for (size_t f = 0; f < n_fields && !status; f++) {
            status = get_value(d, &src[f], owner, r, &v, err);
            if (status)
                break;
            if (format == PZ_CSV)
                add_csv(&b, f, &v);
            else
                add_json(&b, f, src[f].field->name, &v);
        }
        pz_buf_addz(&b, format == PZ_CSV ? "\n" : "}\n");
        if (!status)
            status = flush(&b, PIECE, write, ctx, err);
    }
    if (!status)
        status = flush(&b, 0, write, ctx, err);
    pz_buf_release(&b);
    free(src);
    return status;
}
