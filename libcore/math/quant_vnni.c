/* The scores of coded rows where the level avx512 has byte products. */
#if defined(__x86_64__)
#include "base/cpu.h"

#define QUANT_SCORE  pz_quant_score_vnni
#define QUANT_TARGET PZ_AVX512_FEATURES ",avx512vnni"
#define QUANT_LEVEL  QUANT_VNNI
#define QUANT_X      4
#define QUANT_U      2

#include "math/quant_body.h"
#else
extern int pz_quant_vnni_unused; // a translation unit must not be empty
#endif
