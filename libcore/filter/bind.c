/*
 * bind: the tree against the schemas. Every condition becomes a leaf with its column, its
 * types checked, or a message that says what would be right.
 */
#include "filter/compile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

static const enum pz_set set_of[] = {
    [PZ_F_ITEMS] = PZ_ITEMS,
    [PZ_F_INTERACTIONS] = PZ_INTERACTIONS,
    [PZ_F_USERS] = PZ_USERS,
    [PZ_F_ACTIONS] = PZ_ACTIONS,
    [PZ_F_ACTION_INTERACTIONS] = PZ_ACTION_INTERACTIONS,
    [PZ_F_CURRENT_USER] = PZ_USERS,
    [PZ_F_CURRENT_ITEM] = PZ_ITEMS,
};

#define TOKEN(c, i) (&(c)->tree->token[i])
#define FAIL(c, at, ...)                                                                 \
    pz_filter_fail((c)->err, (c)->tree->text, (c)->tree->n, at, __VA_ARGS__)

/* ---- fields ---- */

static enum pz_fclass
class_of(const struct pz_field *f)
{
    switch (f->type) {
    case PZ_STRING:
        return PZ_CLASS_TEXT;
    case PZ_FLOAT:
    case PZ_DOUBLE:
        return PZ_CLASS_REAL;
    default:
        return PZ_CLASS_INT;
    }
}

static int
no_such_field(struct pz_fcompile *c, const struct pz_ftoken *t, enum pz_fplace place,
              const struct pz_schema *s)
{
    char list[400];
    size_t len = 0;
    for (size_t i = 0; i < s->n_fields && len < sizeof list - 80; i++)
        len += (size_t)snprintf(list + len, sizeof list - len, "%s%.64s", i ? ", " : "",
                                s->field[i].name);
    return FAIL(c, t->at, "%s has no field '%.*s'; it has %s", pz_filter_place[place],
                (int)(t->n > 60 ? 60 : t->n), t->s, list);
}

/* R13 of AWS: what cannot be filtered by. */
static int
check_field(struct pz_fcompile *c, const struct pz_ftoken *t, const struct pz_fref *ref,
            enum pz_set set)
{
    const struct pz_field *f = ref->field;
    if (f->textual)
        return FAIL(
            c, t->at,
            "%s is textual, and cannot be filtered by; a categorical or plain string "
            "column can",
            f->name);
    if (set == PZ_ACTIONS && (!strcasecmp(f->name, "EXPIRATION_TIMESTAMP") ||
                              !strcasecmp(f->name, "REPEAT_FREQUENCY")))
        return FAIL(c, t->at,
                    "%s decides by itself when an action is offered, and cannot be "
                    "filtered by",
                    f->name);
    if (f->type == PZ_BOOLEAN && c->f->strict)
        return FAIL(
            c, t->at,
            "Could not create filter. Invalid Expression: %s is boolean, and AWS filters "
            "by no boolean; a string \"True\" or a number 0 or 1 would do, or leave out "
            "--strict",
            f->name);
    return PZ_OK;
}

static int
note_field(struct pz_fcompile *c, const struct pz_ftoken *t, enum pz_set set,
           const struct pz_field *field)
{
    static const char *const name[PZ_N_SETS] = {
        [PZ_INTERACTIONS] = "Interactions",
        [PZ_ITEMS] = "Items",
        [PZ_USERS] = "Users",
        [PZ_ACTIONS] = "Actions",
        [PZ_ACTION_INTERACTIONS] = "Action_Interactions",
    };
    struct pz_filter *f = c->f;
    char text[512];
    int n = snprintf(text, sizeof text, "%s.%.400s", name[set], field->name);
    for (size_t i = 0; i < f->n_fields; i++)
        if (!strcmp(f->field[i], text))
            return PZ_OK;
    if (f->strict && f->n_fields == PZ_AWS_FILTER_FIELDS)
        return FAIL(c, t->at,
                    "AWS allows %d distinct fields in a filter; leave out --strict",
                    PZ_AWS_FILTER_FIELDS);
    if (pz_grow(&f->field, &f->cap_fields, f->n_fields + 1, sizeof *f->field, "a filter",
                c->err) ||
        pz_strndup(&f->field[f->n_fields], text, (size_t)n, c->err))
        return c->err->status;
    f->n_fields++;
    return PZ_OK;
}

static enum pz_role
id_role(const struct pz_schema *s, int at)
{
    static const enum pz_role ids[] = {PZ_ROLE_USER, PZ_ROLE_ITEM, PZ_ROLE_ACTION};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        if (s->at[ids[i]] == at)
            return ids[i];
    return PZ_ROLE_NONE;
}

/* Finds the field that token t names in the dataset of a place. */
static int
find_field(struct pz_fcompile *c, size_t place_token, size_t field_token,
           enum pz_fplace place, struct pz_fref *ref)
{
    const struct pz_ftoken *t = TOKEN(c, field_token);
    enum pz_set set = set_of[place];
    const struct pz_dataset *d = c->data->set[set];
    if (!d)
        return FAIL(c, TOKEN(c, place_token)->at,
                    "%s: the group has no %s dataset; pz-import -t %s makes it",
                    pz_filter_place[place], pz_set_name(set), pz_set_name(set));
    int at = pz_schema_find(&d->schema, t->s, t->n);
    if (at < 0)
        return no_such_field(c, t, place, &d->schema);
    const struct pz_field *field = &d->schema.field[at];
    *ref = (struct pz_fref){.data = d, .field = field, .field_at = (size_t)at};
    ref->id = id_role(&d->schema, at);
    ref->class = class_of(field);
    for (size_t i = 0; i < d->n_columns; i++)
        if (d->column[i].field == field)
            ref->col = &d->column[i];
    ref->fold = field->role == PZ_ROLE_EVENT_TYPE;
    ref->multi = !ref->fold && ref->class == PZ_CLASS_TEXT &&
                 (field->categorical || field->role == PZ_ROLE_IMPRESSION);
    ref->time = !c->f->strict &&
                (field->role == PZ_ROLE_TIMESTAMP || field->role == PZ_ROLE_CREATION);
    return check_field(c, t, ref, set) || note_field(c, t, set, field) ? c->err->status
                                                                       : PZ_OK;
}

/* ---- operators and values ---- */

static const char *const op_text[] = {"=", "!=", "<", "<=", ">", ">=", "IN", "NOT IN"};

static int
check_operator(struct pz_fcompile *c, const struct pz_fcond *cond,
               const struct pz_leaf *leaf)
{
    const struct pz_field *f = leaf->ref.field;
    bool text = leaf->ref.class == PZ_CLASS_TEXT, strict = c->f->strict;
    size_t at = TOKEN(c, cond->op_token)->at;
    enum pz_fop op = cond->op;
    if (text && op >= PZ_F_LT && op <= PZ_F_GE)
        return FAIL(c, at,
                    "%s compares numbers, and %s is a string: use IN or =", op_text[op],
                    f->name);
    if (f->type == PZ_BOOLEAN && op >= PZ_F_LT && op <= PZ_F_GE)
        return FAIL(c, at, "%s compares numbers, and %s is a boolean: use = true",
                    op_text[op], f->name);
    if (text && op == PZ_F_NE && strict)
        return FAIL(
            c, at,
            "AWS compares numbers by !=, and %s is a string: use NOT IN, or leave "
            "out --strict",
            f->name);
    if (!text && op >= PZ_F_IN && strict)
        return FAIL(c, at,
                    "AWS compares strings by %s, and %s is a number: use =, < and >, or "
                    "leave out --strict",
                    op_text[op], f->name);
    return PZ_OK;
}

/* The values that stand in the expression. */
static int
bind_list(struct pz_fcompile *c, const struct pz_fcond *cond, struct pz_leaf *leaf)
{
    struct pz_text_view *value;
    size_t n = 0;
    bool text = leaf->ref.class == PZ_CLASS_TEXT;
    if (pz_new(&value, cond->n, sizeof *value, "values", c->err))
        return c->err->status;
    for (size_t i = 0; i < cond->n && !c->err->status; i += 2) {
        const struct pz_ftoken *t = TOKEN(c, cond->first + i);
        struct pz_fnumber number;
        value[n++] = (struct pz_text_view){t->s, t->n};
        if (text && t->kind != PZ_FT_STRING)
            FAIL(c, t->at, "%s is a string: write \"%.*s\"", leaf->ref.field->name,
                 (int)t->n, t->s);
        else if (text || leaf->ref.field->type == PZ_BOOLEAN)
            continue;
        else if (t->kind == PZ_FT_STRING && c->f->strict && cond->op != PZ_F_EQ)
            FAIL(c, t->at, "%s is a number: write it without quotes",
                 leaf->ref.field->name);
        else if (!pz_filter_number(&number, t->s, t->n, leaf->ref.time))
            FAIL(c, t->at, "%s is a number, and '%.*s' is not", leaf->ref.field->name,
                 (int)(t->n > 60 ? 60 : t->n), t->s);
    }
    struct pz_err why = PZ_ERR_INIT;
    if (!c->err->status && pz_operand_make(&leaf->constant, leaf, value, n, &why)) {
        if (why.status == PZ_DATA)
            FAIL(c, TOKEN(c, cond->first)->at, "%s", why.msg);
        else
            *c->err = why;
    }
    free(value);
    return c->err->status;
}

static int
add_text(struct pz_fcompile *c, char ***list, size_t *n, size_t *cap, const char *s,
         size_t len)
{
    if (pz_grow(list, cap, *n + 1, sizeof **list, "a filter", c->err) ||
        pz_strndup(&(*list)[*n], s, len, c->err))
        return c->err->status;
    (*n)++;
    return PZ_OK;
}

int
pz_filter_warn(struct pz_fcompile *c, size_t at, const char *text)
{
    struct pz_err e = PZ_ERR_INIT;
    pz_filter_fail(&e, c->tree->text, c->tree->n, at, "%s", text);
    return add_text(c, &c->f->warning, &c->f->n_warnings, &c->f->cap_warnings, e.msg,
                    strlen(e.msg));
}

static int
bind_param(struct pz_fcompile *c, const struct pz_fcond *cond, struct pz_leaf *leaf)
{
    struct pz_filter *f = c->f;
    const struct pz_ftoken *t = TOKEN(c, cond->first);
    if (cond->op == PZ_F_NOT_IN && f->strict)
        return FAIL(
            c, t->at,
            "Could not create filter. Invalid input symbol: $%.*s. Placeholders are not "
            "allowed with NOT_IN operator. (turn INCLUDE and EXCLUDE around and write "
            "IN, "
            "or leave out --strict)",
            (int)t->n, t->s);
    leaf->kind = PZ_OPERAND_PARAM;
    for (size_t i = 0; i < f->n_params; i++)
        if (strlen(f->param[i]) == t->n && !memcmp(f->param[i], t->s, t->n)) {
            leaf->param = i;
            return PZ_OK;
        }
    if (f->strict && f->n_params == PZ_AWS_FILTER_VALUES)
        return FAIL(c, t->at, "AWS allows %d placeholders; leave out --strict",
                    PZ_AWS_FILTER_VALUES);
    leaf->param = f->n_params;
    return add_text(c, &f->param, &f->n_params, &f->cap_params, t->s, t->n);
}

static int
bind_current(struct pz_fcompile *c, const struct pz_fcond *cond, struct pz_leaf *leaf)
{
    const struct pz_ftoken *t = TOKEN(c, cond->first);
    if (c->f->subject != PZ_SUBJECT_ITEM)
        return FAIL(c, t[-2].at, "CurrentItem belongs to filters of items (ItemID)");
    if (find_field(c, cond->first - 2, cond->first, PZ_F_CURRENT_ITEM, &leaf->current))
        return c->err->status;
    bool text = leaf->ref.class == PZ_CLASS_TEXT;
    if (text != (leaf->current.class == PZ_CLASS_TEXT))
        return FAIL(c, t->at, "%s is a %s and %s is a %s", leaf->ref.field->name,
                    text ? "string" : "number", leaf->current.field->name,
                    text ? "number" : "string");
    leaf->kind = PZ_OPERAND_CURRENT;
    c->f->items = leaf->current.data;
    c->f->needs_item = true;
    return PZ_OK;
}

static int
bind_star(struct pz_fcompile *c, const struct pz_fcond *cond, struct pz_leaf *leaf)
{
    const struct pz_ftoken *t = TOKEN(c, cond->first);
    if (leaf->ref.field->role != PZ_ROLE_EVENT_TYPE || leaf->source != PZ_SRC_EVENT)
        return FAIL(c, t->at,
                    "\"*\" is every event type, and stands with EVENT_TYPE only");
    leaf->constant.any = true;
    return PZ_OK;
}

/* A placeholder in quotes is a text; most likely a shell's quoting gone wrong. */
static int
warn_quoted(struct pz_fcompile *c, const struct pz_fcond *cond)
{
    for (size_t i = 0; i < cond->n; i += 2) {
        const struct pz_ftoken *t = TOKEN(c, cond->first + i);
        if (t->kind == PZ_FT_STRING && t->n > 1 && t->s[0] == '$' &&
            pz_filter_warn(c, t->at,
                           "this is a text that begins with $, not a placeholder: "
                           "placeholders stand without quotes"))
            return c->err->status;
    }
    return PZ_OK;
}

/* ---- conditions ---- */

static int
check_place(struct pz_fcompile *c, const struct pz_fcond *cond, struct pz_leaf *leaf)
{
    static const struct {
        enum pz_fplace row, event;
    } allowed[] = {
        [PZ_SUBJECT_ITEM] = {PZ_F_ITEMS, PZ_F_INTERACTIONS},
        [PZ_SUBJECT_USER] = {PZ_F_USERS, PZ_F_INTERACTIONS},
        [PZ_SUBJECT_ACTION] = {PZ_F_ACTIONS, PZ_F_ACTION_INTERACTIONS},
    };
    enum pz_subject s = c->f->subject;
    const struct pz_ftoken *t = TOKEN(c, cond->place_token);
    leaf->source = cond->place == PZ_F_CURRENT_USER ? PZ_SRC_USER
                   : cond->place == allowed[s].row  ? PZ_SRC_ROW
                                                    : PZ_SRC_EVENT;
    if (leaf->source == PZ_SRC_EVENT && cond->place != allowed[s].event) {
        if (cond->place == PZ_F_USERS)
            return FAIL(c, t->at,
                        "%s is about %s and %s; the requesting user is tested behind "
                        "IF: ... IF CurrentUser.%.*s ...",
                        pz_subject_name(s), pz_filter_place[allowed[s].row],
                        pz_filter_place[allowed[s].event], (int)t[2].n, t[2].s);
        return FAIL(c, t->at, "%s is about %s and %s, not %s", pz_subject_name(s),
                    pz_filter_place[allowed[s].row], pz_filter_place[allowed[s].event],
                    pz_filter_place[cond->place]);
    }
    if (leaf->source == PZ_SRC_USER)
        return PZ_OK;
    if (c->f->strict && c->has_place && cond->place != c->place)
        return FAIL(c, t->at,
                    "AWS takes the fields of one dataset in an expression, here %s: join "
                    "expressions with |, or leave out --strict",
                    pz_filter_place[c->place]);
    c->place = cond->place;
    c->has_place = true;
    return PZ_OK;
}

int
pz_filter_bind(struct pz_fcompile *c, size_t cond_at, size_t *out)
{
    struct pz_filter *f = c->f;
    const struct pz_fcond *cond = &c->tree->cond[cond_at];
    struct pz_leaf leaf = {
        .op = cond->op, .expr = c->expr, .at = cond->at, .end = cond->end};
    leaf.negate = cond->op == PZ_F_NE || cond->op == PZ_F_NOT_IN;
    leaf.null = cond->op == PZ_F_NOT_IN ? PZ_YES
                : cond->op == PZ_F_IN   ? PZ_NO
                                        : PZ_UNKNOWN;
    if (check_place(c, cond, &leaf) ||
        find_field(c, cond->place_token, cond->field_token, cond->place, &leaf.ref) ||
        check_operator(c, cond, &leaf))
        return c->err->status;
    if (cond->operand == PZ_F_LIST && warn_quoted(c, cond))
        return c->err->status;
    static int (*const operands[])(struct pz_fcompile *, const struct pz_fcond *,
                                   struct pz_leaf *) = {
        [PZ_F_LIST] = bind_list,
        [PZ_F_PARAM] = bind_param,
        [PZ_F_STAR] = bind_star,
        [PZ_F_CURRENT] = bind_current,
    };
    if (operands[cond->operand](c, cond, &leaf))
        return c->err->status;
    if (leaf.source == PZ_SRC_EVENT && cond->op == PZ_F_NOT_IN) {
        leaf.op = PZ_F_IN; // and no event may meet it
        leaf.negate = false;
        leaf.null = PZ_NO;
        leaf.none = true;
    }
    if (pz_grow(&f->leaf, &f->cap_leaves, f->n_leaves + 1, sizeof leaf, "a filter",
                c->err)) {
        pz_operand_release(&leaf.constant);
        return c->err->status;
    }
    if (leaf.source == PZ_SRC_EVENT)
        f->events = leaf.ref.data;
    else if (leaf.source == PZ_SRC_USER)
        f->users = leaf.ref.data;
    if (leaf.source == PZ_SRC_USER ||
        (leaf.source == PZ_SRC_EVENT && f->subject != PZ_SUBJECT_USER))
        f->needs_user = true;
    *out = f->n_leaves;
    f->leaf[f->n_leaves++] = leaf;
    return PZ_OK;
}
