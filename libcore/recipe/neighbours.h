/*
 * neighbours: for each item the others that its users had most, by the score of aws-sims.
 * Time: that of recipe/cooc.h, one look at each count, and with closeness 4 halflives of
 * additions a pair of user and item.
 */
#ifndef PZ_RECIPE_NEIGHBOURS_H
#define PZ_RECIPE_NEIGHBOURS_H

#include "recipe/recipe.h"

struct pz_neighbours_spec {
    size_t keep;      // neighbours of an item, at least 1
    uint32_t least;   // common users that make a pair; at least 1
    double discount;  // p of c / n^p
    double shrinkage; // h of c / (c + h)
    double closeness; // b of 1 + b g / c, g what the pair gains by being near; 0: 1
    double halflife;  // of recipe/near.h; > 0 where closeness is
    int threads;
    bool force_head; // tests: n_head ranks are counted by bits, else as many as pay
    uint32_t n_head;
};

/* The hyperparameters of shrinkage, closeness and halflife. */
/* clang-format off */
#define PZ_PARAMS_NEIGHBOURS                                                             \
    {.name = "shrinkage", .kind = PZ_PARAM_REAL, .place = PZ_PLACE_OURS,                 \
     .def = 10, .min = 0, .max = 1e6, .tunable = true, .tune_min = 0.5, .tune_max = 200, \
     .help = "common users at which a pair counts half; 0: all pairs count in full"},    \
    {.name = "closeness", .kind = PZ_PARAM_REAL, .place = PZ_PLACE_OURS,                 \
     .def = 4, .min = 0, .max = 1000, .tunable = true, .tune_min = 0.2, .tune_max = 20,  \
     .help = "how much more a user counts who had both items one after the other; 0: "   \
             "as any other"},                                                            \
    {.name = "closeness_halflife", .kind = PZ_PARAM_REAL, .place = PZ_PLACE_OURS,        \
     .def = 4, .min = 0.1, .max = 1000, .tunable = true, .tune_min = 1, .tune_max = 50,  \
     .help = "items between the two at which that is half"}
/* clang-format on */
void pz_neighbours_params(struct pz_neighbours_spec *spec, const struct pz_params *p);

/* Rows in the order of the items, each best first, ties by lower item. */
struct pz_neighbours {
    uint64_t *offsets; // n_items+1
    uint32_t *item;    // n
    float *score;      // n
    uint64_t n;
};

/* Hidden items have rows, and stand in no others than each other's. The same for any
 * number of threads. The arrays are new memory. */
int pz_neighbours_find(struct pz_neighbours *out, const struct pz_events *e,
                       const struct pz_neighbours_spec *spec, struct pz_err *err);

#endif
