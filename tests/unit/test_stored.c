/* data/stored and data/forget: what moves, what stays, and that damage is not carried on.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "data/export.h"
#include "data/forget.h"
#include "data/stored.h"
#include "group.h"

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

static void
put_event(const struct pz_event *e)
{
    struct pz_estore *s;
    bool stored;
    ck_ok(pz_estore_open(&s, group.dir, PZ_CATALOG_WRITE, &err), err);
    ck_ok(pz_estore_begin(s, &err), err);
    ck_ok(pz_estore_add(s, e, &stored, NULL, &err), err);
    ck_ok(pz_estore_commit(s, &err), err);
    pz_estore_close(s);
}

static void
put_record(enum pz_record_kind kind, const char *id, const char *properties, int64_t time)
{
    struct pz_estore *s;
    ck_ok(pz_estore_open(&s, group.dir, PZ_CATALOG_WRITE, &err), err);
    ck_ok(pz_estore_begin(s, &err), err);
    ck_ok(pz_estore_put(s, kind, id, properties, time, &err), err);
    ck_ok(pz_estore_commit(s, &err), err);
    pz_estore_close(s);
}

static struct pz_estore_counts
stored(void)
{
    struct pz_estore *s;
    struct pz_estore_counts n;
    ck_ok(pz_estore_open(&s, group.dir, PZ_CATALOG_READ, &err), err);
    ck_ok(pz_estore_count(s, &n, &err), err);
    pz_estore_close(s);
    return n;
}

static int
append(void *ctx, const void *bytes, size_t n, struct pz_err *e)
{
    pz_buf_add(ctx, bytes, n);
    return pz_buf_status(ctx, "text", e);
}

/* The dataset as CSV, alone or with the store, is `want`. */
static void
expect(enum pz_set set, bool all, const char *want)
{
    struct pz_dataset d;
    struct pz_stored_report r;
    struct pz_buf text = PZ_BUF_INIT;
    char *path;
    ck_ok(pz_dataset_path(&path, group.dir, set, &err), err);
    if (all)
        ck_ok(pz_stored_open(&d, group.dir, set, 2, &r, &err), err);
    else
        ck_ok(pz_dataset_open(&d, path, &err), err);
    ck_ok(pz_tensors_verify(&d.file, &err), err);
    ck_ok(pz_dataset_check(&d, &err), err);
    ck_ok(pz_export(&d, PZ_CSV, append, &text, &err), err);
    ck_assert_str_eq(text.data, want);
    pz_buf_release(&text);
    pz_dataset_close(&d);
    free(path);
}

static const char typed[] =
    "{\"type\":\"record\",\"name\":\"Interactions\","
    "\"namespace\":\"com.amazonaws.personalize.schema\",\"fields\":["
    "{\"name\":\"USER_ID\",\"type\":\"string\"},"
    "{\"name\":\"ITEM_ID\",\"type\":\"string\"},"
    "{\"name\":\"TIMESTAMP\",\"type\":\"long\"},"
    "{\"name\":\"EVENT_TYPE\",\"type\":\"string\"},"
    "{\"name\":\"STARS\",\"type\":[\"null\",\"int\"]}],\"version\":\"1.0\"}";

/* Unfit and anonymous events stay, young ones too; columns come from the properties. */
START_TEST(moves_what_fits)
{
    struct pz_stored_report r;
    group_import(&group, PZ_INTERACTIONS, typed,
                 "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,STARS\nu,b,7,view,\n");
    put_event(&(struct pz_event){.user = "u", .item = "a", .type = "view", .time = 9});
    put_event(&(struct pz_event){.user = "u", .item = "b", .type = "view", .time = 7});
    put_event(&(struct pz_event){.user = "t",
                                 .item = "c",
                                 .type = "buy",
                                 .time = 8,
                                 .properties = "{\"STARS\":-4,\"OTHER\":1}"});
    put_event(&(struct pz_event){.user = "t", .item = "no type", .time = 8});
    put_event(&(struct pz_event){.user = "t",
                                 .item = "x",
                                 .type = "buy",
                                 .time = 8,
                                 .properties = "{\"STARS\":\"many\"}"});
    put_event(&(struct pz_event){.session = "s", .item = "a", .type = "view", .time = 9});
    put_event(&(struct pz_event){.user = "u", .item = "a", .type = "view", .time = 100});
    static const char old[] = "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,STARS\n"
                              "u,b,7,view,\n";
    static const char some[] = "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,STARS\n"
                               "t,c,8,buy,-4\nu,b,7,view,\nu,a,9,view,\n";
    static const char all[] = "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,STARS\n"
                              "t,c,8,buy,-4\nu,b,7,view,\nu,a,9,view,\nu,a,100,view,\n";
    expect(PZ_INTERACTIONS, true, all);
    expect(PZ_INTERACTIONS, false, old);
    ck_assert_uint_eq(stored().events, 7);
    ck_ok(pz_stored_compact(group.dir, PZ_INTERACTIONS, 100, 2, &r, &err), err);
    ck_assert_uint_eq(r.put, 3);
    ck_assert_uint_eq(r.duplicates, 1);
    ck_assert_uint_eq(r.anonymous, 1);
    ck_assert_uint_eq(r.unfit, 2);
    ck_assert_uint_eq(r.rows, 3);
    ck_assert_ptr_nonnull(strstr(r.reason, "EVENT_TYPE"));
    expect(PZ_INTERACTIONS, false, some);
    expect(PZ_INTERACTIONS, true, all);
    ck_assert_uint_eq(stored().events, 4);
    // Nothing that is old enough is left: the file is not touched.
    ck_ok(pz_stored_compact(group.dir, PZ_INTERACTIONS, 100, 2, &r, &err), err);
    ck_assert_uint_eq(r.put, 0);
    ck_ok(pz_stored_compact(group.dir, PZ_INTERACTIONS, INT64_MAX, 2, &r, &err), err);
    ck_assert_uint_eq(r.put, 1);
    expect(PZ_INTERACTIONS, false, all);
}
END_TEST

/* A record that is put again while the old one moves is not lost. */
START_TEST(newer_records_stay)
{
    struct pz_estore *s;
    int64_t last;
    struct pz_stored_report r;
    group_import(&group, PZ_USERS, NULL, "USER_ID,AGE\na,1\nb,2\n");
    put_record(PZ_RECORD_USER, "b", "{\"AGE\":3}", 10);
    put_record(PZ_RECORD_USER, "c", "{}", 11);
    expect(PZ_USERS, true, "USER_ID,AGE\na,1\nb,3\nc,\n");
    ck_ok(pz_estore_open(&s, group.dir, PZ_CATALOG_WRITE, &err), err);
    ck_ok(pz_estore_last(s, &last, &err), err);
    put_record(PZ_RECORD_USER, "b", "{\"AGE\":4}", 12);
    ck_ok(pz_estore_drop_records(s, PZ_RECORD_USER, "b\0c", 2, last, &err), err);
    pz_estore_close(s);
    ck_assert_uint_eq(stored().users, 1);
    expect(PZ_USERS, true, "USER_ID,AGE\na,1\nb,4\n");
    ck_ok(pz_stored_compact(group.dir, PZ_USERS, 12, 2, &r, &err), err); // too young
    ck_assert_uint_eq(r.put, 0);
    ck_ok(pz_stored_compact(group.dir, PZ_USERS, 13, 2, &r, &err), err);
    ck_assert_uint_eq(r.put, 1);
    ck_assert_uint_eq(stored().users, 0);
    expect(PZ_USERS, false, "USER_ID,AGE\na,1\nb,4\n");
    // A set without a dataset waits for it.
    put_record(PZ_RECORD_ITEM, "i", "{}", 1);
    ck_ok(pz_stored_compact(group.dir, PZ_ITEMS, INT64_MAX, 2, &r, &err), err);
    ck_assert_uint_eq(r.put, 0);
    ck_assert_uint_eq(stored().items, 1);
}
END_TEST

/* More rows than one transaction removes; ids stay sorted. */
START_TEST(many)
{
    enum { N = 60000 };
    struct pz_estore *s;
    struct pz_stored_report r;
    struct pz_dataset d;
    char user[16], item[16];
    bool is_new;
    ck_ok(pz_estore_open(&s, group.dir, PZ_CATALOG_WRITE, &err), err);
    ck_ok(pz_estore_begin(s, &err), err);
    for (int i = 0; i < N; i++) {
        snprintf(user, sizeof user, "u%d", i * 7919 % 1000);
        snprintf(item, sizeof item, "i%d", i % 977);
        ck_ok(pz_estore_add(s, &(struct pz_event){.user = user, .item = item, .time = i},
                            &is_new, NULL, &err),
              err);
    }
    ck_ok(pz_estore_commit(s, &err), err);
    pz_estore_close(s);
    ck_ok(pz_stored_compact(group.dir, PZ_INTERACTIONS, INT64_MAX, 2, &r, &err), err);
    ck_assert_uint_eq(r.put, N);
    ck_assert_uint_eq(stored().events, 0);
    ck_ok(pz_stored_open(&d, group.dir, PZ_INTERACTIONS, 2, &r, &err), err);
    ck_assert_uint_eq(d.n_rows, N);
    ck_assert_uint_eq(d.user.n, 1000);
    ck_assert_uint_eq(d.item.n, 977);
    for (uint32_t u = 0; u + 1 < d.user.n; u++) {
        size_t n, m;
        const char *a = pz_ids_get(&d.user, u, &n), *b = pz_ids_get(&d.user, u + 1, &m);
        int c = memcmp(a, b, n < m ? n : m);
        ck_assert(c < 0 || (c == 0 && n < m));
    }
    pz_dataset_close(&d);
}
END_TEST

START_TEST(damage_is_not_carried_on)
{
    struct pz_stored_report r;
    struct pz_forget_report f;
    struct pz_dataset d;
    char *path;
    char byte;
    group_import(&group, PZ_INTERACTIONS, typed,
                 "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,STARS\nu,b,7,view,\n");
    put_event(&(struct pz_event){.user = "u", .item = "a", .type = "view", .time = 9});
    ck_ok(pz_dataset_path(&path, group.dir, PZ_INTERACTIONS, &err), err);
    int fd = open(path, O_RDWR);
    ck_assert_int_ge(fd, 0);
    ck_ok(pz_dataset_open(&d, path, &err), err);
    const struct pz_tensor *t = pz_tensors_find(&d.file, "col.TIMESTAMP");
    off_t at = (const uint8_t *)t->data - d.file.map.data;
    pz_dataset_close(&d);
    ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
    byte ^= 1;
    ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
    close(fd);
    ck_assert_int_eq(
        pz_stored_compact(group.dir, PZ_INTERACTIONS, INT64_MAX, 2, &r, &err), PZ_FORMAT);
    ck_assert_ptr_nonnull(strstr(err.msg, "col.TIMESTAMP"));
    ck_assert_uint_eq(stored().events, 1);
    err = (struct pz_err)PZ_ERR_INIT;
    ck_assert_int_eq(pz_stored_open(&d, group.dir, PZ_INTERACTIONS, 2, &r, &err),
                     PZ_FORMAT);
    err = (struct pz_err)PZ_ERR_INIT;
    ck_assert_int_eq(pz_forget(group.dir, &(const char *){"u"}, 1, 2, &f, &err),
                     PZ_FORMAT);
    err = (struct pz_err)PZ_ERR_INIT;
    free(path);
}
END_TEST

START_TEST(nothing_there)
{
    struct pz_stored_report r;
    struct pz_dataset d;
    ck_assert_int_eq(pz_stored_open(&d, group.dir, PZ_INTERACTIONS, 2, &r, &err),
                     PZ_NEGATIVE);
    ck_ok(pz_stored_compact(group.dir, PZ_INTERACTIONS, INT64_MAX, 2, &r, &err), err);
    // Events of nobody are no dataset.
    put_event(&(struct pz_event){.session = "s", .item = "a", .time = 9});
    ck_assert_int_eq(pz_stored_open(&d, group.dir, PZ_INTERACTIONS, 2, &r, &err),
                     PZ_NEGATIVE);
    ck_assert_uint_eq(r.anonymous, 1);
    ck_ok(pz_stored_compact(group.dir, PZ_INTERACTIONS, INT64_MAX, 2, &r, &err), err);
    ck_assert_int_eq(pz_stored_open(&d, group.dir, PZ_INTERACTIONS, 2, &r, &err),
                     PZ_NEGATIVE);
    put_event(&(struct pz_event){.session = "s", .user = "u", .item = "a", .time = 10});
    ck_ok(pz_stored_open(&d, group.dir, PZ_INTERACTIONS, 2, &r, &err), err);
    ck_assert_uint_eq(d.n_rows, 2);
    pz_dataset_close(&d);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("stored");
    TCase *c = tcase_create("stored");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, moves_what_fits);
    tcase_add_test(c, newer_records_stay);
    tcase_add_test(c, many);
    tcase_add_test(c, damage_is_not_carried_on);
    tcase_add_test(c, nothing_there);
    suite_add_tcase(s, c);
    return s;
}
