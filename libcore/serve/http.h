/*
 * http: HTTP/1.1 over TCP: whole requests in, whole answers out. The only user of
 * libmicrohttpd, which reads the requests; what it lets pass and must not is refused here
 * (serve/guard.h).
 *
 * Each thread has an event loop of its own over a share of the connections. A request is
 * handed to the application when its body is there, on the thread of its connection; the
 * application answers at once, or later from any thread (pz_http_resume). Nothing here
 * waits for a client: who sends too slowly is cut off (limits below), and when there are
 * nearly as many connections as there may be, those that have been longest without a
 * request go first.
 */
#ifndef PZ_SERVE_HTTP_H
#define PZ_SERVE_HTTP_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
    PZ_HTTP_MEMORY = 20480, // bytes of a connection for request line and headers
    PZ_HTTP_HEADERS = 8,    // that an answer can have beside the usual ones
    PZ_HTTP_PEER = 64,
};

struct pz_http_pair {
    const char *name;
    char value[128];
};

/* A request and its answer. Lives until `done` was called. */
struct pz_http_call {
    const char *method; // as sent
    const char *target; // path and query as sent, nothing unescaped
    size_t n_path;      // of target
    const char *body;   // NUL-terminated
    size_t n_body;
    const char *peer; // address of the client
    int thread;       // whose event loop it is in
    double began;     // pz_seconds_wall() when its first line was there
    // The answer; the application's to fill.
    int status;
    const char *type; // Content-Type
    struct pz_buf out;
    struct pz_http_pair header[PZ_HTTP_HEADERS];
    size_t n_headers;
    const char *operation; // for the log; NULL: none
    int fault;             // for the counts
    void *app;             // the application's own, NULL at first
    uint8_t token[32];     // and this, where has_token
    bool has_token;
};

enum pz_http_when { PZ_HTTP_NOW, PZ_HTTP_LATER };

/* Calls for one thread come one after the other. */
struct pz_http_app {
    void *ctx;
    /* Before requests are answered that have arrived on this thread. */
    void (*begin)(void *ctx, int thread);
    /* After them: what was put off until they are all known is answered here. */
    void (*end)(void *ctx, int thread);
    /* The headers are there. How many bytes of body may follow? */
    size_t (*head)(void *ctx, struct pz_http_call *call);
    /* The request is whole. PZ_HTTP_LATER: pz_http_suspend() was called. */
    enum pz_http_when (*answer)(void *ctx, struct pz_http_call *call);
    /* A request that the guard or a limit refused: fills in the answer; status is set. */
    void (*refuse)(void *ctx, struct pz_http_call *call, const char *why);
    /* The answer was sent; or the client has gone. */
    void (*done)(void *ctx, struct pz_http_call *call, bool sent);
};

struct pz_http_options {
    const char *listen; // "ADDRESS:PORT" (an IPv6 address in brackets), port 0: any free
    int threads;
    unsigned max_connections;
    double head_seconds; // for request line and headers together
    double idle_seconds; // between requests
    unsigned min_rate;   // bytes a second of a body, either way, after head_seconds
    double late_seconds; // requests that waited longer are refused with 503; 0: never
};

struct pz_http_counts {
    _Atomic uint64_t accepted, slow, evicted, guarded, late;
    _Atomic int64_t open;
};

struct pz_http;
/* Listens. PZ_USAGE: the address makes no sense; PZ_SYSTEM: it cannot be had. */
int pz_http_new(struct pz_http **h, const struct pz_http_options *o,
                const struct pz_http_app *app, struct pz_err *err);
/* "127.0.0.1:8750", with the port that it got. */
const char *pz_http_address(const struct pz_http *h);
struct pz_http_counts *pz_http_counts(struct pz_http *h);
/* Starts the threads. */
int pz_http_start(struct pz_http *h, struct pz_err *err);
/* No more connections; open ones end with their answers. Returns after `seconds` at the
 * latest; calls that are suspended then can be resumed until pz_http_free(). */
void pz_http_stop(struct pz_http *h, double seconds);
/* Accepts NULL; after stop, if it was started. All suspended calls must have been resumed;
 * those that were too late for an answer get none: their connections are closed. */
void pz_http_free(struct pz_http *h);

/* In `answer`, before another thread learns of the call: it will be answered later. */
void pz_http_suspend(struct pz_http_call *call);
/* The answer to a suspended call is there. From any thread; the call is no longer the
 * caller's. */
void pz_http_resume(struct pz_http_call *call);

/* Value of a header of the request, its name in any case; NULL: there is none. */
const char *pz_http_header(const struct pz_http_call *call, const char *name);
/* All headers in their order, until fn returns nonzero, which is returned. */
int pz_http_each_header(const struct pz_http_call *call,
                        int (*fn)(void *ctx, const char *name, const char *value),
                        void *ctx);
/* A header of the answer. The value is cut at 127 bytes. */
void pz_http_add_header(struct pz_http_call *call, const char *name, const char *value);

/* Is this address the machine's own, loopback? false too when it makes no sense. */
bool pz_http_is_loopback(const char *listen);

#endif
