#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/buf.h"
#include "store/catalog_db.h"

#define BUSY_TRIES 8000 // of 1 to 1.5 ms

/* The path as an SQLite URI with a query. */
static int
uri_of(char **out, const char *path, const char *query, struct pz_err *err)
{
    struct pz_buf b = PZ_BUF_INIT;
    pz_buf_addz(&b, "file:");
    while (path[0] == '/' && path[1] == '/') // "//" would start a host's name
        path++;
    for (const char *p = path; *p; p++) {
        if (strchr("%?#", *p))
            pz_buf_addf(&b, "%%%02x", (unsigned)(unsigned char)*p);
        else
            pz_buf_addc(&b, *p);
    }
    pz_buf_addz(&b, query);
    int status = pz_buf_status(&b, "a path", err);
    if (status)
        pz_buf_release(&b);
    *out = b.data;
    return status;
}

/*
 * SQLite's own waiting grows to a tenth of a second, at which a writer that comes and
 * goes starves among busy ones. Short naps of uneven length give everyone a turn.
 */
static int
wait_for_turn(void *ctx, int tries)
{
    struct timespec now;
    (void)ctx;
    if (tries >= BUSY_TRIES)
        return 0;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long us = tries < 3 ? 100 : 1000;
    nanosleep(&(struct timespec){0, us * 1000 + now.tv_nsec % (us * 500)}, NULL);
    return 1;
}

/* `first` comes before everything that looks into the file; `wait`: for who locks it. */
static int
configure(struct pz_catalog *c, const char *first, bool wait)
{
    int rc = sqlite3_extended_result_codes(c->db, 1);
    if (!rc)
        rc = sqlite3_exec(c->db, first, NULL, NULL, NULL);
    if (!rc && wait)
        rc = sqlite3_busy_handler(c->db, wait_for_turn, NULL);
    if (!rc)
        rc = sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (!rc)
        rc = sqlite3_exec(c->db,
                          "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"
                          "PRAGMA foreign_keys=ON; PRAGMA synchronous=FULL;",
                          NULL, NULL, NULL);
    return rc;
}

static int
connect_db(struct pz_catalog *c, const char *name, int flags, const char *first,
           bool wait)
{
    sqlite3_close(c->db);
    c->db = NULL;
    int rc = sqlite3_open_v2(
        name, &c->db, flags | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_NOMUTEX, NULL);
    return rc ? rc : configure(c, first, wait);
}

int
pz_catalog_connect(struct pz_catalog *c, const char *name, int flags, const char *first)
{
    return connect_db(c, name, flags, first, true);
}

/* ---- reading ---- */

static int
look_inside(struct pz_catalog *c)
{
    int64_t n;
    return pz_catalog_get_i64(c, "SELECT count(*) FROM sqlite_schema", &n);
}

/* Want of descriptors or memory, which looks like a read-only medium but passes. */
static bool
is_want(const struct pz_catalog *c)
{
    int why = c->db ? sqlite3_system_errno(c->db) : ENOMEM;
    return why == EMFILE || why == ENFILE || why == ENOMEM;
}

/* Is there no room for SQLite's files beside the database? */
static bool
lacks_room(const struct pz_catalog *c, int rc)
{
    int why = c->db ? sqlite3_system_errno(c->db) : 0;
    int kind = rc & 0xff;
    return (kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN) &&
           (why == ENOSPC || why == EDQUOT);
}

/* What tells that somebody has written, if only into the -wal file. */
static int
take_print(struct pz_catalog_print *print, const struct pz_catalog *c, struct pz_err *err)
{
    struct pz_buf wal = PZ_BUF_INIT;
    struct stat st;
    memset(print, 0, sizeof *print);
    pz_buf_addz(&wal, c->path);
    pz_buf_addz(&wal, "-wal");
    if (pz_buf_status(&wal, "a path", err)) {
        pz_buf_release(&wal);
        return err->status;
    }
    if (!stat(c->path, &st)) {
        print->inode = st.st_ino;
        print->size = st.st_size;
        print->changed = st.st_mtim;
    }
    if (!stat(wal.data, &st) && st.st_size > 0) { // an empty one is as none
        print->wal_size = st.st_size;
        print->wal_changed = st.st_mtim;
    }
    pz_buf_release(&wal);
    return PZ_OK;
}

static bool
same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

int
pz_catalog_stale(const struct pz_catalog *c, bool *stale, struct pz_err *err)
{
    struct pz_catalog_print now;
    const struct pz_catalog_print *was = &c->print;
    *stale = false;
    if (!c->still)
        return PZ_OK;
    if (take_print(&now, c, err))
        return err->status;
    *stale = now.inode != was->inode || now.size != was->size ||
             now.wal_size != was->wal_size || !same_time(now.changed, was->changed) ||
             !same_time(now.wal_changed, was->wal_changed);
    return PZ_OK;
}

/* Two of those keep what they have of the lock while they wait for the rest of it, so
 * each waits with nothing open. */
static int
connect_alone(struct pz_catalog *c)
{
    int rc;
    for (int tries = 0;; tries++) {
        rc = connect_db(c, c->path, SQLITE_OPEN_READWRITE,
                        "PRAGMA locking_mode=EXCLUSIVE", false);
        if (!rc) // who leaves last would tidy up, for which there is no room
            rc = sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        if (!rc)
            rc = look_inside(c);
        if ((rc & 0xff) != SQLITE_BUSY)
            return rc;
        sqlite3_close(c->db);
        c->db = NULL;
        if (!wait_for_turn(NULL, tries))
            return rc;
    }
}

/*
 * The database as it is now, in our memory. It is read alone, with the index of the -wal
 * file in memory too, so that nothing is written; then it is free for others again.
 */
static int
connect_copy(struct pz_catalog *c)
{
    int rc = connect_alone(c);
    if (rc)
        return rc;
    sqlite3 *from = c->db;
    c->db = NULL;
    rc = pz_catalog_connect(c, ":memory:", SQLITE_OPEN_READWRITE, "");
    if (!rc) {
        sqlite3_backup *b = sqlite3_backup_init(c->db, "main", from, "main");
        if (b)
            sqlite3_backup_step(b, -1);
        rc = b ? sqlite3_backup_finish(b) : SQLITE_NOMEM;
    }
    sqlite3_close(from);
    return rc ? rc : look_inside(c);
}

/*
 * On read-only media no -shm can be made; then the file is read as one that nobody
 * changes, and if a -wal file was left beside it, that is read too (without locks, with
 * its index in our memory).
 */
static int
connect_still(struct pz_catalog *c, int *rc, struct pz_err *err)
{
    char *uri = NULL;
    bool has_wal = c->print.wal_size > 0;
    if (uri_of(&uri, c->path, has_wal ? "?vfs=unix-none" : "?immutable=1", err))
        return err->status;
    *rc = pz_catalog_connect(c, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
                             has_wal ? "PRAGMA locking_mode=EXCLUSIVE" : "");
    free(uri);
    if (!*rc)
        *rc = look_inside(c);
    return PZ_OK;
}

/*
 * Readers open the file for writing where they may, although they do not write: only so
 * the last one to leave takes the -wal and -shm files away again.
 */
int
pz_catalog_connect_reader(struct pz_catalog *c, struct pz_err *err)
{
    int rc = pz_catalog_connect(c, c->path, SQLITE_OPEN_READWRITE, "");
    if (!rc)
        rc = look_inside(c);
    bool full = lacks_room(c, rc);
    c->still = full || ((rc & 0xff) == SQLITE_CANTOPEN && !is_want(c)) ||
               (rc & 0xff) == SQLITE_READONLY;
    if (c->still && take_print(&c->print, c, err))
        return err->status;
    if (full)
        rc = connect_copy(c);
    if (c->still && (!full || (rc & 0xff) == SQLITE_CANTOPEN) &&
        connect_still(c, &rc, err))
        return err->status;
    if (!rc)
        rc = sqlite3_exec(c->db, "PRAGMA query_only=ON", NULL, NULL, NULL);
    return rc ? pz_catalog_fail(c, rc, err) : PZ_OK;
}
