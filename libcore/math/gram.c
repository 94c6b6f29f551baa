#include "math/gram.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/par.h"

struct dense {
    const struct pz_gram *g;
    float *out;
    size_t ld;
};

static float
value_at(const struct pz_csr *m, uint64_t e)
{
    return m->value ? m->value[e] : 1;
}

static int
dense_row(void *ctx, size_t task, int thread, struct pz_err *err)
{
    (void)thread;
    (void)err;
    const struct dense *d = ctx;
    const struct pz_csr *users = d->g->by_row, *items = d->g->by_col;
    const float *weight = d->g->weight;
    uint32_t i = (uint32_t)task;
    float *row = d->out + i * d->ld;
    memset(row + i, 0, (items->n_rows - i) * sizeof *row);
    for (uint64_t p = items->offsets[i]; p < items->offsets[i + 1]; p++) {
        uint32_t u = items->col[p];
        uint64_t first = users->offsets[u], e = users->offsets[u + 1];
        float w = (weight ? weight[u] : 1) * value_at(items, p);
        if (users->value) {
            for (; e > first && users->col[e - 1] >= i; e--)
                row[users->col[e - 1]] += w * users->value[e - 1];
        } else {
            for (; e > first && users->col[e - 1] >= i; e--)
                row[users->col[e - 1]] += w;
        }
    }
    return PZ_OK;
}

int
pz_gram_dense(const struct pz_gram *g, float *out, size_t ld, int threads,
              struct pz_err *err)
{
    struct dense d = {.g = g, .out = out, .ld = ld};
    return pz_par(threads, g->by_col->n_rows, dense_row, &d, err);
}

void
pz_gram_work_free(struct pz_gram_work *w, int n)
{
    for (int t = 0; w && t < n; t++) {
        free(w[t].sum);
        free(w[t].touched);
        free(w[t].mark);
    }
    free(w);
}

int
pz_gram_work_new(struct pz_gram_work **w, uint32_t n_cols, int n, struct pz_err *err)
{
    int status = pz_new(w, (size_t)n, sizeof **w, "rows of a matrix", err);
    for (int t = 0; !status && t < n; t++) {
        struct pz_gram_work *row = &(*w)[t];
        if (pz_new(&row->sum, n_cols, sizeof *row->sum, "a row of a matrix", err) ||
            pz_new(&row->touched, (size_t)n_cols + 1, sizeof *row->touched,
                   "a row of a matrix", err) ||
            pz_new(&row->mark, n_cols, sizeof *row->mark, "a row of a matrix", err))
            status = err->status;
    }
    if (status && *w) {
        pz_gram_work_free(*w, n);
        *w = NULL;
    }
    return status;
}

size_t
pz_gram_row(const struct pz_gram *g, uint32_t i, struct pz_gram_work *work)
{
    const struct pz_csr *users = g->by_row, *items = g->by_col;
    size_t n = 0;
    for (uint64_t p = items->offsets[i]; p < items->offsets[i + 1]; p++) {
        uint32_t u = items->col[p];
        float w = (g->weight ? g->weight[u] : 1) * value_at(items, p);
        for (uint64_t e = users->offsets[u]; e < users->offsets[u + 1]; e++) {
            uint32_t j = users->col[e];
            work->touched[n] = j; // has a place more than there are columns
            n += !work->mark[j];
            work->mark[j] = 1;
            work->sum[j] += w * value_at(users, e);
        }
    }
    return n;
}

void
pz_gram_row_clear(struct pz_gram_work *w, size_t n_touched)
{
    for (size_t k = 0; k < n_touched; k++) {
        w->sum[w->touched[k]] = 0;
        w->mark[w->touched[k]] = 0;
    }
}
