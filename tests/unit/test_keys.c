/* math/keys: order of scores and numbers, and the best of many against a plain sort. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "math/keys.h"
#include "unit.h"

enum { MOST = 3000 };

static int
descending(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x > y ? -1 : x < y;
}

START_TEST(order)
{
    static const float score[] = {-INFINITY, -3, -1e-40F, 0, 1e-40F, 2, INFINITY};
    enum { N = sizeof score / sizeof *score };
    for (uint32_t i = 0; i < N; i++) {
        uint64_t key = pz_key(score[i], i);
        ck_assert_uint_eq(pz_key_number(key), i);
        ck_assert(pz_key_score(key) == score[i]);
        ck_assert(i == 0 || key > pz_key(score[i - 1], i));
        ck_assert_uint_gt(key, pz_key(score[i], i + 1)); // the lower number wins a tie
    }
    ck_assert_uint_eq(pz_key(0, 7), pz_key(-0.0F, 7));
}
END_TEST

/* Random, ascending, descending and few different scores. */
static void
make_keys(uint64_t *key, size_t n, int kind, struct pz_rng *rng)
{
    for (size_t i = 0; i < n; i++) {
        float s = kind == 0   ? (float)pz_rng_normal(rng)
                  : kind == 1 ? (float)i
                  : kind == 2 ? -(float)i
                              : (float)pz_rng_below(rng, 3);
        key[i] = pz_key(s, (uint32_t)i);
    }
}

START_TEST(best)
{
    static uint64_t key[MOST], sorted[MOST], work[2 * MOST];
    static const size_t sizes[] = {0, 1, 2, 3, 24, 25, 100, MOST};
    struct pz_rng rng;
    pz_rng_seed(&rng, 5, 5);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int kind = 0; kind < 4; kind++) {
            size_t n = sizes[s];
            make_keys(key, n, kind, &rng);
            memcpy(sorted, key, sizeof key);
            qsort(sorted, n, sizeof *sorted, descending);
            memcpy(work, key, sizeof key);
            pz_keys_sort(work, n);
            ck_assert(!memcmp(work, sorted, n * sizeof *work));
            for (size_t k = 0; k <= n; k += 1 + n / 7) {
                memcpy(work, key, sizeof key);
                pz_keys_cut(work, n, k);
                qsort(work, k, sizeof *work, descending);
                ck_assert(!memcmp(work, sorted, k * sizeof *work));
                struct pz_best b = {.key = work, .most = k};
                for (size_t i = 0; i < n && k; i++)
                    pz_best_offer(&b, key[i]);
                pz_best_sort(&b);
                ck_assert_uint_eq(b.n, k < n ? k : n);
                ck_assert(!memcmp(b.key, sorted, b.n * sizeof *b.key));
            }
        }
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("keys");
    TCase *t = tcase_create("keys");
    tcase_add_test(t, order);
    tcase_add_test(t, best);
    suite_add_tcase(s, t);
    return s;
}
