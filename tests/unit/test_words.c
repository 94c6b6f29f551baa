/* recipe/words: what is a word, in which scripts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recipe/words.h"
#include "unit.h"

static char got[4096];

static int
take(void *ctx, const char *word, size_t n, struct pz_err *err)
{
    (void)ctx;
    (void)err;
    size_t at = strlen(got);
    snprintf(got + at, sizeof got - at, "%s%.*s", at ? " " : "", (int)n, word);
    return PZ_OK;
}

static const char *
words(const char *text, size_t n)
{
    struct pz_err err = PZ_ERR_INIT;
    got[0] = 0;
    ck_ok(pz_words(text, n, take, NULL, &err), err);
    return got;
}

START_TEST(texts)
{
    static const struct {
        const char *text, *words;
    } t[] = {
        {"", ""},
        {"Red, red WINE (2 bottles)", "red red wine bottles"},
        {"children's 4x4 i a U2", "children 4x4 u2"},
        {"<b>bold</b>&nbsp;move &amp; more", "bold move more"},
        {"1 < 22 > 3, a<b and AT&T; x&&yy", "22 and at yy"},
        {"\xc3\x89t\xc3\xa9 \xc3\x96L \xc5\xbb\xc3\xb3\xc5\x82W \xc4\xb9\xc5\xbd",
         "\xc3\xa9t\xc3\xa9 \xc3\xb6l \xc5\xbc\xc3\xb3\xc5\x82w \xc4\xba\xc5\xbe"},
        {"\xce\x91\xce\xa9 \xd0\x81\xd0\x96\xd0\xba",
         "\xce\xb1\xcf\x89 \xd1\x91\xd0\xb6\xd0\xba"},
        // Accents, and the sigma at the end of a word.
        {"\xce\x86\xce\x9d\xce\x98\xce\xa1\xce\xa9\xce\xa0\xce\x9f\xce\xa3 "
         "\xce\xac\xce\xbd\xce\xb8\xcf"
         "\x81\xcf\x89\xcf\x80\xce\xbf\xcf\x82 \xce\x8a\xce\x8e\xce\xaa",
         "\xce\xac\xce\xbd\xce\xb8\xcf\x81\xcf\x89\xcf\x80\xce\xbf\xcf\x83 "
         "\xce\xac\xce\xbd\xce\xb8\xcf"
         "\x81\xcf\x89\xcf\x80\xce\xbf\xcf\x83 \xce\xaf\xcf\x8d\xcf\x8a"},
        // Pairs of characters; a single one stands alone; Latin words beside them.
        {"\xe4\xb8\xad\xe5\x9b\xbd\xe8\x8c\xb6"
         "Tea\xe3\x80\x81\xe8\x8c\xb6",
         "\xe4\xb8\xad\xe5\x9b\xbd \xe5\x9b\xbd\xe8\x8c\xb6 tea \xe8\x8c\xb6"},
        {"ab\xe2\x80\x94"
         "cd\xe2\x80\x99s \xf0\x9f\x98\x80 ef",
         "ab cd ef"},
        // Bytes that are not UTF-8: alone, cut short, overlong, a surrogate.
        {"ab\xff"
         "cd \xc3",
         "ab cd"},
        {"ab\xc0\xaf"
         "cd\xed\xa0\x80"
         "ef",
         "ab cd ef"},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        ck_assert_str_eq(words(t[i].text, strlen(t[i].text)), t[i].words);
}
END_TEST

/* The first 64 bytes of a long word, and no half character. */
START_TEST(long_words)
{
    char text[301], want[65];
    memset(text, 'A', 300);
    text[300] = 0;
    memset(want, 'a', 64);
    want[64] = 0;
    ck_assert_str_eq(words(text, 300), want);
    text[63] = (char)0xc3;
    text[64] = (char)0xa9;
    want[63] = 0;
    ck_assert_str_eq(words(text, 300), want);
    // Markup that does not end is text.
    memset(text, 'b', 300);
    text[0] = '<';
    ck_assert_uint_eq(strlen(words(text, 300)), 64);
    ck_assert_str_eq(words("<bbb", 4), "bbb");
}
END_TEST

static int
refuse(void *ctx, const char *word, size_t n, struct pz_err *err)
{
    (void)word;
    (void)n;
    return ++*(int *)ctx == 2 ? pz_err_set(err, PZ_SYSTEM, "enough") : PZ_OK;
}

START_TEST(stops)
{
    struct pz_err err = PZ_ERR_INIT;
    int n = 0;
    ck_assert_int_eq(pz_words("aa bb cc dd", 11, refuse, &n, &err), PZ_SYSTEM);
    ck_assert_int_eq(n, 2);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("words");
    TCase *t = tcase_create("words");
    tcase_add_test(t, texts);
    tcase_add_test(t, long_words);
    tcase_add_test(t, stops);
    suite_add_tcase(s, t);
    return s;
}
