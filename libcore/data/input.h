/*
 * input: the bytes of several files, decompressed, in chunks that end at a record's end,
 * for several threads at once; and cells, the form in which every reader hands out a
 * record.
 *
 * gzip and zstd are known by their magic bytes; "-" is stdin. A byte-order mark at the
 * start of a file is dropped; UTF-16 and UTF-32 become UTF-8, and so does what is said to
 * be of another encoding. A record is at most PZ_ROW_MAX bytes.
 */
#ifndef PZ_DATA_INPUT_H
#define PZ_DATA_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define PZ_ROW_MAX   (16u << 20) // bytes of a record
#define PZ_FIELD_MAX (1u << 20)  // bytes of a field

enum pz_cell_kind {
    PZ_CELL_ABSENT,
    PZ_CELL_NULL,
    PZ_CELL_TEXT,
    PZ_CELL_NUMBER,
    PZ_CELL_TRUE,
    PZ_CELL_FALSE
};

/* One value, as text; a CSV cell is TEXT (empty text included) or ABSENT. */
struct pz_cell {
    const char *s; // valid until the reader's next record
    uint32_t n;
    enum pz_cell_kind kind;
};

/* Without the blanks and tabs around it. */
static inline struct pz_cell
pz_cell_trim(struct pz_cell c)
{
    while (c.n && (c.s[0] == ' ' || c.s[0] == '\t')) {
        c.s++;
        c.n--;
    }
    while (c.n && (c.s[c.n - 1] == ' ' || c.s[c.n - 1] == '\t'))
        c.n--;
    return c;
}

enum { PZ_CELL_SHOWN = 64 };
/* The text for a message, "..." behind its first characters where it is long; a control
 * character is '?'. Returns the length without the NUL. */
size_t pz_cell_show(char out[PZ_CELL_SHOWN], const struct pz_cell *cell);

enum pz_row { PZ_ROW, PZ_ROW_BAD, PZ_ROW_END };

/* Where a record stands, for messages and rejects. */
struct pz_row_at {
    uint64_t line;   // 1-based, of its first byte
    unsigned column; // of the trouble: field number (CSV) or byte (JSON lines); 0: all
    const char *raw; // its bytes as they stood in the file, line end included
    size_t n_raw;
    const char *reason; // PZ_ROW_BAD: why; valid until the next record
};

enum pz_format { PZ_CSV, PZ_JSONL };

struct pz_chunk {
    char *data; // owned by the chunk; whole records
    size_t n, cap;
    uint64_t seq;    // 0,1,2,... over all files
    unsigned file;   // index of the file
    uint64_t line;   // number of its first line
    uint64_t before; // lines before it, over all files; one more for each file's end
    bool first;      // it starts the file (a CSV header is there)
};

struct pz_input;
/*
 * n_paths 0 is stdin; path is borrowed until close. Opens the first file and looks at its
 * first bytes: *format is PZ_JSONL when the first non-blank byte is '{', else PZ_CSV.
 * PZ_SYSTEM when a file, any of them, cannot be opened. PZ_DATA for what cannot be read:
 * a directory, empty input, lines that end in CR alone, a JSON array, files of
 * other kinds (zip, xz, Parquet, ...). Files behind the first are judged when their turn
 * comes, and must have the first one's format.
 */
int pz_input_open(struct pz_input **in, const char *const *path, size_t n_paths,
                  enum pz_format *format, struct pz_err *err);
/* The same for text of another encoding (iconv(3)'s name; NULL: UTF-8, -16 or -32).
 * PZ_USAGE when it is not known. */
int pz_input_open_as(struct pz_input **in, const char *const *path, size_t n_paths,
                     const char *encoding, enum pz_format *format, struct pz_err *err);
/* CSV without a header: these names, with commas between, go before every file as its
 * line 0. After the delimiter, before the first chunk; `names` is borrowed until close.
 * PZ_USAGE for JSON lines. */
int pz_input_set_header(struct pz_input *in, const char *names, struct pz_err *err);
/*
 * What separates the fields of CSV, as in csv.h, into *used; before the first chunk.
 * `given` 0: a comma, or where the first line has none outside quotes, what it has most
 * of ';', tabs and '|'. PZ_USAGE for JSON lines when it is given.
 */
int pz_input_set_delimiter(struct pz_input *in, char given, char *used,
                           struct pz_err *err);
/*
 * The next chunk, about 1 MiB or one record; chunk->n 0 at the end. Thread-safe: each
 * thread has its own chunk. In CSV a chunk never ends inside a quoted field (a quote that
 * stays open for 8 MiB is taken for a stray one). PZ_DATA FILE:LINE for a record over
 * PZ_ROW_MAX, PZ_DATA FILE for damaged compression; after an error every call fails with
 * it.
 */
int pz_input_next(struct pz_input *in, struct pz_chunk *chunk, struct pz_err *err);
const char *pz_input_name(const struct pz_input *in, unsigned file); // "(stdin)" for "-"
/* Puts the file in front of a message that begins with LINE: or LINE:COLUMN:; line 0 is
 * what pz_input_set_header() gave. Returns err's status. */
int pz_input_place(const struct pz_input *in, unsigned file, struct pz_err *err);
/* Bytes read of the files as stored, for progress; *total 0: unknown. */
uint64_t pz_input_done(const struct pz_input *in, uint64_t *total);
void pz_input_close(struct pz_input *in);
void pz_chunk_release(struct pz_chunk *chunk);

#endif
