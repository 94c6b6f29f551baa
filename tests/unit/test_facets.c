/* recipe/facets: the sets that columns make, and expressions over them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "group.h"
#include "recipe/facets.h"
#include "unit.h"

static const char schema[] =
    "{\"type\":\"record\",\"name\":\"Items\",\"version\":\"1.0\","
    "\"namespace\":\"com.amazonaws.personalize.schema\","
    "\"fields\":[{\"name\":\"ITEM_ID\",\"type\":\"string\"},"
    "{\"name\":\"Genres\",\"type\":[\"null\",\"string\"],\"categorical\":true},"
    "{\"name\":\"PRICE\",\"type\":[\"null\",\"double\"]},"
    "{\"name\":\"STOCK\",\"type\":[\"null\",\"int\"]},"
    "{\"name\":\"TITLE\",\"type\":[\"null\",\"string\"]},"
    "{\"name\":\"SHELF\",\"type\":[\"null\",\"string\"]},"
    "{\"name\":\"MADE_BY\",\"type\":[\"null\",\"string\"]},"
    "{\"name\":\"ONSALE\",\"type\":[\"null\",\"boolean\"]},"
    "{\"name\":\"BOTH\",\"type\":[\"null\",\"string\"],\"categorical\":true},"
    "{\"name\":\"CREATION_TIMESTAMP\",\"type\":\"long\"}]}";
static const char items[] =
    "ITEM_ID,Genres,PRICE,STOCK,TITLE,SHELF,MADE_BY,ONSALE,BOTH,CREATION_TIMESTAMP\n"
    "a,Comedy|Drama,10,1,one,same,\"A \"\"B\"\" C\",true,x|y,1\n"
    "b,Drama|Drama,2.5,2,two,same,Z,false,x|y,1\n"
    "c,,10,1,three,same,Z,true,x|y,1\n"
    "d,Comedy,1e2,,four,same,A=B,,x|y,1\n";

static struct pz_err err;
static struct group g;
static struct pz_dataset d;

static void
setup(void)
{
    group_make(&g);
    group_import(&g, PZ_ITEMS, schema, items);
    group_open(&g, PZ_ITEMS, &d);
}

static void
teardown(void)
{
    pz_dataset_close(&d);
    group_remove(&g);
}

/* "NAME:thing,thing NAME:..." */
static void
describe(char out[512], const struct pz_facets *f)
{
    size_t at = 0;
    struct pz_facet_view v;
    pz_facets_view(&v, f);
    out[0] = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        size_t n;
        const char *s = pz_ids_get(&v.name, i, &n);
        at += (size_t)snprintf(out + at, 512 - at, "%s%.*s:", i ? " " : "", (int)n, s);
        for (uint64_t k = f->in_offsets[i]; k < f->in_offsets[i + 1]; k++)
            at += (size_t)snprintf(out + at, 512 - at, "%u", f->in[k]);
    }
}

START_TEST(columns)
{
    struct pz_facets f;
    char text[512];
    // Titles all differ, shelves are all alike, and both of BOTH are everywhere; ids,
    // times and booleans make none.
    ck_ok(pz_facets_make(&f, &d, NULL, 4, false, &err), err);
    describe(text, &f);
    ck_assert_str_eq(text, "GENRES=Comedy:03 GENRES=Drama:01 MADE_BY=A \"B\" C:0 "
                           "MADE_BY=A=B:3 MADE_BY=Z:12 PRICE=10:02 PRICE=100:3 "
                           "PRICE=2.5:1 STOCK=1:02 STOCK=2:1");
    ck_assert_int_eq(f.category[0], 1);
    ck_assert_int_eq(f.category[2], 0);
    // The other direction holds the same pairs.
    ck_assert_uint_eq(f.of_offsets[4], f.in_offsets[f.n]);
    ck_assert_uint_eq(f.of_offsets[1], 5); // of a
    ck_assert_uint_eq(f.of[0], 0);
    ck_assert_uint_eq(f.of[1], 1);
    pz_facets_release(&f);

    ck_ok(pz_facets_make(&f, &d, NULL, 4, true, &err), err);
    describe(text, &f);
    ck_assert_str_eq(text, "GENRES=Comedy:03 GENRES=Drama:01");
    pz_facets_release(&f);

    // Things of other numbers: 0 is d, 1 has no row, 2 is a.
    const uint32_t row[] = {3, PZ_NO_ID, 0};
    ck_ok(pz_facets_make(&f, &d, row, 3, true, &err), err);
    describe(text, &f);
    ck_assert_str_eq(text, "GENRES=Comedy:02 GENRES=Drama:2");
    pz_facets_release(&f);

    ck_ok(pz_facets_make(&f, NULL, NULL, 7, false, &err), err);
    ck_assert_uint_eq(f.n, 0);
    ck_assert_uint_eq(f.of_offsets[7], 0);
    pz_facets_release(&f);
}
END_TEST

static const struct {
    const char *text;
    const char *things; // NULL: refused
    size_t unknown;
    const char *message; // a part of it
} expression[] = {
    {"ITEMS.GENRES = \"Comedy\"", "03", 0, NULL},
    {"items.genres='Drama'", "01", 0, NULL},
    {"Items.Genres = \"Comedy\" AND Items.GENRES = \"Drama\"", "0", 0, NULL},
    {"ITEMS.GENRES = \"Comedy\" and ITEMS.PRICE = 10", "0", 0, NULL},
    {"ITEMS.PRICE = 10.0", "02", 0, NULL},
    {"ITEMS.PRICE = 100", "3", 0, NULL},
    {"ITEMS.PRICE = \"2.5\"", "1", 0, NULL},
    {"ITEMS.STOCK = 1 AND ITEMS.MADE_BY = \"Z\"", "2", 0, NULL},
    {"ITEMS.MADE_BY = \"A=B\"", "3", 0, NULL},
    {"ITEMS.GENRES = \"comedy\"", "", 1, NULL}, // values have their case
    {"ITEMS.GENRES = \"Comedy\" AND ITEMS.PRICE = 11", "", 1, NULL},
    {"ITEMS.TITLE = \"one\"", NULL, 0,
     "no attribute 'TITLE' of items; it has GENRES, "
     "MADE_BY, PRICE, STOCK"},
    {"ITEMS.GENRES IN (\"Comedy\")", NULL, 0, "ITEMS.COLUMN = \"value\", joined by AND"},
    {"ITEMS.PRICE > 3", NULL, 0, "joined by AND"},
    {"ITEMS.PRICE = $P", NULL, 0, "joined by AND"},
    {"Users.AGE = 3", NULL, 0, "joined by AND"},
    {"ITEMS.PRICE = 10 OR ITEMS.PRICE = 11", NULL, 0, "there is no OR, IF or |"},
    {"ITEMS.PRICE = 10 | INCLUDE ItemID WHERE ITEMS.PRICE = 1", NULL, 0, "no OR, IF"},
    {"ITEMS.PRICE = 10 IF CurrentUser.AGE = 3", NULL, 0, "no OR, IF"},
    {"ITEMS.PRICE == 10", NULL, 0, "attributes:13:"},
    {"", NULL, 0, "attributes:1:"},
    {"ITEMS.GENRES = \"Comedy", NULL, 0, "attributes:16:"},
};

START_TEST(expressions)
{
    struct pz_facets f;
    struct pz_facet_view v;
    ck_ok(pz_facets_make(&f, &d, NULL, 4, false, &err), err);
    pz_facets_view(&v, &f);
    for (size_t i = 0; i < sizeof expression / sizeof *expression; i++) {
        uint32_t *thing;
        size_t n, unknown;
        char text[32] = "";
        const char *s = expression[i].text;
        err = (struct pz_err)PZ_ERR_INIT;
        int status = pz_facets_find(&v, s, strlen(s), &thing, &n, &unknown, &err);
        if (!expression[i].things) {
            ck_assert_msg(status == PZ_DATA, "'%s' is taken", s);
            ck_assert_msg(strstr(err.msg, expression[i].message), "'%s': %s", s, err.msg);
            continue;
        }
        ck_assert_msg(status == 0, "'%s': %s", s, err.msg);
        for (size_t k = 0; k < n; k++)
            text[k] = (char)('0' + thing[k]);
        ck_assert_str_eq(text, expression[i].things);
        ck_assert_uint_eq(unknown, expression[i].unknown);
        free(thing);
    }
    pz_facets_release(&f);
}
END_TEST

/* What was given to a builder comes back the same. */
START_TEST(stored)
{
    struct pz_facets f;
    struct pz_facet_view v;
    struct pz_builder *b;
    struct pz_tensors t;
    uint32_t *thing;
    size_t n, unknown;
    static const char s[] = "ITEMS.GENRES = \"Drama\"";
    err = (struct pz_err)PZ_ERR_INIT;
    ck_ok(pz_facets_make(&f, &d, NULL, 4, false, &err), err);
    ck_ok(pz_builder_new(&b, &err), err);
    pz_facets_give(&f, b, "content");
    ck_ok(pz_builder_view(b, &t, &err), err);
    ck_assert_int_eq(pz_facets_open(&v, &t, "content", 5, &err), PZ_FORMAT);
    err = (struct pz_err)PZ_ERR_INIT;
    ck_ok(pz_facets_open(&v, &t, "content", 4, &err), err);
    ck_ok(pz_facets_find(&v, s, strlen(s), &thing, &n, &unknown, &err), err);
    ck_assert_uint_eq(n, 2);
    free(thing);
    // A damaged list of things is noticed by whoever reads it.
    ((uint32_t *)(uintptr_t)v.in)[v.in_offsets[1]] = 4;
    ck_assert_int_eq(pz_facets_find(&v, s, strlen(s), &thing, &n, &unknown, &err),
                     PZ_FORMAT);
    pz_tensors_close(&t);
    pz_builder_free(b);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("facets");
    TCase *t = tcase_create("facets");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, columns);
    tcase_add_test(t, expressions);
    tcase_add_test(t, stored);
    suite_add_tcase(s, t);
    return s;
}
