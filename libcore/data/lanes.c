#include "data/lanes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/par.h"

/* ---- headers ---- */

/* Reads the header of a file's first chunk; the rows start at *from, at line *line. */
static int
meet_header(struct pz_lanes *l, struct pz_lane *lane, size_t *from, uint64_t *line,
            struct pz_err *err)
{
    const struct pz_chunk *c = &lane->chunk;
    struct pz_lane_header *h = &l->header[c->file];
    int r =
        pz_header_read(&h->map, lane->csv, c, l->schema, &l->p->naming, from, line, err);
    if (r == PZ_DATA)
        pz_input_place(l->input, c->file, err);
    if (r == PZ_OK && c->file == 0)
        r = pz_rejects_header(l->rejects, c->data, *from, err);
    if (r)
        return r;
    pthread_mutex_lock(&l->lock);
    h->ready = true;
    pthread_cond_broadcast(&l->published);
    pthread_mutex_unlock(&l->lock);
    return PZ_OK;
}

/* The column numbers of a file whose header another thread may still be reading; NULL: a
 * chunk before this one failed. */
static const struct pz_header *
wait_header(struct pz_lanes *l, const struct pz_chunk *c)
{
    const struct pz_lane_header *h = &l->header[c->file];
    pthread_mutex_lock(&l->lock);
    while (!h->ready && l->failed > c->seq)
        pthread_cond_wait(&l->published, &l->lock);
    bool ready = h->ready;
    pthread_mutex_unlock(&l->lock);
    return ready ? &h->map : NULL;
}

/* The chunk seq failed. */
static void
give_up(struct pz_lanes *l, uint64_t seq, const struct pz_err *err)
{
    pthread_mutex_lock(&l->lock);
    if (seq < l->failed) {
        l->err = *err;
        __atomic_store_n(&l->failed, seq, __ATOMIC_RELAXED);
    }
    pthread_cond_broadcast(&l->published);
    pthread_mutex_unlock(&l->lock);
}

/* ---- rows ---- */

static int
reject(struct pz_lanes *l, struct pz_lane *lane, const struct pz_row_at *at,
       unsigned column, const char *reason, struct pz_err *err)
{
    char message[1024];
    bool bytes = !l->p->encoding && strcmp(reason, "is not valid UTF-8") == 0;
    bool id = !l->p->max_rejects && strstr(reason, "is empty: an id is needed");
    const char *file = pz_input_name(l->input, lane->chunk.file);
    if (column)
        snprintf(message, sizeof message, "%s:%" PRIu64 ":%u: %s%s", file, at->line,
                 column, reason,
                 bytes ? " (--encoding WINDOWS-1252, or another, reads it)"
                 : id  ? " (--max-rejects -1 leaves such rows out)"
                       : "");
    else
        snprintf(message, sizeof message, "%s:%" PRIu64 ": %s", file, at->line, reason);
    return pz_rejected_add(&lane->bad, message, at->raw, at->n_raw, err);
}

static int
add_row(struct pz_lanes *l, struct pz_lane *lane, const struct pz_cell *cell,
        int64_t order, struct pz_err *err)
{
    int r = PZ_OK;
    if (pz_rows_full(l->rows, &lane->rows))
        r = pz_convert_flush(&lane->convert, err);
    if (r == PZ_OK)
        r = pz_rows_room(l->rows, &lane->rows, err);
    if (r)
        return r;
    r = pz_convert_row(&lane->convert, cell, order, pz_rows_next(l->rows, &lane->rows),
                       err);
    if (r == PZ_OK)
        pz_rows_push(&lane->rows);
    return r;
}

/* In sets with one row an id the last in the input's order stays; 0 is the dataset's own.
 * A row has a line at least. */
static int64_t
order_in(const struct pz_lane *lane, uint64_t n_in_chunk)
{
    return (int64_t)(lane->chunk.before + n_in_chunk + 1);
}

static int
take_row(struct pz_lanes *l, struct pz_lane *lane, const struct pz_header *map,
         const struct pz_row_at *at, uint64_t n_in_chunk, struct pz_err *err)
{
    int r = add_row(l, lane, lane->cell, order_in(lane, n_in_chunk), err);
    if (r != PZ_DATA || !lane->convert.reason[0])
        return r;
    unsigned column = map ? map->column[lane->convert.bad_field] : at->column;
    const struct pz_field *field = &l->schema->field[lane->convert.bad_field];
    size_t n = strlen(lane->convert.reason);
    if (l->inferred && field->role == PZ_ROLE_NONE && field->type != PZ_STRING) {
        snprintf(
            lane->convert.reason + n, sizeof lane->convert.reason - n,
            " (its type was inferred from the first rows; -s FILE can give another)");
        char text[PZ_NUMBER_BYTES];
        struct pz_cell plain =
            pz_convert_plain(&lane->convert, &lane->cell[lane->convert.bad_field], text);
        if (!lane->bad.n) // a wider type does not help where a bad row comes first
            pz_widening_note(l->widening, &plain, lane->convert.bad_field, field->type);
    }
    r = reject(l, lane, at, column, lane->convert.reason, err);
    lane->convert.reason[0] = 0;
    return r;
}

/* Rows while they come as a table; *n counts those of the chunk. */
static int
read_tables(struct pz_lanes *l, struct pz_lane *lane, const struct pz_header *map,
            uint64_t *n, struct pz_err *err)
{
    struct pz_csv_table t;
    size_t want = 0, done = 0;
    int r = PZ_OK;
    while (done == want && r == PZ_OK) {
        pz_csv_peek(lane->csv, &t);
        if (!t.n_rows)
            break;
        if (pz_rows_full(l->rows, &lane->rows))
            r = pz_convert_flush(&lane->convert, err);
        if (r == PZ_OK)
            r = pz_rows_room(l->rows, &lane->rows, err);
        if (r)
            break;
        want = l->rows->per_block - lane->rows.n_open;
        want = want < t.n_rows ? want : t.n_rows;
        r = pz_convert_table(&lane->convert, &t, want, map->column, order_in(lane, *n),
                             pz_rows_next(l->rows, &lane->rows), &done, err);
        lane->rows.n_open += (uint32_t)done;
        pz_csv_skip(lane->csv, done);
        *n += done;
    }
    return r;
}

static int
read_rows(struct pz_lanes *l, struct pz_lane *lane, const struct pz_header *map,
          struct pz_err *err)
{
    struct pz_row_at at;
    uint64_t n = 0;
    for (;; n++) {
        int r = map ? read_tables(l, lane, map, &n, err) : PZ_OK;
        if (r)
            return r;
        enum pz_row kind =
            l->format == PZ_CSV
                ? pz_csv_next(lane->csv, lane->cell, l->schema->n_fields, NULL, &at)
                : pz_jsonl_next(lane->jsonl, lane->cell, &at);
        if (kind == PZ_ROW_END)
            break;
        r = kind == PZ_ROW ? take_row(l, lane, map, &at, n, err)
                           : reject(l, lane, &at, at.column, at.reason, err);
        if (r)
            return r;
    }
    lane->rows_read += n;
    return pz_convert_flush(&lane->convert, err);
}

/* ---- chunks ---- */

static int
read_chunk(struct pz_lanes *l, struct pz_lane *lane, struct pz_err *err)
{
    const struct pz_chunk *c = &lane->chunk;
    if (!l->layout->events && c->before + c->n + 1 >= (uint64_t)PZ_ORDER_LIMIT)
        return pz_err_set(err, PZ_DATA,
                          "%s:%" PRIu64 ": one import takes up to %" PRId64
                          " lines: bring the others with --mode incremental",
                          pz_input_name(l->input, c->file), c->line, PZ_ORDER_LIMIT - 1);
    if (l->format == PZ_JSONL) {
        pz_jsonl_start(lane->jsonl, c->data, c->n, c->line);
        return read_rows(l, lane, NULL, err);
    }
    size_t from = 0;
    uint64_t line = c->line;
    if (c->first) {
        int r = meet_header(l, lane, &from, &line, err);
        if (r)
            return r;
    }
    const struct pz_header *map = wait_header(l, c);
    if (!map)
        return PZ_OK; // the thread that failed says why
    for (size_t f = 0; f < l->schema->n_fields; f++)
        lane->cell[f] = (struct pz_cell){.kind = PZ_CELL_ABSENT};
    pz_csv_start(lane->csv, c->data + from, c->n - from, line, map->slot, map->n_columns);
    return read_rows(l, lane, map, err);
}

static int
lane_run(void *ctx, size_t task, int thread, struct pz_err *err)
{
    struct pz_lanes *l = ctx;
    struct pz_lane *lane = &l->lane[task];
    (void)thread;
    uint64_t seq = UINT64_MAX - 1; // of the input: behind all that came of it
    int r = PZ_OK;
    // Lane 0 starts with the first chunk, which was read for the schema's sake.
    if (task > 0)
        r = pz_input_next(l->input, &lane->chunk, err);
    while (r == PZ_OK && lane->chunk.n &&
           lane->chunk.seq < __atomic_load_n(&l->failed, __ATOMIC_RELAXED)) {
        r = read_chunk(l, lane, err);
        if (r)
            seq = lane->chunk.seq;
        if (r || pz_rejects_done(l->rejects, lane->chunk.seq, &lane->bad))
            break;
        uint64_t total, done = pz_input_done(l->input, &total);
        pz_progress("reading", done, total);
        r = pz_input_next(l->input, &lane->chunk, err);
    }
    if (r)
        give_up(l, seq, err);
    return r;
}

/* ---- the whole ---- */

/* Columns of CSV that the schema does not have. With one that was inferred, they are
 * without a name, which in --header is on purpose, or in later files only. */
static void
warn_ignored(const struct pz_lanes *l)
{
    for (unsigned file = 0; file < l->n_files; file++)
        if (l->header[file].map.ignored && !(l->inferred && l->p->header))
            pz_log(PZ_LOG_WARN, "%s: %s%s", pz_input_name(l->input, file),
                   !l->inferred
                       ? "the dataset's schema, which is used without -s and --infer, "
                         "does not have these columns, and they are left out: "
                   : file ? "not in the first file, and left out: "
                          : "left out: ",
                   l->header[file].map.ignored);
}

/* Keys of JSON lines that the dataset's schema does not have. */
static void
warn_unknown(const struct pz_lanes *l)
{
    for (int t = 0; t < l->n; t++) {
        const char *name;
        if (pz_jsonl_unknown(l->lane[t].jsonl, &name)) {
            pz_log(PZ_LOG_WARN,
                   "%s: the dataset's schema, which is used without -s and --infer, does "
                   "not have all keys, and they are left out: '%s' is one",
                   pz_input_name(l->input, 0), name);
            return;
        }
    }
}

int
pz_lanes_read(struct pz_lanes *l, struct pz_chunk *first, struct pz_err *err)
{
    l->lane[0].chunk = *first;
    *first = (struct pz_chunk){0};
    int r = pz_par(l->n, (size_t)l->n, lane_run, l, err);
    if (l->failed < UINT64_MAX) {
        *err = l->err;
        r = err->status;
    }
    for (int t = 0; t < l->n; t++)
        l->rows_read += l->lane[t].rows_read;
    if (l->rejects->stop && (r == PZ_OK || l->rejects->err.status == PZ_DATA)) {
        *err = l->rejects->err;
        return err->status;
    }
    if (r == PZ_OK && !l->p->schema_path && l->format == PZ_CSV)
        warn_ignored(l);
    else if (r == PZ_OK && !l->p->schema_path && !l->inferred)
        warn_unknown(l);
    if (r == PZ_OK && l->rows_read == 0)
        return pz_err_set(err, PZ_DATA, "%s: no rows behind the header",
                          pz_input_name(l->input, 0));
    if (r == PZ_OK && l->rows_read == l->rejects->n)
        return pz_err_set(err, PZ_DATA, "%s: all %" PRIu64 " rows were rejected",
                          pz_input_name(l->input, 0), l->rejects->n);
    return r;
}

int
pz_lanes_add(struct pz_lanes *l, const struct pz_cell *cell, int64_t order,
             struct pz_err *err)
{
    l->rows_read++;
    return add_row(l, &l->lane[0], cell, order, err);
}

int
pz_lanes_flush(struct pz_lanes *l, struct pz_err *err)
{
    return pz_convert_flush(&l->lane[0].convert, err);
}

int
pz_lanes_make(struct pz_lanes *l, struct pz_err *err)
{
    const struct pz_import *p = l->p;
    l->n = l->widening->alone ? 1 : pz_threads(p->threads);
    if (l->n > PZ_LANES_MAX)
        l->n = PZ_LANES_MAX;
    l->n_files = p->n_paths ? p->n_paths : 1;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->published, NULL);
    l->made = true;
    l->failed = UINT64_MAX;
    int r = pz_new(&l->lane, (size_t)l->n, sizeof *l->lane, "threads", err);
    if (r == PZ_OK)
        r = pz_new(&l->header, l->n_files, sizeof *l->header, "headers", err);
    for (int t = 0; t < l->n && r == PZ_OK; t++) {
        struct pz_lane *lane = &l->lane[t];
        r = pz_convert_init(&lane->convert, l->layout, p->times, p->strict, err);
        lane->convert.decimal = p->decimal;
        if (r == PZ_OK)
            r = pz_new(&lane->cell, l->schema->n_fields, sizeof *lane->cell, "cells",
                       err);
        if (r == PZ_OK)
            r = l->format == PZ_CSV ? pz_csv_new(&lane->csv, err)
                                    : pz_jsonl_new(&lane->jsonl, l->schema, err);
        if (lane->csv)
            pz_csv_set_delimiter(lane->csv, l->delimiter);
        if (lane->jsonl)
            pz_jsonl_naming(lane->jsonl, &p->naming);
    }
    return r;
}

void
pz_lanes_release(struct pz_lanes *l)
{
    for (int t = 0; l->lane && t < l->n; t++) {
        struct pz_lane *lane = &l->lane[t];
        pz_csv_free(lane->csv);
        pz_jsonl_free(lane->jsonl);
        pz_convert_release(&lane->convert);
        pz_row_list_release(&lane->rows);
        pz_chunk_release(&lane->chunk);
        pz_rejected_release(&lane->bad);
        free(lane->cell);
    }
    for (size_t k = 0; l->header && k < l->n_files; k++)
        pz_header_release(&l->header[k].map);
    free(l->lane);
    free(l->header);
    if (l->made) {
        pthread_mutex_destroy(&l->lock);
        pthread_cond_destroy(&l->published);
    }
}
