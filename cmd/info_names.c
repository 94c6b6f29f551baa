#include "cmd/info_names.h"

#include <string.h>

#include "store/catalog_campaign.h"
#include "store/catalog_filter.h"
#include "store/catalog_resource.h"

struct names {
    struct pz_show *root, *list; // list: NULL before the first
    const char *key;
};

/* A row of the list, which is there from the first row on. */
static struct pz_show *
row_of(struct names *n, const char *name)
{
    if (!n->list)
        n->list = pz_show_array(n->root, n->key);
    struct pz_show *o = pz_show_object(n->list, NULL);
    pz_show_text(o, "name", name);
    return o;
}

static int
show_campaign(void *ctx, const struct pz_catalog_campaign *row)
{
    struct pz_show *o = row_of(ctx, row->name);
    pz_show_text(o, "solution", row->solution);
    pz_show_text(o, "version", row->version ? row->version : "latest");
    pz_show_time(o, "created", row->created);
    return 0;
}

static int
show_filter(void *ctx, const struct pz_catalog_filter *row)
{
    struct pz_show *o = row_of(ctx, row->name);
    pz_show_time(o, "created", row->created);
    pz_show_text(o, "expression", row->expression);
    return 0;
}

static int
show_recommender(void *ctx, const struct pz_catalog_resource *row)
{
    struct pz_show *o = row_of(ctx, row->name);
    struct pz_err err = PZ_ERR_INIT;
    pz_json *doc = NULL;
    if (pz_json_parse(&doc, row->doc, strlen(row->doc), &err))
        doc = NULL;
    const char *arn = doc ? pz_json_get_string(doc, "recipeArn") : NULL;
    const char *slash = arn ? strrchr(arn, '/') : NULL;
    pz_show_text(o, "recipe", slash ? slash + 1 : "");
    pz_show_text(o, "status", row->status);
    pz_show_time(o, "created", row->created);
    pz_json_free(doc);
    return 0;
}

/* A row for each metric. */
static int
show_attribution(void *ctx, const struct pz_catalog_resource *row)
{
    static const char *const member[] = {"metricName", "eventType", "expression"};
    static const char *const key[] = {"metric", "eventType", "expression"};
    struct pz_err err = PZ_ERR_INIT;
    pz_json *doc = NULL;
    if (pz_json_parse(&doc, row->doc, strlen(row->doc), &err))
        doc = NULL;
    const pz_json *list = doc ? pz_json_get(doc, "metrics") : NULL;
    for (const pz_json *m = list ? pz_json_first(list) : NULL; m; m = pz_json_next(m)) {
        struct pz_show *o = row_of(ctx, row->name);
        for (size_t i = 0; i < sizeof member / sizeof *member; i++) {
            const char *text = pz_json_get_string(m, member[i]);
            pz_show_text(o, key[i], text ? text : "");
        }
    }
    pz_json_free(doc);
    return 0;
}

int
pz_info_names(struct pz_show *root, struct pz_catalog *c, struct pz_err *err)
{
    struct names campaigns = {root, NULL, "campaigns"};
    struct names recommenders = {root, NULL, "recommenders"};
    struct names filters = {root, NULL, "filters"};
    struct names metrics = {root, NULL, "metricAttributions"};
    if (pz_catalog_campaigns(c, NULL, show_campaign, &campaigns, err) ||
        pz_catalog_resources(c, "recommender", show_recommender, &recommenders, err) ||
        pz_catalog_filters(c, NULL, show_filter, &filters, err))
        return err->status;
    return pz_catalog_resources(c, "metricAttribution", show_attribution, &metrics, err);
}
