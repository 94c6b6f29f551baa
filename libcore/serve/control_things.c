/* What there is, from the catalogues of all groups. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "serve/control.h"
#include "serve/server.h"
#include "store/catalog_campaign.h"
#include "store/catalog_filter.h"
#include "store/estore.h"

struct walk {
    struct pz_desk_call *d;
    struct pz_things *list;
    enum pz_kind_id kind;
    size_t first;                  // of this group in the list
    const char *group;             // directory
    const struct pz_group *served; // NULL: the directory of all groups
    struct pz_err *err;
};

const char *
pz_desk_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *
pz_desk_text(struct pz_desk_call *d, const char *fmt, ...)
{
    struct pz_buf b = PZ_BUF_INIT;
    const char *out = NULL;
    char text[4096];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof text)
        pz_err_set(&d->err, PZ_USAGE, "a name is too long");
    else
        pz_arena_copy(d->arena, &out, text, (size_t)n, "a text", &d->err);
    pz_buf_release(&b);
    return out;
}

static const char *
copy(struct walk *w, const char *s)
{
    const char *out = NULL;
    if (s)
        pz_arena_copy(w->d->arena, &out, s, strlen(s), "a resource", w->err);
    return out;
}

static struct pz_thing *
find_here(struct walk *w, const char *name)
{
    for (size_t i = w->first; i < w->list->n; i++)
        if (strcmp(w->list->thing[i].name, name) == 0)
            return &w->list->thing[i];
    return NULL;
}

static struct pz_thing *
add(struct walk *w, const char *name, const char *doc, int64_t created, int64_t updated)
{
    struct pz_things *l = w->list;
    if (pz_grow(&l->thing, &l->cap, l->n + 1, sizeof *l->thing, "resources", w->err))
        return NULL;
    struct pz_thing *t = &l->thing[l->n];
    *t = (struct pz_thing){.kind = w->kind,
                           .name = copy(w, name),
                           .group = copy(w, w->group),
                           .doc = copy(w, doc),
                           .status = "ACTIVE",
                           .created = created,
                           .updated = updated};
    if (w->err->status)
        return NULL;
    l->n++;
    return t;
}

void
pz_thing_bury(struct pz_thing *t)
{
    t->status = t->kind == PZ_KIND_DELETION ? "FAILED" : "CREATE FAILED";
    t->why = "the server was stopped";
}

/* What a server had begun that is no more will not be done. */
static void
check_owner(struct walk *w, struct pz_thing *t)
{
    if (!strstr(t->status, "PENDING") && !strstr(t->status, "PROGRESS") &&
        !strstr(t->status, "STOPPING"))
        return;
    pz_json *doc = pz_thing_doc(w->d, t);
    const char *owner = doc ? pz_json_get_string(doc, "pzServer") : NULL;
    t->orphan = !owner || !pz_job_owner_lives(owner);
    if (t->orphan && owner)
        pz_thing_bury(t);
    pz_json_free(doc);
}

static int
take_row(void *ctx, const struct pz_catalog_resource *row)
{
    struct walk *w = ctx;
    struct pz_thing *t = add(w, row->name, row->doc, row->created, row->updated);
    if (!t)
        return w->err->status;
    t->stored = true;
    t->status = copy(w, row->status);
    t->why = copy(w, row->why);
    if (t->status)
        check_owner(w, t);
    if (w->kind == PZ_KIND_VERSION) {
        pz_json *doc = pz_thing_doc(w->d, t);
        t->pz = doc ? copy(w, pz_json_get_string(doc, "pz")) : NULL;
        pz_json_free(doc);
    }
    return w->err->status;
}

/* A document of one text member, or of none. */
static const char *
doc_of(struct walk *w, const char *key, const char *value, const char *rest)
{
    struct pz_buf b = PZ_BUF_INIT;
    bool first = true;
    const char *out = NULL;
    pz_buf_addc(&b, '{');
    if (key)
        pz_out_text(&b, &first, key, value);
    pz_buf_addz(&b, rest);
    pz_buf_addc(&b, '}');
    if (!pz_buf_status(&b, "a resource", w->err))
        out = copy(w, b.data);
    pz_buf_release(&b);
    return out;
}

/* ---- what other tools made ---- */

/* The domain of the schemas of a group's datasets, as a member of its document. */
static const char *
domain_of(const struct walk *w)
{
    static const char *const text[] = {[PZ_CUSTOM] = "",
                                       [PZ_ECOMMERCE] = ",\"domain\":\"ECOMMERCE\"",
                                       [PZ_VIDEO_ON_DEMAND] =
                                           ",\"domain\":\"VIDEO_ON_DEMAND\""};
    const struct pz_filter_data *data = &w->served->sets->g.data;
    enum pz_domain domain = PZ_CUSTOM;
    for (int set = 0; set < PZ_N_SETS && domain == PZ_CUSTOM; set++)
        if (data->set[set])
            domain = data->set[set]->schema.domain;
    return text[domain];
}

/* When a folder was made, where the file system knows; its other times change with what
 * is in it. */
static int64_t
born(const char *path, const struct stat *st)
{
    struct statx x;
    if (statx(AT_FDCWD, path, AT_STATX_SYNC_AS_STAT, STATX_BTIME, &x) == 0 &&
        (x.stx_mask & STATX_BTIME))
        return x.stx_btime.tv_sec;
    return st->st_ctim.tv_sec;
}

static int
join_group(struct walk *w)
{
    struct stat st = {0};
    const char *name = w->served->name;
    bool there = find_here(w, name) != NULL;
    for (size_t i = w->list->n; i-- > w->first;) // of a group that was copied
        if (strcmp(w->list->thing[i].name, name) != 0)
            w->list->thing[i] = w->list->thing[--w->list->n];
    if (there)
        return PZ_OK;
    stat(w->group, &st);
    const char *doc = doc_of(w, "name", name, domain_of(w));
    if (doc)
        add(w, name, doc, born(w->group, &st), st.st_mtim.tv_sec);
    return w->err->status;
}

static const char *
aws_set(struct walk *w, int set)
{
    char text[32];
    const char *name = pz_set_name((enum pz_set)set);
    size_t i;
    for (i = 0; name[i] && i + 1 < sizeof text; i++)
        text[i] = (char)(name[i] == '-' ? '_' : name[i] & ~0x20);
    text[i] = '\0';
    return copy(w, text);
}

struct maker {
    struct walk *w;
    const char *name;
    bool api;
};

static int
take_maker(void *ctx, const struct pz_catalog_resource *row)
{
    struct maker *m = ctx;
    pz_json *doc = NULL;
    if (strcmp(row->name, m->name) != 0)
        return PZ_OK;
    // What another tool made is stored too, once it has tags; it names no group.
    if (!pz_json_parse(&doc, row->doc, strlen(row->doc), m->w->err))
        m->api = pz_json_get_string(doc, "datasetGroupArn") != NULL;
    pz_json_free(doc);
    return m->w->err->status;
}

/* Did the API make it, and not another tool? */
static bool
api_made(struct walk *w, struct pz_catalog *c, enum pz_kind_id kind, const char *name)
{
    struct maker m = {w, name, false};
    pz_catalog_resources(c, pz_kinds[kind].one, take_maker, &m, w->err);
    return m.api;
}

/* Datasets that pz-import made, and their schemas. */
static int
join_sets(struct walk *w, struct pz_catalog *c)
{
    const struct pz_filter_data *data = &w->served->sets->g.data;
    for (int set = 0; set < PZ_N_SETS && !w->err->status; set++) {
        char *path;
        struct stat st = {0};
        if (!data->set[set])
            continue;
        if (pz_dataset_path(&path, w->group, (enum pz_set)set, w->err))
            break;
        stat(path, &st);
        free(path);
        const char *type = aws_set(w, set), *doc = NULL;
        const char *own =
            pz_desk_text(w->d, "%s-%s", w->served->name, pz_set_name((enum pz_set)set));
        const char *set_name = pz_desk_text(w->d, "%s/%s", w->served->name, type);
        const char *name = set_name;
        if (!own || !name || !type)
            break;
        struct pz_buf b = PZ_BUF_INIT, text = PZ_BUF_INIT;
        bool first = false;
        if (w->kind == PZ_KIND_SCHEMA) {
            name = own;
            pz_schema_text(&data->set[set]->schema, &text);
            pz_out_text(&b, &first, "schema", text.data);
        } else {
            pz_out_text(&b, &first, "datasetType", type);
            pz_out_arn(&b, &first, "schemaArn", pz_api_home(w->d->call), "schema", own);
        }
        bool known = find_here(w, name) || (w->kind == PZ_KIND_SCHEMA &&
                                            api_made(w, c, PZ_KIND_DATASET, set_name));
        if (!known && !pz_buf_status(&b, "a dataset", w->err) &&
            (doc = doc_of(w, "name", own, b.data)) != NULL)
            add(w, name, doc, st.st_mtim.tv_sec, st.st_mtim.tv_sec);
        pz_buf_release(&b);
        pz_buf_release(&text);
    }
    return w->err->status;
}

/* Is it a recommender's, and no solution of its own? */
static bool
is_recommender(const struct walk *w, const char *solution)
{
    for (size_t i = 0; i < w->served->n_campaigns; i++) {
        const struct pz_campaign *c = &w->served->campaign[i];
        if (c->recommender && strcmp(c->name, solution) == 0)
            return true;
    }
    return false;
}

static int
take_version(void *ctx, const struct pz_catalog_version *row)
{
    struct walk *w = ctx;
    struct pz_buf b = PZ_BUF_INIT;
    bool first = true, solution = w->kind == PZ_KIND_SOLUTION;
    if (is_recommender(w, row->solution))
        return PZ_OK;
    const char *name = solution
                           ? row->solution
                           : pz_desk_text(w->d, "%s/%s", row->solution, row->version);
    for (size_t i = w->first; name && i < w->list->n; i++) {
        struct pz_thing *t = &w->list->thing[i];
        bool same = strcmp(t->name, name) == 0;
        if (same && !solution && !t->pz) // another tool's, of which only tags are stored
            t->pz = t->name;
        if (same || (t->pz && strcmp(t->pz, name) == 0))
            return PZ_OK;
    }
    pz_buf_addc(&b, '{');
    if (solution)
        pz_out_text(&b, &first, "name", row->solution);
    else
        pz_out_arn(&b, &first, "solutionArn", pz_api_home(w->d->call), "solution",
                   row->solution);
    pz_out_arn(&b, &first, "recipeArn", pz_api_home(w->d->call), "recipe", row->recipe);
    if (!solution)
        pz_out_text(&b, &first, "trainingMode", "FULL");
    pz_buf_addc(&b, '}');
    if (name && !pz_buf_status(&b, "a version", w->err)) {
        struct pz_thing *t = add(w, name, b.data, row->started, row->ended);
        if (t && !solution)
            t->pz = name;
    }
    pz_buf_release(&b);
    return w->err->status;
}

/* A use case that pz-train trained is a recommender too; the newest version counts. */
static int
take_use_case(void *ctx, const struct pz_catalog_version *row)
{
    struct walk *w = ctx;
    const struct pz_preset *p = pz_preset_find(row->recipe);
    struct pz_thing *t = find_here(w, row->solution);
    if (t && !t->stored)
        t->updated = row->ended;
    if (t || !p || !p->domain)
        return PZ_OK;
    struct pz_buf b = PZ_BUF_INIT;
    bool first = false;
    pz_out_arn(&b, &first, "recipeArn", pz_api_home(w->d->call), "recipe", p->name);
    if (!pz_buf_status(&b, "a recommender", w->err)) {
        const char *doc = doc_of(w, "name", row->solution, b.data);
        if (doc)
            add(w, row->solution, doc, row->started, row->ended);
    }
    pz_buf_release(&b);
    return w->err->status;
}

/* The list holds what the API knows of campaigns, filters or trackers; `seen` of them are
 * there. Joins with a row of their own table. */
static int
join_row(struct walk *w, const char *name, const char *doc, int64_t created,
         int64_t updated)
{
    struct pz_thing *t = find_here(w, name);
    if (!t)
        t = doc ? add(w, name, doc, created, updated) : NULL;
    if (t)
        t->pz = "";
    return w->err->status;
}

static int
take_campaign(void *ctx, const struct pz_catalog_campaign *row)
{
    struct walk *w = ctx;
    struct pz_buf b = PZ_BUF_INIT;
    bool first = false;
    pz_buf_addf(&b, ",\"solutionVersionArn\":\"");
    pz_arn_add(&b, pz_api_home(w->d->call), "solution", row->solution);
    pz_buf_addf(&b, "/%s\"", row->version ? row->version : "$LATEST");
    pz_out_i64(&b, &first, "minProvisionedTPS", 1);
    if (strcmp(row->config, "{}") != 0) {
        pz_out_key(&b, &first, "campaignConfig");
        pz_buf_addz(&b, row->config);
    }
    const char *doc = pz_buf_status(&b, "a campaign", w->err)
                          ? NULL
                          : doc_of(w, "name", row->name, b.data);
    pz_buf_release(&b);
    if (join_row(w, row->name, doc, row->created, row->updated))
        return w->err->status;
    struct pz_thing *t = find_here(w, row->name);
    for (size_t i = 0; t && i < w->served->n_campaigns; i++) {
        const struct pz_campaign *c = &w->served->campaign[i];
        if (strcmp(c->name, row->name) == 0 && c->config && !c->recommender) {
            t->status = c->deploy ? "ACTIVE" : "CREATE FAILED";
            t->why = c->deploy ? NULL : copy(w, c->why);
        }
    }
    return w->err->status;
}

static int
take_filter(void *ctx, const struct pz_catalog_filter *row)
{
    struct walk *w = ctx;
    struct pz_buf b = PZ_BUF_INIT;
    bool first = false;
    pz_out_text(&b, &first, "filterExpression", row->expression);
    const char *doc = pz_buf_status(&b, "a filter", w->err)
                          ? NULL
                          : doc_of(w, "name", row->name, b.data);
    pz_buf_release(&b);
    return join_row(w, row->name, doc, row->created, row->updated);
}

static int
take_tracker(void *ctx, const struct pz_tracker *row)
{
    struct walk *w = ctx;
    struct pz_buf b = PZ_BUF_INIT;
    bool first = false;
    pz_out_text(&b, &first, "trackingId", row->tracking_id);
    const char *doc = pz_buf_status(&b, "a tracker", w->err)
                          ? NULL
                          : doc_of(w, "name", row->name, b.data);
    pz_buf_release(&b);
    return join_row(w, row->name, doc, row->created, row->created);
}

/* Solutions of other tools that answer under their own name, for want of a campaign of
 * it. Who makes solutions through the API makes campaigns too, and expects to see those.
 */
static int
join_solutions(struct walk *w, struct pz_catalog *db)
{
    for (size_t i = 0; i < w->served->n_campaigns && !w->err->status; i++) {
        const struct pz_campaign *c = &w->served->campaign[i];
        if (c->config || find_here(w, c->name) ||
            api_made(w, db, PZ_KIND_SOLUTION, c->solution))
            continue;
        const struct pz_catalog_campaign row = {c->name, c->solution, c->version,
                                                "{}",    0,           0};
        take_campaign(w, &row);
        struct pz_thing *t = find_here(w, c->name);
        if (t) {
            t->implied = true;
            t->status = c->deploy ? "ACTIVE" : "CREATE FAILED";
            t->why = c->deploy ? NULL : copy(w, c->why);
        }
    }
    return w->err->status;
}

static int
join_tables(struct walk *w, struct pz_catalog *c)
{
    struct pz_estore *s = NULL;
    if (w->kind == PZ_KIND_CAMPAIGN)
        pz_catalog_campaigns(c, NULL, take_campaign, w, w->err);
    else if (w->kind == PZ_KIND_FILTER)
        pz_catalog_filters(c, NULL, take_filter, w, w->err);
    else if (!pz_estore_open(&s, w->group, PZ_CATALOG_READ, w->err))
        pz_estore_trackers(s, take_tracker, w, w->err);
    pz_estore_close(s);
    // What has lost its row was deleted by another tool.
    for (size_t i = w->list->n; i-- > w->first;)
        if (!w->list->thing[i].pz)
            w->list->thing[i] = w->list->thing[--w->list->n];
    return w->kind == PZ_KIND_CAMPAIGN && !w->err->status ? join_solutions(w, c)
                                                          : w->err->status;
}

static int
walk_group(struct walk *w)
{
    struct pz_catalog *c;
    w->first = w->list->n;
    if (pz_catalog_open(&c, w->group, PZ_CATALOG_READ, w->err))
        return w->err->status;
    if (!pz_catalog_resources(c, pz_kinds[w->kind].one, take_row, w, w->err) &&
        w->served) {
        if (w->kind == PZ_KIND_GROUP)
            join_group(w);
        else if (w->kind == PZ_KIND_DATASET || w->kind == PZ_KIND_SCHEMA)
            join_sets(w, c);
        else if (w->kind == PZ_KIND_SOLUTION || w->kind == PZ_KIND_VERSION)
            pz_catalog_versions(c, NULL, take_version, w, w->err);
        else if (w->kind == PZ_KIND_RECOMMENDER)
            pz_catalog_versions(c, NULL, take_use_case, w, w->err);
        else if (w->kind == PZ_KIND_CAMPAIGN || w->kind == PZ_KIND_FILTER ||
                 w->kind == PZ_KIND_TRACKER)
            join_tables(w, c);
    }
    pz_catalog_close(c);
    return w->err->status;
}

int
pz_thing_compare(const void *a, const void *b)
{
    const struct pz_thing *x = a, *y = b;
    if (x->created != y->created)
        return x->created < y->created ? -1 : 1;
    return strcmp(x->name, y->name);
}

int
pz_things_all(struct pz_desk_call *d, enum pz_kind_id kind, struct pz_things *list)
{
    struct walk w = {.d = d, .list = list, .kind = kind, .err = &d->err};
    const char *root = d->call->server->o.root;
    const struct pz_site *site = d->call->site;
    *list = (struct pz_things){NULL, 0, 0};
    if (root && kind == PZ_KIND_SCHEMA) {
        w.group = root;
        walk_group(&w);
    }
    for (size_t i = 0; i < site->n_groups && !d->err.status; i++) {
        w.group = site->group[i]->path;
        w.served = site->group[i];
        walk_group(&w);
    }
    if (list->n > 1 && !d->err.status)
        qsort(list->thing, list->n, sizeof *list->thing, pz_thing_compare);
    return d->err.status;
}

/* ---- one of them ---- */

const struct pz_thing *
pz_thing_named(struct pz_desk_call *d, enum pz_kind_id kind, const char *name)
{
    struct pz_things list;
    struct pz_thing *out = NULL;
    pz_things_all(d, kind, &list);
    for (size_t i = 0; i < list.n && !out && !d->err.status; i++) {
        const struct pz_thing *t = &list.thing[i];
        bool same = strcmp(t->name, name) == 0 ||
                    (kind == PZ_KIND_VERSION && t->pz && strcmp(t->pz, name) == 0);
        if (same && !pz_arena_new(d->arena, &out, 1, sizeof *out, "a resource", &d->err))
            *out = *t;
    }
    free(list.thing);
    return d->err.status ? NULL : out;
}

const struct pz_thing *
pz_thing_find(struct pz_desk_call *d, enum pz_kind_id kind, const char *arn)
{
    const struct pz_kind *k = &pz_kinds[kind];
    struct pz_arn parts;
    if (!arn && !(arn = pz_desk_needed(d, k->arn_key)))
        return NULL;
    if (!pz_arn_parse(&parts, arn) || !pz_arn_is(&parts, k->arn_kind) ||
        (kind == PZ_KIND_VERSION && !strchr(parts.name, '/')) ||
        (kind == PZ_KIND_SOLUTION && strchr(parts.name, '/'))) {
        pz_api_fail(d->call, PZ_FAULT_INVALID_INPUT, "'%s' is not the ARN of a %s",
                    arn ? arn : "", k->word);
        return NULL;
    }
    const struct pz_thing *t = pz_thing_named(d, kind, parts.name);
    if (!t && d->err.status)
        pz_desk_fail(d);
    else if (!t && !pz_api_blind(d->call))
        pz_api_fail(d->call, PZ_FAULT_NOT_FOUND,
                    "Could not find the resource with given identifier %s", arn);
    return t;
}

pz_json *
pz_thing_doc(struct pz_desk_call *d, const struct pz_thing *t)
{
    pz_json *doc = NULL;
    if (pz_json_parse(&doc, t->doc, strlen(t->doc), &d->err))
        return NULL;
    return doc;
}

struct pz_catalog *
pz_desk_begin(struct pz_desk_call *d, const char *group)
{
    if (!d->catalog && !pz_catalog_open(&d->catalog, group, PZ_CATALOG_WRITE, &d->err) &&
        pz_catalog_begin(d->catalog, &d->err))
        pz_desk_undo(d);
    return d->catalog;
}

void
pz_desk_undo(struct pz_desk_call *d)
{
    pz_catalog_close(d->catalog);
    d->catalog = NULL;
}

int
pz_desk_commit(struct pz_desk_call *d)
{
    if (!d->err.status)
        pz_catalog_commit(d->catalog, &d->err);
    pz_desk_undo(d);
    return d->err.status;
}

int
pz_thing_put(struct pz_desk_call *d, const struct pz_thing *t)
{
    struct pz_catalog *c = pz_desk_begin(d, t->group);
    const struct pz_catalog_resource row = {pz_kinds[t->kind].one,
                                            t->name,
                                            t->doc,
                                            t->status,
                                            t->why,
                                            t->created,
                                            t->updated};
    if (!c)
        return d->err.status;
    pz_catalog_put_resource(c, &row, &d->err);
    return pz_desk_commit(d);
}

int
pz_desk_last_event(struct pz_desk_call *d, const char *group, int64_t *seq)
{
    struct pz_estore *s;
    *seq = 0;
    if (!pz_estore_open(&s, group, PZ_CATALOG_READ, &d->err)) {
        pz_estore_last(s, seq, &d->err);
        pz_estore_close(s);
    }
    return d->err.status;
}
