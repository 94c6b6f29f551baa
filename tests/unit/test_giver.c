/* infer/giver: marks in ids, and whose they are. */
#include <string.h>

#include "infer/giver.h"
#include "unit.h"

/* Marks in the ids of answers; ids without one are told apart from what is no id. */
START_TEST(marks)
{
    static const uint32_t mark[] = {0, 1, 0x89abcdef, UINT32_MAX};
    char id[PZ_RECOMMENDATION_ID], before[PZ_RECOMMENDATION_ID];
    struct pz_err err = PZ_ERR_INIT;
    uint32_t got;
    for (size_t i = 0; i < sizeof mark / sizeof *mark; i++) {
        ck_assert_int_eq(pz_recommendation_id(id, &err), PZ_OK);
        memcpy(before, id, sizeof id);
        pz_recommendation_mark(id, mark[i]);
        ck_assert(pz_recommendation_marked(id, &got));
        ck_assert_uint_eq(got, mark[i]);
        ck_assert_uint_eq(strlen(id), strlen(before));
        ck_assert_mem_eq(id, before, strlen(id) - 8);
    }
    id[strlen(id) - 3] = 'g';
    ck_assert(!pz_recommendation_marked(id, &got));
    ck_assert(!pz_recommendation_marked("RID-of-somebody", &got));
    ck_assert(!pz_recommendation_marked("", &got));
    ck_assert_uint_eq(pz_recommendation_mark_of("front", false),
                      pz_recommendation_mark_of("front", false));
    ck_assert_uint_ne(pz_recommendation_mark_of("front", false),
                      pz_recommendation_mark_of("front", true));
    ck_assert_uint_ne(pz_recommendation_mark_of("front", false),
                      pz_recommendation_mark_of("fronT", false));
}
END_TEST

/* An id tells its giver; a campaign and a recommender of one name are two. */
START_TEST(givers)
{
    static const char *const name[] = {"front", "side", "back"};
    struct pz_err err = PZ_ERR_INIT;
    struct pz_givers g = {0};
    char id[PZ_RECOMMENDATION_ID];
    for (size_t i = 0; i < 3; i++) {
        char source[] = "campaign ?", other[] = "recommender ?";
        source[9] = other[12] = *name[i];
        ck_ok(pz_givers_add(&g, name[i], false, source, &err), err);
        ck_ok(pz_givers_add(&g, name[i], true, other, &err), err);
    }
    ck_ok(pz_recommendation_id(id, &err), err);
    pz_recommendation_mark(id, pz_recommendation_mark_of("side", false));
    ck_assert_str_eq(pz_givers_find(&g, id), "campaign s");
    pz_recommendation_mark(id, pz_recommendation_mark_of("side", true));
    ck_assert_str_eq(pz_givers_find(&g, id), "recommender s");
    pz_recommendation_mark(id, pz_recommendation_mark_of("top", true));
    ck_assert_ptr_null(pz_givers_find(&g, id));
    ck_assert_ptr_null(pz_givers_find(&g, "side"));
    pz_givers_release(&g);
    ck_assert_ptr_null(pz_givers_find(&g, id));
    pz_givers_release(&g);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("giver");
    TCase *t = tcase_create("giver");
    tcase_add_test(t, marks);
    tcase_add_test(t, givers);
    suite_add_tcase(s, t);
    return s;
}
