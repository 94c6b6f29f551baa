/* The kernels for the level scalar. */
#define PZ_SIMD      PZ_SIMD_SCALAR
#define PZ_TABLE     pz_kernels_scalar
#define PZ_TABLE_CPU PZ_CPU_SCALAR

#include "math/kernels_body.h"
