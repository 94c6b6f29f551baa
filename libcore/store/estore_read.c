#include <string.h>

#include "store/catalog_db.h"
#include "store/catalog_resource.h"
#include "store/estore_sql.h"

static const char *
text(sqlite3_stmt *q, int i)
{
    return (const char *)sqlite3_column_text(q, i);
}

/* The row of q, whose columns are PZ_EVENT_COLUMNS, as an event. `id` holds an id
 * that is no text. */
static void
read_event(sqlite3_stmt *q, enum pz_event_kind kind, struct pz_event *e,
           char id[PZ_EVENT_ID_TEXT])
{
    *e = (struct pz_event){
        .kind = kind,
        .seq = sqlite3_column_int64(q, 0),
        .id = sqlite3_column_type(q, 1) == SQLITE_TEXT ? text(q, 1) : NULL,
        .user = text(q, 2),
        .session = text(q, 3),
        .item = text(q, 4),
        .type = text(q, 5),
        .has_value = sqlite3_column_type(q, 6) != SQLITE_NULL,
        .value = sqlite3_column_double(q, 6),
        .time = sqlite3_column_int64(q, 7),
        .recommendation = text(q, 9),
        .source = text(q, 10),
        .impression = text(q, 11),
        .properties = text(q, 12),
        .linked = sqlite3_column_int(q, 13) != 0,
    };
    e->linked = e->linked && e->user;
    if (sqlite3_column_type(q, 1) == SQLITE_BLOB && sqlite3_column_bytes(q, 1) == 16) {
        pz_estore_uuid(sqlite3_column_blob(q, 1), id);
        e->id = id;
    } else if (!e->id) {
        pz_estore_derived(e->time, (uint64_t)sqlite3_column_int64(q, 8), id);
        e->id = id;
    }
    if (!e->item) // a damaged row, or no memory for its text
        e->item = "";
}

/* Steps through q, which is bound; ends with its reset. */
static int
walk(struct pz_estore *s, sqlite3_stmt *q, enum pz_event_kind kind, pz_event_fn fn,
     void *ctx, struct pz_err *err)
{
    struct pz_event e;
    char id[PZ_EVENT_ID_TEXT];
    int rc = SQLITE_DONE, status = 0;
    while (!status && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        read_event(q, kind, &e, id);
        status = fn(ctx, &e);
    }
    if (!status && rc != SQLITE_DONE)
        status = pz_catalog_fail(s->c, rc, err);
    sqlite3_reset(q);
    sqlite3_clear_bindings(q);
    return status;
}

/* A statement of (kind, who, limit, after). */
static int
last_of(struct pz_estore *s, enum pz_estore_stmt which, enum pz_event_kind kind,
        const char *who, int64_t after, uint64_t limit, pz_event_fn fn, void *ctx,
        struct pz_err *err)
{
    sqlite3_stmt *q;
    if (!s->there)
        return PZ_OK;
    if (pz_estore_sql(s, which, &q, err))
        return err->status;
    int64_t most = limit && limit < INT64_MAX ? (int64_t)limit : -1;
    int rc = sqlite3_bind_int(q, 1, (int)kind) | pz_estore_bind_text(q, 2, who) |
             sqlite3_bind_int64(q, 3, most) | sqlite3_bind_int64(q, 4, after);
    if (rc)
        return pz_catalog_fail(s->c, SQLITE_NOMEM, err);
    return walk(s, q, kind, fn, ctx, err);
}

int
pz_estore_user(struct pz_estore *s, enum pz_event_kind kind, const char *user,
               int64_t after, uint64_t limit, pz_event_fn fn, void *ctx,
               struct pz_err *err)
{
    return last_of(s, PZ_SQL_USER, kind, user, after, limit, fn, ctx, err);
}

int
pz_estore_session(struct pz_estore *s, enum pz_event_kind kind, const char *session,
                  int64_t after, uint64_t limit, pz_event_fn fn, void *ctx,
                  struct pz_err *err)
{
    return last_of(s, PZ_SQL_SESSION, kind, session, after, limit, fn, ctx, err);
}

int
pz_estore_walk(struct pz_estore *s, enum pz_event_kind kind, int64_t after,
               pz_event_fn fn, void *ctx, struct pz_err *err)
{
    sqlite3_stmt *q;
    if (!s->there)
        return PZ_OK;
    if (pz_estore_sql(s, PZ_SQL_WALK, &q, err))
        return err->status;
    if (sqlite3_bind_int(q, 1, (int)kind) | sqlite3_bind_int64(q, 2, after))
        return pz_catalog_fail(s->c, SQLITE_NOMEM, err);
    return walk(s, q, kind, fn, ctx, err);
}

/* ---- records ---- */

static int
walk_records(struct pz_estore *s, sqlite3_stmt *q, uint64_t *n, pz_record_fn fn,
             void *ctx, struct pz_err *err)
{
    int rc = SQLITE_DONE, status = 0;
    *n = 0;
    while (!status && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        const char *id = text(q, 0), *properties = text(q, 1);
        ++*n;
        status = fn(ctx, id ? id : "", properties ? properties : "{}",
                    sqlite3_column_int64(q, 2));
    }
    if (!status && rc != SQLITE_DONE)
        status = pz_catalog_fail(s->c, rc, err);
    sqlite3_reset(q);
    sqlite3_clear_bindings(q);
    return status;
}

int
pz_estore_record(struct pz_estore *s, enum pz_record_kind kind, const char *id,
                 pz_record_fn fn, void *ctx, struct pz_err *err)
{
    sqlite3_stmt *q;
    uint64_t n;
    if (!s->there)
        return PZ_NEGATIVE;
    if (pz_estore_sql(s, PZ_SQL_RECORD, &q, err))
        return err->status;
    if (sqlite3_bind_int(q, 1, (int)kind) | pz_estore_bind_text(q, 2, id))
        return pz_catalog_fail(s->c, SQLITE_NOMEM, err);
    int status = walk_records(s, q, &n, fn, ctx, err);
    return status || n ? status : PZ_NEGATIVE;
}

int
pz_estore_records(struct pz_estore *s, enum pz_record_kind kind, int64_t after,
                  pz_record_fn fn, void *ctx, struct pz_err *err)
{
    sqlite3_stmt *q;
    uint64_t n;
    if (!s->there)
        return PZ_OK;
    if (pz_estore_sql(s, PZ_SQL_RECORDS, &q, err))
        return err->status;
    if (sqlite3_bind_int(q, 1, (int)kind) | sqlite3_bind_int64(q, 2, after))
        return pz_catalog_fail(s->c, SQLITE_NOMEM, err);
    return walk_records(s, q, &n, fn, ctx, err);
}

/* ---- counts ---- */

int
pz_estore_count(struct pz_estore *s, struct pz_estore_counts *n, struct pz_err *err)
{
    sqlite3_stmt *q;
    *n = (struct pz_estore_counts){0};
    if (!s->there)
        return PZ_OK;
    if (pz_estore_sql(s, PZ_SQL_COUNT, &q, err))
        return err->status;
    int rc = sqlite3_step(q);
    if (rc != SQLITE_ROW) {
        pz_catalog_fail(s->c, rc, err);
        sqlite3_reset(q);
        return err->status;
    }
    uint64_t *to[] = {&n->events,          &n->anonymous, &n->action_events, &n->sessions,
                      &n->linked_sessions, &n->items,     &n->users,         &n->actions};
    for (int i = 0; i < 8; i++)
        *to[i] = (uint64_t)sqlite3_column_int64(q, i);
    n->first = sqlite3_column_int64(q, 8);
    n->last = sqlite3_column_int64(q, 9);
    sqlite3_reset(q);
    return PZ_OK;
}

int
pz_estore_types(struct pz_estore *s, enum pz_event_kind kind,
                int (*fn)(void *ctx, const char *type, uint64_t n), void *ctx,
                struct pz_err *err)
{
    sqlite3_stmt *q;
    int rc = SQLITE_DONE, status = 0;
    if (!s->there)
        return PZ_OK;
    if (pz_estore_sql(s, PZ_SQL_TYPES, &q, err))
        return err->status;
    sqlite3_bind_int(q, 1, (int)kind);
    while (!status && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        const char *type = text(q, 0);
        status = fn(ctx, type ? type : "", (uint64_t)sqlite3_column_int64(q, 1));
    }
    if (!status && rc != SQLITE_DONE)
        status = pz_catalog_fail(s->c, rc, err);
    sqlite3_reset(q);
    return status;
}

/* ---- event trackers ---- */

int
pz_estore_add_tracker(struct pz_estore *s, const struct pz_tracker *t, struct pz_err *err)
{
    return pz_catalog_add_tracker(s->c, t->name, t->tracking_id, t->created, err);
}

int
pz_estore_trackers(struct pz_estore *s, int (*fn)(void *ctx, const struct pz_tracker *t),
                   void *ctx, struct pz_err *err)
{
    sqlite3_stmt *q;
    int rc = SQLITE_DONE, status = 0;
    if (!s->there)
        return PZ_OK;
    if (pz_estore_sql(s, PZ_SQL_TRACKERS, &q, err))
        return err->status;
    while (!status && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        struct pz_tracker t = {text(q, 0), text(q, 1), sqlite3_column_int64(q, 2)};
        if (t.name && t.tracking_id)
            status = fn(ctx, &t);
    }
    if (!status && rc != SQLITE_DONE)
        status = pz_catalog_fail(s->c, rc, err);
    sqlite3_reset(q);
    return status;
}
