/* aws-user-personalization from training to answers, on a model in memory. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "recipe/start.h"
#include "recipe/model.h"
#include "unit.h"

enum { USERS = 90, ITEMS = 70, ID = 4, CUT_USER = 8, NEVER = 11, LONER = 20, LONE = 30 };

static struct {
    uint8_t user_bytes[USERS * ID], item_bytes[ITEMS * ID];
    int64_t user_offsets[USERS + 1], item_offsets[ITEMS + 1];
    uint64_t offsets[USERS + 1], cut_offsets[USERS + 1];
    uint32_t item[USERS * 40], cut_item[USERS * 40];
    int64_t when[USERS * 40];
    float weight[USERS * 40], cut_weight[USERS * 40];
} shop;

static bool with_loner; // user LONER has had LONE alone, which nobody else has

static struct pz_dataset data;
static struct pz_world world;
static struct pz_events events, cut; // all; without CUT_USER
static struct pz_params params;
static struct pz_builder *builder;
static struct pz_model model;
static const struct pz_recipe *recipe;

static void
name_all(uint8_t *bytes, int64_t *offsets, struct pz_ids *ids, char letter, int n)
{
    for (int i = 0; i < n; i++) {
        char id[16];
        snprintf(id, sizeof id, "%c%03d", letter, i);
        memcpy(bytes + i * ID, id, ID);
        offsets[i + 1] = (i + 1) * ID;
    }
    *ids = (struct pz_ids){.bytes = bytes,
                           .offsets = offsets,
                           .n = (uint64_t)n,
                           .n_bytes = (uint64_t)n * ID};
}

/* Two tastes; item NEVER has no events. */
static void
make_shop(bool weighted)
{
    struct pz_rng rng;
    pz_rng_seed(&rng, 2, 4);
    name_all(shop.user_bytes, shop.user_offsets, &data.user, 'u', USERS);
    name_all(shop.item_bytes, shop.item_offsets, &data.item, 'i', ITEMS);
    uint64_t n = 0, n_cut = 0;
    for (uint32_t u = 0; u < USERS; u++) {
        uint64_t count = 3 + pz_rng_below(&rng, 30);
        for (uint64_t k = 0; k < count; k++) {
            uint32_t i = (uint32_t)pz_rng_below(&rng, ITEMS / 2) * 2;
            i = pz_rng_below(&rng, 5) ? i + u % 2 : i + !(u % 2);
            if (with_loner && u == LONER)
                i = LONE;
            if (i == NEVER || (with_loner && u != LONER && i == LONE))
                continue;
            shop.item[n] = i;
            shop.when[n] = (int64_t)n;
            shop.weight[n] = 0.25f * (float)(1 + pz_rng_below(&rng, 4));
            if (u != CUT_USER) {
                shop.cut_item[n_cut] = i;
                shop.cut_weight[n_cut++] = shop.weight[n];
            }
            n++;
        }
        shop.offsets[u + 1] = n;
        shop.cut_offsets[u + 1] = n_cut;
    }
    events = (struct pz_events){.n_users = USERS,
                                .n_items = ITEMS,
                                .n = n,
                                .offsets = shop.offsets,
                                .item = shop.item,
                                .time = shop.when};
    cut = events;
    cut.n = n_cut;
    cut.offsets = shop.cut_offsets;
    cut.item = shop.cut_item;
    if (weighted) {
        events.weight = shop.weight;
        cut.weight = shop.cut_weight;
    }
}

static void
build(bool weighted, const char *const *assign)
{
    struct pz_err err = PZ_ERR_INIT;
    recipe = pz_recipe_find("aws-user-personalization");
    ck_assert_ptr_nonnull(recipe);
    make_shop(weighted);
    pz_params_init(&params, recipe->params);
    for (; *assign; assign++)
        ck_ok(pz_params_set(&params, *assign, &err), err);
    ck_ok(pz_builder_new(&builder, &err), err);
    pz_world_of(&world, &data);
    struct pz_train t = {.events = &events,
                         .params = &params,
                         .world = &world,
                         .seed = 7,
                         .threads = 2,
                         .model = builder};
    ck_ok(pz_model_begin(recipe, &t, &err), err);
    t.events = &cut;
    ck_ok(recipe->train(&t, &err), err);
    struct pz_tensors view;
    ck_ok(pz_builder_view(builder, &view, &err), err);
    ck_ok(pz_model_open_tensors(&model, &view, &err), err);
}

static void
finish(void)
{
    pz_model_close(&model);
    pz_builder_free(builder);
}

static struct pz_query
query_of(uint32_t u, bool stored, size_t n)
{
    uint64_t from = shop.offsets[u];
    return (struct pz_query){.user = u,
                             .history = shop.item + from,
                             .weight = events.weight ? events.weight + from : NULL,
                             .n_history = shop.offsets[u + 1] - from,
                             .stored = stored,
                             .item = PZ_NO_ID,
                             .n = n};
}

static const char *const PLAIN[] = {"model=ials", "hidden_dimension=32", "iterations=4",
                                    "recency_mask=False", NULL};
static const char *const RECENT[] = {"model=ials",   "hidden_dimension=40",
                                     "iterations=4", "recency_halflife=3",
                                     "repeats=once", NULL};

static uint32_t got_item[USERS][ITEMS], one_item[ITEMS];
static float got_score[USERS][ITEMS], one_score[ITEMS];

/* All users at once; each alone, stored and folded in; probabilities; ties of the two. */
static void
check_ranks(void)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_query q[USERS];
    struct pz_ranked out[USERS], one = {.item = one_item, .score = one_score};
    for (uint32_t u = 0; u < USERS; u++) {
        q[u] = query_of(u, true, ITEMS);
        out[u] = (struct pz_ranked){.item = got_item[u], .score = got_score[u]};
    }
    ck_ok(recipe->rank(model.state, q, USERS, out, &err), err);
    for (uint32_t u = 0; u < USERS; u++) {
        ck_assert(!out[u].fallback);
        ck_assert_uint_eq(out[u].n, ITEMS);
        double sum = 0;
        for (size_t i = 0; i < ITEMS; i++)
            sum += (double)got_score[u][i];
        ck_assert_double_eq_tol(sum, 1, 1e-5);
        ck_ok(recipe->rank(model.state, &q[u], 1, &one, &err), err);
        ck_assert_mem_eq(one_item, got_item[u], sizeof one_item);
        ck_assert_mem_eq(one_score, got_score[u], sizeof one_score);
        q[u].stored = false;
        ck_ok(recipe->rank(model.state, &q[u], 1, &one, &err), err);
        float folded[ITEMS];
        for (size_t i = 0; i < ITEMS; i++)
            folded[one_item[i]] = one_score[i];
        for (size_t i = 0; i < ITEMS; i++)
            ck_assert_double_eq_tol(folded[got_item[u][i]], got_score[u][i], 1e-4);
    }
}

/* The terms sum to the score, and the score is what the ranks were made from. */
static void
check_reasons(void)
{
    struct pz_err err = PZ_ERR_INIT;
    const char *text = pz_tensors_meta(&model.file, "train.temperature");
    ck_assert_ptr_nonnull(text);
    double t = strtod(text, NULL), first_raw = 0;
    ck_assert(t > 1e-3 && t < 10);
    for (uint32_t u = 0; u < USERS; u += 7) {
        struct pz_query q = query_of(u, u % 2, ITEMS);
        struct pz_reason reason[64];
        for (size_t i = 0; i < ITEMS; i++) {
            struct pz_explained why = {.reason = reason};
            ck_ok(recipe->explain(model.state, &q, got_item[u][i], &why, &err), err);
            double sum = 0;
            ck_assert_uint_le(why.n, q.n_history);
            for (size_t k = 0; k < why.n; k++) {
                sum += reason[k].contribution;
                ck_assert(k == 0 || reason[k].contribution <= reason[k - 1].contribution);
            }
            ck_assert_double_eq_tol(sum, why.raw, 1e-4);
            if (i == 0)
                first_raw = why.raw;
            double want = (double)got_score[u][0] * exp((why.raw - first_raw) / t);
            ck_assert_double_eq_tol(got_score[u][i], want, 1e-4 * want + 1e-6);
        }
    }
}

START_TEST(answers)
{
    for (int kind = 0; kind < 4; kind++) {
        build(kind % 2, kind / 2 ? RECENT : PLAIN);
        check_ranks();
        check_reasons();
        finish();
    }
}
END_TEST

START_TEST(tastes_are_learned)
{
    static const char *const firm[] = {"model=ials", "hidden_dimension=32",
                                       "regularization=0.1", NULL};
    build(false, firm);
    struct pz_err err = PZ_ERR_INIT;
    int own = 0;
    for (uint32_t u = 0; u < USERS; u++) {
        struct pz_query q = query_of(u, true, 10);
        struct pz_ranked one = {.item = one_item, .score = one_score};
        q.exclude = q.history;
        q.n_exclude = q.n_history;
        ck_ok(recipe->rank(model.state, &q, 1, &one, &err), err);
        ck_assert_uint_eq(one.n, 10);
        for (size_t i = 0; i < one.n; i++) {
            own += one_item[i] % 2 == u % 2;
            for (size_t k = 0; k < q.n_history; k++)
                ck_assert_uint_ne(one_item[i], q.history[k]);
        }
    }
    ck_assert_int_gt(own, USERS * 10 * 8 / 10);
    finish();
}
END_TEST

/* What people begin with (test_start.c). */
static const uint32_t *
first_items(void)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_start start;
    ck_ok(pz_start_open(&start, &model, &err), err);
    ck_assert_uint_ge(start.n, 5);
    return start.item;
}

/* Nothing is known of somebody whose items nobody else has, stored or folded in. */
START_TEST(loners_get_popular_items)
{
    static const char *const firm[] = {"model=ials", "hidden_dimension=32",
                                       "regularization=0.1", "repeats=once", NULL};
    with_loner = true;
    build(false, firm);
    with_loner = false;
    struct pz_err err = PZ_ERR_INIT;
    struct pz_ranked one = {.item = one_item, .score = one_score};
    for (uint32_t u = LONER; u <= LONER + 1; u++) {
        for (int stored = 0; stored < 2; stored++) {
            struct pz_query q = query_of(u, stored, 5);
            ck_ok(recipe->rank(model.state, &q, 1, &one, &err), err);
            ck_assert(one.fallback == (u == LONER));
            ck_assert_uint_eq(one.n, 5);
            if (u == LONER)
                ck_assert_mem_eq(one_item, first_items(), 5 * sizeof *one_item);
        }
    }
    finish();
}
END_TEST

START_TEST(cold_and_limited)
{
    build(true, RECENT);
    struct pz_err err = PZ_ERR_INIT;
    struct pz_ranked one = {.item = one_item, .score = one_score};
    const uint32_t unknown[] = {NEVER, PZ_NO_ID, ITEMS};
    struct pz_query q = {.user = PZ_NO_ID, .item = PZ_NO_ID, .n = 5};
    for (int kind = 0; kind < 2; kind++) { // no history; only unknown items
        q.history = kind ? unknown : NULL;
        q.n_history = kind ? 3 : 0;
        ck_ok(recipe->rank(model.state, &q, 1, &one, &err), err);
        ck_assert(one.fallback);
        ck_assert_uint_eq(one.n, 5);
        ck_assert_mem_eq(one_item, first_items(), 5 * sizeof *one_item);
        ck_assert(isnan(one_score[0]));
        struct pz_explained why = {.reason = (struct pz_reason[4]){{0}}};
        ck_ok(recipe->explain(model.state, &q, 3, &why, &err), err);
        ck_assert_uint_eq(why.n, 0);
    }
    const uint32_t candidate[] = {40, 3, 60, 9}, exclude[] = {9};
    uint64_t allow[2] = {UINT64_MAX & ~(UINT64_C(1) << 40), UINT64_MAX};
    q = query_of(2, true, 2);
    q.candidate = candidate;
    q.n_candidates = 4;
    ck_ok(recipe->rank(model.state, &q, 1, &one, &err), err);
    ck_assert_uint_eq(one.n, 4);
    double sum = 0;
    for (size_t i = 0; i < 4; i++)
        sum += (double)one_score[i];
    ck_assert_double_eq_tol(sum, 1, 1e-6);
    q.allow = allow;
    q.exclude = exclude;
    q.n_exclude = 1;
    ck_ok(recipe->rank(model.state, &q, 1, &one, &err), err);
    ck_assert_uint_eq(one.n, 2);
    ck_assert(one_item[0] + one_item[1] == 63);
    // rank of nothing asked
    q.n = 0;
    q.candidate = NULL;
    ck_ok(recipe->rank(model.state, &q, 1, &one, &err), err);
    ck_assert_uint_eq(one.n, 0);
    finish();
}
END_TEST

START_TEST(same_bytes_for_any_threads)
{
    struct pz_err err = PZ_ERR_INIT;
    build(true, RECENT);
    for (int threads = 1; threads < 4; threads++) {
        struct pz_builder *other;
        ck_ok(pz_builder_new(&other, &err), err);
        struct pz_train t = {.events = &cut,
                             .params = &params,
                             .world = &world,
                             .seed = 7,
                             .threads = threads,
                             .model = other};
        ck_ok(recipe->train(&t, &err), err);
        struct pz_tensors view;
        ck_ok(pz_builder_view(other, &view, &err), err);
        static const char *const names[] = {"user.factor", "item.factor", "gram"};
        for (size_t i = 0; i < 3; i++) {
            const struct pz_tensor *a = pz_tensors_find(&view, names[i]);
            const struct pz_tensor *b = pz_tensors_find(&model.file, names[i]);
            ck_assert_uint_eq(a->n_elems, b->n_elems);
            ck_assert_mem_eq(a->data, b->data, a->n_elems * sizeof(float));
        }
        ck_assert_str_eq(pz_tensors_meta(&view, "train.temperature"),
                         pz_tensors_meta(&model.file, "train.temperature"));
        pz_tensors_close(&view);
        pz_builder_free(other);
    }
    finish();
}
END_TEST

START_TEST(damage)
{
    static const struct {
        const char *key, *value;
    } bad[] = {{"train.temperature", "0"}, {"train.temperature", "x"},
               {"train.lambda", "-1"},     {"train.repeats", "twice"},
               {"train.base", ""},         {"train.halflife", "-2"}};
    struct pz_err err = PZ_ERR_INIT;
    build(false, PLAIN);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char was[64];
        snprintf(was, sizeof was, "%s", pz_tensors_meta(&model.file, bad[i].key));
        pz_builder_meta(builder, bad[i].key, bad[i].value);
        struct pz_tensors view;
        struct pz_model other;
        ck_ok(pz_builder_view(builder, &view, &err), err);
        ck_assert_int_eq(pz_model_open_tensors(&other, &view, &err), PZ_FORMAT);
        ck_assert_ptr_nonnull(strstr(err.msg, bad[i].key));
        pz_builder_meta(builder, bad[i].key, was);
    }
    finish();
}
END_TEST

/* Every user's events the other way round. */
static void
turn_shop(void)
{
    for (uint32_t u = 0; u < USERS; u++)
        for (uint64_t a = shop.offsets[u], b = shop.offsets[u + 1]; a + 1 < b; a++) {
            uint32_t item = shop.item[a];
            shop.item[a] = shop.item[--b];
            shop.item[b] = item;
        }
    memcpy(shop.cut_item, shop.item, sizeof shop.item);
}

/* What a training without recency_mask finds in the shop, or in the turned one. */
static void
train_unordered(bool turned, char parts[64], double *worth, float score[ITEMS])
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_ranked one = {.item = one_item, .score = one_score};
    recipe = pz_recipe_find("aws-user-personalization");
    make_shop(false);
    if (turned)
        turn_shop();
    pz_params_init(&params, recipe->params);
    ck_ok(pz_params_set(&params, "recency_mask=False", &err), err);
    ck_ok(pz_params_set(&params, "learn_repeats=False", &err), err); // goes by places
    ck_ok(pz_params_set(&params, "hidden_dimension=32", &err), err);
    ck_ok(pz_builder_new(&builder, &err), err);
    pz_world_of(&world, &data);
    struct pz_train t = {.events = &events,
                         .params = &params,
                         .world = &world,
                         .seed = 7,
                         .threads = 2,
                         .model = builder};
    ck_ok(pz_model_begin(recipe, &t, &err), err);
    ck_ok(recipe->train(&t, &err), err);
    struct pz_tensors view;
    ck_ok(pz_builder_view(builder, &view, &err), err);
    ck_ok(pz_model_open_tensors(&model, &view, &err), err);
    const char *names = pz_tensors_meta(&model.file, "train.parts"),
               *found = pz_tensors_meta(&model.file, "train.validation");
    ck_assert_ptr_nonnull(names);
    ck_assert_ptr_nonnull(found);
    snprintf(parts, 64, "%s", names);
    *worth = strtod(found, NULL);
    struct pz_query q = query_of(5, false, ITEMS);
    ck_ok(recipe->rank(model.state, &q, 1, &one, &err), err);
    for (size_t i = 0; i < one.n; i++)
        score[one_item[i]] = one_score[i];
    finish();
}

/* Whatever temperature is given, there is a model that answers, and its scores say in
 * which order. */
START_TEST(cold_temperature)
{
    const char *const coldest[] = {"model=rules", "temperature=1e-300", NULL};
    struct pz_err err = PZ_ERR_INIT;
    build(false, coldest);
    struct pz_query q = query_of(1, true, ITEMS);
    struct pz_ranked out = {.item = one_item, .score = one_score};
    ck_ok(recipe->rank(model.state, &q, 1, &out, &err), err);
    ck_assert_double_eq_tol((double)one_score[0], 1, 1e-6);
    ck_assert(one_score[ITEMS - 1] > 0);
    ck_assert(one_score[1] < FLT_MIN);
    size_t distinct = 1;
    for (size_t i = 1; i < out.n; i++) {
        ck_assert(one_score[i] <= one_score[i - 1]);
        distinct += one_score[i] < one_score[i - 1];
    }
    ck_assert_uint_gt(distinct, 2);
    finish();
}
END_TEST

/* Without recency_mask the order of a user's events says nothing: neither what is held
 * out nor which models are tried nor what is answered goes by it. */
START_TEST(order_can_mean_nothing)
{
    char parts[2][64];
    double worth[2];
    float score[2][ITEMS];
    train_unordered(false, parts[0], &worth[0], score[0]);
    train_unordered(true, parts[1], &worth[1], score[1]);
    ck_assert_str_eq(parts[0], parts[1]);
    ck_assert_ptr_null(strstr(parts[0], "next"));
    ck_assert_ptr_null(strstr(parts[0], "rules"));
    ck_assert_double_eq_tol(worth[0], worth[1], 1e-3);
    for (size_t i = 0; i < ITEMS; i++)
        ck_assert_double_eq_tol(score[0][i], score[1][i], 2e-3);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("user_personalization");
    TCase *t = tcase_create("user_personalization");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, answers);
    tcase_add_test(t, tastes_are_learned);
    tcase_add_test(t, cold_and_limited);
    tcase_add_test(t, loners_get_popular_items);
    tcase_add_test(t, same_bytes_for_any_threads);
    tcase_add_test(t, order_can_mean_nothing);
    tcase_add_test(t, cold_temperature);
    tcase_add_test(t, damage);
    suite_add_tcase(s, t);
    return s;
}
