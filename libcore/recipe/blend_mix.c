#include "recipe/blend_mix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "math/kernels.h"
#include "math/keys.h"
#include "recipe/admit.h"

enum { BLOCK = 512 };

int
pz_mix_open(struct pz_mix *m, const struct pz_model *model, struct pz_err *err)
{
    size_t n = m->n;
    int status = pz_cold_open(&m->cold, model, err);
    m->n_items = model->n_items;
    for (m->n = 0; m->n < n && !status; m->n += !status)
        status = m->part[m->n]->open(&m->state[m->n], model, err);
    if (status)
        pz_mix_close(m);
    return status;
}

void
pz_mix_close(struct pz_mix *m)
{
    for (size_t p = 0; p < m->n; p++)
        m->part[p]->close(m->state[p]);
    m->n = 0;
}

int
pz_mix_work_new(struct pz_mix_work **out, const struct pz_mix *m, struct pz_err *err)
{
    static const char what[] = "scores";
    struct pz_mix_work *w;
    int status = pz_new(&w, 1, sizeof *w, what, err);
    if (status)
        return status;
    w->mix = m;
    w->stride = ((size_t)m->n_items + PZ_PACK - 1) / PZ_PACK * PZ_PACK;
    size_t n = w->stride * PZ_MIX_BATCH;
    if (pz_new_aligned(&w->row, n, sizeof *w->row, what, err) ||
        pz_new_aligned(&w->score, n, sizeof *w->score, what, err) ||
        pz_new(&w->ones, w->stride, sizeof *w->ones, what, err) ||
        pz_repeats_init(&w->repeats, m->n_items, err))
        status = err->status;
    for (size_t p = 0; p < m->n && !status; p++)
        if (m->part[p]->work_new)
            status = m->part[p]->work_new(&w->part[p], m->state[p], PZ_MIX_BATCH, err);
    for (uint32_t i = 0; i < m->n_items && !status; i++)
        w->ones[i] = 1;
    if (status)
        pz_mix_work_free(w);
    else
        *out = w;
    return status;
}

void
pz_mix_work_free(struct pz_mix_work *w)
{
    if (!w)
        return;
    for (size_t p = 0; p < w->mix->n; p++)
        if (w->part[p])
            w->mix->part[p]->work_free(w->part[p]);
    free(w->row);
    free(w->score);
    free(w->ones);
    pz_repeats_release(&w->repeats);
    free(w);
}

int
pz_mix_part(struct pz_mix_work *w, size_t p, const struct pz_query *q, size_t n,
            double sd[PZ_MIX_BATCH], struct pz_err *err)
{
    const struct pz_mix *m = w->mix;
    const struct pz_kernels *k = pz_kernels();
    bool known[PZ_MIX_BATCH] = {false};
    int status =
        m->part[p]->score(m->state[p], w->part[p], q, n, w->row, w->stride, known, err);
    for (size_t i = 0; i < n && !status; i++) {
        float *row = w->row + i * w->stride;
        memset(row + m->n_items, 0, (w->stride - m->n_items) * sizeof *row);
        sd[i] = 0;
        if (!known[i])
            continue;
        double mean = (double)k->dot(row, w->ones, w->stride) / m->n_items;
        double square = (double)k->dot(row, row, w->stride) / m->n_items - mean * mean;
        sd[i] = square > 1e-30 && isfinite(square) ? sqrt(square) : 0;
    }
    return status;
}

int
pz_mix_score(struct pz_mix_work *w, const struct pz_query *q, size_t n,
             struct pz_err *err)
{
    const struct pz_mix *m = w->mix;
    const struct pz_kernels *k = pz_kernels();
    memset(w->score, 0, n * w->stride * sizeof *w->score);
    memset(w->known, 0, sizeof w->known);
    for (size_t p = 0; p < m->n; p++) {
        double sd[PZ_MIX_BATCH];
        if (pz_mix_part(w, p, q, n, sd, err))
            return err->status;
        for (size_t i = 0; i < n; i++) {
            if (!(sd[i] > 0))
                continue;
            k->axpy(w->score + i * w->stride, (float)(m->weight[p] / sd[i]),
                    w->row + i * w->stride, w->stride);
            w->known[i] = true;
        }
    }
    for (size_t i = 0; i < n; i++) {
        float *score = w->score + i * w->stride;
        pz_cold_apply(&m->cold, score);
        if (pz_repeats_take(&w->repeats, q[i].history, q[i].n_history, err))
            return err->status;
        for (size_t h = 0; h < w->repeats.n; h++)
            score[w->repeats.item[h]] += m->repeat[w->repeats.cell[h]];
        for (size_t x = m->n_items; x < w->stride; x++)
            score[x] = -INFINITY;
    }
    return PZ_OK;
}

size_t
pz_mix_pick(const float *score, uint32_t n_items, const struct pz_query *q, size_t n,
            uint64_t *key, uint32_t *item, float *value)
{
    const struct pz_kernels *k = pz_kernels();
    struct pz_admit admit;
    size_t len = 0;
    float threshold = -INFINITY;
    uint32_t hit[BLOCK];
    if (q)
        pz_admit_init(&admit, q);
    for (size_t at = 0; at < n_items && n; at += BLOCK) {
        size_t rows = n_items - at < BLOCK ? n_items - at : BLOCK;
        size_t n_hits = k->above(hit, score + at, PZ_PAD(rows), threshold);
        for (size_t h = 0; h < n_hits; h++) {
            uint32_t i = (uint32_t)at + hit[h];
            if (!q || pz_admits(&admit, i))
                key[len++] = pz_key(score[i], i);
        }
        if (len < 2 * n + PZ_MIX_SLACK - BLOCK && at + BLOCK < n_items)
            continue;
        if (len > n) {
            pz_keys_cut(key, len, n);
            len = n;
        }
        for (size_t i = 0; len == n && i < n; i++) {
            float s = pz_key_score(key[i]);
            threshold = i == 0 || s < threshold ? s : threshold;
        }
    }
    pz_keys_sort(key, len);
    for (size_t i = 0; i < len; i++) {
        item[i] = pz_key_number(key[i]);
        if (value)
            value[i] = pz_key_score(key[i]);
    }
    return len;
}
