/* The thread of the console: calls, one after the other, and those that wait. */
#include "serve/console.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "serve/clerk.h"
#include "serve/server.h"

enum { CALLS_MAX = 64, TICK_MS = 100, REPORTS = 4, PARKED_MAX = 32 };

struct waiting {
    struct pz_waiting w; // first: what waits is its call
    pz_json *body;
    struct pz_console_call c;
};

struct pz_console {
    struct pz_server *server;
    struct pz_clerk clerk;
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
    struct pz_err err = PZ_ERR_INIT;
    pz_json *body = call->body;
    struct waiting *w;
    if (pz_new(&w, 1, sizeof *w, "a call", &err))
        return pz_api_fail_err(call, &err);
    w->body = body;
    call->body = NULL; // once it is taken all of it is the other thread's
    if (pz_clerk_take(&call->server->console->clerk, call, &w->w, CALLS_MAX))
        return PZ_HTTP_LATER;
    call->body = body;
    free(w);
    return PZ_HTTP_NOW;
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
    pz_http_resume(w->w.http);
    free(w);
    pz_clerk_done(&c->clerk);
}

/* Answers, or parks. */
static void
answer(struct pz_console *c, struct waiting *w)
{
    const struct operation *o = operation_of(w->w.route);
    struct pz_call call = {.server = c->server,
                           .http = w->w.http,
                           .route = w->w.route,
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
        w->w.next = c->parked ? &c->parked->w : NULL;
        c->parked = w;
        c->n_parked++;
    }
}

/* Asks again for those that wait; at the end they are answered whatever there is. */
static void
tick(struct pz_console *c, bool ending)
{
    struct pz_waiting *at = &c->parked->w, *next;
    c->parked = NULL;
    c->n_parked = 0;
    for (; at; at = next) {
        struct waiting *w = (struct waiting *)(void *)at;
        next = at->next;
        if (ending || c->server->stopping)
            w->c.until = 0;
        answer(c, w);
    }
}

static void *
run(void *ctx)
{
    struct pz_console *c = ctx;
    bool stop = false;
    for (struct pz_waiting *w = NULL; w || c->parked || !stop;) {
        w = pz_clerk_next(&c->clerk, c->parked ? TICK_MS / 1000.0 : -1, &stop);
        if (w)
            look(c);
        else
            c->site = pz_keeper_site(c->server->keeper, c->site);
        if (c->parked)
            tick(c, stop);
        if (w)
            answer(c, (struct waiting *)(void *)w);
    }
    return NULL;
}

/* ---- life ---- */

int
pz_console_new(struct pz_console **out, struct pz_server *s, struct pz_err *err)
{
    if (pz_new(out, 1, sizeof **out, "the console", err))
        return err->status;
    (*out)->server = s;
    pz_clerk_init(&(*out)->clerk);
    return PZ_OK;
}

int
pz_console_start(struct pz_console *c, struct pz_err *err)
{
    return pz_clerk_start(&c->clerk, run, c, err);
}

void
pz_console_stop(struct pz_console *c)
{
    pz_clerk_stop(&c->clerk);
}

void
pz_console_free(struct pz_console *c)
{
    if (!c)
        return;
    pz_clerk_stop(&c->clerk);
    pz_clerk_release(&c->clerk);
    pz_site_free(c->site);
    for (size_t i = 0; i < REPORTS; i++)
        pz_buf_release(&c->report[i].text);
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
