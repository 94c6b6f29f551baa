/*
 * The same bytes as CSV by SIMD at each instruction-set level and by libcsv alone, in one
 * piece and cut where pz_csv_whole() allows it, row by row and as tables where there are
 * any, must give the same rows, bad rows and line numbers; and rows without a quote are
 * what a naive splitter makes of them.
 *
 * The first two bytes of the input choose the width, the slots, the size of the pieces
 * and of the batches that are indexed at once, and the delimiter.
 */
#include "base/buf.h"
#include "base/cpu.h"
#include "base/json.h"
#include "data/csv.h"
#include "data/csv_scan.h"
#include "fuzz.h"

enum { MAX_TEXT = 4096, MAX_CELLS = 8 };

static struct pz_csv *reader[PZ_N_CPU + 1]; // the last one: libcsv only

static void
make_readers(void)
{
    struct pz_err err = PZ_ERR_INIT;
    for (int i = 0; i <= PZ_N_CPU; i++) {
        pz_cpu_force(i < PZ_N_CPU ? (enum pz_cpu)i : PZ_CPU_SCALAR);
        require(pz_csv_new(&reader[i], &err) == PZ_OK);
        pz_csv_force_slow(reader[i], i == PZ_N_CPU);
    }
}

struct task {
    const char *text;
    size_t n;
    const int *slot;
    size_t width;
    char delimiter;
};

/* A row without quotes, NUL and bytes over 0x7F, cut at its delimiters. */
static void
check_plain(const struct task *t, const struct pz_row_at *at, const struct pz_cell *cell,
            size_t width)
{
    size_t end = at->n_raw, start = 0, field = 0;
    if (memchr(at->raw, '"', end))
        return;
    end -= end && at->raw[end - 1] == '\n';
    end -= end && at->raw[end - 1] == '\r';
    for (size_t i = 0; i <= end; i++) {
        if (i < end && at->raw[i] != t->delimiter)
            continue;
        int c = t->slot ? t->slot[field] : (int)field;
        field++;
        if (c >= 0)
            require(cell[c].n == i - start &&
                    memcmp(cell[c].s, at->raw + start, i - start) == 0);
        start = i + 1;
    }
    require(field == width);
}

static void
put_row(struct pz_buf *out, const struct task *t, enum pz_row r,
        const struct pz_row_at *at, size_t found, const struct pz_cell *cell)
{
    uint64_t fields[] = {
        (uint64_t)r, (size_t)(at->raw - t->text), at->n_raw, at->line, at->column, found};
    pz_buf_add(out, fields, sizeof fields);
    if (r == PZ_ROW_BAD)
        pz_buf_addz(out, at->reason);
    for (int i = 0; r == PZ_ROW && i < MAX_CELLS; i++) {
        uint32_t head[] = {cell[i].kind, cell[i].n};
        pz_buf_add(out, head, sizeof head);
        pz_buf_add(out, cell[i].s, cell[i].n);
    }
    if (r == PZ_ROW) {
        require(pz_utf8_valid(at->raw, at->n_raw) == at->n_raw);
        check_plain(t, at, cell, found);
    }
}

static void
no_cells(struct pz_cell *cell)
{
    for (int i = 0; i < MAX_CELLS; i++)
        cell[i] = (struct pz_cell){"", 0, PZ_CELL_ABSENT};
}

/* Row r of a table as pz_csv_next would have given it; returns the bytes it has. */
static size_t
put_table_row(struct pz_buf *out, const struct task *t, const struct pz_csv_table *table,
              size_t r, uint64_t line)
{
    const uint16_t *begin = table->begin + r * table->n_cols;
    struct pz_cell cell[MAX_CELLS];
    struct pz_row_at at = {.line = line, .raw = table->text + begin[0]};
    at.n_raw = (size_t)begin[table->n_cols] - begin[0];
    no_cells(cell);
    for (size_t c = 0; c < table->n_cols; c++) {
        const char *text = table->text + begin[c], *end = table->text + begin[c + 1] - 1;
        char eight[8];
        memcpy(eight, text, 8); // must be there
        require(begin[c] < begin[c + 1] && (text == end || eight[0] == *text));
        end -= c + 1 == table->n_cols && end > text && end[-1] == '\r';
        if (t->slot[c] >= 0)
            cell[t->slot[c]] =
                (struct pz_cell){text, (uint32_t)(end - text), PZ_CELL_TEXT};
    }
    put_row(out, t, PZ_ROW, &at, table->n_cols, cell);
    return at.n_raw;
}

/* Appends the tables that come next, seldom all of one at once. Moves *raw and *line. */
static void
read_tables(struct pz_csv *csv, const struct task *t, size_t *raw, uint64_t *line,
            struct pz_buf *out)
{
    struct pz_csv_table table;
    for (pz_csv_peek(csv, &table); table.n_rows; pz_csv_peek(csv, &table)) {
        size_t n = 1 + table.n_rows * 2 / 3;
        n = n < table.n_rows ? n : table.n_rows;
        require(table.text + table.begin[0] >= t->text + *raw);
        *raw = (size_t)(table.text + table.begin[0] - t->text);
        for (size_t r = 0; r < n; r++)
            *raw += put_table_row(out, t, &table, r, (*line)++);
        pz_csv_skip(csv, n);
    }
}

/* Reads text[from..to) and appends what came out. Returns the next line number. */
static uint64_t
read_piece(struct pz_csv *csv, const struct task *t, bool tables, size_t from, size_t to,
           uint64_t line, struct pz_buf *out)
{
    struct pz_cell cell[MAX_CELLS];
    struct pz_row_at at = {.line = line};
    size_t found, raw = from;
    uint64_t next = line; // of what follows a row, as far as no blank line does
    pz_csv_set_delimiter(csv, t->delimiter);
    pz_csv_start(csv, t->text + from, to - from, line, t->slot, t->width);
    for (;;) {
        if (tables)
            read_tables(csv, t, &raw, &next, out);
        no_cells(cell);
        enum pz_row r = pz_csv_next(csv, cell, MAX_CELLS, &found, &at);
        if (r == PZ_ROW_END)
            break;
        size_t start = (size_t)(at.raw - t->text);
        require(start >= raw && start + at.n_raw <= to && at.n_raw > 0);
        raw = start + at.n_raw;
        next = at.line + pz_count_lines(at.raw, at.n_raw, PZ_CPU_SCALAR);
        put_row(out, t, r, &at, found, cell);
    }
    return line + pz_count_lines(t->text + from, to - from, PZ_CPU_SCALAR);
}

/* The same in pieces of about `size` bytes. */
static void
read_pieces(struct pz_csv *csv, const struct task *t, bool tables, size_t from,
            size_t size, uint64_t line, struct pz_buf *out)
{
    size_t to = from;
    while (from < t->n) {
        to = to + size < t->n ? to + size : t->n;
        size_t whole = to == t->n ? to - from
                                  : pz_csv_whole(t->text + from, to - from, t->delimiter);
        if (whole)
            line = read_piece(csv, t, tables, from, from + whole, line, out);
        from += whole;
    }
}

static void
check_same(const struct pz_buf *want, struct pz_buf *got)
{
    require(got->len == want->len &&
            (!got->len || memcmp(got->data, want->data, got->len) == 0));
    pz_buf_clear(got);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const int slots[2][MAX_CELLS] = {{0, 1, 2, 3, 4, 5, 6, 7},
                                            {-1, 3, 0, -1, 2, -1, 1, -1}};
    struct pz_buf want = PZ_BUF_INIT, got = PZ_BUF_INIT;
    if (n < 2 || n > MAX_TEXT)
        return 0;
    if (!reader[0])
        make_readers();
    struct task t = {.n = n - 2, .width = data[0] & 7};
    t.delimiter = data[1] % 4 == 3 ? ';' : ',';
    // A copy as long as the text, so that a byte read behind it is found.
    char *copy = malloc(t.n + !t.n);
    require(copy != NULL);
    memcpy(copy, data + 2, t.n);
    t.text = copy;
    t.slot = t.width ? slots[data[0] >> 3 & 1] : NULL;
    size_t size = 1 + (data[0] >> 4) * 7u;

    read_piece(reader[PZ_N_CPU], &t, false, 0, t.n, 1, &want);
    read_pieces(reader[PZ_N_CPU], &t, false, 0, size, 1, &got);
    check_same(&want, &got);
    for (int i = 0; i < 2 * PZ_N_CPU; i++) {
        struct pz_csv *csv = reader[i / 2];
        bool tables = i % 2;
        pz_csv_force_batch(csv, data[1]);
        read_piece(csv, &t, tables, 0, t.n, 1, &got);
        check_same(&want, &got);
        read_pieces(csv, &t, tables, 0, size, 1, &got);
        check_same(&want, &got);
    }
    free(copy);
    pz_buf_release(&want);
    pz_buf_release(&got);
    return 0;
}
