/* What the console shows of groups: datasets, versions with metrics, campaigns, filters.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/pz.h"
#include "data/insights.h"
#include "infer/infer.h"
#include "infer/locate.h"
#include "serve/console.h"
#include "serve/server.h"
#include "store/estore.h"

#define SUFFIX ".safetensors"
enum { VERSIONS_MAX = 500, VALUES_MAX = 50 };

static const struct pz_member none[] = {{NULL, NULL, false}};
static const struct pz_member group_members[] = {
    {"groupName", &pz_shape_string, true},
    {NULL, NULL, false},
};
const struct pz_shape pz_console_groups_shape = {.kind = PZ_SHAPE_STRUCT, .member = none};
const struct pz_shape pz_console_group_shape = {.kind = PZ_SHAPE_STRUCT,
                                                .member = group_members};
const struct pz_shape pz_console_insights_shape = {.kind = PZ_SHAPE_STRUCT,
                                                   .member = group_members};

/* ---- writing ---- */

static void
comma(struct pz_buf *out, bool *first)
{
    if (!*first)
        pz_buf_addc(out, ',');
    *first = false;
}

static void
out_time(struct pz_buf *out, bool *first, const char *key, int64_t t)
{
    char text[PZ_TIME_TEXT];
    pz_time_text(text, t);
    pz_out_text(out, first, key, text);
}

/* JSON of a file's metadata; left out when it is none. */
static void
out_json(struct pz_buf *out, bool *first, const char *key, const char *text)
{
    struct pz_err err = PZ_ERR_INIT;
    pz_json *j;
    if (!text || pz_json_parse(&j, text, strlen(text), &err))
        return;
    pz_out_key(out, first, key);
    pz_json_add(out, j);
    pz_json_free(j);
}

/* ---- groups ---- */

bool
pz_console_groups(struct pz_console_call *c)
{
    struct pz_buf *out = &c->call->http->out;
    const struct pz_server *s = c->call->server;
    bool first = true, next = true;
    pz_buf_addc(out, '{');
    pz_out_text(out, &first, "version", PZ_VERSION);
    pz_out_text(out, &first, "region", s->o.region);
    pz_out_text(out, &first, "account", s->o.account);
    pz_out_text(out, &first, "root", s->o.root ? s->o.root : s->o.group);
    pz_out_bool(out, &first, "single", !s->o.root);
    pz_out_text(out, &first, "files", s->o.s3_root);
    pz_out_key(out, &first, "groups");
    pz_buf_addc(out, '[');
    for (size_t i = 0; i < c->call->site->n_groups; i++) {
        const struct pz_group *g = c->call->site->group[i];
        bool inner = true;
        comma(out, &next);
        pz_buf_addc(out, '{');
        pz_out_text(out, &inner, "name", g->name);
        pz_out_text(out, &inner, "path", g->path);
        pz_out_i64(out, &inner, "campaigns", (int64_t)g->n_campaigns);
        pz_buf_addc(out, '}');
    }
    pz_buf_addz(out, "]}");
    return true;
}

/* ---- datasets ---- */

/* All values of a column of texts that has few. */
static void
add_values(struct pz_buf *out, bool *first, const struct pz_dataset *d,
           const struct pz_field *f)
{
    const struct pz_column *c = pz_dataset_column(d, f->name);
    if (!c || !c->dict.offsets || c->dict.n > VALUES_MAX)
        return;
    pz_out_key(out, first, "values");
    pz_buf_addc(out, '[');
    for (uint32_t i = 0; i < c->dict.n; i++) {
        size_t n = 0;
        const char *text = pz_ids_get(&c->dict, i, &n);
        if (i)
            pz_buf_addc(out, ',');
        pz_json_add_string(out, text ? text : "", n);
    }
    pz_buf_addc(out, ']');
}

static void
add_fields(struct pz_buf *out, const struct pz_dataset *d)
{
    const struct pz_schema *s = &d->schema;
    static const char *const types[] = {"string", "int",    "long",
                                        "float",  "double", "boolean"};
    pz_buf_addc(out, '[');
    for (size_t i = 0; i < s->n_fields; i++) {
        const struct pz_field *f = &s->field[i];
        bool first = true;
        pz_buf_addz(out, i ? ",{" : "{");
        pz_out_text(out, &first, "name", f->name);
        pz_out_text(out, &first, "type", types[f->type]);
        pz_out_bool(out, &first, "nullable", f->nullable);
        pz_out_bool(out, &first, "categorical", f->categorical);
        pz_out_bool(out, &first, "textual", f->textual);
        add_values(out, &first, d, f);
        pz_buf_addc(out, '}');
    }
    pz_buf_addc(out, ']');
}

static void
add_dataset(struct pz_buf *out, const struct pz_dataset *d)
{
    int64_t from, to;
    const char *domain = pz_tensors_meta(&d->file, "domain");
    const struct pz_field *title = pz_console_title(d);
    bool first = true;
    pz_buf_addc(out, '{');
    pz_out_text(out, &first, "dataset", pz_set_name(d->schema.set));
    pz_out_text(out, &first, "file", d->file.path);
    pz_out_i64(out, &first, "bytes", (int64_t)d->file.map.len);
    pz_out_text(out, &first, "domain", domain && *domain ? domain : "custom");
    pz_out_i64(out, &first, "rows", (int64_t)d->n_rows);
    if (d->user.offsets)
        pz_out_i64(out, &first, "users", (int64_t)d->user.n);
    if (d->item.offsets)
        pz_out_i64(out, &first, "items", (int64_t)d->item.n);
    if (pz_console_span(d, &from, &to)) {
        out_time(out, &first, "from", from);
        out_time(out, &first, "to", to);
    }
    pz_out_text(out, &first, "title", title ? title->name : NULL);
    pz_out_key(out, &first, "fields");
    add_fields(out, d);
    out_json(out, &first, "schema", pz_tensors_meta(&d->file, "schema"));
    pz_buf_addc(out, '}');
}

/* ---- versions ---- */

struct version_walk {
    struct pz_buf *out;
    const struct pz_group *group;
    bool first;
    size_t n;
    struct pz_buf trained; // "SOLUTION/VERSION\tSTARTED\tENDED\n", as the catalogue has
                           // them
};

static int
note_version(void *ctx, const struct pz_catalog_version *v)
{
    struct version_walk *w = ctx;
    pz_buf_addf(&w->trained, "\n%s/%s\t%lld\t%lld", v->solution, v->version,
                (long long)v->started, (long long)v->ended);
    return 0;
}

static void
add_times(struct version_walk *w, bool *first, const char *solution, const char *version)
{
    struct pz_buf key = PZ_BUF_INIT;
    int64_t started, ended;
    pz_buf_addf(&key, "\n%s/%s\t", solution, version);
    const char *at =
        key.data && w->trained.data ? strstr(w->trained.data, key.data) : NULL;
    if (at) {
        const char *a = at + key.len, *tab = strchr(a, '\t');
        size_t n = tab ? strcspn(tab + 1, "\n") : 0;
        if (tab && !pz_parse_i64(a, (size_t)(tab - a), &started) &&
            !pz_parse_i64(tab + 1, n, &ended)) {
            out_time(w->out, first, "trained", ended);
            pz_out_i64(w->out, first, "seconds", ended - started);
        }
    }
    pz_buf_release(&key);
}

static void
add_version(struct version_walk *w, const char *path, const char *solution,
            const char *version)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_tensors t;
    struct pz_ids ids;
    bool first = true;
    comma(w->out, &w->first);
    pz_buf_addc(w->out, '{');
    pz_out_text(w->out, &first, "solution", solution);
    pz_out_text(w->out, &first, "version", version);
    pz_out_text(w->out, &first, "file", path);
    if (pz_tensors_open(&t, path, &err)) {
        pz_out_text(w->out, &first, "error", err.msg);
        pz_buf_addc(w->out, '}');
        return;
    }
    pz_out_i64(w->out, &first, "bytes", (int64_t)t.map.len);
    pz_out_text(w->out, &first, "recipe", pz_tensors_meta(&t, "recipe"));
    pz_out_text(w->out, &first, "preset", pz_tensors_meta(&t, "preset"));
    if (!pz_ids_open(&ids, &t, "user", &err))
        pz_out_i64(w->out, &first, "users", (int64_t)ids.n);
    if (!pz_ids_open(&ids, &t, "item", &err))
        pz_out_i64(w->out, &first, "items", (int64_t)ids.n);
    add_times(w, &first, solution, version);
    out_json(w->out, &first, "params", pz_tensors_meta(&t, "params"));
    out_json(w->out, &first, "metrics", pz_tensors_meta(&t, "metrics"));
    pz_buf_addc(w->out, '}');
    pz_tensors_close(&t);
}

static int
take_version(void *ctx, const char *path, const char *solution, const char *version)
{
    struct version_walk *w = ctx;
    if (w->n++ < VERSIONS_MAX)
        add_version(w, path, solution, version);
    return 0;
}

/* The latest of each solution first. */
static void
add_versions(struct pz_buf *out, const struct pz_group *g, struct pz_err *err)
{
    struct version_walk w = {.out = out, .group = g, .first = true};
    struct pz_err why = PZ_ERR_INIT; // the files are there without the catalogue too
    struct pz_catalog *cat;
    if (!pz_catalog_open(&cat, g->path, PZ_CATALOG_READ, &why)) {
        pz_catalog_versions(cat, NULL, note_version, &w, &why);
        pz_catalog_close(cat);
    }
    pz_buf_addc(out, '[');
    pz_locate_models(g->path, true, take_version, &w, err);
    pz_buf_addc(out, ']');
    pz_buf_release(&w.trained);
}

/* ---- campaigns and the rest ---- */

static void
add_model(struct pz_buf *out, bool *first, const struct pz_model *m)
{
    static const char *const set[] = {
        [PZ_ITEMS] = "items", [PZ_USERS] = "users", [PZ_ACTIONS] = "actions"};
    const char *asks = pz_model_asks_attributes(m)           ? "attributes"
                       : pz_model_asks_item(m)               ? "item"
                       : m->recipe->type == PZ_POPULAR_ITEMS ? "nobody"
                                                             : "user";
    const char *slash = strrchr(m->file.path, '/'), *name = slash ? slash + 1 : "";
    size_t n = strlen(name), k = strlen(SUFFIX);
    pz_out_text(out, first, "recipe", m->recipe->name);
    pz_out_text(out, first, "preset", m->preset);
    pz_out_text(out, first, "type", pz_recipe_type_name(m->recipe->type));
    pz_out_text(out, first, "asks", asks);
    pz_out_text(out, first, "answers", set[pz_model_answer_set(m)]);
    pz_out_bool(out, first, "explains", m->recipe->explain != NULL);
    pz_out_bool(out, first, "scores", m->has_scores);
    pz_out_key(out, first, "version"); // that answers now
    pz_json_add_string(out, name, n > k ? n - k : n);
}

static bool
goes_with_latest(const struct pz_campaign *c)
{
    struct pz_err err = PZ_ERR_INIT;
    pz_json *config = NULL;
    bool latest = !c->version || !c->config;
    if (!latest && !pz_json_parse(&config, c->config, strlen(c->config), &err))
        pz_json_is_bool(pz_json_get(config, "syncWithLatestSolutionVersion"), &latest);
    pz_json_free(config);
    return latest;
}

static void
add_campaigns(struct pz_buf *out, const struct pz_group *g)
{
    pz_buf_addc(out, '[');
    for (size_t i = 0; i < g->n_campaigns; i++) {
        const struct pz_campaign *c = &g->campaign[i];
        bool first = true;
        pz_buf_addz(out, i ? ",{" : "{");
        pz_out_text(out, &first, "name", c->name);
        pz_out_text(out, &first, "solution", c->solution);
        pz_out_bool(out, &first, "latest", goes_with_latest(c));
        pz_out_bool(out, &first, "made", c->config != NULL);
        if (c->deploy)
            add_model(out, &first, &c->deploy->model);
        else
            pz_out_text(out, &first, "why", c->why ? c->why : "no model");
        pz_buf_addc(out, '}');
    }
    pz_buf_addc(out, ']');
}

static void
add_filters(struct pz_buf *out, const struct pz_group *g)
{
    pz_buf_addc(out, '[');
    for (size_t i = 0; i < g->n_filters; i++) {
        bool first = true;
        pz_buf_addz(out, i ? ",{" : "{");
        pz_out_text(out, &first, "name", g->filter[i].name);
        pz_out_text(out, &first, "expression", g->filter[i].expression);
        pz_buf_addc(out, '}');
    }
    pz_buf_addc(out, ']');
}

/* What pz-event and Put requests stored. */
static void
add_store(struct pz_buf *out, bool *first, const struct pz_group *g, struct pz_err *err)
{
    struct pz_estore *s;
    struct pz_estore_counts n = {0};
    bool inner = true;
    if (pz_estore_open(&s, g->path, PZ_CATALOG_READ, err))
        return;
    if (!pz_estore_count(s, &n, err)) {
        pz_out_key(out, first, "eventStore");
        pz_buf_addc(out, '{');
        pz_out_i64(out, &inner, "events", (int64_t)(n.events + n.action_events));
        pz_out_i64(out, &inner, "anonymous", (int64_t)n.anonymous);
        pz_out_i64(out, &inner, "sessions", (int64_t)n.sessions);
        pz_out_i64(out, &inner, "items", (int64_t)n.items);
        pz_out_i64(out, &inner, "users", (int64_t)n.users);
        if (n.events + n.action_events) {
            out_time(out, &inner, "from", n.first);
            out_time(out, &inner, "to", n.last);
        }
        pz_buf_addc(out, '}');
    }
    pz_estore_close(s);
}

bool
pz_console_group(struct pz_console_call *c)
{
    struct pz_buf *out = &c->call->http->out;
    const struct pz_group *g = c->group;
    bool first = true, next = true;
    pz_buf_addc(out, '{');
    pz_out_text(out, &first, "name", g->name);
    pz_out_text(out, &first, "path", g->path);
    pz_out_key(out, &first, "datasets");
    pz_buf_addc(out, '[');
    for (int i = 0; i < PZ_N_SETS; i++)
        if (g->sets && g->sets->g.data.set[i]) {
            comma(out, &next);
            add_dataset(out, g->sets->g.data.set[i]);
        }
    pz_buf_addc(out, ']');
    pz_out_key(out, &first, "versions");
    add_versions(out, g, &c->err);
    pz_out_key(out, &first, "campaigns");
    add_campaigns(out, g);
    pz_out_key(out, &first, "filters");
    add_filters(out, g);
    pz_out_key(out, &first, "trackers");
    pz_buf_addc(out, '[');
    for (size_t i = 0; i < g->n_tracking_ids; i++) {
        if (i)
            pz_buf_addc(out, ',');
        pz_json_add_string(out, g->tracking_id[i], strlen(g->tracking_id[i]));
    }
    pz_buf_addc(out, ']');
    add_store(out, &first, g, &c->err);
    pz_buf_addc(out, '}');
    return true;
}

/* What the datasets of the report are, by their content: headers have all hashes. */
static uint64_t
content(const struct pz_dataset *const set[PZ_N_SETS])
{
    static const enum pz_set of[] = {PZ_INTERACTIONS, PZ_ITEMS, PZ_USERS};
    uint64_t key = 0;
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        const struct pz_map *map = set[of[i]] ? &set[of[i]]->file.map : NULL;
        uint64_t n = 0;
        if (map)
            memcpy(&n, map->data, sizeof n); // was checked when it was opened
        key = XXH3_64bits_withSeed(map ? map->data : NULL, map ? (size_t)n + 8 : 0,
                                   key + i);
    }
    return key;
}

bool
pz_console_insights(struct pz_console_call *c)
{
    struct pz_buf *out = &c->call->http->out, *kept;
    const struct pz_dataset *const *set =
        c->group->sets ? c->group->sets->g.data.set : NULL;
    if (!set || !set[PZ_INTERACTIONS]) {
        pz_api_fail(c->call, PZ_FAULT_NOT_FOUND, "the group has no interactions yet");
        return true;
    }
    if (!pz_console_report(c, content(set), &kept)) {
        pz_insights(set[PZ_INTERACTIONS], set[PZ_ITEMS], set[PZ_USERS], NULL, kept,
                    &c->err);
        if (c->err.status || pz_buf_status(kept, "a report", &c->err)) {
            pz_buf_clear(kept);
            return true;
        }
    }
    pz_buf_add(out, kept->data, kept->len);
    return true;
}
