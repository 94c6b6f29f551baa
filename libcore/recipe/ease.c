#include "recipe/ease.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/par.h"
#include "math/dense.h"
#include "math/gram.h"
#include "math/kernels.h"
#include "recipe/ease_local.h"

/* ---- closed form ---- */

struct dense {
    float *p;     // the triangle of G, then of P; n x n, rows ld apart
    float *scale; // -1/P_jj
    size_t n, ld;
    struct strip *strip; // of a thread
};

/* A run of rows of B. */
struct strip {
    float *row; // PZ_DENSE_ROWS x ld
    size_t first, n;
};

_Static_assert((int)PZ_LINEAR_RUN == (int)PZ_DENSE_ROWS, "a run is a strip");

/* Row i of P becomes row i of B. */
static void
weigh(const struct dense *d, float *row, size_t i)
{
    for (size_t j = 0; j < d->n; j++)
        row[j] *= d->scale[j];
    row[i] = 0;
}

static int
weigh_row(void *ctx, size_t task, int thread, struct pz_err *err)
{
    (void)thread;
    (void)err;
    const struct dense *d = ctx;
    float *row = d->p + task * d->ld;
    weigh(d, row, task);
    memset(row + d->n, 0, (d->ld - d->n) * sizeof *row);
    return PZ_OK;
}

/* Rows of P are made when they are wanted: half a matrix is never filled. */
static int
make_row(void *ctx, int thread, uint32_t r, uint32_t *rank, float *value, size_t *n,
         struct pz_err *err)
{
    (void)err;
    const struct dense *d = ctx;
    struct strip *s = &d->strip[thread];
    if (s->n == 0 || r < s->first || r >= s->first + s->n) {
        size_t rest = d->n - r;
        s->first = r;
        s->n = rest < PZ_DENSE_ROWS ? rest : PZ_DENSE_ROWS;
        pz_dense_rows(s->row, d->ld, d->p, d->n, d->ld, s->first, s->n);
    }
    for (uint32_t j = 0; j < d->n; j++)
        rank[j] = j;
    memcpy(value, s->row + (r - s->first) * d->ld, d->n * sizeof *value);
    weigh(d, value, r);
    *n = d->n;
    return PZ_OK;
}

static void
drop_matrix(void *ctx)
{
    struct dense *d = ctx;
    free(d->p);
    d->p = NULL;
}

/* P from the pairs. */
static int
solve(struct dense *d, const struct pz_gram *gram, struct pz_pairs *spent,
      const struct pz_ease_config *c, struct pz_err *err)
{
    int status = pz_gram_dense(gram, d->p, d->ld, c->threads, err);
    if (status)
        return status;
    if (spent)
        pz_pairs_spend(spent);
    for (size_t i = 0; i < d->n; i++) {
        double g = d->p[i * d->ld + i];
        d->p[i * d->ld + i] =
            (float)(g + c->regularization + c->dropout / (1 - c->dropout) * g);
    }
    status = pz_dense_inverse(d->p, d->n, d->ld, c->threads, err);
    for (size_t j = 0; j < d->n && !status; j++)
        d->scale[j] = -1 / d->p[j * d->ld + j];
    return status;
}

/* All of B, where P was. */
static int
make_whole(struct pz_linear_made *out, struct dense *d, uint32_t n_items,
           const uint32_t *item_of, int threads, struct pz_err *err)
{
    pz_dense_mirror(d->p, d->n, d->ld, threads);
    int status = pz_par(threads, d->n, weigh_row, d, err);
    if (status)
        return status;
    status = pz_linear_take_dense(out, d->p, (uint32_t)d->n, n_items, item_of, err);
    d->p = NULL;
    return status;
}

static int
make_sparse(struct pz_linear_made *out, struct dense *d, uint32_t n_items,
            const uint32_t *item_of, const struct pz_ease_config *c, struct pz_err *err)
{
    struct pz_linear_rows rows = {.n_ranks = (uint32_t)d->n,
                                  .n_items = n_items,
                                  .item_of = item_of,
                                  .keep = c->keep,
                                  .threads = c->threads,
                                  .ctx = d,
                                  .row = make_row,
                                  .done = drop_matrix};
    int status = pz_new(&d->strip, (size_t)c->threads, sizeof *d->strip, "rows", err);
    for (int t = 0; t < c->threads && !status; t++)
        status = pz_new_aligned(&d->strip[t].row, PZ_DENSE_ROWS,
                                d->ld * sizeof *d->strip[t].row, "rows", err);
    if (!status)
        status = pz_linear_make(out, &rows, err);
    for (int t = 0; t < c->threads && d->strip; t++)
        free(d->strip[t].row);
    free(d->strip);
    return status;
}

static int
train_dense(struct pz_linear_made *out, struct pz_pairs *pairs,
            const struct pz_gram *gram, const struct pz_ease_config *c,
            struct pz_err *err)
{
    uint32_t n = pairs->n_ranks, n_items = pairs->by_item.n_rows;
    struct dense d = {.n = n, .ld = PZ_PAD(n)};
    int status = pz_new(&d.scale, n, sizeof *d.scale, "items", err);
    if (!status)
        status = pz_new_sparse(&d.p, n, d.ld * sizeof *d.p, "a matrix of items", err);
    if (!status)
        status = solve(&d, gram, c->spend ? pairs : NULL, c, err);
    if (!status)
        status = n <= c->dense_rows
                     ? make_whole(out, &d, n_items, pairs->item_of, c->threads, err)
                     : make_sparse(out, &d, n_items, pairs->item_of, c, err);
    free(d.p);
    free(d.scale);
    return status;
}

int
pz_ease_train(struct pz_linear_made *out, struct pz_pairs *pairs,
              const struct pz_ease_config *c, struct pz_err *err)
{
    *out = (struct pz_linear_made){0};
    float *damp;
    int status = pz_pairs_damp(&damp, pairs, c->user_damping, err);
    if (status)
        return status;
    // The first n_ranks items are those with users.
    struct pz_csr items = pairs->by_item;
    items.n_rows = pairs->n_ranks;
    struct pz_gram gram = {.by_row = &pairs->by_user, .by_col = &items, .weight = damp};
    status = pairs->n_ranks <= c->dense_most ? train_dense(out, pairs, &gram, c, err)
                                             : pz_ease_local(out, pairs, &gram, c, err);
    free(damp);
    return status;
}
