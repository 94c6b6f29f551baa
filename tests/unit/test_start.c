/* What people are offered first, chosen and summed up the plain way. */
#include <math.h>
#include <stdlib.h>

#include "recipe/start.h"
#include "toy.h"
#include "unit.h"

enum { USERS = 400, ITEMS = 60, LONG = 9, MOST = USERS * LONG };

static struct toy_row row[MOST];
static size_t n_rows;
static struct pz_dataset data;
static struct pz_events events;
static struct pz_builder *builder;
static struct pz_model model;

/* Users come one after the other. They begin with what is in fashion, which moves on, and
 * then take what is always liked; or only that. */
static void
make_rows(bool fashion)
{
    struct pz_rng rng;
    pz_rng_seed(&rng, 21, 3);
    n_rows = 0;
    for (uint32_t u = 0; u < USERS; u++) {
        uint32_t len = 2 + (uint32_t)pz_rng_below(&rng, LONG - 2);
        for (uint32_t k = 0; k < len; k++) {
            uint32_t it = (uint32_t)(pz_rng_below(&rng, 8) * pz_rng_below(&rng, 3));
            if (fashion && k < 2)
                it = 20 + u / 20 + (uint32_t)pz_rng_below(&rng, 3);
            row[n_rows++] =
                (struct toy_row){.user = u, .item = it, .time = u * 1000 + k * 700};
        }
    }
}

static void
train(uint32_t n_users)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_selection all = {.n_rules = 0};
    struct pz_selection_report report;
    struct pz_world world;
    struct pz_tensors view;
    size_t n = 0;
    while (n < n_rows && row[n].user < n_users)
        n++;
    toy_dataset(&data, n_users, ITEMS, row, n);
    pz_world_of(&world, &data);
    ck_ok(pz_events_select(&data, &all, &events, &report, &err), err);
    ck_ok(pz_builder_new(&builder, &err), err);
    struct pz_train t = {.events = &events, .world = &world, .model = builder};
    ck_ok(pz_start_train(&t, &err), err);
    ck_ok(pz_builder_view(builder, &view, &err), err);
    model = (struct pz_model){.file = view, .n_items = ITEMS};
}

static void
drop(void)
{
    pz_tensors_close(&model.file);
    pz_builder_free(builder);
    pz_events_release(&events);
    toy_release(&data);
}

static double
meta(const char *key)
{
    const char *text = pz_tensors_meta(&model.file, key);
    ck_assert_ptr_nonnull(text);
    return strcmp(text, "none") ? strtod(text, NULL) : INFINITY;
}

/* The header's sum for an item from the rows before `limit`. */
static double
sum_of(uint32_t item, double f, double h, int64_t limit)
{
    double sum = 0;
    int64_t end = 0;
    for (size_t i = 0; i < n_rows; i++)
        end = row[i].time < limit && row[i].time > end ? row[i].time : end;
    for (size_t i = 0; i < n_rows; i++) {
        bool met[ITEMS] = {false};
        int before = 0;
        if (row[i].item != item || row[i].time >= limit)
            continue;
        for (size_t j = i; j-- > 0 && row[j].user == row[i].user;) {
            before += !met[row[j].item];
            met[row[j].item] = true;
        }
        if (!met[item])
            sum += exp2(-(double)(end - row[i].time) / h) *
                   (isinf(f) ? 1 : exp2(-before / f));
    }
    return sum;
}

static size_t
order(double f, double h, int64_t limit, uint32_t *list, double *sum)
{
    size_t n = 0;
    for (uint32_t i = 0; i < ITEMS; i++) {
        double s = sum_of(i, f, h, limit);
        size_t at = n;
        if (s <= 0)
            continue;
        while (at > 0 && (float)log1p(sum[at - 1]) < (float)log1p(s)) {
            sum[at] = sum[at - 1];
            list[at] = list[at - 1];
            at--;
        }
        sum[at] = s;
        list[at] = i;
        n++;
    }
    return n;
}

/* NDCG at 25 of the last n users' first five items. */
static double
worth(double f, double h, uint32_t n)
{
    uint32_t list[ITEMS], u = USERS;
    double sum[ITEMS], total = 0;
    int64_t limit = (int64_t)(USERS - n) * 1000;
    size_t len = order(f, h, limit, list, sum);
    while (u-- > USERS - n) {
        uint32_t truth[5];
        int n_truth = 0;
        double got = 0, ideal = 0;
        for (size_t i = 0; i < n_rows && n_truth < 5; i++) {
            bool new = row[i].user == u;
            for (int k = 0; k < n_truth; k++)
                new = new &&truth[k] != row[i].item;
            if (new)
                truth[n_truth++] = row[i].item;
        }
        for (int k = 0; k < n_truth; k++) {
            ideal += 1 / log2(k + 2);
            for (size_t p = 0; p < len && p < 25; p++)
                got += list[p] == truth[k] ? 1 / log2((double)p + 2) : 0;
        }
        total += got / ideal;
    }
    return total / n;
}

START_TEST(chooses_and_orders)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_start s;
    uint32_t list[ITEMS];
    double sum[ITEMS], best = -1, f = 0, h = 0, tenth = 1;
    static const double early[] = {INFINITY, 8, 2, 0.5},
                        age[] = {INFINITY, 4, 1, .25, .0625};
    make_rows(_i == 1);
    train(USERS);
    int64_t end = 0;
    for (size_t i = 0; i < n_rows; i++)
        end = row[i].time > end ? row[i].time : end;
    for (size_t n = 0; n < (n_rows + 9) / 10; tenth++) {
        n = 0;
        for (size_t i = 0; i < n_rows; i++)
            n += (double)(end - row[i].time) <= tenth;
    }
    tenth--;
    for (int a = 0; a < 5; a++)
        for (int e = 0; e < 4; e++) {
            double x = worth(early[e], age[a] * tenth, USERS / 10);
            if (x > best + 1e-12) {
                best = x;
                f = early[e];
                h = age[a] * tenth;
            }
        }
    ck_assert_double_eq_tol(meta("train.start.validation"), best, 1e-9);
    ck_assert_double_eq_tol(meta("train.start.popularity"),
                            worth(INFINITY, INFINITY, USERS / 10), 1e-9);
    ck_assert_double_eq(meta("train.start.users"), USERS / 10);
    ck_assert(meta("train.start.early") == f ||
              fabs(meta("train.start.early") - f) < 1e-9);
    ck_assert(meta("train.start.halflife") == h ||
              fabs(meta("train.start.halflife") - h) < 1e-6 * h);
    if (_i == 1) // fashion is found
        ck_assert_double_gt(best, 1.3 * meta("train.start.popularity"));
    size_t n = order(f, h, INT64_MAX, list, sum);
    ck_ok(pz_start_open(&s, &model, &err), err);
    ck_assert_uint_eq(s.n, n);
    for (size_t i = 0; i < n; i++) {
        ck_assert_double_eq_tol((double)s.score[i], log1p(sum[i]), 1e-5);
        ck_assert(s.item[i] == list[i] ||
                  fabs(sum_of(s.item[i], f, h, INT64_MAX) - sum[i]) < 1e-6);
    }
    drop();
}
END_TEST

/* Too few users to try anything on: popularity. */
START_TEST(few_users)
{
    make_rows(true);
    train(60);
    ck_assert(isinf(meta("train.start.early")) && isinf(meta("train.start.halflife")));
    ck_assert_double_eq(meta("train.start.users"), 0);
    ck_assert_ptr_null(pz_tensors_meta(&model.file, "train.start.validation"));
    drop();
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("start");
    TCase *t = tcase_create("start");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, chooses_and_orders, 0, 2);
    tcase_add_test(t, few_users);
    suite_add_tcase(s, t);
    return s;
}
