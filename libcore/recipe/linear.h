/*
 * linear: item-to-item weights B, and what follows from them: the score of item j for a
 * history with weights x is sum over its items i of x_i B_ij. Rows are either dense over
 * the items that training saw, or sparse, with the entries greatest by magnitude.
 *
 * A model holds for a part NAME
 *
 *   dense    NAME.place U32 [n_items]   the row and column of an item, 2^32-1: none
 *            NAME.weight BF16 [n, ld]   n rows; ld is n rounded up to 16, zeros behind;
 *                                       F32 in older files
 *   sparse   NAME.offsets U64 [n_items+1], NAME.item U32 [k], NAME.weight F32 [k]
 *            row i is [offsets[i], offsets[i+1]), items ascending
 *
 * and, as metadata, "train.NAME.repeats" (sum, once) and "train.NAME.halflife": how a
 * history becomes x (recipe/bag.h).
 */
#ifndef PZ_RECIPE_LINEAR_H
#define PZ_RECIPE_LINEAR_H

#include "recipe/bag.h"
#include "recipe/part.h"

/* Weights in memory or in a model; dense, of floats or halves (math/kernels.h), has
 * sparse's pointers NULL. Views. */
struct pz_linear {
    uint32_t n_items;
    uint32_t n_rows; // dense
    size_t ld;
    const float *dense;   // or
    const uint16_t *half; // dense
    const uint32_t *place;
    const uint64_t *offsets; // sparse
    const uint32_t *item;
    const float *value;
    uint64_t n;                    // of item and value
    const struct pz_tensors *file; // NULL: in memory
    const char *name;
};

/* ---- training ---- */

/* Weights that training made; new memory, released or given to a model. */
struct pz_linear_made {
    uint32_t n_items;
    uint32_t n_rows;
    size_t ld;
    float *dense;
    uint32_t *place;
    uint64_t *offsets;
    uint32_t *item;
    float *value;
};

void pz_linear_made_release(struct pz_linear_made *m); // accepts {0}
struct pz_linear pz_linear_view(const struct pz_linear_made *m);
/* The builder takes the arrays; dense weights become halves. */
void pz_linear_put(struct pz_builder *b, const char *name, struct pz_linear_made *m,
                   const struct pz_bag_rule *rule);

/*
 * Sparse rows, made in parallel. row() writes row r's entries (columns in ranks, any
 * order, distinct; room for n_ranks) and their number; the `keep` greatest by magnitude
 * stay (ties: lower rank). Ranks become items by item_of. row() must depend on r alone;
 * `thread` (below `threads`) tells whose scratch memory it may use. Rows come in runs of
 * PZ_LINEAR_RUN, from a multiple of it on, one after another by the same thread.
 */
enum { PZ_LINEAR_RUN = 16 };
struct pz_linear_rows {
    uint32_t n_ranks, n_items;
    const uint32_t *item_of;
    size_t keep; // at least 1
    int threads;
    void *ctx;
    int (*row)(void *ctx, int thread, uint32_t r, uint32_t *rank, float *value, size_t *n,
               struct pz_err *err);
    void (*done)(void *ctx); // or NULL: no row is asked for any more, before all are
                             // joined; what they came from may go
};
int pz_linear_make(struct pz_linear_made *m, const struct pz_linear_rows *rows,
                   struct pz_err *err);

/*
 * The dense matrix b over ranks (n_ranks x n_ranks, rows ld apart, ld = PZ_PAD(n_ranks),
 * zeros behind) as it is, taken over, also on failure.
 */
int pz_linear_take_dense(struct pz_linear_made *m, float *b, uint32_t n_ranks,
                         uint32_t n_items, const uint32_t *item_of, struct pz_err *err);

/* The weights of an earlier model between the items that are still there. */
int pz_linear_keep(const struct pz_train *t, const struct pz_kept *k, const char *name,
                   struct pz_err *err);

/* ---- answers ---- */

/* B_ij; 0 where it has none. */
float pz_linear_weight(const struct pz_linear *l, uint32_t i, uint32_t j);

/* The functions of a part (recipe/part.h) that is nothing but such weights. */
int pz_linear_open(void **state, const struct pz_model *model, const char *name,
                   struct pz_err *err);
void pz_linear_close(void *state);
int pz_linear_work_new(void **work, const void *state, size_t batch, struct pz_err *err);
void pz_linear_work_free(void *work);
int pz_linear_score_batch(const void *state, void *work, const struct pz_query *q,
                          size_t n, float *score, size_t stride, bool *known,
                          struct pz_err *err);
int pz_linear_explain(const void *state, void *work, const struct pz_query *q,
                      uint32_t item, struct pz_explained *out, struct pz_err *err);
/* All but the opening, for a struct pz_part. */
#define PZ_LINEAR_ANSWERS                                                                \
    .close = pz_linear_close, .work_new = pz_linear_work_new,                            \
    .work_free = pz_linear_work_free, .score = pz_linear_score_batch,                    \
    .explain = pz_linear_explain

#endif
