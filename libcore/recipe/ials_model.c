#include "recipe/ials_model.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/order.h"
#include "math/products.h"
#include "math/topn.h"
#include "recipe/ials.h"
#include "recipe/ials_history.h"
#include "recipe/item_codes.h"
#include "recipe/model.h"
#include "recipe/reasons.h"

enum { REPEATS_ONCE = 1 };

/* ---- training ---- */

static struct pz_ials_config
config_of(const struct pz_train *t)
{
    const struct pz_params *p = t->params;
    return (struct pz_ials_config){
        .n_factors = (uint32_t)pz_param(p, "hidden_dimension"),
        .alpha0 = pz_param(p, "alpha0"),
        .lambda = pz_param(p, "regularization"),
        .nu = pz_param(p, "nu"),
        .init_scale = pz_param(p, "init_scale"),
        .iterations = (int)pz_param(p, "iterations"),
        .tolerance = pz_param(p, "tolerance"),
        .solver = (enum pz_ials_solver)pz_param(p, "solver"),
        .cg_steps = (int)pz_param(p, "cg_steps"),
        .once = pz_param(p, "repeats") == REPEATS_ONCE,
        .seed = t->seed,
        .threads = t->threads,
    };
}

static int
put_model(struct pz_builder *b, struct pz_ials *m, float *user, uint32_t n_users,
          const struct pz_ials_side *side, const struct pz_bag_rule *rule,
          const struct pz_ials_softmax *softmax, struct pz_err *err)
{
    int status = pz_item_codes_put(b, m->item, m->n_items, m->d, err);
    uint64_t users[] = {n_users, m->d}, items[] = {m->n_items, m->d},
             gram[] = {m->d, m->d};
    pz_builder_take(b, "user.factor", PZ_F32, 2, users, user);
    pz_builder_take(b, "item.factor", PZ_F32, 2, items, m->item);
    pz_builder_take(b, "gram", PZ_F32, 2, gram, m->gram);
    m->item = m->gram = NULL;
    pz_builder_meta_f64(b, "train.lambda", side->lambda);
    pz_builder_meta_f64(b, "train.nu", side->nu);
    pz_builder_meta_f64(b, "train.alpha0", m->alpha0);
    pz_builder_meta_f64(b, "train.base", side->base);
    pz_builder_meta_f64(b, "train.halflife", rule->halflife);
    pz_builder_meta_f64(b, "train.temperature", softmax->temperature);
    pz_builder_meta_f64(b, "train.repeat", softmax->repeat);
    pz_builder_meta_f64(b, "train.loss", m->loss[m->n_iterations - 1]);
    pz_builder_metaf(b, "train.iterations", "%d", m->n_iterations);
    pz_builder_meta(b, "train.repeats", rule->once ? "once" : "sum");
    pz_builder_meta(b, "train.cpu", pz_cpu_name(pz_cpu()));
    return status;
}

int
pz_ials_model_train(const struct pz_train *t, struct pz_err *err)
{
    struct pz_ials_config c = config_of(t);
    struct pz_bag_rule rule = {.once = c.once};
    if (pz_param(t->params, "recency_mask") != 0)
        rule.halflife = pz_param(t->params, "recency_halflife");
    struct pz_ials m;
    struct pz_ials_softmax softmax;
    float *user = NULL;
    int status = pz_ials_train(&m, t->events, &c, err);
    if (status)
        return status;
    struct pz_ials_side side = {.table = m.item,
                                .gram = m.gram,
                                .n_rows = m.n_items,
                                .d = m.d,
                                .lambda = m.lambda,
                                .nu = c.nu,
                                .base = m.base};
    status = pz_ials_softmax_fit(&side, &rule, t->events, t->seed, &softmax, err);
    if (pz_param(t->params, "learn_repeats") == 0)
        softmax.repeat = 0;
    if (!status)
        status = pz_ials_users(&user, &side, &rule, t->events, t->threads, err);
    if (!status)
        status = put_model(t->model, &m, user, t->events->n_users, &side, &rule, &softmax,
                           err);
    pz_ials_release(&m);
    return status;
}

/* ---- answers ---- */

struct state {
    const struct pz_model *model;
    struct pz_ials_side side;
    struct pz_topn_table items; // those of `side`
    const float *user;
    struct pz_bag_rule rule;
    double rate;   // 1/temperature
    double repeat; // what items of the history gain
};

static int
open_tensors(struct state *s, const struct pz_model *m, struct pz_err *err)
{
    uint64_t user[] = {m->n_users, UINT64_MAX}, item[] = {m->n_items, UINT64_MAX};
    if (pz_tensors_get(&m->file, "item.factor", PZ_F32, 2, item, &s->side.table, err))
        return err->status;
    uint64_t d = user[1] = item[1], gram[] = {d, d};
    if (d % PZ_LANES || d < PZ_LANES || d > PZ_MAX_D)
        return pz_tensors_bad(&m->file, "item.factor", err,
                              "%" PRIu64 " factors are not a multiple of %d up to %d", d,
                              PZ_LANES, PZ_MAX_D);
    s->side.d = (size_t)d;
    s->side.n_rows = m->n_items;
    if (pz_tensors_get(&m->file, "user.factor", PZ_F32, 2, user, &s->user, err) ||
        pz_tensors_get(&m->file, "gram", PZ_F32, 2, gram, &s->side.gram, err))
        return err->status;
    s->items = (struct pz_topn_table){
        .row = s->side.table, .n_rows = s->side.n_rows, .d = s->side.d};
    return pz_item_codes_get(m, &s->items, err);
}

int
pz_ials_model_open(void **state, const struct pz_model *model, struct pz_err *err)
{
    struct state *s;
    if (pz_new(&s, 1, sizeof *s, "a model", err))
        return err->status;
    s->model = model;
    double temperature = 1;
    const char *repeats = pz_tensors_meta(&model->file, "train.repeats");
    int status = open_tensors(s, model, err);
    if (!status)
        status = pz_model_number(model, "train.lambda", 0, 1e300, &s->side.lambda, err);
    if (!status)
        status = pz_model_number(model, "train.nu", 0, 1, &s->side.nu, err);
    if (!status)
        status = pz_model_number(model, "train.base", 0, 1e300, &s->side.base, err);
    if (!status)
        status =
            pz_model_number(model, "train.temperature", 1e-6, 1e6, &temperature, err);
    if (!status)
        status = pz_model_number(model, "train.repeat", -1e6, 1e6, &s->repeat, err);
    if (!status)
        status =
            pz_model_number(model, "train.halflife", 0, 1e300, &s->rule.halflife, err);
    if (!status && (!repeats || (strcmp(repeats, "sum") && strcmp(repeats, "once"))))
        status = pz_model_lacks(model, "train.repeats", err);
    if (status) {
        free(s);
        return status;
    }
    s->rate = 1 / temperature;
    s->rule.once = !strcmp(repeats, "once");
    *state = s;
    return PZ_OK;
}

void
pz_ials_model_close(void *state)
{
    free(state);
}

/* What answers share, used one after the other. */
struct folder {
    struct pz_bag bag;
    struct pz_ials_work *work;
};

static void
folder_release(struct folder *f)
{
    pz_bag_release(&f->bag);
    pz_ials_work_free(f->work);
}

static int
folder_init(struct folder *f, const struct state *s, struct pz_err *err)
{
    *f = (struct folder){0};
    int status = pz_bag_init(&f->bag, s->model->n_items, err);
    if (!status)
        status = pz_ials_work_new(&f->work, s->side.d, err);
    return status;
}

/* The stored vector of the query's user; NULL when it must be folded in. */
static const float *
stored_vector(const struct state *s, const struct pz_query *q)
{
    if (!q->stored || q->user >= s->model->n_users)
        return NULL;
    const float *x = s->user + (size_t)q->user * s->side.d;
    for (size_t c = 0; c < s->side.d; c++)
        if (x[c] != 0)
            return x;
    return NULL; // training left this user out
}

/* x_u into x (d floats); *known false when nothing of the history is known. */
static int
user_vector(const struct state *s, struct folder *f, const struct pz_query *q, float *x,
            bool *known, struct pz_err *err)
{
    const float *stored = stored_vector(s, q);
    *known = true;
    if (stored) {
        memcpy(x, stored, s->side.d * sizeof *x);
        return PZ_OK;
    }
    struct pz_bag *b = &f->bag;
    int status =
        pz_ials_take(b, &s->side, &s->rule, q->history, q->weight, q->n_history, err);
    *known = b->n > 0;
    return status || !*known
               ? status
               : pz_ials_fold(&s->side, f->work, b->item, b->weight, b->n, x, err);
}

/* A query over candidates has a list of its own, so that it is answered alone. */
static int
rank_candidates(const struct state *s, const struct pz_query *q, struct pz_topn *t,
                struct pz_err *err)
{
    uint32_t *list = NULL;
    int status = pz_new(&list, q->n_candidates, sizeof *list, "candidates", err);
    if (status)
        return status;
    memcpy(list, q->candidate, q->n_candidates * sizeof *list);
    qsort(list, q->n_candidates, sizeof *list, pz_order_u32);
    t->n = q->n_candidates;
    status = pz_topn(&s->items, list, q->n_candidates, s->rate, t, 1, err);
    free(list);
    return status;
}

/* Queries that go through the items together. */
struct together {
    float *x; // of all queries, also those alone: n x d
    struct pz_topn *t;
    size_t *of; // which query t[k] is of
    size_t n;
};

/*
 * Vectors for all; the unknown are answered at once, those with candidates one by one,
 * and the others are left to be answered together.
 */
static int
prepare(const struct state *s, const struct pz_query *q, size_t n, struct pz_ranked *out,
        struct together *all, struct pz_err *err)
{
    struct folder f;
    int status = folder_init(&f, s, err);
    for (size_t i = 0; i < n && !status; i++) {
        bool known;
        float *x = all->x + i * s->side.d;
        status = user_vector(s, &f, &q[i], x, &known, err);
        if (status)
            break;
        if (!known) {
            pz_model_popular(s->model, &q[i], &out[i]);
            continue;
        }
        struct pz_topn one = {.x = x,
                              .n = q[i].n,
                              .allow = q[i].allow,
                              .exclude = q[i].exclude,
                              .n_exclude = q[i].n_exclude,
                              .raised = q[i].history,
                              .n_raised = s->repeat != 0 ? q[i].n_history : 0,
                              .raise = (float)s->repeat,
                              .row = out[i].item,
                              .score = out[i].score};
        out[i].fallback = false;
        if (q[i].candidate) {
            status = rank_candidates(s, &q[i], &one, err);
            out[i].n = one.n_out;
        } else {
            all->of[all->n] = i;
            all->t[all->n++] = one;
        }
    }
    folder_release(&f);
    return status;
}

int
pz_ials_model_rank(const void *state, const struct pz_query *q, size_t n,
                   struct pz_ranked *out, struct pz_err *err)
{
    const struct state *s = state;
    struct together all = {.n = 0};
    int status = pz_new_aligned(&all.x, n * s->side.d, sizeof *all.x, "answers", err);
    if (!status)
        status = pz_new(&all.t, n, sizeof *all.t, "answers", err);
    if (!status)
        status = pz_new(&all.of, n, sizeof *all.of, "answers", err);
    if (!status)
        status = prepare(s, q, n, out, &all, err);
    if (!status)
        status = pz_topn(&s->items, NULL, 0, s->rate, all.t, all.n, err);
    for (size_t k = 0; !status && k < all.n; k++)
        out[all.of[k]].n = all.t[k].n_out;
    free(all.x);
    free(all.t);
    free(all.of);
    return status;
}

/* ---- reasons ---- */

/*
 * v := A^-1 y in double, with A the matrix that belongs to the history. It is a d x d
 * Cholesky for one item: a matter of a millisecond, and the terms then sum to the score
 * well within a float's bits.
 */
static int
solve_double(const struct pz_ials_side *side, const struct pz_bag *b, const float *y,
             double *v, struct pz_err *err)
{
    size_t d = side->d;
    double *a = NULL, n = side->base;
    int status = pz_new(&a, d * d, sizeof *a, "an explanation", err);
    if (status)
        return status;
    for (size_t i = 0; i < d * d; i++)
        a[i] = side->gram[i];
    for (size_t k = 0; k < b->n; k++) {
        const float *row = side->table + (size_t)b->item[k] * d;
        n += (double)b->weight[k];
        for (size_t i = 0; i < d; i++)
            for (size_t j = 0; j <= i; j++)
                a[i * d + j] += (double)b->weight[k] * (double)row[i] * (double)row[j];
    }
    for (size_t i = 0; i < d; i++)
        a[i * d + i] += (double)(float)(side->lambda * pow(n, side->nu));
    for (size_t i = 0; i < d && !status; i++) { // the lower triangle becomes L
        for (size_t j = 0; j <= i; j++) {
            double sum = a[i * d + j];
            for (size_t k = 0; k < j; k++)
                sum -= a[i * d + k] * a[j * d + k];
            if (j < i)
                a[i * d + j] = sum / a[j * d + j];
            else if (sum > 0)
                a[i * d + i] = sqrt(sum);
            else
                status =
                    pz_err_set(err, PZ_FORMAT, "tensor 'gram': not positive definite");
        }
    }
    for (size_t i = 0; i < d && !status; i++) {
        v[i] = y[i];
        for (size_t k = 0; k < i; k++)
            v[i] -= a[i * d + k] * v[k];
        v[i] /= a[i * d + i];
    }
    for (size_t i = d; i-- > 0 && !status;) {
        for (size_t k = i + 1; k < d; k++)
            v[i] -= a[k * d + i] * v[k];
        v[i] /= a[i * d + i];
    }
    free(a);
    return status;
}

/* What the item gains by standing in the history belongs to its own term. */
static void
explain_repeat(const struct state *s, const struct pz_query *q, uint32_t item,
               struct pz_explained *out)
{
    size_t k = 0;
    while (k < q->n_history && q->history[k] != item)
        k++;
    if (k == q->n_history || s->repeat == 0)
        return;
    out->raw += (double)(float)s->repeat;
    for (k = 0; k < out->n && out->reason[k].item != item; k++)
        ;
    if (k == out->n) // too long ago to count otherwise
        out->reason[out->n++] = (struct pz_reason){.item = item};
    out->reason[k].contribution += (double)(float)s->repeat;
    pz_reasons_sort(out);
}

static int
explain_known(const struct state *s, const struct pz_bag *b, uint32_t item,
              struct pz_explained *out, struct pz_err *err)
{
    size_t d = s->side.d;
    const float *y = s->side.table + (size_t)item * d;
    double *v = NULL;
    int status = pz_new(&v, d, sizeof *v, "an explanation", err);
    if (!status)
        status = solve_double(&s->side, b, y, v, err);
    for (size_t k = 0; k < b->n && !status; k++) {
        const float *row = s->side.table + (size_t)b->item[k] * d;
        double dot = 0;
        for (size_t c = 0; c < d; c++)
            dot += v[c] * (double)row[c];
        out->reason[out->n++] = (struct pz_reason){
            .item = b->item[k], .contribution = (double)b->weight[k] * dot};
    }
    pz_reasons_sort(out);
    free(v);
    return status;
}

int
pz_ials_model_explain(const void *state, const struct pz_query *q, uint32_t item,
                      struct pz_explained *out, struct pz_err *err)
{
    const struct state *s = state;
    struct folder f;
    float *x = NULL;
    bool known = false;
    out->n = 0;
    out->raw = 0;
    if (item >= s->model->n_items)
        return PZ_OK;
    int status = folder_init(&f, s, err);
    if (!status)
        status = pz_new_aligned(&x, s->side.d, sizeof *x, "an explanation", err);
    if (!status)
        status = user_vector(s, &f, q, x, &known, err);
    if (!status && known)
        status = pz_ials_take(&f.bag, &s->side, &s->rule, q->history, q->weight,
                              q->n_history, err);
    if (!status && known) {
        const float *y = s->side.table + (size_t)item * s->side.d;
        for (size_t c = 0; c < s->side.d; c++)
            out->raw += (double)x[c] * (double)y[c];
        status = explain_known(s, &f.bag, item, out, err);
        if (!status)
            explain_repeat(s, q, item, out);
    }
    free(x);
    folder_release(&f);
    return status;
}

/* ---- as a part ---- */

static double
cost(const struct pz_train *t)
{
    double d = pz_param(t->params, "hidden_dimension"), n = (double)t->events->n;
    double rows = (double)t->events->n_users + (double)t->events->n_items;
    return pz_param(t->params, "iterations") * (32 * n * d + 8 * rows * d * d) / 30e9;
}

static int
open_part(void **state, const struct pz_model *model, struct pz_err *err)
{
    int status = pz_ials_model_open(state, model, err);
    if (!status)
        ((struct state *)*state)->repeat = 0;
    return status;
}

struct work {
    float *x; // batch x d
    struct pz_products products;
};

static void
work_free(void *work)
{
    struct work *w = work;
    if (!w)
        return;
    free(w->x);
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
    status = pz_new_aligned(&w->x, batch * s->side.d, sizeof *w->x, "a query", err);
    if (!status)
        status = pz_products_init(&w->products, batch, s->side.d, err);
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
    struct folder f;
    size_t d = s->side.d;
    int status = folder_init(&f, s, err);
    for (size_t i = 0; i < n && !status; i++) {
        status = user_vector(s, &f, &q[i], w->x + i * d, &known[i], err);
        if (!status && !known[i])
            memset(w->x + i * d, 0, d * sizeof *w->x);
    }
    folder_release(&f);
    if (!status)
        pz_products(&w->products, out, stride, w->x, n, s->side.table, NULL,
                    s->side.n_rows);
    return status;
}

static int
explain_part(const void *state, void *work, const struct pz_query *q, uint32_t item,
             struct pz_explained *out, struct pz_err *err)
{
    (void)work;
    return pz_ials_model_explain(state, q, item, out, err);
}

static void
copy_meta(struct pz_builder *b, const struct pz_model *m, const char *key)
{
    const char *text = pz_tensors_meta(&m->file, key);
    if (text)
        pz_builder_meta(b, key, text);
}

/* Tensors of what was kept; item and user are taken over. */
static int
put_kept(const struct pz_train *t, const struct state *s, float *item, float *user,
         struct pz_err *err)
{
    static const char *const key[] = {"lambda",     "nu",          "alpha0", "base",
                                      "halflife",   "temperature", "repeat", "loss",
                                      "iterations", "repeats",     "cpu"};
    uint64_t d = s->side.d, n_items = t->events->n_items, n_users = t->events->n_users;
    uint64_t users[] = {n_users, d}, items[] = {n_items, d}, square[] = {d, d};
    float *gram = NULL;
    int status = pz_item_codes_put(t->model, item, (uint32_t)n_items, d, err);
    pz_builder_take(t->model, "user.factor", PZ_F32, 2, users, user);
    pz_builder_take(t->model, "item.factor", PZ_F32, 2, items, item);
    if (status || (status = pz_new(&gram, d * d, sizeof *gram, "factors", err)))
        return status;
    memcpy(gram, s->side.gram, d * d * sizeof *gram);
    pz_builder_take(t->model, "gram", PZ_F32, 2, square, gram);
    for (size_t i = 0; i < sizeof key / sizeof *key; i++) {
        char name[32];
        snprintf(name, sizeof name, "train.%s", key[i]);
        copy_meta(t->model, s->model, name);
    }
    return PZ_OK;
}

/* Items keep their factors, new ones have none; users are solved for what they have. */
static int
keep(const struct pz_train *t, const struct pz_kept *k, struct pz_err *err)
{
    void *state;
    float *item = NULL, *user = NULL;
    int status = pz_ials_model_open(&state, k->model, err);
    if (status)
        return status;
    const struct state *s = state;
    struct pz_ials_side side = s->side;
    size_t d = side.d;
    status = pz_new_aligned(&item, t->events->n_items * d, sizeof *item, "factors", err);
    if (!status)
        memset(item, 0, t->events->n_items * d * sizeof *item);
    for (uint32_t i = 0; i < k->model->n_items && !status; i++)
        if (k->now[i] != PZ_NO_ID)
            memcpy(item + k->now[i] * d, side.table + i * d, d * sizeof *item);
    side.table = item;
    side.n_rows = t->events->n_items;
    if (!status)
        status = pz_ials_users(&user, &side, &s->rule, t->events, t->threads, err);
    if (status)
        free(item);
    else
        status = put_kept(t, s, item, user, err);
    pz_ials_model_close(state);
    return status;
}

const struct pz_part pz_part_ials = {
    .name = "ials",
    .summary = "implicit-feedback factorization",
    .cost = cost,
    .train = pz_ials_model_train,
    .keep = keep,
    .open = open_part,
    .close = pz_ials_model_close,
    .work_new = work_new,
    .work_free = work_free,
    .score = score,
    .explain = explain_part,
};
