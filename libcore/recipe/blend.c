#include "recipe/blend.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "math/kernels.h"
#include "math/keys.h"
#include "math/topn.h"
#include "recipe/admit.h"
#include "recipe/blend_mix.h"
#include "recipe/cheby.h"
#include "recipe/ease.h"
#include "recipe/explore.h"
#include "recipe/ials_model.h"
#include "recipe/parts.h"
#include "recipe/reasons.h"
#include "recipe/rp3.h"
#include "recipe/softmax.h"

static const struct pz_part *const parts[] = {
    &pz_part_next, &pz_part_rules,   &pz_part_ease,    &pz_part_rp3beta, &pz_part_cheby,
    &pz_part_ials, &pz_part_softmax, &pz_part_popular, &pz_part_recent};

const struct pz_part *
pz_part_find(const char *name)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strcmp(parts[i]->name, name))
            return parts[i];
    return NULL;
}

struct state {
    const struct pz_model *model;
    struct pz_mix mix;
    double rate; // 1 / temperature
    struct pz_explorer explorer;
};

/* ---- opening ---- */

static int
open_parts(struct pz_mix *mix, const struct pz_model *m, struct pz_err *err)
{
    const char *list = pz_tensors_meta(&m->file, "train.parts");
    if (!list)
        return pz_model_lacks(m, "train.parts", err);
    while (*list) {
        char name[32], key[64];
        size_t n = strcspn(list, ",");
        if (n >= sizeof name || mix->n == PZ_BLEND_PARTS)
            return pz_model_lacks(m, "train.parts", err);
        memcpy(name, list, n);
        name[n] = 0;
        list += n + (list[n] == ',');
        mix->part[mix->n] = pz_part_find(name);
        if (!mix->part[mix->n])
            return pz_err_set(err, PZ_FORMAT, "'%s': it has a part '%s', unknown here",
                              m->file.path, name);
        snprintf(key, sizeof key, "train.weight.%s", name);
        if (pz_model_number(m, key, -1e6, 1e6, &mix->weight[mix->n], err))
            return err->status;
        mix->n++;
    }
    return mix->n ? PZ_OK : pz_model_lacks(m, "train.parts", err);
}

int
pz_blend_open(void **state, const struct pz_model *model, struct pz_err *err)
{
    struct state *s;
    double temperature = 1;
    uint64_t n = PZ_REPEAT_CELLS;
    const float *repeat = NULL;
    int status = pz_new(&s, 1, sizeof *s, "a model", err);
    if (status)
        return status;
    s->model = model;
    status = open_parts(&s->mix, model, err);
    if (!status)
        status = pz_model_number(model, "train.temperature", PZ_BLEND_COLDEST, 1e6,
                                 &temperature, err);
    if (!status)
        status = pz_tensors_get1(&model->file, "repeat", PZ_F32, &n, &repeat, err);
    for (size_t i = 0; i < n && !status; i++) {
        s->mix.repeat[i] = repeat[i];
        if (!(fabsf(repeat[i]) < 1e6f))
            status = pz_tensors_bad(&model->file, "repeat", err, "is out of range");
    }
    s->rate = 1 / temperature;
    if (!status)
        status = pz_explore_open(&s->explorer, model, err);
    if (!status)
        status = pz_mix_open(&s->mix, model, err);
    if (status)
        free(s);
    else
        *state = s;
    return status;
}

void
pz_blend_close(void *state)
{
    struct state *s = state;
    if (s)
        pz_mix_close(&s->mix);
    free(s);
}

/* ---- answers ---- */

static void
show(struct pz_ranked *out, size_t n, double rate, double top, double sum)
{
    pz_topn_shares(out->score, n, rate, top, sum);
    out->n = n;
    out->fallback = false;
}

/* The candidates that the query admits, best first, as shares of all candidates. */
static void
answer_candidates(const struct state *s, const struct pz_query *q, const float *score,
                  uint64_t *key, struct pz_ranked *out)
{
    struct pz_admit admit;
    double top = -INFINITY, sum = 0;
    size_t len = 0;
    pz_admit_init(&admit, q);
    for (size_t i = 0; i < q->n_candidates; i++)
        top = fmax(top, (double)score[q->candidate[i]]);
    for (size_t i = 0; i < q->n_candidates; i++) {
        uint32_t item = q->candidate[i];
        sum += exp(s->rate * ((double)score[item] - top));
        if (pz_admits(&admit, item))
            key[len++] = pz_key(score[item], item);
    }
    pz_keys_sort(key, len);
    len = len < q->n ? len : q->n;
    for (size_t i = 0; i < len; i++) {
        out->item[i] = pz_key_number(key[i]);
        out->score[i] = pz_key_score(key[i]);
    }
    show(out, len, s->rate, top, sum);
}

/* work: scratch as long as the scores. */
static void
answer(const struct state *s, const struct pz_query *q, const float *score, float *work,
       uint64_t *key, struct pz_ranked *out)
{
    const struct pz_kernels *k = pz_kernels();
    size_t m = s->mix.n_items, n = q->n < m ? q->n : m;
    if (q->candidate) {
        answer_candidates(s, q, score, key, out);
        return;
    }
    float top = k->greatest(score, PZ_PAD(m));
    double sum = (double)k->sum_exp(score, PZ_PAD(m), top, (float)s->rate);
    if (q->explore && s->explorer.n) {
        pz_explore_pick(&s->explorer, q, score, work, s->mix.n_items, key, out);
        n = out->n;
    } else {
        n = pz_mix_pick(score, s->mix.n_items, q, n, key, out->item, out->score);
    }
    show(out, n, s->rate, (double)top, sum);
}

int
pz_blend_rank(const void *state, const struct pz_query *q, size_t n,
              struct pz_ranked *out, struct pz_err *err)
{
    const struct state *s = state;
    struct pz_mix_work *w = NULL;
    uint64_t *key = NULL;
    size_t most = 0;
    for (size_t i = 0; i < n; i++) {
        size_t room = q[i].candidate ? q[i].n_candidates : q[i].n;
        room = room < s->mix.n_items ? room : s->mix.n_items;
        most = room > most ? room : most;
    }
    int status =
        pz_new_aligned(&key, 2 * most + PZ_MIX_SLACK, sizeof *key, "answers", err);
    if (!status)
        status = pz_mix_work_new(&w, &s->mix, err);
    for (size_t at = 0; at < n && !status; at += PZ_MIX_BATCH) {
        size_t batch = n - at < PZ_MIX_BATCH ? n - at : PZ_MIX_BATCH;
        status = pz_mix_score(w, q + at, batch, err);
        for (size_t i = 0; i < batch && !status; i++) {
            if (w->known[i])
                answer(s, &q[at + i], w->score + i * w->stride, w->row, key,
                       &out[at + i]);
            else
                pz_model_popular(s->model, &q[at + i], &out[at + i]);
        }
    }
    pz_mix_work_free(w);
    free(key);
    return status;
}

/* ---- reasons ---- */

/* The terms of a score, as they come. */
struct terms {
    struct pz_reason *all;
    size_t n;
    double sum;
};

/* Those of `share` times the score of an item. */
static int
explain_item(const struct state *s, struct pz_mix_work *w, const struct pz_query *q,
             uint32_t item, double share, struct terms *t, struct pz_err *err)
{
    const struct pz_mix *m = &s->mix;
    for (size_t p = 0; p < m->n; p++) {
        double sd[PZ_MIX_BATCH];
        struct pz_explained one = {.reason = t->all + t->n};
        if (pz_mix_part(w, p, q, 1, sd, err))
            return err->status;
        if (!(sd[0] > 0))
            continue;
        if (m->part[p]->explain(m->state[p], w->part[p], q, item, &one, err))
            return err->status;
        double scale = share * (double)(float)(m->weight[p] / sd[0]);
        for (size_t k = 0; k < one.n; k++)
            one.reason[k].contribution *= scale;
        t->sum += scale * one.raw;
        t->n += one.n;
    }
    return PZ_OK;
}

/* Of an item without events, what the items like it got their scores for. */
static int
explain_parts(const struct state *s, struct pz_mix_work *w, const struct pz_query *q,
              uint32_t item, struct terms *t, struct pz_err *err)
{
    const struct pz_cold *c = &s->mix.cold;
    uint64_t at = pz_cold_find(c, item);
    if (at == c->n)
        return explain_item(s, w, q, item, 1, t, err);
    for (uint64_t k = c->offsets[at]; k < c->offsets[at + 1]; k++)
        if (explain_item(s, w, q, c->like[k], (double)c->weight[k], t, err))
            return err->status;
    return PZ_OK;
}

/* What the item gains by standing in the history. */
static int
explain_repeat(const struct state *s, struct pz_mix_work *w, const struct pz_query *q,
               uint32_t item, struct terms *t, struct pz_err *err)
{
    const struct pz_repeats *r = &w->repeats;
    if (pz_repeats_take(&w->repeats, q->history, q->n_history, err))
        return err->status;
    for (size_t k = 0; k < r->n; k++)
        if (r->item[k] == item) {
            double gain = (double)s->mix.repeat[r->cell[k]];
            t->all[t->n++] = (struct pz_reason){.item = item, .contribution = gain};
            t->sum += gain;
        }
    return PZ_OK;
}

int
pz_blend_explain(const void *state, const struct pz_query *q, uint32_t item,
                 struct pz_explained *out, struct pz_err *err)
{
    const struct state *s = state;
    struct pz_mix_work *w = NULL;
    struct terms t = {.n = 0};
    out->n = 0;
    out->raw = 0;
    if (item >= s->mix.n_items)
        return PZ_OK;
    int status = pz_mix_work_new(&w, &s->mix, err);
    if (!status)
        status = pz_new(&t.all, (q->n_history + 1) * (s->mix.n * PZ_COLD_LIKE + 1),
                        sizeof *t.all, "an explanation", err);
    if (!status)
        status = explain_parts(s, w, q, item, &t, err);
    if (!status && t.n) // somebody of whom no part knows anything has no reasons
        status = explain_repeat(s, w, q, item, &t, err);
    if (!status)
        pz_reasons_join(t.all, t.n, out);
    out->raw = t.sum;
    pz_mix_work_free(w);
    free(t.all);
    return status;
}
