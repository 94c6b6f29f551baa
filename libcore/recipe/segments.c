/*
 * aws-item-affinity and aws-item-attribute-affinity: the users who are likeliest to turn
 * to an item, or to items with given attributes.
 *
 *     score(u) = 30 I_u p(S|u)
 *
 * I_u events a day are to be expected of the user (recipe/intensity.h), a share p(S|u) of
 * them with the items S that are asked about (recipe/interest.h): the score is the number
 * of events in the next 30 days. Asked about no item at all, it is of any event: the
 * users who are most active.
 *
 * A model holds intensity F32 [n_users], what recipe/interest.h gives it, and in the
 * metadata "train.*" what was fitted.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "math/kernels.h"
#include "math/keys.h"
#include "recipe/intensity.h"
#include "recipe/interest.h"
#include "recipe/reasons.h"

#define DAYS ((double)PZ_INTENSITY_DAYS)

static const struct pz_param_def params[] = {
    {.name = "hidden_dimension",
     .kind = PZ_PARAM_INT,
     .place = PZ_PLACE_ALGORITHM,
     .def = 149,
     .min = 32,
     .max = 256,
     .help = "factors of a user and of an item"},
    {.name = "intensity",
     .kind = PZ_PARAM_CHOICE,
     .place = PZ_PLACE_OURS,
     .def = PZ_INTENSITY_FIT,
     .choices = "auto|count|even",
     .help = "events to be expected of a user: auto, from all and from the latest, as "
             "fits the data best; count, from all; even, of all users the same"},
    {.name = "iterations",
     .kind = PZ_PARAM_INT,
     .place = PZ_PLACE_OURS,
     .def = 8,
     .min = 1,
     .max = 1000,
     .help = "times that the factors of all users and all items are solved"},
    {.name = "neighbours",
     .kind = PZ_PARAM_INT,
     .place = PZ_PLACE_OURS,
     .def = 200,
     .min = 1,
     .max = 100000,
     .help = "items that an item may lead to"},
    {.name = NULL},
};

/* ---- training ---- */

static void
put_intensity(struct pz_builder *b, const struct pz_intensity *in)
{
    char key[64];
    for (int k = 0; k < PZ_INTENSITY_TERMS; k++) {
        snprintf(key, sizeof key, "train.intensity.%d", k);
        pz_builder_meta_f64(b, key, in->share[k]);
        if (in->days[k] > 0) {
            snprintf(key, sizeof key, "train.intensity.%d.days", k);
            pz_builder_meta_f64(b, key, in->days[k]);
        }
    }
}

static int
train(const struct pz_train *t, struct pz_err *err)
{
    struct pz_interest x = {0};
    struct pz_intensity in;
    float *rate = NULL;
    double share[PZ_INTEREST_PARTS], again;
    enum pz_intensity_kind kind =
        (enum pz_intensity_kind)pz_param(t->params, "intensity");
    if (pz_interest_fit(share, &again, t, err) || pz_interest_learn(&x, t, err))
        return err->status;
    memcpy(x.share, share, sizeof share);
    x.again = again;
    if (!pz_intensity_fit(&in, t->events, kind, err) &&
        !pz_intensity_users(&rate, &in, t->events, err)) {
        pz_builder_take1(t->model, "intensity", PZ_F32, t->events->n_users, rate);
        put_intensity(t->model, &in);
        pz_interest_give(&x, t->model);
    }
    pz_interest_release(&x);
    return err->status;
}

/* AWS refuses such data too, in these words. */
static int
train_attributes(const struct pz_train *t, struct pz_err *err)
{
    struct pz_facets f;
    if (pz_facets_make(&f, t->world->items, t->world->item_row, t->events->n_items, false,
                       err))
        return err->status;
    uint32_t n = f.n;
    pz_facets_release(&f);
    if (!n)
        return pz_err_set(err, PZ_DATA,
                          "Did not find any attribute to train on. There may not be any "
                          "attribute in the items dataset, or all attribute values "
                          "either have same or all distinct values.");
    return train(t, err);
}

/* ---- answers ---- */

struct segments {
    const struct pz_model *model;
    struct pz_interest x;
    const float *intensity;
};

static int
open_state(void **state, const struct pz_model *model, struct pz_err *err)
{
    struct segments *s;
    uint64_t n = model->n_users;
    if (pz_new(&s, 1, sizeof *s, "a model", err))
        return err->status;
    s->model = model;
    if (pz_interest_open(&s->x, model, err) ||
        pz_tensors_get1(&model->file, "intensity", PZ_F32, &n, &s->intensity, err)) {
        free(s);
        return err->status;
    }
    *state = s;
    return PZ_OK;
}

static float
sound(double score)
{
    return isfinite(score) && score > 0 ? (float)score : 0;
}

static bool
allowed(const struct pz_query *q, uint32_t u)
{
    return !q->allow || (q->allow[u / 64] >> u % 64 & 1);
}

static int
offer_users(const struct segments *s, struct pz_interest_ask *ask,
            const struct pz_query *q, struct pz_best *best, struct pz_err *err)
{
    uint32_t n_users = s->model->n_users;
    double factors[PZ_PACK];
    for (uint32_t first = 0; first < n_users && best->most; first += PZ_PACK) {
        size_t n = n_users - first < PZ_PACK ? n_users - first : PZ_PACK;
        pz_interest_factors(ask, first, n, factors);
        for (uint32_t u = first; u < first + n; u++) {
            double part[PZ_INTEREST_PARTS], p = 1;
            bool had;
            if (!allowed(q, u))
                continue;
            if (ask->n_about) {
                if (pz_interest_of(ask, u, part, &had, err))
                    return err->status;
                part[PZ_PART_FACTORS] = factors[u - first];
                p = pz_interest_mix(ask, part, had);
            }
            pz_best_offer(best, pz_key(sound(DAYS * (double)s->intensity[u] * p), u));
        }
    }
    return PZ_OK;
}

static int
check_about(const struct segments *s, const struct pz_query *q, struct pz_err *err)
{
    for (size_t i = 0; i < q->n_about; i++)
        if (q->about[i] >= s->model->n_items || (i && q->about[i] <= q->about[i - 1]))
            return pz_err_set(err, PZ_DATA, "the items asked about are not in order");
    return PZ_OK;
}

static int
rank_one(const struct segments *s, struct pz_interest_ask *ask, const struct pz_query *q,
         struct pz_ranked *out, struct pz_err *err)
{
    size_t most = q->n < s->model->n_users ? q->n : s->model->n_users;
    struct pz_best best = {.most = most};
    out->n = 0;
    out->fallback = q->n_about == 0;
    if (check_about(s, q, err) || pz_interest_ask_set(ask, q->about, q->n_about, err) ||
        pz_new(&best.key, 2 * most, sizeof *best.key, "an answer", err))
        return err->status;
    if (!offer_users(s, ask, q, &best, err)) {
        pz_best_sort(&best);
        for (size_t i = 0; i < best.n; i++) {
            out->item[i] = pz_key_number(best.key[i]);
            out->score[i] = pz_key_score(best.key[i]);
        }
        out->n = best.n;
    }
    free(best.key);
    return err->status;
}

static int
rank(const void *state, const struct pz_query *q, size_t n, struct pz_ranked *out,
     struct pz_err *err)
{
    const struct segments *s = state;
    struct pz_interest_ask ask;
    if (pz_interest_ask_new(&ask, &s->x, err))
        return err->status;
    for (size_t i = 0; i < n && !err->status; i++)
        rank_one(s, &ask, &q[i], &out[i], err);
    pz_interest_ask_release(&ask);
    return err->status;
}

/* ---- reasons ---- */

/*
 * What each item of the user's history adds to the score through `own`, `near` and
 * `content`. Factors, traits and popularity are of no single item.
 */
static int
explain(const void *state, const struct pz_query *q, uint32_t user,
        struct pz_explained *out, struct pz_err *err)
{
    const struct segments *s = state;
    const struct pz_interest *x = &s->x;
    struct pz_interest_ask ask;
    struct pz_history h;
    double part[PZ_INTEREST_PARTS], all = 0;
    bool had;
    out->n = 0;
    out->raw = 0;
    if (user >= s->model->n_users || !q->n_about)
        return PZ_OK;
    if (check_about(s, q, err) || pz_model_history(s->model, user, &h, err) ||
        pz_interest_ask_new(&ask, x, err))
        return err->status;
    ask.few = true;
    if (pz_interest_ask_set(&ask, q->about, q->n_about, err) ||
        pz_interest_of(&ask, user, part, &had, err))
        goto done;
    double again = had && q->n_about == 1 ? x->again : 1;
    for (size_t i = 0; i < h.n; i++) {
        uint32_t it = h.item[i];
        double w = h.weight ? (double)h.weight[i] : 1;
        float content;
        if (pz_interest_content(&ask, it, &content, err))
            goto done;
        all += w;
        out->reason[out->n++] = (struct pz_reason){
            .item = it,
            .contribution = w * (x->share[PZ_PART_OWN] * ask.asked[it] +
                                 again * (x->share[PZ_PART_NEAR] * (double)ask.near[it] +
                                          x->share[PZ_PART_CONTENT] * (double)content))};
    }
    double scale = all > 0 ? DAYS * (double)s->intensity[user] / all : 0;
    for (size_t i = 0; i < out->n; i++) {
        out->reason[i].contribution *= scale;
        out->raw += out->reason[i].contribution;
    }
    pz_reasons_join(out->reason, out->n, out);
done:
    pz_interest_ask_release(&ask);
    return err->status;
}

static int
find_items(const void *state, const char *text, size_t n, uint32_t **item,
           size_t *n_items, size_t *unknown, struct pz_err *err)
{
    const struct segments *s = state;
    return pz_facets_find(&s->x.content, text, n, item, n_items, unknown, err);
}

const struct pz_recipe pz_recipe_item_affinity = {
    .name = "aws-item-affinity",
    .type = PZ_USER_SEGMENTATION,
    .summary = "users who are likeliest to turn to an item",
    .params = params,
    .has_scores = true,
    .train = train,
    .open = open_state,
    .close = free,
    .rank = rank,
    .explain = explain,
};

const struct pz_recipe pz_recipe_item_attribute_affinity = {
    .name = "aws-item-attribute-affinity",
    .type = PZ_USER_SEGMENTATION,
    .summary = "users who are likeliest to turn to items with given attributes",
    .params = params,
    .has_scores = true,
    .train = train_attributes,
    .open = open_state,
    .close = free,
    .rank = rank,
    .explain = explain,
    .find_items = find_items,
};
