/*
 * Insights of small datasets whose figures were worked out by hand, read back from the
 * JSON form of the report.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "data/import.h"
#include "data/insights.h"
#include "data/schema.h"
#include "unit.h"

static char group[64];

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void
setup(void)
{
    snprintf(group, sizeof group, "/tmp/pz-insights-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(group));
}

static void
teardown(void)
{
    nftw(group, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void
write_file(char *path, size_t size, const char *name, const char *text)
{
    snprintf(path, size, "%s/%s", group, name);
    FILE *out = fopen(path, "wb");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    ck_assert_int_eq(fclose(out), 0);
}

/* Imports csv under a schema of these fields and opens the dataset. */
static void
import(struct pz_dataset *d, enum pz_set set, const char *fields, const char *csv)
{
    static const char *const record[] = {"Interactions", "Items", "Users"};
    char schema[128], data[128], *text = NULL, *path;
    struct pz_err err = PZ_ERR_INIT;
    struct pz_import_result result;
    ck_assert(asprintf(&text,
                       "{\"type\":\"record\",\"name\":\"%s\",\"namespace\":"
                       "\"com.amazonaws.personalize.schema\",\"fields\":[%s],"
                       "\"version\":\"1.0\"}",
                       record[set], fields) > 0);
    write_file(schema, sizeof schema, "schema.json", text);
    free(text);
    write_file(data, sizeof data, "data.csv", csv);
    const char *const paths[] = {data};
    struct pz_import p = {.group = group,
                          .set = set,
                          .schema_path = schema,
                          .path = paths,
                          .n_paths = 1,
                          .threads = 1};
    ck_ok(pz_import_run(&p, &result, &err), err);
    pz_import_result_release(&result);
    ck_ok(pz_dataset_path(&path, group, set, &err), err);
    ck_ok(pz_dataset_open(d, path, &err), err);
    free(path);
}

static pz_json *
report(const struct pz_dataset *interactions, const struct pz_dataset *items,
       const struct pz_dataset *users)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_buf text = PZ_BUF_INIT, json = PZ_BUF_INIT;
    pz_json *j;
    ck_ok(pz_insights(interactions, items, users, &text, &json, &err), err);
    ck_assert(text.len && text.data[text.len - 1] == '\n');
    ck_ok(pz_json_parse(&j, json.data, json.len, &err), err);
    pz_buf_release(&text);
    pz_buf_release(&json);
    return j;
}

static double
number(const pz_json *object, const char *key)
{
    double v = -1;
    ck_assert_msg(pz_json_number(pz_json_get(object, key), &v), "%s", key);
    return v;
}

/* The member of a list whose `key` is this string. */
static const pz_json *
find(const pz_json *list, const char *key, const char *value)
{
    for (const pz_json *c = pz_json_first(list); c; c = pz_json_next(c)) {
        const char *s = pz_json_get_string(c, key);
        if (s && strcmp(s, value) == 0)
            return c;
    }
    return NULL;
}

static void
check_finding(const pz_json *j, const char *check, const char *level, const char *part)
{
    for (const pz_json *c = pz_json_first(pz_json_get(j, "findings")); c;
         c = pz_json_next(c))
        if (strcmp(pz_json_get_string(c, "check"), check) == 0 &&
            strstr(pz_json_get_string(c, "message"), part)) {
            ck_assert_str_eq(pz_json_get_string(c, "level"), level);
            return;
        }
    ck_abort_msg("no finding '%s' with '%s'", check, part);
}

#define F(name, type) "{\"name\":\"" name "\",\"type\":\"" type "\"}"
#define N(name, type) "{\"name\":\"" name "\",\"type\":[\"null\",\"" type "\"]}"
#define C(name)                                                                          \
    "{\"name\":\"" name "\",\"type\":[\"null\",\"string\"],\"categorical\":true}"
#define UIT F("USER_ID", "string") "," F("ITEM_ID", "string") "," F("TIMESTAMP", "long")

static const char events[] = "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE,DEVICE\n"
                             "u1,i1,100,buy,1,a|b\n"
                             "u1,i2,100,view,2,b\n"
                             "u1,i1,200,view,,\n"
                             "u2,i1,50,buy,3,\n"
                             "u2,i3,50,buy,10,\n"
                             "u3,i2,300,view,,c\n";

static void
check_spread(const pz_json *s, const char *const *key, const double *want, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_double_eq_tol(number(s, key[i]), want[i], 1e-9);
}

START_TEST(test_figures)
{
    static const char *const key[] = {"count", "min", "p25",  "p50",  "p75",     "p90",
                                      "p99",   "max", "mean", "skew", "outliers"};
    /* Values 1 2 3 10 about the mean 4: squares 50, cubes 180; the fences are -5 and 9.
     */
    static const double value[] = {4, 1, 1, 2, 3, 10, 10, 10, 4, 360 / 353.55339059327378,
                                   1};
    static const double rows[] = {3, 1, 1, 2, 3, 3, 3, 3, 2, 0, 0};
    struct pz_dataset d, items, users;
    import(&d, PZ_INTERACTIONS,
           UIT
           "," F("EVENT_TYPE", "string") "," N("EVENT_VALUE", "float") "," C("DEVICE"),
           events);
    import(&items, PZ_ITEMS,
           F("ITEM_ID", "string") "," C("CATEGORY") "," F("NOTE", "string"),
           "ITEM_ID,CATEGORY,NOTE\ni1,x|y,n\ni2,y,n\ni9,z|x|y,m\n");
    import(&users, PZ_USERS, F("USER_ID", "string") "," F("AGE", "int"),
           "USER_ID,AGE\nu1,20\nu2,30\nu3,40\nu4,50\n");
    pz_json *j = report(&d, &items, &users);
    const pz_json *in = pz_json_get(j, "interactions");
    ck_assert_double_eq(number(in, "rows"), 6);
    ck_assert_double_eq(number(in, "users"), 3);
    ck_assert_double_eq(number(in, "items"), 3);
    ck_assert_str_eq(pz_json_get_string(in, "first"), "1970-01-01T00:00:50Z");
    ck_assert_str_eq(pz_json_get_string(in, "last"), "1970-01-01T00:05:00Z");
    check_spread(pz_json_get(in, "rowsPerUser"), key, rows, 11);
    check_spread(pz_json_get(in, "rowsPerItem"), key, rows, 11);
    ck_assert_double_eq(number(in, "sameSecond"), 2);
    const pz_json *types = pz_json_get(in, "eventTypes");
    ck_assert_double_eq(number(find(types, "eventType", "buy"), "count"), 3);
    ck_assert_double_eq(number(find(types, "eventType", "view"), "count"), 3);
    /* Top items by count, ties by name. */
    static const char *const top[] = {"i1", "i2", "i3"};
    const pz_json *t = pz_json_first(pz_json_get(in, "topItems"));
    for (int i = 0; i < 3; i++, t = pz_json_next(t)) {
        ck_assert_str_eq(pz_json_get_string(t, "itemId"), top[i]);
        ck_assert_double_eq(number(t, "count"), 3 - i);
    }
    ck_assert_ptr_null(t);
    const pz_json *columns = pz_json_get(in, "columns");
    const pz_json *c = find(columns, "name", "EVENT_VALUE");
    ck_assert_double_eq(number(c, "filled"), 4);
    check_spread(pz_json_get(c, "values"), key, value, 11);
    c = find(columns, "name", "DEVICE");
    ck_assert_double_eq(number(c, "filled"), 3);
    ck_assert_double_eq(number(c, "filledPercent"), 50);
    ck_assert_double_eq(number(c, "distinct"), 3); // a, b, c
    const pz_json *it = pz_json_get(j, "items");
    ck_assert_double_eq(number(it, "rows"), 3);
    ck_assert_double_eq(number(it, "withoutInteractions"), 1); // i9
    ck_assert_double_eq(number(it, "withoutMetadata"), 1);     // i3
    c = find(pz_json_get(it, "columns"), "name", "CATEGORY");
    ck_assert_double_eq(number(c, "distinct"), 3);
    ck_assert_double_eq(number(c, "longest"), 5);
    const pz_json *us = pz_json_get(j, "users");
    ck_assert_double_eq(number(us, "withoutInteractions"), 1); // u4
    ck_assert_double_eq(number(us, "withoutMetadata"), 0);
    const pz_json *m = pz_json_get(j, "minimums");
    ck_assert_double_eq(number(find(m, "name", "interactions"), "missing"), 994);
    ck_assert_double_eq(number(find(m, "name", "activeUsers"), "have"), 2);
    ck_assert_double_eq_tol(number(find(m, "name", "activeUserPercent"), "have"),
                            200. / 3, 1e-9);
    check_finding(j, "interactions", "error", "6 of at least 1000");
    check_finding(j, "activeUsers", "error", "2 of at least 25");
    check_finding(j, "completeness", "warning", "'EVENT_VALUE' is filled in 66.7 %");
    check_finding(j, "completeness", "warning", "'DEVICE' is filled in 50.0 %");
    check_finding(j, "withoutInteractions", "advice",
                  "items without interactions: 1 (33.3 %)");
    check_finding(j, "withoutInteractions", "advice",
                  "users without interactions: 1 (25.0 %)");
    check_finding(j, "withoutMetadata", "advice", "1 (33.3 %)");
    check_finding(j, "sameSecond", "advice", "33.3 %");
    check_finding(j, "oldTimes", "advice", "1980");
    check_finding(j, "plainStrings", "advice",
                  "items: plain strings, which no model learns from: "
                  "NOTE");
    pz_json_free(j);
    pz_dataset_close(&d);
    pz_dataset_close(&items);
    pz_dataset_close(&users);
}
END_TEST

START_TEST(test_large)
{
    /* 2,000 rows at one time, 11 event types, 1,001 categories, one wild price. */
    struct pz_buf b = PZ_BUF_INIT;
    struct pz_dataset d, items;
    pz_buf_addz(&b, "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\n");
    for (int i = 0; i < 2000; i++)
        pz_buf_addf(&b, "u%d,i%d,1600000000,t%d\n", i / 4, i, i % 11);
    import(&d, PZ_INTERACTIONS, UIT "," F("EVENT_TYPE", "string"), b.data);
    pz_buf_clear(&b);
    pz_buf_addz(&b, "ITEM_ID,CATEGORY,PRICE,TEXT\n");
    for (int i = 0; i < 2000; i++)
        pz_buf_addf(&b, "i%d,c%d,%d,%s\n", i, i % 1001, i == 7 ? 1000000 : i % 10,
                    i % 5 ? "words" : "");
    import(&items, PZ_ITEMS,
           F("ITEM_ID", "string") "," C("CATEGORY") "," F(
               "PRICE", "double") ",{\"name\":\"TEXT\",\"type\":[\"null\",\"string\"],"
                                  "\"textual\":true}",
           b.data);
    pz_buf_release(&b);
    pz_json *j = report(&d, &items, NULL);
    check_finding(j, "equalTimes", "warning", "one time");
    check_finding(j, "eventTypes", "warning", "11 event types and 0 metadata columns");
    check_finding(j, "eventTypeRows", "advice", "event type 't0' has 182 rows");
    check_finding(j, "categories", "warning", "'CATEGORY' has 1001 different categories");
    check_finding(j, "skew", "advice", "'PRICE'");
    check_finding(j, "completeness", "warning", "text 'TEXT' is filled in 80.0 %");
    check_finding(j, "interactions", "advice", "2000 of 50000");
    const pz_json *price =
        find(pz_json_get(pz_json_get(j, "items"), "columns"), "name", "PRICE");
    ck_assert_double_eq(number(pz_json_get(price, "values"), "outliers"), 1);
    pz_json_free(j);
    pz_dataset_close(&d);
    pz_dataset_close(&items);
}
END_TEST

START_TEST(test_nothing)
{
    struct pz_dataset users;
    pz_json *j = report(NULL, NULL, NULL);
    ck_assert_uint_eq(pz_json_count(pz_json_get(j, "findings")), 0);
    pz_json_free(j);
    import(&users, PZ_USERS, F("USER_ID", "string") "," F("AGE", "int"),
           "USER_ID,AGE\nu1,20\n");
    j = report(NULL, NULL, &users);
    ck_assert_ptr_null(pz_json_get(j, "interactions"));
    ck_assert_ptr_null(pz_json_get(pz_json_get(j, "users"), "withoutInteractions"));
    pz_json_free(j);
    struct pz_err err = PZ_ERR_INIT;
    ck_ok(pz_insights(NULL, NULL, &users, NULL, NULL, &err), err);
    pz_dataset_close(&users);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("insights");
    TCase *t = tcase_create("insights");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_figures);
    tcase_add_test(t, test_large);
    tcase_add_test(t, test_nothing);
    suite_add_tcase(s, t);
    return s;
}
