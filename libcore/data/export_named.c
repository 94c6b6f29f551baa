#include "data/export_named.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/put_export.h"
#include "data/stored.h"

enum source { BULK, PUT, ALL };

static int
no_dataset(const char *group, enum pz_set set, struct pz_err *err)
{
    return pz_err_set(err, PZ_USAGE, "group '%s' has no dataset '%s'", group,
                      pz_set_name(set));
}

static int
no_group(const char *where, struct pz_err *err)
{
    return pz_err_set(err, PZ_USAGE, "'%s' is no group: what was put is kept in groups",
                      where);
}

int
pz_dataset_open_named(struct pz_dataset *d, const char *where, bool is_group,
                      enum pz_set set, struct pz_err *err)
{
    char *path = NULL;
    int r = is_group ? pz_dataset_path(&path, where, set, err) : PZ_OK;
    *d = (struct pz_dataset){0};
    if (!r && is_group && access(path, F_OK) && errno == ENOENT)
        r = no_dataset(where, set, err);
    if (!r)
        r = pz_dataset_open(d, path ? path : where, err);
    free(path);
    if (!r && d->schema.set != set) {
        r = pz_err_set(err, PZ_USAGE, "'%s' holds %s, not %s", where,
                       pz_set_name(d->schema.set), pz_set_name(set));
        pz_dataset_close(d);
    }
    return r;
}

static int
read_names(const struct pz_export_named *x, enum pz_set *set, enum source *source,
           struct pz_err *err)
{
    static const char *const names[] = {[BULK] = "bulk", [PUT] = "put", [ALL] = "all"};
    bool events = strcmp(x->type, "events") == 0;
    bool actions = strcmp(x->type, "action-events") == 0;
    *source = events || actions ? PUT : BULK;
    *set = actions ? PZ_ACTION_INTERACTIONS : PZ_INTERACTIONS;
    if (!events && !actions && pz_set_parse(set, x->type, err))
        return err->status;
    for (int i = BULK; x->source; i++) {
        if (i > ALL)
            return pz_err_set(err, PZ_USAGE, "--source '%s' is none of bulk, put, all",
                              x->source);
        if (strcmp(x->source, names[i]) == 0) {
            *source = (enum source)i;
            break;
        }
    }
    return PZ_OK;
}

static int
write_put(struct pz_estore *s, enum pz_set set, const struct pz_schema *schema,
          enum pz_format format, pz_export_write write, void *ctx, struct pz_err *err)
{
    static const enum pz_record_kind record[PZ_N_SETS] = {[PZ_ITEMS] = PZ_RECORD_ITEM,
                                                          [PZ_USERS] = PZ_RECORD_USER,
                                                          [PZ_ACTIONS] =
                                                              PZ_RECORD_ACTION};
    if (set == PZ_INTERACTIONS || set == PZ_ACTION_INTERACTIONS)
        return pz_put_export(s, set == PZ_INTERACTIONS ? PZ_EVENT_ITEM : PZ_EVENT_ACTION,
                             schema, format, write, ctx, err);
    return pz_put_export_records(s, record[set], schema, format, write, ctx, err);
}

/* The event store, with the columns that the dataset's schema has now. */
static int
export_put(const struct pz_export_named *x, enum pz_set set, pz_export_write write,
           void *ctx, struct pz_err *err)
{
    struct pz_estore *s = NULL;
    struct pz_dataset d = {0};
    char *path;
    if (!x->is_group)
        return no_group(x->where, err);
    int r = pz_dataset_path(&path, x->where, set, err);
    if (r)
        return r;
    bool there = access(path, F_OK) == 0;
    if (there)
        r = pz_dataset_open(&d, path, err);
    if (!r)
        r = pz_estore_open(&s, x->where, PZ_CATALOG_READ, err);
    if (!r)
        r = write_put(s, set, there ? &d.schema : NULL, x->format, write, ctx, err);
    pz_estore_close(s);
    pz_dataset_close(&d);
    free(path);
    return r;
}

static int
open_all(struct pz_export_named *x, enum pz_set set, struct pz_dataset *d,
         struct pz_err *err)
{
    struct pz_stored_report report;
    if (!x->is_group)
        return no_group(x->where, err);
    int r = pz_stored_open(d, x->where, set, x->threads, &report, err);
    x->unfit = report.unfit;
    snprintf(x->reason, sizeof x->reason, "%s", report.reason);
    return r == PZ_NEGATIVE ? no_dataset(x->where, set, err) : r;
}

int
pz_export_named(struct pz_export_named *x, pz_export_write write, void *ctx,
                struct pz_err *err)
{
    struct pz_dataset d;
    enum pz_set set;
    enum source source;
    int r = read_names(x, &set, &source, err);
    if (r)
        return r;
    if (source == PUT)
        return export_put(x, set, write, ctx, err);
    r = source == ALL ? open_all(x, set, &d, err)
                      : pz_dataset_open_named(&d, x->where, x->is_group, set, err);
    if (r)
        return r;
    r = pz_tensors_verify(&d.file, err);
    if (!r)
        r = pz_dataset_check(&d, err);
    if (!r)
        r = pz_export(&d, x->format, write, ctx, err);
    pz_dataset_close(&d);
    return r;
}
