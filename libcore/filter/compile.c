/* compile: the bound tree -> code (program.h). */
#include "filter/compile.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

const char *
pz_subject_name(enum pz_subject s)
{
    static const char *const name[] = {
        [PZ_SUBJECT_ITEM] = "ItemID",
        [PZ_SUBJECT_USER] = "UserID",
        [PZ_SUBJECT_ACTION] = "ActionID",
    };
    return name[s];
}

/* ---- code ---- */

/* A list of instructions that grows. */
struct code {
    struct pz_finstr *instr;
    size_t n, cap;
};

static int
emit(struct pz_fcompile *c, struct code *to, enum pz_fcode code, size_t arg)
{
    if (pz_grow(&to->instr, &to->cap, to->n + 1, sizeof *to->instr, "a filter", c->err))
        return c->err->status;
    to->instr[to->n++] = (struct pz_finstr){code, arg};
    return PZ_OK;
}

/* Moves what was collected to the filter; *first is where it stands. */
static int
append(struct pz_fcompile *c, const struct code *from, size_t *first)
{
    struct pz_filter *f = c->f;
    *first = f->n_instrs;
    if (pz_grow(&f->instr, &f->cap_instrs, f->n_instrs + from->n, sizeof *f->instr,
                "a filter", c->err))
        return c->err->status;
    if (from->n)
        memcpy(f->instr + f->n_instrs, from->instr, from->n * sizeof *f->instr);
    f->n_instrs += from->n;
    return PZ_OK;
}

static const struct pz_fnode *
node_at(const struct pz_fcompile *c, size_t n)
{
    return &c->tree->node[n];
}

static const struct pz_leaf *
leaf_of(const struct pz_fcompile *c, const struct pz_fnode *node)
{
    return &c->f->leaf[c->leaf_of[node->cond]];
}

/* All the conditions of the subtree become leaves. */
static int
bind_all(struct pz_fcompile *c, size_t n)
{
    const struct pz_fnode *node = node_at(c, n);
    if (node->kind == PZ_F_COND)
        return pz_filter_bind(c, node->cond, &c->leaf_of[node->cond]);
    for (size_t k = node->child; k != PZ_F_NONE; k = node_at(c, k)->next)
        if (bind_all(c, k))
            return c->err->status;
    return PZ_OK;
}

/* Is it all about events, without NOT IN? Then one event has to meet all of it. */
static bool
about_events(const struct pz_fcompile *c, size_t n)
{
    const struct pz_fnode *node = node_at(c, n);
    if (node->kind == PZ_F_COND)
        return leaf_of(c, node)->source == PZ_SRC_EVENT && !leaf_of(c, node)->none;
    for (size_t k = node->child; k != PZ_F_NONE; k = node_at(c, k)->next)
        if (!about_events(c, k))
            return false;
    return true;
}

/* Joins what was pushed k-th (from 0) to what stands below it. */
static int
join(struct pz_fcompile *c, struct code *to, const struct pz_fnode *node, size_t k)
{
    return k ? emit(c, to, node->kind == PZ_F_AND ? PZ_OP_AND : PZ_OP_OR, 0) : PZ_OK;
}

/* A subtree as it stands: its leaves all look at the same thing. */
static int
emit_plain(struct pz_fcompile *c, struct code *to, size_t n)
{
    const struct pz_fnode *node = node_at(c, n);
    size_t n_parts = 0;
    if (node->kind == PZ_F_COND)
        return emit(c, to, PZ_OP_LEAF, c->leaf_of[node->cond]);
    for (size_t k = node->child; k != PZ_F_NONE; k = node_at(c, k)->next)
        if (emit_plain(c, to, k) || join(c, to, node, n_parts++))
            return c->err->status;
    return PZ_OK;
}

/* EXISTS of `inner`, which is used up. */
static int
emit_exists(struct pz_fcompile *c, struct code *to, struct code *inner, bool negate)
{
    struct pz_filter *f = c->f;
    struct pz_fexists e = {0, inner->n, negate};
    if (!append(c, inner, &e.first) &&
        !pz_grow(&f->exists, &f->cap_exists, f->n_exists + 1, sizeof e, "a filter",
                 c->err)) {
        f->exists[f->n_exists++] = e;
        emit(c, to, PZ_OP_EXISTS, f->n_exists - 1);
    }
    free(inner->instr);
    *inner = (struct code){NULL, 0, 0};
    return c->err->status;
}

static int
emit_where(struct pz_fcompile *c, struct code *to, size_t n)
{
    const struct pz_fnode *node = node_at(c, n);
    struct code inner = {NULL, 0, 0};
    size_t n_parts = 0, n_inner = 0;
    if (node->kind == PZ_F_COND) {
        const struct pz_leaf *leaf = leaf_of(c, node);
        if (leaf->source != PZ_SRC_EVENT)
            return emit(c, to, PZ_OP_LEAF, c->leaf_of[node->cond]);
        emit(c, &inner, PZ_OP_LEAF, c->leaf_of[node->cond]);
        return emit_exists(c, to, &inner, leaf->none);
    }
    for (size_t k = node->child; k != PZ_F_NONE && !c->err->status;
         k = node_at(c, k)->next)
        if (about_events(c, k) && !emit_plain(c, &inner, k))
            join(c, &inner, node, n_inner++);
    if (n_inner && !c->err->status) {
        emit_exists(c, to, &inner, false);
        n_parts++;
    }
    free(inner.instr);
    for (size_t k = node->child; k != PZ_F_NONE && !c->err->status;
         k = node_at(c, k)->next)
        if (!about_events(c, k) && !emit_where(c, to, k))
            join(c, to, node, n_parts++);
    return c->err->status;
}

/* ---- parts ---- */

static void
describe(const struct pz_filter *f, struct pz_fpart *p, size_t expr)
{
    p->is_static = true;
    for (size_t i = 0; i < f->n_leaves; i++) {
        const struct pz_leaf *leaf = &f->leaf[i];
        if (leaf->expr != expr)
            continue;
        p->has_param |= leaf->kind == PZ_OPERAND_PARAM;
        if (leaf->source == PZ_SRC_USER)
            continue;
        p->has_event |= leaf->source == PZ_SRC_EVENT;
        p->has_row |= leaf->source == PZ_SRC_ROW && leaf->ref.col;
        p->has_id |= leaf->source == PZ_SRC_ROW && !leaf->ref.col;
        p->is_static &= leaf->source == PZ_SRC_ROW && leaf->kind == PZ_OPERAND_CONST;
    }
}

static int
compile_part(struct pz_fcompile *c, size_t i)
{
    const struct pz_fexpr *e = &c->tree->expr[i];
    struct pz_fpart *p = &c->f->part[i];
    struct code where = {NULL, 0, 0}, when = {NULL, 0, 0};
    c->expr = i;
    c->has_place = false;
    *p = (struct pz_fpart){.include = e->include, .at = e->at, .end = e->end};
    if (e->subject != c->f->subject)
        return pz_filter_fail(
            c->err, c->tree->text, c->tree->n, c->tree->token[e->subject_token].at,
            "a filter has one subject, here %s", pz_subject_name(c->f->subject));
    if (!bind_all(c, e->where) && !emit_where(c, &where, e->where) &&
        e->user_cond != PZ_F_NONE && !bind_all(c, e->user_cond))
        emit_plain(c, &when, e->user_cond);
    if (!c->err->status && !append(c, &where, &p->where))
        append(c, &when, &p->when);
    p->n_where = where.n;
    p->n_when = when.n;
    free(where.instr);
    free(when.instr);
    describe(c->f, p, i);
    return c->err->status;
}

/* Event types that differ in case only are one type: the least code of them. */
static int
classify_types(struct pz_filter *f, struct pz_err *err)
{
    for (size_t i = 0; f->events && i < f->events->n_columns; i++) {
        const struct pz_column *col = &f->events->column[i];
        if (col->field->role == PZ_ROLE_EVENT_TYPE)
            f->type_col = col;
        else if (col->field->role == PZ_ROLE_TIMESTAMP)
            f->time_col = col;
    }
    if (!f->type_col || !f->window)
        return PZ_OK;
    // More types than that is a column of other things; each then counts for itself.
    enum { FOLDED = 4096 };
    f->n_types = (uint32_t)f->type_col->dict.n;
    if (pz_new(&f->type_class, f->n_types, sizeof *f->type_class, "event types", err))
        return err->status;
    for (uint32_t i = 0; i < f->n_types; i++) {
        size_t n, m;
        const char *s = pz_ids_get(&f->type_col->dict, i, &n), *t;
        f->type_class[i] = i;
        for (uint32_t k = 0; s && f->n_types <= FOLDED && k < i; k++)
            if ((t = pz_ids_get(&f->type_col->dict, k, &m)) && m == n &&
                !strncasecmp(s, t, n)) {
                f->type_class[i] = k;
                break;
            }
    }
    return PZ_OK;
}

static int
check_limits(struct pz_fcompile *c)
{
    const struct pz_ftree *t = c->tree;
    size_t characters = 0;
    for (size_t i = 0; i < t->n; i++)
        characters += ((unsigned char)t->text[i] & 0xc0) != 0x80;
    if (c->f->strict && characters > PZ_AWS_FILTER_TEXT)
        return pz_err_set(c->err, PZ_DATA,
                          "filter: %zu characters, and AWS allows %d; leave out --strict",
                          characters, PZ_AWS_FILTER_TEXT);
    if (t->mixed_at != PZ_F_NONE)
        return pz_filter_warn(
            c, t->mixed_at,
            c->f->strict ? "AND binds tighter than OR here; what AWS does is not "
                           "documented: use one of them, or |"
                         : "AND binds tighter than OR; parentheses say it clearly");
    return PZ_OK;
}

static int
compile_tree(struct pz_fcompile *c)
{
    struct pz_filter *f = c->f;
    const struct pz_ftree *t = c->tree;
    static const struct {
        enum pz_set rows, events;
    } sets[] = {
        [PZ_SUBJECT_ITEM] = {PZ_ITEMS, PZ_INTERACTIONS},
        [PZ_SUBJECT_USER] = {PZ_USERS, PZ_INTERACTIONS},
        [PZ_SUBJECT_ACTION] = {PZ_ACTIONS, PZ_ACTION_INTERACTIONS},
    };
    f->n = t->n;
    f->subject = t->expr[0].subject;
    f->rows = c->data->set[sets[f->subject].rows];
    f->events = c->data->set[sets[f->subject].events];
    f->users = c->data->set[PZ_USERS];
    f->items = c->data->set[PZ_ITEMS];
    if (f->strict && !f->window)
        f->window = f->subject == PZ_SUBJECT_ACTION ? PZ_AWS_ACTION_FILTER_WINDOW
                                                    : PZ_AWS_FILTER_WINDOW;
    if (pz_strndup(&f->text, t->text, t->n, c->err) || check_limits(c) ||
        pz_new(&f->part, t->n_exprs, sizeof *f->part, "a filter", c->err) ||
        pz_new(&c->leaf_of, t->n_conds, sizeof *c->leaf_of, "a filter", c->err))
        return c->err->status;
    for (; f->n_parts < t->n_exprs; f->n_parts++)
        if (compile_part(c, f->n_parts))
            return c->err->status;
    return classify_types(f, c->err);
}

int
pz_filter_compile(struct pz_filter **out, const char *text, size_t n,
                  const struct pz_filter_data *data,
                  const struct pz_filter_options *options, struct pz_err *err)
{
    struct pz_ftree tree;
    struct pz_filter *f;
    *out = NULL;
    if (pz_filter_parse(&tree, text, n, options->strict, err))
        return err->status;
    if (pz_new(&f, 1, sizeof *f, "a filter", err)) {
        pz_filter_tree_release(&tree);
        return err->status;
    }
    f->strict = options->strict;
    f->window = options->window;
    struct pz_fcompile c = {.f = f, .tree = &tree, .data = data, .err = err};
    compile_tree(&c);
    free(c.leaf_of);
    pz_filter_tree_release(&tree);
    if (err->status)
        pz_filter_free(f);
    else
        *out = f;
    return err->status;
}

static void
free_texts(char **list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(list[i]);
    free(list);
}

void
pz_filter_free(struct pz_filter *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->n_leaves; i++)
        pz_operand_release(&f->leaf[i].constant);
    free(f->leaf);
    free(f->instr);
    free(f->exists);
    free(f->part);
    free(f->text);
    free(f->type_class);
    free_texts(f->param, f->n_params);
    free_texts(f->warning, f->n_warnings);
    free_texts(f->field, f->n_fields);
    free(f);
}

/* ---- what it is ---- */

enum pz_subject
pz_filter_subject(const struct pz_filter *f)
{
    return f->subject;
}

bool
pz_filter_needs_user(const struct pz_filter *f)
{
    return f->needs_user;
}

bool
pz_filter_needs_item(const struct pz_filter *f)
{
    return f->needs_item;
}

const char *
pz_filter_warning(const struct pz_filter *f, size_t i)
{
    return i < f->n_warnings ? f->warning[i] : NULL;
}

const char *
pz_filter_param(const struct pz_filter *f, size_t i)
{
    return i < f->n_params ? f->param[i] : NULL;
}

const char *
pz_filter_field(const struct pz_filter *f, size_t i)
{
    return i < f->n_fields ? f->field[i] : NULL;
}
