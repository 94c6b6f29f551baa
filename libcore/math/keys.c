#include "math/keys.h"

#include <string.h>

enum { SMALL = 24 }; // sorted by insertion

/* Floats in order as unsigned numbers; the number inverted, so that the lower one wins.
 */
uint64_t
pz_key(float score, uint32_t number)
{
    uint32_t bits;
    score += 0.0f; // -0 and 0 tie
    memcpy(&bits, &score, sizeof bits);
    bits = bits >> 31 ? ~bits : bits | UINT32_C(1) << 31;
    return (uint64_t)bits << 32 | (uint32_t)~number;
}

float
pz_key_score(uint64_t key)
{
    uint32_t bits = (uint32_t)(key >> 32);
    float score;
    bits = bits >> 31 ? bits & ~(UINT32_C(1) << 31) : ~bits;
    memcpy(&score, &bits, sizeof score);
    return score;
}

uint32_t
pz_key_number(uint64_t key)
{
    return (uint32_t)~key;
}

/*
 * Parts n > 1 keys: returns i, 0 < i < n, with every key of [0,i) at least as great as
 * every key of [i,n).
 */
static size_t
part(uint64_t *key, size_t n)
{
    uint64_t a = key[0], b = key[n / 2], c = key[n - 1];
    uint64_t high = a > b ? a : b, low = a > b ? b : a;
    uint64_t pivot = c > high ? high : c < low ? low : c;
    size_t i = 0, j = n - 1;
    for (;;) {
        while (key[i] > pivot)
            i++;
        while (key[j] < pivot)
            j--;
        if (i >= j)
            return i;
        uint64_t t = key[i];
        key[i++] = key[j];
        key[j--] = t;
    }
}

void
pz_keys_cut(uint64_t *key, size_t len, size_t n)
{
    while (n > 0 && n < len) {
        size_t i = part(key, len);
        if (n <= i) {
            len = i;
        } else {
            key += i;
            len -= i;
            n -= i;
        }
    }
}

void
pz_keys_sort(uint64_t *key, size_t n)
{
    while (n > SMALL) { // the shorter part by recursion: the depth stays a logarithm
        size_t i = part(key, n);
        if (i < n - i) {
            pz_keys_sort(key, i);
            key += i;
            n -= i;
        } else {
            pz_keys_sort(key + i, n - i);
            n = i;
        }
    }
    for (size_t i = 1; i < n; i++) {
        uint64_t k = key[i];
        size_t j = i;
        for (; j > 0 && key[j - 1] < k; j--)
            key[j] = key[j - 1];
        key[j] = k;
    }
}

void
pz_best_cut(struct pz_best *b)
{
    if (b->n < b->most)
        return;
    pz_keys_cut(b->key, b->n, b->most);
    b->n = b->most;
    b->floor = UINT64_MAX;
    for (size_t i = 0; i < b->n; i++)
        b->floor = b->key[i] < b->floor ? b->key[i] : b->floor;
}

void
pz_best_sort(struct pz_best *b)
{
    pz_best_cut(b);
    pz_keys_sort(b->key, b->n);
}
