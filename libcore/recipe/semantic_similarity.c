/*
 * aws-semantic-similarity: items whose name and description say the same things.
 *
 * With cos_ij the cosine of the items' words (recipe/features.h, text columns only),
 * popular_j = log(1 + users of j) / log(1 + the most users of an item), and fresh_j the
 * share of the items that were not created after j,
 *
 *     score(j | i) = (1-P) (1-F) cos_ij + P popular_j + F fresh_j     where cos_ij > 0
 *
 * P and F are AWS's rankingInfluence: POPULARITY and FRESHNESS, of the request or,
 * without any there, as the model was trained with. Items without a common word are not
 * similar, however popular or new.
 *
 * A model holds semantic.popular F32 [n_items], semantic.fresh F32 [n_items], and the
 * tensors of recipe/content.h.
 */
#include "recipe/semantic.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "recipe/content.h"
#include "recipe/events.h"
#include "recipe/reasons.h"

static const struct pz_param_def params[] = {
    {.name = "POPULARITY",
     .kind = PZ_PARAM_REAL,
     .place = PZ_PLACE_CAMPAIGN,
     .def = 0,
     .min = 0,
     .max = 1,
     .help = "how much the popularity of a similar item counts"},
    {.name = "FRESHNESS",
     .kind = PZ_PARAM_REAL,
     .place = PZ_PLACE_CAMPAIGN,
     .def = 0,
     .min = 0,
     .max = 1,
     .help = "how much it counts that a similar item is new"},
    {.name = NULL},
};

/* ---- training ---- */

/* What is known of an item besides its words. */
struct trait {
    uint32_t item;
    int64_t created;
    bool known; // created is
};

/* The oldest event of each item, for want of a creation time. */
static void
read_events(const struct pz_events *e, struct trait *t)
{
    for (uint64_t i = 0; i < e->n; i++) {
        struct trait *it = &t[e->item[i]];
        if (!it->known || e->time[i] < it->created)
            it->created = e->time[i];
        it->known = true;
    }
}

/* Creation times, which go before; what has no time at all must be as new as the newest.
 */
static void
read_creation(const struct pz_world *w, struct trait *t, uint32_t n, int64_t newest)
{
    int at = w->items ? w->items->schema.at[PZ_ROLE_CREATION] : -1;
    const struct pz_column *c =
        at < 0 ? NULL : pz_dataset_column(w->items, w->items->schema.field[at].name);
    for (uint32_t it = 0; it < n; it++) {
        int64_t created;
        if (c && w->item_row[it] != PZ_NO_ID &&
            pz_column_i64(c, w->item_row[it], &created)) {
            t[it].created = created;
            t[it].known = true;
            newest = created > newest ? created : newest;
        }
    }
    for (uint32_t it = 0; it < n; it++)
        if (!t[it].known)
            t[it].created = newest;
}

static int
by_creation(const void *a, const void *b)
{
    const struct trait *x = a, *y = b;
    if (x->created != y->created)
        return x->created > y->created ? 1 : -1;
    return (x->item > y->item) - (x->item < y->item);
}

static int
put_traits(const struct pz_train *t, struct pz_err *err)
{
    uint32_t n = t->events->n_items, *users = NULL, most = 1;
    struct trait *trait = NULL;
    float *popular = NULL, *fresh = NULL;
    int r;
    if ((r = pz_events_users(&users, t->events, err)) ||
        (r = pz_new(&trait, n, sizeof *trait, "items", err)) ||
        (r = pz_new(&popular, n, sizeof *popular, "items", err)) ||
        (r = pz_new(&fresh, n, sizeof *fresh, "items", err)))
        goto done;
    read_events(t->events, trait);
    read_creation(t->world, trait, n, pz_events_newest(t->events));
    for (uint32_t it = 0; it < n; it++) {
        trait[it].item = it;
        most = users[it] > most ? users[it] : most;
    }
    for (uint32_t it = 0; it < n; it++)
        popular[it] = (float)(log(1.0 + users[it]) / log(1.0 + most));
    if (n)
        qsort(trait, n, sizeof *trait, by_creation);
    for (uint32_t i = 0, end = 0; i < n; i++) {
        while (end < n && trait[end].created <= trait[i].created)
            end++;
        fresh[trait[i].item] = (float)((double)end / n);
    }
    pz_builder_take1(t->model, "semantic.popular", PZ_F32, n, popular);
    pz_builder_take1(t->model, "semantic.fresh", PZ_F32, n, fresh);
    popular = fresh = NULL;
done:
    free(users);
    free(trait);
    free(popular);
    free(fresh);
    return r;
}

static int
train(const struct pz_train *t, struct pz_err *err)
{
    struct pz_features_spec what = {.sorts = PZ_FEATURE_TEXT, .threads = t->threads};
    struct pz_features f;
    int r = pz_features_make(&f, t->world, &what, err);
    if (r)
        return r;
    if (f.n_columns == 0)
        r = pz_err_set(err, PZ_DATA,
                       "the group's items have no text to compare: their schema needs a "
                       "string field that is textual or an item name");
    if (r == PZ_OK)
        r = put_traits(t, err);
    if (r == PZ_OK) {
        pz_builder_meta_f64(t->model, "train.popularity",
                            pz_param(t->params, "POPULARITY"));
        pz_builder_meta_f64(t->model, "train.freshness",
                            pz_param(t->params, "FRESHNESS"));
        uint32_t n_related = 0;
        for (uint32_t i = 0; i < t->events->n_items; i++)
            n_related += f.by_item.offsets[i] < f.by_item.offsets[i + 1];
        pz_builder_metaf(t->model, PZ_MODEL_RELATED_META, "%" PRIu32, n_related);
        pz_content_add(t->model, &f);
    }
    pz_features_release(&f);
    return r;
}

/* ---- answers ---- */

struct state {
    struct pz_content content;
    const float *popular, *fresh;
    struct pz_influence influence; // as it was trained with
};

static int
open_state(void **state, const struct pz_model *model, struct pz_err *err)
{
    struct state *s;
    uint64_t n = model->n_items;
    if (pz_new(&s, 1, sizeof *s, "a model", err))
        return err->status;
    if (pz_content_open(&s->content, model, err) ||
        pz_tensors_get1(&model->file, "semantic.popular", PZ_F32, &n, &s->popular, err) ||
        pz_tensors_get1(&model->file, "semantic.fresh", PZ_F32, &n, &s->fresh, err) ||
        pz_model_number(model, "train.popularity", 0, 1, &s->influence.popularity, err) ||
        pz_model_number(model, "train.freshness", 0, 1, &s->influence.freshness, err)) {
        free(s);
        return err->status;
    }
    *state = s;
    return PZ_OK;
}

static struct pz_influence
influence_of(const struct state *s, const struct pz_query *q)
{
    return q->influence ? *q->influence : s->influence;
}

static void
add_influence(const struct state *s, const struct pz_influence *i, float *score)
{
    float rest = (float)((1 - i->popularity) * (1 - i->freshness));
    float p = (float)i->popularity, f = (float)i->freshness;
    if (p == 0 && f == 0)
        return;
    for (uint32_t j = 0; j < s->content.model->n_items; j++)
        if (score[j] > 0)
            score[j] = rest * score[j] + p * s->popular[j] + f * s->fresh[j];
}

static int
rank(const void *state, const struct pz_query *q, size_t n, struct pz_ranked *out,
     struct pz_err *err)
{
    const struct state *s = state;
    const struct pz_model *m = s->content.model;
    float *score;
    size_t n_features;
    int r = pz_new_aligned(&score, m->n_items, sizeof *score, "answers", err);
    for (size_t i = 0; i < n && r == PZ_OK; i++) {
        r = pz_content_score(&s->content, q[i].item, score, &n_features, err);
        if (r)
            break;
        struct pz_influence with = influence_of(s, &q[i]);
        add_influence(s, &with, score);
        r = pz_content_rank(m, &q[i], score, &out[i], err);
    }
    free(score);
    return r;
}

static void
add_reason(struct pz_explained *out, uint32_t item, const char *label, double x)
{
    if (x == 0)
        return;
    out->reason[out->n++] = (struct pz_reason){
        .item = item, .contribution = x, .label = label, .n_label = strlen(label)};
    out->raw += x;
}

/* The common words, and what popularity and freshness added. */
static int
explain(const void *state, const struct pz_query *q, uint32_t item,
        struct pz_explained *out, struct pz_err *err)
{
    const struct state *s = state;
    out->n = 0;
    out->raw = 0;
    struct pz_influence with = influence_of(s, q);
    double rest = (1 - with.popularity) * (1 - with.freshness);
    int r = pz_content_explain(&s->content, q->item, item, rest, out, err);
    if (r || out->n == 0)
        return r;
    // Two of the labelled reasons' places are kept for these.
    add_reason(out, item, "POPULARITY", with.popularity * (double)s->popular[item]);
    add_reason(out, item, "FRESHNESS", with.freshness * (double)s->fresh[item]);
    pz_reasons_sort(out);
    return PZ_OK;
}

int
pz_semantic_add_traits(const void *state, uint32_t item, const uint32_t *similar,
                       size_t n, double sum[PZ_N_TRAITS], struct pz_err *err)
{
    const struct state *s = state;
    float *score;
    size_t n_features;
    if (pz_new_aligned(&score, s->content.model->n_items, sizeof *score, "answers", err))
        return err->status;
    if (pz_content_score(&s->content, item, score, &n_features, err) == PZ_OK)
        for (size_t i = 0; i < n; i++) {
            sum[PZ_TRAIT_POPULARITY] += (double)s->popular[similar[i]];
            sum[PZ_TRAIT_FRESHNESS] += (double)s->fresh[similar[i]];
            sum[PZ_TRAIT_SIMILARITY] += (double)score[similar[i]];
        }
    free(score);
    return err->status;
}

const struct pz_recipe pz_recipe_semantic_similarity = {
    .name = "aws-semantic-similarity",
    .type = PZ_RELATED_ITEMS,
    .summary = "related items: those whose name and description say the same",
    .params = params,
    .items_only = true,
    .train = train,
    .open = open_state,
    .close = free,
    .rank = rank,
    .explain = explain,
};
