/* The runtime API: GetRecommendations, GetPersonalizedRanking, GetActionRecommendations.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "serve/round.h"

enum {
    DEFAULT_RESULTS = 25,
    DEFAULT_ACTIONS = 5,
    MAX_RESULTS = 10000, // ours; AWS's 500 with --strict
    MAX_METADATA_RESULTS = 50,
    MAX_METADATA_COLUMNS = 10,
};

/* ---- shapes ---- */

static const struct pz_shape id_shape = {.kind = PZ_SHAPE_STRING, .max = 256};
static const struct pz_shape context_key = {
    .kind = PZ_SHAPE_STRING, .max = 150, .pattern = &pz_pattern_word};
static const struct pz_shape value_key = {
    .kind = PZ_SHAPE_STRING, .max = 50, .pattern = &pz_pattern_word};
static const struct pz_shape value_text = {.kind = PZ_SHAPE_STRING, .max = 1000};
static const struct pz_shape context_shape = {
    .kind = PZ_SHAPE_MAP, .max = 150, .key = &context_key, .item = &value_text};
static const struct pz_shape values_shape = {.kind = PZ_SHAPE_MAP,
                                             .max = PZ_FILTER_VALUES,
                                             .key = &value_key,
                                             .item = &value_text};
static const struct pz_shape results_shape = {
    .kind = PZ_SHAPE_INTEGER, .bounded = true, .min = 0, .max = 2147483647};
static const struct pz_shape percent_shape = {
    .kind = PZ_SHAPE_INTEGER, .bounded = true, .min = 1, .max = 100};
static const struct pz_member promotion_members[] = {
    {"name", &pz_shape_name, false},
    {"percentPromotedItems", &percent_shape, false},
    {"filterArn", &pz_shape_arn, false},
    {"filterValues", &values_shape, false},
    {NULL, NULL, false},
};
static const struct pz_shape promotion_shape = {.kind = PZ_SHAPE_STRUCT,
                                                .member = promotion_members};
static const struct pz_shape promotions_shape = {
    .kind = PZ_SHAPE_LIST, .max = 1, .item = &promotion_shape};
static const struct pz_shape set_key = {.kind = PZ_SHAPE_STRING, .max = 256};
static const struct pz_shape column_shape = {.kind = PZ_SHAPE_STRING, .max = 150};
static const struct pz_shape columns_shape = {
    .kind = PZ_SHAPE_LIST, .max = 99, .item = &column_shape};
static const struct pz_shape metadata_shape = {
    .kind = PZ_SHAPE_MAP, .max = 1, .key = &set_key, .item = &columns_shape};
static const struct pz_shape input_shape = {.kind = PZ_SHAPE_LIST, .item = &id_shape};

static const struct pz_member recommendations_members[] = {
    {"campaignArn", &pz_shape_arn, false},
    {"recommenderArn", &pz_shape_arn, false},
    {"itemId", &id_shape, false},
    {"userId", &id_shape, false},
    {"numResults", &results_shape, false},
    {"context", &context_shape, false},
    {"filterArn", &pz_shape_arn, false},
    {"filterValues", &values_shape, false},
    {"promotions", &promotions_shape, false},
    {"metadataColumns", &metadata_shape, false},
    {NULL, NULL, false},
};
static const struct pz_member ranking_members[] = {
    {"campaignArn", &pz_shape_arn, true},
    {"inputList", &input_shape, true},
    {"userId", &id_shape, true},
    {"context", &context_shape, false},
    {"filterArn", &pz_shape_arn, false},
    {"filterValues", &values_shape, false},
    {"metadataColumns", &metadata_shape, false},
    {NULL, NULL, false},
};
static const struct pz_member actions_members[] = {
    {"campaignArn", &pz_shape_arn, false},  {"userId", &id_shape, false},
    {"numResults", &results_shape, false},  {"filterArn", &pz_shape_arn, false},
    {"filterValues", &values_shape, false}, {NULL, NULL, false},
};
static const struct pz_shape recommendations_shape = {.kind = PZ_SHAPE_STRUCT,
                                                      .member = recommendations_members};
static const struct pz_shape ranking_shape = {.kind = PZ_SHAPE_STRUCT,
                                              .member = ranking_members};
static const struct pz_shape actions_shape = {.kind = PZ_SHAPE_STRUCT,
                                              .member = actions_members};

/* ---- a request ---- */

static struct pz_text
text_of(const char *s)
{
    return (struct pz_text){s, s ? strlen(s) : 0};
}

static bool
failed(const struct pz_inquiry *a)
{
    return a->call.http->status != 0;
}

/* The campaign that an ARN names, with something to answer from. */
static void
find_campaign(struct pz_inquiry *a, const char *arn)
{
    struct pz_call *call = &a->call;
    struct pz_arn parts;
    bool several = false;
    if (!pz_arn_parse(&parts, arn) ||
        (!pz_arn_is(&parts, "campaign") && !pz_arn_is(&parts, "recommender"))) {
        pz_api_fail(call, PZ_FAULT_INVALID_INPUT,
                    "'%s' is not the ARN of a campaign or recommender", arn);
        return;
    }
    bool recommender = pz_arn_is(&parts, "recommender");
    const char *what = recommender ? "Recommender" : "Campaign";
    for (int again = 0; again < 2 && !several; again++) {
        if (again)
            pz_api_look(call);
        a->campaign = pz_site_campaign(call->site, recommender, parts.name, parts.n_name,
                                       &a->group, &several);
        if (a->campaign && !a->campaign->lost)
            break;
    }
    const struct pz_campaign *c = a->campaign;
    call->blind = c ? c->lost : call->blind;
    if (pz_api_blind(call))
        return;
    if (several)
        pz_api_fail(call, PZ_FAULT_INVALID_INPUT,
                    "several groups have a solution '%s': make a campaign for one",
                    parts.name);
    else if (!c)
        pz_api_fail(call, PZ_FAULT_NOT_FOUND, "%s %s does not exist", what, arn);
    else if (!c->deploy)
        pz_api_fail(call, PZ_FAULT_NOT_FOUND, "%s %s is not active: %s", what, arn,
                    c->why ? c->why : "it has no model");
    else
        a->deploy = c->deploy;
}

/* What was asked for (NULL: nothing) and, where it is `own`, what the model's preset adds
 * to every answer. */
static const struct pz_gate *
open_gate(struct pz_inquiry *a, const char *asked, bool own)
{
    const struct pz_model *m = &a->deploy->model;
    const struct pz_gate *gate = NULL;
    struct pz_err err = PZ_ERR_INIT;
    char *text = NULL;
    if (own && m->filter)
        pz_scope_filter_text(&text, m, asked, &err);
    const char *expression = text ? text : asked;
    if (!err.status && expression)
        pz_deploy_gate(a->deploy, expression, pz_api_strict(&a->call), &gate, &err);
    if (err.status)
        pz_api_fail_err(&a->call, &err);
    free(text);
    return gate;
}

static const struct pz_gate *
find_filter(struct pz_inquiry *a, const char *arn, bool own)
{
    struct pz_call *call = &a->call;
    const struct pz_named *f = NULL;
    struct pz_arn parts;
    if (!pz_arn_parse(&parts, arn) || !pz_arn_is(&parts, "filter")) {
        pz_api_fail(call, PZ_FAULT_INVALID_INPUT, "'%s' is not the ARN of a filter", arn);
        return NULL;
    }
    f = pz_group_filter(a->group, parts.name, parts.n_name);
    if (!f) {
        pz_api_look(call);
        const struct pz_group *now =
            pz_site_group(call->site, a->group->name, strlen(a->group->name));
        f = now ? pz_group_filter(now, parts.name, parts.n_name) : NULL;
    }
    if (!f && pz_api_blind(call))
        return NULL;
    if (!f)
        pz_api_fail(call, PZ_FAULT_NOT_FOUND, "Filter %s does not exist", arn);
    return f ? open_gate(a, f->expression, own) : NULL;
}

static size_t
read_values(const pz_json *map, struct pz_filter_value out[PZ_FILTER_VALUES])
{
    size_t n = 0;
    for (const pz_json *v = map ? pz_json_first(map) : NULL; v && n < PZ_FILTER_VALUES;
         v = pz_json_next(v)) {
        struct pz_text name = text_of(pz_json_key(v)), text = text_of(pz_json_string(v));
        out[n++] = (struct pz_filter_value){name.s, name.n, text.s, text.n};
    }
    return n;
}

static void
read_promotion(struct pz_inquiry *a, const pz_json *list)
{
    const pz_json *p = list ? pz_json_first(list) : NULL;
    int64_t percent = 0;
    if (!p)
        return;
    const char *arn = pz_body_string(p, "filterArn");
    a->promotion = pz_body_string(p, "name");
    if (!arn || !a->promotion || !pz_body_i64(p, "percentPromotedItems", &percent)) {
        pz_api_fail(&a->call, PZ_FAULT_INVALID_INPUT,
                    "a promotion needs name, percentPromotedItems and filterArn");
        return;
    }
    a->key.percent = (double)percent;
    a->key.promotion = find_filter(a, arn, false);
    a->q.split_values = true;
    a->q.promotion_value = a->promotion_value;
    a->q.n_promotion_values =
        read_values(pz_body_get(p, "filterValues"), a->promotion_value);
}

static void
read_columns(struct pz_inquiry *a, const pz_json *map)
{
    const pz_json *list = map ? pz_json_first(map) : NULL;
    const struct pz_dataset *d = a->deploy->sets->g.data.set[PZ_ITEMS];
    if (!list)
        return;
    if (strcmp(pz_json_key(list), "ITEMS") != 0) {
        pz_api_fail(&a->call, PZ_FAULT_INVALID_INPUT,
                    "metadataColumns can have columns of ITEMS only, not of '%s'",
                    pz_json_key(list));
        return;
    }
    size_t most = pz_api_strict(&a->call) ? MAX_METADATA_COLUMNS : PZ_COLUMNS;
    if (pz_json_count(list) > most) {
        pz_api_fail(&a->call, PZ_FAULT_INVALID_INPUT,
                    "metadataColumns can have %zu columns at most", most);
        return;
    }
    for (const pz_json *c = pz_json_first(list); c; c = pz_json_next(c)) {
        struct pz_text name = text_of(pz_json_string(c));
        int at = d ? pz_schema_find(&d->schema, name.s, name.n) : -1;
        if (at < 0) {
            pz_api_fail(&a->call, PZ_FAULT_INVALID_INPUT,
                        "the items dataset has no column '%s'", name.s);
            return;
        }
        a->key.column[a->key.n_columns++] = &d->schema.field[at];
    }
    if (pz_api_strict(&a->call) && a->q.n > MAX_METADATA_RESULTS)
        pz_api_fail(&a->call, PZ_FAULT_INVALID_INPUT,
                    "numResults must be %d at most with metadataColumns",
                    MAX_METADATA_RESULTS);
}

/* Context must be columns of the interactions, where these are known. */
static void
check_context(struct pz_inquiry *a, const pz_json *context)
{
    const struct pz_dataset *d = a->deploy->sets->g.data.set[PZ_INTERACTIONS];
    for (const pz_json *c = context && d ? pz_json_first(context) : NULL; c;
         c = pz_json_next(c)) {
        const char *key = pz_json_key(c);
        if (pz_schema_find(&d->schema, key, strlen(key)) < 0) {
            pz_api_fail(&a->call, PZ_FAULT_INVALID_INPUT,
                        "context: the interactions dataset has no column '%s'", key);
            return;
        }
    }
}

static void
read_results(struct pz_inquiry *a, int64_t standard)
{
    int64_t n = standard;
    int64_t most = !pz_api_strict(&a->call) ? MAX_RESULTS : a->actions ? 100 : 500;
    pz_body_i64(a->call.body, "numResults", &n);
    if (n > most)
        pz_api_fail(&a->call, PZ_FAULT_INVALID_INPUT,
                    "numResults must be %lld at most, not %lld", (long long)most,
                    (long long)n);
    a->q.n = (size_t)n;
}

/* What all operations have in common. */
static void
read_common(struct pz_inquiry *a)
{
    const pz_json *body = a->call.body;
    const char *filter = pz_body_string(body, "filterArn");
    const char *user = pz_body_string(body, "userId"),
               *item = pz_body_string(body, "itemId");
    const pz_json *values = pz_body_get(body, "filterValues");
    a->q.explore = a->campaign->explore;
    a->q.has_influence = a->campaign->has_influence;
    a->q.influence = a->campaign->influence;
    a->q.user = text_of(user);
    a->q.has_user = user && *user;
    a->q.item = text_of(item);
    a->q.has_item = item && *item;
    if (filter)
        a->key.filter = find_filter(a, filter, true);
    else if (values && pz_json_count(values))
        pz_api_fail(&a->call, PZ_FAULT_INVALID_INPUT,
                    "filterValues are of no use without filterArn");
    else
        a->key.filter = open_gate(a, NULL, true);
    a->q.value = a->value;
    a->q.n_values = read_values(values, a->value);
    if (!failed(a))
        check_context(a, pz_body_get(body, "context"));
    if (!failed(a))
        read_columns(a, pz_body_get(body, "metadataColumns"));
}

static void
need_ids(struct pz_inquiry *a)
{
    const struct pz_model *m = &a->deploy->model;
    if (pz_model_answers_users(m))
        pz_api_fail(&a->call, PZ_FAULT_INVALID_INPUT,
                    "recipe %s is of type USER_SEGMENTATION, which is for batches",
                    m->recipe->name);
    else if (pz_model_asks_item(m) && !a->q.has_item)
        pz_api_fail(&a->call, PZ_FAULT_INVALID_INPUT,
                    "itemId is required: recipe %s is of type RELATED_ITEMS",
                    m->recipe->name);
    else if (!pz_model_asks_item(m) && !a->q.has_user &&
             m->recipe->type != PZ_POPULAR_ITEMS)
        pz_api_fail(&a->call, PZ_FAULT_INVALID_INPUT, "userId is required");
}

static enum pz_http_when
get_recommendations(struct pz_call *call)
{
    struct pz_inquiry *a;
    const char *campaign = pz_body_string(call->body, "campaignArn"),
               *recommender = pz_body_string(call->body, "recommenderArn");
    if (!campaign == !recommender)
        return pz_api_fail(call, PZ_FAULT_INVALID_INPUT,
                           "exactly one of campaignArn and recommenderArn is required");
    if (!(a = pz_round_take(call, "itemList")))
        return PZ_HTTP_NOW;
    find_campaign(a, campaign ? campaign : recommender);
    if (!failed(a))
        read_results(a, DEFAULT_RESULTS);
    if (!failed(a))
        read_common(a);
    if (!failed(a))
        need_ids(a);
    if (!failed(a))
        read_promotion(a, pz_body_get(call->body, "promotions"));
    return pz_round_add(a, call);
}

static enum pz_http_when
get_ranking(struct pz_call *call)
{
    struct pz_inquiry *a = pz_round_take(call, "personalizedRanking");
    struct pz_err err = PZ_ERR_INIT;
    const pz_json *list = pz_body_get(call->body, "inputList");
    size_t n = pz_json_count(list), most = pz_api_strict(call) ? 500 : MAX_RESULTS;
    if (!a)
        return PZ_HTTP_NOW;
    find_campaign(a, pz_body_string(call->body, "campaignArn"));
    if (!failed(a) && n > most)
        pz_api_fail(call, PZ_FAULT_INVALID_INPUT, "inputList can have %zu items at most",
                    most);
    if (!failed(a) && pz_model_asks_item(&a->deploy->model))
        pz_api_fail(call, PZ_FAULT_INVALID_INPUT,
                    "recipe %s does not rank items for users",
                    a->deploy->model.recipe->name);
    if (!failed(a) && pz_new(&a->input, n, sizeof *a->input, "a list", &err))
        pz_api_fail_err(call, &err);
    if (failed(a))
        return pz_round_add(a, call);
    n = 0;
    for (const pz_json *i = pz_json_first(list); i; i = pz_json_next(i))
        a->input[n++] = text_of(pz_json_string(i));
    a->q.candidate = a->input;
    a->q.n_candidates = a->q.n = n;
    a->q.has_candidates = true;
    read_common(a);
    if (!failed(a))
        need_ids(a);
    return pz_round_add(a, call);
}

static enum pz_http_when
get_actions(struct pz_call *call)
{
    struct pz_inquiry *a;
    const char *campaign = pz_body_string(call->body, "campaignArn");
    if (!campaign)
        return pz_api_fail(call, PZ_FAULT_INVALID_INPUT, "campaignArn is required");
    if (!(a = pz_round_take(call, "actionList")))
        return PZ_HTTP_NOW;
    a->actions = true;
    find_campaign(a, campaign);
    if (!failed(a) && a->deploy->model.recipe->type != PZ_PERSONALIZED_ACTIONS)
        pz_api_fail(call, PZ_FAULT_INVALID_INPUT,
                    "recipe %s is not of type PERSONALIZED_ACTIONS",
                    a->deploy->model.recipe->name);
    if (!failed(a))
        read_results(a, DEFAULT_ACTIONS);
    if (!failed(a))
        read_common(a);
    if (!failed(a))
        need_ids(a);
    return pz_round_add(a, call);
}

const struct pz_route pz_runtime_routes[] = {
    {PZ_RUNTIME, "GetRecommendations", "POST", "/recommendations", &recommendations_shape,
     get_recommendations, 0},
    {PZ_RUNTIME, "GetPersonalizedRanking", "POST", "/personalize-ranking", &ranking_shape,
     get_ranking, 0},
    {PZ_RUNTIME, "GetActionRecommendations", "POST", "/action-recommendations",
     &actions_shape, get_actions, 0},
    {PZ_RUNTIME, NULL, NULL, NULL, NULL, NULL, 0},
};
