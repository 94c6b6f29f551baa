/*
 * bench_dense: the dense algebra that closed-form models are trained with (math/dense.h),
 * beside OpenBLAS where that is installed.
 *
 *   bench_dense [-n ROWS] [-t THREADS] [-s] [-x]
 *
 * Lines of key=value: seconds (wall), CPU seconds and GFLOP/s of the inverse (n^3 flops),
 * with -s of Cholesky factor and solving for as many right-hand sides as rows (7/3 n^3),
 * and of OpenBLAS's spotrf with spotri, the floor, on one matrix; -x leaves that out. The
 * share is of the multiply-adds that the cores can do in registers (bench/peak).
 *
 * OpenBLAS 0.3.21 does not know newer processors and then takes kernels for old ones, so
 * its core type is set from what this processor has, whatever OPENBLAS_CORETYPE says.
 */
#include <dlfcn.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/par.h"
#include "base/rng.h"
#include "math/dense.h"

static int
die(const char *what)
{
    fprintf(stderr, "bench_dense: %s\n", what);
    exit(EXIT_FAILURE);
}

static double
seconds(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

struct clocks {
    double wall, cpu;
};

static struct clocks
start(void)
{
    return (struct clocks){seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID)};
}

static void
report(const char *what, struct clocks from, double flops)
{
    double wall = seconds(CLOCK_MONOTONIC) - from.wall;
    double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - from.cpu;
    printf("%s.s=%.3f\n%s.cpu_s=%.3f\n%s.gflops_cpu=%.1f\n", what, wall, what, cpu, what,
           flops / cpu / 1e9);
    fflush(stdout);
}

/* Diagonally dominant and the same for every n: what is timed does not depend on values.
 */
static void
fill(float *a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct pz_rng rng;
        pz_rng_seed(&rng, 3, i);
        uint64_t state = pz_rng_u64(&rng) | 1;
        for (size_t j = 0; j < n; j++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            a[i * n + j] = (float)(state >> 40) * 0x1p-24f;
        }
        a[i * n + i] += (float)n;
    }
}

/* Greatest |row of a * inverse - row of I| over some rows; both upper triangles. */
static double
residual(const float *inverse, size_t n)
{
    float *a = malloc(n * n * sizeof *a);
    if (!a)
        return NAN;
    fill(a, n);
    double worst = 0;
    for (size_t s = 0; s < 4; s++) {
        size_t i = s * (n - 1) / 3;
        for (size_t j = 0; j < n; j += n / 7 + 1) {
            double sum = 0;
            for (size_t k = 0; k < n; k++) {
                double x = i <= k ? a[i * n + k] : a[k * n + i];
                sum += x * (j <= k ? inverse[j * n + k] : inverse[k * n + j]);
            }
            worst = fmax(worst, fabs(sum - (i == j)));
        }
    }
    free(a);
    return worst;
}

typedef void (*lapack)(const char *uplo, const int *n, float *a, const int *ld,
                       int *info);

static void
floor_of(float *a, size_t n, int threads)
{
    const char *core = pz_cpu() == PZ_CPU_AVX512 ? "SkylakeX" : "Haswell";
    setenv("OPENBLAS_CORETYPE", core, 1);
    void *lib = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!lib) {
        printf("floor=skipped: no libopenblas.so.0 (package libopenblas0-pthread)\n");
        return;
    }
    lapack potrf, potri;
    char *(*corename)(void);
    void (*set_threads)(int);
    *(void **)&potrf = dlsym(lib, "spotrf_");
    *(void **)&potri = dlsym(lib, "spotri_");
    *(void **)&corename = dlsym(lib, "openblas_get_corename");
    *(void **)&set_threads = dlsym(lib, "openblas_set_num_threads");
    if (!potrf || !potri || !corename || !set_threads)
        die("libopenblas.so.0 lacks a function");
    set_threads(threads);
    int rows = (int)n, info = 0;
    fill(a, n);
    struct clocks from = start();
    potrf("L", &rows, a, &rows, &info);
    struct clocks half = start();
    if (info == 0)
        potri("L", &rows, a, &rows, &info);
    if (info)
        die("OpenBLAS finds the matrix not positive definite");
    double size = (double)n;
    printf("floor.core=%s\nfloor.potrf_s=%.3f\n", corename(), half.wall - from.wall);
    report("floor", from, size * size * size);
}

int
main(int argc, char **argv)
{
    int64_t n = 4096, threads = 0;
    bool with_floor = true, with_solve = false;
    for (int c; (c = getopt(argc, argv, "n:t:sx")) != -1;) {
        bool ok = true;
        if (c == 'n')
            ok = !pz_parse_i64(optarg, strlen(optarg), &n) && n > 0 && n < 100000;
        else if (c == 't')
            ok = !pz_parse_i64(optarg, strlen(optarg), &threads) && threads >= 0;
        else if (c == 's')
            with_solve = true;
        else if (c == 'x')
            with_floor = false;
        else
            ok = false;
        if (!ok)
            die("usage: bench_dense [-n ROWS] [-t THREADS] [-s] [-x]");
    }
    int cores = pz_threads((int)threads);
    struct pz_err err = PZ_ERR_INIT;
    size_t size = (size_t)n;
    float *a = NULL, *x = NULL;
    double cube = (double)size * (double)size * (double)size;
    if (pz_new_aligned(&a, size, size * sizeof *a, "a matrix", &err))
        die(err.msg);
    fill(a, size);
    printf("n=%zu\nthreads=%d\nisa=%s\n", size, cores, pz_cpu_name(pz_cpu()));
    struct clocks from = start();
    if (pz_dense_inverse(a, size, size, cores, &err))
        die(err.msg);
    report("inverse", from, cube);
    printf("inverse.residual=%.2g\n", residual(a, size));
    if (with_solve) {
        if (pz_new_aligned(&x, size, size * sizeof *x, "right-hand sides", &err))
            die(err.msg);
        fill(a, size);
        fill(x, size);
        from = start();
        if (pz_dense_chol(a, size, size, cores, &err))
            die(err.msg);
        report("chol", from, cube / 3);
        from = start();
        if (pz_dense_solve(a, size, size, x, size, size, cores, &err))
            die(err.msg);
        report("solve", from, 2 * cube);
        free(x);
    }
    if (with_floor)
        floor_of(a, size, cores);
    free(a);
    return 0;
}
