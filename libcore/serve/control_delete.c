/*
 * Deleting folders, solutions and groups. A folder that goes loses its name first, in one
 * step that is on disk before anything else happens: whatever ends the server, it is
 * there whole or not there at all. What is left under the other name is swept away by the
 * next server.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "serve/control.h"
#include "serve/server.h"
#include "store/catalog_resource.h"
#include "store/estore.h"

#define GONE ".pz-gone-" // tools pass over names with a dot in front
enum { DEPTH_MAX = 32 };

/* ---- folders ---- */

/* Deletes a file or, with all in it, a folder; links are not followed. */
static int
remove_at(int dir, const char *name, int depth, struct pz_err *err)
{
    struct dirent *e;
    if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
        return PZ_OK;
    if (errno != EISDIR && errno != EPERM)
        return pz_err_sys(err, "cannot delete '%s'", name);
    int fd = depth < DEPTH_MAX
                 ? openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                 : -1;
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (!list) {
        pz_err_sys(err, "cannot delete '%s'", name);
        if (fd >= 0)
            close(fd);
        return err->status;
    }
    while (!err->status && (e = readdir(list)))
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            remove_at(dirfd(list), e->d_name, depth + 1, err);
    closedir(list);
    if (!err->status && unlinkat(dir, name, AT_REMOVEDIR) && errno != ENOENT)
        pz_err_sys(err, "cannot delete '%s'", name);
    return err->status;
}

static int
open_folder(const char *path, struct pz_err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT)
        pz_err_sys(err, "cannot open '%s'", path);
    return fd;
}

void
pz_desk_delete(struct pz_desk_call *d, const char *path)
{
    unsigned char id[8];
    char gone[48];
    const char *name = pz_desk_base(path);
    const char *folder = pz_desk_text(d, "%.*s", (int)(name - path), path);
    int fd = folder ? open_folder(folder, &d->err) : -1;
    if (fd < 0)
        return;
    if (getrandom(id, sizeof id, 0) != (ssize_t)sizeof id)
        pz_err_sys(&d->err, "cannot get random bytes");
    snprintf(gone, sizeof gone, GONE "%02x%02x%02x%02x%02x%02x%02x%02x", id[0], id[1],
             id[2], id[3], id[4], id[5], id[6], id[7]);
    if (!d->err.status && renameat(fd, name, fd, gone)) {
        if (errno != ENOENT)
            pz_err_sys(&d->err, "cannot delete '%s'", path);
    } else if (!d->err.status) {
        if (fsync(fd))
            pz_err_sys(&d->err, "cannot sync '%s'", folder);
        else
            remove_at(fd, gone, 0, &d->err);
    }
    close(fd);
}

void
pz_desk_sweep(struct pz_desk_call *d, const char *folder)
{
    struct dirent *e;
    int fd = open_folder(folder, &d->err);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    while (list && !d->err.status && (e = readdir(list)))
        if (strncmp(e->d_name, GONE, sizeof GONE - 1) == 0)
            remove_at(fd, e->d_name, 0, &d->err);
    if (list)
        closedir(list);
    else if (fd >= 0)
        close(fd);
}

/* ---- datasets ---- */

/* What was put one by one, in the catalogue that was begun. */
static int
clear_rows(struct pz_desk_call *d, struct pz_catalog *c, enum pz_set set)
{
    switch (set) {
    case PZ_INTERACTIONS:
        return pz_estore_clear_events(c, PZ_EVENT_ITEM, &d->err);
    case PZ_ACTION_INTERACTIONS:
        return pz_estore_clear_events(c, PZ_EVENT_ACTION, &d->err);
    case PZ_ITEMS:
        return pz_estore_clear_records(c, PZ_RECORD_ITEM, &d->err);
    case PZ_USERS:
        return pz_estore_clear_records(c, PZ_RECORD_USER, &d->err);
    default:
        return pz_estore_clear_records(c, PZ_RECORD_ACTION, &d->err);
    }
}

static int
delete_file(struct pz_desk_call *d, const char *path)
{
    const char *folder = pz_desk_text(d, "%.*s", (int)(pz_desk_base(path) - path), path);
    int fd = folder ? open_folder(folder, &d->err) : -1;
    if (fd >= 0 && unlinkat(fd, pz_desk_base(path), 0) && errno != ENOENT)
        pz_err_sys(&d->err, "cannot delete '%s'", path);
    else if (fd >= 0 && fsync(fd))
        pz_err_sys(&d->err, "cannot sync '%s'", folder);
    if (fd >= 0)
        close(fd);
    return d->err.status;
}

/* Keeps out imports and what moves rows that were put into the dataset: one that has read
 * the old dataset would bring it back. -1: the call has failed. */
static int
lock_group(struct pz_desk_call *d, const struct pz_thing *t)
{
    struct pz_err why = PZ_ERR_INIT;
    int lock;
    if (pz_lock(&lock, t->group, &why)) {
        pz_log(PZ_LOG_WARN, "%s", why.msg);
        IN_USE("Dataset %s is in use by another process", t->name);
        return -1;
    }
    return lock;
}

/*
 * The rows that were put go with a note that the dataset is being deleted, in one
 * transaction, then the file, then the note. Who has read the note knows that the rest is
 * to go too, so that a server that ends in between leaves the rest to the next one.
 */
static bool
end_dataset(struct pz_desk_call *d, const struct pz_thing *t)
{
    enum pz_set set;
    char *path;
    struct pz_thing going = *t;
    going.status = PZ_DELETING;
    going.why = NULL;
    if (pz_set_parse(&set, pz_desk_base(t->name), &d->err) ||
        pz_dataset_path(&path, t->group, set, &d->err))
        return pz_desk_lost(d);
    int lock = lock_group(d, t);
    struct pz_catalog *c = lock >= 0 ? pz_desk_begin(d, t->group) : NULL;
    if (c && !clear_rows(d, c, set) && !pz_thing_put(d, &going))
        delete_file(d, path);
    if (lock >= 0)
        close(lock);
    free(path);
    return d->err.status ? pz_desk_lost(d) : lock >= 0;
}

bool
pz_dataset_end(struct pz_desk_call *d, const struct pz_thing *t)
{
    struct pz_catalog *c = end_dataset(d, t) ? pz_desk_begin(d, t->group) : NULL;
    if (!c)
        return false;
    pz_catalog_delete_resource(c, pz_kinds[t->kind].one, t->name, &d->err);
    return !pz_desk_commit(d);
}

bool
pz_drop_dataset(struct pz_desk_call *d, const struct pz_thing *t)
{
    if (pz_desk_busy(d, t->group))
        return IN_USE("Dataset %s is in use by a job", t->name);
    return end_dataset(d, t);
}

/* ---- solutions ---- */

/* Do things of a kind belong to a solution, in one of the states (NULL: any)? */
static bool
is_parent(struct pz_desk_call *d, enum pz_kind_id kind, const struct pz_thing *s,
          const char *member, const char *state)
{
    struct pz_things list;
    bool found = false;
    pz_things_all(d, kind, &list);
    for (size_t i = 0; i < list.n && !d->err.status; i++) {
        struct pz_arn a;
        const struct pz_thing *t = &list.thing[i];
        pz_json *doc = pz_thing_doc(d, t);
        const char *arn = doc ? pz_json_get_string(doc, member) : NULL;
        size_t n = strlen(s->name);
        found |= arn && pz_arn_parse(&a, arn) && strncmp(a.name, s->name, n) == 0 &&
                 (a.name[n] == '/' || !a.name[n]) && strcmp(t->group, s->group) == 0 &&
                 !t->implied && (!state || strstr(t->status, state));
        pz_json_free(doc);
    }
    free(list.thing);
    return found;
}

bool
pz_desk_drop_models(struct pz_desk_call *d, const char *group, const char *solution)
{
    struct pz_things list;
    size_t n = strlen(solution);
    const char *models = pz_desk_text(d, "%s/models/%s", group, solution);
    if (!models || pz_things_all(d, PZ_KIND_VERSION, &list))
        return pz_desk_lost(d);
    pz_desk_delete(d, models);
    struct pz_catalog *c = d->err.status ? NULL : pz_desk_begin(d, group);
    for (size_t i = 0; c && i < list.n && !d->err.status; i++)
        if (strncmp(list.thing[i].name, solution, n) == 0 && list.thing[i].name[n] == '/')
            pz_catalog_delete_resource(c, pz_kinds[PZ_KIND_VERSION].one,
                                       list.thing[i].name, &d->err);
    if (c && !d->err.status)
        pz_catalog_delete_versions(c, solution, &d->err);
    free(list.thing);
    return d->err.status ? pz_desk_lost(d) : true;
}

bool
pz_drop_solution(struct pz_desk_call *d, const struct pz_thing *t)
{
    static const char *const under_way[] = {"PENDING", "PROGRESS", "STOPPING", NULL};
    if (is_parent(d, PZ_KIND_CAMPAIGN, t, "solutionVersionArn", NULL))
        return IN_USE("Solution %s is in use by a campaign", t->name);
    for (const char *const *state = under_way; *state; state++)
        if (is_parent(d, PZ_KIND_VERSION, t, "solutionArn", *state))
            return IN_USE("Solution %s has a version that is being created", t->name);
    return pz_desk_drop_models(d, t->group, t->name);
}

/* ---- groups ---- */

bool
pz_drop_group(struct pz_desk_call *d, const struct pz_thing *t)
{
    static const enum pz_kind_id kinds[] = {PZ_KIND_TRACKER, PZ_KIND_RECOMMENDER,
                                            PZ_KIND_SOLUTION, PZ_KIND_DATASET};
    if (!d->call->server->o.root)
        return INVALID("this server's only group cannot be deleted");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (pz_desk_any(d, kinds[i], t->group))
            return IN_USE("Dataset group %s has %s %s", t->name,
                          kinds[i] == PZ_KIND_TRACKER ? "an" : "a",
                          pz_kinds[kinds[i]].word);
    if (pz_desk_busy(d, t->group))
        return IN_USE("Dataset group %s is in use by a job", t->name);
    pz_desk_delete(d, t->group);
    return d->err.status ? pz_desk_lost(d) : true;
}
