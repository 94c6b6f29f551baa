/* The kernels for the level avx2. */
#if defined(__x86_64__)
#define PZ_SIMD      PZ_SIMD_AVX2
#define PZ_TABLE     pz_kernels_avx2
#define PZ_TABLE_CPU PZ_CPU_AVX2

#include "math/kernels_body.h"
#else
extern int pz_kernels_avx2_unused; // a translation unit must not be empty
#endif
