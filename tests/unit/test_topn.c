/* The best rows against a full sort. */
#include "math/topn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "math/kernels.h"
#include "unit.h"

enum { ROWS = 1500, D = 32, QUERIES = 61, LISTED = 333 };

static float table[ROWS * D], vectors[QUERIES * D], raw[ROWS];
static uint64_t allow[ROWS / 64 + 1];
static uint32_t exclude[200], list[LISTED];

static void
setup(struct pz_rng *rng)
{
    for (size_t i = 0; i < ROWS * D; i++)
        table[i] = (float)pz_rng_normal(rng) * 0.2f;
    for (size_t r = 0; r + 7 < ROWS; r += 7) // ties
        memcpy(table + (r + 5) * D, table + r * D, D * sizeof *table);
    memset(table, 0, 40 * D * sizeof *table);
    for (size_t i = 0; i < QUERIES * D; i++)
        vectors[i] = (float)pz_rng_normal(rng);
    for (size_t i = 0; i <= ROWS / 64; i++)
        allow[i] = pz_rng_u64(rng) | pz_rng_u64(rng);
    for (size_t i = 0; i < 200; i++)
        exclude[i] = (uint32_t)pz_rng_below(rng, ROWS);
    for (size_t i = 0; i < LISTED; i++)
        list[i] = (uint32_t)(i * 4 + pz_rng_below(rng, 4));
}

static int
by_score(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, 4);
    memcpy(&y, b, 4);
    if (raw[x] != raw[y])
        return raw[x] > raw[y] ? -1 : 1;
    return (x > y) - (x < y);
}

/* The definition: score all, sort all, leave out. */
static void
check(const struct pz_topn *q, bool listed, double rate)
{
    static uint32_t order[ROWS];
    size_t n = listed ? LISTED : ROWS, n_out = 0;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t r = order[i] = listed ? list[i] : (uint32_t)i;
        raw[r] = 0;
        for (size_t c = 0; c < D; c++)
            raw[r] = fmaf(q->x[c], table[r * D + c], raw[r]);
        bool raised = false;
        for (size_t k = 0; k < q->n_raised && !raised; k++)
            raised = q->raised[k] == r;
        raw[r] += raised ? q->raise : 0.0f;
        sum += exp(rate * (double)raw[r]);
    }
    qsort(order, n, sizeof *order, by_score);
    for (size_t i = 0; i < n && n_out < q->n; i++) {
        uint32_t r = order[i];
        bool out = q->allow && !(q->allow[r / 64] >> r % 64 & 1);
        for (size_t k = 0; k < q->n_exclude && !out; k++)
            out = q->exclude[k] == r;
        if (out)
            continue;
        ck_assert_uint_lt(n_out, q->n_out);
        ck_assert_uint_eq(q->row[n_out], r);
        if (rate > 0)
            ck_assert_double_eq_tol(q->score[n_out], exp(rate * (double)raw[r]) / sum,
                                    1e-5);
        else
            ck_assert_float_eq(q->score[n_out], raw[r]);
        n_out++;
    }
    ck_assert_uint_eq(q->n_out, n_out);
}

START_TEST(equals_full_sort)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_rng rng;
    pz_rng_seed(&rng, 5, 5);
    static uint32_t row[QUERIES][ROWS], one_row[ROWS];
    static float score[QUERIES][ROWS], one_score[ROWS];
    setup(&rng);
    for (int kind = 0; kind < 4; kind++) {
        bool listed = kind / 2;
        double rate = kind % 2 ? 3.5 : 0;
        struct pz_topn q[QUERIES];
        for (size_t v = 0; v < QUERIES; v++)
            q[v] = (struct pz_topn){.x = vectors + v * D,
                                    .n = v < 20 ? v : pz_rng_below(&rng, ROWS + 20),
                                    .allow = v % 3 == 1 ? allow : NULL,
                                    .exclude = exclude,
                                    .n_exclude = v % 4 == 2 ? 200 : 0,
                                    .raised = v % 2 ? exclude : list,
                                    .n_raised = v % 5 > 2 ? 150 : 0,
                                    .raise = v % 7 ? 0.4f : -30,
                                    .row = row[v],
                                    .score = score[v]};
        ck_ok(
            pz_topn(table, ROWS, D, listed ? list : NULL, LISTED, rate, q, QUERIES, &err),
            err);
        for (size_t v = 0; v < QUERIES; v++) {
            check(&q[v], listed, rate);
            struct pz_topn one = q[v]; // alone and on another level: the same bits
            one.row = one_row;
            one.score = one_score;
            pz_cpu_force((enum pz_cpu)(v % PZ_N_CPU));
            ck_ok(pz_topn(table, ROWS, D, listed ? list : NULL, LISTED, rate, &one, 1,
                          &err),
                  err);
            ck_assert_uint_eq(one.n_out, q[v].n_out);
            ck_assert_mem_eq(one_row, row[v], one.n_out * sizeof *one_row);
            ck_assert_mem_eq(one_score, score[v], one.n_out * sizeof *one_score);
        }
    }
}
END_TEST

/* Damage in a table must not do more than spoil the answer. */
START_TEST(survives_nan)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_rng rng;
    pz_rng_seed(&rng, 6, 6);
    setup(&rng);
    for (size_t i = 0; i < ROWS * D; i += 97)
        table[i] = i % 2 ? NAN : INFINITY;
    uint32_t row[10];
    float score[10];
    struct pz_topn q = {.x = vectors, .n = 10, .row = row, .score = score};
    ck_ok(pz_topn(table, ROWS, D, NULL, 0, 2, &q, 1, &err), err);
    ck_assert_uint_le(q.n_out, 10);
    for (size_t i = 0; i < q.n_out; i++)
        ck_assert_uint_lt(row[i], ROWS);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("topn");
    TCase *t = tcase_create("topn");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, equals_full_sort);
    tcase_add_test(t, survives_nan);
    suite_add_tcase(s, t);
    return s;
}
