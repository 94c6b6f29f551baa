/* compile: what bind.c and compile.c share while a filter is made. */
#ifndef PZ_FILTER_COMPILE_H
#define PZ_FILTER_COMPILE_H

#include "filter/program.h"

struct pz_fcompile {
    struct pz_filter *f;
    const struct pz_ftree *tree;
    const struct pz_filter_data *data;
    struct pz_err *err;
    size_t *leaf_of; // a condition's leaf, as far as they are bound
    size_t expr;
    bool has_place; // an expression's first dataset was seen: AWS allows no other
    enum pz_fplace place;
};

/* Condition -> new leaf. */
int pz_filter_bind(struct pz_fcompile *c, size_t cond, size_t *leaf);
/* Adds a warning with its place. */
int pz_filter_warn(struct pz_fcompile *c, size_t at, const char *text);

#endif
