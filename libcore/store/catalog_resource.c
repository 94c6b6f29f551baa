#include "store/catalog_resource.h"

#include "store/catalog_db.h"

int
pz_catalog_put_resource(struct pz_catalog *c, const struct pz_catalog_resource *row,
                        struct pz_err *err)
{
    const struct pz_bound v[] = {PZ_TEXT(row->kind),     PZ_TEXT(row->name),
                                 PZ_TEXT(row->doc),      PZ_TEXT(row->status),
                                 PZ_TEXT(row->why),      PZ_NUMBER(row->created),
                                 PZ_NUMBER(row->updated)};
    return pz_catalog_write(
        c,
        "INSERT INTO resource (kind, name, doc, status, why, created, updated)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (kind, name) DO UPDATE SET"
        " doc = ?3, status = ?4, why = ?5, updated = ?7",
        v, 7, err);
}

int
pz_catalog_delete_resource(struct pz_catalog *c, const char *kind, const char *name,
                           struct pz_err *err)
{
    const struct pz_bound v[] = {PZ_TEXT(kind), PZ_TEXT(name)};
    return pz_catalog_write(c, "DELETE FROM resource WHERE kind = ?1 AND name = ?2", v, 2,
                            err);
}

int
pz_catalog_add_tracker(struct pz_catalog *c, const char *name, const char *id,
                       int64_t created, struct pz_err *err)
{
    const struct pz_bound v[] = {PZ_TEXT(name), PZ_TEXT(id), PZ_NUMBER(created)};
    int status = pz_catalog_write(c,
                                  "INSERT INTO tracker (name, tracking_id, created, "
                                  "updated) VALUES (?1, ?2, ?3, ?3)",
                                  v, 3, err);
    if (status == PZ_USAGE)
        pz_err_set(err, PZ_USAGE, "there is an event tracker '%s' already", name);
    return status;
}

int
pz_catalog_delete_tracker(struct pz_catalog *c, const char *name, struct pz_err *err)
{
    const struct pz_bound v = PZ_TEXT(name);
    return pz_catalog_write(c, "DELETE FROM tracker WHERE name = ?1", &v, 1, err);
}

int
pz_catalog_delete_versions(struct pz_catalog *c, const char *solution, struct pz_err *err)
{
    const struct pz_bound v = PZ_TEXT(solution);
    return pz_catalog_write(c, "DELETE FROM version WHERE solution = ?1", &v, 1, err);
}

int
pz_catalog_resources(struct pz_catalog *c, const char *kind,
                     int (*fn)(void *ctx, const struct pz_catalog_resource *row),
                     void *ctx, struct pz_err *err)
{
    sqlite3_stmt *q;
    const struct pz_bound v = PZ_TEXT(kind);
    int64_t version;
    if (!c->db)
        return PZ_OK;
    int rc = pz_catalog_get_i64(c, "PRAGMA user_version", &version), stopped = 0;
    if (rc)
        return pz_catalog_fail(c, rc, err);
    if (version < 3) // of a reader's group that an older pz made
        return PZ_OK;
    int status = pz_catalog_query(
        c, &q,
        "SELECT kind, name, doc, status, why, created, updated FROM resource"
        " WHERE kind = ?1 ORDER BY created, name",
        &v, 1, err);
    if (status)
        return status;
    while (!stopped && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        struct pz_catalog_resource row = {
            .kind = pz_catalog_text(q, 0),
            .name = pz_catalog_text(q, 1),
            .doc = pz_catalog_text(q, 2),
            .status = pz_catalog_text(q, 3),
            .why = (const char *)sqlite3_column_text(q, 4),
            .created = sqlite3_column_int64(q, 5),
            .updated = sqlite3_column_int64(q, 6),
        };
        stopped = fn(ctx, &row);
    }
    return pz_catalog_end(c, q, rc, stopped, err);
}
