#include "math/keys.h"

#include <stdlib.h>
#include <string.h>

enum { SMALL = 32 }; // sorted by insertion

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

/* Quickselect. */
void
pz_keys_cut(uint64_t *key, size_t len, size_t n)
{
    size_t lo = 0, hi = len; // the n-th lies in [lo,hi)
    while (hi - lo > 1) {
        uint64_t a = key[lo], b = key[lo + (hi - lo) / 2], c = key[hi - 1];
        uint64_t high = a > b ? a : b, low = a > b ? b : a;
        uint64_t pivot = c > high ? high : c < low ? low : c;
        size_t i = lo, j = hi - 1;
        for (;;) {
            while (key[i] > pivot)
                i++;
            while (key[j] < pivot)
                j--;
            if (i >= j)
                break;
            uint64_t t = key[i];
            key[i++] = key[j];
            key[j--] = t;
        }
        // [lo,i) is at least as great as [i,hi), and neither is empty
        i = i == lo ? lo + 1 : i;
        if (i == n)
            return;
        if (i > n)
            hi = i;
        else
            lo = i;
    }
}

static int
descending(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x > y ? -1 : x < y;
}

void
pz_keys_sort(uint64_t *key, size_t n)
{
    if (n > SMALL) {
        qsort(key, n, sizeof *key, descending);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        uint64_t v = key[i];
        size_t j = i;
        for (; j > 0 && key[j - 1] < v; j--)
            key[j] = key[j - 1];
        key[j] = v;
    }
}
