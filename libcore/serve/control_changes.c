/* Changes of what there is: the Update operations, and tags. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "serve/control.h"
#include "serve/server.h"

/* ---- changes ---- */

/* The document with a member replaced (value NULL: taken away). */
const char *
pz_desk_changed(struct pz_desk_call *d, const char *doc, const char *key,
                const char *value)
{
    struct pz_buf b = PZ_BUF_INIT;
    pz_json *j = NULL;
    const char *out = NULL;
    bool first = true;
    if (pz_json_parse(&j, doc, strlen(doc), &d->err))
        return NULL;
    pz_buf_addc(&b, '{');
    for (const pz_json *m = pz_json_first(j); m; m = pz_json_next(m))
        if (strcmp(pz_json_key(m), key) != 0) {
            pz_out_key(&b, &first, pz_json_key(m));
            pz_json_add(&b, m);
        }
    if (value) {
        pz_out_key(&b, &first, key);
        pz_buf_addz(&b, value);
    }
    pz_buf_addc(&b, '}');
    if (!pz_buf_status(&b, "a resource", &d->err))
        pz_arena_copy(d->arena, &out, b.data, b.len, "a resource", &d->err);
    pz_buf_release(&b);
    pz_json_free(j);
    return out;
}

const char *
pz_desk_json(struct pz_desk_call *d, const pz_json *j)
{
    struct pz_buf b = PZ_BUF_INIT;
    const char *out = NULL;
    pz_json_add(&b, j);
    if (!pz_buf_status(&b, "a resource", &d->err))
        pz_arena_copy(d->arena, &out, b.data, b.len, "a resource", &d->err);
    pz_buf_release(&b);
    return out;
}

const char *
pz_desk_merged(struct pz_desk_call *d, const char *doc, const char *const *member)
{
    for (; *member && doc; member++) {
        const pz_json *j = pz_body_get(d->call->body, *member);
        const char *value = j ? pz_desk_json(d, j) : NULL;
        if (value)
            doc = pz_desk_changed(d, doc, *member, value);
    }
    return d->err.status ? NULL : doc;
}

const char *
pz_desk_noted(struct pz_desk_call *d, const char *doc, const char *key,
              const char *const *member, const char *status)
{
    struct pz_buf b = PZ_BUF_INIT;
    bool first = true;
    pz_buf_addc(&b, '{');
    for (; *member; member++) {
        const pz_json *j = pz_body_get(d->call->body, *member);
        if (!j)
            continue;
        pz_out_key(&b, &first, *member);
        pz_json_add(&b, j);
    }
    pz_out_text(&b, &first, "status", status);
    pz_out_i64(&b, &first, "creationDateTime", pz_now());
    pz_out_i64(&b, &first, "lastUpdatedDateTime", pz_now());
    pz_buf_addc(&b, '}');
    if (pz_buf_status(&b, "an update", &d->err))
        doc = NULL;
    else if (doc)
        doc = pz_desk_changed(d, doc, key, b.data);
    pz_buf_release(&b);
    return doc;
}

void
pz_desk_save(struct pz_desk_call *d, struct pz_thing *t)
{
    t->updated = pz_now();
    if (t->doc)
        pz_thing_put(d, t);
    pz_desk_say_arn(d, t);
}

void
pz_op_update_campaign(struct pz_desk_call *d)
{
    static const char *const member[] = {"solutionVersionArn", "minProvisionedTPS",
                                         "campaignConfig", NULL};
    const struct pz_thing *found = pz_desk_thing(d);
    if (!found || !pz_campaign_update(d, found))
        return;
    struct pz_thing t = *found;
    t.doc = pz_desk_merged(d, t.doc, member);
    if (t.doc)
        t.doc = pz_desk_noted(d, t.doc, "latestCampaignUpdate", member, "ACTIVE");
    t.status = "ACTIVE";
    pz_desk_save(d, &t);
}

/* The next import follows the new schema; the rows that are there stay as they are. */
void
pz_op_update_dataset(struct pz_desk_call *d)
{
    static const char *const member[] = {"schemaArn", NULL};
    const struct pz_thing *found = pz_desk_thing(d);
    const char *arn = found ? pz_desk_needed(d, "schemaArn") : NULL;
    const struct pz_thing *schema = arn ? pz_thing_find(d, PZ_KIND_SCHEMA, arn) : NULL;
    if (!schema || !pz_desk_schema_fits(d, schema, pz_desk_base(found->name)))
        return;
    if (pz_desk_busy(d, found->group)) {
        pz_api_fail(d->call, PZ_FAULT_IN_USE, "Dataset %s is in use by a job",
                    found->name);
        return;
    }
    struct pz_thing t = *found;
    t.doc = pz_desk_merged(d, t.doc, member);
    if (t.doc)
        t.doc = pz_desk_noted(d, t.doc, "latestDatasetUpdate", member, "ACTIVE");
    pz_desk_save(d, &t);
}

void
pz_op_update_solution(struct pz_desk_call *d)
{
    static const char *const member[] = {"performAutoTraining",
                                         "performIncrementalUpdate", NULL};
    static const char *const noted[] = {"solutionUpdateConfig", "performAutoTraining",
                                        "performIncrementalUpdate", NULL};
    static const char *const config[] = {"autoTrainingConfig", "eventsConfig"};
    const struct pz_thing *found = pz_desk_thing(d);
    const pz_json *update = pz_body_get(d->call->body, "solutionUpdateConfig");
    pz_json *doc = found ? pz_thing_doc(d, found) : NULL;
    if (!doc)
        return;
    struct pz_thing t = *found;
    const pz_json *old = pz_body_get(doc, "solutionConfig");
    const char *text = old ? pz_desk_json(d, old) : "{}";
    for (size_t i = 0; update && text && i < sizeof config / sizeof *config; i++) {
        const pz_json *j = pz_body_get(update, config[i]);
        const char *value = j ? pz_desk_json(d, j) : NULL;
        if (value)
            text = pz_desk_changed(d, text, config[i], value);
    }
    pz_json_free(doc);
    t.doc = text ? pz_desk_changed(d, t.doc, "solutionConfig", text) : NULL;
    t.doc = t.doc ? pz_desk_merged(d, t.doc, member) : NULL;
    doc = t.doc ? pz_thing_doc(d, &t) : NULL;
    bool fits = !doc || pz_desk_solution_fits(d, doc);
    pz_json_free(doc);
    if (!fits)
        return;
    if (t.doc)
        t.doc = pz_desk_noted(d, t.doc, "latestSolutionUpdate", noted, "ACTIVE");
    pz_desk_save(d, &t);
}

/* ---- tags ---- */

/* What an ARN names, of any kind. */
static const struct pz_thing *
find_any(struct pz_desk_call *d, const char *arn)
{
    struct pz_arn a;
    bool parsed = arn && pz_arn_parse(&a, arn);
    for (int k = 0; parsed && k < PZ_N_KINDS; k++)
        if (pz_arn_is(&a, pz_kinds[k].arn_kind) &&
            (k != PZ_KIND_SOLUTION || !strchr(a.name, '/')))
            return pz_thing_find(d, (enum pz_kind_id)k, arn);
    pz_api_fail(d->call, PZ_FAULT_INVALID_INPUT, "'%s' names nothing that can have tags",
                arn ? arn : "");
    return NULL;
}

void
pz_op_list_tags(struct pz_desk_call *d)
{
    const struct pz_thing *t = find_any(d, pz_desk_member(d, "resourceArn"));
    pz_json *doc = t ? pz_thing_doc(d, t) : NULL;
    if (!doc)
        return;
    const pz_json *tags = pz_body_get(doc, "tags");
    pz_buf_addz(&d->call->http->out, "{\"tags\":");
    if (tags)
        pz_json_add(&d->call->http->out, tags);
    else
        pz_buf_addz(&d->call->http->out, "[]");
    pz_buf_addc(&d->call->http->out, '}');
    pz_json_free(doc);
    pz_desk_good(d);
}

/* Is the key among those of a list of tags, or of texts? */
static bool
has_key(const pz_json *list, const char *key)
{
    for (const pz_json *j = list ? pz_json_first(list) : NULL; j; j = pz_json_next(j)) {
        const char *s =
            pz_json_is_object(j) ? pz_json_get_string(j, "tagKey") : pz_json_string(j);
        if (s && key && strcmp(s, key) == 0)
            return true;
    }
    return false;
}

enum { TAGS_MAX = 50 };

static bool
too_many_tags(struct pz_desk_call *d, size_t n)
{
    return n > TAGS_MAX &&
           !pz_desk_no(pz_api_fail(d->call, PZ_FAULT_TOO_MANY_TAGS,
                                   "%zu tags: %d are possible", n, TAGS_MAX));
}

bool
pz_desk_tags_fit(struct pz_desk_call *d, const pz_json *tags)
{
    for (const pz_json *j = tags ? pz_json_first(tags) : NULL; j; j = pz_json_next(j)) {
        const char *key = pz_json_get_string(j, "tagKey");
        if (strncmp(key, "aws:", 4) == 0)
            return INVALID("tag '%s': keys that begin with 'aws:' are AWS's own", key);
        for (const pz_json *k = pz_json_first(tags); k != j; k = pz_json_next(k))
            if (strcmp(pz_json_get_string(k, "tagKey"), key) == 0)
                return INVALID("tag '%s' is given twice", key);
    }
    return !tags || !too_many_tags(d, pz_json_count(tags));
}

void
pz_op_set_tags(struct pz_desk_call *d)
{
    const pz_json *more = pz_body_get(d->call->body, "tags");
    const pz_json *less = pz_body_get(d->call->body, "tagKeys");
    const struct pz_thing *found = find_any(d, pz_desk_member(d, "resourceArn"));
    struct pz_buf b = PZ_BUF_INIT;
    size_t n = 0;
    pz_json *doc = found && pz_desk_tags_fit(d, more) ? pz_thing_doc(d, found) : NULL;
    if (!doc)
        return;
    struct pz_thing t = *found;
    const pz_json *lists[] = {pz_body_get(doc, "tags"), more};
    pz_buf_addc(&b, '[');
    for (int i = 0; i < 2; i++)
        for (const pz_json *j = lists[i] ? pz_json_first(lists[i]) : NULL; j;
             j = pz_json_next(j)) {
            const char *key = pz_json_get_string(j, "tagKey");
            if (has_key(less, key) || (i == 0 && has_key(more, key)))
                continue;
            pz_buf_addz(&b, n++ ? "," : "");
            pz_json_add(&b, j);
        }
    pz_buf_addc(&b, ']');
    if (!too_many_tags(d, n) && !pz_buf_status(&b, "tags", &d->err)) {
        t.doc = pz_desk_changed(d, t.doc, "tags", b.data);
        if (t.doc)
            pz_thing_put(d, &t);
        pz_buf_addz(&d->call->http->out, "{}");
        pz_desk_good(d);
    }
    pz_buf_release(&b);
    pz_json_free(doc);
}
