#include "data/header.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "data/convert.h"

enum {
    MAX_COLUMNS = 16384,
    MAX_NAMES = 2048, // of members of JSON objects; each is a column of the sample
    SAMPLE_ROWS = 10000,
    SHOWN = 200,   // bytes of a list of names, more or less
    MAX_KEY = 256, // bytes of a JSON key with those of the objects around it
};

struct named {
    struct pz_cell cell;
    size_t column; // from 0
};

static int
by_name(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    size_t n = x->cell.n < y->cell.n ? x->cell.n : y->cell.n;
    int c = memcmp(x->cell.s, y->cell.s, n);
    if (c == 0)
        c = (x->cell.n > y->cell.n) - (x->cell.n < y->cell.n);
    return c ? c : (x->column > y->column) - (x->column < y->column);
}

static bool
same_name(const struct pz_cell *a, const struct pz_cell *b)
{
    return a->n == b->n && memcmp(a->s, b->s, a->n) == 0;
}

/* Refuses the first column whose name an earlier one has. Sorts: there may be many. */
static int
check_twice(const struct pz_cell *cell, size_t n, uint64_t line, struct pz_err *err)
{
    struct named *name;
    const struct named *first = NULL, *second = NULL;
    int r = pz_new(&name, n, sizeof *name, "the header", err);
    if (r)
        return r;
    size_t n_named = 0;
    for (size_t c = 0; c < n; c++)
        if (cell[c].n)
            name[n_named++] = (struct named){cell[c], c};
    qsort(name, n_named, sizeof *name, by_name);
    for (size_t k = 1; k < n_named; k++)
        if (same_name(&name[k - 1].cell, &name[k].cell) &&
            (!second || name[k].column < second->column)) {
            first = &name[k - 1];
            second = &name[k];
        }
    if (second)
        r = pz_err_set(err, PZ_DATA,
                       "%" PRIu64 ":%zu: column '%.*s' is there twice (first as column "
                       "%zu)",
                       line, second->column + 1, (int)second->cell.n, second->cell.s,
                       first->column + 1);
    free(name);
    return r;
}

/* A header of one column that another delimiter cuts into several: no dataset has a
 * single column, and no name has such a character. */
static int
check_delimiter(const struct pz_cell *only, uint64_t line, struct pz_err *err)
{
    static const struct {
        const char *text, *question;
    } other[] = {
        {"\t", "is a tab the delimiter?"},
        {";", "is ';' the delimiter?"},
        {"|", "is '|' the delimiter?"},
        {"::",
         "'::' is no delimiter, a single character is: sed 's/::/\\t/g' makes it a tab"},
        {",", "is ',' the delimiter?"}};
    for (size_t k = 0; k < sizeof other / sizeof *other; k++)
        if (memmem(only->s, only->n, other[k].text, strlen(other[k].text)))
            return pz_err_set(
                err, PZ_DATA, "%" PRIu64 ":1: the header is one column, '%.*s': %s", line,
                only->n < 100 ? (int)only->n : 100, only->s, other[k].question);
    return PZ_OK;
}

/* Gives the input's names those of the dataset. */
static int
apply_naming(const struct pz_naming *naming, struct pz_cell *cell, size_t n,
             uint64_t line, struct pz_err *err)
{
    for (size_t k = 0; k < naming->n; k++) {
        size_t c = 0;
        while (c < n && pz_naming_find(naming, cell[c].s, cell[c].n) != k)
            c++;
        if (c == n)
            return pz_err_set(err, PZ_DATA,
                              "%" PRIu64 ": there is no column '%s', which was to be %s",
                              line, naming->pair[k].input, naming->pair[k].name);
    }
    for (size_t c = 0; c < n; c++) {
        size_t k = pz_naming_find(naming, cell[c].s, cell[c].n);
        if (k == naming->n)
            continue;
        cell[c].s = naming->pair[k].name;
        cell[c].n = (uint32_t)strlen(naming->pair[k].name);
    }
    return PZ_OK;
}

/* Reads the header's names into cell; *n of them. */
static int
read_names(struct pz_csv *csv, const struct pz_chunk *chunk,
           const struct pz_naming *naming, struct pz_cell *cell, size_t *n, size_t *from,
           uint64_t *line, struct pz_err *err)
{
    struct pz_row_at at;
    pz_csv_start(csv, chunk->data, chunk->n, chunk->line, NULL, 0);
    enum pz_row kind = pz_csv_next(csv, cell, MAX_COLUMNS, n, &at);
    if (kind == PZ_ROW_END)
        return pz_err_set(err, PZ_DATA, "%" PRIu64 ":1: no header: only blank lines",
                          chunk->line);
    if (kind == PZ_ROW_BAD && at.column == 0) // the record as a whole
        return pz_err_set(err, PZ_DATA, "%" PRIu64 ": the header %s", at.line, at.reason);
    if (kind == PZ_ROW_BAD)
        return pz_err_set(err, PZ_DATA, "%" PRIu64 ":%u: the header %s", at.line,
                          at.column, at.reason);
    *from = (size_t)(at.raw - chunk->data) + at.n_raw;
    *line = chunk->line;
    for (size_t k = 0; k < *from; k++)
        *line += chunk->data[k] == '\n';
    for (size_t c = 0; c < *n; c++)
        cell[c] = pz_cell_trim(cell[c]);
    int r = *n == 1 ? check_delimiter(cell, at.line, err) : PZ_OK;
    if (r == PZ_OK)
        r = apply_naming(naming, cell, *n, at.line, err);
    return r ? r : check_twice(cell, *n, at.line, err);
}

/* AWS's text for fields of the schema that the header lacks; and where one of them is a
 * column of the input that was given another name, that. */
static int
missing(const struct pz_header *h, const struct pz_schema *schema,
        const struct pz_naming *naming, uint64_t line, struct pz_err *err)
{
    struct pz_buf list = PZ_BUF_INIT;
    size_t moved = naming->n;
    for (size_t f = 0; f < schema->n_fields; f++)
        if (!h->column[f]) {
            const char *name = schema->field[f].name;
            pz_buf_addf(&list, "%s%s", list.len ? ", " : "", name);
            size_t k = pz_naming_find(naming, name, strlen(name));
            moved = k < naming->n ? k : moved;
        }
    int r = pz_buf_status(&list, "the header", err);
    if (r == PZ_OK && list.len && moved < naming->n)
        r = pz_err_set(
            err, PZ_DATA,
            "%" PRIu64 ": Input CSV is missing the following columns: [%s]. The "
            "schema has '%s', which is to be %s here (--infer makes a schema "
            "anew)",
            line, list.data, naming->pair[moved].input, naming->pair[moved].name);
    else if (r == PZ_OK && list.len)
        r = pz_err_set(err, PZ_DATA,
                       "%" PRIu64 ": Input CSV is missing the following columns: [%s].",
                       line, list.data);
    pz_buf_release(&list);
    return r;
}

/* Notes the columns that no field of the schema takes. */
static int
note_ignored(struct pz_header *h, const struct pz_cell *cell, struct pz_err *err)
{
    struct pz_buf list = PZ_BUF_INIT;
    for (size_t c = 0; c < h->n_columns; c++) {
        if (h->slot[c] >= 0)
            continue;
        if (list.len > SHOWN) {
            pz_buf_addz(&list, ", ...");
            break;
        }
        pz_buf_addz(&list, list.len ? ", " : "");
        if (cell[c].n)
            pz_buf_addf(&list, "%.*s", (int)(cell[c].n < SHOWN ? cell[c].n : SHOWN),
                        cell[c].s);
        else
            pz_buf_addf(&list, "column %zu without a name", c + 1);
    }
    int r = pz_buf_status(&list, "the header", err);
    if (r)
        pz_buf_release(&list);
    else
        h->ignored = list.data;
    return r;
}

/* Columns into the schema's fields; names may be tidied. */
static int
match_fields(struct pz_header *h, struct pz_cell *cell, const struct pz_schema *schema,
             uint64_t line, struct pz_arena *text, struct pz_err *err)
{
    int r = pz_names_tidy(cell, h->n_columns, text, err);
    for (size_t c = 0; c < h->n_columns && r == PZ_OK; c++) {
        int f = cell[c].n ? pz_schema_find(schema, cell[c].s, cell[c].n) : -1;
        h->slot[c] = f;
        if (f >= 0 && h->column[f])
            r = pz_err_set(err, PZ_DATA,
                           "%" PRIu64
                           ":%zu: column '%.*s' is field %s of the schema, and so is "
                           "column %u",
                           line, c + 1, (int)cell[c].n, cell[c].s, schema->field[f].name,
                           h->column[f]);
        else if (f >= 0)
            h->column[f] = (unsigned)c + 1;
    }
    return r;
}

int
pz_header_read(struct pz_header *h, struct pz_csv *csv, const struct pz_chunk *chunk,
               const struct pz_schema *schema, const struct pz_naming *naming,
               size_t *from, uint64_t *line, struct pz_err *err)
{
    struct pz_cell *cell;
    struct pz_arena text = {0};
    *h = (struct pz_header){0};
    int r = pz_new(&cell, MAX_COLUMNS, sizeof *cell, "the header", err);
    if (r)
        return r;
    r = read_names(csv, chunk, naming, cell, &h->n_columns, from, line, err);
    if (r == PZ_OK)
        r = pz_new(&h->slot, h->n_columns, sizeof *h->slot, "the header", err);
    if (r == PZ_OK)
        r = pz_new(&h->column, schema->n_fields, sizeof *h->column, "the header", err);
    if (r == PZ_OK)
        r = match_fields(h, cell, schema, chunk->line, &text, err);
    if (r == PZ_OK)
        r = missing(h, schema, naming, chunk->line, err);
    if (r == PZ_OK)
        r = note_ignored(h, cell, err);
    free(cell);
    pz_arena_release(&text);
    if (r)
        pz_header_release(h);
    return r;
}

void
pz_header_release(struct pz_header *h)
{
    free(h->slot);
    free(h->column);
    free(h->ignored);
    *h = (struct pz_header){0};
}

/* ---- inference ---- */

/* Names and a sample of values, as NUL-terminated strings. */
struct sample {
    const struct pz_naming *naming;
    char **name;
    bool *only_null; // one a name: no value of it was seen (JSON lines)
    size_t n_names, cap_names, cap_null;
    size_t next;  // where the next key is looked for first
    char **value; // [n_rows * width], width fixed at first row for CSV; MAX for JSON
    size_t n_rows, cap_values, width;
};

/* Which columns were given other names: "'Unit price' is Unit_price, ...". */
static int
note_renamed(const struct sample *s, const struct pz_schema *schema, char **renamed,
             struct pz_err *err)
{
    struct pz_buf list = PZ_BUF_INIT;
    for (size_t k = 0; k < s->n_names; k++) {
        if (strcmp(s->name[k], schema->field[k].name) == 0)
            continue;
        if (list.len > SHOWN) {
            pz_buf_addz(&list, ", ...");
            break;
        }
        pz_buf_addf(&list, "%s'%.*s' is %s", list.len ? ", " : "", SHOWN, s->name[k],
                    schema->field[k].name);
    }
    int r = pz_buf_status(&list, "the header", err);
    if (r)
        pz_buf_release(&list);
    *renamed = list.data;
    return r;
}

static void
sample_release(struct sample *s)
{
    for (size_t k = 0; k < s->n_names; k++)
        free(s->name[k]);
    for (size_t k = 0; k < s->n_rows * s->width; k++)
        free(s->value[k]);
    free(s->name);
    free(s->only_null);
    free(s->value);
}

static int
add_name(struct sample *s, const char *name, size_t n, struct pz_err *err)
{
    int r =
        pz_grow(&s->name, &s->cap_names, s->n_names + 1, sizeof *s->name, "names", err);
    if (r == PZ_OK)
        r = pz_grow(&s->only_null, &s->cap_null, s->n_names + 1, sizeof *s->only_null,
                    "names", err);
    if (r == PZ_OK)
        r = pz_strndup(&s->name[s->n_names], name, n, err);
    s->n_names += r == PZ_OK;
    return r;
}

/* Room for one more row, all NULL. */
static int
add_row(struct sample *s, struct pz_err *err)
{
    size_t at = s->n_rows * s->width;
    int r = pz_grow(&s->value, &s->cap_values, at + s->width, sizeof *s->value,
                    "a sample", err);
    if (r == PZ_OK && s->width)
        memset(s->value + at, 0, s->width * sizeof *s->value);
    s->n_rows += r == PZ_OK;
    return r;
}

static int
sample_csv(struct sample *s, const struct pz_infer *infer, const struct pz_chunk *chunk,
           struct pz_err *err)
{
    struct pz_csv *csv = NULL;
    struct pz_cell *cell = NULL;
    bool *named = NULL;
    struct pz_row_at at;
    size_t from, n;
    uint64_t line;
    int r = pz_csv_new(&csv, err);
    if (r)
        return r;
    pz_csv_set_delimiter(csv, infer->delimiter);
    r = pz_new(&cell, MAX_COLUMNS, sizeof *cell, "a sample", err);
    if (r == PZ_OK)
        r = read_names(csv, chunk, infer->naming, cell, &n, &from, &line, err);
    size_t n_columns = r == PZ_OK ? n : 0;
    if (r == PZ_OK)
        r = pz_new(&named, n_columns, 1, "a sample", err);
    for (size_t c = 0; r == PZ_OK && c < n_columns; c++) {
        named[c] = cell[c].n > 0; // others are left out
        if (named[c])
            r = add_name(s, cell[c].s, cell[c].n, err);
    }
    if (r || s->n_names == 0)
        goto done;
    s->width = s->n_names;
    pz_csv_start(csv, chunk->data + from, chunk->n - from, line, NULL, 0);
    while (r == PZ_OK && s->n_rows < SAMPLE_ROWS) {
        enum pz_row kind = pz_csv_next(csv, cell, MAX_COLUMNS, &n, &at);
        if (kind == PZ_ROW_END)
            break;
        if (kind == PZ_ROW_BAD || n != n_columns)
            continue;
        r = add_row(s, err);
        char **to = s->value + (s->n_rows - 1) * s->width;
        for (size_t c = 0; c < n && r == PZ_OK; c++) {
            if (named[c] && cell[c].n)
                r = pz_strndup(to, cell[c].s, cell[c].n, err);
            to += named[c];
        }
    }
done:
    free(named);
    pz_csv_free(csv);
    free(cell);
    return r;
}

typedef int collect_fn(struct sample *s, const char *key, size_t n_key, enum pz_tok tok,
                       const struct pz_scan *scan, struct pz_err *err);

/* Reads an array up to its end: *tok becomes PZ_TOK_OBJECT, which no column takes, unless
 * all of it are strings and numbers. */
static bool
read_array(struct pz_scan *scan, enum pz_tok *tok)
{
    for (;;) {
        enum pz_tok element = pz_scan_next(scan);
        if (element == PZ_TOK_ARRAY_END)
            return true;
        if (element != PZ_TOK_STRING && element != PZ_TOK_NUMBER)
            *tok = PZ_TOK_OBJECT;
        if (!pz_scan_skip(scan, element))
            return false;
    }
}

/* Calls fn for each member up to the object's end; members of objects are named
 * "user.id". key[0..n_path) goes before their names. False when it is no object, and when
 * fn fails. */
static bool
members(struct pz_scan *scan, char key[MAX_KEY], size_t n_path, collect_fn *fn,
        struct sample *s, int *r, struct pz_err *err)
{
    for (;;) {
        enum pz_tok tok = pz_scan_next(scan);
        if (tok != PZ_TOK_KEY)
            return tok == PZ_TOK_OBJECT_END;
        size_t n = scan->len < MAX_KEY - n_path ? scan->len : MAX_KEY - n_path;
        memcpy(key + n_path, scan->s, n);
        n += n_path;
        tok = pz_scan_next(scan);
        size_t named = pz_naming_find(s->naming, key, n);
        const char *text = named < s->naming->n ? s->naming->pair[named].name : NULL;
        if (tok == PZ_TOK_OBJECT && !text && n < MAX_KEY) {
            key[n] = '.';
            if (!members(scan, key, n + 1, fn, s, r, err))
                return false;
            continue;
        }
        bool array = tok == PZ_TOK_ARRAY;
        if (array && !read_array(scan, &tok))
            return false;
        *r = fn(s, text ? text : key, text ? strlen(text) : n, tok, scan, err);
        if (*r || (!array && !pz_scan_skip(scan, tok)))
            return false;
    }
}

static bool
is_name(const struct sample *s, size_t k, const char *key, size_t n)
{
    return strncmp(s->name[k], key, n) == 0 && s->name[k][n] == 0;
}

/* The place of a name, n_names when it is new. Objects of one file have their keys in one
 * order, so that it is most often soon behind the name before. */
static size_t
find_name(struct sample *s, const char *key, size_t n)
{
    for (size_t i = 0; i < s->n_names; i++) {
        size_t k = s->next < s->n_names ? s->next : 0;
        s->next = k + 1;
        if (is_name(s, k, key, n))
            return k;
    }
    return s->n_names;
}

static int
collect_name(struct sample *s, const char *key, size_t n, enum pz_tok tok,
             const struct pz_scan *scan, struct pz_err *err)
{
    (void)scan;
    size_t k = find_name(s, key, n);
    bool is_new = k == s->n_names;
    if (tok == PZ_TOK_OBJECT)
        return PZ_OK;
    if (is_new && k >= MAX_NAMES)
        return pz_err_set(err, PZ_DATA,
                          "more than %d different names in the first lines, at '%.*s': "
                          "columns are few; keys that are data want a schema (-s) that "
                          "names what to take",
                          MAX_NAMES, (int)n, key);
    if (is_new && add_name(s, key, n, err))
        return err->status;
    s->only_null[k] = tok == PZ_TOK_NULL && (is_new || s->only_null[k]);
    return PZ_OK;
}

static int
collect_value(struct sample *s, const char *key, size_t n, enum pz_tok tok,
              const struct pz_scan *scan, struct pz_err *err)
{
    size_t c = find_name(s, key, n);
    if (c >= s->width || tok == PZ_TOK_OBJECT || s->value[(s->n_rows - 1) * s->width + c])
        return PZ_OK;
    char **to = &s->value[(s->n_rows - 1) * s->width + c];
    switch (tok) {
    case PZ_TOK_STRING:
    case PZ_TOK_NUMBER:
        return scan->len ? pz_strndup(to, scan->s, scan->len, err) : PZ_OK;
    case PZ_TOK_TRUE:
        return pz_strndup(to, "true", 4, err);
    case PZ_TOK_FALSE:
        return pz_strndup(to, "false", 5, err);
    case PZ_TOK_ARRAY:
        return pz_strndup(to, "a|b", 3, err); // several values: a categorical string
    default:
        return PZ_OK;
    }
}

/* Does a name begin with this one and a dot? */
static bool
has_members(const struct sample *s, const char *name)
{
    size_t n = strlen(name);
    for (size_t k = 0; k < s->n_names; k++)
        if (s->name[k] && strncmp(s->name[k], name, n) == 0 && s->name[k][n] == '.')
            return true;
    return false;
}

/*
 * Takes out names of objects that are null somewhere; names that, tidied, are another
 * one: the reader gives the field to that; and empty ones. One of which nothing remains
 * would be lost: columns of CSV are called by their place then, and keys have none.
 */
static int
drop_repeats(struct sample *s, uint64_t line, struct pz_err *err)
{
    size_t n = 0;
    for (size_t k = 0; k < s->n_names; k++) {
        char tidy[PZ_NAME_MAX];
        size_t len = pz_name_tidy(tidy, s->name[k], strlen(s->name[k]));
        bool right = is_name(s, k, tidy, len), repeats = len == 0;
        if (repeats && s->name[k][0] && !s->only_null[k])
            return pz_err_set(err, PZ_DATA,
                              "%" PRIu64 ": no column can be called '%s', as a key is: "
                              "say what it is called (-c NAME=%s)",
                              line, s->name[k], s->name[k]);
        for (size_t i = 0; i < s->n_names && !right && !repeats; i++)
            repeats = s->name[i] && strlen(s->name[i]) == len && i != k &&
                      strncasecmp(s->name[i], tidy, len) == 0;
        if (repeats || (s->only_null[k] && has_members(s, s->name[k]))) {
            free(s->name[k]);
            s->name[k] = NULL;
        }
    }
    for (size_t k = 0; k < s->n_names; k++)
        if (s->name[k])
            s->name[n++] = s->name[k];
    s->n_names = n;
    return PZ_OK;
}

/* Two passes over the first lines: the names that occur, then the values. */
static int
sample_jsonl(struct sample *s, const struct pz_chunk *chunk, struct pz_err *err)
{
    struct pz_scan scan;
    char key[MAX_KEY];
    int r = PZ_OK;
    pz_scan_init(&scan);
    for (int pass = 0; pass < 2 && r == PZ_OK; pass++) {
        const char *p = chunk->data, *end = p + chunk->n;
        for (size_t rows = 0; p < end && rows < SAMPLE_ROWS && r == PZ_OK; rows++) {
            const char *nl = memchr(p, '\n', (size_t)(end - p));
            size_t n = nl ? (size_t)(nl - p) : (size_t)(end - p);
            if (memchr(p, '{', n)) { // blank lines are no rows
                if (pass == 1 && (r = add_row(s, err)))
                    break;
                pz_scan_start(&scan, p, n);
                if (pz_scan_next(&scan) == PZ_TOK_OBJECT)
                    members(&scan, key, 0, pass ? collect_value : collect_name, s, &r,
                            err);
                if (r == PZ_DATA)
                    pz_err_prefix(err, "%" PRIu64 ": ", chunk->line + rows);
            }
            p += n + 1;
        }
        if (pass == 0 && r == PZ_OK)
            r = drop_repeats(s, chunk->line, err);
        s->width = s->n_names;
    }
    pz_scan_release(&scan);
    return r;
}

/* The samples of numbers with marks, without them. */
static void
take_marks_out(struct sample *s, char decimal)
{
    for (size_t k = 0; k < s->n_rows * s->width; k++) {
        char text[PZ_NUMBER_BYTES];
        char *v = s->value[k];
        size_t n = v ? pz_num_plain(text, sizeof text, v, strlen(v), decimal) : 0;
        if (n) { // no longer than it was
            memcpy(v, text, n);
            v[n] = 0;
        }
    }
}

/* Is every value of column c a number with a decimal comma, or whole, and one not whole?
 */
static bool
has_commas(const struct sample *s, size_t c)
{
    bool comma = false;
    for (size_t row = 0; row < s->n_rows; row++) {
        char text[PZ_NUMBER_BYTES];
        const char *v = s->value[row * s->width + c];
        if (!v)
            continue;
        if (!pz_num_plain(text, sizeof text, v, strlen(v), ','))
            return false;
        comma |= strchr(v, ',') != NULL;
    }
    return comma;
}

static int
note_commas(const struct sample *s, const struct pz_schema *schema, char **commas,
            struct pz_err *err)
{
    struct pz_buf list = PZ_BUF_INIT;
    for (size_t c = 0; c < s->n_names && list.len <= SHOWN; c++)
        if (schema->field[c].type == PZ_STRING && schema->field[c].role == PZ_ROLE_NONE &&
            has_commas(s, c))
            pz_buf_addf(&list, "%s%s", list.len ? ", " : "", schema->field[c].name);
    int r = pz_buf_status(&list, "the header", err);
    if (r)
        pz_buf_release(&list);
    *commas = list.data;
    return r;
}

int
pz_header_infer(struct pz_schema *schema, struct pz_infer *infer,
                const struct pz_chunk *chunk, struct pz_err *err)
{
    struct sample s = {.naming = infer->naming};
    infer->renamed = infer->commas = NULL;
    int r = infer->format == PZ_CSV ? sample_csv(&s, infer, chunk, err)
                                    : sample_jsonl(&s, chunk, err);
    if (r == PZ_OK && s.n_names == 0)
        r = pz_err_set(err, PZ_DATA,
                       infer->format == PZ_CSV
                           ? "%" PRIu64 ": the header has no names"
                           : "%" PRIu64
                             ": no JSON object with columns in the first lines",
                       chunk->line);
    if (r == PZ_OK) {
        if (infer->decimal)
            take_marks_out(&s, infer->decimal);
        r = pz_schema_infer(schema, infer->set, (const char *const *)s.name, s.n_names,
                            (const char *const *)s.value, s.n_rows, err);
        if (r == PZ_DATA)
            pz_err_prefix(err, "%" PRIu64 ": ", chunk->line);
    }
    if (r == PZ_OK) {
        r = note_renamed(&s, schema, &infer->renamed, err);
        if (r == PZ_OK && !infer->decimal)
            r = note_commas(&s, schema, &infer->commas, err);
        if (r)
            pz_schema_release(schema);
    }
    sample_release(&s);
    return r;
}
