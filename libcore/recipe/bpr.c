/*
 * pz-bpr: matrix factorization by Bayesian personalized ranking (Rendle, Freudenthaler,
 * Gantner, Schmidt-Thieme 2009).
 *
 * Of every user u, an item i of the user's and another item j, the model maximises
 *
 *     log sigmoid(z_ui - z_uj) - regularization/2 (|x_u|^2 + |y_i|^2 + |y_j|^2 + ...)
 *     z_ui = x_u . y_i + b_i
 *
 * by stochastic gradient steps whose length falls to 0 over the iterations. Under the
 * model i is before j with probability sigmoid(z_ui - z_uj), and the choice among all
 * items that agrees with that for every pair is their softmax: the scores.
 *
 * Threads: users and items are parted in BLOCKS blocks each, the items anew by every
 * iteration. In one round of BLOCKS, block b of the users meets block b + round of the
 * items, j among them, so that no two tasks touch the same row, and the result is the
 * same whoever does them (Gemulla et al. 2011).
 *
 * Items of the user's history gain `repeat` in z: what makes the softmax expect as many
 * of the newest fifth of the events to be repeats as there are, over a sample of users.
 *
 * A user who is not stored gets a vector by the same steps with the items held fast.
 *
 * A model holds user.factor F32 [n_users, d] and item.factor F32 [n_items, d]; d is
 * factors + 1 rounded up to a multiple of 16, with b_i (for users 1) in place `factors`
 * and zeros behind.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/order.h"
#include "base/par.h"
#include "base/rng.h"
#include "math/kernels.h"
#include "math/topn.h"
#include "recipe/logistic.h"
#include "recipe/item_codes.h"
#include "recipe/model.h"

enum { BLOCKS = 16, TRIES = 8, FOLD_ROUNDS = 40 };
static const float MOST = 1e6F; // of a number of a vector that says anything

static const struct pz_param_def params[] = {
    {.name = "factors",
     .kind = PZ_PARAM_INT,
     .place = PZ_PLACE_OURS,
     .def = 64,
     .min = 4,
     .max = 256,
     .tunable = true,
     .tune_min = 16,
     .tune_max = 128,
     .help = "factors of a user and of an item"},
    {.name = "iterations",
     .kind = PZ_PARAM_INT,
     .place = PZ_PLACE_OURS,
     .def = 60,
     .min = 1,
     .max = 10000,
     .tunable = true,
     .tune_min = 10,
     .tune_max = 200,
     .help = "times that every event is learned from"},
    {.name = "learning_rate",
     .kind = PZ_PARAM_REAL,
     .place = PZ_PLACE_OURS,
     .def = 0.05,
     .min = 1e-5,
     .max = 1,
     .tunable = true,
     .tune_min = 0.005,
     .tune_max = 0.3,
     .help = "length of the first steps; it falls to 0 in a straight line"},
    {.name = "regularization",
     .kind = PZ_PARAM_REAL,
     .place = PZ_PLACE_OURS,
     .def = 0.01,
     .min = 0,
     .max = 10,
     .tunable = true,
     .tune_min = 0.001,
     .tune_max = 0.1,
     .help = "what keeps factors small"},
    {.name = "learn_repeats",
     .kind = PZ_PARAM_BOOL,
     .place = PZ_PLACE_OURS,
     .def = 1,
     .help = "True: rank items of the history higher or lower, as readily as users come "
             "back to what they had; False: by the factors alone"},
    {.name = NULL},
};

/* ---- steps ---- */

struct rule {
    size_t n_factors, d;
    float rate, keep; // length of a step; 1 - rate * regularization
};

/* One step for x over y_i and y_j; `items` moves these too. */
static void
step(const struct rule *r, float *x, float *yi, float *yj, bool items)
{
    const struct pz_kernels *k = pz_kernels();
    double z = (double)k->dot(x, yi, r->d) - (double)k->dot(x, yj, r->d);
    float g = r->rate * (float)pz_sigmoid(-z), keep = r->keep;
    for (size_t c = 0; c < r->n_factors; c++) {
        float u = x[c], i = yi[c], j = yj[c];
        x[c] = keep * u + g * (i - j);
        if (items) {
            yi[c] = keep * i + g * u;
            yj[c] = keep * j - g * u;
        }
    }
    if (items) {
        yi[r->n_factors] = keep * yi[r->n_factors] + g;
        yj[r->n_factors] = keep * yj[r->n_factors] - g;
    }
}

/* An item of pool[0..n_pool) that is not in the ascending list; PZ_NO_ID: none was met.
 */
static uint32_t
draw_other(struct pz_rng *rng, const uint32_t *pool, size_t n_pool, const uint32_t *list,
           size_t n)
{
    for (int i = 0; i < TRIES && n_pool; i++) {
        uint32_t at = (uint32_t)pz_rng_below(rng, n_pool), j = pool ? pool[at] : at;
        if (!bsearch(&j, list, n, sizeof *list, pz_order_u32))
            return j;
    }
    return PZ_NO_ID;
}

/* ---- training ---- */

struct lesson {
    const struct pz_train *t;
    struct rule rule;
    float *user, *item;
    uint32_t *had;   // distinct items of each user, ascending, from the user's offset on
    uint32_t *n_had; // n_users
    uint32_t *shuffled; // all items; block b is from n_items * b / BLOCKS on
    uint8_t *block;     // of each item
    int iteration, round;
};

static int
learn_block(void *ctx, size_t b, int thread, struct pz_err *err)
{
    const struct lesson *l = ctx;
    const struct pz_events *e = l->t->events;
    size_t d = l->rule.d, with = (b + (size_t)l->round) % BLOCKS;
    uint64_t first = (uint64_t)e->n_items * with / BLOCKS,
             end = (uint64_t)e->n_items * (with + 1) / BLOCKS;
    struct pz_rng rng;
    (void)thread;
    (void)err;
    pz_rng_seed(&rng, l->t->seed,
                ((uint64_t)l->iteration * BLOCKS + (uint64_t)l->round) * BLOCKS + b + 1);
    for (uint32_t u = (uint32_t)b; u < e->n_users; u += BLOCKS) {
        const uint32_t *had = l->had + e->offsets[u];
        for (uint64_t k = e->offsets[u]; k < e->offsets[u + 1]; k++) {
            uint32_t i = e->item[k];
            if (l->block[i] != with)
                continue;
            uint32_t j = draw_other(&rng, l->shuffled + first, (size_t)(end - first), had,
                                    l->n_had[u]);
            if (j != PZ_NO_ID)
                step(&l->rule, l->user + u * d, l->item + i * d, l->item + j * d, true);
        }
    }
    return PZ_OK;
}

static void
shuffle(struct lesson *l)
{
    uint32_t n = l->t->events->n_items;
    struct pz_rng rng;
    pz_rng_seed(&rng, l->t->seed + 1, (uint64_t)l->iteration);
    pz_rng_shuffle_u32(&rng, l->shuffled, n);
    for (size_t b = 0; b < BLOCKS; b++)
        for (uint64_t i = (uint64_t)n * b / BLOCKS; i < (uint64_t)n * (b + 1) / BLOCKS;
             i++)
            l->block[l->shuffled[i]] = (uint8_t)b;
}

static int
prepare(struct lesson *l, struct pz_err *err)
{
    static const char what[] = "factors";
    const struct pz_events *e = l->t->events;
    struct rule *r = &l->rule;
    r->n_factors = (size_t)pz_param(l->t->params, "factors");
    r->d = PZ_PAD(r->n_factors + 1);
    if (pz_new(&l->user, (size_t)e->n_users * r->d, sizeof *l->user, what, err) ||
        pz_new(&l->item, (size_t)e->n_items * r->d, sizeof *l->item, what, err) ||
        pz_new(&l->had, e->n, sizeof *l->had, what, err) ||
        pz_new(&l->n_had, e->n_users, sizeof *l->n_had, what, err) ||
        pz_new(&l->shuffled, e->n_items, sizeof *l->shuffled, what, err) ||
        pz_new(&l->block, e->n_items, 1, what, err))
        return err->status;
    memcpy(l->had, e->item, e->n * sizeof *l->had);
    double scale = 0.1 / sqrt((double)r->n_factors);
    for (uint32_t u = 0; u < e->n_users; u++) {
        struct pz_rng rng;
        size_t n = (size_t)(e->offsets[u + 1] - e->offsets[u]);
        l->n_had[u] = (uint32_t)pz_distinct_u32(l->had + e->offsets[u], n);
        pz_rng_seed(&rng, l->t->seed + 2, u);
        for (size_t c = 0; n && c < r->n_factors; c++)
            l->user[u * r->d + c] = (float)(scale * pz_rng_normal(&rng));
        l->user[u * r->d + r->n_factors] = n ? 1 : 0;
    }
    for (uint32_t i = 0; i < e->n_items; i++) {
        struct pz_rng rng;
        pz_rng_seed(&rng, l->t->seed + 3, i);
        for (size_t c = 0; c < r->n_factors; c++)
            l->item[i * r->d + c] = (float)(scale * pz_rng_normal(&rng));
        l->shuffled[i] = i;
    }
    return PZ_OK;
}

/* Steps that are too long, or shrink a vector by more than its length, never come to
 * rest. */
static int
check_rest(const struct lesson *l, struct pz_err *err)
{
    const float *table[] = {l->user, l->item};
    size_t n[] = {l->t->events->n_users * l->rule.d, l->t->events->n_items * l->rule.d};
    for (int s = 0; s < 2; s++)
        for (size_t i = 0; i < n[s]; i++)
            if (!(fabsf(table[s][i]) < MOST))
                return pz_err_set(err, PZ_DATA,
                                  "cannot train: the factors grow beyond all bounds; "
                                  "lower learning_rate or regularization");
    return PZ_OK;
}

/* ---- repeats ---- */

enum { MOST_USERS = 500, SHARE = 5, MOST_REPEAT = 12, HALVINGS = 40 };

/* Of the softmax of user u, the mass of the distinct items had before the newest fifth;
 * and how many of those events are among them. */
static int
mass_of(const struct lesson *l, uint32_t u, uint64_t newest, double *mass, double *found,
        struct pz_err *err)
{
    const struct pz_events *e = l->t->events;
    size_t d = l->rule.d, n = (size_t)(e->offsets[u + 1] - e->offsets[u] - newest);
    const uint32_t *event = e->item + e->offsets[u];
    double seen = 0, all = 0, top = -INFINITY;
    uint32_t *had;
    if (pz_new(&had, n, sizeof *had, "a history", err))
        return err->status;
    memcpy(had, event, n * sizeof *had);
    size_t n_had = pz_distinct_u32(had, n);
    for (uint32_t i = 0; i < e->n_items; i++) {
        double z = (double)pz_kernels()->dot(l->user + u * d, l->item + i * d, d), p;
        if (z > top) { // the sums are over that of the greatest, which never overflows
            all *= exp(top - z);
            seen *= exp(top - z);
            top = z;
        }
        p = exp(z - top);
        all += p;
        seen += bsearch(&i, had, n_had, sizeof *had, pz_order_u32) ? p : 0;
    }
    *mass = all > 0 ? seen / all : 0;
    for (uint64_t k = n; k < n + newest; k++)
        *found += bsearch(&event[k], had, n_had, sizeof *had, pz_order_u32) != NULL;
    free(had);
    return PZ_OK;
}

static int
find_repeat(const struct lesson *l, double *repeat, struct pz_err *err)
{
    const struct pz_events *e = l->t->events;
    double mass[MOST_USERS], weight[MOST_USERS], found = 0;
    size_t n = 0, every = e->n_users / MOST_USERS + 1;
    *repeat = 0;
    for (uint32_t u = 0; u < e->n_users; u += (uint32_t)every) {
        uint64_t all = e->offsets[u + 1] - e->offsets[u];
        uint64_t newest = all / SHARE ? all / SHARE : 1;
        if (all < 2)
            continue;
        if (mass_of(l, u, newest, &mass[n], &found, err))
            return err->status;
        weight[n++] = (double)newest;
    }
    double lo = -MOST_REPEAT, hi = MOST_REPEAT;
    for (int i = 0; i < HALVINGS; i++) {
        double mid = (lo + hi) / 2, g = exp(mid), expected = mid; // a weak pull to 0
        for (size_t v = 0; v < n; v++)
            expected += weight[v] * g * mass[v] / (g * mass[v] + 1 - mass[v]);
        if (expected > found)
            hi = mid;
        else
            lo = mid;
    }
    *repeat = n ? (lo + hi) / 2 : 0;
    return PZ_OK;
}

static int
train(const struct pz_train *t, struct pz_err *err)
{
    double repeat = 0;
    struct lesson l = {.t = t};
    int iterations = (int)pz_param(t->params, "iterations");
    double rate = pz_param(t->params, "learning_rate"),
           regularization = pz_param(t->params, "regularization");
    if (prepare(&l, err))
        goto done;
    for (; l.iteration < iterations; l.iteration++) {
        l.rule.rate = (float)(rate * (1 - (double)l.iteration / iterations));
        l.rule.keep = 1 - l.rule.rate * (float)regularization;
        shuffle(&l);
        for (l.round = 0; l.round < BLOCKS; l.round++)
            if (pz_par(pz_threads(t->threads), BLOCKS, learn_block, &l, err))
                goto done;
    }
    if (check_rest(&l, err))
        goto done;
    if (pz_param(t->params, "learn_repeats") != 0 && find_repeat(&l, &repeat, err))
        goto done;
    if (pz_item_codes_put(t->model, l.item, t->events->n_items, l.rule.d, err))
        goto done;
    pz_builder_meta_f64(t->model, "train.repeat", repeat);
    uint64_t users[] = {t->events->n_users, l.rule.d},
             items[] = {t->events->n_items, l.rule.d};
    pz_builder_take(t->model, "user.factor", PZ_F32, 2, users, l.user);
    pz_builder_take(t->model, "item.factor", PZ_F32, 2, items, l.item);
    pz_builder_metaf(t->model, "train.factors", "%zu", l.rule.n_factors);
    pz_builder_meta(t->model, "train.cpu", pz_cpu_name(pz_cpu()));
    l.user = l.item = NULL;
done:
    free(l.user);
    free(l.item);
    free(l.had);
    free(l.n_had);
    free(l.shuffled);
    free(l.block);
    return err->status;
}

/* ---- answers ---- */

struct state {
    const struct pz_model *model;
    const float *user, *item;
    struct pz_topn_table items; // those of `item`
    size_t d, n_factors;
    double repeat; // what items of the history gain
};

static int
open_state(void **state, const struct pz_model *m, struct pz_err *err)
{
    struct state *s;
    uint64_t user[] = {m->n_users, UINT64_MAX}, item[] = {m->n_items, UINT64_MAX};
    if (pz_new(&s, 1, sizeof *s, "a model", err))
        return err->status;
    s->model = m;
    if (pz_tensors_get(&m->file, "item.factor", PZ_F32, 2, item, &s->item, err))
        goto fail;
    user[1] = item[1];
    if (item[1] % PZ_LANES || item[1] < PZ_LANES || item[1] > PZ_MAX_D) {
        pz_tensors_bad(&m->file, "item.factor", err,
                       "%" PRIu64 " factors are not a multiple of %d up to %d", item[1],
                       PZ_LANES, PZ_MAX_D);
        goto fail;
    }
    if (pz_tensors_get(&m->file, "user.factor", PZ_F32, 2, user, &s->user, err))
        goto fail;
    s->d = (size_t)item[1];
    s->items = (struct pz_topn_table){.row = s->item, .n_rows = m->n_items, .d = s->d};
    if (pz_item_codes_get(m, &s->items, err))
        goto fail;
    const char *text = pz_tensors_meta(&m->file, "train.factors");
    int64_t n;
    if (!text || pz_parse_i64(text, strlen(text), &n) || n < 1 || n >= (int64_t)s->d) {
        pz_model_lacks(m, "train.factors", err);
        goto fail;
    }
    s->n_factors = (size_t)n;
    if (pz_model_number(m, "train.repeat", -MOST_REPEAT, MOST_REPEAT, &s->repeat, err))
        goto fail;
    *state = s;
    return PZ_OK;
fail:
    free(s);
    return err->status;
}

/* The vector of a history that is not stored. */
static int
fold(const struct state *s, const struct pz_query *q, float *x, bool *known,
     struct pz_err *err)
{
    uint32_t *had;
    struct pz_rng rng;
    struct rule r = {.n_factors = s->n_factors, .d = s->d};
    memset(x, 0, s->d * sizeof *x);
    x[s->n_factors] = 1;
    if (pz_new(&had, q->n_history, sizeof *had, "a history", err))
        return err->status;
    if (q->n_history)
        memcpy(had, q->history, q->n_history * sizeof *had);
    size_t n = pz_distinct_u32(had, q->n_history);
    *known = n > 0;
    pz_rng_seed(&rng, 0, n); // of nothing but the history
    for (int round = 0; round < FOLD_ROUNDS; round++) {
        r.rate = 0.1F * (float)(FOLD_ROUNDS - round) / FOLD_ROUNDS;
        r.keep = 1 - r.rate * 0.01F;
        for (size_t k = 0; k < q->n_history; k++) {
            uint32_t i = q->history[k];
            uint32_t j = draw_other(&rng, NULL, s->model->n_items, had, n);
            if (j != PZ_NO_ID) // the items stay: the cast takes nothing from them
                step(&r, x, (float *)(uintptr_t)(s->item + i * s->d),
                     (float *)(uintptr_t)(s->item + j * s->d), false);
        }
    }
    free(had);
    return PZ_OK;
}

static int
rank_one(const struct state *s, const struct pz_query *q, float *x, struct pz_ranked *out,
         struct pz_err *err)
{
    const float *vector = x;
    uint32_t *list = NULL;
    bool known = true;
    if (q->stored && q->user < s->model->n_users &&
        s->user[q->user * s->d + s->n_factors] != 0)
        vector = s->user + q->user * s->d;
    else if (fold(s, q, x, &known, err))
        return err->status;
    if (!known) {
        pz_model_popular(s->model, q, out);
        return PZ_OK;
    }
    struct pz_topn t = {.x = vector,
                        .n = q->candidate ? q->n_candidates : q->n,
                        .allow = q->allow,
                        .exclude = q->exclude,
                        .n_exclude = q->n_exclude,
                        .raised = q->history,
                        .n_raised = s->repeat != 0 ? q->n_history : 0,
                        .raise = (float)s->repeat,
                        .row = out->item,
                        .score = out->score};
    if (q->candidate) {
        if (pz_new(&list, q->n_candidates, sizeof *list, "candidates", err))
            return err->status;
        memcpy(list, q->candidate, q->n_candidates * sizeof *list);
        qsort(list, q->n_candidates, sizeof *list, pz_order_u32);
    }
    pz_topn(&s->items, list, list ? q->n_candidates : 0, 1, &t, 1, err);
    out->n = t.n_out;
    out->fallback = false;
    free(list);
    return err->status;
}

static int
rank(const void *state, const struct pz_query *q, size_t n, struct pz_ranked *out,
     struct pz_err *err)
{
    const struct state *s = state;
    float *x;
    if (pz_new_aligned(&x, s->d, sizeof *x, "an answer", err))
        return err->status;
    for (size_t i = 0; i < n && !err->status; i++)
        rank_one(s, &q[i], x, &out[i], err);
    free(x);
    return err->status;
}

const struct pz_recipe pz_recipe_bpr = {
    .name = "pz-bpr",
    .type = PZ_USER_PERSONALIZATION,
    .summary = "items for a user, by factors that rank pairs (BPR)",
    .params = params,
    .softmax = true,
    .has_scores = true,
    .train = train,
    .open = open_state,
    .close = free,
    .rank = rank,
};
