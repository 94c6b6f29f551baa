/*
 * export_named: what pz-info --export names, found and written.
 */
#ifndef PZ_DATA_EXPORT_NAMED_H
#define PZ_DATA_EXPORT_NAMED_H

#include "data/export.h"

struct pz_export_named {
    const char *where; // a group's directory, or a dataset file
    bool is_group;
    const char *type;   // a dataset's type, "events" or "action-events"
    const char *source; // "bulk", "put", "all"; NULL: put for events, else bulk
    enum pz_format format;
    int threads;
    uint64_t unfit;   // out: rows of the store that the schema does not take (all)
    char reason[600]; // of the first of them
};

/* PZ_USAGE: a name that is none, a dataset that is not there. Everything is checked
 * before the first byte is written. */
int pz_export_named(struct pz_export_named *x, pz_export_write write, void *ctx,
                    struct pz_err *err);
/* Opens the dataset of this type, out of a group or a file that holds it. */
int pz_dataset_open_named(struct pz_dataset *d, const char *where, bool is_group,
                          enum pz_set set, struct pz_err *err);

#endif
