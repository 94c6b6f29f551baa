#include "recipe/rp3.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "math/gram.h"

struct walk {
    struct pz_gram gram;
    struct pz_gram_work *work; // one a thread
    const float *from, *to;    // n_i^-alpha, n_j^-beta
};

static int
walk_row(void *ctx, int thread, uint32_t r, uint32_t *rank, float *value, size_t *n,
         struct pz_err *err)
{
    (void)err;
    const struct walk *w = ctx;
    struct pz_gram_work *row = &w->work[thread];
    size_t n_touched = pz_gram_row(&w->gram, r, row), n_out = 0;
    for (size_t k = 0; k < n_touched; k++) {
        uint32_t j = row->touched[k];
        if (j != r) {
            rank[n_out] = j;
            value[n_out++] = row->sum[j] * w->from[r] * w->to[j];
        }
    }
    pz_gram_row_clear(row, n_touched);
    *n = n_out;
    return PZ_OK;
}

/* (users of the item)^-power, for each rank. */
static int
item_powers(float **out, const struct pz_pairs *p, double power, struct pz_err *err)
{
    const struct pz_csr *items = &p->by_item;
    int status = pz_new(out, p->n_ranks, sizeof **out, "weights of items", err);
    for (uint32_t i = 0; !status && i < p->n_ranks; i++)
        (*out)[i] =
            (float)pow((double)(items->offsets[i + 1] - items->offsets[i]), -power);
    return status;
}

int
pz_rp3_train(struct pz_linear_made *out, const struct pz_pairs *pairs,
             const struct pz_rp3_config *c, struct pz_err *err)
{
    float *damp = NULL, *from = NULL, *to = NULL;
    struct walk w = {{0}, NULL, NULL, NULL};
    *out = (struct pz_linear_made){0};
    int status = pz_pairs_damp(&damp, pairs, c->alpha, err);
    if (!status)
        status = item_powers(&from, pairs, c->alpha, err);
    if (!status)
        status = item_powers(&to, pairs, c->beta, err);
    if (!status)
        status = pz_gram_work_new(&w.work, pairs->by_item.n_rows, c->threads, err);
    if (!status) {
        w.gram = (struct pz_gram){&pairs->by_user, &pairs->by_item, damp};
        w.from = from;
        w.to = to;
        struct pz_linear_rows rows = {.n_ranks = pairs->n_ranks,
                                      .n_items = pairs->by_item.n_rows,
                                      .item_of = pairs->item_of,
                                      .keep = c->keep,
                                      .threads = c->threads,
                                      .ctx = &w,
                                      .row = walk_row};
        status = pz_linear_make(out, &rows, err);
    }
    pz_gram_work_free(w.work, c->threads);
    free(damp);
    free(from);
    free(to);
    return status;
}
