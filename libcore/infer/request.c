#include "infer/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"

/* One line while it is read. */
struct line {
    struct pz_asks *a;
    const struct pz_ask_rules *rules;
    struct pz_ask *ask;
    struct pz_err *err; // of the program, not of the line
    uint64_t n;
};

int
pz_asks_begin(struct pz_asks *a, size_t n_bytes, struct pz_err *err)
{
    a->n = a->n_text = a->n_value = 0;
    pz_buf_clear(&a->string);
    pz_buf_clear(&a->error);
    // Unescaping only shrinks: with this much room the strings do not move.
    if (n_bytes >= a->string.cap && !pz_buf_reserve(&a->string, n_bytes))
        return pz_buf_status(&a->string, "the requests", err);
    if (!a->scanning)
        pz_scan_init(&a->scan);
    a->scanning = true;
    return PZ_OK;
}

void
pz_asks_release(struct pz_asks *a)
{
    free(a->ask);
    free(a->text);
    free(a->value);
    pz_buf_release(&a->string);
    pz_buf_release(&a->error);
    if (a->scanning)
        pz_scan_release(&a->scan);
    *a = (struct pz_asks){.n = 0};
}

/* Notes why the line is bad: the first reason counts. Returns false. */
static bool __attribute__((format(printf, 2, 3)))
bad(struct line *l, const char *fmt, ...)
{
    if (l->ask->at_error != SIZE_MAX)
        return false;
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    l->ask->at_error = l->a->error.len;
    pz_buf_addf(&l->a->error, "line %llu: %s", (unsigned long long)l->n, text);
    pz_buf_addc(&l->a->error, 0);
    return false;
}

/* The scanner's string as a text that stays: it may lie in the scanner's buffer. */
static struct pz_text
keep(struct line *l)
{
    const struct pz_scan *scan = &l->a->scan;
    const char *end = scan->text + scan->n;
    if (scan->s >= scan->text && scan->s <= end)
        return (struct pz_text){scan->s, scan->len};
    size_t at = l->a->string.len;
    pz_buf_add(&l->a->string, scan->s, scan->len);
    return (struct pz_text){l->a->string.data + at, scan->len};
}

static bool
check_id(struct line *l, const char *key, const struct pz_text *id)
{
    if (id->n == 0)
        return bad(l, "\"%s\" is empty", key);
    if (l->rules->strict && id->n > PZ_AWS_MAX_ID)
        return bad(l, "\"%s\" has %zu bytes; the limit is %d", key, id->n, PZ_AWS_MAX_ID);
    return true;
}

static bool
take_id(struct line *l, const char *key, enum pz_tok tok, struct pz_text *id, bool *has)
{
    if (tok != PZ_TOK_STRING)
        return bad(l, "\"%s\" must be a string", key);
    *id = keep(l);
    *has = true;
    return check_id(l, key, id);
}

static bool
take_user(struct line *l, const char *key, enum pz_tok tok)
{
    return take_id(l, key, tok, &l->ask->request.user, &l->ask->request.has_user);
}

static bool
take_item(struct line *l, const char *key, enum pz_tok tok)
{
    return take_id(l, key, tok, &l->ask->request.item, &l->ask->request.has_item);
}

/* Looked at when the whole line is known to be good. */
static bool
take_attributes(struct line *l, const char *key, enum pz_tok tok)
{
    if (tok != PZ_TOK_STRING)
        return bad(l, "\"%s\" must be a string", key);
    l->ask->request.item = keep(l);
    l->ask->request.has_item = true;
    l->ask->attributes = true;
    return true;
}

static bool
take_list(struct line *l, const char *key, enum pz_tok tok, size_t *first, size_t *n)
{
    struct pz_asks *a = l->a;
    if (tok != PZ_TOK_ARRAY)
        return bad(l, "\"%s\" must be an array of strings", key);
    *first = a->n_text;
    while ((tok = pz_scan_next(&a->scan)) != PZ_TOK_ARRAY_END) {
        if (tok == PZ_TOK_ERROR)
            return false;
        if (tok != PZ_TOK_STRING)
            return bad(l, "\"%s\" must be an array of strings", key);
        struct pz_text id = keep(l);
        if (!check_id(l, key, &id))
            return false;
        if (pz_grow(&a->text, &a->cap_text, a->n_text + 1, sizeof *a->text, "a request",
                    l->err))
            return false;
        a->text[a->n_text++] = id;
    }
    *n = a->n_text - *first;
    return true;
}

static bool
take_candidates(struct line *l, const char *key, enum pz_tok tok)
{
    struct pz_request *q = &l->ask->request;
    if (!take_list(l, key, tok, &l->ask->at_candidate, &q->n_candidates))
        return false;
    q->has_candidates = true;
    if (l->rules->strict && q->n_candidates > PZ_AWS_MAX_RESULTS)
        return bad(l, "\"%s\" has %zu items; the limit is %d", key, q->n_candidates,
                   PZ_AWS_MAX_RESULTS);
    return true;
}

static bool
take_history(struct line *l, const char *key, enum pz_tok tok)
{
    struct pz_request *q = &l->ask->request;
    if (!take_list(l, key, tok, &l->ask->at_history, &q->n_history))
        return false;
    q->has_history = true;
    return true;
}

static bool
take_n(struct line *l, const char *key, enum pz_tok tok)
{
    int64_t n;
    const struct pz_scan *scan = &l->a->scan;
    if (tok != PZ_TOK_NUMBER || pz_parse_i64(scan->s, scan->len, &n) || n < 0)
        return bad(l, "\"%s\" must be a whole number, 0 or more", key);
    if (l->rules->strict && n > PZ_AWS_MAX_RESULTS)
        return bad(l, "\"%s\" is %lld; the limit is %d", key, (long long)n,
                   PZ_AWS_MAX_RESULTS);
    l->ask->request.n = (size_t)n;
    l->ask->n_given = true;
    return true;
}

/* {"NAME":"TEXT",...}; texts may be numbers. */
static bool
take_values(struct line *l, const char *key, enum pz_tok tok)
{
    struct pz_asks *a = l->a;
    if (tok != PZ_TOK_OBJECT)
        return bad(l, "\"%s\" must be an object of strings", key);
    if (!l->rules->has_filter)
        return bad(l, "\"%s\" is given, but there is no filter (-F)", key);
    l->ask->at_value = a->n_value;
    while ((tok = pz_scan_next(&a->scan)) == PZ_TOK_KEY) {
        struct pz_text name = keep(l);
        tok = pz_scan_next(&a->scan);
        if (tok == PZ_TOK_ERROR)
            return false;
        if (tok != PZ_TOK_STRING && tok != PZ_TOK_NUMBER)
            return bad(l, "\"%s\" must be an object of strings", key);
        struct pz_text text = keep(l);
        if (pz_grow(&a->value, &a->cap_value, a->n_value + 1, sizeof *a->value,
                    "a request", l->err))
            return false;
        a->value[a->n_value++] = (struct pz_filter_value){name.s, name.n, text.s, text.n};
    }
    l->ask->request.n_values = a->n_value - l->ask->at_value;
    return tok == PZ_TOK_OBJECT_END;
}

static bool
take_context(struct line *l, const char *key, enum pz_tok tok)
{
    struct pz_scan *scan = &l->a->scan;
    const struct pz_schema *schema = l->rules->context;
    if (tok != PZ_TOK_OBJECT)
        return bad(l, "\"%s\" must be an object of strings", key);
    while ((tok = pz_scan_next(scan)) == PZ_TOK_KEY) {
        if (schema && pz_schema_find(schema, scan->s, scan->len) < 0)
            return bad(l, "\"%s\": the interactions schema has no field '%.*s'", key,
                       (int)(scan->len < 64 ? scan->len : 64), scan->s);
        tok = pz_scan_next(scan);
        if (tok == PZ_TOK_ERROR)
            return false;
        if (tok != PZ_TOK_STRING && tok != PZ_TOK_NUMBER)
            return bad(l, "\"%s\" must be an object of strings", key);
    }
    return tok == PZ_TOK_OBJECT_END;
}

static const struct member {
    const char *key;
    bool (*take)(struct line *l, const char *key, enum pz_tok tok);
    int slot; // members of one slot exclude each other, and repetition
} members[] = {
    {"userId", take_user, 0},
    {"itemId", take_item, 1},
    {"itemList", take_candidates, 2},
    {"inputList", take_candidates, 2},
    {"history", take_history, 3},
    {"numResults", take_n, 4},
    {"filterValues", take_values, 5},
    {"context", take_context, 6},
    {"itemAttributes", take_attributes, 1},
    {"attributes", take_attributes, 1},
};
enum { N_MEMBERS = sizeof members / sizeof *members };

static const struct member *
find_member(const struct pz_scan *scan)
{
    for (size_t i = 0; i < N_MEMBERS; i++)
        if (strlen(members[i].key) == scan->len &&
            memcmp(members[i].key, scan->s, scan->len) == 0)
            return &members[i];
    return NULL;
}

static bool
unknown_key(struct line *l)
{
    const struct pz_scan *scan = &l->a->scan;
    struct pz_buf known = PZ_BUF_INIT;
    for (size_t i = 0; i < N_MEMBERS; i++)
        pz_buf_addf(&known, "%s%s", i ? ", " : "", members[i].key);
    if (pz_buf_status(&known, "a message", l->err) == PZ_OK)
        bad(l, "unknown key \"%.*s\"; the keys are %s",
            (int)(scan->len < 64 ? scan->len : 64), scan->s, known.data);
    pz_buf_release(&known);
    return false;
}

/* The members of the object; true when the whole line was read. */
static bool
take_object(struct line *l)
{
    struct pz_scan *scan = &l->a->scan;
    unsigned seen = 0;
    enum pz_tok tok;
    while ((tok = pz_scan_next(scan)) == PZ_TOK_KEY) {
        const struct member *m = find_member(scan);
        if (!m)
            return unknown_key(l);
        if (seen & 1U << m->slot)
            return bad(l, "\"%s\" is given twice", m->key);
        seen |= 1U << m->slot;
        if ((tok = pz_scan_next(scan)) == PZ_TOK_ERROR || !m->take(l, m->key, tok))
            return false;
    }
    return tok == PZ_TOK_OBJECT_END && pz_scan_next(scan) == PZ_TOK_END;
}

/* Is the line a JSON value as a whole, so that it may be put into an answer? */
static bool
is_json(struct pz_scan *scan, const struct pz_text *line)
{
    pz_scan_start(scan, line->s, line->n);
    enum pz_tok tok;
    do
        tok = pz_scan_next(scan);
    while (tok != PZ_TOK_END && tok != PZ_TOK_ERROR);
    return tok == PZ_TOK_END;
}

/* Can the model take the line's expression? */
static bool
check_attributes(struct line *l)
{
    struct pz_err err = PZ_ERR_INIT;
    if (!pz_model_check_attributes(l->rules->model, &l->ask->request.item, &err))
        return true;
    if (err.status == PZ_DATA)
        return bad(l, "%s", err.msg);
    *l->err = err;
    return false;
}

/* Has the request what the recipe cannot do without? */
static bool
check_complete(struct line *l)
{
    const struct pz_request *q = &l->ask->request;
    const struct pz_recipe *r = l->rules->model->recipe;
    bool item = pz_model_asks_item(l->rules->model);
    bool attributes = pz_model_asks_attributes(l->rules->model);
    if (attributes != l->ask->attributes && (attributes || l->ask->attributes))
        return bad(l, "recipe %s needs %s", r->name,
                   attributes ? "\"itemAttributes\""
                   : item     ? "\"itemId\""
                              : "\"userId\" (or \"history\")");
    if (pz_model_answers_users(l->rules->model) && (q->has_candidates || q->has_history))
        return bad(l, "recipe %s answers with users: \"%s\" has no meaning", r->name,
                   q->has_candidates ? "itemList" : "history");
    if (attributes && !check_attributes(l))
        return false;
    if (r->type == PZ_PERSONALIZED_RANKING && !q->has_candidates)
        return bad(l, "recipe %s needs \"itemList\"", r->name);
    if (item ? q->has_item : q->has_user || q->has_history || r->type == PZ_POPULAR_ITEMS)
        return true;
    return bad(l, "recipe %s needs %s", r->name,
               item ? "\"itemId\"" : "\"userId\" (or \"history\")");
}

static int
add_json(struct line *l)
{
    struct pz_scan *scan = &l->a->scan;
    struct pz_ask *ask = l->ask;
    pz_scan_start(scan, ask->line.s, ask->line.n);
    enum pz_tok tok = pz_scan_next(scan);
    if (tok == PZ_TOK_OBJECT) {
        ask->echo = take_object(l);
    } else if (tok == PZ_TOK_END || ask->line.n == 0) {
        bad(l, "is empty; a JSON object is wanted");
        return PZ_OK;
    } else if (tok != PZ_TOK_ERROR) {
        bad(l, "is not a JSON object");
    }
    if (l->err->status || pz_buf_status(&scan->hold, "a string", l->err))
        return l->err->status;
    if (ask->echo) {
        check_complete(l);
        return l->err->status;
    }
    // An error of the scanner, or one of ours in front of which the scan stopped.
    if (scan->error)
        bad(l, "column %zu: %s", scan->at + 1, scan->error);
    ask->echo = is_json(scan, &ask->line);
    if (!ask->echo && scan->error)
        bad(l, "column %zu: %s", scan->at + 1, scan->error);
    bad(l, "is not a JSON object");
    return PZ_OK;
}

static int
add(struct line *l, const struct pz_text *text)
{
    struct pz_asks *a = l->a;
    if (pz_grow(&a->ask, &a->cap, a->n + 1, sizeof *a->ask, "requests", l->err))
        return l->err->status;
    l->ask = &a->ask[a->n++];
    *l->ask = (struct pz_ask){.request = l->rules->base,
                              .line = *text,
                              .number = l->n,
                              .n_given = l->rules->n_given,
                              .at_history = SIZE_MAX,
                              .at_candidate = SIZE_MAX,
                              .at_value = SIZE_MAX,
                              .at_error = SIZE_MAX};
    return PZ_OK;
}

int
pz_asks_add(struct pz_asks *a, const struct pz_ask_rules *rules, enum pz_line_kind kind,
            const struct pz_text *text, uint64_t n, struct pz_err *err)
{
    struct line l = {.a = a, .rules = rules, .err = err, .n = n};
    if (add(&l, text))
        return err->status;
    struct pz_request *q = &l.ask->request;
    l.ask->json = kind == PZ_LINE_JSON || kind == PZ_LINE_LONG_JSON;
    if (kind == PZ_LINE_LONG_ID || kind == PZ_LINE_LONG_JSON) {
        bad(&l, "is longer than %d bytes", PZ_LINE_MAX);
    } else if (kind == PZ_LINE_JSON) {
        if (add_json(&l))
            return err->status;
    } else if (pz_model_asks_item(rules->model)) {
        q->item = *text;
        q->has_item = true;
        l.ask->attributes = pz_model_asks_attributes(rules->model);
        if (l.ask->attributes && !check_attributes(&l) && err->status)
            return err->status;
    } else {
        q->user = *text;
        q->has_user = true;
    }
    if (kind == PZ_LINE_ID && rules->strict && text->n > PZ_AWS_MAX_ID)
        bad(&l, "the id has %zu bytes; the limit is %d", text->n, PZ_AWS_MAX_ID);
    return PZ_OK;
}

int
pz_asks_add_base(struct pz_asks *a, const struct pz_ask_rules *rules, struct pz_err *err)
{
    struct line l = {.a = a, .rules = rules, .err = err};
    return add(&l, &(struct pz_text){"", 0});
}

int
pz_asks_end(struct pz_asks *a, struct pz_err *err)
{
    if (pz_buf_status(&a->error, "messages", err) ||
        pz_buf_status(&a->string, "the requests", err))
        return err->status;
    for (size_t i = 0; i < a->n; i++) {
        struct pz_ask *ask = &a->ask[i];
        if (ask->at_error != SIZE_MAX) {
            ask->error = a->error.data + ask->at_error;
            continue; // the request may be half made
        }
        if (ask->request.n_history && ask->at_history != SIZE_MAX)
            ask->request.history = a->text + ask->at_history;
        if (ask->at_value != SIZE_MAX)
            ask->request.value = a->value + ask->at_value;
        if (ask->request.n_candidates && ask->at_candidate != SIZE_MAX)
            ask->request.candidate = a->text + ask->at_candidate;
        if (ask->request.has_candidates && !ask->n_given)
            ask->request.n = ask->request.n_candidates;
    }
    return PZ_OK;
}
