/*
 * model: the part all model files share (pz-model(5)): who made it and how, the ids,
 * every user's history, popularity. A recipe's own tensors stand beside.
 *
 *   user.{bytes,offsets,table}, item.{bytes,offsets,table}   the id lists
 *   history.offsets U64 [n_users+1], history.item U32 [n],
 *   history.weight F32 [n]   only when not all 1
 *   history.time I64 [n]     only for recipes that are `timed`
 *   popularity.item U32 [k]: items by unique users, most first (ties: newer last event,
 * then lower index); every item with at least one user popularity.users U32 [k]
 *
 * Metadata: pz.kind "model", pz.format, pz.version, recipe, params (JSON), seed, metrics
 * (JSON), n_catalogue; of a preset also preset, filter, scores ("none"); with an
 * objective also what recipe/objective.h says. No times, hosts or paths: the same data,
 * seed and version give the same bytes.
 */
#ifndef PZ_RECIPE_MODEL_H
#define PZ_RECIPE_MODEL_H

#include "recipe/recipe.h"
#include "recipe/world.h"

/*
 * Metadata that says which events of a group's store a model has learned, both decimal
 * numbers. A solution version of the group has the highest seq that there was (0: nothing
 * had been put). A file for elsewhere depends on the rows alone, not on how they came: it
 * has the time of the newest event that it learned, and what is not newer counts as
 * learned.
 */
#define PZ_MODEL_EVENTS_META "events.seq"
#define PZ_MODEL_TIME_META   "events.time"
/* Recipes for related items: how many items of the model have any, decimal. */
#define PZ_MODEL_RELATED_META "train.related"

struct pz_model {
    struct pz_tensors file;
    const struct pz_recipe *recipe;
    void *state;        // of the recipe
    const char *preset; // recipe/preset.h; NULL: the plain recipe
    const char *filter; // goes with every answer; NULL: none
    bool has_scores;    // answers show them
    struct pz_ids user, item;
    uint32_t n_users, n_items;
    const uint64_t *history_offsets;
    const uint32_t *history_item;
    const float *history_weight; // or NULL
    const int64_t *history_time; // or NULL
    uint64_t n_history;
    const uint32_t *popular; // n_popular item indexes
    const uint32_t *popular_users;
    uint64_t n_popular;
    struct { // recipe/objective.h; place NULL: there is none
        const char *column;
        const float *place; // n_items
        double weight, temperature;
    } objective;
};

/* Opens a model file, or the view of a builder. pz_model_open_tensors takes *t over, also
 * when it fails. */
int pz_model_open(struct pz_model *m, const char *path, struct pz_err *err);
int pz_model_open_tensors(struct pz_model *m, struct pz_tensors *t, struct pz_err *err);
void pz_model_close(struct pz_model *m); // accepts {0}

/* recipe->rank and recipe->explain with what goes with the model beside its recipe. */
int pz_model_rank(const struct pz_model *m, const struct pz_query *q, size_t n,
                  struct pz_ranked *out, struct pz_err *err);
int pz_model_explain(const struct pz_model *m, const struct pz_query *q, uint32_t item,
                     struct pz_explained *out, struct pz_err *err);

/* A number of the metadata within [min,max]. PZ_FORMAT: there is none such. */
int pz_model_number(const struct pz_model *m, const char *key, double min, double max,
                    double *out, struct pz_err *err);
/* PZ_FORMAT "'PATH': its metadata lack a valid 'KEY'". */
int pz_model_lacks(const struct pz_model *m, const char *key, struct pz_err *err);

/* A user's events, oldest first; views. */
struct pz_history {
    const uint32_t *item;
    const float *weight; // NULL: all 1
    const int64_t *time; // NULL: not known
    size_t n;
};

/* The stored history of user u, with its bounds and items checked: PZ_FORMAT when
 * damaged. Empty for a user that the model does not know. */
int pz_model_history(const struct pz_model *m, uint32_t u, struct pz_history *h,
                     struct pz_err *err);

/*
 * Adds the shared part to the builder t->model: ids of the world, histories and
 * popularity of t->events (both must outlive the builder), metadata.
 */
int pz_model_begin(const struct pz_recipe *recipe, const struct pz_train *t,
                   struct pz_err *err);

struct pz_preset;
/* What a preset says of the answers. */
void pz_model_preset(struct pz_builder *b, const struct pz_preset *preset);

/*
 * pz_model_begin, then the recipe's own part: what pz_events_cut leaves of t->events
 * under the parameters is trained on. World and events must outlive the builder.
 */
int pz_model_learn(const struct pz_recipe *recipe, const struct pz_train *t,
                   struct pz_err *err);

/* A model in memory, trained on t->events (t->model is not looked at) and opened.
 * World and events must outlive it. pz_trained_close also takes {0}. */
struct pz_trained {
    struct pz_builder *builder;
    struct pz_model model;
};
int pz_trained_open(struct pz_trained *m, const struct pz_recipe *recipe,
                    const struct pz_train *t, struct pz_err *err);
void pz_trained_close(struct pz_trained *m);

/*
 * The popular items that the query admits, as an answer without scores and with
 * `fallback` set; for cold users and unknown items. Candidates that nobody has come last,
 * as given.
 */
void pz_model_popular(const struct pz_model *m, const struct pz_query *q,
                      struct pz_ranked *out);

/*
 * Completes an answer of fewer than `wanted` items with popular items that the query
 * admits and that are not in it, nor the item asked about; these have no score. AWS gives
 * popular items for an item with too little data; a short answer is the same by degrees.
 */
int pz_model_complete(const struct pz_model *m, const struct pz_query *q, size_t wanted,
                      struct pz_ranked *out, struct pz_err *err);

#endif
