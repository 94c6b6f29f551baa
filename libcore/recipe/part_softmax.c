#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "math/kernels.h"
#include "math/products.h"
#include "recipe/parts.h"
#include "recipe/softmax.h"

enum {
    REACH = 20,
    BATCH = 256,
    MEMBERS = 8,
    ROUNDS = 20,
    LEAST_EVENTS = 20000,
};
static const double MANY_EVENTS = 200000; // from which on rounds are fewer
static const double THICK_DROP = 0.1, THIN_DROP = 0.5;
static const double RATE = 60e9; // operations a second
static const double SHARE = 0.5; // of a time budget; it is trained twice

static struct pz_softmax_config
config_of(const struct pz_train *t)
{
    const struct pz_params *p = t->params;
    struct pz_softmax_config c = {
        .members = (uint32_t)pz_param_or(p, "softmax_members", 0),
        .d = (uint32_t)PZ_PAD(pz_param_or(p, "softmax_dimension", 64)),
        .reach = REACH,
        .rounds = (uint32_t)pz_param_or(p, "softmax_rounds", 0),
        .batch = BATCH,
        .negatives = (uint32_t)pz_param_or(p, "softmax_negatives", 256),
        .rate = pz_param_or(p, "softmax_rate", 0.005),
        .drop_items = pz_param_or(p, "softmax_drop_items", -1),
        .drop_numbers = pz_param_or(p, "softmax_drop_numbers", -1),
        .tie = !pz_is_thick(pz_train_whole(t)),
        .seed = t->seed,
        .threads = t->threads};
    if (c.drop_items < 0)
        c.drop_items = c.tie ? THIN_DROP : THICK_DROP;
    if (c.drop_numbers < 0)
        c.drop_numbers = c.tie ? THIN_DROP : THICK_DROP;
    if (!c.rounds) // at least two, and no more than ROUNDS
        c.rounds =
            2 + (uint32_t)((ROUNDS - 2) *
                           fmin(1, sqrt(MANY_EVENTS / (double)pz_train_whole(t)->n)));
    return c;
}

/* Seconds of one member. */
static double
cost_of_one(const struct pz_train *t, const struct pz_softmax_config *c)
{
    double rivals = fmin((double)c->negatives + c->batch, pz_train_whole(t)->n_items);
    return 6.0 * c->d * (rivals + c->reach) * c->rounds * (double)pz_train_whole(t)->n /
           RATE;
}

/* Members that are asked for, or that the budget allows. */
static uint32_t
members_of(const struct pz_train *t, const struct pz_softmax_config *c)
{
    double budget = pz_param_or(t->params, "time_budget", INFINITY);
    double n = SHARE * budget / 2 / cost_of_one(t, c);
    if (c->members)
        return c->members;
    return n < MEMBERS ? (uint32_t)n : MEMBERS;
}

static double
cost(const struct pz_train *t)
{
    struct pz_softmax_config c = config_of(t);
    uint32_t n = members_of(t, &c);
    if (pz_train_whole(t)->n < LEAST_EVENTS)
        return INFINITY;
    return (n ? n : 1) * cost_of_one(t, &c);
}

static bool
learns(const struct pz_train *t)
{
    const struct pz_events *e = t->events;
    for (uint32_t u = 0; u < e->n_users; u++)
        if (e->offsets[u + 1] - e->offsets[u] >= 2)
            return true;
    return false;
}

static int
train(const struct pz_train *t, struct pz_err *err)
{
    struct pz_softmax_config c = config_of(t);
    struct pz_softmax_made made;
    c.members = members_of(t, &c);
    c.members += !c.members;
    int status = pz_softmax_train(&made, t->events, &c, err);
    if (!status) {
        uint64_t in[] = {made.n, made.d}, out[] = {made.n + 1, made.d},
                 place[] = {made.reach, made.d};
        pz_builder_take1(t->model, "softmax.row", PZ_U32, t->events->n_items, made.row);
        pz_builder_take(t->model, "softmax.input", PZ_F32, 2, in, made.input);
        pz_builder_take(t->model, "softmax.output", PZ_F32, 2, out, made.output);
        pz_builder_take(t->model, "softmax.place", PZ_F32, 2, place, made.place);
        pz_builder_metaf(t->model, "train.softmax.members", "%u", c.members);
        pz_builder_metaf(t->model, "train.softmax.loss", "%.6g", made.loss[0]);
        made = (struct pz_softmax_made){0};
    }
    pz_softmax_release(&made);
    return status;
}

/* ---- answers ---- */

struct state {
    const uint32_t *row;
    const float *input, *output, *place;
    size_t n_items, n, d, reach;
};

static int
open_state(void **state, const struct pz_model *model, struct pz_err *err)
{
    const struct pz_tensors *f = &model->file;
    struct state *s;
    uint64_t items = model->n_items, in[2] = {UINT64_MAX, UINT64_MAX};
    int status = pz_new(&s, 1, sizeof *s, "a model", err);
    if (status)
        return status;
    status = pz_tensors_get(f, "softmax.input", PZ_F32, 2, in, &s->input, err);
    if (!status && (in[1] % PZ_LANES || in[0] > items))
        status = pz_tensors_bad(f, "softmax.input", err, "has a wrong shape");
    uint64_t out[2] = {in[0] + 1, in[1]}, place[2] = {UINT64_MAX, in[1]};
    if (!status)
        status = pz_tensors_get(f, "softmax.output", PZ_F32, 2, out, &s->output, err);
    if (!status)
        status = pz_tensors_get(f, "softmax.place", PZ_F32, 2, place, &s->place, err);
    if (!status)
        status = pz_tensors_get1(f, "softmax.row", PZ_U32, &items, &s->row, err);
    for (uint64_t i = 0; i < items && !status; i++)
        if (s->row[i] > in[0])
            status = pz_tensors_bad(f, "softmax.row", err, "is out of range");
    s->n_items = items;
    s->n = in[0];
    s->d = in[1];
    s->reach = place[0];
    if (status)
        free(s);
    else
        *state = s;
    return status;
}

struct work {
    float *h; // batch x d
    struct pz_products products;
};

static void
work_free(void *work)
{
    struct work *w = work;
    if (!w)
        return;
    free(w->h);
    pz_products_release(&w->products);
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
    status = pz_new_aligned(&w->h, batch, s->d * sizeof *w->h, "a query", err);
    if (!status)
        status = pz_products_init(&w->products, batch, s->d, err);
    if (status)
        work_free(w);
    else
        *work = w;
    return status;
}

/*
 * The events of a history that count, newest first: calls take(ctx, item, its row of E,
 * its row of P, weight) for each; how many.
 */
static size_t
each_event(const struct state *s, const struct pz_query *q,
           void (*take)(void *ctx, uint32_t item, const float *input, const float *place,
                        float weight),
           void *ctx)
{
    size_t n = 0;
    for (size_t k = q->n_history; k > 0 && n < s->reach; k--) {
        uint32_t item = q->history[k - 1];
        if (item >= s->n_items || s->row[item] >= s->n)
            continue;
        take(ctx, item, s->input + s->row[item] * s->d, s->place + n * s->d,
             q->weight ? q->weight[k - 1] : 1);
        n++;
    }
    return n;
}

struct sum {
    float *h;
    size_t d;
};

static void
add_event(void *ctx, uint32_t item, const float *input, const float *place, float weight)
{
    const struct sum *x = ctx;
    (void)item;
    pz_kernels()->axzpy(x->h, weight, place, input, x->d);
}

static int
score(const void *state, void *work, const struct pz_query *q, size_t n, float *out,
      size_t stride, bool *known, struct pz_err *err)
{
    const struct state *s = state;
    struct work *w = work;
    (void)err;
    memset(w->h, 0, n * s->d * sizeof *w->h);
    for (size_t i = 0; i < n; i++) {
        struct sum x = {.h = w->h + i * s->d, .d = s->d};
        known[i] = each_event(s, &q[i], add_event, &x) > 0;
    }
    pz_products(&w->products, out, stride, w->h, n, s->output, s->row, s->n_items);
    return PZ_OK;
}

struct terms {
    const float *output;
    size_t d;
    struct pz_explained *out;
};

static void
add_term(void *ctx, uint32_t item, const float *input, const float *place, float weight)
{
    const struct terms *t = ctx;
    struct pz_explained *out = t->out;
    double sum = 0;
    size_t at = 0;
    for (size_t c = 0; c < t->d; c++)
        sum += (double)place[c] * (double)input[c] * (double)t->output[c];
    sum *= (double)weight;
    while (at < out->n && out->reason[at].item != item)
        at++;
    if (at == out->n)
        out->reason[out->n++] = (struct pz_reason){.item = item};
    out->reason[at].contribution += sum;
    out->raw += sum;
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
    if (item >= s->n_items)
        return PZ_OK;
    struct terms t = {.output = s->output + s->row[item] * s->d, .d = s->d, .out = out};
    each_event(s, q, add_term, &t);
    return PZ_OK;
}

/* A copy in the builder. */
static int
copy(struct pz_builder *b, const char *name, const float *from, uint64_t n, uint64_t d,
     struct pz_err *err)
{
    uint64_t shape[] = {n, d};
    float *own;
    if (pz_new(&own, n * d, sizeof *own, "factors", err))
        return err->status;
    if (n)
        memcpy(own, from, n * d * sizeof *own);
    pz_builder_take(b, name, PZ_F32, 2, shape, own);
    return PZ_OK;
}

/* What is new is like items that nobody had. */
static int
keep(const struct pz_train *t, const struct pz_kept *k, struct pz_err *err)
{
    static const char *const key[] = {"train.softmax.members", "train.softmax.loss"};
    uint32_t n_items = t->events->n_items, *row = NULL;
    struct state *s;
    void *state;
    int status = open_state(&state, k->model, err);
    if (status)
        return status;
    s = state;
    if (s->n > n_items) { // most are gone
        free(state);
        return train(t, err);
    }
    status = pz_new(&row, n_items, sizeof *row, "items", err);
    for (uint32_t i = 0; i < n_items && !status; i++)
        row[i] = (uint32_t)s->n;
    for (uint32_t i = 0; i < k->model->n_items && !status; i++)
        if (k->now[i] != PZ_NO_ID)
            row[k->now[i]] = s->row[i];
    if (!status) {
        pz_builder_take1(t->model, "softmax.row", PZ_U32, n_items, row);
        status = copy(t->model, "softmax.input", s->input, s->n, s->d, err);
    }
    if (!status)
        status = copy(t->model, "softmax.output", s->output, s->n + 1, s->d, err);
    if (!status)
        status = copy(t->model, "softmax.place", s->place, s->reach, s->d, err);
    for (size_t i = 0; i < 2 && !status; i++)
        if (pz_tensors_meta(&k->model->file, key[i]))
            pz_builder_meta(t->model, key[i], pz_tensors_meta(&k->model->file, key[i]));
    free(state);
    return status;
}

const struct pz_part pz_part_softmax = {
    .name = "softmax",
    .summary = "a log-bilinear model of the next item",
    .cost = cost,
    .learns = learns,
    .train = train,
    .keep = keep,
    .open = open_state,
    .close = free,
    .work_new = work_new,
    .work_free = work_free,
    .score = score,
    .explain = explain,
};
