/*
 * lists: ranked lists that any program wrote, scored as answers of recipes are.
 */
#ifndef PZ_EVAL_LISTS_H
#define PZ_EVAL_LISTS_H

#include "eval/compare.h"

struct pz_lists {
    struct pz_dict user, item; // ids of the truth, then of the lists
    struct pz_entries entries; // a label a file, recipe NULL
};

/*
 * Compares files of lists (rows "user TAB item [TAB score]", a user's rows together, best
 * first, as pz-recommend(1) prints them; "-" is stdin) by a truth (eval/pairs.h), the
 * first file being the base. Equal scores that stand together count as ties; where a
 * list has no scores its order counts. Users of the truth without a list have no hits;
 * lists of others are left out. There is no catalogue here: measures of lists alone are
 * NaN. PZ_DATA: bad rows, an item twice in a list, a user's rows in two places.
 */
int pz_lists_compare(struct pz_compared *out, struct pz_lists *names, const char *truth,
                     const char *const *file, size_t n_files, const struct pz_at *at,
                     uint64_t seed, int threads, struct pz_err *err);
void pz_lists_release(struct pz_lists *l);

#endif
