#include "base/order.h"

#include <stdlib.h>

size_t
pz_distinct_u32(uint32_t *list, size_t n)
{
    size_t kept = 0;
    if (n)
        qsort(list, n, sizeof *list, pz_order_u32);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || list[kept - 1] != list[i])
            list[kept++] = list[i];
    return kept;
}
