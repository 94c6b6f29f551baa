/* recipe/world: one numbering of items over two datasets. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "group.h"
#include "recipe/world.h"

static struct pz_err err;
static struct group group;

static void
setup(void)
{
    group_make(&group);
}

static void
teardown(void)
{
    group_remove(&group);
}

/* "b:1 c:- ...": ids in the order of the model, each with its row or '-'. */
static void
describe(char out[256], const struct pz_ids *ids, const uint32_t *row)
{
    size_t at = 0;
    out[0] = 0;
    for (uint32_t i = 0; i < ids->n; i++) {
        size_t n;
        const char *s = pz_ids_get(ids, i, &n);
        at += (size_t)snprintf(out + at, 256 - at, "%s%.*s:", i ? " " : "", (int)n, s);
        if (!row || row[i] == PZ_NO_ID)
            at += (size_t)snprintf(out + at, 256 - at, "-");
        else
            at += (size_t)snprintf(out + at, 256 - at, "%u", row[i]);
    }
}

static const char interactions[] = "USER_ID,ITEM_ID,TIMESTAMP\n"
                                   "u1,b,10\nu1,d,20\nu2,c,30\nu3,d,40\n";

START_TEST(alone)
{
    struct pz_world w;
    char text[256];
    ck_assert_int_eq(pz_world_open(&w, group.dir, PZ_INTERACTIONS, 1, &err), PZ_NEGATIVE);
    group_import(&group, PZ_INTERACTIONS, NULL, interactions);
    ck_ok(pz_world_open(&w, group.dir, PZ_INTERACTIONS, 1, &err), err);
    ck_assert_ptr_null(w.items);
    ck_assert_ptr_null(w.users);
    ck_assert_ptr_null(w.item_of);
    describe(text, &w.item, w.item_row);
    ck_assert_str_eq(text, "b:- c:- d:-");
    pz_world_close(&w);
}
END_TEST

START_TEST(items_of_both)
{
    struct pz_world w;
    struct pz_events e;
    struct pz_selection all = {0};
    struct pz_selection_report report;
    char text[256];
    group_import(&group, PZ_INTERACTIONS, NULL, interactions);
    group_import(&group, PZ_ITEMS, NULL, "ITEM_ID,PRICE\na,1\nc,2\ncc,3\nd,4\nz,5\n");
    group_import(&group, PZ_USERS, NULL, "USER_ID,AGE\nu0,1\nu1,2\nu3,3\nu9,4\n");
    ck_ok(pz_world_open(&w, group.dir, PZ_INTERACTIONS, 1, &err), err);
    describe(text, &w.item, w.item_row);
    ck_assert_str_eq(text, "a:0 b:- c:1 cc:2 d:3 z:4");
    describe(text, &w.user, w.user_row);
    ck_assert_str_eq(text, "u1:1 u2:- u3:2");
    ck_assert_uint_eq(w.item.n_bytes, 7);

    ck_ok(pz_world_select(&w, &all, &e, &report, &err), err);
    static const uint32_t want[] = {1, 4, 2, 4}; // b d, c, d
    ck_assert_uint_eq(e.n_items, 6);
    ck_assert_uint_eq(e.n, 4);
    ck_assert_mem_eq(e.item, want, sizeof want);
    ck_assert_uint_eq(report.n_items, 3);
    pz_events_release(&e);
    pz_world_close(&w);
}
END_TEST

/* A dataset that does not match its hashes is no world. */
START_TEST(damage)
{
    struct pz_world w;
    char path[128];
    group_import(&group, PZ_INTERACTIONS, NULL, interactions);
    group_import(&group, PZ_ITEMS, NULL, "ITEM_ID,PRICE\na,1\nc,2\n");
    snprintf(path, sizeof path, "%s/items.safetensors", group.dir);
    FILE *f = fopen(path, "r+");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fseek(f, -1, SEEK_END), 0);
    int last = fgetc(f);
    ck_assert_int_eq(fseek(f, -1, SEEK_END), 0);
    ck_assert_int_eq(fputc(last ^ 1, f), last ^ 1);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(pz_world_open(&w, group.dir, PZ_INTERACTIONS, 1, &err), PZ_FORMAT);
    ck_assert_ptr_null(w.interactions);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("world");
    TCase *t = tcase_create("world");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, alone);
    tcase_add_test(t, items_of_both);
    tcase_add_test(t, damage);
    suite_add_tcase(s, t);
    return s;
}
