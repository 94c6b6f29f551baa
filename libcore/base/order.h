/*
 * order: comparisons for qsort() and bsearch() over plain values, ascending, and over
 * counts. They are in the header, so that a bsearch() in a loop makes no calls.
 */
#ifndef PZ_BASE_ORDER_H
#define PZ_BASE_ORDER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline int
pz_order_u32(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static inline int
pz_order_u64(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static inline int
pz_order_i64(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Without NaN. */
static inline int
pz_order_f64(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Elements that begin with a char *: texts bytewise. */
static inline int
pz_order_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* How often something was met. */
struct pz_counted {
    uint64_t n;
    uint32_t id;
};

/* Of these: the most frequent first, ties by lower id. */
static inline int
pz_order_most_first(const void *a, const void *b)
{
    const struct pz_counted *x = a, *y = b;
    if (x->n != y->n)
        return x->n > y->n ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* Sorts list[0..n) and keeps each number once, in front; how many there are then. */
size_t pz_distinct_u32(uint32_t *list, size_t n);

#endif
