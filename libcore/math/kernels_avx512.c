/* The kernels for the level avx512. */
#if defined(__x86_64__)
#define PZ_SIMD      PZ_SIMD_AVX512
#define PZ_TABLE     pz_kernels_avx512
#define PZ_TABLE_CPU PZ_CPU_AVX512

#include "math/kernels_body.h"
#else
extern int pz_kernels_avx512_unused; // a translation unit must not be empty
#endif
