/*
 * groups: which users or items belong together; between the files of eval/segment.
 */
#ifndef PZ_EVAL_GROUPS_H
#define PZ_EVAL_GROUPS_H

#include "eval/compare.h"

enum pz_group_of { PZ_GROUP_CASES, PZ_GROUP_USERS, PZ_GROUP_ITEMS };

struct pz_groups {
    enum pz_group_of of;
    char **name; // n
    size_t n;
    uint64_t *offsets; // members+1
    uint32_t *code;    // of each member: the groups that it is in
};

/* `draw` is the split whose cases or training count; users and items are the world's. */
int pz_groups_make(struct pz_groups *g, const char *by, const struct pz_compared *o,
                   size_t draw, const struct pz_world *w, struct pz_err *err);
void pz_groups_release(struct pz_groups *g); // accepts {0}

#endif
