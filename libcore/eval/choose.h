/*
 * choose: what a training leaves to validation, a recipe or its hyperparameters.
 */
#ifndef PZ_EVAL_CHOOSE_H
#define PZ_EVAL_CHOOSE_H

#include "eval/tune.h"

struct pz_choice {
    const struct pz_recipe *const *recipe; // the best of these
    size_t n_recipes;                      // 0: the recipe is given
    const char *hpo; // hpoConfig, JSON; NULL: what the recipe calls tunable
    size_t n_hpo;
    uint32_t trials;  // trainings to find hyperparameters with; 0: the JSON's; none
                      // without hpo
    uint32_t at_once; // of these; 0: the JSON's, else 1
    bool has_metric;  // else the JSON's, else NDCG at 25
    enum pz_metric metric;
    double seconds; // no trial starts after that; 0: no limit
    void (*tried)(void *ctx, const struct pz_recipe *r, const struct pz_metrics *m);
    void (*done)(void *ctx, const struct pz_ranges *r, const struct pz_trial *t,
                 uint32_t number);
    void *ctx; // of both, which may be NULL
};

struct pz_chosen {
    const struct pz_recipe *recipe;
    struct pz_params params;
    struct pz_buf json; // of the trials; empty: there were none
};

/*
 * *out holds what e has, or better. e->params are kept where the recipe is given.
 * journal: pz_tune.journal. PZ_DATA: hpoConfig, or too few users. PZ_USAGE: an
 * hpoConfig without a number of trainings, or nothing to tune.
 */
int pz_choose(const struct pz_choice *c, const struct pz_eval *e, const char *journal,
              struct pz_chosen *out, struct pz_err *err);
void pz_chosen_release(struct pz_chosen *c); // accepts {0}

#endif
