/*
 * tune: hyperparameters, and recipes, chosen by validation.
 *
 * The users that the final measurement tests are kept out; as many others validate
 * (eval/split.h, protocol aws, valid). Of N trainings the first, with the values that
 * were given, and random ones learn from a third of the training's users; the best of
 * them, and always the first, from all; and what is left of N are variations of the best
 * so far, four of each best, on all users too. With few trainings or users all learn from
 * all. The same data, seed and N give the same trials whatever the number of threads and
 * of trials at once; with a time limit that holds for the trials that were done.
 *
 * Random search: Bergstra and Bengio 2012; on a growing share: successive halving,
 * Jamieson and Talwalkar 2016.
 */
#ifndef PZ_EVAL_TUNE_H
#define PZ_EVAL_TUNE_H

#include "eval/protocol.h"

enum { PZ_RANGE_VALUES = 32, PZ_MAX_TRIALS = 10000 };

struct pz_range {
    int param; // of the recipe's table
    double min, max;
    bool log;                      // all orders of magnitude are as likely
    double value[PZ_RANGE_VALUES]; // when n_values: these alone
    size_t n_values;
};

struct pz_ranges {
    struct pz_range range[PZ_MAX_PARAMS];
    size_t n;
    uint32_t trials;  // of JSON's hpoResourceConfig; 0: not given
    uint32_t at_once; // the same
    bool has_metric;  // of JSON's hpoObjective
    enum pz_metric metric;
};

/* All that the recipe calls tunable, over the ranges it names. */
void pz_ranges_of(struct pz_ranges *r, const struct pz_recipe *recipe);
/*
 * AWS's hpoConfig: {"algorithmHyperParameterRanges": {"integerHyperParameterRanges":
 * [{"name", "minValue", "maxValue"}], "continuousHyperParameterRanges": [...],
 * "categoricalHyperParameterRanges": [{"name", "values"}]}, "hpoResourceConfig":
 * {"maxNumberOfTrainingJobs": "N", "maxParallelTrainingJobs": "N"}, "hpoObjective":
 * {"metricName"}}; all may be absent. PZ_DATA: what is wrong with it.
 */
int pz_ranges_parse(struct pz_ranges *r, const struct pz_recipe *recipe, const char *text,
                    size_t n, struct pz_err *err);

struct pz_trial {
    struct pz_params params;
    double share; // of the training's users
    struct pz_metrics metrics;
    double value; // of the metric that is tuned
    bool again;   // its result is of an earlier run
};

struct pz_tune {
    const struct pz_recipe *recipe;
    const struct pz_world *world;
    const struct pz_events *events;       // of the world, not cut
    const struct pz_params *params;       // the first trial's, and what is not tuned
    const struct pz_objective *objective; // as of pz_eval
    const struct pz_ranges *ranges;
    enum pz_metric metric;
    uint32_t n;          // trainings, at least 1
    uint32_t at_once;    // of them, each with its part of the threads; 0: 1
    double seconds;      // no training starts after that; 0: no limit
    const char *journal; // file of finished trials, from which a run that was ended goes
                         // on; NULL: none. Another data, choice of columns, seed or
                         // recipe starts it anew.
    uint64_t seed;
    int threads;
    void (*done)(void *ctx, const struct pz_trial *t, uint32_t number); // may be NULL
    void *ctx;
};

/*
 * Fills *best with the parameters that validate best and *trial (new memory) with all
 * trials in their order. PZ_DATA: there are too few users to validate. PZ_USAGE: the
 * metric is one that these trainings do not have.
 */
int pz_tune_run(const struct pz_tune *t, struct pz_params *best, struct pz_trial **trial,
                uint32_t *n_trials, struct pz_err *err);

/* Which of `n` recipes, each with its defaults, validates best: *best; metrics[n]. */
int pz_tune_recipe(const struct pz_eval *e, const struct pz_recipe *const *recipe,
                   size_t n, enum pz_metric metric, struct pz_metrics *metrics,
                   size_t *best, struct pz_err *err);

/* [{"share":1,"value":0.1,"params":{...},"metrics":{...}},...]; params: the tuned ones.
 */
void pz_trials_json(const struct pz_ranges *r, const struct pz_trial *trial, uint32_t n,
                    struct pz_buf *out);

/* PZ_USAGE listing AWS's names. */
int pz_offline_metric_parse(enum pz_metric *m, const char *name, struct pz_err *err);

#endif
