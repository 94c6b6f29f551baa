/* The thread of the console: calls, one after the other, and those that wait. */
#include "serve/console.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "serve/server.h"

enum { CALLS_MAX = 64, TICK_MS = 100, REPORTS = 4, PARKED_MAX = 32 };

struct waiting {
    struct waiting *next;
    struct pz_http_call *http;
    const struct pz_route *route;
    pz_json *body;
    struct pz_console_call c;
};

struct pz_console {
    struct pz_server *server;
    pthread_t id;
    bool started, stop;
    pthread_mutex_t lock; // of first, last, n, stop
    pthread_cond_t wake;
    struct waiting *first, **last;
    size_t n;               // calls that were taken and not yet answered
    struct waiting *parked; // wait for something; the thread's own
    size_t n_parked;
    struct pz_site *site;
    struct {
        uint64_t key;
        struct pz_buf text;
    } report[REPORTS];
    size_t n_reports; // that were ever kept; they take turns
};

/* ---- operations ---- */

static const struct operation {
    const char *name;
    pz_console_fn fn;
    bool group;
} operations[] = {
#define ROW(name, path, group) {"Console" #name, pz_console_##path, group},
    PZ_CONSOLE_OPERATIONS(ROW)
#undef ROW
};

static const struct operation *
operation_of(const struct pz_route *route)
{
    size_t i = 0;
    while (strcmp(operations[i].name, route->operation) != 0)
        i++;
    return &operations[i];
}

/* On the thread of the connection. */
enum pz_http_when
pz_console_take(struct pz_call *call)
{
    struct pz_console *c = call->server->console;
    struct pz_err err = PZ_ERR_INIT;
    struct waiting *w;
    if (pz_new(&w, 1, sizeof *w, "a call", &err))
        return pz_api_fail_err(call, &err);
    *w = (struct waiting){.http = call->http, .route = call->route, .body = call->body};
    pthread_mutex_lock(&c->lock);
    bool full = c->n >= CALLS_MAX, stop = c->stop;
    if (!full && !stop) {
        call->body = NULL;
        pz_http_suspend(call->http);
        c->n++;
        *c->last = w;
        c->last = &w->next;
        pthread_cond_signal(&c->wake);
    }
    pthread_mutex_unlock(&c->lock);
    if (!full && !stop)
        return PZ_HTTP_LATER;
    free(w);
    return full ? pz_api_fail(call, PZ_FAULT_THROTTLING, "too many pages ask at a time")
                : pz_api_fail(call, PZ_FAULT_UNAVAILABLE, "the server is stopping");
}

static void
look(struct pz_console *c)
{
    struct pz_err err = PZ_ERR_INIT;
    if (pz_keeper_look(c->server->keeper, &err))
        pz_log(PZ_LOG_WARN, "%s", err.msg);
    c->site = pz_keeper_site(c->server->keeper, c->site);
}

static void
settle(struct pz_console *c, struct waiting *w)
{
    struct pz_call *call = w->c.call;
    struct pz_err *err = &w->c.err;
    if (!err->status && call->http->status == 0)
        pz_buf_status(&call->http->out, "an answer", err);
    if (err->status)
        pz_api_fail_err(call, err);
    if (call->http->status == 0)
        call->http->status = 200;
    pz_http_add_header(call->http, "Cache-Control", "no-store");
    pz_http_add_header(call->http, "X-Content-Type-Options", "nosniff");
    pz_estore_close(w->c.store);
    pz_json_free(w->body);
    pz_http_resume(w->http);
    free(w);
    pthread_mutex_lock(&c->lock);
    c->n--;
    pthread_mutex_unlock(&c->lock);
}

/* Answers, or parks. */
static void
answer(struct pz_console *c, struct waiting *w)
{
    const struct operation *o = operation_of(w->route);
    struct pz_call call = {.server = c->server,
                           .http = w->http,
                           .route = w->route,
                           .body = w->body,
                           .site = c->site};
    const char *name = o->group ? pz_body_string(w->body, "groupName") : NULL;
    bool told = true;
    w->c.call = &call;
    w->c.group = name ? pz_site_group(c->site, name, strlen(name)) : NULL;
    if (o->group && !w->c.group)
        pz_api_fail(&call, PZ_FAULT_NOT_FOUND, "there is no group '%s'", name);
    else
        told = o->fn(&w->c);
    w->c.again = true;
    if (!told && !w->c.err.status && !call.http->status && c->n_parked == PARKED_MAX) {
        w->c.until = 0; // there are enough that wait
        told = o->fn(&w->c);
    }
    if (told || w->c.err.status || call.http->status) {
        settle(c, w);
    } else {
        w->next = c->parked;
        c->parked = w;
        c->n_parked++;
    }
}

/* Asks again for those that wait; at the end they are answered whatever there is. */
static void
tick(struct pz_console *c, bool ending)
{
    struct waiting *w = c->parked, *next;
    c->parked = NULL;
    c->n_parked = 0;
    for (; w; w = next) {
        next = w->next;
        if (ending || c->server->stopping)
            w->c.until = 0;
        answer(c, w);
    }
}

static void
wait_for_work(struct pz_console *c)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += TICK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    if (c->parked)
        pthread_cond_timedwait(&c->wake, &c->lock, &until);
    else
        pthread_cond_wait(&c->wake, &c->lock);
}

static void *
run(void *ctx)
{
    struct pz_console *c = ctx;
    pthread_mutex_lock(&c->lock);
    while (!c->stop || c->first || c->parked) {
        if (!c->first && !c->stop)
            wait_for_work(c);
        struct waiting *w = c->first;
        c->first = NULL;
        c->last = &c->first;
        bool ending = c->stop;
        pthread_mutex_unlock(&c->lock);
        if (w)
            look(c);
        else
            c->site = pz_keeper_site(c->server->keeper, c->site);
        tick(c, ending);
        for (struct waiting *next; w; w = next) {
            next = w->next;
            answer(c, w);
        }
        pthread_mutex_lock(&c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* ---- life ---- */

int
pz_console_new(struct pz_console **out, struct pz_server *s, struct pz_err *err)
{
    struct pz_console *c;
    if (pz_new(&c, 1, sizeof *c, "the console", err))
        return err->status;
    c->server = s;
    c->last = &c->first;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->wake, NULL);
    *out = c;
    return PZ_OK;
}

int
pz_console_start(struct pz_console *c, struct pz_err *err)
{
    int rc = pthread_create(&c->id, NULL, run, c);
    if (rc)
        return pz_err_set(err, PZ_SYSTEM, "cannot start a thread: %s", strerror(rc));
    c->started = true;
    return PZ_OK;
}

void
pz_console_stop(struct pz_console *c)
{
    if (!c->started)
        return;
    pthread_mutex_lock(&c->lock);
    c->stop = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->id, NULL);
    c->started = false;
}

void
pz_console_free(struct pz_console *c)
{
    if (!c)
        return;
    pz_console_stop(c);
    pz_site_free(c->site);
    for (size_t i = 0; i < REPORTS; i++)
        pz_buf_release(&c->report[i].text);
    pthread_cond_destroy(&c->wake);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* ---- what its operations share ---- */

bool
pz_console_report(struct pz_console_call *call, uint64_t key, struct pz_buf **report)
{
    struct pz_console *c = call->call->server->console;
    for (size_t i = 0; i < REPORTS; i++)
        if (c->report[i].key == key && c->report[i].text.len) {
            *report = &c->report[i].text;
            return true;
        }
    size_t at = c->n_reports++ % REPORTS;
    c->report[at].key = key;
    *report = &c->report[at].text;
    pz_buf_clear(*report);
    return false;
}

bool
pz_console_span(const struct pz_dataset *d, int64_t *from, int64_t *to)
{
    int f = d->schema.at[PZ_ROLE_TIMESTAMP];
    const struct pz_column *c =
        f < 0 ? NULL : pz_dataset_column(d, d->schema.field[f].name);
    int64_t t;
    *from = INT64_MAX;
    *to = INT64_MIN;
    for (uint64_t r = 0; c && r < d->n_rows; r++)
        if (pz_column_i64(c, r, &t)) {
            *from = t < *from ? t : *from;
            *to = t > *to ? t : *to;
        }
    return *from <= *to;
}

const struct pz_field *
pz_console_title(const struct pz_dataset *d)
{
    static const char *const usual[] = {"ITEM_NAME", "NAME", "TITLE", "PRODUCT_NAME",
                                        "ACTION_NAME"};
    for (size_t i = 0; d && i < d->schema.n_fields; i++)
        if (d->schema.field[i].item_name)
            return &d->schema.field[i];
    for (size_t i = 0; d && i < sizeof usual / sizeof *usual; i++) {
        int at = pz_schema_find(&d->schema, usual[i], strlen(usual[i]));
        if (at >= 0 && d->schema.field[at].type == PZ_STRING)
            return &d->schema.field[at];
    }
    return NULL;
}

const char *
pz_console_title_of(const struct pz_dataset *d, const char *id, size_t n, size_t *len)
{
    const struct pz_field *f = pz_console_title(d);
    const struct pz_column *title = f ? pz_dataset_column(d, f->name) : NULL;
    uint32_t row = title ? pz_ids_find(&d->item, id, n) : PZ_NO_ID;
    const char *text =
        row == PZ_NO_ID || row >= d->n_rows ? NULL : pz_column_text(title, row, len);
    return text && *len ? text : NULL;
}

void
pz_console_real(struct pz_buf *out, bool *first, const char *key, double value)
{
    char text[PZ_NUM_TEXT];
    pz_out_key(out, first, key);
    pz_buf_add(out, text, pz_format_f64(text, value));
}

#define ROW(name, path, group)                                                           \
    {PZ_OWN,                                                                             \
     "Console" #name,                                                                    \
     "POST",                                                                             \
     "/console/" #path,                                                                  \
     &pz_console_##path##_shape,                                                         \
     pz_console_take,                                                                    \
     PZ_ROUTE_PAGE},
#define FILE(path)                                                                       \
    {                                                                                    \
        PZ_OWN, "ConsolePage", "GET", path, NULL, pz_console_file, PZ_ROUTE_PAGE         \
    }
const struct pz_route pz_console_routes[] = {
    FILE("/"),
    FILE("/console/page.css"),
    FILE("/console/ui.js"),
    FILE("/console/page.js"),
    FILE("/console/overview.js"),
    FILE("/console/models.js"),
    FILE("/console/import.js"),
    FILE("/console/put.js"),
    FILE("/console/recommend.js"),
    FILE("/console/filters.js"),
    FILE("/console/events.js"),
    PZ_CONSOLE_OPERATIONS(ROW){PZ_OWN, NULL, NULL, NULL, NULL, NULL, 0},
};
