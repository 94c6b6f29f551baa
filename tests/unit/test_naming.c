/* Names of columns that no field can have. */
#include <stdio.h>
#include <string.h>

#include "data/naming.h"
#include "unit.h"

/* Names that no field can have: each becomes one, and no two become the same. */
START_TEST(test_names)
{
    static const char *const name[] = {
        "user id",  "Item-ID", " TIMESTAMP", "a b",    "a\tb", "A_B",   "7",
        "\xc3\xa4", "%",       "_",          "x (y) ", "__z",  "a_b_2",
    };
    static const char *const want[] = {
        "user_id",  "Item_ID",  "_TIMESTAMP", "a_b_3", "a_b_4", "A_B",   "_7",
        "column_8", "column_9", "_",          "x_y",   "__z",   "a_b_2",
    };
    struct pz_err err = PZ_ERR_INIT;
    struct pz_arena text = {0};
    struct pz_cell cell[sizeof name / sizeof *name];
    for (size_t i = 0; i < sizeof name / sizeof *name; i++)
        cell[i] = (struct pz_cell){.s = name[i], .n = (uint32_t)strlen(name[i])};
    ck_ok(pz_names_tidy(cell, sizeof name / sizeof *name, &text, &err), err);
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        ck_assert_uint_eq(cell[i].n, strlen(want[i]));
        ck_assert_mem_eq(cell[i].s, want[i], cell[i].n);
    }
    pz_arena_release(&text);
}
END_TEST

/* Names that are too long are cut, and stay different. */
START_TEST(test_long)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_arena text = {0};
    struct pz_cell cell[2];
    char wide[2][200];
    memset(wide, 'w', sizeof wide);
    cell[0] = (struct pz_cell){.s = wide[0], .n = sizeof wide[0]};
    cell[1] = (struct pz_cell){.s = wide[1], .n = sizeof wide[1]};
    ck_ok(pz_names_tidy(cell, 2, &text, &err), err);
    ck_assert_uint_eq(cell[0].n, PZ_NAME_MAX);
    ck_assert_uint_le(cell[1].n, PZ_NAME_MAX);
    ck_assert_int_eq(memcmp(cell[1].s + cell[1].n - 2, "_2", 2), 0);
    pz_arena_release(&text);
}
END_TEST

/* Many names that differ only in what no name can have: the time is not quadratic. */
START_TEST(test_many)
{
    enum { N = 16000 };
    struct pz_err err = PZ_ERR_INIT;
    struct pz_arena text = {0};
    static struct pz_cell cell[N];
    static char name[N][18], want[32];
    for (size_t i = 0; i < N; i++) {
        memset(name[i], 'a', sizeof name[i]);
        for (size_t bit = 0; bit < 14; bit++)
            name[i][bit + 1] = i >> bit & 1 ? '-' : ' ';
        cell[i] = (struct pz_cell){.s = name[i], .n = sizeof name[i]};
    }
    ck_ok(pz_names_tidy(cell, N, &text, &err), err);
    for (size_t i = 1; i < N; i++) {
        snprintf(want, sizeof want, "a_aaa_%zu", i + 1);
        ck_assert_str_eq(cell[i].s, want);
    }
    pz_arena_release(&text);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("naming");
    TCase *t = tcase_create("naming");
    tcase_add_test(t, test_names);
    tcase_add_test(t, test_long);
    tcase_add_test(t, test_many);
    suite_add_tcase(s, t);
    return s;
}
