/*
 * features: the columns of items as sparse vectors.
 *
 * A category column (split at '|') gives a feature for each value. A number column gives
 * its bucket, one of up to 16 that hold as many items each, and half of it to the buckets
 * beside it, so that near values are alike. Booleans are categories. All text columns
 * together (textual ones, the item name, strings that are no categories) give a feature
 * for each word. Reserved columns (creation time ...) give none.
 *
 * With N items that have any feature and df those that have this one
 *
 *     idf = log(1 + (N - df + 0.5) / (df + 0.5))
 *
 * a word that stands tf times in an item's text of len words, 2 tf where it is in the
 * name, weighs idf * 2.2 tf / (tf + 1.2 (0.25 + 0.75 len / mean)) (BM25); any other
 * feature idf times its share. The text is brought to length 1, a number column to 0.5,
 * and a category column to the root of -ln(sum over its values of (df/N)^2) / 2, 1 at
 * most: 0 where all items agree, 0.6 for two values, 1 from some seven on. Then the whole
 * is brought to length 1: the inner product of two items is their cosine, between 0 and
 * 1. Features of a single item count in that length and are left out then, as are the
 * weakest beyond `keep`.
 */
#ifndef PZ_RECIPE_FEATURES_H
#define PZ_RECIPE_FEATURES_H

#include "math/csr.h"
#include "recipe/world.h"

enum pz_feature_sort { // a set of bits
    PZ_FEATURE_CATEGORY = 1,
    PZ_FEATURE_NUMBER = 2,
    PZ_FEATURE_TEXT = 4,
    PZ_FEATURE_ALL = 7,
};

struct pz_features_spec {
    unsigned sorts; // of enum pz_feature_sort
    size_t keep;    // features of an item, the heaviest; 0: all
    int threads;
};

struct pz_features {
    struct pz_csr by_item; // rows: items of the world, without features where the items
                           // dataset has none; columns: features
    struct pz_csr by_feature; // its transpose
    uint8_t *name_bytes;   // "GENRE=Drama", "PRICE=9.5 to 20", "lamp": of each feature,
    int64_t *name_offsets; // n_cols+1
    size_t n_columns;      // columns of the dataset that gave features
};

/*
 * Features are numbered by column and value, so that the result does not depend on the
 * order of rows or on threads. Without an items dataset, or columns of these sorts, there
 * are no features. Time: one pass over the columns, and a sort of the features.
 */
int pz_features_make(struct pz_features *out, const struct pz_world *w,
                     const struct pz_features_spec *spec, struct pz_err *err);
void pz_features_release(struct pz_features *f); // accepts {0}

#endif
