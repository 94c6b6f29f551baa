/*
 * training: a group's interactions -> a solution version. What pz-train(1) does, as a
 * function.
 *
 * The recipe is measured on a split of the data, together with the popularity baseline,
 * and then trained on all of it. The model file holds no times, hosts or paths: the same
 * data, seed and version give the same bytes.
 */
#ifndef PZ_EVAL_TRAINING_H
#define PZ_EVAL_TRAINING_H

#include "eval/choose.h"
#include "eval/figures.h"
#include "recipe/limit.h"
#include "recipe/preset.h"

struct pz_training {
    const char *group;
    const struct pz_recipe *recipe;
    const struct pz_preset *preset; // what the recipe is trained as; NULL: itself
    const char *solution;           // 1-63 letters, digits, '-' and '_'
    const struct pz_params *params;
    const struct pz_choice *choice; // what is left to validation; NULL: nothing
    struct pz_selection selection;
    struct pz_column_choice columns; // of the datasets, but for the objective's
    const char *objective;           // "COLUMN:LEVEL", recipe/objective.h; NULL: none
    const char
        *output; // write this file and nothing else; NULL: a version of the solution
    const struct pz_showings *shown; // what answers showed; NULL: nothing is known of it
    bool no_eval;
    const struct pz_model *before; // an update of it (eval/update.h), with its metrics;
    const char *before_version;    // and its name; NULL: a training in full
    uint64_t seed;
    int threads;
};

struct pz_training_result {
    char *path;       // of the model file
    char version[32]; // "20261122T050403Z", "..._02"; "" with output
    bool measured;    // metrics and baseline are there (baseline only for other recipes)
    bool has_baseline;
    const struct pz_recipe *recipe; // the one that was given or chosen
    struct pz_params params;        // the same
    struct pz_metrics metrics, baseline;
    struct pz_figures figures; // n > 0: in the place of metrics and baseline
    struct pz_selection_report selected;
    bool has_related;            // of recipes for related items:
    uint32_t n_related, n_items; // items of the model that have any, and all
    uint64_t new_items, new_users, new_events; // of an update: beside what was before
};

/*
 * PZ_USAGE: solution name, also that of a recommender with another recipe, event type,
 * column, objective. PZ_DATA: no interactions, too few. PZ_FORMAT: damaged dataset.
 * PZ_SYSTEM: I/O, memory, another training of this solution is running.
 */
int pz_training_run(const struct pz_training *t, struct pz_training_result *r,
                    struct pz_err *err);
void pz_training_result_release(struct pz_training_result *r);

#endif
