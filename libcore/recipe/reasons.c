#include "recipe/reasons.h"

#include <stdlib.h>
#include <string.h>

static int
by_subject(const void *a, const void *b)
{
    const struct pz_reason *x = a, *y = b;
    if (x->item != y->item)
        return x->item > y->item ? 1 : -1;
    if (!x->label || !y->label)
        return !!x->label - !!y->label;
    size_t n = x->n_label < y->n_label ? x->n_label : y->n_label;
    int c = memcmp(x->label, y->label, n);
    return c ? c : (x->n_label > y->n_label) - (x->n_label < y->n_label);
}

int
pz_reasons_order(const void *a, const void *b)
{
    const struct pz_reason *x = a, *y = b;
    if (x->contribution != y->contribution)
        return x->contribution > y->contribution ? -1 : 1;
    return by_subject(x, y);
}

void
pz_reasons_sort(struct pz_explained *e)
{
    if (e->n)
        qsort(e->reason, e->n, sizeof *e->reason, pz_reasons_order);
}

void
pz_reasons_join(struct pz_reason *all, size_t n, struct pz_explained *out)
{
    if (n)
        qsort(all, n, sizeof *all, by_subject);
    out->n = 0;
    for (size_t k = 0; k < n; k++) {
        if (!out->n || by_subject(&out->reason[out->n - 1], &all[k]))
            out->reason[out->n++] = all[k];
        else
            out->reason[out->n - 1].contribution += all[k].contribution;
    }
    pz_reasons_sort(out);
}
