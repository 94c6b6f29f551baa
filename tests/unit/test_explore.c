/* Exploring answers, against the formula worked out anew, against a simulation, and in a
 * world where a new item is the best of all. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "recipe/explore.h"
#include "recipe/model.h"
#include "toy.h"
#include "unit.h"

enum { USERS = 60, ITEMS = 40, OLD = 24, LONG = 12, MOST = 6000, DAY = 86400 };

static struct toy_row row[MOST];
static char *shown[MOST]; // a row's IMPRESSION; NULL: null
static size_t n_rows;
static struct pz_dataset data;
static struct pz_world world;
static struct pz_events events;
static struct pz_params params;
static struct pz_trained trained;

/* The interactions with a column of what was shown, texts in the order of the rows. */
static void
make_data(uint32_t n_users, uint32_t n_items)
{
    static struct pz_field field = {
        .name = (char *)"IMPRESSION", .type = PZ_STRING, .role = PZ_ROLE_IMPRESSION};
    size_t n_bytes = 0, n = 0;
    toy_dataset(&data, n_users, n_items, row, n_rows);
    for (size_t i = 0; i < n_rows; i++)
        n_bytes += shown[i] ? strlen(shown[i]) : 0;
    char *bytes = calloc(n_bytes + 1, 1);
    int64_t *offsets = calloc(n_rows + 1, sizeof *offsets);
    uint32_t *code = calloc(n_rows + 1, sizeof *code);
    uint8_t *valid = calloc(n_rows + 1, 1);
    for (size_t i = 0; i < n_rows; i++) {
        size_t len = shown[i] ? strlen(shown[i]) : 0;
        bool again = i > 0 && shown[i] && shown[i - 1] && !strcmp(shown[i], shown[i - 1]);
        valid[i] = shown[i] != NULL;
        if (again) {
            code[i] = (uint32_t)n - 1;
        } else if (shown[i]) {
            memcpy(bytes + offsets[n], shown[i], len);
            offsets[n + 1] = offsets[n] + (int64_t)len;
            code[i] = (uint32_t)n++;
        }
    }
    data.column = realloc(data.column, 4 * sizeof *data.column);
    data.column[3] = (struct pz_column){field.name, &field, PZ_U32, code, valid, {0}};
    data.column[3].dict = (struct pz_ids){(uint8_t *)bytes, offsets, NULL, n, n_bytes, 0};
    data.n_columns = 4;
}

static void
train(uint32_t n_users, uint32_t n_items, const char *assign)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_selection all = {.n_rules = 0};
    struct pz_selection_report report;
    const struct pz_recipe *recipe = pz_recipe_find("aws-user-personalization");
    make_data(n_users, n_items);
    pz_world_of(&world, &data);
    ck_ok(pz_events_select(&data, &all, &events, &report, &err), err);
    pz_params_init(&params, recipe->params);
    ck_ok(pz_params_set(&params, "hidden_dimension=32", &err), err);
    ck_ok(pz_params_set(&params, "iterations=3", &err), err);
    ck_ok(pz_params_set(&params, assign, &err), err);
    struct pz_train t = {
        .events = &events, .params = &params, .world = &world, .seed = 3, .threads = 1};
    ck_ok(pz_trained_open(&trained, recipe, &t, &err), err);
}

static void
drop(void)
{
    pz_trained_close(&trained);
    pz_events_release(&events);
    free((void *)(uintptr_t)data.column[3].dict.bytes);
    free((void *)(uintptr_t)data.column[3].dict.offsets);
    toy_release(&data);
}

static void
forget_rows(void)
{
    for (size_t i = 0; i < n_rows; i++)
        free(shown[i]);
    n_rows = 0;
}

/*
 * Items up to OLD are old and have most events; then each has one fewer than the last,
 * from days before the end on; the last four have none. Item OLD was shown twenty times
 * to people who did not take it, twice of it in lists that repeat.
 */
static void
make_shop(void)
{
    struct pz_rng rng;
    pz_rng_seed(&rng, 11, 4);
    forget_rows();
    for (uint32_t u = 0; u < USERS; u++) {
        int64_t t = 0;
        for (uint32_t k = 0; k < LONG; k++) {
            uint32_t it = (uint32_t)pz_rng_below(&rng, 4 + pz_rng_below(&rng, OLD - 4));
            t += DAY;
            shown[n_rows] = NULL;
            row[n_rows++] = (struct toy_row){.user = u, .item = it, .time = t};
        }
        for (uint32_t it = OLD; it < ITEMS - 4; it++) {
            if (u == it % 7 || u >= (ITEMS - 4 - it) * 2)
                continue;
            shown[n_rows] = NULL;
            row[n_rows++] =
                (struct toy_row){.user = u, .item = it, .time = (80 + it) * DAY};
        }
        if (u >= 40)
            for (int k = 0; k < 2; k++) {
                shown[n_rows] = strdup(u == 41   ? "nobody||i00024|i00001|i00024"
                                       : u == 42 ? "i00030"
                                                 : "i00024|i00002");
                row[n_rows++] =
                    (struct toy_row){.user = u, .item = 1, .time = (130 + k) * DAY};
            }
    }
}

static struct pz_query
query_of(uint32_t u, size_t n, const struct pz_explore *e)
{
    uint64_t from = events.offsets[u];
    return (struct pz_query){.user = u,
                             .item = PZ_NO_ID,
                             .history = events.item + from,
                             .n_history = (size_t)(events.offsets[u + 1] - from),
                             .stored = true,
                             .n = n,
                             .explore = e};
}

static uint32_t got[ITEMS];
static float score[ITEMS];
static bool explored[ITEMS];

static size_t
ask(const struct pz_query *q)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_ranked out = {.item = got, .score = score, .explored = explored};
    memset(explored, 0, sizeof explored);
    ck_ok(trained.model.recipe->rank(trained.model.state, q, 1, &out, &err), err);
    return out.n;
}

/* What the header's formula needs, from the rows alone. */
static struct naive {
    double s[ITEMS], v[ITEMS], width;
    bool new[ITEMS];
    uint32_t n, h;
} naive;

static void
count(double days)
{
    double sum = 0;
    int64_t end = 0, born[ITEMS];
    uint32_t n[ITEMS] = {0}, h[ITEMS] = {0};
    memset(born, -1, sizeof born);
    for (size_t i = 0; i < n_rows; i++) {
        uint32_t it = row[i].item;
        end = row[i].time > end ? row[i].time : end;
        if (!n[it]++ || row[i].time < born[it])
            born[it] = row[i].time;
    }
    h[24] = 4; // by hand: one each of users 40 and 43 to 59 who have not item 24 ...
    for (uint32_t u = 40; u < USERS; u++)
        h[24] += u != 41 && u != 42;
    h[24] -= 4 - 2; // ... two in one list of user 41
    h[30] = 1;
    h[2] = 0;
    for (uint32_t u = 40; u < USERS; u++) {
        bool had = u == 41 || u == 42;
        for (size_t i = 0; i < n_rows; i++)
            had |= row[i].user == u && row[i].item == 2;
        h[2] += !had;
    }
    for (uint32_t i = 0; i < ITEMS; i++) {
        naive.v[i] = 1 / (1 + n[i] + h[i] / 10.0);
        naive.new[i] = !n[i] || (double)(end - born[i]) <= days *DAY;
        sum += naive.new[i] ? naive.v[i] : 0;
    }
    naive.width = 1 / (2 * log(2 + sum));
    naive.n = n[24];
    naive.h = h[24];
}

/* S, from log probabilities, which are scores but for a factor and an offset. */
static void
scale(uint32_t u)
{
    double all = 0.1, sum = 0;
    struct pz_query q = query_of(u, ITEMS, NULL);
    ck_assert_uint_eq(ask(&q), ITEMS);
    for (size_t i = 0; i < ITEMS; i++) {
        sum += 0.1 * log((double)score[i]) / ITEMS;
        if (!naive.new[got[i]])
            continue;
        all += naive.v[got[i]];
        sum += naive.v[got[i]] * log((double)score[i]);
    }
    for (size_t i = 0; i < ITEMS; i++)
        naive.s[got[i]] =
            (log((double)score[i]) - sum / all) / (log((double)score[0]) - sum / all);
}

static double
value_of(uint32_t i, double e, double z)
{
    if (!naive.new[i])
        return fmax(1 - e, 1e-6) * naive.s[i];
    return (1 - e) * naive.s[i] + e * (naive.s[i] + sqrt(naive.v[i] * naive.width) * z);
}

static double
draw_of(uint64_t key, uint32_t i)
{
    uint64_t a = pz_mix64(key ^ pz_mix64((uint64_t)i + 1));
    double u = ((double)(a >> 11) + 1) / 9007199254740992.0;
    double v = (double)(pz_mix64(a) >> 11) / 9007199254740992.0;
    return sqrt(-2 * log(u)) * cos(2 * acos(-1) * v);
}

START_TEST(as_the_formula_says)
{
    static const char *const models[] = {"model=auto", "model=next", "model=ials"};
    const char *assign = models[_i];
    make_shop();
    train(USERS, ITEMS, assign);
    count(30);
    ck_assert_uint_eq(naive.h, 20);
    for (uint32_t u = 0; u < USERS; u += 7) {
        scale(u);
        struct pz_query best = query_of(u, 8, NULL);
        uint32_t list[8];
        ask(&best);
        memcpy(list, got, sizeof list);
        for (int k = 0; k < 4; k++) {
            struct pz_explore e = {k == 3 ? 1 : 0.3 * k, 30, 77 + (uint64_t)k, NULL};
            struct pz_query q = query_of(u, ITEMS, k ? &e : NULL);
            ck_assert_uint_eq(ask(&q), ITEMS);
            for (size_t i = 0; i < ITEMS; i++) {
                double own = value_of(got[i], e.weight, draw_of(e.key, got[i]));
                double last =
                    i ? value_of(got[i - 1], e.weight, draw_of(e.key, got[i - 1]))
                      : INFINITY;
                ck_assert_msg(own <= last + 2e-4, "user %u, weight %g: %g behind %g", u,
                              e.weight, own, last);
                ck_assert(!explored[i]); // all would be there anyway
            }
            q.n = 8;
            ck_assert_uint_eq(ask(&q), 8);
            for (size_t i = 0; i < 8; i++) {
                bool there = false;
                for (size_t j = 0; j < 8; j++)
                    there |= list[j] == got[i];
                ck_assert(explored[i] == (!there && naive.new[got[i]]));
                ck_assert(k || there);
            }
        }
    }
    drop();
}
END_TEST

/* How often each new item is among the first five, over keys, and over draws from another
 * generator. */
START_TEST(as_often_as_a_simulation)
{
    enum { KEYS = 6000, FIRST = 5 };
    static uint32_t ours[ITEMS], theirs[ITEMS];
    struct pz_rng rng;
    make_shop();
    train(USERS, ITEMS, "model=auto");
    count(30);
    scale(14);
    pz_rng_seed(&rng, 1, 1);
    memset(ours, 0, sizeof ours);
    memset(theirs, 0, sizeof theirs);
    for (uint64_t k = 0; k < KEYS; k++) {
        struct pz_explore e = {0.6, 30, pz_mix64(k), NULL};
        struct pz_query q = query_of(14, FIRST, &e);
        ask(&q);
        for (size_t i = 0; i < FIRST; i++)
            ours[got[i]]++;
        double v[ITEMS];
        for (uint32_t i = 0; i < ITEMS; i++)
            v[i] = value_of(i, 0.6, pz_rng_normal(&rng));
        for (size_t i = 0; i < FIRST; i++) {
            uint32_t best = 0;
            for (uint32_t j = 1; j < ITEMS; j++)
                best = v[j] > v[best] ? j : best;
            theirs[best]++;
            v[best] = -INFINITY;
        }
    }
    uint32_t new = 0;
    for (uint32_t i = 0; i < ITEMS; i++) {
        double p = (double)(ours[i] + theirs[i]) / (2.0 * KEYS);
        double sd = sqrt(2 * p * (1 - p) / KEYS);
        double gap = fabs((double)ours[i] - (double)theirs[i]) / KEYS;
        ck_assert_msg(gap <= 4.5 * sd, "item %u: %u and %u of %d", i, ours[i], theirs[i],
                      KEYS);
        new += naive.new[i] ? ours[i] : 0;
    }
    ck_assert_uint_gt(new, KEYS / 4);
    // The fewer events, the more often; and less after having been shown in vain.
    ck_assert_uint_gt(ours[ITEMS - 1], ours[OLD + 2] * 3 / 2);
    drop();
}
END_TEST

START_TEST(being_shown_in_vain)
{
    static const char list[] = "i00038|i00037|i00036";
    uint32_t seen[2] = {0};
    for (int round = 0; round < 2; round++) {
        make_shop();
        for (size_t i = 0; i < n_rows && round; i++)
            if (row[i].user >= 20 && !shown[i])
                shown[i] = strdup(i % 2 ? list : list + 7);
        train(USERS, ITEMS, "model=auto");
        for (uint64_t k = 0; k < 2000; k++) {
            struct pz_explore e = {0.5, 30, k, NULL};
            struct pz_query q = query_of((uint32_t)k % USERS, 5, &e);
            size_t n = ask(&q);
            for (size_t i = 0; i < n; i++)
                seen[round] += got[i] >= 36 && got[i] <= 38;
        }
        drop();
    }
    ck_assert_msg(seen[1] * 3 < seen[0], "%u, then %u", seen[0], seen[1]);
}
END_TEST

/* What was counted since the training is as good as counted by it. */
START_TEST(since_the_training)
{
    static uint32_t more[ITEMS], seen[ITEMS], want[USERS][ITEMS], plain[USERS][ITEMS];
    struct pz_rng rng;
    uint64_t n = ITEMS;
    size_t differ = 0;
    pz_rng_seed(&rng, 4, 4);
    make_shop();
    train(USERS, ITEMS, _i ? "model=ials" : "model=auto");
    for (size_t i = 0; i < ITEMS; i++) {
        more[i] = (uint32_t)pz_rng_below(&rng, 30);
        seen[i] = (uint32_t)pz_rng_below(&rng, 300);
    }
    struct pz_lately lately = {more, seen};
    for (int pass = 0; pass < 3; pass++) {
        for (uint32_t u = 0; u < USERS; u++) {
            struct pz_explore e = {0.6, 30, u, pass == 1 ? &lately : NULL};
            struct pz_query q = query_of(u, ITEMS, &e);
            ck_assert_uint_eq(ask(&q), ITEMS);
            if (pass == 2)
                ck_assert_mem_eq(got, want[u], sizeof got);
            memcpy(pass ? want[u] : plain[u], got, sizeof got);
            differ += pass == 1 && memcmp(got, plain[u], sizeof got) != 0;
        }
        const uint32_t *item, *in_model[2];
        struct pz_err err = PZ_ERR_INIT;
        ck_ok(
            pz_tensors_get1(&trained.model.file, "explore.item", PZ_U32, &n, &item, &err),
            err);
        ck_ok(pz_tensors_get1(&trained.model.file, "explore.events", PZ_U32, &n,
                              &in_model[0], &err),
              err);
        ck_ok(pz_tensors_get1(&trained.model.file, "explore.shown", PZ_U32, &n,
                              &in_model[1], &err),
              err);
        for (size_t i = 0; i < ITEMS && pass == 1; i++) {
            ((uint32_t *)(uintptr_t)in_model[0])[i] += more[item[i]];
            ((uint32_t *)(uintptr_t)in_model[1])[i] += seen[item[i]];
        }
    }
    ck_assert_uint_gt(differ, USERS / 2);
    drop();
}
END_TEST

/* Not new, no room, no answer from candidates, damage. */
START_TEST(at_the_edges)
{
    make_shop();
    train(USERS, ITEMS, "model=auto");
    struct pz_explore e = {1, 1, 5, NULL};
    uint32_t candidate[] = {ITEMS - 1, 3, 9}, first[3];
    struct pz_query q = query_of(5, 3, NULL);
    q.candidate = candidate;
    q.n_candidates = 3;
    ask(&q);
    memcpy(first, got, sizeof first);
    q.explore = &e;
    ask(&q);
    ck_assert_mem_eq(got, first, sizeof first);
    q = query_of(5, 0, &e);
    ck_assert_uint_eq(ask(&q), 0);
    // With a day as the limit only items without any event are new.
    uint64_t allow = 0;
    count(1);
    for (uint32_t i = 0; i < ITEMS; i++)
        allow |= (uint64_t)!naive.new[i] << i;
    q = query_of(5, ITEMS, &e);
    q.allow = &allow;
    size_t n = ask(&q);
    uint32_t all[ITEMS];
    ck_assert_uint_ge(n, OLD);
    memcpy(all, got, sizeof all);
    q.explore = NULL;
    ask(&q);
    ck_assert_mem_eq(got, all, n * sizeof *all);
    drop();
}
END_TEST

/* ---- a world that answers ---- */

enum { PEOPLE = 40, PLAYED = 12, COLD = 7, DAYS = 24, SHOWN = 3 };

/* Days on which the answers' clicks are learned; returns the clicks on item COLD. */
static uint32_t
live(double weight, double *rate)
{
    static struct toy_row all[PEOPLE][MOST / PEOPLE];
    static char *list[PEOPLE][MOST / PEOPLE];
    size_t n[PEOPLE] = {0};
    uint32_t clicks = 0, offers = 0, taken = 0;
    struct pz_rng rng;
    pz_rng_seed(&rng, 8, 2);
    for (uint32_t u = 0; u < PEOPLE; u++)
        for (uint32_t k = 0; k < 6; k++) {
            uint32_t it = (uint32_t)pz_rng_below(&rng, PLAYED);
            it = it == COLD ? 0 : it;
            list[u][n[u]] = NULL;
            all[u][n[u]++] =
                (struct toy_row){.user = u, .item = it, .time = k * DAY + (int64_t)u};
        }
    for (int64_t day = 10; day < 10 + DAYS; day++) {
        n_rows = 0;
        for (uint32_t u = 0; u < PEOPLE; u++)
            for (size_t k = 0; k < n[u]; k++) {
                shown[n_rows] = list[u][k];
                row[n_rows++] = all[u][k];
            }
        train(PEOPLE, PLAYED, "time_budget=1");
        for (uint32_t u = 0; u < PEOPLE; u++) {
            struct pz_explore e = {weight, 60, (uint64_t)day * 1000 + u, NULL};
            struct pz_query q = query_of(u, SHOWN, weight > 0 ? &e : NULL);
            char text[SHOWN * 7 + 1] = "";
            ck_assert_uint_eq(ask(&q), SHOWN);
            for (size_t i = 0; i < SHOWN; i++)
                snprintf(text + strlen(text), sizeof text - strlen(text), "%si%05u",
                         i ? "|" : "", got[i]);
            for (size_t i = 0; i < SHOWN; i++) {
                // The new one is what most people want.
                double p = got[i] == COLD ? 0.6 : 0.05 + 0.01 * got[i];
                bool click = pz_rng_unit(&rng) < p;
                clicks += click && got[i] == COLD;
                offers += day >= 10 + DAYS * 3 / 4;
                taken += day >= 10 + DAYS * 3 / 4 && click;
                if (!click)
                    continue;
                list[u][n[u]] = strdup(text);
                all[u][n[u]++] = (struct toy_row){
                    .user = u, .item = got[i], .time = day * DAY + (int64_t)i};
            }
        }
        drop();
    }
    for (uint32_t u = 0; u < PEOPLE; u++)
        for (size_t k = 0; k < n[u]; k++)
            free(list[u][k]);
    n_rows = 0;
    *rate = (double)taken / offers;
    return clicks;
}

START_TEST(finds_the_best_item)
{
    double plain, exploring;
    uint32_t never = live(0, &plain), found = live(0.5, &exploring);
    ck_assert_uint_eq(never, 0);
    ck_assert_uint_gt(found, PEOPLE);
    ck_assert_msg(exploring > plain * 1.2, "%g of what is shown is taken, was %g",
                  exploring, plain);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("explore");
    TCase *t = tcase_create("explore");
    tcase_set_timeout(t, 240);
    tcase_add_loop_test(t, as_the_formula_says, 0, 3);
    tcase_add_test(t, as_often_as_a_simulation);
    tcase_add_test(t, being_shown_in_vain);
    tcase_add_loop_test(t, since_the_training, 0, 2);
    tcase_add_test(t, at_the_edges);
    tcase_add_test(t, finds_the_best_item);
    suite_add_tcase(s, t);
    return s;
}
