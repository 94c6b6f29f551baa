/*
 * forget: a data deletion job, and the proof of it.
 *
 * A user is forgotten in the event store (events, those of linked sessions, links, the
 * record), in interactions, action interactions and users. Datasets are then what an
 * import without the user's rows would have made: items and values that only the user
 * had are gone too. Models keep what they learned until the next training; old versions
 * stay until they are deleted.
 */
#ifndef PZ_DATA_FORGET_H
#define PZ_DATA_FORGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "data/schema.h"

struct pz_forget_report {
    uint64_t rows[PZ_N_SETS]; // removed from each dataset
    uint64_t events;          // removed from the store
    uint64_t users;           // ids asked for
};

/* Each file is replaced whole, the store first; what was interrupted is completed by
 * running it again. PZ_SYSTEM while an import or a compaction runs. */
int pz_forget(const char *group, const char *const *user, size_t n, int threads,
              struct pz_forget_report *report, struct pz_err *err);

/* Is the id among the users of a dataset or a model? */
int pz_audit_file(const char *path, const char *user, bool *found, struct pz_err *err);
/* In the event store; *where (an empty buffer) becomes a list of the tables. */
int pz_audit_store(const char *group, const char *user, bool *found, struct pz_buf *where,
                   struct pz_err *err);

#endif
