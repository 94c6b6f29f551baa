/* The metrics against the worked examples of Amazon's guide, and the draw of test users.
 */
#include <math.h>
#include <string.h>

#include "eval/metrics.h"
#include "eval/protocol.h"
#include "toy.h"
#include "unit.h"

static struct pz_at
at_of(uint32_t k)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_at at;
    ck_ok(pz_at_init(&at, &k, 1, &err), err);
    return at;
}

/* One measure at K for hits at these ranks. */
static double
value(enum pz_measure m, uint32_t k, const uint32_t *rank, size_t n, size_t n_relevant)
{
    struct pz_at at = at_of(k);
    double v = pz_measure(&at, m, k, rank, n, n_relevant);
    pz_at_release(&at);
    return v;
}

START_TEST(reciprocal_rank)
{
    double sum = 0;
    const uint32_t rank[] = {4, 2, 6};
    for (int i = 0; i < 3; i++)
        sum += value(PZ_M_MRR, 25, &rank[i], 1, 1);
    ck_assert_double_eq_tol(sum / 3, 0.3056, 5e-5);
    ck_assert_double_eq(value(PZ_M_MRR, 25, (uint32_t[]){1, 3}, 2, 2), 1);
    ck_assert_double_eq(value(PZ_M_MRR, 3, (uint32_t[]){4}, 1, 1), 0);
}
END_TEST

START_TEST(ndcg_and_precision)
{
    const uint32_t two[] = {2, 5}, all[] = {1, 2, 3, 4, 5};
    ck_assert_double_eq_tol(value(PZ_M_NDCG, 5, two, 2, 2), 0.6241, 5e-5);
    ck_assert_double_eq_tol(value(PZ_M_PRECISION, 5, two, 2, 2), 0.4, 1e-12);
    ck_assert_double_eq_tol(value(PZ_M_PRECISION, 10, two, 2, 2), 0.2, 1e-12);
    ck_assert_double_eq_tol(value(PZ_M_PRECISION, 25, two, 2, 2), 0.08, 1e-12);
    // More relevant items than K: the ideal is K hits, not more.
    ck_assert_double_eq_tol(value(PZ_M_NDCG, 5, all, 5, 9), 1, 1e-12);
    ck_assert(value(PZ_M_NDCG, 10, all, 5, 9) < 1);
}
END_TEST

/* Hits at 2, 5 and 8 of four relevant items. */
START_TEST(recall_and_average_precision)
{
    const uint32_t rank[] = {2, 5, 8};
    ck_assert_double_eq(value(PZ_M_HIT_RATE, 1, rank, 3, 4), 0);
    ck_assert_double_eq(value(PZ_M_HIT_RATE, 2, rank, 3, 4), 1);
    ck_assert_double_eq_tol(value(PZ_M_RECALL, 5, rank, 3, 4), 2 / 4.0, 1e-12);
    ck_assert_double_eq_tol(value(PZ_M_CAPPED_RECALL, 3, rank, 3, 4), 1 / 3.0, 1e-12);
    ck_assert_double_eq_tol(value(PZ_M_CAPPED_RECALL, 5, rank, 3, 4), 2 / 4.0, 1e-12);
    ck_assert_double_eq_tol(value(PZ_M_MAP, 10, rank, 3, 4),
                            (1 / 2.0 + 2 / 5.0 + 3 / 8.0) / 4, 1e-12);
    ck_assert_double_eq_tol(value(PZ_M_MAP, 2, rank, 3, 4), 1 / 2.0 / 2, 1e-12);
}
END_TEST

START_TEST(nothing_and_one)
{
    for (int m = 0; m < PZ_N_RANK_MEASURES; m++) {
        ck_assert_double_eq(value((enum pz_measure)m, 10, NULL, 0, 3), 0);
        if (m != PZ_M_PRECISION)
            ck_assert_double_eq(value((enum pz_measure)m, 10, (uint32_t[]){1}, 1, 1), 1);
    }
}
END_TEST

/* Half the sum of all absolute differences over n^2 times the mean. */
START_TEST(gini)
{
    uint32_t count[] = {7, 0, 3, 3, 0, 12, 1}, n = 7;
    double gap = 0, sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        sum += count[i];
        for (uint32_t j = 0; j < n; j++)
            gap += fabs((double)count[i] - (double)count[j]);
    }
    ck_assert_double_eq_tol(pz_gini(count, n), gap / (2 * n * sum), 1e-12);
    ck_assert_double_eq(pz_gini((uint32_t[]){5, 5, 5}, 3), 0);
    ck_assert_double_eq(pz_gini((uint32_t[]){0, 0}, 2), 0);
}
END_TEST

START_TEST(at_list)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_at at;
    ck_ok(pz_at_parse(&at, "25,5,10,5", &err), err);
    ck_assert_uint_eq(at.n, 3);
    ck_assert_uint_eq(at.k[0], 5);
    ck_assert_uint_eq(at.most, 25);
    pz_at_release(&at);
    const char *const bad[] = {"", "5,", "0", "x", "10001", "5,,6"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_int_eq(pz_at_parse(&at, bad[i], &err), PZ_USAGE);
}
END_TEST

START_TEST(json)
{
    struct pz_buf b = PZ_BUF_INIT;
    struct pz_metrics m = pz_metrics_none();
    pz_metrics_json(&m, &b);
    ck_assert_str_eq(b.data, "{}");
    pz_buf_clear(&b);
    m.value[PZ_COVERAGE] = 0.25;
    m.value[PZ_MRR_25] = 0.5;
    for (int i = PZ_NDCG_5; i <= PZ_PRECISION_25; i++)
        m.value[i] = 0;
    pz_metrics_json(&m, &b);
    ck_assert_str_eq(b.data, "{\"coverage\":0.25,\"mean_reciprocal_rank_at_25\":0.5,"
                             "\"normalized_discounted_cumulative_gain_at_5\":0,"
                             "\"normalized_discounted_cumulative_gain_at_10\":0,"
                             "\"normalized_discounted_cumulative_gain_at_25\":0,"
                             "\"precision_at_5\":0,\"precision_at_10\":0,"
                             "\"precision_at_25\":0}");
    pz_buf_release(&b);
}
END_TEST

static void
events_of(struct pz_dataset *d, struct pz_events *e)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_selection all = {0};
    struct pz_selection_report report;
    ck_ok(pz_events_select(d, &all, e, &report, &err), err);
}

START_TEST(draw)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_dataset d;
    struct pz_events e;
    size_t n;
    struct toy_row *row = toy_random(1, 200, 30, 8, &n);
    toy_dataset(&d, 200, 30, row, n);
    events_of(&d, &e);
    uint32_t able = 0, same = 0, n_a, n_b, sum = 0;
    uint8_t *a, *b;
    for (uint32_t u = 0; u < 200; u++)
        able += e.offsets[u + 1] - e.offsets[u] >= 2;
    ck_ok(pz_eval_draw(&e, 0, &a, &n_a, &err), err);
    ck_ok(pz_eval_draw(&e, 1, &b, &n_b, &err), err);
    ck_assert_uint_eq(n_a, (able + 5) / 10);
    for (uint32_t u = 0; u < 200; u++) {
        sum += a[u];
        same += a[u] && b[u];
        ck_assert(!a[u] || e.offsets[u + 1] - e.offsets[u] >= 2);
    }
    ck_assert_uint_eq(sum, n_a);
    ck_assert_uint_lt(same, n_a); // another seed draws other users
    free(a);
    free(b);
    free(row);
    pz_events_release(&e);
    toy_release(&d);
}
END_TEST

/*
 * The protocol for popularity by hand: the model's list is that of the users who are not
 * drawn; every test user gets it; the truth is the newest tenth.
 */
START_TEST(popularity_by_hand)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_dataset d;
    struct pz_events e;
    struct pz_params params;
    struct pz_metrics m, again;
    size_t n;
    struct toy_row *row = toy_random(3, 120, 200, 40, &n);
    toy_dataset(&d, 120, 200, row, n);
    events_of(&d, &e);
    pz_params_init(&params, pz_recipe_popularity.params);
    struct pz_world w;
    pz_world_of(&w, &d);
    struct pz_eval ev = {.recipe = &pz_recipe_popularity,
                         .world = &w,
                         .events = &e,
                         .params = &params,
                         .seed = 5,
                         .threads = 1};
    ck_ok(pz_eval_aws(&ev, &m, &err), err);
    ev.threads = 3;
    ck_ok(pz_eval_aws(&ev, &again, &err), err);
    ck_assert_mem_eq(&m, &again, sizeof m);

    uint8_t *test;
    uint32_t n_test, users[200] = {0}, list[25];
    ck_ok(pz_eval_draw(&e, 5, &test, &n_test, &err), err);
    for (uint32_t it = 0; it < 200; it++)
        for (uint32_t u = 0; u < 120; u++) {
            int has = 0;
            for (uint64_t i = e.offsets[u]; i < e.offsets[u + 1]; i++)
                has |= e.item[i] == it;
            users[it] += has && !test[u];
        }
    for (int k = 0; k < 25; k++) { // ties by recency, which rises with the row here
        uint32_t best = 0;
        int64_t best_last = -1;
        for (uint32_t it = 0; it < 200; it++) {
            int64_t last = -1;
            for (uint32_t u = 0; u < 120; u++)
                for (uint64_t i = e.offsets[u]; !test[u] && i < e.offsets[u + 1]; i++)
                    last = e.item[i] == it && e.time[i] > last ? e.time[i] : last;
            if (users[it] > users[best] ||
                (users[it] == users[best] && last > best_last)) {
                best = it;
                best_last = last;
            }
        }
        list[k] = best;
        users[best] = 0;
    }
    double mrr = 0, p5 = 0;
    for (uint32_t u = 0; u < 120; u++) {
        if (!test[u])
            continue;
        uint64_t len = e.offsets[u + 1] - e.offsets[u];
        uint64_t truth = (uint64_t)floor(len * 0.1 + 0.5);
        int first = 0, hits = 0;
        for (int k = 24; k >= 0; k--)
            for (uint64_t i = e.offsets[u + 1] - (truth ? truth : 1);
                 i < e.offsets[u + 1]; i++)
                if (e.item[i] == list[k]) {
                    first = k + 1;
                    hits += k < 5;
                    break;
                }
        mrr += first ? 1.0 / first : 0;
        p5 += hits / 5.0;
    }
    ck_assert_uint_eq(m.n_users, n_test);
    ck_assert_double_eq_tol(m.value[PZ_MRR_25], mrr / n_test, 1e-12);
    ck_assert_double_eq_tol(m.value[PZ_PRECISION_5], p5 / n_test, 1e-12);
    ck_assert_double_eq_tol(m.value[PZ_COVERAGE], 25 / 200.0, 1e-12);
    free(test);
    free(row);
    pz_events_release(&e);
    toy_release(&d);
}
END_TEST

START_TEST(too_few_users)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_dataset d;
    struct pz_events e;
    struct pz_params params;
    struct pz_metrics m;
    const struct toy_row row[] = {{0, 0, 1, 0, 0}, {0, 1, 2, 0, 0}, {1, 0, 1, 0, 0}};
    toy_dataset(&d, 2, 2, row, 3);
    events_of(&d, &e);
    pz_params_init(&params, pz_recipe_popularity.params);
    struct pz_world w;
    pz_world_of(&w, &d);
    struct pz_eval ev = {
        .recipe = &pz_recipe_popularity, .world = &w, .events = &e, .params = &params};
    ck_ok(pz_eval_aws(&ev, &m, &err), err);
    ck_assert_uint_eq(m.n_users, 0);
    pz_events_release(&e);
    toy_release(&d);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("metrics");
    TCase *t = tcase_create("values"), *p = tcase_create("protocol");
    tcase_add_test(t, reciprocal_rank);
    tcase_add_test(t, ndcg_and_precision);
    tcase_add_test(t, recall_and_average_precision);
    tcase_add_test(t, nothing_and_one);
    tcase_add_test(t, gini);
    tcase_add_test(t, at_list);
    tcase_add_test(t, json);
    tcase_add_test(p, draw);
    tcase_add_test(p, popularity_by_hand);
    tcase_add_test(p, too_few_users);
    suite_add_tcase(s, t);
    suite_add_tcase(s, p);
    return s;
}
