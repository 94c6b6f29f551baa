/* A blend of parts, from training to answers and reasons, on a model in memory. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "recipe/blend.h"
#include "recipe/model.h"
#include "recipe/repeat.h"
#include "toy.h"
#include "unit.h"

enum { USERS = 120, ITEMS = 50, LONG = 24, NEVER = ITEMS - 1 };

static struct pz_dataset data;
static struct pz_world world;
static struct pz_events events;
static struct pz_params params;
static struct pz_trained trained;
static struct toy_row row[USERS * LONG];

enum kind { CHAIN, AGAIN }; // each item has its successor; people come back to their last

static void
make_shop(enum kind kind, int threads, const char *const *assign)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_rng rng;
    struct pz_selection_report report;
    size_t n = 0;
    pz_rng_seed(&rng, 5, 8);
    for (uint32_t u = 0; u < USERS; u++) {
        uint32_t len = 1 + (uint32_t)pz_rng_below(&rng, LONG), at = 0;
        for (uint32_t k = 0; k < len; k++) {
            bool stray = k == 0 || pz_rng_below(&rng, 10) == 0;
            at = stray            ? (uint32_t)pz_rng_below(&rng, ITEMS - 1)
                 : kind == CHAIN  ? (at * 7 + 3) % (ITEMS - 1)
                 : k > 1 && k % 3 ? row[n - 1].item
                                  : (uint32_t)pz_rng_below(&rng, ITEMS - 1);
            row[n] = (struct toy_row){.user = u, .item = at, .time = (int64_t)n + 1};
            n++;
        }
    }
    toy_dataset(&data, USERS, ITEMS, row, n);
    pz_world_of(&world, &data);
    struct pz_selection all = {.n_rules = 0};
    ck_ok(pz_events_select(&data, &all, &events, &report, &err), err);
    const struct pz_recipe *recipe = pz_recipe_find("aws-user-personalization");
    pz_params_init(&params, recipe->params);
    for (; *assign; assign++)
        ck_ok(pz_params_set(&params, *assign, &err), err);
    struct pz_train t = {.events = &events,
                         .params = &params,
                         .world = &world,
                         .seed = 3,
                         .threads = threads};
    ck_ok(pz_trained_open(&trained, recipe, &t, &err), err);
}

static void
close_shop(void)
{
    pz_trained_close(&trained);
    pz_events_release(&events);
    toy_release(&data);
}

static double
number(const char *key)
{
    const char *text = pz_tensors_meta(&trained.model.file, key);
    ck_assert_msg(text != NULL, "no '%s'", key);
    return strtod(text, NULL);
}

static struct pz_query
query_of(uint32_t u, size_t n)
{
    uint64_t from = events.offsets[u];
    return (struct pz_query){.user = u,
                             .item = PZ_NO_ID,
                             .history = events.item + from,
                             .n_history = (size_t)(events.offsets[u + 1] - from),
                             .stored = true,
                             .n = n};
}

static const char *const AUTO[] = {"hidden_dimension=32", "iterations=4", NULL};
static uint32_t got[USERS][ITEMS], one_item[ITEMS];
static float score[USERS][ITEMS], one_score[ITEMS];

static void
ask_all(void)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_query q[USERS];
    struct pz_ranked out[USERS];
    for (uint32_t u = 0; u < USERS; u++) {
        q[u] = query_of(u, ITEMS);
        out[u] = (struct pz_ranked){.item = got[u], .score = score[u]};
    }
    ck_ok(trained.model.recipe->rank(trained.model.state, q, USERS, out, &err), err);
    for (uint32_t u = 0; u < USERS; u++)
        ck_assert_uint_eq(out[u].n, ITEMS);
}

/* Order, probabilities, the answer alone, lists of candidates, filters. */
START_TEST(answers)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_ranked one = {.item = one_item, .score = one_score};
    make_shop(CHAIN, 2, AUTO);
    ask_all();
    for (uint32_t u = 0; u < USERS; u++) {
        double sum = 0;
        for (size_t i = 0; i < ITEMS; i++) {
            sum += (double)score[u][i];
            ck_assert(i == 0 || score[u][i] <= score[u][i - 1]);
        }
        ck_assert_double_eq_tol(sum, 1, 1e-4);
        struct pz_query q = query_of(u, ITEMS);
        ck_ok(trained.model.recipe->rank(trained.model.state, &q, 1, &one, &err), err);
        ck_assert_mem_eq(one_item, got[u], sizeof one_item);
        ck_assert_mem_eq(one_score, score[u], sizeof one_score);
        uint64_t allow[] = {~(UINT64_C(1) << got[u][0])};
        q.allow = allow;
        q.exclude = &got[u][2];
        q.n_exclude = 1;
        q.n = 3;
        ck_ok(trained.model.recipe->rank(trained.model.state, &q, 1, &one, &err), err);
        ck_assert_uint_eq(one.n, 3);
        ck_assert_uint_eq(one_item[0], got[u][1]);
        ck_assert_uint_eq(one_item[1], got[u][3]);
        ck_assert(one_score[1] == score[u][3]);
        uint32_t candidate[] = {got[u][9], got[u][4], got[u][7], got[u][0]};
        q.candidate = candidate;
        q.n_candidates = 4;
        q.n = 4;
        ck_ok(trained.model.recipe->rank(trained.model.state, &q, 1, &one, &err), err);
        ck_assert_uint_eq(one.n, 3); // without the one that may not be returned
        ck_assert_uint_eq(one_item[0], got[u][4]);
        ck_assert_uint_eq(one_item[2], got[u][9]);
        double all = (double)score[u][0] + (double)score[u][4] + (double)score[u][7] +
                     (double)score[u][9];
        ck_assert_double_eq_tol((double)one_score[0], (double)score[u][4] / all, 1e-4);
    }
    close_shop();
}
END_TEST

/* The terms add up to scores, and these are what the probabilities were made from. */
START_TEST(reasons)
{
    struct pz_err err = PZ_ERR_INIT;
    for (int kind = 0; kind < 2; kind++) {
        make_shop(kind, 2, AUTO);
        ask_all();
        double t = number("train.temperature");
        for (uint32_t u = 0; u < USERS; u += 9) {
            double first = 0;
            struct pz_query q = query_of(u, ITEMS);
            for (size_t i = 0; i < ITEMS; i++) {
                struct pz_reason reason[LONG + 1];
                struct pz_explained why = {.reason = reason};
                ck_ok(trained.model.recipe->explain(trained.model.state, &q, got[u][i],
                                                    &why, &err),
                      err);
                double sum = 0;
                ck_assert_uint_ge(why.n, 1);
                ck_assert_uint_le(why.n, q.n_history);
                for (size_t k = 0; k < why.n; k++) {
                    sum += reason[k].contribution;
                    ck_assert(k == 0 ||
                              reason[k].contribution <= reason[k - 1].contribution);
                    for (size_t l = 0; l < k; l++)
                        ck_assert_uint_ne(reason[k].item, reason[l].item);
                }
                ck_assert_double_eq_tol(sum, why.raw, 1e-4);
                first = i == 0 ? why.raw : first;
                double want = (double)score[u][0] * exp((why.raw - first) / t);
                ck_assert_double_eq_tol((double)score[u][i], want, 2e-3 * want + 1e-6);
            }
        }
        close_shop();
    }
}
END_TEST

/* Of a part that has a temperature of its own, the blend's counts. */
START_TEST(temperature_of_the_whole)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_builder *b;
    struct pz_tensors view;
    make_shop(CHAIN, 2, AUTO);
    const struct pz_part *part[] = {pz_part_find("ials")};
    struct pz_blend_config c = {.part = part, .n_parts = 1, .budget = 1e9};
    ck_ok(pz_builder_new(&b, &err), err);
    struct pz_train t = {.events = &events,
                         .params = &params,
                         .world = &world,
                         .seed = 3,
                         .threads = 2,
                         .model = b};
    ck_ok(pz_blend_train(&t, &c, &err), err);
    ck_ok(pz_builder_view(b, &view, &err), err);
    ck_assert_str_eq(pz_tensors_meta(&view, "train.parts"), "ials");
    // One of 65 rates from 0.02 to 50, evenly by their logarithms.
    double rate = 1 / strtod(pz_tensors_meta(&view, "train.temperature"), NULL);
    double step = 64 * log(rate / 0.02) / log(2500);
    ck_assert_double_eq_tol(step, round(step), 1e-6);
    pz_tensors_close(&view);
    pz_builder_free(b);
    close_shop();
}
END_TEST

/* What the data are like is found, and told. */
START_TEST(finds_what_foretells)
{
    make_shop(CHAIN, 2, AUTO);
    const char *parts = pz_tensors_meta(&trained.model.file, "train.parts");
    ck_assert_ptr_nonnull(parts);
    ck_assert_msg(strstr(parts, "next") || strstr(parts, "rules"), "%s", parts);
    ck_assert_double_gt(number("train.validation"), 0.8);
    ck_assert_double_ge(number("train.validation") + 1e-9,
                        number("train.validation.next") * (1 - 1.0 / 300));
    ck_assert_double_gt(number("train.validation.rules"),
                        number("train.validation.ials"));
    ask_all();
    int right = 0;
    for (uint32_t u = 0; u < USERS; u++)
        right +=
            got[u][0] == (events.item[events.offsets[u + 1] - 1] * 7 + 3) % (ITEMS - 1);
    ck_assert_int_gt(right, USERS * 8 / 10);
    close_shop();

    make_shop(AGAIN, 2, AUTO);
    ask_all();
    for (uint32_t u = right = 0; u < USERS; u++)
        right += got[u][0] == events.item[events.offsets[u + 1] - 1];
    ck_assert_int_gt(right, USERS * 8 / 10);
    close_shop();
    static const char *const never[] = {"hidden_dimension=32", "learn_repeats=False",
                                        "model=rules", NULL};
    make_shop(AGAIN, 2, never);
    ck_assert_str_eq(pz_tensors_meta(&trained.model.file, "train.parts"), "rules");
    ask_all();
    for (uint32_t u = right = 0; u < USERS; u++) // rules know no item after itself
        right += got[u][0] == events.item[events.offsets[u + 1] - 1];
    ck_assert_int_lt(right, USERS / 4);
    close_shop();
}
END_TEST

/* z[i]: the scores of a part for user u over their standard deviation. */
static void
standard_scores(const char *name, uint32_t u, double z[ITEMS])
{
    struct pz_err err = PZ_ERR_INIT;
    const struct pz_part *part = pz_part_find(name);
    struct pz_query q = query_of(u, ITEMS);
    float s[64];
    bool known;
    void *state, *work = NULL;
    double sum = 0, square = 0;
    ck_ok(part->open(&state, &trained.model, &err), err);
    if (part->work_new)
        ck_ok(part->work_new(&work, state, 1, &err), err);
    ck_ok(part->score(state, work, &q, 1, s, 64, &known, &err), err);
    ck_assert(known);
    for (int i = 0; i < ITEMS; i++) {
        sum += (double)s[i];
        square += (double)s[i] * (double)s[i];
    }
    for (int i = 0; i < ITEMS; i++)
        z[i] = (double)s[i] / sqrt(square / ITEMS - sum / ITEMS * (sum / ITEMS));
    if (work)
        part->work_free(work);
    part->close(state);
}

/* A blend by hand: these parts with these weights, whatever they are worth. */
START_TEST(by_hand)
{
    static const char *const hand[] = {"blend_popular=0.5", "blend_rules=2",
                                       "learn_repeats=False", "time_budget=0", NULL};
    double rules[ITEMS], popular[ITEMS];
    make_shop(CHAIN, 2, hand);
    ck_assert_str_eq(pz_tensors_meta(&trained.model.file, "train.parts"),
                     "rules,popular");
    ck_assert_str_eq(pz_tensors_meta(&trained.model.file, "train.weights"), "given");
    ck_assert(number("train.weight.rules") == 2 && number("train.weight.popular") == 0.5);
    ck_assert_double_gt(number("train.validation"), 0.3);
    ask_all();
    for (uint32_t u = 0; u < USERS; u += 7) {
        standard_scores("rules", u, rules);
        standard_scores("popular", u, popular);
        for (int k = 1; k < 20; k++) {
            uint32_t a = got[u][0], b = got[u][k];
            double rise = 2 * (rules[a] - rules[b]) + 0.5 * (popular[a] - popular[b]);
            double told = log((double)score[u][0]) - log((double)score[u][k]);
            ck_assert_double_eq_tol(told * number("train.temperature"), rise, 1e-3);
        }
    }
    close_shop();
    make_shop(CHAIN, 2, AUTO);
    ck_assert_str_eq(pz_tensors_meta(&trained.model.file, "train.weights"), "found");
    close_shop();
}
END_TEST

/* Nothing to be found out: the same weights and order as with held-out events. */
START_TEST(settled)
{
    static const char *const found[] = {"model=ease", "learn_repeats=False", NULL},
                             *const given[] = {"model=ease", "learn_repeats=False",
                                               "temperature=0.25", NULL};
    static uint32_t was[USERS][ITEMS];
    static float was_score[USERS][ITEMS];
    make_shop(CHAIN, 2, found);
    ask_all();
    memcpy(was, got, sizeof was);
    memcpy(was_score, score, sizeof was_score);
    double learned = number("train.temperature");
    ck_assert_double_gt(number("train.validation.events"), 0);
    close_shop();
    make_shop(CHAIN, 2, given);
    ask_all();
    ck_assert_mem_eq(got, was, sizeof was);
    ck_assert(number("train.temperature") == 0.25);
    ck_assert(number("train.validation.events") == 0);
    ck_assert(pz_tensors_meta(&trained.model.file, "train.validation") == NULL);
    for (uint32_t u = 0; u < USERS; u += 7)
        for (int k = 1; k < 20; k++) {
            double told = log((double)score[u][0]) - log((double)score[u][k]);
            double before = log((double)was_score[u][0]) - log((double)was_score[u][k]);
            ck_assert_double_eq_tol(told * 0.25, before * learned, 1e-3);
        }
    close_shop();
}
END_TEST

/* A part beside others, which learns from no fewer than all events. */
static int n_told;
static bool told_whole;

static double
cost_nothing(const struct pz_train *t)
{
    (void)t;
    return 0;
}

static bool
learns_from_all(const struct pz_train *t)
{
    return t->events->n == events.n;
}

static int
tell(const struct pz_train *t, struct pz_err *err)
{
    (void)err;
    n_told++;
    told_whole = t->events == &events && !t->whole;
    return PZ_OK;
}

/* Ease as it is, but what it is told is looked at. */
static int
tell_ease(const struct pz_train *t, struct pz_err *err)
{
    n_told++;
    ck_assert_ptr_eq(pz_train_whole(t), &events);
    return pz_part_find("ease")->train(t, err);
}

/* What only the whole can teach is left out beside others, and not tested alone. */
START_TEST(nothing_left_to_learn)
{
    make_shop(CHAIN, 1, AUTO);
    const struct pz_part shy = {.name = "shy",
                                .cost = cost_nothing,
                                .learns = learns_from_all,
                                .train = tell,
                                .close = free};
    struct pz_part ease = *pz_part_find("ease");
    ease.train = tell_ease;
    const struct pz_part *part[] = {&shy, &ease};
    const double weight[] = {2, 3};
    for (int k = 0; k < 3; k++) { // by validation, with given weights, alone
        struct pz_err err = PZ_ERR_INIT;
        struct pz_tensors view;
        struct pz_builder *b;
        struct pz_blend_config c = {.part = part,
                                    .n_parts = k < 2 ? 2 : 1,
                                    .budget = 1e9,
                                    .repeats = true,
                                    .weight = k == 1 ? weight : NULL};
        struct pz_train t = {.events = &events,
                             .params = &params,
                             .world = &world,
                             .seed = 3,
                             .threads = 1};
        ck_ok(pz_builder_new(&b, &err), err);
        t.model = b;
        n_told = 0;
        told_whole = false;
        ck_ok(pz_blend_train(&t, &c, &err), err);
        ck_ok(pz_builder_view(b, &view, &err), err);
        static const char *const want[] = {"ease", "shy,ease", "shy"};
        static const int times[] = {2, 2, 1};
        ck_assert_str_eq(pz_tensors_meta(&view, "train.parts"), want[k]);
        ck_assert_int_eq(n_told, times[k]);
        ck_assert(told_whole == (k > 0));
        ck_assert((pz_tensors_meta(&view, "train.validation") != NULL) == (k == 0));
        if (k)
            ck_assert_str_eq(pz_tensors_meta(&view, "train.temperature"), "1");
        pz_tensors_close(&view);
        pz_builder_free(b);
    }
    close_shop();
}
END_TEST

/* Trains one part on its own; a tensor of it. */
static void
train_part(struct pz_tensors *view, struct pz_builder **b, const char *name,
           const struct pz_events *e, const struct pz_events *whole)
{
    struct pz_err err = PZ_ERR_INIT;
    ck_ok(pz_builder_new(b, &err), err);
    struct pz_train t = {.events = e,
                         .whole = whole,
                         .params = &params,
                         .world = &world,
                         .seed = 3,
                         .threads = 1,
                         .model = *b};
    ck_ok(pz_part_find(name)->train(&t, &err), err);
    ck_ok(pz_builder_view(*b, view, &err), err);
}

static void
close_parts(struct pz_tensors view[3], struct pz_builder *b[3])
{
    for (int k = 0; k < 3; k++) {
        pz_tensors_close(&view[k]);
        pz_builder_free(b[k]);
    }
}

static bool
same_tensors(const struct pz_tensors *a, const struct pz_tensors *b)
{
    bool same = a->n_tensors == b->n_tensors;
    for (size_t k = 0; k < a->n_tensors && same; k++) {
        const struct pz_tensor *x = &a->tensor[k], *y = &b->tensor[k];
        same = x->n_elems == y->n_elems &&
               !memcmp(x->data, y->data, x->n_elems * pz_dtype_size(x->dtype));
    }
    return same;
}

/* Of EASE: squares of histories at 1e9 a second, items cubed at 60e9. */
static double
closed_seconds(const struct pz_events *e)
{
    double sum = 0, had = 0;
    uint8_t seen[ITEMS] = {0};
    for (uint32_t u = 0; u < e->n_users; u++)
        sum += pow((double)(e->offsets[u + 1] - e->offsets[u]), 2);
    for (uint64_t k = 0; k < e->n; k++) {
        had += !seen[e->item[k]];
        seen[e->item[k]] = 1;
    }
    return sum / 1e9 + pow(had, 3) / 60e9;
}

/* At the edge of a budget, and of what is thick: a part of the events goes the way of the
 * whole. */
START_TEST(chosen_by_the_whole)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_builder *b[3];
    struct pz_tensors view[3];
    make_shop(CHAIN, 1, AUTO);
    struct pz_events less = events;
    less.n_users = USERS / 2;
    less.n = less.offsets[less.n_users];
    ck_assert_uint_gt(events.n, 30 * 49);
    ck_assert_uint_lt(less.n, 30 * 49);
    train_part(&view[0], &b[0], "next", &less, NULL);
    train_part(&view[1], &b[1], "next", &less, &events);
    train_part(&view[2], &b[2], "next", &events, NULL);
    ck_assert_str_eq(pz_tensors_meta(&view[0], "train.next.scales"), "2");
    ck_assert_str_eq(pz_tensors_meta(&view[1], "train.next.scales"), "3");
    ck_assert_str_eq(pz_tensors_meta(&view[2], "train.next.scales"), "3");
    close_parts(view, b);

    // The closed form of the part is within the budget, that of the whole is not.
    char text[64];
    snprintf(text, sizeof text, "time_budget=%.17g",
             (closed_seconds(&less) + closed_seconds(&events)) / 2 / 0.15);
    ck_ok(pz_params_set(&params, text, &err), err);
    train_part(&view[0], &b[0], "ease", &less, NULL);
    train_part(&view[1], &b[1], "ease", &less, &events);
    ck_ok(pz_params_set(&params, "ease_neighbours=200", &err), err);
    train_part(&view[2], &b[2], "ease", &less, NULL);
    ck_assert(!same_tensors(&view[0], &view[1]));
    ck_assert(same_tensors(&view[1], &view[2]));
    close_parts(view, b);
    close_shop();
}
END_TEST

START_TEST(strangers)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_ranked one = {.item = one_item, .score = one_score};
    const uint32_t unknown[] = {NEVER, NEVER};
    make_shop(CHAIN, 2, AUTO);
    struct pz_query q = {.user = PZ_NO_ID, .item = PZ_NO_ID, .n = 5};
    for (int kind = 0; kind < 2; kind++) {
        q.history = kind ? unknown : NULL;
        q.n_history = kind ? 2 : 0;
        ck_ok(trained.model.recipe->rank(trained.model.state, &q, 1, &one, &err), err);
        ck_assert(one.fallback);
        ck_assert_mem_eq(one_item, trained.model.popular, 5 * sizeof *one_item);
        struct pz_reason reason[4];
        struct pz_explained why = {.reason = reason};
        ck_ok(trained.model.recipe->explain(trained.model.state, &q, 1, &why, &err), err);
        ck_assert_uint_eq(why.n, 0);
    }
    close_shop();
}
END_TEST

START_TEST(same_bytes_for_any_threads)
{
    static uint64_t hash[2];
    for (int run = 0; run < 2; run++) {
        make_shop(CHAIN, run ? 3 : 1, AUTO);
        ask_all();
        hash[run] = 14695981039346656037U;
        for (size_t i = 0; i < trained.model.file.n_tensors; i++) {
            const struct pz_tensor *t = &trained.model.file.tensor[i];
            const uint8_t *bytes = t->data;
            for (size_t k = 0; k < t->n_elems * pz_dtype_size(t->dtype); k++)
                hash[run] = (hash[run] ^ bytes[k]) * 1099511628211U;
        }
        close_shop();
    }
    ck_assert(hash[0] == hash[1]);
}
END_TEST

/* The table of repeats, counted event by event. */
START_TEST(table_of_repeats)
{
    struct pz_err err = PZ_ERR_INIT;
    uint32_t item[] = {4, 4, 4, 2, 4, /* */ 1, 2, 1, 2, 1, /* */ 3};
    uint64_t offsets[] = {0, 5, 10, 11};
    struct pz_events e = {
        .n_users = 3, .n_items = 6, .n = 11, .offsets = offsets, .item = item};
    double share[PZ_REPEAT_CELLS];
    ck_ok(pz_repeat_learn(share, &e, &err), err);
    // The newest items, and what came: 4>4, 4>4, 4>2, 2>4; 1>2, 2>1, 1>2, 2>1.
    double prior = (2 + 0.1) / (8 + 100);
    // Once, and nothing had been repeated so far: 4>4, 1>2, 2>1.
    ck_assert_double_eq_tol(share[0], (1 + 5 * prior) / (3 + 5), 1e-12);
    struct pz_repeats r;
    ck_ok(pz_repeats_init(&r, 6, &err), err);
    ck_ok(pz_repeats_take(&r, item, 5, &err), err);
    ck_assert_uint_eq(r.n, 2);
    ck_assert_uint_eq(r.item[0], 4);
    ck_assert_uint_eq(r.item[1], 2);
    ck_assert_uint_eq(r.cell[0], 3 * PZ_REPEAT_HABITS + 4); // age 0, four times, 3 of 5
    ck_assert_uint_eq(r.cell[1], (PZ_REPEAT_COUNTS + 0) * PZ_REPEAT_HABITS + 4);
    pz_repeats_release(&r);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("blend");
    TCase *t = tcase_create("blend");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, answers);
    tcase_add_test(t, reasons);
    tcase_add_test(t, temperature_of_the_whole);
    tcase_add_test(t, finds_what_foretells);
    tcase_add_test(t, by_hand);
    tcase_add_test(t, settled);
    tcase_add_test(t, nothing_left_to_learn);
    tcase_add_test(t, chosen_by_the_whole);
    tcase_add_test(t, strangers);
    tcase_add_test(t, same_bytes_for_any_threads);
    tcase_add_test(t, table_of_repeats);
    suite_add_tcase(s, t);
    return s;
}
