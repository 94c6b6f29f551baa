#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "recipe/cheby.h"
#include "recipe/reasons.h"

/* Answers cost in proportion to the pairs, so beyond this it is for those who ask. */
static const double MOST_EVENTS = 5e6;

static double
cost(const struct pz_train *t)
{
    double n = (double)t->events->n;
    return n > MOST_EVENTS ? INFINITY : n / 1e7;
}

/* Copies of the pairs' arrays into the builder. */
static int
put(struct pz_builder *b, const struct pz_cheby *f, struct pz_err *err)
{
    const struct {
        const char *name;
        enum pz_dtype dtype;
        uint64_t n;
        const void *data;
    } tensor[] = {
        {"cheby.rank", PZ_U32, f->n_ranks, f->item_of},
        {"cheby.user.offsets", PZ_U64, (uint64_t)f->n_users + 1, f->user_offsets},
        {"cheby.user.rank", PZ_U32, f->n_pairs, f->user_rank},
        {"cheby.item.offsets", PZ_U64, (uint64_t)f->n_ranks + 1, f->item_offsets},
        {"cheby.item.user", PZ_U32, f->n_pairs, f->item_user},
    };
    for (size_t i = 0; i < sizeof tensor / sizeof *tensor; i++) {
        void *copy;
        size_t size = pz_dtype_size(tensor[i].dtype);
        if (pz_new_aligned(&copy, tensor[i].n, size, "a graph", err))
            return err->status;
        memcpy(copy, tensor[i].data, tensor[i].n * size);
        pz_builder_take1(b, tensor[i].name, tensor[i].dtype, tensor[i].n, copy);
    }
    return PZ_OK;
}

static int
train(const struct pz_train *t, struct pz_err *err)
{
    struct pz_pairs pairs;
    struct pz_cheby f;
    struct pz_cheby_config c = {
        .degree = (int)pz_param_or(t->params, "cheby_degree", 8),
        .phi = pz_param_or(t->params, "cheby_phi", 1.5),
        .beta = pz_param_or(t->params, "cheby_beta", 0.4),
        .pass = pz_param_or(t->params, "cheby_pass", 0),
        .cut = pz_param_or(t->params, "cheby_cut", -0.5),
    };
    int status = pz_pairs_make(&pairs, t->events, err);
    if (status)
        return status;
    pz_cheby_of(&f, &pairs, &c);
    status = put(t->model, &f, err);
    pz_builder_metaf(t->model, "train.cheby.degree", "%d", c.degree);
    pz_builder_metaf(t->model, "train.cheby.phi", "%.17g", c.phi);
    pz_builder_metaf(t->model, "train.cheby.beta", "%.17g", c.beta);
    pz_builder_metaf(t->model, "train.cheby.pass", "%.17g", c.pass);
    pz_builder_metaf(t->model, "train.cheby.cut", "%.17g", c.cut);
    pz_pairs_release(&pairs);
    return status;
}

/* ---- answers ---- */

struct state {
    struct pz_cheby f;
    const struct pz_tensors *file;
};

struct work {
    struct pz_cheby_work *filter;
    struct pz_bag bag;
    float *row; // n_items, for explanations
};

static int
open_tensors(struct state *s, const struct pz_model *m, struct pz_err *err)
{
    struct pz_cheby *f = &s->f;
    const struct pz_tensors *t = &m->file;
    uint64_t n_ranks = UINT64_MAX, n_users = UINT64_MAX, n_pairs = UINT64_MAX, ends;
    if (pz_tensors_get1(t, "cheby.rank", PZ_U32, &n_ranks, &f->item_of, err) ||
        pz_tensors_get1(t, "cheby.user.offsets", PZ_U64, &n_users, &f->user_offsets,
                        err) ||
        pz_tensors_get1(t, "cheby.user.rank", PZ_U32, &n_pairs, &f->user_rank, err) ||
        pz_tensors_get1(t, "cheby.item.user", PZ_U32, &n_pairs, &f->item_user, err))
        return err->status;
    ends = n_ranks + 1;
    if (n_ranks > m->n_items)
        return pz_tensors_bad(t, "cheby.rank", err, "has more items than the model");
    if (n_users == 0 || n_users - 1 > m->n_users)
        return pz_tensors_bad(t, "cheby.user.offsets", err,
                              "has more users than the model");
    if (pz_tensors_get1(t, "cheby.item.offsets", PZ_U64, &ends, &f->item_offsets, err))
        return err->status;
    f->n_items = m->n_items;
    f->n_ranks = (uint32_t)n_ranks;
    f->n_users = (uint32_t)(n_users - 1);
    f->n_pairs = n_pairs;
    return PZ_OK;
}

static int
open_state(void **state, const struct pz_model *model, struct pz_err *err)
{
    struct state *s;
    double degree = 0;
    struct pz_cheby_config c = {.pass = 0};
    int status = pz_new(&s, 1, sizeof *s, "a model", err);
    if (status)
        return status;
    s->file = &model->file;
    status = open_tensors(s, model, err);
    if (!status)
        status = pz_model_number(model, "train.cheby.degree", 1, PZ_CHEBY_MAX_DEGREE,
                                 &degree, err);
    if (!status)
        status = pz_model_number(model, "train.cheby.phi", 0.01, 100, &c.phi, err);
    if (!status)
        status = pz_model_number(model, "train.cheby.beta", -10, 10, &c.beta, err);
    if (!status && pz_tensors_meta(&model->file, "train.cheby.pass")) {
        status = pz_model_number(model, "train.cheby.pass", 0, 100, &c.pass, err);
        if (!status)
            status = pz_model_number(model, "train.cheby.cut", -1, 1, &c.cut, err);
    }
    if (status) {
        free(s);
        return status;
    }
    c.degree = (int)degree;
    pz_cheby_shape(&s->f, &c);
    *state = s;
    return PZ_OK;
}

static void
close_state(void *state)
{
    free(state);
}

/* Lists of numbers below `limit`, none of them empty. */
static int
check_lists(const struct state *s, const char *ends, const char *name,
            const uint64_t *offsets, uint32_t n, const uint32_t *number, uint32_t limit,
            struct pz_err *err)
{
    if (offsets[0] != 0 || offsets[n] != s->f.n_pairs)
        return pz_tensors_bad(s->file, ends, err, "does not cover '%s'", name);
    for (uint32_t i = 0; i < n; i++)
        if (offsets[i] >= offsets[i + 1])
            return pz_tensors_bad(s->file, ends, err, "does not ascend at %" PRIu32, i);
    for (uint64_t e = 0; e < s->f.n_pairs; e++)
        if (number[e] >= limit)
            return pz_tensors_bad(s->file, name, err, "%" PRIu32 " is out of range",
                                  number[e]);
    return PZ_OK;
}

/* One pass over what every answer passes many times, so it is made for each thread. */
static int
check(const struct state *s, struct pz_err *err)
{
    const struct pz_cheby *f = &s->f;
    for (uint32_t r = 0; r < f->n_ranks; r++)
        if (f->item_of[r] >= f->n_items)
            return pz_tensors_bad(s->file, "cheby.rank", err,
                                  "%" PRIu32 " is out of range", f->item_of[r]);
    int status = check_lists(s, "cheby.user.offsets", "cheby.user.rank", f->user_offsets,
                             f->n_users, f->user_rank, f->n_ranks, err);
    if (!status)
        status = check_lists(s, "cheby.item.offsets", "cheby.item.user", f->item_offsets,
                             f->n_ranks, f->item_user, f->n_users, err);
    return status;
}

static void
work_free(void *work)
{
    struct work *w = work;
    if (!w)
        return;
    pz_cheby_work_free(w->filter);
    pz_bag_release(&w->bag);
    free(w->row);
    free(w);
}

static int
work_new(void **work, const void *state, size_t batch, struct pz_err *err)
{
    (void)batch;
    const struct state *s = state;
    struct work *w;
    int status = check(s, err);
    if (!status)
        status = pz_new(&w, 1, sizeof *w, "a query", err);
    if (status)
        return status;
    status = pz_cheby_work_new(&w->filter, &s->f, err);
    if (!status)
        status = pz_bag_init(&w->bag, s->f.n_items, err);
    if (!status)
        status = pz_new(&w->row, s->f.n_items, sizeof *w->row, "a query", err);
    if (status) {
        work_free(w);
        return status;
    }
    *work = w;
    return PZ_OK;
}

static const struct pz_bag_rule rule = {.once = true};

static int
score(const void *state, void *work, const struct pz_query *q, size_t n, float *out,
      size_t stride, bool *known, struct pz_err *err)
{
    (void)state;
    struct work *w = work;
    for (size_t at = 0; at < n; at += PZ_CHEBY_LANES) {
        int lanes = (int)(n - at < PZ_CHEBY_LANES ? n - at : PZ_CHEBY_LANES);
        pz_cheby_begin(w->filter);
        for (int l = 0; l < lanes; l++) {
            const struct pz_query *one = &q[at + (size_t)l];
            if (pz_bag_take(&w->bag, &rule, one->history, one->weight, one->n_history,
                            err))
                return err->status;
            pz_cheby_put(w->filter, l, &w->bag);
        }
        pz_cheby_score(w->filter, lanes, out + at * stride, stride, known + at);
    }
    return PZ_OK;
}

/* Users of each item; 0: not in the graph. */
static double
degree_of(const struct state *s, uint32_t rank)
{
    return (double)(s->f.item_offsets[rank + 1] - s->f.item_offsets[rank]);
}

/*
 * The filter is linear in the history and h(A) symmetric: what item i gives to h, times
 * (n_i/n_h)^(2 beta), is what h gives to i.
 */
static int
explain(const void *state, void *work, const struct pz_query *q, uint32_t item,
        struct pz_explained *out, struct pz_err *err)
{
    const struct state *s = state;
    struct work *w = work;
    bool known;
    uint32_t one_item[] = {item};
    float one_weight[] = {1};
    struct pz_bag one = {.item = one_item, .weight = one_weight, .n = 1};
    out->n = 0;
    out->raw = 0;
    if (pz_bag_take(&w->bag, &rule, q->history, q->weight, q->n_history, err))
        return err->status;
    pz_cheby_begin(w->filter);
    pz_cheby_put(w->filter, 0, &one);
    pz_cheby_score(w->filter, 1, w->row, s->f.n_items, &known);
    for (size_t h = 0; h < w->bag.n; h++) {
        uint32_t i = w->bag.item[h], from = pz_cheby_rank(w->filter, i);
        double term = 0;
        if (known && from != PZ_NO_ID)
            term = (double)w->bag.weight[h] * (double)w->row[i] *
                   pow(degree_of(s, pz_cheby_rank(w->filter, item)) / degree_of(s, from),
                       2 * s->f.beta);
        out->reason[out->n++] = (struct pz_reason){.item = i, .contribution = term};
        out->raw += term;
    }
    pz_reasons_sort(out);
    return PZ_OK;
}

const struct pz_part pz_part_cheby = {
    .name = "cheby",
    .summary = "a graph filter over all users and items",
    .cost = cost,
    .train = train,
    .open = open_state,
    .close = close_state,
    .work_new = work_new,
    .work_free = work_free,
    .score = score,
    .explain = explain,
};
