#include "infer/scope.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"

struct pz_scope_run {
    const struct pz_scope *s;
    struct pz_live *live, *own;             // own: what to free
    struct pz_gate_run *filter, *promotion; // NULL: none
    struct pz_arena arena;
    struct pz_answered *row; // an answer with promoted items
    size_t cap_row;
    bool *mark;
    size_t cap_mark;
    uint64_t *promoted; // bit per item of the model, all 0 between answers
};

int
pz_scope_filter_text(char **text, const struct pz_model *m, const char *asked,
                     struct pz_err *err)
{
    struct pz_buf b = PZ_BUF_INIT;
    *text = NULL;
    // Behind, so that lines and columns in messages are those of what was asked.
    if (asked)
        pz_buf_addz(&b, asked);
    if (m->filter)
        pz_buf_addf(&b, "%s%s", asked ? " | " : "", m->filter);
    int r = pz_buf_status(&b, "a filter", err);
    if (r)
        pz_buf_release(&b);
    else
        *text = b.data;
    return r;
}

/* Does the run ask the event store for a user's fields? */
static bool
looks_at_user(const struct pz_scope *s)
{
    return (s->filter && pz_filter_needs_user(pz_gate_filter(s->filter))) ||
           (s->promotion && pz_filter_needs_user(pz_gate_filter(s->promotion)));
}

static const struct pz_schema *
schema(const struct pz_scope *s, enum pz_set set)
{
    return s->data && s->data->set[set] ? &s->data->set[set]->schema : NULL;
}

int
pz_scope_run_over(struct pz_scope_run **out, const struct pz_scope *s,
                  struct pz_live *live, struct pz_err *err)
{
    struct pz_scope_run *r;
    *out = NULL;
    if (pz_new(&r, 1, sizeof *r, "a session", err))
        return err->status;
    r->s = s;
    r->live = live;
    if ((s->filter && pz_gate_run_new(&r->filter, s->filter, err)) ||
        (s->promotion && pz_gate_run_new(&r->promotion, s->promotion, err))) {
        pz_scope_run_free(r);
        return err->status;
    }
    *out = r;
    return PZ_OK;
}

int
pz_scope_run_new(struct pz_scope_run **out, const struct pz_scope *s, struct pz_err *err)
{
    bool items = s->filter || s->promotion || s->n_columns;
    struct pz_live_options o = {
        .group = s->group,
        .model = s->model,
        .events = looks_at_user(s) ? schema(s, pz_model_event_set(s->model)) : NULL,
        .items = items ? schema(s, pz_model_answer_set(s->model)) : NULL,
        .users = looks_at_user(s) ? schema(s, PZ_USERS) : NULL};
    struct pz_live *live;
    *out = NULL;
    if (pz_live_new(&live, &o, err))
        return err->status;
    if (pz_scope_run_over(out, s, live, err)) {
        pz_live_free(live);
        return err->status;
    }
    (*out)->own = live;
    return PZ_OK;
}

void
pz_scope_run_free(struct pz_scope_run *r)
{
    if (!r)
        return;
    pz_live_free(r->own);
    pz_gate_run_free(r->filter);
    pz_gate_run_free(r->promotion);
    pz_arena_release(&r->arena);
    free(r->row);
    free(r->mark);
    free(r->promoted);
    free(r);
}

void
pz_scope_flush(struct pz_scope_run *r)
{
    if (r->filter)
        pz_gate_begin(r->filter);
    if (r->promotion)
        pz_gate_begin(r->promotion);
}

int
pz_scope_begin(struct pz_scope_run *r, struct pz_err *err)
{
    pz_scope_flush(r);
    pz_arena_clear(&r->arena);
    return pz_live_begin(r->live, err);
}

/* ---- filters ---- */

static bool
same_name(const struct pz_filter_value *a, const struct pz_filter_value *b)
{
    return a->n_name == b->n_name && !memcmp(a->name, b->name, a->n_name);
}

/*
 * The values that a gate takes: the line's own, then those of all requests that the line
 * has not. With two gates each takes what it has a placeholder for; the check that every
 * value is somebody's is the caller's, so that a lone gate still refuses strangers.
 */
static int
collect_values(struct pz_scope_run *r, const struct pz_gate *g,
               const struct pz_request *q, struct pz_filter_request *f,
               struct pz_err *err)
{
    const struct pz_scope *s = r->s;
    bool two = s->filter && s->promotion && !q->split_values;
    const struct pz_gate *other = g == s->filter ? s->promotion : s->filter;
    struct pz_filter_value *value;
    if (!q->n_values && !two) {
        f->value = s->value;
        f->n_values = s->n_values;
        return PZ_OK;
    }
    if (pz_arena_new(&r->arena, &value, q->n_values + s->n_values, sizeof *value,
                     "filter values", err))
        return err->status;
    for (size_t i = 0; i < q->n_values + s->n_values; i++) {
        const struct pz_filter_value *v =
            i < q->n_values ? &q->value[i] : &s->value[i - q->n_values];
        bool skip = two && !pz_gate_has_param(g, v->name, v->n_name) &&
                    pz_gate_has_param(other, v->name, v->n_name);
        for (size_t k = 0; i >= q->n_values && k < q->n_values && !skip; k++)
            skip = same_name(v, &q->value[k]);
        if (!skip)
            value[f->n_values++] = *v;
    }
    f->value = value;
    return PZ_OK;
}

static int
open_gate(struct pz_scope_run *r, const struct pz_gate *g, struct pz_gate_run *run,
          const struct pz_request *q, const struct pz_live_user *user,
          const uint64_t **allow, struct pz_err *err)
{
    bool item = q->has_item && !pz_model_asks_attributes(r->s->model);
    struct pz_filter_request f = {.user = q->has_user ? q->user.s : NULL,
                                  .n_user = q->has_user ? q->user.n : 0,
                                  .item = item ? q->item.s : NULL,
                                  .n_item = item ? q->item.n : 0,
                                  .event = user->event,
                                  .n_events = user->n_events,
                                  .user_record = user->record};
    if (collect_values(r, g, q, &f, err))
        return err->status;
    return pz_gate_open(run, &f, pz_live_items(r->live), allow, err);
}

/* Candidates that the model does not know have no bit: they are tested here. */
static int
sift_candidates(struct pz_scope_run *r, struct pz_request *q, struct pz_err *err)
{
    const struct pz_model *m = r->s->model;
    struct pz_text *kept;
    size_t n = 0;
    if (pz_arena_new(&r->arena, &kept, q->n_candidates, sizeof *kept, "candidates", err))
        return err->status;
    for (size_t i = 0; i < q->n_candidates; i++) {
        const struct pz_text *c = &q->candidate[i];
        if (pz_ids_find(&m->item, c->s, c->n) < m->n_items ||
            pz_gate_passes(r->filter, c->s, c->n, pz_live_items(r->live)))
            kept[n++] = *c;
    }
    q->candidate = kept;
    q->n_candidates = n;
    return PZ_OK;
}

/* ---- promotions ---- */

/* AWS does not say how it rounds: half up, and one at least. */
static size_t
n_promoted(const struct pz_scope *s, size_t n)
{
    double k = floor((double)n * s->percent / 100 + 0.5);
    return n == 0 ? 0 : k < 1 ? 1 : k < (double)n ? (size_t)k : n;
}

/* Items that were put and are newer than the model, as many as can be promoted. */
static int
find_fresh(struct pz_scope_run *r, struct pz_promotion *p, struct pz_err *err)
{
    const struct pz_live_items *live = pz_live_items(r->live);
    size_t room = p->request.n < live->n ? p->request.n : live->n;
    struct pz_text *fresh;
    if (pz_arena_new(&r->arena, &fresh, room, sizeof *fresh, "items", err))
        return err->status;
    for (size_t i = 0; i < live->n && p->n_fresh < room; i++) {
        const struct pz_live_item *it = &live->item[i];
        if (it->index == PZ_NO_ID && pz_gate_passes(r->promotion, it->id, it->n, live))
            fresh[p->n_fresh++] = (struct pz_text){it->id, it->n};
    }
    p->fresh = fresh;
    return PZ_OK;
}

int
pz_scope_complete(struct pz_scope_run *r, struct pz_request *q,
                  struct pz_promotion *promoted, struct pz_err *err)
{
    struct pz_live_user user = {.n_recent = 0};
    *promoted = (struct pz_promotion){.n_fresh = 0};
    if (q->has_user && pz_live_any(r->live) &&
        pz_live_user(r->live, q->user.s, q->user.n, &user, err))
        return err->status;
    if (q->explore.weight > 0 && pz_live_lately(r->live, &q->explore.lately, err))
        return err->status;
    q->recent = user.recent;
    q->recent_weight = user.weight;
    q->recent_time = user.time;
    q->n_recent = user.n_recent;
    if (r->promotion && !q->has_candidates) {
        size_t most = (size_t)pz_model_answers(r->s->model)->n;
        size_t n = q->n < most ? q->n : most;
        promoted->request = *q;
        promoted->request.n = n_promoted(r->s, n);
        promoted->request.explore.weight = 0; // the best of what is promoted
        struct pz_request p = *q;
        if (q->split_values) {
            p.value = q->promotion_value;
            p.n_values = q->n_promotion_values;
        }
        int status = open_gate(r, r->s->promotion, r->promotion, &p, &user,
                               &promoted->request.allow, err);
        if (status || find_fresh(r, promoted, err))
            return status ? status : err->status;
    }
    if (!r->filter)
        return PZ_OK;
    int status = open_gate(r, r->s->filter, r->filter, q, &user, &q->allow, err);
    if (!status && q->has_candidates)
        status = sift_candidates(r, q, err);
    return status;
}

/* Sets or clears the bits of the items that the model knows. */
static void
put_bits(uint64_t *bits, const struct pz_answered *item, size_t n, bool value)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t bit = (uint64_t)1 << item[i].index % 64;
        uint64_t *word = &bits[item[i].index / 64];
        if (item[i].index != PZ_NO_ID)
            *word = value ? *word | bit : *word & ~bit;
    }
}

static bool
has_bit(const uint64_t *bits, const struct pz_answered *item)
{
    return item->index != PZ_NO_ID && bits[item->index / 64] >> item->index % 64 & 1;
}

int
pz_scope_promote(struct pz_scope_run *r, const struct pz_request *q,
                 const struct pz_answered *item, size_t n, struct pz_answer *answer,
                 const bool **is_promoted, struct pz_err *err)
{
    size_t others = 0, p = 0, at = 0;
    size_t n_words = (size_t)pz_model_answers(r->s->model)->n / 64 + 1;
    struct pz_rng rng;
    if (!r->promoted &&
        pz_new(&r->promoted, n_words, sizeof *r->promoted, "answers", err))
        return err->status;
    put_bits(r->promoted, item, n, true);
    for (size_t i = 0; i < answer->n; i++)
        others += !has_bit(r->promoted, &answer->item[i]);
    size_t total = others + n < q->n ? others + n : q->n;
    if (pz_grow(&r->row, &r->cap_row, total + 1, sizeof *r->row, "answers", err) ||
        pz_grow(&r->mark, &r->cap_mark, total + 1, sizeof *r->mark, "answers", err)) {
        put_bits(r->promoted, item, n, false);
        return err->status;
    }
    const struct pz_text *who = q->has_item ? &q->item : &q->user;
    pz_rng_seed(&rng, r->s->seed, XXH3_64bits(who->s ? who->s : "", who->n));
    for (size_t i = 0; i < total; i++) {
        // Of the places left, each is as likely to be one of those to promote.
        bool mark = pz_rng_below(&rng, total - i) < n - p;
        while (!mark && has_bit(r->promoted, &answer->item[at]))
            at++;
        r->row[i] = mark ? item[p++] : answer->item[at++];
        r->mark[i] = mark;
    }
    put_bits(r->promoted, item, n, false);
    answer->item = r->row;
    answer->n = total;
    *is_promoted = r->mark;
    return PZ_OK;
}

/* ---- columns ---- */

static void
add_cell(struct pz_buf *out, const struct pz_fcell *cell, bool boolean)
{
    char text[PZ_NUM_TEXT];
    switch (cell->kind) {
    case PZ_FCELL_NULL:
        break;
    case PZ_FCELL_TEXT:
        pz_buf_add(out, cell->s, cell->n);
        break;
    case PZ_FCELL_INT:
        if (boolean)
            pz_buf_addz(out, cell->i ? "true" : "false");
        else
            pz_buf_add_i64(out, cell->i);
        break;
    case PZ_FCELL_REAL:
        pz_buf_add(out, text, pz_format_f64(text, cell->f));
        break;
    }
}

/* The cell of an item in the dataset. */
static struct pz_fcell
stored_cell(const struct pz_dataset *d, const struct pz_field *f,
            const struct pz_text *item)
{
    struct pz_fcell cell = {.kind = PZ_FCELL_NULL};
    const struct pz_ids *ids = d->schema.set == PZ_USERS ? &d->user : &d->item;
    uint32_t row = pz_ids_find(ids, item->s, item->n);
    const struct pz_column *col = pz_dataset_column(d, f->name);
    if (row == PZ_NO_ID || row >= d->n_rows || !col)
        return cell;
    if (f->type == PZ_STRING) {
        cell.s = pz_column_text(col, row, &cell.n);
        cell.kind = cell.s ? PZ_FCELL_TEXT : PZ_FCELL_NULL;
    } else if (f->type == PZ_FLOAT || f->type == PZ_DOUBLE) {
        cell.kind = pz_column_f64(col, row, &cell.f) ? PZ_FCELL_REAL : PZ_FCELL_NULL;
    } else {
        cell.kind = pz_column_i64(col, row, &cell.i) ? PZ_FCELL_INT : PZ_FCELL_NULL;
    }
    return cell;
}

bool
pz_scope_column(struct pz_scope_run *r, const struct pz_text *item, size_t c,
                struct pz_buf *out)
{
    const struct pz_field *f = r->s->column[c];
    const struct pz_dataset *d = r->s->data->set[pz_model_answer_set(r->s->model)];
    const struct pz_live_item *live =
        pz_live_item_find(pz_live_items(r->live), item->s, item->n);
    struct pz_fcell cell =
        live ? live->field[f - d->schema.field] : stored_cell(d, f, item);
    add_cell(out, &cell, f->type == PZ_BOOLEAN);
    return cell.kind != PZ_FCELL_NULL;
}
