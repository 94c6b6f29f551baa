/*
 * Metric attributions: what events add up to by source (data/attribution.h), as files in
 * the folder that the attribution names. Each stored event is in one report: the document
 * says up to which one reports go ("pzSeq"), and which report is being written
 * ("pzReport"), so that a server that was killed writes the same file again.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "data/attribution.h"
#include "infer/giver.h"
#include "serve/control.h"
#include "serve/server.h"

enum { METRICS_MAX = 10, WINDOW = 900 };

/* ---- metrics ---- */

struct metrics {
    struct pz_metric metric[METRICS_MAX];
    size_t n;
};

static void
release(struct metrics *m)
{
    for (size_t i = 0; i < m->n; i++)
        pz_metric_release(&m->metric[i]);
    m->n = 0;
}

static bool
add_metric(struct pz_desk_call *d, struct metrics *m, const pz_json *j)
{
    const char *name = pz_body_string(j, "metricName");
    const char *type = pz_body_string(j, "eventType");
    const char *expression = pz_body_string(j, "expression");
    if (m->n == METRICS_MAX)
        return !pz_err_set(&d->err, PZ_USAGE,
                           "a metric attribution has %d metrics at most", METRICS_MAX);
    if (!name || !type || !expression || strchr(name, ':') || strchr(expression, ':'))
        return !pz_err_set(&d->err, PZ_USAGE,
                           "metric '%s': a metricName or expression has no ':'",
                           name ? name : "");
    const char *text = pz_desk_text(d, "%s:%s:%s", name, type, expression);
    if (!text || pz_metric_parse(&m->metric[m->n], text, &d->err))
        return false;
    m->n++;
    return true;
}

/* The metrics of a document's list. False: d->err. */
static bool
read_metrics(struct pz_desk_call *d, struct metrics *m, const pz_json *list)
{
    m->n = 0;
    for (const pz_json *j = list ? pz_json_first(list) : NULL; j; j = pz_json_next(j)) {
        if (!add_metric(d, m, j))
            return false;
        for (size_t i = 0; i + 1 < m->n; i++)
            if (strcmp(m->metric[i].name, m->metric[m->n - 1].name) == 0)
                return !pz_err_set(&d->err, PZ_USAGE, "metric '%s' is given twice",
                                   m->metric[i].name);
    }
    return true;
}

/* ---- reports ---- */

/* Campaigns and recommenders of a group, by their ARNs. */
static int
list_givers(struct pz_desk_call *d, const char *path, struct pz_givers *out)
{
    const struct pz_site *site = d->call->site;
    const struct pz_group *g = NULL;
    struct pz_buf arn = PZ_BUF_INIT;
    for (size_t i = 0; i < site->n_groups; i++)
        if (strcmp(site->group[i]->path, path) == 0)
            g = site->group[i];
    for (size_t i = 0; g && i < g->n_campaigns && !d->err.status; i++) {
        const struct pz_campaign *c = &g->campaign[i];
        pz_buf_clear(&arn);
        pz_arn_add(&arn, pz_api_home(d->call),
                   c->recommender ? "recommender" : "campaign", c->name);
        if (!pz_buf_status(&arn, "an ARN", &d->err))
            pz_givers_add(out, c->name, c->recommender, arn.data, &d->err);
    }
    pz_buf_release(&arn);
    return d->err.status;
}

/* What the events in (after, upto] add up to, as lines; their number is the answer's.
 * With none to look at: are the columns there? */
static int
add_up(struct pz_desk_call *d, const char *group, const pz_json *list, int64_t after,
       int64_t upto, struct pz_buf *lines)
{
    struct metrics m;
    struct pz_givers givers = {0};
    if (read_metrics(d, &m, list) && !list_givers(d, group, &givers)) {
        const struct pz_attribution a = {.group = group,
                                         .window = WINDOW,
                                         .metric = m.metric,
                                         .n_metrics = m.n,
                                         .giver = pz_givers_find,
                                         .ctx = &givers,
                                         .after = after,
                                         .upto = upto,
                                         .threads = 1};
        if (m.n)
            pz_attribution(&a, pz_attributed_csv, lines, &d->err);
    }
    release(&m);
    pz_givers_release(&givers);
    return d->err.status ? d->err.status : pz_buf_status(lines, "a report", &d->err);
}

/* The folder of the reports; "": there is none. NULL: d->err. */
static const char *
folder_of(struct pz_desk_call *d, const pz_json *doc)
{
    const pz_json *out = pz_body_get(doc, "metricsOutputConfig");
    const pz_json *s3 = out ? pz_body_get(out, "s3DataDestination") : NULL;
    const char *url = s3 ? pz_body_string(s3, "path") : NULL;
    return url ? pz_desk_s3(d, url) : "";
}

static int
write_file(const char *path, const struct pz_buf *text, struct pz_err *err)
{
    struct pz_out out = PZ_OUT_INIT;
    if (pz_out_open(&out, path, err) || pz_out_write(&out, text->data, text->len, err) ||
        pz_out_commit(&out, err))
        pz_out_abort(&out);
    return err->status;
}

static const char *
path_of(struct pz_desk_call *d, const char *folder, int64_t at)
{
    return pz_desk_text(
        d, "%s/AggregatedAttributionMetrics - PutEvents - %" PRId64 ".csv", folder, at);
}

/* Now, or the first second after that by which no report is named. */
static int64_t
free_moment(struct pz_desk_call *d, const char *folder)
{
    int64_t at = pz_now();
    const char *path = folder && *folder ? path_of(d, folder, at) : NULL;
    while (path && access(path, F_OK) == 0)
        path = path_of(d, folder, ++at);
    return at;
}

/* Writes the report that the document tells of. */
static int
write_report(struct pz_desk_call *d, const struct pz_thing *t, const pz_json *doc)
{
    const pz_json *report = pz_body_get(doc, "pzReport");
    struct pz_buf lines = PZ_BUF_INIT, text = PZ_BUF_INIT;
    int64_t after = 0, upto = 0, at = 0;
    pz_body_i64(doc, "pzSeq", &after);
    pz_body_i64(report, "upto", &upto);
    pz_body_i64(report, "at", &at);
    const char *folder = folder_of(d, doc);
    if (!folder)
        return pz_err_set(&d->err, PZ_USAGE, "metricsOutputConfig names no folder");
    add_up(d, t->group, pz_body_get(doc, "metrics"), after, upto, &lines);
    if (!d->err.status && lines.len && *folder) {
        const char *path = path_of(d, folder, at);
        pz_buf_addz(&text, PZ_ATTRIBUTED_HEAD);
        pz_buf_add(&text, lines.data, lines.len);
        if (path && !pz_buf_status(&text, "a report", &d->err) &&
            !pz_mkdirs(folder, &d->err))
            write_file(path, &text, &d->err);
    }
    pz_buf_release(&lines);
    pz_buf_release(&text);
    return d->err.status;
}

/* Stores the document with a number and a report replaced (NULL: taken away). */
static bool
store(struct pz_desk_call *d, struct pz_thing *t, const char *key, int64_t number,
      const char *report)
{
    const char *text = pz_desk_text(d, "%" PRId64, number);
    t->doc = text ? pz_desk_changed(d, t->doc, key, text) : NULL;
    if (t->doc)
        t->doc = pz_desk_changed(d, t->doc, "pzReport", report);
    return t->doc && !pz_thing_put(d, t);
}

/* Reports what has come since the last report, when that was `seconds` ago. What is in
 * `t` then is what is stored. */
static int
report(struct pz_desk_call *d, struct pz_thing *t, int64_t seconds)
{
    int64_t seq = 0, last, before = t->created;
    pz_json *doc = d->call->server->o.s3_root ? pz_thing_doc(d, t) : NULL;
    if (!doc || pz_desk_last_event(d, t->group, &last)) {
        pz_json_free(doc);
        return d->err.status;
    }
    pz_body_i64(doc, "pzSeq", &seq);
    pz_body_i64(doc, "pzAt", &before);
    const pz_json *begun = pz_body_get(doc, "pzReport");
    if (!begun && last > seq && (seconds == 0 || pz_now() - before >= seconds)) {
        int64_t at = free_moment(d, folder_of(d, doc));
        const char *plan =
            pz_desk_text(d, "{\"upto\":%" PRId64 ",\"at\":%" PRId64 "}", last, at);
        pz_json_free(doc);
        doc = plan && store(d, t, "pzAt", at, plan) ? pz_thing_doc(d, t) : NULL;
        begun = doc ? pz_body_get(doc, "pzReport") : NULL;
    }
    if (begun && !write_report(d, t, doc)) {
        pz_body_i64(begun, "upto", &last);
        store(d, t, "pzSeq", last, NULL);
    }
    pz_json_free(doc);
    return d->err.status;
}

/* The same where a folder that cannot be written to is no reason to stop: it is told of
 * in the log, and what was to be reported waits. */
static void
try_report(struct pz_desk_call *d, struct pz_thing *t, int64_t seconds)
{
    if (!report(d, t, seconds))
        return;
    pz_log(PZ_LOG_WARN, "metric attribution %s: %s", t->name, d->err.msg);
    d->err = (struct pz_err)PZ_ERR_INIT;
    pz_buf_clear(&d->call->http->out);
    d->call->http->status = 0;
}

void
pz_metrics_report(struct pz_desk_call *d, const char *group)
{
    struct pz_things all;
    pz_things_all(d, PZ_KIND_ATTRIBUTION, &all);
    for (size_t i = 0; i < all.n && !d->err.status; i++)
        if (!group || strcmp(all.thing[i].group, group) == 0)
            try_report(d, &all.thing[i], group ? 0 : WINDOW);
    free(all.thing);
}

/* ---- operations ---- */

/* Can there be such an attribution of the group? */
static bool
check(struct pz_desk_call *d, const char *group, const pz_json *doc)
{
    struct pz_buf none = PZ_BUF_INIT;
    const char *folder = folder_of(d, doc);
    if (!folder)
        return false;
    add_up(d, group, pz_body_get(doc, "metrics"), INT64_MAX, INT64_MAX, &none);
    pz_buf_release(&none);
    return !d->err.status || pz_desk_lost(d);
}

bool
pz_make_attribution(struct pz_desk_call *d)
{
    int64_t seq;
    bool first = false;
    if (!pz_desk_group(d))
        return false;
    if (pz_desk_any(d, PZ_KIND_ATTRIBUTION, d->group)) {
        pz_api_fail(d->call, PZ_FAULT_LIMIT,
                    "Dataset group %s has a metric attribution already",
                    pz_desk_base(d->group));
        return false;
    }
    if (!check(d, d->group, d->call->body))
        return false;
    if (pz_desk_last_event(d, d->group, &seq))
        return pz_desk_lost(d);
    pz_out_i64(&d->extra, &first, "pzSeq", seq); // what came before does not count
    return true;
}

bool
pz_drop_attribution(struct pz_desk_call *d, const struct pz_thing *t)
{
    struct pz_thing last = *t;
    try_report(d, &last, 0);
    return true;
}

void
pz_op_list_metrics(struct pz_desk_call *d)
{
    struct pz_buf *out = &d->call->http->out;
    const struct pz_thing *t = pz_desk_thing(d);
    pz_json *doc = t ? pz_thing_doc(d, t) : NULL;
    size_t from, to, at = 0;
    if (!doc)
        return;
    const pz_json *list = pz_body_get(doc, "metrics");
    size_t n = list ? pz_json_count(list) : 0;
    if (pz_desk_page(d, n, &from, &to)) {
        pz_buf_addz(out, "{\"metrics\":[");
        for (const pz_json *j = n ? pz_json_first(list) : NULL; j;
             j = pz_json_next(j), at++)
            if (at >= from && at < to) {
                pz_buf_addz(out, at > from ? "," : "");
                pz_json_add(out, j);
            }
        pz_desk_end_page(d, n, to);
    }
    pz_json_free(doc);
}

static const pz_json *
metric_named(const pz_json *list, const char *name)
{
    for (const pz_json *j = list ? pz_json_first(list) : NULL; j; j = pz_json_next(j)) {
        const char *s = pz_json_is_object(j) ? pz_json_get_string(j, "metricName")
                                             : pz_json_string(j);
        if (s && strcmp(s, name) == 0)
            return j;
    }
    return NULL;
}

/* The metrics without those to be removed and with those to be added, as JSON in the
 * arena; NULL: the call has failed. */
static const char *
changed_metrics(struct pz_desk_call *d, const pz_json *old)
{
    const pz_json *more = pz_body_get(d->call->body, "addMetrics");
    const pz_json *less = pz_body_get(d->call->body, "removeMetrics");
    const pz_json *lists[] = {old, more};
    struct pz_buf b = PZ_BUF_INIT;
    const char *out = NULL;
    bool lead = true;
    for (const pz_json *j = less ? pz_json_first(less) : NULL; j; j = pz_json_next(j))
        if (!metric_named(old, pz_json_string(j))) {
            pz_api_fail(d->call, PZ_FAULT_NOT_FOUND, "There is no metric '%s'",
                        pz_json_string(j));
            return NULL;
        }
    pz_buf_addc(&b, '[');
    for (int i = 0; i < 2; i++)
        for (const pz_json *j = lists[i] ? pz_json_first(lists[i]) : NULL; j;
             j = pz_json_next(j)) {
            const char *name = pz_json_get_string(j, "metricName");
            bool gone = metric_named(less, name) != NULL;
            if (i == 0 && gone)
                continue;
            if (i == 1 && !gone && metric_named(old, name)) {
                pz_api_fail(d->call, PZ_FAULT_EXISTS, "There is a metric '%s'", name);
                pz_buf_release(&b);
                return NULL;
            }
            pz_buf_addz(&b, lead ? "" : ",");
            lead = false;
            pz_json_add(&b, j);
        }
    pz_buf_addc(&b, ']');
    if (!pz_buf_status(&b, "metrics", &d->err))
        pz_arena_copy(d->arena, &out, b.data, b.len, "metrics", &d->err);
    pz_buf_release(&b);
    if (!out)
        pz_desk_fail(d);
    return out;
}

void
pz_op_update_attribution(struct pz_desk_call *d)
{
    static const char *const member[] = {"metricsOutputConfig", NULL};
    const struct pz_thing *found = pz_desk_thing(d);
    pz_json *doc = found ? pz_thing_doc(d, found) : NULL;
    if (!doc)
        return;
    struct pz_thing t = *found;
    const char *metrics = changed_metrics(d, pz_body_get(doc, "metrics"));
    pz_json_free(doc);
    // What came until now counts for what there was until now. A folder that cannot be
    // written to can be changed for another.
    if (metrics && pz_body_get(d->call->body, member[0]))
        try_report(d, &t, 0);
    else if (metrics)
        report(d, &t, 0);
    if (!metrics || d->err.status)
        return;
    t.doc = pz_desk_merged(d, t.doc, member);
    if (t.doc)
        t.doc = pz_desk_changed(d, t.doc, "metrics", metrics);
    doc = t.doc ? pz_thing_doc(d, &t) : NULL;
    bool good = doc && check(d, t.group, doc);
    pz_json_free(doc);
    if (good)
        pz_desk_save(d, &t);
}
