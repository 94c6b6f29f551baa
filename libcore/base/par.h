/*
 * par: a loop on all cores.
 *
 * Tasks are handed out in order; each must write only what belongs to its index, so that
 * results do not depend on the number of threads. Sums over tasks are made by storing a
 * partial result per task and adding them in task order afterwards.
 */
#ifndef PZ_BASE_PAR_H
#define PZ_BASE_PAR_H

#include <pthread.h>
#include <stddef.h>

#include "base/err.h"

/* 0: as many as there are cores this process may use; else n, at most 256. */
int pz_threads(int n);

/*
 * Runs fn(ctx, task, thread, err) for task 0..n_tasks-1 on n_threads threads, at least 1
 * (thread is 0..n_threads-1, for scratch memory). After a failure no further task starts; the error
 * of the lowest failed task is returned. With 1 thread nothing is spawned.
 */
int pz_par(int n_threads, size_t n_tasks,
           int (*fn)(void *ctx, size_t task, int thread, struct pz_err *err), void *ctx,
           struct pz_err *err);

/* pthread_cond_wait() for `seconds` at most, by the clock that nobody sets: when the time
 * of day is set back nobody waits longer. 0 or ETIMEDOUT. */
int pz_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, double seconds);

#endif
