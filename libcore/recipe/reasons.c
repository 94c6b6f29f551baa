#include "recipe/reasons.h"

#include <stdlib.h>

int
pz_reasons_order(const void *a, const void *b)
{
    const struct pz_reason *x = a, *y = b;
    if (x->contribution != y->contribution)
        return x->contribution > y->contribution ? -1 : 1;
    if (x->item != y->item)
        return x->item > y->item ? 1 : -1;
    return (x->label > y->label) - (x->label < y->label);
}

void
pz_reasons_sort(struct pz_explained *e)
{
    if (e->n)
        qsort(e->reason, e->n, sizeof *e->reason, pz_reasons_order);
}
