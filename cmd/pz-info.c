/* pz-info: describes, verifies and exports a group or any pz file. See man/pz-info.1. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "cmd/cli.h"
#include "cmd/info_names.h"
#include "cmd/show.h"
#include "data/export_named.h"
#include "data/forget.h"
#include "data/stats.h"
#include "infer/locate.h"
#include "recipe/check.h"
#include "store/catalog.h"
#include "store/estore.h"
#include "store/group.h"

static struct {
    bool verify;
    const char *export, *schema, *audit, *source;
} opt;

static const struct pz_opt options[] = {
    {"export", 'x', PZ_OPT_TEXT, &opt.export, "TYPE",
     "write the dataset as CSV (with --json: JSON lines): interactions, items, users, "
     "actions, action-interactions; or what pz-event stored: events, action-events",
     0, 0},
    {"schema", 's', PZ_OPT_TEXT, &opt.schema, "TYPE", "write the schema of the dataset",
     0, 0},
    {"source", 0, PZ_OPT_TEXT, &opt.source, "SOURCE",
     "with --export: bulk (the dataset), put (what pz-event stored), or all", 0, 0},
    {"audit", 0, PZ_OPT_TEXT, &opt.audit, "USER_ID",
     "tell which files of the group know a user; exit status 1 when any does", 0, 0},
    {"verify", 0, PZ_OPT_FLAG, &opt.verify, NULL,
     "read everything, compare all hashes and check all indexes", 0, 0},
    {NULL, 0, PZ_OPT_FLAG, NULL, NULL, NULL, 0, 0},
};

static const struct pz_tool tool = {
    "pz-info",
    "[--verify | --schema TYPE] [options] [-g DIR | FILE...]\n"
    "--export TYPE [--source SOURCE] [options] [-g DIR | FILE]\n"
    "--audit USER_ID [options] [-g DIR | FILE...]",
    "Describe, verify or export a group, a dataset or a model.",
    "  pz-info -g shop\n"
    "  pz-info --verify shop/models/mine/*.safetensors\n"
    "  pz-info -g shop --export interactions > interactions.csv\n",
    options,
};

static int worst; // exit status: the highest one met

static void
met(int status)
{
    if (status > worst)
        worst = status;
}

/* The message without the file's name in front, which stands beside it anyway. */
static const char *
without_path(const struct pz_err *err, const char *path)
{
    size_t n = strlen(path);
    if (strncmp(err->msg, path, n) == 0 && strncmp(err->msg + n, ": ", 2) == 0)
        return err->msg + n + 2;
    return err->msg;
}

static void
print(struct pz_show *root)
{
    struct pz_buf out = PZ_BUF_INIT;
    struct pz_err err = PZ_ERR_INIT;
    if (pz_common.json) {
        pz_show_json(root, &out);
        pz_buf_addc(&out, '\n');
    } else {
        pz_show_plain(root, &out);
    }
    if (pz_buf_status(&out, "the description", &err))
        pz_die_err(&err);
    fwrite(out.data, 1, out.len, stdout);
    pz_buf_release(&out);
    pz_show_free(root);
}

static char *
join(const char *dir, const char *name)
{
    struct pz_err err = PZ_ERR_INIT;
    char *path;
    if (pz_path_join(&path, dir, name, &err))
        pz_die_err(&err);
    return path;
}

static char *
dataset_path(const char *group, enum pz_set set)
{
    struct pz_err err = PZ_ERR_INIT;
    char *path;
    if (pz_dataset_path(&path, group, set, &err))
        pz_die_err(&err);
    return path;
}

static void
each_model(const char *group, pz_locate_fn fn, void *ctx)
{
    struct pz_err err = PZ_ERR_INIT;
    if (pz_locate_models(group, false, fn, ctx, &err))
        pz_die_err(&err);
}

/* ---- describing a dataset ---- */

static void
show_error(struct pz_show *o, const char *path, const struct pz_err *err)
{
    pz_show_text(o, "error", without_path(err, path));
    met(err->status);
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

/* ---- describing a file ---- */

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

static void
describe_file(const char *path)
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
    print(root);
    pz_tensors_close(&t);
}

/* ---- describing a group ---- */

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
    char *path = dataset_path(group, set);
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

static void
describe_group(const char *group)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_catalog *c = NULL;
    struct models m = {NULL, NULL, 0, 0};
    struct pz_show *root = pz_show_object(NULL, NULL);
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
    each_model(group, show_model, &m);
    struct pz_show *imports = pz_show_array(root, "imports");
    if (!status)
        status = pz_catalog_imports(c, show_import, imports, &err);
    if (!status)
        status = pz_info_names(root, c, &err);
    if (!status)
        status = show_events(root, group, &err);
    if (status) { // the files are the truth: they are described without it
        pz_show_text(root, "catalogueError", err.msg);
        met(status);
    }
    print(root);
    pz_catalog_close(c);
    for (size_t i = 0; i < m.n; i++) {
        free(m.row[i].solution);
        free(m.row[i].version);
    }
    free(m.row);
}

/* ---- verifying ---- */

/* What is found is damage when the file could be opened, else the status says why not. */
static void
verdict(const char *path, int status, const struct pz_err *err)
{
    const char *word = status == PZ_OK         ? "ok"
                       : status == PZ_NEGATIVE ? "damaged"
                                               : "unreadable";
    met(status);
    if (pz_common.json) {
        struct pz_show *o = pz_show_object(NULL, NULL);
        pz_show_text(o, "file", path);
        pz_show_text(o, "status", word);
        if (status)
            pz_show_text(o, "message", without_path(err, path));
        print(o);
    } else if (status) {
        printf("%s: %s: %s\n", path, word, without_path(err, path));
    } else {
        printf("%s: ok\n", path);
    }
}

/* A failure that is not the system's is damage. */
static int
damage(int status)
{
    return status && status != PZ_SYSTEM ? PZ_NEGATIVE : status;
}

static void
verify_file(const char *path)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_tensors t;
    struct pz_dataset d;
    int status = pz_tensors_open(&t, path, &err);
    if (!status) {
        const char *kind = pz_tensors_meta(&t, "pz.kind");
        bool dataset = kind && strcmp(kind, "dataset") == 0;
        if (!kind)
            status = pz_err_set(&err, PZ_FORMAT,
                                "a safetensors file, but not of pz: no hashes");
        else
            status = damage(pz_tensors_verify(&t, &err));
        if (!status && dataset) {
            status = damage(pz_dataset_open(&d, path, &err));
            if (!status) {
                if (pz_dataset_check(&d, &err) ||
                    (d.user.table && pz_ids_check(&d.user, &d.file, "user", &err)) ||
                    (d.item.table && pz_ids_check(&d.item, &d.file, "item", &err)))
                    status = damage(err.status);
                pz_dataset_close(&d);
            }
        }
        if (!status && kind && strcmp(kind, "model") == 0)
            status = damage(pz_model_check_file(path, &err));
        pz_tensors_close(&t);
    }
    verdict(path, status, &err);
}

static int
verify_model(void *ctx, const char *path, const char *solution, const char *version)
{
    (void)ctx;
    (void)solution;
    (void)version;
    verify_file(path);
    return 0;
}

static void
verify_group(const char *group)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_catalog *c;
    for (int set = 0; set < PZ_N_SETS; set++) {
        char *path = dataset_path(group, (enum pz_set)set);
        if (access(path, F_OK) == 0)
            verify_file(path);
        free(path);
    }
    each_model(group, verify_model, NULL);
    char *db = join(group, "group.db");
    if (access(db, F_OK) == 0) {
        int status = pz_catalog_open(&c, group, PZ_CATALOG_READ, &err);
        if (!status) {
            status = damage(pz_catalog_verify(c, &err));
            pz_catalog_close(c);
        }
        verdict(db, status, &err);
    }
    free(db);
}

/* ---- auditing ---- */

static void
audited(const char *path, bool found, const char *where)
{
    if (found)
        met(PZ_NEGATIVE);
    if (pz_common.json) {
        struct pz_show *o = pz_show_object(NULL, NULL);
        pz_show_text(o, "file", path);
        pz_show_bool(o, "found", found);
        if (found)
            pz_show_text(o, "where", where);
        print(o);
    } else {
        printf("%s: %s%s%s\n", path, found ? "found" : "nothing", found ? ": " : "",
               found ? where : "");
    }
}

static void
audit_file(const char *path)
{
    struct pz_err err = PZ_ERR_INIT;
    bool found;
    if (pz_audit_file(path, opt.audit, &found, &err))
        pz_die_err(&err);
    audited(path, found, "users");
}

static int
audit_model(void *ctx, const char *path, const char *solution, const char *version)
{
    (void)ctx;
    (void)solution;
    (void)version;
    audit_file(path);
    return 0;
}

static void
audit_group(const char *group)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_buf where = PZ_BUF_INIT;
    bool found;
    for (int set = 0; set < PZ_N_SETS; set++) {
        char *path = dataset_path(group, (enum pz_set)set);
        if (access(path, F_OK) == 0)
            audit_file(path);
        free(path);
    }
    each_model(group, audit_model, NULL);
    char *db = join(group, "group.db");
    if (pz_audit_store(group, opt.audit, &found, &where, &err))
        pz_die_err(&err);
    audited(db, found, where.data);
    pz_buf_release(&where);
    free(db);
}

/* ---- exporting ---- */

static int
write_stdout(void *ctx, const void *bytes, size_t n, struct pz_err *err)
{
    (void)ctx;
    if (fwrite(bytes, 1, n, stdout) != n)
        return pz_err_sys(err, "cannot write standard output");
    return PZ_OK;
}

/* Text that looks right and is not would be the worst answer: everything is checked
 * first. */
static void
export_rows(const char *where, bool is_group)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_export_named x = {
        .where = where,
        .is_group = is_group,
        .type = opt.export,
        .source = opt.source,
        .format = pz_common.json ? PZ_JSONL : PZ_CSV,
        .threads = (int)pz_common.threads,
    };
    if (pz_export_named(&x, write_stdout, NULL, &err))
        pz_die_err(&err);
    if (x.unfit)
        pz_warn("%llu stored rows do not fit the schema and are left out: %s",
                (unsigned long long)x.unfit, x.reason);
}

static void
export_schema(const char *where, bool is_group)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_dataset d;
    enum pz_set set;
    if (pz_set_parse(&set, opt.schema, &err) ||
        pz_dataset_open_named(&d, where, is_group, set, &err))
        pz_die_err(&err);
    printf("%s\n", pz_tensors_meta(&d.file, "schema"));
    pz_dataset_close(&d);
}

static bool
is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A directory is a group, wherever it is named. */
static void
handle(const char *path, bool is_group)
{
    struct pz_err err = PZ_ERR_INIT;
    if (is_group && pz_group_need(path, &err))
        pz_die_err(&err);
    is_group |= is_directory(path);
    if (opt.export)
        export_rows(path, is_group);
    else if (opt.audit)
        is_group ? audit_group(path) : audit_file(path);
    else if (opt.schema)
        export_schema(path, is_group);
    else if (opt.verify)
        is_group ? verify_group(path) : verify_file(path);
    else
        is_group ? describe_group(path) : describe_file(path);
}

int
main(int argc, char **argv)
{
    int first;
    pz_cli_begin();
    pz_opt_parse(&tool, argc, argv, &first);
    int n = argc - first;
    if (opt.verify + !!opt.export + !!opt.schema + !!opt.audit > 1)
        pz_die(PZ_USAGE, "--verify, --export, --schema and --audit exclude each other");
    if (opt.source && !opt.export)
        pz_die(PZ_USAGE, "--source belongs to --export");
    if ((opt.export || opt.schema) && n > 1)
        pz_die(PZ_USAGE, "one file at a time can be exported, not %d", n);
    if (n == 0)
        handle(pz_need_group(), true);
    for (int i = 0; i < n; i++) {
        if (i && !opt.verify && !opt.audit && !pz_common.json)
            putchar('\n');
        handle(argv[first + i], false);
    }
    return pz_cli_end(worst);
}
