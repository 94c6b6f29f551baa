/* The control plane: AWS JSON 1.1, POST / with X-Amz-Target. */
#include <string.h>
#include <sys/stat.h>

#include "base/num.h"
#include "recipe/recipe.h"
#include "serve/server.h"

/* ---- shapes ---- */

static const struct pz_shape token_shape = {.kind = PZ_SHAPE_STRING, .max = 1500};
static const struct pz_shape page_shape = {
    .kind = PZ_SHAPE_INTEGER, .bounded = true, .min = 1, .max = 100};
static const char *const providers[] = {"SERVICE", NULL};
static const struct pz_shape provider_shape = {.kind = PZ_SHAPE_STRING,
                                               .values = providers};
static const char *const domains[] = {"ECOMMERCE", "VIDEO_ON_DEMAND", NULL};
static const struct pz_shape domain_shape = {.kind = PZ_SHAPE_STRING, .values = domains};

static const struct pz_member list_groups_members[] = {
    {"nextToken", &token_shape, false},
    {"maxResults", &page_shape, false},
    {NULL, NULL, false},
};
static const struct pz_member list_recipes_members[] = {
    {"recipeProvider", &provider_shape, false},
    {"nextToken", &token_shape, false},
    {"maxResults", &page_shape, false},
    {"domain", &domain_shape, false},
    {NULL, NULL, false},
};
static const struct pz_member describe_campaign_members[] = {
    {"campaignArn", &pz_shape_arn, true},
    {NULL, NULL, false},
};
#define BODY(what)                                                                       \
    static const struct pz_shape what##_shape = {.kind = PZ_SHAPE_STRUCT,                \
                                                 .member = what##_members}
BODY(list_groups);
BODY(list_recipes);
BODY(describe_campaign);

/* ---- pages ---- */

/* The part of a list of n that is asked for, [*from, *to). A token is the number of the
 * first. False: the call has failed. */
static bool
page(struct pz_call *call, size_t n, size_t *from, size_t *to)
{
    const char *token = pz_body_string(call->body, "nextToken");
    int64_t most = 100, at = 0;
    pz_body_i64(call->body, "maxResults", &most);
    if (token && (pz_parse_i64(token, strlen(token), &at) || at < 0 || (size_t)at > n)) {
        pz_api_fail(call, PZ_FAULT_NEXT_TOKEN, "nextToken '%.40s' is not valid", token);
        return false;
    }
    *from = (size_t)at;
    *to = n - *from < (size_t)most ? n : *from + (size_t)most;
    return true;
}

static enum pz_http_when
end_page(struct pz_call *call, size_t n, size_t to)
{
    struct pz_buf *out = &call->http->out;
    pz_buf_addc(out, ']');
    if (to < n)
        pz_buf_addf(out, ",\"nextToken\":\"%zu\"", to);
    pz_buf_addc(out, '}');
    call->http->status = 200;
    return PZ_HTTP_NOW;
}

/* ---- operations ---- */

static enum pz_http_when
list_groups(struct pz_call *call)
{
    struct pz_buf *out = &call->http->out;
    const struct pz_site *w = call->site;
    size_t from, to;
    if (!page(call, w->n_groups, &from, &to))
        return PZ_HTTP_NOW;
    pz_buf_addz(out, "{\"datasetGroups\":[");
    for (size_t i = from; i < to; i++) {
        const struct pz_group *g = w->group[i];
        struct stat st = {0};
        bool first = true;
        stat(g->path, &st);
        pz_buf_addz(out, i > from ? ",{" : "{");
        pz_out_text(out, &first, "name", g->name);
        pz_out_arn(out, &first, "datasetGroupArn", pz_api_home(call), "dataset-group",
                   g->name);
        pz_out_text(out, &first, "status", "ACTIVE");
        pz_out_i64(out, &first, "creationDateTime", st.st_ctim.tv_sec);
        pz_out_i64(out, &first, "lastUpdatedDateTime", st.st_mtim.tv_sec);
        pz_buf_addc(out, '}');
    }
    return end_page(call, w->n_groups, to);
}

static enum pz_http_when
list_recipes(struct pz_call *call)
{
    struct pz_buf *out = &call->http->out;
    size_t n = 0, from, to;
    if (!pz_body_string(call->body, "domain")) // there are none for a domain
        while (pz_recipes[n])
            n++;
    if (!page(call, n, &from, &to))
        return PZ_HTTP_NOW;
    pz_buf_addz(out, "{\"recipes\":[");
    for (size_t i = from; i < to; i++) {
        bool first = true;
        pz_buf_addz(out, i > from ? ",{" : "{");
        pz_out_text(out, &first, "name", pz_recipes[i]->name);
        pz_out_arn(out, &first, "recipeArn", pz_api_home(call), "recipe",
                   pz_recipes[i]->name);
        pz_out_text(out, &first, "status", "ACTIVE");
        pz_buf_addc(out, '}');
    }
    return end_page(call, n, to);
}

static void
add_version_arn(struct pz_call *call, bool *first, const struct pz_campaign *c)
{
    struct pz_buf *out = &call->http->out;
    if (!c->version)
        return;
    pz_out_key(out, first, "solutionVersionArn");
    pz_buf_addc(out, '"');
    pz_arn_add(out, pz_api_home(call), "solution", c->solution);
    pz_buf_addf(out, "/%s\"", c->version);
}

static enum pz_http_when
describe_campaign(struct pz_call *call)
{
    const char *arn = pz_body_string(call->body, "campaignArn");
    const struct pz_group *g;
    const struct pz_campaign *c = NULL;
    struct pz_buf *out = &call->http->out;
    struct pz_arn parts;
    bool several, first = true;
    if (!pz_arn_parse(&parts, arn) || !pz_arn_is(&parts, "campaign"))
        return pz_api_fail(call, PZ_FAULT_INVALID_INPUT,
                           "'%s' is not the ARN of a campaign", arn);
    for (int again = 0; again < 2 && !c; again++) {
        if (again)
            pz_api_look(call);
        c = pz_site_campaign(call->site, parts.name, parts.n_name, &g, &several);
    }
    if (!c)
        return pz_api_fail(call, PZ_FAULT_NOT_FOUND, "Campaign %s does not exist", arn);
    pz_buf_addz(out, "{\"campaign\":{");
    pz_out_text(out, &first, "name", c->name);
    pz_out_arn(out, &first, "campaignArn", pz_api_home(call), "campaign", c->name);
    add_version_arn(call, &first, c);
    pz_out_i64(out, &first, "minProvisionedTPS", 1);
    pz_out_text(out, &first, "status", c->deploy ? "ACTIVE" : "CREATE FAILED");
    pz_out_text(out, &first, "failureReason", c->why);
    pz_buf_addz(out, "}}");
    call->http->status = 200;
    return PZ_HTTP_NOW;
}

#define ROW(operation, shape, fn)                                                        \
    {                                                                                    \
        PZ_CONTROL, operation, "POST", "/", shape, fn, 0                                 \
    }
const struct pz_route pz_control_routes[] = {
    ROW("DescribeCampaign", &describe_campaign_shape, describe_campaign),
    ROW("ListDatasetGroups", &list_groups_shape, list_groups),
    ROW("ListRecipes", &list_recipes_shape, list_recipes),
    {PZ_CONTROL, NULL, NULL, NULL, NULL, NULL, 0},
};
