/* convert: tables of cells give the rows that the same cells give one by one. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cpu.h"
#include "base/rng.h"
#include "data/convert.h"
#include "unit.h"

enum { N_ROWS = 3000, MAX_FIELDS = 8 };

static struct pz_err err;

static const char interactions[] =
    "{\"type\":\"record\",\"name\":\"Interactions\",\"namespace\":\"com.amazonaws."
    "personalize.schema\",\"fields\":["
    "{\"name\":\"USER_ID\",\"type\":\"string\"},"
    "{\"name\":\"ITEM_ID\",\"type\":\"string\"},"
    "{\"name\":\"TIMESTAMP\",\"type\":\"long\"},"
    "{\"name\":\"EVENT_TYPE\",\"type\":\"string\"},"
    "{\"name\":\"EVENT_VALUE\",\"type\":[\"float\",\"null\"]},"
    "{\"name\":\"DEVICE\",\"type\":[\"null\",\"string\"],\"categorical\":true},"
    "{\"name\":\"TIMES\",\"type\":[\"int\",\"null\"]}],\"version\":\"1.0\"}";

static const char items[] =
    "{\"type\":\"record\",\"name\":\"Items\",\"namespace\":\"com.amazonaws.personalize."
    "schema\",\"fields\":["
    "{\"name\":\"ITEM_ID\",\"type\":\"string\"},"
    "{\"name\":\"GENRES\",\"type\":[\"null\",\"string\"],\"categorical\":true},"
    "{\"name\":\"PRICE\",\"type\":\"double\"},"
    "{\"name\":\"ADULT\",\"type\":[\"boolean\",\"null\"]},"
    "{\"name\":\"CREATION_TIMESTAMP\",\"type\":\"long\"}],\"version\":\"1.0\"}";

/* What the cells of a column are drawn from, the last of each about once in 300 rows. */
static const char *const ids[] = {"u1",       "u12",
                                  "u1234567", "u12345678",
                                  "u1234567", "0e7b1c52-88aa-4a0b-9e4f-3c5b7d1f2a60",
                                  "0e7b1c52", ""};
static const char *const times[] = {"1600000000", "1600000001",  "0",         "-5",
                                    "1600000002", "99999999999", "160000000x"};
static const char *const texts[] = {"view", "click", "view", "purchase", "click", ""};
static const char *const reals[] = {"1.5", "", "0", "-0", " 7 ", "1e3", "x"};
static const char *const words[] = {"a|b", "", "drama", "drama|comedy|and more", "a"};
static const char *const flags[] = {"true", "", "0", "FALSE", "maybe"};
#define POOL(a) a, sizeof(a) / sizeof(*a)

struct world {
    const char *text;
    enum pz_set set;
    size_t n_fields;
    struct {
        const char *const *value;
        size_t n;
    } pool[MAX_FIELDS];
} worlds[] = {
    {interactions,
     PZ_INTERACTIONS,
     7,
     {{POOL(ids)},
      {POOL(ids)},
      {POOL(times)},
      {POOL(texts)},
      {POOL(reals)},
      {POOL(words)},
      {POOL(times)}}},
    {items,
     PZ_ITEMS,
     5,
     {{POOL(ids)}, {POOL(words)}, {POOL(reals)}, {POOL(flags)}, {POOL(times)}}},
};

/* Rows of the world: the fields in reverse, a column that no field has in front. */
static void
make_text(const struct world *w, struct pz_rng *rng, struct pz_buf *out)
{
    size_t run = 0; // rows that keep their first field
    const char *id = "";
    for (int r = 0; r < N_ROWS; r++) {
        pz_buf_addf(out, "%d", r % 13);
        for (size_t f = w->n_fields; f-- > 0;) {
            size_t n = w->pool[f].n;
            bool rare = pz_rng_below(rng, 300) == 0;
            const char *v = w->pool[f].value[rare ? n - 1 : pz_rng_below(rng, n - 1)];
            if (f == 0 && run > 0) {
                v = id;
                run--;
            } else if (f == 0) {
                id = v;
                run = pz_rng_below(rng, 700) / 100 * 100;
            }
            pz_buf_addf(out, ",%s", v);
        }
        pz_buf_addz(out, pz_rng_below(rng, 4) ? "\n" : "\r\n");
        if (pz_rng_below(rng, 500) == 0)
            pz_buf_addz(out, pz_rng_below(rng, 2) ? "\n" : "1,2\n");
    }
}

/* One way through the text. */
struct way {
    struct pz_convert convert;
    struct pz_csv *csv;
    char *row;
    size_t n;          // rows that were sound
    uint64_t n_tables; // those among them that came from tables
    struct pz_buf log; // line and reason of the others
};

static void
take_tables(struct way *way, const struct pz_layout *l, const unsigned *column)
{
    struct pz_csv_table t;
    size_t n, done = 0;
    do {
        pz_csv_peek(way->csv, &t);
        n = t.n_rows;
        ck_ok(pz_convert_table(&way->convert, &t, n, column, (int64_t)way->n,
                               way->row + way->n * l->width, &done, &err),
              err);
        ck_assert_uint_le(done, n);
        pz_csv_skip(way->csv, done);
        way->n += done;
        way->n_tables += done;
    } while (n && done == n);
}

static void
go(struct way *way, const struct pz_layout *l, const struct pz_buf *text, bool tables,
   bool strict)
{
    int slot[MAX_FIELDS + 1] = {-1};
    unsigned column[MAX_FIELDS];
    struct pz_cell cell[MAX_FIELDS];
    struct pz_row_at at;
    enum pz_row r;
    for (size_t f = 0; f < l->n_fields; f++) {
        column[f] = (unsigned)(l->n_fields - f) + 1;
        slot[column[f] - 1] = (int)f;
        cell[f] = (struct pz_cell){.kind = PZ_CELL_ABSENT};
    }
    ck_ok(pz_convert_init(&way->convert, l, (struct pz_times){0}, strict, &err), err);
    ck_ok(pz_csv_new(&way->csv, &err), err);
    way->row = calloc(N_ROWS, l->width);
    ck_assert_ptr_nonnull(way->row);
    pz_csv_start(way->csv, text->data, text->len, 1, slot, l->n_fields + 1);
    for (;;) {
        if (tables)
            take_tables(way, l, column);
        r = pz_csv_next(way->csv, cell, l->n_fields, NULL, &at);
        if (r == PZ_ROW_END)
            break;
        const char *reason = at.reason;
        if (r == PZ_ROW) {
            int status = pz_convert_row(&way->convert, cell, (int64_t)way->n,
                                        way->row + way->n * l->width, &err);
            way->n += status == PZ_OK;
            reason = status == PZ_OK ? NULL : way->convert.reason;
        }
        if (reason)
            pz_buf_addf(&way->log, "%d: %s\n", (int)at.line, reason);
    }
    ck_ok(pz_convert_flush(&way->convert, &err), err);
    pz_csv_free(way->csv);
}

/* Equal rows, except that codes are those of each way's own dictionaries. */
static void
compare(const struct pz_layout *l, const struct way *a, const struct way *b)
{
    ck_assert_str_eq(a->log.data, b->log.data);
    ck_assert_uint_eq(a->n, b->n);
    for (size_t k = 0; k < l->n_codes; k++)
        ck_assert_uint_eq(a->convert.dict[k].n, b->convert.dict[k].n);
    for (size_t r = 0; r < a->n; r++) {
        char *x = a->row + r * l->width, *y = b->row + r * l->width;
        for (size_t k = 0; k < l->n_codes; k++) {
            uint32_t cx = pz_row_u32(x, l->code_at[k]), cy = pz_row_u32(y, l->code_at[k]);
            pz_row_set_u32(x, l->code_at[k], 0);
            pz_row_set_u32(y, l->code_at[k], 0);
            ck_assert_int_eq(cx == UINT32_MAX, cy == UINT32_MAX);
            if (cx == UINT32_MAX)
                continue;
            size_t nx, ny;
            const char *sx = pz_dict_get(&a->convert.dict[k], cx, &nx);
            const char *sy = pz_dict_get(&b->convert.dict[k], cy, &ny);
            ck_assert(nx == ny && memcmp(sx, sy, nx) == 0);
        }
        ck_assert_msg(memcmp(x, y, l->width) == 0, "row %zu", r);
    }
}

START_TEST(tables_are_rows)
{
    const struct world *w = &worlds[_i % 2];
    bool strict = _i / 2 % 2;
    struct pz_rng rng;
    struct pz_schema schema = {0};
    struct pz_layout layout;
    struct pz_buf text = PZ_BUF_INIT;
    pz_rng_seed(&rng, 5, (uint64_t)_i);
    pz_cpu_force((enum pz_cpu)(_i / 4));
    ck_ok(pz_schema_parse(&schema, w->set, PZ_CUSTOM, w->text, strlen(w->text), &err),
          err);
    ck_ok(pz_layout_init(&layout, &schema, &err), err);
    make_text(w, &rng, &text);
    struct way rows = {.log = PZ_BUF_INIT}, tables = {.log = PZ_BUF_INIT};
    go(&rows, &layout, &text, false, strict);
    go(&tables, &layout, &text, true, strict);
    ck_assert_uint_gt(tables.n_tables, N_ROWS / 2);
    ck_assert_uint_lt(tables.n, N_ROWS);
    compare(&layout, &rows, &tables);
    for (int k = 0; k < 2; k++) {
        struct way *way = k ? &rows : &tables;
        pz_convert_release(&way->convert);
        pz_buf_release(&way->log);
        free(way->row);
    }
    pz_buf_release(&text);
    pz_layout_release(&layout);
    pz_schema_release(&schema);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("convert");
    TCase *t = tcase_create("convert");
    tcase_add_loop_test(t, tables_are_rows, 0, 4 * PZ_N_CPU);
    suite_add_tcase(s, t);
    return s;
}
