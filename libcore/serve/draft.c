#include "serve/draft.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/mem.h"
#include "infer/locate.h"
#include "store/catalog_campaign.h"
#include "store/catalog_filter.h"
#include "store/catalog_resource.h"

/* ---- the catalogue ---- */

struct draft {
    struct pz_group *g;
    struct pz_err *err;
};

static int
add_text(char **to, const char *s, struct pz_err *err)
{
    return s ? pz_strndup(to, s, strlen(s), err) : PZ_OK;
}

static struct pz_campaign *
new_campaign(struct draft *d, const char *name)
{
    struct pz_group *g = d->g;
    if (pz_grow(&g->campaign, &g->cap_campaigns, g->n_campaigns + 1, sizeof *g->campaign,
                "campaigns", d->err))
        return NULL;
    struct pz_campaign *c = &g->campaign[g->n_campaigns++];
    *c = (struct pz_campaign){0};
    return !add_text(&c->name, name, d->err) ? c : NULL;
}

/* Does the campaign go with its solution's latest version, whatever it was made with? */
static bool
follows(const char *config)
{
    struct pz_err err = PZ_ERR_INIT;
    pz_json *j;
    bool sync = false;
    if (pz_json_parse(&j, config, strlen(config), &err))
        return false;
    if (!pz_json_is_bool(pz_json_get(j, "syncWithLatestSolutionVersion"), &sync))
        sync = false;
    pz_json_free(j);
    return sync;
}

static int
take_campaign(void *ctx, const struct pz_catalog_campaign *row)
{
    struct draft *d = ctx;
    struct pz_campaign *c = new_campaign(d, row->name);
    if (!c || add_text(&c->solution, row->solution, d->err) ||
        add_text(&c->config, row->config, d->err))
        return d->err->status;
    if (!follows(row->config))
        return add_text(&c->version, row->version, d->err);
    return PZ_OK;
}

static int
take_recommender(void *ctx, const struct pz_catalog_resource *row)
{
    struct draft *d = ctx;
    struct pz_campaign *c = new_campaign(d, row->name);
    struct pz_buf config = PZ_BUF_INIT;
    pz_json *doc;
    if (!c || pz_json_parse(&doc, row->doc, strlen(row->doc), d->err))
        return d->err->status;
    const pz_json *j = pz_json_get(doc, "recommenderConfig");
    if (j)
        pz_json_add(&config, j);
    pz_json_free(doc);
    if (!pz_buf_status(&config, "a recommender", d->err) &&
        !add_text(&c->solution, row->name, d->err))
        add_text(&c->config, config.data ? config.data : "{}", d->err);
    pz_buf_release(&config);
    c->recommender = true;
    c->stopped = strcmp(row->status, "ACTIVE") != 0;
    return c->stopped && !d->err->status ? add_text(&c->why, row->status, d->err)
                                         : d->err->status;
}

static int
take_filter(void *ctx, const struct pz_catalog_filter *row)
{
    struct draft *d = ctx;
    struct pz_group *g = d->g;
    if (pz_grow(&g->filter, &g->cap_filters, g->n_filters + 1, sizeof *g->filter,
                "filters", d->err))
        return d->err->status;
    struct pz_named *f = &g->filter[g->n_filters++];
    *f = (struct pz_named){NULL, NULL};
    return add_text(&f->name, row->name, d->err) ||
                   add_text(&f->expression, row->expression, d->err)
               ? d->err->status
               : PZ_OK;
}

static int
take_tracker(void *ctx, const struct pz_tracker *row)
{
    struct draft *d = ctx;
    struct pz_group *g = d->g;
    if (pz_grow(&g->tracking_id, &g->cap_tracking_ids, g->n_tracking_ids + 1,
                sizeof *g->tracking_id, "trackers", d->err))
        return d->err->status;
    g->tracking_id[g->n_tracking_ids] = NULL;
    return add_text(&g->tracking_id[g->n_tracking_ids++], row->tracking_id, d->err);
}

/* Campaigns without a version get the latest; a solution without a campaign of its name
 * is one. */
static int
take_solution(void *ctx, const char *solution, const char *version)
{
    struct draft *d = ctx;
    bool named = false;
    for (size_t i = 0; i < d->g->n_campaigns; i++) {
        struct pz_campaign *c = &d->g->campaign[i];
        named |= strcmp(c->name, solution) == 0;
        if (strcmp(c->solution, solution) == 0 && !c->version &&
            add_text(&c->version, version, d->err))
            return d->err->status;
    }
    if (named)
        return PZ_OK;
    struct pz_campaign *c = new_campaign(d, solution);
    return c && !add_text(&c->solution, solution, d->err)
               ? add_text(&c->version, version, d->err)
               : d->err->status;
}

int
pz_draft_read(struct pz_group *g, struct pz_catalog *c, struct pz_estore *trackers,
              struct pz_err *err)
{
    struct draft d = {g, err};
    if (c && (pz_catalog_campaigns(c, NULL, take_campaign, &d, err) ||
              pz_catalog_resources(c, "recommender", take_recommender, &d, err) ||
              pz_catalog_filters(c, NULL, take_filter, &d, err) ||
              pz_estore_trackers(trackers, take_tracker, &d, err)))
        return err->status;
    return pz_locate_solutions(g->path, take_solution, &d, err);
}

/* ---- the files ---- */

uint64_t
pz_file_missing(void)
{
    return errno == ENOENT || errno == ENOTDIR ? PZ_FILE_NONE : PZ_FILE_UNKNOWN;
}

uint64_t
pz_file_number(const char *path)
{
    struct stat st;
    if (stat(path, &st))
        return pz_file_missing();
    uint64_t h = 0x9e3779b97f4a7c15u;
    uint64_t part[] = {(uint64_t)st.st_dev, (uint64_t)st.st_ino, (uint64_t)st.st_size,
                       (uint64_t)st.st_mtim.tv_sec, (uint64_t)st.st_mtim.tv_nsec};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        h = (h ^ part[i]) * 0xff51afd7ed558ccdu + (h >> 29);
    return h | 1;
}

int
pz_campaign_path(char **path, const struct pz_group *g, const struct pz_campaign *c,
                 struct pz_err *err)
{
    struct pz_buf b = PZ_BUF_INIT;
    pz_buf_addf(&b, "%s/models/%s/%s.safetensors", g->path, c->solution,
                c->version ? c->version : "none");
    if (pz_buf_status(&b, "a path", err))
        pz_buf_release(&b);
    *path = b.data;
    return err->status;
}

uint64_t
pz_file_identity(const char *path)
{
    struct stat st;
    return stat(path, &st) ? pz_file_missing()
                           : ((uint64_t)st.st_ino * 31 + (uint64_t)st.st_dev) << 1 | 1;
}

/* The datasets' part of the print. */
static int
print_sets(struct pz_buf *out, const struct pz_group *g, struct pz_err *err)
{
    for (int set = 0; set < PZ_N_SETS; set++) {
        char *path;
        if (pz_dataset_path(&path, g->path, (enum pz_set)set, err))
            return err->status;
        pz_buf_addf(out, "%" PRIx64 "\n", pz_file_number(path));
        free(path);
    }
    return pz_buf_status(out, "a group", err);
}

int
pz_draft_print(struct pz_group *g, struct pz_err *err)
{
    struct pz_buf *out = &g->print;
    if (print_sets(out, g, err))
        return err->status;
    for (size_t i = 0; i < g->n_filters; i++)
        pz_buf_addf(out, "filter %s %s\n", g->filter[i].name, g->filter[i].expression);
    for (size_t i = 0; i < g->n_tracking_ids; i++)
        pz_buf_addf(out, "tracker %s\n", g->tracking_id[i]);
    for (size_t i = 0; i < g->n_campaigns; i++) {
        const struct pz_campaign *c = &g->campaign[i];
        char *path;
        if (pz_campaign_path(&path, g, c, err))
            return err->status;
        pz_buf_addf(out, "%s%s %s %s %" PRIx64 " %s\n", c->stopped ? "stopped " : "",
                    c->recommender ? "recommender" : "campaign", c->name, path,
                    pz_file_number(path), c->config ? c->config : "-");
        free(path);
    }
    return pz_buf_status(out, "a group", err);
}
