#include "serve/api.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct pz_fault_row faults[PZ_N_FAULTS] = {
    [PZ_FAULT_NONE] = {"", {200, 200, 200, 200}},
    [PZ_FAULT_INVALID_INPUT] = {"InvalidInputException", {400, 400, 400, 400}},
    [PZ_FAULT_NOT_FOUND] = {"ResourceNotFoundException", {404, 404, 400, 404}},
    [PZ_FAULT_EXISTS] = {"ResourceAlreadyExistsException", {400, 400, 400, 400}},
    [PZ_FAULT_IN_USE] = {"ResourceInUseException", {409, 409, 400, 409}},
    [PZ_FAULT_LIMIT] = {"LimitExceededException", {400, 400, 400, 400}},
    [PZ_FAULT_NEXT_TOKEN] = {"InvalidNextTokenException", {400, 400, 400, 400}},
    [PZ_FAULT_TOO_MANY_TAGS] = {"TooManyTagsException", {400, 400, 400, 400}},
    [PZ_FAULT_TOO_MANY_TAG_KEYS] = {"TooManyTagKeysException", {400, 400, 400, 400}},
    [PZ_FAULT_VALIDATION] = {"ValidationException", {400, 400, 400, 400}},
    [PZ_FAULT_SERIALIZATION] = {"SerializationException", {400, 400, 400, 400}},
    [PZ_FAULT_UNKNOWN_OPERATION] = {"UnknownOperationException", {404, 404, 400, 404}},
    [PZ_FAULT_THROTTLING] = {"ThrottlingException", {400, 400, 400, 429}},
    [PZ_FAULT_UNAVAILABLE] = {"ServiceUnavailable", {503, 503, 503, 503}},
    [PZ_FAULT_INTERNAL] = {"InternalFailure", {500, 500, 500, 500}},
    [PZ_FAULT_TOO_LARGE] = {"RequestEntityTooLargeException", {413, 413, 413, 413}},
    [PZ_FAULT_BAD_REQUEST] = {"BadRequestException", {400, 400, 400, 400}},
    [PZ_FAULT_METHOD] = {"MethodNotAllowedException", {405, 405, 405, 405}},
    [PZ_FAULT_MISSING_TOKEN] = {"MissingAuthenticationTokenException",
                                {403, 403, 403, 403}},
    [PZ_FAULT_INCOMPLETE_SIGNATURE] = {"IncompleteSignatureException",
                                       {400, 400, 400, 400}},
    [PZ_FAULT_UNKNOWN_CLIENT] = {"UnrecognizedClientException", {403, 403, 403, 403}},
    [PZ_FAULT_SIGNATURE] = {"InvalidSignatureException", {403, 403, 403, 403}},
    [PZ_FAULT_EXPIRED] = {"RequestExpired", {400, 400, 400, 400}},
    [PZ_FAULT_DENIED] = {"AccessDeniedException", {403, 403, 403, 403}},
};

const struct pz_fault_row *
pz_fault_of(enum pz_fault fault)
{
    return &faults[fault];
}

void
pz_api_set_fault(struct pz_http_call *http, enum pz_service service, enum pz_fault fault,
                 const char *message)
{
    const struct pz_fault_row *row = &faults[fault];
    struct pz_buf *out = &http->out;
    http->status = row->status[service];
    http->fault = (int)fault;
    http->type =
        service == PZ_CONTROL ? "application/x-amz-json-1.1" : "application/json";
    pz_buf_clear(out);
    pz_buf_addc(out, '{');
    if (service == PZ_CONTROL)
        pz_buf_addf(out, "\"__type\":\"%s\",", row->name);
    pz_buf_addz(out, "\"message\":");
    pz_json_add_string(out, message, strlen(message));
    pz_buf_addc(out, '}');
    pz_http_add_header(http, "x-amzn-ErrorType", row->name);
    if (fault == PZ_FAULT_UNAVAILABLE || fault == PZ_FAULT_THROTTLING)
        pz_http_add_header(http, "Retry-After", "1");
}

enum pz_http_when
pz_api_fail(struct pz_call *call, enum pz_fault fault, const char *fmt, ...)
{
    char text[2560];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    pz_api_set_fault(call->http, call->route ? call->route->service : PZ_OWN, fault,
                     text);
    return PZ_HTTP_NOW;
}

enum pz_http_when
pz_api_fail_err(struct pz_call *call, const struct pz_err *err)
{
    enum pz_fault fault = err->status == PZ_DATA || err->status == PZ_USAGE
                              ? PZ_FAULT_INVALID_INPUT
                              : PZ_FAULT_INTERNAL;
    return pz_api_fail(call, fault, "%s", err->msg);
}

const pz_json *
pz_body_get(const pz_json *object, const char *key)
{
    const pz_json *j = pz_json_get(object, key);
    return j && !pz_json_is_null(j) ? j : NULL;
}

bool
pz_body_i64(const pz_json *object, const char *key, int64_t *out)
{
    const pz_json *j = pz_body_get(object, key);
    return j && pz_json_i64(j, out);
}

/* ---- writing ---- */

void
pz_out_key(struct pz_buf *out, bool *first, const char *key)
{
    pz_buf_addz(out, *first ? "\"" : ",\"");
    pz_buf_addz(out, key);
    pz_buf_addz(out, "\":");
    *first = false;
}

void
pz_out_text(struct pz_buf *out, bool *first, const char *key, const char *value)
{
    if (!value)
        return;
    pz_out_key(out, first, key);
    pz_json_add_string(out, value, strlen(value));
}

void
pz_out_i64(struct pz_buf *out, bool *first, const char *key, int64_t value)
{
    pz_out_key(out, first, key);
    pz_buf_add_i64(out, value);
}

void
pz_out_bool(struct pz_buf *out, bool *first, const char *key, bool value)
{
    pz_out_key(out, first, key);
    pz_buf_addz(out, value ? "true" : "false");
}

void
pz_out_arn(struct pz_buf *out, bool *first, const char *key,
           const struct pz_arn_home *home, const char *kind, const char *name)
{
    pz_out_key(out, first, key);
    pz_buf_addc(out, '"');
    pz_arn_add(out, home, kind, name); // names and options were checked
    pz_buf_addc(out, '"');
}

/* ---- routes ---- */

const struct pz_route *const pz_all_routes[] = {pz_runtime_routes, pz_events_routes,
                                                pz_control_routes, pz_own_routes,
                                                pz_console_routes, NULL};

/* Which API a path is of is told by the target header: there it is "/" always. */
static const struct pz_route *
find_target(const char *method, const char *target, enum pz_fault *fault)
{
    const char *dot = strchr(target, '.');
    if (strcmp(method, "POST") != 0) {
        *fault = PZ_FAULT_METHOD;
        return NULL;
    }
    if (dot)
        for (const struct pz_route *r = pz_control_routes; r->operation; r++)
            if (strcmp(dot + 1, r->operation) == 0)
                return r;
    *fault = PZ_FAULT_UNKNOWN_OPERATION;
    return NULL;
}

const struct pz_route *
pz_route_find(const char *method, const char *path, size_t n_path, const char *target,
              enum pz_fault *fault)
{
    *fault = PZ_FAULT_UNKNOWN_OPERATION;
    if (target && n_path == 1)
        return find_target(method, target, fault);
    for (size_t t = 0; pz_all_routes[t]; t++) {
        if (pz_all_routes[t] == pz_control_routes)
            continue;
        for (const struct pz_route *r = pz_all_routes[t]; r->operation; r++) {
            if (strlen(r->path) != n_path || memcmp(r->path, path, n_path) != 0)
                continue;
            if (strcmp(r->method, method) == 0)
                return r;
            if (strcmp(r->method, "GET") == 0 && strcmp(method, "HEAD") == 0)
                return r;
            *fault = PZ_FAULT_METHOD;
        }
    }
    return NULL;
}
