/* Weights of a blend against the likelihood and the ranks, written out. */
#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "recipe/blend_fit.h"
#include "unit.h"

enum { TRIALS = 300, RIVALS = 20, PARTS = 3 };

static struct pz_trial trial[TRIALS];
static float value[TRIALS][RIVALS * PARTS];
static uint16_t cell[TRIALS][RIVALS];
static double share[PZ_REPEAT_CELLS];

/* Part 0 knows most, part 1 a little, part 2 says the contrary. */
static struct pz_trials
make_trials(bool repeats)
{
    struct pz_rng rng;
    pz_rng_seed(&rng, 9, 1);
    for (int c = 0; c < PZ_REPEAT_CELLS; c++)
        share[c] = 0.001 * (c + 1);
    for (size_t i = 0; i < TRIALS; i++) {
        struct pz_trial *x = &trial[i];
        *x = (struct pz_trial){.n = RIVALS, .known = i != 7};
        x->own = (size_t)pz_rng_below(&rng, RIVALS);
        x->value = value[i];
        x->cell = cell[i];
        for (size_t k = 0; k < RIVALS; k++) {
            double truth = k == x->own;
            value[i][k * PARTS] = (float)(pz_rng_normal(&rng) + 2 * truth);
            value[i][k * PARTS + 1] = (float)(pz_rng_normal(&rng) + 0.5 * truth);
            value[i][k * PARTS + 2] = (float)(pz_rng_normal(&rng) - truth);
            cell[i][k] = pz_rng_below(&rng, 4) && !(truth > 0 && i % 2)
                             ? PZ_NO_CELL
                             : (uint16_t)pz_rng_below(&rng, PZ_REPEAT_CELLS);
        }
    }
    return (struct pz_trials){.trial = trial,
                              .n = TRIALS,
                              .n_parts = PARTS,
                              .share = share,
                              .repeats = repeats,
                              .threads = 2};
}

static double
score(const struct pz_fit *f, size_t i, size_t k)
{
    double s = 0;
    for (size_t p = 0; p < PARTS; p++)
        s += f->weight[p] * (double)value[i][k * PARTS + p];
    if (cell[i][k] != PZ_NO_CELL)
        s += f->slope * log(share[cell[i][k]]) + f->offset;
    return s;
}

static double
loss(const struct pz_fit *f)
{
    double all = 0.005 * (f->slope * f->slope + f->offset * f->offset);
    for (size_t p = 0; p < PARTS; p++)
        all += 0.005 * f->weight[p] * f->weight[p];
    for (size_t i = 0; i < TRIALS; i++) {
        double sum = 0;
        for (size_t k = 0; k < RIVALS; k++)
            sum += exp(score(f, i, k));
        if (trial[i].known)
            all += log(sum) - score(f, i, trial[i].own);
    }
    return all;
}

static double
ndcg(const struct pz_fit *f)
{
    double sum = 0;
    for (size_t i = 0; i < TRIALS; i++) {
        int place = 1;
        for (size_t k = 0; k < RIVALS; k++)
            place += k != trial[i].own && score(f, i, k) >= score(f, i, trial[i].own);
        if (trial[i].known)
            sum += 1 / log2(1 + place);
    }
    return sum / TRIALS;
}

/* No step from the likeliest makes the events likelier. */
START_TEST(likeliest)
{
    for (int repeats = 0; repeats < 2; repeats++) {
        struct pz_err err = PZ_ERR_INIT;
        struct pz_trials t = make_trials(repeats);
        struct pz_fit f;
        ck_ok(pz_fit_likeliest(&t, &f, &err), err);
        double least = loss(&f);
        ck_assert_double_gt(f.weight[0], 1);
        ck_assert_double_gt(f.weight[1], 0.2);
        ck_assert(f.weight[2] == 0);
        ck_assert(repeats ? f.slope != 0 && f.offset != 0
                          : f.slope == 0 && f.offset == 0);
        double *number[] = {&f.weight[0], &f.weight[1], &f.weight[2], &f.slope,
                            &f.offset};
        for (size_t a = 0; a < (repeats ? 5 : 3); a++)
            for (int sign = -1; sign <= 1; sign += 2) {
                double was = *number[a];
                *number[a] += sign * 0.03;
                if (a != 2 || sign > 0)
                    ck_assert_double_gt(loss(&f), least);
                *number[a] = was;
            }
    }
}
END_TEST

START_TEST(search)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_trials t = make_trials(true);
    struct pz_fit f, first = {.weight = {1}};
    double alone[PZ_BLEND_PARTS], best;
    ck_assert_double_eq_tol(pz_fit_worth(&t, &first), ndcg(&first), 1e-9);
    ck_ok(pz_fit_search(&t, &f, alone, &best, &err), err);
    ck_assert_double_eq_tol(best, ndcg(&f), 1e-9);
    ck_assert_double_ge(alone[0], ndcg(&first) - 1e-9);
    ck_assert_double_gt(alone[0], alone[1]);
    ck_assert_double_gt(best, alone[0]);
    ck_assert(f.weight[2] == 0);
}
END_TEST

/* Where any weight of a part does harm it keeps some: a blend of nothing is no model. */
START_TEST(never_nothing)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_trials t = make_trials(true);
    struct pz_fit f;
    double alone[PZ_BLEND_PARTS], best;
    t.n_parts = 1;
    for (int c = 0; c < PZ_REPEAT_CELLS; c++)
        share[c] = c == 1 ? 0.5 : 0.4;
    for (size_t i = 0; i < TRIALS; i++)
        for (size_t k = 0; k < RIVALS; k++) {
            cell[i][k] = k == trial[i].own;
            value[i][k] = k == trial[i].own ? -(float)pow(5, (double)(i % 4)) : 0;
        }
    ck_ok(pz_fit_search(&t, &f, alone, &best, &err), err);
    ck_assert_double_gt(f.weight[0], 0);
    ck_assert_double_gt(best, alone[0]);
    ck_assert_double_eq_tol(best, pz_fit_worth(&t, &f), 1e-12);
}
END_TEST

/* Given weights stay; what repeats are worth beside them goes with their scale. */
START_TEST(given)
{
    struct pz_fit bare = {.weight = {1, 0.5, 0}}, twice = {.weight = {8, 4, 0}};
    double alone[PZ_BLEND_PARTS], best, same;
    struct pz_trials t = make_trials(false);
    struct pz_fit f = bare;
    pz_fit_given(&t, &f, alone, &best);
    ck_assert(f.slope == 0 && f.offset == 0);
    ck_assert_double_eq_tol(best, ndcg(&bare), 1e-9);
    t = make_trials(true);
    f = bare;
    pz_fit_given(&t, &f, alone, &best);
    ck_assert(f.weight[0] == 1 && f.weight[1] == 0.5 && f.weight[2] == 0);
    ck_assert_double_eq_tol(best, ndcg(&f), 1e-9);
    ck_assert_double_gt(best, ndcg(&bare) + 0.01);
    ck_assert_double_gt(alone[0], alone[1]);
    pz_fit_given(&t, &twice, alone, &same);
    ck_assert(twice.slope == 8 * f.slope && twice.offset == 8 * f.offset);
    ck_assert(same == best);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("blend_fit");
    TCase *t = tcase_create("blend_fit");
    tcase_add_test(t, likeliest);
    tcase_add_test(t, search);
    tcase_add_test(t, never_nothing);
    tcase_add_test(t, given);
    suite_add_tcase(s, t);
    return s;
}
