/* locate: which file is meant, in a group made of empty files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "infer/locate.h"
#include "unit.h"

static char group[64];

static void
make(const char *name)
{
    char command[256];
    snprintf(command, sizeof command, "mkdir -p \"$(dirname '%s/%s')\" && : >'%s/%s'",
             group, name, group, name);
    ck_assert_int_eq(system(command), 0);
}

static void
begin(void)
{
    memcpy(group, "/tmp/pz-test-XXXXXX", sizeof "/tmp/pz-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(group));
}

static void
end(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", group);
    ck_assert_int_eq(system(command), 0);
}

/* The path behind the group, or the message with the group cut out of it. */
static void
expect(const char *solution, int status, const char *want)
{
    struct pz_err err = PZ_ERR_INIT;
    char *path = NULL, got[512] = "";
    ck_assert_int_eq(pz_locate_model(&path, group, solution, &err), status);
    const char *text = status ? err.msg : path;
    size_t n = 0, cut = strlen(group);
    while (*text && n + 1 < sizeof got) {
        if (strncmp(text, group, cut) == 0)
            text += cut;
        else
            got[n++] = *text++;
    }
    ck_assert_str_eq(got, want);
    free(path);
}

START_TEST(choice)
{
    make("models/one/20260101T000000.safetensors");
    expect(NULL, 0, "/models/one/20260101T000000.safetensors");
    make("models/one/20260102T000000.safetensors");
    make("models/one/20260102T000000-2.safetensors");
    make("models/one/.20270101T000000.safetensors");
    make("models/one/20280101T000000.tmp");
    make("models/one/z.safetensors.part");
    make("models/stray");
    make("models/.hidden/20260101T000000.safetensors");
    expect(NULL, 0, "/models/one/20260102T000000-2.safetensors");
    expect("one", 0, "/models/one/20260102T000000-2.safetensors");
    expect("one/20260101T000000", 0, "/models/one/20260101T000000.safetensors");
    expect("one/20260101T000000.safetensors", 0,
           "/models/one/20260101T000000.safetensors");
    make("models/two/20260103T000000.safetensors");
    expect("two", 0, "/models/two/20260103T000000.safetensors");
}
END_TEST

START_TEST(refusals)
{
    expect(NULL, 2, "group '' has no trained model; pz-train makes one");
    expect("x", 2, "group '' has no trained model; pz-train makes one");
    make("models/b/1.safetensors");
    make("models/a/2.safetensors");
    make("models/a/1.safetensors");
    expect(NULL, 2, "group '' has several solutions: choose with -S; there are: a, b");
    expect("c", 2, "group '' has no solution 'c'; there are: a, b");
    expect("", 2, "group '' has no solution ''; there are: a, b");
    expect("..", 2, "group '' has no solution '..'; there are: a, b");
    expect("a/3", 2, "'/models/a' has no version '3'; there are: 1, 2");
    expect("a/", 2, "'/models/a' has no version ''; there are: 1, 2");
    expect("a/../b/1", 2, "'/models/a' has no version '../b/1'; there are: 1, 2");
    make("models/c/none");
    expect("c", 2, "group '' has no solution 'c'; there are: a, b");
    end();
    expect(NULL, 2, "there is no group ''; pz-import -g  -t interactions makes it");
    begin();
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("locate");
    TCase *t = tcase_create("group");
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, choice);
    tcase_add_test(t, refusals);
    suite_add_tcase(s, t);
    return s;
}
