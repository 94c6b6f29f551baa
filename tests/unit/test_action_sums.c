/* recipe/actions: sums over histories that grow. */
#include "recipe/actions.h"
#include "unit.h"

#define DAY 86400

/* A history that is read as it grows has the sums of one that is read at once; another
 * one begins anew. */
START_TEST(sums_go_on)
{
    enum { N = 40, ACTIONS = 5 };
    uint32_t action[N];
    float weight[N];
    int64_t time[N];
    struct pz_action_sums s, whole;
    struct pz_err err = PZ_ERR_INIT;
    for (uint32_t i = 0; i < N; i++) {
        action[i] = i * i % ACTIONS;
        weight[i] = i % 3 == 0 ? 1 : i % 3 == 1 ? 0.5F : 0.25F;
        time[i] = (int64_t)i / 2 * DAY;
    }
    ck_ok(pz_action_sums_new(&s, ACTIONS, &err), err);
    ck_ok(pz_action_sums_new(&whole, ACTIONS, &err), err);
    for (size_t n = 0; n <= N; n += 1 + n % 3) {
        struct pz_action_history h = {action, weight, time, n, NULL, 0};
        ck_ok((n ? pz_action_sums_more : pz_action_sums_set)(&s, &h, &err), err);
        ck_ok(pz_action_sums_set(&whole, &h, &err), err);
        ck_assert_mem_eq(s.taken, whole.taken, ACTIONS * sizeof *s.taken);
        ck_assert_mem_eq(s.not_taken, whole.not_taken, ACTIONS * sizeof *s.taken);
        ck_assert_mem_eq(s.viewed, whole.viewed, ACTIONS * sizeof *s.taken);
        ck_assert_mem_eq(s.last, whole.last, ACTIONS * sizeof *s.last);
        ck_assert(s.all == whole.all && s.all_taken == whole.all_taken);
        ck_assert(s.all == (double)n);
    }
    struct pz_action_history first = {action, weight, time, 1, NULL, 0};
    ck_ok(pz_action_sums_set(&s, &first, &err), err);
    ck_assert(s.all == 1 && s.taken[0] == 1 && s.last[4] == INT64_MIN);
    pz_action_sums_release(&s);
    pz_action_sums_release(&whole);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("action_sums");
    TCase *t = tcase_create("action_sums");
    tcase_add_test(t, sums_go_on);
    suite_add_tcase(s, t);
    return s;
}
