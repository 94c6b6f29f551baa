#include "base/cpu.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

static const char *const names[PZ_N_CPU] = {"scalar", "avx2", "avx512"};

static atomic_int current = -1; // an enum pz_cpu; -1 until the first call

#if defined(__x86_64__)
/* Not every compiler's probe knows these two names. */
static bool
has_f16c_and_lzcnt(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_F16C))
        return false;
    return __get_cpuid(0x80000001u, &a, &b, &c, &d) && (c & bit_LZCNT);
}
#endif

/* The compiler's probe asks cpuid and xgetbv, so registers the system does not save count
 * as absent. */
static enum pz_cpu
machine(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
        !__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("bmi2") ||
        !__builtin_cpu_supports("popcnt") || !has_f16c_and_lzcnt())
        return PZ_CPU_SCALAR;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512cd") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512vl"))
        return PZ_CPU_AVX2;
    return PZ_CPU_AVX512;
#else
    return PZ_CPU_SCALAR;
#endif
}

enum pz_cpu
pz_cpu_force(enum pz_cpu level)
{
    enum pz_cpu most = machine();
    if (level > most)
        level = most;
    atomic_store(&current, (int)level);
    return level;
}

enum pz_cpu
pz_cpu(void)
{
    int level = atomic_load_explicit(&current, memory_order_relaxed);
    if (level >= 0)
        return (enum pz_cpu)level;
    enum pz_cpu want = PZ_CPU_AVX512;
    const char *text = getenv("PZ_CPU");
    for (int i = 0; text && i < PZ_N_CPU; i++)
        if (strcmp(text, names[i]) == 0)
            want = (enum pz_cpu)i;
    return pz_cpu_force(want);
}

const char *
pz_cpu_name(enum pz_cpu level)
{
    return level < PZ_N_CPU ? names[level] : "unknown";
}
