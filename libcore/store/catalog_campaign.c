#include "store/catalog_campaign.h"

#include "store/catalog_db.h"

/* ?1 to ?6, as the statements below number them. */
#define ROW_VALUES(row)                                                                  \
    {                                                                                    \
        PZ_TEXT((row)->name), PZ_TEXT((row)->solution), PZ_TEXT((row)->version),         \
            PZ_TEXT((row)->config ? (row)->config : "{}"), PZ_NUMBER((row)->updated),    \
            PZ_NUMBER((row)->created)                                                    \
    }

int
pz_catalog_add_campaign(struct pz_catalog *c, const struct pz_catalog_campaign *row,
                        struct pz_err *err)
{
    const struct pz_bound v[] = ROW_VALUES(row);
    int status = pz_catalog_write(
        c,
        "INSERT INTO campaign (name, solution, version, config, updated, created)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        v, 6, err);
    if (status == PZ_USAGE)
        pz_err_set(err, PZ_USAGE, "there is a campaign '%s' already", row->name);
    return status;
}

/* Runs a statement about the campaign of that name, which must be there. */
static int
write_one(struct pz_catalog *c, const char *name, const char *sql,
          const struct pz_bound *v, int n, struct pz_err *err)
{
    int status = pz_catalog_write(c, sql, v, n, err);
    if (!status && sqlite3_changes(c->db) == 0)
        return pz_err_set(err, PZ_USAGE, "there is no campaign '%s'", name);
    return status;
}

int
pz_catalog_set_campaign(struct pz_catalog *c, const struct pz_catalog_campaign *row,
                        struct pz_err *err)
{
    const struct pz_bound v[] = ROW_VALUES(row);
    return write_one(c, row->name,
                     "UPDATE campaign SET solution = ?2, version = ?3, config = ?4,"
                     " updated = ?5 WHERE name = ?1",
                     v, 5, err);
}

int
pz_catalog_delete_campaign(struct pz_catalog *c, const char *name, struct pz_err *err)
{
    const struct pz_bound v = PZ_TEXT(name);
    return write_one(c, name, "DELETE FROM campaign WHERE name = ?1", &v, 1, err);
}

int
pz_catalog_campaigns(struct pz_catalog *c, const char *name,
                     int (*fn)(void *ctx, const struct pz_catalog_campaign *row),
                     void *ctx, struct pz_err *err)
{
    sqlite3_stmt *q;
    const struct pz_bound v = PZ_TEXT(name);
    if (!c->db)
        return PZ_OK;
    int rc = SQLITE_DONE, stopped = 0;
    int status =
        pz_catalog_query(c, &q,
                         "SELECT name, solution, version, config, created, updated"
                         " FROM campaign WHERE ?1 IS NULL OR name = ?1 ORDER BY name",
                         &v, 1, err);
    if (status)
        return status;
    while (!stopped && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        struct pz_catalog_campaign row = {
            .name = pz_catalog_text(q, 0),
            .solution = pz_catalog_text(q, 1),
            .version = (const char *)sqlite3_column_text(q, 2),
            .config = pz_catalog_text(q, 3),
            .created = sqlite3_column_int64(q, 4),
            .updated = sqlite3_column_int64(q, 5),
        };
        stopped = fn(ctx, &row);
    }
    return pz_catalog_end(c, q, rc, stopped, err);
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
