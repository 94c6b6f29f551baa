/* The control plane: AWS JSON 1.1, POST / with X-Amz-Target; see serve/control.h. */
#include "serve/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"
#include "serve/server.h"

typedef void (*operation_fn)(struct pz_desk_call *d);

enum pz_http_when
pz_desk_fail(struct pz_desk_call *d)
{
    return pz_api_fail_err(d->call, &d->err);
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

struct metrics {
    const char *solution, *version; // version NULL: the newest
    struct pz_desk_call *d;
    const char *found;
};

static int
take_metrics(void *ctx, const struct pz_catalog_version *row)
{
    struct metrics *m = ctx;
    if (strcmp(m->solution, row->solution) == 0 &&
        (!m->version || strcmp(m->version, row->version) == 0))
        pz_arena_copy(m->d->arena, &m->found, row->metrics, strlen(row->metrics),
                      "metrics", &m->d->err);
    return m->d->err.status;
}

/* The metrics of "SOLUTION/VERSION", or of the newest version of "SOLUTION"; NULL: there
 * are none. */
static const char *
find_metrics(struct pz_desk_call *d, const char *group, const char *pz)
{
    const char *slash = strchr(pz, '/');
    size_t n = slash ? (size_t)(slash - pz) : strlen(pz);
    struct metrics m = {.solution = pz_desk_text(d, "%.*s", (int)n, pz),
                        .version = slash ? slash + 1 : NULL,
                        .d = d};
    struct pz_catalog *c;
    if (m.solution && !pz_catalog_open(&c, group, PZ_CATALOG_READ, &d->err)) {
        pz_catalog_versions(c, NULL, take_metrics, &m, &d->err);
        pz_catalog_close(c);
    }
    return m.found;
}

static void
write_metrics(struct pz_desk_call *d, bool *first, const struct pz_thing *t)
{
    const char *found = find_metrics(d, t->group, t->name);
    if (!found)
        return;
    pz_out_key(&d->call->http->out, first, "modelMetrics");
    pz_buf_addz(&d->call->http->out, found);
}

/* A campaign that goes with its solution has the ARN of what is the latest. */
static bool
write_synced(struct pz_desk_call *d, bool *first, const pz_json *doc)
{
    const pz_json *config = pz_body_get(doc, "campaignConfig");
    const char *arn = pz_json_get_string(doc, "solutionVersionArn");
    struct pz_arn a;
    if (!config || !pz_desk_flag(config, "syncWithLatestSolutionVersion") || !arn ||
        !pz_arn_parse(&a, arn))
        return false;
    const char *name = pz_desk_text(d, "%.*s/$LATEST", (int)strcspn(a.name, "/"), a.name);
    if (name)
        pz_out_arn(&d->call->http->out, first, "solutionVersionArn", pz_api_home(d->call),
                   "solution", name);
    return true;
}

/* That of the tracker through which interactions with actions come. */
static void
write_tracker(struct pz_desk_call *d, bool *first, const struct pz_thing *t)
{
    const struct pz_site *site = d->call->site;
    for (size_t i = 0; i < site->n_groups; i++)
        if (strcmp(site->group[i]->path, t->group) == 0 &&
            site->group[i]->n_tracking_ids &&
            strcmp(pz_desk_base(t->name), "ACTION_INTERACTIONS") == 0)
            pz_out_text(&d->call->http->out, first, "trackingId",
                        site->group[i]->tracking_id[0]);
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
    else if (strcmp(key, "modelMetrics") == 0)
        write_metrics(d, first, t);
    else if (strcmp(key, "solutionVersionArn") == 0 && t->kind == PZ_KIND_CAMPAIGN)
        return write_synced(d, first, doc);
    else if (strcmp(key, "trackingId") == 0 && t->kind == PZ_KIND_DATASET)
        write_tracker(d, first, t);
    else if (strcmp(key, "datasetGroupArn") == 0 && !pz_body_get(doc, key))
        pz_out_arn(out, first, key, pz_api_home(d->call), "dataset-group",
                   pz_desk_base(t->group));
    else
        return false;
    return true;
}

/* What is told of a member that the request did not have. */
static const struct {
    const char *member, *json;
} defaults[] = {
    {"performHPO", "false"},
    {"performAutoML", "false"},
    {"performAutoTraining", "false"},
    {"performIncrementalUpdate", "false"},
    {"publishAttributionMetricsToS3", "false"},
    {"importMode", "\"FULL\""},
    {"ingestionMode", "\"PUT\""},
    {"batchInferenceJobMode", "\"BATCH_INFERENCE\""},
    {"numResults", "25"},
    {"minProvisionedTPS", "1"},
};

static void
write_default(struct pz_desk_call *d, bool *first, const char *member)
{
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        if (strcmp(defaults[i].member, member) == 0) {
            pz_out_key(&d->call->http->out, first, member);
            pz_buf_addz(&d->call->http->out, defaults[i].json);
        }
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
        if (write_own(d, &first, t, doc, *field))
            continue;
        if (!j) {
            write_default(d, &first, *field);
            continue;
        }
        pz_out_key(out, &first, *field);
        pz_json_add(out, j);
    }
    pz_buf_addc(out, '}');
    pz_json_free(doc);
}

void
pz_desk_good(struct pz_desk_call *d)
{
    if (d->err.status)
        pz_desk_fail(d);
    else
        d->call->http->status = 200;
}

void
pz_desk_say_arn(struct pz_desk_call *d, const struct pz_thing *t)
{
    bool first = true;
    pz_buf_addc(&d->call->http->out, '{');
    add_arn(d, &first, t);
    if (d->answer.len)
        pz_buf_addc(&d->call->http->out, ',');
    pz_buf_add(&d->call->http->out, d->answer.data ? d->answer.data : "", d->answer.len);
    pz_buf_addc(&d->call->http->out, '}');
    pz_desk_good(d);
}

/* ---- Create ---- */

/* Has the operation such a member? Others are passed over, and must not be taken later
 * for what the server itself notes in a document. */
static bool
is_member(const struct pz_call *call, const char *key)
{
    const struct pz_member *m = call->route ? call->route->shape->member : NULL;
    while (m && m->name && strcmp(m->name, key) != 0)
        m++;
    return !m || m->name;
}

/* The members of the request and those that were found beside. */
static const char *
new_doc(struct pz_desk_call *d)
{
    struct pz_buf b = PZ_BUF_INIT;
    const char *out = NULL;
    bool first = true;
    pz_buf_addc(&b, '{');
    for (const pz_json *j = pz_json_first(d->call->body); j; j = pz_json_next(j))
        if (is_member(d->call, pz_json_key(j))) {
            pz_out_key(&b, &first, pz_json_key(j));
            pz_json_add(&b, j);
        }
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

void
pz_desk_queue(struct pz_desk_call *d)
{
    struct pz_job **at = pz_control_jobs(d->control);
    while (*at)
        at = &(*at)->next;
    *at = d->job; // NULL: none
    d->job = NULL;
}

void
pz_op_create(struct pz_desk_call *d)
{
    const struct pz_kind *k = d->kind;
    enum pz_kind_id id = (enum pz_kind_id)(k - pz_kinds);
    bool derived = id == PZ_KIND_DATASET || id == PZ_KIND_VERSION;
    d->name = derived ? NULL : pz_desk_member(d, k->name_key);
    if (!pz_desk_tags_fit(d, pz_body_get(d->call->body, "tags")) || !is_free(d) ||
        !k->make(d) || (derived && !is_free(d)))
        return;
    int64_t now = pz_now();
    if (d->job) {
        char owner[PZ_JOB_OWNER];
        bool first = false;
        pz_job_owner(owner);
        pz_out_text(&d->extra, &first, "pzServer", owner);
    }
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
        d->err = (struct pz_err)PZ_ERR_INIT;
        if (id == PZ_KIND_GROUP) // its folder would be one already at the next try
            pz_desk_delete(d, d->group);
        return;
    }
    pz_desk_queue(d);
    pz_desk_say_arn(d, &t);
}

/* ---- Describe, List, Delete ---- */

const struct pz_thing *
pz_desk_thing(struct pz_desk_call *d)
{
    return pz_thing_find(d, (enum pz_kind_id)(d->kind - pz_kinds),
                         pz_desk_member(d, d->kind->arn_key));
}

void
pz_op_describe(struct pz_desk_call *d)
{
    const struct pz_thing *t = pz_desk_thing(d);
    if (!t)
        return;
    pz_buf_addf(&d->call->http->out, "{\"%s\":", d->kind->one);
    write_thing(d, t, d->kind->fields);
    pz_buf_addc(&d->call->http->out, '}');
    pz_desk_good(d);
}

void
pz_op_drop(struct pz_desk_call *d)
{
    const struct pz_thing *t = pz_desk_thing(d);
    if (!t || !d->kind->drop(d, t))
        return;
    bool gone = t->kind == PZ_KIND_GROUP; // and its catalogue with it
    struct pz_catalog *c = gone ? NULL : pz_desk_begin(d, t->group);
    if (c) {
        pz_catalog_delete_resource(c, d->kind->one, t->name, &d->err);
        pz_desk_commit(d);
    }
    pz_buf_addz(&d->call->http->out, "{}");
    pz_desk_good(d);
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

static bool
bad_token(struct pz_desk_call *d, const char *token)
{
    return pz_desk_no(pz_api_fail(d->call, PZ_FAULT_NEXT_TOKEN,
                                  "nextToken '%.40s' is not valid", token));
}

/* Where a page of a list of n ends that begins at `from`. */
static size_t
page_end(struct pz_desk_call *d, size_t n, size_t from)
{
    int64_t most = 100;
    pz_body_i64(d->call->body, "maxResults", &most);
    return n - from < (size_t)most ? n : from + (size_t)most;
}

bool
pz_desk_page(struct pz_desk_call *d, size_t n, size_t *from, size_t *to)
{
    const char *token = pz_desk_member(d, "nextToken");
    int64_t at = 0;
    if (token && (pz_parse_i64(token, strlen(token), &at) || at < 0 || (size_t)at > n))
        return bad_token(d, token);
    *from = (size_t)at;
    *to = page_end(d, n, *from);
    return true;
}

static void
end_page(struct pz_desk_call *d, const char *next)
{
    struct pz_buf *out = &d->call->http->out;
    bool first = false;
    pz_buf_addc(out, ']');
    pz_out_text(out, &first, "nextToken", next);
    pz_buf_addc(out, '}');
    pz_desk_good(d);
}

void
pz_desk_end_page(struct pz_desk_call *d, size_t n, size_t to)
{
    end_page(d, to < n ? pz_desk_text(d, "%zu", to) : NULL);
}

/* The first of a page of things, which are in order of time and name. A token is time and
 * name of the last of the page before: whatever is made or deleted between two pages, the
 * others come once. */
static bool
first_thing(struct pz_desk_call *d, const struct pz_things *list, size_t *from)
{
    const char *token = pz_desk_member(d, "nextToken");
    const char *slash = token ? strchr(token, '/') : NULL;
    struct pz_thing last = {.name = slash ? slash + 1 : ""};
    *from = 0;
    if (!token)
        return true;
    if (!slash || pz_parse_i64(token, (size_t)(slash - token), &last.created))
        return bad_token(d, token);
    while (*from < list->n && pz_thing_compare(&list->thing[*from], &last) <= 0)
        ++*from;
    return true;
}

/* What the request asks for the children of. False: none of its kind is named so. */
static bool
take_parent(struct pz_desk_call *d, const char *arn, struct pz_arn *parent)
{
    enum pz_kind_id kind = PZ_KIND_SCHEMA;
    while (strcmp(pz_kinds[kind].arn_key, d->kind->parent_key) != 0)
        kind++;
    if (!pz_arn_parse(parent, arn) || !pz_arn_is(parent, pz_kinds[kind].arn_kind))
        return INVALID("'%s' is not the ARN of a %s", arn, pz_kinds[kind].word);
    // Of all lists only this one is known to AWS to fail for what does not exist.
    return d->kind != &pz_kinds[PZ_KIND_VERSION] || pz_thing_find(d, kind, arn);
}

void
pz_op_list(struct pz_desk_call *d)
{
    struct pz_things all;
    struct pz_arn parent;
    size_t n = 0, from;
    const char *arn = d->kind->parent_key ? pz_desk_member(d, d->kind->parent_key) : NULL;
    if (arn && !take_parent(d, arn, &parent))
        return;
    pz_things_all(d, (enum pz_kind_id)(d->kind - pz_kinds), &all);
    for (size_t i = 0; i < all.n && !d->err.status; i++)
        if (!arn || is_child(d, &all.thing[i], &parent))
            all.thing[n++] = all.thing[i];
    all.n = n;
    if (d->err.status) {
        pz_desk_fail(d);
    } else if (first_thing(d, &all, &from)) {
        size_t to = page_end(d, n, from);
        pz_buf_addf(&d->call->http->out, "{\"%s\":[", d->kind->many);
        for (size_t i = from; i < to; i++) {
            if (i > from)
                pz_buf_addc(&d->call->http->out, ',');
            write_thing(d, &all.thing[i], d->kind->summary);
        }
        const struct pz_thing *last = to < n ? &all.thing[to - 1] : NULL;
        end_page(d, last
                        ? pz_desk_text(d, "%lld/%s", (long long)last->created, last->name)
                        : NULL);
    }
    free(all.thing);
}

/* ---- versions ---- */

void
pz_op_get_metrics(struct pz_desk_call *d)
{
    const struct pz_thing *t = pz_desk_thing(d);
    bool first = true;
    if (!t)
        return;
    if (strcmp(t->status, "ACTIVE") != 0 || !t->pz) {
        pz_api_fail(d->call, PZ_FAULT_IN_USE, "Solution version %s is not ACTIVE",
                    pz_desk_member(d, "solutionVersionArn"));
        return;
    }
    const char *found = find_metrics(d, t->group, t->pz);
    pz_buf_addc(&d->call->http->out, '{');
    add_arn(d, &first, t);
    pz_buf_addz(&d->call->http->out, ",\"metrics\":");
    pz_buf_addz(&d->call->http->out, found ? found : "{}");
    pz_buf_addc(&d->call->http->out, '}');
    pz_desk_good(d);
}

void
pz_op_stop_version(struct pz_desk_call *d)
{
    const struct pz_thing *found = pz_desk_thing(d);
    if (!found)
        return;
    struct pz_thing t = *found;
    struct pz_job *j = *pz_control_jobs(d->control);
    while (j && (j->over || j->kind != t.kind || strcmp(j->name, t.name) != 0))
        j = j->next;
    if (!j) {
        pz_api_fail(d->call, PZ_FAULT_INVALID_INPUT,
                    "Solution version %s is %s: there is nothing to stop", t.name,
                    t.status);
        return;
    }
    t.status = j->pid ? "CREATE STOPPING" : "CREATE STOPPED";
    t.updated = pz_now();
    pz_job_kill(j);
    if (!j->pid) // it stays until its end is stored, which may not be possible here
        j->over = j->stopped = true;
    pz_thing_put(d, &t);
    pz_buf_addz(&d->call->http->out, "{}");
    pz_desk_good(d);
}

/* ---- the table ---- */

/* Operation, request shape, kind, function; pz-aws(7) has the same rows. */
#define OPERATIONS(X)                                                                    \
    X(CreateBatchInferenceJob, create_inference, INFERENCE, create)                      \
    X(CreateBatchSegmentJob, create_segment, SEGMENT, create)                            \
    X(CreateCampaign, create_campaign, CAMPAIGN, create)                                 \
    X(CreateDataDeletionJob, create_deletion, DELETION, create)                          \
    X(CreateDataset, create_dataset, DATASET, create)                                    \
    X(CreateDatasetExportJob, create_export, EXPORT, create)                             \
    X(CreateDatasetGroup, create_group, GROUP, create)                                   \
    X(CreateDatasetImportJob, create_import, IMPORT, create)                             \
    X(CreateEventTracker, create_tracker, TRACKER, create)                               \
    X(CreateFilter, create_filter, FILTER, create)                                       \
    X(CreateMetricAttribution, create_attribution, ATTRIBUTION, create)                  \
    X(CreateRecommender, create_recommender, RECOMMENDER, create)                        \
    X(CreateSchema, create_schema, SCHEMA, create)                                       \
    X(CreateSolution, create_solution, SOLUTION, create)                                 \
    X(CreateSolutionVersion, create_version, VERSION, create)                            \
    X(DeleteCampaign, arns, CAMPAIGN, drop)                                              \
    X(DeleteDataset, arns, DATASET, drop)                                                \
    X(DeleteDatasetGroup, arns, GROUP, drop)                                             \
    X(DeleteEventTracker, arns, TRACKER, drop)                                           \
    X(DeleteFilter, arns, FILTER, drop)                                                  \
    X(DeleteMetricAttribution, arns, ATTRIBUTION, drop)                                  \
    X(DeleteRecommender, arns, RECOMMENDER, drop)                                        \
    X(DeleteSchema, arns, SCHEMA, drop)                                                  \
    X(DeleteSolution, arns, SOLUTION, drop)                                              \
    X(DescribeAlgorithm, arns, GROUP, describe_algorithm)                                \
    X(DescribeBatchInferenceJob, arns, INFERENCE, describe)                              \
    X(DescribeBatchSegmentJob, arns, SEGMENT, describe)                                  \
    X(DescribeCampaign, arns, CAMPAIGN, describe)                                        \
    X(DescribeDataDeletionJob, arns, DELETION, describe)                                 \
    X(DescribeDataset, arns, DATASET, describe)                                          \
    X(DescribeDatasetExportJob, arns, EXPORT, describe)                                  \
    X(DescribeDatasetGroup, arns, GROUP, describe)                                       \
    X(DescribeDatasetImportJob, arns, IMPORT, describe)                                  \
    X(DescribeEventTracker, arns, TRACKER, describe)                                     \
    X(DescribeFeatureTransformation, arns, GROUP, describe_transformation)               \
    X(DescribeFilter, arns, FILTER, describe)                                            \
    X(DescribeMetricAttribution, arns, ATTRIBUTION, describe)                            \
    X(DescribeRecipe, arns, GROUP, describe_recipe)                                      \
    X(DescribeRecommender, arns, RECOMMENDER, describe)                                  \
    X(DescribeSchema, arns, SCHEMA, describe)                                            \
    X(DescribeSolution, arns, SOLUTION, describe)                                        \
    X(DescribeSolutionVersion, arns, VERSION, describe)                                  \
    X(GetSolutionMetrics, arns, VERSION, get_metrics)                                    \
    X(ListBatchInferenceJobs, list, INFERENCE, list)                                     \
    X(ListBatchSegmentJobs, list, SEGMENT, list)                                         \
    X(ListCampaigns, list, CAMPAIGN, list)                                               \
    X(ListDataDeletionJobs, list, DELETION, list)                                        \
    X(ListDatasetExportJobs, list, EXPORT, list)                                         \
    X(ListDatasetGroups, list, GROUP, list)                                              \
    X(ListDatasetImportJobs, list, IMPORT, list)                                         \
    X(ListDatasets, list, DATASET, list)                                                 \
    X(ListEventTrackers, list, TRACKER, list)                                            \
    X(ListFilters, list, FILTER, list)                                                   \
    X(ListMetricAttributionMetrics, list_metrics, ATTRIBUTION, list_metrics)             \
    X(ListMetricAttributions, list, ATTRIBUTION, list)                                   \
    X(ListRecipes, list_recipes, GROUP, list_recipes)                                    \
    X(ListRecommenders, list, RECOMMENDER, list)                                         \
    X(ListSchemas, list, SCHEMA, list)                                                   \
    X(ListSolutionVersions, list, VERSION, list)                                         \
    X(ListSolutions, list, SOLUTION, list)                                               \
    X(ListTagsForResource, arns, GROUP, list_tags)                                       \
    X(StartRecommender, arns, RECOMMENDER, start_recommender)                            \
    X(StopRecommender, arns, RECOMMENDER, stop_recommender)                              \
    X(StopSolutionVersionCreation, arns, VERSION, stop_version)                          \
    X(TagResource, tag, GROUP, set_tags)                                                 \
    X(UntagResource, untag, GROUP, set_tags)                                             \
    X(UpdateCampaign, update_campaign, CAMPAIGN, update_campaign)                        \
    X(UpdateDataset, update_dataset, DATASET, update_dataset)                            \
    X(UpdateMetricAttribution, update_attribution, ATTRIBUTION, update_attribution)      \
    X(UpdateRecommender, update_recommender, RECOMMENDER, update_recommender)            \
    X(UpdateSolution, update_solution, SOLUTION, update_solution)

static const struct {
    enum pz_kind_id kind;
    operation_fn fn;
} operations[] = {
#define OPERATION(name, shape, kind, fn) {PZ_KIND_##kind, pz_op_##fn},
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
