/* JSON lines as cells, against rows written out by hand. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "data/jsonl.h"
#include "unit.h"

/* Not parsed from text, so that only the reader is under test. */
static struct pz_field fields[] = {
    {.name = (char[]){"USER_ID"}, .type = PZ_STRING},
    {.name = (char[]){"GENRES"}, .type = PZ_STRING},
    {.name = (char[]){"TIMESTAMP"}, .type = PZ_LONG},
    {.name = (char[]){"ADULT"}, .type = PZ_BOOLEAN},
};
static const struct pz_schema schema = {.field = fields, .n_fields = 4};

/* Rows as "LINE:" and a cell a field: t<text> n<number> T F 0 (null) - (absent); a bad
 * one as "LINE.COLUMN! reason;". */
static const struct {
    const char *name, *text, *rows;
} cases[] = {
    {"empty", "", ""},
    {"one", "{\"USER_ID\":\"u\",\"TIMESTAMP\":12}\n", "1:t<u>-n<12>-;"},
    {"no final newline", "{\"USER_ID\":\"u\"}", "1:t<u>---;"},
    {"CRLF and blanks", " { \"USER_ID\" : \"u\" } \r\n{}\r\n", "1:t<u>---;2:----;"},
    {"blank lines", "\n \t\r\n{}\n\n{}\n", "3:----;5:----;"},
    {"case of keys", "{\"user_id\":\"u\",\"Timestamp\":1}", "1:t<u>-n<1>-;"},
    {"order of keys",
     "{\"TIMESTAMP\":1,\"USER_ID\":\"a\"}\n{\"USER_ID\":\"b\",\"TIMESTAMP\":2}",
     "1:t<a>-n<1>-;2:t<b>-n<2>-;"},
    {"all digits", "{\"TIMESTAMP\":9223372036854775807}\n{\"TIMESTAMP\":-0.5e3}",
     "1:--n<9223372036854775807>-;2:--n<-0.5e3>-;"},
    {"number as an id stays text", "{\"USER_ID\":9007199254740993}",
     "1:n<9007199254740993>---;"},
    {"words", "{\"ADULT\":true,\"GENRES\":null}\n{\"ADULT\":false}", "1:-0-T;2:---F;"},
    {"empty string", "{\"USER_ID\":\"\"}", "1:t<>---;"},
    {"escapes", "{\"USER_ID\":\"a\\n\\u00e9\\\"\\ud83c\\udfac\",\"GENRES\":\"\\t|x\"}",
     "1:t<a\n\xc3\xa9\"\xf0\x9f\x8e\xac>t<\t|x>--;"},
    {"escaped key", "{\"USER\\u005fID\":\"a\"}", "1:t<a>---;"},
    {"UTF-8", "{\"USER_ID\":\"\xc3\xa9\"}", "1:t<\xc3\xa9>---;"},
    {"array", "{\"GENRES\":[\"a\",\"b c\",1.50]}", "1:-t<a|b c|1.50>--;"},
    {"array of one", "{\"GENRES\":[\"a\"]}", "1:-t<a>--;"},
    {"array with escapes", "{\"GENRES\":[\"\\n\",\"\\\\\"],\"USER_ID\":\"\\t\"}",
     "1:t<\t>t<\n|\\>--;"},
    {"empty array", "{\"GENRES\":[]}", "1:-0--;"},
    {"empty string in an array", "{\"GENRES\":[\"\",\"b\"]}", "1:-t<|b>--;"},
    {"unknown keys", "{\"x\":{\"USER_ID\":[1,{}]},\"USER_ID\":\"a\",\"y\":[]}",
     "1:t<a>---;"},
    {"array of arrays", "{\"GENRES\":[[\"a\"]]}\n{}",
     "1.12! 'GENRES' must be an array of strings or numbers;2:----;"},
    {"null in an array", "{\"GENRES\":[null]}",
     "1.12! 'GENRES' must be an array of strings or numbers;"},
    {"separator in an array", "{\"GENRES\":[\"a|b\"]}",
     "1.12! 'GENRES' has an element with '|', which separates the values;"},
    {"array for a number", "{\"TIMESTAMP\":[1]}",
     "1.14! 'TIMESTAMP' must be one value, not an array;"},
    {"object", "{\"USER_ID\":{}}", "1.12! 'USER_ID' must be one value, not an object;"},
    {"twice", "{\"USER_ID\":\"a\",\"user_id\":\"b\"}\n{}",
     "1.16! 'USER_ID' stands twice in the object;2:----;"},
    {"twice, null first", "{\"ADULT\":null,\"ADULT\":true}",
     "1.15! 'ADULT' stands twice in the object;"},
    {"not an object", "[1]\n7\n\"a\"\n{}",
     "1.1! is not a JSON object;2.1! is not a JSON object;3.1! is not a JSON "
     "object;4:----;"},
    {"cut off", "{\"USER_ID\":\"a\n{}",
     "1.14! is not valid JSON: the string has no end;2:----;"},
    {"text behind", "{} x\n", "1.4! is not valid JSON: more text behind the value;"},
    {"two objects", "{}{}\n", "1.3! is not valid JSON: more text behind the value;"},
    {"single quotes", "{'a':1}",
     "1.2! is not valid JSON: a key in double quotes is expected here;"},
    {"not a number", "{\"TIMESTAMP\":NaN}",
     "1.14! is not valid JSON: a value is expected here;"},
    {"bad UTF-8", "{\"USER_ID\":\"a\xff\"}",
     "1.14! is not valid JSON: bytes that are not UTF-8;"},
    {"NUL escape", "{\"USER_ID\":\"\\u0000\"}",
     "1.13! is not valid JSON: \\u0000 cannot stand in a string;"},
    {"CSV", "USER_ID,ITEM_ID\n", "1.1! is not valid JSON: a value is expected here;"},
};

static void
render(struct pz_buf *out, enum pz_row r, const struct pz_cell *cell,
       const struct pz_row_at *at)
{
    static const char mark[] = {
        [PZ_CELL_ABSENT] = '-', [PZ_CELL_NULL] = '0', [PZ_CELL_TEXT] = 't',
        [PZ_CELL_NUMBER] = 'n', [PZ_CELL_TRUE] = 'T', [PZ_CELL_FALSE] = 'F'};
    pz_buf_addf(out, "%llu", (unsigned long long)at->line);
    if (r == PZ_ROW_BAD)
        pz_buf_addf(out, ".%u! %s", at->column, at->reason);
    else
        pz_buf_addc(out, ':');
    for (size_t i = 0; r == PZ_ROW && i < schema.n_fields; i++) {
        pz_buf_addc(out, mark[cell[i].kind]);
        if (cell[i].kind != PZ_CELL_TEXT && cell[i].kind != PZ_CELL_NUMBER)
            continue;
        pz_buf_addc(out, '<');
        pz_buf_add(out, cell[i].s, cell[i].n);
        pz_buf_addc(out, '>');
    }
    pz_buf_addc(out, ';');
}

START_TEST(corner)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_jsonl *j;
    struct pz_cell cell[4];
    struct pz_row_at at;
    enum pz_row r;
    size_t n = strlen(cases[_i].text), raw = 0;
    char *copy = malloc(n + !n);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, cases[_i].text, n);
    ck_ok(pz_jsonl_new(&j, &schema, &err), err);
    for (int pass = 0; pass < 2; pass++) { // the second knows the keys
        struct pz_buf out = PZ_BUF_INIT;
        pz_buf_addz(&out, "");
        pz_jsonl_start(j, copy, n, 1);
        raw = 0;
        while ((r = pz_jsonl_next(j, cell, &at)) != PZ_ROW_END) {
            ck_assert(at.raw >= copy + raw && at.raw + at.n_raw <= copy + n);
            raw = (size_t)(at.raw - copy) + at.n_raw;
            render(&out, r, cell, &at);
        }
        ck_assert_msg(!strcmp(out.data, cases[_i].rows), "%s: got %s, want %s",
                      cases[_i].name, out.data, cases[_i].rows);
        pz_buf_release(&out);
    }
    pz_jsonl_free(j);
    free(copy);
}
END_TEST

START_TEST(unknown)
{
    static const char text[] = "{\"USER_ID\":\"a\",\"PRICE\":1}\n{\"x\":2,\"y\":3}\n";
    struct pz_err err = PZ_ERR_INIT;
    struct pz_jsonl *j;
    struct pz_cell cell[4];
    struct pz_row_at at;
    const char *name;
    ck_ok(pz_jsonl_new(&j, &schema, &err), err);
    ck_assert_uint_eq(pz_jsonl_unknown(j, &name), 0);
    ck_assert_str_eq(name, "");
    pz_jsonl_start(j, text, sizeof text - 1, 1);
    while (pz_jsonl_next(j, cell, &at) == PZ_ROW)
        ;
    ck_assert_uint_eq(pz_jsonl_unknown(j, &name), 3);
    ck_assert_str_eq(name, "PRICE");
    pz_jsonl_free(j);
}
END_TEST

START_TEST(long_value)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_jsonl *j;
    struct pz_cell cell[4];
    struct pz_row_at at;
    ck_ok(pz_jsonl_new(&j, &schema, &err), err);
    for (size_t over = 0; over < 2; over++) {
        struct pz_buf text = PZ_BUF_INIT;
        size_t n = PZ_FIELD_MAX + over;
        pz_buf_addz(&text, "{\"USER_ID\":\"");
        memset(pz_buf_reserve(&text, n), 'x', n);
        text.len += n;
        pz_buf_addz(&text, "\"}");
        pz_jsonl_start(j, text.data, text.len, 1);
        ck_assert_int_eq(pz_jsonl_next(j, cell, &at), over ? PZ_ROW_BAD : PZ_ROW);
        if (over)
            ck_assert_str_eq(at.reason, "'USER_ID' is longer than 1 MiB");
        else
            ck_assert_uint_eq(cell[0].n, PZ_FIELD_MAX);
        pz_buf_release(&text);
    }
    pz_jsonl_free(j);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("jsonl");
    TCase *t = tcase_create("rows");
    tcase_add_loop_test(t, corner, 0, sizeof cases / sizeof *cases);
    tcase_add_test(t, unknown);
    tcase_add_test(t, long_value);
    suite_add_tcase(s, t);
    return s;
}
