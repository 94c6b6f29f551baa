/*
 * peak: what this machine can do at most, one core of it, as key=value lines:
 *
 *   isa                 the widest of avx512, avx2, scalar (PZ_CPU forces one)
 *   cores               that this process may use
 *   fma_gflops          f32 multiply-adds, two operations each, in registers
 *   read_gbs            sequential reads of 256 MiB
 *   gather_cache_mrows  random rows of 256 bytes from a table of 6.6 MiB, million a
 * second gather_ram_mrows    the same from 512 MiB fdatasync_per_s     appends of 4 KiB
 * with fdatasync in the folder given (default ".")
 *
 * Times are CPU seconds of the thread (wall for fdatasync), the best of several runs, so
 * that neighbours on a shared machine disturb little.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/clock.h"
#include "base/par.h"
#include "base/rng.h"

enum { RUNS = 5, ROW = 16, AHEAD = 12 }; // a row is 16 vecs

/* 16 bytes are in every x86-64 and ARM; memory is the limit here, not arithmetic. */
typedef float vec __attribute__((vector_size(16)));

static volatile float sink; // what the loops compute must not be optimized away

static double
seconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

/* Each kernel runs n steps of CHAINS independent multiply-adds and returns the flops
 * done. */
enum { CHAINS = 12 };

static double
fma_scalar(size_t n)
{
    float x[CHAINS];
    for (int c = 0; c < CHAINS; c++)
        x[c] = (float)c;
    for (size_t i = 0; i < n; i++)
        for (int c = 0; c < CHAINS; c++)
            x[c] = x[c] * 0.999f + 0.5f;
    for (int c = 0; c < CHAINS; c++)
        sink += x[c];
    return 2.0 * CHAINS * (double)n;
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static double
fma_avx2(size_t n)
{
    __m256 x[CHAINS], a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(0.5f);
    for (int c = 0; c < CHAINS; c++)
        x[c] = _mm256_set1_ps((float)c);
    for (size_t i = 0; i < n; i++) {
#pragma GCC unroll 12
        for (int c = 0; c < CHAINS; c++)
            x[c] = _mm256_fmadd_ps(x[c], a, b);
    }
    for (int c = 0; c < CHAINS; c++)
        sink += _mm256_cvtss_f32(x[c]);
    return 2.0 * 8 * CHAINS * (double)n;
}

__attribute__((target("avx512f"))) static double
fma_avx512(size_t n)
{
    __m512 x[CHAINS], a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(0.5f);
    for (int c = 0; c < CHAINS; c++)
        x[c] = _mm512_set1_ps((float)c);
    for (size_t i = 0; i < n; i++) {
#pragma GCC unroll 12
        for (int c = 0; c < CHAINS; c++)
            x[c] = _mm512_fmadd_ps(x[c], a, b);
    }
    for (int c = 0; c < CHAINS; c++)
        sink += _mm512_cvtss_f32(x[c]);
    return 2.0 * 16 * CHAINS * (double)n;
}
#endif

static const struct isa {
    const char *name;
    double (*fma)(size_t n);
} isas[] = {
#if defined(__x86_64__)
    {"avx512", fma_avx512},
    {"avx2", fma_avx2},
#endif
    {"scalar", fma_scalar},
};

static bool
has(const char *name)
{
#if defined(__x86_64__)
    if (!strcmp(name, "avx512"))
        return __builtin_cpu_supports("avx512f");
    if (!strcmp(name, "avx2"))
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return !strcmp(name, "scalar");
}

static double
fma_gflops(const struct isa *isa)
{
    double best = 0;
    isa->fma(1 << 20); // clocks up
    for (int r = 0; r < RUNS; r++) {
        double t = seconds(), flops = isa->fma(1 << 22);
        t = seconds() - t;
        if (flops / t > best)
            best = flops / t;
    }
    return best * 1e-9;
}

static double
read_gbs(const vec *a, size_t n)
{
    double best = 0;
    for (int r = 0; r < RUNS; r++) {
        vec s[8] = {{0}};
        double t = seconds();
        for (size_t i = 0; i < n; i += 8)
            for (int k = 0; k < 8; k++)
                s[k] += a[i + (size_t)k];
        t = seconds() - t;
        for (int k = 0; k < 8; k++)
            sink += s[k][0];
        double rate = (double)n * sizeof *a / t;
        best = rate > best ? rate : best;
    }
    return best * 1e-9;
}

static double
gather_mrows(const vec *table, size_t n_rows)
{
    enum { N = 1 << 21, PARTS = 4 };
    uint32_t *row = malloc((N + AHEAD) * sizeof *row);
    struct pz_rng rng;
    double best = 0;
    if (!row)
        return 0;
    pz_rng_seed(&rng, 1, 0);
    for (size_t i = 0; i < N + AHEAD; i++)
        row[i] = (uint32_t)pz_rng_below(&rng, n_rows);
    for (int r = 0; r < RUNS; r++) {
        vec s[PARTS] = {{0}};
        double t = seconds();
        for (size_t i = 0; i < N; i++) {
            const vec *next = table + (size_t)row[i + AHEAD] * ROW;
            const vec *x = table + (size_t)row[i] * ROW;
            for (int k = 0; k < ROW; k += PARTS)
                __builtin_prefetch(next + k);
            for (int k = 0; k < ROW; k++)
                s[k % PARTS] += x[k];
        }
        t = seconds() - t;
        for (int k = 0; k < PARTS; k++)
            sink += s[k][0];
        best = N / t > best ? N / t : best;
    }
    free(row);
    return best * 1e-6;
}

/* Counting pairs of items is this: a stream of item numbers, a counter each. */
static double
count_mops(void)
{
    enum { N = 1 << 20, ITEMS = 27000, REPEAT = 8 };
    uint32_t *item = malloc(N * sizeof *item), *count = calloc(ITEMS, sizeof *count);
    struct pz_rng rng;
    double best = 0;
    pz_rng_seed(&rng, 2, 0);
    for (size_t i = 0; item && i < N; i++)
        item[i] = (uint32_t)pz_rng_below(&rng, ITEMS);
    for (int r = 0; item && count && r < RUNS; r++) {
        double t = seconds();
        for (int k = 0; k < REPEAT; k++)
            for (size_t i = 0; i < N; i++)
                count[item[i]]++;
        t = seconds() - t;
        sink += (float)count[r];
        best = N * REPEAT / t > best ? N * REPEAT / t : best;
    }
    free(item);
    free(count);
    return best * 1e-6;
}

static double
fdatasync_rate(const char *dir)
{
    enum { N = 40 };
    char block[4096] = {0};
    int fd = open(dir, O_TMPFILE | O_RDWR, 0600);
    if (fd < 0)
        return 0;
    double t = pz_seconds_wall();
    int n = 0;
    while (n < N && write(fd, block, sizeof block) == (ssize_t)sizeof block &&
           !fdatasync(fd))
        n++;
    t = pz_seconds_wall() - t;
    close(fd);
    return n / t;
}

int
main(int argc, char **argv)
{
    const size_t bytes = 512u << 20, cache_rows = 27000;
    const char *force = getenv("PZ_CPU");
    const struct isa *isa = isas;
    while (!has(isa->name) || (force && *force && strcmp(force, isa->name)))
        if (++isa == isas + sizeof isas / sizeof *isas) {
            fprintf(stderr, "peak: this machine has no '%s'\n", force ? force : "scalar");
            return 2;
        }
    vec *table = aligned_alloc(64, bytes);
    if (!table) {
        fprintf(stderr, "peak: out of memory\n");
        return 5;
    }
    for (size_t i = 0; i < bytes / sizeof *table; i++)
        table[i] = (vec){1, 2, 3, 4};
    printf("isa=%s\ncores=%d\n", isa->name, pz_threads(0));
    printf("fma_gflops=%.1f\n", fma_gflops(isa));
    printf("read_gbs=%.1f\n", read_gbs(table, bytes / 2 / sizeof *table));
    printf("gather_cache_mrows=%.1f\n", gather_mrows(table, cache_rows));
    printf("gather_ram_mrows=%.1f\n", gather_mrows(table, bytes / sizeof *table / ROW));
    printf("count_mops=%.0f\n", count_mops());
    printf("fdatasync_per_s=%.0f\n", fdatasync_rate(argc > 1 ? argv[1] : "."));
    free(table);
    return 0;
}
