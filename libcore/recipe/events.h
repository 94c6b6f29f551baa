/*
 * events: from the rows of a dataset to what a model learns from.
 *
 * Selection follows AWS (eventType, eventValueThreshold, eventsConfig): it decides which
 * rows count at all, for the shipped histories and popularity too. The cut by percentiles
 * (AWS's featureTransformationParameters) only decides what is learned from.
 */
#ifndef PZ_RECIPE_EVENTS_H
#define PZ_RECIPE_EVENTS_H

#include "base/order.h"
#include "recipe/recipe.h"

struct pz_event_rule {
    const char *type;   // EVENT_TYPE
    bool any_case;      // upper and lower case are the same
    bool has_weight;    // else 1
    double weight;      // >= 0; only ratios matter; events of weight 0 are left out
    bool has_threshold; // EVENT_VALUE >= threshold, for this type alone
    double threshold;
};

struct pz_selection { // {0}: everything, all equal
    const struct pz_event_rule *rule;
    size_t n_rules;     // 0: all types
    bool has_threshold; // EVENT_VALUE >= threshold; a null value is below any
    double threshold;
    bool strict; // AWS's minimums are errors
};

struct pz_selection_report {
    uint64_t n_rows;    // of the dataset
    uint64_t n_events;  // selected
    uint32_t n_users;   // with at least one selected event
    uint32_t n_users_2; // with at least two
    uint32_t n_items;   // with at least one
    char warning[512];  // which of AWS's minimums are not met, "" when all are
};

/*
 * Selects. PZ_USAGE: an event type that the dataset does not have (lists those it has),
 * types or a threshold where it has no such column, a weight above 0 that is 0 in single
 * precision beside the greatest. PZ_DATA: nothing left, a row without
 * a time, or (strict) AWS's minimums. The weights are divided by the greatest; weight is
 * NULL when all are equal.
 */
int pz_events_select(const struct pz_dataset *d, const struct pz_selection *s,
                     struct pz_events *out, struct pz_selection_report *report,
                     struct pz_err *err);

/* Shares of the sorted lengths, 0 to 1; min 0 and max 1 keep all. */
struct pz_cut {
    double min_user, max_user; // of the users' numbers of events
    double min_item, max_item; // of the items' numbers of events
};
#define PZ_CUT_NONE                                                                      \
    {                                                                                    \
        0, 1, 0, 1                                                                       \
    }

struct pz_cut_report {
    uint64_t user_lo, user_hi; // kept: lo <= events of the user <= hi
    uint64_t item_lo, item_hi;
    uint32_t users_dropped, items_dropped, items_hidden;
    uint64_t events_dropped;
};

/* The percentile parameters of a recipe, AWS's, with the recipe's defaults; those that
 * its table lacks keep all. */
/* clang-format off */
#define PZ_PARAMS_CUT_USERS(min_def, max_def)                                            \
    {.name = "min_user_history_length_percentile", .kind = PZ_PARAM_REAL,                \
     .place = PZ_PLACE_FEATURE, .def = min_def, .min = 0, .max = 1,                      \
     .help = "do not learn from users with shorter histories"},                          \
    {.name = "max_user_history_length_percentile", .kind = PZ_PARAM_REAL,                \
     .place = PZ_PLACE_FEATURE, .def = max_def, .min = 0, .max = 1,                      \
     .help = "do not learn from users with longer histories"}
#define PZ_PARAMS_CUT_ITEMS(min_def, max_def)                                            \
    {.name = "min_item_interaction_count_percentile", .kind = PZ_PARAM_REAL,             \
     .place = PZ_PLACE_FEATURE, .def = min_def, .min = 0, .max = 1,                      \
     .help = "do not learn from items with fewer interactions"},                         \
    {.name = "max_item_interaction_count_percentile", .kind = PZ_PARAM_REAL,             \
     .place = PZ_PLACE_FEATURE, .def = max_def, .min = 0, .max = 1,                      \
     .help = "items with more interactions are related only to each other"}
/* clang-format on */
struct pz_cut pz_cut_of_params(const struct pz_params *p);
/*
 * Drops users outside the percentiles and items below theirs. Items above theirs, which
 * people ask about most, are learned from all the same and marked in out->hidden. Nearest
 * rank: of n lengths (zeros are not counted) in ascending order the p-th is number
 * max(1, ceil(p*n)). Both sides are counted before either is cut. When nothing is dropped
 * *out is a view of `e`, which must then outlive it.
 */
int pz_events_cut(const struct pz_events *e, const struct pz_cut *cut,
                  struct pz_events *out, struct pz_cut_report *report,
                  struct pz_err *err);

/* How many of user u's events are taken, the oldest ones. */
typedef uint64_t (*pz_events_keep_fn)(const void *ctx, const struct pz_events *e,
                                      uint32_t u);
/* The first events of each user, new memory in *out; items and users stay numbered. */
int pz_events_take(const struct pz_events *e, pz_events_keep_fn keep, const void *ctx,
                   struct pz_events *out, struct pz_err *err);
/* All events of about a share of the users, drawn by `salt`; of two shares with one salt
 * the greater has the users of the smaller. */
int pz_events_share(const struct pz_events *e, double share, uint64_t salt,
                    struct pz_events *out, struct pz_err *err);

void pz_events_release(struct pz_events *e); // accepts {0}

/* ---- what is counted of events; each O(events) ---- */

int64_t pz_events_newest(const struct pz_events *e); // time; INT64_MIN without events
/* Seconds before `end`, the newest of all, in which the newest tenth of the events lies,
 * at least 1: halflives that the data suggest go by it. O(64 events). */
double pz_events_newest_tenth(const struct pz_events *e, int64_t end);
/* Distinct users of each item: n_items, new memory. */
int pz_events_users(uint32_t **users, const struct pz_events *e, struct pz_err *err);

/* All items with their numbers of events, most first: n_items, new memory. */
int pz_events_by_count(struct pz_counted **item, const struct pz_events *e,
                       struct pz_err *err);

#endif
