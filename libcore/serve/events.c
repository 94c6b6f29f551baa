/* The events API: PutEvents, PutItems, PutUsers, PutActions, PutActionInteractions. */
#include <string.h>

#include "serve/server.h"

/* ---- shapes ---- */

static const struct pz_shape id_shape = {.kind = PZ_SHAPE_STRING, .min = 1, .max = 256};
static const struct pz_shape event_properties = {
    .kind = PZ_SHAPE_STRING, .min = 1, .max = 1024};
static const struct pz_shape item_properties = {
    .kind = PZ_SHAPE_STRING, .min = 1, .max = 32000};
static const struct pz_shape user_properties = {
    .kind = PZ_SHAPE_STRING, .min = 1, .max = 24000};
static const struct pz_shape recommendation = {
    .kind = PZ_SHAPE_STRING, .min = 1, .max = 40};
static const struct pz_shape impression = {
    .kind = PZ_SHAPE_LIST, .min = 1, .max = 25, .item = &id_shape};
static const struct pz_shape source = {
    .kind = PZ_SHAPE_STRING, .max = 1024, .pattern = &pz_pattern_attribution};
static const struct pz_member attribution_members[] = {
    {"eventAttributionSource", &source, true},
    {NULL, NULL, false},
};
static const struct pz_shape attribution = {.kind = PZ_SHAPE_STRUCT,
                                            .member = attribution_members};

static const struct pz_member event_members[] = {
    {"eventId", &pz_shape_string, false},         {"eventType", &pz_shape_string, true},
    {"eventValue", &pz_shape_number, false},      {"itemId", &id_shape, false},
    {"properties", &event_properties, false},     {"sentAt", &pz_shape_time, true},
    {"recommendationId", &recommendation, false}, {"impression", &impression, false},
    {"metricAttribution", &attribution, false},   {NULL, NULL, false},
};
static const struct pz_member action_event_members[] = {
    {"actionId", &id_shape, true},
    {"userId", &id_shape, false},
    {"sessionId", &pz_shape_string, true},
    {"timestamp", &pz_shape_time, true},
    {"eventType", &pz_shape_string, true},
    {"eventId", &pz_shape_string, false},
    {"recommendationId", &recommendation, false},
    {"impression", &impression, false},
    {"properties", &event_properties, false},
    {NULL, NULL, false},
};
static const struct pz_member item_members[] = {
    {"itemId", &pz_shape_string, true},
    {"properties", &item_properties, false},
    {NULL, NULL, false},
};
static const struct pz_member user_members[] = {
    {"userId", &pz_shape_string, true},
    {"properties", &user_properties, false},
    {NULL, NULL, false},
};
static const struct pz_member action_members[] = {
    {"actionId", &pz_shape_string, true},
    {"properties", &item_properties, false},
    {NULL, NULL, false},
};

/* A list of 1 to 10 structures. */
#define LIST_OF(what)                                                                    \
    static const struct pz_shape what##_shape = {.kind = PZ_SHAPE_STRUCT,                \
                                                 .member = what##_members};              \
    static const struct pz_shape what##_list = {                                         \
        .kind = PZ_SHAPE_LIST, .min = 1, .max = 10, .item = &what##_shape}
LIST_OF(event);
LIST_OF(action_event);
LIST_OF(item);
LIST_OF(user);
LIST_OF(action);

static const struct pz_member put_events_members[] = {
    {"trackingId", &pz_shape_string, true},
    {"userId", &id_shape, false},
    {"sessionId", &pz_shape_string, true},
    {"eventList", &event_list, true},
    {NULL, NULL, false},
};
static const struct pz_member put_action_interactions_members[] = {
    {"trackingId", &pz_shape_string, true},
    {"actionInteractions", &action_event_list, true},
    {NULL, NULL, false},
};
#define PUT_RECORDS(what, list, shape)                                                   \
    static const struct pz_member put_##what##_members[] = {                             \
        {"datasetArn", &pz_shape_arn, true},                                             \
        {list, &shape, true},                                                            \
        {NULL, NULL, false},                                                             \
    }
PUT_RECORDS(items, "items", item_list);
PUT_RECORDS(users, "users", user_list);
PUT_RECORDS(actions, "actions", action_list);

#define BODY(what)                                                                       \
    static const struct pz_shape what##_shape = {.kind = PZ_SHAPE_STRUCT,                \
                                                 .member = what##_members}
BODY(put_events);
BODY(put_items);
BODY(put_users);
BODY(put_actions);
BODY(put_action_interactions);

/* ---- which group ---- */

/* A group without a tracker takes any id when it is the only one, as pz-event does. */
static const struct pz_group *
tracked_group(struct pz_call *call, const char *id)
{
    for (int again = 0; again < 2; again++) {
        if (again)
            pz_api_look(call);
        const struct pz_site *w = call->site;
        const struct pz_group *g = pz_site_tracker(w, id);
        if (g)
            return g;
        if (w->n_groups == 1 && w->group[0]->n_tracking_ids == 0 && !pz_api_strict(call))
            return w->group[0];
    }
    if (!pz_api_blind(call))
        pz_api_fail(call, PZ_FAULT_INVALID_INPUT, "trackingId '%s' is not of any group",
                    id);
    return NULL;
}

/* The group of dataset/GROUP/KIND. */
static const struct pz_group *
dataset_group(struct pz_call *call, const char *arn, const char *kind, enum pz_set set)
{
    struct pz_arn parts;
    const struct pz_group *g = NULL;
    bool valid = pz_arn_parse(&parts, arn) && pz_arn_is(&parts, "dataset");
    const char *slash = valid ? strchr(parts.name, '/') : NULL;
    if (!slash || strcmp(slash + 1, kind) != 0) {
        pz_api_fail(call, PZ_FAULT_INVALID_INPUT,
                    "'%s' is not the ARN of a dataset of type %s", arn, kind);
        return NULL;
    }
    for (int again = 0; again < 2 && !(g && g->sets->g.data.set[set]); again++) {
        if (again)
            pz_api_look(call);
        g = pz_site_group(call->site, parts.name, (size_t)(slash - parts.name));
    }
    if (g && g->sets->g.data.set[set])
        return g;
    if (!pz_api_blind(call))
        pz_api_fail(call, PZ_FAULT_NOT_FOUND, "Dataset %s does not exist", arn);
    return NULL;
}

/* ---- putting ---- */

static enum pz_http_when
put(struct pz_call *call, const struct pz_group *g)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_worker *w = call->worker;
    struct pz_putter *putter;
    struct pz_put_job *job;
    bool strict = pz_api_strict(call);
    if (!g)
        return PZ_HTTP_NOW;
    if (pz_putter_get(&putter, &w->putters, g, w->server->shown, &err) ||
        pz_putter_job(&job, putter, strict, &err))
        return pz_api_fail_err(call, &err);
    job->http = call->http;
    int status = pz_put_line(job->put, call->http->body, call->http->n_body,
                             call->route->operation, 1, &err);
    if (!status) {
        call->http->app = job; // until the answer has gone
        status = pz_intake_submit(w->server->intakes, g->path, job, &err);
    }
    if (status == PZ_OK)
        return PZ_HTTP_LATER;
    call->http->app = NULL;
    pz_putter_return(&w->putters, job);
    if (status == PZ_NEGATIVE)
        return pz_api_fail(call, PZ_FAULT_THROTTLING,
                           "too many requests wait for the disk: try again");
    return pz_api_fail_err(call, &err);
}

static enum pz_http_when
put_tracked(struct pz_call *call)
{
    return put(call, tracked_group(call, pz_body_string(call->body, "trackingId")));
}

static enum pz_http_when
put_items(struct pz_call *call)
{
    const char *arn = pz_body_string(call->body, "datasetArn");
    return put(call, dataset_group(call, arn, "ITEMS", PZ_ITEMS));
}

static enum pz_http_when
put_users(struct pz_call *call)
{
    const char *arn = pz_body_string(call->body, "datasetArn");
    return put(call, dataset_group(call, arn, "USERS", PZ_USERS));
}

static enum pz_http_when
put_actions(struct pz_call *call)
{
    const char *arn = pz_body_string(call->body, "datasetArn");
    return put(call, dataset_group(call, arn, "ACTIONS", PZ_ACTIONS));
}

const struct pz_route pz_events_routes[] = {
    {PZ_EVENTS, "PutEvents", "POST", "/events", &put_events_shape, put_tracked, 0},
    {PZ_EVENTS, "PutItems", "POST", "/items", &put_items_shape, put_items, 0},
    {PZ_EVENTS, "PutUsers", "POST", "/users", &put_users_shape, put_users, 0},
    {PZ_EVENTS, "PutActions", "POST", "/actions", &put_actions_shape, put_actions, 0},
    {PZ_EVENTS, "PutActionInteractions", "POST", "/action-interactions",
     &put_action_interactions_shape, put_tracked, 0},
    {PZ_EVENTS, NULL, NULL, NULL, NULL, NULL, 0},
};
