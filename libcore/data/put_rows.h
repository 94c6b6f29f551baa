/*
 * put_rows: the parts of putevents: what keys mean (put_table.c), and cells -> rows, with
 * every rule checked (put_rows.c). Private to them and data/putevents.c.
 */
#ifndef PZ_DATA_PUT_ROWS_H
#define PZ_DATA_PUT_ROWS_H

#include "base/buf.h"
#include "data/putevents.h"

/* The cells that every set has; the schema's other columns follow. Records use PUT_ITEM,
 * for their id, alone. */
enum {
    PUT_ID,
    PUT_USER,
    PUT_SESSION,
    PUT_ITEM,
    PUT_TYPE,
    PUT_VALUE,
    PUT_TIME,
    PUT_RECOMMENDATION,
    PUT_IMPRESSION,
    PUT_SOURCE,
    N_PUT,
};

struct pz_put_slot {
    const char *name;             // for messages
    char key[160];                // lower case, without '_'
    const struct pz_field *field; // of the schema; NULL where it has none
};

/* What keys mean in one set. */
struct pz_put_table {
    enum pz_set set;
    bool events;                    // interactions or action interactions
    const struct pz_schema *schema; // or NULL
    struct pz_put_slot *slot;
    size_t n_slots;
};

/* The table of a set; its slots are the caller's to free. */
int pz_put_table_init(struct pz_put_table *t, enum pz_set set,
                      const struct pz_schema *schema, struct pz_err *err);
/* Lower case, without '_', as slots' keys are; false when nothing remains, and when it is
 * too long for any name. */
bool pz_put_fold(char *out, size_t cap, const char *s, size_t n);
/* The slot with this key, or -1. */
int pz_put_find_slot(const struct pz_put_table *t, const char *folded);

enum { PUT_WARNINGS = 24 };

struct pz_put_batch {
    struct pz_put_options o;
    struct pz_put_row *row;
    size_t n, cap;
    struct pz_put_block *block;     // texts of rows
    struct pz_buf json;             // properties being written
    const char *said[PUT_WARNINGS]; // formats of warnings that were given
    const char *name;               // where the reader stands
    uint64_t line;
};

void pz_put_batch_release(struct pz_put_batch *b);
void pz_put_batch_clear(struct pz_put_batch *b);

/* A limit of AWS's was passed: an error with --strict, else a warning, given once. */
int pz_put_limit(struct pz_put_batch *b, struct pz_err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A warning, given once for each fmt. */
void pz_put_warn(struct pz_put_batch *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* AWS's limit on the length of what a slot or `what` holds. */
int pz_put_length(struct pz_put_batch *b, const char *what, const char *s, size_t n,
                  size_t max, struct pz_err *err);

/* Adds the row of cell[0..t->n_slots); in_body: an element of a request, which must have
 * what AWS demands. */
int pz_put_row(struct pz_put_batch *b, const struct pz_put_table *t,
               const struct pz_cell *cell, bool in_body, struct pz_err *err);

#endif
