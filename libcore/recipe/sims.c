/*
 * aws-sims: items whose users also had the query item.
 *
 * With c_ij distinct users of both and n_j of item j (of those that training kept)
 *
 *     score(j | i) = c_ij / n_j^p * c_ij / (c_ij + h) * (1 + b g_ij / c_ij)
 *
 * p is popularity_discount_factor: 0 puts what most users have in common with i first, 1
 * the share of j's users. h, shrinkage, takes weight from pairs that few users support; 0
 * turns it off. g_ij is the sum over those users of 2^(-d/H), d being how many items
 * after i the user first had j, and of half that where j came before i (recipe/near.h):
 * b, closeness, is how much more than others those count who had both in a row; H is
 * closeness_halflife. Pairs with c_ij below min_cointeraction_count do not exist.
 *
 * A model holds, for every item, its best `neighbours` others: sims.offsets U64
 * [n_items+1], sims.item U32, sims.score F32, best first, ties by lower index.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "recipe/admit.h"
#include "recipe/events.h"
#include "recipe/model.h"
#include "recipe/neighbours.h"

static const struct pz_param_def params[] = {
    {.name = "popularity_discount_factor",
     .kind = PZ_PARAM_REAL,
     .place = PZ_PLACE_ALGORITHM,
     .def = 0.5,
     .min = 0,
     .max = 1,
     .tunable = true,
     .help =
         "0: the most popular of the co-interacted items first; 1: the strength of the "
         "co-interaction whatever the popularity"},
    {.name = "min_cointeraction_count",
     .kind = PZ_PARAM_INT,
     .place = PZ_PLACE_ALGORITHM,
     .def = 3,
     .min = 0,
     .max = 10,
     .tunable = true,
     .help = "users that two items must have in common to be a pair"},
    PZ_PARAMS_CUT_USERS(0.005, 0.995),
    PZ_PARAMS_CUT_ITEMS(0.01, 0.9),
    {.name = "neighbours",
     .kind = PZ_PARAM_INT,
     .place = PZ_PLACE_OURS,
     .def = 500,
     .min = 1,
     .max = 100000,
     .help = "related items that are kept for each item"},
    PZ_PARAMS_NEIGHBOURS,
    {.name = NULL},
};

/* ---- training ---- */

static int
train(const struct pz_train *t, struct pz_err *err)
{
    double least = pz_param(t->params, "min_cointeraction_count");
    struct pz_neighbours_spec spec = {
        .keep = (size_t)pz_param(t->params, "neighbours"),
        .least = least < 1 ? 1 : (uint32_t)least,
        .discount = pz_param(t->params, "popularity_discount_factor"),
        .threads = t->threads,
    };
    pz_neighbours_params(&spec, t->params);
    struct pz_neighbours rows;
    int r = pz_neighbours_find(&rows, t->events, &spec, err);
    if (r)
        return r;
    uint64_t n_offsets = (uint64_t)t->events->n_items + 1;
    uint32_t n_related = 0;
    for (uint32_t i = 0; i < t->events->n_items; i++)
        n_related += rows.offsets[i] < rows.offsets[i + 1];
    pz_builder_take1(t->model, "sims.offsets", PZ_U64, n_offsets, rows.offsets);
    pz_builder_take1(t->model, "sims.item", PZ_U32, rows.n, rows.item);
    pz_builder_take1(t->model, "sims.score", PZ_F32, rows.n, rows.score);
    pz_builder_metaf(t->model, "train.pairs", "%" PRIu64, rows.n);
    pz_builder_metaf(t->model, PZ_MODEL_RELATED_META, "%" PRIu32, n_related);
    return PZ_OK;
}

/* ---- answers ---- */

struct sims {
    const struct pz_model *model;
    const uint64_t *offsets;
    const uint32_t *item;
    const float *score;
    uint64_t n;
};

static int
open_state(void **state, const struct pz_model *model, struct pz_err *err)
{
    struct sims *s;
    uint64_t n = (uint64_t)model->n_items + 1;
    if (pz_new(&s, 1, sizeof *s, "a model", err))
        return err->status;
    s->model = model;
    s->n = UINT64_MAX;
    if (pz_tensors_get1(&model->file, "sims.offsets", PZ_U64, &n, &s->offsets, err) ||
        pz_tensors_get1(&model->file, "sims.item", PZ_U32, &s->n, &s->item, err) ||
        pz_tensors_get1(&model->file, "sims.score", PZ_F32, &s->n, &s->score, err))
        goto fail;
    if (s->offsets[0] != 0 || s->offsets[model->n_items] != s->n) {
        pz_tensors_bad(&model->file, "sims.offsets", err,
                       "does not span the %" PRIu64 " entries of 'sims.item'", s->n);
        goto fail;
    }
    *state = s;
    return PZ_OK;
fail:
    free(s);
    return err->status;
}

/* The row of an item, with its bounds and items checked; empty for an unknown item. */
static int
row_of(const struct sims *s, uint32_t item, const uint32_t **row, const float **score,
       size_t *n, struct pz_err *err)
{
    *n = 0;
    if (item >= s->model->n_items)
        return PZ_OK;
    uint64_t from, to;
    if (pz_tensors_row(&s->model->file, "sims.offsets", s->offsets, item, s->n, &from,
                       &to, err))
        return err->status;
    for (uint64_t i = from; i < to; i++)
        if (s->item[i] >= s->model->n_items)
            return pz_tensors_bad(&s->model->file, "sims.item", err,
                                  "entry %" PRIu64 " is %" PRIu32
                                  ", but there are %" PRIu32 " items",
                                  i, s->item[i], s->model->n_items);
    *row = s->item + from;
    *score = s->score + from;
    *n = (size_t)(to - from);
    return PZ_OK;
}

/* Without lists to look into: at most n of the row, those whose bits are set. Nothing is
 * jumped over, because which bits are set cannot be predicted. */
static void
take_allowed(const uint32_t *row, const float *score, size_t n_row, const uint64_t *allow,
             size_t n, struct pz_ranked *out)
{
    size_t at = 0;
    for (size_t i = 0; i < n_row && at < n; i++) {
        uint32_t it = row[i];
        out->item[at] = it;
        out->score[at] = score[i];
        at += !allow || (allow[it / 64] >> it % 64 & 1);
    }
    out->n = at;
}

static int
rank_one(const struct sims *s, const struct pz_query *q, struct pz_ranked *out,
         struct pz_err *err)
{
    const uint32_t *row = NULL;
    const float *score = NULL;
    size_t n_row, wanted = q->candidate ? q->n_candidates : q->n;
    struct pz_query others = {.exclude = q->candidate, .n_exclude = q->n_candidates};
    struct pz_admit admit, other;
    int r = row_of(s, q->item, &row, &score, &n_row, err);
    if (r)
        return r;
    out->n = 0;
    out->fallback = n_row == 0;
    if (!q->candidate && q->n_exclude == 0) {
        take_allowed(row, score, n_row, q->allow, wanted, out);
        return pz_model_complete(s->model, q, wanted, out, err);
    }
    pz_admit_init(&admit, q);
    pz_admit_init(&other, &others);
    for (size_t i = 0; i < n_row && out->n < wanted; i++) {
        if (!pz_admits(&admit, row[i]) || (q->candidate && pz_admits(&other, row[i])))
            continue;
        out->item[out->n] = row[i];
        out->score[out->n++] = score[i];
    }
    return pz_model_complete(s->model, q, wanted, out, err);
}

static int
rank(const void *state, const struct pz_query *q, size_t n, struct pz_ranked *out,
     struct pz_err *err)
{
    for (size_t i = 0; i < n; i++)
        if (rank_one(state, &q[i], &out[i], err) != PZ_OK)
            return err->status;
    return PZ_OK;
}

/* One term: the item asked about. None when the pair is not in the model. */
static int
explain(const void *state, const struct pz_query *q, uint32_t item,
        struct pz_explained *out, struct pz_err *err)
{
    const uint32_t *row = NULL;
    const float *score = NULL;
    size_t n;
    int r = row_of(state, q->item, &row, &score, &n, err);
    out->n = 0;
    out->raw = 0;
    for (size_t i = 0; r == PZ_OK && i < n; i++)
        if (row[i] == item) {
            out->raw = score[i];
            out->reason[out->n++] =
                (struct pz_reason){.item = q->item, .contribution = score[i]};
            break;
        }
    return r;
}

const struct pz_recipe pz_recipe_sims = {
    .name = "aws-sims",
    .type = PZ_RELATED_ITEMS,
    .summary = "related items: what the users of an item also had",
    .params = params,
    .train = train,
    .open = open_state,
    .close = free,
    .rank = rank,
    .explain = explain,
};
