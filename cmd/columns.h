/*
 * columns: -c NAME=HEADER, the same in every tool that reads rows.
 */
#ifndef PZ_CMD_COLUMNS_H
#define PZ_CMD_COLUMNS_H

#include "cmd/opt.h"
#include "data/naming.h"

/* What every -c says; a mistake ends the tool. Views into argv, and memory of its own. */
struct pz_naming pz_columns_naming(const struct pz_opt_list *list);
void pz_columns_release(struct pz_naming *w);

#endif
