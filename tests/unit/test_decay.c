/* The decayed closed form and sequential rules, against sums written out in full. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "recipe/decay.h"
#include "recipe/parts.h"
#include "toy.h"
#include "unit.h"

enum { USERS = 40, ITEMS = 12, MOST = 14, SCALES = 2, INPUTS = SCALES * ITEMS };

static struct pz_events e;
static uint64_t offsets[USERS + 1];
static uint32_t item[USERS * MOST];
static int64_t when[USERS * MOST];
static float weight[USERS * MOST];

static void
make_events(bool weighted)
{
    struct pz_rng rng;
    pz_rng_seed(&rng, 11, 3);
    e = (struct pz_events){.n_users = USERS,
                           .n_items = ITEMS,
                           .offsets = offsets,
                           .item = item,
                           .time = when,
                           .weight = weighted ? weight : NULL};
    for (uint32_t u = 0; u < USERS; u++) {
        uint64_t n = pz_rng_below(&rng, MOST + 1);
        for (uint64_t k = 0; k < n; k++, e.n++) {
            double x = pz_rng_unit(&rng);
            item[e.n] = (uint32_t)(x * x * (ITEMS - 1)); // the last has no events
            weight[e.n] = 0.25f * (float)(1 + pz_rng_below(&rng, 4));
            when[e.n] = (int64_t)e.n;
        }
        offsets[u + 1] = e.n;
    }
}

static double
w(uint64_t k)
{
    return e.weight ? (double)e.weight[k] : 1;
}

/* G and C from every vector x, written out. */
static void
equations(const double *keep, double g[INPUTS][INPUTS], double c[INPUTS][ITEMS])
{
    memset(g, 0, sizeof(double[INPUTS][INPUTS]));
    memset(c, 0, sizeof(double[INPUTS][ITEMS]));
    for (uint32_t u = 0; u < USERS; u++)
        for (uint64_t j = offsets[u] + 1; j < offsets[u + 1]; j++) {
            double x[INPUTS] = {0};
            for (int s = 0; s < SCALES; s++)
                for (uint64_t k = offsets[u]; k < j; k++)
                    x[s * ITEMS + (int)item[k]] +=
                        w(k) * pow(keep[s], (double)(j - 1 - k));
            for (int a = 0; a < INPUTS; a++) {
                for (int b = 0; b < INPUTS; b++)
                    g[a][b] += w(j) * x[a] * x[b];
                c[a][item[j]] += w(j) * x[a];
            }
        }
}

/* c := a^-1 c by Gauss and Jordan. */
static void
eliminate(double a[INPUTS][INPUTS], double c[INPUTS][ITEMS])
{
    for (int p = 0; p < INPUTS; p++) {
        double pivot = a[p][p];
        for (int j = 0; j < INPUTS; j++)
            a[p][j] /= pivot;
        for (int j = 0; j < ITEMS; j++)
            c[p][j] /= pivot;
        for (int i = 0; i < INPUTS; i++) {
            double f = i == p ? 0 : a[i][p];
            for (int j = 0; j < INPUTS; j++)
                a[i][j] -= f * a[p][j];
            for (int j = 0; j < ITEMS; j++)
                c[i][j] -= f * c[p][j];
        }
    }
}

static struct pz_decay_config
config(void)
{
    return (struct pz_decay_config){.n_scales = SCALES,
                                    .keep = {0.6, 1},
                                    .regularization = {2, 5},
                                    .window = 100,
                                    .dense_bytes = SIZE_MAX,
                                    .neighbours = INPUTS,
                                    .entries = ITEMS,
                                    .dense_rows = ITEMS,
                                    .threads = 2};
}

static double g[INPUTS][INPUTS], c[INPUTS][ITEMS];

static void
check_against(const struct pz_decay_config *config, double tolerance)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_linear_made made[SCALES];
    ck_ok(pz_decay_train(made, &e, config, &err), err);
    for (uint32_t s = 0; s < SCALES; s++) {
        struct pz_linear l = pz_linear_view(&made[s]);
        for (uint32_t i = 0; i < ITEMS; i++)
            for (uint32_t j = 0; j < ITEMS; j++)
                ck_assert_double_eq_tol(pz_linear_weight(&l, i, j), c[s * ITEMS + i][j],
                                        tolerance);
        pz_linear_made_release(&made[s]);
    }
}

START_TEST(whole_equations)
{
    for (int weighted = 0; weighted < 2; weighted++) {
        make_events(weighted);
        struct pz_decay_config k = config();
        equations(k.keep, g, c);
        for (int i = 0; i < INPUTS; i++)
            g[i][i] += k.regularization[i / ITEMS];
        eliminate(g, c);
        // Memory of 0.6 an event ends where it is worth a thousandth.
        check_against(&k, 2e-4);
        k.dense_rows = 0; // cut to the greatest, which here are all
        k.threads = 0;    // as many as there are
        check_against(&k, 2e-4);
    }
}
END_TEST

/* B by columns, each from the inputs that are nearest to it alone. */
static void
by_columns(const struct pz_decay_config *k)
{
    static double a[INPUTS][INPUTS], x[INPUTS][ITEMS], best[INPUTS][ITEMS];
    equations(k->keep, g, c);
    for (int j = 0; j < ITEMS; j++) {
        bool in[INPUTS] = {false};
        for (uint32_t n = 0; n < k->neighbours; n++) {
            int top = -1;
            double most = 0;
            for (int i = 0; i < INPUTS; i++) {
                double near = c[i][j] / sqrt(g[i][i] + k->regularization[i / ITEMS]);
                if (!in[i] && near > most) {
                    most = near;
                    top = i;
                }
            }
            if (top >= 0)
                in[top] = true;
        }
        memset(x, 0, sizeof x);
        for (int i = 0; i < INPUTS; i++) {
            for (int l = 0; l < INPUTS; l++)
                a[i][l] = in[i] && in[l] ? g[i][l] : 0;
            a[i][i] = in[i] ? g[i][i] + k->regularization[i / ITEMS] : 1;
            x[i][j] = in[i] ? c[i][j] : 0;
        }
        eliminate(a, x);
        for (int i = 0; i < INPUTS; i++)
            best[i][j] = x[i][j];
    }
    memcpy(c, best, sizeof c);
}

START_TEST(few_neighbours)
{
    for (int kind = 0; kind < 4; kind++) {
        make_events(kind % 2);
        struct pz_decay_config k = config();
        k.dense_bytes = 0;
        k.neighbours = kind / 2 ? 5 : INPUTS;
        by_columns(&k);
        check_against(&k, 5e-4);
    }
}
END_TEST

/* A window that cuts a memory without end off leaves equations that no regularization of
 * that size makes definite; there is an answer all the same. */
START_TEST(cut_memory)
{
    enum { LONG = 4000 };
    static uint32_t same[LONG];
    static int64_t times[LONG];
    uint64_t ends[] = {0, LONG};
    struct pz_err err = PZ_ERR_INIT;
    struct pz_linear_made made[SCALES];
    struct pz_decay_config k = config();
    struct pz_events all = {.n_users = 1,
                            .n_items = ITEMS,
                            .n = LONG,
                            .offsets = ends,
                            .item = same,
                            .time = times};
    for (uint32_t i = 0; i < LONG; i++)
        same[i] = i / 20 % 2; // blocks that the window holds one and a half of
    k.window = 30;
    k.keep[0] = 1;
    for (int dense = 0; dense < 2; dense++) {
        k.dense_bytes = dense ? SIZE_MAX : 0;
        ck_ok(pz_decay_train(made, &all, &k, &err), err);
        for (uint32_t s = 0; s < SCALES; s++) {
            struct pz_linear l = pz_linear_view(&made[s]);
            for (uint32_t i = 0; i < ITEMS; i++)
                for (uint32_t j = 0; j < ITEMS; j++)
                    ck_assert(isfinite(pz_linear_weight(&l, i, j)));
            pz_linear_made_release(&made[s]);
        }
    }
}
END_TEST

START_TEST(nothing_to_learn)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_linear_made made[SCALES];
    struct pz_decay_config k = config();
    make_events(false);
    e.n = 0;
    memset(offsets, 0, sizeof offsets);
    ck_assert_int_eq(pz_decay_train(made, &e, &k, &err), PZ_DATA);
    ck_assert_ptr_nonnull(strstr(err.msg, "no events"));
    ck_assert_double_eq_tol(pz_decay_halflife(0.5), 1, 1e-12);
    ck_assert(pz_decay_halflife(1) == 0);
}
END_TEST

/* n_ij as recipe/parts.h has it, for every pair. */
START_TEST(rules)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_builder *builder;
    struct pz_tensors view;
    struct pz_params params;
    make_events(true);
    pz_params_init(&params, pz_user_personalization_params);
    ck_ok(pz_builder_new(&builder, &err), err);
    struct pz_train t = {.events = &e, .params = &params, .threads = 2, .model = builder};
    ck_assert(pz_part_rules.cost(&t) > 0);
    ck_ok(pz_part_rules.train(&t, &err), err);
    ck_ok(pz_builder_view(builder, &view, &err), err);
    struct pz_model model = {.file = view, .n_users = USERS, .n_items = ITEMS};
    double n[ITEMS][ITEMS] = {{0}}, row[ITEMS], column[ITEMS];
    for (uint32_t u = 0; u < USERS; u++)
        for (uint64_t j = offsets[u]; j < offsets[u + 1]; j++)
            for (uint64_t k = offsets[u]; k < j; k++)
                if (item[k] != item[j])
                    n[item[k]][item[j]] += w(k) * w(j) / sqrt((double)(j - k));
    for (int i = 0; i < ITEMS; i++) {
        row[i] = column[i] = 10;
        for (int j = 0; j < ITEMS; j++) {
            row[i] += n[i][j];
            column[i] += n[j][i];
        }
    }
    void *state, *work;
    ck_ok(pz_part_rules.open(&state, &model, &err), err);
    ck_ok(pz_part_rules.work_new(&work, state, 1, &err), err);
    float score[32];
    const uint32_t history[] = {3, 1};
    struct pz_query q = {.user = PZ_NO_ID, .history = history, .n_history = 2};
    bool known;
    ck_ok(pz_part_rules.score(state, work, &q, 1, score, 32, &known, &err), err);
    ck_assert(known);
    for (int j = 0; j < ITEMS; j++) {
        double want = n[1][j] / (sqrt(row[1]) * pow(column[j], 0.3)) +
                      0.8 * n[3][j] / (sqrt(row[3]) * pow(column[j], 0.3));
        ck_assert_double_eq_tol((double)score[j], want, 1e-5);
    }
    pz_part_rules.work_free(work);
    pz_part_rules.close(state);
    pz_tensors_close(&view);
    pz_builder_free(builder);
}
END_TEST

/* What the parts are made like goes by items that somebody had, not by the catalogue. */
START_TEST(great_catalogue)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_params params;
    static uint64_t ends[] = {0, 31 * 3};
    static uint32_t three[31 * 3];
    static int64_t moment[31 * 3];
    for (uint32_t i = 0; i < 31 * 3; i++)
        three[i] = i % 3;
    pz_params_init(&params, pz_user_personalization_params);
    for (uint32_t n_items = 3; n_items < 5000; n_items += 4000) {
        struct pz_events all = {.n_users = 1,
                                .n_items = n_items,
                                .n = 31 * 3,
                                .offsets = ends,
                                .item = three,
                                .time = moment};
        struct pz_builder *b;
        ck_ok(pz_builder_new(&b, &err), err);
        struct pz_train t = {.events = &all, .params = &params, .threads = 1, .model = b};
        ck_assert(pz_is_thick(&all));
        ck_assert(pz_past_halflife(&t) == 23);
        ck_ok(pz_part_next.train(&t, &err), err);
        ck_assert_str_eq(pz_builder_get_meta(b, "train.next.scales"), "3");
        // In closed form: whole rows.
        struct pz_tensors view;
        ck_ok(pz_builder_view(b, &view, &err), err);
        ck_assert_ptr_nonnull(pz_tensors_find(&view, "next0.place"));
        pz_tensors_close(&view);
        pz_builder_free(b);
        all.n = ends[1] = 29 * 3;
        ck_assert(!pz_is_thick(&all));
        ends[1] = 31 * 3;
    }
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("decay");
    TCase *t = tcase_create("decay");
    tcase_add_test(t, whole_equations);
    tcase_add_test(t, few_neighbours);
    tcase_add_test(t, cut_memory);
    tcase_add_test(t, nothing_to_learn);
    tcase_add_test(t, rules);
    tcase_add_test(t, great_catalogue);
    suite_add_tcase(s, t);
    return s;
}
