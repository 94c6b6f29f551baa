#include "eval/training.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "eval/special.h"
#include "filter/group.h"
#include "recipe/events.h"
#include "recipe/model.h"
#include "recipe/objective.h"
#include "store/catalog_resource.h"
#include "store/group.h"

static const char suffix[] = ".safetensors";
enum { STAMP = 16 }; // "20261122T050403Z"

struct job {
    const struct pz_training *t; // of `own`, when something was chosen
    struct pz_training own;
    struct pz_chosen chosen;
    struct pz_training_result *r;
    struct pz_world world;
    struct pz_limited limited; // what of it may be learned from
    struct pz_events events;
    struct pz_objective objective;
    int64_t started;
    struct pz_buf params, metrics; // as JSON, for the catalogue
};

/* ---- what there is to learn from ---- */

static int
check_name(const char *name, struct pz_err *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789-_";
    size_t n = strlen(name);
    if (n < 1 || n > 63 || strspn(name, allowed) != n || name[0] == '-' || name[0] == '_')
        return pz_err_set(
            err, PZ_USAGE,
            "solution '%s': a name is 1 to 63 letters, digits, '-' and '_', and "
            "starts with a letter or digit",
            name);
    return PZ_OK;
}

/* What a preset asks of the group: its filter goes with every answer, so that one that
 * cannot be answered is refused before anything is learned. */
static int
check_preset(const struct pz_preset *p, const char *group, const struct pz_world *w,
             struct pz_err *err)
{
    struct pz_filter_group g;
    struct pz_filter_options o = {0};
    struct pz_filter *f = NULL;
    memset(&g, 0, sizeof g);
    if (p->needs_items && !w->items)
        return pz_err_set(err, PZ_DATA,
                          "%s needs the items dataset, which group '%s' does not have; "
                          "pz-import -g %s -t items makes it",
                          p->name, group, group);
    if (!p->filter)
        return PZ_OK;
    int r = pz_filter_group_open(&g, group, err);
    if (r == PZ_OK &&
        (r = pz_filter_compile(&f, p->filter, strlen(p->filter), &g.data, &o, err)))
        pz_err_prefix(err, "the filter of preset %s: ", p->name);
    pz_filter_free(f);
    pz_filter_group_close(&g);
    return r;
}

static int
open_data(struct job *job, struct pz_err *err)
{
    const char *group = job->t->group;
    if (pz_group_need(group, err))
        return err->status;
    enum pz_set set = job->t->recipe->type == PZ_PERSONALIZED_ACTIONS
                          ? PZ_ACTION_INTERACTIONS
                          : PZ_INTERACTIONS;
    int r = pz_world_open(&job->world, group, set, job->t->threads, err);
    if (r == PZ_NEGATIVE && job->t->recipe->items_only)
        r = pz_world_open_items(&job->world, group, job->t->threads, err);
    if (r == PZ_NEGATIVE)
        return pz_err_set(err, PZ_DATA,
                          "group '%s' has no %s; pz-import -g %s -t %s makes them", group,
                          pz_set_name(set), group, pz_set_name(set));
    if (!r && set == PZ_ACTION_INTERACTIONS && !job->world.items)
        return pz_err_set(err, PZ_DATA,
                          "group '%s' has no actions; pz-import -g %s -t actions makes "
                          "them",
                          group, group);
    if (r)
        return r;
    if (job->t->preset && check_preset(job->t->preset, group, &job->world, err))
        return err->status;
    const struct pz_stored_report *put = &job->world.put;
    if (put->put)
        pz_log(PZ_LOG_NOTE,
               "%" PRIu64 " events of the event store, %" PRIu64
               " of them in the dataset already",
               put->put, put->duplicates);
    if (put->anonymous)
        pz_log(PZ_LOG_NOTE, "%" PRIu64 " events of sessions without a user are left out",
               put->anonymous);
    if (put->unfit)
        pz_log(PZ_LOG_WARN,
               "%" PRIu64 " events do not fit the dataset's schema and are left out: %s",
               put->unfit, put->reason);
    return PZ_OK;
}

static int
select_events(struct job *job, struct pz_err *err)
{
    struct pz_selection_report *s = &job->r->selected;
    int r = pz_world_limit(&job->limited, &job->world, &job->t->columns, err);
    if (r || (r = pz_world_select(&job->limited.world, &job->t->selection, &job->events,
                                  s, err)))
        return r;
    pz_world_rest(&job->world); // the events have all that most recipes look at
    if (s->warning[0])
        pz_log(PZ_LOG_WARN, "%s", s->warning);
    pz_log(PZ_LOG_NOTE,
           "%" PRIu64 " of %" PRIu64 " interactions, of %" PRIu32 " users with %" PRIu32
           " items",
           s->n_events, s->n_rows, s->n_users, s->n_items);
    return PZ_OK;
}

/* The numbers that answers are traded for, if any. */
static int
open_objective(struct job *job, struct pz_err *err)
{
    const struct pz_training *t = job->t;
    if (!t->objective)
        return PZ_OK;
    if (pz_objective_parse(&job->objective, t->objective, err) ||
        pz_objective_open(&job->objective, &job->world, err))
        return err->status;
    if (job->objective.sensitivity == PZ_OBJECTIVE_OFF || pz_objective_fits(t->recipe) ||
        (t->choice && t->choice->n_recipes))
        return PZ_OK;
    return pz_err_set(err, PZ_USAGE,
                      "recipe %s gives no probabilities of items for a user, which an "
                      "objective could be weighed against",
                      t->recipe->name);
}

static struct pz_eval
eval_of(const struct job *job, const struct pz_recipe *recipe,
        const struct pz_params *params)
{
    return (struct pz_eval){.recipe = recipe,
                            .world = &job->limited.world,
                            .events = &job->events,
                            .params = params,
                            .objective = job->t->objective ? &job->objective : NULL,
                            .seed = job->t->seed,
                            .threads = job->t->threads};
}

/* ---- choosing ---- */

/* From here on job->t has the recipe and the hyperparameters that validate best. */
static int
choose(struct job *job, struct pz_err *err)
{
    const struct pz_training *t = job->t;
    struct pz_eval e = eval_of(job, t->recipe, t->params);
    char name[96], *journal = NULL;
    if (!t->choice)
        return PZ_OK;
    snprintf(name, sizeof name, ".hpo.%s.jsonl", t->output ? "" : t->solution);
    int r = t->output ? PZ_OK : pz_path_join(&journal, t->group, name, err);
    if (r == PZ_OK)
        r = pz_choose(t->choice, &e, journal, &job->chosen, err);
    if (r == PZ_OK) {
        job->own = *t;
        job->own.recipe = job->chosen.recipe;
        job->own.params = &job->chosen.params;
        job->t = &job->own;
    }
    free(journal);
    return r;
}

/* The trials are in the model now. */
static void
forget_trials(const struct job *job)
{
    char name[96], *journal;
    struct pz_err ignored = PZ_ERR_INIT;
    if (!job->t->choice || job->t->output)
        return;
    snprintf(name, sizeof name, ".hpo.%s.jsonl", job->t->solution);
    if (pz_path_join(&journal, job->t->group, name, &ignored) == PZ_OK)
        unlink(journal);
    free(journal);
}

/* ---- measuring ---- */

static int
measure(struct job *job, const struct pz_recipe *recipe, const struct pz_params *params,
        struct pz_metrics *out, struct pz_err *err)
{
    struct pz_eval e = eval_of(job, recipe, params);
    pz_log(PZ_LOG_NOTE, "measuring %s", recipe->name);
    int r = pz_eval_aws(&e, out, err);
    return r ? r : pz_eval_special(&e, job->t->recipe, job->t->params, out, err);
}

/* Of recipes that do not answer with items. */
static int
measure_figures(struct job *job, struct pz_err *err)
{
    struct pz_training_result *r = job->r;
    struct pz_eval e = eval_of(job, job->t->recipe, job->t->params);
    pz_log(PZ_LOG_NOTE, "measuring %s", e.recipe->name);
    if (pz_figures_measure(&e, &r->figures, err))
        return err->status;
    r->measured = r->figures.n_asked > 0;
    r->has_baseline = r->measured;
    if (!r->measured)
        pz_log(PZ_LOG_WARN, "not measured: there is too little to test it on");
    return PZ_OK;
}

static int
measure_all(struct job *job, struct pz_err *err)
{
    struct pz_training_result *r = job->r;
    if (job->t->no_eval)
        return PZ_OK;
    if (pz_has_figures(job->t->recipe))
        return measure_figures(job, err);
    if (measure(job, job->t->recipe, job->t->params, &r->metrics, err) != PZ_OK)
        return err->status;
    r->measured = r->metrics.n_users > 0 || !isnan(r->metrics.value[PZ_ITEM_SIMILARITY]);
    if (!r->measured) {
        pz_log(PZ_LOG_WARN,
               "not measured: there are fewer than two users with two events");
        return PZ_OK;
    }
    if (job->t->recipe == &pz_recipe_popularity || !r->metrics.n_users)
        return PZ_OK;
    struct pz_params none;
    pz_params_init(&none, pz_recipe_popularity.params);
    r->has_baseline = true;
    return measure(job, &pz_recipe_popularity, &none, &r->baseline, err);
}

/* ---- the model ---- */

static void
add_threshold(struct pz_buf *b, bool has, double threshold)
{
    if (!has)
        return;
    pz_buf_addz(b, ",\"eventValueThreshold\":");
    pz_json_add_f64(b, threshold);
}

static int
add_selection(struct pz_builder *b, const struct pz_selection *s, struct pz_err *err)
{
    struct pz_buf text = PZ_BUF_INIT;
    pz_buf_addz(&text, "{\"eventTypes\":[");
    for (size_t i = 0; i < s->n_rules; i++) {
        const struct pz_event_rule *rule = &s->rule[i];
        pz_buf_addz(&text, i ? ",{\"type\":" : "{\"type\":");
        pz_json_add_string(&text, rule->type, strlen(rule->type));
        pz_buf_addz(&text, ",\"weight\":");
        pz_json_add_f64(&text, rule->has_weight ? rule->weight : 1);
        add_threshold(&text, rule->has_threshold, rule->threshold);
        if (rule->any_case)
            pz_buf_addz(&text, ",\"anyCase\":true");
        pz_buf_addc(&text, '}');
    }
    pz_buf_addc(&text, ']');
    add_threshold(&text, s->has_threshold, s->threshold);
    pz_buf_addc(&text, '}');
    int r = pz_buf_status(&text, "the selection", err);
    if (r == PZ_OK)
        pz_builder_meta(b, "selection", text.data);
    pz_buf_release(&text);
    return r;
}

static int
add_columns(struct pz_builder *b, const struct pz_column_choice *c, struct pz_err *err)
{
    struct pz_buf text = PZ_BUF_INIT;
    if (!c->n_include && !c->n_exclude)
        return PZ_OK;
    pz_column_choice_json(c, &text);
    int r = pz_buf_status(&text, "the columns", err);
    if (r == PZ_OK)
        pz_builder_meta(b, "columns", text.data);
    pz_buf_release(&text);
    return r;
}

/* What is of the version before, and what is new beside it. */
static void
describe_update(struct job *job, struct pz_builder *b)
{
    static const char *const key[] = {"metrics.users", "metrics.popularity", "hpo"};
    const struct pz_model *m = job->t->before;
    struct pz_training_result *r = job->r;
    const struct pz_ids *item = &job->world.item, *user = &job->world.user;
    pz_builder_meta(b, "update.of", job->t->before_version);
    for (size_t i = 0; i < sizeof key / sizeof *key; i++)
        if (pz_tensors_meta(&m->file, key[i]))
            pz_builder_meta(b, key[i], pz_tensors_meta(&m->file, key[i]));
    for (uint64_t i = 0; i < item->n; i++) {
        size_t n = 0;
        const char *s = pz_ids_get(item, i, &n);
        r->new_items += s && pz_ids_find(&m->item, s, n) >= m->n_items;
    }
    for (uint64_t i = 0; i < user->n; i++) {
        size_t n = 0;
        const char *s = pz_ids_get(user, i, &n);
        r->new_users += s && pz_ids_find(&m->user, s, n) >= m->n_users;
    }
    r->new_events = job->events.n > m->n_history ? job->events.n - m->n_history : 0;
}

static int
describe(struct job *job, struct pz_builder *b, struct pz_err *err)
{
    struct pz_training_result *r = job->r;
    struct pz_buf base = PZ_BUF_INIT;
    pz_params_json(job->t->params, &job->params);
    bool figures = r->figures.n > 0;
    if (figures)
        pz_figures_json(&r->figures, false, &job->metrics);
    else if (r->measured)
        pz_metrics_json(&r->metrics, &job->metrics);
    else if (job->t->before && pz_tensors_meta(&job->t->before->file, "metrics"))
        pz_buf_addz(&job->metrics, pz_tensors_meta(&job->t->before->file, "metrics"));
    else
        pz_buf_addz(&job->metrics, "{}");
    if (figures)
        pz_figures_json(&r->figures, true, &base);
    else if (r->has_baseline)
        pz_metrics_json(&r->baseline, &base);
    int status;
    if ((status = pz_buf_status(&job->params, "hyperparameters", err)) ||
        (status = pz_buf_status(&job->metrics, "metrics", err)) ||
        (status = pz_buf_status(&base, "metrics", err)) ||
        (status = add_selection(b, &job->t->selection, err)) ||
        (status = add_columns(b, &job->t->columns, err)))
        goto done;
    // So that answers do not count an event twice.
    if (job->t->output)
        pz_builder_metaf(b, PZ_MODEL_TIME_META, "%" PRId64,
                         job->events.n ? pz_events_newest(&job->events) : 0);
    else
        pz_builder_metaf(b, PZ_MODEL_EVENTS_META, "%" PRId64, job->world.put.last);
    if (job->t->preset)
        pz_model_preset(b, job->t->preset);
    if (job->chosen.json.len)
        pz_builder_meta(b, "hpo", job->chosen.json.data);
    pz_builder_meta(b, "metrics", job->metrics.data);
    if (job->t->before)
        describe_update(job, b);
    if (r->measured)
        pz_builder_metaf(b, "metrics.users", "%" PRIu64,
                         figures ? r->figures.n_asked : r->metrics.n_users);
    if (r->has_baseline)
        pz_builder_meta(b, figures ? "metrics.baseline" : "metrics.popularity",
                        base.data);
done:
    pz_buf_release(&base);
    return status;
}

static void
report_related(struct pz_training_result *r, const struct pz_builder *b, uint32_t n_items)
{
    const char *text = pz_builder_get_meta(b, PZ_MODEL_RELATED_META);
    int64_t n;
    r->n_items = n_items;
    r->has_related =
        text && !pz_parse_i64(text, strlen(text), &n) && n >= 0 && n <= n_items;
    r->n_related = r->has_related ? (uint32_t)n : 0;
}

static int
write_model(struct job *job, const char *path, struct pz_err *err)
{
    struct pz_builder *b;
    const struct pz_training *t = job->t;
    int r = pz_builder_new(&b, err);
    if (r)
        return r;
    pz_log(PZ_LOG_NOTE, "training %s on all interactions", t->recipe->name);
    struct pz_train learn = {.events = &job->events,
                             .params = t->params,
                             .world = &job->limited.world,
                             .seed = t->seed,
                             .threads = t->threads,
                             .model = b};
    learn.before = t->before;
    learn.shown = t->shown;
    if (t->objective && pz_objective_fits(t->recipe))
        learn.objective = &job->objective;
    if ((r = pz_model_learn(t->recipe, &learn, err)) == PZ_OK && t->shown &&
        !pz_builder_get_meta(b, "explore.newest"))
        r = pz_err_set(err, PZ_USAGE,
                       "recipe %s tries no new items, which is what --shown is for",
                       t->recipe->name);
    if (r == PZ_OK && (r = describe(job, b, err)) == PZ_OK)
        r = pz_builder_write(b, path, err);
    if (r == PZ_OK)
        report_related(job->r, b, job->events.n_items);
    pz_builder_free(b);
    return r;
}

/* ---- its place ---- */

/* The greatest version in the solution's directory into last, "" when there is none. */
static int
latest_version(const char *dir, char last[32], struct pz_err *err)
{
    last[0] = 0;
    DIR *d = opendir(dir);
    if (!d)
        return pz_err_sys(err, "cannot list '%s'", dir);
    for (struct dirent *e; (e = readdir(d));) {
        size_t n = strlen(e->d_name), tail = sizeof suffix - 1;
        if (n <= tail || n - tail >= 32 || e->d_name[0] == '.' ||
            strcmp(e->d_name + n - tail, suffix) != 0)
            continue;
        char name[32];
        memcpy(name, e->d_name, n - tail);
        name[n - tail] = 0;
        if (strcmp(name, last) > 0)
            memcpy(last, name, n - tail + 1);
    }
    closedir(d);
    return PZ_OK;
}

/*
 * The name behind `last`: NAME_02 to NAME_99, NAME_a100 to NAME_a999, NAME_b1000 and so
 * on; the letter keeps longer numbers behind shorter ones. "" when there is none.
 */
static void
name_behind(const char *last, char version[32])
{
    int64_t number = 1;
    const char *p = strlen(last) > STAMP && last[STAMP] == '_' ? last + STAMP + 1 : "";
    p += *p >= 'a' && *p <= 'z';
    if (pz_parse_i64(p, strlen(p), &number) != PZ_NUM_OK || number < 1 ||
        number >= INT32_MAX)
        number = 1;
    number++;
    char letter[2] = "";
    for (int64_t limit = 100; number >= limit; limit *= 10)
        letter[0] = (char)(letter[0] ? letter[0] + 1 : 'a');
    int n = snprintf(version, 32, "%.16s_%s%02" PRId64, last, letter, number);
    if (n < 0 || n >= 32 || strcmp(version, last) <= 0)
        version[0] = 0;
}

/*
 * The time as a name that sorts behind all versions that are there: a second one within
 * a second, or after a clock was set back, takes the latest name with a number.
 */
static int
next_version(const char *dir, char version[32], struct pz_err *err)
{
    char last[32], text[PZ_TIME_TEXT];
    int r = latest_version(dir, last, err);
    if (r)
        return r;
    pz_time_text(text, pz_now());
    size_t n = 0;
    for (const char *p = text; *p && n < STAMP; p++)
        if (*p != '-' && *p != ':')
            version[n++] = *p;
    version[n] = 0;
    if (strcmp(version, last) > 0)
        return PZ_OK;
    name_behind(last, version);
    if (!version[0])
        return pz_err_set(err, PZ_SYSTEM, "no name is left behind version '%s' in '%s'",
                          last, dir);
    return PZ_OK;
}

static int
record(struct job *job, struct pz_err *err)
{
    struct pz_catalog *c;
    const struct pz_training *t = job->t;
    struct pz_buf path = PZ_BUF_INIT;
    pz_buf_addf(&path, "models/%s/%s%s", t->solution, job->r->version, suffix);
    int r = pz_buf_status(&path, "a path", err);
    if (r == PZ_OK &&
        (r = pz_catalog_open(&c, t->group, PZ_CATALOG_WRITE, err)) == PZ_OK) {
        r = pz_catalog_add_version(
            c,
            &(struct pz_catalog_version){
                .solution = t->solution,
                .version = job->r->version,
                .recipe = t->preset ? t->preset->name : t->recipe->name,
                .path = path.data,
                .params = job->params.data,
                .metrics = job->metrics.data,
                .started = job->started,
                .ended = pz_now(),
            },
            err);
        pz_catalog_close(c);
    }
    pz_buf_release(&path);
    return r;
}

static int
write_version(struct job *job, struct pz_err *err)
{
    char name[64], *dir = NULL;
    struct pz_training_result *result = job->r;
    struct pz_buf solution = PZ_BUF_INIT;
    pz_buf_addf(&solution, "models/%s", job->t->solution);
    int r = pz_buf_status(&solution, "a path", err);
    if (r || (r = pz_path_join(&dir, job->t->group, solution.data, err)) ||
        (r = pz_mkdirs(dir, err)))
        goto done;
    if ((r = next_version(dir, result->version, err)) == PZ_OK) {
        snprintf(name, sizeof name, "%s%s", result->version, suffix);
        if ((r = pz_path_join(&result->path, dir, name, err)) == PZ_OK)
            r = write_model(job, result->path, err);
    }
    /* What the catalogue cannot take is no version: the group stays as it was. */
    if (r == PZ_OK && (r = record(job, err)) != PZ_OK)
        unlink(result->path);
    if (r)
        rmdir(dir); // an empty one is no solution
done:
    free(dir);
    pz_buf_release(&solution);
    return r;
}

static int
write_output(struct job *job, struct pz_err *err)
{
    const char *path = job->t->output;
    int r = pz_strndup(&job->r->path, path, strlen(path), err);
    return r ? r : write_model(job, path, err);
}

/* Keeps a second training of the solution out. */
static int
lock_solution(const struct pz_training *t, int *lock, struct pz_err *err)
{
    char name[96], *path;
    snprintf(name, sizeof name, ".train.%s.lock", t->solution);
    int r = pz_path_join(&path, t->group, name, err);
    if (r)
        return r;
    r = pz_lock(lock, path, err);
    if (r)
        pz_err_prefix(err, "cannot train solution '%s': ", t->solution);
    free(path);
    return r;
}

struct owner {
    const struct pz_training *t;
    struct pz_err *err;
};

/* A recommender answers with the versions of the solution of its name. */
static int
check_owner(void *ctx, const struct pz_catalog_resource *row)
{
    const struct owner *o = ctx;
    const struct pz_training *t = o->t;
    const char *recipe = t->preset ? t->preset->name : t->recipe->name;
    struct pz_err ignored = PZ_ERR_INIT;
    pz_json *doc = NULL;
    if (strcmp(row->name, t->solution) != 0)
        return PZ_OK;
    bool is_json = pz_json_parse(&doc, row->doc, strlen(row->doc), &ignored) == PZ_OK;
    const char *arn = is_json ? pz_json_get_string(doc, "recipeArn") : NULL;
    const char *slash = arn ? strrchr(arn, '/') : NULL, *own = slash ? slash + 1 : arn;
    if (!own || strcmp(own, recipe) != 0)
        pz_err_set(o->err, PZ_USAGE,
                   "solution '%s': there is a recommender of that name, with recipe %s, "
                   "and a model of %s would be its next version; give the solution "
                   "another name (-S)",
                   t->solution, own ? own : "unknown", recipe);
    pz_json_free(doc);
    return o->err->status;
}

static int
check_recommenders(const struct pz_training *t, struct pz_err *err)
{
    struct owner o = {t, err};
    struct pz_catalog *c;
    if (pz_catalog_open(&c, t->group, PZ_CATALOG_READ, err))
        return err->status;
    pz_catalog_resources(c, "recommender", check_owner, &o, err);
    pz_catalog_close(c);
    return err->status;
}

static int
learn(struct job *job, int *lock, struct pz_err *err)
{
    const struct pz_training *t = job->t;
    int r;
    if ((!t->output &&
         ((r = check_name(t->solution, err)) || (r = pz_group_need(t->group, err)) ||
          (r = check_recommenders(t, err)))) ||
        (r = open_data(job, err)) || (r = select_events(job, err)) ||
        (r = open_objective(job, err)) ||
        (!t->output && (r = lock_solution(t, lock, err))) || (r = choose(job, err)) ||
        (r = measure_all(job, err)))
        return r;
    r = t->output ? write_output(job, err) : write_version(job, err);
    if (r == PZ_OK)
        forget_trials(job);
    job->r->recipe = job->t->recipe;
    job->r->params = *job->t->params;
    return r;
}

int
pz_training_run(const struct pz_training *t, struct pz_training_result *r,
                struct pz_err *err)
{
    *r = (struct pz_training_result){0};
    struct job job = {.t = t, .r = r, .started = pz_now()};
    int lock = -1, status = learn(&job, &lock, err);
    if (lock >= 0)
        close(lock);
    pz_chosen_release(&job.chosen);
    pz_events_release(&job.events);
    pz_objective_release(&job.objective);
    pz_limited_release(&job.limited);
    pz_world_close(&job.world);
    pz_buf_release(&job.params);
    pz_buf_release(&job.metrics);
    if (status)
        pz_training_result_release(r);
    return status;
}

void
pz_training_result_release(struct pz_training_result *r)
{
    free(r->path);
    *r = (struct pz_training_result){0};
}
