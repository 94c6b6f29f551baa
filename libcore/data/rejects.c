#include "data/rejects.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/* A chunk that was done before its turn came. */
struct pz_rejects_wait {
    struct pz_rejects_wait *next;
    uint64_t seq;
    struct pz_rejected bad;
};

int
pz_rejects_open(struct pz_rejects *r, const char *path, int64_t max,
                void (*bad_row)(void *ctx, const char *message), void *ctx,
                struct pz_err *err)
{
    *r = (struct pz_rejects){
        .max = max, .bad_row = bad_row, .ctx = ctx, .out = PZ_OUT_INIT};
    pthread_mutex_init(&r->lock, NULL);
    if (!path)
        return PZ_OK;
    int status = pz_out_open(&r->out, path, err);
    r->writing = status == PZ_OK;
    if (status)
        pz_rejects_close(r);
    return status;
}

int
pz_rejects_header(struct pz_rejects *r, const char *header, size_t n, struct pz_err *err)
{
    return r->writing ? pz_out_write(&r->out, header, n, err) : PZ_OK;
}

void
pz_rejects_close(struct pz_rejects *r)
{
    while (r->waiting) {
        struct pz_rejects_wait *w = r->waiting;
        r->waiting = w->next;
        pz_rejected_release(&w->bad);
        free(w);
    }
    pz_out_abort(&r->out);
    pthread_mutex_destroy(&r->lock);
}

int
pz_rejects_commit(struct pz_rejects *r, struct pz_err *err)
{
    if (!r->writing || r->n == 0)
        return PZ_OK;
    return pz_out_commit(&r->out, err);
}

int
pz_rejects_clear(struct pz_rejects *r, struct pz_err *err)
{
    if (!r->writing || r->n || unlink(r->out.path) == 0 || errno == ENOENT)
        return PZ_OK;
    return pz_err_sys(err, "cannot remove '%s', which an earlier import left",
                      r->out.path);
}

int
pz_rejected_add(struct pz_rejected *c, const char *message, const char *raw, size_t n_raw,
                struct pz_err *err)
{
    int status =
        pz_grow(&c->raw_end, &c->cap, c->n + 1, sizeof *c->raw_end, "bad rows", err);
    if (status)
        return status;
    pz_buf_add(&c->messages, message, strlen(message) + 1);
    pz_buf_add(&c->raw, raw, n_raw);
    if (n_raw && raw[n_raw - 1] != '\n')
        pz_buf_addc(&c->raw, '\n');
    status = pz_buf_status(&c->messages, "bad rows", err);
    if (status == PZ_OK)
        status = pz_buf_status(&c->raw, "bad rows", err);
    if (status == PZ_OK)
        c->raw_end[c->n++] = c->raw.len;
    return status;
}

void
pz_rejected_release(struct pz_rejected *c)
{
    pz_buf_release(&c->messages);
    pz_buf_release(&c->raw);
    free(c->raw_end);
    *c = (struct pz_rejected){0};
}

/* One bad row, in its place in the input. */
static void
take_row(struct pz_rejects *r, const char *message, const char *raw, size_t n_raw)
{
    r->n++;
    if (r->max >= 0 && r->n > (uint64_t)r->max) {
        r->stop = true;
        if (r->max == 0)
            pz_err_set(&r->err, PZ_DATA, "%s", message);
        else
            pz_err_set(&r->err, PZ_DATA,
                       "%s: this is bad row %" PRIu64
                       ", and --max-rejects allows %" PRId64,
                       message, r->n, r->max);
        return;
    }
    if (r->bad_row)
        r->bad_row(r->ctx, message);
    if (r->writing && pz_out_write(&r->out, raw, n_raw, &r->err))
        r->stop = true;
}

static void
take_chunk(struct pz_rejects *r, struct pz_rejected *c)
{
    const char *message = c->messages.data;
    size_t from = 0;
    for (size_t k = 0; k < c->n && !r->stop; k++) {
        take_row(r, message, c->raw.data + from, c->raw_end[k] - from);
        from = c->raw_end[k];
        message += strlen(message) + 1;
    }
    r->next++;
}

/* The waiting chunk whose turn it is, taken off the list; NULL when there is none. */
static struct pz_rejects_wait *
take_waiting(struct pz_rejects *r)
{
    for (struct pz_rejects_wait **at = &r->waiting; *at; at = &(*at)->next)
        if ((*at)->seq == r->next) {
            struct pz_rejects_wait *w = *at;
            *at = w->next;
            return w;
        }
    return NULL;
}

bool
pz_rejects_done(struct pz_rejects *r, uint64_t seq, struct pz_rejected *c)
{
    pthread_mutex_lock(&r->lock);
    if (seq == r->next) {
        take_chunk(r, c);
        pz_rejected_release(c);
        struct pz_rejects_wait *w;
        while ((w = take_waiting(r)) != NULL) {
            take_chunk(r, &w->bad);
            pz_rejected_release(&w->bad);
            free(w);
        }
    } else {
        struct pz_rejects_wait *w;
        if (pz_new(&w, 1, sizeof *w, "bad rows", &r->err)) {
            r->stop = true;
        } else {
            *w = (struct pz_rejects_wait){r->waiting, seq, *c};
            r->waiting = w;
            *c = (struct pz_rejected){0};
        }
    }
    bool stop = r->stop;
    pthread_mutex_unlock(&r->lock);
    return stop;
}
