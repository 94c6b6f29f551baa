/*
 * catalog: GROUP/group.db, the list of what a group holds (pz-group(5)). The only user of
 * SQLite.
 *
 * WAL, synchronous=FULL, a busy timeout, one transaction a change. The files are the
 * truth (each dataset and model file describes itself); the catalogue adds names, history
 * and what has no file. Its version is PRAGMA user_version: opening for writing makes the
 * steps of a table that are missing; newer ones are refused.
 *
 * Errors: PZ_SYSTEM (cannot be opened, locked for ten seconds, disk full), PZ_FORMAT
 * (damaged, no catalogue, newer), PZ_USAGE (a version that is there already).
 */
#ifndef PZ_STORE_CATALOG_H
#define PZ_STORE_CATALOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct pz_catalog;

/* READ of a group without group.db gives an empty one; it works on read-only media and on
 * a full disk. */
enum pz_catalog_mode { PZ_CATALOG_READ, PZ_CATALOG_WRITE };

int pz_catalog_open(struct pz_catalog **c, const char *group, enum pz_catalog_mode mode,
                    struct pz_err *err);
void pz_catalog_close(struct pz_catalog *c); // accepts NULL
/* What is written between begin and commit is there whole, or, when the program or the
 * disk ends before, not at all. Closing without commit undoes it; after an error nothing
 * but that is left to do. Writers wait for one another. */
int pz_catalog_begin(struct pz_catalog *c, struct pz_err *err);
int pz_catalog_commit(struct pz_catalog *c, struct pz_err *err);
/* Is there a group.db, and its tables in it? */
bool pz_catalog_is_there(const struct pz_catalog *c);
/* Is this a reader that does not see what others write, for the medium is read-only or
 * was full when it was opened, and has something been written since? Then it is to be
 * opened anew. */
int pz_catalog_stale(const struct pz_catalog *c, bool *stale, struct pz_err *err);

struct pz_catalog_import {                     // one row a finished import job
    const char *set, *mode, *schema, *sources; // sources: a JSON array of file names
    int64_t started, ended;
    uint64_t rows_read, rows_kept, duplicates, rejected, users, items;
};
int pz_catalog_add_import(struct pz_catalog *c, const struct pz_catalog_import *row,
                          struct pz_err *err);

struct pz_catalog_version {                         // one row a solution version
    const char *solution, *version, *recipe, *path; // path relative to the group
    const char *params, *metrics;                   // JSON objects
    int64_t started, ended;
};
int pz_catalog_add_version(struct pz_catalog *c, const struct pz_catalog_version *row,
                           struct pz_err *err);

/* Calls fn for each row in order of time; a nonzero return ends the walk and is returned.
 */
int pz_catalog_imports(struct pz_catalog *c,
                       int (*fn)(void *ctx, const struct pz_catalog_import *row),
                       void *ctx, struct pz_err *err);
int pz_catalog_versions(struct pz_catalog *c, const char *solution, // NULL: all
                        int (*fn)(void *ctx, const struct pz_catalog_version *row),
                        void *ctx, struct pz_err *err);
/* PRAGMA integrity_check, the version and references; PZ_FORMAT when damaged. */
int pz_catalog_verify(struct pz_catalog *c, struct pz_err *err);

#endif
