#include "base/par.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

enum { MAX_THREADS = 256 };

struct loop {
    int (*fn)(void *ctx, size_t task, int thread, struct pz_err *err);
    void *ctx;
    size_t n_tasks;
    atomic_size_t next;
    atomic_bool stop;
    pthread_mutex_t lock; // guards failed and err
    size_t failed;        // lowest failed task
    struct pz_err *err;
};

struct worker {
    struct loop *loop;
    int thread;
    pthread_t id;
};

int
pz_threads(int n)
{
    if (n <= 0) {
        cpu_set_t set;
        n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    }
    return n > MAX_THREADS ? MAX_THREADS : n;
}

static void *
work(void *arg)
{
    struct worker *w = arg;
    struct loop *loop = w->loop;
    while (!atomic_load_explicit(&loop->stop, memory_order_relaxed)) {
        size_t task = atomic_fetch_add_explicit(&loop->next, 1, memory_order_relaxed);
        if (task >= loop->n_tasks)
            break;
        struct pz_err err = PZ_ERR_INIT;
        if (loop->fn(loop->ctx, task, w->thread, &err) == PZ_OK)
            continue;
        pthread_mutex_lock(&loop->lock);
        if (task < loop->failed) {
            loop->failed = task;
            *loop->err = err;
        }
        pthread_mutex_unlock(&loop->lock);
        atomic_store(&loop->stop, true);
    }
    return NULL;
}

int
pz_par(int n_threads, size_t n_tasks,
       int (*fn)(void *ctx, size_t task, int thread, struct pz_err *err), void *ctx,
       struct pz_err *err)
{
    struct loop loop = {
        .fn = fn, .ctx = ctx, .n_tasks = n_tasks, .failed = SIZE_MAX, .err = err};
    struct worker worker[MAX_THREADS];
    if ((size_t)n_threads > n_tasks)
        n_threads = n_tasks ? (int)n_tasks : 1;
    if (n_threads > MAX_THREADS)
        n_threads = MAX_THREADS;
    pthread_mutex_init(&loop.lock, NULL);
    int n_started = 0;
    for (int i = 0; i < n_threads; i++) {
        worker[i] = (struct worker){.loop = &loop, .thread = i};
        // A thread that cannot be had only makes it slower: this one takes its tasks.
        if (i > 0 && pthread_create(&worker[i].id, NULL, work, &worker[i]))
            break;
        n_started++;
    }
    if (n_started)
        work(&worker[0]);
    for (int i = 1; i < n_started; i++)
        pthread_join(worker[i].id, NULL);
    pthread_mutex_destroy(&loop.lock);
    return loop.failed == SIZE_MAX ? PZ_OK : err->status;
}

int
pz_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, double seconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + (int64_t)(seconds * 1e9);
    until.tv_sec += ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    return pthread_cond_clockwait(cond, lock, CLOCK_MONOTONIC, &until);
}
