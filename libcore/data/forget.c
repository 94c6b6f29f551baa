#include "data/forget.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/dataset.h"
#include "data/import.h"
#include "store/estore.h"

static int
forget_stored(const char *group, const char *const *user, size_t n, uint64_t *events,
              struct pz_err *err)
{
    struct pz_estore *s;
    int r = pz_estore_open(&s, group, PZ_CATALOG_WRITE, err);
    if (r)
        return r;
    r = pz_estore_forget(s, user, n, events, err);
    pz_estore_close(s);
    return r;
}

static int
forget_rows(const char *group, enum pz_set set, const char *const *user, size_t n,
            int threads, uint64_t *rows, struct pz_err *err)
{
    static const struct pz_feed nothing = {.name = "pz-import --forget"};
    struct pz_import_result result;
    char *path;
    int r = pz_dataset_path(&path, group, set, err);
    if (r)
        return r;
    bool there = access(path, F_OK) == 0;
    free(path);
    if (!there)
        return PZ_OK;
    r = pz_import_run(
        &(struct pz_import){
            .group = group,
            .set = set,
            .incremental = true,
            .threads = threads,
            .feed = &nothing,
            .forget = user,
            .n_forget = n,
        },
        &result, err);
    if (r)
        return pz_err_prefix(err, "%s: ", pz_set_name(set));
    *rows = result.forgotten;
    pz_import_result_release(&result);
    return PZ_OK;
}

int
pz_forget(const char *group, const char *const *user, size_t n, int threads,
          struct pz_forget_report *report, struct pz_err *err)
{
    static const enum pz_set sets[] = {PZ_INTERACTIONS, PZ_ACTION_INTERACTIONS, PZ_USERS};
    *report = (struct pz_forget_report){.users = n};
    /* The store first: a compaction that has read it holds the lock, and is met below. */
    int r = forget_stored(group, user, n, &report->events, err);
    for (size_t i = 0; i < sizeof sets / sizeof *sets && !r; i++)
        r = forget_rows(group, sets[i], user, n, threads, &report->rows[sets[i]], err);
    return r;
}

int
pz_audit_file(const char *path, const char *user, bool *found, struct pz_err *err)
{
    struct pz_tensors t;
    struct pz_ids ids;
    *found = false;
    int r = pz_tensors_open(&t, path, err);
    if (r)
        return r;
    if (pz_tensors_find(&t, "user.offsets") &&
        (r = pz_ids_open(&ids, &t, "user", err)) == PZ_OK)
        *found = pz_ids_find(&ids, user, strlen(user)) != PZ_NO_ID;
    pz_tensors_close(&t);
    return r;
}

int
pz_audit_store(const char *group, const char *user, bool *found, struct pz_buf *where,
               struct pz_err *err)
{
    struct pz_estore *s;
    struct pz_estore_trace n;
    int r = pz_estore_open(&s, group, PZ_CATALOG_READ, err);
    if (r)
        return r;
    r = pz_estore_trace(s, user, &n, err);
    pz_estore_close(s);
    if (r)
        return r;
    const struct {
        uint64_t n;
        const char *what;
    } list[] = {{n.events, "events"}, {n.sessions, "sessions"}, {n.records, "records"}};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (list[i].n)
            pz_buf_addf(where, "%s%llu %s", where->len ? ", " : "",
                        (unsigned long long)list[i].n, list[i].what);
    *found = where->len > 0;
    return pz_buf_status(where, "the audit", err);
}
