#include "store/catalog_db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/group.h"

#define APPLICATION_ID 0x507a4701 // "PzG" 1: tells our databases from others
#define BUSY_MS        10000

/*
 * The steps from each version of the catalogue to the next; user_version counts those
 * that were made. A step that was released never changes: what is new becomes a new step.
 */
static const char *const steps[] = {
    /* 1: schemas, import jobs, solution versions, and the named things that point to
       them. */
    "CREATE TABLE schema ("
    "  id INTEGER PRIMARY KEY,"
    "  dataset TEXT NOT NULL,"
    "  text TEXT NOT NULL,"
    "  UNIQUE (dataset, text));"
    "CREATE TABLE import ("
    "  id INTEGER PRIMARY KEY,"
    "  dataset TEXT NOT NULL,"
    "  mode TEXT NOT NULL,"
    "  schema INTEGER NOT NULL REFERENCES schema (id),"
    "  sources TEXT NOT NULL," // a JSON array
    "  started INTEGER NOT NULL, ended INTEGER NOT NULL,"
    "  rows_read INTEGER NOT NULL, rows_kept INTEGER NOT NULL,"
    "  duplicates INTEGER NOT NULL, rejected INTEGER NOT NULL,"
    "  users INTEGER NOT NULL, items INTEGER NOT NULL);"
    "CREATE INDEX import_started ON import (started);"
    "CREATE TABLE version ("
    "  id INTEGER PRIMARY KEY,"
    "  solution TEXT NOT NULL,"
    "  version TEXT NOT NULL,"
    "  recipe TEXT NOT NULL,"
    "  path TEXT NOT NULL,"
    "  params TEXT NOT NULL, metrics TEXT NOT NULL," // JSON objects
    "  started INTEGER NOT NULL, ended INTEGER NOT NULL,"
    "  UNIQUE (solution, version));"
    "CREATE INDEX version_started ON version (started);"
    "CREATE TABLE campaign ("
    "  name TEXT PRIMARY KEY,"
    "  solution TEXT NOT NULL,"
    "  version TEXT," // NULL: the latest
    "  config TEXT NOT NULL DEFAULT '{}',"
    "  created INTEGER NOT NULL, updated INTEGER NOT NULL);"
    "CREATE TABLE filter ("
    "  name TEXT PRIMARY KEY,"
    "  expression TEXT NOT NULL,"
    "  created INTEGER NOT NULL, updated INTEGER NOT NULL);"
    "CREATE TABLE tracker ("
    "  name TEXT PRIMARY KEY,"
    "  tracking_id TEXT NOT NULL UNIQUE,"
    "  created INTEGER NOT NULL, updated INTEGER NOT NULL);"
    "CREATE TABLE tag ("
    "  kind TEXT NOT NULL, name TEXT NOT NULL," // of the tagged thing
    "  key TEXT NOT NULL, value TEXT NOT NULL,"
    "  PRIMARY KEY (kind, name, key));",
    /* 2: what is put one by one. Only what an index needs is in it: the store is written
       a hundred thousand times a second. */
    "CREATE TABLE event ("
    "  seq INTEGER PRIMARY KEY,"
    "  kind INTEGER NOT NULL," // 0 item, 1 action
    "  id,"                    // text; 16 bytes: a UUID; NULL: derived from time and hash
    "  user TEXT, session TEXT, item TEXT NOT NULL, type TEXT,"
    "  value REAL, time INTEGER NOT NULL, hash INTEGER NOT NULL,"
    "  recommendation TEXT, source TEXT, impression TEXT,"
    "  properties TEXT);" // a JSON object
    "CREATE UNIQUE INDEX event_id ON event (id) WHERE id IS NOT NULL;"
    "CREATE UNIQUE INDEX event_content ON event (time, hash);"
    "CREATE INDEX event_user ON event (user, time) WHERE user IS NOT NULL;"
    "CREATE INDEX event_session ON event (session, time) WHERE user IS NULL;"
    "CREATE TABLE session (session TEXT PRIMARY KEY, user TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX session_user ON session (user);"
    "CREATE TABLE record ("
    "  kind INTEGER NOT NULL," // 0 item, 1 user, 2 action
    "  id TEXT NOT NULL,"
    "  seq INTEGER NOT NULL, time INTEGER NOT NULL,"
    "  properties TEXT NOT NULL," // a JSON object
    "  PRIMARY KEY (kind, id)) WITHOUT ROWID;"
    /* One row: the highest seq ever given, so that none is given twice. */
    "CREATE TABLE event_mark (one INTEGER PRIMARY KEY CHECK (one = 1),"
    "  seq INTEGER NOT NULL);"
    "INSERT INTO event_mark VALUES (1, 0);",
    /* 3: what the API of pz-serve made, as the documents that made it. */
    "CREATE TABLE resource ("
    "  kind TEXT NOT NULL, name TEXT NOT NULL,"
    "  doc TEXT NOT NULL," // a JSON object
    "  status TEXT NOT NULL, why TEXT,"
    "  created INTEGER NOT NULL, updated INTEGER NOT NULL,"
    "  PRIMARY KEY (kind, name));",
};
#define N_STEPS ((int64_t)(sizeof steps / sizeof *steps))

/* ---- errors ---- */

static int
status_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_ERROR: // a table or column that is not there: not our schema
    case SQLITE_MISMATCH:
        return PZ_FORMAT;
    case SQLITE_CONSTRAINT:
        return PZ_USAGE;
    default:
        return PZ_SYSTEM;
    }
}

int
pz_catalog_fail(const struct pz_catalog *c, int rc, struct pz_err *err)
{
    int status = status_of(rc);
    if (status == PZ_FORMAT)
        return pz_err_set(err, status, "%s: damaged or no catalogue: %s", c->path,
                          sqlite3_errmsg(c->db));
    if ((rc & 0xff) == SQLITE_BUSY)
        return pz_err_set(err, status,
                          "%s: another process has kept it locked for %d seconds",
                          c->path, BUSY_MS / 1000);
    const char *why = c->db ? sqlite3_errmsg(c->db) : sqlite3_errstr(rc);
    int want = c->db ? sqlite3_system_errno(c->db) : 0; // of the file beside the database
    if ((rc & 0xff) == SQLITE_IOERR && (want == ENOSPC || want == EDQUOT))
        return pz_err_set(err, status, "%s: %s", c->path, strerror(want));
    if ((rc & 0xff) == SQLITE_CANTOPEN && (want == EMFILE || want == ENFILE))
        return pz_err_set(err, status, "%s: %s", c->path, strerror(want));
    if ((rc & 0xff) == SQLITE_CANTOPEN && access(c->path, W_OK) && errno != ENOENT)
        return pz_err_set(err, status, "%s: cannot be written: %s", c->path,
                          strerror(errno));
    return pz_err_set(err, status, "%s: %s", c->path, why);
}

int
pz_catalog_run(struct pz_catalog *c, const char *sql, struct pz_err *err)
{
    int rc = sqlite3_exec(c->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? PZ_OK : pz_catalog_fail(c, rc, err);
}

int
pz_catalog_get_i64(struct pz_catalog *c, const char *sql, int64_t *out)
{
    sqlite3_stmt *q = NULL;
    *out = 0;
    int rc = sqlite3_prepare_v2(c->db, sql, -1, &q, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(q);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* ---- opening ---- */

/*
 * Version of the open database, which must be ours: 0 for an empty one. All of it is read
 * in one transaction, for another process may just be making the tables.
 */
static int
read_version(struct pz_catalog *c, int64_t *version, struct pz_err *err)
{
    int64_t id, tables;
    bool alone = sqlite3_get_autocommit(c->db);
    int status = PZ_OK;
    int rc = alone ? sqlite3_exec(c->db, "BEGIN", NULL, NULL, NULL) : SQLITE_OK;
    if (!rc)
        rc = pz_catalog_get_i64(c, "PRAGMA user_version", version);
    if (!rc)
        rc = pz_catalog_get_i64(c, "PRAGMA application_id", &id);
    if (!rc)
        rc = pz_catalog_get_i64(c, "SELECT count(*) FROM sqlite_schema", &tables);
    if (!rc && alone)
        rc = sqlite3_exec(c->db, "COMMIT", NULL, NULL, NULL);
    if (rc)
        status = pz_catalog_fail(c, rc, err);
    if (rc && alone && !sqlite3_get_autocommit(c->db))
        sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
    if (status)
        return status;
    if (tables == 0 && *version == 0)
        return PZ_OK;
    if (id != APPLICATION_ID || *version < 1)
        return pz_err_set(err, PZ_FORMAT, "%s: a database, but not of pz", c->path);
    if (*version > N_STEPS)
        return pz_err_set(
            err, PZ_FORMAT,
            "%s: version %lld, written by a newer pz; this one reads up to %lld", c->path,
            (long long)*version, (long long)N_STEPS);
    return PZ_OK;
}

/*
 * The change to WAL needs the file for a moment alone, and SQLite does not always wait
 * for that; so two first writers of a group meet here.
 */
static int
switch_to_wal(struct pz_catalog *c, struct pz_err *err)
{
    int rc = SQLITE_BUSY;
    for (int waited = 0; waited < BUSY_MS; waited += 20) {
        rc = sqlite3_exec(c->db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
        if ((rc & 0xff) != SQLITE_BUSY)
            break;
        nanosleep(&(struct timespec){0, 20000000}, NULL);
    }
    return rc ? pz_catalog_fail(c, rc, err) : PZ_OK;
}

static int
migrate(struct pz_catalog *c, struct pz_err *err)
{
    int64_t version;
    int status = read_version(c, &version, err);
    if (status || version == N_STEPS)
        return status;
    status = pz_catalog_run(c, "BEGIN IMMEDIATE", err);
    if (status)
        return status;
    status = read_version(c, &version, err); // another process may have been quicker
    for (int64_t v = version; v < N_STEPS && !status; v++)
        status = pz_catalog_run(c, steps[v], err);
    if (!status) {
        char sql[128];
        snprintf(sql, sizeof sql,
                 "PRAGMA application_id=%d; PRAGMA user_version=%lld; COMMIT",
                 APPLICATION_ID, (long long)N_STEPS);
        status = pz_catalog_run(c, sql, err);
    }
    if (status)
        sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

/* PZ_OK when there is a group.db, PZ_NEGATIVE when there is none. */
static int
find_db(struct pz_catalog *c, const char *group, struct pz_err *err)
{
    struct stat st;
    if (pz_group_need(group, err))
        return err->status;
    if (stat(c->path, &st))
        return errno == ENOENT ? PZ_NEGATIVE
                               : pz_err_sys(err, "cannot open '%s'", c->path);
    if (!S_ISREG(st.st_mode))
        return pz_err_set(err, PZ_FORMAT, "%s: not a regular file", c->path);
    return PZ_OK;
}

int
pz_catalog_open(struct pz_catalog **out, const char *group, enum pz_catalog_mode mode,
                struct pz_err *err)
{
    struct pz_catalog *c;
    int64_t version;
    *out = NULL;
    if (pz_sqlite_load(err))
        return err->status;
    int status = pz_new(&c, 1, sizeof *c, "the catalogue", err);
    if (status)
        return status;
    status = pz_path_join(&c->path, group, "group.db", err);
    if (!status)
        status = find_db(c, group, err);
    if (mode == PZ_CATALOG_READ && status == PZ_OK) {
        status = pz_catalog_connect_reader(c, err);
        if (!status)
            status = read_version(c, &version, err);
        if (!status && version == 0) { // its writer has not come to the first commit
            sqlite3_close(c->db);
            c->db = NULL;
        }
    } else if (mode == PZ_CATALOG_WRITE && (status == PZ_OK || status == PZ_NEGATIVE)) {
        int rc = pz_catalog_connect(c, c->path,
                                    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "");
        status = rc ? pz_catalog_fail(c, rc, err) : PZ_OK;
        if (!status)
            status =
                read_version(c, &version, err); // a foreign file is not to be changed
        if (!status)
            status = switch_to_wal(c, err);
        if (!status)
            status = migrate(c, err);
    } else if (status == PZ_NEGATIVE) {
        status = PZ_OK;
    }
    if (status) {
        pz_catalog_close(c);
        return status;
    }
    *out = c;
    return PZ_OK;
}

void
pz_catalog_close(struct pz_catalog *c)
{
    if (!c)
        return;
    sqlite3_close(c->db);
    free(c->path);
    free(c);
}

bool
pz_catalog_is_there(const struct pz_catalog *c)
{
    return c->db != NULL;
}

/* ---- rows ---- */

int
pz_catalog_query(struct pz_catalog *c, sqlite3_stmt **q, const char *sql,
                 const struct pz_bound *v, int n, struct pz_err *err)
{
    int rc = sqlite3_prepare_v2(c->db, sql, -1, q, NULL);
    for (int i = 0; i < n && !rc; i++)
        rc = v[i].is_number ? sqlite3_bind_int64(*q, i + 1, v[i].number)
                            : sqlite3_bind_text(*q, i + 1, v[i].text, -1, SQLITE_STATIC);
    if (!rc)
        return PZ_OK;
    int status = pz_catalog_fail(c, rc, err);
    sqlite3_finalize(*q);
    *q = NULL;
    return status;
}

int
pz_catalog_need_writer(struct pz_catalog *c, struct pz_err *err)
{
    if (c->db && !sqlite3_db_readonly(c->db, "main"))
        return PZ_OK;
    return pz_err_set(err, PZ_SYSTEM, "%s: opened for reading", c->path);
}

int
pz_catalog_end(struct pz_catalog *c, sqlite3_stmt *q, int rc, int stopped,
               struct pz_err *err)
{
    int status = stopped;
    if (!stopped && rc != SQLITE_DONE)
        status = pz_catalog_fail(c, rc, err);
    sqlite3_finalize(q);
    return status;
}

int
pz_catalog_write(struct pz_catalog *c, const char *sql, const struct pz_bound *v, int n,
                 struct pz_err *err)
{
    sqlite3_stmt *q;
    int status = pz_catalog_need_writer(c, err);
    if (!status)
        status = pz_catalog_query(c, &q, sql, v, n, err);
    return status ? status : pz_catalog_end(c, q, sqlite3_step(q), 0, err);
}

int
pz_catalog_begin(struct pz_catalog *c, struct pz_err *err)
{
    int status = pz_catalog_need_writer(c, err);
    return status ? status : pz_catalog_run(c, "BEGIN IMMEDIATE", err);
}

int
pz_catalog_commit(struct pz_catalog *c, struct pz_err *err)
{
    return pz_catalog_run(c, "COMMIT", err);
}

const char *
pz_catalog_text(sqlite3_stmt *q, int i)
{
    const unsigned char *s = sqlite3_column_text(q, i);
    return s ? (const char *)s : "";
}

int
pz_catalog_add_import(struct pz_catalog *c, const struct pz_catalog_import *row,
                      struct pz_err *err)
{
    const struct pz_bound schema[] = {PZ_TEXT(row->set), PZ_TEXT(row->schema)};
    const struct pz_bound v[] = {
        PZ_TEXT(row->set),         PZ_TEXT(row->mode),        PZ_TEXT(row->schema),
        PZ_TEXT(row->sources),     PZ_NUMBER(row->started),   PZ_NUMBER(row->ended),
        PZ_NUMBER(row->rows_read), PZ_NUMBER(row->rows_kept), PZ_NUMBER(row->duplicates),
        PZ_NUMBER(row->rejected),  PZ_NUMBER(row->users),     PZ_NUMBER(row->items),
    };
    int status = pz_catalog_begin(c, err);
    if (status)
        return status;
    status = pz_catalog_write(
        c, "INSERT OR IGNORE INTO schema (dataset, text) VALUES (?1, ?2)", schema, 2,
        err);
    if (!status)
        status = pz_catalog_write(
            c,
            "INSERT INTO import (dataset, mode, schema, sources, started, ended,"
            " rows_read, rows_kept, duplicates, rejected, users, items)"
            " VALUES (?1, ?2, (SELECT id FROM schema WHERE dataset=?1 AND text=?3),"
            " ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            v, sizeof v / sizeof *v, err);
    if (!status)
        status = pz_catalog_commit(c, err);
    if (status)
        sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

int
pz_catalog_add_version(struct pz_catalog *c, const struct pz_catalog_version *row,
                       struct pz_err *err)
{
    const struct pz_bound v[] = {
        PZ_TEXT(row->solution),  PZ_TEXT(row->version), PZ_TEXT(row->recipe),
        PZ_TEXT(row->path),      PZ_TEXT(row->params),  PZ_TEXT(row->metrics),
        PZ_NUMBER(row->started), PZ_NUMBER(row->ended),
    };
    return pz_catalog_write(
        c,
        "INSERT INTO version (solution, version, recipe, path, params, metrics,"
        " started, ended) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        v, sizeof v / sizeof *v, err);
}

/* A count; what damage made negative is 0. */
static uint64_t
column_count(sqlite3_stmt *q, int i)
{
    int64_t n = sqlite3_column_int64(q, i);
    return n < 0 ? 0 : (uint64_t)n;
}

int
pz_catalog_imports(struct pz_catalog *c,
                   int (*fn)(void *ctx, const struct pz_catalog_import *row), void *ctx,
                   struct pz_err *err)
{
    sqlite3_stmt *q;
    if (!c->db)
        return PZ_OK;
    int rc = SQLITE_DONE, stopped = 0;
    int status = pz_catalog_query(
        c, &q,
        "SELECT i.dataset, i.mode, s.text, i.sources, i.started, i.ended,"
        " i.rows_read, i.rows_kept, i.duplicates, i.rejected, i.users, i.items"
        " FROM import i JOIN schema s ON s.id = i.schema"
        " ORDER BY i.started, i.id",
        NULL, 0, err);
    if (status)
        return status;
    while (!stopped && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        struct pz_catalog_import row = {
            .set = pz_catalog_text(q, 0),
            .mode = pz_catalog_text(q, 1),
            .schema = pz_catalog_text(q, 2),
            .sources = pz_catalog_text(q, 3),
            .started = sqlite3_column_int64(q, 4),
            .ended = sqlite3_column_int64(q, 5),
            .rows_read = column_count(q, 6),
            .rows_kept = column_count(q, 7),
            .duplicates = column_count(q, 8),
            .rejected = column_count(q, 9),
            .users = column_count(q, 10),
            .items = column_count(q, 11),
        };
        stopped = fn(ctx, &row);
    }
    return pz_catalog_end(c, q, rc, stopped, err);
}

int
pz_catalog_versions(struct pz_catalog *c, const char *solution,
                    int (*fn)(void *ctx, const struct pz_catalog_version *row), void *ctx,
                    struct pz_err *err)
{
    sqlite3_stmt *q;
    const struct pz_bound v = PZ_TEXT(solution);
    if (!c->db)
        return PZ_OK;
    int rc = SQLITE_DONE, stopped = 0;
    int status = pz_catalog_query(
        c, &q,
        "SELECT solution, version, recipe, path, params, metrics, started, ended"
        " FROM version WHERE ?1 IS NULL OR solution = ?1"
        " ORDER BY started, id",
        &v, 1, err);
    if (status)
        return status;
    while (!stopped && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        struct pz_catalog_version row = {
            .solution = pz_catalog_text(q, 0),
            .version = pz_catalog_text(q, 1),
            .recipe = pz_catalog_text(q, 2),
            .path = pz_catalog_text(q, 3),
            .params = pz_catalog_text(q, 4),
            .metrics = pz_catalog_text(q, 5),
            .started = sqlite3_column_int64(q, 6),
            .ended = sqlite3_column_int64(q, 7),
        };
        stopped = fn(ctx, &row);
    }
    return pz_catalog_end(c, q, rc, stopped, err);
}

/* ---- integrity ---- */

/* Damage that the check reports, or a page that it could not read for other reasons. */
static int
judge(struct pz_catalog *c, const char *report, struct pz_err *err)
{
    static const char words[] = "error code=";
    const char *code = strstr(report, words);
    int64_t rc = SQLITE_CORRUPT;
    if (code) {
        code += strlen(words);
        pz_parse_i64(code, strspn(code, "0123456789"), &rc);
    }
    if ((rc & 0xff) == SQLITE_NOMEM || (rc & 0xff) == SQLITE_IOERR)
        return pz_err_set(err, PZ_SYSTEM, "%s: %s", c->path, sqlite3_errstr((int)rc));
    return pz_err_set(err, PZ_FORMAT, "%s: damaged: %s", c->path, report);
}

int
pz_catalog_verify(struct pz_catalog *c, struct pz_err *err)
{
    sqlite3_stmt *q;
    int64_t version, orphans;
    if (!c->db)
        return PZ_OK;
    int status = read_version(c, &version, err);
    if (!status)
        status = pz_catalog_query(c, &q, "PRAGMA integrity_check(1)", NULL, 0, err);
    if (status)
        return status;
    int rc = sqlite3_step(q);
    if (rc != SQLITE_ROW)
        status = pz_catalog_fail(c, rc == SQLITE_DONE ? SQLITE_CORRUPT : rc, err);
    else if (!sqlite3_column_text(q, 0)) // the report itself found no memory
        status = pz_catalog_fail(c, SQLITE_NOMEM, err);
    else if (strcmp(pz_catalog_text(q, 0), "ok") != 0)
        status = judge(c, pz_catalog_text(q, 0), err);
    sqlite3_finalize(q);
    if (status)
        return status;
    rc = pz_catalog_get_i64(c, "SELECT count(*) FROM pragma_foreign_key_check", &orphans);
    if (rc)
        return pz_catalog_fail(c, rc, err);
    if (orphans)
        return pz_err_set(err, PZ_FORMAT,
                          "%s: damaged: %lld rows point to rows that are not there",
                          c->path, (long long)orphans);
    return PZ_OK;
}
