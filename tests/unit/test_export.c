/* data/export and data/stats: what is written as text is read back as it was. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/num.h"
#include "base/rng.h"
#include "data/csv.h"
#include "data/export.h"
#include "data/import.h"
#include "data/stats.h"
#include "unit.h"

static struct pz_err err;

/* RFC 4180 where it suffices, escapes only where pz-import would take what stands there
 * as one. */
START_TEST(one_cell)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"plain", "plain"},
        {" blanks ", " blanks "},
        {"say \"x\"", "say \"x\""},
        {"\"x\"", "\"\"\"x\"\"\""},
        {"a,b", "\"a,b\""},
        {"a\nb", "\"a\nb\""},
        {"a\r", "\"a\r\""},
        {"C:\\dir", "C:\\dir"},
        {"C:\\dir,x", "\"C:\\dir,x\""},
        {"x,\\", "\"x,\\\\\""},
        {"\\\\,", "\"\\\\\\\\,\""},
        {",\\\"", "\",\\\\\"\"\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pz_buf b = PZ_BUF_INIT;
        pz_export_cell(&b, cases[i][0], strlen(cases[i][0]));
        ck_assert_str_eq(b.data ? b.data : "", cases[i][1]);
        pz_buf_release(&b);
    }
}
END_TEST

/* Random cells of the characters that matter, in rows of three, through the CSV reader.
 */
START_TEST(cells_through_csv)
{
    enum { ROWS = 20000, COLS = 3, LONGEST = 6 };
    static const char alphabet[] = "\",\\\n\r a;'\t";
    static char text[ROWS][COLS][LONGEST + 1];
    struct pz_buf b = PZ_BUF_INIT;
    struct pz_rng rng;
    struct pz_csv *csv;
    pz_rng_seed(&rng, 7, 0);
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLS; c++) {
            size_t n = pz_rng_below(&rng, LONGEST + 1);
            for (size_t i = 0; i < n; i++)
                text[r][c][i] = alphabet[pz_rng_below(&rng, sizeof alphabet - 1)];
            if (c)
                pz_buf_addc(&b, ',');
            pz_export_cell(&b, text[r][c], n);
            if (c == COLS - 1)
                pz_buf_addc(&b, '\n');
        }
    ck_ok(pz_csv_new(&csv, &err), err);
    pz_csv_force_slow(csv, _i == 1);
    pz_csv_start(csv, b.data, b.len, 1, NULL, COLS);
    for (int r = 0; r < ROWS; r++) {
        struct pz_cell cell[COLS];
        struct pz_row_at at;
        size_t n = 0;
        ck_assert_msg(pz_csv_next(csv, cell, COLS, &n, &at) == PZ_ROW, "row %d: %s", r,
                      at.reason);
        ck_assert_uint_eq(n, COLS);
        for (int c = 0; c < COLS; c++) {
            ck_assert_msg(cell[c].n == strlen(text[r][c]) &&
                              memcmp(cell[c].s, text[r][c], cell[c].n) == 0,
                          "row %d cell %d: '%s' became '%.*s'", r, c, text[r][c],
                          (int)cell[c].n, cell[c].s);
        }
    }
    pz_csv_free(csv);
    pz_buf_release(&b);
}
END_TEST

/* ---- whole datasets ---- */

static const char schema[] =
    "{\"type\":\"record\",\"name\":\"Items\",\"namespace\":\"com.amazonaws.personalize."
    "schema\","
    "\"fields\":[{\"name\":\"ITEM_ID\",\"type\":\"string\"},"
    "{\"name\":\"WORDS\",\"type\":\"string\",\"categorical\":true},"
    "{\"name\":\"MAYBE\",\"type\":[\"null\",\"string\"],\"categorical\":true},"
    "{\"name\":\"BIG\",\"type\":[\"null\",\"long\"]},"
    "{\"name\":\"REAL\",\"type\":[\"double\",\"null\"]},"
    "{\"name\":\"HALF\",\"type\":\"float\"},"
    "{\"name\":\"FLAG\",\"type\":[\"null\",\"boolean\"]}],\"version\":\"1.0\"}";

static char dir[] = "/tmp/pz-test-export-XXXXXX";

static char *
at(const char *name)
{
    static char text[4][256];
    static int i;
    i = (i + 1) % 4;
    snprintf(text[i], sizeof text[i], "%s/%s", dir, name);
    return text[i];
}

static void
put(const char *path, const struct pz_buf *b)
{
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(b->data, 1, b->len, f), b->len);
    ck_assert_int_eq(fclose(f), 0);
}

static void
import_file(const char *group, const char *path)
{
    struct pz_import_result result;
    const char *const paths[] = {path};
    struct pz_import p = {.group = group,
                          .set = PZ_ITEMS,
                          .schema_path = at("schema.json"),
                          .path = paths,
                          .n_paths = 1};
    ck_ok(pz_import_run(&p, &result, &err), err);
    pz_import_result_release(&result);
}

static int
collect(void *ctx, const void *bytes, size_t n, struct pz_err *e)
{
    (void)e;
    pz_buf_add(ctx, bytes, n);
    return PZ_OK;
}

/* Any finite double, most of them far from round. */
static double
any_real(struct pz_rng *rng)
{
    double v;
    do {
        uint64_t bits = pz_rng_u64(rng);
        memcpy(&v, &bits, sizeof v);
    } while (!isfinite(v));
    return v;
}

/* The rows of the first file are not written by pz_export, but with every cell quoted. */
static void
make_rows(struct pz_buf *b)
{
    static const char *const words[] = {"a",  "\"\"",     ",", "\n", "\r\n", "x|y",
                                        "\t", "\xc3\xa9", "'", "-1", "null", " "};
    static const char *const flags[] = {"true", "false", ""};
    struct pz_rng rng;
    char num[PZ_NUM_TEXT];
    pz_rng_seed(&rng, 11, 0);
    pz_buf_addz(b, "ITEM_ID,WORDS,MAYBE,BIG,REAL,HALF,FLAG\n");
    for (int r = 0; r < 3000; r++) {
        pz_buf_addf(b, "\"%s%d\",\"", words[pz_rng_below(&rng, 12)], r);
        for (size_t n = pz_rng_below(&rng, 3); n > 0; n--)
            pz_buf_addz(b, words[pz_rng_below(&rng, 12)]);
        pz_buf_addz(b, "\",\"");
        for (size_t n = pz_rng_below(&rng, 3); n > 0; n--)
            pz_buf_addz(b, words[pz_rng_below(&rng, 12)]);
        pz_buf_addz(b, "\",");
        if (pz_rng_below(&rng, 4))
            pz_buf_add_i64(b, (long long)pz_rng_u64(&rng));
        pz_buf_addz(b, ",");
        if (pz_rng_below(&rng, 4)) {
            pz_format_f64(num, any_real(&rng));
            pz_buf_addz(b, num);
        }
        pz_buf_addf(b, ",%.3f,%s\n", (double)pz_rng_below(&rng, 1000) / 8,
                    flags[pz_rng_below(&rng, 3)]);
    }
}

static void
expect_same_file(const char *a, const char *b)
{
    struct pz_map x, y;
    ck_ok(pz_map_open(&x, a, &err), err);
    ck_ok(pz_map_open(&y, b, &err), err);
    ck_assert_uint_eq(x.len, y.len);
    ck_assert_mem_eq(x.data, y.data, x.len);
    pz_map_close(&x);
    pz_map_close(&y);
}

START_TEST(there_and_back)
{
    struct pz_buf b = PZ_BUF_INIT;
    struct pz_dataset d;
    ck_assert_ptr_nonnull(mkdtemp(dir));
    pz_buf_addz(&b, schema);
    put(at("schema.json"), &b);
    pz_buf_clear(&b);
    make_rows(&b);
    put(at("in.csv"), &b);
    import_file(at("a"), at("in.csv"));
    ck_ok(pz_dataset_open(&d, at("a/items.safetensors"), &err), err);
    ck_assert_uint_eq(d.n_rows, 3000);
    for (int format = PZ_CSV; format <= PZ_JSONL; format++) {
        pz_buf_clear(&b);
        ck_ok(pz_export(&d, (enum pz_format)format, collect, &b, &err), err);
        put(at("out"), &b);
        import_file(at("b"), at("out"));
        expect_same_file(at("a/items.safetensors"), at("b/items.safetensors"));
    }
    pz_dataset_close(&d);
    pz_buf_release(&b);
    char cmd[300];
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    ck_assert_int_eq(system(cmd), 0);
}
END_TEST

static int
stop(void *ctx, const void *bytes, size_t n, struct pz_err *e)
{
    (void)ctx, (void)bytes, (void)n;
    return pz_err_set(e, PZ_SYSTEM, "no more");
}

/* Statistics and refusals on a dataset of five rows in memory. */
static int32_t numbers[] = {7, 0, -3, 7, 0};
static char name[][8] = {"x", "ITEM_ID", "N", "X", "S"};
static const uint8_t present[] = {1, 1, 1, 1, 0}, codes[] = {0, 1, 1, 0, 9};
static const int64_t one_byte_each[] = {0, 1, 2, 3, 4, 5};
static float halves[] = {0, 0.5f, -2, 0.5f, 0};

static void
make_dataset(struct pz_dataset *d, struct pz_field *f, struct pz_column *c)
{
    struct pz_ids ids = {(const uint8_t *)"abcde", one_byte_each, NULL, 5, 5, 0};
    *d = (struct pz_dataset){.n_rows = 5,
                             .item = ids,
                             .column = c,
                             .n_columns = 3,
                             .schema = {.set = PZ_ITEMS, .field = f, .n_fields = 4}};
    d->file.path = name[0];
    f[0] = (struct pz_field){.name = name[1], .role = PZ_ROLE_ITEM};
    f[1] = (struct pz_field){.name = name[2], .type = PZ_INT, .nullable = true};
    f[2] = (struct pz_field){.name = name[3], .type = PZ_FLOAT};
    f[3] = (struct pz_field){.name = name[4], .type = PZ_STRING};
    c[0] = (struct pz_column){"N", &f[1], PZ_I32, numbers, present, {0}};
    c[1] = (struct pz_column){"X", &f[2], PZ_F32, halves, NULL, {0}};
    c[2] = (struct pz_column){"S", &f[3], PZ_U8, codes, NULL, ids};
    c[2].dict.n = 2;
}

START_TEST(statistics)
{
    struct pz_field f[4];
    struct pz_column c[3];
    struct pz_dataset d;
    struct pz_stats s;
    make_dataset(&d, f, c);
    ck_ok(pz_stats_column(&d, &c[0], &s, &err), err);
    ck_assert_uint_eq(s.nulls, 1);
    ck_assert_uint_eq(s.distinct, 3);
    ck_assert(s.has_range && s.whole && !s.more);
    ck_assert_int_eq(s.i_min, -3);
    ck_assert_int_eq(s.i_max, 7);
    ck_ok(pz_stats_column(&d, &c[1], &s, &err), err);
    ck_assert_uint_eq(s.distinct, 3);
    ck_assert(s.has_range && !s.whole);
    ck_assert_double_eq(s.f_min, -2);
    ck_assert_double_eq(s.f_max, 0.5);
    ck_ok(pz_stats_column(&d, &c[2], &s, &err), err);
    ck_assert_uint_eq(s.distinct, 2);
    ck_assert(!s.has_range);
    d.n_rows = 0;
    ck_ok(pz_stats_column(&d, &c[0], &s, &err), err);
    ck_assert(!s.has_range && s.distinct == 0);
}
END_TEST

START_TEST(many_distinct)
{
    enum { N = PZ_STATS_DISTINCT + 1000 };
    struct pz_field f[4];
    struct pz_column c[3];
    struct pz_dataset d;
    struct pz_stats s;
    int64_t *v = malloc(N * sizeof *v);
    ck_assert_ptr_nonnull(v);
    for (int64_t i = 0; i < N; i++)
        v[i] = i % (_i ? N : PZ_STATS_DISTINCT - 1);
    make_dataset(&d, f, c);
    d.n_rows = N;
    c[0] = (struct pz_column){"N", &f[1], PZ_I64, v, NULL, {0}};
    ck_ok(pz_stats_column(&d, &c[0], &s, &err), err);
    ck_assert_uint_eq(s.distinct, _i ? PZ_STATS_DISTINCT : PZ_STATS_DISTINCT - 1);
    ck_assert_int_eq(s.more, _i);
    ck_assert_int_eq(s.i_max, _i ? N - 1 : PZ_STATS_DISTINCT - 2);
    free(v);
}
END_TEST

START_TEST(refusals)
{
    struct pz_field f[4];
    struct pz_column c[3];
    struct pz_dataset d;
    struct pz_buf b = PZ_BUF_INIT;
    make_dataset(&d, f, c);
    ck_assert_int_eq(pz_export(&d, PZ_CSV, collect, &b, &err), PZ_FORMAT);
    ck_assert_str_eq(err.msg, "x: damaged: row 4 has no value for 'S'");
    d.n_rows = 4;
    pz_buf_clear(&b);
    ck_ok(pz_export(&d, PZ_CSV, collect, &b, &err), err);
    ck_assert_str_eq(b.data, "ITEM_ID,N,X,S\na,7,0,a\nb,0,0.5,b\nc,-3,-2,b\nd,7,0.5,a\n");
    ck_assert_int_eq(pz_export(&d, PZ_CSV, stop, NULL, &err), PZ_SYSTEM);
    ck_assert_str_eq(err.msg, "no more");
    pz_buf_release(&b);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("export");
    TCase *t = tcase_create("export");
    tcase_add_test(t, one_cell);
    tcase_add_loop_test(t, cells_through_csv, 0, 2);
    tcase_add_test(t, there_and_back);
    tcase_add_test(t, statistics);
    tcase_add_loop_test(t, many_distinct, 0, 2);
    tcase_add_test(t, refusals);
    tcase_set_timeout(t, 60);
    suite_add_tcase(s, t);
    return s;
}
