#include "math/kernels.h"

#include <string.h>

uint16_t
pz_half(float f)
{
    uint32_t bits;
    if (f != f)
        return 0x7fc0;
    memcpy(&bits, &f, sizeof bits);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float
pz_half_float(uint16_t half)
{
    uint32_t bits = (uint32_t)half << 16;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

const struct pz_kernels *
pz_kernels(void)
{
    switch (pz_cpu()) {
#if defined(__x86_64__)
    case PZ_CPU_AVX512:
        return &pz_kernels_avx512;
    case PZ_CPU_AVX2:
        return &pz_kernels_avx2;
#endif
    default:
        return &pz_kernels_scalar;
    }
}
