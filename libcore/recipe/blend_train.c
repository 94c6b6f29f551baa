#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/order.h"
#include "base/par.h"
#include "base/rng.h"
#include "math/kernels.h"
#include "recipe/blend_fit.h"
#include "recipe/blend_mix.h"
#include "recipe/events.h"

enum {
    MAX_THREADS = 256,
    HELD = 4000, // users whose last event is held out, at most
    NEAR = 100,  // of each part's best items that compete with the held-out one
    LIST = 25,   // places that count
    TEMPERATURES = 65,
};
static const double LEAST_RATE = 0.02, MOST_RATE = 50;

static const char what[] = "held-out events";

struct validation {
    const struct pz_train *t;
    const struct pz_blend_config *c;
    struct pz_events inner;
    struct pz_builder *builder;
    struct pz_model model;
    struct pz_mix mix;
    struct pz_trial *trial;
    uint64_t *held; // which event of the user a trial holds out
    size_t n;
    double share[PZ_REPEAT_CELLS];
    double *loss; // n x TEMPERATURES
    struct pz_mix_work *work[MAX_THREADS];
    uint64_t *key[MAX_THREADS];
    uint32_t *found[MAX_THREADS];
    int threads;
};

/* ---- holding out ---- */

/* Which event of a user is held out: the last, or one whose item is drawn, whatever place
 * it has. */
static uint64_t
held_of(const struct validation *v, uint32_t u)
{
    const struct pz_events *e = v->t->events;
    uint64_t from = e->offsets[u], n = e->offsets[u + 1] - from, held = n - 1;
    uint64_t key = pz_mix64(v->t->seed + 3) ^ u, least = UINT64_MAX;
    for (uint64_t k = 0; k < n && v->c->any; k++) {
        uint64_t draw = pz_mix64(pz_mix64(key) ^ e->item[from + k]);
        if (draw < least) {
            least = draw;
            held = k;
        }
    }
    return held;
}

static int
draw_users(struct validation *v, struct pz_err *err)
{
    const struct pz_events *e = v->t->events;
    size_t eligible = 0;
    int status = pz_new(&v->trial, HELD, sizeof *v->trial, what, err);
    if (!status)
        status = pz_new(&v->held, HELD, sizeof *v->held, what, err);
    for (uint32_t u = 0; u < e->n_users; u++)
        eligible += e->offsets[u + 1] - e->offsets[u] >= 2;
    for (uint32_t u = 0; u < e->n_users && !status && v->n < HELD; u++) {
        if (e->offsets[u + 1] - e->offsets[u] < 2)
            continue;
        double draw = pz_unit(pz_mix64(pz_mix64(v->t->seed + 2) ^ u));
        // Somebody must stay whole where there are only a few.
        if (draw * (double)eligible >= HELD || (v->n + 1 == eligible && eligible > 1))
            continue;
        uint64_t held = held_of(v, u);
        v->held[v->n] = held;
        v->trial[v->n++] =
            (struct pz_trial){.user = u, .target = e->item[e->offsets[u] + held]};
    }
    return status;
}

/* n events of e from `from` on, behind those of `in`. */
static void
copy_events(struct pz_events *in, const struct pz_events *e, uint64_t from, uint64_t n)
{
    memcpy(in->item + in->n, e->item + from, n * sizeof *in->item);
    if (e->time)
        memcpy(in->time + in->n, e->time + from, n * sizeof *in->time);
    if (e->weight)
        memcpy(in->weight + in->n, e->weight + from, n * sizeof *in->weight);
    in->n += n;
}

static int
hold_out(struct validation *v, struct pz_err *err)
{
    const struct pz_events *e = v->t->events;
    struct pz_events *in = &v->inner;
    *in = (struct pz_events){
        .n_users = e->n_users, .n_items = e->n_items, .hidden = e->hidden};
    if (pz_new(&in->offsets, (size_t)e->n_users + 1, sizeof *in->offsets, what, err) ||
        pz_new(&in->item, e->n, sizeof *in->item, what, err) ||
        pz_new(&in->time, e->n, sizeof *in->time, what, err) ||
        (e->weight && pz_new(&in->weight, e->n, sizeof *in->weight, what, err)))
        return err->status;
    size_t at = 0;
    for (uint32_t u = 0; u < e->n_users; u++) {
        uint64_t from = e->offsets[u], n = e->offsets[u + 1] - from, held = n;
        if (at < v->n && v->trial[at].user == u)
            held = v->held[at++];
        copy_events(in, e, from, held);
        if (held < n)
            copy_events(in, e, from + held + 1, n - held - 1);
        in->offsets[u + 1] = in->n;
    }
    return PZ_OK;
}

static bool
learns(const struct pz_part *part, const struct pz_train *t)
{
    return !part->learns || part->learns(t);
}

/* Without the held-out events, is there something to learn for a part that stays? */
static bool
is_testable(const struct validation *v)
{
    struct pz_train t = *v->t;
    bool all = true;
    t.events = &v->inner;
    for (size_t p = 0; p < v->c->n_parts; p++)
        all &= learns(v->c->part[p], &t);
    return all || (!v->c->weight && v->c->n_parts > 1);
}

/* The parts that the budget allows, trained on what is left. */
static int
train_parts(struct validation *v, struct pz_err *err)
{
    struct pz_tensors view;
    struct pz_train t = *v->t;
    double spent = 0, least = INFINITY;
    size_t cheapest = 0;
    int status = pz_builder_new(&v->builder, err);
    t.whole = v->t->events;
    t.events = &v->inner;
    t.model = v->builder;
    for (size_t p = 0; p < v->c->n_parts; p++) {
        double cost = v->c->part[p]->cost(v->t);
        if (v->c->part[p]->impersonal || !(cost < least) || !learns(v->c->part[p], &t))
            continue;
        cheapest = p;
        least = cost;
    }
    for (size_t p = 0; p < v->c->n_parts && !status; p++) {
        const struct pz_part *part = v->c->part[p];
        double cost = part->cost(v->t);
        if (!v->c->weight && spent + 2 * cost > v->c->budget && p != cheapest) {
            if (isfinite(cost))
                pz_log(PZ_LOG_NOTE, "%s: not tried, it would take about %.0f s of %.0f",
                       part->name, 2 * cost, v->c->budget);
            else
                pz_log(PZ_LOG_NOTE, "%s: not tried, it is not for so many or so few",
                       part->name);
            continue;
        }
        if (!learns(part, &t)) {
            pz_log(PZ_LOG_NOTE,
                   "%s: not tried, the events that are not held out do not "
                   "suffice",
                   part->name);
            continue;
        }
        spent += 2 * cost;
        pz_log(PZ_LOG_DEBUG, "trying %s", part->name);
        status = part->train(&t, err);
        v->mix.part[v->mix.n++] = part;
    }
    if (!status && v->c->cold > 0)
        status = pz_cold_train(&t, v->c->cold, err);
    if (status || (status = pz_builder_view(v->builder, &view, err)))
        return status;
    v->model = (struct pz_model){
        .file = view, .n_users = v->inner.n_users, .n_items = v->inner.n_items};
    return pz_mix_open(&v->mix, &v->model, err);
}

static struct pz_query
question(const struct validation *v, uint32_t u)
{
    const struct pz_events *in = &v->inner;
    uint64_t from = in->offsets[u];
    return (struct pz_query){.user = PZ_NO_ID,
                             .item = PZ_NO_ID,
                             .history = in->item + from,
                             .weight = in->weight ? in->weight + from : NULL,
                             .n_history = (size_t)(in->offsets[u + 1] - from)};
}

/* ---- rivals ---- */

/* The rivals of a trial, distinct and ascending: the n of `found`, what stands in the
 * history, and the target. */
static size_t
gather(const struct pz_trial *t, const struct pz_repeats *r, uint32_t *found, size_t n)
{
    found[n++] = t->target;
    for (size_t h = 0; h < r->n; h++)
        found[n++] = r->item[h];
    return pz_distinct_u32(found, n);
}

static size_t
place_in(const uint32_t *list, size_t n, uint32_t item)
{
    const uint32_t *at = bsearch(&item, list, n, sizeof *list, pz_order_u32);
    return (size_t)(at - list);
}

/* Rivals of a batch of trials, and all parts' scores of them. */
static int
trial_task(void *ctx, size_t task, int thread, struct pz_err *err)
{
    struct validation *v = ctx;
    struct pz_mix_work *w = v->work[thread];
    size_t first = task * PZ_MIX_BATCH, n = v->n - first, parts = v->mix.n;
    struct pz_query q[PZ_MIX_BATCH];
    uint32_t *list = v->found[thread];
    size_t room = parts * NEAR + 1 + PZ_REPEAT_EVENTS, len[PZ_MIX_BATCH] = {0};
    n = n < PZ_MIX_BATCH ? n : PZ_MIX_BATCH;
    for (size_t i = 0; i < n; i++)
        q[i] = question(v, v->trial[first + i].user);
    for (int pass = 0; pass < 2; pass++) { // finds the rivals, then takes their scores
        for (size_t p = 0; p < parts; p++) {
            double sd[PZ_MIX_BATCH];
            if (pz_mix_part(w, p, q, n, sd, err))
                return err->status;
            for (size_t i = 0; i < n; i++) {
                struct pz_trial *t = &v->trial[first + i];
                uint32_t *found = list + i * room;
                float *row = w->row + i * w->stride;
                for (size_t x = v->mix.n_items; !pass && x < w->stride; x++)
                    row[x] = -INFINITY;
                t->known = t->known || sd[i] > 0;
                if (!pass && sd[i] > 0)
                    len[i] += pz_mix_pick(row, v->mix.n_items, NULL, NEAR, v->key[thread],
                                          found + len[i], NULL);
                for (size_t k = 0; pass && sd[i] > 0 && k < t->n; k++)
                    t->value[k * parts + p] = (float)((double)row[found[k]] / sd[i]);
            }
        }
        for (size_t i = 0; !pass && i < n; i++) {
            struct pz_trial *t = &v->trial[first + i];
            struct pz_repeats *r = &w->repeats;
            if (pz_repeats_take(r, q[i].history, q[i].n_history, err))
                return err->status;
            t->n = gather(t, r, list + i * room, len[i]);
            if (pz_new(&t->value, t->n * parts, sizeof *t->value, what, err) ||
                pz_new(&t->cell, t->n, sizeof *t->cell, what, err))
                return err->status;
            memset(t->cell, 0xff, t->n * sizeof *t->cell);
            for (size_t h = 0; h < r->n; h++)
                t->cell[place_in(list + i * room, t->n, r->item[h])] = r->cell[h];
            t->own = place_in(list + i * room, t->n, t->target);
        }
    }
    return PZ_OK;
}

/* ---- the temperature ---- */

static double
rate_of(int k)
{
    return LEAST_RATE * pow(MOST_RATE / LEAST_RATE, (double)k / (TEMPERATURES - 1));
}

/* -log probability of the held-out events of a batch at each temperature. */
static int
loss_task(void *ctx, size_t task, int thread, struct pz_err *err)
{
    struct validation *v = ctx;
    struct pz_mix_work *w = v->work[thread];
    const struct pz_kernels *k = pz_kernels();
    size_t first = task * PZ_MIX_BATCH, n = v->n - first, m = PZ_PAD(v->mix.n_items);
    struct pz_query q[PZ_MIX_BATCH];
    n = n < PZ_MIX_BATCH ? n : PZ_MIX_BATCH;
    for (size_t i = 0; i < n; i++)
        q[i] = question(v, v->trial[first + i].user);
    if (pz_mix_score(w, q, n, err))
        return err->status;
    for (size_t i = 0; i < n; i++) {
        const float *score = w->score + i * w->stride;
        float top = k->greatest(score, m), own = score[v->trial[first + i].target];
        for (int x = 0; x < TEMPERATURES && w->known[i]; x++) {
            double rate = rate_of(x);
            v->loss[(first + i) * TEMPERATURES + x] =
                log((double)k->sum_exp(score, m, top, (float)rate)) +
                rate * ((double)top - (double)own);
        }
    }
    return PZ_OK;
}

static int
fit_temperature(struct validation *v, double *temperature, struct pz_err *err)
{
    bool known = false; // of any of them
    *temperature = 1;
    for (size_t i = 0; i < v->n; i++)
        known |= v->trial[i].known;
    if (!known)
        return PZ_OK;
    int status = pz_new(&v->loss, v->n * TEMPERATURES, sizeof *v->loss, what, err);
    size_t tasks = (v->n + PZ_MIX_BATCH - 1) / PZ_MIX_BATCH;
    if (!status)
        status = pz_par(v->threads, tasks, loss_task, v, err);
    double best = INFINITY;
    for (int x = 0; x < TEMPERATURES && !status; x++) {
        double sum = 0;
        for (size_t i = 0; i < v->n; i++)
            sum += v->loss[i * TEMPERATURES + (size_t)x];
        if (sum < best) {
            best = sum;
            *temperature = 1 / rate_of(x);
        }
    }
    return status;
}

/* ---- all of it ---- */

static int
work_init(struct validation *v, struct pz_err *err)
{
    size_t room = v->mix.n * NEAR + 1 + PZ_REPEAT_EVENTS;
    int status = PZ_OK;
    for (int i = 0; i < v->threads && !status; i++) {
        status = pz_mix_work_new(&v->work[i], &v->mix, err);
        if (!status)
            status =
                pz_new(&v->key[i], 2 * NEAR + PZ_MIX_SLACK, sizeof(uint64_t), what, err);
        if (!status)
            status =
                pz_new(&v->found[i], room * PZ_MIX_BATCH, sizeof(uint32_t), what, err);
    }
    return status;
}

static void
validation_release(struct validation *v)
{
    for (int i = 0; i < v->threads; i++) {
        pz_mix_work_free(v->work[i]);
        free(v->key[i]);
        free(v->found[i]);
    }
    for (size_t i = 0; i < v->n; i++) {
        free(v->trial[i].value);
        free(v->trial[i].cell);
    }
    free(v->trial);
    free(v->held);
    free(v->loss);
    pz_mix_close(&v->mix);
    pz_tensors_close(&v->model.file);
    pz_builder_free(v->builder);
    v->inner.hidden = NULL;
    pz_events_release(&v->inner);
}

static void
put_number(struct pz_builder *b, const char *key, const char *name, double value)
{
    char whole[64];
    snprintf(whole, sizeof whole, "%s%s", key, name);
    pz_builder_meta_f64(b, whole, value);
}

struct found {
    const struct pz_part *part[PZ_BLEND_PARTS];
    double alone[PZ_BLEND_PARTS];
    struct pz_fit fit;
    size_t n, n_trials;
    bool given; // the weights
    double best, temperature;
};

/* What was found, as metadata and messages. */
static void
report(struct pz_builder *b, const struct found *found)
{
    char list[256] = "";
    size_t len = 0;
    for (size_t p = 0; p < found->n; p++) {
        const char *name = found->part[p]->name;
        double weight = found->fit.weight[p];
        if (found->n_trials)
            put_number(b, "train.validation.", name, found->alone[p]);
        pz_log(PZ_LOG_NOTE, "%s alone: NDCG@25 %.4f, weight %.2f", name, found->alone[p],
               weight);
        if (weight == 0)
            continue;
        put_number(b, "train.weight.", name, weight);
        len +=
            (size_t)snprintf(list + len, sizeof list - len, "%s%s", len ? "," : "", name);
    }
    pz_builder_meta(b, "train.parts", list);
    pz_builder_meta(b, "train.weights", found->given ? "given" : "found");
    pz_builder_meta_f64(b, "train.temperature", found->temperature);
    pz_builder_metaf(b, "train.validation.events", "%zu", found->n_trials);
    if (found->n_trials)
        pz_builder_meta_f64(b, "train.validation", found->best);
    pz_log(PZ_LOG_NOTE, "%s: NDCG@25 %.4f of %zu held-out events", list, found->best,
           found->n_trials);
}

static int
put_repeat(const struct validation *v, struct pz_err *err)
{
    float *table;
    int status = pz_new(&table, PZ_REPEAT_CELLS, sizeof *table, "a table", err);
    if (status)
        return status;
    memcpy(table, v->mix.repeat, PZ_REPEAT_CELLS * sizeof *table);
    pz_builder_take1(v->t->model, "repeat", PZ_F32, PZ_REPEAT_CELLS, table);
    return PZ_OK;
}

/* Whether there is nothing that held-out events would tell. */
static bool
is_settled(const struct pz_blend_config *c)
{
    return (c->weight || c->n_parts == 1) && !c->repeats && c->temperature > 0;
}

static void
settle(struct validation *v, struct pz_fit *f)
{
    v->mix.n = v->c->n_parts;
    for (size_t p = 0; p < v->mix.n; p++) {
        v->mix.part[p] = v->c->part[p];
        f->weight[p] = v->c->weight ? v->c->weight[p] : 1;
    }
}

static int
validate(struct validation *v, struct pz_fit *f, double *alone, double *best,
         double *temperature, struct pz_err *err)
{
    int status = draw_users(v, err);
    if (!status)
        status = hold_out(v, err);
    if (!status && !is_testable(v)) {
        v->n = 0;
        *temperature = v->c->temperature > 0 ? v->c->temperature : 1;
        settle(v, f);
        return PZ_OK;
    }
    if (!status)
        status = train_parts(v, err);
    if (!status)
        status = pz_repeat_learn(v->share, &v->inner, err);
    if (!status)
        status = work_init(v, err);
    size_t tasks = (v->n + PZ_MIX_BATCH - 1) / PZ_MIX_BATCH;
    if (!status)
        status = pz_par(v->threads, tasks, trial_task, v, err);
    if (status)
        return status;
    double raise[PZ_REPEAT_CELLS];
    struct pz_trials trials = {.trial = v->trial,
                               .n = v->n,
                               .n_parts = v->mix.n,
                               .share = v->share,
                               .repeats = v->c->repeats,
                               .threads = v->threads};
    if (v->c->weight) {
        memcpy(f->weight, v->c->weight, v->mix.n * sizeof *f->weight);
        pz_fit_given(&trials, f, alone, best);
    } else if ((status = pz_fit_search(&trials, f, alone, best, err)) != PZ_OK) {
        return status;
    }
    pz_fit_raise(&trials, f, raise);
    for (int c = 0; c < PZ_REPEAT_CELLS; c++)
        v->mix.repeat[c] = (float)raise[c];
    memcpy(v->mix.weight, f->weight, sizeof v->mix.weight);
    return v->c->temperature > 0 ? PZ_OK : fit_temperature(v, temperature, err);
}

int
pz_blend_train(const struct pz_train *t, const struct pz_blend_config *c,
               struct pz_err *err)
{
    struct validation *v = NULL;
    struct pz_fit f = {.slope = 0};
    double alone[PZ_BLEND_PARTS] = {0}, best = 0, temperature = c->temperature;
    int status = pz_new(&v, 1, sizeof *v, what, err);
    if (status)
        return status;
    v->t = t;
    v->c = c;
    v->threads = pz_threads(t->threads);
    if (is_settled(c))
        settle(v, &f);
    else
        status = validate(v, &f, alone, &best, &temperature, err);
    if (!status)
        status = put_repeat(v, err);
    struct found found = {.fit = f,
                          .n_trials = v->n,
                          .n = v->mix.n,
                          .given = c->weight != NULL,
                          .best = best,
                          .temperature = temperature};
    memcpy(found.part, v->mix.part, sizeof found.part);
    memcpy(found.alone, alone, sizeof found.alone);
    validation_release(v); // before the whole is trained: both are large
    free(v);
    for (size_t p = 0; p < found.n && !status; p++)
        if (f.weight[p] != 0)
            status = found.part[p]->train(t, err);
    if (!status && c->cold > 0)
        status = pz_cold_train(t, c->cold, err);
    if (!status)
        report(t->model, &found); // over what parts say of themselves when alone
    return status;
}
