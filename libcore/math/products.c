#include "math/products.h"

#include <stdlib.h>

#include "base/mem.h"
#include "math/kernels.h"

int
pz_products_init(struct pz_products *p, size_t most, size_t d, struct pz_err *err)
{
    static const char what[] = "scores";
    size_t row;
    *p = (struct pz_products){.d = d};
    if (!pz_size_mul(d, sizeof *p->tiled, &row))
        return pz_err_nomem(err, what, SIZE_MAX);
    int status = pz_new_aligned(&p->tiled, most, row, what, err);
    if (!status)
        status = pz_new_aligned(&p->packed, PZ_PACK, row, what, err);
    if (status)
        pz_products_release(p);
    return status;
}

void
pz_products_release(struct pz_products *p)
{
    free(p->tiled);
    free(p->packed);
    *p = (struct pz_products){0};
}

void
pz_products(struct pz_products *p, float *out, size_t stride, const float *x, size_t n_x,
            const float *table, const uint32_t *row, size_t n_rows)
{
    const struct pz_kernels *k = pz_kernels();
    k->tile(p->tiled, x, n_x, p->d);
    for (size_t i = 0; i < n_rows; i += PZ_PACK) {
        size_t n = n_rows - i < PZ_PACK ? n_rows - i : PZ_PACK;
        if (row)
            k->pack(p->packed, table, row + i, n, p->d);
        else
            k->pack(p->packed, table + i * p->d, NULL, n, p->d);
        k->score(out + i, stride, p->packed, p->tiled, n_x, p->d);
    }
}
