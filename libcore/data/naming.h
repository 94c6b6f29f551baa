/*
 * naming: what the input calls the columns of a dataset, where it has names of its own.
 */
#ifndef PZ_DATA_NAMING_H
#define PZ_DATA_NAMING_H

#include <stddef.h>
#include <string.h>
#include <strings.h>

struct pz_naming { // {0}: the input has the dataset's names
    const struct pz_naming_pair {
        const char *input; // a header or key of the input, without case
        const char *name;  // the column
    } * pair;
    size_t n;
};

/* The place of s[0..n) among the input's names; w->n when it is none of them. */
static inline size_t
pz_naming_find(const struct pz_naming *w, const char *s, size_t n)
{
    size_t k = 0;
    while (k < w->n &&
           (strlen(w->pair[k].input) != n || strncasecmp(w->pair[k].input, s, n) != 0))
        k++;
    return k;
}

#endif
