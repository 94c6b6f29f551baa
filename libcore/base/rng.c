#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <sys/random.h>

uint64_t
pz_mix64(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

void
pz_rng_seed(struct pz_rng *r, uint64_t seed, uint64_t stream)
{
    uint64_t x = pz_mix64(seed + 0x9e3779b97f4a7c15u) ^ pz_mix64(~stream);
    for (int i = 0; i < 4; i++)
        r->s[i] = pz_mix64(x += 0x9e3779b97f4a7c15u);
}

static uint64_t
rotl(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

uint64_t
pz_rng_u64(struct pz_rng *r)
{
    uint64_t result = rotl(r->s[1] * 5, 7) * 9, t = r->s[1] << 17;
    r->s[2] ^= r->s[0];
    r->s[3] ^= r->s[1];
    r->s[1] ^= r->s[2];
    r->s[0] ^= r->s[3];
    r->s[2] ^= t;
    r->s[3] = rotl(r->s[3], 45);
    return result;
}

uint64_t
pz_rng_below(struct pz_rng *r, uint64_t n)
{
    uint64_t limit =
        (0 - n) % n; // 2^64 mod n: values below it would favour small results
    for (;;) {
        uint64_t x = pz_rng_u64(r);
        if (x >= limit)
            return x % n;
    }
}

double
pz_rng_unit(struct pz_rng *r)
{
    return pz_unit(pz_rng_u64(r));
}

double
pz_rng_normal(struct pz_rng *r)
{
    double u = 1.0 - pz_rng_unit(r), v = pz_rng_unit(r);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

void
pz_rng_shuffle_u32(struct pz_rng *r, uint32_t *a, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = pz_rng_below(r, i);
        uint32_t t = a[i - 1];
        a[i - 1] = a[j];
        a[j] = t;
    }
}

struct pz_drawn
pz_drawn_of(uint64_t salt, uint32_t number)
{
    return (struct pz_drawn){pz_mix64(salt ^ pz_mix64(number)), number};
}

static int
by_hash(const void *a, const void *b)
{
    const struct pz_drawn *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash > y->hash ? 1 : -1;
    return (x->number > y->number) - (x->number < y->number);
}

void
pz_drawn_sort(struct pz_drawn *d, size_t n)
{
    if (n)
        qsort(d, n, sizeof *d, by_hash);
}

int
pz_uuid(char out[PZ_UUID_TEXT], struct pz_err *err)
{
    static const char digit[] = "0123456789abcdef";
    uint8_t b[16];
    if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b)
        return pz_err_sys(err, "cannot get random bytes");
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        *out++ = digit[b[i] >> 4];
        *out++ = digit[b[i] & 15];
    }
    *out = '\0';
    return PZ_OK;
}
