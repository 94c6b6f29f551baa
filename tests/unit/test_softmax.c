/*
 * The log-bilinear model: loss and slopes of a batch against the formulas in double and
 * their finite differences; what is learned from users who go round in a ring; and the
 * part through a model's tensors and back.
 */
#include "recipe/softmax.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/rng.h"
#include "unit.h"

/* ---- a batch ---- */

enum { IN = 6, OUT = 7, D = 16, REACH = 3, N = 5, CANDIDATES = 4 };
enum { E = IN * D, O = OUT * D, P = REACH * D, NUMBERS = E + O + P };

static double number[NUMBERS]; // E, O and P of the net
static uint32_t item[N * REACH], own[N], candidate[CANDIDATES] = {6, 1, 4, 2};
static float gain[N * REACH], mask[N * D], weight[N], shift[CANDIDATES];

static void
setup(void)
{
    struct pz_rng rng;
    pz_rng_seed(&rng, 3, 1);
    for (size_t i = 0; i < NUMBERS; i++)
        number[i] = (double)(float)(0.4 * pz_rng_normal(&rng));
    for (size_t i = 0; i < N * REACH; i++) {
        item[i] = (uint32_t)pz_rng_below(&rng, IN + 1);
        item[i] = item[i] == IN ? PZ_NO_ID : item[i];
        gain[i] = 0.5F + (float)pz_rng_unit(&rng);
    }
    for (size_t i = 0; i < N * D; i++)
        mask[i] = pz_rng_unit(&rng) < 0.3 ? 0 : 1.4F;
    for (size_t i = 0; i < N; i++) {
        own[i] = (uint32_t)pz_rng_below(&rng, CANDIDATES);
        weight[i] = 0.2F + (float)pz_rng_unit(&rng);
    }
    for (size_t i = 0; i < CANDIDATES; i++)
        shift[i] = (float)pz_rng_unit(&rng);
}

/* The loss as recipe/softmax.h has it. */
static double
loss_of(bool tied)
{
    const double *input = number, *output = tied ? number : number + E;
    const double *place = number + E + O;
    double loss = 0;
    for (size_t q = 0; q < N; q++) {
        double h[D] = {0}, sum = 0, next = 0;
        for (size_t k = 0; k < REACH; k++) {
            uint32_t i = item[q * REACH + k];
            for (size_t c = 0; c < D && i != PZ_NO_ID; c++)
                h[c] += (double)gain[q * REACH + k] * place[k * D + c] * input[i * D + c];
        }
        for (size_t j = 0; j < CANDIDATES; j++) {
            double z = 0;
            for (size_t c = 0; c < D; c++)
                z += h[c] * (double)mask[q * D + c] * output[candidate[j] * D + c];
            next = j == own[q] ? z : next;
            sum += exp(z + (j == own[q] ? 0 : (double)shift[j]));
        }
        loss += (double)weight[q] * (log(sum) - next);
    }
    return loss;
}

START_TEST(slopes_are_those_of_the_loss)
{
    bool tied = _i == 1;
    struct pz_err err = PZ_ERR_INIT;
    float f[NUMBERS], slope[NUMBERS] = {0};
    struct pz_softmax_room *room;
    double loss = 0;
    if (tied) // all rows are in the one table
        candidate[0] = 5;
    for (size_t i = 0; i < NUMBERS; i++)
        f[i] = (float)number[i];
    struct pz_softmax_net net = {.n_in = IN,
                                 .n_out = OUT,
                                 .d = D,
                                 .reach = REACH,
                                 .input = f,
                                 .output = tied ? f : f + E,
                                 .place = f + E + O};
    struct pz_softmax_slope to = {
        .input = slope, .output = tied ? slope : slope + E, .place = slope + E + O};
    struct pz_softmax_batch b = {.n = N,
                                 .item = item,
                                 .gain = gain,
                                 .mask = mask,
                                 .weight = weight,
                                 .n_candidates = CANDIDATES,
                                 .candidate = candidate,
                                 .shift = shift,
                                 .own = own};
    ck_ok(pz_softmax_room_new(&room, N + 2, CANDIDATES + 20, D, &err), err);
    ck_ok(pz_softmax_learn(&net, &b, room, &to, &loss, &err), err);
    ck_assert_double_eq_tol(loss, loss_of(tied), 1e-5);
    for (size_t i = 0; i < NUMBERS; i++) {
        double was = number[i], step = 1e-4;
        number[i] = was + step;
        double up = loss_of(tied);
        number[i] = was - step;
        double want = (up - loss_of(tied)) / (2 * step);
        number[i] = was;
        ck_assert_msg(fabs((double)slope[i] - want) < 2e-5, "number %zu: %.9g, not %.9g",
                      i, (double)slope[i], want);
    }
    // A second batch adds to the slopes.
    float before[NUMBERS];
    memcpy(before, slope, sizeof slope);
    ck_ok(pz_softmax_learn(&net, &b, room, &to, &loss, &err), err);
    for (size_t i = 0; i < NUMBERS; i++)
        ck_assert_float_eq_tol(slope[i], 2 * before[i], 1e-5F);
    pz_softmax_room_free(room);
}
END_TEST

/* ---- users in a ring ---- */

enum { USERS = 60, ITEMS = 24, RING = 20, LENGTH = 12, WHOLE = 100, SOME = 6 };

static uint64_t offsets[USERS + 1];
static uint32_t event[USERS * LENGTH];
static float event_weight[USERS * LENGTH];

/* User u starts anywhere and goes on by one item; items from RING on have no events. The
 * last user has nothing. */
static struct pz_events
ring(bool weights)
{
    size_t n = 0;
    for (uint32_t u = 0; u < USERS; u++) {
        for (uint32_t k = 0; k < LENGTH && u + 1 < USERS; k++) {
            event_weight[n] = k % 2 ? 1 : 0.5F;
            event[n++] = (u * 7 + k) % RING;
        }
        offsets[u + 1] = n;
    }
    return (struct pz_events){.n_users = USERS,
                              .n_items = ITEMS,
                              .n = n,
                              .offsets = offsets,
                              .item = event,
                              .weight = weights ? event_weight : NULL};
}

static const struct pz_softmax_config CONFIG = {.members = 2,
                                                .d = 16,
                                                .reach = 4,
                                                .rounds = 10,
                                                .batch = 32,
                                                .negatives = WHOLE,
                                                .rate = 0.06,
                                                .drop_items = 0.3,
                                                .drop_numbers = 0.2,
                                                .tie = true,
                                                .seed = 5,
                                                .threads = 1};

static void
same(const struct pz_softmax_made *a, const struct pz_softmax_made *b)
{
    ck_assert_uint_eq(a->n, b->n);
    ck_assert_uint_eq(a->d, b->d);
    ck_assert_mem_eq(a->input, b->input, a->n * a->d * sizeof(float));
    ck_assert_mem_eq(a->output, b->output, (a->n + 1) * a->d * sizeof(float));
    ck_assert_mem_eq(a->place, b->place, a->reach * a->d * sizeof(float));
}

/* Every item is followed by the next one of the ring. */
START_TEST(learns_what_comes_next)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_softmax_made one, other;
    struct pz_events e = ring(_i == 2);
    struct pz_softmax_config c = CONFIG;
    c.negatives = _i ? SOME : WHOLE;
    ck_ok(pz_softmax_train(&one, &e, &c, &err), err);
    ck_assert_uint_eq(one.n, RING);
    ck_assert_uint_eq(one.d, 32);
    for (uint32_t i = 0; i < ITEMS; i++)
        ck_assert_uint_eq(one.row[i], i < RING ? i : RING);
    for (size_t i = 0; i < RING; i++) {
        size_t best = 0;
        double z[RING + 1] = {0};
        for (size_t j = 0; j <= RING; j++) {
            for (size_t k = 0; k < 3; k++) // three events, the newest i
                for (size_t x = 0; x < one.d; x++)
                    z[j] += (double)one.place[k * one.d + x] *
                            (double)one.input[(i + RING - k) % RING * one.d + x] *
                            (double)one.output[j * one.d + x];
            best = z[j] > z[best] ? j : best;
        }
        ck_assert_uint_eq(best, (i + 1) % RING);
        ck_assert(z[RING] < z[best] - 3);
        // What nobody had is as likely as items are on average, and that is 0.
        double sum = 0;
        for (size_t j = 0; j < RING; j++)
            sum += z[j];
        ck_assert(z[RING] == 0);
        ck_assert_double_eq_tol(sum / RING, 0, 1e-4);
    }
    for (size_t k = 0; k < c.members; k++)
        ck_assert(one.loss[k] > 0 && one.loss[k] < log(RING));
    c.threads = 3;
    ck_assert_int_eq(pz_cpu_force(PZ_CPU_SCALAR), PZ_CPU_SCALAR);
    ck_ok(pz_softmax_train(&other, &e, &c, &err), err);
    same(&one, &other);
    pz_softmax_release(&one);
    pz_softmax_release(&other);
}
END_TEST

START_TEST(nothing_to_learn)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_softmax_made made;
    uint64_t from[] = {0, 1, 2};
    uint32_t had[] = {1, 0};
    struct pz_events e = {
        .n_users = 2, .n_items = 2, .n = 2, .offsets = from, .item = had};
    ck_assert_int_eq(pz_softmax_train(&made, &e, &CONFIG, &err), PZ_DATA);
    ck_assert_msg(strstr(err.msg, "what comes next from 0 events") != NULL, "%s",
                  err.msg);
    pz_softmax_release(&made);
}
END_TEST

/* ---- the part ---- */

static const struct pz_param_def DEFS[] = {PZ_PARAMS_SOFTMAX, {.name = NULL}};

static struct pz_builder *
learn(const struct pz_events *e, struct pz_model *model)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_params params;
    struct pz_train t = {.events = e, .params = &params, .threads = 2};
    pz_params_init(&params, DEFS);
    params.value[pz_param_find(DEFS, "softmax_members")] = 2;
    params.value[pz_param_find(DEFS, "softmax_dimension")] = 20;
    params.value[pz_param_find(DEFS, "softmax_rounds")] = 3;
    ck_ok(pz_builder_new(&t.model, &err), err);
    ck_assert(isinf(pz_part_softmax.cost(&t))); // too few events
    ck_ok(pz_part_softmax.train(&t, &err), err);
    *model = (struct pz_model){.n_items = ITEMS, .n_users = USERS};
    ck_ok(pz_builder_view(t.model, &model->file, &err), err);
    return t.model;
}

/* Scores are the formula's, whatever the batch; reasons sum to them. */
START_TEST(part_through_a_model)
{
    enum { MANY = 26 };
    static const uint32_t history[MANY] = {1,  2,  3,  ITEMS - 1, 4,  4,  2, 9, 0,
                                           1,  2,  3,  4,         5,  6,  7, 8, 9,
                                           10, 11, 12, 13,        14, 15, 3, 2};
    static const size_t length[] = {MANY, 4, 0, 8};
    enum { QUERIES = sizeof length / sizeof *length };
    static float weights[MANY];
    struct pz_err err = PZ_ERR_INIT;
    struct pz_model model;
    struct pz_events e = ring(false);
    struct pz_builder *b = learn(&e, &model);
    const struct pz_part *part = &pz_part_softmax;
    const struct pz_tensor *in = pz_tensors_find(&model.file, "softmax.input");
    const float *input = in->data, *row,
                *place = pz_tensors_find(&model.file, "softmax.place")->data;
    const float *output = pz_tensors_find(&model.file, "softmax.output")->data;
    size_t d = in->shape[1], reach = 20;
    void *state, *work;
    struct pz_query q[QUERIES];
    float score[QUERIES][32], alone[32];
    bool known[QUERIES], also;
    ck_assert_uint_eq(d, 64);
    for (size_t i = 0; i < MANY; i++)
        weights[i] = 1 / (float)(1 + i % 3);
    for (size_t i = 0; i < QUERIES; i++)
        q[i] = (struct pz_query){
            .history = history, .n_history = length[i], .weight = i ? weights : NULL};
    ck_ok(part->open(&state, &model, &err), err);
    ck_ok(part->work_new(&work, state, QUERIES, &err), err);
    ck_ok(part->score(state, work, q, QUERIES, score[0], 32, known, &err), err);
    for (size_t i = 0; i < QUERIES; i++) {
        ck_assert_int_eq(known[i], length[i] > 0);
        for (uint32_t j = 0; j < ITEMS; j++) {
            struct pz_reason reason[MANY + 1];
            struct pz_explained why = {.reason = reason};
            double want = 0, sum = 0;
            size_t n = 0;
            row = output + (j < RING ? j : RING) * d;
            for (size_t k = length[i]; k > 0 && n < reach; k--) {
                uint32_t h = history[k - 1];
                for (size_t x = 0; x < d && h < RING; x++)
                    want += (i ? (double)weights[k - 1] : 1) * (double)row[x] *
                            (double)place[n * d + x] * (double)input[h * d + x];
                n += h < RING;
            }
            ck_assert_double_eq_tol((double)score[i][j], want, 1e-5);
            ck_ok(part->explain(state, work, &q[i], j, &why, &err), err);
            ck_assert_double_eq_tol(why.raw, want, 1e-9);
            for (size_t k = 0; k < why.n; k++) {
                sum += why.reason[k].contribution;
                for (size_t l = 0; l < k; l++)
                    ck_assert_uint_ne(why.reason[k].item, why.reason[l].item);
            }
            ck_assert_double_eq_tol(why.raw, sum, 1e-9);
        }
        ck_ok(part->score(state, work, &q[i], 1, alone, 32, &also, &err), err);
        ck_assert_mem_eq(alone, score[i], ITEMS * sizeof *alone);
    }
    part->work_free(work);
    part->close(state);
    pz_tensors_close(&model.file);
    pz_builder_free(b);
}
END_TEST

START_TEST(damaged_rows_are_refused)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_model model;
    struct pz_events e = ring(false);
    struct pz_builder *b = learn(&e, &model);
    void *state;
    uint32_t *row =
        (uint32_t *)(uintptr_t)pz_tensors_find(&model.file, "softmax.row")->data;
    row[3] = RING; // as nobody had it: fine
    ck_ok(pz_part_softmax.open(&state, &model, &err), err);
    pz_part_softmax.close(state);
    row[3] = RING + 1;
    ck_assert_int_eq(pz_part_softmax.open(&state, &model, &err), PZ_FORMAT);
    ck_assert_msg(strstr(err.msg, "'softmax.row': is out of range") != NULL, "%s",
                  err.msg);
    pz_tensors_close(&model.file);
    pz_builder_free(b);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("softmax");
    TCase *t = tcase_create("softmax");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_loop_test(t, slopes_are_those_of_the_loss, 0, 2);
    tcase_add_loop_test(t, learns_what_comes_next, 0, 3);
    tcase_add_test(t, nothing_to_learn);
    tcase_add_test(t, part_through_a_model);
    tcase_add_test(t, damaged_rows_are_refused);
    suite_add_tcase(s, t);
    return s;
}
