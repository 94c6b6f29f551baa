/*
 * filters: how the tools take filters on their command lines.
 */
#ifndef PZ_CMD_FILTERS_H
#define PZ_CMD_FILTERS_H

#include "cmd/opt.h"
#include "filter/filter.h"

/* What EXPR|NAME stands for, as new memory: a name is looked up in the group. */
int pz_filter_text(char **text, const char *arg, struct pz_err *err);
/* -V NAME=VALUE... as new memory of views into argv; a '$' before NAME may be there.
 * On failure *out is what there is to free. */
int pz_filter_values(struct pz_filter_value **out, const struct pz_opt_list *list,
                     struct pz_err *err);

#endif
