/*
 * Recommenders: use cases of a domain, each trained as a solution version is and served
 * under its own name. The model is a version of the solution of that name, so that the
 * other tools have it too; the resource says whether it answers.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
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
    return !config || pz_desk_settings_fit(d, config);
}

/* A training of d->name as a recommenderConfig (NULL: none) says. */
static bool
new_job(struct pz_desk_call *d, const char *recipe, const pz_json *config)
{
    struct pz_job *j = d->job = pz_job_new(d, PZ_KIND_RECOMMENDER, "pz-train");
    return j && pz_job_arg(d, j, "-S") && pz_job_arg(d, j, "%s", d->name) &&
           pz_job_arg(d, j, "-r") && pz_job_arg(d, j, "%s", recipe) &&
           (!config || pz_desk_add_aims(d, j, config));
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
    int64_t seq;
    bool first = false;
    if (!d->err.status && !pz_desk_last_event(d, d->group, &seq))
        pz_out_i64(&d->extra, &first, "pzSeq", seq);
    return (!d->err.status &&
            new_job(d, r.name, pz_body_get(d->call->body, "recommenderConfig"))) ||
           pz_desk_lost(d);
}

static bool
is_training(struct pz_desk_call *d, const struct pz_thing *t)
{
    for (struct pz_job *j = *pz_control_jobs(d->control); j; j = j->next)
        if (!j->over && j->kind == PZ_KIND_RECOMMENDER && strcmp(j->name, t->name) == 0)
            return true;
    return false;
}

bool
pz_drop_recommender(struct pz_desk_call *d, const struct pz_thing *t)
{
    if (is_training(d, t))
        return IN_USE("Recommender %s is being trained", t->name);
    return pz_desk_drop_models(d, t->group, t->name);
}

/* ---- changes ---- */

/* The columns that a configuration says to learn from, as text; "": all. NULL: d->err. */
static const char *
columns_of(struct pz_desk_call *d, const pz_json *object)
{
    const pz_json *config = pz_body_get(object, "recommenderConfig");
    const pz_json *data = config ? pz_body_get(config, "trainingDataConfig") : NULL;
    return data ? pz_desk_json(d, data) : "";
}

/* A training for the update, when it changes what is learned from. False: d->err. */
static bool
train_again(struct pz_desk_call *d, const struct pz_thing *t)
{
    pz_json *doc = pz_thing_doc(d, t);
    const char *old = doc ? columns_of(d, doc) : NULL;
    const char *new = old ? columns_of(d, d->call->body) : NULL;
    const char *arn = doc ? pz_json_get_string(doc, "recipeArn") : NULL;
    const char *recipe = arn ? pz_desk_text(d, "%s", pz_desk_base(arn)) : NULL;
    pz_json_free(doc);
    if (!new || !recipe)
        return false;
    if (strcmp(old, new) == 0)
        return true;
    d->name = t->name;
    d->group = t->group;
    if (!new_job(d, recipe, pz_body_get(d->call->body, "recommenderConfig")))
        return false;
    d->job->again = true;
    return true;
}

/* The document with the time and the last event of a training that begins now. */
static const char *
begun(struct pz_desk_call *d, const char *doc, const char *group)
{
    int64_t seq;
    const char *at = pz_desk_text(d, "%lld", (long long)pz_now());
    if (!at || !doc || pz_desk_last_event(d, group, &seq))
        return NULL;
    const char *last = pz_desk_text(d, "%lld", (long long)seq);
    doc = last ? pz_desk_changed(d, doc, "pzAt", at) : NULL;
    return doc ? pz_desk_changed(d, doc, "pzSeq", last) : NULL;
}

void
pz_recommender_updated(struct pz_desk_call *d, const char *name, const char *why)
{
    static const char key[] = "latestRecommenderUpdate";
    const struct pz_thing *found = pz_thing_named(d, PZ_KIND_RECOMMENDER, name);
    pz_json *doc = found ? pz_thing_doc(d, found) : NULL;
    const pz_json *update = doc ? pz_body_get(doc, key) : NULL;
    const char *status = update ? pz_body_string(update, "status") : NULL;
    bool asked = status && strcmp(status, "CREATE IN_PROGRESS") == 0;
    const char *text = asked ? pz_desk_json(d, update) : NULL;
    struct pz_buf b = PZ_BUF_INIT;
    pz_json_free(doc);
    if (!asked && why) // of the server's own accord
        pz_log(PZ_LOG_WARN, "automatic training of recommender %s: %s", name, why);
    if (!text)
        return;
    struct pz_thing t = *found;
    if (why) {
        pz_json_add_string(&b, why, strlen(why));
        if (!pz_buf_status(&b, "a message", &d->err))
            text = pz_desk_changed(d, text, "failureReason", b.data);
    }
    if (text)
        text =
            pz_desk_changed(d, text, "status", why ? "\"CREATE FAILED\"" : "\"ACTIVE\"");
    t.doc = text ? pz_desk_changed(d, t.doc, key, text) : NULL;
    t.updated = pz_now();
    if (t.doc)
        pz_thing_put(d, &t);
    pz_buf_release(&b);
}

void
pz_recommenders_bury(struct pz_desk_call *d)
{
    struct pz_things all;
    pz_things_all(d, PZ_KIND_RECOMMENDER, &all);
    for (size_t i = 0; i < all.n && !d->err.status; i++) {
        pz_json *doc = pz_thing_doc(d, &all.thing[i]);
        const pz_json *update = doc ? pz_body_get(doc, "latestRecommenderUpdate") : NULL;
        const char *status = update ? pz_body_string(update, "status") : NULL;
        bool begun = status && strcmp(status, "CREATE IN_PROGRESS") == 0;
        pz_json_free(doc);
        if (begun)
            pz_recommender_updated(d, all.thing[i].name, "the server was stopped");
    }
    free(all.thing);
}

void
pz_op_update_recommender(struct pz_desk_call *d)
{
    static const char *const member[] = {"recommenderConfig", NULL};
    const struct pz_thing *found = pz_desk_thing(d);
    if (!found || !check_config(d))
        return;
    if (is_training(d, found)) {
        pz_api_fail(d->call, PZ_FAULT_IN_USE, "Recommender %s is being trained",
                    found->name);
        return;
    }
    if (strcmp(found->status, "ACTIVE") != 0 && strcmp(found->status, "INACTIVE") != 0) {
        pz_api_fail(d->call, PZ_FAULT_IN_USE, "Recommender %s is %s", found->name,
                    found->status);
        return;
    }
    struct pz_thing t = *found;
    if (!train_again(d, &t))
        return;
    t.doc = pz_desk_merged(d, t.doc, member);
    if (t.doc)
        t.doc = pz_desk_noted(d, t.doc, "latestRecommenderUpdate", member,
                              d->job ? "CREATE IN_PROGRESS" : "ACTIVE");
    if (d->job)
        t.doc = begun(d, t.doc, t.group);
    pz_desk_save(d, &t);
    if (d->call->http->status == 200)
        pz_desk_queue(d);
}

/* ---- automatic training ---- */

enum { AGAIN_AFTER = 7 * 86400 };

static bool
is_due(struct pz_desk_call *d, const struct pz_thing *t)
{
    int64_t at = t->created;
    bool able = t->stored && strcmp(t->status, "ACTIVE") == 0 && !is_training(d, t);
    pz_json *doc = able ? pz_thing_doc(d, t) : NULL;
    if (!doc)
        return false;
    pz_body_i64(doc, "pzAt", &at);
    pz_json_free(doc);
    return pz_now() - at >= AGAIN_AFTER && pz_desk_news(d, t, at);
}

/* Trains it again, with the configuration that it has. */
static void
train(struct pz_desk_call *d, const struct pz_thing *found)
{
    struct pz_thing t = *found;
    pz_json *doc = pz_thing_doc(d, found);
    const char *arn = doc ? pz_json_get_string(doc, "recipeArn") : NULL;
    d->name = t.name;
    d->group = t.group;
    if (arn && new_job(d, pz_desk_base(arn), pz_body_get(doc, "recommenderConfig"))) {
        d->job->again = true;
        t.doc = begun(d, t.doc, t.group);
        if (t.doc && !pz_thing_put(d, &t))
            pz_desk_queue(d);
    }
    pz_json_free(doc);
    pz_job_free(d->job);
    d->job = NULL;
}

void
pz_recommenders_train(struct pz_desk_call *d)
{
    struct pz_things all;
    pz_things_all(d, PZ_KIND_RECOMMENDER, &all);
    for (size_t i = 0; i < all.n && !d->err.status; i++)
        if (is_due(d, &all.thing[i]))
            train(d, &all.thing[i]);
    free(all.thing);
}

/* ---- starting and stopping ---- */

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
