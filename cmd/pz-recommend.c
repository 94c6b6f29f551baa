/* pz-recommend: ids in, ranked items out. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "cmd/cli.h"
#include "cmd/filters.h"
#include "filter/group.h"
#include "infer/batch.h"
#include "infer/locate.h"
#include "store/catalog_filter.h"
#include "store/group.h"

enum { DEFAULT_N = 25, DEFAULT_ACTIONS = 5 };

static struct {
    const char *solution, *model, *filter, *promote, *log, *user;
    int64_t n, window;
    double explore, explore_days;
    bool exclude_seen, explain, strict;
    struct pz_opt_list history, rank, values, metadata, context, influence;
} opt = {.n = -1, .explore = -1};

static const struct pz_opt opts[] = {
    {"Model", 0, PZ_OPT_HEADING, NULL, NULL, NULL, 0, 0},
    {"solution", 'S', PZ_OPT_TEXT, &opt.solution, "NAME",
     "solution or SOLUTION/VERSION (default: the group's only one, its latest version)",
     0, 0},
    {"model", 'm', PZ_OPT_TEXT, &opt.model, "FILE", "a model file; no group is needed", 0,
     0},
    {"Question", 0, PZ_OPT_HEADING, NULL, NULL, NULL, 0, 0},
    {"num-results", 'n', PZ_OPT_INT, &opt.n, "N",
     "items for each id (default 25, of actions 5; with --rank all)", 0, 4294967295.0},
    {"exclude-seen", 0, PZ_OPT_FLAG, &opt.exclude_seen, NULL,
     "leave out the items of the history", 0, 0},
    {"history", 0, PZ_OPT_LIST, &opt.history, "ID,...",
     "answer for this history, oldest first, in place of the stored one", 0, 0},
    {"rank", 0, PZ_OPT_LIST, &opt.rank, "ID,...", "rank these items only", 0, 0},
    {"user", 0, PZ_OPT_TEXT, &opt.user, "ID",
     "who asks, where the ids are items: for filters about the user", 0, 0},
    {"explain", 0, PZ_OPT_FLAG, &opt.explain, NULL,
     "say how much each item of the history adds to a score", 0, 0},
    {"strict", 0, PZ_OPT_FLAG, &opt.strict, NULL,
     "exit 1 for unknown ids, 3 for bad lines; AWS's limits are errors", 0, 0},
    {"context", 0, PZ_OPT_LIST, &opt.context, "NAME=VALUE",
     "a field of the interactions, as it is at the time of the request", 0, 0},
    {"influence", 0, PZ_OPT_LIST, &opt.influence, "NAME=VALUE",
     "POPULARITY or FRESHNESS, 0 to 1, of what is similar (default: the model's)", 0, 0},
    {"Exploration", 0, PZ_OPT_HEADING, NULL, NULL, NULL, 0, 0},
    {"exploration-item-age-cut-off", 0, PZ_OPT_REAL, &opt.explore_days, "DAYS",
     "age up to which an item is new (default: the model's, 30)", 0, 1e6},
    {"exploration-weight", 0, PZ_OPT_REAL, &opt.explore, "W",
     "try new items: 0 (default) not at all, 1 as much as can be", 0, 1},
    {"Filtering", 0, PZ_OPT_HEADING, NULL, NULL, NULL, 0, 0},
    {"filter", 'F', PZ_OPT_TEXT, &opt.filter, "EXPR|NAME",
     "only items that pass, an expression of pz-filter(7) or a stored filter", 0, 0},
    {"value", 'V', PZ_OPT_LIST, &opt.values, "NAME=VALUE",
     "the value of placeholder $NAME: a number, or \"a\",\"b\"", 0, 0},
    {"window", 0, PZ_OPT_INT, &opt.window, "N",
     "let filters look at a user's newest N events of each type (default all; AWS: 100)",
     1, 4294967295.0},
    {"promote", 0, PZ_OPT_TEXT, &opt.promote, "PERCENT:EXPR|NAME",
     "this share of the items from those that pass, at random places", 0, 0},
    {"Answers", 0, PZ_OPT_HEADING, NULL, NULL, NULL, 0, 0},
    {"metadata", 0, PZ_OPT_LIST, &opt.metadata, "COLUMN,...",
     "show these columns of the items", 0, 0},
    {"log", 0, PZ_OPT_TEXT, &opt.log, "FILE",
     "append what is shown to FILE, a JSON line an answer", 0, 0},
    {NULL, 0, PZ_OPT_FLAG, NULL, NULL, NULL, 0, 0},
};

static const struct pz_tool tool = {
    "pz-recommend",
    "[-g GROUP] [-S SOLUTION[/VERSION]] [OPTION]... [ID...]\n"
    "-m FILE [OPTION]... [ID...]",
    "Answers ids from a trained model with ranked items.",
    "  pz-recommend -g shop -n 10 u1 u2          ten items for each of two users\n"
    "  pz-recommend -g shop < ids > items.tsv    an id a line in, TSV out\n"
    "  pz-recommend -g shop < in.jsonl           AWS batch inference lines in and out\n"
    "  pz-recommend -g shop --history i7,i3      for someone who exists nowhere\n"
    "  pz-recommend -g shop -F 'INCLUDE ItemID WHERE Items.PRICE < 9' u1\n",
    opts,
};

/* "a,b" "c" into texts; the texts are views into argv. */
static int
split(const struct pz_opt_list *list, struct pz_text **out, size_t *n, struct pz_err *err)
{
    size_t cap = 0;
    *n = 0;
    for (size_t i = 0; i < list->n; i++)
        for (const char *s = list->item[i];; s++) {
            size_t len = strcspn(s, ",");
            if (len) {
                if (pz_grow(out, &cap, *n + 1, sizeof **out, "a list of ids", err))
                    return err->status;
                (*out)[(*n)++] = (struct pz_text){s, len};
            }
            s += len;
            if (!*s)
                break;
        }
    return PZ_OK;
}

/* Tries new items where that was asked for, with the model's notion of new. */
static int
set_explore(struct pz_explore *e, const struct pz_model *m, struct pz_err *err)
{
    if (opt.explore < 0 && opt.explore_days <= 0)
        return PZ_OK;
    if (!pz_model_explores(m))
        return pz_err_set(err, PZ_USAGE, "recipe %s does not explore",
                          m->preset ? m->preset : m->recipe->name);
    if (opt.explore < 0)
        return pz_err_set(err, PZ_USAGE,
                          "--exploration-item-age-cut-off is of use with "
                          "--exploration-weight only");
    if (pz_model_explore(e, m, err))
        return err->status;
    e->weight = opt.explore;
    e->days = opt.explore_days > 0 ? opt.explore_days : e->days;
    e->key = (uint64_t)pz_common.seed;
    return PZ_OK;
}

/* --influence; both are said together: the one that is not given is 0. */
static int
set_influence(struct pz_request *q, const struct pz_model *m, struct pz_err *err)
{
    const struct {
        const char *name;
        double *value;
    } known[] = {{"POPULARITY", &q->influence.popularity},
                 {"FRESHNESS", &q->influence.freshness}};
    for (size_t i = 0; i < opt.influence.n; i++) {
        const char *s = opt.influence.item[i];
        size_t n = strcspn(s, "="), k = 0;
        double value;
        while (k < 2 && (strlen(known[k].name) != n || strncasecmp(known[k].name, s, n)))
            k++;
        if (k == 2 || s[n] != '=' || pz_parse_f64(s + n + 1, strlen(s + n + 1), &value) ||
            !(value >= 0 && value <= 1))
            return pz_err_set(err, PZ_USAGE,
                              "--influence wants POPULARITY=X or FRESHNESS=X with X from "
                              "0 to 1, not '%s'",
                              s);
        *known[k].value = value;
        q->has_influence = true;
    }
    if (q->has_influence && !pz_model_takes_influence(m))
        return pz_err_set(err, PZ_USAGE, "--influence: recipe %s knows none",
                          m->preset ? m->preset : m->recipe->name);
    return PZ_OK;
}

struct lists {
    struct pz_text *history, *rank, *id;
};

/* ---- what belongs to the group ---- */

/* The scope and what it borrows. */
struct within {
    struct pz_scope scope;
    struct pz_filter_group group;
    struct pz_gate *filter, *promotion;
    struct pz_filter_value *value;
    struct pz_text *column_name;
    const struct pz_field **column;
    char *promotion_name;
    int log; // -1: none
};

static int
open_gate(struct within *w, struct pz_gate **gate, const char *text, struct pz_err *err)
{
    struct pz_filter_options o = {.strict = opt.strict, .window = (uint32_t)opt.window};
    if (!pz_gate_new(gate, text, &w->group.data, &o, w->scope.model, err)) {
        const struct pz_filter *f = pz_gate_filter(*gate);
        for (size_t i = 0; pz_filter_warning(f, i); i++)
            pz_warn("%s", pz_filter_warning(f, i));
    }
    return err->status;
}

/* -F and what the model's preset adds. */
static int
open_filter(struct within *w, const struct pz_model *m, struct pz_err *err)
{
    char *asked = NULL, *text = NULL;
    if ((!opt.filter || !pz_filter_text(&asked, opt.filter, err)) &&
        !pz_scope_filter_text(&text, m, asked, err) && text)
        open_gate(w, &w->filter, text, err);
    free(asked);
    free(text);
    w->scope.filter = w->filter;
    return err->status;
}

/* PERCENT:EXPR|NAME */
static int
open_promotion(struct within *w, struct pz_err *err)
{
    const char *colon = strchr(opt.promote, ':');
    double percent;
    if (!colon || colon == opt.promote || !colon[1] ||
        pz_parse_f64(opt.promote, (size_t)(colon - opt.promote), &percent) ||
        !(percent > 0) || percent > 100)
        return pz_err_set(err, PZ_USAGE,
                          "--promote wants PERCENT:EXPR or PERCENT:NAME, more than 0 and "
                          "up to 100 percent, not '%s'",
                          opt.promote);
    const char *name = pz_filter_name_valid(colon + 1) ? colon + 1 : "promotion";
    char *text = NULL;
    if (!pz_strndup(&w->promotion_name, name, strlen(name), err) &&
        !pz_filter_text(&text, colon + 1, err))
        open_gate(w, &w->promotion, text, err);
    free(text);
    if (err->status)
        return err->status;
    w->scope.promotion = w->promotion;
    w->scope.promotion_name = w->promotion_name;
    w->scope.percent = percent;
    w->scope.seed = (uint64_t)pz_common.seed;
    return PZ_OK;
}

/* -V NAME=VALUE into values; they are views into argv. */
static int
take_values(struct within *w, struct pz_err *err)
{
    if (opt.values.n && !opt.filter && !opt.promote)
        return pz_err_set(err, PZ_USAGE, "-V is of use with -F or --promote only");
    if (pz_filter_values(&w->value, &opt.values, err))
        return err->status;
    w->scope.value = w->value;
    w->scope.n_values = opt.values.n;
    return PZ_OK;
}

static bool
is_id(const struct pz_field *f)
{
    return f->role == PZ_ROLE_ITEM || f->role == PZ_ROLE_USER ||
           f->role == PZ_ROLE_ACTION;
}

static int
find_columns(struct within *w, struct pz_err *err)
{
    enum pz_set set = pz_model_answer_set(w->scope.model);
    const struct pz_dataset *d = w->group.data.set[set];
    size_t n;
    if (split(&opt.metadata, &w->column_name, &n, err) ||
        pz_new(&w->column, n, sizeof *w->column, "columns", err))
        return err->status;
    if (!d)
        return pz_err_set(err, PZ_USAGE, "--metadata: group '%s' has no %s dataset",
                          w->scope.group, pz_set_name(set));
    if (opt.strict && n > 10)
        return pz_err_set(err, PZ_USAGE,
                          "--metadata has %zu columns; the limit is 10 (--strict)", n);
    for (size_t i = 0; i < n; i++) {
        const struct pz_text *name = &w->column_name[i];
        int at = pz_schema_find(&d->schema, name->s, name->n);
        if (at < 0 || is_id(&d->schema.field[at])) {
            struct pz_buf all = PZ_BUF_INIT;
            for (size_t k = 0; k < d->schema.n_fields; k++)
                if (!is_id(&d->schema.field[k]))
                    pz_buf_addf(&all, "%s%s", all.len ? ", " : "",
                                d->schema.field[k].name);
            if (!pz_buf_status(&all, "a message", err))
                pz_err_set(err, PZ_USAGE,
                           "--metadata: the %s have no column '%.*s'; they have %s",
                           pz_set_name(set), (int)(name->n < 64 ? name->n : 64), name->s,
                           all.data ? all.data : "none");
            pz_buf_release(&all);
            return err->status;
        }
        w->column[i] = &d->schema.field[at];
    }
    w->scope.column = w->column;
    w->scope.n_columns = n;
    return PZ_OK;
}

static int
check_context(const struct within *w, struct pz_err *err)
{
    const struct pz_dataset *d = w->group.data.set[PZ_INTERACTIONS];
    for (size_t i = 0; i < opt.context.n; i++) {
        const char *s = opt.context.item[i], *eq = strchr(s, '=');
        size_t n = eq ? (size_t)(eq - s) : 0;
        if (!n)
            return pz_err_set(err, PZ_USAGE, "--context wants NAME=VALUE, not '%s'", s);
        if (d && pz_schema_find(&d->schema, s, n) < 0)
            return pz_err_set(err, PZ_USAGE,
                              "--context: the interactions schema has no field '%.*s'",
                              (int)(n < 64 ? n : 64), s);
    }
    return PZ_OK;
}

/* What filters alone look at. */
static int
check_window(const struct within *w, const struct pz_model *m, struct pz_err *err)
{
    if (opt.window && !w->filter && !w->promotion && !m->filter)
        return pz_err_set(err, PZ_USAGE, "--window is of use with -F or --promote only");
    return PZ_OK;
}

static int
open_within(struct within *w, const struct pz_model *m, struct pz_err *err)
{
    const char *needs = opt.filter       ? "-F"
                        : opt.promote    ? "--promote"
                        : opt.metadata.n ? "--metadata"
                        : opt.context.n  ? "--context"
                                         : NULL;
    // What a model file alone answers must not depend on the environment.
    const char *group = opt.model && !pz_common.group_given ? NULL : pz_common.group;
    w->scope.model = m;
    w->scope.group = group;
    w->scope.data = &w->group.data;
    if (group && pz_group_need(group, err))
        return err->status;
    if (needs && !group)
        return pz_err_set(err, PZ_USAGE,
                          "%s looks at the group's datasets, which a model file alone "
                          "does not have: give the group with -g too",
                          needs);
    bool preset = m->filter && group;
    if (m->filter && !preset)
        pz_warn("the filter of %s looks at the group's datasets, which a model file "
                "alone does not have: it is left out (-g gives the group)",
                m->preset ? m->preset : "the model");
    if (((needs || preset) && pz_filter_group_open(&w->group, group, err)) ||
        take_values(w, err) || ((opt.filter || preset) && open_filter(w, m, err)))
        return err->status;
    if ((opt.promote && open_promotion(w, err)) ||
        (opt.metadata.n && find_columns(w, err)) || check_context(w, err) ||
        check_window(w, m, err))
        return err->status;
    if (opt.log) {
        w->log = open(opt.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        if (w->log < 0)
            return pz_err_sys(err, "cannot open '%s'", opt.log);
    }
    return PZ_OK;
}

static void
close_within(struct within *w)
{
    pz_gate_free(w->filter);
    pz_gate_free(w->promotion);
    pz_filter_group_close(&w->group);
    free(w->value);
    free(w->column_name);
    free(w->column);
    free(w->promotion_name);
    if (w->log >= 0)
        close(w->log);
}

/* ---- requests ---- */

static int
set_rules(struct pz_ask_rules *rules, const struct pz_model *m, struct lists *lists,
          bool operands, struct pz_err *err)
{
    struct pz_request *q = &rules->base;
    *rules =
        (struct pz_ask_rules){.model = m, .n_given = opt.n >= 0, .strict = opt.strict};
    q->n = opt.n >= 0                             ? (size_t)opt.n
           : pz_model_answer_set(m) == PZ_ACTIONS ? DEFAULT_ACTIONS
                                                  : DEFAULT_N;
    q->exclude_seen = opt.exclude_seen;
    if (set_explore(&q->explore, m, err) || set_influence(q, m, err))
        return err->status;
    if (opt.user && !pz_model_asks_item(m))
        return pz_err_set(err, PZ_USAGE,
                          "--user goes with recipes that are asked about items; %s is "
                          "asked about users: give them as operands or lines",
                          m->recipe->name);
    q->has_user = opt.user;
    q->user = (struct pz_text){opt.user, opt.user ? strlen(opt.user) : 0};
    if (split(&opt.history, &lists->history, &q->n_history, err) ||
        split(&opt.rank, &lists->rank, &q->n_candidates, err))
        return err->status;
    q->history = lists->history;
    q->candidate = lists->rank;
    q->has_history = opt.history.n > 0;
    q->has_candidates = opt.rank.n > 0;
    if (opt.strict &&
        (opt.n > PZ_AWS_MAX_RESULTS || q->n_candidates > PZ_AWS_MAX_RESULTS))
        return pz_err_set(err, PZ_USAGE, "more than %d items are asked for (--strict)",
                          PZ_AWS_MAX_RESULTS);
    if (pz_model_answers_users(m) &&
        (opt.history.n || opt.rank.n || opt.exclude_seen || opt.promote))
        return pz_err_set(err, PZ_USAGE,
                          "recipe %s answers with users: --history, --rank, "
                          "--exclude-seen and --promote have no meaning",
                          m->recipe->name);
    if (pz_model_asks_item(m) && opt.history.n)
        return pz_err_set(err, PZ_USAGE,
                          "recipe %s is asked about items, which have no history: "
                          "--history has no meaning",
                          m->recipe->name);
    // lines may name a user beside the item, operands cannot
    if (pz_model_asks_item(m) && opt.exclude_seen && operands && !opt.user)
        return pz_err_set(err, PZ_USAGE,
                          "recipe %s is asked about items, which have no history: "
                          "--exclude-seen needs --user",
                          m->recipe->name);
    if (opt.explain && !m->recipe->explain)
        return pz_err_set(err, PZ_USAGE, "recipe %s cannot tell reasons (--explain)",
                          m->recipe->name);
    return PZ_OK;
}

static int
answer(const struct pz_batch *b, char **arg, size_t n_args, struct lists *lists,
       struct pz_batch_counts *counts, struct pz_err *err)
{
    const struct pz_model *m = b->rules.model;
    // A history is somebody, even without an id; popular items are for everybody.
    bool somebody = b->rules.base.has_history && !pz_model_asks_item(m);
    bool from_stdin = n_args == 1 && strcmp(arg[0], "-") == 0;
    if (n_args == 0 && !somebody) {
        from_stdin = !isatty(STDIN_FILENO);
        if (!from_stdin && m->recipe->type != PZ_POPULAR_ITEMS)
            return pz_err_set(err, PZ_USAGE,
                              "no ids: give them as operands or on standard input");
    }
    if (from_stdin)
        return pz_batch_stream(b, STDIN_FILENO, counts, err);
    if (pz_new(&lists->id, n_args, sizeof *lists->id, "the ids", err))
        return err->status;
    for (size_t i = 0; i < n_args; i++)
        lists->id[i] = (struct pz_text){arg[i], strlen(arg[i])};
    return pz_batch_ids(b, lists->id, n_args, counts, err);
}

/* The folder's name in front of `end`, which is a '/' or the beginning of path. */
static struct pz_text
folder_before(const char *path, const char *end)
{
    const char *from = end;
    while (from > path && from[-1] != '/')
        from--;
    return (struct pz_text){from, (size_t)(end - from)};
}

/* What answers, for the log: "source" is what attribution counts for, the solution of
 * .../models/SOLUTION/VERSION.safetensors, or the name of any other file. */
static int
add_origin(struct pz_buf *out, const char *file, const struct pz_model *m,
           struct pz_err *err)
{
    static const char suffix[] = ".safetensors";
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
    struct pz_text solution = folder_before(file, slash ? slash : file),
                   models = {file, 0};
    size_t n = strlen(name), tail = sizeof suffix - 1;
    if (n > tail && strcmp(name + n - tail, suffix) == 0)
        n -= tail;
    if (solution.s > file)
        models = folder_before(file, solution.s - 1);
    pz_buf_addz(out, "\"source\":");
    if (models.n == 6 && memcmp(models.s, "models", 6) == 0) {
        pz_json_add_string(out, solution.s, solution.n);
        pz_buf_addz(out, ",\"version\":");
    }
    pz_json_add_string(out, name, n);
    pz_buf_addz(out, ",\"recipe\":");
    pz_json_add_string(out, m->recipe->name, strlen(m->recipe->name));
    return pz_buf_status(out, "the log", err);
}

/* Ids of which the model knows none are most often something else: a file's name, items
 * in place of users, a whole row. A single one may be somebody new. */
static void
warn_strangers(const struct pz_batch_counts *counts, char **arg, size_t n_args,
               const struct pz_model *m)
{
    uint64_t asked = counts->requests - counts->bad;
    bool item = pz_model_asks_item(m);
    if (m->recipe->type == PZ_POPULAR_ITEMS || opt.rank.n || !asked ||
        counts->strangers < asked)
        return;
    for (size_t i = 0; i < n_args; i++)
        if (strcmp(arg[i], "-") != 0 && access(arg[i], F_OK) == 0) {
            pz_warn("'%s' was taken for %s, which the model does not know; ids in a file "
                    "come on standard input: < %s",
                    arg[i], item ? "an item" : "a user", arg[i]);
            return;
        }
    if (asked > 1)
        pz_warn("the model knows none of these %llu %s", (unsigned long long)asked,
                item ? "items" : "users");
}

/* A bad line of a stream is told where its answer would be; a bad operand is a mistake in
 * the command. */
static int
exit_status(const struct pz_batch_counts *counts, bool operands)
{
    if (counts->bad)
        pz_warn("%llu of %llu %s were bad and have no answer",
                (unsigned long long)counts->bad, (unsigned long long)counts->requests,
                operands ? "operands" : "lines");
    if (opt.strict && counts->unknown)
        pz_warn("%llu ids are not in the model", (unsigned long long)counts->unknown);
    if (counts->bad && (operands || opt.strict))
        return PZ_DATA;
    return opt.strict && counts->unknown ? PZ_NEGATIVE : PZ_OK;
}

int
main(int argc, char **argv)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_model model = {.recipe = NULL};
    struct pz_batch_counts counts = {0};
    struct lists lists = {NULL, NULL, NULL};
    struct within within = {.log = -1};
    struct pz_batch b = {.out = STDOUT_FILENO};
    struct pz_buf origin = PZ_BUF_INIT;
    char *path = NULL;
    int first, status = PZ_OK;
    pz_cli_begin();
    pz_opt_parse(&tool, argc, argv, &first);
    if (opt.model && opt.solution)
        pz_die(PZ_USAGE, "-m and -S exclude each other");
    if (!opt.model && pz_locate_model(&path, pz_need_group(), opt.solution, &err))
        goto end;
    const char *file = opt.model ? opt.model : path;
    if (pz_model_open(&model, file, &err) ||
        set_rules(&b.rules, &model, &lists, first < argc, &err) ||
        open_within(&within, &model, &err) || add_origin(&origin, file, &model, &err))
        goto end;
    const struct pz_dataset *events = within.group.data.set[PZ_INTERACTIONS];
    b.rules.has_filter = opt.filter || opt.promote;
    b.rules.context = events ? &events->schema : NULL;
    b.scope = &within.scope;
    b.has_log = opt.log;
    b.log = within.log;
    b.origin = origin.data;
    pz_log(PZ_LOG_NOTE, "%s: %s, %u users, %u items", file, model.recipe->name,
           model.n_users, model.n_items);
    b.json = pz_common.json;
    b.explain = opt.explain;
    b.threads = (int)pz_common.threads;
    if (answer(&b, argv + first, (size_t)(argc - first), &lists, &counts, &err))
        goto end;
    pz_log(PZ_LOG_NOTE, "%llu requests, %llu ids not in the model",
           (unsigned long long)counts.requests, (unsigned long long)counts.unknown);
    warn_strangers(&counts, argv + first, (size_t)(argc - first), &model);
    status = exit_status(&counts, lists.id != NULL);
end:
    close_within(&within);
    pz_model_close(&model);
    pz_buf_release(&origin);
    free(path);
    free(lists.history);
    free(lists.rank);
    free(lists.id);
    if (err.status)
        pz_die_err(&err);
    return pz_cli_end(status);
}
