/*
 * Dense algebra against plain elimination in double, every level and number of threads
 * against one thread of plain C bit by bit, and what it does with a matrix that has no
 * inverse.
 */
#include "math/dense.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "math/kernels.h"
#include "unit.h"

/* Below, at and above the sizes of blocks, tiles and lanes. */
static const size_t SIZES[] = {1,  2,  15, 16,  31,  32,  33,  47,
                               64, 65, 97, 256, 257, 300, 448, 450};
#define N_SIZES (sizeof SIZES / sizeof *SIZES)

static const float JUNK = 1e30f; // where nothing may be read

/* As the Gram matrix of a catalogue: sparse rows, popular and rare columns, and lambda.
 */
static void
make(float *a, size_t n, size_t ld, double lambda)
{
    struct pz_rng rng;
    pz_rng_seed(&rng, 11, n);
    double *g = calloc(n * n, sizeof *g);
    size_t *had = calloc(n, sizeof *had);
    ck_assert(g && had);
    for (size_t u = 0; u < 6 * n; u++) {
        size_t n_had = 0;
        for (size_t i = 0; i < n; i++)
            if (pz_rng_unit(&rng) < 3.0 / (3.0 + (double)i))
                had[n_had++] = i;
        for (size_t x = 0; x < n_had; x++)
            for (size_t y = 0; y < n_had; y++)
                g[had[x] * n + had[y]] += 1;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < ld; j++)
            a[i * ld + j] =
                j < i || j >= n ? JUNK : (float)(g[i * n + j] + (i == j ? lambda : 0));
    free(g);
    free(had);
}

/* The inverse of the symmetric matrix with this upper triangle, by Gauss and Jordan. */
static double *
reference(const float *a, size_t n, size_t ld)
{
    double *t = calloc(n * n, sizeof *t);
    ck_assert_ptr_nonnull(t);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            t[i * n + j] = i <= j ? a[i * ld + j] : a[j * ld + i];
    for (size_t k = 0; k < n; k++) {
        double pivot = t[k * n + k];
        t[k * n + k] = 1;
        for (size_t j = 0; j < n; j++)
            t[k * n + j] /= pivot;
        for (size_t i = 0; i < n; i++) {
            double f = t[i * n + k];
            if (i == k)
                continue;
            t[i * n + k] = 0;
            for (size_t j = 0; j < n; j++)
                t[i * n + j] -= f * t[k * n + j];
        }
    }
    return t;
}

static float *
floats(size_t n)
{
    float *a = calloc(n, sizeof *a);
    ck_assert_ptr_nonnull(a);
    return a;
}

START_TEST(inverse_is_that_of_double)
{
    size_t n = SIZES[_i], ld = n + 5;
    struct pz_err err = PZ_ERR_INIT;
    float *a = floats(n * ld);
    make(a, n, ld, 10);
    double *want = reference(a, n, ld), greatest = 0;
    ck_ok(pz_dense_inverse(a, n, ld, 2, &err), err);
    for (size_t i = 0; i < n; i++)
        greatest = fmax(greatest, want[i * n + i]);
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++)
            ck_assert_msg(fabs(a[i * ld + j] - want[i * n + j]) < 2e-6 * greatest,
                          "n %zu (%zu,%zu): %.9g, not %.9g", n, i, j, a[i * ld + j],
                          want[i * n + j]);
    for (size_t i = 0; i < n; i++)
        for (size_t j = n; j < ld; j++)
            ck_assert_float_eq(a[i * ld + j], JUNK);
    float *rows = floats(PZ_DENSE_ROWS * ld);
    for (size_t from = 0; from < n; from += PZ_DENSE_ROWS) {
        size_t count = n - from < PZ_DENSE_ROWS ? n - from : PZ_DENSE_ROWS;
        for (size_t i = 0; i < PZ_DENSE_ROWS * ld; i++)
            rows[i] = JUNK;
        pz_dense_rows(rows, ld, a, n, ld, from, count);
        for (size_t i = 0; i < count; i++)
            for (size_t j = 0; j < n; j++)
                ck_assert_float_eq(rows[i * ld + j], from + i <= j
                                                         ? a[(from + i) * ld + j]
                                                         : a[j * ld + from + i]);
        for (size_t i = 0; i < PZ_DENSE_ROWS; i++)
            for (size_t j = i < count ? n : 0; j < ld; j++)
                ck_assert_float_eq(rows[i * ld + j], JUNK);
    }
    pz_dense_mirror(a, n, ld, 2);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            ck_assert_float_eq(a[i * ld + j], a[j * ld + i]);
    free(rows);
    free(want);
    free(a);
}
END_TEST

START_TEST(solve_is_that_of_double)
{
    size_t n = SIZES[_i], ld = n + 3, n_x = 1 + n % 70, ld_x = n_x + 1;
    struct pz_err err = PZ_ERR_INIT;
    struct pz_rng rng;
    float *a = floats(n * ld), *x = floats(n * ld_x), *right = floats(n * ld_x);
    make(a, n, ld, 10);
    double *inverse = reference(a, n, ld);
    float *u = floats(n * ld);
    memcpy(u, a, n * ld * sizeof *u);
    pz_rng_seed(&rng, 5, n);
    for (size_t i = 0; i < n * ld_x; i++)
        right[i] = x[i] = (float)pz_rng_normal(&rng);
    ck_ok(pz_dense_chol(u, n, ld, 2, &err), err);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i; j < n; j++) {
            double sum = 0;
            for (size_t k = 0; k <= i; k++)
                sum += (double)u[k * ld + i] * u[k * ld + j];
            ck_assert_double_le(fabs(sum - a[i * ld + j]), 1e-6 * a[0]);
        }
    }
    ck_ok(pz_dense_solve(u, n, ld, x, n_x, ld_x, 2, &err), err);
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < n_x; c++) {
            double want = 0, size = 0;
            for (size_t k = 0; k < n; k++) {
                want += inverse[i * n + k] * right[k * ld_x + c];
                size += fabs(inverse[i * n + k]);
            }
            ck_assert_double_le(fabs(x[i * ld_x + c] - want), 1e-5 * size + 1e-6);
        }
        ck_assert_float_eq(x[i * ld_x + n_x], right[i * ld_x + n_x]);
    }
    free(inverse);
    free(right);
    free(a);
    free(u);
    free(x);
}
END_TEST

START_TEST(products_are_those_of_double)
{
    enum { M = 61, N = 75, DEPTH = 530, LD = 600 };
    struct pz_err err = PZ_ERR_INIT;
    struct pz_rng rng;
    float *a = floats((size_t)LD * LD), *b = floats((size_t)LD * LD);
    float *c = floats((size_t)M * LD);
    pz_rng_seed(&rng, 6, 1);
    for (size_t i = 0; i < (size_t)LD * LD; i++) {
        a[i] = (float)pz_rng_normal(&rng);
        b[i] = (float)pz_rng_normal(&rng);
    }
    for (int how = 0; how < 8; how++) {
        bool ta = how & 1, tb = how & 2, keep = how & 4;
        struct pz_dense_mul mul = {.c = c,
                                   .a = a,
                                   .b = b,
                                   .ld_c = LD,
                                   .ld_a = LD,
                                   .ld_b = LD,
                                   .m = M,
                                   .n = N,
                                   .depth = DEPTH,
                                   .ta = ta,
                                   .tb = tb,
                                   .keep = keep,
                                   .alpha = keep ? -1 : 1};
        for (size_t i = 0; i < (size_t)M * LD; i++)
            c[i] = 7;
        ck_ok(pz_dense_mul(&mul, 2, &err), err);
        for (size_t i = 0; i < M; i++) {
            for (size_t j = 0; j < N; j++) {
                double want = 0;
                for (size_t k = 0; k < DEPTH; k++)
                    want += (double)a[ta ? k * LD + i : i * LD + k] *
                            b[tb ? j * LD + k : k * LD + j];
                want = keep ? 7 - want : want;
                ck_assert_double_le(fabs(c[i * LD + j] - want), 1e-4);
            }
            ck_assert_float_eq(c[i * LD + N], 7);
        }
    }
    free(a);
    free(b);
    free(c);
}
END_TEST

/* The upper triangle of the inverse, then the solution, at one level. */
static void
compute(float *out, size_t n, int threads)
{
    struct pz_err err = PZ_ERR_INIT;
    float *u = floats(n * n);
    make(out, n, n, 30);
    memcpy(u, out, n * n * sizeof *u);
    for (size_t i = 0; i < n * n; i++)
        out[n * n + i] = (float)(i % 17) - 8;
    ck_ok(pz_dense_inverse(out, n, n, threads, &err), err);
    pz_dense_mirror(out, n, n, threads);
    ck_ok(pz_dense_chol(u, n, n, threads, &err), err);
    ck_ok(pz_dense_solve(u, n, n, out + n * n, n, n, threads, &err), err);
    free(u);
}

START_TEST(same_bits_on_all_levels_and_threads)
{
    enum { N = 470 }; // more than a task packs
    size_t size = (size_t)2 * N * N;
    float *want = floats(size), *got = floats(size);
    enum pz_cpu most = pz_cpu_force(PZ_CPU_AVX512);
    pz_cpu_force(PZ_CPU_SCALAR);
    compute(want, N, 1);
    for (int level = 0; level <= (int)most; level++) {
        for (int threads = 1; threads <= 3; threads++) {
            pz_cpu_force((enum pz_cpu)level);
            compute(got, N, threads);
            ck_assert_msg(!memcmp(want, got, size * sizeof *got), "level %s, %d threads",
                          pz_cpu_name((enum pz_cpu)level), threads);
        }
    }
    pz_cpu_force(most);
    free(want);
    free(got);
}
END_TEST

/* A matrix of rank one less, and one with a negative or no number on its diagonal. */
START_TEST(no_inverse_is_an_error)
{
    size_t n = 300;
    const float bad[] = {0, -1, NAN, INFINITY};
    float *a = floats(n * n);
    for (size_t which = 0; which < sizeof bad / sizeof *bad; which++) {
        for (int factor = 0; factor < 2; factor++) {
            struct pz_err err = PZ_ERR_INIT;
            make(a, n, n, 1);
            a[200 * n + 200] = bad[which];
            int status = factor ? pz_dense_chol(a, n, n, 2, &err)
                                : pz_dense_inverse(a, n, n, 2, &err);
            ck_assert_int_eq(status, PZ_DATA);
            ck_assert_ptr_nonnull(strstr(err.msg, "not positive definite"));
        }
    }
    free(a);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("dense");
    TCase *t = tcase_create("dense");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, inverse_is_that_of_double, 0, N_SIZES);
    tcase_add_loop_test(t, solve_is_that_of_double, 0, N_SIZES);
    tcase_add_test(t, products_are_those_of_double);
    tcase_add_test(t, same_bits_on_all_levels_and_threads);
    tcase_add_test(t, no_inverse_is_an_error);
    suite_add_tcase(s, t);
    return s;
}
