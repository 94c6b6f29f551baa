/* pz-eval: recipes, models and ranked lists on the test bench. See man/pz-eval.1. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "cmd/cli.h"
#include "cmd/selection.h"
#include "eval/compare.h"
#include "eval/shown.h"

static struct {
    struct pz_opt_list recipes, params;
    struct pz_selection_opts selection;
    const char *protocol, *metrics, *at, *baseline, *holdout, *seen, *cut, *truth,
        *negatives;
    int64_t draws;
    bool valid, refit, spread;
} opt = {.selection.threshold = NAN,
         .protocol = "aws",
         .baseline = "aws-popularity-count",
         .holdout = "newest",
         .cut = "0.9",
         .draws = 1};

static const struct pz_opt options[] = {
    {"recipe", 'r', PZ_OPT_LIST, &opt.recipes, "RECIPE,...",
     "what to test: RECIPE or RECIPE:NAME=VALUE:...; may be repeated", 0, 0},
    {"param", 'p', PZ_OPT_LIST, &opt.params, "NAME=VALUE",
     "set a hyperparameter in all recipes that have it", 0, 0},
    {"protocol", 0, PZ_OPT_TEXT, &opt.protocol, "NAME",
     "aws, loo, strong, split, time or ncf (default %v)", 0, 0},
    {"at", 0, PZ_OPT_TEXT, &opt.at, "K,...",
     "list lengths that metrics are taken at (default: the protocol's)", 0, 0},
    {"metrics", 0, PZ_OPT_TEXT, &opt.metrics, "NAME[@K],...",
     "what to show (default: the protocol's)", 0, 0},
    {"intervals", 0, PZ_OPT_FLAG, &opt.spread, NULL,
     "a line a metric, with 95 % intervals and the difference to the baseline", 0, 0},
    {"baseline", 0, PZ_OPT_TEXT, &opt.baseline, "RECIPE",
     "compare with it; 'first': the first one of -r (default %v)", 0, 0},
    PZ_SELECTION_OPTIONS(opt.selection),
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
     "time: where training ends (default %v of the events)", 0, 0},
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
    "-g DIR -r RECIPE[,RECIPE...] [--protocol NAME] [options]",
    "Measure how well recipes recommend what users did next.",
    "  pz-eval -g shop -r aws-user-personalization,aws-sims\n"
    "  pz-eval -g shop -r aws-sims --protocol loo --at 10,20 --intervals\n"
    "  pz-eval -g shop -r aws-sims:shrinkage=0,aws-sims:shrinkage=50 --valid\n"
    "  pz-eval -g shop -r aws-user-personalization --protocol time --cut 0.8\n",
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
    size_t n = strlen(opt.cut);
    double share;
    if (pz_parse_f64(opt.cut, n, &share) == PZ_NUM_OK && share > 0 && share < 1) {
        s->share = share;
        return;
    }
    s->has_cut = true;
    s->share = 0.9;
    if (pz_time_parse(opt.cut, n, &s->cut) != 0 &&
        pz_parse_i64(opt.cut, n, &s->cut) != PZ_NUM_OK)
        die_word("cut", opt.cut,
                 "a share between 0 and 1, a time such as 2024-12-20T12:00 or Unix "
                 "seconds");
}

static void
set_spec(struct pz_split_spec *s)
{
    struct pz_err err = PZ_ERR_INIT;
    *s = (struct pz_split_spec){.valid = opt.valid, .refit = opt.refit};
    if (pz_protocol_parse(&s->protocol, opt.protocol, &err))
        pz_die_err(&err);
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
    if (opt.draws > 1 && s->protocol != PZ_AWS && s->protocol != PZ_STRONG)
        pz_die(PZ_USAGE, "--draws: protocol %s draws nothing", opt.protocol);
}

/* The recipes, the baseline before them where it is not among them; its place in *base.
 */
static void
set_entries(struct pz_entries *e, size_t *base)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_entries given = {NULL};
    size_t i = 0;
    *base = 0;
    for (i = 0; i < opt.recipes.n; i++)
        if (pz_entries_add(&given, opt.recipes.item[i], &err))
            pz_die_err(&err);
    for (i = 0; i < given.n && !is(given.entry[i].label, opt.baseline); i++)
        ;
    if (i < given.n)
        *base = i;
    else if (!is(opt.baseline, "first") && pz_entries_add(e, opt.baseline, &err))
        pz_die_err(&err);
    for (i = 0; i < opt.recipes.n; i++)
        if (pz_entries_add(e, opt.recipes.item[i], &err))
            pz_die_err(&err);
    pz_entries_release(&given);
    for (i = 0; i < opt.params.n; i++)
        if (pz_entries_set(e, opt.params.item[i], &err))
            pz_die_err(&err);
    if (pz_entries_resolve(e, &err))
        pz_die_err(&err);
}

/* ---- what came out ---- */

/* Cells of a table: aligned on a terminal, else separated by tabs. */
struct table {
    struct pz_buf text; // cells, NUL after each
    size_t *at;
    size_t n, cap, n_columns;
};

static void
add_cell(struct table *t, const char *text)
{
    struct pz_err err = PZ_ERR_INIT;
    if (pz_grow(&t->at, &t->cap, t->n + 1, sizeof *t->at, "a table", &err))
        pz_die_err(&err);
    t->at[t->n++] = t->text.len;
    pz_buf_addz(&t->text, text);
    pz_buf_addc(&t->text, '\0');
}

static void
add_value(struct table *t, double v)
{
    char text[PZ_NUM_TEXT * 4];
    snprintf(text, sizeof text, fabs(v) < 1e6 ? "%.4f" : "%.6g", v);
    add_cell(t, isnan(v) ? "-" : text);
}

static void
print_table(struct table *t)
{
    struct pz_err err = PZ_ERR_INIT;
    bool aligned = isatty(STDOUT_FILENO);
    if (pz_buf_status(&t->text, "a table", &err))
        pz_die_err(&err);
    for (size_t i = 0; i < t->n; i++) {
        size_t column = i % t->n_columns, width = 0;
        const char *text = t->text.data + t->at[i];
        for (size_t k = column; aligned && k < t->n; k += t->n_columns) {
            size_t n = strlen(t->text.data + t->at[k]);
            width = n > width ? n : width;
        }
        if (column)
            fputs(aligned ? "  " : "\t", stdout);
        // Names to the left, numbers to the right.
        printf(column == 0 ? "%-*s" : "%*s", (int)width, text);
        if (column + 1 == t->n_columns)
            putchar('\n');
    }
    free(t->at);
    pz_buf_release(&t->text);
}

static void
column_name(char out[64], const struct pz_shown *s, size_t i)
{
    snprintf(out, 64, "%s@%" PRIu32, pz_measure_name(s->item[i].measure), s->item[i].k);
}

static void
print_means(const struct pz_compared *o, const struct pz_entries *e,
            const struct pz_shown *s)
{
    struct table t = {.n_columns = s->n + 2};
    char text[64];
    add_cell(&t, "recipe");
    add_cell(&t, "users");
    for (size_t i = 0; i < s->n; i++) {
        column_name(text, s, i);
        add_cell(&t, text);
    }
    for (size_t r = 0; r < o->n_entries; r++) {
        add_cell(&t, e->entry[r].label);
        snprintf(text, sizeof text, "%zu", o->n_cases);
        add_cell(&t, text);
        for (size_t i = 0; i < s->n; i++)
            add_value(&t, o->mean[r * o->n_columns + s->item[i].column]);
    }
    print_table(&t);
}

static void
print_intervals(const struct pz_compared *o, const struct pz_entries *e,
                const struct pz_shown *s, size_t base)
{
    static const char *const head[] = {"recipe", "metric",     "mean", "low", "high",
                                       "sd",     "difference", "low",  "high"};
    struct table t = {.n_columns = sizeof head / sizeof *head};
    char text[64];
    for (size_t i = 0; i < t.n_columns; i++)
        add_cell(&t, head[i]);
    for (size_t r = 0; r < o->n_entries; r++)
        for (size_t i = 0; i < s->n; i++) {
            size_t v = s->item[i].column;
            const double *mean = o->mean + v;
            struct pz_bounds none = {NAN, NAN}, at = none, gap = none;
            if (v < o->n_values) {
                at = o->interval[r * o->n_values + v];
                gap = o->differ[r * o->n_values + v];
            }
            add_cell(&t, e->entry[r].label);
            column_name(text, s, i);
            add_cell(&t, text);
            add_value(&t, mean[r * o->n_columns]);
            add_value(&t, at.low);
            add_value(&t, at.high);
            add_value(&t, o->sd[r * o->n_columns + v]);
            add_value(&t, r == base ? NAN
                                    : mean[r * o->n_columns] - mean[base * o->n_columns]);
            add_value(&t, r == base ? NAN : gap.low);
            add_value(&t, r == base ? NAN : gap.high);
        }
    print_table(&t);
}

static void
add_number(struct pz_buf *b, double v)
{
    char text[PZ_NUM_TEXT];
    pz_format_f64(text, isnan(v) ? 0 : v);
    pz_buf_addz(b, isnan(v) ? "null" : text);
}

/* {"NAME":VALUE,...} of the columns; bounds NULL: means, else [low,high]. */
static void
add_values(struct pz_buf *b, const char *key, const struct pz_compared *o,
           const struct pz_shown *s, const double *mean, const struct pz_bounds *bounds)
{
    bool first = true;
    pz_buf_addf(b, ",\"%s\":{", key);
    for (size_t i = 0; i < s->n; i++) {
        size_t v = s->item[i].column;
        if (bounds && v >= o->n_values)
            continue;
        pz_buf_addz(b, first ? "\"" : ",\"");
        pz_measure_long_name(b, s->item[i].measure, s->item[i].k);
        pz_buf_addz(b, bounds ? "\":[" : "\":");
        add_number(b, bounds ? bounds[v].low : mean[v]);
        if (bounds) {
            pz_buf_addc(b, ',');
            add_number(b, bounds[v].high);
            pz_buf_addc(b, ']');
        }
        first = false;
    }
    pz_buf_addc(b, '}');
}

static void
print_json(const struct pz_compared *o, const struct pz_entries *e,
           const struct pz_shown *s, size_t base)
{
    struct pz_err err = PZ_ERR_INIT;
    for (size_t r = 0; r < o->n_entries; r++) {
        struct pz_buf b = PZ_BUF_INIT;
        const struct pz_entry *x = &e->entry[r];
        pz_buf_addf(&b, "{\"recipe\":\"%s\",\"label\":", x->recipe->name);
        pz_json_add_string(&b, x->label, strlen(x->label));
        pz_buf_addz(&b, ",\"params\":");
        pz_params_json(&x->params, &b);
        pz_buf_addf(
            &b, ",\"protocol\":\"%s\",\"part\":\"%s\",\"draws\":%zu,\"users\":%zu",
            opt.protocol, opt.valid ? "validation" : "test", o->n_draws, o->n_cases);
        add_values(&b, "metrics", o, s, o->mean + r * o->n_columns, NULL);
        if (o->n_draws > 1)
            add_values(&b, "deviations", o, s, o->sd + r * o->n_columns, NULL);
        add_values(&b, "intervals", o, s, NULL, o->interval + r * o->n_values);
        if (r != base) {
            pz_buf_addz(&b, ",\"baseline\":");
            pz_json_add_string(&b, e->entry[base].label, strlen(e->entry[base].label));
            add_values(&b, "differences", o, s, NULL, o->differ + r * o->n_values);
        }
        pz_buf_addc(&b, '}');
        if (pz_buf_status(&b, "the result", &err))
            pz_die_err(&err);
        puts(b.data);
        pz_buf_release(&b);
    }
}

/* ---- doing it ---- */

static void
open_world(struct pz_world *w, struct pz_events *events)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_selection_report report;
    struct pz_selection selection = pz_selection_of(&opt.selection, NULL, false);
    const char *group = pz_need_group();
    if (access(group, F_OK) != 0)
        pz_die(PZ_DATA, "there is no group '%s'", group);
    int r = pz_world_open(w, group, PZ_INTERACTIONS, (int)pz_common.threads, &err);
    if (r == PZ_NEGATIVE)
        pz_die(PZ_DATA, "group '%s' has no interactions", group);
    if (r || pz_world_select(w, &selection, events, &report, &err))
        pz_die_err(&err);
}

int
main(int argc, char **argv)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_entries entries = {NULL};
    struct pz_shown shown;
    struct pz_world world;
    struct pz_events events;
    struct pz_compared result;
    int first;
    pz_cli_begin();
    pz_opt_parse(&tool, argc, argv, &first);
    if (first < argc)
        pz_die(PZ_USAGE, "unexpected operand '%s'", argv[first]);
    if (opt.recipes.n == 0)
        pz_die(PZ_USAGE, "-r RECIPE is needed; pz-train --list-recipes prints them");
    struct pz_compare c = {.world = &world,
                           .events = &events,
                           .draws = (uint32_t)opt.draws,
                           .entries = &entries,
                           .at = &shown.at,
                           .seed = (uint64_t)pz_common.seed,
                           .threads = (int)pz_common.threads};
    set_spec(&c.spec);
    set_entries(&entries, &c.base);
    if (pz_shown_init(&shown, opt.metrics, opt.at, c.spec.protocol, &err))
        pz_die_err(&err);
    open_world(&world, &events);
    if (pz_compare_run(&result, &c, &err))
        pz_die_err(&err);
    if (pz_common.json)
        print_json(&result, &entries, &shown, c.base);
    else if (opt.spread)
        print_intervals(&result, &entries, &shown, c.base);
    else
        print_means(&result, &entries, &shown);
    pz_compared_release(&result);
    pz_events_release(&events);
    pz_world_close(&world);
    pz_shown_release(&shown);
    pz_entries_release(&entries);
    return pz_cli_end(PZ_OK);
}
