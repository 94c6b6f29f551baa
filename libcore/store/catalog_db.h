/*
 * catalog_db: what the catalogue and the event store, two views of one database, share;
 * private to libcore/store.
 */
#ifndef PZ_STORE_CATALOG_DB_H
#define PZ_STORE_CATALOG_DB_H

#include <sys/types.h>
#include <time.h>

#include "store/catalog.h"
#include "store/sqlite.h"

/* Of group.db and group.db-wal; zeros for what is not there. */
struct pz_catalog_print {
    ino_t inode;
    off_t size, wal_size;
    struct timespec changed, wal_changed;
};

struct pz_catalog {
    sqlite3 *db; // NULL: a group that has none
    char *path;  // GROUP/group.db
    bool still;  // read as it was when it had this print: SQLite does not see changes
    struct pz_catalog_print print;
};

/* Opens `name` in place of what is open, with all that pz wants of a connection; `first`
 * are statements that come before anything looks into the file. An SQLite result. */
int pz_catalog_connect(struct pz_catalog *c, const char *name, int flags,
                       const char *first);
/*
 * For reading. Where SQLite's files beside the database cannot be made, `still` is set:
 * on a full disk a copy of the database in memory is read, which is made while nobody
 * else has it open; on read-only media the file, as one that nobody changes.
 */
int pz_catalog_connect_reader(struct pz_catalog *c, struct pz_err *err);

/* The status and message that an SQLite result means to the caller. */
int pz_catalog_fail(const struct pz_catalog *c, int rc, struct pz_err *err);
/* Runs statements that give no rows. */
int pz_catalog_run(struct pz_catalog *c, const char *sql, struct pz_err *err);
/* The first column of the first row of `sql`, 0 when there is none; an SQLite result. */
int pz_catalog_get_i64(struct pz_catalog *c, const char *sql, int64_t *out);
/* PZ_SYSTEM when it was opened for reading. */
int pz_catalog_need_writer(struct pz_catalog *c, struct pz_err *err);

/* What a parameter of a statement is bound to: ?1 to the first of an array, and so on. A
 * text is not copied and must outlive the statement; NULL is SQL's. */
struct pz_bound {
    const char *text;
    int64_t number;
    bool is_number;
};
#define PZ_TEXT(s)                                                                       \
    {                                                                                    \
        (s), 0, false                                                                    \
    }
#define PZ_NUMBER(n)                                                                     \
    {                                                                                    \
        NULL, (int64_t)(n), true                                                         \
    }

/* A statement with its parameters bound, which pz_catalog_end releases; *q is NULL after
 * an error. */
int pz_catalog_query(struct pz_catalog *c, sqlite3_stmt **q, const char *sql,
                     const struct pz_bound *v, int n, struct pz_err *err);
/* Ends a walk over the rows of `q`: `rc` is the last step's result, `stopped` what the
 * callback returned, which is returned when it is not 0. */
int pz_catalog_end(struct pz_catalog *c, sqlite3_stmt *q, int rc, int stopped,
                   struct pz_err *err);
/* Runs a statement that changes rows and gives none. PZ_SYSTEM: opened for reading;
 * PZ_USAGE: a constraint, such as a key that is there already. */
int pz_catalog_write(struct pz_catalog *c, const char *sql, const struct pz_bound *v,
                     int n, struct pz_err *err);
/* The text of column i of the row at hand, "" for NULL; good until the next step. */
const char *pz_catalog_text(sqlite3_stmt *q, int i);

#endif
