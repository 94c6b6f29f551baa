#include "recipe/facets.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"
#include "data/parts.h"
#include "filter/parse.h"
#include "math/csr.h"

void
pz_facets_release(struct pz_facets *f)
{
    free(f->bytes);
    free(f->name_offsets);
    free(f->category);
    free(f->of_offsets);
    free(f->of);
    free(f->in_offsets);
    free(f->in);
    *f = (struct pz_facets){0};
}

/* Appends the name of the facet for a column and a value as they stand in a request. */
static void
add_name(struct pz_buf *out, const char *column, size_t n_column, const char *value,
         size_t n_value)
{
    for (size_t i = 0; i < n_column; i++)
        pz_buf_addc(out, (char)toupper((unsigned char)column[i]));
    pz_buf_addc(out, '=');
    pz_buf_add(out, value, n_value);
}

/* ---- making ---- */

/* What is read of the dataset: (thing, facet) in the order of the columns. */
struct maker {
    const struct pz_dataset *d;
    const uint32_t *row;
    uint32_t n;
    struct pz_dict dict; // names
    struct pz_buf name;
    struct pair {
        uint32_t thing, facet;
    } * pair;
    size_t n_pairs, cap_pairs;
    uint8_t *category; // of each name
    size_t cap_category;
};

/* The cell as text: of a number the shortest. false: null. */
static bool
cell_text(const struct pz_column *c, uint64_t r, char number[PZ_NUM_TEXT], const char **s,
          size_t *n)
{
    int64_t i;
    double f;
    if (c->field->type == PZ_STRING) {
        *s = pz_column_text(c, r, n);
        return *s != NULL;
    }
    *s = number;
    if (c->field->type == PZ_INT || c->field->type == PZ_LONG) {
        if (!pz_column_i64(c, r, &i))
            return false;
        *n = pz_format_i64(number, i);
        return true;
    }
    if (!pz_column_f64(c, r, &f))
        return false;
    *n = pz_format_f64(number, f);
    return true;
}

static bool
is_usable(const struct pz_column *c, bool categories)
{
    const struct pz_field *f = c->field;
    if (f->role != PZ_ROLE_NONE || f->type == PZ_BOOLEAN || f->textual)
        return false;
    return f->type == PZ_STRING ? f->categorical || !categories : !categories;
}

static int
add_value(struct maker *m, const struct pz_column *c, uint32_t thing, const char *s,
          size_t n, struct pz_err *err)
{
    uint32_t facet;
    pz_buf_clear(&m->name);
    add_name(&m->name, c->name, strlen(c->name), s, n);
    if (pz_buf_status(&m->name, "categories", err) ||
        pz_dict_intern(&m->dict, m->name.data, m->name.len, &facet, err) ||
        pz_grow(&m->pair, &m->cap_pairs, m->n_pairs + 1, sizeof *m->pair, "categories",
                err) ||
        pz_grow(&m->category, &m->cap_category, m->dict.n, 1, "categories", err))
        return err->status;
    m->category[facet] = c->field->type == PZ_STRING && c->field->categorical;
    m->pair[m->n_pairs++] = (struct pair){thing, facet};
    return PZ_OK;
}

/* All values of a cell, those of categories apart. */
static int
add_cell(struct maker *m, const struct pz_column *c, uint32_t thing, const char *s,
         size_t n, struct pz_err *err)
{
    struct pz_parts parts = pz_parts_of(s, n);
    if (c->field->type != PZ_STRING || !c->field->categorical)
        return n ? add_value(m, c, thing, s, n, err) : PZ_OK;
    while (pz_parts_next(&parts, &s, &n))
        if (n && add_value(m, c, thing, s, n, err))
            return err->status;
    return PZ_OK;
}

/*
 * One column. Its pairs go again when all of its cells are alike, or all different: such
 * a column says nothing of what things have in common. The names stay in the dictionary,
 * without things, and are dropped when facets are numbered.
 */
static int
add_column(struct maker *m, const struct pz_column *c, struct pz_err *err)
{
    char number[PZ_NUM_TEXT];
    size_t first = m->n_pairs, n_cells = 0, names = m->dict.n;
    for (uint32_t i = 0; i < m->n; i++) {
        const char *s;
        size_t n;
        uint32_t r = m->row ? m->row[i] : i;
        if (r >= m->d->n_rows || !cell_text(c, r, number, &s, &n))
            continue;
        n_cells++;
        if (add_cell(m, c, i, s, n, err))
            return err->status;
    }
    size_t n_values = m->dict.n - names, n = m->n_pairs - first;
    if (n_values == n || n_values * n_cells == n)
        m->n_pairs = first;
    return PZ_OK;
}

/* Numbers the facets that have things by name; the pairs get the new numbers. */
static int
number_facets(struct pz_facets *f, struct maker *m, struct pz_err *err)
{
    static const char what[] = "categories";
    struct pz_dict *dict = &m->dict, kept = {0}, *one = &kept;
    uint32_t *of_old = NULL, *map = NULL;
    uint64_t n = 0;
    if (pz_dict_init(&kept, err) || pz_new(&of_old, dict->n, sizeof *of_old, what, err))
        goto done;
    for (size_t i = 0; i < dict->n; i++)
        of_old[i] = PZ_NO_ID;
    for (size_t i = 0; i < m->n_pairs; i++) {
        uint32_t old = m->pair[i].facet;
        size_t len;
        const char *s = pz_dict_get(dict, old, &len);
        if (of_old[old] == PZ_NO_ID && pz_dict_intern(&kept, s, len, &of_old[old], err))
            goto done;
    }
    if (pz_dict_merge(&one, 1, &n, &f->bytes, &f->name_offsets, &map, err) ||
        pz_new(&f->category, n, 1, what, err))
        goto done;
    f->n = (uint32_t)n;
    for (size_t i = 0; i < m->n_pairs; i++) {
        struct pair *p = &m->pair[i];
        uint8_t category = m->category[p->facet];
        p->facet = map[of_old[p->facet]];
        f->category[p->facet] = category;
    }
done:
    free(map);
    free(of_old);
    pz_dict_release(&kept);
    return err->status;
}

/* The pairs as both lists. */
static int
list_pairs(struct pz_facets *f, const struct maker *m, struct pz_err *err)
{
    struct pz_csr of, in;
    uint64_t *offsets = NULL;
    uint32_t *facet = NULL;
    f->n_things = m->n;
    if (pz_new(&offsets, (size_t)m->n + 2, sizeof *offsets, "categories", err) ||
        pz_new(&facet, m->n_pairs, sizeof *facet, "categories", err))
        goto done;
    for (size_t i = 0; i < m->n_pairs; i++)
        offsets[m->pair[i].thing + 2]++;
    for (uint32_t i = 0; i < m->n; i++)
        offsets[i + 2] += offsets[i + 1];
    for (size_t i = 0; i < m->n_pairs; i++) // offsets[i + 1] becomes the end of row i
        facet[offsets[m->pair[i].thing + 1]++] = m->pair[i].facet;
    if (pz_csr_make(&of, &in, m->n, f->n, offsets, facet, NULL, true, err))
        goto done;
    f->of_offsets = of.offsets;
    f->of = of.col;
    f->in_offsets = in.offsets;
    f->in = in.col;
done:
    free(offsets);
    free(facet);
    return err->status;
}

int
pz_facets_make(struct pz_facets *f, const struct pz_dataset *d, const uint32_t *row,
               uint32_t n, bool categories, struct pz_err *err)
{
    struct maker m = {.d = d, .row = row, .n = n, .name = PZ_BUF_INIT};
    *f = (struct pz_facets){0};
    if (!pz_dict_init(&m.dict, err)) {
        for (size_t c = 0; d && c < d->n_columns && !err->status; c++)
            if (is_usable(&d->column[c], categories))
                add_column(&m, &d->column[c], err);
        if (!err->status && !number_facets(f, &m, err))
            list_pairs(f, &m, err);
    }
    pz_dict_release(&m.dict);
    pz_buf_release(&m.name);
    free(m.pair);
    free(m.category);
    if (err->status)
        pz_facets_release(f);
    return err->status;
}

/* ---- in a model ---- */

static const char *
tensor_name(char out[96], const char *prefix, const char *name)
{
    snprintf(out, 96, "%s.%s", prefix, name);
    return out;
}

void
pz_facets_give(struct pz_facets *f, struct pz_builder *b, const char *prefix)
{
    char name[96];
    uint64_t n_entries = f->in_offsets[f->n];
    pz_builder_take1(b, tensor_name(name, prefix, "name.bytes"), PZ_U8,
                     (uint64_t)f->name_offsets[f->n], f->bytes);
    pz_builder_take1(b, tensor_name(name, prefix, "name.offsets"), PZ_I64,
                     (uint64_t)f->n + 1, f->name_offsets);
    pz_builder_take1(b, tensor_name(name, prefix, "category"), PZ_U8, f->n, f->category);
    pz_builder_take1(b, tensor_name(name, prefix, "of.offsets"), PZ_U64,
                     (uint64_t)f->n_things + 1, f->of_offsets);
    pz_builder_take1(b, tensor_name(name, prefix, "of"), PZ_U32, n_entries, f->of);
    pz_builder_take1(b, tensor_name(name, prefix, "in.offsets"), PZ_U64,
                     (uint64_t)f->n + 1, f->in_offsets);
    pz_builder_take1(b, tensor_name(name, prefix, "in"), PZ_U32, n_entries, f->in);
    *f = (struct pz_facets){0};
}

void
pz_facets_view(struct pz_facet_view *v, const struct pz_facets *f)
{
    *v = (struct pz_facet_view){
        .name = {f->bytes, f->name_offsets, NULL, f->n, (uint64_t)f->name_offsets[f->n],
                 0},
        .n = f->n,
        .n_things = f->n_things,
        .category = f->category,
        .n_entries = f->in_offsets[f->n],
        .of_offsets = f->of_offsets,
        .in_offsets = f->in_offsets,
        .of = f->of,
        .in = f->in,
    };
}

int
pz_facets_open(struct pz_facet_view *v, const struct pz_tensors *t, const char *prefix,
               uint32_t n_things, struct pz_err *err)
{
    char name[96];
    *v = (struct pz_facet_view){.n_things = n_things, .file = t};
    snprintf(v->prefix, sizeof v->prefix, "%s", prefix);
    if (pz_ids_open(&v->name, t, tensor_name(name, prefix, "name"), err))
        return err->status;
    v->n = (uint32_t)v->name.n;
    uint64_t n = v->n, of = (uint64_t)n_things + 1, in = n + 1;
    v->n_entries = UINT64_MAX;
    return pz_tensors_get1(t, tensor_name(name, prefix, "category"), PZ_U8, &n,
                           &v->category, err) ||
                   pz_tensors_get1(t, tensor_name(name, prefix, "of.offsets"), PZ_U64,
                                   &of, &v->of_offsets, err) ||
                   pz_tensors_get1(t, tensor_name(name, prefix, "of"), PZ_U32,
                                   &v->n_entries, &v->of, err) ||
                   pz_tensors_get1(t, tensor_name(name, prefix, "in.offsets"), PZ_U64,
                                   &in, &v->in_offsets, err) ||
                   pz_tensors_get1(t, tensor_name(name, prefix, "in"), PZ_U32,
                                   &v->n_entries, &v->in, err)
               ? err->status
               : PZ_OK;
}

bool
pz_facet_row(const uint64_t *offsets, uint64_t i, uint64_t n_entries, uint64_t *from,
             uint64_t *to)
{
    *from = offsets[i];
    *to = offsets[i + 1];
    return *from <= *to && *to <= n_entries;
}

/* ---- expressions ---- */

/* What stands in front of the user's text makes it a filter about items; a line of its
 * own, so that columns in messages are the user's. */
static const char head[] = "INCLUDE ItemID WHERE\n";

/* "filter:2:COLUMN: ..." as "attributes:COLUMN: ...". */
static void
rename_place(struct pz_err *err)
{
    static const char from[] = "filter:2:", to[] = "attributes:";
    char rest[sizeof err->msg];
    if (strncmp(err->msg, from, sizeof from - 1))
        return;
    snprintf(rest, sizeof rest, "%s", err->msg + sizeof from - 1);
    snprintf(err->msg, sizeof err->msg, "%s%.*s", to, (int)(sizeof err->msg - sizeof to),
             rest);
}

struct finder {
    const struct pz_facet_view *v;
    const struct pz_ftree *tree;
    struct pz_buf name;
    uint32_t *thing; // what is left
    size_t n;
    bool begun;
    size_t unknown;
};

/* Is there a facet of the column (in upper case, '=' behind)? */
static bool
has_column(const struct pz_ids *names, const char *column, size_t n)
{
    for (uint32_t i = 0; i < names->n; i++) {
        size_t len = 0;
        const char *s = pz_ids_get(names, i, &len);
        if (s && len >= n && !memcmp(s, column, n))
            return true;
    }
    return false;
}

static int
unknown_column(const struct finder *x, const struct pz_ftoken *field, struct pz_err *err)
{
    struct pz_buf all = PZ_BUF_INIT;
    const char *last = "";
    size_t n_last = 0;
    for (uint32_t i = 0; i < x->v->name.n; i++) {
        size_t len = 0;
        const char *s = pz_ids_get(&x->v->name, i, &len);
        const char *equals = s ? memchr(s, '=', len) : NULL;
        size_t n = equals ? (size_t)(equals - s) : 0;
        if (n && (n != n_last || memcmp(s, last, n)))
            pz_buf_addf(&all, "%s%.*s", all.len ? ", " : "", (int)n, s);
        if (n) {
            last = s;
            n_last = n;
        }
    }
    if (!pz_buf_status(&all, "a message", err))
        pz_err_set(
            err, PZ_DATA, "the model has learned no attribute '%.*s' of items; it has %s",
            (int)(field->n < 64 ? field->n : 64), field->s, all.len ? all.data : "none");
    pz_buf_release(&all);
    return err->status;
}

/* The facet of a column and a value; PZ_NO_ID. Numbers are looked for as they are stored
 * and as they were written. */
static uint32_t
find_facet(struct finder *x, const struct pz_ftoken *field, const struct pz_ftoken *value)
{
    char number[PZ_NUM_TEXT];
    double f;
    uint32_t facet;
    pz_buf_clear(&x->name);
    add_name(&x->name, field->s, field->n, value->s, value->n);
    facet =
        x->name.failed ? PZ_NO_ID : pz_ids_find(&x->v->name, x->name.data, x->name.len);
    if (facet != PZ_NO_ID || pz_parse_f64(value->s, value->n, &f))
        return facet;
    pz_buf_clear(&x->name);
    add_name(&x->name, field->s, field->n, number, pz_format_f64(number, f));
    return x->name.failed ? PZ_NO_ID
                          : pz_ids_find(&x->v->name, x->name.data, x->name.len);
}

/* Keeps of x->thing what is in the facet. */
static int
intersect(struct finder *x, uint32_t facet, struct pz_err *err)
{
    const struct pz_facet_view *v = x->v;
    uint64_t from = 0, to = 0;
    if (facet == PZ_NO_ID)
        x->unknown++;
    else if (!pz_facet_row(v->in_offsets, facet, v->n_entries, &from, &to))
        return pz_err_set(err, PZ_FORMAT, "%s: tensor '%s.in.offsets' is damaged",
                          v->file->path, v->prefix);
    if (!x->begun) {
        if (pz_new(&x->thing, to - from, sizeof *x->thing, "items", err))
            return err->status;
        for (uint64_t k = from; k < to; k++) {
            if (v->in[k] >= v->n_things || (k > from && v->in[k] <= v->in[k - 1]))
                return pz_err_set(err, PZ_FORMAT, "%s: tensor '%s.in' is damaged",
                                  v->file->path, v->prefix);
            x->thing[x->n++] = v->in[k];
        }
        x->begun = true;
        return PZ_OK;
    }
    size_t kept = 0;
    for (size_t i = 0; i < x->n; i++) {
        while (from < to && v->in[from] < x->thing[i])
            from++;
        if (from < to && v->in[from] == x->thing[i])
            x->thing[kept++] = x->thing[i];
    }
    x->n = kept;
    return PZ_OK;
}

static int
take_condition(struct finder *x, const struct pz_fcond *c, struct pz_err *err)
{
    const struct pz_ftoken *token = x->tree->token, *field = &token[c->field_token];
    struct pz_buf column = PZ_BUF_INIT;
    if (c->place != PZ_F_ITEMS || c->op != PZ_F_EQ || c->operand != PZ_F_LIST ||
        c->n != 1)
        return pz_err_set(err, PZ_DATA,
                          "'%.*s': attributes are asked for as ITEMS.COLUMN = \"value\", "
                          "joined by AND",
                          (int)(c->end - c->at < 80 ? c->end - c->at : 80),
                          x->tree->text + c->at);
    add_name(&column, field->s, field->n, "", 0);
    bool known = !column.failed && has_column(&x->v->name, column.data, column.len);
    pz_buf_release(&column);
    if (!known)
        return unknown_column(x, field, err);
    return intersect(x, find_facet(x, field, &token[c->first]), err);
}

/* Only conditions, joined by AND. */
static int
take_tree(struct finder *x, struct pz_err *err)
{
    const struct pz_ftree *t = x->tree;
    bool plain = t->n_exprs == 1 && t->expr[0].user_cond == PZ_F_NONE;
    for (size_t i = 0; i < t->n_nodes; i++)
        plain &= t->node[i].kind != PZ_F_OR;
    if (!plain)
        return pz_err_set(err, PZ_DATA,
                          "attributes are joined by AND; there is no OR, IF or |");
    for (size_t i = 0; i < t->n_conds; i++)
        if (take_condition(x, &t->cond[i], err))
            return err->status;
    return PZ_OK;
}

int
pz_facets_find(const struct pz_facet_view *v, const char *text, size_t n,
               uint32_t **thing, size_t *n_things, size_t *unknown, struct pz_err *err)
{
    struct pz_buf whole = PZ_BUF_INIT;
    struct pz_ftree tree = {0};
    struct finder x = {.v = v, .tree = &tree, .name = PZ_BUF_INIT};
    *thing = NULL;
    *n_things = *unknown = 0;
    pz_buf_addz(&whole, head);
    pz_buf_add(&whole, text, n);
    if (!pz_buf_status(&whole, "an expression", err) &&
        !pz_filter_parse(&tree, whole.data, whole.len, false, err) && !take_tree(&x, err))
        pz_buf_status(&x.name, "an expression", err);
    pz_filter_tree_release(&tree);
    pz_buf_release(&whole);
    pz_buf_release(&x.name);
    if (err->status) {
        free(x.thing);
        rename_place(err);
        return err->status;
    }
    *thing = x.thing;
    *n_things = x.n;
    *unknown = x.unknown;
    return PZ_OK;
}
