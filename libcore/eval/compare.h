/*
 * compare: recipes put to the same test.
 *
 * Each draw is one split; every recipe learns from its training part and answers its
 * questions. Values are kept by case, so that means, intervals, differences and segments
 * all come from the same numbers.
 */
#ifndef PZ_EVAL_COMPARE_H
#define PZ_EVAL_COMPARE_H

#include "eval/bootstrap.h"
#include "eval/exam.h"

/* A recipe and its hyperparameters, as "aws-sims" or "aws-sims:NAME=VALUE:NAME=VALUE"; or
 * a model that has learned already; or lists from elsewhere. */
struct pz_entry {
    char *label;                    // as given
    const struct pz_recipe *recipe; // NULL: lists
    const struct pz_model *model;   // NULL: the recipe learns; else of the world's ids
    struct pz_params params;
};

struct pz_entries {
    struct pz_entry *entry;
    size_t n, cap;
};

/* Adds those of a list separated by commas. PZ_USAGE: unknown recipe, parameter or value.
 */
int pz_entries_add(struct pz_entries *e, const char *list, struct pz_err *err);
/* "NAME=VALUE" in all that have NAME, before what their labels set; PZ_USAGE when none
 * has it. Call it before pz_entries_resolve. */
int pz_entries_set(struct pz_entries *e, const char *assignment, struct pz_err *err);
/* Reads the parameters of the labels. */
int pz_entries_resolve(struct pz_entries *e, struct pz_err *err);
/* An entry that is no recipe, without model. */
int pz_entries_label(struct pz_entries *e, const char *label, struct pz_err *err);
void pz_entries_release(struct pz_entries *e); // accepts {0}

struct pz_compare {
    const struct pz_world *world;
    const struct pz_events *events; // of the world
    struct pz_split_spec spec;      // its seed is not looked at
    uint32_t draws;                 // at least 1
    const struct pz_entries *entries;
    const struct pz_objective *objective; // as of pz_eval
    size_t base;                          // entry that the others are compared with
    const struct pz_at *at;
    uint64_t seed; // draw i, and the trainings on it, have seed + i
    int threads;
};

/* Columns: measure m at at->k[i] is column m * at->n + i. */
struct pz_compared {
    struct pz_split *split;     // draws
    struct pz_answers **answer; // entries x draws
    double **value;             // entries: n_cases x n_values
    size_t n_draws, n_entries;
    size_t n_cases;   // of all draws
    size_t n_values;  // user measures x K's
    size_t n_columns; // all measures x K's
    double *spread;   // entries x draws x (n_columns - n_values)
    double *mean;     // entries x n_columns
    double *sd;       // entries x n_columns: between draws; NaN with one
    double *special;  // entries x PZ_N_SPECIAL, NaN where not measured; NULL: none are
    struct pz_bounds *interval;          // entries x n_values
    struct pz_bounds *differ;            // entries x n_values: to the base
    double *train_seconds, *ask_seconds; // entries: wall time of all draws
};

/* PZ_USAGE when an entry has a model and training lacks events: the model has learned
 * what would be asked. Entries answer with items (pz_has_figures() is false). */
int pz_compare_run(struct pz_compared *out, const struct pz_compare *c,
                   struct pz_err *err);
/* For who makes answers in another way: after split, n_draws and n_cases are set, room
 * for the rest; when answers, values and spread (NaN until then) are there, means and
 * intervals. */
int pz_compared_room(struct pz_compared *o, size_t n_entries, const struct pz_at *at,
                     struct pz_err *err);
int pz_compared_finish(struct pz_compared *o, size_t base, uint64_t seed, int threads,
                       struct pz_err *err);
void pz_compared_release(struct pz_compared *out); // accepts {0}

#endif
