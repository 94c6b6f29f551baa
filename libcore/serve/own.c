/* What pz-serve tells of itself: /healthz, /readyz, /metrics. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/pz.h"
#include "serve/server.h"

static enum pz_http_when
healthz(struct pz_call *call)
{
    pz_buf_addz(&call->http->out, "ok\n");
    call->http->type = "text/plain";
    call->http->status = 200;
    return PZ_HTTP_NOW;
}

/* Ready: not on the way out, and no campaign lacks its model. */
static enum pz_http_when
readyz(struct pz_call *call)
{
    struct pz_buf *out = &call->http->out;
    call->http->type = "text/plain";
    call->http->status = 200;
    if (call->server->stopping) {
        call->http->status = 503;
        pz_buf_addz(out, "stopping\n");
        return PZ_HTTP_NOW;
    }
    for (size_t i = 0; i < call->site->n_groups; i++)
        for (size_t k = 0; k < call->site->group[i]->n_campaigns; k++) {
            const struct pz_campaign *c = &call->site->group[i]->campaign[k];
            if (c->deploy || c->stopped)
                continue;
            call->http->status = 503;
            pz_buf_addf(out, "campaign %s of %s: %s\n", c->name,
                        call->site->group[i]->name, c->why ? c->why : "no model");
        }
    if (call->http->status == 200)
        pz_buf_addz(out, "ready\n");
    return PZ_HTTP_NOW;
}

/* ---- Prometheus's text format ---- */

static void
head(struct pz_buf *out, const char *name, const char *type, const char *help)
{
    pz_buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
line(struct pz_buf *out, const char *name, double value)
{
    char text[PZ_NUM_TEXT];
    pz_format_f64(text, value);
    pz_buf_addf(out, "%s %s\n", name, text);
}

static void
one(struct pz_buf *out, const char *name, const char *type, const char *help,
    double value)
{
    head(out, name, type, help);
    line(out, name, value);
}

/* A label's value: \, " and line ends are escaped. */
static void
add_label(struct pz_buf *out, const char *name, const char *value)
{
    pz_buf_addf(out, "%s=\"", name);
    for (; *value; value++) {
        if (*value == '\\' || *value == '"')
            pz_buf_addc(out, '\\');
        if (*value == '\n')
            pz_buf_addz(out, "\\n");
        else
            pz_buf_addc(out, *value);
    }
    pz_buf_addc(out, '"');
}

static void
add_labels(struct pz_buf *out, const struct pz_usage *u)
{
    add_label(out, "group", u->group);
    pz_buf_addc(out, ',');
    add_label(out, "campaign", u->campaign);
}

static const struct {
    const char *name, *help;
    size_t at;
} usage_lines[] = {
    {"pz_campaign_requests_total", "requests for recommendations",
     offsetof(struct pz_usage, requests)},
    {"pz_campaign_errors_total", "of these, answered with an error",
     offsetof(struct pz_usage, errors)},
    {"pz_campaign_cold_total", "answers for users or items without a history",
     offsetof(struct pz_usage, cold)},
    {"pz_campaign_filtered_total", "answers that went through a filter",
     offsetof(struct pz_usage, filtered)},
    {"pz_campaign_short_total", "filtered answers with fewer items than asked for",
     offsetof(struct pz_usage, short_lists)},
};

struct usage_walk {
    struct pz_buf *out;
    size_t line;
};

static void
add_usage(void *ctx, const struct pz_usage *u)
{
    struct usage_walk *w = ctx;
    const _Atomic uint64_t *value =
        (const void *)((const char *)u + usage_lines[w->line].at);
    pz_buf_addf(w->out, "%s{", usage_lines[w->line].name);
    add_labels(w->out, u);
    pz_buf_addf(w->out, "} %" PRIu64 "\n", *value);
}

static void
add_latency(void *ctx, const struct pz_usage *u)
{
    struct pz_buf *out = ctx;
    static const char name[] = "pz_campaign_seconds";
    uint64_t sum = 0;
    char text[PZ_NUM_TEXT];
    for (int i = 0; i < PZ_LATENCIES; i++) {
        sum += u->latency[i];
        pz_buf_addf(out, "%s_bucket{", name);
        add_labels(out, u);
        if (isinf(pz_latency_bound[i]))
            snprintf(text, sizeof text, "+Inf");
        else
            pz_format_f64(text, pz_latency_bound[i]);
        pz_buf_addf(out, ",le=\"%s\"} %" PRIu64 "\n", text, sum);
    }
    pz_buf_addf(out, "%s_sum{", name);
    add_labels(out, u);
    pz_format_f64(text, (double)u->nanoseconds / 1e9);
    pz_buf_addf(out, "} %s\n%s_count{", text, name);
    add_labels(out, u);
    pz_buf_addf(out, "} %" PRIu64 "\n", sum);
}

static void
add_campaigns(struct pz_buf *out, struct pz_server *s)
{
    for (size_t i = 0; i < sizeof usage_lines / sizeof *usage_lines; i++) {
        struct usage_walk w = {out, i};
        head(out, usage_lines[i].name, "counter", usage_lines[i].help);
        pz_keeper_usages(s->keeper, add_usage, &w);
    }
    head(out, "pz_campaign_seconds", "histogram", "time to an answer");
    pz_keeper_usages(s->keeper, add_latency, out);
}

static void
add_intake(struct pz_buf *out, struct pz_server *s)
{
    struct pz_intake_counts n;
    pz_intakes_count(s->intakes, &n);
    one(out, "pz_put_requests_total", "counter", "Put* requests", (double)n.requests);
    one(out, "pz_put_refused_total", "counter",
        "Put* requests refused, the queue was full", (double)n.refused);
    one(out, "pz_put_waiting", "gauge", "Put* requests that wait for the disk",
        (double)n.waiting);
    one(out, "pz_events_stored_total", "counter", "events stored", (double)n.events);
    one(out, "pz_events_repeated_total", "counter", "events that were there already",
        (double)n.repeated);
    one(out, "pz_records_put_total", "counter", "items, users and actions put",
        (double)n.records);
    one(out, "pz_commits_total", "counter", "transactions", (double)n.commits);
    one(out, "pz_commit_failures_total", "counter", "transactions that failed",
        (double)n.failures);
    one(out, "pz_commit_slowest_seconds", "gauge",
        "the slowest transaction since this was last read", n.slowest);
}

static void
add_http(struct pz_buf *out, struct pz_server *s)
{
    static const char *const service[PZ_N_SERVICES] = {"runtime", "events", "control",
                                                       "own"};
    const struct pz_http_counts *c = pz_http_counts(s->http);
    one(out, "pz_connections", "gauge", "open connections", (double)c->open);
    one(out, "pz_connections_total", "counter", "connections accepted",
        (double)c->accepted);
    one(out, "pz_slow_total", "counter", "connections cut off for being too slow",
        (double)c->slow);
    one(out, "pz_evicted_total", "counter", "connections cut off to make room",
        (double)c->evicted);
    one(out, "pz_ambiguous_total", "counter", "requests refused as ambiguous HTTP",
        (double)c->guarded);
    one(out, "pz_late_total", "counter", "requests refused because they waited too long",
        (double)c->late);
    head(out, "pz_requests_total", "counter", "requests by API");
    for (int i = 0; i < PZ_N_SERVICES; i++)
        pz_buf_addf(out, "pz_requests_total{api=\"%s\"} %" PRIu64 "\n", service[i],
                    s->requests[i]);
    head(out, "pz_faults_total", "counter", "errors answered, by name");
    for (int i = 1; i < PZ_N_FAULTS; i++)
        if (s->faults[i])
            pz_buf_addf(out, "pz_faults_total{error=\"%s\"} %" PRIu64 "\n",
                        pz_fault_of((enum pz_fault)i)->name, s->faults[i]);
}

static enum pz_http_when
metrics(struct pz_call *call)
{
    struct pz_buf *out = &call->http->out;
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    call->http->type = "text/plain; version=0.0.4";
    call->http->status = 200;
    head(out, "pz_info", "gauge", "the version");
    pz_buf_addf(out, "pz_info{version=\"%s\"} 1\n", PZ_VERSION);
    one(out, "pz_uptime_seconds", "gauge", "since the start",
        pz_seconds_wall() - call->server->began);
    one(out, "pz_cpu_seconds_total", "counter", "CPU time used", pz_seconds_cpu());
    one(out, "pz_memory_peak_bytes", "gauge", "most memory in use at a time",
        (double)use.ru_maxrss * 1024);
    one(out, "pz_groups", "gauge", "groups", (double)call->site->n_groups);
    add_http(out, call->server);
    add_intake(out, call->server);
    add_campaigns(out, call->server);
    return PZ_HTTP_NOW;
}

const struct pz_route pz_own_routes[] = {
    {PZ_OWN, "Health", "GET", "/healthz", NULL, healthz, PZ_ROUTE_OPEN},
    {PZ_OWN, "Ready", "GET", "/readyz", NULL, readyz, PZ_ROUTE_OPEN},
    {PZ_OWN, "Metrics", "GET", "/metrics", NULL, metrics, 0},
    {PZ_OWN, NULL, NULL, NULL, NULL, NULL, 0},
};
