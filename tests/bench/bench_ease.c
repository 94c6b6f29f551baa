/*
 * bench_ease: training EASE in closed form, from events to weights (recipe/ease.h).
 *
 *   bench_ease [-n ITEMS] [-u USERS] [-t THREADS]
 *
 * The events are made up (made_events.h), five users an item if -u does not say. Lines of
 * key=value: CPU and wall seconds of all of it (pairs, Gram matrix, inverse, scaling and
 * the choice of the weights that are kept), CPU seconds of the Gram matrix's additions by
 * themselves, the matrix in MB, and the greatest memory of the process less what the
 * events take. What potrf and potri of OpenBLAS take for as many rows is in bench_dense.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/par.h"
#include "math/gram.h"
#include "math/kernels.h"
#include "recipe/ease.h"
#include "tests/bench/made_events.h"

static int
die(const char *what)
{
    fprintf(stderr, "bench_ease: %s\n", what);
    exit(EXIT_FAILURE);
}

static double
peak_mb(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (double)r.ru_maxrss / 1024 * 1.048576;
}

/* The additions alone, row by row, as pz_gram_dense makes them but kept nowhere. */
static double
gram_seconds(const struct pz_pairs *p)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_csr items = p->by_item;
    items.n_rows = p->n_ranks;
    struct pz_gram g = {.by_row = &p->by_user, .by_col = &items};
    struct pz_gram_work *w;
    if (pz_gram_work_new(&w, p->n_ranks, 1, &err))
        die(err.msg);
    double start = pz_seconds_cpu();
    for (uint32_t i = 0; i < p->n_ranks; i++)
        pz_gram_row_clear(w, pz_gram_row(&g, i, w));
    double spent = pz_seconds_cpu() - start;
    pz_gram_work_free(w, 1);
    return spent / 2; // of a row, both sides of the diagonal
}

int
main(int argc, char **argv)
{
    int64_t n = 4096, users = 0, threads = 0;
    for (int c; (c = getopt(argc, argv, "n:t:u:")) != -1;) {
        int64_t *to = c == 'n' ? &n : c == 'u' ? &users : &threads;
        if (c == '?' || pz_parse_i64(optarg, strlen(optarg), to) || *to < 0 ||
            *to > 1000000)
            die("usage: bench_ease [-n ITEMS] [-u USERS] [-t THREADS]");
    }
    struct pz_err err = PZ_ERR_INIT;
    struct pz_events e;
    struct pz_pairs pairs;
    struct pz_linear_made made;
    if (make_events(&e, (uint32_t)(users ? users : 5 * n), (uint32_t)n, &err))
        die(err.msg);
    double before = peak_mb();
    struct pz_ease_config c = {.regularization = 500,
                               .dense_most = 100000,
                               .neighbours = 1,
                               .keep = 500,
                               .spend = true,
                               .threads = pz_threads((int)threads)};
    double cpu = pz_seconds_cpu(), wall = pz_seconds_wall();
    if (pz_pairs_make(&pairs, &e, &err) || pz_ease_train(&made, &pairs, &c, &err))
        die(err.msg);
    cpu = pz_seconds_cpu() - cpu;
    wall = pz_seconds_wall() - wall;
    double mb = (double)pairs.n_ranks * PZ_PAD(pairs.n_ranks) * 4e-6;
    printf("items=%u\nevents=%llu\ncpu_s=%.2f\ns=%.2f\n", pairs.n_ranks,
           (unsigned long long)e.n, cpu, wall);
    printf("matrix_mb=%.0f\npeak_mb=%.0f\n", mb, peak_mb() - before);
    fflush(stdout);
    pz_linear_made_release(&made);
    pz_pairs_release(&pairs);
    if (pz_pairs_make(&pairs, &e, &err)) // they were spent
        die(err.msg);
    printf("gram.cpu_s=%.2f\n", gram_seconds(&pairs));
    pz_pairs_release(&pairs);
    free(e.offsets);
    free(e.item);
    return EXIT_SUCCESS;
}
