/* The instruction-set level: forced downwards, never upwards. */
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "unit.h"

START_TEST(names)
{
    ck_assert_str_eq(pz_cpu_name(PZ_CPU_SCALAR), "scalar");
    ck_assert_str_eq(pz_cpu_name(PZ_CPU_AVX2), "avx2");
    ck_assert_str_eq(pz_cpu_name(PZ_CPU_AVX512), "avx512");
    ck_assert_str_eq(pz_cpu_name(PZ_N_CPU), "unknown");
}
END_TEST

START_TEST(forced)
{
    enum pz_cpu most = pz_cpu_force(PZ_CPU_AVX512);
    for (int i = 0; i < PZ_N_CPU; i++) {
        enum pz_cpu want = (enum pz_cpu)i;
        ck_assert_int_eq(pz_cpu_force(want), want < most ? want : most);
        ck_assert_int_eq(pz_cpu(), want < most ? want : most);
    }
}
END_TEST

/* Each test runs in a process of its own, so the level is not decided yet. */
START_TEST(environment)
{
    setenv("PZ_CPU", "scalar", 1);
    ck_assert_int_eq(pz_cpu(), PZ_CPU_SCALAR);
    setenv("PZ_CPU", "avx512", 1);
    ck_assert_int_eq(pz_cpu(), PZ_CPU_SCALAR); // decided once
}
END_TEST

START_TEST(unknown_value)
{
    setenv("PZ_CPU", "fast", 1);
    enum pz_cpu level = pz_cpu();
    ck_assert_int_eq(level, pz_cpu_force(PZ_CPU_AVX512));
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("cpu");
    TCase *t = tcase_create("level");
    tcase_add_test(t, names);
    tcase_add_test(t, forced);
    tcase_add_test(t, environment);
    tcase_add_test(t, unknown_value);
    suite_add_tcase(s, t);
    return s;
}
