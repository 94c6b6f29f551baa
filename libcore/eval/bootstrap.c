#include "eval/bootstrap.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/order.h"
#include "base/par.h"
#include "base/rng.h"

enum { DRAWS = 1000 };

struct boot {
    const struct pz_bootstrap *b;
    uint32_t n_draws;
    double *drawn;    // n_draws x n_systems x n_values: the means
    uint32_t **times; // a thread: how often each user was drawn
    double **scratch; // a thread: n_values sums, n_values counts
};

double
pz_mean_of(const double *value, size_t n_users, size_t n_values, size_t v)
{
    double sum = 0, n = 0;
    for (size_t u = 0; u < n_users; u++)
        if (!isnan(value[u * n_values + v])) {
            sum += value[u * n_values + v];
            n++;
        }
    return n > 0 ? sum / n : NAN;
}

/* Draw number `task`: counts of the users, then a pass over each system's rows. */
static int
draw(void *ctx, size_t task, int thread, struct pz_err *err)
{
    struct boot *x = ctx;
    const struct pz_bootstrap *b = x->b;
    struct pz_rng rng;
    uint32_t *times = x->times[thread];
    double *sum = x->scratch[thread], *count = sum + b->n_values;
    (void)err;
    pz_rng_seed(&rng, b->seed, task);
    memset(times, 0, b->n_users * sizeof *times);
    for (size_t i = 0; i < b->n_users; i++)
        times[pz_rng_below(&rng, b->n_users)]++;
    for (size_t s = 0; s < b->n_systems; s++) {
        double *out = x->drawn + (task * b->n_systems + s) * b->n_values;
        memset(sum, 0, 2 * b->n_values * sizeof *sum);
        for (size_t u = 0; u < b->n_users; u++) {
            const double *row = b->value[s] + u * b->n_values;
            double w = times[u];
            if (w == 0)
                continue;
            for (size_t v = 0; v < b->n_values; v++) {
                bool there = row[v] == row[v];
                sum[v] += there ? w * row[v] : 0;
                count[v] += there ? w : 0;
            }
        }
        for (size_t v = 0; v < b->n_values; v++)
            out[v] = count[v] > 0 ? sum[v] / count[v] : NAN;
    }
    return PZ_OK;
}

static struct pz_bounds
bounds_of(double *list, size_t n)
{
    if (n == 0)
        return (struct pz_bounds){NAN, NAN};
    qsort(list, n, sizeof *list, pz_order_f64);
    size_t low = (size_t)(0.025 * (double)n), high = n - 1 - low;
    return (struct pz_bounds){list[low], list[high]};
}

static int
collect(const struct boot *x, struct pz_bounds *mean, struct pz_bounds *differ,
        struct pz_err *err)
{
    const struct pz_bootstrap *b = x->b;
    double *list = NULL, *gap = NULL;
    int r = pz_new(&list, x->n_draws, sizeof *list, "intervals", err);
    if (r || (r = pz_new(&gap, x->n_draws, sizeof *gap, "intervals", err)))
        goto done;
    for (size_t s = 0; s < b->n_systems; s++)
        for (size_t v = 0; v < b->n_values; v++) {
            size_t n = 0, n_gap = 0;
            for (size_t d = 0; d < x->n_draws; d++) {
                const double *row = x->drawn + d * b->n_systems * b->n_values;
                double mine = row[s * b->n_values + v];
                double other = row[b->base * b->n_values + v];
                if (!isnan(mine))
                    list[n++] = mine;
                if (!isnan(mine) && !isnan(other))
                    gap[n_gap++] = mine - other;
            }
            mean[s * b->n_values + v] = bounds_of(list, n);
            differ[s * b->n_values + v] = bounds_of(gap, n_gap);
        }
done:
    free(list);
    free(gap);
    return r;
}

int
pz_bootstrap_run(const struct pz_bootstrap *b, struct pz_bounds *mean,
                 struct pz_bounds *differ, struct pz_err *err)
{
    struct boot x = {.b = b, .n_draws = b->draws ? b->draws : DRAWS};
    int threads = pz_threads(b->threads);
    size_t n;
    if (!pz_size_mul(b->n_systems * b->n_values, x.n_draws, &n))
        return pz_err_nomem(err, "intervals", SIZE_MAX);
    int r;
    if ((r = pz_new(&x.drawn, n, sizeof *x.drawn, "intervals", err)) ||
        (r = pz_new(&x.times, (size_t)threads, sizeof *x.times, "intervals", err)) ||
        (r = pz_new(&x.scratch, (size_t)threads, sizeof *x.scratch, "intervals", err)))
        goto done;
    for (int t = 0; t < threads && r == PZ_OK; t++)
        if ((r = pz_new(&x.times[t], b->n_users, sizeof **x.times, "intervals", err)) ==
            PZ_OK)
            r = pz_new(&x.scratch[t], 2 * b->n_values, sizeof **x.scratch, "intervals",
                       err);
    if (r == PZ_OK && (r = pz_par(threads, x.n_draws, draw, &x, err)) == PZ_OK)
        r = collect(&x, mean, differ, err);
done:
    for (int t = 0; t < threads; t++) {
        if (x.times)
            free(x.times[t]);
        if (x.scratch)
            free(x.scratch[t]);
    }
    free(x.drawn);
    free(x.times);
    free(x.scratch);
    return r;
}
