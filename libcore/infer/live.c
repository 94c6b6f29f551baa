#include "infer/live.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "infer/lately.h"
#include "recipe/actions.h"
#include "store/estore.h"

#define ITEMS_SECONDS 0.5 // between two looks for items that were put

enum { MAX_STALE = 1000 }; // items put again, beyond as many as there are

/* Which events the model learns from, and how much they count (pz-train(1)). */
struct type_rule {
    char *type;
    float weight; // 0: left out
    bool any_case, has_threshold;
    double threshold;
};

struct pz_live {
    struct pz_live_options o;
    struct pz_estore *store; // NULL: there was none when last looked
    int64_t known;           // seq of the last event that the model has learned
    int64_t known_time;      // or, without it, the time of the newest; INT64_MIN: none
    struct type_rule *rule;
    size_t n_rules;
    bool weighted, has_threshold;
    bool actions; // events of actions are looked at, not those of items
    double threshold;
    struct pz_arena arena, item_memory; // of users, of items
    struct pz_text *recent;
    float *weight;
    int64_t *time;
    struct pz_filter_event *event;
    size_t n_recent, n_events, cap_recent, cap_weight, cap_time,
        cap_event; // while a user is read
    struct pz_scan scan;
    struct pz_live_items items;
    struct pz_live_item *item;
    size_t n_new, cap_items;       // item[items.n..n_new) is being read
    size_t n_stale;                // records in item_memory that were replaced
    int64_t items_seq;             // records up to here are in items
    double looked;                 // when items were looked for
    bool dirty;                    // something was committed since
    bool changed;                  // items were read
    bool met;                      // the user has events
    int64_t learned, learned_time; // of the user's events, those up to here
    const struct pz_fcell *record; // of the user
    struct pz_lately_count *count; // NULL: nobody asked
    const struct pz_lately *lately;
    bool counted; // since the beginning
};

/* ---- what the model knows ---- */

static int
read_rules(struct pz_live *l, const pz_json *types, struct pz_err *err)
{
    double greatest = 0;
    if (pz_new(&l->rule, pz_json_count(types), sizeof *l->rule, "event types", err))
        return err->status;
    for (const pz_json *t = pz_json_first(types); t; t = pz_json_next(t)) {
        const char *name = pz_json_get_string(t, "type");
        struct type_rule *r = &l->rule[l->n_rules];
        double weight = 1;
        if (!name)
            continue;
        pz_json_number(pz_json_get(t, "weight"), &weight);
        r->has_threshold =
            pz_json_number(pz_json_get(t, "eventValueThreshold"), &r->threshold);
        pz_json_is_bool(pz_json_get(t, "anyCase"), &r->any_case);
        r->weight = (float)weight;
        greatest = fmax(greatest, weight);
        if (pz_strndup(&r->type, name, strlen(name), err))
            return err->status;
        l->n_rules++;
    }
    for (size_t i = 0; i < l->n_rules; i++) {
        if (greatest > 0)
            l->rule[i].weight = (float)((double)l->rule[i].weight / greatest);
        l->weighted |= l->rule[i].weight > 0 && l->rule[i].weight < 1;
    }
    return PZ_OK;
}

static void
forget_rules(struct pz_live *l)
{
    for (size_t i = 0; i < l->n_rules; i++)
        free(l->rule[i].type);
    free(l->rule);
    l->rule = NULL;
    l->n_rules = 0;
}

static int
read_model(struct pz_live *l, struct pz_err *err)
{
    const struct pz_tensors *t = &l->o.model->file;
    const char *seq = pz_tensors_meta(t, PZ_MODEL_EVENTS_META);
    const char *time = pz_tensors_meta(t, PZ_MODEL_TIME_META);
    const char *text = pz_tensors_meta(t, "selection");
    pz_json *root;
    if (seq && (pz_parse_i64(seq, strlen(seq), &l->known) || l->known < 0))
        return pz_err_set(err, PZ_FORMAT, "'%s': metadata '%s' is no number", t->path,
                          PZ_MODEL_EVENTS_META);
    l->known_time = INT64_MIN;
    if (!seq && time && pz_parse_i64(time, strlen(time), &l->known_time))
        return pz_err_set(err, PZ_FORMAT, "'%s': metadata '%s' is no number", t->path,
                          PZ_MODEL_TIME_META);
    if (!text)
        return PZ_OK;
    if (pz_json_parse(&root, text, strlen(text), err)) {
        err->status = PZ_FORMAT;
        return pz_err_prefix(err, "'%s': metadata 'selection': ", t->path);
    }
    l->has_threshold =
        pz_json_number(pz_json_get(root, "eventValueThreshold"), &l->threshold);
    const pz_json *types = pz_json_get(root, "eventTypes");
    if (pz_json_is_array(types) && pz_json_first(types))
        read_rules(l, types, err);
    pz_json_free(root);
    return err->status;
}

static bool
is_of(const struct type_rule *r, const char *type)
{
    return (r->any_case ? strcasecmp : strcmp)(r->type, type) == 0;
}

/* What an event counts in the model's histories; 0: nothing. */
static float
weight_of(const struct pz_live *l, const struct pz_event *e)
{
    if (l->actions)
        return e->type ? pz_action_weight(e->type, strlen(e->type)) : 0;
    bool has_threshold = l->has_threshold;
    double threshold = l->threshold;
    float weight = 1;
    if (l->n_rules) {
        size_t i = 0;
        while (i < l->n_rules && (!e->type || !is_of(&l->rule[i], e->type)))
            i++;
        if (i == l->n_rules)
            return 0;
        weight = l->rule[i].weight;
        if (l->rule[i].has_threshold) {
            has_threshold = true;
            threshold = l->rule[i].threshold;
        }
    }
    return has_threshold && !(e->has_value && e->value >= threshold) ? 0 : weight;
}

/* ---- life ---- */

int
pz_live_new(struct pz_live **out, const struct pz_live_options *o, struct pz_err *err)
{
    struct pz_live *l;
    *out = NULL;
    if (pz_new(&l, 1, sizeof *l, "live events", err))
        return err->status;
    l->o = *o;
    l->actions = l->weighted = pz_model_answer_set(o->model) == PZ_ACTIONS;
    l->looked = -INFINITY;
    pz_scan_init(&l->scan);
    *out = l;
    return PZ_OK;
}

void
pz_live_free(struct pz_live *l)
{
    if (!l)
        return;
    pz_estore_close(l->store);
    pz_lately_free(l->count);
    forget_rules(l);
    free(l->item);
    free(l->recent);
    free(l->weight);
    free(l->time);
    free(l->event);
    pz_arena_release(&l->arena);
    pz_arena_release(&l->item_memory);
    pz_scan_release(&l->scan);
    free(l);
}

bool
pz_live_any(const struct pz_live *l)
{
    return l->store != NULL;
}

const struct pz_live_items *
pz_live_items(const struct pz_live *l)
{
    return &l->items;
}

/* ---- fields ---- */

static bool
put_number(struct pz_fcell *cell, const struct pz_field *f, const char *s, size_t n)
{
    double v;
    if (pz_parse_f64(s, n, &v))
        return false;
    *cell = (struct pz_fcell){.kind = PZ_FCELL_REAL, .f = v};
    if (f->type == PZ_FLOAT || f->type == PZ_DOUBLE)
        return true;
    cell->kind = PZ_FCELL_INT;
    if (pz_parse_i64(s, n, &cell->i) == 0)
        return true;
    if (!(fabs(v) < 9e18)) // written as 1e3, perhaps
        return false;
    cell->i = (int64_t)v;
    return (double)cell->i == v;
}

/* The scanner's value as the field wants it; null when it does not fit. */
static int
put_field(struct pz_live *l, struct pz_arena *a, struct pz_fcell *cell,
          const struct pz_field *f, enum pz_tok tok, struct pz_err *err)
{
    const struct pz_scan *scan = &l->scan;
    *cell = (struct pz_fcell){.kind = PZ_FCELL_NULL};
    if (f->type == PZ_BOOLEAN) {
        if (tok == PZ_TOK_TRUE || tok == PZ_TOK_FALSE)
            *cell = (struct pz_fcell){.kind = PZ_FCELL_INT, .i = tok == PZ_TOK_TRUE};
        else if (tok == PZ_TOK_STRING && (scan->len == 4 || scan->len == 5))
            *cell = (struct pz_fcell){.kind = PZ_FCELL_INT, .i = scan->len == 4};
        return PZ_OK;
    }
    if (tok != PZ_TOK_STRING && tok != PZ_TOK_NUMBER)
        return PZ_OK;
    if (f->type != PZ_STRING) {
        if (!put_number(cell, f, scan->s, scan->len))
            cell->kind = PZ_FCELL_NULL;
        return PZ_OK;
    }
    cell->kind = PZ_FCELL_TEXT;
    cell->n = scan->len;
    return pz_arena_copy(a, &cell->s, scan->s, scan->len, "live events", err);
}

/* The fields of `schema` out of a JSON object; those that it lacks are null. */
static int
read_fields(struct pz_live *l, struct pz_arena *a, const struct pz_schema *schema,
            const char *properties, const struct pz_fcell **out, struct pz_err *err)
{
    struct pz_fcell *cell;
    enum pz_tok tok;
    if (pz_arena_new(a, &cell, schema->n_fields, sizeof *cell, "live events", err))
        return err->status;
    for (size_t i = 0; i < schema->n_fields; i++)
        cell[i] = (struct pz_fcell){.kind = PZ_FCELL_NULL};
    *out = cell;
    if (!properties)
        return PZ_OK;
    pz_scan_start(&l->scan, properties, strlen(properties));
    if (pz_scan_next(&l->scan) != PZ_TOK_OBJECT)
        return PZ_OK;
    while ((tok = pz_scan_next(&l->scan)) == PZ_TOK_KEY) {
        int at = pz_schema_find(schema, l->scan.s, l->scan.len);
        tok = pz_scan_next(&l->scan);
        if (at >= 0 && tok != PZ_TOK_OBJECT && tok != PZ_TOK_ARRAY) {
            if (put_field(l, a, &cell[at], &schema->field[at], tok, err))
                return err->status;
        } else if (!pz_scan_skip(&l->scan, tok)) {
            break;
        }
    }
    return PZ_OK;
}

/* ---- items ---- */

struct record {
    struct pz_live *l;
    struct pz_err *err;
};

static int
by_id(const void *a, const void *b)
{
    const struct pz_live_item *x = a, *y = b;
    size_t n = x->n < y->n ? x->n : y->n;
    int c = n ? memcmp(x->id, y->id, n) : 0;
    return c ? c : (x->n > y->n) - (x->n < y->n);
}

/* What is replaced stays in the arena until read_items() clears it. */
static int
take_item(void *ctx, const char *id, const char *properties, int64_t time)
{
    struct record *r = ctx;
    struct pz_live *l = r->l;
    size_t n = strlen(id);
    (void)time;
    l->changed = true;
    struct pz_live_item *it =
        (struct pz_live_item *)(uintptr_t)pz_live_item_find(&l->items, id, n);
    if (!it) {
        if (pz_grow(&l->item, &l->cap_items, l->n_new + 1, sizeof *l->item, "items",
                    r->err))
            return r->err->status;
        it = &l->item[l->n_new++];
        it->n = n;
        it->index = pz_ids_find(pz_model_answers(l->o.model), id, n);
        if (it->index >= pz_model_answers(l->o.model)->n)
            it->index = PZ_NO_ID;
        if (pz_arena_copy(&l->item_memory, &it->id, id, n, "items", r->err))
            return r->err->status;
        l->items.item = l->item; // it may have moved
    } else {
        l->n_stale++;
    }
    return read_fields(l, &l->item_memory, l->o.items, properties, &it->field, r->err);
}

/* Lets go of all items, to be read again: their memory is then as if each was put once.
 */
static void
forget_items(struct pz_live *l)
{
    pz_arena_clear(&l->item_memory);
    l->n_stale = l->items.n = 0;
    l->items_seq = 0;
    l->changed = true;
}

static int
read_items(struct pz_live *l, struct pz_err *err)
{
    struct record r = {l, err};
    int64_t last;
    if (pz_estore_hold(l->store, err))
        return err->status;
    if (l->n_stale > l->items.n + MAX_STALE)
        forget_items(l);
    l->n_new = l->items.n;
    if (!pz_estore_last(l->store, &last, err) && last != l->items_seq) {
        static const enum pz_record_kind kind[PZ_N_SETS] = {[PZ_ITEMS] = PZ_RECORD_ITEM,
                                                            [PZ_USERS] = PZ_RECORD_USER,
                                                            [PZ_ACTIONS] =
                                                                PZ_RECORD_ACTION};
        if (!pz_estore_records(l->store, kind[pz_model_answer_set(l->o.model)],
                               l->items_seq, take_item, &r, err))
            l->items_seq = last;
    }
    pz_estore_let_go(l->store);
    if (err->status)
        return err->status;
    if (l->n_new > l->items.n)
        qsort(l->item, l->n_new, sizeof *l->item, by_id);
    l->items.item = l->item;
    l->items.n = l->n_new;
    l->items.version += l->changed;
    l->changed = false;
    return PZ_OK;
}

/* ---- beginning ---- */

/* The store, once somebody has put something. */
static int
open_store(struct pz_live *l, struct pz_err *err)
{
    bool used;
    if (pz_estore_used(l->o.group, &used, err) || !used)
        return err->status;
    if (pz_estore_open(&l->store, l->o.group, PZ_CATALOG_READ, err))
        return err->status;
    l->dirty = true;
    if (read_model(l, err)) { // nor is the store open then
        forget_rules(l);
        pz_estore_close(l->store);
        l->store = NULL;
    }
    return err->status;
}

int
pz_live_begin(struct pz_live *l, struct pz_err *err)
{
    bool changed = false;
    pz_arena_clear(&l->arena);
    l->counted = false;
    if (!l->o.group)
        return PZ_OK;
    if (!l->store && (open_store(l, err) || !l->store))
        return err->status;
    if (!l->o.items) // users are looked up one by one
        return pz_estore_renew(l->store, err);
    if (pz_estore_changed(l->store, &changed, err))
        return err->status;
    l->dirty |= changed;
    double now = pz_seconds_wall();
    if (!l->dirty || now - l->looked < ITEMS_SECONDS)
        return PZ_OK;
    l->looked = now;
    if (read_items(l, err)) {
        l->looked = -INFINITY; // at the next look, not when more is put
        return err->status;
    }
    l->dirty = false;
    return PZ_OK;
}

int
pz_live_lately(struct pz_live *l, const struct pz_lately **out, struct pz_err *err)
{
    *out = NULL;
    if (!l->store)
        return PZ_OK;
    if (!l->count &&
        pz_lately_new(&l->count, &l->o.model->item, l->known, l->known_time, err))
        return err->status;
    if (!l->counted && pz_lately_look(l->count, l->store, &l->lately, err))
        return err->status;
    l->counted = true;
    *out = l->lately;
    return PZ_OK;
}

/* ---- users ---- */

struct reader {
    struct pz_live *l;
    struct pz_err *err;
};

/* A field that every event has, or PZ_ROLE_NONE's: left as it is. */
static void
put_role(struct pz_fcell *cell, const struct pz_field *f, const struct pz_event *e)
{
    const char *text = NULL;
    switch (f->role) {
    case PZ_ROLE_USER:
        text = e->user ? e->user : e->session;
        break;
    case PZ_ROLE_ITEM:
    case PZ_ROLE_ACTION:
        text = e->item;
        break;
    case PZ_ROLE_EVENT_TYPE:
        text = e->type;
        break;
    case PZ_ROLE_IMPRESSION:
        text = e->impression;
        break;
    case PZ_ROLE_RECOMMENDATION:
        text = e->recommendation;
        break;
    case PZ_ROLE_ATTRIBUTION:
        text = e->source;
        break;
    case PZ_ROLE_TIMESTAMP:
        *cell = (struct pz_fcell){.kind = PZ_FCELL_INT, .i = e->time};
        return;
    case PZ_ROLE_EVENT_VALUE:
        if (e->has_value)
            *cell = (struct pz_fcell){.kind = PZ_FCELL_REAL, .f = e->value};
        return;
    default:
        return;
    }
    if (text)
        *cell = (struct pz_fcell){.kind = PZ_FCELL_TEXT, .s = text, .n = strlen(text)};
}

/* The event's fields, with texts of their own. */
static int
add_event(struct pz_live *l, const struct pz_event *e, const struct pz_text *item,
          struct pz_err *err)
{
    const struct pz_schema *schema = l->o.events;
    const struct pz_fcell *field;
    if (read_fields(l, &l->arena, schema, e->properties, &field, err) ||
        pz_grow(&l->event, &l->cap_event, l->n_events + 1, sizeof *l->event, "events",
                err))
        return err->status;
    for (size_t i = 0; i < schema->n_fields; i++) {
        struct pz_fcell *cell = (struct pz_fcell *)(uintptr_t)&field[i], own = *cell;
        put_role(&own, &schema->field[i], e);
        if (own.kind == PZ_FCELL_TEXT && own.s != cell->s &&
            pz_arena_copy(&l->arena, &own.s, own.s, own.n, "events", err))
            return err->status;
        *cell = own;
    }
    l->event[l->n_events++] = (struct pz_filter_event){item->s, item->n, field};
    return PZ_OK;
}

static int
take_event(void *ctx, const struct pz_event *e)
{
    struct reader *r = ctx;
    struct pz_live *l = r->l;
    struct pz_text item = {NULL, strlen(e->item)};
    l->met = true;
    bool new = e->seq > l->learned && e->time > l->learned_time;
    float weight = new ? weight_of(l, e) : 0;
    if (!(weight > 0) && !l->o.events)
        return PZ_OK;
    if (pz_arena_copy(&l->arena, &item.s, e->item, item.n, "events", r->err))
        return r->err->status;
    if (weight > 0) {
        if (pz_grow(&l->recent, &l->cap_recent, l->n_recent + 1, sizeof *l->recent,
                    "events", r->err) ||
            pz_grow(&l->weight, &l->cap_weight, l->n_recent + 1, sizeof *l->weight,
                    "events", r->err) ||
            pz_grow(&l->time, &l->cap_time, l->n_recent + 1, sizeof *l->time, "events",
                    r->err))
            return r->err->status;
        l->weight[l->n_recent] = weight;
        l->time[l->n_recent] = e->time;
        l->recent[l->n_recent++] = item;
    }
    return l->o.events ? add_event(l, e, &item, r->err) : PZ_OK;
}

static int
take_user(void *ctx, const char *id, const char *properties, int64_t time)
{
    struct reader *r = ctx;
    (void)id;
    (void)time;
    return read_fields(r->l, &r->l->arena, r->l->o.users, properties, &r->l->record,
                       r->err);
}

/* A copy of n elements in the arena, for as long as the block takes. */
static int
settle(struct pz_live *l, void *out, const void *from, size_t n, size_t size,
       struct pz_err *err)
{
    void *p;
    if (pz_arena_new(&l->arena, &p, n, size, "events", err))
        return err->status;
    if (n)
        memcpy(p, from, n * size);
    memcpy(out, &p, sizeof p);
    return PZ_OK;
}

int
pz_live_user(struct pz_live *l, const char *id, size_t n, struct pz_live_user *out,
             struct pz_err *err)
{
    struct reader r = {l, err};
    const char *name;
    *out = (struct pz_live_user){.n_recent = 0};
    if (!l->store || memchr(id, 0, n))
        return PZ_OK;
    l->n_recent = l->n_events = 0;
    l->record = NULL;
    if (pz_arena_copy(&l->arena, &name, id, n, "events", err))
        return err->status;
    l->met = false;
    // Of somebody whom the model does not know it has learned nothing: a session that was
    // linked to nobody, or only later.
    bool stranger = pz_ids_find(&l->o.model->user, id, n) == PZ_NO_ID;
    l->learned = stranger ? 0 : l->known;
    l->learned_time = stranger ? INT64_MIN : l->known_time;
    enum pz_event_kind kind = l->actions ? PZ_EVENT_ACTION : PZ_EVENT_ITEM;
    // Filters look at all events, histories at what is new.
    int64_t after = l->o.events ? 0 : l->learned;
    int status = pz_estore_user(l->store, kind, name, after, 0, take_event, &r, err);
    if (!status && stranger && !l->met)
        status = pz_estore_session(l->store, kind, name, after, 0, take_event, &r, err);
    if (!status && l->o.users) {
        status = pz_estore_record(l->store, PZ_RECORD_USER, name, take_user, &r, err);
        status = status == PZ_NEGATIVE ? PZ_OK : status;
    }
    if (status ||
        settle(l, &out->recent, l->recent, l->n_recent, sizeof *l->recent, err) ||
        (l->weighted &&
         settle(l, &out->weight, l->weight, l->n_recent, sizeof *l->weight, err)) ||
        settle(l, &out->time, l->time, l->n_recent, sizeof *l->time, err) ||
        settle(l, &out->event, l->event, l->n_events, sizeof *l->event, err))
        return err->status;
    out->n_recent = l->n_recent;
    out->n_events = l->n_events;
    out->record = l->record;
    return PZ_OK;
}
