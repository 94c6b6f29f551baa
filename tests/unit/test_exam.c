/* Ranks, values and intervals against naive counterparts. */
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "eval/bootstrap.h"
#include "eval/exam.h"
#include "toy.h"
#include "unit.h"

/* Items with a greater or an equal score, the item itself among them. */
static uint32_t
naive_rank(const float *score, size_t n, size_t at)
{
    uint32_t rank = 0;
    for (size_t i = 0; i < n; i++)
        rank += score[i] >= score[at];
    return rank;
}

START_TEST(ties_count_against)
{
    struct pz_rng rng;
    pz_rng_seed(&rng, 1, 0);
    for (int round = 0; round < 200; round++) {
        float score[12];
        float x = 5;
        for (int i = 0; i < 12; i++) {
            x -= (float)pz_rng_below(&rng, 2);
            score[i] = x;
        }
        for (size_t i = 0; i < 12; i++)
            ck_assert_uint_eq(pz_rank_of(score, 12, i, true), naive_rank(score, 12, i));
    }
}
END_TEST

START_TEST(no_score_no_hit)
{
    const float completed[] = {3, 2, NAN, NAN}, damaged[] = {3, NAN, 1, NAN},
                nothing[] = {NAN, NAN};
    ck_assert_uint_eq(pz_rank_of(completed, 4, 2, true), 3);
    ck_assert_uint_eq(pz_rank_of(completed, 4, 3, true), 4);
    ck_assert_uint_eq(pz_rank_of(damaged, 4, 1, true), 0);
    ck_assert_uint_eq(pz_rank_of(damaged, 4, 3, true), 4);
    ck_assert_uint_eq(pz_rank_of(nothing, 2, 1, true), 0);
    ck_assert_uint_eq(pz_rank_of(nothing, 2, 1, false), 2); // a popular list
}
END_TEST

/* One case with truth {1, 3, 8}, its list and the ranks that come of it. */
START_TEST(ranks_up_to_the_last_place)
{
    uint32_t truth[] = {1, 3, 8};
    struct pz_case c = {.n_truth = 3};
    struct pz_split s = {.cases = &c, .n_cases = 1, .truth = truth, .n_truth = 3};
    struct pz_answers a;
    struct pz_err err = PZ_ERR_INIT;
    ck_ok(pz_answers_init(&a, &s, 4, &err), err);
    // 8 stands in the fourth place, but shares its score with the fifth: that is rank 5.
    const uint32_t item[] = {3, 7, 0, 8, 5};
    const float score[] = {9, 8, 7, 6, 6};
    pz_answer_take(&a, &s, 0, item, score, 5, true, 4);
    ck_assert_uint_eq(a.rank[0], 0);
    ck_assert_uint_eq(a.rank[1], 1);
    ck_assert_uint_eq(a.rank[2], 0);
    ck_assert_uint_eq(a.n_item[0], 4);
    pz_answer_take(&a, &s, 0, item, score, 4, true, 4); // nobody behind it
    ck_assert_uint_eq(a.rank[2], 4);
    pz_answers_release(&a);
}
END_TEST

/* What a list is like, by definition: pairs one by one. */
START_TEST(list_measures)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_rng rng;
    enum { USERS = 40, ITEMS = 15, LIST = 6 };
    uint64_t offsets[USERS + 1] = {0};
    uint32_t item[USERS * 8];
    bool has[USERS][ITEMS] = {{false}};
    struct pz_events e = {
        .n_users = USERS, .n_items = ITEMS, .offsets = offsets, .item = item};
    pz_rng_seed(&rng, 4, 0);
    uint32_t active = 0;
    for (uint32_t u = 0; u < USERS; u++) {
        uint64_t n = pz_rng_below(&rng, 9);
        active += n > 0;
        while (n--) { // item 14 is nobody's
            item[e.n] = (uint32_t)pz_rng_below(&rng, ITEMS - 1);
            has[u][item[e.n++]] = true;
        }
        offsets[u + 1] = e.n;
    }
    struct pz_crowd crowd;
    ck_ok(pz_crowd_make(&crowd, &e, &err), err);
    ck_assert_uint_eq(crowd.n_active, active);

    uint32_t list[] = {2, 14, 0, 7, 5, 9}, truth = 0, k[] = {1, 3, 10};
    struct pz_case c = {.n_truth = 1};
    struct pz_split s = {.cases = &c, .n_cases = 1, .truth = &truth, .n_truth = 1};
    struct pz_answers a;
    struct pz_at at;
    double value[PZ_N_USER_MEASURES * 3];
    ck_ok(pz_answers_init(&a, &s, 10, &err), err);
    ck_ok(pz_at_init(&at, k, 3, &err), err);
    const float score[] = {6, 5, 4, 3, 2, 1};
    pz_answer_take(&a, &s, 0, list, score, LIST, true, 10);
    ck_ok(pz_values(value, PZ_N_USER_MEASURES * 3, &a, &s, &at, &crowd, 1, &err), err);
    for (int i = 0; i < 3; i++) {
        double users[LIST], share = 0, bits = 0, alike = 0, pairs = 0;
        uint32_t n = k[i] < LIST ? k[i] : LIST;
        for (uint32_t x = 0; x < n; x++) {
            users[x] = 0;
            for (uint32_t u = 0; u < USERS; u++)
                users[x] += has[u][list[x]];
            share += users[x] / active;
            bits -= log2(fmax(users[x], 1) / active);
            for (uint32_t y = 0; y < x; y++, pairs++) {
                double both = 0;
                for (uint32_t u = 0; u < USERS; u++)
                    both += has[u][list[x]] && has[u][list[y]];
                alike += both > 0 ? both / sqrt(users[x] * users[y]) : 0;
            }
        }
        ck_assert_double_eq_tol(value[PZ_M_POPULARITY * 3 + i], share / n, 1e-12);
        ck_assert_double_eq_tol(value[PZ_M_NOVELTY * 3 + i], bits / n, 1e-12);
        if (pairs > 0)
            ck_assert_double_eq_tol(value[PZ_M_DIVERSITY * 3 + i], 1 - alike / pairs,
                                    1e-12);
        else
            ck_assert_double_nan(value[PZ_M_DIVERSITY * 3 + i]);
    }
    double spread[2 * 3];
    ck_ok(pz_spread(spread, &a, &at, ITEMS, &err), err);
    ck_assert_double_eq_tol(spread[1], 3.0 / ITEMS, 1e-12);
    ck_assert_double_eq_tol(spread[2], (double)LIST / ITEMS, 1e-12);
    ck_assert_double_eq_tol(spread[3 + 1], 1 - 3.0 / ITEMS, 1e-12); // 3 items have it all
    pz_answers_release(&a);
    pz_at_release(&at);
    pz_crowd_release(&crowd);
}
END_TEST

/*
 * For the mean of many values the interval is nearly +-1.96 standard errors; a difference
 * that every user has alike has none; NaN counts nowhere; threads change nothing.
 */
START_TEST(intervals)
{
    enum { USERS = 4000, VALUES = 2 };
    static double a[USERS * VALUES], b[USERS * VALUES];
    const double *const both[] = {a, b};
    struct pz_err err = PZ_ERR_INIT;
    struct pz_bounds mean[4], differ[4], again[4], gap[4];
    struct pz_rng rng;
    double sum = 0, square = 0, n = 0;
    pz_rng_seed(&rng, 2, 0);
    for (int u = 0; u < USERS; u++) {
        a[u * 2] = pz_rng_normal(&rng) * 3 + 1;
        b[u * 2] = a[u * 2] + 0.5;
        a[u * 2 + 1] = u % 3 ? pz_rng_unit(&rng) : NAN;
        b[u * 2 + 1] = NAN;
        sum += a[u * 2];
        square += a[u * 2] * a[u * 2];
        n++;
    }
    struct pz_bootstrap boot = {
        .value = both, .n_systems = 2, .n_values = VALUES, .n_users = USERS, .seed = 7};
    boot.threads = 1;
    ck_ok(pz_bootstrap_run(&boot, mean, differ, &err), err);
    boot.threads = 3;
    ck_ok(pz_bootstrap_run(&boot, again, gap, &err), err);
    ck_assert_mem_eq(mean, again, sizeof mean);
    double centre = sum / n, wide = 1.96 * sqrt((square / n - centre * centre) / n);
    ck_assert_double_eq_tol(mean[0].low, centre - wide, 0.15 * wide);
    ck_assert_double_eq_tol(mean[0].high, centre + wide, 0.15 * wide);
    ck_assert_double_eq_tol(differ[2].low, 0.5, 1e-9);
    ck_assert_double_eq_tol(differ[2].high, 0.5, 1e-9);
    ck_assert_double_eq_tol(pz_mean_of(a, USERS, VALUES, 0), centre, 1e-12);
    ck_assert(mean[1].low > 0.45 && mean[1].high < 0.55);
    ck_assert_double_nan(mean[3].low);
    ck_assert_double_nan(pz_mean_of(b, USERS, VALUES, 1));
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("exam");
    TCase *t = tcase_create("values");
    tcase_add_test(t, ties_count_against);
    tcase_add_test(t, no_score_no_hit);
    tcase_add_test(t, ranks_up_to_the_last_place);
    tcase_add_test(t, list_measures);
    tcase_add_test(t, intervals);
    suite_add_tcase(s, t);
    return s;
}
