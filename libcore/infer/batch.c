#include "infer/batch.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/par.h"
#include "infer/answer.h"
#include "infer/giver.h"
#include "infer/lines.h"

enum {
    BLOCK_LINES = 256,    // a tile for the recipe
    BLOCK_SEGMENTS = 8,   // each line is a walk through all users
    BLOCK_ROWS = 1 << 18, // answers of a block, more or less
    BLOCKS_A_THREAD = 4,
    MAX_THREADS = 256,
};

/* What a block of requests became. */
struct pages {
    struct pz_buf out, log;
};

/* A request for the session and the ask that it is of. */
struct job {
    size_t ask;
    bool promoted; // asks for the items to promote; the request itself is the next job
    const struct pz_text *fresh; // for the places that are left then
    size_t n_fresh;
};

/* One thread's tools. */
struct clerk {
    const struct pz_batch *b;
    struct pz_scope alone; // when there is no scope
    struct pz_scope_run *scope;
    struct pz_session *session;
    struct pz_asks asks;
    struct pz_request *request; // of the jobs
    struct job *job;
    size_t n_jobs, cap_request, cap_job;
    char **refusal; // why an ask cannot be answered, NULL else; one an ask
    size_t n_refusals, cap_refusal;
    struct pz_answered *promoted; // for the next job
    size_t n_promoted, cap_promoted;
    const bool *mark; // which items of the answer at hand are promoted; NULL: none
    size_t at;        // for reasons: the request at hand, in the session's numbering
    struct pz_batch_counts counts;
};

static int
clerk_init(struct clerk *c, const struct pz_batch *b, struct pz_err *err)
{
    *c = (struct clerk){.b = b, .alone = {.model = b->rules.model}};
    return pz_scope_run_new(&c->scope, b->scope ? b->scope : &c->alone, err) ||
                   pz_session_new(&c->session, b->rules.model, err)
               ? err->status
               : PZ_OK;
}

static void
forget_refusals(struct clerk *c)
{
    for (size_t i = 0; i < c->n_refusals; i++)
        free(c->refusal[i]);
    c->n_refusals = 0;
}

static void
clerk_release(struct clerk *c)
{
    forget_refusals(c);
    free(c->refusal);
    pz_scope_run_free(c->scope);
    pz_session_free(c->session);
    pz_asks_release(&c->asks);
    free(c->request);
    free(c->job);
    free(c->promoted);
}

static const struct pz_scope *
scope_of(const struct clerk *c)
{
    return c->b->scope ? c->b->scope : &c->alone;
}

static int
explain(void *ctx, uint32_t index, struct pz_explanation *out, struct pz_err *err)
{
    struct clerk *c = ctx;
    return pz_infer_explain(c->session, c->at, index, out, err);
}

static bool
column(void *ctx, const struct pz_text *item, size_t k, struct pz_buf *out)
{
    struct clerk *c = ctx;
    return pz_scope_column(c->scope, item, k, out);
}

/* A line in place of an answer. */
static void
tell_error(const struct clerk *c, struct pz_buf *out, const struct pz_ask *ask)
{
    if (ask->json || c->b->json)
        pz_answer_json_error(out, ask);
    else
        pz_log(PZ_LOG_WARN, "%s", ask->error);
}

/* A segment for items that there are none of. */
static int
add_no_item(struct clerk *c, struct pz_buf *out, const struct pz_ask *ask,
            struct pz_err *err)
{
    const struct pz_text *item = &ask->request.item;
    int n = (int)(item->n < 200 ? item->n : 200);
    struct pz_buf text = PZ_BUF_INIT;
    struct pz_ask told = *ask;
    pz_buf_addf(&text, "line %llu: ", (unsigned long long)ask->number);
    if (pz_model_asks_attributes(c->b->rules.model))
        pz_buf_addf(&text, "no item of the model has the attributes %.*s", n, item->s);
    else
        pz_buf_addf(&text, "item '%.*s' is not in the model", n, item->s);
    if (!pz_buf_status(&text, "a message", err)) {
        told.error = text.data;
        tell_error(c, out, &told);
    }
    pz_buf_release(&text);
    return err->status;
}

static int
add_answer(struct clerk *c, struct pages *p, const struct pz_ask *ask,
           const struct pz_answer *answer, struct pz_err *err)
{
    const struct pz_scope *s = scope_of(c);
    char id[PZ_RECOMMENDATION_ID];
    struct pz_answer_form form = {.model = c->b->rules.model,
                                  .explain = c->b->explain ? explain : NULL,
                                  .ctx = c,
                                  .column = s->column,
                                  .n_columns = s->n_columns,
                                  .get_column = column,
                                  .promotion = s->promotion ? s->promotion_name : NULL,
                                  .promoted = c->mark,
                                  .explores = c->b->rules.base.explore.weight > 0};
    c->counts.unknown += answer->n_unknown;
    c->counts.strangers += answer->stranger;
    if (answer->no_item)
        return add_no_item(c, &p->out, ask, err);
    if (c->b->has_log) {
        if (pz_recommendation_id(id, err))
            return err->status;
        form.id = id;
        form.origin = c->b->origin;
        if (pz_answer_log(&p->log, &form, ask, answer, err))
            return err->status;
    }
    return ask->json || c->b->json ? pz_answer_json(&p->out, &form, ask, answer, err)
                                   : pz_answer_tsv(&p->out, &form, ask, answer, err);
}

static void
add_error(struct clerk *c, struct pz_buf *out, const struct pz_ask *ask)
{
    c->counts.bad++;
    tell_error(c, out, ask);
}

/* A filter cannot take the request of ask i: bad values are its line's fault, or, without
 * a line, the run's. */
static int
refuse(struct clerk *c, size_t i, struct pz_err *err)
{
    struct pz_ask *ask = &c->asks.ask[i];
    char text[sizeof err->msg + 32];
    if (err->status != PZ_DATA || !ask->json)
        return err->status;
    if (pz_grow(&c->refusal, &c->cap_refusal, c->n_refusals + 1, sizeof *c->refusal,
                "messages", err))
        return err->status;
    snprintf(text, sizeof text, "line %llu: %s", (unsigned long long)ask->number,
             err->msg);
    *err = (struct pz_err)PZ_ERR_INIT;
    if (pz_strndup(&c->refusal[c->n_refusals], text, strlen(text), err))
        return err->status;
    ask->error = c->refusal[c->n_refusals++];
    return PZ_OK;
}

/* Jobs for asks from i on, as many as the filters have room for; *end: behind the last.
 */
static int
make_jobs(struct clerk *c, size_t i, size_t *end, struct pz_err *err)
{
    struct pz_asks *a = &c->asks;
    size_t room = 2 * (a->n - i);
    c->n_jobs = 0;
    pz_scope_flush(c->scope);
    if (pz_grow(&c->request, &c->cap_request, room, sizeof *c->request, "requests",
                err) ||
        pz_grow(&c->job, &c->cap_job, room, sizeof *c->job, "requests", err))
        return err->status;
    for (; i < a->n; i++) {
        if (a->ask[i].error)
            continue;
        struct pz_request q = a->ask[i].request;
        struct pz_promotion promoted;
        int status = pz_scope_complete(c->scope, &q, &promoted, err);
        if (status == PZ_NEGATIVE && !err->status)
            break;
        if (status && refuse(c, i, err))
            return err->status;
        if (status)
            continue;
        if (promoted.request.n) {
            c->job[c->n_jobs] = (struct job){i, true, promoted.fresh, promoted.n_fresh};
            c->request[c->n_jobs++] = promoted.request;
        }
        c->job[c->n_jobs] = (struct job){.ask = i};
        c->request[c->n_jobs++] = q;
    }
    *end = i;
    return PZ_OK;
}

/* The answer to a job: what is to be promoted waits for the job behind it. */
static int
finish_job(struct clerk *c, size_t k, const struct pz_answer *answer, struct pages *p,
           struct pz_err *err)
{
    struct pz_answer whole = *answer;
    c->mark = NULL;
    const struct job *job = &c->job[k];
    if (job->promoted) {
        size_t n = answer->n, most = c->request[k].n;
        if (pz_grow(&c->promoted, &c->cap_promoted, n + job->n_fresh, sizeof *c->promoted,
                    "answers", err))
            return err->status;
        if (n)
            memcpy(c->promoted, answer->item, n * sizeof *c->promoted);
        for (size_t i = 0; i < job->n_fresh && n < most; i++)
            c->promoted[n++] = (struct pz_answered){job->fresh[i], PZ_NO_ID, NAN, false};
        c->n_promoted = n;
        return PZ_OK;
    }
    if (c->n_promoted && pz_scope_promote(c->scope, &c->request[k], c->promoted,
                                          c->n_promoted, &whole, &c->mark, err))
        return err->status;
    c->n_promoted = 0;
    return add_answer(c, p, &c->asks.ask[c->job[k].ask], &whole, err);
}

/* Answers asks [i, end), whose jobs were made. */
static int
do_jobs(struct clerk *c, size_t i, size_t end, struct pages *p, struct pz_err *err)
{
    size_t first = 0, n_done = 0;
    const struct pz_answer *answer = NULL;
    c->n_promoted = 0;
    for (size_t k = 0; k < c->n_jobs || i < end;) {
        if (i < end && c->asks.ask[i].error) {
            add_error(c, &p->out, &c->asks.ask[i++]);
            continue;
        }
        if (k == first + n_done) {
            first = k;
            if (pz_infer(c->session, c->request + first, c->n_jobs - first, &answer,
                         &n_done, err))
                return err->status;
        }
        c->at = k - first;
        if (finish_job(c, k, &answer[c->at], p, err))
            return err->status;
        i += !c->job[k++].promoted;
    }
    return PZ_OK;
}

/* Answers all that c->asks holds, behind what is in p. */
static int
answer_asks(struct clerk *c, struct pages *p, struct pz_err *err)
{
    size_t end;
    forget_refusals(c);
    if (pz_asks_end(&c->asks, err) || pz_scope_begin(c->scope, err))
        return err->status;
    c->counts.requests += c->asks.n;
    for (size_t i = 0; i < c->asks.n; i = end)
        if (make_jobs(c, i, &end, err) || do_jobs(c, i, end, p, err))
            return err->status;
    return pz_buf_status(&p->log, "the log", err)
               ? err->status
               : pz_buf_status(&p->out, "the answers", err);
}

static int
answer_block(struct clerk *c, const struct pz_block *b, struct pages *out,
             struct pz_err *err)
{
    pz_buf_clear(&out->out);
    pz_buf_clear(&out->log);
    if (pz_asks_begin(&c->asks, b->n_bytes, err))
        return err->status;
    for (size_t i = 0; i < b->n; i++)
        if (pz_asks_add(&c->asks, &c->b->rules, b->line[i].kind, &b->line[i].text,
                        b->line[i].number, err))
            return err->status;
    return answer_asks(c, out, err);
}

static int
write_bytes(int fd, const struct pz_buf *out, const char *what, struct pz_err *err)
{
    for (size_t at = 0; at < out->len;) {
        ssize_t n = write(fd, out->data + at, out->len - at);
        if (n >= 0) {
            at += (size_t)n;
        } else if (errno == EAGAIN) {
            struct pollfd p = {.fd = fd, .events = POLLOUT};
            poll(&p, 1, -1);
        } else if (errno != EINTR) {
            return pz_err_sys(err, "cannot write %s", what);
        }
    }
    return PZ_OK;
}

/* The log first: what was shown has been logged. */
static int
write_all(const struct pz_batch *b, const struct pages *p, struct pz_err *err)
{
    if (p->log.len && write_bytes(b->log, &p->log, "the log", err))
        return err->status;
    return write_bytes(b->out, &p->out, "the answers", err);
}

static void
pages_release(struct pages *p)
{
    pz_buf_release(&p->out);
    pz_buf_release(&p->log);
}

/* Lines of a block: fewer when many items are wanted for each. */
static size_t
block_lines(const struct pz_batch *b)
{
    const struct pz_model *m = b->rules.model;
    size_t n = b->rules.base.n, n_items = (size_t)pz_model_answers(m)->n;
    size_t most = pz_model_answers_users(m) ? BLOCK_SEGMENTS : BLOCK_LINES;
    n = n < n_items ? n : n_items;
    size_t lines = BLOCK_ROWS / (n ? n : 1);
    return lines > most ? most : lines ? lines : 1;
}

/* ---- many threads ---- */

/*
 * A ring of blocks. The thread that holds `reading` fills the next free one; when it has
 * been answered, whoever finds the oldest unwritten block done writes it and those behind
 * it. So threads wait only for input and for room, and the order is that of the input.
 */
struct place {
    struct pz_block block;
    struct pages out;
    bool taken, done;
};

struct ring {
    const struct pz_batch *b;
    struct pz_lines *lines;
    size_t max_lines;
    struct place *place;
    size_t n_places;
    pthread_mutex_t reading;
    uint64_t n_read; // blocks; guarded by reading
    pthread_mutex_t state;
    pthread_cond_t freed;
    uint64_t n_written; // from here on guarded by state
    bool writing, stop;
    struct pz_err *err;
};

struct worker {
    struct ring *r;
    struct clerk clerk;
    pthread_t id;
};

static void
halt(struct ring *r, const struct pz_err *err)
{
    pthread_mutex_lock(&r->state);
    if (!r->stop && err)
        *r->err = *err;
    r->stop = true;
    pthread_cond_broadcast(&r->freed);
    pthread_mutex_unlock(&r->state);
    // A thread may be waiting for input that does not come.
    uint64_t one = 1;
    if (r->lines->wake >= 0 && write(r->lines->wake, &one, sizeof one) < 0)
        return; // its counter is full: it is readable as it should be
}

/* The next block of input; NULL when there is none or the run is over. */
static struct place *
next_block(struct ring *r)
{
    struct pz_err err = PZ_ERR_INIT;
    pthread_mutex_lock(&r->reading);
    struct place *p = &r->place[r->n_read % r->n_places];
    pthread_mutex_lock(&r->state);
    while (p->taken && !r->stop)
        pthread_cond_wait(&r->freed, &r->state);
    bool stop = r->stop;
    pthread_mutex_unlock(&r->state);
    if (!stop && pz_lines_read(r->lines, &p->block, r->max_lines, &err))
        halt(r, &err);
    if (stop || err.status || p->block.n == 0)
        p = NULL;
    else
        r->n_read++;
    if (p) {
        pthread_mutex_lock(&r->state);
        p->taken = true;
        pthread_mutex_unlock(&r->state);
    }
    pthread_mutex_unlock(&r->reading);
    return p;
}

/* Marks p as answered and writes what is due, unless another thread is at it. */
static void
hand_in(struct ring *r, struct place *p)
{
    struct pz_err err = PZ_ERR_INIT;
    pthread_mutex_lock(&r->state);
    p->done = true;
    if (!r->writing) {
        r->writing = true;
        for (;;) {
            struct place *due = &r->place[r->n_written % r->n_places];
            if (!due->done || r->stop)
                break;
            pthread_mutex_unlock(&r->state);
            write_all(r->b, &due->out, &err);
            pthread_mutex_lock(&r->state);
            if (err.status) { // at once, or another thread would write behind the gap
                if (!r->stop)
                    *r->err = err;
                r->stop = true;
                break;
            }
            due->done = due->taken = false;
            r->n_written++;
            pthread_cond_broadcast(&r->freed);
        }
        r->writing = false;
    }
    pthread_mutex_unlock(&r->state);
    if (err.status)
        halt(r, NULL); // wakes the others
}

static void *
work(void *arg)
{
    struct worker *w = arg;
    struct place *p;
    while ((p = next_block(w->r))) {
        struct pz_err err = PZ_ERR_INIT;
        if (answer_block(&w->clerk, &p->block, &p->out, &err)) {
            halt(w->r, &err);
            break;
        }
        hand_in(w->r, p);
    }
    return NULL;
}

static void
add_counts(struct pz_batch_counts *to, const struct pz_batch_counts *from)
{
    to->requests += from->requests;
    to->bad += from->bad;
    to->unknown += from->unknown;
    to->strangers += from->strangers;
}

/* The rest of the input on n threads. */
static int
run_ring(const struct pz_batch *b, struct pz_lines *lines, int n,
         struct pz_batch_counts *counts, struct pz_err *err)
{
    struct ring r = {.b = b,
                     .lines = lines,
                     .max_lines = block_lines(b),
                     .n_places = (size_t)n * BLOCKS_A_THREAD,
                     .reading = PTHREAD_MUTEX_INITIALIZER,
                     .state = PTHREAD_MUTEX_INITIALIZER,
                     .freed = PTHREAD_COND_INITIALIZER,
                     .err = err};
    struct worker *worker = NULL;
    int n_ready = 0, n_started = 0;
    if (pz_new(&r.place, r.n_places, sizeof *r.place, "blocks", err) ||
        pz_new(&worker, (size_t)n, sizeof *worker, "threads", err))
        goto end;
    lines->wake = eventfd(0, EFD_CLOEXEC);
    while (n_ready < n) {
        struct worker *w = &worker[n_ready++]; // half made ones are released too
        w->r = &r;
        if (clerk_init(&w->clerk, b, err))
            goto end;
    }
    // A thread that cannot be had only makes it slower: this one works too.
    for (n_started = 1; n_started < n; n_started++)
        if (pthread_create(&worker[n_started].id, NULL, work, &worker[n_started]))
            break;
    work(&worker[0]);
    for (int i = 1; i < n_started; i++)
        pthread_join(worker[i].id, NULL);
end:
    for (int i = 0; i < n_ready; i++) {
        add_counts(counts, &worker[i].clerk.counts);
        clerk_release(&worker[i].clerk);
    }
    for (size_t i = 0; r.place && i < r.n_places; i++) {
        pz_block_release(&r.place[i].block);
        pages_release(&r.place[i].out);
    }
    if (lines->wake >= 0)
        close(lines->wake);
    lines->wake = -1;
    free(r.place);
    free(worker);
    return err->status;
}

int
pz_batch_stream(const struct pz_batch *b, int in, struct pz_batch_counts *counts,
                struct pz_err *err)
{
    size_t max = block_lines(b);
    int n_threads = pz_threads(b->threads);
    struct pz_lines lines;
    struct pz_block block = {.n = 0};
    struct pages out = {PZ_BUF_INIT, PZ_BUF_INIT};
    struct clerk clerk;
    bool full = false;
    *counts = (struct pz_batch_counts){0};
    pz_lines_init(&lines, in);
    if (clerk_init(&clerk, b, err))
        goto end;
    // A block that is not full was all there was: there is no work for a second thread.
    while (!full || n_threads == 1) {
        if (pz_lines_read(&lines, &block, max, err) || block.n == 0 ||
            answer_block(&clerk, &block, &out, err) || write_all(b, &out, err))
            goto end;
        full = block.n == max;
    }
    run_ring(b, &lines, n_threads, counts, err);
end:
    add_counts(counts, &clerk.counts);
    clerk_release(&clerk);
    pages_release(&out);
    pz_block_release(&block);
    pz_lines_release(&lines);
    return err->status;
}

int
pz_batch_ids(const struct pz_batch *b, const struct pz_text *id, size_t n,
             struct pz_batch_counts *counts, struct pz_err *err)
{
    size_t max = block_lines(b);
    struct pages out = {PZ_BUF_INIT, PZ_BUF_INIT};
    struct clerk c;
    *counts = (struct pz_batch_counts){0};
    if (clerk_init(&c, b, err))
        goto end;
    for (size_t i = 0; i < n || i == 0;) {
        pz_buf_clear(&out.out);
        pz_buf_clear(&out.log);
        if (pz_asks_begin(&c.asks, 0, err) ||
            (n == 0 && pz_asks_add_base(&c.asks, &b->rules, err)))
            goto end;
        size_t last = n - i > max ? i + max : n;
        for (size_t k = i; k < last; k++)
            if (pz_asks_add(&c.asks, &b->rules, PZ_LINE_ID, &id[k], k + 1, err))
                goto end;
        if (answer_asks(&c, &out, err) || write_all(b, &out, err))
            goto end;
        i = last ? last : 1;
    }
end:
    *counts = c.counts;
    clerk_release(&c);
    pages_release(&out);
    return err->status;
}
