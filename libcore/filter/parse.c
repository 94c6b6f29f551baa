#include "filter/parse.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

/* Does a token read as this word, whatever its case? */
static bool
is_word(const struct pz_ftoken *t, const char *word)
{
    return t->kind == PZ_FT_WORD && strlen(word) == t->n &&
           !strncasecmp(t->s, word, t->n);
}

struct parser {
    struct pz_ftree *t;
    size_t at; // token
    int depth;
    bool strict;
    bool in_if;
    struct pz_err *err;
};

static const struct pz_ftoken *
peek(const struct parser *p)
{
    return &p->t->token[p->at];
}

#define FAIL(p, tok, ...)                                                                \
    pz_filter_fail((p)->err, (p)->t->text, (p)->t->n, (tok)->at, __VA_ARGS__)

/* How a token is named in a message: at most 40 bytes of it. */
#define SHOWN(t)                                                                         \
    (int)((t)->end - (t)->at > 40 ? 40 : (t)->end - (t)->at),                            \
        (t)->kind == PZ_FT_END                                                           \
            ? ""                                                                         \
            : (t)->s - ((t)->kind == PZ_FT_STRING || (t)->kind == PZ_FT_PARAM)

static int
expected(struct parser *p, const char *what)
{
    const struct pz_ftoken *t = peek(p);
    if (t->kind == PZ_FT_END)
        return FAIL(p, t, "the expression ends where %s is expected", what);
    return FAIL(p, t, "%s is expected, not '%.*s'", what, SHOWN(t));
}

static bool
take_word(struct parser *p, const char *word)
{
    if (!is_word(peek(p), word))
        return false;
    p->at++;
    return true;
}

static int
new_node(struct parser *p, enum pz_fnode_kind kind, size_t *out)
{
    struct pz_ftree *t = p->t;
    if (pz_grow(&t->node, &t->cap_nodes, t->n_nodes + 1, sizeof *t->node, "a filter",
                p->err))
        return p->err->status;
    *out = t->n_nodes++;
    t->node[*out] = (struct pz_fnode){kind, 0, PZ_F_NONE, PZ_F_NONE};
    return PZ_OK;
}

/* ---- conditions ---- */

const char *const pz_filter_place[] = {
    [PZ_F_ITEMS] = "Items",
    [PZ_F_INTERACTIONS] = "Interactions",
    [PZ_F_USERS] = "Users",
    [PZ_F_ACTIONS] = "Actions",
    [PZ_F_ACTION_INTERACTIONS] = "Action_Interactions",
    [PZ_F_CURRENT_USER] = "CurrentUser",
    [PZ_F_CURRENT_ITEM] = "CurrentItem",
};
enum { N_PLACES = sizeof pz_filter_place / sizeof *pz_filter_place };

/* DATASET.FIELD */
static int
parse_field(struct parser *p, struct pz_fcond *c)
{
    const struct pz_ftoken *t = peek(p);
    int place = 0;
    while (place < N_PLACES && !is_word(t, pz_filter_place[place]))
        place++;
    if (place == N_PLACES) {
        if (t->kind == PZ_FT_WORD && t[1].kind == PZ_FT_DOT)
            return FAIL(
                p, t,
                "there is no dataset '%.*s'; there are Items, Interactions, Users, "
                "Actions, Action_Interactions, and CurrentUser behind IF",
                SHOWN(t));
        return expected(p, "a condition (DATASET.FIELD ...)");
    }
    if (place == PZ_F_CURRENT_USER && !p->in_if)
        return FAIL(
            p, t,
            "CurrentUser stands only behind IF, at the end: ... IF CurrentUser.%.*s ...",
            t[1].kind == PZ_FT_DOT ? (int)t[2].n : 5,
            t[1].kind == PZ_FT_DOT ? t[2].s : "FIELD");
    if (place != PZ_F_CURRENT_USER && p->in_if)
        return FAIL(p, t, "IF tests CurrentUser only, not %s", pz_filter_place[place]);
    if (place == PZ_F_CURRENT_ITEM)
        return FAIL(p, t,
                    "CurrentItem stands on the right side only: Items.FIELD IN "
                    "CurrentItem.FIELD");
    c->place = (enum pz_fplace)place;
    c->place_token = p->at++;
    if (peek(p)->kind != PZ_FT_DOT)
        return expected(p, "a '.' and a field");
    p->at++;
    if (peek(p)->kind != PZ_FT_WORD)
        return expected(p, "a field");
    c->field_token = p->at++;
    return PZ_OK;
}

/* CurrentItem.FIELD on the right side. */
static int
parse_current(struct parser *p, struct pz_fcond *c)
{
    if (p->in_if)
        return FAIL(p, peek(p),
                    "IF compares with values and placeholders, not CurrentItem");
    p->at++;
    if (peek(p)->kind != PZ_FT_DOT)
        return expected(p, "a '.' and a field");
    p->at++;
    if (peek(p)->kind != PZ_FT_WORD)
        return expected(p, "a field");
    c->operand = PZ_F_CURRENT;
    c->first = p->at++;
    return PZ_OK;
}

static bool
is_value(const struct pz_ftoken *t)
{
    return t->kind == PZ_FT_STRING || t->kind == PZ_FT_NUMBER || is_word(t, "true") ||
           is_word(t, "false");
}

/* Behind "(": values, or what stands alone. */
static int
parse_list(struct parser *p, struct pz_fcond *c)
{
    const struct pz_ftoken *t = peek(p);
    c->first = p->at;
    if (t->kind == PZ_FT_STAR ||
        (t->kind == PZ_FT_STRING && t->n == 1 && t->s[0] == '*')) {
        c->operand = PZ_F_STAR;
        p->at++;
        if (peek(p)->kind == PZ_FT_COMMA)
            return FAIL(p, t, "\"*\" is every event type; it stands alone");
    } else if (t->kind == PZ_FT_PARAM) {
        c->operand = PZ_F_PARAM;
        p->at++;
        if (peek(p)->kind == PZ_FT_COMMA)
            return FAIL(
                p, peek(p),
                "one placeholder only stands in the parentheses of IN; its value is "
                "the whole list: IN ($%.*s) and \"a\",\"b\"",
                (int)t->n, t->s);
    } else {
        c->operand = PZ_F_LIST;
        for (;;) {
            t = peek(p);
            if (t->kind == PZ_FT_PARAM)
                return FAIL(p, t, "a placeholder stands alone in the parentheses of IN");
            if (t->kind == PZ_FT_WORD && !is_value(t))
                return FAIL(p, t, "texts stand in double quotes: \"%.*s\"", SHOWN(t));
            if (!is_value(t))
                return expected(p, "a text in double quotes");
            p->at++;
            c->n = p->at - c->first;
            if (peek(p)->kind != PZ_FT_COMMA)
                break;
            p->at++;
        }
    }
    if (peek(p)->kind != PZ_FT_RPAREN)
        return expected(p, "')' or ','");
    p->at++;
    return PZ_OK;
}

static int
parse_in(struct parser *p, struct pz_fcond *c)
{
    const struct pz_ftoken *t = peek(p);
    if (is_word(t, pz_filter_place[PZ_F_CURRENT_ITEM]))
        return parse_current(p, c);
    if (t->kind == PZ_FT_LPAREN) {
        p->at++;
        if (is_word(peek(p), pz_filter_place[PZ_F_CURRENT_ITEM]))
            return FAIL(p, t,
                        "CurrentItem is written without parentheses: IN CurrentItem.%.*s",
                        t[2].kind == PZ_FT_DOT ? (int)t[3].n : 5,
                        t[2].kind == PZ_FT_DOT ? t[3].s : "FIELD");
        return parse_list(p, c);
    }
    return FAIL(p, t, "IN is followed by a list in parentheses or by CurrentItem.FIELD");
}

static int
parse_compared(struct parser *p, struct pz_fcond *c)
{
    const struct pz_ftoken *t = peek(p);
    c->first = p->at;
    c->n = 1;
    if (is_word(t, pz_filter_place[PZ_F_CURRENT_ITEM]))
        return parse_current(p, c);
    if (t->kind == PZ_FT_LPAREN && t[1].kind == PZ_FT_PARAM) {
        c->operand = PZ_F_PARAM;
        c->first = ++p->at;
        p->at++;
        if (peek(p)->kind != PZ_FT_RPAREN)
            return expected(p, "')'");
        p->at++;
        return PZ_OK;
    }
    if (t->kind == PZ_FT_LPAREN)
        return FAIL(p, t, "a list needs IN; a comparison takes one value");
    if (t->kind == PZ_FT_PARAM)
        c->operand = PZ_F_PARAM;
    else if (is_value(t))
        c->operand = PZ_F_LIST;
    else if (t->kind == PZ_FT_WORD && t[1].kind != PZ_FT_DOT)
        return FAIL(p, t, "texts stand in double quotes: \"%.*s\"", SHOWN(t));
    else
        return expected(p, "a number, a placeholder or CurrentItem.FIELD");
    p->at++;
    return PZ_OK;
}

static int
parse_operator(struct parser *p, struct pz_fcond *c)
{
    static const char *const ops[] = {"=", "!=", "<", "<=", ">", ">="}; // enum pz_fop
    const struct pz_ftoken *t = peek(p);
    c->op_token = p->at;
    if (take_word(p, "IN")) {
        c->op = PZ_F_IN;
        return parse_in(p, c);
    }
    if (take_word(p, "NOT")) {
        if (!take_word(p, "IN"))
            return expected(p, "IN behind NOT");
        c->op = PZ_F_NOT_IN;
        return parse_in(p, c);
    }
    for (size_t i = 0; t->kind == PZ_FT_OP && i < sizeof ops / sizeof *ops; i++)
        if (strlen(ops[i]) == t->n && !memcmp(ops[i], t->s, t->n)) {
            c->op = (enum pz_fop)i;
            p->at++;
            return parse_compared(p, c);
        }
    return expected(p, "IN, NOT IN, =, !=, <, <=, > or >=");
}

static int
parse_condition(struct parser *p, size_t *node)
{
    struct pz_ftree *t = p->t;
    struct pz_fcond c = {.at = peek(p)->at};
    if (t->n_conds == PZ_FILTER_MAX_NODES)
        return FAIL(p, peek(p), "more than %d conditions", PZ_FILTER_MAX_NODES);
    if (parse_field(p, &c) || parse_operator(p, &c) || new_node(p, PZ_F_COND, node) ||
        pz_grow(&t->cond, &t->cap_conds, t->n_conds + 1, sizeof c, "a filter", p->err))
        return p->err->status;
    c.end = t->token[p->at - 1].end;
    t->node[*node].cond = t->n_conds;
    t->cond[t->n_conds++] = c;
    return PZ_OK;
}

/* ---- AND, OR, parentheses ---- */

static int parse_or(struct parser *p, size_t *node);

static int
parse_primary(struct parser *p, size_t *node)
{
    const struct pz_ftoken *open = peek(p);
    if (open->kind != PZ_FT_LPAREN)
        return parse_condition(p, node);
    if (p->in_if)
        return FAIL(p, open,
                    "no parentheses behind IF: its conditions are joined by AND");
    if (p->strict)
        return FAIL(
            p, open,
            "AWS knows no parentheses around conditions: join expressions with |, or "
            "leave out --strict");
    if (++p->depth > PZ_FILTER_MAX_DEPTH)
        return FAIL(p, open, "more than %d parentheses in each other",
                    PZ_FILTER_MAX_DEPTH);
    p->at++;
    if (parse_or(p, node))
        return p->err->status;
    if (peek(p)->kind != PZ_FT_RPAREN)
        return expected(p, "')'");
    p->at++;
    p->depth--;
    return PZ_OK;
}

/* One or more of `part` joined by `word`; one alone is itself. */
static int
parse_joined(struct parser *p, const char *word, enum pz_fnode_kind kind,
             int (*part)(struct parser *, size_t *), size_t *node, size_t *n_parts)
{
    size_t child, last;
    *n_parts = 1;
    if (part(p, node))
        return p->err->status;
    last = *node;
    while (is_word(peek(p), word)) {
        if (kind == PZ_F_OR && p->in_if)
            return FAIL(p, peek(p),
                        "no OR behind IF: its conditions are joined by AND; write "
                        "one expression for each and join them with |");
        p->at++;
        if (*n_parts == 1) {
            size_t joined;
            if (new_node(p, kind, &joined))
                return p->err->status;
            p->t->node[joined].child = *node;
            *node = joined;
        }
        if (part(p, &child))
            return p->err->status;
        p->t->node[last].next = child;
        last = child;
        (*n_parts)++;
    }
    return PZ_OK;
}

static int
parse_and(struct parser *p, size_t *node)
{
    size_t n, start = p->at;
    bool behind_or = start > 0 && is_word(&p->t->token[start - 1], "OR");
    if (parse_joined(p, "AND", PZ_F_AND, parse_primary, node, &n))
        return p->err->status;
    bool mixed = n > 1 && (behind_or || is_word(peek(p), "OR"));
    if (mixed && p->t->mixed_at == PZ_F_NONE)
        p->t->mixed_at = p->t->token[start].at;
    return PZ_OK;
}

static int
parse_or(struct parser *p, size_t *node)
{
    size_t n;
    return parse_joined(p, "OR", PZ_F_OR, parse_and, node, &n);
}

/* ---- expressions ---- */

static int
parse_subject(struct parser *p, struct pz_fexpr *e)
{
    static const struct {
        const char *word;
        enum pz_subject subject;
    } subjects[] = {{"ItemID", PZ_SUBJECT_ITEM},
                    {"UserID", PZ_SUBJECT_USER},
                    {"ActionID", PZ_SUBJECT_ACTION}};
    e->subject_token = p->at;
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++)
        if (take_word(p, subjects[i].word)) {
            e->subject = subjects[i].subject;
            return PZ_OK;
        }
    return expected(p, "ItemID, UserID or ActionID");
}

static int
parse_expression(struct parser *p)
{
    struct pz_ftree *t = p->t;
    struct pz_fexpr e = {.at = peek(p)->at, .user_cond = PZ_F_NONE};
    e.include = take_word(p, "INCLUDE");
    if (!e.include && !take_word(p, "EXCLUDE"))
        return expected(p, "INCLUDE or EXCLUDE");
    if (parse_subject(p, &e))
        return p->err->status;
    if (!take_word(p, "WHERE"))
        return expected(p, "WHERE");
    if (parse_or(p, &e.where))
        return p->err->status;
    if (take_word(p, "IF")) {
        p->in_if = true;
        if (parse_or(p, &e.user_cond))
            return p->err->status;
        p->in_if = false;
        if (is_word(peek(p), "IF"))
            return FAIL(p, peek(p),
                        "one IF only in an expression; join conditions by AND");
    }
    e.end = t->token[p->at - 1].end;
    if (pz_grow(&t->expr, &t->cap_exprs, t->n_exprs + 1, sizeof e, "a filter", p->err))
        return p->err->status;
    t->expr[t->n_exprs++] = e;
    return PZ_OK;
}

/* Something stands behind a complete expression. */
static int
left_over(struct parser *p)
{
    const struct pz_ftoken *t = peek(p);
    if (is_word(t, "INCLUDE") || is_word(t, "EXCLUDE"))
        return FAIL(p, t, "expressions are joined by |");
    if (t->kind == PZ_FT_RPAREN)
        return FAIL(p, t, "this ')' closes nothing");
    return expected(p, "AND, OR, IF, | or the end");
}

int
pz_filter_parse(struct pz_ftree *t, const char *text, size_t n, bool strict,
                struct pz_err *err)
{
    struct parser p = {.t = t, .strict = strict, .err = err};
    *t = (struct pz_ftree){.text = text, .n = n, .mixed_at = PZ_F_NONE};
    if (n > PZ_FILTER_MAX_TEXT)
        return pz_err_set(err, PZ_DATA, "filter: longer than %d bytes",
                          PZ_FILTER_MAX_TEXT);
    if (pz_filter_lex(&t->token, &t->n_tokens, text, n, err))
        return err->status;
    for (;;) {
        if (parse_expression(&p))
            break;
        if (peek(&p)->kind == PZ_FT_END)
            return PZ_OK;
        if (peek(&p)->kind != PZ_FT_BAR) {
            left_over(&p);
            break;
        }
        p.at++;
    }
    pz_filter_tree_release(t);
    return err->status;
}

void
pz_filter_tree_release(struct pz_ftree *t)
{
    free(t->token);
    free(t->expr);
    free(t->node);
    free(t->cond);
    *t = (struct pz_ftree){.mixed_at = PZ_F_NONE};
}
