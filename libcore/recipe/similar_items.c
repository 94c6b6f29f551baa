/*
 * aws-similar-items: items like an item, by who had them and by what they are.
 *
 * With c_ij distinct users of both, n_j of item j, and cos_ij the cosine of the items'
 * features (recipe/features.h)
 *
 *     together_ij = c_ij / n_j^((1+p)/2) * c_ij / (c_ij + h) * (1 + b g_ij / c_ij),
 *                   over its greatest for i
 *     share_i     = s * n_i / (n_i + k)
 *     score(j | i) = share_i together_ij + (1 - share_i) cos_ij / (1 + n_j)^(p/2)
 *
 * g_ij, h and b are those of sims.c: shrinkage and closeness; s interactions_share, k
 * cold_interactions, p popularity_discount_factor. An item without features lives by its
 * users alone, one without users by its features. Each item keeps its item_id_hidden_dim
 * strongest companions and its item_metadata_hidden_dim heaviest features, AWS's names
 * for how much is kept of an item.
 *
 * A model holds together.offsets U64 [n_items+1], together.item U32, together.score F32
 * (best first), together.share F32 [n_items], together.discount F32 [n_items], and the
 * tensors of recipe/content.h.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "recipe/content.h"
#include "recipe/events.h"
#include "recipe/neighbours.h"
#include "recipe/reasons.h"

static const struct pz_param_def params[] = {
    {.name = "popularity_discount_factor",
     .kind = PZ_PARAM_REAL,
     .place = PZ_PLACE_ALGORITHM,
     .def = 0,
     .min = 0,
     .max = 1,
     .help = "0: popular items as they come; higher: they come later"},
    {.name = "item_id_hidden_dim",
     .kind = PZ_PARAM_INT,
     .place = PZ_PLACE_ALGORITHM,
     .def = 100,
     .min = 30,
     .max = 200,
     .tunable = true,
     .help = "items of the same users that are kept for each item"},
    {.name = "item_metadata_hidden_dim",
     .kind = PZ_PARAM_INT,
     .place = PZ_PLACE_ALGORITHM,
     .def = 100,
     .min = 30,
     .max = 200,
     .tunable = true,
     .help = "features that are kept of each item, the heaviest"},
    {.name = "interactions_share",
     .kind = PZ_PARAM_REAL,
     .place = PZ_PLACE_OURS,
     .def = 0.7,
     .min = 0,
     .max = 1,
     .tunable = true,
     .help = "how much common users count for an item with many; the rest is metadata"},
    {.name = "cold_interactions",
     .kind = PZ_PARAM_REAL,
     .place = PZ_PLACE_OURS,
     .def = 5,
     .min = 0,
     .max = 1e6,
     .tunable = true,
     .tune_min = 1,
     .tune_max = 50,
     .help = "users of an item at which they count half of interactions_share"},
    PZ_PARAMS_NEIGHBOURS,
    {.name = NULL},
};

/* ---- training ---- */

/* Each row over its greatest. */
static void
scale_rows(struct pz_neighbours *rows, uint32_t n_items)
{
    for (uint32_t it = 0; it < n_items; it++) {
        uint64_t from = rows->offsets[it];
        float most = from < rows->offsets[it + 1] ? rows->score[from] : 1;
        for (uint64_t i = from; i < rows->offsets[it + 1]; i++)
            rows->score[i] /= most;
    }
}

static int
put_items(const struct pz_train *t, const struct pz_neighbours *rows,
          const struct pz_features *f, struct pz_err *err)
{
    uint32_t n_items = t->events->n_items, *users = NULL, n_related = 0;
    float *share = NULL, *discount = NULL;
    double s = pz_param(t->params, "interactions_share");
    double k = pz_param(t->params, "cold_interactions");
    double p = pz_param(t->params, "popularity_discount_factor");
    int r;
    if ((r = pz_events_users(&users, t->events, err)) ||
        (r = pz_new(&share, n_items, sizeof *share, "items", err)) ||
        (r = pz_new(&discount, n_items, sizeof *discount, "items", err)))
        goto done;
    for (uint32_t it = 0; it < n_items; it++) {
        bool plain = f->by_item.offsets[it] == f->by_item.offsets[it + 1];
        bool alone = rows->offsets[it] == rows->offsets[it + 1];
        n_related += !plain || !alone;
        share[it] = alone ? 0 : plain ? 1 : (float)(s * users[it] / (users[it] + k));
        discount[it] = (float)pow(1 + (double)users[it], -p / 2);
    }
    pz_builder_take1(t->model, "together.share", PZ_F32, n_items, share);
    pz_builder_take1(t->model, "together.discount", PZ_F32, n_items, discount);
    pz_builder_metaf(t->model, PZ_MODEL_RELATED_META, "%" PRIu32, n_related);
    share = discount = NULL;
done:
    free(users);
    free(share);
    free(discount);
    return r;
}

static int
train(const struct pz_train *t, struct pz_err *err)
{
    double p = pz_param(t->params, "popularity_discount_factor");
    struct pz_neighbours_spec spec = {
        .keep = (size_t)pz_param(t->params, "item_id_hidden_dim"),
        .least = 1,
        .discount = (1 + p) / 2,
        .threads = t->threads,
    };
    pz_neighbours_params(&spec, t->params);
    struct pz_features_spec what = {
        .sorts = PZ_FEATURE_ALL,
        .keep = (size_t)pz_param(t->params, "item_metadata_hidden_dim"),
        .threads = t->threads,
    };
    struct pz_neighbours rows = {0};
    struct pz_features f = {0};
    int r = pz_features_make(&f, t->world, &what, err);
    if (r == PZ_OK)
        r = pz_neighbours_find(&rows, t->events, &spec, err);
    if (r == PZ_OK) {
        scale_rows(&rows, t->events->n_items);
        r = put_items(t, &rows, &f, err);
    }
    if (r == PZ_OK) {
        uint64_t n_offsets = (uint64_t)t->events->n_items + 1;
        pz_builder_take1(t->model, "together.offsets", PZ_U64, n_offsets, rows.offsets);
        pz_builder_take1(t->model, "together.item", PZ_U32, rows.n, rows.item);
        pz_builder_take1(t->model, "together.score", PZ_F32, rows.n, rows.score);
        pz_builder_metaf(t->model, "train.pairs", "%" PRIu64, rows.n);
        pz_builder_metaf(t->model, "train.columns", "%zu", f.n_columns);
        pz_content_add(t->model, &f);
        return PZ_OK;
    }
    free(rows.offsets);
    free(rows.item);
    free(rows.score);
    pz_features_release(&f);
    return r;
}

/* ---- answers ---- */

struct state {
    struct pz_content content;
    const uint64_t *offsets;
    const uint32_t *item;
    const float *score, *share, *discount;
    uint64_t n;
};

static int
open_tensors(struct state *s, const struct pz_model *m, struct pz_err *err)
{
    const struct pz_tensors *f = &m->file;
    uint64_t n_items = m->n_items, n_offsets = n_items + 1;
    s->n = UINT64_MAX;
    if (pz_content_open(&s->content, m, err) ||
        pz_tensors_get1(f, "together.offsets", PZ_U64, &n_offsets, &s->offsets, err) ||
        pz_tensors_get1(f, "together.item", PZ_U32, &s->n, &s->item, err) ||
        pz_tensors_get1(f, "together.score", PZ_F32, &s->n, &s->score, err) ||
        pz_tensors_get1(f, "together.share", PZ_F32, &n_items, &s->share, err) ||
        pz_tensors_get1(f, "together.discount", PZ_F32, &n_items, &s->discount, err))
        return err->status;
    if (s->offsets[0] != 0 || s->offsets[m->n_items] != s->n)
        return pz_tensors_bad(f, "together.offsets", err,
                              "does not span the %" PRIu64 " entries of 'together.item'",
                              s->n);
    return PZ_OK;
}

static int
open_state(void **state, const struct pz_model *model, struct pz_err *err)
{
    struct state *s;
    if (pz_new(&s, 1, sizeof *s, "a model", err))
        return err->status;
    if (open_tensors(s, model, err)) {
        free(s);
        return err->status;
    }
    *state = s;
    return PZ_OK;
}

/* The companions of an item, checked: entries from..to. */
static int
row_of(const struct state *s, uint32_t item, uint64_t *from, uint64_t *to,
       struct pz_err *err)
{
    const struct pz_model *m = s->content.model;
    if (pz_tensors_row(&m->file, "together.offsets", s->offsets, item, s->n, from, to,
                       err))
        return err->status;
    for (uint64_t i = *from; i < *to; i++)
        if (s->item[i] >= m->n_items)
            return pz_tensors_bad(&m->file, "together.item", err,
                                  "entry %" PRIu64 " is %" PRIu32
                                  ", but there are %" PRIu32 " items",
                                  i, s->item[i], m->n_items);
    return PZ_OK;
}

/* The scores of all items for one, into score. */
static int
score_all(const struct state *s, uint32_t item, float *score, struct pz_err *err)
{
    uint64_t from, to;
    size_t n_features;
    if (pz_content_score(&s->content, item, score, &n_features, err) ||
        row_of(s, item, &from, &to, err))
        return err->status;
    float share = s->share[item];
    if (n_features)
        for (uint32_t j = 0; j < s->content.model->n_items; j++)
            score[j] *= (1 - share) * s->discount[j];
    for (uint64_t i = from; i < to; i++)
        score[s->item[i]] += share * s->score[i];
    return PZ_OK;
}

static int
rank(const void *state, const struct pz_query *q, size_t n, struct pz_ranked *out,
     struct pz_err *err)
{
    const struct state *s = state;
    const struct pz_model *m = s->content.model;
    float *score;
    int r = pz_new_aligned(&score, m->n_items, sizeof *score, "answers", err);
    for (size_t i = 0; i < n && r == PZ_OK; i++) {
        if (q[i].item >= m->n_items) {
            pz_model_popular(m, &q[i], &out[i]);
            continue;
        }
        r = score_all(s, q[i].item, score, err);
        if (r == PZ_OK)
            r = pz_content_rank(m, &q[i], score, &out[i], err);
    }
    free(score);
    return r;
}

/* The item asked about for the common users, and the features that both have. */
static int
explain(const void *state, const struct pz_query *q, uint32_t item,
        struct pz_explained *out, struct pz_err *err)
{
    const struct state *s = state;
    uint32_t n_items = s->content.model->n_items;
    uint64_t from, to;
    out->n = 0;
    out->raw = 0;
    if (q->item >= n_items || item >= n_items)
        return PZ_OK;
    if (row_of(s, q->item, &from, &to, err))
        return err->status;
    double share = s->share[q->item];
    for (; from < to; from++)
        if (s->item[from] == item) {
            out->raw = share * (double)s->score[from];
            out->reason[out->n++] =
                (struct pz_reason){.item = q->item, .contribution = out->raw};
        }
    int r = pz_content_explain(&s->content, q->item, item,
                               (1 - share) * (double)s->discount[item], out, err);
    pz_reasons_sort(out);
    return r;
}

const struct pz_recipe pz_recipe_similar_items = {
    .name = "aws-similar-items",
    .type = PZ_RELATED_ITEMS,
    .summary = "related items: by who had them and by what they are; new items too",
    .params = params,
    .train = train,
    .open = open_state,
    .close = free,
    .rank = rank,
    .explain = explain,
};
