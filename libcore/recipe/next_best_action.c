/*
 * aws-next-best-action: the actions that a user is likeliest to take within
 * action_optimization_period days, each with its probability.
 *
 * Events become offers (recipe/actions.h): events of a user with an action that are no
 * more than the period apart from the first, taken when one of them says so. The log odds
 * that an offer is taken are linear in the nine terms of pz_action_terms(): smoothed
 * rates of the action, of the user and of people with the user's categories, and what the
 * user did with the action before. In training an offer is left out of its own rates.
 *
 *     p = sigmoid(slope * (c . terms) + offset)
 *
 * Where the group has interactions with items, the terms of recipe/habits.h are tried
 * beside these, with action_optimization_period as halflife, and kept when that lessens
 * the log loss of offers to users whom the regression did not see by a 1000th.
 *
 * c by ridge regression; slope and offset (Platt) on offers of users whom the regression
 * did not see, in five folds of users. Of somebody new all terms but the action's rate
 * are 0: the mean of a Beta distribution around the mean rate of all actions.
 *
 * Not returned: actions that have expired, and those with an event of the user within
 * REPEAT_FREQUENCY days. Of equally likely ones the greater VALUE comes first. Candidates
 * are ranked whatever these say.
 *
 * A model holds action.{offered,taken} U32 [n_items], action.trait_{offered,taken} U32
 * [traits, n_items], action.coef F64 [9], action.platt F64 [2], action.scored U8,
 * action.value F32, action.expires I64, action.repeat I64 (seconds) [n_items], and the
 * users' traits (recipe/facets.h), and what recipe/habits.h says.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"
#include "recipe/actions.h"
#include "recipe/admit.h"
#include "recipe/habits.h"
#include "recipe/logistic.h"
#include "recipe/model.h"
#include "recipe/reasons.h"

#define DAY       86400
#define SIX_WEEKS (42 * DAY)
enum { FOLDS = 5, MOST_TRAIT_CELLS = 1 << 24, WIDTH = PZ_ACTION_TERMS + PZ_HABIT_TERMS };
static const double WORTH = 1e-3; // what habits must lessen the log loss by

static const struct pz_param_def params[] = {
    {.name = "action_optimization_period",
     .kind = PZ_PARAM_INT,
     .place = PZ_PLACE_ALGORITHM,
     .def = 14,
     .min = 7,
     .max = 28,
     .help = "days within which an action is to be taken"},
    {.name = "exploration_weight",
     .kind = PZ_PARAM_REAL,
     .place = PZ_PLACE_OURS,
     .def = 0,
     .min = 0,
     .max = 1,
     .help = "0: by probability alone; 1: by a draw from what the rate of an action may "
             "be, which favours what was rarely offered"},
    {.name = "min_action_events",
     .kind = PZ_PARAM_INT,
     .place = PZ_PLACE_OURS,
     .def = 0,
     .min = 0,
     .max = 1e6,
     .help = "an action with fewer events Taken, or fewer others, in the last six weeks "
             "of the data has probability 0 (AWS: 50)"},
    {.name = NULL},
};

/* ---- training ---- */

struct lesson {
    const struct pz_train *t;
    struct pz_facets trait;
    struct pz_offer *offer;
    size_t n;
    uint32_t *offered, *taken, *trait_offered, *trait_taken;
    struct pz_action_counts counts;
    struct pz_habits habits;
    double *x;    // n x WIDTH: terms of habits, then of the action; the last is 1
    size_t first; // of them that are used: PZ_HABIT_TERMS without habits, else 0
    uint8_t *y;
    double coef[WIDTH], platt[2]; // of the terms from `first` on
};

static int
count_offers(struct lesson *l, struct pz_err *err)
{
    static const char what[] = "rates of actions";
    uint32_t n_actions = l->t->events->n_items, n_traits = l->trait.n;
    double takes = 0;
    if ((uint64_t)n_traits * n_actions > MOST_TRAIT_CELLS)
        n_traits = 0; // too many to tell apart
    size_t cells = (size_t)n_traits * n_actions;
    if (pz_new(&l->offered, n_actions, sizeof *l->offered, what, err) ||
        pz_new(&l->taken, n_actions, sizeof *l->taken, what, err) ||
        pz_new(&l->trait_offered, cells, sizeof *l->trait_offered, what, err) ||
        pz_new(&l->trait_taken, cells, sizeof *l->trait_taken, what, err))
        return err->status;
    for (size_t i = 0; i < l->n; i++) {
        const struct pz_offer *o = &l->offer[i];
        const struct pz_facets *f = &l->trait;
        l->offered[o->action]++;
        l->taken[o->action] += o->taken;
        takes += o->taken;
        for (uint64_t k = f->of_offsets[o->user];
             n_traits && k < f->of_offsets[o->user + 1]; k++) {
            size_t at = (size_t)f->of[k] * n_actions + o->action;
            l->trait_offered[at]++;
            l->trait_taken[at] += o->taken;
        }
    }
    l->counts = (struct pz_action_counts){.n_actions = n_actions,
                                          .n_traits = n_traits,
                                          .offered = l->offered,
                                          .taken = l->taken,
                                          .trait_offered = l->trait_offered,
                                          .trait_taken = l->trait_taken,
                                          .offers = (double)l->n,
                                          .takes = takes};
    return PZ_OK;
}

static int
make_rows(struct lesson *l, struct pz_err *err)
{
    const struct pz_events *e = l->t->events;
    struct pz_action_sums sums;
    if (pz_new(&l->x, l->n, WIDTH * sizeof *l->x, "offers", err) ||
        pz_new(&l->y, l->n, 1, "offers", err) ||
        pz_action_sums_new(&sums, e->n_items, err))
        return err->status;
    for (size_t i = 0; i < l->n && !err->status; i++) {
        const struct pz_offer *o = &l->offer[i];
        uint64_t from = e->offsets[o->user], trait = l->trait.of_offsets[o->user];
        struct pz_action_history h = {
            .action = e->item + from,
            .weight = e->weight ? e->weight + from : NULL,
            .time = e->time + from,
            .n = (size_t)o->before,
            .trait = l->trait.of + trait,
            .n_traits = (size_t)(l->trait.of_offsets[o->user + 1] - trait)};
        struct pz_habit_levels level;
        double *row = l->x + i * WIDTH;
        // The offers to a user are in order of time: one pass over the history.
        bool more = i && o[-1].user == o->user && o[-1].before <= o->before;
        if ((more ? pz_action_sums_more : pz_action_sums_set)(&sums, &h, err) ||
            pz_habits_at(&level, &l->habits, o->user, o->time, err))
            break;
        pz_habit_terms(row, &l->habits, &level, o->action,
                       pz_action_rate(&l->counts, o->action, o), o);
        pz_action_terms(row + PZ_HABIT_TERMS, &l->counts, &sums, &h, o->action, o->time,
                        o);
        l->y[i] = o->taken;
    }
    pz_action_sums_release(&sums);
    return err->status;
}

static unsigned
fold_of(const struct lesson *l, size_t i)
{
    return (unsigned)(pz_mix64(pz_mix64(l->t->seed + 3) ^ l->offer[i].user) % FOLDS);
}

/* The terms of offer i that are used, behind row; their number. */
static size_t
take_terms(const struct lesson *l, size_t i, double *row)
{
    size_t n = WIDTH - l->first;
    memcpy(row, l->x + i * WIDTH + l->first, n * sizeof *row);
    return n;
}

/* The regression on all offers but those to the users of a fold. */
static int
regress(const struct lesson *l, unsigned without, double *c, struct pz_err *err)
{
    double *x = NULL;
    uint8_t *y = NULL;
    size_t n = 0, d = WIDTH - l->first;
    if (!pz_new(&x, l->n, d * sizeof *x, "offers", err) &&
        !pz_new(&y, l->n, 1, "offers", err)) {
        for (size_t i = 0; i < l->n; i++)
            if (fold_of(l, i) != without) {
                take_terms(l, i, x + n * d);
                y[n++] = l->y[i];
            }
        pz_logistic_fit(c, x, y, n, d, 1, err);
    }
    free(x);
    free(y);
    return err->status;
}

/* Log odds of all offers from regressions that did not see their users. */
static int
foretell(const struct lesson *l, double *z, struct pz_err *err)
{
    double c[WIDTH], row[WIDTH];
    for (unsigned fold = 0; fold < FOLDS; fold++) {
        if (regress(l, fold, c, err))
            return err->status;
        for (size_t i = 0; i < l->n; i++) {
            if (fold_of(l, i) != fold)
                continue;
            size_t d = take_terms(l, i, row);
            z[i] = 0;
            for (size_t k = 0; k < d; k++)
                z[i] += c[k] * row[k];
        }
    }
    return PZ_OK;
}

/* Calibrates what is foretold; *loss is the mean log loss of that. */
static int
calibrate(struct lesson *l, double *z, double *loss, struct pz_err *err)
{
    *loss = 0;
    if (foretell(l, z, err) ||
        pz_platt_fit(&l->platt[0], &l->platt[1], z, l->y, l->n, err))
        return err->status;
    for (size_t i = 0; i < l->n; i++) {
        double p = pz_sigmoid(l->platt[0] * z[i] + l->platt[1]);
        *loss -= log(fmax(l->y[i] ? p : 1 - p, 1e-12)) / (double)l->n;
    }
    return PZ_OK;
}

static int
fit(struct lesson *l, struct pz_err *err)
{
    double *z, plain, with = INFINITY;
    if (pz_new(&z, l->n, sizeof *z, "offers", err))
        return err->status;
    if (l->habits.n_types)
        calibrate(l, z, &with, err);
    struct lesson habits = *l;
    l->first = PZ_HABIT_TERMS;
    if (!err->status && !calibrate(l, z, &plain, err)) {
        if (l->habits.n_types)
            pz_log(PZ_LOG_NOTE, "log loss %.4f, and %.4f by what users did with items",
                   plain, with);
        if (with < plain * (1 - WORTH)) {
            l->first = 0;
            memcpy(l->platt, habits.platt, sizeof l->platt);
        }
        regress(l, FOLDS, l->coef, err);
    }
    free(z);
    return err->status;
}

/* ---- what the actions dataset says ---- */

/* A whole number of an action's column; `none` where there is none. */
static int64_t
number_of(const struct pz_world *w, const struct pz_column *c, uint32_t action,
          int64_t none)
{
    int64_t value;
    uint32_t row = w->item_row ? w->item_row[action] : PZ_NO_ID;
    return c && row != PZ_NO_ID && pz_column_i64(c, row, &value) ? value : none;
}

/* Actions with enough events of both kinds in the last six weeks. */
static int
find_scored(const struct pz_train *t, uint8_t *scored, struct pz_err *err)
{
    const struct pz_events *e = t->events;
    double least = pz_param(t->params, "min_action_events");
    uint32_t *yes = NULL, *no = NULL;
    int64_t last = INT64_MIN;
    for (uint64_t i = 0; i < e->n; i++)
        last = e->time[i] > last ? e->time[i] : last;
    if (pz_new(&yes, e->n_items, sizeof *yes, "actions", err) ||
        pz_new(&no, e->n_items, sizeof *no, "actions", err))
        goto done;
    for (uint64_t i = 0; i < e->n; i++)
        if (last - e->time[i] <= SIX_WEEKS) {
            bool taken = !e->weight || e->weight[i] == PZ_ACTION_TAKEN;
            yes[e->item[i]] += taken;
            no[e->item[i]] += !taken;
        }
    for (uint32_t a = 0; a < e->n_items; a++)
        scored[a] = yes[a] >= least && no[a] >= least;
    pz_builder_metaf(t->model, "train.end", "%" PRId64, e->n ? last : 0);
done:
    free(yes);
    free(no);
    return err->status;
}

static int
give_columns(const struct pz_train *t, struct pz_err *err)
{
    static const char what[] = "actions";
    const struct pz_world *w = t->world;
    const struct pz_dataset *d = w->items;
    const struct pz_column *value = d ? pz_dataset_column(d, "VALUE") : NULL;
    const struct pz_column *repeat = d ? pz_dataset_column(d, "REPEAT_FREQUENCY") : NULL;
    const struct pz_column *end = d ? pz_dataset_column(d, "EXPIRATION_TIMESTAMP") : NULL;
    uint32_t n = t->events->n_items;
    uint8_t *scored;
    float *values;
    int64_t *expires, *seconds;
    if (d && !end)
        end = pz_dataset_column(d, "ACTION_EXPIRATION_TIMESTAMP");
    if (pz_new(&scored, n, 1, what, err))
        return err->status;
    pz_builder_take1(t->model, "action.scored", PZ_U8, n, scored);
    if (find_scored(t, scored, err) || pz_new(&values, n, sizeof *values, what, err))
        return err->status;
    pz_builder_take1(t->model, "action.value", PZ_F32, n, values);
    if (pz_new(&expires, n, sizeof *expires, what, err))
        return err->status;
    pz_builder_take1(t->model, "action.expires", PZ_I64, n, expires);
    if (pz_new(&seconds, n, sizeof *seconds, what, err))
        return err->status;
    pz_builder_take1(t->model, "action.repeat", PZ_I64, n, seconds);
    for (uint32_t a = 0; a < n; a++) {
        values[a] = (float)number_of(w, value, a, 0);
        expires[a] = number_of(w, end, a, INT64_MAX);
        int64_t days = number_of(w, repeat, a, 0);
        seconds[a] = days > 0 ? (days < 36500 ? days : 36500) * DAY : 0;
    }
    return PZ_OK;
}

static int
give(struct lesson *l, double *coef, double *platt, struct pz_err *err)
{
    struct pz_builder *b = l->t->model;
    uint64_t n = l->counts.n_actions, cells[] = {l->counts.n_traits, n};
    memcpy(coef, l->coef + (PZ_HABIT_TERMS - l->first), PZ_ACTION_TERMS * sizeof *coef);
    memcpy(platt, l->platt, sizeof l->platt);
    pz_builder_take1(b, "action.offered", PZ_U32, n, l->offered);
    pz_builder_take1(b, "action.taken", PZ_U32, n, l->taken);
    pz_builder_take(b, "action.trait_offered", PZ_U32, 2, cells, l->trait_offered);
    pz_builder_take(b, "action.trait_taken", PZ_U32, 2, cells, l->trait_taken);
    pz_builder_take1(b, "action.coef", PZ_F64, PZ_ACTION_TERMS, coef);
    pz_builder_take1(b, "action.platt", PZ_F64, 2, platt);
    pz_builder_metaf(b, "train.offers", "%zu", l->n);
    pz_builder_metaf(b, "train.takes", "%.0f", l->counts.takes);
    l->offered = l->taken = l->trait_offered = l->trait_taken = NULL;
    pz_facets_give(&l->trait, b, "trait");
    return l->first ? PZ_OK : pz_habits_give(&l->habits, l->coef, b, err);
}

static int
train(const struct pz_train *t, struct pz_err *err)
{
    struct lesson l = {.t = t, .platt = {1, 0}};
    const struct pz_events *e = t->events;
    int64_t period = (int64_t)pz_param(t->params, "action_optimization_period") * DAY;
    double *coef = NULL, *platt = NULL;
    if (pz_offers_make(&l.offer, &l.n, e, period, err) ||
        pz_habits_learn(&l.habits, t->world, l.offer, l.n, (double)period, err) ||
        pz_facets_make(&l.trait, t->world->users, t->world->user_row, e->n_users, true,
                       err) ||
        count_offers(&l, err) || make_rows(&l, err) || fit(&l, err) ||
        give_columns(t, err) ||
        pz_new(&coef, PZ_ACTION_TERMS, sizeof *coef, "actions", err) ||
        pz_new(&platt, 2, sizeof *platt, "actions", err))
        goto done;
    give(&l, coef, platt, err);
    coef = platt = NULL;
done:
    free(coef);
    free(platt);
    free(l.offer);
    free(l.offered);
    free(l.taken);
    free(l.trait_offered);
    free(l.trait_taken);
    free(l.x);
    free(l.y);
    pz_facets_release(&l.trait);
    pz_habits_release(&l.habits);
    return err->status;
}

/* ---- answers ---- */

struct actions {
    const struct pz_model *model;
    struct pz_facet_view trait;
    struct pz_action_counts counts;
    struct pz_habits habits;
    const double *coef, *platt;
    const uint8_t *scored;
    const float *value;
    const int64_t *expires, *repeat;
    int64_t end;
    uint64_t seed;
    double explore;
};

/* exploration_weight among the parameters, whose JSON the model holds. */
static int
get_explore(struct actions *s, const struct pz_model *m, struct pz_err *err)
{
    static const char key[] = "\"exploration_weight\":\"";
    const char *text = pz_tensors_meta(&m->file, "params");
    const char *at = text ? strstr(text, key) : NULL;
    if (at)
        at += sizeof key - 1;
    if (!at || pz_parse_f64(at, strcspn(at, "\""), &s->explore) || s->explore < 0 ||
        s->explore > 1)
        return pz_err_set(err, PZ_FORMAT,
                          "'%s': its parameters lack a valid exploration_weight",
                          m->file.path);
    return PZ_OK;
}

static int
open_counts(struct actions *s, const struct pz_tensors *f, struct pz_err *err)
{
    struct pz_action_counts *c = &s->counts;
    uint64_t n = s->model->n_items, cells[] = {UINT64_MAX, n};
    c->n_actions = (uint32_t)n;
    if (pz_tensors_get1(f, "action.offered", PZ_U32, &n, &c->offered, err) ||
        pz_tensors_get1(f, "action.taken", PZ_U32, &n, &c->taken, err) ||
        pz_tensors_get(f, "action.trait_offered", PZ_U32, 2, cells, &c->trait_offered,
                       err) ||
        pz_tensors_get(f, "action.trait_taken", PZ_U32, 2, cells, &c->trait_taken, err))
        return err->status;
    c->n_traits = (uint32_t)(cells[0] < UINT32_MAX ? cells[0] : UINT32_MAX);
    return pz_model_number(s->model, "train.offers", -1e18, 1e18, &c->offers, err) ||
                   pz_model_number(s->model, "train.takes", -1e18, 1e18, &c->takes, err)
               ? err->status
               : PZ_OK;
}

static int
open_state(void **state, const struct pz_model *model, struct pz_err *err)
{
    struct actions *s;
    const struct pz_tensors *f = &model->file;
    uint64_t n = model->n_items, terms = PZ_ACTION_TERMS, two = 2;
    double end, seed;
    if (pz_new(&s, 1, sizeof *s, "a model", err))
        return err->status;
    s->model = model;
    if (open_counts(s, f, err) ||
        pz_tensors_get1(f, "action.coef", PZ_F64, &terms, &s->coef, err) ||
        pz_tensors_get1(f, "action.platt", PZ_F64, &two, &s->platt, err) ||
        pz_tensors_get1(f, "action.scored", PZ_U8, &n, &s->scored, err) ||
        pz_tensors_get1(f, "action.value", PZ_F32, &n, &s->value, err) ||
        pz_tensors_get1(f, "action.expires", PZ_I64, &n, &s->expires, err) ||
        pz_tensors_get1(f, "action.repeat", PZ_I64, &n, &s->repeat, err) ||
        pz_facets_open(&s->trait, f, "trait", model->n_users, err) ||
        pz_habits_open(&s->habits, model, err) ||
        pz_model_number(model, "train.end", -1e18, 1e18, &end, err) ||
        pz_model_number(model, "seed", -1e18, 1e18, &seed, err) ||
        get_explore(s, model, err)) {
        free(s);
        return err->status;
    }
    s->end = (int64_t)end;
    s->seed = (uint64_t)(seed < 0 ? 0 : seed);
    *state = s;
    return PZ_OK;
}

struct choice {
    uint32_t action;
    float score, value;
    double order; // score, but for exploration
};

static int
by_order(const void *a, const void *b)
{
    const struct choice *x = a, *y = b;
    if (x->order != y->order)
        return x->order < y->order ? 1 : -1;
    if (x->value != y->value)
        return x->value < y->value ? 1 : -1;
    return (x->action > y->action) - (x->action < y->action);
}

/* A draw from the gamma distribution of shape a >= 1 (Marsaglia and Tsang, 2000). */
static double
gamma_draw(struct pz_rng *rng, double a)
{
    double d = a - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (int i = 0; i < 100; i++) {
        double x = pz_rng_normal(rng), v = 1 + c * x;
        if (v <= 0)
            continue;
        v = v * v * v;
        double u = pz_rng_unit(rng);
        if (u <= 0 || log(u) < x * x / 2 + d - d * v + d * log(v))
            return d * v;
    }
    return d;
}

/* What the rate of an action may be; the same for a user all day. */
static double
draw_rate(const struct actions *s, const struct pz_query *q, uint32_t action, int64_t now)
{
    struct pz_rng rng;
    double k = (double)s->counts.taken[action];
    double n = fmax((double)s->counts.offered[action], k);
    uint64_t who = pz_mix64(q->user) ^ pz_mix64((uint64_t)(now / DAY) + 77);
    pz_rng_seed(&rng, s->seed, pz_mix64(who) ^ action);
    double yes = gamma_draw(&rng, k + 1), no = gamma_draw(&rng, n - k + 1);
    return yes / (yes + no);
}

static bool
eligible(const struct actions *s, const struct pz_action_sums *sums, uint32_t a,
         int64_t now)
{
    if (s->expires[a] <= now)
        return false;
    // In a history without times nothing is known to be old.
    bool met = sums->taken[a] + sums->viewed[a] + sums->not_taken[a] > 0;
    if (!met || s->repeat[a] <= 0)
        return true;
    return sums->last[a] != INT64_MIN &&
           (double)now - (double)sums->last[a] >= (double)s->repeat[a];
}

/* What the user's habits add to the log odds of an action. */
static double
habits_of(const struct actions *s, const struct pz_habit_levels *level, uint32_t a)
{
    double term[PZ_HABIT_TERMS], z = 0;
    if (!level->known)
        return 0;
    pz_habit_terms(term, &s->habits, level, a, pz_action_rate(&s->counts, a, NULL), NULL);
    for (int k = 0; k < PZ_HABIT_TERMS; k++)
        z += s->habits.coef[k] * term[k];
    return z;
}

static double
probability(const struct actions *s, const struct pz_action_sums *sums,
            const struct pz_action_history *h, const struct pz_habit_levels *level,
            uint32_t a, int64_t now)
{
    double term[PZ_ACTION_TERMS], z = habits_of(s, level, a);
    pz_action_terms(term, &s->counts, sums, h, a, now, NULL);
    for (int k = 0; k < PZ_ACTION_TERMS; k++)
        z += s->coef[k] * term[k];
    double p = pz_sigmoid(s->platt[0] * z + s->platt[1]);
    return isfinite(p) ? p : 0;
}

static int
history_of(const struct actions *s, const struct pz_query *q, struct pz_action_history *h,
           struct pz_err *err)
{
    const struct pz_facet_view *v = &s->trait;
    uint64_t from, to;
    *h =
        (struct pz_action_history){q->history, q->weight, q->time, q->n_history, NULL, 0};
    if (q->user >= s->model->n_users)
        return PZ_OK;
    if (!pz_facet_row(v->of_offsets, q->user, v->n_entries, &from, &to))
        return pz_tensors_bad(&s->model->file, "trait.of.offsets", err,
                              "an offset is out of bounds");
    h->trait = v->of + from;
    h->n_traits = (size_t)(to - from);
    return PZ_OK;
}

static int
rank_one(const struct actions *s, const struct pz_query *q, struct pz_action_sums *sums,
         struct choice *choice, struct pz_ranked *out, struct pz_err *err)
{
    struct pz_action_history h;
    struct pz_admit admit;
    int64_t now = q->dated ? q->now : s->end;
    size_t n = 0, all = q->candidate ? q->n_candidates : s->model->n_items;
    size_t most = q->candidate ? q->n_candidates : q->n;
    struct pz_habit_levels level;
    if (history_of(s, q, &h, err) || pz_action_sums_set(sums, &h, err) ||
        pz_habits_at(&level, &s->habits, q->user, now, err))
        return err->status;
    pz_admit_init(&admit, q);
    for (size_t i = 0; i < all; i++) {
        uint32_t a = q->candidate ? q->candidate[i] : (uint32_t)i;
        if (!pz_admits(&admit, a) || (!q->candidate && !eligible(s, sums, a, now)))
            continue;
        double p = s->scored[a] ? probability(s, sums, &h, &level, a, now) : 0, order = p;
        if (s->explore > 0 && !q->candidate)
            order = (1 - s->explore) * p + s->explore * draw_rate(s, q, a, now);
        choice[n++] = (struct choice){a, (float)p, s->value[a], order};
    }
    qsort(choice, n, sizeof *choice, by_order);
    out->n = n < most ? n : most;
    out->fallback = false;
    for (size_t i = 0; i < out->n; i++) {
        out->item[i] = choice[i].action;
        out->score[i] = choice[i].score;
    }
    return PZ_OK;
}

static int
rank(const void *state, const struct pz_query *q, size_t n, struct pz_ranked *out,
     struct pz_err *err)
{
    const struct actions *s = state;
    struct pz_action_sums sums;
    struct choice *choice = NULL;
    if (pz_action_sums_new(&sums, s->model->n_items, err))
        return err->status;
    if (!pz_new(&choice, s->model->n_items, sizeof *choice, "an answer", err))
        for (size_t i = 0; i < n && !err->status; i++)
            rank_one(s, &q[i], &sums, choice, &out[i], err);
    free(choice);
    pz_action_sums_release(&sums);
    return err->status;
}

/* ---- reasons ---- */

static const char *const term_name[PZ_ACTION_TERMS] = {
    [PZ_TERM_ACTION] = "rate of the action",
    [PZ_TERM_USER] = "readiness of the user",
    [PZ_TERM_TRAITS] = "users alike",
    [PZ_TERM_TAKEN] = "taken before",
    [PZ_TERM_NOT] = "not taken before",
    [PZ_TERM_VIEWED] = "viewed before",
    [PZ_TERM_RECENT] = "met lately",
    [PZ_TERM_ACTIVE] = "events of the user",
    [PZ_TERM_ONE] = "all offers",
};

static void
add_reason(struct pz_explained *out, uint32_t k, const char *label, double part)
{
    out->raw += part;
    if (part != 0)
        out->reason[out->n++] = (struct pz_reason){
            .item = k, .contribution = part, .label = label, .n_label = strlen(label)};
}

/* The terms of the log odds, calibrated; they are all of them. */
static int
explain(const void *state, const struct pz_query *q, uint32_t item,
        struct pz_explained *out, struct pz_err *err)
{
    const struct actions *s = state;
    struct pz_action_history h;
    struct pz_action_sums sums;
    struct pz_habit_levels level;
    double term[PZ_ACTION_TERMS];
    int64_t now = q->dated ? q->now : s->end;
    out->n = 0;
    out->raw = 0;
    if (item >= s->model->n_items || !s->scored[item])
        return PZ_OK;
    if (history_of(s, q, &h, err) ||
        pz_habits_at(&level, &s->habits, q->user, now, err) ||
        pz_action_sums_new(&sums, s->model->n_items, err))
        return err->status;
    if (!pz_action_sums_set(&sums, &h, err)) {
        pz_action_terms(term, &s->counts, &sums, &h, item, now, NULL);
        for (uint32_t k = 0; k < PZ_ACTION_TERMS; k++)
            add_reason(out, k, term_name[k],
                       s->platt[0] * s->coef[k] * term[k] +
                           (k == PZ_TERM_ONE ? s->platt[1] : 0));
        add_reason(out, PZ_ACTION_TERMS, "what the user does with items",
                   s->platt[0] * habits_of(s, &level, item));
        pz_reasons_sort(out);
    }
    pz_action_sums_release(&sums);
    return err->status;
}

const struct pz_recipe pz_recipe_next_best_action = {
    .name = "aws-next-best-action",
    .type = PZ_PERSONALIZED_ACTIONS,
    .summary = "actions that a user is likeliest to take, with their probabilities",
    .params = params,
    .has_scores = true,
    .timed = true,
    .train = train,
    .open = open_state,
    .close = free,
    .rank = rank,
    .explain = explain,
};
