#include "recipe/item_codes.h"

#include <stdlib.h>

#include "base/mem.h"

int
pz_item_codes_put(struct pz_builder *b, const float *table, uint32_t n_items, size_t d,
                  struct pz_err *err)
{
    uint8_t *code = NULL;
    float *scale = NULL;
    size_t groups = pz_quant_groups(n_items);
    if (n_items < PZ_CODED_ITEMS)
        return PZ_OK;
    int status =
        pz_new_aligned(&code, groups * PZ_QUANT_ROWS, d, "the items' codes", err);
    if (!status)
        status = pz_new_aligned(&scale, groups * PZ_QUANT_ROWS, sizeof *scale,
                                "the items' codes", err);
    if (!status && pz_quant_build(code, scale, table, n_items, d)) {
        uint64_t shape[] = {groups, d / 4, PZ_QUANT_ROWS, 4};
        pz_builder_take(b, "item.code", PZ_U8, 4, shape, code);
        pz_builder_take1(b, "item.scale", PZ_F32, groups * PZ_QUANT_ROWS, scale);
        return PZ_OK;
    }
    free(code);
    free(scale);
    return status;
}

int
pz_item_codes_get(const struct pz_model *m, struct pz_topn_table *table,
                  struct pz_err *err)
{
    uint64_t groups = pz_quant_groups(table->n_rows), n = groups * PZ_QUANT_ROWS;
    uint64_t shape[] = {groups, table->d / 4, PZ_QUANT_ROWS, 4};
    table->quant = (struct pz_quant){0};
    if (!pz_tensors_find(&m->file, "item.code"))
        return PZ_OK;
    int status =
        pz_tensors_get1(&m->file, "item.scale", PZ_F32, &n, &table->quant.scale, err);
    if (!status)
        status = pz_tensors_get(&m->file, "item.code", PZ_U8, 4, shape,
                                &table->quant.code, err);
    return status;
}
