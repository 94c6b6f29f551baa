/*
 * convert: the cells of a record -> a packed row, with every rule of the schema checked
 * before anything is taken over, so that a bad row leaves no trace in the dictionaries.
 */
#ifndef PZ_DATA_CONVERT_H
#define PZ_DATA_CONVERT_H

#include "base/num.h"
#include "data/csv.h"
#include "data/ids.h"
#include "data/import.h"
#include "data/input.h"
#include "data/rows.h"
#include "data/schema.h"
#include "data/times.h"

enum pz_pack { PZ_PACK_CODE, PZ_PACK_INT, PZ_PACK_REAL, PZ_PACK_BOOL, PZ_PACK_ORDER };

/* Where a field of the schema lives in a row. */
struct pz_pack_field {
    const struct pz_field *field;
    enum pz_pack kind;
    size_t at;    // byte offset of the value
    int null_bit; // of nullable numbers: bit in the null bytes, else -1
    int code;     // of strings and ids: index of its dictionary, else -1
    bool is_id;   // may be neither null nor empty
    bool is_time;
};

struct pz_layout {
    struct pz_pack_field *field; // one a schema field
    size_t n_fields;
    uint32_t *string, *number; // which fields are strings (or ids) and which are not
    size_t n_strings, n_numbers;
    uint8_t *seen_null; // by field, atomic: a row with null there was made
    size_t n_codes;     // dictionaries; 0 is the id's, 1 the item's where there is one
    size_t *code_at;    // row offset of each code
    size_t null_at;     // first null byte
    size_t width;
    bool events; // rows are interactions: order is the time
};

int pz_layout_init(struct pz_layout *l, const struct pz_schema *schema,
                   struct pz_err *err);
void pz_layout_release(struct pz_layout *l);

/* Is the value of this field null in the row? */
static inline bool
pz_pack_null(const struct pz_layout *l, const struct pz_pack_field *f, const char *row)
{
    if (f->kind == PZ_PACK_CODE)
        return !f->is_id && pz_row_u32(row, f->at) == UINT32_MAX;
    return f->null_bit >= 0 &&
           (row[l->null_at + (size_t)f->null_bit / 8] >> f->null_bit % 8 & 1);
}

/* A short string whose code is being fetched; its bytes are the head. */
struct pz_pending {
    uint64_t head;
    size_t hash;
    char *to; // where the code goes
    uint32_t len;
    uint32_t code; // which dictionary
};

enum { PZ_PENDING = 32 };

/* An integer field (PZ_PACK_INT or PZ_PACK_ORDER) of a row. */
static inline int64_t
pz_pack_i64(const struct pz_pack_field *f, const char *row)
{
    return f->kind == PZ_PACK_ORDER ? pz_row_order(row) : pz_row_i64(row, f->at);
}

/* The row's order from s[0..10), when that is ten digits. */
static inline bool
pz_convert_seconds(const char *s, char *row)
{
    uint64_t high;
    unsigned tens = (unsigned)(unsigned char)s[8] - '0';
    unsigned ones = (unsigned)(unsigned char)s[9] - '0';
    if (!pz_eight_digits(s, &high) || tens > 9 || ones > 9)
        return false;
    pz_row_set_order(row, (int64_t)(high * 100 + tens * 10 + ones));
    return true;
}

/* One thread's side of the conversion. */
struct pz_convert {
    const struct pz_layout *layout;
    struct pz_times times;
    char decimal; // '.' or ',': texts are numbers of pz_num_plain(); 0: plain ones alone
    bool strict;
    struct pz_dict *dict; // n_codes
    struct pz_pending pending[PZ_PENDING];
    unsigned n_pending;
    unsigned bad_field; // of the last bad row: the schema's field
    char reason[512];
};

int pz_convert_init(struct pz_convert *c, const struct pz_layout *layout,
                    struct pz_times times, bool strict, struct pz_err *err);
void pz_convert_release(struct pz_convert *c);

/*
 * cell[f] for every field f into row (layout->width bytes). `order` is the row's order in
 * sets that are not interactions. PZ_OK; PZ_DATA with c->reason and c->bad_field filled;
 * PZ_SYSTEM in err. Codes may be written later, at the latest by pz_convert_flush: until
 * then the row must not move.
 */
int pz_convert_row(struct pz_convert *c, const struct pz_cell *cell, int64_t order,
                   char *row, struct pz_err *err);
int pz_convert_flush(struct pz_convert *c, struct pz_err *err);

/*
 * The first n rows of a table, a column at a time: many times cheaper than cells, because
 * nothing is decided row by row. Field f stands in column[f] - 1. Rows that are sound are
 * written to row, row + width, ..., with the orders `order`, order + 1, ...; *n_done < n:
 * row *n_done of the table, of which no trace is left, is one for pz_convert_row.
 */
int pz_convert_table(struct pz_convert *c, const struct pz_csv_table *t, size_t n,
                     const unsigned *column, int64_t order, char *row, size_t *n_done,
                     struct pz_err *err);

/* One field of a row, as pz_convert_row does it; but strings are only checked, and only
 * their nulls are written. */
int pz_convert_field(struct pz_convert *c, size_t f, const struct pz_cell *cell,
                     char *row);

/* What a number's cell would be without marks (c->decimal), in text. */
enum { PZ_NUMBER_BYTES = 64 };
struct pz_cell pz_convert_plain(const struct pz_convert *c, const struct pz_cell *cell,
                                char text[PZ_NUMBER_BYTES]);

#endif
