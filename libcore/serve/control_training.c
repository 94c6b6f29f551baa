/* What solutions may ask of a training, and the trainings that versions are. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/num.h"
#include "eval/tune.h"
#include "recipe/objective.h"
#include "recipe/preset.h"
#include "serve/control.h"

enum { TRIALS = 20 }; // of performHPO without maxNumberOfTrainingJobs

/* ---- what may be asked ---- */

static bool
check_params(struct pz_desk_call *d, const struct pz_recipe *r, const pz_json *map)
{
    struct pz_params p;
    pz_params_init(&p, r->params);
    for (const pz_json *v = map ? pz_json_first(map) : NULL; v; v = pz_json_next(v)) {
        const char *set = pz_desk_text(d, "%s=%s", pz_json_key(v), pz_json_string(v));
        if (!set || pz_params_set(&p, set, &d->err))
            return pz_desk_lost(d);
    }
    return true;
}

static bool
check_metric(struct pz_desk_call *d, const char *name)
{
    enum pz_metric m;
    return !name || !pz_offline_metric_parse(&m, name, &d->err) || pz_desk_lost(d);
}

static bool
check_hpo(struct pz_desk_call *d, const struct pz_recipe *r, const pz_json *hpo)
{
    struct pz_ranges ranges;
    const char *text = pz_desk_json(d, hpo);
    const pz_json *objective = pz_body_get(hpo, "hpoObjective");
    const char *type = objective ? pz_body_string(objective, "type") : NULL;
    if (type && strcmp(type, "Maximize") != 0)
        return INVALID("hpoObjective.type '%s': metrics are maximized here", type);
    if (!text || (r && pz_ranges_parse(&ranges, r, text, strlen(text), &d->err)))
        return pz_desk_lost(d);
    return check_metric(d, objective ? pz_body_string(objective, "metricName") : NULL);
}

static bool
check_automl(struct pz_desk_call *d, const pz_json *automl)
{
    struct pz_desk_recipe r;
    const pz_json *list = pz_body_get(automl, "recipeList");
    for (const pz_json *j = list ? pz_json_first(list) : NULL; j; j = pz_json_next(j)) {
        if (!pz_desk_recipe(d, pz_json_string(j), &r))
            return false;
        if (r.preset && r.preset->domain)
            return INVALID("autoMLConfig chooses among recipes; '%s' is a use case",
                           r.name);
    }
    return check_metric(d, pz_body_string(automl, "metricName"));
}

/* "rate(7 days)"; 0: it is none. */
int
pz_desk_days(const char *text)
{
    int64_t days;
    size_t n = strncmp(text, "rate(", 5) == 0 ? strspn(text + 5, "0123456789") : 0;
    if (n == 0 ||
        (strcmp(text + 5 + n, " day)") != 0 && strcmp(text + 5 + n, " days)") != 0))
        return 0;
    return pz_parse_i64(text + 5, n, &days) || days > 30 ? 0 : (int)days;
}

static bool
check_schedule(struct pz_desk_call *d, const pz_json *training)
{
    const char *s = pz_body_string(training, "schedulingExpression");
    return !s || pz_desk_days(s) ||
           INVALID("schedulingExpression '%s' is not rate(N days) with N from 1 to 30",
                   s);
}

/* "COLUMN:LEVEL" of an optimizationObjective; NULL: it has no column. */
static const char *
objective_text(struct pz_desk_call *d, const pz_json *objective)
{
    const char *column = pz_body_string(objective, "itemAttribute");
    const char *level = pz_body_string(objective, "objectiveSensitivity");
    return column ? pz_desk_text(d, "%s:%s", column, level ? level : "OFF") : NULL;
}

static bool
check_objective(struct pz_desk_call *d, const struct pz_recipe *r,
                const pz_json *objective)
{
    struct pz_objective o;
    const char *level = pz_body_string(objective, "objectiveSensitivity");
    const char *text = objective_text(d, objective);
    if (!text)
        return d->err.status
                   ? pz_desk_lost(d)
                   : !level || strcmp(level, "OFF") == 0 ||
                         INVALID("optimizationObjective needs an itemAttribute");
    if (pz_objective_parse(&o, text, &d->err))
        return pz_desk_lost(d);
    pz_objective_release(&o);
    return !r || pz_objective_fits(r) ||
           INVALID("Recipe %s cannot follow an optimizationObjective", r->name);
}

static bool
check_config(struct pz_desk_call *d, const struct pz_recipe *r, const pz_json *c)
{
    const pz_json *hpo = pz_body_get(c, "hpoConfig");
    const pz_json *automl = pz_body_get(c, "autoMLConfig");
    const pz_json *training = pz_body_get(c, "autoTrainingConfig");
    const pz_json *objective = pz_body_get(c, "optimizationObjective");
    const char *least = pz_body_string(c, "eventValueThreshold");
    double number;
    if (objective && !check_objective(d, r, objective))
        return false;
    if (least && pz_parse_f64(least, strlen(least), &number))
        return INVALID("eventValueThreshold '%s' is no number", least);
    if (r && (!check_params(d, r, pz_body_get(c, "algorithmHyperParameters")) ||
              !check_params(d, r, pz_body_get(c, "featureTransformationParameters"))))
        return false;
    return (!hpo || check_hpo(d, r, hpo)) && (!automl || check_automl(d, automl)) &&
           (!training || check_schedule(d, training));
}

bool
pz_desk_solution_fits(struct pz_desk_call *d, const pz_json *solution)
{
    struct pz_desk_recipe r = {NULL, NULL, NULL};
    const char *arn = pz_body_string(solution, "recipeArn");
    const pz_json *config = pz_body_get(solution, "solutionConfig");
    bool automl = pz_desk_flag(solution, "performAutoML");
    if (automl && arn)
        return INVALID("RecipeArn must not be provided when performAutoML is enabled");
    if (!automl && !arn)
        return INVALID("RecipeArn must be provided when performAutoML is not enabled");
    if (pz_desk_flag(solution, "performIncrementalUpdate"))
        return INVALID("performIncrementalUpdate is not available on this server");
    if (arn && !pz_desk_recipe(d, arn, &r))
        return false;
    if (r.preset && r.preset->domain && pz_api_strict(d->call))
        return INVALID("Recipe %s is for recommenders only", r.name);
    return !config || check_config(d, r.recipe, config);
}

bool
pz_make_solution(struct pz_desk_call *d)
{
    if (pz_thing_named(d, PZ_KIND_RECOMMENDER, d->name)) {
        pz_api_fail(d->call, PZ_FAULT_EXISTS,
                    "There is a recommender '%s': its models are a solution of that name",
                    d->name);
        return false;
    }
    return pz_desk_group(d) && pz_desk_solution_fits(d, d->call->body);
}

/* ---- arguments of pz-train ---- */

static bool
add_pair(struct pz_desk_call *d, struct pz_job *j, const char *option, const char *value)
{
    return !value || (pz_job_arg(d, j, "%s", option) && pz_job_arg(d, j, "%s", value));
}

static bool
add_params(struct pz_desk_call *d, struct pz_job *j, const pz_json *map)
{
    for (const pz_json *v = map ? pz_json_first(map) : NULL; v; v = pz_json_next(v))
        if (!pz_job_arg(d, j, "-p") ||
            !pz_job_arg(d, j, "%s=%s", pz_json_key(v), pz_json_string(v)))
            return false;
    return true;
}

static bool
add_events(struct pz_desk_call *d, struct pz_job *j, const pz_json *config)
{
    const pz_json *events = pz_body_get(config, "eventsConfig");
    const pz_json *list = events ? pz_body_get(events, "eventParametersList") : NULL;
    for (const pz_json *e = list ? pz_json_first(list) : NULL; e; e = pz_json_next(e)) {
        const char *type = pz_body_string(e, "eventType");
        double weight = 1, least = 0;
        const pz_json *w = pz_body_get(e, "weight");
        const pz_json *t = pz_body_get(e, "eventValueThreshold");
        if (w)
            pz_json_number(w, &weight);
        bool limited = t && pz_json_number(t, &least);
        if (type && (!pz_job_arg(d, j, "--event-type") ||
                     !(limited ? pz_job_arg(d, j, "%s=%.17g>=%.17g", type, weight, least)
                               : pz_job_arg(d, j, "%s=%.17g", type, weight))))
            return false;
    }
    return true;
}

/* Each column of a map from datasets to columns, behind an option. */
static bool
add_columns(struct pz_desk_call *d, struct pz_job *j, const char *option,
            const pz_json *map)
{
    for (const pz_json *set = map ? pz_json_first(map) : NULL; set;
         set = pz_json_next(set))
        for (const pz_json *c = pz_json_first(set); c; c = pz_json_next(c))
            if (!pz_job_arg(d, j, "%s", option) ||
                !pz_job_arg(d, j, "%s.%s", pz_json_key(set), pz_json_string(c)))
                return false;
    return true;
}

bool
pz_desk_add_aims(struct pz_desk_call *d, struct pz_job *j, const pz_json *config)
{
    const pz_json *data = pz_body_get(config, "trainingDataConfig");
    const pz_json *objective = pz_body_get(config, "optimizationObjective");
    if (objective && !add_pair(d, j, "--objective", objective_text(d, objective)))
        return false;
    return !data ||
           (add_columns(d, j, "--include", pz_body_get(data, "includedDatasetColumns")) &&
            add_columns(d, j, "--exclude", pz_body_get(data, "excludedDatasetColumns")));
}

/* Does an hpoConfig say what to look for, and not only that? */
static bool
any_range(const pz_json *hpo)
{
    const pz_json *lists = pz_body_get(hpo, "algorithmHyperParameterRanges");
    size_t n = 0;
    for (const pz_json *l = lists ? pz_json_first(lists) : NULL; l; l = pz_json_next(l))
        n += pz_json_count(l);
    return n > 0;
}

/* hpoConfig goes to the child as a file; without it, what the recipe calls tunable. */
static bool
add_hpo(struct pz_desk_call *d, struct pz_job *j, const pz_json *hpo)
{
    const pz_json *jobs = hpo ? pz_body_get(hpo, "hpoResourceConfig") : NULL;
    const char *text = hpo ? pz_desk_json(d, hpo) : NULL;
    if (text && !any_range(hpo)) // all three lists must be there for AWS
        text = pz_desk_changed(d, text, "algorithmHyperParameterRanges", NULL);
    if (hpo && (!text || !pz_job_input(d, j, text) ||
                !add_pair(d, j, "--hpo-config", "/dev/fd/3")))
        return false;
    return (jobs && pz_body_string(jobs, "maxNumberOfTrainingJobs")) ||
           (pz_job_arg(d, j, "--hpo") && pz_job_arg(d, j, "%d", TRIALS));
}

static bool
add_automl(struct pz_desk_call *d, struct pz_job *j, const pz_json *automl)
{
    const pz_json *list = automl ? pz_body_get(automl, "recipeList") : NULL;
    const char *all = NULL;
    for (const pz_json *r = list ? pz_json_first(list) : NULL; r; r = pz_json_next(r)) {
        const char *name = pz_desk_base(pz_json_string(r));
        all = all ? pz_desk_text(d, "%s,%s", all, name) : name;
        if (!all)
            return false;
    }
    return pz_job_arg(d, j, "--auto") && add_pair(d, j, "-r", all) &&
           add_pair(d, j, "--hpo-metric",
                    automl ? pz_body_string(automl, "metricName") : NULL);
}

/* What a solution's document asks for. */
static bool
add_solution(struct pz_desk_call *d, struct pz_job *j, const pz_json *doc)
{
    const pz_json *c = pz_body_get(doc, "solutionConfig");
    const char *recipe = pz_json_get_string(doc, "recipeArn");
    if (recipe && !add_pair(d, j, "-r", pz_desk_base(recipe)))
        return false;
    if (!recipe && !add_automl(d, j, c ? pz_body_get(c, "autoMLConfig") : NULL))
        return false;
    if (pz_desk_flag(doc, "performHPO") &&
        !add_hpo(d, j, c ? pz_body_get(c, "hpoConfig") : NULL))
        return false;
    // AutoML takes each recipe with its defaults.
    if (c && recipe &&
        (!add_params(d, j, pz_body_get(c, "algorithmHyperParameters")) ||
         !add_params(d, j, pz_body_get(c, "featureTransformationParameters"))))
        return false;
    if (c && (!add_events(d, j, c) || !pz_desk_add_aims(d, j, c) ||
              !add_pair(d, j, "--event-value-threshold",
                        pz_body_string(c, "eventValueThreshold"))))
        return false;
    return add_pair(d, j, "--event-type", pz_json_get_string(doc, "eventType"));
}

/* ---- versions ---- */

struct trained {
    struct pz_desk_call *d;
    const char *pz, *recipe, *params;
};

static int
take_trained(void *ctx, const struct pz_catalog_version *row)
{
    struct trained *t = ctx;
    size_t n = strlen(row->solution);
    if (strncmp(t->pz, row->solution, n) == 0 && t->pz[n] == '/' &&
        strcmp(t->pz + n + 1, row->version) == 0) {
        t->recipe = pz_desk_text(t->d, "%s", row->recipe);
        pz_arena_copy(t->d->arena, &t->params, row->params, strlen(row->params),
                      "hyperparameters", &t->d->err);
    }
    return t->d->err.status;
}

/* The solution of a version says which recipe won. */
static void
tell_solution(struct pz_desk_call *d, const struct pz_thing *version, const char *result)
{
    const char *slash = strrchr(version->name, '/');
    const char *name =
        pz_desk_text(d, "%.*s", (int)(slash - version->name), version->name);
    const struct pz_thing *found =
        name ? pz_thing_named(d, PZ_KIND_SOLUTION, name) : NULL;
    if (!found || !found->stored)
        return;
    struct pz_thing s = *found;
    s.doc = pz_desk_changed(d, s.doc, "autoMLResult", result);
    if (s.doc)
        pz_thing_put(d, &s);
}

const char *
pz_version_found(struct pz_desk_call *d, const struct pz_thing *version, const char *pz)
{
    struct trained t = {.d = d, .pz = pz};
    struct pz_catalog *c;
    const char *out = version->doc;
    pz_json *doc = pz_thing_doc(d, version);
    if (!doc)
        return NULL;
    bool hpo = pz_desk_flag(doc, "performHPO"),
         automl = pz_desk_flag(doc, "performAutoML");
    pz_json_free(doc);
    if ((!hpo && !automl) ||
        pz_catalog_open(&c, version->group, PZ_CATALOG_READ, &d->err))
        return d->err.status ? NULL : out;
    pz_catalog_versions(c, NULL, take_trained, &t, &d->err);
    pz_catalog_close(c);
    if (d->err.status || !t.recipe)
        return d->err.status ? NULL : out;
    struct pz_buf b = PZ_BUF_INIT;
    if (hpo) {
        pz_buf_addf(&b, "{\"algorithmHyperParameters\":");
        pz_buf_addz(&b, t.params);
        pz_buf_addc(&b, '}');
        if (!pz_buf_status(&b, "hyperparameters", &d->err))
            out = pz_desk_changed(d, out, "tunedHPOParams", b.data);
    }
    pz_buf_clear(&b);
    if (automl && out) {
        bool first = true;
        pz_buf_addc(&b, '{');
        pz_out_arn(&b, &first, "bestRecipeArn", pz_api_home(d->call), "recipe", t.recipe);
        pz_buf_addc(&b, '}');
        if (!pz_buf_status(&b, "a recipe", &d->err))
            tell_solution(d, version, b.data);
        pz_buf_clear(&b);
        pz_buf_addc(&b, '"');
        pz_arn_add(&b, pz_api_home(d->call), "recipe", t.recipe);
        pz_buf_addc(&b, '"');
        if (!pz_buf_status(&b, "a recipe", &d->err))
            out = pz_desk_changed(d, out, "recipeArn", b.data);
    }
    pz_buf_release(&b);
    return d->err.status ? NULL : out;
}

/* What a version has of its solution. */
static const char *const inherited[] = {"performHPO", "performAutoML", "recipeArn",
                                        "eventType", "solutionConfig"};

/* Has the solution a version in that state? */
static bool
has_version(struct pz_desk_call *d, const struct pz_thing *s, const char *state)
{
    struct pz_things list;
    size_t n = strlen(s->name);
    bool found = false;
    pz_things_all(d, PZ_KIND_VERSION, &list);
    for (size_t i = 0; i < list.n; i++)
        found |= strncmp(list.thing[i].name, s->name, n) == 0 &&
                 list.thing[i].name[n] == '/' && strcmp(list.thing[i].status, state) == 0;
    free(list.thing);
    return found;
}

static bool
is_update(const char *mode)
{
    return mode && strcmp(mode, "UPDATE") == 0;
}

static bool
check_mode(struct pz_desk_call *d, const struct pz_thing *s, const char *mode)
{
    struct pz_desk_recipe r;
    if (!mode || strcmp(mode, "FULL") == 0)
        return true;
    if (!is_update(mode))
        return INVALID("trainingMode %s is that of automatic training", mode);
    pz_json *doc = pz_thing_doc(d, s);
    const char *arn = doc ? pz_json_get_string(doc, "recipeArn") : NULL;
    bool good = !arn || pz_desk_recipe(d, arn, &r);
    if (good && arn && !r.recipe->updates)
        good = INVALID("Recipe %s has no trainingMode UPDATE", r.name);
    pz_json_free(doc);
    return good &&
           (has_version(d, s, "ACTIVE") ||
            INVALID("trainingMode UPDATE needs a solution version that is ACTIVE"));
}

bool
pz_make_version(struct pz_desk_call *d)
{
    unsigned char id[4] = {0};
    const char *mode = pz_desk_member(d, "trainingMode");
    const struct pz_thing *s =
        pz_thing_find(d, PZ_KIND_SOLUTION, pz_desk_member(d, "solutionArn"));
    pz_json *doc = s && check_mode(d, s, mode) ? pz_thing_doc(d, s) : NULL;
    bool first = false;
    if (!doc)
        return s && d->err.status ? pz_desk_lost(d) : false;
    if (getrandom(id, sizeof id, 0) != (ssize_t)sizeof id)
        pz_err_sys(&d->err, "cannot get random bytes");
    d->group = s->group;
    d->name = pz_desk_text(d, "%s/%02x%02x%02x%02x", s->name, id[0], id[1], id[2], id[3]);
    for (size_t i = 0; i < sizeof inherited / sizeof *inherited; i++) {
        const pz_json *j = pz_body_get(doc, inherited[i]);
        if (!j)
            continue;
        pz_out_key(&d->extra, &first, inherited[i]);
        pz_json_add(&d->extra, j);
    }
    int64_t seq;
    if (!mode)
        pz_out_text(&d->extra, &first, "trainingMode",
                    d->automatic ? "AUTOTRAIN" : "FULL");
    pz_out_text(&d->extra, &first, "trainingType", d->automatic ? "AUTOMATIC" : "MANUAL");
    if (!pz_desk_last_event(d, d->group, &seq))
        pz_out_i64(&d->extra, &first, "pzSeq", seq);
    struct pz_job *j = d->job =
        d->name ? pz_job_new(d, PZ_KIND_VERSION, "pz-train") : NULL;
    // An update goes on with the settings of the version before.
    bool good =
        j && pz_job_arg(d, j, "-S") && pz_job_arg(d, j, "%s", s->name) &&
        (is_update(mode) ? pz_job_arg(d, j, "--mode") && pz_job_arg(d, j, "update")
                         : add_solution(d, j, doc));
    pz_json_free(doc);
    return good ? true : pz_desk_lost(d);
}

/* ---- automatic training ---- */

enum { FIRST_AFTER = 3600, DAY = 86400, STANDARD_DAYS = 7 };

bool
pz_desk_news(struct pz_desk_call *d, const struct pz_thing *t, int64_t begun)
{
    struct stat st;
    int64_t last, seq = -1;
    const char *path = pz_desk_text(d, "%s/interactions.safetensors", t->group);
    pz_json *doc = pz_thing_doc(d, t);
    if (doc)
        pz_body_i64(doc, "pzSeq", &seq);
    pz_json_free(doc);
    return (path && stat(path, &st) == 0 && st.st_mtim.tv_sec > begun) ||
           (!pz_desk_last_event(d, t->group, &last) && last > seq);
}

bool
pz_desk_training_due(struct pz_desk_call *d, const struct pz_thing *s)
{
    struct pz_things list;
    struct pz_thing newest = {.name = NULL};
    size_t n = strlen(s->name);
    pz_json *doc = s->stored ? pz_thing_doc(d, s) : NULL;
    if (!doc)
        return false;
    const pz_json *config = pz_body_get(doc, "solutionConfig");
    const pz_json *training = config ? pz_body_get(config, "autoTrainingConfig") : NULL;
    const char *text = training ? pz_body_string(training, "schedulingExpression") : NULL;
    int days = text ? pz_desk_days(text) : STANDARD_DAYS;
    bool wanted = pz_desk_flag(doc, "performAutoTraining");
    pz_json_free(doc);
    if (!wanted || pz_things_all(d, PZ_KIND_VERSION, &list))
        return false;
    for (size_t i = 0; i < list.n; i++) // in order of time
        if (strncmp(list.thing[i].name, s->name, n) == 0 && list.thing[i].name[n] == '/')
            newest = list.thing[i];
    free(list.thing);
    if (!newest.name)
        return pz_now() - s->created >= FIRST_AFTER;
    return pz_now() - newest.created >= (int64_t)days * DAY &&
           pz_desk_news(d, &newest, newest.created);
}
