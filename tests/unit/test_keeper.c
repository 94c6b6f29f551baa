/* The keeper: what a look that fails leaves as it was, and what the next one finds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "serve/site.h"
#include "store/catalog_campaign.h"
#include "unit.h"

static char group[64];
static struct pz_keeper *keeper;
static struct pz_site *site;

static void
run(const char *command)
{
    char text[256];
    snprintf(text, sizeof text, "cd '%s' && %s", group, command);
    ck_assert_int_eq(system(text), 0);
}

static void
begin(void)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_keeper_options o = {.group = group, .seconds = 3600};
    memcpy(group, "/tmp/pz-test-XXXXXX", sizeof "/tmp/pz-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(group));
    ck_ok(pz_keeper_new(&keeper, &o, &err), err);
}

static void
end(void)
{
    pz_site_free(site);
    pz_keeper_free(keeper);
    site = NULL;
    run("rm -r \"$PWD\"");
}

static void
add(const char *name)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_catalog *c;
    const struct pz_catalog_campaign row = {.name = name, .solution = "none"};
    ck_ok(pz_catalog_open(&c, group, PZ_CATALOG_WRITE, &err), err);
    ck_ok(pz_catalog_add_campaign(c, &row, &err), err);
    pz_catalog_close(c);
}

static bool
look_for(const char *name)
{
    struct pz_err err = PZ_ERR_INIT;
    const struct pz_group *g;
    bool several;
    ck_ok(pz_keeper_look(keeper, &err), err);
    site = pz_keeper_site(keeper, site);
    return pz_site_campaign(site, false, name, strlen(name), &g, &several) != NULL;
}

/* The file is there before its tables are: that is the moment of a first writer. */
START_TEST(unborn)
{
    ck_assert(!look_for("a"));
    run(": >group.db");
    ck_assert(!look_for("a"));
    ck_assert(!site->partial); // there is nothing that could be missed
    add("a");
    ck_assert(look_for("a"));
    ck_assert(!look_for("b"));
    add("b");
    ck_assert(look_for("b"));
}
END_TEST

/* What cannot be looked at for now: each stands for one thing in the group. */
static const struct {
    const char *spoil, *mend;
    bool partial; // for now; else it is damaged, and that is told
} faults[] = {
    {"ln -s models models", "rm models", true},
    {"mv group.db kept && ln -s group.db group.db", "rm group.db && mv kept group.db",
     true},
    {"mv group.db kept && echo other >group.db", "rm group.db && mv kept group.db",
     false},
    {"mv group.db kept && mkdir group.db", "rmdir group.db && mv kept group.db", false},
};

START_TEST(spoilt)
{
    add("a");
    ck_assert(look_for("a"));
    run(faults[_i].spoil);
    ck_assert(look_for("a"));
    ck_assert_int_eq(site->partial, faults[_i].partial);
    ck_assert(!look_for("b"));
    ck_assert(look_for("a"));
    run(faults[_i].mend);
    add("b");
    ck_assert(look_for("b"));
    ck_assert(look_for("a"));
    ck_assert(!site->partial);
}
END_TEST

/* What was deleted is gone: that is no fault. */
START_TEST(deleted)
{
    add("a");
    ck_assert(look_for("a"));
    run("rm group.db");
    ck_assert(!look_for("a"));
    ck_assert(!site->partial);
    add("b");
    ck_assert(look_for("b"));
    ck_assert(!look_for("a"));
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("keeper");
    TCase *t = tcase_create("keeper");
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, unborn);
    tcase_add_loop_test(t, spoilt, 0, (int)(sizeof faults / sizeof *faults));
    tcase_add_test(t, deleted);
    suite_add_tcase(s, t);
    return s;
}
