#include "serve/shape.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"

/* ---- patterns ---- */

static bool
is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool
match_name(const char *s, size_t n)
{
    if (n == 0 || !is_alnum(s[0]))
        return false;
    for (size_t i = 1; i < n; i++)
        if (!is_alnum(s[i]) && s[i] != '-' && s[i] != '_')
            return false;
    return true;
}

static bool
match_word(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!is_alnum(s[i]) && s[i] != '_')
            return false;
    return n > 0;
}

/* arn:PARTITION:personalize:REGION:ACCOUNT:REST */
static bool
match_arn(const char *s, size_t n)
{
    const char *end = s + n;
    if (n < 4 || memcmp(s, "arn:", 4))
        return false;
    s += 4;
    const char *from = s;
    while (s < end && ((*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') || *s == '-'))
        s++;
    if (s == from || end - s < 13 || memcmp(s, ":personalize:", 13))
        return false;
    s += 13;
    for (int colons = 0; colons < 2; colons++) {
        s = memchr(s, ':', (size_t)(end - s));
        if (!s)
            return false;
        s++;
    }
    return s < end;
}

/* Printable ASCII, and not only blanks. */
static bool
match_attribution(const char *s, size_t n)
{
    bool ink = false;
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)s[i] < ' ' || (unsigned char)s[i] > '~')
            return false;
        ink |= s[i] != ' ';
    }
    return ink;
}

const struct pz_pattern pz_pattern_name = {"^[a-zA-Z0-9][a-zA-Z0-9\\-_]*", match_name};
const struct pz_pattern pz_pattern_arn = {"arn:([a-z\\d-]+):personalize:.*:.*:.+",
                                          match_arn};
const struct pz_pattern pz_pattern_word = {"[A-Za-z\\d_]+", match_word};
const struct pz_pattern pz_pattern_attribution = {
    "^[\\x20-\\x7E]*[\\x21-\\x7E]+[\\x20-\\x7E]*$", match_attribution};

const struct pz_shape pz_shape_arn = {
    .kind = PZ_SHAPE_STRING, .max = 256, .pattern = &pz_pattern_arn};
const struct pz_shape pz_shape_name = {
    .kind = PZ_SHAPE_STRING, .min = 1, .max = 63, .pattern = &pz_pattern_name};
const struct pz_shape pz_shape_string = {.kind = PZ_SHAPE_STRING, .min = 1, .max = 256};
const struct pz_shape pz_shape_text = {.kind = PZ_SHAPE_STRING};
const struct pz_shape pz_shape_boolean = {.kind = PZ_SHAPE_BOOLEAN};
const struct pz_shape pz_shape_time = {.kind = PZ_SHAPE_TIME};
const struct pz_shape pz_shape_number = {.kind = PZ_SHAPE_NUMBER};

/* ---- checking ---- */

enum { SHOWN = 200, MAX_FAULTS = 20, MAX_PATH = 512 };

struct check {
    struct pz_buf list; // of what is wrong
    unsigned n;
    char path[MAX_PATH]; // of the value at hand
    size_t n_path;
    struct pz_buf *unreadable;
    bool is_unreadable;
};

static size_t
push(struct check *c, const char *name, size_t n)
{
    size_t before = c->n_path;
    if (c->n_path + n + 2 < MAX_PATH) {
        if (c->n_path)
            c->path[c->n_path++] = '.';
        memcpy(c->path + c->n_path, name, n);
        c->n_path += n;
        c->path[c->n_path] = '\0';
    }
    return before;
}

static void
pop(struct check *c, size_t before)
{
    c->n_path = before;
    c->path[before] = '\0';
}

/* `value` NULL: null. */
static void
fault(struct check *c, const char *value, const char *constraint)
{
    if (c->n++ >= MAX_FAULTS)
        return;
    pz_buf_addz(&c->list, c->n > 1 ? "; Value " : "Value ");
    if (value) {
        size_t n = strlen(value);
        pz_buf_addc(&c->list, '\'');
        pz_buf_add(&c->list, value, n < SHOWN ? n : SHOWN);
        pz_buf_addz(&c->list, n < SHOWN ? "'" : "...'");
    } else {
        pz_buf_addz(&c->list, "null");
    }
    pz_buf_addf(&c->list, " at '%s' failed to satisfy constraint: Member must %s",
                c->path, constraint);
}

static void
bound(struct check *c, const char *value, const char *what, const char *side,
      double limit)
{
    char text[128], number[PZ_NUM_TEXT];
    pz_format_f64(number, limit);
    snprintf(text, sizeof text, "have %s %s than or equal to %s", what, side, number);
    fault(c, value, text);
}

static void
check_length(struct check *c, const struct pz_shape *s, const char *value, size_t n)
{
    if (s->min > 0 && (double)n < s->min)
        bound(c, value, "length", "greater", s->min);
    if (s->max > 0 && (double)n > s->max)
        bound(c, value, "length", "less", s->max);
}

static void
wrong_type(struct check *c, const char *wanted)
{
    if (c->is_unreadable)
        return;
    c->is_unreadable = true;
    pz_buf_addf(c->unreadable, "'%s' must be %s", c->path, wanted);
}

/* Characters; the parser has made sure that it is UTF-8. */
static size_t
characters(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static void
check_string(struct check *c, const struct pz_shape *s, const pz_json *j)
{
    const char *text = pz_json_string(j);
    if (!text) {
        wrong_type(c, "a string");
        return;
    }
    check_length(c, s, text, characters(text));
    if (s->pattern && !s->pattern->match(text, strlen(text))) {
        char constraint[256];
        snprintf(constraint, sizeof constraint, "satisfy regular expression pattern: %s",
                 s->pattern->text);
        fault(c, text, constraint);
    }
    if (!s->values)
        return;
    struct pz_buf set = PZ_BUF_INIT;
    bool found = false;
    pz_buf_addz(&set, "satisfy enum value set: [");
    for (size_t i = 0; s->values[i]; i++) {
        found |= strcmp(text, s->values[i]) == 0;
        pz_buf_addf(&set, "%s%s", i ? ", " : "", s->values[i]);
    }
    pz_buf_addz(&set, "]");
    if (!found && !set.failed)
        fault(c, text, set.data);
    pz_buf_release(&set);
}

static void
check_number(struct check *c, const struct pz_shape *s, const pz_json *j)
{
    double v;
    char text[PZ_NUM_TEXT];
    if (!pz_json_number(j, &v)) {
        wrong_type(c, s->kind == PZ_SHAPE_INTEGER ? "a whole number" : "a number");
        return;
    }
    if (s->kind == PZ_SHAPE_INTEGER && (v != floor(v) || fabs(v) > 2147483648.0)) {
        wrong_type(c, "a whole number of 32 bits");
        return;
    }
    if (!s->bounded)
        return;
    pz_format_f64(text, v);
    if (v < s->min)
        bound(c, text, "value", "greater", s->min);
    if (v > s->max)
        bound(c, text, "value", "less", s->max);
}

static void
check_time(struct check *c, const pz_json *j)
{
    double v;
    int64_t t;
    const char *text = pz_json_string(j);
    if (!pz_json_number(j, &v) && (!text || pz_time_parse(text, strlen(text), &t)))
        wrong_type(c, "a time: seconds since 1970 or ISO 8601");
}

static void check_value(struct check *c, const struct pz_shape *s, const pz_json *j);

static void
check_list(struct check *c, const struct pz_shape *s, const pz_json *j)
{
    char name[40];
    size_t i = 0;
    if (!pz_json_is_array(j)) {
        wrong_type(c, "a list");
        return;
    }
    check_length(c, s, "[...]", pz_json_count(j));
    for (const pz_json *e = pz_json_first(j); e; e = pz_json_next(e)) {
        snprintf(name, sizeof name, "%zu.member", ++i);
        size_t before = push(c, name, strlen(name));
        if (pz_json_is_null(e))
            fault(c, NULL, "not be null");
        else
            check_value(c, s->item, e);
        pop(c, before);
    }
}

static void
check_map(struct check *c, const struct pz_shape *s, const pz_json *j)
{
    if (!pz_json_is_object(j)) {
        wrong_type(c, "a map");
        return;
    }
    check_length(c, s, "{...}", pz_json_count(j));
    for (const pz_json *e = pz_json_first(j); e; e = pz_json_next(e)) {
        const char *key = pz_json_key(e);
        size_t n = strlen(key);
        size_t before = push(c, key, n < 64 ? n : 64);
        if (s->key) {
            check_length(c, s->key, key, characters(key));
            if (s->key->pattern && !s->key->pattern->match(key, n))
                fault(c, key, "have keys that are names");
        }
        if (pz_json_is_null(e))
            fault(c, NULL, "not be null");
        else
            check_value(c, s->item, e);
        pop(c, before);
    }
}

static void
check_struct(struct check *c, const struct pz_shape *s, const pz_json *j)
{
    if (!pz_json_is_object(j)) {
        wrong_type(c, "an object");
        return;
    }
    for (const struct pz_member *m = s->member; m->name; m++) {
        const pz_json *value = pz_json_get(j, m->name);
        size_t before = push(c, m->name, strlen(m->name));
        if (value && !pz_json_is_null(value))
            check_value(c, m->shape, value);
        else if (m->required)
            fault(c, NULL, "not be null");
        pop(c, before);
    }
}

static void
check_value(struct check *c, const struct pz_shape *s, const pz_json *j)
{
    bool b;
    switch (s->kind) {
    case PZ_SHAPE_STRING:
        check_string(c, s, j);
        break;
    case PZ_SHAPE_INTEGER:
    case PZ_SHAPE_NUMBER:
        check_number(c, s, j);
        break;
    case PZ_SHAPE_BOOLEAN:
        if (!pz_json_is_bool(j, &b))
            wrong_type(c, "true or false");
        break;
    case PZ_SHAPE_TIME:
        check_time(c, j);
        break;
    case PZ_SHAPE_LIST:
        check_list(c, s, j);
        break;
    case PZ_SHAPE_MAP:
        check_map(c, s, j);
        break;
    case PZ_SHAPE_STRUCT:
        check_struct(c, s, j);
        break;
    }
}

enum pz_shape_fault
pz_shape_check(const struct pz_shape *shape, const pz_json *body, struct pz_buf *why)
{
    struct check c = {.list = PZ_BUF_INIT, .unreadable = why};
    if (!pz_json_is_object(body)) {
        pz_buf_addz(why, "the body must be a JSON object");
        return PZ_SHAPE_UNREADABLE;
    }
    check_struct(&c, shape, body);
    if (!c.is_unreadable && c.n) {
        pz_buf_addf(why, "%u validation error%s detected: ", c.n, c.n > 1 ? "s" : "");
        pz_buf_add(why, c.list.data, c.list.len);
        if (c.list.failed)
            why->failed = true;
    }
    pz_buf_release(&c.list);
    return c.is_unreadable ? PZ_SHAPE_UNREADABLE : c.n ? PZ_SHAPE_INVALID : PZ_SHAPE_FITS;
}
