/*
 * JSON lines: rows do not depend on where the text is cut between lines nor on what was
 * read before, cells stay inside their memory, and where cJSON (through pz_json_parse)
 * can read the line too, both see the same values.
 */
#include <stdio.h>

#include "base/buf.h"
#include "base/json.h"
#include "data/jsonl.h"
#include "fuzz.h"

static struct pz_field fields[] = {
    {.name = (char[]){"U"}, .type = PZ_STRING},
    {.name = (char[]){"G"}, .type = PZ_STRING},
    {.name = (char[]){"T"}, .type = PZ_LONG},
    {.name = (char[]){"LONGER_NAME"}, .type = PZ_DOUBLE},
};
enum { N_FIELDS = sizeof fields / sizeof *fields };
static const struct pz_schema schema = {.field = fields, .n_fields = N_FIELDS};

/* The tree's value of this member is what the cell says. */
static void
check_member(const pz_json *value, const struct pz_cell *cell)
{
    double number;
    bool flag;
    const char *text = pz_json_string(value);
    if (text)
        require(cell->kind == PZ_CELL_TEXT && strlen(text) == cell->n &&
                memcmp(text, cell->s, cell->n) == 0);
    else if (pz_json_number(value, &number))
        require(cell->kind == PZ_CELL_NUMBER && cell->n > 0);
    else if (pz_json_is_bool(value, &flag))
        require(cell->kind == (flag ? PZ_CELL_TRUE : PZ_CELL_FALSE));
    else if (pz_json_is_null(value) || pz_json_count(value) == 0)
        require(cell->kind == PZ_CELL_NULL);
    else
        require(cell->kind == PZ_CELL_TEXT);
}

/* The value of each field by the rules of jsonl.h; false: names are too long for this. */
static bool
assign(const pz_json *object, const char *path, const pz_json **exact,
       const pz_json **tidied)
{
    for (const pz_json *m = pz_json_first(object); m; m = pz_json_next(m)) {
        char name[512], tidy[PZ_NAME_MAX];
        int n = snprintf(name, sizeof name, "%s%s", path, pz_json_key(m));
        if (n > 200)
            return false;
        int f = pz_schema_find(&schema, name, (size_t)n);
        size_t len = pz_name_tidy(tidy, name, (size_t)n);
        int t = len ? pz_schema_find(&schema, tidy, len) : -1;
        if (f >= 0) {
            exact[f] = m;
        } else if (t >= 0) {
            if (!tidied[t])
                tidied[t] = m;
        } else if (pz_json_is_object(m)) {
            snprintf(name + n, sizeof name - (size_t)n, ".");
            if (!assign(m, name, exact, tidied))
                return false;
        }
    }
    return true;
}

static void
check_row(enum pz_row r, const struct pz_cell *cell, const struct pz_row_at *at)
{
    struct pz_err err = PZ_ERR_INIT;
    pz_json *tree;
    if (pz_json_parse(&tree, at->raw, at->n_raw, &err))
        return; // it refuses a key twice at any depth, and more depth than 32
    if (r == PZ_ROW_BAD) {
        require(strncmp(at->reason, "is not valid JSON", 17) != 0);
    } else {
        require(pz_json_is_object(tree));
        const pz_json *exact[N_FIELDS] = {0}, *tidied[N_FIELDS] = {0};
        bool told = assign(tree, "", exact, tidied);
        for (int f = 0; f < N_FIELDS && told; f++) {
            const pz_json *m = exact[f] ? exact[f] : tidied[f];
            if (m)
                check_member(m, &cell[f]);
            else
                require(cell[f].kind == PZ_CELL_ABSENT);
        }
    }
    pz_json_free(tree);
}

static void
read_lines(struct pz_jsonl *j, const char *text, size_t n, uint64_t line,
           struct pz_buf *out)
{
    struct pz_cell cell[N_FIELDS];
    struct pz_row_at at;
    enum pz_row r;
    size_t raw = 0;
    pz_jsonl_start(j, text, n, line);
    while ((r = pz_jsonl_next(j, cell, &at)) != PZ_ROW_END) {
        require(at.raw >= text + raw && at.raw + at.n_raw <= text + n && at.n_raw > 0);
        raw = (size_t)(at.raw - text) + at.n_raw;
        uint64_t head[] = {(uint64_t)r, at.line, at.column, at.n_raw};
        pz_buf_add(out, head, sizeof head);
        if (r == PZ_ROW_BAD)
            pz_buf_addz(out, at.reason);
        for (int f = 0; r == PZ_ROW && f < N_FIELDS; f++) {
            uint32_t kind[] = {cell[f].kind, cell[f].n};
            pz_buf_add(out, kind, sizeof kind);
            pz_buf_add(out, cell[f].s, cell[f].n);
        }
        check_row(r, cell, &at);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_jsonl *once, *lines;
    struct pz_buf want = PZ_BUF_INIT, got = PZ_BUF_INIT;
    const char *text = (const char *)data;
    require(pz_jsonl_new(&once, &schema, &err) == PZ_OK);
    require(pz_jsonl_new(&lines, &schema, &err) == PZ_OK);
    read_lines(once, text, n, 1, &want);
    uint64_t line = 1;
    for (size_t from = 0; from < n; line++) {
        const char *feed = memchr(text + from, '\n', n - from);
        size_t to = feed ? (size_t)(feed - text) + 1 : n;
        read_lines(lines, text + from, to - from, line, &got);
        from = to;
    }
    require(got.len == want.len && (!got.len || !memcmp(got.data, want.data, got.len)));
    pz_jsonl_free(once);
    pz_jsonl_free(lines);
    pz_buf_release(&want);
    pz_buf_release(&got);
    return 0;
}
