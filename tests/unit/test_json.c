/*
 * The cases are the corners of RFC 8259 and RFC 3629, worked out by hand: what is JSON,
 * what is not and where it goes wrong, and the value that a text stands for.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "unit.h"

/* A string literal with NUL bytes inside, and its length. */
#define TEXT(s) s, sizeof s - 1

struct text {
    const char *s;
    size_t n;
};

/* ---- what is accepted, and what comes out of it ---- */

static const struct {
    struct text in;
    const char *out; // compact
} good[] = {
    {{TEXT("null")}, "null"},
    {{TEXT(" \t\r\n true \n")}, "true"},
    {{TEXT("false")}, "false"},
    {{TEXT("{}")}, "{}"},
    {{TEXT("[]")}, "[]"},
    {{TEXT("[ ]")}, "[]"},
    {{TEXT("{ \n}")}, "{}"},
    {{TEXT("\"\"")}, "\"\""},
    {{TEXT("0")}, "0"},
    {{TEXT("-0")}, "0"},
    {{TEXT("-0.5e-1")}, "-0.05"},
    {{TEXT("1E+2")}, "100"},
    {{TEXT("1e2")}, "100"},
    {{TEXT("0e0")}, "0"},
    {{TEXT("0.1")}, "0.1"},
    {{TEXT("1.7976931348623157e308")}, "1.7976931348623157e+308"},
    {{TEXT("5e-324")}, "4.94065645841247e-324"},
    {{TEXT("1e-999")}, "0"},
    {{TEXT("9007199254740993")}, "9007199254740992"}, // 53 bits
    {{TEXT("[1,2 , 3]")}, "[1,2,3]"},
    {{TEXT("{\"a\":1,\"A\":2}")}, "{\"a\":1,\"A\":2}"},
    {{TEXT("{\"\":{\"\":[]}}")}, "{\"\":{\"\":[]}}"},
    {{TEXT("[{\"a\":1},{\"a\":1}]")}, "[{\"a\":1},{\"a\":1}]"},
    {{TEXT("{\"a\":{\"a\":1},\"b\":{\"a\":1}}")}, "{\"a\":{\"a\":1},\"b\":{\"a\":1}}"},
    {{TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"")}, "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
    {{TEXT("\"\\u0001\\u001F\\u007f\"")}, "\"\\u0001\\u001f\x7f\""},
    {{TEXT("\"\\u0041\\u00e9\\u20AC\"")}, "\"A\xC3\xA9\xE2\x82\xAC\""},
    {{TEXT("\"\\uD834\\uDD1E\"")}, "\"\xF0\x9D\x84\x9E\""},
    {{TEXT("\"\\uDBFF\\uDFFF\"")}, "\"\xF4\x8F\xBF\xBF\""},
    {{TEXT("\"\xF4\x8F\xBF\xBF\xEF\xBF\xBF\xED\x9F\xBF\xEE\x80\x80\"")},
     "\"\xF4\x8F\xBF\xBF\xEF\xBF\xBF\xED\x9F\xBF\xEE\x80\x80\""},
    {{TEXT("\"plain text of more than sixteen bytes \\n and more behind it\"")},
     "\"plain text of more than sixteen bytes \\n and more behind it\""},
};

START_TEST(test_good)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_buf b = PZ_BUF_INIT;
    pz_json *j;
    ck_ok(pz_json_parse(&j, good[_i].in.s, good[_i].in.n, &err), err);
    pz_json_add(&b, j);
    ck_ok(pz_buf_status(&b, "text", &err), err);
    ck_assert_str_eq(b.data, good[_i].out);
    pz_json_free(j);
    /* What was written reads back to the same. */
    char *once = strdup(b.data);
    ck_ok(pz_json_parse(&j, once, strlen(once), &err), err);
    pz_buf_clear(&b);
    pz_json_add(&b, j);
    ck_assert_str_eq(b.data, once);
    free(once);
    pz_json_free(j);
    pz_buf_release(&b);
}
END_TEST

/* ---- what is refused, and where ---- */

static const struct {
    struct text in;
    unsigned line, column;
    const char *what; // a part of the message
} bad[] = {
    {{TEXT("")}, 1, 1, "empty"},
    {{TEXT("  ")}, 1, 3, "too early"},
    {{TEXT("\xEF\xBB\xBF{}")}, 1, 1, "byte order mark"},
    {{TEXT("nul")}, 1, 1, "value"},
    {{TEXT("True")}, 1, 1, "value"},
    {{TEXT("nullx")}, 1, 5, "behind the value"},
    {{TEXT("1 2")}, 1, 3, "behind the value"},
    {{TEXT("{}\0")}, 1, 3, "behind the value"},
    {{TEXT("{}\n\n  x")}, 3, 3, "behind the value"},
    {{TEXT("[1,]")}, 1, 4, "value"},
    {{TEXT("[,1]")}, 1, 2, "value"},
    {{TEXT("[1 2]")}, 1, 4, "',' or ']'"},
    {{TEXT("[1}")}, 1, 3, "',' or ']'"},
    {{TEXT("{\"a\":1]")}, 1, 7, "',' or '}'"},
    {{TEXT("{\"a\" 1}")}, 1, 6, "':'"},
    {{TEXT("{\"a\":}")}, 1, 6, "value"},
    {{TEXT("{\"a\":1,}")}, 1, 8, "key"},
    {{TEXT("{a:1}")}, 1, 2, "key"},
    {{TEXT("{'a':1}")}, 1, 2, "key"},
    {{TEXT("{1:1}")}, 1, 2, "key"},
    {{TEXT("{")}, 1, 2, "too early"},
    {{TEXT("[")}, 1, 2, "too early"},
    {{TEXT("[1")}, 1, 3, "too early"},
    {{TEXT("{\"a\"")}, 1, 5, "':'"},
    {{TEXT("]")}, 1, 1, "value"},
    {{TEXT("// no\n1")}, 1, 1, "value"},
    /* numbers */
    {{TEXT("01")}, 1, 1, "start with 0"},
    {{TEXT("-01")}, 1, 2, "start with 0"},
    {{TEXT("+1")}, 1, 1, "value"},
    {{TEXT("-")}, 1, 2, "digit"},
    {{TEXT("1.")}, 1, 3, "digit"},
    {{TEXT(".5")}, 1, 1, "value"},
    {{TEXT("1e")}, 1, 3, "exponent"},
    {{TEXT("1e+")}, 1, 4, "exponent"},
    {{TEXT("0x10")}, 1, 2, "behind the value"},
    {{TEXT("1_000")}, 1, 2, "behind the value"},
    {{TEXT("NaN")}, 1, 1, "value"},
    {{TEXT("-Infinity")}, 1, 2, "digit"},
    {{TEXT("[1e400]")}, 1, 2, "range"},
    {{TEXT("-1e309")}, 1, 1, "range"},
    /* strings */
    {{TEXT("\"abc")}, 1, 5, "no end"},
    {{TEXT("\"abc\\")}, 1, 6, "no end"},
    {{TEXT("\"abc\\\"")}, 1, 7, "no end"},
    {{TEXT("\"a\tb\"")}, 1, 3, "control"},
    {{TEXT("\"a\nb\"")}, 1, 3, "control"},
    {{TEXT("\"12345678\0\"")}, 1, 10, "control"},
    {{TEXT("\"\\x41\"")}, 1, 2, "escape"},
    {{TEXT("\"\\'\"")}, 1, 2, "escape"},
    {{TEXT("\"\\u12\"")}, 1, 2, "hexadecimal"},
    {{TEXT("\"\\u12g4\"")}, 1, 2, "hexadecimal"},
    {{TEXT("\"\\u")}, 1, 2, "hexadecimal"},
    {{TEXT("\"a\\u0000b\"")}, 1, 3, "u0000"},
    {{TEXT("\"\\uD800\"")}, 1, 2, "high surrogate"},
    {{TEXT("\"\\uD800\\u0041\"")}, 1, 2, "high surrogate"},
    {{TEXT("\"\\uD800\\uD800\"")}, 1, 2, "high surrogate"},
    {{TEXT("\"\\uDC00\\uD800\"")}, 1, 2, "low surrogate"},
    {{TEXT("\"\xFF\"")}, 1, 2, "UTF-8"},
    {{TEXT("\"\xC0\x80\"")}, 1, 2, "UTF-8"},
    {{TEXT("\"\xED\xA0\x80\"")}, 1, 2, "UTF-8"},
    {{TEXT("\"\xE2\x82\"")}, 1, 2, "UTF-8"},
    {{TEXT("{\"\x80\":1}")}, 1, 3, "UTF-8"},
    /* keys that come twice */
    {{TEXT("{\"a\":1,\"a\":2}")}, 1, 8, "'a' is given twice"},
    {{TEXT("{\"a\":1,\n \"\\u0061\":2}")}, 2, 2, "'a' is given twice"},
    {{TEXT("{\"\":1,\"b\":[{}],\"\":2}")}, 1, 16, "'' is given twice"},
    {{TEXT("[{\"z\":{\"y\":1,\"x\":2,\"y\":3}}]")}, 1, 20, "'y' is given twice"},
};

START_TEST(test_bad)
{
    struct pz_err err = PZ_ERR_INIT;
    pz_json *j = NULL;
    char where[64];
    ck_assert_int_eq(pz_json_parse(&j, bad[_i].in.s, bad[_i].in.n, &err), PZ_DATA);
    ck_assert_ptr_null(j);
    snprintf(where, sizeof where, "line %u, column %u: ", bad[_i].line, bad[_i].column);
    ck_assert_msg(strncmp(err.msg, where, strlen(where)) == 0, "'%s': want %s: %s",
                  bad[_i].in.s, where, err.msg);
    ck_assert_msg(strstr(err.msg, bad[_i].what) != NULL, "'%s': want %s: %s",
                  bad[_i].in.s, bad[_i].what, err.msg);
}
END_TEST

START_TEST(test_depth)
{
    struct pz_err err = PZ_ERR_INIT;
    char text[80];
    pz_json *j;
    memset(text, '[', 40);
    memset(text + 32, ']', 32);
    ck_ok(pz_json_parse(&j, text, 64, &err), err);
    pz_json_free(j);
    memset(text, '[', 33);
    memset(text + 33, ']', 33);
    ck_assert_int_eq(pz_json_parse(&j, text, 66, &err), PZ_DATA);
    ck_assert_str_eq(err.msg,
                     "line 1, column 33: more than 32 levels of objects and arrays");
    /* Arrays and objects in turn, as deep as it goes: each level closes with its own
     * bracket. */
    struct pz_buf b = PZ_BUF_INIT;
    for (int i = 0; i < 16; i++)
        pz_buf_addz(&b, "[{\"k\":");
    pz_buf_addz(&b, "1");
    for (int i = 0; i < 16; i++)
        pz_buf_addz(&b, "}]");
    ck_ok(pz_json_parse(&j, b.data, b.len, &err), err);
    pz_json_free(j);
    pz_buf_release(&b);
}
END_TEST

START_TEST(test_long_numbers)
{
    struct pz_err err = PZ_ERR_INIT;
    pz_json *j;
    char text[512];
    memset(text, '1', sizeof text);
    ck_ok(pz_json_parse(&j, text, 63, &err), err);
    pz_json_free(j);
    ck_assert_int_eq(pz_json_parse(&j, text, 64, &err), PZ_DATA);
    struct pz_scan scan; // the scanner only minds the range
    pz_scan_init(&scan);
    pz_scan_start(&scan, text, 308);
    ck_assert_int_eq(pz_scan_next(&scan), PZ_TOK_NUMBER);
    ck_assert_uint_eq(scan.len, 308);
    pz_scan_start(&scan, text, 310);
    ck_assert_int_eq(pz_scan_next(&scan), PZ_TOK_ERROR);
    pz_scan_release(&scan);
}
END_TEST

START_TEST(test_tree)
{
    static const char text[] =
        "{\"s\":\"x\\ty\",\"n\":1.5,\"i\":-42,\"t\":true,\"f\":false,\"z\":null,"
        "\"a\":[10,20,30],\"o\":{\"k\":\"v\"},\"big\":9007199254740993,"
        "\"edge\":-9007199254740991}";
    struct pz_err err = PZ_ERR_INIT;
    pz_json *j;
    double d;
    int64_t i;
    bool v = false;
    ck_ok(pz_json_parse(&j, text, strlen(text), &err), err);
    ck_assert(pz_json_is_object(j) && !pz_json_is_array(j));
    ck_assert_uint_eq(pz_json_count(j), 10);
    ck_assert_str_eq(pz_json_get_string(j, "s"), "x\ty");
    ck_assert_ptr_null(pz_json_get(j, "S"));
    ck_assert_ptr_null(pz_json_get_string(j, "n"));
    ck_assert_ptr_null(pz_json_get(NULL, "s"));
    ck_assert_ptr_null(pz_json_get(pz_json_get(j, "a"), "s"));
    ck_assert(pz_json_number(pz_json_get(j, "n"), &d) && d == 1.5);
    ck_assert(!pz_json_number(pz_json_get(j, "s"), &d));
    ck_assert(!pz_json_i64(pz_json_get(j, "n"), &i));
    ck_assert(!pz_json_i64(pz_json_get(j, "big"), &i));
    ck_assert(pz_json_i64(pz_json_get(j, "edge"), &i) && i == -9007199254740991);
    ck_assert(pz_json_i64(pz_json_get(j, "i"), &i) && i == -42);
    ck_assert(pz_json_is_bool(pz_json_get(j, "t"), &v) && v);
    ck_assert(pz_json_is_bool(pz_json_get(j, "f"), &v) && !v);
    ck_assert(!pz_json_is_bool(pz_json_get(j, "z"), &v));
    ck_assert(pz_json_is_null(pz_json_get(j, "z")) && !pz_json_is_null(NULL));
    const pz_json *a = pz_json_get(j, "a");
    ck_assert(pz_json_is_array(a));
    int64_t want = 10;
    for (const pz_json *c = pz_json_first(a); c; c = pz_json_next(c), want += 10)
        ck_assert(pz_json_i64(c, &i) && i == want);
    ck_assert_int_eq(want, 40);
    const pz_json *k = pz_json_first(pz_json_get(j, "o"));
    ck_assert_str_eq(pz_json_key(k), "k");
    ck_assert_ptr_null(pz_json_first(k));
    ck_assert_ptr_null(pz_json_first(NULL));
    ck_assert_uint_eq(pz_json_count(k), 0);
    pz_json_free(j);
    pz_json_free(NULL);
}
END_TEST

START_TEST(test_many_keys)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_buf b = PZ_BUF_INIT;
    pz_json *j;
    pz_buf_addc(&b, '{');
    for (int i = 0; i < 20000; i++)
        pz_buf_addf(&b, "%s\"key %d\":{\"a\":%d}", i ? ",\n" : "", i, i);
    pz_buf_addc(&b, '}');
    ck_ok(pz_json_parse(&j, b.data, b.len, &err), err);
    ck_assert_uint_eq(pz_json_count(j), 20000);
    pz_json_free(j);
    b.len--;
    pz_buf_addz(&b, ",\n\"key 17\":0}");
    ck_assert_int_eq(pz_json_parse(&j, b.data, b.len, &err), PZ_DATA);
    ck_assert_str_eq(err.msg, "line 20001, column 1: the key 'key 17' is given twice");
    pz_buf_release(&b);
}
END_TEST

START_TEST(test_add_string)
{
    static const struct {
        struct text in;
        const char *out;
    } cases[] = {
        {{TEXT("")}, "\"\""},
        {{TEXT("a\0b")}, "\"a\\u0000b\""},
        {{TEXT("\"\\/\x1f\x7f")}, "\"\\\"\\\\/\\u001f\x7f\""},
        {{TEXT("\xFFx\xE2\x82")}, "\"\xEF\xBF\xBDx\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {{TEXT("gr\xC3\xBC\xC3\x9F")}, "\"gr\xC3\xBC\xC3\x9F\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pz_buf b = PZ_BUF_INIT;
        pz_json_add_string(&b, cases[i].in.s, cases[i].in.n);
        ck_assert_str_eq(b.data, cases[i].out);
        pz_buf_release(&b);
    }
}
END_TEST

/* What JSON has no number for is null. */
START_TEST(test_add_number)
{
    struct pz_buf b = PZ_BUF_INIT;
    const double f64[] = {0.1, -3, 1e300, NAN, INFINITY, -INFINITY};
    const float f32[] = {0.1f, 1e30f, NAN, -INFINITY};
    for (size_t i = 0; i < sizeof f64 / sizeof *f64; i++) {
        pz_json_add_f64(&b, f64[i]);
        pz_buf_addc(&b, ' ');
    }
    for (size_t i = 0; i < sizeof f32 / sizeof *f32; i++) {
        pz_json_add_f32(&b, f32[i]);
        pz_buf_addc(&b, ' ');
    }
    ck_assert_str_eq(b.data, "0.1 -3 1e+300 null null null 0.1 1e30 null null ");
    pz_buf_release(&b);
}
END_TEST

/* ---- the scanner ---- */

START_TEST(test_scan_tokens)
{
    static const char text[] = " {\"a\\n\": [1, -2.5e3, \"x\", \"\\u00e9\"], \"b\": {}, "
                               "\"c\":9223372036854775807,\"d\":[],\"e\":null} ";
    static const struct {
        enum pz_tok tok;
        const char *s;
    } want[] = {
        {PZ_TOK_OBJECT, NULL},
        {PZ_TOK_KEY, "a\n"},
        {PZ_TOK_ARRAY, NULL},
        {PZ_TOK_NUMBER, "1"},
        {PZ_TOK_NUMBER, "-2.5e3"},
        {PZ_TOK_STRING, "x"},
        {PZ_TOK_STRING, "\xC3\xA9"},
        {PZ_TOK_ARRAY_END, NULL},
        {PZ_TOK_KEY, "b"},
        {PZ_TOK_OBJECT, NULL},
        {PZ_TOK_OBJECT_END, NULL},
        {PZ_TOK_KEY, "c"},
        {PZ_TOK_NUMBER, "9223372036854775807"},
        {PZ_TOK_KEY, "d"},
        {PZ_TOK_ARRAY, NULL},
        {PZ_TOK_ARRAY_END, NULL},
        {PZ_TOK_KEY, "e"},
        {PZ_TOK_NULL, NULL},
        {PZ_TOK_OBJECT_END, NULL},
        {PZ_TOK_END, NULL},
        {PZ_TOK_END, NULL},
    };
    struct pz_scan scan;
    pz_scan_init(&scan);
    for (int round = 0; round < 2; round++) { // the second reuses the memory
        pz_scan_start(&scan, text, strlen(text));
        for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
            ck_assert_int_eq(pz_scan_next(&scan), want[i].tok);
            if (want[i].s) {
                ck_assert_uint_eq(scan.len, strlen(want[i].s));
                ck_assert_mem_eq(scan.s, want[i].s, scan.len);
            }
        }
    }
    pz_scan_release(&scan);
}
END_TEST

START_TEST(test_scan_views)
{
    /* A string without escapes is a view into the text; start points at its quote. */
    static const char text[] = "[\"plain\",\n {\"k\":1}]";
    struct pz_scan scan;
    pz_scan_init(&scan);
    pz_scan_start(&scan, text, strlen(text));
    ck_assert_int_eq(pz_scan_next(&scan), PZ_TOK_ARRAY);
    ck_assert_int_eq(pz_scan_next(&scan), PZ_TOK_STRING);
    ck_assert_ptr_eq(scan.s, text + 2);
    ck_assert_uint_eq(scan.start, 1);
    ck_assert_int_eq(pz_scan_next(&scan), PZ_TOK_OBJECT);
    ck_assert_uint_eq(scan.start, 11);
    ck_assert_int_eq(pz_scan_next(&scan), PZ_TOK_KEY);
    ck_assert_uint_eq(scan.start, 12);
    pz_scan_release(&scan);
}
END_TEST

START_TEST(test_scan_skip)
{
    static const char text[] = "{\"a\":[1,{\"b\":[[]]}],\"c\":{\"d\":2},\"e\":3,\"f\":4}";
    struct pz_scan scan;
    pz_scan_init(&scan);
    pz_scan_start(&scan, text, strlen(text));
    ck_assert_int_eq(pz_scan_next(&scan), PZ_TOK_OBJECT);
    for (const char *key = "acef"; *key; key++) {
        ck_assert_int_eq(pz_scan_next(&scan), PZ_TOK_KEY);
        ck_assert(scan.len == 1 && scan.s[0] == *key);
        ck_assert(pz_scan_skip(&scan, pz_scan_next(&scan)));
    }
    ck_assert_int_eq(pz_scan_next(&scan), PZ_TOK_OBJECT_END);
    ck_assert_int_eq(pz_scan_next(&scan), PZ_TOK_END);
    pz_scan_start(&scan, "[[1,]", 5);
    ck_assert(!pz_scan_skip(&scan, pz_scan_next(&scan)));
    ck_assert_int_eq(pz_scan_next(&scan), PZ_TOK_ERROR); // stays
    ck_assert_uint_eq(scan.at, 4);
    pz_scan_release(&scan);
    pz_scan_release(&scan);
}
END_TEST

/* ---- UTF-8 ---- */

/* Is s[0..n) one code point, by decoding it in full: the definition in RFC 3629, 3. */
static bool
one_code_point(const unsigned char *s, size_t n)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    static const unsigned char mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    static const unsigned char head[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
    if ((s[0] & (unsigned char)~mask[n]) != head[n])
        return false;
    uint32_t c = s[0] & mask[n];
    for (size_t i = 1; i < n; i++) {
        if (s[i] >> 6 != 2)
            return false;
        c = c << 6 | (s[i] & 0x3F);
    }
    return c >= least[n] && c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF);
}

START_TEST(test_utf8_all_short)
{
    /* Every string of up to three bytes, against decoding. */
    static unsigned char ok1[256];
    static unsigned char ok2[65536];
    for (unsigned a = 0; a < 256; a++) {
        unsigned char s[1] = {(unsigned char)a};
        ok1[a] = one_code_point(s, 1);
        ck_assert(pz_utf8_valid((char *)s, 1) == ok1[a]);
    }
    for (unsigned a = 0; a < 65536; a++) {
        unsigned char s[2] = {(unsigned char)(a >> 8), (unsigned char)a};
        size_t want = ok1[s[0]] ? 1u + ok1[s[1]] : one_code_point(s, 2) ? 2 : 0;
        ok2[a] = one_code_point(s, 2);
        ck_assert_uint_eq(pz_utf8_valid((char *)s, 2), want);
    }
    for (unsigned a = 0; a < 1u << 24; a++) {
        unsigned char s[3] = {(unsigned char)(a >> 16), (unsigned char)(a >> 8),
                              (unsigned char)a};
        size_t want;
        if (ok1[s[0]])
            want = ok2[a & 0xFFFF] ? 3 : ok1[s[1]] ? 2u + ok1[s[2]] : 1;
        else if (ok2[a >> 8])
            want = 2u + ok1[s[2]];
        else
            want = one_code_point(s, 3) ? 3 : 0;
        if (pz_utf8_valid((char *)s, 3) != want)
            ck_abort_msg("bytes %06x", a);
    }
}
END_TEST

START_TEST(test_utf8_long)
{
    /* Four-byte forms at their corners, at each offset of a word, in ASCII. */
    static const struct {
        const char *s;
        bool ok;
    } corner[] = {
        {"\xF0\x90\x80\x80", true},  {"\xF0\x8F\xBF\xBF", false},
        {"\xF4\x8F\xBF\xBF", true},  {"\xF4\x90\x80\x80", false},
        {"\xF5\x80\x80\x80", false}, {"\xF1\x80\x80\x7F", false},
        {"\xF1\x80\xC0\x80", false}, {"\xF3\xBF\xBF\xBF", true},
    };
    char text[64];
    for (size_t c = 0; c < sizeof corner / sizeof *corner; c++)
        for (size_t at = 0; at < 32; at++) {
            memset(text, 'a', sizeof text);
            memcpy(text + at, corner[c].s, 4);
            ck_assert_uint_eq(pz_utf8_valid(text, sizeof text), corner[c].ok ? 64 : at);
            ck_assert_uint_eq(pz_utf8_valid(text, at + 3), at); // cut short
        }
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("json");
    TCase *t = tcase_create("json");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, test_good, 0, sizeof good / sizeof *good);
    tcase_add_loop_test(t, test_bad, 0, sizeof bad / sizeof *bad);
    tcase_add_test(t, test_depth);
    tcase_add_test(t, test_long_numbers);
    tcase_add_test(t, test_tree);
    tcase_add_test(t, test_many_keys);
    tcase_add_test(t, test_add_string);
    tcase_add_test(t, test_scan_tokens);
    tcase_add_test(t, test_scan_views);
    tcase_add_test(t, test_scan_skip);
    tcase_add_test(t, test_utf8_all_short);
    tcase_add_test(t, test_add_number);
    tcase_add_test(t, test_utf8_long);
    suite_add_tcase(s, t);
    return s;
}
