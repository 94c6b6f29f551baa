#include "recipe/interest.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/order.h"
#include "base/par.h"
#include "recipe/ials_history.h"
#include "recipe/neighbours.h"

static const char what[] = "what users are interested in";

void
pz_interest_release(struct pz_interest *x)
{
    pz_facets_release(&x->own.trait);
    pz_facets_release(&x->own.content);
    for (size_t i = 0; i < x->own.n; i++)
        free(x->own.array[i]);
    *x = (struct pz_interest){0};
}

/* Memory that goes with x. */
static void
keep(struct pz_interest *x, void *array)
{
    x->own.array[x->own.n++] = array;
}

/* ---- near ---- */

/* Rows of neighbours with sum 1, turned around: for each item those that lead to it. */
static int
turn_around(struct pz_interest *x, const struct pz_neighbours *rows, struct pz_err *err)
{
    uint64_t *offsets, *at = NULL;
    uint32_t *item;
    float *share;
    if (pz_new(&offsets, (size_t)x->n_items + 1, sizeof *offsets, what, err))
        return err->status;
    keep(x, offsets);
    if (pz_new(&item, rows->n, sizeof *item, what, err))
        return err->status;
    keep(x, item);
    if (pz_new(&share, rows->n, sizeof *share, what, err))
        return err->status;
    keep(x, share);
    if (pz_new(&at, (size_t)x->n_items + 1, sizeof *at, what, err))
        return err->status;
    for (uint64_t k = 0; k < rows->n; k++)
        offsets[rows->item[k] + 1]++;
    for (uint32_t i = 0; i < x->n_items; i++) {
        offsets[i + 1] += offsets[i];
        at[i] = offsets[i];
    }
    for (uint32_t h = 0; h < x->n_items; h++) {
        double sum = 0;
        for (uint64_t k = rows->offsets[h]; k < rows->offsets[h + 1]; k++)
            sum += (double)rows->score[k];
        for (uint64_t k = rows->offsets[h]; k < rows->offsets[h + 1]; k++) {
            uint64_t to = at[rows->item[k]]++;
            item[to] = h;
            share[to] = (float)((double)rows->score[k] / sum);
        }
    }
    free(at);
    x->near_offsets = offsets;
    x->near_item = item;
    x->near_share = share;
    x->n_near = rows->n;
    return PZ_OK;
}

static int
learn_near(struct pz_interest *x, const struct pz_train *t, struct pz_err *err)
{
    struct pz_neighbours_spec spec = {.keep = (size_t)pz_param(t->params, "neighbours"),
                                      .least = 1,
                                      .discount = 0.5,
                                      .shrinkage = 10,
                                      .threads = t->threads};
    struct pz_neighbours rows;
    if (pz_neighbours_find(&rows, t->events, &spec, err))
        return err->status;
    turn_around(x, &rows, err);
    free(rows.offsets);
    free(rows.item);
    free(rows.score);
    return err->status;
}

/* ---- factors ---- */

enum { USERS_A_TASK = 32, ITEMS_A_TILE = 1024 };

struct sums {
    const struct pz_interest *x;
    float *log_sum;
    float *tile[256]; // of each thread: products of one user with a block of items
};

/* Adds those of a block to the sum of exp(rate * (score - top)), where top is the
 * greatest score so far. */
static void
add_scores(double *sum, float *top, float *score, size_t n, double rate)
{
    const struct pz_kernels *k = pz_kernels();
    for (size_t j = n; j < PZ_PACK; j++)
        score[j] = -INFINITY;
    float block = k->greatest(score, PZ_PACK);
    if (block > *top) {
        *sum *= exp(((double)*top - (double)block) * rate);
        *top = block;
    }
    *sum += (double)k->sum_exp(score, PZ_PACK, *top, (float)rate);
}

/* Log of the sum of exp(rate * x_u.y_i) over all items, for some users. */
static int
sum_users(void *ctx, size_t task, int thread, struct pz_err *err)
{
    struct sums *s = ctx;
    const struct pz_interest *x = s->x;
    const struct pz_kernels *k = pz_kernels();
    uint32_t first = (uint32_t)task * USERS_A_TASK;
    size_t n = x->n_users - first < USERS_A_TASK ? x->n_users - first : USERS_A_TASK;
    size_t room = USERS_A_TASK * x->d + PZ_PACK * x->d + USERS_A_TASK * PZ_PACK;
    double sum[USERS_A_TASK] = {0};
    float top[USERS_A_TASK];
    if (!s->tile[thread] &&
        pz_new_aligned(&s->tile[thread], room, sizeof(float), what, err))
        return err->status;
    float *tiled = s->tile[thread], *packed = tiled + USERS_A_TASK * x->d;
    float *product = packed + PZ_PACK * x->d;
    k->tile(tiled, x->user + (size_t)first * x->d, n, x->d);
    for (size_t v = 0; v < n; v++)
        top[v] = -INFINITY;
    for (uint32_t i = 0; i < x->n_items; i += PZ_PACK) {
        size_t n_items = x->n_items - i < PZ_PACK ? x->n_items - i : PZ_PACK;
        k->pack(packed, x->factor + (size_t)i * x->d, NULL, n_items, x->d);
        k->score(product, PZ_PACK, packed, tiled, n, x->d);
        for (size_t v = 0; v < n; v++)
            add_scores(&sum[v], &top[v], product + v * PZ_PACK, n_items, x->rate);
    }
    for (size_t v = 0; v < n; v++)
        s->log_sum[first + v] = (float)((double)top[v] * x->rate + log(sum[v]));
    return PZ_OK;
}

static int
learn_sums(struct pz_interest *x, const struct pz_train *t, struct pz_err *err)
{
    struct sums s = {.x = x};
    if (pz_new(&s.log_sum, x->n_users, sizeof *s.log_sum, what, err))
        return err->status;
    keep(x, s.log_sum);
    x->log_sum = s.log_sum;
    pz_par(pz_threads(t->threads), (x->n_users + USERS_A_TASK - 1) / USERS_A_TASK,
           sum_users, &s, err);
    for (size_t i = 0; i < sizeof s.tile / sizeof *s.tile; i++)
        free(s.tile[i]);
    return err->status;
}

static int
learn_factors(struct pz_interest *x, const struct pz_train *t, struct pz_err *err)
{
    struct pz_ials_config c = {
        .n_factors = (uint32_t)pz_param(t->params, "hidden_dimension"),
        .nu = 1,
        .init_scale = 0.1,
        .iterations = (int)pz_param(t->params, "iterations"),
        .cg_steps = 3,
        .seed = t->seed,
        .threads = t->threads,
    };
    struct pz_bag_rule rule = {0};
    struct pz_ials_softmax softmax;
    struct pz_ials m;
    float *user = NULL;
    if (pz_ials_train(&m, t->events, &c, err))
        return err->status;
    struct pz_ials_side side = {m.item, m.gram, m.n_items, m.d, m.lambda, c.nu, m.base};
    if (!pz_ials_softmax_fit(&side, &rule, t->events, t->seed, &softmax, err) &&
        !pz_ials_users(&user, &side, &rule, t->events, t->threads, err)) {
        x->d = m.d;
        x->rate = 1 / softmax.temperature;
        x->factor = m.item;
        x->user = user;
        keep(x, m.item);
        keep(x, user);
        m.item = NULL;
    }
    pz_ials_release(&m);
    return err->status ? err->status : learn_sums(x, t, err);
}

/* ---- counts ---- */

static int
learn_popular(struct pz_interest *x, const struct pz_events *e, struct pz_err *err)
{
    float *popular;
    double *count = NULL, all = 0;
    if (pz_new(&popular, x->n_items, sizeof *popular, what, err))
        return err->status;
    keep(x, popular);
    if (pz_new(&count, x->n_items, sizeof *count, what, err))
        return err->status;
    // Half an event for each item: nothing is impossible.
    for (uint32_t i = 0; i < x->n_items; i++)
        count[i] = 0.5;
    for (uint64_t i = 0; i < e->n; i++)
        count[e->item[i]] += e->weight ? (double)e->weight[i] : 1;
    for (uint32_t i = 0; i < x->n_items; i++)
        all += count[i];
    for (uint32_t i = 0; i < x->n_items; i++)
        popular[i] = (float)(count[i] / all);
    free(count);
    x->popular = popular;
    return PZ_OK;
}

/* The items of one trait after another. */
struct traits {
    double *count; // n_items: of the trait at hand, else 0
    uint32_t *met; // items with a count
    size_t n_met;
    uint32_t *item; // of all traits, x->n_trait
    float *share;
    size_t cap_item, cap_share;
};

/* Shares of the items in the events of the users of facet v. */
static int
count_trait(struct pz_interest *x, const struct pz_events *e, uint32_t v,
            struct traits *t, struct pz_err *err)
{
    const struct pz_facets *f = &x->own.trait;
    double all = 0;
    t->n_met = 0;
    for (uint64_t k = f->in_offsets[v]; k < f->in_offsets[v + 1]; k++) {
        uint32_t u = f->in[k];
        for (uint64_t i = e->offsets[u]; i < e->offsets[u + 1]; i++) {
            double w = e->weight ? (double)e->weight[i] : 1;
            if (t->count[e->item[i]] == 0)
                t->met[t->n_met++] = e->item[i];
            t->count[e->item[i]] += w;
            all += w;
        }
    }
    qsort(t->met, t->n_met, sizeof *t->met, pz_order_u32);
    size_t room = x->n_trait + t->n_met + 1;
    if (pz_grow(&t->item, &t->cap_item, room, sizeof *t->item, what, err) ||
        pz_grow(&t->share, &t->cap_share, room, sizeof *t->share, what, err))
        return err->status;
    for (size_t i = 0; i < t->n_met; i++) {
        t->item[x->n_trait] = t->met[i];
        t->share[x->n_trait++] = (float)(t->count[t->met[i]] / all);
        t->count[t->met[i]] = 0;
    }
    return PZ_OK;
}

static int
learn_traits(struct pz_interest *x, const struct pz_train *train, struct pz_err *err)
{
    const struct pz_world *w = train->world;
    struct traits t = {0};
    uint64_t *offsets = NULL;
    if (pz_facets_make(&x->own.trait, w->users, w->user_row, x->n_users, true, err))
        return err->status;
    pz_facets_view(&x->trait, &x->own.trait);
    if (pz_new(&offsets, (size_t)x->trait.n + 1, sizeof *offsets, what, err) ||
        pz_new(&t.count, x->n_items, sizeof *t.count, what, err) ||
        pz_new(&t.met, x->n_items, sizeof *t.met, what, err) ||
        pz_grow(&t.item, &t.cap_item, 1, sizeof *t.item, what, err) ||
        pz_grow(&t.share, &t.cap_share, 1, sizeof *t.share, what, err))
        goto done;
    for (uint32_t v = 0; v < x->trait.n; v++) {
        if (count_trait(x, train->events, v, &t, err))
            goto done;
        offsets[v + 1] = x->n_trait;
    }
done:
    keep(x, offsets);
    keep(x, t.item);
    keep(x, t.share);
    x->trait_offsets = offsets;
    x->trait_item = t.item;
    x->trait_share = t.share;
    free(t.count);
    free(t.met);
    return err->status;
}

static int
learn_content(struct pz_interest *x, const struct pz_train *t, struct pz_err *err)
{
    const struct pz_world *w = t->world;
    if (pz_facets_make(&x->own.content, w->items, w->item_row, x->n_items, false, err))
        return err->status;
    pz_facets_view(&x->content, &x->own.content);
    return PZ_OK;
}

int
pz_interest_learn(struct pz_interest *x, const struct pz_train *t, struct pz_err *err)
{
    const struct pz_events *e = t->events;
    *x = (struct pz_interest){.n_users = e->n_users,
                              .n_items = e->n_items,
                              .offsets = e->offsets,
                              .item = e->item,
                              .weight = e->weight,
                              .n = e->n,
                              .again = 1};
    if (learn_near(x, t, err) || learn_factors(x, t, err) || learn_popular(x, e, err) ||
        learn_traits(x, t, err) || learn_content(x, t, err))
        pz_interest_release(x);
    return err->status;
}

/* ---- in a model ---- */

static const char *const share_key[PZ_INTEREST_PARTS] = {
    "train.share.own",    "train.share.near",    "train.share.factors",
    "train.share.traits", "train.share.content", "train.share.popular"};

/* Every array is the builder's now. */
static void *
hand(struct pz_interest *x, const void *array)
{
    for (size_t i = 0; i < x->own.n; i++)
        if (x->own.array[i] == array) {
            x->own.array[i] = NULL;
            break;
        }
    return (void *)(uintptr_t)array;
}

void
pz_interest_give(struct pz_interest *x, struct pz_builder *b)
{
    uint64_t n_items = x->n_items, users[] = {x->n_users, x->d},
             items[] = {n_items, x->d};
    pz_builder_take1(b, "near.offsets", PZ_U64, n_items + 1, hand(x, x->near_offsets));
    pz_builder_take1(b, "near.item", PZ_U32, x->n_near, hand(x, x->near_item));
    pz_builder_take1(b, "near.share", PZ_F32, x->n_near, hand(x, x->near_share));
    pz_builder_take(b, "factor.user", PZ_F32, 2, users, hand(x, x->user));
    pz_builder_take(b, "factor.item", PZ_F32, 2, items, hand(x, x->factor));
    pz_builder_take1(b, "factor.log_sum", PZ_F32, x->n_users, hand(x, x->log_sum));
    pz_builder_take1(b, "trait.offsets", PZ_U64, (uint64_t)x->trait.n + 1,
                     hand(x, x->trait_offsets));
    pz_builder_take1(b, "trait.item", PZ_U32, x->n_trait, hand(x, x->trait_item));
    pz_builder_take1(b, "trait.share", PZ_F32, x->n_trait, hand(x, x->trait_share));
    pz_builder_take1(b, "popular", PZ_F32, n_items, hand(x, x->popular));
    pz_facets_give(&x->own.trait, b, "trait");
    pz_facets_give(&x->own.content, b, "content");
    for (int k = 0; k < PZ_INTEREST_PARTS; k++)
        pz_builder_meta_f64(b, share_key[k], x->share[k]);
    pz_builder_meta_f64(b, "train.again", x->again);
    pz_builder_meta_f64(b, "train.rate", x->rate);
}

static int
open_factors(struct pz_interest *x, const struct pz_model *m, struct pz_err *err)
{
    const struct pz_tensors *f = &m->file;
    uint64_t n_users = m->n_users, user[] = {n_users, UINT64_MAX};
    if (pz_tensors_get(f, "factor.user", PZ_F32, 2, user, &x->user, err))
        return err->status;
    uint64_t item[] = {m->n_items, user[1]};
    if (user[1] % PZ_LANES || user[1] < PZ_LANES || user[1] > PZ_MAX_D)
        return pz_tensors_bad(f, "factor.user", err,
                              "%" PRIu64 " factors are not a multiple of %d up to %d",
                              user[1], PZ_LANES, PZ_MAX_D);
    x->d = (size_t)user[1];
    if (pz_tensors_get(f, "factor.item", PZ_F32, 2, item, &x->factor, err) ||
        pz_tensors_get1(f, "factor.log_sum", PZ_F32, &n_users, &x->log_sum, err))
        return err->status;
    return pz_model_number(m, "train.rate", 0, 1e9, &x->rate, err);
}

int
pz_interest_open(struct pz_interest *x, const struct pz_model *m, struct pz_err *err)
{
    const struct pz_tensors *f = &m->file;
    uint64_t n = m->n_items, offsets = n + 1;
    *x = (struct pz_interest){.n_users = m->n_users,
                              .n_items = m->n_items,
                              .offsets = m->history_offsets,
                              .item = m->history_item,
                              .weight = m->history_weight,
                              .n = m->n_history,
                              .n_near = UINT64_MAX,
                              .n_trait = UINT64_MAX,
                              .file = f};
    if (pz_tensors_get1(f, "near.offsets", PZ_U64, &offsets, &x->near_offsets, err) ||
        pz_tensors_get1(f, "near.item", PZ_U32, &x->n_near, &x->near_item, err) ||
        pz_tensors_get1(f, "near.share", PZ_F32, &x->n_near, &x->near_share, err) ||
        pz_tensors_get1(f, "popular", PZ_F32, &n, &x->popular, err) ||
        open_factors(x, m, err) ||
        pz_facets_open(&x->trait, f, "trait", m->n_users, err) ||
        pz_facets_open(&x->content, f, "content", m->n_items, err))
        return err->status;
    offsets = (uint64_t)x->trait.n + 1;
    if (pz_tensors_get1(f, "trait.offsets", PZ_U64, &offsets, &x->trait_offsets, err) ||
        pz_tensors_get1(f, "trait.item", PZ_U32, &x->n_trait, &x->trait_item, err) ||
        pz_tensors_get1(f, "trait.share", PZ_F32, &x->n_trait, &x->trait_share, err))
        return err->status;
    for (int k = 0; k < PZ_INTEREST_PARTS; k++)
        if (pz_model_number(m, share_key[k], 0, 1.0001, &x->share[k], err))
            return err->status;
    return pz_model_number(m, "train.again", 0, 1e9, &x->again, err);
}
