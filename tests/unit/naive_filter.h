/*
 * naive_filter: the filter language once more, as simply as it can be written: a tree is
 * parsed from the text and evaluated over the tables of filter_world.h, cell by cell, as
 * text, with three truth values. For expressions that the compiler accepted.
 */
#ifndef PZ_TESTS_NAIVE_FILTER_H
#define PZ_TESTS_NAIVE_FILTER_H

#include <math.h>
#include <stdarg.h>
#include <strings.h>

#include "base/clock.h"
#include "filter_world.h"

enum naive_truth { NAIVE_FALSE, NAIVE_UNKNOWN, NAIVE_TRUE };

/* Bounds on what it takes, for expressions of at most NAIVE_LONGEST bytes. */
enum {
    NAIVE_LONGEST = 600,
    NAIVE_CHILDREN = 64,
    NAIVE_VALUES = 256, // of one placeholder or cell
    NAIVE_NODES = 128,
    NAIVE_CLAUSES = 64,
};

struct naive_text { // a view
    const char *s;
    size_t n;
};

struct naive_node {
    char kind; // '&', '|' or 'c'
    struct naive_node *child[NAIVE_CHILDREN];
    size_t n_children;
    /* a condition */
    char place[32], field[64], op[8]; // op: = != < <= > >= in notin
    const struct naive_text *value;
    size_t n_values;
    bool star, current;
    char param[64]; // "" : none
};

struct naive_value {
    const char *name;
    const char *text;
};

struct naive_request {
    const char *user, *item; // NULL: none
    const struct naive_value *value;
    size_t n_values;
    size_t window;
};

struct naive_clause {
    bool include;
    char subject;
    struct naive_node *where, *when;
    const struct naive_node *first, *end; // its nodes in the pool
};

struct naive {
    const char *at;
    struct naive_clause clause[NAIVE_CLAUSES];
    struct naive_node pool[NAIVE_NODES];
    struct naive_text value[NAIVE_LONGEST];
    size_t n_clauses, n_pool, n_values;
    const struct naive_request *q;
    char subject;
};

/* ---- text ---- */

static inline void
naive_blank(struct naive *n)
{
    while (*n->at && strchr(" \t\r\n", *n->at))
        n->at++;
}

static inline bool
naive_word(struct naive *n, const char *word)
{
    size_t len = strlen(word);
    naive_blank(n);
    char c = strncasecmp(n->at, word, len) ? 'x' : n->at[len];
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
        c == '_')
        return false;
    n->at += len;
    return true;
}

static inline bool
naive_char(struct naive *n, char c)
{
    naive_blank(n);
    if (*n->at != c)
        return false;
    n->at++;
    return true;
}

static inline void
naive_name(struct naive *n, char *out, size_t room)
{
    size_t len = 0;
    naive_blank(n);
    while (*n->at &&
           (strchr("_", *n->at) || (*n->at >= '0' && *n->at <= '9') ||
            (*n->at >= 'a' && *n->at <= 'z') || (*n->at >= 'A' && *n->at <= 'Z'))) {
        if (len + 1 < room)
            out[len++] = *n->at;
        n->at++;
    }
    out[len] = 0;
}

static inline void
naive_value(struct naive *n, struct naive_text *out)
{
    naive_blank(n);
    char quote = *n->at == '"' || *n->at == '\'' ? *n->at++ : 0;
    out->s = n->at;
    while (*n->at && (quote ? *n->at != quote : !strchr(" \t\r\n,)|", *n->at)))
        n->at++;
    out->n = (size_t)(n->at - out->s);
    n->at += quote != 0;
}

static inline bool
naive_is(const struct naive_text *t, const char *word)
{
    return t->n == strlen(word) && !strncasecmp(t->s, word, t->n);
}

/* ---- the tree ---- */

static inline struct naive_node *naive_or(struct naive *n);

static inline struct naive_node *
naive_new(struct naive *n, char kind)
{
    if (n->n_pool == sizeof n->pool / sizeof *n->pool)
        abort();
    struct naive_node *node = &n->pool[n->n_pool++];
    memset(node, 0, sizeof *node);
    node->kind = kind;
    return node;
}

static inline void
naive_set(struct naive *n, struct naive_node *c)
{
    if (naive_word(n, "CurrentItem")) {
        naive_char(n, '.');
        c->current = true;
        naive_name(n, c->param, sizeof c->param);
        return;
    }
    bool list = naive_char(n, '(');
    if (naive_char(n, '$')) {
        naive_name(n, c->param, sizeof c->param);
    } else if (naive_char(n, '*')) {
        c->star = true;
    } else {
        c->value = &n->value[n->n_values];
        do {
            if (n->n_values == NAIVE_LONGEST)
                abort();
            naive_value(n, &n->value[n->n_values++]);
            c->n_values++;
        } while (list && naive_char(n, ','));
        c->star =
            list && naive_is(&c->value[0], "*") && !strcasecmp(c->field, "EVENT_TYPE");
    }
    if (list)
        naive_char(n, ')');
}

static inline struct naive_node *
naive_primary(struct naive *n)
{
    static const char *const ops[] = {"!=", "<=", ">=", "=", "<", ">"};
    if (naive_char(n, '(')) {
        struct naive_node *inner = naive_or(n);
        naive_char(n, ')');
        return inner;
    }
    struct naive_node *c = naive_new(n, 'c');
    naive_name(n, c->place, sizeof c->place);
    naive_char(n, '.');
    naive_name(n, c->field, sizeof c->field);
    if (naive_word(n, "NOT")) {
        naive_word(n, "IN");
        strcpy(c->op, "notin");
    } else if (naive_word(n, "IN")) {
        strcpy(c->op, "in");
    } else {
        naive_blank(n);
        for (size_t i = 0; i < 6; i++)
            if (!strncmp(n->at, ops[i], strlen(ops[i]))) {
                strcpy(c->op, ops[i]);
                n->at += strlen(ops[i]);
                break;
            }
    }
    naive_set(n, c);
    return c;
}

static inline struct naive_node *
naive_joined(struct naive *n, char kind)
{
    struct naive_node *first = kind == '&' ? naive_primary(n) : naive_joined(n, '&');
    struct naive_node *all = NULL;
    while (naive_word(n, kind == '&' ? "AND" : "OR")) {
        if (!all) {
            all = naive_new(n, kind);
            all->child[all->n_children++] = first;
        }
        if (all->n_children == NAIVE_CHILDREN)
            abort();
        all->child[all->n_children++] =
            kind == '&' ? naive_primary(n) : naive_joined(n, '&');
    }
    return all ? all : first;
}

static inline struct naive_node *
naive_or(struct naive *n)
{
    return naive_joined(n, '|');
}

/* ---- cells ---- */

static inline const struct world_field *
naive_field(const struct world_table *t, const char *name, size_t *at)
{
    for (*at = 0; *at < WORLD_FIELDS && t->field[*at].name; ++*at)
        if (!strcasecmp(t->field[*at].name, name))
            return &t->field[*at];
    return NULL;
}

/* Row of an id in a table whose first column is the id; NULL when absent. */
static inline const char *const *
naive_row(const struct world_table *t, const char *id)
{
    for (size_t r = 0; id && r < t->n_rows; r++)
        if (!strcmp(t->row[r][0], id))
            return t->row[r];
    return NULL;
}

static inline double
naive_number(const char *s, bool time)
{
    char *end;
    if (!strcasecmp(s, "true") || !strcasecmp(s, "false"))
        return strlen(s) == 4;
    double x = strtod(s, &end);
    int64_t t;
    if (time && *end && !pz_time_parse(s, strlen(s), &t))
        return (double)t;
    return x;
}

/* a ? b for numbers; whole ones exactly. */
static inline int
naive_order(const char *a, const char *b, bool time)
{
    char *x, *y;
    long long i = strtoll(a, &x, 10), k = strtoll(b, &y, 10);
    if (*a && *b && !*x && !*y)
        return i < k ? -1 : i > k;
    double f = naive_number(a, time), g = naive_number(b, time);
    return f < g ? -1 : f > g;
}

static inline bool
naive_listed(const struct naive_text *v, size_t n, const char *s, size_t len, bool fold)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].n == len &&
            !(fold ? strncasecmp(v[i].s, s, len) : memcmp(v[i].s, s, len)))
            return true;
    return false;
}

/* Is one of the cell's values in the list? */
static inline bool
naive_any(const struct naive_text *v, size_t n, const char *cell, bool multi, bool fold)
{
    for (;;) {
        size_t len = multi ? strcspn(cell, "|") : strlen(cell);
        if (naive_listed(v, n, cell, len, fold))
            return true;
        if (!cell[len])
            return false;
        cell += len + 1;
    }
}

/* The values of a placeholder. */
static inline size_t
naive_split(const char *text, struct naive_text *out)
{
    size_t count = 0;
    if (!text[strspn(text, " \t")])
        return 0;
    for (;; text++) {
        text += strspn(text, " \t");
        if (*text == '"' || *text == '\'') {
            size_t len = strcspn(text + 1, *text == '"' ? "\"" : "'");
            out[count++] = (struct naive_text){text + 1, len};
            text += len + 2;
            text += strspn(text, " \t");
        } else {
            size_t len = strcspn(text, ","), keep = len;
            while (keep && strchr(" \t", text[keep - 1]))
                keep--;
            out[count++] = (struct naive_text){text, keep};
            text += len;
        }
        if (*text != ',' || count == NAIVE_VALUES)
            return count;
    }
}

/* One condition against one cell (NULL or "": missing). */
static inline enum naive_truth
naive_test(struct naive *n, const struct naive_node *c, const struct world_field *w,
           const char *cell)
{
    static struct naive_text given[NAIVE_VALUES];
    const struct naive_text *value = c->value;
    size_t n_values = c->n_values;
    bool star = c->star, text = strchr("sS", w->type) != NULL, in = c->op[0] == 'i',
         notin = c->op[0] == 'n';
    bool fold = !strcmp(w->name, "EVENT_TYPE"),
         time = !strcmp(w->name, "TIMESTAMP") || !strcmp(w->name, "CREATION_TIMESTAMP");
    if (c->current) {
        value = given;
        const struct world_table *t = world_table(PZ_ITEMS);
        size_t at;
        const struct world_field *cw = naive_field(t, c->param, &at);
        const char *const *row = naive_row(t, n->q->item);
        const char *s = at == 0 ? n->q->item : row ? row[at] : NULL;
        n_values = 0;
        while (s && *s) {
            size_t len = cw->type == 'S' ? strcspn(s, "|") : strlen(s);
            given[n_values++] = (struct naive_text){s, len};
            if (!s[len])
                break;
            s += len + 1;
            if (!*s)
                given[n_values++] = (struct naive_text){s, 0};
        }
        if (!n_values && !in && !notin)
            return NAIVE_UNKNOWN;
    } else if (c->param[0]) {
        const char *s = NULL;
        for (size_t i = 0; i < n->q->n_values; i++)
            if (!strcmp(n->q->value[i].name, c->param))
                s = n->q->value[i].text;
        if (!s)
            return NAIVE_FALSE;
        value = given;
        n_values = naive_split(s, given);
        star = fold && n_values == 1 && naive_is(value, "*");
    }
    if (star)
        return NAIVE_TRUE;
    if (!cell || !*cell)
        return in ? NAIVE_FALSE : notin ? NAIVE_TRUE : NAIVE_UNKNOWN;
    bool met = false;
    if (text)
        met = naive_any(value, n_values, cell, w->type == 'S', fold);
    for (size_t i = 0; !text && i < n_values; i++) {
        char truth[2] = {(char)('0' + !strcasecmp(cell, "true")), 0}, word[700];
        snprintf(word, sizeof word, "%.*s", (int)value[i].n, value[i].s);
        int o = naive_order(w->type == 'b' ? truth : cell, word, time);
        if (w->type == 'b' &&
            (naive_is(&value[i], "true") || naive_is(&value[i], "false")))
            o = (truth[0] == '1') != naive_is(&value[i], "true");
        met |= c->op[0] == '<'   ? o < 0 || (c->op[1] && o == 0)
               : c->op[0] == '>' ? o > 0 || (c->op[1] && o == 0)
                                 : o == 0;
    }
    bool negate = notin || c->op[0] == '!';
    return met != negate ? NAIVE_TRUE : NAIVE_FALSE;
}

/* ---- evaluation ---- */

static inline enum pz_set
naive_set_of(const char *place)
{
    return !strcasecmp(place, "Items")                 ? PZ_ITEMS
           : !strcasecmp(place, "Users")               ? PZ_USERS
           : !strcasecmp(place, "CurrentUser")         ? PZ_USERS
           : !strcasecmp(place, "Interactions")        ? PZ_INTERACTIONS
           : !strcasecmp(place, "Action_Interactions") ? PZ_ACTION_INTERACTIONS
                                                       : PZ_ACTIONS;
}

static inline bool
naive_event_cond(const struct naive_node *c)
{
    return strcasestr(c->place, "Interactions") != NULL;
}

static inline bool
naive_event_only(const struct naive_node *c)
{
    if (c->kind == 'c')
        return naive_event_cond(c) && c->op[0] != 'n';
    for (size_t i = 0; i < c->n_children; i++)
        if (!naive_event_only(c->child[i]))
            return false;
    return true;
}

static inline enum naive_truth
naive_join(char kind, enum naive_truth a, enum naive_truth b)
{
    return kind == '&' ? (a < b ? a : b) : a > b ? a : b;
}

static inline enum naive_truth
naive_on_event(struct naive *n, const struct naive_node *c, const char *const *row)
{
    if (c->kind == 'c') {
        size_t at;
        const struct world_table *t = world_table(naive_set_of(c->place));
        const struct world_field *w = naive_field(t, c->field, &at);
        return naive_test(n, c, w, row[at]);
    }
    enum naive_truth r = naive_on_event(n, c->child[0], row);
    for (size_t i = 1; i < c->n_children; i++)
        r = naive_join(c->kind, r, naive_on_event(n, c->child[i], row));
    return r;
}

/* Is row r of the events among the newest of its user and type? */
static inline bool
naive_recent(const struct naive *n, const struct world_table *t, size_t r)
{
    size_t newer = 0;
    if (!n->q->window)
        return true;
    for (size_t k = 0; k < t->n_rows; k++) {
        if (strcmp(t->row[k][0], t->row[r][0]) || strcasecmp(t->row[k][3], t->row[r][3]))
            continue;
        int o = naive_order(t->row[k][2], t->row[r][2], false);
        newer += o > 0;
    }
    return newer < n->q->window;
}

/* Is there an event for which all (kind '&') or any of the nodes hold? */
static inline enum naive_truth
naive_exists(struct naive *n, struct naive_node *const *node, size_t n_nodes, char kind,
             const char *id)
{
    const struct world_table *t =
        world_table(n->subject == 'A' ? PZ_ACTION_INTERACTIONS : PZ_INTERACTIONS);
    enum naive_truth best = NAIVE_FALSE;
    for (size_t r = 0; r < t->n_rows; r++) {
        bool mine = n->subject == 'U' ? !strcmp(t->row[r][0], id)
                                      : n->q->user && !strcmp(t->row[r][0], n->q->user) &&
                                            !strcmp(t->row[r][1], id);
        if (!mine || !naive_recent(n, t, r))
            continue;
        enum naive_truth v = naive_on_event(n, node[0], t->row[r]);
        for (size_t i = 1; i < n_nodes; i++)
            v = naive_join(kind, v, naive_on_event(n, node[i], t->row[r]));
        best = v > best ? v : best;
    }
    return best;
}

/* NOT IN about events: none of them is in. */
static inline enum naive_truth
naive_none(struct naive *n, const struct naive_node *c, const char *id)
{
    static struct naive_node in;
    in = *c;
    struct naive_node *list[] = {&in};
    strcpy(in.op, "in");
    return naive_exists(n, list, 1, '&', id) == NAIVE_TRUE ? NAIVE_FALSE : NAIVE_TRUE;
}

static inline enum naive_truth
naive_where(struct naive *n, struct naive_node *c, const char *id)
{
    if (naive_event_only(c))
        return naive_exists(n, &c, 1, '&', id);
    if (c->kind == 'c') {
        if (naive_event_cond(c))
            return naive_none(n, c, id);
        const struct world_table *t = world_table(naive_set_of(c->place));
        bool user = !strcasecmp(c->place, "CurrentUser");
        const char *who = user ? n->q->user : id;
        size_t at;
        const struct world_field *w = naive_field(t, c->field, &at);
        const char *const *row = naive_row(t, who);
        return naive_test(n, c, w, at == 0 ? who : row ? row[at] : NULL);
    }
    struct naive_node *events[NAIVE_CHILDREN];
    size_t n_events = 0;
    enum naive_truth r = c->kind == '&' ? NAIVE_TRUE : NAIVE_FALSE;
    for (size_t i = 0; i < c->n_children; i++) {
        if (naive_event_only(c->child[i]))
            events[n_events++] = c->child[i];
        else
            r = naive_join(c->kind, r, naive_where(n, c->child[i], id));
    }
    if (n_events)
        r = naive_join(c->kind, r, naive_exists(n, events, n_events, c->kind, id));
    return r;
}

static inline bool
naive_known(const struct naive *n, const char *id)
{
    static const enum pz_set rows[128] = {
        ['I'] = PZ_ITEMS, ['U'] = PZ_USERS, ['A'] = PZ_ACTIONS};
    const struct world_table *t = world_table(rows[(unsigned char)n->subject]);
    const struct world_table *e =
        world_table(n->subject == 'A' ? PZ_ACTION_INTERACTIONS : PZ_INTERACTIONS);
    if (naive_row(t, id))
        return true;
    for (size_t r = 0; r < e->n_rows; r++)
        if (!strcmp(e->row[r][n->subject == 'U' ? 0 : 1], id))
            return true;
    return false;
}

/* The whole expression, which must stay as long as n is used. */
static inline void
naive_parse(struct naive *n, const char *text)
{
    n->at = text;
    n->n_clauses = n->n_pool = n->n_values = 0;
    do {
        struct naive_clause *c = &n->clause[n->n_clauses++];
        if (n->n_clauses == NAIVE_CLAUSES)
            abort();
        c->first = &n->pool[n->n_pool];
        c->include = naive_word(n, "INCLUDE");
        if (!c->include)
            naive_word(n, "EXCLUDE");
        c->subject = naive_word(n, "ItemID") ? 'I' : naive_word(n, "UserID") ? 'U' : 'A';
        if (c->subject == 'A')
            naive_word(n, "ActionID");
        naive_word(n, "WHERE");
        c->where = naive_or(n);
        c->when = naive_word(n, "IF") ? naive_or(n) : NULL;
        c->end = &n->pool[n->n_pool];
    } while (naive_char(n, '|'));
}

/* Does the request have a value for every placeholder of the clause? */
static inline bool
naive_complete(const struct naive_clause *clause, const struct naive_request *q)
{
    for (const struct naive_node *c = clause->first; c < clause->end; c++) {
        bool found = c->kind != 'c' || c->current || !c->param[0];
        for (size_t k = 0; k < q->n_values; k++)
            found |= !strcmp(q->value[k].name, c->param);
        if (!found)
            return false;
    }
    return true;
}

/* Is candidate `id` kept by what was parsed? *refused: an INCLUDE lacks a value. */
static inline bool
naive_keeps(struct naive *n, const struct naive_request *q, const char *id, bool *refused)
{
    bool includes = false, included = false, excluded = false;
    n->q = q;
    *refused = false;
    for (size_t i = 0; i < n->n_clauses; i++) {
        const struct naive_clause *c = &n->clause[i];
        n->subject = c->subject;
        if (!naive_complete(c, q)) {
            *refused |= c->include;
            continue;
        }
        if (c->when && naive_where(n, c->when, id) != NAIVE_TRUE)
            continue;
        bool met = naive_known(n, id) && naive_where(n, c->where, id) == NAIVE_TRUE;
        includes |= c->include;
        included |= c->include && met;
        excluded |= !c->include && met;
    }
    return (!includes || included) && !excluded;
}

/* Both in one. */
static inline bool
naive_filter(const char *text, const struct naive_request *q, const char *id,
             bool *refused)
{
    static struct naive n;
    naive_parse(&n, text);
    return naive_keeps(&n, q, id, refused);
}

#endif
