#include "eval/pairs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "data/csv.h"
#include "data/header.h"
#include "data/jsonl.h"

/* ---- rows separated by tabs ---- */

struct tsv {
    size_t least, most;
    pz_row_fn fn;
    void *ctx;
    struct pz_cell *cell; // most
};

static int
tsv_row(struct tsv *t, const char *s, size_t n, struct pz_err *err)
{
    size_t n_cells = 0;
    const char *end = s + n;
    if (n && end[-1] == '\r')
        end--;
    if (s == end)
        return PZ_OK;
    for (;; s++) {
        const char *tab = memchr(s, '\t', (size_t)(end - s));
        const char *stop = tab ? tab : end;
        t->cell[n_cells++] = (struct pz_cell){s, (uint32_t)(stop - s), PZ_CELL_TEXT};
        if (!tab || n_cells == t->most)
            break;
        s = tab;
    }
    if (n_cells < t->least)
        return pz_err_set(err, PZ_DATA,
                          "has %zu columns; at least %zu, separated by "
                          "tabs, are needed",
                          n_cells, t->least);
    return t->fn(t->ctx, t->cell, n_cells, err);
}

static int
tsv_chunk(struct tsv *t, const struct pz_input *in, const struct pz_chunk *c,
          struct pz_err *err)
{
    uint64_t line = c->line;
    for (const char *s = c->data, *end = s + c->n; s < end; line++) {
        const char *stop = memchr(s, '\n', (size_t)(end - s));
        if (!stop)
            stop = end;
        if (tsv_row(t, s, (size_t)(stop - s), err))
            return pz_err_prefix(err, "%s:%" PRIu64 ": ", pz_input_name(in, c->file),
                                 line);
        s = stop + 1;
    }
    return PZ_OK;
}

static int
tsv_rest(struct tsv *t, struct pz_input *in, struct pz_chunk *c, struct pz_err *err)
{
    int r = pz_new(&t->cell, t->most, sizeof *t->cell, "a row", err);
    while (r == PZ_OK && c->n && (r = tsv_chunk(t, in, c, err)) == PZ_OK)
        r = pz_input_next(in, c, err);
    free(t->cell);
    return r;
}

int
pz_tsv_read(const char *path, size_t least, size_t most, pz_row_fn fn, void *ctx,
            struct pz_err *err)
{
    struct tsv t = {.least = least, .most = most, .fn = fn, .ctx = ctx};
    struct pz_input *in;
    struct pz_chunk c = {0};
    enum pz_format format; // a first id may begin with a brace: all is rows
    int r = pz_input_open(&in, &path, 1, &format, err);
    if (r)
        return r;
    r = pz_input_next(in, &c, err);
    if (r == PZ_OK)
        r = tsv_rest(&t, in, &c, err);
    pz_chunk_release(&c);
    pz_input_close(in);
    return r;
}

/* ---- files that import takes ---- */

struct reader {
    struct pz_input *in;
    struct pz_chunk chunk;
    enum pz_format format;
    struct pz_csv *csv;
    struct pz_jsonl *jsonl;
    struct pz_header header;
    pz_row_fn fn;
    void *ctx;
};

static struct pz_field pair_field[] = {
    {.name = (char *)"USER_ID", .type = PZ_STRING, .role = PZ_ROLE_USER},
    {.name = (char *)"ITEM_ID", .type = PZ_STRING, .role = PZ_ROLE_ITEM},
};

static struct pz_schema
pair_schema(void)
{
    struct pz_schema s = {.set = PZ_INTERACTIONS, .field = pair_field, .n_fields = 2};
    for (int i = 0; i < PZ_N_ROLES; i++)
        s.at[i] = -1;
    s.at[PZ_ROLE_USER] = 0;
    s.at[PZ_ROLE_ITEM] = 1;
    return s;
}

static int
bad_row(const struct reader *rd, const struct pz_row_at *at, struct pz_err *err)
{
    const char *name = pz_input_name(rd->in, rd->chunk.file);
    if (at->column)
        return pz_err_set(err, PZ_DATA, "%s:%" PRIu64 ":%u: %s", name, at->line,
                          at->column, at->reason);
    return pz_err_set(err, PZ_DATA, "%s:%" PRIu64 ": %s", name, at->line, at->reason);
}

static bool
is_id(const struct pz_cell *c)
{
    return (c->kind == PZ_CELL_TEXT || c->kind == PZ_CELL_NUMBER) && c->n > 0;
}

static int
pair_rows(struct reader *rd, struct pz_err *err)
{
    struct pz_cell cell[2] = {{.kind = PZ_CELL_ABSENT}, {.kind = PZ_CELL_ABSENT}};
    struct pz_row_at at;
    for (;;) {
        enum pz_row kind = rd->format == PZ_CSV ? pz_csv_next(rd->csv, cell, 2, NULL, &at)
                                                : pz_jsonl_next(rd->jsonl, cell, &at);
        if (kind == PZ_ROW_END)
            return PZ_OK;
        if (kind == PZ_ROW && !(is_id(&cell[0]) && is_id(&cell[1]))) {
            at.column = 0;
            at.reason = "has no USER_ID or no ITEM_ID";
            kind = PZ_ROW_BAD;
        }
        if (kind == PZ_ROW_BAD)
            return bad_row(rd, &at, err);
        if (rd->fn(rd->ctx, cell, 2, err))
            return pz_err_prefix(err, "%s:%" PRIu64 ": ",
                                 pz_input_name(rd->in, rd->chunk.file), at.line);
    }
}

static int
pair_chunk(struct reader *rd, const struct pz_schema *schema, struct pz_err *err)
{
    const struct pz_chunk *c = &rd->chunk;
    size_t from = 0;
    uint64_t line = c->line;
    if (rd->format == PZ_JSONL) {
        pz_jsonl_start(rd->jsonl, c->data, c->n, c->line);
        return pair_rows(rd, err);
    }
    static const struct pz_naming none;
    if (c->first &&
        pz_header_read(&rd->header, rd->csv, c, schema, &none, &from, &line, err))
        return pz_err_prefix(err, "%s:", pz_input_name(rd->in, c->file));
    pz_csv_start(rd->csv, c->data + from, c->n - from, line, rd->header.slot,
                 rd->header.n_columns);
    return pair_rows(rd, err);
}

/* The first line says how the rows are written. */
static bool
has_tabs(const struct pz_chunk *c)
{
    const char *end = memchr(c->data, '\n', c->n);
    return memchr(c->data, '\t', end ? (size_t)(end - c->data) : c->n) != NULL;
}

static int
pairs_rest(struct reader *rd, struct pz_err *err)
{
    struct pz_schema schema = pair_schema();
    if (rd->format == PZ_CSV && rd->chunk.n && has_tabs(&rd->chunk)) {
        struct tsv t = {.least = 2, .most = 2, .fn = rd->fn, .ctx = rd->ctx};
        return tsv_rest(&t, rd->in, &rd->chunk, err);
    }
    int r = rd->format == PZ_CSV ? pz_csv_new(&rd->csv, err)
                                 : pz_jsonl_new(&rd->jsonl, &schema, err);
    while (r == PZ_OK && rd->chunk.n && (r = pair_chunk(rd, &schema, err)) == PZ_OK)
        r = pz_input_next(rd->in, &rd->chunk, err);
    return r;
}

int
pz_pairs_read(const char *path, pz_row_fn fn, void *ctx, struct pz_err *err)
{
    struct reader rd = {.fn = fn, .ctx = ctx};
    int r = pz_input_open(&rd.in, &path, 1, &rd.format, err);
    if (r)
        return r;
    r = pz_input_next(rd.in, &rd.chunk, err);
    if (r == PZ_OK)
        r = pairs_rest(&rd, err);
    pz_header_release(&rd.header);
    pz_csv_free(rd.csv);
    pz_jsonl_free(rd.jsonl);
    pz_chunk_release(&rd.chunk);
    pz_input_close(rd.in);
    return r;
}

int
pz_pair_order(const void *a, const void *b)
{
    const struct pz_pair *x = a, *y = b;
    if (x->user != y->user)
        return x->user > y->user ? 1 : -1;
    return (x->item > y->item) - (x->item < y->item);
}
