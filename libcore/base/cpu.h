/*
 * cpu: which instruction set the kernels use, decided once.
 *
 * A level is a promise: SCALAR needs nothing beyond the baseline of the architecture,
 * AVX2 means AVX2, FMA, F16C, BMI1, BMI2, LZCNT and POPCNT, AVX512 means all of AVX2 and
 * AVX-512 F, CD, DQ, BW and VL. Functions of a level carry the target attribute below, so
 * that the compiler may use all of it. PZ_CPU=scalar|avx2|avx512 in the environment
 * lowers the level; it never raises it above what the machine and its system support, and
 * any other value is as if it were not set.
 */
#ifndef PZ_BASE_CPU_H
#define PZ_BASE_CPU_H

enum pz_cpu { PZ_CPU_SCALAR, PZ_CPU_AVX2, PZ_CPU_AVX512, PZ_N_CPU };

#if defined(__x86_64__)
#define PZ_AVX2_FEATURES   "avx2,fma,f16c,bmi,bmi2,lzcnt,popcnt"
#define PZ_AVX512_FEATURES PZ_AVX2_FEATURES ",avx512f,avx512cd,avx512dq,avx512bw,avx512vl"
#define PZ_TARGET_AVX2     __attribute__((target(PZ_AVX2_FEATURES)))
#define PZ_TARGET_AVX512   __attribute__((target(PZ_AVX512_FEATURES)))
#endif

/* The level in force: the machine's, or a lower one asked for. Cheap; any thread. */
enum pz_cpu pz_cpu(void);
/* For tests: sets the level, as far as the machine has it, and returns the one now in
 * force. Not while other threads run kernels. */
enum pz_cpu pz_cpu_force(enum pz_cpu level);
/* "scalar", "avx2", "avx512". */
const char *pz_cpu_name(enum pz_cpu level);

#endif
