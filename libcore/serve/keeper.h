/* keeper: what site.c and keeper.c share. */
#ifndef PZ_SERVE_KEEPER_H
#define PZ_SERVE_KEEPER_H

#include "serve/site.h"

void pz_group_free(struct pz_group *g); // lets go; accepts NULL

#endif
