/*
 * facets: what the columns of items or users say, as sets: "GENRES=Comedy" is the set of
 * the items that hold the value.
 *
 * A facet is named COLUMN=VALUE, the column in upper case. Categories are split at '|',
 * numbers are written the shortest way ("10", "0.5"). Ids, times, texts, booleans and
 * columns whose filled cells are all alike or all different make none.
 */
#ifndef PZ_RECIPE_FACETS_H
#define PZ_RECIPE_FACETS_H

#include "data/dataset.h"

struct pz_facets {
    uint32_t n;            // facets, sorted bytewise by name
    uint8_t *bytes;        // of the names
    int64_t *name_offsets; // n+1
    uint8_t *category;     // n: of a categorical column
    uint32_t n_things;
    uint64_t *of_offsets; // n_things+1
    uint32_t *of;         // facets of each thing, ascending
    uint64_t *in_offsets; // n+1
    uint32_t *in;         // things in each facet, ascending
};

/*
 * Facets of n things, of which thing i has row row[i] of the dataset, or none
 * (PZ_NO_ID). `categories`: of categorical columns only. d NULL: none at all. The
 * dataset was checked (pz_dataset_check). O(cells).
 */
int pz_facets_make(struct pz_facets *f, const struct pz_dataset *d, const uint32_t *row,
                   uint32_t n, bool categories, struct pz_err *err);
void pz_facets_release(struct pz_facets *f); // accepts {0}

/* Adds PREFIX.name.{bytes,offsets}, PREFIX.category U8 [n], PREFIX.of.offsets U64,
 * PREFIX.of U32, PREFIX.in.offsets U64, PREFIX.in U32. The builder takes the arrays. */
void pz_facets_give(struct pz_facets *f, struct pz_builder *b, const char *prefix);

/* The same in an opened model; views. Only shapes are checked: rows are read with
 * pz_facet_row(), and what stands in them must be held against n and n_things. */
struct pz_facet_view {
    struct pz_ids name;
    uint32_t n, n_things;
    const uint8_t *category;
    uint64_t n_entries; // of `of` and of `in`
    const uint64_t *of_offsets, *in_offsets;
    const uint32_t *of, *in;
    const struct pz_tensors *file;
    char prefix[32];
};
void pz_facets_view(struct pz_facet_view *v, const struct pz_facets *f);
int pz_facets_open(struct pz_facet_view *v, const struct pz_tensors *t,
                   const char *prefix, uint32_t n_things, struct pz_err *err);

/* Facets of thing i (`of`) or things in facet i; false: damaged offsets. */
bool pz_facet_row(const uint64_t *offsets, uint64_t i, uint64_t n_entries, uint64_t *from,
                  uint64_t *to);

/*
 * What an expression like
 *
 *     ITEMS.GENRES = "Comedy" AND ITEMS.PRICE = 10
 *
 * asks for: the things that are in all of its facets, ascending, new memory. Only = and
 * AND, columns and ITEMS in any case. *unknown counts the facets that nothing is in.
 * PZ_DATA: another grammar, or a column that no facet is of (lists those that are).
 */
int pz_facets_find(const struct pz_facet_view *v, const char *text, size_t n,
                   uint32_t **thing, size_t *n_things, size_t *unknown,
                   struct pz_err *err);

#endif
