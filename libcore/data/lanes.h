/*
 * lanes: the threads of an import that turn its input into packed rows.
 *
 * Each lane takes a chunk at a time and has rows and dictionaries of its own; what stands
 * in them depends on which lane took which chunk, and no longer does when the
 * dictionaries are merged and the rows sorted (data/import.c). Bad rows take effect in
 * the order of the input (data/rejects.h).
 */
#ifndef PZ_DATA_LANES_H
#define PZ_DATA_LANES_H

#include <pthread.h>

#include "data/convert.h"
#include "data/csv.h"
#include "data/header.h"
#include "data/import.h"
#include "data/jsonl.h"
#include "data/rejects.h"
#include "data/rows.h"
#include "data/widen.h"

enum { PZ_LANES_MAX = 64 };

struct pz_lane {
    struct pz_csv *csv;
    struct pz_jsonl *jsonl;
    struct pz_convert convert; // with its dictionaries
    struct pz_row_list rows;
    struct pz_chunk chunk;
    struct pz_cell *cell; // one a field of the schema
    struct pz_rejected bad;
    uint64_t rows_read;
};

/* Column numbers of a file, published by the lane that meets its header. */
struct pz_lane_header {
    struct pz_header map;
    bool ready;
};

struct pz_lanes {
    // Set by the caller, whose they are.
    const struct pz_import *p;
    const struct pz_schema *schema;
    const struct pz_layout *layout;
    struct pz_input *input; // NULL: rows come by pz_lanes_add() alone
    enum pz_format format;
    char delimiter;
    bool inferred; // the schema was
    struct pz_rows *rows;
    struct pz_rejects *rejects;
    struct pz_widening *widening;

    struct pz_lane *lane; // [n]
    int n;
    uint64_t rows_read;
    struct pz_lane_header *header; // [n_files]
    size_t n_files;
    pthread_mutex_t lock; // guards header
    pthread_cond_t published;
    bool made; // lock and published are
    // The first chunk of the input that failed, UINT64_MAX: none, and why. Atomic; those
    // before it are read to their ends, so that threads do not decide what is told.
    uint64_t failed;
    struct pz_err err;
};

int pz_lanes_make(struct pz_lanes *l, struct pz_err *err);
void
pz_lanes_release(struct pz_lanes *l); // what pz_lanes_make() made, or of zeros nothing

/*
 * Reads all input, of which *first, which is taken over, is the first chunk. PZ_DATA with
 * FILE:LINE:COLUMN of the first bad row that is one too many, or FILE when no row is
 * left. At the end the columns that were left out are told of, as warnings in the order
 * of the files.
 */
int pz_lanes_read(struct pz_lanes *l, struct pz_chunk *first, struct pz_err *err);
/* One row into the first lane, `order` as the conversion wants it. PZ_DATA: it does not
 * fit, and the lane's convert.reason says why. */
int pz_lanes_add(struct pz_lanes *l, const struct pz_cell *cell, int64_t order,
                 struct pz_err *err);
/* After the last pz_lanes_add(). */
int pz_lanes_flush(struct pz_lanes *l, struct pz_err *err);

#endif
