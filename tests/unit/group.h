/* A group in a folder of its own, filled from CSV texts. */
#ifndef PZ_TESTS_GROUP_H
#define PZ_TESTS_GROUP_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "data/dataset.h"
#include "data/import.h"
#include "unit.h"

struct group {
    char dir[64];
};

static inline void
group_make(struct group *g)
{
    snprintf(g->dir, sizeof g->dir, "/tmp/pz-group-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(g->dir));
}

static inline void
group_remove(struct group *g)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", g->dir);
    ck_assert_int_eq(system(command), 0);
}

static inline void
group_write(const char *file, const char *text)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_out out = PZ_OUT_INIT;
    ck_ok(pz_out_open(&out, file, &err), err);
    ck_ok(pz_out_write(&out, text, strlen(text), &err), err);
    ck_ok(pz_out_commit(&out, &err), err);
}

/* schema NULL: inferred. */
static inline void
group_import(struct group *g, enum pz_set set, const char *schema, const char *csv)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_import_result r;
    char file[96], schema_file[96];
    const char *path[] = {file};
    snprintf(file, sizeof file, "%s/in.csv", g->dir);
    snprintf(schema_file, sizeof schema_file, "%s/in.json", g->dir);
    group_write(file, csv);
    if (schema)
        group_write(schema_file, schema);
    ck_ok(pz_import_run(&(struct pz_import){.group = g->dir,
                                            .set = set,
                                            .schema_path = schema ? schema_file : NULL,
                                            .path = path,
                                            .n_paths = 1,
                                            .threads = 1},
                        &r, &err),
          err);
    pz_import_result_release(&r);
}

static inline void
group_open(struct group *g, enum pz_set set, struct pz_dataset *d)
{
    struct pz_err err = PZ_ERR_INIT;
    char *path;
    ck_ok(pz_dataset_path(&path, g->dir, set, &err), err);
    ck_ok(pz_dataset_open(d, path, &err), err);
    free(path);
}

#endif
