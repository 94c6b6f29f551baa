/*
 * bench_ials: what training by alternating least squares costs, beside its floors.
 *
 *   bench_ials [-u USERS] [-i ITERATIONS] [-d FACTORS] [-s auto|cg|cholesky] [-k STEPS]
 *              [-t THREADS] [-x]
 *
 * The events are made up in the shape s20m (138,000 users, 27,000 items, 18.2 million
 * events, power laws, latent clusters); fewer users scale it down. A line an iteration:
 * CPU seconds, wall seconds and loss. The floors of one iteration, both sides, are its
 * multiplications at the measured FMA peak of one core, and the measured time of
 * gathering every row it needs once. -x first solves exactly, and says when the chosen
 * solver reaches the loss that this has after all iterations.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "math/topn.h"
#include "recipe/ials_history.h"
#include "tests/bench/made_events.h"

#if defined(__x86_64__)
#define PZ_SIMD PZ_SIMD_AVX512
#include "math/simd.h"
#endif

enum { N_ITEMS = 27000 };

static int
die(const struct pz_err *err)
{
    fprintf(stderr, "bench_ials: %s\n", err->msg);
    exit(EXIT_FAILURE);
}

enum { MOST_ITERATIONS = 1000 };

struct watch {
    double cpu, wall;
    int n;
    double spent[MOST_ITERATIONS]; // CPU seconds of each iteration
};

static void
show(void *ctx, enum pz_level level, const char *text)
{
    (void)level;
    struct watch *w = ctx;
    double cpu = pz_seconds_cpu(), wall = pz_seconds_wall();
    printf("%s  cpu %.2f s  wall %.2f s%s\n", text, cpu - w->cpu, wall - w->wall,
           w->n ? "" : "  (with ordering the events)");
    if (w->n < MOST_ITERATIONS)
        w->spent[w->n++] = cpu - w->cpu;
    w->cpu = cpu;
    w->wall = wall;
}

/* Trains and shows each iteration; a mean of the second and later ones beside the floor.
 */
static void
train(struct pz_ials *m, const struct pz_events *e, const struct pz_ials_config *c,
      double floor, struct watch *w)
{
    struct pz_err err = PZ_ERR_INIT;
    *w = (struct watch){.cpu = pz_seconds_cpu(), .wall = pz_seconds_wall()};
    struct pz_log_sink sink = {.line = show, .ctx = w};
    pz_log_to(&sink);
    if (pz_ials_train(m, e, c, &err))
        die(&err);
    if (w->n < 2)
        return;
    double sum = 0;
    for (int i = 1; i < w->n; i++)
        sum += w->spent[i];
    double mean = sum / (w->n - 1);
    printf("an iteration: %.2f CPU s; the multiplications of exact solving in that time: "
           "%.0f %% of the"
           " FMA peak\n",
           mean, 100 * floor / mean);
}

/* When the loss was first at most `target`. */
static void
reached(const struct pz_ials *m, const struct watch *w, double target)
{
    double sum = 0;
    for (int i = 0; i < m->n_iterations && i < w->n; i++) {
        sum += i          ? w->spent[i]
               : w->n > 1 ? w->spent[1]
                          : 0; // the first also orders the events
        if (m->loss[i] <= target) {
            printf("loss %.9g reached after %d iterations, %.2f CPU s\n", target, i + 1,
                   sum);
            return;
        }
    }
    printf("loss %.9g not reached in %d iterations\n", target, m->n_iterations);
}

#if defined(__x86_64__)
/* GFLOP/s of one core that does nothing but fused multiplications. */
KERNEL double
fma_peak(void)
{
    enum { CHAINS = 16, ROUNDS = 4 << 20 };
    v16 acc[CHAINS], f = v_set(0.999f), g = v_set(1e-3f);
    UNROLL
    for (int i = 0; i < CHAINS; i++)
        acc[i] = v_set((float)i);
    double start = pz_seconds_cpu();
    for (int r = 0; r < ROUNDS; r++) {
        UNROLL
        for (int i = 0; i < CHAINS; i++) {
            acc[i] = v_fma(acc[i], f, g);
            __asm__ volatile("" : "+v"(acc[i]));
        }
    }
    double seconds = pz_seconds_cpu() - start;
    float sum = 0;
    UNROLL
    for (int i = 0; i < CHAINS; i++)
        sum += v_sum(acc[i]);
    return sum != 0 ? 32.0 * CHAINS * ROUNDS / seconds * 1e-9 : 0;
}
#else
static double
fma_peak(void)
{
    return 0;
}
#endif

/* Seconds to copy every row of the other side once for each event, both sides. */
static double
gather_seconds(const struct pz_events *e, size_t d)
{
    const struct pz_kernels *k = pz_kernels();
    struct pz_err err = PZ_ERR_INIT;
    float *user = NULL, *item = NULL, *panel = NULL;
    uint32_t *users = NULL;
    if (pz_new_aligned(&user, e->n_users * d, sizeof *user, "factors", &err) ||
        pz_new_aligned(&item, e->n_items * d, sizeof *item, "factors", &err) ||
        pz_new_aligned(&panel, 128 * d, sizeof *panel, "factors", &err) ||
        pz_new(&users, e->n, sizeof *users, "factors", &err))
        die(&err);
    memset(user, 0, e->n_users * d * sizeof *user);
    memset(item, 0, e->n_items * d * sizeof *item);
    struct pz_rng rng;
    pz_rng_seed(&rng, 1, 1);
    for (uint64_t i = 0; i < e->n; i++)
        users[i] = (uint32_t)pz_rng_below(&rng, e->n_users);
    double start = pz_seconds_cpu();
    for (uint64_t i = 0; i < e->n; i += 128) {
        size_t n = e->n - i < 128 ? e->n - i : 128;
        k->gather(panel, item, e->item + i, NULL, n, e->n - i, d);
        k->gather(panel, user, users + i, NULL, n, e->n - i, d);
    }
    double seconds = pz_seconds_cpu() - start;
    free(user);
    free(item);
    free(panel);
    free(users);
    return seconds;
}

/* Prints the floors; returns that of exact solving, in seconds. */
static double
floors(const struct pz_events *e, size_t d, int steps)
{
    double peak = fma_peak(), s = (double)e->n, rows = (double)e->n_users + e->n_items,
           f = (double)d;
    double cg = 8 * (steps + 1) * s * f + 2 * rows * f * f * (steps + 1);
    double exact = 2 * s * f * f + rows * (f * f * f / 3 + 3 * f * f);
    printf("events %llu  FMA peak of a core %.0f GFLOP/s\n", (unsigned long long)e->n,
           peak);
    printf("floor, CG of %d steps: %.2f TFLOP, %.2f s at the peak\n", steps, cg * 1e-12,
           cg * 1e-9 / peak);
    printf("floor, exact:          %.2f TFLOP, %.2f s at the peak\n", exact * 1e-12,
           exact * 1e-9 / peak);
    printf("floor, gathering once: %.1f GB, %.2f s measured\n", 8e-9 * s * f,
           gather_seconds(e, d));
    return exact * 1e-9 / peak;
}

/* The ten best items that a user does not have, with probabilities, for 20,000 users in
 * batches. */
static void
rank_users(const struct pz_ials *m, const struct pz_events *e, const float *user)
{
    enum { BATCH = 240, N = 10, USERS = 20000 };
    struct pz_err err = PZ_ERR_INIT;
    uint32_t item[BATCH * N], n_users = e->n_users < USERS ? e->n_users : USERS;
    float score[BATCH * N];
    struct pz_topn_table table = {.row = m->item, .n_rows = m->n_items, .d = m->d};
    double start = pz_seconds_cpu();
    for (uint32_t u = 0; u < n_users; u += BATCH) {
        struct pz_topn q[BATCH];
        uint32_t n = n_users - u < BATCH ? n_users - u : BATCH;
        for (uint32_t i = 0; i < n; i++)
            q[i] =
                (struct pz_topn){.x = user + (size_t)(u + i) * m->d,
                                 .n = N,
                                 .exclude = e->item + e->offsets[u + i],
                                 .n_exclude = e->offsets[u + i + 1] - e->offsets[u + i],
                                 .row = item + i * N,
                                 .score = score + i * N};
        if (pz_topn(&table, NULL, 0, 8, q, n, &err))
            die(&err);
    }
    double seconds = pz_seconds_cpu() - start,
           flop = 2.0 * n_users * m->n_items * (double)m->d;
    printf("top %d without seen items: %.0f users a CPU second, %.0f GFLOP/s\n", N,
           n_users / seconds, flop / seconds * 1e-9);
    struct pz_topn one = {.x = user, .n = N, .row = item, .score = score};
    start = pz_seconds_cpu();
    for (int i = 0; i < 100; i++)
        if (pz_topn(&table, NULL, 0, 8, &one, 1, &err))
            die(&err);
    printf("one user alone: %.0f us\n", (pz_seconds_cpu() - start) * 1e4);
}

static long
number(const char *text)
{
    int64_t v;
    if (pz_parse_i64(text, strlen(text), &v) || v < 1 || v > 10000000) {
        fprintf(stderr, "bench_ials: '%s' is not a number from 1\n", text);
        exit(EXIT_FAILURE);
    }
    return (long)v;
}

int
main(int argc, char **argv)
{
    struct pz_ials_config c = {.n_factors = 64,
                               .alpha0 = 0.1,
                               .lambda = 0.003,
                               .nu = 1,
                               .init_scale = 0.1,
                               .iterations = 8,
                               .cg_steps = 3,
                               .seed = 1,
                               .threads = 1};
    uint32_t n_users = 138000;
    bool compare = false;
    for (int opt; (opt = getopt(argc, argv, "u:i:d:s:k:t:x")) != -1;) {
        if (opt == 'u')
            n_users = (uint32_t)number(optarg);
        else if (opt == 'i')
            c.iterations = (int)number(optarg);
        else if (opt == 'd')
            c.n_factors = (uint32_t)number(optarg);
        else if (opt == 'k')
            c.cg_steps = (int)number(optarg);
        else if (opt == 't')
            c.threads = (int)number(optarg);
        else if (opt == 'x')
            compare = true;
        else if (opt == 's')
            c.solver = *optarg == 'a'                       ? PZ_IALS_AUTO
                       : *optarg == 'c' && optarg[1] == 'g' ? PZ_IALS_CG
                                                            : PZ_IALS_CHOLESKY;
        else
            return EXIT_FAILURE;
    }
    struct pz_events e;
    struct pz_err err = PZ_ERR_INIT;
    if (make_events(&e, n_users, N_ITEMS, &err))
        die(&err);
    if (c.iterations > MOST_ITERATIONS)
        c.iterations = MOST_ITERATIONS;
    double floor = floors(&e, PZ_PAD(c.n_factors), c.cg_steps), target = 0;
    static struct watch w;
    struct pz_ials m;
    if (compare) {
        struct pz_ials_config exact = c;
        exact.solver = PZ_IALS_CHOLESKY;
        train(&m, &e, &exact, floor, &w);
        target = m.loss[m.n_iterations - 1];
        reached(&m, &w, target);
        pz_ials_release(&m);
        c.iterations = 2 * c.iterations;
    }
    train(&m, &e, &c, floor, &w);
    if (compare)
        reached(&m, &w, target);
    struct pz_ials_side side = {.table = m.item,
                                .gram = m.gram,
                                .n_rows = m.n_items,
                                .d = m.d,
                                .lambda = m.lambda,
                                .nu = c.nu,
                                .base = m.base};
    for (int halflife = 0; halflife <= 5; halflife += 5) {
        struct pz_bag_rule rule = {.halflife = halflife};
        float *user;
        double start = pz_seconds_cpu();
        if (pz_ials_users(&user, &side, &rule, &e, c.threads, &err))
            die(&err);
        printf("stored users, halflife %d: cpu %.2f s\n", halflife,
               pz_seconds_cpu() - start);
        if (halflife == 0)
            rank_users(&m, &e, user);
        free(user);
    }
    pz_ials_release(&m);
    free(e.offsets);
    free(e.item);
    return EXIT_SUCCESS;
}
