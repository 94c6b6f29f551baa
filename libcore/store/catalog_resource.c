#include "store/catalog_resource.h"

#include "store/catalog_db.h"

static int
bind_texts(sqlite3_stmt *q, const char *const *text, int n)
{
    int rc = SQLITE_OK;
    for (int i = 0; i < n && !rc; i++)
        rc = text[i] ? sqlite3_bind_text(q, i + 1, text[i], -1, SQLITE_STATIC)
                     : sqlite3_bind_null(q, i + 1);
    return rc;
}

/* Runs a statement that gives no rows with `text` as its first parameters. */
static int
change(struct pz_catalog *c, const char *sql, const char *const *text, int n,
       struct pz_err *err)
{
    sqlite3_stmt *q = NULL;
    if (pz_catalog_need_writer(c, err))
        return err->status;
    int rc = sqlite3_prepare_v2(c->db, sql, -1, &q, NULL);
    if (!rc)
        rc = bind_texts(q, text, n);
    if (!rc)
        rc = sqlite3_step(q);
    if (rc != SQLITE_DONE)
        pz_catalog_fail(c, rc, err);
    sqlite3_finalize(q);
    return err->status;
}

int
pz_catalog_put_resource(struct pz_catalog *c, const struct pz_catalog_resource *row,
                        struct pz_err *err)
{
    sqlite3_stmt *q = NULL;
    const char *const text[] = {row->kind, row->name, row->doc, row->status, row->why};
    if (pz_catalog_need_writer(c, err))
        return err->status;
    int rc = sqlite3_prepare_v2(
        c->db,
        "INSERT INTO resource (kind, name, doc, status, why, created, updated)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (kind, name) DO UPDATE SET"
        " doc = ?3, status = ?4, why = ?5, updated = ?7",
        -1, &q, NULL);
    if (!rc)
        rc = bind_texts(q, text, 5);
    if (!rc)
        rc = sqlite3_bind_int64(q, 6, row->created);
    if (!rc)
        rc = sqlite3_bind_int64(q, 7, row->updated);
    if (!rc)
        rc = sqlite3_step(q);
    if (rc != SQLITE_DONE)
        pz_catalog_fail(c, rc, err);
    sqlite3_finalize(q);
    return err->status;
}

int
pz_catalog_delete_resource(struct pz_catalog *c, const char *kind, const char *name,
                           struct pz_err *err)
{
    const char *const text[] = {kind, name};
    return change(c, "DELETE FROM resource WHERE kind = ?1 AND name = ?2", text, 2, err);
}

int
pz_catalog_delete_tracker(struct pz_catalog *c, const char *name, struct pz_err *err)
{
    return change(c, "DELETE FROM tracker WHERE name = ?1", &name, 1, err);
}

int
pz_catalog_delete_versions(struct pz_catalog *c, const char *solution, struct pz_err *err)
{
    return change(c, "DELETE FROM version WHERE solution = ?1", &solution, 1, err);
}

int
pz_catalog_resources(struct pz_catalog *c, const char *kind,
                     int (*fn)(void *ctx, const struct pz_catalog_resource *row),
                     void *ctx, struct pz_err *err)
{
    sqlite3_stmt *q = NULL;
    int64_t version;
    int stopped = 0;
    if (!c->db)
        return PZ_OK;
    int rc = pz_catalog_get_i64(c, "PRAGMA user_version", &version);
    if (!rc && version < 3) // of a reader's group that an older pz made
        return PZ_OK;
    if (!rc)
        rc = sqlite3_prepare_v2(
            c->db,
            "SELECT kind, name, doc, status, why, created, updated FROM resource"
            " WHERE kind = ?1 ORDER BY created, name",
            -1, &q, NULL);
    if (!rc)
        rc = bind_texts(q, &kind, 1);
    while (!stopped && !rc && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        const char *text[5];
        for (int i = 0; i < 5; i++)
            text[i] = (const char *)sqlite3_column_text(q, i);
        struct pz_catalog_resource row = {text[0],
                                          text[1] ? text[1] : "",
                                          text[2] ? text[2] : "{}",
                                          text[3] ? text[3] : "",
                                          text[4],
                                          sqlite3_column_int64(q, 5),
                                          sqlite3_column_int64(q, 6)};
        stopped = fn(ctx, &row);
        rc = SQLITE_OK;
    }
    int status = stopped;
    if (!stopped && rc != SQLITE_DONE)
        status = pz_catalog_fail(c, rc, err);
    sqlite3_finalize(q);
    return status;
}
