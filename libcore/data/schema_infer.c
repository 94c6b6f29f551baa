/*
 * A schema from a header and a sample of rows, for imports without one. The rules are
 * those that pz-schema(5) states under INFERENCE.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "data/naming.h"
#include "data/parts.h"
#include "data/schema_rules.h"

#define MAX_CATEGORIES     1000 // distinct values AWS advises for a categorical field
#define MAX_CATEGORY_BYTES 1000 // of one cell
#define LONG_TEXT          40 // mean bytes of a cell that is rather a text than a category

struct piece {
    const char *s;
    size_t n;
};

/* What the sample shows of one column. */
struct look {
    bool whole, real; // all values are numbers of the kind, and no id-like ones
    size_t n_values, n_bytes, longest, n_pieces;
};

/*
 * "007" and "+1" would come out of a numeric column as "7" and "1", so that values
 * with such a spelling are strings; so are whole numbers beyond 64 bits, which are ids.
 */
static bool
plain_number(const char *s, size_t n)
{
    if (n && *s == '-') {
        s++;
        n--;
    }
    return n && *s != '+' && !(n > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9');
}

static int
add_pieces(struct piece **piece, size_t *cap, struct look *look, const char *s, size_t n,
           struct pz_err *err)
{
    for (struct pz_parts parts = pz_parts_of(s, n); pz_parts_next(&parts, &s, &n);) {
        if (pz_grow(piece, cap, look->n_pieces + 1, sizeof **piece, "a sample", err))
            return err->status;
        (*piece)[look->n_pieces++] = (struct piece){s, n};
    }
    return PZ_OK;
}

static int
compare_pieces(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    return memcmp(x->s, y->s, x->n);
}

static int
look_at(struct look *look, const char *const *cell, size_t step, size_t n_rows,
        struct piece **piece, size_t *cap, struct pz_err *err)
{
    *look = (struct look){.whole = true, .real = true};
    for (size_t r = 0; r < n_rows; r++) {
        const char *s = cell[r * step];
        size_t n = s ? strlen(s) : 0;
        int64_t i;
        double d;
        if (n == 0)
            continue;
        look->n_values++;
        look->n_bytes += n;
        look->longest = n > look->longest ? n : look->longest;
        bool plain = plain_number(s, n);
        enum pz_num whole = pz_parse_i64(s, n, &i);
        look->whole = look->whole && plain && whole == PZ_NUM_OK;
        look->real = look->real && plain && whole != PZ_NUM_RANGE &&
                     pz_parse_f64(s, n, &d) == PZ_NUM_OK;
        if (add_pieces(piece, cap, look, s, n, err))
            return err->status;
    }
    if (look->n_pieces)
        qsort(*piece, look->n_pieces, sizeof **piece, compare_pieces);
    size_t distinct = look->n_pieces > 0;
    for (size_t k = 1; k < look->n_pieces; k++)
        distinct += compare_pieces(&(*piece)[k - 1], &(*piece)[k]) != 0;
    look->n_pieces = distinct;
    return PZ_OK;
}

static void
decide(struct pz_field *f, const struct look *look, const struct pz_rule *rule)
{
    /* A sample without empty cells promises nothing of the rest. */
    f->nullable = !rule || !(rule->required & PZ_BIT(PZ_CUSTOM));
    if (rule) {
        f->type = (enum pz_type)__builtin_ctz(rule->types);
        return;
    }
    if (look->n_values && (look->whole || look->real)) {
        f->type = look->whole ? PZ_LONG : PZ_DOUBLE;
        return;
    }
    f->type = PZ_STRING;
    f->categorical =
        look->n_pieces <= MAX_CATEGORIES && look->longest <= MAX_CATEGORY_BYTES;
}

/*
 * Users and items need a field to learn from. Where all columns are plain strings
 * (titles, descriptions), the one with the longest values becomes the items' text if they
 * read like one, else the first that fits becomes categorical.
 */
static void
ensure_metadata(struct pz_schema *s, const struct look *look)
{
    struct pz_field *category = NULL, *text = NULL;
    size_t longest = 0;
    for (size_t i = 0; i < s->n_fields; i++) {
        struct pz_field *f = &s->field[i];
        if (f->type != PZ_STRING || f->categorical)
            return; // there is one
        if (pz_rule_find(s->set, PZ_CUSTOM, f->name))
            continue;
        size_t mean = look[i].n_values ? look[i].n_bytes / look[i].n_values : 0;
        if (mean >= LONG_TEXT && mean > longest) {
            longest = mean;
            text = f;
        }
        if (!category && look[i].longest <= MAX_CATEGORY_BYTES)
            category = f;
    }
    if (s->set == PZ_ITEMS && text)
        text->textual = true;
    else if (category)
        category->categorical = true;
}

static bool
has_name(const char *const *name, size_t n_names, const char *wanted)
{
    for (size_t i = 0; i < n_names; i++)
        if (strcasecmp(name[i], wanted) == 0)
            return true;
    return false;
}

/* Interactions taken for items would make every row a duplicate. A given schema may. */
static int
check_type(enum pz_set set, const char *const *name, size_t n_names, struct pz_err *err)
{
    static const char *const event[] = {"USER_ID", "ITEM_ID", "TIMESTAMP"};
    if (set != PZ_ITEMS && set != PZ_USERS)
        return PZ_OK;
    for (size_t k = 0; k < sizeof event / sizeof *event; k++)
        if (!has_name(name, n_names, event[k]))
            return PZ_OK;
    return pz_err_set(err, PZ_DATA,
                      "the header has USER_ID, ITEM_ID and TIMESTAMP: these are "
                      "interactions, not %s (a schema can say otherwise)",
                      pz_set_name(set));
}

/* Numbers for names: the line is a row rather. */
static bool
has_number(const char *const *name, size_t n)
{
    bool found = false;
    for (size_t i = 0; i < n && !found; i++)
        found = name[i][0] >= '0' && name[i][0] <= '9';
    return found;
}

/* The header lacks a required column: says which, and what the header has; `name` are the
 * fields' names, `header_name` as they were. */
static int
check_header(enum pz_set set, const char *const *name, const char *const *header_name,
             size_t n_names, struct pz_err *err)
{
    size_t n_rules;
    const struct pz_rule *rule = pz_rules(&n_rules);
    struct pz_buf missing = PZ_BUF_INIT, header = PZ_BUF_INIT;
    for (size_t r = 0; r < n_rules; r++) {
        bool found =
            !(rule[r].sets & PZ_BIT(set)) || !(rule[r].required & PZ_BIT(PZ_CUSTOM));
        const char *like = NULL;
        for (size_t i = 0; i < n_names && !found; i++) {
            found = pz_rule_find(set, PZ_CUSTOM, name[i]) == &rule[r];
            if (!like && pz_same_name(name[i], rule[r].name))
                like = header_name[i];
        }
        if (!found)
            pz_buf_addf(&missing, "%s%s%s%s%s", missing.len ? ", " : "", rule[r].name,
                        like ? " (spelled '" : "", like ? like : "", like ? "')" : "");
    }
    for (size_t i = 0; i < n_names && header.len < 500; i++)
        pz_buf_addf(&header, "%s%.100s", i ? ", " : "", header_name[i]);
    int status = pz_buf_status(&missing, "a message", err);
    if (!status)
        status = pz_buf_status(&header, "a message", err);
    if (!status && missing.len)
        status = pz_err_set(
            err, PZ_DATA,
            "%s need more columns: missing are %s; the header has %s%s (-c NAME=HEADER "
            "tells what the input calls a column%s)",
            pz_set_name(set), missing.data, header.len ? header.data : "none",
            has_number(header_name, n_names)
                ? "; is the first line a header? --header NAME,... tells the names if not"
                : "",
            strcmp(missing.data, "TIMESTAMP") == 0
                ? "; for events without times see EXAMPLES in the manual"
                : "");
    pz_buf_release(&missing);
    pz_buf_release(&header);
    return status;
}

/* Names as fields can have them, in `text`, in place of those of the header. */
static int
tidy_names(const char *const **name, size_t n, struct pz_arena *text, struct pz_err *err)
{
    struct pz_cell *cell;
    const char **tidy;
    int r = pz_arena_new(text, &cell, n, sizeof *cell, "names", err);
    if (r == PZ_OK)
        r = pz_arena_new(text, &tidy, n, sizeof *tidy, "names", err);
    if (r)
        return r;
    for (size_t i = 0; i < n; i++)
        cell[i] = (struct pz_cell){.s = (*name)[i], .n = (uint32_t)strlen((*name)[i])};
    r = pz_names_tidy(cell, n, text, err);
    for (size_t i = 0; i < n && r == PZ_OK; i++)
        tidy[i] = cell[i].s; // both kinds end with a NUL
    *name = tidy;
    return r;
}

static int
infer_fields(struct pz_schema *s, struct look *look, const char *const *name,
             size_t n_names, const char *const *cell, size_t n_rows, struct pz_err *err)
{
    struct piece *piece = NULL;
    size_t cap = 0;
    int status = PZ_OK;
    for (size_t i = 0; i < n_names && !status; i++) {
        struct pz_field *f = &s->field[i];
        status = pz_strndup(&f->name, name[i], strlen(name[i]), err);
        if (!status) {
            s->n_fields++;
            status = look_at(&look[i], n_rows ? cell + i : NULL, n_names, n_rows, &piece,
                             &cap, err);
        }
        if (!status)
            decide(f, &look[i], pz_rule_find(s->set, PZ_CUSTOM, f->name));
    }
    free(piece);
    return status;
}

int
pz_schema_infer(struct pz_schema *s, enum pz_set set, const char *const *name,
                size_t n_names, const char *const *cell, size_t n_rows,
                struct pz_err *err)
{
    struct look *look = NULL;
    struct pz_arena text = {0};
    const char *const *header_name = name;
    *s = (struct pz_schema){.set = set};
    int status = tidy_names(&name, n_names, &text, err);
    if (!status)
        status = check_header(set, name, header_name, n_names, err);
    if (!status)
        status = check_type(set, name, n_names, err);
    if (!status)
        status = pz_new(&s->field, n_names, sizeof *s->field, "a schema", err);
    if (!status)
        status = pz_new(&look, n_names, sizeof *look, "a schema", err);
    if (!status)
        status = infer_fields(s, look, name, n_names, cell, n_rows, err);
    if (!status && set != PZ_INTERACTIONS && set != PZ_ACTION_INTERACTIONS)
        ensure_metadata(s, look);
    if (!status)
        status = pz_schema_check(s, PZ_CUSTOM, err);
    free(look);
    pz_arena_release(&text);
    if (status)
        pz_schema_release(s);
    return status;
}
