/* pz-eval: recipes, models and ranked lists on the test bench. See man/pz-eval.1. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "cmd/cli.h"
#include "cmd/selection.h"
#include "eval/figures.h"
#include "eval/known.h"
#include "eval/lists.h"
#include "eval/special.h"
#include "recipe/objective.h"
#include "report/html.h"
#include "store/group.h"

static struct {
    struct pz_opt_list recipes, params, by;
    struct pz_selection_opts selection;
    const char *model, *protocol, *metrics, *at, *baseline, *holdout, *seen, *cut, *truth,
        *negatives, *per_user, *html, *objective;
    int64_t draws;
    bool valid, refit, intervals;
} opt = {.selection.threshold = NAN,
         .protocol = "aws",
         .baseline = "aws-popularity-count",
         .holdout = "newest",
         .draws = 1};

static const struct pz_opt options[] = {
    {"recipe", 'r', PZ_OPT_LIST, &opt.recipes, "RECIPE,...",
     "what to test: RECIPE or RECIPE:NAME=VALUE:...; may be repeated", 0, 0},
    {"model", 'm', PZ_OPT_TEXT, &opt.model, "FILE",
     "test this model as it is (protocols split and ncf)", 0, 0},
    {"param", 'p', PZ_OPT_LIST, &opt.params, "NAME=VALUE",
     "set a hyperparameter in all recipes that have it", 0, 0},
    {"protocol", 0, PZ_OPT_TEXT, &opt.protocol, "NAME",
     "aws, loo, strong, split, time or ncf (default %v)", 0, 0},
    {"at", 0, PZ_OPT_TEXT, &opt.at, "K,...",
     "list lengths that metrics are taken at (default: the protocol's)", 0, 0},
    {"metrics", 0, PZ_OPT_TEXT, &opt.metrics, "NAME[@K],...",
     "what to show (default: the protocol's)", 0, 0},
    {"intervals", 0, PZ_OPT_FLAG, &opt.intervals, NULL,
     "a line a metric, with 95 % intervals and the difference to the baseline", 0, 0},
    {"baseline", 0, PZ_OPT_TEXT, &opt.baseline, "RECIPE",
     "compare with it; 'first': the first one of -r (default %v)", 0, 0},
    {"by", 0, PZ_OPT_LIST, &opt.by, "WHAT",
     "segments too: history, popularity, or a column; may be repeated", 0, 0},
    {"per-user", 0, PZ_OPT_TEXT, &opt.per_user, "FILE",
     "write the metrics of each user to FILE", 0, 0},
    {"html", 0, PZ_OPT_TEXT, &opt.html, "FILE",
     "write a page with pictures and examples to FILE", 0, 0},
    PZ_SELECTION_OPTIONS(opt.selection),
    {"objective", 0, PZ_OPT_TEXT, &opt.objective, "COLUMN:LEVEL",
     "trade relevance for this number of items: OFF, LOW, MEDIUM or HIGH", 0, 0},
    {"The test", 0, PZ_OPT_HEADING, NULL, NULL, NULL, 0, 0},
    {"valid", 0, PZ_OPT_FLAG, &opt.valid, NULL,
     "ask for validation data: to choose hyperparameters with", 0, 0},
    {"draws", 0, PZ_OPT_INT, &opt.draws, "N",
     "aws, strong: draw N times and print the mean (default %v)", 1, 1000},
    {"holdout", 0, PZ_OPT_TEXT, &opt.holdout, "newest|last",
     "aws: the truth is the newest tenth or the last event (default %v)", 0, 0},
    {"refit", 0, PZ_OPT_FLAG, &opt.refit, NULL,
     "loo: learn from the validation event too", 0, 0},
    {"cut", 0, PZ_OPT_TEXT, &opt.cut, "TIME|SHARE",
     "time: where training ends (default 0.9 of the events)", 0, 0},
    {"truth", 0, PZ_OPT_TEXT, &opt.truth, "FILE", "split: users and the items they took",
     0, 0},
    {"negatives", 0, PZ_OPT_TEXT, &opt.negatives, "FILE",
     "ncf: user, true item and the items it is ranked among", 0, 0},
    {"seen", 0, PZ_OPT_TEXT, &opt.seen, "keep|hide",
     "may answers hold items of the history? (default: the protocol's)", 0, 0},
    {NULL, 0, PZ_OPT_FLAG, NULL, NULL, NULL, 0, 0},
};

static const struct pz_tool tool = {
    "pz-eval",
    "-g DIR -r RECIPE[,RECIPE...] [--protocol NAME] [options]\n"
    "-m MODEL --protocol split|ncf [options]\n"
    "--truth FILE [--at K,...] [LISTS...]",
    "Measure how well recipes, models or any ranked lists meet what users did next.",
    "  pz-eval -g shop -r aws-user-personalization,aws-sims\n"
    "  pz-eval -g shop -r aws-sims --protocol loo --at 10,20 --intervals\n"
    "  pz-eval -g shop -r aws-sims:shrinkage=0,aws-sims:shrinkage=50 --valid\n"
    "  pz-eval -g shop -r aws-user-personalization --protocol time --cut 0.8\n"
    "  pz-eval --truth truth.tsv --at 10 < ranked.tsv\n",
    options,
};

/* ---- options ---- */

static void
die_word(const char *option, const char *value, const char *words)
{
    pz_die(PZ_USAGE, "--%s: '%s' is not %s", option, value, words);
}

static bool
is(const char *value, const char *word)
{
    return strcmp(value, word) == 0;
}

/* A date or Unix seconds, or a share of the events. */
static void
parse_cut(struct pz_split_spec *s)
{
    double share;
    s->share = 0.9;
    if (!opt.cut)
        return;
    size_t n = strlen(opt.cut);
    if (pz_parse_f64(opt.cut, n, &share) == PZ_NUM_OK && share > 0 && share < 1) {
        s->share = share;
        return;
    }
    s->has_cut = true;
    if (pz_time_parse(opt.cut, n, &s->cut) != 0 &&
        pz_parse_i64(opt.cut, n, &s->cut) != PZ_NUM_OK)
        die_word("cut", opt.cut,
                 "a share between 0 and 1, a time such as 2024-12-20T12:00 or Unix "
                 "seconds");
}

/* Options of one protocol alone are mistakes beside another. */
static void
refuse_idle(enum pz_protocol protocol)
{
    const struct {
        const char *option;
        enum pz_protocol of;
        bool given;
    } only[] = {{"holdout", PZ_AWS, !is(opt.holdout, "newest")},
                {"refit", PZ_LOO, opt.refit},
                {"cut", PZ_TIME, opt.cut != NULL},
                {"truth", PZ_SPLIT, opt.truth != NULL},
                {"negatives", PZ_NCF, opt.negatives != NULL}};
    for (size_t i = 0; i < sizeof only / sizeof *only; i++)
        if (only[i].given && only[i].of != protocol)
            pz_die(PZ_USAGE, "--%s goes with --protocol %s, not %s", only[i].option,
                   pz_protocol_name(only[i].of), pz_protocol_name(protocol));
    if (opt.refit && opt.valid)
        pz_die(PZ_USAGE, "--refit learns from what --valid would ask about");
    if (opt.truth && opt.valid)
        pz_die(PZ_USAGE, "--valid asks about events of the group, not about --truth");
    if (opt.draws > 1 && protocol != PZ_AWS && protocol != PZ_STRONG)
        pz_die(PZ_USAGE, "--draws: protocol %s draws nothing",
               pz_protocol_name(protocol));
}

static void
set_spec(struct pz_split_spec *s)
{
    struct pz_err err = PZ_ERR_INIT;
    *s = (struct pz_split_spec){.valid = opt.valid, .refit = opt.refit};
    if (pz_protocol_parse(&s->protocol, opt.protocol, &err))
        pz_die_err(&err);
    refuse_idle(s->protocol);
    s->hide_seen = pz_protocol_hides_seen(s->protocol);
    if (opt.seen && !is(opt.seen, "keep") && !is(opt.seen, "hide"))
        die_word("seen", opt.seen, "'keep' or 'hide'");
    if (opt.seen)
        s->hide_seen = is(opt.seen, "hide");
    s->last = is(opt.holdout, "last");
    if (!s->last && !is(opt.holdout, "newest"))
        die_word("holdout", opt.holdout, "'newest' or 'last'");
    parse_cut(s);
    s->file = s->protocol == PZ_NCF ? opt.negatives : opt.truth;
    if (s->protocol == PZ_NCF && !s->file)
        pz_die(PZ_USAGE, "--protocol ncf needs --negatives FILE");
    if (s->protocol == PZ_SPLIT && !s->file && !s->valid)
        pz_die(PZ_USAGE, "--protocol split needs --truth FILE");
}

/* The recipes alone. */
static void
set_given(struct pz_entries *e)
{
    struct pz_err err = PZ_ERR_INIT;
    for (size_t i = 0; i < opt.recipes.n; i++)
        if (pz_entries_add(e, opt.recipes.item[i], &err))
            pz_die_err(&err);
}

/* -p, and what the labels set. */
static void
set_params(struct pz_entries *e)
{
    struct pz_err err = PZ_ERR_INIT;
    for (size_t i = 0; i < opt.params.n; i++)
        if (pz_entries_set(e, opt.params.item[i], &err))
            pz_die_err(&err);
    if (pz_entries_resolve(e, &err))
        pz_die_err(&err);
}

/* The recipes, the baseline before them where it is not among them; its place in *base.
 */
static void
set_entries(struct pz_entries *e, size_t *base)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_entries given = {0};
    size_t i = 0;
    *base = 0;
    set_given(&given);
    while (i < given.n && !is(given.entry[i].label, opt.baseline))
        i++;
    if (i < given.n)
        *base = i;
    else if (!is(opt.baseline, "first") && pz_entries_add(e, opt.baseline, &err))
        pz_die_err(&err);
    set_given(e);
    pz_entries_release(&given);
    set_params(e);
}

/* Are these recipes of segments or of actions? They are measured each in their own way,
 * which nothing else can be compared with. */
static bool
has_figures(const struct pz_entries *e)
{
    for (size_t i = 1; i < e->n; i++)
        if (e->entry[i].recipe->type != e->entry[0].recipe->type &&
            (pz_has_figures(e->entry[i].recipe) || pz_has_figures(e->entry[0].recipe)))
            pz_die(PZ_USAGE,
                   "%s and %s do not answer with the same kind of thing, and cannot be "
                   "compared",
                   e->entry[0].label, e->entry[i].label);
    return e->n > 0 && pz_has_figures(e->entry[0].recipe);
}

/* What makes no sense for figures. */
static void
refuse_for_figures(void)
{
    const struct {
        const char *option;
        bool given;
    } no[] = {{"protocol", !is(opt.protocol, "aws")},
              {"baseline", !is(opt.baseline, "aws-popularity-count")},
              {"cut", opt.cut != NULL},
              {"refit", opt.refit},
              {"truth", opt.truth != NULL},
              {"negatives", opt.negatives != NULL},
              {"at", opt.at != NULL},
              {"metrics", opt.metrics != NULL},
              {"intervals", opt.intervals},
              {"by", opt.by.n > 0},
              {"per-user", opt.per_user != NULL},
              {"html", opt.html != NULL},
              {"objective", opt.objective != NULL},
              {"valid", opt.valid},
              {"draws", opt.draws > 1},
              {"holdout", !is(opt.holdout, "newest")},
              {"seen", opt.seen != NULL}};
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (no[i].given)
            pz_die(PZ_USAGE, "--%s: segments of users and actions are not measured so",
                   no[i].option);
}

/* ---- what came out ---- */

static const char *
id_of_user(const void *ids, uint32_t user, size_t *n)
{
    return pz_ids_get(ids, user, n);
}

static const char *
id_in_lists(const void *ids, uint32_t user, size_t *n)
{
    return pz_dict_get(ids, user, n);
}

static void
write_file(const char *path, const struct pz_buf *b)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_out out = PZ_OUT_INIT;
    if (pz_out_open(&out, path, &err) || pz_out_write(&out, b->data, b->len, &err) ||
        pz_out_commit(&out, &err)) {
        pz_out_abort(&out);
        pz_die_err(&err);
    }
}

static void
print(const struct pz_findings *f)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_buf b = PZ_BUF_INIT;
    if (opt.per_user) {
        pz_text_users(&b, f);
        if (pz_buf_status(&b, "the metrics of users", &err))
            pz_die_err(&err);
        write_file(opt.per_user, &b);
        pz_buf_clear(&b);
    }
    if (pz_common.json)
        pz_text_json(&b, f);
    else if (opt.intervals)
        pz_text_intervals(&b, f, isatty(STDOUT_FILENO));
    else
        pz_text_means(&b, f, isatty(STDOUT_FILENO));
    if (pz_buf_status(&b, "the result", &err))
        pz_die_err(&err);
    fwrite(b.data, 1, b.len, stdout);
    pz_buf_release(&b);
}

/* ---- doing it ---- */

static void
open_world(struct pz_world *w, struct pz_limited *limited, struct pz_events *events,
           enum pz_set set)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_selection_report report;
    struct pz_selection selection = pz_selection_of(&opt.selection, NULL, false);
    const char *group = pz_need_group();
    if (pz_group_need(group, &err))
        pz_die_err(&err);
    int r = pz_world_open(w, group, set, (int)pz_common.threads, &err);
    if (r == PZ_NEGATIVE)
        pz_die(PZ_DATA, "group '%s' has no %s", group, pz_set_name(set));
    if (r == PZ_OK && set == PZ_ACTION_INTERACTIONS && !w->items)
        pz_die(PZ_DATA, "group '%s' has no actions", group);
    struct pz_column_choice columns = pz_columns_of(&opt.selection);
    if (r || pz_world_limit(limited, w, &columns, &err) ||
        pz_world_select(&limited->world, &selection, events, &report, &err))
        pz_die_err(&err);
}

static const struct pz_objective *
open_objective(struct pz_objective *o, const struct pz_world *w)
{
    struct pz_err err = PZ_ERR_INIT;
    if (!opt.objective)
        return NULL;
    if (pz_objective_parse(o, opt.objective, &err) || pz_objective_open(o, w, &err))
        pz_die_err(&err);
    return o;
}

/* The first value of users that is shown stands in front. */
static size_t
front_column(const struct pz_shown *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->item[i].measure < PZ_N_RANK_MEASURES)
            return i;
    pz_die(PZ_USAGE, "--html: --metrics has none of users");
}

/* The best entry by this column, the baseline only when it is alone. */
static size_t
best_entry(const struct pz_compared *o, size_t base, size_t column)
{
    size_t best = base;
    for (size_t e = 0; e < o->n_entries; e++)
        if (e != base && (best == base || o->mean[e * o->n_columns + column] >
                                              o->mean[best * o->n_columns + column]))
            best = e;
    return best;
}

static void
write_page(const struct pz_findings *f, const struct pz_compare *c)
{
    enum { EXAMPLES = 20 };
    struct pz_err err = PZ_ERR_INIT;
    struct pz_buf b = PZ_BUF_INIT;
    struct pz_curve curve = {.n_entries = 0};
    struct pz_examples examples;
    char metric[64];
    size_t i = front_column(f->shown), column = f->shown->item[i].column;
    snprintf(metric, sizeof metric, "%s@%" PRIu32,
             pz_measure_name(f->shown->item[i].measure), f->shown->item[i].k);
    if ((!opt.model && pz_curve_run(&curve, f->compared, c, column, &err)) ||
        pz_examples_make(&examples, f->compared, c,
                         best_entry(f->compared, f->base, column), EXAMPLES, &err))
        pz_die_err(&err);
    struct pz_page page = {.findings = f,
                           .world = c->world,
                           .group = opt.model ? opt.model : pz_common.group,
                           .column = column,
                           .metric = metric,
                           .curve = &curve,
                           .examples = &examples};
    if (pz_html_page(&b, &page, &err))
        pz_die_err(&err);
    write_file(opt.html, &b);
    pz_curve_release(&curve);
    pz_examples_release(&examples);
    pz_buf_release(&b);
}

/* A page has these segments without being asked. */
static void
add_usual_segments(void)
{
    static const char *const usual[] = {"history", "popularity"};
    for (size_t i = 0; i < 2; i++) {
        size_t k = 0;
        while (k < opt.by.n && !is(opt.by.item[k], usual[i]))
            k++;
        if (k == opt.by.n)
            pz_opt_list_add(&opt.by, usual[i]);
    }
}

/* A model has its own objective, columns and events, and no group. */
static void
refuse_for_model(void)
{
    pz_opt_only("-m, which is tested as it is",
                "model param protocol at metrics intervals baseline by per-user html "
                "valid refit cut truth negatives seen json");
    if (pz_common.group_given)
        pz_die(PZ_USAGE, "-g %s: a model is tested with what it has learned from",
               pz_common.group);
}

static void
test_recipes(struct pz_shown *shown)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_entries entries = {0};
    struct pz_world world = {0}; // of which recipes learn from what is in `limited`
    struct pz_limited limited = {.world = {.interactions = NULL}};
    struct pz_events events = {0};
    struct pz_known known = {.events = {0}};
    struct pz_compared result;
    struct pz_segments segments = {0};
    struct pz_objective objective = {.column = NULL};
    struct pz_compare c = {.world = opt.model ? &known.world : &limited.world,
                           .events = opt.model ? &known.events : &events,
                           .draws = (uint32_t)opt.draws,
                           .entries = &entries,
                           .at = &shown->at,
                           .seed = (uint64_t)pz_common.seed,
                           .threads = (int)pz_common.threads};
    struct pz_findings f = {.compared = &result,
                            .entries = &entries,
                            .shown = shown,
                            .segments = &segments,
                            .part = opt.valid ? "validation" : "test",
                            .user_id = id_of_user,
                            .ids = &c.world->user};
    set_spec(&c.spec);
    f.protocol = pz_protocol_name(c.spec.protocol);
    if (opt.model)
        refuse_for_model();
    if (opt.model && pz_known_open(&known, opt.model, &err))
        pz_die_err(&err);
    set_entries(&entries, &c.base);
    if (opt.model && pz_has_figures(known.model.recipe))
        pz_die(PZ_USAGE, "'%s' does not answer with items; give its recipe with -r",
               opt.model);
    if (opt.model && pz_known_add(&known, opt.model, &entries, &err))
        pz_die_err(&err);
    f.base = c.base;
    if (!opt.model)
        open_world(&world, &limited, &events, PZ_INTERACTIONS);
    c.objective = open_objective(&objective, &world);
    if (pz_compare_run(&result, &c, &err) ||
        pz_compare_special(&result, &c, shown->special, &err))
        pz_die_err(&err);
    if (opt.html)
        add_usual_segments();
    for (size_t i = 0; i < opt.by.n; i++)
        if (pz_segments_add(&segments, &result, &shown->at, opt.model ? c.world : &world,
                            opt.by.item[i], &err))
            pz_die_err(&err);
    if (opt.html)
        write_page(&f, &c);
    print(&f);
    pz_segments_release(&segments);
    pz_compared_release(&result);
    pz_events_release(&events);
    pz_limited_release(&limited);
    pz_world_close(&world);
    pz_known_close(&known);
    pz_entries_release(&entries);
    pz_objective_release(&objective);
}

/* Recipes of segments or of actions. */
static void
test_figures(struct pz_entries *entries)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_world world = {0};
    struct pz_limited limited = {.world = {.interactions = NULL}};
    struct pz_events events = {0};
    struct pz_figures *figures;
    struct pz_buf b = PZ_BUF_INIT;
    bool actions = entries->entry[0].recipe->type == PZ_PERSONALIZED_ACTIONS;
    refuse_for_figures();
    set_params(entries);
    open_world(&world, &limited, &events,
               actions ? PZ_ACTION_INTERACTIONS : PZ_INTERACTIONS);
    if (pz_new(&figures, entries->n, sizeof *figures, "metrics", &err))
        pz_die_err(&err);
    for (size_t i = 0; i < entries->n; i++) {
        struct pz_eval e = {.recipe = entries->entry[i].recipe,
                            .world = &limited.world,
                            .events = &events,
                            .params = &entries->entry[i].params,
                            .seed = (uint64_t)pz_common.seed,
                            .threads = (int)pz_common.threads};
        if (pz_figures_measure(&e, &figures[i], &err))
            pz_die_err(&err);
        if (!figures[i].n)
            pz_die(PZ_DATA, "there is too little to test %s on", entries->entry[i].label);
    }
    if (pz_common.json)
        pz_text_figures_json(&b, entries, figures);
    else
        pz_text_figures(&b, entries, figures, isatty(STDOUT_FILENO));
    if (pz_buf_status(&b, "the result", &err))
        pz_die_err(&err);
    fwrite(b.data, 1, b.len, stdout);
    pz_buf_release(&b);
    free(figures);
    pz_events_release(&events);
    pz_limited_release(&limited);
    pz_world_close(&world);
}

static void
score_lists(struct pz_shown *shown, const char *const *file, size_t n_files)
{
    static const char *const standard = "-";
    struct pz_err err = PZ_ERR_INIT;
    struct pz_compared result;
    struct pz_lists lists;
    pz_opt_only("--truth alone, which scores lists from elsewhere",
                "truth at metrics intervals per-user json");
    if (pz_common.group_given)
        pz_die(PZ_USAGE, "-g %s: lists from elsewhere are scored without a group",
               pz_common.group);
    if (pz_lists_compare(&result, &lists, opt.truth, n_files ? file : &standard,
                         n_files ? n_files : 1, &shown->at, (uint64_t)pz_common.seed,
                         (int)pz_common.threads, &err))
        pz_die_err(&err);
    print(&(struct pz_findings){.compared = &result,
                                .entries = &lists.entries,
                                .shown = shown,
                                .user_id = id_in_lists,
                                .ids = &lists.user});
    pz_compared_release(&result);
    pz_lists_release(&lists);
}

int
main(int argc, char **argv)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_shown shown;
    enum pz_protocol protocol;
    int first;
    pz_cli_begin();
    pz_opt_parse(&tool, argc, argv, &first);
    if (opt.by.n && opt.intervals && !pz_common.json && !opt.html)
        pz_die(PZ_USAGE, "--intervals shows no segments: --by goes with the table "
                         "without it, --json or --html");
    bool lists = opt.truth && !opt.recipes.n && !opt.model;
    if (first < argc && !lists)
        pz_die(PZ_USAGE,
               "unexpected operand '%s': files of lists need --truth, and no -r",
               argv[first]);
    if (!opt.recipes.n && !opt.model && !lists)
        pz_die(PZ_USAGE, "-r RECIPE, -m MODEL or --truth FILE is needed; pz-train "
                         "--list-recipes prints the recipes");
    if (opt.recipes.n && opt.model)
        pz_die(PZ_USAGE, "-r and -m do not go together: a model has learned from its own "
                         "data");
    struct pz_entries given = {0};
    set_given(&given);
    if (has_figures(&given)) {
        test_figures(&given);
        pz_entries_release(&given);
        return pz_cli_end(PZ_OK);
    }
    pz_entries_release(&given);
    if (pz_protocol_parse(&protocol, opt.protocol, &err) ||
        pz_shown_init(&shown, opt.metrics, opt.objective ? "reward,rewards" : NULL,
                      opt.at, protocol, &err))
        pz_die_err(&err);
    if (lists)
        score_lists(&shown, (const char *const *)argv + first, (size_t)(argc - first));
    else
        test_recipes(&shown);
    pz_shown_release(&shown);
    return pz_cli_end(PZ_OK);
}
