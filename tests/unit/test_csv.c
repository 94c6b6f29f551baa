/*
 * CSV records. Every case is read at each instruction-set level, by SIMD and by libcsv
 * alone, in one piece and cut in two wherever pz_csv_whole() allows it; all must give
 * the rows that are written out here by hand.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cpu.h"
#include "base/num.h"
#include "data/csv.h"
#include "data/csv_scan.h"
#include "unit.h"

/*
 * What is expected of a text: rows in order, each "LINE:<cell><cell>;", a bad row
 * "LINE.COLUMN! reason;". The header's width is 0 for any.
 */
static const struct {
    const char *name;
    const char *text;
    size_t n; // 0: strlen(text)
    size_t width;
    const char *rows;
} cases[] = {
    {"empty", "", 0, 0, ""},
    {"one cell", "a", 0, 0, "1:<a>;"},
    {"one row", "a,b,c\n", 0, 0, "1:<a><b><c>;"},
    {"no final newline", "a,b\nc,d", 0, 2, "1:<a><b>;2:<c><d>;"},
    {"CRLF", "a,b\r\nc,d\r\n", 0, 2, "1:<a><b>;2:<c><d>;"},
    {"CRLF, no final newline", "a,b\r\nc,d\r", 0, 2, "1:<a><b>;2:<c><d>;"},
    {"line ends mixed", "a\r\nb\nc\r\n", 0, 1, "1:<a>;2:<b>;3:<c>;"},
    {"lone CR in a row is data", "a\rb,c\n", 0, 0, "1:<a\rb><c>;"},
    {"two CRs: one is data", "a,b\r\r\n", 0, 0, "1:<a><b\r>;"},
    {"CR after a comma", "a,\r\n", 0, 2, "1:<a><>;"},
    {"blank lines", "\n\na,b\n\nc,d\n\n", 0, 2, "3:<a><b>;5:<c><d>;"},
    {"blank lines, CRLF", "\r\na\r\n\r\n\r\nb\r\n", 0, 1, "2:<a>;5:<b>;"},
    {"only blank lines", "\n\r\n\n", 0, 0, ""},
    {"only CR", "\r", 0, 0, ""},
    {"a blank is data", " \n", 0, 0, "1:< >;"},
    {"blanks stay", " a , b\t,\tc \n", 0, 3, "1:< a >< b\t><\tc >;"},
    {"empty cells", ",\n,,\n", 0, 0, "1:<><>;2:<><><>;"},
    {"empty at the end", "a,\nb,", 0, 2, "1:<a><>;2:<b><>;"},
    {"quoted", "\"a\",\"b\"\n", 0, 2, "1:<a><b>;"},
    {"quoted empty is a row", "\"\"\n", 0, 1, "1:<>;"},
    {"quoted comma", "\"a,b\",c\n", 0, 2, "1:<a,b><c>;"},
    {"quoted newline", "\"a\nb\",c\nd,e\n", 0, 2, "1:<a\nb><c>;3:<d><e>;"},
    {"quoted CRLF", "\"a\r\nb\"\r\nd\r\n", 0, 1, "1:<a\r\nb>;3:<d>;"},
    {"quoted CR", "\"a\rb\"\r\n", 0, 1, "1:<a\rb>;"},
    {"quoted blank lines", "\"\n\n\",x\ny,z\n", 0, 2, "1:<\n\n><x>;4:<y><z>;"},
    {"doubled quote", "\"a\"\"b\"\n", 0, 1, "1:<a\"b>;"},
    {"only doubled quotes", "\"\"\"\",\"\"\"\"\"\"\n", 0, 2, "1:<\"><\"\">;"},
    {"escaped quote", "\"a\\\"b\",c\n", 0, 2, "1:<a\"b><c>;"},
    {"escaped backslash", "\"a\\\\\",c\n", 0, 2, "1:<a\\><c>;"},
    {"escaped backslash and quote", "\"a\\\\\\\"b\",c\n", 0, 2, "1:<a\\\"b><c>;"},
    {"other backslashes are data", "\"a\\nb\",c\\,\\\n", 0, 3, "1:<a\\nb><c\\><\\>;"},
    {"backslash outside quotes", "a\\\"b,c\n", 0, 2, "1:<a\\\"b><c>;"},
    {"comma behind an escaped quote", "\"\\\",\",x\n", 0, 2, "1:<\",><x>;"},
    {"newline behind an escaped quote", "\"\\\"\n\",x\n", 0, 2, "1:<\"\n><x>;"},
    {"all quoted, with commas", "\"a,\",\",b,\",\"\",\"c\"\r\n", 0, 4,
     "1:<a,><,b,><><c>;"},
    {"quoted beside unquoted", "a,\"b\",c\\,\"d\\e\"\n\"x\",,,\"\"\n", 0, 4,
     "1:<a><b><c\\><d\\e>;2:<x><><><>;"},
    {"blanks inside quotes", "\" a \",b\n", 0, 2, "1:< a ><b>;"},
    {"a quote behind a blank is data", " \"a\",b\n", 0, 2, "1:< \"a\"><b>;"},
    {"a quote inside a field is data", "ab\"c,d\"\n", 0, 2, "1:<ab\"c><d\">;"},
    {"inches", "12\",5'\n6\",7\n", 0, 2, "1:<12\"><5'>;2:<6\"><7>;"},
    {"quote inside and a quoted field", "a\"b,\"c\"\"d\"\n", 0, 2, "1:<a\"b><c\"d>;"},
    {"text behind a closing quote", "\"a\"b,c\nd,e\n", 0, 2,
     "1.1! has text behind its closing quote;2:<d><e>;"},
    {"blank behind a closing quote", "x,\"a\" ,c\n", 0, 3,
     "1.2! has text behind its closing quote;"},
    {"quote behind text behind", "\"a\"b\"c,d\ne,f\n", 0, 2,
     "1.1! has text behind its closing quote;2:<e><f>;"},
    {"unescaped quotes", "1,\"A \"B\"\"\n2,\"7\" C \",x\n3,\"p \"q r\" s\"\r\n", 0, 0,
     "1:<1><A \"B\">;2:<2><7\" C ><x>;3:<3><p \"q r\" s>;"},
    {"unescaped inches at the end", "1,\"7\"\"\n2,\"x\"\n", 0, 2, "1:<1><7\">;2:<2><x>;"},
    {"unescaped, with commas", "\"a \"b\" c,d\",\"\\\"e\" f\"\n", 0, 2,
     "1:<a \"b\" c,d><\"e\" f>;"},
    {"CR behind a closing quote", "\"a\"\rb\nc\n", 0, 1,
     "1.1! has text behind its closing quote;2:<c>;"},
    {"unclosed", "a,b\nc,\"d\ne,f\n", 0, 2,
     "1:<a><b>;2.2! has a quote that is never closed;3:<e><f>;"},
    {"unclosed, closed with text on a later line", "a,\"b\nc,d\ne,\"f\"\n", 0, 2,
     "1.2! has a quote that is never closed;2:<c><d>;3:<e><f>;"},
    {"a line, CR and text", "\"\r\n\"\rb\n", 0, 1,
     "1.1! has a quote that is never closed;2.1! has a quote that is never closed;"},
    {"unclosed at once", "\"", 0, 0, "1.1! has a quote that is never closed;"},
    {"a backslash before the last quote", "\"C:\\\"", 0, 0, "1:<C:\\>;"},
    {"unclosed by an escape", "\"a\\\"b", 0, 0, "1.1! has a quote that is never closed;"},
    {"unclosed by a doubled quote", "\"a\"\"b", 0, 0,
     "1.1! has a quote that is never closed;"},
    {"too few", "a,b\nc,d\n", 0, 4,
     "1.0! has 2 fields where the header has 4;2.0! has 2 fields where the header has "
     "4;"},
    {"one field", "a\nb,c\n", 0, 2, "1.0! has 1 field where the header has 2;2:<b><c>;"},
    {"too many", "a,b,c\nb,c\n", 0, 2,
     "1.0! has 3 fields where the header has 2;2:<b><c>;"},
    {"too many, quoted", "\"a\",b,c\nb,c\n", 0, 2,
     "1.0! has 3 fields where the header has 2;2:<b><c>;"},
    {"NUL", "a,b\nc,\0\nd,e\n", 12, 2, "1:<a><b>;2.2! holds a NUL byte;3:<d><e>;"},
    {"NUL in quotes", "\"a\0\",b\n", 7, 2, "1.1! holds a NUL byte;"},
    {"NUL behind a quoted comma", "\"a,\n\",b,\0\n", 10, 3, "1.3! holds a NUL byte;"},
    {"only NUL", "\0\n\0", 3, 1, "1.1! holds a NUL byte;2.1! holds a NUL byte;"},
    {"UTF-8", "\xc3\xa9,\xe6\x97\xa5\xe6\x9c\xac,\xf0\x9f\x8e\xac\n", 0, 3,
     "1:<\xc3\xa9><\xe6\x97\xa5\xe6\x9c\xac><\xf0\x9f\x8e\xac>;"},
    {"quoted UTF-8", "\"\xc3\xa9\"\n", 0, 1, "1:<\xc3\xa9>;"},
    {"Latin-1", "a,caf\xe9\nb,c\n", 0, 2, "1.2! is not valid UTF-8;2:<b><c>;"},
    {"overlong", "\xc0\xaf\n", 0, 1, "1.1! is not valid UTF-8;"},
    {"surrogate", "x,\xed\xa0\x80\n", 0, 2, "1.2! is not valid UTF-8;"},
    {"cut UTF-8", "x,\xe2\x82\ny,z", 0, 2, "1.2! is not valid UTF-8;2:<y><z>;"},
    {"cut UTF-8 at the end", "x,\xe2\x82", 0, 2, "1.2! is not valid UTF-8;"},
    {"invalid UTF-8 in quotes", "\"\xff\"\n", 0, 1, "1.1! is not valid UTF-8;"},
    {"tabs are no separators", "a\tb\tc\n", 0, 1, "1:<a\tb\tc>;"},
    {"semicolons neither", "a;b\n", 0, 1, "1:<a;b>;"},
    {"formula and dash", "-1,=2+3,@x\n", 0, 3, "1:<-1><=2+3><@x>;"},
    {"vertical tab and form feed", "a\v,b\f\n", 0, 2, "1:<a\v><b\f>;"},
    {"line separator of Unicode",
     "a\xe2\x80\xa8"
     "b\n",
     0, 1,
     "1:<a\xe2\x80\xa8"
     "b>;"},
    {"a block and a newline",
     "0123456789012345678901234567890123456789012345678901234567890123\n"
     "x\n",
     0, 1, "1:<0123456789012345678901234567890123456789012345678901234567890123>;2:<x>;"},
    {"CRLF across blocks",
     "012345678901234567890123456789012345678901234567890123456789012\r\n"
     "x\r\n",
     0, 1, "1:<012345678901234567890123456789012345678901234567890123456789012>;2:<x>;"},
};

enum { N_CASES = sizeof cases / sizeof *cases, MAX_CELLS = 16 };

static void
render(struct pz_buf *out, enum pz_row r, const struct pz_cell *cell, size_t n,
       const struct pz_row_at *at)
{
    pz_buf_addf(out, "%llu", (unsigned long long)at->line);
    if (r == PZ_ROW_BAD)
        pz_buf_addf(out, ".%u! %s", at->column, at->reason);
    else
        pz_buf_addc(out, ':');
    for (size_t i = 0; r == PZ_ROW && i < n; i++) {
        ck_assert_int_eq(cell[i].kind, PZ_CELL_TEXT);
        pz_buf_addc(out, '<');
        pz_buf_add(out, cell[i].s, cell[i].n);
        pz_buf_addc(out, '>');
    }
    pz_buf_addc(out, ';');
}

/* Reads text[0..n) from a copy that ends where its memory ends. */
static uint64_t
read_all(struct pz_csv *csv, const char *text, size_t n, uint64_t line, size_t width,
         struct pz_buf *out)
{
    static const int slot[MAX_CELLS] = {0, 1, 2,  3,  4,  5,  6,  7,
                                        8, 9, 10, 11, 12, 13, 14, 15};
    struct pz_cell cell[MAX_CELLS];
    struct pz_row_at at;
    size_t found, raw = 0;
    char *copy = malloc(n + !n);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, text, n);
    pz_csv_start(csv, copy, n, line, width ? slot : NULL, width);
    for (;;) {
        enum pz_row r = pz_csv_next(csv, cell, MAX_CELLS, &found, &at);
        if (r == PZ_ROW_END)
            break;
        ck_assert(at.raw >= copy + raw && at.raw + at.n_raw <= copy + n && at.n_raw > 0);
        raw = (size_t)(at.raw - copy) + at.n_raw;
        render(out, r, cell, found, &at);
    }
    free(copy);
    return line + pz_count_lines(text, n, PZ_CPU_SCALAR);
}

/* A case with another delimiter: its commas are replaced in the text and in the cells. */
static char *
delimited(const char *text, size_t n, char delimiter)
{
    char *copy = malloc(n + 1);
    ck_assert_ptr_nonnull(copy);
    for (size_t i = 0; i < n; i++)
        copy[i] = text[i] == ',' ? delimiter : text[i];
    copy[n] = 0;
    return copy;
}

static void
check_case(int i, bool slow, char delimiter)
{
    struct pz_err err = PZ_ERR_INIT;
    size_t n = cases[i].n ? cases[i].n : strlen(cases[i].text);
    char *text = delimited(cases[i].text, n, delimiter);
    char *rows = delimited(cases[i].rows, strlen(cases[i].rows), delimiter);
    struct pz_csv *csv;
    ck_ok(pz_csv_new(&csv, &err), err);
    pz_csv_force_slow(csv, slow);
    pz_csv_set_delimiter(csv, delimiter);
    for (size_t cut = 0; cut <= n; cut++) {
        struct pz_buf out = PZ_BUF_INIT;
        pz_buf_addz(&out, "");
        size_t whole = pz_csv_whole(text, cut, delimiter);
        ck_assert_uint_le(whole, cut);
        uint64_t line = read_all(csv, text, whole, 1, cases[i].width, &out);
        read_all(csv, text + whole, n - whole, line, cases[i].width, &out);
        ck_assert_msg(!strcmp(out.data, rows), "%s, cut at %zu: got %s, want %s",
                      cases[i].name, whole, out.data, rows);
        pz_buf_release(&out);
    }
    pz_csv_free(csv);
    free(text);
    free(rows);
}

START_TEST(corner)
{
    for (int level = 0; level < PZ_N_CPU; level++) {
        pz_cpu_force((enum pz_cpu)level);
        for (const char *d = ",|~"; *d; d++) {
            check_case(_i, false, *d);
            check_case(_i, true, *d);
        }
    }
}
END_TEST

static int64_t
number(const struct pz_cell *cell)
{
    int64_t v = -1;
    ck_assert_int_eq(pz_parse_i64(cell->s, cell->n, &v), PZ_NUM_OK);
    return v;
}

/* Blocks, batches and the end of the data at every distance from a separator. */
START_TEST(lengths)
{
    enum { ROWS = 1200 };
    struct pz_err err = PZ_ERR_INIT;
    pz_cpu_force((enum pz_cpu)(_i / 2));
    struct pz_csv *csv;
    ck_ok(pz_csv_new(&csv, &err), err);
    pz_csv_force_slow(csv, _i % 2);
    struct pz_buf text = PZ_BUF_INIT;
    for (int i = 0; i < ROWS; i++)
        pz_buf_addf(
            &text, "%d,%.*s,%.*s\n", i, i % 131,
            "0123456789012345678901234567890123456789"
            "012345678901234567890123456789012345678901234567890123456789012345678901234"
            "5678901234567890",
            (i * 7) % 67,
            "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvw"
            "x");
    struct pz_cell cell[3];
    struct pz_row_at at;
    size_t found;
    pz_csv_start(csv, text.data, text.len, 1, NULL, 0);
    for (int i = 0; i < ROWS; i++) {
        ck_assert_int_eq(pz_csv_next(csv, cell, 3, &found, &at), PZ_ROW);
        ck_assert_uint_eq(found, 3);
        ck_assert_uint_eq(at.line, (unsigned)i + 1);
        ck_assert_int_eq(number(&cell[0]), i);
        ck_assert_uint_eq(cell[1].n, (unsigned)i % 131);
        ck_assert_uint_eq(cell[2].n, (unsigned)(i * 7) % 67);
        ck_assert_uint_eq(at.n_raw, cell[0].n + cell[1].n + cell[2].n + 3);
    }
    ck_assert_int_eq(pz_csv_next(csv, cell, 3, &found, &at), PZ_ROW_END);
    ck_assert_int_eq(pz_csv_next(csv, cell, 3, &found, &at), PZ_ROW_END);
    pz_buf_release(&text);
    pz_csv_free(csv);
}
END_TEST

START_TEST(wide)
{
    enum { COLUMNS = 10000 };
    struct pz_err err = PZ_ERR_INIT;
    struct pz_csv *csv;
    ck_ok(pz_csv_new(&csv, &err), err);
    struct pz_buf text = PZ_BUF_INIT;
    for (int row = 0; row < 3; row++)
        for (int i = 0; i < COLUMNS; i++)
            pz_buf_addf(&text, "%s%d%s", row == 1 ? "\"" : "", i * row,
                        i + 1 == COLUMNS ? row == 1 ? "\"\n" : "\n"
                        : row == 1       ? "\","
                                         : ",");
    struct pz_cell *cell = calloc(COLUMNS, sizeof *cell);
    int *slot = calloc(COLUMNS, sizeof *slot);
    ck_assert(cell && slot);
    for (int i = 0; i < COLUMNS; i++)
        slot[i] = i == 9999 ? 0 : i == 7 ? 1 : -1;
    struct pz_row_at at;
    size_t found;
    pz_csv_start(csv, text.data, text.len, 1, slot, COLUMNS);
    for (int row = 0; row < 3; row++) {
        ck_assert_int_eq(pz_csv_next(csv, cell, 2, &found, &at), PZ_ROW);
        ck_assert_uint_eq(found, COLUMNS);
        ck_assert_int_eq(number(&cell[0]), 9999 * row);
        ck_assert_int_eq(number(&cell[1]), 7 * row);
    }
    ck_assert_int_eq(pz_csv_next(csv, cell, 2, &found, &at), PZ_ROW_END);
    pz_csv_start(csv, text.data, text.len, 1, NULL, 0);
    ck_assert_int_eq(pz_csv_next(csv, cell, 9999, &found, &at), PZ_ROW_BAD);
    ck_assert_str_eq(at.reason, "has 10000 fields where at most 9999 fit");
    ck_assert_uint_eq(found, COLUMNS);
    pz_buf_release(&text);
    free(cell);
    free(slot);
    pz_csv_free(csv);
}
END_TEST

START_TEST(long_fields)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_csv *csv;
    ck_ok(pz_csv_new(&csv, &err), err);
    for (int quoted = 0; quoted < 2; quoted++)
        for (int over = 0; over < 2; over++) {
            size_t n = PZ_FIELD_MAX + (size_t)over;
            struct pz_buf text = PZ_BUF_INIT;
            pz_buf_addz(&text, quoted ? "a,\"" : "a,");
            memset(pz_buf_reserve(&text, n), 'x', n);
            text.len += n;
            pz_buf_addz(&text, quoted ? "\"\nb,c\n" : "\nb,c\n");
            struct pz_cell cell[2];
            struct pz_row_at at;
            size_t found;
            pz_csv_start(csv, text.data, text.len, 1, NULL, 0);
            enum pz_row r = pz_csv_next(csv, cell, 2, &found, &at);
            ck_assert_int_eq(r, over ? PZ_ROW_BAD : PZ_ROW);
            if (over) {
                ck_assert_uint_eq(at.column, 2);
                ck_assert_str_eq(at.reason, "is longer than 1 MiB");
            } else {
                ck_assert_uint_eq(cell[1].n, PZ_FIELD_MAX);
            }
            ck_assert_int_eq(pz_csv_next(csv, cell, 2, &found, &at), PZ_ROW);
            ck_assert_uint_eq(at.line, 2);
            ck_assert_int_eq(cell[1].s[0], 'c');
            ck_assert_int_eq(pz_csv_next(csv, cell, 2, &found, &at), PZ_ROW_END);
            pz_buf_release(&text);
        }
    pz_csv_free(csv);
}
END_TEST

START_TEST(whole)
{
    static const struct {
        const char *text;
        size_t whole;
    } t[] = {
        {"", 0},
        {"a", 0},
        {"a\n", 2},
        {"a\nb", 2},
        {"a\nb\n", 4},
        {"\"a\n", 0},
        {"x\n\"a\n", 2},
        {"\"a\n\"\nb", 5},
        {"\"a\"\n", 4},
        {"\"a\\\"\n", 0},
        {"\"a\\\\\"\n", 6},
        {"a\"b\nc", 4},
        {"\"a\"\"\n", 0},
        {"\"a\"b\"\nc", 6},
        {"\"a\"\n\"b\n", 4},
        {"a,\"b\nc\",d\ne,f", 10},
        {"a\r\nb\r\n", 6},
        {"\n\n\n", 3},
        {"\"\\", 0},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        ck_assert_msg(pz_csv_whole(t[i].text, strlen(t[i].text), ',') == t[i].whole, "%s",
                      t[i].text);
}
END_TEST

START_TEST(count)
{
    char text[400];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 3 == 0 || i % 7 == 0 ? '\n' : (char)(i * 37);
    for (size_t from = 0; from < 70; from++)
        for (size_t n = 0; from + n <= sizeof text; n += 1 + n / 40) {
            size_t want = 0;
            for (size_t i = 0; i < n; i++)
                want += text[from + i] == '\n';
            for (int cpu = 0; cpu < PZ_N_CPU; cpu++)
                ck_assert_uint_eq(
                    pz_count_lines(text + from, n, pz_cpu_force((enum pz_cpu)cpu)), want);
        }
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("csv");
    TCase *t = tcase_create("records");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, corner, 0, N_CASES);
    tcase_add_loop_test(t, lengths, 0, 2 * PZ_N_CPU);
    tcase_add_test(t, wide);
    tcase_add_test(t, long_fields);
    tcase_add_test(t, whole);
    tcase_add_test(t, count);
    suite_add_tcase(s, t);
    return s;
}
