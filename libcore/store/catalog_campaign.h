/*
 * catalog_campaign: the group's campaigns, names that point to a solution version.
 */
#ifndef PZ_STORE_CATALOG_CAMPAIGN_H
#define PZ_STORE_CATALOG_CAMPAIGN_H

#include "store/catalog.h"

struct pz_catalog_campaign {
    const char *name, *solution;
    const char *version; // NULL: the latest
    const char *config;  // a JSON object
    int64_t created, updated;
};

/* PZ_USAGE: there is a campaign of that name. */
int pz_catalog_add_campaign(struct pz_catalog *c, const struct pz_catalog_campaign *row,
                            struct pz_err *err);
/* Solution, version, config and updated of the campaign of that name. PZ_USAGE: there is
 * none; the same for delete. */
int pz_catalog_set_campaign(struct pz_catalog *c, const struct pz_catalog_campaign *row,
                            struct pz_err *err);
int pz_catalog_delete_campaign(struct pz_catalog *c, const char *name,
                               struct pz_err *err);
/* Calls fn for each (name NULL) or the one of that name, in order of names; a nonzero
 * return ends the walk and is returned. */
int pz_catalog_campaigns(struct pz_catalog *c, const char *name,
                         int (*fn)(void *ctx, const struct pz_catalog_campaign *row),
                         void *ctx, struct pz_err *err);

/* A number that another one replaces whenever another process or connection has changed
 * the database, or 0 without one. Costs a look into shared memory. */
int pz_catalog_change(struct pz_catalog *c, int64_t *number, struct pz_err *err);

#endif
