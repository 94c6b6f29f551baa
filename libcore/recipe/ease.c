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
    float *p;     // P, then B; n x n, rows ld apart
    float *scale; // -1/P_jj
    size_t n, ld;
};

/* Row i of P becomes row i of B. */
static int
weigh_row(void *ctx, size_t task, int thread, struct pz_err *err)
{
    (void)thread;
    (void)err;
    const struct dense *d = ctx;
    float *row = d->p + task * d->ld;
    for (size_t j = 0; j < d->n; j++)
        row[j] *= d->scale[j];
    row[task] = 0;
    memset(row + d->n, 0, (d->ld - d->n) * sizeof *row);
    return PZ_OK;
}

static int
copy_row(void *ctx, int thread, uint32_t r, uint32_t *rank, float *value, size_t *n,
         struct pz_err *err)
{
    (void)thread;
    (void)err;
    const struct dense *d = ctx;
    for (uint32_t j = 0; j < d->n; j++)
        rank[j] = j;
    memcpy(value, d->p + r * d->ld, d->n * sizeof *value);
    *n = d->n;
    return PZ_OK;
}

static int
solve_dense(struct dense *d, const struct pz_gram *gram, const struct pz_ease_config *c,
            struct pz_err *err)
{
    int status = pz_gram_dense(gram, d->p, d->ld, c->threads, err);
    if (status)
        return status;
    for (size_t i = 0; i < d->n; i++) {
        double g = d->p[i * d->ld + i];
        d->p[i * d->ld + i] =
            (float)(g + c->regularization + c->dropout / (1 - c->dropout) * g);
    }
    status = pz_dense_inverse(d->p, d->n, d->ld, c->threads, err);
    if (status)
        return status;
    pz_dense_mirror(d->p, d->n, d->ld, c->threads);
    for (size_t j = 0; j < d->n; j++)
        d->scale[j] = -1 / d->p[j * d->ld + j];
    return pz_par(c->threads, d->n, weigh_row, d, err);
}

static int
train_dense(struct pz_linear_made *out, const struct pz_pairs *pairs,
            const struct pz_gram *gram, const struct pz_ease_config *c,
            struct pz_err *err)
{
    uint32_t n = pairs->n_ranks, n_items = pairs->by_item.n_rows;
    struct dense d = {.n = n, .ld = PZ_PAD(n)};
    int status = pz_new(&d.scale, n, sizeof *d.scale, "items", err);
    if (!status)
        status = pz_new_aligned(&d.p, n, d.ld * sizeof *d.p, "a matrix of items", err);
    if (!status)
        status = solve_dense(&d, gram, c, err);
    if (!status && n <= c->dense_rows) {
        status = pz_linear_take_dense(out, d.p, n, n_items, pairs->item_of, err);
        d.p = NULL;
    } else if (!status) {
        struct pz_linear_rows rows = {.n_ranks = n,
                                      .n_items = n_items,
                                      .item_of = pairs->item_of,
                                      .keep = c->keep,
                                      .threads = c->threads,
                                      .ctx = &d,
                                      .row = copy_row};
        status = pz_linear_make(out, &rows, err);
    }
    free(d.p);
    free(d.scale);
    return status;
}

int
pz_ease_train(struct pz_linear_made *out, const struct pz_pairs *pairs,
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
