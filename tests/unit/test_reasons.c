/* recipe/reasons: a case worked by hand. */

#include "recipe/reasons.h"
#include "unit.h"

static struct pz_reason
term(uint32_t item, double x, const char *label, size_t n_label)
{
    return (struct pz_reason){
        .item = item, .contribution = x, .label = label, .n_label = n_label};
}

/* Labels need no NUL behind them: these are "a", "ab" and "b" of one text. */
START_TEST(join)
{
    static const char text[] = "abb";
    struct pz_reason all[] = {term(7, 2, NULL, 0),     term(3, 1, text, 2),
                              term(3, 1, text, 1),     term(7, 3, NULL, 0),
                              term(3, 0.5, NULL, 0),   term(3, 0.5, NULL, 0),
                              term(3, 1, text + 1, 1), term(3, -4, text + 2, 1),
                              term(9, 5, NULL, 0),     term(3, 2, "not here", 0)};
    const struct {
        uint32_t item;
        double x;
        size_t n_label;
    } want[] = {{7, 5, 0}, {9, 5, 0}, {3, 2, 0}, {3, 1, 0},
                {3, 1, 1}, {3, 1, 2}, {3, -3, 1}};
    enum { N = sizeof all / sizeof *all, WANT = sizeof want / sizeof *want };
    for (int in_place = 0; in_place < 2; in_place++) {
        struct pz_reason given[N], other[N];
        struct pz_explained out = {.reason = in_place ? given : other, .raw = 12};
        for (size_t i = 0; i < N; i++)
            given[i] = all[i];
        pz_reasons_join(given, N, &out);
        ck_assert_uint_eq(out.n, WANT);
        for (size_t i = 0; i < WANT; i++) {
            ck_assert_uint_eq(out.reason[i].item, want[i].item);
            ck_assert_double_eq(out.reason[i].contribution, want[i].x);
            ck_assert_uint_eq(out.reason[i].n_label, want[i].n_label);
        }
        ck_assert(out.reason[2].label && !out.reason[3].label);
        ck_assert_double_eq(out.raw, 12);
        pz_reasons_join(given, 0, &out);
        ck_assert_uint_eq(out.n, 0);
    }
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("reasons");
    TCase *t = tcase_create("reasons");
    tcase_add_test(t, join);
    suite_add_tcase(s, t);
    return s;
}
