#include "data/input.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "data/csv.h"
#include "data/csv_scan.h"
#include "data/recode.h"
#include "data/source.h"

enum {
    CHUNK = 1 << 20, // bytes asked for at once
    HEAD = 64 << 10, // looked at when a file is opened
};

struct pz_input {
    const char *const *path;
    unsigned n_paths;
    uint64_t total; // bytes of all files as stored, 0: unknown
    enum pz_format format;
    char delimiter;
    enum pz_cpu cpu;
    const char *encoding; // NULL: to be found out
    const char *header;   // of files without one; NULL: they have one

    pthread_mutex_t lock; // guards everything below
    struct pz_source source;
    struct pz_recode *recode; // of the open file; NULL: it is UTF-8
    unsigned file;            // the one that is open, or n_paths
    bool first;               // nothing of it was handed out
    char *carry;              // its bytes that were read and not handed out
    size_t n_carry, cap_carry;
    uint64_t seq, line;
    uint64_t lines;       // handed out, over all files
    struct pz_err failed; // the first error: everyone gets it
};

static const char *const only_stdin[] = {"-"};

const char *
pz_input_name(const struct pz_input *in, unsigned file)
{
    const char *path = file < in->n_paths ? in->path[file] : "";
    return strcmp(path, "-") == 0 ? "(stdin)" : path;
}

int
pz_input_place(const struct pz_input *in, unsigned file, struct pz_err *err)
{
    const char *name = pz_input_name(in, file), *rest = err->msg + 2;
    char column[32];
    if (!in->header || strncmp(err->msg, "0:", 2) != 0)
        return pz_err_prefix(err, "%s:", name);
    size_t n = strspn(rest, "0123456789");
    snprintf(column, sizeof column, "%s%.*s", n ? ", column " : "", (int)n, rest);
    rest += n + strspn(rest + n, ": ");
    memmove(err->msg, rest, strlen(rest) + 1);
    return pz_err_prefix(err, "%s: in --header%s: ", name, column);
}

size_t
pz_cell_show(char out[PZ_CELL_SHOWN], const struct pz_cell *cell)
{
    size_t n = 0;
    for (; cell->s && n < cell->n && n + 5 < PZ_CELL_SHOWN; n++) {
        unsigned char c = (unsigned char)cell->s[n];
        out[n] = (char)(c < 0x20 || c == 0x7f ? '?' : c);
    }
    if (cell->s && cell->n > n) { // cut at a character, not inside one
        while (n && ((unsigned char)out[n - 1] & 0xc0) == 0x80)
            n--;
        if (n && (unsigned char)out[n - 1] >= 0xc0)
            n--;
        memcpy(out + n, "...", 3);
        n += 3;
    }
    out[n] = 0;
    return n;
}

/* ---- what a file is ---- */

static int
refuse(const struct pz_input *in, const char *what, struct pz_err *err)
{
    return pz_err_set(err, PZ_DATA, "%s: %s", pz_input_name(in, in->file), what);
}

static const struct {
    const char *magic;
    size_t n;
    const char *what;
    size_t at;
} strangers[] = {
    {"\x1f\x8b\x08", 3, "is compressed twice: decompress it once", 0},
    {"\x28\xb5\x2f\xfd", 4, "is compressed twice: decompress it once", 0},
    {"\xfd\x37zXZ", 6, "is xz-compressed: decompress it first (xz -dc)", 0},
    {"BZh91AY&SY", 10, "is bzip2-compressed: decompress it first (bzip2 -dc)", 0},
    {"\x04\x22\x4d\x18", 4, "is lz4-compressed: decompress it first (lz4 -dc)", 0},
    {"PK\x03\x04", 4, "is a zip archive or a spreadsheet: unpack it or save it as CSV",
     0},
    {"7z\xbc\xaf\x27\x1c", 6, "is a 7z archive: unpack it first", 0},
    {"ustar\0", 6, "is a tar archive: unpack it first (tar -xf)", 257},
    {"ustar  \0", 8, "is a tar archive: unpack it first (tar -xf)", 257},
    {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8, "is a spreadsheet: save it as CSV", 0},
    {"ARROW1", 6, "is an Arrow file: convert it to CSV or JSON lines", 0},
    {"Obj\x01", 4, "is an Avro file: convert it to CSV or JSON lines", 0},
    {"PAR1", 4, "is a Parquet file: convert it to CSV or JSON lines", 0},
    {"SQLite format 3", 16, "is an SQLite database: export a table as CSV", 0},
};

/* Carriage returns between the first lines and no line feed: one record by our rules. */
static bool
is_old_mac(const char *p, size_t n)
{
    bool quoted = false, found = false;
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\n')
            return false;
        quoted ^= p[i] == '"';
        found |= p[i] == '\r' && !quoted && i + 1 < n;
    }
    return found;
}

static const char *
skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
        p++;
    return p;
}

/* No text: refuses the open file by its first bytes, as stored. */
static int
refuse_strangers(const struct pz_input *in, struct pz_err *err)
{
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++)
        if (in->n_carry >= strangers[i].at + strangers[i].n &&
            !memcmp(in->carry + strangers[i].at, strangers[i].magic, strangers[i].n))
            return refuse(in, strangers[i].what, err);
    return PZ_OK;
}

/* Looks at the first text of the open file, in carry; drops a byte-order mark. */
static int
judge(struct pz_input *in, enum pz_format *format, struct pz_err *err)
{
    const char *what = NULL;
    if (in->n_carry >= 3 && memcmp(in->carry, "\xef\xbb\xbf", 3) == 0) {
        in->n_carry -= 3;
        memmove(in->carry, in->carry + 3, in->n_carry);
    }
    const char *p = in->carry, *end = p + in->n_carry, *start = skip_blanks(p, end);
    if (start == end && in->n_carry < HEAD - 3)
        what = "empty input: expected a CSV header or JSON lines";
    else if (is_old_mac(p, in->n_carry))
        what = "its lines end in a carriage return alone: convert it (tr '\\r' '\\n')";
    else if (start < end && *start == '[' && skip_blanks(start + 1, end) < end &&
             *skip_blanks(start + 1, end) == '{')
        what = "is a JSON array: expected one object a line (jq -c '.[]')";
    if (what)
        return refuse(in, what, err);
    *format = start < end && *start == '{' ? PZ_JSONL : PZ_CSV;
    return PZ_OK;
}

/* Text of the open file, in UTF-8. */
static int
read_text(struct pz_input *in, char *out, size_t n, size_t *got, struct pz_err *err)
{
    return in->recode ? pz_recode_read(in->recode, &in->source, out, n, got, err)
                      : pz_source_read(&in->source, out, n, got, err);
}

/* The first bytes are in carry: where they are not UTF-8, converts them and what follows.
 */
static int
open_recode(struct pz_input *in, struct pz_err *err)
{
    const char *from =
        in->encoding ? in->encoding : pz_recode_guess(in->carry, in->n_carry);
    pz_recode_free(in->recode);
    in->recode = NULL;
    if (!from)
        return PZ_OK;
    if (pz_recode_new(&in->recode, from, in->carry, in->n_carry, err))
        return err->status;
    return read_text(in, in->carry, HEAD, &in->n_carry, err);
}

/* The names of the columns as a line before the first bytes of the open file. */
static int
add_header(struct pz_input *in, struct pz_err *err)
{
    size_t n = strlen(in->header) + 1;
    if (pz_grow(&in->carry, &in->cap_carry, in->n_carry + n, 1, "input", err))
        return err->status;
    memmove(in->carry + n, in->carry, in->n_carry);
    for (size_t i = 0; i + 1 < n; i++)
        in->carry[i] = in->header[i] == ',' ? in->delimiter : in->header[i];
    in->carry[n - 1] = '\n';
    in->n_carry += n;
    in->line = 0;
    return PZ_OK;
}

/* Opens file in->file and reads its first bytes into carry. */
static int
open_file(struct pz_input *in, enum pz_format *format, struct pz_err *err)
{
    const char *name = pz_input_name(in, in->file);
    if (pz_source_open(&in->source, in->path[in->file], name, err))
        return err->status;
    in->first = true;
    in->line = 1;
    if (pz_grow(&in->carry, &in->cap_carry, HEAD, 1, "input", err) ||
        pz_source_read(&in->source, in->carry, HEAD, &in->n_carry, err) ||
        refuse_strangers(in, err) || open_recode(in, err) || judge(in, format, err) ||
        (in->header && *format == PZ_CSV && add_header(in, err))) {
        pz_source_close(&in->source);
        return err->status;
    }
    return PZ_OK;
}

/* What can be known of all files before the first is read; sums up their sizes. */
static int
look_ahead(struct pz_input *in, struct pz_err *err)
{
    bool known = true;
    for (in->file = 0; in->file < in->n_paths; in->file++) {
        const char *path = in->path[in->file];
        bool is_stdin = strcmp(path, "-") == 0;
        struct stat st;
        if (is_stdin ? fstat(0, &st) : stat(path, &st))
            return pz_err_sys(err, "cannot open '%s'", pz_input_name(in, in->file));
        if (S_ISDIR(st.st_mode))
            return refuse(in, "is a directory: name the files in it", err);
        if (!is_stdin && S_ISREG(st.st_mode) && access(path, R_OK))
            return pz_err_sys(err, "cannot open '%s'", path);
        known &= S_ISREG(st.st_mode);
        in->total += known ? (uint64_t)st.st_size : 0;
    }
    in->file = 0;
    in->total = known ? in->total : 0;
    return PZ_OK;
}

int
pz_input_open(struct pz_input **in, const char *const *path, size_t n_paths,
              enum pz_format *format, struct pz_err *err)
{
    return pz_input_open_as(in, path, n_paths, NULL, format, err);
}

int
pz_input_open_as(struct pz_input **in, const char *const *path, size_t n_paths,
                 const char *encoding, enum pz_format *format, struct pz_err *err)
{
    struct pz_input *p;
    if (pz_new(&p, 1, sizeof *p, "the input", err))
        return err->status;
    p->path = n_paths ? path : only_stdin;
    p->encoding = encoding;
    p->n_paths = n_paths ? (unsigned)n_paths : 1;
    p->cpu = pz_cpu();
    p->source.fd = -1;
    atomic_init(&p->source.done, 0);
    pthread_mutex_init(&p->lock, NULL);
    if (look_ahead(p, err) || open_file(p, &p->format, err)) {
        pz_input_close(p);
        return err->status;
    }
    p->delimiter = ',';
    *format = p->format;
    *in = p;
    return PZ_OK;
}

void
pz_input_close(struct pz_input *in)
{
    if (!in)
        return;
    pz_source_close(&in->source);
    pz_recode_free(in->recode);
    pthread_mutex_destroy(&in->lock);
    free(in->carry);
    free(in);
}

int
pz_input_set_delimiter(struct pz_input *in, char given, char *used, struct pz_err *err)
{
    if (given && in->format != PZ_CSV)
        return pz_err_set(err, PZ_USAGE, "%s: is JSON lines: a delimiter goes with CSV",
                          pz_input_name(in, 0));
    *used = in->delimiter =
        given ? given : pz_csv_likely_delimiter(in->carry, in->n_carry);
    return PZ_OK;
}

int
pz_input_set_header(struct pz_input *in, const char *names, struct pz_err *err)
{
    if (in->format != PZ_CSV)
        return pz_err_set(err, PZ_USAGE,
                          "%s: is JSON lines, where each line has the names: a header "
                          "goes with CSV",
                          pz_input_name(in, 0));
    in->header = names;
    return add_header(in, err);
}

/* ---- chunks ---- */

static size_t
whole_records(const struct pz_input *in, const char *data, size_t n)
{
    if (in->format == PZ_CSV)
        return pz_csv_whole(data, n, in->delimiter);
    const char *feed = memrchr(data, '\n', n);
    return feed ? (size_t)(feed - data) + 1 : 0;
}

static int
too_long(const struct pz_input *in, const struct pz_chunk *chunk, struct pz_err *err)
{
    bool quote = in->format == PZ_CSV && memchr(chunk->data, '"', chunk->n);
    return pz_err_set(err, PZ_DATA, "%s:%llu: %s is longer than %u MiB%s",
                      pz_input_name(in, in->file), (unsigned long long)in->line,
                      in->format == PZ_CSV ? "a row" : "a line", PZ_ROW_MAX >> 20,
                      quote ? ": is a quote not closed?" : "");
}

/* Whole records of the open file into chunk; n 0 when it has no more. */
static int
fill(struct pz_input *in, struct pz_chunk *chunk, struct pz_err *err)
{
    size_t want = in->n_carry < CHUNK ? CHUNK : in->n_carry, whole = 0;
    bool end = false;
    if (pz_grow(&chunk->data, &chunk->cap, want, 1, "a chunk of input", err))
        return err->status;
    memcpy(chunk->data, in->carry, in->n_carry);
    chunk->n = in->n_carry;
    in->n_carry = 0;
    while (!whole && !end) {
        size_t got;
        if (chunk->n > PZ_ROW_MAX)
            return too_long(in, chunk, err);
        if (chunk->n == want)
            want = want < PZ_ROW_MAX / 2 ? 2 * want : PZ_ROW_MAX + 1;
        if (pz_grow(&chunk->data, &chunk->cap, want, 1, "a chunk of input", err) ||
            read_text(in, chunk->data + chunk->n, want - chunk->n, &got, err))
            return err->status;
        chunk->n += got;
        end = chunk->n < want;
        whole = end ? chunk->n : whole_records(in, chunk->data, chunk->n);
    }
    size_t rest = chunk->n - whole;
    if (pz_grow(&in->carry, &in->cap_carry, rest, 1, "input", err))
        return err->status;
    if (rest)
        memcpy(in->carry, chunk->data + whole, rest);
    in->n_carry = rest;
    chunk->n = whole;
    return PZ_OK;
}

static int
next_chunk(struct pz_input *in, struct pz_chunk *chunk, struct pz_err *err)
{
    chunk->n = 0;
    while (in->file < in->n_paths) {
        enum pz_format format = in->format;
        if (in->source.fd < 0 && open_file(in, &format, err))
            return err->status;
        if (format != in->format)
            return pz_err_set(
                err, PZ_DATA, "%s: is %s, but '%s' is %s", pz_input_name(in, in->file),
                format == PZ_CSV ? "CSV" : "JSON lines", pz_input_name(in, 0),
                format == PZ_CSV ? "JSON lines" : "CSV");
        if (fill(in, chunk, err))
            return err->status;
        if (chunk->n) {
            chunk->seq = in->seq++;
            chunk->file = in->file;
            chunk->line = in->line;
            chunk->first = in->first;
            chunk->before = in->lines;
            in->first = false;
            size_t lines = pz_count_lines(chunk->data, chunk->n, in->cpu);
            in->line += lines;
            in->lines += lines;
            return PZ_OK;
        }
        pz_source_close(&in->source);
        in->file++;
        in->lines++; // the last line may lack its end
    }
    return PZ_OK;
}

int
pz_input_next(struct pz_input *in, struct pz_chunk *chunk, struct pz_err *err)
{
    pthread_mutex_lock(&in->lock);
    if (!in->failed.status && next_chunk(in, chunk, &in->failed))
        chunk->n = 0;
    int status = in->failed.status;
    if (status) {
        *err = in->failed;
        chunk->n = 0;
    }
    pthread_mutex_unlock(&in->lock);
    return status;
}

uint64_t
pz_input_done(const struct pz_input *in, uint64_t *total)
{
    *total = in->total;
    return atomic_load_explicit(&in->source.done, memory_order_relaxed);
}

void
pz_chunk_release(struct pz_chunk *chunk)
{
    free(chunk->data);
    *chunk = (struct pz_chunk){0};
}
