/*
 * param: hyperparameters as tables. Values travel as strings, as in AWS; a wrong name or
 * a value out of range is an error that lists the right ones.
 */
#ifndef PZ_RECIPE_PARAM_H
#define PZ_RECIPE_PARAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum pz_param_kind { PZ_PARAM_INT, PZ_PARAM_REAL, PZ_PARAM_BOOL, PZ_PARAM_CHOICE };
enum pz_param_place { // where AWS takes it; OURS are additions
    PZ_PLACE_ALGORITHM,
    PZ_PLACE_FEATURE,
    PZ_PLACE_CAMPAIGN,
    PZ_PLACE_OURS,
};

struct pz_param_def {
    const char *name;
    enum pz_param_kind kind;
    enum pz_param_place place;
    double def, min, max; // BOOL: def 0 or 1; CHOICE: def is an index
    const char *choices;  // CHOICE: "a|b|c"
    bool tunable;
    double tune_min, tune_max; // where --hpo looks; both 0: min to max
    const char *help;          // one line
};

#define PZ_MAX_PARAMS 64

struct pz_params {
    const struct pz_param_def *def;
    double value[PZ_MAX_PARAMS];
    bool given[PZ_MAX_PARAMS];
};

void pz_params_init(struct pz_params *p, const struct pz_param_def *def); // all defaults
/* "NAME=VALUE"; PZ_USAGE. True/False in any case for BOOL. */
int pz_params_set(struct pz_params *p, const char *assignment, struct pz_err *err);
/* Index in the table, -1 when it has no such name. */
int pz_param_find(const struct pz_param_def *def, const char *name);
/* Asserts that the table has it. */
double pz_param(const struct pz_params *p, const char *name);
/* The same, or `otherwise` when the table lacks it. */
double pz_param_or(const struct pz_params *p, const char *name, double otherwise);
/* A value as it is written: "0.3", "True", "cg". */
void pz_param_text(const struct pz_param_def *d, double value, struct pz_buf *out);
/* {"name":"value",...}: every value as a string, as AWS has them. */
void pz_params_json(const struct pz_params *p, struct pz_buf *out);
/* "name kind default range help", a line each. The first four hold no blank: '_' stands
 * for it in choices, which pz_params_set takes too. */
void pz_params_help(const struct pz_param_def *def, struct pz_buf *out);

#endif
