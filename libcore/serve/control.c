/* The control plane: AWS JSON 1.1, POST / with X-Amz-Target; see serve/control.h. */
#include "serve/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"
#include "recipe/preset.h"
#include "recipe/recipe.h"
#include "serve/server.h"

typedef void (*operation_fn)(struct pz_desk_call *d);

enum pz_http_when
pz_desk_fail(struct pz_desk_call *d)
{
    return pz_api_fail_err(d->call, &d->err);
}

static const char *
text(const struct pz_desk_call *d, const char *key)
{
    return pz_body_string(d->call->body, key);
}

/* ---- writing things ---- */

static void
add_arn(struct pz_desk_call *d, bool *first, const struct pz_thing *t)
{
    pz_out_arn(&d->call->http->out, first, pz_kinds[t->kind].arn_key,
               pz_api_home(d->call), pz_kinds[t->kind].arn_kind, t->name);
}

static void write_thing(struct pz_desk_call *d, const struct pz_thing *t,
                        const char *const *field);

/* The newest version of a solution. */
static void
write_latest(struct pz_desk_call *d, bool *first, const struct pz_thing *s)
{
    struct pz_things list;
    size_t n = strlen(s->name);
    pz_things_all(d, PZ_KIND_VERSION, &list);
    for (size_t i = list.n; i-- > 0;)
        if (strncmp(list.thing[i].name, s->name, n) == 0 &&
            list.thing[i].name[n] == '/') {
            pz_out_key(&d->call->http->out, first, "latestSolutionVersion");
            write_thing(d, &list.thing[i], pz_kinds[PZ_KIND_VERSION].summary);
            break;
        }
    free(list.thing);
}

/* A member that does not stand in the document. False: it does, if anywhere. */
static bool
write_own(struct pz_desk_call *d, bool *first, const struct pz_thing *t,
          const pz_json *doc, const char *key)
{
    struct pz_buf *out = &d->call->http->out;
    if (strcmp(key, pz_kinds[t->kind].arn_key) == 0)
        add_arn(d, first, t);
    else if (strcmp(key, "status") == 0)
        pz_out_text(out, first, key, t->status);
    else if (strcmp(key, "failureReason") == 0)
        pz_out_text(out, first, key, t->why);
    else if (strcmp(key, "creationDateTime") == 0 ||
             strcmp(key, "lastUpdatedDateTime") == 0) {
        if (!t->implied)
            pz_out_i64(out, first, key, key[0] == 'c' ? t->created : t->updated);
    } else if (strcmp(key, "accountId") == 0)
        pz_out_text(out, first, key, pz_api_home(d->call)->account);
    else if (strcmp(key, "latestSolutionVersion") == 0)
        write_latest(d, first, t);
    else if (strcmp(key, "datasetGroupArn") == 0 && !pz_body_get(doc, key))
        pz_out_arn(out, first, key, pz_api_home(d->call), "dataset-group",
                   pz_desk_base(t->group));
    else
        return false;
    return true;
}

static void
write_thing(struct pz_desk_call *d, const struct pz_thing *t, const char *const *field)
{
    struct pz_buf *out = &d->call->http->out;
    pz_json *doc = pz_thing_doc(d, t);
    bool first = true;
    if (!doc)
        return;
    pz_buf_addc(out, '{');
    for (; *field; field++) {
        const pz_json *j = pz_body_get(doc, *field);
        if (write_own(d, &first, t, doc, *field) || !j)
            continue;
        pz_out_key(out, &first, *field);
        pz_json_add(out, j);
    }
    pz_buf_addc(out, '}');
    pz_json_free(doc);
}

static void
good(struct pz_desk_call *d)
{
    if (d->err.status)
        pz_desk_fail(d);
    else
        d->call->http->status = 200;
}

static void
say_arn(struct pz_desk_call *d, const struct pz_thing *t)
{
    bool first = true;
    pz_buf_addc(&d->call->http->out, '{');
    add_arn(d, &first, t);
    if (d->answer.len)
        pz_buf_addc(&d->call->http->out, ',');
    pz_buf_add(&d->call->http->out, d->answer.data ? d->answer.data : "", d->answer.len);
    pz_buf_addc(&d->call->http->out, '}');
    good(d);
}

/* ---- Create ---- */

/* The members of the request and those that were found beside. */
static const char *
new_doc(struct pz_desk_call *d)
{
    struct pz_buf b = PZ_BUF_INIT;
    const char *out = NULL;
    pz_json_add(&b, d->call->body); // has required members: it is not empty
    if (b.len)
        b.len--;
    pz_buf_add(&b, d->extra.data ? d->extra.data : "", d->extra.len);
    pz_buf_addc(&b, '}');
    if (!pz_buf_status(&b, "a resource", &d->err))
        pz_arena_copy(d->arena, &out, b.data, b.len, "a resource", &d->err);
    pz_buf_release(&b);
    return out;
}

static bool
is_free(struct pz_desk_call *d)
{
    const struct pz_kind *k = d->kind;
    const struct pz_thing *t =
        d->name ? pz_thing_named(d, (enum pz_kind_id)(k - pz_kinds), d->name) : NULL;
    if (!t || t->implied) {
        if (d->err.status)
            pz_desk_fail(d);
        return !d->err.status;
    }
    pz_api_fail(d->call, PZ_FAULT_EXISTS,
                "Another resource with Amazon Resource Name (ARN) "
                "arn:aws:personalize:%s:%s:%s/%s already exists.",
                pz_api_home(d->call)->region, pz_api_home(d->call)->account, k->arn_kind,
                d->name);
    return false;
}

static void
create(struct pz_desk_call *d)
{
    const struct pz_kind *k = d->kind;
    enum pz_kind_id id = (enum pz_kind_id)(k - pz_kinds);
    bool derived = id == PZ_KIND_DATASET || id == PZ_KIND_VERSION;
    d->name = derived ? NULL : text(d, k->name_key);
    if (!is_free(d) || !k->make(d) || (derived && !is_free(d)))
        return;
    int64_t now = pz_now();
    struct pz_thing t = {.kind = id,
                         .name = d->name,
                         .group = d->group,
                         .doc = new_doc(d),
                         .status = d->status ? d->status
                                   : d->job  ? "CREATE PENDING"
                                             : "ACTIVE",
                         .created = now,
                         .updated = now};
    if (!t.doc || pz_thing_put(d, &t)) {
        pz_desk_fail(d);
        return;
    }
    if (d->job) { // behind those that wait
        struct pz_job **at = pz_control_jobs(d->control);
        while (*at)
            at = &(*at)->next;
        *at = d->job;
        d->job = NULL;
    }
    say_arn(d, &t);
}

/* ---- Describe, List, Delete ---- */

static const struct pz_thing *
find(struct pz_desk_call *d)
{
    return pz_thing_find(d, (enum pz_kind_id)(d->kind - pz_kinds),
                         text(d, d->kind->arn_key));
}

static void
describe(struct pz_desk_call *d)
{
    const struct pz_thing *t = find(d);
    if (!t)
        return;
    pz_buf_addf(&d->call->http->out, "{\"%s\":", d->kind->one);
    write_thing(d, t, d->kind->fields);
    pz_buf_addc(&d->call->http->out, '}');
    good(d);
}

static void
drop(struct pz_desk_call *d)
{
    const struct pz_thing *t = find(d);
    struct pz_catalog *c;
    if (!t || !d->kind->drop(d, t))
        return;
    bool gone = t->kind == PZ_KIND_GROUP; // and its catalogue with it
    if (!gone && !pz_catalog_open(&c, t->group, PZ_CATALOG_WRITE, &d->err)) {
        pz_catalog_delete_resource(c, d->kind->one, t->name, &d->err);
        pz_catalog_close(c);
    }
    pz_buf_addz(&d->call->http->out, "{}");
    good(d);
}

/* Is the thing a child of what the request asks for? */
static bool
is_child(struct pz_desk_call *d, const struct pz_thing *t, const struct pz_arn *parent)
{
    struct pz_arn a;
    pz_json *doc = pz_thing_doc(d, t);
    const char *arn = doc ? pz_json_get_string(doc, d->kind->parent_in_doc) : NULL;
    size_t n = parent->n_name;
    bool yes = false;
    if (arn && pz_arn_parse(&a, arn))
        yes = strncmp(a.name, parent->name, n) == 0 && (!a.name[n] || a.name[n] == '/');
    else if (strcmp(d->kind->parent_in_doc, "datasetGroupArn") == 0)
        yes = strcmp(pz_desk_base(t->group), parent->name) == 0;
    pz_json_free(doc);
    return yes;
}

/* The part of a list of n that is asked for, [*from, *to). A token is the number of the
 * first. False: the call has failed. */
static bool
page(struct pz_desk_call *d, size_t n, size_t *from, size_t *to)
{
    const char *token = text(d, "nextToken");
    int64_t most = 100, at = 0;
    pz_body_i64(d->call->body, "maxResults", &most);
    if (token && (pz_parse_i64(token, strlen(token), &at) || at < 0 || (size_t)at > n)) {
        pz_api_fail(d->call, PZ_FAULT_NEXT_TOKEN, "nextToken '%.40s' is not valid",
                    token);
        return false;
    }
    *from = (size_t)at;
    *to = n - *from < (size_t)most ? n : *from + (size_t)most;
    return true;
}

static void
end_page(struct pz_desk_call *d, size_t n, size_t to)
{
    struct pz_buf *out = &d->call->http->out;
    pz_buf_addc(out, ']');
    if (to < n)
        pz_buf_addf(out, ",\"nextToken\":\"%zu\"", to);
    pz_buf_addc(out, '}');
    good(d);
}

static void
list(struct pz_desk_call *d)
{
    struct pz_things all;
    struct pz_arn parent;
    size_t n = 0, from, to;
    const char *arn = d->kind->parent_key ? text(d, d->kind->parent_key) : NULL;
    if (arn && !pz_arn_parse(&parent, arn)) {
        pz_api_fail(d->call, PZ_FAULT_INVALID_INPUT, "'%s' names nothing", arn);
        return;
    }
    pz_things_all(d, (enum pz_kind_id)(d->kind - pz_kinds), &all);
    for (size_t i = 0; i < all.n && !d->err.status; i++)
        if (!arn || is_child(d, &all.thing[i], &parent))
            all.thing[n++] = all.thing[i];
    if (d->err.status) {
        pz_desk_fail(d);
    } else if (page(d, n, &from, &to)) {
        pz_buf_addf(&d->call->http->out, "{\"%s\":[", d->kind->many);
        for (size_t i = from; i < to; i++) {
            if (i > from)
                pz_buf_addc(&d->call->http->out, ',');
            write_thing(d, &all.thing[i], d->kind->summary);
        }
        end_page(d, n, to);
    }
    free(all.thing);
}

/* ---- recipes ---- */

static void
list_recipes(struct pz_desk_call *d)
{
    struct pz_buf *out = &d->call->http->out;
    const char *domain = text(d, "domain"), *name[256], *of[256];
    size_t n = 0, from, to;
    for (size_t i = 0; !domain && pz_recipes[i] && n < 256; i++) {
        of[n] = NULL;
        name[n++] = pz_recipes[i]->name;
    }
    for (const struct pz_preset *p = pz_presets; p->name && n < 256; p++)
        if (domain && p->domain && strcmp(p->domain, domain) == 0) {
            of[n] = p->domain;
            name[n++] = p->name;
        }
    if (!page(d, n, &from, &to))
        return;
    pz_buf_addz(out, "{\"recipes\":[");
    for (size_t i = from; i < to; i++) {
        bool first = true;
        pz_buf_addz(out, i > from ? ",{" : "{");
        pz_out_text(out, &first, "name", name[i]);
        pz_out_arn(out, &first, "recipeArn", pz_api_home(d->call), "recipe", name[i]);
        pz_out_text(out, &first, "status", "ACTIVE");
        pz_out_text(out, &first, "domain", of[i]);
        pz_buf_addc(out, '}');
    }
    end_page(d, n, to);
}

static void
describe_recipe(struct pz_desk_call *d)
{
    struct pz_buf *out = &d->call->http->out;
    const char *arn = text(d, "recipeArn");
    const struct pz_preset *p = arn ? pz_preset_find(arn) : NULL;
    const struct pz_recipe *r = p     ? pz_recipe_find(p->recipe)
                                : arn ? pz_recipe_find(arn)
                                      : NULL;
    bool first = true;
    if (!r) {
        pz_api_fail(d->call, PZ_FAULT_NOT_FOUND, "Recipe %s does not exist",
                    arn ? arn : "");
        return;
    }
    pz_buf_addz(out, "{\"recipe\":{");
    pz_out_text(out, &first, "name", p ? p->name : r->name);
    pz_out_arn(out, &first, "recipeArn", pz_api_home(d->call), "recipe",
               p ? p->name : r->name);
    pz_out_arn(out, &first, "algorithmArn", pz_api_home(d->call), "algorithm", r->name);
    pz_out_arn(out, &first, "featureTransformationArn", pz_api_home(d->call),
               "feature-transformation", r->name);
    pz_out_text(out, &first, "status", "ACTIVE");
    pz_out_text(out, &first, "description", p ? p->summary : r->summary);
    pz_out_text(out, &first, "recipeType", pz_recipe_type_name(r->type));
    pz_buf_addz(out, "}}");
    good(d);
}

/* ---- versions ---- */

struct metrics {
    const char *pz;
    struct pz_buf *out;
    bool found;
};

static int
take_metrics(void *ctx, const struct pz_catalog_version *row)
{
    struct metrics *m = ctx;
    size_t n = strlen(row->solution);
    if (strncmp(m->pz, row->solution, n) == 0 && m->pz[n] == '/' &&
        strcmp(m->pz + n + 1, row->version) == 0) {
        pz_buf_addz(m->out, row->metrics);
        m->found = true;
    }
    return 0;
}

static void
get_metrics(struct pz_desk_call *d)
{
    const struct pz_thing *t = find(d);
    struct pz_catalog *c;
    bool first = true;
    if (!t)
        return;
    if (strcmp(t->status, "ACTIVE") != 0 || !t->pz) {
        pz_api_fail(d->call, PZ_FAULT_IN_USE, "Solution version %s is not ACTIVE",
                    text(d, "solutionVersionArn"));
        return;
    }
    struct metrics m = {t->pz, &d->call->http->out, false};
    pz_buf_addc(m.out, '{');
    add_arn(d, &first, t);
    pz_buf_addz(m.out, ",\"metrics\":");
    if (!pz_catalog_open(&c, t->group, PZ_CATALOG_READ, &d->err)) {
        pz_catalog_versions(c, NULL, take_metrics, &m, &d->err);
        pz_catalog_close(c);
    }
    pz_buf_addz(m.out, m.found ? "}" : "{}}");
    good(d);
}

static void
stop_version(struct pz_desk_call *d)
{
    const struct pz_thing *found = find(d);
    if (!found)
        return;
    struct pz_thing t = *found;
    struct pz_job **at = pz_control_jobs(d->control);
    while (*at && ((*at)->kind != t.kind || strcmp((*at)->name, t.name) != 0))
        at = &(*at)->next;
    struct pz_job *j = *at;
    if (!j) {
        pz_api_fail(d->call, PZ_FAULT_INVALID_INPUT,
                    "Solution version %s is %s: there is nothing to stop", t.name,
                    t.status);
        return;
    }
    t.status = j->pid ? "CREATE STOPPING" : "CREATE STOPPED";
    t.updated = pz_now();
    pz_job_kill(j);
    if (!j->pid) {
        *at = j->next;
        pz_job_free(j);
    }
    pz_thing_put(d, &t);
    pz_buf_addz(&d->call->http->out, "{}");
    good(d);
}

/* ---- changes ---- */

/* The document with a member replaced (value NULL: taken away). */
const char *
pz_desk_changed(struct pz_desk_call *d, const char *doc, const char *key,
                const char *value)
{
    struct pz_buf b = PZ_BUF_INIT;
    pz_json *j = NULL;
    const char *out = NULL;
    bool first = true;
    if (pz_json_parse(&j, doc, strlen(doc), &d->err))
        return NULL;
    pz_buf_addc(&b, '{');
    for (const pz_json *m = pz_json_first(j); m; m = pz_json_next(m))
        if (strcmp(pz_json_key(m), key) != 0) {
            pz_out_key(&b, &first, pz_json_key(m));
            pz_json_add(&b, m);
        }
    if (value) {
        pz_out_key(&b, &first, key);
        pz_buf_addz(&b, value);
    }
    pz_buf_addc(&b, '}');
    if (!pz_buf_status(&b, "a resource", &d->err))
        pz_arena_copy(d->arena, &out, b.data, b.len, "a resource", &d->err);
    pz_buf_release(&b);
    pz_json_free(j);
    return out;
}

static void
update_campaign(struct pz_desk_call *d)
{
    static const char *const member[] = {"solutionVersionArn", "minProvisionedTPS",
                                         "campaignConfig"};
    const struct pz_thing *found = find(d);
    pz_json *doc = found ? pz_thing_doc(d, found) : NULL;
    if (!doc)
        return;
    struct pz_thing t = *found;
    const char *arn = text(d, "solutionVersionArn");
    if (!arn)
        arn = pz_desk_text(d, "%s", pz_json_get_string(doc, "solutionVersionArn"));
    pz_json_free(doc);
    if (!arn || !pz_campaign_update(d, &t, arn))
        return;
    for (size_t i = 0; i < 3 && t.doc; i++) {
        struct pz_buf b = PZ_BUF_INIT;
        const pz_json *j = pz_body_get(d->call->body, member[i]);
        if (j)
            pz_json_add(&b, j);
        if (b.data)
            t.doc = pz_desk_changed(d, t.doc, member[i], b.data);
        pz_buf_release(&b);
    }
    t.updated = pz_now();
    t.status = "ACTIVE";
    if (t.doc)
        pz_thing_put(d, &t);
    say_arn(d, &t);
}

/* ---- tags ---- */

/* What an ARN names, of any kind. */
static const struct pz_thing *
find_any(struct pz_desk_call *d, const char *arn)
{
    struct pz_arn a;
    bool parsed = arn && pz_arn_parse(&a, arn);
    for (int k = 0; parsed && k < PZ_N_KINDS; k++)
        if (pz_arn_is(&a, pz_kinds[k].arn_kind) &&
            (k != PZ_KIND_SOLUTION || !strchr(a.name, '/')))
            return pz_thing_find(d, (enum pz_kind_id)k, arn);
    pz_api_fail(d->call, PZ_FAULT_INVALID_INPUT, "'%s' names nothing that can have tags",
                arn ? arn : "");
    return NULL;
}

static void
list_tags(struct pz_desk_call *d)
{
    const struct pz_thing *t = find_any(d, text(d, "resourceArn"));
    pz_json *doc = t ? pz_thing_doc(d, t) : NULL;
    if (!doc)
        return;
    const pz_json *tags = pz_body_get(doc, "tags");
    pz_buf_addz(&d->call->http->out, "{\"tags\":");
    if (tags)
        pz_json_add(&d->call->http->out, tags);
    else
        pz_buf_addz(&d->call->http->out, "[]");
    pz_buf_addc(&d->call->http->out, '}');
    pz_json_free(doc);
    good(d);
}

/* Is the key among those of a list of tags, or of texts? */
static bool
has_key(const pz_json *list, const char *key)
{
    for (const pz_json *j = list ? pz_json_first(list) : NULL; j; j = pz_json_next(j)) {
        const char *s =
            pz_json_is_object(j) ? pz_json_get_string(j, "tagKey") : pz_json_string(j);
        if (s && key && strcmp(s, key) == 0)
            return true;
    }
    return false;
}

enum { TAGS_MAX = 50 };

static void
set_tags(struct pz_desk_call *d)
{
    const pz_json *more = pz_body_get(d->call->body, "tags");
    const pz_json *less = pz_body_get(d->call->body, "tagKeys");
    const struct pz_thing *found = find_any(d, text(d, "resourceArn"));
    struct pz_buf b = PZ_BUF_INIT;
    size_t n = 0;
    pz_json *doc = found ? pz_thing_doc(d, found) : NULL;
    if (!doc)
        return;
    struct pz_thing t = *found;
    const pz_json *lists[] = {pz_body_get(doc, "tags"), more};
    pz_buf_addc(&b, '[');
    for (int i = 0; i < 2; i++)
        for (const pz_json *j = lists[i] ? pz_json_first(lists[i]) : NULL; j;
             j = pz_json_next(j)) {
            const char *key = pz_json_get_string(j, "tagKey");
            if (has_key(less, key) || (i == 0 && has_key(more, key)))
                continue;
            pz_buf_addz(&b, n++ ? "," : "");
            pz_json_add(&b, j);
        }
    pz_buf_addc(&b, ']');
    if (n > TAGS_MAX) {
        pz_api_fail(d->call, PZ_FAULT_TOO_MANY_TAGS, "%zu tags: %d are possible", n,
                    TAGS_MAX);
    } else if (!pz_buf_status(&b, "tags", &d->err)) {
        t.doc = pz_desk_changed(d, t.doc, "tags", b.data);
        if (t.doc)
            pz_thing_put(d, &t);
        pz_buf_addz(&d->call->http->out, "{}");
        good(d);
    }
    pz_buf_release(&b);
    pz_json_free(doc);
}

static void
absent(struct pz_desk_call *d)
{
    pz_api_fail(d->call, PZ_FAULT_INVALID_INPUT,
                "%s is not available on this server; pz-aws(7) lists what is",
                d->call->route->operation);
}

/* ---- the table ---- */

/* Operation, request shape, kind, function; pz-aws(7) has the same rows. */
#define OPERATIONS(X)                                                                    \
    X(CreateBatchInferenceJob, create_inference, INFERENCE, create)                      \
    X(CreateBatchSegmentJob, arns, GROUP, absent)                                        \
    X(CreateCampaign, create_campaign, CAMPAIGN, create)                                 \
    X(CreateDataDeletionJob, create_deletion, DELETION, create)                          \
    X(CreateDataset, create_dataset, DATASET, create)                                    \
    X(CreateDatasetExportJob, create_export, EXPORT, create)                             \
    X(CreateDatasetGroup, create_group, GROUP, create)                                   \
    X(CreateDatasetImportJob, create_import, IMPORT, create)                             \
    X(CreateEventTracker, create_tracker, TRACKER, create)                               \
    X(CreateFilter, create_filter, FILTER, create)                                       \
    X(CreateMetricAttribution, arns, GROUP, absent)                                      \
    X(CreateRecommender, arns, GROUP, absent)                                            \
    X(CreateSchema, create_schema, SCHEMA, create)                                       \
    X(CreateSolution, create_solution, SOLUTION, create)                                 \
    X(CreateSolutionVersion, create_version, VERSION, create)                            \
    X(DeleteCampaign, arns, CAMPAIGN, drop)                                              \
    X(DeleteDataset, arns, DATASET, drop)                                                \
    X(DeleteDatasetGroup, arns, GROUP, drop)                                             \
    X(DeleteEventTracker, arns, TRACKER, drop)                                           \
    X(DeleteFilter, arns, FILTER, drop)                                                  \
    X(DeleteMetricAttribution, arns, GROUP, absent)                                      \
    X(DeleteRecommender, arns, GROUP, absent)                                            \
    X(DeleteSchema, arns, SCHEMA, drop)                                                  \
    X(DeleteSolution, arns, SOLUTION, drop)                                              \
    X(DescribeAlgorithm, arns, GROUP, absent)                                            \
    X(DescribeBatchInferenceJob, arns, INFERENCE, describe)                              \
    X(DescribeBatchSegmentJob, arns, GROUP, absent)                                      \
    X(DescribeCampaign, arns, CAMPAIGN, describe)                                        \
    X(DescribeDataDeletionJob, arns, DELETION, describe)                                 \
    X(DescribeDataset, arns, DATASET, describe)                                          \
    X(DescribeDatasetExportJob, arns, EXPORT, describe)                                  \
    X(DescribeDatasetGroup, arns, GROUP, describe)                                       \
    X(DescribeDatasetImportJob, arns, IMPORT, describe)                                  \
    X(DescribeEventTracker, arns, TRACKER, describe)                                     \
    X(DescribeFeatureTransformation, arns, GROUP, absent)                                \
    X(DescribeFilter, arns, FILTER, describe)                                            \
    X(DescribeMetricAttribution, arns, GROUP, absent)                                    \
    X(DescribeRecipe, arns, GROUP, describe_recipe)                                      \
    X(DescribeRecommender, arns, GROUP, absent)                                          \
    X(DescribeSchema, arns, SCHEMA, describe)                                            \
    X(DescribeSolution, arns, SOLUTION, describe)                                        \
    X(DescribeSolutionVersion, arns, VERSION, describe)                                  \
    X(GetSolutionMetrics, arns, VERSION, get_metrics)                                    \
    X(ListBatchInferenceJobs, list, INFERENCE, list)                                     \
    X(ListBatchSegmentJobs, list, GROUP, absent)                                         \
    X(ListCampaigns, list, CAMPAIGN, list)                                               \
    X(ListDataDeletionJobs, list, DELETION, list)                                        \
    X(ListDatasetExportJobs, list, EXPORT, list)                                         \
    X(ListDatasetGroups, list, GROUP, list)                                              \
    X(ListDatasetImportJobs, list, IMPORT, list)                                         \
    X(ListDatasets, list, DATASET, list)                                                 \
    X(ListEventTrackers, list, TRACKER, list)                                            \
    X(ListFilters, list, FILTER, list)                                                   \
    X(ListMetricAttributionMetrics, list, GROUP, absent)                                 \
    X(ListMetricAttributions, list, GROUP, absent)                                       \
    X(ListRecipes, list_recipes, GROUP, list_recipes)                                    \
    X(ListRecommenders, list, GROUP, absent)                                             \
    X(ListSchemas, list, SCHEMA, list)                                                   \
    X(ListSolutionVersions, list, VERSION, list)                                         \
    X(ListSolutions, list, SOLUTION, list)                                               \
    X(ListTagsForResource, arns, GROUP, list_tags)                                       \
    X(StartRecommender, arns, GROUP, absent)                                             \
    X(StopRecommender, arns, GROUP, absent)                                              \
    X(StopSolutionVersionCreation, arns, VERSION, stop_version)                          \
    X(TagResource, tag, GROUP, set_tags)                                                 \
    X(UntagResource, untag, GROUP, set_tags)                                             \
    X(UpdateCampaign, update_campaign, CAMPAIGN, update_campaign)                        \
    X(UpdateDataset, arns, DATASET, absent)                                              \
    X(UpdateMetricAttribution, arns, GROUP, absent)                                      \
    X(UpdateRecommender, arns, GROUP, absent)                                            \
    X(UpdateSolution, arns, SOLUTION, absent)

static const struct {
    enum pz_kind_id kind;
    operation_fn fn;
} operations[] = {
#define OPERATION(name, shape, kind, fn) {PZ_KIND_##kind, fn},
    OPERATIONS(OPERATION)
#undef OPERATION
};

const struct pz_route pz_control_routes[] = {
#define ROUTE(name, shape, kind, fn)                                                     \
    {PZ_CONTROL, #name, "POST", "/", &pz_shape_##shape, pz_control_take, 0},
    OPERATIONS(ROUTE)
#undef ROUTE
        {PZ_CONTROL, NULL, NULL, NULL, NULL, NULL, 0},
};

void
pz_control_do(struct pz_desk_call *d)
{
    size_t at = (size_t)(d->call->route - pz_control_routes);
    d->kind = &pz_kinds[operations[at].kind];
    operations[at].fn(d);
}
