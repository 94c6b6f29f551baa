/*
 * space: all candidates at once.
 *
 * A part of the filter that looks at columns is evaluated over the rows of the subject's
 * dataset, block by block, and then mapped to the candidates; conditions on events and
 * ids enter as bitmaps over the rows, which are empty but for the few rows concerned. A
 * part that looks at events only is the same for all candidates but those with events.
 */
#include "filter/program.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { BLOCK_WORDS = 64, BLOCK_ROWS = BLOCK_WORDS * 64 };

struct pz_filter_space {
    const struct pz_filter *f;
    const struct pz_ids *ids;
    size_t n, n_words;
    uint64_t n_rows;
    uint32_t *row;                // of each candidate; NULL: the same number
    uint64_t *rowless;            // bit per candidate; NULL: none
    uint64_t *unknown;            // to events, too; NULL: none
    struct pz_bits_table **table; // of each leaf: texts with constant operands; else NULL
    uint64_t **fixed;             // of each part: static ones; else NULL
};

/* Of one run; its bitmaps grow to the largest space. */
struct pz_filter_scratch {
    struct pz_bits_table *
        *table; // of each leaf: texts whose operands come with the request
    size_t n_tables;
    uint64_t version; // of the run's operands that the tables were made for
    bool has_tables;
    uint64_t *special;          // of each EXISTS, then of each leaf on ids: bit per row
    uint64_t *rows;             // bit per row
    uint64_t *match, *included; // bit per candidate
    size_t cap_special, cap_rows, cap_match, cap_included; // words
};

static size_t
words(uint64_t n)
{
    return (size_t)((n + 63) / 64);
}

static bool
get_bit(const uint64_t *bits, size_t i)
{
    return bits[i / 64] >> i % 64 & 1;
}

static void
put_bit(uint64_t *bits, size_t i, bool value)
{
    uint64_t bit = (uint64_t)1 << i % 64;
    bits[i / 64] = value ? bits[i / 64] | bit : bits[i / 64] & ~bit;
}

/* All bits up to n to `value`, zeros behind. */
static void
fill(uint64_t *bits, size_t n, bool value)
{
    memset(bits, value ? 0xff : 0, words(n) * sizeof *bits);
    if (value && n % 64)
        bits[n / 64] = ((uint64_t)1 << n % 64) - 1;
}

/* ---- scratch ---- */

static bool
is_id_leaf(const struct pz_leaf *leaf)
{
    return leaf->source == PZ_SRC_ROW && !leaf->ref.col;
}

static size_t
count_id_leaves(const struct pz_filter *f, size_t end)
{
    size_t n = 0;
    for (size_t i = 0; i < end; i++)
        n += is_id_leaf(&f->leaf[i]);
    return n;
}

static bool
is_text_column(const struct pz_leaf *leaf)
{
    return leaf->source == PZ_SRC_ROW && leaf->ref.col &&
           leaf->ref.class == PZ_CLASS_TEXT;
}

static void
free_tables(struct pz_bits_table **table, size_t n)
{
    for (size_t i = 0; table && i < n; i++)
        free(table[i]);
    free(table);
}

void
pz_filter_scratch_free(struct pz_filter_scratch *s)
{
    if (!s)
        return;
    free_tables(s->table, s->n_tables);
    free(s->special);
    free(s->rows);
    free(s->match);
    free(s->included);
    free(s);
}

static int
prepare_scratch(struct pz_filter_run *r, const struct pz_filter_space *s,
                struct pz_err *err)
{
    const struct pz_filter *f = r->f;
    size_t n_special = f->n_exists + count_id_leaves(f, f->n_leaves), special;
    if (!r->scratch &&
        pz_new(&r->scratch, 1, sizeof *r->scratch, "a filter's bitmaps", err))
        return err->status;
    struct pz_filter_scratch *x = r->scratch;
    if (!x->table &&
        pz_new(&x->table, f->n_leaves, sizeof *x->table, "a filter's tables", err))
        return err->status;
    x->n_tables = f->n_leaves;
    size_t n_rows = words(s->n_rows) + 1, n_words = s->n_words + 1;
    if (!pz_size_mul(n_special, n_rows, &special))
        return pz_err_nomem(err, "a filter's bitmaps", SIZE_MAX);
    return pz_grow(&x->special, &x->cap_special, special, 8, "a filter's bitmaps", err) ||
                   pz_grow(&x->rows, &x->cap_rows, n_rows, 8, "a filter's bitmaps",
                           err) ||
                   pz_grow(&x->match, &x->cap_match, n_words, 8, "a filter's bitmaps",
                           err) ||
                   pz_grow(&x->included, &x->cap_included, n_words, 8,
                           "a filter's bitmaps", err)
               ? err->status
               : PZ_OK;
}

/* Tables of the leaves whose operands came with the request, when those changed. */
static int
prepare_tables(struct pz_filter_run *r, struct pz_err *err)
{
    const struct pz_filter *f = r->f;
    struct pz_filter_scratch *x = r->scratch;
    if (x->has_tables && x->version == r->version)
        return PZ_OK;
    x->has_tables = false;
    for (size_t i = 0; i < f->n_leaves; i++) {
        const struct pz_leaf *leaf = &f->leaf[i];
        if (!is_text_column(leaf) || leaf->kind == PZ_OPERAND_CONST)
            continue;
        free(x->table[i]);
        x->table[i] = NULL;
        if (pz_bits_table(&x->table[i], leaf, &r->operand[i], err))
            return err->status;
    }
    x->has_tables = true;
    x->version = r->version;
    return PZ_OK;
}

int
pz_filter_prepare(struct pz_filter_run *r, const struct pz_filter_space *s,
                  struct pz_err *err)
{
    return prepare_scratch(r, s, err) || prepare_tables(r, err) ? err->status : PZ_OK;
}

/* ---- bitmaps over rows ---- */

static uint64_t *
special_bits(const struct pz_filter_run *r, const struct pz_filter_space *s, size_t k)
{
    return r->scratch->special + k * (words(s->n_rows) + 1);
}

static uint64_t *
id_bits(const struct pz_filter_run *r, const struct pz_filter_space *s, size_t leaf)
{
    return special_bits(r, s, r->f->n_exists + count_id_leaves(r->f, leaf));
}

static const struct pz_ids *
row_ids(const struct pz_filter *f)
{
    return f->subject == PZ_SUBJECT_USER ? &f->rows->user : &f->rows->item;
}

/* The candidate that stands for event i of the run (its item), located. */
static struct pz_fplace_of
event_place(const struct pz_filter_run *r, size_t i)
{
    const struct pz_fevent *e = &r->event[i];
    struct pz_candidate c = {NULL, 0, NULL};
    if (e->row == UINT64_MAX) {
        c.id = r->live[e->live].item;
        c.n = r->live[e->live].n_item;
    } else {
        c.id = pz_ids_get(&r->f->events->item, e->item, &c.n);
    }
    return c.id ? pz_filter_locate(r, &c)
                : (struct pz_fplace_of){"", 0, PZ_NO_ID, PZ_NO_ID, NULL};
}

/* Is event i the first one of its item? Streamed ones of new items each count as first.
 */
static bool
first_of_item(const struct pz_filter_run *r, size_t i)
{
    return i == 0 || r->event[i].item == PZ_NO_ID ||
           r->event[i].item != r->event[i - 1].item;
}

static void
exists_bits(struct pz_filter_run *r, const struct pz_filter_space *s, size_t k)
{
    const struct pz_filter *f = r->f;
    uint64_t *bits = special_bits(r, s, k);
    if (f->subject == PZ_SUBJECT_USER) {
        fill(bits, s->n_rows, false);
        for (uint32_t row = 0; row < s->n_rows; row++) {
            struct pz_candidate c = {NULL, 0, NULL};
            c.id = pz_ids_get(&f->rows->user, row, &c.n);
            if (!c.id)
                continue;
            struct pz_fplace_of p = {c.id, c.n, row, PZ_NO_ID, NULL};
            p.touch = pz_ids_find(&f->events->user, c.id, c.n);
            put_bit(bits, row, pz_filter_exists(r, k, &p) == PZ_YES);
        }
        return;
    }
    fill(bits, s->n_rows, f->exists[k].negate);
    for (size_t i = 0; i < r->n_events; i++) {
        if (!first_of_item(r, i))
            continue;
        struct pz_fplace_of p = event_place(r, i);
        if (p.row != PZ_NO_ID)
            put_bit(bits, p.row, pz_filter_exists(r, k, &p) == PZ_YES);
    }
}

static void
ids_bits(struct pz_filter_run *r, const struct pz_filter_space *s, size_t i)
{
    const struct pz_leaf *leaf = &r->f->leaf[i];
    const struct pz_operand *o = &r->operand[i];
    uint64_t *bits = id_bits(r, s, i);
    bool unknown = o->null && leaf->op < PZ_F_IN;
    fill(bits, s->n_rows, leaf->negate && !unknown);
    for (size_t k = 0; k < o->n_texts && !unknown; k++) {
        uint32_t row = pz_ids_find(row_ids(r->f), o->text[k].s, o->text[k].n);
        if (row != PZ_NO_ID)
            put_bit(bits, row, !leaf->negate);
    }
}

/* What a part needs besides columns. */
static void
special_of_part(struct pz_filter_run *r, const struct pz_filter_space *s,
                const struct pz_fpart *p)
{
    for (size_t i = p->where; i < p->where + p->n_where; i++) {
        const struct pz_finstr *in = &r->f->instr[i];
        if (in->code == PZ_OP_EXISTS)
            exists_bits(r, s, in->arg);
        else if (in->code == PZ_OP_LEAF && is_id_leaf(&r->f->leaf[in->arg]))
            ids_bits(r, s, in->arg);
    }
}

static void
block_leaf(const struct pz_filter_run *r, const struct pz_filter_space *s, size_t i,
           uint64_t first, size_t n, uint64_t *out)
{
    const struct pz_leaf *leaf = &r->f->leaf[i];
    if (is_id_leaf(leaf))
        memcpy(out, id_bits(r, s, i) + first / 64, words(n) * sizeof *out);
    else
        pz_bits_leaf(leaf, &r->operand[i],
                     leaf->kind == PZ_OPERAND_CONST ? s->table[i] : r->scratch->table[i],
                     first, n, out);
}

/* Rows [first, first + n) of a part to `out`. */
static void
block(const struct pz_filter_run *r, const struct pz_filter_space *s,
      const struct pz_fpart *p, uint64_t first, size_t n, uint64_t *out)
{
    uint64_t stack[PZ_F_STACK][BLOCK_WORDS];
    size_t top = 0, n_words = words(n);
    for (size_t i = p->where; i < p->where + p->n_where; i++) {
        const struct pz_finstr *in = &r->f->instr[i];
        switch (in->code) {
        case PZ_OP_LEAF:
            block_leaf(r, s, in->arg, first, n, stack[top++]);
            break;
        case PZ_OP_EXISTS:
            memcpy(stack[top++], special_bits(r, s, in->arg) + first / 64, n_words * 8);
            break;
        case PZ_OP_AND:
            top--;
            for (size_t k = 0; k < n_words; k++)
                stack[top - 1][k] &= stack[top][k];
            break;
        case PZ_OP_OR:
            top--;
            for (size_t k = 0; k < n_words; k++)
                stack[top - 1][k] |= stack[top][k];
            break;
        }
    }
    memcpy(out, stack[0], n_words * sizeof *out);
}

static void
match_rows(struct pz_filter_run *r, const struct pz_filter_space *s,
           const struct pz_fpart *p, uint64_t *out)
{
    special_of_part(r, s, p);
    for (uint64_t first = 0; first < s->n_rows; first += BLOCK_ROWS) {
        uint64_t left = s->n_rows - first;
        block(r, s, p, first, left < BLOCK_ROWS ? (size_t)left : BLOCK_ROWS,
              out + first / 64);
    }
}

/* ---- candidates ---- */

/* Candidate i one by one. */
static bool
match_one(struct pz_filter_run *r, const struct pz_filter_space *s, size_t part, size_t i)
{
    struct pz_candidate c = {NULL, 0, NULL};
    c.id = pz_ids_get(s->ids, (uint32_t)i, &c.n);
    if (!c.id)
        return false;
    struct pz_fplace_of p = pz_filter_locate(r, &c);
    return pz_filter_known(r, &p) && pz_filter_where(r, part, &p) == PZ_YES;
}

/*
 * Candidates without a row, or all of them when `only` is NULL. Those that nobody has
 * touched are all alike, as long as ids are not looked at.
 */
static void
match_rowless(struct pz_filter_run *r, const struct pz_filter_space *s, size_t part,
              const uint64_t *only, uint64_t *match)
{
    const struct pz_filter *f = r->f;
    if (f->subject == PZ_SUBJECT_USER || f->part[part].has_id) {
        if (!only)
            fill(match, s->n, false);
        for (size_t i = 0; i < s->n; i++)
            if (!only || get_bit(only, i))
                put_bit(match, i, match_one(r, s, part, i));
        return;
    }
    const struct pz_fplace_of nobody = {"", 0, PZ_NO_ID, PZ_NO_ID, NULL};
    size_t n_events = r->n_events;
    r->n_events = 0;
    bool value = pz_filter_where(r, part, &nobody) == PZ_YES;
    r->n_events = n_events;
    for (size_t k = 0; k < s->n_words; k++) {
        uint64_t which = only ? only[k] : ~(uint64_t)0;
        match[k] = value ? match[k] | which : match[k] & ~which;
        if (s->unknown)
            match[k] &= ~s->unknown[k];
    }
    if (s->n % 64)
        match[s->n_words - 1] &= ((uint64_t)1 << s->n % 64) - 1;
    for (size_t i = 0; i < r->n_events; i++) {
        if (!first_of_item(r, i))
            continue;
        struct pz_fplace_of p = event_place(r, i);
        uint32_t at = pz_ids_find(s->ids, p.id, p.n);
        if (at != PZ_NO_ID && (!only || get_bit(only, at)))
            put_bit(match, at, pz_filter_where(r, part, &p) == PZ_YES);
    }
}

static void
map_rows(const struct pz_filter_space *s, const uint64_t *rows, uint64_t *match)
{
    for (size_t k = 0; k < s->n_words; k++) {
        size_t n = s->n - k * 64 < 64 ? s->n - k * 64 : 64;
        const uint32_t *row = s->row + k * 64;
        uint64_t w = 0;
        for (size_t i = 0; i < n; i++)
            w |= (uint64_t)(row[i] != PZ_NO_ID && get_bit(rows, row[i])) << i;
        match[k] = w;
    }
}

/* The candidates for which WHERE of a part is true. */
static void
match_part(struct pz_filter_run *r, const struct pz_filter_space *s, size_t part,
           uint64_t *match)
{
    const struct pz_fpart *p = &r->f->part[part];
    if ((!p->has_row && !p->has_id) || !r->f->rows) {
        match_rowless(r, s, part, NULL, match);
        return;
    }
    match_rows(r, s, p, s->row ? r->scratch->rows : match);
    if (s->row)
        map_rows(s, r->scratch->rows, match);
    if (s->rowless)
        match_rowless(r, s, part, s->rowless, match);
}

int
pz_filter_items(struct pz_filter_run *r, const struct pz_filter_space *s,
                uint64_t *bitmap, struct pz_err *err)
{
    const struct pz_filter *f = r->f;
    bool includes = false;
    if (pz_filter_prepare(r, s, err))
        return err->status;
    for (size_t i = 0; i < f->n_parts; i++)
        includes |= r->active[i] && f->part[i].include;
    fill(bitmap, s->n, !includes);
    for (int include = 1; include >= 0; include--)
        for (size_t i = 0; i < f->n_parts; i++) {
            if (!r->active[i] || f->part[i].include != include)
                continue;
            const uint64_t *match = s->fixed[i];
            if (!match) {
                match_part(r, s, i, r->scratch->match);
                match = r->scratch->match;
            }
            for (size_t k = 0; k < s->n_words; k++)
                bitmap[k] = include ? bitmap[k] | match[k] : bitmap[k] & ~match[k];
        }
    return PZ_OK;
}

/* ---- counting ---- */

static uint64_t
count_bits(const uint64_t *bits, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (uint64_t)__builtin_popcountll(bits[i]);
    return sum;
}

uint64_t
pz_filter_space_size(const struct pz_filter_space *s)
{
    return s->n;
}

bool
pz_filter_count_leaf(struct pz_filter_run *r, const struct pz_filter_space *s,
                     size_t leaf, uint64_t *met, uint64_t *rows)
{
    uint64_t bits[BLOCK_WORDS];
    if (r->f->leaf[leaf].source != PZ_SRC_ROW || is_id_leaf(&r->f->leaf[leaf]))
        return false;
    *met = 0;
    *rows = s->n_rows;
    for (uint64_t first = 0; first < s->n_rows; first += BLOCK_ROWS) {
        uint64_t left = s->n_rows - first;
        size_t n = left < BLOCK_ROWS ? (size_t)left : BLOCK_ROWS;
        block_leaf(r, s, leaf, first, n, bits);
        *met += count_bits(bits, words(n));
    }
    return true;
}

int
pz_filter_count_part(struct pz_filter_run *r, const struct pz_filter_space *s,
                     size_t part, uint64_t *met, struct pz_err *err)
{
    if (pz_filter_prepare(r, s, err))
        return err->status;
    match_part(r, s, part, r->scratch->match);
    *met = count_bits(r->scratch->match, s->n_words);
    return PZ_OK;
}

/* ---- spaces ---- */

static bool
same_ids(const struct pz_ids *a, const struct pz_ids *b)
{
    if (a == b || (a->bytes == b->bytes && a->n == b->n && a->n_bytes == b->n_bytes))
        return true;
    return a->n == b->n && a->n_bytes == b->n_bytes &&
           !memcmp(a->offsets, b->offsets, (size_t)(a->n + 1) * sizeof *a->offsets) &&
           (!a->n_bytes || !memcmp(a->bytes, b->bytes, (size_t)a->n_bytes));
}

/* Walks two sorted lists together: fn gets each index of a with that in b or PZ_NO_ID. */
static void
walk_ids(const struct pz_ids *a, const struct pz_ids *b, struct pz_filter_space *s,
         void (*fn)(struct pz_filter_space *, size_t, uint32_t))
{
    uint32_t k = 0;
    for (uint32_t i = 0; i < a->n; i++) {
        size_t n, m;
        const char *x = pz_ids_get(a, i, &n), *y;
        int c = 1;
        while (x && k < b->n) {
            y = pz_ids_get(b, k, &m);
            c = y ? memcmp(x, y, n < m ? n : m) : 1;
            c = c ? c : n < m ? -1 : n > m;
            if (c <= 0)
                break;
            k++;
            c = 1;
        }
        fn(s, i, c == 0 ? k : PZ_NO_ID);
    }
}

static void
note_row(struct pz_filter_space *s, size_t i, uint32_t row)
{
    s->row[i] = row;
    if (row == PZ_NO_ID)
        put_bit(s->rowless, i, true);
}

static void
note_touch(struct pz_filter_space *s, size_t i, uint32_t touch)
{
    if (touch == PZ_NO_ID && get_bit(s->rowless, i))
        put_bit(s->unknown, i, true);
}

static int
map_ids(struct pz_filter_space *s, struct pz_err *err)
{
    const struct pz_filter *f = s->f;
    static const struct pz_ids none;
    bool user = f->subject == PZ_SUBJECT_USER;
    s->n_rows = f->rows ? f->rows->n_rows : 0;
    if (f->rows && same_ids(s->ids, row_ids(f)))
        return PZ_OK;
    if (pz_new(&s->row, s->n, sizeof *s->row, "a list of candidates", err) ||
        pz_new(&s->rowless, s->n_words, 8, "a list of candidates", err) ||
        pz_new(&s->unknown, s->n_words, 8, "a list of candidates", err))
        return err->status;
    walk_ids(s->ids, f->rows ? row_ids(f) : &none, s, note_row);
    const struct pz_ids *touched = !f->events ? &none
                                   : user     ? &f->events->user
                                              : &f->events->item;
    if (!f->events || !same_ids(s->ids, touched))
        walk_ids(s->ids, touched, s, note_touch);
    return PZ_OK;
}

static int
evaluate_static(struct pz_filter_space *s, struct pz_err *err)
{
    const struct pz_filter *f = s->f;
    struct pz_filter_run *r;
    if (pz_filter_run_new(&r, f, err))
        return err->status;
    prepare_scratch(r, s, err);
    for (size_t i = 0; i < f->n_parts && !err->status; i++)
        if (f->part[i].is_static && !pz_new(&s->fixed[i], s->n_words, 8, "a bitmap", err))
            match_part(r, s, i, s->fixed[i]);
    pz_filter_run_free(r);
    return err->status;
}

int
pz_filter_space_new(struct pz_filter_space **out, const struct pz_filter *f,
                    const struct pz_ids *ids, struct pz_err *err)
{
    struct pz_filter_space *s;
    *out = NULL;
    if (pz_new(&s, 1, sizeof *s, "a list of candidates", err))
        return err->status;
    *s = (struct pz_filter_space){.f = f, .ids = ids, .n = (size_t)ids->n};
    s->n_words = words(ids->n);
    if (!pz_new(&s->table, f->n_leaves, sizeof *s->table, "a filter's tables", err) &&
        !pz_new(&s->fixed, f->n_parts, sizeof *s->fixed, "bitmaps", err))
        map_ids(s, err);
    for (size_t i = 0; i < f->n_leaves && !err->status; i++)
        if (f->leaf[i].kind == PZ_OPERAND_CONST && is_text_column(&f->leaf[i]))
            pz_bits_table(&s->table[i], &f->leaf[i], &f->leaf[i].constant, err);
    if (err->status || evaluate_static(s, err)) {
        pz_filter_space_free(s);
        return err->status;
    }
    *out = s;
    return PZ_OK;
}

void
pz_filter_space_free(struct pz_filter_space *s)
{
    if (!s)
        return;
    free_tables(s->table, s->f->n_leaves);
    for (size_t i = 0; s->fixed && i < s->f->n_parts; i++)
        free(s->fixed[i]);
    free(s->fixed);
    free(s->row);
    free(s->rowless);
    free(s->unknown);
    free(s);
}
