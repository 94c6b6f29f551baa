/*
 * api: an API call from the route that it took to its answer; AWS's errors; and what the
 * operations share. A handler gets a body that fits its shape, writes the answer into
 * call->http->out, and returns; failures go through pz_api_fail().
 */
#ifndef PZ_SERVE_API_H
#define PZ_SERVE_API_H

#include "serve/arn.h"
#include "serve/http.h"
#include "serve/shape.h"
#include "serve/site.h"

enum pz_service { PZ_RUNTIME, PZ_EVENTS, PZ_CONTROL, PZ_OWN, PZ_N_SERVICES };

/* AWS's errors. Names and HTTP statuses are in pz_fault_of(). */
enum pz_fault {
    PZ_FAULT_NONE,
    PZ_FAULT_INVALID_INPUT,
    PZ_FAULT_NOT_FOUND,
    PZ_FAULT_EXISTS,
    PZ_FAULT_IN_USE,
    PZ_FAULT_LIMIT,
    PZ_FAULT_NEXT_TOKEN,
    PZ_FAULT_TOO_MANY_TAGS,
    PZ_FAULT_TOO_MANY_TAG_KEYS,
    PZ_FAULT_VALIDATION,
    PZ_FAULT_SERIALIZATION,
    PZ_FAULT_UNKNOWN_OPERATION,
    PZ_FAULT_THROTTLING,
    PZ_FAULT_UNAVAILABLE,
    PZ_FAULT_INTERNAL,
    PZ_FAULT_TOO_LARGE,
    PZ_FAULT_BAD_REQUEST,
    PZ_FAULT_METHOD,
    PZ_FAULT_MISSING_TOKEN,
    PZ_FAULT_INCOMPLETE_SIGNATURE,
    PZ_FAULT_UNKNOWN_CLIENT,
    PZ_FAULT_SIGNATURE,
    PZ_FAULT_EXPIRED,
    PZ_FAULT_DENIED,
    PZ_N_FAULTS,
};

struct pz_fault_row {
    const char *name;
    int status[PZ_N_SERVICES];
};
const struct pz_fault_row *pz_fault_of(enum pz_fault fault);

struct pz_server;
struct pz_worker;
struct pz_call;
typedef enum pz_http_when (*pz_handler)(struct pz_call *call);

/* A row of the table of routes. */
struct pz_route {
    enum pz_service service;
    const char *operation; // AWS's name of it
    const char *method;
    const char *path;             // CONTROL: all are "/", the X-Amz-Target decides
    const struct pz_shape *shape; // of the body; NULL: there is none
    pz_handler fn;
    unsigned flags;
};
enum {
    PZ_ROUTE_OPEN = 1, // needs no signature
    PZ_ROUTE_PAGE = 2, // of the console (serve/origin.h)
    PZ_BODY_MAX = 1 << 20,
};

/* One call. Lives on the stack of the thread that answers; what answers later keeps what
 * it needs of it. */
struct pz_call {
    struct pz_server *server;
    struct pz_worker *worker; // of this thread
    struct pz_http_call *http;
    const struct pz_route *route;
    pz_json *body; // fits route->shape; NULL after the call: it was taken for later
    const struct pz_site *site; // may be replaced by pz_api_look()
    bool blind;                 // the last look could not see all
};

/* Answers with an error; what was written before is dropped. Returns PZ_HTTP_NOW. */
enum pz_http_when pz_api_fail(struct pz_call *call, enum pz_fault fault, const char *fmt,
                              ...) __attribute__((format(printf, 3, 4)));
/* The error that a status of libcore is: PZ_DATA and PZ_USAGE are the client's. */
enum pz_http_when pz_api_fail_err(struct pz_call *call, const struct pz_err *err);
/* The same for a call that is answered later; `service` says which way errors look. */
void pz_api_set_fault(struct pz_http_call *http, enum pz_service service,
                      enum pz_fault fault, const char *message);
/* Looks at the groups again: for what was not found in call->site, and after changes. */
void pz_api_look(struct pz_call *call);
/* Before something is said not to exist: true when that cannot be told for now. Then the
 * call has failed, with an error that clients try again after. */
bool pz_api_blind(struct pz_call *call);

const struct pz_arn_home *pz_api_home(const struct pz_call *call);
bool pz_api_strict(const struct pz_call *call);

/* The tables. {NULL} operation behind the last. */
extern const struct pz_route pz_runtime_routes[], pz_events_routes[], pz_control_routes[],
    pz_own_routes[], pz_console_routes[];
/* All tables, NULL behind the last. */
extern const struct pz_route *const pz_all_routes[];
/* Finds the row. *fault tells why there is none. target: of X-Amz-Target, or NULL. */
const struct pz_route *pz_route_find(const char *method, const char *path, size_t n_path,
                                     const char *target, enum pz_fault *fault);

/* ---- small readers of bodies that fit ---- */

/* A string member; NULL: absent or null. */
#define pz_body_string(object, key) pz_json_get_string(object, key)
bool pz_body_i64(const pz_json *object, const char *key, int64_t *out);
const pz_json *pz_body_get(const pz_json *object, const char *key); // NULL: or null

/* ---- writing answers: {"a":1,"b":"x"} member by member, the braces are the caller's
 * ---- */

void pz_out_key(struct pz_buf *out, bool *first, const char *key);
void pz_out_text(struct pz_buf *out, bool *first, const char *key, const char *value);
void pz_out_i64(struct pz_buf *out, bool *first, const char *key, int64_t value);
void pz_out_bool(struct pz_buf *out, bool *first, const char *key, bool value);
void pz_out_arn(struct pz_buf *out, bool *first, const char *key,
                const struct pz_arn_home *home, const char *kind, const char *name);

#endif
