/* eval/tune: what is tried, what wins, and that an interrupted search goes on. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "eval/choose.h"
#include "recipe/events.h"
#include "toy.h"
#include "unit.h"

enum { USERS = 1400, ITEMS = 60 };

static struct pz_err err;
static struct pz_dataset data;
static struct pz_world world;
static struct pz_events events;
static struct pz_params params;
static const struct pz_recipe *recipe;

static void
setup(void)
{
    struct pz_selection all = {0};
    struct pz_selection_report report;
    size_t n;
    struct toy_row *row = toy_random(7, USERS, ITEMS, 12, &n);
    toy_dataset(&data, USERS, ITEMS, row, n);
    free(row);
    pz_world_of(&world, &data);
    ck_ok(pz_world_select(&world, &all, &events, &report, &err), err);
    recipe = pz_recipe_find("aws-sims");
    ck_assert_ptr_nonnull(recipe);
    pz_params_init(&params, recipe->params);
    ck_ok(pz_params_set(&params, "min_user_history_length_percentile=0", &err), err);
}

static void
teardown(void)
{
    pz_events_release(&events);
    toy_release(&data);
}

static struct pz_tune
tune_of(const struct pz_ranges *r, uint32_t n)
{
    return (struct pz_tune){.recipe = recipe,
                            .world = &world,
                            .events = &events,
                            .params = &params,
                            .ranges = r,
                            .metric = PZ_NDCG_25,
                            .n = n,
                            .seed = 3,
                            .threads = 2};
}

static int
parse(struct pz_ranges *r, const char *json)
{
    err = (struct pz_err)PZ_ERR_INIT;
    return pz_ranges_parse(r, recipe, json, strlen(json), &err);
}

START_TEST(ranges)
{
    struct pz_ranges r;
    pz_ranges_of(&r, recipe);
    ck_assert_uint_ge(r.n, 2);
    for (size_t k = 0; k < r.n; k++)
        ck_assert(recipe->params[r.range[k].param].tunable);
    ck_ok(parse(&r,
                "{\"algorithmHyperParameterRanges\":{\"integerHyperParameterRanges\":["
                "{\"name\":\"training.min_cointeraction_count\",\"minValue\":1,"
                "\"maxValue\":4}],\"continuousHyperParameterRanges\":[{\"name\":"
                "\"shrinkage\",\"minValue\":0.5,\"maxValue\":500}],"
                "\"categoricalHyperParameterRanges\":[{\"name\":"
                "\"popularity_discount_factor\",\"values\":[\"0\",\"0.5\",1]}]},"
                "\"hpoResourceConfig\":{\"maxNumberOfTrainingJobs\":\"7\"},"
                "\"hpoObjective\":{\"metricName\":\"precision_at_5\"}}"),
          err);
    ck_assert_uint_eq(r.n, 3);
    ck_assert_uint_eq(r.trials, 7);
    ck_assert(r.has_metric && r.metric == PZ_PRECISION_5);
    ck_assert(!r.range[0].log && r.range[0].min == 1 && r.range[0].max == 4);
    ck_assert(r.range[1].log);
    ck_assert_uint_eq(r.range[2].n_values, 3);
    ck_assert_double_eq(r.range[2].value[1], 0.5);
}
END_TEST

static const struct {
    const char *json, *says;
} bad[] = {
    {"[]", "must be a JSON object"},
    {"{\"ranges\":1}", "has no 'ranges'"},
    {"{\"algorithmHyperParameterRanges\":{\"integerHyperParameterRanges\":{}}}", "array"},
    {"{\"algorithmHyperParameterRanges\":{\"integerHyperParameterRanges\":[1]}}",
     "object with a 'name'"},
    {"{\"algorithmHyperParameterRanges\":{\"integerHyperParameterRanges\":[{\"name\":"
     "\"bptt\",\"minValue\":1,\"maxValue\":2}]}}",
     "has no hyperparameter 'bptt'"},
    {"{\"algorithmHyperParameterRanges\":{\"integerHyperParameterRanges\":[{\"name\":"
     "\"shrinkage\",\"minValue\":2,\"maxValue\":1}]}}",
     "ends before it starts"},
    {"{\"algorithmHyperParameterRanges\":{\"integerHyperParameterRanges\":[{\"name\":"
     "\"shrinkage\",\"minValue\":2}]}}",
     "no number 'maxValue'"},
    {"{\"algorithmHyperParameterRanges\":{\"continuousHyperParameterRanges\":[{\"name\":"
     "\"popularity_discount_factor\",\"minValue\":0,\"maxValue\":3}]}}",
     "'3' is not a number from 0 to 1"},
    {"{\"algorithmHyperParameterRanges\":{\"categoricalHyperParameterRanges\":[{\"name\":"
     "\"shrinkage\",\"values\":[]}]}}",
     "1 to 32 'values'"},
    {"{\"hpoResourceConfig\":{\"maxNumberOfTrainingJobs\":\"many\"}}", "whole number"},
    {"{\"hpoObjective\":{\"metricName\":\"loss\"}}", "unknown metric 'loss'"},
};

START_TEST(bad_ranges)
{
    struct pz_ranges r;
    ck_assert_int_eq(parse(&r, bad[_i].json), PZ_DATA);
    ck_assert_msg(strstr(err.msg, bad[_i].says), "%s", err.msg);
}
END_TEST

/* What is tried lies in its range, the winner is the best of those on all users, and the
 * values are what a measurement by hand gives. */
START_TEST(search)
{
    enum { N = 20 };
    struct pz_ranges r;
    struct pz_params best;
    struct pz_trial *trial;
    uint32_t n;
    ck_ok(parse(&r,
                "{\"algorithmHyperParameterRanges\":{\"integerHyperParameterRanges\":["
                "{\"name\":\"min_cointeraction_count\",\"minValue\":1,\"maxValue\":4}],"
                "\"continuousHyperParameterRanges\":[{\"name\":"
                "\"popularity_discount_factor\",\"minValue\":0.2,\"maxValue\":0.9}]}}"),
          err);
    struct pz_tune t = tune_of(&r, N);
    ck_ok(pz_tune_run(&t, &best, &trial, &n, &err), err);
    ck_assert_uint_eq(n, N);
    uint32_t winner = n, parts = 0;
    for (uint32_t i = 0; i < n; i++) {
        double count = pz_param(&trial[i].params, "min_cointeraction_count");
        double factor = pz_param(&trial[i].params, "popularity_discount_factor");
        if (i) {
            ck_assert(count >= 1 && count <= 4 && count == floor(count));
            ck_assert(factor >= 0.2 && factor <= 0.9);
        }
        parts += trial[i].share < 1;
        if (trial[i].share == 1 && (winner == n || trial[i].value > trial[winner].value))
            winner = i;
    }
    ck_assert_uint_eq(parts, 12); // 0.6 of them start on a third
    ck_assert_double_eq(trial[parts].share, 1);
    ck_assert_mem_eq(&trial[parts].params, &trial[0].params, sizeof trial[0].params);
    ck_assert_mem_eq(&best, &trial[winner].params, sizeof best);
    ck_assert_double_ge(trial[winner].value, trial[parts].value);

    struct pz_split_spec spec = {.protocol = PZ_AWS, .valid = true, .seed = 3};
    struct pz_split split;
    struct pz_metrics m;
    struct pz_eval e = {.recipe = recipe,
                        .world = &world,
                        .events = &events,
                        .params = &trial[winner].params,
                        .seed = 3,
                        .threads = 1};
    ck_ok(pz_split_make(&split, &events, &world, &spec, &err), err);
    ck_ok(pz_eval_split(&e, &split, &split.train, &m, &err), err);
    ck_assert_double_eq(m.value[PZ_NDCG_25], trial[winner].value);
    pz_split_release(&split);
    free(trial);
}
END_TEST

static uint32_t stop_at;

static void
stop(void *ctx, const struct pz_trial *t, uint32_t number)
{
    (void)ctx;
    (void)t;
    if (number + 1 == stop_at)
        _exit(0);
}

/* Killed after any trial, the search ends with the same, and does not do it again. */
START_TEST(resumes)
{
    struct pz_ranges r;
    struct pz_params once, again;
    struct pz_trial *whole, *rest;
    uint32_t n, n_rest, repeated = 0;
    char path[] = "/tmp/pz-tune-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    unlink(path);
    pz_ranges_of(&r, recipe);
    struct pz_tune t = tune_of(&r, 10);
    ck_ok(pz_tune_run(&t, &once, &whole, &n, &err), err);
    t.journal = path;
    for (stop_at = 1; stop_at < n; stop_at += 3) {
        t.done = stop;
        pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
            pz_tune_run(&t, &again, &rest, &n_rest, &err);
            _exit(1);
        }
        int status;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    t.done = NULL;
    ck_ok(pz_tune_run(&t, &again, &rest, &n_rest, &err), err);
    ck_assert_uint_eq(n_rest, n);
    ck_assert_mem_eq(&once, &again, sizeof once);
    for (uint32_t i = 0; i < n; i++) {
        ck_assert_double_eq(whole[i].value, rest[i].value);
        ck_assert_mem_eq(&whole[i].metrics.value, &rest[i].metrics.value,
                         sizeof whole[i].metrics.value);
        repeated += rest[i].again;
    }
    ck_assert_uint_ge(repeated, stop_at - 3);
    // Another seed starts anew.
    free(rest);
    t.seed++;
    ck_ok(pz_tune_run(&t, &again, &rest, &n_rest, &err), err);
    for (uint32_t i = 0; i < n_rest; i++)
        ck_assert(!rest[i].again || i > 0);
    ck_assert(!rest[0].again);
    free(rest);
    // And so do other columns to learn from.
    struct pz_dataset fewer = data;
    struct pz_world other = world;
    fewer.n_columns--;
    other.interactions = &fewer;
    t.world = &other;
    ck_ok(pz_tune_run(&t, &again, &rest, &n_rest, &err), err);
    ck_assert(!rest[0].again);
    free(rest);
    free(whole);
    unlink(path);
}
END_TEST

START_TEST(recipes)
{
    const struct pz_recipe *list[] = {pz_recipe_find("aws-popularity-count"), recipe};
    struct pz_metrics m[2];
    size_t best;
    struct pz_params none;
    pz_params_init(&none, list[0]->params);
    struct pz_eval e = {
        .world = &world, .events = &events, .params = &none, .seed = 1, .threads = 2};
    ck_ok(pz_tune_recipe(&e, list, 2, PZ_NDCG_25, m, &best, &err), err);
    ck_assert_uint_eq(best, m[1].value[PZ_NDCG_25] > m[0].value[PZ_NDCG_25]);
    ck_assert(m[0].value[PZ_NDCG_25] > 0 && m[1].value[PZ_NDCG_25] > 0);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("tune");
    TCase *t = tcase_create("tune");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, ranges);
    tcase_add_loop_test(t, bad_ranges, 0, sizeof bad / sizeof *bad);
    tcase_add_test(t, search);
    tcase_add_test(t, resumes);
    tcase_add_test(t, recipes);
    suite_add_tcase(s, t);
    return s;
}
