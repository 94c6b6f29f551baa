/*
 * jsonl: JSON lines as cells. A line is one object; keys are column names (exact, else
 * without case); unknown keys are ignored and counted; 64-bit integers keep all digits.
 *
 * The members of an object under an unknown key are columns themselves: "id" in "user" is
 * user.id. Names that no field can have count when tidied (naming.h), user_id here,
 * unless the line has the field under its own name, or under another such name before.
 *
 * An array of strings or numbers for a string field is a multi-value: its elements
 * joined with '|', the way CSV has them; an empty array is null. Blank lines are skipped.
 */
#ifndef PZ_DATA_JSONL_H
#define PZ_DATA_JSONL_H

#include "data/input.h"
#include "data/naming.h"
#include "data/schema.h"

struct pz_jsonl; // one per thread

/* schema is borrowed until the reader is freed. */
int pz_jsonl_new(struct pz_jsonl **j, const struct pz_schema *schema, struct pz_err *err);
void pz_jsonl_free(struct pz_jsonl *j);
/* Reads keys under other names; borrowed until the reader is freed. */
void pz_jsonl_naming(struct pz_jsonl *j, const struct pz_naming *naming);
/* Reads from data[0..n) (borrowed until the next start), whose first line has number
 * `line`. */
void pz_jsonl_start(struct pz_jsonl *j, const char *data, size_t n, uint64_t line);
/*
 * cell[f] for each field f of the schema, ABSENT when the key is missing. PZ_ROW_BAD: no
 * valid JSON, not an object, an object or array for a known key (but see above), a key
 * twice, a value over PZ_FIELD_MAX. at->column is the byte of the line, counted from 1.
 */
enum pz_row pz_jsonl_next(struct pz_jsonl *j, struct pz_cell *cell, struct pz_row_at *at);
/* How many unknown keys were ignored since pz_jsonl_new(), and the first one's name (""
 * if none; it may be cut). */
uint64_t pz_jsonl_unknown(const struct pz_jsonl *j, const char **name);

#endif
