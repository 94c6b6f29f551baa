#include "serve/intake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/par.h"

enum {
    BATCH = 4096, // requests in a transaction, at most
    REST_SECONDS = 5,
};

struct intake {
    struct intake *next;
    struct pz_intakes *all;
    char *group, *db_path;
    pthread_t id;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct pz_put_job *first, **last; // the queue
    size_t n;
    bool stop;
    struct pz_intake_counts counts;
    // The writer's own.
    struct pz_estore *store;
    uint64_t db; // which file it has open
};

struct pz_intakes {
    size_t max_queue;
    pthread_mutex_t lock;
    struct intake *list;
    struct pz_intake_counts past; // of those whose groups have gone
    bool stop;
};

/* ---- putters ---- */

static void
job_free(struct pz_put_job *job)
{
    pz_put_free(job->put);
    free(job);
}

static void
putter_free(struct pz_putter *p)
{
    while (p->idle) {
        struct pz_put_job *job = p->idle;
        p->idle = job->next;
        job_free(job);
    }
    for (size_t i = 0; p->tracking_id && i < p->n_tracking_ids; i++)
        free(p->tracking_id[i]);
    free(p->tracking_id);
    pz_sets_free(p->sets);
    free(p->group);
    free(p);
}

static void
unlink_putter(struct pz_putter **all, struct pz_putter *p)
{
    while (*all != p)
        all = &(*all)->next;
    *all = p->next;
    putter_free(p);
}

static bool
is_current(const struct pz_putter *p, const struct pz_group *g)
{
    if (p->sets != g->sets || p->n_tracking_ids != g->n_tracking_ids)
        return false;
    for (size_t i = 0; i < g->n_tracking_ids; i++)
        if (strcmp(p->tracking_id[i], g->tracking_id[i]) != 0)
            return false;
    return true;
}

int
pz_putter_get(struct pz_putter **out, struct pz_putter **all, const struct pz_group *g,
              struct pz_shown *shown, struct pz_err *err)
{
    struct pz_putter *p, *next;
    *out = NULL;
    for (p = *all; p; p = next) {
        next = p->next;
        if (p->retired || strcmp(p->group, g->path) != 0)
            continue;
        if (is_current(p, g)) {
            *out = p;
            return PZ_OK;
        }
        p->retired = true;
        if (p->out == 0)
            unlink_putter(all, p);
    }
    if (pz_new(&p, 1, sizeof *p, "a reader of events", err))
        return err->status;
    p->shown = shown;
    p->sets = g->sets;
    pz_sets_keep(p->sets);
    if (!pz_strndup(&p->group, g->path, strlen(g->path), err))
        pz_new(&p->tracking_id, g->n_tracking_ids, sizeof *p->tracking_id, "trackers",
               err);
    for (size_t i = 0; i < g->n_tracking_ids && !err->status; i++) {
        pz_strndup(&p->tracking_id[i], g->tracking_id[i], strlen(g->tracking_id[i]), err);
        p->n_tracking_ids = i + 1;
    }
    if (err->status) {
        putter_free(p);
        return err->status;
    }
    p->next = *all;
    *all = p;
    *out = p;
    return PZ_OK;
}

static bool
find_shown(void *ctx, const char *recommendation, struct pz_buf *out)
{
    const struct pz_putter *p = ctx;
    return pz_shown_find(p->shown, p->group, recommendation, out);
}

int
pz_putter_job(struct pz_put_job **out, struct pz_putter *p, bool strict,
              struct pz_err *err)
{
    struct pz_put_job *job = p->idle;
    *out = NULL;
    if (job) {
        p->idle = job->next;
    } else {
        struct pz_put_options o = {.set = PZ_INTERACTIONS,
                                   .tracking_id = (const char *const *)p->tracking_id,
                                   .n_tracking_ids = p->n_tracking_ids,
                                   .strict = strict,
                                   .shown = p->shown ? find_shown : NULL,
                                   .shown_ctx = p};
        for (int set = 0; set < PZ_N_SETS; set++)
            if (p->sets->g.data.set[set])
                o.schema[set] = &p->sets->g.data.set[set]->schema;
        if (pz_new(&job, 1, sizeof *job, "a request", err))
            return err->status;
        if (pz_put_new(&job->put, &o, err)) {
            free(job);
            return err->status;
        }
        job->home = p;
    }
    p->out++;
    *out = job;
    return PZ_OK;
}

void
pz_putter_return(struct pz_putter **all, struct pz_put_job *job)
{
    struct pz_putter *p = job->home;
    pz_put_clear(job->put);
    job->next = p->idle;
    p->idle = job;
    if (--p->out == 0 && p->retired)
        unlink_putter(all, p);
}

void
pz_putters_sweep(struct pz_putter **all, const struct pz_site *site)
{
    for (struct pz_putter *p = *all, *next; p; p = next) {
        bool current = false;
        next = p->next;
        for (size_t i = 0; i < site->n_groups && !current; i++)
            current = strcmp(p->group, site->group[i]->path) == 0 &&
                      is_current(p, site->group[i]);
        p->retired |= !current;
        if (p->retired && p->out == 0)
            unlink_putter(all, p);
    }
}

void
pz_putters_free(struct pz_putter **all)
{
    while (*all)
        unlink_putter(all, *all);
}

/* ---- the writer ---- */

static uint64_t
db_number(const char *path)
{
    struct stat st;
    return stat(path, &st) ? 0 : (uint64_t)st.st_ino * 31 + (uint64_t)st.st_dev + 1;
}

/* The store of the group that is there now, and not of one that was removed. */
static int
open_store(struct intake *in, struct pz_err *err)
{
    if (in->store && db_number(in->db_path) == in->db)
        return PZ_OK;
    pz_estore_close(in->store);
    in->store = NULL;
    if (pz_estore_open(&in->store, in->group, PZ_CATALOG_WRITE, err))
        return err->status;
    in->db = db_number(in->db_path);
    return PZ_OK;
}

static int
store_row(struct intake *in, const struct pz_put_row *row, struct pz_intake_counts *n,
          struct pz_err *err)
{
    static const enum pz_record_kind kind[PZ_N_SETS] = {[PZ_ITEMS] = PZ_RECORD_ITEM,
                                                        [PZ_USERS] = PZ_RECORD_USER,
                                                        [PZ_ACTIONS] = PZ_RECORD_ACTION};
    bool is_new = true;
    if (row->set == PZ_INTERACTIONS || row->set == PZ_ACTION_INTERACTIONS) {
        if (pz_estore_add(in->store, &row->event, &is_new, NULL, err))
            return err->status;
        n->events += is_new;
        n->repeated += !is_new;
        return PZ_OK;
    }
    n->records++;
    return pz_estore_put(in->store, kind[row->set], row->event.item,
                         row->event.properties, pz_now(), err);
}

/* One transaction for jobs [job, end); end NULL: for all of the list. *begun: it came as
 * far as to their rows. */
static int
store_jobs(struct intake *in, struct pz_put_job *job, const struct pz_put_job *end,
           struct pz_intake_counts *counts, bool *begun, struct pz_err *err)
{
    *begun = false;
    if (open_store(in, err) || pz_estore_begin(in->store, err))
        return err->status;
    *begun = true;
    for (; job != end; job = job->next) {
        size_t n;
        const struct pz_put_row *row = pz_put_rows(job->put, &n);
        for (size_t i = 0; i < n; i++)
            if (store_row(in, &row[i], counts, err)) {
                pz_estore_rollback(in->store);
                return err->status;
            }
    }
    return pz_estore_commit(in->store, err);
}

static void
answer(struct pz_put_job *job, int status, const struct pz_err *err)
{
    struct pz_http_call *http = job->http;
    if (status == PZ_OK) {
        http->status = 200;
        http->type = "application/json";
    } else {
        pz_api_set_fault(http, PZ_EVENTS,
                         status == PZ_SYSTEM ? PZ_FAULT_UNAVAILABLE : PZ_FAULT_INTERNAL,
                         err->msg);
    }
    pz_http_resume(http);
}

/* Stores [job, end) and answers each. What fails together is tried one by one, so that
 * one request cannot take the others with it; but not where it is none's fault, as when
 * another process holds the store for longer than is waited: all would wait in turn. */
static void
settle(struct intake *in, struct pz_put_job *job, bool alone)
{
    struct pz_intake_counts n = {0};
    struct pz_err err = PZ_ERR_INIT;
    const struct pz_put_job *end = alone ? job->next : NULL;
    double began = pz_seconds_wall();
    bool begun;
    int status = store_jobs(in, job, end, &n, &begun, &err);
    double took = pz_seconds_wall() - began;
    pthread_mutex_lock(&in->lock);
    if (status) {
        in->counts.failures++;
    } else {
        in->counts.events += n.events;
        in->counts.repeated += n.repeated;
        in->counts.records += n.records;
        in->counts.commits++;
    }
    if (took > in->counts.slowest)
        in->counts.slowest = took;
    pthread_mutex_unlock(&in->lock);
    if (status) {
        pz_log(PZ_LOG_WARN, "%s", err.msg);
        pz_estore_close(in->store); // whatever state it is in
        in->store = NULL;
    }
    bool one_by_one = status && begun && !alone && job->next;
    for (struct pz_put_job *next; job != end; job = next) {
        next = job->next; // when it is answered it is no longer ours
        if (one_by_one)
            settle(in, job, true);
        else
            answer(job, status, &err);
    }
}

/* Waits for a request, under the lock. A store whose group has gone is not kept open.
 * True: nor is there a folder for another. */
static bool
rest(struct intake *in)
{
    struct stat st;
    if (pz_cond_wait(&in->wake, &in->lock, REST_SECONDS) != ETIMEDOUT)
        return false;
    if (in->store && db_number(in->db_path) != in->db) {
        pz_estore_close(in->store);
        in->store = NULL;
    }
    return !in->store && stat(in->group, &st) && errno == ENOENT;
}

static void
add_counts(struct pz_intake_counts *n, const struct pz_intake_counts *c)
{
    n->requests += c->requests;
    n->events += c->events;
    n->repeated += c->repeated;
    n->records += c->records;
    n->commits += c->commits;
    n->failures += c->failures;
    n->refused += c->refused;
    if (c->slowest > n->slowest)
        n->slowest = c->slowest;
}

/* Takes a writer without a group out of the list, that it may end. False: a request has
 * come for it, or the end has begun. */
static bool
leave(struct intake *in)
{
    struct pz_intakes *all = in->all;
    pthread_mutex_lock(&all->lock);
    pthread_mutex_lock(&in->lock);
    struct intake **at = &all->list;
    while (*at && *at != in)
        at = &(*at)->next;
    bool alone = *at && !in->first;
    if (alone) {
        *at = in->next;
        add_counts(&all->past, &in->counts);
    }
    pthread_mutex_unlock(&in->lock);
    pthread_mutex_unlock(&all->lock);
    return alone;
}

static void intake_free(struct intake *in);

static void *
run(void *arg)
{
    struct intake *in = arg;
    pthread_mutex_lock(&in->lock);
    for (;;) {
        bool gone = false;
        while (!in->first && !in->stop && !gone)
            gone = rest(in);
        if (gone) {
            pthread_mutex_unlock(&in->lock);
            if (leave(in)) {
                pthread_detach(pthread_self()); // nobody knows of it any more
                intake_free(in);
                return NULL;
            }
            pthread_mutex_lock(&in->lock);
            continue;
        }
        if (!in->first)
            break;
        struct pz_put_job *job = in->first, *end = job;
        size_t n = 1;
        for (; end->next && n < BATCH; n++)
            end = end->next;
        in->first = end->next;
        end->next = NULL;
        if (!in->first)
            in->last = &in->first;
        in->n -= n;
        pthread_mutex_unlock(&in->lock);
        settle(in, job, false);
        pthread_mutex_lock(&in->lock);
    }
    pthread_mutex_unlock(&in->lock);
    pz_estore_close(in->store);
    in->store = NULL;
    return NULL;
}

/* ---- life ---- */

static void
intake_free(struct intake *in)
{
    pthread_mutex_destroy(&in->lock);
    pthread_cond_destroy(&in->wake);
    free(in->group);
    free(in->db_path);
    free(in);
}

static struct intake *
intake_new(struct pz_intakes *all, const char *group, struct pz_err *err)
{
    struct intake *in;
    if (pz_new(&in, 1, sizeof *in, "a queue", err))
        return NULL;
    in->all = all;
    in->last = &in->first;
    pthread_mutex_init(&in->lock, NULL);
    pthread_cond_init(&in->wake, NULL);
    if (pz_strndup(&in->group, group, strlen(group), err) ||
        pz_path_join(&in->db_path, group, "group.db", err)) {
        intake_free(in);
        return NULL;
    }
    errno = pthread_create(&in->id, NULL, run, in);
    if (errno) {
        pz_err_sys(err, "cannot start a thread");
        intake_free(in);
        return NULL;
    }
    return in;
}

int
pz_intakes_new(struct pz_intakes **out, size_t max_queue, struct pz_err *err)
{
    struct pz_intakes *all;
    *out = NULL;
    if (pz_new(&all, 1, sizeof *all, "queues", err))
        return err->status;
    all->max_queue = max_queue;
    pthread_mutex_init(&all->lock, NULL);
    *out = all;
    return PZ_OK;
}

void
pz_intakes_stop(struct pz_intakes *all)
{
    pthread_mutex_lock(&all->lock);
    all->stop = true;
    struct intake *list = all->list;
    all->list = NULL;
    pthread_mutex_unlock(&all->lock);
    for (struct intake *in = list, *next; in; in = next) {
        next = in->next;
        pthread_mutex_lock(&in->lock);
        in->stop = true;
        pthread_cond_signal(&in->wake);
        pthread_mutex_unlock(&in->lock);
        pthread_join(in->id, NULL);
        intake_free(in);
    }
}

void
pz_intakes_free(struct pz_intakes *all)
{
    if (!all)
        return;
    pz_intakes_stop(all);
    pthread_mutex_destroy(&all->lock);
    free(all);
}

void
pz_intakes_count(struct pz_intakes *all, struct pz_intake_counts *n)
{
    pthread_mutex_lock(&all->lock);
    *n = all->past;
    all->past.slowest = 0;
    for (struct intake *in = all->list; in; in = in->next) {
        pthread_mutex_lock(&in->lock);
        add_counts(n, &in->counts);
        n->waiting += in->n;
        in->counts.slowest = 0;
        pthread_mutex_unlock(&in->lock);
    }
    pthread_mutex_unlock(&all->lock);
}

int
pz_intake_submit(struct pz_intakes *all, const char *group, struct pz_put_job *job,
                 struct pz_err *err)
{
    struct intake *in = NULL;
    int status = PZ_OK;
    pthread_mutex_lock(&all->lock);
    for (in = all->list; in && strcmp(in->group, group); in = in->next)
        ;
    if (!in && !all->stop && (in = intake_new(all, group, err))) {
        in->next = all->list;
        all->list = in;
    }
    if (!in) {
        status = err->status ? err->status : PZ_NEGATIVE;
    } else {
        pthread_mutex_lock(&in->lock);
        in->counts.requests++;
        if (in->n >= all->max_queue) {
            in->counts.refused++;
            status = PZ_NEGATIVE;
        } else {
            pz_http_suspend(job->http);
            job->next = NULL;
            *in->last = job;
            in->last = &job->next;
            in->n++;
            pthread_cond_signal(&in->wake);
        }
        pthread_mutex_unlock(&in->lock);
    }
    pthread_mutex_unlock(&all->lock);
    return status;
}
