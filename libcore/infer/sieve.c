#include "infer/sieve.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "infer/answer.h"
#include "infer/lines.h"

enum { BLOCK_LINES = 4096 };

struct span {
    size_t at, end;
};

/* An array of a JSON answer. */
struct list {
    size_t at, end;
    size_t first, n; // its elements
};

struct state {
    const struct pz_sieve *s;
    struct pz_filter_run *run;
    struct pz_sieve_counts *counts;
    struct pz_buf out;
    bool text_names_item;
    /* of text: the request that was begun and the item seen last */
    struct pz_buf request, item;
    bool begun, kept, item_seen;
    size_t n_kept;
    struct pz_buf unescaped, unescaped_item;
    /* of JSON */
    struct pz_scan scan;
    struct pz_buf strings;
    struct list *list;
    size_t n_lists, cap_lists;
    struct span *element, *id; // id: into strings
    size_t n_elements, cap_elements, n_ids, cap_ids;
    size_t items; // the list of items, SIZE_MAX: none
    struct span input, user, item_id;
    bool has_user, has_item;
    const char *wrong; // why the line is none, where the scanner does not tell
    struct pz_filter_value *value;
    struct span *value_name, *value_text;
    size_t n_values, cap_values, cap_names, cap_texts;
    bool *keep;
    size_t cap_keep;
    struct pz_buf why;
};

/* ---- requests ---- */

static int
begin(struct state *st, struct pz_text user, struct pz_text item,
      const struct pz_filter_value *value, size_t n_values, struct pz_err *err)
{
    const struct pz_sieve *s = st->s;
    struct pz_filter_request q = {
        .user = s->user.s ? s->user.s : user.s,
        .n_user = s->user.s ? s->user.n : user.n,
        .item = s->item.s ? s->item.s : item.s,
        .n_item = s->item.s ? s->item.n : item.n,
        .value = value,
        .n_values = n_values,
    };
    return pz_filter_run_begin(st->run, &q, err);
}

static void
add_escaped(struct pz_buf *out, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *e = s[i] == '\t'   ? "\\t"
                        : s[i] == '\n' ? "\\n"
                        : s[i] == '\r' ? "\\r"
                        : s[i] == '\\' ? "\\\\"
                                       : NULL;
        if (e)
            pz_buf_addz(out, e);
        else
            pz_buf_addc(out, s[i]);
    }
}

/* The line of --explain for an item; `request` is escaped already. Returns the verdict.
 */
static bool
explain_item(struct state *st, const char *request, size_t n_request,
             struct pz_candidate c)
{
    pz_buf_clear(&st->why);
    bool pass = pz_filter_explain_test(st->run, &c, &st->why);
    bool kept = pass && st->n_kept < st->s->n;
    st->out.failed |= st->why.failed; // told when the answers are written
    pz_buf_add(&st->out, request, n_request);
    pz_buf_addc(&st->out, '\t');
    add_escaped(&st->out, c.id, c.n);
    pz_buf_addz(&st->out, kept ? "\tkept\t" : "\tdropped\t");
    if (pass && !kept)
        pz_buf_addf(&st->out, "behind the first %zu", st->s->n);
    else
        pz_buf_add(&st->out, st->why.data, st->why.len);
    pz_buf_addc(&st->out, '\n');
    return kept;
}

/* ---- text ---- */

/* The field with \t, \n, \r and \\ undone: a view of it, or of `hold`. */
static struct pz_text
unescape(struct pz_buf *hold, const char *s, size_t n)
{
    static const char from[] = "tnr\\", to[] = "\t\n\r\\";
    if (!memchr(s, '\\', n))
        return (struct pz_text){s, n};
    pz_buf_clear(hold);
    for (size_t i = 0; i < n; i++) {
        const char *e =
            s[i] == '\\' && i + 1 < n && s[i + 1] ? strchr(from, s[i + 1]) : NULL;
        pz_buf_addc(hold, e ? to[e - from] : s[i]);
        i += e != NULL;
    }
    return (struct pz_text){hold->data, hold->len};
}

static bool
same(const struct pz_buf *b, const char *s, size_t n)
{
    return b->len == n && (n == 0 || !memcmp(b->data, s, n));
}

static void
set(struct pz_buf *b, const char *s, size_t n)
{
    pz_buf_clear(b);
    pz_buf_add(b, s, n);
}

static int
begin_text(struct state *st, const char *field, size_t n, struct pz_err *err)
{
    static const struct pz_text none = {NULL, 0};
    struct pz_text id = unescape(&st->unescaped, field, n);
    st->begun = st->item_seen = false;
    st->n_kept = 0;
    // The run borrows the id until the next begin, so it must lie where it stays.
    set(&st->request, field, n);
    if (n && !memchr(field, '\\', n))
        id.s = st->request.data;
    if (!n)
        id = none;
    if (pz_buf_status(&st->request, "a request", err) ||
        pz_buf_status(&st->unescaped, "a request", err) ||
        begin(st, st->text_names_item ? none : id, st->text_names_item ? id : none,
              st->s->value, st->s->n_values, err))
        return err->status;
    st->begun = true;
    return PZ_OK;
}

static int
text_line(struct state *st, const struct pz_text *line, struct pz_err *err)
{
    const char *end = line->s + line->n;
    const char *tab = memchr(line->s, '\t', line->n);
    const char *item = tab + 1;
    size_t n_request = (size_t)(tab - line->s);
    const char *next = memchr(item, '\t', (size_t)(end - item));
    size_t n_item = (size_t)((next ? next : end) - item);
    if ((!st->begun || !same(&st->request, line->s, n_request)) &&
        begin_text(st, line->s, n_request, err))
        return err->status;
    if (!st->item_seen || !same(&st->item, item, n_item)) {
        set(&st->item, item, n_item);
        st->item_seen = true;
        struct pz_text id = unescape(&st->unescaped_item, item, n_item);
        struct pz_candidate c = {id.s ? id.s : "", id.n, NULL};
        if (st->s->explain)
            st->kept = explain_item(st, line->s, n_request, c);
        else
            st->kept = st->n_kept < st->s->n && pz_filter_test(st->run, &c);
        st->n_kept += st->kept;
        st->counts->items++;
        st->counts->kept += st->kept;
    }
    if (st->kept && !st->s->explain) {
        pz_buf_add(&st->out, line->s, line->n);
        pz_buf_addc(&st->out, '\n');
    }
    return pz_buf_status(&st->item, "an item", err) ||
                   pz_buf_status(&st->unescaped_item, "an item", err)
               ? err->status
               : PZ_OK;
}

/* ---- JSON: reading ---- */

static bool
key_is(const struct pz_scan *scan, const char *key)
{
    return scan->len == strlen(key) && !memcmp(scan->s, key, scan->len);
}

static struct span
keep_string(struct state *st)
{
    struct span at = {st->strings.len, st->strings.len + st->scan.len};
    pz_buf_add(&st->strings, st->scan.s, st->scan.len);
    return at;
}

/* Reads the value of a key that should be a string. */
static bool
read_string(struct state *st, struct span *out, bool *has)
{
    enum pz_tok tok = pz_scan_next(&st->scan);
    if (tok == PZ_TOK_STRING) {
        *out = keep_string(st);
        *has = true;
        return true;
    }
    return pz_scan_skip(&st->scan, tok);
}

static bool
read_values(struct state *st, struct pz_err *err)
{
    enum pz_tok tok = pz_scan_next(&st->scan);
    if (tok != PZ_TOK_OBJECT)
        return pz_scan_skip(&st->scan, tok);
    while ((tok = pz_scan_next(&st->scan)) == PZ_TOK_KEY) {
        if (pz_grow(&st->value_name, &st->cap_names, st->n_values + 1,
                    sizeof *st->value_name, "filter values", err) ||
            pz_grow(&st->value_text, &st->cap_texts, st->n_values + 1,
                    sizeof *st->value_text, "filter values", err))
            return false;
        st->value_name[st->n_values] = keep_string(st);
        tok = pz_scan_next(&st->scan);
        if (tok == PZ_TOK_STRING || tok == PZ_TOK_NUMBER)
            st->value_text[st->n_values++] = keep_string(st);
        else if (!pz_scan_skip(&st->scan, tok))
            return false;
    }
    return tok == PZ_TOK_OBJECT_END;
}

static bool
read_input(struct state *st, struct pz_err *err)
{
    enum pz_tok tok = pz_scan_next(&st->scan);
    st->input.at = st->scan.start;
    bool ok = true;
    if (tok == PZ_TOK_OBJECT) {
        while (ok && (tok = pz_scan_next(&st->scan)) == PZ_TOK_KEY) {
            if (key_is(&st->scan, "userId"))
                ok = read_string(st, &st->user, &st->has_user);
            else if (key_is(&st->scan, "itemId"))
                ok = read_string(st, &st->item_id, &st->has_item);
            else if (key_is(&st->scan, "filterValues"))
                ok = read_values(st, err);
            else
                ok = pz_scan_skip(&st->scan, pz_scan_next(&st->scan));
        }
        ok = ok && tok == PZ_TOK_OBJECT_END;
    } else {
        ok = pz_scan_skip(&st->scan, tok);
    }
    st->input.end = ok ? st->scan.at : 0;
    return ok;
}

/* An element of the list of items: an id, or an object that has one. */
static bool
read_item(struct state *st, enum pz_tok tok, struct pz_err *err)
{
    struct span id = {0, 0};
    bool has = tok == PZ_TOK_STRING;
    if (has)
        id = keep_string(st);
    if (tok == PZ_TOK_OBJECT) {
        while ((tok = pz_scan_next(&st->scan)) == PZ_TOK_KEY) {
            bool named = key_is(&st->scan, "actionId") || key_is(&st->scan, "itemId");
            if (named ? !read_string(st, &id, &has)
                      : !pz_scan_skip(&st->scan, pz_scan_next(&st->scan)))
                return false;
        }
        if (tok != PZ_TOK_OBJECT_END)
            return false;
    }
    if (!has) {
        st->wrong = "an element of the list of items has no id";
        return false;
    }
    if (pz_grow(&st->id, &st->cap_ids, st->n_ids + 1, sizeof *st->id, "items", err))
        return false;
    st->id[st->n_ids++] = id;
    return true;
}

/* An array of output, whose '[' was read. */
static bool
read_list(struct state *st, bool items, struct pz_err *err)
{
    struct list l = {.at = st->scan.start, .first = st->n_elements};
    enum pz_tok tok;
    while ((tok = pz_scan_next(&st->scan)) != PZ_TOK_ARRAY_END) {
        struct span e = {.at = st->scan.start};
        if (tok == PZ_TOK_ERROR || tok == PZ_TOK_END ||
            (items ? !read_item(st, tok, err) : !pz_scan_skip(&st->scan, tok)))
            return false;
        e.end = st->scan.at;
        if (pz_grow(&st->element, &st->cap_elements, st->n_elements + 1, sizeof e,
                    "items", err))
            return false;
        st->element[st->n_elements++] = e;
    }
    l.end = st->scan.at;
    l.n = st->n_elements - l.first;
    if (pz_grow(&st->list, &st->cap_lists, st->n_lists + 1, sizeof l, "items", err))
        return false;
    if (items)
        st->items = st->n_lists;
    st->list[st->n_lists++] = l;
    return true;
}

static bool
read_output(struct state *st, struct pz_err *err)
{
    static const char *const names[] = {"recommendedItems", "recommendedUsers",
                                        "usersList", "recommendedActions", "actionList"};
    enum pz_tok tok = pz_scan_next(&st->scan);
    if (tok != PZ_TOK_OBJECT)
        return pz_scan_skip(&st->scan, tok);
    while ((tok = pz_scan_next(&st->scan)) == PZ_TOK_KEY) {
        bool items = false;
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            items |= st->items == SIZE_MAX && key_is(&st->scan, names[i]);
        tok = pz_scan_next(&st->scan);
        if (tok == PZ_TOK_ARRAY ? !read_list(st, items, err)
                                : !pz_scan_skip(&st->scan, tok))
            return false;
    }
    return tok == PZ_TOK_OBJECT_END;
}

static bool
read_answer(struct state *st, const struct pz_text *line, struct pz_err *err)
{
    pz_buf_clear(&st->strings);
    st->n_lists = st->n_elements = st->n_ids = st->n_values = 0;
    st->items = SIZE_MAX;
    st->has_user = st->has_item = false;
    st->wrong = "no batch output line";
    st->input = (struct span){0, 0};
    pz_scan_start(&st->scan, line->s, line->n);
    if (pz_scan_next(&st->scan) != PZ_TOK_OBJECT)
        return false;
    enum pz_tok tok;
    while ((tok = pz_scan_next(&st->scan)) == PZ_TOK_KEY) {
        bool ok = key_is(&st->scan, "input") ? read_input(st, err)
                  : key_is(&st->scan, "output")
                      ? read_output(st, err)
                      : pz_scan_skip(&st->scan, pz_scan_next(&st->scan));
        if (!ok)
            return false;
    }
    return tok == PZ_TOK_OBJECT_END && pz_scan_next(&st->scan) == PZ_TOK_END;
}

/* ---- JSON: answering ---- */

static void
add_error(struct state *st, const struct pz_text *line, uint64_t number, const char *what)
{
    enum { SHOWN = 4096 };
    struct pz_buf msg = PZ_BUF_INIT;
    st->counts->bad++;
    pz_buf_addf(&msg, "line %llu: %s", (unsigned long long)number, what);
    if (st->s->explain) {
        pz_log(PZ_LOG_WARN, "%s", msg.data ? msg.data : what);
    } else {
        pz_buf_addz(&st->out, "{\"input\":");
        if (st->input.end)
            pz_json_compact(&st->out, line->s + st->input.at,
                            st->input.end - st->input.at);
        else
            pz_json_add_string(&st->out, line->s, line->n < SHOWN ? line->n : SHOWN);
        pz_buf_addz(&st->out, ",\"output\":null,\"error\":");
        pz_json_add_string(&st->out, msg.data, msg.len);
        pz_buf_addz(&st->out, "}\n");
    }
    st->out.failed |= msg.failed;
    pz_buf_release(&msg);
}

static struct pz_text
string_at(const struct state *st, struct span s, bool has)
{
    static const struct pz_text none = {NULL, 0};
    return has ? (struct pz_text){st->strings.data + s.at, s.end - s.at} : none;
}

/* The line's own values, then those of all requests that it does not have. */
static int
collect_values(struct state *st, size_t *n, struct pz_err *err)
{
    const struct pz_sieve *s = st->s;
    *n = 0;
    if (pz_grow(&st->value, &st->cap_values, st->n_values + s->n_values + 1,
                sizeof *st->value, "filter values", err))
        return err->status;
    for (size_t i = 0; i < st->n_values; i++) {
        struct pz_text name = string_at(st, st->value_name[i], true);
        struct pz_text text = string_at(st, st->value_text[i], true);
        st->value[(*n)++] = (struct pz_filter_value){name.s, name.n, text.s, text.n};
    }
    for (size_t i = 0; i < s->n_values; i++) {
        bool own = false;
        for (size_t k = 0; k < st->n_values && !own; k++)
            own = st->value[k].n_name == s->value[i].n_name &&
                  !memcmp(st->value[k].name, s->value[i].name, s->value[i].n_name);
        if (!own)
            st->value[(*n)++] = s->value[i];
    }
    return PZ_OK;
}

static int
judge(struct state *st, struct pz_text request, struct pz_err *err)
{
    struct pz_buf name = PZ_BUF_INIT;
    if (pz_grow(&st->keep, &st->cap_keep, st->n_ids + 1, sizeof *st->keep, "items", err))
        return err->status;
    add_escaped(&name, request.s, request.n);
    st->n_kept = 0;
    for (size_t i = 0; i < st->n_ids; i++) {
        struct pz_text id = string_at(st, st->id[i], true);
        struct pz_candidate c = {id.s, id.n, NULL};
        st->keep[i] = st->s->explain
                          ? explain_item(st, name.data, name.len, c)
                          : st->n_kept < st->s->n && pz_filter_test(st->run, &c);
        st->n_kept += st->keep[i];
    }
    st->counts->items += st->n_ids;
    st->counts->kept += st->n_kept;
    int status = pz_buf_status(&name, "a request", err);
    pz_buf_release(&name);
    return status;
}

static void
write_kept(struct state *st, const struct pz_text *line)
{
    size_t at = 0;
    for (size_t i = 0; i < st->n_lists; i++) {
        const struct list *l = &st->list[i];
        if (l->n != st->n_ids)
            continue;
        pz_buf_add(&st->out, line->s + at, l->at - at);
        pz_buf_addc(&st->out, '[');
        for (size_t k = 0, n = 0; k < l->n; k++) {
            const struct span *e = &st->element[l->first + k];
            if (!st->keep[k])
                continue;
            if (n++)
                pz_buf_addc(&st->out, ',');
            pz_buf_add(&st->out, line->s + e->at, e->end - e->at);
        }
        pz_buf_addc(&st->out, ']');
        at = l->end;
    }
    pz_buf_add(&st->out, line->s + at, line->n - at);
    pz_buf_addc(&st->out, '\n');
}

static int
json_line(struct state *st, const struct pz_text *line, uint64_t number,
          struct pz_err *err)
{
    if (!read_answer(st, line, err)) {
        if (!err->status)
            add_error(st, line, number, st->scan.error ? st->scan.error : st->wrong);
        return err->status;
    }
    if (pz_buf_status(&st->strings, "a line", err))
        return err->status;
    if (st->items == SIZE_MAX) { // an error of the producer, handed on
        if (!st->s->explain) {
            pz_buf_add(&st->out, line->s, line->n);
            pz_buf_addc(&st->out, '\n');
        }
        return PZ_OK;
    }
    struct pz_text user = string_at(st, st->user, st->has_user);
    struct pz_text item = string_at(st, st->item_id, st->has_item);
    struct pz_err why = PZ_ERR_INIT;
    size_t n;
    if (collect_values(st, &n, err))
        return err->status;
    if (begin(st, user, item, st->value, n, &why)) {
        if (why.status == PZ_DATA)
            add_error(st, line, number, why.msg);
        else
            *err = why;
        return err->status;
    }
    if (judge(st, st->has_user ? user : item, err))
        return err->status;
    if (!st->s->explain)
        write_kept(st, line);
    return PZ_OK;
}

/* ---- the stream ---- */

static int
flush(struct state *st, struct pz_err *err)
{
    if (pz_buf_status(&st->out, "the answers", err))
        return err->status;
    for (size_t at = 0; at < st->out.len;) {
        ssize_t n = write(st->s->out, st->out.data + at, st->out.len - at);
        if (n >= 0) {
            at += (size_t)n;
        } else if (errno == EAGAIN) {
            struct pollfd p = {.fd = st->s->out, .events = POLLOUT};
            poll(&p, 1, -1);
        } else if (errno != EINTR) {
            return pz_err_sys(err, "cannot write the answers");
        }
    }
    pz_buf_clear(&st->out);
    return PZ_OK;
}

/* Which of the two does a request id of text name? */
static int
decide_text(struct state *st, struct pz_err *err)
{
    const struct pz_filter *f = st->s->filter;
    bool user = pz_filter_needs_user(f) && !st->s->user.s;
    bool item = pz_filter_needs_item(f) && !st->s->item.s;
    if (user && item)
        return pz_err_set(
            err, PZ_USAGE,
            "the filter looks at a user and an item, and a line of text names one: "
            "give --user or --item, or JSON lines");
    st->text_names_item = item;
    return PZ_OK;
}

static int
one_line(struct state *st, const struct pz_block_line *line, struct pz_err *err)
{
    st->counts->lines++;
    if (line->kind == PZ_LINE_LONG_JSON) {
        st->input.end = 0;
        add_error(st, &line->text, line->number, "longer than 16 MiB");
        return PZ_OK;
    }
    if (line->kind == PZ_LINE_JSON)
        return json_line(st, &line->text, line->number, err);
    if (line->kind == PZ_LINE_ID && memchr(line->text.s, '\t', line->text.n))
        return text_line(st, &line->text, err);
    st->counts->bad++;
    pz_log(PZ_LOG_WARN, "line %llu: %s", (unsigned long long)line->number,
           line->kind == PZ_LINE_ID ? "no tab: a request and an item are wanted"
                                    : "longer than 16 MiB");
    return PZ_OK;
}

static void
release(struct state *st)
{
    pz_filter_run_free(st->run);
    pz_scan_release(&st->scan);
    struct pz_buf *bufs[] = {&st->out,       &st->request,        &st->item,
                             &st->unescaped, &st->unescaped_item, &st->strings,
                             &st->why};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        pz_buf_release(bufs[i]);
    free(st->list);
    free(st->element);
    free(st->id);
    free(st->value);
    free(st->value_name);
    free(st->value_text);
    free(st->keep);
}

int
pz_sieve_stream(const struct pz_sieve *s, int in, struct pz_sieve_counts *counts,
                struct pz_err *err)
{
    struct state st = {.s = s, .counts = counts};
    struct pz_lines lines;
    struct pz_block block = {.n = 0};
    *counts = (struct pz_sieve_counts){0};
    pz_scan_init(&st.scan);
    pz_lines_init(&lines, in);
    if (!pz_filter_run_new(&st.run, s->filter, err))
        while (!pz_lines_read(&lines, &block, BLOCK_LINES, err) && block.n) {
            if (counts->lines == 0 && !lines.json && decide_text(&st, err))
                break;
            for (size_t i = 0; i < block.n && !err->status; i++)
                one_line(&st, &block.line[i], err);
            if (err->status || flush(&st, err))
                break;
        }
    struct pz_err late = PZ_ERR_INIT;
    if (err->status)
        flush(&st, &late); // what was answered before it
    release(&st);
    pz_block_release(&block);
    pz_lines_release(&lines);
    return err->status;
}
