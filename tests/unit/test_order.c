/* base/order and the draws of base/rng, against what a plain loop finds. */
#include <stdbool.h>
#include <string.h>

#include "base/order.h"
#include "base/rng.h"
#include "unit.h"

enum { MOST = 200 };

/* The marks say which numbers there were; kept are those, once, ascending. */
START_TEST(distinct)
{
    struct pz_rng rng;
    pz_rng_seed(&rng, 1, 0);
    for (size_t n = 0; n <= MOST; n++) {
        uint32_t list[MOST], want[MOST];
        bool there[MOST] = {false};
        size_t n_want = 0;
        for (size_t i = 0; i < n; i++)
            there[list[i] = (uint32_t)pz_rng_below(&rng, n)] = true;
        for (uint32_t x = 0; x < n; x++)
            if (there[x])
                want[n_want++] = x;
        ck_assert_uint_eq(pz_distinct_u32(list, n), n_want);
        ck_assert(!memcmp(list, want, n_want * sizeof *want));
    }
}
END_TEST

START_TEST(extremes)
{
    const uint64_t u[] = {0, UINT64_MAX};
    const int64_t i[] = {INT64_MIN, INT64_MAX};
    const double f[] = {-1e308, 1e-308};
    const char *const text[] = {"a", "a\xff"};
    const struct pz_counted c[] = {{UINT64_MAX, 5}, {1, 0}, {1, UINT32_MAX}};
    ck_assert(pz_order_u64(&u[0], &u[1]) < 0 && pz_order_u64(&u[1], &u[0]) > 0);
    ck_assert(pz_order_i64(&i[0], &i[1]) < 0 && pz_order_i64(&i[1], &i[0]) > 0);
    ck_assert(pz_order_f64(&f[0], &f[1]) < 0 && pz_order_f64(&f[1], &f[0]) > 0);
    ck_assert(pz_order_text(&text[0], &text[1]) < 0);
    ck_assert(pz_order_text(&text[1], &text[0]) > 0);
    ck_assert_int_eq(pz_order_f64(&f[0], &f[0]), 0);
    for (int k = 0; k < 2; k++) {
        ck_assert(pz_order_most_first(&c[k], &c[k + 1]) < 0);
        ck_assert(pz_order_most_first(&c[k + 1], &c[k]) > 0);
    }
    ck_assert_int_eq(pz_order_most_first(&c[1], &c[1]), 0);
    ck_assert(pz_unit(0) == 0 && pz_unit(UINT64_C(1) << 63) == 0.5);
    ck_assert(pz_unit(UINT64_MAX) < 1);
}
END_TEST

/* The same numbers are drawn in whatever order they come; another salt draws others. */
START_TEST(draws)
{
    struct pz_drawn up[MOST], down[MOST], other[MOST];
    for (uint32_t i = 0; i < MOST; i++) {
        up[i] = pz_drawn_of(7, i);
        down[i] = pz_drawn_of(7, MOST - 1 - i);
        other[i] = pz_drawn_of(8, i);
    }
    pz_drawn_sort(up, MOST);
    pz_drawn_sort(down, MOST);
    pz_drawn_sort(other, MOST);
    size_t moved = 0;
    for (size_t i = 0; i < MOST; i++) {
        ck_assert_uint_eq(up[i].number, down[i].number);
        ck_assert(i == 0 || up[i - 1].hash < up[i].hash);
        moved += up[i].number != other[i].number;
    }
    ck_assert_uint_gt(moved, MOST / 2);
    pz_drawn_sort(up, 0);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("order");
    TCase *t = tcase_create("order");
    tcase_add_test(t, distinct);
    tcase_add_test(t, extremes);
    tcase_add_test(t, draws);
    suite_add_tcase(s, t);
    return s;
}
