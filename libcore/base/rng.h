/*
 * rng: reproducible random numbers.
 * xoshiro256** (Blackman and Vigna, 2018) seeded by splitmix64. A stream is a
 * (seed, stream) pair, so that per-user or per-item randomness does not depend on the
 * order or the thread in which users are handled.
 */
#ifndef PZ_BASE_RNG_H
#define PZ_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct pz_rng {
    uint64_t s[4];
};

uint64_t pz_mix64(uint64_t x); // splitmix64's finalizer: a bijection that scatters bits
/* [0,1) of the upper 53 of random bits, such as pz_mix64() gives for what is drawn. */
static inline double
pz_unit(uint64_t bits)
{
    return (double)(bits >> 11) * 0x1p-53;
}

void pz_rng_seed(struct pz_rng *r, uint64_t seed, uint64_t stream);
uint64_t pz_rng_u64(struct pz_rng *r);
uint64_t pz_rng_below(struct pz_rng *r, uint64_t n); // uniform in [0,n), unbiased; n > 0
double pz_rng_unit(struct pz_rng *r);                // [0,1), 53 bits
double pz_rng_normal(struct pz_rng *r);              // N(0,1), Box-Muller, two draws each
void pz_rng_shuffle_u32(struct pz_rng *r, uint32_t *a, size_t n);

/* Numbers drawn without a stream: those of least hash. Who is drawn depends on the salt
 * and on the numbers there are, not on the order in which they come. */
struct pz_drawn {
    uint64_t hash;
    uint32_t number;
};
struct pz_drawn pz_drawn_of(uint64_t salt, uint32_t number);
void pz_drawn_sort(struct pz_drawn *d, size_t n); // least hash first

enum { PZ_UUID_TEXT = 37 };
/* A random UUID (version 4), of the kernel's random bytes. PZ_SYSTEM. */
int pz_uuid(char out[PZ_UUID_TEXT], struct pz_err *err);

#endif
