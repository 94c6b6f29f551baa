#include "serve/keeper.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/order.h"
#include "base/par.h"
#include "serve/draft.h"

struct pz_house {
    struct pz_house *next;
    char *path, *name;
    struct pz_catalog *catalog;
    struct pz_estore *store; // for the trackers
    uint64_t db;             // which file they have open; 0: none
    char *complaint;         // what was last told of it
    bool seen;               // in this look
    bool failed;             // the last look at it
};

struct pz_keeper {
    struct pz_keeper_options o;
    pthread_mutex_t lock; // of all below but `site`, which is also read without
    struct pz_site *_Atomic site;
    struct pz_house *house;
    struct pz_usage *usage;
    double looked, took; // the last look: its end, and for how long
    pthread_t id;
    bool started, stop;
    pthread_cond_t wake;
};

enum { TRIES = 3, TRY_MS = 5 };
#define TRY_SECONDS 0.5 // a look that has taken longer is not tried anew at once

/* ---- houses ---- */

static void
complain(struct pz_house *h, const struct pz_err *err)
{
    struct pz_err lost = PZ_ERR_INIT;
    if (h->complaint && strcmp(h->complaint, err->msg) == 0)
        return;
    pz_log(PZ_LOG_WARN, "%s", err->msg);
    free(h->complaint);
    if (pz_strndup(&h->complaint, err->msg, strlen(err->msg), &lost))
        h->complaint = NULL;
}

static void
house_close(struct pz_house *h)
{
    pz_estore_close(h->store);
    pz_catalog_close(h->catalog);
    h->store = NULL;
    h->catalog = NULL;
    h->db = 0;
}

static void
house_free(struct pz_house *h)
{
    house_close(h);
    free(h->path);
    free(h->name);
    free(h->complaint);
    free(h);
}

static struct pz_house *
house_of(struct pz_keeper *k, const char *path, const char *name, struct pz_err *err)
{
    struct pz_house *h;
    for (h = k->house; h; h = h->next)
        if (strcmp(h->path, path) == 0)
            return h;
    if (pz_new(&h, 1, sizeof *h, "a group", err))
        return NULL;
    if (pz_strndup(&h->path, path, strlen(path), err) ||
        pz_strndup(&h->name, name, strlen(name), err)) {
        house_free(h);
        return NULL;
    }
    h->next = k->house;
    k->house = h;
    return h;
}

/* Opens the catalogue, when there is one and it is not open. One that its writer has not
 * brought to a first commit yet is opened anew at the next look. */
static int
house_open(struct pz_house *h, struct pz_err *err)
{
    char *path;
    if (pz_path_join(&path, h->path, "group.db", err))
        return err->status;
    uint64_t now = pz_file_identity(path);
    bool stale = false;
    if (now == PZ_FILE_UNKNOWN)
        pz_err_sys(err, "cannot open '%s'", path);
    else if (h->catalog)
        pz_catalog_stale(h->catalog, &stale, err);
    free(path);
    if (err->status || (now == h->db && !stale && (h->catalog || !now)))
        return err->status;
    house_close(h);
    if (!now)
        return PZ_OK;
    if (pz_catalog_open(&h->catalog, h->path, PZ_CATALOG_READ, err) ||
        pz_estore_open(&h->store, h->path, PZ_CATALOG_READ, err)) {
        house_close(h);
        return err->status;
    }
    h->db = pz_catalog_is_there(h->catalog) ? now : 0;
    return PZ_OK;
}

static struct pz_usage *
usage_of(struct pz_keeper *k, const char *group, const char *campaign, struct pz_err *err)
{
    struct pz_usage *u;
    for (u = k->usage; u; u = u->next)
        if (strcmp(u->group, group) == 0 && strcmp(u->campaign, campaign) == 0)
            return u;
    if (pz_new(&u, 1, sizeof *u, "numbers of use", err))
        return NULL;
    if (pz_strndup(&u->group, group, strlen(group), err) ||
        pz_strndup(&u->campaign, campaign, strlen(campaign), err)) {
        free(u->group);
        free(u);
        return NULL;
    }
    u->next = k->usage;
    k->usage = u;
    return u;
}

static int
find_usages(struct pz_keeper *k, struct pz_group *g, struct pz_err *err)
{
    for (size_t i = 0; i < g->n_campaigns && !err->status; i++)
        g->campaign[i].usage = usage_of(k, g->name, g->campaign[i].name, err);
    return err->status;
}

/* ---- opening what is new ---- */

/* The part of a print that tells of the datasets. */
static size_t
sets_length(const struct pz_group *g)
{
    const char *p = g->print.data;
    for (int i = 0; i < PZ_N_SETS; i++)
        p = strchr(p, '\n') + 1;
    return (size_t)(p - g->print.data);
}

static int
open_sets(struct pz_group *g, const struct pz_group *old, struct pz_house *h,
          struct pz_err *err)
{
    size_t n = sets_length(g);
    struct pz_err why = PZ_ERR_INIT;
    if (old && sets_length(old) == n && !memcmp(g->print.data, old->print.data, n)) {
        g->sets = old->sets;
        pz_sets_keep(g->sets);
        return PZ_OK;
    }
    if (pz_new(&g->sets, 1, sizeof *g->sets, "datasets", err))
        return err->status;
    g->sets->refs = 1;
    if (!pz_filter_group_open(&g->sets->g, g->path, &why))
        return PZ_OK;
    complain(h, &why);
    pz_buf_addz(&g->print, "again\n");
    if (old) { // with what there was
        pz_sets_free(g->sets);
        g->sets = old->sets;
        pz_sets_keep(g->sets);
        return PZ_OK;
    }
    pz_filter_group_close(&g->sets->g);
    g->sets->g = (struct pz_filter_group){.data = {{NULL}}};
    return PZ_OK;
}

static struct pz_deploy *
find_deploy(const struct pz_group *g, const char *path, uint64_t file,
            const struct pz_sets *sets)
{
    for (size_t i = 0; g && i < g->n_campaigns; i++) {
        struct pz_deploy *d = g->campaign[i].deploy;
        if (d && d->file == file && d->sets == sets && strcmp(d->path, path) == 0)
            return d;
    }
    return NULL;
}

static int
open_deploy(struct pz_deploy **out, const struct pz_group *g, const char *path,
            struct pz_err *err)
{
    struct pz_deploy *d;
    *out = NULL;
    if (pz_new(&d, 1, sizeof *d, "a campaign", err))
        return err->status;
    d->refs = 1;
    pthread_mutex_init(&d->lock, NULL);
    d->file = pz_file_number(path);
    d->sets = g->sets;
    pz_sets_keep(d->sets);
    if (pz_strndup(&d->group, g->path, strlen(g->path), err) ||
        pz_strndup(&d->path, path, strlen(path), err) ||
        pz_model_open(&d->model, path, err)) {
        pz_deploy_free(d);
        return err->status;
    }
    *out = d;
    return PZ_OK;
}

static const struct pz_campaign *
campaign_like(const struct pz_group *g, const struct pz_campaign *c)
{
    for (size_t i = 0; g && i < g->n_campaigns; i++)
        if (g->campaign[i].recommender == c->recommender &&
            strcmp(g->campaign[i].name, c->name) == 0)
            return &g->campaign[i];
    return NULL;
}

/* One whose model cannot be opened goes on with what it answered from before. */
static int
open_campaign(struct pz_group *g, struct pz_campaign *c, const struct pz_group *old,
              struct pz_house *h, struct pz_err *err)
{
    struct pz_err why = PZ_ERR_INIT;
    char *path;
    if (c->stopped)
        return PZ_OK;
    if (!c->version)
        return pz_strndup(&c->why, "its solution has no trained version",
                          strlen("its solution has no trained version"), err);
    if (pz_campaign_path(&path, g, c, err))
        return err->status;
    uint64_t file = pz_file_number(path);
    struct pz_deploy *d = find_deploy(g, path, file, g->sets);
    if (!d)
        d = find_deploy(old, path, file, g->sets);
    if (d) {
        pz_deploy_keep(d);
    } else if (open_deploy(&d, g, path, &why)) {
        complain(h, &why);
        pz_buf_addz(&g->print, "again\n");
        const struct pz_campaign *before = campaign_like(old, c);
        d = before ? before->deploy : NULL;
        if (d) {
            pz_deploy_keep(d);
        } else {
            c->lost = why.status == PZ_SYSTEM && file != 0;
            pz_strndup(&c->why, why.msg, strlen(why.msg), err);
        }
    }
    c->deploy = d;
    pz_campaign_explore(c);
    pz_campaign_influence(c);
    free(path);
    return err->status;
}

/* The group as it is now: `old` itself when nothing changed. */
static int
look_at(struct pz_keeper *k, struct pz_house *h, struct pz_group *old,
        struct pz_group **out, struct pz_err *err)
{
    struct pz_group *g;
    *out = NULL;
    if (pz_new(&g, 1, sizeof *g, "a group", err))
        return err->status;
    g->refs = 1;
    g->name = h->name;
    g->path = h->path;
    g->house = h;
    if (house_open(h, err) || pz_draft_read(g, h->catalog, h->store, err) ||
        pz_draft_print(g, err) || find_usages(k, g, err))
        goto fail;
    if (old && old->print.len == g->print.len &&
        !memcmp(old->print.data, g->print.data, g->print.len)) {
        old->refs++;
        pz_group_free(g);
        *out = old;
        return PZ_OK;
    }
    if (open_sets(g, old, h, err))
        goto fail;
    for (size_t i = 0; i < g->n_campaigns; i++)
        if (open_campaign(g, &g->campaign[i], old, h, err))
            goto fail;
    *out = g;
    return PZ_OK;
fail:
    pz_group_free(g);
    return err->status;
}

/* ---- looking ---- */

/* Looks a few times: a moment's disturbance passes. What has lasted since the last look
 * is not waited for. */
static int
look_hard(struct pz_keeper *k, struct pz_house *h, struct pz_group *before,
          struct pz_group **now, struct pz_err *err)
{
    double began = pz_seconds_wall();
    int tries = h->failed ? 1 : TRIES;
    while (look_at(k, h, before, now, err)) {
        house_close(h); // it is opened again at the next try
        if (--tries == 0 || pz_seconds_wall() - began > TRY_SECONDS)
            break;
        nanosleep(&(struct timespec){0, TRY_MS * 1000000L}, NULL);
        *err = (struct pz_err)PZ_ERR_INIT;
    }
    h->failed = err->status != PZ_OK;
    return err->status;
}

static int
add_group(struct pz_keeper *k, struct pz_site *w, size_t *cap, const struct pz_site *old,
          const char *path, const char *name, struct pz_err *err)
{
    struct pz_err why = PZ_ERR_INIT;
    struct pz_group *before = NULL, *now;
    struct pz_house *h = house_of(k, path, name, err);
    if (!h || pz_grow(&w->group, cap, w->n_groups + 1, sizeof *w->group, "groups", err))
        return err->status;
    h->seen = true;
    for (size_t i = 0; old && i < old->n_groups; i++)
        if (old->group[i]->house == h)
            before = old->group[i];
    if (look_hard(k, h, before, &now, &why)) {
        complain(h, &why);
        w->partial |= why.status == PZ_SYSTEM;
        if (!before)
            return PZ_OK;
        before->refs++;
        now = before;
    }
    w->group[w->n_groups++] = now;
    return PZ_OK;
}

static int
list_root(const char *root, char ***names, size_t *n, struct pz_err *err)
{
    size_t cap = 0;
    DIR *dir = opendir(root);
    if (!dir)
        return pz_err_sys(err, "cannot list '%s'", root);
    *names = NULL;
    *n = 0;
    for (struct dirent *e; !err->status && (e = readdir(dir));) {
        if (e->d_name[0] == '.' ||
            (e->d_type != DT_DIR && e->d_type != DT_LNK && e->d_type != DT_UNKNOWN))
            continue;
        if (!pz_grow(names, &cap, *n + 1, sizeof **names, "groups", err) &&
            !pz_strndup(&(*names)[*n], e->d_name, strlen(e->d_name), err))
            ++*n;
    }
    closedir(dir);
    if (*n)
        qsort(*names, *n, sizeof **names, pz_order_text);
    return err->status;
}

static int
add_groups(struct pz_keeper *k, struct pz_site *w, const struct pz_site *old,
           struct pz_err *err)
{
    char **name = NULL;
    size_t n = 0, cap = 0;
    struct stat st;
    if (k->o.group) {
        const char *slash = strrchr(k->o.group, '/');
        return add_group(k, w, &cap, old, k->o.group, slash ? slash + 1 : k->o.group,
                         err);
    }
    list_root(k->o.root, &name, &n, err);
    for (size_t i = 0; i < n; i++) {
        char *path;
        if (!err->status && !pz_path_join(&path, k->o.root, name[i], err)) {
            int none = stat(path, &st);
            if (none ? pz_file_missing() == PZ_FILE_UNKNOWN : S_ISDIR(st.st_mode))
                add_group(k, w, &cap, old, path, name[i], err);
            free(path);
        }
        free(name[i]);
    }
    free(name);
    return err->status;
}

/* Under the lock. */
static int
look(struct pz_keeper *k, struct pz_err *err)
{
    struct pz_site *w, *old = k->site;
    double began = pz_seconds_wall();
    if (pz_new(&w, 1, sizeof *w, "a site", err))
        return err->status;
    w->refs = 1;
    for (struct pz_house *h = k->house; h; h = h->next)
        h->seen = false;
    if (add_groups(k, w, old, err)) {
        pz_site_free(w);
        return err->status;
    }
    for (struct pz_house *h = k->house; h; h = h->next)
        if (!h->seen)
            house_close(h);
    bool same = old && old->n_groups == w->n_groups && old->partial == w->partial;
    for (size_t i = 0; same && i < w->n_groups; i++)
        same = w->group[i] == old->group[i];
    if (same) {
        pz_site_free(w);
    } else {
        k->site = w;
        pz_site_free(old);
    }
    k->looked = pz_seconds_wall();
    k->took = k->looked - began;
    return PZ_OK;
}

int
pz_keeper_look(struct pz_keeper *k, struct pz_err *err)
{
    int status = PZ_OK;
    double asked = pz_seconds_wall();
    pthread_mutex_lock(&k->lock);
    // A look that began after this call says all that this one would.
    if (!k->site || k->site->partial || k->looked - k->took < asked)
        status = look(k, err);
    pthread_mutex_unlock(&k->lock);
    return status;
}

struct pz_site *
pz_keeper_site(struct pz_keeper *k, struct pz_site *old)
{
    if (old && old == k->site)
        return old;
    pthread_mutex_lock(&k->lock);
    struct pz_site *now = k->site;
    now->refs++;
    pthread_mutex_unlock(&k->lock);
    pz_site_free(old);
    return now;
}

void
pz_keeper_usages(struct pz_keeper *k, void (*fn)(void *ctx, const struct pz_usage *u),
                 void *ctx)
{
    pthread_mutex_lock(&k->lock);
    const struct pz_site *w = k->site;
    for (size_t i = 0; i < w->n_groups; i++)
        for (size_t n = 0; n < w->group[i]->n_campaigns; n++) {
            const struct pz_campaign *c = w->group[i]->campaign;
            size_t before = 0; // a recommender shares that of a campaign of its name
            while (c[before].usage != c[n].usage)
                before++;
            if (before == n)
                fn(ctx, c[n].usage);
        }
    pthread_mutex_unlock(&k->lock);
}

/* ---- life ---- */

static void *
run(void *arg)
{
    struct pz_keeper *k = arg;
    pthread_mutex_lock(&k->lock);
    while (!k->stop) {
        struct pz_err err = PZ_ERR_INIT;
        pz_cond_wait(&k->wake, &k->lock, k->o.seconds);
        if (!k->stop && look(k, &err))
            pz_log(PZ_LOG_WARN, "%s", err.msg);
    }
    pthread_mutex_unlock(&k->lock);
    return NULL;
}

int
pz_keeper_new(struct pz_keeper **out, const struct pz_keeper_options *o,
              struct pz_err *err)
{
    struct pz_keeper *k;
    *out = NULL;
    if (pz_new(&k, 1, sizeof *k, "a server", err))
        return err->status;
    k->o = *o;
    pthread_mutex_init(&k->lock, NULL);
    pthread_cond_init(&k->wake, NULL);
    if (pz_keeper_look(k, err)) {
        pz_keeper_free(k);
        return err->status;
    }
    *out = k;
    return PZ_OK;
}

int
pz_keeper_start(struct pz_keeper *k, struct pz_err *err)
{
    errno = pthread_create(&k->id, NULL, run, k);
    if (errno)
        return pz_err_sys(err, "cannot start a thread");
    k->started = true;
    return PZ_OK;
}

void
pz_keeper_free(struct pz_keeper *k)
{
    if (!k)
        return;
    pthread_mutex_lock(&k->lock);
    k->stop = true;
    pthread_cond_signal(&k->wake);
    pthread_mutex_unlock(&k->lock);
    if (k->started)
        pthread_join(k->id, NULL);
    pz_site_free(k->site);
    while (k->house) {
        struct pz_house *h = k->house;
        k->house = h->next;
        house_free(h);
    }
    while (k->usage) {
        struct pz_usage *u = k->usage;
        k->usage = u->next;
        free(u->group);
        free(u->campaign);
        free(u);
    }
    pthread_mutex_destroy(&k->lock);
    pthread_cond_destroy(&k->wake);
    free(k);
}
