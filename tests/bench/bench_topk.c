/*
 * bench_topk: the best rows of a table for one vector, exactly (math/topn.h), beside the
 * time that reading the table's bytes once takes.
 *
 *   bench_topk [-n ROWS] [-d FACTORS]
 *
 * Lines of key=value: the CPU time of one answer from the floats, from the bytes, and
 * from the bytes with a filter that lets every tenth row pass, each with probabilities,
 * and from the bytes with inner products; the time of reading the bytes (the floor), the
 * MB that they are, GB/s; `same`, 1 when all answers agree to the bit; microseconds a
 * vector of 144 answered together. Times are of one thread: the least of several runs.
 * Before each run the floats are read, which leave nothing of the bytes in the caches:
 * the floor and the answers read them from memory alike.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"
#include "math/topn.h"

enum { N = 25, QUERIES = 144, RUNS = 25 };

static int
die(const char *what)
{
    fprintf(stderr, "bench_topk: %s\n", what);
    exit(EXIT_FAILURE);
}

static double
seconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

/* Sixteen sums side by side, as wide as the compiler's baseline goes. */
static double
read_once(const void *bytes, size_t n)
{
    typedef uint64_t vec __attribute__((vector_size(16)));
    static volatile uint64_t sink;
    const vec *v = bytes;
    vec sum[8] = {{0}};
    double t = seconds();
    for (size_t i = 0; i + 8 <= n / sizeof *v; i += 8) {
#pragma GCC unroll 8
        for (int k = 0; k < 8; k++)
            sum[k] += v[i + (size_t)k];
    }
    t = seconds() - t;
    for (int k = 0; k < 8; k++)
        sink += sum[k][0] + sum[k][1];
    return t;
}

struct setting {
    const char *name;
    bool bytes, filter;
    double rate;
};

static const struct setting settings[] = {
    {"floats", false, false, 0.5},
    {"bytes", true, false, 0.5},
    {"filtered", true, true, 0.5},
    {"products", true, false, 0},
};

struct world {
    struct pz_topn_table table;
    const float *x;
    uint64_t *allow;
    uint32_t row[QUERIES][N];
    float score[QUERIES][N];
};

static double
ask(struct world *w, const struct setting *s, size_t first, size_t n)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_topn q[QUERIES];
    struct pz_topn_table table = w->table;
    if (!s->bytes)
        table.quant.code = NULL;
    for (size_t i = 0; i < n; i++)
        q[i] = (struct pz_topn){.x = w->x + (first + i) * table.d,
                                .n = N,
                                .allow = s->filter ? w->allow : NULL,
                                .row = w->row[i],
                                .score = w->score[i]};
    double t = seconds();
    if (pz_topn(&table, NULL, 0, s->rate, q, n, &err))
        die(err.msg);
    return seconds() - t;
}

/* Does one vector get the same rows and products from the bytes as from the floats? */
static bool
agrees(struct world *w, size_t v, bool filter)
{
    struct setting s = {"", false, filter, 0};
    uint32_t row[N];
    float score[N];
    ask(w, &s, v, 1);
    memcpy(row, w->row[0], sizeof row);
    memcpy(score, w->score[0], sizeof score);
    s.bytes = true;
    ask(w, &s, v, 1);
    return !memcmp(row, w->row[0], sizeof row) &&
           !memcmp(score, w->score[0], sizeof score);
}

static size_t
number(const char *text, int64_t most)
{
    int64_t v;
    if (pz_parse_i64(text, strlen(text), &v) || v < 1 || v > most)
        die("a number is wrong");
    return (size_t)v;
}

static void
clear_caches(const struct world *w)
{
    read_once(w->table.row, w->table.n_rows * w->table.d * sizeof *w->table.row);
}

static void
measure(struct world *w, size_t bytes)
{
    enum { SETTINGS = sizeof settings / sizeof settings[0] };
    double floor = INFINITY, best[SETTINGS];
    for (size_t k = 0; k < SETTINGS; k++)
        best[k] = INFINITY;
    for (size_t r = 0; r < RUNS; r++) { // in turns: neighbours disturb all alike
        clear_caches(w);
        floor = fmin(floor, read_once(w->table.quant.code, bytes));
        for (size_t k = 0; k < SETTINGS; k++) {
            clear_caches(w);
            best[k] = fmin(best[k], ask(w, &settings[k], r % QUERIES, 1));
        }
    }
    printf("floor_us=%.0f\nmb=%.1f\ngbs=%.1f\n", floor * 1e6, (double)bytes * 1e-6,
           (double)bytes / floor * 1e-9);
    for (size_t k = 0; k < SETTINGS; k++)
        printf("%s_us=%.0f\n", settings[k].name, best[k] * 1e6);
    for (size_t k = 0; k < 2; k++)
        printf("%s.together_us=%.0f\n", settings[k].name,
               fmin(ask(w, &settings[k], 0, QUERIES), ask(w, &settings[k], 0, QUERIES)) /
                   QUERIES * 1e6);
    bool same = true;
    for (size_t v = 0; v < QUERIES; v += 9)
        same = agrees(w, v, false) && agrees(w, v, true) && same;
    printf("same=%d\n", same);
}

int
main(int argc, char **argv)
{
    size_t n = 1000000, d = 64;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "-n"))
            n = number(argv[i + 1], 100000000);
        else if (!strcmp(argv[i], "-d"))
            d = number(argv[i + 1], 512) / 16 * 16;
        else
            die("usage: bench_topk [-n ROWS] [-d FACTORS]");
    }
    struct pz_err err = PZ_ERR_INIT;
    struct pz_rng rng;
    static struct world w;
    size_t padded = pz_quant_groups(n) * PZ_QUANT_ROWS;
    float *table, *x, *scale;
    uint8_t *code;
    if (pz_new_aligned(&table, n * d, sizeof *table, "a table", &err) ||
        pz_new_aligned(&x, QUERIES * d, sizeof *x, "vectors", &err) ||
        pz_new_aligned(&code, padded, d, "codes", &err) ||
        pz_new_aligned(&scale, padded, sizeof *scale, "scales", &err) ||
        pz_new(&w.allow, n / 64 + 1, sizeof *w.allow, "a filter", &err))
        die(err.msg);
    pz_rng_seed(&rng, 1, 1);
    for (size_t i = 0; i < n * d; i++)
        table[i] = (float)pz_rng_normal(&rng) * 0.3F;
    for (size_t i = 0; i < QUERIES * d; i++)
        x[i] = (float)pz_rng_normal(&rng);
    for (size_t i = 0; i < n; i += 10)
        w.allow[i / 64] |= UINT64_C(1) << i % 64;
    if (!pz_quant_build(code, scale, table, n, d))
        die("the table cannot be coded");
    w.table = (struct pz_topn_table){
        .row = table, .n_rows = n, .d = d, .quant = {.code = code, .scale = scale}};
    w.x = x;
    measure(&w, padded * d);
    free(table);
    free(x);
    free(code);
    free(scale);
    free(w.allow);
    return EXIT_SUCCESS;
}
