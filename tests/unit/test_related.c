/*
 * recipe/features, aws-similar-items and aws-semantic-similarity against the formulas of
 * their headers, computed plainly from the same made-up items.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/order.h"
#include "base/rng.h"
#include "group.h"
#include "recipe/content.h"

enum { ITEMS = 60, USERS = 40, GENRES = 5, WORDS = 30, TEXT = 8, LONELY = 7, EMPTY = 9 };

/* Item i is "i<i + 10>"; the items LONELY and EMPTY have no events, EMPTY no features. */
static struct {
    bool genre[GENRES], known;
    double price;
    int name[2], text[TEXT]; // numbers of words; -1: none
    int64_t created;
} thing[ITEMS];

static bool had[USERS][ITEMS];
static int64_t first_event[ITEMS], newest;
static struct pz_err err;
static struct group group;
static struct pz_world world;
static struct pz_events events;

static const char schema[] =
    "{\"type\":\"record\",\"name\":\"Items\",\"namespace\":\"com.amazonaws.personalize."
    "schema\",\"version\":\"1.0\","
    "\"fields\":[{\"name\":\"ITEM_ID\",\"type\":\"string\"},"
    "{\"name\":\"TITLE\",\"type\":[\"null\",\"string\"],\"itemName\":true},"
    "{\"name\":\"GENRES\",\"type\":[\"null\",\"string\"],\"categorical\":true},"
    "{\"name\":\"BRAND\",\"type\":[\"null\",\"string\"],\"categorical\":true},"
    "{\"name\":\"PRICE\",\"type\":[\"null\",\"double\"]},"
    "{\"name\":\"CREATION_TIMESTAMP\",\"type\":[\"null\",\"long\"]},"
    "{\"name\":\"TEXT\",\"type\":[\"null\",\"string\"],\"textual\":true}]}";

static void
make_things(struct pz_rng *rng)
{
    memset(thing, 0, sizeof thing);
    for (int i = 0; i < ITEMS; i++) {
        thing[i].known = i != EMPTY;
        for (int g = 0; g < GENRES; g++)
            thing[i].genre[g] = pz_rng_below(rng, 3) == 0;
        thing[i].price = (double)pz_rng_below(rng, 50) / 4;
        for (int k = 0; k < 2; k++)
            thing[i].name[k] = (int)pz_rng_below(rng, WORDS);
        int n = (int)pz_rng_below(rng, TEXT + 1);
        for (int k = 0; k < TEXT; k++)
            thing[i].text[k] =
                k < n ? (int)(WORDS * pz_rng_unit(rng) * pz_rng_unit(rng)) : -1;
        thing[i].created =
            pz_rng_below(rng, 2) ? 500 + (int64_t)pz_rng_below(rng, 90) : 0;
    }
}

static void
setup(void)
{
    struct pz_rng rng;
    struct pz_buf csv = PZ_BUF_INIT;
    struct pz_selection all = {0};
    struct pz_selection_report report;
    group_make(&group);
    pz_rng_seed(&rng, 5, 0);
    make_things(&rng);
    pz_buf_addz(&csv, "ITEM_ID,TITLE,GENRES,BRAND,PRICE,CREATION_TIMESTAMP,TEXT\n");
    for (int i = 0; i < ITEMS; i++) {
        if (!thing[i].known)
            continue;
        pz_buf_addf(&csv, "i%d,w%d W%d,", i + 10, thing[i].name[0], thing[i].name[1]);
        for (int g = 0, n = 0; g < GENRES; g++)
            if (thing[i].genre[g])
                pz_buf_addf(&csv, "%sg%d", n++ ? "|" : "", g);
        pz_buf_addf(&csv, ",same,%g,", thing[i].price);
        if (thing[i].created)
            pz_buf_addf(&csv, "%lld", (long long)thing[i].created);
        pz_buf_addz(&csv, ",");
        for (int k = 0; k < TEXT && thing[i].text[k] >= 0; k++)
            pz_buf_addf(&csv, "%sw%d", k ? ". " : "", thing[i].text[k]);
        pz_buf_addz(&csv, "\n");
    }
    group_import(&group, PZ_ITEMS, schema, csv.data);
    pz_buf_clear(&csv);
    pz_buf_addz(&csv, "USER_ID,ITEM_ID,TIMESTAMP\n");
    memset(had, 0, sizeof had);
    newest = 0;
    for (int u = 0; u < USERS; u++)
        for (int i = 0; i < ITEMS; i++) {
            had[u][i] =
                i != LONELY &&
                (i == EMPTY ? u < 3 : pz_rng_below(&rng, 1 + (uint64_t)i / 4) == 0);
            int64_t when = 400 + 7 * ((u * 13 + i) % 29);
            if (!had[u][i])
                continue;
            pz_buf_addf(&csv, "u%d,i%d,%lld\n", u + 10, i + 10, (long long)when);
            first_event[i] =
                first_event[i] && first_event[i] < when ? first_event[i] : when;
            newest = when > newest ? when : newest;
        }
    group_import(&group, PZ_INTERACTIONS, NULL, csv.data);
    pz_buf_release(&csv);
    ck_ok(pz_world_open(&world, group.dir, PZ_INTERACTIONS, 2, &err), err);
    ck_ok(pz_world_select(&world, &all, &events, &report, &err), err);
    ck_assert_uint_eq(events.n_items, ITEMS);
}

static void
teardown(void)
{
    pz_events_release(&events);
    pz_world_close(&world);
    group_remove(&group);
}

/* ---- the plain computation ---- */

enum { PRICES = 16, ALL = GENRES + PRICES + WORDS };

static double
idf(double some, double df)
{
    return log(1 + (some - df + 0.5) / (df + 0.5));
}

static size_t
price_cuts(double cut[PRICES])
{
    double price[ITEMS];
    size_t n = 0, k = 0;
    for (int i = 0; i < ITEMS; i++)
        if (thing[i].known)
            price[n++] = thing[i].price;
    qsort(price, n, sizeof *price, pz_order_f64);
    for (size_t b = 1; b < PRICES; b++) {
        double x = price[(n - 1) * b / PRICES];
        if (x < price[n - 1] && (k == 0 || x > cut[k - 1]))
            cut[k++] = x;
    }
    return k;
}

static void
bring(double *x, int n, double length)
{
    double square = 0;
    for (int k = 0; k < n; k++)
        square += x[k] * x[k];
    for (int k = 0; k < n && square > 0; k++)
        x[k] *= length / sqrt(square);
}

static void
count(double v[ITEMS][ALL])
{
    double cut[PRICES];
    size_t n_cuts = price_cuts(cut);
    for (int i = 0; i < ITEMS; i++) {
        size_t b = 0;
        memset(v[i], 0, sizeof v[i]);
        if (!thing[i].known)
            continue;
        for (int g = 0; g < GENRES; g++)
            v[i][g] = thing[i].genre[g];
        while (b < n_cuts && thing[i].price > cut[b])
            b++;
        v[i][GENRES + b] = 1;
        if (b > 0)
            v[i][GENRES + b - 1] = 0.5;
        if (b < n_cuts)
            v[i][GENRES + b + 1] = 0.5;
        for (int k = 0; k < 2; k++)
            v[i][GENRES + PRICES + thing[i].name[k]] += 2;
        for (int k = 0; k < TEXT && thing[i].text[k] >= 0; k++)
            v[i][GENRES + PRICES + thing[i].text[k]] += 1;
    }
}

/* Vectors of all items; text_only: without genres and prices. */
static void
naive(double v[ITEMS][ALL], bool text_only)
{
    double df[ALL] = {0}, words = 0, alike = 0, some = ITEMS - 1;
    count(v);
    for (int i = 0; i < ITEMS; i++)
        for (int k = 0; k < ALL; k++) {
            df[k] += v[i][k] > 0;
            words += k >= GENRES + PRICES ? v[i][k] : 0;
        }
    for (int g = 0; g < GENRES; g++)
        alike += df[g] / some * (df[g] / some);
    for (int i = 0; i < ITEMS; i++) {
        double len = 0, *text = v[i] + GENRES + PRICES;
        for (int k = 0; k < WORDS; k++)
            len += text[k];
        for (int k = 0; k < GENRES + PRICES; k++)
            v[i][k] *= text_only ? 0 : idf(some, df[k]);
        for (int k = 0; k < WORDS; k++)
            text[k] = idf(some, df[GENRES + PRICES + k]) * 2.2 * text[k] /
                      (text[k] + 1.2 * (0.25 + 0.75 * len / (words / some)));
        bring(v[i], GENRES, alike < 1 ? sqrt(fmin(1, -log(alike) / 2)) : 0);
        bring(v[i] + GENRES, PRICES, 0.5);
        bring(text, WORDS, 1);
        bring(v[i], ALL, 1);
    }
    for (int i = 0; i < ITEMS; i++)
        for (int k = 0; k < ALL; k++)
            v[i][k] = df[k] < 2 ? 0 : v[i][k];
}

static double
dot(const double a[ALL], const double b[ALL])
{
    double sum = 0;
    for (int k = 0; k < ALL; k++)
        sum += a[k] * b[k];
    return sum;
}

/* ---- features ---- */

/* Where the plain computation has a feature of this name. */
static int
place_of(const char *name, size_t n)
{
    char text[64], *end;
    snprintf(text, sizeof text, "%.*s", (int)n, name);
    if (strncmp(text, "GENRES=g", 8) == 0)
        return (int)strtol(text + 8, &end, 10);
    if (text[0] == 'w')
        return GENRES + PRICES + (int)strtol(text + 1, &end, 10);
    double cut[PRICES];
    size_t n_cuts = price_cuts(cut), b = 0;
    ck_assert_msg(strncmp(text, "PRICE=", 6) == 0, "%s", text);
    if (strncmp(text + 6, "above ", 6) == 0)
        return GENRES + (int)n_cuts;
    if (strncmp(text + 6, "up to ", 6) == 0)
        return GENRES;
    double low = strtod(text + 6, &end);
    while (b < n_cuts && cut[b] <= low)
        b++;
    return GENRES + (int)b;
}

START_TEST(features)
{
    static double v[ITEMS][ALL];
    for (int text_only = 0; text_only < 2; text_only++)
        for (int threads = 1; threads <= 3; threads++) {
            struct pz_features f;
            struct pz_features_spec spec = {.sorts = text_only ? PZ_FEATURE_TEXT
                                                               : PZ_FEATURE_ALL,
                                            .threads = threads};
            ck_ok(pz_features_make(&f, &world, &spec, &err), err);
            naive(v, text_only);
            uint64_t entries = 0;
            for (uint32_t i = 0; i < ITEMS; i++)
                for (uint64_t e = f.by_item.offsets[i]; e < f.by_item.offsets[i + 1];
                     e++) {
                    uint32_t k = f.by_item.col[e];
                    const char *name = (char *)f.name_bytes + f.name_offsets[k];
                    size_t n = (size_t)(f.name_offsets[k + 1] - f.name_offsets[k]);
                    ck_assert_double_eq_tol((double)f.by_item.value[e],
                                            v[i][place_of(name, n)], 1e-6);
                    entries++;
                }
            uint64_t want = 0;
            for (int i = 0; i < ITEMS; i++)
                for (int k = 0; k < ALL; k++)
                    want += v[i][k] > 0;
            ck_assert_uint_eq(entries, want);
            ck_assert_uint_eq(f.n_columns, text_only ? 2 : 5);
            pz_features_release(&f);
        }
}
END_TEST

/* Only the heaviest of each item; without items there are none. */
START_TEST(few_features)
{
    struct pz_features all, few;
    struct pz_features_spec spec = {.sorts = PZ_FEATURE_ALL, .threads = 2};
    ck_ok(pz_features_make(&all, &world, &spec, &err), err);
    spec.keep = 4;
    ck_ok(pz_features_make(&few, &world, &spec, &err), err);
    for (uint32_t i = 0; i < ITEMS; i++) {
        uint64_t a = all.by_item.offsets[i], b = all.by_item.offsets[i + 1];
        uint64_t c = few.by_item.offsets[i], d = few.by_item.offsets[i + 1];
        ck_assert_uint_eq(d - c, b - a < 4 ? b - a : 4);
        for (uint64_t e = c; e < d; e++) {
            int heavier = 0;
            for (uint64_t o = a; o < b; o++)
                heavier += all.by_item.value[o] > few.by_item.value[e];
            ck_assert_int_lt(heavier, 4);
        }
    }
    pz_features_release(&all);
    pz_features_release(&few);
    struct pz_world alone;
    pz_world_of(&alone, world.interactions);
    ck_ok(pz_features_make(&few, &alone, &spec, &err), err);
    ck_assert_uint_eq(few.by_item.n_cols, 0);
    ck_assert_uint_eq(few.by_item.offsets[alone.item.n], 0);
    pz_features_release(&few);
}
END_TEST

/* ---- the recipes ---- */

static void
learn(struct pz_trained *t, const struct pz_recipe *recipe, const char *const *set)
{
    struct pz_params p;
    pz_params_init(&p, recipe->params);
    for (; *set; set++)
        ck_ok(pz_params_set(&p, *set, &err), err);
    struct pz_train train = {
        .events = &events, .params = &p, .world = &world, .threads = 2};
    ck_ok(pz_trained_open(t, recipe, &train, &err), err);
}

static int
users_of(int i, int j)
{
    int n = 0;
    for (int u = 0; u < USERS; u++)
        n += had[u][i] && had[u][j];
    return n;
}

/* The answer for i is that of score[], best first, all of it, then popular items without
 * a score; and the reasons add up. */
static void
check_answer(const struct pz_model *m, uint32_t i, const double *score)
{
    uint32_t item[ITEMS];
    float got[ITEMS];
    struct pz_reason reason[1 + PZ_REASON_LABELS];
    struct pz_query q = {.user = PZ_NO_ID, .item = i, .n = ITEMS};
    struct pz_ranked out = {.item = item, .score = got};
    size_t n_scored = 0;
    ck_ok(m->recipe->rank(m->state, &q, 1, &out, &err), err);
    for (int j = 0; j < ITEMS; j++)
        n_scored += score[j] > 0;
    ck_assert_uint_ge(out.n, n_scored);
    ck_assert_int_eq(out.fallback, n_scored == 0);
    bool seen[ITEMS] = {false};
    for (size_t k = 0; k < out.n; k++) {
        ck_assert(!seen[item[k]] && item[k] != i);
        seen[item[k]] = true;
        if (k >= n_scored) {
            ck_assert(isnan(got[k]));
            continue;
        }
        ck_assert_double_eq_tol((double)got[k], score[item[k]], 2e-6);
        ck_assert(k == 0 || got[k] <= got[k - 1]);
        struct pz_explained why = {.reason = reason};
        double sum = 0;
        ck_ok(m->recipe->explain(m->state, &q, item[k], &why, &err), err);
        for (size_t r = 0; r < why.n; r++) {
            sum += reason[r].contribution;
            ck_assert(r == 0 || reason[r].contribution <= reason[r - 1].contribution);
        }
        ck_assert_double_eq_tol(sum, why.raw, 1e-12);
        ck_assert_double_eq_tol(why.raw, score[item[k]], 2e-6);
    }
}

START_TEST(similar)
{
    static const struct {
        double p, h, s, k;
    } t[] = {{0, 10, 0.7, 5}, {0.5, 0, 1, 0}, {1, 2, 0.4, 20}, {0.3, 1, 0, 5}};
    static double v[ITEMS][ALL];
    naive(v, false);
    for (size_t c = 0; c < sizeof t / sizeof *t; c++) {
        char text[4][64];
        snprintf(text[0], 64, "popularity_discount_factor=%g", t[c].p);
        snprintf(text[1], 64, "shrinkage=%g", t[c].h);
        snprintf(text[2], 64, "interactions_share=%g", t[c].s);
        snprintf(text[3], 64, "cold_interactions=%g", t[c].k);
        const char *set[] = {text[0], text[1], text[2], text[3], "closeness=0", NULL};
        struct pz_trained m;
        learn(&m, &pz_recipe_similar_items, set);
        for (int i = 0; i < ITEMS; i++) {
            double together[ITEMS], most = 0, score[ITEMS] = {0}, n = users_of(i, i);
            double plain = dot(v[i], v[i]) == 0, share = t[c].s * n / (n + t[c].k);
            for (int j = 0; j < ITEMS; j++) {
                double both = i == j ? 0 : users_of(i, j);
                together[j] = both == 0 ? 0
                                        : both / pow(users_of(j, j), (1 + t[c].p) / 2) *
                                              both / (both + t[c].h);
                most = fmax(most, together[j]);
            }
            share = most == 0 ? 0 : plain ? 1 : share;
            for (int j = 0; j < ITEMS; j++)
                if (j != i)
                    score[j] = (1 - share) * dot(v[i], v[j]) /
                                   pow(1 + users_of(j, j), t[c].p / 2) +
                               (most > 0 ? share * together[j] / most : 0);
            check_answer(&m.model, (uint32_t)i, score);
        }
        pz_trained_close(&m);
    }
}
END_TEST

START_TEST(semantic)
{
    static const double influence[][2] = {{0, 0}, {0.3, 0}, {0, 0.6}, {0.5, 0.25}};
    static double v[ITEMS][ALL];
    double most = 0, created[ITEMS];
    naive(v, true);
    for (int i = 0; i < ITEMS; i++) {
        most = fmax(most, users_of(i, i));
        created[i] = (double)(thing[i].known && thing[i].created ? thing[i].created
                              : first_event[i] == 0              ? newest
                                                                 : first_event[i]);
    }
    for (size_t c = 0; c < sizeof influence / sizeof *influence; c++) {
        char text[2][64];
        double p = influence[c][0], f = influence[c][1];
        snprintf(text[0], 64, "POPULARITY=%g", p);
        snprintf(text[1], 64, "FRESHNESS=%g", f);
        const char *set[] = {text[0], text[1], NULL};
        struct pz_trained m;
        learn(&m, &pz_recipe_semantic_similarity, set);
        for (int i = 0; i < ITEMS; i++) {
            double score[ITEMS] = {0};
            for (int j = 0; j < ITEMS; j++) {
                double cosine = dot(v[i], v[j]), older = 0;
                for (int k = 0; k < ITEMS; k++)
                    older += created[k] <= created[j];
                if (j != i && cosine > 0)
                    score[j] = (1 - p) * (1 - f) * cosine +
                               p * log(1 + users_of(j, j)) / log(1 + most) +
                               f * older / ITEMS;
            }
            check_answer(&m.model, (uint32_t)i, score);
        }
        pz_trained_close(&m);
    }
}
END_TEST

/* Filters, exclusion and candidates; an item that the model does not know. */
START_TEST(queries)
{
    const char *none[] = {NULL};
    struct pz_trained m;
    learn(&m, &pz_recipe_similar_items, none);
    const struct pz_recipe *r = m.model.recipe;
    uint32_t all[ITEMS], item[ITEMS];
    float score[ITEMS], all_score[ITEMS];
    uint64_t allow = 0;
    struct pz_query q = {.user = PZ_NO_ID, .item = 3, .n = ITEMS};
    struct pz_ranked whole = {.item = all, .score = all_score};
    struct pz_ranked out = {.item = item, .score = score};
    ck_ok(r->rank(m.model.state, &q, 1, &whole, &err), err);
    for (uint32_t k = 0; k < 12; k += 2)
        allow |= UINT64_C(1) << all[k];
    q.allow = &allow;
    q.exclude = &all[2];
    q.n_exclude = 1;
    q.n = 4;
    ck_ok(r->rank(m.model.state, &q, 1, &out, &err), err);
    ck_assert_uint_eq(out.n, 4);
    const int want[] = {0, 4, 6, 8};
    for (int k = 0; k < 4; k++) {
        ck_assert_uint_eq(item[k], all[want[k]]);
        ck_assert_float_eq(score[k], all_score[want[k]]);
    }
    const uint32_t given[] = {all[9], all[1], all[5]};
    struct pz_query c = {
        .user = PZ_NO_ID, .item = 3, .candidate = given, .n_candidates = 3, .n = 3};
    ck_ok(r->rank(m.model.state, &c, 1, &out, &err), err);
    ck_assert_uint_eq(out.n, 3);
    ck_assert_uint_eq(item[0], all[1]);
    ck_assert_uint_eq(item[1], all[5]);
    ck_assert_uint_eq(item[2], all[9]);

    struct pz_query unknown = {.user = PZ_NO_ID, .item = PZ_NO_ID, .n = 5};
    ck_ok(r->rank(m.model.state, &unknown, 1, &out, &err), err);
    ck_assert(out.fallback);
    for (size_t k = 0; k < 5; k++)
        ck_assert_uint_eq(item[k], m.model.popular[k]);
    pz_trained_close(&m);
}
END_TEST

START_TEST(no_text)
{
    struct pz_params p;
    struct pz_world alone;
    struct pz_builder *b;
    pz_params_init(&p, pz_recipe_semantic_similarity.params);
    ck_ok(pz_builder_new(&b, &err), err);
    pz_world_of(&alone, world.interactions);
    struct pz_train t = {
        .events = &events, .params = &p, .world = &alone, .threads = 1, .model = b};
    ck_assert_int_eq(pz_recipe_semantic_similarity.train(&t, &err), PZ_DATA);
    pz_builder_free(b);
}
END_TEST

/* Of items that nobody had yet those without a creation time are as new as the newest. */
START_TEST(nobody)
{
    struct pz_params p;
    struct pz_builder *b;
    struct pz_tensors view;
    static const uint64_t none[USERS + 1];
    const float *fresh;
    uint64_t n = ITEMS;
    int64_t last = 0;
    pz_params_init(&p, pz_recipe_semantic_similarity.params);
    ck_ok(pz_builder_new(&b, &err), err);
    struct pz_events e = {
        .n_users = USERS, .n_items = ITEMS, .offsets = (uint64_t *)(uintptr_t)none};
    struct pz_train t = {
        .events = &e, .params = &p, .world = &world, .threads = 1, .model = b};
    ck_ok(pz_recipe_semantic_similarity.train(&t, &err), err);
    ck_ok(pz_builder_view(b, &view, &err), err);
    ck_ok(pz_tensors_get1(&view, "semantic.fresh", PZ_F32, &n, &fresh, &err), err);
    for (int i = 0; i < ITEMS; i++)
        if (thing[i].known && thing[i].created > last)
            last = thing[i].created;
    for (int i = 0; i < ITEMS; i++)
        ck_assert_int_eq(fresh[i] == 1, !thing[i].known || !thing[i].created ||
                                            thing[i].created == last);
    pz_tensors_close(&view);
    pz_builder_free(b);
}
END_TEST

/* Each tensor with one entry out of bounds: found when opened or when used. */
START_TEST(damage)
{
    static const char *const name[] = {"together.offsets", "together.item",
                                       "feature.offsets",  "feature.of",
                                       "feature.item",     "feature.item_offsets"};
    const char *none[] = {NULL};
    for (size_t k = 0; k < sizeof name / sizeof *name; k++) {
        struct pz_trained m;
        learn(&m, &pz_recipe_similar_items, none);
        const struct pz_tensor *t = pz_tensors_find(&m.model.file, name[k]);
        ck_assert_ptr_nonnull(t);
        memset((uint8_t *)(uintptr_t)t->data + 4 * pz_dtype_size(t->dtype), 0xff,
               pz_dtype_size(t->dtype));
        int r = PZ_OK;
        for (uint32_t i = 0; i < ITEMS && r == PZ_OK; i++) {
            uint32_t item[ITEMS];
            float score[ITEMS];
            struct pz_query q = {.user = PZ_NO_ID, .item = i, .n = ITEMS};
            struct pz_ranked out = {.item = item, .score = score};
            r = m.model.recipe->rank(m.model.state, &q, 1, &out, &err);
        }
        ck_assert_int_eq(r, PZ_FORMAT);
        ck_assert_ptr_nonnull(strstr(err.msg, name[k]));
        pz_trained_close(&m);
    }
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("related");
    TCase *t = tcase_create("related");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, features);
    tcase_add_test(t, few_features);
    tcase_add_test(t, similar);
    tcase_add_test(t, semantic);
    tcase_add_test(t, queries);
    tcase_add_test(t, no_text);
    tcase_add_test(t, nobody);
    tcase_add_test(t, damage);
    suite_add_tcase(s, t);
    return s;
}
