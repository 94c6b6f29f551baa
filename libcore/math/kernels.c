#include "math/kernels.h"

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
