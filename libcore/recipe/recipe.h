/*
 * recipe: what a recipe is to the rest of pz. One file a recipe, one struct, one row in
 * the registry; training, evaluation, inference, --list-recipes and the man page follow
 * from it.
 *
 * All indexes are those of the world (recipe/world.h): users 0..n_users-1 and items
 * 0..n_items-1, ids sorted bytewise. Items are all that the group knows, also those that
 * nobody had yet. A model file carries both id lists, so that it stands alone.
 */
#ifndef PZ_RECIPE_RECIPE_H
#define PZ_RECIPE_RECIPE_H

#include "data/dataset.h"
#include "recipe/param.h"

/*
 * Interactions as model input: CSR by user, each user's events oldest first. Events that
 * the selection left out are not there; the index spaces stay whole.
 */
struct pz_events {
    uint32_t n_users, n_items;
    uint64_t n;
    uint64_t *offsets; // n_users+1
    uint32_t *item;    // n
    int64_t *time;     // n, Unix seconds
    float *weight;     // n, or NULL: all 1; of actions what became of them
                       // (recipe/actions.h)
    uint8_t *hidden;   // n_items, or NULL: learned from, but related only to each other
    bool view;         // the arrays belong to another pz_events (recipe/events.h)
};

struct pz_showings;  // data/showing.h
struct pz_world;     // recipe/world.h: the datasets behind the events, as a training sees
                     // them
struct pz_model;     // recipe/model.h: the part that all model files share
struct pz_objective; // recipe/objective.h

enum pz_recipe_type { // AWS's names: pz_recipe_type_name()
    PZ_USER_PERSONALIZATION,
    PZ_POPULAR_ITEMS,
    PZ_PERSONALIZED_RANKING,
    PZ_RELATED_ITEMS,
    PZ_USER_SEGMENTATION,
    PZ_PERSONALIZED_ACTIONS,
};

/*
 * `events` are what the model is to learn from: the dataset's after the selection by
 * event type and value, without the users and items that the recipe's percentile
 * parameters cut (pz_events_cut). The model's shared part holds the history of cut users
 * too: for them a recipe has nothing stored and answers as for any history it is given.
 * The events are gone when train() returns: a recipe must not lend their arrays to the
 * builder.
 */
struct pz_train {
    const struct pz_events *events;
    const struct pz_events *whole; // of which events are a part, to be judged by: what is
                                   // chosen by size is chosen by these; NULL: events
    const struct pz_params *params;
    const struct pz_world *world;    // columns of interactions, items, users; never NULL
    const struct pz_showings *shown; // what answers showed; NULL: nothing is known of it
    const struct pz_model *before; // an update of this model, which recipes that can keep
                                   // as far as it is dear to learn; NULL: learn anew
    uint64_t seed;
    int threads;
    struct pz_builder *model; // the recipe adds its tensors and metadata "train.*"
    const struct pz_objective *objective; // what answers are traded for; NULL: nothing
};

/* The events that choices of a part go by. */
static inline const struct pz_events *
pz_train_whole(const struct pz_train *t)
{
    return t->whole ? t->whole : t->events;
}

/* What happened to each item of the model since it was trained: events, and how often it
 * was shown to somebody who did not take it. */
struct pz_lately {
    const uint32_t *events, *shown;
};

/* How far an answer tries new items (recipe/explore.h). */
struct pz_explore {
    double weight;                  // above 0 and up to 1
    double days;                    // an item is new up to this age
    uint64_t key;                   // of the draws: equal keys, equal draws
    const struct pz_lately *lately; // NULL: nothing is known of it
};

/* What counts beside similarity, 0 to 1 each (AWS: rankingInfluence). */
struct pz_influence {
    double popularity, freshness;
};

/* A question to a model, in indexes. Everything is borrowed for the call. */
struct pz_query {
    uint32_t user;           // PZ_NO_ID: not in the model
    const uint32_t *history; // what is known of the user, oldest first; may repeat
    const float *weight;     // of the history's events, NULL: all 1
    const int64_t *time;     // of the history's events, Unix seconds; NULL: not known
    size_t n_history;
    bool stored;           // history and weight are the model's own for `user`: what is
                           // stored for the user may be used
    uint32_t item;         // RELATED_ITEMS: the item; PZ_NO_ID: unknown
    const uint32_t *about; // USER_SEGMENTATION: the items asked about, ascending; none:
    size_t n_about;        // nothing is known of them
    const uint32_t *candidate; // rank just these (no duplicates), else NULL: all items
    size_t n_candidates;
    const uint64_t *allow;   // bit i: item i may be returned; NULL: all. n_items bits,
                             // n_users bits for USER_SEGMENTATION
    const uint32_t *exclude; // never to be returned; any order, may repeat
    size_t n_exclude;
    size_t n;                             // items wanted
    int64_t now;                          // Unix seconds at which the answer is shown,
    bool dated;                           // if that is known
    const struct pz_explore *explore;     // NULL: the best answer; recipes may ignore it
    const struct pz_influence *influence; // of aws-semantic-similarity; NULL: the model's
};

/* The answer: n items, best first; score order, ties by lower index. A score of NaN: the
 * recipe gives none to the item. USER_SEGMENTATION ranks users: indexes are theirs. */
struct pz_ranked {
    uint32_t *item; // room for query.n (query.n_candidates with candidates)
    float *score;   // same
    size_t n;
    bool fallback;  // the recipe knew nothing of the user or item: popular items instead
    bool *explored; // NULL, or room as above, all false: items that only exploring put
                    // there
};

/* Why item was ranked: one term per distinct history item (of USER_SEGMENTATION: of the
 * user that was ranked), or for what a label says (recipes that compare features). The
 * sum of the terms is `raw`. */
struct pz_reason {
    uint32_t item;
    double contribution;
    const char *label; // not NULL: this instead of the item's id; the model's memory
    size_t n_label;
};
#define PZ_REASON_LABELS 32 // reasons with a label, at most
struct pz_explained {
    struct pz_reason *reason; // room for that many items + PZ_REASON_LABELS, at least 1
                              // more; greatest first
    size_t n;
    double raw; // the score before softmax
};

/* Of struct pz_recipe and all that it points to; shared objects state the one they were
 * built with (recipe/custom.h). */
#define PZ_RECIPE_ABI 4u

struct pz_recipe {
    uint32_t abi;     // PZ_RECIPE_ABI; recipes of pz itself may leave it out
    const char *name; // "aws-sims"
    enum pz_recipe_type type;
    const char *summary;               // one line for --list-recipes
    const struct pz_param_def *params; // ends with name NULL
    bool softmax;    // scores are probabilities over all items (or the candidates)
    bool has_scores; // false: AWS prints none; --json and TSV leave them empty
    bool timed;      // the model keeps the times of histories
    bool updates;    // keeps what is dear of pz_train.before
    bool items_only; // learns from items alone where there are no interactions

    /* Learns. Byte-identical output for any t->threads. */
    int (*train)(const struct pz_train *t, struct pz_err *err);
    /* Binds to the tensors of an opened model; checks shapes. *state belongs to close().
     */
    int (*open)(void **state, const struct pz_model *model, struct pz_err *err);
    void (*close)(void *state);
    /* Answers n queries on the calling thread; safe from many threads on one state. The
     * answer to a query does not depend on the others beside it. */
    int (*rank)(const void *state, const struct pz_query *q, size_t n,
                struct pz_ranked *out, struct pz_err *err);
    /* NULL when the recipe cannot. */
    int (*explain)(const void *state, const struct pz_query *q, uint32_t item,
                   struct pz_explained *out, struct pz_err *err);
    /*
     * USER_SEGMENTATION by attributes: the items that an expression means, ascending, new
     * memory; *unknown: attributes that no item has. NULL: requests name an item.
     * PZ_DATA: a bad expression, whose message names no place in the input.
     */
    int (*find_items)(const void *state, const char *text, size_t n, uint32_t **item,
                      size_t *n_items, size_t *unknown, struct pz_err *err);
};

/* The registry, in the order of the man page; NULL at the end. */
extern const struct pz_recipe *const pz_recipes[];
const struct pz_recipe *pz_recipe_find(const char *name); // name or its ARN; NULL
const char *pz_recipe_type_name(enum pz_recipe_type t);

/* The rows of the registry, each in the file that is named after it. */
extern const struct pz_recipe pz_recipe_personalized_ranking;
extern const struct pz_recipe pz_recipe_popularity; // aws-popularity-count
extern const struct pz_recipe pz_recipe_semantic_similarity;
extern const struct pz_recipe pz_recipe_similar_items;
extern const struct pz_recipe pz_recipe_sims;     // aws-sims
extern const struct pz_recipe pz_recipe_trending; // aws-trending-now
extern const struct pz_recipe pz_recipe_user_personalization;
extern const struct pz_recipe pz_recipe_item_affinity; // segments.c
extern const struct pz_recipe pz_recipe_item_attribute_affinity;
extern const struct pz_recipe pz_recipe_next_best_action;
extern const struct pz_recipe pz_recipe_bpr; // pz-bpr

/* Hyperparameters that recipes share; the first two are about exploration. */
extern const struct pz_param_def pz_user_personalization_params[];

#endif
