/*
 * catalog_resource: what the control plane of pz-serve(1) made in a group, as the JSON
 * documents that made it. Campaigns, filters, trackers and versions have tables of their
 * own that all tools read; here is what only the API knows of them, and all that has no
 * other table: solutions, jobs, tags, names of datasets.
 */
#ifndef PZ_STORE_CATALOG_RESOURCE_H
#define PZ_STORE_CATALOG_RESOURCE_H

#include "store/catalog.h"

struct pz_catalog_resource {
    const char *kind, *name; // "solution", "shop"
    const char *doc;         // a JSON object
    const char *status;      // "ACTIVE"
    const char *why;         // of a failure; NULL: none
    int64_t created, updated;
};

/* Adds it, or replaces doc, status, why and updated of the one of that kind and name. */
int pz_catalog_put_resource(struct pz_catalog *c, const struct pz_catalog_resource *row,
                            struct pz_err *err);
/* What is not there is no error. */
int pz_catalog_delete_resource(struct pz_catalog *c, const char *kind, const char *name,
                               struct pz_err *err);
/* Calls fn for each of the kind, in order of time and name; a nonzero return ends the
 * walk and is returned. */
int pz_catalog_resources(struct pz_catalog *c, const char *kind,
                         int (*fn)(void *ctx, const struct pz_catalog_resource *row),
                         void *ctx, struct pz_err *err);

/* PZ_USAGE: there is a tracker of that name, or of that id, already. */
int pz_catalog_add_tracker(struct pz_catalog *c, const char *name, const char *id,
                           int64_t created, struct pz_err *err);
/* Deletes rows of other tables; what is not there is no error. */
int pz_catalog_delete_tracker(struct pz_catalog *c, const char *name, struct pz_err *err);
int pz_catalog_delete_versions(struct pz_catalog *c, const char *solution,
                               struct pz_err *err);

#endif
