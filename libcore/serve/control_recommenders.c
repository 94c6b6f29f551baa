/*
 * Recommenders: use cases of a domain, each trained as a solution version is and served
 * under its own name. The model is a version of the solution of that name, so that the
 * other tools have it too; the resource says whether it answers.
 */
#include <string.h>

#include "serve/control.h"
#include "serve/server.h"

/* ---- what may be asked ---- */

/* The domain of a group: what it was made with, else that of a dataset. NULL: none. */
static const char *
domain_of(struct pz_desk_call *d, const char *group)
{
    const struct pz_thing *g = pz_thing_named(d, PZ_KIND_GROUP, pz_desk_base(group));
    pz_json *doc = g ? pz_thing_doc(d, g) : NULL;
    const char *name = doc ? pz_json_get_string(doc, "domain") : NULL;
    const char *out = name ? pz_desk_text(d, "%s", name) : NULL;
    pz_json_free(doc);
    return out;
}

static bool
check_domain(struct pz_desk_call *d, const struct pz_desk_recipe *r)
{
    if (!r->preset || !r->preset->domain)
        return INVALID("Recipe %s is not one for recommenders: ListRecipes with a domain "
                       "has those",
                       r->name);
    const char *domain = domain_of(d, d->group);
    if (d->err.status)
        return pz_desk_lost(d);
    if (domain ? strcmp(domain, r->preset->domain) != 0 : pz_api_strict(d->call))
        return INVALID("Recipe %s is for dataset groups of domain %s; this group is %s%s",
                       r->name, r->preset->domain, domain ? "of domain " : "custom",
                       domain ? domain : "");
    return true;
}

static bool
check_config(struct pz_desk_call *d)
{
    const pz_json *config = pz_body_get(d->call->body, "recommenderConfig");
    if (config && pz_body_get(config, "trainingDataConfig"))
        return INVALID("a choice of training columns is not available on this server");
    return !config || pz_desk_settings_fit(d, config);
}

bool
pz_make_recommender(struct pz_desk_call *d)
{
    struct pz_desk_recipe r;
    if (!pz_desk_group(d) || !pz_desk_recipe(d, pz_desk_member(d, "recipeArn"), &r) ||
        !check_domain(d, &r) || !check_config(d))
        return false;
    if (pz_thing_named(d, PZ_KIND_SOLUTION, d->name)) {
        pz_api_fail(d->call, PZ_FAULT_EXISTS,
                    "There is a solution '%s': a recommender of that name would be its "
                    "next version",
                    d->name);
        return false;
    }
    struct pz_job *j = d->job =
        d->err.status ? NULL : pz_job_new(d, PZ_KIND_RECOMMENDER, "pz-train");
    return (j && pz_job_arg(d, j, "-S") && pz_job_arg(d, j, "%s", d->name) &&
            pz_job_arg(d, j, "-r") && pz_job_arg(d, j, "%s", r.name)) ||
           pz_desk_lost(d);
}

bool
pz_drop_recommender(struct pz_desk_call *d, const struct pz_thing *t)
{
    if (strstr(t->status, "PENDING") || strstr(t->status, "PROGRESS"))
        return IN_USE("Recommender %s is %s", t->name, t->status);
    return pz_desk_drop_models(d, t->group, t->name);
}

/* ---- changes ---- */

void
pz_op_update_recommender(struct pz_desk_call *d)
{
    static const char *const member[] = {"recommenderConfig", NULL};
    const struct pz_thing *found = pz_desk_thing(d);
    if (!found || !check_config(d))
        return;
    if (strcmp(found->status, "ACTIVE") != 0 && strcmp(found->status, "INACTIVE") != 0) {
        pz_api_fail(d->call, PZ_FAULT_IN_USE, "Recommender %s is %s", found->name,
                    found->status);
        return;
    }
    struct pz_thing t = *found;
    t.doc = pz_desk_merged(d, t.doc, member);
    if (t.doc)
        t.doc = pz_desk_noted(d, t.doc, "latestRecommenderUpdate", member, "ACTIVE");
    pz_desk_save(d, &t);
}

/* From one state to the other, at once; in the wrong state there is nothing to do. */
static void
turn(struct pz_desk_call *d, const char *from, const char *to)
{
    const struct pz_thing *found = pz_desk_thing(d);
    if (!found)
        return;
    if (strcmp(found->status, from) != 0) {
        pz_api_fail(d->call, PZ_FAULT_IN_USE, "Recommender %s is %s, not %s", found->name,
                    found->status, from);
        return;
    }
    struct pz_thing t = *found;
    t.status = to;
    pz_desk_save(d, &t);
}

void
pz_op_start_recommender(struct pz_desk_call *d)
{
    turn(d, "INACTIVE", "ACTIVE");
}

void
pz_op_stop_recommender(struct pz_desk_call *d)
{
    turn(d, "ACTIVE", "INACTIVE");
}
