/*
 * pairs: (user, item) pairs, files of them, and files of rows separated by tabs.
 */
#ifndef PZ_EVAL_PAIRS_H
#define PZ_EVAL_PAIRS_H

#include "data/input.h"

/* Cells are valid during the call. A status other than PZ_OK ends the reading; err's
 * message gets "FILE:LINE: " in front. */
typedef int (*pz_row_fn)(void *ctx, const struct pz_cell *cell, size_t n,
                         struct pz_err *err);

/*
 * Rows of cells separated by tabs, without header; blank lines are skipped. Rows may have
 * any width up to `most` cells (what follows is not looked at) but at least `least`.
 * gzip and zstd are known; "-" is stdin. PZ_DATA, PZ_SYSTEM.
 */
int pz_tsv_read(const char *path, size_t least, size_t most, pz_row_fn fn, void *ctx,
                struct pz_err *err);

/*
 * cell[0] the user, cell[1] the item. CSV with a header or JSON lines as pz-import(1)
 * takes them (other columns are ignored), else, when the first line holds a tab, rows
 * without header separated by tabs.
 */
int pz_pairs_read(const char *path, pz_row_fn fn, void *ctx, struct pz_err *err);

struct pz_pair {
    uint32_t user, item;
};
int pz_pair_order(const void *a, const void *b); // for qsort(): by user, then item

#endif
