/* blend_mix: the scores of a blend (recipe/blend.h), for training and for answers. */
#ifndef PZ_RECIPE_BLEND_MIX_H
#define PZ_RECIPE_BLEND_MIX_H

#include "recipe/blend.h"
#include "recipe/cold.h"
#include "recipe/repeat.h"

enum { PZ_MIX_BATCH = 16 };

struct pz_mix {
    uint32_t n_items;
    size_t n; // parts
    const struct pz_part *part[PZ_BLEND_PARTS];
    void *state[PZ_BLEND_PARTS];
    double weight[PZ_BLEND_PARTS];
    struct pz_cold cold;           // scores of items without events
    float repeat[PZ_REPEAT_CELLS]; // what items of a history gain
};

/* Opens the n parts; on failure nothing stays open. */
int pz_mix_open(struct pz_mix *m, const struct pz_model *model, struct pz_err *err);
void pz_mix_close(struct pz_mix *m);

/* Memory of one thread for up to PZ_MIX_BATCH queries. */
struct pz_mix_work {
    void *part[PZ_BLEND_PARTS];
    size_t stride;
    float *row;   // of one part: PZ_MIX_BATCH x stride
    float *score; // of all: PZ_MIX_BATCH x stride
    float *ones;  // 1 for items, 0 behind
    bool known[PZ_MIX_BATCH];
    struct pz_repeats repeats;
    const struct pz_mix *mix;
};
int pz_mix_work_new(struct pz_mix_work **w, const struct pz_mix *m, struct pz_err *err);
void pz_mix_work_free(struct pz_mix_work *w); // accepts NULL

/*
 * Scores of part p into w->row, zeros behind the items; sd[k] is 0 where the part knows
 * nothing of query k or tells no item from another.
 */
int pz_mix_part(struct pz_mix_work *w, size_t p, const struct pz_query *q, size_t n,
                double sd[PZ_MIX_BATCH], struct pz_err *err);

/*
 * The blended scores into w->score, -INFINITY behind the items up to a multiple of 16.
 * w->known[k]: any part knows something of query k.
 */
int pz_mix_score(struct pz_mix_work *w, const struct pz_query *q, size_t n,
                 struct pz_err *err);

/*
 * The n greatest of the scores that the query admits into item and value (NULL: not
 * wanted), best first, ties by lower item; returns their number. key: room for 2n +
 * PZ_MIX_SLACK.
 */
enum { PZ_MIX_SLACK = 1024 };
size_t pz_mix_pick(const float *score, uint32_t n_items, const struct pz_query *q,
                   size_t n, uint64_t *key, uint32_t *item, float *value);

#endif
