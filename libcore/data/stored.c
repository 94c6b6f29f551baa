#include "data/stored.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "data/import.h"
#include "data/jsonl.h"

enum { DROP_BATCH = 50000 }; // rows a transaction: writers get their turn

/* Of interactions that nobody ever imported. */
static const char interactions[] =
    "{\"type\":\"record\",\"name\":\"Interactions\","
    "\"namespace\":\"com.amazonaws.personalize.schema\",\"fields\":["
    "{\"name\":\"USER_ID\",\"type\":\"string\"},"
    "{\"name\":\"ITEM_ID\",\"type\":\"string\"},"
    "{\"name\":\"TIMESTAMP\",\"type\":\"long\"},"
    "{\"name\":\"EVENT_TYPE\",\"type\":[\"null\",\"string\"]},"
    "{\"name\":\"EVENT_VALUE\",\"type\":[\"null\",\"float\"]},"
    "{\"name\":\"IMPRESSION\",\"type\":[\"null\",\"string\"]},"
    "{\"name\":\"RECOMMENDATION_ID\",\"type\":[\"null\",\"string\"]},"
    "{\"name\":\"EVENT_ATTRIBUTION_SOURCE\",\"type\":[\"null\",\"string\"]}],"
    "\"version\":\"1.0\"}";

static const enum pz_record_kind record_kind[PZ_N_SETS] = {
    [PZ_ITEMS] = PZ_RECORD_ITEM,
    [PZ_USERS] = PZ_RECORD_USER,
    [PZ_ACTIONS] = PZ_RECORD_ACTION,
};

struct job {
    enum pz_set set;
    struct pz_estore *store;
    int64_t before; // only what is older
    int64_t last;   // the highest seq of the state that is read
    bool remember;  // what was taken, to drop it
    int64_t *seq;   // of events taken
    size_t n, cap;
    struct pz_buf ids; // of records taken, n of them, each with its NUL
    struct pz_stored_report *report;
    struct pz_err *err; // of the walk
    struct pz_feed_to *to;
    struct pz_jsonl *json; // reads properties
    struct pz_cell *cell;  // one a field
};

static bool
is_events(enum pz_set set)
{
    return set == PZ_INTERACTIONS || set == PZ_ACTION_INTERACTIONS;
}

/* ---- rows ---- */

static void
set_text(struct job *job, enum pz_role role, const char *text)
{
    int f = pz_feed_schema(job->to)->at[role];
    if (f >= 0)
        job->cell[f] = text ? (struct pz_cell){text, (uint32_t)strlen(text), PZ_CELL_TEXT}
                            : (struct pz_cell){"", 0, PZ_CELL_ABSENT};
}

/* The cells of a JSON object of columns; all absent without one. */
static bool
set_properties(struct job *job, const char *properties, const char **reason)
{
    struct pz_row_at at;
    if (!properties || strcmp(properties, "{}") == 0) {
        for (size_t f = 0; f < pz_feed_schema(job->to)->n_fields; f++)
            job->cell[f] = (struct pz_cell){"", 0, PZ_CELL_ABSENT};
        return true;
    }
    pz_jsonl_start(job->json, properties, strlen(properties), 1);
    if (pz_jsonl_next(job->json, job->cell, &at) == PZ_ROW)
        return true;
    *reason = at.reason;
    return false;
}

static void
unfit(struct job *job, const char *what, const char *id, const char *reason)
{
    struct pz_stored_report *r = job->report;
    if (r->unfit++ == 0)
        snprintf(r->reason, sizeof r->reason, "%s '%.60s': %s", what, id, reason);
}

/* The cells as a row. PZ_DATA: the schema does not take them. */
static int
add(struct job *job, const char *what, const char *id)
{
    const char *reason = "";
    int r = pz_feed_row(job->to, job->cell, &reason, job->err);
    if (r == PZ_DATA)
        unfit(job, what, id, reason);
    else if (r == PZ_OK)
        job->report->put++;
    return r;
}

static int
take_event(void *ctx, const struct pz_event *e)
{
    struct job *job = ctx;
    char time[PZ_NUM_TEXT], value[PZ_NUM_TEXT];
    const char *reason = "";
    if (e->seq > job->last || e->time >= job->before)
        return PZ_OK;
    if (!e->user) {
        job->report->anonymous++;
        return PZ_OK;
    }
    if (!set_properties(job, e->properties, &reason)) {
        unfit(job, "event", e->id, reason);
        return PZ_OK;
    }
    pz_format_i64(time, e->time);
    if (e->has_value)
        pz_format_f64(value, e->value);
    set_text(job, PZ_ROLE_USER, e->user);
    set_text(job, e->kind == PZ_EVENT_ITEM ? PZ_ROLE_ITEM : PZ_ROLE_ACTION, e->item);
    set_text(job, PZ_ROLE_TIMESTAMP, time);
    set_text(job, PZ_ROLE_EVENT_TYPE, e->type);
    set_text(job, PZ_ROLE_EVENT_VALUE, e->has_value ? value : NULL);
    set_text(job, PZ_ROLE_IMPRESSION, e->impression);
    set_text(job, PZ_ROLE_RECOMMENDATION, e->recommendation);
    set_text(job, PZ_ROLE_ATTRIBUTION, e->source);
    int r = add(job, "event", e->id);
    if (r || !job->remember)
        return r == PZ_DATA ? PZ_OK : r;
    r = pz_grow(&job->seq, &job->cap, job->n + 1, sizeof *job->seq, "events", job->err);
    if (!r)
        job->seq[job->n++] = e->seq;
    return r;
}

static int
take_record(void *ctx, const char *id, const char *properties, int64_t time)
{
    static const enum pz_role role[PZ_N_SETS] = {[PZ_ITEMS] = PZ_ROLE_ITEM,
                                                 [PZ_USERS] = PZ_ROLE_USER,
                                                 [PZ_ACTIONS] = PZ_ROLE_ACTION};
    struct job *job = ctx;
    const char *reason = "";
    if (time >= job->before)
        return PZ_OK;
    if (!set_properties(job, properties, &reason)) {
        unfit(job, "record", id, reason);
        return PZ_OK;
    }
    set_text(job, role[job->set], id);
    int r = add(job, "record", id);
    if (r || !job->remember)
        return r == PZ_DATA ? PZ_OK : r;
    pz_buf_add(&job->ids, id, strlen(id) + 1);
    job->n++;
    return pz_buf_status(&job->ids, "ids of records", job->err);
}

/* From here on the store is read as it is now. *any: there is something of the set. */
static int
hold(struct job *job, bool *any, struct pz_err *err)
{
    struct pz_estore_counts n;
    int r = pz_estore_hold(job->store, err);
    if (!r)
        r = pz_estore_last(job->store, &job->last, err);
    job->report->last = job->last;
    *any = false;
    if (r || !job->last)
        return r;
    if ((r = pz_estore_count(job->store, &n, err)))
        return r;
    const uint64_t of[PZ_N_SETS] = {
        [PZ_INTERACTIONS] = n.events, [PZ_ACTION_INTERACTIONS] = n.action_events,
        [PZ_ITEMS] = n.items,         [PZ_USERS] = n.users,
        [PZ_ACTIONS] = n.actions,
    };
    *any = of[job->set] > 0;
    return PZ_OK;
}

/* struct pz_feed's rows. */
static int
feed_rows(void *ctx, struct pz_feed_to *to, struct pz_err *err)
{
    struct job *job = ctx;
    const struct pz_schema *schema = pz_feed_schema(to);
    bool any;
    job->to = to;
    job->err = err;
    /* What goes for good is read behind the group's lock, behind others that take away.
     */
    int r = job->remember ? hold(job, &any, err) : PZ_OK;
    if (!r)
        r = pz_jsonl_new(&job->json, schema, err);
    if (!r)
        r = pz_new(&job->cell, schema->n_fields, sizeof *job->cell, "cells", err);
    if (!r && is_events(job->set))
        r = pz_estore_walk(job->store,
                           job->set == PZ_INTERACTIONS ? PZ_EVENT_ITEM : PZ_EVENT_ACTION,
                           0, take_event, job, err);
    else if (!r)
        r = pz_estore_records(job->store, record_kind[job->set], 0, take_record, job,
                              err);
    pz_estore_let_go(job->store);
    return r;
}

/* struct pz_feed's done: the file has what was taken. */
static int
drop(void *ctx, struct pz_err *err)
{
    struct job *job = ctx;
    const char *id = job->ids.data;
    int r = PZ_OK;
    for (size_t at = 0; at < job->n && !r; at += DROP_BATCH) {
        size_t n = job->n - at < DROP_BATCH ? job->n - at : DROP_BATCH;
        if (is_events(job->set)) {
            r = pz_estore_drop_events(job->store, job->seq + at, n, err);
            continue;
        }
        r = pz_estore_drop_records(job->store, record_kind[job->set], id, n, job->last,
                                   err);
        for (size_t i = 0; i < n; i++)
            id += strlen(id) + 1;
    }
    return r ? pz_err_prefix(err, "the dataset is complete, but the event store keeps "
                                  "what it has too (run it again): ")
             : PZ_OK;
}

static void
release(struct job *job)
{
    pz_estore_close(job->store);
    pz_jsonl_free(job->json);
    pz_buf_release(&job->ids);
    free(job->seq);
    free(job->cell);
}

/* ---- both uses ---- */

/* Only interactions can be made out of nothing but events. */
static bool
can_start(const char *path, enum pz_set set)
{
    return set == PZ_INTERACTIONS || access(path, F_OK) == 0;
}

static int
run(struct job *job, const char *group, int threads, int *scratch, struct pz_err *err)
{
    const struct pz_feed feed = {
        .name = "pz-event --compact",
        .rows = feed_rows,
        .done = job->remember ? drop : NULL,
        .ctx = job,
    };
    struct pz_import_result result;
    int r = pz_import_run(
        &(struct pz_import){
            .group = group,
            .set = job->set,
            .incremental = true,
            .default_schema = job->set == PZ_INTERACTIONS ? interactions : NULL,
            .threads = threads,
            .feed = &feed,
            .scratch = scratch,
        },
        &result, err);
    if (!r) {
        job->report->duplicates = result.duplicates;
        job->report->rows = result.rows_kept;
        pz_import_result_release(&result);
    }
    return r;
}

int
pz_stored_open(struct pz_dataset *d, const char *group, enum pz_set set, int threads,
               struct pz_stored_report *report, struct pz_err *err)
{
    struct job job = {.set = set, .before = INT64_MAX, .report = report};
    char *path = NULL;
    int scratch = -1;
    bool any = false;
    *report = (struct pz_stored_report){0};
    *d = (struct pz_dataset){0};
    int r = pz_dataset_path(&path, group, set, err);
    if (!r)
        r = pz_estore_open(&job.store, group, PZ_CATALOG_READ, err);
    /* The store before the file: a compaction replaces the file before it empties the
     * store, so that nothing can be missed, and what is seen twice is stored once. */
    if (!r)
        r = hold(&job, &any, err);
    any = any && can_start(path, set);
    if (!r && any)
        r = run(&job, group, threads, &scratch, err);
    if (!r && report->put) {
        r = pz_dataset_open_fd(d, scratch, path, err);
    } else if (!r && access(path, F_OK)) {
        r = PZ_NEGATIVE;
    } else if (!r) {
        r = pz_dataset_open(d, path, err);
        report->rows = r ? 0 : d->n_rows;
    }
    if (scratch >= 0)
        close(scratch);
    release(&job);
    free(path);
    return r;
}

int
pz_stored_compact(const char *group, enum pz_set set, int64_t before, int threads,
                  struct pz_stored_report *report, struct pz_err *err)
{
    struct job job = {.set = set, .before = before, .report = report, .remember = true};
    char *path = NULL;
    bool any = false;
    *report = (struct pz_stored_report){0};
    int r = pz_dataset_path(&path, group, set, err);
    if (!r)
        r = pz_estore_open(&job.store, group, PZ_CATALOG_WRITE, err);
    if (!r)
        r = hold(&job, &any, err);
    if (!r)
        pz_estore_let_go(job.store);
    if (!r && any && can_start(path, set))
        r = run(&job, group, threads, NULL, err);
    release(&job);
    free(path);
    return r;
}
