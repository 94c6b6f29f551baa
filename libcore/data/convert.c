#include "data/convert.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"

enum { STRICT_TEXT = 1000, STRICT_ID = 256, STRICT_TEXTUAL = 20000 };

/* ---- layout ---- */

static enum pz_pack
pack_of(enum pz_type t)
{
    switch (t) {
    case PZ_STRING:
        return PZ_PACK_CODE;
    case PZ_INT:
    case PZ_LONG:
        return PZ_PACK_INT;
    case PZ_FLOAT:
    case PZ_DOUBLE:
        return PZ_PACK_REAL;
    case PZ_BOOLEAN:
        return PZ_PACK_BOOL;
    }
    return PZ_PACK_CODE;
}

/* Ids and the time have fixed places at the head of the row. */
static bool
place_key(struct pz_layout *l, struct pz_pack_field *p, enum pz_set set)
{
    bool person = p->field->role == PZ_ROLE_USER;
    bool thing = p->field->role == PZ_ROLE_ITEM || p->field->role == PZ_ROLE_ACTION;
    if (l->events && p->field->role == PZ_ROLE_TIMESTAMP) {
        p->at = PZ_ROW_ORDER;
        p->kind = PZ_PACK_ORDER;
        return true;
    }
    if (set == PZ_USERS ? !person : l->events ? !person && !thing : !thing)
        return false;
    p->is_id = true;
    p->code = l->events && thing;
    p->at = p->code ? PZ_ROW_ITEM : PZ_ROW_ID;
    l->code_at[p->code] = p->at;
    return true;
}

int
pz_layout_init(struct pz_layout *l, const struct pz_schema *schema, struct pz_err *err)
{
    static const size_t bytes[] = {4, 8, 8, 1};
    *l = (struct pz_layout){.n_fields = schema->n_fields, .width = PZ_ROW_REST};
    l->events = schema->set == PZ_INTERACTIONS || schema->set == PZ_ACTION_INTERACTIONS;
    int r = pz_new(&l->field, l->n_fields, sizeof *l->field, "fields", err);
    if (r == PZ_OK)
        r = pz_new(&l->code_at, l->n_fields + 2, sizeof *l->code_at, "fields", err);
    if (r == PZ_OK)
        r = pz_new(&l->string, l->n_fields, sizeof *l->string, "fields", err);
    if (r == PZ_OK)
        r = pz_new(&l->number, l->n_fields, sizeof *l->number, "fields", err);
    if (r == PZ_OK)
        r = pz_new(&l->seen_null, l->n_fields, 1, "fields", err);
    if (r) {
        pz_layout_release(l);
        return r;
    }
    int n_null = 0;
    l->n_codes = l->events ? 2 : 1;
    for (size_t f = 0; f < l->n_fields; f++) {
        struct pz_pack_field *p = &l->field[f];
        const struct pz_field *field = &schema->field[f];
        *p = (struct pz_pack_field){
            .field = field, .kind = pack_of(field->type), .null_bit = -1, .code = -1};
        p->is_time = field->role == PZ_ROLE_TIMESTAMP || field->role == PZ_ROLE_CREATION;
        if (p->kind == PZ_PACK_CODE)
            l->string[l->n_strings++] = (uint32_t)f;
        else
            l->number[l->n_numbers++] = (uint32_t)f;
        if (place_key(l, p, schema->set))
            continue;
        p->at = l->width;
        l->width += bytes[p->kind];
        if (p->kind == PZ_PACK_CODE) {
            p->code = (int)l->n_codes++;
            l->code_at[p->code] = p->at;
        } else if (field->nullable) {
            p->null_bit = n_null++;
        }
    }
    l->null_at = l->width;
    l->width += (size_t)(n_null + 7) / 8;
    return PZ_OK;
}

void
pz_layout_release(struct pz_layout *l)
{
    free(l->field);
    free(l->code_at);
    free(l->string);
    free(l->number);
    free(l->seen_null);
    *l = (struct pz_layout){0};
}

int
pz_convert_init(struct pz_convert *c, const struct pz_layout *layout,
                struct pz_times times, bool strict, struct pz_err *err)
{
    *c = (struct pz_convert){.layout = layout, .times = times, .strict = strict};
    int r = pz_new(&c->dict, layout->n_codes, sizeof *c->dict, "dictionaries", err);
    for (size_t k = 0; k < layout->n_codes && r == PZ_OK; k++)
        r = pz_dict_init(&c->dict[k], err);
    if (r)
        pz_convert_release(c);
    return r;
}

void
pz_convert_release(struct pz_convert *c)
{
    for (size_t k = 0; c->dict && k < c->layout->n_codes; k++)
        pz_dict_release(&c->dict[k]);
    free(c->dict);
    *c = (struct pz_convert){0};
}

/* ---- refusing ---- */

static int bad(struct pz_convert *c, size_t f, const struct pz_cell *cell,
               const char *what) __attribute__((noinline));

/* "NAME 'value' WHAT", the value shortened and made printable. */
static int
bad(struct pz_convert *c, size_t f, const struct pz_cell *cell, const char *what)
{
    char shown[PZ_CELL_SHOWN];
    size_t n = pz_cell_show(shown, cell);
    c->bad_field = (unsigned)f;
    if (n)
        snprintf(c->reason, sizeof c->reason, "%s '%s' %s",
                 c->layout->field[f].field->name, shown, what);
    else
        snprintf(c->reason, sizeof c->reason, "%s %s", c->layout->field[f].field->name,
                 what);
    return PZ_DATA;
}

/* ---- values ---- */

struct pz_cell
pz_convert_plain(const struct pz_convert *c, const struct pz_cell *cell,
                 char text[PZ_NUMBER_BYTES])
{
    struct pz_cell t = *cell;
    size_t n = c->decimal && cell->kind == PZ_CELL_TEXT
                   ? pz_num_plain(text, PZ_NUMBER_BYTES, cell->s, cell->n, c->decimal)
                   : 0;
    if (n) {
        t.s = text;
        t.n = (uint32_t)n;
    }
    return t;
}

/* What is wrong with a number, and the option that would read it. */
static int
bad_number(struct pz_convert *c, size_t f, const struct pz_cell *cell, enum pz_num how)
{
    char text[PZ_NUMBER_BYTES];
    if (how == PZ_NUM_GARBAGE && cell->n && c->decimal != ',' &&
        pz_num_plain(text, sizeof text, cell->s, cell->n, ','))
        return bad(c, f, cell, "is not a number (--decimal , reads it)");
    if (how == PZ_NUM_GARBAGE && cell->n && c->decimal != '.' &&
        pz_num_plain(text, sizeof text, cell->s, cell->n, '.'))
        return bad(c, f, cell, "is not a number (--decimal . reads it)");
    return bad(c, f, cell, pz_num_text(how));
}

static int
convert_int(struct pz_convert *c, size_t f, const struct pz_cell *cell, char *row)
{
    const struct pz_pack_field *p = &c->layout->field[f];
    int64_t v;
    if (p->is_time) {
        const char *why;
        if (pz_times_read(&c->times, cell->s, cell->n, &v, &why))
            return bad(c, f, cell, why);
    } else {
        char text[PZ_NUMBER_BYTES];
        struct pz_cell t = pz_convert_plain(c, cell, text);
        enum pz_num how = pz_parse_i64(t.s, t.n, &v);
        if (how == PZ_NUM_OK && p->field->type == PZ_INT &&
            (v < INT32_MIN || v > INT32_MAX))
            how = PZ_NUM_RANGE;
        if (how)
            return bad_number(c, f, cell, how);
    }
    if (p->kind == PZ_PACK_ORDER)
        pz_row_set_order(row, v);
    else
        pz_row_set_i64(row, p->at, v);
    return PZ_OK;
}

static int
convert_bool(struct pz_convert *c, size_t f, const struct pz_cell *cell, char *row)
{
    static const struct {
        const char *text;
        char value;
    } words[] = {
        {"true", 1}, {"false", 0}, {"True", 1}, {"False", 0},
        {"TRUE", 1}, {"FALSE", 0}, {"1", 1},    {"0", 0},
    };
    char *to = row + c->layout->field[f].at;
    if (cell->kind == PZ_CELL_TRUE || cell->kind == PZ_CELL_FALSE) {
        *to = cell->kind == PZ_CELL_TRUE;
        return PZ_OK;
    }
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (strlen(words[k].text) == cell->n &&
            memcmp(words[k].text, cell->s, cell->n) == 0) {
            *to = words[k].value;
            return PZ_OK;
        }
    return bad(c, f, cell, "is no boolean: true or false");
}

static int
convert_real(struct pz_convert *c, size_t f, const struct pz_cell *cell, char *row)
{
    double v;
    char text[PZ_NUMBER_BYTES];
    struct pz_cell t = pz_convert_plain(c, cell, text);
    enum pz_num how = pz_parse_f64(t.s, t.n, &v);
    if (how)
        return bad_number(c, f, cell, how);
    v += 0.0; // -0 becomes 0: equal values have equal bytes
    memcpy(row + c->layout->field[f].at, &v, sizeof v);
    return PZ_OK;
}

static int
set_null(struct pz_convert *c, size_t f, const struct pz_cell *cell, char *row)
{
    const struct pz_pack_field *p = &c->layout->field[f];
    if (p->is_id)
        return bad(c, f, cell, "is empty: an id is needed");
    if (!p->field->nullable)
        return bad(c, f, cell,
                   cell->kind == PZ_CELL_ABSENT
                       ? "is missing, and the schema does not allow null"
                       : "is empty, and the schema does not allow null");
    __atomic_store_n(&c->layout->seen_null[f], 1, __ATOMIC_RELAXED);
    if (p->kind == PZ_PACK_CODE) {
        pz_row_set_u32(row, p->at, UINT32_MAX);
        return PZ_OK;
    }
    memset(row + p->at, 0, p->kind == PZ_PACK_BOOL ? 1 : 8);
    row[c->layout->null_at + (size_t)p->null_bit / 8] |= (char)(1 << p->null_bit % 8);
    return PZ_OK;
}

/* Limits that protect AWS's shared service bind only on request. */
static int
check_strict(struct pz_convert *c, size_t f, const struct pz_cell *cell)
{
    const struct pz_pack_field *p = &c->layout->field[f];
    if (p->is_id && cell->n > STRICT_ID)
        return bad(c, f, cell, "is longer than 256 bytes (--strict)");
    if (p->field->textual ? cell->n > STRICT_TEXTUAL : cell->n > STRICT_TEXT)
        return bad(c, f, cell,
                   p->field->textual ? "is longer than 20000 bytes (--strict)"
                                     : "is longer than 1000 bytes (--strict)");
    return PZ_OK;
}

int
pz_convert_field(struct pz_convert *c, size_t f, const struct pz_cell *cell, char *row)
{
    const struct pz_pack_field *p = &c->layout->field[f];
    if (cell->kind == PZ_CELL_ABSENT || cell->kind == PZ_CELL_NULL)
        return set_null(c, f, cell, row);
    if (p->kind == PZ_PACK_CODE) {
        // An empty cell of a field without null is the empty string, except for ids.
        if (cell->n == 0 && cell->kind == PZ_CELL_TEXT &&
            (p->field->nullable || p->is_id))
            return set_null(c, f, cell, row);
        return c->strict ? check_strict(c, f, cell) : PZ_OK;
    }
    struct pz_cell t = pz_cell_trim(*cell);
    if (t.n == 0 && t.kind == PZ_CELL_TEXT)
        return set_null(c, f, &t, row);
    if (p->kind == PZ_PACK_INT || p->kind == PZ_PACK_ORDER)
        return convert_int(c, f, &t, row);
    return p->kind == PZ_PACK_BOOL ? convert_bool(c, f, &t, row)
                                   : convert_real(c, f, &t, row);
}

int
pz_convert_flush(struct pz_convert *c, struct pz_err *err)
{
    int r = PZ_OK;
    for (unsigned k = 0; k < c->n_pending && r == PZ_OK; k++) {
        const struct pz_pending *p = &c->pending[k];
        uint32_t code = 0;
        r = pz_dict_intern_hashed(&c->dict[p->code], p->head, p->len, p->hash, &code,
                                  err);
        pz_row_set_u32(p->to, 0, code);
    }
    c->n_pending = 0;
    return r;
}

/* Runs of one value and long strings are looked up at once, others are queued. */
static inline int
intern(struct pz_convert *c, const struct pz_pack_field *p, const struct pz_cell *cell,
       char *row, struct pz_err *err)
{
    struct pz_dict *d = &c->dict[p->code];
    const char *s = cell->s;
    size_t n = cell->n;
    if (cell->kind == PZ_CELL_TRUE || cell->kind == PZ_CELL_FALSE) {
        s = cell->kind == PZ_CELL_TRUE ? "true" : "false";
        n = strlen(s);
    }
    uint64_t head = pz_dict_head(s, n);
    uint32_t code = 0;
    int r = PZ_OK;
    if (n <= 8 && d->last.head == head && d->last.len == n && d->last.index) {
        d->runs += d->runs < 32;
        pz_row_set_u32(row, p->at, d->last.index - 1);
        return PZ_OK;
    }
    bool now = n > 8 || pz_dict_is_near(d);
    d->runs -= d->runs > 0 ? 4 : 0;
    if (n > 8)
        r = pz_dict_intern_slow(d, s, n, head, &code, err);
    else if (now)
        r = pz_dict_intern_hashed(d, head, n, pz_dict_mix(d, head, n), &code, err);
    if (now) {
        pz_row_set_u32(row, p->at, code);
        return r;
    }
    c->pending[c->n_pending++] = (struct pz_pending){
        head, pz_dict_prefetch(d, head, n), row + p->at, (uint32_t)n, (uint32_t)p->code};
    return c->n_pending == PZ_PENDING ? pz_convert_flush(c, err) : PZ_OK;
}

/* Did pz_convert_field() find this string null? */
static bool
is_null(const struct pz_pack_field *p, const struct pz_cell *cell)
{
    return cell->kind == PZ_CELL_ABSENT || cell->kind == PZ_CELL_NULL ||
           (cell->n == 0 && p->field->nullable && cell->kind == PZ_CELL_TEXT);
}

/* Has every string something in it, so that there is nothing to check? */
static inline bool
all_filled(const struct pz_layout *l, const struct pz_cell *cell)
{
    for (size_t k = 0; k < l->n_strings; k++) {
        const struct pz_cell *c = &cell[l->string[k]];
        if (c->kind != PZ_CELL_TEXT || c->n == 0)
            return false;
    }
    return true;
}

/* A time of ten digits, as nearly all are, without the detours of pz_convert_field(). */
static inline bool
take_time(const struct pz_convert *c, const struct pz_pack_field *p,
          const struct pz_cell *cell, char *row)
{
    return p->kind == PZ_PACK_ORDER && c->times.unit == PZ_TIME_S && cell->n == 10 &&
           (cell->kind == PZ_CELL_TEXT || cell->kind == PZ_CELL_NUMBER) &&
           pz_convert_seconds(cell->s, row);
}

int
pz_convert_row(struct pz_convert *c, const struct pz_cell *cell, int64_t order, char *row,
               struct pz_err *err)
{
    const struct pz_layout *l = c->layout;
    bool filled = !c->strict && all_filled(l, cell);
    int r = PZ_OK;
    if (l->width > l->null_at)
        memset(row + l->null_at, 0, l->width - l->null_at);
    if (!l->events) {
        pz_row_set_order(row, order);
        pz_row_set_u32(row, PZ_ROW_ITEM, 0);
    }
    for (size_t k = 0; k < l->n_numbers && r == PZ_OK; k++) {
        size_t f = l->number[k];
        if (!take_time(c, &l->field[f], &cell[f], row))
            r = pz_convert_field(c, f, &cell[f], row);
    }
    for (size_t k = 0; !filled && k < l->n_strings && r == PZ_OK; k++)
        r = pz_convert_field(c, l->string[k], &cell[l->string[k]], row);
    for (size_t k = 0; k < l->n_strings && r == PZ_OK; k++) {
        size_t f = l->string[k];
        const struct pz_pack_field *p = &l->field[f];
        if (filled || !is_null(p, &cell[f]))
            r = intern(c, p, &cell[f], row, err);
    }
    return r;
}
