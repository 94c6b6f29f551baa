#include "eval/curve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "eval/protocol.h"
#include "recipe/events.h"

static const double shares[PZ_CURVE_POINTS] = {0.1, 0.2, 0.4, 0.7, 1};

/* The split with other training data: users that it lacks are not known to the model. */
static int
with_train(struct pz_split *s, struct pz_case **cases, const struct pz_split *whole,
           const struct pz_events *train, struct pz_err *err)
{
    int r = pz_new(cases, whole->n_cases, sizeof **cases, "test users", err);
    if (r)
        return r;
    memcpy(*cases, whole->cases, whole->n_cases * sizeof **cases);
    for (uint32_t i = 0; i < whole->n_cases; i++) {
        struct pz_case *c = &(*cases)[i];
        c->known &= train->offsets[c->user + 1] > train->offsets[c->user];
        c->stored &= c->known;
    }
    *s = *whole;
    s->cases = *cases;
    s->train = *train;
    return PZ_OK;
}

/* Entry e at one point, into its place. */
static int
point(struct pz_curve *v, const struct pz_compare *c, const struct pz_split *s, size_t e,
      size_t p, size_t column, struct pz_err *err)
{
    const struct pz_entry *x = &c->entries->entry[e];
    struct pz_train learn = {.events = &s->train,
                             .params = &x->params,
                             .world = c->world,
                             .seed = c->seed,
                             .threads = c->threads};
    struct pz_trained m = {0};
    struct pz_answers a = {.n_cases = 0};
    size_t n = PZ_N_USER_MEASURES * c->at->n;
    double *value = NULL, *one = NULL;
    int r = pz_trained_open(&m, x->recipe, &learn, err);
    if (r == PZ_DATA) { // too little to learn from: no point
        pz_log(PZ_LOG_NOTE, "%s: with %.0f %% of the users: %s", x->label,
               100 * shares[p], err->msg);
        v->mean[e * PZ_CURVE_POINTS + p] = NAN;
        v->interval[e * PZ_CURVE_POINTS + p] = (struct pz_bounds){NAN, NAN};
        *err = (struct pz_err)PZ_ERR_INIT;
        return PZ_OK;
    }
    if (r || (r = pz_exam(&a, &m.model, s, c->at->most, c->threads, err)) ||
        (r = pz_new(&value, s->n_cases * n, sizeof *value, "metrics", err)) ||
        (r = pz_new(&one, s->n_cases, sizeof *one, "metrics", err)) ||
        (r = pz_values(value, n, &a, s, c->at, NULL, c->threads, err)))
        goto done;
    for (uint32_t i = 0; i < s->n_cases; i++)
        one[i] = value[i * n + column];
    const double *system = one;
    struct pz_bounds gap;
    struct pz_bootstrap b = {.value = &system,
                             .n_systems = 1,
                             .n_values = 1,
                             .n_users = s->n_cases,
                             .seed = c->seed,
                             .threads = c->threads};
    v->mean[e * PZ_CURVE_POINTS + p] = pz_mean_of(one, s->n_cases, 1, 0);
    r = pz_bootstrap_run(&b, &v->interval[e * PZ_CURVE_POINTS + p], &gap, err);
done:
    free(value);
    free(one);
    pz_answers_release(&a);
    pz_trained_close(&m);
    return r;
}

static int
points(struct pz_curve *v, const struct pz_compared *o, const struct pz_compare *c,
       size_t p, size_t column, struct pz_err *err)
{
    struct pz_events train;
    struct pz_split s;
    struct pz_case *cases = NULL;
    int r = pz_events_share(&o->split[0].train, shares[p], c->seed + 77, &train, err);
    if (r)
        return r;
    r = with_train(&s, &cases, &o->split[0], &train, err);
    for (size_t e = 0; r == PZ_OK && train.n && e < v->n_entries; e++)
        r = point(v, c, &s, e, p, column, err);
    free(cases);
    pz_events_release(&train);
    return r;
}

int
pz_curve_run(struct pz_curve *v, const struct pz_compared *o, const struct pz_compare *c,
             size_t column, struct pz_err *err)
{
    size_t n = o->n_entries * PZ_CURVE_POINTS, last = PZ_CURVE_POINTS - 1;
    int r;
    *v = (struct pz_curve){.n_entries = o->n_entries};
    memcpy(v->share, shares, sizeof shares);
    if ((r = pz_new(&v->mean, n, sizeof *v->mean, "a curve", err)) ||
        (r = pz_new(&v->interval, n, sizeof *v->interval, "a curve", err)))
        goto fail;
    for (size_t p = 0; p < last; p++)
        if ((r = points(v, o, c, p, column, err)) != PZ_OK)
            goto fail;
    for (size_t e = 0; e < o->n_entries; e++) {
        v->mean[e * PZ_CURVE_POINTS + last] = o->mean[e * o->n_columns + column];
        v->interval[e * PZ_CURVE_POINTS + last] = o->interval[e * o->n_values + column];
    }
    return PZ_OK;
fail:
    pz_curve_release(v);
    return r;
}

void
pz_curve_release(struct pz_curve *v)
{
    free(v->mean);
    free(v->interval);
    *v = (struct pz_curve){.n_entries = 0};
}
