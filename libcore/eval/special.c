#include "eval/special.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "recipe/events.h"
#include "recipe/semantic.h"
#include "recipe/trending.h"

enum { LIST = 25, INTERVALS = 10, MOST_ITEMS = 2000 };

/* ---- trends ---- */

struct rise {
    int64_t by;
    uint32_t item;
};

static int
by_rise(const void *a, const void *b)
{
    const struct rise *x = a, *y = b;
    return (x->by < y->by) - (x->by > y->by);
}

/* Events that are not newer than *end. */
static uint64_t
not_newer(const void *end, const struct pz_events *e, uint32_t u)
{
    uint64_t n = 0;
    while (e->offsets[u] + n < e->offsets[u + 1] &&
           e->time[e->offsets[u] + n] <= *(const int64_t *)end)
        n++;
    return n;
}

/* How much more of each item there was in (end, end+length] than before it; `rise` has
 * room for all items. */
static void
measure_rises(const struct pz_events *e, int64_t end, int64_t length, struct rise *rise)
{
    for (uint32_t i = 0; i < e->n_items; i++)
        rise[i] = (struct rise){0, i};
    for (uint64_t i = 0; i < e->n; i++) {
        int64_t t = e->time[i];
        if (t > end && t <= end + length)
            rise[e->item[i]].by++;
        else if (t > end - length && t <= end)
            rise[e->item[i]].by--;
    }
    for (uint32_t i = 0; i < e->n_items; i++)
        rise[i].by = rise[i].by > 0 ? rise[i].by : 0;
}

/* Adds the rises of the 25 items that the recipe foretells, and of those that rose most.
 */
static int
foretell(const struct pz_eval *e, int64_t end, int64_t length, double *found,
         double *most, struct pz_err *err)
{
    struct pz_events before = {.n = 0};
    struct pz_trained trained = {0};
    struct rise *rise = NULL;
    uint32_t item[LIST];
    float score[LIST];
    struct pz_query q = {.user = PZ_NO_ID, .item = PZ_NO_ID, .n = LIST};
    struct pz_ranked out = {.item = item, .score = score};
    struct pz_train learn = {.events = &before,
                             .params = e->params,
                             .world = e->world,
                             .seed = e->seed,
                             .threads = e->threads};
    if (pz_events_take(e->events, not_newer, &end, &before, err) || !before.n ||
        pz_new(&rise, e->events->n_items, sizeof *rise, "trends", err) ||
        pz_trained_open(&trained, e->recipe, &learn, err) ||
        pz_model_rank(&trained.model, &q, 1, &out, err))
        goto done;
    measure_rises(e->events, end, length, rise);
    for (size_t i = 0; i < out.n; i++)
        *found += (double)rise[out.item[i]].by;
    qsort(rise, e->events->n_items, sizeof *rise, by_rise);
    for (size_t i = 0; i < LIST && i < e->events->n_items; i++)
        *most += (double)rise[i].by;
done:
    pz_trained_close(&trained);
    pz_events_release(&before);
    free(rise);
    return err->status;
}

static int
trend_accuracy(const struct pz_eval *e, int64_t length, double *out, struct pz_err *err)
{
    int64_t newest = pz_events_newest(e->events);
    double found = 0, most = 0;
    for (int64_t k = INTERVALS; k > 0; k--)
        if (foretell(e, newest - k * length, length, &found, &most, err))
            return err->status;
    *out = most > 0 ? found / most : NAN;
    return PZ_OK;
}

/* ---- likeness ---- */

static int
likeness(const struct pz_model *m, uint64_t seed, struct pz_metrics *out,
         struct pz_err *err)
{
    struct pz_drawn *d;
    double sum[PZ_N_TRAITS] = {0}, n = 0;
    uint64_t salt = pz_mix64(seed + 11);
    if (pz_new(&d, m->n_items, sizeof *d, "items", err))
        return err->status;
    for (uint32_t i = 0; i < m->n_items; i++)
        d[i] = pz_drawn_of(salt, i);
    pz_drawn_sort(d, m->n_items);
    for (uint32_t i = 0; i < m->n_items && i < MOST_ITEMS && !err->status; i++) {
        uint32_t item[LIST];
        float score[LIST];
        struct pz_query q = {.user = PZ_NO_ID, .item = d[i].number, .n = LIST};
        struct pz_ranked r = {.item = item, .score = score};
        size_t similar = 0;
        if (pz_model_rank(m, &q, 1, &r, err))
            break;
        while (similar < r.n && !r.fallback && !isnan(score[similar]))
            similar++;
        pz_semantic_add_traits(m->state, d[i].number, item, similar, sum, err);
        n += (double)similar;
    }
    free(d);
    out->value[PZ_ITEM_POPULARITY] = n > 0 ? sum[PZ_TRAIT_POPULARITY] / n : NAN;
    out->value[PZ_ITEM_FRESHNESS] = n > 0 ? sum[PZ_TRAIT_FRESHNESS] / n : NAN;
    out->value[PZ_ITEM_SIMILARITY] = n > 0 ? sum[PZ_TRAIT_SIMILARITY] / n : NAN;
    return err->status;
}

static int
learn_likeness(const struct pz_eval *e, struct pz_metrics *m, struct pz_err *err)
{
    struct pz_trained trained = {0};
    struct pz_train learn = {.events = e->events,
                             .params = e->params,
                             .world = e->world,
                             .seed = e->seed,
                             .threads = e->threads};
    if (!pz_trained_open(&trained, e->recipe, &learn, err))
        likeness(&trained.model, e->seed, m, err);
    pz_trained_close(&trained);
    return err->status;
}

/* ---- entries ---- */

static bool
any_wanted(const bool *want, int first, int end)
{
    for (int i = first; i < end; i++)
        if (want[i - PZ_FIRST_SPECIAL])
            return true;
    return false;
}

/* The first entry whose trends are in question; NULL: none. */
static const struct pz_entry *
first_trend(const struct pz_entries *e)
{
    for (size_t i = 0; i < e->n; i++)
        if (e->entry[i].recipe == &pz_recipe_trending && !e->entry[i].model)
            return &e->entry[i];
    return NULL;
}

static int
measure_entry(const struct pz_entry *x, const struct pz_entry *trend, bool alike,
              const struct pz_compare *c, struct pz_metrics *m, struct pz_err *err)
{
    struct pz_eval e = {.recipe = x->recipe,
                        .world = c->world,
                        .events = c->events,
                        .params = &x->params,
                        .seed = c->seed,
                        .threads = c->threads};
    int r = PZ_OK;
    if (trend && !x->model && x->recipe->type == PZ_POPULAR_ITEMS)
        r = pz_eval_special(&e, trend->recipe,
                            x->recipe == trend->recipe ? &x->params : &trend->params, m,
                            err);
    else if (alike && x->recipe == &pz_recipe_semantic_similarity)
        r = x->model ? likeness(x->model, c->seed, m, err) : learn_likeness(&e, m, err);
    return r ? pz_err_prefix(err, "%s: ", x->label) : r;
}

int
pz_compare_special(struct pz_compared *o, const struct pz_compare *c,
                   const bool want[PZ_N_SPECIAL], struct pz_err *err)
{
    const struct pz_entries *all = c->entries;
    bool alike = any_wanted(want, PZ_ITEM_POPULARITY, PZ_N_METRICS), any = false;
    const struct pz_entry *trend =
        any_wanted(want, PZ_TREND_ACCURACY, PZ_ITEM_POPULARITY) ? first_trend(all) : NULL;
    for (size_t i = 0; i < all->n; i++)
        any |= alike && all->entry[i].recipe == &pz_recipe_semantic_similarity;
    if (!any && !trend)
        return PZ_OK;
    if (pz_new(&o->special, all->n * PZ_N_SPECIAL, sizeof *o->special, "metrics", err))
        return err->status;
    for (size_t i = 0; i < all->n; i++) {
        struct pz_metrics m = pz_metrics_none();
        if (measure_entry(&all->entry[i], trend, alike, c, &m, err))
            return err->status;
        for (int k = 0; k < PZ_N_SPECIAL; k++)
            o->special[i * PZ_N_SPECIAL + (size_t)k] =
                want[k] ? m.value[PZ_FIRST_SPECIAL + k] : NAN;
    }
    return PZ_OK;
}

int
pz_eval_special(const struct pz_eval *e, const struct pz_recipe *of,
                const struct pz_params *of_params, struct pz_metrics *m,
                struct pz_err *err)
{
    if (of == &pz_recipe_trending)
        return trend_accuracy(e, pz_trending_interval(of_params),
                              &m->value[PZ_TREND_ACCURACY], err);
    if (of == &pz_recipe_semantic_similarity && e->recipe == of)
        return learn_likeness(e, m, err);
    return PZ_OK;
}

bool
pz_special_has(const struct pz_compared *o, int k)
{
    for (size_t e = 0; o->special && e < o->n_entries; e++)
        if (!isnan(o->special[e * PZ_N_SPECIAL + (size_t)k]))
            return true;
    return false;
}

const char *
pz_special_name(int k)
{
    return pz_metric_name((enum pz_metric)(PZ_FIRST_SPECIAL + k));
}
