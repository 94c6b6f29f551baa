/*
 * catalog_filter: the group's stored filters, expressions by name.
 */
#ifndef PZ_STORE_CATALOG_FILTER_H
#define PZ_STORE_CATALOG_FILTER_H

#include "store/catalog.h"

struct pz_catalog_filter {
    const char *name, *expression;
    int64_t created, updated;
};

/* May this name a filter: letters, digits, - and _, the first a letter or digit, at most
 * 63? An expression never looks like that. */
bool pz_filter_name_valid(const char *name);

/* PZ_USAGE: there is a filter of that name; filters are not changed, as in AWS. */
int pz_catalog_add_filter(struct pz_catalog *c, const struct pz_catalog_filter *row,
                          struct pz_err *err);
/* PZ_USAGE, naming those that exist: there is none of that name. */
int pz_catalog_delete_filter(struct pz_catalog *c, const char *name, struct pz_err *err);
/* Calls fn for each (name NULL) or the one of that name, in order of names; a nonzero
 * return ends the walk and is returned. */
int pz_catalog_filters(struct pz_catalog *c, const char *name,
                       int (*fn)(void *ctx, const struct pz_catalog_filter *row),
                       void *ctx, struct pz_err *err);
/* The expression of that name as new memory; PZ_USAGE as for delete. */
int pz_catalog_find_filter(struct pz_catalog *c, const char *name, char **expression,
                           struct pz_err *err);

#endif
