#include "recipe/ease_local.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/par.h"
#include "math/kernels.h"
#include "math/keys.h"

enum { ROW_MOST = 1024, TRIES = 24, MAX_THREADS = 256 };

struct scratch {    // of a thread
    uint32_t *near; // the neighbours
    uint64_t *key;
    uint32_t *place; // of a rank among the neighbours + 1; 0 between rows
    float *a, *copy, *x, *inverse;
};

struct local {
    const struct pz_gram *gram;
    struct pz_pairs *spent;   // of whose matrices nothing is needed once `close` is; NULL
    struct pz_gram_work *row; // one a thread
    const struct pz_ease_config *c;
    const double *diag;     // G_ii, before regularization
    struct pz_linear close; // row j: G_ji / sqrt(G_ii), the greatest, over ranks
    size_t most, d;         // neighbours; padded
    struct scratch scratch[MAX_THREADS];
};

/* Row j of the sparse Gram matrix, each entry over the root of its item's diagonal. */
static int
close_row(void *ctx, int thread, uint32_t r, uint32_t *rank, float *value, size_t *n,
          struct pz_err *err)
{
    (void)err;
    const struct local *l = ctx;
    struct pz_gram_work *row = &l->row[thread];
    size_t n_touched = pz_gram_row(l->gram, r, row), n_out = 0;
    for (size_t k = 0; k < n_touched; k++) {
        uint32_t j = row->touched[k];
        if (j != r) {
            rank[n_out] = j;
            value[n_out++] = (float)(row->sum[j] / sqrt(l->diag[j]));
        }
    }
    pz_gram_row_clear(row, n_touched);
    *n = n_out;
    return PZ_OK;
}

static void
drop_pairs(void *ctx)
{
    struct local *l = ctx;
    if (l->spent)
        pz_pairs_spend(l->spent);
}

static double
regularized(const struct local *l, uint32_t i)
{
    const struct pz_ease_config *c = l->c;
    return l->diag[i] * (1 + c->dropout / (1 - c->dropout)) + c->regularization;
}

/* The equations of the neighbours of j, upper triangle, into s->a; right side in s->x. */
static void
fill(const struct local *l, struct scratch *s, uint32_t j, size_t n)
{
    const struct pz_linear *g = &l->close;
    size_t d = l->d;
    memset(s->a, 0, d * d * sizeof *s->a);
    memset(s->x, 0, d * sizeof *s->x);
    for (size_t x = 0; x < n; x++)
        s->place[s->near[x]] = (uint32_t)x + 1;
    for (uint64_t e = g->offsets[j]; e < g->offsets[j + 1]; e++) {
        uint32_t at = s->place[g->item[e]];
        if (at)
            s->x[at - 1] = (float)(g->value[e] * sqrt(l->diag[g->item[e]]));
    }
    for (size_t x = 0; x < n; x++) {
        uint32_t i = s->near[x];
        for (uint64_t e = g->offsets[i]; e < g->offsets[i + 1]; e++) {
            uint32_t y = s->place[g->item[e]];
            if (!y--)
                continue;
            // Either row may have dropped the pair; the other then still has it.
            size_t at = x < y ? x * d + y : y * d + x;
            s->a[at] = (float)(g->value[e] * sqrt(l->diag[g->item[e]]));
        }
        s->a[x * d + x] = (float)regularized(l, i);
    }
    for (size_t x = n; x < d; x++)
        s->a[x * d + x] = 1;
    for (size_t x = 0; x < n; x++)
        s->place[s->near[x]] = 0;
}

/* Column j of B. */
static int
solve_row(void *ctx, int thread, uint32_t j, uint32_t *rank, float *value, size_t *n,
          struct pz_err *err)
{
    (void)err;
    struct local *l = ctx;
    struct scratch *s = &l->scratch[thread];
    const struct pz_linear *g = &l->close;
    const struct pz_kernels *k = pz_kernels();
    uint64_t from = g->offsets[j], len = g->offsets[j + 1] - from;
    for (uint64_t e = 0; e < len; e++)
        s->key[e] = pz_key(g->value[from + e], g->item[from + e]);
    size_t n_near = len < l->most ? (size_t)len : l->most;
    if (len > n_near)
        pz_keys_cut(s->key, len, n_near);
    pz_keys_sort(s->key, n_near);
    for (size_t x = 0; x < n_near; x++)
        s->near[x] = pz_key_number(s->key[x]);
    fill(l, s, j, n_near);
    // Pairs that both rows have dropped can leave a matrix that is not positive definite;
    // more regularization makes it so.
    double more = 0;
    bool ok = false;
    size_t d = PZ_PAD(n_near);
    for (size_t x = 0; x < d; x++)
        memmove(s->a + x * d, s->a + x * l->d, d * sizeof *s->a);
    for (int tries = 0; tries < TRIES && !ok && d > 0; tries++) {
        memcpy(s->copy, s->a, d * d * sizeof *s->copy);
        for (size_t x = 0; x < n_near; x++)
            s->copy[x * d + x] += (float)more;
        ok = k->chol(s->copy, s->inverse, d);
        more = more > 0 ? 4 * more : l->c->regularization;
    }
    *n = 0;
    if (!ok)
        return PZ_OK; // nobody shares this item
    k->solve(s->copy, s->inverse, s->x, d);
    for (size_t x = 0; x < n_near; x++) {
        rank[x] = s->near[x];
        value[x] = s->x[x];
    }
    *n = n_near;
    return PZ_OK;
}

/* B from its columns, numbered as items. */
static int
transpose(struct pz_linear_made *out, const struct pz_linear_made *columns,
          struct pz_err *err)
{
    uint32_t n_items = columns->n_items;
    uint64_t n = columns->offsets[n_items], sum = 0;
    *out = (struct pz_linear_made){.n_items = n_items};
    if (pz_new(&out->offsets, (size_t)n_items + 1, sizeof *out->offsets,
               "weights of items", err) ||
        pz_new(&out->item, n, sizeof *out->item, "weights of items", err) ||
        pz_new(&out->value, n, sizeof *out->value, "weights of items", err)) {
        pz_linear_made_release(out);
        return err->status;
    }
    uint64_t *at = out->offsets; // counts, then where the next entry goes
    for (uint64_t e = 0; e < n; e++)
        at[columns->item[e] + 1]++;
    for (uint32_t i = 0; i < n_items; i++) {
        uint64_t count = at[i + 1];
        at[i + 1] = sum;
        sum += count;
    }
    for (uint32_t j = 0; j < n_items; j++) {
        for (uint64_t e = columns->offsets[j]; e < columns->offsets[j + 1]; e++) {
            uint64_t to = at[columns->item[e] + 1]++;
            out->item[to] = j;
            out->value[to] = columns->value[e];
        }
    }
    return PZ_OK;
}

static int
scratch_init(struct local *l, uint32_t n_ranks, struct pz_err *err)
{
    for (int t = 0; t < l->c->threads && t < MAX_THREADS; t++) {
        struct scratch *s = &l->scratch[t];
        if (pz_new(&s->near, l->most, sizeof *s->near, "neighbours", err) ||
            pz_new(&s->key, ROW_MOST, sizeof *s->key, "neighbours", err) ||
            pz_new(&s->place, n_ranks, sizeof *s->place, "neighbours", err) ||
            pz_new_aligned(&s->a, l->d, l->d * sizeof *s->a, "neighbours", err) ||
            pz_new_aligned(&s->copy, l->d, l->d * sizeof *s->copy, "neighbours", err) ||
            pz_new_aligned(&s->x, l->d, sizeof *s->x, "neighbours", err) ||
            pz_new_aligned(&s->inverse, l->d, sizeof *s->inverse, "neighbours", err))
            return err->status;
    }
    return PZ_OK;
}

static void
local_free(struct local *l)
{
    for (int t = 0; t < l->c->threads && t < MAX_THREADS; t++) {
        struct scratch *s = &l->scratch[t];
        free(s->near);
        free(s->key);
        free(s->place);
        free(s->a);
        free(s->copy);
        free(s->x);
        free(s->inverse);
    }
    free(l);
}

/* G_ii of every rank, and the numbers 0, 1, 2 ... */
static int
diagonal(double **diag, uint32_t **same, const struct pz_gram *g, uint32_t n,
         struct pz_err *err)
{
    if (pz_new(diag, n, sizeof **diag, "items", err) ||
        pz_new(same, n, sizeof **same, "items", err))
        return err->status;
    const struct pz_csr *items = g->by_col;
    for (uint32_t i = 0; i < n; i++) {
        (*same)[i] = i;
        for (uint64_t p = items->offsets[i]; p < items->offsets[i + 1]; p++) {
            double x = items->value ? (double)items->value[p] : 1;
            (*diag)[i] += x * x * (g->weight ? (double)g->weight[items->col[p]] : 1);
        }
    }
    return PZ_OK;
}

int
pz_ease_local(struct pz_linear_made *out, struct pz_pairs *pairs,
              const struct pz_gram *gram, const struct pz_ease_config *c,
              struct pz_err *err)
{
    struct pz_linear_made near = {0}, columns = {0};
    struct local *l = NULL;
    double *diag = NULL;
    uint32_t *same = NULL, n = pairs->n_ranks, n_items = pairs->by_item.n_rows;
    int status = pz_new(&l, 1, sizeof *l, "neighbours", err);
    if (status)
        return status;
    *l = (struct local){
        .gram = gram, .spent = c->spend ? pairs : NULL, .c = c, .most = c->neighbours};
    l->most = l->most < PZ_MAX_D ? l->most : PZ_MAX_D;
    l->d = PZ_PAD(l->most);
    status = diagonal(&diag, &same, gram, n, err);
    l->diag = diag;
    if (!status)
        status = pz_gram_work_new(&l->row, n_items, c->threads, err);
    if (!status)
        status = scratch_init(l, n, err);
    struct pz_linear_rows rows = {.n_ranks = n,
                                  .n_items = n,
                                  .item_of = same,
                                  .keep = ROW_MOST,
                                  .threads = c->threads,
                                  .ctx = l,
                                  .row = close_row,
                                  .done = drop_pairs};
    if (!status)
        status = pz_linear_make(&near, &rows, err);
    pz_gram_work_free(l->row, c->threads);
    l->close = pz_linear_view(&near);
    rows.n_items = n_items;
    rows.item_of = pairs->item_of;
    rows.keep = l->most;
    rows.row = solve_row;
    rows.done = NULL;
    if (!status)
        status = pz_linear_make(&columns, &rows, err);
    pz_linear_made_release(&near);
    if (!status)
        status = transpose(out, &columns, err);
    pz_linear_made_release(&columns);
    free(diag);
    free(same);
    local_free(l);
    return status;
}
