/* pz-bpr: pairs are learned, scores are a softmax of the stored factors, any threads. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eval/protocol.h"
#include "recipe/events.h"
#include "toy.h"
#include "unit.h"

enum { USERS = 80, ITEMS = 40, EACH = 8 };

struct fixture {
    struct pz_dataset d;
    struct pz_world w;
    struct pz_events e;
    struct pz_params params;
    struct pz_trained t;
    struct pz_err err;
};

static void
learn(struct fixture *f, struct pz_trained *t, int threads)
{
    struct pz_train learn = {.events = &f->e,
                             .params = &f->params,
                             .world = &f->w,
                             .seed = 9,
                             .threads = threads};
    ck_ok(pz_trained_open(t, pz_recipe_find("pz-bpr"), &learn, &f->err), f->err);
}

/* Even users have even items, odd users odd ones, EACH of 20. */
static void
set_up(struct fixture *f)
{
    static struct toy_row row[USERS * EACH];
    struct pz_selection all = {0};
    struct pz_selection_report report;
    struct pz_rng rng;
    *f = (struct fixture){.err = PZ_ERR_INIT};
    pz_rng_seed(&rng, 1, 0);
    for (uint32_t u = 0; u < USERS; u++) {
        uint32_t item[ITEMS / 2];
        for (uint32_t i = 0; i < ITEMS / 2; i++)
            item[i] = 2 * i + u % 2;
        pz_rng_shuffle_u32(&rng, item, ITEMS / 2);
        for (uint32_t i = 0; i < EACH; i++)
            row[u * EACH + i] =
                (struct toy_row){.user = u, .item = item[i], .time = (int64_t)i};
    }
    toy_dataset(&f->d, USERS, ITEMS, row, (size_t)USERS * EACH);
    pz_world_of(&f->w, &f->d);
    ck_ok(pz_events_select(&f->d, &all, &f->e, &report, &f->err), f->err);
    pz_params_init(&f->params, pz_recipe_find("pz-bpr")->params);
    ck_ok(pz_params_set(&f->params, "factors=8", &f->err), f->err);
    learn(f, &f->t, 1);
}

static void
tear_down(struct fixture *f)
{
    pz_trained_close(&f->t);
    pz_events_release(&f->e);
    toy_release(&f->d);
}

static void
ask(struct fixture *f, const struct pz_query *q, struct pz_ranked *out)
{
    ck_ok(f->t.model.recipe->rank(f->t.model.state, q, 1, out, &f->err), f->err);
}

/* Items of the user's kind before all others, the user's own last of them or never. */
START_TEST(pairs)
{
    struct fixture f;
    set_up(&f);
    for (int stored = 0; stored < 2; stored++) {
        unsigned right = 0, repeats = 0;
        for (uint32_t u = 0; u < USERS; u++) {
            uint32_t item[10];
            float score[10];
            struct pz_ranked out = {.item = item, .score = score};
            struct pz_query q = {.user = stored ? u : PZ_NO_ID,
                                 .item = PZ_NO_ID,
                                 .history = f.e.item + f.e.offsets[u],
                                 .n_history = EACH,
                                 .stored = stored,
                                 .n = 10};
            ask(&f, &q, &out);
            ck_assert_uint_eq(out.n, 10);
            ck_assert(!out.fallback);
            for (size_t i = 0; i < out.n; i++) {
                right += item[i] % 2 == u % 2;
                for (size_t k = 0; k < EACH; k++)
                    repeats += item[i] == q.history[k];
            }
        }
        // Nobody ever had anything twice, and so it is foretold.
        ck_assert_uint_eq(repeats, 0);
        ck_assert_msg(right > USERS * 10 * 9 / 10, "%u of %d", right, USERS * 10);
    }
    tear_down(&f);
}
END_TEST

START_TEST(scores)
{
    struct fixture f;
    const float *user, *item;
    double repeat, all = 0, p[ITEMS], sum = 0;
    set_up(&f);
    uint64_t d = UINT64_MAX, shape[] = {USERS, d}, items[] = {ITEMS, d};
    const struct pz_tensors *file = &f.t.model.file;
    ck_ok(pz_tensors_get(file, "user.factor", PZ_F32, 2, shape, &user, &f.err), f.err);
    ck_ok(pz_tensors_get(file, "item.factor", PZ_F32, 2, items, &item, &f.err), f.err);
    repeat = strtod(pz_tensors_meta(file, "train.repeat"), NULL);
    ck_assert(repeat < 0);
    d = shape[1];
    ck_assert_uint_eq(d, 16); // eight factors, a bias, zeros
    uint32_t list[ITEMS], u = 5;
    float score[ITEMS];
    struct pz_ranked out = {.item = list, .score = score};
    struct pz_query q = {.user = u,
                         .item = PZ_NO_ID,
                         .history = f.e.item + f.e.offsets[u],
                         .n_history = EACH,
                         .stored = true,
                         .n = ITEMS};
    ask(&f, &q, &out);
    for (uint32_t i = 0; i < ITEMS; i++) {
        double z = 0;
        for (size_t c = 0; c < d; c++)
            z += (double)user[u * d + c] * (double)item[i * d + c];
        for (size_t k = 0; k < EACH; k++)
            if (q.history[k] == i) {
                z += repeat;
                break;
            }
        p[i] = exp(z);
        all += p[i];
    }
    ck_assert_uint_eq(out.n, ITEMS);
    for (size_t i = 0; i < out.n; i++) {
        ck_assert_double_eq_tol((double)score[i], p[list[i]] / all, 1e-5);
        ck_assert(i == 0 || score[i] <= score[i - 1]);
        sum += (double)score[i];
    }
    ck_assert_double_eq_tol(sum, 1, 1e-5);
    // Of a list the softmax is over the list.
    const uint32_t few[] = {7, 2, 31};
    q.candidate = few;
    q.n_candidates = 3;
    ask(&f, &q, &out);
    ck_assert_uint_eq(out.n, 3);
    ck_assert_double_eq_tol((double)(score[0] + score[1] + score[2]), 1, 1e-5);
    // Nothing known: what is popular.
    q = (struct pz_query){.user = PZ_NO_ID, .item = PZ_NO_ID, .n = 3};
    ask(&f, &q, &out);
    ck_assert(out.fallback && out.n == 3);
    tear_down(&f);
}
END_TEST

/* ---- training, in plain loops ---- */

enum { FACTORS = 8, BLOCKS = 16, TRIES = 8, ITERATIONS = 2 };

/* Factors and, behind them, the bias (of users: 1). */
struct naive {
    double user[USERS][FACTORS + 1], item[ITEMS][FACTORS + 1];
    uint32_t order[ITEMS];
};

static bool
has(const struct pz_events *e, uint32_t u, uint32_t item)
{
    for (uint64_t k = e->offsets[u]; k < e->offsets[u + 1]; k++)
        if (e->item[k] == item)
            return true;
    return false;
}

/* One gradient step of log sigmoid(z_ui - z_uj) less what regularization takes. */
static void
naive_step(struct naive *m, uint32_t u, uint32_t i, uint32_t j, double rate,
           double lambda)
{
    double z = 0, x[FACTORS + 1];
    for (int c = 0; c <= FACTORS; c++) {
        x[c] = m->user[u][c];
        z += x[c] * (m->item[i][c] - m->item[j][c]);
    }
    double g = 1 / (1 + exp(z));
    for (int c = 0; c <= FACTORS; c++) {
        double yi = m->item[i][c], yj = m->item[j][c];
        if (c < FACTORS) // the user's last place stays 1
            m->user[u][c] += rate * (g * (yi - yj) - lambda * x[c]);
        m->item[i][c] += rate * (g * x[c] - lambda * yi);
        m->item[j][c] += rate * (-g * x[c] - lambda * yj);
    }
}

/* One pass: the order, the parting and the draws are the trainer's. */
static void
naive_pass(struct naive *m, const struct pz_events *e, uint64_t seed, int pass,
           double rate, double lambda)
{
    struct pz_rng rng;
    pz_rng_seed(&rng, seed + 1, (uint64_t)pass);
    pz_rng_shuffle_u32(&rng, m->order, ITEMS);
    for (uint64_t round = 0; round < BLOCKS; round++)
        for (uint64_t b = 0; b < BLOCKS; b++) {
            uint64_t with = (b + round) % BLOCKS;
            size_t first = ITEMS * with / BLOCKS, end = ITEMS * (with + 1) / BLOCKS;
            pz_rng_seed(&rng, seed, ((uint64_t)pass * BLOCKS + round) * BLOCKS + b + 1);
            for (uint32_t u = (uint32_t)b; u < USERS; u += BLOCKS)
                for (uint64_t k = e->offsets[u]; k < e->offsets[u + 1]; k++)
                    for (size_t at = first; at < end; at++) {
                        if (m->order[at] != e->item[k])
                            continue;
                        for (int try = 0; try < TRIES; try++) {
                            uint32_t j =
                                m->order[first + pz_rng_below(&rng, end - first)];
                            if (has(e, u, j))
                                continue;
                            naive_step(m, u, e->item[k], j, rate, lambda);
                            break;
                        }
                    }
        }
}

START_TEST(naive_training)
{
    static struct naive m;
    struct fixture f;
    struct pz_trained t;
    const float *user, *item;
    uint64_t users[] = {USERS, UINT64_MAX}, items[] = {ITEMS, UINT64_MAX};
    const double rate = 0.3, lambda = 0.05;
    double moved = 0;
    set_up(&f);
    ck_ok(pz_params_set(&f.params, "iterations=2", &f.err), f.err);
    ck_ok(pz_params_set(&f.params, "learning_rate=0.3", &f.err), f.err);
    ck_ok(pz_params_set(&f.params, "regularization=0.05", &f.err), f.err);
    learn(&f, &t, 2);
    const struct pz_tensors *file = &t.model.file;
    ck_ok(pz_tensors_get(file, "user.factor", PZ_F32, 2, users, &user, &f.err), f.err);
    ck_ok(pz_tensors_get(file, "item.factor", PZ_F32, 2, items, &item, &f.err), f.err);
    for (uint32_t u = 0; u < USERS; u++) {
        struct pz_rng rng;
        pz_rng_seed(&rng, 9 + 2, u);
        for (int c = 0; c < FACTORS; c++)
            m.user[u][c] = 0.1 / sqrt(FACTORS) * pz_rng_normal(&rng);
        m.user[u][FACTORS] = 1;
    }
    for (uint32_t i = 0; i < ITEMS; i++) {
        struct pz_rng rng;
        pz_rng_seed(&rng, 9 + 3, i);
        for (int c = 0; c < FACTORS; c++)
            m.item[i][c] = 0.1 / sqrt(FACTORS) * pz_rng_normal(&rng);
        m.item[i][FACTORS] = 0;
        m.order[i] = i;
    }
    struct naive begun = m;
    for (int pass = 0; pass < ITERATIONS; pass++)
        naive_pass(&m, &f.e, 9, pass, rate * (1 - (double)pass / ITERATIONS), lambda);
    for (int c = 0; c <= FACTORS; c++) {
        for (uint32_t u = 0; u < USERS; u++) {
            ck_assert_double_eq_tol((double)user[u * users[1] + (size_t)c], m.user[u][c],
                                    1e-5);
            moved = fmax(moved, fabs(m.user[u][c] - begun.user[u][c]));
        }
        for (uint32_t i = 0; i < ITEMS; i++)
            ck_assert_double_eq_tol((double)item[i * items[1] + (size_t)c], m.item[i][c],
                                    1e-5);
    }
    ck_assert(moved > 0.05);
    pz_trained_close(&t);
    tear_down(&f);
}
END_TEST

START_TEST(any_threads)
{
    struct fixture f;
    struct pz_trained other;
    set_up(&f);
    learn(&f, &other, 3);
    const struct pz_tensors *a = &f.t.model.file, *b = &other.model.file;
    ck_assert_uint_eq(a->n_tensors, b->n_tensors);
    for (size_t i = 0; i < a->n_tensors; i++)
        ck_assert(!memcmp(a->tensor[i].data, b->tensor[i].data,
                          a->tensor[i].n_elems * pz_dtype_size(a->tensor[i].dtype)));
    pz_trained_close(&other);
    tear_down(&f);
}
END_TEST

/* Steps that make vectors grow without end are refused, not handed out as a model. */
START_TEST(no_rest)
{
    struct fixture f;
    struct pz_trained t;
    set_up(&f);
    ck_ok(pz_params_set(&f.params, "learning_rate=1", &f.err), f.err);
    ck_ok(pz_params_set(&f.params, "regularization=10", &f.err), f.err);
    struct pz_train train = {
        .events = &f.e, .params = &f.params, .world = &f.w, .seed = 9, .threads = 2};
    ck_assert_int_eq(pz_trained_open(&t, pz_recipe_find("pz-bpr"), &train, &f.err),
                     PZ_DATA);
    ck_assert_ptr_nonnull(strstr(f.err.msg, "learning_rate"));
    tear_down(&f);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("bpr");
    TCase *t = tcase_create("bpr");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, pairs);
    tcase_add_test(t, scores);
    tcase_add_test(t, naive_training);
    tcase_add_test(t, any_threads);
    tcase_add_test(t, no_rest);
    suite_add_tcase(s, t);
    return s;
}
