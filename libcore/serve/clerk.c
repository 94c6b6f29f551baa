#include "serve/clerk.h"

#include <errno.h>

#include "base/par.h"

void
pz_clerk_init(struct pz_clerk *k)
{
    k->last = &k->first;
    pthread_mutex_init(&k->lock, NULL);
    pthread_cond_init(&k->wake, NULL);
}

int
pz_clerk_start(struct pz_clerk *k, void *(*run)(void *ctx), void *ctx, struct pz_err *err)
{
    errno = pthread_create(&k->id, NULL, run, ctx);
    if (errno)
        return pz_err_sys(err, "cannot start a thread");
    k->started = true;
    return PZ_OK;
}

void
pz_clerk_stop(struct pz_clerk *k)
{
    if (!k->started)
        return;
    pthread_mutex_lock(&k->lock);
    k->stop = true;
    pthread_cond_signal(&k->wake);
    pthread_mutex_unlock(&k->lock);
    pthread_join(k->id, NULL);
    k->started = false;
}

void
pz_clerk_release(struct pz_clerk *k)
{
    pthread_cond_destroy(&k->wake);
    pthread_mutex_destroy(&k->lock);
}

bool
pz_clerk_take(struct pz_clerk *k, struct pz_call *call, struct pz_waiting *w, size_t most)
{
    *w = (struct pz_waiting){NULL, call->http, call->route};
    pthread_mutex_lock(&k->lock);
    bool stop = k->stop, full = most && k->n >= most;
    if (!stop && !full) {
        pz_http_suspend(call->http);
        k->n++;
        *k->last = w;
        k->last = &w->next;
        pthread_cond_signal(&k->wake);
    }
    pthread_mutex_unlock(&k->lock);
    if (stop)
        pz_api_fail(call, PZ_FAULT_UNAVAILABLE, "the server is stopping");
    else if (full)
        pz_api_fail(call, PZ_FAULT_THROTTLING, "too many pages ask at a time");
    return !stop && !full;
}

struct pz_waiting *
pz_clerk_next(struct pz_clerk *k, double seconds, bool *stop)
{
    pthread_mutex_lock(&k->lock);
    if (!k->first && !k->stop) {
        if (seconds < 0)
            pthread_cond_wait(&k->wake, &k->lock);
        else
            pz_cond_wait(&k->wake, &k->lock, seconds);
    }
    struct pz_waiting *w = k->first;
    if (w) {
        k->first = w->next;
        if (!k->first)
            k->last = &k->first;
    }
    *stop = k->stop;
    pthread_mutex_unlock(&k->lock);
    return w;
}

void
pz_clerk_done(struct pz_clerk *k)
{
    pthread_mutex_lock(&k->lock);
    k->n--;
    pthread_mutex_unlock(&k->lock);
}
