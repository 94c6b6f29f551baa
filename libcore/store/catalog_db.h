/*
 * catalog_db: what the catalogue and the event store, two views of one database, share;
 * private to libcore/store.
 */
#ifndef PZ_STORE_CATALOG_DB_H
#define PZ_STORE_CATALOG_DB_H

#include "store/catalog.h"
#include "store/sqlite.h"

struct pz_catalog {
    sqlite3 *db; // NULL: a group that has none
    char *path;  // GROUP/group.db
};

/* The status and message that an SQLite result means to the caller. */
int pz_catalog_fail(const struct pz_catalog *c, int rc, struct pz_err *err);
/* Runs statements that give no rows. */
int pz_catalog_run(struct pz_catalog *c, const char *sql, struct pz_err *err);
/* The first column of the first row of `sql`, 0 when there is none; an SQLite result. */
int pz_catalog_get_i64(struct pz_catalog *c, const char *sql, int64_t *out);
/* PZ_SYSTEM when it was opened for reading. */
int pz_catalog_need_writer(struct pz_catalog *c, struct pz_err *err);

#endif
