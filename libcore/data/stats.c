#include "data/stats.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

/* A set of 64-bit patterns; open addressing at a load of at most a half. */
struct set {
    uint64_t *slot; // value, 0: free
    size_t size, n;
    bool zero; // 0 itself is in it
};

static size_t
place(const struct set *s, uint64_t v)
{
    size_t at = (size_t)pz_mix64(v) & (s->size - 1);
    while (s->slot[at] && s->slot[at] != v)
        at = (at + 1) & (s->size - 1);
    return at;
}

static int
grow(struct set *s, struct pz_err *err)
{
    struct set old = *s;
    s->size = old.size ? 2 * old.size : 1024;
    int status = pz_new(&s->slot, s->size, sizeof *s->slot, "distinct values", err);
    if (status) {
        *s = old;
        return status;
    }
    for (size_t i = 0; i < old.size; i++)
        if (old.slot[i])
            s->slot[place(s, old.slot[i])] = old.slot[i];
    free(old.slot);
    return PZ_OK;
}

static int
add(struct set *s, uint64_t v, struct pz_err *err)
{
    if (v == 0) {
        s->n += !s->zero;
        s->zero = true;
        return PZ_OK;
    }
    if (2 * s->n >= s->size) {
        int status = grow(s, err);
        if (status)
            return status;
    }
    size_t at = place(s, v);
    s->n += s->slot[at] == 0;
    s->slot[at] = v;
    return PZ_OK;
}

/* The value's bits, and its part in the range. */
static uint64_t
take_value(struct pz_stats *s, const struct pz_column *c, uint64_t r)
{
    uint64_t bits;
    if (s->whole) {
        int64_t v = 0;
        pz_column_i64(c, r, &v);
        s->i_min = !s->has_range || v < s->i_min ? v : s->i_min;
        s->i_max = !s->has_range || v > s->i_max ? v : s->i_max;
        bits = (uint64_t)v;
    } else {
        double v = 0;
        pz_column_f64(c, r, &v);
        s->f_min = !s->has_range || v < s->f_min ? v : s->f_min;
        s->f_max = !s->has_range || v > s->f_max ? v : s->f_max;
        memcpy(&bits, &v, sizeof bits);
    }
    s->has_range = true;
    return bits;
}

int
pz_stats_column(const struct pz_dataset *d, const struct pz_column *c, struct pz_stats *s,
                struct pz_err *err)
{
    struct set set = {NULL, 0, 0, false};
    int status = PZ_OK;
    *s = (struct pz_stats){.whole = c->dtype != PZ_F32 && c->dtype != PZ_F64};
    for (uint64_t r = 0; c->valid && r < d->n_rows; r++)
        s->nulls += !c->valid[r];
    if (c->field->type == PZ_STRING) {
        s->distinct = c->dict.n;
        return PZ_OK;
    }
    for (uint64_t r = 0; r < d->n_rows && !status; r++) {
        if (c->valid && !c->valid[r])
            continue;
        uint64_t bits = take_value(s, c, r);
        if (set.n < PZ_STATS_DISTINCT)
            status = add(&set, bits, err);
    }
    s->distinct = set.n;
    s->more = set.n >= PZ_STATS_DISTINCT;
    free(set.slot);
    return status;
}
