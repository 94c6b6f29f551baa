/*
 * part: one scoring model inside a recipe that chooses among several or blends them.
 *
 * A part learns from events, keeps its tensors under a prefix of its own ("ease.row"),
 * and gives every item a score for any history. Scores of one part compare with each
 * other only; whoever blends parts brings them to one scale.
 */
#ifndef PZ_RECIPE_PART_H
#define PZ_RECIPE_PART_H

#include "recipe/model.h"

/* An earlier model, for as long as a training takes, and where its items went. */
struct pz_kept {
    const struct pz_model *model;
    const uint32_t *now; // its items' numbers now, ascending; PZ_NO_ID: gone
};

struct pz_part {
    const char *name; // "ease": prefix of tensors, and of its metadata "train.ease."
    const char *summary;
    bool impersonal; // every history gets the same scores

    /*
     * About how long train() takes, in seconds of one core at 30 GFLOP/s: a count of its
     * operations and no measurement, so that a choice made by it is always the same.
     * INFINITY: it cannot learn from these events at all.
     */
    double (*cost)(const struct pz_train *t);
    /* Is there anything for train() in t->events, however little? NULL: always. */
    bool (*learns)(const struct pz_train *t);
    /* Learns. What is chosen by numbers of events or items goes by pz_train_whole(), so
     * that what is validated is what will be used. Byte-identical output for any
     * t->threads; t->world's arrays may be lent to the builder, t->events' may not. */
    int (*train)(const struct pz_train *t, struct pz_err *err);
    /*
     * The same as far as another model has learned it: its tensors for the items and
     * users of now. NULL: it is learned anew.
     */
    int (*keep)(const struct pz_train *t, const struct pz_kept *k, struct pz_err *err);
    /* Binds to the tensors of an opened model; checks shapes. */
    int (*open)(void **state, const struct pz_model *model, struct pz_err *err);
    void (*close)(void *state);

    /*
     * Working memory of one thread for up to `batch` queries; shared by nothing. NULL
     * functions: the part needs none.
     */
    int (*work_new)(void **work, const void *state, size_t batch, struct pz_err *err);
    void (*work_free)(void *work);

    /*
     * The scores of all items for each of n queries: score[k * stride + i] for item i of
     * query k, overwritten, higher is better, finite. stride is at least n_items rounded
     * up to PZ_PACK (math/kernels.h); what lies behind n_items is scratch. known[k] is
     * false (and the row 0) when the part can say nothing about the query's history.
     * Reads history, weight, time and user of a query; filters and candidates are the
     * caller's business. Safe from many threads with a work each; the answer to a query
     * does not depend on the others beside it.
     */
    int (*score)(const void *state, void *work, const struct pz_query *q, size_t n,
                 float *score, size_t stride, bool *known, struct pz_err *err);

    /*
     * Exact terms of an item's score, one per distinct history item (room for
     * query.n_history + 1), or, of an impersonal part, a single one with a label; NULL
     * when the part is not additive.
     */
    int (*explain)(const void *state, void *work, const struct pz_query *q, uint32_t item,
                   struct pz_explained *out, struct pz_err *err);
};

#endif
