#include "store/catalog_campaign.h"

#include "store/catalog_db.h"

static int
bind_row(sqlite3_stmt *q, const struct pz_catalog_campaign *row)
{
    int rc = sqlite3_bind_text(q, 1, row->name, -1, SQLITE_STATIC);
    if (!rc)
        rc = sqlite3_bind_text(q, 2, row->solution, -1, SQLITE_STATIC);
    if (!rc)
        rc = row->version ? sqlite3_bind_text(q, 3, row->version, -1, SQLITE_STATIC)
                          : sqlite3_bind_null(q, 3);
    if (!rc)
        rc = sqlite3_bind_text(q, 4, row->config ? row->config : "{}", -1, SQLITE_STATIC);
    if (!rc)
        rc = sqlite3_bind_int64(q, 5, row->updated);
    return rc;
}

int
pz_catalog_add_campaign(struct pz_catalog *c, const struct pz_catalog_campaign *row,
                        struct pz_err *err)
{
    sqlite3_stmt *q = NULL;
    if (pz_catalog_need_writer(c, err))
        return err->status;
    int rc = sqlite3_prepare_v2(
        c->db,
        "INSERT INTO campaign (name, solution, version, config, updated, created)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        -1, &q, NULL);
    if (!rc)
        rc = bind_row(q, row);
    if (!rc)
        rc = sqlite3_bind_int64(q, 6, row->created);
    if (!rc)
        rc = sqlite3_step(q);
    if ((rc & 0xff) == SQLITE_CONSTRAINT)
        pz_err_set(err, PZ_USAGE, "there is a campaign '%s' already", row->name);
    else if (rc != SQLITE_DONE)
        pz_catalog_fail(c, rc, err);
    sqlite3_finalize(q);
    return err->status;
}

static int
need_change(struct pz_catalog *c, const char *name, struct pz_err *err)
{
    if (!err->status && sqlite3_changes(c->db) == 0)
        return pz_err_set(err, PZ_USAGE, "there is no campaign '%s'", name);
    return err->status;
}

int
pz_catalog_set_campaign(struct pz_catalog *c, const struct pz_catalog_campaign *row,
                        struct pz_err *err)
{
    sqlite3_stmt *q = NULL;
    if (pz_catalog_need_writer(c, err))
        return err->status;
    int rc = sqlite3_prepare_v2(c->db,
                                "UPDATE campaign SET solution = ?2, version = ?3,"
                                " config = ?4, updated = ?5 WHERE name = ?1",
                                -1, &q, NULL);
    if (!rc)
        rc = bind_row(q, row);
    if (!rc)
        rc = sqlite3_step(q);
    if (rc != SQLITE_DONE)
        pz_catalog_fail(c, rc, err);
    sqlite3_finalize(q);
    return need_change(c, row->name, err);
}

int
pz_catalog_delete_campaign(struct pz_catalog *c, const char *name, struct pz_err *err)
{
    sqlite3_stmt *q = NULL;
    if (pz_catalog_need_writer(c, err))
        return err->status;
    int rc =
        sqlite3_prepare_v2(c->db, "DELETE FROM campaign WHERE name = ?1", -1, &q, NULL);
    if (!rc)
        rc = sqlite3_bind_text(q, 1, name, -1, SQLITE_STATIC);
    if (!rc)
        rc = sqlite3_step(q);
    if (rc != SQLITE_DONE)
        pz_catalog_fail(c, rc, err);
    sqlite3_finalize(q);
    return need_change(c, name, err);
}

int
pz_catalog_campaigns(struct pz_catalog *c, const char *name,
                     int (*fn)(void *ctx, const struct pz_catalog_campaign *row),
                     void *ctx, struct pz_err *err)
{
    sqlite3_stmt *q = NULL;
    int stopped = 0;
    if (!c->db)
        return PZ_OK;
    int rc = sqlite3_prepare_v2(
        c->db,
        "SELECT name, solution, version, config, created, updated FROM campaign"
        " WHERE ?1 IS NULL OR name = ?1 ORDER BY name",
        -1, &q, NULL);
    if (!rc && name)
        rc = sqlite3_bind_text(q, 1, name, -1, SQLITE_STATIC);
    while (!stopped && (rc == SQLITE_OK || rc == SQLITE_ROW)) {
        rc = sqlite3_step(q);
        if (rc != SQLITE_ROW)
            break;
        struct pz_catalog_campaign row = {
            .name = (const char *)sqlite3_column_text(q, 0),
            .solution = (const char *)sqlite3_column_text(q, 1),
            .version = (const char *)sqlite3_column_text(q, 2),
            .config = (const char *)sqlite3_column_text(q, 3),
            .created = sqlite3_column_int64(q, 4),
            .updated = sqlite3_column_int64(q, 5),
        };
        if (row.name && row.solution && row.config)
            stopped = fn(ctx, &row);
    }
    if (!stopped && rc != SQLITE_DONE)
        pz_catalog_fail(c, rc, err);
    sqlite3_finalize(q);
    return stopped ? stopped : err->status;
}

int
pz_catalog_change(struct pz_catalog *c, int64_t *number, struct pz_err *err)
{
    *number = 0;
    if (!c->db)
        return PZ_OK;
    int rc = pz_catalog_get_i64(c, "PRAGMA data_version", number);
    return rc ? pz_catalog_fail(c, rc, err) : PZ_OK;
}
