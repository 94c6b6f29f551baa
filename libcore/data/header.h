/*
 * header: the first record of a CSV file, matched with a schema; and the schema that a
 * first chunk suggests.
 */
#ifndef PZ_DATA_HEADER_H
#define PZ_DATA_HEADER_H

#include "data/csv.h"
#include "data/naming.h"
#include "data/schema.h"

struct pz_header {
    int *slot; // [n_columns]: the schema's field of each column, -1: ignored
    size_t n_columns;
    unsigned *column; // [n_fields]: 1-based column of each field
    char *ignored;    // names of columns outside the schema, the first ones; NULL: none
};

/*
 * Reads the header of chunk (which starts a file) with csv. *from is where its rows
 * start, *line their first line. Every field of the schema must be there, once, in any
 * order and case, and every name of `naming`; names that no field can have are tidied
 * first (naming.h), and columns without a name are ignored. PZ_DATA "LINE:COLUMN: what"
 * or "LINE: what", to be prefixed with the file and a colon.
 */
int pz_header_read(struct pz_header *h, struct pz_csv *csv, const struct pz_chunk *chunk,
                   const struct pz_schema *schema, const struct pz_naming *naming,
                   size_t *from, uint64_t *line, struct pz_err *err);
void pz_header_release(struct pz_header *h); // accepts {0}

struct pz_infer {
    enum pz_set set;
    enum pz_format format;
    char delimiter;
    char decimal; // of numbers, see pz_convert
    const struct pz_naming *naming;
    /* Lists for messages, owned by the caller; NULL: none. */
    char *renamed; // columns with tidied names: "'Unit price' is Unit_price, ..."
    char *commas;  // strings that would be numbers if `decimal` were a comma
};

/* The schema that the first chunk of the input suggests (up to 10,000 rows of it).
 * PZ_DATA as above. */
int pz_header_infer(struct pz_schema *schema, struct pz_infer *infer,
                    const struct pz_chunk *chunk, struct pz_err *err);

#endif
