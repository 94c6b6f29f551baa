/*
 * fading-popularity: a recipe of one's own, as a shared object. Items by the sum of their
 * events, where an event counts half after `halflife` days:
 *
 *     score(i) = sum over events of i of 2^(-(newest event of all - event) / halflife)
 *
 * With pz installed:
 *
 *     cc -shared -fPIC $(pkg-config --cflags pz-recipe) -o fading-popularity.so \
 *         fading-popularity.c
 *     PZ_RECIPE_PATH=. pz-train -g shop -r fading-popularity -p halflife=7
 *     PZ_RECIPE_PATH=. pz-recommend -g shop -S fading-popularity u1
 *
 * The headers say what each function must promise; recipe/recipe.h is where to start.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "recipe/model.h"

#define SECONDS_A_DAY 86400.0

static const struct pz_param_def params[] = {
    {.name = "halflife",
     .kind = PZ_PARAM_REAL,
     .place = PZ_PLACE_OURS,
     .def = 30,
     .min = 0.01,
     .max = 100000,
     .tunable = true,
     .help = "days after which an event counts half"},
    {.name = NULL},
};

/* ---- learning ---- */

static int64_t
newest(const struct pz_events *e)
{
    int64_t t = INT64_MIN;
    for (uint64_t i = 0; i < e->n; i++)
        t = e->time[i] > t ? e->time[i] : t;
    return t;
}

static int
train(const struct pz_train *t, struct pz_err *err)
{
    const struct pz_events *e = t->events;
    double halflife = pz_param(t->params, "halflife") * SECONDS_A_DAY;
    int64_t last = newest(e);
    float *score;
    if (pz_new_aligned(&score, e->n_items, sizeof *score, "scores", err))
        return err->status;
    memset(score, 0, e->n_items * sizeof *score);
    for (uint64_t i = 0; i < e->n; i++)
        score[e->item[i]] += (float)exp2(-(double)(last - e->time[i]) / halflife);
    pz_builder_take1(t->model, "fading.score", PZ_F32, e->n_items, score);
    return PZ_OK;
}

/* ---- answers ---- */

struct state {
    const struct pz_model *model;
    const float *score; // n_items
};

static int
open_state(void **out, const struct pz_model *model, struct pz_err *err)
{
    struct state *s;
    uint64_t n = model->n_items;
    if (pz_new(&s, 1, sizeof *s, "a model", err))
        return err->status;
    s->model = model;
    if (pz_tensors_get1(&model->file, "fading.score", PZ_F32, &n, &s->score, err)) {
        free(s);
        return err->status;
    }
    *out = s;
    return PZ_OK;
}

static void
close_state(void *state)
{
    free(state);
}

/* May the query have this item? */
static bool
admits(const struct pz_query *q, uint32_t item)
{
    if (q->allow && !(q->allow[item / 64] >> item % 64 & 1))
        return false;
    for (size_t k = 0; k < q->n_exclude; k++)
        if (q->exclude[k] == item)
            return false;
    return true;
}

/* Keeps out sorted: higher score, then lower index. */
static void
offer(struct pz_ranked *out, size_t most, uint32_t item, float score)
{
    size_t at = out->n;
    while (at > 0 && (out->score[at - 1] < score ||
                      (out->score[at - 1] == score && out->item[at - 1] > item)))
        at--;
    if (at == most)
        return;
    size_t behind = (out->n < most ? out->n : most - 1) - at;
    memmove(out->item + at + 1, out->item + at, behind * sizeof *out->item);
    memmove(out->score + at + 1, out->score + at, behind * sizeof *out->score);
    out->item[at] = item;
    out->score[at] = score;
    out->n += out->n < most;
}

static int
rank(const void *state, const struct pz_query *q, size_t n, struct pz_ranked *out,
     struct pz_err *err)
{
    const struct state *s = state;
    (void)err;
    for (size_t k = 0; k < n; k++) {
        size_t m = q[k].candidate ? q[k].n_candidates : s->model->n_items;
        size_t most = q[k].candidate ? m : q[k].n;
        out[k].n = 0;
        out[k].fallback = false;
        for (size_t i = 0; i < m && most; i++) {
            uint32_t item = q[k].candidate ? q[k].candidate[i] : (uint32_t)i;
            if (admits(&q[k], item))
                offer(&out[k], most, item, s->score[item]);
        }
    }
    return PZ_OK;
}

const struct pz_recipe pz_recipe = {
    .abi = PZ_RECIPE_ABI,
    .name = "fading-popularity",
    .type = PZ_POPULAR_ITEMS,
    .summary = "items by their events, old ones counting less",
    .params = params,
    .has_scores = true,
    .train = train,
    .open = open_state,
    .close = close_state,
    .rank = rank,
};
