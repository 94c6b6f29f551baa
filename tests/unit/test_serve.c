/* The parts of pz-serve that need no socket: what a request must look like, names,
 * routes, and which requests are ambiguous. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "serve/api.h"
#include "serve/guard.h"
#include "unit.h"

/* ---- guard ---- */

/* Headers as "Name: value\n..."; the name ends at the first ": ". */
static const char *
judge(const char *headers, const char *version, const char *target)
{
    struct pz_guard g = {0};
    while (*headers) {
        char line[256];
        size_t n = strcspn(headers, "\n");
        memcpy(line, headers, n);
        line[n] = '\0';
        headers += n + (headers[n] == '\n');
        char *colon = strstr(line, ": ");
        ck_assert_ptr_nonnull(colon);
        *colon = '\0';
        pz_guard_header(&g, line, colon + 2);
    }
    return pz_guard_verdict(&g, version, target);
}

static const struct {
    const char *headers, *version, *target, *verdict; // a part of it; NULL: answered
} guard_cases[] = {
    {"Host: a", "HTTP/1.1", "/", NULL},
    {"host: a:80\ncontent-length: 3", "HTTP/1.1", "/events?x=1", NULL},
    {"Host: [::1]:80\nTransfer-Encoding: Chunked", "HTTP/1.1", "/", NULL},
    {"Host: a\nX-Any: \ttabs and \xc3\xa4", "HTTP/1.1", "/%20", NULL},
    {"Host: a", "HTTP/1.0", "/", NULL},
    {"Accept: x", "HTTP/1.1", "/", "Host is missing"},
    {"Host: a\nHost: a", "HTTP/1.1", "/", "more than one Host"},
    {"Host: a b", "HTTP/1.1", "/", "names no host"},
    {"Host: a,b", "HTTP/1.1", "/", "names no host"},
    {"Host: a\nContent-Length: 3\nContent-Length: 4", "HTTP/1.1", "/",
     "more than one Content-Length"},
    {"Host: a\nContent-Length: 3\nContent-Length: 3", "HTTP/1.1", "/",
     "more than one Content-Length"},
    {"Host: a\nContent-Length: 3\nTransfer-Encoding: chunked", "HTTP/1.1", "/",
     "Content-Length and Transfer-Encoding"},
    {"Host: a\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked", "HTTP/1.1", "/",
     "more than one Transfer-Encoding"},
    {"Host: a\nTransfer-Encoding: xchunked", "HTTP/1.1", "/", "not chunked"},
    {"Host: a\nTransfer-Encoding: gzip, chunked", "HTTP/1.1", "/", "not chunked"},
    {"Host: a\nTransfer-Encoding: chunked", "HTTP/1.0", "/", "needs HTTP/1.1"},
    {"Host: a\nContent-Encoding: Identity", "HTTP/1.1", "/", NULL},
    {"Host: a\nContent-Encoding: ", "HTTP/1.1", "/", NULL},
    {"Host: a\nContent-Encoding: gzip", "HTTP/1.1", "/", "must be identity"},
    {"Host: a\nContent-Encoding: identity, gzip", "HTTP/1.1", "/", "must be identity"},
    {"Host: a\nContent-Length : 3", "HTTP/1.1", "/", "no valid name"},
    {"Host: a\nContent-Length\t: 3", "HTTP/1.1", "/", "no valid name"},
    {"Host: a\n: 3", "HTTP/1.1", "/", "no valid name"},
    {"Host: a\nContent-Length: +3", "HTTP/1.1", "/", "no number"},
    {"Host: a\nContent-Length: -1", "HTTP/1.1", "/", "no number"},
    {"Host: a\nContent-Length: 0x3", "HTTP/1.1", "/", "no number"},
    {"Host: a\nContent-Length: 3, 3", "HTTP/1.1", "/", "no number"},
    {"Host: a\nContent-Length: 9999999999999999999", "HTTP/1.1", "/", "no number"},
    {"Host: a\nX: a\rb", "HTTP/1.1", "/", "control characters"},
    {"Host: a", "HTTP/1.2", "/", "version"},
    {"Host: a", "http/1.1", "/", "version"},
    {"Host: a", "HTTP/1.1", "http://a/", "no path"},
    {"Host: a", "HTTP/1.1", "*", "no path"},
    {"Host: a", "HTTP/1.1", "/a\x01", "must be escaped"},
    {"Host: a", "HTTP/1.1", "/\xc3\xa4", "must be escaped"},
};

START_TEST(guard)
{
    const char *got =
        judge(guard_cases[_i].headers, guard_cases[_i].version, guard_cases[_i].target);
    if (!guard_cases[_i].verdict)
        ck_assert_msg(got == NULL, "%s: %s", guard_cases[_i].headers, got);
    else
        ck_assert_msg(got && strstr(got, guard_cases[_i].verdict), "%s: %s",
                      guard_cases[_i].headers, got ? got : "answered");
}
END_TEST

/* ---- shapes ---- */

static const struct pz_shape small = {
    .kind = PZ_SHAPE_INTEGER, .bounded = true, .min = 1, .max = 100};
static const char *const modes[] = {"FULL", "UPDATE", NULL};
static const struct pz_shape mode = {.kind = PZ_SHAPE_STRING, .values = modes};
static const struct pz_shape ids = {
    .kind = PZ_SHAPE_LIST, .min = 1, .max = 2, .item = &pz_shape_string};
static const struct pz_shape word = {
    .kind = PZ_SHAPE_STRING, .max = 4, .pattern = &pz_pattern_word};
static const struct pz_shape map = {
    .kind = PZ_SHAPE_MAP, .max = 2, .key = &word, .item = &pz_shape_text};
static const struct pz_member inner_members[] = {
    {"on", &pz_shape_boolean, true},
    {"at", &pz_shape_time, false},
    {"x", &pz_shape_number, false},
    {NULL, NULL, false},
};
static const struct pz_shape inner = {.kind = PZ_SHAPE_STRUCT, .member = inner_members};
static const struct pz_member outer_members[] = {
    {"name", &pz_shape_name, true}, {"n", &small, false}, {"mode", &mode, false},
    {"ids", &ids, false},           {"map", &map, false}, {"in", &inner, false},
    {"arn", &pz_shape_arn, false},  {NULL, NULL, false},
};
static const struct pz_shape outer = {.kind = PZ_SHAPE_STRUCT, .member = outer_members};

static const struct {
    const char *body;
    enum pz_shape_fault fault;
    const char *text; // the whole of it
} shape_cases[] = {
    {"{\"name\":\"a\"}", PZ_SHAPE_FITS, ""},
    {"{\"name\":\"a\",\"n\":null,\"other\":[{}]}", PZ_SHAPE_FITS, ""},
    {"{\"name\":\"a\",\"n\":100,\"mode\":\"FULL\",\"ids\":[\"x\",\"y\"],\"map\":{\"a_1\":"
     "\"\"},"
     "\"in\":{\"on\":false,\"at\":1e9,\"x\":-1.5},\"arn\":\"arn:aws-cn:personalize:r:1:x/"
     "y\"}",
     PZ_SHAPE_FITS, ""},
    {"{\"name\":\"a\",\"in\":{\"on\":true,\"at\":\"2025-01-01T00:00:00Z\"}}",
     PZ_SHAPE_FITS, ""},
    {"{}", PZ_SHAPE_INVALID,
     "1 validation error detected: Value null at 'name' failed to satisfy constraint: "
     "Member must not be null"},
    {"{\"name\":\"\",\"n\":101}", PZ_SHAPE_INVALID,
     "3 validation errors detected: Value '' at 'name' failed to satisfy constraint: "
     "Member "
     "must have length greater than or equal to 1; Value '' at 'name' failed to satisfy "
     "constraint: Member must satisfy regular expression pattern: "
     "^[a-zA-Z0-9][a-zA-Z0-9\\-_]*; Value '101' at 'n' failed to satisfy constraint: "
     "Member "
     "must have value less than or equal to 100"},
    {"{\"name\":\"a\",\"mode\":\"full\"}", PZ_SHAPE_INVALID,
     "1 validation error detected: Value 'full' at 'mode' failed to satisfy constraint: "
     "Member must satisfy enum value set: [FULL, UPDATE]"},
    {"{\"name\":\"a\",\"ids\":[\"x\",null]}", PZ_SHAPE_INVALID,
     "1 validation error detected: Value null at 'ids.2.member' failed to satisfy "
     "constraint: Member must not be null"},
    {"{\"name\":\"a\",\"ids\":[]}", PZ_SHAPE_INVALID,
     "1 validation error detected: Value '[...]' at 'ids' failed to satisfy constraint: "
     "Member must have length greater than or equal to 1"},
    {"{\"name\":\"a\",\"map\":{\"toolong\":\"\"}}", PZ_SHAPE_INVALID,
     "1 validation error detected: Value 'toolong' at 'map.toolong' failed to satisfy "
     "constraint: Member must have length less than or equal to 4"},
    {"{\"name\":\"a\",\"in\":{}}", PZ_SHAPE_INVALID,
     "1 validation error detected: Value null at 'in.on' failed to satisfy constraint: "
     "Member must not be null"},
    {"{\"name\":\"a\",\"arn\":\"arn:aws:s3:::x\"}", PZ_SHAPE_INVALID,
     "1 validation error detected: Value 'arn:aws:s3:::x' at 'arn' failed to satisfy "
     "constraint: Member must satisfy regular expression pattern: "
     "arn:([a-z\\d-]+):personalize:.*:.*:.+"},
    {"{\"name\":1}", PZ_SHAPE_UNREADABLE, "'name' must be a string"},
    {"{\"name\":\"a\",\"n\":1.5}", PZ_SHAPE_UNREADABLE,
     "'n' must be a whole number of 32 bits"},
    {"{\"name\":\"a\",\"n\":\"1\"}", PZ_SHAPE_UNREADABLE, "'n' must be a whole number"},
    {"{\"name\":\"a\",\"ids\":{}}", PZ_SHAPE_UNREADABLE, "'ids' must be a list"},
    {"{\"name\":\"a\",\"map\":[]}", PZ_SHAPE_UNREADABLE, "'map' must be a map"},
    {"{\"name\":\"a\",\"in\":{\"on\":1}}", PZ_SHAPE_UNREADABLE,
     "'in.on' must be true or false"},
    {"[]", PZ_SHAPE_UNREADABLE, "the body must be a JSON object"},
};

START_TEST(shape)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_buf why = PZ_BUF_INIT;
    pz_json *body;
    const char *text = shape_cases[_i].body;
    ck_assert_int_eq(pz_json_parse(&body, text, strlen(text), &err), PZ_OK);
    ck_assert_int_eq(pz_shape_check(&outer, body, &why), shape_cases[_i].fault);
    ck_assert_str_eq(why.data ? why.data : "", shape_cases[_i].text);
    pz_buf_release(&why);
    pz_json_free(body);
}
END_TEST

/* A client that sends a million wrong values gets an answer of bounded length. */
START_TEST(shape_many_faults)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_buf text = PZ_BUF_INIT, why = PZ_BUF_INIT;
    pz_json *body;
    pz_buf_addz(&text, "{\"name\":\"a\",\"ids\":[\"x\"");
    for (int i = 0; i < 20000; i++)
        pz_buf_addz(&text, ",\"\"");
    pz_buf_addz(&text, "]}");
    ck_assert_int_eq(pz_json_parse(&body, text.data, text.len, &err), PZ_OK);
    ck_assert_int_eq(pz_shape_check(&outer, body, &why), PZ_SHAPE_INVALID);
    ck_assert_ptr_nonnull(strstr(why.data, "20001 validation errors"));
    ck_assert_uint_lt(why.len, 10000);
    pz_buf_release(&text);
    pz_buf_release(&why);
    pz_json_free(body);
}
END_TEST

/* ---- names ---- */

START_TEST(arns)
{
    struct pz_arn a;
    ck_assert(pz_arn_parse(&a, "arn:aws:personalize:eu-west-1:123:dataset/shop/ITEMS"));
    ck_assert(pz_arn_is(&a, "dataset"));
    ck_assert(!pz_arn_is(&a, "data"));
    ck_assert_str_eq(a.name, "shop/ITEMS");
    ck_assert_uint_eq(a.n_name, 10);
    ck_assert(pz_arn_parse(&a, "arn:aws:personalize:::recipe/aws-sims"));
    ck_assert_str_eq(a.name, "aws-sims");
    static const char *const wrong[] = {"",
                                        "campaign/x",
                                        "arn:aws:personalize:r:a",
                                        "arn:aws:personalize:r:a:campaign",
                                        "arn:aws:personalize:r:a:campaign/",
                                        "arn:aws:personalize:r:a:/x",
                                        "arn:aws:s3:r:a:campaign/x",
                                        "urn:aws:personalize:r:a:campaign/x"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(!pz_arn_parse(&a, wrong[i]), "%s", wrong[i]);

    struct pz_buf out = PZ_BUF_INIT;
    struct pz_arn_home home = {"r1", "000000000001"};
    pz_arn_add(&out, &home, "campaign", "c");
    ck_assert_str_eq(out.data, "arn:aws:personalize:r1:000000000001:campaign/c");
    pz_buf_clear(&out);
    pz_arn_add(&out, &home, "recipe", "aws-sims");
    ck_assert_str_eq(out.data, "arn:aws:personalize:::recipe/aws-sims");
    pz_buf_release(&out);
}
END_TEST

/* ---- routes ---- */

static const struct {
    const char *method, *path, *target, *operation;
    enum pz_fault fault;
} route_cases[] = {
    {"POST", "/recommendations", NULL, "GetRecommendations", PZ_FAULT_NONE},
    {"POST", "/events", NULL, "PutEvents", PZ_FAULT_NONE},
    {"POST", "/", "AmazonPersonalize.ListRecipes", "ListRecipes", PZ_FAULT_NONE},
    {"GET", "/healthz", NULL, "Health", PZ_FAULT_NONE},
    {"HEAD", "/healthz", NULL, "Health", PZ_FAULT_NONE},
    {"GET", "/recommendations", NULL, NULL, PZ_FAULT_METHOD},
    {"GET", "/", "AmazonPersonalize.ListRecipes", NULL, PZ_FAULT_METHOD},
    {"POST", "/healthz", NULL, NULL, PZ_FAULT_METHOD},
    {"POST", "/recommendations/", NULL, NULL, PZ_FAULT_UNKNOWN_OPERATION},
    {"POST", "/Recommendations", NULL, NULL, PZ_FAULT_UNKNOWN_OPERATION},
    {"POST", "/", "AmazonPersonalize.listrecipes", NULL, PZ_FAULT_UNKNOWN_OPERATION},
    {"POST", "/", "ListRecipes", NULL, PZ_FAULT_UNKNOWN_OPERATION},
    {"POST", "/recommend%61tions", NULL, NULL, PZ_FAULT_UNKNOWN_OPERATION},
};

START_TEST(routes)
{
    enum pz_fault fault;
    const char *path = route_cases[_i].path;
    const struct pz_route *r = pz_route_find(route_cases[_i].method, path, strlen(path),
                                             route_cases[_i].target, &fault);
    if (route_cases[_i].operation) {
        ck_assert_ptr_nonnull(r);
        ck_assert_str_eq(r->operation, route_cases[_i].operation);
    } else {
        ck_assert_ptr_null(r);
        ck_assert_int_eq(fault, route_cases[_i].fault);
    }
}
END_TEST

/* Every row can be answered, and none hides another. */
START_TEST(tables)
{
    enum pz_fault fault;
    for (size_t t = 0; pz_all_routes[t]; t++)
        for (const struct pz_route *r = pz_all_routes[t]; r->operation; r++) {
            char target[128];
            snprintf(target, sizeof target, "AmazonPersonalize.%s", r->operation);
            ck_assert(r->fn != NULL);
            ck_assert_ptr_eq(pz_route_find(r->method, r->path, strlen(r->path),
                                           r->service == PZ_CONTROL ? target : NULL,
                                           &fault),
                             r);
        }
    for (int i = 1; i < PZ_N_FAULTS; i++)
        for (int s = 0; s < PZ_N_SERVICES; s++) {
            const struct pz_fault_row *row = pz_fault_of((enum pz_fault)i);
            ck_assert_ptr_nonnull(row->name);
            ck_assert_int_ge(row->status[s], 400);
        }
}
END_TEST

START_TEST(addresses)
{
    ck_assert(pz_http_is_loopback("127.0.0.1:80"));
    ck_assert(pz_http_is_loopback("127.9.9.9:80"));
    ck_assert(pz_http_is_loopback("[::1]:80"));
    ck_assert(pz_http_is_loopback("localhost:80"));
    ck_assert(!pz_http_is_loopback("0.0.0.0:80"));
    ck_assert(!pz_http_is_loopback("10.0.0.1:80"));
    ck_assert(!pz_http_is_loopback("[::]:80"));
    ck_assert(!pz_http_is_loopback("128.0.0.1:80"));
    ck_assert(!pz_http_is_loopback("nonsense"));
}
END_TEST

#define N(table) ((int)(sizeof table / sizeof *table))

Suite *
pz_suite(void)
{
    Suite *s = suite_create("serve");
    TCase *t = tcase_create("serve");
    tcase_add_loop_test(t, guard, 0, N(guard_cases));
    tcase_add_loop_test(t, shape, 0, N(shape_cases));
    tcase_add_test(t, shape_many_faults);
    tcase_add_test(t, arns);
    tcase_add_loop_test(t, routes, 0, N(route_cases));
    tcase_add_test(t, tables);
    tcase_add_test(t, addresses);
    suite_add_tcase(s, t);
    return s;
}
