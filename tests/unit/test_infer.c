/* infer, request, answer: against answers worked out by hand from tiny.h's table. */
#include <stdio.h>

#include "base/num.h"
#include "base/rng.h"
#include "infer/answer.h"
#include "tiny.h"
#include "unit.h"

static struct tiny tiny;
static struct pz_session *session;
static struct pz_err err;

static void
open_as(const struct pz_recipe *recipe)
{
    err = (struct pz_err)PZ_ERR_INIT;
    ck_ok(tiny_open(&tiny, recipe, &err), err);
    ck_ok(pz_session_new(&session, &tiny.model, &err), err);
}

static void
open_user(void)
{
    open_as(&tiny_user);
}

static void
open_related(void)
{
    open_as(&tiny_related);
}

static void
close_tiny(void)
{
    pz_session_free(session);
    tiny_release(&tiny);
}

static struct pz_text
text(const char *s)
{
    return (struct pz_text){s, strlen(s)};
}

/* Asserts the items of an answer, "a b c", and that the scored ones fall. */
static void
expect(const struct pz_answer *a, const char *items)
{
    char got[256] = "";
    float last = INFINITY;
    for (size_t i = 0; i < a->n; i++) {
        size_t at = strlen(got);
        snprintf(got + at, sizeof got - at, "%s%.*s", i ? " " : "",
                 (int)a->item[i].item.n, a->item[i].item.s);
        if (!isnan(a->item[i].score)) {
            ck_assert(a->item[i].score <= last);
            last = a->item[i].score;
        }
    }
    ck_assert_str_eq(got, items);
}

static const struct pz_answer *
ask(const struct pz_request *q)
{
    const struct pz_answer *a;
    size_t n_done;
    ck_ok(pz_infer(session, q, 1, &a, &n_done, &err), err);
    ck_assert_uint_eq(n_done, 1);
    return a;
}

START_TEST(stored_history)
{
    // u1 has i1 (1) and i3 (3): item 2 scores 1/2 + 1/2, items 1 and 3 score 1 + 1/3.
    struct pz_request q = {.user = text("u1"), .has_user = true, .n = 3};
    const struct pz_answer *a = ask(&q);
    expect(a, "i1 i3 i2");
    ck_assert_float_eq_tol(a->item[0].score, 4.0f / 3, 1e-6f);
    ck_assert_float_eq_tol(a->item[2].score, 1, 1e-6f);
    ck_assert(!a->fallback);
    ck_assert_uint_eq(a->n_unknown, 0);
    q.exclude_seen = true;
    expect(ask(&q), "i2 a\tb i4");
    q.n = 0;
    expect(ask(&q), "");
    q.n = SIZE_MAX;
    ck_assert_uint_eq(ask(&q)->n, TINY_ITEMS - 2);
}
END_TEST

START_TEST(cold)
{
    struct pz_request q = {.user = text("nobody"), .has_user = true, .n = 2};
    const struct pz_answer *a = ask(&q);
    expect(a, "i1 i2");
    ck_assert(a->fallback);
    ck_assert_uint_eq(a->n_unknown, 1);
    ck_assert(isnan(a->item[0].score));
    q.user = text("u3"); // known, without history
    a = ask(&q);
    ck_assert(a->fallback);
    ck_assert_uint_eq(a->n_unknown, 0);
}
END_TEST

START_TEST(given_history)
{
    struct pz_text h[] = {text("i4"), text("no such"), text("i4")};
    struct pz_request q = {.history = h, .n_history = 3, .has_history = true, .n = 2};
    const struct pz_answer *a = ask(&q);
    expect(a, "i4 i3");
    ck_assert_uint_eq(a->n_unknown, 1);
    // It replaces the stored one; an empty one is one too.
    q.user = text("u1");
    q.has_user = true;
    expect(ask(&q), "i4 i3");
    q.n_history = 0;
    ck_assert(ask(&q)->fallback);
}
END_TEST

START_TEST(candidates)
{
    struct pz_text c[] = {text("zz"), text("i3"), text("i4"), text("yy"), text("i3"),
                          text("zz"), text("i2"), text("xx"), text("i4"), text("yy")};
    struct pz_request q = {.user = text("u2"),
                           .has_user = true,
                           .candidate = c,
                           .n_candidates = 10,
                           .has_candidates = true,
                           .n = 10};
    const struct pz_answer *a = ask(&q);
    expect(a, "i2 i3 i4 zz yy xx");
    ck_assert_uint_eq(a->n_unknown, 3);
    ck_assert(isnan(a->item[3].score));
    ck_assert_uint_eq(a->item[3].index, PZ_NO_ID);
    q.n = 4;
    expect(ask(&q), "i2 i3 i4 zz");
    q.n = 1;
    expect(ask(&q), "i2");
    q.n = 10;
    q.exclude_seen = true;
    expect(ask(&q), "i3 i4 zz yy xx");
    q.n_candidates = 1;
    expect(ask(&q), "zz");
    q.n_candidates = 0;
    expect(ask(&q), "");
}
END_TEST

START_TEST(many_unknown_candidates)
{
    // Sorting makes it n log n; first positions and order must survive it.
    enum { N = 3000, DISTINCT = 700 };
    static char name[DISTINCT][16];
    static struct pz_text c[N];
    static int order[DISTINCT];
    bool seen[DISTINCT] = {false};
    size_t n = 0;
    struct pz_rng rng;
    pz_rng_seed(&rng, 1, 0);
    for (int i = 0; i < DISTINCT; i++)
        snprintf(name[i], sizeof name[i], "x%d", i);
    for (int i = 0; i < N; i++) {
        int k = (int)pz_rng_below(&rng, DISTINCT);
        c[i] = text(name[k]);
        if (!seen[k])
            order[n++] = k;
        seen[k] = true;
    }
    struct pz_request q = {.user = text("u1"),
                           .has_user = true,
                           .candidate = c,
                           .n_candidates = N,
                           .has_candidates = true,
                           .n = N};
    const struct pz_answer *a = ask(&q);
    ck_assert_uint_eq(a->n, n);
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(memcmp(a->item[i].item.s, name[order[i]], a->item[i].item.n), 0);
}
END_TEST

START_TEST(related)
{
    struct pz_request q = {.item = text("i4"), .has_item = true, .n = 2};
    expect(ask(&q), "i4 i3");
    // A user says what was seen and nothing else.
    q.user = text("u1");
    q.has_user = true;
    expect(ask(&q), "i4 i3");
    q.exclude_seen = true;
    expect(ask(&q), "i4 q\"\\");
    q.user = text("nobody");
    expect(ask(&q), "i4 i3");
    q.item = text("none");
    const struct pz_answer *a = ask(&q);
    expect(a, "i1 i2");
    ck_assert(a->fallback);
    ck_assert_uint_eq(a->n_unknown, 1);
}
END_TEST

START_TEST(together_as_alone)
{
    enum { N = 64 };
    static const char *const users[] = {"u1", "u2", "u3", "nobody"};
    static const char *const items[] = {"i1", "i2", "zz", "i4", "i3"};
    struct pz_request q[N];
    struct pz_text lists[N][5];
    struct pz_rng rng;
    pz_rng_seed(&rng, 7, 0);
    for (size_t i = 0; i < N; i++) {
        q[i] = (struct pz_request){.user = text(users[pz_rng_below(&rng, 4)]),
                                   .has_user = true,
                                   .n = pz_rng_below(&rng, 9),
                                   .exclude_seen = pz_rng_below(&rng, 2),
                                   .has_history = pz_rng_below(&rng, 2),
                                   .has_candidates = pz_rng_below(&rng, 2),
                                   .history = lists[i],
                                   .candidate = lists[i]};
        for (size_t k = 0; k < 5; k++)
            lists[i][k] = text(items[pz_rng_below(&rng, 5)]);
        q[i].n_history = q[i].has_history ? pz_rng_below(&rng, 6) : 0;
        q[i].n_candidates = q[i].has_candidates ? pz_rng_below(&rng, 6) : 0;
    }
    struct pz_session *other;
    const struct pz_answer *all;
    size_t n_done;
    ck_ok(pz_session_new(&other, &tiny.model, &err), err);
    ck_ok(pz_infer(other, q, N, &all, &n_done, &err), err);
    ck_assert_uint_eq(n_done, N);
    for (size_t i = 0; i < N; i++) {
        const struct pz_answer *one = ask(&q[i]);
        ck_assert_uint_eq(one->n, all[i].n);
        ck_assert_uint_eq(one->n_unknown, all[i].n_unknown);
        ck_assert_int_eq(one->fallback, all[i].fallback);
        for (size_t k = 0; k < one->n; k++) {
            ck_assert_uint_eq(one->item[k].index, all[i].item[k].index);
            ck_assert_mem_eq(&one->item[k].score, &all[i].item[k].score, sizeof(float));
        }
    }
    pz_session_free(other);
}
END_TEST

START_TEST(explained)
{
    struct pz_request q = {.user = text("u1"), .has_user = true, .n = 3};
    struct pz_explanation e;
    const struct pz_answer *a = ask(&q);
    ck_ok(pz_infer_explain(session, 0, a->item[2].index, &e, &err), err);
    ck_assert_uint_eq(e.n, 2);
    ck_assert_double_eq_tol(e.why[0].contribution + e.why[1].contribution, e.raw, 1e-12);
    ck_assert_double_eq_tol(e.raw, (double)a->item[2].score, 1e-6);
    ck_assert_int_eq(memcmp(e.why[0].item.s, "i1", 2), 0);
    ck_ok(pz_infer_explain(session, 0, PZ_NO_ID, &e, &err), err);
    ck_assert_uint_eq(e.n, 0);
    q.user = text("nobody");
    a = ask(&q);
    ck_ok(pz_infer_explain(session, 0, a->item[0].index, &e, &err), err);
    ck_assert_uint_eq(e.n, 0);
}
END_TEST

/* ---- lines in, lines out ---- */

static struct pz_ask_rules
rules_of(size_t n)
{
    return (struct pz_ask_rules){.model = &tiny.model, .base = {.n = n}};
}

static int
explain_first(void *ctx, uint32_t index, struct pz_explanation *out, struct pz_err *e)
{
    (void)ctx;
    return pz_infer_explain(session, 0, index, out, e);
}

/* The answer to one line, as text; every line is also read in a block with others before
 * it. */
static void
answer_line(const struct pz_ask_rules *rules, enum pz_line_kind kind, const char *line,
            size_t n, bool json, bool reasons, struct pz_buf *out)
{
    struct pz_asks asks = {.n = 0};
    struct pz_text t = {line, n},
                   before = text("{\"userId\":\"\\u0075\",\"history\":[\"\\n\"]}");
    struct pz_answer_form form = {.model = &tiny.model,
                                  .explain = reasons ? explain_first : NULL};
    ck_ok(pz_asks_begin(&asks, n + before.n, &err), err);
    ck_ok(pz_asks_add(&asks, rules, PZ_LINE_JSON, &before, 1, &err), err);
    ck_ok(pz_asks_add(&asks, rules, kind, &t, 7, &err), err);
    ck_ok(pz_asks_end(&asks, &err), err);
    pz_buf_clear(out);
    const struct pz_ask *a = &asks.ask[1];
    if (a->error)
        pz_answer_json_error(out, a);
    else if (json)
        ck_ok(pz_answer_json(out, &form, a, ask(&a->request), &err), err);
    else
        ck_ok(pz_answer_tsv(out, &form, a, ask(&a->request), &err), err);
    pz_asks_release(&asks);
}

static void
expect_line(const struct pz_ask_rules *rules, enum pz_line_kind kind, const char *line,
            bool json, bool reasons, const char *want)
{
    struct pz_buf out = PZ_BUF_INIT;
    answer_line(rules, kind, line, strlen(line), json, reasons, &out);
    ck_assert_str_eq(out.data ? out.data : "", want);
    pz_buf_release(&out);
}

START_TEST(tsv)
{
    struct pz_ask_rules r = rules_of(3);
    r.base.exclude_seen = true;
    expect_line(&r, PZ_LINE_ID, "u1", false, false,
                "u1\ti2\t1\nu1\ta\\tb\t0.75\nu1\ti4\t0.75\n");
    r.base.n = 1;
    expect_line(&r, PZ_LINE_ID, "no\\body\t", false, false, "no\\\\body\\t\ti1\t\n");
    expect_line(&r, PZ_LINE_ID, "u2", false, true, "u2\ti1\t0.5\ti2\t0.5\n");
    expect_line(&r, PZ_LINE_ID, "x", false, true, "x\ti1\t\t\t\n");
}
END_TEST

START_TEST(json)
{
    struct pz_ask_rules r = rules_of(2);
    expect_line(&r, PZ_LINE_JSON, "{ \"userId\" : \"u2\" }", true, false,
                "{\"input\":{\"userId\":\"u2\"},\"output\":{\"recommendedItems\":[\"i2\","
                "\"i1\"],\"scores\":[1,0.5]},\"error\":null}\n");
    expect_line(&r, PZ_LINE_ID, "u2", true, false,
                "{\"input\":{\"userId\":\"u2\"},\"output\":{\"recommendedItems\":[\"i2\","
                "\"i1\"],\"scores\":[1,0.5]},\"error\":null}\n");
    expect_line(
        &r, PZ_LINE_JSON,
        "{\"userId\":\"\\u00752 \\\" \",\"itemList\":[\"i3\", \"z\\/\"],"
        "\"history\":[\"i3\"] ,\"numResults\":9}",
        true, false,
        "{\"input\":{\"userId\":\"\\u00752 \\\" \",\"itemList\":[\"i3\",\"z\\/\"],"
        "\"history\":[\"i3\"],\"numResults\":9},\"output\":{\"recommendedItems\":"
        "[\"i3\",\"z/\"],\"scores\":[1,null]},\"error\":null}\n");
    expect_line(&r, PZ_LINE_JSON, "{\"userId\":\"x\"}", true, false,
                "{\"input\":{\"userId\":\"x\"},\"output\":{\"recommendedItems\":[\"i1\","
                "\"i2\"]},\"error\":null}\n");
    expect_line(
        &r, PZ_LINE_JSON, "{\"userId\":\"u2\",\"numResults\":1}", true, true,
        "{\"input\":{\"userId\":\"u2\",\"numResults\":1},\"output\":"
        "{\"recommendedItems\":[\"i2\"],\"scores\":[1],\"explanation\":[{\"rawScore\":"
        "1,\"because\":[{\"itemId\":\"i2\",\"contribution\":1}]}]},\"error\":null}\n");
}
END_TEST

START_TEST(json_related)
{
    struct pz_ask_rules r = rules_of(1);
    expect_line(
        &r, PZ_LINE_JSON, "{\"itemId\":\"i3\"}", true, false,
        "{\"input\":{\"itemId\":\"i3\"},\"output\":{\"recommendedItems\":[\"i3\"]},"
        "\"error\":null}\n");
    expect_line(
        &r, PZ_LINE_ID, "i3", true, false,
        "{\"input\":{\"itemId\":\"i3\"},\"output\":{\"recommendedItems\":[\"i3\"]},"
        "\"error\":null}\n");
    expect_line(
        &r, PZ_LINE_JSON, "{\"userId\":\"u1\"}", true, false,
        "{\"input\":{\"userId\":\"u1\"},\"output\":null,\"error\":\"line 7: recipe "
        "tiny-related needs \\\"itemId\\\"\"}\n");
}
END_TEST

/* Every bad line is answered by its error, with itself as input. */
START_TEST(bad_lines)
{
    static const struct {
        const char *line, *input, *error;
    } cases[] = {
        {"", "\"\"", "is empty; a JSON object is wanted"},
        {"null", "null", "is not a JSON object"},
        {"[ 1,\"x\" ]", "[1,\"x\"]", "is not a JSON object"},
        {"{}", "{}", "recipe tiny-user needs \\\"userId\\\" (or \\\"history\\\")"},
        {"{\"userId\":7}", "{\"userId\":7}", "\\\"userId\\\" must be a string"},
        {"{\"userId\":[\"a\"]}", "{\"userId\":[\"a\"]}",
         "\\\"userId\\\" must be a string"},
        {"{\"userId\":\"\"}", "{\"userId\":\"\"}", "\\\"userId\\\" is empty"},
        {"{\"userId\":\"a\",\"userId\":\"b\"}", "{\"userId\":\"a\",\"userId\":\"b\"}",
         "\\\"userId\\\" is given twice"},
        {"{\"itemList\":[],\"inputList\":[]}", "{\"itemList\":[],\"inputList\":[]}",
         "\\\"inputList\\\" is given twice"},
        {"{\"userId\":\"a\",\"itemList\":\"b\"}", "{\"userId\":\"a\",\"itemList\":\"b\"}",
         "\\\"itemList\\\" must be an array of strings"},
        {"{\"userId\":\"a\",\"history\":[1]}", "{\"userId\":\"a\",\"history\":[1]}",
         "\\\"history\\\" must be an array of strings"},
        {"{\"userId\":\"a\",\"numResults\":-1}", "{\"userId\":\"a\",\"numResults\":-1}",
         "\\\"numResults\\\" must be a whole number, 0 or more"},
        {"{\"userId\":\"a\",\"numResults\":1.5}", "{\"userId\":\"a\",\"numResults\":1.5}",
         "\\\"numResults\\\" must be a whole number, 0 or more"},
        {"{\"userId\":\"a\",\"numResults\":99999999999999999999}",
         "{\"userId\":\"a\",\"numResults\":99999999999999999999}",
         "\\\"numResults\\\" must be a whole number, 0 or more"},
        {"{\"user\":\"a\"}", "{\"user\":\"a\"}",
         "unknown key \\\"user\\\"; the keys are userId, itemId, itemList, inputList, "
         "history, numResults, "
         "filterValues, context, itemAttributes, attributes"},
    };
    struct pz_ask_rules r = rules_of(2);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char want[512];
        snprintf(want, sizeof want,
                 "{\"input\":%s,\"output\":null,\"error\":\"line 7: %s\"}\n",
                 cases[i].input, cases[i].error);
        expect_line(&r, PZ_LINE_JSON, cases[i].line, true, false, want);
    }
}
END_TEST

/* What is no JSON comes back as a string, with some error; the answer is always JSON. */
START_TEST(not_json)
{
    static const char *const lines[] = {
        "{",
        "{\"userId\":\"u1\"",
        "{\"userId\":\"u1\"} x",
        "{\"userId\":\"u1\",}",
        "{\"u",
        "{\"userId\":\"\\x\"}",
        "{\"userId\":\"\xff\"}",
        "{\"userId\":\"a\nb\"}",
        "{'a':1}",
        "{\"userId\":\"\\ud800\"}",
        "\xff\xfe{",
        "   ",
        "{\"bad\":1} {",
        "{\"userId\":\"a\",\"history\":[\"b\"",
        "{\"history\":[\"b\",]}",
    };
    struct pz_ask_rules r = rules_of(2);
    struct pz_buf out = PZ_BUF_INIT;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        pz_json *j;
        answer_line(&r, PZ_LINE_JSON, lines[i], strlen(lines[i]), true, false, &out);
        ck_ok(pz_json_parse(&j, out.data, out.len - 1, &err), err);
        ck_assert_msg(pz_json_get_string(j, "input"), "%s", out.data);
        ck_assert(pz_json_is_null(pz_json_get(j, "output")));
        ck_assert_msg(strncmp(pz_json_get_string(j, "error"), "line 7: ", 8) == 0, "%s",
                      out.data);
        pz_json_free(j);
    }
    pz_buf_release(&out);
}
END_TEST

/* Random bytes over a JSON alphabet: one answer line that is JSON, whatever comes. */
START_TEST(hostile_lines)
{
    static const char *const piece[] = {"{",           "}",
                                        "[",           "]",
                                        ",",           ":",
                                        "\"",          "\"userId\"",
                                        "\"history\"", "\"itemList\"",
                                        "\\",          "\"u1\"",
                                        "\"i1\"",      "\"\\n\"",
                                        "numResults",  "\"numResults\"",
                                        "1",           "1e9",
                                        "null",        " ",
                                        "\xc3\xa9",    "\xff",
                                        "\\u0041",     "\t",
                                        "true"};
    struct pz_ask_rules r = rules_of(2);
    struct pz_buf line = PZ_BUF_INIT, out = PZ_BUF_INIT;
    struct pz_rng rng;
    pz_rng_seed(&rng, 3, 0);
    for (int round = 0; round < 20000; round++) {
        pz_json *j;
        pz_buf_clear(&line);
        pz_buf_addz(&line, pz_rng_below(&rng, 8) ? "{\"userId\":\"u1\"" : "{");
        for (uint64_t k = pz_rng_below(&rng, 12); k > 0; k--)
            pz_buf_addz(&line, piece[pz_rng_below(&rng, sizeof piece / sizeof *piece)]);
        answer_line(&r, PZ_LINE_JSON, line.data, line.len, true, false, &out);
        ck_assert_ptr_eq(memchr(out.data, '\n', out.len), out.data + out.len - 1);
        // The input is echoed, so that what the strict parser refuses beyond the
        // scanner (a key twice inside of unknown keys) may come through.
        if (pz_json_parse(&j, out.data, out.len - 1, &err) == PZ_OK)
            pz_json_free(j);
        else
            ck_assert_msg(strstr(err.msg, "duplicate") || strstr(err.msg, "twice"),
                          "%s: %s", err.msg, out.data);
        err = (struct pz_err)PZ_ERR_INIT;
    }
    pz_buf_release(&line);
    pz_buf_release(&out);
}
END_TEST

START_TEST(strict)
{
    struct pz_ask_rules r = rules_of(2);
    r.strict = true;
    expect_line(
        &r, PZ_LINE_JSON, "{\"userId\":\"a\",\"numResults\":501}", true, false,
        "{\"input\":{\"userId\":\"a\",\"numResults\":501},\"output\":null,\"error\":"
        "\"line 7: \\\"numResults\\\" is 501; the limit is 500\"}\n");
    struct pz_buf line = PZ_BUF_INIT, out = PZ_BUF_INIT;
    for (int i = 0; i < 257; i++)
        pz_buf_addc(&line, 'x');
    answer_line(&r, PZ_LINE_ID, line.data, line.len, true, false, &out);
    ck_assert_ptr_nonnull(strstr(out.data, "257 bytes; the limit is 256"));
    r.strict = false;
    answer_line(&r, PZ_LINE_ID, line.data, line.len, true, false, &out);
    ck_assert_ptr_nonnull(strstr(out.data, "\"error\":null"));
    pz_buf_release(&line);
    pz_buf_release(&out);
}
END_TEST

/* f32 text: reads back, is as short as printf can do it, and keeps its fixed form. */
START_TEST(f32_text)
{
    struct pz_rng rng;
    pz_rng_seed(&rng, 5, 0);
    for (int i = 0; i < 50000; i++) {
        uint32_t bits = (uint32_t)pz_rng_u64(&rng) & 0x7fffffff;
        float v;
        if (i % 4 == 0)
            bits &= 0xff800000; // powers of two: uneven neighbours
        if (bits >= 0x7f800000 || bits < 0x00800000)
            continue;
        memcpy(&v, &bits, sizeof v);
        char got[PZ_NUM_TEXT], want[PZ_NUM_TEXT];
        size_t n = pz_format_f32(got, v), p = 1;
        ck_assert_uint_eq(n, strlen(got));
        ck_assert_float_eq(strtof(got, NULL), v);
        for (; p < 9; p++) {
            snprintf(want, sizeof want, "%.*e", (int)p - 1, (double)v);
            if (strtof(want, NULL) == v)
                break;
        }
        size_t digits = 0, zeros = 0;
        for (const char *c = got; *c && *c != 'e'; c++)
            if (*c != '.' && (digits || *c != '0')) {
                digits++;
                zeros = *c == '0' ? zeros + 1 : 0;
            }
        // Above 2^24 a short decimal may lie exactly between two f32: it is not used.
        ck_assert_msg(digits - zeros <= p || v > 16777216, "%s for %s", got, want);
    }
    static const struct {
        float v;
        const char *text;
    } cases[] = {{0, "0"},
                 {-0.0f, "0"},
                 {0.1f, "0.1"},
                 {-2.5f, "-2.5"},
                 {100, "100"},
                 {1e-5f, "0.00001"},
                 {1e-11f, "1e-11"},
                 {3.4e38f, "3.4e38"},
                 {16777216, "16777216"},
                 {0.0152238f, "0.0152238"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char got[PZ_NUM_TEXT];
        pz_format_f32(got, cases[i].v);
        ck_assert_str_eq(got, cases[i].text);
    }
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("infer");
    TCase *user = tcase_create("user"), *item = tcase_create("related");
    tcase_add_checked_fixture(user, open_user, close_tiny);
    tcase_add_checked_fixture(item, open_related, close_tiny);
    tcase_add_test(user, stored_history);
    tcase_add_test(user, cold);
    tcase_add_test(user, given_history);
    tcase_add_test(user, candidates);
    tcase_add_test(user, many_unknown_candidates);
    tcase_add_test(user, together_as_alone);
    tcase_add_test(user, explained);
    tcase_add_test(user, tsv);
    tcase_add_test(user, json);
    tcase_add_test(user, bad_lines);
    tcase_add_test(user, not_json);
    tcase_add_test(user, hostile_lines);
    tcase_add_test(user, strict);
    tcase_add_test(user, f32_text);
    tcase_add_test(item, related);
    tcase_add_test(item, json_related);
    suite_add_tcase(s, user);
    suite_add_tcase(s, item);
    return s;
}
