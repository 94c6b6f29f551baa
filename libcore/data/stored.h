/*
 * stored: a dataset together with what was put one by one since it was imported.
 *
 * Events of users (their own, and those of sessions that are linked to them) become rows
 * of interactions or action interactions; records of items, users and actions replace the
 * rows with their ids. Values go through the schema like those of an import. Equal rows
 * are there once, wherever they come from.
 *
 * What stays in the store: events of sessions that nobody is linked to, and what the
 * dataset's schema does not take (it may have changed since).
 */
#ifndef PZ_DATA_STORED_H
#define PZ_DATA_STORED_H

#include "data/dataset.h"
#include "store/estore.h"

struct pz_stored_report {
    uint64_t put;        // rows that came from the store
    uint64_t duplicates; // rows that were there twice
    uint64_t anonymous;  // events of sessions that nobody is linked to
    uint64_t unfit;      // what the schema does not take
    uint64_t rows;       // of the dataset, altogether
    int64_t last;        // the highest seq of the store's state that was read
    char reason[600];    // of the first unfit one
};

/*
 * Opens the dataset with what is in the store; nothing in the group changes. Without
 * anything in the store that is the file, else an unnamed one in the group's directory,
 * equal to what pz_stored_compact would make. Sees one state of the group, also while a
 * compaction runs. PZ_NEGATIVE (without a message): there is neither.
 */
int pz_stored_open(struct pz_dataset *d, const char *group, enum pz_set set, int threads,
                   struct pz_stored_report *report, struct pz_err *err);

/*
 * Moves what is in the store into the dataset: replaces the file, then removes from the
 * store what the file has. Only what is older than `before` (events: their own time;
 * records: when they were put). Interactions that have no dataset yet get one; other
 * sets without dataset stay in the store (report->put 0). PZ_SYSTEM while an import or
 * another compaction runs.
 */
int pz_stored_compact(const char *group, enum pz_set set, int64_t before, int threads,
                      struct pz_stored_report *report, struct pz_err *err);

#endif
