/*
 * objective: answers that trade relevance against a number that items have, such as their
 * price (AWS: optimizationObjective).
 *
 * Of the items that the recipe ranks, the 500 most relevant ones (or the candidates of
 * the request) are ranked anew. With p_i the recipe's probability of such an item and v_i
 * its place among all items by the column, between 0 and 1,
 *
 *     log p'_i = log p_i + w sd(log p) (v_i - mean(v)) / sd(v) + constant
 *
 * where mean and sd are over those items, w is 1/3 (LOW), 1 (MEDIUM: both say as much) or
 * 3 (HIGH), and the constant leaves their probabilities the sum they had. Of lists of one
 * length the mean of v grows with w. Items without a probability stay where they are:
 * they are popular items, about which nothing is known that could be traded. Items that
 * only exploring shows (recipe/explore.h) have the places that they have without this.
 */
#ifndef PZ_RECIPE_OBJECTIVE_H
#define PZ_RECIPE_OBJECTIVE_H

#include "recipe/model.h"

enum pz_sensitivity {
    PZ_OBJECTIVE_OFF, // measured, not traded
    PZ_OBJECTIVE_LOW,
    PZ_OBJECTIVE_MEDIUM,
    PZ_OBJECTIVE_HIGH,
};

struct pz_objective {
    char *column; // as given, then as the schema spells it
    enum pz_sensitivity sensitivity;
    double *value; // of each item of the world; NULL until opened
    uint32_t n_items;
};

/* "COLUMN:LEVEL", the level in any case. PZ_USAGE. */
int pz_objective_parse(struct pz_objective *o, const char *text, struct pz_err *err);
/*
 * Reads the column. Items without a value get the median of the others; that there are
 * some is logged. PZ_DATA: no items dataset, no value at all; PZ_USAGE: no such column of
 * numbers (lists those that are there). O(items log items).
 */
int pz_objective_open(struct pz_objective *o, const struct pz_world *w,
                      struct pz_err *err);
/* Does the recipe give probabilities of items for a user, for an objective to be weighed
 * against? */
bool pz_objective_fits(const struct pz_recipe *recipe);
void pz_objective_release(struct pz_objective *o); // accepts {0}

/* Adds objective.place F32 [n_items] (v) and the metadata "objective" and
 * "objective.column"; of OFF nothing. */
int pz_objective_add(const struct pz_objective *o, struct pz_builder *b,
                     struct pz_err *err);
/* Fills m->objective from the file; PZ_FORMAT. */
int pz_objective_bind(struct pz_model *m, struct pz_err *err);

/* pz_model_rank and pz_model_explain of a model that has an objective. */
int pz_objective_rank(const struct pz_model *m, const struct pz_query *q, size_t n,
                      struct pz_ranked *out, struct pz_err *err);
int pz_objective_explain(const struct pz_model *m, const struct pz_query *q,
                         uint32_t item, struct pz_explained *out, struct pz_err *err);

#endif
