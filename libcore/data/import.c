#include "data/import.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/par.h"
#include "data/columns.h"
#include "data/convert.h"
#include "data/dataset.h"
#include "data/header.h"
#include "data/jsonl.h"
#include "data/keep.h"
#include "data/rejects.h"
#include "data/widen.h"
#include "store/catalog.h"

enum { MAX_IMPORT_THREADS = 64 };

/* One parsing thread. */
struct lane {
    struct pz_csv *csv;
    struct pz_jsonl *jsonl;
    struct pz_convert convert;
    struct pz_row_list rows;
    struct pz_chunk chunk;
    struct pz_cell *cell; // one a field of the schema
    struct pz_rejected bad;
    uint64_t rows_read, empty;
};

/* Column numbers of a file, published by the thread that meets its header. */
struct file_header {
    struct pz_header map;
    bool ready;
};

struct import {
    const struct pz_import *p;
    struct pz_widening *widening;
    struct pz_import_result *result;
    char *path;  // of the dataset
    int scratch; // instead of it, or -1
    struct pz_schema schema;
    struct pz_layout layout;
    struct pz_input *input;
    enum pz_format format;
    char delimiter;
    struct pz_rows rows;
    struct lane *lane;
    int n_lanes;
    struct pz_rejects rejects;
    struct file_header *header; // one a file
    size_t n_files;
    pthread_mutex_t lock; // guards header
    pthread_cond_t published;
    bool failed; // atomic: a thread gave up: nobody waits for its header
};

/* ---- the schema ---- */

/* The domain asked for, else that of the dataset whose schema or rows are kept. */
static enum pz_domain
domain_of(const struct import *im, const struct pz_dataset *old)
{
    bool kept = old && (im->p->incremental || !im->p->schema_path);
    return im->p->domain != PZ_CUSTOM || !kept ? im->p->domain : old->schema.domain;
}

/* The schema to import by: the given one, the dataset's, else what the first chunk shows.
 */
static int
choose_schema(struct import *im, const struct pz_dataset *old,
              const struct pz_chunk *first, struct pz_err *err)
{
    int r;
    if (im->p->schema_path) {
        r = pz_schema_read(&im->schema, im->p->set, domain_of(im, old),
                           im->p->schema_path, im->p->strict, err);
        if (r == PZ_OK && old && im->p->incremental &&
            pz_schema_replaces(&old->schema, &im->schema, err))
            r = pz_err_prefix(err, "%s does not fit the dataset: ", im->p->schema_path);
        return r;
    }
    if (!old && im->p->default_schema)
        return pz_schema_parse(&im->schema, im->p->set, im->p->domain,
                               im->p->default_schema, strlen(im->p->default_schema), err);
    if (old) {
        const char *text = pz_tensors_meta(&old->file, "schema");
        return pz_schema_parse(&im->schema, im->p->set, domain_of(im, old), text,
                               strlen(text), err);
    }
    im->result->inferred = true;
    struct pz_infer infer = {.set = im->p->set,
                             .format = im->format,
                             .delimiter = im->delimiter,
                             .decimal = im->p->decimal,
                             .naming = &im->p->naming};
    r = pz_header_infer(&im->schema, &infer, first, err);
    im->result->renamed = infer.renamed;
    im->result->commas = infer.commas;
    if (r == PZ_OK)
        pz_widening_apply(im->widening, &im->schema);
    return r == PZ_DATA ? pz_input_place(im->input, 0, err) : r;
}

static int
keep_schema_text(struct import *im, struct pz_err *err)
{
    struct pz_buf text = PZ_BUF_INIT;
    pz_schema_text(&im->schema, &text);
    int r = pz_buf_status(&text, "the schema", err);
    if (r == PZ_OK) {
        im->result->schema_text = text.data;
        if (im->result->inferred)
            pz_log(PZ_LOG_NOTE, "inferred schema: %s", text.data);
        return PZ_OK;
    }
    pz_buf_release(&text);
    return r;
}

/* ---- reading ---- */

/* Columns that the schema does not have, once a file. With one that was inferred, they
 * are without a name, which in --header is on purpose, or in later files only. */
static void
warn_ignored(const struct import *im, unsigned file, const char *columns)
{
    bool inferred = im->result->inferred;
    if (im->p->schema_path || im->widening->again || (inferred && im->p->header))
        return;
    pz_log(PZ_LOG_WARN, "%s: %s%s", pz_input_name(im->input, file),
           !inferred ? "the dataset's schema, which is used without -s and --infer, does "
                       "not have these columns, and they are left out: "
           : file    ? "not in the first file, and left out: "
                     : "left out: ",
           columns);
}

/* Reads the header of a file's first chunk; the rows start at *from, at line *line. */
static int
meet_header(struct import *im, struct lane *lane, size_t *from, uint64_t *line,
            struct pz_err *err)
{
    const struct pz_chunk *c = &lane->chunk;
    struct file_header *h = &im->header[c->file];
    int r = pz_header_read(&h->map, lane->csv, c, &im->schema, &im->p->naming, from, line,
                           err);
    if (r == PZ_DATA)
        pz_input_place(im->input, c->file, err);
    else if (r == PZ_OK && h->map.ignored)
        warn_ignored(im, c->file, h->map.ignored);
    if (r == PZ_OK && c->file == 0)
        r = pz_rejects_header(&im->rejects, c->data, *from, err);
    pthread_mutex_lock(&im->lock);
    h->ready = r == PZ_OK;
    if (r)
        __atomic_store_n(&im->failed, true, __ATOMIC_RELAXED);
    pthread_cond_broadcast(&im->published);
    pthread_mutex_unlock(&im->lock);
    return r;
}

/* The column numbers of a file whose header another thread may still be reading. */
static const struct pz_header *
wait_header(struct import *im, unsigned file)
{
    pthread_mutex_lock(&im->lock);
    while (!im->header[file].ready && !im->failed)
        pthread_cond_wait(&im->published, &im->lock);
    bool ready = im->header[file].ready;
    pthread_mutex_unlock(&im->lock);
    return ready ? &im->header[file].map : NULL;
}

static void
give_up(struct import *im)
{
    pthread_mutex_lock(&im->lock);
    __atomic_store_n(&im->failed, true, __ATOMIC_RELAXED);
    pthread_cond_broadcast(&im->published);
    pthread_mutex_unlock(&im->lock);
}

static int
reject(struct import *im, struct lane *lane, const struct pz_row_at *at, unsigned column,
       const char *reason, struct pz_err *err)
{
    char message[1024];
    bool bytes = !im->p->encoding && strcmp(reason, "is not valid UTF-8") == 0;
    bool id = !im->p->max_rejects && strstr(reason, "is empty: an id is needed");
    const char *file = pz_input_name(im->input, lane->chunk.file);
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
add_row(struct import *im, struct lane *lane, const struct pz_cell *cell, int64_t order,
        struct pz_err *err)
{
    int r = PZ_OK;
    if (pz_rows_full(&im->rows, &lane->rows))
        r = pz_convert_flush(&lane->convert, err);
    if (r == PZ_OK)
        r = pz_rows_room(&im->rows, &lane->rows, err);
    if (r)
        return r;
    r = pz_convert_row(&lane->convert, cell, order, pz_rows_next(&im->rows, &lane->rows),
                       err);
    if (r == PZ_OK)
        pz_rows_push(&lane->rows);
    return r;
}

/* In sets with one row an id the last in the input's order stays; 0 is the dataset's own.
 * A row has a line at least. */
static int64_t
order_in(const struct lane *lane, uint64_t n_in_chunk)
{
    return (int64_t)(lane->chunk.before + n_in_chunk + 1);
}

static int
take_row(struct import *im, struct lane *lane, const struct pz_header *map,
         const struct pz_row_at *at, uint64_t n_in_chunk, struct pz_err *err)
{
    int r = add_row(im, lane, lane->cell, order_in(lane, n_in_chunk), err);
    if (r != PZ_DATA || !lane->convert.reason[0])
        return r;
    unsigned column = map ? map->column[lane->convert.bad_field] : at->column;
    const struct pz_field *field = &im->schema.field[lane->convert.bad_field];
    size_t n = strlen(lane->convert.reason);
    if (im->result->inferred && field->role == PZ_ROLE_NONE && field->type != PZ_STRING) {
        snprintf(
            lane->convert.reason + n, sizeof lane->convert.reason - n,
            " (its type was inferred from the first rows; -s FILE can give another)");
        char text[PZ_NUMBER_BYTES];
        struct pz_cell plain =
            pz_convert_plain(&lane->convert, &lane->cell[lane->convert.bad_field], text);
        pz_widening_note(im->widening, &plain, lane->convert.bad_field, field->type);
    }
    r = reject(im, lane, at, column, lane->convert.reason, err);
    lane->convert.reason[0] = 0;
    return r;
}

/* Rows while they come as a table; *n counts those of the chunk. */
static int
read_tables(struct import *im, struct lane *lane, const struct pz_header *map,
            uint64_t *n, struct pz_err *err)
{
    struct pz_csv_table t;
    size_t want = 0, done = 0;
    int r = PZ_OK;
    while (done == want && r == PZ_OK) {
        pz_csv_peek(lane->csv, &t);
        if (!t.n_rows)
            break;
        if (pz_rows_full(&im->rows, &lane->rows))
            r = pz_convert_flush(&lane->convert, err);
        if (r == PZ_OK)
            r = pz_rows_room(&im->rows, &lane->rows, err);
        if (r)
            break;
        want = im->rows.per_block - lane->rows.n_open;
        want = want < t.n_rows ? want : t.n_rows;
        r = pz_convert_table(&lane->convert, &t, want, map->column, order_in(lane, *n),
                             pz_rows_next(&im->rows, &lane->rows), &done, err);
        lane->rows.n_open += (uint32_t)done;
        pz_csv_skip(lane->csv, done);
        *n += done;
    }
    return r;
}

static int
read_rows(struct import *im, struct lane *lane, const struct pz_header *map,
          struct pz_err *err)
{
    struct pz_row_at at;
    uint64_t n = 0;
    for (;; n++) {
        int r = map ? read_tables(im, lane, map, &n, err) : PZ_OK;
        if (r)
            return r;
        enum pz_row kind =
            im->format == PZ_CSV
                ? pz_csv_next(lane->csv, lane->cell, im->schema.n_fields, NULL, &at)
                : pz_jsonl_next(lane->jsonl, lane->cell, &at);
        if (kind == PZ_ROW_END)
            break;
        r = kind == PZ_ROW ? take_row(im, lane, map, &at, n, err)
                           : reject(im, lane, &at, at.column, at.reason, err);
        if (r)
            return r;
    }
    lane->rows_read += n;
    return pz_convert_flush(&lane->convert, err);
}

static int
read_chunk(struct import *im, struct lane *lane, struct pz_err *err)
{
    const struct pz_chunk *c = &lane->chunk;
    if (!im->layout.events && c->before + c->n + 1 >= (uint64_t)PZ_ORDER_LIMIT)
        return pz_err_set(err, PZ_DATA,
                          "%s:%" PRIu64 ": one import takes up to %" PRId64
                          " lines: bring the others with --mode incremental",
                          pz_input_name(im->input, c->file), c->line, PZ_ORDER_LIMIT - 1);
    if (im->format == PZ_JSONL) {
        pz_jsonl_start(lane->jsonl, c->data, c->n, c->line);
        return read_rows(im, lane, NULL, err);
    }
    size_t from = 0;
    uint64_t line = c->line;
    if (c->first) {
        int r = meet_header(im, lane, &from, &line, err);
        if (r)
            return r;
    }
    const struct pz_header *map = wait_header(im, c->file);
    if (!map)
        return PZ_OK; // the thread that failed says why
    for (size_t f = 0; f < im->schema.n_fields; f++)
        lane->cell[f] = (struct pz_cell){.kind = PZ_CELL_ABSENT};
    pz_csv_start(lane->csv, c->data + from, c->n - from, line, map->slot, map->n_columns);
    return read_rows(im, lane, map, err);
}

static int
lane_run(void *ctx, size_t task, int thread, struct pz_err *err)
{
    struct import *im = ctx;
    struct lane *lane = &im->lane[task];
    (void)thread;
    int r = PZ_OK;
    // Lane 0 starts with the first chunk, which was read for the schema's sake.
    if (task > 0)
        r = pz_input_next(im->input, &lane->chunk, err);
    while (r == PZ_OK && lane->chunk.n &&
           !__atomic_load_n(&im->failed, __ATOMIC_RELAXED)) {
        r = read_chunk(im, lane, err);
        if (r || pz_rejects_done(&im->rejects, lane->chunk.seq, &lane->bad))
            break;
        uint64_t total, done = pz_input_done(im->input, &total);
        pz_progress("reading", done, total);
        r = pz_input_next(im->input, &lane->chunk, err);
    }
    if (r)
        give_up(im);
    return r;
}

/* ---- rows from memory ---- */

struct pz_feed_to {
    struct import *im;
    int64_t n; // rows so far
};

const struct pz_schema *
pz_feed_schema(const struct pz_feed_to *to)
{
    return &to->im->schema;
}

int
pz_feed_row(struct pz_feed_to *to, const struct pz_cell *cell, const char **reason,
            struct pz_err *err)
{
    struct lane *lane = &to->im->lane[0];
    lane->rows_read++;
    int r = add_row(to->im, lane, cell, ++to->n, err);
    *reason = r == PZ_DATA ? lane->convert.reason : NULL;
    to->im->result->rejected += r == PZ_DATA;
    return r;
}

static int
read_feed(struct import *im, struct pz_err *err)
{
    struct pz_feed_to to = {im, 0};
    int r = im->p->feed->rows ? im->p->feed->rows(im->p->feed->ctx, &to, err) : PZ_OK;
    im->result->rows_read = im->lane[0].rows_read;
    return r ? r : pz_convert_flush(&im->lane[0].convert, err);
}

/* The rows that are there stay. */
static int
take_old(struct import *im, const struct pz_dataset *old, struct pz_err *err)
{
    struct lane *lane = &im->lane[0];
    return pz_keep_rows(
        &(struct pz_keep){
            .data = old,
            .layout = &im->layout,
            .dict = lane->convert.dict,
            .rows = &im->rows,
            .list = &lane->rows,
            .forget = im->p->forget,
            .n_forget = im->p->n_forget,
        },
        &im->result->forgotten, err);
}

/* ---- sorting and writing ---- */

/* Merges the lanes' dictionaries of code k; map[lane] becomes the way from old to new. */
static int
merge_code(struct import *im, size_t k, struct pz_values *values, uint32_t ***map,
           struct pz_err *err)
{
    struct pz_dict *dict[MAX_IMPORT_THREADS];
    uint32_t *lane_map[MAX_IMPORT_THREADS];
    for (int t = 0; t < im->n_lanes; t++)
        dict[t] = &im->lane[t].convert.dict[k];
    int r = pz_dict_merge(dict, (size_t)im->n_lanes, &values->n, &values->bytes,
                          &values->offsets, lane_map, err);
    for (int t = 0; t < im->n_lanes && r == PZ_OK; t++) {
        map[t][k] = lane_map[t];
        pz_dict_release(dict[t]);
    }
    return r;
}

static int
sort_rows(struct import *im, struct pz_values *values, struct pz_err *err)
{
    size_t n_codes = im->layout.n_codes;
    struct pz_row_map map[MAX_IMPORT_THREADS];
    uint32_t **codes[MAX_IMPORT_THREADS] = {0};
    struct pz_row_list lists[MAX_IMPORT_THREADS] = {0};
    int r = PZ_OK;
    for (int t = 0; t < im->n_lanes && r == PZ_OK; t++) {
        r = pz_new(&codes[t], n_codes, sizeof **codes, "codes", err);
        map[t] = (struct pz_row_map){n_codes, im->layout.code_at, codes[t]};
        lists[t] = im->lane[t].rows;
        im->lane[t].rows = (struct pz_row_list){0};
    }
    for (size_t k = 0; k < n_codes && r == PZ_OK; k++)
        r = merge_code(im, k, &values[k], codes, err);
    if (r == PZ_OK)
        r = pz_rows_sort(&im->rows, lists, (size_t)im->n_lanes, map, values[0].n,
                         im->n_lanes, &im->result->duplicates, &im->result->replaced,
                         err);
    for (int t = 0; t < im->n_lanes; t++) {
        for (size_t k = 0; codes[t] && k < n_codes; k++)
            free(codes[t][k]);
        free(codes[t]);
        pz_row_list_release(&lists[t]);
    }
    return r;
}

static int
write_dataset(struct import *im, struct pz_err *err)
{
    struct pz_import_result *res = im->result;
    struct pz_values *values;
    int r = pz_new(&values, im->layout.n_codes, sizeof *values, "values", err);
    if (r)
        return r;
    r = sort_rows(im, values, err);
    if (r == PZ_OK) {
        bool prune = im->rows.last_wins && res->duplicates > 0;
        res->duplicates -= res->replaced;
        res->rows_kept = im->rows.n;
        res->n_users = im->schema.at[PZ_ROLE_USER] >= 0 ? values[0].n : 0;
        res->n_items = im->layout.events ? values[1].n : res->n_users ? 0 : values[0].n;
        pz_progress("writing", 0, 0);
        r = pz_columns_write(im->path, im->scratch, &im->schema, &im->layout, &im->rows,
                             values, prune, err);
    }
    for (size_t k = 0; k < im->layout.n_codes; k++)
        pz_values_release(&values[k]);
    free(values);
    return r;
}

static int
record(struct import *im, struct pz_catalog *c, int64_t started, struct pz_err *err)
{
    const struct pz_import_result *res = im->result;
    struct pz_buf sources = PZ_BUF_INIT;
    pz_buf_addc(&sources, '[');
    for (size_t k = 0; k < im->n_files; k++) {
        const char *name =
            im->p->feed ? im->p->feed->name : pz_input_name(im->input, (unsigned)k);
        if (k)
            pz_buf_addc(&sources, ',');
        pz_json_add_string(&sources, name, strlen(name));
    }
    pz_buf_addc(&sources, ']');
    int r = pz_buf_status(&sources, "the sources", err);
    if (r == PZ_OK)
        r = pz_catalog_add_import(c,
                                  &(struct pz_catalog_import){
                                      .set = pz_set_name(im->p->set),
                                      .mode = im->p->incremental ? "INCREMENTAL" : "FULL",
                                      .schema = res->schema_text,
                                      .sources = sources.data,
                                      .started = started,
                                      .ended = pz_now(),
                                      .rows_read = res->rows_read,
                                      .rows_kept = res->rows_kept,
                                      .duplicates = res->duplicates,
                                      .rejected = res->rejected,
                                      .users = res->n_users,
                                      .items = res->n_items,
                                  },
                                  err);
    pz_buf_release(&sources);
    return r;
}

/* ---- the whole ---- */

static uint64_t
default_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size / 4 : 1u << 30;
}

static int
make_lanes(struct import *im, struct pz_err *err)
{
    const struct pz_import *p = im->p;
    im->n_lanes = im->widening->alone ? 1 : pz_threads(p->threads);
    if (im->n_lanes > MAX_IMPORT_THREADS)
        im->n_lanes = MAX_IMPORT_THREADS;
    int r = pz_new(&im->lane, (size_t)im->n_lanes, sizeof *im->lane, "threads", err);
    for (int t = 0; t < im->n_lanes && r == PZ_OK; t++) {
        struct lane *lane = &im->lane[t];
        r = pz_convert_init(&lane->convert, &im->layout, p->times, p->strict, err);
        lane->convert.decimal = p->decimal;
        if (r == PZ_OK)
            r = pz_new(&lane->cell, im->schema.n_fields, sizeof *lane->cell, "cells",
                       err);
        if (r == PZ_OK)
            r = im->format == PZ_CSV ? pz_csv_new(&lane->csv, err)
                                     : pz_jsonl_new(&lane->jsonl, &im->schema, err);
        if (lane->csv)
            pz_csv_set_delimiter(lane->csv, im->delimiter);
        if (lane->jsonl)
            pz_jsonl_naming(lane->jsonl, &p->naming);
    }
    return r;
}

static void
release_lanes(struct import *im)
{
    for (int t = 0; im->lane && t < im->n_lanes; t++) {
        struct lane *lane = &im->lane[t];
        pz_csv_free(lane->csv);
        pz_jsonl_free(lane->jsonl);
        pz_convert_release(&lane->convert);
        pz_row_list_release(&lane->rows);
        pz_chunk_release(&lane->chunk);
        pz_rejected_release(&lane->bad);
        free(lane->cell);
    }
    free(im->lane);
}

/* Keys of JSON lines that the dataset's schema does not have: what CSV's header tells. */
static void
warn_unknown(const struct import *im)
{
    for (int t = 0; im->format == PZ_JSONL && t < im->n_lanes; t++) {
        const char *name;
        if (pz_jsonl_unknown(im->lane[t].jsonl, &name)) {
            pz_log(PZ_LOG_WARN,
                   "%s: the dataset's schema, which is used without -s and --infer, does "
                   "not have all keys, and they are left out: '%s' is one",
                   pz_input_name(im->input, 0), name);
            return;
        }
    }
}

/* Parses all input into the lanes. */
static int
read_all(struct import *im, struct pz_chunk *first, struct pz_err *err)
{
    im->lane[0].chunk = *first;
    *first = (struct pz_chunk){0};
    int r = pz_par(im->n_lanes, (size_t)im->n_lanes, lane_run, im, err);
    for (int t = 0; t < im->n_lanes; t++)
        im->result->rows_read += im->lane[t].rows_read;
    im->result->rejected = im->rejects.n;
    if (im->rejects.stop && (r == PZ_OK || im->rejects.err.status == PZ_DATA)) {
        *err = im->rejects.err;
        return err->status;
    }
    if (r == PZ_OK && !im->p->schema_path && !im->result->inferred)
        warn_unknown(im);
    if (r == PZ_OK && im->result->rows_read == 0)
        return pz_err_set(err, PZ_DATA, "%s: no rows behind the header",
                          pz_input_name(im->input, 0));
    if (r == PZ_OK && im->result->rows_read == im->rejects.n)
        return pz_err_set(err, PZ_DATA, "%s: all %" PRIu64 " rows were rejected",
                          pz_input_name(im->input, 0), im->rejects.n);
    return r;
}

static int
import_into(struct import *im, const struct pz_dataset *old, struct pz_err *err)
{
    const struct pz_import *p = im->p;
    struct pz_chunk first = {0};
    struct pz_catalog *catalog = NULL;
    int64_t started = pz_now();
    int r = p->feed ? PZ_OK
                    : pz_input_open_as(&im->input, p->path, p->n_paths, p->encoding,
                                       &im->format, err);
    if (r == PZ_OK && !p->feed) {
        r = pz_input_set_delimiter(im->input, p->delimiter, &im->delimiter, err);
        if (r == PZ_OK && p->header)
            r = pz_input_set_header(im->input, p->header, err);
    }
    if (r == PZ_OK && !p->feed)
        r = pz_input_next(im->input, &first, err);
    if (r == PZ_OK)
        r = choose_schema(im, old, &first, err);
    if (r == PZ_OK)
        r = keep_schema_text(im, err);
    if (r == PZ_OK)
        r = pz_layout_init(&im->layout, &im->schema, err);
    if (r == PZ_OK) {
        pz_rows_init(&im->rows, im->layout.width,
                     p->memory ? p->memory : default_memory(), p->group);
        im->rows.last_wins = !im->layout.events;
        im->n_files = p->n_paths ? p->n_paths : 1;
        r = pz_new(&im->header, im->n_files, sizeof *im->header, "headers", err);
    }
    if (r == PZ_OK)
        r = make_lanes(im, err);
    if (r == PZ_OK && p->incremental && old)
        r = take_old(im, old, err);
    if (r == PZ_OK)
        r = p->feed ? read_feed(im, err) : read_all(im, &first, err);
    if (r == PZ_OK && p->feed && im->result->rows_read == im->result->rejected &&
        !im->result->forgotten)
        goto done; // nothing changes
    /* A catalogue that cannot be written refuses the import while the old dataset stands.
     */
    if (r == PZ_OK && !p->scratch)
        r = pz_catalog_open(&catalog, p->group, PZ_CATALOG_WRITE, err);
    if (r == PZ_OK) // a dataset without its rejects would have lost them
        r = pz_rejects_commit(&im->rejects, err);
    if (r == PZ_OK)
        r = write_dataset(im, err);
    if (r == PZ_OK && !p->scratch && record(im, catalog, started, err)) {
        /* The dataset is the truth and it is whole; only its history lacks a line. */
        pz_log(PZ_LOG_WARN,
               "the dataset was replaced, but not recorded in the catalogue: %s",
               err->msg);
        *err = (struct pz_err)PZ_ERR_INIT;
    }
    if (r == PZ_OK && !p->feed && pz_rejects_clear(&im->rejects, err)) {
        pz_log(PZ_LOG_WARN, "the dataset was replaced, but: %s", err->msg);
        *err = (struct pz_err)PZ_ERR_INIT;
    }
    if (r == PZ_OK && p->feed && p->feed->done)
        r = p->feed->done(p->feed->ctx, err);
done:
    pz_catalog_close(catalog);
    pz_chunk_release(&first);
    return r;
}

static void
release(struct import *im)
{
    release_lanes(im);
    pz_rows_release(&im->rows);
    pz_layout_release(&im->layout);
    for (size_t k = 0; im->header && k < im->n_files; k++)
        pz_header_release(&im->header[k].map);
    free(im->header);
    pz_input_close(im->input);
    pz_schema_release(&im->schema);
    free(im->path);
    pthread_mutex_destroy(&im->lock);
    pthread_cond_destroy(&im->published);
}

/* In the group, where the room is; in memory where the group cannot be written. */
static int
open_scratch(int *fd, const char *group, struct pz_err *err)
{
    if (pz_scratch_open(fd, group, err) == PZ_OK)
        return PZ_OK;
    *fd = memfd_create("pz-dataset", MFD_CLOEXEC);
    if (*fd < 0)
        return err->status;
    *err = (struct pz_err)PZ_ERR_INIT;
    return PZ_OK;
}

static int
run_once(const struct pz_import *p, struct pz_widening *w,
         struct pz_import_result *result, struct pz_err *err)
{
    struct import im = {.p = p, .widening = w, .result = result, .rows = {.scratch = -1}};
    struct pz_dataset old = {0};
    int lock = -1, r;
    im.scratch = -1;
    *result = (struct pz_import_result){0};
    pthread_mutex_init(&im.lock, NULL);
    pthread_cond_init(&im.published, NULL);
    if (p->scratch)
        r = open_scratch(&im.scratch, p->group, err);
    else if ((r = pz_mkdirs(p->group, err)) == PZ_OK)
        r = pz_lock(&lock, p->group, err);
    if (r == PZ_OK)
        r = pz_dataset_path(&im.path, p->group, p->set, err);
    if (r)
        goto done;
    bool there = access(im.path, F_OK) == 0;
    if (there && (p->incremental || (!p->schema_path && !p->infer)))
        r = pz_dataset_open(&old, im.path, err);
    else if (p->incremental && !p->feed)
        r = pz_err_set(err, PZ_USAGE,
                       "'%s' has no %s dataset yet: the first import must be --mode full",
                       p->group, pz_set_name(p->set));
    if (r)
        goto done;
    r = pz_rejects_open(&im.rejects, p->rejects_path, p->max_rejects, p->bad_row, p->ctx,
                        err);
    if (r)
        goto done;
    r = import_into(&im, old.file.n_tensors ? &old : NULL, err);
    pz_rejects_close(&im.rejects);
done:
    pz_dataset_close(&old);
    release(&im);
    if (lock >= 0)
        close(lock);
    if (r == PZ_OK && p->scratch)
        *p->scratch = im.scratch;
    else if (im.scratch >= 0)
        close(im.scratch);
    if (r)
        pz_import_result_release(result);
    return r;
}

int
pz_import_run(const struct pz_import *p, struct pz_import_result *result,
              struct pz_err *err)
{
    struct pz_widening w;
    pz_widening_init(&w, p);
    int r;
    do
        r = run_once(p, &w, result, err);
    while (pz_widening_again(&w, err));
    pz_widening_release(&w);
    return r ? err->status : r;
}

void
pz_import_result_release(struct pz_import_result *r)
{
    free(r->schema_text);
    free(r->renamed);
    free(r->commas);
    *r = (struct pz_import_result){0};
}
