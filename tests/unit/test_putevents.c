/* putevents: lines and what they give, written out by hand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "data/putevents.h"
#include "unit.h"

static struct pz_schema events, items, users;
static struct pz_err err;
static struct pz_buf warned;

static void
on_line(void *ctx, enum pz_level level, const char *text)
{
    (void)ctx;
    (void)level;
    pz_buf_addf(&warned, "%s;", text);
}

/* Single quotes in the fields stand for double ones. */
static void
parse(struct pz_schema *s, enum pz_set set, const char *name, const char *fields)
{
    struct pz_buf b = PZ_BUF_INIT;
    pz_buf_addf(&b,
                "{'type':'record','name':'%s','version':'1.0',"
                "'namespace':'com.amazonaws.personalize.schema','fields':[%s]}",
                name, fields);
    for (char *p = b.data; *p; p++)
        if (*p == '\'')
            *p = '"';
    ck_ok(pz_schema_parse(s, set, PZ_CUSTOM, b.data, b.len, &err), err);
    pz_buf_release(&b);
}

static void
setup(void)
{
    static const struct pz_log_sink sink = {on_line, NULL, NULL};
    err = (struct pz_err)PZ_ERR_INIT;
    parse(&events, PZ_INTERACTIONS, "Interactions",
          "{'name':'USER_ID','type':'string'},{'name':'ITEM_ID','type':'string'},"
          "{'name':'TIMESTAMP','type':'long'},{'name':'EVENT_TYPE','type':'string'},"
          "{'name':'NUM_SEEN','type':['null','int']},"
          "{'name':'HD','type':['null','boolean']},"
          "{'name':'TAGS','type':['null','string']}");
    parse(&items, PZ_ITEMS, "Items",
          "{'name':'ITEM_ID','type':'string'},{'name':'PRICE','type':'float'},"
          "{'name':'CREATION_TIMESTAMP','type':['null','long']}");
    parse(&users, PZ_USERS, "Users",
          "{'name':'USER_ID','type':'string'},{'name':'AGE','type':['null','long']}");
    pz_buf_addz(&warned, "");
    pz_log_to(&sink);
}

static void
teardown(void)
{
    pz_schema_release(&events);
    pz_schema_release(&items);
    pz_schema_release(&users);
    pz_buf_release(&warned);
}

static void
add(struct pz_buf *b, const char *name, const char *s)
{
    if (s)
        pz_buf_addf(b, " %s=%s", name, s);
}

/* Rows as text. */
static const char *
render(const struct pz_put *p, struct pz_buf *b)
{
    size_t n;
    const struct pz_put_row *row = pz_put_rows(p, &n);
    pz_buf_clear(b);
    pz_buf_addz(b, "");
    for (size_t i = 0; i < n; i++) {
        const struct pz_event *e = &row[i].event;
        bool event =
            row[i].set == PZ_INTERACTIONS || row[i].set == PZ_ACTION_INTERACTIONS;
        pz_buf_addz(b, pz_set_name(row[i].set));
        add(b, "id", e->id);
        add(b, "user", e->user);
        add(b, "session", e->session);
        add(b, "item", e->item);
        add(b, "type", e->type);
        if (e->has_value)
            pz_buf_addf(b, " value=%g", e->value);
        if (event)
            pz_buf_addf(b, " time=%lld", (long long)e->time);
        add(b, "rec", e->recommendation);
        add(b, "imp", e->impression);
        add(b, "src", e->source);
        add(b, "props", e->properties);
        pz_buf_addc(b, '\n');
    }
    return b->data;
}

#define U "\"userId\":\"u\",\"eventType\":\"t\",\"itemId\":\"i\",\"sentAt\":5"
#define B "{\"userId\":\"u\",\"sessionId\":\"s\",\"eventList\":["
#define E "\"eventType\":\"t\",\"itemId\":\"i\",\"sentAt\":5"

static const struct {
    const char *line, *rows; // rows: or "! error"
} cases[] = {
    {"{" U "}", "interactions user=u item=i type=t time=5\n"},
    {"{\"USER_ID\":7,\"ITEM_ID\":8.0,\"EVENT_TYPE\":true,\"TIMESTAMP\":\" 9 \"}",
     "interactions user=7 item=8.0 type=true time=9\n"},
    {"{" U ",\"numSeen\":3,\"hd\":true,\"tags\":[\"a\",\"b\"]}",
     "interactions user=u item=i type=t time=5 "
     "props={\"NUM_SEEN\":3,\"HD\":true,\"TAGS\":\"a|b\"}\n"},
    {"{" U
     ",\"properties\":\"{\\\"num_seen\\\":\\\"3\\\",\\\"tags\\\":\\\"\\\\u00e9\\\"}\"}",
     "interactions user=u item=i type=t time=5 "
     "props={\"NUM_SEEN\":3,\"TAGS\":\"\xc3\xa9\"}\n"},
    {"{" U ",\"properties\":{\"hd\":0,\"eventValue\":-2}}",
     "interactions user=u item=i type=t value=-2 time=5 props={\"HD\":false}\n"},
    {"{" U ",\"properties\":null,\"numSeen\":null,\"eventId\":\"\"}",
     "interactions user=u item=i type=t time=5\n"},
    {"{" U ",\"properties\":\"\"}", "interactions user=u item=i type=t time=5\n"},
    {"{\"sessionId\":\"s\",\"eventType\":\"t\",\"itemId\":\"i\",\"timestamp\":-0.5}",
     "interactions session=s item=i type=t time=-1\n"},
    {"{\"userId\":\"u\",\"eventType\":\"t\",\"itemId\":\"i\",\"sentAt\":\"2001-09-09\"}",
     "interactions user=u item=i type=t time=999993600\n"},
    {"{" U
     ",\"impression\":[\"a\",\"b\"],\"recommendationId\":\"r\",\"metricAttribution\":"
     "{\"x\":[1],\"eventAttributionSource\":\"mail\"}}",
     "interactions user=u item=i type=t time=5 rec=r imp=a|b src=mail\n"},
    {B "{" E ",\"eventId\":\"1\"},{" E ",\"userId\":\"v\"}]}",
     "interactions id=1 user=u session=s item=i type=t time=5\n"
     "interactions user=v session=s item=i type=t time=5\n"},
    {"{\"eventList\":[{" E "}],\"sessionId\":\"s\"}",
     "interactions session=s item=i type=t time=5\n"},
    {"{\"datasetArn\":\"a\",\"items\":[{\"itemId\":\"i\",\"properties\":\"{\\\"price\\\":"
     "1.50}\"},{\"itemId\":\"j\",\"price\":2,\"creationTimestamp\":\"2001-09-09\"}]}",
     "items item=i props={\"PRICE\":1.5}\n"
     "items item=j props={\"PRICE\":2,\"CREATION_TIMESTAMP\":999993600}\n"},
    {"{\"users\":[{\"userId\":\"u\"}]}", "users item=u props={}\n"},
    {"{\"actionInteractions\":[{\"actionId\":\"a\",\"sessionId\":\"s\",\"userId\":\"u\","
     "\"eventType\":\"Taken\",\"timestamp\":5,\"impression\":[\"a\"]}]}",
     "action-interactions user=u session=s item=a type=Taken time=5 imp=a\n"},
    {B "{" E ",\"properties\":\"{\\\"itemId\\\":\\\"i\\\"}\"}]}",
     "interactions user=u session=s item=i type=t time=5\n"},
    {B "{\"properties\":{\"itemId\":\"i\",\"eventValue\":2},\"eventValue\":2," E "}]}",
     "interactions user=u session=s item=i type=t value=2 time=5\n"},
    {B "{" E ",\"properties\":{\"itemId\":\"ii\"}}]}",
     "! element 1 of the list: ITEM_ID stands twice, with different values"},
    {B "{\"properties\":{\"itemId\":4}," E "}]}",
     "! element 1 of the list: ITEM_ID stands twice, with different values"},
    {"{\"userId\":\"u\",\"itemId\":\"i\",\"sentAt\":5}",
     "! EVENT_TYPE is missing, and the schema does not allow null"},
    {"{" U ",\"numSeen\":3000000000}", "! NUM_SEEN '3000000000' is out of range"},
    {"{" U ",\"hd\":\"maybe\"}", "! HD 'maybe' is no boolean: true or false"},
    {"{" U ",\"numSeen\":[1]}", "! NUM_SEEN must be one value, not an array"},
    {"{" U ",\"properties\":{\"SESSION_ID\":\"s\"}}",
     "! properties must not hold 'SESSION_ID'"},
    {"{" U ",\"properties\":\"{}x\"}",
     "! Error parsing properties json: more text behind the value"},
    {"{" U ",\"properties\":\"{\\\"a\\\":\"}",
     "! Error parsing properties json: the text ends too early"},
    {"{\"items\":[{\"itemId\":\"i\"}]}",
     "! element 1 of the list: PRICE is missing, and the schema does not allow null"},
    {"{\"items\":[{\"itemId\":\"i\",\"properties\":{\"itemId\":\"j\"}}]}",
     "! element 1 of the list: properties must not hold 'itemId'"},
    {"{\"items\":[{\"itemId\":\"\",\"price\":1}]}",
     "! element 1 of the list: ITEM_ID is missing"},
    {B "{" E "},{" E "},7]}", "! element 3 of the list is no object"},
    {B "]}", "! the list is empty"},
    {"{\"userId\":\"u\",\"eventList\":7}", "! itemId is missing"},
    {"", "! 1: is not valid JSON: the text is empty"},
    {"{} {}", "! 4: is not valid JSON: more text behind the value"},
};

START_TEST(lines)
{
    struct pz_put_options o = {
        .set = PZ_INTERACTIONS,
        .schema = {
            [PZ_INTERACTIONS] = &events, [PZ_ITEMS] = &items, [PZ_USERS] = &users}};
    struct pz_buf out = PZ_BUF_INIT;
    struct pz_put *p;
    const char *line = cases[_i].line, *want = cases[_i].rows;
    size_t n = strlen(line);
    char *copy = malloc(n + !n); // exactly as long, for the sanitizer
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, line, n);
    ck_ok(pz_put_new(&p, &o, &err), err);
    for (int pass = 0; pass < 2; pass++) { // the second knows the keys
        int r = pz_put_line(p, copy, n, "f", 1, &err);
        if (*want == '!') {
            ck_assert_int_eq(r, PZ_DATA);
            ck_assert_msg(!strcmp(err.msg, want + 2), "%s: %s", line, err.msg);
            want = cases[_i].rows;
            pz_put_rows(p, &n);
            ck_assert_uint_eq(n, 0);
            n = strlen(line);
            continue;
        }
        ck_ok(r, err);
        ck_assert_msg(!strcmp(render(p, &out), want), "%s: %s", line, out.data);
        pz_put_clear(p);
    }
    pz_put_free(p);
    pz_buf_release(&out);
    free(copy);
}
END_TEST

static char *
times(const char *head, const char *middle, int n, const char *tail)
{
    struct pz_buf b = PZ_BUF_INIT;
    pz_buf_addz(&b, head);
    for (int i = 0; i < n; i++)
        pz_buf_addz(&b, middle);
    pz_buf_addz(&b, tail);
    return b.data;
}

static const struct {
    const char *head, *middle;
    int n; // the most that is allowed
    const char *tail, *what;
} limits[] = {
    {"{" U ",\"eventId\":\"", "x", 256, "\"}", "EVENT_ID has 257 characters"},
    {"{\"eventType\":\"t\",\"itemId\":\"i\",\"userId\":\"", "\xc3\xa9", 256, "\"}",
     "USER_ID has 257 characters"},
    {"{" U ",\"recommendationId\":\"", "x", 40, "\"}",
     "RECOMMENDATION_ID has 41 characters"},
    {"{" U ",\"eventAttributionSource\":\"", "x", 1024, "\"}",
     "EVENT_ATTRIBUTION_SOURCE has 1025 characters"},
    {"{" U ",\"properties\":{\"tags\":\"x\"", " ", 1012, "}}",
     "properties has 1025 characters"},
    {"{" U ",\"properties\":\"{\\\"tags\\\":\\\"x\\\"", " ", 1012, "}\"}",
     "properties has 1025 characters"},
    {"{" U ",\"impression\":[\"a\"", ",\"a\"", 24, "]}", "impression has 26 items"},
    {"{\"trackingId\":\"id\",\"sessionId\":\"s\",\"eventList\":[{" E "}", ",{" E "}", 9,
     "]}", "the list has 11 elements"},
    {"{" U ",\"tags\":\"", "x", 1000, "\"}", "TAGS has 1001 characters"},
    {"{\"users\":[{\"userId\":\"", "u", 256, "\"}]}", "USER_ID has 257 characters"},
};

START_TEST(limit)
{
    const char *const id = "id";
    struct pz_put_options o = {
        .set = PZ_INTERACTIONS,
        .schema = {[PZ_INTERACTIONS] = &events, [PZ_ITEMS] = &items, [PZ_USERS] = &users},
        .tracking_id = &id,
        .n_tracking_ids = 1};
    for (int strict = 0; strict < 2; strict++) {
        struct pz_put *p;
        o.strict = strict;
        ck_ok(pz_put_new(&p, &o, &err), err);
        for (int over = 0; over < 2; over++) {
            char *line = times(limits[_i].head, limits[_i].middle, limits[_i].n + over,
                               limits[_i].tail);
            pz_buf_clear(&warned);
            pz_buf_addz(&warned, "");
            int r = pz_put_line(p, line, strlen(line), "f", 3, &err);
            if (strict && over) {
                ck_assert_int_eq(r, PZ_DATA);
                ck_assert_msg(strstr(err.msg, limits[_i].what) != NULL, "%s", err.msg);
            } else {
                ck_ok(r, err);
                ck_assert_msg(!over == !strstr(warned.data, limits[_i].what), "%s",
                              warned.data);
                pz_buf_clear(&warned);
                pz_buf_addz(&warned, "");
                ck_ok(pz_put_line(p, line, strlen(line), "f", 4, &err), err);
                ck_assert_str_eq(warned.data, ""); // said once
            }
            free(line);
        }
        pz_put_free(p);
    }
}
END_TEST

START_TEST(tracking)
{
    static const char none[] = "{\"sessionId\":\"s\",\"eventList\":[{" E "}]}";
    static const char mine[] =
        "{\"trackingId\":\"id\",\"sessionId\":\"s\",\"eventList\":[{" E "}]}";
    static const char other[] =
        "{\"trackingId\":\"ID\",\"sessionId\":\"s\",\"eventList\":[{" E "}]}";
    static const struct {
        bool has, strict;
        int none, mine, other;
    } want[] = {{false, false, PZ_OK, PZ_OK, PZ_OK},
                {true, false, PZ_OK, PZ_OK, PZ_DATA},
                {false, true, PZ_DATA, PZ_DATA, PZ_DATA},
                {true, true, PZ_DATA, PZ_OK, PZ_DATA}};
    const char *const id = "id";
    for (int i = 0; i < 4; i++) {
        struct pz_put *p;
        struct pz_put_options o = {.set = PZ_ITEMS,
                                   .tracking_id = &id,
                                   .n_tracking_ids = want[i].has,
                                   .strict = want[i].strict};
        ck_ok(pz_put_new(&p, &o, &err), err);
        ck_assert_int_eq(pz_put_line(p, none, sizeof none - 1, "f", 1, &err),
                         want[i].none);
        ck_assert_int_eq(pz_put_line(p, mine, sizeof mine - 1, "f", 1, &err),
                         want[i].mine);
        ck_assert_int_eq(pz_put_line(p, other, sizeof other - 1, "f", 1, &err),
                         want[i].other);
        pz_put_free(p);
    }
    ck_assert_str_eq(warned.data, ""); // an envelope's keys are known in any set
}
END_TEST

/* Rows of many lines wait together, and their texts stay. */
START_TEST(many)
{
    struct pz_put_options o = {.set = PZ_INTERACTIONS};
    struct pz_put *p;
    size_t n;
    ck_ok(pz_put_new(&p, &o, &err), err);
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < 20000; i++) {
            char line[100];
            int len = snprintf(line, sizeof line,
                               "{\"userId\":\"u%d\",\"itemId\":\"i\\u0041%d\"}", i, i);
            ck_ok(pz_put_line(p, line, (size_t)len, "f", (uint64_t)i, &err), err);
            if (i % 100 == 0)
                ck_assert_int_eq(pz_put_line(p, "{}", 2, "f", 0, &err), PZ_DATA);
        }
        const struct pz_put_row *row = pz_put_rows(p, &n);
        ck_assert_uint_eq(n, 20000);
        for (size_t i = 0; i < n; i++) {
            char user[32], item[32];
            snprintf(user, sizeof user, "u%zu", i);
            snprintf(item, sizeof item, "iA%zu", i);
            ck_assert_str_eq(row[i].event.user, user);
            ck_assert_str_eq(row[i].event.item, item);
            ck_assert_uint_eq(row[i].line, i);
        }
        pz_put_clear(p);
    }
    pz_put_free(p);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("putevents");
    TCase *t = tcase_create("lines");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, lines, 0, sizeof cases / sizeof *cases);
    tcase_add_loop_test(t, limit, 0, sizeof limits / sizeof *limits);
    tcase_add_test(t, tracking);
    tcase_add_test(t, many);
    suite_add_tcase(s, t);
    return s;
}
