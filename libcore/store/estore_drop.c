#include <string.h>

#include "store/catalog_db.h"
#include "store/estore_sql.h"

/* Steps a statement that is bound and gives no rows. */
static int
step(struct pz_estore *s, sqlite3_stmt *q, struct pz_err *err)
{
    int rc = sqlite3_step(q);
    if (rc != SQLITE_DONE)
        pz_catalog_fail(s->c, rc, err);
    sqlite3_reset(q);
    sqlite3_clear_bindings(q);
    return rc == SQLITE_DONE ? PZ_OK : err->status;
}

static int
end(struct pz_estore *s, int status, struct pz_err *err)
{
    if (status)
        pz_estore_rollback(s);
    else
        status = pz_estore_commit(s, err);
    return status;
}

int
pz_estore_drop_events(struct pz_estore *s, const int64_t *seq, size_t n,
                      struct pz_err *err)
{
    sqlite3_stmt *q;
    int r = pz_estore_begin(s, err);
    if (r)
        return r;
    for (size_t i = 0; i < n && !r; i++) {
        r = pz_estore_sql(s, PZ_SQL_DROP_EVENT, &q, err);
        if (!r && sqlite3_bind_int64(q, 1, seq[i]))
            r = pz_catalog_fail(s->c, SQLITE_NOMEM, err);
        if (!r)
            r = step(s, q, err);
    }
    return end(s, r, err);
}

int
pz_estore_drop_records(struct pz_estore *s, enum pz_record_kind kind, const char *ids,
                       size_t n, int64_t last, struct pz_err *err)
{
    sqlite3_stmt *q;
    int r = pz_estore_begin(s, err);
    if (r)
        return r;
    for (size_t i = 0; i < n && !r; i++, ids += strlen(ids) + 1) {
        r = pz_estore_sql(s, PZ_SQL_DROP_RECORD, &q, err);
        if (!r && (sqlite3_bind_int(q, 1, (int)kind) | pz_estore_bind_text(q, 2, ids) |
                   sqlite3_bind_int64(q, 3, last)))
            r = pz_catalog_fail(s->c, SQLITE_NOMEM, err);
        if (!r)
            r = step(s, q, err);
    }
    return end(s, r, err);
}

/* ---- clearing ---- */

int
pz_estore_clear_events(struct pz_catalog *c, enum pz_event_kind kind, struct pz_err *err)
{
    const struct pz_bound v = PZ_NUMBER(kind);
    int r = pz_catalog_write(c, "DELETE FROM event WHERE kind = ?1", &v, 1, err);
    if (r)
        return r;
    return pz_catalog_write(c,
                            "DELETE FROM session WHERE session NOT IN"
                            " (SELECT session FROM event WHERE session IS NOT NULL)",
                            NULL, 0, err);
}

int
pz_estore_clear_records(struct pz_catalog *c, enum pz_record_kind kind,
                        struct pz_err *err)
{
    const struct pz_bound v = PZ_NUMBER(kind);
    return pz_catalog_write(c, "DELETE FROM record WHERE kind = ?1", &v, 1, err);
}

/* ---- forgetting ---- */

/* A statement whose only parameter is the user; *n grows by the rows it changed. */
static int
forget(struct pz_estore *s, enum pz_estore_stmt which, const char *user, uint64_t *n,
       struct pz_err *err)
{
    sqlite3_stmt *q;
    int r = pz_estore_sql(s, which, &q, err);
    if (!r && pz_estore_bind_text(q, 1, user))
        r = pz_catalog_fail(s->c, SQLITE_NOMEM, err);
    if (!r)
        r = step(s, q, err);
    if (!r)
        *n += (uint64_t)sqlite3_changes(s->c->db);
    return r;
}

/*
 * Rows that were deleted or replaced at any time before leave their bytes in free pages;
 * the file is written anew without them. The log holds old pages until it is folded into
 * the file and cut, which a reader of an old state prevents.
 */
static int
scrub(struct pz_estore *s, struct pz_err *err)
{
    sqlite3_stmt *q;
    int r = pz_catalog_run(s->c, "VACUUM", err);
    if (!r)
        r = pz_estore_sql(s, PZ_SQL_CHECKPOINT, &q, err);
    if (r)
        return r;
    int rc = sqlite3_step(q);
    bool busy = rc == SQLITE_ROW && sqlite3_column_int(q, 0);
    if (rc != SQLITE_ROW)
        r = pz_catalog_fail(s->c, rc, err);
    sqlite3_reset(q);
    if (!r && busy)
        r = pz_err_set(err, PZ_SYSTEM,
                       "%s: deleted, but its old pages stay on disk as long as another "
                       "process reads them; run it again",
                       s->c->path);
    return r;
}

int
pz_estore_forget(struct pz_estore *s, const char *const *user, size_t n, uint64_t *events,
                 struct pz_err *err)
{
    uint64_t rest = 0;
    *events = 0;
    int r = pz_catalog_need_writer(s->c, err);
    if (!r)
        r = pz_catalog_run(s->c, "PRAGMA secure_delete=ON", err);
    if (!r)
        r = pz_estore_begin(s, err);
    if (r)
        return r;
    for (size_t i = 0; i < n && !r; i++) {
        r = forget(s, PZ_SQL_FORGET_EVENTS, user[i], events, err);
        if (!r)
            r = forget(s, PZ_SQL_FORGET_SESSIONS, user[i], events, err);
        if (!r)
            r = forget(s, PZ_SQL_FORGET_LINKS, user[i], &rest, err);
        if (!r)
            r = forget(s, PZ_SQL_FORGET_RECORD, user[i], &rest, err);
    }
    r = end(s, r, err);
    pz_estore_forget_links(s);
    return r ? r : scrub(s, err);
}

int
pz_estore_trace(struct pz_estore *s, const char *user, struct pz_estore_trace *n,
                struct pz_err *err)
{
    sqlite3_stmt *q;
    *n = (struct pz_estore_trace){0};
    if (!s->there)
        return PZ_OK;
    int r = pz_estore_sql(s, PZ_SQL_TRACE, &q, err);
    if (!r && pz_estore_bind_text(q, 1, user))
        r = pz_catalog_fail(s->c, SQLITE_NOMEM, err);
    if (r)
        return r;
    int rc = sqlite3_step(q);
    if (rc == SQLITE_ROW) {
        n->events = (uint64_t)sqlite3_column_int64(q, 0);
        n->sessions = (uint64_t)sqlite3_column_int64(q, 1);
        n->records = (uint64_t)sqlite3_column_int64(q, 2);
    } else {
        r = pz_catalog_fail(s->c, rc, err);
    }
    sqlite3_reset(q);
    sqlite3_clear_bindings(q);
    return r;
}
