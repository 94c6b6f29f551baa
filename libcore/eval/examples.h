/*
 * examples: what some users were given, and why.
 */
#ifndef PZ_EVAL_EXAMPLES_H
#define PZ_EVAL_EXAMPLES_H

#include "eval/compare.h"

enum { PZ_EXAMPLE_ITEMS = 10, PZ_EXAMPLE_REASONS = 3 };

struct pz_example_reason {
    uint32_t item;
    char label[64]; // not "": this instead of the item
    double contribution;
};

struct pz_example {
    uint32_t of; // case of the first draw
    uint32_t item[PZ_EXAMPLE_ITEMS], n_items;
    bool hit[PZ_EXAMPLE_ITEMS];
    struct pz_example_reason reason[PZ_EXAMPLE_ITEMS]
                                   [PZ_EXAMPLE_REASONS]; // greatest first
    uint32_t n_reasons[PZ_EXAMPLE_ITEMS];                // 0 where the recipe cannot tell
    double raw[PZ_EXAMPLE_ITEMS];                        // the score before softmax
};

struct pz_examples {
    size_t entry;
    struct pz_example *example;
    size_t n;
};

/* At most n users of the first draw, evenly from all, asked of one entry once more (it
 * learns again). */
int pz_examples_make(struct pz_examples *x, const struct pz_compared *o,
                     const struct pz_compare *c, size_t entry, size_t n,
                     struct pz_err *err);
void pz_examples_release(struct pz_examples *x); // accepts {0}

#endif
