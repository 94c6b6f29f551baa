#include "recipe/bag.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

int
pz_bag_init(struct pz_bag *b, uint32_t n_items, struct pz_err *err)
{
    *b = (struct pz_bag){.n_items = n_items};
    return pz_new(&b->place, n_items, sizeof *b->place, "a history", err);
}

void
pz_bag_release(struct pz_bag *b)
{
    free(b->item);
    free(b->weight);
    free(b->place);
    *b = (struct pz_bag){0};
}

int
pz_bag_take(struct pz_bag *b, const struct pz_bag_rule *rule, const uint32_t *item,
            const float *weight, size_t n, struct pz_err *err)
{
    double keep = rule->halflife > 0 ? exp2(-1 / rule->halflife) : 1, share = 1;
    b->n = 0;
    if (pz_grow(&b->item, &b->cap_item, n, sizeof *b->item, "a history", err) ||
        pz_grow(&b->weight, &b->cap_weight, n, sizeof *b->weight, "a history", err))
        return err->status;
    for (size_t i = n; i-- > 0 && share >= 0x1p-16; share *= keep) {
        float w = (float)(share * (weight ? (double)weight[i] : 1));
        if (!(w >= 0x1p-16f) || item[i] >= b->n_items)
            continue;
        uint32_t *place = &b->place[item[i]];
        if (!*place) {
            b->item[b->n] = item[i];
            b->weight[b->n] = w;
            *place = (uint32_t)++b->n;
        } else if (!rule->once) {
            b->weight[*place - 1] += w;
        } else if (w > b->weight[*place - 1]) {
            b->weight[*place - 1] = w;
        }
    }
    for (size_t i = 0; i < b->n; i++)
        b->place[b->item[i]] = 0;
    return PZ_OK;
}
