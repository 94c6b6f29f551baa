/*
 * nearest: the name that was probably meant.
 */
#ifndef PZ_BASE_NEAREST_H
#define PZ_BASE_NEAREST_H

#include <stddef.h>

/* Edit distance of a[0..n) and b (Levenshtein); SIZE_MAX where one has more than 63
 * bytes. */
size_t pz_edit_distance(const char *a, size_t n, const char *b);

#endif
