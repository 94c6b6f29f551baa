#include "data/rows_bucket.h"

#include <stdlib.h>

static inline int
compare_rows(const char *a, const char *b, size_t width)
{
    int64_t ta = pz_row_order(a), tb = pz_row_order(b);
    if (ta != tb)
        return ta < tb ? -1 : 1;
    uint32_t ia = pz_row_u32(a, PZ_ROW_ITEM), ib = pz_row_u32(b, PZ_ROW_ITEM);
    if (ia != ib)
        return ia < ib ? -1 : 1;
    return memcmp(a + PZ_ROW_REST, b + PZ_ROW_REST, width - PZ_ROW_REST);
}

static int
compare_for_qsort(const void *a, const void *b, void *width)
{
    return compare_rows(a, b, *(size_t *)width);
}

/* Is the run in final order, without a row twice? Input often is. */
static bool
in_order(const char *row, uint64_t n, size_t width, bool last_wins)
{
    for (uint64_t k = 1; k < n; k++, row += width) {
        uint32_t a = pz_row_u32(row, PZ_ROW_ID), b = pz_row_u32(row + width, PZ_ROW_ID);
        if (a > b ||
            (a == b && (last_wins || compare_rows(row, row + width, width) >= 0)))
            return false;
    }
    return true;
}

/* Sorts the n rows of one id and writes those that stay to out; returns their number. */
static uint64_t
sort_id(struct pz_bucket_sort *s, char *seg, uint64_t n, char *out)
{
    size_t width = s->width;
    bool sorted = true;
    for (uint64_t k = 1; k < n && sorted; k++)
        sorted = compare_rows(seg + (k - 1) * width, seg + k * width, width) <= 0;
    if (!sorted)
        qsort_r(seg, n, width, compare_for_qsort, &width);
    if (s->last_wins) {
        memcpy(out, seg + (n - 1) * width, width);
        for (uint64_t k = 0; k + 1 < n; k++)
            s->replaced += pz_row_order(seg + k * width) == 0;
        return 1;
    }
    uint64_t kept = 0;
    for (uint64_t k = 0; k < n; k++)
        if (k == 0 || compare_rows(seg + (k - 1) * width, seg + k * width, width) != 0)
            pz_row_copy(out + kept++ * width, seg + k * width, width);
    return kept;
}

bool
pz_bucket_sorted(struct pz_bucket_sort *s, const char *data)
{
    const struct pz_bucket *b = s->bucket;
    if (!in_order(data, b->n, s->width, s->last_wins))
        return false;
    for (uint32_t id = b->first_id; id < b->first_id + b->n_ids; id++)
        s->kept[id] = (uint32_t)(s->start[id + 1] - s->start[id]);
    return true;
}

/* The rows are grouped by id into copy, then sorted id by id back into data. */
uint64_t
pz_bucket_sort(struct pz_bucket_sort *s, char *data, char *copy, uint64_t *cursor)
{
    const struct pz_bucket *b = s->bucket;
    size_t width = s->width;
    for (uint32_t i = 0; i < b->n_ids; i++)
        cursor[i] = s->start[b->first_id + i] - b->start;
    for (uint64_t k = 0; k < b->n; k++) {
        const char *row = data + k * width;
        uint64_t to = cursor[pz_row_u32(row, PZ_ROW_ID) - b->first_id]++;
        pz_row_copy(copy + to * width, row, width);
    }
    uint64_t n = 0;
    for (uint32_t i = 0; i < b->n_ids; i++) {
        uint32_t id = b->first_id + i;
        uint64_t from = s->start[id] - b->start, len = s->start[id + 1] - s->start[id];
        uint64_t kept = len ? sort_id(s, copy + from * width, len, data + n * width) : 0;
        s->kept[id] = (uint32_t)kept;
        n += kept;
    }
    return n;
}
