#include "data/put_export.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"

enum { FLUSH = 1 << 16, FIXED = 10 };

/* A value of a column of this row; a quoted one is text in JSON. */
struct value {
    const char *s; // NULL: null
    size_t n;
    bool quoted;
};

struct put_export {
    enum pz_format format;
    pz_export_write write;
    void *ctx;
    struct pz_err *err;
    struct pz_buf out, texts; // texts: unescaped values of the row
    struct pz_scan scan;
    const char **name;         // of n_columns
    struct value *value;       // of the row at hand
    size_t n_fixed, n_columns; // those behind n_fixed come out of the properties
};

static int
send(struct put_export *x, size_t least)
{
    if (pz_buf_status(&x->out, "an export", x->err))
        return x->err->status;
    if (x->out.len < least || !x->out.len)
        return PZ_OK;
    int r = x->write(x->ctx, x->out.data, x->out.len, x->err);
    pz_buf_clear(&x->out);
    return r;
}

/* The column of a property; -1 when the schema has lost it. */
static int
find_column(const struct put_export *x, const char *s, size_t n)
{
    for (size_t c = x->n_fixed; c < x->n_columns; c++)
        if (strlen(x->name[c]) == n && memcmp(x->name[c], s, n) == 0)
            return (int)c;
    return -1;
}

/* The members of the properties into their columns; what is damaged ends them. */
static int
read_properties(struct put_export *x, const char *json)
{
    pz_buf_clear(&x->texts);
    // Values are kept by pointer: there must be room for all of them at once.
    if (!pz_buf_reserve(&x->texts, strlen(json) + 1))
        return pz_buf_status(&x->texts, "an event", x->err);
    pz_scan_start(&x->scan, json, strlen(json));
    if (pz_scan_next(&x->scan) != PZ_TOK_OBJECT)
        return PZ_OK;
    while (pz_scan_next(&x->scan) == PZ_TOK_KEY) {
        int c = find_column(x, x->scan.s, x->scan.len);
        enum pz_tok tok = pz_scan_next(&x->scan);
        struct value one = {x->scan.s, x->scan.len, tok == PZ_TOK_STRING};
        if (tok == PZ_TOK_TRUE || tok == PZ_TOK_FALSE) {
            one.s = tok == PZ_TOK_TRUE ? "true" : "false";
            one.n = strlen(one.s);
        } else if (tok != PZ_TOK_STRING && tok != PZ_TOK_NUMBER) {
            if (!pz_scan_skip(&x->scan, tok))
                return PZ_OK;
            continue;
        }
        if (c < 0)
            continue;
        if (one.s == x->scan.hold.data) {
            const char *to = x->texts.data + x->texts.len;
            pz_buf_add(&x->texts, one.s, one.n);
            one.s = to;
        }
        x->value[c] = one;
    }
    return PZ_OK;
}

static void
add_row(struct put_export *x)
{
    struct pz_buf *b = &x->out;
    const struct value *v = x->value;
    bool any = false;
    for (size_t c = 0; c < x->n_columns; c++) {
        if (x->format == PZ_CSV) {
            if (c)
                pz_buf_addc(b, ',');
            if (v[c].s)
                pz_export_cell(b, v[c].s, v[c].n);
            continue;
        }
        if (!v[c].s)
            continue;
        pz_buf_addc(b, any ? ',' : '{');
        any = true;
        pz_json_add_string(b, x->name[c], strlen(x->name[c]));
        pz_buf_addc(b, ':');
        if (v[c].quoted)
            pz_json_add_string(b, v[c].s, v[c].n);
        else
            pz_buf_add(b, v[c].s, v[c].n);
    }
    pz_buf_addz(b, x->format == PZ_CSV ? "\n" : "}\n");
}

static int
export_event(void *ctx, const struct pz_event *e)
{
    struct put_export *x = ctx;
    struct value *v = x->value;
    char time[PZ_NUM_TEXT], value[PZ_NUM_TEXT];
    const char *text[FIXED] = {
        e->id,   e->session, e->linked ? NULL : e->user, e->item,       NULL,
        e->type, NULL,       e->recommendation,          e->impression, e->source};
    memset(v, 0, x->n_columns * sizeof *v);
    for (int c = 0; c < FIXED; c++)
        v[c] = (struct value){text[c], text[c] ? strlen(text[c]) : 0, true};
    v[4] = (struct value){time, pz_format_i64(time, e->time), false};
    if (e->has_value)
        v[6] = (struct value){value, pz_format_f64(value, e->value), false};
    if (e->properties && read_properties(x, e->properties))
        return x->err->status;
    add_row(x);
    return send(x, FLUSH);
}

static void
name_columns(struct put_export *x, enum pz_event_kind kind,
             const struct pz_schema *schema)
{
    static const struct {
        const char *name;
        enum pz_role role;
    } fixed[FIXED] = {
        {"EVENT_ID", PZ_ROLE_NONE},
        {"SESSION_ID", PZ_ROLE_NONE},
        {"USER_ID", PZ_ROLE_USER},
        {"ITEM_ID", PZ_ROLE_ITEM},
        {"TIMESTAMP", PZ_ROLE_TIMESTAMP},
        {"EVENT_TYPE", PZ_ROLE_EVENT_TYPE},
        {"EVENT_VALUE", PZ_ROLE_EVENT_VALUE},
        {"RECOMMENDATION_ID", PZ_ROLE_RECOMMENDATION},
        {"IMPRESSION", PZ_ROLE_IMPRESSION},
        {"EVENT_ATTRIBUTION_SOURCE", PZ_ROLE_ATTRIBUTION},
    };
    for (int c = 0; c < FIXED; c++) {
        x->name[c] = fixed[c].name;
        if (kind == PZ_EVENT_ACTION && fixed[c].role == PZ_ROLE_ITEM)
            x->name[c] = "ACTION_ID";
        for (size_t f = 0; schema && f < schema->n_fields; f++)
            if (fixed[c].role != PZ_ROLE_NONE && schema->field[f].role == fixed[c].role)
                x->name[c] = schema->field[f].name;
    }
    x->n_fixed = x->n_columns = FIXED;
    for (size_t f = 0; schema && f < schema->n_fields; f++)
        if (schema->field[f].role == PZ_ROLE_NONE ||
            schema->field[f].role == PZ_ROLE_CREATION)
            x->name[x->n_columns++] = schema->field[f].name;
}

/* ---- items, users and actions ---- */

static int
export_record(void *ctx, const char *id, const char *properties, int64_t time)
{
    struct put_export *x = ctx;
    (void)time;
    memset(x->value, 0, x->n_columns * sizeof *x->value);
    if (read_properties(x, properties))
        return x->err->status;
    x->value[0] = (struct value){id, strlen(id), true};
    add_row(x);
    return send(x, FLUSH);
}

static void
name_record_columns(struct put_export *x, enum pz_record_kind kind,
                    const struct pz_schema *schema)
{
    static const enum pz_role role[] = {[PZ_RECORD_ITEM] = PZ_ROLE_ITEM,
                                        [PZ_RECORD_USER] = PZ_ROLE_USER,
                                        [PZ_RECORD_ACTION] = PZ_ROLE_ACTION};
    static const char *const id[] = {[PZ_RECORD_ITEM] = "ITEM_ID",
                                     [PZ_RECORD_USER] = "USER_ID",
                                     [PZ_RECORD_ACTION] = "ACTION_ID"};
    x->name[0] = id[kind];
    x->n_fixed = x->n_columns = 1;
    for (size_t f = 0; schema && f < schema->n_fields; f++)
        if (schema->field[f].role == role[kind])
            x->name[0] = schema->field[f].name;
        else
            x->name[x->n_columns++] = schema->field[f].name;
}

/* ---- all of them ---- */

static void
free_export(struct put_export *x)
{
    pz_scan_release(&x->scan);
    pz_buf_release(&x->out);
    pz_buf_release(&x->texts);
    free(x->name);
    free(x->value);
    free(x);
}

static int
open_export(struct put_export **out, const struct pz_schema *schema,
            enum pz_format format, pz_export_write write, void *ctx, struct pz_err *err)
{
    struct put_export *x = NULL;
    size_t most = FIXED + (schema ? schema->n_fields : 0);
    if (pz_new(&x, 1, sizeof *x, "an export", err))
        return err->status;
    if (pz_new(&x->name, most, sizeof *x->name, "an export", err) ||
        pz_new(&x->value, most, sizeof *x->value, "an export", err)) {
        free_export(x);
        return err->status;
    }
    x->format = format;
    x->write = write;
    x->ctx = ctx;
    x->err = err;
    pz_scan_init(&x->scan);
    *out = x;
    return PZ_OK;
}

static void
add_header(struct put_export *x)
{
    for (size_t c = 0; c < x->n_columns && x->format == PZ_CSV; c++) {
        if (c)
            pz_buf_addc(&x->out, ',');
        pz_export_cell(&x->out, x->name[c], strlen(x->name[c]));
    }
    if (x->format == PZ_CSV)
        pz_buf_addc(&x->out, '\n');
}

/* Writes the rest; frees x. */
static int
close_export(struct put_export *x, int status)
{
    if (!status)
        status = send(x, 0);
    free_export(x);
    return status;
}

int
pz_put_export(struct pz_estore *s, enum pz_event_kind kind,
              const struct pz_schema *schema, enum pz_format format,
              pz_export_write write, void *ctx, struct pz_err *err)
{
    struct put_export *x = NULL;
    if (open_export(&x, schema, format, write, ctx, err))
        return err->status;
    name_columns(x, kind, schema);
    add_header(x);
    return close_export(x, pz_estore_walk(s, kind, 0, export_event, x, err));
}

int
pz_put_export_records(struct pz_estore *s, enum pz_record_kind kind,
                      const struct pz_schema *schema, enum pz_format format,
                      pz_export_write write, void *ctx, struct pz_err *err)
{
    struct put_export *x = NULL;
    if (open_export(&x, schema, format, write, ctx, err))
        return err->status;
    name_record_columns(x, kind, schema);
    add_header(x);
    return close_export(x, pz_estore_records(s, kind, 0, export_record, x, err));
}
