/* pz-info: describes, verifies and exports a group or any pz file. See man/pz-info.1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd/cli.h"
#include "cmd/info_describe.h"
#include "cmd/info_files.h"
#include "cmd/show.h"
#include "data/export_named.h"
#include "data/forget.h"
#include "recipe/check.h"
#include "store/catalog.h"
#include "store/group.h"

static struct {
    bool verify;
    const char *export, *schema, *audit, *source;
} opt;

static const struct pz_opt options[] = {
    {"export", 'x', PZ_OPT_TEXT, &opt.export, "TYPE",
     "write the dataset as CSV (with --json: JSON lines): interactions, items, users, "
     "actions, action-interactions; or what pz-event stored: events, action-events",
     0, 0},
    {"schema", 's', PZ_OPT_TEXT, &opt.schema, "TYPE", "write the schema of the dataset",
     0, 0},
    {"source", 0, PZ_OPT_TEXT, &opt.source, "SOURCE",
     "with --export: bulk (the dataset), put (what pz-event stored), or all", 0, 0},
    {"audit", 0, PZ_OPT_TEXT, &opt.audit, "USER_ID",
     "tell which files of the group know a user; exit status 1 when any does", 0, 0},
    {"verify", 0, PZ_OPT_FLAG, &opt.verify, NULL,
     "read everything, compare all hashes and check all indexes", 0, 0},
    {NULL, 0, PZ_OPT_FLAG, NULL, NULL, NULL, 0, 0},
};

static const struct pz_tool tool = {
    "pz-info",
    "[--verify | --schema TYPE] [options] [-g DIR | FILE...]\n"
    "--export TYPE [--source SOURCE] [options] [-g DIR | FILE]\n"
    "--audit USER_ID [options] [-g DIR | FILE...]",
    "Describe, verify or export a group, a dataset or a model.",
    "  pz-info -g shop\n"
    "  pz-info --verify shop/models/mine/*.safetensors\n"
    "  pz-info -g shop --export interactions > interactions.csv\n",
    options,
};

static const struct pz_form forms[] = {
    {"verify", "json"}, {"export", "source json"}, {"schema", "json"}, {"audit", "json"},
    {NULL, "json"},
};

static int worst; // exit status: the highest one met

static void
met(int status)
{
    if (status > worst)
        worst = status;
}

static char *
join(const char *dir, const char *name)
{
    struct pz_err err = PZ_ERR_INIT;
    char *path;
    if (pz_path_join(&path, dir, name, &err))
        pz_die_err(&err);
    return path;
}

/* ---- verifying ---- */

/* What is found is damage when the file could be opened, else the status says why not. */
static void
verdict(const char *path, int status, const struct pz_err *err)
{
    const char *word = status == PZ_OK         ? "ok"
                       : status == PZ_NEGATIVE ? "damaged"
                                               : "unreadable";
    met(status);
    if (pz_common.json) {
        struct pz_show *o = pz_show_object(NULL, NULL);
        pz_show_text(o, "file", path);
        pz_show_text(o, "status", word);
        if (status)
            pz_show_text(o, "message", pz_info_message(err, path));
        pz_show_print(o);
    } else if (status) {
        printf("%s: %s: %s\n", path, word, pz_info_message(err, path));
    } else {
        printf("%s: ok\n", path);
    }
}

/* A failure that is not the system's is damage. */
static int
damage(int status)
{
    return status && status != PZ_SYSTEM ? PZ_NEGATIVE : status;
}

static void
verify_file(const char *path)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_tensors t;
    struct pz_dataset d;
    int status = pz_tensors_open(&t, path, &err);
    if (!status) {
        const char *kind = pz_tensors_meta(&t, "pz.kind");
        bool dataset = kind && strcmp(kind, "dataset") == 0;
        if (!kind)
            status = pz_err_set(&err, PZ_FORMAT,
                                "a safetensors file, but not of pz: no hashes");
        else
            status = damage(pz_tensors_verify(&t, &err));
        if (!status && dataset) {
            status = damage(pz_dataset_open(&d, path, &err));
            if (!status) {
                if (pz_dataset_check(&d, &err) ||
                    (d.user.table && pz_ids_check(&d.user, &d.file, "user", &err)) ||
                    (d.item.table && pz_ids_check(&d.item, &d.file, "item", &err)))
                    status = damage(err.status);
                pz_dataset_close(&d);
            }
        }
        if (!status && kind && strcmp(kind, "model") == 0)
            status = damage(pz_model_check_file(path, &err));
        pz_tensors_close(&t);
    }
    verdict(path, status, &err);
}

static int
verify_model(void *ctx, const char *path, const char *solution, const char *version)
{
    (void)ctx;
    (void)solution;
    (void)version;
    verify_file(path);
    return 0;
}

static void
verify_group(const char *group)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_catalog *c;
    for (int set = 0; set < PZ_N_SETS; set++) {
        char *path = pz_info_dataset_path(group, (enum pz_set)set);
        if (access(path, F_OK) == 0)
            verify_file(path);
        free(path);
    }
    pz_info_each_model(group, verify_model, NULL);
    char *db = join(group, "group.db");
    if (access(db, F_OK) == 0) {
        int status = pz_catalog_open(&c, group, PZ_CATALOG_READ, &err);
        if (!status) {
            status = damage(pz_catalog_verify(c, &err));
            pz_catalog_close(c);
        }
        verdict(db, status, &err);
    }
    free(db);
}

/* ---- auditing ---- */

static void
audited(const char *path, bool found, const char *where)
{
    if (found)
        met(PZ_NEGATIVE);
    if (pz_common.json) {
        struct pz_show *o = pz_show_object(NULL, NULL);
        pz_show_text(o, "file", path);
        pz_show_bool(o, "found", found);
        if (found)
            pz_show_text(o, "where", where);
        pz_show_print(o);
    } else {
        printf("%s: %s%s%s\n", path, found ? "found" : "nothing", found ? ": " : "",
               found ? where : "");
    }
}

static void
audit_file(const char *path)
{
    struct pz_err err = PZ_ERR_INIT;
    bool found;
    if (pz_audit_file(path, opt.audit, &found, &err))
        pz_die_err(&err);
    audited(path, found, "users");
}

static int
audit_model(void *ctx, const char *path, const char *solution, const char *version)
{
    (void)ctx;
    (void)solution;
    (void)version;
    audit_file(path);
    return 0;
}

static void
audit_group(const char *group)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_buf where = PZ_BUF_INIT;
    bool found;
    for (int set = 0; set < PZ_N_SETS; set++) {
        char *path = pz_info_dataset_path(group, (enum pz_set)set);
        if (access(path, F_OK) == 0)
            audit_file(path);
        free(path);
    }
    pz_info_each_model(group, audit_model, NULL);
    char *db = join(group, "group.db");
    if (pz_audit_store(group, opt.audit, &found, &where, &err))
        pz_die_err(&err);
    audited(db, found, where.data);
    pz_buf_release(&where);
    free(db);
}

/* ---- exporting ---- */

static int
write_stdout(void *ctx, const void *bytes, size_t n, struct pz_err *err)
{
    (void)ctx;
    if (fwrite(bytes, 1, n, stdout) != n)
        return pz_err_sys(err, "cannot write standard output");
    return PZ_OK;
}

/* Text that looks right and is not would be the worst answer: everything is checked
 * first. */
static void
export_rows(const char *where, bool is_group)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_export_named x = {
        .where = where,
        .is_group = is_group,
        .type = opt.export,
        .source = opt.source,
        .format = pz_common.json ? PZ_JSONL : PZ_CSV,
        .threads = (int)pz_common.threads,
    };
    if (pz_export_named(&x, write_stdout, NULL, &err))
        pz_die_err(&err);
    if (x.unfit)
        pz_warn("%llu stored rows do not fit the schema and are left out: %s",
                (unsigned long long)x.unfit, x.reason);
}

static void
export_schema(const char *where, bool is_group)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_dataset d;
    enum pz_set set;
    if (pz_set_parse(&set, opt.schema, &err) ||
        pz_dataset_open_named(&d, where, is_group, set, &err))
        pz_die_err(&err);
    printf("%s\n", pz_tensors_meta(&d.file, "schema"));
    pz_dataset_close(&d);
}

static bool
is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A directory is a group, wherever it is named. */
static void
handle(const char *path, bool is_group)
{
    struct pz_err err = PZ_ERR_INIT;
    if (is_group && pz_group_need(path, &err))
        pz_die_err(&err);
    is_group |= is_directory(path);
    if (opt.export)
        export_rows(path, is_group);
    else if (opt.audit)
        is_group ? audit_group(path) : audit_file(path);
    else if (opt.schema)
        export_schema(path, is_group);
    else if (opt.verify)
        is_group ? verify_group(path) : verify_file(path);
    else if (is_group)
        met(pz_describe_group(path));
    else
        pz_describe_file(path);
}

int
main(int argc, char **argv)
{
    int first;
    pz_cli_begin();
    pz_opt_parse(&tool, argc, argv, &first);
    int n = argc - first;
    pz_opt_form(forms);
    if (n && pz_common.group_given)
        pz_die(PZ_USAGE,
               "-g %s and '%s' exclude each other: what is described is a group or files",
               pz_common.group, argv[first]);
    if ((opt.export || opt.schema) && n > 1)
        pz_die(PZ_USAGE, "one file at a time can be exported, not %d", n);
    if (n == 0)
        handle(pz_need_group(), true);
    for (int i = 0; i < n; i++) {
        if (i && !opt.verify && !opt.audit && !pz_common.json)
            putchar('\n');
        handle(argv[first + i], false);
    }
    return pz_cli_end(worst);
}
