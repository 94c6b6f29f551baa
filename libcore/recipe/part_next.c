#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "math/kernels.h"
#include "recipe/decay.h"
#include "recipe/pairs.h"
#include "recipe/parts.h"
#include "recipe/reasons.h"

enum {
    THICK = 30,        // events an item
    NEIGHBOURS = 300,  // of an item when the equations are too many
    ENTRIES = 300,     // of a row of a great catalogue
    WHOLE_ROWS = 6000, // items up to which rows are kept whole
    NAME = 16,
};
static const double DENSE_BYTES = 1.5e9; // of the closed form, at most
static const double DENSE_SHARE = 0.35;  // of the time budget; it is trained twice
static const double DENSE_RATE = 60e9, OTHER_RATE = 1e9; // a second

/* How events count in training and, scale by scale, in answers. */
struct plan {
    uint32_t n_scales;
    double keep[PZ_DECAY_SCALES], answer[PZ_DECAY_SCALES], lambda[PZ_DECAY_SCALES];
    uint32_t window;
};
static const struct plan thick = {
    3, {0.5, 0.9, 0.99}, {0.5, 0.9, 0.99}, {100, 625, 2500}, 300};
static const struct plan thin = {2, {0.8, 1}, {0.5, 0.9}, {300, 300}, 100};

/* Items that there are equations for; a catalogue may have many that nobody had. */
static double
had_items(const struct pz_events *e)
{
    struct pz_pairs_size s;
    pz_pairs_size(&s, e);
    return s.n_items;
}

bool
pz_is_thick(const struct pz_events *e)
{
    return (double)e->n >= THICK * had_items(e);
}

static const struct plan *
plan_of(const struct pz_train *t)
{
    return pz_is_thick(pz_train_whole(t)) ? &thick : &thin;
}

double
pz_past_halflife(const struct pz_train *t)
{
    double given = pz_param_or(t->params, "past_halflife", -1);
    if (given == 0 && pz_param_or(t->params, "recency_mask", 1) == 0)
        return 0; // all events count alike
    return given > 0 ? given : given < 0 ? 0 : plan_of(t) == &thick ? 23 : 2.4;
}

static double
dense_cost(const struct pz_train *t)
{
    double m = had_items(pz_train_whole(t)), n = m * plan_of(t)->n_scales;
    return (n * n * n / 3 + 2 * n * n * m) / DENSE_RATE;
}

static bool
is_dense(const struct pz_train *t)
{
    double m = had_items(pz_train_whole(t)), n = m * plan_of(t)->n_scales;
    return n * (n + m) * 4 <= DENSE_BYTES &&
           dense_cost(t) <= DENSE_SHARE * pz_param(t->params, "time_budget");
}

static double
cost(const struct pz_train *t)
{
    const struct plan *p = plan_of(t);
    double reach = 0, m = had_items(pz_train_whole(t)), k = NEIGHBOURS;
    for (uint32_t s = 0; s < p->n_scales; s++)
        reach += fmin(p->window, p->keep[s] < 1 ? -7 / log(p->keep[s]) : p->window);
    double pairs = 2 * reach * p->n_scales * (double)pz_train_whole(t)->n / OTHER_RATE;
    double solve = m * (k * k * k / 30e9 + k * 1000 / OTHER_RATE);
    return pairs + (is_dense(t) ? dense_cost(t) : solve);
}

static int
train(const struct pz_train *t, struct pz_err *err)
{
    const struct plan *p = plan_of(t);
    double more = pz_param(t->params, "next_regularization");
    double m = had_items(pz_train_whole(t));
    struct pz_decay_config c = {.n_scales = p->n_scales,
                                .window = p->window,
                                .dense_bytes = is_dense(t) ? SIZE_MAX : 0,
                                .neighbours = NEIGHBOURS,
                                .entries = ENTRIES,
                                .dense_rows =
                                    is_dense(t) && m <= WHOLE_ROWS ? WHOLE_ROWS : 0,
                                .threads = t->threads};
    struct pz_linear_made made[PZ_DECAY_SCALES];
    memcpy(c.keep, p->keep, sizeof c.keep);
    for (uint32_t s = 0; s < p->n_scales; s++)
        c.regularization[s] = p->lambda[s] * more;
    int status = pz_decay_train(made, t->events, &c, err);
    for (uint32_t s = 0; s < p->n_scales && !status; s++) {
        char name[NAME];
        struct pz_bag_rule rule = {.halflife = pz_decay_halflife(p->answer[s])};
        snprintf(name, sizeof name, "next%" PRIu32, s);
        pz_linear_put(t->model, name, &made[s], &rule);
    }
    if (!status)
        pz_builder_metaf(t->model, "train.next.scales", "%" PRIu32, p->n_scales);
    return status;
}

/* ---- answers: the sum of the scales ---- */

struct state {
    void *scale[PZ_DECAY_SCALES];
    uint32_t n, n_items;
    char name[PZ_DECAY_SCALES][NAME];
};

struct work {
    void *scale[PZ_DECAY_SCALES];
    float *row;
    uint32_t n;
};

static void
close_state(void *state)
{
    struct state *s = state;
    for (uint32_t i = 0; s && i < s->n; i++)
        pz_linear_close(s->scale[i]);
    free(s);
}

static int
open_state(void **state, const struct pz_model *model, struct pz_err *err)
{
    struct state *s;
    int64_t n = 0;
    const char *text = pz_tensors_meta(&model->file, "train.next.scales");
    if (!text || pz_parse_i64(text, strlen(text), &n) || n < 1 || n > PZ_DECAY_SCALES)
        return pz_model_lacks(model, "train.next.scales", err);
    int status = pz_new(&s, 1, sizeof *s, "a model", err);
    if (status)
        return status;
    s->n_items = model->n_items;
    for (; s->n < n && !status; s->n += !status) {
        snprintf(s->name[s->n], NAME, "next%" PRIu32, s->n);
        status = pz_linear_open(&s->scale[s->n], model, s->name[s->n], err);
    }
    if (status)
        close_state(s);
    else
        *state = s;
    return status;
}

static int
keep(const struct pz_train *t, const struct pz_kept *k, struct pz_err *err)
{
    void *state;
    int status = open_state(&state, k->model, err);
    if (status)
        return status;
    const struct state *s = state;
    for (uint32_t i = 0; i < s->n && !status; i++)
        status = pz_linear_keep(t, k, s->name[i], err);
    if (!status)
        pz_builder_metaf(t->model, "train.next.scales", "%" PRIu32, s->n);
    close_state(state);
    return status;
}

static void
work_free(void *work)
{
    struct work *w = work;
    for (uint32_t i = 0; w && i < w->n; i++)
        pz_linear_work_free(w->scale[i]);
    if (w)
        free(w->row);
    free(w);
}

static int
work_new(void **work, const void *state, size_t batch, struct pz_err *err)
{
    const struct state *s = state;
    struct work *w;
    int status = pz_new(&w, 1, sizeof *w, "a query", err);
    if (status)
        return status;
    status = pz_new_aligned(&w->row, PZ_PAD(s->n_items), sizeof *w->row, "a query", err);
    for (; w->n < s->n && !status; w->n += !status)
        status = pz_linear_work_new(&w->scale[w->n], s->scale[w->n], batch, err);
    if (status)
        work_free(w);
    else
        *work = w;
    return status;
}

static int
score(const void *state, void *work, const struct pz_query *q, size_t n, float *out,
      size_t stride, bool *known, struct pz_err *err)
{
    const struct state *s = state;
    struct work *w = work;
    int status =
        pz_linear_score_batch(s->scale[0], w->scale[0], q, n, out, stride, known, err);
    for (size_t k = 0; k < n && !status; k++)
        for (uint32_t i = 1; i < s->n && !status; i++) {
            bool also;
            status = pz_linear_score_batch(s->scale[i], w->scale[i], &q[k], 1, w->row,
                                           stride, &also, err);
            for (uint32_t j = 0; j < s->n_items && !status; j++)
                out[k * stride + j] += w->row[j];
            known[k] |= also;
        }
    return status;
}

/* The terms of all scales, those of an item added up. */
static int
explain(const void *state, void *work, const struct pz_query *q, uint32_t item,
        struct pz_explained *out, struct pz_err *err)
{
    const struct state *s = state;
    struct work *w = work;
    struct pz_reason *all = NULL;
    size_t n = 0, room = q->n_history + 1;
    int status = pz_new(&all, room * s->n, sizeof *all, "an explanation", err);
    double raw = 0;
    for (uint32_t i = 0; i < s->n && !status; i++) {
        struct pz_explained one = {.reason = all + n};
        status = pz_linear_explain(s->scale[i], w->scale[i], q, item, &one, err);
        raw += one.raw;
        n += one.n;
    }
    out->n = 0;
    out->raw = raw;
    if (!status)
        pz_reasons_join(all, n, out);
    free(all);
    return status;
}

const struct pz_part pz_part_next = {
    .name = "next",
    .summary = "decayed histories in closed form",
    .cost = cost,
    .train = train,
    .keep = keep,
    .open = open_state,
    .close = close_state,
    .work_new = work_new,
    .work_free = work_free,
    .score = score,
    .explain = explain,
};
