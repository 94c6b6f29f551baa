/*
 * json_cell: a value of a JSON line as the cell of a row.
 */
#ifndef PZ_DATA_JSON_CELL_H
#define PZ_DATA_JSON_CELL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "data/input.h"

/* Texts of a row that do not stand in its line as they are: unescaped, or joined. */
struct pz_held {
    char *text; // the caller's, with room for all that the row can need
    size_t n;
};
/* A copy of s[0..n), which is within the room. */
const char *pz_held_add(struct pz_held *h, const char *s, size_t n);

/*
 * Reads the next value. Strings, numbers and booleans are one cell, null is PZ_CELL_NULL;
 * so is an empty array. Other arrays, where they may be (`array`), are of strings and
 * numbers, whose texts are joined with '|'. Texts are views into the line or of `held`,
 * which takes no more bytes than the value has in the line.
 *
 * False: *why tells, behind the name of the key, what is wrong with the value; NULL: it
 * is not JSON, and scan->error tells.
 */
bool pz_json_cell(struct pz_scan *scan, struct pz_held *held, bool array,
                  struct pz_cell *cell, const char **why);

#endif
