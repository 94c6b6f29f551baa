#include "serve/site.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "serve/keeper.h"

const double pz_latency_bound[PZ_LATENCIES] = {
    .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .5, INFINITY};

void
pz_usage_add(struct pz_usage *u, double seconds)
{
    int i = 0;
    while (seconds > pz_latency_bound[i])
        i++;
    u->latency[i]++;
    u->nanoseconds += (uint64_t)(seconds * 1e9);
    u->requests++;
}

/* ---- life ---- */

void
pz_sets_keep(struct pz_sets *s)
{
    s->refs++;
}

void
pz_sets_free(struct pz_sets *s)
{
    if (!s || --s->refs > 0)
        return;
    pz_filter_group_close(&s->g);
    free(s);
}

void
pz_deploy_keep(struct pz_deploy *d)
{
    d->refs++;
}

void
pz_deploy_free(struct pz_deploy *d)
{
    if (!d || --d->refs > 0)
        return;
    while (d->compiled) {
        struct pz_compiled *c = d->compiled;
        d->compiled = c->next;
        pz_gate_free(c->gate);
        free(c->expression);
        free(c);
    }
    pz_model_close(&d->model);
    pz_sets_free(d->sets);
    pthread_mutex_destroy(&d->lock);
    free(d->group);
    free(d->path);
    free(d);
}

void
pz_group_free(struct pz_group *g)
{
    if (!g || --g->refs > 0)
        return;
    for (size_t i = 0; i < g->n_campaigns; i++) {
        struct pz_campaign *c = &g->campaign[i];
        free(c->name);
        free(c->solution);
        free(c->version);
        free(c->config);
        free(c->why);
        pz_deploy_free(c->deploy);
    }
    for (size_t i = 0; i < g->n_filters; i++) {
        free(g->filter[i].name);
        free(g->filter[i].expression);
    }
    for (size_t i = 0; i < g->n_tracking_ids; i++)
        free(g->tracking_id[i]);
    free(g->campaign);
    free(g->filter);
    free(g->tracking_id);
    pz_sets_free(g->sets);
    pz_buf_release(&g->print);
    free(g);
}

void
pz_site_free(struct pz_site *w)
{
    if (!w || --w->refs > 0)
        return;
    for (size_t i = 0; i < w->n_groups; i++)
        pz_group_free(w->group[i]);
    free(w->group);
    free(w);
}

/* ---- exploring ---- */

static void
take_number(const pz_json *map, const char *name, double max, double *out)
{
    const char *text = pz_json_get_string(map, name);
    double v;
    if (text && !pz_parse_f64(text, strlen(text), &v) && v >= 0 && v <= max)
        *out = v;
}

void
pz_campaign_explore(struct pz_campaign *c)
{
    struct pz_err err = PZ_ERR_INIT;
    pz_json *j = NULL;
    if (!c->config || !c->deploy || !pz_model_explores(&c->deploy->model) ||
        pz_model_explore(&c->explore, &c->deploy->model, &err) ||
        pz_json_parse(&j, c->config, strlen(c->config), &err))
        return;
    const pz_json *map = pz_json_get(j, "itemExplorationConfig");
    take_number(map, "explorationWeight", 1, &c->explore.weight);
    take_number(map, "explorationItemAgeCutOff", 1e6, &c->explore.days);
    pz_json_free(j);
}

void
pz_campaign_influence(struct pz_campaign *c)
{
    struct pz_err err = PZ_ERR_INIT;
    pz_json *j = NULL;
    if (!c->config || !c->deploy || !pz_model_takes_influence(&c->deploy->model) ||
        pz_json_parse(&j, c->config, strlen(c->config), &err))
        return;
    const pz_json *map = pz_json_get(j, "rankingInfluence");
    c->has_influence = map != NULL;
    pz_json_number(pz_json_get(map, "POPULARITY"), &c->influence.popularity);
    pz_json_number(pz_json_get(map, "FRESHNESS"), &c->influence.freshness);
    pz_json_free(j);
}

/* ---- finding ---- */

static bool
same(const char *a, const char *b, size_t n)
{
    return strncmp(a, b, n) == 0 && a[n] == '\0';
}

const struct pz_group *
pz_site_group(const struct pz_site *w, const char *name, size_t n)
{
    for (size_t i = 0; i < w->n_groups; i++)
        if (same(w->group[i]->name, name, n))
            return w->group[i];
    return NULL;
}

/* Campaigns, recommenders or solutions of that name: how many, and the last one. */
static int
find_campaign(const struct pz_site *w, bool stored, bool recommender, const char *name,
              size_t n, const struct pz_campaign **found, const struct pz_group **group)
{
    int count = 0;
    for (size_t i = 0; i < w->n_groups; i++) {
        const struct pz_group *g = w->group[i];
        for (size_t k = 0; k < g->n_campaigns; k++)
            if ((g->campaign[k].config != NULL) == stored &&
                g->campaign[k].recommender == recommender &&
                same(g->campaign[k].name, name, n)) {
                *found = &g->campaign[k];
                *group = g;
                count++;
            }
    }
    return count;
}

const struct pz_campaign *
pz_site_campaign(const struct pz_site *w, bool recommender, const char *name, size_t n,
                 const struct pz_group **group, bool *several)
{
    const struct pz_campaign *found = NULL;
    int count = find_campaign(w, true, recommender, name, n, &found, group);
    if (count == 0)
        count = find_campaign(w, false, false, name, n, &found, group);
    *several = count > 1;
    return *several ? NULL : found;
}

const struct pz_group *
pz_site_tracker(const struct pz_site *w, const char *id)
{
    for (size_t i = 0; i < w->n_groups; i++)
        for (size_t k = 0; k < w->group[i]->n_tracking_ids; k++)
            if (strcmp(w->group[i]->tracking_id[k], id) == 0)
                return w->group[i];
    return NULL;
}

const struct pz_named *
pz_group_filter(const struct pz_group *g, const char *name, size_t n)
{
    for (size_t i = 0; i < g->n_filters; i++)
        if (same(g->filter[i].name, name, n))
            return &g->filter[i];
    return NULL;
}

/* ---- filters ---- */

int
pz_deploy_gate(struct pz_deploy *d, const char *expression, bool strict,
               const struct pz_gate **gate, struct pz_err *err)
{
    struct pz_filter_options o = {.strict = strict};
    struct pz_compiled *c;
    *gate = NULL;
    pthread_mutex_lock(&d->lock);
    for (c = d->compiled; c; c = c->next)
        if (strcmp(c->expression, expression) == 0)
            break;
    if (!c && !pz_new(&c, 1, sizeof *c, "a filter", err)) {
        if (pz_strndup(&c->expression, expression, strlen(expression), err) ||
            pz_gate_new(&c->gate, expression, &d->sets->g.data, &o, &d->model, err)) {
            free(c->expression);
            free(c);
            c = NULL;
        } else {
            c->next = d->compiled;
            d->compiled = c;
        }
    }
    pthread_mutex_unlock(&d->lock);
    if (c)
        *gate = c->gate;
    return err->status;
}
