#include "eval/tune.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/par.h"
#include "base/pz.h"
#include "base/rng.h"
#include "recipe/events.h"
#include "recipe/objective.h"

enum {
    FEW_TRIALS = 6,  // that many or more start on a part of the users
    FEW_USERS = 900, // of the training, likewise
    MAX_JOURNAL = 64 << 20,
    ROUND = 4, // variations of the same best trial
};
static const double FIRST_SHARE = 1.0 / 3;
static const double RANDOM_SHARE = 0.6, PROMOTED_SHARE = 0.2; // of the trials
static const double STEP = 0.15; // of a range: standard deviation of a variation

/* ---- values ---- */

/* A number with three digits, so that what is printed is what was tried. */
static double
short_number(double x)
{
    char text[PZ_NUM_TEXT];
    double out = x;
    int n = snprintf(text, sizeof text, "%.3g", x);
    return n > 0 && pz_parse_f64(text, (size_t)n, &out) == PZ_NUM_OK ? out : x;
}

static double
at_position(const struct pz_param_def *d, const struct pz_range *r, double t)
{
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    double x = r->log ? r->min * pow(r->max / r->min, t) : r->min + (r->max - r->min) * t;
    x = d->kind == PZ_PARAM_INT ? floor(x + 0.5) : short_number(x);
    return x < r->min ? r->min : x > r->max ? r->max : x;
}

static double
position_of(const struct pz_range *r, double x)
{
    if (r->max <= r->min)
        return 0;
    x = x < r->min ? r->min : x > r->max ? r->max : x;
    return r->log ? log(x / r->min) / log(r->max / r->min)
                  : (x - r->min) / (r->max - r->min);
}

/* Random values, or with `from` variations of it. */
static void
draw(const struct pz_tune *t, struct pz_params *p, const struct pz_params *from,
     uint32_t number)
{
    struct pz_rng rng;
    pz_rng_seed(&rng, t->seed, number);
    *p = from ? *from : *t->params;
    for (size_t k = 0; k < t->ranges->n; k++) {
        const struct pz_range *r = &t->ranges->range[k];
        double u = pz_rng_unit(&rng), z = pz_rng_normal(&rng);
        double *x = &p->value[r->param];
        if (r->n_values) {
            // A variation keeps two of three.
            if (!from || fabs(z) > 1)
                *x = r->value[(size_t)(u * (double)r->n_values)];
        } else {
            *x = at_position(&t->recipe->params[r->param], r,
                             from ? position_of(r, *x) + STEP * z : u);
        }
        p->given[r->param] = true;
    }
}

/* ---- the journal ---- */

/* {"name":"value",...} of the parameters that are tuned. */
static void
tuned_json(const struct pz_ranges *r, const struct pz_params *p, struct pz_buf *out)
{
    pz_buf_addc(out, '{');
    for (size_t k = 0; k < r->n; k++) {
        const struct pz_param_def *d = &p->def[r->range[k].param];
        pz_buf_addf(out, "%s\"%s\":\"", k ? "," : "", d->name);
        pz_param_text(d, p->value[r->range[k].param], out);
        pz_buf_addc(out, '"');
    }
    pz_buf_addc(out, '}');
}

/* Without the line end. */
static void
trial_json(const struct pz_ranges *r, const struct pz_trial *t, struct pz_buf *out)
{
    pz_buf_addz(out, "{\"share\":");
    pz_json_add_f64(out, t->share);
    pz_buf_addz(out, ",\"value\":");
    pz_json_add_f64(out, t->value);
    pz_buf_addz(out, ",\"params\":");
    tuned_json(r, &t->params, out);
    pz_buf_addz(out, ",\"metrics\":");
    pz_metrics_json(&t->metrics, out);
    pz_buf_addc(out, '}');
}

void
pz_trials_json(const struct pz_ranges *r, const struct pz_trial *trial, uint32_t n,
               struct pz_buf *out)
{
    pz_buf_addc(out, '[');
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            pz_buf_addc(out, ',');
        trial_json(r, &trial[i], out);
    }
    pz_buf_addc(out, ']');
}

/* The columns that may be learned from, of the datasets behind the events. */
static void
hash_columns(XXH3_state_t *state, const struct pz_world *w)
{
    const struct pz_dataset *set[] = {w->interactions, w->items, w->users};
    for (size_t s = 0; s < sizeof set / sizeof *set; s++) {
        if (!set[s])
            continue;
        XXH3_64bits_update(state, &set[s]->n_rows, sizeof set[s]->n_rows);
        for (size_t i = 0; i < set[s]->n_columns; i++)
            XXH3_64bits_update(state, set[s]->column[i].name,
                               strlen(set[s]->column[i].name) + 1);
    }
}

/* What results depend on beside the trial itself, as a line. */
static void
fingerprint(const struct pz_tune *t, struct pz_buf *out)
{
    const struct pz_events *e = t->events;
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    XXH3_64bits_update(&state, e->offsets, ((size_t)e->n_users + 1) * sizeof *e->offsets);
    XXH3_64bits_update(&state, e->item, e->n * sizeof *e->item);
    XXH3_64bits_update(&state, e->time, e->n * sizeof *e->time);
    if (e->weight)
        XXH3_64bits_update(&state, e->weight, e->n * sizeof *e->weight);
    hash_columns(&state, t->world);
    if (t->objective)
        XXH3_64bits_update(&state, t->objective->value,
                           t->objective->n_items * sizeof *t->objective->value);
    pz_buf_addf(out,
                "{\"recipe\":\"%s\",\"version\":\"" PZ_VERSION "\",\"seed\":%" PRIu64
                ",\"metric\":\"%s\",\"data\":\"%016llx\",\"sensitivity\":%d,\"params\":",
                t->recipe->name, t->seed, pz_metric_name(t->metric),
                (unsigned long long)XXH3_64bits_digest(&state),
                t->objective ? (int)t->objective->sensitivity : -1);
    pz_params_json(t->params, out);
    pz_buf_addz(out, "}\n");
}

struct run {
    const struct pz_tune *t;
    struct pz_split split;
    struct pz_events some; // of the first share of the users
    struct pz_trial *trial;
    uint32_t n;
    uint32_t at_once;
    double started;
    pthread_mutex_t lock;  // of the journal
    struct pz_buf journal; // all of it, whole lines
};

/* Reads the journal of an earlier run; one of other circumstances is forgotten. */
static int
journal_open(struct run *run, struct pz_err *err)
{
    const char *path = run->t->journal;
    struct pz_buf head = PZ_BUF_INIT;
    int r = PZ_OK;
    if (!path)
        return PZ_OK;
    fingerprint(run->t, &head);
    if (access(path, F_OK) == 0)
        r = pz_read_all(&run->journal, path, MAX_JOURNAL, err);
    if (r == PZ_OK)
        r = pz_buf_status(&head, "the trials", err);
    if (r == PZ_OK && (run->journal.len < head.len ||
                       memcmp(run->journal.data, head.data, head.len) != 0)) {
        pz_buf_clear(&run->journal);
        pz_buf_add(&run->journal, head.data, head.len);
        r = pz_buf_status(&run->journal, "the trials", err);
    }
    pz_buf_release(&head);
    return r;
}

/* Replaces the file, so that it always holds whole lines. */
static int
journal_write(struct run *run, struct pz_err *err)
{
    struct pz_out out = PZ_OUT_INIT;
    int r = pz_out_open(&out, run->t->journal, err);
    if (r == PZ_OK &&
        (r = pz_out_write(&out, run->journal.data, run->journal.len, err)) == PZ_OK)
        r = pz_out_commit(&out, err);
    pz_out_abort(&out);
    return r;
}

static bool
read_result(struct pz_trial *t, const char *line, size_t n)
{
    struct pz_err ignored = PZ_ERR_INIT;
    pz_json *j;
    if (pz_json_parse(&j, line, n, &ignored))
        return false;
    const pz_json *metrics = pz_json_get(j, "metrics");
    bool ok = metrics && pz_json_number(pz_json_get(j, "value"), &t->value);
    for (int m = 0; m < PZ_N_METRICS && ok; m++)
        if (!pz_json_number(pz_json_get(metrics, pz_metric_name((enum pz_metric)m)),
                            &t->metrics.value[m]))
            t->metrics.value[m] = NAN;
    pz_json_free(j);
    return ok;
}

/* The result of the same trial in the journal. */
static bool
journal_find(struct run *run, struct pz_trial *t)
{
    struct pz_buf head = PZ_BUF_INIT, params = PZ_BUF_INIT;
    bool found = false;
    pz_buf_addz(&head, "{\"share\":");
    pz_json_add_f64(&head, t->share);
    pz_buf_addc(&head, ',');
    pz_buf_addz(&params, "\"params\":");
    tuned_json(run->t->ranges, &t->params, &params);
    const char *p = run->journal.data, *end = p ? p + run->journal.len : NULL;
    while (p && p < end && !found && head.data && params.data) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        size_t n = nl ? (size_t)(nl - p) : 0;
        if (!nl)
            break;
        found = n > head.len && memcmp(p, head.data, head.len) == 0 &&
                memmem(p, n, params.data, params.len) && read_result(t, p, n);
        p = nl + 1;
    }
    pz_buf_release(&head);
    pz_buf_release(&params);
    return found;
}

/* ---- trials ---- */

static bool
out_of_time(const struct run *run)
{
    return run->t->seconds > 0 && pz_seconds_wall() - run->started > run->t->seconds;
}

static int
not_measured(enum pz_metric m, struct pz_err *err)
{
    return pz_err_set(err, PZ_USAGE,
                      "%s is nothing that is measured here: some metrics need an "
                      "objective, or weights of events, or are of one recipe alone",
                      pz_metric_name(m));
}

/* One trial, beside others. Its parameters and share are set. */
static int
try_one(struct run *run, struct pz_trial *trial, int threads, struct pz_err *err)
{
    const struct pz_tune *t = run->t;
    struct pz_eval e = {.recipe = t->recipe,
                        .world = t->world,
                        .events = t->events,
                        .params = &trial->params,
                        .objective = t->objective,
                        .seed = t->seed,
                        .threads = threads};
    pthread_mutex_lock(&run->lock);
    trial->again = journal_find(run, trial);
    pthread_mutex_unlock(&run->lock);
    if (trial->again)
        return PZ_OK;
    int r =
        pz_eval_split(&e, &run->split, trial->share < 1 ? &run->some : &run->split.train,
                      &trial->metrics, err);
    trial->value = trial->metrics.value[t->metric];
    if (r == PZ_OK && isnan(trial->value))
        r = not_measured(t->metric, err);
    if (r || !t->journal)
        return r;
    pthread_mutex_lock(&run->lock);
    trial_json(t->ranges, trial, &run->journal);
    pz_buf_addc(&run->journal, '\n');
    if ((r = pz_buf_status(&run->journal, "the trials", err)) == PZ_OK)
        r = journal_write(run, err);
    pthread_mutex_unlock(&run->lock);
    return r;
}

static int
try_task(void *ctx, size_t task, int thread, struct pz_err *err)
{
    struct run *run = ctx;
    int threads = pz_threads(run->t->threads) / (int)run->at_once;
    (void)thread;
    return try_one(run, &run->trial[run->n + task], threads > 1 ? threads : 1, err);
}

/* The n trials that stand behind the finished ones, which do not depend on each other. */
static int
try_all(struct run *run, uint32_t n, double share, struct pz_err *err)
{
    const struct pz_tune *t = run->t;
    for (uint32_t i = 0; i < n; i++)
        run->trial[run->n + i].share = share;
    for (uint32_t left = n, some; left > 0; left -= some) {
        some = left < run->at_once ? left : run->at_once;
        if (run->n && out_of_time(run))
            return PZ_OK;
        if (pz_par((int)some, some, try_task, run, err))
            return err->status;
        for (uint32_t i = 0; i < some; i++, run->n++)
            if (t->done)
                t->done(t->ctx, &run->trial[run->n], run->n);
    }
    return PZ_OK;
}

/* The best of the trials [from,n) that is not `taken`; the earlier of two alike. */
static uint32_t
best_of(const struct run *run, uint32_t from, uint32_t n, const bool *taken)
{
    uint32_t best = n;
    for (uint32_t i = from; i < n; i++)
        if (!(taken && taken[i]) &&
            (best == n || run->trial[i].value > run->trial[best].value))
            best = i;
    return best;
}

/* Tries the first and the best others of the trials so far on all users. */
static int
promote(struct run *run, uint32_t most, struct pz_err *err)
{
    uint32_t n = run->n, k = 0;
    bool *taken;
    int r = pz_new(&taken, n, sizeof *taken, "trials", err);
    if (r)
        return r;
    for (; k < most; k++) {
        uint32_t i = k == 0 ? 0 : best_of(run, 0, n, taken);
        if (i == n)
            break;
        taken[i] = true;
        run->trial[n + k] = (struct pz_trial){.params = run->trial[i].params};
    }
    free(taken);
    return out_of_time(run) ? PZ_OK : try_all(run, k, 1, err);
}

static uint32_t
users_of(const struct pz_events *e)
{
    uint32_t n = 0;
    for (uint32_t u = 0; u < e->n_users; u++)
        n += e->offsets[u + 1] > e->offsets[u];
    return n;
}

/* The parameters of a trial: those given, random ones, or a variation of `from`. */
static void
put_trial(struct run *run, uint32_t number, const struct pz_params *from)
{
    struct pz_trial *trial = &run->trial[number];
    *trial = (struct pz_trial){.params = *run->t->params};
    if (number)
        draw(run->t, &trial->params, from, number);
}

/* Fills run->trial; the trials on all users are [*whole, run->n). */
static int
search(struct run *run, uint32_t *whole, struct pz_err *err)
{
    const struct pz_tune *t = run->t;
    bool parts = t->n >= FEW_TRIALS && users_of(&run->split.train) >= FEW_USERS;
    uint32_t n_random = (uint32_t)ceil(RANDOM_SHARE * t->n);
    uint32_t n_promoted = (uint32_t)ceil(PROMOTED_SHARE * t->n);
    int r = parts ? pz_events_share(&run->split.train, FIRST_SHARE,
                                    t->seed + 2, // not that of the draws of users
                                    &run->some, err)
                  : PZ_OK;
    double share = parts ? FIRST_SHARE : 1;
    *whole = 0;
    if (n_promoted < 2)
        n_promoted = 2;
    for (uint32_t i = 0; i < n_random; i++)
        put_trial(run, i, NULL);
    if (r == PZ_OK)
        r = try_all(run, n_random, share, err);
    if (r == PZ_OK && parts) {
        *whole = run->n;
        r = promote(run, n_promoted, err);
        if (r == PZ_OK && run->n == *whole) // no time was left: parts must do
            *whole = 0;
    }
    while (r == PZ_OK && run->n < t->n && !out_of_time(run)) {
        const struct pz_trial *best = &run->trial[best_of(run, *whole, run->n, NULL)];
        uint32_t n = t->n - run->n < ROUND ? t->n - run->n : ROUND;
        for (uint32_t i = 0; i < n; i++)
            put_trial(run, run->n + i, &best->params);
        r = try_all(run, n, 1, err);
    }
    return r;
}

int
pz_tune_run(const struct pz_tune *t, struct pz_params *best, struct pz_trial **trial,
            uint32_t *n_trials, struct pz_err *err)
{
    uint32_t threads = (uint32_t)pz_threads(t->threads);
    struct run run = {.t = t,
                      .at_once = !t->at_once            ? 1
                                 : t->at_once < threads ? t->at_once
                                                        : threads,
                      .started = pz_seconds_wall(),
                      .lock = PTHREAD_MUTEX_INITIALIZER};
    struct pz_split_spec spec = {.protocol = PZ_AWS,
                                 .valid = true,
                                 .seed = t->seed,
                                 .reward = t->objective ? t->objective->value : NULL};
    uint32_t whole = 0;
    *trial = NULL;
    *n_trials = 0;
    int r = pz_split_make(&run.split, t->events, t->world, &spec, err);
    if (r)
        return r;
    // The start on a part may cost one trial more than were asked for.
    if ((r = pz_new(&run.trial, (size_t)t->n + 2, sizeof *run.trial, "trials", err)) ||
        (r = journal_open(&run, err)) || (r = search(&run, &whole, err)))
        goto done;
    *best = run.trial[best_of(&run, whole, run.n, NULL)].params;
    *trial = run.trial;
    *n_trials = run.n;
    run.trial = NULL;
done:
    free(run.trial);
    pz_buf_release(&run.journal);
    pz_events_release(&run.some);
    pz_split_release(&run.split);
    return r;
}

int
pz_tune_recipe(const struct pz_eval *given, const struct pz_recipe *const *recipe,
               size_t n, enum pz_metric metric, struct pz_metrics *metrics, size_t *best,
               struct pz_err *err)
{
    struct pz_split_spec spec = {.protocol = PZ_AWS,
                                 .valid = true,
                                 .seed = given->seed,
                                 .reward =
                                     given->objective ? given->objective->value : NULL};
    struct pz_split split;
    struct pz_params params;
    struct pz_eval e = *given;
    int r = pz_split_make(&split, e.events, e.world, &spec, err);
    if (r)
        return r;
    e.params = &params;
    *best = 0;
    for (size_t i = 0; i < n && r == PZ_OK; i++) {
        e.recipe = recipe[i];
        pz_params_init(&params, recipe[i]->params);
        r = pz_eval_split(&e, &split, &split.train, &metrics[i], err);
        if (r == PZ_OK && isnan(metrics[i].value[metric]))
            r = not_measured(metric, err);
        if (r == PZ_OK && metrics[i].value[metric] > metrics[*best].value[metric])
            *best = i;
    }
    pz_split_release(&split);
    return r;
}
