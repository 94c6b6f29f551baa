/*
 * bench_sims: CPU seconds of the item-item build of aws-sims on made-up interactions of
 * the shape of s20m (18.3 million rows, 138,000 users, 27,000 items), beside the work it
 * stands for.
 *
 *   bench_sims [SCALE] [THREADS]
 *
 * The floor is what counting user by user must do at least: sum over users of n * n / 2
 * additions, at the pace at which this machine adds to counters that lie in its first
 * cache.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"
#include "recipe/cooc.h"
#include "recipe/events.h"
#include "recipe/model.h"

static void *
need(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    if (!p) {
        fputs("bench_sims: out of memory\n", stderr);
        exit(5);
    }
    return p;
}

/* Lognormal histories, items by Zipf-Mandelbrot (exponent 2, q = items/120), none twice;
 * three in four of a cluster of the user's, which is one item in 64. */
static void
generate(struct pz_events *e, double scale)
{
    struct pz_rng rng;
    pz_rng_seed(&rng, 1, 0);
    e->n_users = (uint32_t)(138000 * scale);
    e->n_items = (uint32_t)(27000 * (scale < 1 ? sqrt(scale) : 1));
    e->offsets = need((size_t)e->n_users + 1, sizeof *e->offsets);
    uint64_t cap = (uint64_t)(18.35e6 * scale * 1.3) + 100000;
    e->item = need(cap, sizeof *e->item);
    e->time = need(cap, sizeof *e->time);
    uint32_t *stamp = need(e->n_items, sizeof *stamp),
             *name = need(e->n_items, sizeof *name);
    for (uint32_t i = 0; i < e->n_items; i++)
        name[i] = i;
    pz_rng_shuffle_u32(&rng, name, e->n_items);
    double q = e->n_items / 120.0;
    for (uint32_t u = 0; u < e->n_users; u++) {
        double len = 70 * exp(1.135 * pz_rng_normal(&rng));
        uint32_t n = len < 1 ? 1 : len > 3377 ? 3377 : (uint32_t)len, taste[3];
        for (int k = 0; k < 3; k++)
            taste[k] = (uint32_t)pz_rng_below(&rng, 64);
        for (uint32_t tries = 0; n > 0 && tries < 40000; tries++) {
            double x = q / (1 - pz_rng_unit(&rng) * (e->n_items / (e->n_items + q))) - q;
            uint32_t it = (uint32_t)x < e->n_items ? (uint32_t)x : 0;
            if (pz_rng_unit(&rng) < 0.54) {
                it = it / 64 * 64 + taste[pz_rng_below(&rng, 3)];
                if (it >= e->n_items)
                    continue;
            }
            if (stamp[it] == u + 1 || e->n == cap)
                continue;
            stamp[it] = u + 1;
            e->item[e->n] = name[it];
            e->time[e->n++] = u;
            n--;
        }
        e->offsets[u + 1] = e->n;
    }
    free(stamp);
    free(name);
}

static double
seconds_per_add(void)
{
    enum { N = 1 << 12, ROUNDS = 4000 };
    static volatile uint32_t count[N];
    static uint32_t at[N];
    struct pz_rng rng;
    pz_rng_seed(&rng, 2, 0);
    for (uint32_t i = 0; i < N; i++)
        at[i] = (uint32_t)pz_rng_below(&rng, N);
    double start = pz_seconds_cpu();
    for (int k = 0; k < ROUNDS; k++)
        for (uint32_t i = 0; i < N; i++)
            count[at[i]]++;
    return (pz_seconds_cpu() - start) / ((double)N * ROUNDS);
}

static int
fail(const struct pz_err *err)
{
    fprintf(stderr, "bench_sims: %s\n", err->msg);
    return err->status;
}

int
main(int argc, char **argv)
{
    struct pz_err err = PZ_ERR_INIT;
    double scale = 1;
    int64_t threads = 1;
    if (argc > 1 && pz_parse_f64(argv[1], strlen(argv[1]), &scale) != PZ_NUM_OK)
        return 2;
    if (argc > 2 && pz_parse_i64(argv[2], strlen(argv[2]), &threads) != PZ_NUM_OK)
        return 2;
    struct pz_events e = {0};
    generate(&e, scale);
    double add = seconds_per_add();
    struct pz_cooc c;
    double cpu = pz_seconds_cpu(), wall = pz_seconds_wall();
    if (pz_cooc_build(&c, &e, UINT32_MAX, (int)threads, &err))
        return fail(&err);
    double head = pz_seconds_cpu() - cpu;
    double naive = c.work_naive, sparse = c.work_sparse, bits = c.work_bits;
    uint32_t n_head = c.n_head;
    pz_cooc_release(&c);

    struct pz_params params;
    struct pz_train t = {.events = &e, .params = &params, .threads = (int)threads};
    pz_params_init(&params, pz_recipe_sims.params);
    if (pz_builder_new(&t.model, &err))
        return fail(&err);
    cpu = pz_seconds_cpu();
    wall = pz_seconds_wall();
    if (pz_recipe_sims.train(&t, &err))
        return fail(&err);
    cpu = pz_seconds_cpu() - cpu;
    wall = pz_seconds_wall() - wall;
    printf("rows %" PRIu64 " users %" PRIu32 " items %" PRIu32
           " cpu-level %s threads %d\n",
           e.n, e.n_users, e.n_items, pz_cpu_name(pz_cpu()), (int)threads);
    printf("pairs (sum of n*n/2) %.3g; head %" PRIu32
           " items; left to add %.3g; 512-bit steps "
           "%.3g\n",
           naive / 2, n_head, sparse, bits);
    printf("aws-sims build: %.2f CPU s, %.2f s wall; of it lists and head %.2f CPU s\n",
           cpu, wall, head);
    printf("floor of counting user by user: %.2f CPU s (%.2f ns an addition)\n",
           naive / 2 * add, add * 1e9);
    pz_builder_free(t.model);
    pz_events_release(&e);
    return 0;
}
