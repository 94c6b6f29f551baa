/* The bytes beside the items' vectors: written for many items, read, and optional. */
#include "recipe/item_codes.h"

#include <string.h>

#include "base/rng.h"
#include "unit.h"

enum { MANY = PZ_CODED_ITEMS + 5, D = 16, WANTED = 12 };

static float table[MANY * D];

static void
setup(void)
{
    struct pz_rng rng;
    pz_rng_seed(&rng, 4, 4);
    for (size_t i = 0; i < MANY * D; i++)
        table[i] = (float)pz_rng_normal(&rng);
}

static struct pz_topn_table
whole(uint32_t n_items)
{
    return (struct pz_topn_table){.row = table, .n_rows = n_items, .d = D};
}

/* A model that holds what put() adds for n_items, and nothing else. */
static struct pz_builder *
made(struct pz_model *m, uint32_t n_items)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_builder *b;
    memset(m, 0, sizeof *m);
    ck_ok(pz_builder_new(&b, &err), err);
    ck_ok(pz_item_codes_put(b, table, n_items, D, &err), err);
    ck_ok(pz_builder_view(b, &m->file, &err), err);
    return b;
}

START_TEST(many_items_are_coded)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_model m;
    struct pz_topn_table t = whole(MANY), plain = t;
    uint32_t row[2][WANTED];
    float score[2][WANTED];
    setup();
    struct pz_builder *b = made(&m, MANY);
    ck_ok(pz_item_codes_get(&m, &t, &err), err);
    ck_assert_ptr_nonnull(t.quant.code);
    struct pz_topn q = {
        .x = table + 77 * D, .n = WANTED, .row = row[0], .score = score[0]};
    struct pz_topn p = q;
    p.row = row[1];
    p.score = score[1];
    ck_ok(pz_topn(&t, NULL, 0, 0, &q, 1, &err), err);
    ck_ok(pz_topn(&plain, NULL, 0, 0, &p, 1, &err), err);
    ck_assert_mem_eq(row[0], row[1], sizeof row[0]);
    ck_assert_mem_eq(score[0], score[1], sizeof score[0]);

    t = whole(MANY + PZ_QUANT_ROWS); // of other items
    ck_assert_int_eq(pz_item_codes_get(&m, &t, &err), PZ_FORMAT);
    ck_assert_ptr_nonnull(strstr(err.msg, "item.scale"));
    pz_tensors_close(&m.file);
    pz_builder_free(b);
}
END_TEST

/* Few items, a file of before, a table that cannot be coded: answers come from floats. */
START_TEST(codes_are_optional)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_model m;
    setup();
    for (int k = 0; k < 2; k++) {
        uint32_t n_items = k ? MANY : PZ_CODED_ITEMS - 1;
        struct pz_topn_table t = whole(n_items);
        if (k)
            table[9] = 1e30f;
        struct pz_builder *b = made(&m, n_items);
        ck_ok(pz_item_codes_get(&m, &t, &err), err);
        ck_assert_ptr_null(t.quant.code);
        pz_tensors_close(&m.file);
        pz_builder_free(b);
    }
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("item_codes");
    TCase *t = tcase_create("item_codes");
    tcase_add_test(t, many_items_are_coded);
    tcase_add_test(t, codes_are_optional);
    suite_add_tcase(s, t);
    return s;
}
