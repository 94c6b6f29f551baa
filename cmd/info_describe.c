#include "cmd/info_describe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/info_files.h"
#include "cmd/info_names.h"
#include "cmd/opt.h"
#include "cmd/show.h"
#include "data/stats.h"
#include "store/catalog.h"
#include "store/estore.h"

static int worst; // status of what could not be read

static void
meet(int status)
{
    if (status > worst)
        worst = status;
}

/* ---- a dataset ---- */

static void
show_error(struct pz_show *o, const char *path, const struct pz_err *err)
{
    pz_show_text(o, "error", pz_info_message(err, path));
    meet(err->status);
}

static void
show_nulls(struct pz_show *o, uint64_t nulls, uint64_t rows)
{
    pz_show_u64(o, "nulls", nulls);
    pz_show_real(o, "nullShare",
                 rows ? round(1e4 * (double)nulls / (double)rows) / 1e4 : 0);
}

/* A dictionary of ids as a column: all there, all different. */
static void
show_id_column(struct pz_show *o, uint64_t n)
{
    pz_show_text(o, "use", "id");
    pz_show_text(o, "stored", "");
    show_nulls(o, 0, n);
    pz_show_u64(o, "distinct", n);
}

static void
show_column(struct pz_show *o, const struct pz_dataset *d, const struct pz_field *f)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_stats s;
    const struct pz_column *c = pz_dataset_column(d, f->name);
    if (!c) {
        show_id_column(o, f->role == PZ_ROLE_USER ? d->user.n : d->item.n);
        return;
    }
    const char *use = f->role == PZ_ROLE_TIMESTAMP || f->role == PZ_ROLE_CREATION ? "time"
                      : f->categorical ? "categorical"
                      : f->textual     ? "textual"
                                       : "";
    pz_show_text(o, "use", use);
    pz_show_text(o, "stored", pz_dtype_name(c->dtype));
    if (pz_stats_column(d, c, &s, &err))
        pz_die_err(&err);
    show_nulls(o, s.nulls, d->n_rows);
    pz_show_u64(o, "distinct", s.distinct);
    if (s.more)
        pz_show_bool(o, "more", true);
    if (s.has_range && s.whole) {
        pz_show_i64(o, "min", s.i_min);
        pz_show_i64(o, "max", s.i_max);
    } else if (s.has_range) {
        pz_show_real(o, "min", s.f_min);
        pz_show_real(o, "max", s.f_max);
    }
}

static void
show_span(struct pz_show *o, const struct pz_dataset *d)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_stats s;
    int f = d->schema.at[PZ_ROLE_TIMESTAMP];
    const struct pz_column *c =
        f < 0 ? NULL : pz_dataset_column(d, d->schema.field[f].name);
    if (!c)
        return;
    if (pz_stats_column(d, c, &s, &err))
        pz_die_err(&err);
    if (s.has_range && s.whole) {
        pz_show_time(o, "from", s.i_min);
        pz_show_time(o, "to", s.i_max);
    }
}

static void
show_dataset(struct pz_show *o, const struct pz_dataset *d)
{
    static const char *const types[] = {"string", "int",    "long",
                                        "float",  "double", "boolean"};
    const char *domain = pz_tensors_meta(&d->file, "domain");
    pz_show_text(o, "dataset", pz_set_name(d->schema.set));
    pz_show_text(o, "file", d->file.path);
    pz_show_u64(o, "bytes", d->file.map.len);
    pz_show_text(o, "domain", domain && *domain ? domain : "custom");
    pz_show_u64(o, "rows", d->n_rows);
    if (d->user.offsets)
        pz_show_u64(o, "users", d->user.n);
    if (d->item.offsets)
        pz_show_u64(o, "items", d->item.n);
    show_span(o, d);
    struct pz_show *columns = pz_show_array(o, "columns");
    for (size_t i = 0; i < d->schema.n_fields; i++) {
        const struct pz_field *f = &d->schema.field[i];
        struct pz_show *c = pz_show_object(columns, NULL);
        pz_show_text(c, "name", f->name);
        pz_show_text(c, "type", types[f->type]);
        show_column(c, d, f);
    }
    pz_show_parsed(o, "schema", pz_tensors_meta(&d->file, "schema"));
    pz_show_json_only(o);
}

/* ---- a file ---- */

static bool
is_hash(const char *key)
{
    return strcmp(key, "xxh3") == 0 || strncmp(key, "xxh3.", 5) == 0;
}

static void
show_metadata(struct pz_show *o, const struct pz_tensors *t)
{
    struct pz_show *meta = pz_show_object(o, "metadata");
    for (size_t i = 0; i < t->n_meta; i++) {
        const char *key = t->meta[2 * i], *value = t->meta[2 * i + 1];
        if (is_hash(key))
            continue;
        if (*value == '{' || *value == '[')
            pz_show_parsed(meta, key, value);
        else
            pz_show_text(meta, key, value);
        if (strcmp(key, "schema") == 0)
            pz_show_json_only(meta); // the columns say the same
    }
}

static void
show_tensors(struct pz_show *o, const struct pz_tensors *t)
{
    struct pz_show *list = pz_show_array(o, "tensors");
    for (size_t i = 0; i < t->n_tensors; i++) {
        const struct pz_tensor *e = &t->tensor[i];
        if (strncmp(e->name, "__pad", 5) == 0)
            continue;
        char key[512];
        snprintf(key, sizeof key, "xxh3.%s", e->name);
        const char *hash = pz_tensors_meta(t, key);
        struct pz_show *row = pz_show_object(list, NULL);
        pz_show_text(row, "name", e->name);
        pz_show_text(row, "dtype", pz_dtype_name(e->dtype));
        struct pz_show *shape = pz_show_array(row, "shape");
        for (int k = 0; k < e->n_dims; k++)
            pz_show_u64(shape, NULL, e->shape[k]);
        pz_show_u64(row, "bytes", e->n_elems * pz_dtype_size(e->dtype));
        if (hash)
            pz_show_text(row, "xxh3", hash);
    }
}

void
pz_describe_file(const char *path)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_tensors t;
    struct pz_dataset d;
    if (pz_tensors_open(&t, path, &err))
        pz_die_err(&err);
    const char *kind = pz_tensors_meta(&t, "pz.kind"),
               *format = pz_tensors_meta(&t, "pz.format");
    struct pz_show *root = pz_show_object(NULL, NULL);
    pz_show_text(root, "kind", kind ? kind : "safetensors, not of pz");
    if (format)
        pz_show_text(root, "format", format);
    if (kind && strcmp(kind, "dataset") == 0) {
        if (pz_dataset_open(&d, path, &err))
            pz_die_err(&err);
        show_dataset(root, &d);
        pz_dataset_close(&d);
    } else {
        pz_show_text(root, "file", path);
        pz_show_u64(root, "bytes", t.map.len);
    }
    show_metadata(root, &t);
    show_tensors(root, &t);
    pz_show_print(root);
    pz_tensors_close(&t);
}

/* ---- a group ---- */

struct trained { // what the catalogue knows of a version
    char *solution, *version;
    int64_t started, ended;
};

struct models {
    struct pz_show *list;
    struct trained *row;
    size_t n, cap;
};

static int
keep_version(void *ctx, const struct pz_catalog_version *v)
{
    struct models *m = ctx;
    struct pz_err err = PZ_ERR_INIT;
    struct trained t = {NULL, NULL, v->started, v->ended};
    if (pz_grow(&m->row, &m->cap, m->n + 1, sizeof *m->row, "versions", &err) ||
        pz_strndup(&t.solution, v->solution, strlen(v->solution), &err) ||
        pz_strndup(&t.version, v->version, strlen(v->version), &err))
        pz_die_err(&err);
    m->row[m->n++] = t;
    return 0;
}

static int
show_model(void *ctx, const char *path, const char *solution, const char *version)
{
    struct models *m = ctx;
    struct pz_err err = PZ_ERR_INIT;
    struct pz_tensors t;
    struct pz_ids ids;
    struct pz_show *o = pz_show_object(m->list, NULL);
    pz_show_text(o, "solution", solution);
    pz_show_text(o, "version", version);
    pz_show_text(o, "file", path);
    if (pz_tensors_open(&t, path, &err)) {
        show_error(o, path, &err);
        return 0;
    }
    const char *recipe = pz_tensors_meta(&t, "recipe");
    const char *params = pz_tensors_meta(&t, "params");
    const char *metrics = pz_tensors_meta(&t, "metrics");
    pz_show_u64(o, "bytes", t.map.len);
    pz_show_text(o, "recipe", recipe ? recipe : "unknown");
    if (pz_tensors_meta(&t, "preset"))
        pz_show_text(o, "preset", pz_tensors_meta(&t, "preset"));
    if (pz_tensors_meta(&t, "filter"))
        pz_show_text(o, "filter", pz_tensors_meta(&t, "filter"));
    if (!pz_ids_open(&ids, &t, "user", &err))
        pz_show_u64(o, "users", ids.n);
    if (!pz_ids_open(&ids, &t, "item", &err))
        pz_show_u64(o, "items", ids.n);
    for (size_t i = 0; i < m->n; i++)
        if (strcmp(m->row[i].solution, solution) == 0 &&
            strcmp(m->row[i].version, version) == 0) {
            pz_show_time(o, "trained", m->row[i].ended);
            pz_show_i64(o, "seconds", m->row[i].ended - m->row[i].started);
        }
    if (params)
        pz_show_parsed(o, "params", params);
    if (metrics)
        pz_show_parsed(o, "metrics", metrics);
    pz_tensors_close(&t);
    return 0;
}

static int
show_import(void *ctx, const struct pz_catalog_import *row)
{
    struct pz_show *o = pz_show_object(ctx, NULL);
    pz_show_time(o, "started", row->started);
    pz_show_text(o, "dataset", row->set);
    pz_show_text(o, "mode", row->mode);
    pz_show_i64(o, "seconds", row->ended - row->started);
    pz_show_u64(o, "rowsRead", row->rows_read);
    pz_show_u64(o, "rowsKept", row->rows_kept);
    pz_show_u64(o, "duplicates", row->duplicates);
    pz_show_u64(o, "rejected", row->rejected);
    pz_show_parsed(o, "sources", row->sources);
    return 0;
}

static int
show_type(void *ctx, const char *type, uint64_t n)
{
    struct pz_show *o = pz_show_object(ctx, NULL);
    pz_show_text(o, "type", type);
    pz_show_u64(o, "events", n);
    return 0;
}

/* What pz-event stored; nothing is said of an empty store. */
static int
show_events(struct pz_show *root, const char *group, struct pz_err *err)
{
    struct pz_estore *s;
    struct pz_estore_counts n;
    if (pz_estore_open(&s, group, PZ_CATALOG_READ, err))
        return err->status;
    int status = pz_estore_count(s, &n, err);
    uint64_t events = n.events + n.action_events;
    if (!status && events + n.items + n.users + n.actions > 0) {
        struct pz_show *o = pz_show_object(root, "eventStore");
        pz_show_u64(o, "events", n.events);
        if (n.action_events)
            pz_show_u64(o, "actionEvents", n.action_events);
        pz_show_u64(o, "anonymous", n.anonymous);
        pz_show_u64(o, "sessions", n.sessions);
        pz_show_u64(o, "linkedSessions", n.linked_sessions);
        if (events) {
            pz_show_time(o, "from", n.first);
            pz_show_time(o, "to", n.last);
        }
        pz_show_u64(o, "itemsPut", n.items);
        pz_show_u64(o, "usersPut", n.users);
        if (n.actions)
            pz_show_u64(o, "actionsPut", n.actions);
        if (n.events)
            status = pz_estore_types(s, PZ_EVENT_ITEM, show_type,
                                     pz_show_array(o, "types"), err);
    }
    pz_estore_close(s);
    return status;
}

static void
show_group_dataset(struct pz_show *list, const char *group, enum pz_set set)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_dataset d;
    char *path = pz_info_dataset_path(group, set);
    if (access(path, F_OK) == 0) {
        struct pz_show *o = pz_show_object(list, NULL);
        if (pz_dataset_open(&d, path, &err)) {
            pz_show_text(o, "dataset", pz_set_name(set));
            pz_show_text(o, "file", path);
            show_error(o, path, &err);
        } else {
            show_dataset(o, &d);
            pz_dataset_close(&d);
        }
    }
    free(path);
}

int
pz_describe_group(const char *group)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_catalog *c = NULL;
    struct models m = {NULL, NULL, 0, 0};
    struct pz_show *root = pz_show_object(NULL, NULL);
    worst = PZ_OK;
    pz_show_text(root, "group", group);
    int status = pz_catalog_open(&c, group, PZ_CATALOG_READ, &err);
    if (status == PZ_SYSTEM)
        pz_die_err(&err);
    if (!status)
        status = pz_catalog_versions(c, NULL, keep_version, &m, &err);
    struct pz_show *sets = pz_show_array(root, "datasets");
    for (int set = 0; set < PZ_N_SETS; set++)
        show_group_dataset(sets, group, (enum pz_set)set);
    m.list = pz_show_array(root, "models");
    pz_info_each_model(group, show_model, &m);
    struct pz_show *imports = pz_show_array(root, "imports");
    if (!status)
        status = pz_catalog_imports(c, show_import, imports, &err);
    if (!status)
        status = pz_info_names(root, c, &err);
    if (!status)
        status = show_events(root, group, &err);
    if (status) { // the files are the truth: they are described without it
        pz_show_text(root, "catalogueError", err.msg);
        meet(status);
    }
    pz_show_print(root);
    pz_catalog_close(c);
    for (size_t i = 0; i < m.n; i++) {
        free(m.row[i].solution);
        free(m.row[i].version);
    }
    free(m.row);
    return worst;
}
