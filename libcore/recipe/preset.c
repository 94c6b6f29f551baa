#include "recipe/preset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"

/* ---- Amazon's names and domains ---- */

#define NOT_PURCHASED "EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (\"Purchase\")"
#define NOT_WATCHED   "EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (\"Watch\")"

const struct pz_preset pz_presets[] = {
    {.name = "aws-ecomm-popular-items-by-views",
     .title = "Most viewed",
     .domain = "ECOMMERCE",
     .summary = "the items that most users viewed",
     .recipe = "aws-popularity-count",
     .event = {{.type = "View", .any_case = true}},
     .n_events = 1,
     .no_scores = true},
    {.name = "aws-ecomm-popular-items-by-purchases",
     .title = "Best sellers",
     .domain = "ECOMMERCE",
     .summary = "the items that most users bought",
     .recipe = "aws-popularity-count",
     .event = {{.type = "Purchase", .any_case = true}},
     .n_events = 1,
     .no_scores = true},
    {.name = "aws-ecomm-frequently-bought-together",
     .title = "Frequently bought together",
     .domain = "ECOMMERCE",
     .summary = "items that were bought by those who bought an item",
     .recipe = "aws-sims",
     .event = {{.type = "Purchase", .any_case = true}},
     .n_events = 1,
     .no_scores = true},
    {.name = "aws-ecomm-customers-who-viewed-x-also-viewed",
     .title = "Customers who viewed X also viewed",
     .domain = "ECOMMERCE",
     .summary = "items that were viewed by those who viewed an item, without what the "
                "user bought",
     .recipe = "aws-sims",
     .event = {{.type = "View", .any_case = true}},
     .n_events = 1,
     .filter = NOT_PURCHASED,
     .no_scores = true},
    {.name = "aws-ecomm-recommended-for-you",
     .title = "Recommended for you",
     .domain = "ECOMMERCE",
     .summary = "items for a user, without what the user bought",
     .recipe = "aws-user-personalization",
     .filter = NOT_PURCHASED,
     .no_scores = true},
    {.name = "aws-vod-because-you-watched-x",
     .title = "Because you watched X",
     .domain = "VIDEO_ON_DEMAND",
     .summary = "videos that were watched by those who watched one, without what the "
                "user watched",
     .recipe = "aws-sims",
     .event = {{.type = "Watch", .any_case = true}},
     .n_events = 1,
     .filter = NOT_WATCHED,
     .no_scores = true},
    {.name = "aws-vod-more-like-x",
     .title = "More like X",
     .domain = "VIDEO_ON_DEMAND",
     .summary = "videos like one, by who had them and by what is known of them, without "
                "what the user watched",
     .recipe = "aws-similar-items",
     .filter = NOT_WATCHED,
     .needs_items = true,
     .no_scores = true},
    {.name = "aws-vod-most-popular",
     .title = "Most popular",
     .domain = "VIDEO_ON_DEMAND",
     .summary = "the videos that most users watched",
     .recipe = "aws-popularity-count",
     .event = {{.type = "Watch", .any_case = true}},
     .n_events = 1,
     .no_scores = true},
    {.name = "aws-vod-trending-now",
     .title = "Trending now",
     .domain = "VIDEO_ON_DEMAND",
     .summary = "the videos that gain most users now",
     .recipe = "aws-trending-now",
     .no_scores = true},
    {.name = "aws-vod-top-picks",
     .title = "Top picks for you",
     .domain = "VIDEO_ON_DEMAND",
     .summary = "videos for a user, without what the user watched",
     .recipe = "aws-user-personalization",
     .filter = NOT_WATCHED,
     .needs_items = true,
     .no_scores = true},
    {.name = "aws-user-personalization-v2",
     .summary = "aws-user-personalization under its newer name",
     .recipe = "aws-user-personalization"},
    {.name = "aws-personalized-ranking-v2",
     .summary = "aws-personalized-ranking under its newer name",
     .recipe = "aws-personalized-ranking"},
    {.name = "aws-hrnn",
     .summary = "an older name; learns as aws-user-personalization",
     .recipe = "aws-user-personalization"},
    {.name = "aws-hrnn-metadata",
     .summary = "an older name; learns as aws-user-personalization",
     .recipe = "aws-user-personalization"},
    {.name = "aws-hrnn-coldstart",
     .summary = "an older name; learns as aws-user-personalization",
     .recipe = "aws-user-personalization"},
    {.name = NULL},
};

const struct pz_preset *
pz_preset_find(const char *name)
{
    static const char arn[] = "arn:aws:personalize:::recipe/";
    if (!strncmp(name, arn, sizeof arn - 1))
        name += sizeof arn - 1;
    for (const struct pz_preset *p = pz_presets; p->name; p++)
        if (!strcmp(p->name, name))
            return p;
    return NULL;
}

/* ---- JSON ---- */

enum { MAX_FILE = 1 << 20 };

struct loaded {
    struct pz_preset preset; // first: pz_preset_free() gets its address
    struct pz_arena text;
};

/* A copy of s into *out; NULL stays NULL. */
static int
keep(struct loaded *p, const char **out, const char *s, struct pz_err *err)
{
    return s ? pz_arena_copy(&p->text, out, s, strlen(s), "a preset", err) : PZ_OK;
}

static int
wants(const char *key, const char *what, struct pz_err *err)
{
    return pz_err_set(err, PZ_DATA, "'%s' must be %s", key, what);
}

/* A hyperparameter's value as text: a string, a number or a boolean. */
static int
value_text(struct pz_buf *out, const pz_json *j, struct pz_err *err)
{
    bool flag;
    if (pz_json_string(j))
        pz_buf_addz(out, pz_json_string(j));
    else if (pz_json_is_bool(j, &flag))
        pz_buf_addz(out, flag ? "True" : "False");
    else if (!pz_json_is_object(j) && !pz_json_is_array(j) && !pz_json_is_null(j))
        pz_json_add(out, j);
    else
        return wants(pz_json_key(j), "a string, a number, true or false", err);
    return PZ_OK;
}

static int
load_params(struct loaded *p, const pz_json *j, struct pz_err *err)
{
    const char **list;
    size_t n = 0;
    struct pz_buf text = PZ_BUF_INIT;
    if (!pz_json_is_object(j))
        return wants("hyperParameters", "an object", err);
    if (pz_arena_new(&p->text, &list, pz_json_count(j) + 1, sizeof *list, "a preset",
                     err))
        return err->status;
    int r = PZ_OK;
    for (const pz_json *c = pz_json_first(j); c && r == PZ_OK; c = pz_json_next(c)) {
        pz_buf_clear(&text);
        pz_buf_addf(&text, "%s=", pz_json_key(c));
        if ((r = value_text(&text, c, err)) == PZ_OK &&
            (r = pz_buf_status(&text, "a preset", err)) == PZ_OK)
            r = keep(p, &list[n++], text.data, err);
    }
    pz_buf_release(&text);
    list[n] = NULL;
    p->preset.param = list;
    return r;
}

/* An optional number. */
static int
load_number(const pz_json *object, const char *key, bool *has, double *out,
            struct pz_err *err)
{
    const pz_json *j = pz_json_get(object, key);
    *has = j != NULL;
    return !j || pz_json_number(j, out) ? PZ_OK : wants(key, "a number", err);
}

/* A member that is not known is an error: it would be without effect. */
static int
check_keys(const pz_json *j, const char *const *known, const char *where,
           struct pz_err *err)
{
    for (const pz_json *c = pz_json_first(j); c; c = pz_json_next(c)) {
        struct pz_buf all = PZ_BUF_INIT;
        size_t k = 0;
        while (known[k] && strcmp(known[k], pz_json_key(c)) != 0)
            k++;
        if (known[k])
            continue;
        for (k = 0; known[k]; k++)
            pz_buf_addf(&all, "%s%s", k ? ", " : "", known[k]);
        pz_err_set(err, PZ_DATA, "%s has no '%s'; it has %s", where, pz_json_key(c),
                   all.data ? all.data : "");
        pz_buf_release(&all);
        return err->status;
    }
    return PZ_OK;
}

static int
load_event(struct loaded *p, const pz_json *j, struct pz_err *err)
{
    static const char *const known[] = {"type", "weight", "threshold", NULL};
    struct pz_event_rule *rule = &p->preset.event[p->preset.n_events];
    if (!pz_json_get_string(j, "type"))
        return wants("eventTypes", "an array of objects with a 'type'", err);
    if (check_keys(j, known, "an event type", err) ||
        keep(p, &rule->type, pz_json_get_string(j, "type"), err) ||
        load_number(j, "weight", &rule->has_weight, &rule->weight, err) ||
        load_number(j, "threshold", &rule->has_threshold, &rule->threshold, err))
        return err->status;
    if (rule->has_weight && rule->weight < 0)
        return wants("weight", "0 or more", err);
    p->preset.n_events++;
    return PZ_OK;
}

static int
load_events(struct loaded *p, const pz_json *j, struct pz_err *err)
{
    if (!pz_json_is_array(j) || pz_json_count(j) > PZ_PRESET_EVENTS)
        return wants("eventTypes", "an array of at most 10 objects", err);
    int r = PZ_OK;
    for (const pz_json *c = pz_json_first(j); c && r == PZ_OK; c = pz_json_next(c))
        r = load_event(p, c, err);
    return r;
}

static int
load_text(struct loaded *p, const pz_json *j, const char *key, const char **out,
          struct pz_err *err)
{
    const pz_json *c = pz_json_get(j, key);
    if (c && !pz_json_string(c))
        return wants(key, "a string", err);
    return keep(p, out, c ? pz_json_string(c) : NULL, err);
}

static int
load_members(struct loaded *p, const pz_json *j, struct pz_err *err)
{
    static const char *const known[] = {"name",       "recipe",
                                        "summary",    "hyperParameters",
                                        "eventTypes", "eventValueThreshold",
                                        "filter",     "scores",
                                        NULL};
    const pz_json *params = pz_json_get(j, "hyperParameters");
    const pz_json *events = pz_json_get(j, "eventTypes");
    const pz_json *scores = pz_json_get(j, "scores");
    struct pz_preset *out = &p->preset;
    bool flag = true;
    if (!pz_json_is_object(j))
        return pz_err_set(err, PZ_DATA, "a preset must be a JSON object");
    if (check_keys(j, known, "a preset", err) ||
        load_text(p, j, "name", &out->name, err) ||
        load_text(p, j, "recipe", &out->recipe, err) ||
        load_text(p, j, "summary", &out->summary, err) ||
        load_text(p, j, "filter", &out->filter, err) ||
        load_number(j, "eventValueThreshold", &out->has_threshold, &out->threshold,
                    err) ||
        (params && load_params(p, params, err)) ||
        (events && load_events(p, events, err)))
        return err->status;
    if (scores && !pz_json_is_bool(scores, &flag))
        return wants("scores", "true or false", err);
    out->no_scores = !flag;
    if (!out->name || !out->name[0])
        return pz_err_set(err, PZ_DATA, "a preset must have a 'name'");
    if (!out->recipe)
        return pz_err_set(err, PZ_DATA, "a preset must have a 'recipe'");
    return PZ_OK;
}

int
pz_preset_load(struct pz_preset **out, const char *path, struct pz_err *err)
{
    struct loaded *p = NULL;
    struct pz_buf text = PZ_BUF_INIT;
    pz_json *j = NULL;
    *out = NULL;
    int r = pz_read_all(&text, path, MAX_FILE, err);
    if (r == PZ_OK && (r = pz_new(&p, 1, sizeof *p, "a preset", err)) == PZ_OK) {
        if ((r = pz_json_parse(&j, text.data ? text.data : "", text.len, err)) == PZ_OK)
            r = load_members(p, j, err);
        if (r == PZ_DATA)
            pz_err_prefix(err, "%s: ", path);
    }
    pz_json_free(j);
    pz_buf_release(&text);
    if (r)
        pz_preset_free((struct pz_preset *)p);
    else
        *out = &p->preset;
    return r;
}

void
pz_preset_free(struct pz_preset *preset)
{
    struct loaded *p = (struct loaded *)(void *)preset;
    if (!p)
        return;
    pz_arena_release(&p->text);
    free(p);
}
