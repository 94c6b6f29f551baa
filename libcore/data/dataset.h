/*
 * dataset: an imported dataset, opened (pz-dataset(5)).
 *
 * Interactions: users and items are the distinct ids, sorted bytewise; rows are grouped
 * by user (row.offsets), inside a user by time, then by item and the other columns; equal
 * rows are stored once. Items, users, actions: one row an id, row i belongs to id i.
 *
 * Columns hold the schema's other fields in schema order. Strings are codes (U8, U16 or
 * U32) into the column's sorted dictionary; integers have the narrowest of U8, U16, U32,
 * I32, I64; reals are F32 when all values are exact in it, else F64; booleans are U8. A
 * column with nulls has a BOOL tensor beside it; where it is false the value is null (and
 * stored as 0).
 */
#ifndef PZ_DATA_DATASET_H
#define PZ_DATA_DATASET_H

#include "data/ids.h"
#include "data/schema.h"

struct pz_column {
    const char *name; // the schema's
    const struct pz_field *field;
    enum pz_dtype dtype;
    const void *data;     // n_rows
    const uint8_t *valid; // n_rows, or NULL: no nulls
    struct pz_ids dict;   // strings: the values, sorted; no table
};

struct pz_dataset {
    struct pz_tensors file;
    struct pz_schema schema;
    uint64_t n_rows;
    struct pz_ids user;          // interactions, action-interactions, users
    struct pz_ids item;          // interactions, items; or the actions of the other two
    const uint64_t *row_offsets; // interactions: n_users+1
    const void *row_item;        // interactions: n_rows; read with pz_dataset_item()
    enum pz_dtype item_dtype;    // its type: U8, U16 or U32
    struct pz_column *column;    // all but the id fields
    size_t n_columns;
};

/* GROUP/NAME.safetensors of this type; new string. */
int pz_dataset_path(char **path, const char *group, enum pz_set set, struct pz_err *err);
/* Opens and checks what can be checked in O(columns + 1). PZ_FORMAT names the tensor. */
int pz_dataset_open(struct pz_dataset *d, const char *path, struct pz_err *err);
/* The same of an open file, which may be closed afterwards; path is for messages. */
int pz_dataset_open_fd(struct pz_dataset *d, int fd, const char *path,
                       struct pz_err *err);
void pz_dataset_close(struct pz_dataset *d); // accepts {0}
/* Column of this name (exact, else without case), NULL when there is none. */
const struct pz_column *pz_dataset_column(const struct pz_dataset *d, const char *name);
/*
 * Reads ids, row_offsets, row_item, dictionaries and their codes once, so that whoever
 * uses them as indexes afterwards need not check (training does). Sequential, at memory
 * speed. PZ_FORMAT naming the tensor.
 */
int pz_dataset_check(const struct pz_dataset *d, struct pz_err *err);

/* The item of row r of interactions. */
static inline uint32_t
pz_dataset_item(const struct pz_dataset *d, uint64_t r)
{
    switch (d->item_dtype) {
    case PZ_U8:
        return ((const uint8_t *)d->row_item)[r];
    case PZ_U16:
        return ((const uint16_t *)d->row_item)[r];
    default:
        return ((const uint32_t *)d->row_item)[r];
    }
}

/* Value of row r: false when null. Integers and booleans as i64; any numeric as double.
 */
bool pz_column_i64(const struct pz_column *c, uint64_t r, int64_t *out);
bool pz_column_f64(const struct pz_column *c, uint64_t r, double *out);
/* Dictionary code (strings); PZ_NO_ID when null. */
uint32_t pz_column_code(const struct pz_column *c, uint64_t r);
/* The text of a string cell; NULL when null (or damaged). */
const char *pz_column_text(const struct pz_column *c, uint64_t r, size_t *len);

#endif
