#include "recipe/pairs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int
pz_pairs_make(struct pz_pairs *p, const struct pz_events *e, struct pz_err *err)
{
    *p = (struct pz_pairs){0};
    int status = pz_csr_make(&p->by_user, &p->by_item, e->n_users, e->n_items, e->offsets,
                             e->item, e->weight, true, err);
    if (!status)
        status = pz_csr_by_size(&p->by_user, &p->by_item, &p->user_of, &p->item_of, err);
    if (status) {
        pz_pairs_release(p);
        return status;
    }
    const struct pz_csr *items = &p->by_item;
    while (p->n_ranks < items->n_rows &&
           items->offsets[p->n_ranks + 1] > items->offsets[p->n_ranks])
        p->n_ranks++;
    return PZ_OK;
}

void
pz_pairs_spend(struct pz_pairs *p)
{
    pz_csr_release(&p->by_user);
    pz_csr_release(&p->by_item);
}

void
pz_pairs_release(struct pz_pairs *p)
{
    pz_pairs_spend(p);
    free(p->user_of);
    free(p->item_of);
    *p = (struct pz_pairs){0};
}

int
pz_pairs_damp(float **out, const struct pz_pairs *p, double power, struct pz_err *err)
{
    *out = NULL;
    if (power == 0)
        return PZ_OK;
    const struct pz_csr *users = &p->by_user;
    int status = pz_new(out, users->n_rows, sizeof **out, "weights of users", err);
    for (uint32_t u = 0; !status && u < users->n_rows; u++) {
        uint64_t n = users->offsets[u + 1] - users->offsets[u];
        (*out)[u] = n ? (float)pow((double)n, -power) : 0;
    }
    return status;
}

void
pz_pairs_size(struct pz_pairs_size *s, const struct pz_events *e)
{
    enum { AT_ONCE = 1 << 21 }; // items in a pass: most catalogues are one
    uint64_t had[AT_ONCE / 64];
    *s = (struct pz_pairs_size){.n_events = (double)e->n};
    for (uint64_t from = 0; from < e->n_items; from += AT_ONCE) {
        memset(had, 0, sizeof had);
        for (uint64_t k = 0; k < e->n; k++) {
            uint64_t i = e->item[k] - from, bit = UINT64_C(1) << i % 64;
            if (i < AT_ONCE && !(had[i / 64] & bit)) {
                had[i / 64] |= bit;
                s->n_items++;
            }
        }
    }
    for (uint32_t u = 0; u < e->n_users; u++) {
        double n = (double)(e->offsets[u + 1] - e->offsets[u]);
        s->additions += n * n;
    }
}
