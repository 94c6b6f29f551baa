#include "infer/giver.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"
#include "base/rng.h"
#include "infer/locate.h"
#include "store/catalog_campaign.h"
#include "store/catalog_resource.h"

/* ---- ids ---- */

int
pz_recommendation_id(char out[PZ_RECOMMENDATION_ID], struct pz_err *err)
{
    memcpy(out, "RID-", 4);
    return pz_uuid(out + 4, err);
}

uint32_t
pz_recommendation_mark_of(const char *name, bool recommender)
{
    return (uint32_t)XXH3_64bits_withSeed(name, strlen(name), recommender);
}

enum { MARK_DIGITS = 8 }; // the last ones of the id

void
pz_recommendation_mark(char id[PZ_RECOMMENDATION_ID], uint32_t mark)
{
    static const char digit[] = "0123456789abcdef";
    char *p = id + PZ_RECOMMENDATION_ID - 1 - MARK_DIGITS;
    for (int i = MARK_DIGITS; i-- > 0; mark >>= 4)
        p[i] = digit[mark & 15];
}

bool
pz_recommendation_marked(const char *id, uint32_t *mark)
{
    static const char digit[] = "0123456789abcdef";
    if (strlen(id) != PZ_RECOMMENDATION_ID - 1 || strncmp(id, "RID-", 4) != 0)
        return false;
    *mark = 0;
    for (const char *p = id + PZ_RECOMMENDATION_ID - 1 - MARK_DIGITS; *p; p++) {
        const char *at = strchr(digit, *p);
        if (!at)
            return false;
        *mark = *mark << 4 | (uint32_t)(at - digit);
    }
    return true;
}

/* ---- givers ---- */

struct pz_giver {
    uint32_t mark;
    char *source;
};

int
pz_givers_add(struct pz_givers *g, const char *name, bool recommender, const char *source,
              struct pz_err *err)
{
    if (pz_grow(&g->row, &g->cap, g->n + 1, sizeof *g->row, "campaigns", err) ||
        pz_strndup(&g->row[g->n].source, source, strlen(source), err))
        return err->status;
    g->row[g->n++].mark = pz_recommendation_mark_of(name, recommender);
    return PZ_OK;
}

/* A walk over what a group has. */
struct walk {
    struct pz_givers *givers;
    struct pz_err *err;
};

static int
take_campaign(void *ctx, const struct pz_catalog_campaign *row)
{
    struct walk *w = ctx;
    return pz_givers_add(w->givers, row->name, false, row->name, w->err);
}

static int
take_recommender(void *ctx, const struct pz_catalog_resource *row)
{
    struct walk *w = ctx;
    return pz_givers_add(w->givers, row->name, true, row->name, w->err);
}

static int
take_solution(void *ctx, const char *solution, const char *version)
{
    struct walk *w = ctx;
    (void)version;
    return pz_givers_add(w->givers, solution, false, solution, w->err);
}

int
pz_givers_add_group(struct pz_givers *g, const char *group, struct pz_err *err)
{
    struct walk w = {g, err};
    struct pz_catalog *c = NULL;
    int status = pz_catalog_open(&c, group, PZ_CATALOG_READ, err);
    if (!status)
        status = pz_catalog_campaigns(c, NULL, take_campaign, &w, err);
    if (!status)
        status = pz_catalog_resources(c, "recommender", take_recommender, &w, err);
    if (!status)
        status = pz_locate_solutions(group, take_solution, &w, err);
    pz_catalog_close(c);
    return status;
}

const char *
pz_givers_find(void *givers, const char *recommendation)
{
    const struct pz_givers *g = givers;
    uint32_t mark;
    if (pz_recommendation_marked(recommendation, &mark))
        for (size_t i = 0; i < g->n; i++)
            if (g->row[i].mark == mark)
                return g->row[i].source;
    return NULL;
}

void
pz_givers_release(struct pz_givers *g)
{
    for (size_t i = 0; i < g->n; i++)
        free(g->row[i].source);
    free(g->row);
    *g = (struct pz_givers){0};
}
