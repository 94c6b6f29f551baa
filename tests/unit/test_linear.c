/*
 * Item-to-item models against plain sums and systems in double: EASE column by column as
 * the constrained ridge regression that it is, by neighbours against the closed form,
 * RP3beta from its definition; and weights through a model file's tensors and back.
 */
#include "recipe/linear.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/rng.h"
#include "math/kernels.h"
#include "math/gram.h"
#include "math/keys.h"
#include "recipe/ease.h"
#include "recipe/rp3.h"
#include "unit.h"

enum { USERS = 60, ITEMS = 23, UNUSED = 7, MOST = 4096 };

static struct pz_events events;
static struct pz_pairs pairs;
static double x[USERS][ITEMS]; // greatest weight of each pair

/* Users with skewed tastes, repeated events, an item that nobody has. */
static void
make(bool weights)
{
    static uint64_t offsets[USERS + 1];
    static uint32_t item[MOST];
    static float weight[MOST];
    struct pz_err err = PZ_ERR_INIT;
    struct pz_rng rng;
    pz_rng_seed(&rng, 21, 0);
    memset(x, 0, sizeof x);
    events = (struct pz_events){.n_users = USERS,
                                .n_items = ITEMS,
                                .offsets = offsets,
                                .item = item,
                                .weight = weights ? weight : NULL};
    for (uint32_t u = 0; u < USERS; u++) {
        size_t n = 1 + pz_rng_below(&rng, 14);
        for (size_t k = 0; k < n; k++) {
            uint32_t i = (uint32_t)(pz_rng_below(&rng, ITEMS) * (1 + u % 3) / 2 % ITEMS);
            if (i == UNUSED)
                continue;
            item[events.n] = i;
            weight[events.n] = (float)(1 + pz_rng_below(&rng, 3)) / 2;
            double w = weights ? weight[events.n] : 1;
            x[u][i] = w > x[u][i] ? w : x[u][i];
            events.n++;
        }
        offsets[u + 1] = events.n;
    }
    ck_ok(pz_pairs_make(&pairs, &events, &err), err);
}

static double
had(uint32_t u)
{
    double n = 0;
    for (uint32_t i = 0; i < ITEMS; i++)
        n += x[u][i] > 0;
    return n;
}

static double
buyers(uint32_t i)
{
    double n = 0;
    for (uint32_t u = 0; u < USERS; u++)
        n += x[u][i] > 0;
    return n;
}

/* Entry of X^T V X in items. */
static double
gram_at(uint32_t i, uint32_t j, double damping)
{
    double sum = 0;
    for (uint32_t u = 0; u < USERS; u++)
        if (had(u) > 0)
            sum += pow(had(u), -damping) * x[u][i] * x[u][j];
    return sum;
}

START_TEST(pairs_are_the_greatest_weights_by_rank)
{
    make(_i);
    ck_assert_uint_le(pairs.n_ranks, ITEMS - 1);
    for (uint32_t r = 0; r < ITEMS; r++) {
        double n = buyers(pairs.item_of[r]);
        ck_assert_int_eq(n > 0, r < pairs.n_ranks);
        if (r > 0)
            ck_assert_double_le(n, buyers(pairs.item_of[r - 1]));
        ck_assert_double_eq(
            n, (double)(pairs.by_item.offsets[r + 1] - pairs.by_item.offsets[r]));
    }
    for (uint32_t u = 0; u < USERS; u++)
        for (uint64_t e = pairs.by_user.offsets[u]; e < pairs.by_user.offsets[u + 1]; e++)
            ck_assert_double_eq(pairs.by_user.value ? pairs.by_user.value[e] : 1,
                                x[pairs.user_of[u]][pairs.item_of[pairs.by_user.col[e]]]);
    pz_pairs_release(&pairs);
}
END_TEST

START_TEST(gram_is_the_sum_over_users)
{
    struct pz_err err = PZ_ERR_INIT;
    make(_i);
    float *damp, dense[ITEMS * (ITEMS + 2)];
    struct pz_gram_work *w;
    ck_ok(pz_pairs_damp(&damp, &pairs, 0.5, &err), err);
    struct pz_gram g = {
        .by_row = &pairs.by_user, .by_col = &pairs.by_item, .weight = damp};
    ck_ok(pz_gram_dense(&g, dense, ITEMS + 2, 2, &err), err);
    ck_ok(pz_gram_work_new(&w, ITEMS, 1, &err), err);
    for (uint32_t i = 0; i < ITEMS; i++) {
        size_t n = pz_gram_row(&g, i, w), reached = 0;
        for (uint32_t j = 0; j < ITEMS; j++) {
            double want = gram_at(pairs.item_of[i], pairs.item_of[j], 0.5);
            reached += want > 0;
            ck_assert_double_le(fabs(w->sum[j] - want), 1e-5);
            if (j >= i)
                ck_assert_double_le(fabs(dense[i * (ITEMS + 2) + j] - want), 1e-5);
        }
        ck_assert_uint_eq(n, reached);
        pz_gram_row_clear(w, n);
    }
    pz_gram_work_free(w, 1);
    free(damp);
    pz_pairs_release(&pairs);
}
END_TEST

/* b := a^-1 b for n x n `a`, by elimination with pivots. */
static void
eliminate(double *a, double *b, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        size_t best = k;
        for (size_t i = k; i < n; i++)
            best = fabs(a[i * n + k]) > fabs(a[best * n + k]) ? i : best;
        for (size_t j = 0; j < n; j++) {
            double t = a[k * n + j];
            a[k * n + j] = a[best * n + j];
            a[best * n + j] = t;
        }
        double t = b[k];
        b[k] = b[best];
        b[best] = t;
        for (size_t i = 0; i < n; i++) {
            if (i == k)
                continue;
            double f = a[i * n + k] / a[k * n + k];
            for (size_t j = k; j < n; j++)
                a[i * n + j] -= f * a[k * n + j];
            b[i] -= f * b[k];
        }
    }
    for (size_t k = 0; k < n; k++)
        b[k] /= a[k * n + k];
}

/* The items that column j may use: all others with users, or its best neighbours. */
static size_t
sources(uint32_t j, const struct pz_ease_config *c, uint32_t of[ITEMS])
{
    double near[ITEMS];
    size_t n = 0;
    for (uint32_t i = 0; i < ITEMS; i++) {
        double g = gram_at(i, j, c->user_damping);
        if (i == j || buyers(i) == 0 || (c->neighbours && g == 0))
            continue;
        near[i] = g / sqrt(gram_at(i, i, c->user_damping));
        of[n++] = i;
    }
    for (size_t k = 0; c->neighbours && k < n; k++) { // best first
        for (size_t y = n - 1; y > k; y--) {
            if (near[of[y]] > near[of[y - 1]]) {
                uint32_t t = of[y];
                of[y] = of[y - 1];
                of[y - 1] = t;
            }
        }
    }
    return c->neighbours && n > c->neighbours ? c->neighbours : n;
}

/* Column j of EASE: ridge regression of item j on those. */
static void
ease_column(uint32_t j, const struct pz_ease_config *c, double out[ITEMS])
{
    static double a[ITEMS * ITEMS], b[ITEMS];
    uint32_t of[ITEMS];
    size_t n = sources(j, c, of);
    for (size_t r = 0; r < n; r++) {
        for (size_t k = 0; k < n; k++)
            a[r * n + k] = gram_at(of[r], of[k], c->user_damping);
        a[r * n + r] += c->regularization + c->dropout / (1 - c->dropout) *
                                                gram_at(of[r], of[r], c->user_damping);
        b[r] = gram_at(of[r], j, c->user_damping);
    }
    eliminate(a, b, n);
    memset(out, 0, ITEMS * sizeof *out);
    for (size_t r = 0; r < n && buyers(j) > 0; r++)
        out[of[r]] = b[r];
}

static void
check_ease(const struct pz_linear_made *made, const struct pz_ease_config *c)
{
    struct pz_linear l = pz_linear_view(made);
    for (uint32_t j = 0; j < ITEMS; j++) {
        double want[ITEMS];
        ease_column(j, c, want);
        for (uint32_t i = 0; i < ITEMS; i++)
            ck_assert_msg(fabs(pz_linear_weight(&l, i, j) - want[i]) < 2e-5,
                          "(%u,%u): %g, not %g", i, j, pz_linear_weight(&l, i, j),
                          want[i]);
    }
}

/* Weighted or not; dense rows, sparse rows that are whole, and all others as neighbours.
 */
START_TEST(ease_is_the_constrained_regression)
{
    static const struct pz_ease_config configs[] = {
        {.regularization = 3, .dense_most = 100, .keep = 100, .dense_rows = 100},
        {.regularization = 3, .dense_most = 100, .keep = 100, .user_damping = 0.5},
        {.regularization = 1, .dense_most = 100, .keep = 100, .dropout = 0.3},
        {.regularization = 2, .neighbours = 100, .keep = 100, .dropout = 0.2},
        {.regularization = 2, .neighbours = 6, .keep = 100, .user_damping = 0.37},
    };
    struct pz_err err = PZ_ERR_INIT;
    make(_i);
    for (size_t k = 0; k < sizeof configs / sizeof *configs; k++) {
        struct pz_ease_config c = configs[k];
        struct pz_linear_made one, three;
        c.threads = 1;
        ck_ok(pz_ease_train(&one, &pairs, &c, &err), err);
        ck_assert_int_eq(one.dense != NULL, c.dense_rows > 0);
        check_ease(&one, &c);
        c.threads = 3;
        ck_ok(pz_ease_train(&three, &pairs, &c, &err), err);
        if (one.dense)
            ck_assert_mem_eq(one.dense, three.dense, one.n_rows * one.ld * 4);
        else
            ck_assert_mem_eq(one.value, three.value, one.offsets[ITEMS] * 4);
        pz_linear_made_release(&one);
        pz_linear_made_release(&three);
    }
    pz_pairs_release(&pairs);
}
END_TEST

/* Sparse rows hold the greatest of the whole row, and only those. */
START_TEST(sparse_rows_keep_the_greatest)
{
    enum { KEEP = 5 };
    struct pz_err err = PZ_ERR_INIT;
    struct pz_linear_made whole, cut;
    make(false);
    struct pz_ease_config c = {.regularization = 3,
                               .dense_most = 100,
                               .keep = KEEP,
                               .dense_rows = 100,
                               .threads = 2};
    ck_ok(pz_ease_train(&whole, &pairs, &c, &err), err);
    c.dense_rows = 0;
    ck_ok(pz_ease_train(&cut, &pairs, &c, &err), err);
    struct pz_linear w = pz_linear_view(&whole), s = pz_linear_view(&cut);
    for (uint32_t i = 0; i < ITEMS; i++) {
        float least = INFINITY;
        uint64_t n = cut.offsets[i + 1] - cut.offsets[i];
        ck_assert_uint_eq(n, buyers(i) > 0 ? KEEP : 0);
        for (uint64_t e = cut.offsets[i]; e < cut.offsets[i + 1]; e++) {
            least = fminf(least, fabsf(cut.value[e]));
            ck_assert_float_eq(cut.value[e], pz_linear_weight(&w, i, cut.item[e]));
            if (e > cut.offsets[i])
                ck_assert_uint_lt(cut.item[e - 1], cut.item[e]);
        }
        for (uint32_t j = 0; n && j < ITEMS; j++)
            if (pz_linear_weight(&s, i, j) == 0)
                ck_assert_float_le(fabsf(pz_linear_weight(&w, i, j)), least);
    }
    pz_linear_made_release(&whole);
    pz_linear_made_release(&cut);
    pz_pairs_release(&pairs);
}
END_TEST

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 }; // they take memory of their own
#else
enum { SANITIZED = 0 };
#endif

static double
peak_bytes(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (double)r.ru_maxrss * 1024;
}

/* The closed form by itself, with all that it has beside the matrix, stays below m^2
 * floats: the half below the diagonal is never filled. */
START_TEST(closed_form_in_half_a_matrix)
{
    enum { M = SANITIZED ? 300 : 4300, EACH = 8, N = 3 * M };
    static uint64_t offsets[N + 1];
    static uint32_t item[N * EACH];
    struct pz_err err = PZ_ERR_INIT;
    struct pz_events e = {
        .n_users = N, .n_items = M, .offsets = offsets, .item = item, .n = N * EACH};
    struct pz_rng rng;
    pz_rng_seed(&rng, 5, 0);
    for (size_t u = 0; u < N; u++)
        offsets[u + 1] = (u + 1) * EACH;
    for (size_t k = 0; k < N * EACH; k++)
        item[k] = (uint32_t)(k < M ? k : pz_rng_below(&rng, M));
    struct pz_ease_config c = {
        .regularization = 9, .dense_most = M, .keep = 50, .spend = true, .threads = 2};
    struct pz_linear_made made;
    ck_ok(pz_pairs_make(&pairs, &e, &err), err);
    ck_assert_uint_eq(pairs.n_ranks, M);
    double before = peak_bytes();
    ck_ok(pz_ease_train(&made, &pairs, &c, &err), err);
    double took = peak_bytes() - before, matrix = (double)M * M * sizeof(float);
    ck_assert_ptr_null(pairs.by_user.col);
    ck_assert_ptr_null(pairs.by_item.col);
    ck_assert_uint_eq(made.offsets[M], (uint64_t)M * c.keep);
    if (!SANITIZED && sysconf(_SC_PAGESIZE) == 4096)
        ck_assert_msg(took > matrix / 2 && took < matrix, "%.1f MB, the matrix has %.1f",
                      took / 1e6, matrix / 1e6);
    pz_linear_made_release(&made);
    pz_pairs_release(&pairs);
}
END_TEST

START_TEST(rp3_is_the_walk)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_linear_made made;
    struct pz_rp3_config c = {.alpha = 0.8, .beta = 0.4, .keep = 100, .threads = 2};
    make(_i);
    ck_ok(pz_rp3_train(&made, &pairs, &c, &err), err);
    struct pz_linear l = pz_linear_view(&made);
    for (uint32_t i = 0; i < ITEMS; i++) {
        for (uint32_t j = 0; j < ITEMS; j++) {
            double want =
                i == j || buyers(i) == 0 || buyers(j) == 0
                    ? 0
                    : pow(buyers(i), -0.8) * pow(buyers(j), -0.4) * gram_at(i, j, 0.8);
            ck_assert_double_le(fabs(pz_linear_weight(&l, i, j) - want), 1e-6);
        }
    }
    pz_linear_made_release(&made);
    pz_pairs_release(&pairs);
}
END_TEST

START_TEST(bag_weighs_events)
{
    static const uint32_t item[] = {2, 5, 2, 3};
    static const float weight[] = {1, 0.5f, 0.25f, 1};
    struct pz_err err = PZ_ERR_INIT;
    struct pz_bag b;
    ck_ok(pz_bag_init(&b, ITEMS, &err), err);
    struct pz_bag_rule sum = {.halflife = 1}, once = {.once = true};
    ck_ok(pz_bag_take(&b, &sum, item, weight, 4, &err), err);
    ck_assert_uint_eq(b.n, 3);
    ck_assert_uint_eq(b.item[0], 3);
    ck_assert_float_eq(b.weight[0], 1);
    ck_assert_uint_eq(b.item[1], 2);
    ck_assert_float_eq(b.weight[1], 0.25f / 2 + 1.0f / 8);
    ck_assert_uint_eq(b.item[2], 5);
    ck_assert_float_eq(b.weight[2], 0.5f / 4);
    ck_ok(pz_bag_take(&b, &once, item, weight, 4, &err), err);
    ck_assert_float_eq(b.weight[1], 1);
    ck_ok(pz_bag_take(&b, &once, item, NULL, 0, &err), err);
    ck_assert_uint_eq(b.n, 0);
    pz_bag_release(&b);
}
END_TEST

/* Dense weights as older files have them. */
static void
put_floats(struct pz_builder *b, struct pz_linear_made *made)
{
    uint64_t shape[] = {made->n_rows, made->ld};
    pz_builder_take(b, "test.weight", PZ_F32, 2, shape, made->dense);
    pz_builder_take1(b, "test.place", PZ_U32, ITEMS, made->place);
    pz_builder_meta(b, "train.test.repeats", "once");
    pz_builder_meta(b, "train.test.halflife", "2");
    *made = (struct pz_linear_made){0};
}

/* What was made, scored from the tensors of a model, against the definition; and terms
 * that add up. */
static void
check_model(struct pz_linear_made *made, bool damage, bool old)
{
    static const uint32_t history[] = {3, 1, 3, UNUSED, 9}, nothing[] = {UNUSED};
    struct pz_err err = PZ_ERR_INIT;
    struct pz_builder *b;
    struct pz_model model = {.n_items = ITEMS};
    struct pz_linear l = pz_linear_view(made);
    struct pz_bag_rule rule = {.once = true, .halflife = 2};
    void *state, *work;
    float score[2 * (ITEMS + 3)];
    double want[ITEMS];
    bool known[2];
    for (uint32_t j = 0; j < ITEMS; j++) {
        float w[] = {pz_linear_weight(&l, 9, j), pz_linear_weight(&l, 1, j),
                     pz_linear_weight(&l, 3, j)};
        for (size_t k = 0; k < 3 && l.dense && !old; k++) {
            float half = pz_half_float(pz_half(w[k]));
            ck_assert_float_le(fabsf(half - w[k]), fabsf(w[k]) * 0x1p-8f);
            w[k] = half;
        }
        want[j] = w[0] + sqrt(0.125) * w[1] + 0.5 * w[2];
    }
    uint32_t *index = made->offsets ? made->item : made->place;
    uint64_t at = made->offsets ? made->offsets[9] : 9;
    if (damage)
        index[at] = ITEMS + 1;
    ck_ok(pz_builder_new(&b, &err), err);
    if (old)
        put_floats(b, made);
    else
        pz_linear_put(b, "test", made, &rule);
    ck_ok(pz_builder_view(b, &model.file, &err), err);
    ck_ok(pz_linear_open(&state, &model, "test", &err), err);
    ck_ok(pz_linear_work_new(&work, state, 2, &err), err);
    struct pz_query q[] = {{.history = history, .n_history = 5},
                           {.history = nothing, .n_history = 1}};
    int status = pz_linear_score_batch(state, work, q, 2, score, ITEMS + 3, known, &err);
    if (damage) {
        ck_assert_int_eq(status, PZ_FORMAT);
        ck_assert_ptr_nonnull(strstr(err.msg, "test."));
    } else {
        struct pz_reason reason[5];
        struct pz_explained why = {.reason = reason};
        ck_ok(status, err);
        ck_assert(known[0] && !known[1]);
        for (uint32_t j = 0; j < ITEMS; j++) {
            ck_assert_double_le(fabs(score[j] - want[j]), 1e-6);
            ck_assert_float_eq(score[ITEMS + 3 + j], 0);
            ck_ok(pz_linear_explain(state, work, q, j, &why, &err), err);
            double sum = 0;
            for (size_t k = 0; k < why.n; k++)
                sum += reason[k].contribution;
            ck_assert_double_le(fabs(sum - why.raw), 1e-12);
            ck_assert_double_le(fabs(sum - want[j]), 1e-6);
        }
    }
    pz_linear_work_free(work);
    pz_linear_close(state);
    pz_tensors_close(&model.file);
    pz_builder_free(b);
}

START_TEST(weights_through_a_model)
{
    struct pz_err err = PZ_ERR_INIT;
    make(false);
    for (int damage = 0; damage < 2; damage++) {
        for (int dense = 0; dense < 3; dense++) {
            struct pz_linear_made made;
            struct pz_ease_config c = {.regularization = 3,
                                       .dense_most = 100,
                                       .keep = 8,
                                       .dense_rows = dense ? 100 : 0,
                                       .threads = 2};
            ck_ok(pz_ease_train(&made, &pairs, &c, &err), err);
            check_model(&made, damage, dense == 2);
            pz_linear_made_release(&made);
        }
    }
    pz_pairs_release(&pairs);
}
END_TEST

/* Every second item is gone and two are new: what is left weighs what it weighed. */
START_TEST(kept_between_other_items)
{
    enum { NOW = ITEMS / 2 + 3 };
    struct pz_err err = PZ_ERR_INIT;
    struct pz_bag_rule rule = {.halflife = 5};
    uint32_t now[ITEMS];
    for (uint32_t i = 0; i < ITEMS; i++)
        now[i] = i % 2 ? PZ_NO_ID : i / 2 + 1; // 0 and the last are new
    make(false);
    for (int dense = 0; dense < 2; dense++) {
        struct pz_linear_made made;
        struct pz_ease_config c = {.regularization = 3,
                                   .dense_most = 100,
                                   .keep = 8,
                                   .dense_rows = dense ? 100 : 0,
                                   .threads = 1};
        struct pz_builder *old, *new;
        struct pz_model before = {.n_items = ITEMS}, after = {.n_items = NOW};
        struct pz_events none = {.n_items = NOW};
        double want[ITEMS][ITEMS];
        ck_ok(pz_ease_train(&made, &pairs, &c, &err), err);
        struct pz_linear l = pz_linear_view(&made);
        for (uint32_t i = 0; i < ITEMS; i++)
            for (uint32_t j = 0; j < ITEMS; j++)
                want[i][j] = (double)pz_linear_weight(&l, i, j);
        ck_ok(pz_builder_new(&old, &err), err);
        pz_linear_put(old, "test", &made, &rule); // dense weights become halves
        ck_ok(pz_builder_view(old, &before.file, &err), err);
        ck_ok(pz_builder_new(&new, &err), err);
        struct pz_train t = {.events = &none, .model = new};
        struct pz_kept k = {&before, now};
        ck_ok(pz_linear_keep(&t, &k, "test", &err), err);
        ck_ok(pz_builder_view(new, &after.file, &err), err);
        ck_assert_str_eq(pz_tensors_meta(&after.file, "train.test.halflife"), "5");
        void *state, *work;
        ck_ok(pz_linear_open(&state, &after, "test", &err), err);
        ck_ok(pz_linear_work_new(&work, state, 1, &err), err);
        for (uint32_t i = 0; i < NOW; i++) {
            struct pz_query q = {.history = &i, .n_history = 1};
            float score[NOW + 16];
            bool known, is_old = i > 0 && i < NOW - 1;
            ck_ok(pz_linear_score_batch(state, work, &q, 1, score, NOW, &known, &err),
                  err);
            for (uint32_t j = 0; j < NOW; j++) {
                bool both = is_old && j > 0 && j < NOW - 1;
                double w = both ? want[2 * (i - 1)][2 * (j - 1)] : 0;
                ck_assert_double_eq_tol((double)score[j], w,
                                        dense ? 0.005 * fabs(w) + 1e-7 : 1e-7);
            }
        }
        pz_linear_work_free(work);
        pz_linear_close(state);
        pz_tensors_close(&before.file);
        pz_tensors_close(&after.file);
        pz_builder_free(old);
        pz_builder_free(new);
    }
    pz_pairs_release(&pairs);
}
END_TEST

START_TEST(keys_order_scores_then_numbers)
{
    static const float score[] = {3, 1, 0, -0.0f, -1, -INFINITY};
    uint64_t key[200];
    for (size_t i = 0; i < sizeof score / sizeof *score; i++) {
        for (size_t j = 0; j < sizeof score / sizeof *score; j++) {
            uint64_t a = pz_key(score[i], 7), b = pz_key(score[j], 7);
            ck_assert_int_eq(a > b, score[i] > score[j]);
            ck_assert_int_eq(a == b, score[i] == score[j]);
        }
        ck_assert_uint_gt(pz_key(score[i], 3), pz_key(score[i], 4));
        ck_assert_float_eq(pz_key_score(pz_key(score[i], 9)), score[i]);
        ck_assert_uint_eq(pz_key_number(pz_key(score[i], 9)), 9);
    }
    for (uint32_t n = 1; n <= 200; n++) {
        for (uint32_t i = 0; i < 200; i++)
            key[i] = pz_key((float)(i * 37 % 11), i);
        pz_keys_cut(key, 200, n);
        pz_keys_sort(key, n);
        for (uint32_t i = 1; i < n; i++)
            ck_assert_uint_gt(key[i - 1], key[i]);
        for (uint32_t i = n; i < 200; i++)
            ck_assert_uint_lt(key[i], key[n - 1]);
    }
}
END_TEST

/* What is counted of the events, in a catalogue of several passes. */
START_TEST(size)
{
    enum { PASS = 1 << 21 };
    uint32_t item[] = {0, 5, 5, PASS - 1, PASS, PASS + 1, 3 * PASS};
    uint64_t offsets[] = {0, 4, 4, 7};
    const struct pz_events e = {
        .n_users = 3, .n_items = 3 * PASS + 1, .n = 7, .offsets = offsets, .item = item};
    struct pz_pairs_size s;
    pz_pairs_size(&s, &e);
    ck_assert_double_eq(s.n_items, 6);
    ck_assert_double_eq(s.n_events, 7);
    ck_assert_double_eq(s.additions, 16 + 9);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("linear");
    TCase *t = tcase_create("linear");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, pairs_are_the_greatest_weights_by_rank, 0, 2);
    tcase_add_loop_test(t, gram_is_the_sum_over_users, 0, 2);
    tcase_add_loop_test(t, ease_is_the_constrained_regression, 0, 2);
    tcase_add_test(t, sparse_rows_keep_the_greatest);
    tcase_add_test(t, closed_form_in_half_a_matrix);
    tcase_add_loop_test(t, rp3_is_the_walk, 0, 2);
    tcase_add_test(t, bag_weighs_events);
    tcase_add_test(t, weights_through_a_model);
    tcase_add_test(t, kept_between_other_items);
    tcase_add_test(t, keys_order_scores_then_numbers);
    tcase_add_test(t, size);
    suite_add_tcase(s, t);
    return s;
}
