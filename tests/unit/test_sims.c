/* aws-sims against counting all pairs, its answers, and damage. */
#include <math.h>
#include <string.h>

#include "base/cpu.h"
#include "math/andcount.h"
#include "recipe/check.h"
#include "recipe/cooc.h"
#include "recipe/model.h"
#include "recipe/neighbours.h"
#include "toy.h"
#include "unit.h"

struct fixture {
    struct pz_dataset d;
    struct pz_events e;
    struct pz_err err;
    uint32_t
        *pair; // n_items x n_items: distinct users with both; the diagonal: with the one
};

static void
set_up(struct fixture *f, uint64_t seed, uint32_t n_users, uint32_t n_items,
       uint32_t most)
{
    struct pz_selection all = {0};
    struct pz_selection_report report;
    size_t n;
    struct toy_row *row = toy_random(seed, n_users, n_items, most, &n);
    *f = (struct fixture){.err = PZ_ERR_INIT};
    toy_dataset(&f->d, n_users, n_items, row, n);
    ck_ok(pz_events_select(&f->d, &all, &f->e, &report, &f->err), f->err);
    f->pair = calloc((size_t)n_items * n_items, sizeof *f->pair);
    uint8_t *has = malloc(n_items);
    for (uint32_t u = 0; u < n_users; u++) {
        memset(has, 0, n_items);
        for (uint64_t i = f->e.offsets[u]; i < f->e.offsets[u + 1]; i++)
            has[f->e.item[i]] = 1;
        for (uint32_t a = 0; a < n_items; a++)
            for (uint32_t b = 0; has[a] && b < n_items; b++)
                f->pair[a * n_items + b] += has[b];
    }
    free(has);
    free(row);
}

static void
tear_down(struct fixture *f)
{
    free(f->pair);
    pz_events_release(&f->e);
    toy_release(&f->d);
}

static void
check_counts(struct fixture *f, uint32_t n_head, int threads)
{
    struct pz_cooc c;
    struct pz_cooc_row row;
    uint32_t n = f->e.n_items;
    ck_ok(pz_cooc_build(&c, &f->e, n_head, threads, &f->err), f->err);
    ck_ok(pz_cooc_row_new(&row, &c, &f->err), f->err);
    for (uint32_t r = 0; r < c.n_ranks; r++) {
        uint32_t a = c.item_of[r];
        ck_assert_uint_eq(pz_cooc_users(&c, r), f->pair[a * n + a]);
        if (r >= c.n_head)
            pz_cooc_row_count(&row, &c, r);
        const uint32_t *count = r < c.n_head ? pz_cooc_head(&c, r) : row.count;
        for (uint32_t b = 0; b < n; b++) {
            uint32_t s = c.rank_of[b];
            if (s == PZ_NO_ID || (r < c.n_head && s >= c.n_head))
                ck_assert(s != PZ_NO_ID || f->pair[a * n + b] == 0);
            else
                ck_assert_uint_eq(count[s], f->pair[a * n + b]);
        }
        if (r >= c.n_head)
            pz_cooc_row_clear(&row, &c);
    }
    pz_cooc_row_release(&row);
    pz_cooc_release(&c);
}

START_TEST(counts)
{
    struct fixture f;
    enum pz_cpu most = pz_cpu_force(PZ_CPU_AVX512);
    set_up(&f, 7, 700, 190, 40); // not multiples of 64 or 512
    for (int level = 0; level <= (int)most; level++) {
        pz_cpu_force((enum pz_cpu)level);
        for (uint32_t head = 0; head <= 256; head += 64)
            check_counts(&f, head, 1 + (int)head / 128);
        check_counts(&f, UINT32_MAX, 2);
    }
    tear_down(&f);
    set_up(&f, 8, 33000, 70, 3); // more than one segment of users, rare rows
    check_counts(&f, 0, 1);
    check_counts(&f, 128, 2);
    tear_down(&f);
    set_up(&f, 9, 3, 4000, 6); // rows so short that they are listed
    check_counts(&f, 0, 1);
    tear_down(&f);
}
END_TEST

/*
 * A user with 5 items more than count. The oldest 8 events are of items 0 to 4, of which
 * 0 and 1 are had again at the end; so 2, 3 and 4 are too old, and 5 and 6 behind them.
 */
START_TEST(endless_history)
{
    enum { MOST = PZ_COOC_MOST + 5, EARLY = 8 };
    static const uint32_t early[EARLY] = {0, 1, 2, 3, 4, 2, 3, 4};
    struct pz_selection all = {0};
    struct pz_selection_report report;
    struct pz_events e;
    struct pz_dataset d;
    struct pz_err err = PZ_ERR_INIT;
    struct toy_row *row = calloc(EARLY + MOST + 8, sizeof *row);
    size_t n = 0;
    int64_t now = 0;
    for (uint32_t i = 0; i < EARLY; i++)
        row[n++] = (struct toy_row){0, early[i], ++now, 0, NAN};
    for (uint32_t i = 5; i < MOST; i++)
        row[n++] = (struct toy_row){0, i, ++now, 0, NAN};
    for (uint32_t i = 0; i < 2; i++)
        row[n++] = (struct toy_row){0, i, ++now, 0, NAN};
    for (uint32_t i = 0; i < 6; i++) // another has items 0 to 4 and 7
        row[n++] = (struct toy_row){1, i < 5 ? i : 7, ++now, 0, NAN};
    toy_dataset(&d, 2, MOST, row, n);
    ck_ok(pz_events_select(&d, &all, &e, &report, &err), err);
    for (uint32_t head = 0; head <= 128; head += 128) {
        struct pz_cooc c;
        struct pz_cooc_row r;
        ck_ok(pz_cooc_build(&c, &e, head, 1, &err), err);
        ck_assert_uint_eq(c.n_pairs, PZ_COOC_MOST + 6);
        ck_assert_uint_eq(c.rank_of[5], PZ_NO_ID); // only of the user, and too old
        ck_assert_uint_eq(c.rank_of[6], PZ_NO_ID);
        ck_ok(pz_cooc_row_new(&r, &c, &err), err);
        for (uint32_t i = 0; i < 9; i++) {
            static const uint32_t users[] = {2, 2, 1, 1, 1, 0, 0, 2, 1};
            if (users[i])
                ck_assert_uint_eq(pz_cooc_users(&c, c.rank_of[i]), users[i]);
        }
        for (uint32_t i = 8; !head && i < 300;
             i += 97) { // of the newest, with all others
            pz_cooc_row_count(&r, &c, c.rank_of[i]);
            for (uint32_t j = 0; j < MOST; j++)
                if (c.rank_of[j] != PZ_NO_ID)
                    ck_assert_uint_eq(r.count[c.rank_of[j]], j < 2 || j > 6);
            pz_cooc_row_clear(&r, &c);
        }
        pz_cooc_row_release(&r);
        pz_cooc_release(&c);
    }
    struct pz_neighbours rows;
    struct pz_neighbours_spec spec = {
        .keep = 9, .least = 1, .closeness = 4, .halflife = 4, .threads = 1};
    ck_ok(pz_neighbours_find(&rows, &e, &spec, &err), err);
    ck_assert_uint_eq(rows.offsets[3] - rows.offsets[2], 5); // of the other user
    ck_assert_uint_eq(rows.offsets[6] - rows.offsets[5], 0);
    ck_assert_uint_eq(rows.offsets[9] - rows.offsets[8], 9);
    free(rows.offsets);
    free(rows.item);
    free(rows.score);
    free(row);
    pz_events_release(&e);
    toy_release(&d);
}
END_TEST

START_TEST(common_bits)
{
    enum { STRIDE = 24, WORDS = 16 };
    uint64_t *a = aligned_alloc(64, 4 * STRIDE * 8),
             *b = aligned_alloc(64, 4 * STRIDE * 8);
    struct pz_rng rng;
    pz_rng_seed(&rng, 1, 2);
    for (int i = 0; i < 4 * STRIDE; i++) {
        a[i] = pz_rng_u64(&rng) | pz_rng_u64(&rng);
        b[i] = i % 5 ? pz_rng_u64(&rng) : UINT64_MAX;
    }
    enum pz_cpu most = pz_cpu_force(PZ_CPU_AVX512);
    for (int level = 0; level <= (int)most; level++) {
        uint32_t c[4 * 5] = {0};
        c[6] = 100;
        pz_cpu_force((enum pz_cpu)level);
        pz_andcount()(a, b, STRIDE, WORDS, c, 5);
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++) {
                uint32_t want = i == 1 && j == 1 ? 100 : 0;
                for (int bit = 0; bit < WORDS * 64; bit++)
                    want += a[i * STRIDE + bit / 64] >> bit % 64 &
                            b[j * STRIDE + bit / 64] >> bit % 64 & 1;
                ck_assert_uint_eq(c[i * 5 + j], want);
            }
    }
    free(a);
    free(b);
}
END_TEST

/* ---- models ---- */

static void
learn(struct pz_trained *t, struct fixture *f, const char *const *set, int threads)
{
    struct pz_params p;
    pz_params_init(&p, pz_recipe_sims.params);
    for (; *set; set++)
        ck_ok(pz_params_set(&p, *set, &f->err), f->err);
    struct pz_world world;
    pz_world_of(&world, &f->d);
    struct pz_train train = {
        .events = &f->e, .params = &p, .world = &world, .threads = threads};
    ck_ok(pz_trained_open(t, &pz_recipe_sims, &train, &f->err), f->err);
}

#define NO_CUT                                                                           \
    "min_user_history_length_percentile=0", "max_user_history_length_percentile=1",      \
        "closeness=0", "min_item_interaction_count_percentile=0",                        \
        "max_item_interaction_count_percentile=1"

static float
naive_score(const struct fixture *f, uint32_t i, uint32_t j, double p, double h,
            double least)
{
    uint32_t n = f->e.n_items, c = f->pair[i * n + j];
    if (i == j || c == 0 || c < least)
        return 0;
    return (float)(c * ((double)c / (c + h))) * (float)pow(f->pair[j * n + j], -p);
}

/* Frequent items stand in the rows of frequent items only; all others are as ever. */
START_TEST(hidden_items)
{
    struct fixture f;
    struct pz_neighbours rows;
    uint8_t hidden[90];
    set_up(&f, 12, 300, 90, 25);
    for (uint32_t i = 0; i < 90; i++)
        hidden[i] = i % 4 == 1;
    f.e.hidden = hidden;
    for (uint32_t n_head = 0; n_head <= 64; n_head += 32) {
        struct pz_neighbours_spec spec = {.keep = 90,
                                          .least = 2,
                                          .discount = 0.5,
                                          .shrinkage = 1,
                                          .threads = 2,
                                          .force_head = true,
                                          .n_head = n_head};
        ck_ok(pz_neighbours_find(&rows, &f.e, &spec, &f.err), f.err);
        for (uint32_t i = 0; i < 90; i++) {
            uint8_t found[90] = {0};
            for (uint64_t k = rows.offsets[i]; k < rows.offsets[i + 1]; k++) {
                ck_assert_float_eq(rows.score[k],
                                   naive_score(&f, i, rows.item[k], 0.5, 1, 2));
                found[rows.item[k]] = 1;
            }
            for (uint32_t j = 0; j < 90; j++)
                ck_assert_int_eq(found[j], naive_score(&f, i, j, 0.5, 1, 2) > 0 &&
                                               (!hidden[j] || hidden[i]));
        }
        free(rows.offsets);
        free(rows.item);
        free(rows.score);
    }
    f.e.hidden = NULL;
    tear_down(&f);
}
END_TEST

/* g of the pair (a, b) of places in a user's list of first events. */
static double
naive_gain(const int64_t *time, uint32_t len, uint32_t a, uint32_t b, double halflife)
{
    uint32_t low = a < b ? a : b, high = a < b ? b : a, moments = 0;
    for (uint32_t k = 0; k < len; k++) { // of a crowd, or with one between
        uint32_t crowd = 0;
        for (uint32_t o = 0; o < len; o++)
            crowd += time[o] == time[k];
        if (crowd > 64 && time[k] >= time[low] && time[k] <= time[high])
            return 0;
    }
    for (uint32_t k = low + 1; k <= high; k++)
        moments += time[k] != time[k - 1];
    if (moments > ceil(2 * halflife))
        return 0;
    return pow(2, -(double)moments / halflife) * (time[b] < time[a] ? 0.5 : 1);
}

static double *
naive_gains(const struct fixture *f, double halflife)
{
    uint32_t n = f->e.n_items, *list = malloc(n * sizeof *list);
    int64_t *time = malloc(n * sizeof *time);
    double *gain = calloc((size_t)n * n, sizeof *gain);
    for (uint32_t u = 0; u < f->e.n_users; u++) {
        uint32_t len = 0;
        for (uint64_t i = f->e.offsets[u]; i < f->e.offsets[u + 1]; i++) {
            uint32_t k = 0;
            while (k < len && list[k] != f->e.item[i])
                k++;
            time[len] = f->e.time[i];
            if (k == len)
                list[len++] = f->e.item[i];
        }
        for (uint32_t a = 0; a < len; a++)
            for (uint32_t b = 0; b < len; b++)
                if (a != b)
                    gain[list[a] * n + list[b]] += naive_gain(time, len, a, b, halflife);
    }
    free(list);
    free(time);
    return gain;
}

/* Items had one after the other, whichever way the pair is counted. */
START_TEST(near_items)
{
    struct fixture f;
    struct pz_neighbours rows[4];
    size_t crowds = 0;
    set_up(&f, 13, 90, 150, 160);
    for (uint32_t u = 0; u < f.e.n_users; u++) { // baskets of up to 4; all at once
        uint64_t from = f.e.offsets[u], to = f.e.offsets[u + 1];
        bool once = u % 3 == 0;
        for (uint64_t i = from; i < to; i++)
            f.e.time[i] = once && i + 10 < to ? 1 : 1000 + (int64_t)(i - from) / 4;
        crowds += once && to - from > 140;
    }
    ck_assert_uint_gt(crowds, 1);
    for (uint32_t k = 0; k < 4; k++) {
        struct pz_neighbours_spec spec = {.keep = 150,
                                          .least = 2,
                                          .discount = 0.5,
                                          .shrinkage = 3,
                                          .closeness = 2.5,
                                          .halflife = 1.7,
                                          .threads = 1 + (int)k,
                                          .force_head = true,
                                          .n_head = 64 * k};
        ck_ok(pz_neighbours_find(&rows[k], &f.e, &spec, &f.err), f.err);
    }
    double *gain = naive_gains(&f, 1.7);
    size_t raised = 0;
    for (uint32_t i = 0; i < 150; i++)
        for (uint64_t e = rows[0].offsets[i]; e < rows[0].offsets[i + 1]; e++) {
            uint32_t j = rows[0].item[e];
            double g = gain[i * 150 + j], c = f.pair[i * 150 + j];
            double want = (double)naive_score(&f, i, j, 0.5, 3, 2) * (1 + 2.5 * g / c);
            ck_assert_double_eq_tol((double)rows[0].score[e], want, 1e-5 * want);
            raised += g > 0;
        }
    ck_assert_uint_gt(raised, 500);
    for (int k = 0; k < 4; k++) {
        ck_assert_uint_eq(rows[k].n, rows[0].n);
        ck_assert_mem_eq(rows[k].item, rows[0].item, rows[0].n * sizeof *rows[0].item);
        ck_assert_mem_eq(rows[k].score, rows[0].score, rows[0].n * sizeof *rows[0].score);
    }
    for (int k = 0; k < 4; k++) {
        free(rows[k].offsets);
        free(rows[k].item);
        free(rows[k].score);
    }
    free(gain);
    tear_down(&f);
}
END_TEST

START_TEST(scores)
{
    static const struct {
        double p, h, least, neighbours;
    } t[] = {{0.5, 10, 3, 500},
             {0, 0, 0, 10},
             {1, 0, 1, 7},
             {0.25, 2.5, 10, 50},
             {1, 30, 2, 1}};
    struct fixture f;
    set_up(&f, 11, 500, 150, 30);
    for (size_t k = 0; k < sizeof t / sizeof *t; k++) {
        char text[4][64];
        snprintf(text[0], 64, "popularity_discount_factor=%g", t[k].p);
        snprintf(text[1], 64, "shrinkage=%g", t[k].h);
        snprintf(text[2], 64, "min_cointeraction_count=%g", t[k].least);
        snprintf(text[3], 64, "neighbours=%g", t[k].neighbours);
        const char *set[] = {NO_CUT, text[0], text[1], text[2], text[3], NULL};
        struct pz_trained m;
        learn(&m, &f, set, 2);
        for (uint32_t i = 0; i < 150; i++) {
            // All of the item's others by the definition, best first, ties by lower
            // index.
            uint8_t used[150] = {0};
            uint32_t item[150];
            float score[150];
            struct pz_query q = {.user = PZ_NO_ID, .item = i, .n = 149};
            struct pz_ranked out = {.item = item, .score = score};
            ck_ok(pz_recipe_sims.rank(m.model.state, &q, 1, &out, &f.err), f.err);
            size_t at = 0;
            for (; at < (size_t)t[k].neighbours && at < 149; at++) {
                uint32_t best = 0;
                float most = 0;
                for (uint32_t j = 0; j < 150; j++) {
                    float s = naive_score(&f, i, j, t[k].p, t[k].h, t[k].least);
                    if (!used[j] && s > most) {
                        most = s;
                        best = j;
                    }
                }
                if (!(most > 0))
                    break;
                used[best] = 1;
                ck_assert_uint_eq(item[at], best);
                ck_assert_float_eq(score[at], most);
            }
            ck_assert(out.fallback == (at == 0));
            for (size_t r = at; r < out.n;
                 r++) { // completed: popular, none twice, no score
                ck_assert(isnan(score[r]));
                ck_assert(!used[item[r]] && item[r] != i);
                used[item[r]] = 1;
            }
        }
        pz_trained_close(&m);
    }
    tear_down(&f);
}
END_TEST

START_TEST(threads_and_levels)
{
    struct fixture f;
    struct pz_trained a, b;
    const char *set[] = {NULL};
    enum pz_cpu most = pz_cpu_force(PZ_CPU_AVX512);
    set_up(&f, 12, 800, 300, 40);
    learn(&a, &f, set, 1);
    for (int k = 0; k <= (int)most; k++) {
        pz_cpu_force((enum pz_cpu)k);
        learn(&b, &f, set, 2 + k);
        ck_assert_uint_eq(a.model.file.n_tensors, b.model.file.n_tensors);
        for (size_t i = 0; i < a.model.file.n_tensors; i++) {
            const struct pz_tensor *x = &a.model.file.tensor[i],
                                   *y = &b.model.file.tensor[i];
            ck_assert_uint_eq(x->n_elems, y->n_elems);
            if (x->n_elems)
                ck_assert_mem_eq(x->data, y->data, x->n_elems * pz_dtype_size(x->dtype));
        }
        pz_trained_close(&b);
    }
    pz_trained_close(&a);
    tear_down(&f);
}
END_TEST

/* Where the head ends, and how many blocks lie behind it, changes nothing. */
START_TEST(heads)
{
    struct fixture f;
    struct pz_neighbours want, got;
    set_up(&f, 21, 900, 1500, 60);
    for (size_t keep = 3; keep < 500; keep += 200) {
        struct pz_neighbours_spec spec = {.keep = keep,
                                          .least = 1,
                                          .discount = 0.5,
                                          .shrinkage = 1,
                                          .threads = 1,
                                          .force_head = true};
        ck_ok(pz_neighbours_find(&want, &f.e, &spec, &f.err), f.err);
        ck_assert_uint_gt(want.n, 1400 * 3);
        for (uint32_t head = 64; head <= 1536; head += 736) {
            spec.n_head = head;
            spec.threads = 1 + (int)head / 500;
            ck_ok(pz_neighbours_find(&got, &f.e, &spec, &f.err), f.err);
            ck_assert_uint_eq(got.n, want.n);
            ck_assert_mem_eq(got.offsets, want.offsets, 1501 * sizeof *got.offsets);
            ck_assert_mem_eq(got.item, want.item, got.n * sizeof *got.item);
            ck_assert_mem_eq(got.score, want.score, got.n * sizeof *got.score);
            free(got.offsets);
            free(got.item);
            free(got.score);
        }
        for (uint32_t i = 0; i < 1500; i += 7)
            for (uint64_t k = want.offsets[i]; k < want.offsets[i + 1]; k++)
                ck_assert_float_eq(want.score[k],
                                   naive_score(&f, i, want.item[k], 0.5, 1, 1));
        free(want.offsets);
        free(want.item);
        free(want.score);
    }
    tear_down(&f);
}
END_TEST

START_TEST(questions)
{
    struct fixture f;
    struct pz_trained m;
    const char *set[] = {NO_CUT, "min_cointeraction_count=1", "neighbours=5", NULL};
    uint32_t all[40], item[40], from[40];
    float score[40];
    set_up(&f, 13, 60, 40, 12);
    learn(&m, &f, set, 1);
    struct pz_query q = {.user = PZ_NO_ID, .item = 0, .n = 8};
    struct pz_ranked out = {.item = all, .score = score};
    ck_ok(pz_recipe_sims.rank(m.model.state, &q, 1, &out, &f.err), f.err);
    ck_assert_uint_eq(out.n, 8);
    ck_assert(!isnan(score[4]) && isnan(score[5]) && !out.fallback);

    // Excluded items and those that are not allowed go; the others move up.
    uint64_t allow = ~(UINT64_C(1) << all[0]);
    uint32_t exclude[] = {all[2], all[2], all[6]};
    struct pz_query less = q;
    less.allow = &allow;
    less.exclude = exclude;
    less.n_exclude = 3;
    less.n = 5;
    out.item = item;
    ck_ok(pz_recipe_sims.rank(m.model.state, &less, 1, &out, &f.err), f.err);
    ck_assert_uint_eq(item[0], all[1]);
    ck_assert_uint_eq(item[1], all[3]);
    ck_assert_uint_eq(item[2], all[4]);
    ck_assert_uint_eq(item[3], all[5]);
    ck_assert_uint_eq(item[4], all[7]);

    // Candidates: all of them come back, the related ones first.
    for (uint32_t i = 0; i < 40; i++)
        from[i] = 39 - i;
    struct pz_query given = q;
    given.candidate = from;
    given.n_candidates = 40;
    ck_ok(pz_recipe_sims.rank(m.model.state, &given, 1, &out, &f.err), f.err);
    ck_assert_uint_eq(out.n, 40);
    ck_assert_mem_eq(item, all, 5 * sizeof *item);
    uint64_t seen = 0;
    for (int i = 0; i < 40; i++)
        seen |= UINT64_C(1) << item[i];
    ck_assert_uint_eq(seen, (UINT64_C(1) << 40) - 1);

    // An unknown item: what is popular.
    q.item = PZ_NO_ID;
    ck_ok(pz_recipe_sims.rank(m.model.state, &q, 1, &out, &f.err), f.err);
    ck_assert(out.fallback);
    ck_assert_mem_eq(item, m.model.popular, 8 * sizeof *item);

    // The reason of a score is the item asked about; there is none without a score.
    struct pz_reason reason[1];
    struct pz_explained why = {.reason = reason};
    struct pz_query ask = {.item = 0};
    ck_ok(pz_recipe_sims.explain(m.model.state, &ask, all[3], &why, &f.err), f.err);
    ck_assert_uint_eq(why.n, 1);
    ck_assert_uint_eq(reason[0].item, 0);
    ck_assert_double_eq(reason[0].contribution, why.raw);
    ck_ok(pz_recipe_sims.rank(m.model.state, &given, 1, &out, &f.err), f.err);
    ck_assert_double_eq(why.raw, score[3]);
    ck_ok(pz_recipe_sims.explain(m.model.state, &ask, all[5], &why, &f.err), f.err);
    ck_assert_uint_eq(why.n, 0);
    pz_trained_close(&m);
    tear_down(&f);
}
END_TEST

/* Each tensor of the recipe with one entry out of bounds: found when opened or when used.
 */
START_TEST(damaged)
{
    static const char *const name[] = {"sims.offsets", "sims.item", "popularity.item",
                                       "history.offsets", "history.item"};
    struct fixture f;
    struct pz_trained m;
    const char *set[] = {NO_CUT, NULL};
    uint32_t item[40], u;
    struct pz_history history;
    float score[40];
    set_up(&f, 14, 60, 40, 12);
    learn(&m, &f, set, 1);
    const struct pz_tensor *t = pz_tensors_find(&m.model.file, name[_i]);
    ck_assert_ptr_nonnull(t);
    uint8_t *at = (uint8_t *)(uintptr_t)t->data;
    memset(at + pz_dtype_size(t->dtype), 0xff, pz_dtype_size(t->dtype));
    struct pz_query q = {.user = PZ_NO_ID, .n = 10};
    struct pz_ranked out = {.item = item, .score = score};
    int r = PZ_OK;
    for (u = 0; u < 40 && r == PZ_OK; u++) {
        q.item = u;
        r = pz_recipe_sims.rank(m.model.state, &q, 1, &out, &f.err);
    }
    for (u = 0; u < 60 && r == PZ_OK; u++)
        r = pz_model_history(&m.model, u, &history, &f.err);
    if (r == PZ_OK) {
        struct pz_tensors view;
        struct pz_model again;
        ck_ok(pz_builder_view(m.builder, &view, &f.err), f.err);
        r = pz_model_open_tensors(&again, &view, &f.err);
    }
    ck_assert_int_eq(r, PZ_FORMAT);
    ck_assert_ptr_nonnull(strstr(f.err.msg, name[_i]));
    pz_trained_close(&m);
    tear_down(&f);
}
END_TEST

/* What opening does not read is found by the check, and named. */
START_TEST(checked)
{
    static const struct {
        const char *name;
        size_t entry;
        uint8_t byte; // what all its bytes become
    } cases[] = {
        {"sims.offsets", 1, 0xff},    {"sims.item", 1, 0xff},
        {"history.offsets", 1, 0xff}, {"history.item", 3, 0xff},
        {"user.table", 0, 0xff},      {"item.table", 5, 0xff},
        {"user.offsets", 2, 0xff},    {"item.offsets", 2, 0x7f},
    };
    struct fixture f;
    struct pz_trained m;
    const char *set[] = {NO_CUT, NULL};
    set_up(&f, 14, 60, 40, 12);
    learn(&m, &f, set, 1);
    ck_ok(pz_model_check(&m.model, &f.err), f.err);
    const struct pz_tensor *t = pz_tensors_find(&m.model.file, cases[_i].name);
    ck_assert_ptr_nonnull(t);
    size_t size = pz_dtype_size(t->dtype);
    memset((uint8_t *)(uintptr_t)t->data + cases[_i].entry * size, cases[_i].byte, size);
    ck_assert_int_eq(pz_model_check(&m.model, &f.err), PZ_FORMAT);
    ck_assert_ptr_nonnull(strstr(f.err.msg, cases[_i].name));
    pz_trained_close(&m);
    tear_down(&f);
}
END_TEST

/* A table that has lost an id, and one that has another's number for it. */
START_TEST(checked_table)
{
    struct fixture f;
    struct pz_trained m;
    const char *set[] = {NO_CUT, NULL};
    set_up(&f, 14, 60, 40, 12);
    learn(&m, &f, set, 1);
    uint32_t *slot = (uint32_t *)(uintptr_t)m.model.item.table;
    while (!*slot)
        slot++;
    *slot = _i ? *slot % 40 + 1 : 0;
    ck_assert_int_eq(pz_model_check(&m.model, &f.err), PZ_FORMAT);
    ck_assert_ptr_nonnull(strstr(f.err.msg, "item.table"));
    ck_assert_ptr_nonnull(strstr(f.err.msg, "does not lead to id"));
    pz_trained_close(&m);
    tear_down(&f);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("sims");
    TCase *t = tcase_create("counts"), *m = tcase_create("models");
    tcase_set_timeout(t, 60);
    tcase_set_timeout(m, 60);
    tcase_add_test(t, common_bits);
    tcase_add_test(t, counts);
    tcase_add_test(t, endless_history);
    tcase_add_test(m, hidden_items);
    tcase_add_test(m, near_items);
    tcase_add_test(m, scores);
    tcase_add_test(m, threads_and_levels);
    tcase_add_test(m, heads);
    tcase_add_test(m, questions);
    tcase_add_loop_test(m, damaged, 0, 5);
    tcase_add_loop_test(m, checked, 0, 8);
    tcase_add_loop_test(m, checked_table, 0, 2);
    suite_add_tcase(s, t);
    suite_add_tcase(s, m);
    return s;
}
