#include "cmd/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "cmd/opt.h"

enum kind { OBJECT, ARRAY, TEXT, NUMBER, WORD };

struct pz_show {
    enum kind kind;
    const char *key;
    char *text;    // of TEXT, NUMBER, WORD (true, false, null)
    char *own_key; // of parsed members
    char *raw;     // JSON that stands for this node
    bool json_only;
    struct pz_show *first, *last, *next;
};

static struct pz_show *
add(struct pz_show *parent, const char *key, enum kind kind)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_show *s;
    if (pz_new(&s, 1, sizeof *s, "a description", &err))
        pz_die_err(&err);
    s->kind = kind;
    s->key = key;
    if (!parent)
        return s;
    if (parent->last)
        parent->last->next = s;
    else
        parent->first = s;
    parent->last = s;
    return s;
}

static char *
copy(const char *s)
{
    struct pz_err err = PZ_ERR_INIT;
    char *p;
    if (pz_strndup(&p, s, strlen(s), &err))
        pz_die_err(&err);
    return p;
}

struct pz_show *
pz_show_object(struct pz_show *parent, const char *key)
{
    return add(parent, key, OBJECT);
}

struct pz_show *
pz_show_array(struct pz_show *parent, const char *key)
{
    return add(parent, key, ARRAY);
}

void
pz_show_text(struct pz_show *parent, const char *key, const char *text)
{
    add(parent, key, TEXT)->text = copy(text);
}

void
pz_show_bool(struct pz_show *parent, const char *key, bool value)
{
    add(parent, key, WORD)->text = copy(value ? "true" : "false");
}

void
pz_show_i64(struct pz_show *parent, const char *key, int64_t value)
{
    char text[PZ_NUM_TEXT];
    pz_format_i64(text, value);
    add(parent, key, NUMBER)->text = copy(text);
}

void
pz_show_u64(struct pz_show *parent, const char *key, uint64_t value)
{
    pz_show_i64(parent, key, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

void
pz_show_real(struct pz_show *parent, const char *key, double value)
{
    char text[PZ_NUM_TEXT];
    pz_format_f64(text, value);
    add(parent, key, NUMBER)->text = copy(text);
}

void
pz_show_time(struct pz_show *parent, const char *key, int64_t value)
{
    char text[PZ_TIME_TEXT];
    pz_time_text(text, value);
    pz_show_text(parent, key, text);
}

static void
add_parsed(struct pz_show *parent, const char *key, const pz_json *j)
{
    double number;
    bool truth;
    struct pz_show *s;
    if (pz_json_is_object(j) || pz_json_is_array(j)) {
        s = add(parent, NULL, pz_json_is_object(j) ? OBJECT : ARRAY);
        for (const pz_json *c = pz_json_first(j); c; c = pz_json_next(c))
            add_parsed(s, pz_json_is_object(j) ? pz_json_key(c) : NULL, c);
    } else if (pz_json_number(j, &number)) {
        pz_show_real(parent, NULL, number);
        s = parent->last;
    } else {
        const char *text = pz_json_string(j);
        s = add(parent, NULL, text ? TEXT : WORD);
        if (!text)
            text = pz_json_is_bool(j, &truth) ? (truth ? "true" : "false") : "null";
        s->text = copy(text);
    }
    if (key)
        s->key = s->own_key = copy(key);
}

void
pz_show_parsed(struct pz_show *parent, const char *key, const char *json)
{
    struct pz_err ignored = PZ_ERR_INIT;
    struct pz_buf raw = PZ_BUF_INIT;
    pz_json *j;
    if (pz_json_parse(&j, json, strlen(json), &ignored)) {
        pz_show_text(parent, key, json);
        return;
    }
    add_parsed(parent, key, j);
    pz_json_add(&raw, j); // numbers as they were; no line ends, which the text may have
    parent->last->raw = raw.data;
    pz_json_free(j);
}

void
pz_show_json_only(struct pz_show *parent)
{
    parent->last->json_only = true;
}

void
pz_show_free(struct pz_show *s)
{
    while (s) {
        struct pz_show *next = s->next;
        pz_show_free(s->first);
        free(s->text);
        free(s->own_key);
        free(s->raw);
        free(s);
        s = next;
    }
}

/* ---- JSON ---- */

void
pz_show_json(const struct pz_show *s, struct pz_buf *out)
{
    if (s->raw) {
        pz_buf_addz(out, s->raw);
    } else if (s->kind == TEXT) {
        pz_json_add_string(out, s->text, strlen(s->text));
    } else if (s->kind != OBJECT && s->kind != ARRAY) {
        pz_buf_addz(out, s->text);
    } else {
        pz_buf_addc(out, s->kind == OBJECT ? '{' : '[');
        for (const struct pz_show *c = s->first; c; c = c->next) {
            if (c != s->first)
                pz_buf_addc(out, ',');
            if (s->kind == OBJECT) {
                pz_json_add_string(out, c->key, strlen(c->key));
                pz_buf_addc(out, ':');
            }
            pz_show_json(c, out);
        }
        pz_buf_addc(out, s->kind == OBJECT ? '}' : ']');
    }
}

/* ---- text ---- */

/* One line: a value, or an array of values behind each other. */
static bool
is_flat(const struct pz_show *s)
{
    if (s->kind == OBJECT)
        return false;
    for (const struct pz_show *c = s->first; c; c = c->next)
        if (c->kind == OBJECT || c->kind == ARRAY)
            return false;
    return true;
}

static bool
is_table(const struct pz_show *s)
{
    for (const struct pz_show *row = s->first; row; row = row->next) {
        if (row->kind != OBJECT)
            return false;
        for (const struct pz_show *c = row->first; c; c = c->next)
            if (!is_flat(c))
                return false;
    }
    return s->first != NULL;
}

/* Width on a terminal, where a character takes one place. */
static size_t
width(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static void
add_blanks(struct pz_buf *out, size_t n)
{
    while (n--)
        pz_buf_addc(out, ' ');
}

static void
add_clean(struct pz_buf *b, const char *s)
{
    for (; *s; s++)
        pz_buf_addc(b, (unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s);
}

/* A flat node's text into b, cleaned. */
static void
flat_text(const struct pz_show *s, struct pz_buf *b)
{
    if (s->kind == ARRAY && !s->first)
        pz_buf_addz(b, "none");
    for (const struct pz_show *c = s->first; c; c = c->next) {
        if (c != s->first)
            pz_buf_addc(b, ' ');
        flat_text(c, b);
    }
    if (s->text)
        add_clean(b, s->text);
}

static size_t
flat_width(const struct pz_show *s)
{
    struct pz_buf b = PZ_BUF_INIT;
    flat_text(s, &b);
    size_t n = b.data ? width(b.data) : 0;
    pz_buf_release(&b);
    return n;
}

static const struct pz_show *
member(const struct pz_show *s, const char *key)
{
    for (const struct pz_show *c = s->first; c; c = c->next)
        if (strcmp(c->key, key) == 0)
            return c;
    return NULL;
}

/* Columns are the keys of the rows, in the order in which they first appear. */
struct column {
    const char *key;
    size_t width;
    bool number;
};

static size_t
find_columns(const struct pz_show *table, struct column **column)
{
    struct pz_err err = PZ_ERR_INIT;
    size_t n = 0, cap = 0;
    *column = NULL;
    for (const struct pz_show *row = table->first; row; row = row->next)
        for (const struct pz_show *c = row->first; c; c = c->next) {
            size_t i = 0, w = flat_width(c);
            while (i < n && strcmp((*column)[i].key, c->key) != 0)
                i++;
            if (i == n) {
                if (pz_grow(column, &cap, n + 1, sizeof **column, "columns", &err))
                    pz_die_err(&err);
                (*column)[n++] = (struct column){c->key, width(c->key), true};
            }
            if (w > (*column)[i].width)
                (*column)[i].width = w;
            (*column)[i].number &= c->kind == NUMBER;
        }
    return n;
}

static void
print_table(const struct pz_show *table, size_t indent, struct pz_buf *out)
{
    struct column *column;
    size_t n = find_columns(table, &column);
    for (const struct pz_show *row = NULL;;) {
        size_t owed =
            indent; // blanks are added only before something, never at a line's end
        for (size_t i = 0; i < n; i++) {
            const struct pz_show *c = row ? member(row, column[i].key) : NULL;
            size_t w = !row ? width(column[i].key) : c ? flat_width(c) : 0;
            size_t fill = column[i].width - w;
            if (w) {
                add_blanks(out, owed + (column[i].number ? fill : 0));
                if (row)
                    flat_text(c, out);
                else
                    add_clean(out, column[i].key);
                owed = column[i].number ? 0 : fill;
            } else {
                owed += fill;
            }
            owed += 2;
        }
        pz_buf_addc(out, '\n');
        row = row ? row->next : table->first;
        if (!row)
            break;
    }
    free(column);
}

static void print_members(const struct pz_show *s, size_t indent, struct pz_buf *out);

static void
print_nested(const struct pz_show *s, size_t indent, struct pz_buf *out)
{
    if (s->kind == OBJECT) {
        print_members(s, indent, out);
    } else if (is_table(s)) {
        print_table(s, indent, out);
    } else {
        for (const struct pz_show *c = s->first; c; c = c->next) {
            if (c != s->first)
                pz_buf_addc(out, '\n');
            print_nested(c, indent, out);
        }
    }
}

static void
print_members(const struct pz_show *s, size_t indent, struct pz_buf *out)
{
    size_t w = 0;
    for (const struct pz_show *c = s->first; c; c = c->next)
        if (!c->json_only && is_flat(c) && width(c->key) > w)
            w = width(c->key);
    for (const struct pz_show *c = s->first; c; c = c->next) {
        if (c->json_only)
            continue;
        add_blanks(out, indent);
        add_clean(out, c->key);
        if (is_flat(c)) {
            if (flat_width(c)) {
                add_blanks(out, w - width(c->key) + 2);
                flat_text(c, out);
            }
            pz_buf_addc(out, '\n');
        } else {
            pz_buf_addc(out, '\n');
            print_nested(c, indent + 2, out);
        }
    }
}

void
pz_show_plain(const struct pz_show *root, struct pz_buf *out)
{
    print_nested(root, 0, out);
}

void
pz_show_print(struct pz_show *root)
{
    struct pz_buf out = PZ_BUF_INIT;
    struct pz_err err = PZ_ERR_INIT;
    if (pz_common.json) {
        pz_show_json(root, &out);
        pz_buf_addc(&out, '\n');
    } else {
        pz_show_plain(root, &out);
    }
    if (pz_buf_status(&out, "the description", &err))
        pz_die_err(&err);
    fwrite(out.data, 1, out.len, stdout);
    pz_buf_release(&out);
    pz_show_free(root);
}
