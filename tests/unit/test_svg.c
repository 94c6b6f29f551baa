/* Charts hold what they are given: text as text, values where they belong. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/svg.h"
#include "unit.h"

START_TEST(text_is_text)
{
    struct pz_buf b = PZ_BUF_INIT;
    pz_svg_text(&b, "a<b> & \"c\" 'd'\n\x7f", 16);
    ck_assert_str_eq(b.data, "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;??");
    pz_buf_clear(&b);
    pz_svg_text(&b, "\xff\xc3\xa9\xc3z\xa9", 6);
    ck_assert_str_eq(b.data, "?\xc3\xa9?z?");
    pz_buf_clear(&b);
    pz_svg_text_cut(&b, "caf\xc3\xa9s", 6, 4); // never half a character
    ck_assert_str_eq(b.data, "caf&hellip;");
    pz_buf_clear(&b);
    pz_svg_text_cut(&b, "caf\xc3\xa9", 5, 5);
    ck_assert_str_eq(b.data, "caf\xc3\xa9");
    pz_buf_release(&b);
}
END_TEST

/* The numbers behind each `key` of a chart, in order. */
static size_t
numbers(const char *svg, const char *key, double *out, size_t most)
{
    size_t n = 0;
    for (const char *s = svg; (s = strstr(s, key)) && n < most;) {
        s += strlen(key);
        out[n++] = strtod(s, NULL);
    }
    return n;
}

/* Greater values stand further to the right, in proportion; NaN is not drawn. */
START_TEST(dots_in_proportion)
{
    struct pz_buf b = PZ_BUF_INIT;
    const struct pz_svg_mark mark[] = {
        {0, NAN, NAN, 0}, {0.1, 0.05, 0.2, 1}, {0.3, NAN, NAN, 2}, {NAN, NAN, NAN, 3}};
    const struct pz_svg_row row[] = {{"<all>", mark, 4}};
    double x[8];
    pz_svg_dots(&b, "t", row, 1);
    ck_assert_uint_eq(numbers(b.data, " cx=\"", x, 8), 3);
    ck_assert_double_eq_tol((x[2] - x[0]) / (x[1] - x[0]), 3, 0.02);
    ck_assert(x[0] >= 8 && x[2] <= 352);
    ck_assert_ptr_nonnull(strstr(b.data, "&lt;all&gt;"));
    ck_assert_ptr_null(strstr(b.data, "nan"));
    pz_buf_release(&b);
}
END_TEST

START_TEST(lines_and_points)
{
    struct pz_buf b = PZ_BUF_INIT;
    const double x[] = {0, 0.5, 1}, y[] = {0.2, NAN, 0.4};
    const struct pz_svg_line line = {.x = x, .y = y, .n = 3, .dots = true};
    const struct pz_svg_axis ax = {"share", 0, 1, true}, ay = {NULL, 0, 0, false};
    double c[8];
    pz_svg_lines(&b, "t", &ax, &ay, &line, 1);
    ck_assert_uint_eq(numbers(b.data, " cy=\"", c, 8), 2);
    ck_assert(c[1] < c[0]); // upwards is less
    ck_assert_ptr_nonnull(strstr(b.data, "100%"));
    ck_assert_ptr_null(strstr(b.data, "-0"));
    pz_buf_clear(&b);
    const struct pz_svg_point point[] = {
        {"a", 0, 0, 0}, {"b", 0.5, 0.1, 1}, {"c", NAN, 1, 2}};
    pz_svg_scatter(&b, "t", &ax, &ay, point, 3);
    ck_assert_uint_eq(numbers(b.data, " cx=\"", c, 8), 2);
    ck_assert(c[1] > c[0]);
    pz_buf_clear(&b);
    // Nothing at all, and nothing but zeros, have axes too.
    pz_svg_lines(&b, "t", &ax, &ay, NULL, 0);
    pz_svg_scatter(&b, "t", &ax, &ay, point, 1);
    pz_svg_dots(&b, "t", NULL, 0);
    ck_assert_ptr_null(strstr(b.data, "nan"));
    ck_assert_ptr_null(strstr(b.data, "inf"));
    pz_buf_release(&b);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("svg");
    TCase *t = tcase_create("charts");
    tcase_add_test(t, text_is_text);
    tcase_add_test(t, dots_in_proportion);
    tcase_add_test(t, lines_and_points);
    suite_add_tcase(s, t);
    return s;
}
