/*
 * The graph filter against the polynomial that it is, multiplied out with dense matrices
 * in double; and the order-free parts through a model's tensors and back.
 */
#include "recipe/cheby.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "recipe/ease.h"
#include "recipe/rp3.h"
#include "unit.h"

enum { USERS = 50, ITEMS = 19, UNUSED = 4, MOST = 2048, N = ITEMS * ITEMS };

static struct pz_events events;
static bool had[USERS][ITEMS];

static void
setup(void)
{
    static uint64_t offsets[USERS + 1];
    static uint32_t item[MOST];
    struct pz_rng rng;
    pz_rng_seed(&rng, 8, 1);
    events = (struct pz_events){
        .n_users = USERS, .n_items = ITEMS, .offsets = offsets, .item = item};
    for (uint32_t u = 0; u < USERS; u++) {
        for (size_t k = pz_rng_below(&rng, 9); k > 0; k--) {
            uint32_t i = (uint32_t)(pz_rng_below(&rng, ITEMS) * (2 + u % 2) / 3);
            if (i == UNUSED)
                continue;
            item[events.n++] = i;
            had[u][i] = true;
        }
        offsets[u + 1] = events.n;
    }
}

static double
degree_of(uint32_t i)
{
    double n = 0;
    for (uint32_t u = 0; u < USERS; u++)
        n += had[u][i];
    return n;
}

/* A = 2 R~^T R~ - I over the items that somebody has. */
static void
adjacency(double a[N])
{
    for (uint32_t i = 0; i < ITEMS; i++) {
        for (uint32_t j = 0; j < ITEMS; j++) {
            double sum = 0;
            for (uint32_t u = 0; u < USERS; u++) {
                double n = 0;
                for (uint32_t k = 0; k < ITEMS; k++)
                    n += had[u][k];
                if (had[u][i] && had[u][j])
                    sum += 1 / n;
            }
            double size = sqrt(degree_of(i) * degree_of(j));
            a[i * ITEMS + j] = (size > 0 ? 2 * sum / size : 0) - (i == j);
        }
    }
}

static void
times(double out[N], const double a[N], const double b[N])
{
    for (size_t i = 0; i < ITEMS; i++)
        for (size_t j = 0; j < ITEMS; j++) {
            double sum = 0;
            for (size_t k = 0; k < ITEMS; k++)
                sum += a[i * ITEMS + k] * b[k * ITEMS + j];
            out[i * ITEMS + j] = sum;
        }
}

/* p(A) for the polynomial through (t, h(t)) at the Chebyshev nodes t, after Lagrange. */
static void
lagrange(double out[N], const struct pz_cheby_config *c)
{
    static double a[N], factor[N], product[N], next[N];
    int n = c->degree + 1;
    adjacency(a);
    memset(out, 0, N * sizeof *out);
    for (int j = 0; j < n; j++) {
        double t = cos(M_PI * (j + 0.5) / n), weight = 1;
        double h = 0.5 * (1 + (t < 0 ? -1 : 1) * pow(fabs(t), c->phi)) +
                   c->pass / (1 + exp(20 * (c->cut - t)));
        for (size_t i = 0; i < N; i++)
            product[i] = i % (ITEMS + 1) == 0;
        for (int k = 0; k < n; k++) {
            double other = cos(M_PI * (k + 0.5) / n);
            if (k == j)
                continue;
            weight *= t - other;
            for (size_t i = 0; i < N; i++)
                factor[i] = a[i] - (i % (ITEMS + 1) == 0 ? other : 0);
            times(next, product, factor);
            memcpy(product, next, sizeof next);
        }
        for (size_t i = 0; i < N; i++)
            out[i] += h / weight * product[i];
    }
}

START_TEST(filter_is_its_polynomial)
{
    static const struct pz_cheby_config configs[] = {{1, 1, 0, 0, 0},
                                                     {2, 1.5, 0.4, 0, 0},
                                                     {4, 2, 0.2, 1, 0.3},
                                                     {7, 0.7, -0.3, 0.5, -0.6}};
    static const uint32_t history[][3] = {{3, 0, 7}, {UNUSED, 12, 3}, {UNUSED}};
    static double p[N];
    struct pz_err err = PZ_ERR_INIT;
    struct pz_pairs pairs;
    struct pz_bag bag;
    ck_ok(pz_pairs_make(&pairs, &events, &err), err);
    ck_ok(pz_bag_init(&bag, ITEMS, &err), err);
    for (size_t which = 0; which < sizeof configs / sizeof *configs; which++) {
        const struct pz_cheby_config *c = &configs[which];
        struct pz_bag_rule rule = {.halflife = 2};
        struct pz_cheby f;
        struct pz_cheby_work *w;
        float score[PZ_CHEBY_LANES * ITEMS];
        bool known[PZ_CHEBY_LANES];
        pz_cheby_of(&f, &pairs, c);
        ck_ok(pz_cheby_work_new(&w, &f, &err), err);
        lagrange(p, c);
        for (int round = 0; round < 2; round++) { // the work is clean for a second time
            pz_cheby_begin(w);
            for (int l = 0; l < PZ_CHEBY_LANES; l++) {
                ck_ok(pz_bag_take(&bag, &rule, history[l % 3], NULL, l % 3 == 2 ? 1 : 3,
                                  &err),
                      err);
                pz_cheby_put(w, l, &bag);
            }
            pz_cheby_score(w, PZ_CHEBY_LANES, score, ITEMS, known);
        }
        for (int l = 0; l < PZ_CHEBY_LANES; l++) {
            ck_assert_int_eq(known[l], l % 3 != 2);
            for (uint32_t j = 0; j < ITEMS; j++) {
                double want = 0;
                for (size_t h = 0; h < 3 && l % 3 != 2; h++) {
                    uint32_t i = history[l % 3][h];
                    if (degree_of(i) > 0 && degree_of(j) > 0)
                        want += exp2(-(2.0 - (double)h) / 2) *
                                pow(degree_of(j) / degree_of(i), c->beta) *
                                p[i * ITEMS + j];
                }
                ck_assert_msg(fabs(score[l * ITEMS + (int)j] - want) < 2e-5,
                              "config %zu lane %d item %u: %g, not %g", which, l, j,
                              score[l * ITEMS + (int)j], want);
            }
        }
        pz_cheby_work_free(w);
    }
    pz_bag_release(&bag);
    pz_pairs_release(&pairs);
}
END_TEST

static const struct pz_part *const PARTS[] = {&pz_part_ease, &pz_part_rp3beta,
                                              &pz_part_cheby};
static const struct pz_param_def DEFS[] = {
    PZ_PARAMS_EASE, PZ_PARAMS_RP3, PZ_PARAMS_CHEBY, {.name = NULL}};

/* Trains a part; its tensors as an opened model. */
static struct pz_builder *
learn(const struct pz_part *part, const struct pz_param_def *defs, int threads,
      struct pz_model *model)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_params params;
    struct pz_train t = {.events = &events, .params = &params, .threads = threads};
    pz_params_init(&params, defs);
    ck_ok(pz_builder_new(&t.model, &err), err);
    ck_assert(isfinite(part->cost(&t)) && part->cost(&t) > 0);
    ck_ok(part->train(&t, &err), err);
    *model = (struct pz_model){.n_items = ITEMS, .n_users = USERS};
    ck_ok(pz_builder_view(t.model, &model->file, &err), err);
    return t.model;
}

static void
answer(const struct pz_part *part, const struct pz_model *model, size_t n,
       float score[][ITEMS], bool *known)
{
    struct pz_err err = PZ_ERR_INIT;
    void *state, *work;
    struct pz_query q[USERS];
    for (uint32_t u = 0; u < n; u++)
        q[u] = (struct pz_query){.history = events.item + events.offsets[u],
                                 .n_history = events.offsets[u + 1] - events.offsets[u]};
    ck_ok(part->open(&state, model, &err), err);
    ck_ok(part->work_new(&work, state, n, &err), err);
    ck_ok(part->score(state, work, q, n, score[0], ITEMS, known, &err), err);
    if (part->explain) {
        for (uint32_t u = 0; u < n; u++) {
            struct pz_reason reason[16];
            struct pz_explained why = {.reason = reason};
            for (uint32_t i = 0; i < ITEMS; i++) {
                ck_ok(part->explain(state, work, &q[u], i, &why, &err), err);
                ck_assert_double_le(fabs(why.raw - score[u][i]), 1e-5);
            }
        }
    }
    part->work_free(work);
    part->close(state);
}

/* The same tensors for any number of threads and with the parameters left out; scores
 * that do not depend on the batch; nothing known of an empty history. */
START_TEST(parts_through_a_model)
{
    static const struct pz_param_def none[] = {{.name = NULL}};
    const struct pz_part *part = PARTS[_i];
    struct pz_model one, three, plain;
    static float score[USERS][ITEMS], alone[USERS][ITEMS];
    bool known[USERS], known_alone[USERS];
    struct pz_builder *b1 = learn(part, DEFS, 1, &one);
    struct pz_builder *b3 = learn(part, DEFS, 3, &three);
    struct pz_builder *bp = learn(part, none, 2, &plain);
    ck_assert_uint_eq(one.file.n_tensors, three.file.n_tensors);
    for (size_t i = 0; i < one.file.n_tensors; i++) {
        const struct pz_tensor *t = &one.file.tensor[i];
        size_t size = t->n_elems * pz_dtype_size(t->dtype);
        ck_assert(!strncmp(t->name, part->name, strlen(part->name)));
        ck_assert_mem_eq(t->data, three.file.tensor[i].data, size);
        ck_assert_mem_eq(t->data, plain.file.tensor[i].data, size);
    }
    answer(part, &one, USERS, score, known);
    answer(part, &one, 5, alone, known_alone);
    ck_assert_mem_eq(score, alone, 5 * sizeof *score);
    for (uint32_t u = 0; u < USERS; u++) {
        ck_assert_int_eq(known[u], events.offsets[u + 1] > events.offsets[u]);
        for (uint32_t i = 0; i < ITEMS; i++)
            ck_assert(isfinite(score[u][i]) && (known[u] || score[u][i] == 0));
    }
    pz_tensors_close(&one.file);
    pz_tensors_close(&three.file);
    pz_tensors_close(&plain.file);
    pz_builder_free(b1);
    pz_builder_free(b3);
    pz_builder_free(bp);
}
END_TEST

/* An index out of range in any tensor that holds indexes is an error that names it. */
START_TEST(damaged_graphs_are_refused)
{
    static const char *const names[] = {"cheby.rank", "cheby.user.offsets",
                                        "cheby.user.rank", "cheby.item.offsets",
                                        "cheby.item.user"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        struct pz_err err = PZ_ERR_INIT;
        struct pz_model model;
        void *state, *work;
        struct pz_builder *b = learn(&pz_part_cheby, DEFS, 1, &model);
        const struct pz_tensor *t = pz_tensors_find(&model.file, names[k]);
        size_t size = pz_dtype_size(t->dtype);
        memset((uint8_t *)(uintptr_t)t->data + size, 0x7f, size);
        ck_ok(pz_part_cheby.open(&state, &model, &err), err);
        ck_assert_int_eq(pz_part_cheby.work_new(&work, state, 1, &err), PZ_FORMAT);
        ck_assert_msg(strstr(err.msg, names[k]) != NULL, "%s: %s", names[k], err.msg);
        pz_part_cheby.close(state);
        pz_tensors_close(&model.file);
        pz_builder_free(b);
    }
}
END_TEST

/* The metadata of the key, to be changed in place. */
static char *
meta_of(struct pz_model *model, const char *key, int which)
{
    for (size_t i = 0; i < model->file.n_meta; i++)
        if (!strcmp(model->file.meta[2 * i], key))
            return model->file.meta[2 * i + (size_t)which];
    ck_abort_msg("no '%s'", key);
    return NULL;
}

/* A model of before there was a step is read as one without; a step out of range is not
 * read. */
START_TEST(models_without_a_step)
{
    struct pz_param_def defs[] = {PZ_PARAMS_CHEBY, {.name = NULL}};
    struct pz_err err = PZ_ERR_INIT;
    struct pz_model model;
    static float with[USERS][ITEMS], without[USERS][ITEMS], older[USERS][ITEMS];
    bool known[USERS];
    void *state;
    for (size_t i = 0; defs[i].name; i++)
        if (!strcmp(defs[i].name, "cheby_pass"))
            defs[i].def = 0.7;
    struct pz_builder *b = learn(&pz_part_cheby, defs, 1, &model);
    answer(&pz_part_cheby, &model, USERS, with, known);
    meta_of(&model, "train.cheby.cut", 1)[0] = '7';
    ck_assert_int_eq(pz_part_cheby.open(&state, &model, &err), PZ_FORMAT);
    ck_assert_msg(strstr(err.msg, "train.cheby.cut") != NULL, "%s", err.msg);
    pz_tensors_close(&model.file);
    pz_builder_free(b);
    b = learn(&pz_part_cheby, DEFS, 1, &model);
    answer(&pz_part_cheby, &model, USERS, without, known);
    // Other names, in the same order.
    memcpy(meta_of(&model, "train.cheby.pass", 0), "train.cheby.pasx", 16);
    memcpy(meta_of(&model, "train.cheby.cut", 0), "train.cheby.cux", 15);
    answer(&pz_part_cheby, &model, USERS, older, known);
    ck_assert_mem_eq(without, older, sizeof older);
    ck_assert_mem_ne(without, with, sizeof with);
    pz_tensors_close(&model.file);
    pz_builder_free(b);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("cheby");
    TCase *t = tcase_create("cheby");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, filter_is_its_polynomial);
    tcase_add_loop_test(t, parts_through_a_model, 0, sizeof PARTS / sizeof *PARTS);
    tcase_add_test(t, damaged_graphs_are_refused);
    tcase_add_test(t, models_without_a_step);
    suite_add_tcase(s, t);
    return s;
}
