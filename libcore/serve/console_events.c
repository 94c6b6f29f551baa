/* The event stream of the console: what was stored behind a place, or waits for it. */
#include <string.h>

#include "base/clock.h"
#include "serve/console.h"

enum {
    EVENTS_MAX = 200, // in an answer
    RECENT = 50,      // without a place: so many of the latest
    WAIT_MAX = 25,    // seconds
};

static const struct pz_shape after_shape = {
    .kind = PZ_SHAPE_INTEGER, .bounded = true, .min = 0, .max = 9007199254740991.0};
static const struct pz_shape wait_shape = {
    .kind = PZ_SHAPE_NUMBER, .bounded = true, .min = 0, .max = WAIT_MAX};
static const struct pz_member events_members[] = {
    {"groupName", &pz_shape_string, true},
    {"after", &after_shape, false},
    {"waitSeconds", &wait_shape, false},
    {NULL, NULL, false},
};
const struct pz_shape pz_console_events_shape = {.kind = PZ_SHAPE_STRUCT,
                                                 .member = events_members};

struct walk {
    struct pz_buf *out;
    const struct pz_dataset *items;
    const char *id_key;
    size_t n, n_kind;
    int64_t last; // of this kind
};

static void
add_title(struct walk *w, bool *first, const char *item)
{
    size_t n;
    const char *text = pz_console_title_of(w->items, item, strlen(item), &n);
    if (!text)
        return;
    pz_out_key(w->out, first, "title");
    pz_json_add_string(w->out, text, n);
}

/* Properties are an object; damage must not spoil the answer. */
static void
add_properties(struct walk *w, bool *first, const char *text)
{
    struct pz_err err = PZ_ERR_INIT;
    pz_json *j;
    if (!text || pz_json_parse(&j, text, strlen(text), &err))
        return;
    if (pz_json_first(j)) {
        pz_out_key(w->out, first, "properties");
        pz_json_add(w->out, j);
    }
    pz_json_free(j);
}

static int
add_event(void *ctx, const struct pz_event *e)
{
    struct walk *w = ctx;
    char time[PZ_TIME_TEXT];
    bool first = true;
    if (w->n_kind == EVENTS_MAX)
        return 1;
    w->n_kind++;
    w->last = e->seq;
    pz_time_text(time, e->time);
    pz_buf_addz(w->out, w->n++ ? ",{" : "{");
    pz_out_i64(w->out, &first, "seq", e->seq);
    pz_out_text(w->out, &first, "eventId", e->id);
    pz_out_text(w->out, &first, "time", time);
    pz_out_text(w->out, &first, "userId", e->user);
    pz_out_text(w->out, &first, "sessionId", e->session);
    pz_out_bool(w->out, &first, "linked", e->linked);
    if (e->item) {
        pz_out_text(w->out, &first, w->id_key, e->item);
        add_title(w, &first, e->item);
    }
    pz_out_text(w->out, &first, "eventType", e->type);
    if (e->has_value)
        pz_console_real(w->out, &first, "eventValue", e->value);
    pz_out_text(w->out, &first, "recommendationId", e->recommendation);
    add_properties(w, &first, e->properties);
    pz_buf_addc(w->out, '}');
    return 0;
}

/* Events of both kinds behind `after`; *last is where to go on. Those of the kind that
 * was cut short later may come a second time. */
static int
add_events(struct walk *w, struct pz_estore *s, int64_t after, int64_t *last,
           struct pz_err *err)
{
    static const struct {
        enum pz_event_kind kind;
        const char *id_key;
    } kinds[] = {{PZ_EVENT_ITEM, "itemId"}, {PZ_EVENT_ACTION, "actionId"}};
    int64_t cut = INT64_MAX, seen = after;
    for (size_t i = 0; i < 2; i++) {
        w->id_key = kinds[i].id_key;
        w->n_kind = 0;
        w->last = after;
        int status = pz_estore_walk(s, kinds[i].kind, after, add_event, w, err);
        if (err->status)
            return err->status;
        if (status && w->last < cut)
            cut = w->last;
        if (w->last > seen)
            seen = w->last;
    }
    *last = cut < seen ? cut : seen;
    return PZ_OK;
}

/* The store stays open while the call waits, unless there is none yet. */
static int
open_store(struct pz_console_call *c, bool *changed, struct pz_err *err)
{
    bool used;
    *changed = true;
    if (c->store)
        return pz_estore_changed(c->store, changed, err);
    if (pz_estore_used(c->group->path, &used, err))
        return err->status;
    if (!used) {
        *changed = false;
        return PZ_OK;
    }
    return pz_estore_open(&c->store, c->group->path, PZ_CATALOG_READ, err);
}

static int
tell(struct pz_console_call *c, int64_t after, size_t *n, struct pz_err *err)
{
    struct pz_buf *out = &c->call->http->out;
    const struct pz_dataset *items =
        c->group->sets ? c->group->sets->g.data.set[PZ_ITEMS] : NULL;
    struct walk w = {.out = out, .items = items};
    int64_t last = after;
    bool first = true;
    pz_buf_clear(out);
    pz_buf_addz(out, "{\"events\":[");
    if (c->store && add_events(&w, c->store, after, &last, err))
        return err->status;
    pz_buf_addz(out, "],");
    pz_out_i64(out, &first, "last", last);
    pz_buf_addc(out, '}');
    *n = w.n;
    return PZ_OK;
}

bool
pz_console_events(struct pz_console_call *c)
{
    int64_t after = -1;
    double wait = 0;
    size_t n = 0;
    bool changed;
    pz_body_i64(c->call->body, "after", &after);
    pz_json_number(pz_json_get(c->call->body, "waitSeconds"), &wait);
    if (!c->again)
        c->until = pz_seconds_wall() + wait;
    if (open_store(c, &changed, &c->err))
        return true;
    bool late = pz_seconds_wall() >= c->until;
    if (c->again && !changed && !late)
        return false;
    if (after < 0) {
        late = true;
        if (c->store && pz_estore_last(c->store, &after, &c->err))
            return true;
        after = after > RECENT ? after - RECENT : 0;
    }
    return tell(c, after, &n, &c->err) || n > 0 || late;
}
