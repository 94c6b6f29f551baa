/*
 * aws-trending-now: the items whose popularity rises most, for everyone.
 *
 * Time is cut into intervals of length F that end at the newest event t_end. With c1 the
 * events of an item in (t_end - F, t_end] and c0 those in (t_end - 2F, t_end - F]
 *
 *     difference   rise = c1 - c0
 *     zscore       rise = (c1 - c0) / sqrt(c1 + c0 + 1)
 *
 * Items that rise come first, most first; of equal ones that with more events in the
 * newest interval, then the more popular. Behind them come the popular items. Repeated
 * events of one user count each time, as they do for Amazon.
 *
 * The data's own clock is used, so that a training can be repeated; to keep up with
 * events it is repeated every F. A model holds trending.item U32 [k] and trending.rise
 * F32 [k], in the order of the answer.
 */
#include "recipe/trending.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "recipe/admit.h"
#include "recipe/events.h"
#include "recipe/model.h"

static const struct pz_param_def params[] = {
    {.name = "trend_discovery_frequency",
     .kind = PZ_PARAM_CHOICE,
     .place = PZ_PLACE_FEATURE,
     .def = 2,
     .choices = "30 minutes|1 hour|2 hours|3 hours|1 day",
     .help = "length of the two intervals whose events are compared"},
    {.name = "rise",
     .kind = PZ_PARAM_CHOICE,
     .place = PZ_PLACE_OURS,
     .def = 0,
     .choices = "difference|zscore",
     .help = "difference: the events that came to be more; zscore: that, in view of how "
             "much numbers of that size vary by chance"},
    {.name = NULL},
};

static const int64_t seconds[] = {1800, 3600, 7200, 10800, 86400};
enum { ZSCORE = 1 };

int64_t
pz_trending_interval(const struct pz_params *p)
{
    return seconds[(int)pz_param(p, "trend_discovery_frequency")];
}

/* ---- training ---- */

struct trend {
    uint32_t item, before, now, users; // events; distinct users of all time
    double rise;
};

static int
by_rise(const void *a, const void *b)
{
    const struct trend *x = a, *y = b;
    if (x->rise != y->rise)
        return x->rise > y->rise ? -1 : 1;
    if (x->now != y->now)
        return x->now > y->now ? -1 : 1;
    if (x->users != y->users)
        return x->users > y->users ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

/* Counts both intervals. */
static void
count(const struct pz_events *e, int64_t end, int64_t length, struct trend *t)
{
    for (uint64_t i = 0; i < e->n; i++) {
        uint32_t it = e->item[i];
        uint64_t age = (uint64_t)end - (uint64_t)e->time[i]; // never negative
        t[it].now += age < (uint64_t)length;
        t[it].before += age >= (uint64_t)length && age < 2 * (uint64_t)length;
    }
}

static int
put(const struct pz_train *t, struct trend *trend, uint32_t n, struct pz_err *err)
{
    uint32_t *item = NULL;
    float *rise = NULL;
    int r;
    if ((r = pz_new(&item, n, sizeof *item, "trends", err)) == PZ_OK &&
        (r = pz_new(&rise, n, sizeof *rise, "trends", err)) == PZ_OK) {
        for (uint32_t i = 0; i < n; i++) {
            item[i] = trend[i].item;
            rise[i] = (float)trend[i].rise;
        }
        pz_builder_take1(t->model, "trending.item", PZ_U32, n, item);
        pz_builder_take1(t->model, "trending.rise", PZ_F32, n, rise);
        return PZ_OK;
    }
    free(item);
    return r;
}

static int
train(const struct pz_train *t, struct pz_err *err)
{
    const struct pz_events *e = t->events;
    int64_t length = pz_trending_interval(t->params);
    bool zscore = pz_param(t->params, "rise") == ZSCORE;
    struct trend *trend = NULL;
    uint32_t *users = NULL, n = 0;
    int64_t end = pz_events_newest(e);
    int r;
    if ((r = pz_new(&trend, e->n_items, sizeof *trend, "trends", err)) ||
        (r = pz_events_users(&users, e, err)))
        goto done;
    count(e, end, length, trend);
    for (uint32_t it = 0; it < e->n_items; it++) {
        struct trend x = trend[it];
        double more = (double)x.now - (double)x.before;
        x.item = it;
        x.users = users[it];
        x.rise = zscore ? more / sqrt((double)x.now + (double)x.before + 1) : more;
        if (more > 0)
            trend[n++] = x; // never ahead of what is read
    }
    if (n)
        qsort(trend, n, sizeof *trend, by_rise);
    pz_builder_metaf(t->model, "train.end", "%" PRId64, end);
    pz_builder_metaf(t->model, "train.interval", "%" PRId64, length);
    pz_builder_metaf(t->model, "train.rising", "%" PRIu32, n);
    r = put(t, trend, n, err);
done:
    free(trend);
    free(users);
    return r;
}

/* ---- answers ---- */

struct state {
    const struct pz_model *model;
    const uint32_t *item;
    uint64_t n;
};

static int
open_state(void **state, const struct pz_model *model, struct pz_err *err)
{
    struct state *s;
    const float *rise;
    if (pz_new(&s, 1, sizeof *s, "a model", err))
        return err->status;
    *s = (struct state){.model = model, .n = UINT64_MAX};
    if (pz_tensors_get1(&model->file, "trending.item", PZ_U32, &s->n, &s->item, err) ||
        pz_tensors_get1(&model->file, "trending.rise", PZ_F32, &s->n, &rise, err)) {
        free(s);
        return err->status;
    }
    *state = s;
    return PZ_OK;
}

static int
rank_one(const struct state *s, const struct pz_query *q, struct pz_ranked *out,
         struct pz_err *err)
{
    size_t wanted = q->candidate ? q->n_candidates : q->n;
    struct pz_query listed = {.exclude = q->candidate, .n_exclude = q->n_candidates};
    struct pz_query rest = *q;
    struct pz_admit admit, other;
    pz_admit_init(&admit, q);
    pz_admit_init(&other, &listed);
    out->n = 0;
    for (uint64_t i = 0; i < s->n && out->n < wanted; i++) {
        uint32_t it = s->item[i];
        if (it >= s->model->n_items)
            return pz_tensors_bad(&s->model->file, "trending.item", err,
                                  "entry %" PRIu64 " is %" PRIu32
                                  ", but there are %" PRIu32 " items",
                                  i, it, s->model->n_items);
        if (!pz_admits(&admit, it) || (q->candidate && pz_admits(&other, it)))
            continue;
        out->score[out->n] = NAN;
        out->item[out->n++] = it;
    }
    out->fallback = s->n == 0;
    rest.item = PZ_NO_ID; // everyone gets the same
    return pz_model_complete(s->model, &rest, wanted, out, err);
}

static int
rank(const void *state, const struct pz_query *q, size_t n, struct pz_ranked *out,
     struct pz_err *err)
{
    int r = PZ_OK;
    for (size_t i = 0; i < n && r == PZ_OK; i++)
        r = rank_one(state, &q[i], &out[i], err);
    return r;
}

const struct pz_recipe pz_recipe_trending = {
    .name = "aws-trending-now",
    .type = PZ_POPULAR_ITEMS,
    .summary = "the items whose popularity rises most right now, for everyone",
    .params = params,
    .train = train,
    .open = open_state,
    .close = free,
    .rank = rank,
};
