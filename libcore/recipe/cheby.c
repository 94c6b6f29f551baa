#include "recipe/cheby.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "math/kernels.h"

enum { LANES = PZ_CHEBY_LANES };
static const double STEEP = 20; // of the step; a polynomial of degree 12 hardly can more

struct pz_cheby_work {
    const struct pz_cheby *f;
    const struct pz_kernels *k;
    // Rows of LANES floats: a filter's terms over ranks, divided by the root of the
    // item's degree, which makes R~ a walk; what users hand on.
    float *now, *before, *sum, *user;
    float *root_in, *root_out; // D_i^(-1/2 - beta), D_i^(1/2 + beta)
    uint32_t *rank_of;         // item -> rank or PZ_NO_ID
    bool known[LANES];
};

/* h at t in [-1, 1]. */
static double
filter_at(double t, const struct pz_cheby_config *c)
{
    return (1 + copysign(pow(fabs(t), c->phi), t)) / 2 +
           c->pass / (1 + exp(-STEEP * (t - c->cut)));
}

/* Interpolation of h at the degree + 1 Chebyshev nodes. */
void
pz_cheby_shape(struct pz_cheby *f, const struct pz_cheby_config *c)
{
    int n = c->degree + 1;
    f->beta = c->beta;
    for (int k = 0; k < n; k++) {
        double sum = 0;
        for (int j = 0; j < n; j++) {
            double angle = M_PI * (j + 0.5) / n;
            sum += filter_at(cos(angle), c) * cos(k * angle);
        }
        f->coef[k] = (float)(sum * (k ? 2.0 : 1.0) / n);
    }
    for (int k = n; k <= PZ_CHEBY_MAX_DEGREE; k++)
        f->coef[k] = 0;
}

void
pz_cheby_of(struct pz_cheby *f, const struct pz_pairs *pairs,
            const struct pz_cheby_config *c)
{
    const struct pz_csr *users = &pairs->by_user;
    uint32_t n_users = users->n_rows; // those without items come last
    while (n_users && users->offsets[n_users] == users->offsets[n_users - 1])
        n_users--;
    *f = (struct pz_cheby){.n_items = pairs->by_item.n_rows,
                           .n_ranks = pairs->n_ranks,
                           .n_users = n_users,
                           .item_of = pairs->item_of,
                           .user_offsets = users->offsets,
                           .item_offsets = pairs->by_item.offsets,
                           .user_rank = users->col,
                           .item_user = pairs->by_item.col,
                           .n_pairs = users->offsets[n_users]};
    pz_cheby_shape(f, c);
}

void
pz_cheby_work_free(struct pz_cheby_work *w)
{
    if (!w)
        return;
    free(w->now);
    free(w->before);
    free(w->sum);
    free(w->user);
    free(w->root_in);
    free(w->root_out);
    free(w->rank_of);
    free(w);
}

int
pz_cheby_work_new(struct pz_cheby_work **out, const struct pz_cheby *f,
                  struct pz_err *err)
{
    struct pz_cheby_work *w;
    size_t row = LANES * sizeof(float), n = f->n_ranks;
    int status = pz_new(&w, 1, sizeof *w, "a filter", err);
    if (status)
        return status;
    w->f = f;
    w->k = pz_kernels();
    if (pz_new_aligned(&w->now, n, row, "a filter", err) ||
        pz_new_aligned(&w->before, n, row, "a filter", err) ||
        pz_new_aligned(&w->sum, n, row, "a filter", err) ||
        pz_new_aligned(&w->user, f->n_users, row, "a filter", err) ||
        pz_new(&w->root_in, n, sizeof *w->root_in, "a filter", err) ||
        pz_new(&w->root_out, n, sizeof *w->root_out, "a filter", err) ||
        pz_new(&w->rank_of, f->n_items, sizeof *w->rank_of, "a filter", err)) {
        pz_cheby_work_free(w);
        return err->status;
    }
    memset(w->rank_of, 0xff, f->n_items * sizeof *w->rank_of);
    for (uint32_t r = 0; r < n; r++) {
        double degree = (double)(f->item_offsets[r + 1] - f->item_offsets[r]);
        w->root_in[r] = (float)pow(degree, -0.5 - f->beta);
        w->root_out[r] = (float)pow(degree, 0.5 + f->beta);
        w->rank_of[f->item_of[r]] = r;
    }
    *out = w;
    return PZ_OK;
}

void
pz_cheby_begin(struct pz_cheby_work *w)
{
    memset(w->now, 0, w->f->n_ranks * LANES * sizeof *w->now);
    memset(w->known, 0, sizeof w->known);
}

void
pz_cheby_put(struct pz_cheby_work *w, int lane, const struct pz_bag *bag)
{
    for (size_t h = 0; h < bag->n; h++) {
        uint32_t r = w->rank_of[bag->item[h]];
        if (r == PZ_NO_ID)
            continue;
        w->now[(size_t)r * LANES + (size_t)lane] = bag->weight[h] * w->root_in[r];
        w->known[lane] = true;
    }
}

uint32_t
pz_cheby_rank(const struct pz_cheby_work *w, uint32_t item)
{
    return w->rank_of[item];
}

/* to := 2 * twice * R~^T R~ from - twice * from - minus, all of them rows over ranks. */
static void
step(struct pz_cheby_work *w, const float *from, float *to, const float *minus,
     float twice)
{
    const struct pz_cheby *f = w->f;
    for (uint32_t u = 0; u < f->n_users; u++) {
        uint64_t at = f->user_offsets[u], n = f->user_offsets[u + 1] - at;
        float *row = w->user + (size_t)u * LANES, share = 1 / (float)n;
        w->k->sum16(row, from, f->user_rank + at, n);
        for (int l = 0; l < LANES; l++)
            row[l] *= share;
    }
    for (uint32_t r = 0; r < f->n_ranks; r++) {
        uint64_t at = f->item_offsets[r], n = f->item_offsets[r + 1] - at;
        float sum[LANES], share = 2 * twice / (float)n;
        const float *x = from + (size_t)r * LANES;
        const float *y = minus ? minus + (size_t)r * LANES : NULL;
        float *row = to + (size_t)r * LANES;
        w->k->sum16(sum, w->user, f->item_user + at, n);
        for (int l = 0; l < LANES; l++)
            row[l] = share * sum[l] - twice * x[l] - (y ? y[l] : 0);
    }
}

static void
add(struct pz_cheby_work *w, const float *term, float coef)
{
    w->k->axpy(w->sum, coef, term, (size_t)w->f->n_ranks * LANES);
}

void
pz_cheby_score(struct pz_cheby_work *w, int n, float *score, size_t stride, bool *known)
{
    const struct pz_cheby *f = w->f;
    size_t size = (size_t)f->n_ranks * LANES;
    int degree = PZ_CHEBY_MAX_DEGREE;
    while (degree > 1 && f->coef[degree] == 0)
        degree--;
    memset(w->sum, 0, size * sizeof *w->sum);
    add(w, w->now, f->coef[0]);
    memcpy(w->before, w->now, size * sizeof *w->now);
    step(w, w->before, w->now, NULL, 1);
    add(w, w->now, f->coef[1]);
    for (int k = 2; k <= degree; k++) {
        step(w, w->now, w->before, w->before, 2);
        float *t = w->now;
        w->now = w->before;
        w->before = t;
        add(w, w->now, f->coef[k]);
    }
    for (int l = 0; l < n; l++) {
        float *row = score + (size_t)l * stride;
        known[l] = w->known[l];
        memset(row, 0, f->n_items * sizeof *row);
        for (uint32_t r = 0; r < f->n_ranks && known[l]; r++)
            row[f->item_of[r]] = w->sum[(size_t)r * LANES + (size_t)l] * w->root_out[r];
    }
}
