/*
 * repeat: how likely an item of a history is the next event, by what a table says of
 * items like it: how long ago it last was, how often it was, and how much of the user's
 * history were repeats.
 */
#ifndef PZ_RECIPE_REPEAT_H
#define PZ_RECIPE_REPEAT_H

#include "recipe/recipe.h"

enum {
    PZ_REPEAT_AGES = 9,     // 0, 1, 2-3, 4-7, ..., 128 and more events behind
    PZ_REPEAT_COUNTS = 4,   // 1, 2, 3, 4 and more
    PZ_REPEAT_HABITS = 5,   // share of repeats: none, < 0.1, < 0.3, < 0.6, more
    PZ_REPEAT_EVENTS = 256, // what lies further back is taken for not there
    PZ_REPEAT_CELLS = PZ_REPEAT_AGES * PZ_REPEAT_COUNTS * PZ_REPEAT_HABITS,
};

/* The distinct items of a history, latest first, each with its cell. Growing memory. */
struct pz_repeats {
    uint32_t *item;
    uint16_t *cell;
    size_t n;
    size_t cap_item, cap_cell, cap_count;
    uint32_t *count, *age;
    uint32_t *place; // n_items: where an item stands in the list + 1; 0 between calls
    size_t cap_age;
};

int pz_repeats_init(struct pz_repeats *r, uint32_t n_items, struct pz_err *err);
void pz_repeats_release(struct pz_repeats *r); // accepts {0}
int pz_repeats_take(struct pz_repeats *r, const uint32_t *item, size_t n,
                    struct pz_err *err);

/*
 * out[cell]: the share of items in the cell that were the next event, over the last
 * events of each user (at least the last, at most 20 of them), drawn towards the share of
 * all cells of the same age: (hits + 5 * that) / (n + 5). Above 0.
 */
int pz_repeat_learn(double out[PZ_REPEAT_CELLS], const struct pz_events *e,
                    struct pz_err *err);

#endif
