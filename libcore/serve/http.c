#include "serve/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "serve/guard.h"

enum {
    BACKLOG = 1024,
    TOO_LONG = 16,     // times what a body may have: read no further for an answer's sake
    KEEP_BODY = 65536, // a larger buffer is given back after the answer
    SWEEP_MS = 250,    // how often slow connections are looked for
};

#define QUICK_SECONDS 1.0  // for a request to arrive in: longer is slow
#define LAST_SECONDS  0.25 // the same when there is an end in sight

/* What a connection is waiting for. */
enum phase {
    FIRST, // the first request line
    HEAD,  // the headers
    BODY,
    BUSY, // the application
    SEND, // that the client takes the answer
    IDLE, // the next request
};

struct conn {
    struct pz_http_call call; // first: a call is its connection
    struct MHD_Connection *mhd;
    struct loop *loop;
    struct conn *prev, *next;
    enum phase phase;
    double since; // of the phase
    int fd;
    size_t max_body, n_body; // bytes of a body: at most, and come so far
    struct pz_buf body, target;
    bool answered, refused;
    char peer[PZ_HTTP_PEER];
};

struct loop {
    struct pz_http *h;
    int index;
    struct MHD_Daemon *daemon;
    pthread_t id;
    bool started;
    int wake; // eventfd: there is something to do
    _Atomic bool woken;
    struct conn all; // head of the ring of connections
    unsigned n_conns;
    double batch, batch_before; // when the requests at hand were looked for
};

struct pz_http {
    struct pz_http_options o;
    struct pz_http_app app;
    int fd;
    char address[PZ_HTTP_PEER + 16];
    struct loop *loop;
    struct pz_http_counts counts;
    _Atomic bool stopping;
    double deadline; // set before stopping
};

/* One write for all that comes before the loop looks. */
static void
wake_up(struct loop *l)
{
    uint64_t one = 1;
    if (!atomic_exchange(&l->woken, true) && write(l->wake, &one, sizeof one) < 0)
        return; // its counter is full: it is readable as it should be
}

/* ---- addresses ---- */

/* ADDRESS:PORT into the two; false when it is not that. */
static bool
split_address(const char *text, char host[PZ_HTTP_PEER], char port[8])
{
    const char *colon = strrchr(text, ':');
    if (!colon || colon == text)
        return false;
    size_t n = (size_t)(colon - text);
    if (text[0] == '[' && text[n - 1] == ']') {
        text++;
        n -= 2;
    } else if (memchr(text, ':', n)) {
        return false;
    }
    int64_t number;
    if (n == 0 || n >= PZ_HTTP_PEER || strlen(colon + 1) > 5 ||
        pz_parse_i64(colon + 1, strlen(colon + 1), &number) || number < 0 ||
        number > 65535)
        return false;
    memcpy(host, text, n);
    host[n] = '\0';
    snprintf(port, 8, "%d", (int)number);
    return true;
}

/* "1.2.3.4:80" or "[::1]:80" */
static void
address_text(char *out, size_t cap, const struct sockaddr *a, bool port)
{
    char host[INET6_ADDRSTRLEN] = "?";
    if (a->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)a;
        inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
        snprintf(out, cap, port ? "[%s]:%d" : "%s", host, ntohs(v6->sin6_port));
    } else {
        const struct sockaddr_in *v4 = (const void *)a;
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
        snprintf(out, cap, port ? "%s:%d" : "%s", host, ntohs(v4->sin_port));
    }
}

static int
resolve(const char *text, struct addrinfo **out, struct pz_err *err)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    char host[PZ_HTTP_PEER], port[8];
    if (!split_address(text, host, port))
        return pz_err_set(err, PZ_USAGE,
                          "'%s' is no ADDRESS:PORT such as 127.0.0.1:8750 or [::1]:8750",
                          text);
    const char *name = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
    int rc = getaddrinfo(name, port, &hints, out);
    return rc ? pz_err_set(err, PZ_USAGE, "'%s' is no address of a machine: %s", host,
                           gai_strerror(rc))
              : PZ_OK;
}

bool
pz_http_is_loopback(const char *text)
{
    struct pz_err err = PZ_ERR_INIT;
    struct addrinfo *info;
    if (resolve(text, &info, &err))
        return false;
    bool yes;
    if (info->ai_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)info->ai_addr;
        yes = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    } else {
        const struct sockaddr_in *v4 = (const void *)info->ai_addr;
        yes = ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    }
    freeaddrinfo(info);
    return yes;
}

static int
listen_on(struct pz_http *h, struct pz_err *err)
{
    struct addrinfo *info;
    struct sockaddr_storage bound;
    socklen_t n = sizeof bound;
    int one = 1;
    if (resolve(h->o.listen, &info, err))
        return err->status;
    h->fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (h->fd < 0 || setsockopt(h->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
        bind(h->fd, info->ai_addr, info->ai_addrlen) || listen(h->fd, BACKLOG) ||
        getsockname(h->fd, (struct sockaddr *)&bound, &n))
        pz_err_sys(err, "cannot listen on '%s'", h->o.listen);
    else
        address_text(h->address, sizeof h->address, (struct sockaddr *)&bound, true);
    freeaddrinfo(info);
    return err->status;
}

/* ---- connections ---- */

static void
enter(struct conn *c, enum phase phase)
{
    c->phase = phase;
    c->since = pz_seconds_wall();
}

/* The library sees the end of the connection and tidies up. */
static void
cut_off(struct conn *c)
{
    shutdown(c->fd, SHUT_RDWR);
    c->since += 3600; // once is enough
}

/* The connection that is the least loss: one that has been longest about a request, and
 * if all were quick, the one that has been longest without. */
static bool
evict(struct loop *l)
{
    struct conn *slow = NULL, *idle = NULL;
    double now = pz_seconds_wall();
    for (struct conn *c = l->all.next; c != &l->all; c = c->next) {
        bool late = (c->phase == FIRST || c->phase == HEAD || c->phase == BODY) &&
                    now - c->since > QUICK_SECONDS;
        if (late && (!slow || c->since < slow->since))
            slow = c;
        if (c->phase == IDLE && c->since <= now && (!idle || c->since < idle->since))
            idle = c;
    }
    if (!slow && !idle)
        return false;
    cut_off(slow ? slow : idle);
    l->h->counts.evicted++;
    return true;
}

/* Connections of a loop from which on room is made. */
static unsigned
crowd(const struct loop *l)
{
    return l->h->o.max_connections / (unsigned)l->h->o.threads * 9 / 10;
}

static void
release(struct conn *c)
{
    pz_buf_release(&c->body);
    pz_buf_release(&c->target);
    pz_buf_release(&c->call.out);
    free(c);
}

static void
on_connection(void *cls, struct MHD_Connection *mhd, void **ctx,
              enum MHD_ConnectionNotificationCode what)
{
    struct loop *l = cls;
    struct conn *c = *ctx;
    struct pz_err err = PZ_ERR_INIT;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (!c)
            return;
        c->prev->next = c->next;
        c->next->prev = c->prev;
        l->n_conns--;
        l->h->counts.open--;
        release(c);
        *ctx = NULL;
        return;
    }
    *ctx = NULL;
    l->h->counts.accepted++;
    if (pz_new(&c, 1, sizeof *c, "a connection", &err))
        return; // its requests are refused
    c->mhd = mhd;
    c->loop = l;
    c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    address_text(
        c->peer, sizeof c->peer,
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr,
        false);
    enter(c, FIRST);
    c->prev = &l->all;
    c->next = l->all.next;
    c->next->prev = c->prev->next = c;
    *ctx = c;
    l->h->counts.open++;
    if (++l->n_conns > crowd(l))
        evict(l);
}

/* The first line of a request has been read. */
static void *
on_line(void *cls, const char *target, struct MHD_Connection *mhd)
{
    struct loop *l = cls;
    struct conn *c =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    if (!c)
        return NULL;
    struct pz_buf out = c->call.out;
    pz_buf_clear(&out);
    pz_buf_clear(&c->body);
    pz_buf_clear(&c->target);
    pz_buf_addz(&c->target, target);
    pz_buf_addc(&c->target, '\0');
    c->call = (struct pz_http_call){.out = out,
                                    .target = c->target.failed ? "" : c->target.data,
                                    .peer = c->peer,
                                    .thread = l->index,
                                    .type = "text/plain"};
    c->call.n_path = strcspn(c->call.target, "?");
    c->answered = c->refused = false;
    c->n_body = 0;
    enter(c, HEAD);
    c->call.began = c->since;
    return c;
}

const char *
pz_http_header(const struct pz_http_call *call, const char *name)
{
    const struct conn *c = (const void *)call;
    return MHD_lookup_connection_value(c->mhd, MHD_HEADER_KIND, name);
}

struct walk {
    int (*fn)(void *ctx, const char *name, const char *value);
    void *ctx;
    int result;
};

static enum MHD_Result
step(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct walk *w = cls;
    (void)kind;
    w->result = w->fn(w->ctx, name, value ? value : "");
    return w->result ? MHD_NO : MHD_YES;
}

int
pz_http_each_header(const struct pz_http_call *call,
                    int (*fn)(void *ctx, const char *name, const char *value), void *ctx)
{
    const struct conn *c = (const void *)call;
    struct walk w = {fn, ctx, 0};
    MHD_get_connection_values(c->mhd, MHD_HEADER_KIND, step, &w);
    return w.result;
}

void
pz_http_add_header(struct pz_http_call *call, const char *name, const char *value)
{
    if (call->n_headers == PZ_HTTP_HEADERS)
        return;
    struct pz_http_pair *p = &call->header[call->n_headers++];
    p->name = name;
    snprintf(p->value, sizeof p->value, "%s", value);
}

/* ---- requests ---- */

static enum MHD_Result
send_answer(struct conn *c)
{
    struct pz_http_call *call = &c->call;
    if (call->out.failed) {
        pz_buf_clear(&call->out);
        call->status = 500;
    }
    // The bytes stay where they are until the request is done.
    struct MHD_Response *r = MHD_create_response_from_buffer(
        call->out.len, call->out.data, MHD_RESPMEM_PERSISTENT);
    if (!r)
        return MHD_NO;
    MHD_add_response_header(r, "Content-Type", call->type);
    for (size_t i = 0; i < call->n_headers; i++)
        MHD_add_response_header(r, call->header[i].name, call->header[i].value);
    if (c->refused || atomic_load(&c->loop->h->stopping))
        MHD_add_response_header(r, "Connection", "close");
    enter(c, SEND);
    c->answered = true;
    enum MHD_Result ok = MHD_queue_response(c->mhd, (unsigned)call->status, r);
    MHD_destroy_response(r);
    return ok;
}

static enum MHD_Result
refuse(struct conn *c, int status, const char *why)
{
    const struct pz_http_app *app = &c->loop->h->app;
    c->refused = true;
    c->call.status = status;
    app->refuse(app->ctx, &c->call, why);
    return send_answer(c);
}

static int
guard_header(void *ctx, const char *name, const char *value)
{
    pz_guard_header(ctx, name, value);
    return 0;
}

/* The headers are there. */
static enum MHD_Result
take_head(struct conn *c, const char *method, const char *version)
{
    struct pz_http *h = c->loop->h;
    struct pz_guard guard = {0};
    int64_t length;
    c->call.method = method;
    pz_http_each_header(&c->call, guard_header, &guard);
    const char *wrong = pz_guard_verdict(&guard, version, c->call.target);
    if (wrong) {
        h->counts.guarded++;
        return refuse(c, 400, wrong);
    }
    c->max_body = h->app.head(h->app.ctx, &c->call);
    const char *text = pz_http_header(&c->call, "Content-Length");
    if (text && (pz_parse_i64(text, strlen(text), &length) || length < 0 ||
                 (uint64_t)length > c->max_body))
        return refuse(c, 413, "the body is too long");
    c->body.max = c->max_body + 1;
    enter(c, BODY);
    return MHD_YES;
}

static enum MHD_Result
take_whole(struct conn *c)
{
    struct pz_http *h = c->loop->h;
    pz_buf_addc(&c->body, '\0');
    if (c->body.failed)
        return refuse(c, 500, "no memory for the body");
    c->call.body = c->body.data;
    c->call.n_body = c->body.len - 1;
    if (h->o.late_seconds > 0 && pz_seconds_wall() - c->loop->batch > h->o.late_seconds) {
        h->counts.late++;
        c->call.status = 503;
        h->app.refuse(h->app.ctx, &c->call, "too many requests: try again");
        return send_answer(c);
    }
    enter(c, BUSY);
    if (h->app.answer(h->app.ctx, &c->call) == PZ_HTTP_NOW)
        return send_answer(c);
    return MHD_YES;
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
           const char *version, const char *data, size_t *n_data, void **ctx)
{
    struct conn *c = *ctx;
    (void)cls;
    (void)mhd;
    (void)url;
    if (!c)
        return MHD_NO; // no memory
    if (c->phase == HEAD)
        return take_head(c, method, version);
    if (c->answered)
        return MHD_YES;
    if (*n_data) {
        // An answer is not possible before the last chunk, so that some more is read.
        c->n_body += *n_data;
        if (c->n_body > TOO_LONG * c->max_body)
            return MHD_NO;
        if (c->n_body <= c->max_body)
            pz_buf_add(&c->body, data, *n_data);
        *n_data = 0;
        return MHD_YES;
    }
    if (c->phase == BODY)
        return c->n_body > c->max_body ? refuse(c, 413, "the body is too long")
                                       : take_whole(c);
    return send_answer(c); // resumed
}

static void
on_done(void *cls, struct MHD_Connection *mhd, void **ctx,
        enum MHD_RequestTerminationCode how)
{
    struct loop *l = cls;
    struct conn *c = *ctx;
    (void)mhd;
    if (!c)
        return;
    l->h->app.done(l->h->app.ctx, &c->call,
                   c->answered && how == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    *ctx = NULL;
    if (c->body.cap > KEEP_BODY)
        pz_buf_release(&c->body);
    if (c->call.out.cap > KEEP_BODY)
        pz_buf_release(&c->call.out);
    enter(c, IDLE);
}

/* Nothing is unescaped: what was sent is what is looked at. */
static size_t
keep_escapes(void *cls, struct MHD_Connection *mhd, char *s)
{
    (void)cls;
    (void)mhd;
    return strlen(s);
}

void
pz_http_suspend(struct pz_http_call *call)
{
    MHD_suspend_connection(((struct conn *)(void *)call)->mhd);
}

void
pz_http_resume(struct pz_http_call *call)
{
    struct conn *c = (struct conn *)(void *)call;
    struct loop *l = c->loop; // when it is resumed the connection is not ours
    MHD_resume_connection(c->mhd);
    wake_up(l);
}

/* ---- loops ---- */

/* Cuts off who has taken too long. */
static void
sweep(struct loop *l, double now)
{
    const struct pz_http_options *o = &l->h->o;
    bool stopping = atomic_load(&l->h->stopping);
    for (struct conn *c = l->all.next; c != &l->all; c = c->next) {
        double limit = o->head_seconds, bytes = 0;
        if (c->phase == BUSY)
            continue;
        if (c->phase == IDLE)
            limit = stopping ? 0 : o->idle_seconds;
        if (c->phase == FIRST && stopping)
            limit = LAST_SECONDS;
        if (c->phase == BODY)
            bytes = (double)c->n_body;
        if (c->phase == SEND)
            bytes = (double)c->call.out.len;
        if (now - c->since > limit + bytes / o->min_rate) {
            l->h->counts.slow += c->phase != IDLE;
            cut_off(c);
        }
    }
    // When all places are taken nobody new gets in to make room: half of them, then.
    for (unsigned n = 0; l->n_conns > crowd(l) && n < crowd(l) / 2 && evict(l); n++)
        ;
}

static void *
run_loop(void *arg)
{
    struct loop *l = arg;
    struct pz_http *h = l->h;
    int epoll = MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    double swept = 0;
    bool listens = true;
    for (;;) {
        MHD_UNSIGNED_LONG_LONG wait;
        struct pollfd fd[2] = {{.fd = epoll, .events = POLLIN},
                               {.fd = l->wake, .events = POLLIN}};
        bool stopping = atomic_load(&h->stopping);
        if (stopping && (l->n_conns == 0 || pz_seconds_wall() > h->deadline))
            break;
        if (MHD_get_timeout(l->daemon, &wait) != MHD_YES || wait > SWEEP_MS)
            wait = stopping ? 20 : SWEEP_MS;
        poll(fd, 2, (int)wait);
        uint64_t count;
        if (fd[1].revents && read(l->wake, &count, sizeof count) < 0)
            continue; // nobody else reads it
        atomic_store(&l->woken, false);
        double now = pz_seconds_wall();
        l->batch = now;
        h->app.begin(h->app.ctx, l->index);
        if (listens && atomic_load(&h->stopping)) {
            int listening = MHD_quiesce_daemon(l->daemon);
            if (listening >= 0)
                close(listening);
            listens = false;
        }
        MHD_run(l->daemon);
        h->app.end(h->app.ctx, l->index);
        if (now - swept > SWEEP_MS / 1000.0 || stopping) {
            sweep(l, now);
            swept = now;
        }
    }
    return NULL;
}

/* ---- life ---- */

static int
loop_init(struct loop *l, struct pz_http *h, int index, struct pz_err *err)
{
    unsigned share = h->o.max_connections / (unsigned)h->o.threads;
    l->h = h;
    l->index = index;
    l->all.next = l->all.prev = &l->all;
    l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int fd = fcntl(h->fd, F_DUPFD_CLOEXEC, 3);
    if (l->wake < 0 || fd < 0)
        return pz_err_sys(err, "cannot start a server");
    l->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, l,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, on_done, l,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, l, MHD_OPTION_URI_LOG_CALLBACK,
        on_line, l, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
        MHD_OPTION_CONNECTION_LIMIT, share ? share : 1,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)PZ_HTTP_MEMORY,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_END);
    if (!l->daemon) {
        close(fd);
        return pz_err_set(err, PZ_SYSTEM, "cannot start a server on '%s'", h->o.listen);
    }
    return PZ_OK;
}

int
pz_http_new(struct pz_http **out, const struct pz_http_options *o,
            const struct pz_http_app *app, struct pz_err *err)
{
    struct pz_http *h;
    *out = NULL;
    if (pz_new(&h, 1, sizeof *h, "a server", err))
        return err->status;
    h->o = *o;
    h->app = *app;
    h->fd = -1;
    if (pz_new(&h->loop, (size_t)o->threads, sizeof *h->loop, "threads", err) ||
        listen_on(h, err)) {
        pz_http_free(h);
        return err->status;
    }
    *out = h;
    return PZ_OK;
}

const char *
pz_http_address(const struct pz_http *h)
{
    return h->address;
}

struct pz_http_counts *
pz_http_counts(struct pz_http *h)
{
    return &h->counts;
}

int
pz_http_start(struct pz_http *h, struct pz_err *err)
{
    sigset_t all, old;
    for (int i = 0; i < h->o.threads; i++)
        if (loop_init(&h->loop[i], h, i, err))
            return err->status;
    sigfillset(&all); // signals are for the thread that called
    pthread_sigmask(SIG_SETMASK, &all, &old);
    for (int i = 0; i < h->o.threads && !err->status; i++) {
        errno = pthread_create(&h->loop[i].id, NULL, run_loop, &h->loop[i]);
        if (errno)
            pz_err_sys(err, "cannot start a thread");
        h->loop[i].started = !errno;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return err->status;
}

void
pz_http_stop(struct pz_http *h, double seconds)
{
    h->deadline = pz_seconds_wall() + seconds;
    atomic_store(&h->stopping, true);
    // Who comes now is to learn at once that nobody is here; the loops close theirs.
    close(h->fd);
    h->fd = -1;
    for (int i = 0; i < h->o.threads; i++) {
        struct loop *l = &h->loop[i];
        if (l->started) {
            wake_up(l);
            pthread_join(l->id, NULL);
        }
        l->started = false;
    }
}

void
pz_http_free(struct pz_http *h)
{
    if (!h)
        return;
    for (int i = 0; h->loop && i < h->o.threads; i++) {
        if (h->loop[i].daemon) // it ends the process when somebody is still suspended
            MHD_stop_daemon(h->loop[i].daemon);
        if (h->loop[i].h && h->loop[i].wake >= 0)
            close(h->loop[i].wake);
    }
    if (h->fd >= 0)
        close(h->fd);
    free(h->loop);
    free(h);
}
