#include "data/csv.h"

#include <csv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/json.h"
#include "base/mem.h"
#include "data/csv_scan.h"

enum { MAX_USED = 64 };

/* A cell in the arena. */
struct span {
    size_t at, n;
};

struct pz_csv {
    enum pz_cpu cpu;
    char delimiter; // what separates fields
    bool slow;      // pz_csv_force_slow
    size_t batch;   // bytes indexed at once

    // the text, and the record that comes next
    const char *data;
    size_t n, pos;
    uint64_t line;

    const int *slot; // NULL: all columns, in their order
    size_t n_cols;
    unsigned n_used; // columns with a slot, 0: they are not in used
    struct used {
        uint32_t column, cell;
    } used[MAX_USED];

    // the batch that is indexed; rows row..ix.n_rows-1 of it are still to come
    size_t base;
    unsigned row, first, next_special; // first: field that starts row `row`
    bool suspect;                      // some row is not UTF-8
    struct pz_csv_index ix;

    // the way through libcsv
    struct csv_parser parser;
    char *text, *arena; // the row as libcsv wants it; the cells it made
    size_t cap_text, cap_arena, n_arena;
    struct span *span;
    size_t n_span, cap_span;
    bool failed; // no memory inside a callback
    char reason[96];
};

/* ---- the shape of one record ---- */

struct shape {
    char delimiter;  // given: what separates fields
    size_t content;  // bytes before the line end
    bool whole;      // a line feed ends it
    bool escapes;    // a backslash stands for something inside quotes
    bool stray;      // a quote inside a field that does not start with one
    bool open_end;   // given: the data may go on behind its end
    size_t unclosed; // field number, 0: none
    size_t behind;   // field number with text behind its closing quote, 0: none
};

/* The bytes before the line end at `end`: one CR before it belongs to it. */
static size_t
without_cr(const char *data, size_t end)
{
    return end > 0 && data[end - 1] == '\r' ? end - 1 : end;
}

/* From the byte behind an opening quote to the one behind its closing quote; 0: never. */
static size_t
skip_quoted(const char *data, size_t n, size_t p, struct shape *shape)
{
    for (;;) {
        while (p < n && data[p] != '"' && data[p] != '\\')
            p++;
        if (p >= n)
            return 0;
        char next = p + 1 < n ? data[p + 1] : 0;
        if (data[p] == '"') {
            if (next != '"')
                return p + 1;
            p += 2;
        } else if (next == '"' || next == '\\') {
            shape->escapes = true;
            p += 2;
        } else {
            p++;
        }
    }
}

/* Does a field that ends before byte p end there? */
static bool
ends_field(const char *data, size_t n, size_t p, char delimiter)
{
    return p == n || data[p] == delimiter || data[p] == '\n' ||
           (data[p] == '\r' && (p + 1 == n || data[p + 1] == '\n'));
}

/*
 * Many writers quote a text without escaping the quotes in it ("7" SINGLE"). Where strict
 * reading leaves text behind a closing quote, the field is read so: within its line, the
 * first quote that stands before a separator closes. 0: there is none.
 */
static size_t
skip_unescaped(const char *data, size_t n, size_t p, struct shape *shape)
{
    for (; p < n && data[p] != '\n'; p++)
        if (data[p] == '"' && ends_field(data, n, p + 1, shape->delimiter)) {
            shape->escapes = true; // libcsv must see the quotes inside doubled
            return p + 1;
        }
    return 0;
}

/*
 * From the byte behind an opening quote to the one behind its closing quote; *literal
 * when quotes inside stand for themselves. 0: the field is wrong, or, when the data may
 * go on, not yet to be judged.
 */
static size_t
skip_field(const char *data, size_t n, size_t p, struct shape *shape, bool *literal)
{
    size_t strict = skip_quoted(data, n, p, shape);
    *literal = false;
    if (strict ? ends_field(data, n, strict, shape->delimiter) : shape->open_end)
        return strict;
    *literal = true;
    return skip_unescaped(data, n, p, shape);
}

/*
 * The one definition of where a record ends: the length of the record that starts at
 * data, line end included. A record with a wrong field ends where the line of that
 * field's opening quote ends. Which of the two faults it has is told by that line alone:
 * what follows may be out of view here and in view elsewhere, and must not matter.
 */
static size_t
measure(const char *data, size_t n, char delimiter, bool open_end, struct shape *shape)
{
    size_t p = 0;
    *shape = (struct shape){.delimiter = delimiter, .open_end = open_end};
    for (size_t field = 1;; field++) {
        if (p < n && data[p] == '"') {
            bool literal;
            size_t end = skip_field(data, n, p + 1, shape, &literal);
            if (!end && !literal)
                return n;
            if (!end) {
                const char *feed = memchr(data + p, '\n', n - p);
                size_t line = feed ? (size_t)(feed - data) : n;
                bool closed = skip_quoted(data, line, p + 1, shape) > 0;
                *(closed ? &shape->behind : &shape->unclosed) = field;
                p = line;
                break;
            }
            p = end;
        }
        for (; p < n && data[p] != delimiter && data[p] != '\n'; p++)
            shape->stray |= data[p] == '"';
        if (p == n || data[p] == '\n')
            break;
        p++;
    }
    shape->content = without_cr(data, p);
    shape->whole = p < n;
    return p < n ? p + 1 : n;
}

/* Number of the field that holds byte `at` of a measured record, n bytes of data behind
 * its start (with less in view, quotes could be read otherwise than measure() did). */
static size_t
field_of(const char *data, size_t content, size_t n, char delimiter, size_t at)
{
    struct shape ignored = {.delimiter = delimiter};
    size_t p = 0;
    for (size_t field = 1;; field++) {
        if (p < content && data[p] == '"') {
            bool literal;
            p = skip_field(data, n, p + 1, &ignored, &literal);
            if (!p)
                return field;
        }
        while (p < content && data[p] != delimiter)
            p++;
        if (at <= p || p >= content)
            return field;
        p++;
    }
}

size_t
pz_csv_whole(const char *data, size_t n, char delimiter)
{
    size_t p = 0; // a record starts here
    while (p < n) {
        const char *quote = memchr(data + p, '"', n - p);
        const char *end = quote ? quote : data + n;
        const char *feed = memrchr(data + p, '\n', (size_t)(end - data) - p);
        if (feed)
            p = (size_t)(feed - data) + 1;
        if (!quote)
            break;
        // A quote that stays open for half the longest record is taken for a stray one.
        bool open_end = n - p < PZ_ROW_MAX / 2;
        struct shape shape;
        size_t length = measure(data + p, n - p, delimiter, open_end, &shape);
        if (!shape.whole)
            break;
        p += length;
    }
    return p;
}

/* ---- the way through libcsv ---- */

static int
is_no_space(unsigned char c)
{
    (void)c;
    return 0;
}

static int
is_line_end(unsigned char c)
{
    return c == '\n';
}

static void
on_field(void *bytes, size_t n, void *ctx)
{
    struct pz_csv *csv = ctx;
    struct pz_err ignored = PZ_ERR_INIT;
    if (csv->failed || pz_grow(&csv->span, &csv->cap_span, csv->n_span + 1,
                               sizeof *csv->span, "cells", &ignored)) {
        csv->failed = true;
        return;
    }
    csv->span[csv->n_span++] = (struct span){csv->n_arena, n};
    if (n)
        memcpy(csv->arena + csv->n_arena, bytes, n);
    csv->n_arena += n;
}

static bool
parser_init(struct pz_csv *csv)
{
    if (csv_init(&csv->parser, CSV_STRICT | CSV_STRICT_FINI))
        return false;
    csv_set_space_func(&csv->parser, is_no_space);
    csv_set_term_func(&csv->parser, is_line_end);
    csv_set_delim(&csv->parser, (unsigned char)csv->delimiter);
    csv_set_blk_size(&csv->parser, 4096); // it grows by this much at a time
    return true;
}

/* The quoted field from its opening quote at p to `end`, with every quote inside doubled.
 */
static size_t
rewrite_field(char *out, const char *data, size_t p, size_t end, bool literal)
{
    size_t len = 0;
    out[len++] = data[p++];
    while (p + 1 < end) {
        char c = data[p], next = data[p + 1];
        bool pair = p + 2 < end &&
                    ((c == '\\' && next == '"') || (!literal && c == '"' && next == '"'));
        if (pair || c == '"') {
            out[len++] = '"';
            out[len++] = '"';
            p += pair ? 2 : 1;
        } else {
            out[len++] = c;
            p += 1 + (c == '\\' && next == '\\' && p + 2 < end);
        }
    }
    out[len++] = '"';
    return len;
}

/* A sound record as libcsv wants it: \" and \\ inside quotes become "" and \, and so on;
 * n_all as in field_of(). Returns the length, at most 2n. */
static size_t
rewrite(char *out, const char *data, size_t n, size_t n_all, char delimiter)
{
    struct shape ignored = {.delimiter = delimiter};
    size_t p = 0, len = 0;
    while (p < n) {
        if (data[p] == '"') {
            bool literal;
            size_t end = skip_field(data, n_all, p + 1, &ignored, &literal);
            len += rewrite_field(out + len, data, p, end, literal);
            p = end;
        }
        while (p < n && data[p] != delimiter)
            out[len++] = data[p++];
        if (p < n)
            out[len++] = data[p++];
    }
    return len;
}

/* Cuts data[0..n), a sound record without its line end, into csv->span; n_all as above.
 */
static bool
cut_by_libcsv(struct pz_csv *csv, const char *data, size_t n, size_t n_all,
              const struct shape *shape)
{
    struct pz_err ignored = PZ_ERR_INIT;
    csv->n_span = csv->n_arena = 0;
    csv->failed = false;
    if (pz_grow(&csv->arena, &csv->cap_arena, n + 1, 1, "cells", &ignored))
        return false; // cells are never longer than their text
    if (shape->escapes) {
        if (pz_grow(&csv->text, &csv->cap_text, 2 * n + 1, 1, "a row", &ignored))
            return false;
        n = rewrite(csv->text, data, n, n_all, csv->delimiter);
        data = csv->text;
    }
    // Strict libcsv refuses a quote inside an unquoted field, which is data here.
    csv_set_opts(&csv->parser, shape->stray ? 0 : CSV_STRICT | CSV_STRICT_FINI);
    bool good = csv_parse(&csv->parser, data, n, on_field, NULL, csv) == n &&
                csv_fini(&csv->parser, on_field, NULL, csv) == 0 && !csv->failed;
    if (!good) { // an error leaves its state behind
        csv_free(&csv->parser);
        parser_init(csv);
    }
    return good;
}

static enum pz_row
bad(struct pz_row_at *at, size_t column, const char *reason)
{
    at->column = column > UINT32_MAX ? 0 : (unsigned)column;
    at->reason = reason;
    return PZ_ROW_BAD;
}

static enum pz_row
bad_width(struct pz_csv *csv, struct pz_row_at *at, size_t width, size_t n_cells)
{
    if (csv->slot)
        snprintf(csv->reason, sizeof csv->reason,
                 "has %zu field%s where the header has %zu", width, width == 1 ? "" : "s",
                 csv->n_cols);
    else
        snprintf(csv->reason, sizeof csv->reason, "has %zu fields where at most %zu fit",
                 width, n_cells);
    return bad(at, 0, csv->reason);
}

/* Hands out csv->span. */
static enum pz_row
give_spans(struct pz_csv *csv, struct pz_cell *cell, size_t n_cells, size_t *n_found,
           struct pz_row_at *at)
{
    size_t width = csv->n_span;
    for (size_t i = 0; i < width; i++)
        if (csv->span[i].n > PZ_FIELD_MAX)
            return bad(at, i + 1, "is longer than 1 MiB");
    if (n_found)
        *n_found = width;
    if (csv->slot ? width != csv->n_cols : width > n_cells)
        return bad_width(csv, at, width, n_cells);
    for (size_t i = 0; i < width; i++) {
        const struct span *span = &csv->span[i];
        if (!csv->slot || csv->slot[i] >= 0)
            cell[csv->slot ? (size_t)csv->slot[i] : i] =
                (struct pz_cell){csv->arena + span->at, (uint32_t)span->n, PZ_CELL_TEXT};
    }
    return PZ_ROW;
}

/*
 * The record at csv->pos by way of libcsv. Leaves csv->pos and csv->line behind it;
 * PZ_ROW_END for a blank line.
 */
static enum pz_row
slow_row(struct pz_csv *csv, struct pz_cell *cell, size_t n_cells, size_t *n_found,
         struct pz_row_at *at)
{
    struct shape shape;
    const char *data = csv->data + csv->pos;
    size_t n_all = csv->n - csv->pos,
           n = measure(data, n_all, csv->delimiter, false, &shape);
    *at = (struct pz_row_at){.line = csv->line, .raw = data, .n_raw = n};
    csv->pos += n;
    csv->line += pz_count_lines(data, n, csv->cpu);
    if (n_found)
        *n_found = 0;
    if (shape.content == 0)
        return PZ_ROW_END;
    if (shape.unclosed)
        return bad(at, shape.unclosed, "has a quote that is never closed");
    const char *nul = memchr(data, 0, shape.content);
    if (nul)
        return bad(
            at,
            field_of(data, shape.content, n_all, csv->delimiter, (size_t)(nul - data)),
            "holds a NUL byte");
    size_t valid = pz_utf8_valid(data, shape.content);
    if (valid < shape.content)
        return bad(at, field_of(data, shape.content, n_all, csv->delimiter, valid),
                   "is not valid UTF-8");
    if (shape.behind)
        return bad(at, shape.behind, "has text behind its closing quote");
    if (!cut_by_libcsv(csv, data, shape.content, n_all, &shape))
        return bad(at, 0, csv->failed ? "does not fit into memory" : "is not valid CSV");
    return give_spans(csv, cell, n_cells, n_found, at);
}

/* ---- the fast way ---- */

/* Indexes the next batch. False when it holds no whole row: the record is a long one. */
static bool
index_batch(struct pz_csv *csv)
{
    struct pz_csv_index *ix = &csv->ix;
    size_t left = csv->n - csv->pos, n = left < csv->batch ? left : csv->batch;
    const char *data = csv->data + csv->pos;
    csv->base = csv->pos;
    csv->row = csv->first = csv->next_special = 0;
    pz_csv_index(ix, data, n, csv->delimiter, csv->cpu);
    if (n == left &&
        data[n - 1] != '\n') { // the last line has no line feed: as if it had
        ix->row[ix->n_rows++] = (uint16_t)ix->n_fields;
        ix->begin[++ix->n_fields] = (uint16_t)(n + 1);
    }
    if (!ix->n_rows)
        return false;
    size_t rows = ix->begin[ix->row[ix->n_rows - 1] + 1];
    rows = rows < n ? rows : n;
    csv->suspect = ix->high && pz_utf8_valid(data, rows) < rows;
    return true;
}

/* Takes up the index behind the records that slow_row() consumed. */
static void
resume_batch(struct pz_csv *csv)
{
    struct pz_csv_index *ix = &csv->ix;
    size_t done = csv->pos - csv->base; // in the batch, or far behind it
    while (csv->row < ix->n_rows && ix->begin[ix->row[csv->row] + 1] <= done)
        csv->first = ix->row[csv->row++] + 1u;
    while (csv->next_special < ix->n_special && ix->special[csv->next_special] < done)
        csv->next_special++;
    // A record that ended at no line feed of the index was the last of the data.
    if (csv->row < ix->n_rows && ix->begin[csv->first] != done)
        csv->row = ix->n_rows;
}

/* The fields of a row, in any number, to their cells; a blank line; a wrong width. */
static __attribute__((noinline)) enum pz_row
give_fields(struct pz_csv *csv, const uint16_t *begin, size_t width, struct pz_cell *cell,
            size_t n_cells, size_t *n_found, struct pz_row_at *at)
{
    const char *batch = csv->data + csv->base;
    const int *slot = csv->slot;
    unsigned end = begin[width] - 1u;
    bool cr = end > begin[0] && batch[end - 1] == '\r';
    if (n_found)
        *n_found = 0;
    if (begin[0] + (unsigned)cr == end)
        return PZ_ROW_END;
    if (n_found)
        *n_found = width;
    if (slot ? width != csv->n_cols : width > n_cells)
        return bad_width(csv, at, width, n_cells);
    for (size_t i = 0; i < width; i++) {
        if (slot && slot[i] < 0)
            continue;
        unsigned from = begin[i], to = begin[i + 1] - 1u;
        to -= cr && i + 1 == width;
        cell[slot ? (size_t)slot[i] : i] =
            (struct pz_cell){batch + from, to - from, PZ_CELL_TEXT};
    }
    return PZ_ROW;
}

/* Goes behind row csv->row of the index, of `width` fields there, and says where it was.
 */
static inline void
take_row(struct pz_csv *csv, size_t width, struct pz_row_at *at)
{
    const uint16_t *begin = csv->ix.begin + csv->first;
    size_t next = csv->base + begin[width];
    next = next < csv->n ? next : csv->n; // the last line may have no line feed
    at->line = csv->line++;
    at->column = 0;
    at->raw = csv->data + csv->base + begin[0];
    at->n_raw = next - csv->pos;
    at->reason = NULL;
    csv->row++;
    csv->first += (unsigned)width;
    csv->pos = next;
}

/* Row csv->row of the index, which has no special byte and is UTF-8. */
static inline enum pz_row
fast_row(struct pz_csv *csv, struct pz_cell *cell, size_t n_cells, size_t *n_found,
         struct pz_row_at *at)
{
    const char *batch = csv->data + csv->base;
    uint16_t *begin = csv->ix.begin + csv->first;
    size_t width = csv->ix.row[csv->row] - csv->first + 1u;

    take_row(csv, width, at);
    if (__builtin_expect(!csv->n_used || width != csv->n_cols || width < 2, 0))
        return give_fields(csv, begin, width, cell, n_cells, n_found, at);
    if (n_found)
        *n_found = width;
    // A carriage return is cut off by moving the end of the last field in the index; the
    // start of the next row moves with it and is put back.
    uint16_t end = begin[width];
    begin[width] = (uint16_t)(end - (batch[end - 2] == '\r'));
    for (unsigned i = 0, n = csv->n_used; i < n; i++) {
        const uint16_t *b = begin + csv->used[i].column;
        cell[csv->used[i].cell] =
            (struct pz_cell){batch + b[0], b[1] - 1u - b[0], PZ_CELL_TEXT};
    }
    begin[width] = end;
    return PZ_ROW;
}

/* The offset of the next quote, past backslashes that stand for themselves, before `end`;
 * `end` when something else comes first. *special goes behind it. */
static inline unsigned
closing_quote(const char *batch, const uint16_t **special, unsigned end)
{
    for (; **special < end; (*special)++) {
        unsigned at = **special;
        if (batch[at] == '"')
            return *(*special)++;
        if (batch[at] == 0)
            break;
        // The row may be the last bytes there are.
        if (at + 1 < end && (batch[at + 1] == '"' || batch[at + 1] == '\\'))
            break;
    }
    return end;
}

/*
 * Row csv->row of the index, when all its quotes do is to enclose whole fields on one
 * line, as programs write that quote everything: then nothing needs to be unescaped.
 * False for every other row, and for rows that are wrong: nothing is taken then.
 */
static bool
quoted_row(struct pz_csv *csv, struct pz_cell *cell, size_t n_cells, size_t *n_found,
           struct pz_row_at *at)
{
    const char *batch = csv->data + csv->base;
    const uint16_t *begin = csv->ix.begin + csv->first;
    const uint16_t *special = csv->ix.special + csv->next_special;
    size_t n = csv->ix.row[csv->row] - csv->first + 1u; // as if none were quoted
    size_t limit = csv->slot ? csv->n_cols : n_cells, width = 0;
    unsigned end = begin[n] - 1u;
    end -= batch[end - 1] == '\r';
    for (size_t k = 0; k < n; k++, width++) {
        unsigned from = begin[k], to;
        if (width == limit)
            return false;
        if (*special == from && batch[from] == '"') {
            from++;
            special++;
            to = closing_quote(batch, &special, end);
            while (k + 1 < n && begin[k + 1] - 1u < to)
                k++; // that one is quoted
            if (to + 1 != (k + 1 < n ? begin[k + 1] - 1u : end))
                return false;
        } else {
            to = k + 1 < n ? begin[k + 1] - 1u : end;
            for (; *special < to; special++)
                if (batch[*special] != '\\')
                    return false;
        }
        int c = csv->slot ? csv->slot[width] : (int)width;
        if (c >= 0)
            cell[c] = (struct pz_cell){batch + from, to - from, PZ_CELL_TEXT};
    }
    if (csv->slot && width != csv->n_cols)
        return false;
    if (n_found)
        *n_found = width;
    csv->next_special = (unsigned)(special - csv->ix.special);
    take_row(csv, n, at);
    return true;
}

enum pz_row
pz_csv_next(struct pz_csv *csv, struct pz_cell *cell, size_t n_cells, size_t *n_found,
            struct pz_row_at *at)
{
    const struct pz_csv_index *ix = &csv->ix;
    for (;;) {
        enum pz_row r;
        if (csv->row == ix->n_rows) {
            if (csv->pos == csv->n)
                return PZ_ROW_END;
            if (csv->slow || !index_batch(csv)) {
                r = slow_row(csv, cell, n_cells, n_found, at);
                if (r == PZ_ROW_END)
                    continue;
                return r;
            }
        }
        unsigned end = ix->begin[ix->row[csv->row] + 1u] - 1u;
        if (__builtin_expect(ix->special[csv->next_special] >= end && !csv->suspect, 1)) {
            r = fast_row(csv, cell, n_cells, n_found, at);
        } else if (!csv->suspect && quoted_row(csv, cell, n_cells, n_found, at)) {
            r = PZ_ROW;
        } else {
            r = slow_row(csv, cell, n_cells, n_found, at);
            resume_batch(csv);
        }
        if (r != PZ_ROW_END)
            return r;
    }
}

/* ---- tables ---- */

enum { OVERREAD = 8 }; // bytes that may be read from the start of a field

/* How many of the rows that are left in the index are plain and of the header's width. */
static size_t
plain_rows(const struct pz_csv *csv)
{
    const struct pz_csv_index *ix = &csv->ix;
    const uint16_t *row = ix->row + csv->row;
    unsigned special = ix->special[csv->next_special], width = (unsigned)csv->n_cols;
    unsigned end = csv->first + width; // the field behind the row
    size_t n = ix->n_rows - csv->row, k = 0;
    for (; k < n && row[k] + 1u == end && ix->begin[end] - 1u <= special; k++)
        end += width;
    while (k && csv->base + ix->begin[csv->first + k * width] + OVERREAD > csv->n)
        k--;
    return k;
}

void
pz_csv_peek(struct pz_csv *csv, struct pz_csv_table *table)
{
    *table = (struct pz_csv_table){.n_cols = csv->n_cols};
    if (csv->slow || !csv->slot || csv->n_cols < 2)
        return;
    if (csv->row == csv->ix.n_rows && (csv->pos == csv->n || !index_batch(csv)))
        return;
    table->text = csv->data + csv->base;
    table->begin = csv->ix.begin + csv->first;
    table->n_rows = csv->suspect ? 0 : plain_rows(csv);
}

void
pz_csv_skip(struct pz_csv *csv, size_t n)
{
    if (!n)
        return;
    csv->row += (unsigned)n;
    csv->line += n;
    csv->first += (unsigned)(n * csv->n_cols);
    csv->pos = csv->base + csv->ix.begin[csv->first];
}

/* ---- life ---- */

int
pz_csv_new(struct pz_csv **csv, struct pz_err *err)
{
    struct pz_csv *c;
    if (pz_new(&c, 1, sizeof *c, "a CSV reader", err))
        return err->status;
    c->cpu = pz_cpu();
    c->delimiter = ',';
    c->batch = PZ_CSV_BATCH;
    if (!parser_init(c)) {
        free(c);
        return pz_err_set(err, PZ_SYSTEM, "cannot start libcsv");
    }
    *csv = c;
    return PZ_OK;
}

void
pz_csv_free(struct pz_csv *csv)
{
    if (!csv)
        return;
    csv_free(&csv->parser);
    free(csv->text);
    free(csv->arena);
    free(csv->span);
    free(csv);
}

bool
pz_csv_can_delimit(char c)
{
    static const char others[] = "!#$%&'()*+,-./:;<=>?@[]^_`{|}~\t";
    return c && strchr(others, c);
}

void
pz_csv_set_delimiter(struct pz_csv *csv, char delimiter)
{
    csv->delimiter = delimiter;
    csv_set_delim(&csv->parser, (unsigned char)delimiter);
}

void
pz_csv_force_slow(struct pz_csv *csv, bool on)
{
    csv->slow = on;
}

void
pz_csv_force_batch(struct pz_csv *csv, size_t n)
{
    csv->batch = n && n < PZ_CSV_BATCH ? n : PZ_CSV_BATCH;
}

void
pz_csv_start(struct pz_csv *csv, const char *data, size_t n, uint64_t line,
             const int *slot, size_t n_cols)
{
    csv->data = data;
    csv->n = n;
    csv->pos = 0;
    csv->line = line;
    csv->slot = slot;
    csv->n_cols = n_cols;
    csv->row = csv->ix.n_rows = 0;
    csv->n_used = 0;
    for (size_t i = 0; slot && n_cols <= MAX_USED && i < n_cols; i++)
        if (slot[i] >= 0)
            csv->used[csv->n_used++] = (struct used){(uint32_t)i, (uint32_t)slot[i]};
}

char
pz_csv_likely_delimiter(const char *data, size_t n)
{
    static const char other[] = ";\t|";
    size_t seen[sizeof other] = {0}, best = 0;
    const char *end = data + n, *p = data;
    bool quoted = false, comma = false;
    while (p < end && (*p == '\r' || *p == '\n'))
        p++;
    for (; p < end && (quoted || *p != '\n'); p++) {
        const char *found = *p ? strchr(other, *p) : NULL;
        quoted ^= *p == '"';
        comma |= *p == ',' && !quoted;
        if (found && !quoted)
            seen[found - other]++;
    }
    for (size_t k = 1; k < sizeof other - 1; k++)
        best = seen[k] > seen[best] ? k : best;
    return comma || !seen[best] ? ',' : other[best];
}
