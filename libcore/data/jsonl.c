#include "data/jsonl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "data/json_cell.h"

enum {
    NAME = 64,  // bytes of a key that are remembered
    PATH = 256, // bytes of a key with those of the objects around it
    GUESSES = 64,
};

struct pz_jsonl {
    const struct pz_schema *schema;
    struct pz_naming naming;
    struct pz_scan scan;
    const char *data;
    size_t n, pos;
    uint64_t line;

    struct pz_held held; // a row needs no more than its own length
    size_t cap_held;

    // Objects of one file have their keys in one order: what the k-th key was last time.
    struct guess {
        char name[NAME];
        size_t n; // 0: none
        int field;
        bool tidied;
    } guess[GUESSES];
    bool *tidied;    // one a field: its cell of this row comes from a tidied name
    size_t n_tidied; // how many
    char path[PATH + 1];

    uint64_t n_unknown;
    char unknown[NAME];
    char reason[128 + NAME];
    size_t trouble; // byte of the line
};

/* The reason, and where; returns false. */
static bool
refuse(struct pz_jsonl *j, size_t at, const char *reason)
{
    j->trouble = at + 1;
    snprintf(j->reason, sizeof j->reason, "%s", reason);
    return false;
}

static bool
refuse_key(struct pz_jsonl *j, const char *key, const char *reason)
{
    j->trouble = j->scan.start + 1;
    snprintf(j->reason, sizeof j->reason, "'%s' %s", key, reason);
    return false;
}

static bool
refuse_json(struct pz_jsonl *j)
{
    j->trouble = j->scan.at + 1;
    snprintf(j->reason, sizeof j->reason, "is not valid JSON: %s", j->scan.error);
    return false;
}

/* Field of the k-th key, -1 when the schema has none of this name. */
static int
find_field(struct pz_jsonl *j, size_t k, const char *key, size_t n, bool *tidied)
{
    struct guess *g = &j->guess[k % GUESSES];
    *tidied = g->tidied;
    if (n && g->n == n && memcmp(g->name, key, n) == 0)
        return g->field;
    *tidied = false;
    size_t named = pz_naming_find(&j->naming, key, n);
    const char *name = named < j->naming.n ? j->naming.pair[named].name : NULL;
    int field = pz_schema_find(j->schema, name ? name : key, name ? strlen(name) : n);
    char tidy[PZ_NAME_MAX];
    if (field < 0 && !name) {
        *tidied = true;
        size_t n_tidy = pz_name_tidy(tidy, key, n);
        field = n_tidy ? pz_schema_find(j->schema, tidy, n_tidy) : -1;
    }
    if (n <= NAME) {
        memcpy(g->name, key, n);
        g->n = n;
        g->field = field;
        g->tidied = *tidied;
    }
    return field;
}

void
pz_jsonl_naming(struct pz_jsonl *j, const struct pz_naming *naming)
{
    j->naming = *naming;
}

static void
count_unknown(struct pz_jsonl *j, const char *key, size_t n)
{
    if (j->n_unknown++ == 0)
        snprintf(j->unknown, sizeof j->unknown, "%.*s", (int)(n < NAME ? n : NAME), key);
}

static bool
read_value(struct pz_jsonl *j, const struct pz_field *field, struct pz_cell *cell)
{
    const char *why;
    if (!pz_json_cell(&j->scan, &j->held, field->type == PZ_STRING, cell, &why))
        return why ? refuse_key(j, field->name, why) : refuse_json(j);
    return cell->n <= PZ_FIELD_MAX || refuse_key(j, field->name, "is longer than 1 MiB");
}

static bool read_members(struct pz_jsonl *j, size_t n_path, size_t *k,
                         struct pz_cell *cell);

/* What stands under a key that is no column: an object's members may be columns. The key
 * with what is before it is j->path[0..n). */
static bool
read_unknown(struct pz_jsonl *j, size_t n, size_t *k, struct pz_cell *cell)
{
    enum pz_tok tok = pz_scan_next(&j->scan);
    if (tok == PZ_TOK_OBJECT && n < PATH) {
        j->path[n] = '.';
        return read_members(j, n + 1, k, cell);
    }
    count_unknown(j, j->path, n);
    return pz_scan_skip(&j->scan, tok) || refuse_json(j);
}

/* The members of an object up to its end; j->path[0..n_path) goes before their keys, and
 * *k counts the keys of the line. As deep as the scanner lets it be. */
static bool
read_members(struct pz_jsonl *j, size_t n_path, size_t *k, struct pz_cell *cell)
{
    struct pz_scan *scan = &j->scan;
    const struct pz_schema *schema = j->schema;
    for (;; ++*k) {
        enum pz_tok tok = pz_scan_next(scan);
        if (tok == PZ_TOK_ERROR)
            return refuse_json(j);
        if (tok == PZ_TOK_OBJECT_END)
            return true;
        const char *key = scan->s;
        size_t n = scan->len;
        if (n_path) {
            size_t more = n < PATH - n_path ? n : PATH - n_path;
            memcpy(j->path + n_path, key, more);
            key = j->path;
            n = n_path + more;
        }
        bool tidied;
        int f = find_field(j, *k, key, n, &tidied);
        if (f < 0) {
            if (!n_path) {
                n = n < PATH ? n : PATH;
                memcpy(j->path, key, n);
            }
            if (!read_unknown(j, n, k, cell))
                return false;
            continue;
        }
        bool there = cell[f].kind != PZ_CELL_ABSENT;
        if (there && tidied) {
            if (!pz_scan_skip(scan, pz_scan_next(scan)))
                return refuse_json(j);
            continue;
        }
        if (there && !(j->n_tidied && j->tidied[f]))
            return refuse_key(j, schema->field[f].name, "stands twice in the object");
        if (tidied || j->n_tidied) {
            j->tidied[f] = tidied;
            j->n_tidied += tidied;
        }
        if (!read_value(j, &schema->field[f], &cell[f]))
            return false;
    }
}

/* The object in text[0..n). */
static bool
read_object(struct pz_jsonl *j, const char *text, size_t n, struct pz_cell *cell)
{
    struct pz_scan *scan = &j->scan;
    pz_scan_start(scan, text, n);
    enum pz_tok tok = pz_scan_next(scan);
    if (tok == PZ_TOK_ERROR)
        return refuse_json(j);
    if (tok != PZ_TOK_OBJECT)
        return refuse(j, scan->start, "is not a JSON object");
    size_t k = 0;
    if (!read_members(j, 0, &k, cell))
        return false;
    if (pz_scan_next(scan) != PZ_TOK_END)
        return refuse_json(j);
    return true;
}

static bool
is_blank(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] != ' ' && s[i] != '\t' && s[i] != '\r' && s[i] != '\n')
            return false;
    return true;
}

enum pz_row
pz_jsonl_next(struct pz_jsonl *j, struct pz_cell *cell, struct pz_row_at *at)
{
    while (j->pos < j->n) {
        struct pz_err err = PZ_ERR_INIT;
        const char *text = j->data + j->pos;
        const char *feed = memchr(text, '\n', j->n - j->pos);
        size_t n = feed ? (size_t)(feed - text) : j->n - j->pos;
        *at = (struct pz_row_at){
            .line = j->line++, .raw = text, .n_raw = n + (feed != NULL)};
        j->pos += at->n_raw;
        if (is_blank(text, n))
            continue;
        for (size_t f = 0; f < j->schema->n_fields; f++)
            cell[f] = (struct pz_cell){"", 0, PZ_CELL_ABSENT};
        if (j->n_tidied)
            memset(j->tidied, 0, j->schema->n_fields * sizeof *j->tidied);
        j->n_tidied = 0;
        j->held.n = 0;
        if (pz_grow(&j->held.text, &j->cap_held, n + 1, 1, "a row", &err))
            refuse(j, 0, "does not fit into memory");
        else if (read_object(j, text, n, cell))
            return PZ_ROW;
        at->reason = j->reason;
        at->column = (unsigned)j->trouble;
        return PZ_ROW_BAD;
    }
    return PZ_ROW_END;
}

int
pz_jsonl_new(struct pz_jsonl **j, const struct pz_schema *schema, struct pz_err *err)
{
    struct pz_jsonl *p;
    if (pz_new(&p, 1, sizeof *p, "a JSON lines reader", err))
        return err->status;
    if (pz_new(&p->tidied, schema->n_fields, sizeof *p->tidied, "a JSON lines reader",
               err)) {
        free(p);
        return err->status;
    }
    p->schema = schema;
    pz_scan_init(&p->scan);
    *j = p;
    return PZ_OK;
}

void
pz_jsonl_free(struct pz_jsonl *j)
{
    if (!j)
        return;
    pz_scan_release(&j->scan);
    free(j->held.text);
    free(j->tidied);
    free(j);
}

void
pz_jsonl_start(struct pz_jsonl *j, const char *data, size_t n, uint64_t line)
{
    j->data = data;
    j->n = n;
    j->pos = 0;
    j->line = line;
}

uint64_t
pz_jsonl_unknown(const struct pz_jsonl *j, const char **name)
{
    *name = j->unknown;
    return j->n_unknown;
}
