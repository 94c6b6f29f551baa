/* keeper: what site.c and keeper.c share. */
#ifndef PZ_SERVE_KEEPER_H
#define PZ_SERVE_KEEPER_H

#include "serve/site.h"

void pz_group_free(struct pz_group *g); // lets go; accepts NULL

/* Fills in c->explore: a campaign explores as its itemExplorationConfig says, else as the
 * model was trained to; a solution that has no campaign does not. */
void pz_campaign_explore(struct pz_campaign *c);
/* What counts beside likeness where the configuration says so. */
void pz_campaign_influence(struct pz_campaign *c);

#endif
