/*
 * import: files -> dataset, in one atomic replace. What pz-import(1) does, as a function.
 *
 * Threads parse chunks into packed rows and per-thread dictionaries, column by column
 * where the text is plain CSV; dictionaries are merged and sorted; rows are distributed
 * to buckets of users, sorted inside the bucket, freed of duplicates and written as
 * columns. Rows in memory take at most 24 bytes each for the four standard columns; above
 * `memory` bytes they go to an unnamed scratch file in the group.
 */
#ifndef PZ_DATA_IMPORT_H
#define PZ_DATA_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "data/input.h"
#include "data/naming.h"
#include "data/schema.h"
#include "data/times.h"

/* Rows that are in memory already, in place of files. */
struct pz_feed_to; // where they go
struct pz_feed {
    const char *name; // stands for the files in the history of imports
    /* Calls pz_feed_row for every row. NULL: there are none. */
    int (*rows)(void *ctx, struct pz_feed_to *to, struct pz_err *err);
    /* Called when the dataset is replaced and the group is still locked. May be NULL. */
    int (*done)(void *ctx, struct pz_err *err);
    void *ctx;
};

struct pz_import {
    const char *group; // directory, made if absent
    enum pz_set set;
    const char *schema_path; // NULL: the dataset's schema, else inferred
    bool infer;              // a schema, although the dataset has one; not incremental
    enum pz_domain domain;
    bool incremental;
    const char *const *path;
    size_t n_paths;           // 0: stdin
    const char *rejects_path; // NULL: none
    int64_t max_rejects;      // rows that may be bad; -1 any number
    struct pz_times times;    // how times stand in the input
    char delimiter;           // of CSV (csv.h); 0: what the header has
    const char *header;      // names with commas between, where CSV has none; NULL: it has
    char decimal;             // of numbers: pz_convert.decimal
    const char *encoding;     // of the input, as iconv(3) calls it; NULL: UTF-8 or UTF-16
    struct pz_naming naming;  // what the input calls columns
    uint64_t memory;          // bytes for rows; 0: a quarter of the machine's
    int threads;              // 0: all cores
    bool strict;              // AWS's limits are errors
    void (*bad_row)(void *ctx,
                    const char *message); // each rejected row, in file order; may be NULL
    void *ctx;

    const struct pz_feed *feed; // not NULL: no files; an incremental import without a
                                // dataset then makes one
    const char *default_schema; // JSON: where there is no dataset, instead of inferring
    const char *const *forget;  // incremental: users whose rows go
    size_t n_forget;
    int *scratch; // not NULL: nothing in the group changes; the dataset goes to an
                  // unnamed file, whose descriptor this becomes
};

struct pz_import_result {
    uint64_t rows_read, rows_kept, duplicates, rejected, replaced, forgotten;
    uint64_t n_users, n_items;
    bool inferred; // the schema was
    char *renamed; // columns it has under tidied names, for a message; owned; NULL: none
    char *commas;  // strings that look like numbers with a decimal comma, likewise
    char *schema_text; // owned
};

int pz_import_run(const struct pz_import *p, struct pz_import_result *r,
                  struct pz_err *err);
void pz_import_result_release(struct pz_import_result *r);

/* For feeds: the schema of the import, and a row of it: cell[f] for every field f (texts
 * are copied). PZ_DATA: it does not fit, *reason (valid until the next row) says why;
 * the feed may go on. */
const struct pz_schema *pz_feed_schema(const struct pz_feed_to *to);
int pz_feed_row(struct pz_feed_to *to, const struct pz_cell *cell, const char **reason,
                struct pz_err *err);

#endif
