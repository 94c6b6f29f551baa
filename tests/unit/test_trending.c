/* aws-trending-now against a plain count of both intervals. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recipe/model.h"
#include "toy.h"
#include "unit.h"

enum { USERS = 50, ITEMS = 40, MOST = 30 };

static struct pz_err err;
static struct pz_dataset data;
static struct pz_world world;
static struct pz_events events;
static struct pz_trained trained;

/* Events over `span` seconds up to 1700000000, users 0 to USERS-1. */
static void
make(uint64_t seed, uint64_t span)
{
    struct pz_rng rng;
    struct pz_selection all = {0};
    struct pz_selection_report report;
    static struct toy_row row[USERS * MOST];
    size_t n = 0;
    pz_rng_seed(&rng, seed, 0);
    for (uint32_t u = 0; u < USERS; u++)
        for (uint64_t k = pz_rng_below(&rng, MOST); k > 0; k--) {
            double x = pz_rng_unit(&rng);
            row[n++] =
                (struct toy_row){.user = u,
                                 .item = (uint32_t)(x * x * (ITEMS - 3)),
                                 .time = 1700000000 - (int64_t)pz_rng_below(&rng, span)};
        }
    row[0].time = 1700000000;
    toy_dataset(&data, USERS, ITEMS, row, n);
    pz_world_of(&world, &data);
    ck_ok(pz_events_select(&data, &all, &events, &report, &err), err);
}

static void
learn(const char *const *set)
{
    struct pz_params p;
    pz_params_init(&p, pz_recipe_trending.params);
    for (; *set; set++)
        ck_ok(pz_params_set(&p, *set, &err), err);
    struct pz_train t = {.events = &events, .params = &p, .world = &world, .threads = 1};
    ck_ok(pz_trained_open(&trained, &pz_recipe_trending, &t, &err), err);
}

static void
unlearn(void)
{
    pz_trained_close(&trained);
}

static void
clear(void)
{
    pz_events_release(&events);
    toy_release(&data);
}

struct counts {
    double rise, now, users;
};

static struct counts
counts_of(uint32_t item, int64_t length, bool zscore)
{
    double now = 0, before = 0, users = 0;
    for (uint32_t u = 0; u < USERS; u++) {
        bool had = false;
        for (uint64_t i = events.offsets[u]; i < events.offsets[u + 1]; i++) {
            int64_t t = events.time[i];
            if (events.item[i] != item)
                continue;
            had = true;
            now += t > 1700000000 - length;
            before += t <= 1700000000 - length && t > 1700000000 - 2 * length;
        }
        users += had;
    }
    double rise = now - before;
    return (struct counts){zscore ? rise / sqrt(now + before + 1) : rise, now, users};
}

static bool
ahead(struct counts a, struct counts b)
{
    if (a.rise != b.rise)
        return a.rise > b.rise;
    return a.now != b.now ? a.now > b.now : a.users > b.users;
}

START_TEST(counted)
{
    static const struct {
        const char *frequency;
        int64_t length;
    } t[] = {{"30 minutes", 1800},
             {"1 hour", 3600},
             {"2 hours", 7200},
             {"3_hours", 10800},
             {"1 day", 86400}};
    for (size_t k = 0; k < 2 * (sizeof t / sizeof *t); k++) {
        bool zscore = k % 2;
        int64_t length = t[k / 2].length;
        char text[64];
        snprintf(text, sizeof text, "trend_discovery_frequency=%s", t[k / 2].frequency);
        const char *set[] = {text, zscore ? "rise=zscore" : "rise=difference", NULL};
        make(k, (uint64_t)length * 5 / 2);
        learn(set);
        uint32_t item[ITEMS];
        float score[ITEMS];
        struct pz_query q = {.user = PZ_NO_ID, .item = PZ_NO_ID, .n = ITEMS};
        struct pz_ranked out = {.item = item, .score = score};
        ck_ok(pz_recipe_trending.rank(trained.model.state, &q, 1, &out, &err), err);
        ck_assert(!out.fallback);
        size_t rising = 0, popular = 0;
        for (uint32_t i = 0; i < ITEMS; i++)
            rising += counts_of(i, length, zscore).rise > 0;
        ck_assert_uint_gt(rising, 3);
        ck_assert_uint_eq(out.n, trained.model.n_popular);
        for (size_t i = 0; i < out.n; i++) {
            struct counts c = counts_of(item[i], length, zscore);
            ck_assert(isnan(score[i]));
            ck_assert_int_eq(c.rise > 0, i < rising);
            if (i > 0 && i < rising) {
                struct counts last = counts_of(item[i - 1], length, zscore);
                ck_assert(ahead(last, c) || (!ahead(c, last) && item[i - 1] < item[i]));
            }
            if (i >= rising) { // in the order of popularity
                while (trained.model.popular[popular] != item[i])
                    ck_assert_uint_lt(++popular, trained.model.n_popular);
            }
        }
        unlearn();
        clear();
    }
}
END_TEST

/* A blank in a choice: '_' where columns are parted by blanks, itself in JSON. */
START_TEST(blanks)
{
    struct pz_params p;
    struct pz_buf text = PZ_BUF_INIT;
    pz_params_init(&p, pz_recipe_trending.params);
    pz_params_help(pz_recipe_trending.params, &text);
    ck_assert_ptr_nonnull(strstr(text.data,
                                 "trend_discovery_frequency choice 2_hours "
                                 "30_minutes|1_hour|2_hours|3_hours|1_day length of"));
    pz_buf_clear(&text);
    pz_params_json(&p, &text);
    ck_assert_ptr_nonnull(strstr(text.data, "\"trend_discovery_frequency\":\"2 hours\""));
    pz_buf_release(&text);
    ck_assert_int_eq(pz_params_set(&p, "trend_discovery_frequency=2-hours", &err),
                     PZ_USAGE);
}
END_TEST

/* Nothing rises: popular items, and it is said. Then filters and candidates. */
START_TEST(falling)
{
    struct toy_row row[] = {{.user = 0, .item = 1, .time = 1699999000},
                            {.user = 0, .item = 2, .time = 1700000000},
                            {.user = 1, .item = 2, .time = 1699998000},
                            {.user = 2, .item = 2, .time = 1699990000}};
    struct pz_selection all = {0};
    struct pz_selection_report report;
    const char *set[] = {"trend_discovery_frequency=30 minutes", NULL};
    uint32_t item[ITEMS];
    float score[ITEMS];
    struct pz_query q = {.user = PZ_NO_ID, .item = PZ_NO_ID, .n = 5};
    struct pz_ranked out = {.item = item, .score = score};
    for (int rising = 0; rising < 2; rising++) {
        row[0].time = rising ? 1699999000 : 1699990000;
        toy_dataset(&data, 3, ITEMS, row, 4);
        pz_world_of(&world, &data);
        ck_ok(pz_events_select(&data, &all, &events, &report, &err), err);
        learn(set); // item 2: one event now, one before
        ck_ok(pz_recipe_trending.rank(trained.model.state, &q, 1, &out, &err), err);
        ck_assert_uint_eq(out.n, 2);
        ck_assert_int_eq(out.fallback, !rising);
        ck_assert_uint_eq(item[0], rising ? 1 : 2);
        ck_assert_uint_eq(item[1], rising ? 2 : 1);
        uint32_t given[] = {7, 2, 1}, not_these[] = {item[0]};
        struct pz_query c = {.user = PZ_NO_ID,
                             .item = PZ_NO_ID,
                             .candidate = given,
                             .n_candidates = 3,
                             .n = 3};
        uint32_t first = item[0], second = item[1];
        ck_ok(pz_recipe_trending.rank(trained.model.state, &c, 1, &out, &err), err);
        ck_assert_uint_eq(out.n, 3);
        ck_assert_uint_eq(item[0], first);
        ck_assert_uint_eq(item[1], second);
        ck_assert_uint_eq(item[2], 7);
        c = q;
        c.exclude = not_these;
        c.n_exclude = 1;
        ck_ok(pz_recipe_trending.rank(trained.model.state, &c, 1, &out, &err), err);
        ck_assert_uint_eq(out.n, 1);
        ck_assert_uint_eq(item[0], second);
        unlearn();
        clear();
    }
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("trending");
    TCase *t = tcase_create("trending");
    tcase_add_test(t, counted);
    tcase_add_test(t, blanks);
    tcase_add_test(t, falling);
    suite_add_tcase(s, t);
    return s;
}
