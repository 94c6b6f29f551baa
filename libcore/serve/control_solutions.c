/* What making and deleting solutions, versions, campaigns, filters and trackers does. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "recipe/recipe.h"
#include "serve/control.h"
#include "serve/server.h"
#include "store/catalog_campaign.h"
#include "store/catalog_filter.h"
#include "store/estore.h"

/* ---- solutions ---- */

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

static const struct {
    const char *member, *why;
} not_taken[] = {
    {"optimizationObjective", "an optimization objective"},
    {"trainingDataConfig", "a choice of training columns"},
};

bool
pz_make_solution(struct pz_desk_call *d)
{
    const char *arn = pz_desk_member(d, "recipeArn");
    const struct pz_recipe *r = arn ? pz_recipe_find(arn) : NULL;
    const pz_json *config = pz_body_get(d->call->body, "solutionConfig");
    bool hpo = false, automl = false;
    const pz_json *j = pz_body_get(d->call->body, "performHPO");
    if (j)
        pz_json_is_bool(j, &hpo);
    if ((j = pz_body_get(d->call->body, "performAutoML")))
        pz_json_is_bool(j, &automl);
    if (!pz_desk_group(d))
        return false;
    if (automl || hpo)
        return INVALID("%s is not available on this server",
                       automl ? "performAutoML" : "performHPO");
    if (!arn)
        return INVALID("RecipeArn must be provided when performAutoML is not enabled");
    if (!r) {
        pz_api_fail(d->call, PZ_FAULT_NOT_FOUND, "Recipe %s does not exist", arn);
        return false;
    }
    for (size_t i = 0; config && i < sizeof not_taken / sizeof *not_taken; i++)
        if (pz_body_get(config, not_taken[i].member))
            return INVALID("%s is not available on this server", not_taken[i].why);
    return !config ||
           (check_params(d, r, pz_body_get(config, "algorithmHyperParameters")) &&
            check_params(d, r, pz_body_get(config, "featureTransformationParameters")));
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
        double weight = 1;
        const pz_json *w = pz_body_get(e, "weight");
        if (w)
            pz_json_number(w, &weight);
        if (type && (!pz_job_arg(d, j, "--event-type") ||
                     !pz_job_arg(d, j, "%s=%g", type, weight)))
            return false;
    }
    return true;
}

static bool
add_config(struct pz_desk_call *d, struct pz_job *j, const pz_json *config)
{
    const char *least = pz_body_string(config, "eventValueThreshold");
    return add_params(d, j, pz_body_get(config, "algorithmHyperParameters")) &&
           add_params(d, j, pz_body_get(config, "featureTransformationParameters")) &&
           add_events(d, j, config) &&
           (!least || (pz_job_arg(d, j, "--event-value-threshold") &&
                       pz_job_arg(d, j, "%s", least)));
}

static const char *
recipe_name(const char *arn)
{
    struct pz_arn a;
    return arn && pz_arn_parse(&a, arn) ? a.name : arn ? arn : "";
}

/* What a version has of its solution. */
static const char *const inherited[] = {"performHPO", "performAutoML", "recipeArn",
                                        "eventType", "solutionConfig"};

bool
pz_make_version(struct pz_desk_call *d)
{
    unsigned char id[4] = {0};
    const char *mode = pz_desk_member(d, "trainingMode");
    const struct pz_thing *s =
        pz_thing_find(d, PZ_KIND_SOLUTION, pz_desk_member(d, "solutionArn"));
    pz_json *doc = s ? pz_thing_doc(d, s) : NULL;
    bool first = false;
    if (!doc)
        return s ? pz_desk_lost(d) : false;
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
    if (!mode)
        pz_out_text(&d->extra, &first, "trainingMode", "FULL");
    pz_out_text(&d->extra, &first, "trainingType", "MANUAL");
    d->job = d->name ? pz_job_new(d, PZ_KIND_VERSION, "pz-train") : NULL;
    struct pz_job *j = d->job;
    const char *type = pz_json_get_string(doc, "eventType");
    const pz_json *config = pz_body_get(doc, "solutionConfig");
    bool good =
        j && pz_job_arg(d, j, "-r") &&
        pz_job_arg(d, j, "%s", recipe_name(pz_json_get_string(doc, "recipeArn"))) &&
        pz_job_arg(d, j, "-S") && pz_job_arg(d, j, "%s", s->name) &&
        (!config || add_config(d, j, config)) &&
        (!type || (pz_job_arg(d, j, "--event-type") && pz_job_arg(d, j, "%s", type)));
    pz_json_free(doc);
    return good ? true : pz_desk_lost(d);
}

/* Deletes a folder with files in it. */
void
pz_desk_delete(struct pz_desk_call *d, const char *path)
{
    struct dirent *e;
    DIR *dir = opendir(path);
    while (dir && (e = readdir(dir))) {
        const char *file = pz_desk_text(d, "%s/%s", path, e->d_name);
        if (file && strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
            unlink(file))
            pz_err_sys(&d->err, "cannot delete '%s'", file);
    }
    if (dir)
        closedir(dir);
    if (dir && rmdir(path))
        pz_err_sys(&d->err, "cannot delete '%s'", path);
}

/* Do things of a kind belong to a solution, in one of the states (NULL: any)? */
static bool
is_parent(struct pz_desk_call *d, enum pz_kind_id kind, const struct pz_thing *s,
          const char *member, const char *state)
{
    struct pz_things list;
    bool found = false;
    pz_things_all(d, kind, &list);
    for (size_t i = 0; i < list.n && !d->err.status; i++) {
        struct pz_arn a;
        const struct pz_thing *t = &list.thing[i];
        pz_json *doc = pz_thing_doc(d, t);
        const char *arn = doc ? pz_json_get_string(doc, member) : NULL;
        size_t n = strlen(s->name);
        found |= arn && pz_arn_parse(&a, arn) && strncmp(a.name, s->name, n) == 0 &&
                 (a.name[n] == '/' || !a.name[n]) && strcmp(t->group, s->group) == 0 &&
                 !t->implied && (!state || strstr(t->status, state));
        pz_json_free(doc);
    }
    free(list.thing);
    return found;
}

bool
pz_drop_solution(struct pz_desk_call *d, const struct pz_thing *t)
{
    struct pz_things list;
    struct pz_catalog *c;
    const char *models = pz_desk_text(d, "%s/models/%s", t->group, t->name);
    if (is_parent(d, PZ_KIND_CAMPAIGN, t, "solutionVersionArn", NULL))
        return IN_USE("Solution %s is in use by a campaign", t->name);
    if (is_parent(d, PZ_KIND_VERSION, t, "solutionArn", "PENDING") ||
        is_parent(d, PZ_KIND_VERSION, t, "solutionArn", "PROGRESS"))
        return IN_USE("Solution %s has a version that is being created", t->name);
    if (!models || pz_things_all(d, PZ_KIND_VERSION, &list))
        return pz_desk_lost(d);
    if (!pz_catalog_open(&c, t->group, PZ_CATALOG_WRITE, &d->err)) {
        size_t n = strlen(t->name);
        for (size_t i = 0; i < list.n && !d->err.status; i++)
            if (strncmp(list.thing[i].name, t->name, n) == 0 &&
                list.thing[i].name[n] == '/')
                pz_catalog_delete_resource(c, pz_kinds[PZ_KIND_VERSION].one,
                                           list.thing[i].name, &d->err);
        if (!d->err.status)
            pz_catalog_delete_versions(c, t->name, &d->err);
        pz_catalog_close(c);
    }
    free(list.thing);
    if (!d->err.status)
        pz_desk_delete(d, models);
    return d->err.status ? pz_desk_lost(d) : true;
}

/* ---- campaigns, filters, trackers ---- */

/* Solution and version (NULL: the latest) that an ARN means. */
static bool
take_version(struct pz_desk_call *d, const char *arn, const char **solution,
             const char **version)
{
    static const char latest[] = "/$LATEST";
    struct pz_arn a;
    const char *pz = NULL;
    if (pz_arn_parse(&a, arn) && a.n_name > 8 &&
        strcmp(a.name + a.n_name - 8, latest) == 0) {
        const char *whole = pz_desk_text(d, "%.*s", (int)(strlen(arn) - 8), arn);
        const struct pz_thing *s =
            whole ? pz_thing_find(d, PZ_KIND_SOLUTION, whole) : NULL;
        if (s) {
            d->group = s->group;
            *solution = s->name;
            *version = NULL;
        }
        return s != NULL;
    }
    const struct pz_thing *v = pz_thing_find(d, PZ_KIND_VERSION, arn);
    if (!v)
        return false;
    if (strcmp(v->status, "ACTIVE") != 0 || !v->pz)
        return IN_USE("Solution version %s is not ACTIVE, but %s", arn, v->status);
    pz = strchr(v->pz, '/');
    d->group = v->group;
    *solution = pz_desk_text(d, "%.*s", (int)(pz - v->pz), v->pz);
    *version = pz + 1;
    return *solution ? true : pz_desk_lost(d);
}

/* Writes the row of a campaign from the body. */
static bool
put_campaign(struct pz_desk_call *d, const char *arn, bool fresh)
{
    struct pz_catalog *c;
    struct pz_buf config = PZ_BUF_INIT;
    struct pz_catalog_campaign row = {.name = d->name};
    const pz_json *j = pz_body_get(d->call->body, "campaignConfig");
    bool sync = false;
    if (!take_version(d, arn, &row.solution, &row.version))
        return false;
    if (j) {
        const pz_json *s = pz_body_get(j, "syncWithLatestSolutionVersion");
        if (s && pz_json_is_bool(s, &sync) && sync)
            row.version = NULL;
        pz_json_add(&config, j);
    }
    row.config = config.data ? config.data : "{}";
    row.created = row.updated = pz_now();
    if (!pz_buf_status(&config, "a campaign", &d->err) &&
        !pz_catalog_open(&c, d->group, PZ_CATALOG_WRITE, &d->err)) {
        if (fresh)
            pz_catalog_add_campaign(c, &row, &d->err);
        else
            pz_catalog_set_campaign(c, &row, &d->err);
        pz_catalog_close(c);
    }
    pz_buf_release(&config);
    return d->err.status ? pz_desk_lost(d) : true;
}

bool
pz_make_campaign(struct pz_desk_call *d)
{
    return put_campaign(d, pz_desk_member(d, "solutionVersionArn"), true);
}

bool
pz_campaign_update(struct pz_desk_call *d, const struct pz_thing *t, const char *arn)
{
    d->name = t->name;
    return put_campaign(d, arn, false);
}

bool
pz_drop_row(struct pz_desk_call *d, const struct pz_thing *t)
{
    struct pz_catalog *c;
    if (pz_catalog_open(&c, t->group, PZ_CATALOG_WRITE, &d->err))
        return pz_desk_lost(d);
    if (t->kind == PZ_KIND_CAMPAIGN)
        pz_catalog_delete_campaign(c, t->name, &d->err);
    else if (t->kind == PZ_KIND_FILTER)
        pz_catalog_delete_filter(c, t->name, &d->err);
    else
        pz_catalog_delete_tracker(c, t->name, &d->err);
    pz_catalog_close(c);
    return d->err.status ? pz_desk_lost(d) : true;
}

bool
pz_make_filter(struct pz_desk_call *d)
{
    struct pz_filter_options o = {.strict = pz_api_strict(d->call)};
    struct pz_filter *f;
    struct pz_catalog *c;
    const struct pz_group *g = NULL;
    const char *expression = pz_desk_member(d, "filterExpression");
    int64_t now = pz_now();
    const struct pz_catalog_filter row = {d->name, expression, now, now};
    if (!pz_desk_group(d))
        return false;
    for (size_t i = 0; i < d->call->site->n_groups; i++)
        if (strcmp(d->call->site->group[i]->path, d->group) == 0)
            g = d->call->site->group[i];
    if (!g || pz_filter_compile(&f, expression, strlen(expression), &g->sets->g.data, &o,
                                &d->err))
        return pz_desk_lost(d);
    pz_filter_free(f);
    if (pz_catalog_open(&c, d->group, PZ_CATALOG_WRITE, &d->err))
        return pz_desk_lost(d);
    pz_catalog_add_filter(c, &row, &d->err);
    pz_catalog_close(c);
    return d->err.status ? pz_desk_lost(d) : true;
}

bool
pz_make_tracker(struct pz_desk_call *d)
{
    struct pz_estore *s;
    unsigned char b[16];
    char id[40];
    int at = 0;
    bool first = false, lead = d->answer.len == 0;
    if (!pz_desk_group(d))
        return false;
    if (pz_desk_any(d, PZ_KIND_TRACKER, d->group)) {
        pz_api_fail(d->call, PZ_FAULT_EXISTS,
                    "Dataset group %s has an event tracker already",
                    pz_desk_base(d->group));
        return false;
    }
    if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b)
        pz_err_sys(&d->err, "cannot get random bytes");
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    for (int i = 0; i < 16; i++)
        at += snprintf(id + at, sizeof id - (size_t)at, "%s%02x",
                       i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
    const struct pz_tracker t = {d->name, id, pz_now()};
    if (d->err.status || pz_estore_open(&s, d->group, PZ_CATALOG_WRITE, &d->err))
        return pz_desk_lost(d);
    pz_estore_add_tracker(s, &t, &d->err);
    pz_estore_close(s);
    pz_out_text(&d->extra, &first, "trackingId", id);
    pz_out_text(&d->answer, &lead, "trackingId", id);
    return d->err.status ? pz_desk_lost(d) : true;
}

/* ---- batch inference ---- */

bool
pz_make_inference(struct pz_desk_call *d)
{
    int64_t n = 25;
    struct pz_arn a;
    const struct pz_thing *v =
        pz_thing_find(d, PZ_KIND_VERSION, pz_desk_member(d, "solutionVersionArn"));
    const char *filter = pz_desk_member(d, "filterArn");
    const char *from = pz_desk_path(d, "jobInput", "s3DataSource");
    const char *to = pz_desk_path(d, "jobOutput", "s3DataDestination");
    const char *in = v ? pz_desk_s3(d, from) : NULL;
    const char *out = in ? pz_desk_s3(d, to) : NULL;
    if (!out)
        return false;
    if (pz_desk_member(d, "batchInferenceJobMode") &&
        pz_desk_member(d, "batchInferenceJobMode")[0] == 'T')
        return INVALID("themes are not available on this server");
    if (strcmp(v->status, "ACTIVE") != 0 || !v->pz)
        return IN_USE("Solution version %s is not ACTIVE", v->name);
    if (filter && !pz_thing_find(d, PZ_KIND_FILTER, filter))
        return false;
    pz_body_i64(d->call->body, "numResults", &n);
    d->group = v->group;
    const char *name = pz_desk_text(d, "%s.out", pz_desk_base(in));
    struct pz_job *j = d->job =
        name ? pz_job_new(d, PZ_KIND_INFERENCE, "pz-recommend") : NULL;
    if (!j || !pz_job_arg(d, j, "--json") || !pz_job_arg(d, j, "-S") ||
        !pz_job_arg(d, j, "%s", v->pz) || !pz_job_arg(d, j, "-n") ||
        !pz_job_arg(d, j, "%lld", (long long)n))
        return pz_desk_lost(d);
    if (filter && pz_arn_parse(&a, filter) &&
        (!pz_job_arg(d, j, "-F") || !pz_job_arg(d, j, "%s", a.name)))
        return pz_desk_lost(d);
    j->reads = true;
    j->in = open(in, O_RDONLY | O_CLOEXEC);
    if (j->in < 0)
        return INVALID("Invalid S3 input path: %s", from);
    return pz_job_target(d, j, out, name);
}
