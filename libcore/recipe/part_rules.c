#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/par.h"
#include "recipe/decay.h"
#include "recipe/parts.h"

enum { MAX_THREADS = 256, WINDOW = 20, ENTRIES = 300 };
static const double ANSWER = 0.8; // what an event counts after one more, in answers
static const double SHRINK = 10, ROW_POWER = 0.5, COLUMN_POWER = 0.3;

static double
cost(const struct pz_train *t)
{
    return 2.0 * WINDOW * (double)t->events->n / 1e8;
}

/* Sums of one row, of one thread. */
struct sums {
    double *sum;
    uint8_t *mark;
    uint32_t *touched;
    size_t n;
};

struct rules {
    const struct pz_events *e;
    uint64_t *at, *event; // an item's events, ascending
    uint32_t *user, *item_of;
    double *column; // (SHRINK + what comes after anything)^-COLUMN_POWER
    double near[WINDOW + 1];
    struct sums work[MAX_THREADS];
};

static double
pair_weight(const struct rules *r, uint64_t k, uint64_t later)
{
    const float *w = r->e->weight;
    return r->near[later - k] * (w ? (double)w[k] * (double)w[later] : 1);
}

static int
row(void *ctx, int thread, uint32_t i, uint32_t *rank, float *value, size_t *n,
    struct pz_err *err)
{
    (void)err;
    struct rules *r = ctx;
    struct sums *w = &r->work[thread];
    const struct pz_events *e = r->e;
    double total = SHRINK;
    w->n = 0;
    for (uint64_t x = r->at[i]; x < r->at[i + 1]; x++) {
        uint64_t k = r->event[x], end = e->offsets[r->user[k] + 1];
        for (uint64_t l = k + 1; l < end && l <= k + WINDOW; l++) {
            uint32_t j = e->item[l];
            if (j == i)
                continue;
            double weight = pair_weight(r, k, l);
            if (!w->mark[j]) {
                w->mark[j] = 1;
                w->touched[w->n++] = j;
            }
            w->sum[j] += weight;
            total += weight;
        }
    }
    double scale = pow(total, -ROW_POWER);
    for (size_t k = 0; k < w->n; k++) {
        uint32_t j = w->touched[k];
        rank[k] = j;
        value[k] = (float)(w->sum[j] * scale * r->column[j]);
        w->sum[j] = 0;
        w->mark[j] = 0;
    }
    *n = w->n;
    return PZ_OK;
}

static int
sort_events(struct rules *r, struct pz_err *err)
{
    const struct pz_events *e = r->e;
    static const char what[] = "sequential rules";
    if (pz_new(&r->at, (size_t)e->n_items + 2, sizeof *r->at, what, err) ||
        pz_new(&r->event, e->n, sizeof *r->event, what, err) ||
        pz_new(&r->user, e->n, sizeof *r->user, what, err) ||
        pz_new(&r->item_of, e->n_items, sizeof *r->item_of, what, err) ||
        pz_new(&r->column, e->n_items, sizeof *r->column, what, err))
        return err->status;
    for (uint64_t k = 0; k < e->n; k++)
        r->at[e->item[k] + 2]++;
    for (uint32_t i = 0; i < e->n_items; i++) {
        r->at[i + 2] += r->at[i + 1];
        r->item_of[i] = i;
    }
    for (uint32_t u = 0; u < e->n_users; u++)
        for (uint64_t k = e->offsets[u]; k < e->offsets[u + 1]; k++) {
            r->user[k] = u;
            r->event[r->at[e->item[k] + 1]++] = k;
            for (uint64_t l = k > e->offsets[u] + WINDOW ? k - WINDOW : e->offsets[u];
                 l < k; l++)
                if (e->item[l] != e->item[k])
                    r->column[e->item[k]] += pair_weight(r, l, k);
        }
    for (uint32_t i = 0; i < e->n_items; i++)
        r->column[i] = pow(SHRINK + r->column[i], -COLUMN_POWER);
    return PZ_OK;
}

static int
train(const struct pz_train *t, struct pz_err *err)
{
    struct rules *r = NULL;
    struct pz_linear_made made;
    int threads = pz_threads(t->threads);
    int status = pz_new(&r, 1, sizeof *r, "sequential rules", err);
    if (status)
        return status;
    r->e = t->events;
    for (int d = 1; d <= WINDOW; d++)
        r->near[d] = 1 / sqrt(d);
    status = sort_events(r, err);
    for (int i = 0; i < threads && !status; i++) {
        struct sums *w = &r->work[i];
        if (pz_new(&w->sum, t->events->n_items, sizeof *w->sum, "rules", err) ||
            pz_new(&w->mark, t->events->n_items, 1, "rules", err) ||
            pz_new(&w->touched, t->events->n_items, sizeof *w->touched, "rules", err))
            status = err->status;
    }
    struct pz_linear_rows rows = {.n_ranks = t->events->n_items,
                                  .n_items = t->events->n_items,
                                  .item_of = r->item_of,
                                  .keep = ENTRIES,
                                  .threads = threads,
                                  .ctx = r,
                                  .row = row};
    if (!status)
        status = pz_linear_make(&made, &rows, err);
    if (!status) {
        struct pz_bag_rule rule = {.halflife = pz_decay_halflife(ANSWER)};
        pz_linear_put(t->model, "rules", &made, &rule);
    }
    for (int i = 0; i < threads; i++) {
        free(r->work[i].sum);
        free(r->work[i].mark);
        free(r->work[i].touched);
    }
    free(r->at);
    free(r->event);
    free(r->user);
    free(r->item_of);
    free(r->column);
    free(r);
    return status;
}

static int
open_state(void **state, const struct pz_model *model, struct pz_err *err)
{
    return pz_linear_open(state, model, "rules", err);
}

const struct pz_part pz_part_rules = {
    .name = "rules",
    .summary = "what followed what",
    .cost = cost,
    .train = train,
    .open = open_state,
    PZ_LINEAR_ANSWERS,
};
