#include "serve/round.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "infer/answer.h"
#include "infer/giver.h"
#include "serve/server.h"

/* A request for the session, and whose it is. */
struct job {
    struct pz_inquiry *of;
    bool promoted; // asks for the items to promote; the inquiry itself is the next job
    const struct pz_text *fresh; // for the places that are left then
    size_t n_fresh;
};

struct pz_round {
    struct pz_inquiry inquiry[PZ_ROUND];
    size_t n;
    // Of the deployment at hand:
    struct pz_inquiry *member[PZ_ROUND];
    size_t n_members;
    struct pz_request request[2 * PZ_ROUND]; // of the jobs
    struct job job[2 * PZ_ROUND];
    size_t n_jobs;
};

void
pz_round_free(struct pz_round *r)
{
    free(r);
}

struct pz_inquiry *
pz_round_take(struct pz_call *call, const char *list)
{
    struct pz_worker *w = call->worker;
    struct pz_err err = PZ_ERR_INIT;
    if (!w->round && pz_new(&w->round, 1, sizeof *w->round, "requests", &err)) {
        pz_api_fail_err(call, &err);
        return NULL;
    }
    if (w->round->n == PZ_ROUND)
        pz_round_answer(w->round);
    struct pz_inquiry *a = &w->round->inquiry[w->round->n];
    *a = (struct pz_inquiry){.call = *call, .list = list};
    return a;
}

static bool
failed(const struct pz_inquiry *a)
{
    return a->call.http->status != 0;
}

static void
fail(struct pz_inquiry *a, const struct pz_err *err)
{
    pz_api_fail_err(&a->call, err);
}

/* The answer is there: it is counted, and nothing but the answer stays. */
static void
settle(struct pz_inquiry *a)
{
    struct pz_http_call *http = a->call.http;
    if (!failed(a))
        http->status = 200;
    if (a->campaign) {
        pz_usage_add(a->campaign->usage, pz_seconds_wall() - http->began);
        a->campaign->usage->errors += http->status != 200;
    }
    free(a->promoted);
    free(a->input);
    a->done = true;
}

enum pz_http_when
pz_round_add(struct pz_inquiry *a, struct pz_call *call)
{
    if (failed(a)) {
        settle(a);
        return PZ_HTTP_NOW;
    }
    call->worker->round->n++;
    call->body = NULL;
    pz_http_suspend(call->http);
    return PZ_HTTP_LATER;
}

static void
settle_later(struct pz_inquiry *a)
{
    settle(a);
    pz_json_free(a->call.body);
    pz_http_resume(a->call.http);
}

/* ---- texts of answers ---- */

static void
add_metadata(struct pz_inquiry *a, const struct pz_answered *item, struct pz_buf *hold)
{
    struct pz_buf *out = &a->call.http->out;
    bool first = true;
    pz_buf_addz(out, ",\"metadata\":{");
    for (size_t c = 0; c < a->key.n_columns; c++) {
        pz_buf_clear(hold);
        if (!pz_scope_column(a->run, &item->item, c, hold))
            continue;
        pz_buf_addz(out, first ? "\"" : ",\"");
        pz_json_add_camel(out, a->key.column[c]->name);
        pz_buf_addz(out, "\":");
        pz_json_add_string(out, hold->data ? hold->data : "", hold->len);
        first = false;
    }
    pz_buf_addc(out, '}');
}

static void
add_item(struct pz_inquiry *a, const struct pz_answered *item, bool promoted,
         bool popular, struct pz_buf *hold)
{
    struct pz_buf *out = &a->call.http->out;
    char number[PZ_NUM_TEXT];
    pz_buf_addz(out, a->actions ? "{\"actionId\":" : "{\"itemId\":");
    pz_json_add_string(out, item->item.s, item->item.n);
    if (a->deploy->model.recipe->has_scores && isfinite(item->score)) {
        pz_buf_addz(out, ",\"score\":");
        pz_buf_add(out, number, pz_format_f32(number, item->score));
    }
    if (promoted) {
        pz_buf_addz(out, ",\"promotionName\":");
        pz_json_add_string(out, a->promotion, strlen(a->promotion));
    }
    if (a->key.n_columns)
        add_metadata(a, item, hold);
    if (promoted)
        pz_buf_addz(out, ",\"reason\":[\"Promoted item\"]");
    else if (item->explored)
        pz_buf_addz(out, ",\"reason\":[\"Exploration\"]");
    else if (popular)
        pz_buf_addz(out, ",\"reason\":[\"Popular item\"]");
    pz_buf_addc(out, '}');
}

/* Events may tell of the answer by its id alone. */
static void
note_shown(struct pz_inquiry *a, const char *id, const struct pz_answer *answer,
           struct pz_buf *list)
{
    struct pz_shown *shown = a->call.server->shown;
    if (!shown || a->actions)
        return;
    pz_buf_clear(list);
    for (size_t i = 0; i < answer->n; i++) {
        const struct pz_text *item = &answer->item[i].item;
        if (memchr(item->s, '|', item->n))
            continue; // an impression cannot name it
        if (list->len)
            pz_buf_addc(list, '|');
        pz_buf_add(list, item->s, item->n);
    }
    if (list->len && !list->failed)
        pz_shown_add(shown, a->group->path, id, list->data, list->len);
}

static int
add_answer(struct pz_inquiry *a, const struct pz_answer *answer, const bool *mark,
           struct pz_err *err)
{
    struct pz_buf *out = &a->call.http->out, hold = PZ_BUF_INIT;
    char id[PZ_RECOMMENDATION_ID];
    bool popular = answer->fallback && !a->q.has_candidates &&
                   a->deploy->model.recipe->type == PZ_USER_PERSONALIZATION;
    if (pz_recommendation_id(id, err))
        return err->status;
    pz_recommendation_mark(
        id, pz_recommendation_mark_of(a->campaign->name, a->campaign->recommender));
    pz_buf_addf(out, "{\"%s\":[", a->list);
    for (size_t i = 0; i < answer->n; i++) {
        if (i)
            pz_buf_addc(out, ',');
        add_item(a, &answer->item[i], mark && mark[i], popular, &hold);
    }
    pz_buf_addf(out, "],\"recommendationId\":\"%s\"}", id);
    note_shown(a, id, answer, &hold);
    if (!pz_buf_status(&hold, "the answer", err))
        pz_buf_status(out, "the answer", err);
    pz_buf_release(&hold);
    return err->status;
}

/* ---- answering ---- */

/* The items to promote wait for the job behind. */
static int
keep_promoted(const struct job *job, const struct pz_answer *answer, size_t most,
              struct pz_err *err)
{
    struct pz_inquiry *a = job->of;
    size_t n = answer->n;
    if (pz_new(&a->promoted, n + job->n_fresh, sizeof *a->promoted, "answers", err))
        return err->status;
    if (n)
        memcpy(a->promoted, answer->item, n * sizeof *a->promoted);
    for (size_t i = 0; i < job->n_fresh && n < most; i++)
        a->promoted[n++] = (struct pz_answered){job->fresh[i], PZ_NO_ID, NAN, false};
    a->n_promoted = n;
    return PZ_OK;
}

static int
finish(struct pz_inquiry *a, const struct pz_answer *answer, struct pz_err *err)
{
    struct pz_answer whole = *answer;
    const bool *mark = NULL;
    struct pz_usage *u = a->campaign->usage;
    u->cold += answer->fallback;
    u->filtered += a->key.filter != NULL;
    u->short_lists += a->key.filter && !a->q.has_candidates && answer->n < a->q.n;
    if (a->n_promoted &&
        pz_scope_promote(a->run, &a->q, a->promoted, a->n_promoted, &whole, &mark, err))
        return err->status;
    return add_answer(a, &whole, mark, err);
}

static void
finish_job(const struct job *job, const struct pz_request *q,
           const struct pz_answer *answer, int status, struct pz_err *err)
{
    struct pz_inquiry *a = job->of;
    if (a->done)
        return; // its promotion failed
    if (!status)
        status = job->promoted ? keep_promoted(job, answer, q->n, err)
                               : finish(a, answer, err);
    if (status)
        fail(a, err);
    if (status || !job->promoted)
        settle_later(a);
}

/* Answers the jobs together; should that fail, each alone, so that only those fail whose
 * fault it is. */
static void
do_jobs(struct pz_round *r, struct pz_session *session)
{
    size_t most = r->n_jobs, n_done;
    for (size_t k = 0; k < r->n_jobs; k += n_done) {
        struct pz_err err = PZ_ERR_INIT;
        const struct pz_answer *answer = NULL;
        size_t n = r->n_jobs - k < most ? r->n_jobs - k : most;
        int status = pz_infer(session, &r->request[k], n, &answer, &n_done, &err);
        if (status && n > 1) {
            most = 1;
            n_done = 0;
            continue;
        }
        if (status)
            n_done = 1;
        for (size_t i = k; i < k + n_done; i++)
            finish_job(&r->job[i], &r->request[i], status ? NULL : &answer[i - k], status,
                       &err);
    }
}

/* Jobs for the members from i on, as many as the filters have room for. Returns the
 * first one that had none. */
static size_t
make_jobs(struct pz_round *r, size_t i)
{
    r->n_jobs = 0;
    for (size_t k = i; k < r->n_members; k++)
        pz_scope_flush(r->member[k]->run);
    for (; i < r->n_members; i++) {
        struct pz_inquiry *a = r->member[i];
        struct pz_err err = PZ_ERR_INIT;
        struct pz_promotion p;
        struct pz_request q = a->q;
        q.explore.key = a->call.server->o.seed;
        int status = pz_scope_complete(a->run, &q, &p, &err);
        if (status == PZ_NEGATIVE && !err.status) {
            if (r->n_jobs)
                break;
            pz_err_set(&err, PZ_SYSTEM, "no room for a filter");
        }
        if (status) {
            fail(a, &err);
            settle_later(a);
            continue;
        }
        if (p.request.n) {
            r->job[r->n_jobs] = (struct job){a, true, p.fresh, p.n_fresh};
            r->request[r->n_jobs++] = p.request;
        }
        r->job[r->n_jobs] = (struct job){.of = a};
        r->request[r->n_jobs++] = q;
    }
    return i;
}

/* The scope of an inquiry, ready. Beginning lets go of what the view handed out, so all
 * are begun before the first is used, and each once. */
static int
open_scope(struct pz_round *r, struct pz_inquiry *a, struct pz_desk *desk,
           struct pz_err *err)
{
    if (pz_desk_scope(desk, &a->key, a->call.server->o.seed, &a->run, err))
        return err->status;
    for (size_t i = 0; i < r->n_members; i++)
        if (r->member[i]->run == a->run)
            return PZ_OK;
    return pz_scope_begin(a->run, err);
}

/* Answers all inquiries of the deployment that `first` is of. */
static void
answer_deploy(struct pz_round *r, struct pz_inquiry *first)
{
    struct pz_desk *desk = NULL;
    r->n_members = 0;
    for (struct pz_inquiry *a = first; a < r->inquiry + r->n; a++) {
        struct pz_err err = PZ_ERR_INIT;
        if (a->done || a->deploy != first->deploy)
            continue;
        if ((!desk && pz_desk_get(&desk, &a->call.worker->desks, a->deploy, &err)) ||
            open_scope(r, a, desk, &err)) {
            fail(a, &err);
            settle_later(a);
        } else {
            r->member[r->n_members++] = a;
        }
    }
    for (size_t i = 0; i < r->n_members;) {
        i = make_jobs(r, i);
        do_jobs(r, desk->session);
    }
}

void
pz_round_answer(struct pz_round *r)
{
    for (size_t i = 0; r && i < r->n; i++)
        if (!r->inquiry[i].done)
            answer_deploy(r, &r->inquiry[i]);
    if (r)
        r->n = 0;
}
