#include "data/attribution.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "data/export.h"
#include "data/showing.h"
#include "data/stored.h"
#include "store/estore.h"

/* ---- metrics ---- */

static const struct pz_metric plain[] = {
    {(char[]){"EVENTS"}, NULL, PZ_METRIC_COUNT, NULL},
    {(char[]){"EVENT_VALUE"}, NULL, PZ_METRIC_EVENTS, (char[]){"EVENT_VALUE"}},
};

static const char *
skip_blanks(const char *s)
{
    return s + strspn(s, " \t");
}

/* `word` in any case, and blanks around it; NULL when something else is there. */
static const char *
take(const char *s, const char *word)
{
    size_t n = strlen(word);
    s = skip_blanks(s);
    return strncasecmp(s, word, n) == 0 ? skip_blanks(s + n) : NULL;
}

/* SAMPLECOUNT(), SUM(Items.COLUMN) or SUM(Interactions.COLUMN). False: it is neither. */
static bool
read_expression(struct pz_metric *m, const char *s, struct pz_err *err)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789_";
    const char *p = take(s, "SAMPLECOUNT"), *column;
    if (p) {
        m->of = PZ_METRIC_COUNT;
        return (p = take(p, "(")) && (p = take(p, ")")) && !*p;
    }
    p = take(s, "SUM");
    p = p ? take(p, "(") : NULL;
    if (!p)
        return false;
    m->of = PZ_METRIC_ITEMS;
    column = take(p, "Items.");
    if (!column) {
        m->of = PZ_METRIC_EVENTS;
        column = take(p, "Interactions.");
    }
    size_t n = column ? strspn(column, letters) : 0;
    if (n == 0 || pz_strndup(&m->column, column, n, err))
        return false;
    return (p = take(column + n, ")")) && !*p;
}

int
pz_metric_parse(struct pz_metric *m, const char *text, struct pz_err *err)
{
    const char *type = strchr(text, ':'), *expression = strrchr(text, ':');
    *m = (struct pz_metric){.name = NULL};
    if (!type || type == text || expression < type + 2)
        return pz_err_set(err, PZ_USAGE,
                          "metric '%s' is no NAME:EVENT_TYPE:EXPRESSION, such as "
                          "Revenue:Purchase:SUM(Items.PRICE)",
                          text);
    if (pz_strndup(&m->name, text, (size_t)(type - text), err) ||
        pz_strndup(&m->type, type + 1, (size_t)(expression - type - 1), err))
        goto fail;
    if (read_expression(m, expression + 1, err))
        return PZ_OK;
    if (!err->status)
        pz_err_set(err, PZ_USAGE,
                   "metric '%s': '%s' is none of SAMPLECOUNT(), SUM(Items.COLUMN), "
                   "SUM(Interactions.COLUMN)",
                   text, expression + 1);
fail:
    pz_metric_release(m);
    return err->status;
}

void
pz_metric_release(struct pz_metric *m)
{
    free(m->name);
    free(m->type);
    free(m->column);
    *m = (struct pz_metric){.name = NULL};
}

/* ---- what a metric reads ---- */

struct group { // events of one window, type, source and metric
    int64_t start;
    const char *type, *source; // in the arena
    size_t metric;
    uint64_t hash, n;
    double sum;
};

struct answer { // of a log
    const char *id, *source;
};

struct work {
    const struct pz_attribution *a;
    const struct pz_metric *metric;
    size_t n_metrics;
    const struct pz_column **item;   // one a metric; NULL: it reads no items
    const struct pz_field **field;   // one a metric; NULL: it reads no property
    struct pz_dataset items, events; // {0} when not needed or not there
    struct pz_arena arena;
    struct answer *answer; // sorted by id
    size_t n_answers, cap_answers;
    struct group *group;
    size_t n_groups, cap_groups;
    uint32_t *slot; // open addressing: n_slots, a power of two; 1 + group
    size_t n_slots;
    struct pz_scan scan;
    struct pz_err *err;
};

static bool
is_number(const struct pz_field *f)
{
    bool fixed = f->role != PZ_ROLE_NONE && f->role != PZ_ROLE_EVENT_VALUE;
    return !fixed && (f->type == PZ_INT || f->type == PZ_LONG || f->type == PZ_FLOAT ||
                      f->type == PZ_DOUBLE);
}

static int
refuse_column(const struct pz_metric *m, const struct pz_schema *schema, const char *set,
              struct pz_err *err)
{
    struct pz_buf text = PZ_BUF_INIT;
    size_t n = 0;
    for (size_t i = 0; schema && i < schema->n_fields; i++)
        if (is_number(&schema->field[i]))
            pz_buf_addf(&text, "%s%s", n++ ? ", " : "", schema->field[i].name);
    if (!schema)
        pz_buf_addf(&text, "the group has no %s dataset", set);
    if (!pz_buf_status(&text, "a message", err))
        pz_err_set(err, PZ_USAGE, "metric '%s': '%s' is no numeric column of %s; %s%s",
                   m->name, m->column, set,
                   schema ? n ? "those are: " : "it has none" : "",
                   n || !schema ? text.data : "");
    pz_buf_release(&text);
    return err->status;
}

static int
open_events(struct work *w)
{
    char *path;
    if (pz_dataset_path(&path, w->a->group, PZ_INTERACTIONS, w->err))
        return w->err->status;
    if (access(path, F_OK) == 0)
        pz_dataset_open(&w->events, path, w->err);
    free(path);
    return w->err->status;
}

/* Finds the columns of metric k. EVENT_VALUE needs none: every event may have it. */
static int
bind(struct work *w, size_t k)
{
    const struct pz_metric *m = &w->metric[k];
    struct pz_stored_report report;
    const struct pz_column *c;
    if (m->of == PZ_METRIC_COUNT ||
        (m->of == PZ_METRIC_EVENTS && strcasecmp(m->column, "EVENT_VALUE") == 0))
        return PZ_OK;
    if (m->of == PZ_METRIC_EVENTS) {
        if (!w->events.schema.n_fields && open_events(w))
            return w->err->status;
        bool there = w->events.schema.n_fields > 0;
        c = there ? pz_dataset_column(&w->events, m->column) : NULL;
        if (!c || !is_number(c->field))
            return refuse_column(m, there ? &w->events.schema : NULL, "Interactions",
                                 w->err);
        w->field[k] = c->field;
        return PZ_OK;
    }
    if (!w->items.schema.n_fields &&
        pz_stored_open(&w->items, w->a->group, PZ_ITEMS, w->a->threads, &report, w->err) >
            PZ_NEGATIVE)
        return w->err->status;
    bool there = w->items.schema.n_fields > 0;
    c = there ? pz_dataset_column(&w->items, m->column) : NULL;
    if (!c || !is_number(c->field))
        return refuse_column(m, there ? &w->items.schema : NULL, "Items", w->err);
    w->item[k] = c;
    return PZ_OK;
}

/* ---- logs ---- */

static int
by_id(const void *a, const void *b)
{
    const struct answer *x = a, *y = b;
    return strcmp(x->id, y->id);
}

static int
take_line(void *ctx, const char *name, uint64_t line, const char *s, size_t n,
          struct pz_err *err)
{
    struct work *w = ctx;
    struct answer found = {NULL, NULL};
    struct pz_scan *scan = &w->scan;
    enum pz_tok tok;
    pz_scan_start(scan, s, n);
    tok = pz_scan_next(scan);
    bool good = tok == PZ_TOK_OBJECT;
    while (good && (tok = pz_scan_next(scan)) == PZ_TOK_KEY) {
        bool id = scan->len == 16 && memcmp(scan->s, "recommendationId", 16) == 0;
        bool source = scan->len == 6 && memcmp(scan->s, "source", 6) == 0;
        tok = pz_scan_next(scan);
        if ((id || source) && tok == PZ_TOK_STRING) {
            if (pz_arena_copy(&w->arena, id ? &found.id : &found.source, scan->s,
                              scan->len, "a log", err))
                return err->status;
        } else {
            good = pz_scan_skip(scan, tok);
        }
    }
    if (!good || tok != PZ_TOK_OBJECT_END || !found.id || !found.source)
        return pz_err_set(err, PZ_DATA,
                          "%s:%llu: is no line of a log that pz-recommend --log wrote",
                          name, (unsigned long long)line);
    if (pz_grow(&w->answer, &w->cap_answers, w->n_answers + 1, sizeof *w->answer, "a log",
                err))
        return err->status;
    w->answer[w->n_answers++] = found;
    return PZ_OK;
}

/* ---- events ---- */

static const char *
source_of(const struct work *w, const struct pz_event *e)
{
    struct answer key = {e->recommendation, NULL};
    if (e->source)
        return e->source;
    if (!e->recommendation)
        return "SOURCE_NAME_UNDEFINED";
    const struct answer *a =
        w->n_answers ? bsearch(&key, w->answer, w->n_answers, sizeof key, by_id) : NULL;
    const char *giver =
        !a && w->a->giver ? w->a->giver(w->a->ctx, e->recommendation) : NULL;
    return a ? a->source : giver ? giver : "pz-recommend";
}

/* The number that a property has; false: none. */
static bool
property(struct work *w, const char *json, const char *name, double *value)
{
    struct pz_scan *scan = &w->scan;
    size_t n = strlen(name);
    bool found = false;
    pz_scan_start(scan, json, strlen(json));
    if (pz_scan_next(scan) != PZ_TOK_OBJECT)
        return false;
    while (pz_scan_next(scan) == PZ_TOK_KEY) {
        bool wanted = scan->len == n && memcmp(scan->s, name, n) == 0;
        enum pz_tok tok = pz_scan_next(scan);
        if (wanted && tok == PZ_TOK_NUMBER)
            found = !pz_parse_f64(scan->s, scan->len, value);
        else if (!pz_scan_skip(scan, tok))
            break;
    }
    return found;
}

/* What the event adds to metric k; false: nothing. */
static bool
value_of(struct work *w, size_t k, const struct pz_event *e, double *value)
{
    const struct pz_metric *m = &w->metric[k];
    *value = e->value;
    if (m->type && strcmp(m->type, e->type ? e->type : "") != 0)
        return false;
    if (m->of == PZ_METRIC_COUNT)
        return true;
    if (m->of == PZ_METRIC_EVENTS)
        return w->field[k] && w->field[k]->role != PZ_ROLE_EVENT_VALUE
                   ? e->properties && property(w, e->properties, w->field[k]->name, value)
                   : e->has_value;
    uint32_t row = pz_ids_find(&w->items.item, e->item, strlen(e->item));
    return row != PZ_NO_ID && pz_column_f64(w->item[k], row, value);
}

static int
more_slots(struct work *w)
{
    size_t n = w->n_slots ? 2 * w->n_slots : 1024;
    uint32_t *slot;
    if (n > UINT32_MAX || pz_new(&slot, n, sizeof *slot, "a report", w->err))
        return w->err->status ? w->err->status : pz_err_nomem(w->err, "a report", n);
    for (size_t g = 0; g < w->n_groups; g++) {
        size_t at = w->group[g].hash & (n - 1);
        while (slot[at])
            at = (at + 1) & (n - 1);
        slot[at] = (uint32_t)g + 1;
    }
    free(w->slot);
    w->slot = slot;
    w->n_slots = n;
    return PZ_OK;
}

/* The group of the key, made when it is new; NULL on error. */
static struct group *
find_group(struct work *w, const struct group *key)
{
    if (2 * w->n_groups >= w->n_slots && more_slots(w))
        return NULL;
    size_t at = key->hash & (w->n_slots - 1);
    for (; w->slot[at]; at = (at + 1) & (w->n_slots - 1)) {
        struct group *g = &w->group[w->slot[at] - 1];
        if (g->hash == key->hash && g->start == key->start && g->metric == key->metric &&
            strcmp(g->type, key->type) == 0 && strcmp(g->source, key->source) == 0)
            return g;
    }
    struct group new = *key;
    if (pz_grow(&w->group, &w->cap_groups, w->n_groups + 1, sizeof *w->group, "a report",
                w->err) ||
        pz_arena_copy(&w->arena, &new.type, key->type, strlen(key->type), "a report",
                      w->err) ||
        pz_arena_copy(&w->arena, &new.source, key->source, strlen(key->source),
                      "a report", w->err))
        return NULL;
    w->group[w->n_groups] = new;
    w->slot[at] = (uint32_t)++w->n_groups;
    return &w->group[w->n_groups - 1];
}

static int
add_event(void *ctx, const struct pz_event *e)
{
    struct work *w = ctx;
    if (w->a->upto && e->seq > w->a->upto)
        return PZ_OK;
    int64_t late = e->time % w->a->window;
    struct group key = {.start = e->time - late - (late < 0 ? w->a->window : 0),
                        .type = e->type ? e->type : "",
                        .source = source_of(w, e)};
    uint64_t text = XXH3_64bits(key.type, strlen(key.type)) ^
                    XXH3_64bits_withSeed(key.source, strlen(key.source), 1);
    for (size_t k = 0; k < w->n_metrics; k++) {
        double value;
        if (!value_of(w, k, e, &value))
            continue;
        key.metric = k;
        key.hash = text + (uint64_t)key.start * 0x9e3779b97f4a7c15u + k;
        key.hash ^= key.hash >> 32;
        struct group *g = find_group(w, &key);
        if (!g)
            return w->err->status;
        g->n++;
        g->sum += value;
    }
    return PZ_OK;
}

/* ---- the report ---- */

int
pz_attributed_csv(void *ctx, const struct pz_attributed *line)
{
    struct pz_buf *out = ctx;
    char number[PZ_NUM_TEXT];
    pz_format_f64(number, line->value);
    pz_export_cell(out, line->metric, strlen(line->metric));
    pz_buf_addc(out, ',');
    pz_export_cell(out, line->type, strlen(line->type));
    pz_buf_addf(out, ",%s,%s,", number, line->function);
    pz_export_cell(out, line->source, strlen(line->source));
    pz_buf_addf(out, ",%" PRId64 "\n", line->start);
    return PZ_OK;
}

static int
by_key(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    int o = x->start < y->start ? -1 : x->start > y->start;
    o = o ? o : strcmp(x->type, y->type);
    o = o ? o : strcmp(x->source, y->source);
    return o ? o : x->metric < y->metric ? -1 : x->metric > y->metric;
}

static int
walk_events(struct work *w)
{
    struct pz_estore *s;
    if (pz_estore_open(&s, w->a->group, PZ_CATALOG_READ, w->err))
        return w->err->status;
    int status = pz_estore_walk(s, PZ_EVENT_ITEM, w->a->after, add_event, w, w->err);
    pz_estore_close(s);
    return status;
}

static int
prepare(struct work *w)
{
    if (pz_new(&w->item, w->n_metrics, sizeof *w->item, "metrics", w->err) ||
        pz_new(&w->field, w->n_metrics, sizeof *w->field, "metrics", w->err))
        return w->err->status;
    for (size_t k = 0; k < w->n_metrics; k++)
        if (bind(w, k))
            return w->err->status;
    for (size_t i = 0; i < w->a->n_logs; i++)
        if (pz_log_lines(w->a->log[i], take_line, w, w->err))
            return w->err->status;
    if (w->n_answers)
        qsort(w->answer, w->n_answers, sizeof *w->answer, by_id);
    return PZ_OK;
}

int
pz_attribution(const struct pz_attribution *a,
               int (*fn)(void *ctx, const struct pz_attributed *line), void *ctx,
               struct pz_err *err)
{
    struct work w = {.a = a,
                     .metric = a->n_metrics ? a->metric : plain,
                     .n_metrics =
                         a->n_metrics ? a->n_metrics : sizeof plain / sizeof *plain,
                     .err = err};
    pz_scan_init(&w.scan);
    int status = prepare(&w);
    if (!status)
        status = walk_events(&w);
    if (!status && w.n_groups)
        qsort(w.group, w.n_groups, sizeof *w.group, by_key);
    for (size_t i = 0; i < w.n_groups && !status; i++) {
        const struct group *g = &w.group[i];
        bool count = w.metric[g->metric].of == PZ_METRIC_COUNT;
        struct pz_attributed line = {.start = g->start,
                                     .metric = w.metric[g->metric].name,
                                     .type = g->type,
                                     .source = g->source,
                                     .function = count ? "samplecount" : "sum",
                                     .value = count ? (double)g->n : g->sum};
        status = fn(ctx, &line);
    }
    pz_dataset_close(&w.items);
    pz_dataset_close(&w.events);
    pz_arena_release(&w.arena);
    pz_scan_release(&w.scan);
    free(w.item);
    free(w.field);
    free(w.answer);
    free(w.group);
    free(w.slot);
    return status;
}
