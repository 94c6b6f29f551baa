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
