/* The parts that are the same for every history, against sums by hand. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "recipe/parts.h"
#include "unit.h"

enum { USERS = 40, ITEMS = 21, MOST = 12, STRIDE = 32 };

static uint64_t offsets[USERS + 1];
static uint32_t item[USERS * MOST];
static int64_t when[USERS * MOST];
static float weight[USERS * MOST], score[2 * STRIDE];
static struct pz_events e;
static struct pz_builder *builder;
static struct pz_model model;
static void *state;

static void
make_events(bool timed, bool weighted)
{
    struct pz_rng rng;
    pz_rng_seed(&rng, 2, 7);
    e = (struct pz_events){
        .n_users = USERS, .n_items = ITEMS, .offsets = offsets, .item = item};
    for (uint32_t u = 0; u < USERS; u++) {
        uint64_t len = pz_rng_below(&rng, MOST);
        for (uint64_t k = 0; k < len; k++, e.n++) {
            item[e.n] = (uint32_t)pz_rng_below(&rng, ITEMS - 1); // nobody has the last
            when[e.n] = (int64_t)pz_rng_below(&rng, 5000) - 2000;
            weight[e.n] = (float)(1 + pz_rng_below(&rng, 4)) / 4;
        }
        offsets[u + 1] = e.n;
    }
    when[3] = INT64_C(-4000000000); // a stray clock must not stretch the halflife
    e.time = timed ? when : NULL;
    e.weight = weighted ? weight : NULL;
}

static void
learn(const struct pz_part *part, int threads)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_tensors view;
    ck_ok(pz_builder_new(&builder, &err), err);
    struct pz_train t = {.events = &e, .threads = threads, .model = builder};
    ck_assert(part->impersonal);
    ck_assert(part->cost(&t) > 0 && part->cost(&t) < 1e-3);
    ck_ok(part->train(&t, &err), err);
    ck_ok(pz_builder_view(builder, &view, &err), err);
    model = (struct pz_model){.file = view, .n_users = USERS, .n_items = ITEMS};
    ck_ok(part->open(&state, &model, &err), err);
    const uint32_t history[] = {3, ITEMS - 1};
    struct pz_query q[] = {{.history = history, .n_history = 2}, {.n_history = 0}};
    bool known[2];
    memset(score, 0x7f, sizeof score);
    ck_ok(part->score(state, NULL, q, 2, score, STRIDE, known, &err), err);
    ck_assert(known[0] && !known[1]);
    for (int i = 0; i < ITEMS; i++)
        ck_assert(score[STRIDE + i] == 0);
    for (uint32_t i = 0; i < ITEMS; i++) {
        struct pz_reason reason[2];
        struct pz_explained why = {.reason = reason};
        ck_ok(part->explain(state, NULL, &q[0], i, &why, &err), err);
        ck_assert_uint_eq(why.n, 1);
        ck_assert_str_eq(reason[0].label,
                         part == &pz_part_recent ? "RECENCY" : "POPULARITY");
        ck_assert_uint_eq(reason[0].n_label, strlen(reason[0].label));
        ck_assert(reason[0].contribution == (double)score[i] &&
                  why.raw == (double)score[i]);
        ck_ok(part->explain(state, NULL, &q[1], i, &why, &err), err);
        ck_assert_uint_eq(why.n, 0);
        ck_assert(why.raw == 0);
    }
}

static void
forget(const struct pz_part *part)
{
    part->close(state);
    pz_tensors_close(&model.file);
    pz_builder_free(builder);
}

START_TEST(users_of_an_item)
{
    make_events(true, true);
    learn(&pz_part_popular, 2);
    for (uint32_t i = 0; i < ITEMS; i++) {
        int users = 0;
        for (uint32_t u = 0; u < USERS; u++) {
            bool has = false;
            for (uint64_t k = offsets[u]; k < offsets[u + 1]; k++)
                has |= item[k] == i;
            users += has;
        }
        ck_assert_double_eq_tol((double)score[i], log(1.0 + users), 1e-6);
    }
    ck_assert(score[ITEMS - 1] == 0);
    forget(&pz_part_popular);
}
END_TEST

static int
newest_first(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x < *y) - (*x > *y);
}

START_TEST(late_events)
{
    for (int kind = 0; kind < 4; kind++) {
        int64_t sorted[USERS * MOST];
        make_events(kind & 1, kind & 2);
        memcpy(sorted, when, e.n * sizeof *when);
        qsort(sorted, e.n, sizeof *sorted, newest_first);
        size_t tenth = (size_t)((e.n + 9) / 10);
        double half = (double)(sorted[0] - sorted[tenth - 1]);
        ck_assert(half > 100 && half < 2000);
        learn(&pz_part_recent, 1 + kind);
        for (uint32_t i = 0; i < ITEMS; i++) {
            double sum = 0;
            for (uint64_t k = 0; k < e.n; k++)
                if (item[k] == i)
                    sum +=
                        (kind & 2 ? (double)weight[k] : 1) *
                        (kind & 1 ? pow(0.5, (double)(sorted[0] - when[k]) / half) : 1);
            ck_assert_double_eq_tol((double)score[i], log(1 + sum), 1e-6);
        }
        forget(&pz_part_recent);
    }
}
END_TEST

START_TEST(damaged)
{
    struct pz_err err = PZ_ERR_INIT;
    make_events(true, false);
    learn(&pz_part_recent, 1);
    void *other = NULL;
    ck_assert_int_eq(pz_part_popular.open(&other, &model, &err), PZ_FORMAT);
    model.n_items++;
    ck_assert_int_eq(pz_part_recent.open(&other, &model, &err), PZ_FORMAT);
    ck_assert_ptr_null(other);
    forget(&pz_part_recent);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("popular");
    TCase *t = tcase_create("popular");
    tcase_add_test(t, users_of_an_item);
    tcase_add_test(t, late_events);
    tcase_add_test(t, damaged);
    suite_add_tcase(s, t);
    return s;
}
