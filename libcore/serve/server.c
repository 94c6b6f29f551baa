#include "serve/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"
#include "serve/console.h"
#include "serve/control.h"
#include "serve/origin.h"

enum {
    LOG_FLUSH = 32768,
    MAX_SEEN = 1 << 20, // signatures
};
#define LOOK_SECONDS 0.25

const struct pz_arn_home *
pz_api_home(const struct pz_call *call)
{
    return &call->server->home;
}

bool
pz_api_strict(const struct pz_call *call)
{
    return call->server->o.strict;
}

void
pz_api_look(struct pz_call *call)
{
    struct pz_worker *w = call->worker;
    struct pz_err err = PZ_ERR_INIT;
    struct pz_site *now = NULL;
    if (!pz_keeper_look(call->server->keeper, &err) &&
        !pz_grow(&w->old, &w->cap_old, w->n_old + 1, sizeof *w->old, "sites", &err))
        now = pz_keeper_site(call->server->keeper, NULL);
    else
        pz_log(PZ_LOG_WARN, "%s", err.msg);
    call->blind = !now || now->partial;
    if (now == w->site) {
        pz_site_free(now); // one more reference to the same
    } else if (now) {
        w->old[w->n_old++] = w->site; // the call may still look into it
        w->site = now;
        call->site = now;
    }
}

bool
pz_api_blind(struct pz_call *call)
{
    if (call->blind)
        pz_api_fail(call, PZ_FAULT_UNAVAILABLE,
                    "not all groups can be read for now: try again");
    return call->blind;
}

/* ---- the access log ---- */

static void
write_log(struct pz_worker *w)
{
    for (size_t at = 0; at < w->log.len;) {
        ssize_t n = write(w->server->o.access_log, w->log.data + at, w->log.len - at);
        if (n < 0 && errno != EINTR)
            break; // a full disk does not stop the answers
        at += n > 0 ? (size_t)n : 0;
    }
    pz_buf_clear(&w->log);
}

/* A value of logfmt: quoted when it holds more than plain characters. */
static void
add_field(struct pz_buf *out, bool json, const char *key, const char *value)
{
    bool plain = *value && strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTU"
                                         "VWXYZ0123456789-_./:*[]") == strlen(value);
    pz_buf_addf(out, json ? ",\"%s\":" : " %s=", key);
    if (plain && !json)
        pz_buf_addz(out, value);
    else
        pz_json_add_string(out, value, strlen(value));
}

static void
log_call(struct pz_worker *w, const struct pz_http_call *http, bool sent)
{
    const struct pz_server_options *o = &w->server->o;
    struct pz_buf *out = &w->log;
    char time[PZ_TIME_TEXT], ms[PZ_NUM_TEXT], target[256];
    const char *fault = NULL, *id = "";
    for (size_t i = 0; i < http->n_headers; i++) {
        if (strcmp(http->header[i].name, "x-amzn-ErrorType") == 0)
            fault = http->header[i].value;
        else if (strcmp(http->header[i].name, "x-amzn-RequestId") == 0)
            id = http->header[i].value;
    }
    snprintf(target, sizeof target, "%.*s",
             (int)(http->n_path < 200 ? http->n_path : 200), http->target);
    pz_time_text(time, pz_now());
    snprintf(ms, sizeof ms, "%.3f", (pz_seconds_wall() - http->began) * 1000);
    pz_buf_addf(out, o->access_json ? "{\"time\":\"%s\"" : "time=%s", time);
    add_field(out, o->access_json, "peer", http->peer);
    add_field(out, o->access_json, "method", http->method ? http->method : "-");
    add_field(out, o->access_json, "path", target);
    if (http->operation)
        add_field(out, o->access_json, "operation", http->operation);
    pz_buf_addf(out,
                o->access_json ? ",\"status\":%d,\"bytes\":%zu,\"ms\":%s"
                               : " status=%d bytes=%zu ms=%s",
                http->status, http->out.len, ms);
    if (fault)
        add_field(out, o->access_json, "error", fault);
    if (!sent)
        add_field(out, o->access_json, "sent", "no");
    add_field(out, o->access_json, "id", id);
    pz_buf_addz(out, o->access_json ? "}\n" : "\n");
    if (out->len > LOG_FLUSH || out->failed)
        write_log(w);
}

/* ---- requests ---- */

static void
begin(void *ctx, int thread)
{
    struct pz_server *s = ctx;
    struct pz_worker *w = &s->worker[thread];
    struct pz_site *before = w->site;
    while (w->n_old)
        pz_site_free(w->old[--w->n_old]);
    w->site = pz_keeper_site(s->keeper, w->site);
    if (w->site != before || w->swept != w->site) {
        pz_desks_sweep(&w->desks, w->site);
        pz_putters_sweep(&w->putters, w->site);
        w->swept = w->site;
    }
    if (w->log.len)
        write_log(w);
}

static void
end(void *ctx, int thread)
{
    struct pz_server *s = ctx;
    pz_round_answer(s->worker[thread].round);
}

/* "x-amzn-RequestId": for the reports of users. */
static void
add_request_id(struct pz_worker *w, struct pz_http_call *http)
{
    uint64_t a = pz_rng_u64(&w->rng), b = pz_rng_u64(&w->rng);
    char text[48];
    snprintf(text, sizeof text, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
             (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
             (unsigned)(0x8000 | (b >> 50 & 0x3fff)),
             (unsigned long long)(b & 0xffffffffffffu));
    pz_http_add_header(http, "x-amzn-RequestId", text);
}

static size_t
take_head(void *ctx, struct pz_http_call *http)
{
    (void)ctx;
    (void)http;
    return PZ_BODY_MAX;
}

/* ---- signatures ---- */

struct header_walk {
    void (*fn)(void *ctx, const char *name, const char *value);
    void *ctx;
};

static int
hand_on(void *ctx, const char *name, const char *value)
{
    struct header_walk *w = ctx;
    w->fn(w->ctx, name, value);
    return 0;
}

static void
each_header(const void *from, void (*fn)(void *ctx, const char *name, const char *value),
            void *ctx)
{
    struct header_walk w = {fn, ctx};
    pz_http_each_header(from, hand_on, &w);
}

/* Is the call signed as it must be? If not, it has failed. */
static bool
check_signature(struct pz_call *call)
{
    struct pz_server *s = call->server;
    struct pz_http_call *http = call->http;
    struct pz_sig_rules rules = {.keys = s->o.keys,
                                 .region = s->o.region,
                                 .service = "personalize",
                                 .max_skew = s->o.max_skew};
    struct pz_sig_request q = {.method = http->method,
                               .target = http->target,
                               .body = http->body,
                               .n_body = http->n_body,
                               .each = each_header,
                               .from = http};
    struct pz_buf *why = &call->worker->text;
    if (!s->o.keys || (call->route->flags & PZ_ROUTE_OPEN))
        return true;
    enum pz_fault fault =
        pz_sig_check(&rules, &call->worker->sign, &q, pz_now(), http->token, why);
    http->has_token = fault == PZ_FAULT_NONE;
    if (fault)
        pz_api_fail(call, fault, "%s", why->data ? why->data : "not signed");
    return fault == PZ_FAULT_NONE;
}

/* Where no signature is asked for, pages of other sites are kept out. */
static bool
check_origin(struct pz_call *call)
{
    const char *why = call->server->o.keys
                          ? NULL
                          : pz_origin_verdict(pz_http_header(call->http, "Host"),
                                              pz_http_header(call->http, "Origin"),
                                              (call->route->flags & PZ_ROUTE_PAGE) != 0);
    if (why)
        pz_api_fail(call, PZ_FAULT_DENIED, "%s", why);
    return !why;
}

/* A Put request that was carried out and comes again, from its client or from one who
 * listened, has been carried out. */
static bool
was_seen(struct pz_call *call)
{
    if (call->route->service != PZ_EVENTS || !call->http->has_token ||
        !pz_seen_has(call->server->seen, call->http->token))
        return false;
    call->http->status = 200;
    return true;
}

/* The body against the shape of the route. */
static enum pz_http_when
take_body(struct pz_call *call)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_http_call *http = call->http;
    struct pz_buf *why = &call->worker->text;
    const char *text = http->n_body ? http->body : "{}";
    pz_json *body;
    if (pz_json_parse(&body, text, http->n_body ? http->n_body : 2, &err))
        return err.status == PZ_DATA
                   ? pz_api_fail(call, PZ_FAULT_SERIALIZATION, "%s", err.msg)
                   : pz_api_fail_err(call, &err);
    pz_buf_clear(why);
    enum pz_shape_fault fault = pz_shape_check(call->route->shape, body, why);
    call->body = body;
    enum pz_http_when when = PZ_HTTP_NOW;
    if (fault == PZ_SHAPE_FITS)
        when = call->route->fn(call);
    else
        pz_api_fail(call,
                    fault == PZ_SHAPE_INVALID ? PZ_FAULT_VALIDATION
                                              : PZ_FAULT_SERIALIZATION,
                    "%s", why->data ? why->data : "the body is not valid");
    pz_json_free(call->body);
    return when;
}

static enum pz_http_when
answer(void *ctx, struct pz_http_call *http)
{
    struct pz_server *s = ctx;
    struct pz_worker *w = &s->worker[http->thread];
    struct pz_call call = {.server = s, .worker = w, .http = http, .site = w->site};
    static const struct pz_route no_target = {.service = PZ_CONTROL},
                                 no_path = {.service = PZ_OWN};
    enum pz_fault fault;
    const char *target = pz_http_header(http, "X-Amz-Target");
    const struct pz_route *route =
        pz_route_find(http->method, http->target, http->n_path, target, &fault);
    call.route = route ? route : target ? &no_target : &no_path;
    s->requests[call.route->service]++;
    add_request_id(w, http);
    if (!check_signature(&call) || !check_origin(&call))
        return PZ_HTTP_NOW; // who may not ask does not learn what there is
    if (!route)
        return pz_api_fail(&call, fault, "%s",
                           fault == PZ_FAULT_METHOD ? "this method is not for this path"
                                                    : "there is no such operation");
    http->operation = route->operation;
    http->type =
        route->service == PZ_CONTROL ? "application/x-amz-json-1.1" : "application/json";
    if (was_seen(&call))
        return PZ_HTTP_NOW;
    return route->shape ? take_body(&call) : route->fn(&call);
}

static void
refuse(void *ctx, struct pz_http_call *http, const char *why)
{
    struct pz_server *s = ctx;
    enum pz_fault fault = http->status == 413   ? PZ_FAULT_TOO_LARGE
                          : http->status == 503 ? PZ_FAULT_UNAVAILABLE
                          : http->status == 400 ? PZ_FAULT_BAD_REQUEST
                                                : PZ_FAULT_INTERNAL;
    bool control = pz_http_header(http, "X-Amz-Target") != NULL;
    add_request_id(&s->worker[http->thread], http);
    pz_api_set_fault(http, control ? PZ_CONTROL : PZ_OWN, fault, why);
}

static void
done(void *ctx, struct pz_http_call *http, bool sent)
{
    struct pz_server *s = ctx;
    struct pz_worker *w = &s->worker[http->thread];
    if (http->app)
        pz_putter_return(&w->putters, http->app);
    if (http->app && http->has_token && http->status == 200)
        pz_seen_add(s->seen, http->token);
    http->app = NULL;
    s->faults[http->fault]++;
    if (s->o.access_log >= 0)
        log_call(w, http, sent);
}

/* ---- life ---- */

int
pz_server_new(struct pz_server **out, const struct pz_server_options *o,
              struct pz_err *err)
{
    struct pz_server *s;
    struct pz_keeper_options keep = {
        .group = o->group, .root = o->root, .seconds = LOOK_SECONDS, .strict = o->strict};
    struct pz_http_options http = {.listen = o->listen,
                                   .threads = o->threads,
                                   .max_connections = o->max_connections,
                                   .head_seconds = 10,
                                   .idle_seconds = 60,
                                   .min_rate = 1000,
                                   .late_seconds = o->late_seconds};
    struct pz_http_app app = {.begin = begin,
                              .end = end,
                              .head = take_head,
                              .answer = answer,
                              .refuse = refuse,
                              .done = done};
    *out = NULL;
    if (pz_new(&s, 1, sizeof *s, "a server", err))
        return err->status;
    app.ctx = s;
    s->o = *o;
    s->home = (struct pz_arn_home){o->region, o->account};
    s->began = pz_seconds_wall();
    if (pz_new(&s->worker, (size_t)o->threads, sizeof *s->worker, "threads", err) ||
        pz_keeper_new(&s->keeper, &keep, err) ||
        pz_intakes_new(&s->intakes, o->max_queue, err) ||
        (o->keys && pz_seen_new(&s->seen, MAX_SEEN, err)) ||
        (o->shown_bytes && pz_shown_new(&s->shown, o->shown_bytes, err)) ||
        pz_control_new(&s->control, s, err) || pz_console_new(&s->console, s, err) ||
        pz_http_new(&s->http, &http, &app, err)) {
        pz_server_free(s);
        return err->status;
    }
    for (int i = 0; i < o->threads; i++) {
        s->worker[i].server = s;
        s->worker[i].index = i;
        pz_rng_seed(&s->worker[i].rng, (uint64_t)pz_now() * 1000003 + (uint64_t)getpid(),
                    (uint64_t)i);
    }
    *out = s;
    return PZ_OK;
}

int
pz_server_start(struct pz_server *s, struct pz_err *err)
{
    return pz_keeper_start(s->keeper, err) || pz_control_start(s->control, err) ||
                   pz_console_start(s->console, err) || pz_http_start(s->http, err)
               ? err->status
               : PZ_OK;
}

const char *
pz_server_address(const struct pz_server *s)
{
    return pz_http_address(s->http);
}

void
pz_server_look(struct pz_server *s)
{
    struct pz_err err = PZ_ERR_INIT;
    if (pz_keeper_look(s->keeper, &err))
        pz_log(PZ_LOG_WARN, "%s", err.msg);
}

void
pz_server_stop(struct pz_server *s, double seconds)
{
    s->stopping = true;
    pz_http_stop(s->http, seconds);
    pz_intakes_stop(s->intakes);
    pz_control_stop(s->control);
    pz_console_stop(s->console);
}

void
pz_server_free(struct pz_server *s)
{
    if (!s)
        return;
    pz_http_free(s->http);
    pz_control_free(s->control);
    pz_console_free(s->console);
    pz_intakes_free(s->intakes);
    for (int i = 0; s->worker && i < s->o.threads; i++) {
        struct pz_worker *w = &s->worker[i];
        if (w->log.len)
            write_log(w);
        pz_round_free(w->round);
        pz_desks_free(&w->desks);
        pz_putters_free(&w->putters);
        while (w->n_old)
            pz_site_free(w->old[--w->n_old]);
        free(w->old);
        pz_site_free(w->site);
        pz_buf_release(&w->text);
        pz_sig_cache_release(&w->sign);
        pz_buf_release(&w->log);
    }
    pz_keeper_free(s->keeper);
    pz_seen_free(s->seen);
    pz_shown_free(s->shown);
    free(s->worker);
    free(s);
}
