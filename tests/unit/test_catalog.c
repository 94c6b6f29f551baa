/* store/catalog: what is added is listed, from every state a group can be found in. */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/catalog.h"
#include "store/catalog_campaign.h"
#include "store/catalog_resource.h"
#include "unit.h"

static char dir[] = "/tmp/pz-test-catalog-XXXXXX";
static struct pz_err err;

static void
setup(void)
{
    strcpy(dir + strlen(dir) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(chmod(dir, 0755), 0);
    err = (struct pz_err)PZ_ERR_INIT;
}

static void
teardown(void)
{
    char cmd[128];
    snprintf(cmd, sizeof cmd, "chmod -R u+rwx %s; rm -rf %s", dir, dir);
    ck_assert_int_eq(system(cmd), 0);
}

static const char *
at(const char *name)
{
    static char text[256];
    snprintf(text, sizeof text, "%s/%s", dir, name);
    return text;
}

static bool
exists(const char *name)
{
    struct stat st;
    return stat(at(name), &st) == 0;
}

static struct pz_catalog *
open_or_fail(enum pz_catalog_mode mode)
{
    struct pz_catalog *c;
    ck_ok(pz_catalog_open(&c, dir, mode, &err), err);
    return c;
}

static void
sql(const char *text)
{
    sqlite3 *db;
    char *msg = NULL;
    ck_assert_int_eq(sqlite3_open(at("group.db"), &db), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, text, NULL, NULL, &msg) == SQLITE_OK, "%s", msg);
    sqlite3_close(db);
}

static const struct pz_catalog_import an_import = {.set = "interactions",
                                                   .mode = "full",
                                                   .schema = "{\"it's\":1}",
                                                   .sources = "[\"a.csv\"]",
                                                   .started = 1700000000,
                                                   .ended = 1700000005,
                                                   .rows_read = 1ull << 40,
                                                   .rows_kept = 9,
                                                   .duplicates = 2,
                                                   .rejected = 3,
                                                   .users = 4,
                                                   .items = 5};

static const struct pz_catalog_version a_version = {
    .solution = "shop",
    .version = "20261122T050000Z",
    .recipe = "aws-sims",
    .path = "models/shop/20261122T050000Z.safetensors",
    .params = "{}",
    .metrics = "{\"coverage\":0.5}",
    .started = 1700000100,
    .ended = 1700000200};

struct seen {
    int n, stop_at;
    int64_t last;
};

static int
see_import(void *ctx, const struct pz_catalog_import *row)
{
    struct seen *s = ctx;
    ck_assert_str_eq(row->set, an_import.set);
    ck_assert_str_eq(row->mode, an_import.mode);
    ck_assert_str_eq(row->schema, an_import.schema);
    ck_assert_str_eq(row->sources, an_import.sources);
    ck_assert_uint_eq(row->rows_read, an_import.rows_read);
    ck_assert_uint_eq(row->rows_kept, 9);
    ck_assert_uint_eq(row->duplicates, 2);
    ck_assert_uint_eq(row->rejected, 3);
    ck_assert_uint_eq(row->users, 4);
    ck_assert_uint_eq(row->items, 5);
    ck_assert_int_ge(row->started, s->last);
    s->last = row->started;
    return ++s->n == s->stop_at ? 77 : 0;
}

static int
see_version(void *ctx, const struct pz_catalog_version *row)
{
    struct seen *s = ctx;
    ck_assert_str_eq(row->solution, a_version.solution);
    ck_assert_str_eq(row->recipe, a_version.recipe);
    ck_assert_str_eq(row->path, a_version.path);
    ck_assert_str_eq(row->params, a_version.params);
    ck_assert_str_eq(row->metrics, a_version.metrics);
    ck_assert_int_eq(row->ended, a_version.ended);
    s->n++;
    return 0;
}

static int
count_imports(struct pz_catalog *c)
{
    struct seen s = {.last = INT64_MIN};
    ck_ok(pz_catalog_imports(c, see_import, &s, &err), err);
    return s.n;
}

START_TEST(rows)
{
    struct pz_catalog *c = open_or_fail(PZ_CATALOG_WRITE);
    struct pz_catalog_import later = an_import;
    later.started += 10;
    ck_ok(pz_catalog_add_import(c, &later, &err), err);
    ck_ok(pz_catalog_add_import(c, &an_import, &err), err);
    ck_ok(pz_catalog_add_version(c, &a_version, &err), err);
    ck_assert_int_eq(pz_catalog_add_version(c, &a_version, &err), PZ_USAGE);
    ck_assert_int_eq(count_imports(c), 2);
    struct seen s = {.stop_at = 1, .last = INT64_MIN};
    ck_assert_int_eq(pz_catalog_imports(c, see_import, &s, &err), 77);
    ck_assert_int_eq(s.n, 1);
    s.n = 0;
    ck_ok(pz_catalog_versions(c, NULL, see_version, &s, &err), err);
    ck_ok(pz_catalog_versions(c, "shop", see_version, &s, &err), err);
    ck_ok(pz_catalog_versions(c, "other", see_version, &s, &err), err);
    ck_assert_int_eq(s.n, 2);
    ck_ok(pz_catalog_verify(c, &err), err);
    pz_catalog_close(c);
    ck_assert(!exists("group.db-wal"));

    c = open_or_fail(PZ_CATALOG_READ);
    ck_assert_int_eq(count_imports(c), 2);
    ck_ok(pz_catalog_verify(c, &err), err);
    ck_assert_int_ne(pz_catalog_add_import(c, &an_import, &err), PZ_OK);
    pz_catalog_close(c);
    ck_assert(!exists("group.db-wal"));
    pz_catalog_close(NULL);
}
END_TEST

START_TEST(no_catalogue)
{
    struct pz_catalog *c = open_or_fail(PZ_CATALOG_READ);
    ck_assert_int_eq(count_imports(c), 0);
    ck_ok(pz_catalog_versions(c, NULL, see_version, NULL, &err), err);
    ck_ok(pz_catalog_verify(c, &err), err);
    ck_assert_int_eq(pz_catalog_add_version(c, &a_version, &err), PZ_SYSTEM);
    pz_catalog_close(c);
    ck_assert(!exists("group.db"));

    close(open(at("group.db"), O_CREAT | O_WRONLY,
               0666)); // as a killed first writer leaves it
    c = open_or_fail(PZ_CATALOG_READ);
    ck_assert_int_eq(count_imports(c), 0);
    pz_catalog_close(c);
    c = open_or_fail(PZ_CATALOG_WRITE);
    ck_ok(pz_catalog_add_import(c, &an_import, &err), err);
    pz_catalog_close(c);

    ck_assert_int_eq(pz_catalog_open(&c, at("absent"), PZ_CATALOG_READ, &err), PZ_USAGE);
    ck_assert_ptr_nonnull(strstr(err.msg, "there is no group"));
    ck_assert_int_eq(pz_catalog_open(&c, at("group.db"), PZ_CATALOG_WRITE, &err),
                     PZ_USAGE);
    ck_assert_ptr_nonnull(strstr(err.msg, "not a directory"));
}
END_TEST

/* Reads `want` imports as a user who may write nothing. */
static void
read_only(int want)
{
    ck_assert_int_eq(chmod(dir, 0555), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct pz_catalog *c;
        struct seen s = {.last = INT64_MIN};
        if (geteuid() == 0 && setresuid(65534, 65534, 65534))
            _exit(1);
        if (pz_catalog_open(&c, dir, PZ_CATALOG_READ, &err) ||
            pz_catalog_imports(c, see_import, &s, &err) || pz_catalog_verify(c, &err)) {
            fprintf(stderr, "%s\n", err.msg);
            _exit(2);
        }
        pz_catalog_close(c);
        _exit(s.n == want ? 0 : 3);
    }
    int ws;
    waitpid(pid, &ws, 0);
    ck_assert_int_eq(ws, 0);
    ck_assert_int_eq(chmod(dir, 0755), 0);
}

START_TEST(read_only_media)
{
    read_only(0);
    struct pz_catalog *c = open_or_fail(PZ_CATALOG_WRITE);
    ck_ok(pz_catalog_add_import(c, &an_import, &err), err);
    pz_catalog_close(c);
    read_only(1);

    /* a copy that was made while a writer was at work: rows that are in the -wal file
     * only */
    c = open_or_fail(PZ_CATALOG_WRITE);
    ck_ok(pz_catalog_add_import(c, &an_import, &err), err);
    char cmd[256];
    snprintf(cmd, sizeof cmd, "cp %s/group.db-wal %s/copy; cp %s/group.db %s/copy.db",
             dir, dir, dir, dir);
    ck_assert_int_eq(system(cmd), 0);
    pz_catalog_close(c);
    snprintf(cmd, sizeof cmd, "cd %s && mv copy.db group.db && mv copy group.db-wal",
             dir);
    ck_assert_int_eq(system(cmd), 0);
    read_only(2);
}
END_TEST

/* Every number of descriptors that is too small is told as such. */
START_TEST(few_descriptors)
{
    struct pz_catalog *c;
    struct rlimit all, few;
    ck_ok(pz_catalog_open(&c, dir, PZ_CATALOG_WRITE, &err), err);
    ck_ok(pz_catalog_add_import(c, &an_import, &err), err);
    pz_catalog_close(c);
    int next = dup(0);
    close(next);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &all), 0);
    int refused = 0, status = PZ_SYSTEM;
    for (int n = 0; n < 8 && status; n++) {
        few = (struct rlimit){(rlim_t)(next + n), all.rlim_max};
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
        err = (struct pz_err)PZ_ERR_INIT;
        status = pz_catalog_open(&c, dir, PZ_CATALOG_READ, &err);
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &all), 0);
        if (status) {
            ck_assert_msg(strstr(err.msg, "Too many open files"), "%s", err.msg);
            refused++;
        }
    }
    ck_ok(status, err);
    ck_assert_int_ge(refused, 1);
    pz_catalog_close(c);
}
END_TEST

START_TEST(names_of_groups)
{
    static const char *const names[] = {"a b", "50%25", "what?", "#1", "\xc3\xa9'\""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct pz_catalog *c;
        char group[256];
        snprintf(group, sizeof group, "//%s/%s", dir + 1, names[i]);
        ck_assert_int_eq(mkdir(group, 0755), 0);
        ck_ok(pz_catalog_open(&c, group, PZ_CATALOG_WRITE, &err), err);
        ck_ok(pz_catalog_add_import(c, &an_import, &err), err);
        pz_catalog_close(c);
        ck_assert_int_eq(chmod(group, 0555), 0);
        pid_t pid = fork();
        if (pid == 0) {
            if (geteuid() == 0 && setresuid(65534, 65534, 65534))
                _exit(1);
            if (pz_catalog_open(&c, group, PZ_CATALOG_READ, &err))
                _exit(2);
            int n = count_imports(c);
            pz_catalog_close(c);
            _exit(n == 1 ? 0 : 3);
        }
        int ws;
        waitpid(pid, &ws, 0);
        ck_assert_msg(ws == 0, "'%s': %d", names[i], ws);
    }
}
END_TEST

/* Four processes make the same catalogue at once and add 25 rows each. */
START_TEST(concurrent)
{
    pid_t pid[4];
    for (int i = 0; i < 4; i++) {
        pid[i] = fork();
        if (pid[i])
            continue;
        for (int k = 0; k < 25; k++) {
            struct pz_catalog *c;
            if (pz_catalog_open(&c, dir, PZ_CATALOG_WRITE, &err) ||
                pz_catalog_add_import(c, &an_import, &err)) {
                fprintf(stderr, "%s\n", err.msg);
                _exit(1);
            }
            pz_catalog_close(c);
        }
        _exit(0);
    }
    for (int i = 0; i < 4; i++) {
        int ws;
        waitpid(pid[i], &ws, 0);
        ck_assert_int_eq(ws, 0);
    }
    struct pz_catalog *c = open_or_fail(PZ_CATALOG_READ);
    ck_assert_int_eq(count_imports(c), 100);
    ck_ok(pz_catalog_verify(c, &err), err);
    pz_catalog_close(c);
}
END_TEST

static void
refused(int status, const char *want)
{
    for (int mode = PZ_CATALOG_READ; mode <= PZ_CATALOG_WRITE; mode++) {
        struct pz_catalog *c = NULL;
        ck_assert_int_eq(pz_catalog_open(&c, dir, (enum pz_catalog_mode)mode, &err),
                         status);
        ck_assert_ptr_null(c);
        ck_assert_msg(strstr(err.msg, "/group.db: ") && strstr(err.msg, want), "%s",
                      err.msg);
    }
}

START_TEST(foreign_and_future)
{
    sql("CREATE TABLE t(x)");
    refused(PZ_FORMAT, "a database, but not of pz");
    ck_assert_int_eq(unlink(at("group.db")), 0);
    pz_catalog_close(open_or_fail(PZ_CATALOG_WRITE));
    sql("PRAGMA user_version=1000");
    refused(PZ_FORMAT, "version 1000, written by a newer pz");
    ck_assert_int_eq(unlink(at("group.db")), 0);
    ck_assert_int_eq(mkdir(at("group.db"), 0755), 0);
    refused(PZ_FORMAT, "not a regular file");
}
END_TEST

START_TEST(no_database)
{
    FILE *f = fopen(at("group.db"), "w");
    ck_assert_ptr_nonnull(f);
    for (int i = 0; i < 5000; i++)
        fputc('x', f);
    fclose(f);
    refused(PZ_FORMAT, "not a database");
}
END_TEST

/* Whatever byte is hit: an answer or a refusal with the file's name, never a crash; and
 * what breaks the structure is found by verify. */
START_TEST(damaged)
{
    struct pz_catalog *c = open_or_fail(PZ_CATALOG_WRITE);
    for (int i = 0; i < 40; i++)
        ck_ok(pz_catalog_add_import(c, &an_import, &err), err);
    pz_catalog_close(c);
    struct stat st;
    ck_assert_int_eq(stat(at("group.db"), &st), 0);
    int fd = open(at("group.db"), O_RDWR);
    int found = 0;
    for (off_t i = 0; i < st.st_size; i += 97) {
        unsigned char old, bad;
        ck_assert_int_eq(pread(fd, &old, 1, i), 1);
        bad = old ^ 0xff;
        ck_assert_int_eq(pwrite(fd, &bad, 1, i), 1);
        err = (struct pz_err)PZ_ERR_INIT;
        int status = pz_catalog_open(&c, dir, PZ_CATALOG_READ, &err);
        if (!status) {
            status = pz_catalog_verify(c, &err);
            pz_catalog_close(c);
        }
        ck_assert(status == PZ_OK || status == PZ_FORMAT);
        ck_assert(status == PZ_OK || strstr(err.msg, "group.db: "));
        found += status != PZ_OK;
        ck_assert_int_eq(pwrite(fd, &old, 1, i), 1);
    }
    close(fd);
    ck_assert_int_gt(found, 10);
    sql("PRAGMA foreign_keys=OFF; DELETE FROM schema");
    c = open_or_fail(PZ_CATALOG_READ);
    ck_assert_int_eq(pz_catalog_verify(c, &err), PZ_FORMAT);
    ck_assert_ptr_nonnull(strstr(err.msg, "40 rows point to rows that are not there"));
    pz_catalog_close(c);
}
END_TEST

static int
add_campaign(void *ctx, const struct pz_catalog_campaign *row)
{
    char *text = ctx;
    size_t n = strlen(text);
    snprintf(text + n, 256 - n, "%s>%s/%s %s %d %d;", row->name, row->solution,
             row->version ? row->version : "-", row->config, (int)row->created,
             (int)row->updated);
    return PZ_OK;
}

START_TEST(campaigns)
{
    char text[256] = "";
    int64_t before, after;
    struct pz_catalog_campaign row = {"b", "s", NULL, NULL, 1, 2};
    struct pz_catalog *c = open_or_fail(PZ_CATALOG_WRITE);
    struct pz_catalog *reader = open_or_fail(PZ_CATALOG_READ);
    ck_ok(pz_catalog_change(reader, &before, &err), err);
    ck_ok(pz_catalog_add_campaign(c, &row, &err), err);
    ck_ok(pz_catalog_change(reader, &after, &err), err);
    ck_assert_int_ne(before, after);
    row = (struct pz_catalog_campaign){"a", "s", "v1", "{\"x\":1}", 3, 4};
    ck_ok(pz_catalog_add_campaign(c, &row, &err), err);
    ck_assert_int_eq(pz_catalog_add_campaign(c, &row, &err), PZ_USAGE);
    err = (struct pz_err)PZ_ERR_INIT;
    ck_ok(pz_catalog_campaigns(reader, NULL, add_campaign, text, &err), err);
    ck_assert_str_eq(text, "a>s/v1 {\"x\":1} 3 4;b>s/- {} 1 2;");

    row = (struct pz_catalog_campaign){"a", "t", NULL, "{}", 99, 5}; // created stays
    ck_ok(pz_catalog_set_campaign(c, &row, &err), err);
    *text = '\0';
    ck_ok(pz_catalog_campaigns(reader, "a", add_campaign, text, &err), err);
    ck_assert_str_eq(text, "a>t/- {} 3 5;");

    ck_ok(pz_catalog_delete_campaign(c, "a", &err), err);
    ck_assert_int_eq(pz_catalog_delete_campaign(c, "a", &err), PZ_USAGE);
    ck_assert_ptr_nonnull(strstr(err.msg, "no campaign 'a'"));
    err = (struct pz_err)PZ_ERR_INIT;
    row.name = "a";
    ck_assert_int_eq(pz_catalog_set_campaign(c, &row, &err), PZ_USAGE);
    err = (struct pz_err)PZ_ERR_INIT;
    ck_assert_int_eq(pz_catalog_add_campaign(reader, &row, &err), PZ_SYSTEM);
    pz_catalog_close(c);
    pz_catalog_close(reader);
}
END_TEST

static int
note_resource(void *ctx, const struct pz_catalog_resource *row)
{
    char *out = ctx;
    snprintf(out + strlen(out), 128, "%s %s %s %lld %lld;", row->name, row->doc,
             row->status, (long long)row->created, (long long)row->updated);
    return 0;
}

/* Putting one again keeps its time of creation, and no other kind is touched. */
START_TEST(resources)
{
    struct pz_catalog *c;
    char seen[512] = "";
    struct pz_catalog_resource row = {"solution", "b", "{}", "ACTIVE", NULL, 5, 5};
    ck_assert_int_eq(pz_catalog_open(&c, dir, PZ_CATALOG_WRITE, &err), PZ_OK);
    ck_assert_int_eq(pz_catalog_put_resource(c, &row, &err), PZ_OK);
    row.name = "a";
    row.created = row.updated = 7;
    ck_assert_int_eq(pz_catalog_put_resource(c, &row, &err), PZ_OK);
    row.kind = "job";
    ck_assert_int_eq(pz_catalog_put_resource(c, &row, &err), PZ_OK);
    row =
        (struct pz_catalog_resource){"solution", "b", "{\"x\":1}", "FAILED", "bad", 9, 9};
    ck_assert_int_eq(pz_catalog_put_resource(c, &row, &err), PZ_OK);
    ck_assert_int_eq(pz_catalog_resources(c, "solution", note_resource, seen, &err),
                     PZ_OK);
    ck_assert_str_eq(seen, "b {\"x\":1} FAILED 5 9;a {} ACTIVE 7 7;");
    ck_assert_int_eq(pz_catalog_delete_resource(c, "solution", "a", &err), PZ_OK);
    ck_assert_int_eq(pz_catalog_delete_resource(c, "solution", "none", &err), PZ_OK);
    seen[0] = '\0';
    ck_assert_int_eq(pz_catalog_resources(c, "solution", note_resource, seen, &err),
                     PZ_OK);
    ck_assert_str_eq(seen, "b {\"x\":1} FAILED 5 9;");
    seen[0] = '\0';
    ck_assert_int_eq(pz_catalog_resources(c, "job", note_resource, seen, &err), PZ_OK);
    ck_assert_str_eq(seen, "a {} ACTIVE 7 7;");
    pz_catalog_close(c);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("catalog");
    TCase *t = tcase_create("catalog");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, rows);
    tcase_add_test(t, campaigns);
    tcase_add_test(t, resources);
    tcase_add_test(t, no_catalogue);
    tcase_add_test(t, read_only_media);
    tcase_add_test(t, few_descriptors);
    tcase_add_test(t, names_of_groups);
    tcase_add_test(t, concurrent);
    tcase_add_test(t, foreign_and_future);
    tcase_add_test(t, no_database);
    tcase_add_test(t, damaged);
    suite_add_tcase(s, t);
    return s;
}
