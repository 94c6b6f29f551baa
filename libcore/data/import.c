#include "data/import.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/columns.h"
#include "data/dataset.h"
#include "data/keep.h"
#include "data/lanes.h"
#include "store/catalog.h"

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
    struct pz_rejects rejects;
    struct pz_lanes lanes;
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
    struct pz_lanes *l = &to->im->lanes;
    int r = pz_lanes_add(l, cell, ++to->n, err);
    *reason = r == PZ_DATA ? l->lane[0].convert.reason : NULL;
    to->im->result->rejected += r == PZ_DATA;
    return r;
}

static int
read_feed(struct import *im, struct pz_err *err)
{
    struct pz_feed_to to = {im, 0};
    int r = im->p->feed->rows ? im->p->feed->rows(im->p->feed->ctx, &to, err) : PZ_OK;
    im->result->rows_read = im->lanes.rows_read;
    return r ? r : pz_lanes_flush(&im->lanes, err);
}

static int
read_files(struct import *im, struct pz_chunk *first, struct pz_err *err)
{
    int r = pz_lanes_read(&im->lanes, first, err);
    im->result->rows_read = im->lanes.rows_read;
    im->result->rejected = im->rejects.n;
    return r;
}

/* The rows that are there stay. */
static int
take_old(struct import *im, const struct pz_dataset *old, struct pz_err *err)
{
    struct pz_lane *lane = &im->lanes.lane[0];
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
    struct pz_dict *dict[PZ_LANES_MAX];
    uint32_t *lane_map[PZ_LANES_MAX];
    for (int t = 0; t < im->lanes.n; t++)
        dict[t] = &im->lanes.lane[t].convert.dict[k];
    int r = pz_dict_merge(dict, (size_t)im->lanes.n, &values->n, &values->bytes,
                          &values->offsets, lane_map, err);
    for (int t = 0; t < im->lanes.n && r == PZ_OK; t++) {
        map[t][k] = lane_map[t];
        pz_dict_release(dict[t]);
    }
    return r;
}

static int
sort_rows(struct import *im, struct pz_values *values, struct pz_err *err)
{
    size_t n_codes = im->layout.n_codes;
    struct pz_row_map map[PZ_LANES_MAX];
    uint32_t **codes[PZ_LANES_MAX] = {0};
    struct pz_row_list lists[PZ_LANES_MAX] = {0};
    int r = PZ_OK;
    for (int t = 0; t < im->lanes.n && r == PZ_OK; t++) {
        r = pz_new(&codes[t], n_codes, sizeof **codes, "codes", err);
        map[t] = (struct pz_row_map){n_codes, im->layout.code_at, codes[t]};
        lists[t] = im->lanes.lane[t].rows;
        im->lanes.lane[t].rows = (struct pz_row_list){0};
    }
    for (size_t k = 0; k < n_codes && r == PZ_OK; k++)
        r = merge_code(im, k, &values[k], codes, err);
    if (r == PZ_OK)
        r = pz_rows_sort(&im->rows, lists, (size_t)im->lanes.n, map, values[0].n,
                         im->lanes.n, &im->result->duplicates, &im->result->replaced,
                         err);
    for (int t = 0; t < im->lanes.n; t++) {
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
    for (size_t k = 0; k < im->lanes.n_files; k++) {
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
        im->lanes = (struct pz_lanes){.p = p,
                                      .schema = &im->schema,
                                      .layout = &im->layout,
                                      .input = im->input,
                                      .format = im->format,
                                      .delimiter = im->delimiter,
                                      .inferred = im->result->inferred,
                                      .rows = &im->rows,
                                      .rejects = &im->rejects,
                                      .widening = im->widening};
        r = pz_lanes_make(&im->lanes, err);
    }
    if (r == PZ_OK && p->incremental && old)
        r = take_old(im, old, err);
    if (r == PZ_OK)
        r = p->feed ? read_feed(im, err) : read_files(im, &first, err);
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
    pz_lanes_release(&im->lanes);
    pz_rows_release(&im->rows);
    pz_layout_release(&im->layout);
    pz_input_close(im->input);
    pz_schema_release(&im->schema);
    free(im->path);
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
