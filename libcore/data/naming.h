/*
 * naming: what the input calls the columns of a dataset, where it has names of its own;
 * and names that no field can have made into such that one can.
 */
#ifndef PZ_DATA_NAMING_H
#define PZ_DATA_NAMING_H

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "data/input.h"

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

#define PZ_NAME_MAX 150 // bytes of a field's name

/*
 * s[0..n) as a field may be called, into out; the length of that. Letters, digits and '_'
 * stay, a run of other bytes becomes one '_', none at the end; '_' goes before a digit in
 * front. 0: nothing remains.
 */
size_t pz_name_tidy(char out[PZ_NAME_MAX], const char *s, size_t n);
/*
 * Columns whose names no field can have get such names: tidy ones, "column_3" for the
 * third that has one where nothing remains, with _2, _3, ... behind where another column
 * has that name, without case. Names that are right or empty stay. New text is in `text`.
 */
int pz_names_tidy(struct pz_cell *name, size_t n, struct pz_arena *text,
                  struct pz_err *err);

#endif
