#include "infer/locate.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/order.h"
#include "store/group.h"

static const char suffix[] = ".safetensors";

/* The names of a directory, one behind the other with their NULs, and how many. */
struct names {
    struct pz_buf text;
    size_t n;
};

/* Length of the version's name in NAME.safetensors; 0 when it is hidden or something
 * else. */
static size_t
version_length(const char *name)
{
    size_t n = strlen(name), tail = sizeof suffix - 1;
    return name[0] != '.' && n > tail && !strcmp(name + n - tail, suffix) ? n - tail : 0;
}

static int
add_name(struct names *names, const char *name, size_t n, struct pz_err *err)
{
    pz_buf_add(&names->text, name, n);
    pz_buf_addc(&names->text, 0);
    names->n++;
    return pz_buf_status(&names->text, "a list of names", err);
}

/* Opens a directory; NULL without an error when there is none. */
static DIR *
open_dir(const char *dir, struct pz_err *err)
{
    DIR *d = opendir(dir);
    if (!d && errno != ENOENT && errno != ENOTDIR)
        pz_err_sys(err, "cannot list '%s'", dir);
    return d;
}

static int
list_versions(struct names *names, const char *dir, struct pz_err *err)
{
    DIR *d = open_dir(dir, err);
    for (struct dirent *e; d && !err->status && (e = readdir(d));) {
        size_t n = version_length(e->d_name);
        if (n)
            add_name(names, e->d_name, n, err);
    }
    if (d)
        closedir(d);
    return err->status;
}

/* Folders with a version in them: a training that failed may have left an empty one. */
static int
list_solutions(struct names *names, const char *dir, struct pz_err *err)
{
    DIR *d = open_dir(dir, err);
    struct pz_buf path = PZ_BUF_INIT;
    struct names versions = {PZ_BUF_INIT, 0};
    for (struct dirent *e; d && !err->status && (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        pz_buf_clear(&path);
        pz_buf_addf(&path, "%s/%s", dir, e->d_name);
        pz_buf_clear(&versions.text);
        versions.n = 0;
        if (pz_buf_status(&path, "a path", err) ||
            list_versions(&versions, path.data, err))
            break;
        if (versions.n)
            add_name(names, e->d_name, strlen(e->d_name), err);
    }
    pz_buf_release(&path);
    pz_buf_release(&versions.text);
    if (d)
        closedir(d);
    return err->status;
}

/* Their addresses in order, an array of the caller's. */
static int
sort_names(const struct names *names, const char ***out, struct pz_err *err)
{
    const char *p = names->text.data;
    if (pz_new(out, names->n, sizeof **out, "a list of names", err))
        return err->status;
    for (size_t i = 0; i < names->n; i++, p += strlen(p) + 1)
        (*out)[i] = p;
    if (names->n)
        qsort(*out, names->n, sizeof **out, pz_order_text);
    return PZ_OK;
}

/* "a, b, c", sorted, the first ones when there are many. */
static int
sorted_text(const struct names *names, struct pz_buf *out, struct pz_err *err)
{
    enum { SHOWN = 20 };
    const char **name;
    if (sort_names(names, &name, err))
        return err->status;
    for (size_t i = 0; i < names->n && i < SHOWN; i++)
        pz_buf_addf(out, "%s%s", i ? ", " : "", name[i]);
    if (names->n > SHOWN)
        pz_buf_addf(out, ", ... (%zu in all)", names->n);
    free(name);
    return pz_buf_status(out, "a list of names", err);
}

static const char *
latest(const struct names *names)
{
    const char *best = NULL, *p = names->text.data;
    for (size_t i = 0; i < names->n; i++, p += strlen(p) + 1)
        if (!best || strcmp(p, best) > 0)
            best = p;
    return best;
}

static bool
contains(const struct names *names, const char *name, size_t n)
{
    const char *p = names->text.data;
    for (size_t i = 0; i < names->n; i++, p += strlen(p) + 1)
        if (strlen(p) == n && memcmp(p, name, n) == 0)
            return true;
    return false;
}

/* PZ_USAGE "WHAT; there are: NAMES" */
static int
refuse(const struct names *names, struct pz_err *err, const char *what)
{
    struct pz_buf text = PZ_BUF_INIT;
    if (sorted_text(names, &text, err) == PZ_OK)
        pz_err_set(err, PZ_USAGE, "%s; there are: %s", what, text.data);
    pz_buf_release(&text);
    return err->status;
}

/* The solution's name into *name[0..*n), a view into `solution` or `names`. */
static int
choose_solution(const struct names *names, const char *group, const char *solution,
                const char **name, size_t *n, struct pz_err *err)
{
    char what[512];
    if (names->n == 0)
        return pz_err_set(err, PZ_USAGE,
                          "group '%s' has no trained model; pz-train makes one", group);
    if (!solution && names->n == 1) {
        *name = names->text.data;
        *n = strlen(*name);
        return PZ_OK;
    }
    if (!solution) {
        snprintf(what, sizeof what, "group '%s' has several solutions: choose with -S",
                 group);
        return refuse(names, err, what);
    }
    *name = solution;
    *n = strcspn(solution, "/");
    if (contains(names, *name, *n))
        return PZ_OK;
    snprintf(what, sizeof what, "group '%s' has no solution '%.*s'", group, (int)*n,
             *name);
    return refuse(names, err, what);
}

static int
choose_version(const struct names *names, const char *dir, const char *wanted,
               const char **version, size_t *n, struct pz_err *err)
{
    char what[512];
    if (names->n == 0) // it went away since it was listed
        return pz_err_set(err, PZ_SYSTEM, "'%s' holds no solution version", dir);
    *version = wanted ? wanted : latest(names);
    *n = strlen(*version);
    size_t tail = sizeof suffix - 1; // VERSION.safetensors is meant kindly
    if (*n > tail && strcmp(*version + *n - tail, suffix) == 0)
        *n -= tail;
    if (contains(names, *version, *n))
        return PZ_OK;
    snprintf(what, sizeof what, "'%s' has no version '%.*s'", dir, (int)*n, *version);
    return refuse(names, err, what);
}

int
pz_locate_model(char **path, const char *group, const char *solution, struct pz_err *err)
{
    struct names solutions = {PZ_BUF_INIT, 0}, versions = {PZ_BUF_INIT, 0};
    struct pz_buf dir = PZ_BUF_INIT;
    const char *name = NULL, *version = NULL,
               *slash = solution ? strchr(solution, '/') : NULL;
    size_t n_name = 0, n_version = 0;
    *path = NULL;
    if (pz_group_need(group, err))
        goto end;
    pz_buf_addf(&dir, "%s/models", group);
    if (pz_buf_status(&dir, "a path", err) || list_solutions(&solutions, dir.data, err) ||
        choose_solution(&solutions, group, solution, &name, &n_name, err))
        goto end;
    pz_buf_addf(&dir, "/%.*s", (int)n_name, name);
    if (pz_buf_status(&dir, "a path", err) || list_versions(&versions, dir.data, err) ||
        choose_version(&versions, dir.data, slash ? slash + 1 : NULL, &version,
                       &n_version, err))
        goto end;
    pz_buf_addf(&dir, "/%.*s%s", (int)n_version, version, suffix);
    if (pz_buf_status(&dir, "a path", err))
        goto end;
    *path = dir.data;
    dir = (struct pz_buf)PZ_BUF_INIT;
end:
    pz_buf_release(&dir);
    pz_buf_release(&solutions.text);
    pz_buf_release(&versions.text);
    return err->status;
}

int
pz_locate_solutions(const char *group,
                    int (*fn)(void *ctx, const char *solution, const char *version),
                    void *ctx, struct pz_err *err)
{
    struct pz_buf dir = PZ_BUF_INIT;
    struct names solutions = {PZ_BUF_INIT, 0}, versions = {PZ_BUF_INIT, 0};
    int stopped = 0;
    pz_buf_addf(&dir, "%s/models", group);
    if (pz_buf_status(&dir, "a path", err) || list_solutions(&solutions, dir.data, err))
        goto end;
    const char *name = solutions.text.data;
    for (size_t i = 0; i < solutions.n && !stopped; i++, name += strlen(name) + 1) {
        pz_buf_clear(&dir);
        pz_buf_addf(&dir, "%s/models/%s", group, name);
        pz_buf_clear(&versions.text);
        versions.n = 0;
        if (pz_buf_status(&dir, "a path", err) || list_versions(&versions, dir.data, err))
            goto end;
        if (versions.n)
            stopped = fn(ctx, name, latest(&versions));
    }
end:
    pz_buf_release(&dir);
    pz_buf_release(&solutions.text);
    pz_buf_release(&versions.text);
    return stopped ? stopped : err->status;
}

/* Those of one solution; returns what fn did. */
static int
walk_versions(const char *dir, const char *solution, bool latest_first, pz_locate_fn fn,
              void *ctx, struct pz_err *err)
{
    struct names names = {PZ_BUF_INIT, 0};
    struct pz_buf path = PZ_BUF_INIT;
    const char **version = NULL;
    int stopped = 0;
    if (!list_versions(&names, dir, err))
        sort_names(&names, &version, err);
    for (size_t i = 0; i < names.n && !err->status && !stopped; i++) {
        const char *name = version[latest_first ? names.n - 1 - i : i];
        pz_buf_clear(&path);
        pz_buf_addf(&path, "%s/%s%s", dir, name, suffix);
        if (!pz_buf_status(&path, "a path", err))
            stopped = fn(ctx, path.data, solution, name);
    }
    free(version);
    pz_buf_release(&names.text);
    pz_buf_release(&path);
    return stopped;
}

int
pz_locate_models(const char *group, bool latest_first, pz_locate_fn fn, void *ctx,
                 struct pz_err *err)
{
    struct names names = {PZ_BUF_INIT, 0};
    struct pz_buf dir = PZ_BUF_INIT;
    const char **solution = NULL;
    int stopped = 0;
    pz_buf_addf(&dir, "%s/models", group);
    if (!pz_buf_status(&dir, "a path", err) && !list_solutions(&names, dir.data, err))
        sort_names(&names, &solution, err);
    for (size_t i = 0; i < names.n && !err->status && !stopped; i++) {
        pz_buf_clear(&dir);
        pz_buf_addf(&dir, "%s/models/%s", group, solution[i]);
        if (!pz_buf_status(&dir, "a path", err))
            stopped = walk_versions(dir.data, solution[i], latest_first, fn, ctx, err);
    }
    free(solution);
    pz_buf_release(&names.text);
    pz_buf_release(&dir);
    return stopped ? stopped : err->status;
}
