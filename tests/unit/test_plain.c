/* Numbers as people write them, as plain ones. */
#include <string.h>

#include "base/num.h"
#include "unit.h"

static const struct {
    const char *text;
    char decimal;
    const char *want; // NULL: refused
} cases[] = {
    {"1.234,50", ',', "1234.50"},
    {"1234,5", ',', "1234.5"},
    {"-1.234.567", ',', "-1234567"},
    {"12", ',', "12"},
    {"0,5", ',', "0.5"},
    {"7,", ',', "7."},
    {"1 234,5", ',', "1234.5"},
    {"1\xc2\xa0"
     "234,5",
     ',', "1234.5"},
    {"1\xe2\x80\xaf"
     "234\xe2\x80\xaf"
     "567",
     ',', "1234567"},
    {"1'234.5", '.', "1234.5"},
    {"1,234,567.25", '.', "1234567.25"},
    {"+5,5e3", ',', "+5.5e3"},
    {"1.23", ',', NULL},
    {"1.2345", ',', NULL},
    {"12.5", ',', NULL},
    {"1234.567", ',', NULL}, // marks are everywhere or nowhere
    {"1.234 567", ',', NULL},
    {".234", ',', NULL},
    {",5", ',', NULL},
    {"1.234.", ',', NULL},
    {"1,2,3", ',', NULL},
    {"1,234,56", '.', NULL},
    {"1,5 EUR", ',', NULL},
    {"", ',', NULL},
    {"-", ',', NULL},
    {"1e999", ',', NULL},
};

START_TEST(test_case)
{
    char out[64];
    const char *text = cases[_i].text, *want = cases[_i].want;
    size_t n = pz_num_plain(out, sizeof out, text, strlen(text), cases[_i].decimal);
    ck_assert_uint_eq(n, want ? strlen(want) : 0);
    ck_assert(!want || memcmp(out, want, n) == 0);
}
END_TEST

/* What does not fit is refused; the result never has more bytes than the text. */
START_TEST(test_room)
{
    static const char text[] = "1.234.567,891";
    char out[sizeof text];
    ck_assert_uint_eq(pz_num_plain(out, sizeof text - 1, text, sizeof text - 1, ','), 0);
    ck_assert_uint_eq(pz_num_plain(out, sizeof text, text, sizeof text - 1, ','), 11);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("plain");
    TCase *t = tcase_create("plain");
    tcase_add_loop_test(t, test_case, 0, sizeof cases / sizeof *cases);
    tcase_add_test(t, test_room);
    suite_add_tcase(s, t);
    return s;
}
