#include "eval/protocol.h"

#include <stdlib.h>

#include "base/mem.h"
#include "eval/bootstrap.h"
#include "eval/exam.h"
#include "recipe/objective.h"

/* The means of the values, in the order of the users. */
static int
summarize(const struct pz_answers *a, const struct pz_split *s, const struct pz_at *at,
          uint32_t n_items, int threads, struct pz_metrics *out, struct pz_err *err)
{
    double *value, spread[2 * PZ_MAX_AT];
    size_t stride = PZ_N_USER_MEASURES * at->n;
    int r = pz_new(&value, s->n_cases * stride, sizeof *value, "metrics", err);
    if (r)
        return r;
    if ((r = pz_values(value, stride, a, s, at, NULL, threads, err)) ||
        (r = pz_spread(spread, a, at, n_items, err)))
        goto done;
    out->n_users = s->n_cases;
    for (int m = 0; m < PZ_N_METRICS; m++) {
        uint32_t k;
        size_t i = 0;
        enum pz_measure what = pz_metric_measure((enum pz_metric)m, &k);
        if (what == PZ_N_MEASURES)
            continue;
        while (at->k[i] != k)
            i++;
        if (what == PZ_M_COVERAGE) {
            out->value[m] = spread[i];
            continue;
        }
        out->value[m] = pz_mean_of(value, s->n_cases, stride, what * at->n + i);
    }
done:
    free(value);
    return r;
}

int
pz_eval_split(const struct pz_eval *e, const struct pz_split *split,
              const struct pz_events *train, struct pz_metrics *out, struct pz_err *err)
{
    static const uint32_t k[] = {5, 10, 25};
    struct pz_trained trained = {0};
    struct pz_answers answers = {.n_cases = 0};
    struct pz_at at;
    struct pz_train learn = {.events = train,
                             .params = e->params,
                             .world = e->world,
                             .seed = e->seed,
                             .threads = e->threads};
    if (e->objective && pz_objective_fits(e->recipe))
        learn.objective = e->objective;
    *out = pz_metrics_none();
    int r = pz_at_init(&at, k, 3, err);
    if (r == PZ_OK && (r = pz_trained_open(&trained, e->recipe, &learn, err)) == PZ_OK &&
        (r = pz_exam(&answers, &trained.model, split, at.most, e->threads, err)) == PZ_OK)
        r = summarize(&answers, split, &at, trained.model.n_items, e->threads, out, err);
    pz_answers_release(&answers);
    pz_trained_close(&trained);
    pz_at_release(&at);
    return r;
}

int
pz_eval_aws(const struct pz_eval *e, struct pz_metrics *out, struct pz_err *err)
{
    struct pz_split_spec spec = {.protocol = PZ_AWS,
                                 .seed = e->seed,
                                 .reward = e->objective ? e->objective->value : NULL};
    struct pz_split split;
    *out = pz_metrics_none();
    int r = pz_split_make(&split, e->events, e->world, &spec, err);
    if (r == PZ_DATA) { // too few users
        *err = (struct pz_err)PZ_ERR_INIT;
        return PZ_OK;
    }
    if (r == PZ_OK)
        r = pz_eval_split(e, &split, &split.train, out, err);
    pz_split_release(&split);
    return r;
}
