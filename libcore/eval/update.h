/*
 * update: a solution version learned on, instead of anew: AWS's training mode UPDATE.
 *
 * The new version has what is in the group now: its items, users and events. What is
 * cheap to learn is learned anew (counts, first items, new items by metadata, parts that
 * are quick), what is dear stays as it was (recipe/blend.h), and so do recipe,
 * hyperparameters, selection of events, choice of columns, objective and metrics, which
 * are those of the version before.
 */
#ifndef PZ_EVAL_UPDATE_H
#define PZ_EVAL_UPDATE_H

#include "base/json.h"
#include "eval/training.h"

struct pz_update {
    struct pz_model before;
    char solution[64], version[32]; // their names, of the path
    const struct pz_recipe *recipe;
    const struct pz_preset *preset; // NULL: none
    struct pz_params params;
    struct pz_selection selection;
    struct pz_column_choice columns;
    char *objective;            // "COLUMN:LEVEL"; NULL: none
    struct pz_event_rule *rule; // of the selection
    const char **name;          // of the columns
    pz_json *json[2];           // which selection and columns borrow their names from
};

/*
 * Opens the version to update. PZ_USAGE: its recipe cannot be updated. PZ_FORMAT:
 * damaged.
 */
int pz_update_open(struct pz_update *u, const char *path, struct pz_err *err);
void pz_update_close(struct pz_update *u); // accepts {0}

#endif
