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

/* The `most` greatest, 1 or more, of keys, all different, that come one by one. */
struct pz_best {
    uint64_t *key; // room for 2 * most
    size_t n, most;
    uint64_t floor; // of what can still count
};
/* Keeps the greatest `most` alone, of more. */
void pz_best_cut(struct pz_best *b);

static inline void
pz_best_offer(struct pz_best *b, uint64_t key)
{
    if (key < b->floor)
        return;
    b->key[b->n++] = key;
    if (b->n == 2 * b->most)
        pz_best_cut(b);
}

/* The best are b->key[0..b->n), greatest first. */
void pz_best_sort(struct pz_best *b);

#endif
