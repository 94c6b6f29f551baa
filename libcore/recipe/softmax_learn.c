/* One batch: forward and backward. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "math/dense.h"
#include "math/kernels.h"
#include "recipe/softmax.h"

struct pz_softmax_room {
    float *h, *dh;       // n x d
    float *rows, *drows; // n_candidates x d: of O, and their slopes
    float *z;            // n x PZ_PAD(n_candidates): logits, then slopes of them
};

int
pz_softmax_room_new(struct pz_softmax_room **r, size_t n, size_t n_candidates, size_t d,
                    struct pz_err *err)
{
    static const char what[] = "a batch of events";
    struct pz_softmax_room *x;
    size_t padded = PZ_PAD(n_candidates), row = d * sizeof *x->h;
    int status = pz_new(&x, 1, sizeof *x, what, err);
    if (status)
        return status;
    if (pz_new_aligned(&x->h, n, row, what, err) ||
        pz_new_aligned(&x->dh, n, row, what, err) ||
        pz_new_aligned(&x->rows, padded, row, what, err) ||
        pz_new_aligned(&x->drows, padded, row, what, err) ||
        pz_new_aligned(&x->z, n, padded * sizeof *x->z, what, err)) {
        pz_softmax_room_free(x);
        return err->status;
    }
    *r = x;
    return PZ_OK;
}

void
pz_softmax_room_free(struct pz_softmax_room *r)
{
    if (!r)
        return;
    free(r->h);
    free(r->dh);
    free(r->rows);
    free(r->drows);
    free(r->z);
    free(r);
}

/* h (n x d), with the mask. */
static void
encode(const struct pz_softmax_net *net, const struct pz_softmax_batch *b, float *h)
{
    const struct pz_kernels *k = pz_kernels();
    size_t d = net->d;
    memset(h, 0, b->n * d * sizeof *h);
    for (size_t q = 0; q < b->n; q++, h += d) {
        const uint32_t *item = b->item + q * net->reach;
        const float *gain = b->gain + q * net->reach, *mask = b->mask + q * d;
        for (size_t p = 0; p < net->reach; p++)
            if (item[p] != PZ_NO_ID)
                k->axzpy(h, gain[p], net->place + p * d, net->input + item[p] * d, d);
        for (size_t c = 0; c < d; c++)
            h[c] *= mask[c];
    }
}

/* Logits z (n x ld) become the slopes of the loss by them: weight * (share - is next). */
static double
compare(const struct pz_softmax_batch *b, float *z, size_t ld)
{
    const struct pz_kernels *k = pz_kernels();
    double loss = 0;
    for (size_t q = 0; q < b->n; q++, z += ld) {
        size_t own = b->own[q];
        float plain = z[own];
        for (size_t c = 0; c < b->n_candidates; c++)
            z[c] += b->shift[c];
        z[own] = plain;
        for (size_t c = b->n_candidates; c < ld; c++)
            z[c] = -INFINITY;
        float top = k->greatest(z, ld), sum = k->exps(z, ld, top);
        loss += (double)b->weight[q] * (log((double)sum) + (double)top - (double)plain);
        float share = b->weight[q] / sum;
        for (size_t c = 0; c < ld; c++)
            z[c] *= share;
        z[own] -= b->weight[q];
    }
    return loss;
}

/* From the slopes by h (dh, n x d) to those by E and P. */
static void
decode(const struct pz_softmax_net *net, const struct pz_softmax_batch *b, float *dh,
       const struct pz_softmax_slope *slope)
{
    const struct pz_kernels *k = pz_kernels();
    size_t d = net->d;
    for (size_t q = 0; q < b->n; q++, dh += d) {
        const uint32_t *item = b->item + q * net->reach;
        const float *gain = b->gain + q * net->reach, *mask = b->mask + q * d;
        for (size_t c = 0; c < d; c++)
            dh[c] *= mask[c];
        for (size_t p = 0; p < net->reach; p++) {
            if (item[p] == PZ_NO_ID)
                continue;
            size_t at = item[p] * d;
            k->axzpy(slope->input + at, gain[p], net->place + p * d, dh, d);
            k->axzpy(slope->place + p * d, gain[p], net->input + at, dh, d);
        }
    }
}

int
pz_softmax_learn(const struct pz_softmax_net *net, const struct pz_softmax_batch *b,
                 struct pz_softmax_room *r, const struct pz_softmax_slope *slope,
                 double *loss, struct pz_err *err)
{
    const struct pz_kernels *k = pz_kernels();
    size_t d = net->d, m = b->n_candidates, ld = PZ_PAD(m);
    struct pz_dense_mul forward = {.c = r->z,
                                   .a = r->h,
                                   .b = r->rows,
                                   .ld_c = ld,
                                   .ld_a = d,
                                   .ld_b = d,
                                   .m = b->n,
                                   .n = m,
                                   .depth = d,
                                   .tb = true,
                                   .alpha = 1};
    struct pz_dense_mul by_h = {.c = r->dh,
                                .a = r->z,
                                .b = r->rows,
                                .ld_c = d,
                                .ld_a = ld,
                                .ld_b = d,
                                .m = b->n,
                                .n = d,
                                .depth = m,
                                .alpha = 1};
    struct pz_dense_mul by_rows = {.c = r->drows,
                                   .a = r->z,
                                   .b = r->h,
                                   .ld_c = d,
                                   .ld_a = ld,
                                   .ld_b = d,
                                   .m = m,
                                   .n = d,
                                   .depth = b->n,
                                   .ta = true,
                                   .alpha = 1};
    encode(net, b, r->h);
    k->gather(r->rows, net->output, b->candidate, NULL, m, m, d);
    int status = pz_dense_mul(&forward, 1, err);
    if (status)
        return status;
    *loss += compare(b, r->z, ld);
    status = pz_dense_mul(&by_h, 1, err);
    if (!status)
        status = pz_dense_mul(&by_rows, 1, err);
    if (status)
        return status;
    for (size_t c = 0; c < m; c++)
        k->axpy(slope->output + b->candidate[c] * d, 1, r->drows + c * d, d);
    decode(net, b, r->dh, slope);
    return PZ_OK;
}
