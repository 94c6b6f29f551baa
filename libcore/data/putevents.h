/*
 * putevents: what is put one by one, as rows for the event store.
 *
 * A line of JSON is the body of a PutEvents, PutItems, PutUsers, PutActions or
 * PutActionInteractions request, or one flat object with the columns of the dataset as
 * keys; a record of CSV is such an object too. Keys match names without regard to case
 * and '_', so that numRatings is NUM_RATINGS. pz-event(1) states the rules.
 *
 * In a flat object the members of an object under an unknown key are columns: "id" in
 * "user" is user.id. There and in CSV, names that no field can have count when tidied
 * (naming.h), user_id here, where the column is not there under a name of its own.
 *
 * Rows wait in the reader until pz_put_clear(). A line gives all of its rows or none.
 */
#ifndef PZ_DATA_PUTEVENTS_H
#define PZ_DATA_PUTEVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "data/input.h"
#include "data/naming.h"
#include "data/schema.h"
#include "data/times.h"
#include "store/estore.h"

struct pz_put_options {
    enum pz_set set;                           // of flat objects and CSV
    const struct pz_schema *schema[PZ_N_SETS]; // borrowed; NULL: no such dataset
    const char *const *tracking_id;            // borrowed: those that bodies may name;
    size_t n_tracking_ids;                     // with none of them any will do
    bool strict;                               // AWS's limits and demands are errors
    const struct pz_naming *naming;            // of flat objects and CSV; NULL: none
    const struct pz_times *times; // of flat objects and CSV; NULL: seconds, also with a
                                  // fraction, or ISO 8601, as in bodies
    /* Adds the items shown under a recommendationId, with '|' between, to *out; false:
     * not known. They are the impression of an event that has none. NULL: none is known.
     */
    bool (*shown)(void *ctx, const char *recommendation, struct pz_buf *out);
    void *shown_ctx;
};

struct pz_put_row {
    enum pz_set set;
    struct pz_event event; // of records only item (the id) and properties
    uint64_t line;
};

struct pz_put; // one per thread

/* PZ_USAGE: `naming` has a name that is no column. */
int pz_put_new(struct pz_put **p, const struct pz_put_options *o, struct pz_err *err);
void pz_put_free(struct pz_put *p);

/*
 * Reads text[0..n), one JSON value. `name` and `line` are for warnings. PZ_DATA: it gives
 * no rows; err says why ("COLUMN: reason" where the byte is known, counted from 1, else
 * the reason alone), without name and line. PZ_SYSTEM: no memory.
 */
int pz_put_line(struct pz_put *p, const char *text, size_t n, const char *name,
                uint64_t line, struct pz_err *err);

/*
 * CSV: the header gives slot[0..n) for pz_csv_start (the caller's memory); all names of
 * `naming` must be there. Rows are then read into the cells that pz_put_cells gives
 * (n_cells of them, absent ones set so) and handed in.
 */
int pz_put_header(struct pz_put *p, const struct pz_cell *name, size_t n, int *slot,
                  const char *file, struct pz_err *err);
struct pz_cell *pz_put_cells(struct pz_put *p, size_t *n_cells);
int pz_put_record(struct pz_put *p, const char *name, uint64_t line, struct pz_err *err);

/* The rows so far; valid until the next call that reads or clears. Their texts are valid
 * until pz_put_clear. */
const struct pz_put_row *pz_put_rows(const struct pz_put *p, size_t *n);
void pz_put_clear(struct pz_put *p);

#endif
