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
pz_kernels_of(enum pz_cpu cpu)
{
#if defined(__x86_64__)
    if (cpu == PZ_CPU_AVX512)
        return &pz_kernels_avx512;
    if (cpu == PZ_CPU_AVX2)
        return &pz_kernels_avx2;
#else
    (void)cpu;
#endif
    return &pz_kernels_scalar;
}

const struct pz_kernels *
pz_kernels(void)
{
    return pz_kernels_of(pz_cpu());
}
