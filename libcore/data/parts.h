/*
 * parts: a text of a categorical column as the values that '|' separates.
 */
#ifndef PZ_DATA_PARTS_H
#define PZ_DATA_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct pz_parts {
    const char *next; // NULL: there is no more
    size_t left;
};

static inline struct pz_parts
pz_parts_of(const char *s, size_t n)
{
    return (struct pz_parts){s, n};
}

/* The next part, a view, which may be empty: an empty text has one such. */
static inline bool
pz_parts_next(struct pz_parts *p, const char **part, size_t *n)
{
    if (!p->next)
        return false;
    const char *bar = p->left ? (const char *)memchr(p->next, '|', p->left) : NULL;
    *part = p->next;
    *n = bar ? (size_t)(bar - p->next) : p->left;
    p->next = bar ? bar + 1 : NULL;
    p->left -= *n + (bar != NULL);
    return true;
}

#endif
