#include "eval/exam.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/par.h"

enum { CASES_A_TASK = 64 };

int
pz_answers_init(struct pz_answers *a, const struct pz_split *s, uint32_t room,
                struct pz_err *err)
{
    size_t n;
    *a = (struct pz_answers){.n_cases = s->n_cases, .room = room};
    if (!pz_size_mul(s->n_cases, room, &n))
        return pz_err_nomem(err, "answers", SIZE_MAX);
    if (pz_new(&a->item, n, sizeof *a->item, "answers", err) ||
        pz_new(&a->n_item, s->n_cases, sizeof *a->n_item, "answers", err) ||
        pz_new(&a->rank, s->n_truth, sizeof *a->rank, "ranks", err)) {
        pz_answers_release(a);
        return err->status;
    }
    return PZ_OK;
}

void
pz_answers_release(struct pz_answers *a)
{
    free(a->item);
    free(a->n_item);
    free(a->rank);
    *a = (struct pz_answers){.n_cases = 0};
}

/* ---- ranks ---- */

uint32_t
pz_rank_of(const float *score, size_t n, size_t at, bool scored)
{
    size_t last = at;
    if (isnan(score[at])) {
        for (size_t i = at + 1; i < n; i++)
            if (!isnan(score[i]))
                return 0;
        for (size_t i = 0; scored && i <= at; i++)
            scored = isnan(score[i]);
        return scored ? 0 : (uint32_t)at + 1;
    }
    while (last + 1 < n && score[last + 1] == score[at])
        last++;
    return (uint32_t)last + 1;
}

/* Where x is in an ascending list; n when it is not. */
static size_t
find(const uint32_t *sorted, size_t n, uint32_t x)
{
    size_t lo = 0, left = n;
    while (left > 0) {
        size_t half = left / 2;
        if (sorted[lo + half] < x) {
            lo += half + 1;
            left -= half + 1;
        } else {
            left = half;
        }
    }
    return lo < n && sorted[lo] == x ? lo : n;
}

void
pz_answer_take(struct pz_answers *a, const struct pz_split *s, uint32_t c,
               const uint32_t *item, const float *score, size_t n, bool scored,
               uint32_t most)
{
    const struct pz_case *k = &s->cases[c];
    size_t keep = n < a->room ? n : a->room;
    memcpy(a->item + (size_t)c * a->room, item, keep * sizeof *item);
    a->n_item[c] = (uint32_t)keep;
    for (size_t i = 0; i < n && i < most; i++) {
        size_t at = find(s->truth + k->truth, k->n_truth, item[i]);
        if (at == k->n_truth)
            continue;
        uint32_t rank = pz_rank_of(score, n, i, scored);
        a->rank[k->truth + at] = rank <= most ? rank : 0;
    }
}

/* ---- asking ---- */

struct exam {
    struct pz_answers *answers;
    const struct pz_model *model;
    const struct pz_split *split;
    uint32_t most;
    size_t room;     // items of an answer
    uint32_t **item; // a thread: CASES_A_TASK x room
    float **score;
    size_t n_tasks;
};

struct pz_query
pz_question(const struct pz_split *s, uint32_t c, enum pz_recipe_type type)
{
    const struct pz_case *k = &s->cases[c];
    struct pz_query q = {.user = k->known ? k->user : PZ_NO_ID,
                         .item = PZ_NO_ID,
                         .history = s->given + k->given,
                         .weight = s->weight ? s->weight + k->given : NULL,
                         .time = s->time + k->given,
                         .n_history = k->n_given,
                         .stored = k->stored};
    if (type == PZ_RELATED_ITEMS && k->n_given)
        q.item = q.history[k->n_given - 1];
    if (k->n_among) {
        q.candidate = s->among + k->among;
        q.n_candidates = k->n_among;
    }
    if (s->hide_seen) {
        q.exclude = q.history;
        q.n_exclude = q.n_history;
    }
    return q;
}

static int
ask(void *ctx, size_t task, int thread, struct pz_err *err)
{
    struct exam *x = ctx;
    const struct pz_recipe *recipe = x->model->recipe;
    uint32_t first = (uint32_t)(task * CASES_A_TASK), n = x->split->n_cases - first;
    struct pz_query q[CASES_A_TASK] = {{0}};
    struct pz_ranked out[CASES_A_TASK];
    n = n < CASES_A_TASK ? n : CASES_A_TASK;
    for (uint32_t i = 0; i < n; i++) {
        q[i] = pz_question(x->split, first + i, recipe->type);
        q[i].n = q[i].n_candidates ? q[i].n_candidates : x->most + 1;
        out[i] = (struct pz_ranked){.item = x->item[thread] + i * x->room,
                                    .score = x->score[thread] + i * x->room};
    }
    if (pz_model_rank(x->model, q, n, out, err) != PZ_OK)
        return err->status;
    for (uint32_t i = 0; i < n; i++)
        pz_answer_take(x->answers, x->split, first + i, out[i].item, out[i].score,
                       out[i].n, recipe->has_scores && !out[i].fallback, x->most);
    pz_progress("asking", task + 1, x->n_tasks);
    return PZ_OK;
}

static int
exam_room(struct exam *x, int threads, struct pz_err *err)
{
    x->room = x->most + 1;
    for (uint32_t c = 0; c < x->split->n_cases; c++)
        if (x->split->cases[c].n_among > x->room)
            x->room = x->split->cases[c].n_among;
    if (pz_new(&x->item, (size_t)threads, sizeof *x->item, "answers", err) ||
        pz_new(&x->score, (size_t)threads, sizeof *x->score, "answers", err))
        return err->status;
    for (int t = 0; t < threads; t++)
        if (pz_new(&x->item[t], CASES_A_TASK * x->room, sizeof **x->item, "answers",
                   err) ||
            pz_new(&x->score[t], CASES_A_TASK * x->room, sizeof **x->score, "answers",
                   err))
            return err->status;
    return PZ_OK;
}

int
pz_exam(struct pz_answers *a, const struct pz_model *m, const struct pz_split *s,
        uint32_t most, int threads, struct pz_err *err)
{
    struct exam x = {.answers = a, .model = m, .split = s, .most = most};
    threads = pz_threads(threads);
    x.n_tasks = (s->n_cases + CASES_A_TASK - 1) / CASES_A_TASK;
    int r = pz_answers_init(a, s, most, err);
    if (r)
        return r;
    if ((r = exam_room(&x, threads, err)) == PZ_OK)
        r = pz_par(threads, x.n_tasks, ask, &x, err);
    for (int t = 0; t < threads; t++) {
        if (x.item)
            free(x.item[t]);
        if (x.score)
            free(x.score[t]);
    }
    free(x.item);
    free(x.score);
    if (r)
        pz_answers_release(a);
    return r;
}
