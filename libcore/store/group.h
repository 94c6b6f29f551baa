/* group: the directory of a dataset group (pz-group(5)). */
#ifndef PZ_STORE_GROUP_H
#define PZ_STORE_GROUP_H

#include "base/err.h"

/*
 * Is there such a group? PZ_USAGE when there is nothing of this name or no directory,
 * with a message that says which command makes a group: all tools say the same. Other
 * reasons are PZ_SYSTEM.
 */
int pz_group_need(const char *group, struct pz_err *err);

#endif
