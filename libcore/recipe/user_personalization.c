/*
 * aws-user-personalization: items for a user, by the model that foretells best what comes
 * next, or by several together (recipe/blend.h).
 *
 * The metadata train.parts says which; a model without it is recipe/ials_model.h alone.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "math/kernels.h"
#include "recipe/blend.h"
#include "recipe/blend_mix.h"
#include "recipe/cheby.h"
#include "recipe/ease.h"
#include "recipe/events.h"
#include "recipe/explore.h"
#include "recipe/ials.h"
#include "recipe/ials_model.h"
#include "recipe/rp3.h"
#include "recipe/softmax.h"
#include "recipe/start.h"

enum { MODEL_AUTO, MODEL_IALS, MODEL_FIRST }; // as in the table below
enum { N_PARTS = 9 };
/* The parts, and whether auto tries them where orders mean something, and where they do
 * not. The answers of cheby take far longer than those of all others. */
static const struct {
    const char *name;
    bool ordered, unordered;
} parts[N_PARTS] = {
    {"next", true, false},   {"rules", true, false},  {"ease", true, true},
    {"rp3beta", true, true}, {"cheby", false, true},  {"softmax", true, false},
    {"ials", true, true},    {"popular", true, true}, {"recent", true, false},
};

#define BLEND(part, text)                                                                \
    {                                                                                    \
        .name = "blend_" part, .kind = PZ_PARAM_REAL, .place = PZ_PLACE_OURS, .def = 0,  \
        .min = 0, .max = 1000, .help = text                                              \
    }

/* Those of exploration come first: personalized_ranking.c has all but these. */
const struct pz_param_def pz_user_personalization_params[] = {
    {.name = "exploration_weight",
     .kind = PZ_PARAM_REAL,
     .place = PZ_PLACE_CAMPAIGN,
     .def = 0.3,
     .min = 0,
     .max = 1,
     .help = "of campaigns that say nothing else: how much answers try new items; 0 not "
             "at all"},
    {.name = "exploration_item_age_cut_off",
     .kind = PZ_PARAM_REAL,
     .place = PZ_PLACE_CAMPAIGN,
     .def = 30,
     .min = 1,
     .max = 1e6,
     .help = "days up to which an item is new, before the newest event"},
    {.name = "hidden_dimension",
     .kind = PZ_PARAM_INT,
     .place = PZ_PLACE_ALGORITHM,
     .def = 149,
     .min = 32,
     .max = 256,
     .tunable = true,
     .help = "factors of a user and of an item"},
    {.name = "bptt",
     .kind = PZ_PARAM_INT,
     .place = PZ_PLACE_ALGORITHM,
     .def = 32,
     .min = 2,
     .max = 32,
     .tunable = true,
     .help = "of AWS's recurrent network; taken and without effect: this model has no "
             "steps in time"},
    {.name = "recency_mask",
     .kind = PZ_PARAM_BOOL,
     .place = PZ_PLACE_ALGORITHM,
     .def = 1,
     .tunable = true,
     .help =
         "True: a user's latest events say most about what comes next "
         "(recency_halflife); False:"
         " all events count alike, whatever their order, and model=auto tries what does "
         "without it"},
    PZ_PARAMS_CUT_USERS(0, 0.99),
    {.name = "recency_halflife",
     .kind = PZ_PARAM_REAL,
     .place = PZ_PLACE_OURS,
     .def = 2,
     .min = 0.1,
     .max = 1e6,
     .tunable = true,
     .tune_min = 0.5,
     .tune_max = 50,
     .help = "events of a user after which one counts half, with recency_mask; in "
             "answers, not in"
             " what is learned of items"},
    {.name = "iterations",
     .kind = PZ_PARAM_INT,
     .place = PZ_PLACE_OURS,
     .def = 12,
     .min = 1,
     .max = 1000,
     .help = "times that all users and all items are solved"},
    {.name = "alpha0",
     .kind = PZ_PARAM_REAL,
     .place = PZ_PLACE_OURS,
     .def = 0,
     .min = 0,
     .max = 1000,
     .tunable = true,
     .tune_min = 0.003,
     .tune_max = 1,
     .help = "weight of a pair without an event, where an event has 1; 0: the root of "
             "the share of"
             " pairs that have one"},
    {.name = "regularization",
     .kind = PZ_PARAM_REAL,
     .place = PZ_PLACE_OURS,
     .def = 0,
     .min = 0,
     .max = 1000,
     .tunable = true,
     .tune_min = 0.0005,
     .tune_max = 0.05,
     .help = "what keeps factors small; 0: 0.02 times the fourth root of the share of "
             "pairs that have"
             " an event"},
    {.name = "nu",
     .kind = PZ_PARAM_REAL,
     .place = PZ_PLACE_OURS,
     .def = 1,
     .min = 0,
     .max = 1,
     .help =
         "how regularization grows with a row's events: 0 not at all, 1 in proportion"},
    {.name = "init_scale",
     .kind = PZ_PARAM_REAL,
     .place = PZ_PLACE_OURS,
     .def = 0.1,
     .min = 1e-4,
     .max = 10,
     .help = "length of an item's random first vector"},
    {.name = "solver",
     .kind = PZ_PARAM_CHOICE,
     .place = PZ_PLACE_OURS,
     .def = PZ_IALS_AUTO,
     .choices = "auto|cg|cholesky",
     .help = "cg: steps of conjugate gradients; cholesky: exact; auto: the cheaper for "
             "each row"},
    {.name = "cg_steps",
     .kind = PZ_PARAM_INT,
     .place = PZ_PLACE_OURS,
     .def = 3,
     .min = 1,
     .max = 100,
     .help = "steps of conjugate gradients for each row and iteration"},
    {.name = "tolerance",
     .kind = PZ_PARAM_REAL,
     .place = PZ_PLACE_OURS,
     .def = 0,
     .min = 0,
     .max = 0.5,
     .help = "stop when an iteration lessens the loss by a smaller share; 0: never"},
    {.name = "repeats",
     .kind = PZ_PARAM_CHOICE,
     .place = PZ_PLACE_OURS,
     .def = 0,
     .choices = "sum|once",
     .help = "weight of an item that a user has several times: the sum, or the greatest"},
    {.name = "learn_repeats",
     .kind = PZ_PARAM_BOOL,
     .place = PZ_PLACE_OURS,
     .def = 1,
     .help =
         "True: learn how readily users come back to what they had, and rank that higher"
         " or lower accordingly; False: by the factors alone"},
    {.name = "model",
     .kind = PZ_PARAM_CHOICE,
     .place = PZ_PLACE_OURS,
     .def = MODEL_AUTO,
     .choices = "auto|ials|next|rules|ease|rp3beta|cheby|softmax",
     .help =
         "auto: the best of all, and of blends of them, on events held out (cheby with "
         "recency_mask=False only); else that one"},
    {.name = "time_budget",
     .kind = PZ_PARAM_REAL,
     .place = PZ_PLACE_OURS,
     .def = 60,
     .min = 0,
     .max = 1e9,
     .help =
         "with model=auto: seconds of one core, about, for training all that is tried; "
         "the cheapest is always tried"},
    {.name = "next_regularization",
     .kind = PZ_PARAM_REAL,
     .place = PZ_PLACE_OURS,
     .def = 1,
     .min = 1e-3,
     .max = 1e3,
     .tunable = true,
     .tune_min = 0.01,
     .tune_max = 100,
     .help = "of model next: what its weights are kept small by, times this"},
    {.name = "past_halflife",
     .kind = PZ_PARAM_REAL,
     .place = PZ_PLACE_OURS,
     .def = 0,
     .min = 0,
     .max = 1e6,
     .tunable = true,
     .tune_min = 0.5,
     .tune_max = 200,
     .help =
         "of models ease and rp3beta: events of a user after which one counts half in "
         "answers; 0: 23 where an item has 30 events or more on average, else 2.4, and "
         "never with recency_mask=False"},
    {.name = "temperature",
     .kind = PZ_PARAM_REAL,
     .place = PZ_PLACE_OURS,
     .def = 0,
     .min = 0,
     .max = 1e6,
     .help =
         "what scores are divided by before they become probabilities; 0: as held-out "
         "events have it"},
    {.name = "cold_gain",
     .kind = PZ_PARAM_REAL,
     .place = PZ_PLACE_OURS,
     .def = 0.5,
     .min = 0,
     .max = 10,
     .help = "what items without events get of the scores of items like them, by "
             "metadata; 0: nothing"},
    BLEND("next", "weight of model next in a blend that is made by hand: of those models "
                  "that have one, without a search; 0: not in it"),
    BLEND("rules", "the same of model rules"),
    BLEND("ease", "the same of model ease"),
    BLEND("rp3beta", "the same of model rp3beta"),
    BLEND("cheby", "the same of model cheby"),
    BLEND("softmax", "the same of model softmax"),
    BLEND("ials", "the same of model ials"),
    BLEND("popular", "the same of what is popular"),
    BLEND("recent", "the same of what is popular lately"),
    PZ_PARAMS_EASE,
    PZ_PARAMS_RP3,
    PZ_PARAMS_CHEBY,
    PZ_PARAMS_SOFTMAX,
    {.name = NULL},
};

/* The blend that is made by hand, if any: its parts and their weights. */
static int
given_blend(const struct pz_params *p, struct pz_blend_config *c,
            const struct pz_part **part, double *weight, struct pz_err *err)
{
    for (size_t i = 0; i < N_PARTS; i++) {
        char name[32];
        snprintf(name, sizeof name, "blend_%s", parts[i].name);
        double given = pz_param(p, name);
        if (given == 0)
            continue;
        if ((int)pz_param(p, "model") != MODEL_AUTO)
            return pz_err_set(err, PZ_USAGE,
                              "hyperparameter '%s' is of a blend, which needs "
                              "model=auto: that model alone, or a blend",
                              name);
        weight[c->n_parts] = given;
        part[c->n_parts++] = pz_part_find(parts[i].name);
    }
    c->weight = c->n_parts ? weight : NULL;
    return PZ_OK;
}

/* Below the least that a model may hold all probability is the best item's anyway. */
static double
temperature_of(const struct pz_params *p)
{
    double given = pz_param(p, "temperature");
    return given > 0 && given < PZ_BLEND_COLDEST ? PZ_BLEND_COLDEST : given;
}

static int
train(const struct pz_train *t, struct pz_err *err)
{
    const struct pz_part *part[N_PARTS];
    double weight[N_PARTS];
    int model = (int)pz_param(t->params, "model");
    struct pz_blend_config c = {.part = part,
                                .budget = pz_param(t->params, "time_budget"),
                                .temperature = temperature_of(t->params),
                                .cold = pz_param(t->params, "cold_gain"),
                                .repeats = pz_param(t->params, "learn_repeats") != 0,
                                .any = pz_param(t->params, "recency_mask") == 0};
    // A recipe that ranks a given list has nothing to explore, and no such parameter.
    if (pz_param_find(t->params->def, "exploration_weight") >= 0 &&
        pz_explore_train(t, err))
        return err->status;
    if (pz_start_train(t, err))
        return err->status;
    if (t->before && !pz_tensors_meta(&t->before->file, "train.parts"))
        return pz_part_update(&pz_part_ials, t, err);
    if (t->before)
        return pz_blend_update(t, &c, err);
    if (given_blend(t->params, &c, part, weight, err))
        return err->status;
    if (c.weight)
        return pz_blend_train(t, &c, err);
    if (model == MODEL_IALS)
        return pz_ials_model_train(t, err);
    if (model == MODEL_AUTO) {
        for (size_t i = 0; i < N_PARTS; i++)
            if (c.any ? parts[i].unordered : parts[i].ordered)
                part[c.n_parts++] = pz_part_find(parts[i].name);
    } else {
        c.budget = INFINITY;
        part[c.n_parts++] = pz_part_find(parts[model - MODEL_FIRST].name);
    }
    return pz_blend_train(t, &c, err);
}

struct state {
    bool blend;
    void *model; // of pz_blend_open or pz_ials_model_open
    struct pz_explorer explorer;
    struct pz_start start;
    struct pz_model first; // whose popular items are those of `start`
    uint32_t n_items;
};

static void
close_state(void *state)
{
    struct state *s = state;
    if (!s)
        return;
    if (s->blend)
        pz_blend_close(s->model);
    else
        pz_ials_model_close(s->model);
    free(s);
}

static int
open_state(void **state, const struct pz_model *model, struct pz_err *err)
{
    struct state *s;
    int status = pz_new(&s, 1, sizeof *s, "a model", err);
    if (status)
        return status;
    s->blend = pz_tensors_meta(&model->file, "train.parts") != NULL;
    s->n_items = model->n_items;
    status = pz_explore_open(&s->explorer, model, err);
    if (!status)
        status = pz_start_open(&s->start, model, err);
    s->first = *model;
    s->first.popular = s->start.item;
    s->first.n_popular = s->start.n;
    if (!status)
        status = s->blend ? pz_blend_open(&s->model, model, err)
                          : pz_ials_model_open(&s->model, model, err);
    if (status)
        free(s);
    else
        *state = s;
    return status;
}

/* Room for an answer that explores: scores of all items and what picks from them. */
struct room {
    struct pz_ranked all;
    float *score, *work;
    uint64_t *key;
};

static int
room_init(struct room *r, size_t m, struct pz_err *err)
{
    static const char what[] = "an answer";
    size_t pad = PZ_PAD(m);
    *r = (struct room){.score = NULL};
    if (pz_new(&r->all.item, m, sizeof *r->all.item, what, err) ||
        pz_new(&r->all.score, m, sizeof *r->all.score, what, err) ||
        pz_new_aligned(&r->score, pad, sizeof *r->score, what, err) ||
        pz_new_aligned(&r->work, pad, sizeof *r->work, what, err) ||
        pz_new_aligned(&r->key, 2 * m + PZ_MIX_SLACK, sizeof *r->key, what, err))
        return err->status;
    for (size_t i = m; i < pad; i++)
        r->score[i] = -INFINITY;
    return PZ_OK;
}

static void
room_release(struct room *r)
{
    free(r->all.item);
    free(r->all.score);
    free(r->score);
    free(r->work);
    free(r->key);
}

/*
 * An answer of factors alone that explores. Only the best n of their scores are made;
 * here all are wanted, and log probabilities are as good: exploring looks at differences.
 */
static int
explore_factors(const struct state *s, const struct pz_query *q, struct room *r,
                struct pz_ranked *out, struct pz_err *err)
{
    struct pz_query all = *q;
    all.n = s->n_items;
    all.allow = NULL;
    all.n_exclude = 0;
    if (pz_ials_model_rank(s->model, &all, 1, &r->all, err))
        return err->status;
    for (size_t i = 0; i < s->n_items; i++)
        r->score[i] = logf(FLT_MIN);
    for (size_t i = 0; i < r->all.n; i++)
        r->score[r->all.item[i]] = logf(fmaxf(r->all.score[i], FLT_MIN));
    pz_explore_pick(&s->explorer, q, r->score, r->work, s->n_items, r->key, out);
    for (size_t i = 0; i < r->all.n; i++)
        r->work[r->all.item[i]] = r->all.score[i];
    for (size_t i = 0; i < out->n; i++)
        out->score[i] = r->work[out->item[i]];
    return PZ_OK;
}

/* The same for somebody of whom nothing is known. */
static void
explore_first(const struct state *s, const struct pz_query *q, struct room *r,
              struct pz_ranked *out)
{
    memset(r->score, 0, s->n_items * sizeof *r->score);
    for (uint64_t i = 0; i < s->start.n; i++)
        r->score[s->start.item[i]] = s->start.score[i];
    pz_explore_pick(&s->explorer, q, r->score, r->work, s->n_items, r->key, out);
    for (size_t i = 0; i < out->n; i++)
        out->score[i] = NAN;
}

/* What the model's own answer is not enough for. */
static int
complete(const struct state *s, const struct pz_query *q, struct pz_ranked *out,
         struct pz_err *err)
{
    bool explores = q->explore && !q->candidate && s->explorer.n;
    bool first = out->fallback && s->start.n;
    struct room r;
    int status = PZ_OK;
    if (first && !explores)
        pz_model_popular(&s->first, q, out);
    if (!explores || (!first && s->blend))
        return PZ_OK;
    status = room_init(&r, s->n_items, err);
    if (!status && first)
        explore_first(s, q, &r, out);
    else if (!status && !out->fallback)
        status = explore_factors(s, q, &r, out, err);
    room_release(&r);
    return status;
}

static int
rank(const void *state, const struct pz_query *q, size_t n, struct pz_ranked *out,
     struct pz_err *err)
{
    const struct state *s = state;
    int status = s->blend ? pz_blend_rank(s->model, q, n, out, err)
                          : pz_ials_model_rank(s->model, q, n, out, err);
    for (size_t i = 0; i < n && !status; i++)
        status = complete(s, &q[i], &out[i], err);
    return status;
}

static int
explain(const void *state, const struct pz_query *q, uint32_t item,
        struct pz_explained *out, struct pz_err *err)
{
    const struct state *s = state;
    return s->blend ? pz_blend_explain(s->model, q, item, out, err)
                    : pz_ials_model_explain(s->model, q, item, out, err);
}

const struct pz_recipe pz_recipe_user_personalization = {
    .name = "aws-user-personalization",
    .type = PZ_USER_PERSONALIZATION,
    .summary = "items for a user, from all that the user had and in which order",
    .params = pz_user_personalization_params,
    .softmax = true,
    .has_scores = true,
    .updates = true,
    .train = train,
    .open = open_state,
    .close = close_state,
    .rank = rank,
    .explain = explain,
};
