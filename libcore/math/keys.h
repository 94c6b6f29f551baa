/*
 * keys: a score and a number in one unsigned key, so that the best are found by comparing
 * whole numbers: greater is better, and of equal scores the lower number.
 */
#ifndef PZ_MATH_KEYS_H
#define PZ_MATH_KEYS_H

#include <stddef.h>
#include <stdint.h>

uint64_t pz_key(float score, uint32_t number); // -0 ties with 0
float pz_key_score(uint64_t key);
uint32_t pz_key_number(uint64_t key);

/* Brings the n greatest of len >= n keys, all different, to the front, in no order. */
void pz_keys_cut(uint64_t *key, size_t len, size_t n);
/* Greatest first. */
void pz_keys_sort(uint64_t *key, size_t n);

#endif
