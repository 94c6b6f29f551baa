#include "eval/compare.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "eval/protocol.h"

static int
make_splits(struct pz_compared *o, const struct pz_compare *c, struct pz_err *err)
{
    int r = pz_new(&o->split, c->draws, sizeof *o->split, "splits", err);
    while (r == PZ_OK && o->n_draws < c->draws) {
        struct pz_split_spec spec = c->spec;
        struct pz_split *s = &o->split[o->n_draws];
        spec.seed = c->seed + o->n_draws;
        if ((r = pz_split_make(s, c->events, c->world, &spec, err)) != PZ_OK)
            break;
        o->n_draws++;
        o->n_cases += s->n_cases;
        if (s->strangers)
            pz_log(PZ_LOG_WARN,
                   "'%s': %llu rows have a user or an item that the data does not have, "
                   "and are left out",
                   spec.file, (unsigned long long)s->strangers);
    }
    return r;
}

static int
make_room(struct pz_compared *o, const struct pz_compare *c, struct pz_err *err)
{
    size_t n = c->entries->n;
    o->n_entries = n;
    o->n_values = PZ_N_USER_MEASURES * c->at->n;
    o->n_columns = PZ_N_MEASURES * c->at->n;
    if (pz_new(&o->answer, n, sizeof *o->answer, "answers", err) ||
        pz_new(&o->value, n, sizeof *o->value, "metrics", err) ||
        pz_new(&o->mean, n * o->n_columns, sizeof *o->mean, "metrics", err) ||
        pz_new(&o->sd, n * o->n_columns, sizeof *o->sd, "metrics", err) ||
        pz_new(&o->interval, n * o->n_values, sizeof *o->interval, "metrics", err) ||
        pz_new(&o->differ, n * o->n_values, sizeof *o->differ, "metrics", err) ||
        pz_new(&o->train_seconds, n, sizeof *o->train_seconds, "metrics", err) ||
        pz_new(&o->ask_seconds, n, sizeof *o->ask_seconds, "metrics", err))
        return err->status;
    for (size_t i = 0; i < n; i++)
        if (pz_new(&o->answer[i], o->n_draws, sizeof **o->answer, "answers", err) ||
            pz_new(&o->value[i], o->n_cases * o->n_values, sizeof **o->value, "metrics",
                   err))
            return err->status;
    return PZ_OK;
}

/* Entry i learns from draw d and answers it; values of its cases from row `first`. */
static int
sit(struct pz_compared *o, const struct pz_compare *c, const struct pz_crowd *crowd,
    size_t i, size_t d, size_t first, struct pz_err *err)
{
    const struct pz_entry *e = &c->entries->entry[i];
    const struct pz_split *s = &o->split[d];
    struct pz_train learn = {.events = &s->train,
                             .params = &e->params,
                             .world = c->world,
                             .seed = c->seed + d,
                             .threads = c->threads};
    struct pz_trained m;
    double start = pz_seconds_wall(), cpu = pz_seconds_cpu();
    int r = pz_trained_open(&m, e->recipe, &learn, err);
    if (r)
        return pz_err_prefix(err, "%s: ", e->label);
    double learned = pz_seconds_wall(), learned_cpu = pz_seconds_cpu();
    r = pz_exam(&o->answer[i][d], &m.model, s, c->at->most, c->threads, err);
    double asked = pz_seconds_wall(), asked_cpu = pz_seconds_cpu();
    pz_trained_close(&m);
    if (r)
        return pz_err_prefix(err, "%s: ", e->label);
    o->train_seconds[i] += learned - start;
    o->ask_seconds[i] += asked - learned;
    pz_log(PZ_LOG_NOTE,
           "%s: draw %zu: trained in %.2f s (CPU %.2f s), asked %u times in %.2f s (CPU "
           "%.2f s)",
           e->label, d, learned - start, learned_cpu - cpu, s->n_cases, asked - learned,
           asked_cpu - learned_cpu);
    return pz_values(o->value[i] + first * o->n_values, o->n_values, &o->answer[i][d], s,
                     c->at, crowd, c->threads, err);
}

/* Adds the means of one draw to the sums, and their squares. */
static int
add_draw(struct pz_compared *o, const struct pz_compare *c, size_t i, size_t d,
         size_t first, double *square, struct pz_err *err)
{
    double spread[2 * PZ_MAX_AT];
    int r = pz_spread(spread, &o->answer[i][d], c->at, (uint32_t)c->world->item.n, err);
    for (size_t v = 0; r == PZ_OK && v < o->n_columns; v++) {
        double x = v < o->n_values ? pz_mean_of(o->value[i] + first * o->n_values,
                                                o->split[d].n_cases, o->n_values, v)
                                   : spread[v - o->n_values];
        o->mean[i * o->n_columns + v] += x;
        square[i * o->n_columns + v] += x * x;
    }
    return r;
}

static void
finish_means(struct pz_compared *o, const double *square)
{
    double n = (double)o->n_draws;
    for (size_t k = 0; k < o->n_entries * o->n_columns; k++) {
        o->mean[k] /= n;
        double rest = square[k] - n * o->mean[k] * o->mean[k];
        o->sd[k] = o->n_draws > 1 ? sqrt((rest > 0 ? rest : 0) / (n - 1)) : NAN;
    }
}

static int
sit_all(struct pz_compared *o, const struct pz_compare *c, struct pz_err *err)
{
    double *square;
    size_t first = 0;
    int r = pz_new(&square, o->n_entries * o->n_columns, sizeof *square, "metrics", err);
    for (size_t d = 0; r == PZ_OK && d < o->n_draws; d++) {
        struct pz_crowd crowd;
        if ((r = pz_crowd_make(&crowd, &o->split[d].train, err)) != PZ_OK)
            break;
        for (size_t i = 0; r == PZ_OK && i < o->n_entries; i++)
            if ((r = sit(o, c, &crowd, i, d, first, err)) == PZ_OK)
                r = add_draw(o, c, i, d, first, square, err);
        pz_crowd_release(&crowd);
        first += o->split[d].n_cases;
    }
    if (r == PZ_OK)
        finish_means(o, square);
    free(square);
    return r;
}

int
pz_compare_run(struct pz_compared *out, const struct pz_compare *c, struct pz_err *err)
{
    *out = (struct pz_compared){NULL};
    int r = make_splits(out, c, err);
    if (r == PZ_OK && (r = make_room(out, c, err)) == PZ_OK &&
        (r = sit_all(out, c, err)) == PZ_OK) {
        struct pz_bootstrap b = {.value = (const double *const *)out->value,
                                 .n_systems = out->n_entries,
                                 .n_values = out->n_values,
                                 .n_users = out->n_cases,
                                 .base = c->base,
                                 .seed = c->seed,
                                 .threads = c->threads};
        r = pz_bootstrap_run(&b, out->interval, out->differ, err);
    }
    if (r)
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
    free(o->interval);
    free(o->differ);
    free(o->train_seconds);
    free(o->ask_seconds);
    *o = (struct pz_compared){NULL};
}
