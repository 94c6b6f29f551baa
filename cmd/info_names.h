/*
 * info_names: what a group's catalogue has under names, for pz-info(1): campaigns,
 * recommenders, filters and metric attributions.
 */
#ifndef PZ_CMD_INFO_NAMES_H
#define PZ_CMD_INFO_NAMES_H

#include "cmd/show.h"
#include "store/catalog.h"

/* Adds an array for each kind of which there is any. */
int pz_info_names(struct pz_show *root, struct pz_catalog *c, struct pz_err *err);

#endif
