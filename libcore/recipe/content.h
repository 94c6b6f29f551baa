/*
 * content: how alike two items are by their features (recipe/features.h), in a model.
 *
 * The tensors are item features by item and by feature, and their names:
 *   feature.offsets U64 [n_items+1], feature.of U32, feature.weight F32
 *   feature.item_offsets U64 [n_features+1], feature.item U32, feature.item_weight F32
 *   feature.name.{bytes,offsets}
 *
 * The cosines of an item with all others cost one addition for each item that shares a
 * feature, for each of its features, and are exact.
 */
#ifndef PZ_RECIPE_CONTENT_H
#define PZ_RECIPE_CONTENT_H

#include "recipe/features.h"
#include "recipe/model.h"

/* Hands the features to the builder; *f is empty afterwards. */
void pz_content_add(struct pz_builder *b, struct pz_features *f);

struct pz_content {
    const struct pz_model *model;
    const uint64_t *offsets, *item_offsets;
    const uint32_t *feature, *item;
    const float *weight, *item_weight;
    struct pz_ids name;
    uint64_t n; // entries
};

int pz_content_open(struct pz_content *c, const struct pz_model *m, struct pz_err *err);

/*
 * score[j] = cosine of `item` and j, for all n_items; its own is 0. *n_features: how many
 * features `item` has; with none all is 0. PZ_FORMAT: damaged.
 */
int pz_content_score(const struct pz_content *c, uint32_t item, float *score,
                     size_t *n_features, struct pz_err *err);

/*
 * The terms of the cosine of i and j, `scale` times each, behind out->reason[out->n]:
 * greatest first, labelled with the names of the features; at most PZ_REASON_LABELS - 2,
 * the last of which is then the sum of those left over. They are added to out->raw too.
 */
int pz_content_explain(const struct pz_content *c, uint32_t i, uint32_t j, double scale,
                       struct pz_explained *out, struct pz_err *err);

/*
 * The best q->n items that the query admits among those with score[i] > 0 (its
 * candidates, if it has any), best first, ties by lower index, completed as by
 * pz_model_complete. out->fallback: there were none.
 */
int pz_content_rank(const struct pz_model *m, const struct pz_query *q,
                    const float *score, struct pz_ranked *out, struct pz_err *err);

#endif
