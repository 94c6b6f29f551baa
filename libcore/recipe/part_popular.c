#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "recipe/events.h"
#include "recipe/parts.h"

static double
cost(const struct pz_train *t)
{
    return 1e-9 * (double)t->events->n; // next to nothing beside any other part
}

/* Takes what was counted over as the tensor `name`: its logarithms. */
static int
put_logs(const struct pz_train *t, const char *name, const double *count,
         struct pz_err *err)
{
    uint32_t m = t->events->n_items;
    float *score;
    int status = pz_new(&score, m, sizeof *score, "popularity", err);
    if (status)
        return status;
    for (uint32_t i = 0; i < m; i++)
        score[i] = (float)log1p(count[i]);
    pz_builder_take1(t->model, name, PZ_F32, m, score);
    return PZ_OK;
}

static int
train_popular(const struct pz_train *t, struct pz_err *err)
{
    const struct pz_events *e = t->events;
    double *count = NULL;
    uint32_t *users;
    int status = pz_events_users(&users, e, err);
    if (status)
        return status;
    status = pz_new(&count, e->n_items, sizeof *count, "popularity", err);
    for (uint32_t i = 0; i < e->n_items && !status; i++)
        count[i] = users[i];
    if (!status)
        status = put_logs(t, "popular.score", count, err);
    free(count);
    free(users);
    return status;
}

static int
train_recent(const struct pz_train *t, struct pz_err *err)
{
    const struct pz_events *e = t->events;
    int64_t end = e->time ? pz_events_newest(e) : 0;
    double *count, half = e->time ? pz_events_newest_tenth(e, end) : 1;
    int status = pz_new(&count, e->n_items, sizeof *count, "popularity", err);
    if (status)
        return status;
    for (uint64_t k = 0; k < e->n; k++) {
        double age = e->time ? (double)((uint64_t)end - (uint64_t)e->time[k]) : 0;
        count[e->item[k]] += (e->weight ? (double)e->weight[k] : 1) * exp2(-age / half);
    }
    status = put_logs(t, "recent.score", count, err);
    free(count);
    return status;
}

/* ---- answers ---- */

struct state {
    const char *label; // of the reason
    const float *score;
    uint32_t n_items;
};

static int
open_scores(void **state, const struct pz_model *model, const char *label,
            const char *tensor, struct pz_err *err)
{
    struct state *s;
    uint64_t n = model->n_items;
    int status = pz_new(&s, 1, sizeof *s, "a model", err);
    if (status)
        return status;
    s->label = label;
    s->n_items = model->n_items;
    status = pz_tensors_get1(&model->file, tensor, PZ_F32, &n, &s->score, err);
    for (uint64_t i = 0; i < n && !status; i++)
        if (!(s->score[i] >= 0 && s->score[i] < 1e6f))
            status = pz_tensors_bad(&model->file, tensor, err, "is out of range");
    if (status)
        free(s);
    else
        *state = s;
    return status;
}

static int
open_popular(void **state, const struct pz_model *model, struct pz_err *err)
{
    return open_scores(state, model, "POPULARITY", "popular.score", err);
}

static int
open_recent(void **state, const struct pz_model *model, struct pz_err *err)
{
    return open_scores(state, model, "RECENCY", "recent.score", err);
}

static int
score(const void *state, void *work, const struct pz_query *q, size_t n, float *out,
      size_t stride, bool *known, struct pz_err *err)
{
    const struct state *s = state;
    (void)work;
    (void)err;
    for (size_t k = 0; k < n; k++) {
        known[k] = q[k].n_history > 0;
        if (known[k])
            memcpy(out + k * stride, s->score, s->n_items * sizeof *out);
        else
            memset(out + k * stride, 0, s->n_items * sizeof *out);
    }
    return PZ_OK;
}

static int
explain(const void *state, void *work, const struct pz_query *q, uint32_t item,
        struct pz_explained *out, struct pz_err *err)
{
    const struct state *s = state;
    (void)work;
    (void)err;
    out->n = 0;
    out->raw = 0;
    if (!q->n_history || item >= s->n_items)
        return PZ_OK;
    out->raw = (double)s->score[item];
    out->reason[out->n++] = (struct pz_reason){.item = PZ_NO_ID,
                                               .contribution = out->raw,
                                               .label = s->label,
                                               .n_label = strlen(s->label)};
    return PZ_OK;
}

const struct pz_part pz_part_popular = {
    .name = "popular",
    .summary = "what many have",
    .impersonal = true,
    .cost = cost,
    .train = train_popular,
    .open = open_popular,
    .close = free,
    .score = score,
    .explain = explain,
};

const struct pz_part pz_part_recent = {
    .name = "recent",
    .summary = "what many had lately",
    .impersonal = true,
    .cost = cost,
    .train = train_recent,
    .open = open_recent,
    .close = free,
    .score = score,
    .explain = explain,
};
