/* What making campaigns, filters and trackers, and deleting them, does. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/num.h"
#include "base/rng.h"
#include "recipe/recipe.h"
#include "serve/control.h"
#include "serve/server.h"
#include "store/catalog_campaign.h"
#include "store/catalog_filter.h"
#include "store/catalog_resource.h"

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

/* A number of a configuration, within bounds. */
static bool
check_number(struct pz_desk_call *d, const pz_json *map, const char *key, double min,
             double max)
{
    const char *s = map ? pz_body_string(map, key) : NULL;
    double x = min;
    return !s || (!pz_parse_f64(s, strlen(s), &x) && x >= min && x <= max) ||
           INVALID("itemExplorationConfig: %s '%s' is not a number from %g to %g", key, s,
                   min, max);
}

bool
pz_desk_settings_fit(struct pz_desk_call *d, const pz_json *config)
{
    const pz_json *map = pz_body_get(config, "itemExplorationConfig");
    for (const pz_json *v = map ? pz_json_first(map) : NULL; v; v = pz_json_next(v))
        if (strcmp(pz_json_key(v), "explorationWeight") != 0 &&
            strcmp(pz_json_key(v), "explorationItemAgeCutOff") != 0)
            return INVALID("itemExplorationConfig has no '%s'; it has explorationWeight "
                           "and explorationItemAgeCutOff",
                           pz_json_key(v));
    return check_number(d, map, "explorationWeight", 0, 1) &&
           check_number(d, map, "explorationItemAgeCutOff", 0, 1e6);
}

bool
pz_desk_influence_fits(struct pz_desk_call *d, const pz_json *config,
                       const char *solution)
{
    const pz_json *ranking = pz_body_get(config, "rankingInfluence");
    const struct pz_thing *s =
        ranking ? pz_thing_named(d, PZ_KIND_SOLUTION, solution) : NULL;
    pz_json *doc = s ? pz_thing_doc(d, s) : NULL;
    const char *recipe = doc ? pz_json_get_string(doc, "recipeArn") : NULL;
    bool fits = !ranking || (recipe && strcmp(pz_desk_base(recipe),
                                              pz_recipe_semantic_similarity.name) == 0);
    pz_json_free(doc);
    return fits || INVALID("rankingInfluence is of recipe %s only",
                           pz_recipe_semantic_similarity.name);
}

/* Writes the row of a campaign: of the body, and of what it was (NULL: it is new) where
 * the body leaves something out. */
static bool
put_campaign(struct pz_desk_call *d, const pz_json *old)
{
    struct pz_catalog *c = NULL;
    struct pz_buf config = PZ_BUF_INIT;
    struct pz_catalog_campaign row = {.name = d->name};
    const char *arn = pz_desk_member(d, "solutionVersionArn");
    const pz_json *j = pz_body_get(d->call->body, "campaignConfig");
    if (old && !arn)
        arn = pz_body_string(old, "solutionVersionArn");
    if (old && !j)
        j = pz_body_get(old, "campaignConfig");
    if (!take_version(d, arn, &row.solution, &row.version))
        return false;
    if (j && (!pz_desk_settings_fit(d, j) || !pz_desk_influence_fits(d, j, row.solution)))
        return false;
    if (j && pz_desk_flag(j, "syncWithLatestSolutionVersion"))
        row.version = NULL;
    if (!pz_desk_rate_fits(d, row.solution, row.version))
        return false;
    if (j)
        pz_json_add(&config, j);
    row.config = config.data ? config.data : "{}";
    row.created = row.updated = pz_now();
    if (!pz_buf_status(&config, "a campaign", &d->err))
        c = pz_desk_begin(d, d->group);
    if (c && old)
        pz_catalog_set_campaign(c, &row, &d->err);
    else if (c)
        pz_catalog_add_campaign(c, &row, &d->err);
    pz_buf_release(&config);
    return d->err.status ? pz_desk_lost(d) : true;
}

bool
pz_make_campaign(struct pz_desk_call *d)
{
    return put_campaign(d, NULL);
}

/* A solution that answers under its own name is listed as a campaign and is none yet. */
static bool
is_campaign(struct pz_desk_call *d, const struct pz_thing *t)
{
    return !t->implied ||
           pz_desk_no(pz_api_fail(d->call, PZ_FAULT_NOT_FOUND,
                                  "%s is no campaign, but a solution that answers as it "
                                  "is: create a campaign of it",
                                  t->name));
}

bool
pz_campaign_update(struct pz_desk_call *d, const struct pz_thing *t)
{
    pz_json *doc = is_campaign(d, t) ? pz_thing_doc(d, t) : NULL;
    if (!doc)
        return false;
    d->name = t->name;
    bool good = put_campaign(d, doc);
    pz_json_free(doc);
    return good;
}

bool
pz_drop_row(struct pz_desk_call *d, const struct pz_thing *t)
{
    if (!is_campaign(d, t))
        return false;
    struct pz_catalog *c = pz_desk_begin(d, t->group);
    if (!c)
        return pz_desk_lost(d);
    if (t->kind == PZ_KIND_CAMPAIGN)
        pz_catalog_delete_campaign(c, t->name, &d->err);
    else if (t->kind == PZ_KIND_FILTER)
        pz_catalog_delete_filter(c, t->name, &d->err);
    else
        pz_catalog_delete_tracker(c, t->name, &d->err);
    return d->err.status ? pz_desk_lost(d) : true;
}

bool
pz_make_filter(struct pz_desk_call *d)
{
    struct pz_filter_options o = {.strict = pz_api_strict(d->call)};
    struct pz_filter *f;
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
    struct pz_catalog *c = pz_desk_begin(d, d->group);
    if (c)
        pz_catalog_add_filter(c, &row, &d->err);
    return d->err.status ? pz_desk_lost(d) : true;
}

bool
pz_make_tracker(struct pz_desk_call *d)
{
    char id[PZ_UUID_TEXT];
    bool first = false, lead = d->answer.len == 0;
    if (!pz_desk_group(d))
        return false;
    if (pz_desk_any(d, PZ_KIND_TRACKER, d->group)) {
        pz_api_fail(d->call, PZ_FAULT_EXISTS,
                    "Dataset group %s has an event tracker already",
                    pz_desk_base(d->group));
        return false;
    }
    struct pz_catalog *c = pz_uuid(id, &d->err) ? NULL : pz_desk_begin(d, d->group);
    if (c)
        pz_catalog_add_tracker(c, d->name, id, pz_now(), &d->err);
    pz_out_text(&d->extra, &first, "trackingId", id);
    pz_out_text(&d->answer, &lead, "trackingId", id);
    return d->err.status ? pz_desk_lost(d) : true;
}
