/*
 * csv: records of a chunk as cells. The only user of libcsv.
 *
 * Rows without a quote, and rows whose quotes just enclose whole fields, are cut by SIMD
 * compares (64 bytes a step); every other row goes through libcsv. Both see the same
 * dialect, which man/pz-import.1 states:
 *
 * - ',' separates, or what pz_csv_set_delimiter() says; LF or CRLF ends a row; the last
 * row may lack it. Any other CR is data.
 * - A field that starts with '"' is quoted: inside it "" and \" are a quote and \\ a
 *   backslash, any other backslash is data, and separators and line ends are data.
 * - A quote that does not start its field is data (12",5).
 * - A quoted field with text behind its closing quote, or without one, is read within its
 *   line once more: quotes inside it are data, and the first that stands before a
 *   separator or the line end closes it ("7" SINGLE",5). Without one the row is bad.
 * - Blanks are data. Blank lines are skipped, and counted as lines.
 */
#ifndef PZ_DATA_CSV_H
#define PZ_DATA_CSV_H

#include "data/input.h"

struct pz_csv; // one per thread

int pz_csv_new(struct pz_csv **csv, struct pz_err *err);
void pz_csv_free(struct pz_csv *csv);

/* Can fields be separated by c? Not by a letter, digit, blank, quote, backslash or what
 * is not printable ASCII, but by a tab. */
bool pz_csv_can_delimit(char c);
/* The separator from the next start on, for which pz_csv_can_delimit() holds. */
void pz_csv_set_delimiter(struct pz_csv *csv, char delimiter);
/* What separates the fields of text that begins so: a comma, or where its first line has
 * none outside quotes, what it has most of ';', tabs and '|'. */
char pz_csv_likely_delimiter(const char *data, size_t n);

/*
 * Reads from data[0..n) (borrowed until the next start), whose first line has number
 * `line`. Column c of the file becomes cell[slot[c]] (slot -1: ignored); n_cols is the
 * header's width: a row of another width is PZ_ROW_BAD. slot[0..n_cols) is borrowed too.
 * With slot NULL cell[c] is column c and rows may have any width up to n_cells.
 */
void pz_csv_start(struct pz_csv *csv, const char *data, size_t n, uint64_t line,
                  const int *slot, size_t n_cols);
/*
 * The next record into cell[0..n_cells); n_found (may be NULL) tells the row's width.
 * Cells that no column has are left alone: set them to PZ_CELL_ABSENT once. Text is not
 * NUL-terminated.
 *
 * PZ_ROW_BAD: at->reason and at->column say why; *n_found is the width where that is what
 * is wrong, else 0. Reading goes on with the next record. The reasons, in the order in
 * which they are looked for:
 *   "has a quote that is never closed"     (the record ends with its line)
 *   "holds a NUL byte"
 *   "is not valid UTF-8"
 *   "has text behind its closing quote"    (the same)
 *   "is longer than 1 MiB"
 *   "has 3 fields where the header has 4"  (column 0)
 */
enum pz_row pz_csv_next(struct pz_csv *csv, struct pz_cell *cell, size_t n_cells,
                        size_t *n_found, struct pz_row_at *at);

/*
 * The next rows as a table, while nothing in them needs care: all of the header's width
 * (two columns at least), in UTF-8, without a quote, backslash or NUL. Field c of row r
 * is at text + begin[k], k = r * n_cols + c, up to before text + begin[k + 1] - 1; a
 * carriage return may stand at the end of a row's last field. 8 bytes may be read from
 * the start of every field.
 */
struct pz_csv_table {
    const char *text;
    const uint16_t *begin; // n_rows * n_cols + 1
    size_t n_rows, n_cols;
};

/* Rows that pz_csv_next would give next, none of them taken yet. Valid until the next
 * call of another function. n_rows 0: the next record, if any, is one for pz_csv_next. */
void pz_csv_peek(struct pz_csv *csv, struct pz_csv_table *table);
/* Takes the first n rows of the table. */
void pz_csv_skip(struct pz_csv *csv, size_t n);
/* For tests: true sends every row through libcsv. */
void pz_csv_force_slow(struct pz_csv *csv, bool on);
/* For tests: at most n bytes are indexed at once (0: as many as without it). */
void pz_csv_force_batch(struct pz_csv *csv, size_t n);
/* Length of the longest prefix of data[0..n) that is whole records (0: none). */
size_t pz_csv_whole(const char *data, size_t n, char delimiter);

#endif
