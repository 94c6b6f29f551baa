#include "eval/compare.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "eval/protocol.h"
#include "recipe/objective.h"

static int
make_splits(struct pz_compared *o, const struct pz_compare *c, struct pz_err *err)
{
    int r = pz_new(&o->split, c->draws, sizeof *o->split, "splits", err);
    while (r == PZ_OK && o->n_draws < c->draws) {
        struct pz_split_spec spec = c->spec;
        struct pz_split *s = &o->split[o->n_draws];
        spec.seed = c->seed + o->n_draws;
        spec.reward = c->objective ? c->objective->value : NULL;
        if ((r = pz_split_make(s, c->events, c->world, &spec, err)) != PZ_OK)
            break;
        o->n_draws++;
        o->n_cases += s->n_cases;
        if (s->strangers)
            pz_log(PZ_LOG_WARN,
                   "'%s': %" PRIu64 " rows have a user or an item that the data does not "
                   "have, and are left out",
                   spec.file, s->strangers);
    }
    return r;
}

int
pz_compared_room(struct pz_compared *o, size_t n_entries, const struct pz_at *at,
                 struct pz_err *err)
{
    size_t n = o->n_entries = n_entries;
    o->n_values = PZ_N_USER_MEASURES * at->n;
    o->n_columns = PZ_N_MEASURES * at->n;
    size_t n_spread = n * o->n_draws * (o->n_columns - o->n_values);
    if (pz_new(&o->answer, n, sizeof *o->answer, "answers", err) ||
        pz_new(&o->value, n, sizeof *o->value, "metrics", err) ||
        pz_new(&o->mean, n * o->n_columns, sizeof *o->mean, "metrics", err) ||
        pz_new(&o->sd, n * o->n_columns, sizeof *o->sd, "metrics", err) ||
        pz_new(&o->spread, n_spread, sizeof *o->spread, "metrics", err) ||
        pz_new(&o->interval, n * o->n_values, sizeof *o->interval, "metrics", err) ||
        pz_new(&o->differ, n * o->n_values, sizeof *o->differ, "metrics", err) ||
        pz_new(&o->train_seconds, n, sizeof *o->train_seconds, "metrics", err) ||
        pz_new(&o->ask_seconds, n, sizeof *o->ask_seconds, "metrics", err))
        return err->status;
    for (size_t i = 0; i < n_spread; i++)
        o->spread[i] = NAN;
    for (size_t i = 0; i < n; i++)
        if (pz_new(&o->answer[i], o->n_draws, sizeof **o->answer, "answers", err) ||
            pz_new(&o->value[i], o->n_cases * o->n_values, sizeof **o->value, "metrics",
                   err))
            return err->status;
    return PZ_OK;
}

/* Where the coverage and Gini of entry i on draw d are. */
static double *
spread_of(const struct pz_compared *o, size_t i, size_t d)
{
    return o->spread + (i * o->n_draws + d) * (o->n_columns - o->n_values);
}

/* Asks entry i the questions of draw d; the values of its cases from row `first`. */
static int
ask(struct pz_compared *o, const struct pz_compare *c, const struct pz_model *m,
    const struct pz_crowd *crowd, size_t i, size_t d, size_t first, struct pz_err *err)
{
    const struct pz_split *s = &o->split[d];
    struct pz_answers *a = &o->answer[i][d];
    double start = pz_seconds_wall(), cpu = pz_seconds_cpu();
    int r = pz_exam(a, m, s, c->at->most, c->threads, err);
    if (r)
        return r;
    o->ask_seconds[i] += pz_seconds_wall() - start;
    pz_log(PZ_LOG_NOTE, "%s: asked %" PRIu32 " times in %.2f s (CPU %.2f s)",
           c->entries->entry[i].label, s->n_cases, pz_seconds_wall() - start,
           pz_seconds_cpu() - cpu);
    r = pz_values(o->value[i] + first * o->n_values, o->n_values, a, s, c->at, crowd,
                  c->threads, err);
    return r ? r
             : pz_spread(spread_of(o, i, d), a, c->at, (uint32_t)c->world->item.n, err);
}

/* Entry i learns from draw d, if it has not learned yet, and is asked. */
static int
sit(struct pz_compared *o, const struct pz_compare *c, const struct pz_crowd *crowd,
    size_t i, size_t d, size_t first, struct pz_err *err)
{
    const struct pz_entry *e = &c->entries->entry[i];
    struct pz_train learn = {.events = &o->split[d].train,
                             .params = &e->params,
                             .world = c->world,
                             .seed = c->seed + d,
                             .threads = c->threads};
    if (c->objective && pz_objective_fits(e->recipe))
        learn.objective = c->objective;
    struct pz_trained m;
    double start = pz_seconds_wall(), cpu = pz_seconds_cpu();
    if (e->model && learn.events->n < c->events->n)
        return pz_err_set(err, PZ_USAGE,
                          "'%s' has learned what protocol %s would ask about; a model "
                          "can be asked what a file holds that it has not learned "
                          "(protocols split and ncf)",
                          e->label, pz_protocol_name(c->spec.protocol));
    if (e->model)
        return ask(o, c, e->model, crowd, i, d, first, err);
    int r = pz_trained_open(&m, e->recipe, &learn, err);
    if (r)
        return pz_err_prefix(err, "%s: ", e->label);
    o->train_seconds[i] += pz_seconds_wall() - start;
    pz_log(PZ_LOG_NOTE, "%s: trained in %.2f s (CPU %.2f s)", e->label,
           pz_seconds_wall() - start, pz_seconds_cpu() - cpu);
    if ((r = ask(o, c, &m.model, crowd, i, d, first, err)) != PZ_OK)
        pz_err_prefix(err, "%s: ", e->label);
    pz_trained_close(&m);
    return r;
}

static int
sit_all(struct pz_compared *o, const struct pz_compare *c, struct pz_err *err)
{
    size_t first = 0;
    int r = PZ_OK;
    for (size_t d = 0; r == PZ_OK && d < o->n_draws; d++) {
        struct pz_crowd crowd;
        if ((r = pz_crowd_make(&crowd, &o->split[d].train, err)) != PZ_OK)
            break;
        for (size_t i = 0; r == PZ_OK && i < o->n_entries; i++)
            r = sit(o, c, &crowd, i, d, first, err);
        pz_crowd_release(&crowd);
        first += o->split[d].n_cases;
    }
    return r;
}

/* Mean over draws, and deviation between them, of the means over the users of each. */
static void
take_means(struct pz_compared *o, size_t i)
{
    for (size_t v = 0; v < o->n_columns; v++) {
        double sum = 0, square = 0, n = (double)o->n_draws;
        size_t first = 0;
        for (size_t d = 0; d < o->n_draws; first += o->split[d++].n_cases) {
            double x = v < o->n_values ? pz_mean_of(o->value[i] + first * o->n_values,
                                                    o->split[d].n_cases, o->n_values, v)
                                       : spread_of(o, i, d)[v - o->n_values];
            sum += x;
            square += x * x;
        }
        double rest = square - sum * sum / n;
        o->mean[i * o->n_columns + v] = sum / n;
        o->sd[i * o->n_columns + v] =
            o->n_draws > 1 ? sqrt((rest > 0 ? rest : 0) / (n - 1)) : NAN;
    }
}

int
pz_compared_finish(struct pz_compared *o, size_t base, uint64_t seed, int threads,
                   struct pz_err *err)
{
    struct pz_bootstrap b = {.value = (const double *const *)o->value,
                             .n_systems = o->n_entries,
                             .n_values = o->n_values,
                             .n_users = o->n_cases,
                             .base = base,
                             .seed = seed,
                             .threads = threads};
    for (size_t i = 0; i < o->n_entries; i++)
        take_means(o, i);
    return pz_bootstrap_run(&b, o->interval, o->differ, err);
}

int
pz_compare_run(struct pz_compared *out, const struct pz_compare *c, struct pz_err *err)
{
    *out = (struct pz_compared){0};
    int r;
    if ((r = make_splits(out, c, err)) ||
        (r = pz_compared_room(out, c->entries->n, c->at, err)) ||
        (r = sit_all(out, c, err)) ||
        (r = pz_compared_finish(out, c->base, c->seed, c->threads, err)))
        pz_compared_release(out);
    return r;
}

void
pz_compared_release(struct pz_compared *o)
{
    for (size_t i = 0; i < o->n_entries; i++) {
        for (size_t d = 0; o->answer && o->answer[i] && d < o->n_draws; d++)
            pz_answers_release(&o->answer[i][d]);
        if (o->answer)
            free(o->answer[i]);
        if (o->value)
            free(o->value[i]);
    }
    for (size_t d = 0; d < o->n_draws; d++)
        pz_split_release(&o->split[d]);
    free(o->split);
    free(o->answer);
    free(o->value);
    free(o->mean);
    free(o->sd);
    free(o->special);
    free(o->spread);
    free(o->interval);
    free(o->differ);
    free(o->train_seconds);
    free(o->ask_seconds);
    *o = (struct pz_compared){0};
}
