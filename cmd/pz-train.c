/* pz-train: datasets -> a model. See man/pz-train.1. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "cmd/cli.h"
#include "cmd/selection.h"
#include "data/showing.h"
#include "eval/update.h"
#include "infer/locate.h"
#include "recipe/custom.h"
#include "recipe/objective.h"

static struct {
    const char *recipe, *solution, *output;
    struct pz_opt_list params, shown;
    struct pz_selection_opts selection;
    const char *objective, *hpo_config, *metric, *mode;
    int64_t hpo, hpo_parallel;
    double time_budget;
    bool no_eval, strict, list, choose;
} opt = {.selection.threshold = NAN};

static const struct pz_opt options[] = {
    {"recipe", 'r', PZ_OPT_TEXT, &opt.recipe, "RECIPE",
     "what to learn; see --list-recipes", 0, 0},
    {"solution", 'S', PZ_OPT_TEXT, &opt.solution, "NAME",
     "name of the solution (default: the recipe's)", 0, 0},
    {"param", 'p', PZ_OPT_LIST, &opt.params, "NAME=VALUE", "set a hyperparameter", 0, 0},
    PZ_SELECTION_OPTIONS(opt.selection),
    {"objective", 0, PZ_OPT_TEXT, &opt.objective, "COLUMN:LEVEL",
     "trade relevance for this number of items: OFF, LOW, MEDIUM or HIGH", 0, 0},
    {"mode", 0, PZ_OPT_TEXT, &opt.mode, "full|update",
     "update: learn the latest version on, with new items and events (default full)", 0,
     0},
    {"no-eval", 0, PZ_OPT_FLAG, &opt.no_eval, NULL, "do not measure, only train", 0, 0},
    {"auto", 0, PZ_OPT_FLAG, &opt.choose, NULL,
     "take the recipe that validates best, of those for users or of -r A,B,...", 0, 0},
    {"hpo", 0, PZ_OPT_INT, &opt.hpo, "N",
     "find hyperparameters with N trainings; what was tried goes on after an "
     "interruption",
     1, PZ_MAX_TRIALS},
    {"hpo-config", 0, PZ_OPT_TEXT, &opt.hpo_config, "FILE",
     "their ranges, as Amazon's hpoConfig (default: those the recipe calls tunable)", 0,
     0},
    {"hpo-parallel", 0, PZ_OPT_INT, &opt.hpo_parallel, "N",
     "trainings of --hpo at once, sharing --threads (default: hpoConfig's, else 1)", 1,
     256},
    {"hpo-metric", 0, PZ_OPT_TEXT, &opt.metric, "NAME",
     "what --hpo and --auto look at (default "
     "normalized_discounted_cumulative_gain_at_25)",
     0, 0},
    {"time-budget", 0, PZ_OPT_REAL, &opt.time_budget, "SECONDS",
     "start no training of --hpo after that; else the time_budget of the recipe", 0, 1e9},
    {"shown", 0, PZ_OPT_LIST, &opt.shown, "FILE",
     "what pz-recommend --log wrote: what was shown and not taken is explored less", 0,
     0},
    {"output", 'o', PZ_OPT_TEXT, &opt.output, "FILE",
     "write this model file, not a version of the solution", 0, 0},
    {"strict", 0, PZ_OPT_FLAG, &opt.strict, NULL,
     "fail where Amazon Personalize asks for more data", 0, 0},
    {"list-recipes", 0, PZ_OPT_FLAG, &opt.list, NULL,
     "print the recipes; with -r the hyperparameters of one", 0, 0},
    {NULL, 0, PZ_OPT_FLAG, NULL, NULL, NULL, 0, 0},
};

static const struct pz_tool tool = {
    "pz-train",
    "-g DIR -r RECIPE [-S NAME] [-p NAME=VALUE]... [options]\n"
    "-g DIR --auto [-r RECIPE,...] [-S NAME] [options]\n"
    "-g DIR --mode update [-S NAME]\n"
    "--list-recipes [-r RECIPE]",
    "Learn a model from the interactions of the group, and measure it.",
    "  pz-train -g shop -r aws-user-personalization\n"
    "  pz-train -g shop -r aws-sims -S similar -p popularity_discount_factor=0.8\n"
    "  pz-train -g shop -r aws-sims --event-type Purchase=5 --event-type View\n"
    "  pz-train -g shop -r aws-sims -S similar --hpo 20\n"
    "  pz-train -g shop --mode update -S similar\n"
    "  pz-train --list-recipes -r aws-sims\n",
    options,
};

static const struct pz_form forms[] = {{"list-recipes", "recipe"}, {NULL, NULL}};
static const struct pz_opt_rule rules[] = {
    {"output", NULL, "solution",
     "a model that is written to a file is no version of a solution"},
    {"auto", NULL, "param", "each recipe is taken with its defaults"},
    {"hpo-parallel", "hpo hpo-config", NULL, NULL},
    {"hpo-metric", "hpo hpo-config auto", NULL, NULL},
    {NULL, NULL, NULL, NULL},
};

/* ---- recipes ---- */

/* The recipe of this name; *preset is what it stands behind, or NULL. */
static const struct pz_recipe *
need_recipe(const char *name, const struct pz_preset **preset)
{
    struct pz_err err = PZ_ERR_INIT;
    const struct pz_recipe *r;
    if (pz_recipe_need(name, &r, preset, &err))
        pz_die_err(&err);
    return r;
}

static void
list_params(const struct pz_recipe *r, const struct pz_preset *preset)
{
    struct pz_buf text = PZ_BUF_INIT;
    struct pz_err err = PZ_ERR_INIT;
    if (preset) {
        printf("is\t%s\n", r->name);
        for (const char *const *p = preset->param; p && *p; p++)
            printf("with\t%s\n", *p);
        for (size_t i = 0; i < preset->n_events; i++)
            printf("learns\t%s\n", preset->event[i].type);
        if (preset->filter)
            printf("filter\t%s\n", preset->filter);
    }
    pz_params_help(r->params, &text);
    if (pz_buf_status(&text, "hyperparameters", &err))
        pz_die_err(&err);
    if (text.len)
        fwrite(text.data, 1, text.len, stdout);
    pz_buf_release(&text);
}

/* Of somebody's own: with the file that it comes from. */
static void
list_found(void *ctx, const struct pz_recipe *r, const struct pz_preset *p,
           const char *path)
{
    (void)ctx;
    const char *summary = p ? p->summary : r->summary;
    printf("%s\t%s\t%s\t%s\n", p ? p->name : r->name,
           p && p->domain ? p->domain : pz_recipe_type_name(r->type),
           summary ? summary : "", path);
}

static void
list_recipes(void)
{
    struct pz_err err = PZ_ERR_INIT;
    if (opt.recipe) {
        const struct pz_preset *preset;
        const struct pz_recipe *r = need_recipe(opt.recipe, &preset);
        list_params(r, preset);
        return;
    }
    for (const struct pz_recipe *const *p = pz_recipes; *p; p++)
        printf("%s\t%s\t%s\n", (*p)->name, pz_recipe_type_name((*p)->type),
               (*p)->summary);
    for (const struct pz_preset *p = pz_presets; p->name; p++)
        printf("%s\t%s\t%s\n", p->name,
               p->domain ? p->domain
                         : pz_recipe_type_name(pz_recipe_find(p->recipe)->type),
               p->summary);
    if (pz_recipes_found(list_found, NULL, &err))
        pz_die_err(&err);
}

/* The preset's values, then the command line's. */
static void
set_params(struct pz_params *params, const struct pz_training *t)
{
    struct pz_err err = PZ_ERR_INIT;
    pz_params_init(params, t->recipe->params);
    for (const char *const *p = t->preset ? t->preset->param : NULL; p && *p; p++)
        if (pz_params_set(params, *p, &err))
            pz_die(PZ_DATA, "preset %s: recipe %s: %s", t->preset->name, t->recipe->name,
                   err.msg);
    for (size_t i = 0; i < opt.params.n; i++)
        if (pz_params_set(params, opt.params.item[i], &err))
            pz_die(err.status, "recipe %s: %s", t->recipe->name, err.msg);
    int budget = pz_param_find(t->recipe->params, "time_budget");
    if (opt.time_budget > 0 && !t->choice && budget >= 0 && params->given[budget] &&
        params->value[budget] != opt.time_budget)
        pz_die(PZ_USAGE, "--time-budget contradicts -p time_budget");
    if (opt.time_budget > 0 && !t->choice && budget < 0)
        pz_die(PZ_USAGE, "recipe %s has no time_budget, and there is no --hpo",
               t->recipe->name);
    if (opt.time_budget > 0 && !t->choice && !params->given[budget])
        params->value[budget] = opt.time_budget;
}

/* ---- what is left to validation ---- */

/* A row of the table of trials: head before the first. */
static void
tell_trial(void *ctx, const struct pz_ranges *r, const struct pz_trial *t,
           uint32_t number)
{
    const struct pz_choice *c = ctx;
    struct pz_buf line = PZ_BUF_INIT;
    if (pz_common.quiet)
        return;
    if (number == 0) {
        pz_buf_addf(&line, "trial\tusers\t%s", pz_metric_name(c->metric));
        for (size_t k = 0; k < r->n; k++)
            pz_buf_addf(&line, "\t%s", t->params.def[r->range[k].param].name);
        pz_buf_addc(&line, '\n');
    }
    pz_buf_addf(&line, "%" PRIu32 "\t%.2f\t%.4f", number, t->share, t->value);
    for (size_t k = 0; k < r->n; k++) {
        int p = r->range[k].param;
        pz_buf_addc(&line, '\t');
        pz_param_text(&t->params.def[p], t->params.value[p], &line);
    }
    fprintf(stderr, "%s%s\n", line.data ? line.data : "",
            t->again ? "\t(of an earlier run)" : "");
    pz_buf_release(&line);
}

static void
tell_recipe(void *ctx, const struct pz_recipe *r, const struct pz_metrics *m)
{
    const struct pz_choice *c = ctx;
    if (!pz_common.quiet)
        fprintf(stderr, "%s\t%s\t%.4f\n", r->name, pz_metric_name(c->metric),
                m->value[c->metric]);
}

/* The recipes of --auto; they live as long as the process. */
static void
set_candidates(struct pz_choice *c)
{
    static const struct pz_recipe *list[64];
    c->recipe = list;
    if (!opt.recipe) {
        for (const struct pz_recipe *const *p = pz_recipes; *p && c->n_recipes < 64; p++)
            if (((*p)->type == PZ_USER_PERSONALIZATION ||
                 (*p)->type == PZ_POPULAR_ITEMS) &&
                (!opt.objective || pz_objective_fits(*p)))
                list[c->n_recipes++] = *p;
        return;
    }
    for (const char *s = opt.recipe;; s++) {
        size_t n = strcspn(s, ",");
        const struct pz_preset *preset;
        struct pz_err err = PZ_ERR_INIT;
        char *name;
        if (c->n_recipes == 64)
            pz_die(PZ_USAGE, "more than 64 recipes");
        if (pz_strndup(&name, s, n, &err))
            pz_die_err(&err);
        list[c->n_recipes++] = need_recipe(name, &preset);
        if (preset)
            pz_die(PZ_USAGE, "--auto chooses among recipes; '%s' is a preset", name);
        if (opt.objective && !pz_objective_fits(list[c->n_recipes - 1]))
            pz_die(PZ_USAGE, "--objective: --auto could choose %s, which weighs none",
                   name);
        free(name);
        s += n;
        if (!*s)
            return;
    }
}

/* NULL when nothing is left to validation. `text` holds what it borrows. */
static const struct pz_choice *
set_choice(struct pz_choice *c, struct pz_buf *text)
{
    struct pz_err err = PZ_ERR_INIT;
    enum { MAX_CONFIG = 1 << 20 };
    *c = (struct pz_choice){.trials = (uint32_t)opt.hpo,
                            .at_once = (uint32_t)opt.hpo_parallel,
                            .seconds = opt.time_budget,
                            .metric = PZ_NDCG_25,
                            .tried = tell_recipe,
                            .done = tell_trial,
                            .ctx = c};
    pz_opt_rules(rules);
    if (opt.choose && !opt.hpo && !opt.hpo_config && opt.time_budget > 0)
        pz_die(PZ_USAGE, "--time-budget with --auto goes with --hpo");
    if (!opt.choose && !opt.hpo && !opt.hpo_config)
        return NULL;
    if (opt.metric) {
        if (pz_offline_metric_parse(&c->metric, opt.metric, &err))
            pz_die_err(&err);
        c->has_metric = true;
    }
    if (opt.hpo_config) {
        if (pz_read_all(text, opt.hpo_config, MAX_CONFIG, &err))
            pz_die_err(&err);
        c->hpo = text->data ? text->data : "";
        c->n_hpo = text->len;
    }
    if (opt.choose)
        set_candidates(c);
    return c;
}

/* ---- what came out ---- */

static void
print_figures(const struct pz_recipe *recipe, const struct pz_figures *f)
{
    fprintf(stderr, "%-44s %28s %20s\n", "", recipe->name, f->baseline);
    for (size_t i = 0; i < f->n; i++)
        fprintf(stderr, "%-44s %28.4f %20.4f\n", f->figure[i].name, f->figure[i].value,
                f->figure[i].baseline);
    fprintf(stderr, "%" PRIu64 " %s\n", f->n_asked, f->asked);
}

static void
print_table(const struct pz_training_result *r)
{
    if (pz_common.quiet || !r->measured)
        return;
    if (r->figures.n) {
        print_figures(r->recipe, &r->figures);
        return;
    }
    int width = 44; // more where a longer name is shown
    for (int m = 0; m < PZ_N_METRICS; m++) {
        int n = (int)strlen(pz_metric_name((enum pz_metric)m));
        width = !isnan(r->metrics.value[m]) && n > width ? n : width;
    }
    fprintf(stderr, "%-*s %24s", width, "", r->recipe->name);
    if (r->has_baseline)
        fprintf(stderr, " %20s", "aws-popularity-count");
    fputc('\n', stderr);
    for (int m = 0; m < PZ_N_METRICS; m++) {
        if (isnan(r->metrics.value[m]))
            continue;
        fprintf(stderr, "%-*s %24.4f", width, pz_metric_name((enum pz_metric)m),
                r->metrics.value[m]);
        if (r->has_baseline && !isnan(r->baseline.value[m]))
            fprintf(stderr, " %20.4f", r->baseline.value[m]);
        fputc('\n', stderr);
    }
    if (r->metrics.n_users)
        fprintf(stderr, "%" PRIu64 " test users\n", r->metrics.n_users);
}

static void
add_text(struct pz_buf *b, const char *key, const char *value)
{
    pz_buf_addf(b, "\"%s\":", key);
    pz_json_add_string(b, value, strlen(value));
    pz_buf_addc(b, ',');
}

static void
print_json(const struct pz_training *t, const struct pz_training_result *r)
{
    struct pz_buf b = PZ_BUF_INIT;
    struct pz_err err = PZ_ERR_INIT;
    pz_buf_addc(&b, '{');
    if (!t->output) {
        add_text(&b, "solution", t->solution);
        add_text(&b, "version", r->version);
    }
    add_text(&b, "recipe", t->preset ? t->preset->name : r->recipe->name);
    add_text(&b, "path", r->path);
    pz_buf_addf(
        &b, "\"interactions\":%" PRIu64 ",\"users\":%" PRIu32 ",\"items\":%" PRIu32 ",",
        r->selected.n_events, r->selected.n_users, r->selected.n_items);
    if (r->has_related)
        pz_buf_addf(&b, "\"itemsWithRelated\":%" PRIu32 ",\"itemsOfModel\":%" PRIu32 ",",
                    r->n_related, r->n_items);
    pz_buf_addz(&b, "\"params\":");
    pz_params_json(&r->params, &b);
    if (r->figures.n) {
        pz_buf_addz(&b, ",\"baseline\":");
        pz_figures_json(&r->figures, true, &b);
        pz_buf_addf(&b, ",\"asked\":%" PRIu64 ",\"metrics\":", r->figures.n_asked);
        pz_figures_json(&r->figures, false, &b);
    } else if (r->has_baseline) {
        pz_buf_addz(&b, ",\"baseline\":");
        pz_metrics_json(&r->baseline, &b);
    }
    if (r->measured && !r->figures.n) {
        pz_buf_addf(&b, ",\"testUsers\":%" PRIu64 ",\"metrics\":", r->metrics.n_users);
        pz_metrics_json(&r->metrics, &b);
    }
    pz_buf_addc(&b, '}');
    if (pz_buf_status(&b, "the result", &err))
        pz_die_err(&err);
    puts(b.data);
    pz_buf_release(&b);
}

/* ---- updates ---- */

static bool
wants_update(void)
{
    if (!opt.mode || strcmp(opt.mode, "full") == 0)
        return false;
    if (strcmp(opt.mode, "update") != 0)
        pz_die(PZ_USAGE, "--mode wants 'full' or 'update', not '%s'", opt.mode);
    return true;
}

/* All that a version was trained with stays; only where it goes can be said. */
static void
set_update(struct pz_training *t, struct pz_update *u)
{
    struct pz_err err = PZ_ERR_INIT;
    const struct pz_preset *preset;
    char *path;
    pz_opt_only("--mode update, where the rest is that of the version that is updated",
                "mode solution recipe output shown strict no-eval json");
    t->group = pz_need_group();
    if (pz_locate_model(&path, t->group, opt.solution, &err) ||
        pz_update_open(u, path, &err))
        pz_die_err(&err);
    if (opt.recipe &&
        (need_recipe(opt.recipe, &preset) != u->recipe || preset != u->preset))
        pz_die(PZ_USAGE, "the solution's recipe is %s, not %s",
               u->preset ? u->preset->name : u->recipe->name, opt.recipe);
    t->recipe = u->recipe;
    t->preset = u->preset;
    t->params = &u->params;
    t->selection = u->selection;
    t->selection.strict = opt.strict;
    t->columns = u->columns;
    t->objective = u->objective;
    t->before = &u->before;
    t->before_version = u->version;
    t->no_eval = true;
    free(path);
}

static void
tell_update(const struct pz_training *t, const struct pz_training_result *r)
{
    if (t->before && !pz_common.quiet)
        fprintf(stderr,
                "updated %s: %" PRIu64 " new items, %" PRIu64 " new users, %" PRIu64
                " more interactions\n",
                t->before_version, r->new_items, r->new_users, r->new_events);
}

int
main(int argc, char **argv)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_training_result result;
    struct pz_params params;
    struct pz_choice choice;
    struct pz_buf text = PZ_BUF_INIT;
    struct pz_update before = {.rule = NULL};
    int first;
    pz_cli_begin();
    pz_opt_parse(&tool, argc, argv, &first);
    if (first < argc)
        pz_die(PZ_USAGE, "unexpected operand '%s'", argv[first]);
    pz_opt_form(forms);
    if (opt.list) {
        list_recipes();
        return pz_cli_end(PZ_OK);
    }
    bool update = wants_update();
    if (!opt.recipe && !opt.choose && !update)
        pz_die(PZ_USAGE, "-r RECIPE is needed; --list-recipes prints them");
    struct pz_training t = {.params = &params};
    if (update) {
        set_update(&t, &before);
    } else {
        t.choice = set_choice(&choice, &text);
        t.recipe = opt.choose ? choice.recipe[0] : need_recipe(opt.recipe, &t.preset);
        set_params(&params, &t);
        t.group = pz_need_group();
        t.objective = opt.objective;
        t.columns = pz_columns_of(&opt.selection);
        t.no_eval = opt.no_eval;
        t.selection = pz_selection_of(&opt.selection, t.preset, opt.strict);
    }
    t.solution = update         ? before.solution
                 : opt.solution ? opt.solution
                 : opt.choose   ? "auto"
                 : t.preset     ? t.preset->name
                                : t.recipe->name;
    t.output = opt.output;
    t.seed = (uint64_t)pz_common.seed;
    t.threads = (int)pz_common.threads;
    struct pz_showings shown = {.n = 0};
    for (size_t i = 0; i < opt.shown.n; i++)
        if (pz_showings_read(&shown, opt.shown.item[i], &err))
            pz_die_err(&err);
    t.shown = opt.shown.n ? &shown : NULL;
    if (pz_training_run(&t, &result, &err))
        pz_die_err(&err);
    pz_showings_release(&shown);
    tell_update(&t, &result);
    print_table(&result);
    if (result.has_related && !pz_common.quiet)
        fprintf(stderr, "%" PRIu32 " of %" PRIu32 " items have related items\n",
                result.n_related, result.n_items);
    puts(result.path);
    if (pz_common.json)
        print_json(&t, &result);
    pz_training_result_release(&result);
    pz_update_close(&before);
    pz_buf_release(&text);
    return pz_cli_end(PZ_OK);
}
