#include "recipe/admit.h"

#include <string.h>

static uint32_t
bit_of(uint32_t item)
{
    return item * 2654435769u >> 17; // 15 bits
}

void
pz_admit_init(struct pz_admit *a, const struct pz_query *q)
{
    a->q = q;
    if (q->n_exclude == 0)
        return;
    memset(a->sketch, 0, sizeof a->sketch);
    for (size_t i = 0; i < q->n_exclude; i++) {
        uint32_t b = bit_of(q->exclude[i]);
        a->sketch[b / 64] |= UINT64_C(1) << b % 64;
    }
}

bool
pz_admits(const struct pz_admit *a, uint32_t item)
{
    const struct pz_query *q = a->q;
    if (q->allow && !(q->allow[item / 64] >> item % 64 & 1))
        return false;
    if (q->n_exclude == 0)
        return true;
    uint32_t b = bit_of(item);
    if (!(a->sketch[b / 64] >> b % 64 & 1))
        return true;
    for (size_t i = 0; i < q->n_exclude; i++)
        if (q->exclude[i] == item)
            return false;
    return true;
}
