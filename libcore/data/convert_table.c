/*
 * Tables of plain CSV cells -> packed rows, column by column.
 *
 * A tile of rows is small enough that text, index and rows stay in the first-level cache
 * while every column passes over them in a loop of its own. The loops have hardly a
 * branch that cannot be predicted, and the cache misses of a dictionary overlap, since no
 * lookup waits for the one before.
 */
#include "base/num.h"
#include "data/convert.h"

enum { TILE = 256 };

/* A column of a tile. */
struct strip {
    const char *text;
    const uint16_t *begin; // of its cell in the tile's first row
    size_t step;           // to the next row
    bool last;             // of the row: a carriage return may stand at its end
    char *row;             // the tile's first
    size_t width;
};

static inline unsigned
cell_length(const struct strip *s, const uint16_t *begin)
{
    unsigned n = begin[1] - 1u - begin[0];
    return s->last && n && s->text[begin[0] + n - 1] == '\r' ? n - 1 : n;
}

/* How many of the first n cells are sound; those of numbers are converted, of nulls
 * written. */
static size_t
check_strip(struct pz_convert *c, const struct strip *s, size_t f, size_t n)
{
    const struct pz_pack_field *p = &c->layout->field[f];
    bool time = p->kind == PZ_PACK_ORDER && c->times.unit == PZ_TIME_S;
    bool code = p->kind == PZ_PACK_CODE && !c->strict;
    const uint16_t *b = s->begin;
    char *row = s->row;
    for (size_t k = 0; k < n; k++, b += s->step, row += s->width) {
        unsigned len = cell_length(s, b);
        if (code && len)
            continue;
        if (time && len == 10 && pz_convert_seconds(s->text + b[0], row))
            continue;
        struct pz_cell cell = {s->text + b[0], len, PZ_CELL_TEXT};
        if (pz_convert_field(c, f, &cell, row)) {
            c->reason[0] = 0;
            return k;
        }
    }
    return n;
}

/* A tile's cells of one string column. */
struct keys {
    uint64_t head[TILE]; // the first 8 bytes
    size_t hash[TILE];   // of cells of up to 8 bytes
    uint32_t len[TILE];
    bool runs; // most are the same as the one before
};

static void
take_keys(struct keys *keys, const struct strip *s, size_t n)
{
    const uint16_t *b = s->begin;
    size_t same = 0;
    for (size_t k = 0; k < n; k++, b += s->step) {
        uint64_t w;
        memcpy(&w, s->text + b[0], sizeof w);
        uint32_t len = cell_length(s, b);
        keys->len[k] = len;
        keys->head[k] = w & (len < 8 ? (UINT64_C(1) << 8 * len) - 1 : UINT64_MAX);
    }
    for (size_t k = 1; k < n; k++)
        same += (size_t)(keys->head[k] == keys->head[k - 1]) &
                (size_t)(keys->len[k] == keys->len[k - 1]);
    keys->runs = 2 * same > n;
}

/* Repeats cost a compare here; in a column without them its outcome could not be
 * predicted. */
static inline bool
repeats(const struct keys *keys, size_t k)
{
    return keys->runs && k && keys->head[k] == keys->head[k - 1] &&
           keys->len[k] == keys->len[k - 1] && keys->len[k] <= 8;
}

/* The codes of the first n cells of a string column, all of them sound. */
static int
intern_strip(struct pz_convert *c, const struct strip *s, size_t f, size_t n,
             struct pz_err *err)
{
    const struct pz_pack_field *p = &c->layout->field[f];
    struct pz_dict *d = &c->dict[p->code];
    struct keys keys;
    bool nulls = p->field->nullable;
    take_keys(&keys, s, n);
    for (size_t k = 0; k < n; k++)
        if (!repeats(&keys, k))
            keys.hash[k] = pz_dict_prefetch(d, keys.head[k], keys.len[k]);
    char *to = s->row + p->at;
    for (size_t k = 0; k < n; k++, to += s->width) {
        uint32_t len = keys.len[k], code;
        if (nulls && len == 0)
            continue;
        if (repeats(&keys, k)) {
            memcpy(to, to - s->width, sizeof code);
            continue;
        }
        code = len > 8 ? PZ_NO_ID : pz_dict_at_home(d, keys.head[k], len, keys.hash[k]);
        if (code == PZ_NO_ID) {
            const char *text = s->text + s->begin[k * s->step];
            int r = pz_dict_intern_slow(d, text, len, keys.head[k], &code, err);
            if (r)
                return r;
        }
        memcpy(to, &code, sizeof code);
    }
    return PZ_OK;
}

/* Up to TILE rows. */
static int
convert_tile(struct pz_convert *c, const struct pz_csv_table *t, size_t n,
             const unsigned *column, int64_t order, char *row, size_t *n_done,
             struct pz_err *err)
{
    const struct pz_layout *l = c->layout;
    struct strip strip = {
        .text = t->text, .step = t->n_cols, .row = row, .width = l->width};
    int r = PZ_OK;
    for (size_t k = 0; k < n && l->width > l->null_at; k++)
        memset(row + k * l->width + l->null_at, 0, l->width - l->null_at);
    for (size_t k = 0; k < n && !l->events; k++) {
        pz_row_set_order(row + k * l->width, order + (int64_t)k);
        pz_row_set_u32(row + k * l->width, PZ_ROW_ITEM, 0);
    }
    for (size_t f = 0; f < l->n_fields; f++) {
        strip.begin = t->begin + column[f] - 1;
        strip.last = column[f] == t->n_cols;
        n = check_strip(c, &strip, f, n);
    }
    for (size_t k = 0; k < l->n_strings && r == PZ_OK; k++) {
        strip.begin = t->begin + column[l->string[k]] - 1;
        strip.last = column[l->string[k]] == t->n_cols;
        r = intern_strip(c, &strip, l->string[k], n, err);
    }
    *n_done = n;
    return r;
}

int
pz_convert_table(struct pz_convert *c, const struct pz_csv_table *t, size_t n,
                 const unsigned *column, int64_t order, char *row, size_t *n_done,
                 struct pz_err *err)
{
    struct pz_csv_table tile = *t;
    *n_done = 0;
    while (*n_done < n) {
        size_t want = n - *n_done < TILE ? n - *n_done : TILE, got;
        int r = convert_tile(c, &tile, want, column, order + (int64_t)*n_done,
                             row + *n_done * c->layout->width, &got, err);
        *n_done += got;
        tile.begin += got * t->n_cols;
        if (r || got < want)
            return r;
    }
    return PZ_OK;
}
