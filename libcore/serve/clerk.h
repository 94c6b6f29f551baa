/*
 * clerk: a thread of its own that answers calls in turn, so that event loops never wait
 * for what takes a while. What it does with a call is its owner's: this is the queue
 * between the two, and the beginning and end of the thread.
 */
#ifndef PZ_SERVE_CLERK_H
#define PZ_SERVE_CLERK_H

#include <pthread.h>

#include "serve/api.h"

/* A call that waits; first member of what an owner keeps of one. */
struct pz_waiting {
    struct pz_waiting *next;
    struct pz_http_call *http;
    const struct pz_route *route;
};

struct pz_clerk {
    pthread_t id;
    bool started, stop;
    pthread_mutex_t lock; // of the rest, and of stop
    pthread_cond_t wake;
    struct pz_waiting *first, **last;
    size_t n; // calls that were taken and are not done
};

void pz_clerk_init(struct pz_clerk *k);
int pz_clerk_start(struct pz_clerk *k, void *(*run)(void *ctx), void *ctx,
                   struct pz_err *err);
/* Tells the thread, and waits for its end. Nothing when it was not started. */
void pz_clerk_stop(struct pz_clerk *k);
void pz_clerk_release(struct pz_clerk *k); // after the stop

/* On the thread of a connection: the call is suspended and waits. False: it is refused,
 * as there are `most` (0: any number) already or the end has begun; then w stays the
 * caller's. */
bool pz_clerk_take(struct pz_clerk *k, struct pz_call *call, struct pz_waiting *w,
                   size_t most);
/* On its own: the next call, waited for `seconds` at most (negative: for as long as it
 * takes). NULL: none has come; with *stop, none will. */
struct pz_waiting *pz_clerk_next(struct pz_clerk *k, double seconds, bool *stop);
/* Such a call is answered. */
void pz_clerk_done(struct pz_clerk *k);

#endif
