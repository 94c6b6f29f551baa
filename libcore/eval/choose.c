#include "eval/choose.h"

#include <stdlib.h>

#include "base/mem.h"
#include "eval/figures.h"

static int
choose_recipe(const struct pz_choice *c, const struct pz_eval *e, enum pz_metric metric,
              struct pz_chosen *out, struct pz_err *err)
{
    struct pz_metrics *m;
    size_t best;
    int r = pz_new(&m, c->n_recipes, sizeof *m, "metrics", err);
    if (r)
        return r;
    r = pz_tune_recipe(e, c->recipe, c->n_recipes, metric, m, &best, err);
    for (size_t i = 0; i < c->n_recipes && r == PZ_OK && c->tried; i++)
        c->tried(c->ctx, c->recipe[i], &m[i]);
    free(m);
    if (r == PZ_OK) {
        out->recipe = c->recipe[best];
        pz_params_init(&out->params, out->recipe->params);
    }
    return r;
}

struct teller {
    const struct pz_choice *c;
    const struct pz_ranges *ranges;
};

static void
tell(void *ctx, const struct pz_trial *t, uint32_t number)
{
    struct teller *x = ctx;
    if (x->c->done)
        x->c->done(x->c->ctx, x->ranges, t, number);
}

static int
choose_params(const struct pz_choice *c, const struct pz_ranges *ranges,
              const struct pz_eval *e, uint32_t n, enum pz_metric metric,
              const char *journal, struct pz_chosen *out, struct pz_err *err)
{
    struct teller teller = {c, ranges};
    struct pz_params given = out->params;
    struct pz_trial *trial;
    uint32_t n_trials;
    struct pz_tune t = {.recipe = out->recipe,
                        .world = e->world,
                        .events = e->events,
                        .params = &given,
                        .objective = e->objective,
                        .ranges = ranges,
                        .metric = metric,
                        .n = n,
                        .at_once = c->at_once ? c->at_once : ranges->at_once,
                        .seconds = c->seconds,
                        .journal = journal,
                        .seed = e->seed,
                        .threads = e->threads,
                        .done = tell,
                        .ctx = &teller};
    int r = pz_tune_run(&t, &out->params, &trial, &n_trials, err);
    if (r == PZ_OK) {
        pz_trials_json(ranges, trial, n_trials, &out->json);
        r = pz_buf_status(&out->json, "the trials", err);
    }
    free(trial);
    return r;
}

int
pz_choose(const struct pz_choice *c, const struct pz_eval *e, const char *journal,
          struct pz_chosen *out, struct pz_err *err)
{
    struct pz_ranges ranges;
    int r = PZ_OK;
    *out = (struct pz_chosen){.recipe = e->recipe, .params = *e->params};
    enum pz_metric metric = c->has_metric ? c->metric : PZ_NDCG_25;
    if (c->n_recipes)
        r = choose_recipe(c, e, metric, out, err);
    if (r)
        return r;
    if (c->hpo)
        r = pz_ranges_parse(&ranges, out->recipe, c->hpo, c->n_hpo, err)
                ? pz_err_prefix(err, "hpoConfig: ")
                : PZ_OK;
    else
        pz_ranges_of(&ranges, out->recipe);
    if (r)
        return r;
    uint32_t n = c->trials ? c->trials : c->hpo ? ranges.trials : 0;
    if (!c->has_metric && ranges.has_metric)
        metric = ranges.metric;
    if (n && pz_has_figures(out->recipe))
        return pz_err_set(err, PZ_USAGE,
                          "recipe %s answers with users or actions, which --hpo does not "
                          "measure",
                          out->recipe->name);
    if (c->hpo && !n)
        return pz_err_set(err, PZ_USAGE,
                          "hpoConfig: it has no maxNumberOfTrainingJobs; give the number "
                          "of trainings (--hpo)");
    if (n && !ranges.n)
        return pz_err_set(err, PZ_USAGE, "recipe %s has nothing to tune",
                          out->recipe->name);
    return n ? choose_params(c, &ranges, e, n, metric, journal, out, err) : PZ_OK;
}

void
pz_chosen_release(struct pz_chosen *c)
{
    pz_buf_release(&c->json);
    *c = (struct pz_chosen){.recipe = NULL};
}
