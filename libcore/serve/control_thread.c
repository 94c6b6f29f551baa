/* The thread of the control plane: calls, one after the other, and the ends of jobs. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "serve/clerk.h"
#include "serve/control.h"
#include "serve/server.h"

enum {
    RUNNING_MAX = 2,
    TICK_MS = 50,
    STOP_MS = 5000,
    CHORES_SECONDS = 60,
    RETRY_SECONDS = 1, // until the end of a job is stored that could not be
};

/* ---- the thread ---- */

struct pz_control {
    struct pz_server *server;
    struct pz_clerk clerk;
    struct pz_job *job;
    struct pz_site *site;
    double chores;         // when they were done last; 0: not yet
    struct pz_arena arena; // of one call
};

struct pz_job **
pz_control_jobs(struct pz_control *c)
{
    return &c->job;
}

/* On the thread of the connection. */
enum pz_http_when
pz_control_take(struct pz_call *call)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_waiting *w;
    if (pz_new(&w, 1, sizeof *w, "a call", &err))
        return pz_api_fail_err(call, &err);
    if (pz_clerk_take(&call->server->control->clerk, call, w, 0))
        return PZ_HTTP_LATER;
    free(w);
    return PZ_HTTP_NOW;
}

static void
look(struct pz_control *c, struct pz_call *call)
{
    struct pz_err err = PZ_ERR_INIT;
    if (pz_keeper_look(c->server->keeper, &err))
        pz_log(PZ_LOG_WARN, "%s", err.msg);
    c->site = pz_keeper_site(c->server->keeper, c->site);
    call->site = c->site;
    call->blind = err.status || c->site->partial;
}

static void
answer(struct pz_control *c, struct pz_waiting *w)
{
    struct pz_call call = {.server = c->server, .http = w->http, .route = w->route};
    struct pz_desk_call d = {.call = &call, .control = c, .arena = &c->arena};
    pz_json *body = NULL;
    const char *json = w->http->n_body ? w->http->body : "{}";
    look(c, &call);
    if (pz_json_parse(&body, json, strlen(json), &d.err)) {
        pz_desk_fail(&d);
    } else {
        call.body = body;
        pz_control_do(&d);
        if (call.http->status == 0) // what failed with an error alone
            pz_desk_fail(&d);
        if (call.http->status == 200 &&
            pz_buf_status(&call.http->out, "an answer", &d.err))
            pz_desk_fail(&d);
    }
    pz_desk_undo(&d);
    pz_job_free(d.job);
    pz_buf_release(&d.extra);
    pz_buf_release(&d.answer);
    pz_json_free(body);
    // What was made, or is no more, is so for the runtime when the client knows of it.
    if (!strchr("DGL", w->route->operation[0]) ||
        strncmp(w->route->operation, "Delete", 6) == 0)
        look(c, &call);
    pz_arena_clear(&c->arena);
    pz_http_resume(w->http);
    free(w);
    pz_clerk_done(&c->clerk);
}

/* ---- the ends of jobs ---- */

static void
set_status(struct pz_desk_call *d, const struct pz_job *j, const char *status,
           const char *why, const char *pz, int64_t deleted)
{
    const struct pz_thing *found = pz_thing_named(d, j->kind, j->name);
    if (found) {
        struct pz_thing t = *found;
        struct pz_buf b = PZ_BUF_INIT;
        t.status = status;
        t.why = why;
        t.updated = pz_now();
        if (pz) {
            pz_json_add_string(&b, pz, strlen(pz));
            t.doc = pz_desk_changed(d, t.doc, "pz", b.data ? b.data : "\"\"");
            pz_buf_clear(&b);
            pz_buf_addf(&b, "%.6f", (j->ended - j->began) / 3600);
            if (t.doc)
                t.doc = pz_desk_changed(d, t.doc, "trainingHours", b.data ? b.data : "0");
            if (t.doc)
                t.doc = pz_version_found(d, &t, pz);
        }
        if (deleted) {
            pz_buf_add_i64(&b, deleted);
            t.doc = pz_desk_changed(d, t.doc, "numDeleted", b.data ? b.data : "0");
        }
        if (t.doc)
            pz_thing_put(d, &t);
        pz_buf_release(&b);
    }
    if (d->err.status)
        pz_err_prefix(&d->err, "%s: ", j->name);
}

/* A call that no client made; what it would be answered with is of no use. */
struct own {
    struct pz_http_call http;
    struct pz_call call;
};

static struct pz_desk_call
own_call(struct pz_control *c, struct own *own)
{
    *own = (struct own){.call = {.server = c->server, .http = &own->http}};
    own->call.site = c->site;
    look(c, &own->call);
    return (struct pz_desk_call){.call = &own->call, .control = c, .arena = &c->arena};
}

/* What went wrong is told of in the log, and what comes next is done all the same. */
static void
complain(struct pz_desk_call *d)
{
    if (d->err.status)
        pz_log(PZ_LOG_WARN, "%s", d->err.msg);
    d->err = (struct pz_err)PZ_ERR_INIT;
}

static void
end_own(struct pz_desk_call *d)
{
    complain(d);
    pz_buf_release(&d->call->http->out);
    pz_arena_clear(d->arena);
}

/* The sum of what pz-import --forget --json counts. */
static int64_t
count_deleted(const struct pz_buf *out)
{
    static const char *const what[] = {"interactions", "actionInteractions", "users",
                                       "events"};
    struct pz_err err = PZ_ERR_INIT;
    int64_t sum = 0, n;
    pz_json *j;
    if (!out->data || pz_json_parse(&j, out->data, out->len, &err))
        return 0;
    for (size_t i = 0; i < sizeof what / sizeof *what; i++)
        if (pz_body_i64(j, what[i], &n))
            sum += n;
    pz_json_free(j);
    return sum;
}

/* The text with s3:// for the folder that stands for it, which callers do not know; the
 * text itself where there is none, or no memory. */
static const char *
with_urls(struct pz_desk_call *d, const char *text)
{
    const char *root = d->call->server->o.s3_root, *at;
    size_t n = root ? strlen(root) : 0;
    struct pz_buf out = PZ_BUF_INIT;
    if (!n || strcmp(root, "/") == 0)
        return text;
    for (const char *from = text;; from = at + n + 1) {
        at = from;
        while ((at = strstr(at, root)) &&
               (at[n] != '/' || (at > text && !strchr(" '\"(\n", at[-1]))))
            at += n;
        if (!at) {
            pz_buf_addz(&out, from);
            break;
        }
        pz_buf_add(&out, from, (size_t)(at - from));
        pz_buf_addz(&out, "s3://");
    }
    const char *said = out.data && !out.failed ? pz_desk_text(d, "%s", out.data) : NULL;
    pz_buf_release(&out);
    return said ? said : text;
}

/* Stores how a job has ended. False: that is not possible for now. */
static bool
end_job(struct pz_control *c, const struct pz_job *j)
{
    struct own own;
    struct pz_desk_call d = own_call(c, &own);
    bool deletion = j->kind == PZ_KIND_DELETION;
    const char *reason = with_urls(&d, j->why.data ? j->why.data : "it failed");
    const char *pz = NULL;
    if (j->well && j->kind == PZ_KIND_VERSION) { // .../SOLUTION/VERSION.safetensors
        const char *slash = strrchr(j->name, '/');
        const char *version = j->said.data ? pz_desk_base(j->said.data) : "";
        pz = pz_desk_text(&d, "%.*s/%.*s", (int)(slash - j->name), j->name,
                          (int)strcspn(version, "."), version);
    }
    if (j->again)
        pz_recommender_updated(&d, j->name, j->well ? NULL : reason);
    else if (j->well && deletion)
        set_status(&d, j, "COMPLETED", NULL, NULL, count_deleted(&j->said));
    else if (j->well)
        set_status(&d, j, "ACTIVE", NULL, pz, 0);
    else if (j->stopped)
        set_status(&d, j, "CREATE STOPPED", NULL, NULL, 0);
    else
        set_status(&d, j, deletion ? "FAILED" : "CREATE FAILED", reason, NULL, 0);
    bool stored = d.err.status != PZ_SYSTEM;
    if (j->well && j->publish && !d.err.status)
        pz_metrics_report(&d, j->group);
    end_own(&d);
    return stored;
}

static bool
may_start(const struct pz_control *c, const struct pz_job *j)
{
    int running = 0;
    for (const struct pz_job *o = c->job; o; o = o->next) {
        running += o->pid > 0;
        if (o->pid > 0 && strcmp(o->group, j->group) == 0)
            return false;
    }
    return running < RUNNING_MAX;
}

static void
start_job(struct pz_control *c, struct pz_job *j, struct pz_err *err)
{
    struct own own;
    if (pz_job_start(j, err) || j->again)
        return;
    struct pz_desk_call d = own_call(c, &own);
    set_status(&d, j, j->kind == PZ_KIND_DELETION ? "IN_PROGRESS" : "CREATE IN_PROGRESS",
               NULL, NULL, 0);
    end_own(&d);
}

static void
tick(struct pz_control *c)
{
    for (struct pz_job **at = &c->job; *at;) {
        struct pz_job *j = *at;
        struct pz_err err = PZ_ERR_INIT;
        if (!j->pid && !j->over && may_start(c, j))
            start_job(c, j, &err);
        if (err.status) {
            pz_buf_addz(&j->why, err.msg);
            j->over = true;
        }
        if ((j->over || (j->pid && pz_job_ended(j))) && j->retry <= pz_seconds_wall()) {
            if (end_job(c, j)) {
                *at = j->next;
                pz_job_free(j);
                continue;
            }
            j->retry = pz_seconds_wall() + RETRY_SECONDS;
        }
        at = &j->next;
    }
}

/* What it had begun to delete. */
static void
sweep(struct pz_desk_call *d)
{
    if (d->call->server->o.root)
        pz_desk_sweep(d, d->call->server->o.root);
    for (size_t i = 0; i < d->call->site->n_groups && !d->err.status; i++) {
        const char *models = pz_desk_text(d, "%s/models", d->call->site->group[i]->path);
        if (models)
            pz_desk_sweep(d, models);
    }
}

/* Stores the end of what a server that is no more had begun. */
static void
bury(struct pz_control *c)
{
    struct own own;
    struct pz_desk_call d = own_call(c, &own);
    for (int k = 0; k < PZ_N_KINDS; k++) {
        struct pz_things all;
        pz_things_all(&d, (enum pz_kind_id)k, &all);
        for (size_t i = 0; i < all.n && !d.err.status; i++) {
            struct pz_thing t = all.thing[i];
            if (k == PZ_KIND_DATASET && strcmp(t.status, PZ_DELETING) == 0) {
                pz_dataset_end(&d, &t);
                pz_desk_undo(&d);
            } else if (t.orphan) {
                pz_thing_bury(&t);
                pz_thing_put(&d, &t);
            }
        }
        free(all.thing);
        complain(&d);
    }
    pz_recommenders_bury(&d);
    complain(&d);
    sweep(&d);
    end_own(&d);
}

/* CreateSolutionVersion, as the server's own wish. */
static void
train(struct pz_desk_call *d, const struct pz_thing *solution)
{
    struct pz_desk_call e = {.call = d->call,
                             .control = d->control,
                             .arena = d->arena,
                             .kind = &pz_kinds[PZ_KIND_VERSION],
                             .automatic = true};
    struct pz_buf text = PZ_BUF_INIT;
    bool first = true;
    pz_buf_addc(&text, '{');
    pz_out_arn(&text, &first, "solutionArn", pz_api_home(d->call), "solution",
               solution->name);
    pz_buf_addc(&text, '}');
    if (!pz_buf_status(&text, "a request", &e.err) &&
        !pz_json_parse(&d->call->body, text.data, text.len, &e.err)) {
        pz_op_create(&e);
        pz_json_free(d->call->body);
        d->call->body = NULL;
    }
    if (d->call->http->status != 200)
        pz_log(PZ_LOG_WARN, "automatic training of solution %s: %s", solution->name,
               e.err.status             ? e.err.msg
               : d->call->http->out.len ? d->call->http->out.data
                                        : "failed");
    pz_buf_clear(&d->call->http->out);
    d->call->http->status = 0;
    pz_desk_undo(&e);
    pz_job_free(e.job);
    pz_buf_release(&e.extra);
    pz_buf_release(&e.answer);
    pz_buf_release(&text);
}

static void
train_due(struct pz_desk_call *d)
{
    struct pz_things all;
    pz_things_all(d, PZ_KIND_SOLUTION, &all);
    for (size_t i = 0; i < all.n && !d->err.status; i++)
        if (pz_desk_training_due(d, &all.thing[i]))
            train(d, &all.thing[i]);
    free(all.thing);
}

/* What is to be done from time to time, whatever clients ask for. */
static void
do_chores(struct pz_control *c)
{
    double now = pz_seconds_wall();
    struct own own;
    if (c->chores && now - c->chores < CHORES_SECONDS)
        return;
    c->chores = now;
    struct pz_desk_call d = own_call(c, &own);
    pz_metrics_report(&d, NULL);
    complain(&d);
    train_due(&d);
    complain(&d);
    pz_recommenders_train(&d);
    end_own(&d);
}

/* Ends the children, by force when they take too long. */
static void
end_jobs(struct pz_control *c)
{
    for (struct pz_job *j = c->job; j; j = j->next)
        pz_job_kill(j);
    for (int waited = 0; c->job;) {
        struct pz_job *j = c->job;
        bool known = j->over; // and only not stored yet
        if (waited >= STOP_MS)
            pz_job_kill_now(j);
        if (j->pid && !pz_job_ended(j)) {
            nanosleep(&(struct timespec){0, TICK_MS * 1000000L}, NULL);
            waited += TICK_MS;
            continue;
        }
        if (!known && !j->well) {
            pz_buf_clear(&j->why);
            pz_buf_addz(&j->why, "the server was stopped");
            j->stopped = false;
        }
        end_job(c, j);
        c->job = j->next;
        pz_job_free(j);
    }
}

static void *
run(void *ctx)
{
    struct pz_control *c = ctx;
    bool stop = false;
    bury(c);
    do_chores(c);
    for (struct pz_waiting *w = NULL; w || !stop;) {
        w = pz_clerk_next(&c->clerk, c->job ? TICK_MS / 1000.0 : CHORES_SECONDS / 4.0,
                          &stop);
        if (w)
            answer(c, w);
        tick(c);
        do_chores(c);
    }
    end_jobs(c);
    return NULL;
}

int
pz_control_new(struct pz_control **out, struct pz_server *s, struct pz_err *err)
{
    if (pz_new(out, 1, sizeof **out, "the control plane", err))
        return err->status;
    (*out)->server = s;
    pz_clerk_init(&(*out)->clerk);
    return PZ_OK;
}

int
pz_control_start(struct pz_control *c, struct pz_err *err)
{
    return pz_clerk_start(&c->clerk, run, c, err);
}

void
pz_control_stop(struct pz_control *c)
{
    pz_clerk_stop(&c->clerk);
}

void
pz_control_free(struct pz_control *c)
{
    if (!c)
        return;
    pz_clerk_stop(&c->clerk);
    pz_clerk_release(&c->clerk);
    pz_site_free(c->site);
    pz_arena_release(&c->arena);
    free(c);
}
