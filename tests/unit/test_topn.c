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
static const struct pz_topn_table whole = {.row = table, .n_rows = ROWS, .d = D};
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
        ck_ok(pz_topn(&whole, listed ? list : NULL, LISTED, rate, q, QUERIES, &err), err);
        for (size_t v = 0; v < QUERIES; v++) {
            check(&q[v], listed, rate);
            struct pz_topn one = q[v]; // alone and on another level: the same bits
            one.row = one_row;
            one.score = one_score;
            pz_cpu_force((enum pz_cpu)(v % PZ_N_CPU));
            ck_ok(pz_topn(&whole, listed ? list : NULL, LISTED, rate, &one, 1, &err),
                  err);
            ck_assert_uint_eq(one.n_out, q[v].n_out);
            ck_assert_mem_eq(one_row, row[v], one.n_out * sizeof *one_row);
            ck_assert_mem_eq(one_score, score[v], one.n_out * sizeof *one_score);
        }
    }
}
END_TEST

/* Shares as the formula has them; below what a float holds the order stays, and ties do.
 */
START_TEST(shares)
{
    static const float plain[] = {2, 1.5f, 1.5f, 1, 0, -3};
    enum { N = sizeof plain / sizeof *plain };
    float share[N];
    double sum = 0;
    for (int i = 0; i < N; i++)
        sum += exp((double)plain[i] - 2);
    memcpy(share, plain, sizeof plain);
    pz_topn_shares(share, N, 1, 2, sum);
    for (int i = 0; i < N; i++)
        ck_assert_float_eq(share[i], (float)(exp((double)plain[i] - 2) / sum));
    for (double rate = 100; rate <= 1e6; rate *= 10) {
        memcpy(share, plain, sizeof plain);
        pz_topn_shares(share, N, rate, 2, 1);
        ck_assert_float_eq(share[0], 1);
        ck_assert_float_eq(share[1], share[2]);
        ck_assert_float_gt(share[N - 1], 0);
        ck_assert_float_lt(share[1], 1e-20F);
        for (int i = 0; i + 1 < N; i++)
            ck_assert(i == 1 || share[i] > share[i + 1]);
    }
}
END_TEST

/* Very many scores so close to each other that they have one share, the last number
 * below FLT_MIN: they are told apart, and what comes before them stays before them. */
START_TEST(crowded_shares)
{
    enum { N = 1000 };
    float share[N];
    double below = (double)nextafterf(FLT_MIN, 0);
    for (int i = 0; i < N; i++)
        share[i] = i ? (float)(N - i) * 1e-12F : 1e-5F; // FLT_MIN and 84 steps
    pz_topn_shares(share, N, 1, 0, 1 / below);
    ck_assert_float_eq(share[N - 1], (float)below);
    for (int i = 0; i + 1 < N; i++)
        ck_assert(i ? share[i] > share[i + 1] : share[i] >= share[i + 1]);
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
    ck_ok(pz_topn(&whole, NULL, 0, 2, &q, 1, &err), err);
    ck_assert_uint_le(q.n_out, 10);
    for (size_t i = 0; i < q.n_out; i++)
        ck_assert_uint_lt(row[i], ROWS);
}
END_TEST

/* ---- from bytes ---- */

enum { CODED = 40000, FIND = 40, FACTORS = 48 };

static float coded_table[CODED * FACTORS], coded_x[FIND * FACTORS];
static uint8_t code[CODED * FACTORS];
static float scale[CODED];
static uint64_t tenth[CODED / 64 + 1];

/* Kinds of tables that a bound of rounding errors must stand. */
static void
normal_rows(struct pz_rng *rng)
{
    for (size_t i = 0; i < CODED * FACTORS; i++)
        coded_table[i] = (float)pz_rng_normal(rng) * 0.3f;
}

/* Rows that differ from one of eight in the last bits: all near ties, many exact ones. */
static void
clustered_rows(struct pz_rng *rng)
{
    for (size_t r = 0; r < CODED; r++)
        for (size_t c = 0; c < FACTORS; c++) {
            float *to = &coded_table[r * FACTORS + c];
            *to = r < 8 ? (float)pz_rng_normal(rng) : coded_table[r % 8 * FACTORS + c];
            if (r >= 8 && r % 3 == 0)
                *to *= 1 + (float)(pz_rng_below(rng, 3)) * 0x1p-22f;
        }
}

/* One great number a row, so that its scale leaves next to nothing of the others. */
static void
spiked_rows(struct pz_rng *rng)
{
    normal_rows(rng);
    for (size_t r = 0; r < CODED; r++)
        coded_table[r * FACTORS + r % FACTORS] = r % 5 ? 60.0f : -1000.0f;
}

/* Nothing, denormals, and numbers up to the greatest that can be coded. */
static void
extreme_rows(struct pz_rng *rng)
{
    static const float size[] = {0, 1e-40f, 1e-30f, 1e-16f, 1e-8f, 1, 1e8f, 4e14f};
    normal_rows(rng);
    for (size_t r = 0; r < CODED; r++)
        for (size_t c = 0; c < FACTORS; c++)
            coded_table[r * FACTORS + c] =
                fminf(coded_table[r * FACTORS + c], 1) * size[r / 5 % 8];
}

static void (*const kinds[])(struct pz_rng *) = {normal_rows, clustered_rows, spiked_rows,
                                                 extreme_rows};

static void
find(const struct pz_topn_table *t, uint32_t (*row)[60], float (*score)[60],
     size_t *n_out, double rate, size_t first, size_t n)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_topn q[FIND];
    for (size_t i = 0; i < n; i++) {
        size_t v = first + i;
        q[i] = (struct pz_topn){.x = coded_x + v * FACTORS,
                                .n = v % 7 ? 25 : 60,
                                .allow = v % 3 == 1 ? tenth : NULL,
                                .exclude = exclude,
                                .n_exclude = v % 4 == 2 ? 200 : 0,
                                .raised = list,
                                .n_raised = v % 5 > 2 ? 150 : 0,
                                .raise = v % 2 ? 0.4f : -30,
                                .row = row[i],
                                .score = score[i]};
    }
    ck_ok(pz_topn(t, NULL, 0, rate, q, n, &err), err);
    for (size_t i = 0; i < n; i++)
        n_out[i] = q[i].n_out;
}

START_TEST(bytes_find_the_same)
{
    static uint32_t plain[FIND][60], row[FIND][60], one[1][60];
    static float score[FIND][60], other[FIND][60], one_score[1][60];
    size_t n[FIND], m[FIND], alone;
    struct pz_rng rng;
    enum pz_cpu machine = pz_cpu_force(PZ_CPU_AVX512);
    pz_rng_seed(&rng, 7, (uint64_t)_i);
    setup(&rng);
    kinds[_i](&rng);
    for (size_t i = 0; i < FIND * FACTORS; i++)
        coded_x[i] = (float)pz_rng_normal(&rng);
    memset(coded_x, 0, FACTORS * sizeof *coded_x);
    for (size_t c = 0; c < FACTORS; c++) {
        coded_x[FACTORS + c] *= 1e-20f; // beyond what can be coded, on both sides
        coded_x[2 * FACTORS + c] *= 1e20f;
        coded_x[3 * FACTORS + c] = c == 5;
    }
    for (size_t i = 0; i < CODED; i += 1 + pz_rng_below(&rng, 20))
        tenth[i / 64] |= UINT64_C(1) << i % 64;
    size_t n_rows = CODED - 7; // the last group is not full
    ck_assert(pz_quant_build(code, scale, coded_table, n_rows, FACTORS));
    struct pz_topn_table t = {.row = coded_table, .n_rows = n_rows, .d = FACTORS};
    find(&t, plain, score, n, 0, 0, FIND);
    t.quant = (struct pz_quant){.code = code, .scale = scale};
    for (int level = 0; level <= (int)machine; level++) {
        pz_cpu_force((enum pz_cpu)level);
        find(&t, row, other, m, 0, 0, FIND);
        ck_assert_mem_eq(n, m, sizeof n);
        ck_assert_mem_eq(plain, row, sizeof row);
        ck_assert_mem_eq(score, other, sizeof score);
    }
    find(&t, row, other, m, 2.5, 0, FIND); // probabilities, together and alone
    ck_assert_mem_eq(n, m, sizeof n);
    ck_assert_mem_eq(plain, row, sizeof row);
    for (size_t v = 0; v < FIND; v++) {
        pz_cpu_force((enum pz_cpu)(v % PZ_N_CPU));
        find(&t, one, one_score, &alone, 2.5, v, 1);
        ck_assert_uint_eq(alone, m[v]);
        ck_assert_mem_eq(one[0], row[v], alone * sizeof(uint32_t));
        ck_assert_mem_eq(one_score[0], other[v], alone * sizeof(float));
    }
    pz_cpu_force(machine);
}
END_TEST

/* The probabilities are those of the floats but for the rounding of their sum. */
START_TEST(bytes_give_the_sum)
{
    static uint32_t row[FIND][60];
    static float score[FIND][60], coarse[FIND][60];
    size_t n[FIND];
    struct pz_rng rng;
    pz_rng_seed(&rng, 8, 8);
    setup(&rng);
    normal_rows(&rng);
    for (size_t i = 0; i < FIND * FACTORS; i++)
        coded_x[i] = (float)pz_rng_normal(&rng);
    ck_assert(pz_quant_build(code, scale, coded_table, CODED, FACTORS));
    struct pz_topn_table t = {.row = coded_table, .n_rows = CODED, .d = FACTORS};
    find(&t, row, score, n, 1, 0, FIND);
    t.quant = (struct pz_quant){.code = code, .scale = scale};
    find(&t, row, coarse, n, 1, 0, FIND);
    for (size_t v = 0; v < FIND; v++)
        for (size_t i = 0; i < n[v]; i++)
            ck_assert_double_eq_tol(coarse[v][i] / score[v][i], 1, 1e-3);
}
END_TEST

/* Every way of adding bytes gives the bits of the definition, tails included, and no
 * score is farther off than promised. */
START_TEST(bytes_are_within_reach)
{
    enum { D_MOST = 512, GROUPS = 21, VECTORS = 19 };
    static float rows[GROUPS * PZ_QUANT_ROWS * D_MOST], xs[VECTORS * D_MOST];
    static uint8_t bytes[GROUPS * PZ_QUANT_ROWS * D_MOST];
    static struct pz_quant_four codes[VECTORS * D_MOST / 4];
    static float by[GROUPS * PZ_QUANT_ROWS];
    static float want[VECTORS][GROUPS * PZ_QUANT_ROWS],
        got[VECTORS][GROUPS * PZ_QUANT_ROWS];
    struct pz_quant_query q[VECTORS];
    struct pz_rng rng;
    pz_rng_seed(&rng, 9, 9);
    for (size_t d = 16; d <= D_MOST; d = d == 64 ? D_MOST : d + 16) {
        size_t n = GROUPS * PZ_QUANT_ROWS;
        for (size_t i = 0; i < n * d; i++)
            rows[i] = (float)pz_rng_normal(&rng) * (i % 11 ? 0.1f : 3);
        for (size_t i = 0; i < VECTORS * d; i++)
            xs[i] = (float)pz_rng_normal(&rng);
        ck_assert(pz_quant_build(bytes, by, rows, n, d));
        for (size_t v = 0; v < VECTORS; v++)
            pz_quant_query(codes + v * d / 4, &q[v], xs + v * d, d);
        struct pz_quant t = {bytes, by};
        pz_quant_score_fn *f = pz_quant_score_nth(0);
        f(want[0], n, &t, 0, GROUPS, codes, q, VECTORS, d);
        for (size_t v = 0; v < VECTORS; v++)
            for (size_t r = 0; r < n; r++) {
                double dot = 0;
                for (size_t c = 0; c < d; c++)
                    dot += (double)xs[v * d + c] * (double)rows[r * d + c];
                ck_assert_double_le(fabs(dot - (double)want[v][r]),
                                    (double)q[v].reach * (double)by[r]);
            }
        for (size_t i = 1; (f = pz_quant_score_nth(i)); i++) {
            memset(got, 0, sizeof got);
            f(got[0], n, &t, 0, GROUPS, codes, q, VECTORS, d);
            ck_assert_mem_eq(want, got, VECTORS * n * sizeof(float));
            f(got[0], n, &t, 5, 3, codes, q, VECTORS, d);
            ck_assert_mem_eq(want[0] + 5 * PZ_QUANT_ROWS, got[0],
                             3 * PZ_QUANT_ROWS * sizeof(float));
        }
    }
    rows[3] = NAN;
    ck_assert(!pz_quant_build(bytes, by, rows, 16, 16));
    rows[3] = 1e16f;
    ck_assert(!pz_quant_build(bytes, by, rows, 16, 16));
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("topn");
    TCase *t = tcase_create("topn");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, equals_full_sort);
    tcase_add_test(t, shares);
    tcase_add_test(t, crowded_shares);
    tcase_add_test(t, survives_nan);
    tcase_add_loop_test(t, bytes_find_the_same, 0, sizeof kinds / sizeof kinds[0]);
    tcase_add_test(t, bytes_give_the_sum);
    tcase_add_test(t, bytes_are_within_reach);
    suite_add_tcase(s, t);
    return s;
}
