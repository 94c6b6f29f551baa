/* The console looks things up: titles, ids by their beginning or title, what a user did,
 * and how many interactions there were when. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "serve/console.h"

enum {
    TITLES_MAX = 1000,
    FOUND_MAX = 50,
    FOUND = 10,
    SEARCH_MAX = 2000000, // titles that are looked through
    HISTORY_MAX = 500,
    HISTORY = 20,
    BUCKETS_MAX = 400,
    BUCKETS = 60,
};

static const struct pz_shape id_shape = {.kind = PZ_SHAPE_STRING, .max = 1000};
static const struct pz_shape ids_shape = {
    .kind = PZ_SHAPE_LIST, .max = TITLES_MAX, .item = &id_shape};
static const char *const sets[] = {"items", "users", "actions", NULL};
static const struct pz_shape set_shape = {.kind = PZ_SHAPE_STRING, .values = sets};
static const struct pz_shape found_shape = {
    .kind = PZ_SHAPE_INTEGER, .bounded = true, .min = 1, .max = FOUND_MAX};
static const struct pz_shape history_shape = {
    .kind = PZ_SHAPE_INTEGER, .bounded = true, .min = 1, .max = HISTORY_MAX};
static const struct pz_shape buckets_shape = {
    .kind = PZ_SHAPE_INTEGER, .bounded = true, .min = 1, .max = BUCKETS_MAX};
static const struct pz_member titles_members[] = {
    {"groupName", &pz_shape_string, true},
    {"ids", &ids_shape, true},
    {NULL, NULL, false},
};
static const struct pz_member find_members[] = {
    {"groupName", &pz_shape_string, true},
    {"dataset", &set_shape, true},
    {"text", &id_shape, true},
    {"maxResults", &found_shape, false},
    {NULL, NULL, false},
};
static const struct pz_member history_members[] = {
    {"groupName", &pz_shape_string, true},
    {"userId", &id_shape, true},
    {"maxResults", &history_shape, false},
    {NULL, NULL, false},
};
static const struct pz_member activity_members[] = {
    {"groupName", &pz_shape_string, true},
    {"parts", &buckets_shape, false},
    {NULL, NULL, false},
};
const struct pz_shape pz_console_titles_shape = {.kind = PZ_SHAPE_STRUCT,
                                                 .member = titles_members};
const struct pz_shape pz_console_find_shape = {.kind = PZ_SHAPE_STRUCT,
                                               .member = find_members};
const struct pz_shape pz_console_history_shape = {.kind = PZ_SHAPE_STRUCT,
                                                  .member = history_members};
const struct pz_shape pz_console_activity_shape = {.kind = PZ_SHAPE_STRUCT,
                                                   .member = activity_members};

static const struct pz_dataset *
dataset(const struct pz_console_call *c, enum pz_set set)
{
    return c->group->sets ? c->group->sets->g.data.set[set] : NULL;
}

/* ---- titles ---- */

bool
pz_console_titles(struct pz_console_call *c)
{
    struct pz_buf *out = &c->call->http->out;
    const struct pz_dataset *d = dataset(c, PZ_ITEMS);
    const pz_json *ids = pz_json_get(c->call->body, "ids");
    bool first = true;
    pz_buf_addz(out, "{\"titles\":{");
    for (const pz_json *j = pz_json_first(ids); j; j = pz_json_next(j)) {
        const char *id = pz_json_string(j);
        size_t n;
        const char *text = pz_console_title_of(d, id, strlen(id), &n);
        if (!text)
            continue;
        if (!first)
            pz_buf_addc(out, ',');
        first = false;
        pz_json_add_string(out, id, strlen(id));
        pz_buf_addc(out, ':');
        pz_json_add_string(out, text, n);
    }
    pz_buf_addz(out, "}}");
    return true;
}

/* ---- finding ---- */

struct found {
    const char *id;
    size_t n;
};

struct search {
    struct pz_buf *out;
    const struct pz_dataset *titles; // NULL: none
    const char *text;
    size_t n_text, most, n;
    struct found found[FOUND_MAX];
};

/* Adds an id that is not there yet. */
static void
add_found(struct search *s, const char *id, size_t n)
{
    bool first = true;
    size_t n_title;
    for (size_t i = 0; i < s->n; i++)
        if (s->found[i].n == n && memcmp(s->found[i].id, id, n) == 0)
            return;
    if (s->n == s->most)
        return;
    pz_buf_addz(s->out, s->n ? ",{" : "{");
    s->found[s->n++] = (struct found){id, n};
    pz_out_key(s->out, &first, "id");
    pz_json_add_string(s->out, id, n);
    const char *title = pz_console_title_of(s->titles, id, n, &n_title);
    if (title) {
        pz_out_key(s->out, &first, "title");
        pz_json_add_string(s->out, title, n_title);
    }
    pz_buf_addc(s->out, '}');
}

static int
compare(const char *a, size_t n_a, const char *b, size_t n_b)
{
    int r = memcmp(a, b, n_a < n_b ? n_a : n_b);
    return r ? r : (n_a > n_b) - (n_a < n_b);
}

/* Ids that begin with the text; they are sorted. */
static void
find_ids(struct search *s, const struct pz_ids *ids)
{
    uint64_t from = 0, to = ids->n;
    size_t n;
    while (from < to) {
        uint64_t middle = from + (to - from) / 2;
        const char *id = pz_ids_get(ids, (uint32_t)middle, &n);
        if (id && compare(id, n, s->text, s->n_text) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    for (; from < ids->n && s->n < s->most; from++) {
        const char *id = pz_ids_get(ids, (uint32_t)from, &n);
        if (!id || n < s->n_text || memcmp(id, s->text, s->n_text) != 0)
            break;
        add_found(s, id, n);
    }
}

static unsigned char
lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* In any case of ASCII's letters. */
static bool
holds(const char *text, size_t n, const char *part, size_t n_part)
{
    for (size_t i = 0; i + n_part <= n; i++) {
        size_t k = 0;
        while (k < n_part && lower(text[i + k]) == lower(part[k]))
            k++;
        if (k == n_part)
            return true;
    }
    return false;
}

static void
find_titles(struct search *s)
{
    const struct pz_dataset *d = s->titles;
    const struct pz_field *f = pz_console_title(d);
    const struct pz_column *c = f ? pz_dataset_column(d, f->name) : NULL;
    for (uint64_t r = 0; c && r < d->n_rows && r < SEARCH_MAX && s->n < s->most; r++) {
        size_t n, n_id;
        const char *text = pz_column_text(c, r, &n);
        const char *id = text && holds(text, n, s->text, s->n_text)
                             ? pz_ids_get(&d->item, (uint32_t)r, &n_id)
                             : NULL;
        if (id)
            add_found(s, id, n_id);
    }
}

bool
pz_console_find(struct pz_console_call *c)
{
    static const struct {
        const char *name;
        enum pz_set own, events;
    } where[] = {{"items", PZ_ITEMS, PZ_INTERACTIONS},
                 {"users", PZ_USERS, PZ_INTERACTIONS},
                 {"actions", PZ_ACTIONS, PZ_ACTION_INTERACTIONS}};
    const pz_json *body = c->call->body;
    const char *name = pz_body_string(body, "dataset"),
               *text = pz_body_string(body, "text");
    struct search s = {.out = &c->call->http->out, .text = text, .n_text = strlen(text)};
    int64_t most = FOUND;
    size_t k = 0;
    pz_body_i64(body, "maxResults", &most);
    s.most = (size_t)most;
    while (strcmp(where[k].name, name) != 0)
        k++;
    const struct pz_dataset *own = dataset(c, where[k].own),
                            *events = dataset(c, where[k].events);
    bool users = where[k].own == PZ_USERS;
    s.titles = users ? NULL : own;
    pz_buf_addz(s.out, "{\"found\":[");
    if (events)
        find_ids(&s, users ? &events->user : &events->item);
    if (own)
        find_ids(&s, users ? &own->user : &own->item);
    if (s.n_text)
        find_titles(&s);
    pz_buf_addz(s.out, "]}");
    return true;
}

/* ---- the history of a user ---- */

struct past {
    struct pz_buf *out;
    const struct pz_dataset *items;
    size_t n;
};

static void
add_event(struct past *p, const char *item, size_t n_item, const char *type,
          size_t n_type, int64_t time, bool put)
{
    char text[PZ_TIME_TEXT];
    bool first = true;
    size_t n;
    const char *title = pz_console_title_of(p->items, item, n_item, &n);
    pz_buf_addz(p->out, p->n++ ? ",{" : "{");
    pz_out_key(p->out, &first, "itemId");
    pz_json_add_string(p->out, item, n_item);
    if (title) {
        pz_out_key(p->out, &first, "title");
        pz_json_add_string(p->out, title, n);
    }
    if (type) {
        pz_out_key(p->out, &first, "eventType");
        pz_json_add_string(p->out, type, n_type);
    }
    pz_time_text(text, time);
    pz_out_text(p->out, &first, "time", text);
    pz_out_bool(p->out, &first, "put", put);
    pz_buf_addc(p->out, '}');
}

static const struct pz_column *
column_of(const struct pz_dataset *d, enum pz_role role)
{
    int f = d->schema.at[role];
    return f < 0 ? NULL : pz_dataset_column(d, d->schema.field[f].name);
}

/* The newest of the dataset, oldest first. Returns how many there are. */
static uint64_t
add_stored(struct past *p, const struct pz_dataset *d, const char *user, uint64_t most)
{
    uint32_t u = d ? pz_ids_find(&d->user, user, strlen(user)) : PZ_NO_ID;
    if (u == PZ_NO_ID)
        return 0;
    const struct pz_column *type = column_of(d, PZ_ROLE_EVENT_TYPE),
                           *time = column_of(d, PZ_ROLE_TIMESTAMP);
    uint64_t from = d->row_offsets[u], to = d->row_offsets[u + 1];
    if (from > to || to > d->n_rows)
        return 0; // damaged
    for (uint64_t r = to - from > most ? to - most : from; r < to; r++) {
        size_t n_item, n_type = 0;
        int64_t t = 0;
        const char *item = pz_ids_get(&d->item, pz_dataset_item(d, r), &n_item);
        const char *text = type ? pz_column_text(type, r, &n_type) : NULL;
        if (time && item && pz_column_i64(time, r, &t))
            add_event(p, item, n_item, text, n_type, t, false);
    }
    return to - from;
}

static int
add_put(void *ctx, const struct pz_event *e)
{
    if (e->item)
        add_event(ctx, e->item, strlen(e->item), e->type, e->type ? strlen(e->type) : 0,
                  e->time, true);
    return 0;
}

/* A cell as text; false: there is no value. */
static bool
cell_text(const struct pz_column *c, uint64_t row, struct pz_buf *out)
{
    char number[PZ_NUM_TEXT];
    size_t n = 0;
    int64_t i;
    double f;
    const char *text = c->dict.offsets ? pz_column_text(c, row, &n) : NULL;
    pz_buf_clear(out);
    if (c->dict.offsets) {
        if (text)
            pz_buf_add(out, text, n);
        return text != NULL;
    }
    if (c->dtype == PZ_F32 || c->dtype == PZ_F64) {
        if (!pz_column_f64(c, row, &f))
            return false;
        n = c->dtype == PZ_F32 ? pz_format_f32(number, (float)f)
                               : pz_format_f64(number, f);
        pz_buf_add(out, number, n);
        return true;
    }
    if (!pz_column_i64(c, row, &i))
        return false;
    if (c->field->type == PZ_BOOLEAN)
        pz_buf_addz(out, i ? "true" : "false");
    else
        pz_buf_add_i64(out, i);
    return true;
}

static void
add_columns(struct pz_buf *out, const struct pz_dataset *d, const char *user,
            struct pz_err *err)
{
    struct pz_buf hold = PZ_BUF_INIT;
    bool first = true;
    uint32_t row = d ? pz_ids_find(&d->user, user, strlen(user)) : PZ_NO_ID;
    pz_buf_addc(out, '{');
    for (size_t i = 0; row != PZ_NO_ID && row < d->n_rows && i < d->n_columns; i++) {
        if (!cell_text(&d->column[i], row, &hold))
            continue;
        pz_out_key(out, &first, d->column[i].name);
        pz_json_add_string(out, hold.data ? hold.data : "", hold.len);
    }
    pz_buf_addc(out, '}');
    pz_buf_status(&hold, "an answer", err);
    pz_buf_release(&hold);
}

bool
pz_console_history(struct pz_console_call *c)
{
    struct past p = {.out = &c->call->http->out, .items = dataset(c, PZ_ITEMS)};
    const char *user = pz_body_string(c->call->body, "userId");
    const struct pz_dataset *d = dataset(c, PZ_INTERACTIONS);
    struct pz_estore *s = NULL;
    int64_t most = HISTORY;
    bool first = false, used;
    pz_body_i64(c->call->body, "maxResults", &most);
    pz_buf_addz(p.out, "{\"events\":[");
    uint64_t total = add_stored(&p, d, user, (uint64_t)most);
    size_t shown = p.n;
    if (!pz_estore_used(c->group->path, &used, &c->err) && used &&
        !pz_estore_open(&s, c->group->path, PZ_CATALOG_READ, &c->err))
        pz_estore_user(s, PZ_EVENT_ITEM, user, 0, (uint64_t)most, add_put, &p, &c->err);
    pz_estore_close(s);
    pz_buf_addc(p.out, ']');
    pz_out_i64(p.out, &first, "stored", (int64_t)total);
    pz_out_i64(p.out, &first, "put", (int64_t)(p.n - shown));
    pz_out_key(p.out, &first, "columns");
    add_columns(p.out, dataset(c, PZ_USERS), user, &c->err);
    pz_buf_addc(p.out, '}');
    return true;
}

/* ---- activity ---- */

/* Interactions by time, in parts of equal length. */
bool
pz_console_activity(struct pz_console_call *c)
{
    struct pz_buf *out = &c->call->http->out;
    const struct pz_dataset *d = dataset(c, PZ_INTERACTIONS);
    const struct pz_column *time = d ? column_of(d, PZ_ROLE_TIMESTAMP) : NULL;
    int64_t parts = BUCKETS, t, least, greatest;
    uint64_t count[BUCKETS_MAX] = {0};
    bool first = true;
    pz_body_i64(c->call->body, "parts", &parts);
    if (!time || !pz_console_span(d, &least, &greatest)) {
        pz_buf_addz(out, "{\"counts\":[]}");
        return true;
    }
    double width = ((double)greatest - (double)least + 1) / (double)parts;
    for (uint64_t r = 0; r < d->n_rows; r++)
        if (pz_column_i64(time, r, &t)) {
            int64_t k = (int64_t)(((double)t - (double)least) / width);
            count[k < parts ? k : parts - 1]++;
        }
    pz_buf_addc(out, '{');
    pz_out_i64(out, &first, "from", least);
    pz_out_i64(out, &first, "to", greatest);
    pz_console_real(out, &first, "seconds", width);
    pz_out_key(out, &first, "counts");
    for (int64_t k = 0; k < parts; k++) {
        pz_buf_addc(out, k ? ',' : '[');
        pz_buf_add_i64(out, (long long)count[k]);
    }
    pz_buf_addz(out, "]}");
    return true;
}
