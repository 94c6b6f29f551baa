/*
 * bag: a history as distinct items with a weight each, in no order that models look at.
 */
#ifndef PZ_RECIPE_BAG_H
#define PZ_RECIPE_BAG_H

#include "recipe/recipe.h"

/* How the events of an item become its weight. */
struct pz_bag_rule {
    bool once;       // the greatest, not the sum
    double halflife; // events after which one counts half (the newest counts whole); 0:
                     // all alike
};

struct pz_bag {
    uint32_t *item; // distinct, newest first
    float *weight;
    size_t n;
    size_t cap_item, cap_weight;
    uint32_t n_items;
    uint32_t *place; // n_items: where an item stands in the bag + 1; 0 between calls
};

int pz_bag_init(struct pz_bag *b, uint32_t n_items, struct pz_err *err);
void pz_bag_release(struct pz_bag *b); // accepts {0}
/*
 * Takes n events, oldest first, weight NULL: all 1. Left out are events that count less
 * than 2^-16 and items from n_items on. O(n).
 */
int pz_bag_take(struct pz_bag *b, const struct pz_bag_rule *rule, const uint32_t *item,
                const float *weight, size_t n, struct pz_err *err);

#endif
