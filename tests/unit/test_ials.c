/* Alternating least squares against a plain one in double, and its promises. */
#include "recipe/ials_history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "math/csr.h"
#include "unit.h"

enum { USERS = 60, ITEMS = 41, F = 10, MOST = USERS * 30 };

static uint64_t offsets[USERS + 1];
static uint32_t item[MOST];
static int64_t when[MOST];
static float weight[MOST];
static struct pz_events events;
static double w_of[USERS][ITEMS]; // 0: no event

/* User 3 and item 5 have no events; some pairs repeat. */
static void
make_events(bool weighted, bool once)
{
    struct pz_rng rng;
    pz_rng_seed(&rng, 3, 9);
    memset(w_of, 0, sizeof w_of);
    uint64_t n = 0;
    for (uint32_t u = 0; u < USERS; u++) {
        offsets[u] = n;
        uint64_t count = u == 3 ? 0 : 1 + pz_rng_below(&rng, 25);
        for (uint64_t k = 0; k < count; k++) {
            uint32_t i = (uint32_t)pz_rng_below(&rng, ITEMS) *
                         (uint32_t)pz_rng_below(&rng, 4) % ITEMS;
            if (i == 5)
                continue;
            item[n] = i;
            when[n] = (int64_t)n;
            weight[n] = weighted ? 0.25f + (float)pz_rng_unit(&rng) : 1;
            if (once)
                w_of[u][i] = fmax(w_of[u][i], weight[n]);
            else
                w_of[u][i] += weight[n];
            n++;
        }
    }
    offsets[USERS] = n;
    events = (struct pz_events){.n_users = USERS,
                                .n_items = ITEMS,
                                .n = n,
                                .offsets = offsets,
                                .item = item,
                                .time = when,
                                .weight = weighted ? weight : NULL};
}

static const struct pz_ials_config BASE = {.n_factors = F,
                                           .alpha0 = 0.2,
                                           .lambda = 0.02,
                                           .nu = 0.7,
                                           .init_scale = 0.1,
                                           .iterations = 3,
                                           .solver = PZ_IALS_CHOLESKY,
                                           .cg_steps = 3,
                                           .seed = 11,
                                           .threads = 1};

static struct pz_ials_side
side_of(const struct pz_ials *m, const struct pz_ials_config *c)
{
    return (struct pz_ials_side){.table = m->item,
                                 .gram = m->gram,
                                 .n_rows = m->n_items,
                                 .d = m->d,
                                 .lambda = m->lambda,
                                 .nu = c->nu,
                                 .base = m->base};
}

/* The weight of row r and column c, from either side. */
static double
at(bool users, uint32_t r, uint32_t c)
{
    return users ? w_of[r][c] : w_of[c][r];
}

/* One half-iteration in double by Gauss-Jordan elimination. */
static void
naive_half(bool users, double (*x)[F], double (*y)[F], const struct pz_ials_config *c)
{
    uint32_t n_x = users ? USERS : ITEMS, n_y = users ? ITEMS : USERS;
    uint32_t n_live = users ? ITEMS - 1 : USERS - 1; // those with events
    for (uint32_t r = 0; r < n_x; r++) {
        double a[F][F + 1] = {{0}}, n = 0;
        for (uint32_t j = 0; j < n_y; j++) {
            double w = at(users, r, j);
            n += w;
            for (int p = 0; p < F; p++) {
                for (int q = 0; q < F; q++)
                    a[p][q] += (c->alpha0 + w) * y[j][p] * y[j][q];
                a[p][F] += w * y[j][p];
            }
        }
        if (n == 0) {
            memset(x[r], 0, sizeof x[r]);
            continue;
        }
        for (int p = 0; p < F; p++)
            a[p][p] += c->lambda * pow(n + c->alpha0 * n_live, c->nu);
        for (int p = 0; p < F; p++)
            for (int q = 0; q < F; q++) {
                double f = q == p ? 0 : a[q][p] / a[p][p];
                for (int k = 0; k <= F; k++)
                    a[q][k] -= f * a[p][k];
            }
        for (int p = 0; p < F; p++)
            x[r][p] = a[p][F] / a[p][p];
    }
}

static double
naive_loss(double (*x)[F], double (*y)[F], const struct pz_ials_config *c)
{
    double loss = 0;
    for (uint32_t u = 0; u < USERS; u++)
        for (uint32_t i = 0; i < ITEMS; i++) {
            double s = 0;
            for (int p = 0; p < F; p++)
                s += x[u][p] * y[i][p];
            loss += w_of[u][i] * (s - 1) * (s - 1) + c->alpha0 * s * s;
        }
    for (int side = 0; side < 2; side++)
        for (uint32_t r = 0; r < (side ? ITEMS : USERS); r++) {
            double n = 0, norm = 0;
            for (uint32_t k = 0; k < (side ? USERS : ITEMS); k++)
                n += at(!side, r, k);
            for (int p = 0; p < F; p++)
                norm += side ? y[r][p] * y[r][p] : x[r][p] * x[r][p];
            loss += c->lambda * pow(n + c->alpha0 * ((side ? USERS : ITEMS) - 1), c->nu) *
                    norm;
        }
    return loss;
}

START_TEST(equals_the_plain_one)
{
    struct pz_err err = PZ_ERR_INIT;
    for (int kind = 0; kind < 4; kind++) {
        struct pz_ials_config c = BASE;
        c.once = kind / 2;
        make_events(kind % 2, c.once);
        static double x[USERS][F], y[ITEMS][F];
        // The same start: what training for zero iterations would hold.
        for (uint32_t i = 0; i < ITEMS; i++) {
            struct pz_rng rng;
            pz_rng_seed(&rng, c.seed, i);
            for (int p = 0; p < F; p++)
                y[i][p] =
                    i == 5 ? 0 : (float)(c.init_scale / sqrt(F) * pz_rng_normal(&rng));
        }
        struct pz_ials m;
        ck_ok(pz_ials_train(&m, &events, &c, &err), err);
        ck_assert_uint_eq(m.d, 16);
        for (int it = 0; it < c.iterations; it++) {
            naive_half(true, x, y, &c);
            naive_half(false, y, x, &c);
            ck_assert_double_eq_tol(m.loss[it], naive_loss(x, y, &c), 1e-4 * m.loss[it]);
        }
        naive_half(true, x, y, &c);
        struct pz_ials_side side = side_of(&m, &c);
        struct pz_bag_rule rule = {.once = c.once};
        float *user;
        ck_ok(pz_ials_users(&user, &side, &rule, &events, 2, &err), err);
        for (uint32_t u = 0; u < USERS; u++)
            for (uint32_t i = 0; i < ITEMS; i++) {
                double s = 0, want = 0;
                for (int p = 0; p < F; p++)
                    want += x[u][p] * y[i][p];
                for (size_t p = 0; p < m.d; p++)
                    s += (double)user[u * m.d + p] * m.item[i * m.d + p];
                ck_assert_double_eq_tol(s, want, 2e-4);
            }
        free(user);
        pz_ials_release(&m);
    }
}
END_TEST

/* Weights of a history by hand: newest first, repeats merged, the unknown left out. */
START_TEST(history)
{
    struct pz_err err = PZ_ERR_INIT;
    static float table[ITEMS * 16];
    for (size_t i = 0; i < ITEMS; i++)
        table[i * 16 + i % 16] = i == 5 ? 0 : 1;
    struct pz_ials_side side = {.table = table, .n_rows = ITEMS, .d = 16};
    const uint32_t list[] = {7, 2, 5, 7, ITEMS + 3, 3, UINT32_MAX};
    const float given[] = {1, 0.5f, 1, 1, 1, 0.25f, 1};
    struct pz_bag h;
    ck_ok(pz_bag_init(&h, ITEMS, &err), err);
    for (int kind = 0; kind < 4; kind++) {
        struct pz_bag_rule rule = {.once = kind % 2, .halflife = kind / 2 ? 2 : 0};
        ck_ok(pz_ials_take(&h, &side, &rule, list, given, 7, &err), err);
        ck_assert_uint_eq(h.n, 3);
        const uint32_t items[] = {3, 7, 2};
        ck_assert_mem_eq(h.item, items, sizeof items);
        const float plain[] = {0.25f, 2, 0.5f};
        for (size_t i = 0; i < 3; i++) {
            const double age[] = {1, 3, 5};
            double want = plain[i] * (rule.halflife > 0 ? exp2(-age[i] / 2) : 1);
            if (i == 1 && rule.halflife > 0)
                want = exp2(-3.0 / 2) + (rule.once ? 0 : exp2(-6.0 / 2));
            else if (i == 1 && rule.once)
                want = 1;
            ck_assert_double_eq_tol(h.weight[i], want, 1e-6);
        }
    }
    struct pz_bag_rule brief = {.halflife = 0.1};
    ck_ok(pz_ials_take(&h, &side, &brief, list, NULL, 6, &err), err);
    ck_assert_uint_eq(h.n, 1); // 2^-20 is nothing
    ck_ok(pz_ials_take(&h, &side, &brief, list, NULL, 0, &err), err);
    ck_assert_uint_eq(h.n, 0);
    pz_bag_release(&h);
}
END_TEST

/* People who always come back to what they had, and people who never do. */
START_TEST(repeats_are_learned)
{
    enum { PEOPLE = 200, THINGS = 40, LENGTH = 10 };
    static uint64_t from[PEOPLE + 1];
    static uint32_t thing[PEOPLE * LENGTH];
    struct pz_err err = PZ_ERR_INIT;
    struct pz_ials_config c = {.n_factors = 16,
                               .alpha0 = 0.3,
                               .lambda = 0.01,
                               .nu = 1,
                               .init_scale = 0.1,
                               .iterations = 3,
                               .cg_steps = 3,
                               .threads = 1};
    for (int back = 0; back < 2; back++) {
        for (uint32_t u = 0; u < PEOPLE; u++)
            for (uint32_t k = 0; k < LENGTH; k++)
                thing[u * LENGTH + k] = (u * 7 + (back ? k % 4 : k) * 3) % THINGS;
        for (uint32_t u = 0; u <= PEOPLE; u++)
            from[u] = u * LENGTH;
        struct pz_events e = {.n_users = PEOPLE,
                              .n_items = THINGS,
                              .n = PEOPLE * LENGTH,
                              .offsets = from,
                              .item = thing};
        struct pz_ials m;
        struct pz_ials_softmax fit;
        struct pz_bag_rule rule = {0};
        ck_ok(pz_ials_train(&m, &e, &c, &err), err);
        struct pz_ials_side side = {.table = m.item,
                                    .gram = m.gram,
                                    .n_rows = m.n_items,
                                    .d = m.d,
                                    .lambda = c.lambda,
                                    .nu = c.nu,
                                    .base = m.base};
        ck_ok(pz_ials_softmax_fit(&side, &rule, &e, 1, &fit, &err), err);
        double odds = fit.repeat / fit.temperature; // in log, against the factors' own
        ck_assert_msg(back ? odds > 2 : odds < -2, "back %d: %g", back, odds);
        pz_ials_release(&m);
    }
}
END_TEST

/* Somebody who had every item is asked about in steps that grow with the items, not with
 * their square. What is never had again ranks lower for it. */
START_TEST(one_who_had_everything)
{
    enum { N = 800000, D = 16 };
    uint64_t from[] = {0, N};
    struct pz_err err = PZ_ERR_INIT;
    struct pz_events e = {.n_users = 1, .n_items = N, .n = N, .offsets = from};
    struct pz_bag_rule rule = {0};
    struct pz_ials_softmax fit;
    struct pz_rng rng;
    float *table = aligned_alloc(64, (size_t)N * D * sizeof *table);
    static _Alignas(64) float gram[D * D];
    e.item = malloc(N * sizeof *e.item);
    pz_rng_seed(&rng, 6, 6);
    for (uint32_t i = 0; i < N; i++)
        e.item[i] = i;
    for (size_t i = 0; i < (size_t)N * D; i++)
        table[i] = (float)pz_rng_normal(&rng);
    for (size_t i = 0; i < D; i++)
        gram[i * D + i] = N;
    struct pz_ials_side side = {
        .table = table, .gram = gram, .n_rows = N, .d = D, .lambda = 1, .base = 1};
    ck_ok(pz_ials_softmax_fit(&side, &rule, &e, 1, &fit, &err), err);
    ck_assert_double_lt(fit.repeat, 0);
    free(table);
    free(e.item);
}
END_TEST

/* Every solver comes near the exact loss; CG with as many steps as factors equals it. */
START_TEST(solvers_agree)
{
    struct pz_err err = PZ_ERR_INIT;
    make_events(true, false);
    struct pz_ials exact, cg;
    struct pz_ials_config c = BASE;
    ck_ok(pz_ials_train(&exact, &events, &c, &err), err);
    c.solver = PZ_IALS_CG;
    c.cg_steps = 2 * F;
    ck_ok(pz_ials_train(&cg, &events, &c, &err), err);
    for (int it = 0; it < c.iterations; it++)
        ck_assert_double_eq_tol(cg.loss[it], exact.loss[it], 1e-3 * exact.loss[it]);
    pz_ials_release(&cg);
    pz_ials_release(&exact);
}
END_TEST

START_TEST(same_bits)
{
    struct pz_err err = PZ_ERR_INIT;
    make_events(true, false);
    struct pz_ials first = {0};
    for (int level = PZ_N_CPU - 1; level >= 0; level--) {
        for (int threads = 1; threads <= 5; threads += 2) {
            struct pz_ials m;
            struct pz_ials_config c = BASE;
            c.threads = threads;
            c.solver = PZ_IALS_AUTO;
            pz_cpu_force((enum pz_cpu)level);
            ck_ok(pz_ials_train(&m, &events, &c, &err), err);
            if (!first.item) {
                first = m;
                continue;
            }
            ck_assert_mem_eq(m.item, first.item, ITEMS * m.d * sizeof(float));
            ck_assert_mem_eq(m.gram, first.gram, m.d * m.d * sizeof(float));
            ck_assert_mem_eq(m.loss, first.loss, 3 * sizeof(double));
            pz_ials_release(&m);
        }
    }
    pz_ials_release(&first);
}
END_TEST

START_TEST(usual_weights)
{
    struct pz_err err = PZ_ERR_INIT;
    make_events(true, false);
    struct pz_ials_config c = BASE;
    c.alpha0 = c.lambda = 0;
    struct pz_ials m;
    ck_ok(pz_ials_train(&m, &events, &c, &err), err);
    double n = 0, sum = 0;
    for (uint32_t u = 0; u < USERS; u++)
        for (uint32_t i = 0; i < ITEMS; i++) {
            n += w_of[u][i] > 0;
            sum += w_of[u][i];
        }
    double share = n / ((USERS - 1) * (ITEMS - 1));
    ck_assert_double_eq_tol(m.alpha0, sum / n * sqrt(share), 1e-6);
    ck_assert_double_eq_tol(m.lambda, 0.02 * pow(share, 0.25), 1e-6);
    pz_ials_release(&m);
}
END_TEST

START_TEST(refuses)
{
    struct pz_err err = PZ_ERR_INIT;
    make_events(false, false);
    struct pz_ials_config c = BASE;
    struct pz_ials m;
    c.lambda = c.alpha0 = 1e-30;
    c.n_factors = 100; // more than any user has items: singular
    ck_assert_int_eq(pz_ials_train(&m, &events, &c, &err), PZ_DATA);
    ck_assert_ptr_nonnull(strstr(err.msg, "raise regularization"));
    ck_assert_ptr_null(m.item);
    uint64_t none[USERS + 1] = {0};
    struct pz_events empty = events;
    empty.offsets = none;
    empty.n = 0;
    ck_assert_int_eq(pz_ials_train(&m, &empty, &BASE, &err), PZ_DATA);
}
END_TEST

/* Hand-worked: repeated columns, both ways of counting them, and renumbering. */
START_TEST(csr)
{
    struct pz_err err = PZ_ERR_INIT;
    const uint64_t off[] = {0, 3, 3, 7};
    const uint32_t col[] = {2, 0, 2, 1, 2, 3, 1};
    const float value[] = {1, 2, 3, 4, 5, 6, 7};
    for (int once = 0; once < 2; once++) {
        struct pz_csr r, c;
        ck_ok(pz_csr_make(&r, &c, 3, 4, off, col, value, once, &err), err);
        const uint64_t row_off[] = {0, 2, 2, 5}, col_off[] = {0, 1, 2, 4, 5};
        const uint32_t row_col[] = {0, 2, 1, 2, 3};
        const float sums[] = {2, 4, 11, 5, 6}, greatest[] = {2, 3, 7, 5, 6};
        ck_assert_mem_eq(r.offsets, row_off, sizeof row_off);
        ck_assert_mem_eq(r.col, row_col, sizeof row_col);
        ck_assert_mem_eq(r.value, once ? greatest : sums, sizeof sums);
        ck_assert_mem_eq(c.offsets, col_off, sizeof col_off);
        uint32_t *row_old, *col_old;
        ck_ok(pz_csr_by_size(&r, &c, &row_old, &col_old, &err), err);
        const uint32_t rows[] = {2, 0, 1}, cols[] = {2, 0, 1, 3}, now[] = {0, 2, 3, 0, 1};
        ck_assert_mem_eq(row_old, rows, sizeof rows);
        ck_assert_mem_eq(col_old, cols, sizeof cols);
        ck_assert_mem_eq(r.col, now, sizeof now);
        ck_assert_float_eq(r.value[0], 5);
        ck_assert_uint_eq(r.offsets[1], 3);
        ck_assert_uint_eq(c.offsets[1], 2);
        free(row_old);
        free(col_old);
        pz_csr_release(&r);
        pz_csr_release(&c);
    }
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("ials");
    TCase *t = tcase_create("ials");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, csr);
    tcase_add_test(t, equals_the_plain_one);
    tcase_add_test(t, history);
    tcase_add_test(t, repeats_are_learned);
    tcase_add_test(t, one_who_had_everything);
    tcase_add_test(t, solvers_agree);
    tcase_add_test(t, same_bits);
    tcase_add_test(t, usual_weights);
    tcase_add_test(t, refuses);
    suite_add_tcase(s, t);
    return s;
}
