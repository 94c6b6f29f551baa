/* run: a request, and one candidate at a time. */
#include "filter/program.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

/* ---- cells ---- */

static struct pz_fcell
text_cell(const char *s, size_t n)
{
    return (struct pz_fcell){.kind = s ? PZ_FCELL_TEXT : PZ_FCELL_NULL, .s = s, .n = n};
}

/* The id of row r: rows of items, users and actions are numbered as their ids. */
static struct pz_fcell
id_cell(const struct pz_fref *ref, uint64_t r)
{
    const struct pz_dataset *d = ref->data;
    size_t n = 0;
    uint32_t i = (uint32_t)r;
    if (d->row_offsets && ref->id == PZ_ROLE_USER)
        return (struct pz_fcell){.kind = PZ_FCELL_NULL}; // run.c's callers know the user
    if (d->row_offsets)
        i = pz_dataset_item(d, r);
    const char *s = pz_ids_get(ref->id == PZ_ROLE_USER ? &d->user : &d->item, i, &n);
    return text_cell(s, n);
}

struct pz_fcell
pz_ref_cell(const struct pz_fref *ref, uint64_t r)
{
    struct pz_fcell cell = {.kind = PZ_FCELL_NULL};
    if (!ref->col)
        return id_cell(ref, r);
    switch (ref->class) {
    case PZ_CLASS_TEXT: {
        size_t n = 0;
        const char *s = pz_column_text(ref->col, r, &n);
        return text_cell(s, n);
    }
    case PZ_CLASS_INT:
        if (pz_column_i64(ref->col, r, &cell.i))
            cell.kind = PZ_FCELL_INT;
        return cell;
    case PZ_CLASS_REAL:
        if (pz_column_f64(ref->col, r, &cell.f))
            cell.kind = PZ_FCELL_REAL;
        return cell;
    }
    return cell;
}

/* ---- life ---- */

int
pz_filter_run_new(struct pz_filter_run **out, const struct pz_filter *f,
                  struct pz_err *err)
{
    struct pz_filter_run *r;
    *out = NULL;
    if (pz_new(&r, 1, sizeof *r, "a filter's run", err))
        return err->status;
    r->f = f;
    if (pz_new(&r->operand, f->n_leaves, sizeof *r->operand, "a filter's run", err) ||
        pz_new(&r->missing, f->n_params, sizeof *r->missing, "a filter's run", err) ||
        pz_new(&r->active, f->n_parts, sizeof *r->active, "a filter's run", err) ||
        pz_new(&r->count, (size_t)f->n_types + 1, sizeof *r->count, "a filter's run",
               err)) {
        pz_filter_run_free(r);
        return err->status;
    }
    for (size_t i = 0; i < f->n_leaves; i++)
        if (f->leaf[i].kind == PZ_OPERAND_CONST) {
            r->operand[i] = f->leaf[i].constant;
            r->operand[i].memory = NULL;
        }
    *out = r;
    return PZ_OK;
}

void
pz_filter_run_free(struct pz_filter_run *r)
{
    if (!r)
        return;
    for (size_t i = 0; r->operand && i < r->f->n_leaves; i++)
        pz_operand_release(&r->operand[i]);
    free(r->operand);
    free(r->missing);
    free(r->active);
    free(r->count);
    free(r->event);
    free(r->item);
    pz_buf_release(&r->values);
    pz_filter_scratch_free(r->scratch);
    free(r);
}

/* ---- values ---- */

/* All names and texts, so that the same values need no second look. */
static int
values_changed(struct pz_filter_run *r, const struct pz_filter_request *q, bool *changed,
               struct pz_err *err)
{
    struct pz_buf b = PZ_BUF_INIT;
    for (size_t i = 0; i < q->n_values; i++) {
        const struct pz_filter_value *v = &q->value[i];
        pz_buf_add(&b, &v->n_name, sizeof v->n_name);
        pz_buf_add(&b, &v->n_text, sizeof v->n_text);
        pz_buf_add(&b, v->name, v->n_name);
        pz_buf_add(&b, v->text, v->n_text);
    }
    *changed = !r->has_values || b.len != r->values.len ||
               (b.len && memcmp(b.data, r->values.data, b.len) != 0);
    if (pz_buf_status(&b, "values", err) || !*changed) {
        pz_buf_release(&b);
        return err->status;
    }
    r->has_values = false;
    pz_buf_release(&r->values);
    r->values = b;
    return PZ_OK;
}

static const struct pz_filter_value *
find_value(const struct pz_filter_request *q, const char *name)
{
    for (size_t i = 0; i < q->n_values; i++)
        if (q->value[i].n_name == strlen(name) &&
            !memcmp(q->value[i].name, name, q->value[i].n_name))
            return &q->value[i];
    return NULL;
}

/* Names that the expression does not have are mistakes, not noise. */
static int
check_names(const struct pz_filter *f, const struct pz_filter_request *q,
            struct pz_err *err)
{
    if (f->strict && q->n_values > PZ_AWS_FILTER_VALUES)
        return pz_err_set(err, PZ_DATA, "%zu filter values, and AWS allows %d",
                          q->n_values, PZ_AWS_FILTER_VALUES);
    for (size_t i = 0; i < q->n_values; i++) {
        const struct pz_filter_value *v = &q->value[i];
        bool found = false;
        for (size_t k = 0; k < f->n_params && !found; k++)
            found = strlen(f->param[k]) == v->n_name &&
                    !memcmp(f->param[k], v->name, v->n_name);
        if (!found)
            return pz_err_set(err, PZ_DATA, "the filter has no placeholder $%.*s%s%s",
                              (int)(v->n_name > 60 ? 60 : v->n_name), v->name,
                              f->n_params ? "; its first is $" : ", and no other",
                              f->n_params ? f->param[0] : "");
        if (f->strict && v->n_text > PZ_AWS_FILTER_VALUE)
            return pz_err_set(err, PZ_DATA,
                              "the value of $%.*s is longer than AWS's %d characters",
                              (int)v->n_name, v->name, PZ_AWS_FILTER_VALUE);
        for (size_t k = 0; k < i; k++)
            if (q->value[k].n_name == v->n_name &&
                !memcmp(q->value[k].name, v->name, v->n_name))
                return pz_err_set(err, PZ_DATA, "$%.*s is given twice", (int)v->n_name,
                                  v->name);
    }
    return PZ_OK;
}

static int
take_value(struct pz_filter_run *r, size_t leaf_at, const struct pz_filter_value *v,
           struct pz_err *err)
{
    const struct pz_leaf *leaf = &r->f->leaf[leaf_at];
    struct pz_text_view *value = NULL;
    size_t n = 0;
    pz_operand_release(&r->operand[leaf_at]);
    if (!pz_filter_split(&value, &n, v->text, v->n_text, r->f->strict, err)) {
        bool star = leaf->ref.fold && leaf->source == PZ_SRC_EVENT && n == 1 &&
                    value[0].n == 1 && value[0].s[0] == '*';
        if (star)
            r->operand[leaf_at].any = true;
        else
            pz_operand_make(&r->operand[leaf_at], leaf, value, n, err);
    }
    free(value);
    if (err->status == PZ_DATA)
        pz_err_prefix(err, "value of $%s: ", r->f->param[leaf->param]);
    return err->status;
}

static int
take_values(struct pz_filter_run *r, const struct pz_filter_request *q,
            struct pz_err *err)
{
    const struct pz_filter *f = r->f;
    bool changed;
    if (values_changed(r, q, &changed, err) || !changed)
        return err->status;
    if (check_names(f, q, err))
        return err->status;
    r->version++;
    for (size_t i = 0; i < f->n_params; i++)
        r->missing[i] = !find_value(q, f->param[i]);
    for (size_t i = 0; i < f->n_leaves; i++) {
        const struct pz_leaf *leaf = &f->leaf[i];
        if (leaf->kind != PZ_OPERAND_PARAM)
            continue;
        if (!r->missing[leaf->param]) {
            if (take_value(r, i, find_value(q, f->param[leaf->param]), err))
                return err->status;
        } else if (f->part[leaf->expr].include) {
            return pz_err_set(
                err, PZ_DATA,
                "no value for $%s, which INCLUDE needs (EXCLUDE would do without)",
                f->param[leaf->param]);
        }
    }
    r->has_values = true;
    return PZ_OK;
}

/* ---- the current item ---- */

static int
take_item(struct pz_filter_run *r, const struct pz_filter_request *q, struct pz_err *err)
{
    const struct pz_filter *f = r->f;
    if (!f->needs_item)
        return PZ_OK;
    if (!q->item && f->strict)
        return pz_err_set(err, PZ_DATA,
                          "the filter looks at CurrentItem, and the request has no "
                          "item");
    if (r->item_valid && r->has_item == (q->item != NULL) &&
        (!q->item || (r->n_item == q->n_item && !memcmp(r->item, q->item, q->n_item))))
        return PZ_OK;
    r->item_valid = false;
    r->version++;
    if (pz_grow(&r->item, &r->cap_item, q->n_item + 1, 1, "an item", err))
        return err->status;
    r->has_item = q->item != NULL;
    r->n_item = q->item ? q->n_item : 0;
    if (r->n_item)
        memcpy(r->item, q->item, r->n_item);
    uint32_t row = q->item ? pz_ids_find(&f->items->item, q->item, q->n_item) : PZ_NO_ID;
    for (size_t i = 0; i < f->n_leaves; i++) {
        const struct pz_leaf *leaf = &f->leaf[i];
        if (leaf->kind != PZ_OPERAND_CURRENT)
            continue;
        struct pz_fcell cell = {.kind = PZ_FCELL_NULL};
        if (q->item && !leaf->current.col)
            cell = text_cell(q->item, q->n_item);
        else if (row != PZ_NO_ID)
            cell = pz_ref_cell(&leaf->current, row);
        pz_operand_release(&r->operand[i]);
        if (pz_operand_current(&r->operand[i], leaf, &cell, err))
            return err->status;
    }
    r->item_valid = true;
    return PZ_OK;
}

/* ---- code ---- */

struct at { // what a leaf looks at
    const struct pz_fplace_of *candidate;
    const struct pz_fevent *event;
    uint32_t user_row;
    const struct pz_fcell *user_record;
};

static struct pz_fcell
event_cell(const struct pz_filter_run *r, const struct pz_leaf *leaf, const struct at *at)
{
    const struct pz_fevent *e = at->event;
    bool live = e->row == UINT64_MAX;
    if (leaf->ref.id == PZ_ROLE_USER)
        return r->f->subject == PZ_SUBJECT_USER
                   ? text_cell(at->candidate->id, at->candidate->n)
                   : text_cell(r->user, r->n_user);
    if (live && !leaf->ref.col)
        return text_cell(r->live[e->live].item, r->live[e->live].n_item);
    return live ? r->live[e->live].field[leaf->ref.field_at]
                : pz_ref_cell(&leaf->ref, e->row);
}

/* What leaf i sees. */
static struct pz_fcell
leaf_cell(const struct pz_filter_run *r, size_t i, const struct at *at)
{
    const struct pz_leaf *leaf = &r->f->leaf[i];
    struct pz_fcell cell = {.kind = PZ_FCELL_NULL};
    const struct pz_fplace_of *c = at->candidate;
    switch (leaf->source) {
    case PZ_SRC_ROW:
        if (!leaf->ref.col)
            cell = text_cell(c->id, c->n);
        else if (c->record)
            cell = c->record[leaf->ref.field_at];
        else if (c->row != PZ_NO_ID)
            cell = pz_ref_cell(&leaf->ref, c->row);
        break;
    case PZ_SRC_EVENT:
        cell = event_cell(r, leaf, at);
        break;
    case PZ_SRC_USER:
        if (!leaf->ref.col)
            cell = text_cell(r->user, r->n_user);
        else if (at->user_record)
            cell = at->user_record[leaf->ref.field_at];
        else if (at->user_row != PZ_NO_ID)
            cell = pz_ref_cell(&leaf->ref, at->user_row);
        break;
    }
    return cell;
}

static enum pz_tri
test_leaf(const struct pz_filter_run *r, size_t i, const struct at *at)
{
    struct pz_fcell cell = leaf_cell(r, i, at);
    return pz_leaf_test(&r->f->leaf[i], &r->operand[i], &cell);
}

static enum pz_tri
execute(struct pz_filter_run *r, size_t first, size_t n, const struct at *at)
{
    enum pz_tri stack[PZ_F_STACK];
    size_t top = 0;
    for (size_t i = first; i < first + n; i++) {
        const struct pz_finstr *in = &r->f->instr[i];
        enum pz_tri a, b;
        switch (in->code) {
        case PZ_OP_LEAF:
            stack[top++] = test_leaf(r, in->arg, at);
            break;
        case PZ_OP_EXISTS:
            stack[top++] = pz_filter_exists(r, in->arg, at->candidate);
            break;
        case PZ_OP_AND:
            a = stack[--top];
            b = stack[top - 1];
            stack[top - 1] = a < b ? a : b;
            break;
        case PZ_OP_OR:
            a = stack[--top];
            b = stack[top - 1];
            stack[top - 1] = a > b ? a : b;
            break;
        }
    }
    return stack[0];
}

/* ---- events ---- */

/* The rows of a user: [*lo, *hi), empty when they are damaged. */
static void
user_rows(const struct pz_dataset *d, uint32_t user, uint64_t *lo, uint64_t *hi)
{
    *lo = *hi = 0;
    if (user == PZ_NO_ID || d->row_offsets[user + 1] > d->n_rows ||
        d->row_offsets[user] > d->row_offsets[user + 1])
        return;
    *lo = d->row_offsets[user];
    *hi = d->row_offsets[user + 1];
}

/* A number for an event's type, equal for types that differ in case only. */
static uint32_t
type_of(const struct pz_filter_run *r, const struct pz_fevent *e)
{
    const struct pz_filter *f = r->f;
    if (!f->type_col)
        return 0;
    if (e->row != UINT64_MAX) {
        uint32_t code = pz_column_code(f->type_col, e->row);
        return code < f->n_types ? f->type_class[code] : f->n_types;
    }
    size_t at = (size_t)(f->type_col->field - f->events->schema.field), n;
    const struct pz_fcell *cell = &r->live[e->live].field[at];
    for (uint32_t i = 0; cell->kind == PZ_FCELL_TEXT && i < f->n_types; i++) {
        const char *s = pz_ids_get(&f->type_col->dict, i, &n);
        if (s && n == cell->n && !strncasecmp(s, cell->s, n))
            return f->type_class[i];
    }
    return f->n_types; // new types share one count
}

/* Is e, met in the order from newest to oldest, within the window? Counts it. */
static bool
in_window(struct pz_filter_run *r, const struct pz_fevent *e)
{
    return !r->f->window || r->count[type_of(r, e)]++ < r->f->window;
}

static enum pz_tri
test_event(struct pz_filter_run *r, const struct pz_fexists *e,
           const struct pz_fplace_of *c, const struct pz_fevent *event)
{
    const struct at at = {.candidate = c, .event = event, .user_row = PZ_NO_ID};
    return execute(r, e->first, e->n, &at);
}

/* Subject UserID: the candidate's own events, newest first. */
static enum pz_tri
exists_of_user(struct pz_filter_run *r, const struct pz_fexists *e,
               const struct pz_fplace_of *c)
{
    enum pz_tri best = PZ_NO;
    uint64_t lo, hi;
    user_rows(r->f->events, c->touch, &lo, &hi);
    if (r->f->window)
        memset(r->count, 0, ((size_t)r->f->n_types + 1) * sizeof *r->count);
    for (uint64_t row = hi; row > lo && best != PZ_YES; row--) {
        struct pz_fevent event = {row - 1, 0, 0, 0};
        if (!in_window(r, &event))
            continue;
        enum pz_tri t = test_event(r, e, c, &event);
        best = t > best ? t : best;
    }
    return best;
}

static bool
same_item(const struct pz_filter_run *r, const struct pz_fevent *e,
          const struct pz_fplace_of *c)
{
    if (e->item != PZ_NO_ID || c->touch != PZ_NO_ID)
        return e->item == c->touch;
    const struct pz_filter_event *live = &r->live[e->live];
    return live->n_item == c->n && !memcmp(live->item, c->id, c->n);
}

/* The first of the user's events with the candidate; they are sorted by item. */
static size_t
first_event(const struct pz_filter_run *r, uint32_t item)
{
    size_t lo = 0, hi = r->n_events;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (r->event[mid].item < item)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

enum pz_tri
pz_filter_exists(struct pz_filter_run *r, size_t k, const struct pz_fplace_of *c)
{
    const struct pz_fexists *e = &r->f->exists[k];
    enum pz_tri best = PZ_NO;
    if (r->f->subject == PZ_SUBJECT_USER)
        best = exists_of_user(r, e, c);
    else
        for (size_t i = first_event(r, c->touch);
             i < r->n_events && r->event[i].item == c->touch && best != PZ_YES; i++) {
            enum pz_tri t =
                same_item(r, &r->event[i], c) ? test_event(r, e, c, &r->event[i]) : PZ_NO;
            best = t > best ? t : best;
        }
    return e->negate ? (best == PZ_YES ? PZ_NO : PZ_YES) : best;
}

static int
by_time(const void *a, const void *b)
{
    const struct pz_fevent *x = a, *y = b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return x->live < y->live ? -1 : x->live > y->live;
}

static int
by_item(const void *a, const void *b)
{
    const struct pz_fevent *x = a, *y = b;
    return x->item != y->item ? (x->item < y->item ? -1 : 1) : by_time(a, b);
}

/* Keeps what is in the window. */
static void
cut_window(struct pz_filter_run *r)
{
    size_t n = 0;
    if (!r->f->window || !r->n_events)
        return;
    qsort(r->event, r->n_events, sizeof *r->event, by_time);
    memset(r->count, 0, ((size_t)r->f->n_types + 1) * sizeof *r->count);
    for (size_t i = r->n_events; i-- > 0;)
        if (in_window(r, &r->event[i]))
            r->event[r->n_events - ++n] = r->event[i];
    if (n)
        memmove(r->event, r->event + r->n_events - n, n * sizeof *r->event);
    r->n_events = n;
}

static int
take_events(struct pz_filter_run *r, const struct pz_filter_request *q,
            struct pz_err *err)
{
    const struct pz_filter *f = r->f;
    bool wanted = false;
    uint64_t lo = 0, hi = 0;
    r->n_events = 0;
    for (size_t i = 0; i < f->n_parts; i++)
        wanted |= r->active[i] && f->part[i].has_event;
    if (!wanted || f->subject == PZ_SUBJECT_USER || !f->events)
        return PZ_OK;
    if (q->user)
        user_rows(f->events, pz_ids_find(&f->events->user, q->user, q->n_user), &lo, &hi);
    size_t room;
    if (!pz_size_add((size_t)(hi - lo), q->n_events, &room))
        return pz_err_nomem(err, "events", SIZE_MAX);
    if (pz_grow(&r->event, &r->cap_events, room, sizeof *r->event, "events", err))
        return err->status;
    for (uint64_t row = lo; row < hi; row++) {
        struct pz_fevent e = {row, 0, pz_dataset_item(f->events, row), INT64_MIN};
        if (f->time_col)
            pz_column_i64(f->time_col, row, &e.time);
        if (e.item < f->events->item.n)
            r->event[r->n_events++] = e;
    }
    size_t time_at =
        f->time_col ? (size_t)(f->time_col->field - f->events->schema.field) : 0;
    for (size_t i = 0; i < q->n_events; i++) {
        const struct pz_filter_event *live = &q->event[i];
        struct pz_fevent e = {UINT64_MAX, i, 0, INT64_MIN};
        e.item = pz_ids_find(&f->events->item, live->item, live->n_item);
        if (f->time_col && live->field[time_at].kind == PZ_FCELL_INT)
            e.time = live->field[time_at].i;
        r->event[r->n_events++] = e;
    }
    cut_window(r);
    if (r->n_events)
        qsort(r->event, r->n_events, sizeof *r->event, by_item);
    return PZ_OK;
}

/* ---- begin ---- */

bool
pz_filter_lacks_value(const struct pz_filter_run *r, size_t part)
{
    const struct pz_filter *f = r->f;
    for (size_t i = 0; i < f->n_leaves; i++)
        if (f->leaf[i].expr == part && f->leaf[i].kind == PZ_OPERAND_PARAM &&
            r->missing[f->leaf[i].param])
            return true;
    return false;
}

int
pz_filter_run_begin(struct pz_filter_run *r, const struct pz_filter_request *q,
                    struct pz_err *err)
{
    const struct pz_filter *f = r->f;
    struct at at = {.user_row = PZ_NO_ID, .user_record = q->user_record};
    if (f->strict && f->needs_user && !q->user)
        return pz_err_set(err, PZ_DATA,
                          "the filter looks at the user, and the request has none");
    if (take_values(r, q, err) || take_item(r, q, err))
        return err->status;
    r->user = q->user;
    r->n_user = q->n_user;
    r->live = q->event;
    r->n_live = q->n_events;
    if (q->user && f->users)
        at.user_row = pz_ids_find(&f->users->user, q->user, q->n_user);
    for (size_t i = 0; i < f->n_parts; i++) {
        const struct pz_fpart *p = &f->part[i];
        r->active[i] = !(p->has_param && pz_filter_lacks_value(r, i)) &&
                       (!p->n_when || execute(r, p->when, p->n_when, &at) == PZ_YES);
    }
    return take_events(r, q, err);
}

/* ---- one candidate ---- */

struct pz_fplace_of
pz_filter_locate(const struct pz_filter_run *r, const struct pz_candidate *c)
{
    const struct pz_filter *f = r->f;
    bool user = f->subject == PZ_SUBJECT_USER;
    struct pz_fplace_of p = {c->id, c->n, PZ_NO_ID, PZ_NO_ID, c->record};
    if (f->rows)
        p.row = pz_ids_find(user ? &f->rows->user : &f->rows->item, c->id, c->n);
    if (f->events)
        p.touch = pz_ids_find(user ? &f->events->user : &f->events->item, c->id, c->n);
    return p;
}

bool
pz_filter_known(const struct pz_filter_run *r, const struct pz_fplace_of *c)
{
    if (c->row != PZ_NO_ID || c->touch != PZ_NO_ID || c->record)
        return true;
    for (size_t i = 0; i < r->n_live; i++)
        if (r->live[i].n_item == c->n && !memcmp(r->live[i].item, c->id, c->n))
            return true;
    return false;
}

enum pz_tri
pz_filter_where(struct pz_filter_run *r, size_t p, const struct pz_fplace_of *c)
{
    const struct at at = {.candidate = c, .user_row = PZ_NO_ID};
    return execute(r, r->f->part[p].where, r->f->part[p].n_where, &at);
}

enum pz_tri
pz_filter_leaf_at(struct pz_filter_run *r, size_t leaf, const struct pz_fplace_of *c)
{
    const struct at at = {.candidate = c, .user_row = PZ_NO_ID};
    return test_leaf(r, leaf, &at);
}

struct pz_fcell
pz_filter_cell_at(struct pz_filter_run *r, size_t leaf, const struct pz_fplace_of *c)
{
    const struct at at = {.candidate = c, .user_row = PZ_NO_ID};
    return leaf_cell(r, leaf, &at);
}

bool
pz_filter_test(struct pz_filter_run *r, const struct pz_candidate *c)
{
    const struct pz_filter *f = r->f;
    struct pz_fplace_of p = pz_filter_locate(r, c);
    bool known = pz_filter_known(r, &p), included = false, includes = false;
    for (size_t i = 0; i < f->n_parts; i++) {
        if (!r->active[i])
            continue;
        bool include = f->part[i].include;
        includes |= include;
        if (include && included)
            continue;
        bool met = known && pz_filter_where(r, i, &p) == PZ_YES;
        if (met && !include)
            return false;
        included |= met;
    }
    return !includes || included;
}
