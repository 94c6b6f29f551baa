#include "recipe/content.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "math/keys.h"
#include "recipe/admit.h"
#include "recipe/reasons.h"

void
pz_content_add(struct pz_builder *b, struct pz_features *f)
{
    struct pz_csr *i = &f->by_item, *k = &f->by_feature;
    uint64_t n = i->offsets[i->n_rows], n_items = i->n_rows, n_features = i->n_cols;
    uint64_t n_bytes = (uint64_t)f->name_offsets[n_features];
    pz_builder_take1(b, "feature.offsets", PZ_U64, n_items + 1, i->offsets);
    pz_builder_take1(b, "feature.of", PZ_U32, n, i->col);
    pz_builder_take1(b, "feature.weight", PZ_F32, n, i->value);
    pz_builder_take1(b, "feature.item_offsets", PZ_U64, n_features + 1, k->offsets);
    pz_builder_take1(b, "feature.item", PZ_U32, n, k->col);
    pz_builder_take1(b, "feature.item_weight", PZ_F32, n, k->value);
    pz_builder_take1(b, "feature.name.bytes", PZ_U8, n_bytes, f->name_bytes);
    pz_builder_take1(b, "feature.name.offsets", PZ_I64, n_features + 1, f->name_offsets);
    pz_builder_metaf(b, "train.features", "%" PRIu64, n_features);
    *f = (struct pz_features){0};
}

/* Offsets of n_rows rows over the entries. */
static int
get_offsets(const struct pz_content *c, const char *name, uint64_t n_rows,
            const uint64_t **out, struct pz_err *err)
{
    uint64_t n = n_rows + 1;
    if (pz_tensors_get1(&c->model->file, name, PZ_U64, &n, out, err))
        return err->status;
    if ((*out)[0] != 0 || (*out)[n_rows] != c->n)
        return pz_tensors_bad(&c->model->file, name, err,
                              "does not span the %" PRIu64 " entries of 'feature.of'",
                              c->n);
    return PZ_OK;
}

int
pz_content_open(struct pz_content *c, const struct pz_model *m, struct pz_err *err)
{
    const struct pz_tensors *f = &m->file;
    *c = (struct pz_content){.model = m, .n = UINT64_MAX};
    if (pz_tensors_get1(f, "feature.of", PZ_U32, &c->n, &c->feature, err) ||
        pz_tensors_get1(f, "feature.weight", PZ_F32, &c->n, &c->weight, err) ||
        pz_tensors_get1(f, "feature.item", PZ_U32, &c->n, &c->item, err) ||
        pz_tensors_get1(f, "feature.item_weight", PZ_F32, &c->n, &c->item_weight, err) ||
        pz_ids_open(&c->name, f, "feature.name", err) ||
        get_offsets(c, "feature.offsets", m->n_items, &c->offsets, err) ||
        get_offsets(c, "feature.item_offsets", c->name.n, &c->item_offsets, err))
        return err->status;
    return PZ_OK;
}

struct row {
    uint64_t from, to;
};

static int
get_row(const struct pz_content *c, const char *name, const uint64_t *offsets, uint32_t i,
        struct row *row, struct pz_err *err)
{
    return pz_tensors_row(&c->model->file, name, offsets, i, c->n, &row->from, &row->to,
                          err);
}

static int
bad_index(const struct pz_content *c, const char *name, uint64_t at, uint32_t is,
          uint64_t limit, struct pz_err *err)
{
    return pz_tensors_bad(&c->model->file, name, err,
                          "entry %" PRIu64 " is %" PRIu32 ", but there are %" PRIu64, at,
                          is, limit);
}

int
pz_content_score(const struct pz_content *c, uint32_t item, float *score,
                 size_t *n_features, struct pz_err *err)
{
    uint32_t n_items = c->model->n_items;
    struct row of = {0, 0}, posting;
    *n_features = 0;
    memset(score, 0, n_items * sizeof *score);
    if (item >= n_items)
        return PZ_OK;
    if (get_row(c, "feature.offsets", c->offsets, item, &of, err))
        return err->status;
    for (uint64_t e = of.from; e < of.to; e++) {
        uint32_t f = c->feature[e];
        if (f >= c->name.n)
            return bad_index(c, "feature.of", e, f, c->name.n, err);
        if (get_row(c, "feature.item_offsets", c->item_offsets, f, &posting, err))
            return err->status;
        for (uint64_t k = posting.from; k < posting.to; k++) {
            if (c->item[k] >= n_items)
                return bad_index(c, "feature.item", k, c->item[k], n_items, err);
            score[c->item[k]] += c->weight[e] * c->item_weight[k];
        }
    }
    score[item] = 0;
    *n_features = (size_t)(of.to - of.from);
    return PZ_OK;
}

/* ---- reasons ---- */

enum { MOST_FEATURES = PZ_REASON_LABELS - 2 };

/* Greatest first; the least become one when there are too many. */
static void
shorten(struct pz_reason *r, size_t *n)
{
    if (*n)
        qsort(r, *n, sizeof *r, pz_reasons_order);
    if (*n <= MOST_FEATURES)
        return;
    struct pz_reason *last = &r[MOST_FEATURES - 1];
    for (size_t i = MOST_FEATURES; i < *n; i++)
        last->contribution += r[i].contribution;
    last->label = "(other features)";
    last->n_label = strlen(last->label);
    *n = MOST_FEATURES;
}

int
pz_content_explain(const struct pz_content *c, uint32_t i, uint32_t j, double scale,
                   struct pz_explained *out, struct pz_err *err)
{
    struct row a, b;
    struct pz_reason *r;
    size_t n = 0;
    if (i >= c->model->n_items || j >= c->model->n_items || i == j)
        return PZ_OK;
    if (get_row(c, "feature.offsets", c->offsets, i, &a, err) ||
        get_row(c, "feature.offsets", c->offsets, j, &b, err) ||
        pz_new(&r, a.to - a.from, sizeof *r, "reasons", err))
        return err->status;
    while (a.from < a.to && b.from < b.to) { // features ascend in both
        uint32_t f = c->feature[a.from], g = c->feature[b.from];
        if (f == g) {
            double x = scale * (double)c->weight[a.from] * (double)c->weight[b.from];
            r[n] = (struct pz_reason){.item = i, .contribution = x};
            r[n].label = pz_ids_get(&c->name, f, &r[n].n_label);
            out->raw += x;
            n += r[n].label != NULL;
        }
        a.from += f <= g;
        b.from += g <= f;
    }
    shorten(r, &n);
    memcpy(out->reason + out->n, r, n * sizeof *r);
    out->n += n;
    free(r);
    return PZ_OK;
}

/* ---- the best ---- */

int
pz_content_rank(const struct pz_model *m, const struct pz_query *q, const float *score,
                struct pz_ranked *out, struct pz_err *err)
{
    size_t wanted = q->candidate ? q->n_candidates : q->n;
    struct pz_best best = {.most = wanted < m->n_items ? wanted : m->n_items};
    struct pz_admit admit;
    int r = pz_new(&best.key, 2 * best.most, sizeof *best.key, "an answer", err);
    if (r)
        return r;
    pz_admit_init(&admit, q);
    size_t n = q->candidate ? q->n_candidates : m->n_items;
    for (size_t i = 0; i < n && best.most; i++) {
        uint32_t it = q->candidate ? q->candidate[i] : (uint32_t)i;
        if (!(score[it] > 0))
            continue;
        uint64_t key = pz_key(score[it], it);
        if (key >= best.floor && pz_admits(&admit, it))
            pz_best_offer(&best, key);
    }
    pz_best_sort(&best);
    out->n = best.n;
    out->fallback = best.n == 0;
    for (size_t i = 0; i < best.n; i++) {
        out->item[i] = pz_key_number(best.key[i]);
        out->score[i] = pz_key_score(best.key[i]);
    }
    free(best.key);
    return pz_model_complete(m, q, wanted, out, err);
}
