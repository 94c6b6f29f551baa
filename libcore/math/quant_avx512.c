/* The scores of coded rows for the level avx512. */
#if defined(__x86_64__)
#include "base/cpu.h"

#define QUANT_SCORE  pz_quant_score_avx512
#define QUANT_TARGET PZ_AVX512_FEATURES
#define QUANT_LEVEL  QUANT_AVX512
#define QUANT_X      6
#define QUANT_U      2

#include "math/quant_body.h"
#else
extern int pz_quant_avx512_unused; // a translation unit must not be empty
#endif
