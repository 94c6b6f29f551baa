/*
 * rows_bucket: the final order of rows (data/rows.h) within one bucket, and which of them
 * stay.
 *
 * Rows are ordered by (id, order, item, rest). Of equal rows one stays; with last_wins
 * the last row of each id alone.
 */
#ifndef PZ_DATA_ROWS_BUCKET_H
#define PZ_DATA_ROWS_BUCKET_H

#include "data/rows.h"

struct pz_bucket_sort {
    size_t width; // bytes a row
    bool last_wins;
    const struct pz_bucket *bucket; // its n rows hold its ids only
    const uint64_t *start;          // [all ids + 1]: rows before each id, in all buckets
    uint32_t *kept;                 // [all ids]: those of the bucket are set
    uint64_t replaced;              // counts, with last_wins, rows with order 0 that went
};

/* Are the rows as they are to be? Input often is: one look at each. Then `kept` is set.
 */
bool pz_bucket_sorted(struct pz_bucket_sort *s, const char *data);
/* Sorts data[0..n) by way of `copy`, as large, and cursor[n_ids]; how many rows stay, in
 * front. O(n) and a sort of each id's rows, where they are not in order. */
uint64_t pz_bucket_sort(struct pz_bucket_sort *s, char *data, char *copy,
                        uint64_t *cursor);

#endif
