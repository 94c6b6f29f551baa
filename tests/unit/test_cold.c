/* Scores of items without events, against all pairs of items. */
#include <math.h>
#include <stdlib.h>

#include "recipe/cold.h"
#include "recipe/features.h"
#include "toy.h"
#include "unit.h"

enum { USERS = 90, ITEMS = 80, HAD = 60, MOST = 2000 };

static struct toy_row row[MOST];
static size_t n_rows;
static struct pz_dataset data, items;
static struct pz_world world;
static struct pz_events events;
static struct pz_params params;
static struct pz_trained trained;
static uint32_t count[ITEMS];

/* Items have their number for a row of toy_items(); people keep to a kind of theirs. */
static void
build(void)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_selection all = {.n_rules = 0};
    struct pz_selection_report report;
    struct pz_rng rng;
    static uint32_t same[ITEMS];
    const struct pz_recipe *recipe = pz_recipe_find("aws-user-personalization");
    pz_rng_seed(&rng, 4, 4);
    n_rows = 0;
    memset(count, 0, sizeof count);
    for (uint32_t u = 0; u < USERS; u++)
        for (uint32_t k = 0; k < 10; k++) {
            uint32_t it = (uint32_t)pz_rng_below(&rng, HAD);
            if (it * 7 % 3 != u % 3 && pz_rng_below(&rng, 6))
                it = it / 3 * 3 + u % 3; // another name, the kind that is theirs
            it %= HAD;
            count[it]++;
            row[n_rows] =
                (struct toy_row){.user = u, .item = it, .time = (int64_t)n_rows};
            n_rows++;
        }
    toy_dataset(&data, USERS, ITEMS, row, n_rows);
    toy_items(&items, ITEMS);
    pz_world_of(&world, &data);
    for (uint32_t i = 0; i < ITEMS; i++)
        same[i] = i;
    world.items = &items;
    world.item_row = same;
    ck_ok(pz_events_select(&data, &all, &events, &report, &err), err);
    pz_params_init(&params, recipe->params);
    ck_ok(pz_params_set(&params, "hidden_dimension=32", &err), err);
    ck_ok(pz_params_set(&params, "cold_gain=0.8", &err), err);
    struct pz_train t = {
        .events = &events, .params = &params, .world = &world, .seed = 3, .threads = 2};
    ck_ok(pz_trained_open(&trained, recipe, &t, &err), err);
}

static void
drop(void)
{
    pz_trained_close(&trained);
    pz_events_release(&events);
    toy_release(&data);
    toy_release(&items);
}

static double
cosine(const struct pz_features *f, uint32_t i, uint32_t j)
{
    const struct pz_csr *m = &f->by_item;
    double sum = 0;
    for (uint64_t a = m->offsets[i]; a < m->offsets[i + 1]; a++)
        for (uint64_t b = m->offsets[j]; b < m->offsets[j + 1]; b++)
            if (m->col[a] == m->col[b])
                sum += (double)m->value[a] * (double)m->value[b];
    return sum;
}

START_TEST(takes_from_the_most_alike)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_features_spec spec = {.sorts = PZ_FEATURE_ALL, .keep = 32, .threads = 1};
    struct pz_features f;
    struct pz_cold c;
    build();
    ck_ok(pz_features_make(&f, &world, &spec, &err), err);
    ck_ok(pz_cold_open(&c, &trained.model, &err), err);
    uint64_t at = 0;
    for (uint32_t i = 0; i < ITEMS; i++) {
        if (count[i])
            continue;
        ck_assert_uint_eq(c.item[at], i);
        ck_assert_uint_eq(pz_cold_find(&c, i), at);
        uint64_t from = c.offsets[at], n = c.offsets[at + 1] - from;
        double all = 0, least = 2, greatest_left = 0;
        bool in[ITEMS] = {false};
        ck_assert_uint_eq(n, PZ_COLD_LIKE);
        for (uint64_t k = from; k < from + n; k++) {
            double x = cosine(&f, i, c.like[k]);
            all += x * x * x;
            least = fmin(least, x);
            in[c.like[k]] = true;
        }
        for (uint32_t j = 0; j < ITEMS; j++)
            if (count[j] >= 5 && !in[j])
                greatest_left = fmax(greatest_left, cosine(&f, i, j));
        ck_assert_double_ge(least, greatest_left - 1e-6);
        for (uint64_t k = from; k < from + n; k++) {
            double x = cosine(&f, i, c.like[k]);
            ck_assert_uint_ge(count[c.like[k]], 5);
            ck_assert_double_eq_tol((double)c.weight[k], 0.8 * x * x * x / (0.2 + all),
                                    1e-5);
        }
        at++;
    }
    ck_assert_uint_eq(at, c.n);
    ck_assert_uint_ge(at, ITEMS - HAD);
    float score[ITEMS], want = 0;
    for (uint32_t i = 0; i < ITEMS; i++)
        score[i] = (float)(i % 13);
    for (uint64_t k = c.offsets[0]; k < c.offsets[1]; k++)
        want += c.weight[k] * score[c.like[k]];
    pz_cold_apply(&c, score);
    ck_assert_float_eq_tol(score[c.item[0]], want, 1e-5f);
    ck_assert(score[14] == 1 || !count[14]);
    pz_features_release(&f);
    drop();
}
END_TEST

/* Of items that nobody had, people are offered those of the kind that they keep to; and
 * the reasons add up to the score. */
START_TEST(offers_the_kind_that_is_liked)
{
    struct pz_err err = PZ_ERR_INIT;
    uint32_t got[ITEMS], right = 0, asked = 0;
    float score[ITEMS];
    build();
    for (uint32_t u = 0; u < USERS; u++) {
        uint32_t candidate[ITEMS];
        uint64_t from = events.offsets[u];
        struct pz_query q = {.user = u,
                             .item = PZ_NO_ID,
                             .history = events.item + from,
                             .n_history = (size_t)(events.offsets[u + 1] - from),
                             .stored = true,
                             .candidate = candidate};
        struct pz_ranked out = {.item = got, .score = score};
        for (uint32_t i = HAD; i < ITEMS; i++)
            candidate[q.n_candidates++] = i;
        q.n = q.n_candidates;
        ck_ok(trained.model.recipe->rank(trained.model.state, &q, 1, &out, &err), err);
        ck_assert_uint_eq(out.n, ITEMS - HAD);
        for (size_t i = 0; i < 3; i++, asked++)
            right += got[i] * 7 % 3 == u % 3;
        struct pz_reason reason[64];
        double raw[2];
        for (int k = 0; k < 2; k++) {
            struct pz_explained why = {.reason = reason};
            double sum = 0;
            ck_ok(trained.model.recipe->explain(trained.model.state, &q, got[k], &why,
                                                &err),
                  err);
            for (size_t i = 0; i < why.n; i++)
                sum += reason[i].contribution;
            ck_assert_double_eq_tol(sum, why.raw, 1e-6 * (1 + fabs(why.raw)));
            raw[k] = why.raw;
        }
        const char *t = pz_tensors_meta(&trained.model.file, "train.temperature");
        ck_assert_double_eq_tol((raw[0] - raw[1]) / strtod(t, NULL),
                                log((double)score[0] / (double)score[1]), 1e-3);
    }
    ck_assert_msg(right * 2 > asked, "%u of %u", right, asked); // a third by chance
    drop();
}
END_TEST

/* A catalogue of thousands that are described alike takes no step for each pair. */
START_TEST(many_alike)
{
    enum { N = 400000, WARM = N / 2, TIMES = 5 };
    struct pz_err err = PZ_ERR_INIT;
    struct toy_row one = {0};
    uint64_t offsets[] = {0, WARM * TIMES};
    struct pz_events e = {
        .n_users = 1, .n_items = N, .n = WARM * TIMES, .offsets = offsets};
    uint32_t *same = malloc(N * sizeof *same);
    struct pz_builder *b;
    struct pz_tensors view;
    struct pz_cold c;
    e.item = malloc(e.n * sizeof *e.item);
    for (uint32_t k = 0; k < e.n; k++)
        e.item[k] = N - WARM + k % WARM;
    for (uint32_t i = 0; i < N; i++)
        same[i] = i;
    toy_dataset(&data, 1, N, &one, 1);
    toy_items(&items, N);
    pz_world_of(&world, &data);
    world.items = &items;
    world.item_row = same;
    ck_ok(pz_builder_new(&b, &err), err);
    struct pz_train t = {.events = &e, .world = &world, .threads = 2, .model = b};
    ck_ok(pz_cold_train(&t, 0.8, &err), err);
    ck_ok(pz_builder_view(b, &view, &err), err);
    struct pz_model m = {.file = view, .n_users = 1, .n_items = N};
    ck_ok(pz_cold_open(&c, &m, &err), err);
    ck_assert_uint_eq(c.n, N - WARM);
    // Names come round every 5 items, kinds every 3, prices every 101 while the square of
    // a number fits 32 bits: so do the likes.
    enum { ROUND = 5 * 3 * 101, SQUARES = 65536 };
    for (uint64_t i = 0; i < c.n; i++) {
        ck_assert_uint_eq(c.offsets[i + 1] - c.offsets[i], PZ_COLD_LIKE);
        if (i < ROUND || i >= SQUARES)
            continue;
        ck_assert_mem_eq(c.like + i * PZ_COLD_LIKE, c.like + (i - ROUND) * PZ_COLD_LIKE,
                         PZ_COLD_LIKE * sizeof *c.like);
        ck_assert_mem_eq(c.weight + i * PZ_COLD_LIKE,
                         c.weight + (i - ROUND) * PZ_COLD_LIKE,
                         PZ_COLD_LIKE * sizeof *c.weight);
    }
    pz_tensors_close(&view);
    pz_builder_free(b);
    toy_release(&data);
    toy_release(&items);
    free(same);
    free(e.item);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("cold");
    TCase *t = tcase_create("cold");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, takes_from_the_most_alike);
    tcase_add_test(t, offers_the_kind_that_is_liked);
    tcase_add_test(t, many_alike);
    suite_add_tcase(s, t);
    return s;
}
